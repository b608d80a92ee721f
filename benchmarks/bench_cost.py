"""What each notebook costs, measured, and the numbers of `notebooks/cost.yml` fitted to it.

    python benchmarks/bench_cost.py --folder FOLDER [--runs firms_400_20:quick provinces:standard ...]
    python benchmarks/bench_cost.py --fit

Runs each study one notebook at a time in a copy of the project in FOLDER and adds what it saw to `cost_runs.csv`: the
processor seconds of the command and all that it starts, and the largest sum of proportional set sizes, between one
notebook's end and the next. `firms_UNITS_PERIODS` is a simulated panel that `study adopt` takes in, with an index of
six indicators, a mediator and three regions; `disk_UNITS_PERIODS` the same on disk. Then, or alone with `--fit`, the
numbers are fitted: non-negative least squares, squared errors over what was measured. Memory 0 was not looked at. Rows
of firms_5000_20, provinces and countries are of runs whose seconds were the clock's.
Linux only.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from bench_run import ROOT, copy_project, family, proportional_memory
from scipy.optimize import nnls

from helpers.study.cost import COST_FILE, Costs, NotebookCost, Size, count_passes, measure_size
from helpers.study.study import load_study

RUNS = Path(__file__).with_name("cost_runs.csv")
PANELS = [
    "firms_60_8:quick", "firms_400_20:quick", "firms_2000_20:quick", "firms_60_8:standard", "firms_400_10:standard",
    "provinces:quick", "provinces:standard", "countries:quick", "countries:standard",
    "disk_2000_20:quick", "disk_20000_20:quick",
]  # fmt: skip
PARAMETERS = {
    "index_draws": "rows", "choice_draws": "rows", "sobol_base": "rows", "bootstrap_draws": "rows",
    "joint_draws": "rows", "threshold_draws": "rows", "wild_draws": "units", "permutations": "units",
    "simulations": "units",    "assignments": "units", "fragility_most": "sets",
}  # fmt: skip
ENDED = re.compile(r"^(\w+): ran for ")
CLOCK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where copies and run folders go")
    parser.add_argument("--runs", nargs="+", default=PANELS, metavar="STUDY:PRESET")
    parser.add_argument("--fit", action="store_true", help="only fit what was measured before")
    given = parser.parse_args()
    if not given.fit:
        project = copy_project(given.folder)
        for run in given.runs:
            study, preset = run.split(":")
            make_study(project, study)
            add_rows(measure(project, study, preset))
    write_costs(pd.read_csv(RUNS))


def make_study(project: Path, name: str) -> None:
    """Simulate and adopt the panel that a name describes, unless the study is there."""
    if (project / "data" / name).is_dir():
        return
    engine, units, periods = name.split("_")
    n, t = int(units), int(periods)
    rng, firm = np.random.default_rng(5), np.repeat(np.arange(n), t)
    common = rng.normal(size=n)[firm] + rng.normal(size=n * t)
    columns: dict[str, Any] = {"firm": [f"F{place:06d}" for place in firm], "year": np.tile(np.arange(t) + 2001, n)}
    columns["area"] = np.array(["east", "central", "west"])[firm % 3]
    columns |= {f"part{j}": np.exp(0.5 * common + rng.normal(size=n * t)).round(6) for j in range(6)}
    columns |= {f"held{j}": (rng.normal(size=n * t) + 0.3 * common).round(6) for j in range(4)}
    columns["output"] = (0.3 * common + rng.normal(size=n)[firm] + rng.normal(size=n * t)).round(6)
    table = project / f"{name}.csv"
    pd.DataFrame(columns).to_csv(table, index=False)
    said = ["--entity", "firm", "--time", "year", "--outcome", "output", "--treatment", "part0"]
    command(project, "adopt", str(table), "--name", name, *said, "--controls", "held0,held1,held2")
    file = project / "data" / name / "study.yml"
    indicators = ", ".join(
        f"i_part{j}: {{formula: part{j}, direction: 1, dimension: {'one' if j < 3 else 'two'}, "
        f"label: {{en: Part {j}, zh: 部分{j}}}}}"
        for j in range(6)
    )
    index = (
        "indices:\n  digital:\n    label: {en: Digital, zh: 数字}\n"
        "    dimensions: {one: {label: {en: One, zh: 一}}, two: {label: {en: Two, zh: 二}}}\n"
        f"    indicators: {{{indicators}}}\n"
    )
    text = (
        file.read_text(encoding="utf-8")
        .replace("indices: {}\n", index)
        .replace("treatment: part0", "treatment: digital")
    )
    text = text.replace("mediators: {}\n", "mediators: {held3: {label: {en: Held, zh: 中介}}}\n")
    file.write_text(text + ("engine: disk\n" if engine == "disk" else ""), encoding="utf-8")
    claims = file.with_name("claims.yml")
    claims.write_text(claims.read_text(encoding="utf-8").replace("part0", "digital"), encoding="utf-8")
    command(project, "check", name, "--accept")


def command(project: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "helpers.cli", *words], cwd=project, env=environment(project), check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def environment(project: Path) -> dict[str, str]:
    return {**os.environ, "STUDY_ROOT": str(project), "PYTHONPATH": str(project / "src"), "PYTHONUNBUFFERED": "1"}


def measure(project: Path, name: str, preset: str) -> list[dict[str, Any]]:
    """One row for each notebook of a run and one for its report."""
    study = load_study(project / "data" / name)
    size, out = measure_size(study), project / "reports" / f"{name}_{preset}"
    words = ["run", name, "--preset", preset, "--workers", "1", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.cli", *words], cwd=project, env=environment(project), text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    seen, rows, stop = Watched(process.pid), [], threading.Event()
    watch = threading.Thread(target=seen.watch, args=[stop])
    watch.start()
    assert process.stdout is not None
    for line in process.stdout:
        if found := ENDED.match(line):
            rows.append({"notebook": found[1], **seen.take()})
    process.wait()
    stop.set()
    watch.join()
    if process.returncode:
        sys.exit(f"the run of {name} ended with {process.returncode}")
    values = study.presets[preset]
    about = {"study": name, "preset": preset, "rows": size.rows, "units": size.units, "columns": size.columns}
    return [{**about, **row, "values": yaml.safe_dump(dict(values), default_flow_style=True).strip()} for row in rows]


class Watched:
    """Processor seconds and memory of a process and all that it starts, since they were last taken."""

    def __init__(self, root: int) -> None:
        self.root, self.used, self.taken, self.memory = root, dict[int, float](), 0.0, 0.0

    def watch(self, stop: threading.Event) -> None:
        """Look ten times a second."""
        while not stop.is_set():
            here = family(self.root)
            for number in here:
                try:
                    found = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
                except OSError:
                    continue
                self.used[number] = (int(found[11]) + int(found[12])) / CLOCK
            now = sum(map(proportional_memory, here))
            self.memory = max(self.memory, now)
            time.sleep(0.1)

    def take(self) -> dict[str, float]:
        """What there was since the last time."""
        whole, memory = sum(self.used.values()), self.memory
        found = {"seconds": round(whole - self.taken, 1), "memory": round(memory)}
        self.taken, self.memory = whole, 0.0
        return found


def add_rows(rows: list[dict[str, Any]]) -> None:
    new = not RUNS.exists()
    with RUNS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(
            f"{row['study']:<16}{row['preset']:<10}{row['notebook']:<32}{row['seconds']:>8.1f} s {row['memory']:>6} MiB"
        )


def write_costs(runs: pd.DataFrame) -> None:
    """Fit each notebook and write the file; what the fit says of each run beside what was measured."""
    blank = Costs(measured="", parameters=PARAMETERS, notebooks={})
    cells = (runs["rows"] * runs["columns"]).to_numpy(dtype=float) / 1e6
    declared = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("[0-9]*.py")}
    passes = [
        count_passes(
            blank,
            Size(row.rows, row.units, row.columns),
            {k: v for k, v in yaml.safe_load(row.values).items() if f"\n{k}: int" in declared.get(row.notebook, "")},
        )
        for row in runs.itertuples(index=False)
    ]
    runs = runs.assign(cells=cells, again=cells * np.array(passes))
    found = {}
    for name, rows in runs.groupby("notebook"):
        seconds = fit(rows[["cells", "again"]].to_numpy(), rows["seconds"].to_numpy())
        watched = rows[rows["memory"] > 0]
        watched = runs[runs["memory"] > 0] if watched.empty else watched
        memory = fit(watched[["cells"]].to_numpy(), watched["memory"].to_numpy())
        parts = dict(zip(("start", "once", "again", "memory", "bytes"), (*seconds, *memory), strict=True))
        parts["most"] = (rows["again"] / rows["cells"]).max()
        found[str(name)] = {part: float(f"{number:.3g}") for part, number in parts.items()}
    count = len(runs.groupby(["study", "preset"]))
    machine = f"{count} runs, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    content = {"measured": machine, "parameters": PARAMETERS, "notebooks": found}
    told = (
        "# What each notebook costs: seconds of one core at the start, per million cells once, and for each further\n"
        "# pass; MiB at the start and per million cells. Written by benchmarks/bench_cost.py from cost_runs.csv.\n"
    )
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    (ROOT / "notebooks" / COST_FILE).write_text(told + text, encoding="utf-8")
    costs = {name: NotebookCost(**numbers) for name, numbers in found.items()}
    told_seconds = [
        costs[row.notebook].start + costs[row.notebook].once * row.cells + costs[row.notebook].again * row.again
        for row in runs.itertuples(index=False)
    ]
    whole = runs.assign(told=told_seconds).groupby(["study", "preset"], sort=False)[["seconds", "told"]].sum()
    print(whole.round(0).to_string())


def fit(columns: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Non-negative numbers (start, one for each column) with the smallest squared errors over their size."""
    left = np.column_stack([np.ones(len(columns)), columns])
    scale = np.sqrt(np.maximum(measured, 1.0))[:, None]
    length = np.linalg.norm(left / scale, axis=0)
    found, _ = nnls(left / scale / np.where(length > 0, length, 1.0), measured / scale[:, 0])
    return np.asarray(found / np.where(length > 0, length, 1.0))


if __name__ == "__main__":
    main()
