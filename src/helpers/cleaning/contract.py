"""What the figures must keep to: keys, types, ranges, series, vintages and identities.

Errors stop the run; warnings are listed and counted, and stand in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from helpers.cleaning import series
from helpers.cleaning.gaps import check_ranges
from helpers.errors import StudyError
from helpers.study.formula import parse_formula
from helpers.study.formula_values import evaluate

if TYPE_CHECKING:
    from helpers.study.study import Identity, Study

# A median change, or a change of a single figure, by such a factor is another unit and no event.
UNIT_OF_PERIOD, UNIT_OF_FIGURE = 20.0, 1000.0
# Among fewer entities such signs come by chance too often to stop a run; they are told as doubts.
FEWEST_FOR_ERRORS = 30
MOST_TOLD = 5


@dataclass(frozen=True)
class ContractReport:
    """What a panel that keeps the contract still gives reason to look at.

    Attributes
    ----------
    statistics
        One row per statistic: share of the cells that are there, range, number of jumps and breaks, vintage.
    jumps
        From `helpers.cleaning.series.find_jumps`.
    breaks
        From `helpers.cleaning.series.find_breaks`.
    identities
        One row per identity: cells compared, largest relative gap and its place, tolerance.
    doubts
        One row per statistic that looks as if it were in another unit, or in the rows of others, among so few entities
        that it may be chance.
    """

    statistics: pd.DataFrame
    jumps: pd.DataFrame
    breaks: pd.DataFrame
    identities: pd.DataFrame
    doubts: pd.DataFrame

    @property
    def n_warnings(self) -> int:
        """Number of jumps, breaks and doubts."""
        return len(self.jumps) + len(self.breaks) + len(self.doubts)

    def describe(self) -> str:
        """The report in one line."""
        return (
            f"statistics: {len(self.statistics)}, identities that hold: {len(self.identities)}, warnings: "
            f"{self.n_warnings} (single figures that jump: {len(self.jumps)}, periods that break: {len(self.breaks)})"
            + "".join(
                f"; doubt: {name}, {row['at']}: {row['doubt']}" for name, row in self.doubts[:MOST_TOLD].iterrows()
            )
        )


def check_contract(panel: pd.DataFrame, units: pd.DataFrame, study: Study) -> ContractReport:
    """Check the raw statistics of a study.

    Parameters
    ----------
    panel
        From `helpers.reading.statistics.read_raw`, before any figure is filled.
    units
        The entities, in the order of the files.
    study
        Whose columns and contract are meant.

    Raises
    ------
    StudyError
        The first of: a key that is missing or stands twice, a column that is not numeric, a figure outside its range, a
        change of unit, figures that fit another entity's row, an identity that does not hold, vintages that are mixed.
    """
    check_schema(panel, study)
    changes = series.measure_changes(panel)
    jumps, breaks = series.find_jumps(changes, study.contract.jump_score), series.find_breaks(changes)
    doubts = list(_series_doubts(panel, jumps, breaks, [str(unit) for unit in units.index], study))
    entities = panel.index.get_level_values(0).nunique()
    if doubts and entities >= FEWEST_FOR_ERRORS:
        raise _as_error(doubts, study)
    rows = [_check_identity(panel, identity, study) for identity in study.contract.identities]
    identities = pd.DataFrame(rows, columns=["identity", "cells", "largest_gap", "at", "tolerance"])
    described = _describe_statistics(panel, jumps, breaks, study)
    told = pd.DataFrame(
        [(doubt.column, doubt.when, doubt.rule) for doubt in doubts], columns=["statistic", "at", "doubt"]
    )
    return ContractReport(described, jumps, breaks, identities.set_index("identity"), told.set_index("statistic"))


def check_schema(panel: pd.DataFrame, study: Study) -> None:
    """Check that the panel has the declared columns, numbers in them, each key once, and figures inside their ranges.

    Raises
    ------
    StudyError
        Naming the first file, column, entity and time that break a rule, and how many more do.
    """
    remedy = "compare the panel with the study file"
    for name in [*study.columns, *panel.columns]:
        if name not in panel.columns or name not in study.columns:
            rule = "no such column is declared" if name in panel.columns else "a column is missing"
            raise StudyError("panel", f"{rule}: {name}", remedy)
    keys = panel.index.to_frame()
    bad = keys.isna().any(axis=1) | keys.duplicated()
    if bad.any():
        row = ", ".join(
            f"{name} {part}" for name, part in zip(keys.columns, panel.index[int(bad.argmax())], strict=True)
        )
        raise StudyError("panel", f"a key is missing or stands twice: {row} ({int(bad.sum())} such rows)", remedy)
    for name, column in study.columns.items():
        file = study.folder / column.file
        if panel[name].dtype != float:
            raise StudyError(
                f"{file}, column {name}", f"it holds {panel[name].dtype}, not numbers", "write numbers only"
            )
        check_ranges(panel, {name: column}, str(file))


class Doubt(NamedTuple):
    """A sign that figures are not what they are declared to be: the statistic, where, which rule, what to do."""

    column: str
    when: str
    rule: str
    remedy: str


def _as_error(doubts: list[Doubt], study: Study) -> StudyError:
    """The first doubt as an error, with the key of the study file that declares the series true."""
    first = doubts[0]
    more = f" (and {len(doubts) - 1} more such signs)" if len(doubts) > 1 else ""
    names = ", ".join(dict.fromkeys(doubt.column for doubt in doubts))
    declared = f"if the figures are as published, declare them in the study file: contract: {{genuine: [{names}]}}"
    return StudyError(_place(study, first.column, first.when), first.rule + more, f"{first.remedy}; {declared}")


def _series_doubts(
    panel: pd.DataFrame, jumps: pd.DataFrame, breaks: pd.DataFrame, order: list[str], study: Study
) -> Iterator[Doubt]:
    """Signs of another unit and of rows of others, of statistics that the study does not declare genuine."""
    entity, time = study.index_names
    genuine = set(study.contract.genuine)
    unit = "bring all figures of the statistic to one unit"
    for item in breaks.to_dict("records"):
        if item["column"] not in genuine and not 1 / UNIT_OF_PERIOD < item["ratio"] < UNIT_OF_PERIOD:
            rule = f"the figures are {item['ratio']:.3g} times those before: another unit"
            yield Doubt(item["column"], f"{time} {study.time.show(item['time'])}", rule, unit)
    for item in jumps.to_dict("records"):
        ratio = item["figure"] / item["before"] if item["before"] else 0.0
        if item["column"] not in genuine and ratio > 0 and not 1 / UNIT_OF_FIGURE < ratio < UNIT_OF_FIGURE:
            when = f"{entity} {item['entity']}, {time} {study.time.show(item['time'])}"
            yield Doubt(item["column"], when, f"{item['figure']:g} follows {item['before']:g}: another unit", unit)
    margin = study.contract.moved_margin
    moved = series.find_moved_times(panel, order, counted=margin is None)
    moved += series.find_moved_statistics(panel, order, margin)
    for found in moved:
        if found.column not in genuine:
            beside = "related statistics" if found.time is None else "the periods beside"
            yield Doubt(
                found.column,
                f"every {time}" if found.time is None else f"{time} {study.time.show(found.time)}",
                f"the figures belong to other rows: one row up or down they fit at {found.moved:.2f}, where they stand "
                f"at {found.as_given:.2f} (correlation with {beside})",
                f"look whether the rows of the file were shifted against the names of the {entity}",
            )


def _check_identity(panel: pd.DataFrame, identity: Identity, study: Study) -> dict[str, Any]:
    """Compare both sides wherever both have figures; one row of the report."""
    where = f"identity {identity.left} = {identity.right}"
    sides = [parse_formula(text, "contract") for text in (identity.left, identity.right)]
    vintages = {name: study.columns[name].vintage for side in sides for name in side.columns if name in study.columns}
    if len({vintage for vintage in vintages.values() if vintage}) > 1:
        told = ", ".join(f"{name}: {vintage}" for name, vintage in vintages.items() if vintage)
        raise StudyError(where, f"its statistics are of different vintages ({told})", "use one vintage throughout")
    left, right = (evaluate(side, panel) for side in sides)
    size = left.abs().combine(right.abs(), max)
    gaps = ((left - right).abs() / size.replace(0.0, 1.0)).dropna()
    if gaps.empty:
        raise StudyError(where, "no cell has figures on both sides", "take the identity out, or read the statistics")
    widest = int(gaps.to_numpy().argmax())
    row = gaps.index[widest]
    place = ", ".join(f"{word} {part}" for word, part in zip(study.index_names, row, strict=True))
    beyond = int((gaps > identity.tolerance).sum())
    if beyond:
        more = f" (and {beyond - 1} more cells)" if beyond > 1 else ""
        raise StudyError(
            f"{study.folder}, {', '.join(vintages)}, {place}{more}",
            f"{identity.left} = {left[row]:g} and {identity.right} = {right[row]:g} must agree",
            "look for a row or a vintage that was mixed up, or correct the identity or its tolerance",
        )
    return {
        "identity": identity.label.en,
        "cells": len(gaps),
        "largest_gap": float(gaps.max()),
        "at": place,
        "tolerance": identity.tolerance,
    }


def _describe_statistics(panel: pd.DataFrame, jumps: pd.DataFrame, breaks: pd.DataFrame, study: Study) -> pd.DataFrame:
    times = panel.index.get_level_values(1)
    rows = {}
    for name, column in study.columns.items():
        covered = [time for time in times.unique() if column.covers(int(time))]
        expected = panel.loc[times.isin(covered), name]
        rows[name] = {
            "cells": len(expected),
            "missing": int(expected.isna().sum()),
            "minimum": expected.min(),
            "maximum": expected.max(),
            "jumps": int((jumps["column"] == name).sum()),
            "breaks": int((breaks["column"] == name).sum()),
            "vintage": column.vintage or "",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic")


def _place(study: Study, column: str, when: str) -> str:
    return f"{study.folder / study.columns[column].file}, column {column}, {when}"
