"""The commands for a study of one's own: adopt, new, list, question, grade.

Imports are late: ``study --help`` loads no pandas.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import StudyError
from helpers.study.arguments import DEFAULT_STUDY, DONE, FAILED, add_command, find_project, read_study, spoken_language

if TYPE_CHECKING:
    from helpers.own.adopt import Adopted
    from helpers.reading.proposal import Options
    from helpers.study.arguments import Commands

MOST_QUESTIONS = 10


def add_commands(commands: Commands) -> None:
    """Add this folder's commands to the command line."""
    adopt = add_command(commands, "adopt", adopt_command, "write a new study from a table of your own")
    _add_adopt_options(adopt)
    new = add_command(commands, "new", new_command, "copy a study under a new name")
    new.add_argument("name", metavar="NAME", help="of the new study")
    new.add_argument("--from", dest="source", default=DEFAULT_STUDY, metavar="STUDY", help="the study that is copied")
    new.add_argument("--question", metavar="TEXT", help="what the new study asks")
    add_command(commands, "list", list_command, "list the studies")
    question = add_command(commands, "question", question_command, "write a notebook for a question of your own")
    question.add_argument("question", metavar="TEXT", help="the question, in words")
    question.add_argument("--study", default=DEFAULT_STUDY, metavar="STUDY", help="the study that it opens by hand")
    grade = add_command(commands, "grade", grade_command, "compare a study's results with an assignment", study=True)
    grade.add_argument("--gold", type=Path, required=True, metavar="FILE", help="the file of the assignment")
    grade.add_argument("--write", nargs="+", metavar="KEY", help="write that file from the results with these keys")
    grade.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: reports/STUDY)")


def _add_adopt_options(parser: argparse.ArgumentParser) -> None:
    kinds = "a table (CSV, Excel, Stata, SPSS, R, Parquet) or a folder of tables"
    parser.add_argument("path", type=Path, metavar="PATH", help=kinds)
    options = {
        "name": ("NAME", "of the new study (default: from the file)"),
        "entity": ("HEADING", "the column that names the units; 'columns' where they stand side by side"),
        "time": ("HEADING", "the column of the periods"),
        "missing": ("LIST", "what stands where there is no figure, separated by commas, beside the usual NA, .. and :"),
        "decimal": ("MARK", "the decimal mark, . or ,"),
        "encoding": ("CODEC", "of a text file that is neither UTF-8, UTF-16 nor GB18030, such as big5 or shift_jis"),
        "sheet": ("TITLES", "the worksheets to read, separated by commas"),
        "units": ("LIST", "the list of units that knows the names (a study or a file), or own"),
        "outcome": ("HEADING", "the measure that is explained"),
        "treatment": ("HEADING", "the measure whose effect is asked"),
        "controls": ("LIST", "the measures that are held constant, separated by commas, or none"),
        "genuine": ("LIST", "measures that are as published, however much their figures jump, separated by commas"),
        "claim": ("WORD", "what is claimed of treatment and outcome: raises, lowers or moves (default)"),
    }
    for name, (metavar, text) in options.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=text)


def read_options(options: argparse.Namespace) -> Options:
    """What the command line says about a table.

    Raises
    ------
    StudyError
        A decimal mark, a codec or a claim that is none.
    """
    from helpers.formats.decoding import is_text_codec
    from helpers.own.study_text import CLAIMS
    from helpers.reading.proposal import Options

    if options.decimal not in (None, ".", ","):
        raise StudyError(f"--decimal {options.decimal}", "the decimal mark is a point or a comma", "say . or ,")
    if options.claim not in (None, *CLAIMS):
        raise StudyError(f"--claim {options.claim}", "it is no claim that can be judged", f"say {', '.join(CLAIMS)}")
    if options.encoding is not None and not is_text_codec(options.encoding):
        raise StudyError(f"--encoding {options.encoding}", "there is no such codec", "say big5, shift_jis, cp1251 ...")
    return Options(
        entity=options.entity,
        time=options.time,
        missing=_split(options.missing),
        decimal=options.decimal,
        encoding=options.encoding,
        sheet=_split(options.sheet),
        units=options.units,
        outcome=options.outcome,
        treatment=options.treatment,
        controls=_split(options.controls),
        genuine=_split(options.genuine) or (),
        claim=options.claim,
    )


