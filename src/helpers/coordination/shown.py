"""The coordination of a study's systems: recorded, and laid out as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.coordination import coupling
from helpers.coordination.moderation import Moderated, marginal_at_percentiles, moderate
from helpers.disparity import divergence
from helpers.inference.clear import ClearTest
from helpers.inference.cross_section import wild_sigma, wild_upper_lower
from helpers.inference.family import Question
from helpers.inference.shown import read_effect
from helpers.regression.threshold import PanelThreshold

if TYPE_CHECKING:
    import numpy as np

    from helpers.results.estimate import Estimate
    from helpers.study.model import Model
    from helpers.study.study import Study
    from helpers.study.texts import Coordination

FORMS = {
    "two_way": "Product of the two, centred",
    "without_controls": "Without controls",
    "groups": "Upper against lower group of the moderator",
    "within": "Product of deviations from each unit's mean",
    "first_level": "The moderator of the first period",
    "without_heaviest": "Without the unit that holds most of the variation",
}


def moderated_columns(asked: Coordination) -> list[str]:
    """Every column that an interaction of the study names."""
    return [name for item in asked.moderation.values() for name in (item.of, item.by, *item.beside)]


def further_pairs(data: pd.DataFrame, model: Model, asked: Coordination) -> dict[str, Moderated]:
    """The interactions that the study declares beside the first, by name."""
    items = list(asked.moderation.items())[1:]
    return {name: moderate(data, model, item.of, item.by, item.beside) for name, item in items}


def record_coupling(record: Callable[..., Any], found: coupling.Coupling, regions: pd.Series) -> None:
    """Record ``coordination.{coupling|mean|degree|modified}.{first|last|<region>}``."""
    for row, values in coupling.describe_coupling(found, regions).iterrows():
        for measure, value in values.items():
            record(f"coordination.{measure}.{row}", value=float(value), digits=3)
    record("coordination.zero_rows", value=len(found.zeros), digits=0)


def record_marginal(record: Callable[..., Any], found: ClearTest, setting: Moderated) -> dict[str, Estimate]:
    """Record ``coordination.marginal.{p10|p50|p90}`` and return them."""
    effects = marginal_at_percentiles(found.fit, setting)
    for place, effect in effects.items():
        record(f"coordination.marginal.{place}", effect)
    return effects


def record_forms(record: Callable[..., Any], forms: Mapping[str, ClearTest]) -> None:
    """Record the same question otherwise put: ``coordination.interaction.<form>`` and ``.wild``."""
    for name, found in forms.items():
        record(f"coordination.interaction.{name}", found.effect)
        record(f"coordination.interaction.{name}.wild", found.wild)


def record_threshold(record: Callable[..., Any], key: str, found: PanelThreshold) -> None:
    """Record the threshold (value, interval, F, p) under ``key`` and the slopes on both sides under .low and .high."""
    record(
        key,
        value=found.threshold,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        statistic=found.statistic,
        p_value=found.p_value,
        n_obs=found.fit.n_obs,
        n_entities=found.fit.n_entities,
        draws=found.draws + 1,
        convention=f"Hansen (1999), {found.bootstrap} bootstrap, 95 % interval by inversion of the likelihood ratio",
    )
    record(f"{key}.low", found.fit[found.low])
    record(f"{key}.high", found.fit[found.high])


def divergence_estimates(
    values: pd.Series, groups: int, *, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Sigma (trend of the log coefficient of variation), gini_change and points (upper less lower group)."""
    return {
        "sigma": divergence.sigma_trend(values),
        "gini_change": divergence.gini_change(values, draws=draws, rng=rng),
        "points": divergence.upper_lower_gap(values, groups),
    }


def record_divergences(record: Callable[..., Any], found: Mapping[str, Mapping[str, Estimate]]) -> None:
    """Record ``divergence.<column>.{sigma|gini_change|points}`` of further columns."""
    for column, measures in found.items():
        for name, effect in measures.items():
            record(f"divergence.{column}.{name}", effect)


def divergence_table(found: Mapping[str, Mapping[str, Estimate]], study: Study) -> pd.DataFrame:
    """One row per column and measure: estimate, interval and p-value."""
    rows = {
        (study.label(column), name): {
            "estimate": effect.estimate,
            "ci_low": effect.ci_low,
            "ci_high": effect.ci_high,
            "p_value": effect.p_value,
        }
        for column, measures in found.items()
        for name, effect in measures.items()
    }
    return pd.DataFrame(list(rows.values()), pd.MultiIndex.from_tuples(rows, names=["column", "row"]))


def divergence_wilds(
    values: pd.Series, groups: int, found: Mapping[str, Estimate], *, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Sigma and points by the restricted wild bootstrap; the Gini has its interval from drawing entities."""
    return {
        "sigma": wild_sigma(values, found["sigma"], draws=draws, rng=rng),
        "points": wild_upper_lower(values, groups, found["points"], draws=draws, rng=rng),
    }


def read_returns(square: ClearTest, low: Estimate, low_wild: Estimate, level: float) -> str:
    """Which sentence on a bent line is true: as `read_effect` of the square, and "diminish" where returns do.

    Returns diminish where the square lies clearly below zero and the slope at the lower end clearly above it, each by
    the t test and by the wild bootstrap: without returns there is nothing to diminish.
    """
    reading = read_effect(square, level)
    rises = low.estimate > 0 and all(found.p_value is not None and found.p_value < level for found in (low, low_wild))
    return "diminish" if reading == "below" and rises else reading


def read_loop(forth: ClearTest, back: ClearTest, *, level: float) -> str:
    """Which ways of a loop lie clearly above zero: "both", "forth", "back", "neither"; "against": one lies below."""
    readings = [read_effect(found, level) for found in (forth, back)]
    if "below" in readings:
        return "against"
    rising = [reading == "above" for reading in readings]
    return "both" if all(rising) else "forth" if rising[0] else "back" if rising[1] else "neither"


def feature_questions(data: pd.DataFrame, model: Model, features: tuple[str, ...]) -> dict[str, Question]:
    """One question per feature of the one model that holds them all."""
    return {
        name: Question(
            data,
            model.with_(treatment=name, controls=(*(other for other in features if other != name), *model.controls)),
            name,
        )
        for name in features
    }
