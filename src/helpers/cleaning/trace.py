"""What every derived column rests on: the worst grade of its statistics, and what was filled or stood out in them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.study.formula import parse_formula


def trace_columns(
    panel: pd.DataFrame, formulas: Mapping[str, str], grades: Mapping[str, str], marks: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Trace derived columns back to their statistics.

    Parameters
    ----------
    panel
        The derived columns, over the rows that are analysed.
    formulas
        Formula of each derived column.
    grades
        Grade of each statistic, one letter, A the best.
    marks
        Tables with one row for each thing that was done to a statistic or seen in it, its name under ``column``.

    Returns
    -------
    DataFrame
        One row per column of ``panel``: grade (the worst of its statistics), missing (rows without a figure), and one
        count for each of ``marks``, over all its statistics.
    """
    rests = {name: parse_formula(formulas[name], name).columns for name in panel.columns}
    counts = {kind: table["column"].value_counts() for kind, table in marks.items()}
    rows = {
        name: {
            "grade": max((grades[statistic] for statistic in statistics), default=""),
            "missing": int(panel[name].isna().sum()),
            **{kind: int(count.reindex(list(statistics), fill_value=0).sum()) for kind, count in counts.items()},
        }
        for name, statistics in rests.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["grade", "missing", *marks])
