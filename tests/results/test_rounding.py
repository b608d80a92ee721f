"""Numbers rounded to significant digits: as Python's own formatting rounds them, whatever the shape and the size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.results.rounding import HANDED_OVER, NOTHING, WRITTEN, round_frame, round_number, round_numbers, tie

RNG = np.random.default_rng(11)
SPREAD = RNG.normal(size=4000) * 10.0 ** RNG.integers(-300, 300, size=4000)
ODD = [0.0, -0.0, 1.0, 10.0, 99999999.9, 0.999999999999, 1e-5, 5e-324, 1e308, np.inf, -np.inf]


@pytest.mark.parametrize("digits", [3, WRITTEN, HANDED_OVER, 12])
def test_many_numbers_are_rounded_as_their_text_is(digits):
    given = np.array([*SPREAD, *ODD])
    wanted = [float(f"{number:.{digits - 1}e}") for number in given]
    assert round_numbers(given, digits).tolist() == wanted
    assert [round_number(float(number), digits) for number in given] == wanted


def test_what_is_missing_stays_missing():
    assert np.isnan(round_numbers([np.nan, 1 / 3])).tolist() == [True, False]
    assert np.isnan(round_number(float("nan")))


def test_last_bits_do_not_reach_what_is_written():
    given = RNG.normal(size=2000)
    other = given * (1 + 1e-15 * RNG.integers(-9, 9, size=2000))
    assert (given != other).any()
    assert round_numbers(given).tolist() == round_numbers(other).tolist()


def test_a_table_keeps_its_types_texts_and_index():
    frame = pd.DataFrame(
        {"x": [1 / 3, np.nan], "n": [1, 2], "text": ["a", "b"], "mixed": [2 / 3, "-"], "sure": [True, False]},
        index=pd.Index([0.1, 0.2], name="share"),
    )
    rounded = round_frame(frame)
    assert rounded.dtypes.tolist() == frame.dtypes.tolist()
    assert rounded.index.equals(frame.index)
    assert rounded.iloc[0].tolist() == [0.33333333, 1, "a", 0.66666667, True]
    assert frame["x"].iloc[0] == 1 / 3


def test_two_columns_of_one_name_are_both_rounded():
    frame = pd.DataFrame([[1 / 3, 2 / 3]], columns=["x", "x"])
    assert round_frame(frame).to_numpy().tolist() == [[0.33333333, 0.66666667]]


def test_numbers_that_differ_by_nothing_are_tied_and_keep_their_order():
    column = pd.Series([0.3, 0.1 + 0.2, 0.2], index=["a", "b", "c"])
    assert column["b"] > column["a"]
    assert column["b"] - column["a"] < NOTHING
    assert tie(column).rank(ascending=False, method="min").tolist() == [1.0, 1.0, 3.0]
    assert column.sort_values(ascending=False, kind="stable", key=tie).index.tolist() == ["a", "b", "c"]
    assert tie(pd.Index(["a"])).tolist() == ["a"]
