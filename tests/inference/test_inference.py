"""Inference with few clusters against printed numbers, other packages, and bootstraps written out draw by draw.

Tolerances: shares of enumerated draws are exact; half a unit of the last printed digit; 1e-9 relative where the same
number is reached another way; four simulation standard errors where draws are random.

Conley's errors are those of StatsPAI 1.40.2, sp.conley(sp.regress("inv ~ value + capital", d), d, "lat", "lon", cutoff,
kernel), on Grunfeld with gaps and the places of `far_places`, columns less their firm means where firms have effects;
its earth has a radius of 6371 km, so that the cutoff given to it is cutoff_km x 6371 / 6371.0088.
"""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.inference import contrast, dependence
from helpers.inference.passport import standard_error_passport
from helpers.inference.small_sample import cr2, cr3, reduced_tests
from helpers.inference.wild.bootstrap import WildForm, wild_cluster_bootstrap
from helpers.regression.design import build_design
from helpers.regression.panel import PanelFit, fit_panel
from outside import outside
from reference.panels import RESULTS, firm_rows, gappy_grunfeld, grunfeld

TWO_WAY: dict[str, Any] = {"entity_effects": True, "time_effects": True}


def grunfeld_fit() -> PanelFit:
    """Investment on capital with firm and year effects."""
    return fit_panel(grunfeld(), "inv", ["capital"], **TWO_WAY)


def test_exact_wild_bootstrap_of_grunfeld_counts_all_1024_draws():
    # Enumerated independently: 252 of 1,024 draws are above |t|, and the sample and its mirror image equal it.
    test = wild_cluster_bootstrap(grunfeld_fit(), "capital")
    assert (test.enumerated, test.n_draws) == (True, 1024)
    assert (test.p_value_strict, test.p_value) == (252 / 1024, 254 / 1024)


def test_with_eight_clusters_no_p_value_is_below_two_in_256():
    fit = fit_panel(firm_rows(8), "inv", ["capital"], **TWO_WAY)
    test = wild_cluster_bootstrap(fit, "capital", null=50.0)
    assert test.smallest_p_value == 2 / 256
    assert test.p_value >= 2 / 256


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("variant", ["11", "31"])
@pytest.mark.parametrize("parameter", ["capital"])
def test_wildboottest_agrees_under_full_enumeration(restricted, variant, parameter):
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    data = gappy_grunfeld().reset_index()
    data["firm"] = pd.factorize(data["firm"])[0]
    with pytest.warns(UserWarning, match="full_enumeration"):
        theirs = wildboottest(
            smf.ols("inv ~ value + capital", data),
            B=9999,
            cluster=data["firm"],
            param=parameter,
            weights_type="rademacher",
            impose_null=restricted,
            bootstrap_type=variant,
            seed=1,
            show=False,
        )
    fit = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"])
    ours = wild_cluster_bootstrap(fit, parameter, form=WildForm(restricted=restricted, variant=variant))
    source = "wildboottest: full enumeration, Grunfeld with gaps"
    outside(wild_cluster_bootstrap, source, ours.statistic, theirs["statistic"].iloc[0], rtol=1e-9)
    # It counts the two ties of the sample or not, as rounding falls.
    assert ours.p_value_strict <= float(theirs["p-value"].iloc[0]) <= ours.p_value


@pytest.mark.parametrize(("parameter", "t", "p_value"), [
    ("value", 4.434584002611123, 0.017578125), ("capital", 2.39764785179372, 0.203125),
])  # fmt: skip
def test_the_test_of_another_null_than_zero_is_that_of_statspai(parameter, t, p_value):
    # sp.wild_cluster_bootstrap(d, "inv", ["value", "capital"], "firm", parameter, h0=0.05), all 1,024 sign vectors; ties
    # are not counted.
    fit = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"])
    found = wild_cluster_bootstrap(fit, parameter, null=0.05)
    source = "StatsPAI: wild_cluster_bootstrap, all sign vectors, Grunfeld with gaps"
    outside(wild_cluster_bootstrap, source, [found.statistic, found.p_value_strict], [t, p_value], rtol=1e-9)


