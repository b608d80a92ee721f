"""Mediation with a probit outcome agrees with the framing example of the R package mediation.

Data: framing.csv as statsmodels ships it (Brader, Valentino and Suhay 2008). Published: average indirect effect 0.086646
[0.036342, 0.141539], average direct effect 0.012362 [-0.105305, 0.136981], 2,000 draws. Tolerance 0.0075: R's 2,000
draws leave a standard error of 0.0037 in an end of the direct effect's interval, our 20,000 one of 0.0012; statsmodels'
Mediation gives 0.0833 for the indirect effect by its parametric and 0.0851 by its bootstrap method, 2,000 draws each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels

from helpers.errors import StudyError
from helpers.mediation.probit import ProbitMediation, mediation_effects_probit
from helpers.study.model import Model
from outside import outside


@pytest.fixture(scope="module")
def framing() -> pd.DataFrame:
    path = Path(statsmodels.__file__).parent / "stats" / "tests" / "results" / "framing.csv"
    data = pd.read_csv(path)
    groups = pd.get_dummies(data[["educ", "gender"]], drop_first=True, dtype=float)
    return pd.concat([data[["cong_mesg", "treat", "emo", "age", "income"]], groups], axis=1)


def fit(framing: pd.DataFrame, draws: int = 2000) -> ProbitMediation:
    controls = [name for name in framing.columns if name not in ("cong_mesg", "treat", "emo")]
    return mediation_effects_probit(
        framing, Model("cong_mesg", "treat", tuple(controls)), "emo", draws=draws, rng=np.random.default_rng(1)
    )


@pytest.fixture(scope="module")
def found(framing: pd.DataFrame) -> ProbitMediation:
    return fit(framing, draws=20_000)


def test_the_indirect_effect_is_that_of_the_r_package(found: ProbitMediation) -> None:
    effect = found.indirect_effect
    ours = [effect.estimate, effect.ci_low, effect.ci_high]
    source = "R mediation: framing, probit"
    outside(mediation_effects_probit, source, ours, [0.086646, 0.036342, 0.141539], atol=0.0075)


def test_the_direct_effect_is_that_of_the_r_package(found: ProbitMediation) -> None:
    effect = found.direct_effect
    ours = [effect.estimate, effect.ci_low, effect.ci_high]
    source = "R mediation: framing, probit"
    outside(mediation_effects_probit, source, ours, [0.012362, -0.105305, 0.136981], atol=0.0075)


def test_effects_with_an_interaction_are_those_of_quadrature(framing: pd.DataFrame) -> None:
    """At the estimates of both models, averaged over the mediator's error by Gauss-Hermite quadrature."""
    import statsmodels.api as sm
    from scipy import stats

    controls = [name for name in framing.columns if name not in ("cong_mesg", "treat", "emo")]
    ours = mediation_effects_probit(
        framing, Model("cong_mesg", "treat", tuple(controls)), "emo", interaction=True, rng=np.random.default_rng(1)
    )
    ones, dose, emo = np.ones(len(framing)), framing["treat"].to_numpy(float), framing["emo"].to_numpy(float)
    rest = framing[controls].to_numpy(float)
    first = sm.OLS(emo, np.column_stack([ones, dose, rest])).fit()
    second = sm.Probit(framing["cong_mesg"], np.column_stack([ones, dose, rest, emo, dose * emo])).fit(disp=0)
    points, weights = np.polynomial.hermite_e.hermegauss(40)

    def mean(t: int, m: int) -> float:
        middle = np.column_stack([ones, m * ones, rest]) @ first.params
        total = 0.0
        for point, weight in zip(points, weights / weights.sum(), strict=True):
            value = middle + point * np.sqrt(first.scale)
            x = np.column_stack([ones, t * ones, rest, value, t * value])
            total += weight * stats.norm.cdf(x @ np.asarray(second.params)).mean()
        return total

    theirs = [mean(0, 1) - mean(0, 0), mean(1, 1) - mean(1, 0), mean(1, 0) - mean(0, 0), mean(1, 1) - mean(0, 1)]
    found = [effect.estimate for effect in (*ours.indirect_effects, *ours.direct_effects)]
    outside(mediation_effects_probit, "written out: quadrature at the estimates, framing", found, theirs, atol=0.006)
    assert found[0] != pytest.approx(found[1], abs=0.001)


def test_total_is_indirect_at_one_treatment_plus_direct_at_the_other(found: ProbitMediation) -> None:
    total = found.total_effect.estimate
    assert total == pytest.approx(found.indirect_effects[1].estimate + found.direct_effects[0].estimate, abs=1e-12)
    assert total == pytest.approx(found.indirect_effects[0].estimate + found.direct_effects[1].estimate, abs=1e-12)


def test_averaging_over_the_error_is_exact() -> None:
    """E Phi(u + k e) = Phi(u / sqrt(1 + k^2)) by quadrature: the identity behind the closed form."""
    from scipy import integrate, stats

    value, _ = integrate.quad(lambda e: stats.norm.cdf(0.3 + 1.7 * e) * stats.norm.pdf(e), -10, 10)
    assert value == pytest.approx(stats.norm.cdf(0.3 / np.sqrt(1 + 1.7**2)), abs=1e-10)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.assign(treat=data["treat"] * 2), "column treat"),
        (lambda data: data.drop(columns="emo"), "emo"),
        (lambda data: data.assign(emo=np.nan), "missing or infinite"),
    ],
)
def test_bad_input_is_told(framing: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        fit(change(framing), draws=9)
