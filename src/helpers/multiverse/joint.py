"""Do all specifications together say more than chance? Joint statistics of a multiverse under a cluster-wild null.

In a draw every entity gets one sign, the same in all specifications; `helpers.multiverse.cell_null` makes the draws.

Source: Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4. They resample rows; signs by entity keep
together what belongs to one entity (Cameron, Gelbach and Miller 2008). The draws are stratified over the signs of the
entities that carry most, so that a p-value depends less on the seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.multiverse.cell_null import FEW_CLUSTERS, CellNull, build_null, draw_statistics, look_up, normal_scores
from helpers.multiverse.cells import fit_set
from helpers.multiverse.fit import Multiverse
from helpers.multiverse.plan import Place, walk_cells
from helpers.regression.effects import Codes, Floats
from helpers.results.rounding import round_numbers

# Numbers held at once in the largest intermediate array.
CHUNK = 2_000_000
# Relative distance within which two statistics are the same number.
TIE = 1e-9
# Significant digits of what the draws give: they are made in single precision and scores are read off a table, so that
# the seventh digit is the processor's; chance among a thousand draws shows in the second.
DIGITS = 5
# Whether a draw's median reaches the observed one is counted over all specifications; the medians themselves, which the
# null's quantiles and its picture need, are taken over at most so many of them, evenly spaced.
MEDIAN_OVER = 8192


@dataclass(frozen=True)
class JointStatistic:
    """One statistic of all specifications together.

    Attributes
    ----------
    observed
        Its value in the data.
    p_value
        (1 + draws at least as extreme) / (1 + draws), on either side of zero.
    p_value_one_sided
        The same on the observed side alone; of the share, in the dominant direction of the data.
    null_low, null_high
        2.5 % and 97.5 % quantiles under the null, to `DIGITS` significant digits.
    null
        Values under the null, (B,), to as many; medians over at most `MEDIAN_OVER` specifications.
    """

    observed: float
    p_value: float
    p_value_one_sided: float
    null_low: float
    null_high: float
    null: Floats = field(repr=False)


@dataclass(frozen=True)
class JointTest:
    """Simonsohn, Simmons and Nelson's three statistics, the first in two units.

    Attributes
    ----------
    median
        Median estimate; extreme is far from 0 on either side.
    median_standardised
        The same of standardised estimates, which compare across indices of different scales.
    share_significant
        Share of the specifications that are significant in the dominant direction; each draw has its own.
    stouffer
        Sum of z / sqrt(number of specifications), z the normal score of each p-value with the estimate's sign.
    dominant
        +1 or -1: the sign of most estimates.
    n_specifications, n_draws
        Specifications that were estimated, and draws.
    """

    median: JointStatistic
    median_standardised: JointStatistic
    share_significant: JointStatistic
    stouffer: JointStatistic
    dominant: int
    n_specifications: int
    n_draws: int

    @property
    def statistics(self) -> dict[str, JointStatistic]:
        """Name -> statistic."""
        names = ("median", "median_standardised", "share_significant", "stouffer")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class _Gathered:
    """What the draws add up to: by group and draw, (S, B), and by specification the weights of the signs.

    above, below
        Specifications significantly above and below 0.
    scores
        Sum of z.
    weights
        Blocks (G, V).
    """

    above: Floats
    below: Floats
    scores: Floats
    weights: list[Floats]


def joint_tests(
    multiverse: Multiverse, groups: Mapping[str, np.ndarray], *, draws: int = 999, rng: np.random.Generator
) -> dict[str, JointTest]:
    """Test each of several groups of specifications, all from the same draws.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    groups
        Name -> booleans by the rows of its table.
    draws
        Draws of the signs (Rademacher, null imposed), stratified (see `draw_signs`).
    rng
        Source of the signs.

    Raises
    ------
    StudyError
        No draws, or a group in which no specification was estimated.
    """
    estimated = multiverse.table["estimate"].notna().to_numpy()
    empty = [name for name, rows in groups.items() if not (rows & estimated).any()]
    if draws < 1 or not groups or empty:
        raise StudyError(
            f"joint test {', '.join(empty)}".rstrip(),
            "there is nothing to draw or nothing to test",
            "ask for draws, fit specifications",
        )
    plan = multiverse.plan
    entity = np.unique(plan.index.get_level_values(0), return_inverse=True)[1].ravel()
    places = list(walk_cells(plan))
    signs = draw_signs(_influence(places, entity, plan.control_sets[-1]), draws, rng)
    shape = (len(groups), draws)
    gathered = _Gathered(np.zeros(shape), np.zeros(shape), np.zeros(shape), [])
    members, first = np.stack(list(groups.values())), 0
    for place in places:
        size = len(place.sample.pairs.reasons)
        rows = members[:, first : first + size * len(plan.control_sets)].reshape(len(groups), -1, size)
        first += size * len(plan.control_sets)
        _add_place(gathered, place, entity, signs, rows, plan.control_sets, multiverse.significance)
    weights = np.concatenate(gathered.weights, axis=1)
    return {
        name: _summarise(multiverse, estimated & rows, weights[:, rows[estimated]], signs, _Totals.of(gathered, number))
        for number, (name, rows) in enumerate(groups.items())
    }


def draw_signs(influence: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Signs (draws, G), -1 or 1 with the same probability and independent within a draw.

    Over the draws the signs of the entities with the largest influence are balanced: every pattern of as many of them
    as there are powers of two in the number of draws comes up as often as every other.
    """
    signs = np.where(rng.random((draws, len(influence))) < 0.5, -1.0, 1.0)
    n_bits = min(len(influence), int(np.log2(draws)))
    spots = (rng.permutation(draws) + rng.random(draws)) / draws
    codes = np.minimum((spots * 2**n_bits).astype(np.int64), 2**n_bits - 1)
    bits = (codes[:, None] >> np.arange(n_bits)[::-1]) & 1
    signs[:, np.argsort(-influence, kind="stable")[:n_bits]] = 2.0 * bits - 1.0
    return signs


