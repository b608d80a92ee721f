"""The tests beside a panel regression against Baltagi's tables, R plm, Stata and statsmodels.

Tolerance: half a unit of the last digit that the source prints; 1e-8 relative where a file has full precision.
"""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.diagnostics import residual_tests
from helpers.diagnostics.effects_tests import (
    breusch_pagan_lm,
    condition_number,
    correlation_matrix,
    f_test_effects,
    honda,
    poolability,
    vif,
)
from helpers.diagnostics.random_effects import fit_random_effects, fit_two_way_random, hausman
from helpers.diagnostics.residual_tests import modified_wald, pesaran_cd, wooldridge_serial_correlation
from helpers.errors import StudyError
from helpers.regression.panel import fit_panel
from outside import outside
from reference.panels import RESULTS, gappy_grunfeld, grunfeld, simulated, stata_output, wages

MODEL = ("inv", ["value", "capital"])


def without_last_row():
    """Grunfeld's data without the last row of the tenth firm in plm's order, as in plm's and EViews' example."""
    return grunfeld().drop(("Diamond Match", 1954))


def test_random_effects_of_grunfeld_are_those_of_swamy_and_arora():
    # Baltagi (2013), table 2.1; R plm, model = "random".
    fit = fit_random_effects(grunfeld(), *MODEL)
    printed = {"const": -57.834415, "value": 0.109781, "capital": 0.308113}
    outside(fit_random_effects, "Baltagi (2013): table 2.1", fit.estimates, printed, atol=5e-7)


@pytest.mark.parametrize(
    ("case", "time_effects"),
    [
        ("balanced-notebook", True),
        ("balanced-time-invariant", False),
        ("balanced-time-varying", False),
        ("unbalanced-year-dummies", True),
        ("unbalanced-time-invariant", False),
    ],
)
def test_random_effects_of_the_wage_panel_are_those_of_plm(case, time_effects):
    # R plm 2.6.7, printed in full by linearmodels' reference files.
    regressors = {
        "notebook": "black hisp exper expersq married educ union",
        "year-dummies": "black hisp expersq married educ union",
        "time-invariant": "black hisp exper expersq married educ union",
        "time-varying": "expersq married union",
    }[case.split("-", 1)[1]].split()
    data = wages()
    dropped = ((data["nr"] * 7 + data["year"] * 13) % 5 == 0) & ((data["nr"] + data["year"]) % 3 != 0)
    data = data if case.startswith("balanced") else data[~dropped]
    fit = fit_random_effects(data.set_index(["nr", "year"]), "lwage", regressors, time_effects=time_effects)
    table = pd.read_csv(RESULTS / "re-variance-components-reference.csv")
    printed = table[table["case"] == case].set_index("quantity")["value"]
    order = ["const", *(name for name in fit.estimates.index if name != "const")]
    source = "R plm: model = 'random', the wage panel"
    variances = [fit.variance_idiosyncratic, fit.variance_entity]
    outside(fit_random_effects, source, variances, printed[["sigma2_idios", "sigma2_id"]], rtol=1e-8)
    for ours, name in ((fit.estimates, "coef"), (fit.std_errors, "se")):
        theirs = printed[printed.index.str.startswith(name)].to_numpy()
        outside(fit_random_effects, source, ours[order].to_numpy(), theirs, rtol=1e-8)


@pytest.mark.parametrize("sample", ["", "_light", "_heavy"])
@pytest.mark.parametrize(("model", "cluster"), [("conventional", False), ("cluster", True)])
def test_random_effects_of_the_simulated_panel_are_those_of_stata(sample, model, cluster):
    # Stata 13, xtreg, re, on panels with and without gaps; output shipped by linearmodels.
    columns = [name + sample for name in ("y", "x1", "x2", "x3", "x4", "x5")]
    data = simulated()[columns].dropna()
    fit = fit_random_effects(data, columns[0], columns[1:], cluster=cluster, variance="harmonic_mean")
    stata = stata_output(f"random_effect-{model}--{sample}").loc[fit.estimates.index]
    source = "Stata: xtreg, re, a simulated panel"
    outside(fit_random_effects, source, fit.estimates, stata["estimate"], rtol=1e-8)
    outside(fit_random_effects, source, fit.std_errors, stata["std_error"], rtol=1e-8)


def test_hausman_of_grunfeld_is_that_of_baltagi():
    # Baltagi (2013), section 4.3.1: 2.33; R plm prints 2.3303669, p 0.3118654.
    test = hausman(grunfeld(), *MODEL)
    source = "R plm: phtest, Grunfeld; Baltagi (2013), section 4.3.1"
    outside(hausman, source, (test.statistic, test.p_value, *test.df), (2.3303669, 0.3118654, 2), atol=5e-8)