def bootstrap_by_hand(fit: PanelFit, data: pd.DataFrame, contrast: dict[str, float], null: float, method: str) -> float:
    """Share of |t*| >= |t| when each sample of signs is drawn, built and fitted anew."""
    design = fit.design
    r = np.array([contrast.get(name, 0.0) for name in fit.regressors])
    bread = np.linalg.inv(design.x_within.T @ design.x_within)
    change = bread @ r / (r @ bread @ r) * (r @ fit.estimates - null) if "restricted" in method else 0 * r
    residuals = fit.residuals + pd.Series(design.x_within @ change, index=design.index)
    fitted = data[fit.outcome] - residuals
    firms = data.index.get_level_values(0)
    centre = null if "restricted" in method else float(r @ fit.estimates)

    def t(outcome: pd.Series, value: float) -> float:
        again = fit_panel(data.assign(star=outcome), "star", [name for name in fit.regressors if name != "const"],
                          entity_effects=fit.entity_effects, time_effects=fit.time_effects)  # fmt: skip
        if "jackknife" in method:
            return cr3(again, contrast, null=value).statistic
        return float((r @ again.estimates - value) / np.sqrt(r @ again.covariance.to_numpy() @ r))

    own = abs(t(data[fit.outcome], null))
    names = sorted(set(firms))
    stars = [
        abs(t(fitted + residuals * pd.Series(dict(zip(names, signs, strict=True))).reindex(firms).to_numpy(), centre))
        for signs in product([1.0, -1.0], repeat=len(names))
    ]
    return float(np.mean(np.array(stars) >= own * (1 - 1e-9)))


@pytest.mark.parametrize("method", ["restricted", "plain", "restricted jackknife", "plain jackknife"])
@pytest.mark.parametrize(("contrast", "null"), [({"capital": 1.0}, 0.1), ({"value": 1.0, "capital": -1.0}, 0.0)])
def test_bootstrap_is_that_of_samples_drawn_and_fitted_one_by_one(method, contrast, null):
    data = gappy_grunfeld()[gappy_grunfeld().index.isin(firm_rows(5).index)].sort_index()
    fit = fit_panel(data, "inv", ["value", "capital"], **TWO_WAY)
    test = wild_cluster_bootstrap(
        fit,
        contrast,
        null=null,
        form=WildForm(restricted="restricted" in method, variant="13" if "jackknife" in method else "11"),
    )
    assert test.p_value == bootstrap_by_hand(fit, data, contrast, null, method)


def test_transformed_residuals_are_those_of_fits_without_the_cluster():
    # (I - H_gg)^-1 u_g is the error of predicting cluster g from the others, where that inverse exists.
    from helpers.inference.contrast import build_contrast
    from helpers.inference.wild.bootstrap import _transform

    data = gappy_grunfeld()
    fit = fit_panel(data, "inv", ["value", "capital"])
    contrast = build_contrast(fit, "capital")
    codes = fit.clusters[0]
    residuals = fit.residuals.loc[fit.design.index].to_numpy()
    ours = _transform(fit, contrast, codes, residuals[None], False)[0] / np.sqrt(9 / 10)
    x, y = fit.design.x, fit.design.y
    for group in range(10):
        own = codes == group
        estimates, *_ = np.linalg.lstsq(x[~own], y[~own])
        np.testing.assert_allclose(ours[own], y[own] - x[own] @ estimates, rtol=1e-7)


@pytest.mark.parametrize("variant", ["11", "31"])
@pytest.mark.parametrize("restricted", [True, False])
def test_a_unit_seen_once_changes_no_bootstrap(restricted, variant):
    # Its effect takes the whole of its only row, so that every draw is that of the panel without it: 2^10 signs, each
    # twice. A generalised inverse of its block relative to itself made 1 of its rounding: p 0.45 in place of 0.004.
    data = firm_rows(9)
    once = pd.DataFrame([[1234.5, 77.0, 30.0]], columns=["inv", "value", "capital"])
    once.index = pd.MultiIndex.from_tuples([("seen once", data.index.get_level_values(1)[3])], names=data.index.names)
    form = WildForm(restricted=restricted, variant=variant)
    tests = [
        wild_cluster_bootstrap(fit_panel(rows, "inv", ["capital"], **TWO_WAY), "capital", form=form)
        for rows in (data, pd.concat([data, once]))
    ]
    assert [test.n_draws for test in tests] == [512, 1024]
    assert tests[0].p_value == tests[1].p_value
    assert tests[0].p_value_strict == tests[1].p_value_strict


