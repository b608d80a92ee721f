"""How strong an unobserved common cause of mediator and outcome must be to explain an indirect effect away.

Imai, Keele and Yamamoto (2010, Statistical Science 25, theorem 4): with e1 the error of the outcome given the
treatment, e2 that of the mediator given the treatment, rho the correlation of e2 with the error of the outcome given
treatment and mediator, and rho~ = corr(e1, e2), the indirect effect is
    a (s1 / s2) [rho~ - rho sqrt((1 - rho~^2) / (1 - rho^2))],
which is a b at rho = 0 and 0 at rho = rho~.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.errors import StudyError
from helpers.inference.resampling import check_level, draw_entity_weights
from helpers.regression.effects import Floats
from helpers.regression.many import fit_weighted_entities
from helpers.study.model import Cluster


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
    outcome, treatment, mediator
        Names of columns.
    """

    curve: pd.DataFrame
    rho_at_zero: float
    rho_ci_low: float
    rho_ci_high: float
    r_squared_product: float
    outcome: str
    treatment: str
    mediator: str


def rho_sensitivity(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediator: str,
    controls: Sequence[str] = (),
    *,
    rho: ArrayLike | None = None,
    entity_effects: bool = True,
    time_effects: bool = True,
    cluster: Cluster = "entity",
    draws: int = 1999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> RhoSensitivity:
    """Trace the indirect effect over rho.

    Parameters
    ----------
    rho
        Values strictly between -1 and 1; -0.9 to 0.9 in steps of 0.05 when left out. The others as in
        `helpers.mediation.mediation.mediation_effects`.

    Raises
    ------
    StudyError
        A rho outside (-1, 1), or what `mediation_effects` raises.
    """
    grid = np.linspace(-0.9, 0.9, 37).round(10) if rho is None else np.atleast_1d(np.asarray(rho, dtype=float))
    if not (np.abs(grid) < 1).all():
        raise StudyError("sensitivity", "a rho is outside -1 to 1", "give correlations strictly between -1 and 1")
    check_level(level)
    drawn, _ = draw_entity_weights(data, cluster, draws, rng)
    weights = np.vstack([np.ones(drawn.shape[1]), drawn])
    controls = list(controls)

    def slope(left: str, right: list[str]) -> Floats:
        fits = fit_weighted_entities(
            data, left, right, weights, entity_effects=entity_effects, time_effects=time_effects
        )
        return fits.estimates[:, 0]

    path_a = slope(mediator, [treatment, *controls])
    forward = slope(outcome, [mediator, treatment, *controls])
    backward = slope(mediator, [outcome, treatment, *controls])
    # The two partial slopes are rho~ s1/s2 and rho~ s2/s1.
    common = np.sign(forward) * np.sqrt(np.clip(forward * backward, 0, 1))
    ratio = np.sqrt(forward / backward)
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
    return RhoSensitivity(curve, zero, float(rho_low), float(rho_high), zero**2, outcome, treatment, mediator)
