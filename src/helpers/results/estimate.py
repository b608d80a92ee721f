"""One estimated number with what a reader needs to judge it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers.errors import StudyError

ESTIMATE_COLUMNS = ("estimate", "std_error", "statistic", "df", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An estimate; what does not apply to it is None.

    Attributes
    ----------
    estimate
        The number.
    std_error, statistic, df
        Its standard error, the statistic of the test against zero and the statistic's degrees of freedom.
    p_value
        Two-sided unless the convention says otherwise.
    ci_low, ci_high
        Its interval, 95 % unless the convention says otherwise; an end may be infinite.
    n_obs, n_entities, n_clusters
        Rows, entities and clusters behind it.
    draws
        Number of random draws behind the p-value, which then cannot be below 1 / draws; None where nothing was drawn.
    p_error
        Monte-Carlo standard error of a drawn p-value that is not a plain share of the draws; else None (`drawn_error`).
    convention
        What standard error, p-value and interval rest on, in words.
    """

    estimate: float
    std_error: float | None = None
    statistic: float | None = None
    df: float | None = None
    p_value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n_obs: int | None = None
    n_entities: int | None = None
    n_clusters: int | None = None
    draws: int | None = None
    p_error: float | None = None
    convention: str | None = None


def t_estimate(estimate: float, std_error: float, df: float, **rest: Any) -> Estimate:
    """An estimate with its test against zero and its 95 % interval, both by t(df).

    Parameters
    ----------
    estimate, std_error, df
        The number, its standard error and the degrees of freedom of their ratio.
    **rest
        Further fields of `Estimate`: what it rests on.

    Raises
    ------
    StudyError
        A standard error that is not above 0.
    """
    from helpers import distributions as stats

    if not std_error > 0:
        raise StudyError("t test", "its figures do not vary, so that the standard error is 0", "leave it out")
    half = float(stats.t.ppf(0.975, df)) * std_error
    return Estimate(
        estimate=estimate,
        std_error=std_error,
        statistic=estimate / std_error,
        df=df,
        p_value=float(2 * stats.t.sf(abs(estimate / std_error), df)),
        ci_low=estimate - half,
        ci_high=estimate + half,
        **rest,
    )


def drawn_error(p_value: float, draws: int, *, twice: bool = False) -> float:
    """Monte-Carlo standard error of a p-value from B random draws, sqrt(p (1 - p) / B).

    A p-value that is ``twice`` the smaller share of the draws on either side of 0 has sqrt(p (2 - p) / B).
    """
    return math.sqrt(p_value * ((2 if twice else 1) - p_value) / draws)


def estimate_frame(estimates: Mapping[str, Estimate]) -> pd.DataFrame:
    """Estimates as a table: one row per name, columns estimate, std_error, statistic, df, p_value, ci_low, ci_high."""
    rows = {name: [getattr(found, column) for column in ESTIMATE_COLUMNS] for name, found in estimates.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(ESTIMATE_COLUMNS)).astype(float)
