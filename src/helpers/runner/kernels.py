"""Kernels of this very environment, and the papermill engine that drives them with our own record of cells."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any, Protocol, cast

from helpers.runner.forks import ForkServer, can_fork, uninterrupted

ENGINE = __name__
INJECTED = "injected-parameters"
STARTS = 3
STEP = 0.005
"""Seconds between two looks whether a kernel has ended."""
THREADS = ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "NUMBA", "BLIS")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in THREADS} | {"VECLIB_MAXIMUM_THREADS": "1"}
UNNEEDED = "rfc3987_syntax"
"""Tells jsonschema, where it is there, whether a text is an IRI: no notebook asks, and importing it takes a second."""

_kernels: set[int] = set()
_servers: list[ForkServer] = []
"""The process from which kernels are forked; none on a system that does not fork safely, and on a cluster's worker."""
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
    """Kill a kernel with its group, which it leads as soon as it has come so far."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


@contextmanager
def forked_kernels(root: Path, modules: Sequence[str], log: Path) -> Iterator[None]:
    """Let kernels be forks of one process that has their modules imported, where the system allows it."""
    if not can_fork():
        yield
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    server = ForkServer(root, kernel_environment(), modules, log)
    _servers.append(server)
    try:
        yield
    finally:
        _servers.remove(server)
        server.close()


@contextmanager
def _left_out(name: str) -> Iterator[None]:
    """Let whoever would import a module if it is there do without it."""
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = cast(Any, None)
    try:
        yield
    finally:
        if absent:
            del sys.modules[name]


@cache
def register_engine() -> None:
    """Teach papermill the engine of this module: own record of cells, kernel of this environment, no saving between."""
    with _left_out(UNNEEDED):
        import nbformat  # noqa: F401

    from jupyter_client.asynchronous import AsyncKernelClient
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning import LocalProvisioner
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines
    from traitlets import Type

    class Provisioner(LocalProvisioner):
        imports: tuple[str, ...] = ()

        async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
            for server in _servers:
                with suppress(OSError):  # then it starts as any other process
                    arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
                    forked = server.fork(arguments, self.imports, options["stdout"].name)
                    self.process, self.pid, self.pgid = cast(Any, forked), forked.pid, forked.pid
                    return self.connection_info
            with uninterrupted():
                return await super().launch_kernel(cmd, **options)

        async def wait(self) -> Any:
            while self.process is not None and self.process.poll() is None:
                await asyncio.sleep(STEP)  # jupyter_client looks every tenth of a second
            return await super().wait()

    class Talker(AsyncKernelClient):
        async def wait_for_ready(self, timeout: float | None = None) -> None:
            """Ready is a kernel that has answered and is idle; jupyter_client waits for a fifth of a second more."""
            end = time.monotonic() + (timeout or 120)
            while True:
                asked = self.kernel_info()
                with suppress(Empty):
                    reply = await self.get_shell_msg(timeout=1)
                    while not _is_idle(await self.get_iopub_msg(timeout=10 * STEP), asked):
                        pass
                    self._handle_kernel_info_reply(reply)
                    return
                if not await self.is_alive() or time.monotonic() > end:
                    raise RuntimeError("it did not answer")

    class Manager(AsyncKernelManager):
        imports: tuple[str, ...] = ()
        client_factory = Type(klass=Talker)

        async def _async_pre_start_kernel(self, **options: Any) -> Any:
            if self.provisioner is None:
                self.provisioner = Provisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
                self.provisioner.imports = self.imports
            return await super()._async_pre_start_kernel(**options)

    class Client(PapermillNotebookClient):
        record: CellRecord
        gate: Callable[[], None]
        imports: tuple[str, ...]
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
            self.km = Manager(kernel_name="python3", kernel_spec_manager=specs, log=_log)
            self.km.imports = self.imports
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
                client.record, client.gate, client.imports = record, gate, imports
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


def _is_idle(message: dict[str, Any], asked: str) -> bool:
    """Whether a message says that a kernel has done what it was asked."""
    about, state = message["parent_header"].get("msg_id"), message["content"].get("execution_state")
    return bool(about == asked and state == "idle")


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


OWN = {
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "agg",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a second thread would make forks unsafe
}
ALIKE = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
"""The instructions that every processor with AVX2 has, so that all of them round alike; names of OpenBLAS and numpy."""


@cache
def alike() -> dict[str, str]:
    """What makes linear algebra round alike on all processors with AVX2; nothing on others, which round as they do.

    What a person has set goes before it.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(ALIKE) if " avx2 " in flags.replace("\n", " ") and " fma " in flags.replace("\n", " ") else {}


def kernel_environment() -> dict[str, str]:
    """The kernel's environment: this process's, one thread for linear algebra, nothing that varies between machines."""
    environment = {**alike(), **os.environ, **ONE_THREAD, **OWN}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    return environment
