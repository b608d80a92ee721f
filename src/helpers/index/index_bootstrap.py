"""Weights as estimates: the index derived anew in every sample of entities."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.checks import CONSTANT_TOLERANCE, Matrix
from helpers.index.composite import composite_index
from helpers.index.weights import TINY
from helpers.study.index import Method, read_field, read_method

# Draws worked on at a time: few enough that draws x rows x indicators stay in the processor's cache.
BLOCK_DRAWS = 32


@dataclass(frozen=True)
class IndexDraws:
    """B re-derivations of an index; n rows, k indicators.

    Attributes
    ----------
    values
        B x n, the index of every row of the panel by the draw's end points and weights. A row of an entity that the
        draw left out may lie outside [0, 1].
    weights
        B x k.
    """

    values: Matrix
    weights: Matrix


@dataclass(frozen=True)
class IndexBootstrap:
    """Percentile intervals from `n_draws` samples of entities.

    Attributes
    ----------
    weights
        Per indicator: estimate, std_error, ci_low, ci_high.
    values
        Per row of the panel: the same for the index.
    ranks
        Per row of the panel: the same for the rank within its time, 1 is best, ties share the better rank.
    n_draws, level
        Number of draws and level of the intervals.
    """

    weights: pd.DataFrame
    values: pd.DataFrame
    ranks: pd.DataFrame
    n_draws: int
    level: float


def bootstrap_index(
    panel: pd.DataFrame, spec: Any, draws: int, rng: np.random.Generator, level: float = 0.95
) -> IndexBootstrap:
    """Bootstrap an index over entities: each draw takes as many entities as there are, with replacement.

    Parameters
    ----------
    panel, spec
        As in `helpers.index.composite.composite_index`.
    draws
        Number of samples.
    rng
        Source of randomness.
    level
        Level of the percentile intervals.

    Raises
    ------
    StudyError
        As in `redraw_index`.
    """
    estimate = composite_index(panel, spec)
    entities = panel.index.get_level_values(0).nunique()
    counts = rng.multinomial(entities, np.full(entities, 1 / entities), size=draws)
    drawn = redraw_index(panel, spec, counts)
    ranks = rank_rows(drawn.values, panel.index)
    own_rank = rank_rows(np.asarray(estimate.values, dtype=np.float64)[None, :], panel.index)[0]
    return IndexBootstrap(
        weights=_intervals(estimate.weights, drawn.weights, level),
        values=_intervals(estimate.values, drawn.values, level),
        ranks=_intervals(pd.Series(own_rank, index=panel.index), ranks, level),
        n_draws=draws,
        level=level,
    )


def redraw_index(panel: pd.DataFrame, spec: Any, counts: Any) -> IndexDraws:
    """Derive an index anew for given samples of entities.

    In each draw the end points of the scales and the entropies are those of the drawn rows, a row of an entity that is
    drawn c times counting c times; the resulting index formula is applied to every row of `panel`.

    Parameters
    ----------
    panel, spec
        As in `helpers.index.composite.composite_index`; the method has pooled min-max scores, entropy or equal
        weights, the arithmetic mean, one level and no winsorising.
    counts
        B x entities (in sorted order): how often each draw takes each entity.

    Raises
    ------
    StudyError
        Another method, an indicator with a transform, or a draw in which an indicator is constant.
    """
    method = read_method(read_field(spec, "method"))
    signed = _signed_figures(panel, spec, method)
    names = [str(name) for name in signed.columns]
    codes = np.unique(panel.index.get_level_values(0), return_inverse=True)[1]
    counts = np.asarray(counts)
    values = np.empty((len(counts), len(signed)))
    weights = np.empty((len(counts), len(names)))
    for start in range(0, len(counts), BLOCK_DRAWS):
        block = slice(start, start + BLOCK_DRAWS)
        drawn = _redraw_block(signed.to_numpy(dtype=float), counts[block][:, codes].astype(float), method, names)
        values[block], weights[block] = drawn.values, drawn.weights
    return IndexDraws(values, weights)


def rank_rows(values: Matrix, rows: pd.MultiIndex | pd.Index) -> Matrix:
    """Rank of each row within its time in every draw, B x n; 1 is best, ties share the better rank."""
    ranks = np.empty(values.shape)
    for time in rows.get_level_values(1).unique():
        columns = np.flatnonzero(rows.get_level_values(1) == time)
        here = values[:, columns]
        for column in columns:
            ranks[:, column] = 1 + (here > values[:, column : column + 1]).sum(axis=1)
    return ranks


def _signed_figures(panel: pd.DataFrame, spec: Any, method: Method) -> pd.DataFrame:
    """Figures times direction, so that more is better; what one panel refuses, `composite_index` has said first."""
    known = Method(weights=method.weights, zero_rule=method.zero_rule)
    indicators = read_field(spec, "indicators")
    transformed = [name for name, item in indicators.items() if read_field(item, "transform")]
    if method != known or method.weights not in ("entropy", "equal") or transformed:
        raise StudyError(
            f"bootstrap of an index by {method}",
            "draws are made for pooled min-max scores, entropy or equal weights and the arithmetic mean alone",
            "use this method, or the Monte-Carlo analysis of choices",
        )
    checked = composite_index(panel, spec)
    return panel[list(indicators)] * checked.directions


def _redraw_block(signed: Matrix, counts: Matrix, method: Method, names: list[str]) -> IndexDraws:
    """A few draws at once; `signed` n x k, `counts` B x n."""
    drawn = counts > 0
    low = np.array([signed[rows].min(axis=0) for rows in drawn])
    high = np.array([signed[rows].max(axis=0) for rows in drawn])
    _check_no_constant_draw(low, high, names)
    scores = signed[None] - low[:, None]
    scores /= (high - low)[:, None]
    if method.weights == "equal":
        weights = np.full(low.shape, 1 / low.shape[1])
    else:
        information = 1.0 - _weighted_entropies(scores, counts, method.shift)
        weights = information / information.sum(axis=1, keepdims=True)
    return IndexDraws(np.matmul(scores, weights[:, :, None])[:, :, 0], weights)


def _weighted_entropies(scores: Matrix, counts: Matrix, shift: float) -> Matrix:
    """Entropy of each column where row i counts counts_i times, B x k: ln S - (sum c x ln x) / S over ln n."""
    shifted = scores + shift if shift else scores
    # Rows that are not drawn may lie below 0; they count 0 times, so any finite logarithm serves.
    logs = np.maximum(shifted, TINY)
    np.log(logs, out=logs)
    logs *= shifted
    row = counts[:, None, :]
    totals = np.matmul(row, shifted)[:, 0]
    sums = np.matmul(row, logs)[:, 0]
    return np.asarray((np.log(totals) - sums / totals) / np.log(counts.sum(axis=1))[:, None])


def _check_no_constant_draw(low: Matrix, high: Matrix, names: list[str]) -> None:
    constant = high - low <= CONSTANT_TOLERANCE * np.maximum(np.abs(low), np.abs(high))
    if constant.any():
        name = names[int(np.flatnonzero(constant.any(axis=0))[0])]
        raise StudyError(
            f"indicator {name}",
            "it is constant over the entities of a bootstrap draw, so the draw has no index",
            "take the indicator out, or do not bootstrap so few entities",
        )


def _intervals(estimate: "pd.Series[float]", draws: Matrix, level: float) -> pd.DataFrame:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame(
        {"estimate": estimate.to_numpy(), "std_error": draws.std(axis=0, ddof=1), "ci_low": low, "ci_high": high},
        index=estimate.index,
    )
