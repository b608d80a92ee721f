"""Facts about recorded results. Numbers are compared exactly: a results file loses no bit."""

import json
import math

import numpy as np
import pytest

from helpers.errors import StudyError
from helpers.results.estimate import Estimate
from helpers.results.results import Results, join_results, read_results


@pytest.fixture
def results():
    results = Results(study="toy", notebook="03_model")
    results.record("baseline.b.x", estimate=1 / 3, std_error=np.float64(0.1), p_value=1e-300, n_obs=np.int64(20))
    results.record("baseline.a.x", value=7)
    return results


def test_a_file_keeps_every_bit(results, tmp_path):
    again = read_results(results.write(tmp_path / "results.json"))
    assert dict(again) == dict(results)


def test_a_file_is_the_same_bytes_whatever_the_order_of_recording(results, tmp_path):
    turned = Results(study="toy", notebook="03_model")
    turned.record("baseline.a.x", value=7)
    turned.record("baseline.b.x", estimate=1 / 3, std_error=0.1, p_value=1e-300, n_obs=20)
    first, second = results.write(tmp_path / "1.json"), turned.write(tmp_path / "2.json")
    assert first.read_bytes() == second.read_bytes()


def test_a_file_has_the_agreed_form(results, tmp_path):
    content = json.loads(results.write(tmp_path / "results.json").read_text(encoding="utf-8"))
    assert (content["study"], content["schema"]) == ("toy", 1)
    assert content["results"] == [
        {"key": "baseline.a.x", "value": 7, "digits": 4, "notebook": "03_model"},
        {
            "key": "baseline.b.x",
            "estimate": 0.33333333,
            "std_error": 0.1,
            "p_value": 1e-300,
            "n_obs": 20,
            "digits": 4,
            "notebook": "03_model",
        },
    ]


def test_writing_leaves_no_other_file(results, tmp_path):
    results.write(tmp_path / "results.json")
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_key_is_recorded_once(results):
    with pytest.raises(StudyError, match="already recorded"):
        results.record("baseline.a.x", value=8)


def test_the_same_cell_run_again_records_anew():
    runs = iter([("cell-04", 1), ("cell-04", 9)])
    results = Results(where=lambda: next(runs))
    results.record("a.b", value=1)
    results.record("a.b", value=2)
    assert results["a.b"].value == 2


def test_another_cell_may_not_take_a_key():
    cells = iter([("cell-04", 1), ("cell-05", 2)])
    results = Results(where=lambda: next(cells))
    results.record("a.b", value=1)
    with pytest.raises(StudyError, match="already recorded"):
        results.record("a.b", value=2)


@pytest.mark.parametrize("key", ["", "one", "A.b", "a..b", "a.b ", "a.b-c", "a/b.c", ".a.b", "a.b.", "1.a", "省.b"])
def test_a_key_is_dotted_lower_case_words(key):
    with pytest.raises(StudyError, match="dotted lower-case"):
        Results().record(key, value=1)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float64("nan")])
@pytest.mark.parametrize("field", ["value", "std_error", "ci_low"])
def test_a_number_is_finite(field, number):
    numbers = {"value": 1.0} | {field: number}
    with pytest.raises(StudyError, match="not finite"):
        Results().record("a.b", **numbers)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "either an estimate or a value"),
        ({"value": 1, "estimate": 1}, "either an estimate or a value"),
        ({"estimate": 1, "p_value": 1.01}, "p_value is"),
        ({"estimate": 1, "std_error": -0.1}, "std_error is"),
        ({"estimate": 1, "ci_low": 2, "ci_high": 1}, "upside down"),
        ({"estimate": "1"}, "not a number"),
        ({"value": True}, "not a number"),
        ({"value": 1, "n_obs": 1.5}, "not a count"),
        ({"value": 1, "n_entities": -1}, "not a count"),
        ({"value": 1, "digits": -1}, "digits is"),
    ],
)
def test_a_result_that_cannot_be_is_refused(fields, rule):
    with pytest.raises(StudyError, match=rule):
        Results().record("a.b", **fields)


def test_a_refused_result_leaves_nothing_behind():
    results = Results()
    with pytest.raises(StudyError):
        results.record("a.b", value=math.nan)
    assert len(results) == 0


def test_an_estimate_is_recorded_whole():
    found = Estimate(
        estimate=0.0, std_error=0.1, statistic=0.2, df=3, p_value=0.3, ci_low=0.4, ci_high=0.5, n_obs=20, n_entities=4,
        n_clusters=4, draws=999, convention="stata",
    )  # fmt: skip
    result = Results(notebook="03_model").record("a.b", found, digits=2)
    assert {name: getattr(result, name) for name in vars(found)} == vars(found)
    assert (result.digits, result.notebook) == (2, "03_model")


def test_an_end_at_infinity_is_left_out():
    found = Estimate(estimate=0.0, ci_low=-np.inf, ci_high=1.0)
    result = Results().record("a.b", found)
    assert (result.ci_low, result.ci_high) == (None, 1.0)


def test_a_field_that_no_result_has_is_refused():
    with pytest.raises(TypeError, match="colour"):
        Results().record("a.b", value=1, colour="red")


def _write_parts(folder, *parts):
    for name, key in parts:
        part = Results(study="toy", notebook=name)
        part.record(key, value=1)
        part.write(folder / "run" / "results" / f"{name}.json")


def test_parts_are_merged_in_order_of_keys(tmp_path):
    _write_parts(tmp_path, ("01_a", "z.z"), ("02_b", "a.a"))
    merged = join_results(tmp_path)
    assert [(key, result.notebook) for key, result in merged.items()] == [("a.a", "02_b"), ("z.z", "01_a")]


def test_a_part_of_a_notebook_that_is_gone_is_not_merged(tmp_path):
    _write_parts(tmp_path, ("01_a", "z.z"), ("02_b", "a.a"))
    assert list(join_results(tmp_path, ["01_a"])) == ["z.z"]


def test_two_notebooks_may_not_share_a_key(tmp_path):
    _write_parts(tmp_path, ("01_a", "a.a"), ("02_b", "a.a"))
    with pytest.raises(StudyError, match="01_a and 02_b"):
        join_results(tmp_path)


def test_a_missing_part_is_named(tmp_path):
    _write_parts(tmp_path, ("01_a", "a.a"))
    with pytest.raises(StudyError, match=r"02_b\.json"):
        join_results(tmp_path, ["01_a", "02_b"])


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"schema": 2}', '{"study": "s", "schema": 1, "results": [{"key": "a.b", "value": 1, "extra": 2}]}'],
)
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(StudyError, match=r"results\.json"):
        read_results(path)
