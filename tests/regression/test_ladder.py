"""The baseline ladder against statsmodels with dummies (1e-9: the same least squares by other decompositions)."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from helpers.index import build as construction
from helpers.regression import ladder as baseline
from helpers.regression.panel import fit
from helpers.study.model import build_model
from small_study import fit_dummies, make_indicators, make_study

TIGHT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
COLUMNS = {
    "pooled": (["dose"], ()),
    "one_way": (["dose", "size"], ("entity",)),
    "two_way": (["dose", "size"], ("entity", "time")),
}


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    indices = construction.build_indices(make_indicators(), make_study())
    return construction.model_panel(make_indicators(), construction.index_values(indices))


@pytest.fixture(scope="module")
def fits(panel):
    study = make_study()
    return {column: fit(panel, build_model(study, column)) for column in study.ladder}


@pytest.fixture(scope="module")
def table(fits):
    return baseline.ladder_table(fits, make_study())


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_the_ladder_is_its_own_regression(panel, fits, column):
    regressors, effects = COLUMNS[column]
    expected = fit_dummies(panel, "reply", regressors, effects)
    assert fits[column].estimates["dose"] == pytest.approx(expected["estimate"], **TIGHT)
    assert fits[column].std_errors["dose"] == pytest.approx(expected["std_error"], **TIGHT)


def test_the_ladder_keeps_the_order_of_the_study(fits):
    assert list(fits) == ["pooled", "one_way", "two_way"]


def test_the_table_shows_estimates_with_stars_and_standard_errors_below(panel, table):
    expected = fit_dummies(panel, "reply", ["dose", "size"], ("entity", "time"))
    p_value = 2 * stats.t.sf(abs(expected["estimate"] / expected["std_error"]), 11)
    mark = "***" if p_value < 0.01 else "**" if p_value < 0.05 else "*" if p_value < 0.1 else ""
    assert table.loc["Dose", "Two way"] == f"{expected['estimate']:.3f}{mark}"
    assert table.loc["(Dose: standard error)", "Two way"] == f"({expected['std_error']:.3f})"


def test_a_control_that_is_not_in_a_column_leaves_its_cell_empty(table):
    assert table.loc["Size", "Pooled"] == ""
    shown = re.fullmatch(r"-?0\.0*(\d{2,})\**", table.loc["Size", "One way"])
    assert shown is not None, "an estimate of a few thousandths has two significant digits in the journal's table"


def test_the_facts_below_the_table(table):
    assert table.loc["Place effects"].to_list() == ["no", "yes", "yes"]
    assert table.loc["Wave effects"].to_list() == ["no", "no", "yes"]
    assert table.loc["Observations"].to_list() == ["60"] * 3
    assert table.loc["Place clusters (G)"].to_list() == ["12"] * 3
    assert table.loc["Degrees of freedom"].to_list() == ["11"] * 3


@pytest.mark.parametrize(
    ("p_value", "mark"), [(0.0099, "***"), (0.01, "**"), (0.0499, "**"), (0.05, "*"), (0.0999, "*"), (0.1, "")]
)
def test_stars_begin_below_their_level(p_value, mark):
    assert baseline.stars(p_value) == mark


def test_r_squared_within_is_blank_where_nothing_is_absorbed(fits, table):
    assert table.loc["R-squared, within"].to_list() == [
        "",
        f"{fits['one_way'].r_squared_within:.3f}",
        f"{fits['two_way'].r_squared_within:.3f}",
    ]


def test_rows_of_the_picture_are_the_fits(fits):
    rows = baseline.ladder_estimates(fits, "dose", make_study().label)
    assert rows.index.to_list() == ["Pooled", "One way", "Two way"]
    assert rows.loc["Two way", "ci_low"] == fits["two_way"].ci_low["dose"]
