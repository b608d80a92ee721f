"""The multiverse gives the numbers of single regressions, by our own engine and by others.

Tolerance 1e-10 (relative) where the same normal equations are solved in another order; 1e-8 where a bootstrap draw is
compared with a regression on its drawn outcome; single precision (2e-4) beyond 12 clusters, where draws are counted.
"""

from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.multiverse.cell_null import build_null, draw_statistics, look_up, normal_scores
from helpers.multiverse.curve import count_universes, specification_curve, thin_out
from helpers.multiverse.declared import index_runs, plan_study, study_specifications
from helpers.multiverse.fit import Multiverse, all_subsets, run_specifications
from helpers.multiverse.joint import JointTest, draw_signs, joint_tests
from helpers.multiverse.pictures import draw_specification_curve
from helpers.multiverse.plan import walk_cells
from helpers.multiverse.shares import variance_shares
from helpers.multiverse.survival import claim_survival, find_standing, group_universes, survival_by_group
from helpers.regression.panel import PanelFit, fit_panel
from helpers.study.study import MultiverseIndex
from outside import outside

EFFECTS: list[tuple[str, ...]] = [(), ("entity",), ("time",), ("entity", "time")]


def joint_test(multiverse: Multiverse, *, draws: int, rng: np.random.Generator) -> JointTest:
    """All specifications together."""
    every = {"all": np.ones(multiverse.n_specifications, dtype=bool)}
    return joint_tests(multiverse, every, draws=draws, rng=rng)["all"]


def make_panel(entities: int = 14, times: int = 6, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(entities)], range(2000, 2000 + times)])
    index.names = ["entity", "time"]
    panel = pd.DataFrame(rng.normal(size=(len(index), 6)), index=index, columns=["y", "y2", "x", "a", "b", "c"])
    panel["x"] += 0.5 * panel["a"]
    panel["y"] += 0.4 * panel["x"] + np.repeat(rng.normal(size=entities), times)
    return panel


@pytest.fixture(scope="module")
def grunfeld() -> pd.DataFrame:
    from statsmodels.datasets import grunfeld

    data = grunfeld.load_pandas().data
    data = data[data["firm"] != "American Steel"].astype({"year": int})
    return data.set_index(["firm", "year"]).sort_index()


def table_rows(table: pd.DataFrame) -> Iterator[Any]:
    yield from table.itertuples()


def refit(panel: pd.DataFrame, row: Any) -> PanelFit:
    """The specification of a table row by `fit_panel`."""
    if row.lag != "0":
        earlier = panel[row.treatment].reset_index()
        earlier["time"] += int(row.lag)
        panel = panel.assign(**{row.treatment: earlier.set_index(["entity", "time"])[row.treatment]}).dropna()
    controls = [] if row.controls == "none" else row.controls.split(" + ")
    return fit_panel(
        panel, row.outcome, [row.treatment, *controls],
        entity_effects="entity" in row.effects, time_effects="time" in row.effects,
    )  # fmt: skip


@pytest.mark.parametrize("balanced", [True, False])
def test_every_specification_equals_its_own_regression(balanced: bool) -> None:
    panel = make_panel()
    panel = panel if balanced else panel.drop(panel.index[[3, 11, 12, 40]])
    samples = {"all": np.ones(len(panel), dtype=bool), "late": panel.index.get_level_values(1) > 2001}
    found = run_specifications(panel, ["y", "y2"], ["x"], all_subsets(["a", "b"]), EFFECTS, samples, lags=(0, 1))
    assert found.n_specifications == 2 * 4 * 4 * 2 * 2
    for row in table_rows(found.table):
        fit = refit(panel[samples[row.sample]], row)
        assert row.estimate == pytest.approx(fit.estimates.iloc[0], rel=1e-10)
        assert row.std_error == pytest.approx(fit.std_errors.iloc[0], rel=1e-10)
        assert row.p_value == pytest.approx(fit.p_values.iloc[0], rel=1e-9)
        assert (row.n_obs, row.n_entities) == (fit.n_obs, fit.n_entities)


