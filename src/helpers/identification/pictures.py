"""The pictures of identification: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure
from helpers.multiverse.pictures import mark_null

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_contour(estimates: pd.DataFrame, bounds: pd.DataFrame, *, label: str) -> Figure:
    """The estimate over the strengths of an omitted variable, and where variables as strong as the controls stand.

    Parameters
    ----------
    estimates
        Rows: partial R2 with the outcome; columns: with the treatment (see `confounder_contour`).
    bounds
        Indexed by (benchmark, times), columns r2_treatment and r2_outcome.
    """
    figure, axes = new_figure(height=4.2)
    columns, rows = estimates.columns.to_numpy(dtype=float), estimates.index.to_numpy(dtype=float)
    lines = axes.contour(columns, rows, estimates.to_numpy(), levels=9, colors=QUIET, linewidths=0.8)
    axes.clabel(lines, fontsize=7)
    zero = axes.contour(columns, rows, estimates.to_numpy(), levels=[0.0], colors=PALETTE[1], linewidths=1.6)
    axes.clabel(zero, fontsize=8)
    inside = bounds[(bounds["r2_treatment"] <= columns[-1]) & (bounds["r2_outcome"] <= rows[-1])]
    for name, part in inside.groupby(level=0, sort=False):
        axes.plot(part["r2_treatment"], part["r2_outcome"], "o-", color=INK, markersize=3.5, linewidth=0.6)
        place = (float(part["r2_treatment"].iloc[-1]), float(part["r2_outcome"].iloc[-1]))
        words = f"{part.index.get_level_values(1)[-1]:g} x {name}"
        axes.annotate(words, place, xytext=(4, 3), textcoords="offset points", fontsize=7)
    axes.set_xlabel("partial R² of the omitted variable with the treatment")
    axes.set_ylabel("partial R² with the outcome")
    axes.set_title(label, fontsize=9)
    return figure


def draw_null(draws: np.ndarray, observed: float, *, label: str) -> Figure:
    """The distribution of a number under a null hypothesis, and where the observed one stands."""
    figure, axes = new_figure(height=2.8)
    mark_null(axes, draws, observed)
    axes.set_xlabel(label)
    axes.set_ylabel("draws")
    return figure
