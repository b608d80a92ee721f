"""The papermill engine: kernels of this very environment, our own record of cells, nothing saved between.

Importing it imports papermill and jupyter_client, so whoever runs no notebook leaves it alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any, Protocol, cast

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.utils import ensure_event_loop
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import Type

from helpers.runner.kernels.environment import kernel_environment
from helpers.runner.kernels.forks import uninterrupted
from helpers.runner.kernels.processes import SERVERS, forget_kernel, note_kernel, was_stopped
from helpers.runner.parameters import INJECTED

ENGINE = __name__
STARTS = 3
STEP = 0.005
"""Seconds between two looks whether a kernel has ended."""
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False  # what goes wrong is said once, by NotebookError


class CellRecord(Protocol):
    """Told which cell begins and which returned."""

    def begin(self, cell: Any) -> None:
        """A code cell begins."""

    def end(self) -> None:
        """It returned."""


@cache
def register_engine() -> None:
    """Teach papermill the engine of this module: own record of cells, kernel of this environment, no saving between."""
    papermill_engines.register(ENGINE, _Engine)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)


class ForkProvisioner(LocalProvisioner):
    """A kernel as a fork of the server, where there is one."""

    imports: tuple[str, ...] = ()

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Fork it, with the modules of ``imports``."""
        for server in SERVERS:
            with suppress(OSError):  # then it starts as any other process
                arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
                forked = server.fork(arguments, self.imports, options["stdout"].name)
                self.process, self.pid, self.pgid = cast(Any, forked), forked.pid, forked.pid
                return self.connection_info
        with uninterrupted():
            return await super().launch_kernel(cmd, **options)

    async def wait(self) -> Any:
        """Wait for its end."""
        while self.process is not None and self.process.poll() is None:
            await asyncio.sleep(STEP)  # jupyter_client looks every tenth of a second
        return await super().wait()


class _Talker(AsyncKernelClient):
    """Who asks a kernel whether it is ready."""

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


class _Manager(AsyncKernelManager):
    """Who starts a kernel and its talker."""

    imports: tuple[str, ...] = ()
    client_factory = Type(klass=_Talker)

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        if self.provisioner is None:
            self.provisioner = ForkProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
            self.provisioner.imports = self.imports
        return await super()._async_pre_start_kernel(**options)


class _Client(PapermillNotebookClient):
    """Who runs the cells: a kernel that dies before it answers is started again."""

    record: CellRecord
    gate: Callable[[], None]
    imports: tuple[str, ...]
    process: int = 0

    async def async_start_new_kernel(self, **options: Any) -> None:
        await super().async_start_new_kernel(**options)
        self.process = getattr(self.km.provisioner, "pid", None) or 0
        note_kernel(self.process)

    start_new_kernel = run_sync(async_start_new_kernel)

    async def async_start_new_kernel_client(self) -> Any:
        for _ in range(STARTS - 1):
            try:
                return await super().async_start_new_kernel_client()
            except RuntimeError:  # died before it answered: now and then two kernels draw the same port
                if was_stopped():
                    raise
                forget_kernel(self.process)
                self.km = self.create_kernel_manager()
                await self.async_start_new_kernel(**self.options)
        return await super().async_start_new_kernel_client()

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    def create_kernel_manager(self) -> AsyncKernelManager:
        # No kernel directory is searched, so that a kernel registered in the home cannot take the place of ours.
        specs = KernelSpecManager(kernel_dirs=[], log=_log)
        self.km = _Manager(kernel_name="python3", kernel_spec_manager=specs, log=_log)
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


class _Engine(NBClientEngine):
    """What papermill calls."""

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
            client = _Client(nb_man, kernel_name=kernel_name, timeout=cell_timeout, startup_timeout=120, log=_log)
            client.record, client.gate, client.imports = record, gate, imports
            client.extra_arguments = _startup(imports)
            client.shutdown_kernel = "immediate"
            client.options = {"cwd": str(root), "env": kernel_environment(), "stdout": log, "stderr": log}
            try:
                client.execute(**client.options)
            finally:
                _close_loop()
                forget_kernel(client.process)


def _is_idle(message: dict[str, Any], asked: str) -> bool:
    """Whether a message says that a kernel has done what it was asked."""
    about, state = message["parent_header"].get("msg_id"), message["content"].get("execution_state")
    return bool(about == asked and state == "idle")


def _close_loop() -> None:
    """Close this thread's event loop, which nbclient opened and leaves open."""
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
