"""The sentences of notebook 09, with results planted on both sides of every condition."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.coordination import shown
from helpers.disparity import shown as disparity_shown
from helpers.inference import clear
from helpers.inference import shown as inference_shown
from helpers.inference.clear import record_clear
from helpers.inference.detectable import detectable_effect
from helpers.results.estimate import Estimate
from planted import READINGS, clear_family, clear_test, effect, recorded

NOTEBOOK = "09_coordination"
QUESTION = SimpleNamespace(of="technology", by="organisation", beside=())

SAID = {
    "coordination.interaction": {
        "above": "pays more where organisation is higher: interaction 0.5000 (p = 0.010; wild bootstrap p = 0.02)",
        "below": "opposite of the claim",
        "above_without_times": "pays more where organisation is higher is clear only while",
        "below_without_times": "pays less where organisation is higher is clear only while",
        "unclear": "more would have been seen in four of five",
        "unseen": "however large, would surely have been seen",
    },
    "coordination.coupling_given_mean": {
        "above": "go with a higher outcome: 0.5000",
        "below": "go with a lower outcome: −0.5000",
        "above_without_times": "higher outcome clearly only without period effects",
        "below_without_times": "lower outcome clearly only without period effects",
        "unclear": "more would have been seen in four of five",
        "unseen": "however large, would surely have been seen",
    },
    "coordination.function_spread": {
        "above": "drift apart where the treatment rises: 0.5000",
        "below": "come together where the treatment rises: −0.5000",
        "above_without_times": "drift apart where the treatment rises clearly only without",
        "below_without_times": "come together where the treatment rises clearly only without",
        "unclear": "more would have been seen in four of five",
        "unseen": "however large, would surely have been seen",
    },
    "returns.square": {
        "above": "The slope rises with the treatment, it does not fall",
        "below": "that there are returns which could diminish does not show",
        "above_without_times": "only without them does the slope clearly rise",
        "below_without_times": "only without them does the slope clearly fall",
        "unclear": "would have been seen in four of five",
        "unseen": "no square, however large, would surely have been seen",
    },
}
NAME = {
    "coordination.interaction": "interaction",
    "coordination.coupling_given_mean": "together",
    "coordination.function_spread": "spread",
    "returns.square": "square",
}


@pytest.mark.parametrize("reading", list(READINGS))
@pytest.mark.parametrize("key", [key for key in SAID if key != "returns.square"])
def test_what_is_said_of_an_effect_is_what_both_tests_say(key: str, reading: str):
    found = READINGS[reading]
    names = {NAME[key]: found, "run": recorded(key, found), "level": 0.05, "question": QUESTION}
    told = run_cell(NOTEBOOK, f"read_effect({NAME[key]}, level)]", inference_shown=inference_shown, **names)
    assert SAID[key][reading] in told
    assert ("one smaller than 2.8016 would have been missed" in told) == reading.endswith("without_times")
    others = [words for other, words in SAID[key].items() if other != reading]
    assert not any(words in told for words in others if words not in SAID[key][reading])


def say_returns(reading: str, low: tuple[float, float, float]) -> str:
    """The sentence on returns where the slope at the lower end has this estimate, p-value and wild p-value."""
    found, (slope, p_value, wild) = READINGS[reading], low
    ends = SimpleNamespace(low=effect(slope, p_value), high=effect(-0.3, 0.04), turning_point=0.1, p_value=0.2)
    slopes = {"low": effect(slope, wild), "high": effect(-0.3, 0.26)}
    return run_cell(
        NOTEBOOK,
        "ends = returns.end_slopes",
        "Returns diminish: the square",
        run=recorded("returns.square", found),
        square=found,
        level=0.05,
        bent=None,
        wild_draws=99,
        returns=SimpleNamespace(end_slopes=lambda _: ends, wild_slopes=lambda *_, **__: slopes),
        shown=shown,
    )


@pytest.mark.parametrize("reading", list(READINGS))
def test_returns_are_said_to_bend_only_where_both_tests_say_so(reading: str):
    told = say_returns(reading, (0.3, 0.2, 0.2))
    assert SAID["returns.square"][reading] in told
    assert ("A square smaller than 2.8016 would have been missed" in told) == reading.endswith("without_times")
    both = "−0.3000 (p = 0.040; wild bootstrap p = 0.260) at the upper"
    assert (both in told) == (reading in ("below", "unclear", "unseen"))


@pytest.mark.parametrize(
    "low, diminish",
    [((0.3, 0.01, 0.02), True), ((0.3, 0.01, 0.05), False), ((0.3, 0.05, 0.01), False), ((-0.3, 0.01, 0.02), False)],
)
def test_only_returns_can_diminish(low: tuple[float, float, float], diminish: bool):
    """A slope that falls from nothing, or from below zero, is no return that diminishes."""
    assert ("Returns diminish" in say_returns("below", low)) == diminish
    assert "Returns diminish" not in say_returns("unclear", low)


@pytest.mark.parametrize(
    "alike, words", [(0.95, "holds little beside"), (0.5, "That alone does not say that coordination adds")]
)
def test_whether_the_degree_says_more_than_the_level_depends_on_the_ranks(alike: float, words: str):
    told = run_cell(
        NOTEBOOK,
        "rank_correlation",
        "Over all rows the degree",
        degree=SimpleNamespace(corr=lambda *_, **__: alike, __len__=lambda: 9),
        data={"d": None},
        treatment="d",
        label={"d": SimpleNamespace(en="Treatment", zh="x")},
        len=lambda _: 9,
    )
    assert words in told


@pytest.mark.parametrize(
    "weak, low, words",
    [
        (True, -0.2, "weakly correlated"),
        (False, -0.2, "not shown to be weak"),
        (False, 0.4, "go together"),
        (False, -0.6, "the one falls where the other rises"),
        (False, -0.5, "not shown to be strong"),
    ],
)
def test_weak_is_said_only_of_an_interval_inside_the_bounds(weak: bool, low: float, words: str):
    run = PlantedRun()
    wide = run.record("r.wide", effect(0.1, 0.5))
    tie = SimpleNamespace(is_weak=lambda _: weak, wide=SimpleNamespace(ci_low=low, ci_high=low + 0.2))
    told = run_cell(
        NOTEBOOK,
        "returns.weak_bound",
        run=run,
        wide=wide,
        narrow=wide,
        between=wide,
        tie=tie,
        asked=SimpleNamespace(weak=0.3),
    )
    assert words in told


@pytest.mark.parametrize(
    "p_value, words",
    [
        (0.2, "With unit and period effects no threshold in d is seen (F = 9.00"),
        (0.01, "The slope changes where d is 0.4000"),
    ],
)
def test_a_threshold_is_said_only_where_the_bootstrap_rejects(p_value: float, words: str):
    run = PlantedRun()
    run.record("returns.threshold.d", value=0.4, ci_low=0.3, ci_high=0.5, statistic=9.0, p_value=p_value)
    for side in ("low", "high"):
        run.record(f"returns.threshold.d.{side}", effect(0.1, 0.5))
    told = run_cell(NOTEBOOK, "no threshold in", run=run, chosen="d", level=0.05)
    assert words in told


UPPER = "those that began in the upper group gained on those of the lower"
LOWER = "those that began in the lower group gained on those of the upper"


@pytest.mark.parametrize(
    "gini, points, wild, words",
    [
        (
            (0.1, 0.2),
            1.0,
            0.04,
            f"Units pull apart: the Gini changed by 0.1500 [0.1000, 0.2000], and in points too {UPPER}",
        ),
        ((0.1, 0.2), -1.0, 0.04, f"while in points {LOWER}: −1.0000 (p = 0.040; wild bootstrap p = 0.040)"),
        (
            (0.1, 0.2),
            1.0,
            0.06,
            "units pull apart: the Gini changed by 0.1500 [0.1000, 0.2000]. In points it is not clear",
        ),
        ((-0.2, -0.1), 1.0, 0.04, "In relative terms units come together (the Gini changed by"),
        ((-0.2, -0.1), -1.0, 0.04, "Units come together: the Gini changed by"),
        ((-0.2, -0.1), 1.0, 0.06, "which group gained on the other: 1.0000 (p = 0.040; wild bootstrap p = 0.060)"),
        ((-0.2, 0.1), 1.0, 0.04, f"In points {UPPER}"),
        ((-0.2, 0.1), -1.0, 0.04, f"In points {LOWER}"),
        ((-0.2, 0.1), 1.0, 0.06, "Whether units pull apart is not clear"),
    ],
)
def test_relative_and_absolute_gaps_are_told_apart(gini: tuple[float, float], points: float, wild: float, words: str):
    run = PlantedRun()
    low, high = gini
    change, gain = effect(points, 0.04), effect(points, wild)
    middle = Estimate(estimate=(low + high) / 2, ci_low=low, ci_high=high)
    run.record("divergence.points.wild", gain)
    told = run_cell(
        NOTEBOOK,
        "Units pull apart: the Gini",
        run=run,
        apart={"gini_change": middle, "points": change},
        wilds={"points": gain},
        level=0.05,
        disparity_shown=disparity_shown,
        gini=run.record("d.gini", middle),
        points=run.record("d.points", change),
    )
    assert words in told


def test_the_changes_that_could_not_have_been_seen_are_told():
    change = Estimate(estimate=0.0, std_error=0.1, ci_low=-0.2, ci_high=0.2)
    told = run_cell(
        NOTEBOOK,
        "A change of the Gini smaller",
        apart={"gini_change": change, "points": effect(0.1, 0.5)},
        wilds={"points": replace(effect(0.1, 0.5), std_error=None)},
        level=0.05,
        clear=clear,
        detectable_effect=detectable_effect,
    )
    # 1.960 + 0.842 standard errors: 0.1 of the Gini, 1 in points; the bootstrap's interval of 2 is that of 1 / 1.96.
    assert told.startswith(
        "A change of the Gini smaller than 0.2802, or a difference in points gained smaller than 2.80"
    )


@pytest.mark.parametrize(
    "p_value, wild, words",
    [
        (0.01, 0.3, "What stands out once all are looked at: one"),
        (
            0.2,
            0.3,
            "nor do they together by both tests: F = 3.0000 (p = 0.040; wild bootstrap p = 0.300). An effect of one smaller than 1.92 standard",
        ),
        (
            0.2,
            0.02,
            "but together they differ from zero: F = 3.0000 (p = 0.040; wild bootstrap p = 0.020). An effect of one smaller than 1.92 standard",
        ),
    ],
)
def test_a_feature_stands_out_only_by_the_adjusted_p_value(p_value: float, wild: float, words: str):
    run = PlantedRun()
    told = run_cell(
        NOTEBOOK,
        "No feature stands out",
        run=run,
        four=clear_family(one=(0.4, p_value), two=(0.1, 0.6)),
        level=0.05,
        inference_shown=inference_shown,
        choices=SimpleNamespace(label=lambda name: name),
        joint_f=run.record("f.joint", effect(3.0, 0.04)),
        joint_wild=run.record("f.wild", effect(3.0, wild)),
        strong=3.72,
    )
    assert words in told
    assert "two" not in told
    assert ("gives an F smaller than 3.72 on average" in told) == ("nor do they together" in words)


@pytest.mark.parametrize(
    "forth, back, words",
    [
        (
            (0.5, 0.01),
            (0.5, 0.01),
            "Each goes before the other: 0.5000 (p = 0.010; wild bootstrap p = 0.02) from d to y",
        ),
        ((0.5, 0.01), (0.5, 0.2), "Only the way from d to y"),
        ((0.5, 0.2), (0.5, 0.01), "Only the way back, from y to d"),
        ((-0.5, 0.01), (0.5, 0.2), "At least one way of the loop is clear and negative"),
        ((0.5, 0.01), (-0.5, 0.01), "At least one way of the loop is clear and negative"),
        ((0.5, 0.03), (-0.5, 0.03), "Neither way of the loop is clear: 0.5000 (p = 0.030; wild bootstrap p = 0.06)"),
    ],
)
def test_a_loop_needs_both_ways(forth: tuple[float, float], back: tuple[float, float], words: str):
    run = PlantedRun()
    pairs = (("forth", forth), ("back", back))
    ways = {name: clear_test(estimate, p_value, 2 * p_value) for name, (estimate, p_value) in pairs}
    told = run_cell(
        NOTEBOOK,
        "Neither way of the loop",
        run=run,
        shown=shown,
        ways=ways,
        level=0.05,
        **{name: record_clear(run.record, f"l.{name}", found) for name, found in ways.items()},
        label={name: SimpleNamespace(en=name, zh=name) for name in ("d", "y")},
        treatment="d",
        outcome="y",
    )
    assert words in told
    assert ("smaller than 2.8016 forth or 2.8016 back would have been missed" in told) == words.startswith("Neither")


@pytest.mark.parametrize("key", [key for key in SAID if key != "returns.square"])
def test_beside_what_does_not_show_stands_what_would_have(key: str):
    found = READINGS["unclear"]
    names = {NAME[key]: found, "run": recorded(key, found), "level": 0.05, "question": QUESTION}
    told = run_cell(NOTEBOOK, f"read_effect({NAME[key]}, level)]", inference_shown=inference_shown, **names)
    # 1.9600 + 0.8416 standard errors of 1.
    assert "of 2.8016 or more would have been seen in four of five samples" in told


def test_the_unit_that_holds_most_of_an_interaction_is_named():
    told = run_cell(NOTEBOOK, "heaviest = run.record", leverage=pd.Series([0.4, 0.1], index=["Aland", "Bland"]))
    assert "One unit, Aland, holds 40%" in told
