"""The primary specification on completed panels: what the rows that the main run drops would have added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.cleaning.gaps import derive
from helpers.cleaning.imputation import Method, PooledEstimate, impute, pool_estimates
from helpers.cleaning.sample import mark_sample, model_columns
from helpers.errors import StudyError
from helpers.index.build import build_index
from helpers.regression.panel import PanelFit
from helpers.regression.specification import specify
from helpers.results.estimate import Estimate
from helpers.study.formula import parse_formula

if TYPE_CHECKING:
    from helpers.study.study import MissingRule, Study


@dataclass(frozen=True)
class ImputedFit:
    """One specification on m completed panels, pooled.

    Attributes
    ----------
    pooled
        Regressor -> pooled estimate.
    imputed
        One row per completed column: cells drawn, and their share of the rows.
    n_obs, n_entities
        Rows and entities of every completed panel.
    n_complete
        Rows that needed no draw: those of the main run.
    n_left_out
        Rows that stay out: another figure is missing, or an entity or a time has no figure of the column at all.
    convention
        What the standard errors within a panel rest on.
    """

    pooled: dict[str, PooledEstimate]
    imputed: pd.DataFrame
    n_obs: int
    n_entities: int
    n_complete: int
    n_left_out: int
    convention: str

    def effect(self, term: str) -> Estimate:
        """One pooled regressor."""
        one = self.pooled[term]
        return Estimate(
            estimate=one.estimate,
            std_error=one.std_error,
            statistic=one.statistic,
            p_value=one.p_value,
            ci_low=one.ci_low,
            ci_high=one.ci_high,
            n_obs=self.n_obs,
            n_entities=self.n_entities,
            convention=f"{self.convention} within each panel, pooled by Rubin's rules, Barnard-Rubin t({one.df:.1f})",
        )


def fit_imputed(
    panel: pd.DataFrame,
    columns: Sequence[str],
    m: int,
    rng: np.random.Generator,
    fit: Callable[[pd.DataFrame], PanelFit],
    *,
    method: Method = "normal",
) -> ImputedFit:
    """Complete a panel m times, fit each, and pool every regressor by Rubin's rules.

    Parameters
    ----------
    panel
        The columns of the analysis, with gaps; index entity then time.
    columns
        Those to complete. Rows that cannot be completed are left out and counted.
    m
        Number of completed panels.
    rng
        Source of the draws.
    fit
        The specification: completed panel -> fit. Indices are made in it, so that they are made anew for every panel.
    method
        From :func:`helpers.cleaning.imputation.impute`.

    Raises
    ------
    StudyError
        From :func:`helpers.cleaning.imputation.impute`, and when no row is left or nothing is missing.
    """
    rows = _completable(panel, columns)
    gaps = rows[list(columns)].isna().sum()
    if gaps.sum() == 0:
        raise StudyError(
            f"multiple imputation of {', '.join(columns)}",
            "no figure is missing that could be drawn",
            "take the rule out, or look at the rows that are left out",
        )
    fits = [fit(completed) for completed in impute(rows, columns, m, rng, method=method)]
    return ImputedFit(
        pooled={
            str(name): pool_estimates([one.estimates[name] for one in fits], [one.std_errors[name] for one in fits], df)
            for df in [fits[0].df]
            for name in fits[0].estimates.index
        },
        imputed=pd.DataFrame({"cells": gaps, "share": gaps / len(rows)})[gaps > 0].rename_axis("column"),
        n_obs=fits[0].n_obs,
        n_entities=fits[0].n_entities,
        n_complete=int(rows.notna().all(axis=1).sum()),
        n_left_out=len(panel) - len(rows),
        convention=fits[0].convention,
    )


def _completable(panel: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The rows whose gaps can be drawn: the other columns hold a figure, and entity and time are known in each."""
    rows = panel[panel.drop(columns=list(columns)).notna().all(axis=1)]
    while True:
        known = pd.Series(True, index=rows.index)
        for name in columns:
            for level in (0, 1):
                known &= rows[name].groupby(level=level).transform("count") > 0
        if known.all():
            return rows
        rows = rows[known]


def imputed_columns(study: Study) -> list[str]:
    """The model's derived columns whose formula reads a statistic with the rule ``multiple_imputation``."""
    ruled = {rule.column for rule in _rules(study)}
    return [name for name in model_columns(study) if set(parse_formula(study.formulas[name], name).columns) & ruled]


def judge_gaps(study: Study) -> str:
    """Why nothing is imputed: "left_out" where rows with a gap are and no rule asks for draws, else "complete"."""
    return "left_out" if study.sample.missing == "drop" and not _rules(study) else "complete"


def _rules(study: Study) -> list[MissingRule]:
    return [rule for rule in study.missing if rule.rule == "multiple_imputation"]


def fit_imputed_study(statistics: pd.DataFrame, study: Study, rng: np.random.Generator) -> ImputedFit:
    """Pool the study's primary specification over completed panels, where a rule asks for it.

    The derived columns are completed, over the rows of the sample: the imputation model then holds the analysis' own
    variables on the analysis' own scale. Indices of the model are made anew on every completed panel.

    Parameters
    ----------
    statistics
        The raw statistics after the other rules, for every period that is read.
    study
        Its rules ``multiple_imputation`` say which statistics; the largest ``m`` of them is used.
    rng
        Source of the draws.

    Raises
    ------
    StudyError
        From :func:`fit_imputed`; and where no rule asks for it or no figure that the model needs is missing.
    """
    marked = mark_sample(statistics, study)
    panel = derive(statistics, study.formulas, marked)[marked][model_columns(study)]
    columns = imputed_columns(study)
    if not panel[columns].isna().any(axis=None):
        rule = "no figure that a rule multiple_imputation is for is missing in the model"
        raise StudyError(
            "multiple imputation", rule, "leave the rows out, or declare the rule for a statistic with gaps"
        )
    m = max(rule.m or 2 for rule in _rules(study))
    return fit_imputed(panel, columns, m, rng, lambda completed: _fit_primary(completed, study))


def _fit_primary(completed: pd.DataFrame, study: Study) -> PanelFit:
    roles = (study.specification.outcome, study.specification.treatment, *study.specification.controls)
    built = {name: build_index(completed, study.indices[name]).values for name in roles if name in study.indices}
    return specify(completed.assign(**built), study).fit()
