"""The sentences of notebook 11, with results planted on both sides of every condition."""

from types import SimpleNamespace
from typing import Any

import pytest

from cells import PlantedRun, run_cell
from helpers.inference import shown as inference_shown
from helpers.inference.detectable import detectable_f
from helpers.policy import shown
from planted import READINGS, clear_test, effect, recorded

NOTEBOOK = "11_policy_and_space"
LABEL: Any = {name: SimpleNamespace(en=name, zh=name) for name in ("d", "y")}


@pytest.mark.parametrize(
    "stage, reduced, words",
    [
        (
            (0.5, 0.01),
            (0.5, 0.01),
            "y (0.5000, p = 0.010; wild bootstrap p = 0.01; dealt out anew p = 0.01) rose more than",
        ),
        ((0.5, 0.01), (0.5, 0.2), "on which an effect smaller than 2.8016 would"),
        (
            (0.5, 0.2),
            (0.5, 0.01),
            "that d did too does not show (0.5000, p = 0.200; wild bootstrap p = 0.20), nor then",
        ),
        ((0.5, 0.2), (0.5, 0.2), "moved either does not show"),
        ((-0.5, 0.01), (-0.5, 0.01), "at least one of the two clearly rose less"),
        ((0.5, 0.01), (-0.5, 0.01), "at least one of the two clearly rose less"),
        ((-0.5, 0.2), (-0.5, 0.2), "moved either does not show"),
    ],
)
def test_a_policy_is_said_to_raise_only_what_both_tests_say(stage: Any, reduced: Any, words: str):
    tests = {
        side: clear_test(estimate, p_value, p_value)
        for side, (estimate, p_value) in (("treatment", stage), ("outcome", reduced))
    }
    run = PlantedRun()
    for side, found in tests.items():
        run.record(f"policy.p.{side}", found.effect)
        run.record(f"policy.p.{side}.wild", found.wild)
        run.record(f"policy.p.{side}.randomisation", found.wild)
    told = run_cell(
        NOTEBOOK,
        "moved = shown.read_policy",
        "rose more than elsewhere",
        run=run,
        found={("p", side): SimpleNamespace(effect=item) for side, item in tests.items()},
        shown=shown,
        choices=SimpleNamespace(policies={"p": None}),
        level=0.05,
        label=LABEL,
        treatment="d",
        outcome="y",
    )
    assert words in told
    assert ("smaller than 2.8016 on the first or 2.8016 on the second" in told) == ("moved either" in words)


@pytest.mark.parametrize(
    "p_value, wild, words",
    [
        (0.01, 0.02, "not to be read as an effect of the policy"),
        (0.01, 0.2, "Of the two joint tests one sees different trends"),
        (0.2, 0.01, "Of the two joint tests one sees different trends"),
        (0.05, 0.05, "which is no proof that they were parallel: trends that give an F smaller than"),
    ],
)
def test_a_joint_test_that_does_not_reject_is_no_proof(p_value: float, wild: float, words: str):
    run = PlantedRun()
    run.record("policy.p.pretrend", effect(1.2, p_value))
    run.record("policy.p.pretrend.wild", effect(1.2, wild))
    told = run_cell(
        NOTEBOOK,
        "policy.{main}.pretrend",
        run=run,
        main="p",
        level=0.05,
        label=LABEL,
        outcome="y",
        second=SimpleNamespace(events=SimpleNamespace(before=SimpleNamespace(df=2, df_denominator=30))),
        detectable_f=detectable_f,
    )
    assert words in told
    # Of two coefficients and 31 clusters: the F of test_detectable's formula.
    assert run.results["policy.p.pretrend.detectable"].value == pytest.approx(detectable_f(2, 30), abs=0.005)


@pytest.mark.parametrize(
    "value, words",
    [
        (0.0, "so that none can be lost"),
        (1.5, "until departures after the start are 1.50 times the largest"),
        (10.0, "even where departures after the start are 10.00 times the largest before it, the most that is tried"),
    ],
)
def test_the_breakdown_is_told_only_of_an_effect(value: float, words: str):
    run = PlantedRun()
    run.record("policy.p.outcome.breakdown", value=value, digits=2)
    assert words in run_cell(NOTEBOOK, "policy.{main}.outcome.breakdown", run=run, main="p", shown=shown)


@pytest.mark.parametrize(
    "reading, words",
    [
        ("above", "the outcome is higher"),
        ("below", "the outcome is lower"),
        ("above_without_times", "higher outcome clearly only without"),
        ("below_without_times", "lower outcome clearly only without"),
        ("unclear", "by the first weights (border): 0.5000 (p = 0.010; wild bootstrap p = 0.06). An effect of"),
        ("unseen", "no effect, however large, would surely have been seen"),
    ],
)
def test_neighbours_are_read_by_both_tests(reading: str, words: str):
    told = run_cell(
        NOTEBOOK,
        "read_effect(spill, level)]",
        run=recorded("spatial.neighbours.d", READINGS[reading]),
        spill=READINGS[reading],
        level=0.05,
        label=LABEL,
        treatment="d",
        closest="border",
        inference_shown=inference_shown,
    )
    assert words in told
    assert ("one smaller than 2.8016 would have been missed" in told) == reading.endswith("without_times")


@pytest.mark.parametrize(
    "effects, words",
    [
        ([], "No Durbin model could be had"),
        ([(0.5, 0.05), (0.5, 0.3)], "each looked at alone. One smaller than 2.8016 would have been missed"),
        ([(0.5, 0.01), (-0.5, 0.3)], "Kinds of weights with a clear indirect effect, each looked at alone: 1 of 2"),
        ([(0.5, 0.01), (0.5, 0.3)], "1 of 2 (0); no two of them differ in sign. That the others do not is no proof"),
        ([(0.5, 0.01), (-0.5, 0.01)], "depends on who counts"),
        ([(0.5, 0.01), (0.5, 0.02)], "Every kind of weights"),
    ],
)
def test_indirect_effects_are_told_over_all_kinds_of_weights(effects: list[tuple[float, float]], words: str):
    models = {
        ("durbin", str(place)): SimpleNamespace(effects={("d", "indirect"): effect(*pair)})
        for place, pair in enumerate(effects)
    }
    told = run_cell(NOTEBOOK, "No kind of weights shows", models=models, treatment="d", level=0.05, shown=shown)
    assert words in told
