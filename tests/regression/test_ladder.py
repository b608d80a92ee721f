"""The baseline ladder against statsmodels with dummies (1e-9: the same least squares by other decompositions)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers.index import build as construction
from helpers.inference.wild import wild_cluster_bootstrap
from helpers.regression import ladder as baseline
from helpers.regression.diagnostic import Diagnostic
from helpers.results.results import Results
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
    return baseline.fit_ladder(panel, make_study())


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
    assert re.fullmatch(r"-?\d+\.\d{3}\**", table.loc["Size", "One way"])


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


def test_every_column_is_recorded_with_its_convention(fits):
    results = Results(study="small", notebook="03_baseline_regression")
    baseline.record_ladder(results, fits, "dose")
    assert sorted(results) == ["baseline.one_way.dose", "baseline.pooled.dose", "baseline.two_way.dose"]
    found = results["baseline.two_way.dose"]
    assert (found.estimate, found.n_obs, found.n_entities) == (fits["two_way"].estimates["dose"], 60, 12)
    assert "stata" in str(found.convention)


def test_the_f_test_of_entity_effects_is_the_one_of_two_sums_of_squares(panel):
    design = panel[["dose", "size"]].assign(constant=1.0)
    dummies = pd.get_dummies(panel.index.get_level_values(0), drop_first=True, dtype=float).set_axis(panel.index)
    small, large = sm.OLS(panel["reply"], design).fit(), sm.OLS(panel["reply"], design.join(dummies)).fit()
    statistic, p_value, _ = large.compare_f_test(small)
    found = baseline.run_specification_tests(panel, make_study())["f_entity"]
    assert isinstance(found, Diagnostic)
    assert (found.statistic, found.p_value) == (pytest.approx(statistic, **TIGHT), pytest.approx(p_value, **TIGHT))


def test_a_test_that_the_rows_do_not_allow_says_why(panel):
    single = panel.drop(index=[("p00", wave) for wave in (2003, 2004, 2006, 2009)])
    tests = baseline.run_specification_tests(single, make_study())
    refused = {name for name, test in tests.items() if isinstance(test, baseline.Refusal)}
    assert refused
    assert all(tests[name].note.startswith("not made: ") for name in refused)
    assert isinstance(tests["f_time"], Diagnostic)


def test_only_tests_that_were_made_are_recorded(panel):
    tests = baseline.run_specification_tests(panel, make_study())
    tests["hausman"] = baseline.Refusal("hausman", "not made: for this test")
    results = Results(study="small", notebook="03_baseline_regression")
    baseline.record_tests(results, tests)
    assert set(results) == {f"baseline.tests.{name}" for name in tests if name != "hausman"}
    assert baseline.diagnostic_table(tests).loc["hausman", "note"] == "not made: for this test"


def test_an_end_at_infinity_is_not_recorded(fits):
    wild = wild_cluster_bootstrap(fits["two_way"], "dose", draws=199, rng=np.random.default_rng(1), interval=True)
    results = Results(study="small", notebook="03_baseline_regression")
    baseline.record_wild(results, "test.open", replace(wild, ci_low=-np.inf), 60, 12)
    assert (results["test.open"].ci_low, results["test.open"].ci_high) == (None, wild.ci_high)


def test_the_sentence_follows_the_numbers(fits):
    sentence = baseline.say_headline(fits, make_study())
    negative = replace(fits["pooled"], estimates=-fits["pooled"].estimates)
    assert "keeps its sign" in sentence
    assert "changes its sign" in baseline.say_headline({**fits, "pooled": negative}, make_study())
    weak = replace(fits["two_way"], p_values=fits["two_way"].p_values * 0 + 0.5)
    assert "cannot be told from zero" in baseline.say_headline({**fits, "two_way": weak}, make_study())


def test_no_number_stands_in_the_sentence_but_those_of_the_results(fits):
    text = re.sub(r"\{[^}]*\}", "", baseline.say_headline(fits, make_study()))
    assert re.findall(r"\d+", text) == ["95"]


def test_the_note_names_the_primary_column_and_the_clusters(fits):
    note = baseline.table_note(fits, make_study())
    assert "clustered by entity, t(11)" in note
    assert "Primary specification: Two way" in note


def test_rows_are_shown_by_their_labels():
    shown = baseline.label_rows(pd.Series([1.0, 2.0], index=["dose", "nothing"]), make_study())
    assert shown.index.to_list() == ["Dose", "nothing"]
