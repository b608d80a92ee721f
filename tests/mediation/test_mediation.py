"""Mediation: paths and effects agree with published and with independent numbers; identities hold exactly.

Published: Preacher and Hayes (2004, Behavior Research Methods 36, 717-731), therapy, attributions and satisfaction of 30
persons; the data as printed in the documentation of the R package psych (function mediate), the coefficients as printed
by their SPSS macro to four decimals. Other numbers come from statsmodels and scipy, to 1e-8 (least squares on the same
rows) and to Monte-Carlo tolerance where both sides draw. Effects and their curve over rho on Grunfeld with gaps: StatsPAI
1.40.2, sp.mediate and sp.mediate_sensitivity(d, "inv", "value", "capital"), columns less their firm means, to 1e-6: its
curve is the fixed point of an iteration.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.errors import StudyError
from helpers.inference.multiplicity import holm
from helpers.inference.resampling import draw_entity_weights, summarise_draws
from helpers.mediation.chain import fit_chain
from helpers.mediation.mediation import Mediation, adjust_indirect, fit_mediation
from helpers.mediation.resampled import Samples, draw_samples
from helpers.mediation.rho import r_squared_contour, rho_sensitivity
from helpers.mediation.steps import step_table
from helpers.regression.panel import fit_panel
from helpers.study.model import Model
from outside import outside
from reference.panels import gappy_grunfeld

SATISFACTION = """-0.59 1.3 0.02 0.01 0.79 -0.35 -0.03 1.75 -0.8 -1.2 -1.27 0.7 -1.59 0.68 -0.39 1.33 -1.59 1.34 0.1 0.05
0.66 0.56 0.85 0.88 0.14 -0.72 0.84 -1.13 -0.13 0.2"""
THERAPY = "0 1 1 0 1 1 0 1 0 0 0 0 0 0 1 1 0 1 0 1 0 1 1 1 0 1 1 1 1 0"
ATTRIBUTION = """-1.17 0.04 0.58 -0.23 0.62 -0.26 -0.28 0.52 0.34 -0.09 -1.09 1.05 -1.84 -0.95 0.15 0.07 -0.1 2.35 0.75 0.49
0.67 1.21 0.31 1.97 -0.94 0.11 -0.54 -0.23 0.05 -1.07"""
THERAPY_MODEL = Model("satisfaction", "therapy", (), effects=(), cluster=None)
MODEL = Model("reply", "dose", ("size",))


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


def fit(data: pd.DataFrame, mediators: list[str], model: Model = MODEL, draws: int = 99) -> Mediation:
    return fit_mediation(data, model, mediators, draw_samples(data, model, draws=draws, rng=generator()))


def samples(data: pd.DataFrame, draws: int = 99, model: Model = MODEL) -> Samples:
    return draw_samples(data, model, draws=draws, rng=generator())


@pytest.fixture(scope="module")
def published(therapy: pd.DataFrame) -> Mediation:
    return fit(therapy, ["attribution"], THERAPY_MODEL, draws=4999)


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
def test_coefficients_of_preacher_and_hayes(published: Mediation, effect: str, estimate: float) -> None:
    outside(
        fit_mediation,
        "Preacher and Hayes (2004): therapy, attribution, satisfaction",
        published.effects()[effect].estimate,
        estimate,
        atol=5e-5,
    )


def test_standard_errors_equal_ordinary_least_squares(published: Mediation, therapy: pd.DataFrame) -> None:
    design = sm.add_constant(therapy[["therapy", "attribution"]])
    ols = sm.OLS(therapy["satisfaction"], design).fit()
    found = [published.path_b["attribution"].std_error, published.direct.p_value, published.direct.ci_low]
    theirs = [ols.bse["attribution"], ols.pvalues["therapy"], ols.conf_int().loc["therapy", 0]]
    outside(fit_mediation, "statsmodels: OLS of both equations", found, theirs, rtol=1e-10)


def test_sobel_stands_for_comparison_and_the_bootstrap_is_printed(published: Mediation) -> None:
    a, b = published.path_a["attribution"], published.path_b["attribution"]
    expected = np.sqrt(a.estimate**2 * b.std_error**2 + b.estimate**2 * a.std_error**2)
    assert published.sobel["attribution"] == pytest.approx(expected, abs=1e-15)
    assert published.indirect["attribution"].std_error == published.bootstrap["attribution"].std_error


def test_statsmodels_mediation_agrees(published: Mediation, therapy: pd.DataFrame) -> None:
    """Its bootstrap of the same linear models, 1,000 draws: interval ends within four of their Monte-Carlo errors."""
    from statsmodels.stats.mediation import Mediation as Theirs

    reply, dose, middle = (therapy[name].to_numpy() for name in ("satisfaction", "therapy", "attribution"))
    ones = np.ones(30)
    outcome_model = sm.OLS(reply, np.column_stack([ones, dose, middle]))
    mediator_model = sm.OLS(middle, np.column_stack([ones, dose]))
    theirs = Theirs(outcome_model, mediator_model, [1, 1], 2).fit("boot", n_rep=1000, rng=np.random.RandomState(3))
    low, high = theirs.summary().loc["ACME (average)", ["Lower CI bound", "Upper CI bound"]]
    drawn = published.bootstrap["attribution"]
    outside(
        fit_mediation,
        "statsmodels: Mediation, bootstrap",
        [drawn.percentile_low, drawn.percentile_high],
        [low, high],
        atol=0.06,
    )


@pytest.mark.parametrize("rows", [slice(None), slice(3, -5)])
def test_total_is_indirect_plus_direct(panel: pd.DataFrame, rows: slice) -> None:
    assert fit(panel.iloc[rows], ["first"]).gap < 1e-10


def test_paths_are_panel_regressions(panel: pd.DataFrame) -> None:
    found = fit(panel, ["first"]).path_b["first"]
    plain = fit_panel(panel, "reply", ["dose", "first", "size"], entity_effects=True, time_effects=True)
    assert found.estimate == pytest.approx(plain.estimates["first"], abs=1e-12)
    assert found.std_error == pytest.approx(plain.std_errors["first"], abs=1e-12)
    assert found.p_value == pytest.approx(plain.p_values["first"], abs=1e-12)


def test_a_bootstrap_draw_is_the_regression_on_the_drawn_entities(panel: pd.DataFrame) -> None:
    """Every draw, rebuilt by stacking the drawn entities under new names."""
    drawn = samples(panel, 3)
    found = fit_mediation(panel, MODEL, ["first"], drawn).sampled["first"]
    for weights, value in zip(drawn.weights, found, strict=True):
        stacked = stack(panel, weights)
        a = fit_panel(stacked, "first", ["dose", "size"], entity_effects=True, time_effects=True).estimates["dose"]
        b = fit_panel(stacked, "reply", ["first", "dose", "size"], entity_effects=True, time_effects=True)
        assert value == pytest.approx(a * b.estimates["first"], abs=1e-10)


def stack(panel: pd.DataFrame, weights: np.ndarray) -> pd.DataFrame:
    names = panel.index.levels[0]
    copies = [
        panel.loc[[name]].rename(index={name: f"{name}-{copy}"}, level=0)
        for name, count in zip(names, weights, strict=True)
        for copy in range(int(count))
    ]
    return pd.concat(copies).sort_index()


def test_an_index_is_derived_anew_in_every_draw(panel: pd.DataFrame) -> None:
    """A mediator that is an equal-weight index of two columns: scales are those of the drawn rows."""
    spec = {
        "method": {"weights": "equal"},
        "dimensions": {"one": {}},
        "indicators": {name: {"direction": 1, "dimension": "one"} for name in ("first", "second")},
    }

    def build(rows: pd.DataFrame) -> pd.Series:
        parts = rows[["first", "second"]]
        return ((parts - parts.min()) / (parts.max() - parts.min())).mean(axis=1)

    whole, drawn = panel.assign(channel=build(panel)), samples(panel, 3)
    found = fit_mediation(whole, MODEL, ["channel"], drawn, indices={"channel": spec}).sampled["channel"]
    for weights, value in zip(drawn.weights, found, strict=True):
        stacked = stack(panel, weights)
        stacked = stacked.assign(channel=build(stacked))
        a = fit_panel(stacked, "channel", ["dose", "size"], entity_effects=True, time_effects=True).estimates["dose"]
        b = fit_panel(stacked, "reply", ["channel", "dose", "size"], entity_effects=True, time_effects=True)
        assert value == pytest.approx(a * b.estimates["channel"], abs=1e-10)


def test_bca_and_percentile_agree_with_scipy() -> None:
    """scipy.stats.bootstrap on a mean; fed the same draws through the same seed is not possible: 20,000 draws each."""
    sample = generator(2).exponential(size=25)
    draws = sample[generator(3).integers(0, 25, size=(20000, 25))].mean(axis=1)
    left_out = (sample.sum() - sample) / 24
    ours = summarise_draws(sample.mean(), draws, left_out)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=20000, method="BCa", random_state=4).confidence_interval
    outside(
        summarise_draws,
        "scipy: bootstrap, BCa",
        [ours.bca_low, ours.bca_high],
        [theirs.low, theirs.high],
        rtol=0.03,
    )
    assert ours.std_error == pytest.approx(sample.std() / 5, rel=0.02)


def test_bca_is_the_percentile_interval_without_bias_and_skew() -> None:
    draws = np.linspace(-1, 1, 2001)
    found = summarise_draws(0.0, draws, np.array([-1.0, 0.0, 1.0]))
    assert [found.bca_low, found.bca_high] == pytest.approx([found.percentile_low, found.percentile_high], abs=1e-12)


def test_bootstrap_p_value_counts_the_estimate() -> None:
    assert summarise_draws(1.0, np.full(99, 1.0), np.ones(5)).p_value == 2 / 100


def test_mediators_together_share_the_direct_effect(panel: pd.DataFrame) -> None:
    found = fit(panel, ["first", "second"])
    parts = sum(effect.estimate for effect in found.indirect.values())
    assert found.total.estimate == pytest.approx(found.direct.estimate + parts, abs=1e-10)
    assert found.indirect_sum.estimate == pytest.approx(parts, abs=1e-15)


def test_the_same_samples_give_one_quantity_one_interval(panel: pd.DataFrame) -> None:
    drawn = samples(panel)
    first, again = (fit_mediation(panel, MODEL, ["first"], drawn) for _ in range(2))
    assert first.bootstrap == again.bootstrap


def test_adjusted_p_values_count_the_mediators(panel: pd.DataFrame) -> None:
    drawn = samples(panel, 499)
    fits = {name: fit_mediation(panel, MODEL, [name], drawn) for name in ("first", "second")}
    table = adjust_indirect(fits)
    assert table["p_holm"].tolist() == pytest.approx(holm(table["p_value"]).tolist())
    assert (table["p_romano_wolf"] <= 1).all()
    one = adjust_indirect({"first": fits["first"]})
    assert one["p_holm"].tolist() == one["p_value"].tolist()
    assert one["p_romano_wolf"].iloc[0] <= table["p_romano_wolf"].iloc[0]


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    given = [0.01, 0.2, 0.03, 0.04, 0.03]
    theirs = multipletests(given, method="holm")[1]
    outside(holm, "statsmodels: multipletests", holm(given), theirs, atol=1e-15)


def test_a_chain_is_the_product_of_three_regressions(panel: pd.DataFrame) -> None:
    found = fit_chain(panel, MODEL, ("first", "second"), samples(panel))
    entity, time = (pd.get_dummies(panel.index.get_level_values(place), dtype=float) for place in (0, 1))
    dummies = np.column_stack([entity, time.iloc[:, 1:]])

    def slope(left: str, right: list[str]) -> float:
        return float(np.linalg.lstsq(np.column_stack([panel[right], dummies]), panel[left], rcond=None)[0][0])

    parts = [
        slope("first", ["dose", "size"]),
        slope("second", ["first", "dose", "size"]),
        slope("reply", ["second", "first", "dose", "size"]),
    ]
    ours = [found.path_a.estimate, found.link.estimate, found.path_b.estimate, found.indirect_effect.estimate]
    outside(fit_chain, "written out: dummies and lstsq", ours, [*parts, np.prod(parts)], rtol=1e-8)


def test_two_step_table_regresses_outcome_and_mediators_on_the_treatment(panel: pd.DataFrame) -> None:
    table = step_table(panel, MODEL, ["first", "second"])
    assert table[["dependent", "regressor"]].to_numpy().tolist() == [
        ["reply", "dose"],
        ["first", "dose"],
        ["second", "dose"],
    ]


def test_three_step_table_adds_the_outcome_on_both(panel: pd.DataFrame) -> None:
    table = step_table(panel, MODEL, ["first"], "three_step")
    assert table.loc[table["step"] == "3", "regressor"].tolist() == ["dose", "first"]


def test_sensitivity_is_the_indirect_effect_without_correlation(panel: pd.DataFrame) -> None:
    drawn = samples(panel)
    found = rho_sensitivity(panel, MODEL, "first", drawn, rho=[0.0])
    whole = fit_mediation(panel, MODEL, ["first"], drawn)
    assert found.curve.loc[0.0, "indirect_effect"] == pytest.approx(whole.indirect["first"].estimate, abs=1e-12)
    assert found.curve.loc[0.0, "ci_low"] == pytest.approx(whole.bootstrap["first"].percentile_low, abs=1e-12)


def test_the_curve_over_rho_is_that_of_statspai() -> None:
    model = Model("inv", "value", (), ("entity",))
    samples = draw_samples(gappy_grunfeld(), model, draws=99, rng=generator())
    effects = fit_mediation(gappy_grunfeld(), model, ["capital"], samples).effects()
    ours = [effects[f"{name}_effect"].estimate for name in ("indirect", "direct", "total")]
    numbers = [0.09281199133981524, 0.11280101753858668, 0.20561300887840192]
    outside(fit_mediation, "StatsPAI: mediate, Grunfeld with gaps", ours, numbers, rtol=1e-9)
    found = rho_sensitivity(gappy_grunfeld(), model, "capital", samples, rho=[-0.8, -0.4, 0.0, 0.4, 0.8])
    ours = [*found.curve["indirect_effect"], found.rho_at_zero]
    numbers = [0.1782752, 0.12078639, 0.09281199, 0.06483759, 0.00734878, 0.822843264160249]
    outside(rho_sensitivity, "StatsPAI: mediate_sensitivity, Grunfeld with gaps", ours, numbers, rtol=1e-6)


def test_sensitivity_vanishes_at_the_correlation_of_the_errors(panel: pd.DataFrame) -> None:
    options = {"entity_effects": True, "time_effects": True}
    e1 = fit_panel(panel, "reply", ["dose", "size"], **options).residuals
    e2 = fit_panel(panel, "first", ["dose", "size"], **options).residuals
    correlation = float(np.corrcoef(e1, e2)[0, 1])
    found = rho_sensitivity(panel, MODEL, "first", samples(panel), rho=[correlation])
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
    model = Model("reply", "dose", effects=())
    found = rho_sensitivity(data, model, "first", samples(data, 19, model), rho=[0.0, 0.4])
    assert found.curve.loc[0.4, "indirect_effect"] == pytest.approx(0.4, abs=0.02)
    assert found.curve.loc[0.0, "indirect_effect"] > 0.5


def test_the_contour_is_the_curve_at_the_root_of_the_two_shares(panel: pd.DataFrame) -> None:
    drawn = samples(panel)
    plain = rho_sensitivity(panel, MODEL, "first", drawn)
    sign = 1 if plain.rho_at_zero > 0 else -1
    curve = rho_sensitivity(panel, MODEL, "first", drawn, rho=[0.0, sign * 0.6]).curve["indirect_effect"]
    contour = r_squared_contour(plain, [0.0, 0.4, 0.9])
    at_zero, moved = curve.to_numpy()
    assert contour.to_numpy()[0] == pytest.approx([at_zero] * 3, rel=1e-12)
    assert contour.to_numpy()[1, 2] == pytest.approx(moved, rel=1e-12)


def test_clusters_may_be_groups_of_entities(panel: pd.DataFrame) -> None:
    grouped = panel.assign(group=(panel.index.get_level_values(0).str[1:].astype(int) // 4).astype(float))
    weights, alone, _ = draw_entity_weights(grouped, "group", 5, generator())
    assert alone.shape == (5, 20)
    assert (weights.reshape(5, 5, 4).std(axis=2) == 0).all()


def test_of_many_clusters_some_are_left_out_and_give_the_acceleration_of_all() -> None:
    # The acceleration of a mean is its skewness / (6 sqrt(G)) (Efron and Tibshirani 1993, 14.3), whoever is left out.
    rng = generator()
    index = pd.MultiIndex.from_product([range(4000), range(2)], names=["entity", "time"])
    _, alone, share = draw_entity_weights(pd.DataFrame(index=index), "entity", 2, rng)
    assert (alone.shape, share) == ((500, 4000), 500 / 4000)
    assert (alone.sum(axis=1) == 3999).all()
    assert len(np.unique(alone, axis=0)) == 500
    figures = rng.gamma(4.0, size=4000)
    left = alone @ figures / 3999
    found = summarise_draws(figures.mean(), rng.choice(figures, (99, 4000)).mean(axis=1), left, share=share)
    assert found.acceleration == pytest.approx(stats.skew(figures) / (6 * np.sqrt(4000)), rel=0.25)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mediators": ["dose"]}, "two roles"),
        ({"mediators": []}, "no mediator"),
        ({"model": MODEL.with_(controls=("first",))}, "two roles"),
        ({"model": MODEL.with_(cluster="time")}, "entities or groups of entities"),
        ({"draws": 1}, "too few"),
        ({"mediators": ["nothing"]}, "nothing"),
        ({"mediators": ["fixed"]}, "fixed"),
    ],
)
def test_bad_input_is_told(panel: pd.DataFrame, change: dict, told: str) -> None:
    data = panel.assign(fixed=np.repeat(np.arange(20.0), 7))
    given = {"mediators": ["first"], "model": MODEL, "draws": 9, **change}
    with pytest.raises(StudyError, match=told):
        fit(data, **given)


@pytest.mark.parametrize("bad", ["dose", "nothing", "fixed"])
def test_the_sensitivity_refuses_what_the_mediation_refuses(panel: pd.DataFrame, bad: str) -> None:
    data = panel.assign(fixed=np.repeat(np.arange(20.0), 7))
    with pytest.raises(StudyError, match=bad):
        rho_sensitivity(data, MODEL, bad, samples(data))


def test_a_level_or_a_share_outside_its_range_is_told(panel: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="between 0 and 1"):
        fit_mediation(panel, MODEL, ["first"], samples(panel), level=1.5)
    with pytest.raises(StudyError, match="outside -1 to 1"):
        rho_sensitivity(panel, MODEL, "first", samples(panel), rho=[1.0])
    with pytest.raises(StudyError, match="outside 0 to 1"):
        r_squared_contour(rho_sensitivity(panel, MODEL, "first", samples(panel)), [1.0])


def test_a_mean_far_from_zero_costs_nothing_without_effects(panel: pd.DataFrame) -> None:
    model = MODEL.with_(effects=())
    moved = fit(panel.assign(dose=panel["dose"] + 1e6, first=panel["first"] - 1e5), ["first"], model)
    plain = fit(panel, ["first"], model)
    assert moved.indirect["first"].estimate == pytest.approx(plain.indirect["first"].estimate, rel=1e-8)
    assert moved.bootstrap["first"].std_error == pytest.approx(plain.bootstrap["first"].std_error, rel=1e-8)


@settings(max_examples=20, deadline=None)
@given(
    scale=st.tuples(*[st.floats(-8, 8)] * 4),
    shift=st.tuples(*[st.floats(-100, 100)] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_units_constants_order_and_names_do_not_matter(
    scale: tuple[float, ...], shift: tuple[float, ...], seed: int
) -> None:
    """Columns in other units, constants added, rows and columns shuffled: the same t, p and standardised effects."""
    data, rng = small_panel(), generator(seed)
    names = ("reply", "dose", "first", "size")
    units = dict(zip(names, 10 ** np.array(scale), strict=True))
    moved = data.assign(**{name: (data[name] + move) * units[name] for name, move in zip(names, shift, strict=True)})
    moved = moved.sample(frac=1, random_state=int(rng.integers(1000)))[list(rng.permutation(names))]
    plain, other = fit(data, ["first"]), fit(moved, ["first"])
    for name, unit in (("path_a", "first"), ("path_b", "reply"), ("indirect_effect", "reply")):
        per = units["first" if name == "path_b" else "dose"]
        one, two = plain.effects()[name], other.effects()[name]
        assert two.estimate == pytest.approx(one.estimate * units[unit] / per, rel=1e-8, abs=1e-12 * units[unit] / per)
        assert two.p_value == pytest.approx(one.p_value, rel=1e-8, abs=1e-9)
        assert two.std_error == pytest.approx(one.std_error * units[unit] / per, rel=1e-8)


def small_panel() -> pd.DataFrame:
    rng = generator(11)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(12)], range(5)], names=["unit", "year"])
    columns = {name: rng.normal(size=60) for name in ("dose", "size")}
    first = 0.5 * columns["dose"] + rng.normal(size=60)
    return pd.DataFrame({**columns, "first": first, "reply": 0.6 * first + rng.normal(size=60)}, index=index)
