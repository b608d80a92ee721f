"""A study run again in a copy: what is compared, what is told, and that nothing in the run can tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from helpers.cli import main
from helpers.results.results import Results
from helpers.study.arguments import BAD_INPUT, DONE, FAILED, INTERRUPTED
from small_project import SmallProject, build_small_project


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, finished: SmallProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies are made; nothing is left there."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("STUDY_ROOT", str(finished.root))
    return folder


@pytest.mark.slow("a run of the small project")
def test_a_run_from_raw_data_reproduces_every_number_and_cannot_tell(finished, scratch, tmp_path, capsys):
    assert main(["verify", "--out", str(tmp_path / "out")]) == DONE
    told = capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "verify.json").read_text(encoding="utf-8"))
    assert record["complete"]
    assert f"{record['numbers']['reproduced']} of {record['numbers']['reproduced']} numbers reproduced" in told
    assert record["verdicts_and_orders"] == {"reproduced": 10, "differs": 0, "cannot say": 0}  # 8 things told, 2 orders
    assert list(scratch.iterdir()) == []
    assert finished.git("status", "--short") == ""
    page = (tmp_path / "out" / "verify.html").read_text(encoding="utf-8")
    assert "Nothing." in page
    assert "http" not in page.replace("http-equiv", "").replace("https://", "")


@pytest.mark.slow("a run of the small project")
def test_a_change_is_named_with_its_place_and_fails(finished, tmp_path, capsys):
    finished.edit("src/helpers/shared.py", "2 * number", "3 * number")
    try:
        assert main(["verify", "--out", str(tmp_path)]) == FAILED
    finally:
        finished.edit("src/helpers/shared.py", "3 * number", "2 * number")
    told = capsys.readouterr().out
    assert "differs: second.size estimate (02_second cell-04): 15.0 -> 22.5" in told
    assert "differs: sizes[a, size] (01_first cell-04): 2.5 -> 3.75" in told
    assert "4 differ" in told
    page = (tmp_path / "verify.html").read_text(encoding="utf-8")
    assert "22.5" in page
    assert "02_second cell-04" in page


@pytest.mark.parametrize(
    ("damage", "arguments", "told"),
    [
        ("", ["--against", "nosuch"], "neither a folder nor a revision"),
        ("", ["--against", "--upload-pack=x"], "usage"),
        ("", ["--preset", "nosuch"], "declares no such preset"),
        ("uncommitted", [], "there is no committed reference"),
        ("other study", ["--against", "HERE"], "results of the study 'other'"),
        ("other schema", ["--against", "HERE"], "schema 1 is expected"),
        ("no results", ["--against", "HERE"], "the results file is missing"),
        ("edited", [], "edited by hand after the run wrote it: first.level"),
        ("edited table", [], "sizes.csv: it is not as 01_first left it"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(
    finished, scratch, tmp_path, capfd, damage, arguments, told, monkeypatch
):
    here = tmp_path / "other"
    here.mkdir()
    if damage == "uncommitted":
        finished = build_small_project(tmp_path / "another")
        finished.commit("no reports")
        monkeypatch.setenv("STUDY_ROOT", str(finished.root))
    if damage == "other study":
        Results(study="other").write(here / "results.json")
    if damage == "other schema":
        (here / "results.json").write_text('{"schema": 7}')
    path = finished.reports / ("tables/sizes.csv" if damage == "edited table" else "results.json")
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if damage.startswith("edited"):
        path.write_text(before.replace("146321.9", "146321.8") + "\n" * (path.suffix == ".csv"), encoding="utf-8")
    try:
        arguments = [str(here) if text == "HERE" else text for text in arguments]
        code = stop_code(["verify", "--out", str(tmp_path / "out"), *arguments])
    finally:
        if before:
            path.write_text(before, encoding="utf-8")
    error = capfd.readouterr().err
    assert code == BAD_INPUT
    assert told in error
    assert "What to do:" in error or "usage" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()
    assert list(scratch.iterdir()) == []


def stop_code(arguments: list[str]) -> object:
    try:
        return main(arguments)
    except SystemExit as stop:
        return stop.code


@pytest.mark.slow("the beginning of a run, and its end")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_verification_leaves_no_copy(finished, scratch, tmp_path, number):
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(finished.root / "src")}
    command = [sys.executable, "-m", "helpers.cli", "verify", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, env=environment, cwd=finished.root, stdout=-3, stderr=-3)
    deadline = time.monotonic() + 60
    while not list(scratch.glob("*/*/reports/provinces/run/lock")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(30) == INTERRUPTED
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told(scratch, tmp_path, capsys, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(scratch))

    monkeypatch.setattr("shutil.copytree", full)
    assert main(["verify", "--out", str(tmp_path / "out")]) == BAD_INPUT
    assert "No space left on device\n  What to do: free some space" in capsys.readouterr().err
    assert list(scratch.iterdir()) == []


@pytest.mark.slow("two runs of the small project")
def test_two_runs_that_draw_differently_are_told_apart_at_the_cell_that_drew(finished, capsys):
    finished.edit(
        "notebooks/02_second.py",
        'sizes = run.read("sizes")',
        'sizes = run.read("sizes")\n__import__("numpy").random.normal()',
    )
    finished.edit(
        "notebooks/02_second.py",
        "n_obs=3)",
        'n_obs=3)\nrun.results.record("second.chance", value=float(__import__("numpy").random.normal()))',
    )
    try:
        assert main(["verify", "--twice"]) == FAILED
    finally:
        finished.git("checkout", "--", "notebooks")
    assert "02_second cell-03: the random draws of numpy's global generator differ" in capsys.readouterr().out
