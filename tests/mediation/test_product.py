"""The distribution of a product of paths agrees with its closed form, with R's integrals and with draws.

Two standard normals: density K0(|z|)/pi (Craig 1936). Two normal paths: R 4.2.2, with
    share <- function(q) integrate(function(x) dnorm(x, a, s) * pnorm(q / x, b, t, lower.tail = x > 0), -Inf, Inf)
on either side of zero (rel.tol = 1e-12), and uniroot(share(q) - 0.025 or 0.975); p is twice the share below 0. To 1e-8:
R's integral stops there. Other products: 2,000,000 draws, tolerance four of their Monte-Carlo errors.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from helpers.errors import StudyError
from helpers.mediation.product import PathEstimate, compare_products, fit_product, share_below
from outside import outside

STANDARD = PathEstimate(0.0, 1.0, np.inf)


def draw(paths: list[PathEstimate], size: int = 2_000_000) -> np.ndarray:
    rng = np.random.default_rng(3)
    drawn = np.ones(size)
    for path in paths:
        drawn = drawn * (path.estimate + path.std_error * rng.standard_t(path.df, size))
    return drawn


def test_two_standard_normals_have_the_bessel_density() -> None:
    def gap(value: float) -> float:
        return integrate.quad(lambda z: special.k0(abs(z)) / np.pi, 0, value)[0] - 0.475

    expected = optimize.brentq(gap, 0.5, 6)
    found = fit_product([STANDARD, STANDARD])
    ends = [found.ci_low, found.ci_high]
    outside(fit_product, "written out: Bessel density of a normal product", ends, [-expected, expected], rtol=1e-8)
    assert found.p_value == pytest.approx(1.0, abs=1e-12)


# Both paths, each its estimate and its standard error: the ends of the interval, the p-value.
INTEGRATED = {
    (0.5, 0.08, 0.6, 0.04): [0.201080641122, 0.40536200322, 4.10452685044e-10],
    (0.2, 1.0, 0.4, 1.0): [-2.18817853655, 2.58722225135, 0.950725271678],
    (-1.3, 0.5, 2.0, 0.9): [-6.28771797051, -0.117175187775, 0.0353457845391],
    (2.5, 1.0, 4.0, 1.0): [1.86065541739, 20.6368068345, 0.012481886464],
}


@pytest.mark.parametrize("given", INTEGRATED)
def test_two_normal_paths_are_those_of_an_integral(given: tuple[float, float, float, float]) -> None:
    found = fit_product([PathEstimate(*given[:2], np.inf), PathEstimate(*given[2:], np.inf)])
    ours = [found.ci_low, found.ci_high, found.p_value]
    outside(fit_product, "R: integrate and uniroot, two normal paths", ours, INTEGRATED[given], rtol=1e-8)


@pytest.mark.parametrize("distances", [(3.0, 3.0, 3.0), (2.2, 2.6, 5.0), (3.5, 10.0), (-4.0, 4.0), (0.0, 9.0)])
def test_a_product_is_told_from_zero_as_its_paths_are(distances: tuple[float, ...]) -> None:
    # It is below zero where an odd number of paths is: 1 - (1 - p_1)(1 - p_2) ..., however far out.
    found = fit_product([PathEstimate(distance, 1.0, 9.0) for distance in distances])
    p_values = [2 * stats.t.sf(abs(distance), 9) for distance in distances]
    outside(fit_product, "scipy: t.sf of every path", found.p_value, 1 - np.prod(1 - np.array(p_values)), rtol=1e-9)
    assert (found.ci_low > 0 or found.ci_high < 0) == (found.p_value < 0.05)


@pytest.mark.parametrize(
    ("paths", "tolerance"),
    [
        ([PathEstimate(0.17, 0.17, 5), PathEstimate(-0.08, 0.05, 9)], 0.004),
        ([PathEstimate(1.0, 0.2, 12), PathEstimate(0.5, 0.1, 7)], 0.004),
        ([PathEstimate(0.6, 0.2, 8), PathEstimate(0.3, 0.1, 9), PathEstimate(0.5, 0.2, 6)], 0.004),
        ([PathEstimate(3.0, 1.0, 1e9)] * 3, 0.004),
    ],
)
def test_other_products_are_those_of_draws(paths: list[PathEstimate], tolerance: float) -> None:
    found, drawn = fit_product(paths), draw(paths)
    ends = np.quantile(drawn, [0.025, 0.975])
    spread = ends[1] - ends[0]
    outside(fit_product, "written out: draws of t paths", [found.ci_low, found.ci_high], ends, atol=tolerance * spread)
    below = np.mean(drawn <= 0)
    assert found.p_value == pytest.approx(2 * min(below, 1 - below), abs=0.005)


def test_an_interval_holds_the_middle_of_the_distribution() -> None:
    paths = [PathEstimate(0.4, 0.2, 6), PathEstimate(0.3, 0.1, 11)]
    found = fit_product(paths, level=0.9)
    assert [share_below(paths, found.ci_low), share_below(paths, found.ci_high)] == pytest.approx(
        [0.05, 0.95], abs=1e-8
    )


def test_two_equal_products_do_not_differ_and_far_ones_do() -> None:
    one = [PathEstimate(0.5, 0.1, 20), PathEstimate(0.5, 0.1, 20)]
    other = [PathEstimate(-2.0, 0.1, 20), PathEstimate(2.0, 0.1, 20)]
    same, far = compare_products(one, one), compare_products(one, other)
    assert same.ci_low == pytest.approx(-same.ci_high, rel=0.01)
    assert same.p_value > 0.98
    assert far.ci_low > 0
    assert far.p_value < 0.001


def test_a_difference_is_that_of_draws() -> None:
    one = [PathEstimate(0.5, 0.2, 8), PathEstimate(0.4, 0.2, 9)]
    other = [PathEstimate(0.1, 0.2, 7), PathEstimate(-0.3, 0.1, 12)]
    found, drawn = compare_products(one, other), draw(one) - draw(other)[::-1]
    ends = np.quantile(drawn, [0.025, 0.975])
    ours = [found.ci_low, found.ci_high]
    outside(compare_products, "written out: draws of t paths", ours, ends, atol=0.01 * (ends[1] - ends[0]))


@pytest.mark.parametrize("paths", [[STANDARD], [STANDARD, PathEstimate(0.0, 0.0, 5)]])
def test_a_path_without_an_error_is_refused(paths: list[PathEstimate]) -> None:
    with pytest.raises(StudyError, match="standard error"):
        fit_product(paths)
