"""A large panel in a study's words: its indices, their weights, and effects by group, as tables and as results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import StudyError
from helpers.large.describe import means_by_group, means_by_time
from helpers.large.groups import fit_groups
from helpers.large.index import LargeIndex, index_large_panel
from helpers.large.rows import open_rows
from helpers.results.estimate import Estimate
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from helpers.study.study import Study


def build_large_indices(path: Path, study: Study) -> dict[str, LargeIndex]:
    """Every index that the study declares, over the rows that have a figure for all of its indicators.

    Raises
    ------
    StudyError
        Naming the index, and from :func:`helpers.large.index.index_large_panel` what is wrong.
    """
    built = {}
    for name, index in study.indices.items():
        needed = list(index.indicators) if study.sample.missing == "drop" else []
        try:
            with open_rows(path, list(index.indicators), complete=needed) as panel:
                built[name] = index_large_panel(panel, index)
        except StudyError as error:
            raise StudyError(f"index {name}, {error.where}", error.rule, error.remedy) from None
    return built


def index_table(indices: Mapping[str, LargeIndex], study: Study) -> pd.DataFrame:
    """One row per index: its method in words, indicators and rows."""
    rows = {}
    for name, index in indices.items():
        method = study.indices[name].method
        rows[study.label(name)] = {
            "indicators": len(index.weights),
            "scale": f"{method.scale}, {method.scope}",
            "weights": method.weights,
            "aggregate": method.aggregate,
            "rows": index.n_rows,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("index")


def record_weights(record: Callable[..., Any], indices: Mapping[str, LargeIndex]) -> None:
    """Record every weight under ``index.<index>.weight.<indicator>``."""
    for name, index in indices.items():
        for indicator, weight in index.weights.items():
            record(f"index.{name}.weight.{indicator}", value=float(weight), n_obs=index.n_rows)


def weight_table(indices: Mapping[str, LargeIndex], study: Study) -> pd.DataFrame:
    """One row per index and indicator: dimension, direction, entropy and weight, heaviest first."""
    tables = {}
    for name, index in indices.items():
        declared = study.indices[name].indicators
        table = pd.DataFrame(
            {
                "indicator": [study.label(str(item)) for item in index.weights.index],
                "dimension": [study.label(declared[str(item)].dimension) for item in index.weights.index],
                "direction": index.directions.map({1: "more is better", -1: "less is better"}).to_numpy(),
                "entropy": index.entropies.to_numpy(),
                "weight": index.weights.to_numpy(),
            }
        )
        ordered = table.sort_values("weight", ascending=False, kind="stable", key=tie)
        tables[study.label(name)] = ordered.set_index("indicator")
    return pd.concat(tables, names=["index"])


def region_trends(path: Path, columns: list[str], study: Study) -> dict[str, pd.DataFrame]:
    """For each column, by its label: times x regions, the regions' means; one column where there is no grouping."""
    if not study.regions:
        order = study.grouping.order
        return {study.label(name): means_by_time(path, [name]).set_axis(order, axis=1) for name in columns}
    grouping = next(iter(study.regions))
    return {study.label(name): means_by_group(path, name, grouping, study.grouping.order) for name in columns}


def group_table(effects: Mapping[str, Estimate], study: Study) -> pd.DataFrame:
    """One row per group or pair of groups: the estimate with what belongs to it."""
    names = ("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high", "n_obs", "n_entities")
    rows = {
        _words(name, study): {column: getattr(found, column) for column in names} for name, found in effects.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(names)).rename_axis("region")


def failed_table(failed: Mapping[str, str], study: Study) -> pd.DataFrame:
    """One row per group whose regression cannot be fitted, and why."""
    rows = {study.label(name): {"reason": reason} for name, reason in failed.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["reason"]).rename_axis("region")


def fit_groupings(path: Path, study: Study) -> dict[str, Estimate]:
    """The effect in the groups of every grouping but the first."""
    found: dict[str, Estimate] = {}
    for name, grouping in list(study.regions.items())[1:]:
        fits, _ = fit_groups(path, study.model(), name, grouping.order, study.time.window)
        found |= {group: fit[study.specification.treatment] for group, fit in fits.items()}
    return found


def _words(name: str, study: Study) -> str:
    first, _, second = name.partition("_minus_")
    return f"{study.label(first)} minus {study.label(second)}" if second else study.label(name)
