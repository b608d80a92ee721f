"""An index derived anew in samples of entities: each equals the index of the stacked rows of its sample.

Tolerance 1e-12: the same sums in another order; 1e-6 under Box and Cox, whose power is the result of a search. The index
of the stacked rows comes from `composite_index`, which meets outside numbers in its own tests; the interval of a weight
meets a bootstrap written out below in NumPy, which shares no code.
"""

from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from helpers.errors import StudyError
from helpers.index.bootstrap import bootstrap_index, rank_rows
from helpers.index.composite import composite_index
from helpers.index.redraw import IndexRedraw
from helpers.study.index import Aggregate, Scale, Weights
from index.test_composite import DEEP, INDICATORS, a_panel, a_spec

WEIGHED = {
    name: {**item, "weight": 0.2, "goalposts": (0.1, 3.0), "reference": None if name == "roads" else 2.0}
    for name, item in INDICATORS.items()
}
METHODS: list[dict[str, Any]] = [
    *({"scale": scale} for scale in get_args(Scale)),
    *({"weights": weights} for weights in get_args(Weights)),
    *({"aggregate": aggregate} for aggregate in get_args(Aggregate)),
    *({"levels": "nested", "aggregate": aggregate} for aggregate in get_args(Aggregate)),
    *({"scope": "yearly", "scale": scale} for scale in get_args(Scale)),
    {"zero_rule": 0.1},
    {"winsorise": 0.1},
    {"scale": "z_score", "weights": "equal"},
    {"scale": "z_score", "levels": "nested", "score_range": (0.1, 0.9)},
    {"levels": "nested", "weights": "entropy_chained"},
]


def drawn_panel(panel: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """The panel of a draw, each copy an entity of its own."""
    copies = [
        panel.loc[[entity]].rename(index={entity: f"{entity} copy {copy}"}, level=0)
        for entity, count in zip(panel.index.get_level_values(0).unique(), counts, strict=True)
        for copy in range(count)
    ]
    return pd.concat(copies)


def check_draws(spec: dict[str, Any], tolerance: float = 1e-12) -> None:
    """Ten samples, each against the index of its stacked rows."""
    panel = a_panel(entities=8)
    counts = np.random.default_rng(2).multinomial(8, np.full(8, 1 / 8), size=10)
    draws = IndexRedraw(panel, spec).draw(counts)
    entities = panel.index.get_level_values(0).unique()
    for draw, count in enumerate(counts):
        again = composite_index(drawn_panel(panel, count), spec)
        assert_allclose(draws.weights[draw], again.weights, atol=tolerance)
        once = [f"{entity} copy 0" for entity in entities[count > 0]]
        rows = panel.index.get_level_values(0).isin(entities[count > 0])
        assert_allclose(draws.values[draw][rows], again.values.loc[once], atol=tolerance)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(map(str, method.values())))
def test_a_draw_equals_the_index_of_the_drawn_panel(method: dict[str, Any]) -> None:
    dimensions = {**DEEP, "environment": {"aggregate": "arithmetic"}} if method.get("levels") == "nested" else DEEP
    check_draws({"indicators": WEIGHED, "dimensions": dimensions, "method": method})


@pytest.mark.parametrize(("rule", "tolerance"), [("log", 1e-12), ("box_cox", 1e-6)])
def test_a_draw_takes_transforms_from_its_own_rows(rule: str, tolerance: float) -> None:
    check_draws({"indicators": {**INDICATORS, "roads": {**INDICATORS["roads"], "transform": rule}}}, tolerance)


def test_the_short_way_serves_the_default_and_equal_weights() -> None:
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"weights": "equal"},
        {"weights": "critic"},
        {"zero_rule": 0.01},
        {"levels": "nested"},
    )
    short = [IndexRedraw(a_panel(), a_spec(method=method)).is_short for method in kinds]
    assert short == [True, True, False, False, False]


def test_both_ways_give_rows_outside_the_sample_the_same_values() -> None:
    counts = [[0, 2, 1, 1, 1, 1], [3, 0, 0, 1, 1, 1]]
    short = IndexRedraw(a_panel(), a_spec()).draw(counts)
    # A range of [0, 1] is that of min-max scores already: another method by name, the same by value.
    long = IndexRedraw(a_panel(), a_spec(method={"score_range": (0.0, 1.0)})).draw(counts)
    assert_allclose(short.values, long.values, atol=1e-12)


def test_values_of_some_rows_are_those_of_all_rows() -> None:
    methods: list[dict[str, Any]] = [{}, {"weights": "critic"}]
    for method in methods:
        redraw = IndexRedraw(a_panel(), a_spec(method=method))
        whole = redraw.draw([[1, 2, 0, 1, 1, 1]]).values
        assert_allclose(redraw.draw([[1, 2, 0, 1, 1, 1]], np.array([3, 7])).values, whole[:, [3, 7]], atol=1e-15)