def test_grunfeld_meets_the_published_standard_error_of_fixest(grunfeld: pd.DataFrame) -> None:
    # inv ~ capital | firm + year: fixest and Stata xtreg, recomputed in the project's statistical conventions.
    row = run_specifications(grunfeld, "invest", "capital").table.iloc[0]
    numbers = row[["estimate", "std_error"]]
    outside(run_specifications, "R fixest: Grunfeld, stata", numbers, [0.41380183, 0.06328129], atol=5e-9)
    assert row["p_value"] == pytest.approx(1.0e-4, rel=0.1)


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_pyfixest_gives_the_same_specifications(grunfeld: pd.DataFrame) -> None:
    import pyfixest

    table = run_specifications(grunfeld, "invest", "value", [(), ("capital",)], [("entity",), ("entity", "time")]).table
    flat = grunfeld.reset_index()
    for row in table_rows(table):
        right = "value" if row.controls == "none" else "value + capital"
        absorbed = row.effects.replace("entity", "firm").replace("time", "year")
        fit = pyfixest.feols(f"invest ~ {right} | {absorbed}", flat, vcov={"CRV1": "firm"})
        source = "pyfixest: feols, CRV1, Grunfeld"
        outside(run_specifications, source, row.estimate, fit.coef()["value"], rtol=1e-8)
        outside(run_specifications, source, row.std_error, fit.se()["value"], rtol=1e-6)


def test_standardised_estimate_does_not_depend_on_units() -> None:
    panel = make_panel()
    one = run_specifications(panel, "y", "x").table["standardised"][0]
    other = run_specifications(panel.assign(x=1000 * panel["x"], y=panel["y"] / 7), "y", "x").table["standardised"][0]
    assert other == pytest.approx(one, rel=1e-10)


def test_specifications_that_cannot_be_estimated_are_listed_with_the_reason() -> None:
    panel = make_panel()
    panel["fixed"] = panel.groupby(level=0)["x"].transform("first")
    panel["twin"] = 2 * panel["a"]
    found = run_specifications(
        panel, "y", ["x", "fixed"], [(), ("a",), ("a", "twin")], [("entity",)], {"all": np.ones(len(panel), bool)}
    )
    assert found.n_specifications == 6
    assert len(found.failures) == 4
    reasons = found.failure_counts
    assert reasons[[text for text in reasons.index if "collinear with a" in text]].sum() == 2
    assert reasons[[text for text in reasons.index if "the effects absorb it" in text]].sum() == 2


def test_a_sample_without_rows_is_a_reason() -> None:
    panel = make_panel(times=3)
    found = run_specifications(panel, "y", "x", lags=(0, 5))
    assert found.failures["reason"].tolist() == ["no rows"]


def test_a_lag_counts_waves_and_not_years() -> None:
    waves = {2000: 2000, 2001: 2003, 2002: 2004, 2003: 2008, 2004: 2010, 2005: 2012}
    panel = make_panel()
    apart = panel.rename(index=waves, level=1)
    one, other = (run_specifications(part, "y", "x", [("a",)], lags=(1, 2)).table for part in (panel, apart))
    pd.testing.assert_frame_equal(one, other)


def test_a_treatment_that_a_control_repeats_is_a_reason() -> None:
    panel = make_panel()
    found = run_specifications(panel.assign(copy=panel["x"]), "y", "x", [("copy",), ("a",)])
    assert found.failures["reason"].tolist() == ["the treatment is collinear with copy"]


@pytest.mark.parametrize(
    "change, word",
    [
        ({"effects": [("region",)]}, "effects"),
        ({"lags": (-1,)}, "lags"),
        ({"samples": {"half": np.ones(3, bool)}}, "half"),
    ],
)
def test_bad_requests_are_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(StudyError, match=word):
        run_specifications(make_panel(), "y", "x", **change)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(StudyError, match="nothing"):
        run_specifications(make_panel(), {"first": "nothing"}, "x")


def test_all_subsets_are_two_to_the_number_of_controls() -> None:
    sets = all_subsets(["a", "b", "c"], always=["b"])
    assert len(sets) == 4
    assert all("b" in chosen for chosen in sets)


def test_decisions_of_the_table_are_those_of_a_plain_loop() -> None:
    found = run_specifications(make_panel(), ["y", "y2"], ["x", "c"], [(), ("a",)], EFFECTS[:2], lags=(0, 1))
    looped = product(["all"], ["0", "1"], ["none", "entity"], ["none", "a"], ["y", "y2"], ["x", "c"])
    names = ["sample", "lag", "effects", "controls", "outcome", "treatment"]
    assert found.table[names].astype(str).apply(tuple, axis=1).tolist() == list(looped)


# The study's multiverse


