"""Panels that do not fit into memory: read, checked and indexed on disk, then the fixed-effects baseline.

DuckDB holds the figures in one file of a run folder and spills to that folder; Python sees single numbers and, for the
regression, blocks of the model's columns (:mod:`helpers.large.rows`). No path or cell is ever put into the text of a
query: they go in as expressions and values, so that none can be read as a command.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from helpers.errors import StudyError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation, Expression

NUMBER_TYPES = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "HUGEINT", "REAL", "BIGINT", "SMALLINT", "UINT", "UBIGINT")
# How spreadsheets and statistics programs write an empty cell.
EMPTY_CELLS = ["", "NA", "NaN", "nan", "."]
MEMORY, THREADS = "1500MB", 2
"""Limits of the database."""


@dataclass(frozen=True)
class LargePanel:
    """A panel on disk; close it, or use it in a ``with`` block.

    Attributes
    ----------
    source
        The file that it was read from.
    folder
        Where its copy and all that is spilled lie.
    entity, time, columns
        Names of the key's two columns and of the measures, as in the file.
    n_rows
        Number of rows.
    connection
        The open database; table ``panel`` has the columns ``entity``, ``time``, ``v0``, ``v1``, ... in this order.
    """

    source: Path
    folder: Path
    entity: str
    time: str
    columns: tuple[str, ...]
    n_rows: int
    connection: DuckDBPyConnection = field(repr=False)

    def table(self) -> DuckDBPyRelation:
        """The rows."""
        return self.connection.table("panel")

    def column(self, name: str) -> Expression:
        """A measure.

        Raises
        ------
        StudyError
            When there is none of this name.
        """
        from duckdb import ColumnExpression

        if name not in self.columns:
            raise StudyError(
                f"{self.source.name}, column {name}", "it was not read", f"use one of: {', '.join(self.columns)}"
            )
        return ColumnExpression(f"v{self.columns.index(name)}")

    def ask(self, text: str) -> list[tuple[Any, ...]]:
        """All rows of a query whose text is made of this package's own names and of numbers alone."""
        return self.connection.execute(text).fetchall()

    def close(self) -> None:
        """Give the file and the memory back."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_large_panel(
    source: Path,
    folder: Path,
    *,
    entity: str,
    time: str,
    columns: Sequence[str] | None = None,
) -> LargePanel:
    """Copy a CSV (UTF-8, one header row) or Parquet file into a database in `folder`, as numbers.

    Parameters
    ----------
    source
        The file; ``.parquet`` is read as Parquet, everything else as CSV.
    folder
        A run folder; ``large.duckdb`` in it is made anew, ``spill`` in it takes what does not fit into memory.
    entity, time
        Names of the key's columns; a time is a whole number.
    columns
        Names of the measures; all others by default. An empty cell, NA, NaN or a single dot is a missing figure.

    Raises
    ------
    StudyError
        No such file, a file that cannot be read, a column that is missing or named twice, a cell that is no number
        (named by column and row), a key that is empty.
    """
    import duckdb

    if not source.is_file():
        raise StudyError(str(source), "there is no such file", "correct the path")
    connection = _open_database(folder)
    try:
        rows = open_table(connection, source)
        names = tuple(columns) if columns is not None else tuple(n for n in rows.columns if n not in (entity, time))
        _check_columns(rows, source, [entity, time, *names])
        try:
            _typed(rows, entity, time, names).create("panel")
        except duckdb.Error as error:
            _explain_cells(rows, source, time, names)
            raise _unreadable(source, error) from None
        panel = LargePanel(source, folder, entity, time, names, len(connection.table("panel")), connection)
        _check_filled(panel)
    except BaseException:
        connection.close()
        raise
    return panel


def _open_database(folder: Path) -> DuckDBPyConnection:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "large.duckdb"
    for old in (path, path.with_suffix(".duckdb.wal")):
        old.unlink(missing_ok=True)
    return connect(str(path), folder / "spill")


def connect(database: str, spill: Path) -> DuckDBPyConnection:
    """A database, or one in memory (``:memory:``), that keeps to its limits and fetches nothing from anywhere."""
    import duckdb

    limits: dict[str, Any] = {
        "memory_limit": MEMORY,
        "threads": THREADS,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(database, config=limits)


def open_table(connection: DuckDBPyConnection, source: Path) -> DuckDBPyRelation:
    """The rows of a CSV file, as text, or of a Parquet file.

    Raises
    ------
    StudyError
        It cannot be read.
    """
    import duckdb

    # A star or bracket in a file's name is a character of it, not a pattern.
    name = glob.escape(str(source))
    try:
        if source.suffix == ".parquet":
            return connection.read_parquet(name)
        return connection.read_csv(name, all_varchar=True, header=True, na_values=EMPTY_CELLS)
    except duckdb.Error as error:
        raise _unreadable(source, error) from None


def _unreadable(source: Path, error: Exception) -> StudyError:
    return StudyError(
        str(source),
        f"it cannot be read: {str(error).splitlines()[0]}",
        "save it as UTF-8 CSV with one header row, or Parquet",
    )


def _check_columns(rows: DuckDBPyRelation, source: Path, wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in rows.columns:
            raise StudyError(
                f"{source.name}, column {name}", "the file has no such column", f"it has: {', '.join(rows.columns)}"
            )
        if list(wanted).count(name) > 1:
            raise StudyError(f"{source.name}, column {name}", "it is asked for twice", "name every column once")
    for name, kind in zip(rows.columns, map(str, rows.types), strict=True):
        if name in wanted[2:] and kind != "VARCHAR" and not kind.startswith(NUMBER_TYPES):
            raise StudyError(
                f"{source.name}, column {name}", f"it holds {kind} where numbers are needed", "leave the column out"
            )


def _typed(rows: DuckDBPyRelation, entity: str, time: str, names: Sequence[str]) -> DuckDBPyRelation:
    """The rows under plain names, as numbers; NaN becomes a missing figure."""
    from duckdb import CaseExpression, ColumnExpression, ConstantExpression, FunctionExpression

    numbers = [ColumnExpression(name).cast("DOUBLE") for name in names]
    figures = [
        CaseExpression(FunctionExpression("isnan", number), ConstantExpression(None)).otherwise(number).alias(f"v{at}")
        for at, number in enumerate(numbers)
    ]
    # An identifier is text, whatever a file stores it as.
    unit, period = ColumnExpression(entity).cast("VARCHAR"), ColumnExpression(time).cast("BIGINT")
    return rows.select(unit.alias("entity"), period.alias("time"), *figures)


def _explain_cells(rows: DuckDBPyRelation, source: Path, time: str, names: Sequence[str]) -> None:
    """Look for the first cell that is no number, column by column."""
    from duckdb import ColumnExpression, FunctionExpression

    for name in (time, *names):
        column = ColumnExpression(name)
        if str(rows.types[rows.columns.index(name)]) != "VARCHAR":
            continue
        # Trimmed, the cell is tried after it was read, not by the reader, which would stop again.
        tried = FunctionExpression("trim", column).try_cast("BIGINT" if name == time else "DOUBLE")
        marked = rows.select(column.alias("cell"), tried.alias("number"))
        numbered = marked.row_number("over ()", "cell, number")
        wrong = numbered.filter(ColumnExpression("cell").isnotnull() & ColumnExpression("number").isnull())
        for content, _, row in wrong.limit(1).fetchall():
            cell, kind = str(content)[:40], "whole number" if name == time else "number"
            raise StudyError(
                f"{source.name}, column {name}, row {row}",
                f"{cell!r} is no {kind}",
                "correct the cell, or leave the column out",
            )


def _check_filled(panel: LargePanel) -> None:
    from duckdb import ColumnExpression

    if panel.n_rows == 0:
        raise StudyError(panel.source.name, "it has no row", "give a file with figures")
    for level, name in (("entity", panel.entity), ("time", panel.time)):
        if (empty := len(panel.table().filter(ColumnExpression(level).isnull()))) > 0:
            raise StudyError(
                f"{panel.source.name}, column {name}",
                f"{empty} rows have no {level}",
                "fill in the key, or remove the rows",
            )


def check_large_panel(
    panel: LargePanel, ranges: Mapping[str, tuple[float | None, float | None]] | None = None
) -> pd.DataFrame:
    """Check the keys and the figures of a large panel, and describe it.

    Parameters
    ----------
    panel
        From :func:`read_large_panel`.
    ranges
        Name of a measure -> the lowest and the highest figure that it may have, None for no bound.

    Returns
    -------
    DataFrame
        As `describe_columns`.

    Raises
    ------
    StudyError
        An entity and time that stand twice, a figure that is infinite or outside its range; each with its place.
    """
    _check_keys(panel)
    columns = describe_columns(panel, panel.columns)
    for name, (low, high) in {**dict.fromkeys(panel.columns, (None, None)), **(ranges or {})}.items():
        _check_range(panel, name, columns, low, high)
    return columns


def describe_columns(panel: LargePanel, names: Iterable[str]) -> pd.DataFrame:
    """One row per measure, in one pass: `n`, `missing`, `minimum`, `maximum`, `mean`."""
    from duckdb import FunctionExpression

    names = list(names)
    wanted = [FunctionExpression(f, panel.column(n)) for n in names for f in ("count", "min", "max", "favg")]
    found = iter(panel.table().aggregate([item.alias(f"a{at}") for at, item in enumerate(wanted)]).fetchall()[0])
    rows = {name: (next(found), next(found), next(found), next(found)) for name in names}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["n", "minimum", "maximum", "mean"])
    table.insert(1, "missing", panel.n_rows - table["n"])
    return table.astype({"minimum": float, "maximum": float, "mean": float}).rename_axis("column")


def _check_keys(panel: LargePanel) -> None:
    from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

    keys = [ColumnExpression("entity"), ColumnExpression("time")]
    counted = panel.table().aggregate([*keys, FunctionExpression("count_star").alias("times_there")])
    for entity, time, times in (
        counted.filter(ColumnExpression("times_there") > ConstantExpression(1)).limit(1).fetchall()
    ):
        raise StudyError(
            f"{panel.source.name}, {panel.entity} {entity}, {panel.time} {time}",
            f"the row is there {times} times",
            f"keep one row per {panel.entity} and {panel.time}",
        )


def _check_range(panel: LargePanel, name: str, columns: pd.DataFrame, low: float | None, high: float | None) -> None:
    from duckdb import ConstantExpression

    column = panel.column(name)
    found = columns.loc[name, ["minimum", "maximum"]].to_numpy(dtype=float)
    bounds = [("is below the minimum", column < ConstantExpression(low), found[0], low, -1)] if low is not None else []
    if high is not None:
        bounds.append(("is above the maximum", column > ConstantExpression(high), found[1], high, 1))
    for rule, outside, extreme, bound, sign in bounds:
        if sign * extreme > sign * bound:
            raise _out_of_range(panel, name, outside, f"{rule} {bound:g}")
    for infinite in (float("inf"), float("-inf")):
        if infinite in found:
            raise _out_of_range(panel, name, column == ConstantExpression(infinite), "is infinite")


def _out_of_range(panel: LargePanel, name: str, outside: Expression, rule: str) -> StudyError:
    from duckdb import ColumnExpression

    shown = panel.table().filter(outside)
    (entity, time, figure), *_ = (
        shown.select(ColumnExpression("entity"), ColumnExpression("time"), panel.column(name)).limit(1).fetchall()
    )
    return StudyError(
        f"{panel.source.name}, column {name}, {panel.entity} {entity}, {panel.time} {time} (and {len(shown) - 1} more)",
        f"{figure:g} {rule}",
        "correct the figure or its unit, or the range",
    )
