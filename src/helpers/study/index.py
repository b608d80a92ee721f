"""The part of the study file that describes a composite index: its indicators, their dimensions and the method.

There is one type of each: the study file is validated by it, the JSON schema is made from it, and the code that builds
indices holds it in its hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from helpers.errors import StudyError
from helpers.study.data import Label, Name, Strict
from helpers.study.file import list_problems
from helpers.study.periods import Period


def _refuse_yes(content: Any) -> Any:
    """Python takes ``yes`` for 1."""
    if isinstance(content, bool):
        raise ValueError("write 1 where more is better and -1 where less is better")
    return content


Direction = Annotated[Literal[1, -1], BeforeValidator(_refuse_yes)]
Scale = Literal["min_max", "z_score", "rank", "percentile", "distance_to_reference", "goalposts", "ratio_to_best"]
Scope = Literal["pooled", "yearly"]
Weights = Literal[
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
]
Aggregate = Literal["arithmetic", "geometric", "harmonic", "topsis"]
Levels = Literal["one", "nested"]

LOWEST = 0.01
"""The lowest score under a mean that one score of 0 would make 0."""
_SIGNED = ("z_score", "distance_to_reference")
_SHARES = ("entropy", "entropy_yearly", "entropy_chained", "critic_entropy", "coefficient_of_variation")


def _unfit(weights: str, aggregate: str) -> str:
    """Why these weights cannot be aggregated in this way, empty where they can."""
    if aggregate == "arithmetic":
        return ""
    if weights == "entropy_chained":
        return (
            f"weights entropy_chained with aggregate {aggregate}: a chain adds up changes, which the arithmetic mean "
            "alone does; use aggregate: arithmetic or weights: entropy_yearly"
        )
    if weights == "pca":
        return (
            f"weights pca with aggregate {aggregate}: its weights may be negative, which the arithmetic mean alone can "
            "take; use aggregate: arithmetic or other weights"
        )
    return ""


class Method(Strict):
    """How figures become an index; the defaults are the project's definition.

    Attributes
    ----------
    scale
        How an indicator becomes a score; see `helpers.index.scaling.scale_scores`.
    scope
        Rows that are scaled together: "pooled" (all entity-times) or "yearly" (each time by itself).
    weights
        How weights are made from the scores. "entropy" pools all entity-times; "entropy_yearly" weighs each time by
        itself; "entropy_chained" links the yearly ones (see `helpers.index.composite`); "fixed" are set by hand.
    zero_rule
        "zero" for 0 ln 0 = 0, or a number above 0 that is added to every score before its entropy is taken.
    aggregate
        How weighted scores become the index; see `helpers.index.aggregation`.
    levels
        "one": all indicators are weighed together; "nested": weights at each level of the dimensions.
    winsorise
        Share of the rows at each end of each indicator that is pulled in before scaling; 0 for none.
    score_range
        (low, high): one linear map, common to all indicators, brings the whole table of scores to this range. Weights
        are made from the same scores brought to [0, 1]. Where it is not declared, scores stay as they are, unless the
        method could not be computed from them (see `settle`).
    """

    scale: Scale = "min_max"
    scope: Scope = "pooled"
    weights: Weights = "entropy"
    zero_rule: Literal["zero"] | Annotated[float, Field(gt=0)] = "zero"
    aggregate: Aggregate = "arithmetic"
    levels: Levels = "one"
    winsorise: float = Field(default=0.0, ge=0, lt=0.5)
    score_range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _check_parts_fit(self) -> Self:
        if self.score_range is not None and not 0 <= self.score_range[0] < self.score_range[1]:
            raise ValueError(f"score_range {self.score_range} needs 0 <= low < high; write for example [0.01, 1]")
        problem = _unfit(self.weights, self.aggregate)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def shift(self) -> float:
        """What the zero rule adds to every score before its entropy is taken; 0 for the rule 0 ln 0 = 0."""
        return 0.0 if self.zero_rule == "zero" else self.zero_rule

    def settle(self, aggregates: tuple[str, ...] = ()) -> Method:
        """The method with the range of scores without which it could not be computed, where it declares none.

        A geometric or harmonic mean needs scores above 0: [0.01, 1], unless the scale gives such scores. Weights by
        shares of a total need scores of 0 or more: [0, 1], unless the scale gives such scores.

        Parameters
        ----------
        aggregates
            Aggregations that dimensions declare for themselves.
        """
        if self.score_range is not None:
            return self
        means = {"geometric", "harmonic"} & {self.aggregate, *aggregates}
        if means and self.scale not in ("rank", "ratio_to_best"):
            return self.model_copy(update={"score_range": (LOWEST, 1.0)})
        if self.weights in _SHARES and self.scale in _SIGNED:
            return self.model_copy(update={"score_range": (0.0, 1.0)})
        return self

    def unit_scores(self, scores: Any) -> Any:
        """Scores as weights read them: `score_range` brought to [0, 1], or as they are without one."""
        if self.score_range is None:
            return scores
        low, high = self.score_range
        return (scores - low) / (high - low)


def read_method(source: Any, **overrides: Any) -> Method:
    """The method that `source` declares, with `overrides` in place of single choices.

    Parameters
    ----------
    source
        A `Method`, a mapping or an object with the same names, or None for the defaults.
    overrides
        Choices by name, for example ``weights="equal"``.

    Raises
    ------
    StudyError
        A choice that is not known, or choices that do not go together.
    """
    if isinstance(source, Method) and not overrides:
        return source
    declared = source or {}
    declared = declared if isinstance(declared, Mapping) else vars(declared)
    try:
        return Method.model_validate({**declared, **overrides})
    except ValidationError as error:
        raise StudyError(
            "index method", list_problems(error), "use the choices of `method` in data/study.schema.json"
        ) from None


def read_field(source: Any, name: str, default: Any = None) -> Any:
    """Field `name` of a mapping or of an object's attributes; `default` where there is none."""
    if isinstance(source, Mapping):
        return source.get(name, default)
    return getattr(source, name, default)


