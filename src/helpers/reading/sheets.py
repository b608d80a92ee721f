"""A table with what the study knows about its words: which cells name entities, times and measures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from helpers.errors import StudyError
from helpers.formats.decoding import Row, shorten
from helpers.reading.units import Spellings
from helpers.study.periods import Kind, read_period

HEAD = 10

_YEAR = re.compile(r"(\d{4})\s*年?", re.ASCII)
_DATE = re.compile(r"\d{4}\s*[-/.年]\s*\d{1,2}(\s*[-/.月]\s*\d{1,2}日?)?.*|\d{1,2}/\d{1,2}/\d{4}", re.ASCII)
_SAYS = re.compile(r"([^:：,，]{1,20})[:：][\s,]*(.+)")
_FOOTER = re.compile(r"(注|备注|说明|数据来源|资料来源|来源|notes?|sources?)\s*([:：.]|$)", re.IGNORECASE)
_FIGURES = re.compile(r"[\d.,+-]+")
_ENTITY_WORDS = {"地区", "地区名称", "省份", "省市", "城市", "国家", "region", "entity", "countryname"}
_TIME_WORDS = {"年份", "年度", "年", "时间", "year", "time", "period"}
_MEASURE_WORDS = {"指标", "指标名称", "indicator", "statistic", "variable", "indicatorname", "seriesname"}
_VALUE_WORDS = {"数值", "值", "value"}
_UNIT_WORDS = {"单位", "计量单位", "unit", "units"}
_CODE_WORDS = {"代码", "行政区划代码", "code", "countrycode", "indicatorcode", "seriescode"}


class UnknownLayoutError(StudyError):
    """A table that has no layout that is known; another worksheet of the same file may have one."""


@dataclass(frozen=True)
class Sheet:
    """A table cut into rows of cells, with what the study knows about its words.

    Attributes
    ----------
    path
        The file, for messages.
    rows
        Its lines that are not blank.
    spellings
        How the entities are spelt.
    names
        The study's words for entity and time.
    title
        Name of the worksheet; empty where a file has but one table.
    kind
        What a period of the study is.
    """

    path: Path
    rows: tuple[Row, ...]
    spellings: Spellings
    names: tuple[str, str]
    title: str = ""
    kind: Kind = "year"

    def time(self, cell: str) -> int | None:
        """The period that a cell names, or None: a year as files write it, or a period in the study's form."""
        return parse_time(cell) if self.kind == "year" else read_period(cell, self.kind)

    @property
    def where(self) -> str:
        """The file, and the worksheet if it has several."""
        return f"{self.path}, sheet '{self.title}'" if self.title else str(self.path)

    def at(self, row: Row) -> str:
        """The place of a row."""
        return f"{self.where}, line {row.line}"

    def is_entity(self, cell: str) -> bool:
        """Whether a heading says that entities stand below it."""
        return cell in self.spellings.columns or word(cell) in {*_ENTITY_WORDS, word(self.names[0])}

    def is_time(self, cell: str) -> bool:
        """Whether a heading says that times stand below it."""
        return word(cell) in {*_TIME_WORDS, word(self.names[1])}

    def is_remark(self, cell: str) -> bool:
        """Whether a heading stands above what is no figure: nothing, another spelling of the entity, a code, a unit."""
        return not cell or cell in self.spellings.columns or word(cell) in _UNIT_WORDS | _CODE_WORDS


class Figure(NamedTuple):
    """One cell of a statistic: where it stands, the entity as spelt, the time, the measure (if named) and the text."""

    place: str
    entity: str
    time: int
    measure: str | None
    text: str


def word(cell: str) -> str:
    """A heading without differences that carry no meaning."""
    return "".join(unicodedata.normalize("NFKC", cell).casefold().split())


def is_measure(cell: str) -> bool:
    """Whether a heading says that names of measures stand below it."""
    return word(cell) in _MEASURE_WORDS


def is_value(cell: str) -> bool:
    """Whether a heading says that figures of any measure stand below it."""
    return word(cell) in _VALUE_WORDS


def parse_time(text: str) -> int | None:
    """A year as files write it (2021, 2021年), or None."""
    match = _YEAR.fullmatch(text)
    return int(match[1]) if match else None


def explain_time(text: str, where: str) -> StudyError:
    """What is wrong with a cell that is no year."""
    rule = f"'{shorten(text)}' is not a year"
    if _DATE.fullmatch(text):
        rule = f"'{shorten(text)}' is a date or a span of years and not a year"
    elif parse_time(unicodedata.normalize("NFKC", text)) is not None:
        rule = f"'{shorten(text)}' is not a year in plain digits"
    return StudyError(where, rule, "write the year with four of the digits 0-9, as 2021 or 2021年")


