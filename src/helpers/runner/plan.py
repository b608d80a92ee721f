"""What a run consists of: the tasks, their inputs, and why each would run."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.runner.locks import installed_versions
from helpers.runner.modules import Package
from helpers.runner.parameters import RUNNER_NAMES, assign_parameters
from helpers.runner.record import REPORT, Job, explain_task, read_entry, take_digests
from helpers.runner.sources import Source, find_upstream, read_sources
from helpers.study.needs import NEEDS_FILE, keep_notebooks
from helpers.study.study import Study, load_study

RUNNER_MODULE = "helpers.runner.execution"
REPORT_MODULES = ("helpers.report.report", "helpers.results.consistency")
DOCUMENTS = {".md"}
"""Endings of study files that only people read; the report alone depends on them."""


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    Attributes
    ----------
    root
        The project's root.
    study
        What notebooks are given as their study: a name in ``data``, or a path.
    study_folder
        The study's folder.
    folder
        The run folder.
    preset
        Parameter -> value of the chosen preset.
    settings
        Parameter -> text, from ``--set``.
    only
        Restrict the run to this notebook and what it reads; None for everything and the report.
    workers
        How many notebooks may run at the same time.
    scheduler
        Address of a Dask scheduler, or None for this machine.
    timeout
        Seconds that one cell may take.
    check
        Called when something has to run, before it does: the study's own checks, which raise a StudyError.
    expect
        Called when something has to run, before its check, with the parameters of each task: lines that say how long it
        is likely to take.
    tell
        Called with each line that a person may want to read while the run is at work.
    headline
        Key of the result that the study is about, and what it is in words.
    notebooks
        Another folder of notebooks than the project's own; a person has said that they trust it.
    declared
        The study, where it has been read already.
    """

    root: Path
    study: str
    study_folder: Path
    folder: Path
    preset: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    only: str | None = None
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    scheduler: str | None = None
    timeout: int = 3600
    check: Callable[[], object] | None = None
    expect: Callable[[Mapping[str, Mapping[str, Any]]], list[str]] | None = None
    tell: Callable[[str], object] = field(default=lambda _: None)
    headline: tuple[str, str] = ("", "")
    notebooks: Path | None = None
    declared: Study | None = None

    @property
    def notebook_folder(self) -> Path:
        """Where the notebooks lie that are run."""
        return self.root / "notebooks" if self.notebooks is None else self.notebooks


def plan(request: Request) -> list[Job]:
    """The tasks of a run in order, the report last (left out when the run is restricted to one notebook).

    Raises
    ------
    StudyError
        A notebook that breaks a rule (see :mod:`helpers.runner.sources`), a parameter that does not exist or is of the
        wrong type, or ``only`` naming no notebook.
    """
    package = Package(request.root / "src" / "helpers")
    study_files = _study_files(request)
    digests = _take_digests(request, package, study_files)
    every = read_sources(request.notebook_folder)
    sources = _keep_sources(every, request)
    upstream = find_upstream(sources)
    declared = {source.name: source.parameters for source in sources}
    values = assign_parameters(declared, _preset_of(every, sources, request), request.settings)
    template = Job("", request.root, request.folder, request.study, run=uuid.uuid4().hex, timeout=request.timeout)
    template = replace(template, packages=installed_versions(request.root))
    jobs = [
        replace(
            template,
            name=source.name,
            values=values[source.name],
            upstream=upstream[source.name],
            reads=source.reads,
            files=_choose(digests, _notebook_files(request, source, package, study_files)),
            cells=source.cells,
            imports=package.find_own_modules(source.modules),
        )
        for source in sources
    ]
    if request.only is not None:
        return _restrict(jobs, request.only)
    names = tuple(job.name for job in jobs)
    report = replace(template, name=REPORT, upstream=names)
    return [*jobs, replace(report, files=_choose(digests, _report_files(request, package, study_files)))]


def _take_digests(request: Request, package: Package, study_files: list[Path]) -> dict[Path, tuple[str, str]]:
    """Label and digest of every file that a task may depend on, taken before any of them is read."""
    notebooks = request.notebook_folder.glob("[0-9]*.py")
    files = [*package.files.values(), *notebooks, *study_files, request.root / "requirements.lock"]
    return dict(zip(files, take_digests(files, request.root).items(), strict=True))


def _choose(digests: Mapping[Path, tuple[str, str]], paths: list[Path]) -> dict[str, str]:
    return dict(digests[path] for path in paths)


def _keep_sources(every: list[Source], request: Request) -> list[Source]:
    """The notebooks that the study can run."""
    folder = request.notebook_folder
    if not (folder / NEEDS_FILE).is_file():
        return every
    return keep_notebooks(every, request.declared or load_study(request.study_folder), folder)


def _preset_of(every: list[Source], kept: list[Source], request: Request) -> dict[str, Any]:
    """The preset without the parameters that only notebooks declare which the study cannot run."""
    all_names, names = ({name for source in part for name in source.parameters} for part in (every, kept))
    return {name: value for name, value in request.preset.items() if name in names or name not in all_names}


def _notebook_files(request: Request, source: Source, package: Package, study_files: list[Path]) -> list[Path]:
    missing = set(RUNNER_NAMES) - source.parameters.keys()
    if missing:
        names = " and ".join(sorted(missing))
        raise StudyError(
            f"notebooks/{source.name}.py", f"does not declare {names}", 'write `out: str = ""` and the like'
        )
    study = [path for path in study_files if path.suffix not in DOCUMENTS]
    modules = package.find_modules([*source.modules, RUNNER_MODULE])
    return [request.notebook_folder / f"{source.name}.py", *study, *modules, request.root / "requirements.lock"]


def _report_files(request: Request, package: Package, study_files: list[Path]) -> list[Path]:
    return [*study_files, *package.find_modules(REPORT_MODULES), request.root / "requirements.lock"]


def _study_files(request: Request) -> list[Path]:
    files = [path for path in request.study_folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if not any(part.startswith(".") for part in path.parts[-2:]))


def _restrict(jobs: list[Job], only: str) -> list[Job]:
    names = [job.name for job in jobs]
    number = only.zfill(2)
    wanted = [job for job in jobs if only == job.name or number == job.name.partition("_")[0]]
    if not wanted:
        raise StudyError(f"--only {only}", "there is no such notebook", f"name one of: {', '.join(names)}")
    keep = {wanted[0].name, *wanted[0].upstream}
    return [job for job in jobs if job.name in keep]


def explain(jobs: list[Job]) -> dict[str, list[str]]:
    """Task -> why it would run; an empty list for one that is up to date.

    A task that only would run if an earlier one came to other results says so.
    """
    reasons: dict[str, list[str]] = {}
    read = cache(lambda task: read_entry(jobs[0].folder, task))
    for job in jobs:
        found = explain_task(job, read)
        again = [name for name in job.upstream if reasons.get(name)]
        if not found and again:
            found = [f"only if {' or '.join(again)}, run again, gives other results"]
        reasons[job.name] = found
    return reasons
