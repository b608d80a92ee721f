"""The distribution of a product of estimated paths, by which an indirect effect has its interval and p-value.

A path with estimate m, standard error s and df degrees of freedom is taken for m + s t(df), and paths of different
equations are taken as independent. Then P(product of paths <= q) = E F(q / product of the others), F of the last path,
and the expectation is a mean over an even grid of quantiles: nothing is drawn, so no verdict can hang on chance.
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

POINTS = {1: 6_000, 2: 200}
"""Points of each path, by the number of paths whose product is laid out."""
PRECISION = 1e-8
"""Precision of an end of an interval, in units of the product's spread."""


@dataclass(frozen=True)
class PathEstimate:
    """A path as its test sees it: estimate, CR2 standard error, degrees of freedom (infinite: normal)."""

    estimate: float
    std_error: float
    df: float

    def quantiles(self, size: int) -> Floats:
        """Its distribution as `size` equally likely points."""
        shares = (np.arange(size) + 0.5) / size
        return self.estimate + self.std_error * np.asarray(
            special.stdtrit(self.df, shares) if np.isfinite(self.df) else special.ndtri(shares)
        )

    def share_below(self, value: Floats) -> Floats:
        """Probability of being at or below a value."""
        distance = (value - self.estimate) / self.std_error
        return np.asarray(special.stdtr(self.df, distance) if np.isfinite(self.df) else special.ndtr(distance))


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
    at_zero = share(0.0)
    low, high = (_quantile(share, paths, part) for part in ((1 - level) / 2, (1 + level) / 2))
    estimate = float(np.prod([path.estimate for path in paths]))
    return ProductTest(estimate, 2 * min(at_zero, 1 - at_zero), low, high)


def share_below(paths: Sequence[PathEstimate], value: float) -> float:
    """Probability that a product of paths is at or below a value; an interval of level 95 % holds 2.5 % to 97.5 %."""
    return _distribution(paths)(value)


def compare_products(
    first: Sequence[PathEstimate], second: Sequence[PathEstimate], level: float = 0.95, size: int = 600
) -> ProductTest:
    """Test that two products of paths, of different entities, are equal: the distribution of their difference."""
    check_level(level)
    one, two = (_thin(_products(paths), size) for paths in (first, second))
    gaps = np.sort((one[:, None] - two).ravel())
    low, high = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    below = float(np.mean(gaps <= 0))
    estimate = float(np.prod([path.estimate for path in first]) - np.prod([path.estimate for path in second]))
    return ProductTest(estimate, 2 * min(below, 1 - below), float(low), float(high))


def _products(paths: Sequence[PathEstimate]) -> Floats:
    """Equally likely points of the product of some paths, none of them zero."""
    size = POINTS.get(len(paths), 40)
    points = paths[0].quantiles(size)
    for path in paths[1:]:
        points = np.outer(points, path.quantiles(size)).ravel()
    return np.where(points == 0, np.finfo(float).tiny, points)


def _distribution(paths: Sequence[PathEstimate]) -> Callable[[float], float]:
    """The probability that a product of paths is at or below a value."""
    *first, last = paths
    others = _products(first)

    def share(value: float) -> float:
        with np.errstate(divide="ignore"):
            below = last.share_below(value / others)
        return float(np.mean(np.where(others > 0, below, 1 - below)))

    return share


def _thin(points: Floats, size: int) -> Floats:
    return np.asarray(np.quantile(points, (np.arange(size) + 0.5) / size))


def _quantile(share: Callable[[float], float], paths: Sequence[PathEstimate], part: float) -> float:
    """Where the share of the product's distribution below is `part`."""
    scale = float(np.prod([abs(path.estimate) + path.std_error for path in paths]))
    low, high = -scale, scale
    while share(low) > part:
        low *= 2
    while share(high) < part:
        high *= 2
    return float(optimize.brentq(lambda value: share(value) - part, low, high, xtol=PRECISION * scale))
