"""What notebook 04 says of few units, missing figures and the index as an estimate, on both sides of each condition."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.errors import StudyError
from helpers.regression.panel import fit
from helpers.results.estimate import Estimate
from helpers.robustness import shown
from helpers.robustness.fragility import FragilityMap
from helpers.study.model import Model
from toy_study import make_panel, make_study

NOTEBOOK = "04_robustness"
REFUSAL = StudyError("here", "a rule", "do this")


@pytest.fixture
def panel() -> pd.DataFrame:
    return make_panel(np.random.default_rng(5))


def test_leaving_out_units_starts_from_the_primary_estimate(panel: pd.DataFrame) -> None:
    found = shown.fit_fragility(panel, make_study(), most=2)
    assert shown.refit_gap(found, fit(panel, Model("outcome", "dose", ("weight", "rain")))) < 1e-10
    assert len(found.table) == 14 + 91


def test_a_set_is_listed_where_no_part_of_it_does_the_same() -> None:
    sets = (("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"))
    table = pd.DataFrame(
        {
            "left_out": [" + ".join(left) for left in sets],
            "size": [len(left) for left in sets],
            "estimate": 0.1,
            "std_error": 0.1,
            "p_value": [0.4, 0.4, 0.4, 0.4, 0.01, 0.02],
            "flips_sign": [True, False, False, True, True, False],
            "flips_verdict": [False, False, False, False, True, True],
        }
    )
    found = FragilityMap(table, sets, -0.1, 0.4, 0.05)
    # a + b turns the sign as a does alone; a + c changes the verdict, which neither does.
    assert list(shown.flipping_table(found).index) == ["a", "a + c", "b + c"]


def carried_by_one() -> pd.DataFrame:
    """A panel in which one unit turns the sign."""
    panel = make_panel(np.random.default_rng(5), effect=0.5)
    own = panel.index.get_level_values(0) == "p03"
    panel["dose"] = panel["dose"].where(~own, 20 * panel["dose"])
    return panel.assign(outcome=panel["outcome"].where(~own, -panel["dose"]))


@pytest.mark.parametrize("kind, words", [("sign", "turns the sign"), ("verdict", "changes the verdict")])
def test_the_smallest_set_is_named_or_said_not_to_be(panel: pd.DataFrame, kind: str, words: str) -> None:
    run = PlantedRun()
    none = shown.fit_fragility(panel, make_study(), most=1)
    shown.record_fragility(run.record, none)
    told = run_cell(NOTEBOOK, f"smallest_set_{kind}", run=run, fragility=none, refitted="")
    assert told == f"None of 14 sets of units, 1 at most in each, {words} when it is left out."


@pytest.mark.parametrize(
    "indexed, told", [(True, "(fitted again with the indices derived anew: "), (False, "(fitted again: ")]
)
@pytest.mark.parametrize("p_value, words", [(0.04, "Of 14 sets"), (0.05, "The estimate with all units cannot be told")])
def test_a_unit_that_carries_the_sign_is_named(indexed: bool, told: str, p_value: float, words: str) -> None:
    run = PlantedRun()
    found = shown.fit_fragility(carried_by_one(), make_study(), most=1)
    shown.record_fragility(run.record, found)
    names = {"fit": {"dose": SimpleNamespace(p_value=p_value)}, "model": SimpleNamespace(treatment="dose")}
    names["choices"] = SimpleNamespace(specification=SimpleNamespace(significance=0.05))
    said = run_cell(NOTEBOOK, "refitted = ", "smallest_set_sign", run=run, fragility=found, indexed=indexed, **names)
    assert f"when it is left out has the size 1: p03 {told}" in said
    assert said.startswith(words)


@pytest.mark.parametrize(
    "columns, told",
    [(("dose", "score"), "Without one unit, and the indices as they were"), (("dose",), "Without one unit the")],
)
def test_the_range_without_one_unit_speaks_of_indices_where_the_model_has_some(
    columns: tuple[str, ...], told: str
) -> None:
    run = PlantedRun()
    run.record("robustness.leave_one_out.smallest", Estimate(estimate=0.1))
    run.record("robustness.leave_one_out.largest", Estimate(estimate=0.2))
    stands = {
        "data": None,
        "model": SimpleNamespace(columns=columns),
        "choices": SimpleNamespace(indices={"score": None}),
    }
    made = {name: MagicMock(**{"record_range.return_value": ("p01", "p02")}) for name in ("panel", "changes", "shown")}
    said = run_cell(NOTEBOOK, "indexed = ", "(without unit {low})", run=run, **stands, **made)
    assert said.startswith(told)
    assert said.endswith("0.1000 (without unit p01) and 0.2000 (without unit p02).")


def test_a_set_that_changes_the_verdict_is_named() -> None:
    run = PlantedRun()
    run.record("robustness.fragility.refits", value=105)
    run.record("robustness.fragility.most", value=2)
    key = "robustness.fragility.smallest_set_verdict"
    run.record(key, value="p01 + p02")
    run.record(f"{key}.size", value=2)
    run.record(f"{key}.refit", Estimate(estimate=0.2, p_value=0.03))
    told = run_cell(
        NOTEBOOK,
        "smallest_set_verdict",
        run=run,
        fragility=SimpleNamespace(smallest_verdict=("p01", "p02")),
        refitted="fitted again",
    )
    assert told.endswith("has the size 2: p01 + p02 (fitted again: 0.2000, p = 0.030 by the clustered t test).")


@pytest.mark.parametrize(
    "completed, gaps, told",
    [
        (REFUSAL, "left_out", "declares no multiple imputation"),
        (REFUSAL, "complete", "nothing to impute"),
        (None, "", "the pooled effect is 0.2000 [0.1000, 0.3000], p = 0.030, and 12.0% of the information"),
    ],
)
def test_missing_figures_are_said(completed: Any, gaps: str, told: str) -> None:
    run, key = PlantedRun(), "robustness.multiple_imputation"
    for name, value in (
        ("cells", 3),
        ("panels", 5),
        ("rows_added", 3),
        ("rows_left_out", 0),
        ("missing_information", 0.12),
    ):
        run.record(f"{key}.{name}", value=value)
    pooled = run.record(f"{key}.dose", Estimate(estimate=0.2, p_value=0.03, ci_low=0.1, ci_high=0.3))
    imputed = SimpleNamespace(judge_gaps=lambda _: gaps)
    names = {"completed": completed, "imputed": imputed, "choices": None, "words": {"pooled": pooled}}
    assert told in run_cell(NOTEBOOK, "rows_left_out", run=run, StudyError=StudyError, **names)


@pytest.mark.parametrize(
    "carried, told",
    [
        (REFUSAL, "No index stands in a declared regression"),
        ("dose", "With the indices derived anew in each sample the estimate 0.2000"),
        ("score", "With Score in the treatment's place and the indices derived anew"),
    ],
)
def test_the_index_is_compared_with_both_standard_errors(carried: Any, told: str) -> None:
    run, words = PlantedRun(), {}
    anew = Estimate(estimate=0.2, std_error=0.3, p_value=0.5, ci_low=-0.4, ci_high=0.8)
    if carried is not REFUSAL:
        words = {"anew": run.record("a.b", anew), "instead": SimpleNamespace(en="Score", zh="得分")}
        words |= {
            name: run.record(f"a.{name}", value=value, digits=2) for name, value in (("ratio", 0.79), ("usual", 1.42))
        }
        words["failed"] = run.record("a.failed", value=0)
        carried = SimpleNamespace(fit=SimpleNamespace(regressors=(carried,)))
    names = {"carried": carried, "words": words, "model": Model("outcome", "dose")}
    text = run_cell(NOTEBOOK, "usual clustered one", run=run, StudyError=StudyError, **names)
    assert told in text
    if words:
        assert (
            "0.79 times that of the same bootstrap with the indices as given, and 1.42 times the usual clustered one"
            in text
        )


def test_without_an_index_there_is_no_index_to_derive_anew(panel: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="no declared regression holds an index"):
        shown.bootstrap_indices(panel, make_study(), draws=9, rng=np.random.default_rng(1))


def test_an_index_in_a_robustness_row_stands_in_for_the_treatment() -> None:
    rows = {"other": SimpleNamespace(treatment="score", controls=("rain",))}
    model = shown.index_model(make_study(indices={"score": object()}, robustness=rows))
    assert (model.treatment, model.controls) == ("score", ("rain",))
