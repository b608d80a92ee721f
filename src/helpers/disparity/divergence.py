"""Whether entities come together or drift apart, as estimates: the trend of the spread, the Gini, the distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.disparity.dynamics import beta_convergence, sigma_convergence
from helpers.disparity.inequality import gini
from helpers.errors import StudyError
from helpers.results.estimate import Estimate, drawn_error, t_estimate


def sigma_trend(values: pd.Series) -> Estimate:
    """Yearly trend of ln(sd / mean) over entities, by least squares on time; p from t(T - 2)."""
    found = sigma_convergence(values)
    trend = t_estimate(
        found.slope,
        found.std_error,
        len(found.by_time) - 2,
        n_obs=len(found.by_time),
        convention="least squares of the logarithm of the coefficient of variation on time",
    )
    return replace(trend, p_value=found.p_value)


def beta_slope(values: pd.Series) -> Estimate:
    """Absolute convergence between the first and the last time: mean log growth on the initial log, HC1."""
    found = beta_convergence(values)
    return t_estimate(
        found.estimate,
        found.std_error,
        found.n_obs - 2,
        n_obs=found.n_obs,
        n_entities=found.n_obs,
        convention="mean growth of the logarithm on its initial value, hc1",
    )


def gini_change(values: pd.Series, *, draws: int, rng: np.random.Generator) -> Estimate:
    """Change of the Gini coefficient from the first to the last time, entities drawn anew.

    Percentile interval of 95 %; the p-value inverts it: twice the smaller share of draws on either side of 0, the
    sample counted once.

    Parameters
    ----------
    values
        By entity and time, of 0 or more; the entities that are there at both ends are used.
    draws
        Bootstrap samples of entities; both ends of an entity stay together.
    rng
        Source of the samples.

    Raises
    ------
    StudyError
        Fewer than three entities or two draws.
    """
    wide = values.unstack(level=1)
    ends = wide.iloc[:, [0, -1]].dropna().to_numpy(dtype=float)
    if len(ends) < 3 or draws < 2:
        raise StudyError("change of the Gini", f"{len(ends)} entities, {draws} draws", "give 3 or more, and draws")
    estimate = gini(ends[:, 1]) - gini(ends[:, 0])
    counts = rng.multinomial(len(ends), np.full(len(ends), 1 / len(ends)), size=draws).astype(float)
    drawn = _weighted_gini(ends[:, 1], counts) - _weighted_gini(ends[:, 0], counts)
    below, above = np.sum(drawn <= 0), np.sum(drawn >= 0)
    p_value = float(min(1.0, 2 * (min(below, above) + 1) / (draws + 1)))
    return Estimate(
        estimate=estimate,
        std_error=float(drawn.std(ddof=1)),
        p_value=p_value,
        ci_low=float(np.quantile(drawn, 0.025)),
        ci_high=float(np.quantile(drawn, 0.975)),
        n_obs=2 * len(ends),
        n_entities=len(ends),
        draws=draws,
        p_error=drawn_error(p_value, draws, twice=True),
        convention="entity bootstrap, percentile interval",
    )


def _weighted_gini(figures: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Gini of each sample in which entity i counts `counts[b, i]` times, (B,)."""
    order = np.argsort(figures, kind="stable")
    sorted_figures, weights = figures[order], counts[:, order]
    n = weights.sum(axis=1)
    # sum over pairs |x - y| = 2 sum_i x_i w_i (weight below - weight above)
    below = np.cumsum(weights, axis=1) - weights
    spread = 2 * (sorted_figures * weights * (below - (n[:, None] - below - weights))).sum(axis=1)
    return np.asarray(spread / (2 * n * (weights @ sorted_figures)))


def group_first_level(values: pd.Series, groups: int) -> pd.Series:
    """The group (1 lowest ... `groups`) of each entity by its value at the first time, cut at equal shares.

    A value on a cut belongs to the lower group, as with pandas' `qcut`.
    """
    first = values.xs(values.index.get_level_values(1).min(), level=1).dropna()
    cuts = np.quantile(first.to_numpy(dtype=float), np.arange(1, groups) / groups)
    return pd.Series(np.searchsorted(cuts, first.to_numpy(dtype=float)) + 1, index=first.index)


def upper_lower_gap(values: pd.Series, groups: int = 3) -> Estimate:
    """How much more the entities of the upper group gained than those of the lower, first time to last, in points.

    Groups are by the value at the first time; Welch's test of two means, Satterthwaite's degrees of freedom.

    Raises
    ------
    StudyError
        A group with fewer than two entities.
    """
    return welch_gap(*upper_lower_changes(values, groups))


def upper_lower_changes(values: pd.Series, groups: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """First to last change of the entities in the upper and in the lower group by the value at the first time."""
    place = group_first_level(values, groups)
    wide = values.unstack(level=1)
    change = (wide.iloc[:, -1] - wide.iloc[:, 0]).dropna()
    place = place.reindex(change.index)
    return change[place == groups].to_numpy(dtype=float), change[place == 1].to_numpy(dtype=float)


def welch_gap(upper: np.ndarray, lower: np.ndarray) -> Estimate:
    """Difference of two means by Welch's test."""
    if min(len(upper), len(lower)) < 2:
        raise StudyError(
            "difference of two groups", f"they have {len(upper)} and {len(lower)} entities", "use fewer groups"
        )
    parts = upper.var(ddof=1) / len(upper), lower.var(ddof=1) / len(lower)
    error = float(np.sqrt(sum(parts)))
    weights = parts[0] ** 2 / (len(upper) - 1) + parts[1] ** 2 / (len(lower) - 1)
    df = float(sum(parts) ** 2 / weights) if error > 0 else 1.0
    gap = float(upper.mean() - lower.mean())
    size = len(upper) + len(lower)
    return t_estimate(gap, error, df, n_obs=size, n_entities=size, convention="Welch")
