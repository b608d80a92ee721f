"""A study whose panel is kept on disk: its one file read, checked, derived, and its analysed rows written in order."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.cleaning.sample import model_columns
from helpers.errors import StudyError
from helpers.large.engine import check_engine, headings, read_headings, read_keys
from helpers.large.formulas import add_formulas
from helpers.large.panel import LargePanel, check_large_panel, open_table, read_large_panel
from helpers.large.rows import KEYS, group_column
from helpers.reading.statistics import covered_times
from helpers.study.formula import Call, Name, Node, Operation, check_columns, parse_formula

if TYPE_CHECKING:
    from helpers.study.study import Regions, Study

IN_SAMPLE = "in the sample"


@dataclass(frozen=True)
class Cleaned:
    """What was done to a panel on disk.

    Attributes
    ----------
    figures
        One row per statistic: n, missing, minimum, maximum, mean over all rows that were read.
    flow
        As in `helpers.cleaning.sample.Selection`: rows left out by each step, rows and entities that remain.
    n_rows, n_entities, n_times
        Analysed rows, their entities and times.
    n_dropped
        Rows of the window that lack a figure which the model needs.
    identifying_rows, identifying_entities
        Rows of entities that have several, and these entities.
    """

    figures: pd.DataFrame
    flow: pd.DataFrame
    n_rows: int
    n_entities: int
    n_times: int
    n_dropped: int
    identifying_rows: int
    identifying_entities: int


def clean_panel(study: Study, target: Path) -> Cleaned:
    """Read the study's file, check it, derive the variables and indicators, and write the analysed rows.

    Parameters
    ----------
    study
        A study that :func:`check_engine` accepts.
    target
        The Parquet file: the keys of :mod:`helpers.large.rows`, a column for each grouping, then every derived column;
        sorted by entity and time. A folder beside it holds what is worked on, and goes.

    Raises
    ------
    StudyError
        A study that needs the engine ``memory``, and the first key, cell, figure, entity or gap that breaks a rule.
    """
    check_engine(study)
    scratch = target.with_name(f"{target.stem}_scratch")
    try:
        with _read(study, scratch) as panel:
            _read_units(panel, study)
            _leave_out_times(panel, study)
            panel = replace(panel, n_rows=len(panel.table()))
            ranges = {name: (column.minimum, column.maximum) for name, column in study.columns.items()}
            figures = check_large_panel(panel, ranges)
            _check_units(panel, study)
            if study.sample.missing == "stop":
                _check_gaps(panel, study)
            derived, panel = _derive(panel, study)
            chosen = _select(panel, derived, study)
            _write(panel, derived, study, target, chosen.condition)
            return _count(panel, figures, chosen)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read(study: Study, scratch: Path) -> LargePanel:
    """The file's statistics under their own names."""
    found, path = headings(study), check_engine(study)
    entity, time = read_keys(study, read_headings(path))
    panel = read_large_panel(path, scratch, entity=entity, time=time, columns=list(found.values()))
    return replace(panel, columns=tuple(found))


def _read_units(panel: LargePanel, study: Study) -> None:
    """Table ``units``: the entity, its place in sorted order, and the place of its group in each grouping."""
    from duckdb import ColumnExpression

    path = study.folder / study.entity.units
    rows = open_table(panel.connection, path)
    wanted = [study.entity.key, *(grouping.column for grouping in study.regions.values())]
    for name in wanted:
        if name not in rows.columns:
            raise StudyError(
                f"{path}, column {name}", "the file has no such column", f"it has: {', '.join(rows.columns)}"
            )
    held = [ColumnExpression(name).cast("VARCHAR").alias(f"h{at}") for at, name in enumerate(wanted)]
    rows.select(*held).create("held")
    for (entity,) in panel.ask("SELECT h0 FROM held GROUP BY h0 HAVING count(*) > 1 ORDER BY h0 LIMIT 1"):
        raise StudyError(f"{path}, {entity}", "it stands twice", "keep one row per entity")
    text = "SELECT h0 AS entity, CAST(row_number() OVER (ORDER BY h0) - 1 AS INTEGER) AS code"
    for at, grouping in enumerate(study.regions.values(), start=1):
        _map_groups(panel, grouping, at)
        text += f", m{at}.place AS g{at}, h{at}"
    text += " FROM held" + "".join(
        f" LEFT JOIN map{at} AS m{at} ON m{at}.word = h{at}" for at in range(1, len(study.regions) + 1)
    )
    panel.connection.execute(f"CREATE TABLE units AS {text}")


def _map_groups(panel: LargePanel, grouping: Regions, at: int) -> None:
    """Table of what the units file holds and the place of its group; -1 for what is left out."""
    words = grouping.values or {name: name for name in grouping.order}
    rows = [(word, grouping.order.index(name)) for word, name in words.items()]
    rows += [(word, -1) for word in grouping.left_out]
    panel.connection.execute(f"CREATE TABLE map{at} (word VARCHAR, place INTEGER)")
    panel.connection.executemany(f"INSERT INTO map{at} VALUES (?, ?)", rows)  # noqa: S608 - own name


