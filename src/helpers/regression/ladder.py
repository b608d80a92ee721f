"""The baseline ladder: the same regression with more and more held constant, and its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression import diagnostics
from helpers.regression.diagnostic import Diagnostic
from helpers.regression.engines import compare_engines
from helpers.regression.panel import PanelFit
from helpers.regression.specification import describe_convention, describe_term, specify

if TYPE_CHECKING:
    from helpers.inference.door import WildBootstrap
    from helpers.results.results import Results
    from helpers.study.study import Study

STARS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))


def fit_ladder(panel: pd.DataFrame, study: Study) -> dict[str, PanelFit]:
    """Fit every column of the ladder, in the study's order."""
    return {column: specify(panel, study, column).fit() for column in study.ladder}


def describe_ladder(fits: Mapping[str, PanelFit], study: Study) -> pd.DataFrame:
    """One row per column of the ladder: estimate, std_error, p_value and interval of the treatment."""
    rows = {study.label(name): describe_term(fit, study.specification.treatment) for name, fit in fits.items()}
    return pd.DataFrame(rows).T.rename_axis("column")


def ladder_table(fits: Mapping[str, PanelFit], study: Study, digits: int = 3) -> pd.DataFrame:
    """The ladder in the journal's form: estimates with stars, standard errors in brackets below, then the facts.

    Stars: *** p < 0.01, ** p < 0.05, * p < 0.1, from the p-values of the fits.
    """
    terms = [study.specification.treatment, *study.specification.controls]
    lines: dict[str, list[str]] = {}
    for term in terms:
        lines[study.label(term)] = [_estimate(fit, term, digits) for fit in fits.values()]
        lines[f"({study.label(term)}: standard error)"] = [_std_error(fit, term, digits) for fit in fits.values()]
    lines |= _facts(fits, study)
    columns = [study.label(name) for name in fits]
    return pd.DataFrame.from_dict(lines, orient="index", columns=columns).rename_axis("term")


def journal_ladder(fits: Mapping[str, PanelFit], study: Study, digits: int = 3) -> pd.DataFrame:
    """The same with blank names beside the standard errors, as manuscripts have it."""
    return ladder_table(fits, study, digits).rename(index=lambda name: "" if str(name).startswith("(") else name)


def stars(p_value: float) -> str:
    """The stars of a p-value."""
    return next((mark for level, mark in STARS if p_value < level), "")


def _estimate(fit: PanelFit, term: str, digits: int) -> str:
    return f"{fit.estimates[term]:.{digits}f}{stars(fit.p_values[term])}" if term in fit.estimates.index else ""


def _std_error(fit: PanelFit, term: str, digits: int) -> str:
    return f"({fit.std_errors[term]:.{digits}f})" if term in fit.estimates.index else ""


def _facts(fits: Mapping[str, PanelFit], study: Study) -> dict[str, list[str]]:
    yes = {True: "yes", False: "no"}
    entity, time = study.entity.label.en, study.time.label.en
    return {
        f"{entity} effects": [yes[fit.entity_effects] for fit in fits.values()],
        f"{time} effects": [yes[fit.time_effects] for fit in fits.values()],
        "Observations": [str(fit.n_obs) for fit in fits.values()],
        f"{entity} clusters (G)": [str(fit.n_clusters) for fit in fits.values()],
        "Degrees of freedom": [str(fit.df) for fit in fits.values()],
        "R-squared, within": [f"{fit.r_squared_within:.3f}" for fit in fits.values()],
    }


def record_ladder(results: Results, fits: Mapping[str, PanelFit], treatment: str) -> None:
    """Record the treatment of every column under ``baseline.<column>.<treatment>``."""
    for column, fit in fits.items():
        results.record(f"baseline.{column}.{treatment}", fit[treatment])


TESTS: dict[str, Callable[..., Diagnostic]] = {
    "f_entity": partial(diagnostics.f_test_effects, entity_effects=True, time_effects=False),
    "f_time": partial(diagnostics.f_test_effects, against="entity"),
    "breusch_pagan": diagnostics.breusch_pagan_lm,
    "hausman": diagnostics.hausman,
    "hausman_robust": partial(diagnostics.hausman, robust=True),
    "pesaran_cd": diagnostics.pesaran_cd,
    "pesaran_cd_twoway": partial(diagnostics.pesaran_cd, time_effects=True),
    "wooldridge": diagnostics.wooldridge_serial_correlation,
    "modified_wald": partial(diagnostics.modified_wald, time_effects=True),
}


@dataclass(frozen=True)
class Refusal:
    """A test that these rows do not allow.

    Attributes
    ----------
    name
        Its short name in words.
    note
        Why it could not be made.
    """

    name: str
    note: str


