"""Which periods a column of cells names: years, parts of years, fiscal years, dates or numbered periods.

One cell may be read in several ways (2010-11 is a month or a fiscal year, 1819 a year or a school year); the whole
column decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from helpers.errors import StudyError
from helpers.formats.decoding import shorten
from helpers.study.periods import PARTS, Kind, count_period, show_period

YEARS = range(1500, 2201)
# Years that stand so far from the others, and in so few rows, are taken for slips.
APART, RARE = 25, 0.1
# So many years, or a few of them in several rows each, are no slips, however far from the others and however long ago.
MANY, SEVERAL = 10, 3
MOSTLY = 0.5
# A long column none of whose first cells is a period is one of no periods.
TRIED = 200

TIME_WORDS: tuple[str, ...] = (
    *("year", "time", "date", "period", "wave", "quarter", "month", "semester", "trimestre", "jahr", "anno", "año"),
    *("annee", "année", "yr", "accper", "年", "时间", "日期", "季", "月", "学年", "期"),
)
TIME_NAMES = ("t", "fy", "yr", "nam", "năm", "ano", "trddt", "enddate")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: place for place, name in enumerate(_MONTH_NAMES, start=1)}
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}
_Y = r"(?P<y>\d{4})"

_YEAR = re.compile(rf"(?:FY|YR|CY)?\s*{_Y}(?:\.0*)?\s*(?:年(?:度|末|底)?)?(?:\s*\[YR\d{{4}}\])?", re.IGNORECASE)
_SPAN = re.compile(rf"(?:FY)?\s*{_Y}\s*[/–—-]\s*(?P<e>\d{{4}}|\d{{2}})\s*(?:学年|年度|年)?", re.IGNORECASE)
_SCHOOL = re.compile(r"(?P<y>\d{2})[/–-]?(?P<e>\d{2})(?:\.0+)?")
_ORDINALS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "first": 1, "second": 2, "third": 3, "fourth": 4}
_ORDINALS |= {"i": 1, "ii": 2, "iii": 3, "iv": 4}


def _of_words(part: str, numbers: str) -> tuple[re.Pattern[str], ...]:
    """1st half 2014, half 1 of 2014, 2014 first half: a part of a year in words, on either side of the year."""
    words = rf"(?:(?P<p>{numbers})[-\s]*(?:{part})|(?:{part})[-\s]*(?P<n>{numbers}))"
    after = rf"{words}(?:\s+of)?[-\s,/]*(?:the\s+)?{_Y}"
    return re.compile(after, re.IGNORECASE), re.compile(rf"{_Y}[-\s,/:]*{words}", re.IGNORECASE)


_QUARTER = (
    re.compile(rf"{_Y}\s*[-_:./]?\s*[Qq]\s*0?(?P<p>[1-4])"),
    re.compile(rf"[Qq](?P<p>[1-4])\s*[-_/. ']?\s*{_Y}"),
    re.compile(rf"(?P<p>[1-4])[Qq]\s*[-_/. ]?\s*{_Y}"),
    re.compile(rf"{_Y}年?\s*第?(?P<p>[1-4一二三四])季度?"),
    *_of_words(r"quarter|qtr\.?", "1st|2nd|3rd|4th|first|second|third|fourth|I|II|III|IV|[1-4]"),
)
_HALF = (
    re.compile(rf"{_Y}\s*[-_:./]?\s*[HhSs]\s*0?(?P<p>[12])"),
    re.compile(rf"[HhSs](?P<p>[12])\s*[-_/. ]?\s*{_Y}"),
    re.compile(rf"(?P<p>[12])[HhSs]\s*[-_/. ]?\s*{_Y}"),
    re.compile(rf"{_Y}年?\s*(?P<p>[上下])半年"),
    *_of_words("half|semester|half[- ]year", "1st|2nd|first|second|I|II|[12]"),
)
_MONTH = (
    re.compile(rf"{_Y}\s*[-_/.:]\s*(?P<p>0?[1-9]|1[0-2])"),
    re.compile(rf"{_Y}\s*[-_:]?\s*[Mm]\s*(?P<p>0?[1-9]|1[0-2])"),
    re.compile(rf"{_Y}年\s*(?P<p>0?[1-9]|1[0-2])月(?:份)?"),
    re.compile(rf"(?P<p>0?[1-9]|1[0-2])[/.]{_Y}"),
    re.compile(rf"(?P<p>[A-Za-z]{{3}})[a-z]*\.?[-\s/,]*{_Y}"),
    re.compile(rf"{_Y}[-\s/]*(?P<p>[A-Za-z]{{3}})[a-z]*"),
)
_MONTH_NUMBER = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<p>0[1-9]|1[0-2])(?:\.0+)?")
_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?"
_DATE = (
    re.compile(rf"{_Y}[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){_CLOCK}"),
    re.compile(rf"{_Y}年(?P<m>\d{{1,2}})月(?P<d>\d{{1,2}})日"),
    re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>[0-3]\d)(?:\.0+)?"),
)
_DAY_FIRST = re.compile(rf"(?P<d>\d{{1,2}})[-/.](?P<m>\d{{1,2}})[-/.]{_Y}{_CLOCK}")
_DAY_NAMED = re.compile(rf"(?P<d>\d{{1,2}})[-\s]?(?P<m>[A-Za-z]{{3}})[a-z]*[-\s,]*{_Y}")
_TWO = re.compile(r"['’]?(?P<y>\d{2})(?:\.0+)?")
_COUNT = re.compile(r"(?:t|w|p|wave|period|round|第)?\s*(?P<y>\d{1,4})(?:\.0+)?\s*期?", re.IGNORECASE)

_SERIAL = re.compile(r"([2-5]\d{4})(?:\.0+)?")
EPOCH = date(1899, 12, 30).toordinal()

Reader = Callable[[str], int | None]


class Times(NamedTuple):
    """Periods of one column: their kind, one number per cell, and what was understood beyond the plain form."""

    kind: Kind
    codes: list[int]
    told: str = ""


def is_time_word(heading: str) -> bool:
    """Whether a heading says that periods stand below it."""
    plain = unicodedata.normalize("NFKC", heading).casefold().strip()
    return plain in TIME_NAMES or any(word in plain for word in TIME_WORDS)


def find_kind(cells: Sequence[str], heading: str = "") -> Kind | None:
    """The kind of the periods that most cells of a column name, or None where most name none."""
    found = _find_reader(_distinct(cells), heading)
    return found[0] if found else None


def parse_heading(text: str) -> tuple[Kind, int] | None:
    """The period that a heading names by itself, or None; an R program puts an X before a year."""
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = plain[1:] if re.fullmatch(r"[Xx_]\d{4}", plain) else plain
    for kind in ("year", "quarter", "half_year", "fiscal_year", "month"):
        code = _READERS[kind](plain)
        if code is not None:
            return kind, code
    return None


def read_times(cells: Sequence[str], heading: str, places: Sequence[str], where: str, said: bool = False) -> Times:
    """The periods of a column; ``said`` where the person says that it holds periods, whatever its heading.

    Raises
    ------
    StudyError
        A cell that is no such period; a few years that stand far from all others.
    """
    distinct = _distinct(cells)
    found = _find_reader(distinct, TIME_NAMES[0] if said else heading)
    if found is None:
        rule = f"'{shorten(distinct[0] if distinct else '')}' is no period"
        raise StudyError(f"{where}, column {heading}", rule, "write 2021, 2021Q1, 2021-01, 2020/21 or 2021-12-31")
    kind, reader, told = found
    if kind == "day" and (unclear := _either_order(distinct)):
        one, other = (show_period(order(unclear) or 0, "day") for order in (_day_first, _month_first))
        rule = f"'{unclear}' may be {one} or {other}, and no date of the column tells which"
        raise StudyError(f"{where}, column {heading}", rule, f"write the dates as {one}, year first")
    known = {cell: reader(cell) for cell in set(cells)}
    if kind == "year" and (before := _read_history(cells, known, heading)):
        known |= before
        first = min(before.values())
        told = f"years before {YEARS[0]} are read as they stand: {len(before)} of them, the first is {first}"
    bad = [number for number, cell in enumerate(cells) if known[cell] is None]
    if bad:
        shown = list(dict.fromkeys(f"'{shorten(cells[n])}'" for n in bad))
        rule = f"{shown[0]} is not a {kind.replace('_', ' ')}, as the others of the column are"
        if len(bad) > 1:
            rule += f" (and {len(bad) - 1} more rows: {', '.join(shown[:10])})"
        raise StudyError(f"{where}, {places[bad[0]]}, column {heading}", rule, "correct the cell, or take the row out")
    codes = [code for cell in cells if (code := known[cell]) is not None]
    if kind != "year" or min(codes) >= YEARS[0]:
        _check_plausible(codes, kind, cells, places, f"{where}, column {heading}")
    return Times(kind, codes, told)


def _read_history(cells: Sequence[str], known: dict[str, int | None], heading: str) -> dict[str, int]:
    """Years of long ago in a column of years, each in several rows; nothing where one of them may be a slip."""
    unread = [cell for cell, code in known.items() if code is None]
    found = {cell: int(match["y"]) for cell in unread if (match := _COUNT.fullmatch(cell)) and cell[0].isdigit()}
    if not is_time_word(heading) or len(found) < max(SEVERAL, len(unread)):
        return {}
    counts = Counter(cells)
    old = all(0 < code < YEARS[0] for code in found.values())
    return found if old and (len(found) >= MANY or all(counts[cell] >= SEVERAL for cell in found)) else {}


def join_parts(years: Sequence[str], parts: Sequence[str]) -> Times | None:
    """Periods from a column of years and one of quarters, months or half-years; None where they are none."""
    if find_kind(years, "year") != "year":
        return None
    read = {text: _part(text) for text in set(parts)}
    numbers = [read[text] for text in parts]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    kind: Kind = "half_year" if max(known) <= 2 else "quarter" if max(known) <= 4 else "month"
    if max(known) > 12 or len(set(known)) < 2:
        return None
    codes = [_READERS["year"](text) for text in years]
    if None in codes:
        return None
    return Times(kind, [count_period(kind, code or 0, part) for code, part in zip(codes, known, strict=True)])


def _part(text: str) -> int | None:
    match = re.fullmatch(r"[QqMmHhSs第]?\s*0?(\d{1,2})(?:\.0+)?\s*(?:季度?|月份?)?", text)
    if match:
        return int(match[1]) if 1 <= int(match[1]) <= 12 else None
    named = re.fullmatch(r"第?([一二三四])季度?|([上下])半年", text)
    if named:
        return _CHINESE[named[1] or named[2]]
    return _MONTHS.get(text[:3].casefold())


def _distinct(cells: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(cell for cell in cells if cell))


def _find_reader(cells: list[str], heading: str) -> tuple[Kind, Reader, str] | None:
    """Kind, reader and remark for a column's distinct cells; the first that fits most of them."""
    if not cells:
        return None
    if len(cells) > 1 and _all(cells, _READERS["school"]):
        return "fiscal_year", _READERS["school"], f"school years: {cells[0]} is read as {_shown(cells[0], 'school')}"
    spans = _share(cells, _READERS["fiscal_year"])
    if spans >= MOSTLY and len(cells) > 1 and spans >= _share(cells, _READERS["month"]):
        return "fiscal_year", _READERS["fiscal_year"], ""
    for kind in ("year", "quarter", "half_year", "month"):
        if _share(cells, _READERS[kind]) >= MOSTLY:
            return kind, _READERS[kind], ""
    dated = _read_dates(cells)
    if dated is not None:
        return dated
    named = is_time_word(heading)
    if named and _all(cells, _serial) and len(cells) > 1:
        kind, reader, told = _coarse(cells, _serial)
        return kind, reader, told or f"numbers of days, as spreadsheets keep dates: {cells[0]} is {_iso(cells[0])}"
    if named and _all(cells, _READERS["month_number"]):
        return "month", _READERS["month_number"], ""
    if named and _all(cells, _READERS["two_digits"]) and _wide(cells):
        return "year", _century, f"years in two digits: {cells[0]} is read as {_century(cells[0])}"
    if named and _all(cells, _READERS["period"]):
        return "period", _READERS["period"], ""
    return None


