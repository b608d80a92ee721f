"""How strong an unobserved common cause of mediator and outcome must be to explain an indirect effect away.

Imai, Keele and Yamamoto (2010, Statistical Science 25, theorem 4): with e1 the error of the outcome given the
treatment, e2 that of the mediator given the treatment, rho the correlation of e2 with the error of the outcome given
treatment and mediator, and rho~ = corr(e1, e2), the indirect effect is
    a (s1 / s2) [rho~ - rho sqrt((1 - rho~^2) / (1 - rho^2))],
which is a b at rho = 0 and 0 at rho = rho~.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.errors import StudyError
from helpers.inference.resampling import check_level
from helpers.mediation.mediation import check_roles
from helpers.mediation.resampled import Samples, check_failed, sample_slopes
from helpers.regression.effects import Floats
from helpers.regression.panel import fit
from helpers.study.model import Model


@dataclass(frozen=True)
class RhoSensitivity:
    """An indirect effect as a function of the correlation rho that an unobserved common cause would bring.

    Attributes
    ----------
    curve
        Indexed by rho: indirect_effect, ci_low, ci_high (percentile, cluster bootstrap).
    rho_at_zero
        The rho at which the indirect effect is zero.
    rho_ci_low, rho_ci_high
        Percentile interval of that rho.
    r_squared_product
        rho_at_zero squared: the product of the shares of the remaining variances of mediator and outcome that the
        unobserved cause would have to explain.
    mediator
        Its name.
    scale
        path a and s1 / s2 of the sample.
    """

    curve: pd.DataFrame
    rho_at_zero: float
    rho_ci_low: float
    rho_ci_high: float
    r_squared_product: float
    mediator: str
    scale: tuple[float, float]


def rho_sensitivity(
    data: pd.DataFrame,
    model: Model,
    mediator: str,
    samples: Samples,
    *,
    rho: ArrayLike | None = None,
    level: float = 0.95,
) -> RhoSensitivity:
    """Trace the indirect effect over rho.

    Parameters
    ----------
    rho
        Values strictly between -1 and 1; -0.9 to 0.9 in steps of 0.05 when left out. The others as in
        `helpers.mediation.mediation.fit_mediation`.

    Raises
    ------
    StudyError
        A rho outside (-1, 1), or what `fit_mediation` raises.
    """
    grid = np.linspace(-0.9, 0.9, 37).round(10) if rho is None else np.atleast_1d(np.asarray(rho, dtype=float))
    if not (np.abs(grid) < 1).all():
        raise StudyError("sensitivity", "a rho is outside -1 to 1", "give correlations strictly between -1 and 1")
    check_level(level)
    check_roles(model, [mediator])
    fit(data, model.with_(controls=(mediator, *model.controls)))  # refuses what no sample could determine
    drawn = samples.of(data)[: len(samples.weights)]
    equations = [
        model.with_(outcome=mediator),
        model.with_(treatment=mediator, controls=model.regressors),
        model.with_(outcome=mediator, treatment=model.outcome, controls=model.regressors),
    ]
    slopes = sample_slopes(data, equations, np.vstack([np.ones(drawn.shape[1]), drawn]))
    path_a, forward, backward = (found[:, 0] for found in slopes)
    check_failed(path_a[1:, None], len(drawn))
    common, ratio = _error_correlation(forward, backward)
    whole = np.isfinite(path_a + common + ratio)
    path_a, common, ratio = path_a[whole, None], common[whole, None], ratio[whole, None]
    effects = path_a * ratio * (common - grid * np.sqrt((1 - common**2) / (1 - grid**2)))
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(effects[1:], tails, axis=0)
    rho_low, rho_high = np.quantile(common[1:, 0], tails)
    curve = pd.DataFrame(
        {"indirect_effect": effects[0], "ci_low": low, "ci_high": high}, index=pd.Index(grid, name="rho")
    )
    zero = float(common[0, 0])
    return RhoSensitivity(
        curve, zero, float(rho_low), float(rho_high), zero**2, mediator, (float(path_a[0, 0]), float(ratio[0, 0]))
    )


def r_squared_contour(found: RhoSensitivity, shares: ArrayLike | None = None) -> pd.DataFrame:
    """The indirect effect if an unobserved cause explained given shares of what is left of mediator and outcome.

    rho = sign x sqrt(share of the mediator x share of the outcome), with the sign that takes the effect towards zero
    (Imai, Keele and Yamamoto 2010, section 5).

    Parameters
    ----------
    shares
        Values in [0, 1); 0 to 0.9 in steps of 0.05 when left out.

    Returns
    -------
    DataFrame
        Rows: share of the mediator's remaining variance; columns: of the outcome's.
    """
    grid = np.arange(0, 0.91, 0.05).round(10) if shares is None else np.asarray(shares, dtype=float)
    if not ((grid >= 0) & (grid < 1)).all():
        raise StudyError("sensitivity", "a share is outside 0 to 1", "give shares from 0 to below 1")
    sign = 1.0 if found.rho_at_zero >= 0 else -1.0
    rho = sign * np.sqrt(np.outer(grid, grid))
    path_a, ratio = found.scale
    common = found.rho_at_zero
    effects = path_a * ratio * (common - rho * np.sqrt((1 - common**2) / (1 - rho**2)))
    return pd.DataFrame(effects, index=pd.Index(grid, name="mediator"), columns=pd.Index(grid, name="outcome"))


def _error_correlation(forward: Floats, backward: Floats) -> tuple[Floats, Floats]:
    """rho~ and s1 / s2 from the two partial slopes, which are rho~ s1/s2 and rho~ s2/s1."""
    common = np.sign(forward) * np.sqrt(np.clip(forward * backward, 0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return common, np.sqrt(forward / backward)
