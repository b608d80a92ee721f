"""Checks of the figures that go into a composite index; each error names the column and, where it helps, the row."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.arrays import Floats
from helpers.errors import StudyError

Table = pd.DataFrame | ArrayLike

# A column whose range is within rounding error of its size is constant: 0.1 + 0.2 and 0.3 are one figure.
CONSTANT_TOLERANCE = 1e-12
# Rows laid side by side where a long table is reduced by column: NumPy is several times faster on long rows.
FOLD = 32
BLOCK = 128


@dataclass(frozen=True)
class ColumnExtents:
    """Lowest and highest figure and sum of each column, shape (k,) each."""

    low: Floats
    high: Floats
    total: Floats


def column_names(data: Table) -> list[Hashable]:
    """Names of the columns of `data`; an array without names has "column 1", "column 2", ..."""
    if isinstance(data, pd.DataFrame):
        return list(data.columns)
    return [f"column {number}" for number in range(1, np.asarray(data).shape[1] + 1)]


def row_name(data: Table, row: int) -> str:
    """One row in words: "province Anhui, year 2015" for a panel, "row 3" for an array (counted from 1)."""
    if not isinstance(data, pd.DataFrame) or isinstance(data.index, pd.RangeIndex):
        return f"row {row + 1}"
    label = data.index[row]
    labels = label if isinstance(label, tuple) else (label,)
    return ", ".join(f"{name or 'row'} {part}" for name, part in zip(data.index.names, labels, strict=True))


def check_figures(data: Table) -> Floats:
    """Read a table as numbers, every one finite.

    Parameters
    ----------
    data
        Rows x columns, a DataFrame or anything that NumPy reads as a matrix.

    Returns
    -------
    numpy.ndarray
        Float matrix of the same shape; a view of `data` where that is possible, so never write to it.

    Raises
    ------
    StudyError
        Not a matrix, no row or no column, a name used twice, a text, missing or infinite cell.
    """
    matrix = read_figures(data)
    check_finite(data, matrix, column_extents(matrix))
    return matrix


def read_figures(data: Table) -> Floats:
    """`check_figures` without the look at single cells."""
    if isinstance(data, pd.DataFrame):
        _check_unique_names(data)
        matrix = _numbers_of(data)
    else:
        matrix = _numbers_of_array(data)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise StudyError(
            f"figures of shape {matrix.shape}",
            "an index needs a table with at least one row and one column",
            "give rows (entity-times) by columns (indicators)",
        )
    return matrix


def check_finite(data: Table, matrix: Floats, extents: ColumnExtents) -> None:
    """Stop at a missing or infinite cell; it shows in the sum of its column.

    Raises
    ------
    StudyError
        Names the column and the row.
    """
    for column in np.flatnonzero(~np.isfinite(extents.total)):
        _check_finite_column(data, matrix[:, column], column_names(data)[column])


def _check_unique_names(data: pd.DataFrame) -> None:
    twice = data.columns[data.columns.duplicated()]
    if len(twice):
        raise StudyError(f"column {twice[0]}", "the name is used twice", "give every indicator a name of its own")


def _numbers_of(data: pd.DataFrame) -> Floats:
    for name, kind in data.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise StudyError(
                f"column {name}", "it holds text where numbers are needed", "correct the cells in the raw file"
            )
    return data.to_numpy(dtype=float)


def _numbers_of_array(data: ArrayLike) -> Floats:
    try:
        return np.asarray(data, dtype=float)
    except (TypeError, ValueError) as error:
        raise StudyError("figures", f"they are not a table of numbers ({error})", "give one number per cell") from None


def _check_finite_column(data: Table, column: Floats, name: Hashable) -> None:
    missing = np.flatnonzero(np.isnan(column))
    if len(missing) == len(column):
        raise StudyError(f"column {name}", "every cell is missing", "take the indicator out or supply its figures")
    if len(missing):
        raise StudyError(
            f"column {name}, {row_name(data, missing[0])}",
            f"{len(missing)} of {len(column)} cells are missing; an index does not fill gaps",
            "declare a rule for the gap in the study file or take the indicator out",
        )
    infinite = np.flatnonzero(np.isinf(column))
    if len(infinite):
        raise StudyError(
            f"column {name}, {row_name(data, infinite[0])}",
            "the figure is infinite",
            "look for a division by zero in the indicator's formula",
        )
    raise StudyError(f"column {name}", "its sum is larger than a number can be", "use a larger unit")


def column_extents(matrix: Floats) -> ColumnExtents:
    """Lowest and highest figure and sum of each column of an n x k matrix, in one walk through memory."""
    # A column with a missing or infinite cell has such a sum, which is what `check_finite` looks for.
    with np.errstate(invalid="ignore", over="ignore"):
        return _measure_columns(matrix)


def _measure_columns(matrix: Floats) -> ColumnExtents:
    rows, columns = matrix.shape
    if not matrix.flags.c_contiguous or rows < FOLD * BLOCK:
        return ColumnExtents(matrix.min(axis=0), matrix.max(axis=0), matrix.sum(axis=0))
    folded = rows - rows % FOLD
    wide = matrix[:folded].reshape(-1, FOLD * columns)
    blocks = [wide[start : start + BLOCK] for start in range(0, len(wide), BLOCK)]
    parts = [(block.min(axis=0), block.max(axis=0), block.sum(axis=0)) for block in blocks]
    low, high, total = (np.array(part).reshape(-1, columns) for part in zip(*parts, strict=True))
    rest = matrix[folded:]
    return ColumnExtents(
        np.vstack([low, rest]).min(axis=0), np.vstack([high, rest]).max(axis=0), total.sum(axis=0) + rest.sum(axis=0)
    )


def check_no_constant(data: Table, extents: ColumnExtents) -> None:
    """Stop at a column that does not vary; it has no scale and no information.

    Raises
    ------
    StudyError
        Names the column and its one value; an all-zero column is told apart.
    """
    low, high = extents.low, extents.high
    constant = high - low <= CONSTANT_TOLERANCE * np.maximum(np.abs(low), np.abs(high))
    if constant.any():
        column = int(np.flatnonzero(constant)[0])
        value = "all its cells are 0" if high[column] == 0 else f"it is constant ({high[column]:g} in every row)"
        raise StudyError(
            f"column {column_names(data)[column]}",
            f"{value}, so it cannot be scaled or weighted",
            "take the indicator out of the index or correct its figures",
        )


def check_no_negative(data: Table, matrix: Floats, extents: ColumnExtents, method: str) -> None:
    """Stop at the first negative cell, for methods that need shares of a total.

    Raises
    ------
    StudyError
        Names the column, the row and the value.
    """
    negative = extents.low < 0
    if negative.any():
        column = int(np.flatnonzero(negative)[0])
        row = int(np.argmax(matrix[:, column] < 0))
        raise StudyError(
            f"column {column_names(data)[column]}, {row_name(data, row)}",
            f"{matrix[row, column]:g} is negative, and {method} needs figures of 0 or more",
            "scale by min-max, declare score_range, or choose another method",
        )


def like(frame: Table, matrix: Floats) -> Any:
    """`matrix` with the labels of `frame` where it has any."""
    if isinstance(frame, pd.DataFrame):
        return pd.DataFrame(matrix, index=frame.index, columns=frame.columns)
    return matrix


def check_index_rows(figures: pd.DataFrame) -> None:
    """Stop where the rows are not those of a panel of two entities or more.

    Raises
    ------
    StudyError
        The index has not two levels, a row is there twice, or there is one entity.
    """
    if figures.index.nlevels != 2:
        raise StudyError("the panel", "its rows are not labelled by entity and time", "set an index of these two")
    if not figures.index.is_unique:
        row = int(np.argmax(figures.index.duplicated()))
        raise StudyError(row_name(figures, row), "the row is there twice", "keep one of the two")
    entities = figures.index.get_level_values(0).unique()
    if len(entities) < 2:
        raise StudyError(
            f"the panel, {figures.index.names[0] or 'entity'} {', '.join(map(str, entities))}",
            "an index compares entities and needs two or more",
            "give more entities",
        )


def check_enough(matrix: Floats | pd.DataFrame, method: str) -> None:
    """Stop where weights have nothing to compare: one row or one column.

    Raises
    ------
    StudyError
        Fewer than two rows or fewer than two columns.
    """
    check_enough_rows(matrix, method)
    if matrix.shape[1] < 2:
        raise StudyError(
            "figures of 1 indicator",
            f"{method} compares indicators and needs two or more",
            "add an indicator, or use the scaled column itself",
        )


def check_enough_rows(matrix: Floats | pd.DataFrame, method: str) -> None:
    """Stop where there is one row only.

    Raises
    ------
    StudyError
        Fewer than two rows.
    """
    if len(matrix) < 2:
        raise StudyError("figures of 1 row", f"{method} compares rows and needs two or more", "add entities or times")


def read_directions(directions: Any, names: Sequence[Hashable]) -> Floats:
    """Directions as a vector in the order of `names`.

    Parameters
    ----------
    directions
        None (all +1), a mapping or Series from name to +1 or -1, or a sequence in the order of `names`.
    names
        The columns, k of them.

    Returns
    -------
    numpy.ndarray
        Shape (k,), each +1.0 or -1.0.

    Raises
    ------
    StudyError
        A column without a direction, a direction without a column, or one that is neither +1 nor -1.
    """
    if directions is None:
        return np.ones(len(names))
    if isinstance(directions, pd.Series):
        directions = directions.to_dict()
    if not isinstance(directions, Mapping):
        directions = _directions_in_order(list(directions), names)
    for name in directions:
        if name not in names:
            raise StudyError(f"direction of {name}", "there is no such column", "correct the name or remove it")
    for name in names:
        if name not in directions:
            raise StudyError(f"column {name}", "it has no direction", "declare +1 (more is better) or -1")
        if isinstance(directions[name], bool) or directions[name] not in (1, -1):
            raise StudyError(
                f"direction of {name}",
                f"{directions[name]!r} is neither +1 nor -1",
                "write 1 where more is better and -1 where less is better",
            )
    return np.array([float(directions[name]) for name in names])


def _directions_in_order(directions: list[Any], names: Sequence[Hashable]) -> dict[Hashable, Any]:
    if len(directions) != len(names):
        raise StudyError(
            f"{len(directions)} directions for {len(names)} columns",
            "every column has one direction",
            "give one +1 or -1 per column, in their order",
        )
    return dict(zip(names, directions, strict=True))
