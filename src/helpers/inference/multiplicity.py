"""p-values adjusted for the number of tests that are read together."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.errors import StudyError

# Relative distance within which two statistics are the same number.
TIE = 1e-9


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """p-values adjusted by Holm's (1979) step-down method.

    Sorted from the smallest, the j-th of m (j = 0, 1, ...) becomes max over i <= j of min(1, (m - i) p_i).

    Parameters
    ----------
    p_values
        (m,) p-values between 0 and 1.

    Returns
    -------
    array
        (m,) adjusted p-values, in the order given.

    Raises
    ------
    StudyError
        A p-value is missing or outside [0, 1].
    """
    given = np.asarray(p_values, dtype=float)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise StudyError("adjusted p-values", "a p-value is missing or outside 0 to 1", "give one p-value per test")
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, (len(given) - np.arange(len(given))) * given[order]))
    adjusted = np.empty(len(given))
    adjusted[order] = stepped
    return adjusted


def romano_wolf(statistics: ArrayLike, draws: ArrayLike) -> NDArray[np.float64]:
    """p-values adjusted by the step-down of Romano and Wolf (2005, 2016), which uses how the tests move together.

    Sorted by |t| from the largest, the j-th becomes the share of draws in which the largest |t*| among the j-th and all
    later ones reaches |t|, the sample itself counted once; then made non-decreasing.

    Parameters
    ----------
    statistics
        (m,) t statistics.
    draws
        (B, m) t statistics under the null, all m from the same resample.

    Returns
    -------
    array
        (m,) adjusted p-values, in the order given.

    Raises
    ------
    StudyError
        Shapes that do not fit together, or numbers that are not finite.
    """
    given, under_null = np.abs(np.asarray(statistics, dtype=float)), np.abs(np.asarray(draws, dtype=float))
    if given.ndim != 1 or under_null.ndim != 2 or under_null.shape[1] != len(given) or len(under_null) == 0:
        raise StudyError("adjusted p-values", "statistics and draws do not fit together", "give draws of shape (B, m)")
    if not (np.isfinite(given).all() and np.isfinite(under_null).all()):
        raise StudyError("adjusted p-values", "a statistic is missing or infinite", "leave out the draws that failed")
    order = np.argsort(-given, kind="stable")
    # Column j holds the largest |t*| among the tests from the j-th on.
    largest = np.maximum.accumulate(under_null[:, order][:, ::-1], axis=1)[:, ::-1]
    reached = np.sum(largest >= given[order] * (1 - TIE), axis=0)
    adjusted = np.empty(len(given))
    adjusted[order] = np.maximum.accumulate((reached + 1) / (len(under_null) + 1))
    return adjusted
