"""The ledger of the first page, to be filtered by text and by verdict without a script.

Each row carries a class for its text and one for its verdict; a chosen option hides the rows that have another.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.report.popovers import CELL, ROW, columns
from helpers.study.data import Label

LEDGER = 'href="tables/ledger.csv"'
FILTERED = ("Source", "Verdict")


@dataclass(frozen=True)
class Choice:
    """One column by which the ledger is filtered.

    Attributes
    ----------
    column
        Its head.
    options
        Code and words of each option, in the order of the rows.
    """

    column: str
    options: tuple[tuple[str, Label], ...]

    @property
    def rules(self) -> str:
        """Style rules: a chosen option hides the rows that have another."""
        return "".join(
            f'.ledger:has(option[value="{code}"]:checked) tbody tr:not(.{code}){{display:none}}'
            for code, _ in self.options
        )


def open_ledger(piece: str) -> tuple[str, tuple[Choice, ...]]:
    """The ledger with a class for each choice on its rows, and the choices; what is no ledger as it stands."""
    rows = list(ROW.finditer(piece)) if LEDGER in piece else []
    heads = [_read(cell[2]) for cell in columns(CELL.finditer(rows[0][1]))] if rows else []
    if not set(FILTERED) <= set(heads):
        return piece, ()
    told = [[_words(row[1], heads.index(name)) for row in rows[1:]] for name in FILTERED]
    choices = tuple(_choice(place, name, words) for place, (name, words) in enumerate(zip(FILTERED, told, strict=True)))
    codes = [{words.en: code for code, words in choice.options} for choice in choices]
    out: list[str] = []
    end = 0
    for number, row in enumerate(rows[1:]):
        names = " ".join(code[words[number].en] for code, words in zip(codes, told, strict=True))
        out += [piece[end : row.start()], f'<tr class="{names}">{row[1]}</tr>']
        end = row.end()
    return "".join([*out, piece[end:]]), choices


def _choice(place: int, name: str, words: Sequence[Label]) -> Choice:
    unlike = {word.en: word for word in words}.values()
    return Choice(name, tuple((f"l{place}-{number}", word) for number, word in enumerate(unlike)))


def _words(row: str, place: int) -> Label:
    """What a cell says in both languages, without what a verdict adds after its word."""
    cells: list[list[str]] = [[]]
    for cell in CELL.finditer(row):
        if ' lang="zh"' in cell[1]:
            cells[-1].append(cell[2])
        else:
            cells.append([cell[2]])
    pieces = [_read(text) for text in cells[place + 1]]
    return Label(en=re.split("[;:]", pieces[0])[0], zh=re.split("[；：]", pieces[-1])[0])


def _read(piece: str) -> str:
    return html.unescape(re.sub(r'<span class="t" lang="zh">.*?</span>|<[^>]+>', "", piece)).strip()
