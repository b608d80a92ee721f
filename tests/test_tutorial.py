"""The tutorial, followed word for word in a copy of the project: its commands are run, its edits made, its lines seen."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from helpers.cli import main
from helpers.index.composite import composite_index
from helpers.study.arguments import DONE, SPOKEN

ROOT = Path(__file__).resolve().parents[1]
SET_UP = "./setup.sh"
BLOCK = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def copy_project(target: Path) -> Path:
    for name in ("data", "notebooks", "src", "docs"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, target / name)
    return target


def run(command: str, project: Path, capsys: pytest.CaptureFixture[str], language: str = "en_US.UTF-8") -> str:
    """What a command prints where the system speaks a language; in this process, where all is imported already."""
    first, *rest = shlex.split(command)
    assert first == ".venv/bin/study"
    environment = {"PYTHONPATH": str(project / "src"), "STUDY_ROOT": str(project), "LC_ALL": "", "LC_MESSAGES": ""}
    environment |= {"LANG": language, SPOKEN: ""}
    with mock.patch.dict(os.environ, environment), contextlib.chdir(project):
        code = main(rest)
    told = capsys.readouterr()
    assert code == DONE, f"{command}\n{told.out}\n{told.err}"
    return told.out


PAGES = {
    "tutorial.md": ("clinics", "docs/tutorial/clinics.csv", ["Does online booking shorten the wait?", "no mediator"]),
    "tutorial.zh.md": ("cities", "docs/tutorial/cities.xlsx", ["数字化水平"]),
    "tutorial_firms.md": ("firms", "docs/tutorial/firms.csv", ["数字化转型词频"]),
}


@pytest.mark.slow("a whole study, from adoption to report")
@pytest.mark.parametrize("page", PAGES)
def test_a_tutorial_can_be_followed_word_for_word(
    page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, table, said = PAGES[page]
    language = "zh_CN.UTF-8" if ".zh." in page else "en_US.UTF-8"
    project = copy_project(tmp_path)
    shown = (project / table).read_text(encoding="utf-8", errors="replace")
    study_file = project / "data" / name / "study.yml"
    sought = ""
    for kind, role, text in BLOCK.findall((project / "docs" / page).read_text(encoding="utf-8")):
        match (kind, role.strip()):
            case ("bash", _):
                commands = [command for command in text.splitlines() if command != SET_UP]
                shown = "\n".join(run(command, project, capsys, language) for command in commands)
            case ("text", _):
                assert [line for line in text.splitlines() if line not in shown] == []
            case ("yaml", "find"):
                sought = text.rstrip("\n")
                assert study_file.read_text(encoding="utf-8").count(sought) == 1
            case ("yaml", "write"):
                content = study_file.read_text(encoding="utf-8").replace(sought, text.rstrip("\n"))
                study_file.write_text(content, encoding="utf-8")
    report = (project / "reports" / name / "report.html").read_text(encoding="utf-8")
    assert [words for words in said if words not in report] == []
    assert "The treatment raises the outcome" not in report


def test_the_entropy_weights_of_the_cities_are_those_of_the_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores by range, shares p of each column, e = -sum p ln p / ln n, weight (1 - e) / sum (1 - e), in plain numpy."""
    project = copy_project(tmp_path)
    run(".venv/bin/study adopt docs/tutorial/cities.xlsx", project, capsys)
    figures = pd.read_csv(project / "data" / "cities" / "raw" / "figures.csv")
    columns = ["measure_2", "measure_3", "measure_4"]
    x = figures[columns].to_numpy()
    scores = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    shares = scores / scores.sum(axis=0)
    entropy = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), 0).sum(axis=0) / np.log(len(x))
    spec = SimpleNamespace(
        indicators={name: {"direction": 1, "dimension": "d"} for name in columns}, dimensions={"d": {}}, method=None
    )
    index = composite_index(figures.set_index(["entity", "year"])[columns], spec)
    np.testing.assert_allclose(index.weights.to_numpy(), (1 - entropy) / (1 - entropy).sum(), rtol=1e-12)
