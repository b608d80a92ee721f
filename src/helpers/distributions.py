"""The distributions that p-values and intervals are read from, by the functions with which scipy.stats computes them.

The numbers are those of `scipy.stats` to the last bit. Importing that takes half a second of every command and of every
kernel, and each call of it many times as long as the function behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from helpers.arrays import Floats

Function = Callable[..., Any]
"""Called with the parameters of a distribution, then a point or a probability."""


@dataclass(frozen=True)
class Distribution:
    """A distribution by its four functions; outside the range of a parameter or a probability each gives NaN.

    Parameters
    ----------
    below, above
        Probability below and above a point.
    point, upper_point
        Point with a probability below and above it.
    lowest
        The lowest point that it can take; the highest is infinite.
    """

    below: Function
    above: Function
    point: Function
    upper_point: Function
    lowest: float

    def cdf(self, x: ArrayLike, *parameters: ArrayLike) -> Any:
        """Probability below ``x``."""
        return _read(self.below, x, parameters, {self.lowest: 0.0, np.inf: 1.0})

    def sf(self, x: ArrayLike, *parameters: ArrayLike) -> Any:
        """Probability above ``x``."""
        return _read(self.above, x, parameters, {self.lowest: 1.0, np.inf: 0.0})

    def ppf(self, q: ArrayLike, *parameters: ArrayLike) -> Any:
        """Point with the probability ``q`` below it."""
        return _read(self.point, _share(q), parameters, {0.0: self.lowest, 1.0: np.inf})

    def isf(self, q: ArrayLike, *parameters: ArrayLike) -> Any:
        """Point with the probability ``q`` above it."""
        return _read(self.upper_point, _share(q), parameters, {0.0: np.inf, 1.0: self.lowest})


def _share(q: ArrayLike) -> Floats:
    share = np.asarray(q, dtype=np.float64)
    return np.where((share >= 0) & (share <= 1), share, np.nan)


def _read(function: Function, at: ArrayLike, parameters: tuple[ArrayLike, ...], ends: dict[float, float]) -> Any:
    """What a function gives; at its two ends, and where a parameter is not positive, what it must be."""
    own = [np.asarray(parameter, dtype=np.float64) for parameter in parameters]
    place = np.asarray(at, dtype=np.float64)
    (low, first), (high, last) = ends.items()
    found = np.where(place <= low, first, np.where(place >= high, last, function(*own, place)))
    for parameter in (*own, np.where(np.isnan(place), np.nan, 1.0)):
        found = np.where(parameter > 0, found, np.nan)
    return found[()]


norm = Distribution(
    special.ndtr, lambda x: special.ndtr(-x), special.ndtri, lambda q: -special.ndtri(q), lowest=-np.inf
)
"""The standard normal distribution; no parameters."""
t = Distribution(
    special.stdtr,
    lambda df, x: special.stdtr(df, -x),
    special.stdtrit,
    lambda df, q: -special.stdtrit(df, q),
    lowest=-np.inf,
)
"""Student's t; degrees of freedom."""
f = Distribution(
    special.fdtr,
    special.fdtrc,
    special.fdtri,
    lambda first, second, q: special.fdtri(first, second, 1.0 - q),
    lowest=0.0,
)
"""Fisher's F; degrees of freedom of the numerator and of the denominator."""
chi2 = Distribution(
    special.chdtr, special.chdtrc, lambda df, q: 2 * special.gammaincinv(df / 2, q), special.chdtri, lowest=0.0
)
"""Chi-squared; degrees of freedom."""
