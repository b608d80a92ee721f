"""The two faces of a notebook: ``NN_name.py``, which people review, and its twin ``NN_name.ipynb`` for JupyterLab.

The text form is jupytext's percent format, read here by a few lines of our own (a test compares them with jupytext on
every notebook) because importing jupytext takes longer than everything else that a run with nothing to do has to do.
Cell ids are positions, so that the same text always gives the same bytes. The twin carries a stamp, the digest of the
cells that both files held when they last agreed; it tells which of the two was edited since.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers.errors import StudyError
from helpers.files import write_text

CHECKED_TAG = "nbval-check-output"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MARKER = re.compile(r'^# %%(?P<markdown> \[markdown\])?(?: tags=(?P<tags>\[(?:"[\w-]+"(?:, )?)*\]))?\s*$')


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook.

    Attributes
    ----------
    type
        ``code`` or ``markdown``.
    source
        Its text without blank lines at either end.
    tags
        Its tags, in order.
    """

    type: Literal["code", "markdown"]
    source: str
    tags: tuple[str, ...] = ()


def cell_id(position: int) -> str:
    """The id of the cell at a position that counts from 0."""
    return f"cell-{position + 1:02d}"


def read_percent(text: str, where: str) -> tuple[Cell, ...]:
    """The cells of a percent script.

    Raises
    ------
    StudyError
        Text before the first cell, a cell marker of another form, a blank cell, or a Markdown line without ``#``.
    """
    cells: list[Cell] = []
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    if not starts or any(line.strip() for line in lines[: starts[0]]):
        raise StudyError(where, "text before the first cell", "begin the file with '# %%' or '# %% [markdown]'")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        marker = MARKER.match(lines[start])
        place = f"{where}, line {start + 1}"
        if marker is None:
            forms = "write '# %%' or '# %% [markdown]', either with tags=[..]"
            raise StudyError(place, f"unknown cell marker '{lines[start]}'", forms)
        body = lines[start + 1 : end]
        if marker["markdown"]:
            body = [_uncomment(line, f"{where}, line {start + 2 + offset}") for offset, line in enumerate(body)]
        source = "\n".join(line.rstrip() for line in body).strip("\n")
        if not source:
            raise StudyError(place, "a blank cell", "write something in it or take it out")
        kind: Literal["code", "markdown"] = "markdown" if marker["markdown"] else "code"
        cells.append(Cell(kind, source, tuple(json.loads(marker["tags"] or "[]"))))
    return tuple(cells)


def _uncomment(line: str, where: str) -> str:
    if line and not line.startswith("#"):
        raise StudyError(where, "a line of a Markdown cell does not begin with '#'", "put '# ' before it")
    return line[2:] if line.startswith("# ") else line[1:]


def write_percent(cells: Iterable[Cell]) -> str:
    """The percent script of some cells; :func:`read_percent` reads it back to the same cells."""
    parts = []
    for cell in cells:
        tags = f" tags={json.dumps(list(cell.tags))}" if cell.tags else ""
        marker = f"# %%{' [markdown]' if cell.type == 'markdown' else ''}{tags}"
        source = cell.source
        if cell.type == "markdown":
            source = "\n".join(f"# {line}".rstrip() for line in source.split("\n"))
        parts.append(f"{marker}\n{source}\n")
    return "\n".join(parts)


def read_ipynb(path: Path) -> dict[str, Any]:
    """The JSON of a notebook file.

    Raises
    ------
    StudyError
        When the file is missing or not a notebook.
    """
    remedy = f"write it anew from {path.with_suffix('.py').name} with `study twins`"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(str(path), "the notebook is missing", remedy) from None
    except ValueError as error:
        raise StudyError(str(path), f"not a notebook file ({error})", remedy) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise StudyError(str(path), "not a notebook file (it has no list of cells)", remedy)
    return content


def cells_of(content: dict[str, Any]) -> tuple[Cell, ...]:
    """The cells of a notebook's JSON; blank ones, which JupyterLab likes to leave at the end, are passed over."""
    cells = []
    for item in content["cells"]:
        lines = "".join(item["source"]).splitlines()
        source = "\n".join(line.rstrip() for line in lines).strip("\n")
        if source:
            cells.append(Cell(item["cell_type"], source, tuple(item["metadata"].get("tags", ()))))
    return tuple(cells)


def digest_cells(cells: Iterable[Cell]) -> str:
    """SHA-256 over types, tags and sources."""
    return hashlib.sha256(write_percent(cells).encode()).hexdigest()


def build_notebook(cells: Sequence[Cell]) -> dict[str, Any]:
    """A notebook's JSON without outputs, ids from positions."""
    items: list[dict[str, Any]] = []
    for position, cell in enumerate(cells):
        item: dict[str, Any] = {"cell_type": cell.type, "id": cell_id(position)}
        if cell.type == "code":
            item |= {"execution_count": None, "outputs": []}
        item["metadata"] = {"tags": list(cell.tags)} if cell.tags else {}
        item["source"] = cell.source.splitlines(keepends=True)
        items.append(item)
    return {"cells": items, "metadata": json.loads(json.dumps(METADATA)), "nbformat": 4, "nbformat_minor": 5}


