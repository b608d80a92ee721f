"""Dynamics.

Sources: scipy's Gaussian kernel density with Silverman's factor, to 1e-10 (the same sum in another order); statsmodels' OLS with
HC1, to 1e-12; PySAL's giddy 2.3.8, Markov(classes) with its steady state, to the eight digits printed; closed forms and
counts worked by hand.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.stats import gaussian_kde

from helpers.disparity.dynamics import (
    beta_convergence,
    kernel_density,
    markov_transitions,
    sigma_convergence,
)
from helpers.errors import StudyError
from outside import outside


def a_column(wide: list[list[float]], first: int = 2015) -> "pd.Series[float]":
    """A column by province and year from one list of years per province."""
    table = pd.DataFrame(wide, index=list("abcdefghijkl")[: len(wide)], dtype=float)
    table.columns = pd.Index(range(first, first + table.shape[1]))
    rows = pd.MultiIndex.from_product([table.index, table.columns], names=["province", "year"])
    return pd.Series(table.to_numpy().ravel(), index=rows, name="index")


def a_random_column(entities: int = 12, times: int = 5) -> "pd.Series[float]":
    return a_column(np.random.default_rng(1).lognormal(size=(entities, times)).tolist())


def test_density_agrees_with_scipy() -> None:
    values = a_random_column()
    density = kernel_density(values)
    for year in density.columns:
        expected = gaussian_kde(values.xs(year, level=1).to_numpy(), "silverman")(density.index)
        assert_allclose(density[year], expected, atol=1e-10)
        source = "scipy: gaussian_kde, silverman, every twentieth point"
        outside(kernel_density, source, density[year].iloc[::20], expected[::20], atol=1e-10)


def test_density_integrates_to_1() -> None:
    density = kernel_density(a_random_column(), points=2000)
    assert_allclose(np.trapezoid(density.to_numpy(), density.index, axis=0), 1, atol=0.003)


def test_density_of_entities_that_do_not_differ_is_refused() -> None:
    with pytest.raises(StudyError, match="time 2016: the entities do not differ"):
        kernel_density(a_column([[1, 2], [3, 2]]))


def test_a_density_is_reflected_at_its_bounds_and_leaves_nothing_outside() -> None:
    values = a_column([[0.0], [0.1], [0.15], [0.6], [0.95], [1.0]])
    found = kernel_density(values, bounds=(0.0, 1.0))
    grid = found.index.to_numpy()
    assert (grid[0], grid[-1]) == (0.0, 1.0)
    figures = values.to_numpy()
    other = gaussian_kde(figures, "silverman")
    expected = other(grid) + other(-grid) + other(2 - grid)
    assert_allclose(found[2015], expected, rtol=1e-10)
    # Reflected once at each end, what still lies beyond is some millionths.
    assert np.trapezoid(found[2015], grid) == pytest.approx(1, abs=2e-3)


def test_a_density_refuses_figures_outside_its_bounds() -> None:
    with pytest.raises(StudyError, match="a figure lies outside"):
        kernel_density(a_column([[0.0], [1.2]]), bounds=(0.0, 1.0))


def test_sigma_falls_by_the_rate_at_which_deviations_shrink() -> None:
    values = a_column([[10 + sign * 0.9**year for year in range(5)] for sign in (-3, -1, 1, 3)])
    found = sigma_convergence(values)
    assert_allclose(found.slope, np.log(0.9), atol=1e-12)


def test_sigma_reports_the_coefficient_of_variation() -> None:
    found = sigma_convergence(a_column([[1, 1, 1], [3, 5, 7]]))
    assert_allclose(found.by_time["coefficient_of_variation"], np.sqrt(2) * np.array([0.5, 2 / 3, 0.75]), atol=1e-12)


@pytest.mark.parametrize(
    ("wide", "told"),
    [
        ([[1, 2], [3, 4]], "2 times: a trend of the spread needs three"),
        ([[1, 2, 3], [1, 3, 4]], "time 2015: its mean or its spread is not above 0"),
    ],
)
def test_sigma_without_a_trend_is_refused(wide: list[list[float]], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        sigma_convergence(a_column(wide))


def test_beta_agrees_with_statsmodels() -> None:
    values = a_random_column()
    wide = np.log(values.unstack())
    fit = sm.OLS((wide[2019] - wide[2015]) / 4, sm.add_constant(wide[2015])).fit(cov_type="HC1", use_t=True)
    found = beta_convergence(values)
    ours = [found.estimate, found.std_error, found.p_value]
    numbers = [fit.params[2015], fit.bse[2015], fit.pvalues[2015]]
    outside(beta_convergence, "statsmodels: OLS of growth on its start, HC1", ours, numbers, atol=1e-12)


def test_beta_finds_the_speed_that_made_the_data() -> None:
    starts = np.array([1.0, 2.0, 4.0, 9.0])
    paths = [[np.exp(np.log(start) * np.exp(-0.05 * year)) for year in range(7)] for start in starts]
    found = beta_convergence(a_column(paths))
    assert_allclose([found.speed, found.half_life], [0.05, np.log(2) / 0.05], atol=1e-10)


@pytest.mark.parametrize(
    ("wide", "told"),
    [
        ([[1, 2], [0, 2], [3, 4]], "entity b: a figure is not above 0"),
        ([[1, 2], [2, 2]], "2 entities"),
        ([[1, 2], [1, 3], [1, 4]], "time 2015: all entities start alike"),
    ],
)
def test_beta_without_a_slope_is_refused(wide: list[list[float]], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        beta_convergence(a_column(wide))


def test_moves_are_counted_by_hand() -> None:
    # The median of all nine is 4, and 4 itself belongs to the lower class.
    found = markov_transitions(a_column([[1, 1, 4], [2, 5, 6], [7, 8, 3]]), classes=2)
    assert found.counts.to_numpy().tolist() == [[2, 1], [1, 2]]
    assert_allclose(found.matrix, [[2 / 3, 1 / 3], [1 / 3, 2 / 3]], atol=1e-15)


def test_moves_between_tied_figures_are_those_of_giddy() -> None:
    # The pooled quantiles of figures 0, 1 and 2 are the figures themselves, which belong to the lower class.
    wide: list[list[float]] = [[0, 1, 1, 2], [2, 2, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1], [2, 1, 2, 2], [0, 0, 0, 1]]
    found = markov_transitions(a_column(wide), classes=3)
    ours = [*found.counts.to_numpy().ravel(), *found.matrix.to_numpy().ravel()]
    numbers = [4, 3, 0, 2, 3, 2, 0, 2, 2, 0.57142857, 0.42857143, 0, 0.28571429, 0.42857143, 0.28571429, 0, 0.5, 0.5]
    outside(markov_transitions, "giddy: Markov", ours, numbers, atol=5e-9)
    outside(markov_transitions, "giddy: Markov", found.ergodic, [0.29787234, 0.44680851, 0.25531915], atol=5e-9)


def test_the_ergodic_shares_stay_as_they_are() -> None:
    found = markov_transitions(a_random_column(times=9), classes=3)
    assert_allclose(found.ergodic.to_numpy() @ found.matrix.to_numpy(), found.ergodic, atol=1e-12)
    assert found.ergodic.sum() == pytest.approx(1)


def test_a_rise_common_to_all_moves_nobody_relative_to_the_mean() -> None:
    values = a_column([[level * 2**year for year in range(4)] for level in (1, 2, 3, 4)])
    found = markov_transitions(values, classes=4, relative=True)
    assert found.counts.to_numpy().tolist() == np.diag([3, 3, 3, 3]).tolist()


def test_an_ergodic_share_that_is_not_unique_is_empty() -> None:
    values = a_column([[1, 1], [2, 2], [3, 3], [4, 4]])
    assert markov_transitions(values, classes=2).ergodic.isna().all()


@pytest.mark.parametrize(
    ("wide", "classes", "told"),
    [
        ([[1, 2], [3, 4]], 1, "moves need two or more classes"),
        ([[1, 1], [1, 1], [1, 4]], 4, "two of their bounds coincide"),
        ([[1], [2]], 2, "moves lead from one time"),
    ],
)
def test_moves_without_classes_are_refused(wide: list[list[float]], classes: int, told: str) -> None:
    with pytest.raises(StudyError, match=told):
        markov_transitions(a_column(wide), classes)
