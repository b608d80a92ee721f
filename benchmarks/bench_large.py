"""Time and memory of a panel that is worked on outside memory, and of entropy weights beside pymcdm and bare NumPy.

    python benchmarks/bench_large.py --folder FOLDER [--rows 10000000] [--kind csv]

Writes a synthetic panel of firm-years (20 measures, ten years, seeded) into FOLDER and takes it away again. Every step
is a process of its own, so that each peak of memory is that step's alone.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

COLUMNS, TIMES = 20, 10
INDICATORS = [f"m{number}" for number in range(COLUMNS - 6)]
MODEL = [f"m{number}" for number in range(COLUMNS - 6, COLUMNS)]
FORMULAS = {"growth": "diff(log(m0))", "ratio": "m1 / (m2 + 1)", "before": "lag(m14)", "score": "standardise(m3)"}
CHUNK = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the panel and the run folder go; they are deleted")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kind", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--step", choices=("write", "pipeline", "entropy"), help="one step, in this process")
    arguments = parser.parse_args()
    if arguments.step:
        steps: dict[str, Callable[[Path, int, str], None]] = {
            "write": write_panel,
            "pipeline": run_pipeline,
            "entropy": compare_entropy,
        }
        steps[arguments.step](arguments.folder, arguments.rows, arguments.kind)
        return
    free = psutil.virtual_memory().available / 2**30
    print(f"{arguments.rows:,} rows x {COLUMNS} measures, {arguments.kind}; {free:.1f} GiB of memory free")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for step in ("write", "pipeline", "entropy"):
            options = ["--folder", folder, "--rows", str(arguments.rows), "--kind", arguments.kind, "--step", step]
            subprocess.run([sys.executable, __file__, *options], check=True)


def write_panel(folder: Path, rows: int, kind: str) -> None:
    """Figures of four digits; m14 follows from the others, firms and years."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(20240901)
    start, path, writer = time.perf_counter(), folder / f"firms.{kind}", None
    for first in range(0, rows, CHUNK):
        n = min(CHUNK, rows - first)
        firm = np.arange(first, first + n) // TIMES
        own = rng.normal(size=n // TIMES + 1)[firm - firm[0]]
        columns = {name: np.round(np.exp(rng.normal(size=n)), 4) for name in INDICATORS}
        columns |= {name: np.round(rng.normal(size=n) + own, 4) for name in MODEL}
        columns[MODEL[0]] = np.round(0.5 * columns[MODEL[1]] + columns["m0"] + own + rng.normal(size=n), 4)
        keys = {"firm": np.char.add("F", firm.astype(str)), "year": 2010 + np.arange(n) % TIMES}
        table = pa.table({**keys, **columns})
        if writer is None:
            make = pyarrow.csv.CSVWriter if kind == "csv" else pyarrow.parquet.ParquetWriter
            writer = make(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    print(
        f"  {'panel written':<40}{time.perf_counter() - start:>9.1f} s  {path.stat().st_size / 2**30:.2f} GiB on disk"
    )


def run_pipeline(folder: Path, rows: int, kind: str) -> None:
    from helpers.large.formulas import add_formulas
    from helpers.large.models import fit_large_panel, index_large_panel
    from helpers.large.panel import check_large_panel, read_large_panel

    begun = time.perf_counter()
    spec = {"indicators": {name: {"direction": 1 if at % 3 else -1} for at, name in enumerate(INDICATORS)}}
    panel = timed(
        "read", lambda: read_large_panel(folder / f"firms.{kind}", folder / "run", entity="firm", time="year")
    )
    with panel:
        panel = timed(f"{len(FORMULAS)} formulas", lambda: add_formulas(panel, parse_all(FORMULAS)))
        check = timed("check keys, gaps and ranges", lambda: check_large_panel(panel, {"m0": (0, None)}))
        assert check.n_rows == rows
        index = timed("index of 14 indicators", lambda: index_large_panel(panel, spec))
        model = (MODEL[0], ["index", *MODEL[1:]])
        found = timed(
            "baseline, pyfixest, 6 regressors", lambda: fit_large_panel(panel, *model, indices={"index": index})
        )
    print(f"  {'all five':<40}{time.perf_counter() - begun:>9.1f} s")
    print(f"    effect of {MODEL[1]}: {found.estimates[MODEL[1]]:.4f} ({found.std_errors[MODEL[1]]:.4f}), truth 0.5")


def parse_all(texts: dict[str, str]) -> dict[str, Any]:
    from helpers.study.formula import parse_formula

    return {name: parse_formula(text, name) for name, text in texts.items()}


def compare_entropy(_folder: Path, rows: int, _kind: str) -> None:
    from pymcdm.weights import entropy_weights as pymcdm_entropy

    from helpers.index.composite import entropy_weights

    matrix = np.random.default_rng(1).random((rows, COLUMNS)) + 0.01
    before = psutil.Process().memory_info().rss
    makers: dict[str, Callable[[], Any]] = {
        "entropy weights, helpers": lambda: entropy_weights(matrix),
        "entropy weights, bare x ln x": lambda: (matrix * np.log(matrix)).sum(axis=0),
        "entropy weights, pymcdm": lambda: pymcdm_entropy(matrix),
    }
    fastest = dict.fromkeys(makers, float("inf"))
    # Turn by turn, so that what else the machine does falls on all alike.
    for _ in range(2):
        for name, make in makers.items():
            start = time.perf_counter()
            make()
            fastest[name] = min(fastest[name], time.perf_counter() - start)
    ours = fastest["entropy weights, helpers"]
    for name, seconds in fastest.items():
        print(f"  {name:<40}{seconds:>9.2f} s  {ours / seconds:.2f} is helpers' time as a share of it")
    print(f"    the figures themselves: {before / 2**30:.2f} GiB; peak {peak():.2f} GiB")


def timed(name: str, work: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = work()
    now = psutil.Process().memory_info().rss / 2**30
    print(f"  {name:<40}{time.perf_counter() - start:>9.1f} s  memory {now:.2f} GiB, peak so far {peak():.2f} GiB")
    return result


def peak() -> float:
    """Largest memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
