"""Neighbours of the primary specification: other models of the same question on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.regression.collinearity import span
from helpers.regression.panel import fit_panel
from helpers.regression.random_effects import RandomEffectsFit, fit_random_effects
from helpers.regression.specification import RobustnessCheck, Specification, describe_convention, describe_term, specify

if TYPE_CHECKING:
    from helpers.regression.panel import PanelFit
    from helpers.results.results import Results
    from helpers.study.study import Study

RANDOM = "random effects (Swamy-Arora), clustered by entity, G/(G-1) x (N-1)/(N-K), normal (Stata xtreg, re)"


@dataclass(frozen=True)
class Neighbour:
    """One neighbour of the primary specification.

    Attributes
    ----------
    label
        Its name in words.
    asks
        What it asks.
    found
        What it found; None when the rows do not allow it.
    reason
        Why it could not be fitted; empty where it was.
    """

    label: str
    asks: str
    found: RobustnessCheck | None
    reason: str = ""


def fit_neighbours(panel: pd.DataFrame, study: Study, regions: pd.Series) -> dict[str, Neighbour]:
    """Fit every neighbour; one that the rows do not allow gives its reason.

    Parameters
    ----------
    panel
        Panel with the model's columns.
    regions
        Region of each entity; entities without one are left out of the specification with region-by-time effects.
    """
    step = specify(panel, study)
    neighbours: dict[str, tuple[str, str, Callable[[], RobustnessCheck]]] = {
        "random_effects": (
            "Random effects",
            "What if what is fixed about a unit had nothing to do with the regressors?",
            lambda: _fit_random(step),
        ),
        "mundlak": (
            "Correlated random effects (Mundlak)",
            "Do the means of a unit, put beside the regressors, give the fixed-effects estimate?",
            lambda: _fit_mundlak(step),
        ),
        "first_differences": (
            "First differences",
            "Does a change of the treatment go with a change of the outcome from one period to the next?",
            lambda: _fit_differences(step, study.time.window),
        ),
        "region_by_time": (
            "Region-by-period effects",
            "Does it hold within a region and period, whatever happened to the whole region then?",
            lambda: _fit_region_by_time(step, regions),
        ),
        "entity_trends": (
            "A linear trend of each unit",
            "Does it hold for departures from each unit's own trend?",
            lambda: _fit_trends(step),
        ),
    }
    return {name: _try(*parts) for name, parts in neighbours.items()}


def _try(label: str, asks: str, fit: Callable[[], RobustnessCheck]) -> Neighbour:
    try:
        return Neighbour(label, asks, fit())
    except StudyError as error:
        return Neighbour(label, asks, None, f"not fitted: {error.where}: {error.rule}")


def _fit_random(step: Specification) -> RobustnessCheck:
    fit = fit_random_effects(
        step.data, step.outcome, step.regressors, time_effects="time" in step.effects, cluster=True
    )
    return _random_check(fit, step.treatment)


def _fit_mundlak(step: Specification) -> RobustnessCheck:
    data = add_means(step)
    fit = fit_random_effects(data, step.outcome, [name for name in data.columns if name != step.outcome], cluster=True)
    return _random_check(fit, step.treatment)


def add_means(step: Specification) -> pd.DataFrame:
    """The specification's columns, its time dummies, and the entity means of all of them that are independent.

    With the means of the time dummies, which differ where the panel is unbalanced, the estimates are those of the
    fixed effects (Wooldridge 2019, Journal of Econometrics 211).
    """
    columns = step.data[list(step.regressors)]
    if "time" in step.effects:
        columns = columns.join(_dummies(step.data, 1))
    means = columns.groupby(level=0).transform("mean").add_suffix(" (mean)")
    kept = _independent(pd.concat([columns, means], axis=1))
    return step.data[[step.outcome]].join(kept)


def _dummies(data: pd.DataFrame, level: int) -> pd.DataFrame:
    """Dummies of a level of the index, without the first."""
    return pd.get_dummies(data.index.get_level_values(level), dtype=float, drop_first=True).set_axis(
        data.index, axis=0
    ).rename(columns=str)  # fmt: skip


def _independent(columns: pd.DataFrame) -> pd.DataFrame:
    """The columns that those before them, and the intercept, do not span."""
    basis = span(np.column_stack([np.ones(len(columns)), columns.to_numpy(dtype=float)]))
    return columns.iloc[:, [place - 1 for place in basis.kept[1:]]]


def _random_check(fit: RandomEffectsFit, term: str) -> RobustnessCheck:
    estimate, std_error = float(fit.estimates[term]), float(fit.std_errors[term])
    half = float(stats.norm.ppf(0.975)) * std_error
    return RobustnessCheck(
        estimate, std_error, float(fit.p_values[term]), estimate - half, estimate + half, fit.n_obs, fit.n_entities,
        RANDOM,
    )  # fmt: skip


def _fit_differences(step: Specification, window: tuple[int, ...]) -> RobustnessCheck:
    """Each column less its value one period of the window earlier, with time effects where the primary has them."""
    places = pd.Index(window).get_indexer(step.data.index.get_level_values(1))
    entities = step.data.index.get_level_values(0)
    keyed = step.data.set_axis(pd.MultiIndex.from_arrays([entities, places]))
    earlier = keyed.reindex(pd.MultiIndex.from_arrays([entities, places - 1])).to_numpy()
    changes = (step.data - earlier).dropna()
    fit = fit_panel(changes, step.outcome, step.regressors, time_effects="time" in step.effects, cluster=step.cluster)
    return _check(fit, step.treatment)


def _fit_region_by_time(step: Specification, regions: pd.Series) -> RobustnessCheck:
    region = pd.Series(step.data.index.get_level_values(0).map(regions.to_dict()), index=step.data.index)
    data, region = step.data[region.notna()], region.dropna().astype(str)
    by_region = pd.get_dummies(region, dtype=float)
    if by_region.shape[1] < 2:
        raise StudyError("region-by-period effects", "there are no two regions", "declare regions in the study file")
    by_time = _dummies(data, 1)
    first = 1 if "time" in step.effects else 0
    added = pd.DataFrame(
        {
            f"{group} x {time}": by_region[group] * by_time[time]
            for group in by_region.columns[first:]
            for time in by_time
        }
    )
    return _check(_fit_with(step, data, added), step.treatment, "rows without a region are left out")


def _fit_trends(step: Specification) -> RobustnessCheck:
    times = step.data.index.get_level_values(1).to_numpy(dtype=float)
    entities = pd.Series(step.data.index.get_level_values(0), index=step.data.index)
    seen = entities.value_counts()
    several = sorted(seen.index[seen > 1])
    first = 1 if "time" in step.effects else 0
    added = pd.DataFrame({f"trend of {name}": (entities == name) * (times - times.mean()) for name in several[first:]})
    return _check(_fit_with(step, step.data, added), step.treatment, "the trends count among the parameters")


def _fit_with(step: Specification, data: pd.DataFrame, added: pd.DataFrame) -> PanelFit:
    """The specification with further regressors, as far as its effects and its regressors do not span them."""
    return fit_panel(
        data.join(added),
        step.outcome,
        [*step.regressors, *added.columns],
        entity_effects="entity" in step.effects,
        time_effects="time" in step.effects,
        cluster=step.cluster,
    )


def _check(fit: PanelFit, term: str, remark: str = "") -> RobustnessCheck:
    return RobustnessCheck(
        **describe_term(fit, term),
        n_obs=fit.n_obs,
        n_entities=fit.n_entities,
        convention=describe_convention(fit),
        remark="; ".join(filter(None, (remark, *fit.notes))),
    )


def record_neighbours(results: Results, neighbours: Mapping[str, Neighbour]) -> None:
    """Record every neighbour that was fitted under ``baseline.neighbours.<name>``."""
    for name, neighbour in neighbours.items():
        if neighbour.found is not None:
            results.record(f"baseline.neighbours.{name}", **record_of(neighbour.found))


def record_of(check: RobustnessCheck) -> dict[str, Any]:
    """The fields of a recorded result."""
    names = ("estimate", "std_error", "p_value", "ci_low", "ci_high", "n_obs", "n_entities", "convention")
    return {name: getattr(check, name) for name in names} | {"statistic": check.estimate / check.std_error}


def neighbour_table(neighbours: Mapping[str, Neighbour], primary: PanelFit, study: Study) -> pd.DataFrame:
    """The primary specification and its neighbours: what each asks, its numbers and its convention."""
    names = ("estimate", "std_error", "p_value", "n_obs", "n_entities", "convention", "remark")
    own = _check(primary, study.specification.treatment)
    rows = {study.label(study.primary): {"asks": study.question.en} | {name: getattr(own, name) for name in names}}
    for neighbour in neighbours.values():
        told = {name: getattr(neighbour.found, name, None) for name in names}
        told["remark"] = neighbour.reason or told["remark"]
        rows[neighbour.label] = {"asks": neighbour.asks} | told
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("specification")


def neighbour_estimates(neighbours: Mapping[str, Neighbour], primary: PanelFit, study: Study) -> pd.DataFrame:
    """Estimates with intervals for a coefficient plot, the primary specification first."""
    checks = {study.label(study.primary): _check(primary, study.specification.treatment)}
    checks |= {item.label: item.found for item in neighbours.values() if item.found is not None}
    rows = {label: [check.estimate, check.ci_low, check.ci_high] for label, check in checks.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])


def say_neighbours(results: Results, neighbours: Mapping[str, Neighbour], level: float) -> str:
    """Record how many neighbours agree; the sentence template that says so."""
    found = [neighbour.found for neighbour in neighbours.values() if neighbour.found is not None]
    counts = {
        "fitted": len(found),
        "positive_significant": sum(check.estimate > 0 and check.p_value < level for check in found),
        "negative_significant": sum(check.estimate < 0 and check.p_value < level for check in found),
    }
    for name, count in counts.items():
        results.record(f"baseline.neighbours.count.{name}", value=count)
    return (
        "Of {baseline.neighbours.count.fitted} neighbours, {baseline.neighbours.count.positive_significant} are "
        "positive and significant, {baseline.neighbours.count.negative_significant} negative and significant."
    )


def mundlak_gap(neighbours: Mapping[str, Neighbour], panel: pd.DataFrame, study: Study) -> float:
    """Relative distance between Mundlak's estimate and the fixed-effects one; 0 where it was not fitted."""
    found = neighbours["mundlak"].found
    if found is None:
        return 0.0
    step = specify(panel, study)
    fixed = fit_panel(
        step.data, step.outcome, step.regressors, entity_effects=True, time_effects="time" in step.effects
    ).estimates[step.treatment]
    return abs(found.estimate / float(fixed) - 1)
