"""What a notebook shows of a part that a study may lack: the part where it is there, and where it is not, that it is not.

No estimator is tested here: the cells run with planted parts, and helpers stand in that make nothing of them.
"""

from __future__ import annotations

import ast
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest

from cells import ROOT, PlantedRun, run_cell
from helpers.errors import StudyError
from helpers.inference.detectable import detectable_effect
from helpers.runner.twins import read_percent
from planted import effect

REFUSAL = StudyError("here", "a rule", "do this")
NOTHING = MagicMock()


def asked(**parts: Any) -> MagicMock:
    """What a study asks, with some parts of it given."""
    return MagicMock(**parts)


def helpers(**found: Any) -> dict[str, Any]:
    """Stand-ins for the modules that the cells call."""
    modules = (
        "shown", "inference_shown", "pictures", "build", "why", "sub_effects", "index_pictures", "index_shown",
        "drawings", "families", "quality", "clear",
    )  # fmt: skip
    return {name: MagicMock(**{f"{call}.return_value": item for call, item in found.items()}) for name in modules}


def pair(notebook: str, cell: str, names: tuple[Any, Any], told: tuple[str, str]) -> list[Any]:
    """The cell with a part and without it."""
    return [
        pytest.param(notebook, cell, one, words, id=f"{notebook[:2]} {cell} {word}")
        for one, words, word in zip(names, told, ("there", "absent"), strict=True)
    ]


FRAME, EMPTY = SimpleNamespace(empty=False), SimpleNamespace(empty=True)
FITTED = MagicMock()
THERE: dict[str, int] = {"one": 1}
PARTS = [
    *pair("04_robustness", "No set that was left out", ({"flipping_table": FRAME, "flips": FRAME},
                                                       {"flipping_table": EMPTY, "flips": EMPTY}),
          ("table: The smallest sets", "No set that was left out changes")),
    *pair("04_robustness", "five intervals", ({"carried": FITTED}, {"carried": REFUSAL}),
          ("table: One estimate, five intervals", "there is no such interval")),
    *pair("04_robustness", "no such picture", ({"carried": MagicMock(**{"fit.regressors": ["x"]})}, {"carried": REFUSAL}),
          ("figure: The estimate in samples", "there is no such picture")),
    *pair("05_mediation", "no such effects", ({"said": THERE}, {"said": {}}),
          ("table: What each channel", "declares no such effects")),
    *pair("05_mediation", "no other measure", ({"other": THERE, "fit_alternatives": THERE}, {"other": {}, "fit_alternatives": {}}),
          ("table: The channel by its other", "names no other measure")),
    *pair("05_mediation", "no two groups", ({"moderations": THERE, "fit_moderations": THERE},
                                            {"moderations": {}, "fit_moderations": {}}),
          ("table: The indirect effect by group", "no two groups to compare")),
    *pair("06_regional_heterogeneity", "names no channel", ({"thresholds": THERE}, {"thresholds": {}}),
          ("table: Threshold of the effect", "the study names no channel")),
    *pair("06_regional_heterogeneity", "there is no threshold", ({"thresholds": FITTED}, {"thresholds": {}}),
          ("figure: Likelihood ratio", "Not shown: there is no threshold")),
    *pair("07_multiverse", "could be estimated.", ({"multiverse": SimpleNamespace(failures=FRAME)},
                                                   {"multiverse": SimpleNamespace(failures=EMPTY)}),
          ("table: What could not be estimated", "Every declared specification could be")),
    *pair("08_identification", "declares no instrument", ({"instrumented": THERE}, {"instrumented": {}}),
          ("table: Why each instrument", "declares no instrument")),
    *pair("08_identification", "no such regression", ({"instrumented": THERE}, {"instrumented": {}}),
          ("table: The primary specification with", "there is no such regression")),
    *pair("08_identification", "estimate when histories", ({"dealt": FITTED}, {"dealt": REFUSAL}),
          ("figure: The estimate when histories", "None")),
    *pair("08_identification", "no index of several", ({"answers": THERE}, {"answers": {}}),
          ("table: The effect on each dimension", "no index of several dimensions")),
    *pair("09_coordination", "declares no map", ({"find_tiles": (1, 2)}, {"find_tiles": None}),
          ("figure: Coupling coordination degree", "declares no map, so that none is drawn")),
    *pair("10_social_quality", "no figures of gaps", ({"gaps": THERE}, {"gaps": {}}),
          ("table: Gaps between town and country", "no figures of gaps")),
    *pair("10_social_quality", "no figures of spending", ({"shift": THERE}, {"shift": {}}),
          ("table: Spending and staff", "no figures of spending and staff")),
    *pair("10_social_quality", "crisis_coefficients", ({"crisis_panel": (1, 2)}, {"asked": asked(crisis=None)}),
          ("table: {outcome}: every coefficient", "declares no crisis")),
    *pair("10_social_quality", "draw_crisis", ({}, {"asked": asked(crisis=None)}),
          ("figure: The outcome by period", "declares no crisis")),
    *pair("10_social_quality", "no figures of firms", ({"vitality": THERE}, {"vitality": {}}),
          ("table: Measures of market and society", "no figures of firms")),
    *pair("10_social_quality", "mean of these columns", ({"indexed": True}, {"indexed": False}),
          ("table: Social quality: indicators", "The mean of these columns stands for social quality")),
    *pair("10_social_quality", "ground_coefficients", ({"ground_panel": (1, 2), "least_lead": (1, 2)}, {"asked": asked(ground=None)}),
          ("table: {outcome}: every coefficient", "declares no factor that is held to come first")),
    *(
        pytest.param("10_social_quality", cell, names, told, id=f"10 {cell} absent")
        for cell, names, told in (
            ("on what is asked here they neither", {"gaps": {}, "moved": []}, "Whether gaps narrow or widen is not asked"),
            ("None of these moves", {"shift": {}}, "A turn from administering to serving is not asked"),
            ("No measure of market", {"vitality": {}}, "Whether market and society come alive is not asked"),
            ("came through a crisis is not asked", {"asked": asked(crisis=None)}, "How units came through a crisis is"),
            ("is the ground is not asked", {"asked": asked(ground=None)}, "Whether social quality is the ground is not"),
        )
    ),
]  # fmt: skip

