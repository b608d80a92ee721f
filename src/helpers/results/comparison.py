"""Two runs side by side: which results differ, by how much."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers.results.results import COUNTS, NUMBERS, Result, is_number


def compare_results(
    first: Mapping[str, Result],
    second: Mapping[str, Result],
    *,
    relative: float = 1e-6,
    absolute: float = 1e-9,
    at_printed_digits: bool = False,
) -> pd.DataFrame:
    """Differences between two runs, with a tolerance.

    Parameters
    ----------
    first, second
        Two sets of results, as `read_results` gives them.
    relative, absolute
        Two numbers agree when ``|a - b| <= absolute + relative * max(|a|, |b|)``.
    at_printed_digits
        Estimates, values, standard errors and intervals agree when they are nearer than half of the last printed
        decimal of the first; for comparisons across machines.

    Returns
    -------
    DataFrame
        Columns key, field, first, second, difference; one row per field that differs; a key that only one side has
        is a row with field "key". Empty when the runs agree.
    """
    rows: list[tuple[str, str, Any, Any, float]] = []
    for key in sorted(first.keys() | second.keys()):
        if key not in first or key not in second:
            rows.append((key, "key", key in first, key in second, math.nan))
            continue
        for name in (*NUMBERS, *COUNTS, "convention", "unit"):
            a, b = getattr(first[key], name), getattr(second[key], name)
            half = 0.5 * 10.0 ** -first[key].digits if at_printed_digits and name not in ("p_value", *COUNTS) else 0.0
            if not _agree(a, b, relative, max(absolute, half)):
                gap = b - a if is_number(a) and is_number(b) else math.nan
                rows.append((key, name, a, b, gap))
    return pd.DataFrame(rows, columns=["key", "field", "first", "second", "difference"])


def _agree(a: Any, b: Any, relative: float, absolute: float) -> bool:
    if is_number(a) and is_number(b):
        return bool(abs(a - b) <= absolute + relative * max(abs(a), abs(b)))
    return bool(a == b)
