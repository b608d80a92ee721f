"""Every number that a run leaves: each field of its results and each cell of its tables, with its place."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from helpers.results.results import COUNTS, NUMBERS, Result, Results, read_results

WHOLE = re.compile(r"^-?(0|[1-9]\d*)$")
FLOAT = re.compile(r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
CODE = re.compile(r"^-?0\d")
PRINTED = re.compile(r"^[(\[]?[-−]?\d[\d.,]*[)\]]?\**$")
SPREADS = ("std_error", "ci_low", "ci_high")
RULES = {
    "count": "exact",
    "rank": "exact",
    "verdict": "exact, word for word",
    "printed figure": "exact, as printed",
    "estimate": "equal at the printed digits, same sign",
    "spread": "equal at the printed digits",
    "statistic": "equal at the printed digits, same sign",
    "p-value": "equal at three decimals, on the same side of 0.01, 0.05 and 0.10",
    "p-value in a table": "equal at six significant digits, on the same side of 0.01, 0.05 and 0.10",
    "figure in a table": "equal at six significant digits, same sign",
    "order of rows": "exact",
}
WORDS = ("verdict", "order of rows")
"""Kinds that are compared and told, but are no numbers."""


class Number(NamedTuple):
    """One number of a run.

    Attributes
    ----------
    source
        ``results`` or the name of a table.
    row
        Key of the result, or the cells that name the row of the table.
    field
        Field of the result, or column of the table.
    text
        As it stands in the file.
    kind
        One of `RULES`.
    digits
        Decimals with which it is printed; None for a cell of a table.
    std_error
        Standard error recorded beside it, None for none.
    notebook, cell
        Where it was made, as far as the run says.
    """

    source: str
    row: str
    field: str
    text: str
    kind: str
    digits: int | None = None
    std_error: float | None = None
    notebook: str | None = None
    cell: str | None = None

    @property
    def name(self) -> str:
        """Its place in words."""
        return f"{self.row} {self.field}" if self.source == "results" else f"{self.source}[{self.row}, {self.field}]"


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes
    ----------
    columns
        Heads.
    rows
        Cells of each row, in order.
    notebook, cell
        Where it was made, as far as the run says.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notebook: str | None = None
    cell: str | None = None


@dataclass(frozen=True)
class Run:
    """What a run left for its readers.

    Attributes
    ----------
    results
        Its results.
    tables
        Its tables by name.
    """

    results: Results
    tables: Mapping[str, Table] = field(default_factory=dict)


def read_run(folder: Path, places: Mapping[str, tuple[str, str]] | None = None) -> Run:
    """Read a run folder's results and tables.

    Parameters
    ----------
    folder
        Holds ``results.json`` and ``tables/``.
    places
        Table -> notebook and cell that wrote it, where that is known.

    Raises
    ------
    StudyError
        No results file, or one that cannot be read.
    """
    return Run(read_results(folder / "results.json"), read_tables(folder, places or {}))


def read_tables(folder: Path, places: Mapping[str, tuple[str, str]]) -> dict[str, Table]:
    """The tables of a run folder as text, by name; ``places`` as in `read_run`."""
    paths = sorted((folder / "tables").glob("*.csv"))
    return {path.stem: _read_table(path, *places.get(path.stem, (None, None))) for path in paths}


def _read_table(path: Path, notebook: str | None, cell: str | None) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [tuple(_plain(text) for text in row) for row in csv.reader(file)]
    return Table(rows[0] if rows else (), tuple(rows[1:]), notebook, cell)


def _plain(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if text.startswith("'") else text


def list_results(results: Mapping[str, Result]) -> Iterator[Number]:
    """Every field of every result that holds a number or a verdict."""
    for key, result in results.items():
        for name in (*NUMBERS, *COUNTS, "convention"):
            item = getattr(result, name)
            if item is not None:
                yield Number(
                    source="results",
                    row=key,
                    field=name,
                    text=item if isinstance(item, str) else repr(item),
                    kind=_kind_of_field(name, item),
                    digits=result.digits,
                    std_error=result.std_error,
                    notebook=result.notebook,
                    cell=result.cell,
                )


def _kind_of_field(name: str, item: object) -> str:
    if isinstance(item, str):
        return "verdict"
    if isinstance(item, int):
        return "count"
    if name in SPREADS:
        return "spread"
    return {"p_value": "p-value", "statistic": "statistic", "df": "statistic"}.get(name, "estimate")


def list_cells(name: str, table: Table, keys: Sequence[int]) -> Iterator[Number]:
    """Every cell of a table that is not empty and names no row.

    Parameters
    ----------
    name
        Of the table.
    table
        The table.
    keys
        Places of the columns that name a row.
    """
    named = set(keys)
    spread = table.columns.index("std_error") if "std_error" in table.columns else None
    for row in table.rows:
        label = ", ".join(row[place] for place in keys)
        std_error = _number(row[spread]) if spread is not None and spread < len(row) else None
        for place, (column, text) in enumerate(zip(table.columns, row, strict=False)):
            if text and place not in named:
                kind = _kind_of_cell(column, text)
                yield Number(name, label, column, text, kind, None, std_error, table.notebook, table.cell)


def _kind_of_cell(column: str, text: str) -> str:
    if not is_number(text):
        return "printed figure" if PRINTED.match(text) and not CODE.match(text) else "verdict"
    if column == "p" or column.endswith("p_value"):
        return "p-value in a table"
    if WHOLE.match(text):
        return "rank" if "rank" in column else "count"
    return "figure in a table"


def is_number(text: str) -> bool:
    """Whether a cell is a number; a code with zeros in front is none."""
    return bool(FLOAT.match(text)) and not CODE.match(text)


def _number(text: str) -> float | None:
    return float(text) if is_number(text) else None


def find_keys(first: Table, second: Table) -> tuple[int, ...] | None:
    """Places of the fewest columns that name each row once in both tables.

    Texts come before whole numbers, and these before other numbers that are the same set in both, as a design is.

    Returns
    -------
    tuple or None
        None when no columns do.
    """
    shared = [place for place, name in enumerate(first.columns) if second.columns[place : place + 1] == (name,)]
    texts, mixed, wholes, others = [], [], [], []
    for place in shared:
        one, two = ({row[place] for row in table.rows if place < len(row)} for table in (first, second))
        cells = {text for text in one | two if text}
        if not any(is_number(text) for text in cells):
            texts.append(place)
        elif not all(is_number(text) for text in cells):
            mixed.append(place)
        elif all(WHOLE.match(text) for text in cells):
            wholes.append(place)
        elif one == two:
            others.append(place)
    for end in range(len([*texts, *mixed, *wholes, *others]) + 1):
        keys = [*texts, *mixed, *wholes, *others][:end]
        if all(_names_rows(table, keys) for table in (first, second)):
            return tuple(sorted(keys))
    return None


def number_rows(first: Table, second: Table) -> tuple[Table, Table, tuple[int, ...]] | None:
    """Two tables whose rows no columns tell apart, numbered among the rows of the same name, and what then names a row.

    The first column of texts is the name. Two rows that are called alike are matched by which of them comes first.

    Returns
    -------
    tuple or None
        None where the heads differ, a row is cut, or no column is of texts.
    """
    rows = [*first.rows, *second.rows]
    if first.columns != second.columns or any(len(row) != len(first.columns) for row in rows):
        return None
    texts = [place for place in range(len(first.columns)) if not any(is_number(row[place]) for row in rows)]
    if not texts:
        return None
    return _numbered(first, texts[0]), _numbered(second, texts[0]), (texts[0], len(first.columns))


def _numbered(table: Table, place: int) -> Table:
    seen: Counter[str] = Counter()
    rows = []
    for row in table.rows:
        seen[row[place]] += 1
        rows.append((*row, str(seen[row[place]])))
    return replace(table, columns=(*table.columns, "occurrence"), rows=tuple(rows))


def _names_rows(table: Table, keys: Sequence[int]) -> bool:
    if any(len(row) != len(table.columns) for row in table.rows):
        return False
    return len({tuple(row[place] for place in keys) for row in table.rows}) == len(table.rows)