CALLS = {
    "find_tiles", "flipping_table", "fit_alternatives", "fit_moderations", "crisis_panel", "ground_panel", "least_lead",
}  # fmt: skip
"""What a planted name stands in for: what a helper gives back."""

COMMON: dict[str, Any] = {
    name: MagicMock()
    for name in (
        "asked", "between", "both", "bootstrap_draws", "carried", "choices", "coupled", "crisis", "data", "degree",
        "factors", "fit", "fragility", "gaps", "grounds", "groups", "index", "least", "lively", "model", "panel",
        "samples", "shift", "society", "start_of", "turn", "values", "vitality", "wild_draws",
    )
} | {"level": 0.05, "named": {"index": "I"}, "treatment": "dose", "outcome": "y", "passed": "p"}  # fmt: skip
"""What else the cells name; nothing of it is looked at."""


@pytest.mark.parametrize("notebook, cell, names, told", PARTS)
def test_a_part_is_shown_or_said_to_be_absent(notebook: str, cell: str, names: dict[str, Any], told: str) -> None:
    calls = {name: item for name, item in names.items() if name in CALLS}
    run = PlantedRun(units=NOTHING, regions=NOTHING, read=lambda _: NOTHING)
    given = {"run": run, "StudyError": StudyError, **COMMON, **helpers(**calls)}
    given |= {name: item for name, item in names.items() if name not in CALLS}
    assert told in run_cell(notebook, cell, **given)


