"""Bootstrap of an index: each draw equals the index of the drawn panel, to 1e-12 (the same sums in another order)."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.index.index_bootstrap import bootstrap_index, rank_rows, redraw_index
from index.test_composite import INDICATORS, a_panel, a_spec


def drawn_panel(panel: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """The panel of a draw, each copy an entity of its own."""
    copies = [
        panel.loc[[entity]].rename(index={entity: f"{entity} copy {copy}"}, level=0)
        for entity, count in zip(panel.index.get_level_values(0).unique(), counts, strict=True)
        for copy in range(count)
    ]
    return pd.concat(copies)


@pytest.mark.parametrize("method", [{}, {"weights": "equal"}, {"zero_rule": 0.1}], ids=["entropy", "equal", "shift"])
def test_a_draw_equals_the_index_of_the_drawn_panel(method: dict[str, Any]) -> None:
    panel, spec = a_panel(entities=8), a_spec(method=method)
    counts = np.random.default_rng(2).multinomial(8, np.full(8, 1 / 8), size=40)
    draws = redraw_index(panel, spec, counts)
    entities = panel.index.get_level_values(0).unique()
    for draw, count in enumerate(counts):
        again = composite_index(drawn_panel(panel, count), spec)
        assert_allclose(draws.weights[draw], again.weights, atol=1e-12)
        once = [f"{entity} copy 0" for entity in entities[count > 0]]
        rows = panel.index.get_level_values(0).isin(entities[count > 0])
        assert_allclose(draws.values[draw][rows], again.values.loc[once], atol=1e-12)


def test_a_draw_of_every_entity_once_is_the_index_itself() -> None:
    index = composite_index(a_panel(), a_spec())
    draw = redraw_index(a_panel(), a_spec(), [[1] * 6])
    assert_allclose(draw.values[0], index.values, atol=1e-12)


def test_equal_seeds_give_equal_intervals() -> None:
    one, two = (bootstrap_index(a_panel(), a_spec(), 99, np.random.default_rng(5)) for _ in range(2))
    pd.testing.assert_frame_equal(one.weights, two.weights)


def test_intervals_are_the_percentiles_of_the_draws() -> None:
    counts = np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), size=199)
    draws = redraw_index(a_panel(), a_spec(), counts)
    weights = bootstrap_index(a_panel(), a_spec(), 199, np.random.default_rng(5)).weights
    assert_allclose(weights["ci_low"], np.quantile(draws.weights, 0.025, axis=0), atol=1e-15)
    assert_allclose(weights["estimate"], composite_index(a_panel(), a_spec()).weights, atol=1e-15)


def test_ranks_count_those_above_within_the_year() -> None:
    rows = pd.MultiIndex.from_product([["a", "b", "c"], [2015, 2016]])
    ranks = rank_rows(np.array([[0.1, 0.9, 0.5, 0.2, 0.5, 0.3]]), rows)
    assert ranks.tolist() == [[3, 1, 1, 3, 1, 2]]


def test_a_draw_without_spread_is_refused() -> None:
    panel = a_panel()
    panel["roads"] = (panel.index.get_level_values(0) == "p0").astype(float)
    with pytest.raises(StudyError, match="indicator roads: it is constant over the entities of a bootstrap draw"):
        redraw_index(panel, a_spec(), [[0, 2, 1, 1, 1, 1]])


@pytest.mark.parametrize("method", [{"weights": "pca"}, {"scale": "percentile"}, {"winsorise": 0.01}])
def test_a_method_without_draws_is_refused(method: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match="draws are made for pooled min-max scores"):
        redraw_index(a_panel(), a_spec(method=method), [[1] * 6])


def test_an_indicator_with_a_transform_is_refused() -> None:
    indicators = {**INDICATORS, "roads": {**INDICATORS["roads"], "transform": "log"}}
    with pytest.raises(StudyError, match="draws are made for pooled min-max scores"):
        redraw_index(a_panel(), {"indicators": indicators}, [[1] * 6])
