"""The command line: what a person types, what is told, and the exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.cli import main
from helpers.errors import StudyError
from helpers.runner import pipeline
from helpers.runner.commands import schema_text
from helpers.runner.execution import NotebookError
from helpers.runner.pipeline import Outcome
from helpers.runner.record import Entry
from helpers.study.arguments import BAD_INPUT, DONE, FAILED, INTERRUPTED, read_study

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("run", "list", "explain", "check", "schema", "twins")


@pytest.fixture(autouse=True)
def _project(monkeypatch):
    monkeypatch.setenv("STUDY_ROOT", str(ROOT))


@pytest.fixture
def outcome(monkeypatch, tmp_path):
    """Let `study run` come to an outcome without running anything; its folder is a temporary one."""

    def set_outcome(value):
        def run(request):
            if isinstance(value, BaseException):
                raise value
            set_outcome.request = request
            return value

        monkeypatch.setattr(pipeline, "run", run)
        return ["run", "--out", str(tmp_path)]

    return set_outcome


@pytest.fixture
def other_project(tmp_path, monkeypatch):
    """A project with the provincial study and no notebooks."""
    (tmp_path / "pyproject.toml").write_text("")
    shutil.copytree(ROOT / "data" / "provinces", tmp_path / "data" / "provinces")
    monkeypatch.setenv("STUDY_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == DONE
    assert f"study {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["walk"],
        ["run", "--workers", "0"],
        ["run", "--workers", "two"],
        ["run", "--set", "draws"],
        ["run", "--set", "a b=1"],
        ["run", "--timeout", "-1"],
        ["twins", "--keep", "both"],
    ],
)
def test_wrong_arguments_are_bad_input(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == BAD_INPUT
    assert "usage: study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "provincez"], "there is no study file here"),
        (["run", "--preset", "slow"], "declares no such preset"),
        (["explain", "--set", "nosuch=1"], "no notebook declares this parameter"),
        (["explain", "--set", "study=x"], "no notebook declares this parameter"),
        (["explain", "--set", "a=1", "--set", "a=2"], "a parameter is set twice"),
        (["explain", "--only", "99"], "there is no such notebook"),
        (["check", "nosuch"], "there is no study file here"),
    ],
)
def test_bad_input_is_one_message_without_a_traceback(arguments, told, capsys):
    assert main(arguments) == BAD_INPUT
    error = capsys.readouterr().err
    assert told in error
    assert "What to do:" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "notebooks are code"),
        (["--trust"], "would write over the report"),
        (["--out", "{out}"], "notebooks are code"),
    ],
)
def test_notebooks_of_another_folder_are_code_that_must_be_trusted(tmp_path, capsys, monkeypatch, options, told):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    monkeypatch.setattr(pipeline, "run", lambda _: pytest.fail("it ran"))
    options = [option.replace("{out}", str(tmp_path / "out")) for option in options]
    assert main(["run", "--notebooks", str(theirs), *options]) == BAD_INPUT
    error = capsys.readouterr().err
    assert told in error
    assert "What to do:" in error
    assert not (tmp_path / "out").exists()


def test_a_folder_of_notebooks_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["run", "--notebooks", str(tmp_path / "no"), "--trust", "--out", str(tmp_path / "out")]) == BAD_INPUT
    assert "there is no such folder" in capsys.readouterr().err


def test_trust_in_nothing_is_told(capsys):
    assert main(["explain", "--trust"]) == BAD_INPUT
    assert "no folder of notebooks is named" in capsys.readouterr().err


def test_trusted_notebooks_are_what_is_run(outcome, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    assert main([*outcome(Outcome({}, (), ())), "--notebooks", str(theirs), "--trust"]) == DONE
    assert outcome.request.notebook_folder == theirs


def test_a_failed_notebook_is_told_and_fails(outcome, capsys):
    error = NotebookError("03_x", "cell-04", 2, 3, "y = 1 / 0", "ZeroDivisionError: division by zero")
    assert main(outcome(Outcome({}, (), (error,)))) == FAILED
    assert capsys.readouterr().err == f"{error}\nThe run stopped; earlier results are untouched.\n"


@pytest.mark.parametrize(
    "error", [StudyError("a", "b", "c"), NotebookError("03_x", "cell-04", 2, 3, "x", "a: b\n  What to do: c", True)]
)
def test_bad_input_inside_a_notebook_is_bad_input(outcome, error):
    assert main(outcome(Outcome({}, (), (error,)))) == BAD_INPUT


def test_a_code_error_goes_before_bad_input(outcome):
    errors = (StudyError("a", "b", "c"), NotebookError("03_x", "", 0, 0, "", "The kernel died"))
    assert main(outcome(Outcome({}, (), errors))) == FAILED


def test_what_was_asked_for_comes_first_and_the_report_last(outcome, capsys):
    assert main(outcome(Outcome({"01_x": Entry(seconds=1.26)}, ("02_y",), ()))) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["provinces: preset standard", "up to date: 02_y"]
    assert lines[2].endswith("report.html")


def test_the_result_that_the_study_is_about_stands_before_the_report(outcome, capsys, tmp_path):
    from helpers.study.study import load_study

    study = load_study(ROOT / "data" / "provinces")
    key = f"baseline.{study.primary}.{study.model().treatment}"
    row = {"key": key, "estimate": 0.25, "ci_low": -0.5, "ci_high": 1.0, "p_value": 0.0004}
    (tmp_path / "results.json").write_text(json.dumps({"results": [{**row, "key": "other"}, row]}))
    main(outcome(Outcome({}, (), ())))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "->" in line]
    assert line.endswith(": 0.250 [-0.500, 1.000], p < 0.001")


def test_after_a_part_of_a_run_the_report_is_said_to_be_older(outcome, capsys, tmp_path):
    (tmp_path / "report.html").write_text("")
    main([*outcome(Outcome({"03_x": Entry()}, (), ())), "--only", "3"])
    assert "the report is of an earlier run" in capsys.readouterr().out


def test_the_version_is_told(capsys):
    from importlib.metadata import version

    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert (stop.value.code, capsys.readouterr().out) == (0, f"study {version('helpers')}\n")


def test_the_help_of_a_run_names_the_presets_and_examples(capsys):
    from helpers.study.study import load_study

    with pytest.raises(SystemExit):
        main(["run", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert [name for name in load_study(ROOT / "data" / "provinces").presets if name not in told] == []
    assert "study run --only 3" in told


def test_an_interruption_has_its_own_code(outcome, capsys):
    assert main(outcome(KeyboardInterrupt())) == INTERRUPTED
    assert "What finished is kept" in capsys.readouterr().err


def test_an_unexpected_error_is_one_message(outcome, capsys, monkeypatch):
    monkeypatch.delenv("STUDY_DEBUG", raising=False)
    assert main(outcome(RuntimeError("odd"))) == FAILED
    assert capsys.readouterr().err.startswith("RuntimeError: odd\n  What to do: STUDY_DEBUG=1")


def test_an_unexpected_error_shows_where_it_comes_from_when_asked(outcome, monkeypatch):
    monkeypatch.setenv("STUDY_DEBUG", "1")
    with pytest.raises(RuntimeError, match="odd"):
        main(outcome(RuntimeError("odd")))


def test_the_standard_preset_is_the_default(outcome):
    from helpers.study.study import load_study

    main(outcome(Outcome({}, (), ())))
    assert outcome.request.preset == dict(load_study(ROOT / "data" / "provinces").presets["standard"])


def test_settings_reach_the_run_as_they_were_typed(outcome):
    main([*outcome(Outcome({}, (), ())), "--set", "a=1=2", "--set", "b=", "--workers", "3"])
    assert (outcome.request.settings, outcome.request.workers) == ({"a": "1=2", "b": ""}, 3)


def test_a_changed_checksum_stops_a_run(other_project, capsys):
    with (other_project / "data" / "provinces" / "units.csv").open("a") as file:
        file.write("\n")
    assert main(["run"]) == BAD_INPUT
    assert "units.csv" in capsys.readouterr().err


def test_a_change_that_was_meant_can_be_accepted(other_project, capsys):
    (other_project / "data" / "provinces" / "raw" / "new.csv").write_text("1\n")
    assert main(["check", "--accept"]) == DONE
    assert main(["check"]) == DONE
    assert "as in the manifest" in capsys.readouterr().out


def test_check_says_what_it_found(capsys):
    assert main(["check"]) == DONE
    assert "217 rows of 31 entities" in capsys.readouterr().out


def test_list_names_every_study_with_its_title(capsys):
    assert main(["list"]) == DONE
    assert "provinces: Does digital empowerment" in capsys.readouterr().out


def test_a_study_may_be_named_by_its_path(other_project):
    folder = other_project / "data" / "provinces"
    assert read_study(f"{folder}/")[2] == "data/provinces"


def test_the_schema_on_file_is_the_one_of_the_study_file():
    assert (ROOT / "data" / "study.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_written_where_editors_look_for_it(other_project):
    assert main(["schema"]) == DONE
    schema = json.loads((other_project / "data" / "study.schema.json").read_text())
    assert schema["additionalProperties"] is False


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from helpers.cli import build_parser; build_parser().format_help(); "
        "print([name for name in ('pandas', 'papermill', 'pydantic', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_explaining_loads_nothing_heavy():
    code = (
        "import sys; from helpers.cli import main; main(['explain']); "
        "print([name for name in ('pandas', 'papermill', 'nbformat', 'matplotlib') if name in sys.modules])"
    )
    environment = {**os.environ, "STUDY_ROOT": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["list"], ["--version"]])
def test_a_reader_that_stops_is_no_error(arguments):
    command = [sys.executable, "-c", "import sys; from helpers.cli import main; sys.exit(main())", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1
