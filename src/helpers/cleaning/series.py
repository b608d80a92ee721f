"""Breaks in series: figures that jump beyond what their history allows, and figures that stand in another entity's row.

Everything is seen on logarithms, so that a jump is a ratio; a 0 is passed over. Three questions:

- Does a single figure jump? The change of an entity's figure, less the median change of all entities, against its own
  and the statistic's usual change (robust z).
- Does a whole period jump? The median change of all entities: a new definition, another unit.
- Do figures fit better one row up or down? Once for each period against the periods beside it, once for the whole
  statistic against the other statistics. Values that belong to another entity show there and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import distributions as stats
from helpers.results.rounding import HANDED_OVER, round_numbers

Floats = NDArray[np.float64]
Order = NDArray[np.intp]

MAD_TO_SD = 1.4826
SMALLEST_JUMP, BREAK = 1.25, 2.0
FEWEST_ENTITIES = 10
# A period breaks for the median of so many entities.
FEWEST_CHANGES = 5
# A statistic is persistent where a typical period correlates at least so much with those beside it.
PERSISTENT = 0.45
# What one row up or down must reach, and by how much it must be better, for a period to be called misplaced.
FITS_MOVED, BETTER_BY = 0.45, 0.15
# How much livelier than the statistic an entity's own history may count.
LIVELIEST = 5.0
# How many of the other statistics a statistic is compared with: those that it resembles most.
RELATIVES = 3
# Probability that any of the tests made on a panel of unrelated figures calls one of them misplaced.
LEVEL = 0.01
SHUFFLES = 100


@dataclass(frozen=True)
class Moved:
    """Figures that fit another entity's row better than their own.

    Attributes
    ----------
    column
        The statistic.
    time
        The period, or None for the whole statistic.
    as_given, moved
        How well the figures fit where they stand and one row up or down: a correlation.
    """

    column: str
    time: int | None
    as_given: float
    moved: float


@dataclass(frozen=True)
class Changes:
    """How every figure differs from the entity's figure before it.

    Attributes
    ----------
    columns, entities, times
        Names along the axes of the arrays (entities x times x statistics).
    figures, before
        The figure and the entity's last one before it; NaN where there is none.
    change
        Difference of logarithms; of the figures themselves for a statistic that has negative ones.
    is_log
        Whether a statistic's change is one of logarithms.
    """

    columns: list[str]
    entities: pd.Index
    times: pd.Index
    figures: Floats
    before: Floats
    change: Floats
    is_log: NDArray[np.bool_]


def measure_changes(panel: pd.DataFrame) -> Changes:
    """Differences of every figure of a panel from the entity's figure before it."""
    wide = panel.unstack()
    times = wide.columns.get_level_values(1).unique()
    figures = wide.to_numpy(dtype=float).reshape(len(wide), panel.shape[1], len(times)).transpose(0, 2, 1)
    is_log = np.asarray(~(figures < 0).any(axis=(0, 1)))
    figures = np.where(is_log & (figures <= 0), np.nan, figures)
    before = np.full_like(figures, np.nan)
    for place in range(1, len(times)):
        earlier = figures[:, place - 1]
        before[:, place] = np.where(np.isfinite(earlier), earlier, before[:, place - 1])
    change = np.where(is_log, _log(figures) - _log(before), figures - before)
    return Changes([str(name) for name in panel], wide.index, times, figures, before, change, is_log)


def find_jumps(changes: Changes, threshold: float = 8.0) -> pd.DataFrame:
    """List single figures that jump.

    With d_it the change since the entity's figure before and m_t the median of d_it over entities, the score is
    |d_it - m_t| / (1.4826 max(min(MAD_i, 5 MAD), MAD)), MAD_i over the entity's own d_it - m_t and MAD over all of the
    statistic's. The bound keeps a short history from being its own excuse: a jump and its way back are half of it.

    Parameters
    ----------
    changes
        From `measure_changes`.
    threshold
        Score from which a figure is listed; of a statistic without negative figures the change must also be
        `SMALLEST_JUMP` times the common one, either way.

    Returns
    -------
    DataFrame
        One row per jump: column, entity, time, before, figure, score; the largest score first.
    """
    own = np.abs(changes.change - _median(changes.change, axis=0)[None])
    common = _median(own.reshape(-1, own.shape[2]), axis=0)
    usual = np.fmax(np.fmin(_median(own, axis=1)[:, None], LIVELIEST * common), common)
    score = own / (MAD_TO_SD * np.where(usual > 0, usual, np.nan))
    found = (score >= threshold) & ((own >= np.log(SMALLEST_JUMP)) | ~changes.is_log)
    entities, times, columns = np.nonzero(found)
    table = pd.DataFrame(
        {
            "column": [changes.columns[place] for place in columns],
            "entity": changes.entities[entities],
            "time": changes.times[times],
            "before": changes.before[found],
            "figure": changes.figures[found],
            "score": score[found],
        }
    )
    return table.sort_values("score", ascending=False, kind="stable", key=_tied, ignore_index=True)


