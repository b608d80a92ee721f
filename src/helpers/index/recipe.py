"""An index as a recipe over plain arrays: chosen rows set its scales and weights, and every row gets its value.

`composite_index` builds one index and accounts for every part of it; here the same steps (the same functions) make an
index thousands of times, each time from other rows. Rows that were not chosen are valued by the same formula: a score
may then lie outside the range of the chosen ones, and a value that the formula cannot give is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Codes, Floats
from helpers.errors import StudyError
from helpers.index.aggregation import aggregate_scores
from helpers.index.checks import check_no_constant, column_extents, read_directions
from helpers.index.composite import map_to_range
from helpers.index.hierarchy import Hierarchy, read_hierarchy
from helpers.index.scaling import box_cox, scale_matrix
from helpers.index.weights import entropy_weights, pooled_weights
from helpers.study.index import Method, read_field


@dataclass(frozen=True)
class Recipe:
    """What an index is made from and how; n rows sorted by entity and time, k indicators, T times.

    Attributes
    ----------
    figures
        n x k, before any transform.
    times
        Code of each row's time (n,).
    n_times
        T.
    names
        k indicators.
    signs
        k directions.
    method
        The choices, with the range of scores settled.
    tree
        Dimensions above the indicators.
    transforms
        k declared rules against skew, None where there is none.
    posts, references
        2 x k goalposts and k reference values, NaN where none is declared.
    """

    figures: Floats
    times: Codes
    n_times: int
    names: tuple[str, ...]
    signs: Floats
    method: Method
    tree: Hierarchy
    transforms: tuple[str | None, ...]
    posts: Floats
    references: Floats

    def derive(self, rows: Codes) -> tuple[Floats, Floats]:
        """The index by the scales and weights of the chosen rows.

        Parameters
        ----------
        rows
            Positions, one as often as its row counts.

        Returns
        -------
        tuple
            Values (n,) and the weights of the indicators (k,), where they differ between times their mean.

        Raises
        ------
        StudyError
            Chosen rows that give no index, such as an indicator that does not vary among them.
        """
        scores = self._scores(rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._climb(scores, rows)

    def _scores(self, rows: Codes) -> Floats:
        figures = self.figures
        if self.method.winsorise:
            share = self.method.winsorise
            figures = np.clip(figures, *np.quantile(figures[rows], [share, 1 - share], axis=0))
        for column, rule in enumerate(self.transforms):
            if rule is not None:
                figures = figures.copy() if figures is self.figures else figures
                figures[:, column] = _transform(figures[:, column], rule, rows)
        scores = self._scale(figures, rows)
        if self.method.score_range is None:
            return scores
        return map_to_range(scores, self.method.score_range, scores[rows])

    def _scale(self, figures: Floats, rows: Codes) -> Floats:
        if self.method.scope == "pooled":
            return self._scale_block(figures, figures[rows])
        scores = np.full(figures.shape, np.nan)
        for time in np.unique(self.times[rows]):
            here = self.times == time
            scores[here] = self._scale_block(figures[here], figures[rows[self.times[rows] == time]])
        return scores

    def _scale_block(self, figures: Floats, base: Floats) -> Floats:
        if self.method.scale != "goalposts":
            _named(lambda table: check_no_constant(table, column_extents(base)), base, self.names)
        return scale_matrix(figures, self.signs, self.method.scale, base, posts=self.posts, references=self.references)

    def _climb(self, scores: Floats, rows: Codes) -> tuple[Floats, Floats]:
        """Weigh and aggregate the members of each node, from the lowest dimensions up to the index."""
        method = self.method
        values = dict(zip(self.names, scores.T, strict=True))
        unit = {name: method.unit_scores(column) for name, column in values.items()}
        weights: dict[str, Floats] = {}
        for name in self.tree.upwards():
            members = self.tree.children[name]
            aggregate = self.tree.aggregates.get(name, method.aggregate)
            local = self._weigh(np.column_stack([unit[member] for member in members]), rows, members)
            matrix = np.column_stack([values[member] for member in members])
            weights[name] = local
            values[name] = aggregate_scores(matrix, local[self.times], aggregate, matrix[rows])
            unit[name] = values[name] if aggregate == "topsis" else method.unit_scores(values[name])
        by_time = self._multiply_out(weights)
        total = np.asarray(np.nanmean(by_time, axis=0))
        return (self._chain(scores, by_time) if method.weights == "entropy_chained" else values[""]), total

    def _weigh(self, unit: Floats, rows: Codes, members: tuple[str, ...]) -> Floats:
        """Weights of the members of one node at each time, T x members; NaN at a time without a chosen row."""
        if len(members) == 1:
            return np.ones((self.n_times, 1))
        chosen, method = unit[rows], self.method
        if method.weights in ("entropy_yearly", "entropy_chained"):
            local = np.full((self.n_times, len(members)), np.nan)
            for time in np.unique(self.times[rows]):
                here = chosen[self.times[rows] == time]
                local[time] = _named(lambda table: entropy_weights(table, method.shift), here, members)
            return local
        if method.weights == "fixed":
            own = np.array([self.tree.hand_set[member] for member in members], dtype=float)
        else:
            own = _named(lambda table: pooled_weights(table, method.weights, method.shift), chosen, members)
        return np.tile(own, (self.n_times, 1))

    def _multiply_out(self, weights: Mapping[str, Floats]) -> Floats:
        """Weights of the indicators in the whole index, T x k: the product of those on the way up."""
        by_node: dict[str, Floats] = {"": np.ones(self.n_times)}
        for name in reversed(list(self.tree.upwards())):
            for column, member in enumerate(self.tree.children[name]):
                by_node[member] = by_node[name] * weights[name][:, column]
        return np.column_stack([by_node[name] for name in self.names])

    def _chain(self, scores: Floats, by_time: Floats) -> Floats:
        """The chained index of `composite_index`; every entity is there at every time."""
        grid = scores.reshape(-1, self.n_times, scores.shape[1])
        link = by_time.copy()
        link[1:] = (by_time[1:] + by_time[:-1]) / 2
        steps = np.concatenate([grid[:, :1], np.diff(grid, axis=1)], axis=1)
        return np.asarray((steps * link).sum(axis=2).cumsum(axis=1).ravel())


def _named(make: Callable[[Any], Any], matrix: Floats, names: tuple[str, ...]) -> Any:
    """What is made of a matrix; where it is refused, the message names the column, which costs time only then."""
    try:
        return make(matrix)
    except StudyError:
        return make(pd.DataFrame(matrix, columns=list(names)))


def read_recipe(panel: pd.DataFrame, spec: Any, method: Method) -> Recipe:
    """The recipe of an index that `composite_index` has built over the whole of `panel` without an objection.

    Parameters
    ----------
    panel
        n entity-times, sorted.
    spec
        As in `composite_index`.
    method
        That of the built index.
    """
    indicators: Mapping[str, Any] = read_field(spec, "indicators")
    names = tuple(str(name) for name in indicators)
    times, codes = np.unique(panel.index.get_level_values(1), return_inverse=True)
    fields = {
        field: [read_field(item, field) for item in indicators.values()]
        for field in ("transform", "goalposts", "reference")
    }
    return Recipe(
        figures=panel[list(indicators)].to_numpy(dtype=float),
        times=codes.ravel(),
        n_times=len(times),
        names=names,
        signs=read_directions({name: read_field(item, "direction", 1) for name, item in indicators.items()}, names),
        method=method,
        tree=read_hierarchy(spec, method.levels),
        transforms=tuple(fields["transform"]),
        posts=np.array([posts or (np.nan, np.nan) for posts in fields["goalposts"]], dtype=float).T,
        references=np.array([np.nan if value is None else value for value in fields["reference"]], dtype=float),
    )


def _transform(column: Floats, rule: str, rows: Codes) -> Floats:
    try:
        return np.log(column) if rule == "log" else box_cox(column, column[rows])
    except ValueError as error:
        raise StudyError(f"transform {rule}", str(error), "leave the rule out for this indicator") from None
