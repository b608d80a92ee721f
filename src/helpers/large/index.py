"""Composite indices of a panel on disk, for methods whose sums close over the rows: those of `composite_index`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.checks import CONSTANT_TOLERANCE, read_directions
from helpers.large.panel import LargePanel, describe_columns
from helpers.study.index import Method, read_field, read_method

if TYPE_CHECKING:
    from duckdb import Expression

WEIGHTS = ("entropy", "equal", "fixed")
"""Weights that follow from sums over the rows, or from none."""


@dataclass(frozen=True)
class LargeIndex:
    """An index over a panel on disk: all that its values follow from; k indicators.

    Attributes
    ----------
    weights, entropies
        Weight (sums to 1) and entropy of each indicator, shape (k,).
    minimum, maximum
        Lowest and highest figure of each indicator, shape (k,).
    directions
        +1 or -1 for each indicator, shape (k,).
    n_rows
        Rows that they were made over.
    """

    weights: pd.Series
    entropies: pd.Series
    minimum: pd.Series
    maximum: pd.Series
    directions: pd.Series
    n_rows: int


def index_large_panel(panel: LargePanel, spec: Any) -> LargeIndex:
    """Make a composite index over all rows of a panel on disk.

    The project's definition, as in `helpers.index.composite.composite_index`: score = (x - min) / (max - min),
    mirrored where less is better; p = score / sum score; e = -sum p ln p / ln n with 0 ln 0 = 0; w = (1 - e) / sum (1
    - e); index = sum_j w_j x score_j. The sums are compensated (Kahan), and e is taken as
    (ln S - sum score ln score / S) / ln n with S = sum score, so that two passes over the disk are enough.

    Parameters
    ----------
    panel
        From :func:`helpers.large.panel.read_large_panel`, its keys checked.
    spec
        `indicators` (name of a measure -> `direction`, and `weight` where weights are fixed) and `method`, as
        attributes or as keys; see `check_method`.

    Raises
    ------
    StudyError
        A method that needs all rows at once, an indicator that is not there, missing, infinite or constant, fewer than
        two of them or of rows, a direction that is neither +1 nor -1.
    """
    method = check_method(spec)
    indicators: Mapping[str, Any] = read_field(spec, "indicators") or {}
    names = list(indicators)
    if len(names) < 2 or panel.n_rows < 2:
        raise StudyError(
            f"index over {panel.n_rows} rows of {len(names)} indicators", "it needs two or more of each", "add some"
        )
    signs = read_directions({name: read_field(item, "direction", 1) for name, item in indicators.items()}, names)
    extents = describe_columns(panel, names)
    _check_indicators(panel, extents)
    directions = pd.Series(signs.astype(int), index=names)
    entropies = _entropies(panel, _scores(panel, extents["minimum"], extents["maximum"], directions))
    return LargeIndex(
        weights=_weights(method, indicators, entropies).rename("weight"),
        entropies=entropies,
        minimum=extents["minimum"],
        maximum=extents["maximum"],
        directions=directions,
        n_rows=panel.n_rows,
    )


def check_method(spec: Any) -> Method:
    """The method of an index, where sums over blocks of rows are all that it needs.

    Raises
    ------
    StudyError
        Scores or weights that need every row at once: ranks, shares at the ends, correlations, several levels.
    """
    method = read_method(read_field(spec, "method"))
    apart = method.model_dump(exclude={"weights"})
    wanted = Method(weights=method.weights).model_dump(exclude={"weights"})
    other = next((name for name, value in apart.items() if value != wanted[name]), None)
    if other is None and method.weights not in WEIGHTS:
        other = "weights"
    if other is not None:
        raise StudyError(
            f"index on disk, method.{other}",
            f"{getattr(method, other)} needs every row at once",
            f"leave {other} out (min_max over all rows, one level, arithmetic; weights: {', '.join(WEIGHTS)}), "
            "or write engine: memory",
        )
    for name, item in (read_field(spec, "indicators") or {}).items():
        if read_field(item, "transform") is not None:
            raise StudyError(
                f"index on disk, indicator {name}",
                "its transform is estimated from every row at once",
                "write the transformation into its formula, or write engine: memory",
            )
    return method


def _weights(method: Method, indicators: Mapping[str, Any], entropies: pd.Series) -> pd.Series:
    match method.weights:
        case "entropy":
            information = 1 - entropies
            return information / information.sum()
        case "equal":
            return pd.Series(1 / len(entropies), index=entropies.index)
        case _:
            return pd.Series({name: float(read_field(item, "weight")) for name, item in indicators.items()})


def _check_indicators(panel: LargePanel, extents: pd.DataFrame) -> None:
    for name, row in extents.iterrows():
        low, high, missing = float(row["minimum"]), float(row["maximum"]), int(row["missing"])
        where = f"{panel.source.name}, column {name}"
        if missing:
            raise StudyError(
                where, f"{missing} of {panel.n_rows} cells are missing; an index does not fill gaps", "take it out"
            )
        if not np.isfinite([low, high]).all():
            raise StudyError(where, "a figure is infinite", "correct it")
        if high - low <= CONSTANT_TOLERANCE * max(abs(low), abs(high)):
            raise StudyError(
                where,
                f"it is constant ({high:g} in every row), so it cannot be scaled or weighted",
                "take the indicator out of the index or correct its figures",
            )


def _scores(panel: LargePanel, minimum: pd.Series, maximum: pd.Series, directions: pd.Series) -> dict[str, Expression]:
    from duckdb import ConstantExpression

    scores = {}
    for name in minimum.index:
        low, high = float(minimum[name]), float(maximum[name])
        column, width = panel.column(name), ConstantExpression(high - low)
        above = column - ConstantExpression(low) if directions[name] == 1 else ConstantExpression(high) - column
        scores[str(name)] = above / width
    return scores


def _entropies(panel: LargePanel, scores: Mapping[str, Expression]) -> pd.Series:
    from duckdb import CaseExpression, ConstantExpression, FunctionExpression

    zero, wanted = ConstantExpression(0.0), []
    for at, score in enumerate(scores.values()):
        product = CaseExpression(score > zero, score * FunctionExpression("ln", score)).otherwise(zero)
        wanted += [
            FunctionExpression("fsum", score).alias(f"s{at}"),
            FunctionExpression("fsum", product).alias(f"p{at}"),
        ]
    total, product_sum = np.reshape(panel.table().aggregate(wanted).fetchall()[0], (-1, 2)).T.astype(float)
    entropies = (np.log(total) - product_sum / total) / np.log(panel.n_rows)
    return pd.Series(entropies, index=list(scores), name="entropy")


def value_of(panel: LargePanel, index: LargeIndex) -> Expression:
    """The index of a row: sum of weight times score; none where an indicator has no figure."""
    from duckdb import ConstantExpression

    scores = _scores(panel, index.minimum, index.maximum, index.directions)
    parts = [ConstantExpression(float(index.weights[name])) * score for name, score in scores.items()]
    return reduce(add, parts)
