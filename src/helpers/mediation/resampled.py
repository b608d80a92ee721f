"""Slopes of several equations in the same samples of entities, columns that are indices derived anew in each sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.redraw import IndexRedraw, redraw_columns
from helpers.inference.resampling import draw_entity_weights
from helpers.regression.design import check_panel
from helpers.regression.effects import Floats
from helpers.regression.many import fit_batch, fit_weighted_entities
from helpers.study.model import Model

# Samples worked on at once where columns differ between them, and numbers held in their largest array: rows x
# regressors of so many samples.
BLOCK, CHUNK = 512, 16_000_000
# Share of bootstrap samples that may fail to determine the estimates.
FAILING = 0.1


@dataclass(frozen=True)
class Samples:
    """Bootstrap samples of clusters, the same for every effect that is read beside another.

    Attributes
    ----------
    entities
        The entities, sorted.
    weights
        (B, G): how often each sample holds each entity.
    left_out
        (C, G): the entities without one cluster at a time.
    share
        C over the number of clusters (see `helpers.inference.resampling.DrawnWeights`).
    """

    entities: pd.Index
    weights: Floats = field(repr=False)
    left_out: Floats = field(repr=False)
    share: float = 1.0

    def of(self, data: pd.DataFrame) -> Floats:
        """Weights (B + C, entities of the data); samples without any of these clusters are left out of the C."""
        places = self.entities.get_indexer(data.index.unique(0).sort_values())
        if (places < 0).any():
            raise StudyError("bootstrap samples", "an entity is in none of them", "draw them over the whole panel")
        kept = (self.left_out[:, places] == 0).any(axis=1)
        return np.vstack([self.weights, self.left_out[kept]])[:, places]


def draw_samples(data: pd.DataFrame, model: Model, *, draws: int, rng: np.random.Generator) -> Samples:
    """Draw bootstrap samples of the model's clusters, with replacement, all at once as weights.

    Raises
    ------
    StudyError
        Fewer than two draws, or clusters that are not groups of entities.
    """
    cluster = "entity" if model.cluster == model.entity else model.cluster
    return Samples(data.index.unique(0).sort_values(), *draw_entity_weights(data, cluster, draws, rng))


def sample_slopes(
    data: pd.DataFrame, equations: Sequence[Model], weights: Floats, indices: Mapping[str, Any] | None = None
) -> list[Floats]:
    """Slopes of every equation's regressors in weighted samples of the entities.

    Parameters
    ----------
    data
        Panel.
    equations
        The regressions; all use all rows.
    weights
        (B, G) counts, entities in sorted order.
    indices
        Column -> spec of the columns that are indices, derived anew in each sample (scales and weights).

    Returns
    -------
    list
        For each equation (B, k), NaN where a sample cannot determine it.
    """
    data = data.sort_index()
    redraws = {name: IndexRedraw(data, spec) for name, spec in (indices or {}).items()}
    moving = [bool(set(equation.columns) & set(redraws)) for equation in equations]
    found = [
        np.empty((len(weights), len(equation.regressors))) if moves else _plain(data, equation, weights)
        for equation, moves in zip(equations, moving, strict=True)
    ]
    widest = max(len(equation.regressors) for equation in equations)
    step = max(1, min(BLOCK, CHUNK // (len(data) * widest)))
    for start in range(0, len(weights), step) if redraws else ():
        part = slice(start, start + step)
        anew, reasons = redraw_columns(data, list(redraws), redraws, weights[part])
        for slopes, equation, moves in zip(found, equations, moving, strict=True):
            if moves:
                slopes[part] = _batch(data, equation, weights[part], anew)
            slopes[part][reasons != ""] = np.nan
    return found


def check_failed(products: Floats, draws: int) -> int:
    """Number of the first `draws` rows (B, m) without an estimate.

    Raises
    ------
    StudyError
        Too many of them, or one of the rows behind them, which leave out one cluster each.
    """
    whole = np.asarray(np.isfinite(products).all(axis=1))
    failed = int(draws - whole[:draws].sum())
    if failed > FAILING * draws or not whole[draws:].all():
        raise StudyError(
            "mediation bootstrap",
            f"{failed} of {draws} samples, and {int((~whole[draws:]).sum())} without one cluster, cannot determine the "
            "estimates",
            "use fewer controls or effects, or a mediator that moves in more than one entity",
        )
    return failed


def _plain(data: pd.DataFrame, model: Model, weights: Floats) -> Floats:
    # Centred, so that an intercept among the effects costs no digits; slopes stay as they are.
    columns = list(model.columns)
    fits = fit_weighted_entities(
        data[columns] - data[columns].mean(), model.outcome, model.regressors, weights,
        entity_effects=model.entity_effects, time_effects=model.time_effects,
    )  # fmt: skip
    slopes = np.where(fits.estimable[:, None], fits.estimates, np.nan)
    return np.asarray(slopes[:, : len(model.regressors)])


def _batch(data: pd.DataFrame, model: Model, weights: Floats, anew: Mapping[str, Floats]) -> Floats:
    """Slopes (B, k) of an equation some of whose columns differ between the samples."""
    given = [name for name in model.columns if name not in anew]
    plain = check_panel(data, given)
    # A row of an entity outside a sample counts 0 times, whatever its value is.
    columns = {name: plain[name].to_numpy() - plain[name].mean() for name in given}
    columns |= {name: np.nan_to_num(values) for name, values in anew.items()}
    shape = (len(weights), len(data))
    x = np.stack([np.broadcast_to(columns[name], shape) for name in model.regressors], axis=2)
    entity, time = (data.index.get_level_values(place) for place in (0, 1))
    found = fit_batch(
        columns[model.outcome], x, entity, time, weights=weights,
        entity_effects=model.entity_effects, time_effects=model.time_effects,
    )  # fmt: skip
    return np.where(found.estimable[:, None], found.estimates[:, : x.shape[2]], np.nan)
