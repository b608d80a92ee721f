"""What notebook 04 shows of the declared instruments: the case for each, its strength, and a set that needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.identification.declared import StudyInstruments, fit_study_instruments

if TYPE_CHECKING:
    from helpers.display.prose import Sentence
    from helpers.display.tables import TableView
    from helpers.identification.instruments import InstrumentedFit
    from helpers.notebook import NotebookRun
    from helpers.results.results import Results
    from helpers.study.study import Study

NONE = "The study declares no instruments (block `instruments`), so that none is tried."
BIAS = 0.10  # worst-case bias whose critical value is shown


def fit_instruments(
    panel: pd.DataFrame, study: Study, statistics: pd.DataFrame, units: pd.DataFrame
) -> StudyInstruments | str:
    """The primary specification with the declared instruments, or the sentence that says why there is none."""
    if not study.instruments:
        return NONE
    try:
        return fit_study_instruments(panel, study, statistics, units)
    except StudyError as error:
        return f"The declared instruments cannot be used: {error.where}: {error.rule}."


def argument_table(study: Study) -> pd.DataFrame:
    """One row per instrument: the argument for it and its weakness, in the study's words."""
    rows = {
        item.label.en: {"argument": item.argument.en, "weakness": item.weakness.en}
        for item in study.instruments.values()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["argument", "weakness"]).rename_axis("instrument")


def record_instruments(results: Results, found: StudyInstruments | str) -> None:
    """Record every regression under ``robustness.instrument.<name>``, p-value and interval by Anderson and Rubin.

    An end of the interval that is infinite, and the ends of a set that is no interval, are left out.
    """
    if isinstance(found, str):
        return
    for name, fit in found.fits.items():
        low, high = _ends(fit)
        results.record(
            f"robustness.instrument.{name}",
            estimate=fit.estimates[fit.treatment],
            std_error=fit.std_errors[fit.treatment],
            p_value=fit.anderson_rubin.p_value,
            ci_low=low,
            ci_high=high,
            n_obs=fit.n_obs,
            n_entities=fit.n_entities,
            convention=f"two-stage least squares, {fit.convention}; p-value and set by Anderson and Rubin "
            f"({fit.anderson_rubin.shape})",
        )
        results.record(f"robustness.instrument.{name}.f_effective", value=fit.first_stage.f_effective, digits=2)
        results.record(f"robustness.instrument.{name}.critical", value=fit.first_stage.critical_values[BIAS], digits=2)


def _ends(fit: InstrumentedFit) -> tuple[float | None, float | None]:
    intervals = fit.anderson_rubin.intervals
    if len(intervals) != 1:
        return None, None
    low, high = intervals[0]
    return (low if np.isfinite(low) else None), (high if np.isfinite(high) else None)


def say_instruments(found: StudyInstruments | str, study: Study) -> str:
    """The sentence template: how strong each instrument is, and what the interval that holds anyway says."""
    if isinstance(found, str):
        return found
    lines = []
    for name, fit in found.fits.items():
        weak = fit.first_stage.f_effective < fit.first_stage.critical_values[BIAS]
        key = f"robustness.instrument.{name}"
        words = "All together" if name == "all" else study.label(name)
        lines.append(
            f"- {words}: effective F {{{key}.f_effective}} against {{{key}.critical}}, so "
            f"{'weak' if weak else 'strong'}; estimate {{{key}}}, p = {{{key}:p_value}} by Anderson and Rubin, whose "
            f"set is {_describe_set(fit, key)}."
        )
    return "\n".join(lines)


def _describe_set(fit: InstrumentedFit, key: str) -> str:
    low, high = _ends(fit)
    if low is not None and high is not None:
        return f"{{{key}:ci}}"
    return SETS.get(fit.anderson_rubin.shape, "without an end on one side or both")


SETS = {
    "whole line": "the whole line: the data say nothing",
    "empty": "empty: the instruments contradict each other",
    "several intervals": "of several pieces",
}


def show_arguments(run: NotebookRun, found: StudyInstruments | str) -> TableView | Sentence:
    """The case for each instrument and against it."""
    if isinstance(found, str):
        return run.say("Not shown: there are no instruments.")
    return run.table(argument_table(run.study), "instruments_arguments", caption="Why each instrument, and why not")


def show_instruments(run: NotebookRun, found: StudyInstruments | str) -> TableView | Sentence:
    """The regressions with instruments."""
    if isinstance(found, str):
        return run.say("Not shown: there are no instruments.")
    table = found.table.replace([np.inf, -np.inf], np.nan).rename_axis("instrument")
    return run.table(
        table.rename(columns={"ar_p_value": "anderson_rubin_p_value", "critical_10": "critical_value"}),
        "instruments",
        caption="The primary specification with the declared instruments",
        note="Two-stage least squares, clustered standard errors in Stata's convention; ar_low and ar_high are the "
        "outer ends of the Anderson-Rubin set, empty where it has none. The critical value is Montiel Olea and "
        "Pflueger's for a worst-case bias of a tenth at the five per cent level.",
    )
