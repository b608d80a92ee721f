"""Two sides of the small project, compared by the command that a person types."""

from __future__ import annotations

import json

import pytest

from helpers.cli import main
from helpers.review.diff import _settings
from helpers.study.arguments import BAD_INPUT, FAILED


@pytest.fixture(autouse=True)
def _here(finished, monkeypatch):
    monkeypatch.setenv("STUDY_ROOT", str(finished.root))


@pytest.mark.slow("three runs of the small project")
def test_a_flipped_sign_is_the_first_cause_and_its_file_is_named(finished, tmp_path, capsys):
    finished.edit("src/helpers/shared.py", "[2 * number", "[-2 * number")
    finished.edit("data/provinces/study.yml", "seed: ", "seed: 1")
    try:
        assert main(["diff", "HEAD", ".", "--out", str(tmp_path)]) == FAILED
    finally:
        finished.git("checkout", "--", "src", "data")
    told = capsys.readouterr().out
    assert "cause 1: code: src/helpers/shared.py (swapped alone, it moves" in told
    assert "cause 2: study file: data/provinces/study.yml (swapped alone, it moves 0%" in told
    assert "second.size estimate (02_second cell-04): 15.0 -> -15.0" in told
    record = json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))
    assert {item["row"] for item in record["flips"]} >= {"second.size", "a", "b", "c"}
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert "src/helpers/shared.py" in page
    assert "-15.0" in page


@pytest.mark.parametrize("side", ["nosuch", "HEAD~99", "no=where=", "a/b"])
def test_a_side_that_is_nothing_is_bad_input(side, tmp_path, capsys):
    assert main(["diff", "HEAD", side, "--out", str(tmp_path / "out")]) == BAD_INPUT
    assert "What to do:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("draws=2", ("--set", "draws=2")),
        ("preset=quick,draws=2", ("--preset", "quick", "--set", "draws=2")),
        ("HEAD", ()),
        ("a=1,HEAD", ()),
    ],
)
def test_parameters_are_told_from_revisions(text, options):
    assert _settings(text) == options
