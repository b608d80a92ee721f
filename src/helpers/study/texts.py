"""The parts of the study file that put further texts to the test: coordination, society, policies and space."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from helpers.study.data import Label, Name, Strict


class Moderation(Strict):
    """An effect that may depend on another variable: that of ``of`` on the outcome, moderated by ``by``.

    ``beside`` names columns that stand beside the two without an interaction.
    """

    label: Label
    of: Name
    by: Name
    beside: tuple[Name, ...] = ()


class Coordination(Strict):
    """Systems that should move together, named as dimensions of an index or as variables with values in [0, 1].

    ``without``: controls that one of the systems contains, so that they do not stand beside them. ``moderation``: which
    effects may depend on which others, the first is the one that is looked at closely. ``functions``: what may drift
    apart inside an entity, the dimensions of an index or columns. ``features``: what is looked at together, the
    dimensions of an index or, by the feature's name, columns whose z-scores are averaged. ``thresholds``: where a slope
    may change, the treatment unless named. ``levels``: the columns by which entities come together or drift apart,
    where the treatment itself is relative; the first decides, and its square is asked for beside the treatment's.
    ``divided``: the grouping between whose groups inequality is divided, the study's first unless named. ``labels``
    name features that are no dimensions. ``groups`` is how many groups of equal size a level is cut into; a correlation
    whose 90 % interval lies within plus or minus ``weak`` is weak.
    """

    systems: tuple[Name, ...] = Field(min_length=2)
    moderation: dict[Name, Moderation] = Field(min_length=1)
    functions: Name | tuple[Name, ...]
    features: Name | dict[Name, tuple[Name, ...]]
    thresholds: tuple[Name, ...] = ()
    levels: tuple[Name, ...] = ()
    divided: Name | None = None
    without: tuple[Name, ...] = ()
    labels: dict[Name, Label] = Field(default_factory=dict)
    groups: int = Field(default=3, ge=2, le=10)
    weak: float = Field(default=0.3, gt=0, lt=1)


class Family(Strict):
    """Outcomes whose effects are read together, so that their p-values count how many are looked at.

    ``treatment`` is the study's unless named; ``key`` is what their results begin with, the family's name unless given;
    ``first`` and ``last`` limit the times; ``log`` takes the logarithm of every outcome.
    """

    outcomes: tuple[Name, ...] = Field(min_length=1)
    treatment: Name | None = None
    key: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")
    first: int | None = None
    last: int | None = None
    log: bool = False


class Crisis(Strict):
    """A shock: ``outcome`` in ``times``, against the treatment's level at ``level``, the last time before it."""

    outcome: Name
    level: int
    times: tuple[int, ...] = Field(min_length=1)


class Contrast(Strict):
    """The mean of some columns less the mean of others, each as a z-score unless ``standardise`` is false."""

    label: Label
    plus: tuple[Name, ...] = Field(min_length=1)
    minus: tuple[Name, ...] = Field(min_length=1)
    standardise: bool = True


class Society(Strict):
    """Whom it reaches: services, gaps, functions of government, and the quality of society.

    ``services`` is the column (or dimension) whose equality is judged, ``speed`` the one whose convergence may go
    faster, the same unless named; ``quality`` the index of social quality, whose dimensions are its factors, or columns
    whose mean stands for it; ``ground`` the factor that is said to come first; ``contrast`` what is compared among the
    functions; ``families`` the outcomes that are read together.
    """

    services: Name
    speed: Name | None = None
    quality: Name | tuple[Name, ...]
    ground: Name | None = None
    contrast: dict[Name, Contrast] = Field(min_length=1)
    crisis: Crisis | None = None
    families: dict[Name, Family] = Field(min_length=1)

    def of(self, key: str) -> dict[str, Family]:
        """The families whose results begin with a key, by their names."""
        return {name: item for name, item in self.families.items() if (item.key or name) == key}


class Cohort(Strict):
    """Entities that a policy reaches at the same time; ``start`` is the first whole time under it."""

    start: int
    entities: tuple[str, ...] = Field(min_length=1)


class Policy(Strict):
    """A policy that some entities get and others do not."""

    label: Label
    cohorts: tuple[Cohort, ...] = Field(min_length=1)
    source: Label
    caution: Label

    @model_validator(mode="after")
    def _check_cohorts(self) -> Self:
        names = [name for cohort in self.cohorts for name in cohort.entities]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"'{twice[0]}' is in two cohorts; a policy begins once")
        starts = [cohort.start for cohort in self.cohorts]
        if len(set(starts)) < len(starts):
            raise ValueError("two cohorts start at the same time; write them as one")
        return self

    def starts(self) -> dict[str, int]:
        """Entity -> first whole time under the policy."""
        return {name: cohort.start for cohort in self.cohorts for name in cohort.entities}


class Weights(Strict):
    """Who counts as a neighbour, and how much; every entity's weights are divided by their sum.

    ``contiguity``: those with a common border, by the map's list. ``inverse_distance``: everyone, by 1 / distance.
    ``nearest``: the ``count`` nearest. ``economic``: everyone, by 1 / difference in the mean of ``column``.
    """

    label: Label
    kind: Literal["contiguity", "inverse_distance", "nearest", "economic"]
    count: int | None = Field(default=None, ge=1)
    column: Name | None = None

    @model_validator(mode="after")
    def _check_needs(self) -> Self:
        if (self.kind == "nearest") != (self.count is not None):
            raise ValueError("`count` goes with the kind nearest and only with it")
        if (self.kind == "economic") != (self.column is not None):
            raise ValueError("`column` goes with the kind economic and only with it")
        return self


class Space(Strict):
    """Spatial weights, the first of which is the main one, and the ends of the rings of the distance curve in km."""

    weights: dict[Name, Weights] = Field(min_length=1)
    rings_km: tuple[int, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _check_rings(self) -> Self:
        if list(self.rings_km) != sorted(set(self.rings_km)) or self.rings_km[0] <= 0:
            raise ValueError("rings_km must rise, from above 0")
        return self


def name_columns(
    coordination: Coordination | None, society: Society | None, space: Space | None
) -> dict[str, tuple[str, ...]]:
    """Place in the study file -> the columns that it names, for the check that each is declared."""
    named: dict[str, tuple[str, ...]] = {}
    if coordination:
        named["coordination.systems"] = coordination.systems
        named["coordination"] = (*coordination.thresholds, *coordination.levels, *coordination.without)
        named["coordination.functions"] = _names(coordination.functions)
        named["coordination.features"] = _names(coordination.features)
        for name, item in coordination.moderation.items():
            named[f"coordination.moderation.{name}"] = (item.of, item.by, *item.beside)
    if society:
        named["society"] = (society.services, *filter(None, [society.speed, society.ground]))
        named["society.quality"] = _names(society.quality)
        named["society.crisis"] = (society.crisis.outcome,) if society.crisis else ()
        for name, contrast in society.contrast.items():
            named[f"society.contrast.{name}"] = (*contrast.plus, *contrast.minus)
        for name, family in society.families.items():
            named[f"society.{name}"] = (*family.outcomes, *filter(None, [family.treatment]))
    if space:
        for name, weights in space.weights.items():
            named[f"space.weights.{name}"] = tuple(filter(None, [weights.column]))
    return named


def _names(declared: Name | tuple[Name, ...] | dict[Name, tuple[Name, ...]]) -> tuple[str, ...]:
    """Every column or index that is named, however it is written."""
    if isinstance(declared, str):
        return (declared,)
    lists = declared.values() if isinstance(declared, dict) else [declared]
    return tuple(name for names in lists for name in names)
