"""The lists of the documents are those that the project gives of itself: modules, commands, tables and figures."""

import re
from pathlib import Path

import pytest

from helpers.cli import build_parser
from helpers.deposit.lists import list_commands, list_shown, map_modules, replace_list
from helpers.errors import StudyError

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def read_list(text: str, name: str) -> str:
    """What stands in a document between the marks of a list."""
    return text.split(f"<!-- {name}: ")[1].split("-->\n")[1].split(f"<!-- end of {name}")[0]


def test_the_map_of_the_modules_is_what_their_docstrings_say():
    helpers = ROOT / "src" / "helpers"
    told = read_list((helpers / "README.md").read_text(encoding="utf-8"), "modules")
    assert told.strip() == map_modules(helpers).strip()


def test_the_commands_are_those_of_the_command_line():
    assert read_list(README, "commands").strip() == list_commands(build_parser()).strip()


def test_every_table_and_figure_of_the_committed_run_is_listed_and_no_other():
    listed = set(re.findall(r"^\| \w+ `\w+` \| \w+ \| `([\w./]+)` \|", read_list(README, "shown"), re.MULTILINE))
    report = ROOT / "reports" / "provinces"
    there = {
        path.relative_to(report).as_posix() for kind in ("tables/*.csv", "figures/*.svg") for path in report.glob(kind)
    }
    assert listed == there


def test_a_list_is_written_between_its_marks_alone():
    text = "before\n<!-- a: told -->\nold\n<!-- end of a -->\nafter\n"
    assert replace_list(text, "a", "new", "README.md") == text.replace("\nold\n", "\nnew\n")
    with pytest.raises(StudyError, match="no list 'b'"):
        replace_list(text, "b", "new", "README.md")


def test_a_folder_without_a_record_is_told(tmp_path):
    with pytest.raises(StudyError, match="no record of a run"):
        list_shown(tmp_path)
