"""Placebos: the treatment of the next period; treatment histories dealt out anew, by chance or in every way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import StudyError
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit
from helpers.regression.specification import keep_complete_entities, shift_column
from helpers.results.estimate import Estimate
from helpers.study.model import Model

LEAD = "lead"

# Numbers held at once in a block of permutations.
CHUNK = 4_000_000
# Numbers in an array of outcomes or of dealt histories; rows of all outcomes together, and outcomes at least.
HELD, MOST_ROWS, FEWEST_SIMULATIONS = 4_000_000, 20_000_000, 100
# Relative distance within which two statistics are the same number.
TIE = 1e-9
# Entities that a permutation needs.
FEWEST = 3


@dataclass(frozen=True)
class Placebo:
    """A permutation test of the treatment.

    Attributes
    ----------
    treatment
        The regressor whose histories were dealt out anew.
    estimate, statistic
        Estimate, and its t statistic with conventional errors, in the sample.
    p_value
        Share of permutations whose |t| is at least that of the sample; with random permutations the sample counts as
        one of them.
    estimates
        Estimate of each permutation, (n_draws,).
    n_draws, enumerated
        Permutations made, and whether they are all there are.
    """

    treatment: str
    estimate: float
    statistic: float
    p_value: float
    estimates: Floats
    n_draws: int
    enumerated: bool

    @property
    def effect(self) -> Estimate:
        """The estimate with the p-value of the permutations by |t|."""
        return Estimate(
            estimate=self.estimate,
            statistic=self.statistic,
            p_value=self.p_value,
            draws=None if self.enumerated else self.n_draws + 1,
            convention=f"treatment histories dealt out to other entities, {self.n_draws} permutations, by |t|",
        )


def deal_histories(
    data: pd.DataFrame, model: Model, *, draws: int, level: float = 0.05, rng: np.random.Generator
) -> Dealt:
    """The permutation test of a model on the entities that have every time, with the size of the test.

    Raises
    ------
    StudyError
        Fewer than three entities have every time.
    """
    kept = keep_complete_entities(data[list(model.columns)])
    if kept.index.unique(0).size < FEWEST:
        raise StudyError("placebo", "too few entities have a row at every time", "fill or shorten the panel")
    found = fit(kept, model)
    test = permute_treatment(found, model.treatment, draws=draws, rng=rng)
    return Dealt(found, test, measure_size(found, model.treatment, level=level, rng=rng))


def fit_lead(data: pd.DataFrame, model: Model, window: Sequence[int]) -> PanelFit:
    """A model with the treatment of the next period, called `LEAD`, beside the present one.

    Parameters
    ----------
    data
        Panel.
    model
        The model without it.
    window
        The times of the study in their order.
    """
    columns = data[list(model.columns)].assign(**{LEAD: data[model.treatment]})
    led = shift_column(columns, LEAD, -1, window)
    return fit(led, model.with_(controls=(LEAD, *model.controls)))


def judge_lead(lead: Estimate, present: float, level: float) -> str:
    """What the treatment of the next period says.

    "clear": it differs from zero; "bounded": it does not, and its interval leaves out an effect as large as the present
    one in either direction; "open": it does not, but its interval holds effects as large as the present one, so that
    nothing is shown.
    """
    assert lead.p_value is not None
    assert lead.ci_low is not None
    assert lead.ci_high is not None
    if lead.p_value < level:
        return "clear"
    return "bounded" if max(-lead.ci_low, lead.ci_high) < abs(present) else "open"


def permute_treatment(
    fit: PanelFit, treatment: str, *, draws: int = 9_999, rng: np.random.Generator | None = None
) -> Placebo:
    """Test whether the treatment histories matter by dealing them out to other entities, whole.

    Outcome, controls and effects stay where they are. On a balanced panel the projected treatment of a permutation is
    the permuted projected treatment, so that estimate = x'M y / x'M x, M the residual maker of the controls, takes the
    products of the dealt histories with the outcome and the controls alone.

    Parameters
    ----------
    fit
        A fit on a balanced panel.
    treatment
        The regressor to deal out.
    draws
        Random permutations; all G! are used instead when there are no more of them than `draws`.
    rng
        Source of the permutations; not used when all are made.

    Raises
    ------
    StudyError
        An unbalanced panel, an unknown regressor, or no source of permutations where one is needed.
    """
    effects = fit.design.effects
    if treatment not in fit.regressors:
        raise StudyError(f"regressor {treatment}", "it is not in the fit", f"use one of {list(fit.regressors)}")
    n_entities = effects.n_entities
    x, basis, outcome = _take_controls_out(fit, treatment)
    columns, sizes = np.column_stack([outcome, basis]), (float((x**2).sum()), float(outcome @ outcome))
    enumerated = n_entities <= 20 and factorial(n_entities) <= draws
    if enumerated:
        orders = _all_orders(n_entities)
    elif rng is None:
        raise StudyError("placebo", "the permutations have no source", "pass rng, a numpy Generator")
    else:
        orders = _random_orders(n_entities, draws, x.shape[1], rng)
    parts = [_fit_orders(x[block], columns, sizes, _residual_df(fit)) for block in orders]
    estimates, statistics = (np.concatenate(column) for column in zip(*parts, strict=True))
    own = _fit_orders(x[None], columns, sizes, _residual_df(fit))
    extra = 0 if enumerated else 1
    above = np.count_nonzero(np.abs(statistics) >= abs(float(own[1][0])) * (1 - TIE)) + extra
    return Placebo(
        treatment=treatment,
        estimate=float(own[0][0]),
        statistic=float(own[1][0]),
        p_value=above / (len(statistics) + extra),
        estimates=estimates,
        n_draws=len(estimates),
        enumerated=enumerated,
    )


def _take_controls_out(fit: PanelFit, treatment: str) -> tuple[Floats, Floats, Floats]:
    """The treatment's histories (G, T), the controls made orthonormal (n, c), and the outcome less its part in them."""
    design, position = fit.design, fit.regressors.index(treatment)
    if not design.effects.is_balanced:
        raise StudyError("placebo", "entities have different times", "use a balanced panel")
    basis, _ = np.linalg.qr(np.delete(design.x_within, position, axis=1))
    outcome = design.y_within - basis @ (basis.T @ design.y_within)
    return design.x_within[:, position].reshape(design.effects.n_entities, -1), basis, outcome


