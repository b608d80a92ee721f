"""Difference and system GMM beside pydynpd 0.2.2, which its authors checked against Stata's xtabond2.

The reference numbers were printed by pydynpd (with NumPy 1.26: it does not run with NumPy 2) for `y L1.y x w | gmm(y, 2:4)
gmm(w, 1:3) iv(x)` on the panel of `make_panel`. Wu, Hua and Xu (2023), Journal of Open Source Software 8(83), 4416.
Tolerance: the digits printed, 1e-7.

An unbalanced panel (``reference.panels.lumpy``: 605 rows of 80 entities, two of them seen once) beside StatsPAI 1.40.2,
    sp.xtabond(d, "y", x=["x"], id="entity", time="year", predetermined=["w"], gmm_lags=(2, 4),
               predetermined_lags=(1, 3), twostep, collapse, time_dummies, method),
R 4.2.2 with plm 2.6-2,
    pgmm(y ~ lag(y, 1) + x + w | lag(y, 2:4) + lag(w, 1:3) | x, model = "twosteps", transformation = "d"), summary(robust)
and pydynpd; 1e-9 relative. Other layouts on it: two lags of the outcome, later or all lags, regressors all predetermined
or endogenous, one and two steps. StatsPAI leaves out a dummy of system GMM with time dummies, and pydynpd takes another
AR test after one step: left out.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.identification.dynamic import fit_dynamic
from helpers.identification.dynamic_moments import Layout
from helpers.study.model import Model
from outside import outside
from reference.panels import lumpy

MODEL = Model("y", "x", ("w",), ("entity", "time"))
ONE_WAY = MODEL.with_(effects=("entity",))
LAYOUT = Layout(predetermined=("w",), outcome_lags=(2, 4), predetermined_lags=(1, 3))


def make_panel(entities: int = 60, times: int = 8, seed: int = 1) -> pd.DataFrame:
    """A panel with y = 0.5 lag of y + 0.4 x + 0.3 w + entity effect + error; the last error moves w."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(size=entities)
    error = rng.normal(size=(entities, times + 20))
    y, w = effect / 0.5, np.zeros(entities)
    columns = np.zeros((3, entities, times))
    for step in range(times + 20):
        x = rng.normal(size=entities) + 0.3 * effect
        earlier = 0.3 * error[:, step - 1] if step else 0.0
        w = 0.5 * w + 0.3 * effect + earlier + rng.normal(size=entities)
        y = 0.5 * y + 0.4 * x + 0.3 * w + effect + error[:, step]
        if step >= 20:
            columns[:, :, step - 20] = y, x, w
    index = pd.MultiIndex.from_product([range(1, entities + 1), range(2000, 2000 + times)], names=["id", "year"])
    return pd.DataFrame(columns.reshape(3, -1).T, index=index, columns=["y", "x", "w"])


def with_gaps(panel: pd.DataFrame) -> pd.DataFrame:
    return panel.drop(panel.index[[3, 50, 51, 100, 207]])


# gaps, system, collapse, time effects: estimates of lag, x, w; their standard errors; Hansen's J, its df; AR(1), AR(2).
REFERENCE = [
    (0, 0, 0, 0, [0.26221654, 0.3153113, 0.33112384], [0.11279337, 0.072829, 0.09625347], 27.9286435, 30, [-3.3617693, -0.1523552]),
    (1, 0, 0, 1, [0.27020905, 0.32206877, 0.34008875], [0.12870243, 0.07902343, 0.09266401], 28.3861079, 30, [-3.1610883, 0.2364374]),
    (0, 0, 1, 1, [0.29551703, 0.35341234, 0.37230667], [0.10059551, 0.0641357, 0.08620789], 1.893969, 4, [-4.0314005, 0.0781318]),
    (1, 1, 1, 1, [0.48654246, 0.49889753, 0.37468165], [0.08086166, 0.06193943, 0.08582336], 8.8963758, 6, [-5.2537172, 0.5998482]),
    (0, 1, 0, 0, [0.57479481, 0.47659916, 0.28251819], [0.07240103, 0.06363935, 0.09865596], 44.934544, 43, [-4.9188858, 0.4181475]),
    (1, 1, 1, 0, [0.49219425, 0.49188543, 0.37035141], [0.07895966, 0.06292824, 0.08732535], 8.4399459, 6, [-5.2829159, 0.4866813]),
]  # fmt: skip


