"""The indicators of the Robustness Dashboard against their formulas, written out in plain Python.

Tolerance 1e-12 (relative): the same sums in another order.
"""

import statistics
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.errors import StudyError
from helpers.multiverse.dashboard import Original, code_paths, robustness_indicators
from helpers.multiverse.shown import DASHBOARD, dashboard_table, record_indicators, write_paths
from outside import outside

SOURCE = "written out: the indicators in the documentation of repframe 1.6"
ESTIMATES = [0.5, 0.2, -0.4, 0.1, 0.0, 0.9, 0.3]
P_VALUES = [0.01, 0.05, 0.02, 0.4, 1.0, 0.001, 0.2]
T = [2.6, 2.0, -2.4, 0.8, 0.0, 3.6, 1.3]


def indicators(original: Original):
    return robustness_indicators(np.array(ESTIMATES), np.array(T), np.array(P_VALUES), original)


def test_the_indicators_of_a_significant_original():
    found = indicators(Original(0.4, 0.16, 0.03))
    paths = list(zip(ESTIMATES, P_VALUES, strict=True))
    like = sorted(estimate for estimate, p in paths if p <= 0.05 and estimate * 0.4 >= 0)
    middle = like[len(like) // 2]
    far = [abs(p - 0.03) for p in P_VALUES if p > 0.05]
    theirs = {
        "agreement": len(like) / 7,
        "relative_size": sum(ESTIMATES) / 7 / 0.4,
        "relative_statistic": sum(T) / 7 / (0.4 / 0.16),
        "size_variation": statistics.stdev(ESTIMATES) / 0.16,
        "statistic_variation": statistics.stdev(T),
        "same_sign": 3 / 7,
        "opposite_sign": 1 / 7,
        "insignificant": 3 / 7,
        "median_size": middle / 0.4 - 1,
        "size_deviation": sum(abs(item - middle) for item in like) / len(like) / 0.4,
        "p_deviation_insignificant": sum(far) / len(far),
    }
    outside(robustness_indicators, SOURCE, [getattr(found, name) for name in theirs], list(theirs.values()), rtol=1e-12)
    assert found.p_deviation_significant is None
    assert found.original_significant


def test_the_indicators_of_an_insignificant_original():
    found = indicators(Original(-0.1, 0.2, 0.6))
    near = [abs(p - 0.6) for p in P_VALUES if p <= 0.05]
    far = [abs(p - 0.6) for p in P_VALUES if p > 0.05]
    theirs = [3 / 7, 1 / 7, 3 / 7, sum(near) / len(near), sum(far) / len(far), statistics.stdev(ESTIMATES) / 0.2]
    ours = [
        found.agreement,
        found.same_sign,
        found.opposite_sign,
        found.p_deviation_significant,
        found.p_deviation_insignificant,
        found.size_variation,
    ]
    outside(robustness_indicators, SOURCE, ours, theirs, rtol=1e-12)
    assert (found.relative_size, found.relative_statistic, found.median_size, found.size_deviation) == (None,) * 4


@pytest.mark.parametrize("original", [Original(0.0, 0.1, 0.5), Original(0.1, 0.0, 0.5), Original(np.nan, 0.1, 0.5)])
def test_an_original_without_a_scale_is_refused(original):
    with pytest.raises(StudyError, match=r"original|finite"):
        indicators(original)


@pytest.mark.parametrize("p_value, told", [(0.03, "is significant: 42.9%"), (0.6, "is not significant: 42.9%")])
def test_the_sentence_follows_the_original(p_value, told):
    run, found = PlantedRun(), indicators(Original(0.4, 0.16, p_value))
    record_indicators(run.record, found)
    text = run_cell("07_multiverse", "times the primary's clustered standard error", run=run, indicators=found)
    assert told in text
    assert ("the mean over all universes is" in text) == (p_value < 0.05)
    assert ("ratios to it are not formed" in text) == (p_value > 0.05)


def test_what_does_not_apply_is_said_so():
    table = dashboard_table(indicators(Original(0.4, 0.16, 0.6)))
    assert table.loc[DASHBOARD["relative_size"], "applies"] == "no"
    assert table.loc[DASHBOARD["agreement"], "applies"] == "yes"
    assert (table["value"].notna() == (table["applies"] == "yes")).all()


def test_the_paths_come_back_from_stata_with_the_original_coded_zero(tmp_path):
    paths = pd.DataFrame(
        {"estimate": [1.0, 2.0], "std_error": [0.5, 0.4], "p_value": [0.1, 0.01], "index rows": ["all", "sample"]}
    )
    coded = code_paths(paths, ("index rows",), Original(3.0, 1.0, 0.02), pd.Series({"index rows": "sample"}))
    coded.to_stata(tmp_path / "paths.dta", write_index=False, version=118)
    back = pd.read_stata(tmp_path / "paths.dta", convert_categoricals=False)
    assert list(back["origpath"]) == [1, 0, 0]
    assert list(back["b"]) == [3.0, 1.0, 2.0]
    assert list(back["index_rows"]) == [0, 1, 0]
    assert set(back["result"]) == {1}


def test_the_universe_that_is_the_primary_specification_names_its_options(tmp_path):
    table = pd.DataFrame(
        {"effects": pd.Categorical(["entity", "entity", "none"]), "lag": pd.Categorical(["0", "1", "0"])}
    )
    table = table.assign(estimate=[1.0, 2.0, 3.0], std_error=0.5, statistic=[2.0, 4.0, 6.0], p_value=[0.3, 0.02, 0.01])
    table["standardised"] = table["estimate"] / 2
    multiverse: Any = SimpleNamespace(estimated=table, decisions=("effects", "lag"))
    for estimate, label, n_paths in ((1.0, "1", 2), (1.1, "as in the primary specification", 3)):
        original = Original(estimate, 0.25, 0.02)
        assert write_paths(multiverse, original, "entity", tmp_path / "p.dta") == n_paths
        assert str(pd.read_stata(tmp_path / "p.dta")["lag"].iloc[0]) == label
