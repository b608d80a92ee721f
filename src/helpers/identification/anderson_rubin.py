"""The Anderson-Rubin test, turned into the set of effects that it does not reject."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from helpers import distributions as stats
from helpers.regression.effects import Floats


@dataclass(frozen=True)
class AndersonRubin:
    """A test of the effect that holds however weak the instruments are.

    Attributes
    ----------
    statistic, p_value
        Test that the effect is 0: Wald statistic of the K instruments in the reduced form / K, against F(K, df).
    intervals
        The effects that are not rejected, from low to high; infinite ends where the set does not end. No interval at
        all says that the instruments contradict each other under every effect.
    shape
        "interval", "unbounded" (one or two rays), "whole line", "several intervals" or "empty".
    statistic_at
        The statistic as a function of the effect.
    """

    statistic: float
    p_value: float
    intervals: tuple[tuple[float, float], ...]
    shape: str
    statistic_at: Callable[[float], float] = field(repr=False)


def invert_anderson_rubin(
    at: Callable[[float], tuple[Floats, Floats]], k: int, df: int, estimate: float, std_error: float, level: float
) -> AndersonRubin:
    """Find all effects b with pi(b)'Omega(b)^-1 pi(b) / k at most the critical value.

    pi is linear and Omega quadratic in b, so that the condition, multiplied by det Omega, is a polynomial of degree 2k:
    its roots are the ends of the intervals.

    Parameters
    ----------
    at
        Effect b -> (pi, Omega), shapes (k,) and (k, k).
    k, df
        Instruments, and degrees of freedom of the denominator.
    estimate, std_error
        Where to put the origin and the unit of the polynomial.
    level
        Coverage.
    """

    def statistic(effect: float) -> float:
        slopes, covariance = at(effect)
        return float(slopes @ np.linalg.solve(covariance, slopes)) / k

    critical = float(stats.f.isf(1 - level, k, df))
    intervals = _accepted(at, k, critical, estimate, std_error)
    null = statistic(0.0)
    return AndersonRubin(null, float(stats.f.sf(null, k, df)), intervals, _shape(intervals), statistic)


def in_units(found: AndersonRubin, unit: float) -> AndersonRubin:
    """The same test of an effect that is measured in another unit: effects are multiplied by it."""
    return replace(
        found,
        intervals=tuple((low * unit, high * unit) for low, high in found.intervals),
        statistic_at=lambda effect: found.statistic_at(effect / unit),
    )


def _accepted(
    at: Callable[[float], tuple[Floats, Floats]], k: int, critical: float, estimate: float, std_error: float
) -> tuple[tuple[float, float], ...]:
    scale = at(estimate)[1]
    inverse = np.linalg.inv(scale)

    def room(z: float) -> float:
        """Critical value minus statistic, times det Omega in units of the one at the estimate."""
        slopes, covariance = at(estimate + std_error * z)
        ratio = inverse @ covariance
        determinant = float(np.linalg.det(ratio))
        return determinant * (critical - float(slopes @ np.linalg.solve(covariance, slopes)) / k)

    nodes = 4.0 * np.cos(np.pi * (np.arange(2 * k + 1) + 0.5) / (2 * k + 1))
    polynomial = np.polynomial.Polynomial.fit(nodes, [room(z) for z in nodes], 2 * k, domain=[-4, 4])
    roots = polynomial.roots()
    real = np.sort(roots[np.abs(roots.imag) < 1e-7 * (1 + np.abs(roots.real))].real)
    edges = np.concatenate([[-np.inf], real, [np.inf]])
    pieces = [(low, high) for low, high in pairwise(edges) if room(_inside(low, high)) >= 0]
    return _join([(estimate + std_error * low, estimate + std_error * high) for low, high in pieces])


def _inside(low: float, high: float) -> float:
    """A point between two edges."""
    if np.isinf(low) and np.isinf(high):
        return 0.0
    if np.isinf(low):
        return float(high - 1.0 - abs(high))
    return float(low + 1.0 + abs(low)) if np.isinf(high) else float((low + high) / 2)


def _join(pieces: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Pieces that touch, as one."""
    joined: list[tuple[float, float]] = []
    for low, high in pieces:
        if joined and joined[-1][1] == low:
            joined[-1] = (joined[-1][0], float(high))
        else:
            joined.append((float(low), float(high)))
    return tuple(joined)


def _shape(intervals: tuple[tuple[float, float], ...]) -> str:
    if not intervals:
        return "empty"
    if np.isinf(intervals[0][0]) and np.isinf(intervals[0][1]):
        return "whole line"
    if np.isinf(intervals[0][0]) or np.isinf(intervals[-1][1]):
        return "unbounded"
    return "interval" if len(intervals) == 1 else "several intervals"
