"""The composite index.

Sources: scikit-criteria 0.10 for the weighted sum and TOPSIS, to 1e-12 because both do the same few operations in double
precision; the Human Development Report's technical notes (2020) for an arithmetic mean inside a geometric one; formulas
worked by hand elsewhere.
"""

from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from skcriteria import mkdm
from skcriteria.agg.simple import WeightedSumModel
from skcriteria.agg.topsis import TOPSIS

from helpers.errors import StudyError
from helpers.index.composite import composite_index, entropy_weights, min_max_scale
from helpers.study.index import Aggregate, Levels
from outside import outside

INDICATORS = {
    "patents": {"direction": 1, "dimension": "technology"},
    "software": {"direction": 1, "dimension": "technology"},
    "websites": {"direction": 1, "dimension": "organisation"},
    "emissions": {"direction": -1, "dimension": "environment"},
    "roads": {"direction": 1, "dimension": "environment"},
}
DEEP = {
    "technology": {"parent": "capacity"},
    "organisation": {"parent": "capacity"},
    "capacity": {},
    "environment": {},
}
POSITIVE = (0.01, 1.0)
# The time of an example is no fact about the index.
untimed = settings(deadline=None, max_examples=30)


def a_panel(seed: int = 1, entities: int = 6, times: int = 4) -> pd.DataFrame:
    """Skewed figures above 0 for every indicator."""
    rows = pd.MultiIndex.from_product(
        [[f"p{number}" for number in range(entities)], range(2015, 2015 + times)], names=["province", "year"]
    )
    figures = np.exp(np.random.default_rng(seed).normal(size=(len(rows), len(INDICATORS))))
    return pd.DataFrame(figures, index=rows, columns=list(INDICATORS))


def a_spec(**changes: Any) -> dict[str, Any]:
    return {"indicators": INDICATORS, **changes}


def test_the_default_index_is_the_sum_of_pooled_entropy_weight_times_pooled_score() -> None:
    panel = a_panel()
    scores = min_max_scale(panel, {name: item["direction"] for name, item in INDICATORS.items()})
    expected = scores @ entropy_weights(scores)
    assert_allclose(composite_index(panel, a_spec()).values, expected, atol=1e-12)


def test_the_default_index_agrees_with_the_weighted_sum_of_scikit_criteria() -> None:
    index = composite_index(a_panel(), a_spec())
    problem = mkdm(index.scores.to_numpy(), [1] * 5, weights=index.weights.to_numpy())
    expected = WeightedSumModel().evaluate(problem).e_.score
    outside(composite_index, "scikit-criteria: WeightedSumModel", index.values, expected, atol=1e-12)


def test_topsis_agrees_with_scikit_criteria() -> None:
    index = composite_index(a_panel(), a_spec(), aggregate="topsis")
    problem = mkdm(index.scores.to_numpy(), [1] * 5, weights=index.weights.to_numpy())
    expected = TOPSIS().evaluate(problem).e_.similarity
    outside(composite_index, "scikit-criteria: TOPSIS", index.values, expected, atol=1e-12)


def test_the_default_index_lies_in_0_1() -> None:
    values = composite_index(a_panel(), a_spec()).values
    assert values.between(0, 1).all()


def test_attributes_serve_as_well_as_keys() -> None:
    spec = SimpleNamespace(
        method=SimpleNamespace(weights="equal"),
        indicators={name: SimpleNamespace(**item) for name, item in INDICATORS.items()},
    )
    expected = composite_index(a_panel(), a_spec(method={"weights": "equal"})).values
    pd.testing.assert_series_equal(composite_index(a_panel(), spec).values, expected)


def test_a_choice_given_by_name_replaces_the_declared_one() -> None:
    index = composite_index(a_panel(), a_spec(method={"weights": "pca"}), weights="equal")
    assert_allclose(index.weights, 0.2, atol=1e-15)


def test_the_panel_stays_as_it_was() -> None:
    panel = a_panel()
    before = panel.copy()
    composite_index(panel, a_spec(), winsorise=0.1)
    pd.testing.assert_frame_equal(panel, before)


