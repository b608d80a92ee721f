"""Regressors that cannot be told apart, and what absorbs them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from helpers.errors import StudyError
from helpers.regression.effects import Effects

# Share of a column's length below which what is left of it is rounding.
ABSORBED = 1e-10
COLLINEAR = 1e-8


def check_rank(names: Sequence[str], x: NDArray[np.float64], x_within: NDArray[np.float64], effects: Effects) -> None:
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
        if left <= ABSORBED * np.linalg.norm(raw):
            raise StudyError(
                f"regressor {name}",
                f"it has no variation of its own: {_absorber(raw, effects)}",
                "leave it out, or leave out the effects that absorb it",
            )
    _check_collinear(names, x_within / length)


def _absorber(column: NDArray[np.float64], effects: Effects) -> str:
    """What in the effects explains the whole of a column."""
    if not np.any(column):
        return "it is zero in every row"
    if np.ptp(column) <= ABSORBED * np.abs(column).max():
        return "it is the same in every row, absorbed by the general mean"
    if effects.entity_effects and _is_constant_within(column, effects.entity):
        return "it is constant within every entity, absorbed by the entity effects"
    if effects.time_effects and _is_constant_within(column, effects.time):
        return "it is the same for all entities at each time, absorbed by the time effects"
    return "it is a sum of an entity part and a time part, absorbed by the entity and time effects together"


def _is_constant_within(column: NDArray[np.float64], codes: NDArray[np.intp]) -> bool:
    means = np.bincount(codes, column) / np.bincount(codes)
    return bool(np.linalg.norm(column - means[codes]) <= ABSORBED * np.linalg.norm(column))


def _check_collinear(names: Sequence[str], unit: NDArray[np.float64]) -> None:
    """Stop at the first column of unit length that those before it span."""
    # The intercept goes first, so that the regressor and not the intercept is named.
    order = sorted(range(len(names)), key=lambda j: names[j] != "const")
    for position, j in enumerate(order[1:], start=1):
        before = order[:position]
        weights, *_ = np.linalg.lstsq(unit[:, before], unit[:, j])
        if np.linalg.norm(unit[:, j] - unit[:, before] @ weights) <= COLLINEAR:
            partners = [
                "the intercept" if names[i] == "const" else names[i]
                for i, weight in zip(before, weights, strict=True)
                if abs(weight) > COLLINEAR
            ]
            raise StudyError(
                f"regressor {names[j]}",
                f"it is collinear with {', '.join(partners)} once the effects are removed",
                f"leave out {names[j]} or one of the others",
            )
