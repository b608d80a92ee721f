"""The cards of units: index, rank and parts of each over the periods, opened from a map that is coloured by period.

Where all units would take more of the page than there is room, those at both ends of the last ranking have cards. The
map needs no script: a choice of index and period picks the shade of every tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.display.prose import format_number
from helpers.display.tables import read_table
from helpers.index.shown import main_index, read_tiles
from helpers.report.chapters import Chapter
from helpers.report.labels import unit_names
from helpers.report.popovers import Shown
from helpers.report.sections.cards import BETWEEN, Figure
from helpers.results.rounding import tie
from helpers.study.data import Label

if TYPE_CHECKING:
    from jinja2 import Environment

    from helpers.study.study import Study


VALUES, RANKS, PARTS = "index_scores", "index_ranks", "index_dimensions"
"""Tables whose numbers stand on the cards: by unit and period, a column for each index or dimension."""
DIGITS = {VALUES: 3, RANKS: 0, PARTS: 3}
MOST, SOME = 5_000, 800
"""Elements that the cards of all units may take; and those of some, where all would take more."""
LONGEST = 12
"""Periods of a card; of more, as many are shown at equal distances."""


@dataclass(frozen=True)
class Row:
    """A row of a card: its words, None for a rank, and its numbers, None for a missing one."""

    label: Label | None
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True)
class UnitCard:
    """One unit.

    Attributes
    ----------
    label
        Its name.
    place
        Row and column on the map; None where there is none.
    shades
        Variables of style: by index and period, per cent of the way from the lowest figure to the highest.
    rows
        Values and ranks of the indices over the periods.
    parts
        What each dimension gives, at the first and at the last period.
    """

    label: Label
    place: tuple[int, int] | None
    shades: str
    rows: tuple[Row, ...]
    parts: tuple[Row, ...]


@dataclass(frozen=True)
class Units:
    """The cards of a study's units.

    Attributes
    ----------
    cards
        From the highest unit of the last period to the lowest.
    number
        How many units there are; the cards may be fewer.
    ends
        Each index of the map with its lowest and its highest figure; none without a map.
    periods
        As they are printed.
    rules
        Style rules: the shades that a choice of index and period shows.
    """

    cards: tuple[UnitCard, ...]
    number: int
    ends: tuple[tuple[Label, Figure, Figure], ...]
    periods: tuple[str, ...]
    rules: str


@dataclass(frozen=True)
class _Tables:
    """The three tables, and what of them is shown."""

    study: Study
    frames: Mapping[str, pd.DataFrame]
    own: Sequence[str]
    times: Sequence[int]

    def figure(self, table: str, cell: tuple[str, int], column: str) -> Figure | None:
        """A number with its address; None where the table has none."""
        frame = self.frames[table]
        value = frame[column].get(cell, np.nan)
        address = BETWEEN.join((table, str(cell[0]), str(cell[1]), column))
        return None if pd.isna(value) else Figure(column, table, address, format_number(float(value), DIGITS[table]))

    def rows(self, unit: str) -> tuple[Row, ...]:
        """Value and rank of each index of the card."""
        kinds = (
            [(VALUES, name, self.study.words(name)) for name in self.own],
            [(RANKS, name, None) for name in self.own],
        )
        lines = [line for pair in zip(*kinds, strict=True) for line in pair]
        return tuple(
            Row(label, tuple(self.figure(table, (unit, time), name) for time in self.times))
            for table, name, label in lines
        )

    def parts(self, unit: str) -> tuple[Row, ...]:
        """Contributions of the dimensions at both ends."""
        ends = (self.times[0], self.times[-1])
        return tuple(
            Row(dimension.label, tuple(self.figure(PARTS, (unit, time), column) for time in ends))
            for name in self.own
            for key, dimension in self.study.indices[name].dimensions.items()
            for column in [f"{name}.{key}"]
            if column in self.frames[PARTS]
        )


def unit_cards(study: Study, run_folder: Path, names: Mapping[str, str]) -> Units | None:
    """The cards of a study's units; None without their tables.

    Parameters
    ----------
    study
        The study.
    run_folder
        Holds ``tables/index_scores.csv``, ``index_ranks.csv`` and ``index_dimensions.csv``.
    names
        Names of units: English -> Chinese.
    """
    paths = {name: run_folder / "tables" / f"{name}.csv" for name in (VALUES, RANKS, PARTS)}
    if not all(path.is_file() for path in paths.values()):
        return None
    frames = {name: read_table(path, study.index_names) for name, path in paths.items()}
    wanted = (study.specification.treatment, study.specification.outcome)
    own = [name for name in wanted if name in study.indices] or [main_index(study)]
    values = frames[VALUES]
    if not set(study.indices) <= set(values) or values[own[0]].isna().all():
        return None  # tables of another study file
    tables = _Tables(study, frames, own, _spaced(sorted(values[own[0]].dropna().index.unique(1))))
    last = values[own[0]].xs(tables.times[-1], level=1).dropna()
    order = list(last.sort_values(ascending=False, kind="stable", key=tie).index)
    tiles = read_tiles(study.folder / study.map.tiles) if study.map else None
    shades = {} if tiles is None else _shades(values[list(study.indices)], tables.times)
    places = {} if tiles is None else _places(tiles)
    cards = [
        UnitCard(
            Label(en=unit, zh=names.get(unit, unit)),
            places.get(unit),
            shades.get(unit, ""),
            tables.rows(unit),
            tables.parts(unit),
        )
        for unit in _fitting(order, tables)
    ]
    ends = () if tiles is None else tuple(_ends(tables, name) for name in study.indices)
    periods = tuple(study.time.show(time) for time in tables.times)
    return Units(tuple(cards), len(order), ends, periods, _rules(len(ends), len(periods)))


def _spaced(times: Sequence[int]) -> list[int]:
    """All periods, or so many at equal distances, with both ends."""
    places = np.unique(np.linspace(0, len(times) - 1, min(len(times), LONGEST)).round().astype(int))
    return [int(times[place]) for place in places]


def _fitting(order: Sequence[str], tables: _Tables) -> list[str]:
    """All units, or those at both ends of the ranking, as many as there is room for."""
    dimensions = sum(len(tables.study.indices[name].dimensions) for name in tables.own)
    each = 16 + len(tables.times) + 2 * len(tables.own) * (2 + 2 * len(tables.times)) + 6 * dimensions
    if len(order) * each <= MOST:
        return list(order)
    number = max(1, SOME // (2 * each))
    return [*order[:number], *order[-number:]]


def _places(tiles: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Row and column of each unit, from 1."""
    grid = tiles[["row", "column"]] - tiles[["row", "column"]].min() + 1
    return {str(unit): (int(row), int(column)) for unit, row, column in grid.itertuples(name=None)}


