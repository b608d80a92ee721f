"""Weights of the members of one node at each time: pooled ones repeated, or those of each time by itself."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.index_method import IndexMethod
from helpers.scaling import at_time
from helpers.weights import (
    critic_entropy_weights,
    critic_weights,
    entropy_weights,
    equal_weights,
    fixed_weights,
    pca_weights,
    variation_weights,
)

# Weights that are read from the pooled scores; all take (n x k scores, shift of the zero rule) and
# answer a DataFrame with a Series, an array with an array.
POOLED: dict[str, Callable[[Any, float], Any]] = {
    "entropy": entropy_weights,
    "equal": lambda scores, shift: equal_weights(scores),
    "critic": lambda scores, shift: critic_weights(scores),
    "critic_spearman": lambda scores, shift: critic_weights(scores, correlation="spearman"),
    "critic_entropy": critic_entropy_weights,
    "coefficient_of_variation": lambda scores, shift: variation_weights(scores),
    "pca": lambda scores, shift: pca_weights(scores),
}


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
        weights = POOLED[method.weights](scores, method.shift)
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
