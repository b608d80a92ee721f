"""Checks on a panel, the declared rules for missing figures, derived columns, and their description."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.reading.statistics import covered_times
from helpers.study.formula import Formula, parse_formula
from helpers.study.formula_values import evaluate
from helpers.study.study import Column, MissingRule, Regions, Study, Time


class Treated(NamedTuple):
    """A panel after the rules for missing figures.

    Attributes
    ----------
    panel
        A new panel; dropped entities and times are gone.
    filled
        One row per treated cell: column, entity, time, rule, value (NaN where the row was dropped), reason.
    """

    panel: pd.DataFrame
    filled: pd.DataFrame


def check_keys(panel: pd.DataFrame) -> None:
    """Stop unless the index is entity and time, complete, unique and sorted.

    Raises
    ------
    StudyError
        Naming the first entity and time that stand twice.
    """
    if panel.index.nlevels != 2:
        raise StudyError(
            "panel", f"the index has {panel.index.nlevels} level(s), not entity and time", "set both as index"
        )
    if any(panel.index.get_level_values(level).isna().any() for level in (0, 1)):
        raise StudyError("panel", "a row has no entity or no time", "fill in the key, or remove the row")
    twice = panel.index[panel.index.duplicated()]
    if len(twice):
        raise StudyError(f"panel, {_cell(panel, twice[0])}", "the row stands twice", "keep one row per entity and time")
    if not panel.index.is_monotonic_increasing:
        raise StudyError("panel", "the rows are not sorted by entity and time", "sort the panel by its index")


def check_panel(panel: pd.DataFrame, units: pd.DataFrame, study: Study) -> None:
    """Stop unless there are at least two entities, two times, and a member in every region.

    Parameters
    ----------
    panel
        The panel that is analysed.
    units
        The entities, from :func:`helpers.reading.statistics.read_units`.
    study
        Whose groupings are checked.

    Raises
    ------
    StudyError
        Naming what there is too little of, an entity without a region, or a region without members.
    """
    check_keys(panel)
    for level in (0, 1):
        name, found = panel.index.names[level], panel.index.get_level_values(level).unique()
        if len(found) < 2:
            raise StudyError("panel", f"{len(found)} {name} is too few, at least two are needed", f"add a {name}")
    for grouping in study.regions.values():
        _check_regions(panel.index.get_level_values(0).unique(), units, grouping)


def check_coverage(panel: pd.DataFrame, columns: Mapping[str, Column], time: Time) -> pd.DataFrame:
    """List the gaps: cells that must hold a figure (times that are read, within the statistic's span) and do not.

    Returns
    -------
    DataFrame
        Columns column, entity, time; one row per gap, in the order of ``columns``, then of the rows.
    """
    times = panel.index.get_level_values(1)
    parts = []
    for name, column in columns.items():
        needed = times.isin(covered_times(column, time.read))
        rows = panel.index[needed & panel[name].isna().to_numpy()]
        parts.append(_cells_table(name, rows))
    return pd.concat(parts, ignore_index=True) if parts else _cells_table("", panel.index[:0])


def check_ranges(panel: pd.DataFrame, columns: Mapping[str, Column], where: str = "panel") -> None:
    """Stop at the first column with a figure that is infinite or outside its declared minimum and maximum.

    Raises
    ------
    StudyError
        Naming column, entity, time, the figure and the bound.
    """
    for name, span in columns.items():
        values = panel[name].to_numpy(dtype=float)
        low = -np.inf if span.minimum is None else span.minimum
        high = np.inf if span.maximum is None else span.maximum
        for bad, rule in (
            (np.isinf(values), "is infinite"),
            (values < low, f"is below the minimum {low:g}"),
            (values > high, f"is above the maximum {high:g}"),
        ):
            if bad.any():
                at = int(np.argmax(bad))
                more = f" (and {int(bad.sum()) - 1} more)" if bad.sum() > 1 else ""
                raise StudyError(
                    f"{where}, column {name}, {_cell(panel, panel.index[at])}{more}",
                    f"{values[at]:g} {rule}",
                    "correct the figure or its unit, or the bounds in the study file",
                )


def apply_missing_rules(
    panel: pd.DataFrame,
    rules: Sequence[MissingRule],
    gaps: pd.DataFrame,
    uncovered: Literal["stop", "drop"] = "stop",
) -> Treated:
    """Treat gaps by the declared rules, in their order, and by nothing else.

    ``interpolate`` is linear in time between two known figures of the entity; ``carry`` repeats the entity's last known
    figure; ``zero`` writes 0 where none can be; ``drop_entity`` and ``drop_time`` take away the rows of every entity or
    time with a gap; ``multiple_imputation`` leaves its gaps to :mod:`helpers.robustness.imputed` and is no cover here.

    Parameters
    ----------
    panel
        The raw statistics.
    rules
        Declared rules.
    gaps
        From :func:`check_coverage`.
    uncovered
        What becomes of a gap that no rule covers: ``stop``, or ``drop`` where the study drops such rows from its sample
        (:mod:`helpers.cleaning.sample` does, and counts them).

    Raises
    ------
    StudyError
        When a rule names what is not there or finds nothing to do, and when a gap is left that no rule covers.
    """
    panel, records = panel.copy(), []
    for rule in rules:
        _check_rule(panel, rule)
        values, cells = _treat(panel, rule, gaps)
        if not cells.any():
            raise StudyError(
                f"missing, rule {rule.rule} for {rule.column}",
                "it finds no missing figure that it can treat",
                "take the rule out, or correct its entities and times",
            )
        if rule.rule == "multiple_imputation":
            continue
        record = _cells_table(rule.column, panel.index[cells])
        records.append(record.assign(rule=rule.rule, value=values.to_numpy()[cells], reason=rule.reason.en))
        if rule.rule in ("drop_entity", "drop_time"):
            level = panel.index.get_level_values(0 if rule.rule == "drop_entity" else 1)
            panel = panel[~level.isin(level[cells].unique())]
        else:
            panel[rule.column] = panel[rule.column].where(~cells, values)
    if uncovered == "stop":
        _check_no_gap(panel, gaps)
    empty = pd.DataFrame(columns=["column", "entity", "time", "rule", "value", "reason"])
    return Treated(panel, pd.concat(records, ignore_index=True) if records else empty)


def derive(
    panel: pd.DataFrame, formulas: Mapping[str, Formula | str], sample: pd.Series[bool] | None = None
) -> pd.DataFrame:
    """Work out derived columns; every formula sees the columns of ``panel`` alone.

    Parameters
    ----------
    panel
        The statistics.
    formulas
        Name of each derived column with its formula.
    sample
        The rows over which ``standardise`` works, from :func:`helpers.cleaning.sample.mark_sample`; all by default.

    Returns
    -------
    DataFrame
        Rows of ``panel``, one float column per formula.

    Raises
    ------
    StudyError
        From :func:`helpers.study.formula.parse_formula` and :func:`helpers.study.formula_values.evaluate`.
    """
    read = {name: parse_formula(item, name) if isinstance(item, str) else item for name, item in formulas.items()}
    return pd.DataFrame({name: evaluate(item, panel, sample) for name, item in read.items()}, index=panel.index)


def describe(panel: pd.DataFrame) -> pd.DataFrame:
    """Describe every column of a panel.

    With x_it the figure, x_i. the entity's mean and x.. the mean of all figures: ``sd`` is over all figures,
    ``between_sd`` over the entity means x_i., ``within_sd`` over x_it - x_i. + x.. (each with n - 1), as Stata's xtsum.

    Parameters
    ----------
    panel
        Float columns, index entity then time; missing figures are left out.

    Returns
    -------
    DataFrame
        One row per column of ``panel``: n, mean, sd, min, p25, median, p75, max, between_sd, within_sd.
    """
    entities = panel.groupby(level=0)
    quantiles = panel.quantile([0.25, 0.5, 0.75]).T
    return pd.DataFrame(
        {
            "n": panel.count(),
            "mean": panel.mean(),
            "sd": panel.std(ddof=1),
            "min": panel.min(),
            "p25": quantiles[0.25],
            "median": quantiles[0.5],
            "p75": quantiles[0.75],
            "max": panel.max(),
            "between_sd": entities.mean().std(ddof=1),
            "within_sd": (panel - entities.transform("mean")).std(ddof=1),
        }
    )


def coverage_table(panel: pd.DataFrame, columns: Collection[str]) -> pd.DataFrame:
    """Share of entities with a figure.

    Returns
    -------
    DataFrame
        One row per name in ``columns``, one column per time, values in [0, 1].
    """
    entities = panel.index.get_level_values(0).nunique()
    return panel[list(columns)].notna().groupby(level=1).sum().T / entities


def _check_regions(entities: pd.Index, units: pd.DataFrame, grouping: Regions) -> None:
    where = f"units file, column {grouping.column}"
    if grouping.column not in units.columns:
        raise StudyError(where, "there is no such column", f"use one of: {', '.join(units.columns)}")
    found = units[grouping.column].reindex(entities)
    regions = found.map(grouping.group)
    outside = found[~regions.isin(grouping.order) & ~found.isin(grouping.left_out)]
    if len(outside):
        declared = grouping.order if grouping.values is None else tuple(grouping.values)
        raise StudyError(
            f"{where}, {outside.index[0]}",
            f"its region is '{outside.iloc[0]}', which is not declared",
            f"use one of: {', '.join(declared)}",
        )
    empty = [region for region in grouping.order if region not in set(regions)]
    if empty:
        raise StudyError(where, f"the region '{empty[0]}' has no members", "assign entities to it, or take it out")


def _check_rule(panel: pd.DataFrame, rule: MissingRule) -> None:
    where = f"missing, rule {rule.rule} for {rule.column}"
    if rule.column not in panel.columns:
        raise StudyError(where, f"there is no column '{rule.column}'", "name a declared column")
    for level, named in ((0, rule.entities), (1, rule.times)):
        known = set(panel.index.get_level_values(level))
        unknown = [str(item) for item in named or () if item not in known]
        if unknown:
            raise StudyError(
                where, f"there is no {panel.index.names[level]} {', '.join(unknown)} in the panel", "correct the name"
            )


def _treat(panel: pd.DataFrame, rule: MissingRule, gaps: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """The column as the rule would have it, and the gaps that the rule is for and can treat."""
    column = panel[rule.column]
    cells = panel.index.isin(_rows(gaps[gaps["column"] == rule.column])) & column.isna().to_numpy()
    for level, named in ((0, rule.entities), (1, rule.times)):
        if named is not None:
            cells &= panel.index.get_level_values(level).isin(named)
    match rule.rule:
        case "interpolate":
            values = evaluate(parse_formula(f"interpolate({rule.column})"), panel)
        case "carry":
            values = column.groupby(level=0).ffill()
        case "zero":
            values = column.fillna(0.0)
        case _:
            return column, cells
    return values, cells & values.notna().to_numpy()


def _check_no_gap(panel: pd.DataFrame, gaps: pd.DataFrame) -> None:
    told = []
    for name, part in gaps.groupby("column", sort=False):
        left = panel.index[panel.index.isin(_rows(part)) & panel[name].isna().to_numpy()]
        if len(left):
            entities, times = (_few(left.get_level_values(level).unique()) for level in (0, 1))
            told.append(f"{name} ({len(left)} cells: {entities}; {times})")
    if told:
        more = f" and {len(told) - 3} more columns" if len(told) > 3 else ""
        raise StudyError(
            f"panel, column {told[0].split(' ')[0]}",
            f"figures are missing and no rule covers them: {', '.join(told[:3])}{more}",
            "fill in the raw file, declare a rule under missing, or narrow the statistic with first and last",
        )


def _cells_table(column: str, rows: pd.Index) -> pd.DataFrame:
    return pd.DataFrame({"column": column, "entity": rows.get_level_values(0), "time": rows.get_level_values(1)})


def _rows(cells: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(cells[["entity", "time"]])


def _few(items: Collection[Any]) -> str:
    shown = [str(item) for item in list(items)[:4]]
    return ", ".join(shown) + (f" and {len(items) - 4} more" if len(items) > 4 else "")


def _cell(panel: pd.DataFrame, row: tuple[Any, Any]) -> str:
    return ", ".join(f"{name} {part}" for name, part in zip(panel.index.names, row, strict=True))
