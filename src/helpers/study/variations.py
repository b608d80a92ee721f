"""The parts of the study file that vary the primary specification: robustness rows, the multiverse, instruments."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from helpers.study.data import Label, Name, Strict
from helpers.study.file import list_problems
from helpers.study.index import Method
from helpers.study.periods import Period

Effect = Literal["entity", "time"]
Cluster = Literal["entity", "time"]


class RobustnessRow(Strict):
    """One change to the primary specification, with the question that it asks.

    ``treatment`` and ``controls`` put other variables in their place; ``lag_treatment`` and ``lead_outcome`` count
    periods of the study's window; ``balanced`` keeps the entities that have a row in every period;
    ``weights`` is the variable that rows are weighted by, above 0 in each.
    """

    label: Label
    asks: Label
    treatment: Name | None = None
    controls: tuple[Name, ...] | None = None
    index: dict[str, Any] | None = None
    winsorise: float | None = Field(default=None, gt=0, lt=0.5)
    drop_where: dict[str, str | int] | None = None
    drop_times: tuple[Period, ...] | None = None
    balanced: bool = False
    lag_treatment: int | None = Field(default=None, ge=1)
    lead_outcome: int | None = Field(default=None, ge=1)
    weights: Name | None = None
    cluster: tuple[Cluster, ...] | None = None
    inference: Literal["wild_cluster_bootstrap"] | None = None
    leave_one_out: bool = False

    @model_validator(mode="after")
    def _check_method(self) -> Self:
        if self.index is not None:
            try:
                Method.model_validate(self.index)
            except ValidationError as error:
                raise ValueError(f"index: {list_problems(error)}") from None
        return self


class MultiverseIndex(Strict):
    """Options of each choice in an index; a zero rule is the shift added to scores, 0 for 0 ln 0 = 0."""

    zero_rule: tuple[Annotated[float, Field(ge=0)], ...] = Field(default=(0.0,), min_length=1)
    scale: tuple[str, ...] = Field(default=("min_max",), min_length=1)
    winsorise: tuple[Annotated[float, Field(ge=0, lt=0.5)], ...] = Field(default=(0.0,), min_length=1)
    weights: tuple[str, ...] = Field(default=("entropy",), min_length=1)
    scope: tuple[str, ...] = Field(default=("pooled",), min_length=1)
    aggregate: tuple[str, ...] = Field(default=("arithmetic",), min_length=1)
    leave_one_out: bool = False


class MultiverseSample(Strict):
    """Rows of one sample of the multiverse: all, or those that are left after the declared drops."""

    label: Label
    drop_where: dict[str, str | int] | None = None
    drop_times: tuple[Period, ...] | None = None


class MultiverseChoices(Strict):
    """Every declared alternative; all are crossed.

    ``index_rows`` says over which rows an index is built when a sample leaves some out: all rows, or the sample's own.
    """

    index: MultiverseIndex = MultiverseIndex()
    index_rows: tuple[Literal["all", "sample"], ...] = Field(default=("all",), min_length=1)
    samples: dict[Name, MultiverseSample] = Field(min_length=1)
    always: tuple[Name, ...] = ()
    effects: tuple[tuple[Effect, ...], ...] = Field(min_length=1)
    lags: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0,), min_length=1)


class Instrument(Strict):
    """A variable that moves the treatment and should reach the outcome through it alone.

    ``leave_one_out_mean``: the treatment's mean over the other entities with the same value in the units' column
    ``group``, at the same time. ``initial_level_trend``: the entity's level at ``time``, before the window, times the
    mean of the other entities at each time. ``argument`` says why it may do, ``weakness`` why it may not.
    """

    label: Label
    kind: Literal["leave_one_out_mean", "initial_level_trend"]
    group: str | None = None
    time: Period | None = None
    argument: Label
    weakness: Label

    @model_validator(mode="after")
    def _check_needs(self) -> Self:
        if self.kind == "leave_one_out_mean" and self.group is None:
            raise ValueError("leave_one_out_mean needs `group`, a column of the units file")
        if self.kind == "initial_level_trend" and self.time is None:
            raise ValueError("initial_level_trend needs `time`, that of the initial level")
        return self
