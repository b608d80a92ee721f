"""Scores.

Sources: scikit-criteria 0.10 (`preprocessing`), to 1e-12 because both do the same few operations in double precision;
R 4.2.2 with car 3.1-1, powerTransform; the OECD Handbook (2008), step 5, for the formulas worked by hand.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from skcriteria.preprocessing.scalers import matrix_scale_by_cenit_distance

from helpers.errors import StudyError
from helpers.index.scaling import box_cox_power, min_max_scale, scale_scores, transform_figures, winsorise
from outside import outside
from reference.tables import DIAKOULAKI

# The time of an example is no fact about the scores.
untimed = settings(deadline=None)
# Whole numbers keep every column's range far from rounding error, so that no example is constant by accident.
whole_columns = arrays(np.int64, st.tuples(st.integers(3, 12), st.just(2)), elements=st.integers(-1000, 1000)).filter(
    lambda matrix: bool(np.all(np.ptp(matrix, axis=0) > 0))
)


def a_panel(columns: dict[str, list[float]], times: int = 2) -> pd.DataFrame:
    """A panel of as many entities as the columns fill, in `times` years from 2015."""
    length = len(next(iter(columns.values())))
    rows = pd.MultiIndex.from_product([list("abcdefgh")[: length // times], range(2015, 2015 + times)])
    return pd.DataFrame(columns, index=rows.set_names(["province", "year"]), dtype=float)


def test_min_max_agrees_with_scikit_criteria_in_both_directions() -> None:
    expected = matrix_scale_by_cenit_distance(DIAKOULAKI, [1, -1, 1])
    source = "scikit-criteria: matrix_scale_by_cenit_distance"
    outside(min_max_scale, source, min_max_scale(DIAKOULAKI, [1, -1, 1]), expected, atol=1e-12)


def test_min_max_keeps_the_labels_of_a_table() -> None:
    frame = a_panel({"gdp": [1, 2, 3, 5], "so2": [4, 3, 2, 0]})
    scores = min_max_scale(frame, {"gdp": 1, "so2": -1})
    pd.testing.assert_frame_equal(scores, a_panel({"gdp": [0, 0.25, 0.5, 1], "so2": [0, 0.25, 0.5, 1]}))


def test_min_max_leaves_its_input_as_it_was() -> None:
    frame = a_panel({"gdp": [1, 2, 3, 5]})
    before = frame.copy()
    min_max_scale(frame)
    pd.testing.assert_frame_equal(frame, before)


@untimed
@given(whole_columns, st.integers(1, 50), st.integers(-500, 500))
def test_scale_or_shift_of_a_column_leaves_the_scores(matrix: np.ndarray, factor: int, shift: int) -> None:
    assert_allclose(min_max_scale(matrix * factor + shift), min_max_scale(matrix), atol=1e-12)


@untimed
@given(whole_columns)
def test_a_direction_flip_mirrors_the_scores(matrix: np.ndarray) -> None:
    assert_allclose(min_max_scale(matrix, [-1, -1]), 1 - min_max_scale(matrix), atol=1e-12)


@untimed
@given(whole_columns, st.randoms())
def test_the_order_of_rows_does_not_matter(matrix: np.ndarray, random: object) -> None:
    order = list(range(len(matrix)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert_allclose(min_max_scale(matrix[order]), np.asarray(min_max_scale(matrix))[order], atol=0)


def test_z_score_has_mean_0_and_sample_sd_1() -> None:
    scores = scale_scores(a_panel({"x": [1, 2, 3, 6]}), None, "z_score")["x"]
    assert_allclose([scores.mean(), scores.std(ddof=1)], [0, 1], atol=1e-12)


def test_rank_gives_ties_their_mean_rank() -> None:
    scores = scale_scores(a_panel({"x": [10, 30, 30, 50]}), {"x": -1}, "rank")
    assert scores["x"].tolist() == [4, 2.5, 2.5, 1]


def test_percentile_runs_from_0_to_1() -> None:
    scores = scale_scores(a_panel({"x": [10, 20, 40, 50]}), None, "percentile")
    assert_allclose(scores["x"], [0, 1 / 3, 2 / 3, 1], atol=1e-12)


def test_distance_to_a_declared_reference_is_a_share_of_it() -> None:
    scores = scale_scores(a_panel({"x": [10, 20, 40, 50]}), None, "distance_to_reference", references={"x": 20})
    assert scores["x"].tolist() == [-0.5, 0, 1, 1.5]


def test_distance_without_a_reference_is_from_the_mean() -> None:
    scores = scale_scores(a_panel({"x": [10, 20, 40, 50]}), {"x": -1}, "distance_to_reference")
    assert_allclose(scores["x"], [2 / 3, 1 / 3, -1 / 3, -2 / 3], atol=1e-12)


def test_goalposts_cut_at_both_ends() -> None:
    scores = scale_scores(a_panel({"x": [10, 20, 40, 90]}), None, "goalposts", goalposts={"x": [20, 60]})
    assert scores["x"].tolist() == [0, 0, 0.5, 1]


def test_ratio_to_best_divides_by_the_largest_or_into_the_smallest() -> None:
    panel = a_panel({"x": [10, 20, 40, 50], "y": [10, 20, 40, 50]})
    scores = scale_scores(panel, {"x": 1, "y": -1}, "ratio_to_best")
    assert_allclose(scores.to_numpy().T, [[0.2, 0.4, 0.8, 1], [1, 0.5, 0.25, 0.2]], atol=1e-12)


def test_yearly_scope_scales_each_year_by_itself() -> None:
    scores = scale_scores(a_panel({"x": [0, 10, 1, 50, 2, 20]}), None, "min_max", scope="yearly")
    assert scores["x"].tolist() == [0, 0, 0.5, 1, 1, 0.25]


def test_winsorise_pulls_in_to_the_quantiles() -> None:
    assert winsorise(np.array([[0.0], [1], [2], [3], [100]]), 0.25).ravel().tolist() == [1, 1, 2, 3, 3]


def test_winsorise_by_0_changes_nothing() -> None:
    assert_allclose(winsorise(DIAKOULAKI, 0.0), DIAKOULAKI, atol=0)


def test_log_keeps_the_columns_without_a_rule() -> None:
    result = transform_figures(a_panel({"x": [1, math.e], "y": [1, 2]}, times=1), {"x": "log"})
    assert result.to_numpy().tolist() == [[0, 1], [1, 2]]


def test_box_cox_of_a_lognormal_sample_is_close_to_the_log() -> None:
    sample = pd.Series(np.exp(np.random.default_rng(7).normal(size=5000)))
    assert abs(box_cox_power(sample)) < 0.05


@pytest.mark.parametrize(
    ("columns", "directions", "told"),
    [
        ({"x": [3, 3, 3, 3]}, None, "column x: it is constant (3 in every row)"),
        ({"x": [0, 0, 0, 0]}, None, "column x: all its cells are 0"),
        ({"x": [1, np.nan, 3, 4]}, None, "column x, province a, year 2016: 1 of 4 cells are missing"),
        ({"x": [np.nan] * 4}, None, "column x: every cell is missing"),
        ({"x": [1, 2, 3, np.inf]}, None, "column x, province b, year 2016: the figure is infinite"),
        ({"x": [1, 2, 3, 4]}, {"x": 2}, "direction of x: 2 is neither +1 nor -1"),
        ({"x": [1, 2, 3, 4]}, {"y": 1}, "direction of y: there is no such column"),
        ({"x": [1, 2, 3, 4]}, {}, "column x: it has no direction"),
    ],
)
def test_min_max_names_what_it_refuses(columns: dict[str, list[float]], directions: object, told: str) -> None:
    with pytest.raises(StudyError) as error:
        min_max_scale(a_panel(columns), directions)
    assert told in str(error.value)
    assert "What to do" in str(error.value)


def test_text_is_refused_by_column() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": ["1", "many"]})
    with pytest.raises(StudyError, match="column y: it holds text"):
        min_max_scale(frame)


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(StudyError, match="column x: the name is used twice"):
        min_max_scale(pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]))


def test_yearly_scope_names_the_year_of_a_constant_column() -> None:
    with pytest.raises(StudyError, match="column x, year 2016"):
        scale_scores(a_panel({"x": [1, 5, 2, 5]}), None, "min_max", scope="yearly")


@pytest.mark.parametrize(
    ("scale", "figures", "extra", "told"),
    [
        ("goalposts", [1, 2], {}, "needs a low and a high value"),
        ("goalposts", [1, 2], {"goalposts": {"x": [3, 3]}}, "needs a low and a high value"),
        ("distance_to_reference", [1, 2], {"references": {"x": 0}}, "its reference is 0"),
        ("ratio_to_best", [-1, 2], {}, "-1 is negative"),
        ("centred", [1, 2], {}, "it is not known"),
    ],
)
def test_scales_name_what_they_refuse(scale: str, figures: list[float], extra: dict[str, object], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        scale_scores(a_panel({"x": figures}, times=1), None, scale, **extra)  # type: ignore[arg-type]


def test_ratio_to_a_best_of_0_is_refused() -> None:
    with pytest.raises(StudyError, match="its best figure is 0"):
        scale_scores(a_panel({"x": [0, 2]}, times=1), {"x": -1}, "ratio_to_best")


@pytest.mark.parametrize("share", [-0.1, 0.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(StudyError, match="winsorising share"):
        winsorise(DIAKOULAKI, share)


def test_a_log_of_0_is_refused_by_row() -> None:
    with pytest.raises(StudyError, match="column x, province b, year 2015: 0 is not above 0"):
        transform_figures(a_panel({"x": [1, 0]}, times=1), {"x": "log"})


def test_the_power_is_that_of_car() -> None:
    figures = np.array([1.2, 3.4, 0.5, 9.9, 15.2, 2.2, 2.2, 40.1, 0.9, 5.5])
    ours = [box_cox_power(figures * unit) for unit in (1.0, 1e6)]
    # The maximum is flat: both programs stop within 1e-6 of it.
    outside(box_cox_power, "R car: powerTransform", ours, [-0.137754726448637] * 2, atol=2e-6)
