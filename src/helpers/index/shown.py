"""What notebook 02 shows of the study's indices: how sure, how much a matter of choice, how unequal, how they move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.accounting import split_change
from helpers.index.bootstrap import IndexBootstrap, bootstrap_index
from helpers.index.build import index_rows
from helpers.index.dynamics import beta_convergence, markov_transitions, sigma_convergence
from helpers.index.inequality import dagum_split, split_by_time, theil_split
from helpers.index.pictures import draw_tiles
from helpers.index.spatial import local_moran, moran_by_time, read_contiguity
from helpers.multiverse.drawn import IndexExperiment, IndexSensitivity, IndexUncertainty, Specification
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.display.figures import FigureView
    from helpers.display.prose import Sentence
    from helpers.index.composite import CompositeIndex
    from helpers.notebook import NotebookRun
    from helpers.results.results import Results
    from helpers.study.study import Regions, Study

SHOWN = 40  # rows of a picture with one row per entity


def main_index(study: Study) -> str:
    """The index that a reader looks at first: the treatment where it is an index, else the first one declared."""
    treatment = study.specification.treatment
    return treatment if treatment in study.indices else next(iter(study.indices))


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


def build_experiment(panel: pd.DataFrame, study: Study) -> IndexExperiment:
    """The index choices crossed with the primary specification, on the rows that have every figure it needs.

    Where the study's treatment is no index, the first declared index stands in its place.
    """
    model, primary = study.specification, study.ladder[study.primary]
    names = [name for name in dict.fromkeys((model.outcome, main_index(study))) if name in study.indices]
    specification = Specification(
        outcome=model.outcome,
        treatment=main_index(study),
        controls=model.controls if primary.controls else (),
        entity_effects="entity" in primary.effects,
        time_effects="time" in primary.effects,
    )
    indicators = [indicator for name in names for indicator in study.indices[name].indicators]
    others = [name for name in (model.outcome, *specification.controls) if name not in study.indices]
    rows = panel[[*indicators, *others]].dropna()
    return IndexExperiment(rows, {name: study.indices[name] for name in names}, specification)


def record_experiment(results: Results, found: IndexUncertainty, sensitivity: IndexSensitivity) -> None:
    """Record how the coefficient moves over the choices (``index.choices.*``) and every Sobol index of it."""
    for name, row in found.estimates.iterrows():
        results.record(
            f"index.choices.{name}",
            estimate=row["baseline"],
            ci_low=row["ci_low"],
            ci_high=row["ci_high"],
            convention="percentiles over random choices of the index, every option alike",
        )
        results.record(f"index.choices.{name}.same_sign", value=row["share_same_sign"], digits=2)
        results.record(f"index.choices.{name}.significant", value=row["share_significant"], digits=2)
    results.record("index.choices.runs", value=sensitivity.outputs["estimate"].n_runs)
    results.record("index.choices.half_width", value=sensitivity.outputs["standardised"].widest, digits=3)
    for choice, row in sensitivity.outputs["standardised"].table.iterrows():
        for order in ("first", "total"):
            half = row[f"{order}_half_width"]
            results.record(
                f"index.choices.sobol.{choice}.{order}",
                value=row[order],
                ci_low=row[order] - half,
                ci_high=row[order] + half,
            )


def say_choices(sensitivity: IndexSensitivity) -> str:
    """The sentence template on how much of the coefficient is a matter of choice."""
    table = sensitivity.outputs["standardised"].table
    largest = str(table["total"].idxmax())
    return (
        "Over random choices of the index the standardised coefficient lies between "
        "{index.choices.standardised:ci_low} and {index.choices.standardised:ci_high} in nineteen of twenty runs "
        "(declared method: {index.choices.standardised}); it keeps its sign in "
        "{index.choices.standardised.same_sign:.0%} of them and is significant in "
        "{index.choices.standardised.significant:.0%}. "
        f"The choice that moves it most is {largest.replace('_', ' ')}: total-order index "
        f"{{index.choices.sobol.{largest}.total:.2f}}. The widest interval of a Sobol index is "
        "{index.choices.half_width} to either side, from {index.choices.runs} full runs of indices and regression."
    )


def sobol_table(sensitivity: IndexSensitivity) -> pd.DataFrame:
    """Rows (output, choice): first and total order with the half-widths of their intervals."""
    return pd.concat({name: item.table for name, item in sensitivity.outputs.items()}, names=["output", "choice"])


def rank_table(found: IndexUncertainty, bootstrap: IndexBootstrap, name: str) -> pd.DataFrame:
    """One row per entity, best first: rank, its interval over choices, and the sampling interval at the last time."""
    table = found.ranks[name].rename(columns={"ci_low": "choices_low", "ci_high": "choices_high"})
    last = bootstrap.ranks.index.get_level_values(1).max()
    sampled = bootstrap.ranks.xs(last, level=1)
    table["rank_last"] = sampled["estimate"]
    table["bootstrap_low"], table["bootstrap_high"] = sampled["ci_low"], sampled["ci_high"]
    return table.sort_values("rank", kind="stable", key=tie).rename_axis(str(bootstrap.ranks.index.names[0]))


def gap_table(values: pd.Series, regions: pd.Series) -> pd.DataFrame:
    """By time: Theil's T and the Gini coefficient, each with its exact regional parts."""
    kept = values[values.index.get_level_values(0).isin(regions.dropna().index)]
    theil = split_by_time(kept, regions, theil_split).add_prefix("theil_")
    dagum = split_by_time(kept, regions, dagum_split).add_prefix("gini_")
    return theil.join(dagum)


