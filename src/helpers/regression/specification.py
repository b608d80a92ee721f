"""One regression in full: the rows and the model asked of them; and what the tables print of its fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import StudyError
from helpers.regression.panel import PanelFit, fit
from helpers.study.model import Cluster, Model, build_model

if TYPE_CHECKING:
    from helpers.study.study import Study


@dataclass(frozen=True)
class Specification:
    """A model with its rows.

    Attributes
    ----------
    data
        Panel with the outcome, the treatment and the controls.
    model
        What is asked of them.
    weights
        The column that rows are weighted by; None where they count the same.
    """

    data: pd.DataFrame
    model: Model
    weights: str | None = None

    @property
    def outcome(self) -> str:
        """Name of the outcome."""
        return self.model.outcome

    @property
    def treatment(self) -> str:
        """Name of the treatment."""
        return self.model.treatment

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls."""
        return self.model.controls

    @property
    def effects(self) -> tuple[str, ...]:
        """The effects that are absorbed."""
        return self.model.effects

    @property
    def cluster(self) -> Cluster:
        """What the standard errors are clustered by."""
        return self.model.cluster

    @property
    def regressors(self) -> tuple[str, ...]:
        """The treatment first, then the controls."""
        return self.model.regressors

    def with_(self, data: pd.DataFrame | None = None, **changes: Any) -> Specification:
        """The same with other rows, or with a changed model."""
        return replace(self, data=self.data if data is None else data, model=self.model.with_(**changes))

    def fit(self) -> PanelFit:
        """Estimate it by the study's convention."""
        return fit(self.data, self.model, weights=self.weights)


def specify(panel: pd.DataFrame, study: Study, column: str | None = None) -> Specification:
    """The specification of one column of the baseline ladder, the primary one by default.

    Parameters
    ----------
    panel
        Panel with every column that the model names.
    study
        The study.
    column
        Name of a column of the ladder.
    """
    model = build_model(study, column)
    return Specification(panel[list(model.columns)], model)


def describe_term(fit: PanelFit, term: str) -> dict[str, float]:
    """Estimate, std_error, p_value, ci_low and ci_high of one regressor."""
    return {
        "estimate": fit.estimates[term],
        "std_error": fit.std_errors[term],
        "p_value": fit.p_values[term],
        "ci_low": fit.ci_low[term],
        "ci_high": fit.ci_high[term],
    }


def describe_convention(fit: PanelFit) -> str:
    """The convention in words: what the errors are clustered by, whose factor, and the degrees of freedom."""
    return fit.convention_words


def keep_complete_entities(data: pd.DataFrame) -> pd.DataFrame:
    """The rows of the entities that have one in every time."""
    counts = data.groupby(level=0)[data.columns[0]].transform("size")
    return data[counts == data.index.get_level_values(1).nunique()]


def shift_column(data: pd.DataFrame, column: str, periods: int, window: Sequence[int]) -> pd.DataFrame:
    """Replace a column by its value `periods` earlier in the window; rows without one are left out."""
    return shift_columns(data, [column], periods, window)


def shift_columns(data: pd.DataFrame, columns: Sequence[str], periods: int, window: Sequence[int]) -> pd.DataFrame:
    """Replace columns by their values `periods` earlier in the window; rows that lack one of them are left out.

    Raises
    ------
    StudyError
        A time that is not in the window.
    """
    places = dict(enumerate(window))
    entities, times = data.index.get_level_values(0), data.index.get_level_values(1)
    for time in times.unique():
        if time not in window:
            raise StudyError(f"time {time}", "it is not in the window", "leave it out, or give the whole window")
    earlier = [places.get(window.index(time) - periods) for time in times]
    source = pd.MultiIndex.from_arrays([entities, pd.Index(earlier, dtype=float)])
    shifted = {column: data[column].reindex(source).to_numpy() for column in columns}
    return data.assign(**shifted).dropna(subset=list(columns))
