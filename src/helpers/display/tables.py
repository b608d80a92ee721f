"""Tables: written as CSV to eight significant digits, shown in the three-line form of journals."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.display.prose import MINUS, View, format_drawn_p_value, format_number
from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.results import Result
from helpers.results.rounding import WRITTEN, round_frame, round_number

# A spreadsheet runs a cell that begins with one of these; an apostrophe in front makes it text. Text that itself begins
# with an apostrophe gets another, so that reading undoes writing without doubt.
DANGEROUS = re.compile(r"^[=+\-@\t\n']")
NAME = re.compile(r"^[a-z][a-z0-9_]*$")
TALL = 20  # rows; a table with more scrolls by itself
LONG = 30  # characters; a column with longer texts is given room
SHORT = 12  # characters; a column with no longer texts is not broken into lines

# Heads of columns that every study shares; a label given by the caller goes before them.
HEADS = {
    "row": "",
    "label": "",
    "estimate": "Estimate",
    "value": "Value",
    "std_error": "Std. error",
    "statistic": "Statistic",
    "p_value": "p",
    "ci_low": "95 % from",
    "ci_high": "95 % to",
    "n_obs": "Observations",
    "n_entities": "Units",
    "n_clusters": "Clusters",
    "df": "df",
    "convention": "Convention",
    "weight": "Weight",
    "mean": "Mean",
    "std": "Std. dev.",
    "min": "Minimum",
    "max": "Maximum",
    "indicator": "Indicator",
    "dimension": "Dimension",
    "direction": "Direction",
    "mediator": "Mediator",
    "region": "Region",
    "r_squared": "R²",
    "r_squared_within": "R² within",
    "wild_p_value": "p, wild",
    "romano_wolf_p_value": "p, Romano-Wolf",
    "holm_p_value": "p, Holm",
    "without_times": "Without period effects",
    "without_times_p_value": "its p",
    "without_times_wild_p_value": "its p, wild",
    "without_times_romano_wolf_p_value": "its p, Romano-Wolf",
    "p_value_strict": "p, strict",
    "share_effects_only": "Share before the controls",
    "vif": "Variance inflation",
}

Drawn = Mapping[float | str, tuple[int | None, float | None]]
"""What is behind a p-value, or behind those of a column: draws, and their error where it is known."""

ENDINGS = {"_p_value": "p", "_std_error": "Std. error"}
"""Ends of names whose head begins with what the column holds."""
PROPER = {
    "anderson_rubin": "Anderson-Rubin",
    "ar1": "AR(1)",
    "ar2": "AR(2)",
    "cr2": "CR2",
    "hansen": "Hansen",
    "moran": "Moran",
    "sobel": "Sobel",
    "stouffer": "Stouffer",
}
"""Names of people and tests in such a head."""

FIGURE = re.compile(r"^[(\[]?[-−]?\d[\d.,]*\**[)\]]?\**$")

# The selectors are long, so that they go before those of the program that shows a notebook.
STYLE = (
    "figure.table .scroll table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid}"
    "figure.table .scroll :is(th,td){padding:.2em .7em;border:0;background:none;text-align:left;font-weight:normal}"
    "figure.table .scroll thead tr:last-child th{border-bottom:1px solid}"
    "figure.table .scroll :is(th,td).n{text-align:right;font-variant-numeric:tabular-nums}"
)


class TableView(View):
    """A table with caption, note and a link to its CSV file."""


def write_table(frame: pd.DataFrame, path: Path, digits: int = WRITTEN) -> Path:
    """Write a table as CSV: UTF-8, texts that a spreadsheet would run made harmless, floats to significant digits.

    The index is written unless it is a nameless count of rows; nameless levels are called ``row``.
    """
    flat = round_frame(_flat(frame), digits)
    flat.columns = pd.Index([_harmless(str(name)) for name in flat.columns])
    for column in flat.columns:
        if not pd.api.types.is_numeric_dtype(flat[column]):
            flat[column] = flat[column].map(lambda cell: _harmless(cell) if isinstance(cell, str) else cell)
    return write_text(path, flat.to_csv(index=False, lineterminator="\n"))


def read_table(path: Path, index: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table that `write_table` wrote; floats come back as they were written.

    Parameters
    ----------
    index
        Names of the columns that become the index, sorted, if the table has them all; the first is read as text.

    Raises
    ------
    StudyError
        The file is missing.
    """
    if not path.is_file():
        raise StudyError(str(path), "the table is missing", "run the notebook that writes it first, or the whole study")
    # Names of entities are texts, also those that look like numbers: 000051 is not 51.
    texts = dict.fromkeys(index[:1], str)
    frame = pd.read_csv(
        path, encoding="utf-8", keep_default_na=False, na_values=[""], skip_blank_lines=False, dtype=texts
    )
    frame.columns = pd.Index([_plain(str(name)) for name in frame.columns])
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].map(lambda cell: _plain(cell) if isinstance(cell, str) else cell)
    if index and set(index) <= set(frame.columns):
        return frame.set_index(list(index)).sort_index()
    return frame


