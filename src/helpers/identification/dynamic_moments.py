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
from helpers.study.model import Model

Lags = tuple[int, int | None]


@dataclass(frozen=True)
class Layout:
    """Which moments a dynamic model is estimated from.

    Attributes
    ----------
    predetermined
        Regressors that earlier errors may touch, instrumented by their lags from `predetermined_lags[0]` on: 1 when
        only earlier errors do, 2 when the error of the same time does too. The other regressors are untouched by any
        error and are instruments themselves, by their differences and in a system by their levels too: there they must
        be unrelated to the entity's effect.
    external
        Columns that are instruments but no regressors: their differences in the differenced equation, their levels in
        the level equation.
    lags
        Lags of the outcome among the regressors.
    outcome_lags, predetermined_lags
        First and last lag used as instruments; None for all there are.
    system
        Add the level equations.
    collapse
        One instrument for each lag, not for each lag and time: with few entities their number must be held down.
    """

    predetermined: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    lags: int = 1
    outcome_lags: Lags = (2, None)
    predetermined_lags: Lags = (1, None)
    system: bool = False
    collapse: bool = True


@dataclass(frozen=True)
class Moments:
    """G entities, R rows each, k coefficients, L instruments; every column brought to length one.

    Only so does no rank and no generalised inverse depend on the unit of a column.

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
    to_units
        (k, k): coefficients on these columns -> coefficients in the units of the panel.
    """

    outcome: Floats
    regressors: Floats
    instruments: Floats
    weight: Floats
    used: np.ndarray
    n_differences: int
    names: tuple[str, ...]
    to_units: Floats


def build_moments(data: pd.DataFrame, model: Model, layout: Layout) -> Moments:
    """Lay out the equations and their instruments.

    Parameters
    ----------
    data
        Panel; a missing row or figure leaves out the equations that need it.
    model
        Outcome, regressors, and whether there is an effect of each time; effects of entities are always there.
    layout
        The instruments.

    Raises
    ------
    StudyError
        A column that is not there, times that are not consecutive, or too few of them; an external instrument with a
        gap in a row that is used.
    """
    grids, means = _read_grids(data, model, layout)
    times = next(iter(grids.values())).shape[1]
    first = layout.lags + 1
    if times <= first + 1:
        raise StudyError(
            f"dynamic model of {model.outcome}", f"{times} times leave no equation with instruments", "use fewer lags"
        )
    levels = _level_columns(grids, model, layout, times)
    outcome, regressors = grids[model.outcome][:, :, None], np.concatenate(list(levels.values()), axis=2)
    stacked = np.concatenate([outcome, regressors], axis=2)
    differences = (stacked[:, 1:] - stacked[:, :-1])[:, first - 1 :]
    rows = [differences, stacked[:, first - 1 :]] if layout.system else [differences]
    together = np.concatenate(rows, axis=1)
    used = np.isfinite(together).all(axis=2)
    instruments = _instruments(grids, model, layout, levels, times)
    together, instruments = (np.where(used[:, :, None], np.nan_to_num(cube), 0.0) for cube in (together, instruments))
    together, lengths = _to_unit_length(together)
    instruments, own = _to_unit_length(instruments)
    return Moments(
        outcome=together[:, :, 0],
        regressors=together[:, :, 1:],
        instruments=instruments[:, :, own > 0],
        weight=_error_weight(times - first, layout.system),
        used=used,
        n_differences=times - first,
        names=tuple(levels),
        to_units=_to_units(tuple(levels), lengths, means),
    )


def _to_unit_length(cube: Floats) -> tuple[Floats, Floats]:
    """Columns of length one (those of zeros as they are), and the lengths that they had."""
    largest = np.abs(cube).max(axis=(0, 1))
    safe = np.where(largest > 0, largest, 1.0)
    lengths = safe * np.sqrt(np.sum((cube / safe) ** 2, axis=(0, 1)))
    return cube / np.where(lengths > 0, lengths, 1.0), lengths


