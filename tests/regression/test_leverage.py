"""Who holds the variation that identifies an estimate (1e-10: the same residuals by statsmodels with dummies)."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers.regression.leverage import find_leverage
from helpers.regression.panel import fit
from helpers.study.model import Model
from outside import outside
from reference.panels import grunfeld

FIRMS = Model("inv", "value", ("capital",), entity="firm", time="year")


@pytest.mark.parametrize(
    ("effects", "formula"),
    [((), "value ~ capital"), (("entity", "time"), "value ~ capital + C(firm) + C(year)")],
)
def test_shares_are_those_of_the_residuals_of_the_treatment(effects, formula):
    rows = grunfeld().reset_index()
    squares = smf.ols(formula, rows).fit().resid ** 2
    written = (squares.groupby(rows["firm"]).sum() / squares.sum()).sort_values(ascending=False)
    shares = find_leverage(grunfeld(), FIRMS.with_(effects=effects)).shares
    assert list(shares.index) == list(written.index)
    outside(find_leverage, "statsmodels: residuals of the treatment", shares, written, rtol=1e-10)
    assert shares.sum() == pytest.approx(1.0)


def test_without_the_heaviest_entity_the_rest_is_fitted_anew():
    held = find_leverage(grunfeld(), FIRMS)
    rest = grunfeld().drop(held.heaviest, level=0)
    assert held.without_heaviest == fit(rest, FIRMS)["value"]
    assert held.top(10) == pytest.approx(1.0)
    assert held.top(1) == held.shares.iloc[0]


def test_an_estimate_that_one_entity_carries_alone_is_none_without_it():
    alone = grunfeld()["value"].where(grunfeld().index.get_level_values(0) == "IBM", 0.0)
    held = find_leverage(grunfeld().assign(value=alone), FIRMS)
    assert (held.heaviest, held.without_heaviest) == ("IBM", None)
    assert held.shares_of_effects["IBM"] == pytest.approx(held.shares_of_effects.max())


def test_shares_do_not_depend_on_units():
    scaled = grunfeld().assign(value=grunfeld()["value"] * 1e-7, capital=grunfeld()["capital"] * 1e7)
    pd.testing.assert_series_equal(
        find_leverage(scaled, FIRMS).shares, find_leverage(grunfeld(), FIRMS).shares, rtol=1e-9
    )
    assert np.isfinite(find_leverage(scaled, FIRMS).shares).all()