def _tied(scores: pd.Series[float]) -> pd.Series[float]:
    """Scores as they are sorted: those that differ by rounding alone are alike, and keep the order of the panel."""
    return pd.Series(round_numbers(scores, HANDED_OVER), scores.index)


def find_breaks(changes: Changes) -> pd.DataFrame:
    """List periods in which the median entity changes by the factor `BREAK` or more, either way, since its last.

    It is the median of `FEWEST_CHANGES` entities at least, or of all: what one entity has alone breaks nowhere.

    Returns
    -------
    DataFrame
        Columns column, time, ratio (median over entities of the figure to the one before).
    """
    told = np.isfinite(changes.change).sum(axis=0) >= min(FEWEST_CHANGES, len(changes.change))
    middle = np.where(changes.is_log & told, _median(changes.change, axis=0), np.nan)
    times, columns = np.nonzero(np.abs(middle) >= np.log(BREAK))
    return pd.DataFrame(
        {
            "column": [changes.columns[place] for place in columns],
            "time": changes.times[times],
            "ratio": np.exp(middle[times, columns]),
        }
    )


def _log(figures: Floats) -> Floats:
    return np.log(np.where(figures > 0, figures, np.nan))


def _median(values: Floats, axis: int) -> Floats:
    """Median of the numbers along an axis; NaN where there is none."""
    ordered = np.sort(np.moveaxis(values, axis, 0), axis=0)  # NaN comes last
    count = np.isfinite(ordered).sum(axis=0)
    middle = [np.take_along_axis(ordered, place[None], 0)[0] for place in (np.maximum(count - 1, 0) // 2, count // 2)]
    return np.where(count > 0, (middle[0] + np.where(count > 0, middle[1], 0.0)) / 2, np.nan)


def find_moved_times(panel: pd.DataFrame, order: list[str], counted: bool = True) -> list[Moved]:
    """Find periods whose figures fit the periods beside them better one row up or down.

    The fit is the correlation over entities of the logarithms of a period with the mean of those of the periods beside
    it. Statistics that hardly persist from period to period, such as growth rates, tell nothing and are passed over.

    Parameters
    ----------
    panel
        Statistics, index entity then time.
    order
        The entities in the order of the files.
    counted
        Whether the moved period must also fit better than chance makes it in as many tests.
    """
    found, moves = [], _moves(order)
    tests = len(moves) * panel.shape[1] * panel.index.unique(1).size
    least = _least_difference(len(order), tests) if counted else 0.0
    for name in panel:
        wide = panel[name].where(panel[name] > 0).unstack().reindex(order)
        logs = np.log(wide.to_numpy(dtype=float))
        beside = [_beside(logs, place) for place in range(logs.shape[1])]
        given = [_correlate(logs[:, place], other) for place, other in enumerate(beside)]
        if np.isfinite(given).any() and np.nanmedian(given) >= PERSISTENT:
            for place, time in enumerate(wide.columns):
                moved = max(_correlate(logs[move, place], beside[place]) for move in moves)
                sure = not counted or _fisher(moved) - _fisher(given[place]) >= least
                if moved >= FITS_MOVED and moved - given[place] >= BETTER_BY and sure:
                    found.append(Moved(str(name), int(time), given[place], moved))
    return found


def find_moved_statistics(panel: pd.DataFrame, order: list[str], margin: float | None = None) -> list[Moved]:
    """Find statistics that fit the other statistics better when every series is moved one row up or down.

    The fit is the mean of two numbers: the mean absolute correlation with the three nearest other statistics, once of
    the entities' mean logarithms and once of the logarithms less entity and time means.

    Parameters
    ----------
    panel, order
        As in `find_moved_times`.
    margin
        By how much the moved series must fit better. When None, by 0.15, and better than shuffled series do by chance.
    """
    if len(order) < 2 * FEWEST_ENTITIES or panel.shape[1] < 2 * RELATIVES:
        return []
    levels, within = _two_views(panel, order)
    shuffles = [np.random.default_rng(number).permutation(len(order)) for number in range(SHUFFLES)]
    moves = _moves(order)
    tests = len(moves) * panel.shape[1]
    least = float(stats.norm.isf(LEVEL / tests)) if margin is None else -np.inf
    found = []
    for place, name in enumerate(panel):
        others = [number for number in range(panel.shape[1]) if number != place]
        pairs = ((levels[:, place], levels[:, others]), (within[:, :, place], within[:, :, others]))
        as_given, *moved = (_fit(pairs, move) for move in (np.arange(len(order)), *moves))
        if max(moved) - as_given < (BETTER_BY if margin is None else margin):
            continue
        by_chance = np.array([_fit(pairs, shuffle) for shuffle in shuffles])
        if max(moved) - by_chance.mean() >= least * by_chance.std(ddof=1):
            found.append(Moved(str(name), None, as_given, max(moved)))
    return found


def _fit(pairs: tuple[tuple[Floats, Floats], ...], move: Order) -> float:
    return sum(_nearest(own[move], rest) for own, rest in pairs) / len(pairs)


def _fisher(correlation: float) -> float:
    return float(np.arctanh(np.clip(correlation, -0.999999, 0.999999)))


def _least_difference(entities: int, tests: int) -> float:
    """The difference of two correlations, by Fisher's z, that chance reaches in none of so many tests but for LEVEL."""
    return float(stats.norm.isf(LEVEL / max(tests, 1)) * np.sqrt(2 / max(entities - 3, 1)))


def _moves(order: list[str]) -> list[Order]:
    """The row that each row's figures would come from, one up and one down, in file order and in sorted order."""
    places = np.arange(len(order))
    by_name = np.argsort(np.array(order, dtype=object))
    back = np.argsort(by_name)
    return [move for step in (1, -1) for move in (np.roll(places, step), by_name[np.roll(places, step)][back])]


def _beside(logs: Floats, place: int) -> Floats:
    near = [column for column in (place - 1, place + 1) if 0 <= column < logs.shape[1]]
    known = np.isfinite(logs[:, near])
    sums = np.where(known, logs[:, near], 0.0).sum(axis=1)
    return np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), np.nan)