def _shown(cell: str, reader: str) -> str:
    return show_period(_READERS[reader](cell) or 0, "fiscal_year")


def _wide(cells: list[str]) -> bool:
    """Whether numbers in two digits are years: written with a leading zero, or too large to be counts of periods."""
    numbers = [int(match["y"]) for cell in cells if (match := _TWO.fullmatch(cell))]
    return min(numbers) >= 40 or any(cell.startswith(("0", "'", "’")) for cell in cells)


def _century(text: str) -> int | None:
    """A year in two digits: of this century below 40."""
    match = _TWO.fullmatch(text)
    return None if match is None else int(match["y"]) + (1900 if int(match["y"]) >= 40 else 2000)


def _read_dates(cells: list[str]) -> tuple[Kind, Reader, str] | None:
    """Dates: years where all fall on one day of the year, months or quarters where all begin or end one."""
    readers: list[Reader] = [_date, _day_first, _month_first]
    good = [reader for reader in readers if _share(cells, reader) >= MOSTLY]
    if not good:
        return None
    # 03/04/2015: where the whole column can be read in both orders, the one whose dates are evenly placed is meant.
    whole = [reader for reader in good if _all(cells, reader)]
    return _coarse(cells, min(whole, key=lambda reader: _coarsest(_days(cells, reader)) == "day") if whole else good[0])


