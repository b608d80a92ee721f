"""Sandwich covariances for errors that depend on each other over time or space rather than within clusters."""

from typing import Literal

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.effects import Codes, Floats, group_sums

EARTH_RADIUS_KM = 6371.0088
# Pairs of entities whose distance is held at once.
CHUNK = 2_000_000


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
    scores: Floats, entity: Codes, places: Floats, cutoff: float, kernel: Literal["uniform", "bartlett"]
) -> Floats:
    """Middle of the Conley (1999) sandwich, (k, k), over entities at all times.

    S = sum over pairs of entities of K(d_ij) s_i s_j', s_i the sum of scores of entity i. K is 1 within the cutoff
    (uniform) or falls to 0 at it (bartlett). With a cutoff below every distance this is clustering by entity.

    Entities are taken some at a time from south to north, each with those alone whose latitude is near enough, so that
    no array grows with the square of their number.

    Parameters
    ----------
    scores, entity
        Scores (n_obs, k) and entity codes.
    places
        Latitude and longitude of each entity in radians, (G, 2); see `read_places`.
    cutoff, kernel
        Kilometres within which entities depend on each other, and how that falls off.
    """
    order = np.argsort(places[:, 0], kind="stable")
    places, sums = places[order], group_sums(scores, entity)[order]
    meat, reach = np.zeros((sums.shape[1],) * 2), 1.000001 * cutoff / EARTH_RADIUS_KM
    step = max(1, CHUNK // len(places))
    for start in range(0, len(places), step):
        own = slice(start, min(start + step, len(places)))
        south, north = places[own.start, 0] - reach, places[own.stop - 1, 0] + reach
        others = slice(*np.searchsorted(places[:, 0], [south, north], side="left"))
        distance = haversine_km(places[own], places[others])
        near = np.clip(1 - distance / cutoff, 0.0, None) if kernel == "bartlett" else (distance <= cutoff).astype(float)
        # An entity depends on itself, whatever rounding says of its distance from itself.
        near[np.arange(own.stop - start), np.arange(start, own.stop) - others.start] = 1.0
        meat += sums[own].T @ near @ sums[others]
    return meat


def great_circle_km(coordinates: pd.DataFrame, entities: pd.Index) -> Floats:
    """Kilometres between entities along great circles, (G, G); parameters and errors are those of `read_places`."""
    places = read_places(coordinates, entities)
    return haversine_km(places, places)


def read_places(coordinates: pd.DataFrame, entities: pd.Index) -> Floats:
    """Latitude and longitude of entities in radians, (G, 2).

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
    return np.asarray(np.radians(coordinates.loc[entities, ["latitude", "longitude"]].to_numpy(dtype=float)))


def haversine_km(places: Floats, others: Floats) -> Floats:
    """Kilometres from each of some places (G, 2) to each of others (H, 2), in radians, (G, H)."""
    half = np.sin((places[:, None, 0] - others[:, 0]) / 2) ** 2
    half += np.cos(places[:, None, 0]) * np.cos(others[:, 0]) * np.sin((places[:, None, 1] - others[:, 1]) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))
