"""A grid over the small project: every point once, shared steps once, and what a person is told of a bad file."""

from __future__ import annotations

import csv

import pytest

from helpers.cli import main
from helpers.errors import StudyError
from helpers.review.sweep import SweepFile, change_place, list_points, read_sweep
from helpers.study.arguments import BAD_INPUT, DONE


def test_the_grid_is_every_combination_and_keeps_one_study_file_together():
    sweep = SweepFile(parameters={"a": (1, 2), "b": (True,)}, study_file={"seed": (7, 8)})
    points = list(list_points(sweep))
    assert [(point.places["seed"], point.settings["a"], point.settings["b"]) for point in points] == [
        (7, "1", "true"),
        (7, "2", "true"),
        (8, "1", "true"),
        (8, "2", "true"),
    ]
    assert points[3].label == "seed = 8, a = 2, b = true"


def test_a_place_is_changed_and_the_rest_stays():
    content = {"model": {"significance": 0.05, "controls": ["x"]}, "seed": 1}
    changed = change_place(content, "model.significance", 0.01, "here")
    assert changed == {"model": {"significance": 0.01, "controls": ["x"]}, "seed": 1}
    assert content["model"] == {"significance": 0.05, "controls": ["x"]}
    with pytest.raises(StudyError, match=r"has no place 'model\.signifcance'"):
        change_place(content, "model.signifcance", 0.01, "here")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parameters: {}\n", "nothing to sweep"),
        ("parameters: {a: []}\n", "the grid has 0 points"),
        ("parameters: {a: [" + ", ".join(map(str, range(1001))) + "]}\n", "the grid has 1001 points"),
        ("parametres: {a: [1]}\n", "parametres"),
        ("- 1\n", "."),
    ],
)
def test_a_bad_sweep_file_is_told(tmp_path, text, told):
    (tmp_path / "s.yml").write_text(text)
    with pytest.raises(StudyError, match=told):
        read_sweep(tmp_path / "s.yml")


def test_a_sweep_file_that_is_not_there_is_bad_input(capsys):
    assert main(["sweep", "nosuch.yml"]) == BAD_INPUT
    assert "there is no sweep file here" in capsys.readouterr().err


@pytest.mark.slow("two runs of the small project")
def test_points_run_once_and_what_does_not_change_runs_no_second_time(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STUDY_ROOT", str(finished.root))
    (tmp_path / "s.yml").write_text("parameters: {draws: [3, 4]}\nshow: [second.size, first.units]\n")
    assert main(["sweep", str(tmp_path / "s.yml"), "--out", str(tmp_path / "out"), "--workers", "1"]) == DONE
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "1: draws = 3: 0 tasks ran"  # the study's own run had this value
    assert told[2] == "2: draws = 4: 2 tasks ran"  # the first notebook, whose results stay the same, and the report
    with (tmp_path / "out" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["draws"], row["result"], row["estimate"]) for row in rows] == [
        ("3", "second.size", "15.0000"),
        ("3", "first.units", "31.0000"),
        ("4", "second.size", "15.0000"),
        ("4", "first.units", "31.0000"),
    ]
    assert "second.size" in (tmp_path / "out" / "sweep.html").read_text(encoding="utf-8")


@pytest.mark.slow("two runs of the small project")
def test_a_value_of_the_study_file_makes_a_study_of_its_own(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STUDY_ROOT", str(finished.root))
    before = (finished.root / "data" / "provinces" / "study.yml").read_bytes()
    (tmp_path / "s.yml").write_text("study_file: {seed: [5, 6]}\nshow: [second.size]\n")
    assert main(["sweep", str(tmp_path / "s.yml"), "--out", str(tmp_path / "out"), "--workers", "1"]) == DONE
    with (tmp_path / "out" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["std_error"] for row in rows}) == 2  # the noise is drawn from the seed
    assert (finished.root / "data" / "provinces" / "study.yml").read_bytes() == before
    assert capsys.readouterr().err == ""
