"""What notebook 07 says: each sentence of a rule with planted results on both sides of its conditions."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.multiverse import shown
from helpers.multiverse.joint import JointStatistic, JointTest
from helpers.multiverse.survival import Standing
from helpers.study.data import Label

NOTEBOOK = "07_multiverse"
STUDY: Any = SimpleNamespace(
    entity=SimpleNamespace(label=Label(en="Province", zh="省份")),
    time=SimpleNamespace(label=Label(en="Year", zh="年份")),
    multiverse=None,
    specification=SimpleNamespace(controls=("size",)),
    indicators={},
    label=lambda name: {"size": "Size"}.get(name, name),
)


def planted(**values: float) -> PlantedRun:
    run = PlantedRun()
    for key, value in values.items():
        run.record(f"robustness.multiverse.{key}".replace("__", "."), value=value)
    return run


def statistic(p_value: float) -> JointStatistic:
    return JointStatistic(1.0, p_value, p_value / 2, -1.0, 1.0, np.zeros(3))


def joint(*p_values: float) -> JointTest:
    share, median, stouffer = map(statistic, p_values)
    return JointTest(statistic(0.5), median, share, stouffer, 1, 10, 99)


@pytest.mark.parametrize(
    "failures, told", [(0, "10 specifications were estimated. The"), (3, "estimated; 3 more could")]
)
def test_failures_are_said_where_there_are_any(failures: int, told: str) -> None:
    run = planted(specifications=10, failures=failures, share_positive=0.5)
    run.record("robustness.multiverse.share_positive_significant", value=0.25)
    run.record("robustness.multiverse.share_negative_significant", value=0.0)
    text = run_cell(NOTEBOOK, "share_negative_significant", run=run, found=SimpleNamespace(n_failures=failures))
    assert told in text
    assert "The effect is positive and significant in 25.0% of them, negative and significant in 0.0%" in text


def shares(first: dict[str, float], total: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"first_order": first, "total_order": total})


@pytest.mark.parametrize(
    "scope, told",
    [
        (0.3, "Of all decisions, effects moves the estimate most: alone it makes 40.0% of the variance"),
        (0.6, "Of all decisions, effects moves the estimate most by itself (40.0% of the variance over all universes); "
         "with its interactions scope does (60.0%)."),
    ],
)  # fmt: skip
def test_the_decision_that_moves_most_is_named_by_both_measures(scope: float, told: str) -> None:
    run = PlantedRun()
    found = shares(
        {"effects": 0.4, "scope": 0.1, "control size": 0.9}, {"effects": 0.5, "scope": scope, "control size": 1}
    )
    shown.record_shares(run.record, found)
    alone, together = shown.largest_decisions(found)
    assert run_cell(
        NOTEBOOK, "alone == together", run=run, alone=alone, together=together, choices=STUDY, shown=shown
    ).startswith(told)


@pytest.mark.parametrize(
    "side, one_way, told",
    [
        ("positive", 0.4, "Significance hangs on the effects: positive and significant in 40.0% of the universes with "
         "province effects, in 12.0% of those with province and year effects."),
        ("negative", 0.4, "Significance hangs on the effects: negative and significant in 40.0% of the universes with "
         "province effects, in 12.0% of those with province and year effects."),
        ("positive", 0.2, "Significance does not hang on the effects alone: positive and significant in 20.0% of the"),
        ("positive", 0.24, "Significance hangs on the effects"),
        ("negative", 0.12, "Significance does not hang on the effects alone: negative and significant in 12.0% of the "
         "universes with province effects, in 12.0% of those with province and year effects."),
        ("", 0.0, "Whatever effects are absorbed, no universe is significant."),
        ("positive", None, "The study file declares one set of effects"),
    ],
)  # fmt: skip
def test_it_is_said_whether_significance_hangs_on_the_effects(side: str, one_way: float | None, told: str) -> None:
    run = PlantedRun()
    rows = {"all": 0.3, "entity": one_way, "entity + time": 0.12, "entity + time, all controls": 0.01}
    kept = {name: row if side else 0.0 for name, row in rows.items() if row is not None}
    table = pd.DataFrame({"positive_significant": kept, "negative_significant": dict.fromkeys(kept, 0.0)})
    if side == "negative":
        table = table.rename(
            columns={"positive_significant": "negative_significant", "negative_significant": "positive_significant"}
        )
    for name, row in table.iloc[1:].iterrows():
        for column, value in row.items():
            run.record(f"{shown.group_key(str(name))}.share_{column}", value=value, digits=3)
    assert shown.significant_side(table) == side
    found = {"side": side, "apart": shown.effects_apart(table, side), "counted": table}
    text = run_cell(NOTEBOOK, "hangs on the effects", run=run, **found, choices=STUDY, shown=shown)
    assert text.startswith(told)


@pytest.mark.parametrize(
    "below_own, place, told",
    [
        (None, "alone", "nothing can be said"),
        (0.09, "low", "lower end among them, which favours a claim that the effect is negative."),
        (0.11, "middle", "neither end"),
        (0.89, "middle", "neither end"),
        (0.91, "high", "upper end among them, which favours a claim that the effect is positive."),
    ],
)
def test_the_end_at_which_the_primary_stands_is_named(below_own: float | None, place: str, told: str) -> None:
    run, standing = PlantedRun(), Standing(-0.07, 0.05, below_own)
    shown.record_standing(run.record, standing)
    assert standing.place == place
    assert told in run_cell(NOTEBOOK, "}[standing.place]", run=run, standing=standing)
    numbers = run_cell(NOTEBOOK, "none has its effects", run=run, standing=standing)
    assert numbers.startswith("5.0% of all universes")
    assert ("none has its effects" in numbers) == (below_own is None)


@pytest.mark.parametrize(
    "p_values, told",
    [
        ((0.01, 0.02, 0.04), "All three are below the level."),
        ((0.01, 0.06, 0.04), "2 of the three are below the level, so that they do not agree."),
        ((0.06, 0.05, 0.30), "None of the three is below the level."),
    ],
)
def test_the_joint_statistics_below_the_level_are_counted(p_values: tuple[float, ...], told: str) -> None:
    run, tests = PlantedRun(), {"all": joint(*p_values)}
    shown.record_joint(run.record, tests, 0.05)
    assert run_cell(NOTEBOOK, "they do not agree", run=run, tests=tests, level=0.05, shown=shown) == told


def test_a_p_value_at_the_floor_is_said_to_be_below_it() -> None:
    run, tests = PlantedRun(), {"all": joint(0.01, 0.02, 0.04)}
    shown.record_joint(run.record, tests, 0.05)
    text = run_cell(NOTEBOOK, "If the treatment did nothing", run=run, tests=tests)
    assert "would be seen with p < 0.01, a median as far from zero with p < 0.1" in text


def test_the_observed_side_alone_has_a_table_of_its_own() -> None:
    table = shown.sides_table({"all": joint(0.02, 0.04, 0.06), "entity": joint(0.2, 0.4, 0.6)}, STUDY)
    assert table["stouffer_p_value"].tolist() == [0.03, 0.3]
    assert table.index.tolist()[0] == "all universes"


def test_groups_have_keys_and_words_of_their_own() -> None:
    assert shown.group_key("entity + time, all controls") == "robustness.multiverse.effects.entity_time.all_controls"
    assert shown.group_words("none, all controls", STUDY).en == "no effects, all controls"
    assert shown.group_words("entity + time", STUDY).zh == "省份和年份固定效应"


def test_options_are_named_by_samples_and_controls_only() -> None:
    sample = SimpleNamespace(label=Label(en="Without islands", zh="不含岛屿"))
    study: Any = SimpleNamespace(**{**vars(STUDY), "multiverse": SimpleNamespace(samples={"no_islands": sample})})
    assert [shown.option_words(name, study) for name in ("no_islands", "size + full")] == [
        "Without islands",
        "Size + full",
    ]
