"""The index under each combination of choices equals `composite_index`, to 1e-12 (the same steps)."""

from typing import Any

import pytest
from numpy.testing import assert_allclose

from helpers.errors import StudyError
from helpers.index.choices import ChoiceIndex, IndexChoices, IndexRun
from helpers.index.composite import composite_index
from index.test_composite import INDICATORS, a_panel, a_spec

DECLARED = IndexRun(
    zero_rule=0.0, scale="min_max", winsorise=0.0, weights="entropy", scope="pooled", aggregate="arithmetic"
)


def run_of(**changes: Any) -> IndexRun:
    return IndexRun(**{**vars(DECLARED), **changes})


@pytest.mark.parametrize(
    "run",
    [
        DECLARED,
        run_of(zero_rule=0.01),
        run_of(scale="z_score"),
        run_of(scale="z_score", left_out="roads"),
        run_of(scale="percentile", weights="critic"),
        run_of(winsorise=0.05, aggregate="geometric"),
        run_of(weights="entropy_yearly", scope="yearly", aggregate="harmonic", zero_rule=0.01),
        run_of(weights="coefficient_of_variation", aggregate="topsis"),
        run_of(weights="critic_entropy", left_out="patents"),
        run_of(weights="pca"),
    ],
)
def test_a_run_equals_the_composite_index(run: IndexRun) -> None:
    kept = {name: item for name, item in INDICATORS.items() if name != run.left_out}
    expected = composite_index(a_panel(), {"indicators": kept, "method": run.method(0.01)})
    assert_allclose(ChoiceIndex(a_panel(), a_spec(), 0.01).build(run), expected.values, atol=1e-12)


def test_the_first_options_are_the_definition_of_the_project() -> None:
    first = IndexChoices()
    run = IndexRun(
        **{
            name: getattr(first, name)[0]
            for name in ("zero_rule", "scale", "winsorise", "weights", "scope", "aggregate")
        }
    )
    assert_allclose(
        ChoiceIndex(a_panel(), a_spec(), 0.01).build(run), composite_index(a_panel(), a_spec()).values, atol=1e-12
    )


def test_runs_that_share_steps_do_not_disturb_each_other() -> None:
    index = ChoiceIndex(a_panel(), a_spec(), 0.01)
    before = index.build(DECLARED).copy()
    index.build(run_of(aggregate="geometric"))
    index.build(run_of(left_out="roads"))
    assert_allclose(index.build(DECLARED), before, atol=0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"weights": ("fixed",)}, "options of the index: fixed"),
        ({"scale": ("goalposts",)}, "options of the index: goalposts"),
        ({"weights": ("entropy", "pca")}, "weights pca"),
        ({"scope": ()}, "options of the index: scope"),
        ({"weights": ("guess",)}, "weights: Input should be"),
    ],
)
def test_options_that_cannot_be_varied_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        IndexChoices(**options)


def test_a_negative_weight_outside_the_arithmetic_mean_is_refused() -> None:
    panel = a_panel().assign(software=lambda frame: -frame["patents"] + frame["software"] / 50)
    with pytest.raises(StudyError, match="a weight is negative"):
        ChoiceIndex(panel, a_spec(), 0.01).build(run_of(weights="pca", aggregate="harmonic"))