def show_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    note: str = "",
    digits: int | Mapping[str, int] = 3,
    labels: Mapping[str, str] | None = None,
    drawn: Drawn | None = None,
    link: str = "",
) -> TableView:
    """Lay a table out in three lines, everything escaped.

    Parameters
    ----------
    frame
        Any table; an index with a name, or of texts, is shown as the first columns.
    caption, note
        Above and below the table; each line of the note is a paragraph.
    digits
        Decimals of floats, one number or by column name (3 where a column is not named). Columns called ``p_value``
        print small values as ``< 0.001``.
    labels
        What to print for a column name or a text cell.
    drawn
        Draws behind the p-values that were drawn, and their error where it is known, by p-value (see `drawn_p_values`)
        or by column for the others.
    link
        Address of the CSV file.
    """
    flat, names = _flat(frame), dict(labels or {})
    columns = [(str(name), flat.iloc[:, place]) for place, name in enumerate(flat.columns)]
    told = format_table(flat, digits, names, drawn)
    heads, shown = list(told.columns), told.set_axis(range(len(columns)), axis=1)
    texts = [list(shown[place]) for place in shown.columns]
    named = flat.shape[1] - frame.shape[1]
    kinds = [
        _kind(column, cells, is_name=place < named)
        for place, ((_, column), cells) in enumerate(zip(columns, texts, strict=True))
    ]
    text = shown.set_axis(pd.Index(heads), axis=1).to_string(index=False)
    parts = [f"<figcaption>{html.escape(caption)}</figcaption>", _table_html(shown, heads, kinds, caption)]
    parts.extend(f'<p class="note">{html.escape(line)}</p>' for line in note.split("\n") if line)
    if link:
        parts.append(f'<p class="file"><a class="csv" href="{html.escape(link)}">CSV</a></p>')
    view = f'<style>{STYLE}</style><figure class="table">{"".join(parts)}</figure>'
    return TableView(view, f"{caption}\n{text}\n{note}".rstrip())


def drawn_p_values(results: Iterable[Result], columns: Mapping[str, int] | None = None) -> Drawn:
    """What is behind each p-value that was drawn, so that a table prints it as a sentence does.

    ``columns`` are the draws behind those of a column that are not recorded.
    """
    found: dict[float | str, tuple[int | None, float | None]] = {
        name: (count, None) for name, count in (columns or {}).items()
    }
    for item in results:
        if item.draws and item.p_value is not None:
            found[round_number(item.p_value)] = (item.draws, item.p_error)
    return found


