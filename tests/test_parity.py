"""The parity page is that of the tests, and a number that is off fails."""

import ast
from pathlib import Path

import pytest

from outside import ROOT, Row, named_on_page, outside, page

HERE = Path(__file__).name


def meeting_outside_numbers() -> set[str]:
    """Every test whose own code calls `outside`, as file::name, read without importing."""
    found = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
            if any(isinstance(called, ast.Name) and called.id == "outside" for called in calls):
                found.add(f"{path.relative_to(ROOT / 'tests').as_posix()}::{node.name}")
    return {name for name in found if not name.startswith(HERE)}


def test_the_page_names_every_test_that_meets_outside_numbers_and_no_other():
    assert named_on_page() == meeting_outside_numbers(), "run: python -m pytest -m outside --parity"


def test_a_number_that_is_off_fails():
    for ours, theirs in ((1.001, 1.0), ([1.0, 2.0], [1.0]), ({"a": 1.0}, {"a": 2.0})):
        with pytest.raises(AssertionError):
            outside("planted", "nobody: planted", ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(("source", "tolerance"), [("nobody", 1e-6), ("nobody: planted", 0.0)])
def test_a_source_without_a_place_or_tolerance_is_refused(source, tolerance):
    with pytest.raises(AssertionError, match="name"):
        outside("planted", source, 1.0, 1.0, rtol=tolerance)


def test_the_page_counts_programs_and_puts_the_parameters_of_a_test_together():
    rows = [
        Row("regression.panel.fit", "Stata: xtreg", "a.py::test_one", 3, "1e-08 relative", 2e-11),
        Row("regression.panel.fit", "Stata: xtreg", "a.py::test_one", 4, "1e-08 relative", 3e-10),
        Row("regression.panel.fit", "written out: dummies", "a.py::test_two", 5, "1e-08 relative", 0.0),
    ]
    text = page(rows)
    assert "7 numbers from 1 programs and papers, and 5 written out." in text
    assert "| `regression.panel.fit` | Stata: xtreg | 7 | 1e-08 relative | 1e-09 | `a.py::test_one` |" in text
