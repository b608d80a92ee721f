"""Index and fixed-effects baseline of a panel on disk: the numbers of `composite_index` and `fit_panel`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, and_
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.checks import CONSTANT_TOLERANCE, read_directions
from helpers.large.panel import LargePanel, describe_columns
from helpers.study.index import Method, read_field, read_method

if TYPE_CHECKING:
    from duckdb import Expression

# Its own 1e-6 is too coarse for estimates that shall be those of `fit_panel`.
FIT_TOLERANCE = 1e-10


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
        `indicators` (name of a measure -> `direction`) and `method`, as attributes or as keys; the method is that of
        the project: min_max, pooled, entropy, zero, arithmetic, one level.

    Raises
    ------
    StudyError
        Another method, an indicator that is not there, missing, infinite or constant, fewer than two of them or of
        rows, a direction that is neither +1 nor -1.
    """
    method = read_method(read_field(spec, "method"))
    if method != Method():
        raise StudyError("index over a large panel", f"its method is {method}", f"use the method {Method()}")
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
    information = 1 - entropies
    return LargeIndex(
        weights=(information / information.sum()).rename("weight"),
        entropies=entropies,
        minimum=extents["minimum"],
        maximum=extents["maximum"],
        directions=directions,
        n_rows=panel.n_rows,
    )


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


def write_large_index(panel: LargePanel, indices: Mapping[str, LargeIndex], path: Path) -> None:
    """Write entity, time and the value of each index as Parquet, in the order of the rows."""
    from duckdb import ColumnExpression

    keys = [ColumnExpression(level).alias(name) for level, name in (("entity", panel.entity), ("time", panel.time))]
    values = [_value(panel, index).alias(name) for name, index in indices.items()]
    panel.table().select(*keys, *values).write_parquet(str(path))


def _value(panel: LargePanel, index: LargeIndex) -> Expression:
    from duckdb import ConstantExpression

    scores = _scores(panel, index.minimum, index.maximum, index.directions)
    parts = [ConstantExpression(float(index.weights[name])) * score for name, score in scores.items()]
    return reduce(add, parts)


@dataclass(frozen=True)
class LargeFit:
    """The baseline on a large panel; the fields mean what they mean in `helpers.regression.panel.PanelFit`.

    Attributes
    ----------
    estimates, std_errors, statistics, p_values, ci_low, ci_high
        Series indexed by regressor; p-values and 95 % intervals from t(df).
    df
        Clusters - 1.
    n_obs, n_entities, n_times, n_clusters
        Rows, entities, times and clusters used.
    n_left_out
        Rows that lack a figure.
    convention
        Name of the standard-error convention.
    """

    estimates: pd.Series
    std_errors: pd.Series
    statistics: pd.Series
    p_values: pd.Series
    ci_low: pd.Series
    ci_high: pd.Series
    df: int
    n_obs: int
    n_entities: int
    n_times: int
    n_clusters: int
    n_left_out: int
    convention: str = "stata"


def fit_large_panel(
    panel: LargePanel,
    outcome: str,
    regressors: Sequence[str],
    *,
    indices: Mapping[str, LargeIndex] | None = None,
    cluster: Literal["entity", "time"] = "entity",
) -> LargeFit:
    """Fit outcome = regressors + entity effects + time effects + error by pyfixest, clustered.

    Only the columns of the model are brought into memory; rows that lack one of them are left out and counted. Standard
    errors are those of Stata and fixest, as in `helpers.regression.panel.fit_panel`.

    Parameters
    ----------
    panel
        From :func:`helpers.large.panel.read_large_panel`, its keys checked.
    outcome, regressors
        Names of measures, or of `indices`.
    indices
        Name -> index, from :func:`index_large_panel`; its values are worked out as the rows are read.
    cluster
        What the errors are clustered by.

    Raises
    ------
    StudyError
        A name that is neither a measure nor an index, or that is used twice; no row, one entity or one time left; a
        regressor that the effects or the other regressors explain.
    """
    names = [outcome, *regressors]
    if len(set(names)) < len(names) or not regressors:
        raise StudyError(f"model {', '.join(names)}", "a name is used twice, or there is no regressor", "correct it")
    built = {name: _value(panel, index) for name, index in (indices or {}).items()}
    chosen = [built[name] if name in built else panel.column(name) for name in names]
    data = _read_model(panel, chosen)
    n_entities, n_times = data["entity"].nunique(), data["time"].nunique()
    if n_entities < 2 or n_times < 2:
        raise StudyError(
            f"{panel.source.name}, rows with a figure for {', '.join(names)}",
            f"they are of {n_entities} entities and {n_times} times, and two of each are needed",
            "look at the missing figures",
        )
    return _fit(panel, data, list(regressors), cluster, (n_entities, n_times))