def test_robust_hausman_of_grunfeld_is_that_of_plm():
    # R plm, phtest(method = "aux", vcov = vcovHC): 8.2998366, p 0.0157657.
    test = hausman(grunfeld(), *MODEL, robust=True)
    source = "R plm: phtest(method = 'aux', vcov = vcovHC), Grunfeld"
    outside(hausman, source, (test.statistic, test.p_value), (8.2998366, 0.0157657), atol=5e-8)


@pytest.mark.parametrize(
    ("options", "statistic", "df"),
    [
        ({}, 17.403, (28, 169)),  # R plm, pFtest, two-way; Baltagi (2013), section 4.2
        ({"time_effects": False}, 49.177, (9, 188)),  # R plm, pFtest, individual
    ],
)
def test_f_tests_for_effects_are_those_of_plm(options, statistic, df):
    test = f_test_effects(grunfeld(), *MODEL, **options)
    outside(f_test_effects, "R plm: pFtest, Grunfeld", (test.statistic, *test.df), (statistic, *df), atol=5e-4)


@pytest.mark.parametrize(
    ("options", "null"),
    [
        ({}, "no entity and time effects"),
        ({"against": "time"}, "no entity effects"),
        ({"against": "entity"}, "no time effects"),
        ({"time_effects": False}, "no entity effects"),
    ],
)
def test_an_f_test_names_the_effects_that_the_smaller_model_leaves_out(options, null):
    test = f_test_effects(grunfeld(), *MODEL, **options)
    assert (test.null, test.name) == (null, f"F test for {null.removeprefix('no ')}")


def test_time_effects_are_tested_given_the_entity_effects():
    given = f_test_effects(grunfeld(), *MODEL, against="entity")
    assert given.df == (19, 169)
    with pytest.raises(StudyError, match="not smaller"):
        f_test_effects(grunfeld(), *MODEL, time_effects=False, against="entity")


# Baltagi (2013), tables 4.1 and 4.2; R plm and EViews print more digits. Honda is one-sided, so it can be negative.
@pytest.mark.parametrize(
    ("effect", "lm", "signed"),
    [("entity", 798.16155, 28.251753), ("time", 6.4538816, -2.5404491), ("twoway", 804.61543, 18.180637)],
)
def test_lagrange_multiplier_tests_are_those_of_baltagi(effect, lm, signed):
    source = "Baltagi (2013): tables 4.1 and 4.2, more digits from R plm and EViews"
    outside(breusch_pagan_lm, source, breusch_pagan_lm(grunfeld(), *MODEL, effect=effect).statistic, lm, rtol=1e-7)
    outside(honda, source, honda(grunfeld(), *MODEL, effect=effect).statistic, signed, rtol=1e-7)


# R plm and EViews 9 on Grunfeld without its 200th row.
@pytest.mark.parametrize(
    ("effect", "lm", "signed"),
    [("entity", 796.66152, 28.225193), ("time", 6.4545778, -2.5405861), ("twoway", 803.1161, 18.16176)],
)
def test_lagrange_multiplier_tests_allow_an_unbalanced_panel(effect, lm, signed):
    data, source = without_last_row(), "EViews: Grunfeld without its last row"
    outside(breusch_pagan_lm, source, breusch_pagan_lm(data, *MODEL, effect=effect).statistic, lm, rtol=1e-7)
    outside(honda, source, honda(data, *MODEL, effect=effect).statistic, signed, rtol=1e-6)


@pytest.mark.parametrize(("options", "z"), [({"heterogeneous": True}, 5.3401), ({}, 4.6612)])
def test_pesaran_cd_of_grunfeld_is_that_of_plm(options, z):
    outside(pesaran_cd, "R plm: pcdtest, Grunfeld", pesaran_cd(grunfeld(), *MODEL, **options).statistic, z, atol=5e-5)


def test_pesaran_cd_skips_pairs_without_two_common_times():
    # Its definition (Pesaran 2021), written out pair by pair.
    panel = gappy_grunfeld()
    early = panel.index.get_level_values(1) < 1945
    gone = ((panel.index.get_level_values(0) == "IBM") & early) | (
        (panel.index.get_level_values(0) == "Chrysler") & ~early
    )
    panel = panel[~gone]
    residuals = fit_panel(panel, *MODEL, entity_effects=True).residuals.unstack(level=0)
    terms = []
    for i, first in enumerate(residuals.columns):
        for second in residuals.columns[i + 1 :]:
            both = residuals[[first, second]].dropna()
            if len(both) >= 2:
                terms.append(np.sqrt(len(both)) * np.corrcoef(both.T)[0, 1])
    assert len(terms) == 44
    theirs = sum(terms) / np.sqrt(len(terms))
    outside(pesaran_cd, "written out: pair by pair", pesaran_cd(panel, *MODEL).statistic, theirs, rtol=1e-10)


