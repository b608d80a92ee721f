"""The composite index: figures -> scores -> weights -> index, with the account of what each part gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.aggregation import aggregate_scores, check_aggregable, member_contributions
from helpers.index.checks import check_enough, check_index_rows
from helpers.index.hierarchy import ROOT, Hierarchy, read_hierarchy
from helpers.index.scaling import min_max_scale, scale_scores, transform_figures, winsorise
from helpers.index.weights import column_entropies, critic_weights, entropy_weights, weights_by_time
from helpers.study.index import Method, read_field, read_method

__all__ = [
    "CompositeIndex",
    "composite_index",
    "critic_weights",
    "entropy_weights",
    "min_max_scale",
    "scale_indicators",
]


@dataclass(frozen=True)
class CompositeIndex:
    """An index and everything that it is made of; n rows, k indicators, T times.

    Attributes
    ----------
    values
        Index, shape (n,), by the panel's rows; in [0, 1] for min-max scores and weights that are not negative.
    weights
        Weight of each indicator in the whole index, shape (k,), sums to 1 (PCA: absolute values sum to 1). With
        several levels it is the product of the weights on the way up. Where weights differ between times, their mean.
    weights_by_time
        T x k, the weights used at each time; equal rows where weights are pooled.
    level_weights
        One row per node (dimension or indicator): `parent` and `weight` among the members of that parent.
    scores
        n x k, scaled indicators, more is better.
    contributions
        n x k, index points; each row sums to the index.
    dimension_scores
        n x dimensions, the index of each dimension by itself, on the scale of the scores.
    entropies
        Entropy of each score column over all rows, shape (k,); empty where scores below 0 have no entropy.
    dimensions
        Dimension of each indicator, shape (k,), "" where none is declared.
    directions
        +1 or -1 for each indicator, shape (k,).
    method
        The choices that were made.
    """

    values: "pd.Series[float]"
    weights: "pd.Series[float]"
    weights_by_time: pd.DataFrame
    level_weights: pd.DataFrame
    scores: pd.DataFrame
    contributions: pd.DataFrame
    dimension_scores: pd.DataFrame
    entropies: "pd.Series[float]"
    dimensions: "pd.Series[str]"
    directions: "pd.Series[int]"
    method: Method

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The range that the index cannot leave, None where its scale or its weights know none."""
        if self.weights_by_time.min().min() < 0 or self.method.weights == "entropy_chained":
            return None
        if self.method.aggregate == "topsis":
            return (0.0, 1.0)
        inside = self.method.scale in ("min_max", "percentile", "goalposts", "ratio_to_best")
        return self.method.score_range or ((0.0, 1.0) if inside else None)

    @property
    def dimension_contributions(self) -> pd.DataFrame:
        """Index points of each dimension, n x dimensions; each row sums to the index."""
        return self.contributions.T.groupby(self.dimensions, sort=False).sum().T


def composite_index(panel: pd.DataFrame, spec: Any, **choices: Any) -> CompositeIndex:
    """Build an index from the indicator columns of a panel.

    By default index_it = sum_j w_j x score_itj: the scores are min-max over all rows of `panel`, flipped where the
    direction is -1, and the weights are entropy weights pooled over the same rows. So the rows given decide the index:
    give exactly the entity-times that it is meant for.

    With weights "entropy_chained" the index starts from the first time's own weights and moves by
    sum_j (w_j,t-1 + w_jt) / 2 x (score_jt - score_j,t-1), so that a change of weights alone never moves it.

    Parameters
    ----------
    panel
        n entity-times (MultiIndex: entity, time) by columns; every indicator of `spec` is a column.
    spec
        `indicators` (name -> `direction`, `dimension`; where the method needs them `weight`, `transform`,
        `goalposts`, `reference`), `dimensions` (name -> `parent`, `weight`, `aggregate`) and `method` (see
        `Method`), as attributes or as keys.
    choices
        Single choices of the method to replace, for example ``weights="pca"``.

    Raises
    ------
    StudyError
        A column that is not there, missing, constant, or negative where that is not possible; one entity, one
        indicator; a direction that is neither +1 nor -1; hand-set weights that do not sum to 1; an unknown parent
        or a cycle of dimensions; an unknown choice.
    """
    method = read_method(read_field(spec, "method"), **choices)
    tree = read_hierarchy(spec, method.levels)
    method = method.settle(tuple(tree.aggregates.values()))
    scores = scale_indicators(panel, spec, method)
    levels = _build_levels(scores, tree, method)
    contributions = levels.contributions
    if method.weights == "entropy_chained":
        contributions = _chain(scores, levels.weights_by_time)
    indicators = read_field(spec, "indicators")
    dimensions = pd.Series({name: read_field(item, "dimension") or "" for name, item in indicators.items()})
    return CompositeIndex(
        values=contributions.sum(axis=1).rename("index"),
        weights=levels.weights_by_time.mean().rename("weight"),
        weights_by_time=levels.weights_by_time,
        level_weights=levels.level_weights,
        scores=scores,
        contributions=contributions,
        dimension_scores=_dimension_scores(scores, levels, dimensions, method.aggregate),
        entropies=_entropies(method.unit_scores(scores), method.shift),
        dimensions=dimensions,
        directions=pd.Series({name: read_field(item, "direction", 1) for name, item in indicators.items()}),
        method=method,
    )


