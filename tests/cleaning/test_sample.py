"""Facts about which rows are analysed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cleaning import gaps as cleaning
from helpers.cleaning.sample import mark_dropped, mark_sample, model_columns, select_sample
from helpers.errors import StudyError
from helpers.reading import statistics as reading
from helpers.reading import units
from helpers.study.formula import parse_formula
from helpers.study.formula_values import evaluate
from helpers.study.study import Study, load_study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def countries() -> Study:
    return load_study(ROOT / "data" / "countries")


@pytest.fixture(scope="module")
def statistics(countries: Study) -> pd.DataFrame:
    entities = units.read_units(countries.folder / countries.entity.units, countries.entity)
    return reading.read_raw(countries.folder, countries.columns, entities, countries.entity, countries.time)


def test_every_row_that_leaves_is_counted(countries: Study, statistics: pd.DataFrame) -> None:
    marked = mark_sample(statistics, countries)
    chosen = select_sample(cleaning.derive(statistics, countries.formulas, marked), marked, countries)
    window = statistics.index.get_level_values(1).isin(countries.time.window).sum()
    assert chosen.flow["rows_left_out"].sum() + len(chosen.panel) == window


def test_a_unit_and_period_of_which_no_file_tells_anything_is_no_row_that_was_dropped(
    countries: Study, statistics: pd.DataFrame
) -> None:
    marked = mark_sample(statistics, countries)
    derived = cleaning.derive(statistics, countries.formulas, marked)
    before = select_sample(derived, marked, countries)
    kept, asked = (rows.groupby(level=0).size() for rows in (before.panel, marked[marked]))
    entity = kept.index[kept == asked.reindex(kept.index)][0]  # it has every figure in every period
    gone = derived.copy()
    gone.loc[entity] = np.nan
    after = select_sample(gone, marked, countries)
    assert len(before.panel) - len(after.panel) == kept[entity]
    assert after.dropped == before.dropped
    gone.loc[entity, model_columns(countries)[-1]] = 1.0  # a row now tells something, but not all that is needed
    assert select_sample(gone, marked, countries).dropped > before.dropped


def test_the_sample_holds_every_figure_that_the_model_needs(countries: Study, statistics: pd.DataFrame) -> None:
    marked = mark_sample(statistics, countries)
    chosen = select_sample(cleaning.derive(statistics, countries.formulas, marked), marked, countries)
    assert chosen.panel[model_columns(countries)].notna().all(axis=None)


def test_rows_that_do_not_show_the_required_figure_are_not_marked(countries: Study, statistics: pd.DataFrame) -> None:
    marked = mark_sample(statistics, countries)
    assert (statistics.loc[marked, "un_egdi_valid"] == 1).all()


def test_scores_within_a_time_have_mean_0_and_sample_standard_deviation_1(
    statistics: pd.DataFrame, countries: Study
) -> None:
    marked = mark_sample(statistics, countries)
    scores = evaluate(parse_formula("standardise(un_osi)"), statistics, marked)[marked].groupby(level=1)
    assert np.allclose(scores.mean(), 0, atol=1e-12)
    assert np.allclose(scores.std(ddof=1), 1, atol=1e-12)


def test_rows_outside_the_sample_get_no_score(statistics: pd.DataFrame, countries: Study) -> None:
    marked = mark_sample(statistics, countries)
    assert evaluate(parse_formula("standardise(un_osi)"), statistics, marked)[~marked].isna().all()


def test_figures_of_one_time_that_do_not_differ_cannot_be_standardised() -> None:
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["unit", "time"])
    panel = pd.DataFrame({"x": [1.0, 5.0, 2.0, 5.0]}, index=index)
    with pytest.raises(StudyError, match="unit a, time 2"):
        evaluate(parse_formula("standardise(x)"), panel)


def test_a_gap_stops_a_study_that_does_not_drop_rows(statistics: pd.DataFrame, countries: Study) -> None:
    strict = countries.model_copy(update={"sample": countries.sample.model_copy(update={"missing": "stop"})})
    marked = mark_sample(statistics, countries)
    with pytest.raises(StudyError, match="the model needs a figure"):
        select_sample(cleaning.derive(statistics, countries.formulas, marked), marked, strict)


def test_a_sample_without_rows_stops(statistics: pd.DataFrame, countries: Study) -> None:
    asks = countries.sample.model_copy(update={"require": {"un_egdi_valid": 0.5}})
    empty = countries.model_copy(update={"sample": asks})
    marked = mark_sample(statistics, empty)
    with pytest.raises(StudyError, match="no row is left"):
        select_sample(cleaning.derive(statistics, {"x": "un_osi"}).reindex(columns=model_columns(empty)), marked, empty)


ROWS = pd.MultiIndex.from_product([["01001", "01002", "02001"], [2019, 2020]], names=["unit", "year"])
UNITS = pd.DataFrame({"south": ["1", "0", "1"], "coast": ["1", "1", "0"]}, index=["01001", "01002", "02001"])


@pytest.mark.parametrize(
    ("where", "times", "dropped"),
    [
        ({"south": 1}, None, [1, 1, 0, 0, 1, 1]),
        ({"south": 1, "coast": "1"}, None, [1, 1, 0, 0, 0, 0]),
        (None, (2020,), [0, 1, 0, 1, 0, 1]),
        ({"coast": 0}, (2019,), [1, 0, 1, 0, 1, 1]),
        (None, None, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_a_sample_leaves_out_the_declared_rows(where, times, dropped):
    assert mark_dropped(ROWS, UNITS, where, times, "row").astype(int).tolist() == dropped


@pytest.mark.parametrize(
    ("rows", "units", "where", "times", "rule"),
    [
        (ROWS, UNITS, {"south": 2}, None, "row, drop_where south: 2: no entity is so"),
        (ROWS, UNITS, {"south": 0, "coast": 0}, None, "no entity is so"),
        (ROWS, UNITS, {"rich": 1}, None, "row, drop_where rich: the units file has no such column"),
        (ROWS, None, {"south": 1}, None, "no such column"),
        (ROWS, UNITS, None, (2021,), "row, drop_times 2021: no row is of such a time"),
        # codes that became numbers fit no unit any more; the rule would keep every row in silence
        (ROWS.set_levels([1001, 1002, 2001], level=0), UNITS, {"south": 1}, None, "no entity is so"),
    ],
)
def test_a_sample_that_leaves_out_nothing_is_an_error(rows, units, where, times, rule):
    with pytest.raises(StudyError, match=rule):
        mark_dropped(rows, units, where, times, "row")
