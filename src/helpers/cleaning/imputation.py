"""Multiple imputation: a panel with gaps -> m completed panels -> one estimate by Rubin's rules.

Gaps are drawn by chained equations (van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., section 4.5). The
imputation model of a column holds what the analysis holds: entity effects, time effects and every other column,
the outcome among them. An entity's level is so drawn around its own figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from helpers import distributions as stats
from helpers.errors import StudyError

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Method = Literal["normal", "pmm"]
# Directions of the scaled regressors whose squared length is below this share of the longest carry no information.
RANK_TOLERANCE = 1e-13
# A regressor that moves within entities by less than this share of its size does not move.
STILL = 1e-9


@dataclass(frozen=True)
class PooledEstimate:
    """One coefficient from m completed panels.

    Attributes
    ----------
    estimate, std_error, statistic, p_value, ci_low, ci_high
        Pooled estimate, its standard error, t = estimate / std_error, two-sided p-value and interval from t(df).
    df
        Degrees of freedom after Barnard and Rubin (1999).
    within, between
        Mean squared standard error, and variance of the estimates between the completed panels.
    relative_increase
        (1 + 1/m) between / within: by how much the gaps raise the variance.
    missing_information
        Share of the information on the coefficient that is missing, (r + 2 / (df + 3)) / (r + 1).
    n_imputations
        m.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    ci_low: float
    ci_high: float
    df: float
    within: float
    between: float
    relative_increase: float
    missing_information: float
    n_imputations: int


def pool_estimates(
    estimates: ArrayLike, std_errors: ArrayLike, df: float = np.inf, *, level: float = 0.95
) -> PooledEstimate:
    """Pool the estimates of one coefficient by Rubin's rules.

    With Q_j the estimates and U_j the squared standard errors: Q = mean Q_j;  W = mean U_j;
    B = sum (Q_j - Q)^2 / (m - 1);  T = W + (1 + 1/m) B;  lambda = (1 + 1/m) B / T;
    df_m = (m - 1) / lambda^2;  df_obs = (1 - lambda) df (df + 1) / (df + 3);  1/df_pooled = 1/df_m + 1/df_obs.

    Parameters
    ----------
    estimates, std_errors
        Shape (m,), m >= 2, one of each from every completed panel.
    df
        Degrees of freedom that the estimate would have without gaps; with clustered standard errors clusters - 1.
    level
        Coverage of the interval.

    Raises
    ------
    StudyError
        Fewer than two panels, lengths that differ, a figure that is not finite, a standard error or df of 0 or less.

    Source: Rubin (1987), Multiple Imputation for Nonresponse in Surveys, ch. 3; Barnard and Rubin (1999),
    Biometrika 86(4).
    """
    q, se = _check_parts(estimates, std_errors, df)
    m = len(q)
    within, between = float(np.mean(se**2)), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    increase = (1 + 1 / m) * between / within
    df_pooled = _barnard_rubin(m, (1 + 1 / m) * between / total, df)
    estimate, std_error = float(q.mean()), float(np.sqrt(total))
    margin = float(stats.t.ppf(0.5 + level / 2, df_pooled)) * std_error
    return PooledEstimate(
        estimate=estimate,
        std_error=std_error,
        statistic=estimate / std_error,
        p_value=float(2 * stats.t.sf(abs(estimate / std_error), df_pooled)),
        ci_low=estimate - margin,
        ci_high=estimate + margin,
        df=df_pooled,
        within=within,
        between=between,
        relative_increase=increase,
        missing_information=(increase + 2 / (df_pooled + 3)) / (increase + 1),
        n_imputations=m,
    )


def _check_parts(estimates: ArrayLike, std_errors: ArrayLike, df: float) -> tuple[Floats, Floats]:
    q, se = np.asarray(estimates, dtype=float), np.asarray(std_errors, dtype=float)
    if q.ndim != 1 or q.shape != se.shape or len(q) < 2:
        raise StudyError(
            f"estimates of shape {q.shape}, standard errors of shape {se.shape}",
            "pooling needs one of each from two or more completed panels",
            "raise m to two or more",
        )
    if not (np.isfinite(q).all() and np.isfinite(se).all() and (se > 0).all() and df > 0):
        raise StudyError(
            "estimates to pool",
            "a figure is not finite, or a standard error or df is not above 0",
            "look at the fit of each completed panel",
        )
    return q, se