@pytest.mark.parametrize("restricted", [True, False])
def test_interval_ends_are_where_the_test_begins_to_reject(restricted):
    fit = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"], **TWO_WAY)
    test = wild_cluster_bootstrap(fit, "value", form=WildForm(restricted=restricted), interval=True)
    assert test.ci_low is not None
    assert test.ci_high is not None
    step = 1e-6 * fit.std_errors["value"]
    for end, outward in ((test.ci_low, -step), (test.ci_high, step)):
        assert (
            wild_cluster_bootstrap(fit, "value", null=end + outward, form=WildForm(restricted=restricted)).p_value
            <= 0.05
        )
        assert (
            wild_cluster_bootstrap(fit, "value", null=end - outward, form=WildForm(restricted=restricted)).p_value
            > 0.05
        )


def test_interval_is_unbounded_where_the_test_can_never_reject():
    # With five clusters no p-value is below 2/32 > 0.05.
    fit = fit_panel(firm_rows(5), "inv", ["capital"], **TWO_WAY)
    test = wild_cluster_bootstrap(fit, "capital", interval=True)
    assert (test.ci_low, test.ci_high) == (-np.inf, np.inf)


def many_clusters() -> PanelFit:
    """A panel of 14 entities in which the null is true."""
    rng = np.random.default_rng(8)
    index = pd.MultiIndex.from_product([range(14), range(5)], names=["entity", "time"])
    data = pd.DataFrame({"x": rng.normal(size=70), "y": rng.normal(size=70)}, index=index)
    return fit_panel(data, "y", ["x"], **TWO_WAY)


@pytest.mark.parametrize(("weights", "distance"), [("rademacher", 4), ("webb", 8), ("mammen", 16), ("normal", 16)])
def test_random_draws_come_near_the_enumerated_share(weights, distance):
    # Rademacher draws differ from all 2^14 by simulation only; other weights are other tests, so they come less near.
    exact = wild_cluster_bootstrap(many_clusters(), "x", draws=2**14)
    drawn = wild_cluster_bootstrap(
        many_clusters(), "x", draws=9_999, form=WildForm(weights), rng=np.random.default_rng(5)
    )
    assert (exact.enumerated, drawn.enumerated) == (True, False)
    error = np.sqrt(exact.p_value * (1 - exact.p_value) / 9_999)
    assert abs(drawn.p_value - exact.p_value) < distance * error


def test_the_same_generator_gives_the_same_p_value():
    first, second = (
        wild_cluster_bootstrap(many_clusters(), "x", draws=999, rng=np.random.default_rng(1)) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parameter": "nothing"}, "not in the fit"),
        ({"parameter": {"x": 0.0}}, "all weights are zero"),
        ({"form": WildForm("mine")}, "weights mine"),
        ({"form": WildForm(variant="22")}, "variant 22"),
        ({"draws": 0}, "draws >= 1"),
        ({"draws": 99}, "no source"),
    ],
)
def test_bad_options_of_the_bootstrap_are_told(options, words):
    with pytest.raises(StudyError, match=words):
        wild_cluster_bootstrap(many_clusters(), **{"parameter": "x", **options})


@pytest.mark.parametrize("method", [wild_cluster_bootstrap, cr2, cr3, standard_error_passport])
def test_two_cluster_variables_are_refused(method):
    fit = fit_panel(grunfeld(), "inv", ["capital"], cluster=("entity", "time"), **TWO_WAY)
    with pytest.raises(StudyError, match="exactly one cluster variable"):
        method(fit, "capital")


def rows_as_clusters(treated: int, others: int) -> PanelFit:
    """Two groups of independent rows, each row an entity of its own."""
    rng = np.random.default_rng(6)
    index = pd.MultiIndex.from_product([range(treated + others), [0]], names=["entity", "time"])
    x = np.repeat([1.0, 0.0], [treated, others])
    return fit_panel(pd.DataFrame({"x": x, "y": rng.normal(size=len(x)) * (1 + x)}, index=index), "y", ["x"])


def test_cr2_of_rows_that_are_their_own_clusters_is_hc2():
    import statsmodels.api as sm

    fit = rows_as_clusters(3, 27)
    hc2 = sm.OLS(fit.design.y, fit.design.x).fit(cov_type="HC2")
    outside(cr2, "statsmodels: OLS, cov_type='HC2'", cr2(fit, "x").std_error, hc2.bse[0], rtol=1e-9)


