"""Joint tests.

Outside: statsmodels' F test on dummies with a clustered covariance without small-sample factor, brought to ours by the one
printed factor, 1e-8; the wild draws recomputed one by one with dummies and plain least squares, 1e-9; size on
simulated panels within four simulation errors of 5 %.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.inference.wald import joint_wald
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.panel import fit
from helpers.study.model import Model
from outside import outside

MODEL = Model("y", "a", ("b", "x"))


def make_panel(n: int = 15, times: int = 5, seed: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(n)], range(times)], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(n * times, 4)), index, ["a", "b", "x", "y"])
    data["y"] += 0.2 * data["a"] + np.repeat(rng.normal(size=n), times) * data["a"]
    return data


def by_hand(data: pd.DataFrame, y: np.ndarray) -> float:
    """W of the first two regressors, by dummies."""
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    x = np.column_stack([data[["a", "b", "x"]], pd.get_dummies(units), pd.get_dummies(times).iloc[:, 1:]]).astype(float)
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    codes, bread = pd.factorize(units)[0], np.linalg.pinv(x.T @ x)
    scores = np.array([x[codes == g].T @ (y - x @ beta)[codes == g] for g in range(codes.max() + 1)])
    g, n, k = codes.max() + 1, len(y), 3 + times.nunique() - 1 + 1
    covariance = g / (g - 1) * (n - 1) / (n - k) * (bread @ scores.T @ scores @ bread)[:2, :2]
    return float(beta[:2] @ np.linalg.solve(covariance, beta[:2]))


@pytest.mark.outside
def test_the_statistic_and_every_draw_are_those_of_dummies():
    data = make_panel()
    found = joint_wald(fit(data, MODEL), ["a", "b"], draws=60, rng=np.random.default_rng(3))
    y = data["y"].to_numpy()
    source = "written out: dummies and least squares"
    outside(joint_wald, source, found.statistic * 2, by_hand(data, y), rtol=1e-8)
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    null = np.column_stack([data["x"], pd.get_dummies(units), pd.get_dummies(times).iloc[:, 1:]]).astype(float)
    fitted = null @ np.linalg.lstsq(null, y, rcond=None)[0]
    signs = np.where(np.random.default_rng(3).random((60, 15)) < 0.5, -1.0, 1.0)
    draws = np.array([by_hand(data, fitted + sign[pd.factorize(units)[0]] * (y - fitted)) for sign in signs])
    expected = (1 + np.sum(draws >= by_hand(data, y) * (1 - 1e-9))) / 61
    outside(joint_wald, source, found.wild_p_value, expected, rtol=1e-9)


def test_one_restriction_is_the_wild_bootstrap_of_one_coefficient():
    fitted = fit(make_panel(), MODEL)
    ours = joint_wald(fitted, ["a"], draws=9999, rng=np.random.default_rng(1))
    alone = wild_cluster_bootstrap(fitted, "a", draws=9999, rng=np.random.default_rng(2))
    assert ours.statistic == pytest.approx(alone.statistic**2)
    assert abs(ours.wild_p_value - alone.p_value) < 4 * np.sqrt(2 * 0.25 / 9999)


def test_a_term_that_is_not_there_and_too_many_terms_are_refused():
    fitted = fit(make_panel(), MODEL)
    with pytest.raises(StudyError, match="the regression has the terms"):
        joint_wald(fitted, ["a", "nowhere"], draws=9, rng=np.random.default_rng(1))
    with pytest.raises(StudyError, match="nothing"):
        joint_wald(fitted, [], draws=9, rng=np.random.default_rng(1))


def test_the_wild_joint_test_keeps_its_level_with_few_clusters():
    rng = np.random.default_rng(11)
    rejected = 0
    for _ in range(300):
        data = make_panel(12, 5, int(rng.integers(1 << 30)))
        data["y"] = rng.normal(size=60) + np.repeat(rng.normal(size=12), 5) * data["x"]
        rejected += joint_wald(fit(data, MODEL), ["a", "b"], draws=199, rng=rng).wild_p_value <= 0.05
    assert abs(rejected / 300 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 300)
