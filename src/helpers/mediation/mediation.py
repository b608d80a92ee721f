"""Mediation in linear panel models: the channels through which a treatment reaches an outcome.

With treatment D, mediators M_j, outcome Y, controls X and effects:
    M_j = a_j D + X + effects,   Y = c' D + sum_j b_j M_j + X + effects,   Y = c D + X + effects.
path a = a_j, path b = b_j, indirect = a_j b_j, direct = c', total = c. On the same rows c = c' + sum_j a_j b_j exactly.
None of this is causal unless nothing unobserved moves both mediator and outcome; `helpers.mediation.rho` asks
how strong such a thing would have to be.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.inference.resampling import check_level, draw_entity_weights, summarise_draws
from helpers.mediation.mediation_effects import Effect, JointMediation, MediationEffects
from helpers.regression.effects import Floats
from helpers.regression.many import WeightedFits, fit_weighted_entities
from helpers.regression.panel import PanelFit, fit_panel
from helpers.study.model import Cluster

# Largest gap between total and indirect + direct that rounding can explain, relative to the largest of the three.
IDENTITY = 1e-10
# Share of bootstrap samples that may fail to determine the estimates.
FAILING = 0.1


def mediation_effects(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediator: str,
    controls: Sequence[str] = (),
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    cluster: Cluster = "entity",
    draws: int = 1999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> MediationEffects:
    """Estimate path a, path b, indirect, direct and total effect through one mediator.

    Parameters
    ----------
    data
        Panel: rows indexed by (entity, time); all rows are used in all three equations.
    outcome, treatment, mediator, controls
        Names of numeric columns.
    entity_effects, time_effects
        Effects in all three equations; with neither, an intercept.
    cluster
        For standard errors as in `helpers.regression.panel.fit_panel`; the bootstrap draws the same clusters, which
        must be entities or groups of entities. None: independent errors, and entities are drawn.
    draws
        Bootstrap samples; drawn with replacement, all at once as weights.
    rng
        Source of randomness.
    level
        Coverage of the intervals.

    Returns
    -------
    MediationEffects
        Standard errors of the paths by the "stata" convention; that of the indirect effect by the delta method,
        sqrt(a^2 se_b^2 + b^2 se_a^2) (Sobel 1982), its interval and p-value from the bootstrap.

    Raises
    ------
    StudyError
        Columns that are missing, gappy or collinear; one column in two roles; a cluster that the bootstrap cannot draw;
        too many bootstrap samples without an estimate; total unlike indirect + direct.
    """
    joint = joint_mediation_effects(
        data, outcome, treatment, [mediator], controls,
        entity_effects=entity_effects, time_effects=time_effects, cluster=cluster, draws=draws, rng=rng, level=level,
    )  # fmt: skip
    return MediationEffects(
        path_a=joint.path_a[mediator],
        path_b=joint.path_b[mediator],
        indirect_effect=joint.indirect_effect[mediator],
        direct_effect=joint.direct_effect,
        total_effect=joint.total_effect,
        outcome=outcome,
        treatment=treatment,
        mediator=mediator,
        controls=joint.controls,
        level=level,
        draws=joint.draws,
        n_failed=joint.n_failed,
    )


def joint_mediation_effects(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediators: Sequence[str],
    controls: Sequence[str] = (),
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    cluster: Cluster = "entity",
    draws: int = 1999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> JointMediation:
    """Estimate the effects through several mediators that stand in one outcome equation.

    The standard error of the sum of indirect effects is that of the bootstrap. Parameters, conventions and errors as in
    `mediation_effects`.
    """
    _check_roles(outcome, treatment, mediators, controls)
    check_level(level)
    equations = [(mediator, [treatment, *controls]) for mediator in mediators]
    equations += [(outcome, [treatment, *mediators, *controls]), (outcome, [treatment, *controls])]
    fits = [
        fit_panel(data, left, right, entity_effects=entity_effects, time_effects=time_effects, cluster=cluster)
        for left, right in equations
    ]
    drawn, alone = draw_entity_weights(data, cluster, draws, rng)
    weights = np.vstack([drawn, alone])
    weighted = [
        fit_weighted_entities(data, left, right, weights, entity_effects=entity_effects, time_effects=time_effects)
        for left, right in equations
    ]
    paths, n_failed = _resampled_paths(weighted, treatment, mediators, draws)
    return _collect(fits, paths, n_failed, outcome, treatment, tuple(mediators), tuple(controls), level)


def _check_roles(outcome: str, treatment: str, mediators: Sequence[str], controls: Sequence[str]) -> None:
    names = [outcome, treatment, *mediators, *controls]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError("mediation", f"{', '.join(twice)} stands in two roles", "give each column one role")
    if not mediators:
        raise StudyError("mediation", "there is no mediator", "name at least one")


def _resampled_paths(
    weighted: Sequence[WeightedFits], treatment: str, mediators: Sequence[str], draws: int
) -> tuple[dict[str, tuple[Floats, Floats]], int]:
    """Path -> (its bootstrap draws, its values with one cluster left out), and the number of failed draws."""
    kept = np.logical_and.reduce([fits.estimable for fits in weighted])
    n_failed = int(draws - kept[:draws].sum())
    if n_failed > FAILING * draws or not kept[draws:].all():
        raise StudyError(
            "mediation bootstrap",
            f"{n_failed} of {draws} samples cannot determine the estimates",
            "use fewer controls or effects, or more entities",
        )
    *first, second, third = weighted

    def path(fits: WeightedFits, name: str) -> Floats:
        return fits.estimates[:, fits.regressors.index(name)]

    paths = {f"a {name}": path(fits, treatment) for name, fits in zip(mediators, first, strict=True)}
    paths |= {f"b {name}": path(second, name) for name in mediators}
    paths |= {f"ab {name}": paths[f"a {name}"] * paths[f"b {name}"] for name in mediators}
    paths |= {"ab": np.sum([paths[f"ab {name}"] for name in mediators], axis=0)}
    paths |= {"direct": path(second, treatment), "total": path(third, treatment)}
    return {name: (values[:draws][kept[:draws]], values[draws:]) for name, values in paths.items()}, n_failed


def _collect(
    fits: Sequence[PanelFit],
    paths: dict[str, tuple[Floats, Floats]],
    n_failed: int,
    outcome: str,
    treatment: str,
    mediators: tuple[str, ...],
    controls: tuple[str, ...],
    level: float,
) -> JointMediation:
    """Name the effects of the fitted equations."""
    *first, second, third = fits
    path_a = {
        name: _path(fit, treatment, paths[f"a {name}"], level) for name, fit in zip(mediators, first, strict=True)
    }
    path_b = {name: _path(second, name, paths[f"b {name}"], level) for name in mediators}
    indirect = {name: _indirect(path_a[name], path_b[name], paths[f"ab {name}"], level) for name in mediators}
    direct = _path(second, treatment, paths["direct"], level)
    total = _path(third, treatment, paths["total"], level)
    indirect_sum = _indirect_sum(list(indirect.values()), paths["ab"], level)
    _check_identity(total.estimate, direct.estimate, indirect_sum.estimate)
    return JointMediation(
        path_a=path_a,
        path_b=path_b,
        indirect_effect=indirect,
        indirect_effect_sum=indirect_sum,
        direct_effect=direct,
        total_effect=total,
        outcome=outcome,
        treatment=treatment,
        mediators=mediators,
        controls=controls,
        level=level,
        draws=len(paths["total"][0]),
        n_failed=n_failed,
    )


def _path(fit: PanelFit, name: str, resampled: tuple[Floats, Floats], level: float) -> Effect:
    estimate, std_error = float(fit.estimates[name]), float(fit.std_errors[name])
    half = float(stats.t.ppf((1 + level) / 2, fit.df)) * std_error
    clustering = "iid" if fit.cluster is None else f"{fit.convention}, clustered by {_words(fit.cluster)}"
    return Effect(
        estimate=estimate,
        std_error=std_error,
        statistic=estimate / std_error,
        p_value=float(fit.p_values[name]),
        ci_low=estimate - half,
        ci_high=estimate + half,
        bootstrap=summarise_draws(estimate, *resampled, level),
        n_obs=fit.n_obs,
        n_entities=fit.n_entities,
        convention=f"{clustering}, t({fit.df})",
    )


def _words(cluster: Cluster) -> str:
    return cluster if isinstance(cluster, str) else " and ".join(cluster or ())


def _indirect(a: Effect, b: Effect, resampled: tuple[Floats, Floats], level: float) -> Effect:
    estimate = a.estimate * b.estimate
    std_error = float(np.hypot(a.estimate * b.std_error, b.estimate * a.std_error))
    return _from_bootstrap(estimate, std_error, resampled, level, a, "delta method (Sobel 1982)")


def _indirect_sum(indirect: Sequence[Effect], resampled: tuple[Floats, Floats], level: float) -> Effect:
    if len(indirect) == 1:
        return indirect[0]
    estimate = sum(effect.estimate for effect in indirect)
    return _from_bootstrap(estimate, float(resampled[0].std(ddof=1)), resampled, level, indirect[0], "bootstrap")


def _from_bootstrap(
    estimate: float, std_error: float, resampled: tuple[Floats, Floats], level: float, like: Effect, source: str
) -> Effect:
    summary = summarise_draws(estimate, *resampled, level)
    return Effect(
        estimate=estimate,
        std_error=std_error,
        statistic=estimate / std_error,
        p_value=summary.p_value,
        ci_low=summary.percentile_low,
        ci_high=summary.percentile_high,
        bootstrap=summary,
        n_obs=like.n_obs,
        n_entities=like.n_entities,
        convention=f"SE: {source}; p and interval: cluster bootstrap, percentile, {len(resampled[0])} draws",
    )


def _check_identity(total: float, direct: float, indirect: float) -> None:
    gap = abs(total - direct - indirect)
    if gap > IDENTITY * max(1.0, abs(total), abs(direct), abs(indirect)):
        raise StudyError(
            "mediation",
            f"total and indirect + direct differ by {gap:.3g}",
            "rescale the columns: their sizes are too far apart for the arithmetic",
        )
