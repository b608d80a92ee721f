"""The tests of a model: on its own effects, with p-values that keep their level at few entities.

Statistics in draws are held to the functions that R's and Stata's numbers are held to in test_diagnostics (1e-8: the
same formula by other products). Levels: 100 panels of 31 x 7, within three simulation errors of 5 %.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.diagnostics import null_draws
from helpers.diagnostics.effects_tests import Diagnostic, breusch_pagan_lm, f_test_effects, honda
from helpers.diagnostics.random_effects import hausman
from helpers.diagnostics.residual_tests import modified_wald, pesaran_cd, wooldridge_serial_correlation
from helpers.diagnostics.specification_tests import (
    TITLES,
    Refusal,
    diagnostic_table,
    list_tests,
    record_tests,
    run_tests,
)
from helpers.errors import StudyError
from helpers.regression.collinearity import span
from helpers.regression.design import build_design
from helpers.results.results import Results
from helpers.study.model import Model
from outside import outside
from reference.panels import gappy_grunfeld, grunfeld

FIRMS = Model("inv", "value", ("capital",), entity="firm", time="year")


def draw_panel(rng: np.random.Generator, n_entities: int = 31, n_times: int = 7) -> pd.DataFrame:
    """A panel in which every null but that of no effects is true."""
    index = pd.MultiIndex.from_product([range(n_entities), range(n_times)], names=["firm", "year"])
    shape = (n_entities, n_times)
    x = rng.normal(size=(2, *shape)) + rng.normal(size=(2, n_entities, 1))
    y = x.sum(axis=0) + rng.normal(size=(n_entities, 1)) + rng.normal(size=shape)
    return pd.DataFrame({"inv": y.ravel(), "value": x[0].ravel(), "capital": x[1].ravel()}, index=index)


TESTS: dict[str, Any] = {
    "hausman": hausman,
    "wooldridge": wooldridge_serial_correlation,
    "modified_wald": modified_wald,
    "pesaran_cd": pesaran_cd,
    "breusch_pagan": breusch_pagan_lm,
    "honda": honda,
}
STATISTICS: dict[str, Any] = {
    "hausman": null_draws.hausman_statistics,
    "wooldridge": null_draws.wooldridge_statistics,
    "modified_wald": null_draws.modified_wald_statistics,
    "pesaran_cd": null_draws.cd_statistics,
    "breusch_pagan": null_draws.breusch_pagan_statistics,
    "honda": null_draws.honda_statistics,
}


@pytest.mark.parametrize("effects", [("entity",), ("entity", "time")])
@pytest.mark.parametrize("drop", [0.0, 0.2])
@pytest.mark.parametrize("name", TESTS)
def test_the_statistic_of_a_draw_is_that_of_the_test(name, drop, effects):
    data = draw_panel(np.random.default_rng(3))
    data = data[np.random.default_rng(4).random(len(data)) >= drop]
    model = FIRMS.with_(effects=effects)
    y = build_design(data, "inv", ["value", "capital"]).y[:, None]
    found = STATISTICS[name](null_draws.prepare(data, model))(np.hstack([y, 2 * y]))
    test = TESTS[name](data, "inv", ["value", "capital"], time_effects=model.time_effects)
    assert found == pytest.approx([test.statistic] * 2, rel=1e-8)


@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_the_robust_statistic_of_a_draw_is_that_of_the_test(panel):
    model = FIRMS.with_(effects=("entity",))
    y = build_design(panel(), "inv", ["value", "capital"]).y[:, None]
    found = null_draws.robust_hausman_statistics(null_draws.prepare(panel(), model))(y)
    test = hausman(panel(), "inv", ["value", "capital"], robust=True)
    assert found == pytest.approx([test.statistic], rel=1e-8)


@pytest.mark.parametrize(
    ("name", "how"), [("hausman", "random"), ("robust", "signs"), ("modified_wald", "errors"), ("wooldridge", "errors")]
)
def test_drawn_p_values_keep_their_level_at_31_by_7(name, how):
    rng, below, panels = np.random.default_rng(7), 0, 100
    builder = {**STATISTICS, "robust": null_draws.robust_hausman_statistics}[name]
    for _ in range(panels):
        data = draw_panel(rng)
        setting = null_draws.prepare(data, FIRMS.with_(effects=("entity",)))
        statistic = builder(setting)
        sample = float(statistic(data["inv"].to_numpy()[:, None])[0])
        below += null_draws.draw_p_value(setting, statistic, sample, 99, rng, how=how)[0] <= 0.05
    assert abs(below / panels - 0.05) < 3 * np.sqrt(0.05 * 0.95 / panels)


def test_the_modified_wald_test_rejects_a_true_null_always_by_its_distribution():
    rng = np.random.default_rng(2)
    p_values = [modified_wald(draw_panel(rng), "inv", ["value", "capital"]).p_value for _ in range(20)]
    assert np.mean(np.array(p_values) < 0.05) > 0.9


def test_each_test_runs_on_the_effects_of_the_model():
    data = draw_panel(np.random.default_rng(5))
    tests = run_tests(data, FIRMS, draws=19, rng=np.random.default_rng(1))
    expected = {
        name: test(data, "inv", ["value", "capital"], time_effects=True).statistic
        for name, test in TESTS.items()
        if name != "pesaran_cd"
    }
    for name, statistic in expected.items():
        found = tests[name]
        assert isinstance(found, Diagnostic), found
        assert found.statistic == pytest.approx(statistic)
    table = diagnostic_table(tests, FIRMS)
    assert table.loc["Hausman test", "effects"] == "firm + year"
    assert diagnostic_table(tests, FIRMS.with_(effects=("entity",))).loc["Hausman test", "effects"] == "firm"


def test_the_f_test_of_entity_effects_keeps_the_models_time_effects():
    data = draw_panel(np.random.default_rng(6))
    dummies = {
        level: pd.get_dummies(
            data.index.get_level_values(level), drop_first=True, dtype=float, prefix=str(level)
        ).set_axis(data.index, axis=0)
        for level in (0, 1)
    }
    small = sm.add_constant(data[["value", "capital"]].join(dummies[1]))
    large = small.join(dummies[0].add_prefix("e"))
    statistic, p_value, df = sm.OLS(data["inv"], large).fit().compare_f_test(sm.OLS(data["inv"], small).fit())
    found = run_tests(data, FIRMS, draws=9, rng=np.random.default_rng(1))["f_entity"]
    assert isinstance(found, Diagnostic)
    outside(
        f_test_effects,
        "statsmodels: compare_f_test",
        (found.statistic, found.p_value, found.df[0]),
        (statistic, p_value, df),
        rtol=1e-8,
    )


def refuses(data: pd.DataFrame) -> bool:
    """Whether Hausman's statistic is not defined on a panel."""
    try:
        hausman(data, "inv", ["value", "capital"])
    except StudyError:
        return True
    return False


