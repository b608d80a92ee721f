"""The shapes in which statistics come, each recognised from content.

A layout is one small function: it takes the figures out of a :class:`helpers.reading.sheets.Sheet`, or gives None
where the sheet does not have its shape. A new shape is a new function and its name in :data:`LAYOUTS`; nothing else
changes.
"""

from __future__ import annotations

from collections.abc import Callable

from helpers.errors import StudyError
from helpers.formats.decoding import Row, shorten
from helpers.reading.sheets import (
    HEAD,
    Figure,
    Sheet,
    UnknownLayoutError,
    body,
    check_headings,
    explain_time,
    find_entity,
    find_time,
    fit,
    is_measure,
    is_value,
)


def read_figures(sheet: Sheet) -> list[Figure]:
    """The figures of a sheet, by the first layout that it has.

    Raises
    ------
    StudyError
        When a cell is not as the layout needs it.
    UnknownLayoutError
        When the sheet has no layout that is known; the message says what comes nearest.
    """
    for layout in LAYOUTS if sheet.rows else ():
        figures = layout(sheet)
        if figures is not None:
            return figures
    raise _explain(sheet)


def read_entity_by_time(sheet: Sheet) -> list[Figure] | None:
    """Regions down, years across: the Bureau's exports, files stripped to the header, tables with a measure column."""
    header = _find_row(sheet, lambda row: _entity_column(sheet, row) is not None and _has_times(sheet, row))
    if header is None:
        return None
    check_headings(sheet, header)
    at = _entity_column(sheet, header) or 0
    times = [sheet.time(cell) for cell in header.cells]
    measure = next((place for place, cell in enumerate(header.cells) if is_measure(cell)), None)
    others = {at, measure} | {i for i, cell in enumerate(header.cells) if cell and sheet.is_remark(cell)}
    figures = []
    for row in body(sheet, header, at):
        cells, place = fit(sheet, row, len(header.cells)), sheet.at(row)
        named = None if measure is None else cells[measure]
        for column, (time, text) in enumerate(zip(times, cells, strict=True)):
            if time is not None:
                figures.append(Figure(place, cells[at], time, named, text))
            elif text and column not in others:
                rule = f"'{shorten(text)}' stands under no year: its heading is empty, merged or misplaced"
                raise StudyError(place, rule, "name the year of every column in the header line")
    return figures


def read_one_entity(sheet: Sheet) -> list[Figure] | None:
    """Indicators down, years across; a line above the header (地区：...) must name the entity.

    Raises
    ------
    StudyError
        Without that line the figures belong to nobody.
    """
    header = _find_row(sheet, lambda row: is_measure(row.cells[0]) and _has_times(sheet, row))
    if header is None or any(sheet.is_entity(cell) for cell in header.cells):
        return None
    named = find_entity(sheet)
    if named is None:
        raise StudyError(
            sheet.where,
            "the file holds indicators of one entity and does not name it",
            f"add the line 地区：<name> (or {sheet.names[0]}: <name>) above the header, "
            "or export one indicator for all entities",
        )
    check_headings(sheet, header)
    times = [sheet.time(cell) for cell in header.cells]
    figures = []
    for row in body(sheet, header):
        cells, place = fit(sheet, row, len(header.cells)), sheet.at(row)
        for time, text in zip(times, cells, strict=True):
            if time is not None:
                figures.append(Figure(place, named[0], time, cells[0], text))
    return figures


def read_time_by_entity(sheet: Sheet) -> list[Figure] | None:
    """Years down, regions across."""
    header = _find_row(sheet, lambda row: _names_entities(sheet, row))
    if header is None:
        return None
    check_headings(sheet, header)
    figures = []
    for row in body(sheet, header):
        cells, place = fit(sheet, row, len(header.cells)), sheet.at(row)
        time = _time_of(sheet, row, cells[0])
        for entity, text in zip(header.cells[1:], cells[1:], strict=True):
            if entity:
                figures.append(Figure(place, entity, time, None, text))
            elif text:
                raise StudyError(place, f"'{shorten(text)}' stands under no entity", "name its column")
    return figures


def read_long_table(sheet: Sheet) -> list[Figure] | None:
    """One row per figure: entity, time, measure, value."""
    header = _find_row(sheet, lambda row: _keys(sheet, row) is not None)
    if header is None:
        return None
    measure = next((place for place, cell in enumerate(header.cells) if is_measure(cell)), None)
    value = next((place for place, cell in enumerate(header.cells) if is_value(cell)), None)
    if measure is None or value is None:
        return None
    check_headings(sheet, header)
    figures = []
    entity, time = _keys(sheet, header) or (0, 0)
    for row in body(sheet, header, entity):
        cells, place = fit(sheet, row, len(header.cells)), sheet.at(row)
        at_time = _time_of(sheet, row, cells[time])
        figures.append(Figure(place, cells[entity], at_time, cells[measure], cells[value]))
    return figures


