"""Facts about two runs side by side."""

from dataclasses import replace

import pytest

from helpers.results.comparison import compare_results
from helpers.results.results import Results


@pytest.fixture
def results():
    results = Results(study="toy", notebook="03_model")
    results.record("baseline.b.x", estimate=1 / 3, std_error=0.1, p_value=1e-300, n_obs=20)
    results.record("baseline.a.x", value=7)
    return results


def _one(**fields):
    results = Results()
    results.record("a.b", **fields)
    return results


def test_equal_runs_have_no_differences(results):
    assert compare_results(results, results).empty


def test_the_last_bit_is_no_difference():
    assert compare_results(_one(estimate=0.3), _one(estimate=0.1 + 0.2)).empty


def test_a_difference_is_named_with_its_size():
    differences = compare_results(_one(estimate=0.5, p_value=0.25), _one(estimate=0.625, p_value=0.25))
    assert differences.to_dict("records") == [
        {"key": "a.b", "field": "estimate", "first": 0.5, "second": 0.625, "difference": 0.125}
    ]


def test_a_turned_sign_is_a_difference():
    assert len(compare_results(_one(estimate=1e-5), _one(estimate=-1e-5))) == 1


def test_a_key_of_one_side_only_is_a_difference(results):
    differences = compare_results(results, {"baseline.a.x": results["baseline.a.x"]})
    assert differences[["key", "field", "first", "second"]].values.tolist() == [["baseline.b.x", "key", True, False]]


def test_printed_digits_forgive_what_is_not_printed():
    first, second = _one(estimate=0.12341, digits=3), _one(estimate=0.12352, digits=3)
    assert len(compare_results(first, second)) == 1
    assert compare_results(first, second, at_printed_digits=True).empty


def test_another_convention_is_a_difference():
    first = _one(estimate=1.0, convention="stata")
    second = {"a.b": replace(first["a.b"], convention="lfe")}
    assert compare_results(first, second)["field"].tolist() == ["convention"]
