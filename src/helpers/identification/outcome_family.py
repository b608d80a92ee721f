"""One treatment and several outcomes: p-values that count how many are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.multiplicity import holm, romano_wolf
from helpers.multiverse.fit import run_specifications
from helpers.multiverse.joint import build_null, draw_statistics
from helpers.multiverse.plan import walk_cells


@dataclass(frozen=True)
class OutcomeFamily:
    """The effect of one treatment on each of several outcomes.

    Attributes
    ----------
    table
        By outcome: estimate, std_error (clustered by entity, convention "stata"), statistic, p_value (t with
        clusters - 1 degrees of freedom), p_wild (restricted wild cluster bootstrap), p_holm (of p_value),
        p_romano_wolf (step-down over the same draws), standardised, n_obs.
    n_draws
        Draws of the bootstrap; every draw gives all outcomes the same sign for an entity.
    """

    table: pd.DataFrame
    n_draws: int


def fit_outcomes(
    data: pd.DataFrame,
    outcomes: Sequence[str],
    treatment: str,
    controls: Sequence[str] = (),
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    draws: int = 9_999,
    rng: np.random.Generator,
) -> OutcomeFamily:
    """Fit the same regression for each outcome and adjust for looking at all of them.

    Parameters
    ----------
    data
        Panel; all outcomes are there on the same rows.
    outcomes
        Columns.
    treatment, controls, entity_effects, time_effects
        As in `fit_panel`.
    draws
        Draws of the wild bootstrap (Rademacher, null imposed).
    rng
        Source of the draws.

    Raises
    ------
    StudyError
        No draws, fewer than two outcomes, or an outcome whose regression cannot be estimated.
    """
    if draws < 1 or len(outcomes) < 2:
        raise StudyError(
            "family of outcomes", f"{len(outcomes)} outcomes, {draws} draws", "give two or more, and draws"
        )
    kinds = [name for name, used in (("entity", entity_effects), ("time", time_effects)) if used]
    fits = run_specifications(data, list(outcomes), treatment, [tuple(controls)], [kinds])
    for row in fits.failures.itertuples():
        raise StudyError(f"outcome {row.outcome}", str(row.reason), "leave out the outcome or change the regression")
    (place,) = walk_cells(fits.plan)
    assert place.cell is not None
    signs = np.where(rng.random((draws, place.cell.effects.n_entities)) < 0.5, -1.0, 1.0)
    null = build_null(place.cell, signs)
    statistics, _, _ = draw_statistics(null, fits.plan.control_sets[0], np.arange(len(outcomes)))
    table = fits.table.set_index(fits.table["outcome"].astype(str))
    table = table[["estimate", "std_error", "statistic", "p_value", "standardised", "n_obs"]]
    observed = table["statistic"].to_numpy()
    reached = (np.abs(statistics) >= np.abs(observed)[:, None] * (1 - 1e-9)).sum(axis=1)
    adjusted = {
        "p_wild": (1 + reached) / (1 + draws),
        "p_holm": holm(table["p_value"]),
        "p_romano_wolf": romano_wolf(observed, statistics.T),
    }
    return OutcomeFamily(table.assign(**adjusted).rename_axis("outcome"), draws)