def read_wide_table(sheet: Sheet) -> list[Figure] | None:
    """One row per entity and time, one column per measure."""
    header = _find_row(sheet, lambda row: _keys(sheet, row) is not None)
    if header is None:
        return None
    check_headings(sheet, header)
    entity, time = _keys(sheet, header) or (0, 0)
    measures = [i for i in range(len(header.cells)) if i not in (entity, time) and not _is_remark(sheet, header, i)]
    figures = []
    for row in body(sheet, header, entity):
        cells, place = fit(sheet, row, len(header.cells)), sheet.at(row)
        at_time = _time_of(sheet, row, cells[time])
        figures += [Figure(place, cells[entity], at_time, header.cells[i], cells[i]) for i in measures]
    return figures


def read_one_time(sheet: Sheet) -> list[Figure] | None:
    """Regions down, indicators across; the year stands in a line above the header (时间：2019年)."""
    header = _find_row(sheet, lambda row: _is_list(sheet, row))
    time = find_time(sheet)
    if header is None or time is None:
        return None
    check_headings(sheet, header)
    entity = _entity_column(sheet, header) or 0
    measures = [i for i in range(len(header.cells)) if i != entity and not _is_remark(sheet, header, i)]
    figures = []
    for row in body(sheet, header, entity):
        cells, place = fit(sheet, row, len(header.cells)), sheet.at(row)
        figures += [Figure(place, cells[entity], time, header.cells[i], cells[i]) for i in measures]
    return figures


def _find_row(sheet: Sheet, is_header: Callable[[Row], bool]) -> Row | None:
    return next((row for row in sheet.rows[:HEAD] if is_header(row)), None)


def _entity_column(sheet: Sheet, row: Row) -> int | None:
    """Where a header has its entities: the key before its aliases; a bare first cell above names counts too."""
    for name in sheet.spellings.columns:
        if name in row.cells:
            return row.cells.index(name)
    place = next((place for place, cell in enumerate(row.cells) if sheet.is_entity(cell)), None)
    if place is None and not row.cells[0] and any(row.cells):
        below = next((other for other in sheet.rows if other.line > row.line), None)
        return 0 if below is not None and sheet.spellings.find(below.cells[0]) else None
    return place


def _has_times(sheet: Sheet, row: Row) -> bool:
    """Whether a header has years, and no column of times beside them."""
    return any(sheet.time(cell) for cell in row.cells) and not any(sheet.is_time(cell) for cell in row.cells)


def _names_entities(sheet: Sheet, row: Row) -> bool:
    others = [cell for cell in row.cells[1:] if cell]
    return (not row.cells[0] or sheet.is_time(row.cells[0])) and bool(others) and all(map(sheet.spellings.find, others))


def _keys(sheet: Sheet, row: Row) -> tuple[int, int] | None:
    """Where a header has its entity column and its time column, if it has both."""
    entity = _entity_column(sheet, row)
    time = next((place for place, cell in enumerate(row.cells) if sheet.is_time(cell)), None)
    return None if entity is None or time is None or entity == time else (entity, time)


def _is_list(sheet: Sheet, row: Row) -> bool:
    """Whether a line is a header of entities and something else that is not about time."""
    filled = [cell for cell in row.cells if cell]
    return len(filled) > 1 and _entity_column(sheet, row) is not None and not any(map(sheet.is_time, filled))


def _is_remark(sheet: Sheet, header: Row, place: int) -> bool:
    return sheet.is_remark(header.cells[place])


def _time_of(sheet: Sheet, row: Row, text: str) -> int:
    time = sheet.time(text)
    if time is None:
        raise explain_time(text, sheet.at(row))
    return time


def _explain(sheet: Sheet) -> StudyError:
    """What comes nearest to a layout, and what it lacks."""
    header = _find_row(sheet, lambda row: _is_list(sheet, row))
    if header is not None:
        for cell in header.cells:
            error = explain_time(cell, sheet.at(header))
            if cell and not error.rule.endswith("is not a year"):
                return UnknownLayoutError(error.where, error.rule, error.remedy)
        return UnknownLayoutError(
            sheet.at(header),
            f"no column is a {sheet.names[1]}, and no line above says which {sheet.names[1]} the figures are of",
            f"add a column {sheet.names[1]}, or the line 时间：2021年 above the header",
        )
    wide = any(len(row.cells) == 1 and row.cells[0].count("，") > 1 for row in sheet.rows[:HEAD])
    hint = "; its cells are separated by full-width commas" if wide else ""
    return UnknownLayoutError(
        sheet.where,
        f"no header was found{hint}",
        "the file needs a line that names the entity and the years (地区,2021年,2020年,...), "
        f"or a table with the columns {sheet.spellings.columns[0]} and {sheet.names[1]}",
    )


Layout = Callable[[Sheet], list[Figure] | None]

LAYOUTS: tuple[Layout, ...] = (
    read_entity_by_time,
    read_one_entity,
    read_time_by_entity,
    read_long_table,
    read_wide_table,
    read_one_time,
)
