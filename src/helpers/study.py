"""The study file: every choice of a study, read once and validated.

A study is a folder that holds ``study.yml`` (this module), ``claims.yml``, ``units.csv``, ``codebook.csv`` and the raw
files. Nothing below names an entity, a time or a variable: such words come from the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from helpers.errors import StudyError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Effect = Literal["entity", "time"]
Cluster = Literal["entity", "time"]


class Strict(BaseModel):
    """A part of the study file; a key that it does not know stops the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Strict):
    """One thing's name in the two languages of the project."""

    en: str
    zh: str


class Entity(Strict):
    """What the units of the panel are and how files may spell them."""

    name: Name
    units: str = "units.csv"
    key: str
    aliases: tuple[str, ...] = ()
    label: Label


class Time(Strict):
    """The periods of the analysis (``first`` to ``last``, or an explicit list) and where reading begins."""

    name: Name
    first: int
    last: int
    read_from: int | None = None
    times: tuple[int, ...] | None = None
    label: Label

    @property
    def window(self) -> tuple[int, ...]:
        """The periods that are analysed, in order."""
        return self.times if self.times is not None else tuple(range(self.first, self.last + 1))

    @property
    def read(self) -> tuple[int, ...]:
        """The periods that are read: the window and the earlier ones that lags may need."""
        start = self.first if self.read_from is None else self.read_from
        return tuple(range(start, self.last + 1))


class Column(Strict):
    """One raw statistic: its file, how the file names it, the values that it may take, and the times that it covers.

    It covers ``first`` to ``last``, or only ``times`` where it is not published in every period.
    """

    file: str
    indicator: str | None = None
    column: str | None = None
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    first: int | None = None
    last: int | None = None
    times: tuple[int, ...] | None = None
    label: Label

    def covers(self, time: int) -> bool:
        """Whether a figure is expected at this time."""
        if self.times is not None:
            return time in self.times
        return (self.first is None or time >= self.first) and (self.last is None or time <= self.last)


class Sample(Strict):
    """Which rows of the window are analysed.

    ``require`` names statistics and the figure that a row must show. ``missing`` says what becomes of a row that lacks
    a figure for outcome, treatment or a control: ``stop`` the run, or ``drop`` and count it.
    """

    require: dict[Name, float] = Field(default_factory=dict)
    missing: Literal["stop", "drop"] = "stop"


class MissingRule(Strict):
    """A declared rule for figures that no source prints; a gap without one stops the run."""

    column: Name
    rule: Literal["interpolate", "carry", "zero", "drop_entity", "drop_time"]
    entities: tuple[str, ...] | None = None
    times: tuple[int, ...] | None = None
    reason: Label


class Variable(Strict):
    """A derived column: a formula over raw statistics."""

    formula: str
    label: Label
    unit: str = ""
    caution: Label | None = None


class Method(Strict):
    """How an index is made from its indicators."""

    scale: Literal[
        "min_max", "z_score", "rank", "percentile", "distance_to_reference", "goalposts", "ratio_to_best"
    ] = "min_max"
    scope: Literal["pooled", "yearly"] = "pooled"
    weights: Literal[
        "entropy",
        "entropy_yearly",
        "entropy_chained",
        "equal",
        "critic",
        "critic_spearman",
        "critic_entropy",
        "coefficient_of_variation",
        "pca",
        "fixed",
    ] = "entropy"
    zero_rule: Literal["zero"] | Annotated[float, Field(gt=0)] = "zero"
    aggregate: Literal["arithmetic", "geometric", "harmonic", "topsis"] = "arithmetic"
    levels: Literal["one", "nested"] = "one"
    winsorise: float = Field(default=0.0, ge=0, lt=0.5)


class Dimension(Strict):
    """A group of indicators; ``parent`` names the dimension above it, none for the top."""

    label: Label
    parent: Name | None = None
    weight: float | None = None


class Indicator(Strict):
    """One indicator of an index: formula, direction (+1 more is better, -1 less is better) and dimension."""

    formula: str
    direction: Literal[1, -1]
    dimension: Name
    label: Label
    unit: str = ""
    weight: float | None = None


