"""A dynamic panel model laid out as moments: equations in differences, and for the system estimator in levels too.

Rows of one entity: the differenced equation at each time, then (system) the level equation at each time. A row with a
missing figure is zero throughout, which takes it out of every sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.effects import Floats

Lags = tuple[int, int | None]


@dataclass(frozen=True)
class Moments:
    """G entities, R rows each, k coefficients, L instruments.

    Attributes
    ----------
    outcome
        (G, R).
    regressors
        (G, R, k).
    instruments
        (G, R, L).
    weight
        (R, R): covariance of the rows' errors, up to a factor, when errors in levels are independent and alike.
    used
        Booleans (G, R): rows without a missing figure.
    n_differences
        How many of the rows are differenced; they come first.
    names
        k names of the coefficients.
    """

    outcome: Floats
    regressors: Floats
    instruments: Floats
    weight: Floats
    used: np.ndarray
    n_differences: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class DynamicDesign:
    """What the model is; see `helpers.identification.dynamic.fit_dynamic`."""

    outcome: str
    exogenous: tuple[str, ...]
    predetermined: tuple[str, ...]
    lags: int
    outcome_lags: Lags
    predetermined_lags: Lags
    time_effects: bool
    system: bool
    collapse: bool


def build_moments(data: pd.DataFrame, design: DynamicDesign) -> Moments:
    """Lay out the equations and their instruments.

    Parameters
    ----------
    data
        Panel; a missing row or figure leaves out the equations that need it.
    design
        The model.

    Raises
    ------
    StudyError
        A column that is not there, times that are not consecutive, or too few of them.
    """
    grids = _read_grids(data, design)
    times = next(iter(grids.values())).shape[1]
    first = design.lags + 1
    if times <= first + 1:
        raise StudyError(
            f"dynamic model of {design.outcome}", f"{times} times leave no equation with instruments", "use fewer lags"
        )
    levels = _level_columns(grids, design, times)
    outcome, regressors = grids[design.outcome][:, :, None], np.concatenate(list(levels.values()), axis=2)
    stacked = np.concatenate([outcome, regressors], axis=2)
    differences = (stacked[:, 1:] - stacked[:, :-1])[:, first - 1 :]
    rows = [differences, stacked[:, first - 1 :]] if design.system else [differences]
    together = np.concatenate(rows, axis=1)
    used = np.isfinite(together).all(axis=2)
    instruments = _instruments(grids, design, levels, first, times)
    together, instruments = (np.where(used[:, :, None], np.nan_to_num(cube), 0.0) for cube in (together, instruments))
    keep = np.abs(instruments).sum(axis=(0, 1)) > 0
    return Moments(
        outcome=together[:, :, 0],
        regressors=together[:, :, 1:],
        instruments=instruments[:, :, keep],
        weight=_error_weight(times - first, design.system),
        used=used,
        n_differences=times - first,
        names=tuple(levels),
    )


def _read_grids(data: pd.DataFrame, design: DynamicDesign) -> dict[str, Floats]:
    """Each column as entities x times, missing where the panel has no row."""
    for name in (design.outcome, *design.exogenous, *design.predetermined):
        if name not in data.columns:
            raise StudyError(f"panel, column {name}", "there is no such column", f"use one of {list(data.columns)}")
    times = np.sort(data.index.get_level_values(1).unique())
    if len(times) < 3 or (np.diff(times) != 1).any():
        raise StudyError(
            f"dynamic model of {design.outcome}", "the times are not consecutive, so that lags skip", "use yearly rows"
        )
    names = (design.outcome, *design.exogenous, *design.predetermined)
    return {name: data[name].unstack(level=1).sort_index().to_numpy(dtype=float) for name in names}


def _level_columns(grids: dict[str, Floats], design: DynamicDesign, times: int) -> dict[str, Floats]:
    """Regressors in levels, each (G, T, 1), by name."""
    shape = grids[design.outcome].shape
    columns = {f"lag{lag}_{design.outcome}": _lagged(grids[design.outcome], lag) for lag in range(1, design.lags + 1)}
    columns |= {name: grids[name] for name in (*design.exogenous, *design.predetermined)}
    if design.time_effects:
        marks = np.eye(times)
        columns |= {f"time_{t}": np.broadcast_to(marks[t], shape) for t in range(design.lags + 1, times)}
    if design.system:
        columns["const"] = np.ones(shape)
    return {name: grid[:, :, None] for name, grid in columns.items()}


def _lagged(grid: Floats, lag: int) -> Floats:
    shifted = np.full_like(grid, np.nan)
    shifted[:, lag:] = grid[:, : grid.shape[1] - lag]
    return shifted


def _instruments(
    grids: dict[str, Floats], design: DynamicDesign, levels: dict[str, Floats], first: int, times: int
) -> Floats:
    """All instruments (G, R, L): lagged levels for differences, lagged differences for levels, and the exogenous."""
    groups = [(design.outcome, design.outcome_lags)] + [
        (name, design.predetermined_lags) for name in design.predetermined
    ]
    blocks = []
    for name, lags in groups:
        block = _lagged_levels(grids[name], lags, first, times, design.collapse)
        blocks.append(_stack(block, np.zeros((len(block), times - first + 1, block.shape[2])), design.system))
        if design.system:
            late = _lagged_differences(grids[name], lags[0] - 1, first, design.collapse)
            blocks.append(_stack(np.zeros((len(late), times - first, late.shape[2])), late, True))
    own = [name for name in levels if name in design.exogenous or name.startswith("time_") or name == "const"]
    for name in own:
        grid = levels[name]
        blocks.append(_stack((grid[:, 1:] - grid[:, :-1])[:, first - 1 :], grid[:, first - 1 :], design.system))
    return np.concatenate([np.nan_to_num(block) for block in blocks], axis=2)


def _stack(differences: Floats, levels: Floats, system: bool) -> Floats:
    return np.concatenate([differences, levels], axis=1) if system else differences


def _lagged_levels(grid: Floats, lags: Lags, first: int, times: int, collapse: bool) -> Floats:
    """Instruments (G, T - first, L) of the differenced equations: x at t - lag, by time unless collapsed."""
    most = times - 1 if lags[1] is None else lags[1]
    columns: list[Floats] = []
    for lag in range(lags[0], most + 1):
        column = np.nan_to_num(_lagged(grid, lag))[:, first:] if lag < times else np.zeros((len(grid), times - first))
        columns += [column] if collapse else _apart(column)
    return np.stack(columns, axis=2)


def _lagged_differences(grid: Floats, lag: int, first: int, collapse: bool) -> Floats:
    """Instruments (G, T - first + 1, L) of the level equations: the change of x at t - lag."""
    change = np.full_like(grid, np.nan)
    change[:, 1:] = grid[:, 1:] - grid[:, :-1]
    column = np.nan_to_num(_lagged(change, lag) if lag else change)[:, first - 1 :]
    return np.stack([column] if collapse else _apart(column), axis=2)


def _apart(column: Floats) -> list[Floats]:
    """One column for each time, zero elsewhere."""
    return [np.where(np.arange(column.shape[1]) == t, column, 0.0) for t in range(column.shape[1])]


def _error_weight(n_differences: int, system: bool) -> Floats:
    """M M', M the map from errors in levels to the errors of the rows."""
    differences = np.diff(np.eye(n_differences + 1), axis=0)
    rows: Sequence[Floats] = [differences, np.eye(n_differences + 1)] if system else [differences]
    maps = np.concatenate(rows)
    return np.asarray(maps @ maps.T)
