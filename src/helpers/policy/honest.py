"""How far trends may differ before an effect is gone: bounds in the manner of Rambachan and Roth (2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.policy.difference import EventStudy

LARGEST_BOUND = 10.0
"""The largest M at which it is looked whether the interval holds 0."""


@dataclass(frozen=True)
class HonestBounds:
    """Intervals of the mean effect from the start on, by how much worse the departure from parallel trends may get.

    Attributes
    ----------
    table
        One row per bound M: low and high (what the estimates allow, taken as exact), ci_low and ci_high (with their
        sampling error, 95 %).
    breakdown
        The smallest M at which ci_low to ci_high holds 0; 0 if it does so under parallel trends already, infinite if it
        never does up to `LARGEST_BOUND`.
    """

    table: pd.DataFrame
    breakdown: float


def honest_bounds(events: EventStudy, bounds: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0)) -> HonestBounds:
    """Bound the mean effect from the start on under relative magnitudes.

    With d_s the departure from parallel trends at time s from the start (0 at the base, -1), it may change from one
    time to the next after the base by at most M times the largest change before it. That largest change is at some
    pair of neighbouring times and of some sign; given which, both ends of the interval are linear in the coefficients.
    The set is the union over pairs and signs, and so is the confidence interval, each of its ends at 97.5 % one-sided:
    never shorter than it should be.

    Parameters
    ----------
    events
        An event study with two or more times before the start and one from it on.
    bounds
        Values of M.

    Raises
    ------
    StudyError
        Too few times before the start.

    Source: Rambachan and Roth (2023), Review of Economic Studies 90(5), restriction "relative magnitudes"; the
    interval here is by union, not their conditional one, and is wider.
    """
    pieces = _Pieces.build(events)
    rows = {bound: pieces.interval(bound) for bound in bounds}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high", "ci_low", "ci_high"])
    return HonestBounds(table.rename_axis("m"), pieces.breakdown())


@dataclass(frozen=True)
class _Pieces:
    """Coefficients with their covariance, the weights of the mean effect, and one row of weights per change before."""

    estimates: np.ndarray
    covariance: np.ndarray
    mean: np.ndarray
    changes: np.ndarray
    reach: float

    @classmethod
    def build(cls, events: EventStudy) -> _Pieces:
        steps = [int(step) for step in events.course.index]
        early, late = [step for step in steps if step < -1], [step for step in steps if step >= 0]
        if not early or not late:
            raise StudyError("honest bounds", "there is one time before the start only", "read earlier times")
        names = {step: f"before_{-step}" if step < 0 else f"after_{step}" for step in (*early, *late)}
        order = list(names)
        estimates = events.fit.estimates[list(names.values())].to_numpy()
        covariance = events.fit.covariance.loc[list(names.values()), list(names.values())].to_numpy()
        mean = np.array([1 / len(late) if step in late else 0.0 for step in order])
        changes = np.zeros((len(early), len(order)))
        for row, (one, following) in enumerate(zip(early, [*early[1:], -1], strict=True)):
            changes[row, order.index(one)] = -1.0
            if following != -1:
                changes[row, order.index(following)] = 1.0
        # After s + 1 steps of at most v each the departure is at most (s + 1) v.
        reach = float(np.mean([step + 1 for step in late]))
        return cls(estimates, covariance, mean, changes, reach)

    def interval(self, bound: float) -> list[float]:
        """Ends of the set and of its confidence interval."""
        z = float(stats.norm.ppf(0.975))
        # The larger of a pair's two signs carries the set; both enter the union of the intervals.
        sizes = np.abs(self.changes @ self.estimates)
        centre = float(self.mean @ self.estimates)
        set_half = bound * self.reach * float(sizes.max())
        lows: list[float] = []
        highs: list[float] = []
        for change in self.changes:
            for sign in (1.0, -1.0):
                shift = sign * bound * self.reach * change
                for weights, ends, side in ((self.mean - shift, lows, -1.0), (self.mean + shift, highs, 1.0)):
                    value = float(weights @ self.estimates)
                    ends.append(value + side * z * float(np.sqrt(weights @ self.covariance @ weights)))
        return [centre - set_half, centre + set_half, min(lows), max(highs)]

    def breakdown(self) -> float:
        """The smallest bound whose interval holds 0."""

        def far(bound: float) -> float:
            _, _, low, high = self.interval(bound)
            return max(low, -high)

        if far(0.0) <= 0:
            return 0.0
        if far(LARGEST_BOUND) > 0:
            return float("inf")
        return float(optimize.brentq(far, 0.0, LARGEST_BOUND, xtol=1e-6))
