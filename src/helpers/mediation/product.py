"""The distribution of a product of estimated paths, by which an indirect effect has its interval and p-value.

A path with estimate m, standard error s and df degrees of freedom is taken for m + s t(df), and paths of different
equations are taken as independent. Then P(product of paths <= q) = E F(q / product of the others), F of the last path,
and the expectation is a sum over weighted points (tanh-sinh quadrature on either side of zero, the least certain path
last): nothing is drawn, so no verdict can hang on chance. The product is below zero where an odd number of paths is, so
that its two-sided p-value against zero is 1 - (1 - p_1)(1 - p_2) ..., p_i those of the paths.
(MacKinnon, Lockwood and Williams 2004 with normal paths; here CR2 standard errors and Satterthwaite's df, for few
clusters.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from helpers.errors import StudyError
from helpers.inference.contrast import Parameter
from helpers.inference.resampling import check_level
from helpers.inference.small_sample import reduced_tests
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit

POINTS = {1: 200, 2: 60}
"""Points of each path on either side of zero, by the number of paths whose product is laid out."""
FEWEST_POINTS = 12
DIFFERENCE = 60
"""Points of the second of two products whose difference is tested, and of each path on either side of zero."""
NEAREST = 1e-60
"""Distance from zero, in standard errors, below which a point is not put, so that products keep their signs."""
REACH = 3.0
"""Ends of the quadrature: beyond them lies less than 1e-13 of the probability."""
PRECISION = 1e-10
"""Precision of an end of an interval, in units of the product's spread."""


@dataclass(frozen=True)
class PathEstimate:
    """A path as its test sees it: estimate, CR2 standard error, degrees of freedom (infinite: normal)."""

    estimate: float
    std_error: float
    df: float

    @property
    def certainty(self) -> float:
        """Distance of the estimate from zero in standard errors."""
        return abs(self.estimate) / self.std_error

    @property
    def p_value(self) -> float:
        """Two-sided against zero."""
        return 2 * float(self._share(-self.certainty))

    def points(self, size: int) -> tuple[Floats, Floats]:
        """Its distribution as weighted points, `size` on either side of zero: points and weights (2 size,)."""
        shares, weights = _tanh_sinh(size)
        points, masses = [], []
        for sign in (-1.0, 1.0):
            mass = float(self._share(sign * self.estimate / self.std_error))
            # Counted from the far end, so that the tail keeps its digits.
            distance = sign * self.estimate - self.std_error * self._quantile(mass * shares)
            points.append(sign * np.maximum(distance, NEAREST * self.std_error))
            masses.append(mass * weights)
        return np.concatenate(points), np.concatenate(masses)

    def _share(self, distance: Floats | float) -> Floats:
        return np.asarray(special.stdtr(self.df, distance) if np.isfinite(self.df) else special.ndtr(distance))

    def _quantile(self, share: Floats) -> Floats:
        return np.asarray(special.stdtrit(self.df, share) if np.isfinite(self.df) else special.ndtri(share))

    def share_below(self, value: Floats) -> Floats:
        """Probability of being at or below a value."""
        return self._share((value - self.estimate) / self.std_error)


@dataclass(frozen=True)
class ProductTest:
    """A product of paths: estimate, two-sided p-value against zero, interval."""

    estimate: float
    p_value: float
    ci_low: float
    ci_high: float


def read_path(fit: PanelFit, parameter: Parameter) -> PathEstimate:
    """A regressor or a combination of regressors with its CR2 standard error and Satterthwaite degrees of freedom.

    Among very many clusters these are the clustered ones (see `helpers.inference.small_sample.reduced_tests`).
    """
    test = reduced_tests(fit, [parameter])[0]
    return PathEstimate(test.estimate, test.std_error, test.df)