def _residual_df(fit: PanelFit) -> int:
    return fit.n_obs - fit.sizes.n_parameters


def _all_orders(n_entities: int) -> Iterator[NDArray[np.intp]]:
    """Every permutation, in one block."""
    yield np.array(list(permutations(range(n_entities))), dtype=np.intp)


def _random_orders(n_entities: int, draws: int, width: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Independent permutations, in blocks."""
    size = max(1, CHUNK // (n_entities * width))
    for start in range(0, draws, size):
        tile = np.tile(np.arange(n_entities), (min(size, draws - start), 1))
        yield rng.permuted(tile, axis=1)


def _fit_orders(histories: Floats, columns: Floats, sizes: tuple[float, float], df: int) -> tuple[Floats, Floats]:
    """Estimates and conventional t statistics of dealt histories (B, G, T).

    columns (n, 1 + c): the outcome and the controls. sizes: sums of squares of the histories and of the outcome.
    """
    sums = histories.reshape(len(histories), -1) @ columns
    left = sizes[0] - np.einsum("bc,bc->b", sums[:, 1:], sums[:, 1:])
    estimates = sums[:, 0] / left
    residual = np.maximum(sizes[1] - sums[:, 0] * estimates, 0.0)
    return estimates, estimates * np.sqrt(left * df / residual)


@dataclass(frozen=True)
class PlaceboSize:
    """How often the permutation test rejects when the treatment does nothing.

    Attributes
    ----------
    by_statistic, by_estimate
        Share of the simulations with a p-value at or below the level, by |t| and by |estimate|.
    n_simulations
        Simulations.
    level
        Nominal level.
    """

    by_statistic: float
    by_estimate: float
    n_simulations: int
    level: float

    @property
    def verdict(self) -> str:
        """Whether it keeps its level by |t|: "level", "seldom" or "often" beyond three Monte-Carlo errors of it."""
        error = 3 * (self.level * (1 - self.level) / self.n_simulations) ** 0.5
        if abs(self.by_statistic - self.level) <= error:
            return "level"
        return "seldom" if self.by_statistic < self.level else "often"


def measure_size(
    fit: PanelFit, treatment: str, *, level: float = 0.05, simulations: int = 1000, rng: np.random.Generator
) -> PlaceboSize:
    """Measure the true size of the permutation test on a design of one's own.

    Outcomes without an effect: the fit less the part of the treatment, plus its residuals, those of each entity with a
    random sign; the residuals of a fit without the treatment would carry its effect into every entity. Each is tested
    by the same 999 permutations.

    Parameters
    ----------
    fit, treatment
        As in `permute_treatment`.
    level
        Nominal level.
    simulations
        Outcomes that are made; fewer where they would hold more than `MOST_ROWS` rows, at least 100.
    rng
        Source of signs and permutations.

    Raises
    ------
    StudyError
        An unbalanced panel.
    """
    design = fit.design
    n_entities, n_draws = design.effects.n_entities, 999
    x, basis, outcome = _take_controls_out(fit, treatment)
    moved = x.ravel() - basis @ (basis.T @ x.ravel())
    residual = outcome - moved * (moved @ outcome) / (moved @ moved)
    simulations = min(simulations, max(FEWEST_SIMULATIONS, MOST_ROWS // design.n_obs))
    signs = np.where(rng.random((simulations, n_entities)) < 0.5, -1.0, 1.0)
    orders = np.concatenate([np.arange(n_entities)[None], *_random_orders(n_entities, n_draws, 1, rng)])
    step, p_values = max(1, HELD // design.n_obs), []
    for start in range(0, simulations, step):
        drawn = design.effects.project((signs[start : start + step, design.effects.entity] * residual).T)
        drawn -= basis @ (basis.T @ drawn)
        parts = [
            _fit_histories(x[orders[first : first + step]].reshape(-1, design.n_obs), basis, drawn, _residual_df(fit))
            for first in range(0, len(orders), step)
        ]
        found = (np.abs(np.concatenate(kind)) for kind in zip(*parts, strict=True))
        p_values.append([(values >= values[0] * (1 - TIE)).sum(axis=0) / (1 + n_draws) for values in found])
    shares = (np.concatenate(p_values, axis=1) <= level).mean(axis=1)
    return PlaceboSize(float(shares[0]), float(shares[1]), simulations, level)


def _fit_histories(histories: Floats, basis: Floats, outcomes: Floats, df: int) -> tuple[Floats, Floats]:
    """Statistics t and estimates (B, S) of histories (B, n) in outcomes (n, S) that are given the controls (n, c)."""
    histories = histories - (histories @ basis) @ basis.T
    left = (histories**2).sum(axis=1)[:, None]
    estimates = histories @ outcomes / left
    residuals = np.maximum((outcomes**2).sum(axis=0) - left * estimates**2, 0.0)
    return estimates * np.sqrt(left * df / residuals), estimates


@dataclass(frozen=True)
class Dealt:
    """A permutation test, the fit that it is of, and how often it rejects without an effect."""

    fit: PanelFit
    test: Placebo
    size: PlaceboSize