def test_satterthwaite_df_of_three_against_27_is_that_of_imbens_and_kolesar():
    # Imbens and Kolesar (2016), table 1: Bell and McCaffrey's df is 2.5 on average, here exact for the design.
    n_treated, n_others = 3, 27
    above = (n_treated + n_others) ** 2 * (n_treated - 1) * (n_others - 1)
    closed = above / (n_treated**2 * (n_treated - 1) + n_others**2 * (n_others - 1))
    df = cr2(rows_as_clusters(3, 27), "x").df
    outside(cr2, "written out: the closed form of two groups", df, closed, rtol=1e-9)
    outside(cr2, "Imbens and Kolesar (2016): table 1", df, 2.5, atol=0.05)


@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_cr2_with_absorbed_effects_is_that_of_dummies(panel):
    # Pustejovsky and Tipton (2018): A_g = D_g'(D_g (I - H)_gg D_g')^(+1/2) D_g with all dummies in H.
    data = panel()
    fit = fit_panel(data, "inv", ["value", "capital"], **TWO_WAY)
    frame = data.sort_index()
    dummies = [pd.get_dummies(frame.index.get_level_values(level), dtype=float).to_numpy() for level in (0, 1)]
    x = np.column_stack([frame[["value", "capital"]].to_numpy(), *dummies])
    inverse = np.linalg.pinv(x.T @ x)
    hat = x @ inverse @ x.T
    residuals = frame["inv"].to_numpy() - hat @ frame["inv"].to_numpy()
    firms = pd.factorize(frame.index.get_level_values(0))[0]
    columns, meat = [], 0.0
    for firm in range(10):
        own = firms == firm
        values, vectors = np.linalg.eigh((np.eye(len(frame)) - hat)[np.ix_(own, own)])
        real = values > 1e-8
        root = (vectors[:, real] / np.sqrt(values[real])) @ vectors[:, real].T
        score = root @ x[own] @ inverse[:, 0]
        meat += float(score @ residuals[own]) ** 2
        columns.append((np.eye(len(frame)) - hat)[:, own] @ score)
    products = np.array(columns) @ np.array(columns).T
    test = cr2(fit, "value")
    theirs = (np.sqrt(meat), np.trace(products) ** 2 / np.sum(products**2))
    outside(cr2, "written out: all dummies in the hat matrix", (test.std_error, test.df), theirs, rtol=1e-8)


@pytest.mark.parametrize(("weights", "working"), [(None, "equal"), ("size", "equal"), ("size", "weights")])
def test_cr2_is_unbiased_under_its_working_variances(weights, working):
    # Its defining property: the expected variance estimate is the true variance of the estimate.
    from helpers.inference.contrast import build_contrast
    from helpers.inference.small_sample import _error_deviations, _influence, _roots

    data = gappy_grunfeld().assign(size=lambda d: d["capital"] + 1)
    effects = TWO_WAY if weights is None else {"time_effects": True}  # with weights those within a cluster leave a bias
    fit = fit_panel(data, "inv", ["value", "capital"], weights=weights, **effects)
    contrast = build_contrast(fit, {"value": 1.0, "capital": -2.0})
    spread = _error_deviations(fit, working)
    influence = _influence(fit, contrast, _roots(fit, fit.clusters[0], spread))
    # Columns of a weighted fit are times the roots of the weights, and so are its errors.
    equal = np.ones(len(data)) if weights is None else fit.design.effects.root
    np.testing.assert_array_equal(spread, equal if working == "equal" else 1.0)
    assert np.sum((influence.T * spread) ** 2) == pytest.approx(np.sum((contrast.weights * spread) ** 2), rel=1e-9)


def test_jackknife_of_grunfeld_is_the_printed_one():
    # Stata's vce(jackknife, mse) and MacKinnon, Nielsen and Webb's CV3, computed independently.
    test = cr3(grunfeld_fit(), "capital")
    outside(cr3, "Stata: vce(jackknife, mse), Grunfeld", test.std_error, 0.30745, atol=5e-6)
    outside(cr3, "Stata: vce(jackknife, mse), Grunfeld", test.p_value, 0.211, atol=5e-4)


