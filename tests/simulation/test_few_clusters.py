"""What the baseline notebook says of standard errors and few clusters.

Numbers from outside: exact enumeration over Grunfeld's ten firms (252 and 254 of 1,024 sign patterns) and its jackknife
p-value, invest ~ capital | firm + year; printed digits.
"""

import numpy as np
import pandas as pd
import pytest

from diagnostics.test_neighbours import grunfeld
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.panel import PanelFit, fit_panel
from helpers.results.estimate import Estimate
from helpers.simulation.few_clusters import (
    Method,
    ends,
    few_cluster_table,
    few_cluster_tests,
    has_coordinates,
    passport_estimates,
    passport_table,
)
from outside import outside


@pytest.fixture
def fit() -> PanelFit:
    return fit_panel(grunfeld(), "invest", ["capital"], entity_effects=True, time_effects=True)


def no_places() -> pd.DataFrame:
    return pd.DataFrame(index=grunfeld().index.unique(0))


def few(fit: PanelFit) -> dict[str, Method]:
    wild = wild_cluster_bootstrap(fit, "capital", interval=True)
    return few_cluster_tests(fit, "capital", wild, draws=999, rng=np.random.default_rng(1))


def test_exact_bootstrap_of_grunfeld_with_and_without_ties(fit: PanelFit) -> None:
    row = few_cluster_table(few(fit)).loc["wild"]
    assert (row["p_value"], row["p_value_strict"]) == (254 / 1024, 252 / 1024)


def test_a_p_value_of_every_sign_pattern_holds_no_draws_that_would_round_it(fit: PanelFit) -> None:
    made = few(fit)
    assert (made["wild"].note, made["wild"].found.draws) == ("every sign pattern", None)
    assert (made["wild_webb"].note, made["wild_webb"].found.draws) == ("drawn", 999)


def test_jackknife_of_grunfeld(fit: PanelFit) -> None:
    found = few(fit)["cr3"].found
    assert found is not None
    outside(
        "helpers.inference.small_sample.cr3", "Stata: vce(jackknife, mse), Grunfeld", found.p_value, 0.211, atol=5e-4
    )


def test_a_method_that_the_sample_does_not_allow_says_why() -> None:
    alone = grunfeld().assign(alone=grunfeld()["value"].where(grunfeld().index.get_level_values(0) == "IBM", 0.0))
    single = fit_panel(alone, "invest", ["alone", "capital"], entity_effects=True, time_effects=True)
    wild = wild_cluster_bootstrap(single, "alone", interval=True)
    made = few_cluster_tests(single, "alone", wild, draws=99, rng=np.random.default_rng(1))
    assert made["cr3"].found is None
    assert made["cr3"].note.startswith("not made: alone without cluster IBM")
    assert np.isnan(few_cluster_table(made)["p_value"].to_dict()["cr3"])


def test_passport_has_at_least_twelve_conventions(fit: PanelFit) -> None:
    found = passport_estimates(passport_table(fit, "capital", no_places(), cutoff_km=500), fit["capital"])
    assert len(found) >= 12
    assert ends(found, "std_error")[1] == "cr3"
    outside(
        "helpers.inference.passport",
        "Stata: Grunfeld, two-way effects",
        found["stata"].std_error,
        0.06328129,
        atol=5e-9,
    )


@pytest.mark.parametrize(("columns", "there"), [({}, False), ({"latitude": range(10), "longitude": "3.5"}, True)])
def test_conley_is_in_the_passport_where_there_are_coordinates(fit: PanelFit, columns: dict, there: bool) -> None:
    places = no_places().assign(**columns)
    assert has_coordinates(places) is there
    assert ("conley" in passport_table(fit, "capital", places, cutoff_km=300).index) is there


def test_ends_are_the_smallest_and_the_largest() -> None:
    found = {name: Estimate(estimate=0.0, p_value=p) for name, p in (("a", 0.3), ("b", 0.01), ("c", 0.9))}
    assert ends(found) == ("b", "c")
