"""A study checked without running anything: its files, its figures, its rules, its model and its claims.

A run does the same before it starts a notebook, so that bad input costs nothing that an earlier run has made.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from helpers.claims.file import Claims, load_claims
from helpers.claims.frameworks import load_frameworks, measured_keys
from helpers.claims.verdicts import claim_words, expand_words
from helpers.cleaning import contract, sample
from helpers.cleaning import gaps as cleaning
from helpers.coordination.moderation import moderate
from helpers.errors import StudyError, did_you_mean
from helpers.heterogeneity.groups import usable_groups
from helpers.index import build as construction
from helpers.index.dimensions import add_dimensions
from helpers.large.engine import check_headings
from helpers.mediation.shown import PATHS
from helpers.policy.pilots import mark_policy
from helpers.policy.space import build_weights
from helpers.reading import statistics as reading
from helpers.reading.units import read_units
from helpers.regression.panel import fit
from helpers.regression.specification import specify
from helpers.robustness import changes as robustness
from helpers.study.formula import check_columns, parse_formula

if TYPE_CHECKING:
    from helpers.cleaning.contract import ContractReport
    from helpers.study.study import Study


FEWEST_ENTITIES = 3
# Below so many the smallest p-value of the wild bootstrap, 2 / 2^G, comes near the usual levels.
FEW_ENTITIES = 10


class Checked(NamedTuple):
    """What was derived while checking: the analysed panel, the entities, figures filled by rule, contract, times."""

    panel: pd.DataFrame
    units: pd.DataFrame
    filled: int
    contract: ContractReport
    times: pd.Index


def check_study(study: Study, notebooks: Path | None = None) -> str:
    """Read everything that the notebooks will read, derive what they will derive, and fit what they start from.

    Parameters
    ----------
    study
        The study.
    notebooks
        Folder of the notebooks, whose parameters the presets are compared with; not compared when None.

    Returns
    -------
    str
        What was found, in words.

    Raises
    ------
    StudyError
        The first file, figure, rule, formula, preset or claim that is not as the study file declares it.
    """
    claims = load_claims(study.folder)
    check_formulas(study)
    check_claims(claims, study)
    check_frameworks(study)
    if notebooks is not None:
        check_presets(study, notebooks)
    if not study.memory:
        reading.read_codebook(study.folder / "codebook.csv", study.columns)
        return f"{check_headings(study)}; claims: {len(claims.claims)}; the first notebook checks keys and figures"
    checked = check_data(study)
    design = describe_design(checked.panel, study)
    check_texts(checked, check_model(checked, study), study)
    rows, entities = len(checked.panel), checked.panel.index.unique(0).size
    return (
        f"{rows} rows of {entities} entities; figures filled by rule: {checked.filled}; claims: {len(claims.claims)}; "
        f"contract: {checked.contract.describe()}" + "".join(f"; {line}" for line in design)
    )


def describe_design(panel: pd.DataFrame, study: Study) -> list[str]:
    """What a design of this size can say, where that is less than one would think.

    Raises
    ------
    StudyError
        There are fewer than three entities, among which nothing can be told from chance.
    """
    rows = panel.groupby(level=0).size()
    entities = len(rows)
    if entities < FEWEST_ENTITIES:
        rule = f"{entities} units are too few to tell an effect from chance"
        raise StudyError("panel", rule, f"analyse at least {FEWEST_ENTITIES}")
    told = []
    single = int((rows == 1).sum())
    if single and "entity" in study.ladder[study.primary].effects:
        told.append(
            f"{single} of {entities} units have one row, which the unit effects absorb: "
            f"{int(rows.sum()) - single} rows of {entities - single} units identify the estimate"
        )
    if entities < FEW_ENTITIES:
        least = 2.0 ** (1 - entities)
        told.append(
            f"with {entities} units no p-value of the wild bootstrap is below {least:.3g}, and its interval may be "
            "unbounded: read the estimates as description"
        )
    return told


def check_formulas(study: Study) -> None:
    """Read every formula and look up its columns.

    Raises
    ------
    StudyError
        Naming the derived column, the formula and what is wrong with it.
    """
    for name, text in study.formulas.items():
        check_columns(parse_formula(text, f"{study.folder / 'study.yml'}, {name}"), study.columns)


def check_claims(claims: Claims, study: Study) -> None:
    """Look up the names of ladder columns, robustness rows, mediators and regions in the results that claims read.

    Which further results the notebooks record is known to them alone; those are looked up when claims are judged.

    Raises
    ------
    StudyError
        Naming the claim, the result, and the nearest declared name.
    """
    names = _names_in_keys(study)
    for claim_id, claim in claims.claims.items():
        where = f"{study.folder / 'claims.yml'}, claim {claim_id}"
        for text in claim.reads.values():
            for key in expand_words(where, text, claim_words(study)):
                family, name, *rest = f"{key}..".split(".")
                of_model = study.specification.treatment in rest or (family == "mediation" and rest[0] in PATHS)
                if of_model and family in names and "*" not in name and name not in names[family]:
                    raise StudyError(where, f"reads the result {key}, which no run records", _near(name, names[family]))


def check_frameworks(study: Study) -> None:
    """Look up the names of mediators, regions and rows in the results that frameworks point to, as with claims.

    Raises
    ------
    StudyError
        Naming the framework, its row, the result, and the nearest declared name.
    """
    names = _names_in_keys(study)
    for title, framework in load_frameworks(study.folder).items():
        for place, row in enumerate(framework.rows, start=1):
            for key in measured_keys(row, claim_words(study)):
                family, name, *_ = f"{key}..".split(".")
                if family in names and name not in names[family]:
                    where = f"{study.folder / 'frameworks.yml'}, {title}, row {place}"
                    raise StudyError(where, f"points to {key}, which no run records", _near(name, names[family]))


def check_presets(study: Study, notebooks: Path) -> None:
    """Compare every preset with the parameters that the notebooks declare.

    Raises
    ------
    StudyError
        Naming the preset and the parameter that no notebook declares or that is of another type.
    """
    from helpers.runner.parameters import assign_parameters
    from helpers.runner.sources import read_sources

    declared = {source.name: source.parameters for source in read_sources(notebooks)}
    for name, preset in study.presets.items():
        try:
            assign_parameters(declared, preset, {})
        except StudyError as error:
            where = f"{study.folder / 'study.yml'}, presets.{name}: {error.where}"
            raise StudyError(where, error.rule, error.remedy) from None


def check_data(study: Study) -> Checked:
    """Read, check, fill and derive as the first notebook does.

    Raises
    ------
    StudyError
        The first file or figure that is not as declared.
    """
    reading.read_codebook(study.folder / "codebook.csv", study.columns)
    units = read_units(study.folder / study.entity.units, study.entity)
    _check_units(units, study)
    raw = reading.read_raw(study.folder, study.columns, units, study.entity, study.time)
    kept = contract.check_contract(raw, units, study)
    gaps = cleaning.check_coverage(raw, study.columns, study.time)
    statistics, filled = cleaning.apply_missing_rules(raw, study.missing, gaps, study.sample.missing)
    cleaning.check_ranges(statistics, study.columns)
    marked = sample.mark_sample(statistics, study)
    chosen = sample.select_sample(cleaning.derive(statistics, study.formulas, marked), marked, study)
    cleaning.check_panel(chosen.panel, units, study)
    return Checked(chosen.panel, units, len(filled), kept, statistics.index.unique(1))


def check_model(checked: Checked, study: Study) -> pd.DataFrame:
    """Build the indices, fit the ladder, make the rows of every declared change and fit every mediator beside.

    Gives the panel with the indices.

    Raises
    ------
    StudyError
        A constant indicator, regressors that the rows cannot tell apart, or a change that leaves nothing to fit.
    """
    indices = construction.build_indices(checked.panel, study)
    panel = construction.model_panel(checked.panel, construction.index_values(indices))
    for column in study.ladder:
        specify(panel, study, column).fit()
    primary = specify(panel, study)
    for name, row in study.robustness.items():
        try:
            robustness.change(primary, row, panel, checked.units, study).fit()
        except StudyError as error:
            raise _placed(study, f"robustness.{name}", error) from None
    model = study.model()
    if study.regions:
        _check_groups(panel, checked.units, study)
    for name in study.mediators:
        try:
            rows = panel[[*model.columns, name]].dropna()
            fit(rows, model.with_(treatment=name, controls=(model.treatment, *model.controls)))
        except StudyError as error:
            raise _placed(study, f"mediators.{name}", error) from None
    return panel


def _check_groups(panel: pd.DataFrame, units: pd.DataFrame, study: Study) -> None:
    """The chapter on regions compares two groups of the first grouping or more."""
    grouping = study.grouping
    regions = units[grouping.column].map(grouping.group)
    if len(usable_groups(panel, regions, grouping.order, study.model())[0]) < 2:
        rule = "fewer than two of its groups have rows that determine a regression of their own"
        remedy = "take the grouping out of the study file, or draw wider groups"
        raise _placed(study, f"regions.{next(iter(study.regions))}", StudyError(grouping.column, rule, remedy))


def check_texts(checked: Checked, panel: pd.DataFrame, study: Study) -> None:
    """Look at what further texts ask: moderators that vary, policies that reach some entities, neighbours of all.

    Raises
    ------
    StudyError
        Naming the place in the study file, and the entity or the column.
    """
    if study.coordination is not None:
        items = study.coordination.moderation
        wanted = [name for item in items.values() for name in (item.of, item.by, *item.beside)]
        data = add_dimensions(panel, study, list(dict.fromkeys(wanted)))
        for name, item in items.items():
            try:
                moderate(data, study.model(), item.of, item.by, item.beside)
            except StudyError as error:
                raise _placed(study, f"coordination.moderation.{name}", error) from None
    everywhere = pd.MultiIndex.from_product([panel.index.unique(0), checked.times])
    for name, policy in study.policies.items():
        try:
            mark_policy(pd.DataFrame(index=everywhere), policy)
        except StudyError as error:
            raise _placed(study, f"policies.{name}", error) from None
    for name, weights in (study.space.weights if study.space is not None else {}).items():
        try:
            build_weights(weights, panel, checked.units, study.folder / study.map.contiguity if study.map else None)
        except StudyError as error:
            raise _placed(study, f"space.weights.{name}", error) from None


def _placed(study: Study, place: str, error: StudyError) -> StudyError:
    """The same error, with the place in the study file in front."""
    return StudyError(f"{study.folder / 'study.yml'}, {place}: {error.where}", error.rule, error.remedy)


def _check_units(units: pd.DataFrame, study: Study) -> None:
    if len(units) < 2:
        raise StudyError(
            str(study.folder / study.entity.units),
            f"{len(units)} {study.entity.name} is too few, at least two are needed",
            f"add a {study.entity.name} in a row of its own",
        )


def _names_in_keys(study: Study) -> dict[str, set[str]]:
    """Family of results -> the names that the study gives their second part."""
    groups = {name for grouping in study.regions.values() for name in grouping.order}
    pairs = {f"{first}_minus_{second}" for first in groups for second in groups if first != second}
    return {
        "baseline": set(study.ladder),
        "robustness": set(study.robustness),
        "mediation": {*study.mediators, "chain"},
        "region": groups | pairs,
    }


def _near(name: str, known: Iterable[str]) -> str:
    return f"{did_you_mean(name, known)}correct the key, or declare it in the study file"
