"""The rows of a large panel in one Parquet file, sorted by entity and time, and read in blocks of whole entities."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.large.index import LargeIndex, value_of
from helpers.large.panel import LargePanel, connect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import Expression
    from numpy.typing import NDArray

KEYS = ("_entity", "_time", "_code")
"""Columns of the file before its groups and figures: the entity, the time, and the entity's place in sorted order."""
BLOCK_ROWS = 500_000


@dataclass(frozen=True)
class Block:
    """Some rows of a panel: whole entities, sorted by entity and time.

    Attributes
    ----------
    starts
        First row of each of the g entities, shape (g,).
    time
        Time of each row, shape (n,).
    figures
        The columns that were asked for, n x m.
    """

    starts: NDArray[np.int64]
    time: NDArray[np.int64]
    figures: Floats

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each entity, shape (g,)."""
        return np.diff(self.starts, append=len(self.time))

    def sums(self, figures: Floats) -> Floats:
        """Sums of columns over the rows of each entity, g x m."""
        return np.add.reduceat(figures, self.starts, axis=0)

    def within(self, figures: Floats) -> Floats:
        """Columns less the means of their entity, n x m."""
        sizes = self.sizes
        return np.asarray(figures - np.repeat(self.sums(figures) / sizes[:, None], sizes, axis=0))


def group_column(grouping: str) -> str:
    """The column that holds the place of an entity's group in the order of a grouping, none where it has no group."""
    return f"_group_{grouping}"


def read_blocks(
    path: Path,
    names: Sequence[str],
    *,
    group: tuple[str, int] | None = None,
    complete: bool = True,
    size: int = BLOCK_ROWS,
) -> Iterator[Block]:
    """Go through the rows, some at a time; an entity is never cut.

    Parameters
    ----------
    path
        A file of :func:`helpers.large.clean.clean_panel`.
    names
        Columns to read.
    group
        Grouping and place of the group whose entities alone are read.
    complete
        Whether rows that lack a figure are left out.
    size
        Rows to read at a time.
    """
    import pyarrow.parquet as parquet

    chosen = [] if group is None else [group_column(group[0])]
    with parquet.ParquetFile(path) as file:
        kept: tuple[NDArray[np.int64], NDArray[np.int64], Floats] | None = None
        for batch in file.iter_batches(size, columns=["_code", "_time", *chosen, *names]):
            code, time = (batch.column(at).to_numpy(zero_copy_only=False).astype(np.int64) for at in (0, 1))
            figures = np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in names])
            figures = figures.astype(float, copy=False)
            rows = ~np.isnan(figures).any(axis=1) if complete else np.ones(len(code), dtype=bool)
            if group is not None:
                rows &= batch.column(chosen[0]).to_numpy(zero_copy_only=False) == group[1]
            part = (code[rows], time[rows], figures[rows])
            if kept is not None:
                part = (
                    np.concatenate([kept[0], part[0]]),
                    np.concatenate([kept[1], part[1]]),
                    np.concatenate([kept[2], part[2]]),
                )
            cut = int(np.searchsorted(part[0], part[0][-1])) if len(part[0]) else 0
            if cut:
                yield _block(*(item[:cut] for item in part))
            kept = (part[0][cut:], part[1][cut:], part[2][cut:])
        if kept is not None and len(kept[0]):
            yield _block(*kept)


def _block(code: NDArray[np.int64], time: NDArray[np.int64], figures: Floats) -> Block:
    return Block(np.flatnonzero(np.diff(code, prepend=-1)), time, figures)


def open_rows(path: Path, names: Iterable[str], *, complete: Sequence[str] = ()) -> LargePanel:
    """The file as a panel on disk, for queries; `complete` names columns that a row must have a figure for."""
    from duckdb import ColumnExpression

    names = list(names)
    connection = connect(":memory:", path.parent / "spill")
    rows = connection.read_parquet(glob.escape(str(path)))
    for name in names:
        if name not in rows.columns:
            connection.close()
            raise StudyError(f"{path.name}, column {name}", "there is no such column", "declare it in the study file")
    for name in complete:
        rows = rows.filter(ColumnExpression(name).isnotnull())
    figures = [ColumnExpression(name).alias(f"v{at}") for at, name in enumerate(names)]
    keys = [ColumnExpression("_entity").alias("entity"), ColumnExpression("_time").alias("time")]
    groups = [ColumnExpression(name) for name in rows.columns if name.startswith("_group_")]
    rows.select(*keys, *figures, *groups).create_view("panel")
    count = len(connection.table("panel"))
    return LargePanel(path, path.parent, "entity", "time", tuple(names), count, connection)


def add_indices(path: Path, target: Path, indices: Mapping[str, LargeIndex]) -> None:
    """Write the rows anew with the value of each index beside them, in their order."""
    from duckdb import ColumnExpression

    target.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(":memory:", target.parent / "spill")
    try:
        rows = connection.read_parquet(glob.escape(str(path)))
        known = tuple(rows.columns)
        plain = LargePanel(path, path.parent, "_entity", "_time", known, 0, connection)
        renamed = rows.select(*[ColumnExpression(name).alias(f"v{at}") for at, name in enumerate(known)])
        own: list[Expression] = [ColumnExpression(f"v{at}").alias(name) for at, name in enumerate(known)]
        values = [value_of(plain, index).alias(name) for name, index in indices.items()]
        renamed.select(*own, *values).write_parquet(str(target), compression="zstd")
    finally:
        connection.close()
