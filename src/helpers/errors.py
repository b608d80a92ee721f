"""The one error that a person who runs a study may see, and the hint at the name that was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")


class StudyError(Exception):
    """Bad input, told in three parts.

    Parameters
    ----------
    where
        The place: file, column, province or year, as exact as is known.
    rule
        The rule that the input breaks.
    remedy
        What the person does next.
    """

    def __init__(self, where: str, rule: str, remedy: str) -> None:
        super().__init__(where, rule, remedy)
        self.where = where
        self.rule = rule
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}\n  What to do: {self.remedy}"


def attempt(make: Callable[Given, Made], *arguments: Given.args, **named: Given.kwargs) -> Made | StudyError:
    """What a function makes, or the refusal that it raises: nothing optional stops a notebook."""
    try:
        return make(*arguments, **named)
    except StudyError as refusal:
        return refusal


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``did you mean 'x'? `` for the nearest known name, with a blank after it; empty when none is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return f"did you mean '{near[0]}'? " if near else ""
