"""What a large panel will take, told before it is spent: a stated rule whose coefficients were measured.

Seconds are the sum over notebooks 01 to 03 of start + slope x size, on a core that does nothing else. The size is that
of the notebook's longest loop: for 01 the cells (rows x statistics), for 02 the rows x builds of the indices, for 03
the rows. Memory is start + slope x cells, with one notebook at a time. ``cost.json`` holds the coefficients;
``benchmarks/cost.py`` measures and writes them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.study.study import Study

FILE = Path(__file__).with_name("cost.json")
LARGE = 20_000
"""Rows from which the cost is told; below, a run is a matter of a minute or two."""
SHARED_CHOICES = 6
"""Choices that all indices share (`helpers.index.choices.SHARED`); each index adds the indicator that is left out."""


@dataclass(frozen=True)
class Cost:
    """What a study's size lets expect.

    Attributes
    ----------
    rows, columns, builds
        Rows of the window, statistics, and how often the indices are built anew.
    seconds
        Time of notebooks 01 to 03.
    memory
        Largest memory in MiB.
    """

    rows: int
    columns: int
    builds: int
    seconds: float
    memory: float

    def tell(self) -> str:
        """The expectation in one sentence, with the setting that makes it smaller."""
        built = f", indices built {self.builds:,} times" if self.builds else ""
        smaller = (
            "; less with --preset quick, or with smaller choice_draws and sobol_base (--set NAME=VALUE)"
            if self.builds
            else "; less with --preset quick, or with a shorter window (time.first) in study.yml"
        )
        return (
            f"to be expected of notebooks 01 to 03: about {_spoken(self.seconds)} and {self.memory / 1024:.1f} GiB of "
            f"memory for each notebook at work ({self.rows:,} rows, {self.columns} statistics{built}){smaller}"
        )


def expect_cost(study: Study, settings: Mapping[str, Any]) -> Cost | None:
    """The cost of a study whose panel is large; None for a small one, or where the units cannot be counted.

    Parameters
    ----------
    study
        The study.
    settings
        Parameters of the notebooks by name: `choice_draws` and `sobol_base` are read.
    """
    try:
        with (study.folder / study.entity.units).open(encoding="utf-8-sig", newline="") as file:
            units = sum(1 for row in csv.reader(file) if row) - 1
    except (OSError, UnicodeDecodeError, csv.Error):
        return None  # the check of the study, which comes next, says what is wrong with the file
    rows = units * len(study.time.window)
    if rows < LARGE:
        return None
    return work_out(rows, len(study.columns), count_builds(study, settings))


def count_builds(study: Study, settings: Mapping[str, Any]) -> int:
    """How often notebook 02 builds the indices: random draws, and Sobol's base x (choices + 2)."""
    if not study.indices:
        return 0
    built = {study.specification.outcome, study.specification.treatment} & set(study.indices)
    choices = SHARED_CHOICES + max(1, len(built))
    return int(settings.get("choice_draws", 0)) + int(settings.get("sobol_base", 0)) * (choices + 2)


def work_out(rows: int, columns: int, builds: int) -> Cost:
    """The rule of the module's text."""
    held = json.loads(FILE.read_text(encoding="utf-8"))
    sizes = {"01": rows * columns, "02": rows * builds, "03": rows}
    seconds = sum(held[name]["start"] + held[name]["slope"] * size for name, size in sizes.items() if size)
    memory = held["memory"]["start"] + held["memory"]["slope"] * rows * columns
    return Cost(rows, columns, builds, seconds, memory)


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
