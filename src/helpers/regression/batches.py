"""Many panel regressions at once whose columns differ: indices derived anew in each draw or specification."""

import numpy as np
from numpy.typing import ArrayLike

from helpers.errors import StudyError
from helpers.regression.effects import Codes, Effects, Floats
from helpers.regression.many import WeightedFits, check_weights, invert_grams, small_sample_factors, solve_dummies

# Numbers held at once in the largest intermediate array.
CHUNK = 4_000_000


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
    step = max(1, CHUNK // (y.shape[1] * (x.shape[2] + 2)))
    parts = []
    for start in range(0, n_draws, step):
        chunk_counts = _weights(counts, start, step, n_draws, effects)
        parts.append(
            _fit_chunk(_part(y, start, step)[:, order], _part(x, start, step)[:, order], effects, chunk_counts)
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


def _weights(counts: Floats | None, start: int, step: int, n_draws: int, effects: Effects) -> Floats:
    """Weights of a chunk; without any, one row of ones stands for all draws."""
    if counts is None:
        return np.ones((1, effects.n_entities))
    return counts if len(counts) == 1 and n_draws > 1 else counts[start : start + step]


def _fit_chunk(y: Floats, x: Floats, effects: Effects, counts: Floats) -> tuple[Floats, ...]:
    """Estimates, standard errors, estimability, rows and clusters of some regressions."""
    n_draws = max(len(y), len(x), len(counts))
    if not effects.absorbed():
        x = np.concatenate([x, np.ones((*x.shape[:2], 1))], axis=2)
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
    rows = np.zeros((effects.n_entities, effects.n_times))
    rows[effects.entity, effects.time] = 1.0
    n_slopes = x.shape[2] - (0 if effects.absorbed() else 1)
    n_obs, n_clusters, factor = small_sample_factors(counts, rows, n_slopes, effects.time_effects)
    variance = np.matmul(counts[:, None, :], scores**2)[:, 0] * factor[:, None]
    full = np.ones(n_draws)
    return estimates[:, :, 0], np.sqrt(variance), estimable, n_obs * full, n_clusters * full


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
