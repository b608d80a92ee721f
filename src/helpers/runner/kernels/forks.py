"""One process that has the stack imported, and kernels as forks of it: a notebook starts in a tenth of a second.

Run as a script (it imports nothing of the project, so that it also serves a project whose helpers are others), it reads
requests from its standard input, one JSON object a line, and answers each with the id of a new kernel. Between requests
it imports what later kernels will need. It holds one thread only, without which a fork would not be safe. A kernel
leads a process group of its own and dies with this process; this process ends, with all kernels, when its input does or
the process that started it has died, whatever it is importing then.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

DEATH_SIGNAL = 1
"""Linux's PR_SET_PDEATHSIG."""


def can_fork() -> bool:
    """Whether this system forks safely and tells when a process that is not a child has ended: Linux does."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and os.environ.get("STUDY_FORK") != "no"


class Forked:
    """A kernel that another process started, with the part of `subprocess.Popen` that jupyter_client asks for.

    Parameters
    ----------
    pid
        Its process id.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        try:
            self._watched = os.pidfd_open(pid)
        except ProcessLookupError:
            self._watched, self.returncode = -1, -signal.SIGKILL

    def poll(self) -> int | None:
        """None while it runs; afterwards a number, which says nothing else."""
        if self.returncode is None and select.select([self._watched], [], [], 0)[0]:
            os.close(self._watched)
            self._watched, self.returncode = -1, -signal.SIGKILL
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        if self.poll() is None:
            select.select([self._watched], [], [])
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._watched, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def __del__(self) -> None:
        if self._watched >= 0:
            os.close(self._watched)


class ForkServer:
    """The process from which kernels are forked.

    Parameters
    ----------
    root
        The project's root, where kernels start.
    environment
        Of the kernels.
    modules
        What to import between requests, in order.
    log
        Where it writes what goes wrong.
    """

    def __init__(self, root: Path, environment: Mapping[str, str], modules: Sequence[str], log: Path) -> None:
        self._lock = threading.Lock()
        with log.open("wb") as file:
            self._process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - this very file
                [sys.executable, "-P", __file__, json.dumps(list(modules))],
                cwd=root,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        # Not on the command line, which is then the same in every run.
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{os.getpid()}\n")
            self._process.stdin.flush()

    def fork(self, arguments: Sequence[str], imports: Sequence[str], log: str) -> Forked:
        """A new kernel.

        Parameters
        ----------
        arguments
            Of ipykernel.
        imports
            Modules that it must have.
        log
            File that takes what it writes to the outputs of the process.

        Raises
        ------
        OSError
            The server is gone, or has come to more threads than one.
        """
        request = json.dumps({"arguments": list(arguments), "imports": list(imports), "log": log})
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        if not answer.isdigit():
            raise OSError(f"no kernel was forked: {answer or 'the server is gone'}")
        return Forked(int(answer))

    def close(self) -> None:
        """End it, and every kernel that is left."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # it is importing something long; its kernels die with it
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def serve(modules: list[str], requests: IO[bytes], answers: IO[str]) -> None:
    """Answer requests until there are no more; then end every kernel."""
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # a kernel looks whether its parent is still there
    _import(["ipykernel.kernelapp"])
    waiting = [name for name in modules if name.isascii()]
    kernels: list[Forked] = []
    try:
        while True:
            if not select.select([requests], [], [], 0 if waiting else None)[0]:
                _import([waiting.pop(0)])
                continue
            line = requests.readline()
            if not line:
                return
            request = json.loads(line)
            _import(request["imports"])
            print(_fork(request, kernels), file=answers, flush=True)
    finally:
        for kernel in kernels:
            if kernel.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(kernel.pid, signal.SIGKILL)


def _import(modules: Sequence[str]) -> None:
    """Import what can be imported; what cannot is told by the notebook that needs it."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _fork(request: dict[str, Any], kernels: list[Forked]) -> int | str:
    """The id of a new kernel, or why there is none."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    kernels[:] = [kernel for kernel in kernels if kernel.poll() is None]
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        return f"{threads} threads"
    gc.freeze()
    parent = os.getpid()
    with uninterrupted():
        pid = os.fork()
        if not pid:
            _become_kernel(request, parent)
    kernels.append(Forked(pid))
    return pid


def _become_kernel(request: dict[str, Any], parent: int) -> None:
    """Be a kernel until it ends; never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with(parent, signal.SIGKILL)
        nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(request["log"], os.O_WRONLY | os.O_APPEND)
        for place, file in enumerate((nothing, log, log)):
            os.dup2(file, place)
        from ipykernel.kernelapp import IPKernelApp

        sys.argv = ["ipykernel_launcher", *request["arguments"]]
        IPKernelApp.launch_instance(argv=request["arguments"])
    finally:
        os._exit(0)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let no SIGINT reach what this thread starts meanwhile: a run ends its kernels by killing them.

    Between the last statement of a cell and its answer, ipykernel takes an interrupt and never answers; the notebook
    would wait for it until the cell's time is over.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with(parent: int, number: int) -> None:
    """Be sent a signal when the parent dies; end at once if it has died already."""
    ctypes.CDLL(None).prctl(DEATH_SIGNAL, number)
    if os.getppid() != parent:
        os._exit(1)


def _leave(*_: object) -> None:
    """End the kernels first, which `serve` does on its way out."""
    raise SystemExit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    with os.fdopen(os.dup(1), "w") as answers, os.fdopen(os.dup(0), "rb", buffering=0) as requests:
        os.dup2(2, 1)  # what an import prints goes to the log
        os.set_blocking(requests.fileno(), True)
        die_with(int(requests.readline() or 0), signal.SIGTERM)
        serve(json.loads(sys.argv[1]), requests, answers)
    os._exit(0)  # nothing is left to do, and to take all modules apart again takes a while
