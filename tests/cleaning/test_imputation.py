"""Multiple imputation: Rubin's rules against printed numbers, draws against what they must keep to.

Tolerances: 1e-9 relative where mice and mitools print 15 digits (R 4.2.2, mice 3.15.0 pool.scalar(q, u, n = 31, k = 1) and
mitools 2.4 MIcombine(q, u); given a df of complete data mitools leaves 1 + 1/m out of the share of the variance that is
due to the gaps, which Barnard and Rubin 1999 have in it: left out); for Amos, what rounding its inputs to four decimals can do. Draws are random: limits on them are four standard errors of the simulation wide, and the seed is fixed.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import small_study
from helpers.cleaning import gaps as cleaning
from helpers.cleaning.imputation import Method, impute, pool_estimates
from helpers.errors import StudyError
from helpers.regression.panel import PanelFit, fit_panel
from helpers.results.results import Results
from helpers.robustness import imputed as imputed_fit
from helpers.robustness import shown
from helpers.study.study import MissingRule, Study
from outside import outside

# mice 3.x as stored by rbmi (tests/testthat/helper-mice.R): m = 100 estimates, complete-data df 1, 101, ..., 901, inf.
MICE_ESTIMATE, MICE_TOTAL, MICE_DF_INF = -0.0371910999889995, 101.041208835068, 1301577.44774754
MICE_DF = [
    0.495639147566121,
    98.1863703534555,
    197.263709795315,
    296.344400478387,
    395.414750186449,
    494.471936276293,
    593.515007686017,
    692.543555686203,
    791.557376607822,
    890.556358423296,
]


def spread(m: int, mean: float, variance: float) -> np.ndarray:
    """Estimates with exactly this mean and variance."""
    shape = np.linspace(-1, 1, m)
    return mean + shape * np.sqrt(variance / shape.var(ddof=1))


def mice_parts() -> tuple[np.ndarray, np.ndarray]:
    """Estimates and standard errors with the moments that mice's printed total and df imply."""
    missing = np.sqrt(99 / MICE_DF_INF)
    between = missing * MICE_TOTAL / 1.01
    return spread(100, MICE_ESTIMATE, between), np.full(100, np.sqrt(MICE_TOTAL - 1.01 * between))


@pytest.mark.parametrize(("df", "expected"), list(zip(range(1, 1000, 100), MICE_DF, strict=True)))
def test_degrees_of_freedom_are_those_of_mice(df: int, expected: float) -> None:
    found = pool_estimates(*mice_parts(), df).df
    outside(pool_estimates, "R mice: its tests of barnard.rubin", found, expected, rtol=1e-9)


def test_without_complete_data_df_the_degrees_of_freedom_are_those_of_rubin_1987() -> None:
    found = pool_estimates(*mice_parts()).df
    outside(pool_estimates, "R mice: its tests of barnard.rubin", found, MICE_DF_INF, rtol=1e-9)


def test_total_variance_is_that_of_mice() -> None:
    pooled = pool_estimates(*mice_parts())
    assert (pooled.estimate, pooled.std_error**2) == pytest.approx((MICE_ESTIMATE, MICE_TOTAL), rel=1e-12)


@pytest.mark.parametrize(
    ("df", "source", "numbers"),
    [
        (np.inf, "R mitools: MIcombine", [2.3e6, 784856.674813943, 67.4588444444444, 0.264979837625555]),
        (30.0, "R mice: pool.scalar", [2.3e6, 784856.674813943, 16.1996914081939, 0.322309166988074]),
    ],
)
def test_five_panels_in_a_large_unit_are_pooled_as_other_programs_do(
    df: float, source: str, numbers: list[float]
) -> None:
    found = pool_estimates([2.1e6, 2.5e6, 1.9e6, 2.8e6, 2.2e6], np.sqrt([0.4e12, 0.5e12, 0.45e12, 0.38e12, 0.6e12]), df)
    ours = [found.estimate, found.std_error, found.df, found.missing_information]
    outside(pool_estimates, source, ours, numbers, rtol=1e-9)


def test_worked_example_of_the_amos_guide() -> None:
    # Arbuckle (2012), IBM SPSS Amos 21 User's Guide, example 31: m = 10, U = 0.0233, B = 0.0085, estimate 1.172.
    pooled = pool_estimates(spread(10, 1.172, 0.0085), np.full(10, np.sqrt(0.0233)))
    source = "SPSS Amos: user's guide, example 31"
    outside(pool_estimates, source, [pooled.std_error**2, pooled.std_error], [0.0326, 0.1807], atol=3e-4)
    outside(pool_estimates, source, pooled.statistic, 6.49, atol=1e-2)
    outside(pool_estimates, source, pooled.df, 109, atol=1)


