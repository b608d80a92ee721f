"""The kernels that this process has started, and the process from which they are forked."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.runner.kernels.environment import kernel_environment
from helpers.runner.kernels.forks import ForkServer, can_fork

_kernels: set[int] = set()
SERVERS: list[ForkServer] = []
"""The process from which kernels are forked; none on a system that does not fork safely, and on a cluster's worker."""
_stopping = threading.Event()


def stop_kernels() -> None:
    """Kill every kernel of this process, and let no other start."""
    _stopping.set()
    for process in list(_kernels):
        kill(process)


def was_stopped() -> bool:
    """Whether :func:`stop_kernels` was called."""
    return _stopping.is_set()


def note_kernel(process: int) -> None:
    """A kernel has started; where all were told to stop, it ends at once."""
    _kernels.add(process)
    if _stopping.is_set():
        kill(process)


def forget_kernel(process: int) -> None:
    """A kernel has ended."""
    _kernels.discard(process)


def allow_kernels() -> None:
    """Undo :func:`stop_kernels` for a new run."""
    _stopping.clear()


def kill(process: int) -> None:
    """Kill a kernel with its group, which it leads as soon as it has come so far."""
    for send in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            send(process, signal.SIGKILL)


@contextmanager
def forked_kernels(root: Path, modules: Sequence[str], log: Path) -> Iterator[None]:
    """Let kernels be forks of one process that has their modules imported, where the system allows it."""
    if not can_fork():
        yield
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    server = ForkServer(root, kernel_environment(), modules, log)
    SERVERS.append(server)
    try:
        yield
    finally:
        SERVERS.remove(server)
        server.close()