def _coarse(cells: list[str], reader: Reader) -> tuple[Kind, Reader, str]:
    """The kind of periods that the dates of a column are, their reader and what is told of it."""
    kind = _coarsest(_days(cells, reader))
    if kind == "day":
        return kind, reader, ""

    def coarse(text: str) -> int | None:
        code = reader(text)
        if code is None:
            return None
        day = date.fromordinal(code)
        part = (day.month - 1) // (12 // PARTS[kind]) + 1 if kind in PARTS else 1
        return count_period(kind, day.year, part)

    return kind, coarse, f"dates: {cells[0]} is read as {show_period(coarse(cells[0]) or 0, kind)}"


def _days(cells: list[str], reader: Reader) -> list[date]:
    return [date.fromordinal(code) for cell in cells if (code := reader(cell)) is not None]


def _either_order(cells: list[str]) -> str:
    """A date that may be two where nothing in the column says whether the day comes first; else nothing."""
    if not (_all(cells, _day_first) and _all(cells, _month_first)):
        return ""
    return next((cell for cell in cells if _day_first(cell) != _month_first(cell)), "")


def _coarsest(days: list[date]) -> Kind:
    ends = all(date.fromordinal(day.toordinal() + 1).day == 1 for day in days)
    if len({(day.month, day.day) for day in days}) == 1:
        return "year"
    if not ends and len({day.day for day in days}) != 1:
        return "year" if len({day.year for day in days}) == len(days) else "day"
    months = {day.month for day in days}
    quarterly = len({day.month % 3 for day in days}) == 1 and len(months) == 4
    return "quarter" if quarterly else "half_year" if len({m % 6 for m in months}) == 1 else "month"


