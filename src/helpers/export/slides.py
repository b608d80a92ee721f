"""The report as a deck of slides: one file without scripts, each slide a page of paper, in both languages.

A slide each for the question, the answer, the ladder, the ledger (a few claims a slide), every picture with the
sentence that reads it, and the first table of a chapter that a slide can hold. All is taken
from the report as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template

from helpers.report.language import both

TEMPLATE = Path(__file__).parent / "slides.html"
CLAIMS = 5
"""Rows of the ledger on a slide."""
ROWS, COLUMNS = 12, 8
"""Of the largest table on a slide."""
PART = re.compile(
    r'<article id="[^"]+" class="chapter">'
    r'|<section id="[^"]+" class="text">\n(?P<text>.*?)</section>'
    r'|<section id="[^"]+" class="cell">\n(?P<cell>.*?)<details class="code">',
    re.DOTALL,
)
HEADING = re.compile(r"<h([23])>(.*?)</h\1>")
FIGURE = re.compile(r'<figure class="(picture|table)">.*?</figure>', re.DOTALL)
SENTENCE = re.compile(r'<p class="t" lang="en">.*?</p>\s*<p class="t" lang="zh">.*?</p>', re.DOTALL)
ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
LEADS = re.compile(r'</?(?:button|a)\b[^>]*>|<p class="file">.*?</p>| tabindex="0"', re.DOTALL)


def write_slides(page: str) -> str:
    """The deck of a report.

    Parameters
    ----------
    page
        The text of ``report.html``.
    """
    style = _first(r"<style>\n(.*?)</style>", page)
    slides = [f'<section class="slide">\n{LEADS.sub("", slide)}\n</section>' for slide in _slides(page)]
    parts = {"title": _first(r"<title>(.*?)</title>", page), "style": style, "slides": "\n".join(slides)}
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(parts)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    return found[1] if found else ""


def _slides(page: str) -> Iterator[str]:
    yield _first(r'<header id="summary">\n(.*?)</header>', page)
    yield from re.findall(r'<section class="headline".*?</section>', page, re.DOTALL)
    ladder = re.search(r'<h2 id="ladder-title">(.*?</h2>).*?(<table class="ladder">.*?</table>)', page, re.DOTALL)
    if ladder:
        yield f"<h2>{ladder[1]}{ladder[2]}"
    yield from _ledger(page)
    yield from _chapters(page)


def _ledger(page: str) -> Iterator[str]:
    """The ledger, a few claims a slide."""
    tables = (match[0] for match in FIGURE.finditer(page) if 'href="tables/ledger.csv"' in match[0])
    table = next(tables, "")
    head, *rows = ROW.findall(table) or [""]
    caption = _first(r"<figcaption>(.*?)</figcaption>", table)
    for first in range(0, len(rows), CLAIMS):
        shown = "".join(rows[first : first + CLAIMS])
        table = f"<table><thead>{head}</thead><tbody>{shown}</tbody></table>"
        yield f'<h2>{caption}</h2><figure class="table">{table}</figure>'


def _chapters(page: str) -> Iterator[str]:
    """Pictures, each with the sentence after it, and the first table of a chapter that fits."""
    chapter = section = ""
    tabled, waiting = False, ""
    for part in PART.finditer(page):
        if part["text"] is not None:
            titles = HEADING.findall(part["text"])
            if titles and waiting:
                yield waiting
                waiting = ""
            for level in sorted({level for level, _ in titles}):
                named = both(*_pair(text for found, text in titles if found == level))
                chapter, section = (named, "") if level == "2" else (chapter, named)
        elif part["cell"] is None:
            tabled = False
        else:
            figures = list(FIGURE.finditer(part["cell"]))
            sentence = SENTENCE.search(FIGURE.sub("", part["cell"]))
            if waiting and (sentence or figures):
                yield waiting + (f'<div class="said">{sentence[0]}</div>' if sentence and not figures else "")
                waiting = ""
            for figure in figures:
                if figure[1] == "table" and (tabled or not _fits(figure[0])):
                    continue
                tabled = tabled or figure[1] == "table"
                if waiting:
                    yield waiting
                waiting = f'<p class="from">{chapter}</p><h2>{section or chapter}</h2>{figure[0]}'
    if waiting:
        yield waiting


def _pair(texts: Iterable[str]) -> tuple[str, str | None]:
    """A heading in both languages, or in the one that it stands in."""
    found = [*texts][:2]
    return found[0], found[1] if len(found) > 1 else None


def _fits(table: str) -> bool:
    rows = ROW.findall(table)
    columns = len(re.findall(r"<th\b", rows[0])) - rows[0].count(' lang="zh"') if rows else 0
    return 0 < len(rows) - 1 <= ROWS and columns <= COLUMNS
