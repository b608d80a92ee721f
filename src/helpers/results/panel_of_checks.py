"""Whether a run keeps what a reader may ask of it: sources, checksums, lock, order, one state, plan, verification.

Every row says what was looked at. Rows that are `steady` depend on the run's own files alone; the others also on where
it stands: on git, or on a record of verification beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

PLAN = "PLAN.md"
PLANNED = ("study.yml", "claims.yml")
PLAN_ROW = re.compile(
    r"^\| (\d{4}-\d\d-\d\d) \| (\w+) \| `([0-9a-f]{64})` \| `([0-9a-f]{64})` \| (.*?) \|$", re.MULTILINE
)
ABSOLUTE = re.compile(r"(?<![\w./:])(?:/(?:home|Users|root|tmp|var|opt|mnt|private)/|[A-Z]:\\\\)[\w.-]+")
RECORD = Path("run") / "verify" / "verify.json"
VERIFIED = "verified on {date}: {good} of {all} numbers reproduced"
NAMED = 3
"""Files that are not committed which are named."""
NO_RECORD = "no record of a run is here"


@dataclass(frozen=True)
class CheckRow:
    """One thing that was looked at.

    Attributes
    ----------
    name
        What.
    holds
        Whether it is as it should be; None where it cannot be said.
    message
        What was found, with places for `values`.
    steady
        Whether it depends on the run's own files alone.
    values
        Place -> what fills it.
    """

    name: str
    holds: bool | None
    message: str
    steady: bool = True
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        """What was found, in English."""
        return self.message.format_map(self.values) if self.values else self.message


@dataclass(frozen=True)
class PlanRow:
    """One line of a study's plan.

    Attributes
    ----------
    date
        ISO 8601.
    kind
        ``frozen`` or ``deviation``.
    digests
        SHA-256 of ``study.yml`` and ``claims.yml`` from then on.
    reason
        Why they were changed.
    """

    date: str
    kind: str
    digests: tuple[str, str]
    reason: str


def check_run(folder: Path, study_folder: Path, root: Path, seed: int) -> tuple[CheckRow, ...]:
    """Look at a run.

    Parameters
    ----------
    folder
        The run folder.
    study_folder
        The study's folder.
    root
        The project's root.
    seed
        The study's seed.
    """
    records = read_records(folder)
    return (
        *_check_notebooks(records),
        _check_committed(root, study_folder),
        _check_checksums(study_folder),
        _row("seed", True, "every draw comes from the seed {seed} and the purpose of the draw", seed=seed),
        _check_lock(records, root) if records else CheckRow("lock", None, NO_RECORD),
        _check_order(records, folder) if records else CheckRow("order of execution", None, NO_RECORD),
        _check_paths(folder, root),
        _check_one_state(records) if records else CheckRow("one state", None, NO_RECORD),
        _check_plan(study_folder),
        _check_verified(folder),
    )


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """Notebook -> what the run recorded of it; the report's own record is left out, since it comes last."""
    paths = sorted((folder / "run" / "record").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths if path.stem != "report"}


def digest_run(folder: Path) -> str:
    """SHA-256 over results and tables, by name and content: whether two folders hold exactly the same numbers."""
    total = hashlib.sha256()
    for path in [folder / "results.json", *sorted((folder / "tables").glob("*.csv"))]:
        total.update(f"{path.name}\0{_digest(path)}\n".encode())
    return total.hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _check_committed(root: Path, study_folder: Path) -> CheckRow:
    name = "sources committed"
    parts = ["src", "notebooks", "requirements.lock", str(study_folder)]
    command = ["git", "-C", str(root), "status", "--porcelain", "--", *parts]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return CheckRow(name, None, "git is not there", False)
    if done.returncode:
        return CheckRow(name, None, "not a git repository", False)
    changed = [line[3:] for line in done.stdout.splitlines()]
    if not changed:
        return CheckRow(name, True, "nothing differs from the commit", False)
    first, more = changed[:NAMED], len(changed) - NAMED
    message = "not committed: {files} and {more} more" if more > 0 else "not committed: {files}"
    return CheckRow(
        name, False, message, False, {"files": ", ".join(first)} | ({"more": str(more)} if more > 0 else {})
    )


def _check_checksums(study_folder: Path) -> CheckRow:
    path = study_folder / "manifest.json"
    name = "checksums"
    if not path.is_file():
        return CheckRow(name, False, "there is no manifest.json")
    files: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["files"]
    digests = {name: item if isinstance(item, str) else item["sha256"] for name, item in files.items()}
    wrong = [name for name, digest in digests.items() if _digest(study_folder / name) != digest]
    counts = {"good": len(files) - len(wrong), "all": len(files)}
    if wrong:
        message = "{good} of {all} data files are those of the manifest; not {file}"
        return _row(name, False, message, **counts, file=wrong[0])
    return _row(name, True, "{good} of {all} data files are those of the manifest", **counts)


def _check_lock(records: Mapping[str, dict[str, Any]], root: Path) -> CheckRow:
    lock = root / "requirements.lock"
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
    used = {
        label.removeprefix("package "): version
        for entry in records.values()
        for label, version in entry["inputs"].items()
        if label.startswith("package ")
    }
    other = sorted(
        name for name, version in used.items() if locked.get(name.lower().replace("_", "-"), version) != version
    )
    counts = {"good": len(used) - len(other), "all": len(used)}
    if other:
        message = "{good} of {all} packages that were used have the version of the lock; not {package}"
        return _row("lock", False, message, **counts, package=other[0])
    message = "{good} of {all} packages that were used have the version of the lock"
    return _row("lock", True if used else None, message, **counts)