def _leave_out_times(panel: LargePanel, study: Study) -> None:
    times = ", ".join(str(int(time)) for time in study.time.read)
    if panel.ask(f"SELECT 1 FROM panel WHERE time NOT IN ({times}) LIMIT 1"):  # noqa: S608 - numbers
        panel.connection.execute(f"DELETE FROM panel WHERE time NOT IN ({times})")  # noqa: S608 - numbers


def _check_units(panel: LargePanel, study: Study) -> None:
    """The entities of both files are the same, and each has a group that is declared."""
    path = study.folder / study.entity.units
    own = "(SELECT DISTINCT entity FROM panel)"
    unknown = panel.ask(f"SELECT entity FROM {own} ANTI JOIN units USING (entity) ORDER BY entity LIMIT 6")  # noqa: S608 - own words
    if unknown:
        named = ", ".join(str(entity) for (entity,) in unknown[:5]) + (" and more" if len(unknown) > 5 else "")
        raise StudyError(str(panel.source), f"the units file does not know {named}", f"add a row to {path.name}")
    absent = panel.ask(f"SELECT entity FROM units ANTI JOIN {own} USING (entity) ORDER BY entity LIMIT 6")  # noqa: S608 - own words
    if absent:
        named = ", ".join(str(entity) for (entity,) in absent[:5]) + (" and more" if len(absent) > 5 else "")
        raise StudyError(
            str(panel.source), f"there is no row for {named}", f"take it out of {path.name}, or add its rows"
        )
    for at, grouping in enumerate(study.regions.values(), start=1):
        where = f"{path}, column {grouping.column}"
        for entity, held in panel.ask(f"SELECT entity, h{at} FROM units WHERE g{at} IS NULL LIMIT 1"):  # noqa: S608 - own words
            raise StudyError(
                f"{where}, {entity}", f"its region is '{held}', which is not declared",
                f"use one of: {', '.join(grouping.values or grouping.order)}",
            )  # fmt: skip
        there = {place for (place,) in panel.ask(f"SELECT DISTINCT g{at} FROM units")}  # noqa: S608 - own words
        for place, name in enumerate(grouping.order):
            if place not in there:
                raise StudyError(where, f"the region '{name}' has no members", "assign entities to it, or take it out")


def _check_gaps(panel: LargePanel, study: Study) -> None:
    """No figure is missing of the periods that a statistic covers."""
    units = len(panel.connection.table("units"))
    absent = units * len(study.time.read) - panel.n_rows
    remedy = "fill in the file, narrow the statistic with first and last, or declare sample.missing: drop"
    if absent:
        raise StudyError(str(panel.source), f"{absent:,} rows of {units:,} entities are not there", remedy)
    counts = []
    for at, column in enumerate(study.columns.values()):
        times = ", ".join(str(time) for time in covered_times(column, study.time.read)) or "NULL"
        counts.append(f"count(*) FILTER (time IN ({times}) AND v{at} IS NULL)")
    (found,) = panel.ask(f"SELECT {', '.join(counts)} FROM panel")  # noqa: S608 - numbers
    for name, count in zip(study.columns, found, strict=True):
        if count:
            raise StudyError(f"{panel.source}, column {name}", f"{count:,} figures are missing", remedy)


def _derive(panel: LargePanel, study: Study) -> tuple[dict[str, str], LargePanel]:
    """Derived column -> the column of the database that holds it; what is only renamed is not copied."""
    parsed = {
        name: parse_formula(text, f"{study.folder / 'study.yml'}, {name}") for name, text in study.formulas.items()
    }
    worked = {name: item for name, item in parsed.items() if not isinstance(item.root, Name)}
    for item in parsed.values():
        check_columns(item, panel.columns)
    sample = None
    if any(_standardises(item.root) for item in worked.values()):
        sample, place = IN_SAMPLE, len(panel.columns)
        panel.connection.execute(f"ALTER TABLE panel ADD COLUMN v{place} DOUBLE")
        panel.connection.execute(f"UPDATE panel SET v{place} = CASE WHEN {_marked(panel, study)} THEN 1 ELSE 0 END")  # noqa: S608 - numbers
        panel = replace(panel, columns=(*panel.columns, IN_SAMPLE))
    if worked:
        panel = add_formulas(panel, {f"derived {name}": item for name, item in worked.items()}, sample=sample)
    held = {name: item.root.name if isinstance(item.root, Name) else f"derived {name}" for name, item in parsed.items()}
    return {name: f"v{panel.columns.index(column)}" for name, column in held.items()}, panel


def _standardises(node: Node) -> bool:
    match node:
        case Call(function, arguments, _):
            return function == "standardise" or any(map(_standardises, arguments))
        case Operation(_, left, right):
            return _standardises(left) or _standardises(right)
        case _:
            return False


