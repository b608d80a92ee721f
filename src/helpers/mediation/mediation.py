"""Mediation in linear panel models: the channels through which a treatment reaches an outcome.

With treatment D, mediators M_j, outcome Y, controls X and effects:
    M_j = a_j D + X + effects,   Y = c' D + sum_j b_j M_j + X + effects,   Y = c D + X + effects.
path a = a_j, path b = b_j, indirect = a_j b_j, direct = c', total = c. On the same rows c = c' + sum_j a_j b_j exactly.
None of this is causal unless nothing unobserved moves both mediator and outcome; `helpers.mediation.rho` asks
how strong such a thing would have to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.multiplicity import holm, romano_wolf
from helpers.inference.resampling import BootstrapSummary, check_level, summarise_draws
from helpers.mediation.product import fit_product, read_path
from helpers.mediation.resampled import Samples, check_failed, sample_slopes
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit
from helpers.results.estimate import Estimate, drawn_error
from helpers.study.model import Model

# Largest gap between total and indirect + direct that rounding can explain, relative to the largest of the three.
IDENTITY = 1e-8
SUM = "sum"
"""Name of the sum of the indirect effects of several mediators."""
BY_PRODUCT = "SE: cluster bootstrap; p and interval: product of the paths, CR2 and Satterthwaite's df"
BY_BOOTSTRAP = "SE, p and interval: cluster bootstrap, percentile"


@dataclass(frozen=True)
class Mediation:
    """Effects through one mediator, or through several that stand in the outcome equation together.

    Attributes
    ----------
    model, mediators
        The regression without mediators, and the mediators.
    path_a, path_b
        Mediator -> path, by the cluster-robust t test.
    indirect
        Mediator -> indirect effect: standard error of the bootstrap; interval and p-value from the distribution of the
        product of its paths (`helpers.mediation.product`).
    indirect_sum
        Sum of the indirect effects; with several mediators its interval is the percentile one.
    direct, total
        Effect of the treatment beside the mediators, and without them in the equation.
    bootstrap
        Mediator, or "sum" -> what the bootstrap says of the indirect effect.
    sobel
        Mediator -> standard error by the delta method (Sobel 1982), for comparison only.
    draws, n_failed
        Bootstrap samples used, and those that could not determine the estimates.
    sampled
        Mediator, or "sum" -> indirect effects (B,) in the samples, NaN where one failed.
    """

    model: Model
    mediators: tuple[str, ...]
    path_a: dict[str, Estimate]
    path_b: dict[str, Estimate]
    indirect: dict[str, Estimate]
    indirect_sum: Estimate
    direct: Estimate
    total: Estimate
    bootstrap: dict[str, BootstrapSummary]
    sobel: dict[str, float]
    draws: int
    n_failed: int
    sampled: dict[str, Floats] = field(repr=False)

    def effects(self, mediator: str | None = None) -> dict[str, Estimate]:
        """The five effects of a mediator, its only one when left out, by the last word of their result key."""
        name = mediator or self.mediators[0]
        return {
            "path_a": self.path_a[name],
            "path_b": self.path_b[name],
            "indirect_effect": self.indirect[name],
            "direct_effect": self.direct,
            "total_effect": self.total,
        }

    @property
    def gap(self) -> float:
        """Distance between the total effect and the sum of indirect and direct effects."""
        return abs(self.total.estimate - self.direct.estimate - self.indirect_sum.estimate)


def fit_mediation(
    data: pd.DataFrame,
    model: Model,
    mediators: Sequence[str],
    samples: Samples,
    *,
    indices: Mapping[str, Any] | None = None,
    level: float = 0.95,
) -> Mediation:
    """Estimate path a, path b, indirect, direct and total effect through one or several mediators.

    Parameters
    ----------
    data
        Panel; all rows are used in all equations.
    model
        The regression of the total effect; its cluster must be an entity or a group of entities. None: independent
        errors, and entities are drawn.
    mediators
        Names of columns.
    samples
        From `helpers.mediation.resampled.draw_samples`, over these entities or more.
    indices
        Mediator -> spec of those that are indices: derived anew in every sample, scales and weights.
    level
        Coverage of the intervals.

    Raises
    ------
    StudyError
        Columns that are missing, gappy, collinear or without variation beside the effects; one column in two roles; too
        many samples without an estimate; total unlike indirect + direct.
    """
    check_roles(model, mediators)
    check_level(level)
    first = [fit(data, model.with_(outcome=name)) for name in mediators]
    second = fit(data, model.with_(controls=(*mediators, *model.controls)))
    third = fit(data, model)
    sampled, left_out, n_failed = _resample(data, model, tuple(mediators), samples, indices or {})
    path_a = {name: found[model.treatment] for name, found in zip(mediators, first, strict=True)}
    path_b = {name: second[name] for name in mediators}
    estimates = {name: path_a[name].estimate * path_b[name].estimate for name in mediators}
    estimates[SUM] = float(sum(estimates.values()))
    kept = np.isfinite(sampled[SUM])
    bootstrap = {
        name: summarise_draws(estimate, sampled[name][kept], left_out[name], level, share=samples.share)
        for name, estimate in estimates.items()
    }
    indirect = {
        name: _indirect(found, second, model.treatment, name, bootstrap[name], level)
        for name, found in zip(mediators, first, strict=True)
    }
    found = Mediation(
        model=model,
        mediators=tuple(mediators),
        path_a=path_a,
        path_b=path_b,
        indirect=indirect,
        indirect_sum=_sum(list(indirect.values()), estimates[SUM], bootstrap[SUM], int(kept.sum())),
        direct=second[model.treatment],
        total=third[model.treatment],
        bootstrap=bootstrap,
        sobel={name: _sobel(path_a[name], path_b[name]) for name in mediators},
        draws=int(kept.sum()),
        n_failed=n_failed,
        sampled=sampled,
    )
    _check_identity(found)
    return found


def adjust_indirect(fits: Mapping[str, Mediation]) -> pd.DataFrame:
    """p-values of each mediator's indirect effect, adjusted for looking at all of them.

    Holm over the p-values of the products; Romano-Wolf over the bootstrap samples, which are the same for all: the
    effects in the samples, less the estimate, over their standard deviation.

    Parameters
    ----------
    fits
        Mediator -> its fit alone, made with the same samples.

    Returns
    -------
    DataFrame
        Indexed by mediator: p_value, p_bootstrap, p_holm, p_romano_wolf.
    """
    effects = {name: found.indirect[name] for name, found in fits.items()}
    draws = np.column_stack([fits[name].sampled[name] for name in effects])
    draws = draws[np.isfinite(draws).all(axis=1)]
    centre = np.array([effect.estimate for effect in effects.values()])
    spread = draws.std(axis=0, ddof=1)
    return pd.DataFrame(
        {
            "p_value": [effect.p_value for effect in effects.values()],
            "p_bootstrap": [fits[name].bootstrap[name].p_value for name in effects],
            "p_holm": holm(np.array([effect.p_value for effect in effects.values()], dtype=float)),
            "p_romano_wolf": romano_wolf(centre / spread, (draws - centre) / spread),
        },
        index=pd.Index(list(effects), name="mediator"),
    )


def check_roles(model: Model, mediators: Sequence[str]) -> None:
    """Refuse a column that stands in two roles, and a model without mediators."""
    names = [*model.columns, *mediators]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError("mediation", f"{', '.join(twice)} stands in two roles", "give each column one role")
    if not mediators:
        raise StudyError("mediation", "there is no mediator", "name at least one")


def _resample(
    data: pd.DataFrame, model: Model, mediators: tuple[str, ...], samples: Samples, indices: Mapping[str, Any]
) -> tuple[dict[str, Floats], dict[str, Floats], int]:
    """Indirect effects by mediator, and their sum, in the samples and without each cluster; failed samples."""
    equations = [model.with_(outcome=name) for name in mediators]
    equations.append(model.with_(controls=(*mediators, *model.controls)))
    anew = {name: indices[name] for name in mediators if name in indices}
    *first, second = sample_slopes(data, equations, samples.of(data), anew)
    products = np.column_stack([slopes[:, 0] for slopes in first]) * second[:, 1 : 1 + len(mediators)]
    draws = len(samples.weights)
    failed = check_failed(products, draws)
    products[~np.isfinite(products).all(axis=1)] = np.nan
    columns = {**dict(zip(mediators, products.T, strict=True)), SUM: products.sum(axis=1)}
    return (
        {name: values[:draws] for name, values in columns.items()},
        {name: values[draws:] for name, values in columns.items()},
        failed,
    )


def _indirect(
    first: PanelFit, second: PanelFit, treatment: str, mediator: str, drawn: BootstrapSummary, level: float
) -> Estimate:
    """An indirect effect with the bootstrap's standard error, and the product's p-value and interval."""
    if first.cluster is None or isinstance(first.cluster, tuple):
        a, b = first[treatment], second[mediator]
        assert a.std_error is not None
        assert b.std_error is not None
        estimate = a.estimate * b.estimate
        ends, p_value, how = (drawn.percentile_low, drawn.percentile_high), drawn.p_value, BY_BOOTSTRAP
    else:
        test = fit_product([read_path(first, treatment), read_path(second, mediator)], level)
        estimate, ends, p_value, how = test.estimate, (test.ci_low, test.ci_high), test.p_value, BY_PRODUCT
    return Estimate(
        estimate=estimate,
        std_error=drawn.std_error,
        statistic=estimate / drawn.std_error,
        p_value=p_value,
        ci_low=ends[0],
        ci_high=ends[1],
        n_obs=first.n_obs,
        n_entities=first.n_entities,
        n_clusters=first.n_clusters,
        convention=how,
    )


def _sum(indirect: Sequence[Estimate], estimate: float, drawn: BootstrapSummary, draws: int) -> Estimate:
    if len(indirect) == 1:
        return indirect[0]
    return replace(
        indirect[0],
        estimate=estimate,
        std_error=drawn.std_error,
        statistic=estimate / drawn.std_error,
        p_value=drawn.p_value,
        ci_low=drawn.percentile_low,
        ci_high=drawn.percentile_high,
        draws=draws,
        p_error=drawn_error(drawn.p_value, draws, twice=True),
        convention=BY_BOOTSTRAP,
    )


def _sobel(a: Estimate, b: Estimate) -> float:
    assert a.std_error is not None
    assert b.std_error is not None
    return float(np.hypot(a.estimate * b.std_error, b.estimate * a.std_error))


def _check_identity(found: Mediation) -> None:
    size = max(abs(effect.estimate) for effect in (found.total, found.direct, *found.indirect.values()))
    if found.gap > IDENTITY * size:
        raise StudyError(
            "mediation",
            f"total and indirect + direct differ by {found.gap:.3g}",
            "leave out the regressor that hardly varies beside its mean, or the effects",
        )