def make_study(options: MultiverseIndex, **changes: Any) -> Any:
    def index(names: list[str]) -> SimpleNamespace:
        items = {
            name: SimpleNamespace(direction=sign, dimension="d") for name, sign in zip(names, (1, -1, 1), strict=True)
        }
        return SimpleNamespace(indicators=items, dimensions={"d": SimpleNamespace(parent=None)}, method=None)

    everything = SimpleNamespace(drop_where=None, drop_times=None)
    choices = {
        "index": options, "index_rows": ("all", "sample"), "always": (), "effects": (("entity", "time"),), "lags": (0,),
        "samples": {"all": everything, "early": SimpleNamespace(drop_where=None, drop_times=(2005,))},
    }  # fmt: skip
    return SimpleNamespace(
        name="made",
        time=SimpleNamespace(window=tuple(range(2000, 2006))),
        specification=SimpleNamespace(outcome="good", treatment="digital", controls=("a",), significance=0.05),
        indices={"good": index(["p", "q", "r"]), "digital": index(["s", "t", "u"])},
        multiverse=SimpleNamespace(**(choices | changes)),
    )


@pytest.fixture
def indicators() -> pd.DataFrame:
    panel = make_panel()
    rng = np.random.default_rng(8)
    return panel.assign(**{name: rng.gamma(2.0, size=len(panel)) for name in "pqrstu"})


def test_study_specifications_equal_index_then_regression(indicators: pd.DataFrame) -> None:
    options = MultiverseIndex(
        weights=("entropy", "equal"), scale=("min_max",), scope=("pooled", "yearly"), leave_one_out=True
    )
    study = make_study(options)
    found = study_specifications(indicators, study)
    # 4 methods x 7 indicators left out or none x (all, early over all rows, early over its own) x 2 sets of controls.
    assert found.n_specifications == 4 * 7 * 3 * 2
    for row in table_rows(found.table.sample(30, random_state=1)):
        rows = indicators if row.sample == "all" else indicators.drop(2005, level=1)
        base = rows if row.index_rows == "sample" else indicators
        data = rows.copy()
        for name, spec in study.indices.items():
            kept = {key: item for key, item in spec.indicators.items() if key != row.dropped}
            made = composite_index(
                base, SimpleNamespace(indicators=kept, dimensions=spec.dimensions, method=None),
                weights=row.weights, scope=row.scope,
            )  # fmt: skip
            data[name] = made.values
        fit = fit_panel(
            data,
            "good",
            ["digital", *([] if row.controls == "none" else ["a"])],
            entity_effects=True,
            time_effects=True,
        )
        assert row.estimate == pytest.approx(fit.estimates["digital"], rel=1e-9)
        assert row.std_error == pytest.approx(fit.std_errors["digital"], rel=1e-9)


def test_a_shift_of_scores_is_not_counted_again_for_weights_that_ignore_it() -> None:
    runs = list(index_runs(MultiverseIndex(weights=("entropy", "equal"), zero_rule=(0.0, 0.01))))
    assert [(run.weights, run.zero_rule) for run in runs] == [("entropy", 0.0), ("equal", 0.0), ("entropy", 0.01)]


def test_an_index_that_cannot_be_built_is_counted_with_the_reason(indicators: pd.DataFrame) -> None:
    flat = indicators.copy()
    flat.loc[flat.index.get_level_values(1) == 2003, "s"] = 1.0
    found = study_specifications(flat, make_study(MultiverseIndex(scope=("pooled", "yearly"))))
    failed = found.failures
    assert set(failed["scope"]) == {"yearly"}
    assert failed["reason"].str.contains("column s").all()
    assert len(failed) == found.n_specifications / 2


def test_without_an_index_its_choices_make_no_specifications(indicators: pd.DataFrame) -> None:
    study = make_study(MultiverseIndex(weights=("entropy", "equal"), leave_one_out=True))
    study.specification.outcome, study.specification.treatment = "y", "x"
    found = study_specifications(indicators, study)
    # (all, early) x 2 sets of controls.
    assert found.n_specifications == 4


def test_a_sample_by_a_column_that_units_lack_is_named(indicators: pd.DataFrame) -> None:
    samples = {"some": SimpleNamespace(drop_where={"size": 1}, drop_times=None)}
    with pytest.raises(StudyError, match="size"):
        plan_study(indicators, make_study(MultiverseIndex(), samples=samples), pd.DataFrame({"region": ["east"]}))


