"""What the robustness notebook says of many specifications, few units, omitted variables, instruments and the past.

Numbers from outside: statsmodels' least squares with dummies written out; tolerance 1e-8 for two ways of solving.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers.display.prose import write_sentence
from helpers.identification import dynamic_report, instrument_report
from helpers.identification import shown as omitted_report
from helpers.regression.specification import specify
from helpers.results.results import Results
from helpers.robustness import shown as fragility_report
from toy_study import make_panel, make_study


@pytest.fixture
def results() -> Results:
    return Results(study="toy", notebook="04_robustness")


@pytest.fixture
def panel() -> pd.DataFrame:
    return make_panel(np.random.default_rng(5))


def tell(template: str, results: Results) -> str:
    return repr(write_sentence(template, results, {}))


def test_leaving_out_units_starts_from_the_primary_estimate(panel: pd.DataFrame) -> None:
    found = fragility_report.fit_fragility(panel, make_study(), most=2)
    assert fragility_report.refit_gap(found, panel, make_study()) < 1e-10
    assert len(found.table) == 14 + 91


def test_a_unit_that_carries_the_sign_is_named(results: Results) -> None:
    panel = make_panel(np.random.default_rng(5), effect=0.5)
    own = panel.index.get_level_values(0) == "p03"
    panel["dose"] = panel["dose"].where(~own, 20 * panel["dose"])
    panel["outcome"] = panel["outcome"].where(~own, -panel["dose"])
    found = fragility_report.fit_fragility(panel, make_study(), most=1)
    fragility_report.record_fragility(results, found)
    assert results["robustness.fragility.smallest_set_sign"].value == "p03"
    assert "turns the sign has the size 1: p03" in tell(fragility_report.say_fragility(found), results)


def test_no_set_is_said_in_words(panel: pd.DataFrame, results: Results) -> None:
    found = fragility_report.fit_fragility(panel, make_study(), most=1)
    fragility_report.record_fragility(results, found)
    assert "No such set turns the sign." in tell(fragility_report.say_fragility(found), results)


def test_without_an_index_there_is_no_index_to_derive_anew(panel: pd.DataFrame) -> None:
    assert fragility_report.bootstrap_indices(panel, make_study(), draws=9, rng=np.random.default_rng(1)) is None


def test_an_index_in_a_robustness_row_stands_in_for_the_treatment() -> None:
    rows = {"other": SimpleNamespace(treatment="score", controls=("rain",))}
    study = make_study(indices={"score": object()}, robustness=rows)
    model = fragility_report.index_model(study)
    assert (model.treatment, model.controls) == ("score", ("rain",))


def test_the_lead_is_the_dose_of_the_next_year(panel: pd.DataFrame) -> None:
    fit = omitted_report.fit_lead(panel, make_study())
    assert not isinstance(fit, str)
    rows = panel.assign(lead=panel["dose"].groupby(level=0).shift(-1)).dropna().reset_index()
    formula = "outcome ~ dose + lead + weight + rain + C(place) + C(year)"
    assert fit.estimates["lead"] == pytest.approx(smf.ols(formula, rows).fit().params["lead"], abs=1e-8)


def test_oster_needs_controls(panel: pd.DataFrame, results: Results) -> None:
    study = make_study(ladder={"full": SimpleNamespace(controls=False, effects=("entity", "time"))})
    assert omitted_report.find_oster(panel, study) is None
    assert "has none" in tell(omitted_report.say_oster(None), results)


def test_the_robustness_value_is_said(panel: pd.DataFrame, results: Results) -> None:
    value = omitted_report.find_robustness_value(specify(panel, make_study()).fit(), "dose", 0.05)
    assert "to bring the estimate to zero, and" in tell(omitted_report.record_robustness_value(results, value), results)


def test_permutations_use_the_complete_units(results: Results) -> None:
    panel = make_panel(np.random.default_rng(5), drop=4)
    found = omitted_report.deal_treatment(panel, make_study(), draws=99, rng=np.random.default_rng(1))
    told = tell(omitted_report.record_placebo(results, found, panel, make_study()), results)
    assert told.endswith("probability 0.010 (made on the 10 complete units).")


def test_an_outcome_without_dimensions_gives_a_sentence(panel: pd.DataFrame, results: Results) -> None:
    found = omitted_report.fit_dimensions(panel, make_study(), draws=9, rng=np.random.default_rng(1))
    assert "no family of outcomes" in tell(omitted_report.record_dimensions(results, found, 0.05), results)


def test_a_study_without_instruments_gives_a_sentence(panel: pd.DataFrame, results: Results) -> None:
    found = instrument_report.fit_instruments(panel, make_study(), panel, pd.DataFrame())
    assert "declares no instruments" in tell(instrument_report.say_instruments(found, make_study()), results)


def test_an_instrument_that_cannot_be_built_says_why(panel: pd.DataFrame) -> None:
    declared = SimpleNamespace(kind="leave_one_out_mean", group="coast", label=SimpleNamespace(en="Coast"))
    study = make_study(instruments={"coast": declared})
    units = pd.DataFrame({"region": "a"}, index=panel.index.unique(0))
    assert "no such column" in str(instrument_report.fit_instruments(panel, study, panel, units))


def test_the_past_by_least_squares_is_the_regression_with_the_lag(panel: pd.DataFrame, results: Results) -> None:
    fits = dynamic_report.fit_dynamics(panel, make_study())
    dynamic_report.record_dynamics(results, fits)
    rows = panel.assign(before=panel["outcome"].groupby(level=0).shift(1)).dropna().reset_index()
    formula = "outcome ~ dose + before + weight + rain + C(place) + C(year)"
    expected = smf.ols(formula, rows).fit().params["dose"]
    assert results["robustness.dynamic.within"].estimate == pytest.approx(expected, abs=1e-8)


def test_gmm_finds_the_true_effect(results: Results) -> None:
    panel = make_panel(np.random.default_rng(8), n_entities=150)
    dynamic_report.record_dynamics(results, dynamic_report.fit_dynamics(panel, make_study()))
    found = results["robustness.dynamic.system"]
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < 1.0 < found.ci_high


def test_gmm_that_cannot_be_made_says_why() -> None:
    fits = dynamic_report.fit_dynamics(make_panel(np.random.default_rng(1), n_times=2), make_study())
    assert all(str(fit).startswith("not fitted") for fit in fits.gmm.values())
