"""Two-stage least squares, strength of instruments and the Anderson-Rubin interval.

Tolerances: printed digits where a book or paper is met; 1e-8 (relative) beside other engines.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.identification.first_stage import effective_f_critical
from helpers.identification.instruments import fit_instrumented
from helpers.regression import panel
from helpers.study.model import Model
from outside import outside

INVEST = Model("invest", "capital")
POOLED = INVEST.with_(effects=())
SCHOOLING = Model("lwage", "educ", effects=(), cluster=None)
REGIONS = [f"reg{number}" for number in range(661, 669)]
CARD_CONTROLS = ("exper", "expersq", "black", "south", "smsa", "smsa66", *REGIONS)


def as_rows(data: pd.DataFrame) -> pd.DataFrame:
    """A cross-section as a panel with one time."""
    return data.set_axis(pd.MultiIndex.from_product([range(len(data)), [0]], names=["entity", "time"]))


@pytest.fixture(scope="module")
def card() -> pd.DataFrame:
    from linearmodels.datasets import card

    return as_rows(card.load()[["lwage", "educ", "nearc2", "nearc4", *CARD_CONTROLS]])


@pytest.fixture(scope="module")
def mroz() -> pd.DataFrame:
    from linearmodels.datasets import mroz

    return as_rows(mroz.load()[["lwage", "educ", "motheduc", "fatheduc", "exper", "expersq"]].dropna())


@pytest.fixture(scope="module")
def grunfeld() -> pd.DataFrame:
    from statsmodels.datasets import grunfeld

    data = grunfeld.load_pandas().data.astype({"year": int})
    return data.set_index(["firm", "year"]).sort_index()


def test_card_meets_the_return_to_schooling_of_the_textbook(card: pd.DataFrame) -> None:
    # Card (1995); Wooldridge, Introductory Econometrics, example 15.4 and its Stata output.
    fit = fit_instrumented(card, SCHOOLING.with_(controls=CARD_CONTROLS), ["nearc4"], convention="iid")
    first = fit.first_stage.fit
    ours = [fit.estimates["educ"], fit.std_errors["educ"], first.estimates["nearc4"], first.std_errors["nearc4"]]
    printed = [0.1315038, 0.0549637, 0.3198989, 0.0878638]
    outside(fit_instrumented, "Wooldridge (2013): example 15.4", ours, printed, atol=5e-8)
    plain = panel.fit(card, SCHOOLING.with_(controls=CARD_CONTROLS))
    outside(panel.fit, "Wooldridge (2013): example 15.4", plain.estimates["educ"], 0.0746933, atol=5e-8)


def test_card_meets_the_anderson_rubin_interval_of_ivmodel(card: pd.DataFrame) -> None:
    # R package ivmodel 1.9.1 (Kang, Jiang, Zhao and Small 2021), tests/testthat/test-ARtest.r, intercept, one instrument.
    # Its copy of the wages holds one digit more than that of linearmodels, hence a relative 1e-5.
    found = fit_instrumented(card, SCHOOLING, ["nearc4"], convention="iid").anderson_rubin
    ours, printed = [found.statistic, *found.intervals[0]], [82.7445324192, 0.143037504074, 0.250862634531]
    outside("identification.anderson_rubin.invert_anderson_rubin", "R ivmodel: AR.test, Card", ours, printed, rtol=1e-5)
    assert found.shape == "interval"


def test_mroz_meets_the_textbook_with_two_instruments(mroz: pd.DataFrame) -> None:
    # Wooldridge, Introductory Econometrics, examples 15.5 and 15.8: 428 women, F 55.40, overidentification 0.378.
    fit = fit_instrumented(
        mroz, SCHOOLING.with_(controls=("exper", "expersq")), ["motheduc", "fatheduc"], convention="iid"
    )
    assert fit.n_obs == 428
    ours = [fit.estimates["educ"], fit.std_errors["educ"], fit.estimates["exper"]]
    source = "Wooldridge (2013): examples 15.5 and 15.8"
    outside(fit_instrumented, source, ours, [0.0613966, 0.0314367, 0.0441704], atol=5e-8)
    outside("identification.first_stage.measure_first_stage", source, fit.first_stage.f_plain, 55.40, atol=0.005)
    outside(fit_instrumented, source, [fit.hansen_j, fit.hansen_p_value], [0.378071, 0.5386], atol=5e-5)


@pytest.mark.parametrize("bias, critical", [(0.05, 37.4), (0.10, 23.1), (0.20, 15.1), (0.30, 12.0)])
def test_critical_values_of_the_effective_f_with_one_instrument(bias: float, critical: float) -> None:
    # Montiel Olea and Pflueger (2013), Journal of Business & Economic Statistics 31(3), table 1, effective df 1.
    source = "Montiel Olea and Pflueger (2013): table 1"
    outside(effective_f_critical, source, effective_f_critical(np.array([[2.7]]), bias), critical, atol=0.05)


def test_effective_f_with_equal_strong_directions_uses_all_degrees_of_freedom() -> None:
    # With W proportional to the identity the effective degrees of freedom are K, here 4.
    from scipy import stats

    assert effective_f_critical(3 * np.eye(4), 0.1) == pytest.approx(stats.ncx2.isf(0.05, 4, 40) / 4)


def test_clustered_two_stages_equal_linearmodels(grunfeld: pd.DataFrame) -> None:
    from linearmodels.iv import IV2SLS

    data = grunfeld.assign(square=grunfeld["value"] ** 2, one=1.0)
    fit = fit_instrumented(data, POOLED, ["value", "square"])
    codes = pd.factorize(data.index.get_level_values(0))[0]
    other = IV2SLS(data["invest"], data[["one"]], data["capital"], data[["value", "square"]])
    clustered = other.fit(cov_type="clustered", clusters=codes, debiased=True)
    # linearmodels counts G/(G-1) x (N-1)/(N-K) too.
    ours, theirs = (
        [one["capital"] for one in two]
        for two in ((fit.estimates, fit.std_errors), (clustered.params, clustered.std_errors))
    )
    outside(fit_instrumented, "linearmodels: IV2SLS, clustered, Grunfeld", ours, theirs, rtol=1e-8)


def test_hansen_j_equals_linearmodels_gmm(grunfeld: pd.DataFrame) -> None:
    from linearmodels.iv import IVGMM

    data = grunfeld.assign(square=grunfeld["value"] ** 2 / 1e4, one=1.0)
    fit = fit_instrumented(data, POOLED, ["value", "square"])
    codes = pd.factorize(data.index.get_level_values(0))[0]
    # The intercept's own moment makes a difference to clustered weights, so it is taken out on both sides.
    within = data - data.mean()
    other: Any = IVGMM(
        within["invest"], None, within["capital"], within[["value", "square"]], weight_type="clustered", clusters=codes
    ).fit(iter_limit=2)
    outside(fit_instrumented, "linearmodels: IVGMM, J, Grunfeld", fit.hansen_j, other.j_stat.stat, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_two_stages_with_both_effects_equal_pyfixest(grunfeld: pd.DataFrame) -> None:
    import pyfixest

    fit = fit_instrumented(grunfeld, INVEST, ["value"])
    other = pyfixest.feols("invest ~ 1 | firm + year | capital ~ value", grunfeld.reset_index(), vcov={"CRV1": "firm"})
    outside(
        fit_instrumented,
        "pyfixest: feols with an instrument, Grunfeld",
        fit.estimates["capital"],
        other.coef()["capital"],
        rtol=1e-8,
    )
    outside(
        fit_instrumented,
        "pyfixest: feols with an instrument, Grunfeld",
        fit.std_errors["capital"],
        other.se()["capital"],
        rtol=1e-6,
    )


def test_a_near_copy_as_instrument_gives_the_ordinary_estimate(grunfeld: pd.DataFrame) -> None:
    noise = np.random.default_rng(1).normal(size=len(grunfeld))
    data = grunfeld.assign(copy=2 * grunfeld["capital"] + 1e-6 * noise)
    fit = fit_instrumented(data, INVEST.with_(controls=("value",)), ["copy"])
    plain = panel.fit(data, INVEST.with_(controls=("value",)))
    assert fit.estimates.to_numpy() == pytest.approx(plain.estimates.to_numpy(), rel=1e-7)
    assert fit.std_errors.to_numpy() == pytest.approx(plain.std_errors.to_numpy(), rel=1e-7)


def test_the_treatment_as_its_own_instrument_is_refused(grunfeld: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="the treatment itself"):
        fit_instrumented(grunfeld.assign(copy=2 * grunfeld["capital"]), INVEST.with_(controls=("value",)), ["copy"])


def test_one_instrument_has_its_squared_t_as_f(grunfeld: pd.DataFrame) -> None:
    stage = fit_instrumented(grunfeld, INVEST, ["value"]).first_stage
    assert stage.f_effective == pytest.approx(stage.fit.statistics["value"] ** 2, rel=1e-9)
    assert stage.f_robust == pytest.approx(stage.f_effective, rel=1e-9)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("strength", [0.25, 0.5])
def test_the_ends_of_the_interval_are_where_the_test_turns(k: int, strength: float) -> None:
    from scipy import stats

    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([range(40), range(5)])
    z = rng.normal(size=(200, 3))
    x = strength * z.sum(axis=1) + rng.normal(size=200)
    data = pd.DataFrame(z, index=index, columns=["z1", "z2", "z3"]).assign(x=x, y=x + rng.normal(size=200))
    found = fit_instrumented(data, Model("y", "x"), ["z1", "z2", "z3"][:k]).anderson_rubin
    critical = stats.f.isf(0.05, k, 39)
    ends = [end for interval in found.intervals for end in interval if np.isfinite(end)]
    assert ends
    assert [found.statistic_at(end) for end in ends] == pytest.approx([critical] * len(ends), rel=1e-6)
    grid = np.linspace(min(ends) - 1, max(ends) + 1, 400)
    inside = [any(low <= effect <= high for low, high in found.intervals) for effect in grid]
    assert inside == [found.statistic_at(effect) <= critical for effect in grid]


def test_a_useless_instrument_leaves_the_effect_open() -> None:
    rng = np.random.default_rng(1)
    data = as_rows(pd.DataFrame(rng.normal(size=(200, 3)), columns=["y", "x", "z"]))
    found = fit_instrumented(data, Model("y", "x", effects=(), cluster=None), ["z"], convention="iid")
    assert found.anderson_rubin.shape in ("whole line", "unbounded")
    assert found.first_stage.f_effective < found.first_stage.critical_values[0.30]


def test_a_clustered_anderson_rubin_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        index = pd.MultiIndex.from_product([range(30), range(4)])
        z, u = (rng.normal(size=120) + np.repeat(rng.normal(size=30), 4) for _ in range(2))
        x = 0.3 * z + u + rng.normal(size=120)
        data = pd.DataFrame({"y": 0.5 * x + u, "x": x, "z": z}, index=index)
        found = fit_instrumented(data, Model("y", "x", effects=()), ["z"]).anderson_rubin
        covered += any(low <= 0.5 <= high for low, high in found.intervals)
    # 200 samples at 95 %: below 180 has a probability of 0.2 %.
    assert covered >= 180


def test_an_instrument_that_does_not_vary_is_named(grunfeld: pd.DataFrame) -> None:
    data = grunfeld.assign(fixed=grunfeld.groupby(level=0)["value"].transform("first"))
    with pytest.raises(
        StudyError, match="regressor fixed: it has no variation of its own: it is constant within every"
    ):
        fit_instrumented(data, INVEST, ["fixed"])


def test_an_instrument_that_repeats_a_control_is_named(grunfeld: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="collinear with twin"):
        fit_instrumented(grunfeld.assign(twin=3 * grunfeld["value"]), INVEST.with_(controls=("value",)), ["twin"])


def test_no_instrument_is_refused(grunfeld: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="instruments of capital"):
        fit_instrumented(grunfeld, INVEST, [])


@settings(max_examples=12, deadline=None)
@given(powers=st.tuples(*[st.integers(-8, 8)] * 5), shift=st.floats(-1000, 1000), two_way=st.booleans())
def test_nothing_depends_on_units_origin_order_or_names(powers: tuple[int, ...], shift: float, two_way: bool) -> None:
    rng = np.random.default_rng(6)
    index = pd.MultiIndex.from_product([range(25), range(5)])
    z1, z2, c = rng.normal(size=(3, 125))
    x = z1 + 0.5 * z2 + c + rng.normal(size=125)
    data = pd.DataFrame({"y": x + c + rng.normal(size=125), "x": x, "c": c, "z1": z1, "z2": z2}, index=index)
    scales = [10.0**power for power in powers]
    other = (data + shift).mul(scales).rename(index=lambda name: f"e{name}", level=0).sample(frac=1, random_state=2)
    model = Model("y", "x", ("c",), ("entity", "time") if two_way else ())
    found, again = (fit_instrumented(part, model, ["z1", "z2"]) for part in (data, other))
    unit = scales[0] / scales[1]
    numbers = [
        [one.statistics["x"], one.hansen_j, one.first_stage.f_effective, one.first_stage.f_robust,
         one.first_stage.critical_values[0.1], one.anderson_rubin.statistic, one.anderson_rubin.statistic_at(scale)]
        for one, scale in ((found, 0.7), (again, 0.7 * unit))
    ]  # fmt: skip
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-8)
    assert again.estimates["x"] == pytest.approx(found.estimates["x"] * unit, rel=1e-8)
    assert again.anderson_rubin.intervals[0] == pytest.approx(
        [end * unit for end in found.anderson_rubin.intervals[0]], rel=1e-8
    )