def _shades(values: pd.DataFrame, times: Sequence[int]) -> dict[str, str]:
    """For each unit the variables of style with its shades."""
    shares = (100 * (values - values.min()) / (values.max() - values.min())).round()
    found: dict[str, list[str]] = {}
    for place, time in enumerate(times):
        for unit, row in shares.xs(time, level=1).iterrows():
            told = enumerate(row.to_numpy(dtype=float))
            found.setdefault(str(unit), []).extend(
                f"--v{index}-{place}:{share:.0f}" for index, share in told if share >= 0
            )
    return {unit: ";".join(shades) for unit, shades in found.items()}


def _ends(tables: _Tables, name: str) -> tuple[Label, Figure, Figure]:
    """An index with its lowest and its highest figure."""
    values = tables.frames[VALUES][name].dropna()
    cells: list[Any] = [values.idxmin(), values.idxmax()]
    low, high = (tables.figure(VALUES, cell, name) for cell in cells)
    assert low is not None
    assert high is not None
    return tables.study.words(name), low, high


def _rules(indices: int, periods: int) -> str:
    chosen = [(index, period) for index in range(indices) for period in range(periods)]
    return "".join(
        f".map:has(#mi{index}:checked):has(#mp{period}:checked) .tile{{--s:var(--v{index}-{period})}}"
        for index, period in chosen
    ) + "".join(f".map:has(#mi{index}:checked) .end:not(.e{index}){{display:none}}" for index in range(indices))


@dataclass(frozen=True)
class UnitSection:
    """The section with a card for each unit: its chapter, HTML, style rules, and the tables that it shows."""

    chapter: str = ""
    html: str = ""
    rules: str = ""
    tables: tuple[Shown, ...] = ()


def unit_section(study: Study, run_folder: Path, environment: Environment, chapters: Sequence[Chapter]) -> UnitSection:
    """The cards of the units, in the chapter whose cell keeps the indices; empty where none does."""
    cells = [(chapter.name, cell) for chapter in chapters for cell in chapter.cells]
    keeping = [(name, cell.anchor) for name, cell in cells if f'run.write_panel(scores, "{VALUES}")' in cell.source]
    units = unit_cards(study, run_folder, unit_names(study)) if keeping else None
    if units is None:
        return UnitSection()
    chapter, anchor = keeping[0]
    made: Any = environment.get_template("units.html.j2").make_module({"units": units})
    nothing = Label(en="", zh="")
    tables = tuple(Shown(name, str(caption), anchor, nothing) for name, caption in made.captions.items())
    return UnitSection(chapter, str(made), units.rules, tables)
