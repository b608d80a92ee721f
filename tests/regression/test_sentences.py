"""The sentences of notebook 03: planted numbers on both sides of each condition choose the message."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.diagnostics import neighbours
from helpers.inference.detectable import detectable_effect, detectable_f, is_bounded
from helpers.regression import engines
from helpers.results.estimate import Estimate
from helpers.results.rounding import fix_number
from helpers.simulation import few_clusters, trust

NOTEBOOK = "03_baseline_regression"


def estimate(p_value: float, number: float = 0.2) -> Estimate:
    """An estimate of 30 degrees of freedom with a p-value."""
    return Estimate(
        estimate=number, std_error=0.1, statistic=number / 0.1, df=30, p_value=p_value, ci_low=-0.1, ci_high=0.5
    )


class PlantedFit(dict[str, Estimate]):
    """One regressor's estimate, and degrees of freedom."""

    df = 30


def headline(p_value: float, **names: Any) -> str:
    """The headline cell with a wild bootstrap that gives a p-value; the t test gives 0.01."""
    run = PlantedRun()
    usual = estimate(0.01)
    run.record("baseline.full.dose", usual)
    planted = {
        "run": run,
        "made": {"wild": estimate(p_value), "clustered_t": usual},
        "best": SimpleNamespace(method="wild"),
        "fit": PlantedFit(dose=usual),
        "term": "dose",
        "primary": "full",
        "level": 0.05,
        "few_clusters": few_clusters,
        "detectable_effect": detectable_effect,
        "is_bounded": is_bounded,
    }
    return run_cell(NOTEBOOK, "used = best.method", "verdicts = {", **(planted | names))


def test_a_clear_headline_differs_from_zero_by_the_recommended_method():
    told = headline(0.049)
    assert "p = 0.049 by the restricted wild cluster bootstrap; p = 0.010 by the clustered t test" in told
    assert told.endswith("it differs from zero at the declared level.")


def test_an_unclear_headline_says_what_could_have_been_seen_even_where_the_t_test_is_clear():
    told = headline(0.05)
    assert "cannot be told from zero" in told
    # 2.895 standard errors of 0.1, see test_detectable.
    assert "one of 0.29 or more would have been seen in four of five samples like this one" in told


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.04, "it differs from zero at the declared level."),
        (0.06, "none, however large, would surely have been seen."),
    ],
)
def test_a_headline_whose_interval_has_no_end_says_so(p_value, words):
    open_ended = replace(estimate(p_value), std_error=None, ci_high=float("inf"))
    told = headline(p_value, made={"wild": open_ended}, best=SimpleNamespace(method="wild"))
    assert "by the restricted wild cluster bootstrap, whose interval has no end" in told
    assert told.endswith(words)


@pytest.mark.parametrize(
    ("std_error", "headline", "words"),
    [
        (0.1, 0.43, "0.29, since its interval is narrower"),
        (0.1, 0.29, "promises no more"),
        (0.1, np.inf, "interval is narrower"),
        (0.001, 0.0043, "0.002895, since its interval is narrower"),
        (0.001, 0.0028, "promises no more"),
    ],
)
def test_the_t_test_is_said_to_promise_more_only_where_it_does(std_error, headline, words):
    found = PlantedFit(dose=replace(estimate(0.5), std_error=std_error))
    names = {"fit": found, "term": "dose", "detectable": headline, "detectable_effect": detectable_effect}
    names |= {"fix_number": fix_number}
    names |= {"bounded": np.isfinite(headline), "level": 0.05, "told": "unclear", "used": "wild"}
    assert words in run_cell(NOTEBOOK, "alone would promise", **names)


@pytest.mark.parametrize(
    ("told", "used"), [("clear", "wild"), ("clear_unbounded", "wild"), ("unclear_t", "clustered_t")]
)
def test_the_t_test_is_held_beside_no_other_where_nothing_was_promised(told, used):
    found = PlantedFit(dose=replace(estimate(0.5), std_error=0.1))
    names = {"fit": found, "term": "dose", "detectable": 0.3, "detectable_effect": detectable_effect, "bounded": True}
    said = run_cell(NOTEBOOK, "alone would promise", **names, fix_number=fix_number, level=0.05, told=told, used=used)
    assert said == "By the clustered t test an effect of 0.29 would have been seen in four of five samples."


