"""Weights of the members of one node at each time: pooled ones repeated, or those of each time by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.index.scaling import at_time
from helpers.index.weights import (
    critic_entropy_weights,
    critic_weights,
    entropy_weights,
    equal_weights,
    fixed_weights,
    pca_weights,
    variation_weights,
)
from helpers.study.index_method import IndexMethod


def pooled_weights(scores: Any, weights: str, shift: float) -> Any:
    """Weights by name from the pooled scores: a DataFrame gives a Series, an array an array.

    Parameters
    ----------
    scores
        n rows x k indicators.
    weights
        "entropy", "equal", "critic", "critic_spearman", "critic_entropy", "coefficient_of_variation" or "pca".
    shift
        Shift of the zero rule, for those that use entropy.
    """
    if weights in ("entropy", "critic_entropy"):
        return {"entropy": entropy_weights, "critic_entropy": critic_entropy_weights}[weights](scores, shift)
    if weights.startswith("critic"):
        return critic_weights(scores, correlation="spearman" if weights == "critic_spearman" else "pearson")
    makers = {"equal": equal_weights, "coefficient_of_variation": variation_weights, "pca": pca_weights}
    return makers[weights](scores)


def weights_by_time(scores: pd.DataFrame, method: IndexMethod, hand_set: Mapping[str, float | None]) -> pd.DataFrame:
    """Weights of the members of one node.

    Parameters
    ----------
    scores
        n entity-times x k members.
    method
        Its `weights` and `shift` are used.
    hand_set
        Member -> weight declared by hand, for the weights "fixed".

    Returns
    -------
    pandas.DataFrame
        T x k; each row sums to 1 (PCA: absolute values do).

    Raises
    ------
    StudyError
        What the weights' own function raises; with yearly weights it names the time.
    """
    times = scores.index.get_level_values(1).unique().sort_values()
    if scores.shape[1] == 1:
        return pd.DataFrame(1.0, index=times, columns=scores.columns)
    if method.weights in ("entropy_yearly", "entropy_chained"):
        return _yearly_entropy_weights(scores, method.shift)
    if method.weights == "fixed":
        weights = fixed_weights({str(name): hand_set.get(name) for name in scores.columns})
    else:
        weights = pooled_weights(scores, method.weights, method.shift)
    return pd.DataFrame(np.tile(weights, (len(times), 1)), index=times, columns=scores.columns)


def _yearly_entropy_weights(scores: pd.DataFrame, shift: float) -> pd.DataFrame:
    """Entropy weights within each time, T x k, on scores as they are (scaled over all times in pooled scope)."""
    rows = {}
    for time, block in scores.groupby(level=1, sort=True):
        with at_time(scores, time):
            rows[time] = entropy_weights(block, shift)
    by_time = pd.DataFrame(rows).T
    by_time.index.name = scores.index.names[1]
    return by_time