def test_worked_example_of_the_sas_guide() -> None:
    # SAS/STAT 14.1 User's Guide, MIANALYZE, "Combining inferences": m = 5 and r = 10 % give 484 degrees of freedom.
    pooled = pool_estimates(spread(5, 1.0, 0.1 / 1.2), np.ones(5))
    ours = [pooled.relative_increase, pooled.df]
    outside(pool_estimates, "SAS: MIANALYZE, combining inferences", ours, [0.1, 484], rtol=1e-6)


def test_equal_estimates_leave_the_observed_degrees_of_freedom() -> None:
    # The limit that mice's own tests name: df (df + 1) / (df + 3).
    assert pool_estimates([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], 30).df == pytest.approx(30 * 31 / 33)


def test_equal_estimates_and_no_df_are_normal() -> None:
    pooled = pool_estimates([2.0, 2.0], [1.0, 1.0])
    assert (pooled.df, pooled.ci_high) == (np.inf, pytest.approx(2 + 1.959963984540054))


@pytest.mark.parametrize(
    ("estimates", "errors", "df"),
    [
        ([1.0], [1.0], 5),
        ([1.0, 2.0], [1.0], 5),
        ([1.0, np.nan], [1.0, 1.0], 5),
        ([1.0, 2.0], [1.0, 0.0], 5),
        ([1.0, 2.0], [1.0, 1.0], 0),
    ],
)
def test_parts_that_cannot_be_pooled_stop(estimates: list[float], errors: list[float], df: float) -> None:
    with pytest.raises(StudyError):
        pool_estimates(estimates, errors, df)


def draw_panel(rng: np.random.Generator, n_entities: int = 31, n_times: int = 7) -> pd.DataFrame:
    """Outcome y = x + 0.5 z + effects, with x that depends on its entity, and on z."""
    index = pd.MultiIndex.from_product([range(n_entities), range(n_times)], names=["place", "wave"])
    entity = index.get_level_values(0)
    z = rng.normal(size=n_entities)[entity] + rng.normal(size=len(index))
    x = 3 * rng.normal(size=n_entities)[entity] + 0.5 * z + rng.normal(size=len(index))
    y = 3 * rng.normal(size=n_entities)[entity] + x + 0.5 * z + rng.normal(size=len(index))
    return pd.DataFrame({"y": y, "x": x, "z": z}, index=index)


def with_gaps(panel: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The further y is above its entity's mean, the more often x is missing; the first times are whole."""
    above = panel["y"] - panel["y"].groupby(level=0).transform("mean")
    gap = (rng.random(len(panel)) < 1 / (1 + np.exp(1 - 2 * above))) & (panel.index.get_level_values(1) > 0)
    return panel.assign(x=panel["x"].mask(gap))


@pytest.fixture
def gappy() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return with_gaps(draw_panel(rng), rng)


@pytest.mark.parametrize("method", ["normal", "pmm"])
def test_figures_that_are_there_stay(gappy: pd.DataFrame, method: Method) -> None:
    for completed in impute(gappy, ["x"], 2, np.random.default_rng(1), method=method):
        pd.testing.assert_frame_equal(completed.where(gappy.notna()), gappy)
        assert completed.notna().all(axis=None)


def test_the_given_panel_is_not_changed(gappy: pd.DataFrame) -> None:
    before = gappy.copy()
    impute(gappy, ["x"], 2, np.random.default_rng(1))
    pd.testing.assert_frame_equal(gappy, before)


def test_equal_seeds_give_equal_panels(gappy: pd.DataFrame) -> None:
    first, second = (impute(gappy, ["x"], 2, np.random.default_rng(3)) for _ in range(2))
    pd.testing.assert_frame_equal(first[1], second[1])


def test_panels_differ_in_the_gaps(gappy: pd.DataFrame) -> None:
    one, two = impute(gappy, ["x"], 2, np.random.default_rng(3))
    assert (one["x"] != two["x"]).sum() == gappy["x"].isna().sum()


def test_predictive_mean_matching_keeps_to_the_figures(gappy: pd.DataFrame) -> None:
    completed = impute(gappy, ["x"], 2, np.random.default_rng(3), method="pmm")[0]
    assert completed["x"].isin(gappy["x"].dropna()).all()


def test_a_column_that_the_others_determine_is_restored(gappy: pd.DataFrame) -> None:
    exact = gappy.assign(twin=2 * gappy["z"] + gappy.index.get_level_values(1) + 10 * gappy.index.get_level_values(0))
    holes = exact.drop(columns="x").assign(twin=exact["twin"].mask(gappy["x"].isna()))
    completed = impute(holes, ["twin"], 2, np.random.default_rng(3))[0]
    np.testing.assert_allclose(completed["twin"], exact["twin"], atol=1e-6)


def test_draws_have_the_moments_of_the_posterior_predictive() -> None:
    # One gap, no other column: a_i + N(0, sigma^2) is t with n - entities df, centre mean y_i, scale s sqrt(1 + 1/n_i).
    # Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 3.2.
    rng = np.random.default_rng(8)
    index = pd.MultiIndex.from_product([range(6), range(4)], names=["place", "wave"])
    panel = pd.DataFrame({"y": rng.normal(size=24), "flat": 1.0}, index=index)
    panel.loc[(2, 3), "y"] = np.nan
    draws = np.array([one["y"].to_numpy()[11] for one in impute(panel, ["y"], 4000, rng)])
    seen = panel["y"].notna().to_numpy()
    place, wave = (panel.index.get_level_values(level).to_numpy() for level in (0, 1))
    x = np.eye(4)[wave][:, 1:]
    x_means, y_means = (
        np.array([part[seen & (place == one)].mean(axis=0) for one in range(6)]) for part in (x, panel["y"].to_numpy())
    )
    x_within, y_within = (x - x_means[place])[seen], (panel["y"].to_numpy() - y_means[place])[seen]
    slopes, rss, _, _ = np.linalg.lstsq(x_within, y_within, rcond=None)
    # Time dummies take three more degrees of freedom.
    df = 23 - 6 - 3
    shift = x[~seen][0] - x_means[2]
    centre = y_means[2] + shift @ slopes
    scale2 = rss[0] / df * (1 + 1 / 3 + shift @ np.linalg.inv(x_within.T @ x_within) @ shift)
    variance = scale2 * df / (df - 2)
    assert draws.mean() == pytest.approx(centre, abs=4 * np.sqrt(variance / 4000))
    assert draws.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / 4000) * 1.3)


