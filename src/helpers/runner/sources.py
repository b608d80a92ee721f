"""What a notebook needs, read from its source: parameters, tables it reads and writes, helper modules it imports.

Nothing is imported or run; the dependencies of a notebook are what its code says, so they cannot drift from it.
"""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.errors import StudyError
from helpers.runner.modules import own_imports
from helpers.runner.parameters import Parameter, read_parameters
from helpers.runner.twins import Cell, check_twin

WRITERS = ("table", "coefficients", "write_panel", "new_rows")
READERS = ("read", "rows")
READERS_OF_ALL = ("known", "earlier")


@dataclass(frozen=True)
class Source:
    """One notebook as text.

    Attributes
    ----------
    name
        File name without ending; notebooks are ordered by it.
    cells
        Its cells.
    parameters
        Declared parameters by name.
    reads, writes
        Names of tables; a name made from a template is a pattern such as ``weights_*``.
    reads_all
        Whether it looks at the results of all earlier notebooks (``run.known``, ``run.earlier``).
    modules
        Helper modules that it imports itself, dotted.
    """

    name: str
    cells: tuple[Cell, ...]
    parameters: dict[str, Parameter]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    reads_all: bool
    modules: tuple[str, ...]


def read_sources(folder: Path) -> list[Source]:
    """Every notebook of a folder, in order, each in step with its twin.

    Raises
    ------
    StudyError
        No notebook, or one that cannot be read (see :func:`read_source`).
    """
    sources = [read_source(path) for path in sorted(folder.glob("[0-9]*.py"))]
    if not sources:
        raise StudyError(str(folder), "there are no notebooks here", "a notebook is NN_name.py with its .ipynb twin")
    return sources


def read_source(path: Path) -> Source:
    """One notebook.

    Raises
    ------
    StudyError
        Twins out of step, code that is not Python, parameters that break a rule.
    """
    cells = check_twin(path)
    code = "\n\n".join(cell.source for cell in cells if cell.type == "code")
    try:
        reads, writes, reads_all = _read_names(code)
    except SyntaxError as error:
        text = (error.text or "").strip()
        raise StudyError(str(path), f"not Python: {error.msg} in '{text}'", "correct that line") from None
    return Source(
        name=path.stem,
        cells=cells,
        parameters=read_parameters(cells, str(path)),
        reads=reads,
        writes=writes,
        reads_all=reads_all,
        modules=tuple(sorted(set(own_imports(code)))),
    )


@cache
def _read_names(code: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Which tables a code reads and writes, and whether it looks at all earlier results; a run asks twice."""
    nodes = list(ast.walk(ast.parse(code)))
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    reads_all = bool(attributes & set(READERS_OF_ALL))
    return _names(calls, READERS, position=0), _names(calls, WRITERS, position=1), reads_all


def _names(calls: Iterable[ast.Call], methods: tuple[str, ...], position: int) -> tuple[str, ...]:
    found: set[str] = set()
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
            named = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
            arguments = [*call.args[position : position + 1], *named]
            found.update(_pattern(argument) for argument in arguments)
    return tuple(sorted(found))


def _pattern(node: ast.expr) -> str:
    """The text of a string, with ``*`` for each part that is not a literal."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_pattern(part) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return "*"


def find_upstream(sources: list[Source]) -> dict[str, tuple[str, ...]]:
    """Notebook -> the earlier notebooks whose tables or results it reads, directly or through another, in order.

    Raises
    ------
    StudyError
        A table that no earlier notebook writes, or two notebooks that write the same table.
    """
    _check_single_writers(sources)
    upstream: dict[str, tuple[str, ...]] = {}
    for number, source in enumerate(sources):
        earlier = sources[:number]
        direct = {other.name for other in earlier} if source.reads_all else set()
        for table in source.reads:
            writers = {other.name for other in earlier if any(_may_match(table, name) for name in other.writes)}
            if not writers:
                raise StudyError(
                    f"notebooks/{source.name}.py", f"no earlier notebook writes the table '{table}'", _known(earlier)
                )
            direct |= writers
        upstream[source.name] = tuple(sorted(direct.union(*(upstream[name] for name in direct))))
    return upstream


def _may_match(first: str, second: str) -> bool:
    return fnmatch.fnmatchcase(first, second) or fnmatch.fnmatchcase(second, first)


def _known(sources: Iterable[Source]) -> str:
    names = sorted({name for source in sources for name in source.writes})
    return f"tables that are written before it: {', '.join(names) or 'none'}"


def _check_single_writers(sources: list[Source]) -> None:
    writer: dict[str, str] = {}
    for source in sources:
        for table in source.writes:
            if "*" not in table and writer.setdefault(table, source.name) != source.name:
                raise StudyError(
                    f"notebooks/{source.name}.py",
                    f"writes the table '{table}', which {writer[table]} writes too",
                    "give one of the two another name",
                )