class Dimension(Strict):
    """A group of indicators; ``parent`` names the dimension above it, none for the top."""

    label: Label
    parent: Name | None = None
    weight: float | None = None
    aggregate: Literal["arithmetic", "geometric", "harmonic"] | None = None


class Indicator(Strict):
    """One indicator of an index: formula, direction (+1 more is better, -1 less is better) and dimension."""

    formula: str
    direction: Direction
    dimension: Name
    label: Label
    unit: str = ""
    weight: float | None = None
    transform: Literal["log", "box_cox"] | None = None
    goalposts: tuple[float, float] | None = None
    reference: float | None = None


class Index(Strict):
    """A composite index: dimensions, indicators, and the method; ``first`` and ``last`` narrow its periods."""

    label: Label
    method: Method = Method()
    dimensions: dict[Name, Dimension]
    indicators: dict[Name, Indicator]
    first: Period | None = None
    last: Period | None = None

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

    @model_validator(mode="after")
    def _check_members(self) -> Self:
        both = sorted(self.indicators.keys() & self.dimensions.keys())
        if both:
            raise ValueError(f"'{both[0]}' is the name of an indicator and of a dimension; give each its own")
        for name, members in self._members().items():
            if not members:
                raise ValueError(f"dimension {name} has no members; put an indicator into it or take it out")
            if self.method.weights == "fixed" and len(members) > 1:
                _check_hand_set(members)
        return self

    @model_validator(mode="after")
    def _check_aggregates(self) -> Self:
        own = {name: item.aggregate for name, item in self.dimensions.items() if item.aggregate is not None}
        for name, aggregate in own.items() if self.method.levels == "nested" else ():
            if problem := _unfit(self.method.weights, aggregate):
                raise ValueError(f"dimension {name}: {problem}")
        return self

    @model_validator(mode="after")
    def _check_goalposts(self) -> Self:
        for name, item in self.indicators.items():
            if item.goalposts is not None and not item.goalposts[0] < item.goalposts[1]:
                raise ValueError(f"indicator {name}: goalposts {item.goalposts} need low < high")
            if self.method.scale == "goalposts" and item.goalposts is None:
                raise ValueError(f"scale goalposts needs `goalposts: [low, high]` for the indicator {name}")
        return self

    def _members(self) -> dict[str, dict[str, float | None]]:
        """Node -> its members with their hand-set weights; the index itself is ''."""
        items: dict[str, Dimension | Indicator] = {**self.indicators}
        if self.method.levels == "nested":
            items |= self.dimensions
        members: dict[str, dict[str, float | None]] = {"": {}}
        if self.method.levels == "nested":
            members |= {name: {} for name in self.dimensions}
        for name, item in items.items():
            above = item.parent or "" if isinstance(item, Dimension) else item.dimension
            members[above if self.method.levels == "nested" else ""][name] = item.weight
        return members


def _check_hand_set(members: Mapping[str, float | None]) -> None:
    """Stop at a member without a weight of 0 or more, and at weights that do not sum to 1."""
    known = [weight for weight in members.values() if weight is not None and weight >= 0]
    if len(known) < len(members):
        lacking = next(name for name, weight in members.items() if weight is None or weight < 0)
        raise ValueError(f"weights fixed needs a `weight` of 0 or more for {lacking}")
    if abs(sum(known) - 1) > 1e-9:
        raise ValueError(f"the weights of {', '.join(members)} sum to {sum(known):.12g}, not to 1")
