"""A question of one's own: put into a study's file, or into a notebook that runs with the others."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.own.study_text import read_template
from helpers.own.words import quote, snake

FIRST_FREE = 20
LONGEST = 300
UNNAMED = "question"
"""What a notebook is called whose question has no letter that a file name can hold."""


def read_question(text: str) -> str:
    """A question as it is written into files: one line, blanks between words.

    Raises
    ------
    StudyError
        It is empty, or longer than a question is.
    """
    question = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not question:
        raise StudyError("the question", "it has no words", "ask in a sentence")
    if len(question) > LONGEST:
        raise StudyError(f"{question[:40]} ...", f"it has more than {LONGEST} letters", "ask in one sentence")
    return question


def write_question(folder: Path, question: str) -> None:
    """Put a question into the study file of a folder, in place of the title and the question that are there.

    Raises
    ------
    StudyError
        The study file has no question in the form that the project writes.
    """
    path = folder / "study.yml"
    text = path.read_text(encoding="utf-8")
    question = read_question(question)
    for key in ("title", "question"):
        place = re.search(rf"^{key}:.*\n(?:[ \t]+.*\n)*", text, flags=re.MULTILINE)
        if place is None:
            raise StudyError(str(path), f"its {key} was not found", "write it there by hand")
        block = f"{key}:\n  en: {quote(question)}\n  zh: {quote(question)}\n"
        text = f"{text[: place.start()]}{block}{text[place.end() :]}"
    write_text(path, text)


def write_notebook(notebooks: Path, question: str, study: str, only: str) -> Path:
    """Write a notebook for a question from the template, with the next free number.

    Parameters
    ----------
    notebooks
        The folder of the notebooks.
    question
        In words; it gives the notebook its name.
    study, only
        The study that it opens when it is run by hand, and the name of the one study that runs it.

    Raises
    ------
    StudyError
        There is a notebook of that name, or the question is none.
    """
    question = read_question(question)
    word = "_".join(snake(question).split("_")[:5])
    numbers = [int(path.name[:2]) for path in notebooks.glob("[0-9][0-9]_*.py")]
    if word and any(path.name[3:-3] == word for path in notebooks.glob("[0-9][0-9]_*.py")):
        raise StudyError(str(notebooks), f"there is a notebook {word}", "edit it, or ask in other words")
    number = max([FIRST_FREE - 1, *numbers]) + 1
    word = word or f"{UNNAMED}_{number}"
    name = f"{number:02d}_{word}"
    words = {"number": number, "title": question.rstrip("?？"), "question": question}
    words |= {"study": quote(study), "only": quote(only)}
    text = Template(read_template("own_question.txt")).substitute(words | {"name": name, "key": word})
    return write_text(notebooks / f"{name}.py", text)
