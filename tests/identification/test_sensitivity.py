"""Omitted-variable sensitivity against sensemakr's printed Darfur example and against panels whose truth is known.

A rugged panel (``reference.panels.rugged``): StatsPAI 1.40.2, sp.sensemakr(d, "y", "d", ["w", "m", "z1"], benchmark=["w"],
kd=[1, 2, 3]), columns over their units. Tolerance: half a unit of the last printed digit; 1e-9 relative for identities; three simulation standard errors, about
0.02, for the known truth of 100,000 rows.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.identification.confounding import (
    adjust_for_confounder,
    confounder_bounds,
    confounder_contour,
    robustness_value,
    value_of,
)
from helpers.identification.oster import oster_delta
from helpers.identification.shown import BEYOND, bound_table
from helpers.regression.panel import fit_panel
from helpers.study.model import Model
from outside import outside
from reference.panels import grunfeld, rugged
from toy_study import make_study

MODEL = Model("inv", "value", ("capital",), ())


def test_robustness_values_of_darfur_are_those_of_sensemakr():
    # Cinelli and Hazlett (2020), section 5, as sensemakr prints it: t 4.18445 on 783 degrees of freedom.
    result = robustness_value(4.18445, 783)
    ours = [result.partial_r2, result.value, result.value_alpha]
    outside(robustness_value, "R sensemakr: Darfur", ours, [0.02187, 0.13878, 0.07626], atol=5e-6)


def test_a_confounder_as_strong_as_female_in_darfur_leaves_what_sensemakr_prints():
    # sensemakr's bound "1x female": partial R2 0.00916 and 0.12464, estimate 0.0752, standard error 0.0219, t 3.44.
    estimate, std_error = adjust_for_confounder(0.09731582, 0.02325654, 783, 0.00916, 0.12464)
    outside(adjust_for_confounder, "R sensemakr: Darfur, 1x female", [estimate, std_error], [0.0752, 0.0219], atol=5e-5)
    outside(adjust_for_confounder, "R sensemakr: Darfur, 1x female", estimate / std_error, 3.44, atol=5e-3)


def test_values_and_benchmarks_of_a_rugged_panel_are_those_of_statspai():
    fit = fit_panel(rugged(), "y", ["d", "w", "m", "z1"], cluster=None)
    value = value_of(fit, "d")
    ours = [value.statistic, value.partial_r2, value.value, value.value_alpha]
    numbers = [8.07439467856874, 0.2616249410881252, 0.4438944223388226, 0.3596271407336097]
    outside(value_of, "StatsPAI: sensemakr, a rugged panel", ours, numbers, rtol=1e-9)
    table = confounder_bounds(fit, "d", ["w"])
    ours = [*table["r2_treatment"], *table["r2_outcome"], *table["statistic"]]
    numbers = [0.152551, 0.305102, 0.457654, 0.053983, 0.114144, 0.185260, 6.359234, 4.449689, 2.205940]
    outside(confounder_bounds, "StatsPAI: sensemakr, a rugged panel", ours, numbers, atol=5e-7)


def test_a_confounder_at_the_robustness_value_removes_the_estimate():
    result = robustness_value(4.18445, 783)
    estimate, _ = adjust_for_confounder(0.09731582, 0.09731582 / 4.18445, 783, result.value, result.value)
    assert float(estimate) == pytest.approx(0, abs=1e-12)


def test_an_insignificant_estimate_has_no_robustness_at_its_level():
    assert robustness_value(1.5, 100).value_alpha == 0


def test_bounds_contain_what_leaving_the_benchmark_out_would_do():
    # The partial R2 of a control must be those of regressions without it.
    fit = fit_panel(grunfeld(), "inv", ["value", "capital"], entity_effects=True, time_effects=True)
    table = confounder_bounds(fit, "value", ["capital"], times=[0.2, 1.0])
    short = fit_panel(grunfeld(), "inv", ["value"], entity_effects=True, time_effects=True)
    with_outcome = 1 - (fit.residuals**2).sum() / (short.residuals**2).sum()
    treatment = fit_panel(grunfeld(), "value", ["capital"], entity_effects=True, time_effects=True)
    r2 = treatment.r_squared_within
    shared = r2**2 / (1 - r2) ** 2
    outcome = ((1 + np.sqrt(shared)) / np.sqrt(1 - shared)) ** 2 * with_outcome / (1 - with_outcome)
    assert outcome > 1  # a second capital would explain more than there is
    assert table.iloc[1].isna().all()
    less = 0.2 * r2**2 / ((1 - 0.2 * r2) * (1 - r2))
    outcome = ((np.sqrt(0.2) + np.sqrt(less)) / np.sqrt(1 - less)) ** 2 * with_outcome / (1 - with_outcome)
    assert table["r2_treatment"].iloc[0] == pytest.approx(0.2 * r2 / (1 - r2), rel=1e-9)
    assert table["r2_outcome"].iloc[0] == pytest.approx(outcome, rel=1e-9)
    assert 0.1 < outcome < 1
    assert table["std_error"].iloc[0] > 0


def test_a_variable_stronger_than_anything_has_a_remark_and_no_figures():
    data = grunfeld().assign(noise=np.random.default_rng(1).normal(size=200))
    strong = fit_panel(data, "inv", ["value", "capital"], entity_effects=True, time_effects=True)
    table = bound_table(strong, "value", make_study())
    assert set(table["remark"]) == {BEYOND}
    assert table[["estimate", "std_error", "statistic"]].isna().all(axis=None)
    weak = bound_table(fit_panel(data, "inv", ["value", "noise"], entity_effects=True), "value", make_study())
    assert "remark" not in weak
    assert (weak["std_error"] > 0).all()


def test_contour_starts_at_the_estimate():
    fit = fit_panel(grunfeld(), "inv", ["value", "capital"], entity_effects=True)
    estimates, statistics = confounder_contour(fit, "value", largest=0.5, steps=11)
    assert estimates.shape == (11, 11)
    assert estimates.iloc[0, 0] == pytest.approx(fit.estimates["value"])
    assert (np.diff(estimates.to_numpy()[5]) < 0).all()
    assert statistics.index.name == "r2_outcome"


@pytest.mark.parametrize("r2", [-0.1, 1.0])
def test_impossible_shares_are_refused(r2):
    with pytest.raises(StudyError, match="partial R2"):
        adjust_for_confounder(1.0, 0.1, 100, r2, 0.1)


def selected(selection: float) -> pd.DataFrame:
    """A panel in which the effect is 2 and the omitted variable is `selection` times as related to the treatment."""
    rng = np.random.default_rng(12)
    index = pd.MultiIndex.from_product([range(10_000), range(10)], names=["entity", "time"])
    seen, omitted, error = rng.normal(size=(3, len(index)))
    treatment = 0.5 * seen + selection * 0.5 * 0.8 * omitted + rng.normal(size=len(index))
    return pd.DataFrame(
        {"seen": seen, "omitted": omitted, "x": treatment, "y": 2 * treatment + seen + 0.8 * omitted + error},
        index=index,
    )


@pytest.mark.parametrize("selection", [0.5, 1.0, 1.5])
def test_oster_finds_the_true_effect_when_selection_is_what_it_is(selection):
    # selection = cov(x, 0.8 omitted) / var(0.8 omitted) over the same of the control: Oster (2019), equation 3.
    data = selected(selection)
    r_max = fit_panel(data, "y", ["x", "seen", "omitted"], cluster=None).r_squared
    result = oster_delta(data, Model("y", "x", ("seen",), ()), r_max=r_max, beta=2.0, delta=selection)
    assert result.bound == pytest.approx(2.0, abs=0.02)
    assert result.delta == pytest.approx(selection, abs=0.05)


@pytest.mark.parametrize("delta", [0.5, 1.0, 1.2])
@pytest.mark.parametrize("effects", [(), ("entity",), ("entity", "time")])
def test_the_bound_and_delta_are_inverse_to_each_other(delta, effects):
    there = oster_delta(grunfeld(), MODEL.with_(effects=effects), delta=delta)
    back = oster_delta(grunfeld(), MODEL.with_(effects=effects), beta=there.bound)
    assert back.delta == pytest.approx(delta, rel=1e-7)


def test_there_may_be_no_effect_that_selection_so_strong_allows():
    # Then the solutions of the cubic are complex, but for one at which delta is 0 / 0.
    assert np.isnan(oster_delta(grunfeld(), MODEL, delta=1.7).bound)


def test_r_max_is_a_third_more_than_the_full_regressions_unless_given():
    result = oster_delta(selected(1.0), Model("x", "seen", ("omitted",), ()))
    assert result.r_max == pytest.approx(1.3 * result.r_squared_full)


def test_controls_that_are_always_there_are_the_same_as_effects():
    data = grunfeld().copy()
    firms = sorted(set(data.index.get_level_values(0)))
    for number, firm in enumerate(firms[1:]):
        data[f"firm{number}"] = (data.index.get_level_values(0) == firm).astype(float)
    always = [f"firm{number}" for number in range(9)]
    one_way = MODEL.with_(effects=("entity",))
    as_effects = oster_delta(data, one_way, r_squared="overall", r_max=0.97, delta=0.8)
    as_controls = oster_delta(data, MODEL, always=always, r_max=0.97, delta=0.8)
    assert as_effects.delta == pytest.approx(as_controls.delta, rel=1e-9)
    assert as_effects.bound == pytest.approx(as_controls.bound, rel=1e-9)
    assert as_effects.r_squared_short == pytest.approx(as_controls.r_squared_short, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "options", "words"), [({"controls": ()}, {}, "no controls"), ({}, {"r_max": 0.1}, "not between")]
)
def test_bad_options_of_oster_are_told(change, options, words):
    with pytest.raises(StudyError, match=words):
        oster_delta(grunfeld(), MODEL.with_(**change), **options)


@settings(max_examples=12, deadline=None)
@given(
    powers=st.tuples(*[st.integers(-8, 8)] * 3),
    shift=st.floats(-1000, 1000),
    effects=st.sampled_from([(), ("entity",)]),
)
def test_nothing_depends_on_units_origin_order_or_names(powers, shift, effects):
    scales = [10.0**power for power in powers]
    data, model = grunfeld()[["inv", "value", "capital"]], MODEL.with_(effects=effects)
    other = (data + shift).mul(scales).rename(index=lambda name: f"firm {name}", level=0).sample(frac=1, random_state=1)
    unit = scales[0] / scales[1]
    found, again = oster_delta(data, model), oster_delta(other, model)
    assert again.delta == pytest.approx(found.delta, rel=1e-8)
    assert again.bound == pytest.approx(found.bound * unit, rel=1e-8)
    fits = [
        fit_panel(part, "inv", ["value", "capital"], entity_effects=bool(effects), time_effects=False)
        for part in (data, other)
    ]
    values = [value_of(fit, "value") for fit in fits]
    assert values[1].value == pytest.approx(values[0].value, rel=1e-8)
    columns = ["r2_treatment", "r2_outcome", "statistic"]
    tables = [confounder_bounds(fit, "value", ["capital"])[columns] for fit in fits]
    np.testing.assert_allclose(tables[1], tables[0], rtol=1e-8)
