"""Many weighted panel regressions at once, through one small cross-product matrix per entity.

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
from helpers.regression.effects import Floats, group_means

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
    variance = np.matmul(counts[:, None, :], scores**2)[:, 0]
    return estimates, np.sqrt(variance), estimable


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
