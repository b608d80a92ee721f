"""Checks, rules for missing figures, derived columns and their description.

Outside numbers: mean 145.95825, overall, between and within standard deviations of `inv` in Grunfeld's data (10 firms, 20
years), as Stata's xtsum defines them, worked out here from the two sums of squares (total = between + within), 1e-10
relative (sums of 200 figures).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.cleaning import gaps as cleaning
from helpers.errors import StudyError
from helpers.study.formula import parse_formula
from helpers.study.study import Column, Label, MissingRule, Regions, Study, Time

NAN = math.nan
LABEL = Label(en="because", zh="因为")
TIME = Time(name="year", first=2016, last=2018, read_from=2015, label=LABEL)


def make_panel(**columns: list[float]) -> pd.DataFrame:
    """Two towns, four years, town by town."""
    index = pd.MultiIndex.from_product([["A", "B"], [2015, 2016, 2017, 2018]], names=["town", "year"])
    return pd.DataFrame(columns, index=index, dtype=float)


def make_columns(panel: pd.DataFrame, **options: float | int) -> dict[str, Column]:
    return {name: Column(file="x.csv", label=LABEL, **options) for name in panel.columns}  # type: ignore[arg-type]


def make_rule(rule: str, column: str = "x", **options: tuple[str | int, ...]) -> MissingRule:
    return MissingRule.model_validate({"column": column, "rule": rule, "reason": LABEL, **options})


def treat(panel: pd.DataFrame, *rules: MissingRule, **options: int) -> cleaning.Treated:
    return cleaning.apply_missing_rules(
        panel, rules, cleaning.check_coverage(panel, make_columns(panel, **options), TIME)
    )


GAP = [1.0, NAN, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]


# Keys, coverage, ranges


def test_a_proper_panel_passes() -> None:
    cleaning.check_keys(make_panel(x=GAP))


def test_a_row_that_stands_twice_is_told() -> None:
    panel = make_panel(x=GAP)
    with pytest.raises(StudyError, match="town A, year 2016: the row stands twice"):
        cleaning.check_keys(panel.loc[[("A", 2015), ("A", 2016), ("A", 2016)]])


def test_unsorted_rows_are_told() -> None:
    with pytest.raises(StudyError, match="not sorted"):
        cleaning.check_keys(make_panel(x=GAP)[::-1])


def test_one_index_level_is_told() -> None:
    with pytest.raises(StudyError, match="1 level"):
        cleaning.check_keys(make_panel(x=GAP).reset_index(level=1))


def test_a_row_without_time_is_told() -> None:
    panel = make_panel(x=GAP)
    panel.index = pd.MultiIndex.from_arrays([list("AAAABBBB"), [2015, None, 2017, 2018] * 2])
    with pytest.raises(StudyError, match="no entity or no time"):
        cleaning.check_keys(panel)


def test_coverage_lists_every_gap() -> None:
    panel = make_panel(x=GAP, y=[1, 2, 3, 4, 5, NAN, NAN, 8])
    gaps = cleaning.check_coverage(panel, make_columns(panel), TIME)
    assert gaps.to_numpy().tolist() == [["x", "A", 2016], ["y", "B", 2016], ["y", "B", 2017]]


def test_coverage_of_a_complete_panel_is_empty() -> None:
    panel = make_panel(x=[1.0] * 8)
    assert cleaning.check_coverage(panel, make_columns(panel), TIME).empty


@pytest.mark.parametrize(("span", "times"), [({"first": 2017}, [2017]), ({"last": 2016}, [2016])])
def test_a_gap_outside_the_span_of_a_statistic_is_none(span: dict[str, int], times: list[int]) -> None:
    panel = make_panel(x=[1, NAN, NAN, 4, 5, 6, 7, 8])
    assert cleaning.check_coverage(panel, make_columns(panel, **span), TIME)["time"].tolist() == times


@pytest.mark.parametrize(
    ("value", "rule"),
    [(-1.0, "-1 is below the minimum 0"), (11.0, "11 is above the maximum 10"), (math.inf, "infinite")],
)
def test_a_figure_outside_its_range_is_told(value: float, rule: str) -> None:
    panel = make_panel(x=[1, 2, 3, 4, 5, value, 7, 8])
    with pytest.raises(StudyError, match=f"column x, town B, year 2016: .*{rule}"):
        cleaning.check_ranges(panel, make_columns(panel, minimum=0, maximum=10))


def test_the_number_of_figures_outside_is_told() -> None:
    panel = make_panel(x=[1, -2, 3, -4, 5, 6, -7, 8])
    with pytest.raises(StudyError, match=r"year 2016 \(and 2 more\)"):
        cleaning.check_ranges(panel, make_columns(panel, minimum=0))


def test_missing_figures_and_bounds_themselves_are_within_range() -> None:
    panel = make_panel(x=GAP)
    cleaning.check_ranges(panel, make_columns(panel, minimum=1, maximum=8))


# Rules for missing figures


@pytest.mark.parametrize(("rule", "value"), [("interpolate", 2.0), ("carry", 1.0), ("zero", 0.0)])
def test_a_gap_is_filled(rule: str, value: float) -> None:
    assert treat(make_panel(x=GAP), make_rule(rule)).panel["x"].tolist() == [1, value, 3, 4, 5, 6, 7, 8]


def test_every_filled_cell_is_told_with_its_reason() -> None:
    filled = treat(make_panel(x=GAP), make_rule("interpolate")).filled
    assert filled.to_dict("records") == [
        {"column": "x", "entity": "A", "time": 2016, "rule": "interpolate", "value": 2.0, "reason": "because"}
    ]


def test_nothing_is_filled_where_nothing_is_missing() -> None:
    panel = make_panel(x=[1.0] * 8)
    treated = treat(panel)
    assert treated.filled.empty
    pd.testing.assert_frame_equal(treated.panel, panel)


def test_the_panel_is_left_as_it_was() -> None:
    panel = make_panel(x=GAP)
    before = panel.copy()
    treat(panel, make_rule("zero"))
    pd.testing.assert_frame_equal(panel, before)


def test_drop_entity_takes_the_whole_entity() -> None:
    treated = treat(make_panel(x=GAP, y=[1.0] * 8), make_rule("drop_entity"))
    assert treated.panel.index.get_level_values(0).unique().tolist() == ["B"]
    assert treated.filled[["entity", "rule"]].to_numpy().tolist() == [["A", "drop_entity"]]


def test_drop_time_takes_the_whole_time() -> None:
    treated = treat(make_panel(x=GAP, y=[1.0] * 8), make_rule("drop_time"))
    assert treated.panel.index.get_level_values(1).unique().tolist() == [2015, 2017, 2018]


def test_rules_are_applied_in_their_order() -> None:
    panel = make_panel(x=[1, NAN, 3, 4, NAN, 6, 7, 8])
    treated = treat(panel, make_rule("interpolate"), make_rule("zero"))
    assert treated.panel["x"].tolist() == [1, 2, 3, 4, 0, 6, 7, 8]


def test_a_rule_is_for_its_entities_and_times_alone() -> None:
    panel = make_panel(x=[1, NAN, 3, 4, 5, NAN, 7, 8])
    with pytest.raises(StudyError, match=r"x \(1 cells: B; 2016\)"):
        treat(panel, make_rule("zero", entities=("A",), times=(2016,)))


def test_a_gap_at_the_end_is_not_interpolated() -> None:
    with pytest.raises(
        StudyError, match=r"column x: figures are missing and no rule covers them: x \(1 cells: B; 2018\)"
    ):
        treat(make_panel(x=[1, NAN, 3, 4, 5, 6, 7, NAN]), make_rule("interpolate"))


def test_a_gap_at_the_start_is_not_carried() -> None:
    with pytest.raises(StudyError, match="finds no missing figure that it can treat"):
        treat(make_panel(x=[NAN, 2, 3, 4, 5, 6, 7, 8]), make_rule("carry"))


def test_a_gap_without_a_rule_names_first_entities_and_times() -> None:
    with pytest.raises(
        StudyError, match=r"x \(8 cells: A, B; 2015, 2016, 2017, 2018\)(?s:.)*declare a rule under missing"
    ):
        treat(make_panel(x=[NAN] * 8))


def test_cells_outside_the_span_are_left_missing() -> None:
    treated = treat(make_panel(x=[NAN, NAN, 3, 4, NAN, 6, 7, 8]), make_rule("zero"), first=2016)
    np.testing.assert_array_equal(treated.panel["x"], [NAN, 0, 3, 4, NAN, 6, 7, 8])


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"column": "z"}, "no column 'z'"),
        ({"entities": ("C",)}, "no town C"),
        ({"times": (1999,)}, "no year 1999"),
        ({"entities": ("B",)}, "finds no missing figure"),
        ({"times": (2017,)}, "finds no missing figure"),
    ],
)
def test_a_rule_for_what_is_not_there_is_refused(options: dict[str, tuple[str | int, ...]], rule: str) -> None:
    with pytest.raises(StudyError, match=rule):
        treat(make_panel(x=GAP), make_rule("zero", **options))  # type: ignore[arg-type]


# Derived columns, the window, regions


def test_derive_works_out_each_formula_on_the_statistics() -> None:
    panel = make_panel(x=[1.0] * 8, y=[2.0] * 8)
    derived = cleaning.derive(panel, {"a": "x / y", "b": parse_formula("y - x")})
    assert derived.to_numpy().tolist() == [[0.5, 1.0]] * 8


def test_derive_names_the_column_in_its_message() -> None:
    with pytest.raises(StudyError, match=r"^a, formula 'z'"):
        cleaning.derive(make_panel(x=GAP), {"a": "z"})


UNITS = pd.DataFrame({"region": ["East", "West"]}, index=pd.Index(["A", "B"], name="name"))


def make_study(**regions: object) -> Study:
    content = {"column": "region", "order": ("e", "w"), "values": {"East": "e", "West": "w"}} | regions
    labels = dict.fromkeys(content["order"], LABEL)  # type: ignore[call-overload]
    return Study.model_construct(regions={"region": Regions.model_validate({"labels": labels, **content})})


def test_a_panel_with_members_in_every_region_passes() -> None:
    cleaning.check_panel(make_panel(x=GAP), UNITS, make_study())


@pytest.mark.parametrize(("rows", "rule"), [(slice(0, 4), "1 town is too few"), (slice(0, 8, 4), "1 year is too few")])
def test_one_entity_or_one_time_is_too_few(rows: slice, rule: str) -> None:
    with pytest.raises(StudyError, match=rule):
        cleaning.check_panel(make_panel(x=GAP)[rows], UNITS, make_study())


def test_a_region_without_members_is_told() -> None:
    study = make_study(order=("e", "w", "c"), values={"East": "e", "West": "w", "Central": "c"})
    with pytest.raises(StudyError, match="region 'c' has no members"):
        cleaning.check_panel(make_panel(x=GAP), UNITS, study)


def test_an_entity_in_no_declared_region_is_told() -> None:
    with pytest.raises(StudyError, match="column region, B: its region is 'North'"):
        cleaning.check_panel(make_panel(x=GAP), UNITS.replace("West", "North"), make_study())


def test_a_grouping_without_a_column_is_told() -> None:
    with pytest.raises(StudyError, match="column part: there is no such column"):
        cleaning.check_panel(make_panel(x=GAP), UNITS, make_study(column="part"))


# Description


def test_description_splits_variation_as_xtsum_does() -> None:
    data = sm.datasets.grunfeld.load_pandas().data
    data = data[data["firm"] != "American Steel"].set_index(["firm", "year"])[["invest"]]
    total = ((data - data.mean()) ** 2).sum().iloc[0]
    means = data.groupby(level=0).mean()
    between = ((means - data.mean()) ** 2).sum().iloc[0]
    row = cleaning.describe(data).loc["invest"]
    expected = [200, 145.95825, (total / 199) ** 0.5, (between / 9) ** 0.5, ((total - 20 * between) / 199) ** 0.5]
    np.testing.assert_allclose(row[["n", "mean", "sd", "between_sd", "within_sd"]], expected, rtol=1e-10)


def test_description_gives_quartiles_and_leaves_out_missing_figures() -> None:
    table = cleaning.describe(make_panel(x=[1, 2, 3, 4, 5, NAN, NAN, NAN]))
    assert table[["n", "min", "p25", "median", "p75", "max"]].to_numpy().tolist() == [[5, 1, 2, 3, 4, 5]]


def test_coverage_table_gives_the_share_of_entities() -> None:
    table = cleaning.coverage_table(make_panel(x=GAP, y=[NAN] * 8), ["y", "x"])
    assert table.to_dict("index") == {
        "y": {2015: 0, 2016: 0, 2017: 0, 2018: 0},
        "x": {2015: 1, 2016: 0.5, 2017: 1, 2018: 1},
    }
