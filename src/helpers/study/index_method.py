"""The choices behind a composite index, read from the study file and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from helpers.errors import StudyError
from helpers.index.scaling import SCALES

ALLOWED = {
    "scale": SCALES,
    "scope": ("pooled", "yearly"),
    "weights": (
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
    ),
    "zero_rule": ("zero", "shift"),
    "aggregate": ("arithmetic", "geometric", "harmonic", "topsis"),
    "levels": ("one", "nested"),
}


@dataclass(frozen=True)
class IndexMethod:
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
        "zero" for 0 ln 0 = 0, or "shift": `shift` is added to every score before its entropy is taken.
    shift
        Size of the shift, in score units.
    aggregate
        How weighted scores become the index; see `helpers.index.aggregation`.
    levels
        "one": all indicators are weighed together; "nested": weights at each level of the dimensions.
    winsorise
        Share of the rows at each end of each indicator that is pulled in before scaling; 0 for none.
    score_range
        None, or (low, high): one linear map, common to all indicators, brings the whole table of scores to this
        range. It makes z-scores fit for entropy, and low > 0 makes 0 fit for geometric and harmonic means.
        Weights are made from the same scores brought to [0, 1].
    """

    scale: str = "min_max"
    scope: str = "pooled"
    weights: str = "entropy"
    zero_rule: str = "zero"
    shift: float = 0.0
    aggregate: str = "arithmetic"
    levels: str = "one"
    winsorise: float = 0.0
    score_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name, allowed in ALLOWED.items():
            value = getattr(self, name)
            if value not in allowed:
                raise StudyError(
                    f"index method, {name} {value!r}", "it is not known", f"use one of: {', '.join(allowed)}"
                )
        if (self.zero_rule == "shift") != (self.shift > 0):
            raise StudyError(
                f"index method, zero_rule {self.zero_rule} with shift {self.shift:g}",
                "a shift above 0 goes with the zero rule `shift`, and only with it",
                "write zero_rule: zero, or zero_rule: shift and the number to add to every score",
            )
        if self.score_range is not None and not 0 <= self.score_range[0] < self.score_range[1]:
            raise StudyError(
                f"index method, score_range {self.score_range}",
                "it needs 0 <= low < high",
                "write for example [0.01, 1]",
            )

    def unit_scores(self, scores: Any) -> Any:
        """Scores as weights read them: `score_range` brought to [0, 1], or as they are without one."""
        if self.score_range is None:
            return scores
        low, high = self.score_range
        return (scores - low) / (high - low)


def read_method(source: Any, **overrides: Any) -> IndexMethod:
    """The method that `source` declares, with `overrides` in place of single choices.

    Parameters
    ----------
    source
        An `IndexMethod`, a mapping, any object with the same attribute names, or None for the defaults.
    overrides
        Choices by name, for example ``weights="equal"``.

    Raises
    ------
    StudyError
        A choice that is not known.
    """
    known = [field.name for field in fields(IndexMethod)]
    declared = {name: value for name in known if (value := read_field(source, name)) is not None}
    unknown = [name for name in (*overrides, *(source if isinstance(source, Mapping) else ())) if name not in known]
    if unknown:
        raise StudyError(f"index method, {unknown[0]}", "there is no such choice", f"use one of: {', '.join(known)}")
    return replace(IndexMethod(**declared), **overrides)


def read_field(source: Any, name: str, default: Any = None) -> Any:
    """Field `name` of a mapping or of an object's attributes; `default` where there is none."""
    if isinstance(source, Mapping):
        return source.get(name, default)
    return getattr(source, name, default)
