"""Effects by region: estimates, tests of differences and their adjustments agree with independent calculations.

pyfixest (stacked regression with region-by-time effects) and statsmodels (means) to 1e-10: both solve the same least
squares. Permutation and wild draws are compared with full enumeration within five Monte-Carlo standard errors.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.heterogeneity.groups import read_grouping
from helpers.heterogeneity.heterogeneity import compare_regions, fit_by_region, region_means
from helpers.inference.multiplicity import holm, romano_wolf
from helpers.regression.panel import fit_panel
from helpers.study.model import Model
from outside import outside

ORDER = ["coast", "plain", "hills"]
REGIONS = pd.Series(["coast"] * 5 + ["plain"] * 4 + ["hills"] * 6, index=[f"u{place:02d}" for place in range(15)])


WHOLE = Model("reply", "dose", ("size", "wealth"))
PART = Model("reply", "dose", ("size",))
PLAIN = Model("reply", "dose")


def generator(seed: int = 11) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    rng = generator(1)
    index = pd.MultiIndex.from_product([REGIONS.index, range(2015, 2021)], names=["unit", "year"])
    data = pd.DataFrame(rng.normal(size=(90, 3)), index=index, columns=["dose", "size", "wealth"])
    region = REGIONS.loc[index.get_level_values(0)].to_numpy()
    slope = np.select([region == "coast", region == "plain"], [0.9, 0.3], 0.0)
    wave = index.get_level_values(1).to_numpy() - 2015
    data["reply"] = slope * data["dose"] + 0.5 * data["size"] + wave * (region == "plain") + rng.normal(size=90)
    return data.assign(area=region)


def compare(panel: pd.DataFrame, model: Model = WHOLE, **options: object) -> dict:
    given = {"order": ORDER, "wild_draws": 999, "permutations": 999, "rng": generator(), **options}
    return compare_regions(panel, model, REGIONS, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def gaps(panel: pd.DataFrame) -> dict:
    return compare(panel)


def test_each_region_is_its_own_regression(panel: pd.DataFrame) -> None:
    found = fit_by_region(panel, WHOLE, REGIONS, order=ORDER)
    alone = fit_panel(
        panel[panel["area"] == "plain"], "reply", ["dose", "size", "wealth"], entity_effects=True, time_effects=True
    )
    assert found["plain"].effect.estimate == alone.estimates["dose"]
    assert found["plain"].effect.std_error == alone.std_errors["dose"]
    assert list(found) == ORDER


def test_a_small_region_carries_the_exact_bootstrap(panel: pd.DataFrame) -> None:
    found = fit_by_region(panel, PART, REGIONS)["plain"]
    assert found.wild is not None
    assert found.wild.enumerated
    assert found.wild.n_draws == 2**4
    assert found.wild.p_value >= 2 / 2**4


def test_regions_may_be_a_column(panel: pd.DataFrame) -> None:
    first = fit_by_region(panel, PART, "area", order=ORDER)
    second = fit_by_region(panel, PART, REGIONS, order=ORDER)
    assert [fit.effect.estimate for fit in first.values()] == [fit.effect.estimate for fit in second.values()]


def test_a_difference_is_the_difference_of_the_estimates(panel: pd.DataFrame, gaps: dict) -> None:
    fits = fit_by_region(panel, WHOLE, REGIONS)
    for gap in gaps.values():
        assert gap.effect.estimate == pytest.approx(
            fits[gap.first].effect.estimate - fits[gap.second].effect.estimate, abs=1e-10
        )


@pytest.mark.parametrize("effects", [(), ("entity",), ("time",), ("entity", "time")])
def test_a_difference_is_exact_whatever_the_effects(panel: pd.DataFrame, effects: tuple[str, ...]) -> None:
    model = WHOLE.with_(effects=effects)
    fits = fit_by_region(panel, model, REGIONS)
    gap = compare(panel, model, permutations=9, wild_draws=9)["coast_minus_plain"]
    difference = fits["coast"].effect.estimate - fits["plain"].effect.estimate
    assert gap.effect.estimate == pytest.approx(difference, abs=1e-10)


def test_a_difference_is_exact_in_an_unbalanced_panel(panel: pd.DataFrame) -> None:
    ragged = panel.drop(panel.index[[3, 40, 77]])
    fits = fit_by_region(ragged, PART, REGIONS)
    gap = compare_regions(ragged, PART, REGIONS, wild_draws=9, permutations=9, rng=generator())
    assert gap["coast_minus_hills"].effect.estimate == pytest.approx(
        fits["coast"].effect.estimate - fits["hills"].effect.estimate, abs=1e-10
    )


# pyfixest calls pandas in a form that pandas 3 will drop; the package under test is not concerned.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_standard_errors_agree_with_pyfixest(panel: pd.DataFrame, gaps: dict) -> None:
    import pyfixest

    frame = panel.reset_index()
    frame["wave"] = frame["area"] + frame["year"].astype(str)
    for column in ("dose", "size", "wealth"):
        for region in ORDER:
            frame[f"{column}_{region}"] = frame[column] * (frame["area"] == region)
    names = [f"{column}_{region}" for column in ("dose", "size", "wealth") for region in ORDER]
    fit = pyfixest.feols(f"reply ~ {' + '.join(names)} | unit + wave", frame, vcov={"CRV1": "unit"})
    places = [list(fit._coefnames).index(f"dose_{region}") for region in ("coast", "hills")]
    block = fit._vcov[np.ix_(places, places)]
    expected = np.sqrt(block[0, 0] + block[1, 1] - 2 * block[0, 1])
    assert gaps["coast_minus_hills"].effect.std_error == pytest.approx(expected, rel=1e-10)


def test_pairs_come_in_the_declared_order(gaps: dict) -> None:
    assert list(gaps) == ["coast_minus_plain", "coast_minus_hills", "plain_minus_hills"]


def test_holm_is_taken_over_the_pairs(gaps: dict) -> None:
    expected = holm([gap.effect.p_value for gap in gaps.values()])
    assert [gap.p_holm for gap in gaps.values()] == expected.tolist()


def test_few_divisions_are_all_looked_at(panel: pd.DataFrame) -> None:
    """All 35 divisions of the seven units of two regions, each fitted by the panel regression."""
    small = panel.drop(["u03", "u04"], level=0)
    pool = [unit for unit in small.index.unique(level=0) if REGIONS[unit] in ("coast", "plain")]
    statistics = []
    for chosen in combinations(pool, 3):
        parts = [small.loc[list(chosen)], small.loc[[unit for unit in pool if unit not in chosen]]]
        fits = [fit_panel(part, "reply", ["dose"], entity_effects=True, time_effects=True) for part in parts]
        gap = fits[0].estimates["dose"] - fits[1].estimates["dose"]
        statistics.append(abs(gap) / np.hypot(*(fit.std_errors["dose"] for fit in fits)))
    exact = np.mean(np.array(statistics) >= statistics[0] * (1 - 1e-9))
    gaps = compare_regions(small, PLAIN, "area", order=ORDER, wild_draws=9, permutations=4999, rng=generator())
    found = gaps["coast_minus_plain"].permutation
    assert (found.divisions, found.is_exact) == (35, True)
    outside(compare_regions, "written out: all 35 divisions, each fitted", found.p_value, exact, atol=1e-12)
    drawn = compare_regions(small, PLAIN, "area", order=ORDER, wild_draws=9, permutations=33, rng=generator())
    assert not drawn["coast_minus_plain"].permutation.is_exact
    assert drawn["coast_minus_plain"].permutation.p_value == pytest.approx(exact, abs=5 * np.sqrt(exact / 33) + 1 / 34)


def test_a_true_difference_is_found(gaps: dict) -> None:
    gap = gaps["coast_minus_hills"]
    assert max(gap.effect.p_value, gap.wild.p_value, gap.permutation.p_value, gap.cr2.p_value) < 0.05


def test_a_step_down_p_value_is_at_least_the_single_one(gaps: dict) -> None:
    assert all(gap.p_romano_wolf >= gap.wild.p_value - 0.05 for gap in gaps.values())


def test_romano_wolf_of_one_test_is_the_share_of_draws() -> None:
    assert romano_wolf([2.0], np.array([[1.0], [3.0], [-2.0], [0.5]]))[0] == 3 / 5


def test_romano_wolf_steps_down() -> None:
    """Worked by hand: the largest of both for the larger |t|, the smaller test's own draws for the other."""
    draws = np.array([[1.0, 4.0], [3.5, 0.0], [0.5, 1.5], [0.2, 0.1]])
    assert romano_wolf([3.0, 1.0], draws).tolist() == [3 / 5, 3 / 5]
    assert romano_wolf([3.0, 0.05], draws).tolist() == [3 / 5, 4 / 5]


