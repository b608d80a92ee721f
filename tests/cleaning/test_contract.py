"""Facts about the contract: true figures keep it, and figures in another entity's row break it.

The provincial figures are official; the moved, rescaled and mixed ones are made from them here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cleaning import contract, series
from helpers.errors import StudyError
from helpers.reading import statistics as reading
from helpers.reading import units
from helpers.study.study import Study, load_study

ROOT = Path(__file__).parents[2]
PROVINCES = load_study(ROOT / "data" / "provinces")
# A statistic whose neighbours in the order of the files are so alike that one direction cannot be told.
ONE_DIRECTION_ONLY = {"urban_rural_income_ratio"}
# Growth rates do not persist, so that a single period of one tells nothing.
GROWTH = {"cpi", "gdp_index"}


def read(name: str) -> tuple[pd.DataFrame, pd.DataFrame, Study]:
    study = load_study(ROOT / "data" / name)
    entities = units.read_units(study.folder / study.entity.units, study.entity)
    return reading.read_raw(study.folder, study.columns, entities, study.entity, study.time), entities, study


@pytest.fixture(scope="module")
def provinces() -> tuple[pd.DataFrame, pd.DataFrame, Study]:
    return read("provinces")


def move(panel: pd.DataFrame, column: str, order: list[str], step: int, time: int | None = None) -> pd.DataFrame:
    """The panel with a statistic, or one period of it, moved by some rows of its file."""
    wide = panel[column].unstack().reindex(order)
    for place in wide.columns if time is None else [time]:
        wide[place] = np.roll(wide[place].to_numpy(), step)
    return panel.assign(**{column: wide.stack(future_stack=True).reindex(panel.index)})


@pytest.mark.parametrize("name", ["provinces", "countries"])
def test_the_true_figures_keep_the_contract(name: str) -> None:
    report = contract.check_contract(*read(name))
    assert (report.identities["largest_gap"] <= report.identities["tolerance"]).all()


def test_what_is_unusual_in_the_true_figures_is_listed(provinces) -> None:
    report = contract.check_contract(*provinces)
    listed = set(map(tuple, report.jumps[["column", "entity", "time"]].itertuples(index=False)))
    assert ("registered_unemployed", "Beijing", 2020) in listed
    assert ("so2_emissions", 2016) in set(report.breaks[["column", "time"]].itertuples(index=False, name=None))
    assert report.n_warnings == len(report.jumps) + len(report.breaks)


def is_caught(panel: pd.DataFrame, column: str, entities: pd.DataFrame, study: Study, margin: float) -> bool:
    """By the series check, else by the whole contract (an identity)."""
    if column in [found.column for found in series.find_moved_statistics(panel, list(entities.index), margin)]:
        return True
    try:
        contract.check_contract(panel, entities, study)
    except StudyError as error:
        return column in error.where
    return False


@pytest.mark.parametrize("column", list(PROVINCES.columns))
def test_a_statistic_moved_by_one_row_is_an_error(column: str, provinces) -> None:
    panel, entities, study = provinces
    order, margin = list(entities.index), study.contract.moved_margin
    caught = [is_caught(move(panel, column, order, step), column, entities, study, margin) for step in (1, -1)]
    assert sum(caught) == (1 if column in ONE_DIRECTION_ONLY else 2)


@pytest.mark.parametrize("column", sorted(set(PROVINCES.columns) - GROWTH))
def test_one_period_moved_by_one_row_is_an_error(column: str, provinces) -> None:
    panel, entities, _ = provinces
    order = list(entities.index)
    for time in panel[column].dropna().index.get_level_values(1).unique():
        for step in (1, -1):
            moved = series.find_moved_times(move(panel[[column]], column, order, step, time), order, counted=False)
            assert time in [found.time for found in moved]


def test_a_period_moved_in_a_table_sorted_by_name_is_an_error(provinces) -> None:
    panel, entities, _ = provinces
    moved = move(panel[["population"]], "population", sorted(entities.index), 1, 2018)
    assert [found.time for found in series.find_moved_times(moved, list(entities.index))] == [2018]


@pytest.mark.parametrize("factor", [100, 10_000])
def test_a_figure_or_a_period_in_another_unit_is_an_error(factor: int, provinces) -> None:
    panel, entities, study = provinces
    rows = panel.index.get_level_values(1) >= 2018
    other = panel.assign(beds_per_10k=panel["beds_per_10k"].where(~rows, panel["beds_per_10k"] / factor))
    with pytest.raises(StudyError, match=r"beds_per_10k"):
        contract.check_contract(other, entities, study)


def test_a_single_figure_in_another_unit_is_an_error(provinces) -> None:
    panel, entities, study = provinces
    other = panel.copy()
    other.loc[("Hubei", 2018), "trade_cny"] = 1e4 * panel["trade_cny"]["Hubei", 2018]
    with pytest.raises(StudyError, match=r"province Hubei, year 2018.*another unit"):
        contract.check_contract(other, entities, study)


def test_mixed_vintages_break_an_identity(provinces) -> None:
    panel, entities, study = provinces
    other = panel.copy()
    other.loc[("Beijing", 2019), "gdp"] = 35371.3  # the first release; the sectors are of the later one
    with pytest.raises(StudyError, match="province Beijing, year 2019"):
        contract.check_contract(other, entities, study)


def test_an_identity_between_declared_vintages_stops(provinces) -> None:
    panel, entities, study = provinces
    old = study.columns["gdp"].model_copy(update={"vintage": "first release"})
    mixed = study.model_copy(update={"columns": study.columns | {"gdp": old}})
    with pytest.raises(StudyError, match="different vintages"):
        contract.check_contract(panel, entities, mixed)


@pytest.mark.parametrize(
    ("cell", "rule"), [(-5.0, "below the minimum"), (np.inf, "infinite"), (500.0, "above the maximum")]
)
def test_a_figure_outside_its_range_names_file_entity_and_time(cell: float, rule: str, provinces) -> None:
    panel, _, study = provinces
    other = panel.copy()
    other.loc[("Tibet", 2016), "urbanisation_rate"] = cell
    with pytest.raises(StudyError, match=rf"urbanisation_rate\.csv.*province Tibet, year 2016.*: .*{rule}"):
        contract.check_schema(other, study)


@pytest.mark.parametrize("change", ["twice", "text", "more", "less"])
def test_a_panel_of_another_shape_is_an_error(change: str, provinces) -> None:
    panel, _, study = provinces
    other = {
        "twice": lambda: panel.iloc[[0, *range(len(panel))]],
        "text": lambda: panel.assign(gdp=panel["gdp"].astype(str)),
        "more": lambda: panel.assign(unknown=1.0),
        "less": lambda: panel.drop(columns="gdp"),
    }[change]()
    with pytest.raises(StudyError, match=r"stands twice|not numbers|no such column|is missing"):
        contract.check_schema(other, study)


def test_a_jump_is_measured_against_the_history() -> None:
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(12)], range(2010, 2018)], names=["unit", "year"])
    rng = np.random.default_rng(1)
    panel = pd.DataFrame({"x": 100 * np.exp(rng.normal(0, 0.01, len(index)))}, index=index)
    panel.loc[("u03", 2014), "x"] = 200.0
    jumps = series.find_jumps(series.measure_changes(panel))
    assert set(zip(jumps["entity"], jumps["time"], strict=True)) == {("u03", 2014), ("u03", 2015)}


@pytest.mark.parametrize("noise", [-1e-15, 1e-15])
def test_jumps_of_the_same_score_keep_the_order_of_the_panel(noise: float) -> None:
    """Two columns and their copies up to the last bits, in which the same figures jump."""
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(12)], range(2010, 2018)], names=["unit", "year"])
    rng = np.random.default_rng(1)
    x = pd.Series(100 * np.exp(rng.normal(0, 0.01, len(index))), index)
    x.loc[("u03", 2014)] = 200.0
    panel = pd.DataFrame({"a": x, "b": x * (1 + noise)})
    jumps = series.find_jumps(series.measure_changes(panel))
    ordered = [tuple(row) for row in jumps[["entity", "time", "column"]].itertuples(index=False)]
    pairs = [ordered[place : place + 2] for place in range(0, len(ordered), 2)]
    assert len(pairs) == 2
    assert all([column for *_, column in pair] == ["a", "b"] for pair in pairs)


def test_a_common_change_is_a_break_and_no_jump() -> None:
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(12)], range(2010, 2018)], names=["unit", "year"])
    rng = np.random.default_rng(1)
    panel = pd.DataFrame({"x": 100 * np.exp(rng.normal(0, 0.01, len(index)))}, index=index)
    panel["x"] = panel["x"].where(panel.index.get_level_values(1) < 2014, 3 * panel["x"])
    changes = series.measure_changes(panel)
    assert series.find_jumps(changes).empty
    assert list(series.find_breaks(changes)["time"]) == [2014]


@pytest.mark.parametrize(("counting", "found"), [(5, [2011]), (4, [])])
def test_a_count_that_most_entities_do_not_have_breaks_nowhere(counting: int, found: list[int]) -> None:
    """A trend of one entity, as a column of its own, doubles from its first period to its second."""
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(12)], range(2010, 2018)], names=["unit", "year"])
    unit, year = (index.get_level_values(level) for level in (0, 1))
    trend = pd.DataFrame({"trend": (year - 2009.0) * (unit < f"u{counting:02d}")}, index=index)
    assert list(series.find_breaks(series.measure_changes(trend))["time"]) == found
