"""The coefficients of a panel regression with what a reader needs beside them, however they were come by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.regression.conventions import describe
from helpers.results.estimate import Estimate, estimate_frame, t_estimate
from helpers.results.rounding import fix_number
from helpers.study.model import Cluster


@dataclass(frozen=True, repr=False, kw_only=True)
class Coefficients:
    """What is printed of a fitted regression.

    Attributes
    ----------
    estimates, std_errors, statistics, p_values, ci_low, ci_high
        Series indexed by regressor; without effects the last regressor is the intercept `const`.
        Statistics are t = estimate / std_error, p-values two-sided, intervals 95 %, all from t(df).
    covariance
        Covariance of the estimates, regressor x regressor.
    df
        Degrees of freedom of the t distribution.
    n_obs, n_entities, n_times
        Rows, entities and times used.
    n_clusters
        Number of clusters (the smaller number with two cluster variables), 0 without clusters.
    r_squared, r_squared_within
        Share of the variance of the outcome explained by regressors and effects; by regressors after the effects.
    convention
        Name of the standard-error convention.
    outcome, regressors, entity_effects, time_effects, cluster
        What was asked for.
    notes
        What a reader must know: singleton clusters or entities, a covariance that had to be repaired.
    weights
        The column that rows are weighted by; None where they count the same.
    """

    estimates: pd.Series
    std_errors: pd.Series
    statistics: pd.Series
    p_values: pd.Series
    ci_low: pd.Series
    ci_high: pd.Series
    covariance: pd.DataFrame
    df: int
    n_obs: int
    n_entities: int
    n_times: int
    n_clusters: int
    r_squared: float
    r_squared_within: float
    convention: str
    outcome: str
    regressors: tuple[str, ...]
    entity_effects: bool
    time_effects: bool
    cluster: Cluster
    notes: tuple[str, ...]
    weights: str | None = None

    def __getitem__(self, term: str) -> Estimate:
        """One regressor's estimate with everything that belongs to it.

        Raises
        ------
        StudyError
            No regressor of this name.
        """
        if term not in self.estimates.index:
            terms = ", ".join(map(str, self.estimates.index))
            raise StudyError(f"model of {self.outcome}", f"it has no term {term!r}", f"name one of its terms: {terms}")
        return Estimate(
            estimate=float(self.estimates[term]),
            std_error=float(self.std_errors[term]),
            statistic=float(self.statistics[term]),
            df=self.df,
            p_value=float(self.p_values[term]),
            ci_low=float(self.ci_low[term]),
            ci_high=float(self.ci_high[term]),
            n_obs=self.n_obs,
            n_entities=self.n_entities,
            n_clusters=self.n_clusters,
            convention=self.convention_words,
        )

    def combine(self, weights: Mapping[str, float]) -> Estimate:
        """A linear combination of the coefficients, sum of w_k b_k, with its test and interval by t(df)."""
        names, w = list(weights), np.array(list(weights.values()), dtype=float)
        found = float(w @ self.estimates[names].to_numpy())
        error = float(np.sqrt(w @ self.covariance.loc[names, names].to_numpy() @ w))
        return t_estimate(
            found,
            error,
            self.df,
            n_obs=self.n_obs,
            n_entities=self.n_entities,
            n_clusters=self.n_clusters,
            convention=self.convention_words,
        )

    @property
    def convention_words(self) -> str:
        """What the standard errors rest on, in words."""
        by = self.cluster if isinstance(self.cluster, str) else " and ".join(self.cluster or ())
        words = describe(self.convention, by, self.df)
        return words if self.weights is None else f"rows weighted by {self.weights}; {words}"

    def table(self) -> pd.DataFrame:
        """The whole coefficient table: one row per regressor, columns as in `estimate_frame`."""
        return estimate_frame({str(term): self[str(term)] for term in self.estimates.index}).rename_axis("term")

    def facts(self) -> str:
        """Rows, entities, clusters, degrees of freedom, R-squared and notes in one line."""
        within = (f"R² within = {self.r_squared_within:.3f}",) if self.entity_effects or self.time_effects else ()
        parts = (
            f"N = {self.n_obs}", f"entities = {self.n_entities}", f"clusters G = {self.n_clusters}",
            f"df = {self.df}", f"R² = {self.r_squared:.3f}", *within,
            f"standard errors {self.convention_words}", *self.notes,
        )  # fmt: skip
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"{self.table().to_string(float_format=lambda number: fix_number(number, 4))}\n{self.facts()}"

    def _repr_html_(self) -> str:
        from helpers.display.tables import show_table

        return show_table(self.table(), caption=f"{self.outcome}: all coefficients", note=self.facts(), digits=4).html


def infer_by_t(estimates: Floats, covariance: Floats, df: int, names: Sequence[str]) -> dict[str, Any]:
    """The fields of `Coefficients` that follow from estimates and their covariance: t(df), two-sided, intervals 95 %.

    Parameters
    ----------
    estimates, covariance
        (k,) and (k, k), in the order of `names`.
    """
    index = pd.Index(names)
    values = pd.Series(estimates, index=index)
    std_errors = pd.Series(np.sqrt(np.diag(covariance)), index=index)
    statistics = values / std_errors
    half = stats.t.ppf(0.975, df) * std_errors
    return {
        "estimates": values,
        "std_errors": std_errors,
        "statistics": statistics,
        "p_values": pd.Series(2 * stats.t.sf(np.abs(statistics), df), index=index),
        "ci_low": values - half,
        "ci_high": values + half,
        "covariance": pd.DataFrame(covariance, index=index, columns=index),
        "df": df,
    }