def _check_plausible(codes: list[int], kind: Kind, cells: Sequence[str], places: Sequence[str], where: str) -> None:
    """Ask about the few years that stand far from all others."""
    if kind not in ("year", "fiscal_year"):
        return
    counts = Counter(codes)
    ordered = sorted(counts)
    for place in range(1, len(ordered)):
        low, high = ordered[:place], ordered[place:]
        few = min((low, high), key=lambda part: sum(counts[year] for year in part))
        if len(few) >= MANY or (len(few) >= SEVERAL and all(counts[year] >= SEVERAL for year in few)):
            continue
        if ordered[place] - ordered[place - 1] > APART and sum(counts[year] for year in few) <= RARE * len(codes):
            number = next(n for n, code in enumerate(codes) if code in few)
            rest = [year for year in ordered if year not in few]
            rule = f"the year {shorten(cells[number])} stands far from all others, {rest[0]} to {rest[-1]}"
            raise StudyError(f"{where}, {places[number]}", rule, "correct it, or take the row out")


def _all(cells: list[str], reader: Reader) -> bool:
    return all(reader(cell) is not None for cell in cells)


def _share(cells: list[str], reader: Reader) -> float:
    if len(cells) > TRIED and not any(reader(cell) is not None for cell in cells[:TRIED]):
        return 0.0
    return sum(reader(cell) is not None for cell in cells) / len(cells)


