"""Whether an effect is clear: by the t test and by the wild bootstrap, with time effects and without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.inference.contrast import Parameter
from helpers.inference.detectable import detectable_effect, is_bounded
from helpers.inference.wild.bootstrap import WildBootstrap, wild_cluster_bootstrap
from helpers.regression.leverage import Leverage, find_leverage
from helpers.regression.panel import PanelFit, fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model

WITHOUT_TIMES = "without_years"
"""Last word of the key of an effect without time effects; the same in every study, since claims read it."""

LEVEL = 0.05
"""The level at which verdicts are given: near it a bootstrap makes `MORE` times as many draws."""
MORE = 10
MOST_DRAWS = 1_000_000


@dataclass(frozen=True)
class ClearTest:
    """One effect under the two tests that a verdict reads, with the model's effects and without time effects.

    Attributes
    ----------
    fit
        The regression.
    effect, wild
        The term by the cluster-robust t test, and by the restricted wild cluster bootstrap with its interval.
    without_times, without_times_wild
        The same without time effects; None where the model has none, so that there is nothing to leave out.
    held
        What the heaviest entities hold of the effect, and the effect without the heaviest.
    """

    fit: PanelFit
    effect: Estimate
    wild: Estimate
    without_times: Estimate | None = None
    without_times_wild: Estimate | None = None
    held: Leverage | None = None

    def is_clear(self, level: float) -> bool:
        """Whether both tests reject at a level."""
        return _both_below(self.effect, self.wild, level)

    @property
    def larger_p_value(self) -> float:
        """The larger of its two p-values: below a level where both are."""
        return max(float(found.p_value) for found in (self.effect, self.wild) if found.p_value is not None)

    def detectable(self, level: float) -> float:
        """The smallest effect that both tests would see in four of five samples (see `detectable_by_both`)."""
        return detectable_by_both(self.effect, self.wild, level)

    @property
    def is_bounded(self) -> bool:
        """Whether the bootstrap's interval has two ends, so that both tests see some effect."""
        return is_bounded(self.wild)

    def is_clear_without_times(self, level: float) -> bool:
        """Whether both tests reject once the time effects are left out."""
        if self.without_times is None or self.without_times_wild is None:
            return False
        return _both_below(self.without_times, self.without_times_wild, level)


def fit_clear(
    data: pd.DataFrame, model: Model, term: str | None = None, *, draws: int, rng: np.random.Generator
) -> ClearTest:
    """Test one regressor of a model in every way that a verdict needs.

    Parameters
    ----------
    data
        Panel with the model's columns.
    model
        The model.
    term
        One of its regressors; its treatment when left out.
    draws
        Draws of the wild bootstrap (all sign vectors where the clusters are few).
    rng
        Source of the draws.

    Raises
    ------
    StudyError
        As `helpers.regression.panel.fit_panel`.
    """
    name = term or model.treatment
    found = fit(data, model)
    effect, wild = _test(found, name, draws, rng)
    held = find_leverage(found, name)
    if not (model.time_effects and model.entity_effects):
        return ClearTest(found, effect, wild, held=held)
    without, without_wild = _test(fit(data, model.with_(effects=("entity",))), name, draws, rng)
    return ClearTest(found, effect, wild, without, without_wild, held)


def record_clear(record: Callable[..., Any], key: str, found: ClearTest, **options: Any) -> Any:
    """Record an effect under ``key``, ``key.wild``, ``key.without_years`` and ``key.without_years.wild``.

    What its three heaviest entities hold stands under ``key.held.three``, the effect without the heaviest under
    ``key.held.without``. Gives the first.
    """
    first = record(key, found.effect, **options)
    record(f"{key}.wild", found.wild, **options)
    if found.without_times is not None and found.without_times_wild is not None:
        record(f"{key}.{WITHOUT_TIMES}", found.without_times, **options)
        record(f"{key}.{WITHOUT_TIMES}.wild", found.without_times_wild, **options)
    record_held(record, key, found.held)
    return first


def record_held(record: Callable[..., Any], key: str, held: Leverage | None) -> None:
    """Record ``key.held.three`` and, where it can be fitted, ``key.held.without``."""
    if held is None:
        return
    record(f"{key}.held.three", value=held.top(3), digits=3)
    if held.without_heaviest is not None:
        record(f"{key}.held.without", held.without_heaviest)


def detectable_by_both(effect: Estimate, wild: Estimate, level: float) -> float:
    """The smallest effect that t test and wild bootstrap would both see in four of five samples.

    Where the bootstrap's interval has no end (`is_bounded`), that of the t test alone: a smaller one would be missed.
    """
    known = (effect, wild) if is_bounded(wild) else (effect,)
    return max(detectable_effect(found, level=level, df=effect.df) for found in known)


def find_nearest(found: Mapping[str, ClearTest]) -> str | None:
    """The one that comes nearest to being clear: the larger of its two p-values is the smallest; None of none."""
    return min(found, key=lambda name: found[name].larger_p_value, default=None)


def wild_estimate(effect: Estimate, wild: WildBootstrap) -> Estimate:
    """An estimate with the p-value and interval of its wild bootstrap in place of those of the t test."""
    how = "every sign pattern enumerated" if wild.enumerated else "drawn"
    return replace(
        effect,
        std_error=None,
        df=None,
        statistic=wild.statistic,
        p_value=wild.p_value,
        ci_low=wild.ci_low,
        ci_high=wild.ci_high,
        draws=None if wild.enumerated else wild.n_draws,
        convention=f"restricted wild cluster bootstrap, Rademacher, {how}, interval by inversion",
    )


def wild_parameter(
    found: PanelFit, parameter: Parameter, effect: Estimate, *, draws: int, rng: np.random.Generator
) -> Estimate:
    """A coefficient, or a combination of some, with p-value and interval of its wild bootstrap; `effect` as by t.

    Where the p-value lies within three Monte-Carlo errors of the level at which verdicts are given, ten times as many
    draws are made anew for it, so that no verdict hangs on which numbers were drawn; up to `MOST_DRAWS`.
    """
    wild = wild_cluster_bootstrap(found, parameter, draws=draws, rng=rng, interval=True)
    while not wild.enumerated and is_near(wild.p_value, wild.n_draws) and wild.n_draws * MORE <= MOST_DRAWS:
        more = wild_cluster_bootstrap(found, parameter, draws=MORE * wild.n_draws, rng=rng)
        wild = replace(more, ci_low=wild.ci_low, ci_high=wild.ci_high)
    return wild_estimate(effect, wild)


def is_near(p_value: float, draws: int) -> bool:
    """Whether a drawn p-value is within three Monte-Carlo errors of the level of verdicts."""
    return bool(abs(p_value - LEVEL) < 3 * np.sqrt(LEVEL * (1 - LEVEL) / draws))


def _test(found: PanelFit, name: str, draws: int, rng: np.random.Generator) -> tuple[Estimate, Estimate]:
    return found[name], wild_parameter(found, name, found[name], draws=draws, rng=rng)


def _both_below(effect: Estimate, wild: Estimate, level: float) -> bool:
    assert effect.p_value is not None
    assert wild.p_value is not None
    return effect.p_value < level and wild.p_value < level
