"""What the rows of a large panel look like: the descriptive statistics that the modules in memory give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.large.rows import group_column, open_rows, read_blocks

QUANTILES = {"p25": 0.25, "median": 0.5, "p75": 0.75}


def describe_rows(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """Describe columns, as `helpers.cleaning.gaps.describe` does.

    Parameters
    ----------
    path
        A file of :func:`helpers.large.clean.clean_panel`.
    names
        Columns; missing figures are left out.

    Returns
    -------
    DataFrame
        One row per column: n, mean, sd, min, p25, median, p75, max, between_sd, within_sd.
    """
    table = _order_statistics(path, names)
    centre = table["mean"].to_numpy(dtype=float)
    k = len(names)
    n, entities = np.zeros(k), np.zeros(k)
    total, within, between, of_means = (np.zeros(k) for _ in range(4))
    for block in read_blocks(path, names, complete=False):
        there = ~np.isnan(block.figures)
        figures = np.where(there, block.figures - centre, 0.0)
        counts = block.sums(there.astype(float))
        means = block.sums(figures) / np.where(counts == 0, 1.0, counts)
        known = counts > 0
        n += counts.sum(axis=0)
        entities += known.sum(axis=0)
        total += (figures**2).sum(axis=0)
        own = np.where(there, figures - np.repeat(means, block.sizes, axis=0), 0.0)
        within += (own**2).sum(axis=0)
        between += (means**2).sum(axis=0)
        of_means += means.sum(axis=0)
    table["sd"] = _root(total, n)
    table["between_sd"] = _root(between - of_means**2 / np.where(entities == 0, 1, entities), entities)
    table["within_sd"] = _root(within, n)
    return table[["n", "mean", "sd", "min", *QUANTILES, "max", "between_sd", "within_sd"]]


def _root(squares: Floats, n: Floats) -> Floats:
    return np.asarray(np.where(n > 1, np.sqrt(np.maximum(squares, 0) / np.where(n > 1, n - 1, 1)), np.nan))


def _order_statistics(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """Counts, means, ends and quantiles, one column at a time, since each is held whole for its quantiles."""
    rows = {}
    with open_rows(path, names) as panel:
        for at, name in enumerate(names):
            quantiles = ", ".join(f"quantile_cont(v{at}, {share})" for share in QUANTILES.values())
            text = f"SELECT count(v{at}), favg(v{at}), min(v{at}), max(v{at}), {quantiles} FROM panel"  # noqa: S608 - own words
            (rows[name],) = panel.ask(text)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["n", "mean", "min", "max", *QUANTILES]).astype(
        {"n": int, **dict.fromkeys(["mean", "min", "max", *QUANTILES], float)}
    )


def correlate_rows(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """Correlations of columns over the rows that have a figure for each."""
    shift, total, squares, n = np.zeros(len(names)), np.zeros(len(names)), np.zeros((len(names),) * 2), 0
    for block in read_blocks(path, names):
        shift = block.figures.mean(axis=0) if not n else shift
        figures = block.figures - shift
        n, total, squares = n + len(figures), total + figures.sum(axis=0), squares + figures.T @ figures
    squares = squares - np.outer(total, total) / n
    scale = np.sqrt(np.diag(squares))
    return pd.DataFrame(squares / np.outer(scale, scale), index=list(names), columns=list(names))


def means_by_time(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """Times x columns: the mean over the rows of each time."""
    with open_rows(path, names) as panel:
        parts = ", ".join(f"favg(v{at})" for at in range(len(names)))
        text = f"SELECT time, {parts} FROM panel GROUP BY time ORDER BY time"  # noqa: S608 - own words
        rows = panel.ask(text)
    return pd.DataFrame(rows, columns=["time", *names]).set_index("time").astype(float)


def means_by_group(path: Path, name: str, grouping: str, order: Sequence[str]) -> pd.DataFrame:
    """Times x groups: the mean of a column over the entities of each group."""
    column = group_column(grouping)
    with open_rows(path, [name]) as panel:
        text = (
            f'SELECT time, "{column}", favg(v0) FROM panel WHERE "{column}" IS NOT NULL '  # noqa: S608 - a name of the schema
            "GROUP BY ALL ORDER BY ALL"
        )
        rows = panel.ask(text)
    table = pd.DataFrame(rows, columns=["time", "group", "mean"])
    table["group"] = table["group"].map(dict(enumerate(order)))
    return table.pivot_table(index="time", columns="group", values="mean")[list(order)]


def count_rows(path: Path) -> int:
    """Rows of a file, from its own count."""
    import pyarrow.parquet as parquet

    return int(parquet.read_metadata(path).num_rows)


def is_complete(path: Path, names: Sequence[str]) -> bool:
    """Whether every row has a figure for each of some columns."""
    with open_rows(path, names) as panel, open_rows(path, names, complete=names) as filled:
        return panel.n_rows == filled.n_rows
