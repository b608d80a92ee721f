"""Entities that belong to a group, and the effect in the groups of every grouping that a study declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.heterogeneity.heterogeneity import fit_by_region
from helpers.heterogeneity.shown import record_regions, region_table

if TYPE_CHECKING:
    from helpers.heterogeneity.region_results import RegionFit
    from helpers.results.results import Results
    from helpers.study.study import Regions, Study


def keep_grouped(panel: pd.DataFrame, regions: pd.Series[str]) -> pd.DataFrame:
    """The rows of the entities that belong to a region; `regions` is empty for the others."""
    return panel[panel.index.get_level_values(0).isin(regions.index[regions.notna()])]


def count_left_out(panel: pd.DataFrame, units: pd.DataFrame, study: Study) -> pd.DataFrame:
    """One row per grouping and value that the study leaves out: entities and rows of the panel, and the reason."""
    rows = [
        {"grouping": name, "value": value or "(empty)", **_count(panel, units, grouping, value), "reason": reason.en}
        for name, grouping in study.regions.items()
        for value, reason in grouping.left_out.items()
    ]
    return pd.DataFrame(rows, columns=["grouping", "value", "n_entities", "n_obs", "reason"]).set_index("grouping")


def fit_groupings(
    panel: pd.DataFrame, units: pd.DataFrame, study: Study, *, wild_draws: int, rng: np.random.Generator
) -> dict[str, dict[str, RegionFit]]:
    """Fit the model in each group of every grouping but the first, which the notebook on regions fits itself."""
    model, found = study.specification, {}
    for name, grouping in list(study.regions.items())[1:]:
        regions = units[grouping.column].map(grouping.group)
        found[name] = fit_by_region(
            keep_grouped(panel, regions),
            model.outcome,
            model.treatment,
            model.controls,
            regions,
            order=grouping.order,
            wild_draws=wild_draws,
            rng=rng,
        )
    return found


def record_groupings(results: Results, fits: Mapping[str, Mapping[str, RegionFit]], treatment: str) -> None:
    """Record ``region.<group>.<treatment>`` for every group."""
    for groups in fits.values():
        record_regions(results, groups, treatment)


def grouping_table(fits: Mapping[str, Mapping[str, RegionFit]], study: Study) -> pd.DataFrame:
    """One row per grouping and group: the clustered numbers and the bootstrap's."""
    return pd.concat({name: region_table(groups, study) for name, groups in fits.items()}, names=["grouping"])


def _count(panel: pd.DataFrame, units: pd.DataFrame, grouping: Regions, value: str) -> dict[str, Any]:
    entities = panel.index.get_level_values(0)
    held = entities.isin(units.index[units[grouping.column] == value])
    return {"n_entities": entities[held].nunique(), "n_obs": int(held.sum())}
