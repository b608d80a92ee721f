"""A policy and the neighbours, as notebook 11 records them and lays them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import StudyError
from helpers.inference.clear import ClearTest, fit_clear, record_held
from helpers.inference.detectable import detectable_effect
from helpers.policy.difference import EventStudy, difference_model, randomise, study_events
from helpers.policy.durbin import SpatialFit, fit_spatial
from helpers.policy.honest import LARGEST_BOUND, HonestBounds, honest_bounds
from helpers.policy.pilots import mark_policy
from helpers.policy.space import SpatialWeights, lag_columns, rings
from helpers.policy.staggered import CohortEffects, cohort_effects
from helpers.regression.panel import fit

if TYPE_CHECKING:
    import numpy as np

    from helpers.policy.spatial_tests import ResidualPattern
    from helpers.results.estimate import Estimate
    from helpers.study.model import Model
    from helpers.study.texts import Policy

NEIGHBOURS = "neighbours"
"""The neighbours' mean of the treatment."""


@dataclass(frozen=True)
class PolicyEffect:
    """One policy on one column.

    Attributes
    ----------
    effect, without_controls
        Difference in differences by the t test and the wild bootstrap.
    randomised
        The effect with its p-value by dealing the policy out anew.
    events, bounds
        The course around the start with the joint test of the times before, and how far trends may differ.
    cohort
        Group-time effects of the largest cohort against the never treated.
    """

    effect: ClearTest
    without_controls: ClearTest
    randomised: Estimate
    events: EventStudy
    bounds: HonestBounds
    cohort: CohortEffects


def assess_policy(
    panel: pd.DataFrame,
    model: Model,
    policy: Policy,
    column: str,
    *,
    draws: int,
    assignments: int,
    rng: Callable[[str], np.random.Generator],
) -> PolicyEffect:
    """Everything that is asked of one policy and one column.

    Parameters
    ----------
    panel
        From `helpers.policy.pilots.build_long_panel`.
    model
        Gives controls and cluster.
    policy
        Who gets it and when.
    column
        The column that it may move.
    draws, assignments
        Draws of the wild bootstrap, and assignments of the randomisation.
    rng
        The notebook's ``run.rng``: one source for each purpose.
    """
    data = mark_policy(panel, policy)
    main = difference_model(model, column, controls=True)
    plain = difference_model(model, column, controls=False)
    largest = max(policy.cohorts, key=lambda cohort: len(cohort.entities)).start
    name = policy.label.en
    events = study_events(data, main, draws=draws, rng=rng(f"events, {name}, {column}"))
    return PolicyEffect(
        fit_clear(data, main, draws=draws, rng=rng(f"wild, {name}, {column}")),
        fit_clear(data, plain, draws=draws, rng=rng(f"wild, plain, {name}, {column}")),
        randomise(data, main, draws=assignments, rng=rng(f"assignments, {name}, {column}")),
        events,
        honest_bounds(events),
        cohort_effects(data, column, largest),
    )


def record_policy(record: Callable[..., Any], name: str, side: str, found: PolicyEffect) -> None:
    """Record ``policy.<name>.<side>`` with .wild, .randomisation, .without_controls, .cohort, .honest and .breakdown.

    The joint test of the times before is under ``policy.<name>.pretrend`` for the outcome, ``.pretrend_treatment`` for
    the treatment; each with .wild.
    """
    key, spanned = f"policy.{name}.{side}", partial(_record_span, record)
    spanned(key, found.effect.effect)
    spanned(f"{key}.wild", found.effect.wild)
    record_held(record, key, found.effect.held)
    spanned(f"{key}.randomisation", found.randomised)
    spanned(f"{key}.without_controls", found.without_controls.effect)
    spanned(f"{key}.without_controls.wild", found.without_controls.wild)
    spanned(f"{key}.cohort", found.cohort.average)
    low, high, ci_low, ci_high = (
        found.bounds.table[name].to_dict()[1.0] for name in ("low", "high", "ci_low", "ci_high")
    )
    record(
        f"{key}.honest",
        estimate=(low + high) / 2,
        ci_low=ci_low,
        ci_high=ci_high,
        convention="relative magnitudes, M = 1, interval by union",
    )
    # Beyond the largest bound searched nothing is known; that bound is what is recorded.
    record(f"{key}.breakdown", value=min(found.bounds.breakdown, LARGEST_BOUND), digits=2)
    if found.events.before is not None:
        before = f"policy.{name}.pretrend" + ("" if side == "outcome" else f"_{side}")
        spanned(before, found.events.before.estimate(found.events.fit), digits=2)
        spanned(f"{before}.wild", found.events.before.wild(found.events.fit), digits=2)


