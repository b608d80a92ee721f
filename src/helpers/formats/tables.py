"""Which kind of file it is, by its first bytes and never by its name, and its tables as rows of text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.formats.columnar import read_parquet, read_r, read_spss, read_stata
from helpers.formats.decoding import MAX_BYTES, Table, cut_text, decode, find_delimiter, load_bytes
from helpers.formats.workbooks import Titles, read_xls, read_xlsx

ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")
OLD_WORKBOOK = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x09\x08", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00")
PARQUET = (b"PAR1",)
SPSS = (b"$FL2", b"$FL3")
R_DATA = (b"RDX2", b"RDX3", b"X\n\x00\x00\x00")
STATA = (b"<stata_dta>", *(bytes([release, order, 1]) for release in (113, 114, 115) for order in (1, 2)))

_NO_TABLE = {
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"RIFF": "a picture, sound or film",
    b"II*\0": "a picture",
    b"MM\0*": "a picture",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a text document",
    b"7z\xbc\xaf": "an archive",
    b"Rar!": "an archive",
    b"SQLite format 3\0": "a database",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\xd0\xcf": "an old workbook cut short",
}
_MARKUP = ("<!doctype", "<html", "<head", "<table", "<meta", "<?xml")


def read_tables(path: Path, encoding: str | None = None, titles: Titles = None) -> tuple[Table, ...]:
    """The tables of a file: one of a text, a Stata or a Parquet file, one per visible worksheet of a workbook.

    Parameters
    ----------
    path
        The file.
    encoding
        Codec of a text file; None for the one that :func:`helpers.formats.decoding.decode` finds.
    titles
        The worksheets of a workbook that are wanted; None for every one.

    Returns
    -------
    tuple of Table
        Every cell as text. Formulas are never worked out: the figure that was saved with them is read.

    Raises
    ------
    StudyError
        When the file holds no table, is too large when unpacked, or is damaged.
    """
    content = unpack(load_bytes(path), path)
    for marks, book in _WORKBOOKS.items():
        if content.startswith(marks):
            return book(content, path, titles)
    for marks, reader in _READERS.items():
        if content.startswith(marks):
            return reader(content, path)
    if encoding is None:
        _check_text(content, path)
    text = decode(content, path, encoding)
    return (Table("", cut_text(text, path), delimiter=find_delimiter(text)),)


def unpack(content: bytes, path: Path) -> bytes:
    """What R packed into a file (gzip, bzip2 or xz, one file in each); other archives stay as they are.

    Raises
    ------
    StudyError
        What is packed is no file of R, or unpacks to too much.
    """
    opener = next((opener for mark, opener in _PACKED.items() if content.startswith(mark)), None)
    if opener is None:
        return content
    try:
        with opener(io.BytesIO(content)) as stream:
            plain = bytes(stream.read(MAX_BYTES + 1))
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        rule = f"the file is a damaged archive ({type(error).__name__})"
        raise StudyError(str(path), rule, "get it anew, or unpack it first") from None
    if len(plain) > MAX_BYTES:
        raise StudyError(str(path), f"it unpacks to more than {MAX_BYTES // 1_000_000} MB", "keep what the study uses")
    if not plain.startswith(R_DATA):
        raise StudyError(
            str(path), "the file is an archive, not a table", "unpack it, and name the table that is in it"
        )
    return plain


_PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def _check_text(content: bytes, path: Path) -> None:
    kind = next((kind for mark, kind in _NO_TABLE.items() if content.startswith(mark)), None)
    start = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if kind is None and start.startswith(tuple(mark.encode() for mark in _MARKUP)):
        kind = "a web page or XML, whatever its name says"
    if kind is None and start.startswith((b"[{", b"{")):
        kind = "JSON"
    if kind is not None:
        remedy = "open it in the program that it belongs to, and save the table as CSV in UTF-8 or as .xlsx"
        raise StudyError(str(path), f"the file is {kind}, not a table", remedy)


_WORKBOOKS = {ARCHIVE: read_xlsx, OLD_WORKBOOK: read_xls}
_READERS = {
    PARQUET: read_parquet,
    STATA: read_stata,
    SPSS: read_spss,
    R_DATA: read_r,
}
