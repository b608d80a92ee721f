"""Whether a run leaves the same bytes on another processor and in other surroundings.

    .venv/bin/python benchmarks/perturb.py [STUDY] [--preset quick] [--only KIND ...] [--notebook 02]

Runs a study once as it is, then once under each perturbation, into a scratch folder, and compares every file that a
run leaves: results, tables, pictures, executed notebooks, report. Kernels of OpenBLAS and instruction sets of numpy
stand in for processors; threads, folder, locale, time zone, hash seed and umask for surroundings. Nothing is rounded
here: bytes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALL = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
KINDS: dict[str, dict[str, str]] = {
    "openblas Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "openblas Sandybridge": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "openblas Zen": {"OPENBLAS_CORETYPE": "Zen"},
    "openblas SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "numpy all instructions": {"NPY_DISABLE_CPU_FEATURES": ""},
    "numpy without AVX512_ICL": {"NPY_DISABLE_CPU_FEATURES": "AVX512_ICL AVX512_SPR"},
    "numpy without AVX2": {"NPY_DISABLE_CPU_FEATURES": ALL},
    "another processor in both": {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": ALL},
    "two threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
    "two workers": {"WORKERS": "2"},
    "no forks": {"STUDY_FORK": "no"},
    "another folder": {"CWD": "/"},
    "another locale": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "plain locale": {"LC_ALL": "C", "LANG": "C"},
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "another hash seed": {"PYTHONHASHSEED": "4711"},
    "another umask": {"UMASK": "077"},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", default="provinces")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--notebook", help="only this notebook and those that it reads")
    parser.add_argument("--only", nargs="+", metavar="KIND", help=f"some of: {', '.join(KINDS)}")
    options = parser.parse_args()
    differ = 0
    with tempfile.TemporaryDirectory() as scratch:
        started = time.monotonic()
        plain = run(options, Path(scratch) / "plain", {})
        print(f"plain run: {len(plain)} files, {time.monotonic() - started:.0f} s")
        for kind in options.only or KINDS:
            found = run(options, Path(scratch) / "other", KINDS[kind])
            changed = sorted(name for name in plain.keys() | found.keys() if plain.get(name) != found.get(name))
            differ += bool(changed)
            print(f"{kind}: {', '.join(changed) or 'the same bytes'}", flush=True)
    return int(bool(differ))


def run(options: argparse.Namespace, folder: Path, changes: dict[str, str]) -> dict[str, bytes]:
    """Every file that a run leaves for its reader, by its name; the folder is emptied."""
    plain = {name: text for name, text in os.environ.items() if name not in ("OPENBLAS_CORETYPE",)}
    environment = {**plain, "STUDY_ROOT": str(ROOT), **changes}
    for name in ("WORKERS", "CWD", "UMASK"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "helpers.cli", "run", options.study, "--preset", options.preset]
    command += ["--workers", changes.get("WORKERS", "1"), "--out", str(folder)]
    command += ["--only", options.notebook] if options.notebook else []
    umask = int(changes.get("UMASK", "022"), 8)
    done = subprocess.run(
        command, env=environment, cwd=changes.get("CWD", ROOT), umask=umask, capture_output=True, text=True
    )
    if done.returncode not in (0, 1) or not folder.is_dir():
        raise SystemExit(done.stderr)
    files = [path for path in folder.rglob("*") if path.is_file()]
    kept = {path.relative_to(folder).as_posix(): path for path in files}
    content = {name: path.read_bytes() for name, path in kept.items() if not name.startswith("run/")}
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return content


if __name__ == "__main__":
    sys.exit(main())
