"""The detectable effect beside statsmodels' power of the one-sample t test.

Tolerance 1e-6: statsmodels stops its search there.
"""

import pytest
from statsmodels.stats.power import TTestPower

from helpers.errors import StudyError
from helpers.inference.detectable import detectable_effect
from helpers.results.estimate import Estimate
from outside import outside


@pytest.mark.parametrize("df, level, power", [(30, 0.05, 0.8), (7, 0.05, 0.8), (30, 0.1, 0.9), (200, 0.01, 0.5)])
def test_the_detectable_effect_has_the_power_of_statsmodels(df: int, level: float, power: float) -> None:
    # With n = df + 1 and an effect size e, the noncentrality is e sqrt(n): that many standard errors.
    size = TTestPower().solve_power(nobs=df + 1, alpha=level, power=power, alternative="two-sided")
    found = detectable_effect(Estimate(estimate=1.0, std_error=0.5, df=df), level=level, power=power)
    outside(detectable_effect, "statsmodels: TTestPower", found, 0.5 * size * (df + 1) ** 0.5, rtol=1e-6)


def test_without_degrees_of_freedom_it_is_normal() -> None:
    assert detectable_effect(Estimate(estimate=0.0, std_error=1.0)) == pytest.approx(1.959964 + 0.841621, abs=1e-6)


def test_an_estimate_without_a_standard_error_is_refused() -> None:
    with pytest.raises(StudyError, match="std_error None"):
        detectable_effect(Estimate(estimate=1.0))
