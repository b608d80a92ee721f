"""The chain behind a number, and what hangs on a part of the project; the small project's own code is the truth."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest

from helpers.cli import main
from helpers.review.slices import find_writer, slice_cell
from helpers.runner.sources import read_sources
from helpers.study.arguments import BAD_INPUT, DONE


@pytest.fixture(autouse=True)
def _here(finished, monkeypatch):
    monkeypatch.setenv("STUDY_ROOT", str(finished.root))


def test_a_cell_rests_on_the_cells_that_made_its_names_and_no_others(finished):
    first, second = read_sources(finished.root / "notebooks")
    piece = slice_cell(second, "cell-04")
    assert piece.cells == ("cell-01", "cell-02", "cell-03", "cell-04")
    assert (piece.tables, piece.modules) == (("sizes",), ("helpers.notebook.open_run",))
    units = slice_cell(first, "cell-04")
    assert "helpers.shared.double" in units.modules
    assert "helpers.shared.double" not in slice_cell(first, "cell-05").modules
    writer = find_writer([first, second], "sizes")
    assert writer is not None
    assert (writer[0].name, writer[1]) == ("01_first", "cell-04")


def test_why_goes_through_the_table_to_the_raw_file_with_its_checksum(finished, capsys):
    assert main(["why", "second.size"]) == DONE
    told = capsys.readouterr().out
    assert "second.size = 15.0000" in told
    assert "made in 02_second, cell-01, cell-02, cell-03, cell-04\n    reads the tables sizes" in told
    assert "made in 01_first, cell-01, cell-02, cell-03, cell-04\n" in told
    file = finished.root / "data" / "provinces" / "raw" / "gdp.csv"
    assert f"gdp: raw/gdp.csv, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}; SOURCES.md line" in told


@pytest.mark.parametrize(
    ("name", "kind", "tasks", "keys"),
    [
        ("gdp.csv", "raw file raw/gdp.csv", "01_first, 02_second, report", {"first.level", "first.units", "second.size"}),
        ("gdp", "statistic gdp", "01_first, 02_second, report", {"first.level", "first.units", "second.size"}),
        ("draws", "parameter draws", "01_first, 02_second, report", set()),
        ("helpers.shared", "helper module helpers.shared", "01_first, 02_second, report", {"second.size"}),
        ("shared", "helper module helpers.shared", "01_first, 02_second, report", {"second.size"}),
        ("reading/units", "helper module helpers.reading.units", "01_first, 02_second, report", {"first.level", "first.units", "second.size"}),
        ("crude_divorce_rate", "statistic crude_divorce_rate", "01_first, 02_second, report", set()),
    ],
)  # fmt: skip
def test_impact_names_what_runs_anew_and_which_numbers_hang_on_a_part(name, kind, tasks, keys, capsys):
    assert main(["impact", name]) == DONE
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == [kind, f"  would be run anew: {tasks}"]
    start = told.index(f"  {len(keys)} numbers hang on it")
    assert {line.strip() for line in told[start + 1 : start + 1 + len(keys)]} == keys


def test_why_and_impact_read_the_notebooks_that_were_run(finished, tmp_path, capsys):
    """Those of another folder, as the record of that run names them; the project's own have other cells."""
    theirs, folder = tmp_path / "theirs", tmp_path / "run"
    shutil.copytree(finished.root / "notebooks", theirs)
    shutil.copytree(finished.root / "reports" / "provinces", folder)
    for suffix in ("py", "ipynb"):
        (theirs / f"02_second.{suffix}").rename(theirs / f"02_other.{suffix}")
    for path in (folder / "run" / "record").glob("0*.json"):
        own = os.path.relpath(theirs, finished.root)
        path.write_text(path.read_text().replace('"notebooks/0', f'"{own}/0').replace("02_second", "02_other"))
    (folder / "run" / "record" / "02_second.json").rename(folder / "run" / "record" / "02_other.json")
    results = folder / "results.json"
    content = json.loads(results.read_text().replace("02_second", "02_other"))
    results.write_text(json.dumps({name: part for name, part in content.items() if name != "seals"}))
    assert main(["why", "second.size", "--run", str(folder)]) == DONE
    assert "made in 02_other, cell-01" in capsys.readouterr().out
    assert main(["impact", "gdp", "--run", str(folder)]) == DONE
    assert "would be run anew: 01_first, 02_other, report" in capsys.readouterr().out
    results.write_text(results.read_text().replace('"study": "provinces"', '"study": "countries"'))
    assert main(["why", "second.size", "--run", str(folder)]) == BAD_INPUT
    assert "these are numbers of the study countries" in capsys.readouterr().err


def test_the_sentence_that_prints_a_number_hangs_on_it(capsys):
    main(["impact", "helpers.shared"])
    assert "The size is 15.0000 over 31 units." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["why", "second.siz"], "did you mean 'second.size'?"),
        (["impact", "gdpp"], "did you mean 'gdp'?"),
        (["why", "second.size", "--study", "nosuch"], "there is no study file here"),
    ],
)
def test_a_name_that_is_not_there_is_bad_input_with_the_nearest_one(arguments, told, capsys):
    assert main(arguments) == BAD_INPUT
    error = capsys.readouterr().err
    assert told in error
    assert "What to do:" in error
