"""No public estimator depends on the unit, origin, order or name of a column.

Here are those that no other test holds to it, and the list of all, so that a new one without such a test is seen.

Tolerance: 1e-8 relative, or beside zero; figures have 16 digits and lose up to six to an origin that is moved by a
million standard deviations, and some as many again to an estimator that takes differences of what is left.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpers.coordination.moderation import marginal_at_percentiles, moderate
from helpers.coordination.returns import end_slopes, square_treatment, wild_slopes, within_correlation
from helpers.diagnostics.effects_tests import condition_number, correlation_matrix, vif
from helpers.diagnostics.random_effects import fit_two_way_random
from helpers.diagnostics.specification_tests import run_tests
from helpers.disparity.divergence import (
    beta_slope,
    gini_change,
    group_first_level,
    sigma_trend,
    upper_lower_gap,
    welch_gap,
)
from helpers.disparity.dynamics import beta_convergence, kernel_density, markov_transitions, sigma_convergence
from helpers.disparity.inequality import dagum_split, gini, split_by_time, theil_split
from helpers.disparity.spatial import local_moran, moran_by_time, moran_test
from helpers.heterogeneity.groups import read_grouping
from helpers.heterogeneity.growth import compare_groups
from helpers.heterogeneity.heterogeneity import compare_regions, fit_by_region
from helpers.heterogeneity.why import fit_start, fit_threshold
from helpers.identification.confounding import confounder_contour
from helpers.identification.placebo import deal_histories, fit_lead, measure_size
from helpers.index.scaling import box_cox_power, min_max_scale, scale_scores, winsorise
from helpers.index.weights import (
    column_entropies,
    critic_entropy_weights,
    critic_weights,
    entropy_weights,
    equal_weights,
    pca_weights,
    variation_weights,
)
from helpers.inference.clear import fit_clear
from helpers.inference.cross_section import wild_beta, wild_gap, wild_line, wild_mean, wild_sigma, wild_upper_lower
from helpers.inference.detectable import detectable_effect
from helpers.inference.family import Question, fit_clear_family, fit_family
from helpers.inference.small_sample import SmallSampleTest
from helpers.inference.wald import joint_wald
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.mediation.chain import fit_chain
from helpers.mediation.moderated import fit_grouped, fit_interaction
from helpers.mediation.probit import mediation_effects_probit
from helpers.mediation.resampled import draw_samples
from helpers.mediation.rho import rho_sensitivity
from helpers.policy.difference import difference_model, randomise, study_events
from helpers.policy.durbin import fit_spatial
from helpers.policy.honest import honest_bounds
from helpers.policy.space import SpatialWeights, standardise_rows
from helpers.policy.spatial_tests import examine_residuals
from helpers.policy.staggered import cohort_effects
from helpers.regression.panel import fit, fit_panel
from helpers.regression.threshold import second_threshold
from helpers.results.estimate import Estimate
from helpers.robustness.imputed import fit_imputed
from helpers.simulation.few_clusters import few_cluster_tests, joint_controls
from helpers.society.quality import least_lead, trend_gaps, wild_lead, wild_trend_gaps
from helpers.study.model import Model

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["m", "x", "y", "z"]
MODEL = Model("y", "x", ("z",))
ENTITIES, TIMES = 14, 6
PLACES = [f"e{place:02d}" for place in range(ENTITIES)]


@cache
def draw_panel() -> pd.DataFrame:
    """A balanced panel of 14 entities with positive columns; m goes with x, and y with both."""
    rng = np.random.default_rng(12)
    index = pd.MultiIndex.from_product([PLACES, range(TIMES)], names=["entity", "time"])
    own = np.repeat(rng.normal(size=ENTITIES), TIMES)
    x, z = rng.normal(size=(2, len(index))) + own
    m = 0.6 * x + rng.normal(size=len(index))
    y = 0.5 * x + 0.5 * m - z + own + rng.normal(size=len(index))
    return pd.DataFrame({"m": m, "x": x, "y": y, "z": z}, index=index) + 9.0


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def place_of(entity: Any) -> int:
    """The number in the name of an entity, whatever else its name holds."""
    return int(re.sub(r"\D", "", str(entity)))


def regions(data: pd.DataFrame) -> pd.Series:
    return pd.Series({entity: "north" if place_of(entity) % 2 else "south" for entity in data.index.unique(0)})


def numbers(*found: Estimate | SmallSampleTest | None) -> list[float]:
    """What has no unit of each estimate: its t and its p-value."""
    return [
        np.nan if value is None else float(value)
        for one in found
        if one is not None
        for value in (None if one.std_error is None else one.estimate / one.std_error, one.p_value)
    ]


def two_way(data: pd.DataFrame) -> Any:
    return fit(data, MODEL)


def random_effects(data: pd.DataFrame) -> list[float]:
    found = fit_two_way_random(data, "y", ["x", "z"])
    return [*(found.estimates / found.std_errors)[["x", "z"]]]


def specification_tests(data: pd.DataFrame) -> list[float]:
    found = run_tests(data, MODEL, draws=19, rng=rng())
    return [value for one in found.values() for value in (getattr(one, "statistic", 0.0), getattr(one, "p_value", 0.0))]


def clear(data: pd.DataFrame) -> list[float]:
    found = fit_clear(data, MODEL, draws=99, rng=rng())
    return numbers(found.effect, found.wild, found.without_times, found.without_times_wild)


def family(data: pd.DataFrame) -> list[float]:
    questions = {name: Question(data, MODEL.with_(outcome=name, controls=()), "x") for name in ("y", "m", "z")}
    found = [*fit_family(questions, draws=99, rng=rng()).values()]
    found += fit_clear_family(questions, draws=99, rng=rng()).answers.values()
    return [
        *(value for one in found for value in numbers(one.effect, one.wild, one.adjusted)),
        *(float(one.holm) for one in found if one.holm is not None),
    ]


def wald(data: pd.DataFrame) -> list[float]:
    found = joint_wald(two_way(data), ["x", "z"], draws=99, rng=rng())
    return [found.statistic, found.p_value, found.wild_p_value]


def by_region(data: pd.DataFrame) -> list[float]:
    own = fit_by_region(data, MODEL, regions(data), order=["north", "south"], wild_draws=99, rng=rng())
    gaps = compare_regions(
        data, MODEL, regions(data), order=["north", "south"], wild_draws=99, permutations=99, rng=rng()
    )
    return [*(value for one in own.values() for value in numbers(one.effect)),
            *(value for gap in gaps.values() for value in numbers(gap.effect, gap.cr2))]  # fmt: skip


def growth(data: pd.DataFrame) -> list[float]:
    grouping = read_grouping(data, regions(data), ["north", "south"])
    data = data.sort_index()
    change = data["y"].groupby(level=0).last() - data["y"].groupby(level=0).first()
    found = compare_groups(change, grouping, draws=99, rng=rng())
    assert found is not None
    return [value for gap in (*found.gaps.values(), *found.wild.values()) for value in numbers(gap)]


def start(data: pd.DataFrame) -> list[float]:
    found = fit_start(data, MODEL, "z", draws=99, rng=rng())
    return numbers(found.effect, found.wild)


def thresholds(data: pd.DataFrame) -> list[float]:
    pair = fit_threshold(data, MODEL, "z", draws=19, rng=rng())
    second = second_threshold(data, pair.first, rng=rng())
    return [pair.first.statistic, pair.first.p_value, second.statistic, second.p_value]


def placebo(data: pd.DataFrame) -> list[float]:
    found = fit_lead(data, MODEL, range(TIMES))
    dealt = deal_histories(data, MODEL, draws=49, rng=rng())
    size = measure_size(two_way(data), "x", simulations=19, rng=rng())
    return [*found.statistics[["x", "z"]], dealt.test.statistic, dealt.test.p_value, *size_shares(size)]


def size_shares(size: Any) -> list[float]:
    return [value for value in vars(size).values() if isinstance(value, float)]


def correlation(data: pd.DataFrame) -> list[float]:
    found = within_correlation(data, "x", "y", draws=99, rng=rng())
    return [value.estimate if isinstance(value, Estimate) else value for value in vars(found).values()]


def square(data: pd.DataFrame) -> list[float]:
    setting = square_treatment(data, MODEL)
    found = end_slopes(setting)
    wild = wild_slopes(fit(setting.data, setting.model), setting, found, draws=99, rng=rng())
    return [*numbers(found.low, found.high, *wild.values()), found.p_value]


def moderation(data: pd.DataFrame) -> list[float]:
    setting = moderate(data, MODEL, "x", "z")
    found = fit(setting.data, setting.model)
    return [
        found[setting.model.treatment].statistic or 0.0,
        *numbers(*marginal_at_percentiles(found, setting).values()),
    ]


def mediators(data: pd.DataFrame) -> list[float]:
    curve = rho_sensitivity(data, MODEL, "m", draw_samples(data, MODEL, draws=99, rng=rng()), rho=[0.0, 0.3])
    interaction = fit_interaction(data, MODEL, "m", draws=99, rng=rng())
    grouped = fit_grouped(data, MODEL, "m", {str(name): side for name, side in regions(data).sort_index().items()})
    paths = [*grouped.path_a.values(), *grouped.path_b.values()]
    return [
        curve.rho_at_zero, curve.r_squared_product, *numbers(interaction.interaction.effect),
        *(one.estimate / one.std_error for one in paths),
        *(test.p_value for test in (*interaction.indirect.values(), *grouped.indirect.values())),
    ]  # fmt: skip


def chain(data: pd.DataFrame) -> list[float]:
    model = MODEL.with_(controls=())
    found = fit_chain(data, model, ("m", "z"), draw_samples(data, model, draws=99, rng=rng()))
    return numbers(found.path_a, found.link, found.path_b)


def probit(data: pd.DataFrame) -> list[float]:
    whole = data.assign(**{name: (data[name] > data[name].median()).astype(float) for name in ("x", "y")})
    found = mediation_effects_probit(whole, MODEL.with_(effects=(), cluster=None), "m", draws=199, rng=rng())
    # Its draws follow the scales of the coefficients; the effects are probabilities.
    return [round(found.indirect_effect.estimate, 8), round(found.total_effect.estimate, 8)]


def ring(data: pd.DataFrame) -> SpatialWeights:
    names = sorted(data.index.unique(0), key=place_of)
    near = np.zeros((ENTITIES, ENTITIES))
    for place in range(ENTITIES):
        near[place, (place + 1) % ENTITIES] = near[(place + 1) % ENTITIES, place] = 1.0
    frame = pd.DataFrame(near, index=names, columns=names).sort_index().sort_index(axis=1)
    return standardise_rows(frame)


def space(data: pd.DataFrame) -> list[float]:
    spatial = fit_spatial(data, MODEL, ring(data))
    left = examine_residuals(two_way(data), ring(data), draws=49, rng=rng())
    return [spatial.rho.estimate, left.moran, left.moran_p_value]


def moran(data: pd.DataFrame) -> list[float]:
    values = data["y"].groupby(level=0).mean()
    found = moran_test(values, (ring(data).matrix > 0).astype(int), rng(), permutations=99)
    return [found.estimate, found.expected]


def policy(data: pd.DataFrame) -> list[float]:
    began = pd.Series([3.0 if place_of(entity) < 5 else np.nan for entity, _ in data.index], index=data.index)
    under = (data.index.get_level_values(1) >= began).astype(float)
    marked = data.assign(policy_start=began, under_policy=under)
    model = difference_model(MODEL, "y", controls=True)
    events = study_events(marked, model, draws=49, rng=rng())
    cohort = cohort_effects(marked, "y", 3)
    assert events.before is not None
    return [
        *numbers(randomise(marked, model, draws=49, rng=rng())), events.before.statistic, events.before.wild_p_value,
        *numbers(cohort.average), honest_bounds(events).breakdown,
    ]  # fmt: skip


def imputed(data: pd.DataFrame) -> list[float]:
    order = np.random.default_rng(2).choice(ENTITIES * TIMES, 8, replace=False)
    holes = data.sort_index()
    holes = holes.assign(z=holes["z"].where(~np.isin(np.arange(len(holes)), order)))
    found = fit_imputed(holes[["x", "y", "z"]], ["x", "y", "z"], 3, rng(), lambda panel: fit(panel, MODEL))
    return [found.pooled["x"].estimate / found.pooled["x"].std_error]


def few(data: pd.DataFrame) -> list[float]:
    found = two_way(data)
    wild = wild_cluster_bootstrap(found, "x", draws=99, rng=rng(), interval=True)
    methods = few_cluster_tests(found, "x", wild, draws=99, rng=rng())
    joint = joint_controls(found, ["z"])
    assert joint is not None
    return [joint.statistic, *(value for one in methods.values() for value in numbers(one.found))]


def spread(data: pd.DataFrame) -> list[float]:
    one, two = sigma_convergence(data["y"]), beta_convergence(data["y"])
    ends = [data["y"][data.index.get_level_values(1) == time].to_numpy() for time in (0, 5)]
    found = (sigma_trend(data["y"]), beta_slope(data["y"]), upper_lower_gap(data["y"]), welch_gap(*ends))
    first, last = (data["y"].unstack()[time].to_numpy() for time in (0, 5))
    options: dict[str, Any] = {"draws": 99, "rng": rng()}
    wild = [
        wild_sigma(data["y"], found[0], **options), wild_beta(data["y"], found[1], **options),
        wild_upper_lower(data["y"], 3, found[2], **options), wild_gap(first, last, found[3], **options),
        wild_mean(last - first, found[3], **options), wild_line(last, first, found[1], **options),
    ]  # fmt: skip
    return [one.slope / one.std_error, one.p_value, two.statistic, two.p_value, *numbers(*found, *wild)]


def inequality(data: pd.DataFrame) -> list[float]:
    values, own = data["y"].groupby(level=0).mean(), regions(data)
    theil, dagum = theil_split(values, own), dagum_split(values, own)
    steps = markov_transitions(data["y"], classes=3, relative=True).matrix.to_numpy().ravel()
    shares = [theil.within / theil.total, dagum.within / dagum.total, dagum.between / dagum.total]
    return [*shares, *steps, gini_change(data["y"], draws=49, rng=rng()).estimate]


def factors(data: pd.DataFrame) -> list[float]:
    gaps = trend_gaps(data, "y", ["x", "m"])
    wild = wild_trend_gaps(data, "y", ["x", "m"], gaps, draws=99, rng=rng())
    return numbers(*gaps.values(), *wild.values())


def leads(data: pd.DataFrame) -> list[float]:
    found = fit_panel(data, "y", ["x", "m", "z"], entity_effects=True)
    least, others = least_lead(found, "x", ["m", "z"])
    return numbers(least, *others.values(), wild_lead(found, "x", others, draws=99, rng=rng()))


def measures(data: pd.DataFrame) -> list[float]:
    """What is printed of columns beside a regression, and scores, weights and densities, none of which has a unit."""
    data = data.sort_index()[NAMES]
    directions = [1, -1, 1, 1]
    both = {"entity_effects": True, "time_effects": True}
    scores, found = min_max_scale(data, directions), two_way(data)
    kept = winsorise(data, 0.1)
    loadings = pca_weights(data) * data.std()
    near = (ring(data).matrix > 0).astype(float)
    tables = [
        correlation_matrix(data, NAMES), scores, scale_scores(data, directions, "z_score"),
        scale_scores(data, directions, "percentile", scope="yearly"), (kept - kept.mean()) / kept.std(),
        kernel_density(data["y"], points=9) * data["y"].std(), confounder_contour(found, "x", steps=4)[1],
        local_moran(data["y"].groupby(level=0).mean(), near, rng(), 99)[["estimate"]],
        moran_by_time(data["y"], near, rng(), 99)[["estimate"]],
    ]  # fmt: skip
    return [
        *vif(data, NAMES), *vif(data, NAMES, **both), condition_number(data, NAMES, **both),
        *(loadings / loadings.abs().sum()), *critic_weights(data, directions),
        *critic_weights(data, directions, "spearman"), *entropy_weights(scores), *column_entropies(scores, 0.01),
        *variation_weights(scores), *critic_entropy_weights(scores), *equal_weights(scores),
        detectable_effect(found["x"]) / float(found.std_errors["x"]),
        *(value for table in tables for value in table.to_numpy(dtype=float).ravel()),
    ]  # fmt: skip


def levels(data: pd.DataFrame) -> list[float]:
    """Scores, weights and shares of figures that have their own zero."""
    data = data.sort_index()[NAMES]
    values, own = data["y"], regions(data)
    dagum, theil = (split_by_time(values, own, split).to_numpy().ravel() for split in (dagum_split, theil_split))
    tables = [scale_scores(data, [1, -1, 1, 1], rule) for rule in ("ratio_to_best", "distance_to_reference")]
    return [
        gini(values), *dagum, *theil, box_cox_power(values), *entropy_weights(data), *variation_weights(data),
        *(value for table in tables for value in table.to_numpy().ravel()),
        *group_first_level(values, 3),
    ]  # fmt: skip


Estimator = Callable[[pd.DataFrame], list[float]]
ESTIMATORS: dict[str, Estimator] = {
    "two-way random effects": random_effects, "tests of a specification": specification_tests, "clear test": clear,
    "family": family, "joint Wald": wald, "regions": by_region, "growth of groups": growth, "start": start,
    "thresholds": thresholds, "placebo": placebo, "within correlation": correlation, "square": square,
    "moderation": moderation, "mediators": mediators, "chain": chain, "space": space, "Moran": moran,
    "policy": policy, "few clusters": few, "measures": measures,
}  # fmt: skip
# What compares columns with each other, or divides by a level, has one unit for all columns and its own zero.
ONE_UNIT: dict[str, Estimator] = {
    "spread": spread, "inequality": inequality, "factors": factors, "leads": leads, "imputed": imputed,
    "probit": probit, "levels": levels,
}  # fmt: skip


# A treatment that is cut in two has its own zero.
OWN_ZERO = {"thresholds": ["x"]}


def agree(name: str, estimator: Estimator, changed: pd.DataFrame) -> None:
    data = draw_panel()
    expected = known(name, estimator)
    assert len(expected) > 0
    np.testing.assert_allclose(estimator(changed), expected, rtol=1e-8, atol=1e-8)
    assert data is draw_panel()


KNOWN: dict[str, list[float]] = {}


def known(name: str, estimator: Estimator) -> list[float]:
    if name not in KNOWN:
        KNOWN[name] = estimator(draw_panel())
    return KNOWN[name]


# Without shrinking, which takes minutes where an estimator draws.
QUICK = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", ESTIMATORS)
@QUICK
@given(
    powers=st.tuples(*[st.integers(-8, 8)] * 4),
    origins=st.tuples(*[st.sampled_from([0.0, 1.0, -100.0, 1e4, 1e6])] * 4),
    seed=st.integers(0, 99),
)
def test_nothing_depends_on_units_origins_or_order(
    name: str, powers: tuple[int, ...], origins: tuple[float, ...], seed: int
) -> None:
    data = draw_panel()
    moved = data.std() * np.array(origins) * ~data.columns.isin(OWN_ZERO.get(name, []))
    changed = (data + moved) * np.array([10.0**power for power in powers])
    agree(name, ESTIMATORS[name], changed.sample(frac=1, random_state=seed)[NAMES[::-1]])


@pytest.mark.parametrize("name", ONE_UNIT)
@QUICK
@given(power=st.integers(-8, 8), seed=st.integers(0, 99))
def test_nothing_depends_on_the_unit_that_columns_share(name: str, power: int, seed: int) -> None:
    agree(name, ONE_UNIT[name], (draw_panel() * 10.0**power).sample(frac=1, random_state=seed)[NAMES[::-1]])


@pytest.mark.parametrize("name", [*ESTIMATORS, *ONE_UNIT])
def test_nothing_depends_on_the_names_of_entities(name: str) -> None:
    # In the same order, since draws fall on entities in their order.
    renamed = draw_panel().rename(index=lambda entity: f"place {entity[1:]}", level=0)
    agree(name, {**ESTIMATORS, **ONE_UNIT}[name], renamed)


# Where the other estimators are held to it: the test, and the estimators that it calls by name.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "regression/test_invariance.py": (
        "fit_panel", "fit_random_effects", "hausman", "f_test_effects", "poolability", "htz_wald", "cr2", "cr3",
        "two_way_wild_bootstrap", "wild_cluster_bootstrap", "breusch_pagan_lm", "honda", "pesaran_cd", "find_leverage",
        "wooldridge_serial_correlation", "modified_wald", "fit_weighted_entities", "fit_batch", "fit_neighbours",
        "standard_error_passport",
    ),
    "regression/test_threshold.py": ("panel_threshold",),
    "identification/test_sensitivity.py": ("oster_delta", "value_of", "confounder_bounds"),
    "identification/test_placebo.py": ("permute_treatment",),
    "identification/test_instruments.py": ("fit_instrumented",),
    "identification/test_dynamic.py": ("fit_dynamic",),
    "identification/test_provinces.py": ("fit_past",),
    "heterogeneity/test_designs.py": ("fit_design",),
    "mediation/test_mediation.py": ("fit_mediation",),
    "robustness/test_indexed.py": ("map_fragility", "leave_one_out"),
    "multiverse/test_fit.py": ("run_specifications", "joint_tests"),
    "multiverse/test_drawn.py": ("draw_uncertainty", "sobol_sensitivity"),
    "index/test_composite.py": ("composite_index",),
}  # fmt: skip
# Public functions that return a record but estimate nothing of their own from columns, each with its reason.
OTHERWISE: dict[str, str] = {
    **dict.fromkeys(
        ("fit", "fit_whole", "cr2_tests", "reduced_tests", "fit_each", "fit_split", "compare_equal", "check_order", "region_means",
         "fit_plan", "study_specifications", "bootstrap_index_regression", "fit_imputed_study",
         "check_robustness", "fit_sub_effects", "fit_leverage", "build_index", "build_indices", "index_runs",
         "invert_anderson_rubin", "in_units", "measure_first_stage", "fit_product", "compare_products",
         "bootstrap_index", "fit_grams"),
        "another name or a part of an estimator that is held to it",
    ),
    **dict.fromkeys(
        ("threshold_estimate", "wild_estimate", "wild_parameter", "passport_estimates", "claim_survival", "find_standing",
         "specification_curve", "find_leaders", "leader_words", "recommend", "summarise_draws", "robustness_indicators",
         "robustness_value", "read_path", "read_equality", "weaker_path"),
        "reads numbers that were estimated before",
    ),
    **dict.fromkeys(
        ("build_contrast", "build_design", "build_moments", "build_cell", "fit_set", "build_null", "build_grams", "span",
         "find_convention", "count_sizes", "with_instruments", "cross_pairs", "walk_cells", "plan_study", "prepare",
         "list_tests", "draw_samples", "specify", "change", "replace_clusters", "cross_lagged", "put_otherwise",
         "moderate", "add_formulas", "square_treatment", "difference_model", "standardise_rows", "build_weights", "read_grouping",
         "family_questions", "speed_models", "crisis_panel", "ground_panel", "read_hierarchy", "read_recipe",
         "column_extents"),
        "lays out rows, a model or a matrix",
    ),
    **dict.fromkeys(
        ("known_truth_panel", "draw_columns", "size_and_power", "draw_trust", "wild"), "draws panels of its own"
    ),
    **dict.fromkeys(("sobol_indices",), "takes runs of a function, not columns"),
    **dict.fromkeys(("couple_systems",), "is defined for scores from 0 to 1"),
    **dict.fromkeys(("entity_profile", "split_change"), "splits an index exactly, in the index's unit"),
    **dict.fromkeys(
        ("read_large_panel", "index_large_panel", "check_method", "open_rows", "read_blocks", "clean_panel",
         "fit_rows", "solve_rows", "fit_groups", "compare_fits", "mean_groups", "wild_rows", "build_large_indices"),
        "works on files; its numbers are held to those of the methods in memory in large/test_engine.py",
    ),
}  # fmt: skip
FOLDERS = (
    "coordination", "diagnostics", "disparity", "heterogeneity", "identification", "index", "inference", "large",
    "mediation", "multiverse", "policy", "regression", "robustness", "simulation", "society",
)  # fmt: skip


def public_estimators() -> set[str]:
    """Public functions of the methods whose result is an estimate or holds one: a frozen record of the project."""
    source = ROOT / "src" / "helpers"
    methods = [
        ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((source / folder).rglob("*.py"))
        if path.stem not in ("shown", "tables", "pictures")
    ]
    modules = [*methods, ast.parse((source / "results" / "estimate.py").read_text(encoding="utf-8"))]
    records = {
        item.name
        for module in modules
        for item in module.body
        if isinstance(item, ast.ClassDef) and any("dataclass" in ast.unparse(mark) for mark in item.decorator_list)
    }
    return {
        item.name
        for module in methods
        for item in module.body
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_") and item.returns
        and records & set(re.findall(r"\w+", ast.unparse(item.returns)))
    }  # fmt: skip


# Columns that a function may begin with, and what it may give back that is a number or made of numbers.
COLUMNS = {"data", "values", "figures", "scores", "matrix", "frame"}
NUMBERS = {"float", "Floats", "Series", "DataFrame"}
# Public functions of columns that give back numbers but measure nothing, each with its reason.
NO_MEASURE: dict[str, str] = {
    **dict.fromkeys(
        ("start_and_growth", "measure_entities", "first_values", "balanced_rows", "stack_regions",
         "keep_complete_entities", "shift_column", "shift_columns", "check_panel", "of_size_one", "limit_times",
         "contrast_of", "speed_panel", "count_periods", "check_figures",
         "read_figures", "rank_entities", "rank_rows"),
        "picks, shifts or orders figures as they are",
    ),
    **dict.fromkeys(
        ("aggregate_scores", "member_contributions", "map_to_range", "weights_by_time", "scale_matrix",
         "transform_figures", "box_cox", "engine_table", "sample_slopes", "spread_of", "step_table", "compare_qualities",
         "driscoll_kraay_meat", "newey_west_meat", "conley_meat", "cluster_covariance"),
        "a part, or a table, of what is held to it",
    ),
}  # fmt: skip


def public_measures() -> set[str]:
    """Public functions of the methods that begin with columns and give back numbers, none of them in a record."""
    found = set()
    for folder in FOLDERS:
        for path in sorted((ROOT / "src" / "helpers" / folder).rglob("*.py")):
            if path.stem in ("shown", "tables", "pictures"):
                continue
            for item in ast.parse(path.read_text(encoding="utf-8")).body:
                if not isinstance(item, ast.FunctionDef) or item.name.startswith("_") or not item.returns:
                    continue
                first = item.args.args[0].arg if item.args.args else ""
                if first in COLUMNS and NUMBERS & set(re.findall(r"\w+", ast.unparse(item.returns))):
                    found.add(item.name)
    return found - public_estimators()


def names_in(path: Path) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}


def test_every_public_estimator_is_held_to_it_or_has_its_reason() -> None:
    here = names_in(Path(__file__))
    listed = {name for names in ELSEWHERE.values() for name in names} | set(OTHERWISE)
    assert public_estimators() - here - listed == set()


def test_every_public_measure_is_held_to_it_or_has_its_reason() -> None:
    listed = {name for names in ELSEWHERE.values() for name in names} | set(OTHERWISE) | set(NO_MEASURE)
    assert public_measures() - names_in(Path(__file__)) - listed == set()
    assert set(NO_MEASURE) - public_measures() == set()


@pytest.mark.parametrize("place", ELSEWHERE)
def test_the_test_elsewhere_calls_what_it_is_listed_for(place: str) -> None:
    path = ROOT / "tests" / place
    text = path.read_text(encoding="utf-8")
    assert re.search(r"def test_\w*(depend|not_matter|units|unit_of|not_move)\w*", text)
    assert set(ELSEWHERE[place]) - names_in(path) == set()
