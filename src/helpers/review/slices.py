"""Which cells of a notebook a cell rests on, and what they read, from their code alone; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from helpers.runner.sources import READERS, WRITERS, Source
from helpers.runner.twins import Cell, cell_id

ALL = ("known", "earlier")


@dataclass(frozen=True)
class Slice:
    """What a cell rests on inside its notebook.

    Attributes
    ----------
    notebook
        Name of the notebook.
    cells
        Ids of the cells, in order, the cell itself last.
    tables
        Tables of earlier notebooks that they read.
    modules
        Helper modules whose names they use, dotted.
    reads_all
        Whether they look at the results of all earlier notebooks.
    """

    notebook: str
    cells: tuple[str, ...]
    tables: tuple[str, ...]
    modules: tuple[str, ...]
    reads_all: bool


def slice_cell(source: Source, cell: str) -> Slice:
    """Follow the names that a cell uses back to the cells that made them.

    Parameters
    ----------
    source
        The notebook.
    cell
        Id of one of its code cells; the last cell when it has none of this id.
    """
    cells = [(cell_id(place), item) for place, item in enumerate(source.cells) if item.type == "code"]
    names = [name for name, _ in cells]
    last = names.index(cell) if cell in names else len(cells) - 1
    trees = [_parse(item) for _, item in cells[: last + 1]]
    kept, wanted = {last}, _loaded(trees[last])
    for place in range(last - 1, -1, -1):
        if _stored(trees[place]) & wanted:
            kept.add(place)
            wanted |= _loaded(trees[place])
    inside = [trees[place] for place in sorted(kept)]
    modules = {word: module for tree in trees for word, module in _imports(tree).items()}
    attributes = {node.attr for tree in inside for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return Slice(
        notebook=source.name,
        cells=tuple(names[place] for place in sorted(kept)),
        tables=tuple(sorted({name for tree in inside for name in _named(tree, READERS, 0)})),
        modules=tuple(sorted({modules[word] for tree in inside for word in _loaded(tree) if word in modules})),
        reads_all=bool(attributes & set(ALL)),
    )


def find_writer(sources: Sequence[Source], table: str) -> tuple[Source, str] | None:
    """The notebook and the cell that write a table; None when no code names it."""
    for source in sources:
        for place, cell in enumerate(source.cells):
            if cell.type == "code" and table in _named(_parse(cell), WRITERS, 1):
                return source, cell_id(place)
    return None


def find_cells(source: Source, word: str) -> tuple[str, ...]:
    """Ids of the code cells that use a name."""
    cells = [(cell_id(place), cell) for place, cell in enumerate(source.cells) if cell.type == "code"]
    return tuple(name for name, cell in cells if word in _loaded(_parse(cell)))


def _parse(cell: Cell) -> ast.Module:
    return ast.parse(cell.source)


def _loaded(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _stored(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _imports(tree: ast.Module) -> dict[str, str]:
    """Name that a cell imports -> what it stands for, a helper module or a name inside one, dotted."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "helpers":
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _named(tree: ast.Module, methods: Iterable[str], position: int) -> set[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    arguments = [
        argument
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in methods
        for argument in call.args[position : position + 1]
    ]
    return {str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)}
