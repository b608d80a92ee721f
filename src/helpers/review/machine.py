"""The machine and the software of a run, as a reviewer needs to know them."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "linearmodels", "pyfixest", "matplotlib", "papermill")


def describe_machine() -> dict[str, str | int]:
    """Processor, memory, system, Python and the libraries that make the numbers."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": sys.version.split()[0],
        **{name: _version(name) for name in PACKAGES},
    }


def today() -> str:
    """The date, UTC, as ISO 8601 prints it."""
    return datetime.now(UTC).date().isoformat()


def digest_files(root: Path, *parts: str) -> str:
    """SHA-256 over the files below some folders of the project, by path and content."""
    total = hashlib.sha256()
    for path in sorted(path for part in parts for path in _files(root / part)):
        total.update(f"{path.relative_to(root).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    hidden = {"__pycache__", ".ipynb_checkpoints"}
    return [file for file in path.rglob("*") if file.is_file() and not hidden & set(file.parts)]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
