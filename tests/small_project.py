"""A whole project that runs in seconds: all helpers, the provincial figures, and two small notebooks of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from helpers.runner.twins import write_twins

ROOT = Path(__file__).resolve().parents[1]

START = """\
# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
{parameter}
# %%
from helpers.notebook import open_run
from helpers.shared import double

run = open_run("{name}", study=study, run_folder=run_folder, out=out)

# %%
"""

FIRST = (
    START.format(name="01_first", parameter="draws: int = 3\n")
    + """\
import pandas as pd

from helpers.reading.units import read_units

figures = pd.read_csv(run.study.folder / "raw" / "gdp.csv", skiprows=3, nrows=5)
units = read_units(run.study.folder / run.study.entity.units, run.study.entity)
level = pd.to_numeric(figures.iloc[:, 1], errors="coerce").dropna()

# %%
rows = pd.DataFrame({"place": ["a", "b", "c"], "size": double([1.25, 2.5, 3.75]), "first": level.iloc[:3].to_numpy()})
run.table(rows, "sizes", caption="Sizes")

# %%
run.results.record("first.units", value=len(units))
run.results.record("first.level", estimate=float(level.sum()), std_error=float(level.sum()) / 10, digits=0)

# %%
run.save()
"""
)

SECOND = (
    START.format(name="02_second", parameter="")
    + """\
sizes = run.read("sizes")

# %%
noise = run.rng("noise").normal(size=50)
run.results.record("second.size", estimate=float(sizes["size"].sum()), std_error=float(noise.std()), n_obs=3)

# %%
run.say("The size is {second.size} over {first.units} units.")

# %%
run.save()
"""
)

SHARED = '''\
"""What both notebooks share."""


def double(numbers):
    """Twice each number."""
    return [2 * number for number in numbers]
'''


@dataclass(frozen=True)
class SmallProject:
    """The project.

    Attributes
    ----------
    root
        Its root.
    """

    root: Path

    @property
    def reports(self) -> Path:
        """The run folder."""
        return self.root / "reports" / "provinces"

    def edit(self, path: str, old: str, new: str) -> None:
        """Change one place of a file; a notebook's twin follows."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new), encoding="utf-8")
        write_twins(self.root / "notebooks", prefer="py")

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        name = ["-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *name, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything; gives the hash."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def build_small_project(root: Path) -> SmallProject:
    """Write the project into a folder."""
    shutil.copytree(ROOT / "src" / "helpers", root / "src" / "helpers")
    shutil.copytree(ROOT / "data" / "provinces", root / "data" / "provinces")
    for name in ("pyproject.toml", "requirements.lock", ".gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, root / name)
    (root / "src" / "helpers" / "shared.py").write_text(SHARED, encoding="utf-8")
    study = root / "data" / "provinces" / "study.yml"
    text = study.read_text(encoding="utf-8")
    study.write_text(
        re.sub(r"(?s)\npresets:\n(  .*\n)+", "\npresets:\n  quick: {draws: 2}\n  standard: {draws: 3}\n", text),
        encoding="utf-8",
    )
    (root / "data" / "provinces" / "claims.yml").write_text(
        "significance: 0.05\nsources: {}\nclaims: {}\n", encoding="utf-8"
    )
    (root / "notebooks").mkdir()
    for name, source in (("01_first", FIRST), ("02_second", SECOND)):
        (root / "notebooks" / f"{name}.py").write_text(source, encoding="utf-8")
    write_twins(root / "notebooks", prefer="py")
    return SmallProject(root)
