"""The parts of the study file that describe the data: entities, times, statistics, sample, gaps and groupings."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from helpers.study.periods import Kind, Period, show_period

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]

Engine = Literal["memory", "disk"]
"""Where the panel is worked on: ``disk`` is for one that memory does not hold (docs/large_panels.md)."""

MOST_PERIODS = 2_000
"""More than any panel of years, quarters or months has; a mistyped year makes millions."""


class Strict(BaseModel):
    """A part of the study file; a key that it does not know stops the run, and so does a text in place of a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _freeze(cls, content: Any) -> Any:
        return _freeze(content)


def _freeze(content: Any) -> Any:
    """YAML's lists as the tuples that a frozen model holds."""
    if isinstance(content, dict):
        return {key: _freeze(value) for key, value in content.items()}
    return tuple(_freeze(item) for item in content) if isinstance(content, list) else content


class Label(Strict):
    """One thing's name in the two languages of the project."""

    en: str
    zh: str

    def inside(self) -> str:
        """The English name as it stands inside a sentence: R&D, GDP and Gross Domestic Product keep their capitals."""
        first, second = (*self.en.split(" ", 2), "")[:2]
        title = second[:1].isupper() or any(sign.isupper() or sign.isdigit() for sign in first[1:])
        return self.en if title or (len(first) == 1 and first != "A") else self.en[:1].lower() + self.en[1:]


UNITS = {
    "year": Label(en="year", zh="年"),
    "fiscal_year": Label(en="year", zh="年"),
    "half_year": Label(en="half-year", zh="半年"),
    "quarter": Label(en="quarter", zh="季度"),
    "month": Label(en="month", zh="月"),
    "day": Label(en="day", zh="日"),
    "period": Label(en="period", zh="期"),
}
"""Kind of periods -> the step by which they are counted."""


class Entity(Strict):
    """What the units of the panel are and how files may spell them.

    ``offered`` units are a list for others: a table that `study adopt` reads takes names, codes and groups from it.
    """

    name: Name
    units: str = "units.csv"
    key: str
    aliases: tuple[str, ...] = ()
    offered: bool = False
    label: Label


class Time(Strict):
    """The periods of the analysis (``first`` to ``last``, or an explicit list) and where reading begins.

    ``kind`` says what a period is; periods are written and printed in its form (2019Q1, 2019-01, 2015/16).
    """

    name: Name
    kind: Kind = "year"
    first: Period
    last: Period
    read_from: Period | None = None
    times: tuple[Period, ...] | None = None
    label: Label

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        first = min(self.first, self.first if self.read_from is None else self.read_from)
        count = self.last - first + 1 if self.times is None or self.read_from is not None else len(self.times)
        if count > MOST_PERIODS:
            raise ValueError(f"it spans {count:,} periods, more than {MOST_PERIODS:,}")
        return self

    @property
    def window(self) -> tuple[int, ...]:
        """The periods that are analysed, in order."""
        return self.times if self.times is not None else tuple(range(self.first, self.last + 1))

    @property
    def read(self) -> tuple[int, ...]:
        """The periods that are read: the window and, from ``read_from``, the earlier ones that lags may need."""
        if self.times is not None and self.read_from is None:
            return self.times
        start = self.first if self.read_from is None else self.read_from
        return tuple(range(start, self.last + 1))

    @property
    def unit(self) -> Label:
        """What one step of the number of a period is, in words: a slope on time is per such a step."""
        return UNITS[self.kind]

    def show(self, code: int) -> str:
        """A period as it is printed."""
        return show_period(int(code), self.kind)


class Column(Strict):
    """One raw statistic: its file, how the file names it, the values that it may take, and the times that it covers.

    It covers ``first`` to ``last``, or only ``times`` where it is not published in every period. ``vintage`` names the
    revision of a statistic that is revised; statistics of one identity must be of one vintage.
    """

    file: str
    indicator: str | None = None
    column: str | None = None
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    first: Period | None = None
    last: Period | None = None
    times: tuple[Period, ...] | None = None
    vintage: str | None = None
    label: Label

    def covers(self, time: int) -> bool:
        """Whether a figure is expected at this time."""
        if self.times is not None:
            return time in self.times
        return (self.first is None or time >= self.first) and (self.last is None or time <= self.last)


