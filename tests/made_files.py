"""Small files of other programs, made byte by byte or by their libraries: old and new workbooks, Stata, Parquet, archives.

No library here writes .xls, so its records are written as the two published formats say: [MS-XLS] for the stream,
[MS-CFB] for the container.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl  # type: ignore[import-untyped]

Rows = Sequence[Sequence[Any]]
PLAIN, PER_CENT, DATE = 0, 1, 2
"""Cell formats of :func:`make_xls`, in the order of its XF records."""


def make_xlsx(
    sheets: Mapping[str, Rows], hidden: Sequence[str] = (), formats: Mapping[str, str] | None = None
) -> bytes:
    """A workbook of openpyxl; ``formats`` gives cells of the first sheet a number format."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    for place, style in (formats or {}).items():
        book.worksheets[0][place].number_format = style
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def change_part(workbook: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with one part of its archive changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            assert name != part or old in content
            after.writestr(name, content.replace(old, new) if name == part else content)
    return stream.getvalue()


def make_bomb(megabytes: int) -> bytes:
    """A workbook one part of which unpacks to so many million zero bytes."""
    stream = io.BytesIO(make_xlsx({"Sheet1": [["地区"]]}))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/bomb.bin", "w") as part:
        for _ in range(megabytes):
            part.write(b"\0" * 1_000_000)
    return stream.getvalue()


def make_xls(sheets: Mapping[str, Rows], formats: Mapping[tuple[int, int], int] | None = None) -> bytes:
    """An Excel 97 workbook: texts, numbers and truth values; ``formats`` gives cells (row, column) another format."""
    streams = [_worksheet(rows, formats or {}) for rows in sheets.values()]
    names = [title.encode("utf-16-le") for title in sheets]
    sizes = [4 + 8 + len(name) for name in names]
    cells = [_record(0x00E0, struct.pack("<HHHBBBBIiH", 0, key, 0, 0x20, 0, 0, 0, 0, 0, 0)) for key in (0, 10, 14)]
    style = _record(0x00E0, struct.pack("<HHHBBBBIiH", 0, 0, 0xFFF5, 0x20, 0, 0, 0, 0, 0, 0))
    font = _record(0x0031, struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + b"\5\0Arial")
    head = _begin(0x0005) + _record(0x0042, struct.pack("<H", 1200)) + font * 4 + style + b"".join(cells)
    place = len(head) + sum(sizes) + 4
    for name, stream in zip(names, streams, strict=True):
        head += _record(0x0085, struct.pack("<IBBBB", place, 0, 0, len(name) // 2, 1) + name)
        place += len(stream)
    return _contain(head + _record(0x000A) + b"".join(streams))


def _worksheet(rows: Rows, formats: Mapping[tuple[int, int], int]) -> bytes:
    content = _begin(0x0010)
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            style = 1 + formats.get((line, column), PLAIN)
            at = struct.pack("<HHH", line, column, style)
            if isinstance(value, bool):
                content += _record(0x0205, at + struct.pack("<BB", value, 0))
            elif isinstance(value, (int, float)):
                content += _record(0x0203, at + struct.pack("<d", value))
            elif isinstance(value, date):
                content += _record(0x0203, at + struct.pack("<d", (value - date(1899, 12, 30)).days))
            elif value:
                content += _record(0x0204, at + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
    return content + _record(0x000A)


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _contain(stream: bytes) -> bytes:
    """A compound file with one stream: a header, a table of sectors, a directory, the stream."""
    stream = stream.ljust(4096, b"\0")
    count = -(-len(stream) // 512)
    end, free, table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    chain = [table, end, *range(3, 2 + count), end]
    head = struct.pack("<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6,
                       0, 1, 1, 0, 4096, end, 0, end, 0, 0)  # fmt: skip
    head += struct.pack("<108I", *[free] * 108)
    sectors = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    root, book = _entry("Root Entry", 5, 1, end, 0), _entry("Workbook", 2, free, 2, len(stream))
    return head + sectors + (root + book).ljust(512, b"\0") + stream.ljust(512 * count, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    none = 0xFFFFFFFF
    return struct.pack("<64sHBBIII36xIQ", text, len(text), kind, 1, none, none, child, start, size)
