"""The run folder as a place of work: one run at a time, a disk that may be full, caches kept out of the home."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.runner.execution import DISK_ERRORS
from helpers.runner.kernels.processes import allow_kernels, stop_kernels


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the kernels first, so that the threads that wait for them end too."""
    caught: list[int] = []

    def stop(number: int, _: Any) -> None:
        caught.append(number)
        stop_kernels()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        allow_kernels()
        for number, handler in before.items():
            signal.signal(number, handler)
    if caught:
        raise KeyboardInterrupt


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """A full or closed disk as a message; other errors of the operating system pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        raise StudyError(str(error.filename or folder), str(error.strerror), DISK_ERRORS[error.errno]) from None


@contextlib.contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Keep two runs out of one folder; the lock goes with the process."""
    path = folder / "run" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise StudyError(str(folder), f"cannot be written to: {error.strerror}", "choose another with --out") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StudyError(str(folder), "another run is at work here", "wait for it, or choose --out") from None
        yield


OWNER = "run/study"
"""The file by which a run folder says whose it is; a committed report says it by its results."""

KEPT = ("data", "notebooks", "src", "tests", "docs", "benchmarks", ".git", ".venv")
"""Folders of the project in which nothing is written by a run."""


def check_own(folder: Path, root: Path, study_folder: Path) -> str:
    """Make sure that a run may write into a folder: a new or empty one, or this study's own.

    Returns
    -------
    str
        The word by which the folder is marked as this study's (see `mark_own`).

    Raises
    ------
    StudyError
        The project itself or one of its folders, a study's folder, or a folder that holds anything else.
    """
    folder, root, study_folder = folder.resolve(), root.resolve(), study_folder.resolve()
    name = study_folder.name
    word = name if study_folder.parent == root / "data" else study_folder.as_posix()
    kept = [root / part for part in KEPT] + [study_folder]
    if root.is_relative_to(folder) or any(_overlap(folder, other) for other in kept):
        raise StudyError(f"--out {folder}", "a run would write over the project's own files", "name a new folder")
    if not _is_new(folder):
        marked, made = _read_owner(folder)
        at_home = folder == root / "reports" / name and not marked and not made
        if not at_home and (marked or made) != (word if marked else name):
            whose = f"a run of the study {marked or made}" if marked or made else "files of something else"
            remedy = "name a new or an empty folder with --out, or move its files away"
            raise StudyError(str(folder), f"it holds {whose}", remedy)
    return word


def _overlap(first: Path, second: Path) -> bool:
    return first.is_relative_to(second) or second.is_relative_to(first)


def _is_new(folder: Path) -> bool:
    """Whether a folder is not there, or holds nothing but what an interrupted start may leave."""
    return not folder.is_dir() or (
        all(path.name in ("run", ".gitkeep") for path in folder.iterdir()) and not (folder / OWNER).is_file()
    )


def _read_owner(folder: Path) -> tuple[str, str]:
    """The study that a run folder is marked as, and the one that its results name; empty where nothing says it."""
    marked = made = ""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        marked = (folder / OWNER).read_text(encoding="utf-8").strip()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        made = str(json.loads((folder / "results.json").read_text(encoding="utf-8"))["study"])
    return marked, made


def mark_own(folder: Path, word: str) -> None:
    """Say whose run folder it is."""
    path = folder / OWNER
    if not path.is_file():
        write_text(path, f"{word}\n")


def check_writable(folder: Path) -> None:
    """Try the folder with a small file; the error is the operating system's own."""
    probe = folder / "run" / f".probe.{os.getpid()}"
    probe.write_bytes(b"\0" * 65536)
    probe.unlink()


def use_own_folders(root: Path, folder: Path) -> None:
    """Point kernels to the project's own helpers, and the caches of Jupyter, IPython, matplotlib and numba into it.

    So the home stays untouched, and a run in a copy of the project looks to a notebook like one in the project itself.
    """
    prefix = Path(sys.prefix)
    home = (prefix if prefix.is_relative_to(root) else folder / "run") / "var"
    for name, part in OWN_FOLDERS.items():
        os.environ[name] = str(home / part)
    # IPython takes a temporary folder, which it leaves behind, where its own has no parent.
    with contextlib.suppress(OSError):
        (home / OWN_FOLDERS["IPYTHONDIR"]).mkdir(parents=True, exist_ok=True)
    own = str(root / "src")
    others = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part not in ("", own)]
    os.environ |= {"STUDY_ROOT": str(root), "PYTHONPATH": os.pathsep.join([own, *others])}


OWN_FOLDERS = {
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter/config",
    "JUPYTER_DATA_DIR": "jupyter/data",
    "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
    "XDG_CACHE_HOME": "cache",
    "DASK_TEMPORARY_DIRECTORY": "dask",
    "DASK_CONFIG": "dask/config",
}
