"""Policies: marking, difference in differences, event study, randomisation, cohorts and bounds.

Outside: a two-by-two panel whose difference is taken by hand; statsmodels on dummies for the event study; the clustered t
of every dealt assignment by `fit_panel` (tested against Stata); Callaway and Sant'Anna's estimator and its standard error
from the means and variances of changes; the bounds of Rambachan and Roth worked out by hand for three coefficients.
1e-8 where dummies are inverted, else 1e-9. Not carried here, since its data are not ours: on the minimum-wage example of
R's did (Callaway and Sant'Anna 2021, unconditional) the five group-time effects compared are those printed, to four
digits; the other seven were not compared.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.errors import StudyError
from helpers.policy import difference, honest, pilots, staggered
from helpers.regression.panel import fit
from helpers.study.model import Model
from helpers.study.texts import Policy
from outside import outside

MODEL = Model("y", "d", ("x",))
WORDS = {"en": "w", "zh": "w"}
YEARS = range(2013, 2020)


def declare(*cohorts: tuple[int, list[str]]) -> Policy:
    blocks = [{"start": start, "entities": entities} for start, entities in cohorts]
    return Policy.model_validate({"label": WORDS, "source": WORDS, "caution": WORDS, "cohorts": blocks})


def make_panel(n: int = 14, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(n)], YEARS], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(n * 7, 2)), index, ["x", "y"])
    return data.assign(y=data["y"] + np.repeat(rng.normal(size=n), 7))


POLICY = declare((2017, ["u01", "u04", "u06", "u08"]), (2016, ["u02", "u03"]))


def test_a_policy_marks_the_times_under_it():
    data = pilots.mark_policy(make_panel(), POLICY)
    under = data["under_policy"].to_dict()
    assert (under["u01", 2016], under["u01", 2017], under["u02", 2016], under["u05", 2019]) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    "policy, rule",
    [
        (declare((2017, ["nobody"])), "no such entity"),
        (declare((2013, ["u01"])), "the panel runs from 2013 to 2019"),
        (declare((2030, ["u01"])), "the panel runs from 2013 to 2019"),
        (declare((2017, [f"u{i:02d}" for i in range(14)])), "reaches every entity"),
    ],
)
def test_a_policy_that_cannot_be_told_is_refused(policy: Policy, rule: str):
    with pytest.raises(StudyError, match=rule):
        pilots.mark_policy(make_panel(), policy)


def test_a_policy_for_nobody_or_twice_is_no_policy():
    with pytest.raises(ValueError, match="at least 1"):
        declare()
    with pytest.raises(ValueError, match="in two cohorts"):
        declare((2016, ["u01"]), (2017, ["u01"]))
    with pytest.raises(ValueError, match="write them as one"):
        declare((2016, ["u01"]), (2016, ["u02"]))


@pytest.mark.outside
def test_two_groups_and_two_times_are_the_difference_of_differences():
    index = pd.MultiIndex.from_product([["a", "b", "c", "d"], [1, 2]], names=["unit", "time"])
    data = pd.DataFrame({"y": [1.0, 4.0, 2.0, 6.0, 5.0, 6.0, 3.0, 5.0], "x": 0.0}, index)
    marked = pilots.mark_policy(data, declare((2, ["a", "b"])))
    found = fit(marked, difference.difference_model(MODEL, "y", controls=False))
    by_hand = ((4 - 1) + (6 - 2)) / 2 - ((6 - 5) + (5 - 3)) / 2
    outside(difference.difference_model, "written out: four means", found.estimates["under_policy"], by_hand, rtol=1e-9)


@pytest.mark.outside
def test_the_course_is_that_of_dummies():
    data = pilots.mark_policy(make_panel(), POLICY)
    model = difference.difference_model(MODEL, "y", controls=True)
    found = difference.study_events(data, model, draws=99, rng=np.random.default_rng(1))
    since = data.index.get_level_values(1) - data["policy_start"]
    steps = sorted(set(since.dropna().astype(int)) - {-1})
    columns = {f"s{step}": (since == step).astype(float) for step in steps} | {"x": data["x"]}
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    dummies = [
        pd.get_dummies(units).set_axis(data.index),
        pd.get_dummies(times, prefix="t").iloc[:, 1:].set_axis(data.index),
    ]
    theirs = sm.OLS(data["y"], pd.concat([pd.DataFrame(columns), *dummies], axis=1).astype(float)).fit().params
    expected = {step: theirs[f"s{step}"] for step in steps}
    ours = {step: value for step, value in found.course["estimate"].to_dict().items() if step != -1}
    outside(difference.study_events, "statsmodels: OLS on dummies", ours, expected, rtol=1e-8)
    assert found.course.loc[-1, "estimate"] == 0
    assert found.before is not None
    assert found.before.terms == ("before_4", "before_3", "before_2")


@pytest.mark.outside
def test_every_dealt_assignment_has_the_clustered_t_of_its_regression():
    data = pilots.mark_policy(make_panel(), POLICY)
    model = difference.difference_model(MODEL, "y", controls=True)
    found = difference.randomise(data, model, draws=40, rng=np.random.default_rng(5))
    rng = np.random.default_rng(5)
    starts = data["policy_start"].groupby(level=0).first().to_numpy()
    dealt = rng.permuted(np.tile(starts, (40, 1)), axis=1)
    units = data.index.unique(0)
    observed = abs(fit(data, model).statistics["under_policy"])
    reached = 0
    for row in dealt:
        begun = pd.Series(row, units).reindex(data.index.get_level_values(0)).to_numpy()
        under = (data.index.get_level_values(1).to_numpy() >= np.where(np.isnan(begun), np.inf, begun)).astype(float)
        reached += abs(fit(data.assign(under_policy=under), model).statistics["under_policy"]) >= observed * (1 - 1e-9)
    source = "written out: one regression for each assignment"
    outside(difference.randomise, source, found.p_value, (1 + reached) / 41, rtol=1e-9)


def test_randomisation_keeps_its_level_and_sees_an_effect():
    rejected = 0
    model = difference.difference_model(MODEL, "y", controls=False)
    for seed in range(200):
        data = pilots.mark_policy(make_panel(12, seed), declare((2017, ["u01", "u04", "u06", "u08"])))
        rejected += difference.randomise(data, model, draws=99, rng=np.random.default_rng(seed)).p_value <= 0.05
    assert abs(rejected / 200 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 200)
    data["y"] += 3 * data["under_policy"]
    assert difference.randomise(data, model, draws=999, rng=np.random.default_rng(1)).p_value < 0.02


@pytest.mark.outside
def test_a_cohort_is_held_against_those_who_never_get_the_policy():
    data = pilots.mark_policy(make_panel(), POLICY)
    found = staggered.cohort_effects(data, "y", 2017)
    wide = data["y"].unstack()
    cohort, never = ["u01", "u04", "u06", "u08"], [f"u{i:02d}" for i in (0, 5, 7, 9, 10, 11, 12, 13)]
    for time, base in ((2014, 2013), (2016, 2015), (2017, 2016), (2019, 2016)):
        change = wide[time] - wide[base]
        one, other = change[cohort], change[never]
        source = "written out: means and variances of changes"
        ours = found.by_time.loc[time, ["estimate", "std_error"]].to_numpy(dtype=float)
        theirs = [one.mean() - other.mean(), np.sqrt(one.var(ddof=0) / 4 + other.var(ddof=0) / 8)]
        outside(staggered.cohort_effects, source, ours, np.array(theirs), rtol=1e-9)
    after = np.mean([wide[time] - wide[2016] for time in (2017, 2018, 2019)], axis=0)
    mean: Any = pd.Series(after, wide.index)
    theirs = [
        float(mean[cohort].mean()) - float(mean[never].mean()),
        np.sqrt(float(mean[cohort].var(ddof=0)) / 4 + float(mean[never].var(ddof=0)) / 8),
    ]
    outside(staggered.cohort_effects, source, [found.average.estimate, found.average.std_error], theirs, rtol=1e-9)
    assert (found.n_cohort, found.n_never) == (4, 8)


# Time -> estimate and standard error that csdid 0.4.3 (a port of R did) prints for the cohort of 2017: att_gt with the
# never treated, est_method "reg", bstrap False; then aggte(type "group").
CSDID = {
    2014: [0.6097590493270766, 0.6930742977999218],
    2015: [0.2558303948136039, 0.3652101857158518],
    2016: [-0.10052427215058796, 0.8632154919784484],
    2017: [-1.2008464492540027, 0.8370952329079401],
    2018: [-0.6418503829388127, 0.8694168492609169],
    2019: [-0.24071366941503292, 0.9403008877170036],
}
CSDID_GROUP = [-0.6944701672026161, 0.7014138037103815]


def test_a_cohort_has_the_effects_that_csdid_prints() -> None:
    found = staggered.cohort_effects(pilots.mark_policy(make_panel(), POLICY), "y", 2017)
    ours = found.by_time.loc[list(CSDID), ["estimate", "std_error"]].to_numpy(dtype=float)
    outside(staggered.cohort_effects, "csdid: att_gt, a made panel", ours, np.array(list(CSDID.values())), rtol=1e-9)
    average = [found.average.estimate, found.average.std_error]
    outside(staggered.cohort_effects, "csdid: aggte, by group, a made panel", average, CSDID_GROUP, rtol=1e-9)


def test_a_cohort_with_a_missing_figure_is_refused() -> None:
    data = pilots.mark_policy(make_panel(), POLICY)
    gap = data.assign(y=data["y"].where(data.index != ("u04", 2015)))
    for rows in (gap, data.drop(index=("u04", 2015))):
        with pytest.raises(StudyError, match="cohort of 2017, u04: it has no figure at some time"):
            staggered.cohort_effects(rows, "y", 2017)


def test_a_cohort_of_one_has_no_standard_error():
    data = pilots.mark_policy(make_panel(), declare((2017, ["u01"])))
    with pytest.raises(StudyError, match="two entities each"):
        staggered.cohort_effects(data, "y", 2017)


def plant_events(estimates: dict[int, float], errors: float) -> Any:
    names = {step: f"before_{-step}" if step < 0 else f"after_{step}" for step in estimates}
    values = pd.Series({names[step]: value for step, value in estimates.items()})
    covariance = pd.DataFrame(np.eye(len(values)) * errors**2, values.index, values.index)
    course = pd.DataFrame({"estimate": {**estimates, -1: 0.0}}).sort_index()
    return SimpleNamespace(fit=SimpleNamespace(estimates=values, covariance=covariance), course=course)


@pytest.mark.outside
def test_the_bounds_are_those_worked_out_by_hand():
    events = plant_events({-3: 0.5, -2: 0.2, 0: 1.0, 1: 2.0}, 0.1)
    table = honest.honest_bounds(events, (0.0, 1.0)).table
    # Mean effect 1.5. Changes before: 0.2 - 0.5 = -0.3 and 0 - 0.2 = -0.2; the largest is 0.3. After one step the
    # departure is at most 0.3, after two 0.6: 0.45 on average.
    source = "written out: by hand"
    outside(
        honest.honest_bounds, source, table.loc[1.0, ["low", "high"]].to_numpy(float), np.array([1.05, 1.95]), rtol=1e-9
    )
    # Standard error of the mean of two independent effects: 0.1 / sqrt 2; with 1.5 (b_-2 - b_-3) beside: errors add up.
    plain = 1.5 - 1.959963985 * 0.1 / np.sqrt(2)
    shifted = 1.5 - 0.45 - 1.959963985 * 0.1 * np.sqrt(0.5 + 2 * 1.5**2)
    ends = table["ci_low"].to_dict()
    ours = [ends[0.0], ends[1.0]]
    outside(honest.honest_bounds, source, ours, np.array([plain, shifted]), rtol=1e-8)


def test_the_set_is_that_of_statspai_where_errors_are_small():
    # StatsPAI 1.40.2: honest_did_from_moments(betahat, 1e-12 I, event_times, method="relative_magnitude", m_grid,
    # l_vec = [1/3] * 3, 20,001 points from -6 to 6), so that its interval is the set up to a step of the grid, 6e-4.
    events = plant_events({-4: 0.2, -3: -0.1, -2: 0.3, 0: 0.5, 1: 0.8, 2: 0.4}, 1e-6)
    table = honest.honest_bounds(events, (0.5, 1.0, 2.0)).table
    numbers = [0.1668, 0.9666, -0.2328, 1.3662, -1.0332, 2.1666]
    source = "StatsPAI: honest_did_from_moments, relative magnitudes"
    outside(honest.honest_bounds, source, table[["low", "high"]].to_numpy(float).ravel(), numbers, atol=6e-4)


def test_the_breakdown_is_where_the_interval_first_holds_zero():
    events = plant_events({-3: 0.3, -2: 0.1, 0: 1.0, 1: 2.0}, 0.05)
    found = honest.honest_bounds(events)
    assert 0 < found.breakdown < 10
    at_it = honest.honest_bounds(events, (found.breakdown,)).table.iloc[0]
    assert at_it["ci_low"] == pytest.approx(0, abs=1e-4)
    assert honest.honest_bounds(plant_events({-3: 0.001, -2: 0.0, 0: 1.0}, 0.0001)).breakdown == float("inf")
    assert honest.honest_bounds(plant_events({-3: 0.5, -2: 0.2, 0: 0.01, 1: 0.0}, 0.1)).breakdown == 0
    with pytest.raises(StudyError, match="one time before the start only"):
        honest.honest_bounds(plant_events({0: 1.0}, 0.1))
