"""The study's channels: every declared mediator on the primary specification, recorded and laid out as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError, attempt
from helpers.inference.clear import WITHOUT_TIMES, ClearTest, fit_clear, record_clear
from helpers.mediation.chain import Chain, fit_chain
from helpers.mediation.mediation import SUM, Mediation, adjust_indirect, fit_mediation
from helpers.mediation.moderated import fit_grouped
from helpers.mediation.pictures import Arrow
from helpers.mediation.probit import ProbitMediation, mediation_effects_probit
from helpers.mediation.product import ProductTest
from helpers.results.estimate import Estimate, drawn_error

if TYPE_CHECKING:
    from helpers.mediation.moderated import GroupedMediation, Interaction
    from helpers.mediation.resampled import Samples
    from helpers.mediation.rho import RhoSensitivity
    from helpers.notebook import NotebookRun
    from helpers.results.results import Result
    from helpers.study.model import Model
    from helpers.study.study import Label, Study

Record = Callable[..., Any]

PATHS = ("path_a", "path_b", "indirect_effect", "direct_effect", "total_effect")
WORDS = {
    "path_a": "path a: treatment to mediator",
    "path_b": "path b: mediator to outcome",
    "indirect_effect": "indirect",
    "direct_effect": "direct",
    "total_effect": "total",
}
NUMBERS = ("estimate", "std_error", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True)
class Channel:
    """One mediator: its effects with the model's effects and without time effects, and whether its paths are clear.

    Attributes
    ----------
    alone, without_times
        The mediation through it alone; the second is None where the model has no time effects.
    path_a, path_b
        Its paths by the t test and the wild bootstrap, with time effects and without.
    """

    alone: Mediation
    without_times: Mediation | None
    path_a: ClearTest
    path_b: ClearTest

    @property
    def indirect(self) -> Estimate:
        """The indirect effect."""
        return self.alone.effects()["indirect_effect"]

    def is_clear(self) -> bool:
        """Whether the interval of the indirect effect leaves out zero."""
        return leaves_out_zero(self.indirect)


@dataclass(frozen=True)
class Mechanism:
    """Mediator -> its two arrows, and the total effect."""

    channels: dict[str, tuple[Arrow, Arrow]]
    total: Arrow


def fit_channels(
    panel: pd.DataFrame, study: Study, samples: Samples, *, wild_draws: int, rng: np.random.Generator
) -> dict[str, Channel]:
    """Fit every declared mediator alone, on the rows in which it has a figure.

    A mediator that is an index is derived anew in every bootstrap sample.

    Parameters
    ----------
    samples
        Over the whole panel; the same for all mediators.
    wild_draws, rng
        Draws of the wild bootstrap of the paths, and their source.
    """
    model, found = study.model(), {}
    for name in study.mediators:
        data = complete_rows(panel, [name])
        found[name] = Channel(
            _fit(data, model, [name], study, samples),
            _fit(data, model.with_(effects=("entity",)), [name], study, samples) if model.time_effects else None,
            fit_clear(data, model.with_(outcome=name), draws=wild_draws, rng=rng),
            fit_clear(data, model.with_(controls=(name, *model.controls)), name, draws=wild_draws, rng=rng),
        )
    return found


def fit_together(panel: pd.DataFrame, study: Study, samples: Samples) -> Mediation:
    """All mediators in one outcome equation, on the rows in which every one has a figure."""
    names = list(study.mediators)
    return _fit(complete_rows(panel, names), study.model(), names, study, samples)


def fit_chains(panel: pd.DataFrame, study: Study, samples: Samples) -> dict[str, Chain]:
    """The chain of the first two mediators: under "" with the model's effects, under "without_years" without time's.

    Empty where the study has fewer than two mediators.
    """
    names, model = tuple(study.mediators)[:2], study.model()
    if len(names) < 2:
        return {}
    data, specs = complete_rows(panel, names), _specs(study, names)
    asked = {"": model} | ({WITHOUT_TIMES: model.with_(effects=("entity",))} if model.time_effects else {})
    return {name: fit_chain(data, each, (names[0], names[1]), samples, indices=specs) for name, each in asked.items()}


def test_link(panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator) -> ClearTest | None:
    """The link of the chain, first mediator to second, by the t test and the wild bootstrap; None without a chain."""
    names, model = tuple(study.mediators)[:2], study.model()
    if len(names) < 2:
        return None
    asked = model.with_(outcome=names[1], treatment=names[0], controls=(model.treatment, *model.controls))
    return fit_clear(complete_rows(panel, names), asked, draws=draws, rng=rng)


def fit_alternatives(panel: pd.DataFrame, study: Study, samples: Samples) -> dict[str, Mediation]:
    """Mediator -> the mediation through its other measure, where the study file names one."""
    found = {}
    for name, item in study.mediators.items():
        if item.alternative:
            data = complete_rows(panel, [item.alternative])
            found[name] = _fit(data, study.model(), [item.alternative], study, samples)
    return found


def fit_moderations(data: pd.DataFrame, study: Study, groups: Mapping[str, str]) -> dict[str, GroupedMediation]:
    """Mediator -> its indirect effect by group; empty where there are no two groups."""
    if len(set(groups.values())) < 2:
        return {}
    return {name: fit_grouped(complete_rows(data, [name]), study.model(), name, groups) for name in study.mediators}


def fit_probabilities(
    panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator
) -> dict[str, ProbitMediation | StudyError]:
    """Effects in probabilities, or why there are none, by mediator; empty unless outcome and treatment are 0 and 1."""
    model = study.model()
    if not panel[[model.outcome, model.treatment]].isin([0, 1]).all(axis=None):
        return {}
    return {
        name: attempt(mediation_effects_probit, complete_rows(panel, [name]), model, name, draws=draws, rng=rng)
        for name in study.mediators
    }


def complete_rows(panel: pd.DataFrame, mediators: Iterable[str]) -> pd.DataFrame:
    """The rows in which every one of the mediators has a figure."""
    return panel.dropna(subset=list(mediators))


def count_rows(panel: pd.DataFrame, study: Study) -> pd.DataFrame:
    """One row per mediator and its alternative measure, and one for all together: rows and entities with a figure."""
    mediators = list(study.mediators)
    asked = {study.label(name): [name] for name in mediators} | {"all of them": mediators}
    asked |= {
        study.label(item.alternative): [item.alternative] for item in study.mediators.values() if item.alternative
    }
    rows = {}
    for label, names in asked.items():
        there = complete_rows(panel, names)
        entities = there.index.get_level_values(0).nunique()
        rows[label] = {"n_obs": len(there), "n_entities": entities, "rows_without": len(panel) - len(there)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("mediator")


def record_channels(record: Record, channels: Mapping[str, Channel]) -> None:
    """Record the five effects of every mediator under ``mediation.<mediator>.<effect>``.

    Paths come with ``.wild``; indirect, direct and total effect with ``.without_years``, and the indirect one with
    ``.bootstrap``, the percentile interval of the same samples.
    """
    for name, channel in channels.items():
        record_clear(record, f"mediation.{name}.path_a", channel.path_a)
        record_clear(record, f"mediation.{name}.path_b", channel.path_b)
        for ending, found in (("", channel.alone), (f".{WITHOUT_TIMES}", channel.without_times)):
            if found is None:
                continue
            for effect in PATHS[2:]:
                record(f"mediation.{name}.{effect}{ending}", found.effects()[effect])
            record(f"mediation.{name}.indirect_effect{ending}.bootstrap", by_bootstrap(found))


def record_probabilities(record: Record, found: Mapping[str, ProbitMediation | StudyError]) -> None:
    """Record ``mediation.<mediator>.probability.<effect>`` where the probit could be fitted."""
    for name, fit in found.items():
        if isinstance(fit, ProbitMediation):
            for effect in PATHS[2:]:
                record(f"mediation.{name}.probability.{effect}", getattr(fit, effect))


def record_alternatives(record: Record, found: Mapping[str, Mediation]) -> None:
    """Record ``mediation.<mediator>.{path_a,path_b,indirect_effect}.alternative``."""
    for name, fitted in found.items():
        for part in PATHS[:3]:
            record(f"mediation.{name}.{part}.alternative", fitted.effects()[part])


def record_together(record: Record, found: Mediation) -> None:
    """Record ``mediation.together.<mediator>.indirect_effect`` and that of all together."""
    for name, effect in found.indirect.items():
        record(f"mediation.together.{name}.indirect_effect", effect)
    record("mediation.together.direct_effect", found.direct)
    record("mediation.together.indirect_effect", found.indirect_sum)


def record_rho(record: Record, found: Mapping[str, RhoSensitivity]) -> None:
    """Record ``mediation.<mediator>.rho``: the correlation at which the indirect effect is zero, with its interval."""
    for name, item in found.items():
        record(
            f"mediation.{name}.rho",
            Estimate(
                estimate=item.rho_at_zero,
                ci_low=item.rho_ci_low,
                ci_high=item.rho_ci_high,
                convention="cluster bootstrap, percentile",
            ),
        )


def record_interactions(record: Record, found: Mapping[str, Interaction]) -> None:
    """Record ``mediation.<mediator>.interaction`` with ``.wild`` and ``.without_years``."""
    for name, item in found.items():
        record_clear(record, f"mediation.{name}.interaction", item.interaction)


def record_moderations(record: Record, found: Mapping[str, GroupedMediation]) -> None:
    """Record ``mediation.<mediator>.indirect_effect.<group>`` and of the difference ``<one>_minus_<other>``."""
    for name, item in found.items():
        like = item.fits[1][item.fits[1].regressors[0]]
        for group, effect in item.indirect.items():
            record(f"mediation.{name}.indirect_effect.{group}", product_estimate(effect, like))
        for (first, second), gap in item.differences.items():
            record(f"mediation.{name}.indirect_effect.{first}_minus_{second}", product_estimate(gap, like))


def record_chains(record: Record, chains: Mapping[str, Chain], link: ClearTest | None) -> None:
    """Record ``mediation.chain.{indirect_effect,link,path_a,path_b}``, and the same with ``.without_years``.

    The wild bootstrap of the link stands under ``.wild``.
    """
    if link is not None:
        record("mediation.chain.link.wild", link.wild)
    if link is not None and link.without_times_wild is not None:
        record(f"mediation.chain.link.{WITHOUT_TIMES}.wild", link.without_times_wild)
    for ending, chain in chains.items():
        for part in ("indirect_effect", "link", "path_a", "path_b"):
            record(f"mediation.chain.{part}{'.' if ending else ''}{ending}", getattr(chain, part))


def by_bootstrap(found: Mediation) -> Estimate:
    """The first mediator's indirect effect with the percentile interval and p-value of the bootstrap."""
    name = found.mediators[0]
    effect, drawn = found.indirect[name], found.bootstrap[name]
    return Estimate(
        estimate=effect.estimate,
        std_error=drawn.std_error,
        p_value=drawn.p_value,
        ci_low=drawn.percentile_low,
        ci_high=drawn.percentile_high,
        n_obs=effect.n_obs,
        n_entities=effect.n_entities,
        n_clusters=effect.n_clusters,
        draws=found.draws,
        p_error=drawn_error(drawn.p_value, found.draws, twice=True),
        convention="cluster bootstrap, percentile",
    )


