"""What a derived column rests on."""

import pandas as pd

from helpers.cleaning.trace import trace_columns

FORMULAS = {"share": "a / b", "change": "log(c / lag(c))"}
GRADES = {"a": "A", "b": "C", "c": "B"}


def panel(**columns):
    index = pd.MultiIndex.from_product([["X", "Y"], [1, 2]], names=["place", "year"])
    return pd.DataFrame(columns, index=index, dtype=float)


def marks(*names):
    return pd.DataFrame({"column": list(names)})


def test_a_column_has_the_worst_grade_of_its_statistics_and_the_marks_of_all_of_them():
    figures = panel(share=[1, 2, 3, 4], change=[None, 1, None, 2])
    found = trace_columns(figures, FORMULAS, GRADES, {"filled": marks("a", "b", "b", "c"), "jumps": marks("c")})
    assert found.to_dict("index") == {
        "share": {"grade": "C", "missing": 0, "filled": 3, "jumps": 0},
        "change": {"grade": "B", "missing": 2, "filled": 1, "jumps": 1},
    }


def test_where_nothing_was_done_all_counts_are_zero():
    found = trace_columns(panel(share=[1, 2, 3, 4]), FORMULAS, GRADES, {"filled": marks(), "breaks": marks()})
    assert found[["missing", "filled", "breaks"]].to_numpy().tolist() == [[0, 0, 0]]
