"""What is collinear, decided in one place, and least squares that do not depend on the units of a column.

Every column is scaled to unit length before its rank is judged. A column whose distance from the span of those before
it is below `SEPARATE` of its own length is collinear: figures are kept to 16 digits, so beyond that distance what is
left of a column has fewer than nine digits, and no statistic made of it has eight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.errors import StudyError
from helpers.regression.effects import Effects

Floats = NDArray[np.float64]

# Share of a column's length below which what is left of it is rounding.
SEPARATE = 1e-7
ABSORBED = SEPARATE
COLLINEAR = SEPARATE


@dataclass(frozen=True)
class Basis:
    """The span of some columns.

    Attributes
    ----------
    q
        Orthonormal columns (n, rank).
    kept
        Positions of the columns that those before them do not span, rank of them.
    """

    q: Floats
    kept: tuple[int, ...]

    @property
    def rank(self) -> int:
        """Number of columns that are not spanned by those before them."""
        return len(self.kept)

    def remove(self, columns: Floats) -> Floats:
        """Residuals of columns (n,) or (n, m) on the span."""
        return np.asarray(columns - self.q @ (self.q.T @ columns))


def span(columns: Floats, before: Floats | None = None) -> Basis:
    """An orthonormal basis of columns (n, k), in their order; columns that those before them span are left out.

    Parameters
    ----------
    columns
        The columns.
    before
        Lengths (k,) of the columns from which these are what a projection or a mean has left: of what is shorter than
        `SEPARATE` of that only rounding is left, and it spans nothing.
    """
    basis = np.zeros((len(columns), 0))
    kept = []
    for place, column in enumerate(columns.T):
        length = np.linalg.norm(column)
        if before is not None and length <= SEPARATE * before[place]:
            continue
        left = column / (length or 1.0)
        # Once is exact in theory; the second pass removes what rounding left.
        for _ in range(2):
            left = left - basis @ (basis.T @ left)
        rest = np.linalg.norm(left)
        if rest > SEPARATE:
            basis = np.column_stack([basis, left / rest])
            kept.append(place)
    return Basis(basis, tuple(kept))


def solve(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Estimates (k,) of y on independent columns x (n, k), and the weights (n, k) whose products with y they are.

    By QR of the columns scaled to unit length. Sandwiches are sums of weights times residuals, without (X'X)^-1, so
    that nothing cancels where columns are long or nearly alike.

    Raises
    ------
    StudyError
        The columns are collinear.
    """
    length = np.linalg.norm(x, axis=0)
    if not (length > 0).all():
        raise StudyError("least squares", "a column is zero in every row", "leave it out")
    q, r = np.linalg.qr(x / length)
    # A hundredth, since the order of the columns may be another than where their rank was judged.
    if np.abs(np.diag(r)).min() <= SEPARATE / 100:
        place = int(np.argmin(np.abs(np.diag(r))))
        raise StudyError("least squares", f"column {place + 1} is collinear with those before it", "leave it out")
    weights = np.linalg.solve(r, q.T).T / length
    return np.asarray(weights.T @ y), np.asarray(weights)


def least_squares(x: Floats, y: Floats) -> Floats:
    """Estimates (k,) or (k, m) of y on columns x (n, k); the shortest ones, in unit lengths, where x is collinear."""
    length = np.linalg.norm(x, axis=0)
    length = np.where(length > 0, length, 1.0)
    estimates, *_ = np.linalg.lstsq(x / length, y, rcond=SEPARATE)
    return np.asarray(estimates / (length if y.ndim == 1 else length[:, None]))


def quadratic_form(vector: Floats, covariance: Floats) -> float:
    """V' V^-1 v, with V scaled to a unit diagonal before it is solved.

    Raises
    ------
    StudyError
        V is singular, so that some combination is known without error.
    """
    scale = np.sqrt(np.abs(np.diag(covariance)))
    unit = covariance / np.outer(scale, scale) if (scale > 0).all() else np.zeros_like(covariance)
    if np.linalg.cond(unit) > 1 / (8 * len(unit) * np.finfo(float).eps):
        raise StudyError("Wald test", "the covariance of the coefficients is singular", "test fewer coefficients")
    return float((vector / scale) @ np.linalg.solve(unit, vector / scale))


def is_definite(covariance: Floats) -> bool:
    """Whether a symmetric matrix is positive definite beyond rounding, whatever the units of its rows."""
    scale = np.sqrt(np.abs(np.diag(covariance)))
    if not (scale > 0).all():
        return False
    return bool(np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] > 8 * len(scale) * np.finfo(float).eps)


def check_rank(names: Sequence[str], x: Floats, x_within: Floats, effects: Effects) -> None:
    """Stop when a regressor has no variation of its own.

    Parameters
    ----------
    names
        Regressors, k of them.
    x, x_within
        Their columns (n_obs, k), as given and after the effects are projected out.
    effects
        Effects of the model, to say what absorbs a regressor.

    Raises
    ------
    StudyError
        Names the first regressor that is absorbed by the effects, or that is a combination of those before it.
    """
    length = np.linalg.norm(x_within, axis=0)
    for name, raw, left in zip(names, x.T, length, strict=True):
        if left <= SEPARATE * np.linalg.norm(raw):
            given = raw if effects.root is None else raw / effects.root
            raise StudyError(
                f"regressor {name}",
                f"it has no variation of its own: {_absorber(given, effects)}",
                "leave it out, or leave out the effects that absorb it",
            )
    _check_collinear(names, x_within / length)


def _absorber(column: Floats, effects: Effects) -> str:
    """What in the effects explains the whole of a column."""
    if not np.any(column):
        return "it is zero in every row"
    if np.ptp(column) <= SEPARATE * np.abs(column).max():
        return "it is the same in every row, absorbed by the general mean"
    if effects.entity_effects and _is_constant_within(column, effects.entity):
        return "it is constant within every entity, absorbed by the entity effects"
    if effects.time_effects and _is_constant_within(column, effects.time):
        return "it is the same for all entities at each time, absorbed by the time effects"
    return "it is a sum of an entity part and a time part, absorbed by the entity and time effects together"


def _is_constant_within(column: Floats, codes: NDArray[np.intp]) -> bool:
    means = np.bincount(codes, column) / np.bincount(codes)
    return bool(np.linalg.norm(column - means[codes]) <= SEPARATE * np.linalg.norm(column))


def _check_collinear(names: Sequence[str], unit: Floats) -> None:
    """Stop at the first column of unit length that those before it span."""
    # The intercept goes first, so that the regressor and not the intercept is named.
    order = sorted(range(len(names)), key=lambda j: names[j] != "const")
    distances = np.abs(np.diag(np.linalg.qr(unit[:, order], mode="r")))
    spanned = np.flatnonzero(distances <= SEPARATE)
    if not len(spanned):
        return
    position = int(spanned[0])
    before, name = order[:position], names[order[position]]
    weights = least_squares(unit[:, before], unit[:, order[position]])
    partners = [
        "the intercept" if names[i] == "const" else names[i]
        for i, weight in zip(before, weights, strict=True)
        if abs(weight) > SEPARATE
    ]
    raise StudyError(
        f"regressor {name}",
        f"it is collinear with {', '.join(partners)} once the effects are removed",
        f"leave out {name} or one of the others",
    )
