"""Tests on the residuals of a panel regression: dependence across entities, over time, and unequal variances."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import distributions as stats
from helpers.diagnostics.effects_tests import Diagnostic
from helpers.errors import StudyError
from helpers.regression.collinearity import least_squares, solve, span
from helpers.regression.design import build_design, check_panel
from helpers.regression.effects import Codes, Effects, Floats, group_means, group_sums
from helpers.regression.panel import fit_panel

# Numbers held at once while groups of entities are compared, and the length, in units of the largest residual, below
# which what is left of residuals is rounding.
CHUNK, CONSTANT = 1_000_000, 1e-12


def pesaran_cd(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = True,
    time_effects: bool = False,
    heterogeneous: bool = False,
) -> Diagnostic:
    """Test that the errors of different entities are unrelated (Pesaran 2004, 2021).

    CD = sum over pairs of sqrt(T_ij) r_ij / sqrt(number of pairs), r_ij the correlation of the residuals of two
    entities over their T_ij common times; pairs with fewer than two common times, or a constant residual, are left out.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`.
    entity_effects, time_effects
        Effects of the regression whose residuals are used. With time effects CD is no longer centred at 0.
    heterogeneous
        Fit one regression with intercept for each entity instead; each needs more rows than regressors + 1.

    Raises
    ------
    StudyError
        As `fit_panel`; or an entity has too few rows, or no pair of entities has common times.
    """
    if heterogeneous:
        residuals = _entity_residuals(data, outcome, regressors)
    else:
        residuals = fit_panel(
            data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects, cluster=None
        ).residuals
    wide = residuals.unstack(level=0).to_numpy(dtype=float).T
    total, pairs = _sum_correlations(wide[~np.isnan(wide).all(axis=1)])
    if not pairs:
        raise StudyError("Pesaran CD", "no two entities share two times", "use a panel with more common times")
    statistic = total / float(np.sqrt(pairs))
    return Diagnostic(
        "Pesaran CD test",
        statistic,
        (),
        float(2 * stats.norm.sf(abs(statistic))),
        "normal",
        "errors of different entities are unrelated",
        "with time effects in the model the statistic is biased towards negative values" if time_effects else "",
    )


def _sum_correlations(residuals: Floats) -> tuple[float, int]:
    """Sum over pairs of entities of sqrt(T_ij) r_ij, and how many pairs have an r_ij; residuals (G, T), NaN unseen.

    With z_i the residuals of entity i, centred over the common times and of length 1, r_ij = z_i'z_j. Entities that are
    seen at the same times share one set of common times with all of another such group, so that the sum over the pairs
    of two groups is the product of their sums of z, and within a group it is (|sum of z|^2 - number) / 2. No array
    grows with the number of pairs.
    """
    seen = ~np.isnan(residuals)
    patterns, of_pattern = np.unique(seen, axis=0, return_inverse=True)
    order = np.argsort(of_pattern.ravel(), kind="stable")
    residuals, seen = np.where(seen, residuals, 0.0)[order], seen[order]
    ends = np.cumsum(np.bincount(of_pattern.ravel()))
    starts = np.concatenate([[0], ends[:-1]])
    least = CONSTANT * float(np.abs(residuals).max(initial=0.0))
    total, pairs = 0.0, 0
    for place, times in enumerate(patterns):
        first, groups = starts[place], starts[place:] - starts[place]
        z, usable = _standardise(residuals[first:, times], seen[first:, times], least)
        theirs, counts = np.add.reduceat(z, groups), np.add.reduceat(usable, groups, dtype=int)
        total += float(np.sqrt(times.sum()) * (theirs[0] @ theirs[0] - counts[0]) / 2)
        pairs += int(counts[0] * (counts[0] - 1) // 2)
        common = patterns[place + 1 :, times]
        ours, own = _sum_over(residuals[first : ends[place], times], common, least)
        total += float(np.sqrt(common.sum(axis=1)) @ (ours * theirs[1:]).sum(axis=1))
        pairs += int(own @ counts[1:])
    return total, pairs


def _sum_over(residuals: Floats, masks: np.ndarray, least: float) -> tuple[Floats, np.ndarray]:
    """Sum of standardised residuals of entities (G, T) over each of P sets of times, (P, T), and how many, (P,)."""
    sums, counts = np.zeros(masks.shape), np.zeros(len(masks), dtype=int)
    step = max(1, CHUNK // max(1, masks.size))
    for start in range(0, len(residuals) if len(masks) else 0, step):
        z, usable = _standardise(residuals[start : start + step, None, :], masks[None], least)
        sums += z.sum(axis=0)
        counts += usable.sum(axis=0)
    return sums, counts


def _standardise(values: Floats, mask: np.ndarray, least: float) -> tuple[Floats, np.ndarray]:
    """Values (..., T) centred over the times of a mask and of length 1; and which have two times and vary."""
    n = mask.sum(axis=-1, keepdims=True)
    centred = np.where(mask, values - np.sum(values * mask, axis=-1, keepdims=True) / np.maximum(n, 1), 0.0)
    length = np.sqrt(np.sum(centred**2, axis=-1, keepdims=True))
    usable = (n >= 2) & (length > least)
    return centred / np.where(usable, length, np.inf), usable[..., 0]


def _entity_residuals(data: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> pd.Series:
    """Residuals of one regression with intercept for each entity."""
    panel = check_panel(data, [outcome, *regressors])
    parts = []
    for entity, rows in panel.groupby(level=0):
        x = np.column_stack([rows[list(regressors)].to_numpy(), np.ones(len(rows))])
        # The intercept goes first, so that a regressor is judged by what it adds to it.
        basis = span(x[:, ::-1])
        if basis.rank < x.shape[1] or len(rows) <= x.shape[1]:
            raise StudyError(
                f"Pesaran CD, {entity}",
                f"its rows ({len(rows)}) cannot determine its own {x.shape[1]} coefficients",
                "use the residuals of one regression for all (heterogeneous=False)",
            )
        parts.append(pd.Series(basis.remove(rows[outcome].to_numpy()), index=rows.index))
    return pd.Series(pd.concat(parts))


def wooldridge_serial_correlation(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    time_effects: bool = False,
    form: Literal["first_difference", "within"] = "first_difference",
) -> Diagnostic:
    """Test for serial correlation of the errors (Wooldridge 2002).

    First difference (p. 282; Drukker 2003; Stata's xtserial): differences are fitted without intercept; without
    serial correlation a residual follows the one before it with coefficient -0.5. F(1, G-1), clustered by entity,
    G/(G-1).
    Within (p. 275; on a balanced panel R plm's pwartest): residuals with entity effects, on those before them and an
    intercept; without serial correlation the coefficient is -1/(T-1), with unequal numbers of rows
    -sum n_i/T_i / sum n_i (1 - 1/T_i), n_i the pairs of entity i. F(1, n-2), factor 1. With gaps plm prints other
    numbers: it pairs rows across a gap, and takes the number of times of the whole panel for T.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`. A row is paired with that of the time before it in the panel, never across a gap.
    time_effects
        Remove time means too.
    form
        "first_difference" or "within".

    Raises
    ------
    StudyError
        As `fit_panel`; or too few entities have neighbouring times.
    """
    residuals, effects = _serial_residuals(data, outcome, regressors, time_effects, form)
    previous = previous_row(effects)
    lagged = np.where(previous >= 0, residuals[previous], np.nan)
    pair = ~np.isnan(lagged) & ~np.isnan(residuals)
    if len(np.unique(effects.entity[pair])) < 2:
        raise StudyError("Wooldridge test", "fewer than two entities have neighbouring times", "use more times")
    entity = np.unique(effects.entity[pair], return_inverse=True)[1].ravel()
    within = form == "within"
    x = np.column_stack([lagged[pair], np.ones(pair.sum())])[:, : 1 + within]
    estimates, weights = solve(x, residuals[pair])
    scores = group_sums(weights[:, :1] * (residuals[pair] - x @ estimates)[:, None], entity)[:, 0]
    groups = len(scores)
    factor = 1.0 if within else groups / (groups - 1)
    null = _within_slope(effects.entity, pair) if within else -0.5
    statistic = float((estimates[0] - null) ** 2 / (factor * (scores @ scores)))
    df = float(len(x) - 2 if within else groups - 1)
    return Diagnostic(
        "Wooldridge test for serial correlation",
        statistic,
        (1.0, df),
        float(stats.f.sf(statistic, 1, df)),
        "F",
        "the errors in levels are not serially correlated",
        "on residuals with entity effects" if within else "on residuals of first differences",
    )


def _within_slope(entity: Codes, pair: NDArray[np.bool_]) -> float:
    """Slope of a demeaned error on the one before it when errors are independent, over the rows that are paired.

    Of T_i demeaned errors two have the covariance -s2/T_i, and each the variance s2 (1 - 1/T_i).
    """
    shares = 1 / np.bincount(entity)[entity[pair]]
    return float(-shares.sum() / (1 - shares).sum())


def _serial_residuals(
    data: pd.DataFrame, outcome: str, regressors: Sequence[str], time_effects: bool, form: str
) -> tuple[Floats, Effects]:
    """Residuals whose correlation over time is tested; NaN in rows without a difference."""
    design = build_design(data, outcome, regressors, entity_effects=True, time_effects=time_effects)
    effects = design.effects
    if form == "within":
        estimates, _ = solve(design.x_within, design.y_within)
        return design.y_within - design.x_within @ estimates, effects
    if form != "first_difference":
        raise StudyError(f"Wooldridge test, form {form}", "it is not known", "use first_difference or within")
    previous = previous_row(effects)
    has = previous >= 0
    columns = np.column_stack([design.y, design.x])
    change = columns[has] - columns[previous[has]]
    if time_effects:
        time = np.unique(effects.time[has], return_inverse=True)[1].ravel()
        change = change - group_means(change, time)[time]
    estimates = least_squares(change[:, 1:], change[:, 0])
    residuals = np.full(len(columns), np.nan)
    residuals[has] = change[:, 0] - change[:, 1:] @ estimates
    return residuals, effects


def previous_row(effects: Effects) -> np.ndarray:
    """Row of the same entity one time earlier, -1 where there is none; rows are sorted by entity and time."""
    row = np.arange(len(effects.entity))
    follows = (np.diff(effects.entity, prepend=-1) == 0) & (np.diff(effects.time, prepend=-2) == 1)
    return np.where(follows, row - 1, -1)


def modified_wald(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = True,
    time_effects: bool = False,
) -> Diagnostic:
    """Test that the error variance is the same for all entities (Greene 2000, p. 598), as Stata's xttest3.

    W = sum (s2_i - s2)^2 / V_i on chi2(G); s2_i mean squared residual of entity i, s2 of all,
    V_i = sum (e_it^2 - s2_i)^2 / (T_i (T_i - 1)).

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`.
    entity_effects, time_effects
        Effects of the regression whose residuals are used.

    Raises
    ------
    StudyError
        As `fit_panel`; or an entity has a single row or residuals of one size.
    """
    fit = fit_panel(data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects, cluster=None)
    entity = fit.design.effects.entity
    squared = fit.residuals.loc[fit.design.index].to_numpy()[:, None] ** 2
    sizes = np.bincount(entity)
    own = group_means(squared, entity)
    spread = group_sums((squared - own[entity]) ** 2, entity)[:, 0]
    if sizes.min() < 2 or spread.min() <= 0:
        name = fit.design.index.unique(0)[int(np.argmin(spread))]
        raise StudyError(f"modified Wald test, {name}", "the spread of its residuals is not defined", "leave it out")
    statistic = float(np.sum((own[:, 0] - squared.mean()) ** 2 / (spread / sizes / (sizes - 1))))
    return Diagnostic(
        "modified Wald test for groupwise heteroskedasticity",
        statistic,
        (float(len(sizes)),),
        float(stats.chi2.sf(statistic, len(sizes))),
        "chi2",
        "the error variance is the same for all entities",
        "rejects far too often when times are few; read it by draws from its null",
    )