@pytest.mark.parametrize("dropped, told", [(0, "none lacks a figure"), (7, "7 rows of the window lack a figure")])
def test_rows_on_disk_that_are_left_out_are_told(dropped: int, told: str) -> None:
    cleaned = SimpleNamespace(n_dropped=dropped, n_rows=6, n_entities=3, n_times=2)
    assert told in run_cell("01_data_cleaning_on_disk", "data.rows_dropped", cleaned=cleaned)


@pytest.mark.parametrize(
    "p_values, told",
    [
        ((0.01, 0.02), "All 2 differences are told from zero"),
        ((0.01, 0.3), "Of 2 differences, 1 are told from zero"),
        ((0.2, 0.3), "one of 2.8016 or more would have been seen"),
    ],
)
def test_differences_on_disk_are_told_with_what_could_have_been_missed(p_values: tuple[float, ...], told: str) -> None:
    gaps = {str(place): effect(1.0, p_value) for place, p_value in enumerate(p_values)}
    names = {"gaps": gaps, "adjusted": np.array(p_values), "level": 0.05, "detectable_effect": detectable_effect}
    assert told in run_cell("06_regional_heterogeneity_on_disk", "told_by_t", **names)


@pytest.mark.parametrize(
    "t, wild, told",
    [(0.01, 0.01, "it differs from zero"), (0.01, 0.06, "cannot be told"), (0.06, 0.01, "one of 2.80 or more")],
)
def test_an_effect_on_disk_is_clear_by_both_tests(t: float, wild: float, told: str) -> None:
    run = PlantedRun()
    run.record("baseline.full.dose.wild", effect(1.0, wild))
    names = {"found": {"dose": effect(1.0, t)}, "drawn": {"full": effect(1.0, wild)}, "primary": "full"}
    given = names | {"detectable_effect": detectable_effect, "term": "dose", "level": 0.05}
    assert told in run_cell("03_baseline_regression_on_disk", "verdicts = {", run=run, **given)


def test_effects_that_few_units_carry_are_counted_or_said_to_be_none() -> None:
    columns = {"three": [0.6, 0.5], "estimate": [1.0, 1.0], "without": [0.5, -0.5]}
    for rows, told in ((columns, "Effects tested: 2. Those of which three units hold more than half of the identifying variation: 1. Those"),
                       ({name: [] for name in columns}, "No effect beside the primary one was tested")):  # fmt: skip
        held = SimpleNamespace(held_effects=lambda _, rows=rows: pd.DataFrame(rows, dtype=float))
        assert told in run_cell("12_synthesis", "leverage.turned", run=PlantedRun(earlier={}), shown=held)


def conditional_cells() -> list[Any]:
    """Every code cell of a notebook that says something and holds a condition."""
    found = []
    for script in sorted((ROOT / "notebooks").glob("*.py")):
        for cell in read_percent(script.read_text(encoding="utf-8"), script.name):
            if cell.type == "code" and "run.say" in cell.source and _is_conditional(cell.source):
                found.append(pytest.param(script.stem, cell.source, id=f"{script.stem[:2]} {cell.source[:30]!r}"))
    return found


def _is_conditional(source: str) -> bool:
    nodes = list(ast.walk(ast.parse(source)))
    chosen = any(isinstance(node, ast.Subscript) and isinstance(node.value, ast.Dict) for node in nodes)
    return chosen or any(isinstance(node, ast.IfExp | ast.If) for node in nodes)


@cache
def cells_tested(notebook: str) -> frozenset[str]:
    """The texts by which tests know a cell of a notebook."""
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    trees = [ast.parse(text) for text in files if f'"{notebook}"' in text and "run_cell" in text]
    texts = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(text for text in texts if isinstance(text, str) and len(text) > 6)


@pytest.mark.parametrize("notebook, source", conditional_cells())
def test_every_sentence_of_a_rule_has_a_test(notebook: str, source: str) -> None:
    assert any(text in source for text in cells_tested(notebook)), "plant results on both sides of its condition"