def test_a_draw_of_every_entity_once_is_the_index_itself() -> None:
    index = composite_index(a_panel(), a_spec())
    assert_allclose(IndexRedraw(a_panel(), a_spec()).draw([[1] * 6]).values[0], index.values, atol=1e-12)


def test_equal_seeds_give_equal_intervals() -> None:
    one, two = (bootstrap_index(a_panel(), a_spec(), 99, np.random.default_rng(5)) for _ in range(2))
    pd.testing.assert_frame_equal(one.weights, two.weights)


def test_intervals_are_those_of_a_bootstrap_written_out() -> None:
    panel = a_panel()
    counts = np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), size=199)
    weights, values = [], []
    figures = panel.to_numpy().reshape(6, 4, 5) * np.array([1, 1, 1, -1, 1])
    for count in counts:
        rows = np.concatenate([figures[entity] for entity in np.repeat(np.arange(6), count)])
        low, high = rows.min(axis=0), rows.max(axis=0)
        shares = (rows - low) / (rows - low).sum(axis=0)
        entropy = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), 0).sum(axis=0) / np.log(24)
        weights.append((1 - entropy) / (1 - entropy).sum())
        values.append((figures - low) / (high - low) @ weights[-1])
    found = bootstrap_index(panel, a_spec(), 199, np.random.default_rng(5))
    assert_allclose(found.weights["ci_low"], np.quantile(weights, 0.025, axis=0), atol=1e-12)
    assert_allclose(found.weights["std_error"], np.std(weights, axis=0, ddof=1), atol=1e-12)
    assert_allclose(found.values["ci_high"], np.quantile(values, 0.975, axis=0).ravel(), atol=1e-12)
    ranks = 1 + (np.array(values)[:, None] > np.array(values)[:, :, None]).sum(axis=2)
    assert_allclose(found.ranks["ci_high"], np.quantile(ranks, 0.975, axis=0).ravel(), atol=1e-12)
    means = np.array(values).mean(axis=2)
    of_means = 1 + (means[:, None] > means[:, :, None]).sum(axis=2)
    assert_allclose(found.mean_ranks["ci_low"], np.quantile(of_means, 0.025, axis=0), atol=1e-12)


def test_small_blocks_give_the_same_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    methods: list[dict[str, Any]] = [{}, {"weights": "critic"}]
    for method in methods:
        whole = bootstrap_index(a_panel(), a_spec(method=method), 59, np.random.default_rng(5))
        monkeypatch.setattr("helpers.index.bootstrap.CHUNK", 100)
        parts = bootstrap_index(a_panel(), a_spec(method=method), 59, np.random.default_rng(5))
        monkeypatch.undo()
        for name in ("weights", "values", "ranks", "mean_ranks"):
            pd.testing.assert_frame_equal(getattr(parts, name), getattr(whole, name), rtol=1e-12)


def test_ranks_count_those_above_within_the_year() -> None:
    rows = pd.MultiIndex.from_product([["a", "b", "c"], [2015, 2016]])
    ranks = rank_rows(np.array([[0.1, 0.9, 0.5, 0.2, 0.5, 0.3]]), rows)
    assert ranks.tolist() == [[3, 1, 1, 3, 1, 2]]


def test_ranks_do_not_hang_on_the_last_bits_and_pass_over_rows_without_a_value() -> None:
    rows = pd.MultiIndex.from_product([["a", "b", "c"], [2015]])
    ranks = rank_rows(np.array([[0.3, 0.1 + 0.2, 0.1], [0.3, np.nan, 0.5]]), rows)
    np.testing.assert_array_equal(ranks, [[1, 1, 3], [2, np.nan, 1]])


@pytest.mark.parametrize("method", [{}, {"weights": "critic"}])
def test_a_draw_without_spread_is_left_out_and_counted(method: dict[str, Any]) -> None:
    panel = a_panel()
    panel["roads"] = panel["roads"].where(panel.index.get_level_values(0) == "p0", 0.5)
    drawn = IndexRedraw(panel, a_spec(method=method)).draw([[0, 2, 1, 1, 1, 1], [1] * 6])
    assert "roads: it is constant" in drawn.reasons[0]
    assert drawn.reasons[1] == ""
    assert np.isnan(drawn.weights[0]).all()
    found = bootstrap_index(panel, a_spec(method=method), 60, np.random.default_rng(1))
    counts = np.random.default_rng(1).multinomial(6, np.full(6, 1 / 6), size=60)
    assert found.n_failed == (counts[:, 0] == 0).sum() > 0
    assert "roads: it is constant" in found.reason
    assert found.weights.notna().all(axis=None)


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(StudyError, match="counts"):
        IndexRedraw(a_panel(), a_spec()).draw(np.ones((2, 3)))
