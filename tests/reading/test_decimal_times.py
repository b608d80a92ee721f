"""Facts about periods in decimals: R's own ``time(ts(...))`` writes a month as year + (month - 1)/12; compared exactly."""

from __future__ import annotations

import pytest

from helpers.reading.decimal_times import spell_times
from helpers.reading.shapes import Flat


def spell(cells: list[str], heading: str = "year", said: str | None = None, **others: list[str]) -> Flat:
    flat = Flat(columns={heading: cells, **others}, lines=list(range(2, len(cells) + 2)), name="table")
    return spell_times(flat, said)


@pytest.mark.parametrize("start, digits", [(1995, 5), (1995, 3), (1995, 2), (95, 5)])
def test_months_that_r_writes_in_decimals_are_months(start: int, digits: int) -> None:
    cells = [f"{start + month / 12:.{digits}f}" for month in range(24)]
    found = spell(cells)
    assert found.columns["year"] == [f"{1995 + month // 12}-{month % 12 + 1:02d}" for month in range(24)]
    assert found.told == (f"periods in decimals: {cells[0]} to {cells[-1]} are read as 1995-01 to 1996-12",)


def test_quarters_and_half_years_in_decimals_are_the_coarsest_that_fits() -> None:
    assert spell(["1995.00", "1995.25", "1995.75"]).columns["year"] == ["1995Q1", "1995Q2", "1995Q4"]
    assert spell(["1995.0", "1995.5"]).columns["year"] == ["1995H1", "1995H2"]


def test_waves_counted_from_their_middle_are_numbered_from_one() -> None:
    assert spell(["0.5", "-2.5", "1.5", "-0.5"]).columns["year"] == ["4", "1", "5", "3"]
    assert spell(["-1", "0", "1"], "wave").columns["wave"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "cells",
    [["1.5", "2.5"], ["1995.1", "1995.2"], ["12.25", "12.75"], ["-0.5", "0.7"], ["2014", "2015"], ["a", "-1.5"]],
)
def test_other_numbers_stay_as_they_are(cells: list[str]) -> None:
    assert spell(cells).columns["year"] == cells


def test_decimals_stay_as_they_are_beside_plain_periods_unless_they_are_said_to_be_the_periods() -> None:
    cells, years = ["-0.5", "0.5"], ["2014", "2015"]
    assert spell(cells, "time to treatment", year=years).columns["time to treatment"] == cells
    assert spell(cells, "event", said="event", year=years).columns["event"] == ["1", "2"]
    assert spell(cells, "event").columns["event"] == cells
