"""The choices behind a composite index, read from the study file and checked."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from helpers.errors import StudyError

SCALES = ("min_max",)
SCOPES = ("pooled",)
WEIGHTS = ("entropy", "entropy_yearly", "equal", "critic", "critic_spearman", "pca")
AGGREGATES = ("arithmetic",)


@dataclass(frozen=True)
class IndexMethod:
    """How figures become an index; the defaults are the project's definition.

    Attributes
    ----------
    scale
        How an indicator becomes a score.
    scope
        Rows that are scaled together: "pooled" (all entity-times).
    weights
        How weights are made from the scores.
    zero_rule
        "zero" for 0 ln 0 = 0, or a positive number that is added to every score before its entropy is taken.
    aggregate
        How weighted scores become the index.
    winsorise
        Share of the rows at each end of each indicator that is pulled in before scaling; 0 for none.
    """

    scale: str = "min_max"
    scope: str = "pooled"
    weights: str = "entropy"
    zero_rule: str | float = "zero"
    aggregate: str = "arithmetic"
    winsorise: float = 0.0

    def __post_init__(self) -> None:
        for name, allowed in (
            ("scale", SCALES),
            ("scope", SCOPES),
            ("weights", WEIGHTS),
            ("aggregate", AGGREGATES),
        ):
            _check_choice(name, getattr(self, name), allowed)
        if self.zero_rule != "zero" and not (_is_number(self.zero_rule) and float(self.zero_rule) > 0):
            raise StudyError(
                f"index method, zero_rule {self.zero_rule!r}",
                "it is neither zero nor a positive number",
                "write zero for the rule 0 ln 0 = 0, or the number to add to every score",
            )

    @property
    def shift(self) -> float:
        """The number added to every score before its entropy is taken."""
        return 0.0 if self.zero_rule == "zero" else float(self.zero_rule)


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
        raise StudyError(
            f"index method, {unknown[0]}", "there is no such choice", f"use one of: {', '.join(known)}"
        )
    return replace(IndexMethod(**declared), **overrides)


def read_field(source: Any, name: str, default: Any = None) -> Any:
    """Field `name` of a mapping or of an object's attributes; `default` where there is none."""
    if isinstance(source, Mapping):
        return source.get(name, default)
    return getattr(source, name, default)


def _check_choice(name: str, value: Hashable, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise StudyError(f"index method, {name} {value!r}", "it is not known", f"use one of: {', '.join(allowed)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
