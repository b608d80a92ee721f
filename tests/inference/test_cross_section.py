"""The wild bootstrap beside a line, a difference of two groups and a mean.

Outside: every sign vector is gone through below with plain least squares and the HC1 variance (for a mean, with the
plain variance of a mean), which shares no code with the package. Shares of the same sign vectors are counted, so that
they are equal; 1e-12 is for the division.
"""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.disparity.divergence import beta_slope, sigma_trend, upper_lower_gap, welch_gap
from helpers.errors import StudyError
from helpers.inference.cross_section import wild_beta, wild_gap, wild_line, wild_mean, wild_sigma, wild_upper_lower
from helpers.results.estimate import Estimate
from outside import outside

pytestmark = pytest.mark.outside
SOURCE = "written out: every sign vector, least squares, HC1"
OPTIONS: dict[str, Any] = {"draws": 99, "rng": np.random.default_rng(1)}
DRAWS = np.random.default_rng(4)


def share_of_draws(figures: np.ndarray, regressor: np.ndarray) -> float:
    """Share of sign vectors whose |t| is at least that of the sample, the null imposed."""
    x = np.column_stack([np.ones(len(figures)), regressor])
    inverse = np.linalg.inv(x.T @ x)

    def t_of(y: np.ndarray) -> float:
        slopes = inverse @ x.T @ y
        left = y - x @ slopes
        return float(slopes[1] / np.sqrt((inverse @ (x.T * left**2) @ x @ inverse)[1, 1]))

    null = figures - figures.mean()
    drawn = [t_of(figures.mean() + null * signs) for signs in product([-1, 1], repeat=len(figures))]
    return float(np.mean(np.abs(drawn) >= abs(t_of(figures)) * (1 - 1e-9)))


def panel(n: int = 9, times: int = 7) -> pd.Series:
    index = pd.MultiIndex.from_product([[f"u{i}" for i in range(n)], range(2015, 2015 + times)], names=["unit", "year"])
    level = np.exp(DRAWS.normal(size=n))[:, None] * (1 + 0.1 * DRAWS.normal(size=(n, times))).clip(0.5)
    return pd.Series(level.ravel() ** np.tile(np.linspace(1, 0.6, times), n), index)


def test_a_difference_of_two_groups_is_every_sign_vector_gone_through():
    upper, lower = DRAWS.normal(0.8, 1, 5), DRAWS.normal(0, 0.3, 5)
    ours = wild_gap(upper, lower, welch_gap(upper, lower), **OPTIONS)
    theirs = share_of_draws(np.r_[upper, lower], np.repeat([1.0, 0.0], 5))
    outside(wild_gap, SOURCE, ours.p_value, theirs, rtol=1e-12)
    assert ours.estimate == pytest.approx(upper.mean() - lower.mean())
    assert (ours.n_clusters, ours.draws) == (10, None)


def test_a_mean_of_differences_is_every_sign_vector_gone_through():
    figures = DRAWS.normal(0.5, 1, 9)
    effect = Estimate(estimate=float(figures.mean()))
    ours = wild_mean(figures, effect, **OPTIONS)

    def t_of(values: np.ndarray) -> float:
        return float(values.mean() / np.sqrt(np.sum((values - values.mean()) ** 2)))

    drawn = [t_of(figures * signs) for signs in product([-1, 1], repeat=9)]
    theirs = np.mean(np.abs(drawn) >= abs(t_of(figures)) * (1 - 1e-9))
    outside(wild_mean, "written out: every sign vector, variance of a mean", ours.p_value, theirs, rtol=1e-12)


def test_trend_slope_and_groups_of_a_column_are_the_lines_that_stand_beside():
    values = panel()
    wide = values.unstack()
    spread = np.log((wide.std() / wide.mean()).to_numpy())
    sigma = wild_sigma(values, sigma_trend(values), **OPTIONS)
    outside(wild_sigma, SOURCE, sigma.p_value, share_of_draws(spread, wide.columns.to_numpy(float)), rtol=1e-12)
    assert sigma.estimate == pytest.approx(stats.linregress(wide.columns, spread).slope)
    start = np.log(wide[2015].to_numpy())
    growth = (np.log(wide[2021].to_numpy()) - start) / 6
    beta = wild_beta(values, beta_slope(values), **OPTIONS)
    outside(wild_beta, SOURCE, beta.p_value, share_of_draws(growth, start), rtol=1e-12)
    order = np.argsort(wide[2015].to_numpy())
    change = wide[2021].to_numpy() - wide[2015].to_numpy()
    parts = np.r_[change[order[-3:]], change[order[:3]]]
    points = wild_upper_lower(values, 3, upper_lower_gap(values), **OPTIONS)
    theirs = share_of_draws(parts, np.repeat([1.0, 0.0], 3))
    outside(wild_upper_lower, SOURCE, points.p_value, theirs, rtol=1e-12)


def test_no_trend_over_seven_times_can_have_a_smaller_p_value_than_its_sign_vectors_allow():
    times = np.arange(7.0)
    found = wild_line(2 * times + 1e-6 * DRAWS.normal(size=7), times, Estimate(estimate=2.0), **OPTIONS)
    assert found.p_value == pytest.approx(2 / 2**7)


def test_a_line_through_figures_that_all_have_the_same_place_is_refused():
    with pytest.raises(StudyError):
        wild_line(DRAWS.normal(size=5), np.ones(5), Estimate(estimate=0.0), **OPTIONS)
