"""Which cell of which notebook made a table or a picture, from the executed notebooks of a run folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINK = re.compile(r"\b(?:tables/(\w+)\.csv|figures/(\w+)\.svg)")
WRITER = re.compile(r"""["'](\w+)["']""")


def find_places(folder: Path) -> dict[str, tuple[str, str]]:
    """Table or picture -> notebook and id of the cell that made it.

    A cell made what its output links to, or else what its source names.
    """
    places: dict[str, tuple[str, str]] = {}
    written = _written(folder)
    for notebook, cell in read_cells(folder):
        shown = {name for pair in LINK.findall(_outputs(cell)) for name in pair if name}
        named = set(WRITER.findall(_source(cell)))
        for name in shown | (named & written.get(notebook, set())):
            if name in written.get(notebook, ()):
                places.setdefault(name, (notebook, cell["id"]))
    return {name: (notebook, "") for notebook, names in written.items() for name in names} | places


def read_cells(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Notebook and code cell, in order, of the executed notebooks in a run folder."""
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield path.stem, cell


def _written(folder: Path) -> dict[str, set[str]]:
    """Notebook -> names of the tables and pictures that it left, by the run's own record."""
    written = {}
    for path in sorted((folder / "run" / "record").glob("*.json")):
        products = json.loads(path.read_text(encoding="utf-8"))["products"]
        written[path.stem] = {Path(name).stem for name in products if name.startswith(("tables/", "figures/"))}
    return written


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _outputs(cell: dict[str, Any]) -> str:
    return json.dumps([output.get("data", output) for output in cell["outputs"]], ensure_ascii=False)