class Adopted(Strict):
    """Where an adopted study comes from, and what the person said about the table; nothing here is read in a run."""

    source: str
    sha256: str
    entity: str
    time: str
    missing: tuple[str, ...] | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: tuple[str, ...] | None = None
    units: str | None = None
    left_out: tuple[str, ...] = ()


class Sample(Strict):
    """Which rows of the window are analysed.

    ``require`` names statistics and the figure that a row must show. ``missing`` says what becomes of a row that lacks
    a figure for outcome, treatment or a control: ``stop`` the run, or ``drop`` and count it.
    """

    require: dict[Name, float] = Field(default_factory=dict)
    missing: Literal["stop", "drop"] = "stop"


class Identity(Strict):
    """Two formulas over the statistics that must agree, to ``tolerance`` relative to the larger of the two."""

    left: str
    right: str
    tolerance: float = Field(default=0.01, gt=0, lt=1)
    label: Label


class Contract(Strict):
    """What the figures must keep to.

    ``genuine`` names statistics that are as published, however much they look as if they were in another unit or in
    the rows of others. ``jump_score`` is the robust score from which a jump of a single figure is listed;
    ``moved_margin`` by how much a statistic must fit the others better one row up or down before it is taken for
    misplaced. Without it the margin is 0.15, and the fit must be better than chance makes it in as many tests.
    """

    identities: tuple[Identity, ...] = ()
    genuine: tuple[Name, ...] = ()
    jump_score: float = Field(default=8.0, gt=0)
    moved_margin: float | None = Field(default=None, gt=0, lt=1)


class MissingRule(Strict):
    """A declared rule for figures that no source prints; a gap without one stops the run.

    ``multiple_imputation`` fills nothing in the panel: rows with a gap are dropped (``sample.missing: drop``), and the
    robustness notebook adds the primary specification pooled over ``m`` completed panels.
    """

    column: Name
    rule: Literal["interpolate", "carry", "zero", "drop_entity", "drop_time", "multiple_imputation"]
    entities: tuple[str, ...] | None = None
    times: tuple[Period, ...] | None = None
    m: int | None = Field(default=None, ge=2, le=1000)
    reason: Label

    @model_validator(mode="after")
    def _check_imputation(self) -> Self:
        imputed = self.rule == "multiple_imputation"
        if imputed != (self.m is not None):
            raise ValueError(
                "m, the number of completed panels, goes with the rule multiple_imputation and only with it"
            )
        if imputed and (self.entities is not None or self.times is not None):
            raise ValueError("multiple_imputation is for every gap of the column; take entities and times out")
        return self


class Variable(Strict):
    """A derived column: a formula over raw statistics."""

    formula: str
    label: Label
    unit: str = ""
    caution: Label | None = None


class Regions(Strict):
    """A grouping of the entities: a column of the units file, its values, and the order in which groups are shown.

    ``values`` maps what the column holds to the short names used in keys; without it the column holds those names.
    ``left_out`` lists what else the column may hold, with the reason why such entities belong to no group.
    """

    column: str
    order: tuple[Name, ...]
    labels: dict[Name, Label]
    values: dict[str, Name] | None = None
    left_out: dict[str, Label] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if len(self.order) != len(set(self.order)) or set(self.order) != set(self.labels):
            raise ValueError("order and labels must name the same regions, each once")
        if self.values is not None and set(self.values.values()) != set(self.order):
            raise ValueError("values must lead to every region of order and to no other")
        both = sorted(self.left_out.keys() & set(self.order if self.values is None else self.values))
        if both:
            raise ValueError(f"left_out names '{both[0]}', which is also a region")
        return self

    def group(self, held: str) -> str | None:
        """The region for what the column holds; None for an entity that is left out."""
        return None if held in self.left_out else (held if self.values is None else self.values.get(held))


WHOLE = Regions(column="", order=("all",), labels={"all": Label(en="All", zh="全部")})
"""The grouping of a study that declares none."""
