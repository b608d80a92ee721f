"""The formula language: what it works out, and what it refuses.

Expected values are worked out by hand beside each test; exact equality unless a quotient or logarithm is taken, then
1e-12 relative (a few roundings).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.study.formula import check_columns, parse_formula
from helpers.study.formula_values import evaluate

NAN = math.nan


def make_panel(**columns: Sequence[float]) -> pd.DataFrame:
    """Two towns, three years, town by town."""
    index = pd.MultiIndex.from_product([["A", "B"], [2015, 2016, 2017]], names=["town", "year"])
    return pd.DataFrame(columns, index=index, dtype=float)


def work_out(text: str, **columns: Sequence[float]) -> np.ndarray:
    return evaluate(parse_formula(text), make_panel(**columns)).to_numpy()


X = [1.0, 2.0, 4.0, 10.0, 30.0, 60.0]
Y = [2.0, 2.0, 2.0, 5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y", [3, 4, 6, 15, 35, 65]),
        ("x - y - 1", [-2, -1, 1, 4, 24, 54]),
        ("x / y / 2", [0.25, 0.5, 1, 1, 3, 6]),
        ("x - y * 2", [-3, -2, 0, 0, 20, 50]),
        ("(x - y) * 2", [-2, 0, 4, 10, 50, 110]),
        ("-x * y", [-2, -4, -8, -50, -150, -300]),
        ("- -x", X),
        ("x - -y", [3, 4, 6, 15, 35, 65]),
        ("x / 1e4 * 1e4", X),
        (" x\n", X),
        ("2", [2, 2, 2, 2, 2, 2]),
        (".5 * x", [0.5, 1, 2, 5, 15, 30]),
        ("lag(x)", [NAN, 1, 2, NAN, 10, 30]),
        ("lag(x, 2)", [NAN, NAN, 1, NAN, NAN, 10]),
        ("diff(x)", [NAN, 1, 2, NAN, 20, 30]),
        ("lag(x + y)", [NAN, 3, 4, NAN, 15, 35]),
        ("cumprod(y)", [2, 4, 8, 5, 25, 125]),
    ],
)
def test_value(text: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(work_out(text, x=X, y=Y), expected)


def test_log_is_natural() -> None:
    np.testing.assert_allclose(work_out("log(x)", x=X), [math.log(value) for value in X], rtol=1e-12)


def test_lag_goes_by_time_where_a_year_is_left_out() -> None:
    panel = make_panel(x=X).drop(("A", 2016))
    assert evaluate(parse_formula("lag(x)"), panel).isna().tolist() == [True, True, True, False, False]


def test_cumprod_is_not_closed_over_a_gap() -> None:
    np.testing.assert_array_equal(work_out("cumprod(x)", x=[2, NAN, 3, 2, 2, 2]), [2, NAN, NAN, 2, 4, 8])


def test_deflate_divides_by_prices_with_the_base_as_one() -> None:
    # Prices rise 10 % in 2016 and 20 % in 2017; base 2016: the index is 1/1.1, 1, 1.2.
    prices = [103, 110, 120, 103, 110, 120]
    expected = [1 * 1.1, 2, 4 / 1.2, 10 * 1.1, 30, 60 / 1.2]
    np.testing.assert_allclose(work_out("deflate(x, cpi, 2016)", x=X, cpi=prices), np.array(expected), rtol=1e-12)


def test_deflate_with_the_last_time_as_base() -> None:
    prices = [103, 110, 120, 103, 110, 120]
    expected = [1 * 1.1 * 1.2, 2 * 1.2, 4, 10 * 1.1 * 1.2, 30 * 1.2, 60]
    np.testing.assert_allclose(work_out("deflate(x, cpi, 2017)", x=X, cpi=prices), np.array(expected), rtol=1e-12)


def test_deflate_does_not_need_the_first_price() -> None:
    prices = [NAN, 110, 120, NAN, 110, 120]
    assert not np.isnan(work_out("deflate(x, cpi, 2015)", x=X, cpi=prices)).any()


@pytest.mark.parametrize("base", ["2014", "2018"])
def test_deflate_needs_a_base_within_the_panel(base: str) -> None:
    with pytest.raises(StudyError, match=f"base {base}.*2015 to 2017"):
        work_out(f"deflate(x, y, {base})", x=X, y=Y)


def test_deflate_needs_every_year() -> None:
    panel = make_panel(x=X, cpi=[100.0] * 6).drop(2016, level="year")
    with pytest.raises(StudyError, match="consecutive"):
        evaluate(parse_formula("deflate(x, cpi, 2015)"), panel)


def test_at_repeats_the_figure_of_one_time_within_entity() -> None:
    np.testing.assert_array_equal(work_out("at(x, 2016)", x=X), [2, 2, 2, 30, 30, 30])
    np.testing.assert_array_equal(work_out("x - at(x + y, 2015)", x=X, y=Y), [-2, -1, 1, -5, 15, 45])


def test_at_is_missing_where_the_entity_has_no_such_figure() -> None:
    np.testing.assert_array_equal(work_out("at(x, 2016)", x=[1, NAN, 4, 10, 30, 60]), [NAN, NAN, NAN, 30, 30, 30])
    panel = make_panel(x=X).drop(("A", 2016))
    assert evaluate(parse_formula("at(x, 2016)"), panel).isna().tolist() == [True, True, False, False, False]


def test_at_needs_a_time_that_is_read() -> None:
    with pytest.raises(StudyError, match="asks for the time 2014, and the panel holds 2015 to 2017"):
        work_out("at(x, 2014)", x=X)


def test_interpolate_is_linear_between_known_figures() -> None:
    np.testing.assert_array_equal(work_out("interpolate(x)", x=[1, NAN, 4, 10, NAN, 60]), [1, 2.5, 4, 10, 35, 60])


def test_interpolate_stays_within_entity_and_between_known_figures() -> None:
    np.testing.assert_array_equal(work_out("interpolate(x)", x=[NAN, 2, NAN, NAN, 30, 60]), [NAN, 2, NAN, NAN, 30, 60])


def test_interpolate_goes_by_time_where_a_year_is_left_out() -> None:
    index = pd.MultiIndex.from_product([["A", "B"], [2015, 2016, 2019]], names=["town", "year"])
    panel = pd.DataFrame({"x": [0.0, NAN, 8.0, 4.0, NAN, 0.0]}, index=index)
    assert evaluate(parse_formula("interpolate(x)"), panel).tolist() == [0, 2, 8, 4, 3, 0]


@pytest.mark.parametrize("text", ["x + y", "y / x", "log(x)", "diff(x)", "-x", "deflate(y, x, 2015)"])
def test_missing_figures_give_missing_results(text: str) -> None:
    assert np.isnan(work_out(text, x=[1, NAN, 4, 10, 30, 60], y=Y)[1])


def test_the_panel_is_left_as_it_was() -> None:
    panel = make_panel(x=X, y=Y)
    before = panel.copy()
    evaluate(parse_formula("deflate(interpolate(x), y, 2015) + lag(x)"), panel)
    pd.testing.assert_frame_equal(panel, before)


def test_columns_are_listed_in_order_of_use() -> None:
    assert parse_formula("deflate(b, a, 2015) / b - lag(c, 2)").columns == ("b", "a", "c")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x.real", "attribute"),
        ("x.__class__", "attribute"),
        ("().__class__", "cannot stand"),
        ("__import__('os')", "call of '__import__'"),
        ("open(x)", "call of 'open'"),
        ("exp(x)", "call of 'exp'"),
        ("x ** 2", "power"),
        ("x ^ 2", "power"),
        ("x // 2", "whole-number"),
        ("x % 2", "remainder"),
        ("x < 2", "comparison"),
        ("x == 2", "comparison"),
        ("x != 2", "comparison"),
        ("lag(x, n=1)", "keyword"),
        ("lag(x, 0)", "whole number"),
        ("lag(x, -1)", "whole number"),
        ("lag(x, 1.5)", "whole number"),
        ("lag(x, y)", "whole number"),
        ("lag(x, 1, 2)", "takes 1 or 2"),
        ("lag()", "cannot stand"),
        ("log(x, 2)", "takes 1 "),
        ("deflate(x, y)", "takes 3"),
        ("'x'", "a string"),
        ('"x"', "a string"),
        ("x[0]", "element"),
        ("[x]", "element"),
        ("{x}", "a set"),
        ("lambda: 0", "cannot stand|slice"),
        ("x if y else x", "'if' cannot stand"),
        ("x y", "'y' cannot stand"),
        ("2x", "'x' cannot stand"),
        ("+x", r"'\+' cannot stand"),
        ("x +", "ends too early"),
        ("(x", "ends too early"),
        ("log(x", "ends too early"),
        ("x)", r"'\)' cannot stand"),
        ("x; y", "';' cannot stand"),
        ("x # y", "'#' cannot stand"),
        ("x\0", "cannot stand"),
        ("（x）", "cannot stand"),
        ("人口", "cannot stand"),
        ("1e99", "too large"),
        ("9" * 400, "too large"),
        ("1e-99", "too small"),
        ("x + " * 200 + "x", "longer than 500"),
        ("(" * 40 + "x" + ")" * 40, "levels of nesting"),
        ("log(" * 40 + "x" + ")" * 40, "levels of nesting"),
    ],
)
def test_refused(text: str, rule: str) -> None:
    with pytest.raises(StudyError, match=rule):
        parse_formula(text, "study.yml, variables.z")


@given(st.text(max_size=60) | st.text("xy().,+-*/ 12e'[]=<", max_size=60))
def test_any_text_is_a_formula_or_a_plain_message(text: str) -> None:
    with contextlib.suppress(StudyError):
        assert parse_formula(text).text == text


def test_the_place_is_told() -> None:
    with pytest.raises(StudyError, match=r"^study\.yml, variables\.z, formula 'x \+': "):
        parse_formula("x +", "study.yml, variables.z")


def test_an_unknown_column_is_told_with_the_nearest() -> None:
    with pytest.raises(StudyError, match=r"no column 'populaton'(?s:.)*did you mean 'population'"):
        check_columns(parse_formula("populaton / 2"), ["population", "gdp"])


def test_evaluate_refuses_an_unknown_column() -> None:
    with pytest.raises(StudyError, match="no column 'z'"):
        work_out("x + z", x=X)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x / y", "division by zero"),
        ("0 / y", "division by zero"),
        ("log(y)", "not positive"),
        ("deflate(x, y, 2015)", "not positive"),
    ],
)
def test_figures_that_give_no_number_are_told_with_entity_and_time(text: str, rule: str) -> None:
    with pytest.raises(StudyError, match=f"town B, year 2016: .*{rule}"):
        work_out(text, x=X, y=[2, 2, 2, 5, 0, 5])


def test_the_number_of_such_rows_is_told() -> None:
    with pytest.raises(StudyError, match=r"town A, year 2016 .and 2 more rows"):
        work_out("x / y", x=X, y=[2, 0, 2, 0, 0, 5])


def test_zero_divided_by_a_missing_figure_is_missing() -> None:
    assert np.isnan(work_out("x / y", x=X, y=[NAN] * 6)).all()


def test_a_missing_figure_divided_by_zero_is_missing() -> None:
    assert np.isnan(work_out("x / y", x=[NAN] * 6, y=[0.0] * 6)).all()


def test_overflow_is_an_error() -> None:
    with pytest.raises(StudyError, match=r"town A, year 2017.*too large"):
        work_out("cumprod(x)", x=[1e150, 1e150, 1e150, 1, 1, 1])
