"""Mediation with a yes-or-no outcome: linear mediator, probit outcome, effects in probabilities.

M = X a + s e, P(Y = 1) = Phi(X c' + b M), treatment D among X; with an interaction b is another where D = 1. With
p(t, m) the mean over the rows of the probability at treatment t and the mediator as it would be at treatment m,
averaged over e,
    indirect(t) = p(t, 1) - p(t, 0),   direct(m) = p(1, m) - p(0, m),   total = p(1, 1) - p(0, 0).
Averaging over e is exact: E Phi(u + b s e) = Phi(u / sqrt(1 + b^2 s^2)).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.inference.resampling import check_level
from helpers.regression.effects import Floats
from helpers.results.estimate import Estimate, drawn_error
from helpers.study.model import Model


@dataclass(frozen=True)
class ProbitMediation:
    """Effects of a binary treatment on the probability of an outcome.

    Attributes
    ----------
    indirect_effect, direct_effect
        Averages of the effects at treatment 0 and 1 (ACME and ADE of the R package mediation).
    total_effect
        Indirect at one treatment plus direct at the other.
    indirect_effects, direct_effects
        At treatment 0 and 1 (direct: with the mediator as at treatment 0 and 1).
    n_obs, draws
        Rows and draws.
    """

    indirect_effect: Estimate
    direct_effect: Estimate
    total_effect: Estimate
    indirect_effects: tuple[Estimate, Estimate]
    direct_effects: tuple[Estimate, Estimate]
    n_obs: int
    draws: int


def mediation_effects_probit(
    data: pd.DataFrame,
    model: Model,
    mediator: str,
    *,
    interaction: bool = False,
    draws: int = 2000,
    rng: np.random.Generator,
    level: float = 0.95,
) -> ProbitMediation:
    """Estimate the effects through one mediator on the probability of an outcome.

    Quasi-Bayesian draws (Imai, Keele and Tingley 2010): the coefficients of both models are drawn from their normal
    approximations, with the covariances of least squares and of maximum likelihood.

    Parameters
    ----------
    data
        One row per observation; no effects are absorbed.
    model
        Outcome and treatment hold 0 and 1; a constant is added, effects and cluster are not looked at.
    mediator
        Name of a numeric column.
    interaction
        Whether the mediator's effect on the outcome may differ between treated and others.
    draws, rng, level
        Draws of the coefficients, their source, and the coverage of the intervals.

    Raises
    ------
    StudyError
        Missing columns or figures, outcome or treatment not 0 and 1, or a probit that the data separate.
    """
    import statsmodels.api as sm

    check_level(level)
    outcome, treatment, controls = model.outcome, model.treatment, model.controls
    names = [outcome, treatment, mediator, *controls]
    columns = _check(data, names)
    # Effects are probabilities: with mediator and controls in units of their spread no draw depends on a unit.
    scaled = columns[[mediator, *controls]]
    columns = columns.assign(**((scaled - scaled.mean()) / scaled.std().where(scaled.std() > 0, 1.0)))
    base = np.column_stack([np.ones(len(columns)), columns[treatment], columns[list(controls)]])
    middle = columns[mediator].to_numpy()
    linear = sm.OLS(middle, base).fit()
    slopes = [middle, middle * columns[treatment].to_numpy()] if interaction else [middle]
    probit = _fit_probit(columns[outcome], np.column_stack([base, *slopes]))
    first = rng.multivariate_normal(linear.params, linear.cov_params(), size=draws)
    second = rng.multivariate_normal(probit.params, probit.cov_params(), size=draws)
    if not interaction:
        second = np.column_stack([second, np.zeros(draws)])
    p = _probabilities(base, first, second, float(np.sqrt(linear.scale)))
    indirect = [p[t, 1] - p[t, 0] for t in (0, 1)]
    direct = [p[1, m] - p[0, m] for m in (0, 1)]
    summaries = [_summarise(effect, level, len(columns)) for effect in (*indirect, *direct)]
    return ProbitMediation(
        indirect_effect=_summarise((indirect[0] + indirect[1]) / 2, level, len(columns)),
        direct_effect=_summarise((direct[0] + direct[1]) / 2, level, len(columns)),
        total_effect=_summarise(p[1, 1] - p[0, 0], level, len(columns)),
        indirect_effects=(summaries[0], summaries[1]),
        direct_effects=(summaries[2], summaries[3]),
        n_obs=len(columns),
        draws=draws,
    )


def _fit_probit(figures: pd.Series[float], columns: Floats) -> Any:
    """Maximum likelihood; what does not converge is refused."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning

    try:
        with warnings.catch_warnings():
            for refusal in (PerfectSeparationWarning, ConvergenceWarning):
                warnings.simplefilter("error", refusal)
            return sm.Probit(figures.to_numpy(), columns).fit(disp=0)
    except (PerfectSeparationError, PerfectSeparationWarning, ConvergenceWarning, np.linalg.LinAlgError):
        outcome = figures.name
        raise StudyError(
            f"probit of {outcome}", "the columns separate 0 from 1, or repeat one another", "use fewer controls"
        ) from None


def _check(data: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The columns as figures: outcome, treatment, mediator, controls."""
    wrong = [name for name in names if name not in data.columns or names.count(name) > 1]
    if wrong:
        raise StudyError("mediation", f"{', '.join(wrong)} is missing or named twice", "name each column once")
    columns = data[names].astype(float)
    if not np.isfinite(columns.to_numpy()).all():
        raise StudyError("mediation", "some figures are missing or infinite", "fill or leave out their rows first")
    for name in names[:2]:
        if set(columns[name].unique()) != {0.0, 1.0}:
            raise StudyError(f"column {name}", "it must hold 0 and 1, both", "code it as 0 and 1")
    return columns


def _probabilities(base: Floats, first: Floats, second: Floats, scale: float) -> dict[tuple[int, int], Floats]:
    """Mean probability (draws,) at treatment t and the mediator as at treatment m, by (t, m)."""
    at = []
    for value in (0.0, 1.0):
        rows = base.copy()
        rows[:, 1] = value
        at.append(rows)
    found = {}
    for t in (0, 1):
        slope = second[:, -2] + t * second[:, -1]
        spread = np.sqrt(1 + (slope * scale) ** 2)
        for m in (0, 1):
            index = at[t] @ second[:, :-2].T + slope * (at[m] @ first.T)
            found[t, m] = stats.norm.cdf(index / spread).mean(axis=0)
    return found


def _summarise(draws: ArrayLike, level: float, n_obs: int) -> Estimate:
    """Mean of the draws, percentile interval, two-sided p-value."""
    sample = np.asarray(draws, dtype=float)
    low, high = (float(bound) for bound in np.quantile(sample, [(1 - level) / 2, (1 + level) / 2]))
    p_value = min(1.0, 2 * (min(np.sum(sample <= 0), np.sum(sample >= 0)) + 1) / (len(sample) + 1))
    return Estimate(
        estimate=float(sample.mean()),
        ci_low=low,
        ci_high=high,
        p_value=float(p_value),
        n_obs=n_obs,
        draws=len(sample),
        p_error=drawn_error(p_value, len(sample), twice=True),
        convention="probit, draws of the coefficients",
    )
