"""Bytes to text, text to cells, cells to numbers: nothing is guessed in silence."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from helpers.errors import StudyError

MAX_BYTES = 100_000_000
MAX_CELLS = 5_000_000

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, ]\d{3})+(\.\d*)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?[\d.]+,\d+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DELIMITERS = (",", "\t", ";", "|")
_FOREIGN = re.compile(r"[A-Za-z]?[^\x00-\x7f]+[A-Za-z]?")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Share of the signs beyond ASCII that stand alone inside words of Latin letters, from which a text is Western.
INSIDE_WORDS = 0.8
# Share of lines beyond ASCII that are UTF-8 although the whole is not, from which a text is of two encodings; a line of
# another one is UTF-8 by rare chance only where it has signs of three bytes.
MIXED = 0.2
_THREE_BYTES = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}")
_SHOWN = 60
MOST_LISTED = 10


class Row(NamedTuple):
    """One line of a file, or one row of a worksheet: its number and its cells without surrounding blanks."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A file, or one worksheet of it, cut into rows that are not blank; the title is a worksheet's name.

    ``labels`` says what headings stand for, where the format keeps it; ``delimiter`` is what separated the cells of a
    text, and is empty where the cells had types.
    """

    title: str
    rows: tuple[Row, ...]
    labels: dict[str, str] = field(default_factory=dict)
    delimiter: str = ""


def load_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises
    ------
    StudyError
        When the file is missing, is too large or may not be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            rule = f"the file is larger than {MAX_BYTES // 1_000_000} MB"
            raise StudyError(str(path), rule, "keep the columns and rows that the study uses")
        return path.read_bytes()
    except FileNotFoundError:
        raise StudyError(str(path), "the file is missing", "put it there, or correct its name") from None
    except (OSError, ValueError) as error:
        rule = f"the file cannot be read ({getattr(error, 'strerror', None) or error})"
        raise StudyError(str(path), rule, "name a file that may be read") from None


def read_text(path: Path, encoding: str | None = None) -> str:
    """The text of a file: UTF-8 with or without mark, UTF-16 with mark, else GB18030, unless ``encoding`` says which.

    Raises
    ------
    StudyError
        When the file cannot be read, is not text, or cannot be decoded.
    """
    return decode(load_bytes(path), path, encoding)


def decode(content: bytes, path: Path, encoding: str | None = None) -> str:
    """The text of the content of a file, as :func:`read_text`."""
    content = content.rstrip(b"\x1a")  # the end of a file as DOS programs mark it
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in content and not marked and encoding is None:
        raise _damaged(str(path), content.count(b"\n", 0, content.find(b"\0")) + 1, "zero bytes")
    for codec in (encoding,) if encoding else ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(codec)
        except (UnicodeError, LookupError):
            continue
        if codec == "gb18030" and encoding is None:
            _check_mixed(content, path)
        if codec == "gb18030" and encoding is None and _is_western(text):
            text = content.decode("cp1252", errors="replace")
        _check_control(text, str(path))
        return text
    named = encoding or ("UTF-16, as its first bytes say" if marked else "neither UTF-8 nor GB18030")
    raise StudyError(str(path), f"the text is {'not ' if encoding or marked else ''}{named}", "save it as CSV in UTF-8")


def is_text_codec(name: str) -> bool:
    """Whether Python knows a codec of text by this name."""
    try:
        "".encode(name)
    except (LookupError, UnicodeError, ValueError):
        return False
    return True


def _check_mixed(content: bytes, path: Path) -> None:
    """Refuse a text of lines in two encodings, as pasting one file below another leaves it."""
    beyond = [(number, line) for number, line in enumerate(content.splitlines(), 1) if not line.isascii()]
    utf8 = {number for number, line in beyond if _THREE_BYTES.search(line) and _is_utf8(line)}
    if MIXED * len(beyond) <= len(utf8) < len(beyond):
        number = next(number for number, _ in beyond if number not in utf8)
        rule = f"the line is in another encoding than {len(utf8)} others, which are UTF-8"
        raise StudyError(f"{path}, line {number}", rule, "save the parts in UTF-8 before they are put together")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_western(text: str) -> bool:
    """Whether what was read as Chinese is Western text: single signs that stand inside words of Latin letters."""
    runs = _FOREIGN.findall(text)
    single = [run for run in runs if len(run.strip(_LETTERS)) == 1 and len(run) > 1]
    return bool(runs) and len(single) >= INSIDE_WORDS * len(runs)


def cut_text(text: str, path: Path) -> tuple[Row, ...]:
    """The lines of a text that are not blank, cut at commas, tabs, semicolons or bars, whichever most lines have."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=find_delimiter(text))
    rows = []
    try:
        for cells in reader:
            stripped = tuple(cell.strip().strip("\ufeff") for cell in cells)
            if any(stripped):
                rows.append(Row(reader.line_num, stripped))
    except csv.Error as error:
        raise StudyError(f"{path}, line {reader.line_num}", f"not valid CSV: {error}", "correct that line") from None
    return tuple(rows)


