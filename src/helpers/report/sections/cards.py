"""Cards: one for each variable and indicator, with what it is, what was done to it and how it looks.

Every number of a card carries its address, the table, the row and the column that hold it, and opens what its table is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.display.tables import format_table, read_table
from helpers.reading.statistics import read_codebook
from helpers.report.origins import key_label, spell_formula
from helpers.study.data import Label
from helpers.study.formula import parse_formula

if TYPE_CHECKING:
    from jinja2 import Environment

    from helpers.report.language import Translator
    from helpers.study.study import Study


DESCRIBED, TRACED = "descriptive_statistics", "origins"
"""Tables whose numbers stand on the cards of indicators."""
TOLD = ("n", "mean", "sd", "min", "max", "between_sd", "within_sd")
COUNTED = ("missing", "filled", "jumps", "breaks")
BETWEEN = " · "
CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Figure:
    """A number of a card.

    Attributes
    ----------
    name
        Of its column.
    table, address
        The table that holds it; the table, the row and the column by their names in the file.
    text
        The number as it is printed.
    """

    name: str
    table: str
    address: str
    text: str


@dataclass(frozen=True)
class Source:
    """A statistic on which an indicator rests.

    Attributes
    ----------
    label, unit, note
        Its name, unit and remark; unit and remark may be empty.
    words
        The publisher's own line.
    grade
        How well it is attested.
    """

    label: Label
    unit: Label
    note: Label
    words: str
    grade: str

    @property
    def language(self) -> str:
        """Of the publisher's line."""
        return "zh" if CHINESE.search(self.words) else "en"


@dataclass(frozen=True)
class Place:
    """Where an indicator stands in an index, and whether more of it is better."""

    index: Label
    dimension: Label
    more: bool


@dataclass(frozen=True)
class DataCard:
    """One variable or indicator.

    Attributes
    ----------
    label, unit
        Its name and unit; the unit may be empty.
    places
        Where it stands in indices; none for a variable.
    formula
        What was done to the statistics: by their columns, and in Chinese by their names.
    grade
        The worst of its statistics'.
    figures, counts
        What it looks like, and those of its counts that are not 0.
    sources
        The statistics that the formula reads.
    """

    label: Label
    unit: Label
    places: tuple[Place, ...]
    formula: Label
    grade: str
    figures: tuple[Figure, ...]
    counts: tuple[Figure, ...]
    sources: tuple[Source, ...]


def data_cards(study: Study, run_folder: Path, translator: Translator) -> list[DataCard]:
    """The cards of a study's variables and indicators, in the order of the study file; none without its tables.

    Parameters
    ----------
    study
        The study.
    run_folder
        Holds ``tables/descriptive_statistics.csv`` and ``tables/origins.csv``, one row per card.
    translator
        Of units and remarks.
    """
    paths = [run_folder / "tables" / f"{name}.csv" for name in (DESCRIBED, TRACED)]
    if not all(path.is_file() for path in paths):
        return []
    described, traced = (read_table(path).set_index("row") for path in paths)
    if not len(described) == len(traced) == len(study.formulas):
        return []  # tables of another study file
    book = read_codebook(study.folder / "codebook.csv", study.columns)
    printed, counted = _printed(DESCRIBED, described[list(TOLD)]), _printed(TRACED, traced[list(COUNTED)])
    cards: dict[tuple[str, str], DataCard] = {}
    for (name, formula), figures, counts, grade in zip(
        study.formulas.items(), printed, counted, traced["grade"], strict=True
    ):
        label, places = study.words(name), _places(study, name)
        known = cards.get((label.en, formula))
        cards[label.en, formula] = (
            replace(known, places=(*known.places, *places))  # one indicator of several indices
            if known
            else DataCard(
                label=label,
                unit=_words(_unit(study, name), translator),
                places=places,
                formula=spell_formula(formula, partial(key_label, study)),
                grade=str(grade),
                figures=figures,
                counts=tuple(figure for figure in counts if figure.text != "0"),
                sources=tuple(
                    _source(study, book, column, translator) for column in parse_formula(formula, name).columns
                ),
            )
        )
    return list(cards.values())


def _places(study: Study, name: str) -> tuple[Place, ...]:
    return tuple(
        Place(
            index.label, index.dimensions[index.indicators[name].dimension].label, index.indicators[name].direction > 0
        )
        for index in study.indices.values()
        if name in index.indicators
    )


def _unit(study: Study, name: str) -> str:
    return study.variables[name].unit if name in study.variables else study.indicators[name].unit


def _printed(table: str, frame: pd.DataFrame) -> Iterator[tuple[Figure, ...]]:
    """Each row of a table as the numbers that are printed of it."""
    texts = format_table(frame.reset_index()).iloc[:, 1:]
    for row, cells in zip(frame.index, texts.itertuples(index=False, name=None), strict=True):
        names = zip(frame.columns, cells, strict=True)
        yield tuple(Figure(name, table, BETWEEN.join((table, str(row), name)), cell) for name, cell in names)


def _source(study: Study, book: pd.DataFrame, name: str, translator: Translator) -> Source:
    column = study.columns[name]
    told = {str(part): str(text) for part, text in book.loc[name].items()}
    unit, note = (_words(told[part], translator) for part in ("unit", "note"))
    return Source(column.label, unit, note, column.indicator or told["name_en"], told["grade"])


def _words(text: Any, translator: Translator) -> Label:
    return Label(en=str(text), zh=(translator.text(str(text), where="cards") if text else "") or str(text))


def replace_long_tables(
    study: Study, run_folder: Path, environment: Environment, translator: Translator
) -> dict[str, str]:
    """What the page shows in place of a long table: table -> HTML."""
    cards = data_cards(study, run_folder, translator)
    shown = environment.get_template("cards.html.j2").render(cards=cards)
    return {DESCRIBED: "", TRACED: shown} if cards else {}
