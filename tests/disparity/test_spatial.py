"""Spatial pattern.

Source: esda 2.9 with libpysal weights, to 1e-12 because both form the same sums; R 4.2.2 with spdep 1.2-7, moran.test and
localmoran(mlvar = FALSE) with style "W", to its fifteen digits; the file of the provincial study is checked against facts
that any map shows.
"""

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from helpers.disparity.spatial import local_moran, moran_by_time, moran_test, read_contiguity
from helpers.errors import StudyError
from outside import outside

ROOT = Path(__file__).resolve().parents[2]
PROVINCES = ROOT / "data" / "provinces"
NAMES = list("abcdefgh")
PAIRS = ["a,b", "b,c", "c,d", "d,e", "e,f", "f,g", "g,h", "h,a", "a,e", "b,g"]


def write_pairs(folder: Path, pairs: list[str]) -> Path:
    path = folder / "contiguity.csv"
    path.write_text("\n".join(["one,other,border", *(f"{pair},land" for pair in pairs)]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def contiguity(tmp_path: Path) -> pd.DataFrame:
    return read_contiguity(write_pairs(tmp_path, PAIRS), NAMES)


@pytest.fixture
def values() -> "pd.Series[float]":
    return pd.Series(np.random.default_rng(1).lognormal(size=8), index=NAMES)


def esda_weights(contiguity: pd.DataFrame) -> Any:
    from libpysal.weights import W

    weights = W({name: row.index[row > 0].tolist() for name, row in contiguity.iterrows()}, id_order=NAMES)
    weights.transform = "r"
    return weights


def test_global_moran_agrees_with_esda(contiguity: pd.DataFrame, values: "pd.Series[float]") -> None:
    weights = esda_weights(contiguity)
    from esda.moran import Moran

    expected = Moran(values.to_numpy(), weights, permutations=0)
    found = moran_test(values, contiguity, np.random.default_rng(1), 99)
    outside(moran_test, "esda: Moran", [found.estimate, found.expected], [expected.I, expected.EI], atol=1e-12)


def test_local_moran_agrees_with_esda(contiguity: pd.DataFrame, values: "pd.Series[float]") -> None:
    weights = esda_weights(contiguity)
    from esda.moran import Moran_Local

    expected = Moran_Local(values.to_numpy(), weights, permutations=0)
    found = local_moran(values, contiguity, np.random.default_rng(1), 99)
    outside(local_moran, "esda: Moran_Local", found["estimate"], expected.Is, atol=1e-12)
    quadrants = {1: "high-high", 2: "low-high", 3: "low-low", 4: "high-low"}
    assert found["quadrant"].tolist() == [quadrants[quadrant] for quadrant in expected.q]


def test_figures_with_ties_in_a_large_unit_are_those_of_spdep(contiguity: pd.DataFrame) -> None:
    figures = pd.Series([1e6, 3e6, 3e6, 9e6, 7e6, 2e6, 1e6, 5e6], index=NAMES)
    everywhere = moran_test(figures, contiguity, np.random.default_rng(1), 99)
    numbers = [0.0184005661712668, -0.142857142857143]
    outside(moran_test, "R spdep: moran.test", [everywhere.estimate, everywhere.expected], numbers, rtol=1e-12)
    local = local_moran(figures, contiguity, np.random.default_rng(1), 99)["estimate"]
    numbers = [-0.3845541401273885, 0.2297416843595187, -0.2210721868365181, 0.6855095541401274,
               0.0464437367303609, -0.0278662420382166, 0.1851556970983722, -0.3845541401273885]  # fmt: skip
    outside(local_moran, "R spdep: localmoran", local, numbers, rtol=1e-12)


def test_p_is_close_to_that_of_all_permutations(tmp_path: Path) -> None:
    ring = read_contiguity(write_pairs(tmp_path, ["a,b", "b,c", "c,d", "d,e", "e,f", "f,a"]), NAMES[:6])
    values = np.array([9.0, 7.5, 6, 1, 2.2, 3])
    weights = ring.to_numpy() / 2

    def moran(figures: np.ndarray) -> float:
        deviations = figures - figures.mean()
        return float(deviations @ weights @ deviations / (deviations @ deviations))

    every = np.array([moran(np.array(order)) for order in permutations(values)])
    exact = (np.abs(every + 1 / 5) >= abs(moran(values) + 1 / 5) - 1e-12).mean()
    found = moran_test(pd.Series(values, index=NAMES[:6]), ring, np.random.default_rng(1), 9999)
    # Three standard errors of a share of 9,999 draws.
    assert abs(found.p_value - exact) < 3 * np.sqrt(exact * (1 - exact) / 9999)


def test_p_is_never_0(contiguity: pd.DataFrame, values: "pd.Series[float]") -> None:
    assert moran_test(values, contiguity, np.random.default_rng(1), 1).p_value >= 0.5


def test_equal_seeds_give_equal_p(contiguity: pd.DataFrame, values: "pd.Series[float]") -> None:
    one, two = (local_moran(values, contiguity, np.random.default_rng(3), 99) for _ in range(2))
    assert one.equals(two)


def test_moran_at_each_time_has_one_row_per_time(contiguity: pd.DataFrame, values: "pd.Series[float]") -> None:
    panel = pd.concat({2015: values, 2016: values[::-1]}, names=["year", "province"]).swaplevel()
    table = moran_by_time(panel, contiguity, np.random.default_rng(1), 9)
    assert_allclose(table["estimate"], moran_test(values, contiguity, np.random.default_rng(1), 9).estimate, atol=1e-12)


def test_moran_of_figures_that_are_all_alike_is_refused(contiguity: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="all entities have the same figure"):
        moran_test(pd.Series(2.0, index=NAMES), contiguity, np.random.default_rng(1))


def test_an_entity_without_a_figure_is_refused(contiguity: pd.DataFrame, values: "pd.Series[float]") -> None:
    with pytest.raises(StudyError, match="entity c: it has no figure"):
        moran_test(values.drop("c"), contiguity, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([*PAIRS, "a,sky"], "line 12, sky: there is no such entity"),
        ([*PAIRS, "b,a"], "line 12, b and a: a pair joins two entities and stands once"),
        ([*PAIRS, "c,c"], "line 12, c and c"),
        (PAIRS[:6], "h: it has no neighbour"),
    ],
)
def test_pairs_that_are_none_are_refused(tmp_path: Path, pairs: list[str], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        read_contiguity(write_pairs(tmp_path, pairs), NAMES)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the file is not there"):
        read_contiguity(tmp_path / "contiguity.csv", NAMES)


@pytest.fixture(scope="module")
def provinces() -> pd.DataFrame:
    units = pd.read_csv(PROVINCES / "units.csv")
    return read_contiguity(PROVINCES / "contiguity.csv", units["province_en"].tolist())


@pytest.mark.parametrize(
    ("province", "neighbours"),
    [("Beijing", 2), ("Shaanxi", 8), ("Inner Mongolia", 8), ("Heilongjiang", 2), ("Hainan", 1), ("Shanghai", 2)],
)
def test_provinces_have_the_neighbours_of_the_map(provinces: pd.DataFrame, province: str, neighbours: int) -> None:
    assert provinces.loc[province].sum() == neighbours


def test_the_one_border_by_convention_is_named() -> None:
    pairs = pd.read_csv(PROVINCES / "contiguity.csv")
    convention = pairs[pairs["border"] == "convention"]
    assert convention[["province_en", "neighbour_en"]].to_numpy().tolist() == [["Guangdong", "Hainan"]]


def test_every_province_has_a_tile_of_its_own() -> None:
    tiles = pd.read_csv(PROVINCES / "tiles.csv")
    units = pd.read_csv(PROVINCES / "units.csv")
    assert sorted(tiles["province_en"]) == sorted(units["province_en"])
    assert not tiles.duplicated(["row", "column"]).any()


def test_pairs_with_an_entity_that_the_sample_leaves_out_are_passed_over(tmp_path):
    path = write_pairs(tmp_path, ["a,b", "b,c", "c,d"])
    assert read_contiguity(path, ["a", "b", "c"], known=["d"]).to_numpy().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    with pytest.raises(StudyError, match=r"line 4, d.*there is no such entity"):
        read_contiguity(path, ["a", "b", "c"])
    with pytest.raises(StudyError, match=r"a.*it has no neighbour"):
        read_contiguity(path, ["a", "c", "d"], known=["b"])
