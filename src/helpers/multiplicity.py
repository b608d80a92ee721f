"""p-values adjusted for the number of tests that are read together."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.errors import StudyError


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
    adjusted = np.empty_like(given)
    adjusted[order] = stepped
    return adjusted
