"""The sentences of notebook 02 that a rule chooses, with planted results on both sides of every condition."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.disparity.shown import Spread, convergence_table, measure_spread
from helpers.index import shown as index_shown
from helpers.index.shown import table_or_reason
from helpers.multiverse import index_choices
from helpers.results.estimate import Estimate
from helpers.study.data import Label

NOTEBOOK = "02_index_construction"


def a_spread(slope: float, p_value: float, sd_last: float) -> Spread:
    return Spread(Estimate(estimate=slope, p_value=p_value), 0.1, sd_last)


def say_spread(spread: Spread) -> str:
    run = PlantedRun()
    names: dict[str, Any] = {
        "sd_first": run.record("planted.sd_first", value=spread.sd_first, digits=3),
        "sd_last": run.record("planted.sd_last", value=spread.sd_last, digits=3),
        "named": {
            "index": run.label("dose"),
            "first": run.record("planted.first", value=2015, digits=0),
            "last": run.record("planted.last", value=2021, digits=0),
        },
        "sigma": run.record("planted.sigma", spread.sigma) if spread.sigma else None,
    }
    time = SimpleNamespace(unit=Label(en="quarter", zh="季度"))
    names["choices"] = SimpleNamespace(time=time)
    return run_cell(NOTEBOOK, "spread.kind(level)", run=run, spread=spread, level=0.05, **names)


@pytest.mark.parametrize(
    ("spread", "told"),
    [
        (
            a_spread(-0.02, 0.01, 0.2),
            "units come together in dose: the coefficient of variation falls (−0.020 log points a quarter",
        ),
        (
            a_spread(-0.02, 0.01, 0.2),
            "In index points they drift apart: the standard deviation rises from 0.100 in 2015",
        ),
        (a_spread(-0.02, 0.01, 0.05), "They come together in dose, in relation to their mean"),
        (a_spread(-0.02, 0.01, 0.1004), "not in index points: the standard deviation is 0.100 in 2015"),
        (a_spread(0.02, 0.01, 0.0996), "They drift apart in dose in relation to their mean"),
        (a_spread(0.02, 0.01, 0.2), "They drift apart in dose, in relation to their mean"),
        (a_spread(0.02, 0.01, 0.05), "units drift apart in dose: the coefficient of variation rises"),
        (a_spread(-0.02, 0.06, 0.2), "neither can be told in dose from these periods"),
        (a_spread(0.02, 0.06, 0.05), "the standard deviation moves from 0.100 in 2015 to 0.050 in 2021"),
        (Spread(None, 0.1, 0.2, "its mean is not above 0"), "a spread in relation to the mean cannot be computed"),
    ],
)
def test_whether_units_come_together_is_answered_by_both_measures(spread: Spread, told: str) -> None:
    assert told in say_spread(spread)


def a_sensitivity(totals: list[float], half: float) -> Any:
    table = pd.DataFrame(
        {"first": 0.0, "first_half_width": half, "total": totals, "total_half_width": half},
        index=["scale", "weights", "left_out_dose"],
    )
    return SimpleNamespace(outputs={"standardised": SimpleNamespace(table=table)})


def say_leaders(totals: list[float], half: float) -> str:
    run = PlantedRun()
    for name, total in zip(("scale", "weights", "left_out_dose"), totals, strict=True):
        if np.isfinite(total):
            run.record(f"index.choices.sobol.{name}.total", value=total)
    run.record("index.choices.half_width", value=0.2, digits=3)
    run.record("index.choices.runs", value=320, digits=0)
    study = SimpleNamespace(indices={"dose": SimpleNamespace(label=Label(en="Dose", zh="剂量"))})
    return run_cell(
        NOTEBOOK, "find_leaders", run=run, index_choices=index_choices, sensitivity=a_sensitivity(totals, half),
        choices=study,
    )  # fmt: skip


def test_the_choice_that_moves_most_is_named_only_where_it_is_clear() -> None:
    assert "made in the index, the scale of the scores moves the standardised coefficient most" in say_leaders(
        [0.7, 0.2, 0.1], 0.1
    )
    tied = say_leaders([0.7, 0.2, 0.05], 0.3)
    assert "the scale of the scores has the largest share" in tied
    assert "not clear of that of: the weights. So" in tied
    assert "do not tell which of these moves it most" in tied
    assert "that of: the weights, the indicator left out of dose. So" in say_leaders([0.7, 0.2, 0.1], 0.3)
    assert "that of: the indicator left out of dose, the weights. So" in say_leaders([0.7, 0.2, 0.3], 0.4)
    assert "the indicator left out of dose moves" in say_leaders([0.1, 0.2, 0.9], 0.1)


def test_an_index_whose_choices_move_nothing_is_said() -> None:
    assert "No choice of the index moves" in say_leaders([np.nan] * 3, 0.1)
    assert "No choice of the index moves" in say_leaders([0.0] * 3, 0.1)


def say_moran(estimate: float, p_value: float, draws: int = 10_000) -> str:
    run = PlantedRun()
    now = {"estimate": estimate, "p_value": p_value, "expected": -0.033}
    moran = run.record("planted.moran", estimate=estimate, p_value=p_value, draws=draws, digits=3)
    last = run.record("planted.last", value=2021, digits=0)
    named = {"last": last, "index": run.label("dose")}
    return run_cell(NOTEBOOK, "moran is None", run=run, moran=moran, now=now, level=0.05, named=named)


def test_neighbours_are_alike_unlike_or_not_to_be_told() -> None:
    assert "neighbours are alike in dose: Moran's I is 0.200, p = 0.01" in say_moran(0.2, 0.01)
    assert "differ in dose more than chance would have it" in say_moran(-0.2, 0.01)
    assert "cannot be told in 2021" in say_moran(0.2, 0.06)
    assert "p < 0.0001" in say_moran(0.2, 0.0001)


def test_a_study_without_a_map_is_told_so() -> None:
    told = run_cell(NOTEBOOK, "moran is None", moran=None, now=None, level=0.05, named={})
    assert "declares no map" in told


@pytest.mark.parametrize(("failed", "told"), [(0, "none is left out"), (3, "up to 3 samples of one index")])
def test_samples_without_an_index_are_told(failed: int, told: str) -> None:
    found = {"a": SimpleNamespace(n_failed=0), "b": SimpleNamespace(n_failed=failed)}
    assert told in run_cell(NOTEBOOK, "index.bootstrap.failed", "none is left out", bootstraps=found)


@pytest.mark.parametrize(
    ("obstacle", "told"),
    [
        (("roads", 0.4), "roads holds p1 back most: 40.0%"),
        (("", 0.0), "In 2021, p1 lacks nothing in dose"),
        (None, "no obstacle degree is defined"),
    ],
)
def test_the_largest_obstacle_is_named_where_there_is_one(obstacle: Any, told: str) -> None:
    run = PlantedRun()
    last = run.record("planted.last", value=2021, digits=0)
    shown = SimpleNamespace(largest_obstacle=lambda *_: obstacle)
    told_here = run_cell(
        NOTEBOOK, "largest_obstacle", run=run, shown=shown, index=None, chosen="p1", last=last, main="dose"
    )
    assert told in told_here


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([0.5, 0.3, 0.2], "Of the indicators of dose, w0 weighs most: 50.0% of the whole (95 % interval [40.0%, 60.0%]), 1.5"),
        ([0.2, 0.4, 0.4], "Of the indicators of dose, 2 weigh most, as much as w1: 40.0% of the whole each, 1.2 times"),
        ([1 / 3, 1 / 3, 1 / 3], "All 3 indicators of dose weigh the same: 33.3% of the whole each."),
        ([1.0], "dose has one indicator, w0, so that there is nothing to weigh."),
    ],
)  # fmt: skip
def test_the_heaviest_indicator_is_named_only_where_there_is_one(weights: list[float], told: str) -> None:
    run = PlantedRun()
    found = pd.Series(weights, index=[f"w{place}" for place in range(len(weights))])
    for name, weight in found.items():
        run.record(f"index.dose.weight.{name}", estimate=weight, ci_low=0.4, ci_high=0.6)
    names = {"run": run, "index": SimpleNamespace(weights=found), "main": "dose", "shown": index_shown}
    assert run_cell(NOTEBOOK, "find_heaviest", "kind_of_weights", **names).startswith(told)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([0.5, 0.3, 0.2], "Of the indicators of dose, w0 weighs most: 50.0% of the whole, 1.5 times an equal share."),
        ([0.2, 0.4, 0.4], "Of the indicators of dose, 2 weigh most, as much as w1: 40.0% of the whole each"),
        ([1 / 3, 1 / 3, 1 / 3], "All 3 indicators of dose weigh the same"),
        ([1.0], "dose has one indicator, w0"),
    ],
)
def test_the_heaviest_indicator_on_disk_is_named_only_where_there_is_one(weights: list[float], told: str) -> None:
    run = PlantedRun()
    found = pd.Series(weights, index=[f"w{place}" for place in range(len(weights))])
    for name, weight in found.items():
        run.record(f"index.dose.weight.{name}", value=weight)
    names = {"find_heaviest": index_shown.find_heaviest, "kind_of_weights": index_shown.kind_of_weights}
    given = {"run": run, "index": SimpleNamespace(weights=found), "main": "dose", **names}
    assert run_cell("02_index_construction_on_disk", "kind_of_weights(index", **given).startswith(told)


def test_a_unit_that_lacks_nothing_is_held_back_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.MultiIndex.from_product([["p1", "p2"], [2020, 2021]])
    degrees = pd.DataFrame({"roads": [0.4, np.nan, 0.1, 0.2], "ports": [0.6, np.nan, 0.9, 0.8]}, index=rows)
    monkeypatch.setattr(index_shown, "has_obstacles", lambda _: True)
    monkeypatch.setattr(index_shown, "obstacle_degrees", lambda _: degrees)
    assert index_shown.largest_obstacle(None, "p1") == ("", 0.0)
    assert index_shown.largest_obstacle(None, "p2") == ("ports", 0.8)


def a_column(first: list[float], last: list[float]) -> pd.Series:
    middle = [(a + b) / 2 for a, b in zip(first, last, strict=True)]
    rows = pd.MultiIndex.from_product([list("abcd")[: len(first)], [2015, 2016, 2017]], names=["province", "year"])
    return pd.Series(np.array([first, middle, last]).T.ravel(), index=rows)


def test_spread_is_measured_by_both_standards() -> None:
    # The mean rises from 2 to 6, the standard deviation from 1 to 2: 1/2 against 1/3 of the mean.
    found = measure_spread(a_column([1.0, 2.0, 3.0], [4.0, 6.0, 8.0]))
    assert (found.sd_first, found.sd_last) == (1.0, 2.0)
    assert found.sigma is not None
    assert found.sigma.estimate == pytest.approx(np.log((1 / 3) / (1 / 2)) / 2, rel=1e-9)
    assert found.kind(0.05) in ("nearer but wider", "unclear")


def test_a_column_around_zero_has_no_relative_spread_and_says_why() -> None:
    found = measure_spread(a_column([-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]))
    assert found.sigma is None
    assert "not above 0" in found.reason
    table = convergence_table({"Column": a_column([-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0])})
    assert list(table.columns) == ["sd_first", "sd_last"]


def test_a_table_that_cannot_be_made_gives_its_reason() -> None:
    from helpers.disparity.dynamics import markov_transitions

    flat = a_column([1.0, 1.0, 1.0], [1.0, 1.0, 2.0])
    table = table_or_reason(lambda: markov_transitions(flat, 4).matrix)
    assert table["rule"].tolist() == ["two of their bounds coincide"]
