"""The part of the study file that describes a composite index: its indicators, their dimensions and the method."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from helpers.study.data import Label, Name, Strict


def _refuse_yes(content: Any) -> Any:
    """Python takes ``yes`` for 1."""
    if isinstance(content, bool):
        raise ValueError("write 1 where more is better and -1 where less is better")
    return content


Direction = Annotated[Literal[1, -1], BeforeValidator(_refuse_yes)]


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
    score_range: tuple[float, float] | None = None


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
