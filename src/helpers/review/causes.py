"""Why two runs differ: the smallest chain of notebooks run again with one thing swapped at a time.

What may differ is code, data, study file, parameters, lock and machine. The first three and the parameters are swapped
in a copy of the first side, one at a time; the one after which the chain gives the other side's numbers is the cause.
The lock and the machine cannot be swapped on this machine: they are named where nothing else explains the difference.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.results.comparison import Judged, compare_runs
from helpers.results.numbers import Run
from helpers.results.results import Results

FACTORS = ("data", "study file", "code", "parameter", "lock", "machine")
STUDY_FILES = ("study.yml", "claims.yml")
HIDDEN = ("__pycache__", ".ipynb_checkpoints")
SHOWN = 5

Rerun = Callable[[Path, Sequence[str], str], Run | str]
"""Runs a project with options up to a notebook; gives what it left, or why it did not finish."""


@dataclass(frozen=True)
class Inputs:
    """What a side was made from.

    Attributes
    ----------
    tree
        Its project; None when only its numbers are at hand.
    options
        Options of ``study run``.
    files
        Path in the project -> SHA-256, of the files that a run depends on.
    installed
        Package or ``Python`` -> version, where its record says so.
    """

    tree: Path | None
    options: tuple[str, ...]
    files: Mapping[str, str]
    installed: Mapping[str, str]


@dataclass(frozen=True)
class Cause:
    """One thing that differs between two sides.

    Attributes
    ----------
    factor
        One of `FACTORS`.
    detail
        Which files, parameters or versions.
    moved
        Share of the numbers that differ which take the other side's value when it alone is swapped; None when it was
        not swapped.
    why_not
        Why it was not swapped, or why the swapped chain did not finish.
    """

    factor: str
    detail: str
    moved: float | None = None
    why_not: str = ""

    @property
    def reason(self) -> str:
        """What swapping it alone did, or why it was not swapped."""
        told = self.why_not
        if self.moved is not None:
            told = f"swapped alone, it moves {self.moved:.0%} of the numbers that differ to the other side"
        return told

    def __str__(self) -> str:
        return f"{self.factor}: {self.detail}{f' ({self.reason})' if self.reason else ''}"


def read_tree(root: Path, study: str) -> dict[str, str]:
    """Path -> SHA-256 of everything that a run of a study depends on."""
    parts = [root / "src", root / "notebooks", root / "data" / study, root / "requirements.lock"]
    files = [path for part in parts for path in ([part] if part.is_file() else sorted(part.rglob("*")))]
    kept = [path for path in files if path.is_file() and not set(HIDDEN) & set(path.parts) and path.suffix != ".md"]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def find_factor(path: str) -> str:
    """Which factor a file belongs to."""
    if path.startswith("data/"):
        return "study file" if path.rpartition("/")[2] in STUDY_FILES else "data"
    return "lock" if path == "requirements.lock" else "code"


def list_candidates(first: Inputs, second: Inputs) -> dict[str, list[str]]:
    """Factor -> what differs in it, of those in which the sides differ."""
    found: dict[str, list[str]] = {}
    for path in sorted(first.files.keys() | second.files.keys()):
        if first.files.get(path) != second.files.get(path) and not path.endswith((".ipynb", "manifest.json")):
            found.setdefault(find_factor(path), []).append(path)
    if first.options != second.options:
        told = [" ".join(side.options) or "the defaults" for side in (first, second)]
        found["parameter"] = [f"{told[0]} against {told[1]}"]
    for name in sorted(first.installed.keys() & second.installed.keys()):
        if first.installed[name] != second.installed[name]:
            factor = "machine" if name == "Python" else "lock"
            found.setdefault(factor, []).append(f"{name} {first.installed[name]} against {second.installed[name]}")
    return found


def find_causes(
    first: Inputs, second: Inputs, runs: tuple[Run, Run], notebook: str, work: Path, rerun: Rerun
) -> tuple[Cause, ...]:
    """Causes of a difference, the most telling first.

    Parameters
    ----------
    first, second
        What the sides were made from.
    runs
        What they left.
    notebook
        The first one with a number that differs: the chain up to it is the smallest that shows the difference.
    work
        An empty folder for copies.
    rerun
        Runs a chain.
    """
    candidates = list_candidates(first, second)
    causes = []
    for factor, parts in candidates.items():
        detail = ", ".join(parts[:SHOWN]) + (f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else "")
        if factor in ("lock", "machine"):
            causes.append(Cause(factor, detail, None, "not swapped: that needs another environment"))
        elif first.tree is None or (second.tree is None and factor != "parameter"):
            causes.append(Cause(factor, detail, None, "not swapped: its files are not at hand"))
        else:
            tree = swap(first.tree, second.tree, factor, parts, work / factor.replace(" ", "_"))
            left = rerun(tree, second.options if factor == "parameter" else first.options, notebook)
            causes.append(_judge_swap(factor, detail, runs, notebook, left))
    if not any(cause.moved for cause in causes) and "machine" not in candidates:
        causes.append(_run_again(first, runs, notebook, rerun, bool(candidates)))
    return tuple(sorted(causes, key=_rank))


def _judge_swap(factor: str, detail: str, runs: tuple[Run, Run], notebook: str, left: Run | str) -> Cause:
    if isinstance(left, str):
        return Cause(factor, detail, None, left)
    return Cause(factor, detail, share_moved(runs, left, notebook))


def _rank(cause: Cause) -> tuple[float, int]:
    """What moves numbers first, then what could not be swapped, the machine, and what was swapped and moved nothing."""
    left = 0.5 if cause.why_not.startswith("not") else 0.25 if cause.factor == "machine" else 0.0
    weight = 1 + cause.moved if cause.moved else left
    return -weight, FACTORS.index(cause.factor)


def _run_again(first: Inputs, runs: tuple[Run, Run], notebook: str, rerun: Rerun, other: bool) -> Cause:
    """The machine, or chance: the first side, run again, tells whether this machine gives the other numbers."""
    detail = "nothing else explains it" if other else "code, data, study file, parameters and lock are the same"
    if first.tree is None:
        return Cause("machine", detail, None, "not run again: its files are not at hand")
    left = rerun(first.tree, first.options, notebook)
    if isinstance(left, str):
        return Cause("machine", detail, None, f"not run again to its end: {left}")
    share = share_moved(runs, left, notebook)
    return Cause("machine", f"{detail}; run again here, the first side gives the other numbers for {share:.0%}", share)


def first_notebook(differing: Iterable[Judged]) -> str:
    """The first notebook with a number that differs; empty when none says where it was made."""
    named = [item.number.notebook or (item.new.notebook if item.new else None) for item in differing]
    return min((name for name in named if name), default="")


def share_moved(runs: tuple[Run, Run], left: Run, notebook: str) -> float:
    """Share of the differing numbers of a notebook (of all, when none is named) that a run gives as the second side."""
    first, second, now = (_restrict(run, left, notebook) for run in (*runs, left))
    before, after = (len(compare_runs(run, second).left) for run in (first, now))
    return max(0.0, 1 - after / before) if before else 0.0


def _restrict(run: Run, left: Run, notebook: str) -> Run:
    """The results of one notebook, and the tables that it writes by a run that says so."""
    if not notebook:
        return run
    results = Results(study=run.results.study)
    for result in run.results.values():
        if result.notebook == notebook:
            results.add(result)
    own = {name for name, table in left.tables.items() if table.notebook == notebook}
    return Run(results, {name: table for name, table in run.tables.items() if name in own})


def swap(first: Path, second: Path | None, factor: str, parts: Sequence[str], target: Path) -> Path:
    """A copy of the first side's project in which the files of one factor are the second side's."""
    from helpers.review.scratch import copy_project

    copy_project(first, target)
    if factor == "parameter" or second is None:
        return target
    extra = [str(Path(part).with_suffix(".ipynb")) for part in parts if part.startswith("notebooks/")]
    extra += [f"{part.rpartition('/raw/')[0]}/manifest.json" for part in parts if "/raw/" in part]
    extra += [f"{part.rpartition('/')[0]}/manifest.json" for part in parts if factor == "data" and "/raw/" not in part]
    for part in dict.fromkeys([*parts, *extra]):
        source, place = second / part, target / part
        place.unlink(missing_ok=True)
        if source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
    return target
