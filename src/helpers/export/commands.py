"""The commands of the export: quote numbers, and write all results of a run for a manuscript."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import StudyError, attempt
from helpers.study.arguments import DEFAULT_STUDY, DONE, add_command, read_study

if TYPE_CHECKING:
    from helpers.study.arguments import Commands
    from helpers.study.study import Study


def add_commands(commands: Commands) -> None:
    """Add this folder's commands to the command line."""
    cite = add_command(commands, "cite", _cite, "print results as plain text, LaTeX and Markdown, with their cell")
    cite.add_argument("keys", nargs="+", metavar="KEY", help="keys of results.json, for example baseline.headline")
    export = add_command(
        commands, "export", _export, "write all results of a run, for a manuscript or a talk, into a new folder"
    )
    export.add_argument("folder", type=Path, metavar="FOLDER", help="new or empty; nothing is overwritten")
    for parser in (cite, export):
        parser.add_argument("--study", default=DEFAULT_STUDY, help=f"folder in data/ (default: {DEFAULT_STUDY})")
        parser.add_argument("--run", type=Path, metavar="DIR", help="the run folder (default: reports/STUDY)")


def _find(options: argparse.Namespace) -> tuple[Study, Path]:
    root, study, _ = read_study(options.study)
    return study, options.run or root / "reports" / study.name


def _cite(options: argparse.Namespace) -> int:
    from helpers.export.printed import cite_results
    from helpers.results.results import read_results

    _, run = _find(options)
    print("\n\n".join(cite_results(read_results(run / "results.json"), options.keys)))
    return DONE


def _export(options: argparse.Namespace) -> int:
    from helpers.export.browser import find_browser
    from helpers.export.folder import write_export

    study, run = _find(options)
    browser = attempt(find_browser)
    names = write_export(study, run, options.folder, None if isinstance(browser, StudyError) else browser)
    print(f"wrote {len(names)} files to {options.folder}")
    if isinstance(browser, StudyError):
        sys.stderr.write(f"{browser}\n")
    return DONE
