"""The shapes in which statistics come, each recognised from content.

A layout is one small function: it takes the figures out of a :class:`Sheet`, or gives None where the sheet does not
have its shape. A new shape is a new function and its name in :data:`LAYOUTS`; nothing else changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.decoding import Row
from helpers.errors import StudyError
from helpers.units import Spellings

_YEAR = re.compile(r"(\d{4})\s*年?", re.ASCII)
_INDICATOR = re.compile(r"指标\s*[:：]\s*(.+)")
_FOOTER = re.compile(r"(注|备注|说明|数据来源|资料来源|来源|notes?|sources?)\s*([:：.]|$)", re.IGNORECASE)
_ENTITY_WORDS = {"地区", "省份", "省市", "region", "entity"}
_TIME_WORDS = {"年份", "年度", "年", "时间", "year", "time"}
_MEASURE_WORDS = {"指标", "indicator", "statistic", "variable"}
_VALUE_WORDS = {"数值", "值", "value"}


@dataclass(frozen=True)
class Sheet:
    """A file cut into rows of cells, with what the study knows about its words.

    Attributes
    ----------
    path
        The file, for messages.
    rows
        Its lines that are not blank.
    spellings
        How the entities are spelt.
    time_name
        The study's word for time.
    """

    path: Path
    rows: tuple[Row, ...]
    spellings: Spellings
    time_name: str


@dataclass(frozen=True)
class Figure:
    """One cell of a statistic: where it stands, the entity as spelt, the time, the measure (if named) and the text."""

    line: int
    entity: str
    time: int
    measure: str | None
    text: str


def find_indicator(sheet: Sheet) -> str | None:
    """What the file itself says it holds (the line that begins with 指标：), or None."""
    for row in sheet.rows[:10]:
        match = _INDICATOR.match(",".join(filter(None, row.cells)))
        if match:
            return match[1].strip()
    return None


def read_figures(sheet: Sheet) -> list[Figure]:
    """The figures of a sheet, by the first layout that it has.

    Raises
    ------
    StudyError
        When it has none that is known.
    """
    for layout in LAYOUTS if sheet.rows else ():
        figures = layout(sheet)
        if figures is not None:
            return figures
    raise StudyError(
        str(sheet.path),
        "no header was found",
        "the file needs a line that names the entity and the years (地区,2021年,2020年,...), "
        f"or a table with the columns {sheet.spellings.columns[0]} and {sheet.time_name}",
    )


def parse_time(text: str) -> int | None:
    """A year as files write it (2021, 2021年), or None."""
    match = _YEAR.fullmatch(text)
    return int(match[1]) if match else None


def read_entity_by_time(sheet: Sheet) -> list[Figure] | None:
    """Regions down, years across: the Bureau's classic export, and a file stripped to its header and figures."""
    header = _time_header(sheet)
    if header is None:
        return None
    times = [parse_time(cell) for cell in header.cells[1:]]
    known = [time for time in times if time is not None]
    twice = [time for time in known if known.count(time) > 1]
    if twice:
        raise StudyError(_at(sheet, header), f"the year {twice[0]} stands twice", "keep one column per year")
    figures = []
    for row in _body(sheet, header):
        cells = _fit(sheet, row, len(header.cells))
        for time, text in zip(times, cells[1:], strict=True):
            if time is not None:
                figures.append(Figure(row.line, cells[0], time, None, text))
            elif text:
                raise StudyError(_at(sheet, row), f"'{text}' stands under no year", "name the year of its column")
    return figures


def refuse_one_entity(sheet: Sheet) -> list[Figure] | None:
    """Indicators down, years across: without the region's name the figures belong to nobody."""
    if not any(row.cells[0] in _MEASURE_WORDS and parse_time(_second(row)) for row in sheet.rows[:10]):
        return None
    raise StudyError(
        str(sheet.path),
        "the file holds indicators of one entity and does not name it",
        f"export one indicator for all entities, or add the columns {sheet.spellings.columns[0]} and {sheet.time_name}",
    )


def read_long_table(sheet: Sheet) -> list[Figure] | None:
    """One row per figure: entity, time, measure, value."""
    keys, columns = _key_columns(sheet), _long_columns(sheet)
    if keys is None or columns is None:
        return None
    figures = []
    for row in _body(sheet, sheet.rows[0]):
        cells = _fit(sheet, row, len(sheet.rows[0].cells))
        time = _time_of(sheet, row, cells[keys[1]])
        figures.append(Figure(row.line, cells[keys[0]], time, cells[columns[0]], cells[columns[1]]))
    return figures


