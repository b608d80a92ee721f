"""What a notebook needs, read from its source: parameters, tables it reads and writes, helper modules it imports.

Nothing is imported or run; the dependencies of a notebook are what its code says, so they cannot drift from it.
"""

from __future__ import annotations

import ast
import fnmatch
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.errors import StudyError
from helpers.runner.parameters import Parameter, read_parameters
from helpers.runner.twins import Cell, check_twin

WRITERS = ("table", "coefficients", "write_panel", "new_rows")
READERS = ("read", "rows")
READERS_OF_ALL = ("known", "earlier")
FORMATS = "formats"
"""Folder of the helpers that read files, each kind by a library of its own."""

PLAIN_IMPORT = re.compile(r"^[ \t]*import ([\w. ,]+)$", re.MULTILINE)
FROM_IMPORT = re.compile(r"^[ \t]*from ([\w.]+) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
FOR_TYPE_CHECKERS = re.compile(r"^([ \t]*)if TYPE_CHECKING:\n(?:\1[ \t]+[^\n]*\n?|[ \t]*\n)*", re.MULTILINE)


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
        modules=tuple(sorted(set(_own_imports(code)))),
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


def find_modules(package: Path, roots: Iterable[str]) -> list[Path]:
    """The files of helper modules reachable from some modules through imports, and the data files that they name.

    Parameters
    ----------
    package
        Folder of the package, for example ``src/helpers``.
    roots
        Dotted names such as ``helpers.regression.panel``.
    """
    files = _list_files(package)
    found: dict[str, str] = {}
    waiting, asked = set(roots), set[str]()
    while waiting:
        asked |= waiting
        places = {
            place for name in waiting for place in _module_places(package.name, name)
        } & files.keys() - found.keys()
        found |= {place: files[place].read_text(encoding="utf-8") for place in sorted(places)}
        waiting = {name for place in places for name in _own_imports(found[place])} - asked
    texts: dict[str, list[str]] = {}
    for place, text in found.items():
        texts.setdefault(place.rpartition("/")[0], []).append(text)
    named = [place for place in files if not place.endswith((".py", ".pyc")) and _is_named(place, texts)]
    return sorted(files[place] for place in [*found, *named])


def find_foreign_imports(package: Path, roots: Iterable[str]) -> list[str]:
    """Dotted names of other libraries that helper modules reachable from some modules import anywhere.

    What reads files of one kind only, such as workbooks, is left out: a study that has such a file reads it once.
    """
    files = [path for path in find_modules(package, roots) if path.suffix == ".py" and path.parent != package / FORMATS]
    texts = [path.read_text(encoding="utf-8") for path in files]
    names = sorted({name for text in texts for name in _own_imports(text)})
    known = sys.stdlib_module_names | {package.name, "as"}
    return [name for name in names if name.partition(".")[0] not in known]


def find_own_modules(package: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Those of some dotted names that are modules of the package."""
    inside = [name.split(".")[1:] for name in names if name.startswith(f"{package.name}.")]
    return tuple(
        ".".join([package.name, *parts]) for parts in inside if package.joinpath(*parts).with_suffix(".py").is_file()
    )


def _list_files(package: Path) -> dict[str, Path]:
    """The package's files by their place in it, caches left out."""
    found: dict[str, Path] = {}
    for folder, inner, names in os.walk(package):
        inner[:] = [name for name in inner if name != "__pycache__"]
        here = Path(folder)
        place = here.relative_to(package).as_posix()
        found |= {name if place == "." else f"{place}/{name}": here / name for name in names}
    return found


def _module_places(package: str, module: str) -> list[str]:
    """Where the file of a dotted name would lie, and the ``__init__`` files above it; nothing for a foreign name."""
    first, *parts = module.split(".")
    if first != package:
        return []
    above = ["/".join([*parts[:end], "__init__.py"]) for end in range(len(parts) + 1)]
    return [*above, f"{'/'.join(parts)}.py"]


@cache
def _own_imports(text: str) -> tuple[str, ...]:
    """Every dotted name that a module imports anywhere, imports for type checkers left out.

    A pattern and not a parser: parsing all helpers would take most of the time of a run that has nothing to do.
    """
    text = FOR_TYPE_CHECKERS.sub("", text)
    names = [name for line in PLAIN_IMPORT.findall(text) for name in re.findall(r"[\w.]+", line)]
    for module, listed in FROM_IMPORT.findall(text):
        names += [module, *(f"{module}.{name}" for name in re.findall(r"\w+", listed))]
    return tuple(names)


def _is_named(place: str, texts: Mapping[str, list[str]]) -> bool:
    """Whether a module has the name of a data file beside it, or that of a folder between, in quotes."""
    parts = place.split("/")
    return any(
        f'"{name}"' in text or f"'{name}'" in text
        for end in range(len(parts))
        for text in texts.get("/".join(parts[:end]), ())
        for name in parts[end:]
    )
