"""Convergence of each entity to its own path: a panel whose pull is known by construction, to 1e-10 (rounding)."""

import numpy as np
import pandas as pd
import pytest

from helpers.regression.convergence import conditional_convergence


def test_conditional_convergence_finds_the_pull_to_each_own_path() -> None:
    values = np.empty((8, 6))
    levels = np.arange(8.0)
    values[:, 0] = np.random.default_rng(2).normal(size=8)
    for year in range(1, 6):
        values[:, year] = values[:, year - 1] - 0.3 * (values[:, year - 1] - levels) + 0.1 * year
    index = pd.MultiIndex.from_product([list("abcdefgh"), range(2015, 2021)], names=["province", "year"])
    fit = conditional_convergence(pd.DataFrame({"index": values.ravel()}, index=index), "index")
    assert fit.estimates["lagged_level"] == pytest.approx(-0.3, abs=1e-10)
    assert fit.n_obs == 40
