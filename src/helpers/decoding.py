"""Bytes to text, text to cells, cells to numbers: nothing is guessed in silence."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import StudyError

MAX_BYTES = 500_000_000

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, ]\d{3})+(\.\d*)?", re.ASCII)
_NOT_TEXT = {
    b"PK": "a spreadsheet or an archive",
    b"\xd0\xcf": "an old spreadsheet",
    b"\x89P": "a picture",
    b"\xff\xd8": "a picture",
}


def read_text(path: Path, encoding: str | None = None) -> str:
    """The text of a file: UTF-8 with or without mark, else GB18030, unless ``encoding`` names the codec.

    Raises
    ------
    StudyError
        When the file is missing, is too large, is not text, or cannot be decoded.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StudyError(str(path), "the file is larger than 500 MB", "keep the columns that the study uses")
        content = path.read_bytes()
    except FileNotFoundError:
        raise StudyError(str(path), "the file is missing", "put it there, or correct its name") from None
    except OSError as error:
        raise StudyError(str(path), f"the file cannot be read ({error.strerror})", "permit reading it") from None
    kind = _NOT_TEXT.get(content[:2]) or ("binary data or UTF-16" if b"\0" in content else None)
    if kind and encoding is None:
        raise StudyError(str(path), f"the file is {kind}, not CSV text", "save it as CSV in UTF-8")
    for codec in (encoding,) if encoding else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(codec)
        except (UnicodeDecodeError, LookupError):
            continue
    rule = f"the text is not {encoding}" if encoding else "the text is neither UTF-8 nor GB18030"
    raise StudyError(str(path), rule, "save the file as CSV in UTF-8")


@dataclass(frozen=True)
class Row:
    """One line of a file: its number and its cells without surrounding blanks."""

    line: int
    cells: tuple[str, ...]


def cut_rows(path: Path, encoding: str | None = None) -> tuple[Row, ...]:
    """The lines of a CSV file that are not blank.

    Raises
    ------
    StudyError
        From :func:`read_text`, and naming the line that is not valid CSV.
    """
    reader = csv.reader(io.StringIO(read_text(path, encoding), newline=""), strict=True)
    rows = []
    try:
        for cells in reader:
            stripped = tuple(cell.strip().strip("\ufeff") for cell in cells)
            if any(stripped):
                rows.append(Row(reader.line_num, stripped))
    except csv.Error as error:
        raise StudyError(f"{path}, line {reader.line_num}", f"not valid CSV: {error}", "correct that line") from None
    return tuple(rows)


def parse_number(text: str, where: str) -> float:
    """The number in a cell; NaN for an empty one.

    Raises
    ------
    StudyError
        When the cell holds anything but a plain decimal number; the message says what is wrong with it.
    """
    if not text:
        return math.nan
    if _NUMBER.fullmatch(text) and math.isfinite(value := float(text)):
        return value
    raise _explain_number(text, where)


def _explain_number(text: str, where: str) -> StudyError:
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if plain.strip("+-").casefold() in {"inf", "infinity", "∞"} or _NUMBER.fullmatch(text):
        return StudyError(where, f"'{text}' is infinite", "write the figure, or leave the cell empty")
    if _THOUSANDS.fullmatch(plain):
        return StudyError(where, f"'{text}' has thousands separators", "write the number without them")
    if _NUMBER.fullmatch(plain):
        return StudyError(where, f"'{text}' has full-width digits", "write it with the digits 0-9")
    if plain.endswith(("%", "‰")):
        return StudyError(where, f"'{text}' carries its unit", "write the number alone")
    remedy = "correct the cell; leave it empty where there is no figure"
    return StudyError(where, f"'{text}' stands where a number is needed", remedy)