def twoway(panel: pd.DataFrame) -> PanelFit:
    return fit_panel(panel, "y", ["x", "z"], entity_effects=True, time_effects=True)


@pytest.mark.parametrize("method", ["normal", "pmm"])
def test_pooling_removes_the_bias_of_dropped_rows(method: Method) -> None:
    # Known truth 1; the gaps depend on the outcome, so that the rows that are left give a slope that is too small.
    rng = np.random.default_rng(12)
    pooled, dropped = [], []
    for _ in range(60):
        gappy = with_gaps(draw_panel(rng), rng)
        dropped.append(twoway(gappy.dropna()).estimates["x"])
        pooled.append(imputed_fit.fit_imputed(gappy, ["x"], 5, rng, twoway, method=method).pooled["x"].estimate)
    assert np.mean(dropped) < 1 - 4 * np.std(dropped) / np.sqrt(60)
    assert np.mean(pooled) == pytest.approx(1, abs=4 * np.std(pooled) / np.sqrt(60))


@pytest.mark.parametrize(
    ("change", "columns", "told"),
    [
        ({}, ["w"], "no such column"),
        ({"z": np.inf}, ["x"], "no finite number"),
        ({"z": "text"}, ["x"], "no finite number"),
        ({"z": np.nan}, ["x"], "not to be completed"),
    ],
)
def test_a_bad_panel_stops(gappy: pd.DataFrame, change: dict[str, Any], columns: list[str], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        impute(gappy.assign(**change), columns, 2, np.random.default_rng(1))


@pytest.mark.parametrize("level", [0, 1])
def test_an_entity_or_time_without_any_figure_stops(gappy: pd.DataFrame, level: int) -> None:
    holes = gappy.assign(x=gappy["x"].mask(gappy.index.get_level_values(level) == 3))
    with pytest.raises(StudyError, match="no figure at all"):
        impute(holes, ["x"], 2, np.random.default_rng(1))


def test_one_panel_is_not_multiple(gappy: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="two or more panels"):
        impute(gappy, ["x"], 1, np.random.default_rng(1))


def test_too_few_figures_stop() -> None:
    index = pd.MultiIndex.from_product([range(3), range(2)], names=["place", "wave"])
    panel = pd.DataFrame({"y": [1.0, 2, 3, np.nan, 4, 5], "z": [1, 3, 4, 0, 2, 9]}, index=index).astype(float)
    with pytest.raises(StudyError, match="too few"):
        impute(panel, ["y"], 2, np.random.default_rng(1))


def test_rows_without_a_level_are_left_out_and_counted(gappy: pd.DataFrame) -> None:
    holes = gappy.assign(x=gappy["x"].mask(gappy.index.get_level_values(0) == 3))
    found = imputed_fit.fit_imputed(holes, ["x"], 2, np.random.default_rng(1), twoway)
    assert (found.n_left_out, found.n_obs, found.n_complete) == (7, 210, int(holes["x"].notna().sum()))


def test_a_fit_of_a_whole_panel_stops() -> None:
    with pytest.raises(StudyError, match="no figure is missing"):
        imputed_fit.fit_imputed(draw_panel(np.random.default_rng(1)), ["x"], 2, np.random.default_rng(1), twoway)


RULE = {"column": "size", "rule": "multiple_imputation", "m": 5, "reason": small_study.label("not asked")}


def ruled_study(**changes: object) -> Study:
    return Study.model_validate({**small_study.CONTENT, "missing": [RULE], "sample": {"missing": "drop"}, **changes})


@pytest.mark.parametrize("change", [{"m": None}, {"m": 1}, {"rule": "zero"}, {"times": [2001]}, {"entities": ["p01"]}])
def test_a_rule_of_the_wrong_form_stops(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MissingRule.model_validate({**RULE, **change})


def test_the_rule_asks_that_the_main_run_drops_rows() -> None:
    with pytest.raises(ValidationError, match=r"sample\.missing: drop"):
        ruled_study(sample={"missing": "stop"})


def gappy_statistics() -> pd.DataFrame:
    statistics = small_study.make_indicators()
    statistics.loc[[("p03", 2004), ("p07", 2001), ("p08", 2009)], "size"] = np.nan
    return statistics


def test_the_study_is_fitted_on_the_rows_that_the_main_run_drops() -> None:
    found = imputed_fit.fit_imputed_study(gappy_statistics(), ruled_study(), np.random.default_rng(1))
    assert found is not None
    assert (found.n_obs, found.n_complete, found.n_left_out, found.imputed["cells"].to_dict()) == (
        60,
        57,
        0,
        {"size": 3},
    )
    assert found.pooled["dose"].n_imputations == 5


def test_indices_are_made_over_the_completed_rows() -> None:
    # A gap in an indicator, drawn so closely that the index is that of the whole panel.
    statistics = small_study.make_indicators().assign(d2=lambda panel: 3 * panel["d1"] + panel["size"])
    holes = statistics.copy()
    holes.loc[[("p03", 2004), ("p07", 2001)], "d2"] = np.nan
    study = ruled_study(missing=[{**RULE, "column": "d2"}])
    found = imputed_fit.fit_imputed_study(holes, study, np.random.default_rng(1))
    whole = imputed_fit._fit_primary(statistics, study)
    assert found is not None
    assert found.pooled["dose"].estimate == pytest.approx(whole.estimates["dose"], rel=1e-6)
    assert found.pooled["dose"].std_error == pytest.approx(whole.std_errors["dose"], rel=1e-6)


def test_the_pooled_treatment_is_recorded() -> None:
    results = Results("small")
    found = imputed_fit.fit_imputed_study(gappy_statistics(), ruled_study(), np.random.default_rng(1))
    assert shown.record_imputed(results.record, found, "dose") == {
        "pooled": results["robustness.multiple_imputation.dose"]
    }
    assert results["robustness.multiple_imputation.dose"].n_obs == 60
    assert results["robustness.multiple_imputation.rows_added"].value == 3


def test_a_study_without_gaps_is_refused_and_said_to_be_complete() -> None:
    study = small_study.make_study()
    with pytest.raises(StudyError, match="is missing in the model"):
        imputed_fit.fit_imputed_study(small_study.make_indicators(), study, np.random.default_rng(1))
    assert imputed_fit.judge_gaps(study) == "complete"


def test_a_study_that_drops_rows_without_the_rule_is_told_apart() -> None:
    study = ruled_study(missing=[])
    with pytest.raises(StudyError, match="is missing in the model"):
        imputed_fit.fit_imputed_study(gappy_statistics(), study, np.random.default_rng(1))
    assert imputed_fit.judge_gaps(study) == "left_out"


def test_the_main_run_fills_nothing_by_the_rule() -> None:
    study, statistics = ruled_study(), gappy_statistics()
    gaps = cleaning.check_coverage(statistics, study.columns, study.time)
    treated = cleaning.apply_missing_rules(statistics, study.missing, gaps, study.sample.missing)
    assert treated.filled.empty
    pd.testing.assert_frame_equal(treated.panel, statistics)