def scale_indicators(panel: pd.DataFrame, spec: Any, method: Method) -> pd.DataFrame:
    """Figures -> winsorised -> transformed -> scores, n x k; the first half of `composite_index`, same parameters."""
    indicators: Mapping[str, Any] = read_field(spec, "indicators") or {}
    figures = _indicator_columns(panel, indicators)
    if method.winsorise:
        figures = winsorise(figures, method.winsorise)
    figures = transform_figures(figures, _declared(indicators, "transform"))
    scores = scale_scores(
        figures,
        {name: read_field(indicator, "direction", 1) for name, indicator in indicators.items()},
        method.scale,
        scope=method.scope,
        goalposts=_declared(indicators, "goalposts"),
        references=_declared(indicators, "reference"),
    )
    if method.score_range is None:
        return scores
    return pd.DataFrame(map_to_range(scores.to_numpy(), method.score_range), index=scores.index, columns=scores.columns)


def map_to_range(scores: Floats, score_range: tuple[float, float], base: Floats | None = None) -> Floats:
    """Bring a whole table of scores to (low, high) by one linear map that is common to its columns.

    The map takes the lowest and the highest score of `base`, by default the table itself, to the ends of the range.
    """
    low, high = score_range
    base = scores if base is None else base
    lowest, highest = base.min(), base.max()
    return np.asarray(low + (scores - lowest) * ((high - low) / (highest - lowest)))


def _declared(indicators: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, item in indicators.items() if (value := read_field(item, field)) is not None}


def _indicator_columns(panel: pd.DataFrame, indicators: Mapping[str, Any]) -> pd.DataFrame:
    for name in indicators:
        if name not in panel.columns:
            raise StudyError(f"indicator {name}", "the panel has no such column", "derive it first or correct its name")
    figures = panel[list(indicators)]
    check_index_rows(figures)
    check_enough(figures, "an index")
    return figures


@dataclass(frozen=True)
class _Levels:
    """What the walk up the hierarchy leaves behind; shapes as in `CompositeIndex`, `nodes` n x inner nodes."""

    nodes: pd.DataFrame
    contributions: pd.DataFrame
    weights_by_time: pd.DataFrame
    level_weights: pd.DataFrame


@dataclass(frozen=True)
class _Node:
    """One node: its values (n,), its members' local weights (T x members) and index points (n x members)."""

    values: Floats
    weights: pd.DataFrame
    points: Floats


