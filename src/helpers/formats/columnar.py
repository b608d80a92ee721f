"""Stata, SPSS, R and Parquet files as tables of text: columns with a name and a type become the cells of a CSV."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.formats.decoding import MAX_CELLS, Row, Table, cell_text
from helpers.formats.workbooks import damage


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
        with pd.read_stata(io.BytesIO(content), iterator=True) as reader:
            told = {str(name): _decode(text) if old else text for name, text in reader.variable_labels().items()}
        labels = {name: text.strip() for name, text in told.items() if text.strip()}
        return (_table([str(name) for name in frame.columns], columns, path, labels),)


def read_spss(content: bytes, path: Path) -> tuple[Table, ...]:
    """The table of an SPSS .sav file: labelled values become their labels, user-missing values empty cells.

    Raises
    ------
    StudyError
        When the file is damaged.
    """
    import pyreadstat

    with damage(path):
        frame, about = pyreadstat.read_sav(io.BytesIO(content), apply_value_formats=True, formats_as_category=False)
        labels = {name: text for name, text in about.column_names_to_labels.items() if text}
        return (_table([str(name) for name in frame.columns], _typed_columns(frame), path, labels),)


def read_r(content: bytes, path: Path) -> tuple[Table, ...]:
    """The tables of an R file (.rds, .rda, .RData): every data frame in it; factors become their labels.

    Raises
    ------
    StudyError
        When the file is damaged, or holds no data frame.
    """
    import rdata

    with damage(path):
        parsed = rdata.parser.parse_data(content)
        read = rdata.conversion.convert(parsed)
        objects = read if isinstance(read, dict) and not _is_columns(read) else {"": read}
        frames = {str(name): pd.DataFrame(item) for name, item in objects.items() if _is_columns(item)}
        if not frames:
            kinds = ", ".join(sorted({type(item).__name__ for item in objects.values()}))
            rule = f"it holds no data frame ({kinds})"
            raise StudyError(str(path), rule, "save the data frame alone in R: saveRDS(as.data.frame(x), 'x.rds')")
        tables = {
            name: _table(list(map(str, frame.columns)), _typed_columns(frame), path) for name, frame in frames.items()
        }
        return tuple(replace(table, title=name) for name, table in tables.items())


def _is_columns(item: Any) -> bool:
    """Whether an object of R is a data frame: columns of one length."""
    if isinstance(item, pd.DataFrame):
        return True
    columns = list(item.values()) if isinstance(item, dict) else []
    sizes = {len(column) for column in columns if hasattr(column, "__len__") and not isinstance(column, str)}
    return len(columns) > 1 and len(sizes) == 1 and next(iter(sizes)) > 1


def _typed_columns(frame: pd.DataFrame) -> list[list[Any]]:
    """Columns as lists of plain values, None where there is none; times of midnight as dates."""
    columns = []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        columns.append([None if pd.isna(value) else value for value in column.astype(object)])
    return columns


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


def _table(
    names: Sequence[str], columns: Sequence[Sequence[Any]], path: Path, labels: dict[str, str] | None = None
) -> Table:
    _check_size(max(map(len, columns), default=0), len(columns), path)
    texts = [
        [cell_text(value, f"{path}, column {name}") for value in cells]
        for name, cells in zip(names, columns, strict=True)
    ]
    header = Row(1, tuple(name.strip() for name in names))
    body = (Row(line, cells) for line, cells in enumerate(zip(*texts, strict=True), start=2))
    return Table("", (header, *(row for row in body if any(row.cells))) if columns else (), labels or {})


def _check_size(rows: int, columns: int, path: Path) -> None:
    if rows * columns > MAX_CELLS:
        rule = f"the table has {rows:,} rows of {columns} columns, more than {MAX_CELLS:,} cells"
        raise StudyError(str(path), rule, "keep the columns and rows that the study uses")