def _check_notebooks(records: Mapping[str, dict[str, Any]]) -> tuple[CheckRow, ...]:
    """A row where notebooks of another folder than the project's were run."""
    named = list_notebooks(records)
    other = [label for label in named if not label.startswith("notebooks/")]
    if not other:
        return ()
    message = "{other} of {all} notebooks are not the project's own: they were run from {folder} with --trust"
    folder = PurePosixPath(other[0]).parent.name
    return (_row("notebooks", False, message, other=len(other), all=len(named), folder=folder),)


def list_notebooks(records: Mapping[str, dict[str, Any]]) -> list[str]:
    """The notebooks that were run, as files relative to the project's root."""
    inputs = ((label, f"/{name}.py") for name, entry in records.items() for label in entry["inputs"])
    return sorted(label for label, end in inputs if label.endswith(end) and not label.startswith("src/"))


def find_notebooks(folder: Path, root: Path) -> Path:
    """The folder whose notebooks a run was made from, by its record; the project's own where it has none."""
    named = list_notebooks(read_records(folder))
    return (root / named[0]).parent if named else root / "notebooks"


def _row(name: str, holds: bool | None, message: str, **values: object) -> CheckRow:
    return CheckRow(name, holds, message, values={place: str(value) for place, value in values.items()})


def _check_order(records: Mapping[str, dict[str, Any]], folder: Path) -> CheckRow:
    """Every notebook ran on what those before it have left, to the byte."""
    stale = sorted(
        name
        for name, entry in records.items()
        for path, digest in entry["inputs"].items()
        if path.startswith(("run/", "tables/")) and _digest(folder / path) != digest
    )
    name = "order of execution"
    if stale:
        return _row(name, False, "{notebook} ran on tables that were written anew afterwards", notebook=stale[0])
    return CheckRow(name, True, "each notebook on what is there now")


def _check_paths(folder: Path, root: Path) -> CheckRow:
    files = [
        folder / "results.json",
        *sorted((folder / "notebooks").glob("*.ipynb")),
        *sorted((root / "notebooks").glob("*.py")),
    ]
    for path in files:
        found = ABSOLUTE.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        if found:
            return _row("no absolute path", False, "{file} names {path}", file=path.name, path=found[0])
    return _row("no absolute path", True, "none in {count} files", count=len(files))


def _check_one_state(records: Mapping[str, dict[str, Any]]) -> CheckRow:
    """Whether all parts were made from the same files, versions and parameters."""
    seen: dict[str, tuple[str, str]] = {}
    for name in sorted(records):
        for label, value in records[name]["inputs"].items():
            if label.startswith(("run/", "tables/")):
                continue
            first, before = seen.setdefault(label, (name, value))
            if before != value:
                message = "{first} and {second} were made from different {input}"
                return _row("one state", False, message, first=first, second=name, input=label)
    return CheckRow("one state", True, "all parts from the same code, data, versions and parameters")


def read_plan(study_folder: Path) -> tuple[PlanRow, ...]:
    """The plan of a study, oldest first; empty when none was frozen."""
    path = study_folder / PLAN
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return tuple(PlanRow(date, kind, (one, two), reason) for date, kind, one, two, reason in PLAN_ROW.findall(text))


def digest_plan(study_folder: Path) -> tuple[str, str]:
    """SHA-256 of the files that are the plan, as they stand."""
    one, two = (_digest(study_folder / name) for name in PLANNED)
    return one, two


def _check_plan(study_folder: Path) -> CheckRow:
    rows = read_plan(study_folder)
    if not rows:
        return CheckRow("plan", None, "no plan was frozen")
    if rows[-1].digests != digest_plan(study_folder):
        return _row("plan", False, "changed after {date}, and no reason is given", date=rows[-1].date)
    deviations = [row for row in rows if row.kind == "deviation"]
    if not deviations:
        return _row("plan", True, "as it was frozen on {date}", date=rows[0].date)
    told = "; ".join(f"{row.date}: {row.reason}" for row in deviations)
    return _row("plan", None, "frozen on {date}; deviations: {deviations}", date=rows[0].date, deviations=told)


def _check_verified(folder: Path) -> CheckRow:
    record = read_verification(folder)
    if record is None:
        return CheckRow("verified", None, "no verification of exactly these numbers is there", False)
    numbers: Mapping[str, int] = record["numbers"]
    values = {"date": record["date"], "good": f"{numbers['reproduced']:,}", "all": f"{sum(numbers.values()):,}"}
    return CheckRow("verified", bool(record["complete"]), VERIFIED, False, values)


def read_verification(folder: Path) -> dict[str, Any] | None:
    """The record of a verification against exactly the results and tables of a folder; None when there is none."""
    path = folder / RECORD
    if not path.is_file() or not (folder / "results.json").is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record if record.get("reference_sha256") == digest_run(folder) else None


def describe_verification(record: Mapping[str, Any]) -> str:
    """``verified on ... N of N``."""
    numbers: Mapping[str, int] = record["numbers"]
    return VERIFIED.format(date=record["date"], good=f"{numbers['reproduced']:,}", all=f"{sum(numbers.values()):,}")


def list_deviations(study_folder: Path) -> Iterator[str]:
    """Deviations from the plan, each with date and reason."""
    yield from (f"{row.date}: {row.reason}" for row in read_plan(study_folder) if row.kind == "deviation")
