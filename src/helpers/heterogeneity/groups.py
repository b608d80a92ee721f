"""Groups of entities: read, checked, and set side by side in one regression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError, attempt
from helpers.regression.panel import fit
from helpers.study.model import Model

Regions = str | pd.Series | Mapping[str, str]


@dataclass(frozen=True)
class Grouping:
    """Which region each entity belongs to.

    Attributes
    ----------
    order
        The regions, in the order in which they are shown.
    region
        Region of each entity; indexed by entity, sorted.
    """

    order: tuple[str, ...]
    region: pd.Series

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All pairs of regions, the earlier first."""
        return [(a, b) for place, a in enumerate(self.order) for b in self.order[place + 1 :]]

    def rows(self, data: pd.DataFrame) -> pd.Series:
        """Region of each row of a panel, indexed like it."""
        return pd.Series(self.region.loc[data.index.get_level_values(0)].to_numpy(), index=data.index)

    def members(self, region: str) -> np.ndarray:
        """Whether each entity belongs to a region, in sorted order of the entities."""
        return np.asarray(self.region == region)


FEWEST = 3
"""Entities below which a group has no regression of its own."""
TOO_FEW = "too few for a regression"
NO_REGRESSION = "its rows determine no regression of their own"


def usable_groups(
    data: pd.DataFrame, regions: pd.Series, order: Sequence[str], model: Model
) -> tuple[list[str], dict[str, str]]:
    """The groups whose entities in a panel can have a regression of their own, in order, and why the others cannot."""
    there = regions.reindex(data.index.unique(level=0))
    counts = there.value_counts()
    left_out: dict[str, str] = {}
    for name in order:
        rows = data[data.index.get_level_values(0).isin(there.index[there == name])]
        if counts.get(name, 0) < FEWEST:
            left_out[name] = TOO_FEW
        elif isinstance(attempt(fit, rows, model.with_(cluster="entity")), StudyError):
            left_out[name] = NO_REGRESSION
    return [name for name in order if name not in left_out], left_out


def read_grouping(data: pd.DataFrame, regions: Regions, order: Sequence[str] | None = None) -> Grouping:
    """Read which region each entity of a panel belongs to.

    Parameters
    ----------
    data
        Panel: rows indexed by (entity, time).
    regions
        Name of a column that is constant within each entity, or a Series or mapping entity -> region.
    order
        The regions in the order in which they are shown, all of them; sorted when left out.

    Raises
    ------
    StudyError
        A missing column, an entity without a region or with two, a region without members or with a single one, fewer
        than two regions.
    """
    entities = data.index.unique(level=0).sort_values()
    region = _region_of_entities(data, regions, entities)
    names = tuple(sorted(region.unique())) if order is None else tuple(order)
    counts = region.value_counts()
    for name in names:
        if counts.get(name, 0) < 2:
            raise StudyError(
                f"region {name}",
                f"it has {counts.get(name, 0)} members",
                "correct the regions: each needs two entities or more",
            )
    stray = sorted(set(region.unique()) - set(names))
    if stray:
        raise StudyError(
            f"region {stray[0]}", "it is not among the declared regions", f"declared are {', '.join(names)}"
        )
    if len(names) < 2:
        raise StudyError("regions", "there is only one", "name at least two regions")
    return Grouping(names, region)


def _region_of_entities(data: pd.DataFrame, regions: Regions, entities: pd.Index) -> pd.Series:
    if isinstance(regions, str):
        if regions not in data.columns:
            raise StudyError(f"panel, column {regions}", "there is no such column", "add the regions to the panel")
        grouped = data[regions].groupby(level=0)
        changing = grouped.nunique() > 1
        if changing.any():
            raise StudyError(
                f"panel, column {regions}, {changing.idxmax()}",
                "its region changes over time",
                "give each entity one region",
            )
        region = grouped.first()
    else:
        region = pd.Series(regions)
        if region.index.has_duplicates:
            raise StudyError("regions", "an entity is listed twice", "give each entity one region")
    region = region.reindex(entities)
    if region.isna().any():
        raise StudyError(f"regions, {region.isna().idxmax()}", "it has no region", "give each entity a region")
    return region.astype(str)


def stack_regions(
    data: pd.DataFrame, columns: Sequence[str], common: Sequence[str], grouping: Grouping, time_effects: bool
) -> pd.DataFrame:
    """Lay out a panel so that one regression gives every region's own coefficients.

    Each of `columns` becomes one column per region, named ``<column>_<region>`` and zero elsewhere; with time effects
    the time level becomes region x time, so that each region has time effects of its own.

    Parameters
    ----------
    columns
        Columns whose coefficient differs by region.
    common
        Columns that are kept as they are.

    Returns
    -------
    DataFrame
        The `common` and the split columns, and indicator columns ``region_<region>``.
    """
    rows = grouping.rows(data)
    stacked = data[list(common)].astype(float)
    for region in grouping.order:
        inside = (rows == region).to_numpy(dtype=float)
        stacked[f"region_{region}"] = inside
        for column in columns:
            stacked[split_name(column, region)] = data[column].to_numpy(dtype=float) * inside
    if time_effects:
        time = pd.factorize(data.index.get_level_values(1), sort=True)[0]
        place = pd.Categorical(rows, categories=list(grouping.order)).codes.astype(int)
        codes = place * (int(time.max()) + 1) + time
        stacked.index = pd.MultiIndex.from_arrays([data.index.get_level_values(0), codes], names=data.index.names)
    return stacked


def split_name(column: str, region: str) -> str:
    """Name of a column's part in one region."""
    return f"{column}_{region}"
