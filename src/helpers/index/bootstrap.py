"""Weights, values and ranks as estimates: an index derived anew in samples of entities, and the intervals from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Codes, Floats
from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.index.redraw import IndexRedraw

# Numbers of the largest array: samples of a block x rows, and samples x rows of a group of times.
CHUNK = 16_000_000
# Values whose difference is rounding share a rank.
DIGITS = 12


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
    mean_ranks
        Per entity: the same for the rank of its mean over times.
    n_draws, n_failed
        Samples drawn, and those among them that have no index and are left out.
    reason
        Why the first of these has none, empty where all have.
    """

    weights: pd.DataFrame
    values: pd.DataFrame
    ranks: pd.DataFrame
    mean_ranks: pd.DataFrame
    n_draws: int
    n_failed: int
    reason: str


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
        What `composite_index` says about the whole panel; fewer than two samples that have an index.
    """
    estimate = composite_index(panel, spec)
    redraw = IndexRedraw(panel, spec)
    entities = redraw.n_entities
    counts = rng.multinomial(entities, np.full(entities, 1 / entities), size=draws).astype(np.int16)
    none = np.array([], dtype=np.intp)
    parts = [redraw.draw(block, none) for block in _blocks(counts, redraw)]
    reasons = np.concatenate([part.reasons for part in parts])
    good = reasons == ""
    if good.sum() < 2:
        raise StudyError(
            "bootstrap of an index",
            f"{int(good.sum())} of {draws} samples have an index; {reasons[~good][0] if draws else ''}",
            "draw more samples, or take the indicator out that few entities vary in",
        )
    weights = np.concatenate([part.weights for part in parts])[good]
    own = estimate.values.reindex(redraw.rows)
    values, ranks, mean_ranks = _row_intervals(redraw, counts[good], own, level)
    return IndexBootstrap(
        weights=_intervals(np.asarray(estimate.weights, dtype=np.float64), weights, level, estimate.weights.index),
        values=values.reindex(panel.index),
        ranks=ranks.reindex(panel.index),
        mean_ranks=mean_ranks,
        n_draws=draws,
        n_failed=int((~good).sum()),
        reason=str(reasons[~good][0]) if not good.all() else "",
    )


def rank_rows(values: Floats, rows: pd.MultiIndex | pd.Index) -> Floats:
    """Rank of each row within its time in every draw, B x n; 1 is best, ties share the better rank, NaN has none."""
    from scipy.stats import rankdata

    ranks = np.empty(values.shape)
    times = rows.get_level_values(1)
    for time in times.unique():
        here = np.flatnonzero(times == time)
        block = np.round(values[:, here], DIGITS)
        missing = np.isnan(block)
        ranked = rankdata(np.where(missing, np.inf, -block), method="min", axis=1).astype(float)
        ranks[:, here] = np.where(missing, np.nan, ranked)
    return ranks


def _blocks(counts: np.ndarray, redraw: IndexRedraw) -> Iterator[np.ndarray]:
    step = max(1, CHUNK // len(redraw.rows))
    return (counts[start : start + step] for start in range(0, len(counts), step))


def _row_intervals(
    redraw: IndexRedraw, counts: np.ndarray, own: pd.Series[float], level: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Intervals of every row's value and rank and of every entity's rank by its mean, some times at once."""
    values, ranks, sums, whole = [], [], [], np.asarray(own, dtype=np.float64)
    codes, unique = redraw.rows.get_level_values(0).factorize()
    entities = pd.Index(unique, name=redraw.rows.names[0])
    for rows in _groups_of_times(redraw.rows, len(counts)):
        drawn = np.concatenate([redraw.draw(block, rows).values for block in _blocks(counts, redraw)])
        index = redraw.rows[rows]
        rank = rank_rows(whole[None, rows], index)[0]
        values.append(_intervals(whole[rows], drawn, level, index))
        ranks.append(_intervals(rank, rank_rows(drawn, index), level, index))
        sums += [_add_up(matrix, codes[rows], len(entities)) for matrix in (whole[None, rows], drawn)]
    # The sums of every group of times in turn: those of the index itself, then those of the draws.
    own_mean, drawn_mean = (sum(sums[kind::2]) / np.bincount(codes) for kind in (0, 1))
    order = pd.MultiIndex.from_product([entities, ["mean"]])
    rank = rank_rows(own_mean, order)[0]
    mean_ranks = _intervals(rank, rank_rows(drawn_mean, order), level, entities)
    return pd.concat(values), pd.concat(ranks), mean_ranks


def _add_up(matrix: Floats, codes: Codes, entities: int) -> Floats:
    """Sums over the rows of each entity, B x entities."""
    from scipy.sparse import csr_array

    member = csr_array((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), entities))
    return np.asarray(matrix @ member)


def _groups_of_times(rows: pd.MultiIndex | pd.Index, draws: int) -> Iterator[Codes]:
    """Positions of the rows, whole times together, so many that draws x rows stay below the limit where they can."""
    codes = np.unique(rows.get_level_values(1), return_inverse=True)[1].ravel()
    sizes = np.bincount(codes) * draws
    group = (np.cumsum(sizes) - 1) // max(CHUNK, int(sizes.max()))
    for number in np.unique(group):
        yield np.flatnonzero(group[codes] == number)


def _intervals(estimate: Floats, draws: Floats, level: float, index: pd.Index) -> pd.DataFrame:
    """Standard deviation and percentile interval of each column of the draws; a missing draw is passed over."""
    quantile, deviation = (np.nanquantile, np.nanstd) if np.isnan(draws).any() else (np.quantile, np.std)
    low, high = quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    columns = {"estimate": estimate, "std_error": deviation(draws, axis=0, ddof=1), "ci_low": low, "ci_high": high}
    return pd.DataFrame(columns, index=index)
