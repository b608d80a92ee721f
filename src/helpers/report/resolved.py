"""Every number that a cell shows is recorded, or stands in a recorded table; what is neither stops the report."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from helpers.display.prose import MINUS
from helpers.errors import StudyError
from helpers.report.popovers import CELL, NAME, NUMBER, ROW, TABLE, columns
from helpers.report.sections.cards import BETWEEN

UNSEEN = re.compile(
    r"<(figure|pre|math|code|svg|ul|table)\b.*?</\1>|<button\b.*?</button>|<a\b.*?</a>|<style>.*?</style>|<[^>]+>",
    re.DOTALL,
)
SHOWN = re.compile(r'<section id="([^"]+)" class="cell">\n(.*?)<details class="code">', re.DOTALL)
# A cell's words in the other language stand beside those that its table holds.
TRANSLATED = re.compile(r'<span class="t" lang="zh">.*?</span>')
CARDS = re.compile(r'<figure class="(?:cards|map)">.*?</figure>', re.DOTALL)
ADDRESSED = re.compile(r'<button[^>]* popovertarget="t-([^"]+)" title="([^"]+)">([^<]*)</button>')
# The name of an interval, not a number that was found.
INTERVAL = re.compile(r"\d+ ?% ?(?:interval|confidence|band|的?(?:置信)?区间)")
# A digit inside a word, such as CR2, belongs to a name.
FIGURE = re.compile(r"(?<![A-Za-z\d])\d+(?:[.,]\d+)*")
PRINTED = re.compile(r"^([-−]?)(\d[\d,]*)(?:\.(\d+))?( ?%?)$")
SCIENTIFIC = re.compile(r"^-?\d(?:\.(\d+))?e([-+]?\d+)$")
"""A number beside zero, printed with a power of ten."""
SLACK = 1e-6
"""Of half a printed digit: both texts are rounded."""


def check_resolved(page: str, run_folder: Path, named: Iterable[str] = ()) -> int:
    """Make sure that every number that a cell shows has an origin; gives how many there are.

    Parameters
    ----------
    page
        The report.
    run_folder
        Holds ``tables``.
    named
        Texts that hold figures and name a thing: labels of the study.

    Raises
    ------
    StudyError
        A number of a sentence that is no recorded result, or a number of a table that its file does not hold.
    """
    names = sorted((name for name in named if FIGURE.search(name)), key=len, reverse=True)
    count = 0
    for place, shown in SHOWN.findall(page):
        for text in _loose(shown, names):
            raise _neither(place, text, "print it with run.say from a recorded result")
        count += len(re.findall(r'<button class="num"', shown))
        count += sum(_check_table(found[0], place, run_folder) for found in TABLE.finditer(shown))
    return count + sum(_check_cards(found[0], run_folder) for found in CARDS.finditer(page))


def _check_cards(cards: str, run_folder: Path) -> int:
    """Numbers of cards, each of which its table holds at its address."""
    found = ADDRESSED.findall(cards)
    names = {name for name, _, _ in found}
    tables = {name: _by_address(_read(run_folder / "tables" / f"{name}.csv"), name) for name in names}
    for name, address, text in found:
        told = tables[name].get(html.unescape(address), [])
        if not any(is_printed(html.unescape(text), cell) for cell in told):
            raise _neither(f"with the address {html.unescape(address)}", text, f"its table holds {told or 'nothing'}")
    return len(found)


def _by_address(rows: Sequence[Sequence[str]], name: str) -> dict[str, list[str]]:
    """Cells of a table by table, row and column; a row's name is its first cell, or its first two."""
    heads, *body = rows or [[]]
    found: dict[str, list[str]] = {}
    for row in body:
        for keys in (1, 2):
            for head, cell in zip(heads[keys:], row[keys:], strict=True):
                found.setdefault(BETWEEN.join((name, *row[:keys], head)), []).append(cell)
    return found


def _loose(output: str, names: Sequence[str]) -> Iterator[str]:
    """Figures of a sentence that are no button."""
    yield from (html.unescape(match[3]) for match in NUMBER.finditer(output))
    text = html.unescape(UNSEEN.sub(" ", output))
    for name in names:  # a name that is a number stands alone, so that no figure loses a part
        text = re.sub(rf"(?<![\d.,]){re.escape(name)}(?![\d]|[.,]\d)", "", text) if name in text else text
    yield from FIGURE.findall(INTERVAL.sub("", text))


def _check_table(table: str, anchor: str, run_folder: Path) -> int:
    """Numbers of a table, each of which its file holds in the same row and column."""
    name = NAME.search(table)
    rows = [columns(CELL.finditer(row[1])) for row in ROW.finditer(table)][1:]
    shown = [
        (row, column, html.unescape(re.sub(r"<[^>]+>", "", TRANSLATED.sub("", cell[2]))))
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if 'class="n"' in cell[1] and re.search(r"\d", cell[2])
    ]
    held = _read(run_folder / "tables" / f"{name[1]}.csv") if name else []
    unseen = max(0, len(held) - 1 - len(rows))  # of a long table the first and the last rows are shown
    for row, column, text in shown:
        try:
            told = held[row + 1 + (unseen if 2 * row >= len(rows) else 0)][column]
        except IndexError:
            told = ""
        if not is_printed(text, told):
            raise _neither(
                anchor, text, f"show the table with run.table, whose file then holds it ({told or 'nothing'})"
            )
    return len(shown)


def _read(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def is_printed(text: str, held: str) -> bool:
    """Whether a printed number is the held one at its digits; texts are the same but for signs and stars."""
    plain = text.strip().strip("()[]*").replace(MINUS, "-")
    match = PRINTED.match(text.strip().strip("()[]*").strip())
    told = held.lstrip("'").strip().strip("()[]*").replace(MINUS, "-")
    try:
        number = float(told.replace(",", "").rstrip("% "))
    except ValueError:
        return plain == told or _same_figures(text, held)
    if plain.startswith("<"):
        bound = plain.lstrip("< ")  # the smallest share of draws, 1/999 as 1/1000, is told as below it at its decimals
        return round(number, len(bound.partition(".")[2])) <= float(bound)
    if plain.startswith(">"):
        return number >= float(plain.lstrip("> "))
    power = SCIENTIFIC.match(plain)
    if power is not None:
        unit = 10.0 ** (int(power[2]) - len(power[1] or ""))
        return abs(float(plain) - number) <= (0.5 + SLACK) * unit
    if match is None:
        return plain == told or _same_figures(text, held)
    decimals = len(match[3] or "")
    shown = float(f"{match[1].replace(MINUS, '-')}{match[2].replace(',', '')}.{match[3] or '0'}")
    scale = 100 if match[4] and not told.endswith("%") else 1
    return abs(shown - scale * number) <= 0.5 * 10.0**-decimals + SLACK


def _same_figures(text: str, held: str) -> bool:
    return re.findall(r"\d+", text) == re.findall(r"\d+", held)


def _neither(anchor: str, text: str, remedy: str) -> StudyError:
    return StudyError(f"cell {anchor}", f"the number {text!r} is neither recorded nor in a recorded table", remedy)
