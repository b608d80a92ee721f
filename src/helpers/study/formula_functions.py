"""What the functions of the formula language do to one column of a panel (index: entity, then time)."""

from __future__ import annotations

import numpy as np
import pandas as pd


class ChainError(ValueError):
    """A chain of period-on-period changes that cannot be formed."""


def lag(values: pd.Series, periods: int = 1) -> pd.Series:
    """The value of the same entity at time - ``periods``; missing where the panel has no such row."""
    entity, time = values.index.get_level_values(0), values.index.get_level_values(1)
    earlier = pd.MultiIndex.from_arrays([entity, time - periods])
    return pd.Series(values.reindex(earlier).to_numpy(), index=values.index)


def diff(values: pd.Series) -> pd.Series:
    """The change since time - 1: ``x - lag(x)``."""
    return values - lag(values)


def cumprod(values: pd.Series) -> pd.Series:
    """The running product within entity, from the panel's first time.

    A missing figure or a missing row leaves all later products of that entity missing: no chain is closed over a gap.
    """
    wide = values.unstack(level=1)
    return _stack_like(np.cumprod(wide.to_numpy(dtype=float), axis=1), wide, values)


def deflate(values: pd.Series, price_index: pd.Series, base: int) -> pd.Series:
    """Values at the prices of ``base``: ``x / C`` with C = 1 at the base.

    ``C[t] = C[t-1] * p[t] / 100`` after the base and ``C[t] = C[t+1] / (p[t+1] / 100)`` before it, with ``p`` a price
    index on the previous period = 100. The index of the panel's first period is not used.

    Raises
    ------
    ChainError
        When the base is not in the panel, or its times are not consecutive.
    """
    wide = price_index.unstack(level=1)
    times = wide.columns.to_numpy()
    if base not in times:
        raise ChainError(f"the base {base} of deflate is not among the times {times[0]} to {times[-1]}")
    if (np.diff(times) != 1).any():
        raise ChainError("deflate needs consecutive times, and the panel leaves some out")
    factor = wide.to_numpy(dtype=float) / 100
    at = int(np.flatnonzero(times == base)[0])
    chain = np.ones_like(factor)
    chain[:, at + 1 :] = np.cumprod(factor[:, at + 1 :], axis=1)
    chain[:, :at] = 1 / np.cumprod(factor[:, at:0:-1], axis=1)[:, ::-1]
    return values / _stack_like(chain, wide, values)


def interpolate(values: pd.Series) -> pd.Series:
    """Fill missing figures linearly in calendar time between two known ones of the same entity, never beyond them."""
    wide = values.unstack(level=1)
    filled = wide.T.interpolate(method="index", limit_area="inside").T
    return _stack_like(filled.to_numpy(), wide, values)


def at(values: pd.Series, time: int) -> pd.Series:
    """The value of the same entity at one time, repeated in all its rows; missing where it has none there."""
    entity = values.index.get_level_values(0)
    return pd.Series(values.xs(time, level=1).reindex(entity).to_numpy(), index=values.index)


def standardise(values: pd.Series, rows: np.ndarray | None = None) -> pd.Series:
    """Z-scores within each time: (x - mean) / sd with the sample standard deviation (n - 1).

    Only the rows marked in ``rows`` count and get a score; missing figures are passed over. A time whose figures do not
    differ, or that has a single one, gives infinite or missing scores, which the caller reports.
    """
    counted = values if rows is None else values.where(rows)
    times = counted.groupby(level=1)
    return (counted - times.transform("mean")) / times.transform("std")


def _stack_like(array: np.ndarray, wide: pd.DataFrame, like: pd.Series) -> pd.Series:
    rows = wide.index.get_indexer(like.index.get_level_values(0))
    columns = wide.columns.get_indexer(like.index.get_level_values(1))
    return pd.Series(array[rows, columns], index=like.index)
