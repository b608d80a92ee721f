"""What notebook 09 records beside its headline: the spread of further columns."""

import numpy as np
import pandas as pd
import pytest

from helpers.coordination import shown
from helpers.disparity.divergence import sigma_trend, upper_lower_gap
from helpers.results.results import Results
from small_study import make_study


def make_column() -> pd.Series:
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([[f"u{i}" for i in range(9)], range(2015, 2022)], names=["unit", "year"])
    return pd.Series(1 + rng.random(63), index)


def test_every_measure_of_a_further_column_has_its_key_and_its_row():
    found = {"size": shown.divergence_estimates(make_column(), 3, draws=49, rng=np.random.default_rng(1))}
    results = Results(study="small", notebook="09_coordination")
    shown.record_divergences(results.record, found)
    assert set(results) == {f"divergence.size.{name}" for name in ("sigma", "gini_change", "points")}
    table = shown.divergence_table(found, make_study())
    assert len(table) == 3
    assert table["estimate"].to_numpy() == pytest.approx([item.estimate for item in found["size"].values()])


def test_the_bootstrap_stands_beside_the_trend_and_the_points_of_the_same_column():
    column = make_column()
    found = {"sigma": sigma_trend(column), "points": upper_lower_gap(column)}
    wild = shown.divergence_wilds(column, 3, found, draws=99, rng=np.random.default_rng(1))
    assert {name: item.estimate for name, item in wild.items()} == pytest.approx(
        {name: item.estimate for name, item in found.items()}
    )
