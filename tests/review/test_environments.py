"""What a machine is made from elsewhere agrees with the lock, and the README's measured lines with what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.deposit.readme import END, MEASURED, START, measured_lines, write_readme
from helpers.errors import StudyError
from helpers.runner import locks
from helpers.runner.sources import read_sources
from helpers.study.needs import keep_notebooks
from helpers.study.study import load_study

ROOT = Path(__file__).parents[2]


def test_the_container_has_the_python_of_the_environment_and_installs_from_the_lock():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["image"].endswith(f":{locks.PYTHON}")
    assert "setup.sh" in container["postCreateCommand"]
    assert "requirements.lock" in (ROOT / "setup.sh").read_text(encoding="utf-8")


def test_binder_installs_the_project_into_the_environment_of_the_lock_and_nothing_else():
    script = ROOT / "postBuild"
    assert script.stat().st_mode & 0o111
    commands = [
        line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith(("#", "set"))
    ]
    assert commands == ["python -m pip install --no-deps --no-build-isolation -e ."]
    assert "flit-core" in locks.declared_names(ROOT)


def test_the_measured_lines_of_the_readme_are_those_of_the_measurement_and_the_lock():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    measured = json.loads((ROOT / MEASURED).read_text(encoding="utf-8"))
    between = text[text.index(START) + len(START) : text.index(END)].strip().splitlines()
    assert between == measured_lines(measured, locks.exported_versions(ROOT))


def test_every_notebook_was_measured():
    measured = json.loads((ROOT / MEASURED).read_text(encoding="utf-8"))
    folder = ROOT / "notebooks"
    kept = keep_notebooks(read_sources(folder), load_study(ROOT / "data" / "provinces"), folder)
    notebooks = {source.name for source in kept}
    assert set(measured["seconds"]) == {*notebooks, "run", "report"}


RECORD = {
    "study": "toy",
    "date": "2026-01-02",
    "seconds": {"run": 61.4, "01_a": 20.2, "report": 1.6},
    "memory_bytes": 512 * 2**20,
    "machine": {"processor": "a processor", "cores": 2, "system": "a system", "python": "3.12.1"},
    "inputs": {"options": "--preset quick"},
}


def test_the_lines_say_what_was_measured(tmp_path):
    (tmp_path / "README.md").write_text(f"before\n{START}\nold\n{END}\nafter\n")
    (tmp_path / "requirements.lock").write_text((ROOT / "requirements.lock").read_text())
    write_readme(tmp_path, RECORD)
    text = (tmp_path / "README.md").read_text()
    assert "`./run_all.sh toy --preset quick` took 61 s on 2026-01-02 (01_a 20 s, report 2 s)." in text
    assert "- Memory: 512 MiB in the largest process; measured on a processor, 2 cores, a system." in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_a_readme_without_a_place_is_told(tmp_path):
    (tmp_path / "README.md").write_text("nothing\n")
    with pytest.raises(StudyError, match="has no place"):
        write_readme(tmp_path, RECORD)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
