"""The chapters with their numbers opened: what each number is, its method and its code, notes under the tables."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.report.chapters import Cell, Chapter
from helpers.report.language import both, spread
from helpers.report.origins import Method, key_label, method_of, note_of, reached_modules, spell_formula, spell_key
from helpers.report.picture import link_rows
from helpers.report.popovers import (
    Shown,
    add_notes,
    anchor_of,
    name_rows,
    open_numbers,
    open_tables,
    read_heads,
    replace_tables,
    row_names,
)
from helpers.report.sections.sorting import ColumnChoice, sort_tables
from helpers.results.results import Result, Results
from helpers.study.data import Label

if TYPE_CHECKING:
    from helpers.study.study import Study

NEAR = 4
"""Cells between a picture and the table that it shows."""
LINKED_ROW = re.compile(r'<a href="#(r-[a-z0-9_]+-\d+)">')
MODEL = re.compile(r"<code>([^<]* ~ [^<]*)</code>")


class Origins:
    """What the popovers say of each number: its words, its method, and where its code stands.

    Parameters
    ----------
    study
        The study, for its labels.
    chapters
        The chapters, whose cells say which methods they reach.
    run_folder
        Holds the tables, whose columns say how they are read.
    """

    def __init__(self, study: Study, chapters: Sequence[Chapter], run_folder: Path) -> None:
        self._study = study
        self._label = cache(partial(key_label, study))
        self._tables = run_folder / "tables"
        self._reached: dict[str, list[str]] = {}
        self._coded: set[str] = set()
        for chapter in chapters:
            self._reached |= reached_modules({cell.anchor: cell.source for cell in chapter.cells if cell.source})
            spoken = [section for section in chapter.sections if not section.silent]
            self._coded |= {cell.anchor for section in spoken for cell in section.cells if cell.source}

    def words(self, result: Result) -> Label:
        """What a result is, by the parts of its key."""
        return spell_key(result, self._label)

    def method(self, result: Result) -> Method:
        """The family of methods that a result belongs to."""
        return method_of(result.convention, self._reached.get(anchor_of(result), []))

    def of_table(self, table: Shown) -> Shown:
        """A table with its family of methods."""
        return replace(table, method=method_of(None, self._reached.get(table.anchor, []), table.name))

    def note(self, table: Shown) -> str:
        """The note under a table."""
        method = self.of_table(table).method
        path = self._tables / f"{table.name}.csv"
        return note_of(method, read_heads(path), table.head) if method and path.is_file() else ""

    def spell_models(self, piece: str) -> str:
        """A piece of HTML, the models in it also with the words of their variables."""
        axes = {axis.name: axis.label for axis in (self._study.entity, self._study.time)}

        def named(name: str) -> Label | None:
            return axes.get(name) or self._label(name)

        def spelled(model: re.Match[str]) -> str:
            words = spell_formula(html.unescape(model[1]), named)
            return spread(both(*(html.escape(text, quote=False) for text in (words.en, words.zh))), "code")

        return MODEL.sub(spelled, piece)

    def code_of(self, anchor: str) -> str:
        """Target of a link to the code of a cell; the cell itself where its code is not folded."""
        return f"{anchor}-code" if anchor in self._coded else anchor


def open_chapter(
    chapter: Chapter, results: Results, instead: Mapping[str, str], origins: Origins, choice: ColumnChoice
) -> tuple[Chapter, list[Shown]]:
    """The chapter with its numbers opened, notes under its tables and long ones replaced; and its tables.

    Parameters
    ----------
    chapter
        As it was read.
    results
        Of the run; what is among them opens.
    instead
        Name of a table -> what stands in its place.
    origins
        What the notes say.
    choice
        Writes the field that puts a table in the order of a column.
    """
    shown: list[Shown] = []

    def opened(cell: Cell) -> Cell:
        outputs = []
        for output in cell.outputs:
            piece, tables = open_tables(open_numbers(origins.spell_models(output), results), cell.anchor)
            noted = add_notes(piece, {table.name: origins.note(table) for table in tables})
            outputs.append(replace_tables(noted, instead))
            shown.extend(tables)
        return replace(cell, outputs=tuple(filter(None, outputs)))

    def in_order(cell: Cell) -> Cell:
        return replace(cell, outputs=tuple(sort_tables(output, choice) for output in cell.outputs))

    sections = tuple(
        replace(section, cells=tuple(map(in_order, _link_cells(tuple(map(opened, section.cells))))))
        for section in chapter.sections
    )
    return replace(chapter, sections=sections), shown


def _link_cells(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells of a section, the rows of their pictures linked to those of its tables."""
    tables = [(place, row_names(output)) for place, cell in enumerate(cells) for output in cell.outputs]
    linked = []
    for place, cell in enumerate(cells):
        near = sorted(
            ((before, names) for before, names in tables if abs(before - place) <= NEAR),
            key=lambda found: -abs(found[0] - place),
        )
        rows = {name: found for _, names in near for name, found in names.items()}
        linked.append(replace(cell, outputs=tuple(link_rows(output, rows) for output in cell.outputs)))
    wanted = {target for cell in linked for output in cell.outputs for target in LINKED_ROW.findall(output)}
    return tuple(replace(cell, outputs=tuple(name_rows(output, wanted) for output in cell.outputs)) for cell in linked)
