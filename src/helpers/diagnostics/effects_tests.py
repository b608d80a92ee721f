"""Tests and measures that stand beside a panel regression: collinearity, effects, and what every test returns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.regression.collinearity import span
from helpers.regression.design import build_design, check_panel
from helpers.regression.effects import Floats, group_sums
from helpers.regression.panel import PanelFit, fit_panel


@dataclass(frozen=True)
class Diagnostic:
    """The outcome of a test.

    Attributes
    ----------
    name
        Name of the test.
    statistic
        Its value.
    df
        Degrees of freedom, numerator first; empty for the normal distribution.
    p_value
        Two-sided for "normal" and "t", else the upper tail.
    distribution
        "chi2", "F", "normal", "t", or "normal, upper tail" of a test that is one-sided.
    null
        The hypothesis under test, in words.
    note
        What a reader must know of the form used; empty when there is nothing.
    draws
        Draws from the null behind the p-value; None where it comes from the distribution.
    """

    name: str
    statistic: float
    df: tuple[float, ...]
    p_value: float
    distribution: str
    null: str
    note: str = ""
    draws: int | None = None


def correlation_matrix(data: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Pearson correlations of columns over all rows, column x column."""
    return check_panel(data, columns).corr()


def vif(
    data: pd.DataFrame, regressors: Sequence[str], *, entity_effects: bool = False, time_effects: bool = False
) -> pd.Series:
    """Variance inflation factors 1 / (1 - R2), R2 of each regressor on the others (and the intercept or effects).

    Parameters
    ----------
    data, regressors
        Panel and names of its columns.
    entity_effects, time_effects
        Remove these effects first, for the inflation that a fixed-effects regression meets.

    Returns
    -------
    pandas.Series
        One factor (>= 1) for each regressor.

    Raises
    ------
    StudyError
        Bad figures, or regressors that are exactly collinear.
    """
    columns = _regressor_columns(data, regressors, entity_effects, time_effects)
    columns = columns - columns.mean(axis=0)
    unit = columns / np.linalg.norm(columns, axis=0)
    inverse = np.linalg.inv(np.linalg.qr(unit, mode="r"))
    return pd.Series((inverse**2).sum(axis=1), index=list(regressors), name="vif")


def condition_number(
    data: pd.DataFrame, regressors: Sequence[str], *, entity_effects: bool = False, time_effects: bool = False
) -> float:
    """Largest over smallest singular value of the regressors, each scaled to unit length (Belsley, Kuh, Welsch 1980).

    Without effects the intercept is one of the columns; with effects they are removed first.
    """
    columns = _regressor_columns(data, regressors, entity_effects, time_effects)
    if not (entity_effects or time_effects):
        columns = np.column_stack([columns, np.ones(len(columns))])
    return float(np.linalg.cond(columns / np.linalg.norm(columns, axis=0)))


def _regressor_columns(
    data: pd.DataFrame, regressors: Sequence[str], entity_effects: bool, time_effects: bool
) -> Floats:
    """Checked regressors with effects removed, without the intercept."""
    names = list(regressors)
    outcome = "outcome that no regressor is"
    # No effect absorbs it, however many times a unit has.
    filled = np.sin(np.arange(len(data), dtype=float) ** 2)
    filler = data[[name for name in names if name in data.columns]].assign(**{outcome: filled})
    design = build_design(filler, outcome, names, entity_effects=entity_effects, time_effects=time_effects)
    return design.x_within[:, : len(names)]


def f_test_effects(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    against: str = "pooled",
) -> Diagnostic:
    """F test that effects are all zero: ((RSS_0 - RSS_1) / df1) / (RSS_1 / df2).

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`.
    entity_effects, time_effects
        Effects of the larger model.
    against
        The smaller model: "pooled", "entity" (entity effects stay) or "time" (time effects stay).

    Raises
    ------
    StudyError
        As `fit_panel`; or the smaller model is not smaller.
    """
    keep_entity, keep_time = against == "entity", against == "time"
    if against not in ("pooled", "entity", "time") or keep_entity > entity_effects or keep_time > time_effects:
        raise StudyError(f"F test against {against}", "the smaller model is not part of the larger", "use pooled")
    larger = fit_panel(
        data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects, cluster=None
    )
    smaller = fit_panel(data, outcome, regressors, entity_effects=keep_entity, time_effects=keep_time, cluster=None)
    if smaller.df <= larger.df:
        raise StudyError(f"F test against {against}", "the smaller model is not smaller", "leave out fewer effects")
    rss = float((larger.residuals**2).sum())
    kinds = (("entity", entity_effects, keep_entity), ("time", time_effects, keep_time))
    tested = " and ".join(name for name, here, kept in kinds if here and not kept)
    return _f_test(f"F test for {tested} effects", smaller, rss, larger.df, f"no {tested} effects")