class Index(Strict):
    """A composite index: dimensions, indicators, and the method; ``first`` and ``last`` narrow its periods."""

    label: Label
    method: Method = Method()
    dimensions: dict[Name, Dimension]
    indicators: dict[Name, Indicator]
    first: int | None = None
    last: int | None = None

    @model_validator(mode="after")
    def _check_hierarchy(self) -> Self:
        for name, indicator in self.indicators.items():
            if indicator.dimension not in self.dimensions:
                raise ValueError(
                    f"indicator {name} names the dimension '{indicator.dimension}', which is not declared; "
                    f"declared: {', '.join(self.dimensions)}"
                )
        for name in self.dimensions:
            seen = [name]
            parent = self.dimensions[name].parent
            while parent is not None:
                if parent not in self.dimensions:
                    raise ValueError(f"dimension {seen[-1]} names the parent '{parent}', which is not declared")
                if parent in seen:
                    raise ValueError(f"the dimensions form a cycle: {' -> '.join([*seen, parent])}")
                seen.append(parent)
                parent = self.dimensions[parent].parent
        return self


class Model(Strict):
    """The specification that the study is about."""

    outcome: Name
    treatment: Name
    controls: tuple[Name, ...]
    cluster: Cluster = "entity"
    significance: float = Field(default=0.05, gt=0, lt=0.5)


class LadderColumn(Strict):
    """One column of the baseline table."""

    label: Label
    controls: bool
    effects: tuple[Effect, ...]


class RobustnessRow(Strict):
    """One change to the primary specification, with the question that it asks.

    ``treatment`` and ``controls`` put other variables in their place; ``lag_treatment`` and ``lead_outcome`` count
    periods of the study's window; ``balanced`` keeps the entities that have a row in every period.
    """

    label: Label
    asks: Label
    treatment: Name | None = None
    controls: tuple[Name, ...] | None = None
    index: dict[str, Any] | None = None
    winsorise: float | None = Field(default=None, gt=0, lt=0.5)
    drop_where: dict[str, str | int] | None = None
    drop_times: tuple[int, ...] | None = None
    balanced: bool = False
    lag_treatment: int | None = Field(default=None, ge=1)
    lead_outcome: int | None = Field(default=None, ge=1)
    cluster: tuple[Cluster, ...] | None = None
    inference: Literal["wild_cluster_bootstrap"] | None = None
    leave_one_out: bool = False

    @model_validator(mode="after")
    def _check_method(self) -> Self:
        if self.index is not None:
            Method.model_validate(self.index)
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
    drop_times: tuple[int, ...] | None = None


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


class Mediator(Strict):
    """A channel to be tested: the name of a variable or an index, and the caution that goes with it."""

    label: Label
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


