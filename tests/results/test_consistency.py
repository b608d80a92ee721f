"""Facts that hold between numbers: for each rule a run that keeps it and one that breaks it, with the cell named.

From outside: a p-value of 0.05 at the critical values of printed tables (NIST/SEMATECH e-Handbook, 1.3.6.7: t(30) 2.042,
chi-square(1) 3.841, F(1, 30) 4.171, normal 1.960), here with ten decimals, since the rule's tolerance is a relative 1e-6;
other p-values of t are integrals of its density by Simpson's rule, good to 1e-9; of chi-square, sums of Poisson's.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import StudyError
from helpers.results.consistency import InconsistentError, check_consistency, keep_consistent
from helpers.results.consistency_rules import RULES
from helpers.results.results import Results

ROOT = Path(__file__).parents[2]
T30 = {"df": 30, "convention": "stata"}
"""Of an estimate of two with standard error one."""


def two_sided(x: float, df: int, steps: int = 20_000) -> float:
    """P(|t| > x): one less the integral of the density from -x to x."""
    scale = math.gamma((df + 1) / 2) / (math.sqrt(df * math.pi) * math.gamma(df / 2))
    heights = [scale * (1 + (x * (2 * step / steps - 1)) ** 2 / df) ** (-(df + 1) / 2) for step in range(steps + 1)]
    inner = 4 * math.fsum(heights[1:-1:2]) + 2 * math.fsum(heights[2:-1:2])
    return 1 - (heights[0] + heights[-1] + inner) * (2 * x / steps) / 3


def poisson_tail(x: float, df: int) -> float:
    """P(chi-square of an even number of degrees of freedom > x): P(Poisson of mean x / 2 < df / 2)."""
    mean = x / 2
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(df // 2))


FINE = 20705.12346549
"""Of 20,000 degrees of freedom: its p-value moves 360 times as much as it does, in relative terms."""
FINE_P = poisson_tail(FINE, 20_000)
AT_20, AT_21 = two_sided(2.0, 30), two_sided(2.1, 30)


def record(*rows: tuple[str, dict[str, Any]]) -> Results:
    results = Results(study="toy", notebook="03_model", where=lambda: ("cell-07", 1))
    for key, fields in rows:
        results.record(key, **fields)
    return results


def write(folder: Path, text: str) -> Path:
    rows = list(csv.reader(text.split("; ")))
    (folder / "tables").mkdir()
    with (folder / "tables" / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.mark.parametrize(
    ("rule", "rows", "holds"),
    [
        ("a statistic is", [("a.b", {"estimate": 2.0, "std_error": 0.5, "statistic": 4.0})], True),
        ("a statistic is", [("a.b", {"estimate": 2.0, "std_error": 0.5, "statistic": 4.1})], False),
        ("a statistic is", [("a.b", {"estimate": -2.0, "std_error": 0.5, "statistic": 4.0})], False),
        ("p follows", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": AT_20, **T30})], True),
        ("p follows", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": AT_20 / 2, **T30})], False),  # one-sided
        ("p follows", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": 0.0546, "convention": "stata, t(30)"})], False),
        ("p follows", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": 0.7, "df": 30, "convention": "wild"})], None),
        ("p follows", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": 0.7, "df": 30, "draws": 99})], None),
        ("p follows", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": 0.7, "df": 30, "convention": "by Holm"})], None),
        ("an interval holds", [("a.b", {"estimate": 2.0, "ci_low": 1.0, "ci_high": 3.0})], True),
        ("an interval holds", [("a.b", {"estimate": 0.5, "ci_low": 1.0, "ci_high": 3.0})], False),
        ("an interval holds", [("a.b", {"estimate": 0.5, "ci_low": 1.0, "ci_high": 3.0, "convention": "percentile"})], None),
        ("interval and p", [("a.b", {"estimate": 2.0, "statistic": 2.1, "p_value": AT_21, "ci_low": 0.1, "ci_high": 4, **T30})], True),
        ("interval and p", [("a.b", {"estimate": 2.0, "statistic": 2.1, "p_value": AT_21, "ci_low": -0.1, "ci_high": 4, **T30})], False),
        ("interval and p", [("a.b", {"estimate": 2.0, "statistic": 2.0, "p_value": AT_20, "ci_low": 0.1, "ci_high": 4, **T30})], False),
        ("parts sum", [("m.x.total_effect", {"value": 3.0}), ("m.x.direct_effect", {"value": 1.0}), ("m.x.indirect_effect", {"value": 2.0})], True),
        ("parts sum", [("m.x.total_effect", {"value": 3.0}), ("m.x.direct_effect", {"value": 1.0}), ("m.x.indirect_effect", {"value": 2.1})], False),
        ("a first-order", [("s.x.first", {"value": 0.2}), ("s.x.total", {"value": 0.2})], True),
        ("a first-order", [("s.x.first", {"value": 0.3}), ("s.x.total", {"value": 0.2})], False),
    ],
)  # fmt: skip
def test_a_rule_over_results_holds_or_names_the_cell(tmp_path, rule, rows, holds):
    judge(record(*rows), tmp_path, rule, holds, "03_model cell-07, result ")


COUNTS = [("data.entities", {"value": 4}), ("data.periods", {"value": 5}), ("data.rows", {"value": 18}), ("data.rows_dropped", {"value": 2})]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "holds"),
    [
        (("a.b", {"value": 1, "n_obs": 20, "n_entities": 4}), True),
        (("a.b", {"value": 1, "n_obs": 21, "n_entities": 4}), False),
        (("a.b", {"value": 1, "n_obs": 3, "n_entities": 4}), True),  # it may count periods
        (("a.b", {"value": 1, "n_obs": 999, "n_entities": 4, "convention": "n counts the panels"}), True),
        (("a.b", {"value": 1}), True),
    ],
)
def test_rows_are_at_most_entities_times_periods(tmp_path, more, holds):
    judge(record(*COUNTS, more), tmp_path, "rows are entities", holds, "03_model cell-07, result ")


def test_rows_are_no_more_than_the_window_holds(tmp_path):
    judge(record(*COUNTS[:2], ("data.rows", {"value": 20})), tmp_path, "rows are entities", True, "")
    rows = [*COUNTS[:2], ("data.rows", {"value": 21})]
    judge(record(*rows), tmp_path, "rows are entities", False, "03_model cell-07, result data.rows")


def test_a_panel_with_more_periods_than_the_window_allows_more_rows(tmp_path):
    panel = "place,year,x; " + "; ".join(f"{place},{year},1.5" for place in "abcd" for year in range(6))
    more = ("a.b", {"value": 1, "n_obs": 24, "n_entities": 4})
    judge(record(*COUNTS, more), write(tmp_path, panel), "rows are entities", True, "")


@pytest.mark.parametrize(
    ("rule", "text", "holds"),
    [
        ("p follows", "test,statistic,distribution,df,p_value; a,3.8414588207,chi2,1,0.05", True),
        ("p follows", "test,statistic,distribution,df,p_value; a,3.8414588207,chi2,2,0.05", False),
        ("p follows", 'test,statistic,distribution,df,p_value; a,4.1708767857,F,"1, 30",0.05', True),
        ("p follows", 'test,statistic,distribution,df,p_value; a,4.1708767857,F,"2, 30",0.05', False),
        ("p follows", "test,statistic,distribution,df,p_value; a,-1.9599639845,normal,,0.05", True),
        ("p follows", 'test,statistic,distribution,df,p_value; a,1.6448536270,"normal, upper tail",,0.05', True),
        ("p follows", 'test,statistic,distribution,df,p_value; a,-1.6448536270,"normal, upper tail",,0.95', True),
        ("p follows", 'test,statistic,distribution,df,p_value; a,1.6448536270,"normal, upper tail",,0.10', False),
        ("p follows", f"test,statistic,distribution,df,p_value; a,{FINE:.8g},chi2,20000,{FINE_P:.8g}", True),
        ("p follows", f"test,statistic,distribution,df,p_value; a,{FINE:.7g},chi2,20000,{FINE_P:.8g}", False),
        ("p follows", "test,statistic,df,p_value; a,2.0422724563,30.0,0.05", True),
        ("p follows", "test,statistic,df,p_value; a,2.0422724563,29.0,0.05", False),
        ("an interval holds", "x,ci_low,ci_high; a,1.0,2.0", True),
        ("an interval holds", "x,bca_low,bca_high; a,2.0,1.0", False),
        ("an interval holds", "x,effect_low,effect_high; a,2.0,1.0", None),  # effects below and above a threshold
        ("words of", 'x,finds,estimate,p_value; a,"negative, significant",-1.0,0.049', True),
        ("words of", 'x,finds,estimate,p_value; a,"negative, significant",-1.0,0.051', False),
        ("words of", 'x,finds,estimate,p_value; a,"positive, not significant",-1.0,0.051', False),
        ("words of", 'x,finds,estimate,p_value,wild_p_value; a,"negative, not significant",-1.0,0.049,0.06', True),
        ("words of", 'x,finds,estimate,p_value,wild_p_value; a,"negative, significant",-1.0,0.049,0.06', False),
        ("words of", 'x,finds,estimate,p_value,wild_p_value; a,"negative, significant",-1.0,0.049,', True),
        ("rows are", "rows_that_are,rows_left_out,rows,entities; all,0,20,4; with x,2,18,4", True),
        ("rows are", "rows_that_are,rows_left_out,rows,entities; all,0,20,4; with x,2,17,4", False),
        ("parts sum", "year,t_total,t_within,t_between; 1,3.0,1.0,2.0", True),
        ("parts sum", "year,t_total,t_within,t_between; 1,3.0,1.0,2.5", False),
        ("parts sum", "year,t_total,t_within,t_between; 1,3.1e-06,3.1234568,-3.1234538", True),  # what rounding leaves
        ("parts sum", "year,t_total,t_within,t_between; 1,3.0e-05,3.1234568,-3.1234538", False),
        ("parts sum", "x,figures,weights,total; a,1.0,0.5,1.5", True),
        ("parts sum", "x,figures,weights,total; a,1.0,0.5,1.4", False),
        ("parts sum", "index,indicator,weight; i,a,0.25; i,b,0.75; j,c,1.0", True),
        ("parts sum", "index,indicator,weight; i,a,0.25; i,b,0.74; j,c,1.0", False),
        ("a first-order", "choice,first,total; a,0.1,0.1", True),
        ("a first-order", "choice,first,total; a,0.2,0.1", False),
        ("stars", "term,full; x,2.00*; (x),(1.00)", True),
        ("stars", "term,full; x,2.00**; (x),(1.00)", False),
        ("stars", "term,full; x,2.00; (x),(1.00)", False),
        ("stars", "term,full; x,0.002***; (x),(0.001)", None),  # too few figures to know the result by
        ("stars", "term,full; x,2.10***; (x),(1.00)", None),  # no result prints these two numbers
        ("a quoted", f"claim,key,field,number; A,a.b,p_value,{AT_20}", True),
        ("a quoted", "claim,key,field,number; A,a.b,number,2.5", False),
    ],
)  # fmt: skip
def test_a_rule_over_tables_holds_or_names_the_row(tmp_path, rule, text, holds):
    two = {"estimate": 2.0, "std_error": 1.0, "statistic": 2.0, "p_value": AT_20, **T30}
    judge(record(("a.b", two)), write(tmp_path, text), rule, holds, "a notebook, table t, ")


@pytest.mark.parametrize(("level", "holds"), [(0.10, True), (0.05, False)])
def test_words_follow_from_p_at_the_level_of_the_study(tmp_path, level, holds):
    text = 'x,finds,estimate,p_value; a,"positive, significant",1.0,0.07'
    results = record(("rows.a_bound.significance", {"value": 0.0}), ("rows.significance", {"value": level}))
    judge(results, write(tmp_path, text), "words of", holds, "a notebook, table t, a")


def judge(results: Results, folder: Path, rule: str, holds: bool | None, place: str) -> None:
    """A rule that holds was checked somewhere; one that does not, names the place; one that does not apply is silent."""
    (name,) = [known for known in RULES if known.startswith(rule)]
    found = check_consistency(results, folder)
    broken = [breach for breach in found.breaches if breach.rule == name]
    assert bool(broken) == (holds is False)
    assert all(breach.place.startswith(place) for breach in broken)
    if holds is None:
        assert not [breach for breach in found.breaches if breach.rule == name]
    else:
        assert found.facts[name] > 0


def test_numbers_that_contradict_each_other_stop_a_run_and_write_nothing(tmp_path):
    results = record(("a.b", {"estimate": 2.0, "std_error": 0.5, "statistic": 3.0}))
    with pytest.raises(InconsistentError, match=r"03_model cell-07, result a\.b: statistic 3, not 4"):
        keep_consistent(results, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not issubclass(InconsistentError, StudyError)


def test_how_often_each_rule_was_checked_is_written_down(tmp_path):
    results = record(("s.x.first", {"value": 0.1}), ("s.x.total", {"value": 0.2}))
    facts = json.loads(keep_consistent(results, tmp_path).read_text(encoding="utf-8"))["facts"]
    assert facts.keys() == RULES.keys()
    assert facts["a first-order share does not exceed the total"] == 1


def test_the_committed_report_keeps_every_rule_and_every_rule_meets_it():
    from helpers.results.results import read_results

    folder = ROOT / "reports" / "provinces"
    found = check_consistency(read_results(folder / "results.json"), folder)
    assert [str(breach) for breach in found.breaches] == []
    assert min(found.facts.values()) > 0
