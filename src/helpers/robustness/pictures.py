"""The pictures of inference and robustness: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_fragility(table: pd.DataFrame, full: float, *, label: str) -> Figure:
    """The estimates without one, two, three ... entities, as one histogram each.

    Parameters
    ----------
    table
        The table of a `FragilityMap`.
    full
        Estimate with all entities.
    """
    known = table[table["reason"] == ""]
    sizes = sorted(known["size"].unique())
    figure, panels = new_figure(len(sizes), height=0.8 + 1.1 * len(sizes), sharex=True, squeeze=False)
    edges = np.linspace(known["estimate"].min(), known["estimate"].max(), 61)
    for axes, size in zip(panels[:, 0], sizes, strict=True):
        part = known[known["size"] == size]
        for flag, colour, words in ((False, QUIET, "same verdict"), (True, PALETTE[1], "other verdict")):
            here = part.loc[part["flips_verdict"] == flag, "estimate"]
            axes.hist(here, bins=edges, color=colour, label=words, alpha=0.9)
        axes.axvline(full, color=INK, linewidth=1, linestyle="--")
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_ylabel(f"without {size}", fontsize=8)
        axes.grid(False, axis="x")
    panels[0, 0].legend(fontsize=8)
    panels[-1, 0].set_xlabel(label)
    return figure


def draw_densities(draws: dict[str, np.ndarray], observed: float, *, label: str) -> Figure:
    """Bootstrap distributions of one coefficient on one axis, and the estimate."""
    figure, axes = new_figure(height=3.0)
    known = {name: values[np.isfinite(values)] for name, values in draws.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(known.values())), bins=60)
    for colour, (name, values) in zip(PALETTE, known.items(), strict=False):
        axes.hist(values, bins=edges, density=True, histtype="step", color=colour, linewidth=1.4, label=name)
    axes.axvline(observed, color=INK, linewidth=1, linestyle="--")
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlabel(label)
    axes.legend(fontsize=8)
    return figure
