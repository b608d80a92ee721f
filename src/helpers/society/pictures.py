"""The pictures of notebook 10: how equal services are, and which factors lag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.disparity.inequality import gini
from helpers.display.figures import INK, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from helpers.study.texts import Crisis


def draw_equality(columns: Mapping[str, pd.Series]) -> Figure:
    """Coefficient of variation and Gini over the entities by time, one line per column; the first is drawn thick."""
    figure, panels = new_figure(1, 2, height=3.4)
    for place, (label, values) in enumerate(columns.items()):
        by_time = values.dropna().groupby(level=1)
        width, colour = (2.2, PALETTE[0]) if place == 0 else (1.0, PALETTE[1 + (place - 1) % 6])
        for axes, line in zip(panels, (by_time.std() / by_time.mean(), by_time.agg(gini)), strict=True):
            axes.plot(line.index, line, color=colour, linewidth=width, marker="o", markersize=3, label=label)
    for axes, title in zip(panels, ("coefficient of variation", "Gini"), strict=True):
        axes.set_title(title)
        axes.set_ylim(bottom=0)
        times = axes.lines[0].get_xdata()
        axes.set_xticks(list(times), [f"{int(time)}" for time in times], fontsize=8, rotation=45)
    panels[1].legend(fontsize=7.5)
    return figure


def draw_factors(data: pd.DataFrame, columns: Mapping[str, str]) -> Figure:
    """Mean of every column by time, in standard deviations over the entities at the first time from where it began.

    Parameters
    ----------
    data
        Panel.
    columns
        Column -> label; the first is drawn thick.
    """
    figure, axes = new_figure(height=3.4)
    for place, (name, label) in enumerate(columns.items()):
        wide = data[name].unstack(level=1).dropna(axis=1, how="all")
        path = (wide.mean() - wide.iloc[:, 0].mean()) / wide.iloc[:, 0].std(ddof=1)
        width, colour = (2.2, PALETTE[0]) if place == 0 else (1.2, PALETTE[place % len(PALETTE)])
        axes.plot(path.index, path, color=colour, linewidth=width, marker="o", markersize=3, label=label)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(list(path.index), [f"{int(time)}" for time in path.index])
    axes.set_ylabel("change since the first period (sd)")
    axes.legend(fontsize=8)
    return figure


def draw_crisis(data: pd.DataFrame, crisis: Crisis, treatment: str, *, label: str) -> Figure:
    """Mean of a crisis' outcome by time among entities above and below the median of the treatment before it."""
    level = data[treatment].xs(crisis.level, level=1)
    high = set(level.index[level > level.median()])
    place = np.where(data.index.get_level_values(0).isin(high), "above the median", "at or below")
    means = data[crisis.outcome].groupby([data.index.get_level_values(1), place]).mean().unstack()
    figure, axes = new_figure(height=3.2)
    for colour, group in zip(PALETTE, ("above the median", "at or below"), strict=False):
        axes.plot(means.index, means[group], color=colour, marker="o", markersize=3, label=group)
    axes.set_xticks(list(means.index), [f"{int(time)}" for time in means.index])
    axes.set_ylabel(label)
    axes.legend(fontsize=8)
    return figure
