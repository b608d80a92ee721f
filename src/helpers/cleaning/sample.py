"""Which rows are analysed: those of the window that show what the study asks for and hold every figure needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError

if TYPE_CHECKING:
    from helpers.study.study import Study


@dataclass(frozen=True)
class Selection:
    """The analysed rows and how they were arrived at.

    Attributes
    ----------
    panel
        The derived columns, rows of the sample only.
    flow
        One row per step, in order: rows left out by it, rows and entities that remain.
    """

    panel: pd.DataFrame
    flow: pd.DataFrame

    @property
    def dropped(self) -> int:
        """How many rows lacked a figure."""
        return int(self.flow["rows_left_out"].iloc[1:].sum())


def mark_sample(statistics: pd.DataFrame, study: Study) -> pd.Series[bool]:
    """Mark the rows of the window that show the figures that ``sample.require`` asks for."""
    marked = pd.Series(statistics.index.get_level_values(1).isin(study.time.window), index=statistics.index)
    for name, figure in study.sample.require.items():
        marked &= statistics[name] == figure
    return marked


def model_columns(study: Study) -> list[str]:
    """The derived columns that outcome, treatment and controls are made from, each once, in the order of the model."""
    names: list[str] = []
    for name in (study.specification.outcome, study.specification.treatment, *study.specification.controls):
        names += list(study.indices[name].indicators) if name in study.indices else [name]
    return list(dict.fromkeys(names))


def select_sample(derived: pd.DataFrame, marked: pd.Series[bool], study: Study) -> Selection:
    """Take the marked rows and drop those that lack a figure which the model needs, where the study says so.

    A unit and period of which no file tells anything is then no row, and is not counted as one that was dropped.

    Parameters
    ----------
    derived
        The derived columns for every row that was read.
    marked
        From :func:`mark_sample`.

    Raises
    ------
    StudyError
        When a figure is missing and the study does not drop such rows, or when no row is left.
    """
    if study.sample.missing == "drop":
        there = derived.notna().any(axis=1)
        derived, marked = derived[there], marked[there]
    panel = derived[marked]
    window = derived.index.get_level_values(1).isin(study.time.window)
    steps = [_step("in the window, as required", int(window.sum()) - len(panel), panel)]
    for name in model_columns(study):
        gaps = panel[name].isna()
        if gaps.any():
            if study.sample.missing == "stop":
                raise _gap(name, panel.index[gaps], study)
            panel = panel[~gaps]
            steps.append(_step(f"with a figure for {study.label(name)}", int(gaps.sum()), panel))
    if panel.empty:
        raise StudyError(f"{study.name}, sample", "no row is left", "look at sample.require and at the missing figures")
    flow = pd.DataFrame(steps).set_index("rows_that_are")
    return Selection(panel, flow)


def several_rows(panel: pd.DataFrame) -> pd.Series[int]:
    """Rows of each entity that has more than one, 0 for one that has a single row, which its own effect absorbs."""
    rows = panel.groupby(level=0).size()
    return rows.where(rows > 1, 0)


def _step(what: str, left_out: int, panel: pd.DataFrame) -> dict[str, object]:
    entities = panel.index.get_level_values(0).nunique()
    return {"rows_that_are": what, "rows_left_out": left_out, "rows": len(panel), "entities": entities}


def _gap(name: str, rows: pd.Index, study: Study) -> StudyError:
    entity, time = rows[0]
    more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
    return StudyError(
        f"panel, {name}, {study.entity.name} {entity}, {study.time.name} {time}{more}",
        "the model needs a figure and there is none",
        "read an earlier period where a lag needs it (time.read_from), or declare sample.missing: drop",
    )


def mark_dropped(
    rows: pd.MultiIndex | pd.Index,
    units: pd.DataFrame | None,
    where: Mapping[str, str | int] | None,
    times: Collection[int] | None,
    place: str,
) -> np.ndarray:
    """The rows that a declared sample leaves out: those of entities that hold given values, and those of some times.

    Parameters
    ----------
    rows
        Index of the panel: entity, time.
    units
        One row per entity, texts, indexed by entity.
    where
        Column of the units -> value; an entity must hold all of them.
    times
        The times.
    place
        Where the sample is declared, for the messages.

    Raises
    ------
    StudyError
        The units have no such column, or a rule leaves out no row: the sample would be another's under a new name.
    """
    dropped = np.zeros(len(rows), dtype=bool)
    if where:
        dropped |= rows.get_level_values(0).isin(_entities_with(units, where, f"{place}, drop_where"))
    if where and not dropped.any():
        told = ", ".join(f"{column}: {value}" for column, value in where.items())
        raise StudyError(
            f"{place}, drop_where {told}", "no entity is so, and the row would change nothing", "correct the value"
        )
    if times:
        late = rows.get_level_values(1).isin(list(times))
        if not late.any():
            told = ", ".join(map(str, sorted(times)))
            raise StudyError(f"{place}, drop_times {told}", "no row is of such a time", "take it out, or correct it")
        dropped |= late
    return dropped


def _entities_with(units: pd.DataFrame | None, where: Mapping[str, str | int], place: str) -> pd.Index:
    for column in where:
        if units is None or column not in units.columns:
            known = ", ".join(units.columns) if units is not None else "none"
            raise StudyError(f"{place} {column}", "the units file has no such column", f"use one of: {known}")
    assert units is not None
    held = [units[column].astype(str) == str(value) for column, value in where.items()]
    return units.index[np.logical_and.reduce(held)]
