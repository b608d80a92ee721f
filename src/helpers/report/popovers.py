"""Every number answers: a touch opens what it is, on what it rests and which cell made it, in its place."""

from __future__ import annotations

import csv
import html
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from helpers.report.origins import Method
from helpers.results.results import Result, Results
from helpers.study.data import Label

NUMBER = re.compile(r'<a class="num" data-key="([^"]+)" href="#([^"]+)">(.*?)</a>')
# A number and the signs that touch it: a browser may break a line beside a button, and so would part them.
TOUCHED = re.compile(rf"([“（(\[]?){NUMBER.pattern}([”，。、；：）！？％%,.;:)\]]*)")
TABLE = re.compile(r'<figure class="table">.*?</figure>', re.DOTALL)
NAME = re.compile(r'href="tables/([a-z0-9_]+)\.csv"')
ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<t[dh]([^>]*)>(.*?)</t[dh]>", re.DOTALL)
HEAD = re.compile(r"<th ([^>]*)>(.*?)</th>", re.DOTALL)
TAG = {
    shown: re.compile(rf'<span class="t" lang="{hidden}">.*?</span>|<[^>]+>', re.DOTALL)
    for shown, hidden in (("en", "zh"), ("zh", "en"))
}
"""What to take out of a piece of HTML so that its words in one language are left."""
OTHER = ' lang="zh"'
DIGIT = re.compile(r"\d")
# Columns at most whose heads say what a row is.
MOST_KEYS = 3
NOTHING = Label(en="", zh="")


@dataclass(frozen=True)
class Shown:
    """A table of the report whose numbers open one popover.

    Attributes
    ----------
    name
        Of its CSV file, without ending.
    caption
        HTML of its caption.
    anchor
        Of the cell that made it.
    head
        What one of its rows is, by the heads of the columns that tell them apart; empty for nothing.
    method
        Of the cell that made it; one is put in with `dataclasses.replace`.
    """

    name: str
    caption: str
    anchor: str
    head: Label
    method: Method | None = None


def open_numbers(piece: str, results: Results) -> str:
    """Recorded numbers of a sentence, with the signs that touch them, as buttons that open what the result is."""

    def button(match: re.Match[str]) -> str:
        before, key, _, shown, after = match.groups()
        if key not in results:
            return match[0]
        return f'<button class="num" popovertarget="k-{key}">{before}{shown}{after}</button>'

    return TOUCHED.sub(button, piece)


def open_tables(piece: str, anchor: str) -> tuple[str, list[Shown]]:
    """Numbers of tables as buttons that open the popover of their table, each with its address: table, row, column.

    Parameters
    ----------
    piece
        HTML of one output.
    anchor
        Of the cell that made it.
    """
    shown: list[Shown] = []

    def table(match: re.Match[str]) -> str:
        name = NAME.search(match[0])
        if name is None:
            return match[0]
        caption = re.search(r"<figcaption>(.*?)</figcaption>", match[0], re.DOTALL)
        shown.append(Shown(name[1], caption[1] if caption else name[1], anchor, head_of_rows(match[0])))
        return "".join(_rows(match[0], name[1]))

    return TABLE.sub(table, piece), shown


def head_of_rows(table: str) -> Label:
    """What one row is, in both languages: the heads of the first columns that tell the rows apart.

    Parameters
    ----------
    table
        HTML of the table.

    Returns
    -------
    Label
        Empty where the first columns do not tell the rows apart.
    """
    heads = [(OTHER in found[1], html.unescape(found[2])) for found in HEAD.finditer(table)]
    named: list[Label] = []
    for other, text in heads:
        if other and named:
            named[-1] = Label(en=named[-1].en, zh=text)
        else:
            named.append(Label(en=text, zh=text))
    body = [[_plain(cell[2]) for cell in columns(CELL.finditer(row[1]))] for row in ROW.finditer(table)][1:]
    for width in range(1, min(MOST_KEYS, len(named)) + 1):
        keys = [tuple(row[:width]) for row in body]
        if len(set(keys)) == len(keys):
            words = [named[0].en, *(label.inside() for label in named[1:width])]
            *before, last = words
            en = f"{', '.join(before)} and {last}" if before else last
            return Label(en=en, zh="、".join(label.zh for label in named[:width])) if all(words) else NOTHING
    return NOTHING


def add_notes(piece: str, notes: Mapping[str, str]) -> str:
    """A piece of HTML with the notes of its tables, each above the link to the table's file.

    Parameters
    ----------
    piece
        HTML of one output.
    notes
        Name of a table -> HTML, empty for none.
    """

    def table(match: re.Match[str]) -> str:
        name = NAME.search(match[0])
        place = match[0].rfind('<p class="file">')
        return f"{match[0][:place]}{notes.get(name[1], '')}{match[0][place:]}" if name and place > 0 else match[0]

    return TABLE.sub(table, piece)


