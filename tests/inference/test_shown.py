"""Readings and tables of effects: the condition that chooses a sentence, and what is recorded of a family."""

import numpy as np
import pandas as pd
import pytest

from helpers.inference import shown
from helpers.inference.family import Question, fit_clear_family, fit_family, record_family
from helpers.results.results import Results
from helpers.study.model import Model
from planted import READINGS, clear_family, effect

MODEL = Model("y", "d", ("x",))


@pytest.mark.parametrize("reading", list(READINGS))
def test_an_effect_is_clear_only_by_both_tests(reading: str):
    assert shown.read_effect(READINGS[reading], 0.05) == reading


def test_a_family_is_read_by_its_adjusted_p_values():
    family = clear_family(up=(0.4, 0.01), down=(-0.4, 0.049), still=(0.4, 0.05))
    assert shown.read_family(family, 0.05) == {"up": "above", "down": "below", "still": "unclear"}


def test_tables_hold_every_p_value_that_a_verdict_reads():
    table = shown.clear_table(READINGS)
    assert [table[name].to_dict()["unclear"] for name in ("p_value", "wild_p_value")] == [0.01, 0.06]
    assert np.isnan(table["without_times"].to_dict()["above"])
    family = shown.family_table({"d": clear_family(a=(0.4, 0.01))})
    assert family.index.tolist() == [("d", "a")]
    assert shown.family_table({}).empty
    assert shown.estimate_rows({"a": effect(0.5, 0.1)}).to_numpy().tolist() == [[0.5, -0.5, 1.5]]


def test_a_family_without_times_is_a_family_of_its_own_and_all_is_recorded():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(12), range(5)], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(60, 4)), index, ["d", "x", "y", "z"])
    questions = {name: Question(data, MODEL.with_(outcome=name), "d") for name in ("y", "z")}
    found = fit_clear_family(questions, draws=199, rng=np.random.default_rng(2))
    plain = {name: Question(data, q.model.with_(effects=("entity",)), "d") for name, q in questions.items()}
    assert found.without_times["y"].effect == fit_family(plain, draws=99, rng=rng)["y"].effect
    results = Results()
    record_family(results.record, {name: f"f.{name}.d" for name in questions}, found)
    endings = ("", ".t", ".wild", ".without_years", ".without_years.t", ".without_years.wild")
    assert sorted(results) == sorted(f"f.{name}.d{ending}" for name in questions for ending in endings)
    key = results["f.y.d"]
    assert key.p_value == pytest.approx(found.answers["y"].adjusted.p_value, rel=1e-6)
    assert key.std_error == pytest.approx(found.answers["y"].effect.std_error, rel=1e-6)
    assert results["f.y.d.t"].p_value == pytest.approx(found.answers["y"].effect.p_value, rel=1e-6)