@pytest.mark.parametrize("gaps, system, collapse, times, estimates, std_errors, j, df, ar", REFERENCE)
def test_two_steps_meet_pydynpd(
    gaps: int, system: int, collapse: int, times: int, estimates: list[float], std_errors: list[float], j: float, df: int, ar: list[float]
) -> None:  # fmt: skip
    panel = make_panel()
    layout = replace(LAYOUT, system=bool(system), collapse=bool(collapse))
    fit = fit_dynamic(with_gaps(panel) if gaps else panel, MODEL if times else ONE_WAY, layout)
    assert list(fit.estimates.index[:3]) == ["lag1_y", "x", "w"]
    source = "pydynpd: y L1.y x w | gmm(y, 2:4) gmm(w, 1:3) iv(x), made panel"
    outside(fit_dynamic, source, [*fit.estimates[:3], *fit.std_errors[:3]], [*estimates, *std_errors], atol=1e-7)
    outside(fit_dynamic, source, [fit.hansen_j, fit.ar1, fit.ar2], [j, *ar], atol=1e-6)
    assert fit.hansen_df == df


# Steps, system, collapse, time effects: estimates of lag, x, w, their standard errors, Hansen's J, its df and p; AR(1), AR(2).
LUMPY: dict[tuple[int, bool, bool, bool], list[float]] = {
    (2, False, False, False): [0.4183682326411, 0.3736613741453, 0.1983827037205, 0.1483268286865, 0.06436920315969,
                               0.09451196639094, 48.73687114795, 42, 0.2203648509949, -2.784855418331, -1.001402930491],
    (2, False, True, True): [0.654011748477, 0.4817786728013, 0.3241024505285, 0.1728958368604, 0.07323152307854,
                             0.1274385727172, 4.847045509624, 4, 0.3033546522083, -3.722810082485, -0.7902962670771],
    (1, False, True, False): [0.6256685407761, 0.4289496182615, 0.2730356145123, 0.1545698496221, 0.06774612299636,
                              0.1218029378407, 4.240272446112, 4, 0.3744640179235, -3.968670753025, -0.7566287652962],
    (2, True, True, False): [0.6562864327257, 0.5501477200592, 0.3532430923494, 0.07111520643066, 0.06020719203072,
                             0.06577070529696, 3.87037634753, 6, 0.694212829668, -4.858219148595, -0.6338044113971],
    (2, True, True, True): [0.6602768324846722, 0.5554887604581309, 0.36470478811426355, 0.07198472309744709,
                            0.06034495427966847, 0.06395794910741959, 4.258024059610998, 6, 0.6418035305152403,
                            -4.807014810895634, -0.703958924447367],
}  # fmt: skip
PRINTED_BY = {
    (2, False, False, False): ("StatsPAI: xtabond, an unbalanced panel", "R plm: pgmm, an unbalanced panel"),
    (2, False, True, True): ("StatsPAI: xtabond, an unbalanced panel", "R plm: pgmm, an unbalanced panel"),
    (1, False, True, False): ("StatsPAI: xtabond, an unbalanced panel",),
    (2, True, True, False): ("StatsPAI: xtabond, an unbalanced panel", "pydynpd: an unbalanced panel"),
    (2, True, True, True): ("pydynpd: an unbalanced panel",),
}


@pytest.mark.parametrize("form", LUMPY)
def test_an_unbalanced_panel_has_the_numbers_of_other_programs(form: tuple[int, bool, bool, bool]) -> None:
    steps, system, collapse, times = form
    layout = replace(LAYOUT, system=system, collapse=collapse)
    fit = fit_dynamic(lumpy(), MODEL if times else ONE_WAY, layout, steps=steps)
    numbers = [
        *fit.estimates[:3], *fit.std_errors[:3],
        fit.hansen_j, fit.hansen_df, fit.hansen_p_value, fit.ar1, fit.ar2,
    ]  # fmt: skip
    for source in PRINTED_BY[form]:
        outside(fit_dynamic, source, numbers, LUMPY[form], rtol=1e-9)


