"""What notebook 08 says: each sentence of a rule with planted results on both sides of its conditions."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.errors import StudyError, attempt
from helpers.identification import placebo, shown
from helpers.identification.oster import OsterResult
from helpers.inference import shown as inference_shown
from helpers.inference.family import Answer, fit_family
from helpers.results.estimate import Estimate
from helpers.study.model import Model
from toy_study import make_panel, make_study

NOTEBOOK = "08_identification"
REFUSAL = StudyError("here", "a rule", "do this")


def recorded(**values: float) -> PlantedRun:
    run = PlantedRun()
    for key, value in values.items():
        run.record(f"robustness.{key.replace('__', '.')}", value=value, digits=3)
    return run


def effect(p_value: float, **others: Any) -> Estimate:
    return Estimate(estimate=-0.06, std_error=0.08, p_value=p_value, ci_low=-0.2, ci_high=0.1, **others)


@pytest.mark.parametrize(
    "p_value, told", [(0.049, "different from zero (p = 0.049): what could"), (0.05, "cannot be told from zero (p = 0.050); an effect of 0.2200 or more")]
)  # fmt: skip
def test_what_could_have_been_seen_is_said_beside_no_effect(p_value: float, told: str) -> None:
    run = PlantedRun()
    primary = run.record("robustness.identification.primary", effect(p_value))
    smallest = run.record("robustness.identification.detectable", value=0.22)
    assert told in run_cell(
        NOTEBOOK, "four of five samples, a smaller", run=run, primary=primary, smallest=smallest, level=0.05
    )


def selection(delta: float, bound: float = 0.1) -> OsterResult:
    return OsterResult(delta, bound, 0.5, 0.2, 0.1, 0.3, 0.4)


@pytest.mark.parametrize(
    "found, p_value, told",
    [
        (selection(2.0), 0.01, "2.000 times as strong as that on the controls. If"),
        (selection(-2.0), 0.01, "it would have to work against them"),
        (selection(2.0), 0.05, "nothing for an omitted variable to explain away"),
        (selection(np.inf), 0.01, "no finite value"),
        (selection(2.0, np.nan), 0.01, "no finite value"),
        (REFUSAL, 0.01, "the primary specification has none"),
    ],
)
def test_selection_is_said_where_there_is_an_effect(found: Any, p_value: float, told: str) -> None:
    run = PlantedRun()
    if isinstance(found, OsterResult):
        shown.record_oster(run.record, found)
    names = {"selection": found, "primary": SimpleNamespace(p_value=p_value), "level": 0.05, "shown": shown}
    text = run_cell(NOTEBOOK, "shown.judge_selection", run=run, StudyError=StudyError, **names)
    assert told in text


@pytest.mark.parametrize(
    "p_value, alpha, told",
    [
        (0.01, 0.1, "to make it insignificant by conventional errors 10.0% of both are enough"),
        (0.01, 0.0, "explains less than 20.0% of what is left of treatment and of outcome cannot bring"),
        (0.01, 0.0, "one that explains as much of both can; by conventional errors it is not significant as it stands"),
        (0.05, 0.1, "There is nothing to explain away"),
    ],
)
def test_the_robustness_value_is_said_where_there_is_an_effect(p_value: float, alpha: float, told: str) -> None:
    run = recorded(
        robustness_value__estimate=0.2, robustness_value__significance=alpha, robustness_value__partial_r2=0.03
    )
    value = SimpleNamespace(value_alpha=alpha)
    names = {"primary": SimpleNamespace(p_value=p_value), "value": value, "level": 0.05}
    assert told in run_cell(NOTEBOOK, "robustness_value.significance", run=run, **names)


def instrumented(f: float, p_value: float) -> Any:
    stage = SimpleNamespace(f_effective=f, critical_values={shown.BIAS: 20.0})
    return SimpleNamespace(first_stage=stage, anderson_rubin=SimpleNamespace(p_value=p_value), effect=effect(p_value))


@pytest.mark.parametrize(
    "fits, told",
    [
        ({}, "Nothing is said of an effect by instruments."),
        ({"a": instrumented(19.9, 0.01)}, "None of 1 sets of instruments is strong"),
        ({"a": instrumented(20.0, 0.04), "b": instrumented(3.0, 0.5)}, "1 of 2 sets of instruments are strong by the effective F, and with 1 of them, each"),
        ({"a": instrumented(20.0, 0.04), "b": instrumented(20.0, 0.5)}, "2 of 2 sets of instruments are strong by the effective F, and with 1 of them, each"),
        ({"a": instrumented(20.0, 0.06), "b": instrumented(3.0, 0.01)}, "that there is none: its set holds other effects too"),
    ],
)  # fmt: skip
def test_instruments_are_said_by_strength_and_test(fits: dict[str, Any], told: str) -> None:
    run = PlantedRun()
    shown.record_instruments(run.record, fits, 0.05)
    assert told in run_cell(NOTEBOOK, "judge_instruments", run=run, instrumented=fits, level=0.05, shown=shown)


@pytest.mark.parametrize(
    "p_value, estimates, told",
    [
        (0.01, (0.2, 0.1, 0.3, 0.2), "No variable that is as strong as a control, or up to 2 times as strong, turns"),
        (
            0.01,
            (0.2, -0.1, 0.3, -0.3),
            "A variable 2 times as strong as rain is enough to turn the sign: −0.3000 would",
        ),
        (
            0.01,
            (-0.1, -0.2, 0.3, -0.9),
            "A variable as strong as wind is enough to turn the sign: −0.1000 would be left.",
        ),
        (0.01, (0.2, np.nan, 0.3, np.nan), "No variable that is as strong as a control"),
        (0.05, (-0.1, -0.2, 0.3, -0.9), "None"),
    ],
)
def test_the_weakest_variable_that_turns_the_sign_is_named(p_value: float, estimates: Any, told: str) -> None:
    index = pd.MultiIndex.from_product([["wind", "rain"], [1.0, 2.0]], names=["benchmark", "times"])
    bounds = pd.DataFrame({"estimate": estimates}, index=index)
    names: dict[str, Any] = {"primary": SimpleNamespace(p_value=p_value, estimate=0.4), "level": 0.05, "shown": shown}
    names["choices"] = SimpleNamespace(label=lambda name: name)
    names["model"] = SimpleNamespace(controls=("wind", "rain"))
    said = run_cell(NOTEBOOK, "turning = ", "is enough to turn", run=PlantedRun(), bounds=bounds, **names)
    assert said.startswith(told)
    assert run_cell(NOTEBOOK, "turning = ", "is enough to turn", run=PlantedRun(), bounds=bounds[:0], **names) == "None"


@pytest.mark.parametrize(
    "verdict, told",
    [
        ("refused", "Difference GMM, two steps could not be made"),
        ("rejected", "but a test rejects it: Hansen's J has p = 0.010, correlation of second order p = 0.300"),
        ("outside", "its lag, −0.1200, lies outside the bounds of least squares, 0.3500 and 0.9200"),
        ("no_ar1", "does not find the first-order correlation that differencing makes (p = 0.500)"),
        ("many", "as many instruments as entities"),
        ("open", "none of the four speaks against it"),
    ],
)
def test_gmm_is_said_with_what_speaks_against_it(verdict: str, told: str) -> None:
    run, key = PlantedRun(), "robustness.dynamic.difference"
    if verdict != "refused":
        run.record(key, effect(0.8))
        run.record(f"{key}.lag", Estimate(estimate=-0.12, p_value=0.5))
        for test, p_value in (("hansen", 0.01), ("ar1", 0.5), ("ar2", 0.3)):
            run.record(f"{key}.{test}", value=1.0, p_value=p_value)
    for name, lag in (("within", 0.35), ("pooled", 0.92)):
        run.record(f"robustness.dynamic.{name}.lag", Estimate(estimate=lag, p_value=0.5))
    before = SimpleNamespace(verdict=lambda *_: verdict)
    assert told in run_cell(NOTEBOOK, "told = {", run=run, before=before, level=0.05, shown=shown)


@pytest.mark.parametrize(
    "size, told",
    [
        (None, "Without a permutation"),
        (0.0, "rejects in 0.0% of 1000 simulated outcomes, less often than it promises"),
        (0.029, "less often than it promises, so that it misses much: that it does not reject shows little"),
        (0.030, "as it promises within what so many can tell; one by the estimate in place of its t in 11.0%"),
        (0.070, "as it promises within what so many can tell"),
        (0.071, "more often than it promises, so that a small p shows little"),
    ],
)
def test_a_permutation_is_said_with_its_size(size: float | None, told: str) -> None:
    """Three Monte-Carlo errors of 1000 samples about 5 % are 2.07 points."""
    run = recorded(placebo__draws=99, placebo__size__statistic=size or 0.0, placebo__size__estimate=0.11)
    run.record("robustness.placebo.size.simulations", value=1000)
    run.record("robustness.placebo.permutation", effect(0.01, draws=100, n_entities=31))
    measured = None if size is None else placebo.PlaceboSize(size, 0.11, 1000, level=0.05)
    dealt = REFUSAL if measured is None else SimpleNamespace(size=measured)
    names = {"run": run, "dealt": dealt, "StudyError": StudyError}
    assert told in run_cell(NOTEBOOK, "dealt.size.verdict", **names)
    first = run_cell(NOTEBOOK, "Dealt out to other units", **names)
    assert first.startswith(
        "No permutation was made" if size is None else "Dealt out to other units at random 99 times"
    )
    assert ("with p < 0.01." in first) == (size is not None)


@pytest.mark.parametrize(
    "p_value, low, high, told",
    [
        (0.01, -0.3, -0.1, "by the clustered t test it differs from zero, which speaks against a causal reading"),
        (0.40, -0.05, 0.05, "is excluded, as it should be"),
        (0.40, -0.05, 0.07, "this placebo shows nothing"),
        (None, 0, 0, "cannot be put beside"),
    ],
)
def test_the_lead_passes_only_where_it_excludes_the_effect(
    p_value: float | None, low: float, high: float, told: str
) -> None:
    run = PlantedRun()
    primary = run.record("robustness.identification.primary", effect(0.4))
    lead = Estimate(estimate=(low + high) / 2, p_value=p_value, ci_low=low, ci_high=high)
    if p_value is not None:
        run.record("robustness.placebo.lead", lead)
    led = REFUSAL if p_value is None else {"lead": lead}
    names = {"led": led, "primary": primary, "level": 0.05, "placebo": placebo, "StudyError": StudyError}
    assert told in run_cell(NOTEBOOK, "judge_lead", run=run, **names)


def answer(estimate: float, p_value: float, wild: float | None = None) -> Answer:
    own = Estimate(estimate=estimate, std_error=1.0, p_value=p_value)
    drawn = replace(own, p_value=p_value if wild is None else wild)
    return Answer(SimpleNamespace(), own, drawn, own, min(1.0, 2 * p_value), 3.0, 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answers, told",
    [
        ({}, "Without dimensions"),
        ({"a": answer(1, 0.06)}, "By the clustered t test none of the dimensions responds"),
        ({"a": answer(1, 0.04), "b": answer(-1, 0.06)}, "the effect is positive on a and negative on none."),
        ({"a": answer(1, 0.06), "b": answer(-1, 0.04)}, "the effect is negative on b and positive on none."),
        ({"a": answer(1, 0.04), "b": answer(-1, 0.04), "c": answer(2, 0.01)}, "positive on a, c and negative on b: taken at their estimates, these work against"),
    ],
)  # fmt: skip
def test_dimensions_are_said_with_their_signs(answers: dict[str, Answer], told: str) -> None:
    study = SimpleNamespace(label=lambda name, *_: name)
    names = {"answers": answers, "choices": study, "level": 0.05, "shown": shown}
    assert told in run_cell(NOTEBOOK, "sort_dimensions", **names)


@pytest.mark.parametrize(
    "p_value, counted",
    [
        (
            0.02,
            "1 respond by the clustered t test and 0 by the wild bootstrap; counting that all are looked at, 1 do by",
        ),
        (
            0.03,
            "1 respond by the clustered t test and 0 by the wild bootstrap; counting that all are looked at, 0 do by",
        ),
    ],
)
def test_dimensions_are_counted_by_each_method(p_value: float, counted: str) -> None:
    run, answers = PlantedRun(), {"a": answer(1, p_value, wild=0.2), "b": answer(1, 0.5)}
    shown.record_dimensions(run.record, answers, 99, 0.05)
    names = {"run": run, "answers": answers, "level": 0.05, "inference_shown": inference_shown}
    told = run_cell(NOTEBOOK, "There are no parts", **names)
    assert counted in told
    assert "an effect smaller than 1.92 standard deviations per" in told


def test_without_dimensions_there_is_nothing_to_ask() -> None:
    panel = make_panel(np.random.default_rng(5))
    assert shown.ask_dimensions(panel, make_study(), Model("outcome", "dose")) == {}
    names = {"answers": {}, "level": 0.05, "inference_shown": inference_shown}
    assert "no parts" in run_cell(NOTEBOOK, "There are no parts", **names)


def test_the_table_of_dimensions_standardises_as_a_regression_of_scores_does() -> None:
    panel = make_panel(np.random.default_rng(5)).assign(other=lambda rows: rows["rain"] + rows["dose"])
    from helpers.inference.family import Question

    questions = {name: Question(panel, Model(name, "dose", ("weight",)), "dose") for name in ("outcome", "other")}
    table = shown.dimension_table(fit_family(questions, draws=99, rng=np.random.default_rng(1)))
    scores = (panel - panel.mean()) / panel.std()
    again = fit_family(
        {name: Question(scores, question.model, "dose") for name, question in questions.items()},
        draws=99,
        rng=np.random.default_rng(1),
    )
    assert table["standardised"].tolist() == pytest.approx([one.effect.estimate for one in again.values()], rel=1e-9)


def test_a_refusal_is_kept_and_anything_else_is_raised() -> None:
    def refuse() -> pd.DataFrame:
        raise REFUSAL

    def fail() -> None:
        raise ValueError

    assert attempt(refuse) is REFUSAL
    assert attempt(lambda: 3) == 3
    with pytest.raises(ValueError):
        attempt(fail)
