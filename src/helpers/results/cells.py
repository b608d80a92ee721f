"""Which cell is running: its source, id and count, asked of the IPython at work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def find_shell() -> Any:
    """The IPython at work; None elsewhere."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()  # type: ignore[no-untyped-call, unused-ignore]


def running_cell() -> tuple[str, str | None, int]:
    """Source, id and execution count of the cell that IPython is running; ("", None, 0) elsewhere.

    The id is the one that the client told, as JupyterLab and the runner do; None if it told none.
    """
    shell = find_shell()
    if shell is None:
        return "", None, 0
    told = shell.get_parent().get("metadata", {}).get("cellId") if hasattr(shell, "get_parent") else None
    return shell.history_manager.input_hist_raw[-1], told, int(shell.execution_count)


def read_cell_ids(source: Path | None) -> dict[str, str]:
    """Source of each code cell of a notebook's own file and its id; empty where there is no such file."""
    if source is None or not source.is_file():
        return {}
    ids: dict[str, str] = {}
    for place, cell in enumerate(json.loads(source.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            ids.setdefault("".join(cell["source"]).strip(), cell.get("id", f"cell-{place + 1:02d}"))
    return ids
