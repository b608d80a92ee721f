"""One notebook through papermill, judged by what was seen to finish and not by papermill's metadata.

The notebook is built from its reviewed ``.py`` text, runs in a kernel of this very environment, and writes only into
its staging folder. It has finished when its last cell returned and its results file is there. Whatever else happens
(a failing cell, a cell that takes too long, a kernel that dies) becomes one :class:`NotebookError`.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.formats.notebooks import import_nbformat
from helpers.runner.kernels.processes import was_stopped
from helpers.runner.parameters import INJECTED
from helpers.runner.twins import Cell, build_notebook, dump_notebook

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LEFT_OUT = ("run_folder", "out")
"""Injected parameters that name folders of this machine."""

KERNEL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")

FRAME = re.compile(r"Cell In\s?\[\d+\], line (\d+)")

Listener = Callable[[str, int, int], None]
"""Called with notebook, number of the code cell that begins, and number of code cells (one more: all are done)."""

listeners: list[Listener] = []


class NotebookError(Exception):
    """A notebook that did not finish.

    Parameters
    ----------
    notebook
        Its name.
    cell
        Id of the cell, empty when no cell was reached.
    number, total
        Which code cell of how many.
    source
        The line of the cell, or its first lines.
    problem
        What happened, in words.
    bad_input
        Whether the cause is the person's input or machine (a :class:`StudyError`, a full disk) and not the code.
    """

    def __init__(
        self, notebook: str, cell: str, number: int, total: int, source: str, problem: str, bad_input: bool = False
    ) -> None:
        super().__init__(notebook, cell, number, total, source, problem, bad_input)
        self.notebook, self.cell, self.number, self.total = notebook, cell, number, total
        self.source, self.problem, self.bad_input = source, problem, bad_input

    def __str__(self) -> str:
        place = f", {self.cell} (code cell {self.number} of {self.total})" if self.cell else ""
        source = "".join(f"\n  | {line}" for line in self.source.splitlines())
        return f"notebook {self.notebook}{place}{source}\n{self.problem}"


@dataclass
class Progress:
    """Which cell a notebook has reached.

    Attributes
    ----------
    notebook
        Its name.
    total
        Number of its code cells, the injected one not counted.
    number
        The code cell at work, counted from 1; 0 before the first.
    finished
        Code cells that returned.
    cell
        Id of the cell at work.
    source
        Its text.
    """

    notebook: str
    total: int
    number: int = 0
    finished: int = 0
    cell: str = ""
    source: str = ""

    def begin(self, cell: Any) -> None:
        """Note that a cell begins."""
        self.cell, self.source = cell["id"], cell["source"]
        if cell["id"] != INJECTED:
            self.number += 1
            self._tell(self.number)

    def end(self) -> None:
        """Note that the cell returned."""
        self.finished += self.cell != INJECTED

    def close(self) -> None:
        """Note that the notebook is at its end, well or not."""
        self._tell(self.total + 1)

    def _tell(self, number: int) -> None:
        for listener in listeners:
            listener(self.notebook, number, self.total)

    def error(self, problem: str, traceback: str = "", bad_input: bool = False) -> NotebookError:
        """The error of the cell at work."""
        source = _failing_source(self.source, traceback)
        return NotebookError(self.notebook, self.cell, self.number, self.total, source, problem, bad_input)


def _failing_source(source: str, traceback: str) -> str:
    lines = source.splitlines()
    frames = [int(number) for number in FRAME.findall(traceback)]
    inside = [number for number in frames if 0 < number <= len(lines)]
    return lines[inside[0] - 1].strip() if inside else "\n".join(lines[:3])


def execute(
    name: str,
    cells: tuple[Cell, ...],
    values: Mapping[str, Any],
    *,
    root: Path,
    staging: Path,
    timeout: int,
    imports: tuple[str, ...] = (),
    gate: Callable[[], None] = lambda: None,
) -> int:
    """Run a notebook; its files are afterwards in ``staging/out``, the executed notebook among them.

    Parameters
    ----------
    name
        Name of the notebook.
    cells
        Its cells.
    values
        Parameters to inject.
    root
        The project's root, where the kernel starts.
    staging
        Folder of this run of the notebook.
    timeout
        Seconds that one cell may take.
    imports
        Modules that the kernel imports while it starts.
    gate
        Called when the kernel is ready, before the first cell.

    Returns
    -------
    int
        Number of code cells that finished: all of them.

    Raises
    ------
    NotebookError
        When the notebook does not reach its end, or ends without having written its results file.
    """
    progress = Progress(name, sum(cell.type == "code" for cell in cells))
    try:
        options = {"root": root, "staging": staging, "cell_timeout": timeout, "imports": imports, "gate": gate}
        executed = _execute(cells, values, progress, options)
    finally:
        progress.close()
    if not (staging / "out" / "run" / "results" / f"{name}.json").is_file():
        raise progress.error("The notebook came to its end without results: its last cell must be `run.save()`.")
    target = staging / "out" / "notebooks" / f"{name}.ipynb"
    write_text(target, dump_notebook(clean_executed(executed, root)))
    return progress.finished


def _execute(cells: tuple[Cell, ...], values: Mapping[str, Any], progress: Progress, options: dict[str, Any]) -> Any:
    nbformat = import_nbformat()  # first: the next lines would import it with what it can do without

    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from papermill.execute import execute_notebook

    from helpers.runner.kernels.engine import ENGINE, register_engine

    register_engine()
    notebook = nbformat.from_dict(build_notebook(cells))
    try:
        return execute_notebook(
            notebook,
            None,
            parameters=dict(values),
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            record=progress,
            **options,
        )
    except CellTimeoutError:
        raise progress.error(
            f"The cell took longer than {options['cell_timeout']} s and was stopped; --timeout allows more."
        ) from None
    except DeadKernelError:
        raise progress.error(_death_notice()) from None
    except CellExecutionError as error:
        problem, bad_input = describe_error(error.ename, error.evalue)
        raise progress.error(problem, ANSI.sub("", error.traceback), bad_input) from None
    except (RuntimeError, NoSuchKernel) as error:
        raise NotebookError(progress.notebook, "", 0, 0, "", f"The kernel did not start: {error}") from None


def _death_notice() -> str:
    if was_stopped():
        return "The run was interrupted."
    return "The kernel died (killed, out of memory, or crashed in compiled code). Run again: what finished is kept."


def describe_error(kind: str, text: str) -> tuple[str, bool]:
    """The problem in words, and whether it is bad input: a :class:`StudyError`, or a disk that is full or closed."""
    text = ANSI.sub("", text)
    if "\n  What to do: " in text:
        return text, True
    for code, remedy in DISK_ERRORS.items():
        if kind in ("OSError", "PermissionError") and f"[Errno {code}]" in text:
            return str(StudyError("the run folder", text, remedy)), True
    return f"{kind}: {text}" if text else kind, False


DISK_ERRORS = {
    28: "free some space on the disk, then run again: what finished is kept",
    122: "free some of your quota, then run again: what finished is kept",
    30: "choose a folder that can be written to with --out",
    13: "choose a folder that can be written to with --out",
    27: "free some space on the disk or raise the limit on file sizes, then run again",
}


def prepare_staging(staging: Path) -> None:
    """A staging folder without products of an earlier attempt."""
    shutil.rmtree(staging / "out", ignore_errors=True)
    (staging / "out").mkdir(parents=True)


def clean_executed(notebook: Any, root: Path) -> dict[str, Any]:
    """An executed notebook without times, counts of other runs, and folders of this machine."""
    content = json.loads(json.dumps(notebook))
    cells = [_clean_cell(cell, root) for cell in content["cells"]]
    for cell in cells:
        if cell["id"] == INJECTED:
            kept = [line for line in cell["source"] if line.partition(" = ")[0] not in LEFT_OUT]
            cell["source"] = "".join(kept).rstrip("\n").splitlines(keepends=True)
    return {**build_notebook(()), "cells": cells}


def _clean_cell(cell: dict[str, Any], root: Path) -> dict[str, Any]:
    tags = cell["metadata"].get("tags", [])
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    clean: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": INJECTED if INJECTED in tags else cell["id"],
        "metadata": {"tags": tags} if tags else {},
        "source": source.splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        clean["execution_count"] = cell["execution_count"]
        clean["outputs"] = [_clean_output(output, root) for output in cell["outputs"]]
    return clean


def _clean_output(output: dict[str, Any], root: Path) -> dict[str, Any]:
    output = {name: item for name, item in output.items() if name != "transient"}
    if "text" in output:
        output["text"] = _without_folders(output["text"], root).splitlines(keepends=True)
    if "data" in output:
        output["data"] = {kind: _clean_data(kind, item, root) for kind, item in output["data"].items()}
    return output


def _clean_data(kind: str, item: Any, root: Path) -> Any:
    if not isinstance(item, str):
        return item
    text = _without_folders(item, root)
    return text.splitlines(keepends=True) if kind.startswith(("text/", "image/svg")) else text


def _without_folders(text: str, root: Path) -> str:
    if "ipykernel_" in text:  # the pattern would try every place of a long picture
        text = KERNEL_FILE.sub("cell", text)
    for folder, word in ((str(Path(sys.prefix)), "environment"), (str(root), ".")):
        text = text.replace(folder, word)
    return text
