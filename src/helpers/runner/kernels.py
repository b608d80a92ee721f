"""Kernels of this very environment, and the papermill engine that drives them with our own record of cells."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

ENGINE = __name__
INJECTED = "injected-parameters"
STARTS = 3
THREADS = ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "NUMBA", "BLIS")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in THREADS} | {"VECLIB_MAXIMUM_THREADS": "1"}

_kernels: set[int] = set()
_stopping = threading.Event()

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False  # what goes wrong is said once, by NotebookError


class CellRecord(Protocol):
    """Told which cell begins and which returned."""

    def begin(self, cell: Any) -> None:
        """A code cell begins."""

    def end(self) -> None:
        """It returned."""


def stop_kernels() -> None:
    """Kill every kernel of this process, and let no other start."""
    _stopping.set()
    for process in list(_kernels):
        _kill(process)


def was_stopped() -> bool:
    """Whether :func:`stop_kernels` was called."""
    return _stopping.is_set()


def allow_kernels() -> None:
    """Undo :func:`stop_kernels` for a new run."""
    _stopping.clear()


def _kill(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)  # a kernel leads a group of its own, with whatever it has started


@cache
def register_engine() -> None:
    """Teach papermill the engine of this module: own record of cells, kernel of this environment, no saving between."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    class Client(PapermillNotebookClient):
        record: CellRecord
        gate: Callable[[], None]
        process: int = 0

        async def async_start_new_kernel(self, **options: Any) -> None:
            await super().async_start_new_kernel(**options)
            self.process = getattr(self.km.provisioner, "pid", None) or 0
            _kernels.add(self.process)
            if _stopping.is_set():
                _kill(self.process)

        start_new_kernel = _blocking(async_start_new_kernel)

        async def async_start_new_kernel_client(self) -> Any:
            for _ in range(STARTS - 1):
                try:
                    return await super().async_start_new_kernel_client()
                except RuntimeError:  # died before it answered: now and then two kernels draw the same port
                    if _stopping.is_set():
                        raise
                    _kernels.discard(self.process)
                    self.km = self.create_kernel_manager()
                    await self.async_start_new_kernel(**self.options)
            return await super().async_start_new_kernel_client()

        start_new_kernel_client = _blocking(async_start_new_kernel_client)

        def create_kernel_manager(self) -> AsyncKernelManager:
            # No kernel directory is searched, so that a kernel registered in the home cannot take the place of ours.
            specs = KernelSpecManager(kernel_dirs=[], log=_log)
            self.km = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs, log=_log)
            return self.km

        def papermill_execute_cells(self) -> None:
            self.gate()
            for index, cell in enumerate(self.nb.cells):
                if cell.cell_type == "code":
                    if INJECTED in cell.metadata.get("tags", ()):
                        cell["id"] = INJECTED
                    self.record.begin(cell)
                    self.kc.session.metadata = {"cellId": cell["id"]}
                    self.execute_cell(cell, index)
                    self.record.end()

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,
            kernel_name: str,
            *,
            root: Path,
            staging: Path,
            record: CellRecord,
            cell_timeout: int,
            imports: tuple[str, ...],
            gate: Callable[[], None],
            **_: Any,
        ) -> None:
            with (staging / "kernel.log").open("wb") as log:
                client = Client(nb_man, kernel_name=kernel_name, timeout=cell_timeout, startup_timeout=120, log=_log)
                client.record, client.gate = record, gate
                client.extra_arguments = _startup(imports)
                client.shutdown_kernel = "immediate"
                client.options = {"cwd": str(root), "env": kernel_environment(), "stdout": log, "stderr": log}
                try:
                    client.execute(**client.options)
                finally:
                    _close_loop()
                    _kernels.discard(client.process)

    papermill_engines.register(ENGINE, Engine)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)


def _close_loop() -> None:
    """Close this thread's event loop, which nbclient opened and leaves open."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()


def _startup(imports: tuple[str, ...]) -> list[str]:
    """Arguments by which a kernel imports modules while it starts, and leaves no name behind."""
    lines = [
        f"import {', '.join(imports)}",
        *(f"del {name}" for name in sorted({name.split(".")[0] for name in imports})),
    ]
    return [f"--IPKernelApp.exec_lines={lines}"] if imports else []


def _blocking(method: Callable[..., Any]) -> Any:
    from nbclient.util import run_sync

    return run_sync(method)


def kernel_environment() -> dict[str, str]:
    """The kernel's environment: this process's, one thread for linear algebra, text order that does not vary."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    return environment
