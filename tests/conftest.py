"""A miniature project in a temporary folder: three small notebooks, one helper module, no statistics."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.plan import Request
from helpers.twins import write_twins
from helpers.workspace import OWN_FOLDERS

ROOT = Path(__file__).resolve().parents[1]

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

    def request(self, **changes: object) -> Request:
        """What a plain `study run` would ask for; the report is left out unless ``only`` is given as None."""
        options = {"workers": 2, "only": "03_third", "timeout": 60, **changes}
        return Request(self.root, "mini", self.root / "data" / "mini", self.folder, **options)  # type: ignore[arg-type]

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

    def products(self) -> dict[str, bytes]:
        """Every file that a reader of the run folder sees, with its bytes."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        shown = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}
        return {name: data for name, data in shown.items() if name[:4] != "run/" or name[:12] == "run/results/"}


@pytest.fixture(autouse=True)
def _caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that a test starts keep their files out of the home."""
    home = tmp_path_factory.getbasetemp() / "var"
    for name, part in OWN_FOLDERS.items():
        if name not in ("MPLCONFIGDIR", "NUMBA_CACHE_DIR"):
            monkeypatch.setenv(name, str(home / part))


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    """A fresh miniature project; kernels import its own copy of the helpers."""
    root = tmp_path / "a project"
    package = root / "src" / "helpers"
    package.mkdir(parents=True)
    needed = ("__init__", "errors", "execution", "executed", "kernels", "twins", "results")
    for name in needed:
        if (ROOT / "src" / "helpers" / f"{name}.py").is_file():
            shutil.copy(ROOT / "src" / "helpers" / f"{name}.py", package)
    (package / "mini.py").write_text(MODULE)
    (package / "shared.py").write_text('LETTER = "a"\n')
    (package / "report.py").write_text(REPORT)
    (package / "page.css").write_text("body {}\n")
    (root / "data" / "mini" / "raw").mkdir(parents=True)
    (root / "data" / "mini" / "study.yml").write_text("name: mini\n")
    (root / "data" / "mini" / "raw" / "gdp.csv").write_text("1\n")
    (root / "notebooks").mkdir()
    (root / "pyproject.toml").write_text("")
    (root / "requirements.lock").write_text("nothing==1\n")
    project = Mini(root)
    for name, text in (("01_first", FIRST), ("02_second", SECOND), ("03_third", THIRD)):
        project.write(name, text)
    monkeypatch.setenv("PYTHONPATH", str(root / "src"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert sys.version_info >= (3, 11)
    return project
