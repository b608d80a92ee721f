"""Sandwich covariances for errors that depend on each other over time or space rather than within clusters."""

from typing import Literal

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.effects import Codes, Floats, group_sums

EARTH_RADIUS_KM = 6371.0088


def driscoll_kraay_meat(scores: Floats, time: Codes, lag: int) -> Floats:
    """Middle of the Driscoll and Kraay (1998) sandwich, (k, k).

    S = sum over lags |l| <= lag of (1 - |l|/(lag + 1)) sum_t h_t h_{t-l}', h_t the sum of scores (n_obs, k) at time t.
    Lags count the times of the panel.
    """
    sums = group_sums(scores, time)
    meat = sums.T @ sums
    for step in range(1, min(lag, len(sums) - 1) + 1):
        cross = sums[step:].T @ sums[:-step]
        meat += (1 - step / (lag + 1)) * (cross + cross.T)
    return np.asarray(meat)


def newey_west_meat(scores: Floats, entity: Codes, time: Codes, lag: int) -> Floats:
    """Middle of the panel Newey and West (1987) sandwich, (k, k).

    S = sum over lags |l| <= lag of (1 - |l|/(lag + 1)) sum_i sum_t x_it e_it e_i,t-l x_i,t-l', within entities only.
    Lags count the times of the panel; rows whose earlier row is missing have no pair.
    """
    n_times = int(time.max()) + 1
    place = np.full((int(entity.max()) + 1, n_times), -1)
    place[entity, time] = np.arange(len(entity))
    meat = scores.T @ scores
    for step in range(1, min(lag, n_times - 1) + 1):
        now, before = place[:, step:].ravel(), place[:, :-step].ravel()
        paired = (now >= 0) & (before >= 0)
        cross = scores[now[paired]].T @ scores[before[paired]]
        meat += (1 - step / (lag + 1)) * (cross + cross.T)
    return np.asarray(meat)


def conley_meat(
    scores: Floats, entity: Codes, distance: Floats, cutoff: float, kernel: Literal["uniform", "bartlett"]
) -> Floats:
    """Middle of the Conley (1999) sandwich, (k, k), over entities at all times.

    S = sum over pairs of entities of K(d_ij) s_i s_j', s_i the sum of scores of entity i. K is 1 within the cutoff
    (uniform) or falls to 0 at it (bartlett). With a cutoff below every distance this is clustering by entity.

    Parameters
    ----------
    scores, entity
        Scores (n_obs, k) and entity codes.
    distance
        Kilometres between entities, (G, G).
    cutoff, kernel
        Kilometres within which entities depend on each other, and how that falls off.
    """
    sums = group_sums(scores, entity)
    near = (distance <= cutoff).astype(float)
    if kernel == "bartlett":
        near = np.clip(1 - distance / cutoff, 0.0, None)
    np.fill_diagonal(near, 1.0)
    return np.asarray(sums.T @ near @ sums)


def great_circle_km(coordinates: pd.DataFrame, entities: pd.Index) -> Floats:
    """Kilometres between entities along great circles, (G, G), by the haversine formula.

    Parameters
    ----------
    coordinates
        Columns `latitude` and `longitude` in degrees, indexed by entity.
    entities
        Entities in the order wanted.

    Raises
    ------
    StudyError
        A column or an entity is missing, or a coordinate is out of range.
    """
    for column, limit in (("latitude", 90), ("longitude", 180)):
        if column not in coordinates.columns:
            raise StudyError(f"coordinates, column {column}", "there is no such column", "add it, in degrees")
        figures = coordinates[column].reindex(entities)
        wrong = list(entities[~(figures.abs() <= limit)])
        if wrong:
            raise StudyError(f"coordinates, {column}, {wrong[0]}", "it is missing or out of range", "give degrees")
    places = np.radians(coordinates.loc[entities, ["latitude", "longitude"]].to_numpy(dtype=float))
    latitude, longitude = places.T
    half = np.sin((latitude[:, None] - latitude) / 2) ** 2
    half += np.cos(latitude[:, None]) * np.cos(latitude) * np.sin((longitude[:, None] - longitude) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))
