"""What the figures must keep to: keys, types, ranges, series, vintages and identities.

Errors stop the run; warnings are listed and counted, and stand in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.cleaning import series
from helpers.cleaning.formula import evaluate, parse_formula
from helpers.cleaning.gaps import check_ranges
from helpers.errors import StudyError

if TYPE_CHECKING:
    from helpers.study.study import Identity, Study

# A median change, or a change of a single figure, by such a factor is another unit and no event.
UNIT_OF_PERIOD, UNIT_OF_FIGURE = 20.0, 1000.0


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
    """

    statistics: pd.DataFrame
    jumps: pd.DataFrame
    breaks: pd.DataFrame
    identities: pd.DataFrame

    @property
    def n_warnings(self) -> int:
        """Number of jumps and breaks."""
        return len(self.jumps) + len(self.breaks)

    def describe(self) -> str:
        """The report in one line."""
        return (
            f"{len(self.statistics)} statistics, {len(self.identities)} identities hold, {self.n_warnings} warnings "
            f"({len(self.jumps)} single figures that jump, {len(self.breaks)} periods that break)"
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
    for error in _series_errors(panel, jumps, breaks, [str(unit) for unit in units.index], study):
        raise error
    rows = [_check_identity(panel, identity, study) for identity in study.contract.identities]
    identities = pd.DataFrame(rows, columns=["identity", "cells", "largest_gap", "at", "tolerance"])
    described = _describe_statistics(panel, jumps, breaks, study)
    return ContractReport(described, jumps, breaks, identities.set_index("identity"))


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


def _series_errors(
    panel: pd.DataFrame, jumps: pd.DataFrame, breaks: pd.DataFrame, order: list[str], study: Study
) -> Iterator[StudyError]:
    entity, time = study.index_names
    unit = "bring all figures of the statistic to one unit"
    for item in breaks.to_dict("records"):
        if not 1 / UNIT_OF_PERIOD < item["ratio"] < UNIT_OF_PERIOD:
            rule = f"the figures are {item['ratio']:.3g} times those before: another unit"
            yield StudyError(_place(study, item["column"], f"{time} {item['time']}"), rule, unit)
    for item in jumps.to_dict("records"):
        ratio = item["figure"] / item["before"]
        most = float("inf") if study.columns[item["column"]].starts_near_zero else UNIT_OF_FIGURE
        if ratio > 0 and not 1 / UNIT_OF_FIGURE < ratio < most:
            where = _place(study, item["column"], f"{entity} {item['entity']}, {time} {item['time']}")
            yield StudyError(where, f"{item['figure']:g} follows {item['before']:g}: another unit", unit)
    moved = series.find_moved_times(panel, order)
    moved += series.find_moved_statistics(panel, order, study.contract.moved_margin)
    for found in moved:
        when = f"{time} {found.time}" if found.time is not None else f"every {time}"
        beside = "related statistics" if found.time is None else "the periods beside"
        yield StudyError(
            _place(study, found.column, when),
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
        expected = panel.loc[[column.covers(int(time)) for time in times], name]
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
