"""The environment of a kernel: one thread, this Python, and the instructions that round alike on all machines."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

OWN = {
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "agg",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a second thread would make forks unsafe
}
THREADS = ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "NUMBA", "BLIS")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in THREADS} | {"VECLIB_MAXIMUM_THREADS": "1"}
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
