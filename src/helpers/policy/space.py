"""Who is whose neighbour, and how much: spatial weights of a study, each entity's divided by their sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.disparity.spatial import read_contiguity
from helpers.errors import StudyError
from helpers.inference.dependence import great_circle_km

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.study.texts import Weights

BORDER = 1e-9


@dataclass(frozen=True)
class SpatialWeights:
    """Row-standardised weights of n entities.

    Attributes
    ----------
    matrix
        n x n, rows sum to 1, 0 on the diagonal; index and columns are the entities in sorted order.
    neighbours
        Entities with a weight above 0, mean over entities.
    remark
        What a reader must know, such as links by convention; empty if nothing.
    """

    matrix: pd.DataFrame
    neighbours: float
    remark: str = ""


def standardise_rows(raw: pd.DataFrame, remark: str = "") -> SpatialWeights:
    """Divide each row by its sum.

    Raises
    ------
    StudyError
        A weight that is negative, missing or on the diagonal, or an entity without any neighbour (an island).
    """
    matrix = raw.to_numpy(dtype=float)
    if not np.isfinite(matrix).all() or (matrix < 0).any() or np.diag(matrix).any():
        raise StudyError("spatial weights", "one is negative, missing or on the diagonal", "correct the weights")
    alone = list(raw.index[matrix.sum(axis=1) == 0])
    if alone:
        raise StudyError(
            f"spatial weights, {', '.join(map(str, alone))}",
            "it has no neighbour, so that its neighbours' mean does not exist",
            "join it to its nearest entity in the contiguity file, with a remark that says so, or use distances",
        )
    table = pd.DataFrame(matrix / matrix.sum(axis=1, keepdims=True), index=raw.index, columns=raw.columns)
    return SpatialWeights(table, float((matrix > 0).sum(axis=1).mean()), remark)


def build_weights(
    declared: Weights, panel: pd.DataFrame, units: pd.DataFrame, contiguity: Path | None
) -> SpatialWeights:
    """The weights that a study declares, over the entities of a panel.

    Parameters
    ----------
    declared
        Kind and what it needs.
    panel
        Panel; gives the entities, and the column of economic weights.
    units
        One row per entity, with latitude and longitude in degrees.
    contiguity
        The list of neighbours, for weights by contiguity.

    Raises
    ------
    StudyError
        What the kind needs is not there, or an entity has no neighbour.
    """
    entities = panel.index.unique(0).sort_values()
    if declared.kind == "contiguity":
        if contiguity is None:
            raise StudyError("spatial weights, contiguity", "the study has no list of neighbours", "declare `map`")
        return standardise_rows(read_contiguity(contiguity, list(entities), units.index), _conventions(contiguity))
    if declared.kind == "economic":
        return standardise_rows(_economic(panel, str(declared.column)))
    distance = measure_distance(units, entities)
    if declared.kind == "nearest":
        return standardise_rows(nearest(distance, int(declared.count or 1)))
    return standardise_rows(_inverse(distance))


def measure_distance(units: pd.DataFrame, entities: pd.Index) -> pd.DataFrame:
    """Kilometres between entities along great circles, from the columns latitude and longitude of the units."""
    places = units.reindex(columns=["latitude", "longitude"]).apply(pd.to_numeric, errors="coerce")
    return pd.DataFrame(great_circle_km(places, entities), index=entities, columns=entities)


def nearest(distance: pd.DataFrame, count: int) -> pd.DataFrame:
    """1 for the `count` nearest entities of each, ties by the order of names."""
    if not 1 <= count < len(distance):
        raise StudyError(f"the {count} nearest", f"there are {len(distance)} entities", "name fewer neighbours")
    far = distance.to_numpy(dtype=float, copy=True)
    np.fill_diagonal(far, np.inf)
    chosen = np.argsort(np.round(far, 6), axis=1, kind="stable")[:, :count]
    raw = np.zeros_like(far)
    np.put_along_axis(raw, chosen, 1.0, axis=1)
    return pd.DataFrame(raw, index=distance.index, columns=distance.columns)


def rings(distance: pd.DataFrame, ends: tuple[int, ...]) -> dict[str, pd.DataFrame]:
    """Equal weights of the entities whose distance lies in each ring (from above the last end, up to this one).

    An entity without anyone in a ring has weights of 0 there: nobody is a neighbour at that distance.
    """
    far = distance.to_numpy(dtype=float)
    found = {}
    for low, high in zip((0, *ends[:-1]), ends, strict=True):
        inside = ((far > low) & (far <= high)).astype(float)
        np.fill_diagonal(inside, 0.0)
        total = inside.sum(axis=1, keepdims=True)
        share = np.divide(inside, total, out=np.zeros_like(inside), where=total > 0)
        found[f"{low}-{high}"] = pd.DataFrame(share, index=distance.index, columns=distance.columns)
    return found


def lag_columns(panel: pd.DataFrame, matrix: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The neighbours' weighted mean of each column at the same time, by the panel's rows.

    Raises
    ------
    StudyError
        An entity that is missing at some time, so that its neighbours' mean does not exist.
    """
    made = {}
    for name in columns:
        wide = panel[name].unstack(level=0).reindex(columns=matrix.index)
        if wide.isna().any(axis=None):
            place = wide.isna().stack()
            time, entity = place.index[int(np.argmax(place.to_numpy()))]
            raise StudyError(f"neighbours' {name}, {entity}, {time}", "the figure is missing", "use a balanced panel")
        lagged = pd.DataFrame(wide.to_numpy() @ matrix.to_numpy().T, index=wide.index, columns=wide.columns)
        made[name] = lagged.stack().swaplevel().reindex(panel.index)
    return pd.DataFrame(made, index=panel.index)


def _inverse(distance: pd.DataFrame) -> pd.DataFrame:
    far = distance.to_numpy(dtype=float, copy=True)
    np.fill_diagonal(far, np.inf)
    if far.min() < BORDER:
        one, other = np.unravel_index(int(far.argmin()), far.shape)
        names = f"{distance.index[int(one)]} and {distance.index[int(other)]}"
        raise StudyError(f"distance of {names}", "it is 0", "give each entity a place of its own")
    return pd.DataFrame(1 / far, index=distance.index, columns=distance.columns)


def _economic(panel: pd.DataFrame, column: str) -> pd.DataFrame:
    if column not in panel.columns:
        raise StudyError(f"economic weights, {column}", "the panel has no such column", "correct the study file")
    level = panel[column].groupby(level=0).mean().sort_index()
    gap = np.abs(level.to_numpy()[:, None] - level.to_numpy())
    return _inverse(pd.DataFrame(gap, index=level.index, columns=level.index))


def _conventions(path: Path) -> str:
    """The links of the file that are not a common border on land, named."""
    pairs = pd.read_csv(path, dtype=str, encoding="utf-8")
    if pairs.shape[1] < 3:
        return ""
    other = pairs[pairs.iloc[:, 2] != "land"]
    return "; ".join(f"{row[0]} and {row[1]} by {row[2]}" for row in other.itertuples(index=False, name=None))
