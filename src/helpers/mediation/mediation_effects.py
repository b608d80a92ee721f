"""What a mediation analysis returns: paths and effects, each with its standard error, p-value and intervals."""

from dataclasses import dataclass

import pandas as pd

from helpers.inference.resampling import BootstrapSummary


@dataclass(frozen=True)
class Effect:
    """One path or effect.

    Attributes
    ----------
    estimate
        In units of the outcome (path a: of the mediator) per unit of the treatment (path b: of the mediator).
    std_error, statistic
        By the named convention; statistic = estimate / std_error.
    p_value, ci_low, ci_high
        Two-sided. Paths, direct and total: from t. Indirect: from the bootstrap, the percentile interval.
    bootstrap
        Percentile and BCa intervals, standard error and p-value from the bootstrap over clusters.
    n_obs, n_entities
        Rows and entities.
    convention
        Where standard error, p-value and interval come from.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    ci_low: float
    ci_high: float
    bootstrap: BootstrapSummary
    n_obs: int
    n_entities: int
    convention: str

    @property
    def recorded(self) -> dict[str, float | int | str]:
        """The fields that ``results.record(key, **effect.recorded)`` takes."""
        fields = dict(vars(self))
        del fields["bootstrap"]
        return fields


@dataclass(frozen=True)
class JointMediation:
    """Effects through one or several mediators that stand in the outcome equation together.

    Attributes
    ----------
    path_a, path_b, indirect_effect
        Mediator -> effect.
    indirect_effect_sum
        Sum of the indirect effects.
    direct_effect, total_effect
        Effect of the treatment beside the mediators, and without them in the equation.
    outcome, treatment, mediators, controls
        Names of columns.
    level
        Coverage of all intervals.
    draws, n_failed
        Bootstrap samples used, and those left out because they could not determine the estimates.
    """

    path_a: dict[str, Effect]
    path_b: dict[str, Effect]
    indirect_effect: dict[str, Effect]
    indirect_effect_sum: Effect
    direct_effect: Effect
    total_effect: Effect
    outcome: str
    treatment: str
    mediators: tuple[str, ...]
    controls: tuple[str, ...]
    level: float
    draws: int
    n_failed: int


@dataclass(frozen=True)
class MediationEffects:
    """Effects through one mediator.

    Attributes
    ----------
    path_a, path_b, indirect_effect, direct_effect, total_effect
        The five effects.
    outcome, treatment, mediator, controls
        Names of columns.
    level, draws, n_failed
        As in `JointMediation`.
    """

    path_a: Effect
    path_b: Effect
    indirect_effect: Effect
    direct_effect: Effect
    total_effect: Effect
    outcome: str
    treatment: str
    mediator: str
    controls: tuple[str, ...]
    level: float
    draws: int
    n_failed: int

    @property
    def effects(self) -> dict[str, Effect]:
        """The five effects by the last word of their result key."""
        names = ("path_a", "path_b", "indirect_effect", "direct_effect", "total_effect")
        return {name: getattr(self, name) for name in names}

    def table(self) -> pd.DataFrame:
        """One row per effect: estimate, standard error, p-value, interval, both bootstrap intervals."""
        return effects_table(self.effects)


def effects_table(effects: dict[str, Effect]) -> pd.DataFrame:
    """Effects as rows: estimate, std_error, p_value, ci_low, ci_high and the bootstrap's intervals."""
    names = ("estimate", "std_error", "p_value", "ci_low", "ci_high")
    drawn = ("percentile_low", "percentile_high", "bca_low", "bca_high")
    rows = {
        key: {name: getattr(effect, name) for name in names} | {name: getattr(effect.bootstrap, name) for name in drawn}
        for key, effect in effects.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("effect")
