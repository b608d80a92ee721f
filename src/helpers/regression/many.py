"""Many panel regressions at once: samples that weigh the entities, or columns that differ from draw to draw.

Five kernels of least squares stand in this project and look like doubles. Each trades memory for speed differently, and
each is held to `helpers.regression.panel.fit_panel` by a test: that one keeps the rows, for all that is asked of one
regression; `fit_weighted_entities` here keeps one small matrix per entity, for other weights of the same columns;
`fit_batch` here keeps all draws' columns, for indices derived anew; `helpers.multiverse.cells` keeps products of
columns with columns, for every pair of outcome and treatment; `helpers.simulation.size_power` keeps balanced blocks,
for panels that are simulated.

With entity-demeaned time dummies D, regressors x and outcome y, let Z_g = [D, x, y] on the rows of entity g and
A_g = Z_g'Z_g. A sample in which entity g counts w_g times (0: left out; 2: drawn twice, each copy with its own
effect) has the cross-products sum_g w_g A_g. Estimates and clustered scores follow from these alone, so B samples
cost one matrix product and one batched solve, exactly and for unbalanced panels too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.errors import StudyError
from helpers.regression.design import Design, build_design
from helpers.regression.effects import Codes, Effects, Floats, group_means

# Share of a column's variation below which nothing is left of it.
SINGULAR = 1e-10
# Numbers held at once in the largest intermediate array.
CHUNK = 8_000_000


@dataclass(frozen=True)
class WeightedFits:
    """B regressions on the same rows with different weights of the entities.

    Attributes
    ----------
    estimates, std_errors
        Arrays (B, k); NaN where the sample cannot determine them.
    estimable
        Booleans (B,): whether every regressor varies on its own in that sample.
    n_obs, n_clusters
        Rows and clusters (B,); a copy of an entity counts as a cluster of its own.
    regressors
        Names of the k columns.
    """

    estimates: Floats
    std_errors: Floats
    estimable: np.ndarray
    n_obs: Floats
    n_clusters: Floats
    regressors: tuple[str, ...]


@dataclass(frozen=True)
class EntityGrams:
    """Cross-products of each entity.

    Attributes
    ----------
    grams
        Array (G, m, m) of Z_g'Z_g, the columns of Z being time dummies, k regressors, outcome.
    n_dummies
        Number of time dummies (0 without time effects).
    rows
        Rows of each entity at each time, (G, T).
    design
        The regression.
    """

    grams: Floats
    n_dummies: int
    rows: Floats
    design: Design


def fit_weighted_entities(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: ArrayLike,
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
) -> WeightedFits:
    """Fit one regression on B weighted samples of the entities.

    The exact form of an entity (cluster) bootstrap and of leave-some-out refits: the same numbers as `fit_panel` on
    the stacked copies, with standard errors clustered by entity copy under the "stata" convention.

    Parameters
    ----------
    data, outcome, regressors, entity_effects, time_effects
        As in `fit_panel`.
    weights
        (B, G) non-negative counts, entities in sorted order.

    Raises
    ------
    StudyError
        As `fit_panel` on the full sample, or weights of another shape, negative or not finite.
    """
    design = build_design(data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects)
    return fit_grams(build_grams(design), weights)


def build_grams(design: Design) -> EntityGrams:
    """Cross-products of the entity-demeaned time dummies, regressors and outcome, entity by entity."""
    effects = design.effects
    dummies = np.eye(effects.n_times)[effects.time] if effects.time_effects else np.empty((design.n_obs, 0))
    columns = np.column_stack([dummies, design.x, design.y])
    if design.has_constant:
        columns[:, :-2] -= columns[:, :-2].mean(axis=0)
    if effects.entity_effects:
        columns -= group_means(columns, effects.entity)[effects.entity]
    edges = np.searchsorted(effects.entity, np.arange(effects.n_entities + 1))
    blocks = [columns[start:end] for start, end in pairwise(edges)]
    rows = np.zeros((effects.n_entities, effects.n_times))
    np.add.at(rows, (effects.entity, effects.time), 1.0)
    return EntityGrams(np.stack([block.T @ block for block in blocks]), dummies.shape[1], rows, design)


def fit_grams(grams: EntityGrams, weights: ArrayLike) -> WeightedFits:
    """Fit the regression of `grams` on B weighted samples; see `fit_weighted_entities`."""
    counts = check_weights(weights, len(grams.grams))
    n_entities, size, _ = grams.grams.shape
    step = max(1, CHUNK // (n_entities * size))
    parts = [_fit_chunk(grams, counts[start : start + step]) for start in range(0, len(counts), step)]
    estimates, covariance_roots, estimable = (np.concatenate(column) for column in zip(*parts, strict=True))
    effects = grams.design.effects
    n_obs, n_clusters, factor = small_sample_factors(counts, grams.rows, grams.design.n_slopes, effects.time_effects)
    return WeightedFits(
        estimates=estimates,
        std_errors=covariance_roots * np.sqrt(factor)[:, None],
        estimable=estimable,
        n_obs=n_obs,
        n_clusters=n_clusters,
        regressors=grams.design.regressors,
    )


def check_weights(weights: ArrayLike, n_entities: int) -> Floats:
    """Weights as a (B, G) array of finite, non-negative numbers, or a StudyError."""
    counts = np.atleast_2d(np.asarray(weights, dtype=float))
    if counts.ndim != 2 or counts.shape[1] != n_entities:
        raise StudyError(
            "weights", f"their shape is {counts.shape}", f"give one column for each of {n_entities} entities"
        )
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise StudyError("weights", "some are negative, missing or infinite", "give counts 0, 1, 2, ...")
    return counts


def _fit_chunk(grams: EntityGrams, counts: Floats) -> tuple[Floats, Floats, np.ndarray]:
    """Estimates, roots of the raw sandwich's diagonal, and estimability of some samples."""
    n_entities, size, _ = grams.grams.shape
    total = (counts @ grams.grams.reshape(n_entities, -1)).reshape(-1, size, size)
    d, k = grams.n_dummies, size - grams.n_dummies - 1
    # Regress [x, y] on the dummies: what is left are the cross-products of the projected columns.
    on_dummies = solve_dummies(total[:, :d, :d], total[:, :d, d:])
    left = total[:, d:, d:] - np.matmul(total[:, d:, :d], on_dummies)
    inverse, estimable = invert_grams(left[:, :k, :k], np.einsum("bii->bi", total[:, d:-1, d:-1]))
    estimates = np.matmul(inverse, left[:, :k, k:])[:, :, 0]
    # Rows of Z times these vectors are the projected regressors and the residual.
    to_columns = np.concatenate([-on_dummies, np.broadcast_to(np.eye(k + 1), left.shape)], axis=1)
    to_residual = to_columns[:, :, k] - np.matmul(to_columns[:, :, :k], estimates[:, :, None])[:, :, 0]
    half = np.matmul(to_residual, grams.grams.reshape(n_entities * size, size).T)
    scores = np.matmul(half.reshape(-1, n_entities, size), np.matmul(to_columns[:, :, :k], inverse))
    if grams.design.has_constant:
        means = grams.design.x[:, :-1].mean(axis=0)
        estimates, scores = _shift_constant(estimates, means), _shift_constant(scores, means)
    variance = np.matmul(counts[:, None, :], scores**2)[:, 0]
    return estimates, np.sqrt(variance), estimable