def _read_model(panel: LargePanel, chosen: Sequence[Expression]) -> pd.DataFrame:
    """Complete rows of the model, sorted by key: `entity` and `time` as whole numbers, `y`, `x0`, `x1`, ..."""
    from duckdb import ColumnExpression

    # Whole numbers in place of the entities' names, which would not fit.
    panel.connection.execute(
        "CREATE OR REPLACE TABLE codes AS SELECT entity, (row_number() OVER (ORDER BY entity) - 1)::INTEGER AS code "
        "FROM (SELECT DISTINCT entity FROM panel)"
    )
    names = ["y", *(f"x{at}" for at in range(len(chosen) - 1))]
    rows = panel.table().join(panel.connection.table("codes"), "entity")
    rows = rows.select(
        ColumnExpression("code").alias("entity"),
        ColumnExpression("time"),
        *[item.alias(name) for name, item in zip(names, chosen, strict=True)],
    )
    complete = reduce(and_, [ColumnExpression(name).isnotnull() for name in names])
    columns = rows.filter(complete).sort(ColumnExpression("entity"), ColumnExpression("time")).fetchnumpy()
    # The regression needs the memory now: a lower limit makes the database give back what it keeps, and ends there.
    for size in ("256MB", panel.memory):
        panel.connection.execute("SET memory_limit = ?", [size])
    return pd.DataFrame({name: np.asarray(part) for name, part in columns.items()}, copy=False)


def _fit(
    panel: LargePanel, data: pd.DataFrame, regressors: list[str], cluster: str, counts: tuple[int, int]
) -> LargeFit:
    from scipy import stats

    plain = [f"x{at}" for at in range(len(regressors))]
    estimates, std_errors = _estimate(panel, data, plain, regressors, cluster)
    n_clusters = counts[0] if cluster == "entity" else counts[1]
    statistics = estimates / std_errors
    margin = stats.t.ppf(0.975, n_clusters - 1) * std_errors
    return LargeFit(
        estimates=estimates,
        std_errors=std_errors,
        statistics=statistics,
        p_values=pd.Series(2 * stats.t.sf(statistics.abs(), n_clusters - 1), index=estimates.index),
        ci_low=estimates - margin,
        ci_high=estimates + margin,
        df=n_clusters - 1,
        n_obs=len(data),
        n_entities=counts[0],
        n_times=counts[1],
        n_clusters=n_clusters,
        n_left_out=panel.n_rows - len(data),
    )


def _estimate(
    panel: LargePanel, data: pd.DataFrame, plain: list[str], names: list[str], cluster: str
) -> tuple[pd.Series, pd.Series]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        from pyfixest.demeaners import MapDemeaner
        from pyfixest.estimation import feols

        try:
            result = feols(
                f"y ~ {' + '.join(plain)} | entity + time",
                data,
                vcov={"CRV1": cluster},
                fixef_rm="none",
                copy_data=False,
                store_data=False,
                lean=True,
                demeaner=MapDemeaner(fixef_tol=FIT_TOLERANCE),
            )
            kept = list(result.coef().index)
        except ValueError:
            kept = []
    explained = [name for name, place in zip(names, plain, strict=True) if place not in kept]
    if explained:
        raise StudyError(
            f"{panel.source.name}, regressor {explained[0]}",
            "the effects and the other regressors explain it wholly",
            "take it out of the model",
        )
    for message in said:
        if not issubclass(message.category, DeprecationWarning):
            warnings.warn_explicit(message.message, message.category, message.filename, message.lineno)
    found = [pd.Series(np.asarray(part[plain], dtype=float), index=names) for part in (result.coef(), result.se())]
    return found[0], found[1]
