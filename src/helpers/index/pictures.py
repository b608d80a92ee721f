"""The pictures of the index notebook: weights, ranks, tiles, dimensions, contributions, densities, choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure, region_colours
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE = 0.24  # inches of height that one labelled row needs


def draw_weights(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """One panel per index: the weight of each indicator with its interval, coloured by dimension.

    Parameters
    ----------
    tables
        Index label -> table indexed by indicator, heaviest first, with columns dimension, weight, ci_low, ci_high.
    """
    rows = [len(table) for table in tables.values()]
    figure, panels = new_figure(
        len(tables), height=0.7 * len(rows) + LINE * sum(rows), gridspec_kw={"height_ratios": rows}, squeeze=False
    )
    for axes, (name, table) in zip(panels[:, 0], tables.items(), strict=True):
        colours = region_colours(list(table["dimension"].unique()))
        for dimension, part in table.groupby("dimension", sort=False):
            places = [table.index.get_loc(indicator) for indicator in part.index]
            axes.barh(places, part["weight"], color=colours[str(dimension)], label=dimension)
        axes.hlines(np.arange(len(table)), table["ci_low"], table["ci_high"], color=INK, linewidth=1)
        axes.set_yticks(range(len(table)), list(table.index), fontsize=8)
        axes.invert_yaxis()
        axes.set_title(name)
        axes.axvline(1 / len(table), color=INK, linewidth=0.8, linestyle=":")
        axes.grid(False, axis="y")
        axes.legend(fontsize=8, loc="lower right")
    panels[-1, 0].set_xlabel("weight with its interval (dotted: all equal)")
    return figure


def draw_ranks(values: pd.Series, intervals: pd.DataFrame, regions: pd.Series, labels: Mapping[str, str]) -> Figure:
    """The rank of every entity by time, a line each, and at the last time the interval of the rank.

    Parameters
    ----------
    values
        The index, by entity and time.
    intervals
        Rows (entity, time) with columns ci_low and ci_high of the rank.
    regions, labels
        Region of each entity, and what each region is called.
    """
    ranks = tie(values).unstack(level=0).rank(axis=1, ascending=False, method="min")
    colours = region_colours(list(labels))
    figure, axes = new_figure(height=1.2 + 0.19 * ranks.shape[1])
    last = ranks.index[-1]
    for entity in ranks.columns[ranks.loc[last].notna()]:
        colour = colours.get(regions.get(entity, ""), QUIET)
        axes.plot(range(len(ranks)), ranks[entity], color=colour, linewidth=1.2, alpha=0.85)
        place = ranks.loc[last, entity]
        found = intervals.loc[(entity, last)]
        shift = len(ranks) - 0.9 + 0.05 * (place % 6)
        axes.vlines(shift, found["ci_low"], found["ci_high"], color=colour, linewidth=1)
        axes.text(len(ranks) - 0.55, place, str(entity), fontsize=6.5, va="center", color=colour)
    axes.set_xticks(range(len(ranks)), [str(time) for time in ranks.index])
    axes.set_xlim(-0.2, len(ranks) + 0.4)
    axes.set_ylabel("rank (1 is best)")
    axes.invert_yaxis()
    if len(labels) > 1:
        for name, label in labels.items():
            axes.plot([], [], color=colours[name], label=label)
        axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(labels), 3))
    return figure


def draw_rank_intervals(table: pd.DataFrame) -> Figure:
    """One row per entity, best first: its rank, the interval over choices (wide) and over samples (narrow).

    Parameters
    ----------
    table
        Columns rank, choices_low, choices_high, bootstrap_low, bootstrap_high.
    """
    figure, axes = new_figure(height=1.2 + 0.19 * len(table))
    places = np.arange(len(table))
    axes.hlines(places, table["choices_low"], table["choices_high"], color=PALETTE[5], linewidth=4, label="choices")
    axes.hlines(places, table["bootstrap_low"], table["bootstrap_high"], color=INK, linewidth=1, label="sampling")
    axes.plot(table["rank"], places, "o", color=PALETTE[0], markersize=4, label="declared method")
    axes.set_yticks(places, [str(name) for name in table.index], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("rank (1 is best)")
    axes.legend(fontsize=8, loc="lower left")
    return figure


def draw_tiles(values: pd.Series, tiles: pd.DataFrame, short: Mapping[str, str]) -> Figure:
    """A grid of equal tiles, one per entity, at the first and the last time; darker is higher.

    Parameters
    ----------
    values
        The index, by entity and time.
    tiles
        Columns row and column, by entity.
    short
        What to write on each tile.
    """
    from matplotlib.patches import Rectangle

    times = [values.index.unique(1).min(), values.index.unique(1).max()]
    figure, panels = new_figure(1, len(times), height=4.0)
    low, high = values.min(), values.max()
    for axes, time in zip(panels, times, strict=True):
        for entity, value in values.xs(time, level=1).items():
            row, column = tiles[["row", "column"]].to_numpy()[tiles.index.get_loc(entity)]
            share = (value - low) / (high - low)
            axes.add_patch(
                Rectangle((column, row), 0.94, 0.94, color=PALETTE[0], alpha=0.06 + 0.94 * share, linewidth=0)
            )
            axes.text(
                column + 0.47,
                row + 0.5,
                short[str(entity)],
                ha="center",
                va="center",
                fontsize=8,
                color="white" if share > 0.45 else INK,
            )
        axes.set_xlim(tiles["column"].min() - 0.1, tiles["column"].max() + 1.1)
        axes.set_ylim(tiles["row"].max() + 1.1, tiles["row"].min() - 0.1)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(str(time))
    ends = [
        Rectangle((0, 0), 1, 1, color=PALETTE[0], alpha=alpha, linewidth=0, label=f"{value:.3f}")
        for alpha, value in ((0.06, low), (1.0, high))
    ]
    panels[-1].legend(handles=ends, fontsize=8, loc="lower right", frameon=False)
    return figure


def draw_heat(table: pd.DataFrame) -> Figure:
    """Entities x dimensions, each cell coloured and its value written in it."""
    import seaborn

    figure, axes = new_figure(height=1.4 + 0.19 * len(table))
    seaborn.heatmap(
        table, ax=axes, cmap="Blues", annot=True, fmt=".2f", annot_kws={"size": 6.5}, cbar=False, linewidths=1
    )
    axes.set_yticks(np.arange(len(table)) + 0.5, [str(name) for name in table.index], fontsize=7, rotation=0)
    axes.tick_params(axis="x", rotation=15, labelsize=8)
    axes.set_ylabel("")
    return figure


def draw_contributions(contributions: pd.DataFrame) -> Figure:
    """Mean index by time as stacked bars, one part per dimension (times x dimensions)."""
    figure, axes = new_figure(height=3.6)
    base = np.zeros(len(contributions))
    for dimension, colour in region_colours([str(name) for name in contributions.columns]).items():
        part = contributions[dimension].to_numpy(dtype=float)
        axes.bar([str(time) for time in contributions.index], part, bottom=base, color=colour, label=dimension)
        base += part
    axes.set_ylabel("mean of the index")
    axes.grid(False, axis="x")
    axes.legend(fontsize=8)
    return figure


def draw_density(densities: pd.DataFrame, label: str) -> Figure:
    """Kernel densities by time, later times darker (grid x times)."""
    figure, axes = new_figure(height=3.4)
    for place, time in enumerate(densities.columns):
        share = 0.25 + 0.75 * place / max(len(densities.columns) - 1, 1)
        axes.plot(densities.index, densities[time], color=PALETTE[0], alpha=share, label=str(time))
    axes.set_xlabel(label)
    axes.set_ylabel("density")
    axes.legend(fontsize=8)
    return figure


def draw_sobol(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """One panel per output: first and total order of every choice, with the half-widths of their intervals.

    Parameters
    ----------
    tables
        Label of the output -> table by choice: first, first_half_width, total, total_half_width.
    """
    figure, panels = new_figure(
        len(tables), height=0.6 + sum(0.7 + 0.3 * len(table) for table in tables.values()), squeeze=False, sharex=True
    )
    for axes, (name, table) in zip(panels[:, 0], tables.items(), strict=True):
        _draw_orders(axes, table.sort_values("total", ascending=False, kind="stable", key=tie))
        axes.set_title(name)
    panels[0, 0].legend(fontsize=8)
    panels[-1, 0].set_xlabel("share of the variance")
    return figure


def _draw_orders(axes: Axes, table: pd.DataFrame) -> None:
    places = np.arange(len(table))
    parts: Sequence[tuple[str, float, str, str]] = (
        ("first", -0.18, PALETTE[0], "alone (first order)"),
        ("total", 0.18, PALETTE[5], "with all its interactions (total order)"),
    )
    for order, shift, colour, label in parts:
        axes.barh(places + shift, table[order], height=0.34, color=colour, label=label)
        half = table[f"{order}_half_width"]
        axes.hlines(places + shift, table[order] - half, table[order] + half, color=INK, linewidth=1)
    axes.set_yticks(places, [str(name).replace("_", " ") for name in table.index], fontsize=8)
    axes.invert_yaxis()
    axes.grid(False, axis="y")


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