def find_delimiter(text: str) -> str:
    """What separates the cells; a TAB before a comma belongs to the comma, as the Bureau's new portal writes it."""
    lines = [line.replace("\t,", ",") for line in text[:100_000].splitlines()[:60]]
    # Of marks that stand in as many lines the more frequent one; of equals the first, the comma.
    return max(_DELIMITERS, key=lambda mark: (sum(mark in line for line in lines), sum(map(_count(mark), lines))))


def _count(mark: str) -> Callable[[str], int]:
    return lambda line: line.count(mark)


def cell_text(value: Any, where: str) -> str:
    """A typed cell of a worksheet or column as the text that a CSV file would hold; dates stay dates.

    Raises
    ------
    StudyError
        For text with control characters.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()[:10]
    text = str(value).strip().strip("\ufeff")
    _check_control(text, where)
    return text


def plain_number(text: str) -> float | None:
    """The number in a cell, NaN for an empty one; None for anything but a plain decimal number."""
    if not text:
        return math.nan
    return value if _NUMBER.fullmatch(text) and math.isfinite(value := float(text)) else None


def parse_number(text: str, where: str) -> float:
    """The number in a cell, as :func:`plain_number`.

    Raises
    ------
    StudyError
        When the cell holds anything else; the message says what is wrong with it.
    """
    value = plain_number(text)
    if value is None:
        raise _explain_number(text, where)
    return value


def shorten(text: str) -> str:
    """A text as messages show it: on one line, and not longer than a line."""
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "..."


def few(items: Sequence[str]) -> str:
    """At most ten of a thing, as messages list them."""
    more = f" and {len(items) - MOST_LISTED} more" if len(items) > MOST_LISTED else ""
    return ", ".join(items[:MOST_LISTED]) + more


def _check_control(text: str, where: str) -> None:
    found = _CONTROL.search(text)
    if found:
        what = "zero bytes" if found[0] == "\0" else f"the control character {ord(found[0])}"
        raise _damaged(where, text.count("\n", 0, found.start()) + 1, what)


def _damaged(where: str, line: int, what: str) -> StudyError:
    remedy = "save the file anew as CSV in UTF-8, from the program that made it"
    return StudyError(f"{where}, line {line}", f"the text holds {what}: it is damaged or binary data", remedy)


def _explain_number(text: str, where: str) -> StudyError:
    plain, shown = " ".join(unicodedata.normalize("NFKC", text).split()), shorten(text)
    if plain.strip("+-").casefold() in {"inf", "infinity", "∞"} or _NUMBER.fullmatch(text):
        return StudyError(where, f"'{shown}' is infinite", "write the figure, or leave the cell empty")
    if _THOUSANDS.fullmatch(plain):
        return StudyError(where, f"'{shown}' has thousands separators", "write the number without them")
    if _DECIMAL_COMMA.fullmatch(plain):
        return StudyError(where, f"'{shown}' has a decimal comma", "write the number with a decimal point")
    if _NUMBER.fullmatch(plain) and any("\uff01" <= letter <= "\uff5e" for letter in text):
        return StudyError(where, f"'{shown}' has full-width digits", "write it with the digits 0-9")
    if plain.endswith(("%", "‰")):
        return StudyError(where, f"'{shown}' carries its unit", "write the number alone, in the unit of the study file")
    remedy = "correct the cell; leave it empty where there is no figure"
    return StudyError(where, f"'{shown}' stands where a number is needed", remedy)
