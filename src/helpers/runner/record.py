"""The project's own record of what ran, on which inputs, to which products; and the reasons to run a task again.

Every task has one file, ``run/record/<task>.json`` in the run folder, written only after its products are in place. A
task is up to date when its inputs, by content, are those of the record and its products are still what it left.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.files import find_inside, write_text
from helpers.runner.twins import Cell

RESULTS = "run/results"
CHANGED = "is not as this task left it"
UNREADABLE = "its record is damaged, or of another version of the project"
REPORT = "report"


@dataclass(frozen=True)
class Job:
    """One task: a notebook on a study, or the report. It holds nothing that cannot travel to another machine.

    Attributes
    ----------
    name
        Name of the notebook, or ``report``.
    root, folder
        The project's root and the run folder.
    study
        What the notebook is given as its study: a name in ``data``, or a path.
    values
        The parameters that it is given, checked.
    upstream
        The notebooks whose tables and results it reads.
    reads
        Tables that it reads, names or patterns.
    files
        The files that it depends on (source, study files, helper modules, lock), relative to the root, each with its
        digest from before anything was read.
    packages
        The installed packages of the lock with their versions.
    cells
        The notebook's cells; none for the report.
    imports
        Helper modules that it imports itself.
    run
        Id of the run that this job belongs to.
    timeout
        Seconds that one cell may take.
    """

    name: str
    root: Path
    folder: Path
    study: str
    values: Mapping[str, Any] = field(default_factory=dict)
    upstream: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    imports: tuple[str, ...] = ()
    run: str = ""
    timeout: int = 3600

    @property
    def staging(self) -> Path:
        """Where the task writes before its products are put in place."""
        return self.folder / "run" / "staging" / self.name

    @property
    def results(self) -> Path:
        """The file by which later tasks know that this one finished."""
        return self.folder / ("report.html" if self.name == REPORT else f"{RESULTS}/{self.name}.json")


@dataclass(frozen=True)
class Entry:
    """What the record knows about a task.

    Attributes
    ----------
    inputs
        What it depended on -> SHA-256 or value.
    products
        Path in the run folder -> SHA-256.
    cells
        Code cells that finished.
    seconds
        How long it took.
    run
        Id of the run in which it last finished.
    failure
        The message of a later attempt that did not finish, or empty.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    cells: int = 0
    seconds: float = 0.0
    run: str = ""
    failure: str = ""


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, or ``missing``."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"


def collect_inputs(job: Job, read: Callable[[str], Entry] | None = None) -> dict[str, str]:
    """Everything that decides a task's products, by content.

    Parameters
    ----------
    job
        The task.
    read
        Gives the record of a task by its name; from the run folder when left out.

    Returns
    -------
    dict
        Label -> SHA-256 for files, the value itself for parameters and the version of Python.
    """
    inputs = {**job.files, **{f"package {name}": version for name, version in job.packages.items()}}
    inputs |= {f"parameter {name}": json.dumps(value) for name, value in job.values.items()}
    inputs |= {path: digest_file(job.folder / path) for path in upstream_files(job, read)}
    return inputs | {"study": job.study, "Python": f"{sys.version_info.major}.{sys.version_info.minor}"}


