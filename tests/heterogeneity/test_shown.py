"""Regions recorded, laid out and said: the numbers of the tables are those of regressions on each region alone.

Estimates and standard errors agree with statsmodels on a region's own rows to 1e-9 (the same least squares).
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.heterogeneity import growth, pictures, shown, why
from helpers.heterogeneity.groups import read_grouping
from helpers.heterogeneity.heterogeneity import compare_regions, fit_by_region, region_means
from helpers.index import build as construction
from helpers.inference.detectable import detectable_effect
from helpers.results.estimate import Estimate
from helpers.results.results import Results
from helpers.study.data import Label
from outside import outside
from small_study import CONTENT, PLACES, REGIONS, fit_dummies, make_indicators, make_study, make_units

TIGHT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
RECORDED: dict[str, Any] = {"rel": 1e-7}  # recorded numbers keep eight digits
NOTEBOOK = "06_regional_heterogeneity"
ORDER = ("coast", "inland", "island")
STUDY = make_study()
MODEL = STUDY.model()


def generator() -> np.random.Generator:
    return np.random.default_rng(2)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    indices = construction.build_indices(make_indicators(), STUDY)
    return construction.model_panel(make_indicators(), construction.index_values(indices))


@pytest.fixture(scope="module")
def fits(panel):
    return fit_by_region(panel, MODEL, make_units()["region"], order=ORDER, rng=generator())


@pytest.fixture(scope="module")
def gaps(panel):
    return compare_regions(panel, MODEL, make_units()["region"], order=ORDER, permutations=49, rng=generator())


@pytest.mark.parametrize(("region", "name"), [("Coast", "coast"), ("Inland", "inland"), ("Island", "island")])
def test_a_row_is_the_regression_of_the_region_alone(panel, fits, region, name):
    inside = panel[
        panel.index.get_level_values(0).isin([place for place, at in zip(PLACES, REGIONS, strict=True) if at == name])
    ]
    expected = fit_dummies(inside, "reply", ["dose", "size"], ("entity", "time"))
    row = shown.region_table(fits, STUDY).loc[region]
    ours, theirs = [row["estimate"], row["std_error"]], [expected["estimate"], expected["std_error"]]
    outside(fit_by_region, "statsmodels: OLS with dummies", ours, theirs, rtol=1e-9)
    assert row["n_obs"] == expected["n_obs"]


def test_a_region_of_three_places_cannot_have_a_small_p_value(fits):
    row = shown.region_table(fits, STUDY).loc["Island"]
    assert row["smallest_p_value"] == 2 / 2**3
    assert row["wild_p_value"] >= 2 / 2**3


def test_the_differences_are_named_in_words_and_come_with_every_test(gaps):
    table = shown.gap_table(gaps, STUDY)
    assert table.index.to_list() == ["Coast minus Inland", "Coast minus Island", "Inland minus Island"]
    assert table.notna().all(axis=None)
    assert (table["holm_p_value"] >= table["p_value"]).all()


def test_regions_and_differences_are_recorded_with_their_tests(fits, gaps):
    results = Results(study="small", notebook=NOTEBOOK)
    shown.record_regions(results.record, fits, "dose")
    shown.record_gaps(results.record, gaps, "dose")
    assert {f"region.{name}.dose{end}" for name in ORDER for end in ("", ".wild")} <= set(results)
    assert results["region.coast.dose.wild"].p_value == pytest.approx(fits["coast"].wild.p_value, **RECORDED)
    found = gaps["coast_minus_island"]
    assert results["region.coast_minus_island.dose"].estimate == pytest.approx(found.effect.estimate, **RECORDED)
    assert results["region.coast_minus_island.dose.permutation"].p_value == pytest.approx(
        found.permutation.p_value, **RECORDED
    )
    assert results["region.coast_minus_island.dose.romano_wolf"].p_value == pytest.approx(
        found.p_romano_wolf, **RECORDED
    )


def test_means_have_keys_of_their_own(panel):
    means, gaps = region_means(panel, "dose", make_units()["region"], order=ORDER)
    results = Results(study="small", notebook=NOTEBOOK)
    shown.record_means(results.record, means, gaps, "dose")
    coast = panel.loc[PLACES[:5], "dose"].mean()
    assert results["region.coast.mean.dose"].estimate == pytest.approx(coast, **RECORDED)
    assert "region.coast_minus_inland.mean.dose" in set(results)
    assert shown.mean_table(means, gaps, STUDY).loc["Coast", "estimate"] == pytest.approx(coast, **TIGHT)


def test_the_misfit_is_the_largest_distance_from_the_own_estimates(fits, gaps):
    assert shown.largest_misfit(fits, gaps) < 1e-10
    gap = gaps["coast_minus_inland"]
    moved = replace(gap, effect=replace(gap.effect, estimate=fits["coast"].effect.estimate))
    expected = pytest.approx(abs(fits["inland"].effect.estimate), rel=1e-9)
    assert shown.largest_misfit(fits, {**gaps, "coast_minus_inland": moved}) == expected


def test_a_difference_is_told_when_every_test_says_so(gaps):
    gap = gaps["coast_minus_inland"]
    low, high = (replace(gap.wild, p_value=p_value) for p_value in (0.01, 0.9))
    effect = replace(gap.effect, p_value=0.01)
    clear = replace(gap, effect=effect, wild=low, p_romano_wolf=0.02)
    assert shown.is_told(clear, 0.05)
    for doubt in ({"wild": high}, {"p_romano_wolf": 0.2}, {"wild": None}, {"effect": replace(effect, p_value=0.4)}):
        assert not shown.is_told(replace(clear, **doubt), 0.05)


def test_rows_are_grouped_by_thirds_time_and_since(panel):
    found = shown.fit_rows(panel, MODEL, 2006, draws=19, rng=generator())
    assert set(found) == {"first_third", "since", "time"}
    assert list(found["time"].effects) == ["2001", "2003", "2004", "2006", "2009"]
    none = shown.fit_rows(panel, MODEL, 2050, draws=19, rng=generator())
    assert "since" not in none


def test_thresholds_have_the_keys_that_claims_read(panel):
    found = shown.fit_thresholds(panel, MODEL, "channel_a", draws=19, rng=generator())
    results = Results(study="small", notebook=NOTEBOOK)
    shown.record_thresholds(results.record, found, "channel_a")
    key = "heterogeneity.threshold.channel_a"
    assert {f"{key}.without_years{end}" for end in ("", ".low", ".high")} | {key} <= set(results)
    threshold = found["without_years"].first.threshold
    assert results[f"{key}.without_years"].estimate == pytest.approx(threshold, **RECORDED)
    assert ("without_years", 1) in shown.threshold_table(found).index
    assert shown.fit_thresholds(panel, MODEL, None, draws=19, rng=generator()) == {}


def test_without_the_heaviest_unit_a_region_of_two_is_not_cut(panel):
    grouping = read_grouping(panel, make_units()["region"], ORDER)
    left = shown.fit_without(panel, MODEL, grouping, "p00", draws=19, rng=generator())
    assert set(left) == {"common", "group_times", "without_years"}
    assert left["common"].fit.n_entities == 11
    pair = panel.loc["p00":"p10"]
    small = read_grouping(pair, make_units()["region"].iloc[:11], ORDER)
    assert shown.fit_without(pair, MODEL, small, "p10", draws=19, rng=generator()) == {}


def test_the_measured_sizes_are_those_of_both_bootstraps():
    sizes = why.read_sizes()
    assert set(sizes["bootstrap"]) == {"clustered", "residual"}
    assert sizes["size"].between(0, 1).all()


def test_the_likelihood_ratio_touches_zero_at_the_threshold():
    profile = pd.DataFrame({"likelihood_ratio": [9.0, 0.0, 4.0]}, index=[0.1, 0.2, 0.3])
    axes = pictures.draw_likelihood(profile, why.CRITICAL, across="q", label="ratio").axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert np.ravel(dots[0].get_xydata()).tolist() == [0.2, 0.0]
    assert pytest.approx(7.35, abs=0.005) == why.CRITICAL


def effect(estimate: float, p_value: float) -> Estimate:
    return Estimate(estimate=estimate, std_error=0.1, p_value=p_value, ci_low=-1.0, ci_high=1.0)


@pytest.mark.parametrize(
    ("estimate", "p_value", "wild", "told"),
    [
        (0.3, 0.01, 0.02, "below coast at the start: 1, clearly above: 0."),
        (0.3, 0.3, 0.02, "below coast at the start: 0, clearly above: 0."),
        (0.3, 0.01, 0.3, "below coast at the start: 0, clearly above: 0."),  # the wild bootstrap does not tell it
        (0.3, 0.01, None, "below coast at the start: 1, clearly above: 0."),  # it was not asked
        (-0.3, 0.01, 0.02, "below coast at the start: 0, clearly above: 1."),
        (-0.3, 0.01, 0.3, "below coast at the start: 0, clearly above: 0."),
    ],
)
def test_the_sentence_on_who_starts_ahead(estimate, p_value, wild, told):
    drawn = {} if wild is None else {"coast_minus_inland": effect(estimate, wild)}
    found = growth.GroupComparison({}, {"coast_minus_inland": effect(estimate, p_value)}, drawn)
    said = run_cell(
        NOTEBOOK,
        "counted = {",
        "clearly below {region}",
        compared=dict.fromkeys(("first", "points"), found),
        order=["coast", "inland"],
        level=0.05,
        growth=growth,
        choices=SimpleNamespace(time=SimpleNamespace(unit=Label(en="quarter", zh="季度"))),
    )
    assert told in said
    assert "gain clearly less a quarter, in points: " in said


@pytest.mark.parametrize("name", ["first", "points"])
def test_regions_are_not_compared_by_what_is_the_same_everywhere(name):
    found = growth.GroupComparison({}, {"coast_minus_inland": effect(0.3, 0.01)}, {})
    said = run_cell(
        NOTEBOOK,
        "counted = {",
        "clearly below {region}",
        compared={name: found},
        order=["coast", "inland"],
        level=0.05,
        growth=growth,
        choices=SimpleNamespace(time=SimpleNamespace(unit=Label(en="quarter", zh="季度"))),
    )
    assert said.startswith("Who starts ahead, and who gains, is not compared: the treatment's first value or")


@pytest.mark.parametrize(("p_value", "count"), [(0.01, 2), (0.4, 0)])
def test_the_sentence_on_equality_and_order(p_value, count):
    item = SimpleNamespace(
        equality=SimpleNamespace(wild_p_value=p_value), ordering=SimpleNamespace(wild_p_value=p_value, p_value=p_value)
    )
    said = run_cell(
        NOTEBOOK,
        "unequal = ",
        "falling in the order of the table",
        found={"own": item, "common": item},
        level=0.05,
        names={"own": "own slopes", "common": "common slopes"},
    )
    which = "(own slopes; common slopes)" if count else "(none)"
    assert f"joint test: {count} {which}; " in said
    assert said.endswith(f"falling in the order of the table: {count} {which}.")


@pytest.mark.parametrize("told", [0, 1])
def test_the_sentence_on_pairs(gaps, told):
    run = PlantedRun()
    shown.record_gaps(run.record, gaps, "dose")
    gap = gaps["coast_minus_inland"]
    clear = replace(
        gap, effect=replace(gap.effect, p_value=0.01), wild=replace(gap.wild, p_value=0.01), p_romano_wolf=0.01
    )
    pairs = {**gaps, "coast_minus_inland": clear} if told else {"coast_minus_inland": replace(gap, p_romano_wolf=0.9)}
    said = run_cell(
        NOTEBOOK,
        "told = ",
        "furthest from zero in standard errors",
        run=run,
        gaps=pairs,
        shown=shown,
        level=0.05,
        treatment="dose",
        detectable_effect=detectable_effect,
    )
    assert f"after Romano and Wolf: {told} of {len(pairs)};" in said
    least = detectable_effect(gap.effect, level=0.05)
    assert (f"One of {least:.4f} or more would have been seen" in said) == (not told)


@pytest.mark.parametrize("clear", [True, False])
def test_the_sentence_on_first_values(clear):
    test = SimpleNamespace(effect=effect(0.2, 0.01), is_clear=[False, clear].__getitem__, detectable=lambda _: 0.4)
    less = SimpleNamespace(effect=effect(-0.2, 0.01), is_clear=[False, clear].__getitem__, detectable=lambda _: 0.3)
    said = run_cell(NOTEBOOK, "larger = ", starts={"level": test, "infrastructure": less}, level=1)
    assert ("bootstrap: 1 of 2; with a clearly smaller one: 1." in said) == clear
    assert ("smaller than 0.3000 for a standard deviation" in said) == (not clear)


def test_a_further_grouping_is_told_by_its_two_designs(panel):
    regions = {"first": CONTENT["regions"]["region"], "second": CONTENT["regions"]["region"]}
    study = make_study(regions=regions)
    groupings = shown.compare_groupings(panel, make_units(), study)
    found = shown.fit_grouping_designs(groupings, study.model(), draws=49, rng=generator())
    assert {name: list(fits) for name, fits in found.items()} == {"second": ["common", "group_times"]}
    results = Results(study="small", notebook=NOTEBOOK)
    shown.record_grouping_designs(results.record, found, "dose")
    assert {"heterogeneity.second.common.coast.dose", "heterogeneity.second.group_times.equality.wild"} <= set(results)
    words = {"common": "together", "group_times": "own periods"}
    assert list(shown.grouping_joint_table(found, words).index) == [("second", "together"), ("second", "own periods")]


def test_without_a_first_value_nothing_is_counted():
    assert run_cell(NOTEBOOK, "larger = [name", starts={}, level=0.05) == "None"
