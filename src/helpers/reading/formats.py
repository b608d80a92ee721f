"""Which kind of file it is, by its first bytes and never by its name, and its tables as rows of text."""

from __future__ import annotations

from pathlib import Path

from helpers.errors import StudyError
from helpers.reading.columnar import read_parquet, read_stata
from helpers.reading.decoding import Table, cut_text, decode, find_delimiter, load_bytes
from helpers.reading.workbooks import read_xls, read_xlsx

ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")
OLD_WORKBOOK = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x09\x08", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00")
PARQUET = (b"PAR1",)
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
    b"\x1f\x8b": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"Rar!": "an archive",
    b"SQLite format 3\0": "a database",
    b"$FL": "an SPSS file",
    b"RDX": "an R file",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\xd0\xcf": "an old workbook cut short",
}
_MARKUP = ("<!doctype", "<html", "<head", "<table", "<meta", "<?xml")


def read_tables(path: Path, encoding: str | None = None) -> tuple[Table, ...]:
    """The tables of a file: one of a text, a Stata or a Parquet file, one per visible worksheet of a workbook.

    Parameters
    ----------
    path
        The file.
    encoding
        Codec of a text file; None for the one that :func:`helpers.reading.decoding.decode` finds.

    Returns
    -------
    tuple of Table
        Every cell as text. Formulas are never worked out: the figure that was saved with them is read.

    Raises
    ------
    StudyError
        When the file holds no table, is too large when unpacked, or is damaged.
    """
    content = load_bytes(path)
    for marks, reader in _READERS.items():
        if content.startswith(marks):
            return reader(content, path)
    if encoding is None:
        _check_text(content, path)
    text = decode(content, path, encoding)
    return (Table("", cut_text(text, path), delimiter=find_delimiter(text)),)


def _check_text(content: bytes, path: Path) -> None:
    kind = next((kind for mark, kind in _NO_TABLE.items() if content.startswith(mark)), None)
    start = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if kind is None and start.startswith(tuple(mark.encode() for mark in _MARKUP)):
        kind = "a web page or XML, whatever its name says"
    if kind is not None:
        remedy = "open it in the program that it belongs to, and save the table as CSV in UTF-8 or as .xlsx"
        raise StudyError(str(path), f"the file is {kind}, not a table", remedy)


_READERS = {ARCHIVE: read_xlsx, OLD_WORKBOOK: read_xls, PARQUET: read_parquet, STATA: read_stata}
