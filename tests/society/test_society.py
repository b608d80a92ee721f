"""Services, families of outcomes, the crisis, and government against social quality.

Outside: statsmodels on dummies for the speed of convergence and for the crisis; scipy for the trend gaps; Holm's p by
statsmodels. Same formulas, 1e-8 (pseudo-inverse of the dummies).
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from helpers.errors import StudyError
from helpers.regression.panel import fit
from helpers.society import equality, families, quality, shown
from helpers.study.model import Model
from helpers.study.texts import Contrast, Crisis, Family
from outside import outside

MODEL = Model("y", "d", ("x",))
YEARS = list(range(2015, 2022))


def make_panel(n: int = 15, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(n)], YEARS], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(n * 7, 6)), index, ["d", "x", "y", "f1", "f2", "f3"])
    return data.assign(p=np.exp(0.3 * data["y"] + 0.1 * data["d"]))


def dummies_of(data: pd.DataFrame, *, entity: bool) -> pd.DataFrame:
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    years = pd.get_dummies(times, prefix="t").set_axis(data.index)
    return pd.concat([pd.get_dummies(units).set_axis(data.index), years.iloc[:, 1:]], axis=1) if entity else years


@pytest.mark.outside
def test_speed_is_the_product_in_the_regression_of_growth():
    data = make_panel()
    rows = equality.speed_panel(data, "p", MODEL, YEARS)
    assert len(rows) == 15 * 6
    before = data.groupby(level=0).shift()
    growth = np.log(data["p"]) - np.log(before["p"])
    kept = growth.dropna().index
    level = np.log(before["p"]).loc[kept]
    level = level - level.mean()
    treatment = before["d"].loc[kept]
    treatment = (treatment - treatment.mean()) / treatment.std()
    for name, reading in equality.speed_models(MODEL).items():
        columns = {"speed": level * treatment, "level": level, "d": treatment}
        if name != "absolute":
            columns["x"] = before["x"].loc[kept]
        x = pd.concat([pd.DataFrame(columns), dummies_of(rows, entity=name == "own_path")], axis=1).astype(float)
        theirs = sm.OLS(growth.loc[kept], x).fit().params["speed"]
        ours = fit(rows, reading).estimates["speed"]
        outside(equality.speed_panel, "statsmodels: OLS on dummies", ours, theirs, rtol=1e-8)


def test_the_first_reading_holds_units_against_each_other():
    readings = equality.speed_models(MODEL)
    assert list(readings) == ["absolute", "conditional", "own_path"]
    assert readings["absolute"].effects == ("time",)
    assert readings["own_path"].effects == ("entity", "time")


def test_years_between_waves_divide_the_growth():
    data = make_panel()
    waves = [2015, 2016, 2018, 2021]
    rows = equality.speed_panel(data[data.index.get_level_values(1).isin(waves)], "p", MODEL, waves)
    logs = np.log(data["p"]).to_dict()
    assert rows["growth_of_column"].to_dict()["u00", 2021] == pytest.approx((logs["u00", 2021] - logs["u00", 2018]) / 3)


def test_a_column_without_logarithm_is_refused_by_its_row():
    data = make_panel()
    data.loc[("u01", 2016), "p"] = 0.0
    with pytest.raises(StudyError, match="u01, 2016"):
        equality.speed_panel(data, "p", MODEL, YEARS)


def test_a_family_has_its_own_times_treatment_and_logarithms():
    data = make_panel()
    asked = Family(outcomes=("p", "f1"), treatment="x", last=2019)
    questions = families.family_questions(data, MODEL, asked)
    assert questions["p"].model.regressors == ("x",) or questions["p"].model.treatment == "x"
    assert questions["p"].data.index.get_level_values(1).max() == 2019
    logs = families.family_questions(data, MODEL, Family(outcomes=("p",), log=True))["p"].data["p"]
    assert np.allclose(logs, np.log(data["p"]))
    assert families.family_keys("gaps", asked, MODEL) == {"p": "gaps.p.x", "f1": "gaps.f1.x"}
    with pytest.raises(StudyError, match="no logarithm"):
        families.family_questions(data, MODEL, Family(outcomes=("f1",), log=True))


def test_times_outside_the_data_are_refused():
    with pytest.raises(StudyError, match="the data run from 2015 to 2021"):
        families.limit_times(make_panel(), Family(outcomes=("p",), first=2030))


def test_a_contrast_is_the_difference_of_mean_z_scores():
    data = make_panel()
    words = {"en": "c", "zh": "c"}
    contrast = Contrast.model_validate({"label": words, "plus": ["f1", "f2"], "minus": ["f3"]})
    z = (data - data.mean()) / data.std()
    assert np.allclose(families.contrast_of(data, contrast), (z["f1"] + z["f2"]) / 2 - z["f3"])
    with pytest.raises(StudyError, match="does not vary"):
        families.contrast_of(data.assign(f3=1.0), contrast)


@pytest.mark.outside
def test_the_crisis_is_a_slope_on_the_level_before():
    data = make_panel()
    rows, course = families.crisis_panel(data, MODEL, Crisis(outcome="y", level=2019, times=(2020, 2021)))
    assert course.regressors == ("in_2020", "in_2021")
    level = data["d"].xs(2019, level=1)
    z = ((level - level.mean()) / level.std()).reindex(data.index.get_level_values(0)).to_numpy()
    times = data.index.get_level_values(1)
    x = pd.DataFrame({"a": z * (times == 2020), "b": z * (times == 2021)}, data.index)
    theirs = (
        sm.OLS(data["y"], pd.concat([x, dummies_of(data, entity=True)], axis=1).astype(float)).fit().params[["a", "b"]]
    )
    ours = fit(rows, course).estimates.to_numpy()
    outside(families.crisis_panel, "statsmodels: OLS on dummies", ours, theirs.to_numpy(), rtol=1e-8)
    with pytest.raises(StudyError, match="time 2030"):
        families.crisis_panel(data, MODEL, Crisis(outcome="y", level=2019, times=(2030,)))


def test_the_gap_of_two_qualities_is_an_outcome_whose_coefficient_is_the_difference():
    data = make_panel()
    data.loc[data.index.get_level_values(1) > 2019, "f1"] = np.nan
    both = quality.compare_qualities(data, "y", "f1")
    assert len(both) == 15 * 5
    one, other, gap = (fit(both, MODEL.with_(outcome=name)).estimates["d"] for name in ("government", "social", "gap"))
    assert gap == pytest.approx(one - other, abs=1e-12)
    assert both["government"].std() == pytest.approx(1)
    with pytest.raises(StudyError, match="no row has both"):
        quality.compare_qualities(data.assign(f1=np.nan), "y", "f1")


@pytest.mark.outside
def test_trend_gaps_are_t_tests_over_units_with_holms_p_values():
    data = make_panel()
    found = quality.trend_gaps(data, "y", ["f1", "f2", "f3"])
    wide = {name: data[name].unstack() for name in ("y", "f1", "f2", "f3")}
    change = {name: (table[2021] - table[2015]) / table[2015].std() for name, table in wide.items()}
    theirs = {name: stats.ttest_1samp(change["y"] - change[name], 0) for name in ("f1", "f2", "f3")}
    source = "scipy: ttest_1samp"
    outside(
        quality.trend_gaps,
        source,
        [f.statistic for f in found.values()],
        [t.statistic for t in theirs.values()],
        rtol=1e-9,
    )
    holms = multipletests([t.pvalue for t in theirs.values()], method="holm")[1]
    outside(
        quality.trend_gaps, "statsmodels: multipletests, holm", [f.p_value for f in found.values()], holms, rtol=1e-9
    )


def test_the_ground_is_a_time_earlier_and_the_least_lead_decides():
    data = make_panel()
    rows, base = quality.ground_panel(data, MODEL, ["f1", "f2", "f3"], YEARS)
    assert (len(rows), base.outcome, base.regressors) == (15 * 6, "d", ("f1", "f2", "f3", "x"))
    assert abs(rows[["d", "f1", "f2", "f3"]].std() - 1).max() < 1e-12
    shifted = data["f1"].groupby(level=0).shift().dropna()
    assert np.allclose(np.corrcoef(rows["f1"], shifted)[0, 1], 1)
    found = fit(rows, base)
    least, leads = quality.least_lead(found, "f1", ["f2", "f3"])
    assert least.statistic == min(item.statistic for item in leads.values())
    assert leads["f2"].estimate == pytest.approx(found.estimates["f1"] - found.estimates["f2"])


@pytest.mark.outside
def test_a_difference_of_two_factors_has_the_error_of_statsmodels_up_to_the_one_factor():
    data = make_panel()
    rows, base = quality.ground_panel(data, MODEL, ["f1", "f2", "f3"], YEARS)
    ours = fit(rows, base)
    _, leads = quality.least_lead(ours, "f1", ["f2", "f3"])
    x = pd.concat([rows[list(base.regressors)], dummies_of(rows, entity=True)], axis=1).astype(float)
    groups = pd.factorize(rows.index.get_level_values(0))[0]
    theirs = sm.OLS(rows["d"], x).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    weights = np.zeros(x.shape[1])
    weights[[0, 1]] = 1, -1
    factor = (ours.std_errors / theirs.bse[list(base.regressors)]).to_numpy()
    expected = theirs.t_test(weights).sd[0, 0] * factor[0]
    outside(quality.least_lead, "statsmodels: t_test, clustered", leads["f2"].std_error, expected, rtol=1e-7)


def test_both_sides_of_a_family_are_told_apart():
    from planted import clear_family

    found = clear_family(up=(0.4, 0.01), down=(-0.4, 0.01), still=(0.4, 0.2))
    assert shown.count_sides(found, 0.05) == (["up"], ["down"])


def test_equality_says_what_one_column_does():
    values = make_panel()["p"]
    found = shown.equality(values, draws=99, rng=np.random.default_rng(1))
    table = shown.equality_table({"p": found})
    assert list(found) == ["sigma", "beta", "gini_change"]
    assert table.loc["p", "gini_change"] == found["gini_change"].estimate


def test_an_index_that_is_none_has_no_equal_weights():
    with pytest.raises(StudyError, match="it is no index"):
        shown.equal_weighted(make_panel(), SimpleNamespace(indices={}), "p")  # type: ignore[arg-type]