def convergence_table(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """One row per column: sigma convergence (trend of log sd / mean) and absolute beta convergence."""
    rows = {}
    for label, values in columns.items():
        wide = values.unstack(level=1).dropna()
        complete = pd.Series(wide.stack(), name="value")
        sigma = sigma_convergence(complete)
        rows[label] = {"sigma_trend": sigma.slope, "sigma_p_value": sigma.p_value}
        if (wide.iloc[:, [0, -1]] > 0).all(axis=None):
            beta = beta_convergence(complete)
            rows[label] |= {"beta": beta.estimate, "beta_p_value": beta.p_value, "half_life": beta.half_life}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("column")


def transition_table(values: pd.Series, classes: int = 4) -> pd.DataFrame:
    """Shares of the moves from each class (rows, from the lowest) to each class, one period to the next."""
    return markov_transitions(values, classes).matrix


def neighbour_tables(
    values: pd.Series, study: Study, rng: np.random.Generator, permutations: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Global Moran's I by time, and local Moran's I at the last time; both empty where the study has no map."""
    if study.map is None:
        empty = pd.DataFrame({"estimate": [], "p_value": []})
        return empty.rename_axis(str(values.index.names[1])), empty.rename_axis(str(values.index.names[0]))
    contiguity = read_contiguity(study.folder / study.map.contiguity, list(values.index.unique(0)))
    last = values.xs(values.index.get_level_values(1).max(), level=1)
    local = local_moran(last, contiguity, rng, permutations).rename_axis(str(values.index.names[0]))
    return moran_by_time(values, contiguity, rng, permutations), local.sort_values("p_value", kind="stable")


def say_neighbours(study: Study) -> str:
    """A sentence on what neighbours are in this study, or that it declares none."""
    if study.map is None:
        return "This study declares no map, so that no spatial statistic is computed."
    return f"Neighbours are read from `{study.map.contiguity}` in the study's folder."


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


def show_map(run: NotebookRun, values: pd.Series, *, caption: str, name: str = "tiles") -> FigureView | Sentence:
    """The tile map of an index at its first and last time, or a sentence that the study declares no map.

    A tile bears the entity's first other name, where the study declares one.
    """
    study = run.study
    if study.map is None:
        return run.say(say_neighbours(study))
    names = run.units[study.entity.aliases[0]] if study.entity.aliases else pd.Series(run.units.index, run.units.index)
    words = {str(name): str(word) for name, word in names.items()}
    return run.figure(
        draw_tiles(values, read_tiles(study.folder / study.map.tiles), words),
        name,
        caption=caption,
        alt="A grid with one tile per unit, darker tiles are higher, at the first and at the last period.",
    )


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


def sobol_panels(sensitivity: IndexSensitivity, study: Study) -> dict[str, pd.DataFrame]:
    """The tables of the Sobol picture by the label of the output: the standardised coefficient, then the ranks."""
    panels = {"standardised coefficient": sensitivity.outputs["standardised"].table}
    for name, item in sensitivity.outputs.items():
        if name.startswith("rank_shift_"):
            panels[f"ranks of {study.label(name.removeprefix('rank_shift_')).lower()}"] = item.table
    return panels


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
