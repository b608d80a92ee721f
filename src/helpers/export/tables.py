"""The tables of a run as CSV, LaTeX, Word and Excel files."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from helpers.display.journal import latex_table, without_times, word_file
from helpers.display.tables import drawn_p_values, format_table, read_table
from helpers.results.numbers import Table, is_number, read_tables
from helpers.results.results import read_results

LONGEST, WIDEST = 60, 12
"""Rows and columns of the largest table that goes on a page; a larger one is written for Excel alone."""
SAVED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
WHEN = rb"\g<1>1980-01-01T00:00:00Z\g<3>"


def table_files(run: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file.

    A table that the run itself wrote in a journal's form is taken over as it is. ``.tex`` and ``.docx`` print the
    figures as the report does by itself, three decimals; ``.xlsx`` holds them as they were computed.
    """
    drawn = drawn_p_values(read_results(run / "results.json").values())
    for name, table in read_tables(run, {}).items():
        yield f"{name}.csv", (run / "tables" / f"{name}.csv").read_bytes()
        yield f"{name}.xlsx", _workbook(name, table)
        own = [path for end in ("tex", "docx") if (path := run / "tables" / f"{name}.{end}").is_file()]
        if own:
            yield from ((path.name, path.read_bytes()) for path in own)
        elif len(table.rows) <= LONGEST and len(table.columns) <= WIDEST and table.columns:
            shown = format_table(read_table(run / "tables" / f"{name}.csv"), drawn=drawn)
            frame = shown.set_index(shown.columns[0])
            caption = name[:1].upper() + name[1:].replace("_", " ")
            yield f"{name}.tex", latex_table(frame, caption, "", name).encode()
            yield f"{name}.docx", word_file(frame, caption, "")


def _workbook(name: str, table: Table) -> bytes:
    """One sheet: numbers as numbers, everything else as text, never as a formula."""
    from openpyxl import Workbook  # type: ignore[import-untyped]

    book = Workbook()
    sheet = book.active
    sheet.title = name[:31]
    for number, row in enumerate((table.columns, *table.rows), start=1):
        for place, text in enumerate(row, start=1):
            if number > 1 and is_number(text):
                sheet.cell(number, place, float(text) if re.search(r"[.eE]", text) else int(text))
            elif text:
                cell = sheet.cell(number, place)
                cell.value, cell.data_type = text, "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return without_times(_fixed_dates(buffer.getvalue()))


def _fixed_dates(packed: bytes) -> bytes:
    """The same workbook, as if it had been made and saved long ago."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(buffer, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            target.writestr(part, SAVED.sub(WHEN, content) if part == "docProps/core.xml" else content)
    return buffer.getvalue()
