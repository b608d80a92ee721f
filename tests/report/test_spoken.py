"""Messages are read from the code that says them, wherever the text stands that is raised or printed."""

import pytest

from helpers.report.spoken import command_messages, has_words

CODE = """
from helpers.errors import StudyError
from sample.other import hint

REMEDY = "name another file"
HEADS = {"a": "the first head", "b": "the second head"}

def check(path, wide, rows):
    more = f" and {len(rows) - 1} more rows" if len(rows) > 1 else ""
    if wide:
        raise StudyError(str(path), f"the {'row' if wide else 'cell'} of {path!r} is wide{more}", REMEDY)
    told = []
    told.append("what was told")
    stop(f"it stands in {rows[0]}")
    raise StudyError(HEADS[wide], explain(rows), hint(path) or "nothing")

def explain(rows):
    return "there are no rows" if not rows else f"rows: {', '.join(f'row {row}' for row in rows)}"

def stop(rule):
    raise StudyError("here we are", rule, "say {this} again")

def shown():
    return "words that nobody is told"
"""
OTHER = """
def hint(path):
    return f"look beside {path.parent}"
"""


@pytest.fixture
def found(tmp_path):
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "one.py").write_text(CODE)
    (folder / "other.py").write_text(OTHER)
    messages = command_messages(folder)
    return {text for text, where in messages.items() if where.startswith("sample")}


def test_a_choice_between_texts_gives_each_of_them_whole(found):
    sentences = {text for text in found if "wide" in text}
    assert sentences == {
        f"the {what} of {{path}} is wide{more}" for what in ("row", "cell") for more in ("", " and {rows} more rows")
    }


def test_a_text_is_followed_to_constants_functions_other_modules_and_callers(found):
    assert {
        "name another file",
        "the first head",
        "the second head",
        "there are no rows",
        "rows: {join}",
        "row {row}",
        "look beside {parent}",
        "it stands in {rows}",
        "what was told",
        "here we are",
        "nothing",
    } <= found


def test_a_brace_of_the_text_is_no_place(found):
    assert "say {{this}} again" in found


def test_what_nobody_is_told_is_no_message(found):
    assert "words that nobody is told" not in found


@pytest.mark.parametrize(
    ("text", "is_message"),
    [("{path}: {rule}", False), ("--only {name}", False), ("data/{name}.csv", False), ("column {name}", True)],
)
def test_keys_and_names_of_files_are_no_messages(text, is_message):
    assert has_words(text) == is_message