def _marked(panel: LargePanel, study: Study) -> str:
    """Condition of the rows of the window that show what the sample requires."""
    times = ", ".join(str(int(time)) for time in study.time.window)
    parts = [f"time IN ({times})"]
    parts += [f"v{panel.columns.index(name)} = {float(value)!r}" for name, value in study.sample.require.items()]
    return f"coalesce({' AND '.join(parts)}, FALSE)"


@dataclass(frozen=True)
class _Chosen:
    """The condition of the rows that are analysed, and how they were arrived at."""

    condition: str
    flow: pd.DataFrame


def _select(panel: LargePanel, derived: Mapping[str, str], study: Study) -> _Chosen:
    """Leave out rows that lack a figure which the model needs, where the study says so, as in memory.

    A row that the file does not have is one without figures: the window has all.
    """
    whole = len(panel.connection.table("units")) * len(study.time.window)
    conditions, steps = [_marked(panel, study)], []
    rows = whole
    if study.sample.require:
        rows = _number(panel, "count(*)", conditions)
    steps.append(("in the window, as required", whole - rows, rows, len(conditions)))
    for name in model_columns(study):
        conditions.append(f"{derived[name]} IS NOT NULL")
        left = _number(panel, "count(*)", conditions)
        if left < rows:
            if study.sample.missing == "stop":
                raise _gap(panel, study, name, conditions, rows - left)
            steps.append((f"with a figure for {study.label(name)}", rows - left, left, len(conditions)))
        rows = left
    if not rows:
        raise StudyError(f"{study.name}, sample", "no row is left", "look at sample.require and at the missing figures")
    table = [(*step[:3], _number(panel, "count(DISTINCT entity)", conditions[: step[3]])) for step in steps]
    flow = pd.DataFrame(table, columns=["rows_that_are", "rows_left_out", "rows", "entities"])
    return _Chosen(" AND ".join(conditions), flow.set_index("rows_that_are"))


def _number(panel: LargePanel, what: str, conditions: Sequence[str]) -> int:
    text = f"SELECT {what} FROM panel WHERE {' AND '.join(conditions)}"  # noqa: S608 - own words and numbers
    return int(panel.ask(text)[0][0])


def _gap(panel: LargePanel, study: Study, name: str, conditions: Sequence[str], count: int) -> StudyError:
    *before, last = conditions
    rows = f"{' AND '.join(before)} AND NOT ({last}) ORDER BY entity, time LIMIT 1"
    found = panel.ask(f"SELECT entity, time FROM panel WHERE {rows}")  # noqa: S608 - own words
    place = f", {study.entity.name} {found[0][0]}, {study.time.name} {found[0][1]}" if found else ""
    return StudyError(
        f"panel, {name}{place}" + (f" (and {count - 1} more rows)" if count > 1 else ""),
        "the model needs a figure and there is none",
        "read an earlier period where a lag needs it (time.read_from), or declare sample.missing: drop",
    )


def _write(panel: LargePanel, derived: Mapping[str, str], study: Study, target: Path, condition: str) -> None:
    """The analysed rows in order."""
    from duckdb import ColumnExpression

    groups = [f"CASE WHEN g{at} >= 0 THEN g{at} END AS g{at}" for at in range(1, len(study.regions) + 1)]
    columns = ", ".join(["entity", "time", "code", *groups, *sorted(set(derived.values()))])
    text = f"SELECT {columns} FROM panel JOIN units USING (entity) WHERE {condition} ORDER BY code, time"  # noqa: S608 - own words
    own: dict[str, Any] = dict(zip(("entity", "time", "code"), KEYS, strict=True))
    own |= {f"g{at}": group_column(name) for at, name in enumerate(study.regions, start=1)}
    chosen = [ColumnExpression(name).alias(shown) for name, shown in own.items()]
    chosen += [ColumnExpression(column).alias(name) for name, column in derived.items()]
    target.parent.mkdir(parents=True, exist_ok=True)
    panel.connection.sql(text).select(*chosen).write_parquet(str(target), compression="zstd")


def _count(panel: LargePanel, figures: pd.DataFrame, chosen: _Chosen) -> Cleaned:
    """What is counted of the analysed rows."""
    where = [chosen.condition]
    own = f"SELECT entity, count(*) AS n FROM panel WHERE {chosen.condition} GROUP BY entity"  # noqa: S608 - own words
    text = f"SELECT sum(n), count(*), sum(n) FILTER (n > 1), count(*) FILTER (n > 1) FROM ({own})"  # noqa: S608 - own words
    counts = [int(count or 0) for count in panel.ask(text)[0]]
    times = _number(panel, "count(DISTINCT time)", where)
    if counts[1] < 2 or times < 2:
        rule = f"{counts[1]} entities and {times} times are too few, at least two of each are needed"
        raise StudyError("panel", rule, "look at the sample and at the missing figures")
    dropped = int(chosen.flow["rows_left_out"].iloc[1:].sum())
    return Cleaned(figures, chosen.flow, counts[0], counts[1], times, dropped, *counts[2:])