def _to_units(names: tuple[str, ...], lengths: Floats, means: dict[str, float]) -> Floats:
    """The matrix (k, k) that brings coefficients back to the units and origins of the columns."""
    back = np.diag(np.where(lengths[1:] > 0, lengths[0] / np.where(lengths[1:] > 0, lengths[1:], 1.0), 1.0))
    if "const" in names:
        row = names.index("const")
        for name, mean in means.items():
            column = names.index(name)
            back[row, column] -= mean * back[column, column]
    return np.asarray(back)


def _read_grids(data: pd.DataFrame, model: Model, layout: Layout) -> tuple[dict[str, Floats], dict[str, float]]:
    """Each column as entities x times, missing where the panel has no row; and the means that were taken off.

    What is instrumented by itself loses its mean, which differences and the intercept take off anyway.
    """
    names = tuple(dict.fromkeys((*model.columns, *layout.predetermined, *layout.external)))
    for name in names:
        if name not in data.columns:
            raise StudyError(f"panel, column {name}", "there is no such column", f"use one of {list(data.columns)}")
    times = np.sort(data.index.get_level_values(1).unique())
    if len(times) < 3 or (np.diff(times) != 1).any():
        raise StudyError(
            f"dynamic model of {model.outcome}", "the times are not consecutive, so that lags skip", "use yearly rows"
        )
    if data[list(layout.external)].isna().any(axis=None):
        raise StudyError(
            f"external instruments {', '.join(layout.external)}", "some figures are missing", "leave out those rows"
        )
    grids = {name: data[name].unstack(level=1).sort_index().to_numpy(dtype=float) for name in names}
    means = {name: float(np.nanmean(grids[name])) for name in exogenous(model, layout)}
    taken = means | {name: float(np.nanmean(grids[name])) for name in layout.external}
    return grids | {name: grids[name] - mean for name, mean in taken.items()}, means


def exogenous(model: Model, layout: Layout) -> tuple[str, ...]:
    """The regressors that are instruments themselves."""
    return tuple(name for name in model.regressors if name not in layout.predetermined)


def _level_columns(grids: dict[str, Floats], model: Model, layout: Layout, times: int) -> dict[str, Floats]:
    """Regressors in levels, each (G, T, 1), by name."""
    shape = grids[model.outcome].shape
    columns = {f"lag{lag}_{model.outcome}": _lagged(grids[model.outcome], lag) for lag in range(1, layout.lags + 1)}
    columns |= {name: grids[name] for name in (*exogenous(model, layout), *layout.predetermined)}
    if model.time_effects:
        marks = np.eye(times)
        columns |= {f"time_{t}": np.broadcast_to(marks[t], shape) for t in range(layout.lags + 1, times)}
    if layout.system:
        columns["const"] = np.ones(shape)
    return {name: grid[:, :, None] for name, grid in columns.items()}


def _lagged(grid: Floats, lag: int) -> Floats:
    shifted = np.full_like(grid, np.nan)
    shifted[:, lag:] = grid[:, : grid.shape[1] - lag]
    return shifted


def _instruments(
    grids: dict[str, Floats], model: Model, layout: Layout, levels: dict[str, Floats], times: int
) -> Floats:
    """All instruments (G, R, L): lagged levels for differences, lagged differences for levels, and the exogenous."""
    first = layout.lags + 1
    groups = [
        (model.outcome, layout.outcome_lags),
        *((name, layout.predetermined_lags) for name in layout.predetermined),
    ]
    blocks = []
    for name, lags in groups:
        block = _lagged_levels(grids[name], lags, first, times, layout.collapse)
        blocks.append(_stack(block, np.zeros((len(block), times - first + 1, block.shape[2])), layout.system))
        if layout.system:
            late = _lagged_differences(grids[name], lags[0] - 1, first, layout.collapse)
            blocks.append(_stack(np.zeros((len(late), times - first, late.shape[2])), late, True))
    lagged = {f"lag{lag}_{model.outcome}" for lag in range(1, layout.lags + 1)}
    own = [grid for name, grid in levels.items() if name not in lagged and name not in layout.predetermined]
    for grid in (*own, *(grids[name][:, :, None] for name in layout.external)):
        blocks.append(_stack((grid[:, 1:] - grid[:, :-1])[:, first - 1 :], grid[:, first - 1 :], layout.system))
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
