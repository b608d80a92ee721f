"""The pictures of inference and robustness: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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
    known = table.dropna(subset=["std_error"]).sort_values("std_error", ascending=False)
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


def draw_null(draws: np.ndarray, observed: float, *, label: str) -> Figure:
    """The distribution of a number under a null hypothesis, and where the observed one stands."""
    figure, axes = new_figure(height=2.8)
    _draw_null(axes, draws, observed)
    axes.set_xlabel(label)
    axes.set_ylabel("draws")
    return figure


def draw_nulls(nulls: dict[str, tuple[np.ndarray, float]]) -> Figure:
    """Several numbers, each with its distribution under the null hypothesis, side by side."""
    figure, panels = new_figure(1, len(nulls), height=2.6, squeeze=False)
    for axes, (name, (draws, observed)) in zip(panels[0], nulls.items(), strict=True):
        _draw_null(axes, draws, observed)
        axes.set_xlabel(name, fontsize=8)
        axes.tick_params(axis="x", labelsize=7)
    return figure


def _draw_null(axes: Axes, draws: np.ndarray, observed: float) -> None:
    axes.hist(draws, bins=40, color=QUIET)
    axes.axvline(observed, color=PALETTE[1], linewidth=1.6)
    axes.grid(False, axis="x")


def draw_shares(shares: pd.DataFrame) -> Figure:
    """Share of the variance of the estimates that each decision makes: alone, and with its interactions."""
    ordered = shares.iloc[::-1]
    figure, axes = new_figure(height=1.0 + 0.3 * len(ordered))
    places = np.arange(len(ordered))
    axes.barh(places + 0.18, ordered["first_order"], height=0.34, color=PALETTE[0], label="alone")
    axes.barh(places - 0.18, ordered["total_order"], height=0.34, color=PALETTE[5], label="with its interactions")
    axes.set_yticks(places, [str(name) for name in ordered.index], fontsize=8)
    axes.set_xlabel("share of the variance")
    axes.grid(False, axis="y")
    axes.legend(fontsize=8)
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