def format_table(
    frame: pd.DataFrame,
    digits: int | Mapping[str, int] = 3,
    labels: Mapping[str, str] | None = None,
    drawn: Drawn | None = None,
) -> pd.DataFrame:
    """A table as the texts that are printed, under the heads that are printed; see `show_table`."""
    flat, names = round_frame(_flat(frame)), dict(labels or {})
    columns = [(str(name), flat.iloc[:, place]) for place, name in enumerate(flat.columns)]
    texts = [[_cell(cell, name, digits, names, drawn or {}) for cell in column] for name, column in columns]
    heads = [names.get(name, HEADS.get(name, _words(name))) for name, _ in columns]
    return pd.DataFrame(dict(enumerate(texts)), dtype=object).set_axis(pd.Index(heads, dtype=object), axis=1)


def check_name(name: str) -> str:
    """Refuse a name that is not lower-case words joined by underscores: it becomes a file name."""
    if not NAME.match(name):
        raise StudyError(f"file name {name!r}", "a table or figure is named by lower-case words", "write it like_this")
    return name


def _table_html(shown: pd.DataFrame, heads: list[str], kinds: list[str], caption: str) -> str:
    def row(cells: Iterable[str], tag: str, scope: str = "") -> str:
        marks = [f' class="{kind}"' if kind else "" for kind in kinds]
        drawn = [f"<{tag}{scope}{mark}>{html.escape(cell)}</{tag}>" for cell, mark in zip(cells, marks, strict=True)]
        return f"<tr>{''.join(drawn)}</tr>"

    head = row(heads, "th", ' scope="col"')
    body = "".join(row(cells, "td") for cells in shown.itertuples(index=False, name=None))
    tall = " tall" if len(shown) > TALL else ""
    region = f'<div class="scroll{tall}" role="region" tabindex="0" aria-label="{html.escape(caption)}">'
    return f"{region}<table><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The index as the first columns, except a nameless count of rows."""
    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return frame.copy()
    spare = ["row"] if index.nlevels == 1 else [f"row_{level + 1}" for level in range(index.nlevels)]
    names = [str(own if name is None else name) for name, own in zip(index.names, spare, strict=True)]
    return frame.rename_axis(index=names).reset_index()


def _cell(cell: Any, name: str, digits: int | Mapping[str, int], labels: Mapping[str, str], drawn: Drawn) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float | np.floating) and np.isnan(cell)):
        return ""
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, int | np.integer):
        return str(int(cell)) if name in labels or abs(int(cell)) < 10_000 else format_number(int(cell), 0)
    if isinstance(cell, float | np.floating):
        if name == "p_value" or name.endswith("_p_value"):
            return format_drawn_p_value(
                float(cell), *drawn.get(round_number(float(cell)), drawn.get(name, (None, None)))
            )
        return format_number(float(cell), digits if isinstance(digits, int) else digits.get(name, 3))
    text = labels.get(str(cell), str(cell))
    return text.replace("-", MINUS) if FIGURE.match(text) else text


def _words(name: str) -> str:
    """A name as a head: ``share_of_total`` becomes "Share of total", ``order_p_value`` "p, order"."""
    for ending, head in ENDINGS.items():
        if NAME.match(name) and name.endswith(ending):
            of = name.removesuffix(ending)
            return f"{head}, {PROPER.get(of, of.replace('_', ' '))}"
    return name[:1].upper() + name[1:].replace("_", " ") if NAME.match(name) else name


def _kind(column: pd.Series[Any], cells: list[str], *, is_name: bool) -> str:
    """How a column is set.

    ``n`` numbers (also as texts, with stars or in brackets, unless they name the rows), to the right; ``w`` long texts,
    which need room; ``s`` short ones, not broken into lines.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return "n"
    filled = [cell for cell in cells if cell]
    if not is_name and sum(bool(FIGURE.match(cell)) for cell in filled) > len(filled) / 2:
        return "n"
    longest = max(map(len, cells), default=0)
    return "w" if longest > LONG else "s" if longest <= SHORT else ""


def _harmless(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # a bare carriage return would end the row
    return f"'{text}" if DANGEROUS.match(text) else text


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") and DANGEROUS.match(text[1:]) else text
