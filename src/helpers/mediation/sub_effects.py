"""What a channel is held to bring: its effect on outcomes that a text names, read together where there are several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.index.build import build_index
from helpers.inference.clear import WITHOUT_TIMES, ClearTest, fit_clear, record_clear
from helpers.inference.family import Answer, Question, fit_family

if TYPE_CHECKING:
    from helpers.study.study import Study


@dataclass(frozen=True)
class SubEffect:
    """The effect of a mediator on the outcomes of one statement.

    Attributes
    ----------
    mediator, key
        The regressor, and the first word of the result keys.
    answers, without_times
        Outcome -> answer, adjusted by Romano and Wolf over the outcomes; empty where there is one outcome.
    single
        Outcome -> test of a statement with one outcome.
    """

    mediator: str
    key: str
    answers: dict[str, Answer]
    without_times: dict[str, Answer]
    single: dict[str, ClearTest]


def fit_sub_effects(panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator) -> dict[str, SubEffect]:
    """Fit every statement that the study file declares under its mediators, by "<mediator>.<statement>".

    Each outcome uses the rows in which it and the mediator have figures.
    """
    found = {}
    for mediator, item in study.mediators.items():
        for name, effects in item.sub_effects.items():
            data = add_dimensions(panel, study, effects.outcomes)
            model = study.model().with_(treatment=mediator)
            asked = {
                outcome: Question(data.dropna(subset=[outcome, mediator]), model.with_(outcome=outcome), mediator)
                for outcome in effects.outcomes
            }
            found[f"{mediator}.{name}"] = _fit(mediator, effects.key, asked, draws, rng)
    return found


def add_dimensions(panel: pd.DataFrame, study: Study, names: tuple[str, ...]) -> pd.DataFrame:
    """The panel with those of the named columns that are dimension scores of an index."""
    for index in study.indices.values():
        inside = [name for name in names if name in index.dimensions and name not in panel]
        if inside:
            scores = build_index(panel, index, study.sample.missing).dimension_scores
            panel = panel.join(scores[inside])
    return panel


def record_sub_effects(record: Callable[..., Any], found: dict[str, SubEffect]) -> None:
    """Record ``<key>.<outcome>.<mediator>`` with ``.wild`` and ``.without_years``; p-values by Romano and Wolf."""
    for item in found.values():
        for outcome, answer in item.answers.items():
            record(f"{item.key}.{outcome}.{item.mediator}", answer.adjusted, std_error=answer.effect.std_error)
            record(f"{item.key}.{outcome}.{item.mediator}.wild", answer.wild)
        for outcome, answer in item.without_times.items():
            record(
                f"{item.key}.{outcome}.{item.mediator}.{WITHOUT_TIMES}",
                answer.adjusted,
                std_error=answer.effect.std_error,
            )
            record(f"{item.key}.{outcome}.{item.mediator}.{WITHOUT_TIMES}.wild", answer.wild)
        for outcome, test in item.single.items():
            record_clear(record, f"{item.key}.{outcome}.{item.mediator}", test)


def sub_effect_table(found: dict[str, SubEffect], study: Study) -> pd.DataFrame:
    """One row per mediator and outcome: estimate, its own p-values, the adjusted one, and both without time effects."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for item in found.values():
        for outcome, answer in item.answers.items():
            without = item.without_times.get(outcome)
            rows[study.label(item.mediator), study.label(outcome)] = {
                **_row(answer.effect.estimate, answer.effect.std_error, answer.effect.p_value, answer.wild.p_value),
                "romano_wolf_p_value": answer.adjusted.p_value,
                "without_time_effects": without.effect.estimate if without else None,
                "without_time_effects_p_value": without.adjusted.p_value if without else None,
                "n_obs": answer.effect.n_obs,
            }
        for outcome, test in item.single.items():
            effect, other = test.effect, test.without_times
            rows[study.label(item.mediator), study.label(outcome)] = {
                **_row(effect.estimate, effect.std_error, effect.p_value, test.wild.p_value),
                "romano_wolf_p_value": None,
                "without_time_effects": other.estimate if other else None,
                "without_time_effects_p_value": other.p_value if other else None,
                "n_obs": effect.n_obs,
            }
    index = pd.MultiIndex.from_tuples(rows, names=["channel", "outcome"])
    return pd.DataFrame(list(rows.values()), index=index)


def _fit(mediator: str, key: str, asked: dict[str, Question], draws: int, rng: np.random.Generator) -> SubEffect:
    if len(asked) == 1:
        single = {
            outcome: fit_clear(question.data, question.model, question.term, draws=draws, rng=rng)
            for outcome, question in asked.items()
        }
        return SubEffect(mediator, key, {}, {}, single)
    answers, without = fit_family(asked, draws=draws, rng=rng), {}
    if all(question.model.time_effects for question in asked.values()):
        entity_only = {
            name: Question(question.data, question.model.with_(effects=("entity",)), question.term)
            for name, question in asked.items()
        }
        without = fit_family(entity_only, draws=draws, rng=rng)
    return SubEffect(mediator, key, answers, without, {})


def _row(estimate: float, std_error: float | None, p_value: float | None, wild: float | None) -> dict[str, Any]:
    return {"estimate": estimate, "std_error": std_error, "p_value": p_value, "wild_p_value": wild}
