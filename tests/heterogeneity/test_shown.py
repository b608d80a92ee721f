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
from helpers.heterogeneity.joint import Equality
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


def compare(notebook_cell: tuple[str, ...], compared: dict[str, growth.GroupComparison]) -> str:
    """One of the sentences on who starts ahead and who gains, of two regions."""
    return run_cell(
        NOTEBOOK,
        *notebook_cell,
        compared=compared,
        order=["coast", "inland"],
        level=0.05,
        growth=growth,
        choices=SimpleNamespace(time=SimpleNamespace(unit=Label(en="quarter", zh="季度"))),
    )


AHEAD = ("counted = {", "clearly below {region}")
GROWS = ("counted = {", "In logarithms, ")


@pytest.mark.parametrize(
    ("estimate", "p_value", "wild", "below", "above"),
    [
        (0.3, 0.01, 0.02, 1, 0),
        (0.3, 0.3, 0.02, 0, 0),
        (0.3, 0.01, 0.3, 0, 0),  # the wild bootstrap does not tell it
        (0.3, 0.01, None, 1, 0),  # it was not asked
        (-0.3, 0.01, 0.02, 0, 1),  # the first region is the one behind
        (-0.3, 0.3, 0.02, 0, 0),
    ],
)
def test_the_sentence_on_who_starts_ahead(estimate, p_value, wild, below, above):
    drawn = {} if wild is None else {"coast_minus_inland": effect(estimate, wild)}
    found = growth.GroupComparison({}, {"coast_minus_inland": effect(estimate, p_value)}, drawn)
    said = compare(AHEAD, dict.fromkeys(growth.MEASURES, found))
    assert f"Of 1 other regions, clearly below coast at the start: {below}, clearly above: {above}." in said
    assert f"gain clearly less a quarter, in points: {below}, clearly more: {above}." in said
    said = compare(GROWS, dict.fromkeys(growth.MEASURES, found))
    assert said.startswith(f"In logarithms, {below} of 1 grow clearly less a quarter than coast, and {above} clearly")


def test_growth_that_is_not_defined_is_not_spoken_of():
    found = growth.GroupComparison({}, {"coast_minus_inland": effect(0.3, 0.01)}, {})
    assert compare(GROWS, {"first": found, "points": found}) == "None"


@pytest.mark.parametrize("name", ["first", "points"])
def test_regions_are_not_compared_by_what_is_the_same_everywhere(name):
    found = growth.GroupComparison({}, {"coast_minus_inland": effect(0.3, 0.01)}, {})
    said = compare(AHEAD, {name: found})
    assert said.startswith("Who starts ahead, and who gains, is not compared: the treatment's first value or")
    assert compare(("least = {",), {name: found}) == "None"


@pytest.mark.parametrize(("names", "told"), [(growth.MEASURES, True), (("first", "points"), False)])
def test_what_a_comparison_of_regions_could_have_missed_is_the_least_certain(names, told):
    wide = replace(effect(0.3, 0.2), std_error=0.2)
    gaps = {"coast_minus_inland": effect(0.3, 0.2), "coast_minus_island": wide, "inland_minus_island": wide}
    gaps["inland_minus_island"] = replace(wide, std_error=9.0)  # not a difference of the first region
    said = compare(("least = {",), dict.fromkeys(names, growth.GroupComparison({}, gaps)))
    # 1.959964 + 0.841621 standard errors of 0.2, without degrees of freedom.
    assert "a difference of 0.5603 at the start" in said
    assert ("in logarithms" in said) == told


def joint(p_value: float, widest: float = 0.1, df: int = 2) -> SimpleNamespace:
    """A design whose joint test of equality has this p-value."""
    return SimpleNamespace(equality=Equality(1.0, df, 30, p_value, p_value, None, 60, 31, widest))


@pytest.mark.parametrize(
    ("p_values", "told"),
    [
        ((0.01, 0.01, 0.01), ["tells the effects apart in every row of the table."]),
        ((0.01, 0.01, 0.4), ["apart in 2 of 3 rows of the table (own; common). In the other (alike) two effects"]),
        ((0.01, 0.4, 0.05), ["apart in 1 of 3 rows of the table (own). In the others", "(common)", "case", "(alike)"]),
        ((0.4, 0.4, 0.4), ["apart in no row of the table. Two effects at least", "(own)", "widest case", "(alike)"]),
        ((0.4,), ["does not tell the effects apart (own): two effects at least"]),
    ],
)
@pytest.mark.parametrize("of_rows", [False, True])
def test_the_sentence_on_equality(p_values, told, of_rows):
    names = ["own", "common", "alike"][: len(p_values)]
    found = {name: joint(p, 0.1 * (place + 1)) for place, (name, p) in enumerate(zip(names, p_values, strict=True))}
    labels = dict(zip(names, names, strict=True))
    cells = ["say_equality(run.record, found", *(["say_equality(run.record, rows"] if of_rows else [])]
    given = {"found": found, "rows": found, "names": labels, "words": labels, "shown": shown, "level": 0.05}
    said = run_cell(NOTEBOOK, *cells, run=Anew(), **given)
    places = [said.index(part) for part in told]
    assert places == sorted(places)


class Anew(PlantedRun):
    """A planted run in which a key may be recorded twice."""

    def record(self, key: str, found: Estimate | None = None, **numbers: Any) -> Any:
        """The first record under a key."""
        return self.results[key] if key in self.results else super().record(key, found, **numbers)


def test_without_groups_of_rows_nothing_is_said_of_them():
    names = {"shown": shown, "level": 0.05, "words": {}, "rows": {}, "apart": {}}
    assert run_cell(NOTEBOOK, "say_equality(run.record, rows", **names) == "None"


@pytest.mark.parametrize(
    ("wild", "by_t", "told"),
    [
        (0.01, 0.01, "order of the table: 2 (own; common)."),
        (0.4, 0.01, "None of 2 designs"),  # both tests must say so
        (0.01, 0.4, "None of 2 designs"),
    ],
)
def test_the_sentence_on_the_order(wild, by_t, told):
    run = PlantedRun()
    run.record("heterogeneity.count.designs", value=2)
    item = SimpleNamespace(ordering=SimpleNamespace(wild_p_value=wild, p_value=by_t))
    names = {"own": "own", "common": "common"}
    assert told in run_cell(NOTEBOOK, "ordered = [", run=run, found=dict.fromkeys(names, item), names=names, level=0.05)


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
        "told = [gap",
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


@pytest.mark.parametrize(("without", "told"), [({"common": 1}, "; the table is without p00."), ({}, "hold 30.0%.")])
def test_a_unit_that_cannot_be_left_out_has_no_table(without, told):
    run = PlantedRun()
    shown.record_heaviest(run.record, pd.Series([0.2, 0.1], index=["p00", "p01"]))
    heavy = pd.Series([0.2], index=["p00"])
    assert run_cell(NOTEBOOK, "the three heaviest units", run=run, without=without, heavy=heavy).endswith(told)


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
    assert list(shown.grouping_joint_table(found, words, 0.05).index) == [
        ("second", "together"),
        ("second", "own periods"),
    ]


def test_without_a_first_value_nothing_is_counted():
    assert run_cell(NOTEBOOK, "larger = [name", starts={}, level=0.05) == "None"
