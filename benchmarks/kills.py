"""Whether a run that is killed at random goes on to the bytes of an undisturbed one.

    .venv/bin/python benchmarks/kills.py [--kills 200] [--seed 20240909]

On a small project of three notebooks: a run is begun in a fresh folder and hit once, at a random moment, by a random
signal (KILL, TERM, INT), in the runner, in the process that forks kernels, in a kernel, or in runner and kernel; then
one plain run follows. Every file that a reader sees, the records, and what is left in the folder must then be as
after an undisturbed run. Prints a line for every kill that was not healed, and the count.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20240909)
    options = parser.parse_args()
    from runner.test_pipeline import SIGNALS, VICTIMS, disturb

    draw, told, hit = random.Random(options.seed), 0, Counter[str]()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        mini = make_project(Path(folder), patch)
        started = time.monotonic()
        good = run_through(mini)
        latest = 1.1 * (time.monotonic() - started)
        for number in range(options.kills):
            plan = draw.choice(VICTIMS), draw.choice(SIGNALS), draw.uniform(0, latest)
            empty(mini.folder)
            hit[f"{plan[0]}, {plan[1].name}"] += disturb(mini, *plan)
            after = run_through(mini)
            if after != good:
                told += 1
                names = sorted(name for name in after.keys() | good.keys() if after.get(name) != good.get(name))
                print(f"kill {number + 1} ({plan[0]}, {plan[1].name}, {plan[2]:.2f} s): {', '.join(names)}", flush=True)
    print(f"{options.kills - told} of {options.kills} kills end in the bytes of an undisturbed run")
    print("; ".join(f"{name}: {count}" for name, count in sorted(hit.items())), "processes were hit")
    return int(told > 0)


def make_project(folder: Path, patch: pytest.MonkeyPatch):
    from conftest import build_mini

    return build_mini(folder, patch)


def run_through(mini) -> dict[str, bytes]:
    """One plain run; every file that it leaves, of the records (which hold times) their names only."""
    from runner.test_pipeline import finish, start

    code, said = finish(start(mini))
    if code:
        return {"exit code": str(code).encode(), "said": said.encode()}
    files = {path.relative_to(mini.folder).as_posix(): path for path in mini.folder.rglob("*") if path.is_file()}
    own = ("run/record/", "run/var/", "run/lock")
    left = {name: path.read_bytes() for name, path in files.items() if not name.startswith(own)}
    return left | {name: b"" for name in files if name.startswith("run/record/")}


def empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


if __name__ == "__main__":
    sys.exit(main())
