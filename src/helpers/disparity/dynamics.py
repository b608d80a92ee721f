"""How a column moves over time: its distribution, whether entities come together, who changes places."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.arrays import Floats
from helpers.errors import StudyError


@dataclass(frozen=True)
class SigmaConvergence:
    """Spread between entities by time; it falls where they come together.

    Attributes
    ----------
    by_time
        T rows: mean, sd (n - 1), coefficient_of_variation (sd / mean).
    slope, std_error, p_value
        Ordinary least squares of ln(coefficient of variation) on time, p from t(T - 2). With few times it describes,
        it does not prove.
    """

    by_time: pd.DataFrame
    slope: float
    std_error: float
    p_value: float


@dataclass(frozen=True)
class BetaConvergence:
    """Whether entities that start low grow faster.

    Attributes
    ----------
    estimate, std_error, statistic, p_value
        Slope of mean yearly log growth on the initial log; negative where they converge. The standard error is HC1,
        p from t(n - 2).
    speed
        -ln(1 + estimate x span) / span, per unit of time, span = last - first; NaN where the slope leaves no such
        speed.
    half_life
        ln 2 / speed, in units of time; NaN where speed is not above 0.
    n_obs
        Entities.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    speed: float
    half_life: float
    n_obs: int


@dataclass(frozen=True)
class MarkovTransitions:
    """Moves between classes from each time to the next.

    Attributes
    ----------
    counts
        Classes x classes: moves from the row's class to the column's.
    matrix
        Shares of the row's moves; a row that nobody was in is NaN.
    bounds
        Upper bounds of all classes but the last; a figure on a bound belongs to the lower class.
    ergodic
        Share of entities in each class in the long run, if the moves went on alike; NaN where it is not unique.
    """

    counts: pd.DataFrame
    matrix: pd.DataFrame
    bounds: tuple[float, ...]
    ergodic: "pd.Series[float]"