def _influence(places: Sequence[Place], entity: Codes, chosen: Sequence[int]) -> Floats:
    """Mean share of each entity in the absolute products of one pair of columns over all places, (G,)."""
    shares = np.zeros(int(entity.max()) + 1)
    for place in places:
        kept = np.flatnonzero(place.sample.pairs.reasons == "")[:1]
        if place.cell is None or not len(kept):
            continue
        fits = fit_set(place.cell, chosen, kept)
        if fits.reasons[0] == "":
            products = np.abs(fits.products[:, 0])
            # Rounded, so that the order of alike entities does not hang on the last bits.
            shares[np.unique(entity[place.rows])] += np.round(products / products.sum(), 9)
    return shares


def _add_place(
    gathered: _Gathered,
    place: Place,
    entity: Codes,
    signs: Floats,
    rows: np.ndarray,
    control_sets: Sequence[Sequence[int]],
    significance: float,
) -> None:
    """Add the specifications of one cell; `rows` (S, sets, pairs) says which group each belongs to."""
    kept = np.flatnonzero(place.sample.pairs.reasons == "")
    present = np.unique(entity[place.rows])
    if place.cell is None or len(present) < 2:
        return
    null = build_null(place.cell, signs[:, present])
    for number, chosen in enumerate(control_sets):
        weights = _add_set(gathered, null, chosen, kept, (rows[:, number], significance))
        spread = np.zeros((signs.shape[1], weights.shape[1]))
        spread[present] = weights
        gathered.weights.append(spread)


