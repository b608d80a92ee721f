"""Thirty planted causes of a difference, each beside a change that moves nothing: the right one is named first.

The project is a toy whose two notebooks are plain Python, run in this process; copying, swapping and judging are real.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.results.comparison import compare_runs
from helpers.results.numbers import Run, Table
from helpers.results.results import Results
from helpers.review.causes import Cause, Inputs, find_causes, find_factor, first_notebook, read_tree

HELPER = """\
# a comment
LEVEL = 1.0
def scale(x, low, high):
    return (x - low) / (high - low)
def fit(y, d):
    n = len(y)
    my, md = sum(y) / n, sum(d) / n
    return LEVEL * sum((a - my) * (b - md) for a, b in zip(y, d)) / sum((b - md) ** 2 for b in d)
def unused():
    return 3
"""
FIRST = """\
# first
rows = [row for row in raw if int(row["year"]) >= study["first"] and row["place"] not in study["drop"]]
weights = {name: study["weights"][name] * factor for name in ("a", "b")}
for row in rows:
    row["index"] = sum(weights[name] * scale(float(row[name]), 0, 10) for name in weights)
record("first.rows", len(rows))
record("first.mean", sum(row["index"] for row in rows) / len(rows))
table("scores", [(row["place"], row["year"], row["index"]) for row in rows])
"""
SECOND = """\
# second
y = [float(row["y"]) for row in rows]
d = [row["index"] for row in rows]
record("second.slope", fit(y, d))
record("second.draw", sum(((study["seed"] * 7919 * (k + 1)) % 97) / 97 for k in range(draws)) / draws)
"""
STUDY = {"first": 2001, "drop": [], "weights": {"a": 0.4, "b": 0.6}, "seed": 5, "title": "A toy"}
RAW = "place,year,a,b,y\n" + "".join(f"p{i},{2000 + t},{i + t},{10 - i * t % 7},{i * 2 - t + 0.5}\n" for i in range(5) for t in range(4))  # fmt: skip


def write_project(root: Path) -> Path:
    files = {
        "src/helpers/toy.py": HELPER,
        "src/helpers/other.py": "X = 1\n",
        "notebooks/01_first.py": FIRST,
        "notebooks/02_second.py": SECOND,
        "data/toy/study.yml": json.dumps(STUDY, indent=1),
        "data/toy/claims.yml": "claims: {}\n",
        "data/toy/raw/rows.csv": RAW,
        "data/toy/raw/spare.csv": "1\n",
        "data/toy/units.csv": "place,big\n" + "".join(f"p{i},{int(i < 2)}\n" for i in range(5)),
        "requirements.lock": "numpy==1\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def run_toy(root: Path, options: Any = (), notebook: str = "", nudge: float = 0.0) -> Run | str:
    """Run the toy's notebooks up to one; ``nudge`` is what another machine adds to a slope."""
    results = Results(study="toy")
    tables: dict[str, Table] = {}
    values = dict(part.split("=") for part in options if "=" in part)
    study = json.loads((root / "data/toy/study.yml").read_text(encoding="utf-8"))
    big = {row["place"]: row["big"] for row in read_rows(root / "data/toy/units.csv")}
    raw = [row for row in read_rows(root / "data/toy/raw/rows.csv") if row["place"] in big]
    space: dict[str, Any] = {"raw": raw, "study": study, "factor": float(values.get("factor", 1)), "draws": int(values.get("draws", 3))}  # fmt: skip
    try:
        exec((root / "src/helpers/toy.py").read_text(encoding="utf-8"), space)
        for path in sorted((root / "notebooks").glob("*.py")):
            if notebook and path.stem > notebook:
                break
            own = Results(study="toy", notebook=path.stem)
            space["record"] = lambda key, value, own=own: own.record(
                key, value=value + (nudge if "slope" in key else 0)
            )
            space["table"] = lambda name, rows, path=path: tables.__setitem__(
                name,
                Table(("place", "year", "index"), tuple(tuple(map(str, row)) for row in rows), path.stem, "cell-01"),
            )
            exec(path.read_text(encoding="utf-8"), space)
            for result in own.values():
                results.add(result)
    except (ArithmeticError, AssertionError, LookupError, ValueError) as error:
        return f"swapped alone, the run does not finish ({error})"
    return Run(results, tables)


