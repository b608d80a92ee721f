"""What the robustness notebook says of few units and of the index as an estimate."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.display.prose import write_sentence
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