def run_specification_tests(panel: pd.DataFrame, study: Study) -> dict[str, Diagnostic | Refusal]:
    """The tests that stand beside the primary specification, by a short name that keys and tables share.

    A test that the rows do not allow, for instance since an entity has a single one, gives its reason instead.
    """
    step = specify(panel, study)
    found: dict[str, Diagnostic | Refusal] = {}
    for name, test in TESTS.items():
        try:
            found[name] = test(step.data, step.outcome, step.regressors)
        except StudyError as error:
            found[name] = Refusal(name.replace("_", " "), f"not made: {error.where}: {error.rule}")
    return found


def diagnostic_table(tests: Mapping[str, Diagnostic | Refusal]) -> pd.DataFrame:
    """One row per test: what it takes for granted, statistic, degrees of freedom, p-value, and a note on its form."""
    rows = [
        {
            "test": test.name,
            "null": test.null,
            "statistic": test.statistic,
            "distribution": test.distribution,
            "df": ", ".join(f"{number:g}" for number in test.df),
            "p_value": test.p_value,
            "note": test.note,
        }
        if isinstance(test, Diagnostic)
        else {"test": test.name, "note": test.note}
        for test in tests.values()
    ]
    return pd.DataFrame(rows).set_index("test")


def record_tests(results: Results, tests: Mapping[str, Diagnostic | Refusal]) -> None:
    """Record every test that could be made under ``baseline.tests.<name>``."""
    for name, test in tests.items():
        if isinstance(test, Diagnostic):
            results.record(
                f"baseline.tests.{name}", value=test.statistic, p_value=test.p_value, digits=3, convention=test.name
            )


def record_wild(results: Results, key: str, wild: WildBootstrap, n_obs: int, n_entities: int) -> None:
    """Record an estimate with the wild cluster bootstrap's p-value and interval; an end at infinity is left out."""
    low, high = (end if end is not None and np.isfinite(end) else None for end in (wild.ci_low, wild.ci_high))
    results.record(
        key,
        estimate=wild.estimate,
        statistic=wild.statistic,
        p_value=wild.p_value,
        ci_low=low,
        ci_high=high,
        n_obs=n_obs,
        n_entities=n_entities,
        convention=describe_wild(wild),
    )


def describe_wild(wild: WildBootstrap) -> str:
    """The bootstrap in words."""
    how = "every sign pattern enumerated" if wild.enumerated else "drawn"
    return f"restricted wild cluster bootstrap, Rademacher, {how}, interval by inversion"


def table_note(fits: Mapping[str, PanelFit], study: Study) -> str:
    """What stands below the ladder: the convention of the standard errors, the stars and the primary column."""
    primary = fits[study.primary]
    return (
        f"Standard errors in brackets: {describe_convention(primary)}, factor G/(G-1) x (N-1)/(N-K). "
        f"*** p < 0.01, ** p < 0.05, * p < 0.1. No weights. Primary specification: {study.label(study.primary)}."
    )


def say_headline(fits: Mapping[str, PanelFit], study: Study) -> str:
    """The sentence template of the baseline: the primary estimate, its two p-values, and what the ladder does."""
    term, level = study.specification.treatment, study.specification.significance
    signs = {bool(fit.estimates[term] > 0) for fit in fits.values()}
    sign = "keeps its sign" if len(signs) == 1 else "changes its sign"
    significant = "differs from zero" if fits[study.primary].p_values[term] < level else "cannot be told from zero"
    key = f"baseline.{study.primary}.{term}"
    return (
        f"In the primary specification the estimate is {{{key}}} (95 % interval {{{key}:ci}}, p = {{{key}:p_value}} by "
        f"the cluster-robust t test, {{{key}.wild:p_value}} by the wild cluster bootstrap): it {significant}. Along "
        f"the ladder the estimate {sign}."
    )


def engine_table(panel: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The treatment's row of the primary specification by our own code, linearmodels and pyfixest."""
    step = specify(panel, study)
    engines = compare_engines(
        step.data,
        step.outcome,
        step.regressors,
        entity_effects="entity" in step.effects,
        time_effects="time" in step.effects,
    )
    return pd.DataFrame(engines.xs(step.treatment, level="regressor"))


def label_rows(table: pd.DataFrame | pd.Series, study: Study) -> pd.DataFrame:
    """The same table with labels in place of the names of columns of the panel."""
    return pd.DataFrame(table).rename(index=study.label)


def say_condition(results: Results, panel: pd.DataFrame, study: Study) -> str:
    """Record the condition number of the primary specification's regressors, before and after its effects."""
    step = specify(panel, study)
    effects = {f"{name}_effects": name in step.effects for name in ("entity", "time")}
    results.record(
        "baseline.condition_number.raw",
        value=diagnostics.condition_number(step.data, step.regressors),
        digits=1,
    )
    results.record(
        "baseline.condition_number.within",
        value=diagnostics.condition_number(step.data, step.regressors, **effects),
        digits=1,
    )
    return (
        "The condition number of the regressors is {baseline.condition_number.raw} as they come and "
        "{baseline.condition_number.within} once the effects are removed; from about thirty on, single estimates "
        "become hard to tell apart."
    )