def read_wide_table(sheet: Sheet) -> list[Figure] | None:
    """One row per entity and time, one column per measure."""
    keys = _key_columns(sheet)
    if keys is None:
        return None
    header = sheet.rows[0]
    _check_headings(sheet, header)
    known = {i for i, cell in enumerate(header.cells) if cell in sheet.spellings.columns or not cell} | set(keys)
    measures = [i for i in range(len(header.cells)) if i not in known]
    figures = []
    for row in _body(sheet, header):
        cells = _fit(sheet, row, len(header.cells))
        time = _time_of(sheet, row, cells[keys[1]])
        figures += [Figure(row.line, cells[keys[0]], time, header.cells[i], cells[i]) for i in measures]
    return figures


def _at(sheet: Sheet, row: Row) -> str:
    return f"{sheet.path}, line {row.line}"


def _second(row: Row) -> str:
    return row.cells[1] if len(row.cells) > 1 else ""


def _time_header(sheet: Sheet) -> Row | None:
    """The line whose first cell names the entity and whose other cells are years (an empty last one is let pass)."""
    for row in sheet.rows[:10]:
        others = [cell for cell in row.cells[1:] if cell]
        if _is_entity_word(row.cells[0], sheet.spellings) and others and all(parse_time(cell) for cell in others):
            return row
    return None


def _is_entity_word(cell: str, spellings: Spellings) -> bool:
    return cell in spellings.columns or cell.casefold() in _ENTITY_WORDS


def _key_columns(sheet: Sheet) -> tuple[int, int] | None:
    """Where the first line has its entity column and its time column, if it has both."""
    cells = sheet.rows[0].cells if sheet.rows else ()
    for name in (*sheet.spellings.columns, *(cell for cell in cells if cell.casefold() in _ENTITY_WORDS)):
        times = [i for i, cell in enumerate(cells) if cell == sheet.time_name or cell.casefold() in _TIME_WORDS]
        if name in cells and times:
            return cells.index(name), times[0]
    return None


def _long_columns(sheet: Sheet) -> tuple[int, int] | None:
    cells = [cell.casefold() for cell in sheet.rows[0].cells]
    measure = [i for i, cell in enumerate(cells) if cell in _MEASURE_WORDS]
    value = [i for i, cell in enumerate(cells) if cell in _VALUE_WORDS]
    return (measure[0], value[0]) if measure and value else None


def _check_headings(sheet: Sheet, header: Row) -> None:
    for cell in filter(None, header.cells):
        if header.cells.count(cell) > 1:
            raise StudyError(_at(sheet, header), f"the column '{cell}' stands twice", "keep one of them")


def _time_of(sheet: Sheet, row: Row, text: str) -> int:
    time = parse_time(text)
    if time is None:
        raise StudyError(_at(sheet, row), f"'{text}' is not a year", "write the year with four digits")
    return time


def _body(sheet: Sheet, header: Row) -> Iterator[Row]:
    """The rows of figures: below the header, without footnotes and source line."""
    footer = False
    for row in sheet.rows:
        if row.line <= header.line:
            continue
        known = sheet.spellings.find(row.cells[0]) is not None
        footer = footer or (not known and _FOOTER.match(row.cells[0]) is not None)
        if not footer or known or _has_figures(row):
            yield row


def _has_figures(row: Row) -> bool:
    """Whether a line below the footnotes looks like figures again, so that it is not passed over in silence."""
    cells = [cell for cell in row.cells[1:] if cell]
    return len(cells) > 1 and all(re.fullmatch(r"[\d.,+-]+", unicodedata.normalize("NFKC", cell)) for cell in cells)


def _fit(sheet: Sheet, row: Row, width: int) -> tuple[str, ...]:
    """The cells of a row as wide as the header; empty cells beyond it are dropped, anything else stops."""
    cells = row.cells[:width]
    beyond = [cell for cell in row.cells[width:] if cell]
    if len(cells) < width or beyond:
        raise StudyError(
            f"{_at(sheet, row)} ({row.cells[0]})",
            f"the row has {len(row.cells)} cells, the header {width}",
            "give every column one cell, empty where there is no figure; write numbers without thousands separators",
        )
    return cells


Layout = Callable[[Sheet], list[Figure] | None]

LAYOUTS: tuple[Layout, ...] = (read_entity_by_time, refuse_one_entity, read_long_table, read_wide_table)