@pytest.mark.parametrize("levels", get_args(Levels))
@pytest.mark.parametrize("aggregate", get_args(Aggregate))
@pytest.mark.parametrize("weights", ["entropy", "entropy_yearly", "equal", "critic", "coefficient_of_variation"])
def test_contributions_sum_to_the_index(weights: str, aggregate: str, levels: str) -> None:
    index = composite_index(
        a_panel(), a_spec(dimensions=DEEP), weights=weights, aggregate=aggregate, levels=levels, score_range=POSITIVE
    )
    assert_allclose(index.contributions.sum(axis=1), index.values, atol=1e-12)
    assert_allclose(index.dimension_contributions.sum(axis=1), index.values, atol=1e-12)


@pytest.mark.parametrize("aggregate", ["geometric", "harmonic"])
def test_contributions_are_those_of_eulers_theorem(aggregate: str) -> None:
    index = composite_index(a_panel(), a_spec(), aggregate=aggregate, score_range=POSITIVE)
    weights = index.weights.to_numpy()
    scores = index.scores.to_numpy()
    step = 1e-6
    for column in range(scores.shape[1]):
        moved = scores.copy()
        moved[:, column] *= 1 + step
        raised = np.exp(np.log(moved) @ weights) if aggregate == "geometric" else 1 / ((1 / moved) @ weights)
        slope = (raised - index.values.to_numpy()) / step
        assert_allclose(index.contributions.iloc[:, column], slope, atol=1e-5)


def test_weights_of_nested_levels_multiply() -> None:
    index = composite_index(a_panel(), a_spec(dimensions=DEEP), levels="nested", weights="equal")
    expected = {"patents": 1 / 8, "software": 1 / 8, "websites": 1 / 4, "emissions": 1 / 4, "roads": 1 / 4}
    assert index.weights.to_dict() == pytest.approx(expected)


def test_nested_entropy_weighs_dimension_scores() -> None:
    index = composite_index(a_panel(), a_spec(dimensions=DEEP), levels="nested")
    below = index.dimension_scores[["technology", "organisation"]]
    assert_allclose(
        index.level_weights.loc[["technology", "organisation"], "weight"], entropy_weights(below), atol=1e-12
    )


def test_a_dimension_may_aggregate_in_its_own_way() -> None:
    dimensions: dict[str, Any] = {name: {} for name in ("technology", "organisation", "environment")}
    dimensions["technology"] = {"aggregate": "arithmetic"}
    index = composite_index(
        a_panel(),
        a_spec(dimensions=dimensions),
        levels="nested",
        weights="equal",
        aggregate="geometric",
        score_range=POSITIVE,
    )
    scores = index.scores
    parts = [
        (scores["patents"] + scores["software"]) / 2,
        scores["websites"],
        (scores["emissions"] * scores["roads"]) ** 0.5,
    ]
    assert_allclose(index.values, (parts[0] * parts[1] * parts[2]) ** (1 / 3), atol=1e-12)


def test_dimension_scores_of_one_level_are_indices_of_their_own() -> None:
    index = composite_index(a_panel(), a_spec())
    own = index.weights[["patents", "software"]]
    expected = index.scores[["patents", "software"]] @ (own / own.sum())
    assert_allclose(index.dimension_scores["technology"], expected, atol=1e-12)


def test_hand_set_weights_are_used() -> None:
    indicators = {name: {**item, "weight": 0.2} for name, item in INDICATORS.items()}
    index = composite_index(a_panel(), {"indicators": indicators}, weights="fixed")
    assert_allclose(index.values, index.scores.mean(axis=1), atol=1e-12)


def test_yearly_entropy_weighs_each_year_on_the_pooled_scores() -> None:
    index = composite_index(a_panel(), a_spec(), weights="entropy_yearly")
    pooled = composite_index(a_panel(), a_spec()).scores
    expected = entropy_weights(pooled.xs(2016, level=1))
    assert_allclose(index.weights_by_time.loc[2016], expected, atol=1e-12)


