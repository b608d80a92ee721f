"""The command ``study``: each folder of helpers that has a ``commands`` module adds its commands.

Exit codes: 0 done; 1 a notebook failed, or a number did not come out again; 2 bad input or arguments; 130 interrupted.
Whatever a person can put right is told in one message on stderr, never as a traceback (``STUDY_DEBUG=1`` shows it).
Imports are late: ``study --help`` and a run with nothing to do load no pandas, no papermill and no matplotlib.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from helpers.errors import StudyError
from helpers.study.arguments import BAD_INPUT, FAILED, INTERRUPTED, SPOKEN, spoken_language

FIRST = "runner"
"""The folder whose commands stand first in the help."""

LANGUAGES = ("en", "zh")
atexit.register(gc.freeze)  # the end of the process then does not look for cycles in all that it read
KEPT = "What finished is kept; the same command goes on from there."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the console script of the project.

    Returns
    -------
    int
        The exit code.
    """
    language, rest = take_language(sys.argv[1:] if arguments is None else arguments)
    with speak(language), while_read():
        return _run(rest)


@contextlib.contextmanager
def while_read() -> Iterator[None]:
    """End without a word where whoever reads the output has stopped, as ``head`` does."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FAILED) from None


def _run(arguments: Sequence[str]) -> int:
    parser = build_parser()
    if spoken_language() != "en" and {"-h", "--help"} & set(arguments):
        from helpers.report.console import translate_help

        translate_help(parser)
    options = parser.parse_args(arguments)
    try:
        return int(options.command(options))
    except BrokenPipeError:
        raise
    except StudyError as error:
        return _tell(str(error), BAD_INPUT)
    except (KeyboardInterrupt, EOFError):  # EOFError: a question was left without an answer
        return _tell(f"Interrupted. {vars(options).get('interrupted', KEPT)}", INTERRUPTED)
    except Exception as error:
        if os.environ.get("STUDY_DEBUG"):
            raise
        told = StudyError(type(error).__name__, str(error), "STUDY_DEBUG=1 shows where it comes from")
        return _tell(str(told), FAILED)


def _tell(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def take_language(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The language that is asked for, wherever ``--language`` stands, and the other arguments."""
    rest = list(arguments)
    for place, word in enumerate(rest):
        name, equals, value = word.partition("=")
        values = [value] if equals else rest[place + 1 : place + 2]
        if name == "--language" and values and values[0] in LANGUAGES:
            return values[0], rest[:place] + rest[place + (1 if equals else 2) :]
    return None, rest


@contextlib.contextmanager
def speak(language: str | None) -> Iterator[None]:
    """Say what is printed within in a language; without one, in that of the environment, which processes inherit."""
    before = os.environ.get(SPOKEN)
    if language is not None:
        os.environ[SPOKEN] = language
    try:
        if spoken_language() == "en":
            yield
        else:
            from helpers.report.console import in_chinese

            with in_chinese():
                yield
    finally:
        if language is not None:
            os.environ.pop(SPOKEN)
            os.environ |= {} if before is None else {SPOKEN: before}


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, from the ``commands`` modules that are there."""
    parser = argparse.ArgumentParser(prog="study", description="Run a study from raw figures to its report.")
    parser.set_defaults(parser=parser)
    parser.add_argument("--version", action=_Version, nargs=0, help="say the version and stop")
    parser.add_argument(
        "--language", choices=LANGUAGES, help="of what the command line says (default: by the environment)"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for folder in _command_folders():
        import_module(f"helpers.{folder}.commands").add_commands(commands)
    return parser


class _Version(argparse.Action):
    """Says the version; it is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"study {version('helpers')}")
        parser.exit()


def _command_folders() -> list[str]:
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/commands.py"))
    return sorted(folders, key=lambda folder: folder != FIRST)


if __name__ == "__main__":
    sys.exit(main())
