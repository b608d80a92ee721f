"""For nbval (``-p nbval_forks``): each notebook still has a kernel of its own, forked from one process with the stack.

What a notebook runs, and in what it runs, is the same: an empty namespace in a new process. Only the imports are not
done once more for every notebook.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from helpers.formats.notebooks import import_nbformat
from helpers.runner.kernels.engine import ForkProvisioner
from helpers.runner.kernels.processes import forked_kernels
from helpers.runner.modules import Package, own_imports

import_nbformat()  # before nbval does: without what takes a second

HELPERS = Package(Path(__file__).resolve().parents[1] / "src" / "helpers")
MODULES: list[str] = []


class ForkManager(KernelManager):
    """Who starts the kernel of a notebook."""

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        self.provisioner = ForkProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        self.provisioner.imports = tuple(MODULES)
        command, options = await super()._async_pre_start_kernel(**options)
        return command, {**options, "stdout": options["stderr"]}  # a fork is told where it writes


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Let nbval's kernels be forks of a process that starts where the notebooks are."""
    import nbval.kernel

    folder = session.config.rootpath / "notebooks"
    names = {name for path in folder.glob("*.py") for name in own_imports(path.read_text(encoding="utf-8"))}
    own = HELPERS.find_own_modules(sorted(names))
    MODULES.extend([*own, *HELPERS.find_foreign_imports(own)])
    nbval.kernel.KernelManager = ForkManager
    with forked_kernels(folder, MODULES, folder / "kernels.log"):
        return (yield)
