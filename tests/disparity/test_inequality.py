"""Inequality between entities.

Sources: closed forms, and the double sums of Dagum (1997), Empirical Economics 22(4), written out term by term; to 1e-12, the
rounding error of sums of a few dozen terms. PySAL's inequality 1.1.2: TheilD(figures, regions) and Gini(figures), to the
eight digits that were printed of the parts. StatsPAI 1.40.2: subgroup_decompose(index = "theil_t"), and
inequality_index(index = "gini"), which divides by n (n - 1) pairs where this project divides by n^2, to 1e-12.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from helpers.disparity.inequality import DagumSplit, TheilSplit, dagum_split, gini, split_by_time, theil_split
from helpers.errors import StudyError
from outside import outside

untimed = settings(deadline=None, max_examples=50)
figures = st.lists(st.integers(1, 1000), min_size=6, max_size=6)
REGIONS = pd.Series(["east", "east", "west", "west", "west", "central"], index=list("abcdef"))


def a_column(values: list[Any]) -> "pd.Series[float]":
    return pd.Series(values, index=list("abcdef")[: len(values)], dtype=float)


def test_gini_of_one_to_five() -> None:
    assert gini([1, 2, 3, 4, 5]) == pytest.approx(4 / 15)


def test_gini_of_one_who_has_all() -> None:
    assert gini([0, 0, 0, 8]) == pytest.approx(3 / 4)


def test_theil_of_one_who_has_all_is_the_logarithm_of_n() -> None:
    assert theil_split(a_column([0, 0, 0, 0, 0, 5]), REGIONS).total == pytest.approx(np.log(6))


def test_theil_of_two_figures() -> None:
    expected = (0.5 * np.log(0.5) + 1.5 * np.log(1.5)) / 2
    assert theil_split(a_column([1, 3]), REGIONS).total == pytest.approx(expected)


def test_figures_with_ties_in_a_small_unit_are_those_of_pysal() -> None:
    values = pd.Series([1e-6, 3e-6, 3e-6, 9e-6, 7e-6, 2e-6, 1e-6, 5e-6, 4e-6])
    regions = pd.Series(list("aabbbccca"))
    found = theil_split(values, regions)
    ours = [found.total, found.between, found.within]
    outside(theil_split, "inequality: TheilD", ours, [0.21235443982371366, 0.09227581, 0.12007863], atol=5e-9)
    outside(gini, "inequality: Gini", [gini(values), dagum_split(values, regions).total], [0.36190476190476184] * 2,
            rtol=1e-12)  # fmt: skip


@untimed
@given(figures)
def test_theil_parts_sum_to_the_total(values: list[int]) -> None:
    found = theil_split(a_column(values), REGIONS)
    assert_allclose(found.within + found.between, found.total, atol=1e-12)


@untimed
@given(figures)
def test_dagum_parts_sum_to_the_gini(values: list[int]) -> None:
    found = dagum_split(a_column(values), REGIONS)
    assert_allclose(found.within + found.between + found.transvariation, gini(values), atol=1e-12)


@untimed
@given(figures, st.integers(2, 50))
def test_a_larger_unit_changes_no_inequality(values: list[int], factor: int) -> None:
    one, other = (dagum_split(a_column([value * unit for value in values]), REGIONS) for unit in (1, factor))
    assert_allclose(one.transvariation, other.transvariation, atol=1e-12)


def test_regions_whose_members_are_alike_have_no_inequality_within() -> None:
    values = a_column([5, 5, 2, 2, 2, 3])
    assert theil_split(values, REGIONS).within == pytest.approx(0, abs=1e-15)
    assert dagum_split(values, REGIONS).within == pytest.approx(0, abs=1e-15)


def test_regions_that_do_not_overlap_have_no_transvariation() -> None:
    assert dagum_split(a_column([8, 9, 1, 2, 3, 5]), REGIONS).transvariation == pytest.approx(0, abs=1e-15)


def test_regions_with_one_mean_have_nothing_between() -> None:
    assert dagum_split(a_column([3, 5, 2, 4, 6, 4]), REGIONS).between == pytest.approx(0, abs=1e-15)


def test_economic_affluence_is_dagums_difference_of_expected_gaps() -> None:
    values = a_column([2, 9, 1, 4, 7])
    found = dagum_split(values, REGIONS)
    east, west = np.array([2.0, 9]), np.array([1.0, 4, 7])
    gaps = np.subtract.outer(east, west)
    gross, reverse = np.where(gaps > 0, gaps, 0).mean(), np.where(gaps < 0, -gaps, 0).mean()
    gini_of_pair = np.abs(gaps).mean() / (east.mean() + west.mean())
    shares = 2 / 5 * west.sum() / 23 + 3 / 5 * east.sum() / 23
    assert found.between == pytest.approx(gini_of_pair * shares * (gross - reverse) / (gross + reverse))


def test_a_split_at_each_time_has_one_row_per_time() -> None:
    rows = pd.MultiIndex.from_product([list("abcdef"), [2015, 2016]], names=["province", "year"])
    values = pd.Series(np.arange(1.0, 13.0), index=rows)
    table = split_by_time(values, REGIONS, theil_split)
    assert table.loc[2016, "between"] == pytest.approx(theil_split(values.xs(2016, level=1), REGIONS).between)
    assert table.columns.tolist() == ["total", "within", "between"]


@pytest.mark.parametrize("split", [theil_split, dagum_split])
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1, -2, 3], "entity b: -2 is missing or negative"),
        ([1, np.nan, 3], "entity b: nan is missing or negative"),
        ([0, 0, 0], "all its figures are 0"),
    ],
)
def test_figures_without_inequality_are_refused(split: Any, values: list[float], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        split(a_column(values), REGIONS)


@pytest.mark.parametrize("split", [theil_split, dagum_split])
def test_an_entity_without_region_is_refused(split: Any) -> None:
    with pytest.raises(StudyError, match="entity f: it has no region"):
        split(a_column([1, 2, 3, 4, 5, 6]), REGIONS.drop("f"))


def test_the_parts_are_plain_numbers() -> None:
    values = a_column([2, 9, 1, 4, 7, 5])
    for found in (theil_split(values, REGIONS), dagum_split(values, REGIONS)):
        assert isinstance(found, TheilSplit | DagumSplit)
        assert type(found.between) is float


TIED = pd.Series([3, 0, 1, 7, 7, 2.5, 10, 0, 4, 4, 1, 6], index=range(12))
OF_TIED = pd.Series(list("aabbbccccdda"), index=range(12))


def test_parts_of_tied_figures_are_those_of_statspai() -> None:
    found = theil_split(TIED.loc[TIED > 0.0], OF_TIED)
    ours = [found.total, found.within, found.between]
    numbers = [0.1924786663059765, 0.16061551599844504, 0.03186315030753145]
    outside(theil_split, "StatsPAI: subgroup_decompose, theil_t", ours, numbers, rtol=1e-12)
    unbiased = gini(TIED) * 12 / 11
    outside(gini, "StatsPAI: inequality_index, gini", unbiased, 0.49050949050949055, rtol=1e-12)


def test_dagums_parts_are_those_of_expected_gains_of_either_side() -> None:
    # Dagum (1997): of the gaps between two groups, d are those by which the richer is ahead, p the others;
    # D = (d - p)/(d + p).
    names, mean, n = list("abcd"), TIED.mean(), len(TIED)
    figures_of, groups = np.asarray(TIED), np.asarray(OF_TIED)
    own = {name: figures_of[groups == name] for name in names}
    within = between = transvariation = 0.0
    for one in names:
        for other in names:
            gaps = [x - y for x in own[one] for y in own[other]]
            sides = sorted([sum(gap for gap in gaps if gap > 0), -sum(gap for gap in gaps if gap < 0)])
            part = sum(sides) / (2 * n**2 * mean)
            if one == other:
                within += part
                continue
            ahead = (sides[1] - sides[0]) / sum(sides)
            between, transvariation = between + part * ahead, transvariation + part * (1 - ahead)
    found = dagum_split(TIED, OF_TIED)
    ours = [found.within, found.between, found.transvariation]
    source = "written out: sums over all pairs, each side by itself"
    outside(dagum_split, source, ours, [within, between, transvariation], rtol=1e-12)


@pytest.mark.parametrize("values", [[3.0, -4.0, 1.0], [0.0, 0.0], [1.0, float("nan")], []])
def test_a_gini_of_what_has_no_shares_is_refused(values: list[float]) -> None:
    with pytest.raises(StudyError, match="Gini"):
        gini(values)
