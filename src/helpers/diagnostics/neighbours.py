"""Neighbours of the primary specification: other models of the same question on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.diagnostics.random_effects import RandomEffectsFit, fit_random_effects, fit_two_way_random
from helpers.errors import StudyError
from helpers.regression.collinearity import span
from helpers.regression.panel import PanelFit, fit, fit_panel
from helpers.regression.specification import Specification
from helpers.results.estimate import Estimate
from helpers.study.model import Model

MEANS = "mundlak"
"""The model with the means of each unit, which must give the fixed-effects estimate again."""
# Numbers in the largest matrix of further regressors that is made.
HELD = 4_000_000


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
        Its estimate of the treatment; None when the rows do not allow it.
    remark
        What else a reader must know of it, or why it could not be fitted.
    """

    label: str
    asks: str
    found: Estimate | None
    remark: str = ""


def fit_neighbours(
    data: pd.DataFrame, model: Model, *, window: Sequence[int], regions: pd.Series
) -> dict[str, Neighbour]:
    """Fit every neighbour of a model; one that the rows do not allow gives its reason.

    Parameters
    ----------
    data
        Panel with the model's columns.
    model
        The primary specification.
    window
        The times of the study in order; a change is one from a time to the next.
    regions
        Region of each entity; entities without one are left out of the specification with region-by-time effects,
        which there is only among two regions or more.
    """
    step = Specification(data[list(model.columns)], model)
    neighbours: dict[str, tuple[str, str, Callable[[], tuple[Estimate, str]]]] = {
        "random_effects": (
            "Random effects",
            "What if what is fixed about a unit had nothing to do with the regressors?",
            lambda: _fit_random(step),
        ),
        "random_effects_two_way": (
            "Random effects of units and periods",
            "What if what is common to a period had nothing to do with the regressors either?",
            lambda: _fit_two_way_random(step),
        ),
        MEANS: (
            "Correlated random effects (Mundlak)",
            "Do the means of a unit, put beside the regressors, give the fixed-effects estimate?",
            lambda: _fit_mundlak(step),
        ),
        "first_differences": (
            "First differences",
            "Does a change of the treatment go with a change of the outcome from one period to the next?",
            lambda: _fit_differences(step, tuple(window)),
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
    if regions.dropna().nunique() < 2:
        del neighbours["region_by_time"]
    return {name: _try(*parts) for name, parts in neighbours.items()}


def _try(label: str, asks: str, fit_one: Callable[[], tuple[Estimate, str]]) -> Neighbour:
    try:
        return Neighbour(label, asks, *fit_one())
    except StudyError as error:
        return Neighbour(label, asks, None, f"not fitted: {error.where}: {error.rule}")


def _fit_random(step: Specification) -> tuple[Estimate, str]:
    fit = fit_random_effects(
        step.data, step.outcome, step.regressors, time_effects="time" in step.effects, cluster=True
    )
    return _random_check(fit, step.treatment)


def _fit_two_way_random(step: Specification) -> tuple[Estimate, str]:
    if "time" not in step.effects:
        raise StudyError("random effects of periods", "the model has no time effects", "add them to the model")
    return _random_check(fit_two_way_random(step.data, step.outcome, step.regressors), step.treatment)


def _fit_mundlak(step: Specification) -> tuple[Estimate, str]:
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


def _random_check(fit: RandomEffectsFit, term: str) -> tuple[Estimate, str]:
    return fit[term], ""


def _fit_differences(step: Specification, window: tuple[int, ...]) -> tuple[Estimate, str]:
    """Each column less its value one period of the window earlier, with time effects where the primary has them."""
    places = pd.Index(window).get_indexer(step.data.index.get_level_values(1))
    entities = step.data.index.get_level_values(0)
    keyed = step.data.set_axis(pd.MultiIndex.from_arrays([entities, places]))
    earlier = keyed.reindex(pd.MultiIndex.from_arrays([entities, places - 1])).to_numpy()
    changes = (step.data - earlier).dropna()
    fit = fit_panel(changes, step.outcome, step.regressors, time_effects="time" in step.effects, cluster=step.cluster)
    return _check(fit, step.treatment)


def _fit_region_by_time(step: Specification, regions: pd.Series) -> tuple[Estimate, str]:
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


def _fit_trends(step: Specification) -> tuple[Estimate, str]:
    times = step.data.index.get_level_values(1).to_numpy(dtype=float)
    entities = pd.Series(step.data.index.get_level_values(0), index=step.data.index)
    seen = entities.value_counts()
    several = sorted(seen.index[seen > 1])
    if len(several) * len(step.data) > HELD:
        rule = f"{len(several):,} trends over {len(step.data):,} rows are a matrix of more than {HELD:,} numbers"
        raise StudyError("a trend of each entity", rule, "give fewer entities a trend")
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


def _check(fit: PanelFit, term: str, remark: str = "") -> tuple[Estimate, str]:
    return fit[term], "; ".join(filter(None, (remark, *fit.notes)))


def neighbour_table(neighbours: Mapping[str, Neighbour], primary: Estimate, label: str, asks: str) -> pd.DataFrame:
    """The primary specification and its neighbours: what each asks, its numbers and what they rest on."""
    names = ("estimate", "std_error", "p_value", "ci_low", "ci_high", "n_obs", "n_entities", "convention")
    first = Neighbour(label, asks, primary)
    rows = {
        item.label: {"asks": item.asks}
        | {name: getattr(item.found, name, None) for name in names}
        | {"remark": item.remark}
        for item in (first, *neighbours.values())
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("specification")


def mundlak_gap(neighbours: Mapping[str, Neighbour], data: pd.DataFrame, model: Model) -> float:
    """Relative distance between Mundlak's estimate and the fixed-effects one; 0 where it was not fitted."""
    found = neighbours[MEANS].found
    if found is None:
        return 0.0
    effects = ("entity", "time") if model.time_effects else ("entity",)
    fixed = fit(data, model.with_(effects=effects))[model.treatment]
    return abs(found.estimate / fixed.estimate - 1)


def count_significant(found: Mapping[str, Estimate], level: float) -> tuple[int, int]:
    """How many estimates are positive, and how many negative, with a p-value below a level."""
    below = [item for item in found.values() if item.p_value is not None and item.p_value < level]
    return sum(item.estimate > 0 for item in below), sum(item.estimate < 0 for item in below)
