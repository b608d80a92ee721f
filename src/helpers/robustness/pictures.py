"""The pictures of inference and robustness: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_passport(table: pd.DataFrame, level: float, *, marked: str) -> Figure:
    """The standard error of every convention, in rising order; filled where its p-value is below the level.

    Parameters
    ----------
    table
        As `helpers.inference.door.standard_error_passport` gives it.
    marked
        The convention that the project prints.
    """
    known = table.dropna(subset=["std_error"]).sort_values("std_error", ascending=False, kind="stable", key=tie)
    figure, axes = new_figure(height=1.0 + 0.24 * len(known))
    for place, (name, row) in enumerate(known.iterrows()):
        colour = PALETTE[1] if name == marked else INK
        filled = colour if row["p_value"] < level else "white"
        axes.hlines(place, 0, row["std_error"], color=QUIET, linewidth=0.8)
        axes.plot(row["std_error"], place, "o", color=colour, markerfacecolor=filled, markersize=5)
        axes.text(row["std_error"], place, f"   p = {row['p_value']:.3f}", va="center", fontsize=7)
    axes.set_yticks(range(len(known)), [str(name).replace("_", " ") for name in known.index], fontsize=8)
    axes.set_xlim(0, 1.2 * float(known["std_error"].max()))
    axes.set_xlabel("standard error")
    axes.grid(False, axis="y")
    return figure


def draw_size(table: pd.DataFrame, level: float) -> Figure:
    """How often each method rejects a true null hypothesis, beside the nominal level.

    Parameters
    ----------
    table
        Rows (n_clusters, errors, method), columns size and size_std_error.
    """
    panels = list(dict.fromkeys(key[:2] for key in table.index))
    figure, drawn = new_figure(1, len(panels), height=2.6, sharex=True, sharey=True, squeeze=False)
    for axes, place in zip(drawn[0], panels, strict=True):
        part = table.xs(place, level=(0, 1))
        axes.errorbar(
            part["size"], range(len(part)), xerr=1.96 * part["size_std_error"], fmt="o", color=INK, markersize=4
        )
        axes.axvline(level, color=PALETTE[1], linewidth=1, linestyle="--")
        axes.set_title(f"{place[0]} clusters,\n{place[1]} errors", fontsize=9)
        axes.set_xlim(left=0)
    drawn[0, 0].set_yticks(range(len(part)), list(part.index), fontsize=8)
    drawn[0, 0].invert_yaxis()
    figure.supxlabel("share of panels without an effect in which it is rejected", fontsize=9)
    return figure


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
