"""The shapes of other people's tables, each turned into columns with one row per entity and period.

Measures may stand in columns, in blocks of columns by year, in rows under an indicator, on worksheets or in files. The
headings may take several lines. What is recognised is told; the texts of the cells are not touched.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from helpers.errors import StudyError
from helpers.formats.decoding import Row, Table, shorten
from helpers.reading.times import find_kind, is_time_word, parse_heading, read_times
from helpers.study.periods import Kind, show_period

HEADER_WITHIN = 40
MOST_HEADER_LINES = 3
# A first cell that is longer, in a row without figures, is a remark below the table.
LONGEST_NAME = 120
_STATEMENT = re.compile(r"([^:：,，]{1,20})[:：]\s*(.+)")
_NOTE = re.compile(
    r"^(注|备注|说明|数据来源|资料来源|来源|notes?|sources?|data from database|last updated|\*)\s*([:：.]|$)",
    re.IGNORECASE,
)
_STEM = re.compile(
    r"(?P<stem>.*?[^\d\s_.\-(（])[\s_.\-]*[(（]?(?P<time>(?:19|20)\d{2}(?:[-_. ]?[QqHhMm]\d{1,2})?年?)[)）]?"
)
_STEM_SHORT = re.compile(r"(?P<stem>.*?[^\d])_?(?P<time>\d{2})")
_STEM_AFTER = re.compile(r"[Xx]?(?P<time>(?:19|20)\d{2}(?:[QqHhMm]\d{1,2})?)年?[\s_.\-]*(?P<stem>[^\d\s_.\-].*)")
_NUMBER = re.compile(r"[+-]?[\d.,\s'’%]*\d[\d.,\s'’%]*([eE][+-]?\d+)?\s*([*†‡①-⑳]|\s[a-z]{1,2}|[(（\[]\d{1,2}[)）\]])*")
_GAPS = {"..", "...", ":", "-", "--", "na", "n/a", "nan", "null", "#n/a", "."}
INDICATOR_WORDS = (
    *(
        "indicatorname",
        "seriesname",
        "subjectdescriptor",
        "指标名称",
        "指标",
        "indicator",
        "series",
        "variable",
        "measure",
    ),
    *("statistic", "item", "变量", "变量名", "subject", "indicatorcode", "seriescode", "concept", "项目"),
)
UNIT_WORDS = ("unit", "units", "单位", "计量单位", "unitofmeasure")
VALUE = "value"
COUNTERS = ("", "rownames", "rowname", "row", "rn", "unnamed0", "index", "level0", "x", "x1", "1")
"""What R and pandas write above the numbers of the rows, without blanks and dots."""


@dataclass(frozen=True)
class Flat:
    """One table as columns of text.

    Attributes
    ----------
    name
        What the table is called: its worksheet's title, else the file's name.
    columns
        Heading -> the cells below it, all of one length.
    lines
        The line of each row in the file.
    labels, units
        What a heading stands for and its unit, where the table or its format says so.
    stated
        What the lines above the header say: name -> text.
    melted
        Whether the measures have no heading of their own, so that ``VALUE`` holds their figures.
    typed, semicolons
        From the format, for `helpers.reading.numbers.Notation`.
    told
        What was recognised.
    """

    name: str
    columns: dict[str, list[str]]
    lines: list[int]
    labels: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)
    melted: bool = False
    typed: bool = False
    semicolons: bool = False
    told: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.lines)


@dataclass(frozen=True)
class Headed:
    """A table cut into its header and its body.

    Attributes
    ----------
    heads
        One tuple per column: the lines of its heading, from the top, without empty ones.
    labels, units
        By column, from lines of labels and units below the names.
    body
        The rows of figures, as wide as the header.
    stated
        What the lines above say.
    """

    heads: list[tuple[str, ...]]
    labels: dict[int, str]
    units: dict[int, str]
    body: list[Row]
    stated: dict[str, str]


def flatten(table: Table, where: str, name: str) -> Flat:
    """Turn one table into columns with one row per entity and period, whichever shape it has.

    Raises
    ------
    StudyError
        There is no header, no figure, a heading that stands twice, or a row of another width than the header.
    """
    table = _lift_names(table)
    headed = split_header(table, where)
    headed = _split_keys(_without_counter(headed))
    headed = replace(headed, body=_fill_down(headed))
    for layout in (_read_across, _read_blocks):
        flat = layout(headed, where, name)
        if flat is not None:
            break
    else:
        flat = _read_down(headed, where, name)
    labels = {**table.labels, **flat.labels}
    return replace(flat, labels=labels, typed=table.delimiter == "", semicolons=table.delimiter == ";")


def _lift_names(table: Table) -> Table:
    """Names that stand alone in the line above a block of periods become a first column."""
    alone = [n for n, row in enumerate(table.rows) if row.cells[0] and not any(row.cells[1:]) and len(row.cells) > 2]
    blocks = [n for n in alone if n + 1 < len(table.rows) and parse_heading(table.rows[n + 1].cells[0]) is not None]
    blocks = [n for n in blocks if parse_heading(table.rows[n].cells[0]) is None and any(table.rows[n + 1].cells[1:])]
    if len(blocks) < 2 or any(parse_heading(row.cells[0]) for row in table.rows[: blocks[0]]):
        return table
    rows, name = [], ""
    for place, row in enumerate(table.rows):
        name = row.cells[0] if place in blocks else name
        if place not in blocks:
            rows.append(Row(row.line, (name or ("entity" if place == blocks[0] - 1 else ""), *row.cells)))
    return replace(table, rows=tuple(rows))


def split_header(table: Table, where: str) -> Headed:
    """Find the lines of the header, and tell names, labels, units and merged headings apart."""
    rows = table.rows
    start = _find_body(rows)
    if start is None:
        raise StudyError(where, "there is no figure", "put one row of figures per entity and period below a header")
    width = max(len(row.cells) for row in rows[start:])
    top = _find_top(rows, start, width)
    if top == start:
        raise StudyError(where, "no header was found", "name every column in one line above the figures")
    lines = [(*row.cells, *[""] * (width - len(row.cells)))[:width] for row in rows[top:start]]
    heads, labels, units = _read_header(lines)
    stated = {}
    for row in rows[:top]:
        match = _STATEMENT.fullmatch("".join(cell for cell in row.cells if cell))
        if match:
            stated[match[1].strip()] = match[2].strip()
    filled = max((place + 1 for place, head in enumerate(heads) if head), default=0)
    body = [_fit(row, filled, where) for row in rows[start:] if _is_body(row)]
    return Headed(heads[:filled], labels, units, body, stated)


def _find_body(rows: Sequence[Row]) -> int | None:
    """The first row of figures: numbers that are not a run of years, in a row that is more than a remark."""
    usual = Counter(sum(map(bool, row.cells)) for row in rows).most_common(1)[0][0] if rows else 0
    for place, row in enumerate(rows[:HEADER_WITHIN]):
        filled = [cell for cell in row.cells if cell]
        figures = [cell for cell in filled if _NUMBER.fullmatch(cell)]
        times = [cell for cell in filled if parse_heading(cell)]
        gaps = [cell for cell in filled if cell.casefold() in _GAPS]
        after = rows[place + 1].cells if place + 1 < len(rows) else ()
        named = 2 * len(figures) <= len(filled)
        if named and sum(_NUMBER.fullmatch(cell) is not None for cell in after) >= len(figures) + 2:
            continue  # a heading that is a number, above a row of figures
        if len(filled) < 2 or (not figures and not (gaps and times) and not (len(gaps) > 1)):
            continue
        run = len(times) >= 2 and len(set(times)) * 2 >= len(times) and len(figures) <= len(times)
        repeated = len(times) >= 4 and len(figures) <= len(times)
        if (run or repeated) and not _is_first_of_many(rows, place):
            continue
        if len(filled) * 2 >= min(usual, max(len(r.cells) for r in rows)) or len(filled) >= 3:
            return place
    return None


def _is_first_of_many(rows: Sequence[Row], place: int) -> bool:
    """Whether a row whose numbers are all years is followed by rows of the same kind: figures that look like years."""
    following = rows[place + 1 : place + 4]
    years = [sum(parse_heading(cell) is not None for cell in row.cells) >= 2 for row in following]
    return bool(following) and all(years)


def _find_top(rows: Sequence[Row], start: int, width: int) -> int:
    top = start
    while top > 0 and start - top < MOST_HEADER_LINES:
        cells = [cell for cell in rows[top - 1].cells if cell]
        statement = len(cells) <= 2 and _STATEMENT.fullmatch("".join(cells)) is not None
        title = len(cells) == 1 and bool(rows[top - 1].cells[0]) and top < start
        if statement or title or (len(cells) < 2 and top == start and width > 2):
            break
        if top < start and len(cells) * 2 < width and _is_full(rows[top].cells, width) and rows[top - 1].cells[0]:
            break
        top -= 1
    return top


def _is_full(cells: Sequence[str], width: int) -> bool:
    named = [cell for cell in cells[:width] if cell]
    return len(named) >= width - 1 and len(set(named)) == len(named)


def _read_header(lines: list[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], dict[int, str], dict[int, str]]:
    """Headings by column; lines of labels and of units below a line that names every column are taken as such."""
    width = len(lines[0])
    if len(lines) > 1 and _is_full(lines[0], width):
        units = {place: cell for place, cell in enumerate(lines[-1]) if cell}
        labels = {place: cell for place, cell in enumerate(lines[1]) if cell} if len(lines) > 2 else {}
        if len(lines) == 2 and len(set(units.values())) == len(units) == width:
            labels, units = units, {}
        units = {place: "" if unit in ("没有单位", "无") else unit for place, unit in units.items()}
        return [(cell,) if cell else () for cell in lines[0]], labels, units
    filled = [list(line) for line in lines]
    for level, line in enumerate(filled[:-1]):
        for place in range(1, width):
            lower = any(filled[deeper][place] for deeper in range(level + 1, len(filled)))
            if not line[place] and line[place - 1] and lower and not _is_key(filled, level, place - 1):
                line[place] = line[place - 1]
    columns = list(zip(*filled, strict=True))
    return [tuple(dict.fromkeys(part for part in column if part)) for column in columns], {}, {}


def _is_key(lines: list[list[str]], level: int, place: int) -> bool:
    """Whether a heading stands over one column only: nothing is written below it."""
    return not any(lines[deeper][place] for deeper in range(level + 1, len(lines)))


def _is_body(row: Row) -> bool:
    filled = [cell for cell in row.cells if cell]
    empty = all(cell.casefold() in _GAPS for cell in filled[1:])
    return len(filled) > 1 and not _NOTE.match(filled[0]) and not (empty and len(filled[0]) > LONGEST_NAME)


def _fit(row: Row, width: int, where: str) -> Row:
    cells = row.cells[:width]
    if len(cells) < width - 1 or any(row.cells[width:]):
        raise StudyError(
            f"{where}, line {row.line} ({shorten(row.cells[0])})",
            f"the row has {len(row.cells)} cells, the header {width}",
            "give every column one cell; write numbers without thousands separators, or put them in quotes",
        )
    return Row(row.line, (*cells, *[""] * (width - len(cells))))


def _fill_down(headed: Headed) -> list[Row]:
    """Names that stand only in the first row of a block are repeated in the rows below."""
    body, place = headed.body, next((n for n, head in enumerate(headed.heads) if head), 0)
    cells = [row.cells[place] for row in body]
    empty = sum(not cell for cell in cells)
    named = [cell for cell in cells if cell]
    if not empty or not named or not cells[0] or any(map(_NUMBER.fullmatch, named)) or empty * 3 < len(cells):
        return body
    filled, last = [], ""
    for row in body:
        last = row.cells[place] or last
        filled.append(Row(row.line, (*row.cells[:place], last, *row.cells[place + 1 :])))
    return filled


def _without_counter(headed: Headed) -> Headed:
    """Without the numbers of the rows that R and pandas write in front, where texts beside them name the rows."""
    head = _squeeze(headed.heads[0][-1]) if headed.heads[0] else ""
    cells = [row.cells[0] for row in headed.body]
    counted = len(cells) > 2 and cells[0] in ("0", "1") and cells == [str(int(cells[0]) + n) for n in range(len(cells))]
    beside = [row.cells[1] for row in headed.body if len(row.cells) > 1]
    if head not in COUNTERS or not counted or not any(cell and not _NUMBER.fullmatch(cell) for cell in beside):
        return headed
    labels, units = ({n - 1: text for n, text in texts.items() if n} for texts in (headed.labels, headed.units))
    body = [Row(row.line, row.cells[1:]) for row in headed.body]
    return replace(headed, heads=headed.heads[1:], labels=labels, units=units, body=body)


def _squeeze(text: str) -> str:
    return re.sub(r"[\s_.:]+", "", text.casefold())


def _split_keys(headed: Headed) -> Headed:
    r"""Eurostat's first column, ``unit,geo\time`` over ``PC,AT``, as columns of their own."""
    head = headed.heads[0][-1] if headed.heads[0] else ""
    keys = [part.strip() for part in head.split("\\")[0].split(",")]
    if "\\" not in head and "," not in head:
        return headed
    parts = [row.cells[0].split(",") for row in headed.body]
    if any(len(cells) != len(keys) for cells in parts):
        return headed
    heads = [*((key,) for key in keys), *headed.heads[1:]]
    body = [Row(r.line, (*map(str.strip, cells), *r.cells[1:])) for r, cells in zip(headed.body, parts, strict=True)]
    return replace(headed, heads=heads, body=body, labels={}, units={})


