"""The pictures of the multiverse: each takes the numbers it shows and gives one figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from helpers.multiverse.curve import SpecificationCurve

MOST_OPTIONS = 8


def draw_specification_curve(curve: SpecificationCurve, *, labels: Mapping[str, str] | None = None) -> Figure:
    """The estimates in rising order above a band of marks: where each option of each decision stands among them.

    Decisions with more than `MOST_OPTIONS`, such as sets of controls, are left out of the band.

    Parameters
    ----------
    curve
        The curve.
    labels
        Name of a decision or option -> what to write.
    """
    named = labels or {}
    shown = [name for name in curve.choices if 1 < curve.choices[name].nunique() <= MOST_OPTIONS]
    rows = [(name, option) for name in shown for option in curve.choices[name].cat.categories]
    figure, (above, below) = new_figure(
        2, height=3.0 + 0.16 * len(rows), sharex=True, gridspec_kw={"height_ratios": [3.0, 0.16 * max(len(rows), 1)]}
    )
    data, place = curve.curve, curve.curve["position"] / curve.n_specifications
    above.vlines(place, data["ci_low"], data["ci_high"], color=QUIET, linewidth=0.4)
    for flag, colour, text in ((False, INK, "not significant"), (True, PALETTE[1], "significant")):
        here = data["significant"] == flag
        above.plot(place[here], data["estimate"][here], ".", color=colour, markersize=3, label=text)
    above.axhline(0, color=INK, linewidth=0.8)
    above.set_ylabel("standardised estimate")
    above.legend(fontsize=8, loc="upper left")
    for row, (name, option) in enumerate(rows):
        here = curve.choices[name] == option
        below.plot(place[here], np.full(int(here.sum()), row), "|", color=INK, markersize=4, markeredgewidth=0.4)
    below.set_yticks(
        range(len(rows)),
        [f"{named.get(str(name), name)}: {named.get(str(option), option)}" for name, option in rows],
        fontsize=7,
    )
    below.invert_yaxis()
    below.grid(False)
    below.set_xlabel("share of the specifications with a smaller estimate")
    return figure


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


def draw_nulls(nulls: dict[str, tuple[np.ndarray, float]]) -> Figure:
    """Several numbers, each with its distribution under the null hypothesis, side by side."""
    figure, panels = new_figure(1, len(nulls), height=2.6, squeeze=False)
    for axes, (name, (draws, observed)) in zip(panels[0], nulls.items(), strict=True):
        mark_null(axes, draws, observed)
        axes.set_xlabel(name, fontsize=8)
        axes.tick_params(axis="x", labelsize=7)
    return figure


def mark_null(axes: Axes, draws: np.ndarray, observed: float) -> None:
    """A distribution under a null hypothesis, and where the observed number stands, on given axes."""
    axes.hist(draws, bins=40, color=QUIET)
    axes.axvline(observed, color=PALETTE[1], linewidth=1.6)
    axes.grid(False, axis="x")
