"""Sobol indices.

Sources: Ishigami and Homma (1990) with a = 7, b = 0.1 in closed form; the linear function x1 + 2 x2 + 3 x3 in closed form.
The tolerance 0.02 is the error of 4,096 base points; the printed half-widths must cover it.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.errors import StudyError
from helpers.multiverse.sobol import SobolIndices, sobol_indices, sobol_sample

INPUTS = ("x1", "x2", "x3")


def ishigami() -> SobolIndices:
    points = np.pi * (2 * sobol_sample(INPUTS, 4096, np.random.default_rng(1)) - 1)
    output = np.sin(points[:, 0]) + 7 * np.sin(points[:, 1]) ** 2 + 0.1 * points[:, 2] ** 4 * np.sin(points[:, 0])
    return sobol_indices(INPUTS, output, np.random.default_rng(2))


def test_first_order_of_ishigami() -> None:
    assert_allclose(ishigami().table["first"], [0.3139051911, 0.4424111448, 0], atol=0.02)


def test_total_order_of_ishigami() -> None:
    assert_allclose(ishigami().table["total"], [0.5575888552, 0.4424111448, 0.2436836641], atol=0.02)


def test_half_widths_of_ishigami_cover_its_truth() -> None:
    found = ishigami().table
    assert ((found["first"] - [0.3139051911, 0.4424111448, 0]).abs() <= found["first_half_width"]).all()


@pytest.mark.parametrize("order", ["first", "total"])
def test_a_linear_function_has_equal_orders(order: str) -> None:
    points = sobol_sample(INPUTS, 4096, np.random.default_rng(1))
    found = sobol_indices(INPUTS, points @ [1, 2, 3], np.random.default_rng(2))
    assert_allclose(found.table[order], [1 / 14, 4 / 14, 9 / 14], atol=0.02)


def test_runs_are_base_points_times_inputs_and_two() -> None:
    found = ishigami()
    assert (found.n_base, found.n_runs) == (4096, 4096 * 5)


@pytest.mark.parametrize("seed", range(8))
def test_a_first_order_is_at_most_its_total_and_neither_is_negative(seed: int) -> None:
    # Sixteen base points of inputs of which two do nothing: raw estimates cross and fall below 0.
    points = sobol_sample(INPUTS, 16, np.random.default_rng(seed))
    found = sobol_indices(INPUTS, points[:, 0], np.random.default_rng(seed)).table
    assert (found["first"] <= found["total"]).all()
    assert (found[["first", "total"]] >= 0).all(axis=None)


def test_an_output_that_does_not_vary_has_no_indices() -> None:
    assert sobol_indices(INPUTS, np.ones(40), np.random.default_rng(1)).table.isna().all(axis=None)


def test_equal_seeds_give_equal_half_widths() -> None:
    assert ishigami().table.equals(ishigami().table)


@pytest.mark.parametrize("n_base", [1, 1000])
def test_a_base_that_is_no_power_of_2_is_refused(n_base: int) -> None:
    with pytest.raises(StudyError, match="not a power of 2"):
        sobol_sample(INPUTS, n_base, np.random.default_rng(1))


def test_one_input_is_refused() -> None:
    with pytest.raises(StudyError, match="compares inputs"):
        sobol_sample(["x1"], 8, np.random.default_rng(1))


def test_an_output_of_another_length_is_refused() -> None:
    with pytest.raises(StudyError, match="need a multiple of 5 runs"):
        sobol_indices(INPUTS, np.ones(41), np.random.default_rng(1))


def test_an_output_that_is_no_number_is_refused() -> None:
    with pytest.raises(StudyError, match="run 3: its output is not a number"):
        sobol_indices(INPUTS, [1, 2, 3, np.nan, 5], np.random.default_rng(1))
