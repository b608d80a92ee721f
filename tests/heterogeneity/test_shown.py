"""Regions recorded and laid out: the numbers of the tables are those of regressions on each region alone.

Estimates and standard errors agree with statsmodels on a region's own rows to 1e-9 (the same least squares).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.heterogeneity import shown as region_tables
from helpers.heterogeneity.heterogeneity import compare_regions, fit_by_region, region_means
from helpers.index import build as construction
from helpers.results.results import Results
from small_study import PLACES, REGIONS, fit_dummies, make_indicators, make_study, make_units

TIGHT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
ORDER = ("coast", "inland", "island")
STUDY = make_study()


def generator() -> np.random.Generator:
    return np.random.default_rng(2)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    indices = construction.build_indices(make_indicators(), STUDY)
    return construction.model_panel(make_indicators(), construction.index_values(indices))


@pytest.fixture(scope="module")
def fits(panel):
    return fit_by_region(panel, "reply", "dose", ["size"], make_units()["region"], order=ORDER, rng=generator())


@pytest.fixture(scope="module")
def gaps(panel):
    return compare_regions(
        panel, "reply", "dose", ["size"], make_units()["region"], order=ORDER, permutations=49, rng=generator()
    )


@pytest.mark.parametrize(("region", "name"), [("Coast", "coast"), ("Inland", "inland"), ("Island", "island")])
def test_a_row_is_the_regression_of_the_region_alone(panel, fits, region, name):
    inside = panel[
        panel.index.get_level_values(0).isin([place for place, at in zip(PLACES, REGIONS, strict=True) if at == name])
    ]
    expected = fit_dummies(inside, "reply", ["dose", "size"], ("entity", "time"))
    row = region_tables.region_table(fits, STUDY).loc[region]
    assert row["estimate"] == pytest.approx(expected["estimate"], **TIGHT)
    assert row["std_error"] == pytest.approx(expected["std_error"], **TIGHT)
    assert row["n_obs"] == expected["n_obs"]


def test_a_region_of_three_places_cannot_have_a_small_p_value(fits):
    row = region_tables.region_table(fits, STUDY).loc["Island"]
    assert row["smallest_p_value"] == 2 / 2**3
    assert row["wild_p_value"] >= 2 / 2**3


def test_the_differences_are_named_in_words_and_come_with_every_test(gaps):
    table = region_tables.gap_table(gaps, STUDY)
    assert table.index.to_list() == ["Coast minus Inland", "Coast minus Island", "Inland minus Island"]
    assert table.notna().all(axis=None)
    assert (table["holm_p_value"] >= table["p_value"]).all()


def test_a_test_that_was_not_made_leaves_an_empty_cell(gaps):
    first = replace(next(iter(gaps.values())), wild=None, cr2=None)
    table = region_tables.gap_table({"pair": first}, STUDY)
    assert table[["wild_p_value", "cr2_p_value"]].isna().all(axis=None)


def test_regions_are_recorded_with_the_bootstrap_beside_them(fits):
    results = Results(study="small", notebook="06_regional_heterogeneity")
    region_tables.record_regions(results, fits, "dose")
    assert sorted(results) == sorted(f"region.{name}.dose{end}" for name in ORDER for end in ("", ".wild"))
    assert results["region.coast.dose"].p_value == fits["coast"].p_value
    assert results["region.coast.dose.wild"].p_value == fits["coast"].wild.p_value


def test_differences_are_recorded_by_pair(gaps):
    results = Results(study="small", notebook="06_regional_heterogeneity")
    region_tables.record_gaps(results, gaps, "dose")
    found = results["region.coast_minus_island.dose"]
    assert found.estimate == gaps["coast_minus_island"].estimate
    assert "region.coast_minus_island.dose.wild" in set(results)


def test_means_have_keys_of_their_own(panel):
    means, gaps = region_means(panel, "dose", make_units()["region"], order=ORDER)
    results = Results(study="small", notebook="06_regional_heterogeneity")
    region_tables.record_means(results, means, gaps, "dose")
    coast = panel.loc[PLACES[:5], "dose"].mean()
    assert results["region.coast.mean.dose"].estimate == pytest.approx(coast, **TIGHT)
    assert "region.coast_minus_inland.mean.dose" in set(results)
    table = region_tables.mean_table(means, gaps, STUDY)
    assert table.loc["Coast", "estimate"] == pytest.approx(coast, **TIGHT)


def test_the_picture_shows_the_bootstrap_interval(fits):
    shown = region_tables.region_estimates(fits, STUDY)
    assert shown.loc["Coast", "ci_low"] == fits["coast"].wild.ci_low
    plain = region_tables.region_estimates({"coast": replace(fits["coast"], wild=None)}, STUDY)
    assert plain.loc["Coast", "ci_low"] == fits["coast"].ci_low


def test_the_ordering_follows_the_estimates(fits, gaps):
    sentence = region_tables.say_ordering(fits, gaps, STUDY)
    expected = [fit.region for fit in sorted(fits.values(), key=lambda fit: fit.estimate, reverse=True)]
    assert re.findall(r"region\.(\w+)\.dose", sentence) == expected


def test_a_difference_is_clear_when_both_tests_say_so(fits, gaps):
    pair = gaps["coast_minus_inland"]
    low, high = (replace(pair.wild, p_value=p_value) for p_value in (0.01, 0.9))
    clear, doubtful = (replace(pair, p_value=0.01, wild=wild) for wild in (low, high))
    assert "clear by both tests: Coast minus Inland" in region_tables.say_ordering(fits, {"pair": clear}, STUDY)
    assert "no difference is clear" in region_tables.say_ordering(fits, {"pair": doubtful}, STUDY)
    assert "no difference is clear" in region_tables.say_ordering(fits, {"pair": replace(clear, wild=None)}, STUDY)


def test_the_misfit_is_the_largest_distance_from_the_own_estimates(fits, gaps):
    assert region_tables.largest_misfit(fits, gaps) < 1e-10
    moved = {**gaps, "coast_minus_inland": replace(gaps["coast_minus_inland"], estimate=fits["coast"].estimate)}
    assert region_tables.largest_misfit(fits, moved) == pytest.approx(abs(fits["inland"].estimate), rel=1e-9)
