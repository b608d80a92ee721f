"""Weighted scores -> index, with each member's share of it.

With weights w and scores s of one row, and W = sum w:

==========  ============================  =====================================
aggregate   index                         share of member j in the index
==========  ============================  =====================================
arithmetic  sum w s                       w_j s_j / sum w s
geometric   prod s^w                      w_j / W
harmonic    1 / sum (w / s)               (w_j / s_j) / sum (w / s)
topsis      d- / (d- + d+)                w_j^2 (s_j - worst_j)^2 / (d-)^2
==========  ============================  =====================================

d- and d+ are the Euclidean distances of the weighted scores from the worst and the best score of each column over all
rows. The shares of the first three are those of Euler's theorem, s_j dI/ds_j over its sum, so index x share adds up to
the index exactly; for TOPSIS, which has no such theorem, they split the squared distance from the worst.

Sources: OECD and JRC (2008), Handbook on Constructing Composite Indicators, step 6; Hwang and Yoon (1981) for TOPSIS.
"""

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.checks import row_name


def aggregate_scores(scores: Floats, weights: Floats, aggregate: str, base: Floats | None = None) -> Floats:
    """Index of each row, shape (n,).

    Parameters
    ----------
    scores
        n rows x k members; above 0 for geometric and harmonic.
    weights
        k, or n x k where weights differ between rows.
    aggregate
        "arithmetic", "geometric", "harmonic" or "topsis".
    base
        The rows whose worst and best TOPSIS measures from; those of `scores` by default.
    """
    if aggregate == "arithmetic":
        return np.asarray((scores * weights).sum(axis=1))
    if aggregate == "geometric":
        return np.asarray(np.exp((np.log(scores) * weights).sum(axis=1)))
    if aggregate == "harmonic":
        return np.asarray(1.0 / (weights / scores).sum(axis=1))
    base = scores if base is None else base
    from_worst = np.sqrt(_squared_distance(scores, base.min(axis=0), weights).sum(axis=1))
    from_best = np.sqrt(_squared_distance(scores, base.max(axis=0), weights).sum(axis=1))
    return np.asarray(from_worst / (from_worst + from_best))


def member_contributions(scores: Floats, weights: Floats, aggregate: str) -> Floats:
    """Index points that each member gives, n x k; each row sums to the index. Parameters as in `aggregate_scores`."""
    if aggregate == "arithmetic":
        return scores * weights
    index = aggregate_scores(scores, weights, aggregate)[:, None]
    if aggregate == "geometric":
        parts = np.broadcast_to(weights, scores.shape)
    elif aggregate == "harmonic":
        parts = weights / scores
    else:
        parts = _squared_distance(scores, scores.min(axis=0), weights)
    total = parts.sum(axis=1, keepdims=True)
    # A row that is the worst in every member has index 0 under TOPSIS, and nothing to share out.
    return np.asarray(index * parts / np.where(total == 0, 1.0, total))


def check_aggregable(scores: pd.DataFrame, by_time: pd.DataFrame, aggregate: str) -> None:
    """Stop where an aggregation needs scores above 0, or weights of 0 or more, and finds others.

    Parameters
    ----------
    scores
        n entity-times x k members.
    by_time
        T x k, their weights at each time.
    aggregate
        As in `aggregate_scores`.

    Raises
    ------
    StudyError
        Names the column, and the row and the score, or the weight.
    """
    lowest = by_time.min()
    if aggregate != "arithmetic" and lowest.min() < 0:
        raise StudyError(
            f"column {lowest.idxmin()}",
            f"its weight is {lowest.min():g}, and aggregate {aggregate} needs weights of 0 or more",
            "use aggregate: arithmetic or other weights",
        )
    matrix = scores.to_numpy()
    if aggregate not in ("geometric", "harmonic") or matrix.min() > 0:
        return
    row, column = divmod(int(matrix.argmin()), matrix.shape[1])
    raise StudyError(
        f"column {scores.columns[column]}, {row_name(scores, row)}",
        f"its score is {matrix[row, column]:g}, and the {aggregate} mean needs scores above 0",
        "declare score_range, for example [0.01, 1], or use the arithmetic mean",
    )


def _squared_distance(scores: Floats, point: Floats, weights: Floats) -> Floats:
    return np.asarray((weights * (scores - point)) ** 2)
