"""The pictures of the notebooks: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import PALETTE, draw_estimates, new_figure, region_colours
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE = 0.24  # inches of height that one labelled row needs


def draw_coverage(coverage: pd.DataFrame, filled: pd.DataFrame, label: Callable[[str], str]) -> Figure:
    """Statistics x times: the share of entities with a figure, and a dot where a rule filled one.

    Parameters
    ----------
    coverage
        Statistics x times, shares in [0, 1].
    filled
        One row per filled cell, with columns ``column`` and ``time``.
    label
        Name of a statistic -> its label.
    """
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("coverage", ["#FFFFFF", PALETTE[5], PALETTE[0]])
    figure, axes = new_figure(height=1.2 + 0.17 * len(coverage))
    axes.pcolormesh(coverage.to_numpy(dtype=float), cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=1)
    marks = filled[["column", "time"]].drop_duplicates()
    axes.plot(
        [list(coverage.columns).index(time) + 0.5 for time in marks["time"]],
        [list(coverage.index).index(column) + 0.5 for column in marks["column"]],
        "o",
        color=PALETTE[1],
        markersize=4,
    )
    times = [str(time) for time in coverage.columns]
    axes.set_xticks(np.arange(len(times)) + 0.5, times, fontsize=7, rotation=90)
    axes.set_yticks(np.arange(len(coverage)) + 0.5, [label(str(name)) for name in coverage.index], fontsize=7)
    axes.invert_yaxis()
    axes.grid(False)
    return figure


def draw_trends(trends: Mapping[str, pd.DataFrame], labels: Mapping[str, str], order: Sequence[str]) -> Figure:
    """One panel per index: the mean of each region by time.

    Parameters
    ----------
    trends
        Index label -> times x regions.
    labels, order
        What each region is called, and the order of the regions.
    """
    figure, panels = new_figure(1, len(trends), height=3.4, squeeze=False)
    colours = region_colours(list(order))
    for axes, (name, trend) in zip(panels[0], trends.items(), strict=True):
        for region in order:
            axes.plot(trend.index, trend[region], color=colours[region], marker="o", markersize=3, label=labels[region])
        axes.set_title(name)
        axes.set_xticks(list(trend.index), [str(time) for time in trend.index], fontsize=8, rotation=45)
    panels[0, 0].legend(fontsize=8)
    return figure


def draw_correlations(correlations: pd.DataFrame) -> Figure:
    """A square of correlations, each written in its cell."""
    import seaborn

    figure, axes = new_figure(height=1.4 + 0.5 * len(correlations))
    seaborn.heatmap(
        correlations, ax=axes, cmap="RdBu_r", vmin=-1, vmax=1, annot=True, fmt=".2f", annot_kws={"size": 8}, cbar=False
    )
    axes.tick_params(axis="x", rotation=35, labelsize=8)
    axes.tick_params(axis="y", rotation=0, labelsize=8)
    axes.set_ylabel("")
    return figure


def draw_rows(rows: pd.DataFrame, *, label: str, marked: str | None = None) -> Figure:
    """Estimates with intervals, one row each (columns estimate, ci_low, ci_high; the index names the rows)."""
    figure, axes = new_figure(height=1.0 + 0.34 * len(rows))
    draw_estimates(axes, rows, label=label, marked=marked)
    return figure


def draw_leave_one_out(table: pd.DataFrame, full: float, *, label: str) -> Figure:
    """The estimate without each entity, in rising order, with intervals, beside the estimate with all of them."""
    ordered = table.sort_values("estimate", kind="stable", key=tie)
    figure, axes = new_figure(height=1.0 + 0.19 * len(ordered))
    draw_estimates(axes, ordered, label=label)
    axes.axvline(full, color=PALETTE[1], linewidth=1, linestyle="--")
    axes.tick_params(axis="y", labelsize=7)
    return figure
