"""The instruments that a study declares, built from its figures, and the regressions with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.cleaning.gaps import derive
from helpers.errors import StudyError
from helpers.identification.instruments import InstrumentedFit, fit_instrumented
from helpers.index.composite import composite_index
from helpers.study.model import Model

if TYPE_CHECKING:
    from helpers.study.study import Instrument, Study


def build_instruments(panel: pd.DataFrame, study: Study, statistics: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Every instrument that the study file declares, as a column by the panel's rows; no column where it declares none.

    Parameters
    ----------
    panel
        Panel with the treatment.
    study
        The study.
    statistics
        The raw statistics, with the times before the window that initial levels need.
    units
        One row per entity, indexed by entity.

    Raises
    ------
    StudyError
        An instrument that cannot be built.
    """
    treatment = panel[study.specification.treatment]
    columns = {}
    for name, declared in study.instruments.items():
        if declared.kind == "leave_one_out_mean":
            columns[name] = others_mean(treatment, _groups(name, declared, units))
        else:
            level = _initial_level(name, declared, study, statistics)
            everyone = pd.Series("all", index=level.index)
            columns[name] = _by_entity(panel, level, name) * others_mean(treatment, everyone)
    return pd.DataFrame(columns, index=panel.index)


def fit_each(panel: pd.DataFrame, model: Model, columns: pd.DataFrame) -> dict[str, InstrumentedFit]:
    """A model with each instrument alone, and with "all" of them where there are several.

    Parameters
    ----------
    panel
        Panel with the model's columns.
    model
        The model.
    columns
        The instruments, by the panel's rows.
    """
    names = list(columns.columns)
    sets = {str(name): [name] for name in names} | ({"all": names} if len(names) > 1 else {})
    joined = panel[list(model.columns)].join(columns)
    return {key: fit_instrumented(joined, model, chosen) for key, chosen in sets.items()}


def others_mean(column: pd.Series, groups: pd.Series) -> pd.Series:
    """Mean of a column over the other entities of the same group at the same time.

    Parameters
    ----------
    column
        By (entity, time).
    groups
        Group of each entity, indexed by entity.

    Raises
    ------
    StudyError
        An entity without a group, or alone in it at some time.
    """
    entity, time = (column.index.get_level_values(level) for level in (0, 1))
    group = pd.Series(groups.reindex(entity).to_numpy(), index=column.index)
    if group.isna().any():
        raise StudyError(
            f"entity {entity[group.isna()][0]}", "it has no group", "complete the column of the units file"
        )
    by = column.groupby([group.to_numpy(), time.to_numpy()])
    count = by.transform("size")
    if (count < 2).any():
        where = column.index[count < 2][0]
        raise StudyError(f"{where[0]}, {where[1]}", "there is no other entity in its group", "use a coarser grouping")
    return (by.transform("sum") - column) / (count - 1)


def _groups(name: str, declared: Instrument, units: pd.DataFrame) -> pd.Series:
    if declared.group not in units.columns:
        raise StudyError(
            f"instrument {name}, group {declared.group}",
            "the units have no such column",
            f"use one of {list(units.columns)}",
        )
    return units[declared.group]


def _initial_level(name: str, declared: Instrument, study: Study, statistics: pd.DataFrame) -> pd.Series:
    """The treatment of each entity at the declared time; an index is built over that time's rows alone."""
    treatment = study.specification.treatment
    at = statistics.index.get_level_values(1) == declared.time
    if not at.any():
        raise StudyError(
            f"instrument {name}, time {declared.time}",
            "no statistics are read for it",
            "set time.read_from in the study file",
        )
    index = study.indices.get(treatment)
    formulas = (
        {key: item.formula for key, item in index.indicators.items()}
        if index
        else {treatment: study.formulas[treatment]}
    )
    derived = derive(statistics, formulas)[at]
    if derived.isna().any().any():
        gap = derived.isna().stack()
        entity, _, column = gap.index[int(np.argmax(gap.to_numpy()))]
        raise StudyError(
            f"instrument {name}, {column}, {entity}, {declared.time}", "the figure is missing", "use another time"
        )
    level = composite_index(derived, index).values if index else derived[treatment]
    return level.droplevel(1)


def _by_entity(panel: pd.DataFrame, level: pd.Series, name: str) -> pd.Series:
    entity = panel.index.get_level_values(0)
    spread = pd.Series(level.reindex(entity).to_numpy(), index=panel.index, dtype=float)
    if spread.isna().any():
        raise StudyError(
            f"instrument {name}, {entity[spread.isna()][0]}", "it has no initial level", "use another time"
        )
    return spread