def _barnard_rubin(m: int, missing: float, df: float) -> float:
    """Degrees of freedom of a pooled estimate; `missing` is lambda, the share of the variance due to the gaps."""
    # Written with reciprocals, so that neither lambda = 0 nor df = inf needs a case of its own.
    observed = 0.0 if np.isinf(df) else (df + 3) / ((1 - missing) * df * (df + 1))
    reciprocal = missing**2 / (m - 1) + observed
    return 1 / reciprocal if reciprocal > 0 else float("inf")


def impute(
    panel: pd.DataFrame,
    columns: Sequence[str],
    m: int,
    rng: np.random.Generator,
    *,
    method: Method = "normal",
    cycles: int = 10,
    donors: int = 5,
) -> list[pd.DataFrame]:
    """Complete a panel m times.

    Each chain starts from the entities' means and goes `cycles` times over the columns, fewest gaps first. For a
    column y with the other columns and the time dummies as x, entity effects a_i and the rows with a figure:

    - sigma^2 = RSS / chi2(n - k - entities), then b ~ N(b_ols, sigma^2 (x'x)^-1) after the entity means are taken out,
      then a_i ~ N(mean y_i - mean x_i b, sigma^2 / n_i): a draw from the posterior under the usual flat priors;
    - "normal" fills a gap with a_i + x b + N(0, sigma^2) (Bayesian linear regression);
    - "pmm" fills it with the figure of one of the `donors` rows whose prediction is nearest (predictive mean
      matching), which keeps to the range of the figures.

    Parameters
    ----------
    panel
        n entity-times (MultiIndex: entity, time); every column is used, so give those of the analysis.
    columns
        The columns to complete.
    m
        Number of completed panels, 2 or more.
    rng
        Source of the draws.
    method, cycles, donors
        As above.

    Returns
    -------
    list of pandas.DataFrame
        m panels like `panel` without gaps; figures that are there stay as they are.

    Raises
    ------
    StudyError
        A column that is not there, not a number or infinite; a gap in a column that is not to be completed; an entity
        or a time without any figure of a column; too few figures; fewer than two panels or no cycle.

    Source: Rubin (1987), ch. 5; van Buuren (2018), algorithms 3.1, 3.3 and 4.3, section 7.2 on effects per entity.
    """
    _check_request(panel, columns, m, cycles, donors, method)
    gaps = panel[list(columns)].isna()
    for name in columns:
        _check_column(panel[name])
    order = [str(name) for name in gaps.sum().sort_values(kind="stable").index if gaps[name].any()]
    chain = _Chain(panel, order, method, donors)
    return [chain.run(cycles, rng) for _ in range(m)]


def _check_request(panel: pd.DataFrame, columns: Sequence[str], m: int, cycles: int, donors: int, method: str) -> None:
    if m < 2 or cycles < 1 or donors < 1 or method not in ("normal", "pmm"):
        raise StudyError(
            f"multiple imputation, m {m}, cycles {cycles}, donors {donors}, method {method!r}",
            "it needs two or more panels, a cycle, a donor, and the method normal or pmm",
            "correct the request",
        )
    for name in columns:
        if name not in panel.columns:
            raise StudyError(f"multiple imputation, column {name}", "there is no such column", "correct the name")
    for name in panel.columns:
        if not pd.api.types.is_numeric_dtype(panel[name]) or np.isinf(panel[name].to_numpy(dtype=float)).any():
            raise StudyError(f"multiple imputation, column {name}", "a cell is no finite number", "correct the cell")
        if name not in columns and panel[name].isna().any():
            raise StudyError(
                f"multiple imputation, column {name}",
                f"{int(panel[name].isna().sum())} cells are missing and it is not to be completed",
                "complete it too, or drop the rows",
            )


def _check_column(column: pd.Series) -> None:
    for level in (0, 1):
        counts = column.groupby(level=level).count()
        if (counts == 0).any():
            raise StudyError(
                f"multiple imputation, column {column.name}, {column.index.names[level]} {counts.idxmin()}",
                "there is no figure at all, so that its level is not known",
                "leave these rows out",
            )


