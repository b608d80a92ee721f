"""Several coefficients at once by HTZ, and the wild bootstrap with two kinds of clusters.

Tolerances: 1e-8 relative where the same number is reached with all dummies written out; shares of enumerated draws are
exact.
"""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

from helpers.errors import StudyError
from helpers.inference.small_sample import cr2, htz_wald
from helpers.inference.wild.two_way import two_way_wild_bootstrap
from helpers.regression.panel import fit_panel
from outside import outside
from reference.panels import firm_rows, gappy_grunfeld, grunfeld

TWO_WAY: dict[str, Any] = {"entity_effects": True, "time_effects": True}


def test_htz_of_one_coefficient_is_the_square_of_cr2():
    fit = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"], **TWO_WAY)
    joint, single = htz_wald(fit, ["value"]), cr2(fit, "value")
    assert joint.statistic == pytest.approx(single.statistic**2)
    assert joint.df == (1.0, pytest.approx(single.df))
    assert joint.p_value == pytest.approx(single.p_value)


@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_htz_is_that_of_pustejovsky_and_tipton_with_all_dummies(panel):
    # Their section 3.2: CR2 with every dummy in the hat matrix, then the variance of each element of
    # Omega^(-1/2) V Omega^(-1/2) as a sum over pairs of clusters.
    data = panel().sort_index()
    dummies = pd.get_dummies(data.index.get_level_values(0), dtype=float).to_numpy()
    x = np.column_stack([data[["value", "capital"]].to_numpy(), dummies])
    inverse = np.linalg.inv(x.T @ x)
    left = np.eye(len(x)) - x @ inverse @ x.T
    firms = pd.factorize(data.index.get_level_values(0))[0]
    parts = []
    for firm in range(10):
        own = firms == firm
        values, vectors = np.linalg.eigh(left[np.ix_(own, own)])
        real = values > 1e-8
        root = (vectors[:, real] / np.sqrt(values[real])) @ vectors[:, real].T
        parts.append(inverse[:2] @ x[own].T @ root @ left[own])
    estimates = (inverse @ x.T @ data["inv"].to_numpy())[:2]
    covariance = sum(np.outer(part @ data["inv"], part @ data["inv"]) for part in parts)
    omega = linalg.inv(linalg.sqrtm(sum(part @ part.T for part in parts)))
    scaled = [omega @ part for part in parts]
    spread = sum(
        (a[s] @ b[s]) * (a[t] @ b[t]) + (a[s] @ b[t]) * (a[t] @ b[s])
        for a in scaled
        for b in scaled
        for s, t in product(range(2), repeat=2)
    )
    eta = 2 * 3 / spread
    statistic = (eta - 1) / (eta * 2) * (estimates @ np.linalg.solve(covariance, estimates))
    test = htz_wald(fit_panel(data, "inv", ["value", "capital"], entity_effects=True), ["value", "capital"])
    written = (statistic, eta - 1, stats.f.sf(statistic, 2, eta - 1))
    outside(
        htz_wald,
        "written out: all dummies in the hat matrix",
        (test.statistic, test.df[1], test.p_value),
        written,
        rtol=1e-8,
    )


def test_htz_refuses_more_coefficients_than_the_clusters_carry():
    data = firm_rows(4)
    extra = {f"w{n}": np.random.default_rng(n).normal(size=len(data)) for n in range(6)}
    fit = fit_panel(data.assign(**extra), "inv", ["value", *extra], entity_effects=True)
    with pytest.raises(StudyError, match="too few for"):
        htz_wald(fit, list(fit.regressors))


@pytest.mark.parametrize("most", [0, 50_000_000])
def test_two_way_bootstrap_is_that_of_samples_fitted_one_by_one(most, monkeypatch):
    monkeypatch.setattr("helpers.inference.wild.two_way.MOST_NUMBERS", most)  # 0: as where rows by clusters do not fit
    data = firm_rows(8).sort_index()
    data = data[data.index.get_level_values(1) < 1941]
    options = TWO_WAY | {"cluster": ("entity", "time")}
    fit = fit_panel(data, "inv", ["value", "capital"], **options)
    null = fit_panel(data, "inv", ["value"], **TWO_WAY)
    firms = pd.factorize(data.index.get_level_values(0))[0]
    fitted = data["inv"] - null.residuals
    own, stars = abs(fit.statistics["capital"]), []
    for signs in product([-1.0, 1.0], repeat=8):
        drawn = data.assign(inv=fitted + np.array(signs)[firms] * null.residuals)
        stars.append(abs(fit_panel(drawn, "inv", ["value", "capital"], **options).statistics["capital"]))
    test = two_way_wild_bootstrap(fit, "capital", rng=np.random.default_rng(1))
    assert (test.enumerated, test.n_draws) == (True, 256)
    assert abs(test.statistic) == pytest.approx(own)
    share = float(np.mean(np.array(stars) >= own * (1 - 1e-9)))
    outside(two_way_wild_bootstrap, "written out: samples fitted one by one", test.p_value, share, atol=1e-12)


def test_two_way_bootstrap_needs_two_kinds_of_clusters():
    fit = fit_panel(grunfeld(), "inv", ["capital"], **TWO_WAY)
    with pytest.raises(StudyError, match="needs two cluster variables"):
        two_way_wild_bootstrap(fit, "capital", rng=np.random.default_rng(1))