def _match(text: str, patterns: Iterable[re.Pattern[str]]) -> re.Match[str] | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    return next((match for pattern in patterns if (match := pattern.fullmatch(plain))), None)


def _plain_year(text: str) -> int | None:
    match = _match(text, (_YEAR,))
    return int(match["y"]) if match and int(match["y"]) in YEARS else None


def _fiscal(text: str) -> int | None:
    match = _match(text, (_SPAN,))
    year = int(match["y"]) if match else 0
    return year if match and year in YEARS and int(match["e"]) in (year + 1, (year + 1) % 100) else None


def _school(text: str) -> int | None:
    match = _match(text, (_SCHOOL,))
    if match is None or int(match["e"]) != (int(match["y"]) + 1) % 100:
        return None
    return int(match["y"]) + (1900 if int(match["y"]) >= 40 else 2000)


def _of_part(kind: Kind, patterns: Sequence[re.Pattern[str]]) -> Reader:
    def read(text: str) -> int | None:
        match = _match(text, patterns)
        if match is None or int(match["y"]) not in YEARS:
            return None
        part = (match["p"] or match["n"]).casefold()
        number = int(part) if part.isdigit() else (_CHINESE | _ORDINALS | _MONTHS).get(part)
        return None if number is None else count_period(kind, int(match["y"]), number)

    return read


def _count(text: str) -> int | None:
    match = _match(text, (_COUNT,))
    return int(match["y"]) if match else None


def _two(text: str) -> int | None:
    match = _match(text, (_TWO,))
    return int(match["y"]) if match else None


def _ordinal(year: str, month: str, day: str) -> int | None:
    try:
        number = int(month) if month.isdigit() else _MONTHS[month.casefold()]
        return date(int(year), number, int(day)).toordinal()
    except (ValueError, KeyError):
        return None


def _date(text: str) -> int | None:
    match = _match(text, (*_DATE, _DAY_NAMED))
    return _ordinal(match["y"], match["m"], match["d"]) if match else None


def _serial(text: str) -> int | None:
    """A date as spreadsheets keep it, a count of days since the end of 1899; of five digits, from 1954 on."""
    match = _SERIAL.fullmatch(text)
    return EPOCH + int(match[1]) if match else None


def _iso(text: str) -> str:
    return show_period(_serial(text) or 1, "day")


def _day_first(text: str) -> int | None:
    match = _match(text, (_DAY_FIRST,))
    return _ordinal(match["y"], match["m"], match["d"]) if match else None


def _month_first(text: str) -> int | None:
    match = _match(text, (_DAY_FIRST,))
    return _ordinal(match["y"], match["d"], match["m"]) if match else None


_READERS: dict[str, Reader] = {
    "year": _plain_year,
    "fiscal_year": _fiscal,
    "school": _school,
    "quarter": _of_part("quarter", _QUARTER),
    "half_year": _of_part("half_year", _HALF),
    "month": _of_part("month", _MONTH),
    "month_number": _of_part("month", (_MONTH_NUMBER,)),
    "two_digits": _two,
    "period": _count,
}
