"""Figures -> less skewed figures: declared rules for single indicators, before scaling."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.checks import check_figures, row_name

TRANSFORMS = ("log", "box_cox")


def transform_figures(figures: pd.DataFrame, rules: Mapping[Any, str | None]) -> pd.DataFrame:
    """Apply each indicator's declared rule; a column without one stays as it is.

    log: ln x. box_cox: (x^power - 1) / power, or ln x at power 0, with the power of `box_cox_power`.
    Both keep the order of the rows.

    Parameters
    ----------
    figures
        Rows x indicators.
    rules
        Indicator -> one of `TRANSFORMS`, or None.

    Raises
    ------
    StudyError
        An unknown rule, or a figure of 0 or less under a rule: names the column and the row.
    """
    result = figures.copy()
    for name, rule in rules.items():
        if rule is None:
            continue
        if rule not in TRANSFORMS:
            raise StudyError(
                f"indicator {name}, transform {rule!r}", "it is not known", f"use one of: {', '.join(TRANSFORMS)}"
            )
        _check_positive(figures[[name]], rule)
        result[name] = np.log(figures[name]) if rule == "log" else _box_cox(figures[name])
    return result


def box_cox_power(figures: "pd.Series[float]") -> float:
    """Power that makes the column most like a normal sample, by maximum likelihood.

    Source: Box and Cox (1964), Journal of the Royal Statistical Society B 26(2).
    """
    from scipy.stats import boxcox_normmax

    return float(boxcox_normmax(figures.to_numpy(dtype=float), method="mle"))


def _box_cox(figures: "pd.Series[float]") -> "pd.Series[float]":
    from scipy.special import boxcox

    return pd.Series(boxcox(figures.to_numpy(dtype=float), box_cox_power(figures)), index=figures.index)


def _check_positive(figures: pd.DataFrame, rule: str) -> None:
    matrix = check_figures(figures)
    if matrix.min() <= 0:
        row = int(matrix[:, 0].argmin())
        raise StudyError(
            f"column {figures.columns[0]}, {row_name(figures, row)}",
            f"{matrix[row, 0]:g} is not above 0, and {rule} needs figures above 0",
            "leave the rule out for this indicator",
        )
