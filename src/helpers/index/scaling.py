"""Figures -> scores: every indicator on one scale, more is better; before that, declared rules against skew."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.checks import (
    Table,
    check_figures,
    check_no_constant,
    check_no_negative,
    column_extents,
    column_names,
    like,
    read_directions,
    row_name,
)
from helpers.study.index import Scale

SCALES: tuple[str, ...] = get_args(Scale)
TRANSFORMS = ("log", "box_cox")
# How far from the searched power the solved one lies at most, and below which power a series stands for a quotient.
REACH, SERIES = 1e-3, 1e-5


@overload
def min_max_scale(frame: pd.DataFrame, directions: Any = None) -> pd.DataFrame: ...
@overload
def min_max_scale(frame: ArrayLike, directions: Any = None) -> Floats: ...
def min_max_scale(frame: Table, directions: Any = None) -> pd.DataFrame | Floats:
    """Scale each column to [0, 1] over all rows given.

    score = (x - min) / (max - min) where more is better, (max - x) / (max - min) where less is better.
    On a panel the minimum and maximum are those of all entity-times together (pooled scope).

    Parameters
    ----------
    frame
        Rows x indicators, any units.
    directions
        +1 or -1 for each column: a mapping from name, or a sequence in column order. None means all +1.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        Scores without unit, the shape, order and kind of `frame`; each column reaches 0 and 1.

    Raises
    ------
    StudyError
        A missing, infinite, text or constant column, or a direction that is neither +1 nor -1.
    """
    matrix = check_figures(frame)
    signs = read_directions(directions, column_names(frame))
    check_no_constant(frame, column_extents(matrix))
    scores: pd.DataFrame | Floats = like(frame, scale_matrix(matrix, signs, "min_max"))
    return scores


@overload
def winsorise(frame: pd.DataFrame, share: float) -> pd.DataFrame: ...
@overload
def winsorise(frame: ArrayLike, share: float) -> Floats: ...
def winsorise(frame: Table, share: float) -> pd.DataFrame | Floats:
    """Pull the most extreme figures of each column in to its quantiles.

    x becomes min(max(x, q(share)), q(1 - share)), with q the linearly interpolated quantile over all rows.

    Parameters
    ----------
    frame
        Rows x columns.
    share
        Share of the rows at each end, from 0 (nothing changes) to less than 0.5.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        The shape, order, unit and kind of `frame`.

    Raises
    ------
    StudyError
        A share outside [0, 0.5), or a missing, infinite or text cell.
    """
    if not 0 <= share < 0.5:
        raise StudyError(
            f"winsorising share {share:g}", "a share is 0 or more and less than 0.5", "write 0.01 for 1 % at each end"
        )
    matrix = check_figures(frame)
    low, high = np.quantile(matrix, [share, 1 - share], axis=0)
    clipped: pd.DataFrame | Floats = like(frame, np.clip(matrix, low, high))
    return clipped


def scale_scores(
    figures: pd.DataFrame,
    directions: Any = None,
    scale: str = "min_max",
    *,
    scope: str = "pooled",
    goalposts: Mapping[Any, Sequence[float]] | None = None,
    references: Mapping[Any, float] | None = None,
) -> pd.DataFrame:
    """Scale each indicator by a named rule.

    With d the direction, and minimum, maximum, mean, sd and rank taken over the rows of the scope:

    =====================  ==========================================================================
    min_max                (x - min) / (max - min), mirrored where d = -1
    z_score                d (x - mean) / sd, sd with n - 1
    rank                   1 for the worst row to n for the best, ties share their mean rank
    percentile             (rank - 1) / (n - 1)
    distance_to_reference  d (x - reference) / abs(reference); reference = mean where none is declared
    goalposts              (x - low) / (high - low) cut to [0, 1], mirrored where d = -1
    ratio_to_best          x / max where d = +1, min / x where d = -1
    =====================  ==========================================================================

    Parameters
    ----------
    figures
        n entity-times (MultiIndex: entity, time) x k indicators.
    directions
        As in `min_max_scale`.
    scale
        One of `SCALES`.
    scope
        "pooled": all rows together; "yearly": the rows of each time by themselves.
    goalposts
        Indicator -> (low, high), in the indicator's unit.
    references
        Indicator -> reference value, in the indicator's unit.

    Raises
    ------
    StudyError
        As in `min_max_scale`; goalposts that are not declared or not low < high; a reference of 0;
        a negative figure or a best of 0 under ratio_to_best; an unknown scale or scope. Names the time where the
        scope is yearly.

    Source: OECD and JRC (2008), Handbook on Constructing Composite Indicators, step 5.
    """
    if scale not in SCALES:
        raise StudyError(f"scale {scale!r}", "it is not known", f"use one of: {', '.join(SCALES)}")
    if scope not in ("pooled", "yearly"):
        raise StudyError(f"scope {scope!r}", "it is not known", "use pooled or yearly")
    signs = read_directions(directions, column_names(figures))
    limits = {"goalposts": goalposts or {}, "references": references or {}}
    if scope == "pooled":
        return _scale_block(figures, signs, scale, limits)
    blocks = []
    for time, block in figures.groupby(level=1, sort=True):
        with at_time(figures, time):
            blocks.append(_scale_block(block, signs, scale, limits))
    return pd.concat(blocks).reindex(figures.index)


class at_time:  # noqa: N801 - reads as a phrase: with at_time(panel, 2015)
    """Add the time to the place that a `StudyError` names."""

    def __init__(self, frame: pd.DataFrame, time: Any) -> None:
        self.place = f"{frame.index.names[1] or 'time'} {time}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StudyError) and self.place not in error.where:
            raise StudyError(f"{error.where}, {self.place}", error.rule, error.remedy) from None


def _scale_block(figures: pd.DataFrame, signs: Floats, scale: str, limits: dict[str, Any]) -> pd.DataFrame:
    matrix = check_figures(figures)
    posts = references = None
    if scale == "goalposts":
        posts = _read_goalposts(figures, limits["goalposts"])
    else:
        check_no_constant(figures, column_extents(matrix))
    if scale == "distance_to_reference":
        references = _read_references(figures, matrix, limits["references"])
    if scale == "ratio_to_best":
        _check_ratio(figures, matrix, signs)
    scores = scale_matrix(matrix, signs, scale, posts=posts, references=references)
    return pd.DataFrame(scores, index=figures.index, columns=figures.columns)


def scale_matrix(
    matrix: Floats,
    signs: Floats,
    scale: str,
    base: Floats | None = None,
    *,
    posts: Floats | None = None,
    references: Floats | None = None,
) -> Floats:
    """Scores of plain figures that have been checked; see `scale_scores`.

    Parameters
    ----------
    matrix
        n x k figures.
    signs
        k directions.
    scale
        One of `SCALES`.
    base
        The rows that set the ends, means and ranks, m x k; those of `matrix` by default. Rows of `matrix` that are not
        among them are scaled by the same formula and may lie outside its range.
    posts
        2 x k goalposts, for that scale.
    references
        k reference values, NaN for the mean of `base`, for the distance to a reference.
    """
    base = matrix if base is None else base
    match scale:
        case "min_max":
            low, high = base.min(axis=0), base.max(axis=0)
            return np.asarray(np.where(signs > 0, matrix - low, high - matrix) / (high - low))
        case "z_score":
            return np.asarray(signs * (matrix - base.mean(axis=0)) / base.std(axis=0, ddof=1))
        case "rank":
            return _ranks(signs * matrix, signs * base)
        case "percentile":
            return np.asarray((_ranks(signs * matrix, signs * base) - 1) / (len(base) - 1))
        case "goalposts":
            assert posts is not None
            reached = np.clip((matrix - posts[0]) / (posts[1] - posts[0]), 0.0, 1.0)
            return np.asarray(np.where(signs > 0, reached, 1.0 - reached))
        case "distance_to_reference":
            means = base.mean(axis=0)
            to = means if references is None else np.where(np.isnan(references), means, references)
            return np.asarray(signs * (matrix - to) / np.abs(to))
        case _:
            with np.errstate(divide="ignore"):
                return np.asarray(np.where(signs > 0, matrix / base.max(axis=0), base.min(axis=0) / matrix))


def _ranks(matrix: Floats, base: Floats) -> Floats:
    """Rank of each figure among those of its column of `base`, 1 the lowest; ties share their mean rank."""
    ordered = np.sort(base, axis=0)
    sides = [
        np.column_stack([np.searchsorted(ordered[:, j], matrix[:, j], side) for j in range(matrix.shape[1])])
        for side in ("left", "right")
    ]
    return np.asarray((sides[0] + sides[1] + 1) / 2)


def _read_goalposts(figures: pd.DataFrame, goalposts: Mapping[Any, Sequence[float]]) -> Floats:
    for name in figures.columns:
        posts = goalposts.get(name)
        if posts is None or len(posts) != 2 or not posts[0] < posts[1]:
            raise StudyError(
                f"indicator {name}, goalposts {posts!r}",
                "scaling by goalposts needs a low and a high value",
                "declare goalposts: [low, high] with low < high",
            )
    return np.array([goalposts[name] for name in figures.columns], dtype=float).T


def _read_references(figures: pd.DataFrame, matrix: Floats, references: Mapping[Any, float]) -> Floats:
    means = matrix.mean(axis=0)
    values = np.array([references.get(name, mean) for name, mean in zip(figures.columns, means, strict=True)])
    for name, value in zip(figures.columns, values, strict=True):
        if value == 0:
            raise StudyError(
                f"indicator {name}",
                "its reference is 0, and the distance is a share of it",
                "declare another reference",
            )
    return values


def _check_ratio(figures: pd.DataFrame, matrix: Floats, signs: Floats) -> None:
    check_no_negative(figures, matrix, column_extents(matrix), "the ratio to the best")
    for column, name in enumerate(figures.columns):
        if signs[column] < 0 and matrix[:, column].min() == 0:
            raise StudyError(
                f"column {name}", "its best figure is 0, and the ratio divides by the figures", "use min_max scaling"
            )


def transform_figures(figures: pd.DataFrame, rules: Mapping[Any, str | None]) -> pd.DataFrame:
    """Apply each indicator's declared rule; a column without one stays as it is.

    log: ln x. box_cox: (x^power - 1) / power, or ln x at power 0, with the power of `box_cox_power`.
    Both keep the order of the rows.

    Parameters
    ----------
    figures
        Rows x indicators.
    rules
        Indicator -> one of `TRANSFORMS`, or None.

    Raises
    ------
    StudyError
        An unknown rule, or a figure of 0 or less under a rule: names the column and the row.
    """
    result = figures.copy()
    for name, rule in rules.items():
        if rule is None:
            continue
        if rule not in TRANSFORMS:
            raise StudyError(
                f"indicator {name}, transform {rule!r}", "it is not known", f"use one of: {', '.join(TRANSFORMS)}"
            )
        _check_positive(figures[[name]], rule)
        column = figures[name].to_numpy(dtype=float)
        result[name] = np.log(column) if rule == "log" else box_cox(column, column)
    return result


def box_cox_power(figures: ArrayLike) -> float:
    """Power that makes the figures most like a normal sample, by maximum likelihood.

    The highest likelihood is where the transform, of figures over their geometric mean, is uncorrelated with its own
    slope in the power. Searched for, and then solved, since a search alone finds a flat top to eight digits only, and
    other ones in another unit.

    Source: Box and Cox (1964), Journal of the Royal Statistical Society B 26(2).
    """
    from scipy.optimize import brentq
    from scipy.stats import boxcox_normmax

    logs = np.log(np.asarray(figures, dtype=float))
    logs = logs - logs.mean()

    def slope(power: float) -> float:
        moved = np.expm1(power * logs) / power if power else logs
        # Near 0 the quotient below would lose its digits; there its series has them.
        far = abs(power) > SERIES
        change = (np.exp(power * logs) * logs - moved) / power if far else logs**2 / 2 + power * logs**3 / 3
        return float((moved - moved.mean()) @ change)

    found = float(boxcox_normmax(np.exp(logs), method="mle"))
    low, high = found - REACH, found + REACH
    return float(brentq(slope, low, high, xtol=1e-14)) if slope(low) * slope(high) < 0 else found


def box_cox(figures: Floats, base: Floats) -> Floats:
    """Figures by Box and Cox's transform with the power that suits those of `base`."""
    from scipy.special import boxcox

    return np.asarray(boxcox(figures, box_cox_power(base)))


def _check_positive(figures: pd.DataFrame, rule: str) -> None:
    matrix = check_figures(figures)
    if matrix.min() <= 0:
        row = int(matrix[:, 0].argmin())
        raise StudyError(
            f"column {figures.columns[0]}, {row_name(figures, row)}",
            f"{matrix[row, 0]:g} is not above 0, and {rule} needs figures above 0",
            "leave the rule out for this indicator",
        )
