"""Do all specifications together say more than chance? Joint statistics of a multiverse under a cluster-wild null.

In a draw every entity gets one sign v_g, the same in all specifications, and its restricted residuals u (of the model
without the treatment) are multiplied by it. With P_g, R_g and d as in `helpers.multiverse.cells`, and B an orthonormal
basis of the time effects and the controls,

    estimate* = sum_g v_g P_g / sum_g R_g,    score*_g = v_g P_g - (d'B)_g sum_h (B'u)_h v_h - estimate* x R_g,

so that the variance is a quadratic form in v: one small matrix for each specification serves all draws.

Source: Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4. They resample rows; signs by entity keep
together what belongs to one entity (Cameron, Gelbach and Miller 2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.multiverse.cells import Cell, CellFits, fit_set, small_sample_factor
from helpers.multiverse.fit import Multiverse
from helpers.multiverse.plan import walk_cells
from helpers.regression.effects import Codes, Floats, group_means

# Numbers held at once in the largest intermediate array.
CHUNK = 2_000_000
# Steps of the table of normal scores, in t statistics, and where the table ends.
STEP, END = 0.001, 60.0
# Up to so many clusters a draw can be the sample itself, so that ties need full precision.
FEW_CLUSTERS = 12
# Relative distance within which two statistics are the same number.
TIE = 1e-9


@dataclass(frozen=True)
class JointStatistic:
    """One statistic of all specifications together.

    Attributes
    ----------
    observed
        Its value in the data.
    p_value
        (1 + draws at least as extreme) / (1 + draws).
    null_low, null_high
        2.5 % and 97.5 % quantiles under the null.
    null
        Values under the null, (B,).
    """

    observed: float
    p_value: float
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
    """By draw: specifications significantly above and below 0, sum of z, (B,); by specification: weights of signs."""

    above: Floats
    below: Floats
    scores: Floats
    weights: list[Floats]


def joint_test(multiverse: Multiverse, *, draws: int = 999, rng: np.random.Generator) -> JointTest:
    """Test all specifications of a multiverse together.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    draws
        Draws of the signs (Rademacher, null imposed).
    rng
        Source of the signs.

    Raises
    ------
    StudyError
        No draws, or no specification that was estimated.
    """
    if draws < 1 or multiverse.estimated.empty:
        raise StudyError(
            "joint test", "there is nothing to draw or nothing to test", "ask for draws, fit specifications"
        )
    plan = multiverse.plan
    entity = np.unique(plan.index.get_level_values(0), return_inverse=True)[1].ravel()
    signs = np.where(rng.random((draws, entity.max() + 1)) < 0.5, -1.0, 1.0)
    gathered = _Gathered(np.zeros(draws), np.zeros(draws), np.zeros(draws), [])
    for place in walk_cells(plan):
        kept = np.flatnonzero(place.sample.pairs.reasons == "")
        present = np.unique(entity[place.rows])
        if place.cell is None or len(present) < 2:
            continue
        null = build_null(place.cell, signs[:, present])
        for chosen in plan.control_sets:
            weights = _add_set(gathered, null, chosen, kept, multiverse.significance)
            spread = np.zeros((signs.shape[1], weights.shape[1]))
            spread[present] = weights
            gathered.weights.append(spread)
    return _summarise(multiverse, gathered, signs)


@dataclass(frozen=True)
class CellNull:
    """The draws in one cell.

    Attributes
    ----------
    cell
        The cell.
    signs
        (B, G) signs of its entities.
    sign_pairs
        (B, G(G+1)/2) products of two signs.
    basis
        Orthonormal columns of what is projected out besides the controls and the entity effects.
    """

    cell: Cell
    signs: Floats
    sign_pairs: Floats
    basis: Floats


def build_null(cell: Cell, signs: Floats) -> CellNull:
    """The draws of a cell, with what all its specifications share."""
    row, column = np.triu_indices(signs.shape[1])
    kind = np.float64 if signs.shape[1] <= FEW_CLUSTERS else np.float32
    signs = signs.astype(kind)
    return CellNull(cell, signs, signs[:, row] * signs[:, column], _effects_basis(cell))


def draw_statistics(null: CellNull, chosen: Sequence[int], kept: Codes) -> tuple[Floats, Floats]:
    """Statistics t (V', B) of every estimable pair under the null, and what the signs are weighted with, (G, V').

    Parameters
    ----------
    null
        The draws.
    chosen, kept
        As in `helpers.multiverse.cells.fit_set`.
    """
    cell = null.cell
    fits = fit_set(cell, chosen, kept)
    good = np.flatnonzero(fits.reasons == "")
    pairs = kept[good]
    products, own = fits.products[:, good], fits.squares[:, cell.columns.treatment_of[pairs]]
    total = own.sum(axis=0)
    forms = small_sample_factor(cell, len(chosen)) * _variance_forms(null, fits, pairs, products)
    kind = null.signs.dtype
    spread = np.sqrt(np.maximum(forms.astype(kind) @ null.sign_pairs.T, np.finfo(kind).tiny))
    return (products.T.astype(kind) @ null.signs.T) / spread, products / total


def _add_set(gathered: _Gathered, null: CellNull, chosen: Sequence[int], kept: Codes, significance: float) -> Floats:
    """Add the specifications of one set of controls; their weights of the signs, (G, V')."""
    n_draws, n_entities = null.signs.shape
    critical, normal = stats.t.isf(significance / 2, n_entities - 1), normal_scores(n_entities - 1)
    step = max(1, CHUNK // max(n_draws, n_entities**2))
    parts = []
    for start in range(0, len(kept), step):
        statistics, weights = draw_statistics(null, chosen, kept[start : start + step])
        gathered.above[:] += (statistics > critical).sum(axis=0)
        gathered.below[:] += (statistics < -critical).sum(axis=0)
        gathered.scores[:] += look_up(statistics, normal).sum(axis=0, dtype=float)
        parts.append(weights)
    return np.concatenate(parts, axis=1)


@cache
def normal_scores(df: int) -> Floats:
    """Normal quantile with the same tail as each t(df) statistic from -END to END, in steps of STEP."""
    upper = stats.norm.isf(stats.t.sf(np.arange(0.0, END + STEP / 2, STEP), df))
    return np.concatenate([-upper[:0:-1], upper])


def look_up(statistics: Floats, scores: Floats) -> Floats:
    """Normal scores of t statistics, to half a step."""
    middle = len(scores) // 2
    places = np.rint(np.clip(statistics, -END, END) * (1 / STEP)).astype(np.int32)
    return np.asarray(scores[places + middle])


def _variance_forms(null: CellNull, fits: CellFits, pairs: Codes, products: Floats) -> Floats:
    """Quadratic forms sum_g score*_g^2 in the signs, (V', G(G+1)/2): upper triangles, off-diagonal entries doubled."""
    cell, basis = null.cell, np.column_stack([null.basis, fits.basis])
    outcome_of, treatment_of = cell.columns.outcome_of[pairs], cell.columns.treatment_of[pairs]
    left = _products_with_basis(fits.treatments, basis, cell.starts)[treatment_of]
    right = _products_with_basis(fits.outcomes, basis, cell.starts)[outcome_of]
    own = fits.squares[:, treatment_of]
    left = np.concatenate([left, own.T[:, :, None]], axis=2)
    right = np.concatenate([right, (products / own.sum(axis=0)).T[:, :, None]], axis=2)
    # With A = diag(P) - left right' the form is A'A = diag(P^2) - N right' - right N'.
    half = products.T[:, :, None] * left - 0.5 * np.matmul(right, np.matmul(left.transpose(0, 2, 1), left))
    cross = np.matmul(half, right.transpose(0, 2, 1)).reshape(len(half), -1)
    row, column = np.triu_indices(len(products))
    forms = np.take(cross, row * len(products) + column, axis=1)
    forms += np.take(cross, column * len(products) + row, axis=1)
    forms *= np.where(row == column, -1.0, -2.0)
    forms[:, np.flatnonzero(row == column)] += products.T**2
    return np.asarray(forms)


def _effects_basis(cell: Cell) -> Floats:
    """Orthonormal columns of what is projected out besides the controls and the entity effects, which signs keep."""
    effects = cell.effects
    if not effects.time_effects:
        return np.full((cell.n_obs, 0 if effects.entity_effects else 1), cell.n_obs**-0.5)
    dummies = np.eye(effects.n_times)[effects.time]
    if effects.entity_effects:
        dummies -= group_means(dummies, effects.entity)[effects.entity]
    u, values, _ = np.linalg.svd(dummies, full_matrices=False)
    return np.asarray(u[:, values > 1e-9 * values[0]])


def _products_with_basis(columns: Floats, basis: Floats, starts: Codes) -> Floats:
    """Sums by entity of column times basis, (columns, G, q)."""
    sums = [np.add.reduceat(columns * direction[:, None], starts, axis=0) for direction in basis.T]
    return np.stack(sums, axis=2).transpose(1, 0, 2) if sums else np.empty((columns.shape[1], len(starts), 0))


def _summarise(multiverse: Multiverse, gathered: _Gathered, signs: Floats) -> JointTest:
    table = multiverse.estimated
    n = len(table)
    estimates, standardised = (table[name].to_numpy() for name in ("estimate", "standardised"))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(estimates == 0, 0.0, standardised / estimates)
    significant = table["p_value"].to_numpy() < multiverse.significance
    dominant = 1 if np.sum(estimates > 0) >= np.sum(estimates < 0) else -1
    share = np.mean(significant & (dominant * estimates > 0))
    observed_z = _observed_scores(table).sum() / np.sqrt(n)
    medians, scaled = _null_medians(np.concatenate(gathered.weights, axis=1), ratio, signs)
    return JointTest(
        median=_compare(float(np.median(estimates)), medians),
        median_standardised=_compare(float(np.median(standardised)), scaled),
        share_significant=_compare(float(share), np.maximum(gathered.above, gathered.below) / n),
        stouffer=_compare(float(observed_z), gathered.scores / np.sqrt(n)),
        dominant=dominant,
        n_specifications=n,
        n_draws=len(signs),
    )


def _null_medians(weights: Floats, ratio: Floats, signs: Floats) -> tuple[Floats, Floats]:
    """Median of the estimates, and of the standardised ones, in each draw."""
    step = max(1, CHUNK // weights.shape[1])
    medians = np.empty((2, len(signs)))
    for start in range(0, len(signs), step):
        drawn = signs[start : start + step] @ weights
        medians[0, start : start + step] = np.median(drawn, axis=1)
        medians[1, start : start + step] = np.median(drawn * ratio, axis=1)
    return medians[0], medians[1]


def _observed_scores(table: pd.DataFrame) -> Floats:
    scores = [
        look_up(part["statistic"].to_numpy(), normal_scores(int(str(n_entities)) - 1))
        for n_entities, part in table.groupby("n_entities")
    ]
    return np.concatenate(scores)


def _compare(observed: float, null: Floats) -> JointStatistic:
    reached = np.count_nonzero(np.abs(null) >= abs(observed) * (1 - TIE))
    low, high = np.quantile(null, [0.025, 0.975])
    return JointStatistic(observed, float((1 + reached) / (1 + len(null))), float(low), float(high), null)