def find_indicator(sheet: Sheet) -> str | None:
    """What the file itself says it holds (the line that begins with 指标：), or None."""
    return next((text for name, text, _ in _statements(sheet) if name == "指标"), None)


def find_time(sheet: Sheet) -> int | None:
    """The one year that the file says it is about (时间：2019年), or None."""
    return next((sheet.time(text) for name, text, _ in _statements(sheet) if sheet.is_time(name)), None)


def find_entity(sheet: Sheet) -> tuple[str, Row] | None:
    """The one entity that the file says it is about (地区：北京市), with its line, or None."""
    return next(((text, row) for name, text, row in _statements(sheet) if sheet.is_entity(name)), None)


def body(sheet: Sheet, header: Row, at: int = 0) -> Iterator[Row]:
    """The rows of figures: below the header, without footnotes and source line; ``at`` is the column of the entities.

    Raises
    ------
    StudyError
        For a second header line.
    """
    rows = [row for row in sheet.rows if row.line > header.line]
    end = len(rows)
    while end and _is_alone(sheet, rows[end - 1], at):  # what a program left of a footnote that it cut
        end -= 1
    footer = False
    for row in rows[:end]:
        first = row.cells[at] if at < len(row.cells) else ""
        known = sheet.spellings.find(first) is not None
        footer = footer or (not known and _FOOTER.match(row.cells[0]) is not None)
        if not footer or known or _has_figures(row):
            if row is rows[0] and not known:
                _check_no_heading(sheet, row, at)
            yield row


def fit(sheet: Sheet, row: Row, width: int) -> tuple[str, ...]:
    """The cells of a row as wide as the header; empty cells beyond it are dropped, anything else stops.

    Raises
    ------
    StudyError
        When the row is wider or narrower, or holds a second entity beside the figures of the first.
    """
    cells = row.cells[:width]
    beyond = [cell for cell in row.cells[width:] if cell]
    where = f"{sheet.at(row)} ({shorten(row.cells[0])})"
    other = next((cell for cell in beyond if sheet.spellings.find(cell)), None)
    if other is not None:
        raise StudyError(where, f"'{other}' stands in the same row, two entities in one", "give each its own row")
    if len(cells) < width or beyond:
        raise StudyError(
            where,
            f"the row has {len(row.cells)} cells, the header {width}",
            "give every column one cell, empty where there is no figure; write numbers without thousands separators",
        )
    return cells


def check_headings(sheet: Sheet, header: Row) -> None:
    """Stop when a heading stands twice.

    Raises
    ------
    StudyError
        Naming the line and the heading.
    """
    seen: set[str] = set()
    for cell in filter(None, header.cells):
        time = sheet.time(cell)
        heading = word(cell) if time is None else str(time)
        if heading in seen:
            what = f"column '{shorten(cell)}'" if time is None else f"{sheet.names[1]} {time}"
            raise StudyError(
                sheet.at(header), f"the {what} stands twice", "keep one of the columns, or name them apart"
            )
        seen.add(heading)


def _statements(sheet: Sheet) -> Iterator[tuple[str, str, Row]]:
    """What the first lines say about the whole table: name, text and line."""
    for row in sheet.rows[:HEAD]:
        match = _SAYS.fullmatch(",".join(filter(None, row.cells)))
        if match:
            yield match[1].strip(), match[2].strip(), row


def _is_alone(sheet: Sheet, row: Row, at: int) -> bool:
    filled = [cell for cell in row.cells if cell]
    known = at < len(row.cells) and sheet.spellings.find(row.cells[at]) is not None
    return len(filled) == 1 and bool(row.cells[0]) and not known and not _FIGURES.fullmatch(row.cells[0])


def _has_figures(row: Row) -> bool:
    """Whether a line below the footnotes looks like figures again, so that it is not passed over in silence."""
    cells = [cell for cell in row.cells[1:] if cell]
    return len(cells) > 1 and all(_FIGURES.fullmatch(unicodedata.normalize("NFKC", cell)) for cell in cells)


def _check_no_heading(sheet: Sheet, row: Row, at: int) -> None:
    """Stop at a first row that holds words alone: units, or the second line of a merged header."""
    first = row.cells[at] if at < len(row.cells) else ""
    filled = [cell for cell in (*row.cells[:at], *row.cells[at + 1 :]) if cell]
    wordy = len(filled) > 1 and not any(letter.isdigit() for cell in filled for letter in cell)
    if word(first) in _UNIT_WORDS or (wordy and not first):
        shown = shorten(", ".join(filter(None, row.cells)))
        raise StudyError(
            sheet.at(row),
            f"a second header line or a row of units stands below the header: '{shown}'",
            "keep one header line without merged cells; write the unit into the indicator, as in 指标：产值(亿元)",
        )