def test_a_study_without_a_block_says_so(indicators: pd.DataFrame) -> None:
    study = make_study(MultiverseIndex())
    study.multiverse = None
    with pytest.raises(StudyError, match="no multiverse"):
        study_specifications(indicators, study)


# Joint statistics


@pytest.mark.parametrize("entities, tolerance", [(9, 1e-8), (15, 2e-4)])
def test_a_draw_equals_the_regression_on_its_outcome(entities: int, tolerance: float) -> None:
    panel = make_panel(entities)
    panel = panel.drop(panel.index[[4, 17]])
    found = run_specifications(panel, "y", "x", [(), ("a", "b")], EFFECTS)
    rng = np.random.default_rng(4)
    for place in walk_cells(found.plan):
        assert place.cell is not None
        signs = rng.choice([-1.0, 1.0], size=(2, entities))
        for chosen in found.plan.control_sets:
            controls = [found.plan.control_names[j] for j in chosen]
            kinds: dict[str, Any] = {"entity_effects": "entity" in place.kinds, "time_effects": "time" in place.kinds}
            restricted = (
                place.cell.effects.project(panel[["y"]].to_numpy())[:, 0]
                if place.kinds
                else panel["y"] - panel["y"].mean()
            )
            if controls:
                restricted = fit_panel(panel, "y", controls, **kinds).residuals
            drawn, weights, _ = draw_statistics(build_null(place.cell, signs), chosen, np.array([0]))
            for draw, sign in enumerate(signs):
                change = (sign[place.cell.effects.entity] - 1) * np.asarray(restricted)
                fit = fit_panel(panel.assign(star=panel["y"] + change), "star", ["x", *controls], **kinds)
                assert drawn[0, draw] == pytest.approx(fit.statistics["x"], rel=tolerance, abs=tolerance)
                assert (sign @ weights)[0] == pytest.approx(fit.estimates["x"], rel=1e-8)


def test_one_specification_gives_the_wild_bootstrap_p_value(grunfeld: pd.DataFrame) -> None:
    from helpers.inference.wild.bootstrap import wild_cluster_bootstrap

    fit = fit_panel(grunfeld, "invest", ["capital"], entity_effects=True, time_effects=True)
    exact = wild_cluster_bootstrap(fit, "capital")
    joint = joint_test(run_specifications(grunfeld, "invest", "capital"), draws=20_000, rng=np.random.default_rng(1))
    # Exact 254 of 1,024 with ties; 20,000 draws, stratified over all patterns of ten signs, leave less than 0.002.
    assert exact.p_value == pytest.approx(254 / 1024)
    outside(joint_tests, "wildboottest: all 1,024 draws, Grunfeld", joint.stouffer.p_value, 254 / 1024, atol=0.002)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_both_sides_and_one_are_those_of_a_plain_loop(sign: float) -> None:
    """Every universe is a least-squares fit with dummies, in each of the 512 patterns of signs of nine entities."""
    from scipy import stats

    panel = make_panel(9, 5, seed=21)
    panel["y"] = sign * (panel["y"] - 0.85 * panel["x"])
    found = run_specifications(panel, "y", ["x", "c"], [(), ("a",)], EFFECTS[3:])
    joint = joint_test(found, draws=512, rng=np.random.default_rng(1))
    codes = [pd.factorize(panel.index.get_level_values(level))[0] for level in (0, 1)]
    dummies = np.column_stack([np.eye(9)[codes[0]], np.eye(5)[codes[1]][:, 1:]])
    patterns = np.vstack([1 - 2 * ((np.arange(512)[:, None] >> np.arange(9)) & 1)])
    estimates, scores, ts = ([] for _ in range(3))
    for column in ("x", "c"):
        for controls in ([], ["a"]):
            others = np.column_stack([dummies, panel[controls]])
            y = panel["y"].to_numpy()
            null = y - others @ np.linalg.lstsq(others, y, rcond=None)[0]
            outcomes = np.column_stack([y, null[:, None] * patterns[:, codes[0]].T])
            design = np.column_stack([panel[column], others])
            fit = np.linalg.lstsq(design, outcomes, rcond=None)[0]
            left = outcomes - design @ fit
            own = design[:, 0] - others @ np.linalg.lstsq(others, design[:, 0], rcond=None)[0]
            meat = np.stack([(own[:, None] * left)[codes[0] == g].sum(axis=0) ** 2 for g in range(9)]).sum(axis=0)
            k = 1 + len(controls) + 5
            error = np.sqrt(9 / 8 * 44 / (45 - k) * meat) / (own @ own)
            t = fit[0] / error
            estimates.append(fit[0])
            ts.append(t)
            scores.append(np.sign(t) * stats.norm.isf(stats.t.sf(np.abs(t), 8)))
    critical = stats.t.isf(0.025, 8)
    medians, z = np.median(estimates, axis=0), np.sum(scores, axis=0) / 2
    above, below = ((side * np.array(ts) > critical).mean(axis=0) for side in (1, -1))
    side = 1 if medians[0] > 0 else -1
    mine = {1: above, -1: below}[joint.dominant]

    def p_value(null: np.ndarray, observed: float) -> float:
        return float((1 + np.count_nonzero(null >= observed * (1 - 1e-6))) / 513)

    expected = {
        "median": (p_value(np.abs(medians[1:]), abs(medians[0])), p_value(side * medians[1:], abs(medians[0]))),
        "stouffer": (p_value(np.abs(z[1:]), abs(z[0])), p_value(np.sign(z[0]) * z[1:], abs(z[0]))),
        "share_significant": (
            p_value(np.maximum(above, below)[1:], mine[0]), p_value(mine[1:], mine[0])
        ),
    }  # fmt: skip
    for name, values in expected.items():
        ours = joint.statistics[name]
        source = "written out: every universe in all 512 patterns of signs"
        outside(joint_tests, source, [ours.p_value, ours.p_value_one_sided], values, rtol=1e-9)
    assert joint.median.p_value_one_sided < joint.median.p_value < 0.9


