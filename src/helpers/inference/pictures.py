"""The pictures of inference: one coefficient under many conventions, and how often methods reject a true null."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.display.figures import INK, PALETTE, QUIET, new_figure
from helpers.display.prose import format_p_value
from helpers.results.rounding import tie

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_passport(table: pd.DataFrame, level: float, *, marked: str) -> Figure:
    """The standard error of every convention, in rising order; filled where its p-value is below the level.

    Parameters
    ----------
    table
        As `helpers.inference.passport.standard_error_passport` gives it.
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
        axes.text(row["std_error"], place, f"   {written(row['p_value'])}", va="center", fontsize=7)
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
    # The axis is shared, so its end is set once, from the panel that reaches furthest.
    drawn[0, 0].set_xlim(0, 1.1 * float((table["size"] + 1.96 * table["size_std_error"]).max()))
    drawn[0, 0].set_yticks(range(len(part)), list(part.index), fontsize=8)
    drawn[0, 0].invert_yaxis()
    figure.supxlabel("share of panels without an effect in which it is rejected", fontsize=9)
    return figure


def written(p_value: float) -> str:
    """A p-value with its sign: p = 0.031, or p < 0.001."""
    text = format_p_value(p_value)
    return f"p {text}" if text.startswith(("<", ">")) else f"p = {text}"
