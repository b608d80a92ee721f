"""The tutorial, followed word for word in a copy of the project: its commands are run, its edits made, its lines seen."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def copy_project(target: Path) -> Path:
    for name in ("data", "notebooks", "src", "docs"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, target / name)
    return target


def run(command: str, project: Path) -> str:
    """What a command of the tutorial prints; the console script is the same as the module."""
    first, *rest = shlex.split(command)
    assert first == ".venv/bin/study"
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "STUDY_ROOT": str(project)}
    done = subprocess.run(
        [sys.executable, "-m", "helpers.cli", *rest],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_tutorial_can_be_followed_word_for_word(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    shown = (project / "docs" / "tutorial" / "clinics.csv").read_text(encoding="utf-8")
    study_file = project / "data" / "clinics" / "study.yml"
    sought = ""
    for kind, role, text in BLOCK.findall((project / "docs" / "tutorial.md").read_text(encoding="utf-8")):
        match (kind, role.strip()):
            case ("bash", _):
                shown = "\n".join(run(command, project) for command in text.splitlines())
            case ("text", _):
                assert [line for line in text.splitlines() if line not in shown] == []
            case ("yaml", "find"):
                sought = text.rstrip("\n")
                assert study_file.read_text(encoding="utf-8").count(sought) == 1
            case ("yaml", "write"):
                content = study_file.read_text(encoding="utf-8").replace(sought, text.rstrip("\n"))
                study_file.write_text(content, encoding="utf-8")
    report = (project / "reports" / "clinics" / "report.html").read_text(encoding="utf-8")
    assert "Does online booking shorten the wait?" in report
    assert "the study file declares no mediator" in report