def test_jackknife_is_that_of_fits_without_each_entity():
    data = gappy_grunfeld()
    fit = fit_panel(data, "inv", ["value", "capital"], **TWO_WAY)
    changes = [
        fit_panel(data.drop(firm, level=0), "inv", ["value", "capital"], **TWO_WAY).estimates["value"]
        - fit.estimates["value"]
        for firm in set(data.index.get_level_values(0))
    ]
    assert cr3(fit, "value").std_error == pytest.approx(np.sqrt(0.9 * np.sum(np.square(changes))), rel=1e-9)


def test_jackknife_says_which_cluster_alone_carries_the_estimate():
    alone = grunfeld()["value"].where(grunfeld().index.get_level_values(0) == "IBM", 0.0)
    fit = fit_panel(grunfeld().assign(alone=alone), "inv", ["alone", "capital"], **TWO_WAY)
    with pytest.raises(StudyError, match="alone without cluster IBM"):
        cr3(fit, "alone")
    table = standard_error_passport(fit, "alone")
    assert np.isnan(table["std_error"].to_dict()["cr3"])
    assert "not defined here" in table["formula"].to_dict()["cr3"]


def test_passport_has_no_figure_where_the_errors_of_two_periods_cancel():
    """Under entity effects the two scores of an entity are equal, and over entities they sum to zero."""
    years = grunfeld().index.get_level_values(1)
    two = grunfeld()[years <= years.min() + 1]
    table = standard_error_passport(fit_panel(two, "inv", ["value", "capital"], **TWO_WAY), "value")
    cancelled = ["time_stata", "driscoll_kraay_plm", "driscoll_kraay_fixest"]
    assert table.loc[cancelled, ["factor", "std_error", "statistic", "p_value"]].isna().all(axis=None)
    assert table.loc[cancelled, "formula"].str.startswith("not defined here: the errors").all()
    defined = table.drop(index=[*cancelled, "cr2", "cr3"])
    assert (defined["std_error"] > 1e-6).all()
    assert standard_error_passport(grunfeld_fit(), "capital").loc[cancelled, "std_error"].gt(1e-6).all()


def test_clusters_whose_errors_cancel_are_refused_and_named():
    years = grunfeld().index.get_level_values(1)
    two = grunfeld()[years <= years.min() + 1]
    with pytest.raises(StudyError, match="2 clusters: with these effects the errors of each cluster cancel"):
        fit_panel(two, "inv", ["value", "capital"], **TWO_WAY | {"cluster": "time"})
    three = grunfeld()[years <= years.min() + 2]
    assert fit_panel(three, "inv", ["value", "capital"], **TWO_WAY | {"cluster": "time"}).std_errors["value"] > 1e-6


PROGRAMS = {
    "iid": "R plm",
    "plm": "R plm",
    "lfe": "R lfe",
    "stata": "Stata",
    "areg": "R sandwich",
    "two": "R fixest",
    "driscoll": "R plm",
}


# The same table as for fit_panel, with R plm's vcovSCC and fixest's Driscoll-Kraay at lag 2.
@pytest.mark.parametrize(
    ("convention", "std_error", "factor"),
    [
        ("iid", 0.02597821, 200 / 170),
        ("plm", 0.05693726, 1.0),
        ("lfe", 0.06016851, 10 / 9 * 199 / 198),
        ("stata", 0.06328129, 10 / 9 * 199 / 179),
        ("areg", 0.06493478, 10 / 9 * 199 / 170),
        ("two_way_stata", 0.06041290, 10 / 9 * 199 / 198),
        ("two_way_conventional", 0.06213837, None),
        ("driscoll_kraay_plm", 0.08359734, 1.0),
        ("driscoll_kraay_fixest", 0.08800884, 20 / 19 * 199 / 189),
    ],
)
def test_passport_prints_the_standard_error_of_each_program(convention, std_error, factor):
    table = standard_error_passport(grunfeld_fit(), "capital")
    source = f"{PROGRAMS[convention.split('_')[0]]}: Grunfeld, {convention.replace('_', ' ')}"
    outside(standard_error_passport, source, table.loc[convention, "std_error"], std_error, atol=5e-9)
    if factor is not None:
        assert table.loc[convention, "factor"] == pytest.approx(factor, rel=1e-12)