def poolability(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = True,
    time_effects: bool = False,
) -> Diagnostic:
    """F test that the slopes of all entities are the same (Chow 1960; Baltagi 2013, section 4.1).

    ((RSS_0 - RSS_1) / (df_0 - df_1)) / (RSS_1 / df_1), RSS_1 of a regression with intercept and slopes of every entity.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`; each entity needs more rows than regressors + 1.
    entity_effects
        Whether the smaller model has entity effects, so that slopes alone are tested, or one intercept too.
    time_effects
        Time effects in both models.

    Raises
    ------
    StudyError
        As `fit_panel`; or an entity has too few rows for slopes of its own.
    """
    smaller = fit_panel(
        data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects, cluster=None
    )
    design = smaller.design
    y, x = design.y, np.column_stack([np.ones(design.n_obs), design.x[:, : len(regressors)]])
    times = np.eye(design.effects.n_times)[design.effects.time][:, 1:] if time_effects else np.empty((len(y), 0))
    # What the regressors of every entity by itself leave of the outcome and of the dummies of times.
    left = np.column_stack([y - y.mean(), times])
    for code in range(design.effects.n_entities):
        rows = np.flatnonzero(design.effects.entity == code)
        basis = span(x[rows])
        if basis.rank < x.shape[1] or len(rows) <= x.shape[1]:
            rule = f"its rows ({len(rows)}) cannot determine its own {x.shape[1]} coefficients"
            entity = design.index[rows[0]][0]
            raise StudyError(f"poolability, {entity}", rule, "use fewer regressors, or more times")
        left[rows] = basis.remove(left[rows])
    basis = span(left[:, 1:], before=np.linalg.norm(times, axis=0))
    rss = float(np.sum(basis.remove(left[:, 0]) ** 2))
    df = len(y) - design.effects.n_entities * x.shape[1] - basis.rank
    return _f_test("F test of poolability", smaller, rss, df, "the slopes are the same for all entities")


def _f_test(name: str, smaller: PanelFit, rss: float, df: int, null: str) -> Diagnostic:
    """F test of a fit within a larger model, by the larger one's residual sum of squares and degrees of freedom."""
    if smaller.df <= df or df < 1:
        rule = "the smaller model is not smaller, or the larger one leaves no rows"
        raise StudyError("F test", rule, "use fewer regressors or effects, or more rows")
    df1, df2 = float(smaller.df - df), float(df)
    statistic = (float((smaller.residuals**2).sum()) - rss) / df1 / (rss / df2)
    return Diagnostic(name, statistic, (df1, df2), float(stats.f.sf(statistic, df1, df2)), "F", null)


def breusch_pagan_lm(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    effect: str = "entity",
    time_effects: bool = False,
) -> Diagnostic:
    """Lagrange multiplier test for random effects in the pooled regression (Breusch and Pagan 1980).

    LM = N^2 A^2 / (2 (sum T_i^2 - N)), A = sum (sum_t u_it)^2 / sum u_it^2 - 1: the form of Baltagi and Li (1990)
    for unbalanced panels. "twoway" adds the two one-way statistics.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`.
    effect
        "entity", "time" or "twoway".
    time_effects
        Remove time effects from the pooled regression.

    Raises
    ------
    StudyError
        As `fit_panel`; or an unknown effect.
    """
    parts = _honda_parts(data, outcome, regressors, effect, time_effects)
    statistic = float(sum(part**2 for part in parts))
    df = len(parts)
    return Diagnostic(
        f"Breusch-Pagan LM test ({effect})",
        statistic,
        (float(df),),
        float(stats.chi2.sf(statistic, df)),
        "chi2",
        "the variance of the effects is zero",
        "two-sided; Stata's xttest0 halves this p-value, since a variance cannot be negative" if df == 1 else "",
    )


def honda(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    effect: str = "entity",
    time_effects: bool = False,
) -> Diagnostic:
    """One-sided test for random effects: the signed root of the LM statistic (Honda 1985); arguments as there.

    "twoway": (entity + time) / sqrt(2). The p-value is the upper tail of the standard normal distribution.
    """
    parts = _honda_parts(data, outcome, regressors, effect, time_effects)
    statistic = float(sum(parts) / np.sqrt(len(parts)))
    return Diagnostic(
        f"Honda test ({effect})",
        statistic,
        (),
        float(stats.norm.sf(statistic)),
        "normal, upper tail",
        "the variance of the effects is zero",
        "one-sided",
    )


def _honda_parts(
    data: pd.DataFrame, outcome: str, regressors: Sequence[str], effect: str, time_effects: bool
) -> list[float]:
    """Signed roots of the one-way LM statistics."""
    fit = fit_panel(data, outcome, regressors, time_effects=time_effects, cluster=None)
    effects = fit.design.effects
    codes = {"entity": [effects.entity], "time": [effects.time], "twoway": [effects.entity, effects.time]}
    if effect not in codes:
        raise StudyError(f"effect {effect}", "it is not known", f"use one of {list(codes)}")
    residuals = fit.residuals.loc[fit.design.index].to_numpy()[:, None]
    total, n_obs = float((residuals**2).sum()), len(residuals)
    if any(int(code.max()) + 1 in (1, n_obs) for code in codes[effect]):
        raise StudyError(
            "test for random effects",
            "its groups are one, or hold one row each",
            "use fewer regressors or effects, or more rows",
        )
    return [
        float(n_obs * ((group_sums(residuals, code) ** 2).sum() / total - 1))
        / np.sqrt(2 * ((np.bincount(code) ** 2).sum() - n_obs))
        for code in codes[effect]
    ]
