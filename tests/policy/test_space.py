"""Spatial weights, neighbours' means, and the tests of residuals.

Outside: Moran's I by the double sum; the multiplier tests on columns that are transformed one by one with explicit
orthonormal matrices. The same formulas in double precision: 1e-9.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import null_space

from helpers.errors import StudyError
from helpers.policy import shown, space, spatial_tests
from helpers.policy.durbin import fit_spatial
from helpers.regression.panel import fit
from helpers.study.model import Model
from helpers.study.texts import Weights
from outside import outside

MODEL = Model("y", "x", ("z",))
NAMES = [f"u{place}" for place in range(9)]
UNITS = pd.DataFrame(
    {"latitude": [str(30 + p % 3) for p in range(9)], "longitude": [str(100 + p // 3) for p in range(9)]}, NAMES
)


def declare(**content: object) -> Weights:
    return Weights.model_validate({"label": {"en": "w", "zh": "w"}, **content})


def make_panel(seed: int = 1, times: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([NAMES, range(times)], names=["unit", "time"])
    return pd.DataFrame(rng.normal(size=(9 * times, 3)), index, ["x", "z", "y"])


def write_pairs(folder: Path, rows: list[str]) -> Path:
    path = folder / "pairs.csv"
    path.write_text("one,other,border\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_an_island_is_named_and_the_remedy_said(tmp_path: Path):
    pairs = write_pairs(tmp_path, [f"u{p},u{p + 1},land" for p in range(7)])
    with pytest.raises(StudyError, match="u8") as told:
        space.build_weights(declare(kind="contiguity"), make_panel(), UNITS, pairs)
    assert "nearest entity" in str(told.value)
    alone = pd.DataFrame(np.zeros((2, 2)), ["a", "b"], ["a", "b"])
    with pytest.raises(StudyError, match="a, b"):
        space.standardise_rows(alone)


def test_links_by_convention_are_told(tmp_path: Path):
    pairs = write_pairs(tmp_path, [f"u{p},u{p + 1},land" for p in range(7)] + ["u7,u8,convention"])
    found = space.build_weights(declare(kind="contiguity"), make_panel(), UNITS, pairs)
    assert found.remark == "u7 and u8 by convention"
    assert np.allclose(found.matrix.sum(axis=1), 1)
    assert found.matrix.loc["u8", "u7"] == 1.0


def test_distance_nearest_and_economic_weights_are_what_they_say():
    panel = make_panel()
    near = space.build_weights(declare(kind="nearest", count=2), panel, UNITS, None).matrix
    row = near.T["u0"]
    assert set(row[row > 0].index) == {"u1", "u3"}
    inverse = space.build_weights(declare(kind="inverse_distance"), panel, UNITS, None).matrix
    far = inverse.T["u0"].to_dict()
    assert far["u1"] > far["u2"]
    assert (np.diag(inverse) == 0).all()
    economic = space.build_weights(declare(kind="economic", column="x"), panel, UNITS, None).matrix
    level = panel["x"].groupby(level=0).mean()
    closest = (level - level["u4"]).abs().drop("u4").idxmin()
    assert economic.loc["u4"].idxmax() == closest


def test_what_a_kind_needs_must_be_there():
    with pytest.raises(StudyError, match="no list of neighbours"):
        space.build_weights(declare(kind="contiguity"), make_panel(), UNITS, None)
    with pytest.raises(StudyError, match="no such column"):
        space.build_weights(declare(kind="economic", column="nowhere"), make_panel(), UNITS, None)
    with pytest.raises(StudyError, match="missing or out of range"):
        space.build_weights(declare(kind="inverse_distance"), make_panel(), UNITS.drop(columns="latitude"), None)
    with pytest.raises(StudyError, match="name fewer neighbours"):
        space.build_weights(declare(kind="nearest", count=9), make_panel(), UNITS, None)


def test_neighbours_means_are_taken_at_the_same_time():
    panel = make_panel()
    weights = space.build_weights(declare(kind="nearest", count=2), panel, UNITS, None)
    lagged = space.lag_columns(panel, weights.matrix, ["x"])["x"]
    x = panel["x"].to_dict()
    assert lagged.to_dict()["u0", 3] == pytest.approx((x["u1", 3] + x["u3", 3]) / 2)
    with pytest.raises(StudyError, match="the figure is missing"):
        space.lag_columns(panel.iloc[1:], weights.matrix, ["x"])


def test_rings_hold_those_at_their_distance_and_nobody_else():
    far = space.measure_distance(UNITS, pd.Index(NAMES))
    found = space.rings(far, (120, 250))
    assert list(found) == ["0-120", "120-250"]
    inside = (far > 0) & (far <= 120)
    assert ((found["0-120"] > 0) == inside).all(axis=None)
    curve = shown.distance_curve(make_panel(), MODEL, far, (120, 250))
    assert list(curve.index) == ["0-120 km", "120-250 km"]


@pytest.mark.outside
def test_morans_i_of_residuals_is_the_double_sum():
    panel = make_panel()
    weights = space.build_weights(declare(kind="nearest", count=3), panel, UNITS, None)
    fitted = fit(panel, MODEL)
    found = spatial_tests.examine_residuals(fitted, weights, draws=99, rng=np.random.default_rng(1))
    e = fitted.residuals.unstack()
    w = weights.matrix.to_numpy()
    total = sum(w[i, j] * (e.iloc[i] * e.iloc[j]).sum() for i in range(9) for j in range(9))
    outside(
        spatial_tests.examine_residuals, "written out: double sum", found.moran, total / (e**2).sum().sum(), rtol=1e-9
    )


@pytest.mark.outside
def test_the_mean_of_morans_i_over_dealt_residuals_is_that_of_all_orders():
    panel = make_panel()
    weights = space.build_weights(declare(kind="nearest", count=3), panel, UNITS, None)
    found = spatial_tests.examine_residuals(fit(panel, MODEL), weights, draws=20_000, rng=np.random.default_rng(1))
    # Every pair of series comes together alike often, and the series sum to zero at each time.
    theirs = -1 / (len(NAMES) - 1)
    source = "Cliff and Ord (1981): mean under dealing out"
    outside(spatial_tests.examine_residuals, source, found.expected, theirs, atol=5e-3)


@pytest.mark.outside
def test_the_multiplier_tests_are_those_of_the_transformed_columns():
    panel = make_panel(3, 7)
    weights = space.build_weights(declare(kind="nearest", count=3), panel, UNITS, None)
    ours = spatial_tests.examine_residuals(fit(panel, MODEL), weights, draws=1, rng=np.random.default_rng(1)).tests
    inner, over = null_space(np.ones((1, 9))), null_space(np.ones((1, 7)))
    star = np.kron(inner.T @ weights.matrix.to_numpy() @ inner, np.eye(6))
    y, x, z = (np.ravel(inner.T @ panel[name].unstack().to_numpy() @ over) for name in ("y", "x", "z"))
    columns = np.column_stack([x, z])
    beta = np.linalg.lstsq(columns, y, rcond=None)[0]
    e = y - columns @ beta
    s2, own = e @ e / 48, np.trace(star)
    spread = np.trace(star.T @ star) + np.trace(star @ star) - 2 * own**2 / 48
    fitted = star @ (columns @ beta)
    left = fitted - columns @ np.linalg.lstsq(columns, fitted, rcond=None)[0]
    by_lag, by_error, whole = e @ star @ y / s2 - own, e @ star @ e / s2 - own, left @ left / s2 + spread
    theirs = {
        "lag": by_lag**2 / whole,
        "error": by_error**2 / spread,
        "robust_lag": (by_lag - by_error) ** 2 / (whole - spread),
        "robust_error": (by_error - spread / whole * by_lag) ** 2 / (spread - spread**2 / whole),
    }
    source = "written out: orthonormal transformation of every column"
    outside(spatial_tests.examine_residuals, source, ours["statistic"].to_dict(), theirs, rtol=1e-9)


def test_the_multiplier_test_of_a_lag_goes_with_the_fitted_model():
    weights = space.build_weights(declare(kind="nearest", count=3), make_panel(), UNITS, None)
    ours, theirs = [], []
    for seed in range(40):
        panel = make_panel(seed, 12)
        tests = spatial_tests.examine_residuals(fit(panel, MODEL), weights, draws=9, rng=np.random.default_rng(1)).tests
        ours.append(float(tests["statistic"].to_dict()["lag"]))
        theirs.append(float(fit_spatial(panel, MODEL, weights, durbin=[]).rho.statistic or 0.0) ** 2)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9


def test_multiplier_tests_are_those_of_both_effects_only():
    panel = make_panel(3, 7)
    weights = space.build_weights(declare(kind="nearest", count=3), panel, UNITS, None)
    one_way = fit(panel, MODEL.with_(effects=("entity",)))
    found = spatial_tests.examine_residuals(one_way, weights, draws=9, rng=np.random.default_rng(1))
    assert found.tests.isna().all(axis=None)
    assert np.isfinite(found.moran)


def test_the_multiplier_tests_keep_their_level():
    weights = space.build_weights(declare(kind="nearest", count=3), make_panel(), UNITS, None)
    rejected = np.zeros(4)
    for seed in range(300):
        found = spatial_tests.examine_residuals(
            fit(make_panel(1000 + seed, 8), MODEL), weights, draws=1, rng=np.random.default_rng(1)
        )
        rejected += found.tests["p_value"].to_numpy() < 0.05
    assert (np.abs(rejected / 300 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 300)).all()


def test_residuals_that_are_alike_among_neighbours_are_seen():
    panel = make_panel(2, 10)
    weights = space.build_weights(declare(kind="nearest", count=3), panel, UNITS, None)
    noise = np.random.default_rng(4).normal(size=(9, 10))
    shared = np.linalg.inv(np.eye(9) - 0.8 * weights.matrix.to_numpy()) @ noise
    panel["y"] = panel["x"] + shared.ravel()
    found = spatial_tests.examine_residuals(fit(panel, MODEL), weights, draws=999, rng=np.random.default_rng(1))
    assert found.moran > found.expected
    assert found.moran_p_value < 0.05
    assert found.tests["p_value"].to_dict()["error"] < 0.05