def _names(headed: Headed, where: str) -> dict[int, str]:
    """Place -> heading, the lines of a heading joined; without columns that have none."""
    last = Counter(head[-1] for head in headed.heads if head)
    names = {n: head[-1] if last[head[-1]] == 1 else " ".join(head) for n, head in enumerate(headed.heads) if head}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        columns = [n for n, name in names.items() if name == twice[0]]
        same = len({tuple(row.cells[n] for row in headed.body) for n in columns}) == 1
        if not same:
            raise StudyError(where, f"the column '{shorten(twice[0])}' stands twice", "keep one, or name them apart")
        names = {n: name for n, name in names.items() if n == columns[0] or n not in columns}
    return names


def _described(headed: Headed, names: dict[int, str]) -> tuple[dict[str, str], dict[str, str]]:
    labels = {names[n]: text for n, text in headed.labels.items() if n in names and text}
    return labels, {names[n]: text for n, text in headed.units.items() if n in names and text}


def _read_down(headed: Headed, where: str, name: str) -> Flat:
    """Columns as they stand."""
    names = _names(headed, where)
    labels, units = _described(headed, names)
    columns = {heading: [row.cells[n] for row in headed.body] for n, heading in names.items()}
    return Flat(name, columns, [row.line for row in headed.body], labels, units, headed.stated)


