"""The ladder of the first page: the estimate of every column with its interval, on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

from helpers.display.prose import format_number
from helpers.results.results import Result, Results
from helpers.study.data import Label

if TYPE_CHECKING:
    from helpers.study.study import Study


@dataclass(frozen=True)
class Rung:
    """One column of the ladder, as the front page draws it.

    Attributes
    ----------
    label
        Name of the specification.
    controls, effects
        What it adjusts for.
    result
        The recorded estimate of the treatment.
    primary
        Whether the study is about this column.
    certain
        Whether its p-value is below the study's level.
    low, middle, high
        Places of interval and estimate on the axis, per cent from the left.
    """

    label: Label
    controls: bool
    effects: tuple[Label, ...]
    result: Result
    primary: bool
    certain: bool
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Axis:
    """A horizontal axis.

    Attributes
    ----------
    first, last
        Ends, in the units of the estimate.
    ticks
        Text and place (per cent from the left) of each mark.
    """

    first: float
    last: float
    ticks: tuple[tuple[str, float], ...]

    def place(self, number: float) -> float:
        """Per cent from the left."""
        return round(100 * (number - self.first) / (self.last - self.first), 2)


def ladder_rungs(study: Study, results: Results) -> list[Rung]:
    """The columns of the ladder that have an interval, in the order of the study file."""
    drawn = ladder_results(study, results)
    axis = ladder_axis(drawn)
    columns = {ladder_key(study, column): column for column in study.ladder}
    return [_rung(study, columns[result.key], result, axis) for result in drawn]


def ladder_results(study: Study, results: Results) -> list[Result]:
    """The estimates that the ladder draws."""
    keys = [ladder_key(study, column) for column in study.ladder]
    found = [results[key] for key in keys if key in results]
    return [result for result in found if None not in (result.estimate, result.ci_low, result.ci_high)]


def ladder_key(study: Study, column: str) -> str:
    """Key of the treatment's estimate in a column of the ladder."""
    return f"baseline.{column}.{study.specification.treatment}"


def _rung(study: Study, column: str, result: Result, axis: Axis) -> Rung:
    choice = study.ladder[column]
    names = {"entity": study.entity.label, "time": study.time.label}
    assert result.estimate is not None
    assert result.ci_low is not None
    assert result.ci_high is not None
    return Rung(
        label=choice.label,
        controls=choice.controls,
        effects=tuple(names[effect] for effect in choice.effects),
        result=result,
        primary=column == study.primary,
        certain=result.p_value is not None and result.p_value < study.specification.significance,
        low=axis.place(result.ci_low),
        middle=axis.place(result.estimate),
        high=axis.place(result.ci_high),
    )


def ladder_axis(results: Sequence[Result]) -> Axis:
    """An axis that holds every interval and zero, with four to eight round marks."""
    ends = [0.0, *(end for result in results for end in (result.ci_low, result.ci_high) if end is not None)]
    low, high = min(ends), max(ends)
    if low == high:
        low, high = -1.0, 1.0
    span = high - low
    low, high = low - 0.04 * span, high + 0.04 * span
    power = 10.0 ** floor(log10(span / 4))
    step = max(step for step in (power, 2 * power, 5 * power) if span / step >= 3.2 or step == power)
    decimals = max(0, -floor(log10(step)))
    axis = Axis(low, high, ())
    marks = range(int(low // step), int(high // step) + 2)
    ticks = [(format_number(mark * step, decimals), axis.place(mark * step)) for mark in marks]
    return Axis(low, high, tuple((text, place) for text, place in ticks if 0 <= place <= 100))
