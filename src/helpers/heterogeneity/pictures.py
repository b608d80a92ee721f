"""The pictures of the notebook on regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, draw_estimates, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_designs(rows: Mapping[str, pd.DataFrame], *, label: str) -> Figure:
    """The effect by group in every design, one panel each.

    Parameters
    ----------
    rows
        Title of the design -> rows by group, columns estimate, ci_low, ci_high.
    """
    groups = max(len(frame) for frame in rows.values())
    height = 0.8 + len(rows) * (0.55 + 0.27 * groups)
    figure, panels = new_figure(len(rows), height=height, sharex=True, squeeze=False)
    for axes, (title, frame) in zip(panels[:, 0], rows.items(), strict=True):
        draw_estimates(axes, frame)
        axes.set_title(title, fontsize=10)
    panels[-1, 0].set_xlabel(label)
    return figure


def draw_likelihood(profile: pd.DataFrame, critical: float, *, across: str, label: str) -> Figure:
    """The likelihood ratio over the candidates of a threshold, and the line below which they are in its interval.

    Parameters
    ----------
    profile
        Indexed by candidate: likelihood_ratio.
    critical
        The line.
    """
    figure, axes = new_figure(height=3.0)
    candidates = profile.index.to_numpy(dtype=float)
    ratio = profile["likelihood_ratio"].to_numpy(dtype=float)
    axes.plot(candidates, ratio, color=PALETTE[0], linewidth=1.2)
    axes.axhline(critical, color=PALETTE[1], linewidth=1, linestyle="--")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.plot(candidates[int(np.argmin(ratio))], float(ratio.min()), "o", color=PALETTE[0], markersize=5)
    axes.set_xlabel(across)
    axes.set_ylabel(label)
    return figure