Change = Callable[[Path], object]


def edit(path: str, old: str, new: str) -> Change:
    def change(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


TOY, ROWS, YML = "src/helpers/toy.py", "data/toy/raw/rows.csv", "data/toy/study.yml"
FIRST_FILE, SECOND_FILE = "notebooks/01_first.py", "notebooks/02_second.py"
DECOYS: dict[str, Change] = {
    "data": edit("data/toy/raw/spare.csv", "1", "2"),
    "study file": edit(YML, "A toy", "Another title"),
    "code": edit(TOY, "# a comment", "# another comment"),
    "unused code": edit(TOY, "return 3", "return 4"),
}
PLANTED: list[tuple[str, Change | str, str]] = [
    ("data", edit(ROWS, "p1,2001,2,", "p1,2001,3,"), "code"),  # one raw cell
    ("data", edit(ROWS, "p1,2001,2,9,1.5", "p1,2001,2,9,-1.5"), "study file"),  # a sign in a raw cell
    ("data", edit(ROWS, "p2,2001", "p2,2002"), "code"),  # a swapped year
    ("data", edit(ROWS, "p4,2003", "p4,2000"), "code"),  # a row out of the window
    ("data", edit(ROWS, "p3,2002", "p9,2002"), "unused code"),  # a unit misspelt
    ("data", edit("data/toy/units.csv", "p4,0\n", ""), "code"),  # a unit that is missing
    ("data", edit(ROWS, "p0,2001,1,", "p0,2001,1e3,"), "code"),  # a unit of measurement
    ("data", edit(ROWS, "p4,2001,5,6,7.5\n", ""), "study file"),  # a row that is missing
    ("study file", edit(YML, '"first": 2001', '"first": 2002'), "code"),
    ("study file", edit(YML, '"drop": []', '"drop": ["p1"]'), "data"),
    ("study file", edit(YML, '"a": 0.4', '"a": 0.5'), "code"),
    ("study file", edit(YML, '"b": 0.6', '"b": -0.6'), "data"),  # a direction
    ("study file", edit(YML, '"seed": 5', '"seed": 6'), "unused code"),
    ("study file", edit(YML, '"a": 0.4,\n  "b": 0.6', '"b": 0.4,\n  "a": 0.6'), "data"),  # two weights changed over
    ("code", edit(TOY, "LEVEL * sum", "-LEVEL * sum"), "data"),  # a flipped sign
    ("code", edit(TOY, "LEVEL = 1.0", "LEVEL = 1.1"), "study file"),
    ("code", edit(TOY, "(high - low)", "(high - low + 1)"), "data"),
    ("code", edit(TOY, "(x - low)", "(high - x)"), "data"),
    ("code", edit(TOY, "** 2 for", "** 4 for"), "study file"),
    ("code", edit(TOY, "sum(d) / n", "sum(d) / (n - 1)"), "data"),
    ("code", edit(FIRST_FILE, '>= study["first"]', '> study["first"]'), "data"),
    ("code", edit(FIRST_FILE, "0, 10)", "0, 11)"), "study file"),
    ("code", edit(SECOND_FILE, "fit(y, d)", "fit(d, y)"), "data"),  # outcome and treatment changed over
    ("code", edit(SECOND_FILE, "7919", "7907"), "data"),
    ("parameter", "draws=5", "code"),
    ("parameter", "draws=50", "data"),
    ("parameter", "factor=2", "study file"),
    ("lock", edit("requirements.lock", "numpy==1", "numpy==2"), "code"),
    ("machine", "", "code"),
    ("machine", "", "data"),
]


def name_first(folder: Path, factor: str, change: Change | str, decoy: str) -> tuple[Cause, ...]:
    roots = [write_project(folder / name) for name in ("one", "two")]
    DECOYS[decoy](roots[1])
    options: tuple[str, ...] = ()
    if isinstance(change, str):
        options = tuple(part for part in ("--set", change) if change)
    else:
        change(roots[1])
    other = 1e-3 if factor in ("machine", "lock") else 0.0
    runs = run_toy(roots[0]), run_toy(roots[1], options, nudge=other)
    assert isinstance(runs[0], Run)
    assert isinstance(runs[1], Run)
    left = compare_runs(runs[0], runs[1]).left
    assert left
    sides = [
        Inputs(root, chosen, read_tree(root, "toy"), {}) for root, chosen in zip(roots, ((), options), strict=True)
    ]
    return find_causes(sides[0], sides[1], (runs[0], runs[1]), first_notebook(left), folder / "work", run_toy)


@pytest.mark.parametrize("place", range(len(PLANTED)))
def test_a_planted_cause_is_named_first(tmp_path, place):
    factor, change, decoy = PLANTED[place]
    causes = name_first(tmp_path, factor, change, decoy)
    assert causes[0].factor == factor
    if factor not in ("lock", "machine"):
        assert causes[0].moved == 1.0
    assert all(not cause.moved for cause in causes[1:])


def test_there_are_thirty_of_them():
    assert len(PLANTED) == 30


def test_a_cause_names_its_file(tmp_path):
    causes = name_first(tmp_path, *PLANTED[0])
    assert causes[0].detail.startswith("data/toy/raw/rows.csv")
    assert str(causes[0]).endswith("(swapped alone, it moves 100% of the numbers that differ to the other side)")


def test_without_the_files_the_record_still_says_what_differs_but_not_that_it_was_tried(tmp_path):
    root = write_project(tmp_path / "one")
    first = Inputs(None, (), read_tree(root, "toy"), {"numpy": "1", "Python": "3.11"})
    DECOYS["data"](root)
    second = Inputs(None, (), read_tree(root, "toy"), {"numpy": "2", "Python": "3.12"})
    run = run_toy(root)
    assert isinstance(run, Run)
    causes = find_causes(first, second, (run, run), "01_first", tmp_path / "work", run_toy)
    assert [(cause.factor, cause.moved) for cause in causes] == [("data", None), ("lock", None), ("machine", None)]
    assert causes[1].detail == "numpy 1 against 2"


def test_a_swap_that_cannot_run_is_told_and_not_named_first(tmp_path):
    roots = [write_project(tmp_path / name) for name in ("one", "two")]
    edit(FIRST_FILE, "# first", "assert 'c' in raw[0]")(roots[1])
    edit(ROWS, "place,year,a,b,y", "place,year,a,c,y")(roots[1])
    shutil.copytree(roots[0], tmp_path / "three")
    sides = [Inputs(root, (), read_tree(root, "toy"), {}) for root in roots]
    run = run_toy(roots[0])
    assert isinstance(run, Run)
    causes = find_causes(sides[0], sides[1], (run, run), "02_second", tmp_path / "work", run_toy)
    assert {cause.factor for cause in causes if "does not finish" in cause.why_not} == {"code", "data"}


@pytest.mark.parametrize(
    ("path", "factor"),
    [
        ("data/x/raw/a.csv", "data"),
        ("data/x/units.csv", "data"),
        ("data/x/study.yml", "study file"),
        ("data/x/claims.yml", "study file"),
        ("src/helpers/a.py", "code"),
        ("notebooks/01_a.py", "code"),
        ("requirements.lock", "lock"),
    ],
)
def test_every_file_belongs_to_a_factor(path, factor):
    assert find_factor(path) == factor