def _shift_constant(columns: Floats, means: Floats) -> Floats:
    """The intercept, last on the last axis, of regressors as they came from that of regressors less their means."""
    shifted = columns.copy()
    shifted[..., -1] -= np.sum(columns[..., :-1] * means, axis=-1)
    return shifted


def solve_dummies(gram: Floats, right: Floats) -> Floats:
    """Coefficients on time dummies that are linearly dependent, (B, d, c)."""
    if gram.shape[1] == 0:
        return np.zeros((len(gram), 0, right.shape[2]))
    diagonal = np.einsum("bii->bi", gram)
    seen = diagonal > SINGULAR * diagonal.max(axis=1, keepdims=True)
    if np.abs(gram.sum(axis=2)).max() > SINGULAR * diagonal.max():
        # Without entity effects the dummies are orthogonal.
        return np.asarray(right / np.where(seen, diagonal, 1.0)[:, :, None])
    # The dummies sum to zero: filling that direction, and the times not seen, leaves the solution as it is.
    filled = gram + diagonal.max(axis=1)[:, None, None] * (seen[:, :, None] & seen[:, None, :]) / gram.shape[1]
    filled += np.where(seen, 0.0, 1.0)[:, :, None] * np.eye(gram.shape[1])
    whole = np.linalg.eigvalsh(filled)[:, 0] > SINGULAR * diagonal.max(axis=1)
    solution = np.empty_like(right)
    solution[whole] = np.linalg.solve(filled[whole], right[whole])
    # Entities and times that fall apart into blocks leave more than one direction open.
    solution[~whole] = np.matmul(np.linalg.pinv(gram[~whole], rcond=SINGULAR, hermitian=True), right[~whole])
    return solution


