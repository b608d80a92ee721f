"""The pictures of the notebooks: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.display.figures import PALETTE, draw_estimates, new_figure
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


# Rows of a picture with one for each entity, and how many at either end are drawn where there are more.
MOST_DRAWN, DRAWN_EACH = 200, 40


def draw_rows(rows: pd.DataFrame, *, label: str, marked: str | None = None) -> Figure:
    """Estimates with intervals, one row each (columns estimate, ci_low, ci_high; the index names the rows)."""
    figure, axes = new_figure(height=1.0 + 0.34 * len(rows))
    draw_estimates(axes, rows, label=label, marked=marked)
    return figure


def draw_leave_one_out(table: pd.DataFrame, full: float, *, label: str) -> Figure:
    """The estimate without each entity, in rising order, with intervals, beside the estimate with all of them.

    Of more than `MOST_DRAWN` entities the lowest and the highest estimates are drawn.
    """
    ordered = table.sort_values("estimate", kind="stable", key=tie)
    if len(ordered) > MOST_DRAWN:
        ordered = pd.concat([ordered.head(DRAWN_EACH), ordered.tail(DRAWN_EACH)])
    figure, axes = new_figure(height=1.0 + 0.19 * len(ordered))
    draw_estimates(axes, ordered, label=label)
    axes.axvline(full, color=PALETTE[1], linewidth=1, linestyle="--")
    axes.tick_params(axis="y", labelsize=7)
    return figure
