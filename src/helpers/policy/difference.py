"""Difference in differences: the mean effect, its course around the start, and what chance would have made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.wald import WaldTest, joint_wald
from helpers.policy.pilots import START, UNDER
from helpers.regression.panel import PanelFit, fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model

DRAWN_AT_ONCE = 250


@dataclass(frozen=True)
class EventStudy:
    """Effects by time since the start.

    Attributes
    ----------
    fit
        outcome ~ one term per time from the start (the time before it is the base) + controls | entity + time.
    course
        One row per time from the start (0 is the first under the policy): estimate, std_error, ci_low, ci_high; the
        base has an estimate of 0.
    before
        Joint test that every term before the base is zero; None where the panel has one time before the start only.
    """

    fit: PanelFit
    course: pd.DataFrame
    before: WaldTest | None


def difference_model(model: Model, outcome: str, *, controls: bool) -> Model:
    """Outcome ~ under_policy (+ controls) | entity + time, clustered by entity."""
    kept = model.controls if controls else ()
    return model.with_(outcome=outcome, treatment=UNDER, controls=kept, effects=("entity", "time"))


def study_events(data: pd.DataFrame, model: Model, *, draws: int, rng: np.random.Generator) -> EventStudy:
    """Estimate the course of the effect around the start.

    Parameters
    ----------
    data
        Panel with `policy_start` (see `helpers.policy.pilots.mark_policy`).
    model
        From `difference_model`.
    draws
        Draws of the wild bootstrap of the joint test.
    rng
        Source of the draws.

    Raises
    ------
    StudyError
        No time before the start, or regressors that cannot be told apart.
    """
    since = pd.Series(data.index.get_level_values(1).to_numpy(dtype=float), index=data.index) - data[START]
    steps = sorted({int(step) for step in since.dropna().unique()})
    if -1 not in steps:
        raise StudyError("event study", "there is no time just before the start", "read earlier times")
    names = {step: f"before_{-step}" if step < 0 else f"after_{step}" for step in steps if step != -1}
    columns = {name: (since == step).astype(float) for step, name in names.items()}
    first, *others = names.values()
    asked = model.with_(treatment=first, controls=(*others, *model.controls))
    found = fit(data.assign(**columns), asked)
    rows = {step: found[name] for step, name in names.items()}
    course = pd.DataFrame(
        {step: [item.estimate, item.std_error, item.ci_low, item.ci_high] for step, item in rows.items()},
        index=["estimate", "std_error", "ci_low", "ci_high"],
    ).T.astype(float)
    course.loc[-1] = [0.0, 0.0, 0.0, 0.0]
    early = [name for step, name in names.items() if step < -1]
    before = joint_wald(found, early, draws=draws, rng=rng) if early else None
    return EventStudy(found, course.sort_index().rename_axis("since_start"), before)


def randomise(data: pd.DataFrame, model: Model, *, draws: int, rng: np.random.Generator) -> Estimate:
    """The effect with a p-value by dealing the policy out anew among the entities.

    Each assignment gives every entity the start (or the absence) of another. The statistic is |t| with the clustered
    standard error, since the estimate itself is compared with draws of another spread where entities differ. The sample
    is counted once. Under the sharp null of no effect on anyone the p-value is exact.

    Parameters
    ----------
    data
        Panel with `policy_start`, balanced.
    model
        From `difference_model`.
    draws
        Assignments.
    rng
        Source of the assignments.
    """
    found = fit(data, model)
    design = found.design
    n, t = design.effects.n_entities, design.effects.n_times
    if not design.effects.is_balanced:
        raise StudyError("randomisation", "the panel is not balanced", "keep the entities that are seen every time")
    starts = data[START].reindex(design.index).to_numpy(dtype=float).reshape(n, t)[:, 0]
    times = np.asarray(design.index.get_level_values(1)[:t], dtype=float)
    controls = design.x_within[:, 1:]
    basis = np.linalg.qr(controls / np.linalg.norm(controls, axis=0))[0] if controls.shape[1] else np.zeros((n * t, 0))
    outcome = design.y_within - basis @ (basis.T @ design.y_within)
    observed = _t_statistics(starts[None, :], times, basis, outcome)[0]
    reached = 0
    for begin in range(0, draws, DRAWN_AT_ONCE):
        count = min(DRAWN_AT_ONCE, draws - begin)
        dealt = rng.permuted(np.tile(starts, (count, 1)), axis=1)
        reached += int(np.sum(_t_statistics(dealt, times, basis, outcome) >= observed * (1 - 1e-9)))
    effect = found[model.treatment]
    return replace(
        effect,
        std_error=None,
        df=None,
        ci_low=None,
        ci_high=None,
        p_value=(1 + reached) / (1 + draws),
        draws=draws + 1,
        convention="randomisation of the start among entities, by |t|",
    )


def _t_statistics(starts: np.ndarray, times: np.ndarray, basis: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """|t| up to the common small-sample factor for each assignment of starts, (B,)."""
    count, n = starts.shape
    t = len(times)
    under = (times[None, None, :] >= np.where(np.isnan(starts), np.inf, starts)[:, :, None]).astype(float)
    under -= (
        under.mean(axis=1, keepdims=True) + under.mean(axis=2, keepdims=True) - under.mean(axis=(1, 2), keepdims=True)
    )
    columns = under.reshape(count, n * t)
    columns -= (columns @ basis) @ basis.T
    square = (columns**2).sum(axis=1)
    estimate = columns @ outcome / square
    left = outcome[None, :] - estimate[:, None] * columns
    scores = (columns * left).reshape(count, n, t).sum(axis=2)
    return np.asarray(np.abs(estimate) * square / np.sqrt((scores**2).sum(axis=1)))
