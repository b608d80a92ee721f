"""The two faces of a notebook. The percent format is jupytext's, which is the reference here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.errors import StudyError
from helpers.runner.twins import (
    CHECKED_TAG,
    Cell,
    build_notebook,
    build_twin,
    cells_of,
    check_twin,
    read_ipynb,
    read_percent,
    write_percent,
    write_twins,
)

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.py"))
CELLS = (
    Cell("markdown", "# Title\n\nText with `code`."),
    Cell("code", "draws: int = 3", ("parameters",)),
    Cell("code", "for letter in 'ab':\n\n    print(letter)", (CHECKED_TAG, "summary")),
)


@pytest.fixture
def pair(tmp_path):
    script = tmp_path / "01_pair.py"
    script.write_text(write_percent(CELLS))
    write_twins(tmp_path)
    return script


def edit_twin(script, old, new):
    path = script.with_suffix(".ipynb")
    path.write_text(path.read_text().replace(old, new))


def test_cells_survive_writing_and_reading():
    assert read_percent(write_percent(CELLS), "x") == CELLS


def test_cells_survive_the_notebook_format():
    assert cells_of(build_notebook(CELLS)) == CELLS


def test_ids_are_positions():
    assert [cell["id"] for cell in build_notebook(CELLS)["cells"]] == ["cell-01", "cell-02", "cell-03"]


def test_the_same_text_gives_the_same_bytes():
    assert build_twin(CELLS) == build_twin(read_percent(write_percent(CELLS), "x"))


def test_a_twin_is_valid_by_the_notebook_format():
    import nbformat

    nbformat.validate(nbformat.reads(build_twin(CELLS), as_version=4))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_jupytext_reads_the_same_cells(path):
    import jupytext

    theirs = jupytext.read(path, fmt="py:percent").cells
    ours = read_percent(path.read_text(encoding="utf-8"), path.name)
    assert [(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ()))) for cell in theirs] == [
        (cell.type, cell.source, cell.tags) for cell in ours
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebooks_of_the_project_are_in_step_to_the_byte(path):
    cells = check_twin(path)
    stored = path.with_suffix(".ipynb")
    assert stored.read_text(encoding="utf-8") == build_twin(cells, read_ipynb(stored))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n# %%\ny = 1\n", "text before the first cell"),
        ("# %%\n", "a blank cell"),
        ("# %% a title\nx = 1\n", "unknown cell marker"),
        ("# %% [markdown]\nnot a comment\n", "does not begin with '#'"),
        ("", "text before the first cell"),
    ],
)
def test_a_script_of_another_form_is_refused(text, told):
    with pytest.raises(StudyError, match=told):
        read_percent(text, "01_x.py")


def test_only_checked_cells_keep_outputs():
    executed = build_notebook(CELLS)
    for cell in executed["cells"][1:]:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["a\n"]}]
    kept = [bool(cell.get("outputs")) for cell in json.loads(build_twin(CELLS, executed))["cells"]]
    assert kept == [False, False, True]


def test_stored_outputs_are_short_plain_text():
    executed = build_notebook(CELLS)
    data = {"text/plain": "3", "text/html": "<b>3</b>"}
    output = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 7}
    executed["cells"][2]["outputs"] = [output]
    stored = json.loads(build_twin(CELLS, executed))["cells"][2]["outputs"][0]
    assert (stored["data"], stored["execution_count"]) == ({"text/plain": "3"}, 2)


def test_an_edited_script_writes_its_twin(pair):
    pair.write_text(pair.read_text().replace("int = 3", "int = 4"))
    write_twins(pair.parent)
    assert "int = 4" in pair.with_suffix(".ipynb").read_text()


def test_an_edited_twin_writes_its_script(pair):
    edit_twin(pair, "int = 3", "int = 5")
    write_twins(pair.parent)
    assert "int = 5" in pair.read_text()


def test_two_edits_are_not_decided_silently(pair):
    edit_twin(pair, "int = 3", "int = 5")
    pair.write_text(pair.read_text().replace("int = 3", "int = 4"))
    with pytest.raises(StudyError, match="both this file and"):
        write_twins(pair.parent)


@pytest.mark.parametrize(("keep", "value"), [("py", "int = 4"), ("ipynb", "int = 5")])
def test_a_person_may_decide(pair, keep, value):
    edit_twin(pair, "int = 3", "int = 5")
    pair.write_text(pair.read_text().replace("int = 3", "int = 4"))
    write_twins(pair.parent, prefer=keep)
    assert value in pair.read_text()
    assert check_twin(pair)


def test_a_twin_out_of_step_names_the_cell(pair):
    edit_twin(pair, "int = 3", "int = 5")
    with pytest.raises(StudyError, match="from cell 2 on"):
        check_twin(pair)


def test_a_missing_twin_is_told(pair):
    pair.with_suffix(".ipynb").unlink()
    with pytest.raises(StudyError, match="the notebook is missing"):
        check_twin(pair)


def test_blank_cells_at_the_end_of_a_twin_do_not_count(pair):
    path = pair.with_suffix(".ipynb")
    content = json.loads(path.read_text())
    content["cells"].append({"cell_type": "code", "id": "x", "metadata": {}, "outputs": [], "source": []})
    path.write_text(json.dumps(content))
    assert check_twin(pair) == CELLS


def test_twins_in_step_are_left_alone(pair):
    assert write_twins(pair.parent) == []
