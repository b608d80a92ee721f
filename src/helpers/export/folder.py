"""All results of a run in one folder, for a manuscript or a talk: all of it or nothing, the same bytes every time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import StudyError
from helpers.export.macros import write_macros
from helpers.export.paper import printed_files, slide_files
from helpers.export.printed import print_result
from helpers.export.references import FILE, study_references
from helpers.export.tables import table_files
from helpers.export.word import write_document
from helpers.files import write_bytes
from helpers.results.results import Results, read_results
from helpers.study.study import Study


def write_export(study: Study, run: Path, folder: Path, browser: Path | None = None) -> list[str]:
    """Write the folder; it appears when it is complete.

    Parameters
    ----------
    study
        The study.
    run
        The folder of a finished run of it.
    folder
        New or empty.
    browser
        Prints the PDF and PNG files; without one they are left out.

    Returns
    -------
    list of str
        Names of the files, sorted.

    Raises
    ------
    StudyError
        The folder holds something, or is a file; the run has no results, or is of another study.
    """
    folder = folder.absolute()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise StudyError(
            str(folder), "it is there and not an empty folder", "name a new folder: nothing is overwritten"
        )
    results = read_results(run / "results.json")
    if results.study != study.name:
        rule = f"a run of the study {results.study!r}, not of {study.name!r}"
        raise StudyError(str(run), rule, f"add --study {results.study}, or name another --run")
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        names = [_place(aside, name, content) for name, content in _files(study, run, results, browser)]
        aside.replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return sorted(names)


def _place(folder: Path, name: str, content: bytes) -> str:
    write_bytes(folder / name, content)
    return name


def _files(study: Study, run: Path, results: Results, browser: Path | None) -> Iterator[tuple[str, bytes]]:
    yield "results.tex", write_macros(results).encode()
    yield "results.md", write_markdown(results).encode()
    yield "results.docx", write_document(results)
    yield FILE, study_references(study.folder).encode()
    for name, content in table_files(run):
        yield f"tables/{name}", content
    for path in sorted((run / "figures").glob("*.svg")):
        yield f"figures/{path.name}", path.read_bytes()
    yield from slide_files(run)
    if browser is not None:
        yield from printed_files(browser, run)


def write_markdown(results: Results) -> str:
    """The text of ``results.md``: one row per result, with where it was made."""
    rows = [
        f"| `{key}` | {print_result(result).markdown} | {', '.join(filter(None, (result.notebook, result.cell)))} |"
        for key, result in results.items()
    ]
    head = ["| result | as it is printed | made in |", "|---|---|---|"]
    return "\n".join([f"# Results of {results.study}", "", *head, *rows]) + "\n"