def effect_table(fits: Mapping[str, Mediation], study: Study) -> pd.DataFrame:
    """One row per mediator and effect: estimate, standard error, p-value, interval."""
    rows = {
        (study.label(name), WORDS[path]): [getattr(effect, column) for column in NUMBERS]
        for name, fitted in fits.items()
        for path, effect in fitted.effects().items()
    }
    index = pd.MultiIndex.from_tuples(rows, names=["mediator", "effect"])
    return pd.DataFrame(list(rows.values()), index=index, columns=list(NUMBERS))


def without_paths(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the effect table that are in units of the outcome per unit of the treatment."""
    return table[table.index.get_level_values("effect").isin(["indirect", "direct", "total"])]


def interval_table(channels: Mapping[str, Channel], study: Study) -> pd.DataFrame:
    """One row per mediator and design: the indirect effect with every standard error, interval and p-value."""
    tables = {"with time effects": {name: channel.alone for name, channel in channels.items()}}
    without = {name: channel.without_times for name, channel in channels.items() if channel.without_times is not None}
    if without:
        tables["without time effects"] = without
    parts = []
    for design, fits in tables.items():
        adjusted = adjust_indirect(fits)
        for name, found in fits.items():
            effect, drawn = found.indirect[name], found.bootstrap[name]
            row = {
                "estimate": effect.estimate,
                "bootstrap_std_error": drawn.std_error,
                "sobel_std_error": found.sobel[name],
                "ci_low": effect.ci_low,
                "ci_high": effect.ci_high,
                "percentile_low": drawn.percentile_low,
                "percentile_high": drawn.percentile_high,
                "bca_low": drawn.bca_low,
                "bca_high": drawn.bca_high,
                **adjusted.loc[name].to_dict(),
            }
            parts.append({"mediator": study.label(name), "design": design, **row})
    return pd.DataFrame(parts).set_index(["mediator", "design"])


def probability_table(found: Mapping[str, ProbitMediation | StudyError], study: Study) -> pd.DataFrame:
    """Effects in probabilities: rows (mediator, effect); one row with the reason where the probit was refused."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for name, fit in found.items():
        if isinstance(fit, StudyError):
            rows[study.label(name), ""] = {"remark": fit.rule}
            continue
        for effect in PATHS[2:]:
            numbers = getattr(fit, effect)
            rows[study.label(name), WORDS[effect]] = {
                column: getattr(numbers, column) for column in ("estimate", "ci_low", "ci_high", "p_value")
            }
    return pd.DataFrame(list(rows.values()), index=pd.MultiIndex.from_tuples(rows, names=["mediator", "effect"]))


def together_table(channels: Mapping[str, Channel], together: Mediation, study: Study) -> pd.DataFrame:
    """Each mediator alone beside all of them in one equation, and the sum: rows (model, mediator)."""
    rows: dict[tuple[str, str], dict[str, float | None]] = {}
    for name, channel in channels.items():
        rows["alone", study.label(name)] = _together_row(channel.alone, name)
    for name in together.mediators:
        rows["together", study.label(name)] = _together_row(together, name)
    total = together.indirect_sum
    rows["together", SUM] = {f"indirect_{column}": getattr(total, column) for column in NUMBERS}
    index = pd.MultiIndex.from_tuples(rows, names=["model", "mediator"])
    return pd.DataFrame(list(rows.values()), index=index).astype(float)


def chain_table(chains: Mapping[str, Chain]) -> pd.DataFrame:
    """One row per design and part of the chain."""
    rows = {
        ("without time effects" if ending else "with time effects", part): [
            getattr(getattr(chain, name), column) for column in NUMBERS
        ]
        for ending, chain in chains.items()
        for name, part in (
            ("path_a", "treatment to first mediator"),
            ("link", "first to second mediator"),
            ("path_b", "second mediator to outcome"),
            ("indirect_effect", "along the chain"),
        )
    }
    index = pd.MultiIndex.from_tuples(rows, names=["design", "part"])
    return pd.DataFrame(list(rows.values()), index=index, columns=list(NUMBERS))


def interaction_table(found: Mapping[str, Interaction], study: Study) -> pd.DataFrame:
    """One row per mediator and level: the indirect effect where the treatment is low, middling and high."""
    rows = {
        (study.label(name), share): {
            "interaction": item.interaction.effect.estimate,
            "interaction_p_value": item.interaction.effect.p_value,
            "interaction_wild_p_value": item.interaction.wild.p_value,
            **_product_row("indirect", item.indirect[share]),
            **_product_row("direct", item.direct[share]),
        }
        for name, item in found.items()
        for share in item.indirect
    }
    index = pd.MultiIndex.from_tuples(rows, names=["mediator", "quantile"])
    return pd.DataFrame(list(rows.values()), index=index)


def grouped_table(found: Mapping[str, GroupedMediation], study: Study) -> pd.DataFrame:
    """One row per mediator and group, then per difference of two groups."""
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for name, item in found.items():
        for group, effect in item.indirect.items():
            paths = {"path_a": item.path_a[group].estimate, "path_b": item.path_b[group].estimate}
            rows[study.label(name), study.label(group)] = {**paths, **_product_row("indirect", effect)}
        for (first, second), gap in item.differences.items():
            words = f"{study.label(first)} minus {study.label(second)}"
            rows[study.label(name), words] = _product_row("indirect", gap)
    index = pd.MultiIndex.from_tuples(rows, names=["mediator", "group"])
    return pd.DataFrame(list(rows.values()), index=index)


def product_estimate(found: ProductTest, like: Estimate) -> Estimate:
    """A product's test as an estimate, with the rows and entities of another."""
    return Estimate(
        estimate=found.estimate,
        p_value=found.p_value,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        n_obs=like.n_obs,
        n_entities=like.n_entities,
        n_clusters=like.n_clusters,
        convention="product of the paths, CR2 and Satterthwaite's df",
    )


def mechanism_arrows(channels: Mapping[str, Channel], level: float) -> Mechanism:
    """The arrows of the mechanism: a path is clear by the t test and by the wild bootstrap together."""
    pairs = {
        name: tuple(
            Arrow(float(path.effect.estimate), path.is_clear(level)) for path in (channel.path_a, channel.path_b)
        )
        for name, channel in channels.items()
    }
    total = next(iter(channels.values())).alone.total
    assert total.p_value is not None
    return Mechanism(
        {name: (pair[0], pair[1]) for name, pair in pairs.items()}, Arrow(total.estimate, total.p_value < level)
    )


def caution_table(run: NotebookRun) -> pd.DataFrame:
    """One row per mediator that needs a caution."""
    rows = {run.study.label(name): run.text("{caution}", caution=text) for name, text in cautions_of(run.study).items()}
    return pd.DataFrame({"caution": pd.Series(rows, dtype=object)}).rename_axis("mediator")


def cautions_of(study: Study) -> dict[str, Label]:
    """Mediator -> what must be said beside it; its own caution, or that of the variable that it names."""
    said = {name: item.caution or _caution_of_variable(name, study) for name, item in study.mediators.items()}
    return {name: caution for name, caution in said.items() if caution is not None}


def leaves_out_zero(effect: Estimate | Result) -> bool:
    """Whether the whole interval of an effect lies on one side of zero."""
    assert effect.ci_low is not None
    assert effect.ci_high is not None
    return effect.ci_low > 0 or effect.ci_high < 0


def largest_gap(channels: Mapping[str, Channel]) -> float:
    """The largest difference between a total effect and the sum of its indirect and direct effect."""
    return max(channel.alone.gap for channel in channels.values())


def _fit(data: pd.DataFrame, model: Model, names: Sequence[str], study: Study, samples: Samples) -> Mediation:
    return fit_mediation(data, model, names, samples, indices=_specs(study, names))


def _specs(study: Study, names: Iterable[str]) -> dict[str, Any]:
    return {name: study.indices[name] for name in names if name in study.indices}


def _together_row(found: Mediation, name: str) -> dict[str, float | None]:
    row: dict[str, float | None] = {}
    for path, effect in (("path_a", found.path_a[name]), ("path_b", found.path_b[name])):
        row |= {path: effect.estimate, f"{path}_p_value": effect.p_value}
    row |= {f"indirect_{column}": getattr(found.indirect[name], column) for column in NUMBERS}
    return row | {"direct_effect": found.direct.estimate, "total_effect": found.total.estimate}


def _product_row(name: str, found: ProductTest) -> dict[str, float]:
    return {name: found.estimate, **{f"{name}_{end}": getattr(found, end) for end in ("ci_low", "ci_high", "p_value")}}


def _caution_of_variable(name: str, study: Study) -> Label | None:
    return study.variables[name].caution if name in study.variables else None
