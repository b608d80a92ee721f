"""What a person's own table may mean: which column names the entities, which the times, which are measures.

Nothing is decided in silence: a table that allows no reading is refused, and what is proposed is written down to be
edited.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.errors import StudyError
from helpers.reading.decoding import Row, parse_number
from helpers.reading.formats import read_tables
from helpers.reading.sheets import parse_time

# Share of the cells of a column that must look like years, or numbers, for it to be taken for times, or for a measure;
# a cell of it that is none is then named in a message.
MOSTLY = 0.5
YEARS = range(1500, 2201)
HEADER_WITHIN = 12
_UNIT = re.compile(r"^(?P<name>.*?)\s*[(（\[](?P<unit>[^()（）\[\]]+)[)）\]]\s*$")
_NOTE = re.compile(r"^(注|备注|说明|数据来源|资料来源|来源|notes?|sources?)\s*[:：.]", re.IGNORECASE)
_INDICATOR = re.compile(r"指标\s*[:：]\s*(.+)")
_FIGURE = re.compile(r"[+-]?[\d.,\s]*\d[\d.,\s]*([eE][+-]?\d+)?\s*[%‰]?", re.ASCII)
_RISKY = re.compile(r"^[=+\-@]|[<>\x00-\x1f]")
_TIME_WORDS = ("year", "time", "年", "时间")
_ENTITY_WORDS = (
    *("地区", "省", "市", "国", "企业", "公司"),
    *("name", "country", "region", "province", "city", "firm", "code", "iso"),
)


@dataclass(frozen=True)
class Measure:
    """A column of figures.

    Attributes
    ----------
    heading
        As the file writes it.
    label, unit
        The heading without its unit, and the unit in brackets behind it.
    """

    heading: str
    label: str
    unit: str


@dataclass(frozen=True)
class Proposal:
    """How a table is read.

    Attributes
    ----------
    entity, time
        Headings of the columns of entities and times.
    measures
        Columns of figures, in the order of the file.
    attributes
        Headings of columns of text that are constant within an entity.
    figures
        One row per entity and time: float measures, indexed by (entity, time) as written.
    units
        Attributes of each entity, indexed by entity.
    ignored
        Headings of columns that are none of these.
    """

    entity: str
    time: str
    measures: tuple[Measure, ...]
    attributes: tuple[str, ...]
    figures: pd.DataFrame
    units: pd.DataFrame
    ignored: tuple[str, ...] = ()


def propose(path: Path) -> Proposal:
    """Read a file, or every file of a folder, and propose how.

    Raises
    ------
    StudyError
        No file, a file without a header, without entities, times or measures, with a row that stands twice or a cell
        that is no number; the message says what to change.
    """
    inside = path.iterdir() if path.is_dir() else [path]
    files = sorted(item for item in inside if not path.is_dir() or (item.is_file() and item.name[0] != "."))
    if not files:
        raise StudyError(str(path), "the folder holds no file", "put the tables there, one measure or more in each")
    parts = [_propose_file(file) for file in files]
    first = parts[0]
    if len(parts) == 1:
        return first
    for file, part in zip(files, parts, strict=True):
        elsewhere = {str(name) for other in parts if other is not part for name in other.figures}
        twice = sorted(elsewhere & {str(name) for name in part.figures})
        if twice:
            raise StudyError(str(file), f"the measure '{twice[0]}' stands in another file too", "keep it in one file")
    figures = pd.concat([part.figures.rename_axis(index=["entity", "time"]) for part in parts], axis=1).sort_index()
    units = pd.concat([part.units for part in parts], axis=1)
    units = units.loc[:, ~units.columns.duplicated()].reindex(figures.index.unique(0))
    measures = tuple(measure for part in parts for measure in part.measures)
    ignored = tuple(name for part in parts for name in part.ignored)
    return Proposal(first.entity, first.time, measures, tuple(map(str, units)), figures, units.fillna(""), ignored)


def _propose_file(path: Path) -> Proposal:
    tables = [table for table in read_tables(path) if len(table.rows) > 1]
    if len(tables) != 1:
        names = ", ".join(table.title or "the only one" for table in tables) or "none"
        raise StudyError(str(path), f"it has {len(tables)} tables with figures ({names})", "keep one in a file")
    rows = tables[0].rows
    header = _find_header(rows, path)
    body = [row for row in rows if row.line > header.line and not _NOTE.match(row.cells[0])]
    body = [row for row in body if sum(bool(cell) for cell in row.cells) > 1]
    if not body:
        raise StudyError(str(path), "there is a header but no figure", "put the figures below it")
    if sum(parse_time(cell) is not None for cell in header.cells) >= 2:
        return _read_across(rows, header, body, path)
    return _read_down(header, body, path)


def _find_header(rows: Sequence[Row], path: Path) -> Row:
    """The first line that names at least two columns, each once, and is as wide as the lines below it."""
    width = max(sum(bool(cell) for cell in row.cells) for row in rows)
    for row in rows[:HEADER_WITHIN]:
        named = [cell for cell in row.cells if cell]
        years = all(parse_time(cell) is not None for cell in named[1:])
        if len(named) >= max(2, width - 1) and not _is_figure(named[0]) and (years or not _is_figure(named[-1])):
            twice = sorted({cell for cell in named if named.count(cell) > 1})
            if twice:
                rule = f"the column '{twice[0]}' stands twice"
                raise StudyError(f"{path}, line {row.line}", rule, "keep one of them")
            return row
    raise StudyError(str(path), "no header was found", "name every column in one line, without merged cells")


def _read_across(rows: Sequence[Row], header: Row, body: list[Row], path: Path) -> Proposal:
    """Entities down, years across: one measure, named by the file's indicator line, else by the file."""
    matches = (_INDICATOR.match("".join(row.cells)) for row in rows if row.line < header.line)
    name = next((match[1].strip() for match in matches if match), path.stem)
    times = [(place, time) for place, cell in enumerate(header.cells) if (time := parse_time(cell)) is not None]
    cells = {}
    for row in body:
        _check_width(row, header, path)
        for place, time in times:
            key = (_check_name(row.cells[0], row, path), time)
            if key in cells:
                raise StudyError(f"{path}, line {row.line}", f"{key[0]} stands twice", "keep one row per entity")
            cells[key] = parse_number(row.cells[place], f"{path}, line {row.line}, {key[0]}, {time}")
    measure = _measure(name)
    index = pd.MultiIndex.from_tuples(list(cells), names=["entity", "time"])
    figures = pd.DataFrame({name: list(cells.values())}, index=index).sort_index()
    units = pd.DataFrame(index=figures.index.unique(0))
    return Proposal(header.cells[0] or "entity", "year", (measure,), (), figures, units)