def test_passport_has_at_least_twelve_conventions_each_with_its_software():
    table = standard_error_passport(grunfeld_fit(), "capital")
    assert len(table) >= 12
    assert table["software"].str.len().min() > 0
    assert table["p_value"].between(0, 1).all()


@pytest.mark.parametrize("model", ["pooling", "within"])
@pytest.mark.parametrize("lag", [0, 1, 2, 3])
@pytest.mark.parametrize("regressor", ["x1", "x2"])
def test_panel_newey_west_is_that_of_plm(model, lag, regressor):
    # R plm 2.6.7, vcovNW(type = "HC0", maxlag), on an unbalanced panel; printed in full by linearmodels' files.
    panel = pd.read_csv(RESULTS / "ac-covariance-panel.csv").set_index(["entity", "time"])
    printed = pd.read_csv(RESULTS / "ac-covariance-reference.csv").set_index(["model", "maxlag", "row", "column"])
    fit = fit_panel(panel, "y", ["x1", "x2"], entity_effects=model == "within")
    ours = float(standard_error_passport(fit, regressor, lag=lag)["std_error"].to_dict()["newey_west_plm"])
    theirs = float(printed.loc[(model, lag, regressor, regressor), "value"])
    outside(standard_error_passport, "R plm: vcovNW, an unbalanced panel", ours**2, theirs, rtol=1e-9)


def places(entities: pd.Index) -> pd.DataFrame:
    """Points on the equator, one degree (111.2 km) apart."""
    return pd.DataFrame({"latitude": 0.0, "longitude": np.arange(len(entities), dtype=float)}, index=entities)


def test_conley_with_a_cutoff_below_every_distance_is_clustering_by_entity():
    fit = grunfeld_fit()
    coordinates = places(grunfeld().index.get_level_values(0).unique().sort_values())
    table = standard_error_passport(fit, "capital", coordinates=coordinates, cutoff_km=100)
    assert table.loc["conley", "std_error"] == pytest.approx(table.loc["plm", "std_error"], rel=1e-12)


def test_conley_adds_the_pairs_within_the_cutoff():
    fit = grunfeld_fit()
    coordinates = places(grunfeld().index.get_level_values(0).unique().sort_values())
    table = standard_error_passport(fit, "capital", coordinates=coordinates, cutoff_km=120)
    x = fit.design.x_within[:, 0]
    scores = np.bincount(fit.clusters[0], x * fit.residuals.loc[fit.design.index].to_numpy()) / (x @ x)
    variance = scores @ scores + 2 * scores[1:] @ scores[:-1]
    assert table.loc["conley", "std_error"] == pytest.approx(np.sqrt(variance), rel=1e-9)


@pytest.mark.parametrize("kernel", ["uniform", "bartlett"])
@pytest.mark.parametrize("cutoff", [1e-6, 300, 5_000, 30_000])
def test_conley_in_blocks_is_the_sum_over_all_pairs(kernel, cutoff, monkeypatch):
    # All pairs by the chord through the earth; two entities stand at one place, two on a pole.
    rng = np.random.default_rng(4)
    degrees = np.column_stack([rng.uniform(-85, 85, 60), rng.uniform(-180, 180, 60)])
    degrees[1], degrees[2:4, 0] = degrees[0], 90.0
    radians, scores = np.radians(degrees), rng.normal(size=(180, 2))
    monkeypatch.setattr(dependence, "CHUNK", 420)
    ours = dependence.conley_meat(scores, np.tile(np.arange(60), 3), radians, cutoff, kernel)
    latitude, longitude = radians.T
    point = np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    chord = np.linalg.norm(point[:, None] - point, axis=2)
    distance = 2 * dependence.EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2, 0, 1))
    weight = np.clip(1 - distance / cutoff, 0, None) if kernel == "bartlett" else 1.0 * (distance <= cutoff)
    np.fill_diagonal(weight, 1.0)
    sums = scores.reshape(3, 60, 2).sum(axis=0)
    assert ours == pytest.approx(sums.T @ weight @ sums, rel=1e-6)


