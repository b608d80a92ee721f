"""A miniature project in a temporary folder: three small notebooks, one helper module, no statistics."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from helpers.formats.notebooks import import_nbformat
from helpers.runner.plan import Request
from helpers.runner.twins import write_twins
from helpers.runner.workspace import use_own_folders
from marks import marks_outside
from outside import ROWS, calls_outside, write_page

pytest_plugins = ["finished"]

ROOT = Path(__file__).resolve().parents[1]

LONGEST = "test_the_twins_run_as_they_are_and_print_what_is_stored"

import_nbformat()  # before a test does: without what takes a second

os.environ["STUDY_LANGUAGE"] = "en"  # what a command says does not hang on who runs the tests

use_own_folders(ROOT, ROOT / "reports" / "tests")  # nothing that a test starts writes into the home


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--parity``: write the parity page from the tests that ran."""
    parser.addoption("--parity", action="store_true", help="write docs/parity.md from the tests marked outside")


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line("markers", "slow(why): takes seconds of processor time; nothing leaves it out by itself")
    config.addinivalue_line("markers", "outside: meets numbers from outside the project (see tests/outside.py)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that call `outside`, and begin with the longest: left to the end, one core would wait for it."""
    for item in items:
        if calls_outside(getattr(item, "function", None)):
            item.add_marker(pytest.mark.outside)
    items.sort(key=lambda item: item.name != LONGEST)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the page when every test that meets outside numbers has passed."""
    if session.config.getoption("--parity") and exitstatus == 0 and not hasattr(session.config, "workerinput"):
        write_page(ROWS)


@pytest.fixture(autouse=True)
def marks_lie_inside() -> Iterator[None]:
    """No figure that a test leaves open has a mark outside its axes."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    figures = [pyplot.figure(number) for number in pyplot.get_fignums()] if pyplot else []
    found = [mark for figure in figures for mark in marks_outside(figure)]
    if pyplot:
        pyplot.close("all")
    assert not found, f"marks outside their axes: {found}"


PARAMETERS = """\
# %% tags=["parameters"]
study: str = "mini"
run_folder: str = ""
out: str = ""
"""

FIRST = f"""\
# %% [markdown]
# # First

{PARAMETERS}draws: int = 3

# %%
from helpers.mini import MiniRun

run = MiniRun("01_first", run_folder, out)

# %%
run.table(run.double(draws), "panel")

# %% tags=["nbval-check-output"]
print("three rows")

# %%
run.save()
"""

SECOND = f"""\
{PARAMETERS}
# %%
from helpers.mini import MiniRun

run = MiniRun("02_second", run_folder, out)

# %%
run.table(run.read("panel").upper(), "upper")

# %%
run.save()
"""

THIRD = f"""\
{PARAMETERS}label: str = "x"

# %%
from helpers.mini import MiniRun

run = MiniRun("03_third", run_folder, out)

# %%
print(label, sorted(run.earlier))

# %%
run.save()
"""

MODULE = '''\
"""What the miniature notebooks share: plain text tables, so that a kernel starts fast."""

from pathlib import Path

from helpers import shared


class MiniRun:
    def __init__(self, notebook, run_folder, out):
        self.notebook, self.run_folder, self.out = notebook, Path(run_folder), Path(out)

    def double(self, draws):
        return shared.LETTER * 2 * draws

    def read(self, name):
        return (self.run_folder / "tables" / f"{name}.csv").read_text()

    @property
    def earlier(self):
        return [path.stem for path in (self.run_folder / "run" / "results").glob("*.json")]

    def table(self, text, name):
        self._write(f"tables/{name}.csv", text)

    def save(self):
        self._write(f"run/results/{self.notebook}.json", '{"study": "mini", "schema": 1, "results": []}')

    def _write(self, path, text):
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
'''

REPORT = '''\
"""A report of one line, in place of the real one."""


def write_report(study, run_folder, notebooks):
    path = run_folder / "report.html"
    path.write_text(" ".join(notebooks))
    return path
'''


@dataclass(frozen=True)
class Mini:
    """The miniature project.

    Attributes
    ----------
    root
        Its root.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.root / "reports" / "mini"

    def request(self, **changes: Any) -> Request:
        """What a plain `study run` would ask for; the report is left out unless ``only`` is given as None."""
        plain = Request(
            self.root, "mini", self.root / "data" / "mini", self.folder, workers=2, only="03_third", timeout=60
        )
        return replace(plain, **changes)

    def write(self, name: str, text: str) -> None:
        """Write a notebook with its twin."""
        (self.root / "notebooks" / f"{name}.py").write_text(text, encoding="utf-8")
        write_twins(self.root / "notebooks", prefer="py")

    def edit(self, path: str, old: str, new: str) -> None:
        """Change one place of a file (a notebook's twin follows)."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new), encoding="utf-8")
        write_twins(self.root / "notebooks", prefer="py")

    def products(self, folder: Path | None = None) -> dict[str, bytes]:
        """Every file that a reader of a run folder sees, with its bytes."""
        folder = folder or self.folder
        shown = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        own = ("run/results/", "run/")
        return {
            name: path.read_bytes() for name, path in shown.items() if name.startswith(own[0]) or own[1] not in name
        }


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    """A fresh miniature project; kernels import its own copy of the helpers."""
    return build_mini(tmp_path, monkeypatch)


def build_mini(folder: Path, patch: pytest.MonkeyPatch) -> Mini:
    """Write the miniature project into a folder with a space in its path."""
    root = folder / "a project"
    package = root / "src" / "helpers"
    package.mkdir(parents=True)
    for part in ("runner", "report", "formats"):
        (package / part).mkdir()
    runner = ("__init__", "execution", "parameters", "twins")
    for module in (
        "__init__",
        "errors",
        "files",
        *(f"runner/{name}" for name in runner),
        "report/__init__",
        "formats/__init__",
        "formats/notebooks",
    ):
        shutil.copy(ROOT / "src" / "helpers" / f"{module}.py", package / f"{module}.py")
    shutil.copytree(ROOT / "src" / "helpers" / "runner" / "kernels", package / "runner" / "kernels")
    (package / "mini.py").write_text(MODULE)
    (package / "shared.py").write_text('LETTER = "a"\n')
    (package / "report" / "report.py").write_text(REPORT)
    (package / "report" / "page.css").write_text("body {}\n")
    (root / "data" / "mini" / "raw").mkdir(parents=True)
    (root / "data" / "mini" / "study.yml").write_text("name: mini\n")
    (root / "data" / "mini" / "raw" / "gdp.csv").write_text("1\n")
    (root / "notebooks").mkdir()
    (root / "pyproject.toml").write_text("")
    (root / "requirements.lock").write_text("nothing==1\n")
    project = Mini(root)
    for name, text in (("01_first", FIRST), ("02_second", SECOND), ("03_third", THIRD)):
        project.write(name, text)
    patch.setenv("PYTHONPATH", str(root / "src"))
    return project