def _split_time(head: tuple[str, ...]) -> tuple[str, Kind, int] | None:
    """Measure and period of a heading that holds both, or a period alone (then the measure is empty)."""
    for place, part in enumerate(head):
        found = parse_heading(part)
        if found is not None:
            rest = " ".join(head[:place] + head[place + 1 :])
            return rest, found[0], found[1]
    if len(head) != 1:
        return None
    for pattern in (_STEM, _STEM_AFTER):
        match = pattern.fullmatch(unicodedata.normalize("NFKC", head[0]))
        found = parse_heading(match["time"].replace("_", "").replace(".", "")) if match else None
        if match and found is not None:
            return match["stem"].strip(" _.-("), found[0], found[1]
    return None


def _short_years(headed: Headed) -> dict[int, tuple[str, Kind, int]]:
    """Headings such as gdp98, gdp99, gdp00: taken for years only where every stem has the same run of them."""
    found: dict[int, tuple[str, int]] = {}
    for place, head in enumerate(headed.heads):
        match = _STEM_SHORT.fullmatch(head[0]) if len(head) == 1 else None
        if match:
            number = int(match["time"])
            found[place] = (match["stem"].rstrip("_"), number + (1900 if number >= 40 else 2000))
    runs: dict[str, list[int]] = {}
    for stem, year in found.values():
        runs.setdefault(stem, []).append(year)
    if not runs or any(len(run) < 3 for run in runs.values()) or len({tuple(sorted(r)) for r in runs.values()}) != 1:
        return {}
    return {place: (stem, "year", year) for place, (stem, year) in found.items()}


