"""The study's words and tables for its indices: weights, changes, inequality, convergence, neighbours, one unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.accounting import has_obstacles, obstacle_degrees, split_change
from helpers.index.bootstrap import IndexBootstrap, bootstrap_index
from helpers.index.build import index_rows
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.index.composite import CompositeIndex
    from helpers.results.results import Results
    from helpers.study.study import Regions, Study

SHOWN = 40  # rows of a picture with one row per entity


def main_index(study: Study) -> str:
    """The index that a reader looks at first: the treatment where it is an index, else the first one declared."""
    treatment = study.specification.treatment
    return treatment if treatment in study.indices else next(iter(study.indices))


def index_table(indices: Mapping[str, CompositeIndex], study: Study) -> pd.DataFrame:
    """One row per index: its method in words, indicators, rows, entities and periods."""
    rows = {}
    for name, index in indices.items():
        entities, times = (index.values.index.unique(level) for level in (0, 1))
        rows[study.label(name)] = {
            "indicators": len(index.weights),
            "scale": f"{index.method.scale}, {index.method.scope}",
            "weights": index.method.weights,
            "aggregate": index.method.aggregate,
            "rows": len(index.values),
            "entities": len(entities),
            "first": int(times.min()),
            "last": int(times.max()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("index")


def bootstrap_indices(
    panel: pd.DataFrame, study: Study, draws: int, rng: np.random.Generator
) -> dict[str, IndexBootstrap]:
    """Entity bootstrap of every index: intervals of its weights, values and ranks."""
    missing = study.sample.missing
    return {
        name: bootstrap_index(index_rows(panel, index, missing), index, draws, rng)
        for name, index in study.indices.items()
    }


def record_weights(
    results: Results, indices: Mapping[str, CompositeIndex], bootstraps: Mapping[str, IndexBootstrap]
) -> None:
    """Record every weight with its bootstrap interval under ``index.<index>.weight.<indicator>``."""
    for name, index in indices.items():
        intervals = bootstraps[name].weights
        for indicator, weight in index.weights.items():
            found = intervals.loc[str(indicator)].to_dict()
            results.record(
                f"index.{name}.weight.{indicator}",
                value=weight,
                std_error=found["std_error"],
                ci_low=found["ci_low"],
                ci_high=found["ci_high"],
                n_obs=len(index.values),
                n_entities=index.values.index.unique(0).size,
                convention=f"entity bootstrap, {bootstraps[name].n_draws} draws, percentile interval",
            )


def table_or_reason(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """A table, or a table with the reason why it cannot be made."""
    try:
        return make()
    except StudyError as error:
        return pd.DataFrame({"rule": [error.rule]}, index=pd.Index([error.where], name="not_computed"))


def read_tiles(path: Path) -> pd.DataFrame:
    """Row and column of every entity in the tile map, indexed by entity.

    Raises
    ------
    StudyError
        A missing file or column, or two entities on one tile.
    """
    if not path.is_file():
        raise StudyError(str(path), "the tile map is missing", "write it, or take `map` out of the study file")
    table = pd.read_csv(path, encoding="utf-8")
    if list(table.columns[1:3]) != ["row", "column"]:
        raise StudyError(str(path), "the columns must be entity, row and column", "correct the header")
    twice = table[table.duplicated(["row", "column"])]
    if len(twice):
        raise StudyError(f"{path}, {twice.iloc[0, 0]!s}", "another entity has the same tile", "give each its own")
    return table.set_index(table.columns[0])


def find_tiles(units: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, dict[str, str]] | None:
    """The tile map and what each tile bears; None for a study without a map."""
    if study.map is None:
        return None
    return read_tiles(study.folder / study.map.tiles), tile_words(units, study)


def tile_words(units: pd.DataFrame, study: Study) -> dict[str, str]:
    """What a tile bears: the entity's first other name, where the study declares one, else its own."""
    names = units[study.entity.aliases[0]] if study.entity.aliases else pd.Series(units.index, units.index)
    return {str(name): str(word) for name, word in names.items()}


def choose_entity(values: pd.Series, entity: str) -> str:
    """The entity asked for, or, when none is, the one whose index has grown most.

    Raises
    ------
    StudyError
        When the index has no such entity.
    """
    entities = values.index.unique(0)
    if entity and entity not in entities:
        raise StudyError(f"unit {entity}", "the index has no such unit", f"use one of: {', '.join(map(str, entities))}")
    wide = values.unstack(level=1).dropna()
    return entity or str((wide.iloc[:, -1] - wide.iloc[:, 0]).idxmax())


