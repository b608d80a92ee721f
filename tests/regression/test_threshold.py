"""The panel threshold model finds what a brute-force search finds, and the truth where it is known.

Critical value of the likelihood ratio: 7.35 at 95 %, 6.53 at 90 %, 10.59 at 99 % (Hansen 1999, Journal of Econometrics 93,
345-368, section 3). Grunfeld's data are those of statsmodels. Sums of squares to 1e-10 relative: both sides solve the same
least squares.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.inference.simulate import ErrorDesign, known_truth_panel
from helpers.regression.panel import PanelFit, fit_panel
from helpers.regression.threshold import panel_threshold
from helpers.study.model import Model

MODEL = Model("outcome", "treatment")
FIRMS = Model("invest", "value")


def generator(seed: int = 9) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def grunfeld() -> pd.DataFrame:
    from statsmodels.datasets import grunfeld

    data = grunfeld.load_pandas().data
    data = data[data["firm"] != "American Steel"]
    return data.set_index(["firm", "year"]).sort_index().astype(float)


def sum_of_squares(fit: PanelFit) -> float:
    return float(np.sum(fit.residuals.to_numpy() ** 2))


def stepped(size: float, seed: int = 9, errors: ErrorDesign | None = None) -> pd.DataFrame:
    """A panel in which the effect grows by `size` once the treatment passes 0.5."""
    panel = known_truth_panel(40, 8, treatment_effect=0.3, errors=errors, rng=generator(seed)).panel
    return panel.assign(outcome=panel["outcome"] + size * panel["treatment"] * (panel["treatment"] > 0.5))


@pytest.mark.parametrize("effects", [("entity",), ("entity", "time")])
def test_the_threshold_is_that_of_a_brute_force_search(grunfeld: pd.DataFrame, effects: tuple[str, ...]) -> None:
    found = panel_threshold(grunfeld, FIRMS.with_(effects=effects), "capital", trim=0.15, draws=9, rng=generator())
    sums = {}
    for candidate in found.profile.index.to_numpy(dtype=float)[::7]:
        below = (grunfeld["capital"] <= candidate).astype(float)
        split = grunfeld.assign(low=grunfeld["value"] * below, high=grunfeld["value"] * (1 - below))
        fit = fit_panel(split, "invest", ["low", "high"], entity_effects=True, time_effects="time" in effects)
        sums[candidate] = sum_of_squares(fit)
    assert found.profile.loc[list(sums), "rss"].tolist() == pytest.approx(list(sums.values()), rel=1e-10)
    assert found.profile["rss"].idxmin() == found.threshold


def test_f_is_the_fall_of_the_sum_of_squares(grunfeld: pd.DataFrame) -> None:
    found = panel_threshold(
        grunfeld, FIRMS.with_(controls=("capital",), effects=("entity",)), "capital", draws=9, rng=generator()
    )
    plain = fit_panel(grunfeld, "invest", ["value", "capital"], entity_effects=True)
    s0, s1 = sum_of_squares(plain), sum_of_squares(found.fit)
    assert found.statistic == pytest.approx((s0 - s1) / (s1 / (10 * 19)), rel=1e-10)


def test_all_candidates_leave_enough_rows(grunfeld: pd.DataFrame) -> None:
    found = panel_threshold(grunfeld, FIRMS, "capital", trim=0.2, draws=9, rng=generator())
    shares = [float((grunfeld["capital"] <= candidate).mean()) for candidate in found.profile.index.to_numpy()]
    assert min(shares) >= 0.2
    assert max(shares) <= 0.8
    assert found.n_low + found.n_high == 200


@pytest.mark.parametrize(("level", "critical"), [(0.90, 6.53), (0.95, 7.35), (0.99, 10.59)])
def test_the_interval_uses_hansens_critical_values(level: float, critical: float) -> None:
    found = panel_threshold(stepped(0.4), MODEL, "treatment", draws=9, level=level, rng=generator())
    ratio = found.profile["likelihood_ratio"]
    inside = found.profile.index[ratio <= critical + 0.005]
    assert [found.ci_low, found.ci_high] == [inside.min(), inside.max()]


def test_a_clear_threshold_is_found() -> None:
    found = panel_threshold(stepped(1.5), MODEL, "treatment", draws=199, rng=generator())
    assert found.ci_low <= 0.5 <= found.ci_high
    assert found.threshold == pytest.approx(0.5, abs=0.1)
    assert found.p_value == 1 / 200
    assert found.fit.estimates[found.high] - found.fit.estimates[found.low] == pytest.approx(1.5, abs=0.3)


@pytest.mark.parametrize("bootstrap", ["residual", "wild"])
def test_without_a_threshold_the_test_keeps_its_size(bootstrap: Literal["residual", "wild"]) -> None:
    """40 panels: rejections at 10 % within four standard errors of the nominal share."""
    rejected = []
    for seed in range(40):
        panel = known_truth_panel(15, 6, rng=generator(seed)).panel
        found = panel_threshold(panel, MODEL, "treatment", draws=99, bootstrap=bootstrap, rng=generator(seed))
        rejected.append(found.p_value <= 0.1)
    assert abs(np.mean(rejected) - 0.1) < 4 * np.sqrt(0.09 / 40)


def test_the_same_generator_gives_the_same_p_value() -> None:
    first, second = (panel_threshold(stepped(0.2), MODEL, "treatment", draws=49, rng=generator()) for _ in range(2))
    assert first.p_value == second.p_value


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"trim": 0.6}, "trim"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"bootstrap": "other"}, "bootstrap other"),
        ({"variable": "flat"}, "enough rows"),
        ({"variable": "gappy"}, "missing"),
        ({"variable": "nothing"}, "nothing"),
    ],
)
def test_bad_input_is_told(change: dict, told: str) -> None:
    panel = stepped(0.5).assign(flat=1.0, gappy=np.nan)
    given = {"variable": "treatment", "draws": 9, "rng": generator(), **change}
    with pytest.raises(StudyError, match=told):
        panel_threshold(panel, MODEL, **given)


def test_an_unbalanced_panel_is_told() -> None:
    with pytest.raises(StudyError, match="not balanced"):
        panel_threshold(stepped(0.5).iloc[1:], MODEL, "treatment", draws=9, rng=generator())
