"""Workbooks, .xlsx and .xls: read as data, guarded against what unpacks without end; nothing in them is worked out."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.formats.decoding import MAX_CELLS, Row, Table, cell_text

MAX_MEMBERS = 2_000
MAX_UNPACKED = 300_000_000
MAX_RATIO = 100
SMALL = 20_000_000
MAX_ROWS = 1_048_576

_SAVE = "open it in a spreadsheet program and save it anew as .xlsx, or as CSV in UTF-8"
_OTHER_ARCHIVES = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file",
    "word/document.xml": "a text document",
    "ppt/presentation.xml": "a presentation",
}
_XML = tuple(mark.encode(codec) for mark in ("<!DOCTYPE", "<!ENTITY") for codec in ("ascii", "utf-16-le", "utf-16-be"))

Cell = tuple[Any, str]
_PADDED = re.compile("00+")
Place = tuple[str, int, int]
Titles = Collection[str] | None


def read_xlsx(content: bytes, path: Path, titles: Titles = None) -> tuple[Table, ...]:
    """The visible worksheets of an .xlsx file, or those of them with these titles.

    Raises
    ------
    StudyError
        When the archive is no workbook, is damaged or protected, unpacks to too much, or holds a formula whose result
        was not saved.
    """
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    with damage(path):
        unpacked = _check_archive(content, path)
        options = {"read_only": True, "keep_links": False}
        formulas = set()
        if unpacked:
            formulas = set(_find_formulas(load_workbook(io.BytesIO(content), data_only=False, **options), titles))
        book = load_workbook(io.BytesIO(content), data_only=True, **options)
        tables = []
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible" and _is_wanted(sheet.title, titles):
                sheet.reset_dimensions()  # the size that the file declares may be wrong, or absurd
                tables.append(_table(sheet.title, map(_new_cells, sheet.iter_rows()), path, formulas))
    return tuple(tables)


def read_xls(content: bytes, path: Path, titles: Titles = None) -> tuple[Table, ...]:
    """The visible worksheets of an .xls file, or those of them with these titles.

    Raises
    ------
    StudyError
        When the file is no workbook, is damaged or protected.
    """
    import xlrd  # type: ignore[import-untyped]

    if "EncryptedPackage".encode("utf-16-le") in content:
        raise StudyError(str(path), "the workbook is protected by a password", "save it without a password")
    with damage(path):
        # What xlrd remarks on its way goes nowhere: it prints to the terminal by default.
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), formatting_info=True, ragged_rows=True)
        return tuple(
            _table(sheet.name, _old_cells(book, sheet), path, set())
            for sheet in book.sheets()
            if not sheet.visibility and _is_wanted(sheet.name, titles)
        )


def _is_wanted(title: str, titles: Titles) -> bool:
    return titles is None or title in titles


@contextlib.contextmanager
def damage(path: Path) -> Iterator[None]:
    """Whatever a reader of another project stumbles over, told as a damaged file."""
    with warnings.catch_warnings(record=True):  # remarks on styles and labels, which are not read
        warnings.simplefilter("always")
        try:
            yield
        except StudyError:
            raise
        except Exception as error:  # noqa: BLE001 - on a damaged file those readers raise anything
            rule = f"the file is damaged or protected and cannot be read ({type(error).__name__})"
            raise StudyError(str(path), rule, _SAVE) from None


def _check_archive(content: bytes, path: Path) -> bool:
    """Stop unless the archive is a workbook of a sane size without declarations in its XML; whether it has formulas."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        too_dense = unpacked > SMALL and unpacked > MAX_RATIO * len(content)
        if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or too_dense:
            rule = f"the archive unpacks to {unpacked / 1e6:,.0f} MB in {len(members)} parts from {len(content)} bytes"
            raise StudyError(str(path), rule, "get the file anew from where it comes; this one is not opened")
        names = {member.filename for member in members}
        if "xl/workbook.xml" not in names:
            kind = next((kind for name, kind in _OTHER_ARCHIVES.items() if name in names), "an archive")
            raise StudyError(str(path), f"the file is {kind}, not an .xlsx workbook", _SAVE)
        parts = {name: archive.read(name) for name in names if name.endswith((".xml", ".rels"))}
    for name, part in parts.items():
        if any(mark in part for mark in _XML):
            raise StudyError(f"{path}, {name}", "its XML declares entities, which no spreadsheet program does", _SAVE)
    return any(b"<f" in part for name, part in parts.items() if name.startswith("xl/worksheets/"))


def _find_formulas(book: Any, titles: Titles) -> Iterator[tuple[str, int, int]]:
    for sheet in book.worksheets:
        if not _is_wanted(sheet.title, titles):
            continue
        sheet.reset_dimensions()
        for line, row in enumerate(sheet.iter_rows(), start=1):
            _check_lines(line, sheet.title)
            yield from ((sheet.title, line, place) for place, cell in enumerate(row) if cell.data_type == "f")


def _new_cells(row: tuple[Any, ...]) -> tuple[Cell, ...]:
    values = [cell.value for cell in row]
    return tuple(
        (value, cell.number_format if isinstance(value, (int, float)) else "")
        for value, cell in zip(values, row, strict=True)
    )


def _old_cells(book: Any, sheet: Any) -> Iterator[tuple[Cell, ...]]:
    import xlrd

    for line in range(sheet.nrows):
        row = []
        for cell in sheet.row(line):
            value = cell.value
            if cell.ctype == xlrd.XL_CELL_DATE:
                value = xlrd.xldate_as_datetime(value, book.datemode)
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code.get(value, "#ERROR")
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            is_number = cell.ctype == xlrd.XL_CELL_NUMBER
            style = book.format_map[book.xf_list[cell.xf_index].format_key].format_str if is_number else ""
            row.append((value, style))
        yield tuple(row)


def _table(title: str, rows: Iterable[tuple[Cell, ...]], path: Path, formulas: set[Place]) -> Table:
    """The rows of a worksheet as text, all equally wide, without blank ones."""
    where, kept, width = f"{path}, sheet '{title}'", [], 0
    for line, row in enumerate(rows, start=1):
        _check_lines(line, where)
        place = f"{where}, row {line}"
        if formulas:
            _check_results(title, line, row, formulas, place)
        texts = [_text(cell, place) for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            kept.append((line, texts))
            width = max(width, len(texts))
        if len(kept) * width > MAX_CELLS:
            raise StudyError(where, f"the sheet has more than {MAX_CELLS:,} cells", "keep what the study uses")
    return Table(title, tuple(Row(line, (*texts, *[""] * (width - len(texts)))) for line, texts in kept))


def _check_results(title: str, line: int, row: tuple[Cell, ...], formulas: set[Place], where: str) -> None:
    for column, (value, _) in enumerate(row):
        if value is None and (title, line, column) in formulas:
            rule = f"the formula in column {column + 1} was saved without its result"
            raise StudyError(where, rule, "open the file in a spreadsheet program and save it, or paste the values")


def _text(cell: Cell, where: str) -> str:
    """A cell as text; a share shown as per cent is given with its sign, so that no one takes it for the other."""
    value, style = cell
    if isinstance(value, (int, float)) and not isinstance(value, bool) and "%" in style:
        return f"{100 * value:.12g}%"
    if isinstance(value, (int, float)) and _PADDED.fullmatch(style) and float(value).is_integer():
        return f"{int(value):0{len(style)}d}"  # a code that is shown with its leading zeros
    return cell_text(value, where)


def _check_lines(line: int, where: str) -> None:
    if line > MAX_ROWS:
        raise StudyError(where, f"the sheet has more than {MAX_ROWS:,} rows", "keep what the study uses")
