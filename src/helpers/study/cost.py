"""How long a run is likely to take and what memory it is likely to need, said before it starts.

The model is small. A panel has ``cells``: rows times columns (outcome, treatment, controls, indicators). A notebook
goes through them some times whatever is asked, and once more for each draw that refits; a draw that only changes the
signs or the order of the units goes through the units alone:

    seconds = start + cells (once + again passes),    MiB = memory + bytes cells

The numbers of each notebook stand in ``cost.yml`` beside the notebooks; ``benchmarks/bench_cost.py`` measures runs and
writes them. They are of one machine and one kind of panel: what comes out is a matter of "about".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from helpers.study.data import Strict
from helpers.study.file import read_as

if TYPE_CHECKING:
    from helpers.study.study import Study

COST_FILE = "cost.yml"
# Outcome and treatment.
MODEL_COLUMNS = 2
# Refits without sets of units that are made at most, and rows that they go through at most.
MOST_SETS, MOST_SET_ROWS = 20_000, 50_000_000
# Times the passes that were measured, beyond which nobody knows.
FAR = 2
# Seconds from which a person is told what is cheaper.
LONG = 600
# From so many rows on (the template of adopted studies says it too) the engine ``disk`` is the one to think of.
LARGE = 500_000


class NotebookCost(Strict):
    """What one notebook costs: seconds at the start and per million cells, once and again; MiB in the same way.

    ``most`` is the largest number of passes that was measured: of far more nothing is said.
    """

    start: float = Field(ge=0)
    once: float = Field(ge=0)
    again: float = Field(ge=0)
    memory: float = Field(ge=0)
    bytes: float = Field(ge=0)
    most: float = Field(ge=0)


class Costs(Strict):
    """What was measured: on what, which parameters are passes through what, and the numbers of each notebook."""

    measured: str
    parameters: dict[str, Literal["rows", "units", "sets"]]
    notebooks: dict[str, NotebookCost]


@dataclass(frozen=True)
class Size:
    """What decides the cost of a study.

    Attributes
    ----------
    rows, units
        At most; a panel with gaps has fewer rows.
    columns
        Outcome, treatment, controls and indicators.
    """

    rows: int
    units: int
    columns: int


@dataclass(frozen=True)
class Expectation:
    """What a run is likely to take.

    Attributes
    ----------
    seconds
        Until its end.
    memory
        MiB at the same time.
    longest
        The notebook that takes most, and its seconds.
    """

    seconds: float
    memory: float
    longest: tuple[str, float]


def read_costs(notebooks: Path) -> Costs | None:
    """The costs of the notebooks of a folder; None where it has no such file.

    Raises
    ------
    StudyError
        The file breaks a rule.
    """
    path = notebooks / COST_FILE
    return read_as(path, Costs, "write it anew: benchmarks/bench_cost.py") if path.is_file() else None


def measure_size(study: Study) -> Size:
    """The size of a study's panel, from its file, its units and the lines of its tables; no figure is read."""
    paths = {path for column in study.columns.values() for path in study.folder.glob(column.file) if path.is_file()}
    lines = max(map(_count_rows, paths), default=0)
    units = _count_rows(study.folder / study.entity.units) if study.entity.units else lines
    periods = len(study.time.read)
    # A table with hardly more lines than units has the periods side by side, or is one of many.
    rows = units * periods if lines < 2 * units else min(lines, units * periods)
    indicators = sum(len(index.indicators) for index in study.indices.values())
    columns = MODEL_COLUMNS + len(study.specification.controls) + indicators
    return Size(rows, units, columns)


def _count_rows(path: Path) -> int:
    """Rows of a table below its heading: of CSV its lines, of Parquet as it says; 0 of another kind of file."""
    if path.suffix == ".parquet":
        from pyarrow.parquet import read_metadata

        return int(read_metadata(path).num_rows)
    if path.suffix not in (".csv", ".tsv", ".txt") or not path.is_file():
        return 0
    with path.open("rb") as file:
        return max(0, sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1)


def expect(costs: Costs, size: Size, asked: Mapping[str, Mapping[str, Any]], workers: int) -> Expectation | None:
    """What notebooks are likely to take together.

    Parameters
    ----------
    costs, size
        Of the notebooks and of the study.
    asked
        Notebook -> its parameters. One whose cost is not known (a question of one's own) is passed over.
    workers
        How many run at the same time.
    """
    cells = size.rows * size.columns / 1e6
    known = {name: (costs.notebooks[name], values) for name, values in asked.items() if name in costs.notebooks}
    beyond = (count_passes(costs, size, values) > FAR * (cost.most + 1) for cost, values in known.values())
    if not known or any(beyond):
        return None
    seconds = {
        name: cost.start + cells * (cost.once + cost.again * count_passes(costs, size, values))
        for name, (cost, values) in known.items()
    }
    # What all share is there once; what grows with the panel is there once for each notebook at work.
    shared = max(cost.memory for cost, _ in known.values())
    needed = sorted((cost.bytes * cells for cost, _ in known.values()), reverse=True)
    longest = max(seconds, key=lambda name: seconds[name])
    whole = max(sum(seconds.values()) / workers, seconds[longest])
    return Expectation(whole, shared + sum(needed[:workers]), (longest, seconds[longest]))


def count_passes(costs: Costs, size: Size, values: Mapping[str, Any]) -> float:
    """How many times the draws that are asked for go through all rows."""
    found = 0.0
    for name, kind in costs.parameters.items():
        number = float(values.get(name, 0))
        if kind == "rows":
            found += number
        elif kind == "units":
            found += number * size.units / max(1, size.rows * size.columns)
        elif number:
            found += count_sets(size, int(number))
    return found


def count_sets(size: Size, most: int) -> int:
    """Refits without sets of units up to a size, as many as are made (see `helpers.robustness.fragility`)."""
    limit = min(MOST_SETS, max(1, MOST_SET_ROWS // max(1, size.rows)))
    sizes = [comb(size.units, part) for part in range(1, most + 1)]
    while len(sizes) > 1 and sum(sizes) > limit:
        sizes.pop()
    return min(sum(sizes), limit)


def describe(found: Expectation, size: Size, study: Study, free: float | None) -> list[str]:
    """What a person reads before a run: what to expect, and how it gets cheaper where it is much.

    Parameters
    ----------
    free
        MiB that the machine has free; None where it does not say.
    """
    lines = [
        f"expect about {_say_time(found.seconds)} and {found.memory / 1024:.1f} GiB of memory: "
        f"up to {size.rows:,} rows of {size.units:,} units x {size.columns} columns; longest {found.longest[0]}"
    ]
    if free is not None and found.memory > free:
        lines.append(f"warning: this machine has {free / 1024:.1f} GiB free, which may not be enough")
    if len(lines) > 1 or found.seconds > LONG:
        lines.append(f"cheaper: {'; '.join(_cheaper(size, study))}")
    return lines


def _cheaper(size: Size, study: Study) -> Iterable[str]:
    yield "--preset quick (fewer draws)" if "quick" in study.presets else "a preset with fewer draws"
    yield "--workers 1 (less memory at a time)"
    if study.memory and size.rows >= LARGE:
        yield "engine: disk in the study file (docs/large_panels.md says what it leaves out)"


def _say_time(seconds: float) -> str:
    if seconds < 100:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def free_memory() -> float | None:
    """MiB that new processes can have without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = {line.split(":")[0]: line.split()[1] for line in lines if len(line.split()) > 1}
    return int(found["MemAvailable"]) / 1024 if "MemAvailable" in found else None
