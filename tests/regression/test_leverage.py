"""Who holds the variation that identifies an estimate (1e-10: the same residuals by statsmodels with dummies)."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers.regression.leverage import find_leverage
from helpers.regression.panel import fit, fit_panel
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
    shares = find_leverage(fit(grunfeld(), FIRMS.with_(effects=effects)), "value").shares
    assert list(shares.index) == list(written.index)
    outside(find_leverage, "statsmodels: residuals of the treatment", shares, written, rtol=1e-10)
    assert shares.sum() == pytest.approx(1.0)


def test_without_the_heaviest_entity_the_rest_is_fitted_anew():
    held = find_leverage(fit(grunfeld(), FIRMS), "value")
    rest = grunfeld().drop(held.heaviest, level=0)
    refit = fit(rest, FIRMS)["value"]
    assert held.without_heaviest is not None
    assert held.without_heaviest.estimate == pytest.approx(refit.estimate, rel=1e-12)
    assert held.without_heaviest.std_error == pytest.approx(refit.std_error, rel=1e-12)
    assert held.without_heaviest.n_obs == refit.n_obs
    assert held.top(10) == pytest.approx(1.0)
    assert held.top(1) == held.shares.iloc[0]


def test_an_estimate_that_one_entity_carries_alone_is_none_without_it():
    alone = grunfeld()["value"].where(grunfeld().index.get_level_values(0) == "IBM", 0.0)
    held = find_leverage(fit(grunfeld().assign(value=alone), FIRMS), "value")
    assert (held.heaviest, held.without_heaviest) == ("IBM", None)


def test_shares_do_not_depend_on_units():
    scaled = grunfeld().assign(value=grunfeld()["value"] * 1e-7, capital=grunfeld()["capital"] * 1e7)
    pd.testing.assert_series_equal(
        find_leverage(fit(scaled, FIRMS), "value").shares,
        find_leverage(fit(grunfeld(), FIRMS), "value").shares,
        rtol=1e-9,
    )
    assert np.isfinite(find_leverage(fit(scaled, FIRMS), "value").shares).all()


def test_the_estimate_without_the_heaviest_keeps_the_weights_of_its_rows():
    data = grunfeld().assign(w=np.arange(1, len(grunfeld()) + 1.0))
    held = find_leverage(fit(data, FIRMS, weights="w"), "value")
    written = fit(data.drop(held.heaviest, level=0), FIRMS, weights="w")["value"]
    assert held.without_heaviest is not None
    assert held.without_heaviest.estimate == pytest.approx(written.estimate, rel=1e-12)
    assert held.without_heaviest.std_error == pytest.approx(written.std_error, rel=1e-12)


@pytest.mark.parametrize("cluster", ["time", ("entity", "time"), "half", ("entity", "half"), None])
def test_the_estimate_without_the_heaviest_keeps_its_clusters(cluster):
    data = grunfeld().assign(half=[int(year) % 3 for year in grunfeld().index.get_level_values(1)])
    options = {"entity_effects": True, "cluster": cluster, "convention": "hc1" if cluster is None else "stata"}
    held = find_leverage(fit_panel(data, "inv", ["value", "capital"], **options), "value")
    written = fit_panel(data.drop(held.heaviest, level=0), "inv", ["value", "capital"], **options)["value"]
    assert held.without_heaviest is not None
    assert held.without_heaviest.std_error == pytest.approx(written.std_error, rel=1e-12)
    assert held.without_heaviest.df == written.df
