"""Weights.

Sources: scikit-criteria 0.10 (`preprocessing.weighters`), to 1e-12 because both do the same few operations in double
precision; Elsayed et al. (2017) by pymcdm 1.4, printed to six digits; Diakoulaki, Mavrotas and Papayannakis (1995),
printed to eight; Tus and Adali (2019), printed to three.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from skcriteria.preprocessing import weighters

from helpers.errors import StudyError
from helpers.index.scaling import min_max_scale
from helpers.index.weights import (
    column_entropies,
    critic_entropy_weights,
    critic_weights,
    entropy_weights,
    equal_weights,
    fixed_weights,
    pca_weights,
    variation_weights,
)
from outside import outside
from reference.tables import DIAKOULAKI

ELSAYED = np.array(
    [
        [7, 312, 1891, 6613, 163],
        [72, 88, 728, 941804, 1078],
        [10, 252, 2594, 3466, 117471],
        [10, 145, 980, 2371, 86329],
        [65, 54, 350, 501, 29897],
        [29, 48, 380, 912, 34051],
        [7, 476, 3300, 78470, 2212],
        [70, 87, 650, 733, 819000],
        [4, 86, 591, 3015, 103],
        [12, 79, 579, 3240, 96098],
        [21, 45, 261, 1253, 453],
        [1, 72, 530, 4333, 0.1048],
    ]
)

# The time of an example is no fact about the scores.
untimed = settings(deadline=None)
# Whole numbers keep every column's range far from rounding error, so that no example is constant by accident.
counts = arrays(np.int64, st.tuples(st.integers(3, 12), st.just(3)), elements=st.integers(0, 1000)).filter(
    lambda matrix: bool(np.all(np.ptp(matrix, axis=0) > 0))
)


def test_entropy_agrees_with_scikit_criteria() -> None:
    expected = weighters.entropy_weights(ELSAYED)
    outside(entropy_weights, "scikit-criteria: entropy_weights", entropy_weights(ELSAYED), expected, atol=1e-12)


def test_entropy_of_elsayed_agrees_with_pymcdm() -> None:
    expected = [0.104991, 0.069124, 0.071373, 0.449937, 0.304575]
    outside(entropy_weights, "pymcdm: entropy_weights", entropy_weights(ELSAYED), expected, atol=5e-7)


def test_entropy_after_min_max_counts_0_ln_0_as_0() -> None:
    expected = [0.100087, 0.130043, 0.111524, 0.394900, 0.263447]
    assert_allclose(entropy_weights(min_max_scale(ELSAYED)), expected, atol=5e-7)


def test_entropy_after_min_max_shifted_by_a_tenth() -> None:
    expected = [0.158279, 0.168526, 0.156864, 0.286173, 0.230158]
    assert_allclose(entropy_weights(min_max_scale(ELSAYED), shift=0.1), expected, atol=5e-7)


def test_entropy_of_everything_in_one_row_is_0() -> None:
    assert_allclose(column_entropies([[0, 1], [0, 3], [5, 2]])[0], 0, atol=1e-15)


def test_entropy_of_a_table_is_labelled_by_column() -> None:
    weights = entropy_weights(pd.DataFrame({"gdp": [1, 4], "so2": [2, 16]}))
    assert weights.index.tolist() == ["gdp", "so2"]


def test_entropy_in_blocks_equals_entropy_at_once() -> None:
    matrix = np.random.default_rng(1).random((20_001, 3))
    share = matrix / matrix.sum(axis=0)
    expected = -(share * np.log(share)).sum(axis=0) / np.log(len(matrix))
    assert_allclose(column_entropies(matrix), expected, atol=1e-12)


def test_entropy_does_not_depend_on_memory_layout() -> None:
    assert_allclose(entropy_weights(np.asfortranarray(ELSAYED)), entropy_weights(ELSAYED), atol=1e-14)


@untimed
@given(counts, st.integers(1, 1000))
def test_the_unit_of_a_column_does_not_move_entropy_weights(matrix: np.ndarray, factor: int) -> None:
    assert_allclose(entropy_weights(matrix * [factor, 1, 1]), entropy_weights(matrix), atol=1e-12)


@untimed
@given(counts, st.integers(1, 1000), st.integers(-500, 500))
def test_scale_or_shift_of_a_column_leaves_weights_of_scores(matrix: np.ndarray, factor: int, shift: int) -> None:
    moved = matrix * [factor, 1, 1] + [shift, 0, 0]
    assert_allclose(entropy_weights(min_max_scale(moved)), entropy_weights(min_max_scale(matrix)), atol=1e-10)


@untimed
@given(counts, st.randoms())
def test_the_order_of_rows_does_not_move_entropy_weights(matrix: np.ndarray, random: object) -> None:
    order = list(range(len(matrix)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert_allclose(entropy_weights(matrix[order]), entropy_weights(matrix), atol=1e-12)


@untimed
@given(counts)
def test_rows_given_twice_lower_the_share_of_the_maximum_as_the_formula_says(matrix: np.ndarray) -> None:
    n = len(matrix)
    once = column_entropies(matrix) * np.log(n)
    twice = column_entropies(np.vstack([matrix, matrix])) * np.log(2 * n)
    assert_allclose(twice, once + np.log(2), atol=1e-12)


@untimed
@given(counts)
def test_entropy_weights_are_shares(matrix: np.ndarray) -> None:
    weights = np.asarray(entropy_weights(matrix))
    assert weights.min() >= 0
    assert_allclose(weights.sum(), 1, atol=1e-12)


@untimed
@given(counts, st.integers(1, 100))
def test_an_added_constant_column_is_refused(matrix: np.ndarray, value: int) -> None:
    with pytest.raises(StudyError, match="column 4: it is constant"):
        entropy_weights(np.column_stack([matrix, np.full(len(matrix), value)]))


@untimed
@given(counts)
def test_an_added_column_of_0_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(StudyError, match="column 4: all its cells are 0"):
        entropy_weights(np.column_stack([matrix, np.zeros(len(matrix))]))


def test_critic_agrees_with_scikit_criteria_on_mixed_directions() -> None:
    directions = [1, -1, 1, -1, 1]
    scored = np.asarray(min_max_scale(ELSAYED, directions))
    expected = weighters.critic_weights(scored, np.ones(5), correlation="pearson", scale=False)
    found = critic_weights(ELSAYED, directions)
    outside(critic_weights, "scikit-criteria: critic_weights", found, expected, atol=1e-12)


def test_equal_weights_agree_with_scikit_criteria() -> None:
    expected = weighters.equal_weights(ELSAYED, base_value=1)
    outside(equal_weights, "scikit-criteria: equal_weights", equal_weights(ELSAYED), expected, atol=1e-12)


def test_variation_weights_are_the_coefficients_of_variation() -> None:
    coefficients = np.array([np.std([1, 4], ddof=1) / 2.5, np.std([2, 16], ddof=1) / 9])
    assert_allclose(variation_weights([[1, 2], [4, 16]]), coefficients / coefficients.sum(), atol=1e-12)


def test_critic_entropy_is_the_geometric_mean_of_the_two() -> None:
    scores = min_max_scale(ELSAYED)
    product = np.sqrt(np.asarray(critic_weights(scores)) * np.asarray(entropy_weights(scores)))
    assert_allclose(critic_entropy_weights(scores), product / product.sum(), atol=1e-12)


def test_pca_index_is_an_affine_map_of_the_first_component() -> None:
    from statsmodels.multivariate.pca import PCA

    component = PCA(DIAKOULAKI, ncomp=1, standardize=True).factors[:, 0]
    index = DIAKOULAKI @ np.asarray(pca_weights(DIAKOULAKI))
    alike = abs(np.corrcoef(component, index)[0, 1])
    outside(pca_weights, "statsmodels: PCA, correlation with its first factor", alike, 1, atol=1e-12)


def test_pca_loadings_sum_above_0_while_a_contrary_column_counts_against() -> None:
    weights = np.asarray(pca_weights(DIAKOULAKI))
    loadings = weights * DIAKOULAKI.std(axis=0)
    assert loadings.sum() > 0
    assert weights.min() < 0
    assert_allclose(np.abs(weights).sum(), 1, atol=1e-12)


def test_hand_set_weights_are_kept() -> None:
    assert fixed_weights({"a": 0.25, "b": 0.75}).to_dict() == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"a": 0.5, "b": 0.6}, "they sum to 1.1, not to 1"),
        ({"a": 0.5, "b": None}, "weight of b: None"),
        ({"a": 1.5, "b": -0.5}, "weight of b: -0.5"),
    ],
)
def test_hand_set_weights_that_are_none_are_refused(weights: dict[str, float | None], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        fixed_weights(weights)


def test_two_columns_against_each_other_have_a_sign_that_no_rounding_decides() -> None:
    rng = np.random.default_rng(4)
    for _ in range(30):
        first = rng.normal(size=12)
        frame = pd.DataFrame({"wide": 5 * first + rng.normal(size=12), "narrow": -first})
        weights = pca_weights(frame)
        assert weights["narrow"] > 0 > weights["wide"]
        np.testing.assert_allclose(pca_weights(frame[["narrow", "wide"]])[["wide", "narrow"]], weights, rtol=1e-12)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ([[1.0, -1.0], [2.0, -2.0], [4.0, -4.0]], "move against each other in balance"),
        ([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], "no component comes before"),
    ],
)
def test_columns_without_a_first_component_or_its_sign_are_refused(columns: list[list[float]], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        pca_weights(columns)


@pytest.mark.parametrize("make", [entropy_weights, variation_weights, critic_entropy_weights])
def test_negative_scores_are_refused_where_shares_are_needed(make: object) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, -4.0]})
    if make is critic_entropy_weights:
        frame = frame.assign(z=[5.0, 5.5])
    with pytest.raises(StudyError, match="column y, row 2: -4 is negative"):
        make(frame)  # type: ignore[operator]


@pytest.mark.parametrize("make", [entropy_weights, critic_weights, variation_weights, pca_weights])
def test_one_indicator_has_no_weights(make: object) -> None:
    with pytest.raises(StudyError, match="figures of 1 indicator"):
        make([[1], [2], [4]])  # type: ignore[operator]


@pytest.mark.parametrize("make", [entropy_weights, variation_weights])
def test_one_row_has_no_weights(make: object) -> None:
    with pytest.raises(StudyError, match="figures of 1 row"):
        make([[1, 2, 3]])  # type: ignore[operator]


def test_columns_that_all_move_as_one_have_no_critic_weights() -> None:
    with pytest.raises(StudyError, match="all columns move as one"):
        critic_weights([[1, 10], [2, 20], [4, 40]])


def test_a_negative_shift_is_refused() -> None:
    with pytest.raises(StudyError, match="a shift is 0 or more"):
        entropy_weights([[1, 2], [4, 16]], shift=-0.1)


def test_an_unknown_correlation_is_refused() -> None:
    with pytest.raises(StudyError, match="use pearson or spearman"):
        critic_weights(DIAKOULAKI, correlation="kendall")  # type: ignore[call-overload]
