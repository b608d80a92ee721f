"""Time and memory of a run, beside papermill's own command line on the same notebooks, in the same session.

Run it with ``.venv/bin/python benchmarks/bench_run.py [--study provinces] [--preset standard]`` on a machine that does
nothing else. Everything happens in a copy of the project in a temporary folder. Memory is the sum of the proportional
set sizes (pages that processes share are counted once) of the command and all that it starts, looked at every
two seconds, since a look takes the time of what is measured; Linux only.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from helpers.runner.twins import write_twins
from helpers.study.study import load_study

ROOT = Path(__file__).resolve().parents[1]
LOOK = 2.0
EDITED = "06_regional_heterogeneity"


@dataclass(frozen=True)
class Measure:
    """Seconds and the largest memory in MiB."""

    seconds: float
    memory: float


def measure(command: list[str], project: Path) -> Measure:
    environment = {**os.environ, "STUDY_ROOT": str(project), "PYTHONPATH": str(project / "src")}
    started, largest = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, cwd=project, env=environment, stdout=told, stderr=subprocess.STDOUT)
        while process.returncode is None:
            largest = max(largest, sum(map(proportional_memory, family(process.pid))))
            with suppress(subprocess.TimeoutExpired):  # looks take time of what is measured
                process.wait(timeout=LOOK)
        if process.returncode:
            told.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{told.read().decode()}")
    return Measure(time.perf_counter() - started, largest)


def family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [root]
    for process in found:
        found.extend(child for child, parent in parents.items() if parent == process)
    return found


def proportional_memory(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def copy_project(folder: Path) -> Path:
    project = folder / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".git", ".venv", "reports", ".*_cache", "__pycache__"))
    compileall.compile_dir(project / "src", quiet=1)  # or the one that runs first compiles for the others
    return project


def run_papermill(project: Path, study: str, values: dict[str, int]) -> dict[str, Measure]:
    """The notebooks that the study ran, one by one by papermill's command line, each with its own parameters."""
    home = project / "reports" / "by_papermill"
    found = {}
    for name in sorted(path.name for path in (project / "reports" / study / "notebooks").glob("*.ipynb")):
        notebook = project / "notebooks" / name
        text = notebook.read_text(encoding="utf-8")
        given = {"study": study, "run_folder": str(home), "out": str(home)}
        given |= {name: value for name, value in values.items() if f'"{name}: int' in text}
        options = [part for name, value in given.items() for part in ("-p", name, str(value))]
        target = home / "notebooks" / notebook.name
        target.parent.mkdir(parents=True, exist_ok=True)
        found[notebook.stem] = measure(
            [sys.executable, "-m", "papermill", *options, str(notebook), str(target)], project
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", default="provinces")
    parser.add_argument("--preset", default="standard")
    options = parser.parse_args()
    values = dict(load_study(ROOT / "data" / options.study).presets[options.preset])
    command = [sys.executable, "-m", "helpers.cli", "run", options.study, "--preset", options.preset]
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        rows = {"first run": measure(command, project), "nothing changed": measure(command, project)}
        script = project / "notebooks" / f"{EDITED}.py"
        script.write_text(
            script.read_text(encoding="utf-8") + "\n# %% [markdown]\n# One more line.\n", encoding="utf-8"
        )
        write_twins(project / "notebooks", prefer="py")
        rows[f"after an edit to {EDITED}"] = measure(command, project)
        alone = run_papermill(project, options.study, values)
        rows[f"papermill's command line, {EDITED}"] = alone[EDITED]
        together = Measure(sum(row.seconds for row in alone.values()), max(row.memory for row in alone.values()))
        rows["papermill's command line, one by one"] = together
    print(f"{options.study}, preset {options.preset}, {os.cpu_count()} cores\n")
    for name, row in rows.items():
        print(f"{name:55} {row.seconds:8.1f} s {row.memory:8.0f} MiB")
    ratio = together.seconds / rows["first run"].seconds
    print(f"\npapermill's command line takes {ratio:.1f} times as long as the first run")


if __name__ == "__main__":
    main()
