"""Whom it reaches: what notebook 10 records of services, gaps, functions and qualities, laid out as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.disparity import divergence
from helpers.errors import StudyError
from helpers.index.build import build_index
from helpers.index.dimensions import name_dimensions
from helpers.inference.clear import LEVEL, ClearTest, record_clear
from helpers.inference.cross_section import wild_beta, wild_sigma
from helpers.inference.family import Answer, ClearFamily, fit_clear_family, record_family
from helpers.society.families import family_keys, family_questions

if TYPE_CHECKING:
    import numpy as np

    from helpers.index.composite import CompositeIndex
    from helpers.results.estimate import Estimate
    from helpers.study.model import Model
    from helpers.study.study import Study
    from helpers.study.texts import Crisis, Family, Society


QUALITY = "social_quality"
"""Name of the mean that stands for social quality where no index does."""


def society_columns(study: Study) -> list[str]:
    """Every column that the block `society` of a study speaks of, dimensions among them."""
    asked = study.society
    assert asked is not None
    names = [asked.services, *name_dimensions(study, asked.quality)]
    names += [asked.speed] if asked.speed else []
    names += [asked.crisis.outcome] if asked.crisis else []
    names += [name for family in asked.families.values() for name in family.outcomes]
    names += [name for contrast in asked.contrast.values() for name in (*contrast.plus, *contrast.minus)]
    return list(dict.fromkeys(names))


def service_indicators(study: Study, services: str) -> list[str]:
    """The indicators of the dimension whose equality is judged, those that are above 0 by their nature included."""
    return [
        name
        for index in study.indices.values()
        for name, item in index.indicators.items()
        if item.dimension == services
    ]


def equality(values: pd.Series, *, draws: int, rng: np.random.Generator) -> dict[str, Estimate]:
    """sigma, beta and gini_change of one column."""
    return {
        "sigma": divergence.sigma_trend(values),
        "beta": divergence.beta_slope(values),
        "gini_change": divergence.gini_change(values, draws=draws, rng=rng),
    }


def equality_wilds(
    values: pd.Series, found: Mapping[str, Estimate], *, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Sigma and beta by the restricted wild bootstrap; the Gini has its interval from drawing entities."""
    return {
        "sigma": wild_sigma(values, found["sigma"], draws=draws, rng=rng),
        "beta": wild_beta(values, found["beta"], draws=draws, rng=rng),
    }


def equality_table(found: Mapping[str, Mapping[str, Estimate]]) -> pd.DataFrame:
    """One row per column: trend of ln(sd / mean) with its p, beta with its p, change of the Gini with its interval."""
    rows = {
        name: {
            "sigma": each["sigma"].estimate,
            "sigma_p_value": each["sigma"].p_value,
            "beta": each["beta"].estimate,
            "beta_p_value": each["beta"].p_value,
            "gini_change": each["gini_change"].estimate,
            "ci_low": each["gini_change"].ci_low,
            "ci_high": each["gini_change"].ci_high,
        }
        for name, each in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("service")


def fit_families(
    data: pd.DataFrame,
    model: Model,
    families: Mapping[str, Family],
    *,
    draws: int,
    rng: np.random.Generator,
    level: float = LEVEL,
) -> dict[str, ClearFamily]:
    """Each family with its Romano-Wolf p-values, by its name."""
    return {
        name: fit_clear_family(family_questions(data, model, family), draws=draws, rng=rng, level=level)
        for name, family in families.items()
    }


def list_answers(found: Mapping[str, ClearFamily], *names: str) -> list[Answer]:
    """The members of the families named, of all without a name."""
    return [
        answer for name, family in found.items() if not names or name in names for answer in family.answers.values()
    ]


def record_families(
    record: Callable[..., Any], found: Mapping[str, ClearFamily], families: Mapping[str, Family], model: Model
) -> None:
    """Record every member under ``<family's key>.<outcome>.<treatment>``."""
    for name, family in found.items():
        record_family(record, family_keys(name, families[name], model), family)


def label_families(
    found: Mapping[str, ClearFamily], families: Mapping[str, Family], model: Model
) -> dict[str, ClearFamily]:
    """The same for a table: by the treatment's name, with the family's where several families share a treatment."""
    treatments = {name: families[name].treatment or model.treatment for name in found}
    shared = [*treatments.values()]
    return {
        treatments[name] if shared.count(treatments[name]) == 1 else f"{treatments[name]}: {name}": family
        for name, family in found.items()
    }


def equal_weighted(data: pd.DataFrame, study: Study, index: str) -> pd.Series:
    """An index of which every dimension weighs the same: the mean of its dimensions' scores."""
    if index not in study.indices:
        raise StudyError(f"column {index}", "it is no index", "name an index of the study file")
    scores = build_index(data, study.indices[index]).dimension_scores
    return scores.mean(axis=1).reindex(data.index)


def add_quality(data: pd.DataFrame, asked: Society) -> tuple[pd.DataFrame, str]:
    """The panel with the column that stands for social quality, and its name: an index, or the mean of some columns."""
    if isinstance(asked.quality, str):
        return data, asked.quality
    return data.assign(**{QUALITY: data[list(asked.quality)].mean(axis=1, skipna=False)}), QUALITY


def count_sides(found: ClearFamily, level: float) -> tuple[list[str], list[str]]:
    """Members clearly above and clearly below zero by their Romano-Wolf p-values."""
    above: list[str] = []
    below: list[str] = []
    for name, answer in found.answers.items():
        if answer.adjusted.p_value is not None and answer.adjusted.p_value < level:
            (above if answer.effect.estimate > 0 else below).append(name)
    return above, below


def quality_table(index: CompositeIndex) -> pd.DataFrame:
    """One row per indicator: its weight and its factor."""
    return index.weights.to_frame("weight").assign(dimension=index.dimensions).rename_axis("indicator")


def record_crisis(record: Callable[..., Any], asked: Crisis, found: ClearTest) -> None:
    """Record the first time of the crisis under ``crisis.<outcome>`` as a clear test, and every time by its own."""
    record_clear(record, f"crisis.{asked.outcome}", found)
    for time in asked.times:
        record(f"crisis.{time}", found.fit[f"in_{time}"])


def record_ground(
    record: Callable[..., Any],
    ground: str,
    found: ClearTest,
    least: tuple[Estimate, Estimate],
    leads: Mapping[str, Estimate],
) -> None:
    """Record ``society.ground.<factor>`` of every factor, and the lead of the first over each and over all.

    `least`: the smallest lead by its t test and by the wild bootstrap, which stands under ``.wild``.
    """
    record_clear(record, f"society.ground.{ground}", found)
    record(f"society.ground.{ground}_minus_others", least[0])
    record(f"society.ground.{ground}_minus_others.wild", least[1])
    for name, lead in leads.items():
        record(f"society.ground.{name}", found.fit[name])
        record(f"society.ground.{ground}_minus_{name}", lead)
