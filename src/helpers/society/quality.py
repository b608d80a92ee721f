"""Government quality against social quality: the difference as an outcome, factors that lag, and the ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.clear import wild_parameter
from helpers.inference.cross_section import wild_mean
from helpers.inference.multiplicity import holm
from helpers.regression.panel import PanelFit
from helpers.regression.specification import shift_columns
from helpers.results.estimate import Estimate, t_estimate
from helpers.society.families import z_score
from helpers.study.model import Model

GOVERNMENT, SOCIAL, GAP = "government", "social", "gap"


def compare_qualities(data: pd.DataFrame, government: str, social: str) -> pd.DataFrame:
    """Both qualities in standard deviations over the rows that have both, and their difference.

    The coefficient of anything on the difference is the difference of its coefficients on the two, so every test of
    that difference is a test of one coefficient.

    Returns
    -------
    pandas.DataFrame
        The rows of the panel that have both, with the columns government, social, gap.
    """
    rows = data[data[[government, social]].notna().all(axis=1)]
    if rows.empty:
        raise StudyError(f"{government} and {social}", "no row has both", "correct the windows of the indices")
    one, other = (rows[name] / float(rows[name].std(ddof=1)) for name in (government, social))
    return rows.assign(**{GOVERNMENT: one, SOCIAL: other, GAP: one - other})


def trend_gaps(data: pd.DataFrame, government: str, factors: Sequence[str]) -> dict[str, Estimate]:
    """By how many initial standard deviations the outcome has moved further than each factor, first to last time.

    gap_i = (change of outcome) / sd_first - (change of factor) / sd_first, sd over entities at the first time; t test
    over entities; p by Holm over the factors.

    Parameters
    ----------
    data
        Panel limited to the times in which every factor has figures.
    government
        The outcome.
    factors
        The factors.
    """
    found = {name: _mean_test(figures) for name, figures in _lags(data, government, factors).items()}
    adjusted = holm([1.0 if item.p_value is None else item.p_value for item in found.values()])
    return {
        name: replace(item, p_value=float(p), convention="t test over entities, p by Holm over the factors")
        for (name, item), p in zip(found.items(), adjusted, strict=True)
    }


def wild_trend_gaps(
    data: pd.DataFrame,
    government: str,
    factors: Sequence[str],
    gaps: Mapping[str, Estimate],
    *,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """The gaps of `trend_gaps` by the restricted wild bootstrap, p by Holm over the factors."""
    found = {
        name: wild_mean(figures, gaps[name], draws=draws, rng=rng)
        for name, figures in _lags(data, government, factors).items()
    }
    adjusted = holm([1.0 if item.p_value is None else item.p_value for item in found.values()])
    return {
        name: replace(item, p_value=float(p), convention=f"{item.convention}; p by Holm over the factors")
        for (name, item), p in zip(found.items(), adjusted, strict=True)
    }


def _lags(data: pd.DataFrame, government: str, factors: Sequence[str]) -> dict[str, np.ndarray]:
    """Change of the outcome less change of each factor by entity, in standard deviations of the first time."""
    outcome = _standard_change(data[government])
    return {name: (outcome - _standard_change(data[name])).dropna().to_numpy(dtype=float) for name in factors}


def _standard_change(values: pd.Series) -> pd.Series:
    wide = values.unstack(level=1)
    first = wide.iloc[:, 0]
    return pd.Series((wide.iloc[:, -1] - first) / first.std(ddof=1))


def _mean_test(figures: np.ndarray) -> Estimate:
    n = len(figures)
    error = float(figures.std(ddof=1) / np.sqrt(n))
    return t_estimate(float(figures.mean()), error, n - 1, n_obs=n, n_entities=n, convention="t test over entities")


def ground_panel(
    data: pd.DataFrame, model: Model, factors: Sequence[str], window: Sequence[int]
) -> tuple[pd.DataFrame, Model]:
    """z(treatment)_t ~ z(factors)_t-1 + controls_t + effects; z-scores over the rows of the regression."""
    lagged = shift_columns(data, factors, 1, list(window))
    rows = lagged[[model.treatment, *factors, *model.controls]].dropna()
    scaled = rows.assign(**{name: z_score(rows[name]) for name in (model.treatment, *factors)})
    first, *others = factors
    return scaled, model.with_(outcome=model.treatment, treatment=first, controls=(*others, *model.controls))


def least_lead(found: PanelFit, first: str, others: Sequence[str]) -> tuple[Estimate, dict[str, Estimate]]:
    """The coefficient of one factor less that of each other, and the difference that is hardest to tell from none.

    "First" means ahead of every other: the union of the tests rejects only if each does, so the difference with the
    smallest statistic decides (Berger 1982), with its own two-sided p-value.

    Returns
    -------
    tuple
        The smallest difference by its statistic, and all differences by the other's name.
    """
    differences = {name: found.combine({first: 1.0, name: -1.0}) for name in others}
    least = min(differences.values(), key=lambda item: item.statistic if item.statistic is not None else np.inf)
    return replace(least, convention=f"{least.convention}; the smallest of {len(differences)} differences"), differences


def wild_lead(
    found: PanelFit, first: str, leads: Mapping[str, Estimate], *, draws: int, rng: np.random.Generator
) -> Estimate:
    """The lead of one factor that the restricted wild bootstrap tells least from none: the largest p-value decides."""
    tested = [
        wild_parameter(found, {first: 1.0, name: -1.0}, lead, draws=draws, rng=rng) for name, lead in leads.items()
    ]
    least = max(tested, key=lambda item: item.p_value if item.p_value is not None else 1.0)
    return replace(least, convention=f"{least.convention}; the least clear of {len(tested)} differences")
