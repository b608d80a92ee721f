"""What a run is said to take: the sum that the model states, by hand; the size of a study without reading its figures."""

from pathlib import Path

import pytest

from helpers.errors import StudyError
from helpers.study.cost import (
    Costs,
    Expectation,
    NotebookCost,
    Size,
    count_sets,
    describe,
    expect,
    measure_size,
    read_costs,
)
from helpers.study.study import load_study

ROOT = Path(__file__).resolve().parents[2]
ONE = {"start": 2.0, "once": 10.0, "again": 0.5, "memory": 500.0, "bytes": 100.0, "most": 50.0}
COSTS = Costs(
    measured="", parameters={"draws": "rows", "signs": "units", "most": "sets"},
    notebooks={"a": NotebookCost(**ONE), "b": NotebookCost(**(ONE | {"start": 1.0, "again": 0.0}))},
)  # fmt: skip
SIZE = Size(rows=100_000, units=5_000, columns=10)


def known(found: Expectation | None) -> Expectation:
    assert found is not None
    return found


def test_seconds_and_memory_are_the_sum_that_is_stated():
    # A million cells. a: 2 + 10 + 0.5 x (40 draws + 200 signs x 5,000 units / a million) = 32.5; b: 11.
    asked = {"a": {"draws": 40, "signs": 200}, "b": {}, "my_own": {"draws": 10**9}}
    one, two = (known(expect(COSTS, SIZE, asked, workers)) for workers in (1, 2))
    assert (one.seconds, one.memory, one.longest) == (43.5, 600, ("a", 32.5))
    assert (two.seconds, two.memory) == (32.5, 700)
    assert expect(COSTS, SIZE, {"my_own": {}}, 1) is None
    assert expect(COSTS, SIZE, {"a": {"draws": 1000}}, 1) is None


@pytest.mark.parametrize(
    ("size", "most", "sets"),
    [
        (Size(217, 31, 5), 3, 31 + 465 + 4495),
        (Size(3500, 350, 5), 2, 350),
        (SIZE, 1, 500),
        (Size(10**9, 10**6, 5), 1, 1),
    ],
)
def test_sets_of_units_are_counted_as_they_are_left_out(size: Size, most: int, sets: int):
    assert count_sets(size, most) == sets


@pytest.mark.parametrize(("free", "warned"), [(None, False), (800.0, False), (600.0, True)])
def test_a_machine_with_too_little_memory_is_warned_of(free: float | None, warned: bool):
    study = load_study(ROOT / "data" / "provinces")
    found = known(expect(COSTS, SIZE, {"a": {}, "b": {}}, 2))
    lines = describe(found, SIZE, study, free)
    assert any(line.startswith("warning") for line in lines) is warned
    assert any("--preset quick" in line for line in lines) is warned
    assert "engine: disk" not in " ".join(lines)
    large = Size(rows=500_000, units=25_000, columns=10)
    assert any("engine: disk" in line for line in describe(found, large, study, 600.0))


def test_the_size_of_a_study_is_that_of_its_tables_at_most():
    provinces = measure_size(load_study(ROOT / "data" / "provinces"))
    assert (provinces.units, provinces.rows >= 217) == (31, True)
    countries = measure_size(load_study(ROOT / "data" / "countries"))
    assert 1757 <= countries.rows <= countries.units * 21


def test_every_notebook_has_its_costs_and_a_broken_file_is_told(tmp_path: Path):
    costs = read_costs(ROOT / "notebooks")
    names = {path.stem for path in (ROOT / "notebooks").glob("[0-9]*.py") if "on_disk" not in path.stem}
    assert names | {"report"} == set(costs.notebooks)
    assert read_costs(tmp_path) is None
    (tmp_path / "cost.yml").write_text(
        "measured: here\nparameters: {}\nnotebooks: {a: {start: -1}}\n", encoding="utf-8"
    )
    with pytest.raises(StudyError, match=r"cost\.yml: notebooks\.a\.start: [^\n]*\n.*bench_cost"):
        read_costs(tmp_path)