def test_a_chained_index_moves_by_mean_weights_times_changes_of_scores() -> None:
    index = composite_index(a_panel(), a_spec(), weights="entropy_chained")
    weights = index.weights_by_time
    values, scores = index.values.unstack(), index.scores
    first, second, third = (scores.xs(year, level=1).to_numpy() for year in (2015, 2016, 2017))
    steps = (third - second) @ ((weights.loc[2016] + weights.loc[2017]) / 2).to_numpy()
    assert_allclose(values[2017] - values[2016], steps, atol=1e-12)
    assert_allclose(values[2015], first @ weights.loc[2015].to_numpy(), atol=1e-12)


def test_a_chained_index_stands_still_where_no_figure_moves() -> None:
    panel = a_panel()
    panel.loc["p0"] = panel.to_numpy()[0]
    values = composite_index(panel, a_spec(), weights="entropy_chained").values
    assert_allclose(values.loc["p0"], values.iloc[0], atol=1e-12)


def test_z_scores_take_entropy_once_brought_to_a_range() -> None:
    index = composite_index(a_panel(), a_spec(), scale="z_score", score_range=(0.0, 1.0))
    spreads = index.scores.std()
    assert_allclose(spreads, spreads.iloc[0], atol=1e-12)
    assert_allclose([index.scores.min().min(), index.scores.max().max()], [0, 1], atol=1e-12)


@untimed
@given(st.integers(0, 10_000), st.integers(2, 100), st.integers(-50, 50))
def test_units_of_an_indicator_do_not_move_the_index(seed: int, factor: int, shift: int) -> None:
    panel = a_panel(seed)
    moved = panel.assign(patents=panel["patents"] * factor + shift)
    assert_allclose(composite_index(moved, a_spec()).values, composite_index(panel, a_spec()).values, atol=1e-10)


@untimed
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_move_the_index(seed: int) -> None:
    panel = a_panel(seed)
    order = np.random.default_rng(seed).permutation(len(panel))
    shuffled = composite_index(panel.iloc[order], a_spec()).values
    assert_allclose(shuffled.sort_index(), composite_index(panel, a_spec()).values, atol=1e-12)


@untimed
@given(st.integers(0, 10_000))
def test_provinces_given_twice_keep_the_critic_index(seed: int) -> None:
    panel = a_panel(seed)
    twins = panel.rename(index=lambda name: f"twin of {name}", level=0)
    twice = composite_index(pd.concat([panel, twins]), a_spec(), weights="critic").values
    assert_allclose(twice.iloc[: len(panel)], composite_index(panel, a_spec(), weights="critic").values, atol=1e-12)


@untimed
@given(st.integers(0, 10_000))
def test_a_flipped_figure_with_a_flipped_direction_is_the_same_index(seed: int) -> None:
    panel = a_panel(seed)
    flipped = {**INDICATORS, "patents": {"direction": -1, "dimension": "technology"}}
    same = composite_index(panel.assign(patents=-panel["patents"]), {"indicators": flipped}).values
    assert_allclose(same, composite_index(panel, a_spec()).values, atol=1e-12)


def bad(**columns: Any) -> pd.DataFrame:
    return a_panel().assign(**columns)


def one(name: str, **changes: Any) -> dict[str, Any]:
    return {**INDICATORS, name: {**INDICATORS[name], **changes}}