def row_names(piece: str) -> dict[str, dict[str, str]]:
    """For each table of a piece of HTML its rows: name -> id. A name is a cell of words that no other row has."""
    found = {}
    for table in TABLE.finditer(piece):
        name = NAME.search(table[0])
        rows = [columns(CELL.finditer(row[1])) for row in ROW.finditer(table[0])][1:]
        words = [{_plain(cell[2]) for cell in cells[:2] if 'class="n"' not in cell[1]} - {""} for cells in rows]
        counted = Counter(word for row in words for word in row)
        if name:
            ids = ((word, f"r-{name[1]}-{place}") for place, row in enumerate(words) for word in row)
            found[name[1]] = {word: target for word, target in ids if counted[word] == 1}
    return found


def name_rows(piece: str, wanted: Set[str]) -> str:
    """A piece of HTML whose tables' rows bear the ids that links lead to.

    Parameters
    ----------
    piece
        HTML of one output.
    wanted
        Ids of rows, from `row_names`.
    """

    def table(match: re.Match[str]) -> str:
        name = NAME.search(match[0])
        places = itertools.count(-1)  # the head is no row

        def row(found: re.Match[str]) -> str:
            target = f"r-{name[1]}-{next(places)}" if name else ""
            return found[0].replace("<tr>", f'<tr id="{target}">', 1) if target in wanted else found[0]

        return ROW.sub(row, match[0])

    return TABLE.sub(table, piece) if wanted else piece


def replace_tables(piece: str, instead: Mapping[str, str]) -> str:
    """A piece of HTML with other HTML in the place of some tables.

    Parameters
    ----------
    piece
        HTML of one output.
    instead
        Name of a table -> HTML.
    """

    def table(match: re.Match[str]) -> str:
        name = NAME.search(match[0])
        return instead.get(name[1], match[0]) if name else match[0]

    return TABLE.sub(table, piece) if instead else piece


def _rows(text: str, name: str) -> Iterator[str]:
    heads: list[Label] = []
    end = 0
    for row in ROW.finditer(text):
        yield text[end : row.start()]
        end = row.end()
        cells = list(CELL.finditer(row[1]))
        if not heads:
            heads = _words(cells)
            yield row[0]
            continue
        first = next(iter(_words(cells)), NOTHING)
        yield "<tr>"
        told = iter(heads)
        for cell in cells:
            again = OTHER in cell[1]
            yield cell[0] if again else _cell(cell, _address(name, first, next(told, NOTHING)), name)
        yield "</tr>"
    yield text[end:]


def columns(cells: Iterable[re.Match[str]]) -> list[re.Match[str]]:
    """Cells of a row, one for each column: a text that stands in both languages has two cells."""
    return [cell for cell in cells if OTHER not in cell[1]]


def _cell(cell: re.Match[str], address: str, name: str) -> str:
    if 'class="n"' not in cell[1] or not DIGIT.search(cell[2]):
        return cell[0]
    return f'<td class="n"><button popovertarget="t-{name}" title="{html.escape(address)}">{cell[2]}</button></td>'


def _plain(piece: str, language: str = "en") -> str:
    return html.unescape(TAG[language].sub("", piece)).strip()


def _words(cells: Iterable[re.Match[str]]) -> list[Label]:
    """What stands in each column of a row, in both languages."""
    found: list[Label] = []
    for cell in cells:
        if OTHER in cell[1] and found:
            found[-1] = Label(en=found[-1].en, zh=_plain(cell[2], "zh"))
        else:
            found.append(Label(en=_plain(cell[2]), zh=_plain(cell[2], "zh")))
    return found


def _address(name: str, row: Label, column: Label) -> str:
    """Where a number stands: table, row and column; an attribute holds one text, so that both languages stand in it."""
    en, zh = f"{row.en} · {column.en}", f"{row.zh} · {column.zh}"
    return f"{name} · {en}" if en == zh else f"{name} · {en} / {zh}"


def anchor_of(result: Result) -> str:
    """Where in the page a result was made."""
    return f"{result.notebook}-{result.cell}" if result.cell else str(result.notebook)


def read_heads(path: Path) -> list[str]:
    """Names of the columns of a table's file."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def read_inputs(run_folder: Path, notebook: str) -> list[tuple[str, str]]:
    """The study files and tables that a notebook read in this run, each with the start of its SHA-256 checksum."""
    path = run_folder / "run" / "record" / f"{notebook}.json"
    try:
        inputs = json.loads(path.read_text(encoding="utf-8")).get("inputs", {})
    except (OSError, ValueError, AttributeError):
        return []
    kept = [
        (name, str(digest)[:12])
        for name, digest in inputs.items()
        if name.startswith(("data/", "tables/", "notebooks/"))
    ]
    return sorted(kept)
