"""Stata and Parquet files as tables of text: columns with a name and a type become the cells that a CSV would hold."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.reading.decoding import MAX_CELLS, Row, Table, cell_text
from helpers.reading.workbooks import damage


def read_stata(content: bytes, path: Path) -> tuple[Table, ...]:
    """The table of a .dta file of Stata 8 to 19.

    Labelled values become their labels. A date that is the first of January in every row is a year in Stata's yearly
    format. Text written before Stata 14 is decoded as UTF-8, else GB18030.

    Raises
    ------
    StudyError
        When the file is damaged.
    """
    with damage(path):
        try:
            frame = pd.read_stata(io.BytesIO(content))
        except ValueError:  # labels that stand for two values: the values themselves are left
            frame = pd.read_stata(io.BytesIO(content), convert_categoricals=False)
        old = not content.startswith(b"<stata_dta>") or re.search(rb"<release>117<", content[:100]) is not None
        columns = [_stata_values(frame[name], old) for name in frame.columns]
        return (_table([str(name) for name in frame.columns], columns, path),)


def read_parquet(content: bytes, path: Path) -> tuple[Table, ...]:
    """The table of a Parquet file.

    Raises
    ------
    StudyError
        When the file is damaged, too large, or holds columns of lists or records.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with damage(path):
        file = pq.ParquetFile(pa.BufferReader(content))
        schema = file.schema_arrow
        nested = next((field.name for field in schema if pa.types.is_nested(field.type)), None)
        if nested is not None:
            raise StudyError(f"{path}, column {nested}", "it holds lists or records", "keep one value in each cell")
        _check_size(file.metadata.num_rows, len(schema), path)
        table = file.read()
        columns = [
            _shortest(column.to_pylist()) if pa.types.is_float32(column.type) else column.to_pylist()
            for column in table.columns
        ]
        return (_table(schema.names, columns, path),)


def _stata_values(column: pd.Series, old: bool) -> list[Any]:
    if pd.api.types.is_datetime64_any_dtype(column):
        known = column.dropna()
        if ((known.dt.month == 1) & (known.dt.day == 1)).all():
            return [None if pd.isna(value) else value.year for value in column]
        return [None if pd.isna(value) else value.date() for value in column]
    values = [None if pd.isna(value) else value for value in column.astype(object)]
    if column.dtype == np.float32:
        return _shortest(values)
    return [_decode(value) if old and isinstance(value, str) else value for value in values]


def _shortest(values: Sequence[Any]) -> list[Any]:
    """Figures of single precision as the shortest decimal number that they stand for: 0.1 and not 0.10000000149."""
    return [None if value is None else float(str(np.float32(value))) for value in values]


def _decode(text: str) -> str:
    """What old Stata stored as bytes without naming the codec; pandas takes it for Latin-1."""
    raw = text.encode("latin-1", errors="replace")
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return text


def _table(names: Sequence[str], columns: Sequence[Sequence[Any]], path: Path) -> Table:
    _check_size(max(map(len, columns), default=0), len(columns), path)
    texts = [
        [cell_text(value, f"{path}, column {name}") for value in cells]
        for name, cells in zip(names, columns, strict=True)
    ]
    header = Row(1, tuple(name.strip() for name in names))
    body = (Row(line, cells) for line, cells in enumerate(zip(*texts, strict=True), start=2))
    return Table("", (header, *(row for row in body if any(row.cells))) if columns else ())


def _check_size(rows: int, columns: int, path: Path) -> None:
    if rows * columns > MAX_CELLS:
        rule = f"the table has {rows:,} rows of {columns} columns, more than {MAX_CELLS:,} cells"
        raise StudyError(str(path), rule, "keep the columns and rows that the study uses")
