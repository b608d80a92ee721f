"""Periods in their own form (2019Q1) in tables and on axes, where the panel counts them by whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Show = Callable[[int], str]
TIME_COLUMN = "time"
"""What tables of cells call their column of periods, whatever the study calls it."""


def show_periods(frame: pd.DataFrame, name: str, codes: Sequence[int], show: Show) -> pd.DataFrame:
    """A table with its periods as they are printed.

    Parameters
    ----------
    frame
        Any table.
    name
        The study's word for a period: the name of an index level, of a column, or of the heads.
    codes
        The numbers that are periods.
    show
        A period's number -> its form.
    """
    words = {code: show(code) for code in codes}
    shown = frame.copy()
    for column in shown.columns:
        if column in (name, TIME_COLUMN) and pd.api.types.is_integer_dtype(shown[column]):
            shown[column] = shown[column].map(lambda code: words.get(code, code))
    if shown.columns.name == name or (len(shown.columns) and set(shown.columns) <= set(words)):
        shown.columns = shown.columns.map(lambda code: words.get(code, code))
    levels = [level for level, word in enumerate(shown.index.names) if word in (name, TIME_COLUMN)]
    for level in levels:
        if isinstance(shown.index, pd.MultiIndex):
            values = [words.get(code, code) for code in shown.index.get_level_values(level)]
            parts = [shown.index.get_level_values(n) for n in range(shown.index.nlevels)]
            parts[level] = pd.Index(values)
            shown.index = pd.MultiIndex.from_arrays(parts, names=shown.index.names)
        else:
            shown.index = shown.index.map(lambda code: words.get(code, code)).rename(name)
    return shown


def label_axes(figure: Figure, codes: Sequence[int], show: Show) -> None:
    """Print the ticks of every axis that runs over periods in their own form."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    words = {str(code): show(code) for code in codes}
    figure.draw_without_rendering()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            texts = [label.get_text() for label in axis.get_ticklabels()]
            named = [text for text in texts if text]
            written = bool(named) and all(text in words for text in named)
            if written and type(axis.get_major_formatter()).__name__ == "FixedFormatter":
                axis.set_ticklabels([words.get(text, text) for text in texts])
            elif written or _spans(axis.get_view_interval(), codes):
                axis.set_major_locator(MaxNLocator(integer=True))
                axis.set_major_formatter(FuncFormatter(_formatter(show)))


def _formatter(show: Show) -> Callable[[float, Any], str]:
    return lambda value, _: show(round(value)) if abs(value - round(value)) < 1e-6 else ""


def _spans(view: Sequence[float], codes: Sequence[int]) -> bool:
    """Whether an axis runs over the periods and little else."""
    low, high = sorted(view)
    room = max(2.0, 0.2 * (codes[-1] - codes[0]))
    return codes[0] - room <= low and high <= codes[-1] + room and high - low > 0.5
