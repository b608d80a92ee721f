"""How unequal a column is between entities, and how much of that lies between regions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.errors import StudyError

# Pairs of entities held at once.
CHUNK = 1_000_000


@dataclass(frozen=True)
class TheilSplit:
    """Theil's T and its exact split.

    Attributes
    ----------
    total, within, between
        total = within + between.
    """

    total: float
    within: float
    between: float


@dataclass(frozen=True)
class DagumSplit:
    """Gini coefficient and Dagum's exact split.

    Attributes
    ----------
    total, within, between, transvariation
        total = within + between + transvariation: inside regions, net between regions, and the overlap of regions
        (entities of a poorer region above entities of a richer one).
    """

    total: float
    within: float
    between: float
    transvariation: float


def theil_split(values: "pd.Series[float]", regions: "pd.Series[Any]") -> TheilSplit:
    """Theil's T over entities, split by region.

    T = mean((y / m) ln(y / m)), 0 ln 0 = 0, m the mean of y; within = sum_g share_g T_g;
    between = sum_g share_g ln(m_g / m).

    Parameters
    ----------
    values
        One figure of 0 or more per entity, not all 0.
    regions
        Region of each entity; covers every entity of `values`.

    Raises
    ------
    StudyError
        A missing or negative figure, all figures 0, an entity without region.

    Source: Theil (1967), Economics and Information Theory; Shorrocks (1980), Econometrica 48(3).
    """
    groups = _groups(values, regions)
    everything = np.asarray(values.to_numpy(), dtype=np.float64)
    share = np.array([figures.sum() for figures in groups.values()]) / everything.sum()
    means = np.array([figures.mean() for figures in groups.values()])
    within = share * np.array([_theil(figures) for figures in groups.values()])
    # A region whose sum is 0 has share 0 and gives nothing; its logarithm must not be taken.
    ratio = np.where(share > 0, means / everything.mean(), 1.0)
    between = float((share * np.log(ratio)).sum())
    return TheilSplit(_theil(everything), float(within.sum()), between)


def dagum_split(values: "pd.Series[float]", regions: "pd.Series[Any]") -> DagumSplit:
    """Gini coefficient over entities, split by region.

    G = sum_i sum_r |y_i - y_r| / (2 n^2 m). With p_j = n_j / n, s_j = n_j m_j / (n m) and
    G_jh = mean|y_j - y_h| / (m_j + m_h):  within = sum_j G_jj p_j s_j;
    between = sum_{j<>h} G_jh p_j s_h D_jh; transvariation = sum_{j<>h} G_jh p_j s_h (1 - D_jh);
    D_jh = |m_j - m_h| / mean|y_j - y_h|, Dagum's relative economic affluence. This "between" is net of what the groups
    overlap; the Gini coefficient of the group means, which some programs print, is another (Bhattacharya and
    Mahalanobis 1967).

    Parameters and errors are those of `theil_split`.

    Source: Dagum (1997), Empirical Economics 22(4).
    """
    groups = _groups(values, regions)
    everything = values.to_numpy(dtype=float)
    names = list(groups)
    population = {name: len(groups[name]) / len(everything) for name in names}
    share = {name: float(groups[name].sum() / everything.sum()) for name in names}
    within = between = transvariation = 0.0
    for one in names:
        for other in names:
            distance = _mean_distance(groups[one], groups[other])
            means = groups[one].mean(), groups[other].mean()
            apart = float(distance / sum(means)) if sum(means) > 0 else 0.0
            part = apart * population[one] * share[other]
            affluence = float(abs(means[0] - means[1])) / distance if distance > 0 else 0.0
            if one == other:
                within += part
            else:
                between += part * affluence
                transvariation += part * (1 - affluence)
    return DagumSplit(gini(everything), within, between, transvariation)


def gini(values: Any) -> float:
    """Gini coefficient: the mean absolute difference of all pairs, over twice the mean.

    The n^2 pairs hold each figure with itself, as in PySAL and R's ineq: 0 to 1 - 1/n. Programs that print n/(n - 1)
    times as much (R's DescTools, StatsPAI) correct for that. With figures below 0 it is no share and may pass 1.

    Raises
    ------
    StudyError
        A missing figure, or figures whose sum is not above 0.
    """
    figures = np.asarray(values, dtype=float)
    if not 0 < figures.sum() < np.inf:
        raise StudyError("Gini coefficient", "a figure is missing, or their sum is not above 0", "give figures above 0")
    return float(_mean_distance(figures, figures) / (2 * figures.mean()))


def split_by_time(
    values: "pd.Series[float]",
    regions: "pd.Series[Any]",
    split: Callable[["pd.Series[float]", "pd.Series[Any]"], TheilSplit | DagumSplit],
) -> pd.DataFrame:
    """`theil_split` or `dagum_split` at each time.

    Parameters
    ----------
    values
        By entity and time.
    regions
        Region of each entity.
    split
        One of the two functions.

    Returns
    -------
    pandas.DataFrame
        T rows: total and its parts.
    """
    rows = {}
    for time, block in values.groupby(level=1):
        found = split(block.droplevel(1), regions)
        rows[time] = vars(found)
    table = pd.DataFrame(rows).T
    table.index.name = values.index.names[1]
    return table


def _theil(figures: Floats) -> float:
    if figures.sum() == 0:
        return 0.0
    ratio = figures / figures.mean()
    return float((ratio * np.log(np.where(ratio > 0, ratio, 1.0))).mean())


def _mean_distance(one: Floats, other: Floats) -> float:
    """Mean of |y_i - y_r| over all pairs of two groups, in blocks of pairs."""
    step = max(1, CHUNK // len(other))
    total = sum(
        float(np.abs(np.subtract.outer(one[start : start + step], other)).sum()) for start in range(0, len(one), step)
    )
    return total / (len(one) * len(other))


def _groups(values: "pd.Series[float]", regions: "pd.Series[Any]") -> dict[Any, Floats]:
    """Figures of each region, regions in order of first appearance."""
    for entity, figure in values.items():
        if not (np.isfinite(figure) and figure >= 0):
            raise StudyError(
                f"entity {entity}", f"{figure:g} is missing or negative", "measure inequality of figures of 0 or more"
            )
    if not values.sum() > 0:
        raise StudyError("the column", "all its figures are 0", "choose another column")
    found = regions.reindex(values.index).to_numpy()
    for entity, region in zip(values.index, found, strict=True):
        if pd.isna(region):
            raise StudyError(f"entity {entity}", "it has no region", "give it one in the units file")
    return {region: values.to_numpy(dtype=float)[found == region] for region in pd.unique(found)}
