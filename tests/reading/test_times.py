"""Facts about periods in words and about dates that may be two: the calendar is the outside source, compared exactly."""

from __future__ import annotations

import pytest

from helpers.errors import StudyError
from helpers.reading.times import read_times
from helpers.study.periods import show_period


def read(cells: list[str]) -> tuple[str, list[str]]:
    found = read_times(cells, "period", [f"line {n}" for n in range(2, len(cells) + 2)], "table")
    return found.kind, [show_period(code, found.kind) for code in found.codes]


@pytest.mark.parametrize(
    "cells",
    [
        ["1st half 2014", "2nd half 2014", "1st half 2015"],
        ["First half of 2014", "Second half of 2014", "First half of 2015"],
        ["2014 first half", "2014 second half", "2015 first half"],
        ["1H2014", "2H2014", "1H2015"],
        ["half 1 2014", "half 2 2014", "half 1 2015"],
    ],
)
def test_half_years_in_words_are_half_years(cells: list[str]) -> None:
    assert read(cells) == read(["2014H1", "2014H2", "2015H1"])


@pytest.mark.parametrize("cells", [["1st quarter 2014", "4th quarter of 2014"], ["2014 quarter I", "2014 IV quarter"]])
def test_quarters_in_words_are_quarters(cells: list[str]) -> None:
    assert read(cells) == ("quarter", ["2014Q1", "2014Q4"])


@pytest.mark.parametrize("write", ["{month:02d}/01/2014", "01/{month:02d}/2014", "01.{month:02d}.2014"])
def test_the_order_of_day_and_month_is_that_in_which_the_dates_are_evenly_placed(write: str) -> None:
    cells = [write.format(month=month) for month in range(1, 13)]
    assert read(cells) == ("month", [f"2014-{month:02d}" for month in range(1, 13)])


def test_one_date_beyond_the_twelfth_decides_for_its_column() -> None:
    assert read(["03/04/2015", "25/06/2015"]) == ("day", ["2015-04-03", "2015-06-25"])
    assert read(["03/04/2015", "06/25/2015"]) == ("day", ["2015-03-04", "2015-06-25"])
    assert read(["03/04/2015", "03/04/2016"]) == ("year", ["2015", "2016"])


def test_dates_that_nothing_decides_are_refused_with_both_readings() -> None:
    with pytest.raises(StudyError, match="may be 2015-04-03 or 2015-03-04"):
        read(["03/04/2015", "05/06/2015"])
