"""Columns of cells to columns of numbers: separators, marks of a missing figure, footnotes, by the whole column.

One cell cannot say whether 34,007 is thirty-four or thirty-four thousand; its column, and the table around it, mostly
can. Where they cannot, the person is asked. No figure is rescaled, and what was read as empty is counted and told.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from helpers.errors import StudyError
from helpers.formats.decoding import few, shorten

USUAL_MARKS = (
    *(
        "na",
        "n/a",
        "#n/a",
        "n.a.",
        "n.a",
        "nan",
        "null",
        "none",
        "missing",
        "..",
        "...",
        "…",
        "……",
        ".",
        ":",
        "-",
        "--",
    ),
    *(
        "—",
        "――",
        "——",
        "–",
        "_",
        "x",
        "nd",
        "n.d.",
        "缺失",
        "无",
        "不详",
        "暂缺",
        "无数据",
        "*",
        "/",
        "\\n",
        "<na>",
        "no data",
    ),
)
"""What publishers and programs write where there is no figure, in lower case."""

_STATA = re.compile(r"\.[a-z]")
_FLAGS = r"[bcdefinprsuz]{1,3}"
_FLAGGED_GAP = re.compile(rf"([A-Z] )?(\.\.|:)( {_FLAGS})?")
_MARKED = re.compile(
    r"(?P<number>.*?[\d.])"
    rf"(\s*[*†‡§¶#^①-⑳⁰¹²³⁴-⁹]+|\s*[\[(（【](\d{{1,2}}|[a-z*]|注\d*)[)）\]】]| {_FLAGS}|(?<=\d)\s*[①-⑳])+"
)
_CURRENCY = re.compile(r"^([+-]?)\s*([$€£¥￥₫₹]|US\$|USD|EUR|CNY|RMB)\s*(?=[\d.])|\s*([$€£¥￥₫₹元])$")
_DASH = re.compile(r"^[–‐‑‒—](?=[\d.])")
_TEXT = re.compile('^([\'’]|=")(-?[\\d.,]+)"?$')
"""A figure that a spreadsheet was told to keep as text: '61.3 or ="61.3"."""
_MULTIPLE = re.compile(r"[-+]?[\d.,\s]*\d\s*(百万|千万|万|亿|千|[kKmMbB]n?)")
_LETTER = re.compile(r"[-+]?[\d.,\s]*\d\s*[A-Za-z]{1,2}")
_BLANKS = re.compile(r"(?<=\d)[\s\u00a0\u2009\u202f'’](?=\d{3}(\D|$))")
_POINT = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)?(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SENTINEL = re.compile(r"-9{2,6}(\.0+)?|-99{1,5}8(\.0+)?", re.ASCII)


class UndecidedError(StudyError):
    """What a table cannot say and the person must.

    Parameters
    ----------
    option
        The option of ``study adopt`` that says it.
    choices
        Answers that would do; empty where any text may be one.
    """

    def __init__(self, where: str, rule: str, remedy: str, option: str, choices: Sequence[str] = ()) -> None:
        super().__init__(where, rule, remedy)
        self.option = option
        self.choices = tuple(choices)


class Cells(NamedTuple):
    """One column: what its cells are called in messages, and their text."""

    places: Sequence[str]
    texts: Sequence[str]


@dataclass(frozen=True)
class Figures:
    """Columns as numbers.

    Attributes
    ----------
    columns
        Float values by heading, NaN where there is no figure.
    units
        Unit that every figure of a column carried: %, a currency.
    told
        What was understood: separators, marks and how many cells.
    """

    columns: dict[str, list[float]]
    units: dict[str, str]
    told: tuple[str, ...]


@dataclass(frozen=True)
class Notation:
    """How the person says that numbers are written; None for what the columns show.

    Attributes
    ----------
    missing
        Further texts that stand where there is no figure; when given, numbers such as -999 are not asked about.
    decimal
        The decimal mark, a point or a comma.
    semicolons
        Whether the cells are separated by semicolons, as programs do where the comma is the decimal mark.
    typed
        Whether the cells were numbers in the file, so that their point is a decimal point.
    """

    missing: tuple[str, ...] | None = None
    decimal: str | None = None
    semicolons: bool = False
    typed: bool = False

    def is_missing(self, text: str) -> bool:
        """Whether a cell says that there is no figure."""
        plain = text.casefold()
        given = self.missing or ()
        return (
            plain in USUAL_MARKS
            or text in given
            or plain in given
            or bool(_STATA.fullmatch(text) or _FLAGGED_GAP.fullmatch(text))
        )


def looks_like_figure(text: str) -> bool:
    """Whether a cell may be a figure, perhaps marked or with separators."""
    if _PLAIN.fullmatch(text):
        return True
    core = _core(text)[0]
    return bool(core) and any(map(str.isdigit, core)) and bool(_POINT.fullmatch(core) or _COMMA.fullmatch(core))


def read_columns(columns: Mapping[str, Cells], notation: Notation, where: str) -> Figures:
    """Read columns of figures.

    Parameters
    ----------
    columns
        The columns of one table by heading.
    notation
        What the person said.
    where
        The file, for messages.

    Raises
    ------
    StudyError
        A cell that is no number, with how many more there are and where; a decimal mark that cannot be told.
    """
    cores = {name: _Column.of(cells, notation) for name, cells in columns.items()}
    decimals = _decide(cores, notation, where)
    values = {name: column.read(decimals[name], where, name) for name, column in cores.items()}
    if notation.missing is None:
        for name, column in cores.items():
            _ask_sentinel(name, column, values[name], where)
    units = {name: column.unit for name, column in cores.items() if column.unit}
    return Figures(values, units, tuple(_tell(cores, decimals)))


def _core(text: str) -> tuple[str, str, str]:
    """A cell without footnote marks, currency, per-cent sign and blanks between thousands; the mark; the unit."""
    marked = _MARKED.fullmatch(text)
    bare, mark = (marked["number"], text[len(marked["number"]) :].strip()) if marked else (text, "")
    plain = unicodedata.normalize("NFKC", bare).replace("−", "-").strip()
    plain = _DASH.sub("-", _TEXT.sub(r"\2", plain)) if not plain.isascii() or plain[:1] in "'=" else plain
    unit = ""
    if plain.endswith(("%", "‰")):
        plain, unit = plain[:-1].rstrip(), plain[-1]
    elif (money := _CURRENCY.search(plain)) is not None:
        unit = money[2] or money[3]
        plain = plain.replace(money[0], money[1] or "", 1).strip()
    return _BLANKS.sub("", plain), mark, unit


@dataclass(frozen=True)
class _Column:
    """One column's cells, with what is not digits taken off; ``None`` for a cell without a figure."""

    places: Sequence[str]
    texts: Sequence[str]
    cores: list[str | None]
    marks: Counter[str]
    flags: Counter[str]
    unit: str

    @classmethod
    def of(cls, cells: Cells, notation: Notation) -> _Column:
        cores: list[str | None] = []
        marks: Counter[str] = Counter()
        flags: Counter[str] = Counter()
        units: Counter[str] = Counter()
        for text in cells.texts:
            if not text:
                cores.append(None)
            elif text in (notation.missing or ()) or (not _PLAIN.fullmatch(text) and notation.is_missing(text)):
                marks[text] += 1
                cores.append(None)
            elif _PLAIN.fullmatch(text):
                cores.append(text)
                units[""] += 1
            else:
                core, flag, unit = _core(text)
                flags.update([flag] if flag else [])
                units[unit] += 1
                cores.append(core)
        whole = next(iter(units)) if len(units) == 1 else ""
        return cls(cells.places, cells.texts, cores, marks, flags, whole if "" not in units else "")

    def signs(self) -> tuple[bool, bool, bool, bool]:
        """Which cells settle it: only a point can be the decimal mark; only a comma; either mark beside 3 digits."""
        point = comma = either_comma = either_point = False
        for core in self.cores:
            if core is None or core.isdigit():
                continue
            as_point, as_comma = bool(_POINT.fullmatch(core)), bool(_COMMA.fullmatch(core))
            if as_point and as_comma:
                either_comma |= "," in core
                either_point |= "." in core
            else:
                point |= as_point
                comma |= as_comma
        return point, comma, either_comma, either_point

    def read(self, decimal: str, where: str, name: str) -> list[float]:
        """The numbers; the first cells that are none are named."""
        values, bad = [], []
        pattern, thousands = (_POINT, ",") if decimal == "." else (_COMMA, ".")
        for number, core in enumerate(self.cores):
            if core is None:
                values.append(math.nan)
                continue
            plain = core if _PLAIN.fullmatch(core) and decimal == "." else ""
            if not plain and pattern.fullmatch(core) and any(map(str.isdigit, core)):
                plain = core.replace(thousands, "").replace(",", ".")
            value = float(plain) if plain else math.nan
            if math.isfinite(value):
                values.append(value)
            else:
                bad.append(number)
        mixed = {text[-1:] in "%‰" for text in self.texts if text and not bad} if not self.unit else set()
        if len(mixed) > 1 and any(text[-1:] in "%‰" for text in self.texts if text):
            bad = [n for n, text in enumerate(self.texts) if text[-1:] in tuple("%‰")]
        if bad:
            raise self._explain(bad, where, name)
        return values

    def _explain(self, bad: list[int], where: str, name: str) -> StudyError:
        first = self.texts[bad[0]]
        shown = list(dict.fromkeys(shorten(self.texts[n]) for n in bad))
        more = f" (and {len(bad) - 1} more cells: {few(shown[1:])})" if len(bad) > 1 and shown[1:] else ""
        more = more or (f" (and {len(bad) - 1} more such cells)" if len(bad) > 1 else "")
        place = f"{where}, {self.places[bad[0]]}, column {name}"
        rule, remedy = _explain_cell(first, shown)
        return StudyError(place, f"{rule}{more}", remedy)


def _explain_cell(text: str, shown: list[str]) -> tuple[str, str]:
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    what = shorten(text)
    if plain.strip("+-").casefold() in {"inf", "infinity", "∞"} or _PLAIN.fullmatch(plain):
        return f"'{what}' is infinite", "write the figure, or leave the cell empty"
    if re.fullmatch(r"\([\d.,]+\)", plain):
        return f"'{what}' is in brackets, as accountants write a negative figure", f"write -{plain[1:-1]}"
    if plain.endswith(("%", "‰")):
        return f"'{what}' carries its unit, and other cells of the column do not", "write the whole column in one unit"
    if _MULTIPLE.fullmatch(plain):
        return f"'{what}' carries a multiple", "write the whole column as plain numbers in one unit"
    if _LETTER.fullmatch(plain):
        return f"'{what}' is a figure with a letter", "write the figure alone, and what the letter means in SOURCES.md"
    if re.fullmatch(r"[\d.,]+-", plain):
        return f"'{what}' has its minus behind it", f"write -{plain[:-1]}"
    if re.match(r"[<>≤≥~约]", plain):
        return f"'{what}' is a bound and not a figure", "decide on a figure, or leave the cell empty"
    marks = ",".join(shown[:3])
    remedy = f'correct the cell; where it means that there is no figure, say so with --missing "{marks}"'
    return f"'{what}' stands where a number is needed", remedy


def _decide(columns: Mapping[str, _Column], notation: Notation, where: str) -> dict[str, str]:
    """The decimal mark of every column."""
    if notation.decimal is not None:
        return dict.fromkeys(columns, notation.decimal)
    signs = {name: column.signs() for name, column in columns.items()}
    points, commas = (any(sign[place] for sign in signs.values()) for place in (0, 1))
    decided: dict[str, str] = {}
    for name, (point, comma, either_comma, either_point) in signs.items():
        if point or comma:
            decided[name] = "." if point else ","
        elif either_comma:
            decided[name] = _weigh_comma(name, columns[name], points, commas, notation, where)
        else:
            whole = either_point and commas and not points and not notation.typed
            decided[name] = "," if whole else "."
    return decided


def _weigh_comma(name: str, column: _Column, points: bool, commas: bool, notation: Notation, where: str) -> str:
    """What the comma is in a column where each stands before three digits."""
    if notation.semicolons or (commas and not points):
        return ","
    whole = [int(core) for core in column.cores if core is not None and core.isdigit()]
    if any(number > 999 for number in whole):
        return ","
    if points or whole:
        return "."
    example = next(core for core in column.cores if core and "," in core)
    raise UndecidedError(
        f"{where}, column {name}",
        f"{example} may be a number with a decimal comma or one with a separator of thousands, and nothing tells which",
        "say --decimal , or --decimal .",
        "decimal",
        (",", "."),
    )


def _ask_sentinel(name: str, column: _Column, values: list[float], where: str) -> None:
    """Ask about -999 and the like where all other figures are far from it."""
    coded = Counter(core for core in column.cores if core is not None and _SENTINEL.fullmatch(core))
    if not coded:
        return
    codes = {float(core) for core in coded}
    others = [value for value in values if math.isfinite(value) and value not in codes]
    # A column that reaches half-way down to the code may hold it as a figure.
    if others and min(others) > max(codes) / 2:
        text, cells = coded.most_common(1)[0]
        raise UndecidedError(
            f"{where}, column {name}",
            f"{text} stands in {cells} cells, and all other figures are between {min(others):g} and {max(others):g}",
            f'if it means that there is no figure, say --missing "{text}"; if it is one, say --missing ""',
            "missing",
            (text, ""),
        )


def _tell(columns: Mapping[str, _Column], decimals: Mapping[str, str]) -> list[str]:
    marks = sum((column.marks for column in columns.values()), Counter())
    flags = sum((column.flags for column in columns.values()), Counter())
    told = []
    commas = [name for name, decimal in decimals.items() if decimal == ","]
    if any("," in (core or "") for name in commas for core in columns[name].cores):
        told.append(f"decimal commas: in {few(commas)}")
    grouped = [
        name
        for name, column in columns.items()
        if any((("," if decimals[name] == "." else ".") in (core or "")) for core in column.cores)
    ]
    if grouped:
        told.append(f"separators of thousands: read as such in {few(grouped)}")
    if marks:
        told.append(f"read as empty: {few([f'{mark!r} in {count} cells' for mark, count in marks.most_common()])}")
    if flags:
        shown = few([mark for mark, _ in flags.most_common()])
        told.append(f"footnote marks: taken off {sum(flags.values())} figures ({shown})")
    return told