def invert_grams(gram: Floats, before: Floats) -> tuple[Floats, np.ndarray]:
    """Inverses of (B, k, k), NaN where a column has nothing of its own left."""
    length = np.sqrt(np.einsum("bii->bi", gram).clip(min=0))
    estimable = (length**2 > SINGULAR * before).all(axis=1) & (before > 0).all(axis=1)
    safe = np.where(estimable[:, None], length, 1.0)
    unit = gram / (safe[:, :, None] * safe[:, None, :])
    unit[~estimable] = np.eye(gram.shape[1])
    lowest = np.linalg.eigvalsh(unit)[:, 0]
    estimable &= lowest > SINGULAR
    unit[~estimable] = np.eye(gram.shape[1])
    inverse = np.linalg.inv(unit) / (safe[:, :, None] * safe[:, None, :])
    inverse[~estimable] = np.nan
    return inverse, estimable


def small_sample_factors(counts: Floats, rows: Floats, n_slopes: int, time_effects: bool) -> tuple[Floats, ...]:
    """Rows, clusters, and G/(G-1) x (N-1)/(N-K) of B samples; the factor is NaN where it is undefined.

    Parameters
    ----------
    counts
        Weights of the entities (B, G).
    rows
        Rows of each entity at each time (G, T).
    n_slopes
        Regressors without the intercept.
    time_effects
        Whether K counts the times seen; entity effects are nested in the clusters and do not count.
    """
    n_obs = counts @ rows.sum(axis=1)
    n_clusters = counts.sum(axis=1)
    times = ((counts @ rows) > 0).sum(axis=1) if time_effects else np.ones(len(counts))
    k = n_slopes + times
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = n_clusters / (n_clusters - 1) * (n_obs - 1) / (n_obs - k)
    return n_obs, n_clusters, np.where((n_clusters > 1) & (n_obs > k), factor, np.nan)


