"""Group-time effects of Callaway and Sant'Anna (2021): one cohort against entities that never get the policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.policy.pilots import START
from helpers.results.estimate import Estimate


@dataclass(frozen=True)
class CohortEffects:
    """Effects of one cohort, unconditional, against the never treated.

    Attributes
    ----------
    start
        The cohort's first time under the policy.
    by_time
        One row per time but the first: estimate, std_error, ci_low, ci_high. Before the start the base is the time
        before (so that a row is a placebo of one step), from the start on the last time before it.
    average
        Mean of the effects from the start on.
    n_cohort, n_never
        Entities of the cohort, and those that never get the policy.
    """

    start: int
    by_time: pd.DataFrame
    average: Estimate
    n_cohort: int
    n_never: int


def cohort_effects(data: pd.DataFrame, outcome: str, start: int) -> CohortEffects:
    """ATT(g, t) = mean of Y_t - Y_base in the cohort less that among the never treated.

    Standard errors by the influence function, clustered by entity: with p the share of the cohort and q that of the
    never treated, psi_i = 1(cohort) (d_i - mean) / p - 1(never) (d_i - mean) / q over the entities of both groups, and
    SE = sqrt(sum psi_i^2) / n. Intervals pointwise, normal.

    Parameters
    ----------
    data
        Balanced panel with the outcome and `policy_start`.
    outcome
        Column.
    start
        The cohort.

    Raises
    ------
    StudyError
        A cohort of fewer than two entities, nobody who never gets the policy, no time before the start, or an entity
        without a figure at some time.

    Source: Callaway and Sant'Anna (2021), Journal of Econometrics 225(2), 200-230.
    """
    starts = data[START].groupby(level=0).first()
    wide = data[outcome].unstack(level=1)
    times = [int(time) for time in wide.columns]
    cohort, never = starts == start, starts.isna()
    if int(cohort.sum()) < 2 or int(never.sum()) < 2 or start <= times[0] or start not in times:
        raise StudyError(
            f"cohort of {start}",
            f"{int(cohort.sum())} entities, {int(never.sum())} that never get the policy, times from {times[0]}",
            "a cohort and its comparison need two entities each, and a time before the start",
        )
    alone = wide.index[(cohort | never) & wide.isna().any(axis=1)]
    if len(alone):
        raise StudyError(
            f"cohort of {start}, {alone[0]}",
            "it has no figure at some time",
            "keep the entities that are seen every time",
        )
    rows, influence = {}, {}
    for place, time in enumerate(times):
        base = times[place - 1] if time < start else max(earlier for earlier in times if earlier < start)
        if place == 0:
            continue
        change = (wide[time] - wide[base]).to_numpy(dtype=float)
        rows[time], influence[time] = _effect(change, cohort.to_numpy(), never.to_numpy())
    after = [time for time in rows if time >= start]
    mean = float(np.mean([rows[time] for time in after]))
    table = pd.DataFrame({time: _row(rows[time], influence[time]) for time in rows}).T.rename_axis(
        str(wide.columns.name)
    )
    mean_error = _error(np.mean([influence[time] for time in after], axis=0))
    half = float(stats.norm.ppf(0.975)) * mean_error
    average = Estimate(
        estimate=mean,
        std_error=mean_error,
        statistic=mean / mean_error,
        p_value=float(2 * stats.norm.sf(abs(mean / mean_error))),
        ci_low=mean - half,
        ci_high=mean + half,
        n_obs=int(wide[cohort | never].size),
        n_entities=int(cohort.sum() + never.sum()),
        convention="Callaway-Sant'Anna, never treated, influence function, normal",
    )
    return CohortEffects(start, table, average, int(cohort.sum()), int(never.sum()))


def _effect(change: np.ndarray, cohort: np.ndarray, never: np.ndarray) -> tuple[float, np.ndarray]:
    """Difference of the mean changes, and its influence on the entities of both groups."""
    n = int(cohort.sum() + never.sum())
    one, other = change[cohort].mean(), change[never].mean()
    psi = cohort * (change - one) * (n / cohort.sum()) - never * (change - other) * (n / never.sum())
    return float(one - other), psi[cohort | never]


def _error(influence: np.ndarray) -> float:
    return float(np.sqrt((influence**2).sum()) / len(influence))


def _row(estimate: float, influence: np.ndarray) -> dict[str, float]:
    error = _error(influence)
    half = float(stats.norm.ppf(0.975)) * error
    return {"estimate": estimate, "std_error": error, "ci_low": estimate - half, "ci_high": estimate + half}