# What else a dynamic model can be laid out as, beside StatsPAI: estimates, standard errors, Hansen's J, its df and p; AR.
LAYOUTS = {
    "no predetermined": (("x", ("w",)), Layout()),
    "two lags": (("x", ()), Layout(lags=2, outcome_lags=(2, 4))),
    "later lags": (("x", ("w",)), Layout(predetermined=("w",), outcome_lags=(3, 5), predetermined_lags=(2, 3))),
    "all predetermined": (
        ("x", ("w",)), Layout(predetermined=("x", "w"), outcome_lags=(2, 3), predetermined_lags=(1, 2)),
    ),
    "endogenous": (("x", ("w",)), Layout(predetermined=("w",), predetermined_lags=(2, None))),
}  # fmt: skip
# Layout, steps, system, collapse, time effects.
FURTHER: dict[tuple[str, int, bool, bool, bool], list[float]] = {
    ("no predetermined", 2, False, False, True): [
        0.4389049411851,
        0.3888260459091,
        0.0674763460618,
        0.1185776234128,
        0.05841853740033,
        0.06038914177714,
        31.65221994399,
        35,
        0.6305151205484,
        -3.140825920207,
        -1.088274928799,
    ],
    ("two lags", 1, False, True, False): [
        0.3440632645815,
        -0.05829706754181,
        0.3661963929353,
        0.2252778252082,
        0.08719494659435,
        0.06730547553908,
        1.224040864926,
        1,
        0.2685690859951,
        -1.938832804965,
        -0.6752189132162,
    ],
    ("two lags", 2, False, False, True): [
        0.3039555841001,
        -0.1315954907238,
        0.3593367606369,
        0.218871183303,
        0.05931068517529,
        0.07738353788743,
        22.92948770792,
        18,
        0.1933143184307,
        -2.11308994876,
        0.3017082810523,
    ],
    ("later lags", 2, False, True, False): [
        0.1384254192438,
        0.380702440916,
        0.7508850750847,
        0.408842366257,
        0.08078868346268,
        0.2297584651266,
        2.365899389048,
        3,
        0.5000140050299,
        -1.511113927249,
        -1.067382661197,
    ],
    ("all predetermined", 1, False, False, True): [
        0.2725809902349,
        0.3237030097275,
        0.09660513939492,
        0.1210247141618,
        0.07774581918655,
        0.1037644235877,
        48.33459034271,
        44,
        0.3021274917989,
        -2.588229426655,
        -1.234676469172,
    ],
    ("endogenous", 2, False, True, True): [
        0.4518755227797,
        0.4616588211839,
        0.6995952502617,
        0.1246123217734,
        0.0672411461851,
        0.2124439748778,
        15.96579580072,
        14,
        0.3154675596517,
        -3.641660214903,
        -0.8068423335195,
    ],
    ("no predetermined", 1, True, False, False): [
        0.6816396722104,
        0.5094740133163,
        0.2851643280318,
        0.05597030116074,
        0.05768792692599,
        0.05741900063498,
        40.13303806376,
        43,
        0.5963576812254,
        -4.773066349884,
        -0.672237157856,
    ],
    ("two lags", 2, True, False, False): [
        0.7334101641011,
        0.01169293134545,
        0.5025893003468,
        0.06873982849166,
        0.06364987131013,
        0.06476028203036,
        30.3457419278,
        26,
        0.2535355536604,
        -3.760405718718,
        -0.7068093870147,
    ],
    ("later lags", 2, True, True, False): [
        0.4351649846207,
        0.5552980440536,
        0.7281688254093,
        0.1936384686428,
        0.06660859811058,
        0.2064140698683,
        2.976775241632,
        5,
        0.7035665829242,
        -3.577800217402,
        -0.6941291451661,
    ],
    ("endogenous", 2, True, True, False): [
        0.510037723669,
        0.5696610188146,
        0.6637152034989,
        0.08629652168228,
        0.05672443482216,
        0.1387510849958,
        11.29587932527,
        16,
        0.79086446504,
        -4.559084775513,
        -0.6549445882672,
    ],
}
# R plm, pgmm(y ~ lag(y, 1:2) + x | lag(y, 2:4) | x) and its like, has those of differences; another J after one step.
BY_PLM = {"no predetermined", "two lags", "all predetermined"}


