"""Facts about assignments and questions: digests tell right from wrong and nothing else; a question becomes a notebook."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helpers.errors import StudyError
from helpers.own.adopt import copy_study
from helpers.own.grade import grade, write_gold
from helpers.own.question import write_notebook, write_question
from helpers.results.results import Results
from helpers.runner.sources import read_sources
from helpers.runner.twins import write_twins
from helpers.study.needs import keep_notebooks
from helpers.study.study import load_study

ROOT = Path(__file__).resolve().parents[2]


def make(estimate: float, p_value: float = 0.0312) -> Results:
    results = Results(study="mine", notebook="03")
    results.record("baseline.twoway.x", estimate=estimate, std_error=0.5, p_value=p_value, n_obs=217, digits=3)
    results.record("other.count", value=4, digits=0)
    return results


def test_numbers_that_print_alike_are_right_and_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "gold.json"
    assert write_gold(make(0.12345), ["baseline.*"], path) == 4
    same = grade(make(0.12349), path)
    assert same.right == len(same.verdicts) == 4
    assert grade(make(0.1245), path).verdicts["baseline.twoway.x estimate"] == "another number"
    assert grade(make(0.12345, 0.04), path).verdicts["baseline.twoway.x p_value"] == "another number"
    nothing = Results(study="mine", notebook="03")
    assert set(grade(nothing, path).verdicts.values()) == {"missing"}


def test_the_file_of_an_assignment_holds_no_number(tmp_path: Path) -> None:
    write_gold(make(0.12345), ["baseline.*"], tmp_path / "gold.json")
    content = json.loads((tmp_path / "gold.json").read_text(encoding="utf-8"))
    assert not any("123" in key for key in content["digests"])
    assert all(len(digest) == 64 for digest in content["digests"].values())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "salt": 1, "digests": {}}'])
def test_what_is_no_assignment_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "gold.json").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="no file of an assignment"):
        grade(make(1.0), tmp_path / "gold.json")


@pytest.mark.parametrize(
    "change", [{"rounds": 0}, {"rounds": 10**12}, {"digests": {}}, {"digests": {"\x1b[31m:p": "a"}}]
)
def test_an_assignment_that_was_tampered_with_is_none(change: dict, tmp_path: Path) -> None:
    write_gold(make(1.0), ["baseline.*"], tmp_path / "gold.json")
    content = json.loads((tmp_path / "gold.json").read_text(encoding="utf-8"))
    (tmp_path / "gold.json").write_text(json.dumps(content | change), encoding="utf-8")
    with pytest.raises(StudyError, match="no file of an assignment"):
        grade(make(1.0), tmp_path / "gold.json")


def test_an_assignment_is_written_over_another_and_over_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        write_gold(make(1.0), ["baseline.*"], tmp_path / "gold.json")
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(StudyError, match="no file of an assignment"):
        write_gold(make(1.0), ["baseline.*"], tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"


def test_keys_that_no_result_has_are_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no result has such a key"):
        write_gold(make(1.0), ["nothing.*"], tmp_path / "gold.json")
    assert not list(tmp_path.iterdir())


def test_a_question_becomes_a_notebook_that_the_runner_knows(tmp_path: Path) -> None:
    path = write_notebook(tmp_path, "Do ports matter for trade?", "provinces", "provinces")
    assert path.name == "20_do_ports_matter_for_trade.py"
    write_twins(tmp_path)
    source = read_sources(tmp_path)[0]
    assert source.name == "20_do_ports_matter_for_trade"
    assert source.reads == ("panel",)
    with pytest.raises(StudyError, match="there is a notebook"):
        write_notebook(tmp_path, "Do ports matter for trade?", "provinces", "provinces")
    assert write_notebook(tmp_path, "And roads?", "provinces", "provinces").name.startswith("21_")


@pytest.mark.parametrize(
    ("question", "name", "said"),
    [
        ("数字化是否提升治理？", "20_question_20.py", "数字化是否提升治理？"),
        ("one\nimport os\r\t# %% two", "20_one_import_os_two.py", "one import os # %% two"),
        ("%% [markdown]", "20_markdown.py", "%% [markdown]"),
        ('Is `x` "y" $name ${x} \\ <b>?', "20_is_x_y_name_x.py", 'Is `x` "y" $name ${x} \\ <b>?'),
    ],
)
def test_whatever_is_asked_becomes_a_whole_notebook(tmp_path: Path, question: str, name: str, said: str) -> None:
    assert write_notebook(tmp_path, question, "a/b", "mine").name == name
    write_twins(tmp_path)
    source = read_sources(tmp_path)[0]
    assert [cell.type for cell in source.cells].count("markdown") == 7
    assert source.cells[0].source.endswith(f"> {said}")
    assert (source.parameters["study"].default, source.parameters["only"].default) == ("a/b", "mine")


@pytest.mark.parametrize("question", ["", " \n\t", "why " * 100])
def test_what_is_no_question_is_told_and_nothing_is_written(tmp_path: Path, question: str) -> None:
    with pytest.raises(StudyError, match=r"the question|more than 300"):
        write_notebook(tmp_path, question, "mine", "mine")
    assert not list(tmp_path.iterdir())


def test_a_question_runs_with_its_own_study_alone(tmp_path: Path) -> None:
    write_notebook(tmp_path, "Do ports matter?", "provinces", "provinces")
    write_twins(tmp_path)
    sources = read_sources(tmp_path)
    kept = [keep_notebooks(sources, load_study(ROOT / "data" / name), tmp_path) for name in ("provinces", "countries")]
    assert [len(found) for found in kept] == [1, 0]


def test_a_new_study_asks_its_own_question(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(ROOT / "data" / "provinces", tmp_path / "data" / "provinces")
    folder = copy_study("provinces", "mine", tmp_path)
    write_question(folder, 'Do "ports" matter: yes or no?')
    study = load_study(folder)
    assert study.question.en == study.title.en == 'Do "ports" matter: yes or no?'
    assert not study.entity.offered
