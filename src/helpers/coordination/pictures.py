"""The pictures of coordination: two systems, marginal effects, within and between, thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure, region_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CORNERS = ((0.98, 0.04, "right"), (0.98, 0.96, "right"), (0.02, 0.96, "left"), (0.02, 0.04, "left"))


def draw_quadrants(
    data: pd.DataFrame, axes_of: tuple[str, str], labels: tuple[str, str], corners: Sequence[str]
) -> Figure:
    """Entities as arrows from the first to the last time, split at the medians over all rows.

    Parameters
    ----------
    data
        Panel.
    axes_of, labels
        Columns of the horizontal and the vertical axis, and what they are called.
    corners
        Words for the four corners: high and low, both high, low and high, both low.
    """
    across, up = axes_of
    data = data[[across, up]].dropna()
    times = data.index.get_level_values(1)
    start, end = (data[times == time].droplevel(1) for time in (times.min(), times.max()))
    both = start.index.intersection(end.index)
    start, end = start.loc[both], end.loc[both]
    figure, axes = new_figure(height=4.6)
    for entity in end.index:
        axes.annotate(
            "",
            xy=(end.at[entity, across], end.at[entity, up]),
            xytext=(start.at[entity, across], start.at[entity, up]),
            arrowprops={"arrowstyle": "->", "color": QUIET, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
        )
    axes.plot(start[across], start[up], "o", color=PALETTE[5], markersize=3.5, label=str(times.min()))
    axes.plot(end[across], end[up], "o", color=PALETTE[0], markersize=4, label=str(times.max()))
    axes.axvline(data[across].median(), color=INK, linewidth=0.8, linestyle=":")
    axes.axhline(data[up].median(), color=INK, linewidth=0.8, linestyle=":")
    for entity in (end[across] + end[up]).nlargest(5).index:
        axes.text(end.at[entity, across], end.at[entity, up], f" {entity}", fontsize=7.5, va="bottom", ha="right")
    for word, (x, y, side) in zip(corners, CORNERS, strict=True):
        axes.text(x, y, word, transform=axes.transAxes, ha=side, va="center", fontsize=8.5, color=PALETTE[1])
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.margins(x=0.1, y=0.2)  # the corners' words stand above and below every entity
    axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 0.08))
    return figure


def draw_marginal(curve: pd.DataFrame, values: pd.Series, *, label: str, moderator: str) -> Figure:
    """A marginal effect over its moderator with its interval; ticks below show where rows lie."""
    figure, axes = new_figure(height=3.6)
    axes.fill_between(curve.index, curve["ci_low"], curve["ci_high"], color=PALETTE[0], alpha=0.18, linewidth=0)
    axes.plot(curve.index, curve["estimate"], color=PALETTE[0])
    axes.axhline(0, color=INK, linewidth=0.8)
    low = float(min(curve["ci_low"].min(), 0.0))
    high = float(max(curve["ci_high"].max(), 0.0))
    foot = low - 0.06 * (high - low)
    axes.plot(values, np.full(len(values), foot), "|", color=QUIET, markersize=6, markeredgewidth=0.6)
    axes.set_ylim(foot - 0.05 * (high - low), high + 0.04 * (high - low))
    axes.set_xlabel(moderator)
    axes.set_ylabel(label)
    return figure


def draw_within_between(data: pd.DataFrame, across: str, up: str, labels: tuple[str, str]) -> Figure:
    """Two scatters: the entities' means, and what is left once entity and time means are taken out."""
    columns = data[[across, up]]
    means = columns.groupby(level=0).mean()
    left = columns - columns.groupby(level=0).transform("mean")
    left = left - left.groupby(level=1).transform("mean")
    figure, panels = new_figure(1, 2, height=3.4)
    for axes, table, title in zip(panels, (means, left), ("between units", "within units and periods"), strict=True):
        axes.plot(table[across], table[up], "o", color=PALETTE[0], markersize=3.2, alpha=0.7)
        slope, level = np.polyfit(table[across], table[up], 1)
        ends = np.array([table[across].min(), table[across].max()])
        axes.plot(ends, level + slope * ends, color=PALETTE[1], linewidth=1.2)
        axes.set_title(title)
        axes.set_xlabel(labels[0])
    panels[0].set_ylabel(labels[1])
    return figure


def draw_likelihood_ratio(profiles: Mapping[str, pd.DataFrame], level: float, *, label: str) -> Figure:
    """Likelihood ratio over candidate thresholds, one panel each; below the line is the interval."""
    figure, panels = new_figure(1, len(profiles), height=3.2, squeeze=False, sharey=True)
    for axes, (title, profile) in zip(panels[0], profiles.items(), strict=True):
        axes.plot(profile.index, profile["likelihood_ratio"], color=PALETTE[0], linewidth=1.1)
        axes.axhline(-2 * np.log(1 - np.sqrt(level)), color=PALETTE[1], linestyle="--", linewidth=1)
        axes.set_title(title)
        axes.set_xlabel(label)
    panels[0, 0].set_ylabel("likelihood ratio")
    return figure


def draw_measures(table: pd.DataFrame, order: Sequence[str], labels: Mapping[str, str]) -> Figure:
    """Mean coupling, mean and degree by time, one panel each, one line per region.

    Parameters
    ----------
    table
        Rows (time, region), columns coupling, mean, degree.
    order, labels
        Regions in order, and what regions and measures are called.
    """
    colours = region_colours(list(order))
    figure, panels = new_figure(1, 3, height=3.2)
    for axes, measure in zip(panels, ("coupling", "mean", "degree"), strict=True):
        _draw_lines(axes, table[measure].unstack(level=1), order, (colours, labels))
        axes.set_title(labels[measure])
    panels[0].legend(fontsize=7.5)
    return figure


def _draw_lines(
    axes: Axes, wide: pd.DataFrame, order: Sequence[str], look: tuple[Mapping[str, str], Mapping[str, str]]
) -> None:
    colours, labels = look
    for region in order:
        axes.plot(wide.index, wide[region], marker="o", markersize=3, color=colours[region], label=labels[region])
    axes.set_xticks(list(wide.index), [str(time) for time in wide.index], fontsize=7, rotation=60)
