"""nbval on the twins: only short printed text of tagged cells is compared, and a change of it is seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.runner.pipeline import run
from helpers.runner.twins import CHECKED_TAG, read_ipynb, write_twins

ROOT = Path(__file__).resolve().parents[1]
TWINS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Those that the default study runs: the others are forms for a panel on disk (tests/large/test_both_engines.py).
RUN = [path for path in TWINS if not path.stem.endswith("_on_disk")]


def checked_cells(path: Path) -> list[dict]:
    return [cell for cell in read_ipynb(path)["cells"] if CHECKED_TAG in cell["metadata"].get("tags", ())]


def run_nbval(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-c", "pytest.ini", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    paths = [environment.get("PYTHONPATH", ""), str(ROOT / "tests")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_every_notebook_has_a_checked_cell_and_it_holds_its_output(path):
    cells = checked_cells(path)
    assert cells
    assert all(cell["outputs"] for cell in cells)


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_no_other_cell_holds_outputs(path):
    others = [cell for cell in read_ipynb(path)["cells"] if CHECKED_TAG not in cell["metadata"].get("tags", ())]
    assert not any(cell.get("outputs") for cell in others)


@pytest.fixture
def stored(mini):
    """The miniature project's first notebook with its checked output stored; it needs no folder from a runner."""
    run(mini.request(only="01_first"))
    mini.edit("notebooks/01_first.py", 'out: str = ""', 'out: str = "../reports/mini"')
    write_twins(mini.root / "notebooks", outputs=mini.folder / "notebooks")
    path = mini.root / "notebooks" / "01_first.ipynb"
    assert [cell["outputs"][0]["text"] for cell in checked_cells(path)] == [["three rows\n"]]
    return mini


def test_nbval_passes_on_stored_outputs(stored):
    done = run_nbval(stored.root, "notebooks/01_first.ipynb")
    assert done.returncode == 0, done.stdout


def test_nbval_fails_when_a_checked_cell_changes(stored):
    path = stored.root / "notebooks" / "01_first.ipynb"
    content = read_ipynb(path)
    changed = next(cell for cell in content["cells"] if CHECKED_TAG in cell["metadata"].get("tags", ()))
    changed["source"] = ['print("four rows")']
    path.write_text(json.dumps(content))
    done = run_nbval(stored.root, "notebooks/01_first.ipynb")
    assert done.returncode == 1
    assert "four rows" in done.stdout


@pytest.mark.slow("every notebook at the standard preset, each in a new kernel")
def test_the_twins_run_as_they_are_and_print_what_is_stored(tmp_path):
    """All notebooks one after the other, as a reader of JupyterLab runs them: no runner, no parameters.

    Their kernels are forks of one process (see `nbval_forks`); those of the tests above start as nbval starts them.
    """
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    done = run_nbval(tmp_path, "-p", "nbval_forks", *(f"notebooks/{path.name}" for path in RUN))
    assert done.returncode == 0, done.stdout[-4000:]