def _read_down(header: Row, body: list[Row], path: Path) -> Proposal:
    """One row per entity and time."""
    for row in body:
        _check_width(row, header, path)
    columns = {name: [row.cells[place] for row in body] for place, name in enumerate(header.cells) if name}
    time = _find_time(columns, path)
    numeric = {name for name, cells in columns.items() if name != time and _share(cells, _is_figure) >= MOSTLY}
    entity = _find_entity(columns, time, numeric, path)
    measures = [name for name in columns if name in numeric and name != entity]
    if not measures:
        raise StudyError(str(path), "no column holds figures", "write numbers without units or thousands separators")
    keys = [
        (_check_name(name, row, path), parse_time(text))
        for name, text, row in zip(columns[entity], columns[time], body, strict=True)
    ]
    for number, key in enumerate(keys):
        if key[1] is None:
            rule = f"'{columns[time][number]}' is not a year"
            raise StudyError(f"{path}, line {body[number].line}", rule, "write the year with four digits")
    index = pd.MultiIndex.from_tuples(keys, names=["entity", "time"])
    figures = pd.DataFrame(
        {
            name: [
                parse_number(text, f"{path}, line {row.line}, column {name}")
                for text, row in zip(columns[name], body, strict=True)
            ]
            for name in measures
        },
        index=index,
    )
    attributes = _attributes(columns, [key[0] for key in keys], {entity, time, *measures})
    used = {entity, time, *measures, *attributes}
    ignored = tuple(name for name in columns if name not in used)
    described = tuple(map(_measure, measures))
    return Proposal(entity, time, described, tuple(map(str, attributes)), figures.sort_index(), attributes, ignored)


