"""Placebo: the treatment histories of the entities dealt out anew, by chance or in every possible way."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from helpers.errors import StudyError
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit

# Numbers held at once in a block of permutations.
CHUNK = 4_000_000
# Relative distance within which two statistics are the same number.
TIE = 1e-9


@dataclass(frozen=True)
class Placebo:
    """A permutation test of the treatment.

    Attributes
    ----------
    treatment
        The regressor whose histories were dealt out anew.
    estimate, statistic
        Estimate, and its t statistic with conventional errors, in the sample.
    p_value
        Share of permutations whose |t| is at least that of the sample; with random permutations the sample counts as
        one of them.
    p_value_estimate
        The same for |estimate| in place of |t|.
    estimates
        Estimate of each permutation, (n_draws,).
    n_draws, enumerated
        Permutations made, and whether they are all there are.
    """

    treatment: str
    estimate: float
    statistic: float
    p_value: float
    p_value_estimate: float
    estimates: Floats
    n_draws: int
    enumerated: bool


def permute_treatment(
    fit: PanelFit, treatment: str, *, draws: int = 9_999, rng: np.random.Generator | None = None
) -> Placebo:
    """Test whether the treatment histories matter by dealing them out to other entities, whole.

    Outcome, controls and effects stay where they are. On a balanced panel the projected treatment of a permutation is
    the permuted projected treatment, so numerator and denominator of each estimate are sums of entries, one a row, of
    small matrices of cross-products: estimate = x'M y / x'M x, M the residual maker of the controls.

    Parameters
    ----------
    fit
        A fit on a balanced panel.
    treatment
        The regressor to deal out.
    draws
        Random permutations; all G! are used instead when there are no more of them than `draws`.
    rng
        Source of the permutations; not used when all are made.

    Raises
    ------
    StudyError
        An unbalanced panel, an unknown regressor, or no source of permutations where one is needed.
    """
    effects = fit.design.effects
    if treatment not in fit.regressors:
        raise StudyError(f"regressor {treatment}", "it is not in the fit", f"use one of {list(fit.regressors)}")
    if not effects.is_balanced:
        raise StudyError("placebo", "entities have different times", "use a balanced panel")
    entries, total, df = _entries(fit, treatment)
    n_entities = effects.n_entities
    enumerated = n_entities <= 20 and factorial(n_entities) <= draws
    if enumerated:
        orders = _all_orders(n_entities)
    elif rng is None:
        raise StudyError("placebo", "the permutations have no source", "pass rng, a numpy Generator")
    else:
        orders = _random_orders(n_entities, draws, entries.shape[1], rng)
    parts = [_fit_orders(entries, n_entities, total, df, block) for block in orders]
    estimates, statistics = (np.concatenate(column) for column in zip(*parts, strict=True))
    own = _fit_orders(entries, n_entities, total, df, np.arange(n_entities)[None])
    extra = 0 if enumerated else 1
    above = [
        (np.count_nonzero(np.abs(drawn) >= abs(float(value[0])) * (1 - TIE)) + extra) / (len(drawn) + extra)
        for drawn, value in zip((statistics, estimates), (own[1], own[0]), strict=True)
    ]
    return Placebo(
        treatment=treatment,
        estimate=float(own[0][0]),
        statistic=float(own[1][0]),
        p_value=float(above[0]),
        p_value_estimate=float(above[1]),
        estimates=estimates,
        n_draws=len(estimates),
        enumerated=enumerated,
    )


def _entries(fit: PanelFit, treatment: str) -> tuple[Floats, float, int]:
    """Cross-products (G * G, 2 + c) of entity g's rows with the treatment history of entity h, at place g * G + h.

    The first column is with the outcome given the controls, the second the squared length of the history, then one for
    each orthonormal control. Also the outcome's sum of squares given the controls, and N - K.
    """
    design = fit.design
    n_entities = design.effects.n_entities
    position = fit.regressors.index(treatment)
    x = design.x_within[:, position].reshape(n_entities, -1)
    basis, _ = np.linalg.qr(np.delete(design.x_within, position, axis=1))
    outcome = design.y_within - basis @ (basis.T @ design.y_within)
    columns = [outcome.reshape(n_entities, -1) @ x.T, np.tile((x**2).sum(axis=1), (n_entities, 1))]
    columns += [column.reshape(n_entities, -1) @ x.T for column in basis.T]
    return np.stack([column.ravel() for column in columns], axis=1), float(outcome @ outcome), _residual_df(fit)


def _residual_df(fit: PanelFit) -> int:
    return fit.n_obs - fit.sizes.n_parameters


def _all_orders(n_entities: int) -> Iterator[NDArray[np.intp]]:
    """Every permutation, in one block."""
    yield np.array(list(permutations(range(n_entities))), dtype=np.intp)


def _random_orders(n_entities: int, draws: int, width: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Independent permutations, in blocks."""
    size = max(1, CHUNK // (n_entities * width))
    for start in range(0, draws, size):
        tile = np.tile(np.arange(n_entities), (min(size, draws - start), 1))
        yield rng.permuted(tile, axis=1)


def _fit_orders(
    entries: Floats, n_entities: int, total: float, df: int, orders: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Estimates and conventional t statistics of some permutations."""
    places = orders + n_entities * np.arange(n_entities)
    sums = np.zeros((len(orders), entries.shape[1]))
    for column in places.T:
        sums += entries[column]
    left = sums[:, 1] - np.einsum("bc,bc->b", sums[:, 2:], sums[:, 2:])
    estimates = sums[:, 0] / left
    residual = np.maximum(total - sums[:, 0] * estimates, 0.0)
    return estimates, estimates * np.sqrt(left * df / residual)
