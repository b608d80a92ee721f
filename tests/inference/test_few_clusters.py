"""What the baseline notebook says of standard errors and few clusters.

Numbers from outside: exact enumeration over Grunfeld's ten firms (252 and 254 of 1,024 sign patterns) and its jackknife
p-value, invest ~ capital | firm + year; printed digits.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.display.prose import write_sentence
from helpers.inference.door import wild_cluster_bootstrap
from helpers.inference.few_clusters import (
    few_cluster_tests,
    passport_table,
    record_few_clusters,
    record_passport,
    say_conley,
    say_few_clusters,
    say_passport,
)
from helpers.regression.panel import PanelFit, fit_panel
from helpers.results.results import Results
from regression.test_neighbours import grunfeld


@pytest.fixture
def fit() -> PanelFit:
    return fit_panel(grunfeld(), "invest", ["capital"], entity_effects=True, time_effects=True)


@pytest.fixture
def results() -> Results:
    return Results(study="toy", notebook="03_baseline_regression")


def no_places() -> pd.DataFrame:
    return pd.DataFrame(index=grunfeld().index.unique(0))


def few(fit: PanelFit) -> pd.DataFrame:
    wild = wild_cluster_bootstrap(fit, "capital", interval=True)
    return few_cluster_tests(fit, "capital", wild, draws=999, rng=np.random.default_rng(1))


def test_exact_bootstrap_of_grunfeld_with_and_without_ties(fit: PanelFit) -> None:
    row = few(fit).loc["wild"]
    assert (row["p_value"], row["p_value_strict"]) == (254 / 1024, 252 / 1024)


def test_jackknife_of_grunfeld(fit: PanelFit) -> None:
    assert few(fit).loc["cr3", "p_value"] == pytest.approx(0.211, abs=5e-4)


def test_methods_that_differ_are_said_to_differ(fit: PanelFit, results: Results) -> None:
    tests = few(fit)
    record_few_clusters(results, tests, fit, "capital")
    told = repr(write_sentence(say_few_clusters(tests, 0.05), results, {}))
    assert told.startswith("From < 0.001 (")
    assert told.endswith("the methods differ in their verdict.")


def test_passport_has_at_least_twelve_conventions_each_recorded(fit: PanelFit, results: Results) -> None:
    table = passport_table(fit, "capital", no_places(), cutoff_km=500)
    record_passport(results, table, fit, "capital")
    assert len(results) >= 12
    assert results["baseline.passport.stata"].std_error == pytest.approx(0.06328129, abs=5e-9)


def test_passport_sentence_names_the_ends(fit: PanelFit, results: Results) -> None:
    table = passport_table(fit, "capital", no_places(), cutoff_km=500)
    record_passport(results, table, fit, "capital")
    told = repr(write_sentence(say_passport(results, table, 0.05), results, {}))
    assert "(cr3, p = 0.211)" in told


def test_conley_is_missed_in_words_without_coordinates(fit: PanelFit) -> None:
    table = passport_table(fit, "capital", no_places(), cutoff_km=500)
    assert "not shown" in say_conley(table)


def test_conley_is_there_with_coordinates(fit: PanelFit) -> None:
    places = no_places().assign(latitude=range(10), longitude="3.5")
    table = passport_table(fit, "capital", places, cutoff_km=300)
    assert "300 km" in say_conley(table)
