"""Whom it reaches: what notebook 10 records of services, gaps, functions and qualities, laid out as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import StudyError
from helpers.index import divergence
from helpers.index.build import build_index
from helpers.index.dimensions import name_dimensions
from helpers.inference.clear import ClearTest, fit_clear
from helpers.inference.family import ClearFamily, fit_clear_family, record_family
from helpers.society.families import family_keys, family_questions

if TYPE_CHECKING:
    import numpy as np

    from helpers.results.estimate import Estimate
    from helpers.study.model import Model
    from helpers.study.study import Study
    from helpers.study.texts import Family, Society


def society_columns(study: Study) -> list[str]:
    """Every column that the block `society` of a study speaks of, dimensions among them."""
    asked = study.society
    assert asked is not None
    names = [asked.services, asked.crisis.outcome, *name_dimensions(study, asked.quality)]
    names += [name for family in (asked.families | asked.alone).values() for name in family.outcomes]
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
    data: pd.DataFrame, model: Model, families: Mapping[str, Family], *, draws: int, rng: np.random.Generator
) -> dict[str, ClearFamily]:
    """Each family with its Romano-Wolf p-values, by its name."""
    return {
        name: fit_clear_family(family_questions(data, model, family), draws=draws, rng=rng)
        for name, family in families.items()
    }


def record_families(
    record: Callable[..., Any], found: Mapping[str, ClearFamily], families: Mapping[str, Family], model: Model
) -> None:
    """Record every member under ``<family's key>.<outcome>.<treatment>``."""
    for name, family in found.items():
        record_family(record, family_keys(name, families[name], model), family)


def label_families(
    found: Mapping[str, ClearFamily], families: Mapping[str, Family], model: Model
) -> dict[str, ClearFamily]:
    """The same by the treatment's name, for a table."""
    return {families[name].treatment or model.treatment: family for name, family in found.items()}


def fit_alone(
    data: pd.DataFrame, model: Model, asked: Society, *, draws: int, rng: np.random.Generator
) -> dict[str, ClearTest]:
    """Outcomes that are read by themselves, by the key of their result."""
    found = {}
    for name, family in asked.alone.items():
        keys = family_keys(name, family, model)
        for outcome, question in family_questions(data, model, family).items():
            found[keys[outcome]] = fit_clear(question.data, question.model, draws=draws, rng=rng)
    return found


def equal_weighted(data: pd.DataFrame, study: Study, index: str) -> pd.Series:
    """An index of which every dimension weighs the same: the mean of its dimensions' scores."""
    if index not in study.indices:
        raise StudyError(f"column {index}", "it is no index", "name an index of the study file")
    scores = build_index(data, study.indices[index]).dimension_scores
    return scores.mean(axis=1).reindex(data.index)


def count_sides(found: ClearFamily, level: float) -> tuple[list[str], list[str]]:
    """Members clearly above and clearly below zero by their Romano-Wolf p-values."""
    above: list[str] = []
    below: list[str] = []
    for name, answer in found.answers.items():
        if answer.adjusted.p_value is not None and answer.adjusted.p_value < level:
            (above if answer.effect.estimate > 0 else below).append(name)
    return above, below
