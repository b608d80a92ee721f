"""Two run folders side by side: the first cell that left something else is named, with what it left."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helpers.results.results import Results
from helpers.review.twice import list_differences

CELLS = [("cell-01", "one"), ("cell-02", "run.table(rows, 'sizes')"), ("cell-03", "three")]


def write_folder(folder: Path) -> Path:
    cells = [
        {"cell_type": "code", "id": name, "source": [source], "outputs": [{"text": [name]}], "metadata": {}}
        for name, source in CELLS
    ]
    files = {
        "notebooks/01_a.ipynb": json.dumps({"cells": cells}),
        "run/record/01_a.json": json.dumps({"products": {"tables/sizes.csv": ""}}),
        "run/draws/01_a.json": json.dumps({"cell-02": {"noise": "abc"}}),
        "tables/sizes.csv": "place,x\na,1.0\nb,2.0\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    results = Results(study="s", notebook="01_a", where=lambda: ("cell-03", 1))
    results.record("a.b", estimate=0.5)
    results.write(folder / "results.json")
    return folder


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    one = write_folder(tmp_path / "one")
    shutil.copytree(one, tmp_path / "two")
    return one, tmp_path / "two"


def test_equal_folders_have_no_difference(pair):
    assert list(list_differences(*pair)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("results.json", "0.5", "0.25", "01_a cell-03: the recorded number a.b estimate is 0.5, then 0.25"),
        ("tables/sizes.csv", "1.0", "1.5", "01_a cell-02: the table sizes differs"),
        ("tables/sizes.csv", "a,1.0\nb,2.0\n", "b,2.0\na,1.0\n", "01_a cell-02: the rows of the table sizes stand in another order"),
        ("run/draws/01_a.json", "abc", "abd", "01_a cell-02: the random draws of noise differ"),
        ("notebooks/01_a.ipynb", '"text": ["cell-01"]', '"text": ["cell-1"]', "01_a cell-01: what it shows differs"),
    ],
)  # fmt: skip
def test_the_cell_and_what_it_left_are_named(pair, file, old, new, told):
    path = pair[1] / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert list(list_differences(*pair)) == [told]


def test_the_first_cell_comes_first(pair):
    for file, old, new in (("results.json", "0.5", "0.25"), ("tables/sizes.csv", "1.0", "1.5")):
        path = pair[1] / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert [text.split(":")[0] for text in list_differences(*pair)] == ["01_a cell-02", "01_a cell-03"]
