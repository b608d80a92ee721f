"""The chain behind one number: cell, notebook, tables, indicators, raw files with checksum and source line."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import StudyError, did_you_mean
from helpers.results.panel_of_checks import find_notebooks
from helpers.results.results import Result, Results, read_results
from helpers.review.reference import check_edits
from helpers.review.slices import Slice, find_writer, slice_cell
from helpers.runner.sources import Source, read_sources
from helpers.study.formula import parse_formula

if TYPE_CHECKING:
    from helpers.study.study import Study


@dataclass(frozen=True)
class RawFile:
    """A raw file behind a number.

    Attributes
    ----------
    column
        The statistic that the study reads from it.
    path
        The file, in the study's folder.
    checksum
        SHA-256.
    source
        Where the study's ``SOURCES.md`` speaks of it, with the line's number; empty when it does not.
    """

    column: str
    path: str
    checksum: str
    source: str


@dataclass(frozen=True)
class Chain:
    """What is behind one number.

    Attributes
    ----------
    result
        The number.
    slices
        What it rests on in its own notebook, then in those whose tables these cells read.
    terms
        Variables, indices and indicators behind it, each with its formula.
    files
        Raw files behind them.
    """

    result: Result
    slices: tuple[Slice, ...]
    terms: dict[str, str]
    files: tuple[RawFile, ...]


def find_chain(root: Path, study: Study, key: str, folder: Path) -> Chain:
    """Follow one recorded number back to the raw files.

    Parameters
    ----------
    root
        The project's root.
    study
        The study.
    key
        Of the number.
    folder
        The run folder; its record says which notebooks were run.

    Raises
    ------
    StudyError
        The study has not been run, or it has no such number.
    """
    results = read_recorded(folder, study)
    if key not in results:
        remedy = did_you_mean(key, list(results)) + "`study why` takes a key of results.json"
        raise StudyError(f"result {key}", "no result is recorded under this key", remedy)
    result = results[key]
    slices = find_slices(read_sources(find_notebooks(folder, root)), result.notebook, result.cell or "")
    terms = find_terms(study, key)
    return Chain(result, slices, terms, tuple(find_files(study, terms)))


def read_recorded(folder: Path, study: Study) -> Results:
    """The numbers of a run of this very study.

    Raises
    ------
    StudyError
        The study has not been run, or the folder holds another's numbers, or some that were edited by hand.
    """
    check_edits(folder)
    results = read_results(folder / "results.json")
    if results.study != study.name:
        rule = f"these are numbers of the study {results.study}, not of {study.name}"
        raise StudyError(str(folder), rule, f"add `--study {results.study}`, or name another folder with --run")
    return results


def find_slices(sources: Sequence[Source], notebook: str | None, cell: str) -> tuple[Slice, ...]:
    """The cells behind a cell, notebook by notebook, its own first."""
    found: list[Slice] = []
    waiting = [(source, cell) for source in sources if source.name == notebook]
    while waiting:
        source, name = waiting.pop(0)
        piece = slice_cell(source, name)
        if piece not in found:
            found.append(piece)
            earlier = [other for other in sources if other.name < source.name]
            waiting += [place for table in piece.tables if (place := find_writer(earlier, table))]
    return tuple(found)


def find_terms(study: Study, key: str) -> dict[str, str]:
    """Derived columns behind a result, each with its formula: those that its key names, else those of the model."""
    model = study.specification
    known = {*study.indices, *study.indicators, *study.variables}
    named = [word for word in key.split(".") if word in known]
    if not named or set(named) & {model.treatment, model.outcome, *study.mediators}:
        named = [model.outcome, model.treatment, *model.controls, *named]
    terms: dict[str, str] = {}
    for name in named:
        if name in study.indices:
            terms |= {part: item.formula for part, item in study.indices[name].indicators.items()}
        else:
            terms[name] = study.formulas[name]
    return terms


def find_columns(study: Study, terms: Iterable[str]) -> list[str]:
    """Statistics that some derived columns are made from, through other derived columns where a formula names one."""
    found: list[str] = []
    waiting = list(terms)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if name in study.formulas:
            waiting += [part for part in parse_formula(study.formulas[name]).columns if part != name]
        if name in study.columns and name not in found:
            found.append(name)
        elif name in study.formulas:
            found += [
                part
                for part in parse_formula(study.formulas[name]).columns
                if part in study.columns and part not in found
            ]
    return found


def find_files(study: Study, terms: Iterable[str]) -> Iterator[RawFile]:
    """Raw files behind some derived columns."""
    lines = _source_lines(study.folder / "SOURCES.md")
    for column in find_columns(study, terms):
        path = study.columns[column].file
        digest = hashlib.sha256((study.folder / path).read_bytes()).hexdigest()
        yield RawFile(column, path, digest, lines.get(column) or lines.get(Path(path).stem, ""))


def _source_lines(path: Path) -> dict[str, str]:
    """First word of a row of a table in ``SOURCES.md`` -> the row with its number."""
    if not path.is_file():
        return {}
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    rows = [
        (number, next(csv.reader([line.strip().strip("|")], delimiter="|")))
        for number, line in lines
        if line.startswith("|")
    ]
    return {
        cells[0].strip(" `"): f"{path.name} line {number}: {' | '.join(c.strip() for c in cells[1:])}"
        for number, cells in rows
    }


def tell_chain(chain: Chain) -> Iterator[str]:
    """The chain, one link a line."""
    result = chain.result
    shown = f"{result.shown!r}" if isinstance(result.shown, str) else f"{result.shown:.{max(result.digits, 1)}f}"
    yield f"{result.key} = {shown}{f', {result.convention}' if result.convention else ''}"
    for piece in chain.slices:
        yield f"  made in {piece.notebook}, {', '.join(piece.cells)}"
        if piece.tables:
            yield f"    reads the tables {', '.join(piece.tables)}"
        if piece.modules:
            yield f"    calls {', '.join(piece.modules)}"
        if piece.reads_all:
            yield "    looks at the results of all earlier notebooks"
    for name, formula in chain.terms.items():
        yield f"  {name} = {formula}"
    for file in chain.files:
        yield f"  {file.column}: {file.path}, SHA-256 {file.checksum}{f'; {file.source}' if file.source else ''}"
