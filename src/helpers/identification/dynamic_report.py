"""What notebook 04 shows of the outcome's own past: the primary specification with its lag, by GMM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.identification.dynamic import DynamicFit, fit_dynamic
from helpers.identification.dynamic_moments import Layout
from helpers.regression.specification import Specification, shift_column, specify

if TYPE_CHECKING:
    from helpers.display.prose import Sentence
    from helpers.display.tables import TableView
    from helpers.notebook import NotebookRun
    from helpers.regression.panel import PanelFit
    from helpers.results.results import Results
    from helpers.study.study import Study

LAG = "outcome_before"
WORDS = {"difference": "Difference GMM, two steps", "system": "System GMM, two steps"}


@dataclass(frozen=True)
class DynamicFits:
    """The dynamic model by three estimators; a text says why one could not be made.

    Attributes
    ----------
    within
        Least squares with the effects of the primary specification, which is biased in short panels.
    gmm
        "difference" and "system" -> fit.
    treatment
        Name of the treatment.
    """

    within: PanelFit | str
    gmm: dict[str, DynamicFit | str]
    treatment: str


def fit_dynamics(panel: pd.DataFrame, study: Study) -> DynamicFits:
    """Fit the primary specification with the outcome of the period before.

    In GMM the treatment counts as touched by the error of its own time (instrumented from its second lag on), the
    controls as untouched; instruments are collapsed, one for each lag.
    """
    step = specify(panel, study)
    lagged = step.data.assign(**{LAG: step.data[step.outcome]})
    lagged = shift_column(lagged, LAG, 1, study.time.window)
    try:
        within: PanelFit | str = step.with_(lagged, controls=(LAG, *step.controls)).fit()
    except StudyError as error:
        within = f"not fitted: {error.where}: {error.rule}"
    by_period = _count_periods(step.data, study.time.window)
    gmm = {name: _try(by_period, step, system=name == "system") for name in WORDS}
    return DynamicFits(within, gmm, step.treatment)


def _count_periods(data: pd.DataFrame, window: tuple[int, ...]) -> pd.DataFrame:
    """The panel with periods counted 0, 1, ... in place of times that need not follow each other."""
    entities, times = data.index.get_level_values(0), data.index.get_level_values(1)
    places = pd.Index(window).get_indexer(times)
    return data.set_axis(pd.MultiIndex.from_arrays([entities, places], names=data.index.names))


def _try(data: pd.DataFrame, step: Specification, *, system: bool) -> DynamicFit | str:
    try:
        with np.errstate(invalid="ignore"):
            layout = Layout(predetermined=(step.treatment,), predetermined_lags=(2, None), system=system)
            fit = fit_dynamic(data, step.model, layout)
    except StudyError as error:
        return f"not fitted: {error.where}: {error.rule}"
    if not np.isfinite(fit.std_errors[step.treatment]):
        return "not fitted: its variance is not positive, as happens with more instruments than entities"
    return fit


def record_dynamics(results: Results, fits: DynamicFits) -> None:
    """Record the treatment under ``robustness.dynamic.<estimator>``, with the tests of each beside it."""
    if not isinstance(fits.within, str):
        results.record("robustness.dynamic.within", fits.within[fits.treatment])
    for name, fit in fits.gmm.items():
        if isinstance(fit, str):
            continue
        key, term = f"robustness.dynamic.{name}", fits.treatment
        results.record(
            key,
            estimate=fit.estimates[term],
            std_error=fit.std_errors[term],
            statistic=fit.statistics[term],
            p_value=fit.p_values[term],
            ci_low=fit.ci_low[term],
            ci_high=fit.ci_high[term],
            n_obs=fit.n_obs,
            n_entities=fit.n_entities,
            convention=f"{WORDS[name]}, collapsed instruments, Windmeijer's correction, normal",
        )
        tests = {"hansen": (fit.hansen_j, fit.hansen_p_value), "ar2": (fit.ar2, fit.ar2_p_value)}
        for test, (statistic, p_value) in tests.items():
            if pd.notna(p_value):
                results.record(f"{key}.{test}", value=float(statistic), p_value=float(p_value), digits=3)


def dynamic_table(fits: DynamicFits, study: Study) -> pd.DataFrame:
    """One row per estimator: treatment, lag of the outcome, instruments, and the tests that they must pass."""
    rows = {f"{study.label(study.primary)}, least squares": _within_row(fits.within, fits.treatment)}
    for name, fit in fits.gmm.items():
        rows[WORDS[name]] = {"note": fit} if isinstance(fit, str) else _row(fit, fits.treatment)
    columns = ["estimate", "std_error", "p_value", "outcome_before", "instruments", "hansen_p_value", "ar1_p_value"]
    columns += ["ar2_p_value", "n_obs", "n_entities", "note"]
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns).rename_axis("estimator")
    counts = dict.fromkeys(("instruments", "n_obs", "n_entities"), "Int64")
    return table.astype(counts)


def _within_row(fit: PanelFit | str, term: str) -> dict[str, object]:
    if isinstance(fit, str):
        return {"note": fit}
    return {
        "estimate": fit.estimates[term],
        "std_error": fit.std_errors[term],
        "p_value": fit.p_values[term],
        "outcome_before": fit.estimates[LAG],
        "n_obs": fit.n_obs,
        "n_entities": fit.n_entities,
        "note": "biased: the lag is related to the demeaned error when periods are few",
    }


def _row(fit: DynamicFit, term: str) -> dict[str, object]:
    return {
        "estimate": fit.estimates[term],
        "std_error": fit.std_errors[term],
        "p_value": fit.p_values[term],
        "outcome_before": fit.estimates.iloc[0],
        "instruments": fit.n_instruments,
        "hansen_p_value": fit.hansen_p_value,
        "ar1_p_value": fit.ar1_p_value,
        "ar2_p_value": fit.ar2_p_value,
        "n_obs": fit.n_obs,
        "n_entities": fit.n_entities,
        "note": "; ".join(fit.notes),
    }


def show_dynamics(run: NotebookRun, fits: DynamicFits) -> TableView:
    """The dynamic model by every estimator."""
    return run.table(
        dynamic_table(fits, run.study),
        "dynamic",
        caption="The primary specification with the outcome of the period before",
    )


def say_dynamics(run: NotebookRun, fits: DynamicFits) -> Sentence:
    """What the estimators say, and whether their instruments pass their tests."""
    lines = []
    for name, fit in fits.gmm.items():
        key = f"robustness.dynamic.{name}"
        if isinstance(fit, str):
            lines.append(f"{WORDS[name]}: {fit}.")
            continue
        level = run.study.specification.significance
        passed = fit.ar2_p_value > level and not fit.hansen_p_value < level
        verdict = "its instruments pass their tests" if passed else "its instruments do not pass their tests"
        lines.append(f"{WORDS[name]}: {{{key}}} (p = {{{key}:p_value}}); {verdict}.")
    return run.say(" ".join(lines))
