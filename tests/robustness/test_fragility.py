"""Refits without small sets of entities, and indices derived anew for samples of entities.

Tolerance 1e-9 (relative): the same sums in another order, for indices of a few hundred rows.
"""

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.regression.panel import fit_panel
from helpers.robustness import fragility
from helpers.robustness.fragility import LeftOut, count_refits, map_fragility
from helpers.study.model import Model

EFFECTS: dict[str, Any] = {"entity_effects": True, "time_effects": True}


@pytest.fixture(scope="module")
def grunfeld() -> pd.DataFrame:
    from statsmodels.datasets import grunfeld

    data = grunfeld.load_pandas().data
    data = data[data["firm"] != "American Steel"].astype({"year": int})
    return data.set_index(["firm", "year"]).sort_index()


def make_panel(entities: int = 9, times: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([[f"e{i}" for i in range(entities)], range(times)], names=["entity", "time"])
    columns = ["p", "q", "r", "s", "t", "u", "a"]
    panel = pd.DataFrame(rng.gamma(1.5, size=(len(index), 7)), index=index, columns=columns)
    return panel.drop(panel.index[[2, 20]])


def spec(names: str, **method: Any) -> Any:
    items = {name: {"direction": sign, "dimension": "d"} for name, sign in zip(names, (1, -1, 1), strict=True)}
    return SimpleNamespace(indicators=items, dimensions={"d": {}}, method=method or None)


SPECS = {"good": spec("pqr"), "digital": spec("stu")}


def test_provinces_make_as_many_refits_as_the_binomials_say() -> None:
    assert count_refits(31, 3) == 31 + 465 + 4495 == 4991


def test_every_refit_equals_fit_panel_on_the_rows_that_are_left(grunfeld: pd.DataFrame) -> None:
    found = map_fragility(grunfeld, Model("invest", "capital"), most=2)
    assert len(found.table) == 10 + 45
    for row, left in enumerate(found.sets):
        fit = fit_panel(grunfeld.drop(list(left), level=0), "invest", ["capital"], **EFFECTS)
        assert found.table["estimate"][row] == pytest.approx(fit.estimates["capital"], rel=1e-9)
        assert found.table["std_error"][row] == pytest.approx(fit.std_errors["capital"], rel=1e-9)
        assert found.table["p_value"][row] == pytest.approx(fit.p_values["capital"], rel=1e-8)


def test_in_grunfeld_one_firm_carries_the_verdict(grunfeld: pd.DataFrame) -> None:
    # The design notes of the project's statistics: clustered p 0.0001 with all firms, and one firm carries the result.
    found = map_fragility(grunfeld, Model("invest", "capital"), most=1)
    assert found.estimate == pytest.approx(0.41380183, abs=5e-9)
    assert found.p_value < 0.001
    assert found.by_entity.index[0] == "General Motors"


@pytest.mark.parametrize(
    "method", [{}, {"weights": "equal"}, {"weights": "critic"}, {"scope": "yearly"}, {"zero_rule": 0.01}]
)
def test_refits_derive_the_indices_anew(method: dict[str, Any]) -> None:
    panel = make_panel()
    specs = {name: spec("".join(item.indicators), **method) for name, item in SPECS.items()}
    found = map_fragility(panel, Model("good", "digital", ("a",)), specs, most=1)
    for row in (0, 4, 8):
        left = panel.drop(list(found.sets[row]), level=0)
        data = left.assign(**{name: composite_index(left, item).values for name, item in specs.items()})
        fit = fit_panel(data, "good", ["digital", "a"], **EFFECTS)
        assert found.table["estimate"][row] == pytest.approx(fit.estimates["digital"], rel=1e-9)
        assert found.table["std_error"][row] == pytest.approx(fit.std_errors["digital"], rel=1e-9)
        assert found.table["n_obs"][row] == fit.n_obs


def test_an_outcome_that_is_no_index_stays_as_it_is() -> None:
    panel = make_panel()
    found = map_fragility(panel, Model("a", "digital", ("p",)), SPECS, most=1)
    left = panel.drop(found.sets[3][0], level=0)
    fit = fit_panel(
        left.assign(digital=composite_index(left, SPECS["digital"]).values), "a", ["digital", "p"], **EFFECTS
    )
    assert found.table["estimate"][3] == pytest.approx(fit.estimates["digital"], rel=1e-9)


def test_smallest_sets_are_those_of_a_search_by_hand() -> None:
    panel = make_panel()
    found = map_fragility(panel, Model("p", "q", ("a",)), most=3)
    sign, verdict = (None, None)
    whole = fit_panel(panel, "p", ["q", "a"], **EFFECTS)
    for left in (chosen for size in (1, 2, 3) for chosen in combinations([f"e{i}" for i in range(9)], size)):
        fit = fit_panel(panel.drop(list(left), level=0), "p", ["q", "a"], **EFFECTS)
        if sign is None and fit.estimates["q"] * whole.estimates["q"] < 0:
            sign = len(left)
        if verdict is None and (fit.p_values["q"] < 0.05) != (whole.p_values["q"] < 0.05):
            verdict = len(left)
    assert (found.smallest_sign and len(found.smallest_sign)) == sign
    assert (found.smallest_verdict and len(found.smallest_verdict)) == verdict


def test_a_refit_without_variation_is_listed_with_the_reason() -> None:
    panel = make_panel()
    panel["dummy"] = ((panel.index.get_level_values(0) == "e3") & (panel.index.get_level_values(1) > 1)).astype(float)
    found = map_fragility(panel, Model("p", "dummy"), most=1)
    assert found.n_failed == 1
    assert found.table.loc[found.table["reason"] != "", "left_out"].tolist() == ["e3"]


def test_an_indicator_that_becomes_constant_is_a_reason() -> None:
    panel = make_panel()
    panel["s"] = (panel.index.get_level_values(0) == "e4").astype(float)
    found = map_fragility(panel, Model("good", "digital"), SPECS, most=1).table
    assert np.flatnonzero(found["reason"] != "").tolist() == [4]
    assert "indicator s" in found["reason"][4]


def test_sets_are_left_out_one_after_the_other() -> None:
    samples = LeftOut(4, 2)
    assert len(samples) == 4 + 6
    np.testing.assert_array_equal(samples[3:5], [[1, 1, 1, 0], [0, 0, 1, 1]])


def test_sets_that_would_make_too_many_refits_are_not_left_out() -> None:
    assert map_fragility(make_panel(), Model("p", "q"), most=3, refits=45).table["size"].max() == 2


def test_of_too_many_entities_those_are_left_out_that_move_the_estimate_most(monkeypatch) -> None:
    # The whole map of single entities says which these are; one of them carries the result.
    panel = make_panel(30)
    panel["p"] += np.where(panel.index.isin([("e7", 1)]), 40.0, 0.0)
    whole = map_fragility(panel, Model("p", "q"), most=1)
    monkeypatch.setattr(fragility, "MOST_ROWS", 6 * len(panel))
    monkeypatch.setattr(fragility, "FEWEST", 2)
    few = map_fragility(panel, Model("p", "q"), most=3)
    moved = (whole.table["estimate"] - whole.estimate).abs().set_axis(whole.table["left_out"])
    assert set(few.table["left_out"]) == set(moved.nlargest(6).index)
    assert "e7" in set(few.table["left_out"])
    left = whole.table.set_index("left_out").loc[few.table["left_out"], "estimate"].to_numpy()
    assert few.table["estimate"].to_numpy() == pytest.approx(left, rel=1e-9)


def test_sets_that_leave_nothing_are_refused() -> None:
    with pytest.raises(StudyError, match="leave at least two"):
        map_fragility(make_panel().loc[["e0", "e1"]], Model("p", "q"), most=1)
