"""The study file: every choice of a study, read once and validated.

A study is a folder that holds ``study.yml`` (this module), ``claims.yml``, ``units.csv``, ``codebook.csv`` and the raw
files. Nothing below names an entity, a time or a variable: such words come from the file. The parts that describe the
data are in :mod:`helpers.study.data`, those of an index in :mod:`helpers.study.index`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from helpers.errors import StudyError, did_you_mean
from helpers.files import find_inside
from helpers.study.data import (
    WHOLE,
    Adopted,
    Column,
    Contract,
    Engine,
    Entity,
    Identity,
    Label,
    MissingRule,
    Name,
    Regions,
    Sample,
    Strict,
    Time,
    Variable,
)
from helpers.study.file import find_root, list_studies, read_as
from helpers.study.index import Dimension, Index, Indicator, Method
from helpers.study.model import Model, build_model
from helpers.study.texts import Coordination, Policy, Society, Space, name_columns
from helpers.study.variations import (
    Cluster,
    Effect,
    Instrument,
    MultiverseChoices,
    MultiverseIndex,
    MultiverseSample,
    RobustnessRow,
)

__all__ = [
    "Column",
    "Dimension",
    "Entity",
    "Identity",
    "Index",
    "Indicator",
    "Instrument",
    "Label",
    "Method",
    "MissingRule",
    "MultiverseChoices",
    "MultiverseIndex",
    "MultiverseSample",
    "Name",
    "Regions",
    "RobustnessRow",
    "Sample",
    "Specification",
    "Strict",
    "Study",
    "Time",
    "Variable",
    "find_root",
    "list_studies",
    "load_study",
]


class Specification(Strict):
    """The block ``model`` of the study file: what the study is about."""

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


class SubEffects(Strict):
    """What a text says that a channel brings: outcomes that are read together and recorded as ``<key>.<outcome>``.

    An outcome is a variable, an index, an indicator or a dimension of an index.
    """

    label: Label
    key: Name
    outcomes: tuple[Name, ...] = Field(min_length=1)


class Mediator(Strict):
    """A channel to be tested: the name of a variable or an index, and the caution that goes with it.

    ``alternative`` names another measure of the same channel; ``sub_effects`` are what the channel is said to bring.
    """

    label: Label
    caution: Label | None = None
    alternative: Name | None = None
    sub_effects: dict[Name, SubEffects] = Field(default_factory=dict)


class Map(Strict):
    """Where entities lie: a grid of tiles for pictures and a list of neighbours for spatial statistics."""

    tiles: str
    contiguity: str


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
    language: Literal["en", "zh"] = "en"
    engine: Engine = "memory"
    adopted: Adopted | None = None
    entity: Entity
    time: Time
    columns: dict[Name, Column]
    missing: tuple[MissingRule, ...] = ()
    sample: Sample = Sample()
    contract: Contract = Contract()
    variables: dict[Name, Variable]
    indices: dict[Name, Index]
    specification: Specification = Field(alias="model")
    ladder: dict[Name, LadderColumn]
    primary: Name
    robustness: dict[Name, RobustnessRow]
    multiverse: MultiverseChoices | None = None
    instruments: dict[Name, Instrument] = Field(default_factory=dict)
    mediators: dict[Name, Mediator]
    regions: dict[Name, Regions] = Field(default_factory=dict)
    map: Map | None = None
    coordination: Coordination | None = None
    society: Society | None = None
    policies: dict[Name, Policy] = Field(default_factory=dict)
    space: Space | None = None
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
    def memory(self) -> bool:
        """Whether the panel is worked on in memory; else it is kept on disk, for which some notebooks have no form."""
        return self.engine == "memory"

    @property
    def grouping(self) -> Regions:
        """The first grouping of the entities, which pictures and regressions use; one group where there is none."""
        return next(iter(self.regions.values()), WHOLE)

    @property
    def outcome_dimensions(self) -> tuple[str, ...]:
        """The dimensions of the outcome; none where it is no index of several."""
        index = self.indices.get(self.specification.outcome)
        return tuple(index.dimensions) if index is not None and len(index.dimensions) > 1 else ()

    @property
    def indicators(self) -> dict[str, Indicator]:
        """Every indicator of every index by its name."""
        return {name: item for index in self.indices.values() for name, item in index.indicators.items()}

    @property
    def formulas(self) -> dict[str, str]:
        """Every derived column (variables, then indicators) with its formula."""
        variables = {name: item.formula for name, item in self.variables.items()}
        return variables | {name: item.formula for name, item in self.indicators.items()}

    def model(self, column: str | None = None) -> Model:
        """The model of one column of the ladder, the primary one by default."""
        return build_model(self, column)

    def ladder_models(self) -> dict[str, Model]:
        """Every column of the ladder as a model, in the study's order."""
        return {column: build_model(self, column) for column in self.ladder}

    def words(self, name: str) -> Label:
        """The label of a name in both languages (see :meth:`label`)."""
        return self._find_label(name) or Label(en=name, zh=name)

    def label(self, name: str, language: Literal["en", "zh"] = "en") -> str:
        """The label of a variable, index, dimension, indicator, statistic, region or ladder column; else the name."""
        found = self._find_label(name)
        return name if found is None else str(getattr(found, language))

    def _find_label(self, name: str) -> Label | None:
        item = next((pool[name] for pool in self._label_pools() if name in pool), None)
        return getattr(item, "label", item)

    def _label_pools(self) -> Iterator[dict[str, Any]]:
        yield from (self.mediators, self.indices, self.variables)
        yield from (index.indicators for index in reversed(self.indices.values()))  # as `indicators` has them
        yield self.columns
        yield from (index.dimensions for index in self.indices.values())
        yield from (grouping.labels for grouping in self.regions.values())
        yield from (self.ladder, self.robustness, self.instruments, self.policies)
        yield from (self.space.weights if self.space else {}, self.society.contrast if self.society else {})
        yield self.coordination.labels if self.coordination else {}
        if self.multiverse:
            yield self.multiverse.samples

    @model_validator(mode="after")
    def _check_no_component_mediates(self) -> Self:
        """Before the words are looked up: an indicator or a dimension as mediator is a component of its index."""
        for role in ("treatment", "outcome"):
            whole = self.indices.get(getattr(self.specification, role))
            for mediator in self.mediators:
                if whole and (mediator in whole.indicators or mediator in whole.dimensions):
                    raise ValueError(f"mediator {mediator} is a component of the {role}; a mediator may not be one")
        return self

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
    def _check_texts(self) -> Self:
        known = {*self.indices, *self.variables, *self.indicators}
        known |= {name for index in self.indices.values() for name in index.dimensions}
        for role, names in name_columns(self.coordination, self.society, self.space).items():
            for name in names:
                if name not in known:
                    raise ValueError(f"{role} names '{name}', {_suggest(name, known)}")
        divided = self.coordination.divided if self.coordination else None
        if divided is not None and divided not in self.regions:
            raise ValueError(f"coordination.divided names '{divided}', {_suggest(divided, set(self.regions))}")
        return self

    @model_validator(mode="after")
    def _check_imputed_rows_drop(self) -> Self:
        for rule in self.missing:
            if rule.rule == "multiple_imputation" and self.sample.missing != "drop":
                raise ValueError(
                    f"missing declares multiple_imputation for {rule.column}: the main run then leaves out the rows "
                    "with a gap, so declare sample.missing: drop"
                )
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
        for role in ("treatment", "outcome"):
            whole = self.indices.get(getattr(self.specification, role))
            inside = {_squeeze(item.formula): name for name, item in whole.indicators.items()} if whole else {}
            for mediator in self.mediators:
                index = self.indices.get(mediator)
                formulas = [item.formula for item in index.indicators.values()] if index else [self.formulas[mediator]]
                for formula in formulas:
                    if _squeeze(formula) in inside:
                        raise ValueError(
                            f"mediator {mediator} is made from '{formula}', which is also the {role}'s indicator "
                            f"{inside[_squeeze(formula)]}; a mediator may not be a component of the {role}"
                        )
        return self

    @model_validator(mode="after")
    def _check_channels(self) -> Self:
        dimensions = {name for index in self.indices.values() for name in index.dimensions}
        known = {*self.indices, *self.formulas}
        for name, item in self.mediators.items():
            if item.alternative is not None and item.alternative not in known:
                raise ValueError(
                    f"mediators.{name}.alternative names '{item.alternative}', {_suggest(item.alternative, known)}"
                )
            for part, effects in item.sub_effects.items():
                for outcome in effects.outcomes:
                    if outcome not in known | dimensions:
                        where = f"mediators.{name}.sub_effects.{part}"
                        raise ValueError(f"{where} names '{outcome}', {_suggest(outcome, known | dimensions)}")
        return self

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        window = self.time.window
        if len(window) < 2 or list(window) != sorted(set(window)):
            raise ValueError("time needs at least two periods, in rising order and without repeats")
        if not set(window) <= set(self.time.read) or window[-1] > self.time.last or window[0] < self.time.first:
            raise ValueError("time.times must lie between the first period that is read and time.last")
        samples = self.multiverse.samples if self.multiverse else {}
        for role, rows in (("robustness", self.robustness), ("multiverse.samples", samples)):
            for name, row in rows.items():
                outside = sorted(set(row.drop_times or ()) - set(window))
                if outside:
                    raise ValueError(f"{role}.{name} drops the {self.time.name} {outside[0]}, which is not analysed")
        return self

    @model_validator(mode="after")
    def _check_index_windows(self) -> Self:
        window = self.time.window
        for name, index in self.indices.items():
            for field, time in (("first", index.first), ("last", index.last)):
                if time is not None and not window[0] <= time <= window[-1]:
                    raise ValueError(
                        f"indices.{name}.{field}: the {self.time.name} {time} is not analysed; "
                        f"write one from {window[0]} to {window[-1]}"
                    )
            inside = [time for time in window if (index.first or time) <= time <= (index.last or time)]
            if len(inside) < 2:
                raise ValueError(f"indices.{name}: first and last leave fewer than two periods")
        return self

    @model_validator(mode="after")
    def _check_rebuilt(self) -> Self:
        for name, row in self.robustness.items():
            built = {self.specification.outcome, row.treatment or self.specification.treatment}
            if row.index is not None and not built & self.indices.keys():
                raise ValueError(
                    f"robustness.{name} makes an index anew, but neither outcome nor treatment is an index"
                )
        return self

    def _roles(self) -> dict[str, tuple[str, ...]]:
        rows = {
            f"robustness.{name}": (*filter(None, [row.treatment, row.weights]), *(row.controls or ()))
            for name, row in self.robustness.items()
        }
        return rows | {
            "model.outcome": (self.specification.outcome,),
            "model.treatment": (self.specification.treatment,),
            "model.controls": self.specification.controls,
            "mediators": tuple(self.mediators),
        }


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
    _check_links(folder)
    study = read_as(path, Study, "correct the study file; data/study.schema.json lists every key that it may hold")
    study._folder = folder
    _check_places(study)
    return study


def _check_links(folder: Path) -> None:
    """No file of a study is a link to something outside its folder: whatever is read of it, is its own."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            find_inside(folder, path.relative_to(folder).as_posix(), str(path))


def _check_places(study: Study) -> None:
    """The study bears its folder's name, so that none writes another's report, and reads nothing outside its folder.

    A name with ``*`` is looked up when it is read.
    """
    name, path = study.folder.resolve().name, study.folder / "study.yml"
    if study.name != name and not name.startswith("."):
        raise StudyError(f"{path}, name", f"it is '{study.name}', the folder is '{name}'", "give both the same name")
    named = {"entity.units": study.entity.units}
    if study.map is not None:
        named |= {"map.tiles": study.map.tiles, "map.contiguity": study.map.contiguity}
    named |= {f"columns.{name}.file": column.file.replace("*", "_") for name, column in study.columns.items()}
    for key, file in named.items():
        find_inside(study.folder, file, f"{path}, {key}")


def _suggest(name: str, known: set[str]) -> str:
    hint = did_you_mean(name, known).strip() or f"known are {', '.join(sorted(known))}"
    return f"which is declared nowhere; {hint}"


def _squeeze(formula: str) -> str:
    return "".join(formula.split())
