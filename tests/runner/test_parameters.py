"""Typed parameters: what papermill lets through in silence stops here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from helpers.errors import StudyError
from helpers.runner import plan
from helpers.runner.parameters import Parameter, assign_parameters, check_value, read_parameters, read_text
from helpers.runner.twins import Cell


def declare(source):
    return read_parameters([Cell("code", source, ("parameters",))], "01_x.py")


def test_a_type_comes_from_the_annotation():
    assert declare("share: float = 1")["share"] == Parameter("share", "float", 1.0)


def test_a_type_comes_from_the_default_without_annotation():
    assert declare("label = 'a'")["label"].type == "str"


def test_a_list_has_a_type_of_its_items():
    assert declare("years: list[int] = [2015]")["years"] == Parameter("years", "list[int]", [2015])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("draws: int = 'three'", "declared as int"),
        ("draws: Path = 3", "has the type Path"),
        ("draws: int", "not an assignment"),
        ("a = b = 1", "not an assignment"),
        ("import os", "not an assignment"),
        ("draws: int = len('a')", "not a plain value"),
        ("draws: int =", "not Python"),
    ],
)
def test_a_parameters_cell_of_another_form_is_refused(source, told):
    with pytest.raises(StudyError, match=told):
        declare(source)


@pytest.mark.parametrize("cells", [[], [Cell("code", "a = 1", ("parameters",))] * 2])
def test_exactly_one_cell_declares(cells):
    with pytest.raises(StudyError, match="tagged 'parameters'"):
        read_parameters(cells, "01_x.py")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "False", False),
        ("int", "-12", -12),
        ("int", "0", 0),
        ("float", "3", 3.0),
        ("float", "1e-3", 0.001),
        ("str", "true", "true"),
        ("str", "010", "010"),
        ("list[int]", "[1, 2]", [1, 2]),
        ("list[float]", "[1, 2.5]", [1.0, 2.5]),
        ("list[str]", '["a"]', ["a"]),
    ],
)
def test_text_becomes_a_value_of_the_declared_type(kind, text, value):
    read = read_text(Parameter("x", kind, None), text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("bool", "1"),
        ("bool", "yes"),
        ("int", "010"),
        ("int", "1.0"),
        ("int", "true"),
        ("int", "1_000"),
        ("int", ""),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e999"),
        ("float", "one"),
        ("list[int]", "1, 2"),
        ("list[int]", "[1, true]"),
        ("list[int]", "[1.5]"),
        ("list[str]", "[1]"),
    ],
)
def test_text_of_another_type_is_refused(kind, text):
    with pytest.raises(StudyError, match="is declared as"):
        read_text(Parameter("x", kind, None), text)


def test_a_truth_value_is_no_number():
    with pytest.raises(StudyError, match="declared as int"):
        check_value(Parameter("x", "int", 0), True, "the preset")


def test_an_unknown_name_is_told_with_the_declared_ones():
    with pytest.raises(StudyError, match=r"did you mean 'draws'\? declared are draws, label"):
        assign_parameters({"01_x": declare("draws = 1\nlabel = 'a'")}, {}, {"drawz": "3"})


def test_a_preset_may_not_name_what_no_notebook_declares():
    with pytest.raises(StudyError, match=r"the preset, draws: no notebook declares"):
        assign_parameters({"01_x": declare("label = 'a'")}, {"draws": 3}, {})


@pytest.mark.parametrize("name", ["study", "run_folder", "out"])
def test_the_runner_keeps_its_own_names(name):
    with pytest.raises(StudyError, match="no notebook declares"):
        assign_parameters({"01_x": declare(f"{name}: str = ''\ndraws = 1")}, {}, {name: "x"})


def test_a_notebook_gets_what_it_declares_and_no_more():
    declared = {"01_x": declare("draws = 1"), "02_y": declare("draws = 1\nlabel = 'a'")}
    assert assign_parameters(declared, {"draws": 5}, {"label": "b"}) == {
        "01_x": {"draws": 5},
        "02_y": {"draws": 5, "label": "b"},
    }


def test_what_a_person_sets_goes_before_the_preset():
    assert assign_parameters({"01_x": declare("draws = 1")}, {"draws": 5}, {"draws": "7"}) == {"01_x": {"draws": 7}}


def test_a_preset_may_name_a_parameter_of_a_notebook_that_the_study_cannot_run() -> None:
    request: Any = SimpleNamespace(preset={"draws": 9, "index_draws": 99, "mistyped": 1})
    made: list[Any] = [SimpleNamespace(parameters={name: 0}) for name in ("draws", "index_draws")]
    kept, left_out = made
    assert plan._preset_of([kept, left_out], [kept], request) == {"draws": 9, "mistyped": 1}
