"""One small project, run once for every test that asks for it, with its reports committed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from small_project import SmallProject, build_small_project

TELL = """\
# %%
import hashlib, json, os, sys
from pathlib import Path

root = str(Path.cwd())
own = Path(f"/proc/{os.getppid()}/cmdline")
here = {
    "environment": dict(sorted(os.environ.items())),
    "arguments": [text for text in sys.argv if not text.endswith(".json")],
    "path": sys.path,
    "parent": own.read_text().split(chr(0)) if own.exists() else [],
    "folder": sorted(path.name for path in Path.cwd().iterdir()),
    "parameters": [study, run_folder, out],
    "helpers": sys.modules["helpers"].__file__,
    "prefix": sys.prefix,
}
for name in ("JPY_PARENT_PID", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER"):
    here["environment"].pop(name, None)
told = {name: json.dumps(item).replace(root, ".") for name, item in here.items()}
told["environment"] = " ".join(here["environment"]) + hashlib.sha256(told["environment"].encode()).hexdigest()
run.table(pd.DataFrame({"what": list(told), "text": list(told.values())}), "told", caption="Told")

# %%
run.save()
"""


def run_study(project: SmallProject) -> None:
    """`study run`, as a person types it."""
    environment = {**os.environ, "STUDY_ROOT": str(project.root), "PYTHONPATH": str(project.root / "src")}
    command = [sys.executable, "-m", "helpers.cli", "run", "provinces"]
    subprocess.run(command, cwd=project.root, env=environment, check=True, capture_output=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project whose reports are committed; its second notebook tries to tell where it runs.

    Made once for all processes of the tests, each of which works on a copy.
    """
    own = tmp_path_factory.mktemp("finished") / "a project"
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made" / "a project"
    made.parent.mkdir(exist_ok=True)
    with made.parent.joinpath("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            make_project(made.with_name("half made")).rename(made)
    shutil.copytree(made, own, symlinks=True)
    return SmallProject(own)


def make_project(root: Path) -> Path:
    """Run the project and commit what it reports."""
    shutil.rmtree(root, ignore_errors=True)
    project = build_small_project(root)
    project.edit("notebooks/01_first.py", "# %%\nrun.save()\n", TELL)
    run_study(project)
    project.commit("a study and its reports")
    return root
