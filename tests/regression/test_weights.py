"""Least squares with weights of the rows, against Stata, pyfixest, statsmodels and rows that are repeated.

Tolerances: 1e-8 relative on Stata's shipped output, which has 10 digits; 1e-9 relative between programs that solve the
same equations, 1e-6 for pyfixest, which demeans by iteration.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.errors import StudyError
from helpers.inference.small_sample import Working, cr2, cr3, htz_wald
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.panel import fit, fit_panel
from helpers.study.model import Model
from outside import outside
from reference.panels import gappy_grunfeld, grunfeld, simulated, stata_output

KINDS: list[dict[str, Any]] = [
    {"entity_effects": entity, "time_effects": time} for entity in (False, True) for time in (False, True)
]
TWO_WAY: dict[str, Any] = {"entity_effects": True, "time_effects": True}


# Stata 13 output that linearmodels ships: [aweight=w].
@pytest.mark.parametrize("sample", ["", "_light", "_heavy"])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("pooled-cluster-weighted-", {}),
        ("pooled-conventional-weighted-", {"cluster": None}),
        ("pooled-robust-weighted-", {"cluster": None, "convention": "hc1"}),
        ("fixed_effect-cluster-weighted-", {"entity_effects": True}),
        ("fixed_effect-conventional-weighted-", {"entity_effects": True, "cluster": None}),
    ],
)
def test_weighted_estimates_are_those_of_stata(sample: str, model: str, options: dict[str, Any]) -> None:
    columns = [name + sample for name in ("y", "x1", "x2", "x3", "x4", "x5")]
    found = fit_panel(simulated()[[*columns, "w"]].dropna(), columns[0], columns[1:], weights="w", **options)
    stata = stata_output(model + sample).loc[list(found.regressors)]
    source = "Stata: regress and xtreg, fe, [aweight=w], a simulated panel"
    outside(fit_panel, source, found.estimates, stata["estimate"], rtol=1e-8)
    outside(fit_panel, source, found.std_errors, stata["std_error"], rtol=1e-8)


def draw_weights(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(size=np.random.default_rng(4).uniform(0.2, 5.0, len(data)))


@pytest.mark.parametrize("effects", KINDS)
def test_weighted_estimates_are_those_of_dummies_in_statsmodels(effects: dict[str, Any]) -> None:
    data = draw_weights(gappy_grunfeld())
    found = fit_panel(data, "inv", ["value", "capital"], weights="size", **effects)
    columns = data[["value", "capital"]].assign(const=1.0)
    for level, kept in enumerate(effects.values()):
        if kept:
            dummies = pd.get_dummies(data.index.get_level_values(level), drop_first=True, dtype=float)
            columns = columns.join(dummies.set_axis(data.index).add_prefix(f"level {level} "))
    groups = pd.factorize(data.index.get_level_values(0))[0]
    theirs = sm.WLS(data["inv"], columns, weights=data["size"]).fit(cov_type="cluster", cov_kwds={"groups": groups})
    same = fit_panel(data, "inv", ["value", "capital"], weights="size", convention="areg", **effects)
    source = "statsmodels: WLS with dummies"
    outside(fit_panel, source, found.estimates[["value", "capital"]], theirs.params[["value", "capital"]], rtol=1e-9)
    outside(fit_panel, source, same.std_errors[["value", "capital"]], theirs.bse[["value", "capital"]], rtol=1e-9)
    outside(fit_panel, source, found.r_squared, theirs.rsquared, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("right", ["", " | firm", " | firm + year"])
def test_weighted_estimates_are_those_of_pyfixest(right: str) -> None:
    from pyfixest.estimation import feols

    data = draw_weights(gappy_grunfeld())
    effects: dict[str, Any] = {"entity_effects": "firm" in right, "time_effects": "year" in right}
    found = fit_panel(data, "inv", ["value", "capital"], weights="size", **effects)
    theirs = feols(f"inv ~ value + capital{right}", data.reset_index(), weights="size", vcov={"CRV1": "firm"})
    source = "pyfixest: feols, weights"
    names = ["value", "capital"]
    outside(fit_panel, source, found.estimates[names], theirs.coef()[names], rtol=1e-6)
    outside(fit_panel, source, found.std_errors[names], theirs.se()[names], rtol=1e-6)


@pytest.mark.parametrize("effects", KINDS)
def test_a_weight_of_three_is_three_rows_to_the_bootstrap_and_the_jackknife(effects: dict[str, Any]) -> None:
    # Copies of a firm in one cluster: estimate and scores are those of one firm that weighs as much.
    data = grunfeld()
    weight = {firm: 1 + place % 3 for place, firm in enumerate(data.index.unique(0))}
    copies = [
        data.loc[[firm]].rename(index={firm: f"{firm} {number}"}, level=0).assign(cluster=firm)
        for firm, count in weight.items()
        for number in range(count)
    ]
    weighted = data.assign(size=data.index.get_level_values(0).map(weight))
    found = fit_panel(weighted, "inv", ["value", "capital"], weights="size", **effects)
    repeated = fit_panel(pd.concat(copies), "inv", ["value", "capital"], cluster="cluster", **effects)
    assert found.estimates["capital"] == pytest.approx(repeated.estimates["capital"], rel=1e-9)
    one, many = (wild_cluster_bootstrap(item, "capital") for item in (found, repeated))
    assert (one.p_value, one.enumerated) == (many.p_value, True)
    assert cr3(found, "capital").std_error == pytest.approx(cr3(repeated, "capital").std_error, rel=1e-8)


@pytest.mark.parametrize("effects", KINDS)
def test_equal_weights_change_nothing_and_their_unit_does_not_matter(effects: dict[str, Any]) -> None:
    data = draw_weights(gappy_grunfeld())
    plain, equal = (fit_panel(data.assign(one=7.0), "inv", ["capital"], weights=w, **effects) for w in (None, "one"))
    assert equal["capital"].std_error == pytest.approx(plain["capital"].std_error, rel=1e-10)
    assert equal.r_squared_within == pytest.approx(plain.r_squared_within, rel=1e-10)
    small, large = (
        fit_panel(data.assign(size=data["size"] * unit), "inv", ["capital"], weights="size", **effects)
        for unit in (1e-8, 1e8)
    )
    assert small["capital"].statistic == pytest.approx(large["capital"].statistic, rel=1e-10)


def test_a_weighted_fit_says_so() -> None:
    found = fit(draw_weights(grunfeld()), Model("inv", "capital"), weights="size")
    assert "rows weighted by size" in found.facts()
    assert "weighted" not in fit(grunfeld(), Model("inv", "capital")).facts()


@pytest.mark.parametrize(("value", "told"), [(0.0, "not above 0"), (-1.0, "not above 0"), (np.nan, "missing")])
def test_a_weight_that_weighs_nothing_is_named(value: float, told: str) -> None:
    data = draw_weights(grunfeld())
    data.loc[("IBM", 1940), "size"] = value
    with pytest.raises(StudyError, match=told) as raised:
        fit_panel(data, "inv", ["capital"], weights="size", **TWO_WAY)
    assert "IBM, 1940" in raised.value.where


# R 4.2.2, clubSandwich 0.5.8: lm(inv ~ value + capital + factors, weights = size), vcovCR(type = "CR2", cluster = firm,
# inverse_var): standard errors and Satterthwaite df of value and capital, F and its df of both (HTZ).
CLUB_SANDWICH = {
    (False, False, "equal"): (0.0167300387, 0.1322441348, 1.8667237976, 1.7781403634, 49.7925138675, 0.7654186577),
    (False, False, "weights"): (0.0162616911, 0.1228491698, 2.0258439690, 1.9973906021, 55.2950073250, 0.9326373612),
    (True, False, "equal"): (0.0116913435, 0.0810941066, 1.7339846994, 1.3614887509, 15.6381520842, 0.5137456423),
    (True, False, "weights"): (0.0128197537, 0.0736916680, 1.7734122264, 1.4614770796, 14.1333472915, 0.5779693824),
    (False, True, "equal"): (0.0170905958, 0.1382919062, 2.3860130997, 2.7663760572, 74.5391519443, 1.3454775651),
    (False, True, "weights"): (0.0164509829, 0.1275516151, 2.5812645992, 3.2533678943, 80.5193261691, 1.6336693366),
    (True, True, "equal"): (0.0135848371, 0.0841645476, 2.7110177708, 1.8932433799, 24.7111249929, 1.1570059117),
    (True, True, "weights"): (0.0140695893, 0.0735679483, 2.6809470882, 2.1449024806, 22.7604443772, 1.2778546137),
}


@pytest.mark.parametrize(("entity", "time", "working"), CLUB_SANDWICH)
def test_weighted_cr2_is_that_of_r(entity: bool, time: bool, working: Working) -> None:
    data = draw_weights(gappy_grunfeld())
    found = fit_panel(data, "inv", ["value", "capital"], weights="size", entity_effects=entity, time_effects=time)
    tests = [cr2(found, name, working=working) for name in ("value", "capital")]
    both = htz_wald(found, ["value", "capital"], working=working)
    known = CLUB_SANDWICH[entity, time, working]
    source = "R clubSandwich: vcovCR(CR2), lm with weights"
    outside(cr2, source, [test.std_error for test in tests], known[:2], rtol=1e-7)
    outside(cr2, source, [test.df for test in tests], known[2:4], rtol=1e-8)
    outside(htz_wald, source, (both.statistic, both.df[1]), known[4:], rtol=1e-8)


def test_working_variances_must_be_known() -> None:
    found = fit_panel(draw_weights(grunfeld()), "inv", ["capital"], weights="size", **TWO_WAY)
    with pytest.raises(StudyError, match="no such working variances"):
        cr2(found, "capital", working="mine")  # type: ignore[arg-type]


def test_a_regressor_that_effects_absorb_is_named_with_weights_too() -> None:
    data = draw_weights(grunfeld()).assign(fixed=lambda d: d.groupby(level=0)["value"].transform("mean"))
    with pytest.raises(StudyError, match="constant within every entity"):
        fit_panel(data, "inv", ["capital", "fixed"], weights="size", **TWO_WAY)
