"""Long tables put in the order of one of their columns without a script: a choice sets the order of the rows by style.

Each row carries its place by each column; the style sheet turns the chosen one into the order in which rows are laid
out. The file, the paper and a reader without style keep the rows as they were written.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Sequence

from helpers.display.prose import MINUS
from helpers.report.popovers import CELL, OTHER, ROW, TABLE, columns
from helpers.study.data import Label

LONG = 12
"""A table of so many rows can be put in order."""
FIGURES = 3
"""Unlike figures of a column by which it is worth while."""
MOST = 20
"""Columns from the left by which a table can be put in order."""
LAST = 9_999
FIGURE = re.compile(r"(< ?)?([-\u2212]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?) ?%?")
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "th": "columnheader", "td": "cell"}
TAG = re.compile(r"<(table|thead|tbody|tr|th|td)\b")
BOX = '<div class="scroll'

ColumnChoice = Callable[[Sequence[tuple[int, Label]]], str]


def sort_tables(piece: str, choice: ColumnChoice) -> str:
    """A piece of HTML whose long tables can be put in order.

    Parameters
    ----------
    piece
        HTML of one output.
    choice
        Writes the form field: of place and head of each column by which the rows can be put in order.
    """
    return TABLE.sub(lambda match: _sort_table(match[0], choice), piece)


def _sort_table(table: str, choice: ColumnChoice) -> str:
    rows = list(ROW.finditer(table))
    if len(rows) <= LONG or BOX not in table:
        return table
    heads = _heads(rows[0][1])
    cells = [[_plain(cell[2]) for cell in columns(CELL.finditer(row[1]))] for row in rows[1:]]
    found = {place: places_of([row[place] for row in cells]) for place in range(min(len(heads), MOST))}
    sorted_by = {place: told for place, told in found.items() if len({*told} - {None}) >= FIGURES}
    if not sorted_by:
        return table
    number = itertools.count(-1)  # the head is no row

    def row(match: re.Match[str]) -> str:
        here = next(number)
        told = [(place, found[here]) for place, found in sorted_by.items()] if here >= 0 else []
        style = ";".join(f"--o{place}:{where}" for place, where in told if where is not None)
        return match[0].replace("<tr", f'<tr style="{style}"', 1) if style else match[0]

    named = TAG.sub(lambda tag: f'{tag[0]} role="{ROLES[tag[1]]}"', ROW.sub(row, table))
    named = named.replace("<table", f'<table style="--columns:{len(heads)}"', 1)
    return named.replace(BOX, choice([(place, heads[place]) for place in sorted_by]) + BOX, 1)


def places_of(texts: Sequence[str]) -> list[int | None]:
    """Place of each printed figure from the lowest, ties alike; None for a cell without one, for all if one is a word.

    A figure that is told as below a bound stands before the bound.
    """
    read = [FIGURE.fullmatch(text) for text in texts]
    if any(text and not found for text, found in zip(texts, read, strict=True)):
        return [None] * len(texts)
    values = [found and (float(found[2].replace(",", "").replace(MINUS, "-")), not found[1]) for found in read]
    order = {value: place for place, value in enumerate(sorted({value for value in values if value}))}
    return [order[value] if value else None for value in values]


def order_rules() -> str:
    """Style rules: a chosen column orders the rows, cells without a figure last."""
    return "".join(
        f'.order:has([value="o{place}"]:checked)+.scroll tr{{order:var(--o{place},{LAST})}}'
        f'.order:has([value="d{place}"]:checked)+.scroll tr{{order:calc(-1*var(--o{place},-{LAST}))}}'
        for place in range(MOST)
    )


def _heads(row: str) -> list[Label]:
    heads: list[Label] = []
    for cell in CELL.finditer(row):
        text = _plain(cell[2])
        if OTHER in cell[1]:
            heads[-1] = Label(en=heads[-1].en, zh=text)
        else:
            heads.append(Label(en=text, zh=text))
    return heads


def _plain(piece: str) -> str:
    return html.unescape(re.sub("<[^>]+>", "", piece)).strip()
