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
        Per indicator at the last time: weight, score, the best entity's score, the obstacle degree (see
        `obstacle_degrees`; empty where it is not defined), and the index points that reaching the best score would give
        (weight x gap; empty where the index is not the weighted sum of its scores), largest first.
    """

    standing: pd.DataFrame
    moved: pd.DataFrame
    outlook: pd.DataFrame


def split_change(index: CompositeIndex, first: Any, last: Any) -> ChangeSplit:
    """Split the change of an index into figures and weights.

    figures_j = (w_j,first + w_j,last) / 2 x (s_j,last - s_j,first);
    weights_j = (s_j,first + s_j,last) / 2 x (w_j,last - w_j,first). The two add up to the change exactly.
    A chained index has moved by figures alone. An index that is not the weighted sum of its scores (a geometric mean,
    TOPSIS) is split by the change of each indicator's contribution, which adds up as exactly: all of it is by figures
    where weights are pooled, and where they differ between times the two parts cannot be told apart (weights is NaN).

    Parameters
    ----------
    index
        Any index.
    first, last
        Two times of the panel; entities that are there at both are split.

    Raises
    ------
    StudyError
        A time that is not in the panel.

    Source: Bennet (1920), Journal of the Royal Statistical Society 83(3).
    """
    for time in (first, last):
        if time not in index.weights_by_time.index:
            raise StudyError(f"time {time}", "the index has no such time", "choose two of its times")
    scores_change = _change(index.scores, first, last)
    weight = index.weights_by_time
    if index.method.weights == "entropy_chained" or not is_additive(index):
        figures = _change(index.contributions, first, last)
        apart = index.method.weights == "entropy_chained" or bool((weight.loc[first] == weight.loc[last]).all())
        return ChangeSplit(figures, figures * (0.0 if apart else np.nan), figures.sum(axis=1), first, last)
    mean_scores = (index.scores.xs(first, level=1) + index.scores.xs(last, level=1)).loc[scores_change.index] / 2
    figures = scores_change * (weight.loc[first] + weight.loc[last]) / 2
    weights = mean_scores * (weight.loc[last] - weight.loc[first])
    return ChangeSplit(figures, weights, (figures + weights).sum(axis=1), first, last)


def entity_profile(index: CompositeIndex, entity: Any) -> EntityProfile:
    """Where an entity stands, what moved it, which indicator to look at.

    Raises
    ------
    StudyError
        An entity that is not in the panel.
    """
    if entity not in index.values.index.get_level_values(0):
        raise StudyError(f"entity {entity}", "the index has no such entity", "choose one of its entities")
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
    gap = outlook["weight"] * (outlook["best"] - outlook["score"])
    outlook["obstacle"] = obstacle_degrees(index).loc[(entity, times[-1])] if has_obstacles(index) else np.nan
    outlook["to_gain"] = gap if is_additive(index) else np.nan
    order = moved[["figures", "weights"]].sum(axis=1).abs().sort_values(ascending=False, kind="stable", key=tie).index
    return EntityProfile(
        _standing(index.values, entity),
        moved.loc[order],
        outlook.loc[gap.sort_values(ascending=False, kind="stable", key=tie).index],
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


def is_additive(index: CompositeIndex) -> bool:
    """Whether the index is the weighted sum of its scores."""
    sums = index.scores.to_numpy() * rows_of(index.weights_by_time, index.scores)
    chained = index.method.weights == "entropy_chained"
    return chained or bool(np.allclose(sums, index.contributions, rtol=0, atol=1e-12))


def has_obstacles(index: CompositeIndex) -> bool:
    """Whether the scores are shares of what can be reached, [0, 1], and the weights 0 or more."""
    unit = index.method.unit_scores(index.scores).to_numpy()
    return bool(unit.min() >= -1e-12 and unit.max() <= 1 + 1e-12 and index.weights_by_time.min().min() >= 0)


def obstacle_degrees(index: CompositeIndex) -> pd.DataFrame:
    """Which indicators hold a row back: the share of each in what the row lacks.

    O_j = w_j (1 - s_j) / sum_m w_m (1 - s_m), with s the score on [0, 1] and w the weight; a row that lacks nothing has
    no obstacle (NaN).

    Returns
    -------
    pandas.DataFrame
        n x k; each row sums to 1.

    Raises
    ------
    StudyError
        Scores outside [0, 1] or negative weights, as z-scores and principal components may have.
    """
    if not has_obstacles(index):
        raise StudyError(
            f"index with scale {index.method.scale} and weights {index.method.weights}",
            "an obstacle is a share of what is lacking, which scores outside [0, 1] or negative weights do not have",
            "use scale: min_max and weights of 0 or more",
        )
    lacking = (1 - index.method.unit_scores(index.scores)) * rows_of(index.weights_by_time, index.scores)
    total = lacking.sum(axis=1)
    return pd.DataFrame(lacking.div(total.where(total > 1e-12), axis=0))
