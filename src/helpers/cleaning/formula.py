"""The small language of the study file's formulas: read into a tree, checked, worked out; never handed to Python.

Grammar::

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = "-" factor | number | name | name "(" sum ("," sum)* ")" | "(" sum ")"

Functions, all within entity and by calendar time: ``log(x)``, ``lag(x)``, ``lag(x, n)``, ``diff(x)``, ``cumprod(x)``,
``deflate(x, price_index, base)``, ``interpolate(x)``; and within time, over the rows of the sample, ``standardise(x)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.cleaning import formula_functions as functions
from helpers.cleaning.formula_parser import ALLOWED, MAX_LENGTH, Call, Name, Node, Number, Operation, Parser
from helpers.errors import StudyError, did_you_mean


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
    root = Parser(text, place).parse()
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


def evaluate(formula: Formula, panel: pd.DataFrame, sample: pd.Series[bool] | None = None) -> pd.Series:
    """Work a formula out for every row of a panel.

    Parameters
    ----------
    formula
        From :func:`parse_formula`.
    panel
        Numeric columns; index of two levels, entity then time, sorted and unique.
    sample
        The rows over which ``standardise`` takes mean and standard deviation; all by default.

    Returns
    -------
    Series
        Float, with the panel's index. Missing figures give missing results,
        and so does a lag that reaches outside the panel.

    Raises
    ------
    StudyError
        For an unknown column, and at the first entity and time where figures that are there give no finite number:
        a division by zero, a logarithm of a number that is not positive, an overflow.
    """
    check_columns(formula, panel.columns)
    rows = None if sample is None else sample.to_numpy(dtype=bool)
    value = _work_out(formula.root, panel, formula.where, rows)
    return pd.Series(value, index=panel.index, dtype=float)


def _work_out(node: Node, panel: pd.DataFrame, where: str, rows: np.ndarray | None) -> np.ndarray:
    with np.errstate(all="ignore"):
        value = _apply(node, panel, where, rows)
    stop_at(panel.index, np.isinf(value), where, "the result is too large for a number")
    return value


def _apply(node: Node, panel: pd.DataFrame, where: str, rows: np.ndarray | None) -> np.ndarray:
    match node:
        case Number(number):
            return np.full(len(panel), number)
        case Name(name):
            return panel[name].to_numpy(dtype=float)
        case Operation(operator, left, right):
            a, b = (_work_out(side, panel, where, rows) for side in (left, right))
            if operator == "/":
                stop_at(panel.index, (b == 0) & ~np.isnan(a), where, "a division by zero")
            return np.asarray(_OPERATORS[operator](a, b), dtype=float)
        case Call(function, arguments, whole):
            columns = [pd.Series(_work_out(item, panel, where, rows), index=panel.index) for item in arguments]
            if function == "standardise":
                return _standardise(columns[0], rows, where)
            return _call(function, columns, whole, where).to_numpy(dtype=float)


def _standardise(values: pd.Series, rows: np.ndarray | None, where: str) -> np.ndarray:
    scores = functions.standardise(values, rows).to_numpy(dtype=float)
    counted = values.notna().to_numpy() if rows is None else values.notna().to_numpy() & rows
    stop_at(values.index, counted & ~np.isfinite(scores), where, "figures of one time that do not differ")
    return scores


def _call(function: str, columns: list[pd.Series], whole: int, where: str) -> pd.Series:
    value = columns[0]
    match function:
        case "log":
            stop_at(value.index, value.to_numpy() <= 0, where, "a logarithm of a number that is not positive")
            return pd.Series(np.log(value.to_numpy()), index=value.index)
        case "lag":
            return functions.lag(value, whole)
        case "deflate":
            stop_at(value.index, columns[1].to_numpy() <= 0, where, "a price index that is not positive")
            try:
                return functions.deflate(value, columns[1], whole)
            except functions.ChainError as error:
                raise StudyError(where, str(error), "choose a base within the panel, and read every period") from None
        case _:
            return _PLAIN[function](value)


def stop_at(index: pd.Index, bad: np.ndarray, where: str, rule: str) -> None:
    """Stop at the first row marked in ``bad``, naming its entity and time.

    Raises
    ------
    StudyError
        When any row is marked.
    """
    if bad.any():
        row = index[int(np.argmax(bad))]
        names = [name or "" for name in index.names]
        place = ", ".join(f"{name} {part}".strip() for name, part in zip(names, row, strict=True))
        count = int(bad.sum())
        more = f" (and {count - 1} more rows)" if count > 1 else ""
        raise StudyError(f"{where}, {place}{more}", rule, "correct the figure in the raw file, or the formula")


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


_OPERATORS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_PLAIN: dict[str, Callable[[pd.Series], pd.Series]] = {
    "diff": functions.diff,
    "cumprod": functions.cumprod,
    "interpolate": functions.interpolate,
}
