"""The study's words and tables for its indices: weights, changes, inequality, convergence, neighbours, one unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.accounting import has_obstacles, obstacle_degrees, split_change
from helpers.index.bootstrap import IndexBootstrap, bootstrap_index
from helpers.index.build import index_rows
from helpers.index.dynamics import beta_convergence, markov_transitions, sigma_convergence
from helpers.index.inequality import dagum_split, split_by_time, theil_split
from helpers.index.spatial import local_moran, moran_by_time, read_contiguity
from helpers.results.estimate import Estimate
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


@dataclass(frozen=True)
class Spread:
    """Whether the entities of one column come together.

    Attributes
    ----------
    sigma
        Trend of the logarithm of sd / mean over time; None where there is none, with the reason.
    sd_first, sd_last
        Standard deviation between entities at the first and the last time.
    reason
        Why there is no trend, empty where there is one.
    """

    sigma: Estimate | None
    sd_first: float
    sd_last: float
    reason: str = ""

    def kind(self, level: float) -> str:
        """What the trend (clear at this level) and the standard deviations say together.

        "nearer" or "further" where both agree, "nearer but wider", "further but narrower", "unclear" where the trend is
        not clear, "unknown" where there is none.
        """
        if self.sigma is None:
            return "unknown"
        if (self.sigma.p_value or 0.0) >= level:
            return "unclear"
        wider = self.sd_last > self.sd_first
        if self.sigma.estimate < 0:
            return "nearer but wider" if wider else "nearer"
        return "further" if wider else "further but narrower"


def measure_spread(values: pd.Series) -> Spread:
    """The spread of a column between the entities that are there at every time."""
    wide = values.unstack(level=1).dropna()
    deviations = wide.std(ddof=1)
    first, last = float(deviations.iloc[0]), float(deviations.iloc[-1])
    try:
        found = sigma_convergence(_stack(wide))
    except StudyError as error:
        return Spread(None, first, last, f"{error.where}: {error.rule}")
    sigma = Estimate(
        estimate=found.slope,
        std_error=found.std_error,
        df=wide.shape[1] - 2,
        p_value=found.p_value,
        n_obs=wide.size,
        n_entities=len(wide),
        convention="least squares of ln(sd / mean) on time",
    )
    return Spread(sigma, first, last)


def _stack(wide: pd.DataFrame) -> pd.Series:
    """Entities x times as a column by entity and time."""
    rows = pd.MultiIndex.from_product([wide.index, wide.columns])
    return pd.Series(wide.to_numpy(dtype=float).ravel(), index=rows, name="value")


def table_or_reason(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """A table, or a table with the reason why it cannot be made."""
    try:
        return make()
    except StudyError as error:
        return pd.DataFrame({"rule": [error.rule]}, index=pd.Index([error.where], name="not_computed"))


def gap_table(values: pd.Series, regions: pd.Series) -> pd.DataFrame:
    """By time: Theil's T and the Gini coefficient, each with its exact regional parts."""

    def make() -> pd.DataFrame:
        kept = values[values.index.get_level_values(0).isin(regions.dropna().index)]
        theil = split_by_time(kept, regions, theil_split).add_prefix("theil_")
        return theil.join(split_by_time(kept, regions, dagum_split).add_prefix("gini_"))

    return table_or_reason(make)


def convergence_table(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """One row per column: sd at both ends, sigma (trend of log sd / mean) and absolute beta convergence."""
    rows = {}
    for label, values in columns.items():
        spread = measure_spread(values)
        rows[label] = {"sd_first": spread.sd_first, "sd_last": spread.sd_last}
        if spread.sigma is not None:
            rows[label] |= {"sigma_trend": spread.sigma.estimate, "sigma_p_value": spread.sigma.p_value or np.nan}
        wide = values.unstack(level=1).dropna()
        if (wide.iloc[:, [0, -1]] > 0).all(axis=None):
            beta = beta_convergence(_stack(wide))
            rows[label] |= {"beta": beta.estimate, "beta_p_value": beta.p_value, "half_life": beta.half_life}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("column")


def transition_table(values: pd.Series, classes: int = 4) -> pd.DataFrame:
    """Shares of the moves from each class (rows, from the lowest) to each class, one period to the next."""
    return table_or_reason(lambda: markov_transitions(values, classes).matrix)


def neighbour_tables(
    values: pd.Series, study: Study, rng: np.random.Generator, permutations: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Global Moran's I by time, and local Moran's I at the last time; both empty where the study has no map."""
    if study.map is None:
        empty = pd.DataFrame({"estimate": [], "p_value": []})
        return empty.rename_axis(str(values.index.names[1])), empty.rename_axis(str(values.index.names[0]))
    contiguity = read_contiguity(study.folder / study.map.contiguity, list(values.index.unique(0)))
    last = values.xs(values.index.get_level_values(1).max(), level=1)
    everywhere = moran_by_time(values, contiguity, rng, permutations)
    local = local_moran(last, contiguity, rng, permutations).rename_axis(str(values.index.names[0]))
    return everywhere, local.sort_values("p_value", kind="stable", key=tie)


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
    """The indicator that holds an entity back most at the last time, with its share; None where no share is defined."""
    if not has_obstacles(index):
        return None
    own = obstacle_degrees(index).xs(entity, level=0).iloc[-1].dropna()
    return (str(own.idxmax()), float(own.max())) if len(own) else None


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


def convergence_columns(index: CompositeIndex, values: pd.DataFrame, study: Study) -> dict[str, pd.Series]:
    """By label: every index, and every dimension of one of them."""
    columns = {study.label(str(name)): values[name].dropna() for name in values}
    return columns | {study.label(str(name)): index.dimension_scores[name] for name in index.dimension_scores}


def shorten(table: pd.DataFrame) -> pd.DataFrame:
    """The first and the last rows of a long table, so that a picture of it can be read."""
    return table if len(table) <= SHOWN else pd.concat([table.head(SHOWN // 2), table.tail(SHOWN // 2)])


def shorten_panel(values: pd.Series, ranks: pd.DataFrame) -> pd.Series:
    """The rows of the entities that `shorten` keeps."""
    return values[values.index.get_level_values(0).isin(shorten(ranks).index)]
