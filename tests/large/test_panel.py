"""Panels on disk: the numbers of the modules that work in memory, and a message for every bad file.

Tolerance: 1e-12 for index weights (sums in another order).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.large.index import index_large_panel
from helpers.large.panel import LargePanel, check_large_panel, read_large_panel

SPEC = {
    "indicators": {
        "plain": {"direction": 1},
        'odd "name"; DROP TABLE panel': {"direction": -1},
        "zeros": {"direction": 1},
        "large": {"direction": 1},
    }
}
NAMES = list(SPEC["indicators"])


def make_panel(n_entities: int = 60, n_times: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    index = pd.MultiIndex.from_product(
        [[f"企业 {n}" for n in range(n_entities)], range(2001, 2001 + n_times)], names=["firm", "year"]
    )
    n = len(index)
    own = np.repeat(rng.normal(size=n_entities), n_times)
    columns = {
        NAMES[0]: rng.normal(size=n) + own,
        NAMES[1]: np.exp(rng.normal(size=n)),
        NAMES[2]: np.where(rng.random(n) < 0.4, 0.0, rng.random(n)),
        NAMES[3]: 1e9 + 1e6 * rng.random(n),
        "x": rng.normal(size=n) + own,
    }
    panel = pd.DataFrame(columns, index=index)
    return panel.assign(y=0.5 * panel["plain"] + panel["x"] + own + rng.normal(size=n)).sort_index()


def write(panel: pd.DataFrame, folder: Path, kind: str = "csv") -> Path:
    path = folder / f"firms [1]*.{kind}"
    if kind == "csv":
        panel.reset_index().to_csv(path, index=False)
    else:
        panel.reset_index().to_parquet(path)
    return path


def read(path: Path, **options: Any) -> LargePanel:
    return read_large_panel(path, path.parent / "run", entity="firm", time="year", **options)


@pytest.fixture(params=["csv", "parquet"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LargePanel]:
    with read(write(make_panel(), tmp_path, request.param)) as panel:
        yield panel


def test_weights_are_those_of_the_index_in_memory(large: LargePanel) -> None:
    expected = composite_index(make_panel(), SPEC)
    found = index_large_panel(large, SPEC)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.entropies, expected.entropies, rtol=0, atol=1e-12)


def test_the_check_describes_figures_and_counts_the_missing(tmp_path: Path) -> None:
    data = make_panel().iloc[1:]
    data.loc[data.index[[3, 77]], "x"] = np.nan
    with read(write(data, tmp_path)) as panel:
        columns = check_large_panel(panel)
    assert (columns["n"] + columns["missing"]).tolist() == [479] * len(columns)
    assert (columns.loc["x", "missing"], columns["missing"].sum()) == (2, 2)
    np.testing.assert_allclose(columns["mean"], data.mean()[columns.index], rtol=1e-12)


def test_every_way_to_write_an_empty_cell_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("firm,year,v\na,1,\na,2,NA\nb,1,nan\nb,2,.\nc,1,5\n")
    with read(path) as panel:
        assert check_large_panel(panel)[["n", "missing"]].to_numpy().tolist() == [[1, 4]]


def test_the_figures_within_range_pass(large: LargePanel) -> None:
    assert check_large_panel(large, {"zeros": (0, 1), "large": (None, 2e9)})["n"].all()


def test_nothing_is_written_outside_the_run_folder(tmp_path: Path) -> None:
    path = write(make_panel(), tmp_path)
    read(path).close()
    assert {item.name for item in tmp_path.iterdir()} == {path.name, "run"}


def test_a_second_reading_starts_anew(tmp_path: Path) -> None:
    path = write(make_panel(), tmp_path)
    read(path).close()
    with read(path, columns=["x"]) as panel:
        assert (panel.n_rows, panel.columns) == (480, ("x",))


HEAD = "firm,year,v,w\n"
BAD_FILES = {
    "text in a cell": (HEAD + "a,1,2,3\na,2,two,3\nb,1,4,4\n", "column v, row 2: 'two' is no number"),
    "thousands separator": (HEAD + 'a,1,"1,000",3\na,2,2,3\n', "column v, row 1: '1,000' is no number"),
    "a year that is none": (HEAD + "a,1,2,3\na,2020Q1,2,3\n", "column year, row 2"),
    "formula": (HEAD + "a,1,=1+1,3\n", "column v, row 1"),
    "no row": (HEAD, "no row"),
    "empty entity": (HEAD + ",1,2,3\na,2,3,3\n", "1 rows have no entity"),
    "no such column": ("firm,v\na,1\n", "column year: the file has no such column"),
    "empty file": ("", "cannot be read|no such column"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_told(name: str, tmp_path: Path) -> None:
    text, told = BAD_FILES[name]
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(StudyError, match=told):
        read(path)


BAD_PANELS: dict[str, tuple[str, dict[str, Any], str]] = {
    "duplicate key": (HEAD + "a,1,2,3\nb,1,3,3\na,1,4,3\n", {}, "firm a, year 1: the row is there 2 times"),
    "below": (
        HEAD + "a,1,2,3\nb,1,-3,3\n",
        {"v": (0, None)},
        r"column v, firm b, year 1 \(and 0 more\): -3 is below the minimum 0",
    ),
    "above": (HEAD + "a,1,2,3\nb,1,3,3\n", {"v": (None, 2.5)}, "3 is above the maximum 2.5"),
    "infinite": (HEAD + "a,1,inf,3\nb,1,3,3\n", {}, "column v, firm a, year 1 .*inf is infinite"),
    "range of nothing": (HEAD + "a,1,2,3\n", {"q": (0, 1)}, "column q: it was not read"),
}


@pytest.mark.parametrize("name", BAD_PANELS)
def test_a_bad_panel_is_told(name: str, tmp_path: Path) -> None:
    text, ranges, told = BAD_PANELS[name]
    path = tmp_path / "a.csv"
    path.write_text(text)
    with read(path) as panel, pytest.raises(StudyError, match=told):
        check_large_panel(panel, ranges)


BAD_INDICES: dict[str, tuple[str, dict[str, Any], str]] = {
    "constant": ("a,1,2,3\nb,1,4,3\n", {}, "column w: it is constant"),
    "missing": ("a,1,2,3\nb,1,4,\nc,1,4,5\n", {}, "column w: 1 of 3 cells are missing"),
    "infinite": ("a,1,2,3\nb,1,4,inf\n", {}, "column w: a figure is infinite"),
    "direction": ("a,1,2,3\nb,1,4,5\n", {"indicators": {"v": {"direction": 2}, "w": {}}}, "neither"),
    "one indicator": ("a,1,2,3\nb,1,4,5\n", {"indicators": {"v": {}}}, "two or more"),
    "unknown": ("a,1,2,3\nb,1,4,5\n", {"indicators": {"v": {}, "q": {}}}, "column q: it was not read"),
    "method": ("a,1,2,3\nb,1,4,5\n", {"method": {"weights": "critic"}}, "method.weights.*every row at once"),
}


@pytest.mark.parametrize("name", BAD_INDICES)
def test_a_bad_index_is_told(name: str, tmp_path: Path) -> None:
    text, spec, told = BAD_INDICES[name]
    path = tmp_path / "a.csv"
    path.write_text(HEAD + text)
    with read(path) as panel, pytest.raises(StudyError, match=told):
        index_large_panel(panel, {"indicators": {"v": {"direction": 1}, "w": {"direction": 1}}, **spec})


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such file"):
        read(tmp_path / "none.csv")


def test_a_picture_by_the_name_of_a_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(StudyError, match="cannot be read"):
        read(path)


def test_dates_in_place_of_numbers_are_told(tmp_path: Path) -> None:
    data = make_panel().assign(day=pd.Timestamp("2020-01-01"))
    with pytest.raises(StudyError, match="column day: it holds TIMESTAMP"):
        read(write(data, tmp_path, "parquet"))


def test_a_column_asked_for_twice_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="asked for twice"):
        read(write(make_panel(), tmp_path), columns=["x", "x"])
