"""The command ``study``: each folder of helpers that has a ``commands`` module adds its commands.

Exit codes: 0 done; 1 a notebook failed, or a number did not come out again; 2 bad input or arguments; 130 interrupted.
Whatever a person can put right is told in one message on stderr, never as a traceback (``STUDY_DEBUG=1`` shows it).
Imports are late: ``study --help`` and a run with nothing to do load no pandas, no papermill and no matplotlib.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from helpers.errors import StudyError
from helpers.study.arguments import BAD_INPUT, FAILED, INTERRUPTED

FIRST = "runner"
"""The folder whose commands stand first in the help."""


KEPT = "What finished is kept; the same command goes on from there."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the console script of the project.

    Returns
    -------
    int
        The exit code.
    """
    options = build_parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except StudyError as error:
        return _tell(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _tell(f"Interrupted. {vars(options).get('interrupted', KEPT)}", INTERRUPTED)
    except Exception as error:
        if os.environ.get("STUDY_DEBUG"):
            raise
        return _tell(f"{type(error).__name__}: {error}\n  What to do: STUDY_DEBUG=1 shows where it comes from", FAILED)


def _tell(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, from the ``commands`` modules that are there."""
    parser = argparse.ArgumentParser(prog="study", description="Run a study from raw figures to its report.")
    parser.set_defaults(parser=parser)
    parser.add_argument("--version", action=_Version, nargs=0, help="say the version and stop")
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
