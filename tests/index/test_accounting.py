"""The account of an index: sums that hold exactly, to 1e-12, which is rounding error of sums of a few dozen terms below 1."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from helpers.errors import StudyError
from helpers.index.accounting import entity_profile, obstacle_degrees, split_change
from helpers.index.composite import composite_index
from index.test_composite import a_panel, a_spec


def test_contributions_of_the_indicators_sum_to_the_index() -> None:
    index = composite_index(a_panel(), a_spec())
    assert_allclose(index.contributions.sum(axis=1), index.values, atol=1e-12)


@pytest.mark.parametrize("weights", ["entropy", "entropy_yearly", "entropy_chained", "pca"])
def test_figures_and_weights_sum_to_the_change(weights: str) -> None:
    index = composite_index(a_panel(), a_spec(), weights=weights)
    split = split_change(index, 2015, 2018)
    values = index.values.unstack()
    assert_allclose(split.total, values[2018] - values[2015], atol=1e-12)


def test_weights_that_are_pooled_move_nothing() -> None:
    split = split_change(composite_index(a_panel(), a_spec()), 2015, 2018)
    assert_allclose(split.weights, 0, atol=0)


def test_weights_move_an_index_whose_figures_stand_still() -> None:
    panel = a_panel()
    panel.loc["p0"] = panel.to_numpy()[0]
    split = split_change(composite_index(panel, a_spec(), weights="entropy_yearly"), 2015, 2018)
    assert_allclose(split.figures.loc["p0"], 0, atol=1e-12)
    assert split.weights.loc["p0"].abs().max() > 0.001


def test_the_split_of_one_indicator_worked_by_hand() -> None:
    rows = pd.MultiIndex.from_product([["a", "b"], [2015, 2016]], names=["province", "year"])
    panel = pd.DataFrame({"x": [0.0, 0.5, 1.0, 0.75], "y": [0.0, 1.0, 0.25, 0.5]}, index=rows)
    spec = {"indicators": {"x": {"weight": 0.4}, "y": {"weight": 0.6}}, "method": {"weights": "fixed"}}
    split = split_change(composite_index(panel, spec), 2015, 2016)
    assert_allclose(split.figures.loc["a"], [0.4 * 0.5, 0.6 * 1.0], atol=1e-12)


def test_a_profile_ranks_an_entity_within_each_year() -> None:
    index = composite_index(a_panel(), a_spec())
    best = index.values.xs(2017, level=1).idxmax()
    standing = entity_profile(index, best).standing
    assert standing.loc[2017, "rank"] == 1
    assert standing.loc[2017, "entities"] == 6


def test_a_profile_accounts_for_the_whole_change() -> None:
    index = composite_index(a_panel(), a_spec(), weights="entropy_yearly")
    profile = entity_profile(index, "p3")
    change = profile.standing["index"].iloc[-1] - profile.standing["index"].iloc[0]
    assert_allclose(profile.moved[["figures", "weights"]].to_numpy().sum(), change, atol=1e-12)


def test_a_profile_points_first_to_what_gives_most() -> None:
    outlook = entity_profile(composite_index(a_panel(), a_spec()), "p3").outlook
    assert outlook["to_gain"].is_monotonic_decreasing
    assert_allclose(outlook["to_gain"], outlook["weight"] * (outlook["best"] - outlook["score"]), atol=1e-12)


@pytest.mark.parametrize(("first", "last"), [(2015, 2030), (1999, 2018)])
def test_a_year_that_is_not_there_is_refused(first: int, last: int) -> None:
    with pytest.raises(StudyError, match="the index has no such time"):
        split_change(composite_index(a_panel(), a_spec()), first, last)


def test_an_entity_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudyError, match="entity p9: the index has no such entity"):
        entity_profile(composite_index(a_panel(), a_spec()), "p9")


@pytest.mark.parametrize("aggregate", ["geometric", "harmonic", "topsis"])
def test_an_index_that_is_no_weighted_sum_is_split_by_its_contributions(aggregate: str) -> None:
    index = composite_index(a_panel(), a_spec(), aggregate=aggregate)
    split = split_change(index, 2015, 2018)
    values = index.values.unstack()
    assert_allclose(split.figures.sum(axis=1), values[2018] - values[2015], atol=1e-12)
    assert_allclose(split.weights, 0, atol=0)
    yearly = composite_index(a_panel(), a_spec(), aggregate=aggregate, weights="entropy_yearly")
    assert split_change(yearly, 2015, 2018).weights.isna().all(axis=None)
    assert entity_profile(index, "p3").outlook["to_gain"].isna().all()


def test_obstacle_degrees_are_shares_of_what_is_lacking() -> None:
    rows = pd.MultiIndex.from_product([["a", "b"], [2015, 2016]], names=["province", "year"])
    panel = pd.DataFrame({"x": [0.0, 0.5, 1.0, 0.75], "y": [0.0, 1.0, 0.25, 0.5]}, index=rows)
    spec = {"indicators": {"x": {"weight": 0.4}, "y": {"weight": 0.6}}, "method": {"weights": "fixed"}}
    found = {row: list(shares) for row, shares in obstacle_degrees(composite_index(panel, spec)).T.items()}
    # b in 2015 lacks nothing of x and 0.75 of y; b in 2016 lacks 0.4 x 0.25 = 0.1 and 0.6 x 0.5 = 0.3.
    assert_allclose(found["a", 2015], [0.4, 0.6], atol=1e-12)
    assert_allclose(found["b", 2015], [0, 1], atol=1e-12)
    assert_allclose(found["b", 2016], [0.25, 0.75], atol=1e-12)


def test_a_row_that_lacks_nothing_has_no_obstacle() -> None:
    rows = pd.MultiIndex.from_product([["a", "b"], [2015, 2016]], names=["province", "year"])
    panel = pd.DataFrame({"x": [1.0, 0.5, 0.0, 0.75], "y": [1.0, 0.0, 0.25, 0.5]}, index=rows)
    found = obstacle_degrees(composite_index(panel, {"indicators": {"x": {}, "y": {}}}))
    assert found.isna().all(axis=1).tolist() == [True, False, False, False]


def test_scores_that_are_no_shares_have_no_obstacles() -> None:
    index = composite_index(a_panel(), a_spec(), scale="z_score", weights="equal")
    with pytest.raises(StudyError, match="scores outside"):
        obstacle_degrees(index)
    assert entity_profile(index, "p3").outlook["obstacle"].isna().all()
