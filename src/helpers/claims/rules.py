"""The small language in which a claim's rule is written: comparisons over named results, parsed and never run as code.

``east.estimate > west.estimate and gap.p_value < significance`` compares fields of named results;
``share(rows.estimate > 0 and rows.p_value < significance) >= most`` counts over a name that stands for several results.
Allowed are numbers, declared names, ``name.field``, ``+ - * /``, ``< <= > >=`` (also chained), ``and``, ``or``, ``not``
and the four functions of `FUNCTIONS`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIELDS = (
    "number",
    "estimate",
    "value",
    "std_error",
    "statistic",
    "p_value",
    "ci_low",
    "ci_high",
    "n_obs",
    "n_entities",
)

# What each function makes of a list of yes and no, one per result.
FUNCTIONS: dict[str, Callable[[NDArray[np.bool_]], float | bool]] = {
    "share": lambda answers: float(np.mean(answers)),
    "count": lambda answers: float(np.sum(answers)),
    "all": lambda answers: bool(np.all(answers)),
    "any": lambda answers: bool(np.any(answers)),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
LONGEST = 2000
DEEPEST = 20


class RuleError(ValueError):
    """A rule that the language does not allow; the message says which part."""


@dataclass(frozen=True)
class Rule:
    """A parsed rule.

    Attributes
    ----------
    text
        The rule as written.
    reads
        The pairs (name, field) that it reads, in order of appearance, each once.
    constants
        The bare names that it uses.
    """

    text: str
    reads: tuple[tuple[str, str], ...]
    constants: tuple[str, ...]
    tree: ast.expr


@dataclass(frozen=True)
class Answer:
    """What a rule says about the results.

    Attributes
    ----------
    holds
        Whether the rule holds.
    computed
        Each function call of the rule, as written, with the number that it gave.
    """

    holds: bool
    computed: dict[str, float]


@lru_cache(maxsize=1024)
def parse_rule(text: str) -> Rule:
    """Parse a rule, once, and refuse whatever is not part of the language.

    Raises
    ------
    RuleError
        The text cannot be read as an expression, is too long, or holds a part that is not allowed.
    """
    if len(text) > LONGEST:
        raise RuleError(f"the rule is longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise RuleError(f"cannot be read as an expression: {text!r}") from None
    _check(tree)
    fields = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    owners = {id(node.value) for node in fields}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    bare = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in owners | called]
    pairs = [(node.value.id, node.attr) for node in _in_order(fields) if isinstance(node.value, ast.Name)]
    constants = [node.id for node in _in_order(bare) if isinstance(node, ast.Name)]
    return Rule(text, tuple(dict.fromkeys(pairs)), tuple(dict.fromkeys(constants)), tree)


def split_rule(rule: Rule) -> tuple[Rule, ...]:
    """The parts of a rule that is one thing or another; the rule itself where it is not."""
    match rule.tree:
        case ast.BoolOp(op=ast.Or(), values=parts):
            return tuple(parse_rule(ast.unparse(part)) for part in parts)
        case _:
            return (rule,)


def evaluate_rule(
    rule: Rule, values: Mapping[tuple[str, str], float | NDArray[np.float64]], constants: Mapping[str, float]
) -> Answer:
    """Evaluate a parsed rule. Every part is evaluated, so that what it read does not depend on the outcome.

    Parameters
    ----------
    values
        For each pair of ``rule.reads`` a number, or an array of numbers where the name stands for several results.
    constants
        The numbers behind the bare names.

    Raises
    ------
    RuleError
        The rule does not end in one yes or no.
    """
    computed: dict[str, float] = {}
    outcome = _Evaluation(values, constants, computed).of(rule.tree)
    if not isinstance(outcome, bool | np.bool_):
        raise RuleError(
            f"does not end in one yes or no: {rule.text!r}; use share, count, all or any over several results"
        )
    return Answer(bool(outcome), computed)


def _check(node: ast.AST, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise RuleError(f"the rule is nested more than {DEEPEST} deep")
    match node:
        case ast.BoolOp(op=ast.And() | ast.Or(), values=parts):
            children: list[ast.expr] = parts
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=part):
            children = [part]
        case ast.Compare(left=left, ops=ops, comparators=rest) if all(type(op) in _COMPARE for op in ops):
            children = [left, *rest]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            children = [left, right]
        case ast.Call(func=ast.Name(id=name), args=[part], keywords=[]) if name in FUNCTIONS:
            children = [part]
        case ast.Attribute(value=ast.Name(), attr=field):
            if field not in FIELDS:
                raise RuleError(f"a result has no field {field!r}; it has {', '.join(FIELDS)}")
            children = []
        case ast.Name():
            children = []
        case ast.Constant(value=number) if isinstance(number, int | float) and not isinstance(number, bool):
            children = []
        case _:
            raise RuleError(f"not allowed in a rule: {_source(node)!r}")
    for child in children:
        _check(child, depth + 1)


def _source(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__


def _in_order(nodes: list[Any]) -> list[Any]:
    return sorted(nodes, key=lambda node: (node.lineno, node.col_offset))


@dataclass
class _Evaluation:
    values: Mapping[tuple[str, str], float | NDArray[np.float64]]
    constants: Mapping[str, float]
    computed: dict[str, float]

    def of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=number):
                return number
            case ast.Name(id=name):
                return self.constants[name]
            case ast.Attribute(value=ast.Name(id=name), attr=field):
                return self.values[name, field]
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return np.logical_not(self._yes_no(part))
            case ast.UnaryOp(operand=part):
                return np.negative(self.of(part))
            case ast.BinOp(left=left, op=op, right=right):
                return _ARITHMETIC[type(op)](self.of(left), self.of(right))
            case ast.BoolOp(op=op, values=parts):
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                answers = [self._yes_no(part) for part in parts]
                return join.reduce(np.broadcast_arrays(*answers)) if len(answers) > 1 else answers[0]
            case ast.Compare(left=left, ops=ops, comparators=rest):
                sides = [self.of(side) for side in (left, *rest)]
                steps = [_COMPARE[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)]
                return np.logical_and.reduce(np.broadcast_arrays(*steps)) if len(steps) > 1 else steps[0]
            case ast.Call(func=ast.Name(id=name), args=[part]):
                answer = FUNCTIONS[name](np.atleast_1d(self._yes_no(part)))
                self.computed[ast.unparse(node)] = float(answer)
                return answer
        raise AssertionError(f"an unchecked node reached the evaluation: {type(node).__name__}")

    def _yes_no(self, node: ast.expr) -> Any:
        answer = self.of(node)
        if np.asarray(answer).dtype != np.bool_:
            raise RuleError(f"a comparison is needed here: {ast.unparse(node)!r}")
        return answer
