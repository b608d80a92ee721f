"""Pictures of the cleaned panel: what there is and what was filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