def test_romano_wolf_of_identical_tests_needs_no_adjustment() -> None:
    draws = generator(3).normal(size=999)
    alone = romano_wolf([1.5], draws[:, None])[0]
    assert romano_wolf([1.5, 1.5], np.column_stack([draws, draws])).tolist() == [alone, alone]


def test_means_agree_with_statsmodels(panel: pd.DataFrame) -> None:
    import statsmodels.api as sm

    means, gaps = region_means(panel, "dose", REGIONS, order=ORDER)
    dummies = pd.get_dummies(panel["area"])[ORDER].astype(float)
    codes = pd.factorize(panel.index.get_level_values(0))[0]
    fit = sm.OLS(panel["dose"], dummies).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    assert [mean.effect.estimate for mean in means.values()] == pytest.approx(fit.params.tolist(), abs=1e-12)
    assert [mean.effect.std_error for mean in means.values()] == pytest.approx(fit.bse.tolist(), rel=1e-10)
    test = fit.t_test([1, -1, 0])
    assert gaps["coast_minus_plain"].effect.p_value == pytest.approx(float(test.pvalue), abs=1e-10)


def test_means_are_plain_means(panel: pd.DataFrame) -> None:
    means, _ = region_means(panel, "dose", REGIONS)
    expected = panel.groupby("area")["dose"].mean()
    assert {name: mean.effect.estimate for name, mean in means.items()} == pytest.approx(expected.to_dict(), abs=1e-12)