def _add_set(
    gathered: _Gathered, null: CellNull, chosen: Sequence[int], kept: Codes, asked: tuple[np.ndarray, float]
) -> Floats:
    """Add the specifications of one set of controls; their weights of the signs, (G, V')."""
    n_draws, n_entities = null.signs.shape
    rows, significance = asked
    critical, normal = stats.t.isf(significance / 2, n_entities - 1), normal_scores(n_entities - 1)
    step = max(1, CHUNK // max(n_draws, n_entities**2))
    parts = []
    for start in range(0, len(kept), step):
        statistics, weights, pairs = draw_statistics(null, chosen, kept[start : start + step])
        whole = _count(statistics, critical, normal)
        for group, inside in enumerate(rows[:, pairs]):
            if inside.any():
                sums = whole if inside.all() else _count(statistics[inside], critical, normal)
                for total, one in zip((gathered.above, gathered.below, gathered.scores), sums, strict=True):
                    total[group] += one
        parts.append(weights)
    return np.concatenate(parts, axis=1)


def _count(statistics: Floats, critical: float, normal: Floats) -> tuple[Floats, Floats, Floats]:
    """By draw: statistics above and below the critical values, and the sum of their normal scores."""
    return (
        (statistics > critical).sum(axis=0).astype(float),
        (statistics < -critical).sum(axis=0).astype(float),
        look_up(statistics, normal).sum(axis=0, dtype=float),
    )


@dataclass(frozen=True)
class _Totals:
    """What was gathered for one group: numbers significantly above and below 0, and sum of z, (B,)."""

    above: Floats
    below: Floats
    scores: Floats

    @classmethod
    def of(cls, gathered: _Gathered, group: int) -> "_Totals":
        return cls(gathered.above[group], gathered.below[group], gathered.scores[group])

    @property
    def significant(self) -> Floats:
        """The larger of the two numbers: each draw has its own dominant direction."""
        return np.maximum(self.above, self.below)

    def in_direction(self, sign: int) -> Floats:
        """The number significant with this sign."""
        return self.above if sign > 0 else self.below


def _summarise(multiverse: Multiverse, rows: np.ndarray, weights: Floats, signs: Floats, totals: _Totals) -> JointTest:
    table = multiverse.table[rows]
    n = len(table)
    estimates, standardised = (table[name].to_numpy() for name in ("estimate", "standardised"))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(estimates == 0, 0.0, standardised / estimates)
    significant = table["p_value"].to_numpy() < multiverse.significance
    dominant = 1 if np.sum(estimates > 0) >= np.sum(estimates < 0) else -1
    share = np.mean(significant & (dominant * estimates > 0))
    observed_z = _observed_scores(table).sum() / np.sqrt(n)
    observed = (float(np.median(estimates)), float(np.median(standardised)))
    medians = _null_medians(weights, np.stack([np.ones(n), ratio]), signs, observed)
    return JointTest(
        median=medians[0],
        median_standardised=medians[1],
        share_significant=_compare(float(share), totals.significant / n, totals.in_direction(dominant) / n),
        stouffer=_compare(float(observed_z), totals.scores / np.sqrt(n)),
        dominant=dominant,
        n_specifications=n,
        n_draws=len(signs),
    )


def _null_medians(
    weights: Floats, scales: Floats, signs: Floats, observed: tuple[float, float]
) -> tuple[JointStatistic, JointStatistic]:
    """The median of the estimates, and of the standardised ones, beside what the draws give."""
    kind = "float64" if signs.shape[1] <= FEW_CLUSTERS else "float32"
    step, weights, scales = max(1, CHUNK // weights.shape[1]), weights.astype(kind), scales.astype(kind)
    some = slice(None, None, -(-weights.shape[1] // MEDIAN_OVER))
    nulls, reached = np.empty((2, len(signs))), np.zeros((2, 2), dtype=int)
    for start in range(0, len(signs), step):
        drawn = np.matmul(signs[start : start + step].astype(kind), weights)
        for unit, value in enumerate(observed):
            scaled = drawn if unit == 0 else drawn * scales[unit]
            sides = _reaches(scaled, abs(value) * (1 - TIE))
            reached[unit] += [sides.any(axis=0).sum(), sides[0 if value >= 0 else 1].sum()]
            nulls[unit, start : start + step] = np.median(scaled[:, some], axis=1)
    found = []
    for null, value, counts in zip(nulls, observed, reached, strict=True):
        both, one = ((1 + int(count)) / (1 + len(signs)) for count in counts)
        found.append(_state(value, (both, one), null))
    return found[0], found[1]


def _reaches(drawn: Floats, bound: float) -> np.ndarray:
    """Whether the median of each row is at least `bound` above 0, and below it, (2, B); by counting, without order."""
    n = drawn.shape[1]
    counts = np.stack([(drawn >= bound).sum(axis=1), (drawn <= -bound).sum(axis=1)])
    hit, unsure = 2 * counts > n, 2 * counts == n
    # With half of the row beyond the bound the median is the mean of a number within it and one beyond.
    for side, sign in enumerate((1, -1)):
        rows = unsure[side]
        hit[side, rows] = sign * np.median(drawn[rows], axis=1) >= bound
    return np.asarray(hit)


def _observed_scores(table: pd.DataFrame) -> Floats:
    scores = [
        look_up(part["statistic"].to_numpy(), normal_scores(int(str(n_entities)) - 1))
        for n_entities, part in table.groupby("n_entities")
    ]
    return np.concatenate(scores)


def _compare(observed: float, null: Floats, one_sided: Floats | None = None) -> JointStatistic:
    """A statistic beside its draws; `one_sided` are those of its own side, the draws times its sign by default."""
    bound = abs(observed) * (1 - TIE)
    reached = np.count_nonzero(np.abs(null) >= bound)
    own = (null if observed >= 0 else -null) if one_sided is None else one_sided
    counts = (reached, np.count_nonzero(own >= bound))
    both, one = (float((1 + count) / (1 + len(null))) for count in counts)
    return _state(observed, (both, one), null)


def _state(observed: float, p_values: tuple[float, float], null: Floats) -> JointStatistic:
    """A statistic with its two p-values, and its draws to the digits that they hold."""
    low, high = round_numbers(np.quantile(null, [0.025, 0.975]), DIGITS)
    both, one = p_values
    return JointStatistic(observed, both, one, float(low), float(high), round_numbers(null, DIGITS))