@pytest.mark.parametrize("seed", range(4))
def test_last_bits_do_not_decide_how_many_directions_lie_between_entities(seed):
    """Means of time dummies over the years of a balanced panel are zero but for rounding, which spans nothing."""
    data = draw_panel(np.random.default_rng(seed))
    setting = null_draws.prepare(data, FIRMS.with_(effects=("entity", "time")))
    q = setting.pooled.q
    noise = 1e-16 * np.random.default_rng(9).normal(size=q.shape)
    rounded = replace(setting, pooled=replace(setting.pooled, q=q + noise))
    outcomes = np.random.default_rng(10).normal(size=(len(data), 20))
    plain, moved = (null_draws.hausman_statistics(one)(outcomes) for one in (setting, rounded))
    np.testing.assert_allclose(moved, plain, rtol=1e-9)


def test_what_is_left_of_a_column_by_rounding_spans_nothing():
    columns = np.array([[1.0, 3e-17], [1.0, -2e-17], [1.0, 1e-17]])
    assert span(columns, np.ones(2)).kept == (0,)
    assert span(columns).kept == (0, 1)


def test_a_difference_of_covariances_that_is_not_definite_is_not_printed():
    rng = np.random.default_rng(11)
    data = next(panel for panel in (draw_panel(rng, 8, 3) for _ in range(200)) if refuses(panel))
    with pytest.raises(StudyError, match="not positive definite") as error:
        hausman(data, "inv", ["value", "capital"])
    assert "robust" in error.value.remedy
    tests = run_tests(data, FIRMS.with_(effects=("entity",)), draws=9, rng=rng)
    assert isinstance(tests["hausman"], Refusal)
    results = Results(study="small", notebook="03_baseline_regression")
    record_tests(results.record, tests)
    assert "baseline.tests.hausman" not in results
    assert "baseline.tests.hausman_robust" in results


def test_a_test_that_the_rows_do_not_allow_says_why():
    data = draw_panel(np.random.default_rng(8), 12, 5)
    single = data.drop(index=[(0, time) for time in range(1, 5)])
    tests = run_tests(single, FIRMS, draws=19, rng=np.random.default_rng(1))
    assert isinstance(tests["modified_wald"], Refusal)
    assert tests["modified_wald"].note.startswith("not made: ")
    assert isinstance(tests["f_time"], Diagnostic)


def test_beyond_many_entities_a_test_keeps_its_distribution(monkeypatch):
    monkeypatch.setattr(null_draws, "MANY_ENTITIES", 30)
    found = run_tests(draw_panel(np.random.default_rng(5)), FIRMS, draws=19, rng=np.random.default_rng(1))["wooldridge"]
    assert isinstance(found, Diagnostic)
    assert found.draws is None


def test_a_test_is_called_the_same_where_it_can_be_made_and_where_not(monkeypatch):
    assert list(TITLES) == list(list_tests(FIRMS))
    monkeypatch.setattr(null_draws, "MANY_ENTITIES", 30)
    made = run_tests(draw_panel(np.random.default_rng(5)), FIRMS, draws=19, rng=np.random.default_rng(1))
    assert {name: test.name for name, test in made.items() if isinstance(test, Diagnostic)}.items() <= TITLES.items()
    single = run_tests(draw_panel(np.random.default_rng(8), 3, 2), FIRMS, draws=19, rng=np.random.default_rng(1))
    assert {name: test.name for name, test in single.items()} == TITLES
    assert any(isinstance(test, Refusal) for test in single.values())