def _record_span(record: Callable[..., Any], key: str, found: Estimate, **options: Any) -> None:
    """Record an estimate over more times than the study's window, and say so in its convention."""
    record(key, replace(found, convention=f"{found.convention}; over the longer span of times"), **options)


def policy_table(found: Mapping[tuple[str, str], PolicyEffect]) -> pd.DataFrame:
    """One row per policy and column: the effect with its four p-values, without controls, and the times before."""
    rows = {}
    for place, item in found.items():
        before = item.events.before
        rows[place] = {
            "estimate": item.effect.effect.estimate,
            "std_error": item.effect.effect.std_error,
            "p_value": item.effect.effect.p_value,
            "wild_p_value": item.effect.wild.p_value,
            "randomisation_p_value": item.randomised.p_value,
            "without_controls": item.without_controls.effect.estimate,
            "without_controls_p_value": item.without_controls.effect.p_value,
            "cohort_average": item.cohort.average.estimate,
            "cohort_std_error": item.cohort.average.std_error,
            "before_p_value": None if before is None else before.p_value,
            "before_wild_p_value": None if before is None else before.wild_p_value,
            "n_obs": item.effect.effect.n_obs,
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(rows), names=["policy", "moves"])
    return table


def bounds_table(found: Mapping[tuple[str, str], PolicyEffect]) -> pd.DataFrame:
    """Rows (policy, column, M): what the estimates allow, and the interval with their sampling error."""
    tables = {place: item.bounds.table for place, item in found.items()}
    return pd.concat(tables, names=["policy", "moves", "m"])


def neighbour_model(panel: pd.DataFrame, model: Model, weights: SpatialWeights) -> tuple[pd.DataFrame, Model]:
    """Outcome ~ neighbours' treatment + treatment + controls | effects."""
    lagged = lag_columns(panel, weights.matrix, [model.treatment])
    data = panel.assign(**{NEIGHBOURS: lagged[model.treatment]})
    return data, model.with_(treatment=NEIGHBOURS, controls=(model.treatment, *model.controls))


def neighbour_model_with_controls(
    panel: pd.DataFrame, model: Model, weights: SpatialWeights
) -> tuple[pd.DataFrame, Model]:
    """The same with the neighbours' controls beside."""
    data, asked = neighbour_model(panel, model, weights)
    lagged = lag_columns(panel, weights.matrix, list(model.controls)).add_prefix("neighbours_")
    return data.join(lagged), asked.with_(controls=(*asked.controls, *lagged.columns))


def spatial_models(
    data: pd.DataFrame, model: Model, weights: Mapping[str, SpatialWeights]
) -> tuple[dict[tuple[str, str], SpatialFit], dict[tuple[str, str], str]]:
    """The spatial lag and Durbin models under every kind of weights, and the reasons of those that cannot be had."""
    fits, refused = {}, {}
    for kind, lagged in (("lag", ()), ("durbin", None)):
        for name, item in weights.items():
            try:
                fits[kind, name] = fit_spatial(data, model, item, durbin=lagged)
            except StudyError as error:
                refused[kind, name] = error.rule
    return fits, refused


def record_neighbours(record: Callable[..., Any], fits: Mapping[tuple[str, str], SpatialFit], treatment: str) -> None:
    """Record ``spatial.<kind>.<weights>.{rho|direct|indirect|total}`` for the treatment."""
    for (kind, weights), found in fits.items():
        record(f"spatial.{kind}.{weights}.rho", found.rho)
        for effect in ("direct", "indirect", "total"):
            record(f"spatial.{kind}.{weights}.{effect}", found.effects[treatment, effect])


def spatial_table(
    fits: Mapping[tuple[str, str], SpatialFit], treatment: str, refused: Mapping[tuple[str, str], str]
) -> pd.DataFrame:
    """One row per model and weights: rho and the treatment's direct, indirect and total effect, each with its p.

    A model that cannot be had has its reason in the column `note`, which is there for such a model only.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for place, found in fits.items():
        row = {"rho": found.rho.estimate, "rho_p_value": found.rho.p_value}
        for effect in ("direct", "indirect", "total"):
            item = found.effects[treatment, effect]
            row |= {effect: item.estimate, f"{effect}_p_value": item.p_value}
        rows[place] = row | {"log_likelihood": found.log_likelihood}
    rows |= {place: {"note": why} for place, why in refused.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(rows), names=["model", "weights"])
    return table


def residual_table(found: Mapping[str, ResidualPattern]) -> pd.DataFrame:
    """One row per weights: Moran's I of the residuals with its p, and the four multiplier tests."""
    rows = {}
    for name, item in found.items():
        row = {"moran": item.moran, "moran_p_value": item.moran_p_value}
        for test, numbers in item.tests.iterrows():
            row |= {str(test): numbers["statistic"], f"{test}_p_value": numbers["p_value"]}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("weights")