def test_pesaran_cd_holds_no_array_of_pairs_of_entities(monkeypatch):
    # 300 entities, of which every third is whole and the others are seen at times of their own; numpy's corrcoef, pair
    # by pair. Blocks of one entity at a time give what all at once give. 700 of them need less than their pairs would.
    rng = np.random.default_rng(5)
    panel = make_panel(700, 8, rng)
    gone = (panel.index.get_level_values(0) % 3 > 0) & (rng.random(len(panel)) < 0.3)
    few = panel[~gone].loc[:299]
    wide = fit_panel(few, "y", ["x"], entity_effects=True).residuals.unstack(level=0).to_numpy()
    seen, terms = ~np.isnan(wide), []
    for i in range(wide.shape[1]):
        for j in range(i):
            both = seen[:, i] & seen[:, j]
            if both.sum() >= 2:
                terms.append(np.sqrt(both.sum()) * np.corrcoef(wide[both, i], wide[both, j])[0, 1])
    ours, theirs = pesaran_cd(few, "y", ["x"]).statistic, np.nansum(terms) / np.sqrt(len(terms))
    outside(pesaran_cd, "numpy: corrcoef, pair by pair", ours, theirs, atol=1e-9)
    monkeypatch.setattr(residual_tests, "CHUNK", 1)
    assert pesaran_cd(few, "y", ["x"]).statistic == pytest.approx(ours, abs=1e-10)
    monkeypatch.undo()
    for data in (panel, panel[~gone]):
        residuals = data["y"].unstack(level=0).to_numpy().T
        monkeypatch.setattr(residual_tests, "CHUNK", 1000)
        tracemalloc.start()
        residual_tests._sum_correlations(residuals)
        assert tracemalloc.get_traced_memory()[1] < 700**2 * 8 / 2
        tracemalloc.stop()


def make_panel(n_entities, n_times, rng):
    index = pd.MultiIndex.from_product([range(n_entities), range(n_times)], names=["entity", "time"])
    x, common = rng.normal(size=len(index)), np.tile(rng.normal(size=n_times), n_entities)
    return pd.DataFrame({"x": x, "y": x + 0.3 * common + rng.normal(size=len(index))}, index=index)


def test_pesaran_cd_says_when_entities_are_too_short():
    short = grunfeld()[grunfeld().index.get_level_values(1) < 1938]
    with pytest.raises(StudyError, match="cannot determine its own 3"):
        pesaran_cd(short, *MODEL, heterogeneous=True)


def test_wooldridge_test_on_within_residuals_is_that_of_plm():
    # R plm, pwartest(inv ~ value + capital): F = 76.929, df 1 and 188, p 1.057e-15.
    test = wooldridge_serial_correlation(grunfeld(), *MODEL, form="within")
    source = "R plm: pwartest, Grunfeld"
    outside(wooldridge_serial_correlation, source, (test.statistic, *test.df), (76.929, 1, 188), atol=5e-4)
    outside(wooldridge_serial_correlation, source, test.p_value, 1.057e-15, rtol=5e-4)


@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_wooldridge_test_on_differences_is_that_of_two_clustered_regressions(panel):
    # Drukker's (2003) two steps with statsmodels' regressions.
    import statsmodels.api as sm

    wide = panel()[["inv", "value", "capital"]].unstack(level=0).sort_index()
    change = wide.diff().stack(level=1, future_stack=True).dropna().swaplevel().sort_index()
    first = sm.OLS(change["inv"], change[["value", "capital"]]).fit()
    residuals = first.resid.unstack(level=0).reindex(wide.index)
    pairs = pd.DataFrame({"now": residuals.stack(), "before": residuals.shift().stack()}).dropna()
    groups = pd.factorize(pairs.index.get_level_values(1))[0]
    second = sm.OLS(pairs["now"], pairs[["before"]]).fit(cov_type="cluster", cov_kwds={"groups": groups})
    statistic = float(((second.params["before"] + 0.5) / second.bse["before"]) ** 2)
    test = wooldridge_serial_correlation(panel(), *MODEL)
    source = "statsmodels: OLS twice, clustered (Drukker 2003)"
    ours = (test.statistic, *test.df)
    outside(wooldridge_serial_correlation, source, ours, (statistic, 1, 9), rtol=1e-8)


