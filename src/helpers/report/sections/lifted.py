"""What the first page takes from the chapters: the cells that are tagged for it, ids named anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from helpers.report.chapters import Cell, Chapter, Section
from helpers.report.sections.ledger import Choice, open_ledger

PICTURE_ID = re.compile(r'(\sid="|href="#|url\(#)(?=[\w.-]+-cell-\d+-)')
ROW_ID = re.compile(r' id="r-[a-z0-9_]+-\d+"')


@dataclass(frozen=True)
class Lifted:
    """What the front page takes from one section of a chapter.

    Attributes
    ----------
    title
        The section's heading, empty where the cells bring their own.
    chapter
        Title of the chapter.
    anchor
        Of the section.
    cells
        The cells tagged for the front page.
    """

    title: str
    chapter: str
    anchor: str
    cells: tuple[Cell, ...]


def lift_cells(chapter: Chapter) -> list[Lifted]:
    """What the first page takes of a chapter, section by section."""
    parts = [(section, tuple(_again(cell) for cell in section.cells if cell.summary)) for section in chapter.sections]
    return [
        Lifted(_title(section, cells[0]), chapter.title, section.anchor, cells) for section, cells in parts if cells
    ]


def _title(section: Section, first: Cell) -> str:
    """A section's heading; nothing where the first cell that is taken brings it itself."""
    return "" if first.anchor == section.cells[0].anchor else section.title


def _again(cell: Cell) -> Cell:
    """A cell for the front page: its pictures' ids are named anew, since the chapter shows it too."""
    outputs = (ROW_ID.sub("", PICTURE_ID.sub(r"\1front-", output)) for output in cell.outputs)
    return replace(cell, outputs=tuple(outputs))


def open_verdicts(parts: list[Lifted]) -> tuple[list[Lifted], tuple[Choice, ...]]:
    """What the first page says of the claims, its ledger to be filtered."""
    found: tuple[Choice, ...] = ()
    opened = []
    for part in parts:
        cells = []
        for cell in part.cells:
            pieces = [open_ledger(output) for output in cell.outputs]
            found = next((choices for _, choices in pieces if choices), found)
            cells.append(replace(cell, outputs=tuple(piece for piece, _ in pieces)))
        opened.append(replace(part, cells=tuple(cells)))
    return opened, found