@pytest.mark.parametrize("form", FURTHER)
def test_every_layout_has_the_numbers_of_other_programs(form: tuple[str, int, bool, bool, bool]) -> None:
    name, steps, system, collapse, times = form
    (treatment, controls), layout = LAYOUTS[name]
    model = Model("y", treatment, controls, ("entity", "time") if times else ("entity",))
    found = fit_dynamic(lumpy(), model, replace(layout, system=system, collapse=collapse), steps=steps)
    terms = [*(f"lag{lag}_y" for lag in range(1, layout.lags + 1)), "x", *controls]
    ours = [
        *found.estimates[terms], *found.std_errors[terms],
        found.hansen_j, found.hansen_df, found.hansen_p_value, found.ar1, found.ar2,
    ]  # fmt: skip
    outside(fit_dynamic, "StatsPAI: xtabond, other lags and regressors", ours, FURTHER[form], rtol=1e-9)
    if name in BY_PLM and not system:
        places = [*range(6), *((6, 7, 8) if steps == 2 else ()), 9, 10]
        source = "R plm: pgmm, other lags and regressors"
        outside(fit_dynamic, source, [ours[at] for at in places], [FURTHER[form][at] for at in places], rtol=1e-9)


def test_a_just_identified_model_is_two_stage_least_squares_of_differences() -> None:
    # Anderson and Hsiao (1982): the change of y on its lagged change, instrumented by the level two times earlier.
    from linearmodels.iv import IV2SLS

    panel = make_panel()
    fit = fit_dynamic(panel, ONE_WAY.with_(controls=()), Layout(outcome_lags=(2, 2)), steps=1)
    by_entity = panel.groupby(level=0)
    change = by_entity.diff()
    data = pd.DataFrame({"dy": change["y"], "dx": change["x"], "lag": change.groupby(level=0)["y"].shift()})
    data["level"] = by_entity["y"].shift(2)
    data = data.dropna()
    other = IV2SLS(data["dy"], data[["dx"]], data["lag"], data["level"]).fit(
        cov_type="clustered", clusters=pd.factorize(data.index.get_level_values(0))[0]
    )
    source = "linearmodels: IV2SLS of differences, clustered"
    outside(fit_dynamic, source, fit.estimates["lag1_y"], other.params["lag"], rtol=1e-8)
    outside(fit_dynamic, source, fit.std_errors["lag1_y"], other.std_errors["lag"], rtol=1e-6)
    assert np.isnan(fit.hansen_j)


def one_step_by_hand(panel: pd.DataFrame) -> np.ndarray:
    """Lag, x and w of difference GMM in one step, year by year: instruments y two earlier, w two earlier, x, z."""
    weight, cross, right = np.zeros((4, 4)), np.zeros((4, 3)), np.zeros(4)
    for _, own in panel.groupby(level=0):
        y, x, w, z = (own[name].to_numpy() for name in ("y", "x", "w", "z"))
        late = range(2, len(y))
        left = np.array([y[t] - y[t - 1] for t in late])
        rows = np.array([[y[t - 1] - y[t - 2], x[t] - x[t - 1], w[t] - w[t - 1]] for t in late])
        tools = np.array([[y[t - 2], w[t - 2], x[t] - x[t - 1], z[t] - z[t - 1]] for t in late])
        errors = 2 * np.eye(len(late)) - np.eye(len(late), k=1) - np.eye(len(late), k=-1)
        weight += tools.T @ errors @ tools
        cross += tools.T @ rows
        right += tools.T @ left
    best = np.linalg.inv(weight)
    return np.asarray(np.linalg.solve(cross.T @ best @ cross, cross.T @ best @ right))


def test_an_external_instrument_joins_the_moments() -> None:
    panel = make_panel()
    panel["z"] = panel["w"] + np.random.default_rng(4).normal(size=len(panel))
    layout = Layout(("w",), ("z",), outcome_lags=(2, 2), predetermined_lags=(2, 2))
    fit = fit_dynamic(panel, ONE_WAY, layout, steps=1)
    assert fit.n_instruments == 4
    outside(fit_dynamic, "written out: moments year by year", fit.estimates, one_step_by_hand(panel), rtol=1e-9)


def test_an_external_instrument_with_a_gap_is_refused() -> None:
    panel = make_panel()
    panel["z"] = panel["x"].where(panel.index.get_level_values(1) > 2000)
    with pytest.raises(StudyError, match="external instruments z: some figures are missing"):
        fit_dynamic(panel, MODEL, replace(LAYOUT, external=("z",)))