def fit_batch(
    outcome: ArrayLike,
    regressors: ArrayLike,
    entity: ArrayLike,
    time: ArrayLike,
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    weights: ArrayLike | None = None,
) -> WeightedFits:
    """Fit B regressions on the same rows, each with columns and entity weights of its own.

    The same numbers as B calls of `fit_panel`, clustered by entity under the "stata" convention. Columns are taken
    as they come: a sample that cannot determine the estimates is reported in `estimable`, not raised.

    Parameters
    ----------
    outcome
        (B, N), or (N,) for one outcome in all.
    regressors
        (B, N, k), or (N, k) for the same in all. Without effects the intercept is added as last column.
    entity, time
        Labels (N,), each pair once; rows in the order of the columns.
    entity_effects, time_effects
        Effects to absorb.
    weights
        (B, G) counts of the entities, in sorted order; None counts each once.

    Returns
    -------
    WeightedFits
        Estimates and standard errors (B, k); regressors are named 0, 1, ...

    Raises
    ------
    StudyError
        Shapes that do not fit together, or figures that are not finite.
    """
    y, x = _check_columns(np.asarray(outcome, dtype=float), np.asarray(regressors, dtype=float))
    codes = [np.unique(np.asarray(labels), return_inverse=True)[1].ravel() for labels in (entity, time)]
    order = np.lexsort((codes[1], codes[0]))
    effects = Effects(codes[0][order], codes[1][order], entity_effects, time_effects)
    counts = None if weights is None else check_weights(weights, effects.n_entities)
    n_draws = max(len(y), len(x), 1 if counts is None else len(counts))
    if {len(y), len(x), n_draws if counts is None else len(counts)} - {1, n_draws}:
        raise StudyError("batch", "outcome, regressors and weights count different draws", "give the same B to each")
    step = max(1, CHUNK // (2 * y.shape[1] * (x.shape[2] + 2)))
    parts = []
    for start in range(0, n_draws, step):
        chunk_counts = _chunk_weights(counts, start, step, n_draws, effects)
        parts.append(
            _fit_columns(_part(y, start, step)[:, order], _part(x, start, step)[:, order], effects, chunk_counts)
        )
    estimates, std_errors, estimable, n_obs, n_clusters = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    names = tuple(str(j) for j in range(estimates.shape[1]))
    return WeightedFits(estimates, std_errors, estimable, n_obs, n_clusters, names)


def _check_columns(y: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Columns with the draws as first axis."""
    y = y[None] if y.ndim == 1 else y
    x = x[None] if x.ndim == 2 else x
    if y.ndim != 2 or x.ndim != 3 or y.shape[1] != x.shape[1]:
        raise StudyError(
            "batch", f"shapes {y.shape} and {x.shape} do not fit", "give outcome (B, N), regressors (B, N, k)"
        )
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise StudyError("batch", "some figures are missing or infinite", "check the columns of each draw first")
    return y, x


def _part(columns: Floats, start: int, step: int) -> Floats:
    return columns if len(columns) == 1 else columns[start : start + step]


def _chunk_weights(counts: Floats | None, start: int, step: int, n_draws: int, effects: Effects) -> Floats:
    """Weights of a chunk; without any, one row of ones stands for all draws."""
    if counts is None:
        return np.ones((1, effects.n_entities))
    return counts if len(counts) == 1 and n_draws > 1 else counts[start : start + step]


def _fit_columns(y: Floats, x: Floats, effects: Effects, counts: Floats) -> tuple[Floats, ...]:
    """Estimates, standard errors, estimability, rows and clusters of some regressions."""
    n_draws = max(len(y), len(x), len(counts))
    means = x.mean(axis=1, keepdims=True)
    if not effects.absorbed():
        # The intercept takes the means up again at the end; without them nothing cancels where columns are long.
        x = np.concatenate([x - means, np.ones((*x.shape[:2], 1))], axis=2)
    shape = (n_draws if len(x) > 1 or len(y) > 1 else 1, y.shape[1])
    columns = np.concatenate([np.broadcast_to(x, (*shape, x.shape[2])), np.broadcast_to(y, shape)[:, :, None]], axis=2)
    starts = np.searchsorted(effects.entity, np.arange(effects.n_entities))
    if effects.entity_effects:
        columns = columns - _entity_means(columns, effects.entity, starts)
    row_weights = counts[:, effects.entity][:, :, None]
    before = np.einsum("bnk,bnk->bk", columns[:, :, :-1], columns[:, :, :-1] * row_weights)
    if effects.time_effects:
        columns = _remove_time(columns, counts, row_weights, effects)
    projected = columns[:, :, :-1]
    gram = np.matmul((columns * row_weights).transpose(0, 2, 1), columns)
    inverse, estimable = invert_grams(gram[:, :-1, :-1], np.broadcast_to(before, gram.shape[:1] + before.shape[1:]))
    estimates = np.matmul(inverse, gram[:, :-1, -1:])
    residuals = columns[:, :, -1:] - np.matmul(projected, estimates)
    scores = np.matmul(np.add.reduceat(projected * residuals, starts, axis=1), inverse)
    slopes = estimates[:, :, 0]
    if not effects.absorbed():
        slopes, scores = _shift_constant(slopes, means[:, 0]), _shift_constant(scores, means)
    rows = np.zeros((effects.n_entities, effects.n_times))
    rows[effects.entity, effects.time] = 1.0
    n_slopes = x.shape[2] - (0 if effects.absorbed() else 1)
    n_obs, n_clusters, factor = small_sample_factors(counts, rows, n_slopes, effects.time_effects)
    variance = np.matmul(counts[:, None, :], scores**2)[:, 0] * factor[:, None]
    full = np.ones(n_draws)
    return slopes, np.sqrt(variance), estimable, n_obs * full, n_clusters * full


def _entity_means(columns: Floats, entity: Codes, starts: Codes) -> Floats:
    """Means by entity, repeated on its rows; rows are sorted by entity."""
    sums = np.add.reduceat(columns, starts, axis=1)
    return np.asarray((sums / np.bincount(entity)[:, None])[:, entity])


def _remove_time(columns: Floats, counts: Floats, row_weights: Floats, effects: Effects) -> Floats:
    """Residuals of columns on the time effects (entity-demeaned when entity effects are in the model)."""
    n_entities, n_times = effects.n_entities, effects.n_times
    if effects.is_balanced:
        grid = columns.reshape(len(columns), n_entities, -1)
        totals = counts.sum(axis=1)[:, None, None]
        means = np.matmul(counts[:, None, :], grid) / np.where(totals > 0, totals, 1.0)
        return np.asarray((grid - means).reshape(max(len(columns), len(counts)), n_entities * n_times, -1))
    dummies = np.eye(n_times)[effects.time]
    if effects.entity_effects:
        starts = np.searchsorted(effects.entity, np.arange(n_entities))
        dummies = dummies - _entity_means(dummies[None], effects.entity, starts)[0]
    gram = np.einsum("bn,ns,nt->bst", row_weights[:, :, 0], dummies, dummies, optimize=True)
    right = np.matmul(dummies.T, columns * row_weights)
    levels = solve_dummies(np.broadcast_to(gram, (len(right), *gram.shape[1:])), right)
    return np.asarray(columns - np.matmul(dummies, levels))
