"""Two runs of the same project: the first cell whose numbers, tables, orders, pictures or random draws differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from helpers.files import write_text
from helpers.results.places import find_places, read_cells
from helpers.review.machine import digest_files, today
from helpers.review.scratch import copy_project, run_project, scratch_folder
from helpers.review.verify import RunFailedError


def run_twice(root: Path, name: str, word: str, options: Sequence[str] = ()) -> str:
    """Run a study in two copies and compare what each cell left, to the last bit.

    Returns
    -------
    str
        The first cell that differs and how, or nothing.

    Raises
    ------
    RunFailedError
        A run did not finish.
    """
    with scratch_folder(root.name) as one, scratch_folder(root.name) as two:
        folders = []
        for copy in (one, two):
            copy_project(root, copy)
            finished = run_project(copy, word, name, options)
            if finished.code:
                raise RunFailedError(finished.code)
            folders.append(finished.folder)
        return next(iter(list_differences(*folders)), "")


def write_twice(root: Path, name: str, first: str) -> Path:
    """Note beside the verification what two runs came to, with what they were made from."""
    record = {"date": today(), "code": digest_files(root, "src", "notebooks"), "first_difference": first}
    return write_text(root / "reports" / name / "run" / "verify" / "twice.json", json.dumps(record, indent=1) + "\n")


def list_differences(one: Path, two: Path) -> Iterator[str]:
    """Every cell that left something else, in order; what its draws, its results and its files say, in this order."""
    places = find_places(one) | find_places(two)
    recorded = [_recorded(folder) for folder in (one, two)]
    drawn = [_drawn(folder) for folder in (one, two)]
    shown = [{(name, cell["id"]): cell["outputs"] for name, cell in read_cells(folder)} for folder in (one, two)]
    for here in dict.fromkeys([*shown[0], *shown[1]]):
        made = sorted(name for name, place in places.items() if place == here)
        draws, results = ([side.get(here, {}) for side in kind] for kind in (drawn, recorded))
        outputs = [side.get(here) for side in shown]
        told = (
            _compare_fields("random draws of", *draws)
            or _compare_fields("recorded number", *results)
            or _compare_files(one, two, made)
            or ("what it shows differs" if outputs[0] != outputs[1] else "")
        )
        if told:
            yield f"{here[0]} {here[1]}: {told}"


def _recorded(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    rows = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        fields = {f"{row['key']} {name}": item for name, item in row.items() if name not in ("key", "notebook", "cell")}
        found.setdefault((row.get("notebook", ""), row.get("cell", "")), {}).update(fields)
    return found


def _drawn(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    files = sorted((folder / "run" / "draws").glob("*.json"))
    return {
        (path.stem, cell): states
        for path in files
        for cell, states in json.loads(path.read_text(encoding="utf-8")).items()
    }


def _compare_fields(word: str, one: dict[str, Any], two: dict[str, Any]) -> str:
    for name in dict.fromkeys([*one, *two]):
        old, new = one.get(name, "nothing"), two.get(name, "nothing")
        if old != new:
            return (
                f"the {word} {name} differ" if word.startswith("random") else f"the {word} {name} is {old}, then {new}"
            )
    return ""


def _compare_files(one: Path, two: Path, names: Sequence[str]) -> str:
    for name in names:
        for kind, part in (("table", f"tables/{name}.csv"), ("picture", f"figures/{name}.svg")):
            old, new = ((side / part).read_bytes() if (side / part).is_file() else b"" for side in (one, two))
            if old == new:
                continue
            if kind == "table" and sorted(old.splitlines()) == sorted(new.splitlines()):
                return f"the rows of the table {name} stand in another order"
            return f"the {kind} {name} differs"
    return ""
