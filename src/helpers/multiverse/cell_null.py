"""The estimates and their t of a cell's specifications in draws of signs, one for each entity, under the null.

In a draw the restricted residuals u (of the model without the treatment) of an entity are multiplied by its sign v_g.
With P_g, R_g and d as in `helpers.multiverse.cells`, and B an orthonormal basis of the time effects and the controls,

    estimate* = sum_g v_g P_g / sum_g R_g,    score*_g = v_g P_g - (d'B)_g sum_h (B'u)_h v_h - estimate* x R_g,

so that the variance is a quadratic form in v: one small matrix for each specification serves all draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers import distributions as stats
from helpers.multiverse.cells import Cell, CellFits, fit_set, small_sample_factor
from helpers.regression.effects import Codes, Floats, group_means

# Steps of the table of normal scores, in t statistics, and where the table ends.
STEP, END = 0.001, 60.0
# Up to so many clusters a draw can be the sample itself, so that ties need full precision.
FEW_CLUSTERS = 12


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


def draw_statistics(null: CellNull, chosen: Sequence[int], kept: Codes) -> tuple[Floats, Floats, Codes]:
    """Statistics of every estimable pair under the null.

    Parameters
    ----------
    null
        The draws.
    chosen, kept
        As in `helpers.multiverse.cells.fit_set`.

    Returns
    -------
    tuple
        Statistics t (V', B); what the signs are weighted with in the estimate, (G, V'); positions (V',) of the pairs.
    """
    cell = null.cell
    fits = fit_set(cell, chosen, kept)
    good = np.flatnonzero(fits.reasons == "")
    pairs = kept[good]
    treatment_of = cell.columns.treatment_of[pairs]
    products, own = fits.products[:, good], fits.squares[:, treatment_of]
    total = own.sum(axis=0)
    # In units of the columns' lengths no number leaves the range of single precision.
    lengths = np.linalg.norm(fits.outcomes, axis=0)[cell.columns.outcome_of[pairs]] * np.sqrt(total)
    unit = (products / np.where(lengths > 0, lengths, 1.0)).astype(null.signs.dtype)
    forms = small_sample_factor(cell, len(chosen)) * _variance_forms(null, fits, pairs, unit)
    spread = np.sqrt(np.maximum(forms @ null.sign_pairs.T, np.finfo(unit.dtype).tiny))
    return (unit.T @ null.signs.T) / spread, products / total, pairs


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
    """Quadratic forms sum_g score*_g^2 in the signs, (V', G(G+1)/2): upper triangles, off-diagonal entries doubled.

    `products` are in units of the columns' lengths, and so is everything here.
    """
    cell, kind = null.cell, products.dtype
    basis = np.column_stack([null.basis, fits.basis])
    outcome_of, treatment_of = cell.columns.outcome_of[pairs], cell.columns.treatment_of[pairs]
    lengths = [np.linalg.norm(columns, axis=0) for columns in (fits.treatments, fits.outcomes)]
    safe = [np.where(length > 0, length, 1.0) for length in lengths]
    left = _products_with_basis(fits.treatments / safe[0], basis, cell.starts)[treatment_of]
    right = _products_with_basis(fits.outcomes / safe[1], basis, cell.starts)[outcome_of]
    own = (fits.squares / safe[0] ** 2)[:, treatment_of].T
    left = np.concatenate([left, own[:, :, None]], axis=2).astype(kind)
    right = np.concatenate([right, (products / own.sum(axis=1)).T[:, :, None]], axis=2).astype(kind)
    # With A = diag(P) - left right' the form is A'A = diag(P^2) - N right' - right N'.
    half = products.T[:, :, None] * left - 0.5 * np.matmul(right, np.matmul(left.transpose(0, 2, 1), left))
    cross = np.matmul(half, right.transpose(0, 2, 1)).reshape(len(half), -1)
    row, column = np.triu_indices(len(products))
    forms = np.take(cross, row * len(products) + column, axis=1)
    forms += np.take(cross, column * len(products) + row, axis=1)
    forms *= np.where(row == column, -1.0, -2.0).astype(kind)
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
