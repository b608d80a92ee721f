"""Figures -> scores: every indicator on one scale, more is better."""

from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.errors import StudyError
from helpers.index_checks import (
    Matrix,
    Table,
    check_figures,
    check_no_constant,
    column_names,
    read_directions,
)


@overload
def min_max_scale(frame: pd.DataFrame, directions: Any = None) -> pd.DataFrame: ...
@overload
def min_max_scale(frame: ArrayLike, directions: Any = None) -> Matrix: ...
def min_max_scale(frame: Table, directions: Any = None) -> pd.DataFrame | Matrix:
    """Scale each column to [0, 1] over all rows given.

    score = (x - min) / (max - min) where more is better, (max - x) / (max - min) where less is better.
    On a panel the minimum and maximum are those of all entity-times together (pooled scope).

    Parameters
    ----------
    frame
        Rows x indicators, any units.
    directions
        +1 or -1 for each column: a mapping from name, or a sequence in column order. None means all +1.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        Scores without unit, the shape, order and kind of `frame`; each column reaches 0 and 1.

    Raises
    ------
    StudyError
        A missing, infinite, text or constant column, or a direction that is neither +1 nor -1.
    """
    matrix = check_figures(frame)
    signs = read_directions(directions, column_names(frame))
    check_no_constant(frame, matrix)
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    scores = np.where(signs > 0, matrix - low, high - matrix) / (high - low)
    return like(frame, scores)


@overload
def winsorise(frame: pd.DataFrame, share: float) -> pd.DataFrame: ...
@overload
def winsorise(frame: ArrayLike, share: float) -> Matrix: ...
def winsorise(frame: Table, share: float) -> pd.DataFrame | Matrix:
    """Pull the most extreme figures of each column in to its quantiles.

    x becomes min(max(x, q(share)), q(1 - share)), with q the linearly interpolated quantile over all rows.

    Parameters
    ----------
    frame
        Rows x columns.
    share
        Share of the rows at each end, from 0 (nothing changes) to less than 0.5.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        The shape, order, unit and kind of `frame`.

    Raises
    ------
    StudyError
        A share outside [0, 0.5), or a missing, infinite or text cell.
    """
    if not 0 <= share < 0.5:
        raise StudyError(
            f"winsorising share {share:g}", "a share is 0 or more and less than 0.5", "write 0.01 for 1 % at each end"
        )
    matrix = check_figures(frame)
    low, high = np.quantile(matrix, [share, 1 - share], axis=0)
    return like(frame, np.clip(matrix, low, high))


def like(frame: Table, matrix: Matrix) -> pd.DataFrame | Matrix:
    """`matrix` with the labels of `frame` where it has any."""
    if isinstance(frame, pd.DataFrame):
        return pd.DataFrame(matrix, index=frame.index, columns=frame.columns)
    return matrix