def kernel_density(
    values: "pd.Series[float]", points: int = 200, bounds: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Density of a column over the entities of each time.

    Gaussian kernel, bandwidth by Silverman's rule: sd x (3 n / 4)^(-1/5) at each time. What a kernel would put beyond a
    bound is reflected at it, so that no density lies where the column cannot.

    Parameters
    ----------
    values
        By entity and time, nothing missing.
    points
        Size of the grid that all times share; it reaches three bandwidths beyond the data, or to the bounds.
    bounds
        Lowest and highest figure that the column can have, None where there is no such range.

    Returns
    -------
    pandas.DataFrame
        Grid (in the unit of `values`) x T; each column integrates to 1.

    Raises
    ------
    StudyError
        A time at which fewer than two entities differ, or figures outside the bounds.

    Source: Silverman (1986), Density Estimation, ch. 2.10 (reflection) and 3.
    """
    wide = values.unstack(level=1)
    spread, n = wide.std(), wide.count()
    for time in wide.columns:
        if not spread[time] > 0:
            raise StudyError(f"time {time}", "the entities do not differ, so there is no density", "leave the time out")
    bandwidth = spread * (3 * n / 4) ** -0.2
    low, high = bounds or (-np.inf, np.inf)
    if values.min() < low - 1e-12 or values.max() > high + 1e-12:
        raise StudyError(f"density between {low:g} and {high:g}", "a figure lies outside", "correct the bounds")
    reach = 3 * bandwidth.max()
    grid = np.linspace(max(values.min() - reach, low), min(values.max() + reach, high), points)
    densities = {}
    for time in wide.columns:
        figures = wide[time].dropna().to_numpy()
        mirrors = [2 * bound - figures for bound in (bounds or ())]
        distance = (grid[:, None] - np.concatenate([figures, *mirrors])) / bandwidth[time]
        heights = np.exp(-(distance**2) / 2).sum(axis=1) / len(figures)
        densities[time] = heights / (bandwidth[time] * np.sqrt(2 * np.pi))
    return pd.DataFrame(densities, index=pd.Index(grid, name=values.name or "value"))


def sigma_convergence(values: "pd.Series[float]") -> SigmaConvergence:
    """Spread between entities at each time, and its trend.

    Parameters
    ----------
    values
        By entity and time, with a mean above 0 and some spread at each time; three times or more.

    Raises
    ------
    StudyError
        Fewer than three times, or a time without a mean above 0 or without spread.
    """
    from scipy.stats import linregress

    by_time = values.groupby(level=1).agg(["mean", "std"]).rename(columns={"std": "sd"})
    by_time["coefficient_of_variation"] = by_time["sd"] / by_time["mean"]
    if len(by_time) < 3:
        raise StudyError(f"{len(by_time)} times", "a trend of the spread needs three or more", "give more times")
    for time, row in by_time.iterrows():
        if not (row["mean"] > 0 and row["sd"] > 0):
            raise StudyError(f"time {time}", "its mean or its spread is not above 0", "use an index above 0")
    times = by_time.index.to_numpy(dtype=float)
    trend = linregress(times, np.log(by_time["coefficient_of_variation"].to_numpy(dtype=float)))
    return SigmaConvergence(by_time, float(trend.slope), float(trend.stderr), float(trend.pvalue))


def beta_convergence(values: "pd.Series[float]") -> BetaConvergence:
    """Absolute convergence between the first and the last time.

    (ln y_i,last - ln y_i,first) / span = a + b ln y_i,first + error.

    Parameters
    ----------
    values
        By entity and time, above 0; entities that are there at the first and the last time are used.

    Raises
    ------
    StudyError
        A figure of 0 or less, fewer than two times or three entities, or entities that start alike.

    Source: Barro and Sala-i-Martin (1992), Journal of Political Economy 100(2).
    """
    start, growth, span = start_and_growth(values)
    centred = start - start.mean()
    square = float(centred @ centred)
    estimate = float(centred @ growth) / square
    residuals = growth - growth.mean() - estimate * centred
    n_obs = len(start)
    std_error = float(np.sqrt(n_obs / (n_obs - 2) * ((centred * residuals) ** 2).sum()) / square)
    statistic = estimate / std_error if std_error > 0 else float("nan")
    left = 1 + estimate * span
    speed = float(-np.log(left) / span) if left > 0 else float("nan")
    return BetaConvergence(
        estimate=estimate,
        std_error=std_error,
        statistic=statistic,
        p_value=float(2 * stats.t.sf(abs(statistic), n_obs - 2)),
        speed=speed,
        half_life=float(np.log(2) / speed) if speed > 0 else float("nan"),
        n_obs=n_obs,
    )


def start_and_growth(values: "pd.Series[float]") -> tuple[Floats, Floats, float]:
    """Logarithm of the first figure and its mean growth to the last, of entities that have both, and the time between.

    Raises
    ------
    StudyError
        As `beta_convergence`.
    """
    wide = values.unstack(level=1)
    if wide.shape[1] < 2:
        raise StudyError("growth", f"it is seen at {wide.shape[1]} times", "give two or more times")
    first, last = wide.columns[0], wide.columns[-1]
    ends = wide[[first, last]].dropna()
    _check_growth(ends)
    span = float(last) - float(first)
    start = np.log(ends[first].to_numpy(dtype=float))
    return start, (np.log(ends[last].to_numpy(dtype=float)) - start) / span, span


def markov_transitions(values: "pd.Series[float]", classes: int = 4, *, relative: bool = False) -> MarkovTransitions:
    """Moves between classes of equal size over all entity-times (pooled quantiles).

    Parameters
    ----------
    values
        By entity and time, nothing missing; a move leads from one time of the column to the next.
    classes
        Number of classes, 1 the lowest.
    relative
        Divide the figures by the mean of their time first, so that a rise common to all moves nobody.

    Raises
    ------
    StudyError
        Fewer than two classes or times, or quantiles that coincide.

    Source: Quah (1993), European Economic Review 37(2-3).
    """
    if classes < 2:
        raise StudyError(f"{classes} classes", "moves need two or more classes", "use for example 4")
    if relative:
        values = values / values.groupby(level=1).transform("mean")
    bounds = np.quantile(values.to_numpy(dtype=float), np.arange(1, classes) / classes)
    if len(np.unique(bounds)) < classes - 1:
        raise StudyError(f"{classes} classes", "two of their bounds coincide", "use fewer classes")
    wide = values.unstack(level=1)
    if wide.shape[1] < 2:
        raise StudyError("1 time", "moves lead from one time to the next", "give two or more times")
    place = pd.DataFrame(np.searchsorted(bounds, wide.to_numpy(dtype=float)), index=wide.index, columns=wide.columns)
    place = place.where(wide.notna())
    before, after = place.iloc[:, :-1].to_numpy().ravel(), place.iloc[:, 1:].to_numpy().ravel()
    there = np.isfinite(before) & np.isfinite(after)
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (before[there].astype(int), after[there].astype(int)), 1)
    left = counts.sum(axis=1, keepdims=True)
    matrix = np.where(left > 0, counts / np.maximum(left, 1), np.nan)
    labels = pd.RangeIndex(1, classes + 1, name="class")
    return MarkovTransitions(
        counts=pd.DataFrame(counts, index=labels, columns=labels),
        matrix=pd.DataFrame(matrix, index=labels, columns=labels),
        bounds=tuple(float(bound) for bound in bounds),
        ergodic=pd.Series(_ergodic(matrix), index=labels),
    )


def _ergodic(matrix: Floats) -> Floats:
    """The left eigenvector of eigenvalue 1, if there is exactly one."""
    if np.isnan(matrix).any():
        return np.full(len(matrix), np.nan)
    roots, vectors = np.linalg.eig(matrix.T)
    ones = np.flatnonzero(np.abs(roots - 1) < 1e-9)
    if len(ones) != 1:
        return np.full(len(matrix), np.nan)
    vector = np.real(vectors[:, ones[0]])
    return np.asarray(vector / vector.sum())


def _check_growth(ends: pd.DataFrame) -> None:
    if (ends <= 0).to_numpy().any():
        entity = ends.index[(ends <= 0).any(axis=1)][0]
        raise StudyError(f"entity {entity}", "a figure is not above 0 and has no logarithm", "use figures above 0")
    if len(ends) < 3:
        raise StudyError(f"{len(ends)} entities", "a slope with its error needs three or more", "give more entities")
    if ends.iloc[:, 0].nunique() == 1:
        raise StudyError(f"time {ends.columns[0]}", "all entities start alike", "choose another first time")
