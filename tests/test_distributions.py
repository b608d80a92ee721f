"""Distributions against scipy.stats, which is the truth: equal to the last bit, at the ends and beyond them too."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import distributions

POINTS = np.array([-np.inf, -1e3, -40.0, -2.5, -1e-9, 0.0, 1e-300, 0.3, 1.96, 7.0, 38.5, 1e8, np.inf, np.nan])
SHARES = np.array([-0.1, 0.0, 1e-300, 1e-12, 0.025, 0.5, 0.8, 0.975, 1 - 1e-16, 1.0, 1.1, np.nan])
FREEDOM = [-1.0, 0.0, 0.5, 1.0, 2.0, 30.0, 216.0, 1e6, 1e300, np.inf, np.nan]
PARAMETERS: dict[str, list[tuple[float, ...]]] = {
    "norm": [()],
    "t": [(df,) for df in FREEDOM],
    "chi2": [(df,) for df in FREEDOM],
    "f": [(first, second) for first in FREEDOM for second in FREEDOM],
}


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("method", ["sf", "isf", "cdf", "ppf"])
def test_every_number_is_that_of_scipy_stats(name, method):
    at = POINTS if method in ("sf", "cdf") else SHARES
    for parameters in PARAMETERS[name]:
        ours = getattr(getattr(distributions, name), method)(at, *parameters)
        theirs = getattr(getattr(stats, name), method)(at, *parameters)
        np.testing.assert_array_equal(ours, theirs, err_msg=str(parameters))


def test_a_number_gives_a_number_and_a_column_an_array():
    assert isinstance(distributions.t.sf(2.0, 30), float)
    assert isinstance(distributions.norm.isf(0.025), float)
    column = pd.Series([1, 2, 3], index=list("abc"))
    given: dict[str, tuple[Any, ...]] = {"t": (column + 5,), "f": (2, column), "chi2": (column,), "norm": ()}
    for name, parameters in given.items():
        ours = getattr(distributions, name).sf(column, *parameters)
        theirs = getattr(stats, name).sf(column, *parameters)
        assert type(ours) is type(theirs) is np.ndarray
        np.testing.assert_array_equal(ours, theirs)


def test_neither_a_check_nor_a_report_nor_a_notebook_waits_for_scipy_stats():
    code = (
        "import sys, helpers.runner.check, helpers.report.report, helpers.notebook; print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
