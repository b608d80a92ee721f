"""The sentences of notebook 10, with results planted on both sides of every condition."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cells import PlantedRun, run_cell
from helpers.inference import clear
from helpers.inference import shown as inference_shown
from helpers.inference.clear import record_clear
from helpers.inference.detectable import detectable_effect
from helpers.society import quality, shown
from helpers.study.data import Label
from planted import READINGS, clear_family, clear_test, effect, recorded

NOTEBOOK = "10_social_quality"
LABELS: Any = SimpleNamespace(label=lambda name: name)


@pytest.mark.parametrize(
    "gini, sigma, wild, words",
    [
        ((-0.2, -0.1), (-0.1, 0.01), 0.03, "units have become more equal. The Gini"),
        ((-0.2, -0.1), (-0.1, 0.2), 0.03, "do not both say so"),
        ((-0.2, -0.1), (-0.1, 0.01), 0.2, "do not both say so"),
        ((-0.2, -0.1), (0.1, 0.01), 0.03, "do not both say so"),
        ((0.1, 0.2), (-0.1, 0.01), 0.03, "have become less equal"),
        ((-0.1, 0.1), (-0.1, 0.01), 0.03, "is not clear"),
    ],
)
def test_more_equal_is_said_only_of_an_interval_below_zero(
    gini: tuple[float, float], sigma: tuple[float, float], wild: float, words: str
):
    run = PlantedRun()
    told = run_cell(
        NOTEBOOK,
        "units have become more equal. The Gini",
        run=run,
        level=0.05,
        gini=run.record("s.gini", estimate=sum(gini) / 2, ci_low=gini[0], ci_high=gini[1]),
        sigma=run.record("s.sigma", effect(*sigma)),
        beta=run.record("s.beta", effect(-0.1, 0.01)),
        sigma_wild=run.record("s.sigma.wild", effect(sigma[0], wild)),
        beta_wild=run.record("s.beta.wild", effect(-0.1, 0.01)),
        detectable_effect=detectable_effect,
        asked=SimpleNamespace(services="schools"),
        choices=SimpleNamespace(time=SimpleNamespace(unit=Label(en="year", zh="年"))),
    )
    assert told.startswith("schools: ")
    assert words in told
    # An interval of 0.2 is (1.960 + 0.842) / 1.960 times as wide as what it can see on either side.
    assert ("a change of 0.1429 or more" in told) == (words == "is not clear")


@pytest.mark.parametrize(
    "reading, words",
    [
        ("below", "schools: units converge faster where the treatment is higher, −0.5000"),
        ("above", "schools: units converge slower where the treatment is higher, 0.5000"),
        ("unclear", "four of five"),
        ("unseen", "no product, however large"),
    ],
)
def test_speed_is_a_negative_product(reading: str, words: str):
    found = READINGS[reading]
    own = replace(found, without_times=None, without_times_wild=None)
    run = recorded("services.speed.d", own)
    record_clear(run.record, "services.own", clear_test(-0.3, 0.01, 0.2))
    told = run_cell(
        NOTEBOOK,
        "units converge faster",
        run=run,
        level=0.05,
        treatment="d",
        speeds={"absolute": own},
        speed=run.results["services.speed.d"],
        own=run.results["services.own"],
        asked=SimpleNamespace(speed=None, services="schools"),
        inference_shown=inference_shown,
    )
    assert words in told
    assert ("product is −0.3000 (p = 0.010; wild bootstrap p = 0.20)" in told) == (reading in ("unclear", "unseen"))


@pytest.mark.parametrize(
    "p_value, words", [(0.01, "What moves clearly once all outcomes are counted: one"), (0.2, "No gap")]
)
def test_a_gap_moves_only_by_the_adjusted_p_value(p_value: float, words: str):
    told = run_cell(
        NOTEBOOK,
        "sides = {name: inference_shown",
        "No gap moves clearly",
        gaps={"gaps": clear_family(one=(0.4, p_value), two=(0.1, 0.6))},
        level=0.05,
        shown=shown,
        inference_shown=inference_shown,
        choices=LABELS,
    )
    assert words in told
    assert "two" not in told
    # Planted: one standard error is half a standard deviation, and |t| must exceed 3: (3 + 0.842) / 2.
    assert ("smaller than 1.92 on any, or than 1.92 on the worst" in told) == (words == "No gap")


@pytest.mark.parametrize(
    "p_value, wild, words",
    [
        (0.01, 0.2, "Clear once all are counted: up one; down nothing."),
        (0.2, 0.01, "No function responds clearly once all are counted. c"),
        (0.2, 0.2, "No function responds clearly once all are counted, nor does c"),
    ],
)
def test_a_function_responds_only_by_the_adjusted_p_value(p_value: float, wild: float, words: str):
    reach = clear_test(-1.0, 0.01, wild)
    run = recorded("functions.c.d", reach)
    told = run_cell(
        NOTEBOOK,
        "above, below = shown.count_sides",
        "No function responds",
        run=run,
        functions={"functions": clear_family(one=(0.4, p_value), two=(0.1, 0.6))},
        contrast="c",
        treatment="d",
        level=0.05,
        shown=shown,
        inference_shown=inference_shown,
        choices=LABELS,
        reach=reach,
    )
    assert words in told
    assert "c: −1.0000 (p = 0.010; wild bootstrap p" in told
    seen = "A difference smaller than 2.8016, or an effect smaller than 1.92 standard"
    assert (seen in told) == ("nor does" in words)


@pytest.mark.parametrize(
    "cell, name, none",
    [("None of these moves", "shift", "does not show"), ("No measure of market", "vitality", "No measure")],
)
@pytest.mark.parametrize(
    "planted, words",
    [((0.4, 0.01), "up one; down nothing"), ((-0.4, 0.01), "up nothing; down one"), ((0.4, 0.2), "")],
)
def test_what_moves_is_named_by_its_side(cell: str, name: str, none: str, planted: tuple[float, float], words: str):
    told = run_cell(
        NOTEBOOK,
        cell,
        **{name: {name: clear_family(one=planted)}},
        level=0.05,
        shown=shown,
        inference_shown=inference_shown,
        choices=LABELS,
    )
    assert (words or none) in told
    assert ("smaller than 1.92 standard" in told) == (words == "")


@pytest.mark.parametrize(
    "cell, name", [("None of these moves", "shift"), ("No measure of market", "vitality"), ("No gap moves", "gaps")]
)
def test_without_figures_nothing_is_said_of_what_would_have_been_seen(cell: str, name: str):
    names = {name: {}, "moved": [], "level": 0.05, "shown": shown, "inference_shown": inference_shown}
    told = run_cell(NOTEBOOK, cell, **names, choices=LABELS)
    assert "is not asked of this study" in told


@pytest.mark.parametrize(
    "reading, words",
    [
        ("above", "In the first period of the crisis units with more d did better: 0.5000"),
        ("below", "In the first period of the crisis units with more d did worse: −0.5000"),
        (
            "above_without_times",
            "In the first period of the crisis units with more d did better clearly only",
        ),
        (
            "below_without_times",
            "In the first period of the crisis units with more d did worse clearly only",
        ),
        (
            "unclear",
            "in the first period of the crisis: 0.5000 per standard deviation (p = 0.010; wild bootstrap p = 0.06)",
        ),
        ("unseen", "no difference, however large, would surely have been seen"),
    ],
)
def test_the_crisis_is_read_by_both_tests(reading: str, words: str):
    told = run_cell(
        NOTEBOOK,
        "read_effect(crisis, level)]",
        run=recorded("crisis.growth", READINGS[reading]),
        crisis=READINGS[reading],
        treatment="d",
        asked=SimpleNamespace(crisis=SimpleNamespace(outcome="growth")),
        level=0.05,
        inference_shown=inference_shown,
    )
    assert words in told
    assert ("one smaller than 2.8016 would have been missed" in told) == reading.endswith("without_times")


@pytest.mark.parametrize(
    "reading, words",
    [
        ("above", "The effect on quality of work is above that on social quality: the difference"),
        ("below", "The effect on quality of work is below that on social quality: the difference"),
        ("above_without_times", "is above that on social quality clearly only"),
        ("below_without_times", "is below that on social quality clearly only"),
        ("unclear", "would have been seen in four of five"),
        ("unseen", "no difference, however large, would surely have been seen"),
    ],
)
def test_the_two_qualities_are_read_by_their_difference(reading: str, words: str):
    told = run_cell(
        NOTEBOOK,
        "read_effect(ahead, level)]",
        run=recorded("society.gap.d", READINGS[reading]),
        tests={("entropy", quality.GAP): READINGS[reading]},
        quality=quality,
        treatment="d",
        outcome="quality of work",
        level=0.05,
        inference_shown=inference_shown,
    )
    assert words in told
    assert ("one smaller than 2.8016 would have been missed" in told) == reading.endswith("without_times")


def test_factors_that_lag_and_that_lead_are_named():
    lags = {"slow": effect(0.5, 0.01), "fast": effect(-0.5, 0.01), "even": effect(0.5, 0.2), "wild": effect(0.5, 0.01)}
    wilds = lags | {"wild": effect(0.5, 0.2)}

    def say(factors: list[str]) -> str:
        names = {"lags": lags, "lag_wilds": wilds, "factors": factors, "level": 0.05, "choices": LABELS, "clear": clear}
        return str(run_cell(NOTEBOOK, "told_apart = [name", "No factor has clearly moved", **names))

    assert say(list(lags)) == "Moved less than the outcome: slow. Moved more: fast."
    still = say(["even", "wild"])
    # The planted standard error is 1, without degrees of freedom.
    assert still == (
        "No factor has clearly moved less, or more, than the outcome; a gap smaller than 2.80 would have been missed in "
        "more than one of five samples, whichever the factor."
    )


@pytest.mark.parametrize(
    "planted, lead, words",
    [
        ((0.5, 0.01, 0.01), (0.2, 0.01, 0.01), "comes first"),
        ((0.5, 0.01, 0.01), (0.2, 0.3, 0.01), "that it comes first is not shown"),
        ((0.5, 0.01, 0.01), (0.2, 0.01, 0.3), "least lead is 0.2000, p = 0.010; wild bootstrap p = 0.300)"),
        ((0.5, 0.01, 0.01), (-0.2, 0.01, 0.01), "that it comes first is not shown"),
        ((0.5, 0.01, 0.2), (0.2, 0.01, 0.01), "does not show"),
        ((-0.5, 0.01, 0.01), (-0.2, 0.01, 0.01), "That is the opposite of the claim"),
    ],
)
def test_first_needs_a_clear_factor_and_a_clear_lead(
    planted: tuple[float, float, float], lead: tuple[float, float, float], words: str
):
    found, least, led = clear_test(*planted), effect(*lead[:2]), effect(lead[0], lead[2])
    run = recorded("society.ground.security", found)
    run.record("society.ground.security_minus_others", least)
    run.record("society.ground.security_minus_others.wild", led)
    told = run_cell(
        NOTEBOOK,
        "comes first: it goes before",
        run=run,
        grounds=found,
        least=least,
        led=led,
        level=0.05,
        asked=SimpleNamespace(ground="security"),
    )
    assert words in told
