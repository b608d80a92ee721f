"""Tests on the residuals of a panel regression: dependence across entities, over time, and unequal variances."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from helpers.design import build_design, check_panel
from helpers.diagnostic import Diagnostic
from helpers.effects import Effects, group_means, group_sums
from helpers.errors import StudyError
from helpers.panel import fit_panel


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
    wide = pd.DataFrame(residuals.unstack(level=0))
    rho = wide.corr(min_periods=2).to_numpy()
    seen = wide.notna().to_numpy(dtype=float)
    common = seen.T @ seen
    pairs = np.triu_indices(len(rho), k=1)
    kept = ~np.isnan(rho[pairs])
    if not kept.any():
        raise StudyError("Pesaran CD", "no two entities share two times", "use a panel with more common times")
    statistic = float(np.sum((np.sqrt(common) * rho)[pairs][kept]) / np.sqrt(kept.sum()))
    return Diagnostic(
        "Pesaran CD test",
        statistic,
        (),
        float(2 * stats.norm.sf(abs(statistic))),
        "normal",
        "errors of different entities are unrelated",
        "with time effects in the model the statistic is biased towards negative values" if time_effects else "",
    )


def _entity_residuals(data: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> pd.Series:
    """Residuals of one regression with intercept for each entity."""
    panel = check_panel(data, [outcome, *regressors])
    parts = []
    for entity, rows in panel.groupby(level=0):
        x = np.column_stack([rows[list(regressors)].to_numpy(), np.ones(len(rows))])
        estimates, _, rank, _ = np.linalg.lstsq(x, rows[outcome].to_numpy())
        if rank < x.shape[1] or len(rows) <= x.shape[1]:
            raise StudyError(
                f"Pesaran CD, {entity}",
                f"{len(rows)} rows cannot determine its own {x.shape[1]} coefficients",
                "use the residuals of one regression for all (heterogeneous=False)",
            )
        parts.append(pd.Series(rows[outcome] - x @ estimates))
    return pd.Series(pd.concat(parts))


def wooldridge_serial_correlation(
    data: pd.DataFrame, outcome: str, regressors: Sequence[str], *, time_effects: bool = False
) -> Diagnostic:
    """Test for serial correlation of the errors (Wooldridge 2002, p. 282; Drukker 2003), as Stata's xtserial.

    First differences are fitted without intercept; without serial correlation a residual follows the one before it
    with coefficient -0.5. F(1, G-1) of that coefficient, clustered by entity, G/(G-1) x (n-1)/n.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`. Differences are between neighbouring times of the panel, never across a gap of an entity.
    time_effects
        Remove time means of the differences first.

    Raises
    ------
    StudyError
        As `fit_panel`; or too few entities have three neighbouring times.
    """
    design = build_design(data, outcome, regressors, entity_effects=True)
    effects = design.effects
    previous = _previous_row(effects)
    has = previous >= 0
    columns = np.column_stack([design.y, design.x])
    change = columns[has] - columns[previous[has]]
    if time_effects:
        time = effects.time[has]
        change = change - group_means(change, time - time.min())[time - time.min()]
    estimates, *_ = np.linalg.lstsq(change[:, 1:], change[:, 0])
    residuals = np.full(len(columns), np.nan)
    residuals[has] = change[:, 0] - change[:, 1:] @ estimates
    lagged = np.where(has, residuals[previous], np.nan)
    pair = ~np.isnan(lagged) & ~np.isnan(residuals)
    if len(np.unique(effects.entity[pair])) < 2:
        raise StudyError("Wooldridge test", "fewer than two entities have three neighbouring times", "use more times")
    now, before = residuals[pair], lagged[pair]
    entity = np.unique(effects.entity[pair], return_inverse=True)[1]
    slope = float(before @ now / (before @ before))
    scores = group_sums((before * (now - slope * before))[:, None], entity)
    groups, n_obs = len(scores), len(now)
    variance = (
        float((scores**2).sum()) / float(before @ before) ** 2 * groups / (groups - 1) * (n_obs - 1) / (n_obs - 1)
    )
    statistic = (slope + 0.5) ** 2 / variance
    return Diagnostic(
        "Wooldridge test for serial correlation",
        statistic,
        (1.0, float(groups - 1)),
        float(stats.f.sf(statistic, 1, groups - 1)),
        "F",
        "the errors in levels are not serially correlated",
    )


def _previous_row(effects: Effects) -> np.ndarray:
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
        name = fit.design.index.levels[0][int(np.argmin(spread))]
        raise StudyError(f"modified Wald test, {name}", "the spread of its residuals is not defined", "leave it out")
    statistic = float(np.sum((own[:, 0] - squared.mean()) ** 2 / (spread / sizes / (sizes - 1))))
    return Diagnostic(
        "modified Wald test for groupwise heteroskedasticity",
        statistic,
        (float(len(sizes)),),
        float(stats.chi2.sf(statistic, len(sizes))),
        "chi2",
        "the error variance is the same for all entities",
        "little power when entities are many and times few",
    )