def far_places(entities: pd.Index) -> pd.DataFrame:
    """Points between 20 and 50 degrees north, the first two on either side of equator and date line."""
    rng = np.random.default_rng(9)
    degrees = [np.round(rng.uniform(*ends, len(entities)), 2) for ends in ((20, 50), (80, 130))]
    table = pd.DataFrame({"latitude": degrees[0], "longitude": degrees[1]}, index=entities)
    table.iloc[:2] = [[0.5, 179.9], [-0.5, -179.9]]
    return table


# Firm effects, kernel, cutoff in kilometres: standard errors of value and capital; missing: its variance is negative.
CONLEY = {
    (False, "uniform", 800): [0.01291282589702, 0.06463422272677],
    (False, "uniform", 2500): [0.00121632458537, 0.04432404264637],
    (False, "bartlett", 800): [0.01358448345844, 0.08283834595344],
    (False, "bartlett", 2500): [0.009478271730843, 0.06106692873368],
    (True, "uniform", 800): [np.nan, 0.02406129824999],
    (True, "uniform", 2500): [0.006998802105992, 0.02072247321146],
    (True, "bartlett", 800): [0.01204236025905, 0.04150765835832],
    (True, "bartlett", 2500): [0.007346578789379, 0.02907681849055],
}


@pytest.mark.parametrize(("effects", "kernel", "cutoff"), CONLEY)
def test_conley_on_a_panel_with_gaps_is_that_of_statspai(effects, kernel, cutoff):
    fit = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"], entity_effects=effects)
    coordinates = far_places(gappy_grunfeld().index.unique(0).sort_values())
    options = {"coordinates": coordinates, "cutoff_km": cutoff, "kernel": kernel}
    for name, number in zip(["value", "capital"], CONLEY[effects, kernel, cutoff], strict=True):
        line = standard_error_passport(fit, name, **options).loc["conley"]
        if np.isnan(number):
            assert np.isnan(line["std_error"])
            assert "variance is negative" in line["formula"]
        else:
            source = "StatsPAI: conley, Grunfeld with gaps"
            outside(standard_error_passport, source, line["std_error"], number, rtol=1e-9)


def test_a_missing_coordinate_is_told():
    entities = grunfeld().index.get_level_values(0).unique().sort_values()
    with pytest.raises(StudyError, match="latitude, IBM"):
        standard_error_passport(grunfeld_fit(), "capital", coordinates=places(entities).drop("IBM"), cutoff_km=100)


def test_a_quarter_of_a_meridian_is_ten_thousand_kilometres():
    from helpers.inference.dependence import great_circle_km

    ends = pd.DataFrame({"latitude": [0.0, 90.0], "longitude": [12.0, 12.0]}, index=["equator", "pole"])
    assert great_circle_km(ends, ends.index)[0, 1] == pytest.approx(10_007.6, abs=0.1)


def test_among_very_many_clusters_the_clustered_test_stands_in_for_cr2(monkeypatch):
    fit = grunfeld_fit()
    assert [test.method for test in reduced_tests(fit, ["capital"])] == ["CR2"]
    monkeypatch.setattr(contrast, "MOST_HELD", 100)
    (test,) = reduced_tests(fit, ["capital"])
    assert (test.method, test.df) == ("clustered", 9)
    assert test.std_error == pytest.approx(fit.std_errors["capital"], rel=1e-12)
    assert test.p_value == pytest.approx(fit.p_values["capital"], rel=1e-12)


def test_a_contrast_of_two_regions_is_that_of_separate_regressions():
    # Interacting everything, effects included, gives each region its own regression.
    data = grunfeld()
    east = data.index.get_level_values(0) < "General"
    stacked = data.assign(
        capital_east=data["capital"] * east,
        capital_west=data["capital"] * ~east,
        **{
            f"east_{year}": (east & (data.index.get_level_values(1) == year)).astype(float)
            for year in range(1936, 1955)
        },
    )
    years = [f"east_{year}" for year in range(1936, 1955)]
    fit = fit_panel(stacked, "inv", ["capital_east", "capital_west", *years], **TWO_WAY)
    test = wild_cluster_bootstrap(fit, {"capital_east": 1.0, "capital_west": -1.0})
    apart = [fit_panel(data[rows], "inv", ["capital"], **TWO_WAY).estimates["capital"] for rows in (east, ~east)]
    assert test.estimate == pytest.approx(apart[0] - apart[1], rel=1e-9)
    assert build_design(stacked, "inv", ["capital_east"], **TWO_WAY).n_obs == 200