def test_the_gap_of_means_carries_the_bootstrap_when_it_can_draw(panel: pd.DataFrame) -> None:
    _, gaps = region_means(panel, "dose", REGIONS, rng=generator(), wild_draws=199)
    assert gaps["coast_minus_hills"].wild is not None
    assert region_means(panel, "dose", REGIONS)[1]["coast_minus_hills"].wild is None


def test_the_same_generator_gives_the_same_tests(panel: pd.DataFrame, gaps: dict) -> None:
    again = compare(panel)["plain_minus_hills"]
    assert again.permutation.p_value == gaps["plain_minus_hills"].permutation.p_value
    assert again.p_romano_wolf == gaps["plain_minus_hills"].p_romano_wolf


@pytest.mark.parametrize(
    ("regions", "order", "told"),
    [
        ("nothing", None, "no such column"),
        (REGIONS, [*ORDER, "islands"], "region islands: it has 0 members"),
        (REGIONS, ["coast", "plain"], "hills: it is not among"),
        (REGIONS.drop("u03"), None, "u03: it has no region"),
        (REGIONS.where(REGIONS.index != "u03", "islands"), None, "islands: it has 1 members"),
        (REGIONS * 0 + "all", None, "only one"),
        (pd.concat([REGIONS, REGIONS.iloc[:1]]), None, "listed twice"),
    ],
)
def test_regions_that_do_not_fit_are_told(
    panel: pd.DataFrame, regions: object, order: list[str] | None, told: str
) -> None:
    with pytest.raises(StudyError, match=told):
        read_grouping(panel, regions, order)  # type: ignore[arg-type]


def test_a_region_that_changes_over_time_is_told(panel: pd.DataFrame) -> None:
    moved = panel.copy()
    moved.loc[moved.index[0], "area"] = "hills"
    with pytest.raises(StudyError, match="u00: its region changes over time"):
        read_grouping(moved, "area")
