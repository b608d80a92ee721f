"""The permutation placebo against permutations that are fitted one by one.

Tolerance: counts are exact; 1e-9 relative on estimates reached another way.
"""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.identification.placebo import deal_histories, fit_lead, judge_lead, measure_size, permute_treatment
from helpers.regression.panel import PanelFit, fit_panel
from helpers.results.estimate import Estimate
from helpers.study.model import Model
from outside import outside
from reference.panels import firm_rows, gappy_grunfeld, grunfeld


def fit(data) -> PanelFit:
    return fit_panel(data, "inv", ["value", "capital"], entity_effects=True, time_effects=True, cluster=None)


def test_all_permutations_are_those_fitted_one_by_one():
    data = firm_rows(4).sort_index()
    histories = data["value"].to_numpy().reshape(4, -1)
    fits = [fit(data.assign(value=histories[list(order)].ravel())) for order in permutations(range(4))]
    test = permute_treatment(fit(data), "value", draws=24)
    assert test.enumerated
    source = "written out: every order of the firms fitted"
    outside(permute_treatment, source, test.estimates, [each.estimates["value"] for each in fits], rtol=1e-9)
    statistics = np.array([abs(each.statistics["value"]) for each in fits])
    assert test.p_value == np.mean(statistics >= statistics[0] * (1 - 1e-9))


def test_the_sample_is_one_of_the_permutations():
    own = fit(grunfeld())
    test = permute_treatment(own, "value", draws=99, rng=np.random.default_rng(1))
    assert test.estimate == pytest.approx(own.estimates["value"], rel=1e-10)
    assert test.statistic == pytest.approx(own.statistics["value"], rel=1e-10)
    assert test.p_value == 1 / 100


@pytest.mark.parametrize(
    ("panel", "treatment", "words"),
    [(gappy_grunfeld, "value", "balanced"), (grunfeld, "nothing", "not in the fit"), (grunfeld, "value", "no source")],
)
def test_what_the_placebo_cannot_do_is_told(panel, treatment, words):
    with pytest.raises(StudyError, match=words):
        permute_treatment(fit(panel()), treatment)


MODEL = Model("inv", "value", ("capital",))


def test_units_that_miss_a_time_are_left_out():
    data = grunfeld().sort_index()
    dealt = deal_histories(data.drop(data.index[[3, 45]]), MODEL, draws=99, rng=np.random.default_rng(1))
    assert (dealt.fit.n_entities, dealt.fit.n_obs) == (8, 160)
    assert dealt.test.effect.draws == 100


def test_too_few_complete_units_are_refused():
    data = grunfeld()
    late = data[data.index.get_level_values(0).isin(data.index.unique(0)[:2])]
    with pytest.raises(StudyError, match="too few entities"):
        deal_histories(late, MODEL, draws=99, rng=np.random.default_rng(1))


def test_the_measured_size_is_that_of_tests_made_one_by_one():
    # The same 999 orders and signs, drawn from the same seed; every outcome fitted by itself.
    own = fit(grunfeld())
    size = measure_size(own, "value", simulations=40, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    signs = np.where(rng.random((40, 10)) < 0.5, -1.0, 1.0)
    orders = np.concatenate([np.arange(10)[None], rng.permuted(np.tile(np.arange(10), (999, 1)), axis=1)])
    data = grunfeld().sort_index()
    residual = own.residuals.loc[data.index].to_numpy().reshape(10, -1)
    x = own.design.x_within[:, 0].reshape(10, -1)
    basis = np.linalg.qr(own.design.x_within[:, 1:])[0]
    hits = []
    for sign in signs:
        outcome = own.design.effects.project((residual * sign[:, None]).reshape(-1, 1))[:, 0]
        outcome -= basis @ (basis.T @ outcome)
        statistics = []
        for order in orders:
            column = x[order].ravel()
            column = column - basis @ (basis.T @ column)
            slope = column @ outcome / (column @ column)
            rest = outcome - slope * column
            statistics.append(abs(slope) / np.sqrt(rest @ rest / (column @ column)))
        hits.append(np.mean(np.array(statistics) >= statistics[0] * (1 - 1e-9)) <= 0.05)
    outside(measure_size, "written out: every outcome and order by itself", size.by_statistic, np.mean(hits), atol=1e-9)


@pytest.mark.parametrize("effect", [0.0, 5.0])
def test_the_size_is_that_without_an_effect_however_large_the_effect_is(effect):
    # Independent normal errors: dealing out histories is exact there, at most 0.05, here within two simulation errors.
    rng = np.random.default_rng(7)
    index = pd.MultiIndex.from_product([range(12), range(6)], names=["entity", "time"])
    data = pd.DataFrame({"x": rng.normal(size=72), "z": rng.normal(size=72)}, index=index)
    data["y"] = effect * data["x"] + rng.normal(size=72)
    found = fit_panel(data, "y", ["x", "z"], entity_effects=True, time_effects=True, cluster=None)
    size = measure_size(found, "x", simulations=200, rng=rng)
    assert size.by_statistic <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize(
    ("estimate", "std_error", "present", "verdict"),
    [(3.0, 1.0, 0.5, "clear"), (0.1, 0.1, 0.5, "bounded"), (0.1, 0.1, 0.2, "open"), (-0.4, 0.3, 0.5, "open")],
)
def test_a_wide_interval_is_no_pass(estimate, std_error, present, verdict):
    p_value = 0.003 if estimate / std_error > 2 else 0.4
    low, high = estimate - 2 * std_error, estimate + 2 * std_error
    lead = Estimate(estimate=estimate, std_error=std_error, p_value=p_value, ci_low=low, ci_high=high)
    assert judge_lead(lead, present, 0.05) == verdict


def test_the_lead_is_the_treatment_of_the_next_time():
    data = grunfeld().sort_index()
    found = fit_lead(data, MODEL, tuple(range(1935, 1955)))
    led = data.assign(lead=data.groupby(level=0)["value"].shift(-1)).dropna()
    other = fit_panel(led, "inv", ["value", "lead", "capital"], entity_effects=True, time_effects=True)
    assert found.estimates["lead"] == pytest.approx(other.estimates["lead"], rel=1e-10)


@settings(max_examples=10, deadline=None)
@given(powers=st.tuples(*[st.integers(-8, 8)] * 3), shift=st.floats(-1000, 1000))
def test_nothing_depends_on_units_origin_order_or_names(powers, shift):
    data = grunfeld()[["inv", "value", "capital"]].sort_index()
    names = pd.Index(data.index.unique(0))
    renamed = {name: f"{place:02d}" for place, name in enumerate(names)}
    other = (data + shift).mul([10.0**power for power in powers]).rename(index=renamed, level=0)
    tests = [
        permute_treatment(fit(part), "value", draws=199, rng=np.random.default_rng(1))
        for part in (data, other.sample(frac=1, random_state=3))
    ]
    assert tests[1].statistic == pytest.approx(tests[0].statistic, rel=1e-8)
    assert tests[1].p_value == tests[0].p_value


def test_the_size_of_a_test_that_a_panel_with_gaps_does_not_allow_is_refused():
    gappy = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"], entity_effects=True, time_effects=True)
    with pytest.raises(StudyError, match="entities have different times"):
        measure_size(gappy, "value", simulations=100, rng=np.random.default_rng(1))