def fit_product(paths: Sequence[PathEstimate], level: float = 0.95) -> ProductTest:
    """Test that a product of two or more paths is zero, with its interval.

    Parameters
    ----------
    paths
        Two or more paths.
    level
        Coverage of the interval.

    Raises
    ------
    StudyError
        Fewer than two paths, a standard error that is not positive, or a level outside (0, 1).
    """
    check_level(level)
    if len(paths) < 2 or not all(path.std_error > 0 and np.isfinite(path.estimate) for path in paths):
        raise StudyError("indirect effect", "a path has no standard error", "give two paths or more, each estimated")
    share = _distribution(paths)
    low, high = (_quantile(share, _spread(paths), part) for part in ((1 - level) / 2, (1 + level) / 2))
    estimate = float(np.prod([path.estimate for path in paths]))
    # 1 - (1 - p_1)(1 - p_2) ..., without the digits that 1 would take.
    p_value = float(-np.expm1(np.sum(np.log1p([-min(path.p_value, 1 - 1e-16) for path in paths]))))
    return ProductTest(estimate, p_value, low, high)


def share_below(paths: Sequence[PathEstimate], value: float) -> float:
    """Probability that a product of paths is at or below a value; an interval of level 95 % holds 2.5 % to 97.5 %."""
    return float(_distribution(paths)(np.array(value)))


def compare_products(first: Sequence[PathEstimate], second: Sequence[PathEstimate], level: float = 0.95) -> ProductTest:
    """Test that two products of paths, of different entities, are equal: the distribution of their difference."""
    check_level(level)
    one, two = (_distribution(paths, DIFFERENCE) for paths in (first, second))
    shares, weights = _tanh_sinh(DIFFERENCE)
    spread = _spread(second)
    others = np.array([_quantile(two, spread, float(share)) for share in shares])

    def share(value: Floats) -> Floats:
        return np.asarray(one(np.add.outer(value, others)) @ weights)

    below = float(share(np.array(0.0)))
    low, high = (_quantile(share, _spread(first) + spread, part) for part in ((1 - level) / 2, (1 + level) / 2))
    estimate = float(np.prod([path.estimate for path in first]) - np.prod([path.estimate for path in second]))
    return ProductTest(estimate, 2 * min(below, 1 - below), low, high)


def _tanh_sinh(size: int) -> tuple[Floats, Floats]:
    """Shares between 0 and 1 and their weights (size,), which sum to 1 (Takahasi and Mori 1974)."""
    steps = np.linspace(-REACH, REACH, size)
    shares = special.expit(np.pi * np.sinh(steps))
    weights = np.cosh(steps) / np.cosh(np.pi / 2 * np.sinh(steps)) ** 2
    return np.asarray(shares), np.asarray(weights / weights.sum())


def _distribution(paths: Sequence[PathEstimate], size: int | None = None) -> Callable[[Floats], Floats]:
    """The probability that a product of paths is at or below each of some values."""
    *others, last = sorted(paths, key=lambda path: -path.certainty)
    size = size or POINTS.get(len(others), FEWEST_POINTS)
    points, weights = np.ones(1), np.ones(1)
    for path in others:
        own, masses = path.points(size)
        points, weights = np.outer(points, own).ravel(), np.outer(weights, masses).ravel()
    points, weights = points[weights > 0], weights[weights > 0]

    def share(values: Floats) -> Floats:
        with np.errstate(over="ignore"):
            below = last.share_below(np.divide.outer(values, points))
        return np.asarray(np.where(points > 0, below, 1 - below) @ weights)

    return share


def _spread(paths: Sequence[PathEstimate]) -> float:
    """How far a product reaches, about."""
    return float(np.prod([abs(path.estimate) + path.std_error for path in paths]))


def _quantile(share: Callable[[Floats], Floats], scale: float, part: float) -> float:
    """Where the share of a distribution below is `part`."""

    def beyond(value: float) -> float:
        return float(share(np.array(value))) - part

    low, high = -scale, scale
    while beyond(low) > 0:
        low *= 2
    while beyond(high) < 0:
        high *= 2
    return float(optimize.brentq(beyond, low, high, xtol=PRECISION * scale))
