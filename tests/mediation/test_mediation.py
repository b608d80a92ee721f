"""Mediation: paths and effects agree with published and with independent numbers; identities hold exactly.

Published: Preacher and Hayes (2004, Behavior Research Methods 36, 717-731), therapy, attributions and satisfaction of 30
persons; the data as printed in the documentation of the R package psych (function mediate), the coefficients as printed
by their SPSS macro to four decimals. Other numbers come from statsmodels and scipy, to 1e-8 (least squares on the same
rows) and to Monte-Carlo tolerance where both sides draw.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers.errors import StudyError
from helpers.inference.multiplicity import holm
from helpers.inference.resampling import draw_entity_weights, summarise_draws
from helpers.mediation.mediation import joint_mediation_effects, mediation_effects
from helpers.mediation.mediation_effects import MediationEffects
from helpers.mediation.mediation_tables import mediation_table, step_table
from helpers.mediation.rho import rho_sensitivity
from helpers.regression.panel import fit_panel

SATISFACTION = """-0.59 1.3 0.02 0.01 0.79 -0.35 -0.03 1.75 -0.8 -1.2 -1.27 0.7 -1.59 0.68 -0.39 1.33 -1.59 1.34 0.1 0.05
0.66 0.56 0.85 0.88 0.14 -0.72 0.84 -1.13 -0.13 0.2"""
THERAPY = "0 1 1 0 1 1 0 1 0 0 0 0 0 0 1 1 0 1 0 1 0 1 1 1 0 1 1 1 1 0"
ATTRIBUTION = """-1.17 0.04 0.58 -0.23 0.62 -0.26 -0.28 0.52 0.34 -0.09 -1.09 1.05 -1.84 -0.95 0.15 0.07 -0.1 2.35 0.75 0.49
0.67 1.21 0.31 1.97 -0.94 0.11 -0.54 -0.23 0.05 -1.07"""
POOLED = {"entity_effects": False, "time_effects": False}


def generator(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def therapy() -> pd.DataFrame:
    columns = {"satisfaction": SATISFACTION, "therapy": THERAPY, "attribution": ATTRIBUTION}
    index = pd.MultiIndex.from_product([range(30), [2004]], names=["person", "year"])
    return pd.DataFrame({name: [float(part) for part in text.split()] for name, text in columns.items()}, index=index)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    rng = generator(1)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(20)], range(2015, 2022)], names=["unit", "year"])
    wave = index.get_level_values("year").to_numpy() - 2015
    dose = rng.normal(size=140) + np.repeat(rng.normal(size=20), 7) + 0.2 * wave
    first = 0.5 * dose + rng.normal(size=140) + np.repeat(rng.normal(size=20), 7)
    second = -0.3 * dose + rng.normal(size=140)
    size = rng.normal(size=140)
    reply = 0.4 * dose + 0.7 * first + 0.2 * second - 0.3 * size + rng.normal(size=140)
    return pd.DataFrame({"reply": reply, "dose": dose, "first": first, "second": second, "size": size}, index=index)


@pytest.fixture(scope="module")
def published(therapy: pd.DataFrame) -> MediationEffects:
    return mediation_effects(
        therapy, "satisfaction", "therapy", "attribution", cluster=None, draws=4999, rng=generator(), **POOLED
    )


@pytest.mark.parametrize(
    ("effect", "estimate"),
    [
        ("total_effect", 0.7640),
        ("path_a", 0.8186),
        ("path_b", 0.4039),
        ("direct_effect", 0.4334),
        ("indirect_effect", 0.3306),
    ],
)
def test_coefficients_of_preacher_and_hayes(published: MediationEffects, effect: str, estimate: float) -> None:
    assert round(published.effects[effect].estimate, 4) == estimate


def test_standard_errors_equal_ordinary_least_squares(published: MediationEffects, therapy: pd.DataFrame) -> None:
    design = sm.add_constant(therapy[["therapy", "attribution"]])
    ols = sm.OLS(therapy["satisfaction"], design).fit()
    assert published.path_b.std_error == pytest.approx(ols.bse["attribution"], abs=1e-12)
    assert published.direct_effect.p_value == pytest.approx(ols.pvalues["therapy"], abs=1e-12)
    assert published.direct_effect.ci_low == pytest.approx(ols.conf_int().loc["therapy", 0], abs=1e-12)


def test_sobel_standard_error(published: MediationEffects) -> None:
    a, b = published.path_a, published.path_b
    expected = np.sqrt(a.estimate**2 * b.std_error**2 + b.estimate**2 * a.std_error**2)
    assert published.indirect_effect.std_error == pytest.approx(expected, abs=1e-15)


def test_statsmodels_mediation_agrees(published: MediationEffects, therapy: pd.DataFrame) -> None:
    """Its bootstrap of the same linear models, 1,000 draws: interval ends within four of their Monte-Carlo errors."""
    from statsmodels.stats.mediation import Mediation

    reply, dose, middle = (therapy[name].to_numpy() for name in ("satisfaction", "therapy", "attribution"))
    ones = np.ones(30)
    outcome_model = sm.OLS(reply, np.column_stack([ones, dose, middle]))
    mediator_model = sm.OLS(middle, np.column_stack([ones, dose]))
    model = Mediation(outcome_model, mediator_model, [1, 1], 2)
    theirs = model.fit("boot", n_rep=1000, rng=np.random.RandomState(3))
    low, high = theirs.summary().loc["ACME (average)", ["Lower CI bound", "Upper CI bound"]]
    assert published.indirect_effect.ci_low == pytest.approx(low, abs=0.04)
    assert published.indirect_effect.ci_high == pytest.approx(high, abs=0.06)


def test_total_is_indirect_plus_direct(panel: pd.DataFrame) -> None:
    found = mediation_effects(panel, "reply", "dose", "first", ["size"], draws=99, rng=generator())
    gap = found.total_effect.estimate - found.indirect_effect.estimate - found.direct_effect.estimate
    assert abs(gap) < 1e-10


def test_total_is_indirect_plus_direct_in_an_unbalanced_panel(panel: pd.DataFrame) -> None:
    found = mediation_effects(
        panel.iloc[3:-5:1].drop(panel.index[40]), "reply", "dose", "first", ["size"], draws=99, rng=generator()
    )
    gap = found.total_effect.estimate - found.indirect_effect.estimate - found.direct_effect.estimate
    assert abs(gap) < 1e-10


def test_paths_are_panel_regressions(panel: pd.DataFrame) -> None:
    found = mediation_effects(panel, "reply", "dose", "first", ["size"], draws=99, rng=generator())
    fit = fit_panel(panel, "reply", ["dose", "first", "size"], entity_effects=True, time_effects=True)
    assert found.path_b.estimate == pytest.approx(fit.estimates["first"], abs=1e-12)
    assert found.path_b.std_error == pytest.approx(fit.std_errors["first"], abs=1e-12)
    assert found.path_b.p_value == pytest.approx(fit.p_values["first"], abs=1e-12)


def test_a_bootstrap_draw_is_the_regression_on_the_drawn_entities(panel: pd.DataFrame) -> None:
    """The first draw, rebuilt by stacking the drawn entities under new names."""
    weights, _ = draw_entity_weights(panel, "entity", 2, generator())
    names = panel.index.levels[0]
    copies = [
        panel.loc[[name]].rename(index={name: f"{name}-{copy}"}, level=0)
        for name, count in zip(names, weights[0], strict=True)
        for copy in range(int(count))
    ]
    stacked = pd.concat(copies).sort_index()
    a = fit_panel(stacked, "first", ["dose", "size"], entity_effects=True, time_effects=True).estimates["dose"]
    b = fit_panel(stacked, "reply", ["dose", "first", "size"], entity_effects=True, time_effects=True).estimates[
        "first"
    ]
    found = mediation_effects(panel, "reply", "dose", "first", ["size"], draws=2, rng=generator())
    low, high = found.indirect_effect.bootstrap.percentile_low, found.indirect_effect.bootstrap.percentile_high
    # With two draws the 2.5 % and 97.5 % quantiles lie 2.5 % inside them.
    ends = np.array([low - 0.025 / 0.95 * (high - low), high + 0.025 / 0.95 * (high - low)])
    assert np.abs(ends - a * b).min() < 1e-10


def test_bca_and_percentile_agree_with_scipy() -> None:
    """scipy.stats.bootstrap on a mean, fed the same draws through the same seed is not possible: 20,000 draws each."""
    sample = generator(2).exponential(size=25)
    ours_rng = generator(3)
    draws = sample[ours_rng.integers(0, 25, size=(20000, 25))].mean(axis=1)
    left_out = (sample.sum() - sample) / 24
    ours = summarise_draws(sample.mean(), draws, left_out)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=20000, method="BCa", random_state=4).confidence_interval
    assert [ours.bca_low, ours.bca_high] == pytest.approx([theirs.low, theirs.high], rel=0.03)
    assert ours.std_error == pytest.approx(sample.std() / 5, rel=0.02)


def test_bca_is_the_percentile_interval_without_bias_and_skew() -> None:
    draws = np.linspace(-1, 1, 2001)
    found = summarise_draws(0.0, draws, np.array([-1.0, 0.0, 1.0]))
    assert [found.bca_low, found.bca_high] == pytest.approx([found.percentile_low, found.percentile_high], abs=1e-12)


def test_bootstrap_p_value_counts_the_estimate() -> None:
    assert summarise_draws(1.0, np.full(99, 1.0), np.ones(5)).p_value == 2 / 100


def test_mediators_together_share_the_direct_effect(panel: pd.DataFrame) -> None:
    found = joint_mediation_effects(panel, "reply", "dose", ["first", "second"], ["size"], draws=99, rng=generator())
    parts = sum(effect.estimate for effect in found.indirect_effect.values())
    assert found.total_effect.estimate == pytest.approx(found.direct_effect.estimate + parts, abs=1e-10)
    assert found.indirect_effect_sum.estimate == pytest.approx(parts, abs=1e-15)


def test_table_adjusts_over_the_mediators(panel: pd.DataFrame) -> None:
    table = mediation_table(panel, "reply", "dose", ["first", "second"], ["size"], draws=199, rng=generator())
    alone = table.loc["alone"]
    assert alone["p_holm"].to_list() == pytest.approx(holm(alone["p_value"]).tolist())
    assert np.isnan(table.loc[("together", "sum"), "p_holm"])


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    given = [0.01, 0.2, 0.03, 0.04, 0.03]
    assert holm(given) == pytest.approx(multipletests(given, method="holm")[1], abs=1e-15)


def test_two_step_table_regresses_outcome_and_mediators_on_the_treatment(panel: pd.DataFrame) -> None:
    table = step_table(panel, "reply", "dose", ["first", "second"], ["size"])
    assert table[["dependent", "regressor"]].to_numpy().tolist() == [
        ["reply", "dose"],
        ["first", "dose"],
        ["second", "dose"],
    ]


def test_three_step_table_adds_the_outcome_on_both(panel: pd.DataFrame) -> None:
    table = step_table(panel, "reply", "dose", ["first"], ["size"], manner="three_step")
    assert table.loc[table["step"] == "3", "regressor"].tolist() == ["dose", "first"]


def test_sensitivity_is_the_indirect_effect_without_correlation(panel: pd.DataFrame) -> None:
    found = rho_sensitivity(panel, "reply", "dose", "first", ["size"], rho=[0.0], draws=99, rng=generator())
    whole = mediation_effects(panel, "reply", "dose", "first", ["size"], draws=99, rng=generator())
    assert found.curve.loc[0.0, "indirect_effect"] == pytest.approx(whole.indirect_effect.estimate, abs=1e-12)
    assert found.curve.loc[0.0, "ci_low"] == pytest.approx(whole.indirect_effect.ci_low, abs=1e-12)


def test_sensitivity_vanishes_at_the_correlation_of_the_errors(panel: pd.DataFrame) -> None:
    options = {"entity_effects": True, "time_effects": True}
    e1 = fit_panel(panel, "reply", ["dose", "size"], **options).residuals
    e2 = fit_panel(panel, "first", ["dose", "size"], **options).residuals
    correlation = float(np.corrcoef(e1, e2)[0, 1])
    found = rho_sensitivity(panel, "reply", "dose", "first", ["size"], rho=[correlation], draws=99, rng=generator())
    assert found.rho_at_zero == pytest.approx(correlation, abs=1e-12)
    assert found.curve["indirect_effect"].iloc[0] == pytest.approx(0, abs=1e-12)


def test_sensitivity_recovers_the_truth_at_the_true_correlation() -> None:
    """Known truth: a = 0.5, b = 0.8, errors correlated 0.4; 40,000 rows, tolerance five standard errors."""
    rng = generator(5)
    size = 40_000
    errors = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=size)
    dose = rng.normal(size=size)
    first = 0.5 * dose + errors[:, 0]
    reply = 0.3 * dose + 0.8 * first + errors[:, 1]
    index = pd.MultiIndex.from_product([range(100), range(400)], names=["unit", "time"])
    data = pd.DataFrame({"reply": reply, "dose": dose, "first": first}, index=index)
    found = rho_sensitivity(data, "reply", "dose", "first", rho=[0.0, 0.4], draws=19, rng=rng, **POOLED)
    assert found.curve.loc[0.4, "indirect_effect"] == pytest.approx(0.4, abs=0.02)
    assert found.curve.loc[0.0, "indirect_effect"] > 0.5


def test_clusters_may_be_groups_of_entities(panel: pd.DataFrame) -> None:
    grouped = panel.assign(group=(panel.index.get_level_values(0).str[1:].astype(int) // 4).astype(float))
    weights, alone = draw_entity_weights(grouped, "group", 5, generator())
    assert alone.shape == (5, 20)
    assert (weights.reshape(5, 5, 4).std(axis=2) == 0).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mediator": "dose"}, "two roles"),
        ({"controls": ["first"]}, "two roles"),
        ({"cluster": "time"}, "entities or groups of entities"),
        ({"draws": 1}, "too few"),
        ({"level": 1.5}, "between 0 and 1"),
        ({"mediator": "nothing"}, "nothing"),
    ],
)
def test_bad_input_is_told(panel: pd.DataFrame, change: dict, told: str) -> None:
    given = {"mediator": "first", "controls": ["size"], "draws": 9, **change}
    with pytest.raises(StudyError, match=told):
        mediation_effects(panel, "reply", "dose", rng=generator(), **given)


def test_the_same_generator_gives_the_same_interval(panel: pd.DataFrame) -> None:
    first, second = (
        mediation_effects(panel, "reply", "dose", "first", draws=99, rng=generator()).indirect_effect.ci_low
        for _ in range(2)
    )
    assert first == second
