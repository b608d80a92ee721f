"""Who starts where and who grows faster: a column's first value and its growth, compared between groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.disparity.divergence import welch_gap
from helpers.heterogeneity.groups import Grouping
from helpers.inference.cross_section import wild_gap
from helpers.inference.detectable import detectable_effect
from helpers.results.estimate import Estimate

MEASURES = ("first", "growth", "points")
"""The first value; the mean change of the logarithm a year; the mean change a year."""
COUNTS = {
    "ahead": ("first", 1),
    "behind": ("first", -1),
    "faster": ("points", 1),
    "slower": ("points", -1),
    "grow_less": ("growth", 1),
    "grow_more": ("growth", -1),
}
"""What is counted of a group against the others: the measure, and 1 where the group is above, -1 where it is below."""


@dataclass(frozen=True)
class GroupComparison:
    """Means of one measure by group, and the differences of every pair by Welch's t test over entities.

    Attributes
    ----------
    means
        Group -> mean over its entities.
    gaps
        "<first>_minus_<second>" -> difference.
    wild
        The same differences by the restricted wild bootstrap; empty where it was not asked for.
    """

    means: dict[str, Estimate]
    gaps: dict[str, Estimate]
    wild: dict[str, Estimate] = field(default_factory=dict)


def measure_entities(values: pd.Series) -> pd.DataFrame:
    """One row per entity: first, growth, points of a column of a panel over the entity's own times.

    growth is missing for an entity whose first or last value is not above zero, and both changes for one that is seen
    once.
    """
    sorted_values = values.dropna().sort_index()
    entities = sorted_values.groupby(level=0)
    first, last = entities.first(), entities.last()
    times = pd.Series(
        sorted_values.index.get_level_values(1).astype(float), index=sorted_values.index.get_level_values(0)
    ).groupby(level=0)
    years = (times.last() - times.first()).where(lambda span: span > 0)
    positive = (first > 0) & (last > 0)
    growth = np.log(last.where(positive) / first.where(positive)) / years
    return pd.DataFrame({"first": first, "growth": growth, "points": (last - first) / years})


def compare_groups(
    measure: pd.Series, grouping: Grouping, *, draws: int = 99_999, rng: np.random.Generator | None = None
) -> GroupComparison | None:
    """Compare one measure between groups.

    None where a group has fewer than two entities with it, or where it is the same in all entities of two groups.

    Welch's t: difference of means over sqrt(s1^2 / n1 + s2^2 / n2), degrees of freedom by Satterthwaite. Where `rng` is
    given, the restricted wild bootstrap of the same difference stands beside.
    """
    parts = {name: measure.reindex(grouping.region.index[grouping.members(name)]).dropna() for name in grouping.order}
    if any(len(part) < 2 for part in parts.values()) or sum(part.nunique() < 2 for part in parts.values()) > 1:
        return None
    gaps = {f"{one}_minus_{two}": _welch(parts, one, two) for one, two in grouping.pairs}
    wild = {}
    if rng is not None:
        figures = {name: part.to_numpy(dtype=float) for name, part in parts.items()}
        wild = {
            f"{one}_minus_{two}": wild_gap(figures[one], figures[two], gaps[f"{one}_minus_{two}"], draws=draws, rng=rng)
            for one, two in grouping.pairs
        }
    return GroupComparison({name: _mean(part) for name, part in parts.items()}, gaps, wild)


def count_apart(found: GroupComparison, group: str, side: int, level: float) -> int:
    """From how many others a group clearly differs, by Welch's t test and by the wild bootstrap where there is one.

    ``side`` is 1 where the group lies above the other, -1 where it lies below.
    """
    apart = 0
    for name, gap in _gaps_of(found, group).items():
        tests = [test for test in (gap, found.wild.get(name)) if test is not None]
        below = all(test.p_value is not None and test.p_value < level for test in tests)
        apart += side * gap.estimate > 0 and below
    return apart


def detectable_ahead(found: GroupComparison, group: str, level: float) -> float:
    """The difference that Welch's t test would see in four of five samples, from whichever other group."""
    return max(detectable_effect(gap, level=level) for gap in _gaps_of(found, group).values())


def _gaps_of(found: GroupComparison, group: str) -> dict[str, Estimate]:
    return {name: gap for name, gap in found.gaps.items() if name.startswith(f"{group}_minus_")}


def _mean(part: pd.Series) -> Estimate:
    size = len(part)
    std_error = float(part.std(ddof=1) / np.sqrt(size))
    half = float(stats.t.ppf(0.975, size - 1)) * std_error
    estimate = float(part.mean())
    return Estimate(
        estimate=estimate,
        std_error=std_error,
        ci_low=estimate - half,
        ci_high=estimate + half,
        n_obs=size,
        n_entities=size,
        convention=f"mean over entities, t({size - 1})",
    )


def _welch(parts: Mapping[str, pd.Series], one: str, two: str) -> Estimate:
    first, second = (parts[name].to_numpy(dtype=float) for name in (one, two))
    return replace(welch_gap(first, second), convention="Welch over entities")
