"""A study from notebooks to report.

One task per notebook and one for the report, in the order of what they read, as many side by side as there are workers.
Whether a task has to run is judged inside the task, right before it, by :mod:`helpers.runner.record`: only then is it
known whether an earlier notebook, run again, came to the same bytes.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, cast

from helpers.errors import StudyError
from helpers.files import sweep
from helpers.runner.ahead import Queue, Work
from helpers.runner.execution import execute, prepare_staging
from helpers.runner.kernels.processes import forked_kernels, stop_kernels
from helpers.runner.modules import Package
from helpers.runner.parameters import read_parameters
from helpers.runner.plan import Request, explain, plan
from helpers.runner.record import (
    CHANGED,
    REPORT,
    UNREADABLE,
    Entry,
    Job,
    check_unedited,
    collect_inputs,
    digest_file,
    explain_task,
    publish,
    read_entry,
    record_failure,
    sweep_removed,
    upstream_files,
    write_entry,
)
from helpers.runner.workspace import check_own, check_writable, disk_errors, interruptible, mark_own, only_run

PATIENCE = 10
"""Seconds that a Dask scheduler has to answer."""


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
    word = check_own(request.folder, request.root, request.study_folder)
    with disk_errors(request.folder), only_run(request.folder):
        check_writable(request.folder)
        sweep(request.folder)
        reasons = explain(jobs)
        if not any(reasons.values()):
            return Outcome({}, tuple(job.name for job in jobs), ())
        _tell_damage(reasons, request)
        _tell_cost([job for job in jobs if reasons[job.name]], request)
        try:
            with interruptible(), _forked(jobs, reasons, request), _started_ahead(jobs, reasons, request) as start:
                if request.check is not None:
                    _check(request.check)
                start()
                mark_own(request.folder, word)
                if request.only is None:
                    sweep_removed(request.folder, [job.name for job in jobs])
                errors = _build(jobs, request)
        finally:
            shutil.rmtree(request.folder / "run" / "staging", ignore_errors=True)
    entries = {job.name: read_entry(request.folder, job.name) for job in jobs}
    ran = {name: entry for name, entry in entries.items() if entry.run == jobs[0].run}
    failed = bool(errors)
    quiet = tuple(name for name in entries if name not in ran) if not failed else ()
    return Outcome(ran, quiet, errors)


def _check(check: Callable[[], object]) -> None:
    """Check the study while kernels start and the first notebooks run aside; nothing is put in place before."""
    try:
        check()
    except BaseException:
        stop_kernels()
        raise


def run_job(job: Job) -> None:
    """Do one task, if it has to be done: this is what a worker runs.

    Raises
    ------
    NotebookError
        When the notebook does not finish; noted in the record.
    StudyError
        When the disk is full or closed, or the report cannot be written.
    InconsistentError
        When numbers of the run contradict each other (see :mod:`helpers.results.consistency`).
    """
    with disk_errors(job.folder):
        if not explain_task(job):
            if job.run in _queues:
                _queues[job.run].drop(job.name)
            return
        check_unedited(job)
        inputs = collect_inputs(job)
        started = time.monotonic()
        try:
            if job.name == REPORT:
                _write_report(job, inputs, started)
            else:
                publish(job, inputs, *_do_notebook(job))
        except Exception as error:
            record_failure(job, str(error))
            raise


_queues: dict[str, Queue] = {}
"""Run -> notebooks whose kernels start ahead of their turn; none on another machine."""


def _forked(
    jobs: list[Job], reasons: Mapping[str, list[str]], request: Request
) -> contextlib.AbstractContextManager[None]:
    """Let kernels be forks of one process, which imports what the coming notebooks name, unless others run them."""
    if request.scheduler is not None:
        return contextlib.nullcontext()
    own = dict.fromkeys(name for job in jobs if reasons[job.name] for name in job.imports)
    foreign = Package(request.root / "src" / "helpers").find_foreign_imports(own)
    return forked_kernels(request.root, [*own, *foreign], request.folder / "run" / "staging" / "kernels.log")


@contextlib.contextmanager
def _started_ahead(jobs: list[Job], reasons: Mapping[str, list[str]], request: Request) -> Iterator[Callable[[], None]]:
    """Let kernels start before their notebooks' turn, as many as there are workers, unless there is but one.

    A notebook that has to run whatever becomes of the others starts at once, and does not even wait for its turn. The
    others start when they are told to: the process that they are forked from has imported more by then.
    """
    ahead = request.workers if request.workers > 1 and request.scheduler is None else 0
    coming = [job for job in jobs if reasons[job.name] and job.name != REPORT]
    settled = [job for job in coming if not any(reasons[name] for name in job.upstream)][:ahead]
    work: dict[str, Work] = {job.name: partial(_run_notebook, job, True) for job in settled}
    work |= {job.name: partial(_run_notebook, job, False) for job in coming if job not in settled}
    queue = Queue(work)
    _queues[jobs[0].run] = queue
    try:
        queue.start(len(settled))
        yield partial(queue.start, ahead)
    finally:
        del _queues[jobs[0].run]
        queue.close()


def _do_notebook(job: Job) -> tuple[int, float]:
    work = partial(_run_notebook, job, False)
    return _queues[job.run].finish(job.name, work) if job.run in _queues else work(lambda: None)


def _run_notebook(job: Job, settled: bool, gate: Callable[[], None]) -> tuple[int, float]:
    """Cells that finished, and the seconds that they took, once the gate has let them pass."""
    started = 0.0

    def begin() -> None:
        nonlocal started
        if not settled:
            gate()
        _show_upstream(job)
        started = time.monotonic()

    prepare_staging(job.staging)
    values = {"study": job.study, "run_folder": _near(job, "in"), "out": _near(job, "out"), **job.values}
    places = {"root": job.root, "staging": job.staging}
    done = execute(job.name, job.cells, values, **places, timeout=job.timeout, imports=job.imports, gate=begin)
    return done, time.monotonic() - started


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
    from helpers.results.consistency import keep_consistent
    from helpers.results.results import join_results
    from helpers.study.study import load_study

    check_unedited(job)
    results = join_results(job.folder, list(job.upstream))
    written = [keep_consistent(results, job.folder), results.write(job.folder / "results.json")]
    folder = Path(job.study) if "/" in job.study else job.root / "data" / job.study
    written.append(write_report(load_study(job.root / folder), job.folder, list(job.upstream)))
    products = {path.relative_to(job.folder).as_posix(): digest_file(path) for path in written}
    write_entry(job.folder, job.name, Entry(inputs, products, 0, time.monotonic() - started, job.run))


def _build(jobs: list[Job], request: Request) -> tuple[BaseException, ...]:
    """Do the tasks, those that are ready in their order; what depends on a failed one is left undone."""
    waiting = TopologicalSorter({job.name: job.upstream for job in jobs})
    waiting.prepare()
    ready: list[Job] = []
    running: dict[Future[None], Job] = {}
    errors: list[BaseException] = []
    with _executor(request) as (executor, workers), _chapters_ahead(jobs) as read_chapter:
        while waiting.is_active():
            now = set(waiting.get_ready())
            ready = [job for job in jobs if job.name in now or job in ready]
            while ready and len(running) < workers:
                job = ready.pop(0)
                running[executor.submit(run_job, job)] = job
            if not running:
                break  # all that is left waits for a failed one
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job, error = running.pop(future), future.exception()
                if error is None:
                    waiting.done(job.name)
                    _tell_end(job, request)
                    read_chapter(job)
                else:
                    errors.append(error)
    return tuple(errors)


@contextlib.contextmanager
def _chapters_ahead(jobs: list[Job]) -> Iterator[Callable[[Job], None]]:
    """Read the notebooks that are done for the report while others run; nothing where no report is to be written."""
    if jobs[-1].name != REPORT:
        yield lambda _: None
        return

    def read(job: Job) -> None:
        from helpers.report.report import read_ahead

        read_ahead(job.folder / "notebooks" / f"{job.name}.ipynb")

    def note(job: Job) -> None:
        if job.name != REPORT:
            reader.submit(read, job)

    reader = ThreadPoolExecutor(1)
    try:
        yield note
    finally:
        reader.shutdown(cancel_futures=True)


def _tell_end(job: Job, request: Request) -> None:
    entry = read_entry(job.folder, job.name)
    if entry.run == job.run:
        request.tell(f"{job.name}: ran for {entry.seconds:.1f} s")


def _tell_cost(jobs: list[Job], request: Request) -> None:
    """Say before anything starts how long the tasks are likely to take and what memory they are likely to need."""
    if request.expect is None:
        return
    declared = {job.name: read_parameters(job.cells, job.name) if job.name != REPORT else {} for job in jobs}
    defaults = {name: {item.name: item.default for item in found.values()} for name, found in declared.items()}
    for line in request.expect({job.name: {**defaults[job.name], **job.values} for job in jobs}):
        request.tell(line)


def _tell_damage(reasons: Mapping[str, list[str]], request: Request) -> None:
    """Say of what a run is about to replace that somebody has changed it, or that it cannot be read."""
    for name, found in reasons.items():
        for reason in found:
            if reason == UNREADABLE or reason.endswith(CHANGED):
                request.tell(f"{name}: {reason}; it is made anew")


@contextlib.contextmanager
def _executor(request: Request) -> Iterator[tuple[Executor, int]]:
    """Where tasks are done: threads of this process, or a Dask cluster; and how many at a time."""
    with contextlib.ExitStack() as stack:
        if request.scheduler is None:
            executor, workers = cast(Executor, ThreadPoolExecutor(request.workers)), request.workers
        else:
            client = stack.enter_context(_cluster(request.scheduler))
            executor = client.get_executor()
            workers = min(request.workers, max(1, len(client.scheduler_info(n_workers=-1)["workers"])))
        try:
            yield executor, workers
        finally:
            executor.shutdown(wait=request.scheduler is None)


def _cluster(address: str) -> Any:
    """A client of a Dask cluster; all of its workers must see the project's folder under the same path."""
    from distributed import Client

    try:
        return Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise StudyError(f"--scheduler {address}", f"no scheduler answers ({error})", "check the address") from None
