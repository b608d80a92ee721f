"""What a picture shows is what it was given: the drawn coordinates are read back from the figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.cleaning import pictures as cleaning_pictures
from helpers.display.figures import PALETTE, region_colours
from helpers.index import pictures as index_pictures
from helpers.regression import pictures


@pytest.fixture(autouse=True)
def _close():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def rows():
    values = {"estimate": [0.3, -0.1, 0.2], "ci_low": [0.1, -0.4, -0.1], "ci_high": [0.5, 0.2, 0.5]}
    return pd.DataFrame(values, index=["a", "b", "c"])


def points(line):
    """Where a series is drawn, in rising order."""
    return sorted(zip(*(np.asarray(part).tolist() for part in line.get_data()), strict=True))


def dots(axes):
    """The points of every series that is drawn by dots alone."""
    return [line for line in axes.lines if line.get_marker() == "o" and line.get_linestyle() == "None"]


def places(axes):
    """Where the dots of the rows lie, from the first row on."""
    return [points(line)[0][0] for line in dots(axes)]


def names(axes, which="y"):
    return [text.get_text() for text in getattr(axes, f"get_{which}ticklabels")()]


def intervals(axes):
    return [tuple(line.get_xdata()) for line in axes.lines if line.get_solid_capstyle() == "butt"]


def test_coverage_is_shown_cell_by_cell_with_a_dot_on_filled_ones():
    coverage = pd.DataFrame([[1.0, 0.5, 0.0], [0.25, 1.0, 1.0]], index=["gdp", "beds"], columns=[2015, 2016, 2017])
    filled = pd.DataFrame({"column": ["beds", "beds", "gdp"], "time": [2015, 2015, 2016], "entity": ["a", "b", "a"]})
    axes = cleaning_pictures.draw_coverage(coverage, filled, str.upper).axes[0]
    np.testing.assert_array_equal(np.asarray(axes.collections[0].get_array()).ravel(), coverage.to_numpy().ravel())
    assert points(axes.lines[0]) == [(0.5, 1.5), (1.5, 0.5)]
    assert (names(axes, "x"), names(axes)) == (["2015", "2016", "2017"], ["GDP", "BEDS"])


def test_the_first_statistic_stands_on_top():
    coverage = pd.DataFrame([[1.0], [0.5]], index=["gdp", "beds"], columns=[2015])
    bottom, top = (
        cleaning_pictures.draw_coverage(coverage, pd.DataFrame({"column": [], "time": []}), str).axes[0].get_ylim()
    )
    assert bottom > top


def test_coverage_without_filled_cells_has_no_dot():
    coverage = pd.DataFrame([[1.0, 0.5]], index=["gdp"], columns=[2015, 2016])
    axes = cleaning_pictures.draw_coverage(coverage, pd.DataFrame({"column": [], "time": []}), str).axes[0]
    assert points(axes.lines[0]) == []


def test_a_trend_is_a_line_per_region_in_the_order_asked_for():
    trend = pd.DataFrame({"west": [1.0, 2.0], "east": [3.0, 5.0]}, index=[2015, 2016])
    axes = index_pictures.draw_trends({"Dose": trend}, {"east": "East", "west": "West"}, ["east", "west"]).axes[0]
    drawn = {line.get_label(): points(line) for line in axes.lines}
    assert drawn == {"East": [(2015, 3.0), (2016, 5.0)], "West": [(2015, 1.0), (2016, 2.0)]}
    assert [line.get_color() for line in axes.lines] == list(region_colours(["east", "west"]).values())
    assert names(axes, "x") == ["2015", "2016"]


def test_a_correlation_is_written_in_its_cell():
    table = pd.DataFrame([[1.0, -0.25], [-0.25, 1.0]], index=["a", "b"], columns=["a", "b"])
    axes = pictures.draw_correlations(table).axes[0]
    assert {tuple(int(part) for part in text.get_position()): text.get_text() for text in axes.texts} == {
        (0, 0): "1.00", (1, 0): "-0.25", (0, 1): "-0.25", (1, 1): "1.00",
    }  # fmt: skip
    assert axes.collections[0].get_clim() == (-1, 1)


def test_a_row_is_a_dot_and_its_interval(rows):
    axes = pictures.draw_rows(rows, label="effect").axes[0]
    assert places(axes) == [0.3, -0.1, 0.2]
    assert intervals(axes) == [(0.1, 0.5), (-0.4, 0.2), (-0.1, 0.5)]
    assert (names(axes), axes.get_xlabel()) == (["a", "b", "c"], "effect")


def test_the_first_row_stands_on_top(rows):
    axes = pictures.draw_rows(rows, label="effect").axes[0]
    bottom, top = axes.get_ylim()
    assert bottom > top


def test_only_the_marked_row_is_in_colour(rows):
    axes = pictures.draw_rows(rows, label="effect", marked="b").axes[0]
    assert [dot.get_color() == PALETTE[0] for dot in dots(axes)] == [False, True, False]


def test_refits_stand_in_rising_order_beside_the_full_estimate(rows):
    axes = pictures.draw_leave_one_out(rows, 0.15, label="effect").axes[0]
    assert names(axes) == ["b", "c", "a"]
    assert [points(line)[0][0] for line in axes.lines if line.get_linestyle() == "--"] == [0.15]


def test_the_numbers_given_are_left_as_they_were(rows):
    before = rows.copy()
    pictures.draw_leave_one_out(rows, 0.1, label="effect")
    pd.testing.assert_frame_equal(rows, before)
