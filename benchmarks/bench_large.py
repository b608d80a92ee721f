"""Time and memory of a study whose panel is kept on disk, from its file to the report.

    python benchmarks/bench_large.py --folder FOLDER [--rows 10000000] [--kind csv]

Writes a synthetic study of firm-years into FOLDER (20 measures, ten years, three regions, seeded; `engine: disk`), runs
it as a person does, and takes it away again. Memory is what `bench_run.py` sees of the command and all that it starts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bench_run import Measure, copy_project, measure

COLUMNS, TIMES, FIRST = 20, 10, 2010
INDICATORS = [f"m{number}" for number in range(COLUMNS - 6)]
OUTCOME, *CONTROLS = [f"m{number}" for number in range(COLUMNS - 6, COLUMNS)]
REGIONS = ("coast", "inland", "island")
CHUNK = 1_000_000
EFFECT = 0.5
"""Of the first control on the outcome."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where study and run folder go; they are deleted")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kind", choices=("csv", "parquet"), default="csv")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        study, out = Path(folder) / "firms", Path(folder) / "out"
        write_study(study, given.rows, given.kind)
        size = sum(path.stat().st_size for path in (study / "raw").iterdir()) / 2**30
        print(f"{given.rows:,} rows x {COLUMNS} measures, {given.kind}, {size:.2f} GiB; {os.cpu_count()} cores")
        command, project = [sys.executable, "-m", "helpers.cli"], copy_project(Path(folder))
        environment = {**os.environ, "STUDY_ROOT": str(project), "PYTHONPATH": str(project / "src")}
        subprocess.run([*command, "check", str(study), "--accept"], cwd=project, env=environment, check=True)
        told(measure([*command, "run", str(study), "--out", str(out), "--workers", "1"], project), out)


def told(found: Measure, out: Path) -> None:
    print(f"report after {found.seconds:.0f} s, largest memory {found.memory / 1024:.2f} GiB")
    for path in sorted((out / "run" / "record").glob("*.json")):
        print(f"  {path.stem:<36}{json.loads(path.read_text(encoding='utf-8'))['seconds']:>8.1f} s")
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))["results"]
    found_rows = {row["key"]: row for row in rows}
    effect = found_rows["baseline.two_way.digital"]
    print(f"  effect of the index {effect['estimate']:.4f} ({effect['std_error']:.4f}), {effect['n_obs']:,} rows")


def write_study(folder: Path, rows: int, kind: str) -> None:
    (folder / "raw").mkdir(parents=True)
    write_rows(folder / "raw" / f"firms.{kind}", rows, kind)
    n_firms = -(-rows // TIMES)
    lines = (f"F{firm},{REGIONS[firm % 3]}\n" for firm in range(n_firms))
    (folder / "units.csv").write_text("firm,region\n" + "".join(lines), encoding="utf-8")
    names = [*INDICATORS, OUTCOME, *CONTROLS]
    book = "statistic,name_en,unit,grade,note\n" + "".join(f"{name},{name},,A,\n" for name in names)
    (folder / "codebook.csv").write_text(book, encoding="utf-8")
    for name, content in {"study": study_content(folder.name, kind), "claims": claims_content()}.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "SOURCES.md").write_text("# Sources\n\nSimulated.\n", encoding="utf-8")


def write_rows(path: Path, rows: int, kind: str) -> None:
    """Figures of four digits; the outcome follows from the first control and the first indicator, firms and years."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng, writer, start = np.random.default_rng(20240901), None, time.perf_counter()
    for first in range(0, rows, CHUNK):
        n = min(CHUNK, rows - first)
        firm = np.arange(first, first + n) // TIMES
        own = rng.normal(size=n // TIMES + 1)[firm - firm[0]]
        columns = {name: np.round(np.exp(rng.normal(size=n)), 4) for name in INDICATORS}
        columns |= {name: np.round(rng.normal(size=n) + own, 4) for name in CONTROLS}
        noise = own + rng.normal(size=n)
        columns[OUTCOME] = np.round(EFFECT * columns[CONTROLS[0]] + columns[INDICATORS[0]] + noise, 4)
        keys = {"firm": np.char.add("F", firm.astype(str)), "year": FIRST + np.arange(n) % TIMES}
        table = pa.table({**keys, **columns})
        if writer is None:
            make = pyarrow.csv.CSVWriter if kind == "csv" else pyarrow.parquet.ParquetWriter
            writer = make(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    print(f"panel written in {time.perf_counter() - start:.0f} s", flush=True)


def label(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def study_content(name: str, kind: str) -> dict[str, Any]:
    names = [*INDICATORS, OUTCOME, *CONTROLS]
    formulas = {OUTCOME: OUTCOME, **{control: control for control in CONTROLS}, "growth": f"diff(log({INDICATORS[0]}))"}
    indicators = {
        f"i_{item}": {"formula": item, "direction": 1 if at % 3 else -1, "dimension": "whole", "label": label(item)}
        for at, item in enumerate(INDICATORS)
    }
    steps = {"pooled": [], "one_way": ["entity"], "two_way": ["entity", "time"]}
    return {
        "name": name, "title": label("Firms"), "question": label("Does it pay?"), "seed": 1, "engine": "disk",
        "entity": {"name": "firm", "key": "firm", "label": label("firm")},
        "time": {"name": "year", "first": FIRST, "last": FIRST + TIMES - 1, "label": label("Year")},
        "columns": {item: {"file": f"raw/firms.{kind}", "label": label(item)} for item in names},
        "variables": {item: {"formula": text, "label": label(item)} for item, text in formulas.items()},
        "indices": {
            "digital": {
                "label": label("Digital"), "dimensions": {"whole": {"label": label("Whole")}}, "indicators": indicators,
            }
        },
        "model": {"outcome": OUTCOME, "treatment": "digital", "controls": CONTROLS},
        "ladder": {item: {"label": label(item), "controls": True, "effects": kinds} for item, kinds in steps.items()},
        "primary": "two_way", "robustness": {}, "mediators": {},
        "regions": {
            "region": {"column": "region", "order": list(REGIONS), "labels": {item: label(item) for item in REGIONS}}
        },
        "presets": {"standard": {}},
    }  # fmt: skip


def claims_content() -> dict[str, Any]:
    claim = {
        "source": "OWN", "section": label("Main"), "text": label("It pays."), "test": label("p is below the level"),
        "reads": {"primary": "baseline.{primary}.{treatment}"}, "rule": {"supported": "primary.p_value < significance"},
    }  # fmt: skip
    source = {"title": label("Own"), "reference": label("none"), "kind": label("a claim")}
    return {"significance": 0.05, "sources": {"OWN": source}, "claims": {"OWN-1": claim}}


if __name__ == "__main__":
    main()
