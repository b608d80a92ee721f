"""Outcomes that are read together, as the study declares them, laid out as the members of a family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.family import Question
from helpers.study.model import Model

if TYPE_CHECKING:
    from helpers.study.texts import Contrast, Crisis, Family


def family_questions(data: pd.DataFrame, model: Model, family: Family) -> dict[str, Question]:
    """One question per outcome: outcome ~ treatment + controls | effects, over the family's times.

    Raises
    ------
    StudyError
        An outcome without figures in these times, or one of 0 or less whose logarithm is asked for.
    """
    rows, asked = limit_times(data, family), model.with_(treatment=family.treatment or model.treatment)
    questions = {}
    for outcome in family.outcomes:
        own = asked.with_(outcome=outcome, controls=tuple(name for name in asked.controls if name != outcome))
        kept = rows[list(own.columns)].dropna()
        if kept.empty:
            raise StudyError(f"outcome {outcome}", "it has no figures in these times", "correct first and last")
        if family.log:
            kept = kept.assign(**{outcome: log_of(kept[outcome])})
        questions[outcome] = Question(kept, own, own.treatment)
    return questions


def family_keys(name: str, family: Family, model: Model) -> dict[str, str]:
    """Outcome -> the key of its result: ``<family>.<outcome>.<treatment>``."""
    return {
        outcome: f"{family.key or name}.{outcome}.{family.treatment or model.treatment}" for outcome in family.outcomes
    }


def limit_times(data: pd.DataFrame, window: Family) -> pd.DataFrame:
    """The rows from the family's first to its last time.

    Raises
    ------
    StudyError
        No row is left.
    """
    times = data.index.get_level_values(1)
    inside = (times >= (times.min() if window.first is None else window.first)) & (
        times <= (times.max() if window.last is None else window.last)
    )
    if not inside.any():
        raise StudyError(
            f"times {window.first} to {window.last}",
            f"the data run from {times.min()} to {times.max()}",
            "correct first and last in the study file",
        )
    return data[inside]


def log_of(column: pd.Series) -> pd.Series:
    """Natural logarithm, with a refusal that names the row."""
    wrong = ~(column > 0)
    if wrong.any():
        where = column.index[wrong][0]
        raise StudyError(
            f"column {column.name}, {where[0]}, {where[1]}", "it is not above 0 and has no logarithm", "leave log out"
        )
    return pd.Series(np.log(column))


def z_score(column: pd.Series) -> pd.Series:
    """(x - mean) / sample standard deviation over the rows that have a figure."""
    spread = column.std(ddof=1)
    if not spread > 0:
        raise StudyError(f"column {column.name}", "it does not vary", "leave it out")
    return pd.Series((column - column.mean()) / spread)


def contrast_of(data: pd.DataFrame, contrast: Contrast) -> pd.Series:
    """Mean of the columns on one side less that of the other, as z-scores where the contrast asks for it."""
    plus, minus = (
        pd.concat([z_score(data[name]) if contrast.standardise else data[name] for name in side], axis=1).mean(
            axis=1, skipna=False
        )
        for side in (contrast.plus, contrast.minus)
    )
    return plus - minus


def crisis_panel(data: pd.DataFrame, model: Model, crisis: Crisis) -> tuple[pd.DataFrame, Model]:
    """Outcome ~ z(treatment before the crisis) x 1(time), one term per time of the crisis, with the model's effects.

    z is over the entities at the last time before the crisis. Without controls: those of the crisis are moved by it.

    Raises
    ------
    StudyError
        A time that the panel does not have.
    """
    times = data.index.get_level_values(1)
    for time in (crisis.level, *crisis.times):
        if time not in times:
            raise StudyError(f"crisis, time {time}", "the panel does not have it", "correct the study file")
    level = z_score(data[model.treatment].xs(crisis.level, level=1))
    place = pd.Series(level.reindex(data.index.get_level_values(0)).to_numpy(), index=data.index)
    terms = {f"in_{time}": place * (times == time) for time in crisis.times}
    panel = data[[crisis.outcome]].assign(**terms).dropna()
    first, *others = terms
    return panel, model.with_(outcome=crisis.outcome, treatment=first, controls=tuple(others))
