"""The pictures of notebook 11: courses around a start, bounds, effects by weights, and the distance curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.display.figures import INK, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_courses(courses: Mapping[tuple[str, str], pd.DataFrame], *, start: bool = True) -> Figure:
    """One panel per policy (rows) and column (columns): effects with intervals, by time since the start or by time."""
    policies = list(dict.fromkeys(policy for policy, _ in courses))
    sides = list(dict.fromkeys(side for _, side in courses))
    figure, panels = new_figure(len(policies), len(sides), height=0.8 + 2.5 * len(policies), squeeze=False)
    for (policy, side), course in courses.items():
        axes = panels[policies.index(policy), sides.index(side)]
        axes.vlines(course.index, course["ci_low"], course["ci_high"], color=PALETTE[0], linewidth=1.2)
        axes.plot(course.index, course["estimate"], "o", color=PALETTE[0], markersize=4)
        axes.axhline(0, color=INK, linewidth=0.8)
        if start:
            axes.axvline(-0.5, color=PALETTE[1], linewidth=1, linestyle="--")
        axes.set_title(f"{policy}: {side}", fontsize=8.5)
        axes.set_xticks([int(step) for step in course.index])
        axes.tick_params(labelsize=7.5)
    for axes in panels[-1]:
        axes.set_xlabel("periods since the start" if start else "period")
    return figure


def draw_bounds(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """One panel per policy: the interval of the mean effect over M, thick what the estimates allow, thin with error."""
    figure, panels = new_figure(1, len(tables), height=3.2, squeeze=False)
    for axes, (title, table) in zip(panels[0], tables.items(), strict=True):
        axes.vlines(table.index, table["ci_low"], table["ci_high"], color=PALETTE[0], linewidth=1)
        axes.vlines(table.index, table["low"], table["high"], color=PALETTE[0], linewidth=4)
        axes.plot(table.index[:1], table["low"].iloc[:1], "o", color=PALETTE[0], markersize=4)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("M")
    return figure


def draw_effects(effects: Mapping[str, pd.DataFrame], *, label: str) -> Figure:
    """One panel per kind of effect (direct, indirect, total): one row per weights with its interval."""
    rows = max(len(table) for table in effects.values())
    figure, panels = new_figure(1, len(effects), height=1.0 + 0.4 * rows, squeeze=False, sharey=True)
    for axes, (kind, table) in zip(panels[0], effects.items(), strict=True):
        places = range(len(table))
        axes.hlines(places, table["ci_low"], table["ci_high"], color=PALETTE[0], linewidth=1.4)
        axes.plot(table["estimate"], places, "o", color=PALETTE[0], markersize=4.5)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(kind)
        axes.set_yticks(list(places), [str(name) for name in table.index], fontsize=8)
        axes.tick_params(axis="x", labelsize=7.5)
    panels[0, 0].invert_yaxis()
    panels[0, len(effects) // 2].set_xlabel(label)
    return figure


def draw_curve(curve: pd.DataFrame, *, label: str) -> Figure:
    """The effect of entities in rings of rising distance with intervals."""
    figure, axes = new_figure(height=3.2)
    places = range(len(curve))
    axes.vlines(places, curve["ci_low"], curve["ci_high"], color=PALETTE[0], linewidth=1.4)
    axes.plot(places, curve["estimate"], "o-", color=PALETTE[0], markersize=5, linewidth=0.8)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(list(places), [str(name) for name in curve.index], fontsize=8.5)
    axes.set_ylabel(label)
    return figure
