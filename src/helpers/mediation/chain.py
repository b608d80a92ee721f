"""A chain of two mediators: the treatment moves the first, the first the second, the second the outcome.

    M1 = a D + X,   M2 = d M1 + a2 D + X,   Y = c' D + b1 M1 + b2 M2 + X, with effects throughout.
The effect along the chain is a d b2, its link d.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.inference.resampling import BootstrapSummary, check_level, summarise_draws
from helpers.mediation.mediation import BY_PRODUCT, check_roles
from helpers.mediation.product import fit_product, read_path
from helpers.mediation.resampled import Samples, check_failed, sample_slopes
from helpers.regression.panel import fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model


@dataclass(frozen=True)
class Chain:
    """The effect of a treatment along a chain of two mediators.

    Attributes
    ----------
    first, second
        The mediators.
    path_a, link, path_b
        Treatment to first mediator, first to second, second to outcome, by the cluster-robust t test.
    indirect_effect
        Their product; standard error of the bootstrap, interval and p-value from the distribution of the product.
    bootstrap
        What the bootstrap over clusters says of the product.
    """

    first: str
    second: str
    path_a: Estimate
    link: Estimate
    path_b: Estimate
    indirect_effect: Estimate
    bootstrap: BootstrapSummary


def fit_chain(
    data: pd.DataFrame,
    model: Model,
    mediators: tuple[str, str],
    samples: Samples,
    *,
    indices: Mapping[str, Any] | None = None,
    level: float = 0.95,
) -> Chain:
    """Estimate the effect along a chain of two mediators.

    Parameters
    ----------
    mediators
        The first and the second. The others as in `helpers.mediation.mediation.fit_mediation`.

    Raises
    ------
    StudyError
        As `fit_mediation`.
    """
    check_roles(model, mediators)
    check_level(level)
    first, second = mediators
    equations = [
        model.with_(outcome=first),
        model.with_(outcome=second, controls=(first, *model.controls)),
        model.with_(controls=(first, second, *model.controls)),
    ]
    fits = [fit(data, equation) for equation in equations]
    terms = [model.treatment, first, second]
    anew = {name: spec for name, spec in (indices or {}).items() if name in mediators}
    slopes = sample_slopes(data, equations, samples.of(data), anew)
    drawn = slopes[0][:, 0] * slopes[1][:, 1] * slopes[2][:, 2]
    draws = len(samples.weights)
    check_failed(drawn[:, None], draws)
    test = fit_product([read_path(found, term) for found, term in zip(fits, terms, strict=True)], level)
    kept = drawn[:draws][np.isfinite(drawn[:draws])]
    summary = summarise_draws(test.estimate, kept, drawn[draws:], level, share=samples.share)
    path_a, link, path_b = (found[term] for found, term in zip(fits, terms, strict=True))
    whole = Estimate(
        estimate=test.estimate,
        std_error=summary.std_error,
        statistic=test.estimate / summary.std_error,
        p_value=test.p_value,
        ci_low=test.ci_low,
        ci_high=test.ci_high,
        n_obs=path_b.n_obs,
        n_entities=path_b.n_entities,
        n_clusters=path_b.n_clusters,
        convention=BY_PRODUCT,
    )
    return Chain(first, second, path_a, link, path_b, whole, summary)
