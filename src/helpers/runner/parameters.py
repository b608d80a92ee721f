"""Typed notebook parameters: what a notebook declares, and values checked against it.

papermill only warns about a name that the notebook does not have, and turns ``true`` into text and ``010`` into 10.
Here a parameter is an assignment in the cell tagged ``parameters``; its annotation (or else its default) is its type.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.errors import StudyError, did_you_mean
from helpers.runner.twins import Cell

INJECTED = "injected-parameters"
"""Tag and id of the cell that holds the values that a run fills in."""
RUNNER_NAMES = ("study", "run_folder", "out")
"""Filled by the runner: the study, where earlier notebooks' results are read, and where this notebook writes."""

SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
INTEGER = re.compile(r"^-?(0|[1-9][0-9]*)$")


@dataclass(frozen=True)
class Parameter:
    """One declared parameter.

    Attributes
    ----------
    name
        Its name.
    type
        ``bool``, ``int``, ``float``, ``str``, or a list of one of them such as ``list[int]``.
    default
        The value in the notebook.
    """

    name: str
    type: str
    default: Any


def read_parameters(cells: Iterable[Cell], where: str) -> dict[str, Parameter]:
    """The parameters that a notebook declares.

    Raises
    ------
    StudyError
        No or more than one parameters cell, a statement in it that is not an assignment of a plain value, a type that
        is not known, or a default of another type.
    """
    tagged = [cell for cell in cells if "parameters" in cell.tags]
    if len(tagged) != 1:
        raise StudyError(where, f"{len(tagged)} cells are tagged 'parameters'", "tag exactly one code cell")
    try:
        body = ast.parse(tagged[0].source).body
    except SyntaxError as error:
        raise StudyError(where, f"the parameters cell is not Python: {error.msg}", "correct it") from None
    declared = [_read_statement(node, where) for node in body if not _is_comment(node)]
    return {parameter.name: parameter for parameter in declared}


def _is_comment(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _read_statement(node: ast.stmt, where: str) -> Parameter:
    place = f"{where}, parameters cell, line {node.lineno}"
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    target = targets[0] if len(targets) == 1 else None
    value = getattr(node, "value", None)
    if not isinstance(target, ast.Name) or value is None:
        raise StudyError(place, "not an assignment of one value to one name", "write `name: int = 1`")
    try:
        default = ast.literal_eval(value)
    except ValueError:
        raise StudyError(place, f"the default of '{target.id}' is not a plain value", "write a literal") from None
    kind = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else _type_of(default)
    if kind not in SCALARS and not (kind[:5] == "list[" and kind[5:-1] in SCALARS):
        raise StudyError(place, f"'{target.id}' has the type {kind}", f"use {', '.join(SCALARS)} or list[..] of one")
    parameter = Parameter(target.id, kind, default)
    return Parameter(target.id, kind, check_value(parameter, default, place))


def _type_of(default: Any) -> str:
    if isinstance(default, list):
        return f"list[{type(default[0]).__name__ if default else 'str'}]"
    return type(default).__name__


def check_value(parameter: Parameter, value: Any, where: str) -> Any:
    """``value`` as the parameter's type; only an int given for a float is converted.

    Raises
    ------
    StudyError
        When the value is of another type or not finite.
    """
    if parameter.type.startswith("list["):
        if isinstance(value, list):
            inner = Parameter(parameter.name, parameter.type[5:-1], None)
            return [check_value(inner, item, where) for item in value]
    elif parameter.type == "float" and type(value) is int:
        return float(value)
    elif type(value) is SCALARS[parameter.type] and not (isinstance(value, float) and not math.isfinite(value)):
        return value
    raise StudyError(
        where, f"'{parameter.name}' is declared as {parameter.type}, and {value!r} is not", _example(parameter.type)
    )


def read_text(parameter: Parameter, text: str) -> Any:
    """The value that a person typed as ``name=text``.

    Raises
    ------
    StudyError
        When the text is not a value of the parameter's type (``010`` is not an int, ``1`` is not a bool).
    """
    where = f"--set {parameter.name}={text}"
    value: Any = text
    if parameter.type.startswith("list["):
        value = _read_json(text)
    elif parameter.type == "bool":
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif parameter.type == "int" and INTEGER.match(text):
        value = int(text)
    elif parameter.type == "float":
        value = _read_float(text)
    return check_value(parameter, value, where)


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_float(text: str) -> Any:
    try:
        return float(text) if re.match(r"^[-+.0-9eE]+$", text) else text
    except ValueError:
        return text


def _example(kind: str) -> str:
    examples = {"bool": "true or false", "int": "a whole number such as 199", "float": "a number such as 0.05"}
    return f"give {examples.get(kind, 'text' if kind == 'str' else 'a list such as [1, 2]')}"


def assign_parameters(
    declared: Mapping[str, Mapping[str, Parameter]], preset: Mapping[str, Any], settings: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The values that each notebook gets: those of the preset, then those that the person set.

    Parameters
    ----------
    declared
        Notebook -> its parameters.
    preset, settings
        Name -> value (of the study file) and name -> text (of the command line).

    Raises
    ------
    StudyError
        A name that no notebook declares, one of the runner's own names, or a value of the wrong type.
    """
    known = {name for parameters in declared.values() for name in parameters} - set(RUNNER_NAMES)
    for source, names in (("the preset", preset), ("--set", settings)):
        for name in names:
            if name not in known:
                raise StudyError(f"{source}, {name}", "no notebook declares this parameter", _near(name, known))
    return {notebook: _assign(parameters, preset, settings) for notebook, parameters in declared.items()}


def _assign(
    parameters: Mapping[str, Parameter], preset: Mapping[str, Any], settings: Mapping[str, str]
) -> dict[str, Any]:
    chosen = {name: check_value(parameters[name], preset[name], "the preset") for name in parameters if name in preset}
    return chosen | {name: read_text(parameters[name], settings[name]) for name in parameters if name in settings}


def _near(name: str, known: set[str]) -> str:
    return f"{did_you_mean(name, known)}declared are {', '.join(sorted(known)) or 'none'}"
