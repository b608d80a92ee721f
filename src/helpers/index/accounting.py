"""The account of an index: who gave which points, what moved it between two times, what an entity should look at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.composite import CompositeIndex, rows_of
from helpers.results.rounding import tie


@dataclass(frozen=True)
class ChangeSplit:
    """Why each entity's index moved from `first` to `last`; index points, entities x indicators.

    Attributes
    ----------
    figures
        Part of the change that the indicator's score made.
    weights
        Part that the change of the indicator's weight made; 0 where weights are pooled over time.
    total
        Change of the index per entity: figures and weights, summed over indicators.
    first, last
        The two times.
    """

    figures: pd.DataFrame
    weights: pd.DataFrame
    total: "pd.Series[float]"
    first: Any
    last: Any


@dataclass(frozen=True)
class EntityProfile:
    """One entity's page.

    Attributes
    ----------
    standing
        Per time: index, rank (1 is best), number of entities, mean and best of all.
    moved
        Per indicator: score at the first and last time, and index points from figures and from weights, largest first.
    outlook
        Per indicator at the last time: weight, score, the best entity's score, and the index points that reaching it
        would give (weight x gap), largest first.
    """

    standing: pd.DataFrame
    moved: pd.DataFrame
    outlook: pd.DataFrame


def contributions_by_time(index: CompositeIndex) -> pd.DataFrame:
    """Index points of indicator x time in the mean of the index over all rows.

    Cell (t, j) = sum over the rows of time t of contribution j, divided by n; all cells sum to the mean index.

    Returns
    -------
    pandas.DataFrame
        T x k.
    """
    return index.contributions.groupby(level=1).sum() / len(index.values)


def split_change(index: CompositeIndex, first: Any, last: Any) -> ChangeSplit:
    """Split the change of an additive index into figures and weights.

    figures_j = (w_j,first + w_j,last) / 2 x (s_j,last - s_j,first);
    weights_j = (s_j,first + s_j,last) / 2 x (w_j,last - w_j,first). The two add up to the change exactly.
    A chained index has moved by figures alone.

    Parameters
    ----------
    index
        Built with the arithmetic mean.
    first, last
        Two times of the panel; entities that are there at both are split.

    Raises
    ------
    StudyError
        A time that is not in the panel, or an index that is not the weighted sum of its scores.

    Source: Bennet (1920), Journal of the Royal Statistical Society 83(3).
    """
    for time in (first, last):
        if time not in index.weights_by_time.index:
            raise StudyError(f"time {time}", "the index has no such time", "choose two of its times")
    scores_change = _change(index.scores, first, last)
    if index.method.weights == "entropy_chained":
        figures = _change(index.contributions, first, last)
        return ChangeSplit(figures, figures * 0.0, figures.sum(axis=1), first, last)
    _check_additive(index)
    weight = index.weights_by_time
    mean_scores = (index.scores.xs(first, level=1) + index.scores.xs(last, level=1)).loc[scores_change.index] / 2
    figures = scores_change * (weight.loc[first] + weight.loc[last]) / 2
    weights = mean_scores * (weight.loc[last] - weight.loc[first])
    return ChangeSplit(figures, weights, (figures + weights).sum(axis=1), first, last)


def entity_profile(index: CompositeIndex, entity: Any) -> EntityProfile:
    """Where an entity stands, what moved it, which indicator to look at.

    Raises
    ------
    StudyError
        An entity that is not in the panel, or an index that is not the weighted sum of its scores.
    """
    if entity not in index.values.index.get_level_values(0):
        raise StudyError(f"entity {entity}", "the index has no such entity", "choose one of its entities")
    _check_additive(index)
    times = index.values.xs(entity, level=0).index
    split = split_change(index, times[0], times[-1])
    now = index.scores.xs(times[-1], level=1)
    weight = index.weights_by_time.loc[times[-1]]
    moved = pd.DataFrame(
        {
            "score_first": index.scores.loc[(entity, times[0])],
            "score_last": now.loc[entity],
            "figures": split.figures.loc[entity],
            "weights": split.weights.loc[entity],
        }
    )
    outlook = pd.DataFrame({"weight": weight, "score": now.loc[entity], "best": now.max()})
    outlook["to_gain"] = outlook["weight"] * (outlook["best"] - outlook["score"])
    order = (moved["figures"] + moved["weights"]).abs().sort_values(ascending=False, kind="stable", key=tie).index
    return EntityProfile(
        _standing(index.values, entity),
        moved.loc[order],
        outlook.sort_values("to_gain", ascending=False, kind="stable", key=tie),
    )


def _standing(values: "pd.Series[float]", entity: Any) -> pd.DataFrame:
    by_time = values.groupby(level=1)
    table = pd.DataFrame(
        {
            "index": values,
            "rank": tie(values).groupby(level=1).rank(ascending=False, method="min").astype(int),
            "entities": by_time.transform("size"),
            "mean": by_time.transform("mean"),
            "best": by_time.transform("max"),
        }
    )
    return pd.DataFrame(table.xs(entity, level=0))


def _change(table: pd.DataFrame, first: Any, last: Any) -> pd.DataFrame:
    return pd.DataFrame(table.xs(last, level=1) - table.xs(first, level=1)).dropna()


def _check_additive(index: CompositeIndex) -> None:
    sums = index.scores.to_numpy() * rows_of(index.weights_by_time, index.scores)
    if index.method.weights != "entropy_chained" and not np.allclose(sums, index.contributions, rtol=0, atol=1e-12):
        raise StudyError(
            f"index with aggregate {index.method.aggregate}",
            "it is not the weighted sum of its scores, so its change has no exact split",
            "build it with aggregate: arithmetic at every level",
        )