class _Chain:
    """The figures and codes that all chains share."""

    def __init__(self, panel: pd.DataFrame, order: Sequence[str], method: Method, donors: int) -> None:
        self.panel, self.method, self.donors = panel, method, donors
        self.entity: Codes = pd.factorize(panel.index.get_level_values(0))[0]
        times = pd.factorize(panel.index.get_level_values(1), sort=True)[0]
        # One time is left out: the entity effects hold the level.
        dummies = np.eye(times.max() + 1)[times][:, 1:]
        started = panel.astype(float).fillna(panel.groupby(level=0).transform("mean"))
        self.start: Floats = np.column_stack([started.to_numpy(), dummies])
        places = list(panel.columns)
        self.order = {places.index(name): panel[name].isna().to_numpy() for name in order}

    def run(self, cycles: int, rng: np.random.Generator) -> pd.DataFrame:
        """One completed panel."""
        data = self.start.copy()
        # A single column with gaps is drawn from whole columns, so that a second cycle would only draw it again.
        for _ in range(cycles if len(self.order) > 1 else 1):
            for place, gap in self.order.items():
                data[gap, place] = self._draw(place, gap, data, rng)
        return pd.DataFrame(data[:, : self.panel.shape[1]], index=self.panel.index, columns=self.panel.columns)

    def _draw(self, place: int, gap: NDArray[np.bool_], data: Floats, rng: np.random.Generator) -> Floats:
        seen, others = ~gap, np.delete(data, place, axis=1)
        figures = data[seen, place]
        model = _fit_within(str(self.panel.columns[place]), figures, others[seen], self.entity[seen])
        slopes, levels, sigma = model.draw(rng)
        drawn = levels[self.entity[gap]] + others[gap] @ slopes
        if self.method == "normal":
            return np.asarray(drawn + sigma * rng.normal(size=len(drawn)))
        fitted = model.levels[self.entity[seen]] + others[seen] @ model.slopes
        donors = min(self.donors, len(fitted))
        nearest = np.argpartition(np.abs(drawn[:, None] - fitted[None, :]), donors - 1, axis=1)[:, :donors]
        chosen = nearest[np.arange(len(drawn)), rng.integers(0, donors, len(drawn))]
        return np.asarray(figures[chosen])


@dataclass(frozen=True)
class _WithinModel:
    """A regression with entity effects, ready to be drawn from.

    `slopes` (k,), `levels` (entities,), `root` (k, rank) with root root' = (x'x)^-1; entity means and counts.
    """

    slopes: Floats
    levels: Floats
    root: Floats
    mean_y: Floats
    mean_x: Floats
    counts: Floats
    rss: float
    df: int

    def draw(self, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
        """Slopes, entity levels and sigma from their posterior."""
        sigma = float(np.sqrt(self.rss / rng.chisquare(self.df)))
        slopes = self.slopes + sigma * (self.root @ rng.normal(size=self.root.shape[1]))
        noise = rng.normal(size=len(self.counts)) / np.sqrt(self.counts)
        return slopes, self.mean_y - self.mean_x @ slopes + sigma * noise, sigma


def _fit_within(name: str, y: Floats, x: Floats, entity: Codes) -> _WithinModel:
    counts = np.bincount(entity).astype(float)
    mean_y = np.bincount(entity, y) / counts
    mean_x = np.column_stack([np.bincount(entity, column) / counts for column in x.T])
    y_within, x_within = y - mean_y[entity], x - mean_x[entity]
    scale = np.sqrt((x_within**2).sum(axis=0))
    # A column that does not move within entities has no length; the effects hold it already.
    scale[scale <= STILL * np.sqrt((x**2).sum(axis=0))] = np.inf
    x_within /= scale
    # By the small matrix x'x, not by x itself: a thousand draws then cost seconds.
    lengths, directions = np.linalg.eigh(x_within.T @ x_within)
    kept = lengths > RANK_TOLERANCE * lengths.max(initial=0.0)
    root = directions[:, kept] / np.sqrt(lengths[kept])
    slopes = root @ (root.T @ (x_within.T @ y_within))
    rss = float(((y_within - x_within @ slopes) ** 2).sum())
    df = len(y) - len(counts) - int(kept.sum())
    if df < 1:
        raise StudyError(
            f"multiple imputation, column {name}",
            f"{len(y)} figures are too few for {len(counts)} entities and {int(kept.sum())} regressors",
            "use fewer columns, or drop the rows instead",
        )
    slopes, root = slopes / scale, root / scale[:, None]
    return _WithinModel(slopes, mean_y - mean_x @ slopes, root, mean_y, mean_x, counts, rss, df)