def _split(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def adopt_command(options: argparse.Namespace) -> int:
    """``study adopt``."""
    from helpers.study.needs import list_left_out
    from helpers.study.study import load_study

    root = find_project()
    asking = sys.stdin.isatty() and sys.stdout.isatty()
    said = read_options(options)
    adopted = _adopt(options.path, root, options.name, _ask_claim(said) if asking else said, asking)
    print("\n".join([f"wrote {os.path.relpath(adopted.folder)}", *adopted.told]))
    study = load_study(adopted.folder)
    for notebook, reason in list_left_out(study, root / "notebooks").items():
        print(f"left out: {notebook}, since {reason}")
    file = os.path.relpath(adopted.folder / "study.yml")
    print(f"next: look at {file}, then `study check {study.name}` and `study run {study.name} --preset quick`")
    return DONE


def _adopt(path: Path, root: Path, name: str | None, said: Options, asking: bool) -> Adopted:
    """Adopt; what the table cannot say is asked where someone is there to answer."""
    from helpers.own.adopt import adopt
    from helpers.reading.numbers import UndecidedError
    from helpers.runner.check import check_study

    for _ in range(MOST_QUESTIONS):
        try:
            return adopt(path, root, name, said, check_study)
        except UndecidedError as question:
            if not asking:
                raise
            said = _answer(question.option, str(question), question.choices, said)
    raise StudyError(str(path), "the answers lead nowhere", "say them as options: `study adopt --help`")


def _answer(option: str, text: str, choices: tuple[str, ...], said: Options) -> Options:
    """Put one question on the terminal and keep the answer among the options."""
    print(text)
    for number, choice in enumerate(choices, start=1):
        print(f"  {number}  {choice or '(it is a figure)'}")
    given = input(f"--{option}: ").strip()
    if given.isdigit() and 1 <= int(given) <= len(choices):
        given = choices[int(given) - 1]
    several = option in ("missing", "sheet", "controls", "genuine")
    answer: Any = (_split(given) or ()) if several else given
    return replace(said, **{option: answer})


def _ask_claim(said: Options) -> Options:
    from helpers.own.study_text import CLAIMS

    if said.claim is not None:
        return said
    given = input("What is claimed: that the treatment raises, lowers or moves the outcome? [moves] ").strip()
    return replace(said, claim=given if given in CLAIMS else None)


def new_command(options: argparse.Namespace) -> int:
    """``study new``."""
    from helpers.own.adopt import copy_study
    from helpers.own.question import read_question, write_question

    asked = options.question
    if asked is None and sys.stdin.isatty() and sys.stdout.isatty():
        asked = input("What does the new study ask? (Enter: what the other one asks) ").strip() or None
    if asked is not None:
        read_question(asked)
    folder = copy_study(options.source, options.name, find_project())
    if asked is not None:
        write_question(folder, asked)
    print(f"wrote {os.path.relpath(folder)}; next: edit its study.yml, then `study check {options.name}`")
    return DONE


def question_command(options: argparse.Namespace) -> int:
    """``study question``."""
    from helpers.own.question import write_notebook
    from helpers.runner.twins import write_twins

    root, study, word = read_study(options.study)
    write_twins(root / "notebooks")  # what is wrong with another notebook is told before this one is there
    path = write_notebook(root / "notebooks", options.question, word, study.name)
    write_twins(root / "notebooks")
    then = f"study run {options.study} --only {path.stem}"
    print(f"wrote {os.path.relpath(path)} and its .ipynb; edit either, then `{then}`")
    return DONE


def _check_made(folder: Path) -> None:
    """Stop at results that are not those of the run, as far as the folder still has the record of one."""
    from helpers.runner.record import REPORT, digest_file, read_entry

    path = folder / "results.json"
    if read_entry(folder, REPORT).products.get(path.name, digest_file(path)) != digest_file(path):
        raise StudyError(str(path), "it was changed after the run that wrote it", "run the study again")


def grade_command(options: argparse.Namespace) -> int:
    """``study grade``."""
    from helpers.own.grade import grade, write_gold
    from helpers.results.results import read_results

    root, study, _ = read_study(options.study)
    folder = options.out or root / "reports" / study.name
    results = read_results(folder / "results.json")
    _check_made(folder)
    if options.write:
        count = write_gold(results, options.write, options.gold)
        print(f"wrote {os.path.relpath(options.gold)}, digests of {count} numbers")
        return DONE
    found = grade(results, options.gold)
    for name, verdict in found.verdicts.items():
        print(f"{name}: {verdict}")
    print(f"{found.right} of {len(found.verdicts)} numbers are right")
    return DONE if found.right == len(found.verdicts) else FAILED


def list_command(_: argparse.Namespace) -> int:
    """``study list``."""
    from helpers.study.study import list_studies, load_study

    root = find_project()
    for name in list_studies(root):
        try:
            title = load_study(root / "data" / name).title
            print(f"{name}: {title.zh if spoken_language() == 'zh' else title.en}")
        except StudyError as error:
            print(f"{name}: not sound: {error.rule}")
    return DONE
