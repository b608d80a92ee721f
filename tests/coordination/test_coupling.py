"""Coupling coordination.

Outside: Wang et al. (2021), Journal of Natural Resources 36(3), table 8, prints the plain and the modified coupling degree
of two systems for 13 cities. Two numbers for two unknowns: the systems' scores are solved from each printed pair below by
closed forms that share no code with the package, and must be scores (in [0, 1]) whose two degrees are the printed ones.
Tolerance 5e-5, half a unit of the fourth printed digit.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.coordination.coupling import CLASSES, count_grades, couple_systems, describe_coupling, grade
from helpers.errors import StudyError
from outside import outside

# Year 2008: Beijing, Tianjin, Shijiazhuang, Tangshan, Qinhuangdao, Handan, Xingtai, Baoding.
PLAIN = (0.9989, 0.9935, 0.8868, 0.9073, 0.6821, 0.8328, 0.6816, 0.7789)
MODIFIED = (0.9404, 0.8660, 0.5440, 0.5769, 0.3006, 0.4780, 0.3344, 0.4171)


def make_scores(n: int = 40, systems: int = 3, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"u{i}" for i in range(n // 4)], range(4)], names=["unit", "time"])
    return pd.DataFrame(rng.uniform(0.02, 0.98, (n, systems)), index, [f"s{k}" for k in range(systems)])


def solve_two_systems(plain: float, modified: float) -> tuple[float, float]:
    root = (1 - np.sqrt(1 - plain**2)) / plain  # of 2 sqrt(r) / (1 + r) = C, r the smaller over the larger score
    ratio = root**2
    larger = (1 - modified**2 / ratio) / (1 - ratio)  # of (1 - U (1 - r)) r = C*^2
    return larger, larger * ratio


@pytest.mark.outside
def test_both_degrees_are_those_of_the_published_correction():
    solved = [solve_two_systems(*pair) for pair in zip(PLAIN, MODIFIED, strict=True)]
    scores = pd.DataFrame(solved, pd.MultiIndex.from_product([range(8), [2008]]), ["ecology", "economy"])
    assert scores.to_numpy().min() > 0
    assert scores.to_numpy().max() < 1
    table = couple_systems(scores).table
    source = "Wang et al. (2021): table 8, 2008"
    outside(couple_systems, source, table["coupling"].to_numpy(), np.array(PLAIN), atol=5e-5)
    outside(couple_systems, source, table["modified"].to_numpy(), np.array(MODIFIED), atol=5e-5)


@pytest.mark.outside
@pytest.mark.parametrize("systems", [2, 3, 5])
def test_coupling_is_the_geometric_over_the_arithmetic_mean(systems: int):
    scores = make_scores(systems=systems)
    table = couple_systems(scores).table
    by_logs = np.exp(np.log(scores).mean(axis=1)) / scores.mean(axis=1)
    outside(couple_systems, "written out: by logarithms", table["coupling"].to_numpy(), by_logs.to_numpy(), rtol=1e-12)
    other_form = (scores.prod(axis=1) / scores.mean(axis=1) ** systems) ** (1 / systems)
    outside(
        couple_systems, "written out: the other form", table["coupling"].to_numpy(), other_form.to_numpy(), rtol=1e-12
    )
    geometric = np.exp(np.log(scores).mean(axis=1))
    assert np.allclose(table["degree"] ** 2, geometric, rtol=1e-12)


def test_the_common_wrong_forms_are_refused():
    scores = make_scores()
    u1, u2, u3 = (scores[name].to_numpy() for name in scores)
    right = couple_systems(scores).table["coupling"].to_numpy()
    without_factor = (u1 * u2 * u3 / ((u1 + u2) * (u1 + u3) * (u2 + u3))) ** (1 / 3)
    assert without_factor.max() <= 0.5 + 1e-12
    assert np.abs(2 * without_factor - right).max() > 0.02, "nor is it half of the right one"
    without_root = u1 * u2 * u3 / ((u1 + u2 + u3) / 3) ** 3
    assert np.abs(without_root - right).max() > 0.1
    assert right.max() > 0.9


def test_equal_systems_couple_fully_whatever_their_level():
    scores = make_scores()
    scores[:] = scores[["s0"]].to_numpy()
    table = couple_systems(scores).table
    assert np.allclose(table["coupling"], 1)
    assert np.allclose(table["modified"], 1)
    assert np.allclose(table["degree"], np.sqrt(scores["s0"]))


def test_a_score_of_zero_is_named_and_makes_the_degree_zero():
    scores = make_scores()
    scores.iloc[3, 1] = 0.0
    found = couple_systems(scores)
    assert found.zeros == (scores.index[3],)
    assert found.table.iloc[3][["coupling", "degree", "modified"]].tolist() == [0, 0, 0]
    assert found.table["grade"].iloc[3] == 1


@pytest.mark.parametrize("value, rule", [(1.2, "outside 0 to 1"), (np.nan, "missing"), (-0.1, "outside 0 to 1")])
def test_scores_that_are_no_scores_are_refused(value: float, rule: str):
    scores = make_scores()
    scores.iloc[5, 2] = value
    with pytest.raises(StudyError, match=rule):
        couple_systems(scores)


def test_one_system_and_rows_of_zeros_are_refused():
    scores = make_scores()
    with pytest.raises(StudyError, match="1 system"):
        couple_systems(scores[["s0"]])
    scores.iloc[0] = 0.0
    with pytest.raises(StudyError, match="every system is 0"):
        couple_systems(scores)


def test_ten_classes_are_cut_at_tenths():
    assert grade(np.array([0, 0.1, 0.1001, 0.55, 0.9, 0.95, 1.0])).tolist() == [1, 1, 2, 6, 9, 10, 10]
    counts = count_grades(couple_systems(make_scores()))
    assert counts.to_numpy().sum() == 40
    assert set(counts.index) <= set(CLASSES)


def test_means_are_told_for_the_ends_and_every_region():
    scores = make_scores()
    found = couple_systems(scores)
    regions = pd.Series(["a"] * 5 + ["b"] * 5, index=[f"u{i}" for i in range(10)])
    table = describe_coupling(found, regions)
    assert list(table.index) == ["first", "last", "a", "b"]
    first = found.table["degree"][found.table.index.get_level_values("time") == 0]
    assert table.loc["first", "degree"] == pytest.approx(first.mean())
