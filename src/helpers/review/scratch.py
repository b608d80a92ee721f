"""A run of the project in a copy of its own, from raw data, which looks to everything in it like any other run.

The copy holds what a clone holds, without earlier results; it has a name that says nothing, and the same command line,
environment and parameters as a run. A run points kernels to the project's own folders in either case (see
:mod:`helpers.runner.workspace`), so that nothing in them differs but the place.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from helpers.errors import StudyError
from helpers.runner.workspace import disk_errors

CACHES = {".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints"}
PATIENCE = 10
"""Seconds that an interrupted run has to end by itself."""


@dataclass(frozen=True)
class Finished:
    """A run in a copy that came to its end.

    Attributes
    ----------
    folder
        Its run folder.
    code
        Its exit code.
    seconds
        How long it took.
    memory
        Most memory that one of its processes held, in bytes.
    """

    folder: Path
    code: int
    seconds: float
    memory: int


@contextlib.contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A new folder of this name that is gone afterwards, whatever happens; SIGTERM is an interruption like Ctrl-C."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    home = Path(tempfile.mkdtemp(prefix=""))
    try:
        with disk_errors(home):
            folder = home / name
            folder.mkdir()
            yield folder
    finally:
        shutil.rmtree(home, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def copy_project(root: Path, target: Path) -> None:
    """Copy what a run needs: the project as it stands, without results, history and caches.

    The project's own environment is not copied: the copy uses it where it stands.
    """

    def leave_out(folder: str, names: list[str]) -> set[str]:
        return (CACHES | {"reports"} if Path(folder) == root else CACHES) & set(names)

    with disk_errors(target):
        try:
            shutil.copytree(root, target, ignore=leave_out, symlinks=True, dirs_exist_ok=True)
        except shutil.Error as error:
            raise StudyError(str(target), f"the project cannot be copied ({error.args[0][0][2]})", _ROOM) from None
        prefix = Path(sys.prefix)
        if prefix.is_relative_to(root):
            link = target / prefix.relative_to(root)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(prefix)


_ROOM = "make room in the folder for temporary files, or name another with TMPDIR"


def run_project(root: Path, study: str, name: str, options: Sequence[str] = (), *, quiet: bool = False) -> Finished:
    """Run a study of a copied project, by the command that a person would type.

    Parameters
    ----------
    root
        The copy.
    study
        What the command names: a folder in ``data/`` or a path.
    name
        The study's own name, after which its run folder is called.
    options
        Further options of ``study run``.
    quiet
        Keep what it prints off the terminal.
    """
    prefix = root / ".venv"
    python = prefix / "bin" / Path(sys.executable).name if prefix.is_dir() else Path(sys.executable)
    environment = {**os.environ, "STUDY_ROOT": str(root), "PYTHONPATH": str(root / "src")}
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603
        [str(python if python.exists() else sys.executable), "-m", "helpers.cli", "run", study, *options],
        cwd=root,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if quiet else None,
    )
    try:
        code = process.wait()
    except BaseException:
        _stop(process)
        raise
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return Finished(root / "reports" / name, code, time.monotonic() - started, memory * unit)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a run and what it started: first as a person would, then at once."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
            return
