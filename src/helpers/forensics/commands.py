"""The command that asks which convention made published weights or scores."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import StudyError
from helpers.study.arguments import DONE, add_command

if TYPE_CHECKING:
    import pandas as pd

    from helpers.forensics.forensics import Forensics
    from helpers.study.arguments import Commands

SHOWN = 8
ROWS = {
    "weight": ("weight", "weights", "权重"),
    "entropy": ("entropy", "entropies", "信息熵", "熵值"),
    "direction": ("direction", "directions", "方向"),
}
EXAMPLES = """\
The table has a column of units, a column of periods, and a column for each indicator. Below the figures stand what was
published: a row whose first cell is `weight`, and where they are printed rows `direction` (1 or -1) and `entropy`; or
--index names the column that holds the published index.

examples:
  study forensics table.csv
  study forensics table.xlsx --index score
"""


def add_commands(commands: Commands) -> None:
    """Add this folder's command to the command line."""
    text = "ask which convention made published weights or scores"
    parser = add_command(commands, "forensics", forensics_command, text)
    parser.add_argument("table", type=Path, metavar="TABLE", help="figures and what was published (CSV, Excel, ...)")
    parser.add_argument("--index", metavar="HEADING", help="the column that holds the published index")
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter


def forensics_command(options: argparse.Namespace) -> int:
    """Print the conventions that fit, nearest first, and every alarm."""
    from helpers.forensics.forensics import find_alarms, identify_scores, identify_weights

    figures, published, digits = read_published(options.table, options.index)
    directions = published.get("direction")
    signs = None if directions is None else {name: int(sign) for name, sign in directions.items()}
    if options.index:
        found = identify_scores(figures.drop(columns=options.index), figures[options.index], signs, digits)
    elif "weight" in published:
        found = identify_weights(figures, published["weight"], signs, digits)
    else:
        raise StudyError(
            str(options.table), "neither weights nor an index are given", "add a row `weight`, or name it by --index"
        )
    for alarm in (*find_alarms(published.get("entropy", {})), *found.alarms):
        print(f"Alarm: {alarm}")
    print(describe(found))
    return DONE


def describe(found: Forensics) -> str:
    """What fits, in words and as a table."""
    fitting = found.fitting
    shown = (fitting if len(fitting) else found.table).head(SHOWN)
    lines = shown[["scaling", "shift", "pooling", "factor", "directions", "gap"]].to_string(index=False)
    if len(fitting) == 1:
        head = "One convention gives what was published, to its printed digits:"
    elif len(fitting):
        head = f"{len(fitting)} conventions give what was published to its printed digits, and cannot be told apart:"
    else:
        head = "No convention that was tried gives what was published; the nearest are:"
    return f"{head}\n{lines}"


def read_published(path: Path, index: str | None) -> tuple[pd.DataFrame, dict[str, dict[str, float]], int]:
    """Figures by unit and period, what was published by its kind, and the decimals it was printed with.

    Raises
    ------
    StudyError
        A file that cannot be read, no column of units and periods, a cell that is no number.
    """
    import pandas as pd

    from helpers.formats.tables import read_tables

    rows = [tuple(cell.strip() for cell in row.cells) for row in read_tables(path)[0].rows]
    head, body = rows[0], [row for row in rows[1:] if any(row)]
    if len(head) < 4 or (index is not None and index not in head[2:]):
        raise StudyError(str(path), "a column of units, one of periods and two indicators are needed", "add them")
    kinds = {word: kind for kind, words in ROWS.items() for word in words}
    published: dict[str, dict[str, float]] = {}
    digits = 0
    cells, keys = [], []
    for row in body:
        kind = kinds.get(row[0].casefold())
        numbers = [_number(cell, path, row[0], name) for name, cell in zip(head[2:], row[2:], strict=False)]
        if kind is None:
            keys.append((row[0], row[1]))
            cells.append(numbers)
        else:
            told = {name: number for name, number in zip(head[2:], numbers, strict=False) if name != index}
            published[kind] = told
        printed = row[2:] if kind == "weight" else ([row[head.index(index)]] if index and kind is None else [])
        digits = max(digits, *(len(cell.partition(".")[2]) for cell in printed), 0) if printed else digits
    frame = pd.DataFrame(cells, columns=list(head[2:]), index=pd.MultiIndex.from_tuples(keys, names=head[:2]))
    return frame, published, digits or 4


def _number(cell: str, path: Path, row: str, column: str) -> float:
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        raise StudyError(f"{path}, row {row}, column {column}", f"{cell!r} is no number", "correct the cell") from None
