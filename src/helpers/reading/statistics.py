"""Raw files to one panel: decoded, recognised, every name mapped to one key, every cell a number or visibly empty."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.formats.decoding import few, parse_number, plain_number, read_text, shorten
from helpers.reading.raw_files import Source, choose_figures, find_files, name_indicator, read_source, squeeze
from helpers.reading.units import Spellings
from helpers.reading.units import read_units as read_units
from helpers.study.formula import parse_formula
from helpers.study.study import Column, Entity, Study, Time

Figures = dict[tuple[str, int], float]


def read_raw(
    folder: Path, columns: Mapping[str, Column], units: pd.DataFrame, entity: Entity, time: Time
) -> pd.DataFrame:
    """Read every declared statistic of a study into one panel.

    Parameters
    ----------
    folder
        The study folder; the files of ``columns`` are inside it.
    columns
        Name of each statistic with its file (or, with ``*``, its files), indicator and span.
    units
        The entities, from :func:`read_units`.
    entity, time
        The study's two dimensions: their names, the spellings, the times to read.

    Returns
    -------
    DataFrame
        Shape (entities x times, columns), float, missing figures as NaN; index sorted by entity key, then time.

    Raises
    ------
    StudyError
        Naming file, line, entity and time of the first figure that cannot be read as declared.
    """
    names = (entity.name, time.name)
    spellings = Spellings.of(units, entity)
    index = pd.MultiIndex.from_product([sorted(units.index), time.read], names=names)
    rows = {cell: row for row, cell in enumerate(index)}
    panel = np.full((len(index), len(columns)), np.nan)
    sources: dict[Path, Source] = {}
    for place, (name, column) in enumerate(columns.items()):
        parts = {}
        for path in find_files(folder, column.file):
            if path not in sources:
                sources[path] = read_source(path, spellings, names, kind=time.kind)
            if column.indicator is None and column.column is None:
                _check_named(sources[path], name)
            parts[path] = _take(sources[path], column.indicator, (column.column, column.indicator, name), names)
        figures = _join(parts, names)
        _check_times(folder / column.file, figures, time, column)
        _check_entities(folder / column.file, figures, spellings)
        found = {rows[cell]: figure for cell, figure in figures.items() if cell in rows}
        panel[list(found), place] = list(found.values())
    return pd.DataFrame(panel, index=index, columns=list(columns))


def read_statistic(
    path: Path,
    spellings: Spellings,
    *,
    names: tuple[str, str] = ("entity", "time"),
    indicator: str | None = None,
    column: str | None = None,
    encoding: str | None = None,
) -> pd.Series:
    """Read one statistic from one file, whose shape is recognised from content.

    Parameters
    ----------
    path
        The file.
    spellings
        How the entities are spelt.
    names
        The study's words for entity and time.
    indicator
        What the file must say that it holds, as in ``地区生产总值(亿元)``; not compared when None, or when the file
        says nothing.
    column
        The heading to take from a file with several measures.
    encoding
        A codec name; None for UTF-8, then GB18030.

    Returns
    -------
    Series
        Float, all times of the file, NaN where a cell is empty; index (entity key, time), sorted and unique.

    Raises
    ------
    StudyError
        Naming file, line, entity and time.
    """
    figures = _take(read_source(path, spellings, names, encoding), indicator, (column, indicator), names)
    index = pd.MultiIndex.from_tuples(list(figures), names=list(names))
    return pd.Series(list(figures.values()), index=index, dtype=float, name=path.stem).sort_index()


def covered_times(column: Column, times: Collection[int]) -> list[int]:
    """The times, of those given, that a statistic is declared to cover."""
    return [time for time in sorted(times) if column.covers(time)]


def read_codebook(path: Path, columns: Collection[str]) -> pd.DataFrame:
    """Read what is known about each statistic: names, unit, grade, remarks.

    Returns
    -------
    DataFrame
        Text, one row per name in ``columns``, in their order, indexed by statistic.

    Raises
    ------
    StudyError
        When the file is not such a table, or a statistic of the study has no row or two.
    """
    try:
        codebook = pd.read_csv(io.StringIO(read_text(path)), dtype=str, keep_default_na=False)
    except ValueError as error:
        raise StudyError(str(path), f"the codebook is not valid CSV ({error})", "correct that line") from None
    for heading in ("statistic", "name_en", "unit", "grade", "note"):
        if heading not in codebook.columns:
            raise StudyError(str(path), f"the codebook has no column '{heading}'", "add it to the header")
    for name in columns:
        rows = int((codebook["statistic"] == name).sum())
        if rows != 1:
            raise StudyError(f"{path}, statistic {name}", f"it has {rows} rows, not one", "describe it in one row")
    return codebook.set_index("statistic").loc[list(columns)]


def indicators_of_grade(codebook: pd.DataFrame, study: Study, grade: str) -> pd.DataFrame:
    """List the derived columns that rest on a statistic of one grade.

    Returns
    -------
    DataFrame
        One row per derived column and such statistic: label of the derived column as index, statistic, note.
    """
    doubtful = set(codebook.index[codebook["grade"] == grade])
    rows = [
        (study.label(name), statistic, codebook.at[statistic, "note"])
        for name, text in study.formulas.items()
        for statistic in parse_formula(text, name).columns
        if statistic in doubtful
    ]
    return pd.DataFrame(rows, columns=["indicator", "statistic", "note"]).set_index("indicator")


def _take(source: Source, indicator: str | None, measures: tuple[str | None, ...], names: tuple[str, str]) -> Figures:
    """The figures of one measure as numbers, by entity key and time."""
    path, spellings = source.path, source.spellings
    declared = indicator or (measures[0] if None in source.figures else None)
    if declared and source.indicator and squeeze(declared) != squeeze(source.indicator):
        raise StudyError(
            f"{path}, indicator line",
            f"the file holds '{shorten(source.indicator)}', the study declares '{declared}'",
            "put the right file there, or correct the indicator (name and unit) in the study file",
        )
    values: Figures = {}
    keys: dict[str, str] = {}
    figures = choose_figures(source, measures)
    for figure in figures:
        if figure.entity not in keys:
            keys[figure.entity] = spellings.key_of(figure.entity, figure.place)
        cell = (keys[figure.entity], figure.time)
        if cell in values:
            first = next(other.place for other in figures if (keys[other.entity], other.time) == cell)
            line = first.removeprefix(f"{path}, ")
            where = _cell(figure.place, cell, names)
            raise StudyError(where, f"it already stands in {line}", "keep one row per entity and time")
        number = plain_number(figure.text)
        values[cell] = parse_number(figure.text, _cell(figure.place, cell, names)) if number is None else number
    if not values:
        raise StudyError(str(path), "there is a header but no figure", "put the figures below it")
    return values


def _cell(place: str, cell: tuple[str, int], names: tuple[str, str]) -> str:
    return f"{place}, {names[0]} {cell[0]}, {names[1]} {cell[1]}"


def _check_named(source: Source, name: str) -> None:
    """Stop when nothing says what the figures are: no line of the file, no indicator of the study, no telling name."""
    if None in source.figures and source.path.stem != name and name_indicator(source) is None:
        raise StudyError(
            str(source.path),
            "the file does not say which indicator it holds, and neither does its name",
            f"declare indicator: for {name} in the study file, or name the file after what it holds",
        )


def _join(parts: dict[Path, Figures], names: tuple[str, str]) -> Figures:
    """The figures of several files together, none of which may repeat another's cell."""
    joined: Figures = {}
    for path, part in parts.items():
        for cell in sorted(part.keys() & joined.keys()):
            first = next(other for other, figures in parts.items() if cell in figures)
            where = _cell(str(path), cell, names)
            raise StudyError(where, f"the figure already stands in {first.name}", "keep one file per figure")
        joined |= part
    return joined


def _check_times(path: Path, figures: Figures, time: Time, column: Column) -> None:
    found = {at for _, at in figures}
    absent = [at for at in covered_times(column, time.read) if at not in found]
    if absent:
        raise StudyError(
            str(path),
            f"there is no {time.name} {few(list(map(time.show, absent)))}, and the study needs it",
            "add the column, or declare with first and last which times the statistic covers",
        )


def _check_entities(path: Path, figures: Figures, spellings: Spellings) -> None:
    found = {entity for entity, _ in figures}
    absent = [key for key in spellings.entities if key not in found]
    if absent:
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        raise StudyError(
            str(path),
            f"there is no row for {shown}",
            "add the row, with empty cells where there is no figure, or take the entity out of the units file",
        )
