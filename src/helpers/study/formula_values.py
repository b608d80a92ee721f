"""A formula worked out for every row of a panel; figures that give no finite number stop it at their row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.study import formula_functions as functions
from helpers.study.formula import Call, Formula, Name, Node, Number, Operation, check_columns

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
        case "at":
            _check_time(value.index, whole, where)
            return functions.at(value, whole)
        case "deflate":
            stop_at(value.index, columns[1].to_numpy() <= 0, where, "a price index that is not positive")
            try:
                return functions.deflate(value, columns[1], whole)
            except functions.ChainError as error:
                raise StudyError(where, str(error), "choose a base within the panel, and read every period") from None
        case _:
            return _PLAIN[function](value)


def _check_time(index: pd.Index, time: int, where: str) -> None:
    times = index.get_level_values(1)
    if time not in times:
        raise StudyError(
            where,
            f"at asks for the time {time}, and the panel holds {times.min()} to {times.max()}",
            "name a time that is read (time.read_from), or correct the formula",
        )


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
