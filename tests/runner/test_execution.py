"""One notebook in a kernel: every way to end is one clear message."""

from __future__ import annotations

import json

import pytest

from helpers.errors import StudyError
from helpers.runner.execution import (
    NotebookError,
    Progress,
    clean_executed,
    describe_error,
    execute,
    listeners,
    prepare_staging,
)
from helpers.runner.kernels.environment import ONE_THREAD, kernel_environment
from helpers.runner.twins import Cell, build_notebook

SAVE = (
    "from pathlib import Path\n"
    "home = Path(out) / 'run' / 'results'\n"
    "home.mkdir(parents=True)\n"
    "(home / '01_x.json').write_text('{}')"
)


@pytest.fixture
def go(tmp_path):
    """Run a notebook of some code cells between its parameters and its saving cell."""

    def run(*sources, timeout=60, save=True, **values):
        cells = [Cell("code", "out: str = ''", ("parameters",)), *(Cell("code", source) for source in sources)]
        cells += [Cell("code", SAVE)] if save else []
        staging = tmp_path / "staging"
        prepare_staging(staging)
        values["out"] = str(staging / "out")
        finished = execute("01_x", tuple(cells), values, root=tmp_path, staging=staging, timeout=timeout)
        return finished, json.loads((staging / "out" / "notebooks" / "01_x.ipynb").read_text())

    return run


def fail(go, *sources, **options):
    with pytest.raises(NotebookError) as caught:
        go(*sources, **options)
    return caught.value


def test_a_notebook_finishes_with_all_its_cells(go):
    finished, executed = go("print(1 + 1)")
    assert finished == 3
    assert executed["cells"][2]["outputs"][0]["text"] == ["2\n"]


def test_folders_of_this_machine_are_not_in_the_executed_notebook(go, tmp_path):
    _, executed = go(
        "import sys, pathlib; print(pathlib.Path.cwd(), sys.prefix)", "import warnings; warnings.warn('x')"
    )
    text = json.dumps(executed)
    assert str(tmp_path) not in text
    assert "ipykernel_" not in text
    assert executed["cells"][2]["outputs"][0]["text"] == [". environment\n"]


def test_two_runs_give_the_same_bytes(go):
    source = "print({'b', 'a', 'c'}, hash('a'))"
    assert go(source) == go(source)


def test_the_kernel_knows_the_cell_that_it_runs(go):
    _, executed = go("print(get_ipython().kernel.get_parent()['metadata']['cellId'])")
    assert executed["cells"][2]["outputs"][0]["text"] == ["cell-02\n"]


def test_a_failing_cell_is_named_with_its_line(go):
    error = fail(go, "x = 1\ny = x / 0", "print('never')")
    assert str(error) == (
        "notebook 01_x, cell-02 (code cell 2 of 4)\n  | y = x / 0\nZeroDivisionError: division by zero"
    )
    assert not error.bad_input


def test_bad_input_keeps_its_three_parts(go):
    error = fail(go, "from helpers.errors import StudyError", "raise StudyError('gdp.csv', 'a gap', 'fill it')")
    assert error.bad_input
    assert str(error).endswith("gdp.csv: a gap\n  What to do: fill it")


def test_a_killed_kernel_is_told(go):
    error = fail(go, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (error.cell, error.number) == ("cell-02", 2)
    assert "The kernel died" in error.problem


def test_a_cell_that_takes_too_long_is_told(go):
    error = fail(go, "import time; time.sleep(60)", timeout=2)
    assert "longer than 2 s" in error.problem
    assert error.source == "import time; time.sleep(60)"


def test_an_end_without_results_is_no_end(go):
    assert "its last cell must be" in fail(go, "x = 1", save=False).problem


def test_a_full_disk_in_a_cell_is_bad_input(go):
    error = fail(go, "raise OSError(28, 'No space left on device', 'tables/a.csv')")
    assert error.bad_input
    assert "free some space" in error.problem


def test_progress_is_told_cell_by_cell(go):
    heard = []
    listeners.append(heard_by := lambda *event: heard.append(event))
    try:
        go("x = 1")
    finally:
        listeners.remove(heard_by)
    assert heard == [("01_x", 1, 3), ("01_x", 2, 3), ("01_x", 3, 3), ("01_x", 4, 3)]


@pytest.mark.parametrize(
    ("kind", "text", "bad_input"),
    [
        ("SubclassOfStudyError", str(StudyError("a", "b", "c")), True),
        ("OSError", "[Errno 28] No space left on device: 'x'", True),
        ("PermissionError", "[Errno 13] Permission denied: 'x'", True),
        ("OSError", "[Errno 5] Input/output error", False),
        ("KeyError", "'x'", False),
    ],
)
def test_what_a_person_can_put_right_is_told_apart(kind, text, bad_input):
    assert describe_error(kind, text)[1] is bad_input


def test_a_cell_without_a_frame_shows_its_first_lines():
    progress = Progress("01_x", 1)
    progress.begin({"id": "cell-01", "source": "a\nb\nc\nd"})
    assert progress.error("x").source == "a\nb\nc"


def test_the_error_travels_between_processes():
    import pickle

    error = NotebookError("01_x", "cell-02", 2, 4, "x", "y", True)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_linear_algebra_gets_one_thread():
    assert ONE_THREAD.items() <= kernel_environment().items()


def test_times_and_ids_of_the_run_are_taken_off(tmp_path):
    notebook = build_notebook((Cell("code", "1", ("summary",)),))
    notebook["cells"][0]["metadata"]["papermill"] = {"duration": 3}
    notebook["cells"][0]["metadata"]["execution"] = {"iopub.status.busy": "now"}
    notebook["metadata"]["papermill"] = {"output_path": str(tmp_path)}
    clean = clean_executed(notebook, tmp_path)
    assert clean == build_notebook((Cell("code", "1", ("summary",)),))
