"""The instruments of a study file, beside sums by hand.

Tolerance 1e-12 (relative): means of a few figures.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from helpers.errors import StudyError
from helpers.identification.declared import build_instruments, fit_each, others_mean
from helpers.identification.instruments import fit_instrumented
from helpers.index.composite import composite_index
from helpers.study.model import Model
from helpers.study.study import Instrument, Label

WORDS = Label(en="words", zh="说明")


def make_statistics() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(12)], range(2000, 2007)], names=["entity", "time"])
    return pd.DataFrame(rng.gamma(2, size=(len(index), 4)), index=index, columns=["raw_a", "raw_b", "control", "y"])


UNITS = pd.DataFrame({"area": ["n"] * 5 + ["s"] * 7}, index=[f"e{i:02d}" for i in range(12)])


def make_study(instruments: dict[str, Any], **changes: Any) -> Any:
    items = {
        "a": SimpleNamespace(formula="raw_a * 2", direction=1, dimension="d"),
        "b": SimpleNamespace(formula="raw_b", direction=-1, dimension="d"),
    }
    index = SimpleNamespace(indicators=items, dimensions={"d": SimpleNamespace(parent=None)}, method=None)
    parts = {
        "name": "made",
        "specification": SimpleNamespace(outcome="y", treatment="digital", controls=("control",), cluster="entity"),
        "indices": {"digital": index},
        "ladder": {"full": SimpleNamespace(controls=True, effects=("entity", "time"))},
        "primary": "full",
        "instruments": instruments,
    }
    return SimpleNamespace(**(parts | changes))


def mean_of_area() -> Instrument:
    return Instrument(label=WORDS, kind="leave_one_out_mean", group="area", argument=WORDS, weakness=WORDS)


def level_of(time: int) -> Instrument:
    return Instrument(label=WORDS, kind="initial_level_trend", time=time, argument=WORDS, weakness=WORDS)


def make_panel(statistics: pd.DataFrame) -> pd.DataFrame:
    panel = statistics[statistics.index.get_level_values(1) >= 2002].copy()
    panel["a"], panel["b"] = 2 * panel["raw_a"], panel["raw_b"]
    return panel.assign(digital=composite_index(panel, make_study({}).indices["digital"]).values)


def test_the_mean_of_the_others_leaves_oneself_out() -> None:
    panel = make_panel(make_statistics())
    found = others_mean(panel["digital"], UNITS["area"])
    others = [f"e{i:02d}" for i in range(5) if i != 2]
    assert found["e02", 2004] == pytest.approx(
        np.mean([panel.loc[(name, 2004), "digital"] for name in others]), rel=1e-12
    )


def test_an_initial_level_is_the_index_of_that_time_times_the_mean_of_the_others() -> None:
    statistics = make_statistics()
    panel, study = make_panel(statistics), make_study({"level": level_of(2000)})
    first = statistics.xs(2000, level=1, drop_level=False)
    first = first.assign(a=2 * first["raw_a"], b=first["raw_b"])
    level = composite_index(first, study.indices["digital"]).values
    trend = panel["digital"].xs(2005, level=1).drop("e03").mean()
    found = build_instruments(panel, study, statistics, UNITS)["level"]
    assert found["e03", 2005] == pytest.approx(level["e03", 2000] * trend, rel=1e-12)


def test_each_instrument_is_tried_alone_and_all_together() -> None:
    statistics = make_statistics()
    panel, study = make_panel(statistics), make_study({"mean": mean_of_area(), "level": level_of(2001)})
    model = Model("y", "digital", ("control",))
    columns = build_instruments(panel, study, statistics, UNITS)
    fits = fit_each(panel, model, columns)
    assert list(fits) == ["mean", "level", "all"]
    both = fit_instrumented(panel.join(columns), model, ["mean", "level"])
    assert fits["all"].effect == both.effect
    assert fit_each(panel, model, columns[["mean"]]).keys() == {"mean"}


def test_a_study_without_instruments_has_no_column() -> None:
    statistics = make_statistics()
    panel = make_panel(statistics)
    columns = build_instruments(panel, make_study({}), statistics, UNITS)
    assert columns.shape == (len(panel), 0)
    assert fit_each(panel, Model("y", "digital"), columns) == {}


@pytest.mark.parametrize(
    "instruments, word",
    [
        ({"level": level_of(1990)}, "1990"),
        ({"mean": mean_of_area().model_copy(update={"group": "planet"})}, "planet"),
    ],
)
def test_what_cannot_be_built_is_named(instruments: dict[str, Any], word: str) -> None:
    statistics = make_statistics()
    with pytest.raises(StudyError, match=word):
        build_instruments(make_panel(statistics), make_study(instruments), statistics, UNITS)


def test_an_entity_alone_in_its_group_is_named() -> None:
    panel = make_panel(make_statistics())
    groups = UNITS["area"].mask(UNITS.index == "e07", "alone")
    with pytest.raises(StudyError, match="e07"):
        others_mean(panel["digital"], groups)


def test_a_gap_in_the_initial_figures_is_named() -> None:
    statistics = make_statistics()
    panel = make_panel(statistics)
    statistics.loc[("e05", 2000), "raw_b"] = np.nan
    with pytest.raises(StudyError, match="b, e05, 2000"):
        build_instruments(panel, make_study({"level": level_of(2000)}), statistics, UNITS)


@pytest.mark.parametrize("kind", ["leave_one_out_mean", "initial_level_trend"])
def test_an_instrument_without_what_it_needs_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"{kind} needs"):
        Instrument.model_validate({"label": WORDS, "kind": kind, "argument": WORDS, "weakness": WORDS})
