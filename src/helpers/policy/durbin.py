"""Spatial lag and spatial Durbin models of a panel with entity and time effects, by the transformed likelihood.

    y_t = rho W y_t + X_t b + W X_t c + entity effects + time effect + e_t,   e ~ (0, s2), independent.

Lee and Yu (2010) take the effects out by orthonormal transformations, so that n - 1 entities and T - 1 times are left
and nothing has to be corrected afterwards; with W row-standardised the transformed equation is again of this form and

    ln|I - rho W*| = ln|I - rho W| - ln(1 - rho).

The transformed regressions are those of columns with both means taken out, with (n - 1)(T - 1) observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.policy.space import SpatialWeights
from helpers.regression.collinearity import least_squares
from helpers.regression.design import build_design
from helpers.results.estimate import Estimate
from helpers.study.model import Model

EDGE = 1e-6
# Newton's steps after the search; each doubles the number of digits that hold.
STEPS = 4


@dataclass(frozen=True)
class SpatialFit:
    """A spatial panel regression.

    Attributes
    ----------
    rho
        Effect of the neighbours' outcome.
    coefficients
        Own regressors by name, the neighbours' as ``neighbours_<name>``.
    effects
        Rows (regressor, kind), kind direct, indirect or total, as estimates (LeSage and Pace 2009): the mean effect of
        one entity's regressor on its own outcome, on all others', and the sum. Standard errors by the delta method.
    log_likelihood
        At the estimate.
    sigma2
        Variance of the errors.
    n_obs, n_entities
        Rows and entities.
    """

    rho: Estimate
    coefficients: dict[str, Estimate]
    effects: dict[tuple[str, str], Estimate]
    log_likelihood: float
    sigma2: float
    n_obs: int
    n_entities: int


def fit_spatial(
    data: pd.DataFrame, model: Model, weights: SpatialWeights, *, durbin: Sequence[str] | None = None
) -> SpatialFit:
    """Fit a spatial lag model, or a spatial Durbin model, with entity and time effects.

    Parameters
    ----------
    data
        Balanced panel, rows indexed by (entity, time).
    model
        Outcome and regressors; its effects must be both.
    weights
        Row-standardised weights over the entities of the panel.
    durbin
        Regressors whose neighbours' means stand beside them: all when left out, none for the spatial lag model.

    Raises
    ------
    StudyError
        An unbalanced panel, a model without both effects, weights over other entities; a likelihood that is highest at
        an end of the range of rho, where no estimate has a distribution.

    Notes
    -----
    Standard errors are from the information matrix, for errors that are independent of each other: they take no account
    of errors that last within an entity.

    R spatialreg's lagsarlm on the transformed columns has the same numbers, but it lets rho pass 1, which the
    transformation makes possible and the model itself does not.

    Source: Lee and Yu (2010), Journal of Econometrics 154, 165-185; LeSage and Pace (2009), ch. 2.
    """
    stacked = _Stacked.build(data, model, weights, model.regressors if durbin is None else tuple(durbin))
    rho = stacked.best()
    beta, sigma2 = stacked.solve(rho)
    covariance = _invert(stacked.information(rho, beta, sigma2))
    errors = np.sqrt(np.diag(covariance))
    names = stacked.names
    return SpatialFit(
        rho=stacked.estimate(rho, errors[len(names)]),
        coefficients={name: stacked.estimate(beta[n], errors[n]) for n, name in enumerate(names)},
        effects=stacked.effects(rho, beta, covariance),
        log_likelihood=stacked.likelihood(rho),
        sigma2=sigma2,
        n_obs=stacked.y.size,
        n_entities=stacked.w.shape[0],
    )


@dataclass(frozen=True)
class _Stacked:
    """The columns after both means, as T x n arrays, and what the likelihood needs of the weights.

    y, wy (T, n); x (T, n, k); own: names of the regressors, lagged: those whose neighbours' mean is a column too.
    """

    y: np.ndarray
    wy: np.ndarray
    x: np.ndarray
    w: np.ndarray
    roots: np.ndarray
    own: tuple[str, ...]
    lagged: tuple[str, ...]

    @classmethod
    def build(cls, data: pd.DataFrame, model: Model, weights: SpatialWeights, lagged: Sequence[str]) -> _Stacked:
        if not (model.entity_effects and model.time_effects):
            raise StudyError("spatial model", "it is written for entity and time effects", "use both effects")
        design = build_design(data, model.outcome, model.regressors, entity_effects=True, time_effects=True)
        entities = design.index.unique(0).sort_values()
        if not design.effects.is_balanced:
            raise StudyError("spatial model", "the panel is not balanced", "keep the entities that are seen every time")
        if list(entities) != list(weights.matrix.index):
            raise StudyError("spatial model", "the weights are over other entities", "build them over this panel")
        unknown = [name for name in lagged if name not in model.regressors]
        if unknown:
            raise StudyError(f"spatial model, {unknown[0]}", "it is not a regressor", "name regressors of the model")
        n, t = design.effects.n_entities, design.effects.n_times
        w = weights.matrix.to_numpy(dtype=float)

        def wide(column: np.ndarray) -> np.ndarray:
            return np.asarray(column.reshape(n, t).T)

        def centred(column: np.ndarray) -> np.ndarray:
            return np.asarray(column - column.mean(axis=0) - column.mean(axis=1, keepdims=True) + column.mean())

        y = wide(design.y)
        columns = {name: wide(design.x[:, place]) for place, name in enumerate(design.regressors)}
        layers = [*columns.values(), *(columns[name] @ w.T for name in lagged)]
        x = np.stack([centred(layer) for layer in layers], axis=2)
        return cls(centred(y), centred(y @ w.T), x, w, np.linalg.eigvals(w), model.regressors, tuple(lagged))

    @property
    def names(self) -> list[str]:
        """Every coefficient but rho."""
        return [*self.own, *(f"neighbours_{name}" for name in self.lagged)]

    @property
    def lowest(self) -> float:
        """The smallest rho: 1 over the most negative real root of W."""
        real = self.roots.real[np.abs(self.roots.imag) < 1e-9]
        return float(1 / real.min()) if real.min() < -1e-9 else -1.0

    @property
    def size(self) -> int:
        """Observations after the transformation, (n - 1)(T - 1)."""
        times, entities = self.y.shape
        return int((times - 1) * (entities - 1))

    def solve(self, rho: float) -> tuple[np.ndarray, float]:
        """Coefficients and error variance given rho."""
        flat = self.x.reshape(-1, self.x.shape[2])
        target = (self.y - rho * self.wy).ravel()
        beta = least_squares(flat, target)
        left = target - flat @ beta
        return beta, float(left @ left) / self.size

    def likelihood(self, rho: float) -> float:
        """Log likelihood with coefficients and variance at their best given rho."""
        _, sigma2 = self.solve(rho)
        determinant = float(np.sum(np.log(np.abs(1 - rho * self.roots)))) - np.log(1 - rho)
        times = self.y.shape[0]
        return float((times - 1) * determinant - self.size / 2 * (np.log(2 * np.pi * sigma2) + 1))

    def best(self) -> float:
        """The rho of the highest likelihood: near it by search, then by Newton's steps on the slope.

        A search that compares likelihoods ends where their last bits decide, at half of the digits of rho.
        """
        bounds = (self.lowest + EDGE, 1 - EDGE)
        options = {"xatol": 1e-10}
        found = optimize.minimize_scalar(
            lambda rho: -self.likelihood(rho), bounds=bounds, method="bounded", options=options
        )
        rho = float(found.x)
        for _ in range(STEPS):
            slope, bend = self.slope(rho)
            after = rho - slope / bend if bend < 0 else rho
            if not bounds[0] < after < bounds[1]:
                break
            rho = after
        if min(rho - bounds[0], bounds[1] - rho) < 2 * EDGE:
            raise StudyError(
                "spatial model",
                f"its likelihood is highest at the end {rho:.2f} of the range of rho, so that nothing can be tested",
                "use fewer regressors, or other weights",
            )
        return rho

    def slope(self, rho: float) -> tuple[float, float]:
        """First and second derivative of `likelihood`."""
        flat = self.x.reshape(-1, self.x.shape[2])
        columns = np.column_stack([self.y.ravel(), self.wy.ravel()])
        own, lagged = (columns - flat @ least_squares(flat, columns)).T
        left = own - rho * lagged
        squares, first, second = left @ left, -2 * left @ lagged, 2 * lagged @ lagged
        shares = self.roots / (1 - rho * self.roots)
        times = self.y.shape[0] - 1
        ratio = first / squares
        down = times * (1 / (1 - rho) - float(shares.real.sum())) - self.size / 2 * ratio
        bend = times * (1 / (1 - rho) ** 2 - float((shares**2).real.sum()))
        return float(down), float(bend - self.size / 2 * (second / squares - ratio**2))

    def information(self, rho: float, beta: np.ndarray, sigma2: float) -> np.ndarray:
        """Information of (coefficients, rho, sigma2)."""
        times, n = self.y.shape
        centring = np.eye(n) - 1 / n
        g = centring @ self.w @ np.linalg.inv(np.eye(n) - rho * self.w) @ centring
        flat = self.x.reshape(-1, self.x.shape[2])
        moved = ((self.x @ beta) @ g.T).ravel()
        k = len(beta)
        out = np.zeros((k + 2, k + 2))
        out[:k, :k] = flat.T @ flat / sigma2
        out[:k, k] = out[k, :k] = flat.T @ moved / sigma2
        out[k, k] = (times - 1) * (np.trace(g.T @ g) + np.trace(g @ g)) + moved @ moved / sigma2
        out[k, k + 1] = out[k + 1, k] = (times - 1) * np.trace(g) / sigma2
        out[k + 1, k + 1] = self.size / (2 * sigma2**2)
        return out

    def effects(self, rho: float, beta: np.ndarray, covariance: np.ndarray) -> dict[tuple[str, str], Estimate]:
        """Direct, indirect and total effect of every regressor: S = (I - rho W)^-1 (b I + c W)."""
        n, k = self.w.shape[0], len(beta)
        inverse = np.linalg.inv(np.eye(n) - rho * self.w)
        slope = inverse @ self.w @ inverse
        found = {}
        for place, name in enumerate(self.own):
            other = len(self.own) + self.lagged.index(name) if name in self.lagged else None
            shape = beta[place] * np.eye(n) + (beta[other] * self.w if other is not None else 0.0)
            by_own, by_other, by_rho = (_split(part) for part in (inverse, inverse @ self.w, slope @ shape))
            level = _split(inverse @ shape)
            for kind in ("direct", "indirect", "total"):
                gradient = np.zeros(k + 2)
                gradient[place] = by_own[kind]
                if other is not None:
                    gradient[other] = by_other[kind]
                gradient[k] = by_rho[kind]
                found[name, kind] = self.estimate(level[kind], float(np.sqrt(gradient @ covariance @ gradient)))
        return found

    def estimate(self, value: float, error: float) -> Estimate:
        """A number with its standard error, p from the normal distribution."""
        half = stats.norm.ppf(0.975) * error
        return Estimate(
            estimate=float(value),
            std_error=float(error),
            statistic=float(value / error),
            p_value=float(2 * stats.norm.sf(abs(value / error))),
            ci_low=float(value - half),
            ci_high=float(value + half),
            n_obs=self.y.size,
            n_entities=self.w.shape[0],
            convention="transformed maximum likelihood, independent errors, normal",
        )


def _split(matrix: np.ndarray) -> dict[str, float]:
    """Mean of the diagonal, of the row sums without it, and of the row sums."""
    n = len(matrix)
    total, direct = float(matrix.sum() / n), float(np.trace(matrix) / n)
    return {"direct": direct, "indirect": total - direct, "total": total}


def _invert(information: np.ndarray) -> np.ndarray:
    """The inverse of a matrix whose rows have units of their own, scaled to a unit diagonal before it is inverted."""
    scale = np.sqrt(np.diag(information))
    units = np.outer(scale, scale)
    return np.asarray(np.linalg.inv(information / units) / units)
