"""Scores -> weights: how much each indicator counts, over all times together or at each by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.checks import (
    Table,
    check_enough,
    check_enough_rows,
    check_figures,
    check_finite,
    check_no_constant,
    check_no_negative,
    column_extents,
    read_figures,
)
from helpers.index.scaling import at_time, min_max_scale
from helpers.study.index import Method

# Rows worked on at a time: small enough for the processor's cache, so that ten million rows need no second matrix.
BLOCK_ROWS = 2048
# Stands in for 0 inside the logarithm only; 0 x ln(tiny) is exactly 0, which is the limit of p ln p.
TINY = np.finfo(float).tiny
# Differences of loadings or of eigenvalues that are rounding.
TIED = 1e-9


@overload
def entropy_weights(scores: pd.DataFrame, shift: float = 0.0) -> "pd.Series[float]": ...
@overload
def entropy_weights(scores: ArrayLike, shift: float = 0.0) -> Floats: ...
def entropy_weights(scores: Table, shift: float = 0.0) -> "pd.Series[float] | Floats":
    """Entropy weights: a column counts the more, the less evenly its total is spread over the rows.

    w_j = (1 - e_j) / sum_j (1 - e_j), with e_j from `column_entropies`.

    Parameters
    ----------
    scores
        n rows x k indicators, 0 or more. On a panel all rows count together (pooled scope).
    shift
        Added to every cell before the shares are formed; 0 means the rule 0 ln 0 = 0.

    Returns
    -------
    pandas.Series or numpy.ndarray
        Shape (k,), without unit, sums to 1; indexed by column when `scores` is a DataFrame.

    Raises
    ------
    StudyError
        A negative, missing, constant or all-zero column; fewer than two rows or columns; a negative shift.

    Source: Shannon (1948); Zeleny (1982), Multiple Criteria Decision Making, ch. 7.
    """
    shares = _check_shares(scores, shift)
    check_enough(shares.matrix, "entropy weighting")
    information = 1.0 - _entropies(shares, shift)
    return _labelled(scores, _shares(information))


@overload
def column_entropies(scores: pd.DataFrame, shift: float = 0.0) -> "pd.Series[float]": ...
@overload
def column_entropies(scores: ArrayLike, shift: float = 0.0) -> Floats: ...
def column_entropies(scores: Table, shift: float = 0.0) -> "pd.Series[float] | Floats":
    """Entropy of each column as a share of its maximum ln n.

    p_ij = x_ij / sum_i x_ij;  e_j = - sum_i p_ij ln p_ij / ln n;  0 ln 0 = 0.

    Parameters
    ----------
    scores
        n rows x k indicators, 0 or more.
    shift
        Added to every cell first; 0 means the rule 0 ln 0 = 0.

    Returns
    -------
    pandas.Series or numpy.ndarray
        Shape (k,), in [0, 1): 0 where one row has everything, near 1 where all rows have the same.

    Raises
    ------
    StudyError
        A negative, missing, constant or all-zero column, one row only, or a negative shift.
    """
    return _labelled(scores, _entropies(_check_shares(scores, shift), shift))


@dataclass(frozen=True)
class _Shares:
    """Figures whose columns can be turned into shares: n x k `matrix`, and the sum of each column."""

    matrix: Floats
    total: Floats


def _check_shares(scores: Table, shift: float, method: str = "entropy weighting") -> _Shares:
    if not shift >= 0:
        raise StudyError(f"zero rule with shift {shift:g}", "a shift is 0 or more", "use 0 for the rule 0 ln 0 = 0")
    matrix = read_figures(scores)
    extents = column_extents(matrix)
    check_finite(scores, matrix, extents)
    check_enough_rows(matrix, method)
    check_no_negative(scores, matrix, extents, method)
    check_no_constant(scores, extents)
    return _Shares(matrix, extents.total)


def _entropies(shares: _Shares, shift: float) -> Floats:
    """`column_entropies` on checked figures, a block of rows at a time."""
    matrix = shares.matrix
    rows, columns = matrix.shape
    inverse_total = 1.0 / (shares.total + shift * rows)
    order: Literal["C", "F"] = "C" if matrix.flags.c_contiguous else "F"
    share = np.empty((min(rows, BLOCK_ROWS), columns), order=order)
    log_share = np.empty_like(share)
    negative_entropy = np.zeros(columns)
    for start in range(0, rows, BLOCK_ROWS):
        block = matrix[start : start + BLOCK_ROWS]
        p, log_p = share[: len(block)], log_share[: len(block)]
        np.multiply(block + shift if shift else block, inverse_total, out=p)
        np.log(np.maximum(p, TINY, out=log_p), out=log_p)
        negative_entropy += np.einsum("ij,ij->j", p, log_p)
    return np.asarray(-negative_entropy / np.log(rows))


@overload
def critic_weights(
    matrix: pd.DataFrame, directions: Any = None, correlation: Literal["pearson", "spearman"] = "pearson"
) -> "pd.Series[float]": ...
@overload
def critic_weights(
    matrix: ArrayLike, directions: Any = None, correlation: Literal["pearson", "spearman"] = "pearson"
) -> Floats: ...
def critic_weights(
    matrix: Table, directions: Any = None, correlation: Literal["pearson", "spearman"] = "pearson"
) -> "pd.Series[float] | Floats":
    """CRITIC weights: a column counts the more, the more it varies and the less it repeats the others.

    With s the min-max scores: C_j = sd(s_j) x sum_m (1 - r_jm);  w_j = C_j / sum_j C_j.

    Parameters
    ----------
    matrix
        n rows x k indicators, any units (scaled by min-max here; scores that are min-max already stay the same).
    directions
        +1 or -1 for each column, as in `min_max_scale`.
    correlation
        "pearson", or "spearman" for correlations of ranks.

    Returns
    -------
    pandas.Series or numpy.ndarray
        Shape (k,), without unit, sums to 1; indexed by column when `matrix` is a DataFrame.

    Raises
    ------
    StudyError
        A missing or constant column, fewer than two rows or columns, columns that all move as one,
        an unknown correlation.

    Source: Diakoulaki, Mavrotas and Papayannakis (1995), Computers & Operations Research 22(7).
    """
    scores = min_max_scale(matrix, directions)
    values = np.asarray(scores)
    check_enough(values, "CRITIC weighting")
    conflict = (1.0 - _correlations(values, correlation)).sum(axis=0)
    information = values.std(axis=0, ddof=1) * np.maximum(conflict, 0.0)
    if information.sum() <= 1e-12 * values.shape[1]:
        raise StudyError(
            "CRITIC weighting", "all columns move as one, so no column has a conflict", "use entropy or equal weights"
        )
    return _labelled(matrix, _shares(information))


def _correlations(values: Floats, correlation: str) -> Floats:
    if correlation not in ("pearson", "spearman"):
        raise StudyError(f"correlation {correlation!r}", "it is not known", "use pearson or spearman")
    if correlation == "spearman":
        from scipy.stats import rankdata

        values = rankdata(values, axis=0)
    return np.atleast_2d(np.corrcoef(values, rowvar=False))


@overload
def equal_weights(scores: pd.DataFrame) -> "pd.Series[float]": ...
@overload
def equal_weights(scores: ArrayLike) -> Floats: ...
def equal_weights(scores: Table) -> "pd.Series[float] | Floats":
    """Equal weights, 1 / k for each of the k columns."""
    columns = check_figures(scores).shape[1]
    return _labelled(scores, np.full(columns, 1.0 / columns))


@overload
def variation_weights(scores: pd.DataFrame) -> "pd.Series[float]": ...
@overload
def variation_weights(scores: ArrayLike) -> Floats: ...
def variation_weights(scores: Table) -> "pd.Series[float] | Floats":
    """Weights by the coefficient of variation: w_j = (sd_j / mean_j) / sum_m (sd_m / mean_m), sd with n - 1.

    Parameters
    ----------
    scores
        n rows x k indicators, 0 or more.

    Returns
    -------
    pandas.Series or numpy.ndarray
        Shape (k,), without unit, sums to 1; indexed by column when `scores` is a DataFrame.

    Raises
    ------
    StudyError
        A negative, missing or constant column, fewer than two rows or columns.
    """
    matrix = _check_shares(scores, 0.0, "the coefficient of variation").matrix
    check_enough(matrix, "weighting by the coefficient of variation")
    return _labelled(scores, _shares(matrix.std(axis=0, ddof=1) / matrix.mean(axis=0)))


@overload
def critic_entropy_weights(scores: pd.DataFrame, shift: float = 0.0) -> "pd.Series[float]": ...
@overload
def critic_entropy_weights(scores: ArrayLike, shift: float = 0.0) -> Floats: ...
def critic_entropy_weights(scores: Table, shift: float = 0.0) -> "pd.Series[float] | Floats":
    """Geometric mean of CRITIC (Pearson) and entropy weights, scaled to sum to 1.

    w_j = sqrt(c_j x h_j) / sum_m sqrt(c_m x h_m), with c from `critic_weights` and h from `entropy_weights`.
    Parameters and errors are those of the two.
    """
    product = np.asarray(critic_weights(scores)) * np.asarray(entropy_weights(scores, shift))
    return _labelled(scores, _shares(np.sqrt(product)))


def fixed_weights(weights: Mapping[str, float | None]) -> "pd.Series[float]":
    """Weights set by hand, checked: all there, none negative, sum 1 (to 1e-9).

    Raises
    ------
    StudyError
        A weight that is not declared or negative, or weights that do not sum to 1.
    """
    for name, weight in weights.items():
        if weight is None or not weight >= 0:
            raise StudyError(
                f"weight of {name}: {weight!r}", "a hand-set weight is 0 or more", "declare `weight` for every member"
            )
    series = pd.Series(dict(weights), dtype=float)
    if abs(series.sum() - 1) > 1e-9:
        raise StudyError(
            f"weights of {', '.join(map(str, series.index))}",
            f"they sum to {series.sum():.12g}, not to 1",
            "correct them so that the members of one level sum to 1",
        )
    return series


@overload
def pca_weights(scores: pd.DataFrame) -> "pd.Series[float]": ...
@overload
def pca_weights(scores: ArrayLike) -> Floats: ...
def pca_weights(scores: Table) -> "pd.Series[float] | Floats":
    """Weights that make the index an affine map of the first principal component.

    With v the first eigenvector of the correlation matrix of the scores, its sign such that sum v > 0, and sd_j the
    standard deviation of column j:  w_j = (v_j / sd_j) / sum_m |v_m / sd_m|.
    A column that moves against the others gets a negative weight; the absolute weights sum to 1. Two columns that move
    against each other have a sum of 0: then sum w > 0.

    Parameters
    ----------
    scores
        n rows x k indicators, any scale.

    Returns
    -------
    pandas.Series or numpy.ndarray
        Shape (k,), without unit; indexed by column when `scores` is a DataFrame.

    Raises
    ------
    StudyError
        A missing or constant column, fewer than two rows or columns; columns with no first component before the others,
        or one without a sign.
    """
    matrix = check_figures(scores)
    check_enough(matrix, "PCA weighting")
    check_no_constant(scores, column_extents(matrix))
    values, vectors = np.linalg.eigh(_correlations(matrix, "pearson"))
    if values[-1] - values[-2] <= TIED:
        raise StudyError("PCA weighting", "no component comes before the others", "use entropy or equal weights")
    loadings = vectors[:, -1]
    slopes = loadings / matrix.std(axis=0, ddof=1)
    slopes = slopes / np.abs(slopes).sum()
    towards = loadings.sum() if abs(loadings.sum()) > TIED else slopes.sum()
    if abs(towards) <= TIED:
        raise StudyError(
            "PCA weighting", "the columns move against each other in balance", "use entropy or equal weights"
        )
    return _labelled(scores, np.sign(towards) * slopes)


def _shares(values: Floats) -> Floats:
    return np.asarray(values / values.sum())


def _labelled(data: Table, values: Floats) -> "pd.Series[float] | Floats":
    return pd.Series(values, index=data.columns) if isinstance(data, pd.DataFrame) else values


def pooled_weights(scores: Any, weights: str, shift: float) -> Any:
    """Weights by name from the pooled scores: a DataFrame gives a Series, an array an array.

    Parameters
    ----------
    scores
        n rows x k indicators.
    weights
        "entropy", "equal", "critic", "critic_spearman", "critic_entropy", "coefficient_of_variation" or "pca".
    shift
        Shift of the zero rule, for those that use entropy.
    """
    if weights in ("entropy", "critic_entropy"):
        return {"entropy": entropy_weights, "critic_entropy": critic_entropy_weights}[weights](scores, shift)
    if weights.startswith("critic"):
        return critic_weights(scores, correlation="spearman" if weights == "critic_spearman" else "pearson")
    makers = {"equal": equal_weights, "coefficient_of_variation": variation_weights, "pca": pca_weights}
    return makers[weights](scores)


def weights_by_time(scores: pd.DataFrame, method: Method, hand_set: Mapping[str, float | None]) -> pd.DataFrame:
    """Weights of the members of one node.

    Parameters
    ----------
    scores
        n entity-times x k members.
    method
        Its `weights` and `shift` are used.
    hand_set
        Member -> weight declared by hand, for the weights "fixed".

    Returns
    -------
    pandas.DataFrame
        T x k; each row sums to 1 (PCA: absolute values do).

    Raises
    ------
    StudyError
        What the weights' own function raises; with yearly weights it names the time.
    """
    times = scores.index.get_level_values(1).unique().sort_values()
    if scores.shape[1] == 1:
        return pd.DataFrame(1.0, index=times, columns=scores.columns)
    if method.weights in ("entropy_yearly", "entropy_chained"):
        return _yearly_entropy_weights(scores, method.shift)
    if method.weights == "fixed":
        weights = fixed_weights({str(name): hand_set.get(name) for name in scores.columns})
    else:
        weights = pooled_weights(scores, method.weights, method.shift)
    return pd.DataFrame(np.tile(weights, (len(times), 1)), index=times, columns=scores.columns)


def _yearly_entropy_weights(scores: pd.DataFrame, shift: float) -> pd.DataFrame:
    """Entropy weights within each time, T x k, on scores as they are (scaled over all times in pooled scope)."""
    rows = {}
    for time, block in scores.groupby(level=1, sort=True):
        with at_time(scores, time):
            rows[time] = entropy_weights(block, shift)
    by_time = pd.DataFrame(rows).T
    by_time.index.name = scores.index.names[1]
    return by_time
