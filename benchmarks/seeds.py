"""Whether a verdict, or a printed digit of a p-value, depends on the seed.

    .venv/bin/python benchmarks/seeds.py [STUDY] [--preset standard] [--seeds 20] [--notebook 12]

Runs a study under several seeds, each in a copy of its folder that differs in the seed alone, and compares with the
first: verdicts of claims, significance at the study's level of every p-value that was drawn, and its printed text.
Beside each p-value that moved stands its Monte-Carlo error, sqrt(p (1 - p) / draws).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from helpers.display.prose import field_text
from helpers.results.results import Result, Results, join_results

ROOT = Path(__file__).resolve().parents[1]
LINKED = ("src", "notebooks", "pyproject.toml", "uv.lock", "requirements.lock")
SEED = re.compile(r"^seed: \d+", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", default="provinces")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--notebook", help="only this notebook and those that it reads")
    options = parser.parse_args()
    runs = []
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            runs.append(run_with(options, seed, Path(scratch)))
        print(f"seed {seed}: {told(runs)}", flush=True)
    moved = moved_p_values(runs)
    for key, texts in sorted(moved.items()):
        error = monte_carlo_error(runs[0][key])
        print(f"{key}: {', '.join(sorted(set(texts)))} (error {error:.4f})")
    return 0


def run_with(options: argparse.Namespace, seed: int, scratch: Path) -> Results:
    """The results of a study under one seed."""
    for name in LINKED:
        (scratch / name).symlink_to(ROOT / name)
    folder = scratch / "data" / options.study
    shutil.copytree(ROOT / "data" / options.study, folder)
    file = folder / "study.yml"
    text, found = SEED.subn(f"seed: {seed}", file.read_text(encoding="utf-8"))
    assert found == 1, f"{file} declares its seed {found} times"
    file.write_text(text, encoding="utf-8")
    only = ["--only", options.notebook] if options.notebook else []
    command = [sys.executable, "-m", "helpers.cli", "run", options.study, "--preset", options.preset, "--workers", "1"]
    done = subprocess.run(
        [*command, *only, "--out", str(scratch / "out")],
        env=os.environ | {"STUDY_ROOT": str(scratch), "PYTHONPATH": str(ROOT / "src")},
        cwd=scratch,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return join_results(scratch / "out")


def drawn(results: Mapping[str, Result]) -> list[str]:
    """Keys of the p-values that were drawn."""
    return [key for key, item in results.items() if item.draws and item.p_value is not None]


def verdicts(results: Mapping[str, Result]) -> dict[str, str]:
    """Claim -> verdict."""
    return {key: str(item.value) for key, item in results.items() if key.startswith("claims.") and "verdict" in key}


def moved_p_values(runs: list[Results]) -> dict[str, list[str]]:
    """The drawn p-values that are not printed alike under every seed, each with its texts."""
    texts = {key: [field_text(found[key], "p_value") for found in runs if key in found] for key in drawn(runs[0])}
    return {key: printed for key, printed in texts.items() if len(set(printed)) > 1}


def monte_carlo_error(found: Result) -> float:
    """The standard error that the draws leave in a p-value."""
    assert found.p_value is not None
    assert found.draws
    return float(np.sqrt(found.p_value * (1 - found.p_value) / found.draws))


def told(runs: list[Results]) -> str:
    """One line: what moved between the first seed and the last."""
    first, last = runs[0], runs[-1]
    turned = [key for key, verdict in verdicts(first).items() if verdicts(last).get(key) != verdict]
    keys = [key for key in drawn(first) if key in last]
    sides = [key for key in keys if (_p(first, key) < 0.05) != (_p(last, key) < 0.05)]
    texts = sum(field_text(first[key], "p_value") != field_text(last[key], "p_value") for key in keys)
    thirds = sum(f"{_p(first, key):.3f}" != f"{_p(last, key):.3f}" for key in keys)
    return (
        f"{len(turned)} of {len(verdicts(first))} verdicts moved {turned or ''}; of {len(keys)} drawn p-values "
        f"{len(sides)} crossed 0.05 {sides or ''}, {texts} are printed otherwise, {thirds} would be with three decimals"
    )


def _p(results: Mapping[str, Result], key: str) -> float:
    p_value = results[key].p_value
    assert p_value is not None
    return p_value


if __name__ == "__main__":
    sys.exit(main())
