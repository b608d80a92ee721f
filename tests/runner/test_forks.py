"""Kernels that are forks of one process: the same work as kernels that start on their own, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.runner.execution import NotebookError, execute, prepare_staging
from helpers.runner.kernels import forks
from helpers.runner.kernels.environment import ALIKE, alike, kernel_environment
from helpers.runner.kernels.processes import SERVERS, forked_kernels
from helpers.runner.modules import Package
from helpers.runner.pipeline import run
from helpers.runner.sources import read_sources
from helpers.runner.twins import Cell

pytestmark = pytest.mark.skipif(not forks.can_fork(), reason="kernels are forked on Linux only")

WRITE = """\
from pathlib import Path
target = Path("{out}") / "run" / "results" / "notebook.json"
target.parent.mkdir(parents=True)
import os, sys
target.write_text(f"{{os.getppid()}} {{os.getpgid(0) == os.getpid()}} {{'{module}' in sys.modules}}")
"""


def write_cell(staging: Path, module: str = "wave") -> Cell:
    return Cell("code", WRITE.format(out=staging / "out", module=module))


def run_cells(staging: Path, *cells: Cell, **options: object) -> str:
    prepare_staging(staging)
    parameters = Cell("code", "x: int = 1", ("parameters",))
    plain = {"root": staging, "staging": staging, "timeout": 60, **options}
    execute("notebook", (parameters, *cells), {}, **plain)  # type: ignore[arg-type]
    return (staging / "out" / "run" / "results" / "notebook.json").read_text()


@pytest.fixture
def server(tmp_path: Path):
    with forked_kernels(tmp_path, ["wave"], tmp_path / "log"):
        yield SERVERS[0]
    assert SERVERS == []


def test_a_kernel_is_a_child_of_the_server_leads_a_group_and_has_the_modules(server, tmp_path):
    told = run_cells(tmp_path, write_cell(tmp_path), imports=("wave",))
    assert told == f"{server._process.pid} True True"


def test_a_kernel_that_dies_is_told_and_the_server_forks_the_next(server, tmp_path):
    with pytest.raises(NotebookError, match="The kernel died"):
        run_cells(tmp_path, Cell("code", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert run_cells(tmp_path, write_cell(tmp_path)).startswith(f"{server._process.pid} ")


@pytest.mark.usefixtures("server")
def test_a_cell_that_takes_too_long_is_stopped(tmp_path):
    with pytest.raises(NotebookError, match="took longer than 1 s"):
        run_cells(tmp_path, Cell("code", "import time; time.sleep(60)"), timeout=1)


def test_without_its_server_a_kernel_starts_on_its_own(server, tmp_path):
    os.killpg(server._process.pid, signal.SIGKILL)
    server._process.wait()
    assert run_cells(tmp_path, write_cell(tmp_path)).startswith(f"{os.getpid()} ")


def test_a_server_with_two_threads_forks_nothing(tmp_path):
    (tmp_path / "twothreads.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    environment = {**kernel_environment(), "PYTHONPATH": str(tmp_path)}
    server = forks.ForkServer(tmp_path, environment, ["twothreads"], tmp_path / "log")
    try:
        with pytest.raises(OSError, match="2 threads"):
            server.fork([], ["twothreads"], str(tmp_path / "log"))
    finally:
        server.close()


def test_the_whole_stack_leaves_the_server_one_thread(tmp_path):
    root = Path(__file__).resolve().parents[2]
    own = [name for source in read_sources(root / "notebooks") for name in source.modules]
    names = [*own, *Package(root / "src" / "helpers").find_foreign_imports(own)]
    assert {"numpy", "pandas", "pyarrow.parquet"} <= set(names)
    server = forks.ForkServer(tmp_path, kernel_environment(), [], tmp_path / "log")
    (tmp_path / "kernel.log").write_bytes(b"")
    try:
        assert server.fork(["--help"], names, str(tmp_path / "kernel.log")).pid > 0
    finally:
        server.close()


def test_kernels_end_with_their_server(tmp_path):
    server = forks.ForkServer(tmp_path, kernel_environment(), [], tmp_path / "log")
    (tmp_path / "kernel.log").write_bytes(b"")
    left = [server.fork([], [], str(tmp_path / "kernel.log")) for _ in range(2)]
    assert [kernel.poll() for kernel in left] == [None, None]
    os.kill(server._process.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while any(kernel.poll() is None for kernel in left):
        assert time.monotonic() < end
        time.sleep(0.02)
    server.close()


KILLED_WHILE_IMPORTING = """\
import os, signal, sys
from pathlib import Path
from helpers.runner.kernels.forks import ForkServer
folder = Path(sys.argv[1])
server = ForkServer(folder, {**os.environ, "PYTHONPATH": str(folder)}, ["slow"], folder / "log")
while not (folder / "begun").exists():
    pass