@pytest.mark.parametrize(("p_value", "words"), [(0.01, "it differs from zero"), (0.06, "It cannot be told from zero")])
def test_a_recommended_method_that_was_not_made_leaves_the_t_test_which_is_named_once(p_value, words):
    made = {"cr2": estimate(0.9), "clustered_t": estimate(p_value)}
    told = headline(0.9, made=made, best=SimpleNamespace(method="cr3"))
    assert f"p = {p_value:.3f} by the clustered t test)" in told
    assert told.count("clustered t test") == 1
    assert words in told


@pytest.mark.parametrize(("numbers", "words"), [((0.1, 0.2), "keeps its sign"), ((0.1, -0.2), "changes its sign")])
def test_the_ladder_keeps_or_changes_its_sign(numbers, words):
    run = PlantedRun()
    run.record("baseline.full.dose", estimate(0.5))
    fits = {str(n): {"dose": estimate(0.5, number)} for n, number in enumerate(numbers)}
    assert words in run_cell(NOTEBOOK, "signs = {", run=run, fits=fits, term="dose", primary="full")


@pytest.mark.parametrize(
    ("p_values", "words"),
    [
        ((0.01, 0.04), "All methods come to the same verdict, the most cautious of them with p = 0.040 (CR3)."),
        ((0.0001, 0.0002), "All methods come to the same verdict, the most cautious of them with p < 0.001 (CR3)."),
        ((0.06, 0.07), "All methods come to the same verdict, from p = 0.060 (CR2) to p = 0.070 (CR3)."),
        ((0.01, 0.05), "The methods differ in their verdict, from p = 0.010 (CR2) to p = 0.050 (CR3)."),
        ((0.0001, 0.2), "The methods differ in their verdict, from p < 0.001 (CR2) to p = 0.200 (CR3)."),
    ],
)
def test_methods_agree_or_differ(p_values, words):
    made = dict(zip(("cr2", "cr3"), map(estimate, p_values), strict=True))
    run = PlantedRun()
    for name, found in made.items():
        run.record(f"baseline.inference.{name}", found)
    methods = {name: few_clusters.Method(name.upper(), found) for name, found in made.items()}
    told = run_cell(
        NOTEBOOK,
        "smallest, largest = ",
        'span["clear"',
        run=run,
        made=made,
        methods=methods,
        level=0.05,
        few_clusters=few_clusters,
    )
    assert told == words


@pytest.mark.parametrize(
    ("keeps", "words"), [(True, "within one simulation error"), (False, "no method is within one simulation error")]
)
def test_the_recommended_method_keeps_its_size_or_is_only_the_nearest(keeps, words, monkeypatch):
    best = trust.Recommendation("cr2", "CR2", keeps, 0.047, 0.7)
    monkeypatch.setattr(trust, "recommend", lambda _: best)
    run = PlantedRun()
    run.record("baseline.trust.all.clusters", value=31)
    run.record("baseline.trust.all.uneven.cr2.size", value=0.047, std_error=0.012, n_obs=300)
    told = run_cell(
        NOTEBOOK,
        "best = trust.recommend",
        "told = {",
        run=run,
        worlds={("all", "uneven"): None},
        trust=trust,
        few_clusters=few_clusters,
    )
    assert words in told
    assert "CR2 with Satterthwaite degrees of freedom" in told
    assert "4.7%" in told