@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_modified_wald_is_that_of_greene(panel):
    # Greene (2000), p. 598, as Stata's xttest3 has it, entity by entity.
    residuals = fit_panel(panel(), *MODEL, entity_effects=True).residuals
    overall = float((residuals**2).mean())
    total = 0.0
    for _, own in residuals.groupby(level=0):
        size, variance = len(own), float((own**2).mean())
        spread = float(((own**2 - variance) ** 2).sum()) / size / (size - 1)
        total += (variance - overall) ** 2 / spread
    test = modified_wald(panel(), *MODEL)
    source = "written out: Greene (2000), p. 598"
    outside(modified_wald, source, (test.statistic, test.p_value), (total, stats.chi2.sf(total, 10)), rtol=1e-10)


def longley():
    """Longley's regressors as a panel of one entity."""
    from statsmodels.datasets import longley as shipped

    data = shipped.load_pandas().exog
    data.index = pd.MultiIndex.from_product([["US"], range(len(data))])
    return data


def test_variance_inflation_of_longley_is_that_of_r():
    # R car, vif(lm(Employed ~ ., longley)).
    factors = vif(longley(), list(longley().columns))
    printed = {
        "GNPDEFL": 135.53244,
        "GNP": 1788.51348,
        "UNEMP": 33.61889,
        "ARMED": 3.58893,
        "POP": 399.15102,
        "YEAR": 758.98060,
    }
    outside(vif, "R car: vif, Longley", factors, printed, atol=5e-6)


def test_condition_number_of_longley_is_that_of_belsley():
    # Belsley, Kuh and Welsch (1980): scaled condition number 43,275.
    ours = condition_number(longley(), list(longley().columns))
    outside(condition_number, "Belsley, Kuh and Welsch (1980): Longley", ours, 43275, atol=0.5)


def test_inflation_within_is_that_of_the_within_correlation():
    within = vif(grunfeld(), ["value", "capital"], entity_effects=True)
    columns = grunfeld()[["value", "capital"]]
    r = np.corrcoef((columns - columns.groupby(level=0).transform("mean")).to_numpy().T)[0, 1]
    assert within.to_list() == pytest.approx([1 / (1 - r**2)] * 2)


def test_correlations_are_those_of_all_rows():
    table = correlation_matrix(grunfeld(), ["inv", "value", "capital"])
    assert table.loc["inv", "value"] == pytest.approx(np.corrcoef(grunfeld()["inv"], grunfeld()["value"])[0, 1])


@pytest.mark.parametrize(("entity_effects", "printed"), [(True, (5.7805, 18, 170)), (False, (27.749, 27, 170))])
def test_poolability_of_grunfeld_is_that_of_plm(entity_effects, printed):
    # R plm, pooltest(inv ~ value + capital): against model = "within", p 1.219e-10, and against "pooling".
    test = poolability(grunfeld(), *MODEL, entity_effects=entity_effects)
    outside(poolability, "R plm: pooltest, Grunfeld", (test.statistic, *test.df), printed, atol=5e-4)
    if entity_effects:
        outside(poolability, "R plm: pooltest, Grunfeld", test.p_value, 1.219e-10, rtol=5e-4)


def test_slopes_of_an_entity_with_too_few_rows_are_not_tested():
    short = grunfeld()[grunfeld().index.get_level_values(1) < 1938]
    with pytest.raises(StudyError, match=r"its rows \(3\) cannot determine its own 3"):
        poolability(short, *MODEL)


def test_two_way_random_effects_of_grunfeld_are_those_of_baltagi():
    # Baltagi (2013), table 3.1, Swamy-Arora; EViews and R plm print six digits. The variance of the years is 0.
    fit = fit_two_way_random(grunfeld(), *MODEL)
    printed = {"const": (-57.865377, 29.393359), "value": (0.109790, 0.010528), "capital": (0.308190, 0.017171)}
    for name, (estimate, std_error) in printed.items():
        found = fit[name]
        outside(
            fit_two_way_random,
            "Baltagi (2013): table 3.1",
            (found.estimate, found.std_error),
            (estimate, std_error),
            atol=5e-7,
        )
    assert fit.variance_time == 0.0


def test_two_way_random_effects_refuse_a_panel_with_gaps():
    with pytest.raises(StudyError, match="has gaps"):
        fit_two_way_random(gappy_grunfeld(), *MODEL)


@pytest.mark.parametrize("times", [2, 3, 8])
def test_a_condition_number_asks_nothing_of_an_outcome(times):
    panel = make_panel(12, times, np.random.default_rng(2))
    effects = {"entity_effects": True, "time_effects": True}
    assert condition_number(panel, ["x", "y"], **effects) >= 1
    assert (vif(panel, ["x", "y"], **effects) >= 1).all()


def test_two_way_random_effects_name_the_periods_where_these_are_too_few():
    few = grunfeld()
    few = few[few.index.get_level_values(1) < few.index.get_level_values(1).min() + 3]
    with pytest.raises(StudyError, match="3 periods cannot tell the spread between periods from 3 coefficients"):
        fit_two_way_random(few, *MODEL)