print(server._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_that_is_importing_ends_with_the_run_that_was_killed(tmp_path):
    """The import takes a minute, so that a server that waits for the end of its input would still be there."""
    (tmp_path / "slow.py").write_text("open('begun', 'w').close()\nimport time\nfor _ in range(600): time.sleep(0.1)\n")
    started = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_IMPORTING, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert started.returncode == -signal.SIGKILL
    end = time.monotonic() + 20
    while is_running(int(started.stdout)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(int(started.stdout))


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_forked_or_not_the_bytes_are_the_same(mini, monkeypatch):
    run(mini.request())
    forked = mini.products()
    monkeypatch.setenv("STUDY_FORK", "no")
    run(mini.request(folder=mini.root / "elsewhere"))
    assert mini.products(mini.root / "elsewhere") == forked


def test_libraries_are_found_where_the_helpers_import_them(tmp_path):
    package = tmp_path / "helpers"
    package.mkdir()
    (package / "a.py").write_text("import json\nfrom helpers import b\n\ndef f():\n    import other.x\n")
    (package / "b.py").write_text("from another import y\n")
    (package / "formats").mkdir()
    (package / "formats" / "books.py").write_text("def read():\n    import workbooks\n")
    (package / "a.py").write_text((package / "a.py").read_text() + "from helpers.formats import books\n")
    assert Package(package).find_foreign_imports(["helpers.a"]) == ["another", "another.y", "other.x"]


@pytest.mark.parametrize(("flags", "expected"), [("fpu avx2 fma sse", ALIKE), ("fpu sse", {})])
def test_processors_with_avx2_are_made_to_round_alike(flags, expected, monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"flags : {flags} x\n")
    alike.cache_clear()
    try:
        assert alike() == expected
    finally:
        alike.cache_clear()


def test_what_a_person_sets_goes_before_what_makes_processors_alike(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert kernel_environment()["OPENBLAS_CORETYPE"] == "Zen"


PROBE = """\
import sys
from pathlib import Path
import numpy as np
import pandas as pd
from helpers.display.figures import draw_svg, new_figure
from helpers.display.tables import write_table
from helpers.results.results import Results

folder = Path(sys.argv[1])
rng = np.random.default_rng(5)
x = rng.normal(size=(400, 30))
y = np.exp(x @ rng.normal(size=30) / 9)
fit = np.linalg.lstsq(x, y, rcond=None)[0]
frame = pd.DataFrame({"fit": fit, "log": np.log(np.abs(fit)), "sum": x.sum(axis=0), "mean": (x.T @ y) / 400})
write_table(frame, folder / "table.csv")
results = Results(study="toy", notebook="probe")
for place, number in enumerate(fit):
    results.record(f"fit.x{place}", value=float(number))
results.write(folder / "results.json")
figure, axes = new_figure()
axes.plot(x @ fit, y, "o")
(folder / "figure.svg").write_bytes(draw_svg(figure, "figure"))
(folder / "raw").write_bytes(fit.tobytes())
"""


@pytest.mark.skipif(alike() == {}, reason="the processor has no AVX2, and so no two kernels to compare")
def test_another_processor_leaves_the_same_bytes(tmp_path):
    """The short form of benchmarks/perturb.py: sums and solutions that differ in last bits are written alike."""
    old = {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}
    left = {}
    for name, changes in (("alike", {}), ("old", old), ("other", {"OPENBLAS_CORETYPE": "Sandybridge"})):
        folder = tmp_path / name
        folder.mkdir()
        environment = {**kernel_environment(), **changes}
        subprocess.run([sys.executable, "-c", PROBE, str(folder)], env=environment, check=True)
        left[name] = {path.name: path.read_bytes() for path in folder.iterdir()}
    raw = {name: files.pop("raw") for name, files in left.items()}
    assert raw["old"] != raw["alike"]  # the processors do round differently
    assert left["old"] == left["alike"]
    assert left["other"] == left["alike"]