def distance_curve(panel: pd.DataFrame, model: Model, distance: pd.DataFrame, ends: tuple[int, ...]) -> pd.DataFrame:
    """Effect of the mean treatment in each ring of distance, all rings in one regression: estimate, ci_low, ci_high."""
    found = rings(distance, ends)
    columns = {
        f"ring_{place}": lag_columns(panel, matrix, [model.treatment])[model.treatment]
        for place, matrix in enumerate(found.values())
    }
    first, *others = columns
    asked = model.with_(treatment=first, controls=(*others, model.treatment, *model.controls))
    table = fit(panel.assign(**columns), asked).table().loc[list(columns)]
    return table.set_axis(pd.Index([f"{name} km" for name in found], name="ring"))


def read_policy(treatment: ClearTest, outcome: ClearTest, level: float) -> str:
    """What clearly moved where a policy began, by t test and wild bootstrap.

    "both", "treatment" or "outcome" rose; "against": one of them fell; "neither" is clear.
    """
    signs = {
        name: (test.effect.estimate > 0) - (test.effect.estimate < 0)
        for name, test in (("treatment", treatment), ("outcome", outcome))
        if test.is_clear(level)
    }
    if -1 in signs.values():
        return "against"
    return "both" if len(signs) == 2 else next(iter(signs), "neither")


def read_indirect(effects: Mapping[str, Estimate], level: float) -> str:
    """Under how many kinds of weights the indirect effect is clear, each looked at alone.

    "unknown" without a model, "none", "some" of one sign, "opposite" signs, "every".
    """
    signs = [effect.estimate > 0 for effect in effects.values() if _is_below(effect, level)]
    if not effects:
        return "unknown"
    if not signs:
        return "none"
    if len(set(signs)) > 1:
        return "opposite"
    return "every" if len(signs) == len(effects) else "some"


def indirect_words(
    record: Callable[..., Any],
    labels: Callable[[Iterable[str]], Any],
    effects: Mapping[str, Estimate],
    level: float,
) -> dict[str, Any]:
    """What the sentence on indirect effects names: how many are clear, which, and what would have been seen."""
    if not effects:
        return {}
    clearly = [name for name, effect in effects.items() if _is_below(effect, level)]
    sizes = [detectable_effect(effect, level=level) for effect in effects.values()]
    return {
        "clear": record("spatial.indirect.clear", value=len(clearly)),
        "all": record("spatial.indirect.all", value=len(effects)),
        "names": labels(clearly) or "none",
        "least": record("spatial.indirect.detectable", value=min(sizes)),
        "most": record("spatial.indirect.detectable.most", value=max(sizes)),
    }


def _is_below(effect: Estimate, level: float) -> bool:
    return effect.p_value is not None and effect.p_value < level


def list_policies(policies: Mapping[str, Policy]) -> pd.DataFrame:
    """One row per policy and cohort: start, entities, source, caution."""
    rows = [
        {
            "policy": policy.label.en,
            "start": str(cohort.start),
            "units": ", ".join(cohort.entities),
            "source": policy.source.en,
            "caution": policy.caution.en,
        }
        for policy in policies.values()
        for cohort in policy.cohorts
    ]
    return pd.DataFrame(rows).set_index("policy")


def weights_table(weights: Mapping[str, SpatialWeights]) -> pd.DataFrame:
    """One row per kind: neighbours of an entity on average, the fewest, and remarks such as links by convention."""
    rows = {
        name: {
            "neighbours_on_average": item.neighbours,
            "fewest": int((item.matrix > 0).sum(axis=1).min()),
            "remark": item.remark,
        }
        for name, item in weights.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("weights")


def effect_rows(
    fits: Mapping[tuple[str, str], SpatialFit], treatment: str, label: Callable[[str], str]
) -> dict[str, pd.DataFrame]:
    """direct, indirect, total -> one row per weights of the Durbin models: estimate, ci_low, ci_high."""
    found = {}
    for effect in ("direct", "indirect", "total"):
        rows = {label(name): fits["durbin", name].effects[treatment, effect] for kind, name in fits if kind == "durbin"}
        table = {name: [item.estimate, item.ci_low, item.ci_high] for name, item in rows.items()}
        found[effect] = pd.DataFrame.from_dict(table, orient="index", columns=["estimate", "ci_low", "ci_high"])
    return found
