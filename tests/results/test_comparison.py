"""Facts about two runs side by side. Both sides of every rule are planted; no tolerance but the rules' own."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from helpers.results.comparison import CANNOT_SAY, DIFFERS, REPRODUCED, Comparison, compare_runs
from helpers.results.numbers import RULES, Run, Table, find_keys, read_run
from helpers.results.results import Results


def of_result(**fields: object) -> Run:
    results = Results(study="toy", notebook="03_model", where=lambda: ("cell-07", 1))
    results.record("a.b", **fields)  # type: ignore[arg-type]
    return Run(results)


def of_table(text: str) -> Run:
    rows = [tuple(row) for row in csv.reader(text.split("; "))]
    return Run(Results(study="toy"), {"t": Table(rows[0], tuple(rows[1:]))})


def answers(comparison: Comparison) -> list[str]:
    return [item.answer for item in comparison.judged if not item.is_word]


def reason(comparison: Comparison) -> str:
    (item,) = comparison.left
    return item.reason


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ({"estimate": 0.12344}, {"estimate": 0.12336}, REPRODUCED),  # both print 0.1234
        ({"estimate": 0.12344}, {"estimate": 0.12346}, DIFFERS),  # 0.1234 and 0.1235
        ({"estimate": 0.123450000001}, {"estimate": 0.123449999999}, REPRODUCED),  # a tie rounded two ways
        ({"estimate": 0.00001}, {"estimate": -0.00001}, DIFFERS),  # both print 0.0000, but the sign changes
        ({"estimate": 1e-16}, {"estimate": -3e-16}, REPRODUCED),  # rounding around zero has no sign
        ({"value": 7}, {"value": 8}, DIFFERS),
        ({"value": 7}, {"value": 7.0}, REPRODUCED),
        ({"value": "supported"}, {"value": "not supported"}, DIFFERS),
        ({"value": "supported"}, {"value": 7}, CANNOT_SAY),
    ],
)
def test_each_kind_of_result_has_its_rule(first, second, answer):
    comparison = compare_runs(of_result(**first), of_result(**second))
    assert [item.answer for item in comparison.judged] == [answer]


@pytest.mark.parametrize("level", [0.01, 0.05, 0.10])
def test_a_p_value_that_crosses_a_level_differs_although_it_prints_the_same(level):
    first, second = (of_result(estimate=1.0, p_value=level + gap) for gap in (-1e-6, 1e-6))
    assert reason(compare_runs(first, second)) == f"it crosses {level:g}"
    assert reason(compare_runs(second, first)) == f"it crosses {level:g}"
    above = of_result(estimate=1.0, p_value=level + 2e-6)
    assert compare_runs(second, above).complete


def test_a_difference_is_told_in_units_of_the_last_digit_and_in_standard_errors():
    first, second = (of_result(estimate=x, std_error=0.5, digits=2) for x in (1.0, 1.25))
    (item,) = compare_runs(first, second).left
    assert (item.units, item.std_errors, item.relative) == (pytest.approx(25), pytest.approx(0.5), pytest.approx(0.2))
    assert (item.number.notebook, item.number.cell) == ("03_model", "cell-07")


def test_the_largest_relative_difference_is_kept_although_all_is_reproduced():
    comparison = compare_runs(of_result(estimate=1.0, std_error=2.0), of_result(estimate=1 + 1e-9, std_error=2 + 1e-7))
    assert comparison.complete
    assert comparison.furthest is not None
    assert comparison.furthest.number.field == "std_error"


def test_a_number_that_one_side_lacks_is_never_counted_as_reproduced():
    first, second = of_result(estimate=1.0, p_value=0.5), of_result(estimate=1.0)
    for pair, side in (((first, second), "new run"), ((second, first), "reference")):
        comparison = compare_runs(*pair)
        assert answers(comparison) == [REPRODUCED, CANNOT_SAY]
        assert reason(comparison).endswith(f"missing in {'the ' + side}")
        assert not comparison.complete


def test_nothing_to_compare_is_not_complete():
    assert not compare_runs(Run(Results()), Run(Results())).complete


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("place,x; a,1.0; b,2.0", "place,x; a,1.0; b,2.0000001", []),  # six significant digits
        ("place,x; a,1.0; b,2.0", "place,x; a,1.0; b,2.00001", ["it differs at the digits that are printed"]),
        ("place,x; a,1.0; b,2.0", "place,x; b,2.0; a,1.0", ["the order changes: b stands where a stood"]),
        ("place,rank; a,1; b,2", "place,rank; a,2; b,1", ["it is another whole number"] * 2),
        ("place,p_value; a,0.04999999", "place,p_value; a,0.05000001", ["it crosses 0.05"]),
        ("place,x; a,0.65***", "place,x; a,0.65**", ["'0.65***' became '0.65**'"]),
        ("place,x; a,1.0", "place,x; a,word", ["it is a number on one side only"]),
        ("place,x; a,1.0; b,2.0", "place,x; a,1.0", ["it is missing in the new run"]),
        ("place,x; a,1.0", "place,x; a,", ["it is missing in the new run"]),
        ("place,x; 01,1.5; 02,2.5", "place,x; 01,1.5; 2,2.5", ["it is missing in the new run", "it is missing in the reference"]),
        ("x,y; 1.5,2.5; 1.5,2.5", "x,y; 1.5,2.5; 1.5,3.5", ["the rows of the table cannot be told apart"] * 4),
        ("x,y; 1.5,2.5; 1.5,2.5", "x,y; 1.5,2.5; 1.5,2.5", []),
        ("place,x; a,1.5; a,1.5; b,2.5", "place,x; a,1.5; a,1.7; b,2.5", ["it differs at the digits that are printed"]),
        ("place,x,w; a,1.5,u; a,1.5,u", "place,x,w; a,1.5,u; a,1.5,v", ["'u' became 'v'"]),
        ("place,x; a,1.5; a,1.5", "place,x; a,1.5", ["it is missing in the new run"]),
        ("place,x; a,1.5; a,1.5; b,2.5", "place,x; a,1.5; b,2.5; a,1.5", ["the order changes: b, 1 stands where a, 2 stood"]),
        ("place,year; a,1; b,1; b,2", "place,year; a,1; b,1; b,3", ["the row is missing in the new run", "the row is missing in the reference"]),
    ],
)  # fmt: skip
def test_tables_are_compared_row_by_row_by_their_own_names(first, second, told):
    assert sorted(item.reason for item in compare_runs(of_table(first), of_table(second)).left) == sorted(told)


def test_a_table_that_one_side_lacks_cannot_be_judged():
    full, bare = of_table("place,x; a,1.0"), Run(Results(study="toy"))
    assert answers(compare_runs(full, bare)) == answers(compare_runs(bare, full)) == [CANNOT_SAY]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("place,year,x; a,1,0.5; a,2,0.5; b,1,0.5", ["place", "year"]),  # texts, then whole numbers
        ("rank,place; 1,a; 2,b", ["place"]),
        ("name,times,x; a,0.5,7.1; a,1.5,7.2", ["name", "times"]),  # a design is the same set on both sides
        ("x; 0.5", []),
    ],
)
def test_the_fewest_columns_name_the_rows(text, keys):
    table = of_table(text).tables["t"]
    found = find_keys(table, table)
    assert found is not None
    assert [table.columns[place] for place in found] == keys


def test_every_kind_that_occurs_in_the_committed_report_has_a_rule_and_is_counted():
    run = read_run(Path(__file__).parents[2] / "reports" / "provinces")
    comparison = compare_runs(run, run)
    assert comparison.complete
    assert comparison.numbers.total() > 10_000
    assert set(comparison.kinds) <= set(RULES)
    counted = sum(counts.total() for counts in comparison.kinds.values())
    assert counted == comparison.numbers.total() + comparison.words.total()


def test_an_apostrophe_that_guards_a_cell_is_no_part_of_it(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "t.csv").write_text("place,x\n'=a,'-0.5*\n", encoding="utf-8")
    Results(study="toy").write(tmp_path / "results.json")
    assert read_run(tmp_path).tables["t"].rows == (("=a", "-0.5*"),)


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("yes", "no", "yes", "no"),
        ("a b c d OLD e f g h", "a b c d NEW e f g h", "... b c d OLD e f g ...", "... b c d NEW e f g ..."),
        ("a b c d e", "a b c d e x", "... c d e", "... c d e x"),  # only longer
        ("a a a a a", "a a a a", "... a a a a", "... a a a"),  # one word less, of words that are all the same
        ("x a b", "a b", "x a b", "a b"),
    ],
)
def test_a_changed_text_is_shown_where_it_changed(old, new, before, after):
    assert reason(compare_runs(of_table(f"k,v; r,{old}"), of_table(f"k,v; r,{new}"))) == f"'{before}' became '{after}'"


def test_what_flips_comes_first_and_each_notebook_is_counted():
    old = Results(study="toy", notebook="03_model", where=lambda: ("cell-07", 1))
    new = Results(study="toy", notebook="03_model", where=lambda: ("cell-07", 1))
    for results, moved in ((old, 0), (new, 1)):
        results.record("a.size", estimate=1.0 + moved, p_value=0.5)
        results.record("b.gone" if moved else "b.new", value=3)
        results.record("c.sign", estimate=1.0 - 2 * moved, p_value=0.5)
        results.record("d.level", estimate=1.0, p_value=0.04 + 0.02 * moved)
        results.record("e.verdict", value="no" if moved else "yes")
    comparison = compare_runs(Run(old), Run(new))
    flips = [item.number.row for item in comparison.left if item.flips]
    assert flips == ["c.sign", "d.level", "e.verdict"]
    assert [item.number.row for item in comparison.left] == [*flips, "a.size", "b.new", "b.gone"]
    assert comparison.where == {"03_model": 6}
