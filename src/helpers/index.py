"""The composite index: figures -> scores -> weights -> index, with the account of what each part gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index_checks import check_enough
from helpers.index_method import IndexMethod, read_field, read_method
from helpers.scaling import min_max_scale, winsorise
from helpers.weights import (
    column_entropies,
    critic_weights,
    entropy_weights,
    equal_weights,
    pca_weights,
)

__all__ = ["CompositeIndex", "composite_index", "critic_weights", "entropy_weights", "min_max_scale"]


@dataclass(frozen=True)
class CompositeIndex:
    """An index and everything that it is made of; n rows, k indicators, T times.

    Attributes
    ----------
    values
        Index, shape (n,), by the panel's rows; in [0, 1] for min-max scores and weights that are not negative.
    weights
        Weight of each indicator, shape (k,), sums to 1 (PCA: absolute values sum to 1). Where weights differ between
        times, their mean over times.
    weights_by_time
        T x k, the weights used at each time; equal rows where weights are pooled.
    scores
        n x k, scaled indicators, more is better.
    contributions
        n x k; each row sums to the index.
    entropies
        Entropy of each score column over all rows, shape (k,); empty where the scores have no entropy.
    dimensions
        Dimension of each indicator, shape (k,), "" where none is declared.
    directions
        +1 or -1 for each indicator, shape (k,).
    method
        The choices that were made.
    """

    values: "pd.Series[float]"
    weights: "pd.Series[float]"
    weights_by_time: pd.DataFrame
    scores: pd.DataFrame
    contributions: pd.DataFrame
    entropies: "pd.Series[float]"
    dimensions: "pd.Series[str]"
    directions: "pd.Series[int]"
    method: IndexMethod

    @property
    def dimension_weights(self) -> "pd.Series[float]":
        """Sum of the weights in each dimension, in the order of first appearance."""
        return self.weights.groupby(self.dimensions, sort=False).sum()

    @property
    def dimension_contributions(self) -> pd.DataFrame:
        """n rows x dimensions; each row sums to the index."""
        return self.contributions.T.groupby(self.dimensions, sort=False).sum().T


def composite_index(panel: pd.DataFrame, spec: Any, **choices: Any) -> CompositeIndex:
    """Build an index from the indicator columns of a panel.

    index_it = sum_j w_j x score_itj. By default the scores are min-max over all rows of `panel`, flipped where the
    direction is -1, and the weights are entropy weights pooled over the same rows, so the rows given decide the index:
    give exactly the entity-times that it is meant for.

    Parameters
    ----------
    panel
        n entity-times (MultiIndex: entity, time) by columns; every indicator of `spec` is a column.
    spec
        `indicators` (name -> `direction`, `dimension`) and `method` (see `IndexMethod`), as attributes or keys.
    choices
        Single choices of the method to replace, for example ``weights="pca"``.

    Raises
    ------
    StudyError
        A column that is not there, missing, constant, or negative where that is not possible; one indicator;
        a direction that is neither +1 nor -1; an unknown choice.
    """
    indicators: Mapping[str, Any] = read_field(spec, "indicators", {})
    method = read_method(read_field(spec, "method"), **choices)
    figures = _indicator_columns(panel, indicators)
    directions = {name: read_field(indicator, "direction", 1) for name, indicator in indicators.items()}
    if method.winsorise:
        figures = winsorise(figures, method.winsorise)
    scores = min_max_scale(figures, directions)
    by_time = _weights_by_time(scores, method)
    contributions = scores * by_time.loc[scores.index.get_level_values(1)].to_numpy()
    return CompositeIndex(
        values=contributions.sum(axis=1).rename("index"),
        weights=by_time.mean().rename("weight"),
        weights_by_time=by_time,
        scores=scores,
        contributions=contributions,
        entropies=column_entropies(scores, method.shift).rename("entropy"),
        dimensions=pd.Series({name: read_field(item, "dimension") or "" for name, item in indicators.items()}),
        directions=pd.Series(directions),
        method=method,
    )


def _indicator_columns(panel: pd.DataFrame, indicators: Mapping[str, Any]) -> pd.DataFrame:
    for name in indicators:
        if name not in panel.columns:
            raise StudyError(
                f"indicator {name}", "the panel has no such column", "derive it first or correct its name"
            )
    figures = panel[list(indicators)]
    check_enough(np.empty(figures.shape), "an index")
    return figures


def _weights_by_time(scores: pd.DataFrame, method: IndexMethod) -> pd.DataFrame:
    """T x k: the pooled weights at every time, or those of each time."""
    times = scores.index.get_level_values(1)
    if method.weights == "entropy_yearly":
        return _yearly_entropy_weights(scores, method.shift)
    weights = _pooled_weights(scores, method)
    labels = times.unique().sort_values()
    return pd.DataFrame(np.tile(weights, (len(labels), 1)), index=labels, columns=scores.columns)


def _yearly_entropy_weights(scores: pd.DataFrame, shift: float) -> pd.DataFrame:
    """Entropy weights within each time, on scores that were scaled over all times."""
    rows = {}
    for time, block in scores.groupby(level=1, sort=True):
        try:
            rows[time] = entropy_weights(block, shift)
        except StudyError as error:
            place = f"{scores.index.names[1] or 'time'} {time}, {error.where}"
            raise StudyError(place, error.rule, error.remedy) from None
    by_time = pd.DataFrame(rows).T
    by_time.index.name = scores.index.names[1]
    return by_time


def _pooled_weights(scores: pd.DataFrame, method: IndexMethod) -> "pd.Series[float]":
    makers = {
        "entropy": lambda: entropy_weights(scores, method.shift),
        "equal": lambda: equal_weights(scores),
        "critic": lambda: critic_weights(scores),
        "critic_spearman": lambda: critic_weights(scores, correlation="spearman"),
        "pca": lambda: pca_weights(scores),
    }
    return makers[method.weights]()
