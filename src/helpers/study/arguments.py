"""What the commands of ``study`` share: exit codes, the argument that names a study, and how a study is found."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from helpers.study.study import Study

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
DEFAULT_STUDY = "provinces"
SPOKEN = "STUDY_LANGUAGE"
"""The environment's word for the language of the command line; that of a report is a choice of its study file."""
LOCALES = (SPOKEN, "LC_ALL", "LC_MESSAGES", "LANG")


def add_command(
    commands: Commands, name: str, function: Callable[[argparse.Namespace], int], text: str, study: bool = False
) -> argparse.ArgumentParser:
    """Add a command to the command line.

    Parameters
    ----------
    commands
        Where ``study`` keeps its commands.
    name
        What a person types.
    function
        Called with the parsed options; returns the exit code.
    text
        One line for the help.
    study
        Whether the first argument names a study.
    """
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=function)
    if study:
        parser.add_argument(
            "study",
            nargs="?",
            default=DEFAULT_STUDY,
            metavar="STUDY",
            help=f"folder in data/ (default: {DEFAULT_STUDY})",
        )
    return parser


def spoken_language() -> Literal["en", "zh"]:
    """The language of the command line: the first variable of the environment that is set decides."""
    chosen = next(filter(None, (os.environ.get(name) for name in LOCALES)), "")
    return "zh" if chosen.casefold().startswith("zh") else "en"


def read_count(text: str) -> int:
    """A whole number above 0 from the command line."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def read_setting(text: str) -> tuple[str, str]:
    """A ``name=value`` from the command line."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form name=value")
    return name, value


def find_project() -> Path:
    """The project's root: ``STUDY_ROOT`` if set (the scripts set it), else upwards from the current folder."""
    from helpers.study.study import find_root

    return find_root(Path(os.environ["STUDY_ROOT"])) if os.environ.get("STUDY_ROOT") else find_root()


def read_study(name: str) -> tuple[Path, Study, str]:
    """Root, study, and the name by which notebooks are given it."""
    from helpers.study.study import load_study

    root = find_project()
    folder = Path(name).resolve() if "/" in name else root / "data" / name
    study = load_study(folder)
    inside = folder.is_relative_to(root)
    word = name if "/" not in name else folder.relative_to(root).as_posix() if inside else folder.as_posix()
    return root, study, word
