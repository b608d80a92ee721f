"""No statistic depends on the unit, origin, order or name of a column, for any estimator of regression and inference.

Tolerance: 1e-8 relative, or 1e-8 beside zero; figures have 16 digits and lose up to six to an origin that is moved by a
million standard deviations.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.diagnostics.effects_tests import (
    breusch_pagan_lm,
    condition_number,
    f_test_effects,
    honda,
    poolability,
    vif,
)
from helpers.diagnostics.neighbours import fit_neighbours
from helpers.diagnostics.random_effects import fit_random_effects, hausman
from helpers.diagnostics.residual_tests import modified_wald, pesaran_cd, wooldridge_serial_correlation
from helpers.errors import StudyError
from helpers.inference.passport import standard_error_passport
from helpers.inference.small_sample import cr2, cr3, htz_wald
from helpers.inference.wild.bootstrap import WildForm, wild_cluster_bootstrap
from helpers.inference.wild.two_way import two_way_wild_bootstrap
from helpers.regression.leverage import find_leverage
from helpers.regression.many import fit_batch, fit_weighted_entities
from helpers.regression.panel import fit, fit_panel
from helpers.study.model import Model

NAMES = ["y", "x", "z"]
MODEL = ("y", ["x", "z"])
ENTITIES, TIMES = 8, 6


def draw_panel() -> pd.DataFrame:
    """A panel of 8 entities with gaps; x and z go together and with what is fixed about an entity."""
    rng = np.random.default_rng(12)
    index = pd.MultiIndex.from_product([[f"e{n}" for n in range(ENTITIES)], range(TIMES)], names=["entity", "time"])
    fixed = np.repeat(rng.normal(size=ENTITIES), TIMES)
    x = rng.normal(size=len(index)) + fixed
    z = 0.5 * x + rng.normal(size=len(index))
    y = x - z + fixed + rng.normal(size=len(index)) * (1 + 0.3 * np.abs(fixed))
    return pd.DataFrame({"y": y, "x": x, "z": z}, index=index).drop([("e1", 0), ("e4", 3), ("e6", 5)])


def panel_fit(entity: bool, time: bool, convention: str = "stata") -> Callable[[pd.DataFrame], Any]:
    """The t statistics and the fit of a least-squares regression."""

    def numbers(data: pd.DataFrame) -> list[float]:
        fit = fit_panel(data, *MODEL, entity_effects=entity, time_effects=time, convention=convention)
        return [*fit.statistics[["x", "z"]], fit.r_squared, fit.r_squared_within, fit.df, fit.n_clusters]

    return numbers


def random_effects(data: pd.DataFrame, **options: Any) -> list[float]:
    fit = fit_random_effects(data, *MODEL, **options)
    share = fit.variance_entity / (fit.variance_entity + fit.variance_idiosyncratic)
    return [*(fit.estimates / fit.std_errors)[["x", "z"]], share, *sorted(fit.theta)]


def two_way(data: pd.DataFrame) -> Any:
    return fit_panel(data, *MODEL, entity_effects=True, time_effects=True)


def two_clusters(data: pd.DataFrame) -> Any:
    return fit_panel(data, *MODEL, entity_effects=True, time_effects=True, cluster=("entity", "time"))


def passport(data: pd.DataFrame) -> list[float]:
    return standard_error_passport(two_way(data), "x")["statistic"].to_list()


def small_samples(data: pd.DataFrame) -> list[float]:
    tests = [test(two_way(data), "x") for test in (cr2, cr3)]
    return [number for test in tests for number in (test.statistic, test.df, test.p_value)]


def wild(data: pd.DataFrame) -> list[float]:
    tests = [
        wild_cluster_bootstrap(two_way(data), "x", form=WildForm(variant=variant)) for variant in ("11", "31", "13")
    ]
    return [number for test in tests for number in (test.statistic, test.p_value)]


def weighted(data: pd.DataFrame) -> list[float]:
    fits = fit_weighted_entities(data, *MODEL, np.ones((1, ENTITIES)))
    pooled = fit_weighted_entities(data, *MODEL, np.ones((1, ENTITIES)), entity_effects=False, time_effects=False)
    return [*(fits.estimates / fits.std_errors)[0], *(pooled.estimates / pooled.std_errors)[0, :2]]


def batch(data: pd.DataFrame) -> list[float]:
    labels = [data.index.get_level_values(level) for level in (0, 1)]
    kinds: tuple[dict[str, bool], ...] = ({}, {"entity_effects": False, "time_effects": False})
    fits = [fit_batch(data["y"].to_numpy(), data[["x", "z"]].to_numpy(), *labels, **kind) for kind in kinds]
    return [number for found in fits for number in (found.estimates / found.std_errors)[0, :2]]


def leverage(data: pd.DataFrame) -> list[float]:
    held = find_leverage(fit(data, Model("y", "x", ("z",))), "x")
    assert held.without_heaviest is not None
    return [*held.shares, held.without_heaviest.statistic or np.nan]


def neighbours(data: pd.DataFrame) -> list[float]:
    regions = pd.Series({name: "ab"[int(str(name)[1]) % 2] for name in data.index.unique(0)})
    found = fit_neighbours(data, Model("y", "x", ("z",)), window=range(TIMES), regions=regions)
    return [item.found.statistic or np.nan for item in found.values() if item.found is not None]


def diagnostic(test: Callable[..., Any], **options: Any) -> Callable[[pd.DataFrame], Any]:
    """Statistic and p-value of a test."""

    def numbers(data: pd.DataFrame) -> list[float]:
        found = test(data, *MODEL, **options)
        return [found.statistic, found.p_value]

    return numbers


ESTIMATORS: Mapping[str, Callable[[pd.DataFrame], list[float]]] = {
    "pooled": panel_fit(False, False),
    "entity effects": panel_fit(True, False),
    "time effects": panel_fit(False, True),
    "two-way effects": panel_fit(True, True),
    "two-way effects, areg": panel_fit(True, True, "areg"),
    "random effects": random_effects,
    "random effects, clustered, Stata": lambda data: random_effects(data, cluster=True, variance="harmonic_mean"),
    "random effects with time": lambda data: random_effects(data, time_effects=True),
    "Hausman, robust": diagnostic(hausman, robust=True),
    "Hausman, robust, with time": diagnostic(hausman, robust=True, time_effects=True),
    "F of effects": diagnostic(f_test_effects),
    "poolability": diagnostic(poolability),
    "HTZ": lambda data: [htz_wald(two_way(data), ["x", "z"]).statistic, *htz_wald(two_way(data), ["x", "z"]).df],
    "two-way wild bootstrap": lambda data: [
        two_way_wild_bootstrap(two_clusters(data), "x", rng=np.random.default_rng(1)).p_value
    ],
    "Breusch-Pagan": diagnostic(breusch_pagan_lm, effect="twoway"),
    "Honda": diagnostic(honda),
    "Pesaran CD": diagnostic(pesaran_cd),
    "Pesaran CD, heterogeneous": diagnostic(pesaran_cd, heterogeneous=True),
    "Wooldridge": diagnostic(wooldridge_serial_correlation),
    "Wooldridge, two-way": diagnostic(wooldridge_serial_correlation, time_effects=True),
    "Wooldridge, within": diagnostic(wooldridge_serial_correlation, form="within"),
    "modified Wald": diagnostic(modified_wald, time_effects=True),
    "inflation": lambda data: vif(data, ["x", "z"]).to_list(),
    "condition, within": lambda data: [condition_number(data, ["x", "z"], entity_effects=True)],
    "passport": passport,
    "CR2 and CR3": small_samples,
    "wild bootstrap": wild,
    "weighted entities": weighted,
    "batch": batch,
    "leverage": leverage,
    "neighbours": neighbours,
}


def signs(powers: tuple[int, ...]) -> np.ndarray:
    return np.array([10.0**power for power in powers])


CHANGES = {
    "powers": st.tuples(*[st.integers(-8, 8)] * 3),
    "origins": st.tuples(*[st.sampled_from([0.0, 1.0, -100.0, 1e4, 1e6])] * 3),
    "seed": st.integers(0, 99),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(**CHANGES)
def test_statistics_do_not_depend_on_unit_origin_or_order(name, powers, origins, seed):
    data = draw_panel()
    changed = (data + np.array(origins) * data.std().to_numpy()) * signs(powers)
    order = np.random.default_rng(seed).permutation(len(data))
    changed = changed.iloc[order]
    try:
        found = ESTIMATORS[name](changed)
    except StudyError as error:
        assert any(f" {column}" in error.where for column in NAMES), error  # noqa: PT017 - a refusal names its column
        return
    np.testing.assert_allclose(found, ESTIMATORS[name](data), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_statistics_do_not_depend_on_the_names_and_order_of_entities(name):
    data = draw_panel()
    # Odd stay odd, so that the regions of the neighbours stay the same.
    renamed = data.rename(index={f"e{n}": f"e{(n + 4) % ENTITIES}" for n in range(ENTITIES)}, level=0)
    np.testing.assert_allclose(ESTIMATORS[name](renamed), ESTIMATORS[name](data), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_statistics_do_not_depend_on_the_order_of_columns(name):
    data = draw_panel()
    np.testing.assert_allclose(ESTIMATORS[name](data[NAMES[::-1]]), ESTIMATORS[name](data), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("effects", [{}, {"entity_effects": True}, {"entity_effects": True, "time_effects": True}])
@pytest.mark.parametrize("power", range(3, 14))
def test_a_nearly_collinear_regressor_is_fitted_right_or_refused(effects, power):
    # z = x + noise / 10^power: its t statistic is that of the noise, whatever the power.
    data = draw_panel()
    noise = data["z"]
    right = fit_panel(data, "y", ["x", "z"], **effects).statistics["z"]
    near = data.assign(z=data["x"] + noise * 10.0**-power)
    try:
        found = fit_panel(near, "y", ["x", "z"], **effects).statistics["z"]
    except StudyError as error:
        assert "regressor z" in error.where  # noqa: PT017 - a refusal names its column
        assert power >= 6
        return
    # Writing z itself keeps 16 - power digits of the noise.
    assert found == pytest.approx(right, rel=1e-14 * 10.0**power)


@pytest.mark.parametrize("power", range(2, 13))
def test_a_long_pooled_regressor_is_fitted_right_or_refused(power):
    data = draw_panel()
    right = fit_panel(data, *MODEL).statistics["x"]
    try:
        found = fit_panel(data.assign(x=data["x"] + 10.0**power), *MODEL).statistics["x"]
    except StudyError as error:
        assert "regressor x" in error.where  # noqa: PT017 - a refusal names its column
        assert power >= 6
        return
    assert found == pytest.approx(right, rel=1e-14 * 10.0**power)