SCALES = st.integers(-8, 8).map(lambda power: 10.0**power)


@settings(max_examples=12, deadline=None)
@given(
    scales=st.tuples(SCALES, SCALES, SCALES), shift=st.floats(-50, 50), system=st.booleans(), seed=st.integers(0, 99)
)
def test_nothing_depends_on_units_origin_order_or_names(
    scales: tuple[float, float, float], shift: float, system: bool, seed: int
) -> None:
    panel = make_panel(40, 7)
    layout = replace(LAYOUT, system=system)
    fit = fit_dynamic(panel, MODEL, layout)
    # The origin of x only: levels of y and w are instruments.
    other = panel.assign(x=panel["x"] + shift) * list(scales)
    other = other.rename(index=lambda name: f"firm {name}", level=0).sample(frac=1, random_state=seed)[["w", "x", "y"]]
    again = fit_dynamic(other, MODEL, layout)
    units = np.array([1.0, scales[0] / scales[1], scales[0] / scales[2]])
    np.testing.assert_allclose(again.estimates.iloc[:3], fit.estimates.iloc[:3] * units, rtol=1e-8)
    np.testing.assert_allclose(again.statistics.iloc[:3], fit.statistics.iloc[:3], rtol=1e-8)
    assert [again.hansen_j, again.ar1, again.ar2] == pytest.approx([fit.hansen_j, fit.ar1, fit.ar2], rel=1e-8)
    assert again.n_instruments == fit.n_instruments


@pytest.mark.parametrize("system", [False, True])
def test_the_estimates_centre_on_the_truth(system: bool) -> None:
    # x moves with the entity's effect, so the system estimator may use its differences only.
    layout = replace(LAYOUT, predetermined=("x", "w"), system=True) if system else LAYOUT
    found = [fit_dynamic(make_panel(150, 7, seed), MODEL, layout).estimates for seed in range(40)]
    mean = pd.DataFrame(found).mean()[["lag1_y", "x", "w"]]
    # Over 40 samples the mean has a standard error of about 0.015; small-sample bias of GMM adds some hundredths.
    assert mean.tolist() == pytest.approx([0.5, 0.4, 0.3], abs=0.06)


def test_standard_errors_are_as_large_as_the_spread_of_the_estimates() -> None:
    fits = [fit_dynamic(make_panel(80, 7, seed), MODEL, LAYOUT) for seed in range(120)]
    spread = np.std([fit.estimates["x"] for fit in fits], ddof=1)
    assert np.mean([fit.std_errors["x"] for fit in fits]) == pytest.approx(spread, rel=0.2)


def test_first_order_correlation_is_found_and_second_order_is_not() -> None:
    fit = fit_dynamic(make_panel(300, 8), MODEL, LAYOUT)
    assert fit.ar1_p_value < 1e-6
    assert fit.ar2_p_value > 0.05


def test_more_instruments_than_entities_are_said() -> None:
    fit = fit_dynamic(make_panel(20, 8), MODEL, replace(LAYOUT, collapse=False))
    assert fit.n_instruments > 20
    assert "20 entities" in fit.notes[0]


def test_a_regressor_that_does_not_move_is_named() -> None:
    panel = make_panel()
    panel["fixed"] = panel.groupby(level=0)["x"].transform("first")
    with pytest.raises(StudyError, match="fixed"):
        fit_dynamic(panel, MODEL.with_(treatment="fixed", controls=()))


@pytest.mark.parametrize(
    "change, word",
    [
        ({"outcome_lags": (1, 2)}, "from lag 1"),
        ({"predetermined": ("nothing",)}, "nothing"),
        ({"lags": 7}, "fewer lags"),
    ],
)
def test_bad_requests_are_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(StudyError, match=word):
        fit_dynamic(make_panel(), MODEL, replace(LAYOUT, **change))


def test_a_third_step_is_refused() -> None:
    with pytest.raises(StudyError, match="steps 3"):
        fit_dynamic(make_panel(), MODEL, LAYOUT, steps=3)


def test_times_with_holes_are_refused() -> None:
    panel = make_panel()
    with pytest.raises(StudyError, match="not consecutive"):
        fit_dynamic(panel.drop(2003, level=1), MODEL)