def test_normal_scores_are_those_of_scipy() -> None:
    from scipy import stats

    t = np.array([-3.2, -0.4, 0.0, 1.7, 8.0])
    expected = stats.norm.ppf(stats.t.cdf(t, 9))
    assert look_up(t, normal_scores(9)) == pytest.approx(expected, abs=1e-6)


def test_joint_test_keeps_its_size_without_an_effect() -> None:
    rng = np.random.default_rng(11)
    p_values = []
    for seed in range(40):
        panel = make_panel(12, 4, seed=100 + seed)
        panel["y"] = rng.normal(size=len(panel)) + np.repeat(rng.normal(size=12), 4)
        found = run_specifications(panel, "y", ["x", "c"], all_subsets(["a", "b"]), EFFECTS[1:])
        p_values.append([s.p_value for s in joint_test(found, draws=99, rng=rng).statistics.values()])
    # 40 samples: at a true size of 5 % more than 7 rejections have a probability of 0.1 %.
    assert (np.array(p_values) <= 0.05).sum(axis=0).max() <= 7


def test_joint_test_finds_an_effect_that_is_there() -> None:
    panel = make_panel(30, 6)
    found = run_specifications(panel, "y", "x", all_subsets(["a", "b"]), EFFECTS[1:])
    joint = joint_test(found, draws=999, rng=np.random.default_rng(2))
    assert joint.dominant == 1
    assert max(statistic.p_value for statistic in joint.statistics.values()) <= 0.04


def test_groups_are_tested_as_if_alone() -> None:
    panel = make_panel(11)
    found = run_specifications(panel, "y", ["x", "c"], [(), ("a",), ("a", "b")], EFFECTS[1:])
    groups = group_universes(found)
    names = [name for kinds in ("entity", "time", "entity + time") for name in (kinds, f"{kinds}, all controls")]
    assert list(groups) == ["all", *names]
    # Eleven clusters and 2,048 draws: the strata hold every pattern of signs once, whatever the seed.
    tests = joint_tests(found, groups, draws=2048, rng=np.random.default_rng(1))
    for name, kinds in (("entity", EFFECTS[1:2]), ("entity + time", EFFECTS[3:])):
        alone = joint_test(
            run_specifications(panel, "y", ["x", "c"], [(), ("a",), ("a", "b")], kinds),
            draws=2048,
            rng=np.random.default_rng(7),
        )
        for statistic, own in alone.statistics.items():
            assert tests[name].statistics[statistic].observed == pytest.approx(own.observed, rel=1e-9)
            assert tests[name].statistics[statistic].p_value == own.p_value


