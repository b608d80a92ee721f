"""Several effects read together: p-values that count how many are looked at, whatever outcome or regressor each has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import StudyError
from helpers.inference.clear import LEVEL
from helpers.inference.contrast import cluster_blocks, spread_residuals
from helpers.inference.detectable import detectable_effect
from helpers.inference.multiplicity import holm, romano_wolf
from helpers.regression.effects import group_sums
from helpers.regression.panel import PanelFit, fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model

BLOCK = 20_000
"""Draws that are held at once."""
WILD = "restricted wild cluster bootstrap, Rademacher, drawn"
ROMANO_WOLF = "Romano-Wolf over the family, restricted wild bootstrap"


@dataclass(frozen=True)
class Question:
    """One member of a family: the rows, the model, and the regressor that is asked about."""

    data: pd.DataFrame
    model: Model
    term: str


@dataclass(frozen=True)
class Answer:
    """What a family says of one member.

    Attributes
    ----------
    fit
        The member's regression.
    effect
        By the cluster-robust t test, for itself.
    wild
        By the restricted wild bootstrap, for itself.
    adjusted
        The same effect with the Romano-Wolf p-value over the family in place of its own.
    holm
        Holm's p-value over the family's t tests.
    critical
        What |t| must exceed where the whole family is counted: the quantile of the largest |t*| of a draw at one less
        the level.
    scale
        Standard deviation of the regressor over that of the outcome, over the member's rows.
    """

    fit: PanelFit
    effect: Estimate
    wild: Estimate
    adjusted: Estimate
    holm: float
    critical: float
    scale: float

    def detectable(self, level: float) -> float:
        """The smallest effect that t test and family would see in four of five samples while no other member responds.

        In standard deviations of the outcome per standard deviation of the regressor. The family's draws are those of
        no effect; an effect spreads them, so that somewhat more may be needed (see `detectable_effect`).
        """
        return detectable_effect(self.effect, level=level, beyond=self.critical) * self.scale


def fit_family(
    questions: Mapping[str, Question], *, draws: int, rng: np.random.Generator, level: float = LEVEL
) -> dict[str, Answer]:
    """Fit every member and adjust for looking at all of them.

    Each draw gives an entity one sign in every regression, so that the members move together as they do in the data:
    y* = X b0 + v_g u0 with the member's own null imposed; t* = b* / se* with the clustered standard error taken anew.
    Rademacher signs, the sample itself counted once. Step-down of Romano and Wolf (2005, 2016).

    Parameters
    ----------
    questions
        Name -> member; each is clustered by entity. Their rows may differ.
    draws
        Number of draws.
    rng
        Source of the draws.
    level
        Level of the critical value.

    Raises
    ------
    StudyError
        No draws, no member, a member clustered otherwise, or a regression that cannot be fitted.
    """
    if draws < 1 or not questions:
        raise StudyError("family of tests", f"{len(questions)} tests, {draws} draws", "give tests, and draws")
    fits = {name: _fit(name, question) for name, question in questions.items()}
    moments = [_moments(fits[name], question.term) for name, question in questions.items()]
    entities = {name: pd.Index(fit.design.index.unique(0)) for name, fit in fits.items()}
    everyone = pd.Index(sorted(set().union(*(set(index) for index in entities.values())), key=str))
    places = [everyone.get_indexer(entities[name]) for name in questions]
    statistics = np.concatenate(
        [
            np.column_stack([_draw(moment, signs[:, place]) for moment, place in zip(moments, places, strict=True)])
            for signs in _signs(draws, len(everyone), rng)
        ]
    )
    observed = np.array([fits[name][question.term].statistic for name, question in questions.items()], dtype=float)
    reached = (np.abs(statistics) >= np.abs(observed) * (1 - 1e-9)).sum(axis=0)
    adjusted = romano_wolf(observed, statistics)
    by_holm = holm([float(fits[name].p_values[question.term]) for name, question in questions.items()])
    critical = float(np.quantile(np.abs(statistics).max(axis=1), 1 - level))
    return {
        name: Answer(
            fits[name],
            fits[name][question.term],
            _drawn(fits[name][question.term], (1 + reached[n]) / (1 + draws), draws, WILD),
            _drawn(fits[name][question.term], adjusted[n], draws, ROMANO_WOLF),
            float(by_holm[n]),
            critical,
            _scale(fits[name], question.term),
        )
        for n, (name, question) in enumerate(questions.items())
    }


@dataclass(frozen=True)
class ClearFamily:
    """A family with its models' effects, and the family of the same members without time effects.

    Attributes
    ----------
    answers, without_times
        By name; the second is a family of its own with its own Romano-Wolf p-values.
    """

    answers: dict[str, Answer]
    without_times: dict[str, Answer]


def fit_clear_family(
    questions: Mapping[str, Question], *, draws: int, rng: np.random.Generator, level: float = LEVEL
) -> ClearFamily:
    """Test a family in every way that a verdict needs; parameters as in `fit_family`."""
    answers = fit_family(questions, draws=draws, rng=rng, level=level)
    without = {
        name: replace(question, model=question.model.with_(effects=("entity",))) for name, question in questions.items()
    }
    return ClearFamily(answers, fit_family(without, draws=draws, rng=rng, level=level))


def record_family(record: Callable[..., Any], keys: Mapping[str, str], found: ClearFamily, **options: Any) -> None:
    """Record every member of a family.

    Under the member's key the effect with its Romano-Wolf p-value, under ``key.t`` with that of its own t test, under
    ``key.wild`` with that of its own wild bootstrap; the same without time effects under ``key.without_years``.

    Parameters
    ----------
    record
        The notebook's ``run.record``.
    keys
        Name of each member -> its key.
    found
        The family.
    """
    for name, key in keys.items():
        for suffix, answer in (("", found.answers[name]), (".without_years", found.without_times[name])):
            record(f"{key}{suffix}", answer.adjusted, std_error=answer.effect.std_error, **options)
            record(f"{key}{suffix}.t", answer.effect, **options)
            record(f"{key}{suffix}.wild", answer.wild, **options)


def _fit(name: str, question: Question) -> PanelFit:
    if question.model.cluster not in ("entity", question.model.entity):
        raise StudyError(f"family, {name}", "a family is clustered by entity", "leave the cluster at entity")
    return fit(question.data[list(question.model.columns)], question.model)


def _moments(found: PanelFit, term: str) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """What a draw needs: score of each entity (G,), how each entity's sign moves each score (G, G), and the factor."""
    design, place = found.design, found.design.regressors.index(term)
    x = design.x_within / np.linalg.norm(design.x_within, axis=0)
    others = np.linalg.qr(np.delete(x, place, axis=1))[0] if x.shape[1] > 1 else np.zeros((len(x), 0))
    own = x[:, place] - others @ (others.T @ x[:, place])
    residual = design.y_within - others @ (others.T @ design.y_within)
    entity = design.effects.entity
    size = design.effects.n_entities
    whole = np.linalg.qr(x)[0]
    scores = np.asarray(np.bincount(entity, own * residual, minlength=size), dtype=float)
    parts = []
    for entities in cluster_blocks(len(residual), size):
        spread = design.effects.project(spread_residuals(residual, entity, entities))
        spread -= whole @ (whole.T @ spread)
        parts.append(group_sums(own[:, None] * spread, entity))
    moved = np.concatenate(parts, axis=1)
    sandwich = found.std_errors[term] * np.linalg.norm(design.x_within[:, place]) * (own @ own)
    raw = np.linalg.norm(np.bincount(entity, own * found.residuals.loc[design.index].to_numpy(), minlength=size))
    return scores, moved, float(raw / sandwich)


def _draw(
    moment: tuple[NDArray[np.float64], NDArray[np.float64], float], signs: NDArray[np.float64]
) -> NDArray[np.float64]:
    scores, moved, factor = moment
    spread = np.sqrt(((signs @ moved.T) ** 2).sum(axis=1))
    return np.asarray((signs @ scores) / spread * factor)


def _signs(draws: int, size: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    blocks = [min(BLOCK, draws - start) for start in range(0, draws, BLOCK)]
    return [np.where(rng.random((block, size)) < 0.5, -1.0, 1.0) for block in blocks]


def _drawn(effect: Estimate, p_value: float, draws: int, convention: str) -> Estimate:
    """An effect with the p-value of its draws in place of that of its t test."""
    drawn = replace(effect, std_error=None, df=None, ci_low=None, ci_high=None, draws=draws + 1)
    return replace(drawn, p_value=float(p_value), convention=convention)


def _scale(found: PanelFit, term: str) -> float:
    design = found.design
    return float(design.x[:, design.regressors.index(term)].std() / design.y.std())