def take_digests(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """Path relative to the root -> SHA-256."""
    return {Path(os.path.relpath(path, root)).as_posix(): digest_file(path) for path in paths}


def check_unedited(job: Job) -> None:
    """Make sure that the files of a task are still those whose digests were taken before anything was read.

    Raises
    ------
    StudyError
        Naming the file that was edited meanwhile; a record would say of it what is not so.
    """
    for label, before in job.files.items():
        if digest_file(job.root / label) != before:
            raise StudyError(label, "it was edited while the run was at work", "run again: what finished is kept")


def upstream_files(job: Job, read: Callable[[str], Entry] | None = None) -> list[str]:
    """The files of earlier tasks that this one may read, as paths in the run folder."""
    read = read or partial(read_entry, job.folder)
    if job.name == REPORT:
        return sorted({path for name in job.upstream for path in read(name).products})
    results = [f"{RESULTS}/{name}.json" for name in job.upstream]
    written = [path for name in job.upstream for path in read(name).products]
    tables = [path for path in written if path.startswith("tables/") and _is_read(Path(path).stem, job.reads)]
    return sorted({*results, *tables})


def _is_read(table: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(table, pattern) for pattern in patterns)


def explain_task(job: Job, read: Callable[[str], Entry] | None = None) -> list[str]:
    """Why a task would run, in words; an empty list when it is up to date. ``read`` is as in `collect_inputs`."""
    read = read or partial(read_entry, job.folder)
    entry = read(job.name)
    if entry.failure == UNREADABLE:
        return [UNREADABLE]
    failure = [f"its last attempt failed: {entry.failure.splitlines()[0]}"] if entry.failure else []
    if not entry.inputs:
        return failure or ["never run"]
    return failure + _product_reasons(job, entry) + _input_reasons(entry.inputs, collect_inputs(job, read))


def _product_reasons(job: Job, entry: Entry) -> list[str]:
    reasons = []
    for path, digest in entry.products.items():
        now = digest_file(job.folder / path)
        if now != digest:
            reasons.append(f"{path} is missing" if now == "missing" else f"{path} {CHANGED}")
    return reasons


def _input_reasons(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    reasons = []
    for label in sorted(before.keys() | now.keys()):
        old, new = before.get(label), now.get(label)
        if old == new:
            continue
        if label.startswith("package "):
            reasons.append(f"{label} is {new or 'not installed'}, was {old or 'not installed'}")
        elif label.startswith("parameter ") or label in ("Python", "study"):
            reasons.append(f"{label} is {new or 'the default'}, was {old or 'the default'}")
        elif new in (None, "missing"):
            reasons.append(f"{label} is gone")
        else:
            reasons.append(f"{label} changed" if old not in (None, "missing") else f"{label} is new")
    return reasons


def entry_path(folder: Path, task: str) -> Path:
    """The record file of a task."""
    return folder / "run" / "record" / f"{task}.json"


def read_entry(folder: Path, task: str) -> Entry:
    """What is recorded of a task; nothing but a failure when the record is damaged or of another version."""
    try:
        entry = Entry(**json.loads(entry_path(folder, task).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return Entry()
    except (ValueError, TypeError, RecursionError):
        return Entry(failure=UNREADABLE)
    return entry if _is_sound(entry, folder) else Entry(failure=UNREADABLE)


def _is_sound(entry: Entry, folder: Path) -> bool:
    """Whether the fields are of their types and every product lies in the run folder: a record is only a file."""
    pairs = (entry.inputs, entry.products)
    if not all(isinstance(pair, dict) and all(map(_is_text, (*pair, *pair.values()))) for pair in pairs):
        return False
    if not (_is_text(entry.run) and _is_text(entry.failure) and isinstance(entry.seconds, int | float)):
        return False
    try:
        return all(find_inside(folder, path, "record") for path in entry.products)
    except StudyError:
        return False


def _is_text(item: object) -> bool:
    return isinstance(item, str)


def write_entry(folder: Path, task: str, entry: Entry) -> None:
    """Record a task: written aside, then renamed."""
    write_text(entry_path(folder, task), json.dumps(asdict(entry), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def record_failure(job: Job, message: str) -> None:
    """Note that an attempt did not finish; what an earlier one left stays on record."""
    write_entry(job.folder, job.name, replace(read_entry(job.folder, job.name), failure=message))


def publish(job: Job, inputs: dict[str, str], cells: int, seconds: float) -> Entry:
    """Move a finished task's files from staging to the run folder and record them.

    Files that an earlier run of the same task left and this one did not are removed.

    Raises
    ------
    StudyError
        When a file belongs to another task, or the task's own files were edited while it ran.
    """
    check_unedited(job)
    home = job.staging / "out"
    fresh = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    products = {path: digest_file(home / path) for path in fresh}
    _check_owner(job, products)
    for path in fresh:
        target = job.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (home / path).replace(target)
    for path in read_entry(job.folder, job.name).products.keys() - products.keys():
        (job.folder / path).unlink(missing_ok=True)
    entry = Entry(inputs, products, cells, seconds, job.run)
    write_entry(job.folder, job.name, entry)
    return entry


def _check_owner(job: Job, products: Mapping[str, str]) -> None:
    for other in sorted((job.folder / "run" / "record").glob("*.json")):
        entry = read_entry(job.folder, other.stem)
        shared = entry.products.keys() & products.keys()
        if other.stem == job.name or not shared:
            continue
        source = next((label for label in entry.inputs if label.endswith(f"/{other.stem}.py")), "")
        if entry.run == job.run or (source and entry.inputs[source] == digest_file(job.root / source)):
            raise StudyError(
                f"notebook {job.name}",
                f"writes {min(shared)}, which belongs to {other.stem}",
                "give one of the two another name",
            )
        # The other was edited or is gone, so the file may have moved from one to the other.
        left = {path: digest for path, digest in entry.products.items() if path not in shared}
        write_entry(job.folder, other.stem, replace(entry, products=left))


def sweep_removed(folder: Path, names: Iterable[str]) -> None:
    """Take away the products of tasks that the study no longer has, where nobody else has changed them since."""
    for path in sorted((folder / "run" / "record").glob("*.json")):
        if path.stem not in names:
            for product, digest in read_entry(folder, path.stem).products.items():
                if digest_file(folder / product) == digest:
                    (folder / product).unlink(missing_ok=True)
            path.unlink()