def test_medians_are_counted_as_they_are_sorted() -> None:
    from helpers.multiverse.joint import _reaches

    rng = np.random.default_rng(3)
    for n in (1, 2, 7, 8):
        drawn = rng.integers(-3, 4, size=(400, n)).astype(float)
        for bound in (0.0, 0.5, 1.0, 1.5):
            medians = np.median(drawn, axis=1)
            assert (_reaches(drawn, bound) == [medians >= bound, -medians >= bound]).all()


def test_signs_of_the_most_influential_are_balanced() -> None:
    signs = draw_signs(np.array([0.1, 5.0, 0.2, 3.0]), 1000, np.random.default_rng(5))
    patterns = pd.DataFrame(signs[:, [1, 3]]).value_counts()
    # Of 1,000 strata of equal width those at a border may fall on either side.
    assert patterns.between(248, 252).all()
    # The other signs are stratified too, after those two: 1,000 draws hold nine bits.
    assert np.abs(signs.mean(axis=0)).max() < 0.01


def test_a_joint_test_without_draws_is_refused() -> None:
    with pytest.raises(StudyError, match="joint test"):
        joint_test(run_specifications(make_panel(), "y", "x"), draws=0, rng=np.random.default_rng(1))


# What it says


@pytest.fixture(scope="module")
def found() -> Multiverse:
    return run_specifications(make_panel(), ["y", "y2"], ["x", "c"], all_subsets(["a", "b"]), EFFECTS)


def test_first_order_shares_are_the_eta_squared_of_statsmodels(found: Multiverse) -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    shares = variance_shares(found)
    for name in ("outcome", "treatment", "effects", "controls"):
        data = found.table[["standardised"]].assign(decision=found.table[name].astype(str))
        squares = anova_lm(ols("standardised ~ C(decision)", data).fit())["sum_sq"]
        printed = squares.iloc[0] / squares.sum()
        outside(variance_shares, "statsmodels: anova_lm", shares.loc[name, "first_order"], printed, rtol=1e-8)


def test_first_orders_sum_to_less_and_total_orders_to_more_than_one(found: Multiverse) -> None:
    shares = variance_shares(found).loc[["outcome", "treatment", "effects", "controls"]]
    assert shares["first_order"].sum() < 1 < shares["total_order"].sum()
    assert (shares["total_order"] >= shares["first_order"] - 1e-12).all()


def test_a_nested_decision_is_measured_inside_its_parent() -> None:
    # Weights entropy, equal, pca; a shift is for entropy alone. By hand: means by option, inside entropy for the shift.
    rng = np.random.default_rng(2)
    rows = [("entropy", "0.0"), ("entropy", "0.01"), ("equal", "0.0"), ("pca", "0.0")]
    names = ["weights", "zero_rule", "effects", "controls"]
    design = [(*row, kinds, "none") for row in rows for kinds in ("entity", "time") for _ in range(3)]
    table = pd.DataFrame(design, columns=names).astype("category")
    table["standardised"] = rng.normal(size=len(table)) + 4.0 * (table["weights"] == "equal")
    table["estimate"] = table["standardised"]
    plan = SimpleNamespace(control_names=(), control_sets=((),))
    shares = variance_shares(Multiverse(table, tuple(names), 0.05, plan))  # type: ignore[arg-type]
    variance = table["standardised"].var(ddof=0)
    entropy = table[table["weights"] == "entropy"]
    means = entropy.groupby("zero_rule", observed=True)["standardised"].transform("mean")
    source = "written out: variance of the means inside the parent"
    outside(
        variance_shares, source, shares.loc["zero_rule", "first_order"], means.var(ddof=0) / 2 / variance, rtol=1e-9
    )
    fixed = table.groupby("effects", observed=True)["standardised"].transform("mean")
    # With all others fixed, weights and shift together vary.
    total = 1 - fixed.var(ddof=0) / variance
    outside(variance_shares, source, shares.loc["weights", "total_order"], total, rtol=1e-9)
    assert (shares["first_order"] <= shares["total_order"] + 1e-12).all()


def test_the_thinned_universes_keep_to_their_rule() -> None:
    found = run_specifications(make_panel(), ["y", "y2"], ["x", "c"], all_subsets(["a", "b"]), EFFECTS, lags=(0, 1))
    assert len(thin_out(found)) == found.n_specifications
    few = thin_out(found, 40)
    assert 24 <= len(few) <= 40 + 24  # strata: two lags, four sets of effects, none, one or two controls
    assert few["universes"].sum() == pytest.approx(found.n_specifications)
    by_hand = found.table[(found.table["lag"] == "1") & (found.table["effects"] == "time")]
    own = few[(few["lag"] == "1") & (few["effects"] == "time")]
    assert own["universes"].sum() == pytest.approx(len(by_hand))


