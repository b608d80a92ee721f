"""Who identifies an estimate: how much of its variation each entity holds, and what is left without the heaviest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.collinearity import span
from helpers.regression.effects import Codes, group_sums
from helpers.regression.panel import PanelFit, fit_panel
from helpers.results.estimate import Estimate
from helpers.results.rounding import tie


@dataclass(frozen=True)
class Leverage:
    """The weight of the entities in one estimate.

    Attributes
    ----------
    shares
        Share of the regressor's variation after effects and the other regressors that each entity holds, heaviest
        first; sum 1.
    without_heaviest
        The estimate without the heaviest entity; None where it cannot be determined then.
    """

    shares: pd.Series
    without_heaviest: Estimate | None

    @property
    def heaviest(self) -> str:
        """Name of the entity that holds most."""
        return str(self.shares.index[0])

    def top(self, number: int) -> float:
        """Share held by the heaviest entities together."""
        return float(self.shares.iloc[:number].sum())


def find_leverage(found: PanelFit, term: str) -> Leverage:
    """Split the variation that identifies one coefficient among the entities.

    With d the regressor less its projection on effects and the other regressors, the estimate is sum(d y) / sum(d^2),
    and entity i holds sum_t d_it^2 / sum(d^2) of what it is made of (partial leverage; Belsley, Kuh and Welsch 1980).

    Parameters
    ----------
    found
        A fit; the estimate without the heaviest entity is of the same rows, columns, clusters and convention.
    term
        One of its regressors.
    """
    design, place = found.design, found.design.regressors.index(term)
    left = span(np.delete(design.x_within, place, axis=1)).remove(design.x_within[:, place])
    entities = pd.Index(design.index.unique(0).sort_values(), name=design.index.names[0])
    parts = group_sums(left[:, None] ** 2, design.effects.entity)[:, 0]
    shares = pd.Series(parts / parts.sum(), index=entities, name="share")
    shares = shares.sort_values(ascending=False, kind="stable", key=tie)
    try:
        without = _refit(found, design.index.get_level_values(0) != shares.index[0])[term]
    except StudyError:
        without = None
    return Leverage(shares, without)


def rank_influence(found: PanelFit, term: str, most: int) -> Codes:
    """Positions, in sorted order, of the entities whose rows move one coefficient most, at most so many of them.

    To first order the estimate without entity i changes by sum_t d_it u_it / sum(d^2), d as in `find_leverage` and u
    the residuals.
    """
    design, place = found.design, found.design.regressors.index(term)
    left = span(np.delete(design.x_within, place, axis=1)).remove(design.x_within[:, place])
    residuals = design.y_within - design.x_within @ found.estimates.to_numpy()
    moves = group_sums((left * residuals)[:, None], design.effects.entity)[:, 0]
    order = np.argsort(-tie(np.abs(moves) / np.abs(moves).max()), kind="stable")
    return np.sort(order[:most])


def leverage_table(held: Leverage, alone: Leverage) -> pd.DataFrame:
    """One row per entity, heaviest first: its share after effects and controls, and after the effects alone."""
    return pd.DataFrame({"share": held.shares, "share_effects_only": alone.shares.reindex(held.shares.index)})


def _refit(found: PanelFit, kept: np.ndarray) -> PanelFit:
    """The same regression on some of its rows."""
    design = found.design
    root = np.ones(design.n_obs) if design.effects.root is None else design.effects.root
    regressors = list(design.regressors[: design.n_slopes])
    rows = pd.DataFrame(design.x[:, : design.n_slopes] / root[:, None], index=design.index, columns=regressors)
    names = [found.cluster] if isinstance(found.cluster, str) else list(found.cluster or ())
    own = {name: codes for name, codes in zip(names, found.clusters, strict=True) if name not in ("entity", "time")}
    rows = rows.assign(**{design.outcome: design.y / root}, **own)
    if found.weights is not None:
        rows = rows.assign(**{found.weights: root**2})
    return fit_panel(
        rows[kept],
        design.outcome,
        regressors,
        entity_effects=found.entity_effects,
        time_effects=found.time_effects,
        cluster=found.cluster,
        convention=found.convention,
        weights=found.weights,
    )
