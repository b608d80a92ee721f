"""Robustness rows against statsmodels with dummies, on data changed by hand.

Estimates and standard errors to 1e-9: both solve the same least squares, by different decompositions. Weights of the
indices that are made anew are worked out here in NumPy.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cells import PlantedRun, run_cell
from helpers.errors import StudyError
from helpers.index import build as construction
from helpers.regression.specification import specify
from helpers.results.estimate import Estimate
from helpers.robustness import changes, shown
from helpers.robustness.changes import Finding, check_robustness, leave_one_out
from small_study import CONTENT, PLACES, WINDOW, fit_dummies, label, make_indicators, make_study, make_units

TIGHT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
TWO_WAY = ("entity", "time")


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    indices = construction.build_indices(make_indicators(), make_study())
    return construction.model_panel(make_indicators(), construction.index_values(indices))


def row_of(panel: pd.DataFrame, draws: int = 199, **changes: object) -> Finding:
    """What one declared row finds."""
    study = make_study(robustness={"row": {"label": label("Row"), "asks": label("Why?"), **changes}})
    return check_robustness(panel, make_units(), study, draws=draws, rng=np.random.default_rng(5))["row"]


def check(panel: pd.DataFrame, **changes: object) -> Estimate:
    """The effect in one declared row."""
    return row_of(panel, **changes).effect  # type: ignore[arg-type]


def agree(found: Estimate, expected: dict[str, float]) -> bool:
    return (
        found.estimate == pytest.approx(expected["estimate"], **TIGHT)
        and found.std_error == pytest.approx(expected["std_error"], **TIGHT)
        and found.n_obs == expected["n_obs"]
    )


def scaled(values: pd.DataFrame) -> pd.DataFrame:
    return (values - values.min()) / (values.max() - values.min())


def test_without_a_change_a_row_is_the_primary_specification(panel):
    assert agree(check(panel), fit_dummies(panel, "reply", ["dose", "size"], TWO_WAY))


def test_the_ladder_says_which_controls_and_effects_a_specification_has(panel):
    found = specify(panel, make_study(), "one_way")
    assert (found.regressors, found.effects) == (("dose", "size"), ("entity",))
    assert specify(panel, make_study(), "pooled").regressors == ("dose",)


def test_equal_weights_make_both_indices_anew(panel):
    changed = panel.assign(
        dose=scaled(panel[["d1", "d2"]]).mean(axis=1), reply=scaled(panel[["r1", "r2", "r3"]]).mean(axis=1)
    )
    found = check(panel, index={"weights": "equal"})
    assert agree(found, fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))


def test_winsorising_pulls_in_the_tails_of_every_column(panel):
    columns = panel[["reply", "dose", "size"]]
    changed = columns.clip(columns.quantile(0.05), columns.quantile(0.95), axis=1)
    assert agree(check(panel, winsorise=0.05), fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))


def test_entities_are_left_out_by_a_column_of_the_units(panel):
    changed = panel.loc[PLACES[2:]]
    changed.index = changed.index.remove_unused_levels()
    found = check(panel, drop_where={"big": 1})
    assert agree(found, fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))
    assert found.n_entities == 10


def test_a_value_that_no_entity_has_is_refused(panel):
    with pytest.raises(StudyError, match="no entity is so"):
        check(panel, drop_where={"big": 7})


def test_a_column_that_the_units_lack_is_refused(panel):
    with pytest.raises(StudyError, match="no such column"):
        check(panel, drop_where={"rich": 1})


def test_times_are_left_out(panel):
    changed = panel[~panel.index.get_level_values(1).isin([2003, 2009])]
    assert agree(check(panel, drop_times=[2003, 2009]), fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))


def test_a_lag_counts_waves_and_not_years(panel):
    wide = panel["dose"].unstack()
    earlier = pd.concat({now: wide[before] for before, now in pairwise(WINDOW)}, axis=1).stack()
    changed = panel.loc[earlier.index.sort_values()].assign(dose=earlier)
    assert agree(check(panel, lag_treatment=1), fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))


def test_a_lead_takes_the_outcome_of_the_next_wave_and_keeps_the_controls(panel):
    wide = panel["reply"].unstack()
    later = pd.concat({now: wide[after] for now, after in pairwise(WINDOW)}, axis=1).stack()
    changed = panel.loc[later.index.sort_values()].assign(reply=later)
    assert agree(check(panel, lead_outcome=1), fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))


def test_a_lag_does_not_reach_over_a_missing_row(panel):
    gap = panel.drop(index=[("p00", 2004)])
    found = check(gap, lag_treatment=1)
    assert found.n_obs == len(PLACES) * (len(WINDOW) - 1) - 2


def test_balanced_keeps_the_places_with_every_wave(panel):
    found = check(panel.drop(index=[("p00", 2004), ("p05", 2009)]), balanced=True)
    changed = panel.drop(index=["p00", "p05"])
    changed.index = changed.index.remove_unused_levels()
    assert agree(found, fit_dummies(changed, "reply", ["dose", "size"], TWO_WAY))


def test_rows_are_weighted_by_a_variable(panel):
    panel = panel.assign(people=np.random.default_rng(8).uniform(1, 9, len(panel)))
    row = {"label": label("Row"), "asks": label("Why?"), "weights": "people"}
    variables = {**CONTENT["variables"], "people": {"formula": "size", "label": label("People")}}
    rows = {"row": row, "wild": {**row, "inference": "wild_cluster_bootstrap"}, "out": {**row, "leave_one_out": True}}
    study = make_study(robustness=rows, variables=variables)
    found = check_robustness(panel, make_units(), study, draws=199, rng=np.random.default_rng(5))
    regressors = ["dose", "size"]
    assert agree(found["row"].effect, fit_dummies(panel, "reply", regressors, TWO_WAY, weights="people"))
    assert (found["row"].effect.convention or "").startswith("rows weighted by people; ")
    assert found["wild"].effect.estimate == found["row"].effect.estimate
    assert found["wild"].remark == "rows weighted by people"
    entities = panel.index.get_level_values(0)
    rest = {place: panel[entities != place] for place in PLACES}
    refits = [fit_dummies(data, "reply", regressors, TWO_WAY, weights="people")["estimate"] for data in rest.values()]
    assert any(found["out"].effect.estimate == pytest.approx(refit, **TIGHT) for refit in refits)


def test_weights_that_the_study_does_not_know_are_refused():
    with pytest.raises(ValueError, match="people"):
        make_study(robustness={"row": {"label": label("Row"), "asks": label("Why?"), "weights": "people"}})


def test_another_treatment_and_other_controls_take_the_places(panel):
    found = check(panel, treatment="other", controls=["size", "channel_a"])
    assert agree(found, fit_dummies(panel, "reply", ["other", "size", "channel_a"], TWO_WAY))


def test_two_way_clustering_moves_the_standard_error_and_not_the_estimate(panel):
    found, plain = check(panel, cluster=["entity", "time"]), check(panel)
    assert found.estimate == plain.estimate
    assert found.std_error != plain.std_error
    assert found.convention.startswith("clustered by entity and time, ")
    assert found.convention.endswith(f", t({len(WINDOW) - 1})")


def test_the_wild_bootstrap_keeps_the_estimate_and_brings_its_own_p_value(panel):
    found, plain = check(panel, inference="wild_cluster_bootstrap"), check(panel)
    assert (found.estimate, found.std_error) == (plain.estimate, plain.std_error)
    assert found.p_value == enumerate_wild(panel)


def enumerate_wild(panel: pd.DataFrame) -> float:
    """The restricted wild cluster bootstrap over all 4096 sign patterns, one regression for each."""
    dummies = [pd.get_dummies(panel.index.get_level_values(level), drop_first=True, dtype=float) for level in (0, 1)]
    rest = np.column_stack([panel["size"], np.ones(len(panel)), *dummies])
    design = np.column_stack([panel["dose"], rest])
    reply, groups = panel["reply"].to_numpy(), pd.factorize(panel.index.get_level_values(0))[0]
    own = design[:, 0] - rest @ np.linalg.lstsq(rest, design[:, 0], rcond=None)[0]
    under_null = rest @ np.linalg.lstsq(rest, reply, rcond=None)[0]

    def statistics(replies: np.ndarray) -> np.ndarray:
        """T of the treatment for every column, up to a factor that all share."""
        estimates = np.linalg.pinv(design) @ replies
        residuals = replies - design @ estimates
        scores = np.array([own[groups == group] @ residuals[groups == group] for group in range(len(PLACES))])
        return np.asarray(estimates[0] / np.sqrt((scores**2).sum(axis=0)))

    signs = np.array(list(product([-1, 1], repeat=len(PLACES))))[:, groups].T
    drawn = statistics(under_null[:, None] + signs * (reply - under_null)[:, None])
    return float((abs(drawn) > abs(statistics(reply[:, None])) * (1 - 1e-9)).mean())


def test_leave_one_out_tells_the_weakest_of_all_refits(panel):
    row = row_of(panel, leave_one_out=True)
    found, p_values = row.effect, {}
    for place in PLACES:
        rest = panel.drop(index=place)
        rest.index = rest.index.remove_unused_levels()
        refit = fit_dummies(rest, "reply", ["dose", "size"], TWO_WAY)
        p_values[place] = 2 * stats.t.sf(abs(refit["estimate"] / refit["std_error"]), len(PLACES) - 2)
    weakest = max(p_values, key=lambda place: p_values[place])
    assert row.remark == f"the refit with the largest p-value: without unit {weakest}"
    assert found.p_value == pytest.approx(p_values[weakest], **TIGHT)
    assert found.n_entities == len(PLACES) - 1


def test_every_place_is_left_out_once(panel):
    table = leave_one_out(panel, make_study().model()).table
    assert list(table.index) == PLACES
    rest = panel.drop(index="p03")
    rest.index = rest.index.remove_unused_levels()
    assert table.loc["p03", "estimate"] == pytest.approx(
        fit_dummies(rest, "reply", ["dose", "size"], TWO_WAY)["estimate"], **TIGHT
    )


@pytest.mark.parametrize("cluster", ["entity", "time"])
def test_of_too_many_places_those_are_left_out_that_move_the_estimate_most(panel, cluster, monkeypatch):
    model = make_study().model().with_(cluster=cluster)
    whole = leave_one_out(panel, model).table
    moved = (whole["estimate"] - check(panel).estimate).abs()
    monkeypatch.setattr(changes, "MOST_ROWS", 4 * len(panel))
    monkeypatch.setattr(changes, "AT_ONCE", 1)
    monkeypatch.setattr(changes, "FEWEST", 2)
    few = leave_one_out(panel, model)
    assert set(few.table.index) == set(moved.nlargest(4).index)
    assert few.table.to_numpy(dtype=float) == pytest.approx(whole.loc[few.table.index].to_numpy(dtype=float), **TIGHT)


def test_the_panel_is_left_as_it_was(panel):
    before = panel.copy()
    check(panel, winsorise=0.1, lag_treatment=1, drop_times=[2009], index={"weights": "equal"})
    pd.testing.assert_frame_equal(panel, before)


def test_a_treatment_that_one_place_alone_moves_has_no_refit_without_it(panel):
    still = panel.assign(dose=panel["dose"].where(panel.index.get_level_values(0) == "p00", 0.0))
    assert "p00" not in leave_one_out(still, make_study().model()).table.index


def finding(estimate: float, p_value: float, wild: float | None = None) -> Finding:
    effect = Estimate(
        estimate=estimate, std_error=0.5, statistic=estimate / 0.5, df=11, p_value=p_value, ci_low=estimate - 1,
        ci_high=estimate + 1, n_obs=60, n_entities=12, convention="words",
    )  # fmt: skip
    return Finding(effect, replace(effect, p_value=p_value if wild is None else wild))


@pytest.mark.parametrize(("p_value", "wild", "told"), [(0.01, 0.2, "not "), (0.2, 0.01, "not "), (0.01, 0.04, "")])
def test_a_row_is_significant_where_its_own_test_and_the_bootstrap_say_so(p_value: float, wild: float, told: str):
    assert finding(0.5, p_value, wild).verdict(0.05) == f"positive, {told}significant"


def test_every_row_has_its_wild_bootstrap_and_that_of_two_clusters_the_two_way_variance(panel):
    one = row_of(panel, lag_treatment=1)
    two = row_of(panel, cluster=["entity", "time"])
    for found in (one, two):
        assert found.wild.estimate == found.effect.estimate
        assert found.wild.convention is not None
        assert found.wild.convention.startswith("restricted wild")
    assert two.effect.statistic is not None
    assert two.wild.statistic == pytest.approx(two.effect.statistic, rel=1e-9)


ROWS = {
    name: {"label": label(name.upper()), "asks": label(f"{name}?")} for name in ("first", "second", "third", "fourth")
}
CHECKS = {"first": finding(1, 0.01), "second": finding(-1, 0.01), "third": finding(2, 0.2), "fourth": finding(3, 0.049)}


def test_rows_are_counted_by_sign_and_significance():
    run = PlantedRun()
    shown.record_checks(run.record, CHECKS, "dose", 0.05)
    told = run_cell("04_robustness", "Of {robustness.rows} rows", run=run)
    counts = "Of 4 rows, 2 are positive and 1 negative"
    assert told == f"{counts} with a p-value below 0.05 by the row's own test and by the wild bootstrap."


def test_every_row_is_recorded_with_its_own_convention():
    run = PlantedRun()
    shown.record_checks(run.record, CHECKS, "dose", 0.05)
    found = run.results["robustness.third.dose"]
    assert (found.estimate, found.statistic, found.p_value, found.convention) == (2, 4, 0.2, "words")


def test_the_table_says_what_each_row_asks_and_finds():
    table = shown.robustness_table(CHECKS, make_study(robustness=ROWS))
    assert list(table.loc["SECOND", ["asks", "finds"]]) == ["second?", "negative, significant"]
    assert table["finds"].to_list()[2] == "positive, not significant"
    assert (table["detectable"] > 0.5 * 2.8).all()


def test_the_range_without_one_place_names_the_extreme_places(panel):
    left_out, run = leave_one_out(panel, make_study().model()), PlantedRun()
    low, high = shown.record_range(run.record, left_out)
    named = {"run": run, "low": low, "high": high, "indexed": False}
    told = run_cell("04_robustness", "Without one unit, and the indices as they were built", **named)
    estimates = left_out.table["estimate"]
    assert f"(without unit {estimates.idxmin()}) and" in told
    assert run.results["robustness.leave_one_out.largest"].estimate == pytest.approx(estimates.max(), rel=1e-7)
