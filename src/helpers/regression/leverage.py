"""Who identifies the estimate: how much of the treatment's variation each entity holds, and what is left without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.collinearity import span
from helpers.regression.design import build_design
from helpers.regression.effects import group_sums
from helpers.regression.panel import fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model


@dataclass(frozen=True)
class Leverage:
    """The weight of the entities in one estimate.

    Attributes
    ----------
    shares
        Share of the treatment's variation after effects and controls that each entity holds, heaviest first; sum 1.
    shares_of_effects
        The same after the effects alone, in the same order.
    without_heaviest
        The estimate without the heaviest entity; None where it cannot be determined then.
    """

    shares: pd.Series
    shares_of_effects: pd.Series
    without_heaviest: Estimate | None

    @property
    def heaviest(self) -> str:
        """Name of the entity that holds most."""
        return str(self.shares.index[0])

    def top(self, number: int) -> float:
        """Share held by the heaviest entities together."""
        return float(self.shares.iloc[:number].sum())

    def table(self) -> pd.DataFrame:
        """One row per entity, heaviest first: its share after effects and controls, and after the effects alone."""
        return pd.DataFrame({"share": self.shares, "share_effects_only": self.shares_of_effects})


def find_leverage(data: pd.DataFrame, model: Model) -> Leverage:
    """Split the identifying variation of a model's treatment among its entities.

    With d the treatment less its projection on effects and controls, the estimate is sum(d y) / sum(d^2), and entity i
    holds sum_t d_it^2 / sum(d^2) of what it is made of (partial leverage; Belsley, Kuh and Welsch 1980).

    Parameters
    ----------
    data
        Panel with the model's columns.
    model
        The model; clustered as it says in the estimate without the heaviest entity.

    Raises
    ------
    StudyError
        As `helpers.regression.panel.fit_panel`.
    """
    design = build_design(
        data,
        model.outcome,
        list(model.regressors),
        entity_effects=model.entity_effects,
        time_effects=model.time_effects,
    )
    treatment, others = design.x_within[:, 0], design.x_within[:, 1:]
    centred = span(others[:, -1:]).remove(treatment) if design.has_constant else treatment
    left = span(others).remove(treatment) if others.shape[1] else treatment
    entities = pd.Index(design.index.unique(0).sort_values(), name=data.index.names[0])
    parts = group_sums(np.column_stack([left, centred]) ** 2, design.effects.entity)
    shares, alone = (pd.Series(part / part.sum(), index=entities, name="share") for part in parts.T)
    shares = shares.sort_values(ascending=False, kind="stable")
    kept = data[data.index.get_level_values(0) != shares.index[0]]
    try:
        without = fit(kept, model)[model.treatment]
    except StudyError:
        without = None
    return Leverage(shares, alone.loc[shares.index], without)