class Study(Strict):
    """Everything that a person may choose about a study.

    Raises
    ------
    StudyError
        From :func:`load_study`, when a key is unknown, a type is wrong or a name refers to nothing.
    """

    name: Name
    title: Label
    question: Label
    seed: int = Field(ge=0)
    entity: Entity
    time: Time
    columns: dict[Name, Column]
    missing: tuple[MissingRule, ...] = ()
    sample: Sample = Sample()
    variables: dict[Name, Variable]
    indices: dict[Name, Index]
    model: Model
    ladder: dict[Name, LadderColumn]
    primary: Name
    robustness: dict[Name, RobustnessRow]
    multiverse: MultiverseChoices | None = None
    mediators: dict[Name, Mediator]
    regions: dict[Name, Regions] = Field(min_length=1)
    cautions: tuple[Label, ...] = ()
    presets: dict[Name, dict[Name, int]]
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The folder that the study was read from."""
        return self._folder

    @property
    def index_names(self) -> tuple[str, str]:
        """What the study calls an entity and a time."""
        return self.entity.name, self.time.name

    @property
    def grouping(self) -> Regions:
        """The first grouping of the entities: the one that pictures and region regressions use."""
        return next(iter(self.regions.values()))

    @property
    def indicators(self) -> dict[str, Indicator]:
        """Every indicator of every index by its name."""
        return {name: item for index in self.indices.values() for name, item in index.indicators.items()}

    @property
    def formulas(self) -> dict[str, str]:
        """Every derived column (variables, then indicators) with its formula."""
        variables = {name: item.formula for name, item in self.variables.items()}
        return variables | {name: item.formula for name, item in self.indicators.items()}

    def label(self, name: str, language: Literal["en", "zh"] = "en") -> str:
        """The label of a variable, index, dimension, indicator, statistic, region or ladder column; else the name."""
        for pool in self._label_pools():
            if name in pool:
                item = pool[name]
                return str(getattr(getattr(item, "label", item), language))
        return name

    def _label_pools(self) -> Iterator[dict[str, Any]]:
        yield from (self.indices, self.variables, self.indicators, self.mediators, self.columns)
        yield from (index.dimensions for index in self.indices.values())
        yield from (grouping.labels for grouping in self.regions.values())
        yield from (self.ladder, self.robustness)
        if self.multiverse:
            yield self.multiverse.samples

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        known = {*self.indices, *self.variables}
        for role, names in self._roles().items():
            for name in names:
                if name not in known:
                    raise ValueError(f"{role} names '{name}', {_suggest(name, known)}")
        if self.primary not in self.ladder:
            raise ValueError(f"primary names the column '{self.primary}', {_suggest(self.primary, set(self.ladder))}")
        ruled = [rule.column for rule in self.missing]
        for role, named in (("missing", ruled), ("sample.require", self.sample.require)):
            for name in named:
                if name not in self.columns:
                    raise ValueError(f"{role} names the column '{name}', {_suggest(name, set(self.columns))}")
        return self

    @model_validator(mode="after")
    def _check_unique_words(self) -> Self:
        counted: list[str] = [*self.indices, *self.variables]
        counted += [name for index in self.indices.values() for name in index.indicators]
        twice = sorted({name for name in counted if counted.count(name) > 1})
        if twice:
            raise ValueError(f"one word is used for two derived columns: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _check_mediators_apart(self) -> Self:
        treatment = self.indices.get(self.model.treatment)
        if treatment is None:
            return self
        inside = {_squeeze(item.formula): name for name, item in treatment.indicators.items()}
        for mediator in self.mediators:
            index = self.indices.get(mediator)
            formulas = [item.formula for item in index.indicators.values()] if index else [self.formulas[mediator]]
            for formula in formulas:
                if _squeeze(formula) in inside:
                    raise ValueError(
                        f"mediator {mediator} is made from '{formula}', which is also the treatment's indicator "
                        f"{inside[_squeeze(formula)]}; a mediator may not be a component of the treatment"
                    )
        return self

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if len(self.time.window) < 2 or list(self.time.window) != sorted(set(self.time.window)):
            raise ValueError("time needs at least two periods, in rising order and without repeats")
        return self

    def _roles(self) -> dict[str, tuple[str, ...]]:
        rows = {
            f"robustness.{name}": (*filter(None, [row.treatment]), *(row.controls or ()))
            for name, row in self.robustness.items()
        }
        return rows | {
            "model.outcome": (self.model.outcome,),
            "model.treatment": (self.model.treatment,),
            "model.controls": self.model.controls,
            "mediators": tuple(self.mediators),
        }


def find_root(start: Path | None = None) -> Path:
    """The project's root: the nearest folder upwards that holds ``pyproject.toml`` and ``data``.

    Raises
    ------
    StudyError
        When no folder above ``start`` (the current folder by default) is a project.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "data").is_dir():
            return folder
    raise StudyError(
        str(start), "no project here: no pyproject.toml beside a data folder", "change into the project's folder"
    )


def list_studies(root: Path) -> list[str]:
    """The names of the studies in ``root/data``, sorted."""
    return sorted(path.parent.name for path in (root / "data").glob("*/study.yml"))


def load_study(folder: Path) -> Study:
    """Read and validate ``folder/study.yml``.

    Raises
    ------
    StudyError
        When the file is missing, is not YAML, repeats a key, or breaks a rule of :class:`Study`.
    """
    path = folder / "study.yml"
    if not path.is_file():
        others = ", ".join(sorted(p.parent.name for p in folder.parent.glob("*/study.yml"))) or "none"
        raise StudyError(str(path), "there is no study file here", f"name one of the studies that exist: {others}")
    content = read_yaml(path)
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        raise explain_validation(path, error) from None
    study._folder = folder
    return study


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML's safe loader, with a repeated key as an error (YAML readers keep the last one in silence)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", node.value[number][0].start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, with repeated keys refused.

    Raises
    ------
    StudyError
        When the file is not UTF-8 or not YAML; the message names line and column.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError:
        raise StudyError(str(path), "the file is not UTF-8 text", "save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "the text cannot be read as YAML"
        raise StudyError(place, f"not valid YAML: {problem}", "correct that line; indent with spaces only") from None


def explain_validation(path: Path, error: ValidationError) -> StudyError:
    """One readable message from pydantic's list of broken rules (the first five of them)."""
    lines = []
    for item in error.errors()[:5]:
        place = ".".join(str(part) for part in item["loc"] if part != "[key]") or "the file as a whole"
        text = "unknown key" if item["type"] == "extra_forbidden" else item["msg"].removeprefix("Value error, ")
        lines.append(f"{place}: {text}")
    more = len(error.errors()) - 5
    tail = f"; and {more} more" if more > 0 else ""
    return StudyError(
        str(path),
        "; ".join(lines) + tail,
        "correct the study file; data/study.schema.json lists every key that it may hold",
    )


def _suggest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}"
    return f"which is declared nowhere; {hint}"


def _squeeze(formula: str) -> str:
    return "".join(formula.split())
