"""One effect and a family of effects under the tests that a verdict reads.

Outside: the p-values of a family are recomputed below draw by draw with dummies and plain least squares, which shares
no code with the package; equal to 1e-12. Against `wild_cluster_bootstrap` (tested against R) within four standard errors
of a share of draws.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.inference.clear import fit_clear, is_near, record_clear, wild_parameter
from helpers.inference.family import Question, fit_family
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.leverage import find_leverage
from helpers.regression.panel import fit
from helpers.results.results import Results
from helpers.study.model import Model

MODEL = Model("y", "d", ("x",))


def make_panel(n: int = 14, times: int = 6, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(n)], range(times)], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(n * times, 4)), index, ["d", "x", "y", "z"])
    shock = np.repeat(rng.normal(size=n), times)
    data["y"] += 0.25 * data["d"] + shock * data["d"]
    data["z"] += 0.5 * data["y"]
    return data


def by_hand(data: pd.DataFrame, outcome: str, signs: np.ndarray) -> tuple[float, np.ndarray]:
    """T of `d` and its restricted wild draws, by dummies."""
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    dummies = np.column_stack([pd.get_dummies(units), pd.get_dummies(times).iloc[:, 1:]]).astype(float)
    others = np.column_stack([data["x"], dummies])
    everything = np.column_stack([data["d"], others])
    codes = pd.factorize(units)[0]

    def t_of(y: np.ndarray) -> float:
        beta = np.linalg.lstsq(everything, y, rcond=None)[0]
        error = y - everything @ beta
        bread = np.linalg.pinv(everything.T @ everything)
        scores = np.array([everything[codes == g].T @ error[codes == g] for g in range(codes.max() + 1)])
        g, n, k = codes.max() + 1, len(y), 2 + len(set(times)) - 1 + 1
        factor = g / (g - 1) * (n - 1) / (n - k)
        return float(beta[0] / np.sqrt(factor * (bread @ scores.T @ scores @ bread)[0, 0]))

    y = data[outcome].to_numpy()
    null = others @ np.linalg.lstsq(others, y, rcond=None)[0]
    return t_of(y), np.array([t_of(null + sign[codes] * (y - null)) for sign in signs])


def test_a_family_is_what_dummies_and_least_squares_give_draw_by_draw():
    data = make_panel()
    questions = {name: Question(data, MODEL.with_(outcome=name), "d") for name in ("y", "z")}
    found = fit_family(questions, draws=200, rng=np.random.default_rng(9))
    signs = np.where(np.random.default_rng(9).random((200, 14)) < 0.5, -1.0, 1.0)
    hand = {name: by_hand(data, name, signs) for name in questions}
    for name, (t, draws) in hand.items():
        assert found[name].effect.statistic == pytest.approx(t, rel=1e-9)
        assert found[name].wild.p_value == pytest.approx((1 + np.sum(np.abs(draws) >= abs(t) - 1e-9)) / 201, abs=1e-12)
    first, second = sorted(hand, key=lambda name: -abs(hand[name][0]))
    largest = np.maximum(np.abs(hand["y"][1]), np.abs(hand["z"][1]))
    p_first = (1 + np.sum(largest >= abs(hand[first][0]) - 1e-9)) / 201
    p_second = max(p_first, (1 + np.sum(np.abs(hand[second][1]) >= abs(hand[second][0]) - 1e-9)) / 201)
    assert found[first].adjusted.p_value == pytest.approx(p_first, abs=1e-12)
    assert found[second].adjusted.p_value == pytest.approx(p_second, abs=1e-12)


def test_members_may_have_rows_and_regressors_of_their_own():
    data = make_panel()
    part = data[data.index.get_level_values(0) != "u05"]
    found = fit_family(
        {"d": Question(data, MODEL, "d"), "x": Question(part, MODEL, "x")}, draws=4999, rng=np.random.default_rng(1)
    )
    alone = wild_cluster_bootstrap(fit(part, MODEL), "x", draws=4999, rng=np.random.default_rng(2))
    assert abs(found["x"].wild.p_value - alone.p_value) < 4 * np.sqrt(2 * 0.25 / 4999)
    assert found["x"].adjusted.p_value >= found["x"].wild.p_value
    assert (found["d"].fit.n_entities, found["x"].fit.n_entities) == (14, 13)


def test_a_family_of_none_or_clustered_otherwise_is_refused():
    data = make_panel()
    with pytest.raises(StudyError, match="0 tests"):
        fit_family({}, draws=9, rng=np.random.default_rng(1))
    with pytest.raises(StudyError, match="clustered by entity"):
        fit_family({"d": Question(data, MODEL.with_(cluster="time"), "d")}, draws=9, rng=np.random.default_rng(1))


def test_an_effect_is_recorded_with_and_without_time_effects_by_both_tests():
    found = fit_clear(make_panel(), MODEL, draws=999, rng=np.random.default_rng(4))
    results = Results()
    record_clear(results.record, "a.d", found)
    held = ["a.d.held.three", "a.d.held.without"]
    assert sorted(results) == ["a.d", *held, "a.d.wild", "a.d.without_years", "a.d.without_years.wild"]
    rest = find_leverage(found.fit, "d")
    assert results["a.d.held.three"].value == pytest.approx(rest.top(3), rel=1e-7)
    alone = fit(make_panel().drop(rest.heaviest, level=0), MODEL)["d"]
    assert results["a.d.held.without"].estimate == pytest.approx(alone.estimate, rel=1e-7)
    assert results["a.d"].p_value == pytest.approx(found.fit.p_values["d"], rel=1e-7)  # eight digits are recorded
    without = fit(make_panel(), MODEL.with_(effects=("entity",))).estimates["d"]
    assert results["a.d.without_years"].estimate == pytest.approx(without, rel=1e-7)
    assert found.is_clear(1.0)
    assert not found.is_clear(0.0)


def test_a_model_without_time_effects_has_nothing_to_leave_out():
    found = fit_clear(make_panel(), MODEL.with_(effects=("entity",)), draws=99, rng=np.random.default_rng(4))
    assert found.without_times is None
    assert not found.is_clear_without_times(1.0)


def test_near_the_level_more_draws_are_made_and_far_from_it_none():
    data = make_panel()
    near = fit(data.assign(y=data["y"] + 0.5 * data["d"]), MODEL)
    exact = wild_cluster_bootstrap(near, "d", draws=2**14)
    assert abs(exact.p_value - 0.05) < 0.002
    found = wild_parameter(near, "d", near["d"], draws=99, rng=np.random.default_rng(1))
    assert (found.draws, found.p_value) == (None, exact.p_value)
    far = fit(data, MODEL)
    assert wild_parameter(far, "d", far["d"], draws=99, rng=np.random.default_rng(1)).draws == 99
    assert [is_near(0.06, 999), is_near(0.06, 99_999), is_near(0.05, 10**9)] == [True, False, True]
