"""The small language of the study file's formulas, read into a tree and checked; never handed to Python.

Grammar::

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = "-" factor | number | name | name "(" sum ("," sum)* ")" | "(" sum ")"

Functions, all within entity and by calendar time: ``log(x)``, ``lag(x)``, ``lag(x, n)``, ``diff(x)``, ``cumprod(x)``,
``deflate(x, price_index, base)``, ``interpolate(x)``, ``at(x, time)`` (the entity's figure of that one time); and
within time, over the rows of the sample, ``standardise(x)``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NoReturn

from helpers.errors import StudyError, did_you_mean

MAX_LENGTH = 500
MAX_DEPTH = 30
MAX_LITERAL = 1e15

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<symbol>\*\*|//|[<>=!]=|.))",
    re.ASCII | re.DOTALL,
)
_REFUSED = {
    "**": "the power operator",
    "^": "the power operator",
    "//": "the whole-number division",
    ".": "the access to an attribute",
    "[": "the access to an element",
    "{": "a set",
    "'": "a string",
    '"': "a string",
    "=": "a keyword argument",
    ":": "a slice or an assignment",
    "%": "the remainder operator",
} | dict.fromkeys(("<", ">", "==", "<=", ">=", "!="), "a comparison")
ALLOWED = (
    "a formula holds names of columns, numbers, + - * / ( ), "
    "and log, lag, diff, cumprod, deflate, interpolate, at, standardise"
)
_ARITY = {
    "log": (1, 1),
    "lag": (1, 2),
    "diff": (1, 1),
    "cumprod": (1, 1),
    "deflate": (3, 3),
    "interpolate": (1, 1),
    "at": (2, 2),
    "standardise": (1, 1),
}
_WHOLE_AT = {"lag": 2, "deflate": 3, "at": 2}


@dataclass(frozen=True)
class Number:
    """A number as written."""

    value: float


@dataclass(frozen=True)
class Name:
    """A column of the panel."""

    name: str


@dataclass(frozen=True)
class Operation:
    """``left operator right``; the unary minus is stored as ``0 - right``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A function of the language, its columns, and its whole number (periods of lag, base of deflate, time of at)."""

    function: str
    arguments: tuple[Node, ...]
    whole: int = 1


Node = Number | Name | Operation | Call


@dataclass(frozen=True)
class Formula:
    """A formula that has been read and found to be within the language.

    Attributes
    ----------
    text
        The formula as written.
    where
        The place in the study file that it came from, for messages.
    columns
        The columns that it uses, in order of first use.
    root
        The tree.
    """

    text: str
    where: str
    columns: tuple[str, ...]
    root: Node


def parse_formula(text: str, where: str = "") -> Formula:
    """Read a formula.

    Parameters
    ----------
    text
        The formula, at most 500 characters.
    where
        The place it came from, for messages.

    Raises
    ------
    StudyError
        When the text is empty, too long, too deep, or holds anything outside the language.
    """
    place = f"{where}, formula '{_shorten(text)}'" if where else f"formula '{_shorten(text)}'"
    if not text.strip():
        raise StudyError(place, "the formula is empty", ALLOWED)
    if len(text) > MAX_LENGTH:
        raise StudyError(place, f"the formula is longer than {MAX_LENGTH} characters", "split it over several columns")
    root = _Parser(text, place).parse()
    return Formula(text, place, tuple(dict.fromkeys(_names(root))), root)


def check_columns(formula: Formula, known: Collection[str]) -> None:
    """Stop when a formula names a column that is not among ``known``.

    Raises
    ------
    StudyError
        Naming the column and the nearest known one.
    """
    for name in formula.columns:
        if name not in known:
            hint = did_you_mean(name, known) + "declare it under columns, or correct the formula"
            raise StudyError(formula.where, f"there is no column '{name}'", hint)


class _Parser:
    """A recursive-descent reader of one formula."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self.tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text.strip())]
        self.position = 0
        self.depth = 0

    def parse(self) -> Node:
        """The tree of the whole text.

        Raises
        ------
        StudyError
            At the first word that cannot stand where it stands.
        """
        root = self._sum()
        if self.position < len(self.tokens):
            self._refuse()
        return root

    def _sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise StudyError(self.where, f"more than {MAX_DEPTH} levels of nesting", "split it over several columns")
        node = self._product()
        while (operator := self._take("+", "-")) is not None:
            node = Operation(operator, node, self._product())
        self.depth -= 1
        return node

    def _product(self) -> Node:
        node = self._factor()
        while (operator := self._take("*", "/")) is not None:
            node = Operation(operator, node, self._factor())
        return node

    def _factor(self) -> Node:
        negative = False
        while self._take("-") is not None:
            negative = not negative
        node = self._primary()
        return Operation("-", Number(0.0), node) if negative else node

    def _primary(self) -> Node:
        if self._take("(") is not None:
            node = self._sum()
            self._expect(")")
            return node
        kind, word = self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")
        if kind == "number":
            return self._number()
        if kind != "name":
            self._refuse()
        self.position += 1
        return self._call(word) if self._take("(") is not None else Name(word)

    def _number(self) -> Number:
        word = self.tokens[self.position][1]
        self.position += 1
        value = float(word)
        if value > MAX_LITERAL or 0 < value < 1 / MAX_LITERAL:
            raise StudyError(self.where, f"the number {word} is too large or too small", "choose another unit")
        return Number(value)

    def _call(self, function: str) -> Call:
        if function not in _ARITY:
            raise StudyError(self.where, f"the call of '{function}' is not allowed", ALLOWED)
        arguments = [self._sum()]
        while self._take(",") is not None:
            arguments.append(self._sum())
        self._expect(")")
        low, high = _ARITY[function]
        if not low <= len(arguments) <= high:
            count = str(low) if low == high else f"{low} or {high}"
            raise StudyError(self.where, f"{function} takes {count} argument(s), not {len(arguments)}", ALLOWED)
        if len(arguments) == _WHOLE_AT.get(function):
            return Call(function, tuple(arguments[:-1]), self._whole(function, arguments[-1]))
        return Call(function, tuple(arguments))

    def _whole(self, function: str, node: Node) -> int:
        """The last argument of lag, deflate and at: a whole number, written out."""
        if isinstance(node, Number) and node.value == int(node.value) and node.value >= 1:
            return int(node.value)
        raise StudyError(
            self.where, f"the last argument of {function} must be a whole number, 1 or more", "write it as a number"
        )

    def _take(self, *symbols: str) -> str | None:
        if self.position < len(self.tokens) and self.tokens[self.position] in [("symbol", s) for s in symbols]:
            self.position += 1
            return self.tokens[self.position - 1][1]
        return None

    def _expect(self, symbol: str) -> None:
        if self._take(symbol) is None:
            self._refuse()

    def _refuse(self) -> NoReturn:
        """Stop at the current token with the reason why it cannot stand there."""
        if self.position >= len(self.tokens):
            raise StudyError(self.where, "the formula ends too early", "complete it, or close the parentheses")
        word = self.tokens[self.position][1]
        rule = f"{_REFUSED[word]} ({word}) is not allowed" if word in _REFUSED else f"'{word}' cannot stand there"
        raise StudyError(self.where, rule, ALLOWED)


def _names(node: Node) -> Iterator[str]:
    match node:
        case Name(name):
            yield name
        case Operation(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case Call(_, arguments, _):
            for argument in arguments:
                yield from _names(argument)


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
