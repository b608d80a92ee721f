"""Numbers from outside the project, kept as they are checked, so that the parity page is made by the tests themselves.

How to use it: where a test meets what another program or a paper prints, call ::

    from outside import outside

    outside(fit_panel, "Stata 13: xtreg, fe", fit.estimates, printed, rtol=1e-8)

in place of an assertion. It holds every number of ``ours`` against its partner in ``theirs`` and fails as an assertion
does. The source is "program or paper: which command, table or page"; what stands before the colon is counted as one
program or paper, so write it the same everywhere ("R plm", "Stata", "Baltagi (2013)"). A computation in the test that
shares no code with the project is the source "written out: what is computed". The tolerance is ``atol`` (half a unit of
the last printed digit) or ``rtol``; its reason stands at the top of the test file.

``python -m pytest -m outside --parity`` runs these tests and writes ``docs/parity.md``; `test_parity` says when the
page has gone stale. Give ``outside`` numbers, not truth values: a p-value, not "p < 0.05".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "parity.md"
CHECKED = ROOT / "src" / "helpers" / "report" / "checked.csv"
WRITTEN_OUT = "written out"
SEEN = 1e-12

HEAD = """\
# Parity: what other programs and papers print, and what this project prints

Each row is one test that holds numbers of this project against numbers from outside it. "Off by" is the largest
distance seen, relative to the number itself, rounded up to a power of ten. "Written out" is a computation inside the
test that shares no code with the project. Made by `python -m pytest -m outside --parity`; do not edit.
"""


@dataclass(frozen=True)
class Row:
    """One comparison: the method, whose numbers they are, the test, how many, the tolerance and the largest distance."""

    method: str
    source: str
    test: str
    count: int
    tolerance: str
    distance: float


ROWS: list[Row] = []


def outside(
    method: Callable[..., Any] | str, source: str, ours: Any, theirs: Any, *, atol: float = 0.0, rtol: float = 0.0
) -> None:
    """Hold numbers of the project against numbers from outside it.

    Parameters
    ----------
    method
        The function that made ours, or its name in full.
    source
        "Program or paper: which command, table or page".
    ours, theirs
        Numbers, arrays, Series, frames or mappings of one shape; named ones are paired by name.
    atol, rtol
        Largest distance allowed, absolute or relative to theirs.

    Raises
    ------
    AssertionError
        A number is further away, or the shapes differ.
    """
    assert atol > 0 or rtol > 0, "name a tolerance"
    assert ":" in source, "name the program or paper, then a colon, then where it prints the number"
    if isinstance(theirs, Mapping):
        ours = [ours[name] for name in theirs]
        theirs = list(theirs.values())
    if isinstance(ours, pd.Series) and isinstance(theirs, pd.Series):
        ours = ours.loc[theirs.index]
    found, printed = (np.atleast_1d(np.asarray(part, dtype=float)) for part in (ours, theirs))
    np.testing.assert_allclose(found, printed, rtol=rtol, atol=atol, err_msg=source)
    scale = np.where(printed == 0, 1.0, np.abs(printed))
    tolerance = " or ".join([*([f"{atol:.0e}"] if atol else []), *([f"{rtol:.0e} relative"] if rtol else [])])
    ROWS.append(
        Row(_name(method), source, _test(), found.size, tolerance, float(np.max(np.abs(found - printed) / scale)))
    )


def _name(method: Callable[..., Any] | str) -> str:
    plain = method if isinstance(method, str) else f"{method.__module__}.{method.__qualname__}"
    return plain.removeprefix("helpers.")


def _test() -> str:
    """File and name of the running test, without its parameters."""
    path, _, name = os.environ.get("PYTEST_CURRENT_TEST", "::").partition("::")
    return f"{path.removeprefix('tests/')}::{name.split('[')[0].split(' ')[0]}"


def calls_outside(function: Any) -> bool:
    """Whether a test's own code names `outside`."""
    return "outside" in getattr(getattr(function, "__code__", None), "co_names", ())


def write_page(rows: Iterable[Row], path: Path = PAGE) -> None:
    """Write the parity page, and beside the report's modules the methods and sources that its popovers name.

    The page has one row per method, source and test, parameters of a test put together.
    """
    rows = list(rows)
    path.write_text(page(rows), encoding="utf-8")
    named = pd.DataFrame([(row.method, row.source) for row in rows], columns=["method", "source"])
    named.drop_duplicates().sort_values(["method", "source"]).to_csv(CHECKED, index=False, lineterminator="\n")


def named_methods(path: Path = PAGE) -> set[tuple[str, str]]:
    """Methods and sources that the page names."""
    rows = [line.strip().strip("|").strip() for line in path.read_text(encoding="utf-8").splitlines()]
    named = [row.rsplit(" | ", 4)[0].split(" | ", 1) for row in rows if row.startswith("`")]
    return {(method.strip("`"), source) for method, source in named}


def page(rows: list[Row]) -> str:
    """The page as text."""
    table = pd.DataFrame([vars(row) for row in rows])
    programs = sorted({_program(row.source) for row in rows} - {WRITTEN_OUT}, key=str.lower)
    foreign = sum(row.count for row in rows if _program(row.source) != WRITTEN_OUT)
    lines = [
        HEAD,
        f"{foreign} numbers from {len(programs)} programs and papers, and {table['count'].sum() - foreign} written out.",
        "",
        f"Programs and papers: {'; '.join(programs)}.",
    ]
    for package, part in table.groupby(table["method"].str.split(".").str[0]):
        lines += [
            "",
            f"## {package}",
            "",
            "| method | source | numbers | tolerance | off by | test |",
            "|---|---|--:|---|---|---|",
        ]
        for (method, source, test), own in part.groupby(["method", "source", "test"]):
            tolerances = ", ".join(sorted(set(own["tolerance"])))
            lines.append(
                f"| `{method}` | {source} | {own['count'].sum()} | {tolerances} | {_power(own['distance'].max())} | `{test}` |"
            )
    return "\n".join(lines) + "\n"


def named_on_page(path: Path = PAGE) -> set[str]:
    """Tests that the page names."""
    if not path.is_file():
        return set()
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {line.rstrip("| ").rsplit("`", 2)[1] for line in rows}


def _program(source: str) -> str:
    return source.split(":")[0].strip()


def _power(distance: float) -> str:
    """The distance rounded up to a power of ten; below 1e-12 it is rounding, which differs between processors."""
    return f"{'' if distance > SEEN else '< '}1e{int(np.ceil(np.log10(max(distance, SEEN)) - 1e-9)):+03d}"
