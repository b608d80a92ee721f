"""An executed notebook with the same bytes on every run: no times, no random ids, no folders of this machine."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from helpers.runner.kernels import INJECTED
from helpers.runner.twins import build_notebook

LEFT_OUT = ("run_folder", "out")
"""Injected parameters that name folders of this machine."""

KERNEL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")


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
