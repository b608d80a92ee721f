"""The command of the report: bring the catalogues of messages in step with what is said."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.study.arguments import DONE, add_command

if TYPE_CHECKING:
    from helpers.study.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add this folder's command to the command line."""
    messages = add_command(commands, "messages", _messages, "bring the catalogues of translations in step")
    messages.add_argument("runs", nargs="*", metavar="FOLDER", help="finished runs, whose tables are read for words")


def _messages(options: argparse.Namespace) -> int:
    from helpers.report.messages import update_all
    from helpers.study.arguments import find_project

    for name, left in update_all(find_project(), [Path(run) for run in options.runs]).items():
        print(f"{name}.po: {left} messages without a translation")
    return DONE