def _correlate(first: Floats, second: Floats) -> float:
    """Correlation over the entities that have both; NaN where these are too few or do not differ."""
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < FEWEST_ENTITIES:
        return float("nan")
    a, b = first[both] - first[both].mean(), second[both] - second[both].mean()
    length = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / length) if length > 0 else float("nan")


def _two_views(panel: pd.DataFrame, order: list[str]) -> tuple[Floats, Floats]:
    """Mean logarithms (entities x statistics), and logarithms less both means (entities x times x statistics).

    Figures that are missing or not positive count as average.
    """
    changes = measure_changes(panel)
    figures = changes.figures[changes.entities.get_indexer(pd.Index(order))]
    cube = np.where(changes.is_log, _log(figures), figures)
    known = np.isfinite(cube)
    filled = np.where(known, cube, 0.0)
    means = filled.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    levels = np.where(known.any(axis=1), means, means.mean(axis=0))
    left = np.where(known, cube - means[:, None, :], 0.0)
    left = np.where(known, left - left.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
    return levels - levels.mean(axis=0), left


def _nearest(own: Floats, others: Floats) -> float:
    """Mean of the largest absolute correlations of one statistic with the others."""
    flat, rest = own.ravel(), others.reshape(own.size, -1)
    length = np.linalg.norm(flat) * np.linalg.norm(rest, axis=0)
    sizes = np.abs(flat @ rest) / np.where(length > 0, length, np.inf)
    return float(np.sort(sizes)[-RELATIVES:].mean())
