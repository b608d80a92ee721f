"""The detectable effect beside statsmodels' power of the one-sample t test.

Tolerance 1e-6: statsmodels stops its search there.
"""

import numpy as np
import pytest
from scipy.stats import t
from statsmodels.stats.power import FTestAnovaPower, TTestPower

from helpers.errors import StudyError
from helpers.inference.detectable import detectable_effect, detectable_f, detectable_gap, is_bounded
from helpers.results.estimate import Estimate
from outside import outside


@pytest.mark.parametrize(
    "df, level, power", [(30, 0.05, 0.8), (7, 0.05, 0.8), (30, 0.1, 0.9), (200, 0.01, 0.5), (2, 0.05, 0.9)]
)
def test_the_detectable_effect_has_the_power_of_statsmodels(df: int, level: float, power: float) -> None:
    # With n = df + 1 and an effect size e, the noncentrality is e sqrt(n): that many standard errors.
    size = TTestPower().solve_power(nobs=df + 1, alpha=level, power=power, alternative="two-sided")
    found = detectable_effect(Estimate(estimate=1.0, std_error=0.5, df=df), level=level, power=power)
    outside(detectable_effect, "statsmodels: TTestPower", found, 0.5 * size * (df + 1) ** 0.5, rtol=1e-6)


@pytest.mark.parametrize("df, beyond", [(30, 2.0423), (30, 4.0), (7, 3.5)])
def test_a_test_that_asks_for_more_sees_less(df: int, beyond: float) -> None:
    """|t| beyond 4 is a test of another level, at which statsmodels has the same power."""
    alpha = 2 * float(t.sf(beyond, df))
    size = TTestPower().solve_power(nobs=df + 1, alpha=alpha, power=0.8, alternative="two-sided")
    found = detectable_effect(Estimate(estimate=1.0, std_error=0.5, df=df), beyond=beyond)
    outside(detectable_effect, "statsmodels: TTestPower", found, 0.5 * size * (df + 1) ** 0.5, rtol=1e-6)


@pytest.mark.parametrize("groups, n_obs, power", [(3, 30, 0.8), (6, 31, 0.8), (2, 50, 0.9)])
def test_the_detectable_f_has_the_power_of_statsmodels(groups: int, n_obs: int, power: float) -> None:
    # Cohen's f is the root of noncentrality / observations.
    size = FTestAnovaPower().solve_power(nobs=n_obs, alpha=0.05, power=power, k_groups=groups)
    found = detectable_f(groups - 1, n_obs - groups, power=power)
    outside(detectable_f, "statsmodels: FTestAnovaPower", found, 1 + size**2 * n_obs / (groups - 1), rtol=1e-6)


def test_the_detectable_gap_has_the_power_that_r_prints() -> None:
    # ?power.anova.test: power.anova.test(groups = 4, between.var = 1, within.var = 3, power = .80) prints n = 11.92613.
    # Two of four means apart and two halfway between vary by 1 where the gap is the root of 6.
    size = 11.92613
    found = detectable_gap((2 * 3 / size) ** 0.5, 3, 4 * (size - 1))
    outside(detectable_gap, "R: power.anova.test", found, 6**0.5, rtol=1e-6)


def test_the_detectable_gap_of_two_effects_is_that_of_their_t_test() -> None:
    assert detectable_gap(0.2, 1, 30) == pytest.approx(detectable_effect(Estimate(estimate=0, std_error=0.2, df=30)))


def test_any_pattern_with_two_means_so_far_apart_is_seen_at_least_as_often() -> None:
    # Power by statsmodels: the third mean anywhere, 10 rows a group, variance 1.
    gap = detectable_gap((2 / 10) ** 0.5, 2, 27)
    power = [
        FTestAnovaPower().power(np.std([0.0, gap, third]), nobs=30, alpha=0.05, k_groups=3)
        for third in np.linspace(-gap, 2 * gap, 7)
    ]
    assert min(power) == pytest.approx(0.8, abs=1e-6)


def test_a_power_below_the_level_is_refused() -> None:
    with pytest.raises(StudyError, match="power"):
        detectable_f(2, 30, power=0.05)


def test_degrees_of_freedom_of_the_estimate_go_before_those_that_are_given() -> None:
    """Satterthwaite's 2 of 50: an effect that the interval of the test covers would not have been seen."""
    few = Estimate(estimate=0.0, std_error=0.1, df=2.0)
    assert detectable_effect(few, df=50) == detectable_effect(few) > 0.1 * 4.3
    assert detectable_effect(Estimate(estimate=0.0, std_error=0.1), df=2.0) == detectable_effect(few)


def test_without_degrees_of_freedom_it_is_normal() -> None:
    assert detectable_effect(Estimate(estimate=0.0, std_error=1.0)) == pytest.approx(1.959964 + 0.841621, abs=1e-6)


def test_the_level_of_the_test_is_not_that_of_the_interval() -> None:
    # 1.96 standard errors on either side make the 95 % interval, whatever level the test has.
    wide = Estimate(estimate=0.0, ci_low=-1.959964, ci_high=1.959964)
    assert detectable_effect(wide, level=0.1) == pytest.approx(1.644854 + 0.841621, abs=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "bounded"), [(-1.0, 1.0, True), (None, 1.0, False), (-1.0, np.inf, False), (-np.inf, np.inf, False)]
)
def test_an_interval_is_bounded_by_two_finite_ends(low: float | None, high: float, bounded: bool) -> None:
    assert is_bounded(Estimate(estimate=0.0, ci_low=low, ci_high=high)) is bounded


def test_an_estimate_without_a_standard_error_is_refused() -> None:
    with pytest.raises(StudyError, match="std_error None"):
        detectable_effect(Estimate(estimate=1.0))