def obstacle_table(index: CompositeIndex, study: Study) -> pd.DataFrame:
    """One row per indicator, largest first: its mean share in what the units lack, and the units it holds back most.

    At the first and the last time; `most_first` and `most_last` count the units whose largest obstacle it is.
    """

    def make() -> pd.DataFrame:
        degrees = obstacle_degrees(index)
        times = degrees.index.unique(1)
        columns = {}
        for name, time in (("first", times.min()), ("last", times.max())):
            here = pd.DataFrame(degrees.xs(time, level=1)).dropna()
            columns[f"mean_{name}"] = here.mean()
            columns[f"most_{name}"] = here.idxmax(axis=1).value_counts().reindex(here.columns, fill_value=0)
        table = pd.DataFrame(columns).sort_values("mean_last", ascending=False, kind="stable", key=tie)
        return label_index(table.rename_axis("indicator"), study)

    return table_or_reason(make)


def largest_obstacle(index: CompositeIndex, entity: str) -> tuple[str, float] | None:
    """The indicator that holds an entity back most at the last time, with its share.

    None where no share is defined, an empty name where the entity lacks nothing.
    """
    if not has_obstacles(index):
        return None
    own = obstacle_degrees(index).xs(entity, level=0).iloc[-1].dropna()
    return (str(own.idxmax()), float(own.max())) if len(own) else ("", 0.0)


def find_heaviest(weights: pd.Series) -> list[str]:
    """The indicator that weighs most, first in order, and those that weigh as much."""
    return [str(name) for name in weights.index[np.isclose(weights, weights.max(), rtol=1e-9, atol=0.0)]]


def kind_of_weights(weights: pd.Series) -> str:
    """Whether "one" indicator weighs most, "some" weigh most alike, "all" weigh the same, or there is one "alone"."""
    alike = len(find_heaviest(weights))
    if len(weights) == 1:
        return "alone"
    return "one" if alike == 1 else "all" if alike == len(weights) else "some"


def label_index(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A table whose first level of rows is named by indicators, with their labels."""
    return table.rename(index=lambda name: study.label(str(name)))


def dimension_means(index: CompositeIndex, study: Study) -> pd.DataFrame:
    """Entities x dimensions, best first: the mean over time of each dimension's own index."""
    table = label_columns(index.dimension_scores.groupby(level=0).mean(), study)
    order = index.values.groupby(level=0).mean().sort_values(ascending=False, kind="stable", key=tie).index
    return table.loc[order]


def label_columns(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A table whose columns are named by indicators or dimensions, with their labels."""
    return table.rename(columns=lambda name: study.label(str(name)))


def rank_panel(scores: pd.DataFrame) -> pd.DataFrame:
    """Rank of every entity by every index at every time, 1 the highest; empty where the index is."""
    tied = {name: tie(scores[name]) for name in scores.columns}
    return pd.DataFrame(tied).groupby(level=1).rank(ascending=False, method="min")


def contribution_panel(indices: Mapping[str, CompositeIndex]) -> pd.DataFrame:
    """Points that each dimension gives to its index, a column ``<index>.<dimension>`` each, by entity and time."""
    parts = {f"{name}.": index.dimension_contributions for name, index in indices.items()}
    return pd.concat([part.add_prefix(name) for name, part in parts.items()], axis=1).sort_index()


def labels_of(grouping: Regions) -> dict[str, str]:
    """What each region of a grouping is called, in the order in which they are shown."""
    return {name: grouping.labels[name].en for name in grouping.order}


def change_table(index: CompositeIndex, first: int, last: int, study: Study) -> pd.DataFrame:
    """One row per indicator, largest first: the part of the mean change that its figures and its weight made."""
    split = split_change(index, first, last)
    table = pd.DataFrame({"figures": split.figures.mean(), "weights": split.weights.mean()})
    table["total"] = table.sum(axis=1)
    order = table["total"].abs().sort_values(ascending=False, kind="stable", key=tie).index
    return label_index(table.loc[order].rename_axis("indicator"), study)


def change_adds_up(change: pd.DataFrame, values: pd.Series, first: int, last: int) -> bool:
    """Whether the parts sum to the change of the mean over the entities that are there at both times."""
    wide = values.unstack(level=1)[[first, last]].dropna()
    return bool(abs(change["total"].sum() - (wide[last] - wide[first]).mean()) < 1e-12)


def shorten(table: pd.DataFrame) -> pd.DataFrame:
    """The first and the last rows of a long table, so that a picture of it can be read."""
    return table if len(table) <= SHOWN else pd.concat([table.head(SHOWN // 2), table.tail(SHOWN // 2)])


def shorten_panel(values: pd.Series, ranks: pd.DataFrame) -> pd.Series:
    """The rows of the entities that `shorten` keeps."""
    return values[values.index.get_level_values(0).isin(shorten(ranks).index)]
