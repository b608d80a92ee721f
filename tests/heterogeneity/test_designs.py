"""Effects by group in several designs, their joint tests, growth, first values: against plain computations.

Estimates: dummies and lstsq on the same rows, 1e-8. F of two groups is t^2 of their difference, 1e-9. The wild bootstrap
of the Wald statistic with one restriction is the two-sided wild t test: all 2^G sign vectors on both sides, exact.
Welch: scipy.stats.ttest_ind(equal_var=False), 1e-10.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.errors import StudyError
from helpers.heterogeneity.designs import DESIGNS, SplitFit, fit_design, fit_split
from helpers.heterogeneity.groups import read_grouping, usable_groups
from helpers.heterogeneity.growth import compare_groups, measure_entities
from helpers.heterogeneity.shown import fit_rows
from helpers.heterogeneity.why import fit_start
from helpers.inference.detectable import detectable_gap
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.leverage import find_leverage
from helpers.regression.panel import fit
from helpers.study.model import Model
from outside import outside

MODEL = Model("reply", "dose", ("size",))
UNITS = [f"u{place:02d}" for place in range(11)]
REGIONS = pd.Series(["coast"] * 4 + ["plain"] * 4 + ["hills"] * 3, index=UNITS)
ORDER = ["coast", "plain", "hills"]


def generator(seed: int = 11) -> np.random.Generator:
    return np.random.default_rng(seed)


def make_panel(slopes: tuple[float, float, float] = (0.9, 0.3, 0.0), noise: float = 1.0) -> pd.DataFrame:
    rng = generator(1)
    index = pd.MultiIndex.from_product([UNITS, range(2015, 2021)], names=["unit", "year"])
    data = pd.DataFrame(rng.normal(size=(66, 2)), index=index, columns=["dose", "size"])
    slope = REGIONS.map(dict(zip(ORDER, slopes, strict=True))).loc[index.get_level_values(0)].to_numpy()
    return data.assign(reply=slope * data["dose"] + 0.5 * data["size"] + noise * rng.normal(size=66))


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return make_panel()


def design(panel: pd.DataFrame, name: str, regions: pd.Series = REGIONS, order: list[str] = ORDER) -> SplitFit:
    grouping = read_grouping(panel, regions, order)
    return fit_design(panel, MODEL, grouping, name, draws=99, rng=generator())


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_is_its_regression_with_dummies(panel: pd.DataFrame, name: str) -> None:
    region = REGIONS.loc[panel.index.get_level_values(0)].to_numpy()
    year = panel.index.get_level_values(1).astype(str)
    own_times = region + year if name in ("own", "group_times") else year
    parts = [panel["dose"] * (region == place) for place in ORDER]
    parts += [panel["size"] * (region == place) for place in ORDER] if name == "own" else [panel["size"]]
    dummies = [pd.get_dummies(panel.index.get_level_values(0), dtype=float)]
    dummies += [] if name == "without_years" else [pd.get_dummies(own_times, dtype=float)]
    slopes = np.linalg.lstsq(np.column_stack([*parts, *dummies]), panel["reply"], rcond=None)[0][:3]
    ours = [effect.estimate for effect in design(panel, name).effects.values()]
    outside(fit_design, "written out: dummies and lstsq", ours, slopes, rtol=1e-8)


def test_the_joint_test_of_two_groups_is_the_test_of_their_difference(panel: pd.DataFrame) -> None:
    two = panel.loc["u00":"u07"]
    found = design(two, "common", REGIONS.iloc[:8], ["coast", "plain"])
    terms = list(found.terms.values())
    weight = {terms[0]: 1.0, terms[1]: -1.0}
    alone = wild_cluster_bootstrap(found.fit, weight)
    theirs = [alone.statistic**2, 2 * stats.t.sf(abs(alone.statistic), 7), alone.p_value]
    ours = [found.equality.statistic, found.equality.p_value, found.equality.wild_p_value]
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_the_joint_test_is_the_wald_test_of_statsmodels(panel: pd.DataFrame) -> None:
    import statsmodels.api as sm

    found = design(panel, "common")
    region = REGIONS.loc[panel.index.get_level_values(0)].to_numpy()
    columns = {f"dose_{place}": panel["dose"] * (region == place) for place in ORDER} | {"size": panel["size"]}
    x = pd.DataFrame(columns)
    for level in (0, 1):
        codes = pd.get_dummies(panel.index.get_level_values(level), drop_first=bool(level), dtype=float)
        x = x.join(codes.add_prefix(f"d{level}_").set_axis(panel.index))
    groups = pd.factorize(panel.index.get_level_values(0))[0]
    theirs = sm.OLS(panel["reply"], x).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    restriction = np.zeros((2, x.shape[1]))
    restriction[0, :2], restriction[1, 1:3] = (1, -1), (1, -1)
    # statsmodels counts the units' dummies in K; Stata's convention counts one for all of them.
    n, k = x.shape
    factor = (n - k + 10) / (n - k)
    f = float(theirs.f_test(restriction).fvalue) * factor
    outside(fit_design, "statsmodels: F test, clustered", found.equality.statistic, f, rtol=1e-8)


def test_the_widest_difference_has_the_standard_error_of_its_t_test(panel: pd.DataFrame) -> None:
    found = design(panel, "common")
    pairs = itertools.combinations(found.terms.values(), 2)
    tests = [wild_cluster_bootstrap(found.fit, {one: 1.0, two: -1.0}, draws=9, rng=generator()) for one, two in pairs]
    errors = [abs(test.estimate / test.statistic) for test in tests]
    assert found.equality.widest == pytest.approx(max(errors), rel=1e-9)
    assert found.equality.detectable(0.05) == detectable_gap(found.equality.widest, 2, 10)


def test_planted_differences_are_told_and_planted_equality_is_not() -> None:
    apart, same = (design(make_panel(slopes, 0.5), "common") for slopes in ((3.0, 1.5, 0.0), (1.0, 1.0, 1.0)))
    assert apart.equality.wild_p_value < 0.02
    assert apart.ordering.holds
    assert apart.ordering.p_value < 0.05
    assert same.equality.wild_p_value > 0.05
    back = design(make_panel((0.0, 1.5, 3.0), 0.5), "common")
    assert not back.ordering.holds
    assert back.ordering.wild_p_value > 0.9


def test_groups_of_rows_share_controls_and_effects(panel: pd.DataFrame) -> None:
    late = pd.Series(np.where(panel.index.get_level_values(1) >= 2018, "late", "early"), index=panel.index)
    found = fit_split(panel, MODEL, late, ["early", "late"], draws=49, rng=generator())
    parts = [panel["dose"] * (late == name) for name in ("early", "late")]
    dummies = [pd.get_dummies(panel.index.get_level_values(place), dtype=float) for place in (0, 1)]
    slopes = np.linalg.lstsq(np.column_stack([*parts, panel["size"], *dummies]), panel["reply"], rcond=None)[0][:2]
    ours = [effect.estimate for effect in found.effects.values()]
    outside(fit_split, "written out: dummies and lstsq", ours, slopes, rtol=1e-8)
    with pytest.raises(StudyError, match="group never has no rows"):
        fit_split(panel, MODEL, late, ["early", "never"], draws=9, rng=generator())


def test_a_group_with_too_few_or_no_entities_is_named(panel: pd.DataFrame) -> None:
    regions = REGIONS.replace({"hills": "plain"})
    regions.iloc[-1] = "alone"
    order, left_out = usable_groups(panel, regions, ["coast", "plain", "alone", "empty"], MODEL)
    assert order == ["coast", "plain"]
    assert left_out == {"alone": "too few for a regression", "empty": "too few for a regression"}


def test_a_group_in_which_the_treatment_never_moves_has_no_regression(panel: pd.DataFrame) -> None:
    inland = REGIONS.reindex(panel.index.get_level_values(0)).to_numpy() == "hills"
    still = panel.assign(dose=panel["dose"].where(~inland, 0.0))
    groups = list(REGIONS.unique())
    order, left_out = usable_groups(still, REGIONS, groups, MODEL)
    assert order == [name for name in groups if name != "hills"]
    assert left_out == {"hills": "its rows determine no regression of their own"}


def test_rows_are_not_split_by_what_most_units_share(panel: pd.DataFrame) -> None:
    """A policy that nobody has in the first year: no thirds of a first value, and no effect in that year."""
    later = panel.index.get_level_values(1) > panel.index.get_level_values(1).min()
    found = fit_rows(panel.assign(dose=panel["dose"].where(later, 0.0)), MODEL, 2017, draws=49, rng=generator())
    assert set(found) == {"since"}
    assert set(fit_rows(panel, MODEL, 2017, draws=49, rng=generator())) == {"first_third", "since", "time"}


def test_an_unknown_design_is_refused(panel: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="not known"):
        design(panel, "guessed")


def test_growth_and_first_values_by_hand() -> None:
    index = pd.MultiIndex.from_product([["a", "b"], [2015, 2017, 2019]], names=["unit", "year"])
    found = measure_entities(pd.Series([1.0, 5.0, 4.0, -1.0, 2.0, 3.0], index=index))
    table = found[["first", "growth", "points"]].to_numpy()
    assert table[0] == pytest.approx([1.0, np.log(4) / 4, 0.75])
    assert table[1] == pytest.approx([-1.0, np.nan, 1.0], nan_ok=True)


def test_differences_of_first_values_are_those_of_welch(panel: pd.DataFrame) -> None:
    measure = measure_entities(panel["dose"])["first"]
    found = compare_groups(measure, read_grouping(panel, REGIONS, ORDER))
    assert found is not None
    parts = {name: measure[REGIONS.index[REGIONS.eq(name)]] for name in ORDER}
    test = stats.ttest_ind(parts["coast"], parts["hills"], equal_var=False)
    interval = test.confidence_interval()
    gap = found.gaps["coast_minus_hills"]
    ours = [gap.statistic, gap.p_value, gap.df, gap.ci_low, gap.ci_high]
    theirs = [test.statistic, test.pvalue, test.df, interval.low, interval.high]
    outside(compare_groups, "scipy: ttest_ind, Welch", ours, theirs, rtol=1e-9)
    assert compare_groups(measure.where(measure.index != "u08"), read_grouping(panel, REGIONS, ORDER)) is not None
    assert compare_groups(measure * 0, read_grouping(panel, REGIONS, ORDER)) is None  # a policy that nobody has yet
    assert compare_groups(measure.iloc[:9], read_grouping(panel.loc[:"u10"], REGIONS, ORDER)) is None


def test_a_first_value_is_standardised_over_entities(panel: pd.DataFrame) -> None:
    found = fit_start(panel, MODEL, "size", draws=49, rng=generator())
    start = panel["size"].groupby(level=0).first()
    z = (start - start.mean()) / start.std(ddof=1)
    product = panel["dose"] * z.loc[panel.index.get_level_values(0)].to_numpy()
    dummies = [pd.get_dummies(panel.index.get_level_values(place), dtype=float) for place in (0, 1)]
    x = np.column_stack([product, panel[["dose", "size"]], *dummies])
    slope = np.linalg.lstsq(x, panel["reply"], rcond=None)[0][0]
    outside(fit_start, "written out: dummies and lstsq", found.effect.estimate, slope, rtol=1e-8)
    gappy = panel.assign(size=panel["size"].where(panel.index.get_level_values(1) > 2015))
    with pytest.raises(StudyError, match="no figure at the first time"):
        fit_start(gappy, MODEL, "size", draws=9, rng=generator())
    with pytest.raises(StudyError, match="the same everywhere"):
        fit_start(panel.assign(flat=1.0), MODEL, "flat", draws=9, rng=generator())


def test_the_heaviest_entity_is_that_whose_treatment_moves_most(panel: pd.DataFrame) -> None:
    wide = panel.assign(dose=panel["dose"] * np.where(panel.index.get_level_values(0) == "u05", 20.0, 1.0))
    shares = find_leverage(fit(wide, MODEL), "dose").shares
    assert shares.index[0] == "u05"
    assert shares.iloc[0] > 0.8
    assert shares.sum() == pytest.approx(1)


@settings(max_examples=15, deadline=None)
@given(scale=st.tuples(*[st.floats(-8, 8)] * 3), shift=st.floats(-100, 100), seed=st.integers(0, 2**31))
def test_units_constants_order_and_names_do_not_matter(scale: tuple[float, ...], shift: float, seed: int) -> None:
    """Outcome, treatment and control in other units, constants added to outcome and control, rows and columns mixed."""
    panel, unit = make_panel(), 10 ** np.array(scale)
    moved = panel.assign(
        reply=(panel["reply"] + shift) * unit[0], dose=panel["dose"] * unit[1], size=(panel["size"] - shift) * unit[2]
    )
    moved = moved.sample(frac=1, random_state=seed)[["size", "reply", "dose"]]
    for name in ("common", "own"):
        one, two = design(panel, name), design(moved, name)
        for region in ORDER:
            first, second = one.effects[region], two.effects[region]
            assert second.estimate == pytest.approx(first.estimate * unit[0] / unit[1], rel=1e-8)
            assert second.p_value == pytest.approx(first.p_value, rel=1e-8)
        assert two.equality.statistic == pytest.approx(one.equality.statistic, rel=1e-8)
        assert two.equality.wild_p_value == one.equality.wild_p_value