def test_universes_are_counted_over_all(found: Multiverse) -> None:
    counts = count_universes(found)
    hits = (found.table["estimate"] > 0) & (found.table["p_value"] < 0.05)
    assert counts["universes"].sum() == found.n_specifications
    assert counts["positive_significant"].sum() == hits.sum()


def test_groups_are_counted_by_hand(found: Multiverse) -> None:
    groups = survival_by_group(found, group_universes(found))
    own = found.table[(found.table["effects"] == "entity + time") & (found.table["controls"] == "a + b")]
    hits = (own["estimate"] > 0) & (own["p_value"] < 0.05)
    assert groups.loc["entity + time, all controls", "positive_significant"] == hits.mean()
    assert groups.loc["entity + time, all controls", "n_specifications"] == len(own)


def test_a_fit_stands_at_its_rank_among_the_universes() -> None:
    panel = make_panel()
    found = run_specifications(panel, ["y", "y2"], ["x", "c"], all_subsets(["a", "b"]), EFFECTS)
    fit = fit_panel(panel, "y", ["x", "a", "b"], entity_effects=True, time_effects=True)
    table = found.table
    mine = table[
        (table[["outcome", "treatment", "effects", "controls"]] == ["y", "x", "entity + time", "a + b"]).all(axis=1)
    ]
    value = mine["standardised"].iloc[0]
    own = table[table["effects"] == "entity + time"]["standardised"]
    standing = find_standing(found, fit, "x")
    assert standing.standardised == pytest.approx(value, rel=1e-9)
    assert standing.below == (np.sort(table["standardised"]) < value - 1e-9).mean()
    assert standing.below_own == (own < value - 1e-9).mean()


@settings(max_examples=10, deadline=None)
@given(powers=st.tuples(*[st.integers(-8, 8)] * 3), shift=st.floats(-100, 100), seed=st.integers(0, 99))
def test_nothing_depends_on_units_origin_order_or_names(powers: tuple[int, int, int], shift: float, seed: int) -> None:
    panel = make_panel(13)[["y", "x", "a"]]
    sets, kinds = all_subsets(["a"]), EFFECTS
    found = run_specifications(panel, "y", "x", sets, kinds)
    other = (panel + shift).mul([10.0**power for power in powers]).rename(index=lambda name: f"x{name}", level=0)
    again = run_specifications(other.sample(frac=1, random_state=seed), "y", "x", sets, kinds)
    for column in ("statistic", "standardised", "p_value"):
        np.testing.assert_allclose(again.table[column], found.table[column], rtol=1e-8, atol=1e-12)
    assert variance_shares(again)["first_order"].to_numpy() == pytest.approx(
        variance_shares(found)["first_order"].to_numpy(), rel=1e-8
    )
    one, two = (joint_test(part, draws=99, rng=np.random.default_rng(1)) for part in (found, again))
    for name, statistic in one.statistics.items():
        assert two.statistics[name].p_value == pytest.approx(statistic.p_value, abs=0.011)  # a tie of single precision


def test_the_curve_rises_and_keeps_both_ends(found: Multiverse) -> None:
    curve = specification_curve(found, points=10).curve
    assert curve["estimate"].is_monotonic_increasing
    assert curve["estimate"].iloc[[0, -1]].tolist() == [
        found.table["standardised"].min(),
        found.table["standardised"].max(),
    ]
    assert ((curve["ci_low"] > 0) | (curve["ci_high"] < 0)).equals(curve["significant"].astype(bool))


def test_survival_counts_by_hand(found: Multiverse) -> None:
    table = found.table
    hits = (table["estimate"] > 0) & (table["p_value"] < 0.05)
    survival = claim_survival(found)
    assert survival.positive_significant == hits.mean()
    assert survival.by_option.loc[("outcome", "y"), "positive_significant"] == hits[table["outcome"] == "y"].mean()


def test_the_picture_has_a_row_of_marks_for_each_option(found: Multiverse) -> None:
    import matplotlib.pyplot as plt

    figure = draw_specification_curve(specification_curve(found, points=40))
    assert len(figure.axes[1].get_yticks()) == 2 + 2 + 4 + 4
    plt.close(figure)