def _has_time_column(headed: Headed, apart: set[int]) -> bool:
    """Whether a column holds periods, so that periods in headings are only part of a name."""
    for place, head in enumerate(headed.heads):
        if place not in apart and head and is_time_word(head[-1]):
            cells = [row.cells[place] for row in headed.body if row.cells[place]]
            if len(set(cells)) > 1 and find_kind(cells, head[-1]):
                return True
    return False


def _read_across(headed: Headed, where: str, name: str) -> Flat | None:
    """Entities (or entities and indicators) down, periods across: one measure, or one in each row."""
    timed = {n: found for n, head in enumerate(headed.heads) if len(head) == 1 and (found := parse_heading(head[0]))}
    timed = timed if len(timed) > 1 else _dated_heads(headed, where)
    if len(timed) < 2:
        return None
    kind = Counter(found[0] for found in timed.values()).most_common(1)[0][0]
    if _has_time_column(headed, set(timed)):
        return None
    twice = [code for code, count in Counter(code for _, code in timed.values()).items() if count > 1]
    if twice:
        raise StudyError(where, f"the column '{show_period(twice[0], kind)}' stands twice", "keep one of them")
    others = {n: name for n, name in _names(headed, where).items() if n not in timed}
    columns = _melt(headed, others, {n: (VALUE, *found) for n, found in timed.items()}, kind)
    lines = [row.line for row in headed.body for _ in timed]
    told = (f"layout: {len(timed)} columns of periods, one row per entity and measure",)
    return Flat(name, columns, lines, stated=headed.stated, melted=True, told=told)


