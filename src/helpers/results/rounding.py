"""Numbers are written to a declared number of digits, so that the last bits of a processor reach no file.

Two processors, or two versions of a library, round sums differently: most numbers of a run then differ by one part in
10^15, some by one in 10^12. What is written is rounded well above that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

WRITTEN = 8
"""Significant digits of results and of tables that are shown."""

HANDED_OVER = 10
"""Significant digits of panels that one notebook writes for the next."""

NOTHING = 1e-12
"""A difference of numbers near 1 that is no larger is none, and two that are no further apart are tied."""

_TIES = 12
"""Decimals to which numbers near 1 are compared."""

_POWERS = np.array([float(f"1e{power}") for power in range(23)])
"""Powers of ten that a float holds exactly."""


def round_number(number: float, digits: int = WRITTEN) -> float:
    """A number to so many significant digits; what is not finite stays."""
    return float(f"{number:.{digits - 1}e}") if math.isfinite(number) else number


def fix_number(number: float, digits: int) -> str:
    """A number with so many decimals, more where these would hide it and fewer where it is not known to so many.

    A number beside zero is printed with two significant digits at least, with four where none would be left, so that a
    standard error of 0.00062 is not 0.001; what is written has eight (``WRITTEN``), and no more are printed. What is no
    larger than the last bits of a sum of numbers near 1 stays nothing; no minus stands before zero.
    """
    size = abs(number)
    if size >= 1 and math.isfinite(size):
        digits = min(digits, max(0, WRITTEN - 1 - math.floor(math.log10(size))))
    text = f"{number:.{digits}f}"
    if not text.strip("-0."):
        return f"{number:.4g}" if size > NOTHING else text.lstrip("-")
    hidden = size < 1 and len(text.strip("-0.")) < 2 and abs(float(text) - number) > NOTHING
    return f"{number:.{max(digits, 1 - math.floor(math.log10(size)))}f}" if hidden and digits else text


def round_numbers(numbers: Any, digits: int = WRITTEN) -> Floats:
    """Numbers of any shape, each to so many significant digits."""
    given = np.asarray(numbers, dtype=float)
    size = np.abs(given)
    plain = np.isfinite(size) & (size > 0)
    power = np.floor(np.log10(np.where(plain, size, 1.0))).astype(int)
    shift = digits - 1 - power
    fast = plain & (np.abs(shift) < len(_POWERS))
    up, down = (_POWERS[np.where(fast, np.maximum(way, 0), 0)] for way in (shift, -shift))
    # One part is 1; beside a power of ten the logarithm may be off, and the number keep a digit more or less.
    rounded = np.round(given * up / down) / up * down
    slow = plain & ~fast
    rounded[slow] = [round_number(float(number), digits) for number in given[slow]]
    return np.where(plain, rounded, given)


def tie(column: Any) -> Any:
    """A column as it is sorted and ranked (the ``key`` of pandas): numbers that differ by nothing are alike."""
    return column.round(_TIES) if getattr(column, "dtype", np.dtype(object)).kind == "f" else column


def round_frame(frame: pd.DataFrame, digits: int = WRITTEN) -> pd.DataFrame:
    """A table with its floats rounded, also those among texts."""
    import pandas as pd  # here, since the command line rounds one number and a second run waits for nothing else

    rounded = frame.copy()
    for place, kind in enumerate(frame.dtypes):
        column = frame.iloc[:, place]
        if kind.kind == "f":
            rounded.isetitem(place, round_numbers(column.to_numpy(dtype=float), digits))
        elif kind.kind == "O":
            cells = [round_number(cell, digits) if isinstance(cell, float) else cell for cell in column]
            rounded.isetitem(place, pd.array(cells, dtype=object))
    return rounded
