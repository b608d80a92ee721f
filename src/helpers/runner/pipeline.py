"""A study from notebooks to report.

pytask gives order, parallel work and what to do after a failure: one task per notebook and one for the report. Whether
a task has to run is judged inside the task, right before it, by :mod:`helpers.runner.record`: only then is it known
whether an earlier notebook, run again, came to the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import StudyError
from helpers.runner.ahead import Queue, Work
from helpers.runner.execution import NotebookError, execute, prepare_staging
from helpers.runner.plan import Request, explain, plan
from helpers.runner.record import (
    REPORT,
    Entry,
    Job,
    collect_inputs,
    digest_file,
    explain_task,
    publish,
    read_entry,
    record_failure,
    upstream_files,
    write_entry,
    write_text,
)
from helpers.runner.workspace import check_writable, disk_errors, interruptible, only_run

BEAT = 0.05
"""Seconds between two looks for finished tasks; pytask-parallel's own rise to one second, twice at every step."""

PATIENCE = 10
"""Seconds that a Dask scheduler has to answer."""

if TYPE_CHECKING:
    from pytask import Session


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    ran
        Tasks that ran to their end, with their records.
    up_to_date
        Tasks that had nothing to do.
    errors
        What stopped other tasks.
    """

    ran: dict[str, Entry]
    up_to_date: tuple[str, ...]
    errors: tuple[BaseException, ...]


def run(request: Request) -> Outcome:
    """Run what has to run.

    Raises
    ------
    StudyError
        Bad input, a run folder that cannot be written to, or one in which another run is at work.
    KeyboardInterrupt
        When the run was interrupted; its kernels are gone and what finished is kept.
    """
    jobs = plan(request)
    with disk_errors(request.folder), only_run(request.folder):
        check_writable(request.folder)
        if not any(explain_task(job) for job in jobs):
            return Outcome({}, tuple(job.name for job in jobs), ())
        try:
            with interruptible(), _started_ahead(jobs, request):
                if request.check is not None:
                    request.check()  # kernels start meanwhile; what they wait for comes only after it
                errors = _build(jobs, request)
        finally:
            shutil.rmtree(request.folder / "run" / "staging", ignore_errors=True)
    entries = {job.name: read_entry(request.folder, job.name) for job in jobs}
    ran = {name: entry for name, entry in entries.items() if entry.run == jobs[0].run}
    failed = bool(errors)
    quiet = tuple(name for name in entries if name not in ran) if not failed else ()
    return Outcome(ran, quiet, errors)


def run_job(job: Job) -> None:
    """Do one task, if it has to be done: this is what a worker runs.

    Raises
    ------
    NotebookError
        When the notebook does not finish; noted in the record.
    StudyError
        When the disk is full or closed, or the report cannot be written.
    """
    with disk_errors(job.folder):
        if not explain_task(job):
            if job.run in _queues:
                _queues[job.run].drop(job.name)
            return
        inputs = collect_inputs(job)
        started = time.monotonic()
        try:
            if job.name == REPORT:
                _write_report(job, inputs, started)
            else:
                publish(job, inputs, _do_notebook(job), time.monotonic() - started)
        except (NotebookError, StudyError) as error:
            record_failure(job, str(error))
            raise


_queues: dict[str, Queue] = {}
"""Run -> notebooks whose kernels start ahead of their turn; none on another machine."""


@contextlib.contextmanager
def _started_ahead(jobs: list[Job], request: Request) -> Iterator[None]:
    """Let kernels start before their notebooks' turn, as many as there are workers, unless there is but one."""
    coming = {name: reasons for name, reasons in explain(jobs).items() if reasons and name != REPORT}
    work: dict[str, Work] = {job.name: partial(_run_notebook, job) for job in jobs if job.name in coming}
    queue = Queue(work, request.workers if request.workers > 1 and request.scheduler is None else 0)
    _queues[jobs[0].run] = queue
    try:
        yield
    finally:
        del _queues[jobs[0].run]
        queue.close()


def _do_notebook(job: Job) -> int:
    _show_upstream(job)
    if job.run in _queues:
        return _queues[job.run].finish(job.name, partial(_run_notebook, job))
    return _run_notebook(job, lambda: None)


def _run_notebook(job: Job, gate: Callable[[], None]) -> int:
    prepare_staging(job.staging)
    values = {"study": job.study, "run_folder": _near(job, "in"), "out": _near(job, "out"), **job.values}
    places = {"root": job.root, "staging": job.staging}
    return execute(job.name, job.cells, values, **places, timeout=job.timeout, imports=job.imports, gate=gate)


def _near(job: Job, part: str) -> str:
    """A staging folder as the notebook gets it: relative to the project's root where it lies inside."""
    folder = job.staging / part
    return (folder.relative_to(job.root) if folder.is_relative_to(job.root) else folder).as_posix()