def _dated_heads(headed: Headed, where: str) -> dict[int, tuple[Kind, int]]:
    """Headings that are dates, as spreadsheets make of them: together they say which periods are meant."""
    dates = {n: head[0] for n, head in enumerate(headed.heads) if len(head) == 1 and find_kind([head[0]], "")}
    if len(dates) < 2:
        return {}
    texts = list(dates.values())
    times = read_times(texts, "headings", ["the header"] * len(texts), where)
    return {n: (times.kind, code) for n, code in zip(dates, times.codes, strict=True)}


def _read_blocks(headed: Headed, where: str, name: str) -> Flat | None:
    """Several measures, each in a block of columns by period: gdp2015 gdp2016 pop2015, or years over measures."""
    split = {n: found for n, head in enumerate(headed.heads) if head and (found := _split_time(head)) is not None}
    split = {n: found for n, found in split.items() if found[0]} or {}
    counts = Counter(found[0] for found in split.values())
    split = {n: found for n, found in split.items() if counts[found[0]] > 1} or _short_years(headed)
    if not split or _has_time_column(headed, set(split)):
        return None
    kind = Counter(found[1] for found in split.values()).most_common(1)[0][0]
    split = {n: found for n, found in split.items() if found[1] == kind}
    rest = replace(headed, heads=[() if n in split else head for n, head in enumerate(headed.heads)])
    columns = _melt(headed, _names(rest, where), split, kind)
    stems = list(dict.fromkeys(found[0] for found in split.values()))
    times = len({found[2] for found in split.values()})
    told = (f"layout: {len(stems)} blocks of {times} periods side by side",)
    lines = [row.line for row in headed.body for _ in range(times)]
    return Flat(name, columns, lines, stated=headed.stated, told=told)


def _melt(
    headed: Headed, others: dict[int, str], timed: dict[int, tuple[str, Kind, int]], kind: Kind
) -> dict[str, list[str]]:
    """Every row once per period, with a column of periods and one per measure."""
    times = sorted({found[2] for found in timed.values()})
    at = {(measure, code): n for n, (measure, _, code) in timed.items()}
    measures = list(dict.fromkeys(found[0] for found in timed.values()))
    heading = next(word for word in ("year", "time", "period_of_columns") if word not in others.values())
    columns = {name: [row.cells[n] for row in headed.body for _ in times] for n, name in others.items()}
    columns[heading] = [show_period(code, kind) for _ in headed.body for code in times]
    for measure in measures:
        word = measure if measure not in columns else f"{measure} (figures)"
        places = [at.get((measure, code)) for code in times]
        columns[word] = ["" if n is None else row.cells[n] for row in headed.body for n in places]
    return columns
