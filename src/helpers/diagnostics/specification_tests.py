"""The tests that stand beside a model, each run on the effects of that model and read where its level holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from helpers.diagnostics import null_draws
from helpers.diagnostics.effects_tests import Diagnostic, breusch_pagan_lm, f_test_effects, honda, poolability
from helpers.diagnostics.null_draws import NullSetting, Statistic
from helpers.diagnostics.random_effects import hausman
from helpers.diagnostics.residual_tests import modified_wald, pesaran_cd, wooldridge_serial_correlation
from helpers.errors import StudyError
from helpers.study.model import Model

TITLES = {
    "f_entity": "F test for entity effects",
    "f_time": "F test for time effects",
    "poolability": "F test of poolability",
    "breusch_pagan": "Breusch-Pagan LM test (entity)",
    "hausman": "Hausman test",
    "hausman_robust": "robust Hausman (Mundlak) test",
    "pesaran_cd": "Pesaran CD test",
    "pesaran_cd_twoway": "Pesaran CD test",
    "wooldridge": "Wooldridge test for serial correlation",
    "modified_wald": "modified Wald test for groupwise heteroskedasticity",
    "honda": "Honda test (entity)",
}
"""What each test is called, for those that cannot be made."""


@dataclass(frozen=True)
class Refusal:
    """A test that these rows do not allow.

    Attributes
    ----------
    name
        What it is called where it can be made.
    note
        Why it could not be made.
    """

    name: str
    note: str


@dataclass(frozen=True)
class ModelTest:
    """One test of a model.

    Attributes
    ----------
    run
        (data, outcome, regressors) -> its statistic, with the p-value of the distribution that it has in the limit.
    effects
        The effects that the tested regression holds.
    statistic
        What makes its statistic in draws from the null; None where its distribution is exact for normal errors
        that are alike and unrelated.
    how
        How those draws are made (see `helpers.diagnostics.null_draws.draw_p_value`).
    """

    run: Callable[..., Diagnostic]
    effects: tuple[str, ...]
    statistic: Callable[[NullSetting], Statistic] | None = None
    how: str = "errors"


def list_tests(model: Model) -> dict[str, ModelTest]:
    """The tests of a model by a short name that keys and tables share."""
    times = model.time_effects
    both = ("entity", "time") if times else ("entity",)
    against = "time" if times else "pooled"
    return {
        "f_entity": ModelTest(partial(f_test_effects, time_effects=times, against=against), both),
        "f_time": ModelTest(partial(f_test_effects, against="entity"), ("entity", "time")),
        "poolability": ModelTest(partial(poolability, time_effects=times), both),
        "breusch_pagan": ModelTest(
            partial(breusch_pagan_lm, time_effects=times), both[1:], null_draws.breusch_pagan_statistics
        ),
        "hausman": ModelTest(partial(hausman, time_effects=times), both, null_draws.hausman_statistics, "random"),
        "hausman_robust": ModelTest(
            partial(hausman, time_effects=times, robust=True), both, null_draws.robust_hausman_statistics, "signs"
        ),
        "pesaran_cd": ModelTest(pesaran_cd, ("entity",), null_draws.cd_statistics, "centred"),
        "pesaran_cd_twoway": ModelTest(
            partial(pesaran_cd, time_effects=True), ("entity", "time"), null_draws.cd_statistics, "centred"
        ),
        "wooldridge": ModelTest(
            partial(wooldridge_serial_correlation, time_effects=times), both, null_draws.wooldridge_statistics
        ),
        "modified_wald": ModelTest(
            partial(modified_wald, time_effects=times), both, null_draws.modified_wald_statistics
        ),
        "honda": ModelTest(partial(honda, time_effects=times), both[1:], null_draws.honda_statistics),
    }


def run_tests(
    data: pd.DataFrame, model: Model, *, draws: int, rng: np.random.Generator
) -> dict[str, Diagnostic | Refusal]:
    """Run every test of a model; one that the rows do not allow gives its reason instead.

    With up to 200 entities the p-value is the share of draws from the null whose statistic is at least the sample's,
    the sample counted once; with more, and for the F tests, it is that of the test's distribution.

    Parameters
    ----------
    data
        Panel with the model's columns.
    model
        The model whose effects the tests take.
    draws, rng
        Draws from the null, and their source.
    """
    rows = data[list(model.columns)]
    found: dict[str, Diagnostic | Refusal] = {}
    for name, test in list_tests(model).items():
        try:
            found[name] = _run(rows, model, test, draws, rng)
        except StudyError as error:
            found[name] = Refusal(TITLES[name], f"not made: {error.where}: {error.rule}")
    return found


def _run(data: pd.DataFrame, model: Model, test: ModelTest, draws: int, rng: np.random.Generator) -> Diagnostic:
    made = replace(test.run(data, model.outcome, list(model.regressors)), note="")
    if test.statistic is None or data.index.get_level_values(0).nunique() > null_draws.MANY_ENTITIES:
        exact = "exact for normal errors that are alike and unrelated"
        return replace(made, note=exact if test.statistic is None else "by its distribution, as entities are many")
    setting = null_draws.prepare(data, model.with_(effects=test.effects))
    p_value, used = null_draws.draw_p_value(setting, test.statistic(setting), made.statistic, draws, rng, how=test.how)
    return replace(made, p_value=p_value, draws=used, note="by draws from the null at these rows")


def diagnostic_table(tests: Mapping[str, Diagnostic | Refusal], model: Model) -> pd.DataFrame:
    """One row per test: effects, what it takes for granted, statistic, degrees of freedom, p-value, how it is read."""
    listed, rows = list_tests(model), []
    for name, test in tests.items():
        effects = " + ".join({"entity": model.entity, "time": model.time}[part] for part in listed[name].effects)
        row: dict[str, object] = {"test": test.name, "effects": effects or "none"}
        if isinstance(test, Diagnostic):
            df = ", ".join(f"{number:.10g}" for number in test.df)
            drawn = test.draws is not None
            row |= {"null": test.null, "statistic": test.statistic}
            row |= {"distribution": "drawn" if drawn else test.distribution, "df": "" if drawn else df}
            row |= {"p_value": test.p_value, "draws": test.draws}
        rows.append(row | {"note": test.note})
    return pd.DataFrame(rows).set_index("test")


def record_tests(record: Callable[..., Any], tests: Mapping[str, Diagnostic | Refusal]) -> None:
    """Record every test that could be made under ``baseline.tests.<name>``."""
    for name, test in tests.items():
        if isinstance(test, Diagnostic):
            how = f"{test.name}, p-value by draws from its null" if test.draws else test.name
            numbers = {"value": test.statistic, "p_value": test.p_value, "draws": test.draws, "digits": 3}
            record(f"baseline.tests.{name}", convention=how, **numbers)