def _build_levels(scores: pd.DataFrame, tree: Hierarchy, method: Method) -> _Levels:
    """Weigh the members of each node, from the lowest dimensions up to the index, then share the index out."""
    values = {name: scores[name].to_numpy() for name in tree.indicators}
    # Weights read scores on [0, 1]; a closeness by TOPSIS is there already.
    unit = {name: method.unit_scores(column) for name, column in values.items()}
    nodes: dict[str, _Node] = {}
    for name in tree.upwards():
        members = list(tree.children[name])
        aggregate = tree.aggregates.get(name, method.aggregate)
        nodes[name] = _build_node(
            _table(values, members, scores), _table(unit, members, scores), aggregate, method, tree.hand_set
        )
        values[name] = nodes[name].values
        unit[name] = values[name] if aggregate == "topsis" else method.unit_scores(values[name])
    by_time, points = _share_out(nodes, tree)
    return _Levels(
        nodes=_table(values, [name for name in nodes if name != ROOT], scores),
        contributions=_table(points, list(tree.indicators), scores),
        weights_by_time=pd.DataFrame({name: by_time[name] for name in tree.indicators}),
        level_weights=pd.DataFrame(
            [(member, name, node.weights[member].mean()) for name, node in nodes.items() for member in node.weights],
            columns=["node", "parent", "weight"],
        ).set_index("node"),
    )


def _build_node(
    members: pd.DataFrame,
    unit: pd.DataFrame,
    aggregate: str,
    method: Method,
    hand_set: Mapping[str, float | None],
) -> _Node:
    local = weights_by_time(unit, method, hand_set)
    check_aggregable(members, local, aggregate)
    weights, matrix = rows_of(local, members), members.to_numpy()
    return _Node(
        values=aggregate_scores(matrix, weights, aggregate),
        weights=local,
        points=member_contributions(matrix, weights, aggregate),
    )


def _share_out(nodes: Mapping[str, _Node], tree: Hierarchy) -> tuple[dict[str, "pd.Series[float]"], dict[str, Floats]]:
    """Weight by time and index points of every node below the index."""
    root = nodes[ROOT]
    by_time = {ROOT: pd.Series(1.0, index=root.weights.index)}
    points = {ROOT: root.values}
    for name in reversed(list(tree.upwards())):
        node = nodes[name]
        # A node at 0 has nothing to give.
        ratio = points[name] / np.where(node.values == 0, 1.0, node.values)
        for column, member in enumerate(tree.children[name]):
            by_time[member] = by_time[name] * node.weights[member]
            points[member] = node.points[:, column] * ratio
    return by_time, points


def _table(columns: Mapping[str, Floats], names: list[str], scores: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: columns[name] for name in names}, index=scores.index)


def rows_of(by_time: pd.DataFrame, scores: pd.DataFrame) -> Floats:
    """The weights of each row's time, n x k."""
    return by_time.loc[scores.index.get_level_values(1)].to_numpy()


def _chain(scores: pd.DataFrame, by_time: pd.DataFrame) -> pd.DataFrame:
    """Contributions of the chained index, n x k; see `composite_index`."""
    entities, times = (scores.index.get_level_values(level) for level in (0, 1))
    if len(scores) != entities.nunique() * times.nunique():
        raise StudyError(
            "index method, weights entropy_chained", "an entity is not there at every time", "use entropy_yearly"
        )
    previous = scores.groupby(level=0).shift()
    before = by_time.shift().fillna(0.0)
    # The first time has no step behind it: its own weights count in full.
    link = (by_time + before) / 2
    link.iloc[0] = by_time.iloc[0]
    steps = (scores - previous.fillna(0.0)) * rows_of(link, scores)
    return steps.groupby(level=0).cumsum()


def _dimension_scores(
    scores: pd.DataFrame, levels: _Levels, dimensions: "pd.Series[str]", aggregate: str
) -> pd.DataFrame:
    """Each dimension as an index of its own; with one level, its indicators' weights are scaled to sum to 1."""
    if not levels.nodes.empty:
        return levels.nodes
    weights = pd.DataFrame(rows_of(levels.weights_by_time, scores), index=scores.index, columns=scores.columns)
    columns = {}
    for dimension, names in dimensions.groupby(dimensions, sort=False).groups.items():
        own = weights[list(names)].to_numpy()
        total = np.abs(own).sum(axis=1, keepdims=True)
        columns[dimension] = aggregate_scores(
            scores[list(names)].to_numpy(), own / np.where(total == 0, 1.0, total), aggregate
        )
    return pd.DataFrame(columns, index=scores.index)


def _entropies(scores: pd.DataFrame, shift: float) -> "pd.Series[float]":
    if scores.to_numpy().min() < 0:
        return pd.Series(dtype=float, name="entropy")
    return column_entropies(scores, shift).rename("entropy")