@pytest.mark.parametrize(
    ("without", "words"), [(estimate(0.6), "estimate is 0.2000 (p = 0.600"), (None, "nothing can be estimated")]
)
def test_the_heaviest_unit_is_named_with_what_is_left_without_it(without, words):
    run = PlantedRun()
    run.record("baseline.leverage.three", value=0.9)
    run.record("baseline.leverage.heaviest.effects_only", value=0.6)
    held = SimpleNamespace(heaviest="Capital", top=lambda _: 0.49, without_heaviest=without)
    told = run_cell(NOTEBOOK, "if held.without_heaviest:", "share = {", run=run, held=held)
    assert told.startswith("One unit, Capital, holds 49% of the variation that identifies the effect (60% before")
    assert words in told


def test_neighbours_are_counted_by_sign_and_verdict():
    fitted = {"a": estimate(0.01), "b": estimate(0.01, -0.2), "c": estimate(0.06), neighbours.MEANS: estimate(0.01)}
    told = run_cell(NOTEBOOK, "count_significant", fitted=fitted, level=0.05, neighbours=neighbours)
    assert told == (
        "Neighbours that could be fitted: 3; positive and significant by a clustered test: 1; negative and "
        "significant: 1."
    )


@pytest.mark.parametrize(("columns", "there"), [(["latitude", "longitude"], True), (["latitude"], False)])
def test_conley_is_explained_where_places_are_known_and_else_not_spoken_of(columns, there):
    run = PlantedRun(units=pd.DataFrame(columns=columns))
    told = run_cell(NOTEBOOK, "Conley's standard error", run=run, cutoff_km=800, few_clusters=few_clusters)
    assert ("lets errors be related among units within 800 km" in told) == there
    assert (told == "None") != there
    assert ("baseline.passport.cutoff_km" in run.results) == there


def test_the_passport_names_both_ends():
    known = {"cr3": estimate(0.7), "plm": estimate(0.04)}
    known["plm"] = Estimate(**{**vars(known["plm"]), "std_error": 0.05})
    run = PlantedRun()
    for name, found in known.items():
        run.record(f"baseline.passport.{name}", found)
    told = run_cell(NOTEBOOK, "narrow, wide =", run=run, known=known, level=0.05, few_clusters=few_clusters)
    assert told == (
        "Of 2 conventions, 1 call the estimate significant. The standard error lies between 0.0500 (plm, p = 0.040) "
        "and 0.1000 (cr3, p = 0.700)."
    )


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (0.049, "Together the controls differ from zero (F = 3.00, p = 0.049"),
        (
            0.05,
            "cannot be told from zero (F = 3.00, p = 0.050, a test made for few clusters); controls that give",
        ),
        (None, "The controls are not tested together"),
    ],
)
def test_the_controls_are_tested_together(p_value, words, monkeypatch):
    joint = None if p_value is None else SimpleNamespace(statistic=3.0, p_value=p_value, df=(3.0, 20.0))
    monkeypatch.setattr(few_clusters, "joint_controls", lambda *_: joint)
    model = SimpleNamespace(controls=("size",))
    told = run_cell(
        NOTEBOOK,
        "joint = few_clusters.joint",
        "held_constant = {",
        fit=None,
        model=model,
        level=0.05,
        few_clusters=few_clusters,
        detectable_f=detectable_f,
    )
    assert words in told
    assert ("give an F of" in told) == (p_value == 0.05)


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        (((0.0, 1e-12), (1e-9, 0.0)), "convention alone: 2 of 2; that could not fit it: 0."),
        (((0.0, 1e-12), (1e-5, 0.0)), "convention alone: 1 of 2; that could not fit it: 0."),
        (((0.0, 1e-5), (1e-5, 0.0)), "convention alone: 0 of 2; that could not fit it: 0."),
        (((0.0, 0.0), (np.nan, np.nan)), "convention alone: 1 of 2; that could not fit it: 1."),
    ],
)
def test_programs_that_agree_are_counted(gaps, told):
    rows = [(0.0, 0.0), *gaps]
    table = pd.DataFrame(rows, columns=["estimate_gap", "std_error_gap"], index=["helpers", "linearmodels", "pyfixest"])
    assert run_cell(NOTEBOOK, "engines.count_agreeing", engines=engines, programs=table).endswith(told)