@pytest.mark.parametrize(
    ("panel", "spec", "told"),
    [
        (bad(roads=4.0), a_spec(), "column roads: it is constant"),
        (bad(roads=0.0), a_spec(), "column roads: all its cells are 0"),
        (bad(roads=np.nan), a_spec(), "column roads: every cell is missing"),
        (a_panel().drop(columns="roads"), a_spec(), "indicator roads: the panel has no such column"),
        (a_panel().loc[["p0"]], a_spec(), "the panel, province p0: an index compares entities"),
        (a_panel(), {"indicators": {"roads": INDICATORS["roads"]}}, "figures of 1 indicator"),
        (a_panel(), {"indicators": one("roads", direction=0)}, "direction of roads: 0 is neither"),
        (a_panel(), {"indicators": one("roads", transform="root")}, "indicator roads, transform 'root'"),
        (
            a_panel(),
            {"indicators": one("roads", dimension="sea"), "dimensions": DEEP},
            "indicator roads, dimension sea",
        ),
        (a_panel(), a_spec(dimensions={**DEEP, "environment": {"parent": "sky"}}), "environment, parent sky"),
        (a_panel(), a_spec(method={"weight": "equal"}), "index method: weight: unknown key"),
        (a_panel(), a_spec(method={"weights": "guess"}), "index method: weights: Input should be 'entropy'"),
        (a_panel(), a_spec(method={"zero_rule": "shift"}), "index method: zero_rule"),
        (a_panel(), a_spec(method={"zero_rule": -0.01}), "greater than 0"),
        (a_panel(), a_spec(method={"weights": "fixed"}), "weight of patents: None"),
        (
            a_panel(),
            a_spec(method={"aggregate": "geometric", "score_range": (0, 1)}),
            "the geometric mean needs scores above 0",
        ),
        (a_panel(), a_spec(method={"score_range": (1, 0)}), "needs 0 <= low < high"),
        (a_panel().droplevel(1), a_spec(), "its rows are not labelled by entity and time"),
        (a_panel().iloc[[0, 0, 5]], a_spec(), "province p0, year 2015: the row is there twice"),
    ],
)
def test_bad_input_is_named_with_its_remedy(panel: pd.DataFrame, spec: dict[str, Any], told: str) -> None:
    with pytest.raises(StudyError) as error:
        composite_index(panel, spec)
    assert told in str(error.value)
    assert error.value.remedy


def test_a_chain_needs_every_entity_at_every_time() -> None:
    with pytest.raises(StudyError, match="not there at every time"):
        composite_index(a_panel().iloc[1:], a_spec(), weights="entropy_chained")


def test_a_chain_needs_the_arithmetic_mean() -> None:
    with pytest.raises(StudyError, match="a chain adds up changes"):
        composite_index(a_panel(), a_spec(), weights="entropy_chained", aggregate="topsis")


def test_weights_that_may_be_negative_are_refused_outside_the_arithmetic_mean() -> None:
    with pytest.raises(StudyError, match="its weights may be negative"):
        composite_index(a_panel(), a_spec(), weights="pca", aggregate="topsis")


@pytest.mark.parametrize(("scale", "weights"), [("z_score", "entropy"), ("distance_to_reference", "entropy_yearly")])
def test_scores_below_0_are_brought_to_0_1_where_weights_are_shares(scale: str, weights: str) -> None:
    declared = composite_index(a_panel(), a_spec(), scale=scale, weights=weights, score_range=(0.0, 1.0))
    pd.testing.assert_series_equal(
        composite_index(a_panel(), a_spec(), scale=scale, weights=weights).values, declared.values
    )


def test_scores_below_0_stay_where_weights_can_take_them() -> None:
    assert composite_index(a_panel(), a_spec(), scale="z_score", weights="equal").values.min() < 0


@pytest.mark.parametrize("aggregate", ["geometric", "harmonic"])
def test_a_mean_of_scores_above_0_brings_them_there(aggregate: str) -> None:
    declared = composite_index(a_panel(), a_spec(), aggregate=aggregate, score_range=POSITIVE)
    pd.testing.assert_series_equal(composite_index(a_panel(), a_spec(), aggregate=aggregate).values, declared.values)


def test_a_zero_rule_is_the_number_that_is_added_before_the_entropy() -> None:
    index = composite_index(a_panel(), a_spec(method={"zero_rule": 0.01}))
    shares = index.scores + 0.01
    shares = shares / shares.sum()
    entropy = -(shares * np.log(shares)).sum() / np.log(len(shares))
    assert_allclose(index.weights, (1 - entropy) / (1 - entropy).sum(), atol=1e-12)


def test_yearly_weights_name_the_year_without_spread() -> None:
    panel = a_panel()
    panel.loc[(slice(None), 2016), "roads"] = 1.0
    with pytest.raises(StudyError, match="column roads, year 2016: it is constant"):
        composite_index(panel, a_spec(), weights="entropy_yearly")