def _show_upstream(job: Job) -> None:
    """Lay out what the notebook may read: the tables that it names and the results of the notebooks behind them.

    A notebook that reads anything else does not find it, so that no dependency can go unseen.
    """
    shutil.rmtree(job.staging / "in", ignore_errors=True)
    (job.staging / "in").mkdir(parents=True)
    for path in upstream_files(job):
        target = job.staging / "in" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.folder / path, target)


def _write_report(job: Job, inputs: dict[str, str], started: float) -> None:
    from helpers.report.report import write_report
    from helpers.results.results import merge_results
    from helpers.study.study import load_study

    written = [merge_results(job.folder, list(job.upstream))]
    folder = Path(job.study) if "/" in job.study else job.root / "data" / job.study
    written.append(write_report(load_study(job.root / folder), job.folder, list(job.upstream)))
    products = {path.relative_to(job.folder).as_posix(): digest_file(path) for path in written}
    write_entry(job.folder, job.name, Entry(inputs, products, 0, time.monotonic() - started, job.run))


def _build(jobs: list[Job], request: Request) -> tuple[BaseException, ...]:
    """Hand the tasks to pytask."""
    import pytask
    from pytask_parallel import ParallelBackend

    config = request.folder / "run" / "pytask.toml"  # makes the run folder pytask's root, so that it writes only there
    write_text(config, "[tool.pytask.ini_options]\n")
    backend, workers = ParallelBackend.THREADS, request.workers
    with contextlib.ExitStack() as stack:
        if request.scheduler is not None:
            backend = ParallelBackend.DASK
            workers = min(workers, stack.enter_context(_cluster(request.scheduler)))
        stack.enter_context(_quiet(pytask.console))
        session = pytask.build(
            tasks=_tasks(jobs, workers),
            config=config,
            capture="no",
            force=True,  # run_job itself judges, by content, whether there is anything to do
            disable_warnings=True,
            n_workers=workers,
            parallel_backend=backend,
        )
    return _errors(session)


def _tasks(jobs: list[Job], workers: int) -> list[Any]:
    from pytask import NodeInfo, PathNode, PythonNode, TaskWithoutPath

    tasks = []
    for job in jobs:
        info = NodeInfo("job", (), None, job.name, job)
        earlier = {name: PathNode.from_path(replace(job, name=name).results) for name in job.upstream}
        tasks.append(
            TaskWithoutPath(
                name=job.name,
                function=_run_task,
                depends_on={"job": PythonNode(name=job.name, value=job, node_info=info), "earlier": earlier},
                produces={"results": PathNode.from_path(job.results)},
                markers=_turn(
                    [other.name for other in jobs if other.upstream == job.upstream].index(job.name), workers
                ),
            )
        )
    return tasks


def _turn(place: int, workers: int) -> list[Any]:
    """Marks that keep notebooks which wait for the same results in order; pytask would take them as they come."""
    from pytask import Mark

    first, last = place < workers, place >= 2 * workers
    return [Mark("try_first", (), {})] if first else [Mark("try_last", (), {})] if last else []


def _run_task(job: Job, **_: Any) -> None:
    """What pytask calls; the results of earlier tasks that it hands over only give the order."""
    run_job(job)


def _errors(session: Session) -> tuple[BaseException, ...]:
    import pytask

    collected = [item.exc_info for item in session.collection_reports if item.outcome == pytask.CollectionOutcome.FAIL]
    executed = [item.exc_info for item in session.execution_reports if item.outcome == pytask.TaskOutcome.FAIL]
    failed = [info[1] for info in (*collected, *executed) if info]
    if session.exit_code != pytask.ExitCode.OK and not failed:
        failed = [RuntimeError(f"pytask stopped: {session.exit_code.name}")]
    return tuple(error for error in failed if error is not None)


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[int]:
    """A client of a Dask cluster, with its number of workers; all must see the project's folder under the same path."""
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise StudyError(f"--scheduler {address}", f"no scheduler answers ({error})", "check the address") from None
    with client:
        yield max(1, len(client.scheduler_info(n_workers=-1)["workers"]))


@contextlib.contextmanager
def _quiet(console: Any) -> Iterator[None]:
    """Keep pytask's own tables off the terminal, and its loop from looking for finished tasks a second late."""
    from pytask_parallel import execute as engine

    path, sleeper = os.environ.get("PYTHONPATH"), engine._Sleeper
    engine._Sleeper = partial(sleeper, timings=[BEAT])  # type: ignore[misc, assignment]
    console.quiet = not os.environ.get("STUDY_DEBUG")
    try:
        yield
    finally:
        console.quiet = False
        engine._Sleeper = sleeper  # type: ignore[misc]
        if path is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = path
