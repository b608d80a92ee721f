"""The sentences of notebook 01 that a rule chooses, with planted results on both sides of every condition."""

from types import SimpleNamespace

import pandas as pd
import pytest

from cells import run_cell

NOTEBOOK = "01_data_cleaning"


@pytest.mark.parametrize(
    ("warnings", "told"),
    [(0, "no figure jumps, no period breaks"), (4, "the rows of the tables above are its warnings, 4 in all")],
)
def test_warnings_are_told_or_that_there_is_none(warnings: int, told: str) -> None:
    assert told in run_cell(NOTEBOOK, "data.warnings", kept=SimpleNamespace(n_warnings=warnings))


@pytest.mark.parametrize(("cells", "told"), [(0, "no cell of them is filled"), (3, "filled 3 cells")])
def test_filled_cells_are_told_or_that_there_is_none(cells: int, told: str) -> None:
    names = {"filled": pd.DataFrame({"column": ["x"] * cells}), "choices": SimpleNamespace(columns={"x": 1, "y": 2})}
    sentence = run_cell(NOTEBOOK, "data.cells_filled", **names)
    assert "reads 2 statistics" in sentence
    assert told in sentence


@pytest.mark.parametrize(("dropped", "told"), [(0, "none lacks a figure"), (7, "7 rows of the window lack a figure")])
def test_rows_left_out_are_told_or_that_there_is_none(dropped: int, told: str) -> None:
    rows = pd.MultiIndex.from_product([["a", "b", "c"], [2015, 2016]], names=["place", "year"])
    names = {"panel": pd.DataFrame({"x": range(6)}, index=rows), "choices": SimpleNamespace(index_names=(0, 1))}
    sentence = run_cell(NOTEBOOK, "data.rows_dropped", chosen=SimpleNamespace(dropped=dropped), **names)
    assert "6 rows are analysed: 3 units in 2 periods" in sentence
    assert told in sentence