def build_twin(cells: Sequence[Cell], outputs: dict[str, Any] | None = None) -> str:
    """The text of the ``.ipynb`` twin.

    Parameters
    ----------
    outputs
        A notebook's JSON from which the outputs of cells tagged for nbval's check are kept, found by their source.
    """
    content = build_notebook(cells)
    content["metadata"]["twin"] = digest_cells(cells)
    stored = {} if outputs is None else {"".join(item["source"]).strip(): item for item in outputs["cells"]}
    number = 0
    for cell, item in zip(cells, content["cells"], strict=True):
        number += cell.type == "code"
        source = stored.get(cell.source.strip(), {})
        if CHECKED_TAG in cell.tags and source.get("outputs"):
            item["execution_count"] = number  # nbval takes a cell without a count for one that never ran
            item["outputs"] = [_short_output(output, number) for output in source["outputs"]]
    return dump_notebook(content)


def _short_output(output: dict[str, Any], number: int) -> dict[str, Any]:
    """An output as nbval compares it: plain text only."""
    output = json.loads(json.dumps(output))
    if "data" in output:
        output["data"] = {"text/plain": output["data"].get("text/plain", "")}
        output["metadata"] = {}
    if "execution_count" in output:
        output["execution_count"] = number
    return output


def dump_notebook(content: dict[str, Any]) -> str:
    """A notebook's JSON as text, always in the same order."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def check_twin(path: Path) -> tuple[Cell, ...]:
    """The cells of ``path`` (the ``.py``), once its twin is seen to hold the same.

    Raises
    ------
    StudyError
        When either file cannot be read or the two differ; the message names the first cell that does.
    """
    cells = read_percent(path.read_text(encoding="utf-8"), str(path))
    twin = cells_of(read_ipynb(path.with_suffix(".ipynb")))
    for number in range(max(len(cells), len(twin))):
        if number >= len(cells) or number >= len(twin) or cells[number] != twin[number]:
            raise StudyError(
                str(path),
                f"out of step with its twin {path.stem}.ipynb from cell {number + 1} on",
                "`study twins` brings the two in step (it keeps the one that you edited)",
            )
    return cells


def write_twins(folder: Path, prefer: Literal["py", "ipynb"] | None = None, outputs: Path | None = None) -> list[Path]:
    """Bring every notebook of a folder in step with its twin.

    Parameters
    ----------
    prefer
        Which of the two is kept when both were edited.
    outputs
        Folder of executed notebooks, from which the outputs of checked cells are stored anew.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    StudyError
        When both were edited since they last agreed and ``prefer`` is not given.
    """
    names = sorted({path.stem for suffix in ("py", "ipynb") for path in folder.glob(f"[0-9]*.{suffix}")})
    return [path for name in names for path in _write_twin(folder / f"{name}.py", prefer, outputs)]


def _write_twin(script: Path, prefer: Literal["py", "ipynb"] | None, outputs: Path | None) -> list[Path]:
    notebook = script.with_suffix(".ipynb")
    old = read_ipynb(notebook) if notebook.is_file() else None
    cells = read_percent(script.read_text(encoding="utf-8"), str(script)) if script.is_file() else None
    if old is not None and _edited_side(script, cells, old, prefer) == "ipynb":
        cells = cells_of(old)
    assert cells is not None
    executed = outputs / notebook.name if outputs is not None else None
    source = read_ipynb(executed) if executed is not None and executed.is_file() else old
    texts = {script: write_percent(cells), notebook: build_twin(cells, source)}
    if script.is_file() and read_percent(script.read_text(encoding="utf-8"), str(script)) == cells:
        del texts[script]  # the same cells in another spacing stay as their author wrote them
    return [path for path, text in texts.items() if _write_if_new(path, text)]


def _edited_side(
    script: Path, cells: tuple[Cell, ...] | None, old: dict[str, Any], prefer: Literal["py", "ipynb"] | None
) -> Literal["py", "ipynb"]:
    """Which of the two to keep: the one that no longer matches the stamp."""
    twin, stamp = cells_of(old), old["metadata"].get("twin")
    if cells is None:
        return "ipynb"
    if cells == twin or digest_cells(twin) == stamp:
        return "py"
    if digest_cells(cells) == stamp:
        return "ipynb"
    if prefer is None:
        raise StudyError(
            str(script),
            f"both this file and {script.stem}.ipynb were edited since they last agreed",
            "choose with `study twins --keep py` or `study twins --keep ipynb`",
        )
    return prefer


def _write_if_new(path: Path, text: str) -> bool:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    write_text(path, text)
    return True
