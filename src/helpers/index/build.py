"""The study's indices: every declared index built over the rows of the panel, and what each is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import StudyError
from helpers.index.composite import CompositeIndex, composite_index
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from helpers.index.bootstrap import IndexBootstrap
    from helpers.study.study import Index, Study


def index_rows(panel: pd.DataFrame, index: Index, missing: str = "stop") -> pd.DataFrame:
    """The rows over which an index is built.

    Parameters
    ----------
    panel
        Entity-times by columns, the index's indicators among them.
    index
        Its `first` and `last` narrow the periods.
    missing
        "drop" leaves out the rows that lack a figure for one of the indicators; "stop" leaves them to be refused.
    """
    times = panel.index.get_level_values(1)
    inside = (times >= (index.first or times.min())) & (times <= (index.last or times.max()))
    rows = panel[inside]
    return rows.dropna(subset=[name for name in index.indicators if name in rows]) if missing == "drop" else rows


def build_index(panel: pd.DataFrame, index: Index, missing: str = "stop", **choices: Any) -> CompositeIndex:
    """One index over its rows (see `index_rows`); `choices` replace parts of its method."""
    return composite_index(index_rows(panel, index, missing), index, **choices)


def build_indices(panel: pd.DataFrame, study: Study) -> dict[str, CompositeIndex]:
    """Every index that the study declares, by name.

    Raises
    ------
    StudyError
        Naming the index, and from :func:`helpers.index.composite.composite_index` the column, the row and the rule.
    """
    built = {}
    for name, index in study.indices.items():
        try:
            built[name] = build_index(panel, index, study.sample.missing)
        except StudyError as error:
            raise StudyError(f"index {name}, {error.where}", error.rule, error.remedy) from None
    return built


def index_values(indices: Mapping[str, CompositeIndex]) -> pd.DataFrame:
    """Rows of the panel x indices: the values; empty outside an index's own periods."""
    return pd.DataFrame({name: index.values for name, index in indices.items()}).sort_index()


def rebuild_indices(
    panel: pd.DataFrame, study: Study, names: Iterable[str], choices: Mapping[str, Any]
) -> pd.DataFrame:
    """Those of the named columns that are indices, made anew with parts of their method replaced."""
    indices = {name: study.indices[name] for name in names if name in study.indices}
    built = {name: build_index(panel, index, study.sample.missing, **choices) for name, index in indices.items()}
    return index_values(built)


def weight_table(index: CompositeIndex, bootstrap: IndexBootstrap, study: Study) -> pd.DataFrame:
    """One row per indicator: dimension, direction, entropy and weight, heaviest first."""
    table = pd.DataFrame(
        {
            "indicator": [study.label(str(name)) for name in index.weights.index],
            "dimension": [study.label(str(name)) for name in index.dimensions],
            "direction": index.directions.map({1: "more is better", -1: "less is better"}).to_numpy(),
            "entropy": index.entropies.reindex(index.weights.index).to_numpy(),
            "weight": index.weights.to_numpy(),
            "ci_low": bootstrap.weights["ci_low"].reindex(index.weights.index).to_numpy(),
            "ci_high": bootstrap.weights["ci_high"].reindex(index.weights.index).to_numpy(),
        }
    )
    return table.sort_values("weight", ascending=False, kind="stable", key=tie).set_index("indicator")


def weight_tables(
    indices: Mapping[str, CompositeIndex], bootstraps: Mapping[str, IndexBootstrap], study: Study
) -> dict[str, pd.DataFrame]:
    """The weight table of every index, with the weights' intervals, by the index's label."""
    return {study.label(name): weight_table(index, bootstraps[name], study) for name, index in indices.items()}


def stack_tables(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Tables below one another, with a first column called `name` that says which is which."""
    return pd.concat(tables, names=[name])


def model_panel(panel: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """The panel with the indices beside the variables and indicators."""
    return panel.join(values) if len(values.columns) else panel


def rank_entities(values: pd.Series) -> pd.DataFrame:
    """One row per entity, best first: rank and mean over time, the first and the last value that it has, the change."""
    entities = values.groupby(level=0)
    table = pd.DataFrame({"mean": entities.mean(), "first": entities.first(), "last": entities.last()})
    table["change"] = table["last"] - table["first"]
    table.insert(0, "rank", tie(table["mean"]).rank(ascending=False, method="min").astype(int))
    return table.sort_values("rank", kind="stable")


def region_means(values: pd.Series, regions: pd.Series) -> pd.DataFrame:
    """Times x regions: the mean of a column over the entities of each region; `regions` maps entity to region."""
    group = values.index.get_level_values(0).map(regions.to_dict())
    return values.groupby([values.index.get_level_values(1), group]).mean().unstack()


def region_trends(panel: pd.DataFrame, columns: list[str], regions: pd.Series, study: Study) -> dict[str, pd.DataFrame]:
    """For each column, by its label: times x regions, the regions' means."""
    return {study.label(name): region_means(panel[name], regions) for name in columns}


def weights_sum_to_one(indices: Mapping[str, CompositeIndex]) -> bool:
    """Whether the weights of every index sum to one (to rounding)."""
    return all(abs(index.weights.sum() - 1) < 1e-12 for index in indices.values())


def contributions_add_up(indices: Mapping[str, CompositeIndex]) -> bool:
    """Whether the contributions of the indicators sum to every index value (to rounding)."""
    return all((index.contributions.sum(axis=1) - index.values).abs().max() < 1e-12 for index in indices.values())
