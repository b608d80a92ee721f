"""The lines of the README that a run measures: time, memory and software; written between two marks, never by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.runner.locks import exported_versions

MEASURED = Path("docs") / "measured.json"
START, END = "<!-- measured: written by `study certificate --readme` -->", "<!-- /measured -->"
KEPT = ("study", "date", "seconds", "memory_bytes", "machine")
NAMED = ("numpy", "pandas", "scipy", "statsmodels", "linearmodels", "pyfixest", "matplotlib", "papermill")


def write_readme(root: Path, record: Mapping[str, Any]) -> list[Path]:
    """Keep what a verification measured, and write the README's lines from it.

    Raises
    ------
    StudyError
        The README has no place for them.
    """
    measured = {name: record[name] for name in KEPT} | {"options": record["inputs"]["options"]}
    text = (root / "README.md").read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise StudyError("README.md", "has no place for what is measured", f"put {START} and {END} where it belongs")
    path = write_text(root / MEASURED, json.dumps(measured, ensure_ascii=False, indent=1) + "\n")
    lines = "\n".join([START, *measured_lines(measured, exported_versions(root)), END])
    block = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    return [path, write_text(root / "README.md", block.sub(lambda _: lines, text))]


def measured_lines(measured: Mapping[str, Any], versions: Mapping[str, str]) -> list[str]:
    """The lines.

    Parameters
    ----------
    measured
        What ``docs/measured.json`` holds.
    versions
        Package -> version in the lock.
    """
    machine, seconds = measured["machine"], dict(measured["seconds"])
    whole = seconds.pop("run")
    command = " ".join(["./run_all.sh", measured["study"], measured["options"]]).strip()
    memory = f"{measured['memory_bytes'] / 2**20:.0f} MiB in the largest process"
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    parts = ", ".join(f"{name} {number:.0f} s" for name, number in seconds.items())
    software = ", ".join(f"{name} {versions[name]}" for name in NAMED)
    return [
        f"- Time: `{command}` took {whole:.0f} s on {measured['date']} ({parts}).",
        f"- Memory: {memory}; measured on {place}.",
        f"- Software: Python {machine['python']} there; {software}; all {len(versions)} packages are in the lock.",
    ]