def _find_time(columns: dict[str, list[str]], path: Path) -> str:
    found = [name for name, cells in columns.items() if _share(cells, _is_year) >= MOSTLY and len(set(cells)) > 1]
    found.sort(key=lambda name: not any(word in name.casefold() for word in _TIME_WORDS))
    if not found:
        raise StudyError(str(path), "no column holds years", "add a column with the year in four digits in every row")
    return found[0]


def _find_entity(columns: dict[str, list[str]], time: str, numeric: set[str], path: Path) -> str:
    """The first column that repeats and, with the time, tells every row apart; texts and codes before numbers."""
    candidates = [name for name in columns if name != time and name not in numeric]
    candidates += [name for name in columns if name in numeric and _looks_like_code(name, columns[name])]
    repeating = [name for name in candidates if len(set(columns[name])) < len(columns[name]) and all(columns[name])]
    for name in repeating:
        if len(set(zip(columns[name], columns[time], strict=True))) == len(columns[name]):
            return name
    if repeating:
        seen: set[tuple[str, str]] = set()
        for key in zip(columns[repeating[0]], columns[time], strict=True):
            if key in seen:
                remedy = "keep one row per entity and year"
                raise StudyError(str(path), f"{key[0]}, {key[1]} stands twice in column {repeating[0]}", remedy)
            seen.add(key)
    remedy = "add a column with the name or code of the entity in every row"
    raise StudyError(str(path), "no column names the entities", remedy)


def _looks_like_code(name: str, cells: Iterable[str]) -> bool:
    return any(word in name.casefold() for word in (*_ENTITY_WORDS, "id")) and all(cell.isdigit() for cell in cells)


def _attributes(columns: dict[str, list[str]], entities: list[str], taken: set[str]) -> pd.DataFrame:
    """Columns of text that do not change within an entity."""
    others = [name for name in columns if name not in taken]
    frame = pd.DataFrame({name: columns[name] for name in others}, index=pd.Index(entities, name="entity"))
    grouped = frame.groupby(level=0)
    constant = [name for name in others if (grouped[name].nunique() <= 1).all()]
    return grouped[constant].first() if constant else pd.DataFrame(index=frame.index.unique().sort_values())


def _measure(heading: str) -> Measure:
    match = _UNIT.match(heading)
    return Measure(heading, match["name"], match["unit"]) if match else Measure(heading, heading, "")


def _check_width(row: Row, header: Row, path: Path) -> None:
    if len(row.cells) < len(header.cells) or any(row.cells[len(header.cells) :]):
        raise StudyError(
            f"{path}, line {row.line} ({row.cells[0][:40]})",
            f"the row has {len(row.cells)} cells, the header {len(header.cells)}",
            "give every column one cell; write numbers without thousands separators",
        )


def _check_name(name: str, row: Row, path: Path) -> str:
    if not name or _RISKY.search(name) or len(name) > 120:
        rule = f"'{name[:40]}' is not a name" if name else "the entity's name is empty"
        raise StudyError(f"{path}, line {row.line}", rule, "write a name of letters, digits, blanks and dots")
    return name


def _share(cells: Sequence[str], test: object) -> float:
    filled = [cell for cell in cells if cell]
    return sum(map(test, filled)) / len(filled) if filled and callable(test) else 0.0


def _is_year(cell: str) -> bool:
    return parse_time(cell) in YEARS


def _is_figure(cell: str) -> bool:
    """Whether a cell looks like a number, perhaps one that cannot be read as it stands."""
    return _FIGURE.fullmatch(unicodedata.normalize("NFKC", cell)) is not None
