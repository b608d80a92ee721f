"""Do two variables feed each other: each on both pasts, and how unevenly the parts of an outcome move."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.errors import StudyError
from helpers.regression.specification import shift_columns
from helpers.study.model import Model

BEFORE = "_before"
"""Ending of the columns that hold the figure of the time before."""


def cross_lagged(data: pd.DataFrame, model: Model, window: Sequence[int]) -> dict[str, tuple[pd.DataFrame, Model]]:
    """Two regressions: the outcome, and the treatment, each on both of the time before, with controls and effects.

    Own effects and an own past together bias least squares by about 1 / T (Nickell 1981), downwards for the own past.

    Parameters
    ----------
    data
        Panel.
    model
        Outcome, treatment, controls, effects.
    window
        The times of the study in order; "before" is the one before in it.

    Returns
    -------
    dict
        "outcome" and "treatment" -> panel with the lagged columns, and the model whose treatment is the cross term.
    """
    names = (model.outcome, model.treatment)
    rows = data[list(model.columns)].dropna()
    lagged = rows.assign(**{f"{name}{BEFORE}": rows[name] for name in names})
    lagged = shift_columns(lagged, [f"{name}{BEFORE}" for name in names], 1, list(window))
    if lagged.index.get_level_values(1).nunique() < 3:
        raise StudyError("the loop", "fewer than three times have a time before", "use a longer window")
    outcome, treatment = (f"{name}{BEFORE}" for name in names)
    return {
        "outcome": (lagged, model.with_(treatment=treatment, controls=(outcome, *model.controls))),
        "treatment": (
            lagged,
            model.with_(outcome=model.treatment, treatment=outcome, controls=(treatment, *model.controls)),
        ),
    }


def spread_of(data: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Standard deviation (n - 1) over the columns' z-scores in every row; z over all rows, sample standard deviation.

    Raises
    ------
    StudyError
        Fewer than two columns, or one that does not vary.
    """
    if len(columns) < 2:
        raise StudyError("spread", f"{len(columns)} column", "give two or more")
    spread = data[list(columns)].std(ddof=1)
    if not (spread > 0).all():
        raise StudyError(f"spread, column {spread.idxmin()}", "it does not vary", "leave it out")
    return ((data[list(columns)] - data[list(columns)].mean()) / spread).std(axis=1, ddof=1)
