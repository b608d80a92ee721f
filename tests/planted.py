"""Planted results for the tests of sentences: effects and families that lie where a test wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cells import PlantedRun
from helpers.inference.clear import ClearTest, record_clear
from helpers.inference.family import Answer, ClearFamily
from helpers.results.estimate import Estimate

NO_FIT: Any = None


def effect(estimate: float, p_value: float, **more: Any) -> Estimate:
    """An estimate with a p-value and whatever else a sentence prints."""
    return Estimate(
        estimate=estimate,
        std_error=1.0,
        statistic=estimate,
        p_value=p_value,
        ci_low=estimate - 1,
        ci_high=estimate + 1,
        **more,
    )


def clear_test(
    estimate: float, p_value: float, wild: float, without: tuple[float, float, float] | None = None
) -> ClearTest:
    """An effect with its two p-values, and the same three numbers without time effects."""
    found = ClearTest(NO_FIT, effect(estimate, p_value), effect(estimate, wild, draws=100_000))
    if without is None:
        return found
    again, t, drawn = without
    return ClearTest(NO_FIT, found.effect, found.wild, effect(again, t), effect(again, drawn, draws=100_000))


READINGS = {
    "above": clear_test(0.5, 0.01, 0.02),
    "below": clear_test(-0.5, 0.01, 0.02),
    "above_without_times": clear_test(0.5, 0.2, 0.3, (0.6, 0.01, 0.02)),
    "below_without_times": clear_test(0.5, 0.01, 0.3, (-0.6, 0.01, 0.02)),
    "unclear": clear_test(0.5, 0.01, 0.06, (0.6, 0.2, 0.01)),
}
"""One planted effect for every reading; the last but one is clear by one of the two tests only."""

UNBOUNDED = replace(READINGS["unclear"], wild=replace(READINGS["unclear"].wild, ci_low=float("-inf")))
"""Not clear, and the bootstrap rejects no effect on one side, however large."""
READINGS["unseen"] = UNBOUNDED


def recorded(key: str, found: ClearTest, **attributes: Any) -> PlantedRun:
    """A planted run in which an effect is recorded as a notebook does it."""
    run = PlantedRun(**attributes)
    record_clear(run.record, key, found)
    return run


def clear_family(**p_values: tuple[float, float]) -> ClearFamily:
    """A family by the members' estimates and Romano-Wolf p-values."""
    answers = {
        name: Answer(NO_FIT, effect(estimate, p), effect(estimate, p), effect(estimate, p, draws=100_000), p, 3.0, 0.5)
        for name, (estimate, p) in p_values.items()
    }
    return ClearFamily(answers, answers)
