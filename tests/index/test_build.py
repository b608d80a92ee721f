"""The study's indices over the rows of a panel, and what is told of them.

Entropy weights are worked out here in NumPy from the published formula and agree to 1e-12 (rounding).
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.index import build as construction
from small_study import CONTENT, PLACES, REGIONS, WINDOW, label, make_indicators, make_study


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return make_indicators()


@pytest.fixture(scope="module")
def indices(panel):
    return construction.build_indices(panel, make_study())


@pytest.fixture(scope="module")
def intervals(indices):
    """Intervals of the weights as a bootstrap would give them, in another order."""
    return {
        name: SimpleNamespace(
            weights=pd.DataFrame({"ci_low": index.weights - 0.1, "ci_high": index.weights + 0.1}).iloc[::-1]
        )
        for name, index in indices.items()
    }


def entropy_weights(figures: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Scores and weights: w = (1 - e) / sum(1 - e), e = -sum p ln p / ln n, p the shares of the min-max scores."""
    scores = ((figures - figures.min()) / (figures.max() - figures.min())).to_numpy()
    shares = scores / scores.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(shares * np.log(shares), axis=0) / np.log(len(figures))
    return scores, (1 - entropy) / (1 - entropy).sum()


def test_every_declared_index_is_built_by_its_formula(panel, indices):
    scores, weights = entropy_weights(panel[["r1", "r2", "r3"]])
    np.testing.assert_allclose(indices["reply"].values, scores @ weights, atol=1e-12)
    assert list(indices) == ["dose", "reply"]


def test_the_order_of_the_rows_does_not_matter(panel, indices):
    mixed = construction.index_values(construction.build_indices(panel.sample(frac=1, random_state=1), make_study()))
    pd.testing.assert_frame_equal(mixed, construction.index_values(indices), rtol=1e-12)


def test_an_index_of_fewer_periods_is_empty_outside_them(panel):
    reply = {**CONTENT["indices"]["reply"], "first": 2003, "last": 2006}
    study = make_study(indices={**CONTENT["indices"], "reply": reply})
    values = construction.index_values(construction.build_indices(panel, study))
    inside = values.index.get_level_values(1).isin([2003, 2004, 2006])
    assert values["reply"].notna().tolist() == inside.tolist()
    scores, weights = entropy_weights(panel.loc[inside, ["r1", "r2", "r3"]])
    np.testing.assert_allclose(values.loc[inside, "reply"], scores @ weights, atol=1e-12)


def test_a_constant_indicator_is_told_with_its_index(panel):
    with pytest.raises(StudyError, match=r"index reply, column r2: it is constant \(4 in every row\)"):
        construction.build_indices(panel.assign(r2=4.0), make_study())


def test_a_missing_figure_is_told_with_place_and_wave(panel):
    gap = panel.copy()
    gap.loc[("p04", 2006), "d2"] = np.nan
    with pytest.raises(StudyError, match="index dose, column d2, place p04, wave 2006"):
        construction.build_indices(gap, make_study())


def test_only_indices_among_the_names_are_made_anew(panel):
    rebuilt = construction.rebuild_indices(panel, make_study(), ["reply", "size"], {"weights": "equal"})
    scores, _ = entropy_weights(panel[["r1", "r2", "r3"]])
    assert list(rebuilt) == ["reply"]
    np.testing.assert_allclose(rebuilt["reply"], scores.mean(axis=1), atol=1e-12)


def test_the_weight_table_is_heaviest_first_with_labels(panel, indices, intervals):
    table = construction.weight_table(indices["reply"], intervals["reply"], make_study())
    _, weights = entropy_weights(panel[["r1", "r2", "r3"]])
    by_name = pd.Series(weights, index=["r1", "r2", "r3"]).sort_values(ascending=False)
    assert table.index.tolist() == by_name.index.tolist()
    np.testing.assert_allclose(table["weight"], by_name, atol=1e-12)
    np.testing.assert_allclose(table["ci_low"], by_name - 0.1, atol=1e-12)
    assert set(table["dimension"]) == {"All"}


def test_ranks_go_by_the_mean_and_equals_share_one():
    values = pd.Series(
        [1.0, 5.0, 2.0, 4.0, 0.0, 1.0], index=pd.MultiIndex.from_product([["a", "b", "c"], [2001, 2003]]), name="x"
    )
    table = construction.rank_entities(values)
    assert dict(table["rank"]) == {"a": 1, "b": 1, "c": 3}
    assert list(table.loc["a", ["mean", "first", "last", "change"]]) == [3, 1, 5, 4]


def test_first_and_last_skip_missing_figures():
    index = pd.MultiIndex.from_product([["a", "b"], [2001, 2003, 2004]])
    table = construction.rank_entities(pd.Series([np.nan, 2.0, 5.0, 1.0, 3.0, np.nan], index=index))
    assert list(table.loc["a", ["first", "last"]]) == [2, 5]
    assert list(table.loc["b", ["first", "last"]]) == [1, 3]


def test_region_means_are_over_the_places_of_a_region(panel):
    regions = pd.Series(REGIONS, index=PLACES)
    means = construction.region_means(panel["size"], regions)
    coast = panel.loc[PLACES[:5], "size"].unstack().mean()
    np.testing.assert_allclose(means["coast"], coast, rtol=1e-12)
    assert means.index.tolist() == list(WINDOW)


def test_trends_are_named_by_label(panel, indices):
    final = construction.model_panel(panel, construction.index_values(indices))
    trends = construction.region_trends(final, ["dose", "size"], pd.Series(REGIONS, index=PLACES), make_study())
    assert list(trends) == ["Dose", "Size"]


def test_weights_and_contributions_are_checked(indices):
    assert construction.weights_sum_to_one(indices)
    assert construction.contributions_add_up(indices)
    reply = indices["reply"]
    assert not construction.weights_sum_to_one({"reply": replace(reply, weights=reply.weights * 1.01)})
    assert not construction.contributions_add_up({"reply": replace(reply, values=reply.values + 1e-6)})


def test_tables_are_stacked_with_a_column_that_says_which_is_which(indices, intervals):
    stacked = construction.stack_tables(construction.weight_tables(indices, intervals, make_study()), "index")
    assert stacked.index.names == ["index", "indicator"]
    assert len(stacked.loc["Reply"]) == 3


def test_a_dimension_is_shown_by_its_label(indices, intervals):
    dose = {**CONTENT["indices"]["dose"], "dimensions": {"all": {"label": label("Everything")}}}
    study = make_study(indices={**CONTENT["indices"], "dose": dose})
    assert set(construction.weight_table(indices["dose"], intervals["dose"], study)["dimension"]) == {"Everything"}
