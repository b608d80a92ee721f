"""The pictures of the notebook on mediation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.display.figures import INK, PALETTE, QUIET, draw_estimates, new_figure
from helpers.display.prose import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOX: dict[str, Any] = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": QUIET, "linewidth": 0.8}


@dataclass(frozen=True)
class Arrow:
    """An arrow of the mechanism: its estimate, and whether it is clear (solid) or not (dashed)."""

    estimate: float
    is_clear: bool


def draw_mechanism(
    channels: Mapping[str, tuple[Arrow, Arrow]], direct: Arrow, *, treatment: str, outcome: str
) -> Figure:
    """Treatment, mediators and outcome with the estimates on the arrows.

    Parameters
    ----------
    channels
        Label of the mediator -> its two arrows, from the treatment and to the outcome.
    direct
        The total effect, drawn below.
    treatment, outcome
        Labels.
    """
    figure, axes = new_figure(height=1.6 + 0.95 * len(channels))
    axes.set_axis_off()
    rows = np.linspace(1.0, 0.25, len(channels)) if len(channels) > 1 else np.array([0.6])
    left, right, middle = (0.0, float(rows.mean())), (1.0, float(rows.mean())), 0.5
    for height, (label, (first, second)) in zip(rows, channels.items(), strict=True):
        _draw_arrow(axes, left, (middle, height), first, share=0.42)
        _draw_arrow(axes, (middle, height), right, second, share=0.58)
        axes.text(middle, height, _fold(label), ha="center", va="center", fontsize=9, bbox=BOX, zorder=3)
    below = -0.05
    corners = [(left[0], left[1]), (left[0], below), (right[0], below), (right[0], right[1])]
    axes.plot(*np.transpose(corners[:3]), **_line(direct))
    axes.annotate("", corners[3], corners[2], arrowprops={"arrowstyle": "-|>", "shrinkB": 18, **_line(direct)})
    axes.text(middle, below, format_number(direct.estimate, 3), **_number())
    for place, label in ((left, treatment), (right, outcome)):
        axes.text(*place, _fold(label), ha="center", va="center", fontsize=9, bbox=BOX, zorder=3)
    axes.set_xlim(-0.2, 1.2)
    axes.set_ylim(-0.2, 1.2)
    return figure


def draw_paths(effects: pd.DataFrame, *, label: str) -> Figure:
    """Total, direct and indirect effects, one panel per mediator.

    Parameters
    ----------
    effects
        Rows (mediator, effect), columns estimate, ci_low, ci_high.
    """
    mediators = list(effects.index.unique(0))
    figure, panels = new_figure(len(mediators), height=0.9 + 1.2 * len(mediators), sharex=True, squeeze=False)
    for axes, mediator in zip(panels[:, 0], mediators, strict=True):
        draw_estimates(axes, effects.loc[mediator])
        axes.set_title(mediator)
    panels[-1, 0].set_xlabel(label)
    return figure


def draw_rho(curves: Mapping[str, pd.DataFrame], *, across: str, label: str) -> Figure:
    """The indirect effect over the correlation that an unobserved cause would bring, one panel per mediator.

    Parameters
    ----------
    curves
        Label -> curve indexed by rho: indirect_effect, ci_low, ci_high.
    """
    figure, panels = new_figure(len(curves), height=0.7 + 1.7 * len(curves), sharex=True, squeeze=False)
    for axes, (name, curve) in zip(panels[:, 0], curves.items(), strict=True):
        rho = curve.index.to_numpy(dtype=float)
        axes.fill_between(rho, curve["ci_low"], curve["ci_high"], color=PALETTE[5], alpha=0.35, linewidth=0)
        axes.plot(rho, curve["indirect_effect"], color=PALETTE[0])
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.axvline(0, color=QUIET, linewidth=0.8, linestyle=":")
        axes.set_title(name)
        axes.set_ylabel(label, fontsize=8)
    panels[-1, 0].set_xlabel(across)
    return figure


def draw_contours(contours: Mapping[str, pd.DataFrame], *, across: str, upward: str) -> Figure:
    """The indirect effect over the two shares that an unobserved cause would explain, the line of zero marked.

    Parameters
    ----------
    contours
        Label -> rows: share of the mediator's remaining variance, columns: of the outcome's.
    """
    figure, panels = new_figure(1, len(contours), height=2.9, sharey=True, squeeze=False)
    for axes, (name, frame) in zip(panels[0], contours.items(), strict=True):
        outcome, mediator = frame.columns.to_numpy(dtype=float), frame.index.to_numpy(dtype=float)
        values = frame.to_numpy(dtype=float)
        lines = axes.contour(outcome, mediator, values, levels=7, colors=QUIET, linewidths=0.8)
        axes.clabel(lines, fontsize=7, fmt=lambda number: format_number(float(number), 3))
        if values.min() < 0 < values.max():
            axes.contour(outcome, mediator, values, levels=[0.0], colors=PALETTE[1], linewidths=1.8)
        axes.set_title(_fold(name), fontsize=9)
        axes.set_xlabel(across, fontsize=8)
        axes.grid(False)
    panels[0, 0].set_ylabel(upward, fontsize=8)
    return figure


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], arrow: Arrow, share: float) -> None:
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "shrinkA": 26, "shrinkB": 30, **_line(arrow)}, zorder=1
    )
    across, height = (one + share * (other - one) for one, other in zip(start, end, strict=True))
    axes.text(across, height, format_number(arrow.estimate, 3), **_number())


def _line(arrow: Arrow) -> dict[str, Any]:
    colour = PALETTE[0] if arrow.is_clear else QUIET
    return {"color": colour, "linewidth": 1.6, "linestyle": "-" if arrow.is_clear else "--"}


def _number() -> dict[str, Any]:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    return {"ha": "center", "va": "center", "fontsize": 8.5, "bbox": box, "zorder": 4}


def _fold(label: str, width: int = 16) -> str:
    """A label on lines of at most some characters."""
    lines: list[str] = []
    for word in label.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)
