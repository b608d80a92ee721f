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
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.regression import threshold
from helpers.regression.panel import PanelFit, fit_panel
from helpers.regression.threshold import panel_threshold, second_threshold
from helpers.simulation.simulate import ErrorDesign, known_truth_panel
from helpers.study.model import Model
from outside import outside

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


def written_out_search(panel: pd.DataFrame, taken: list[float]) -> tuple[float, float]:
    """The threshold beside those taken, and its sum of squares, with dummies and lstsq on the effects."""
    entity, time = (pd.get_dummies(panel.index.get_level_values(place), dtype=float) for place in (0, 1))
    dummies = np.column_stack([entity, time.iloc[:, 1:]])
    dose, q = panel["treatment"].to_numpy(), panel["treatment"].to_numpy()
    best = (np.nan, np.inf)
    for value in np.sort(q):
        ends = sorted([*taken, value])
        regime = np.array([sum(x > end for end in ends) for x in q])
        if min(np.bincount(regime, minlength=len(ends) + 1)) < 0.1 * len(q):
            continue
        parts = [dose * (regime == place) for place in range(len(ends) + 1)]
        rest = np.linalg.lstsq(np.column_stack([*parts, dummies]), panel["outcome"], rcond=None)[1]
        if rest[0] < best[1] * (1 - 1e-12):
            best = (value, rest[0])
    return best


def test_both_thresholds_are_those_of_a_search_written_out() -> None:
    panel = known_truth_panel(12, 6, treatment_effect=0.3, rng=generator(3)).panel
    dose = panel["treatment"]
    panel = panel.assign(outcome=panel["outcome"] + 1.5 * dose * (dose > 0.5) + 1.5 * dose * (dose < -0.5))
    first = panel_threshold(panel, MODEL, "treatment", draws=9, rng=generator())
    second = second_threshold(panel, first, rng=generator())
    theirs = [*written_out_search(panel, []), *written_out_search(panel, [first.threshold])]
    ours = [first.threshold, first.profile["rss"].min(), second.threshold, second.profile["rss"].min()]
    outside(panel_threshold, "written out: exhaustive search with dummies", ours, theirs, rtol=1e-9)
    assert sum_of_squares(second.fit) == pytest.approx(theirs[3], rel=1e-9)


def test_a_second_threshold_is_told_from_none() -> None:
    dose = stepped(0.0)["treatment"]
    two = stepped(0.0).assign(
        outcome=lambda panel: panel["outcome"] + 2 * dose * (dose > 1.0) - 2 * dose * (dose < -1.0)
    )
    first = panel_threshold(two, MODEL, "treatment", draws=99, rng=generator())
    assert second_threshold(two, first, rng=generator()).p_value == 1 / 100
    one = stepped(1.5)
    alone = panel_threshold(one, MODEL, "treatment", draws=99, rng=generator())
    assert second_threshold(one, alone, rng=generator()).p_value > 0.05


UNEVEN = ErrorDesign(serial_correlation=0.5, cluster_shock=1.0, heteroskedasticity=0.3, leverage=1.0)


def test_uneven_errors_leave_the_clustered_test_its_size_and_not_the_other() -> None:
    """30 panels of 31 x 7: at 5 % the clustered test rejects at most 4, Hansen's at least 6."""
    kinds: tuple[Literal["clustered", "residual"], ...] = ("clustered", "residual")
    rejected = dict.fromkeys(kinds, 0)
    for seed in range(30):
        panel = known_truth_panel(31, 7, errors=UNEVEN, rng=generator(seed)).panel
        other = generator(seed + 100).normal(size=(31, 7)).cumsum(axis=1).ravel()
        for kind in kinds:
            found = panel_threshold(panel.assign(q=other), MODEL, "q", draws=99, bootstrap=kind, rng=generator(seed))
            rejected[kind] += found.p_value <= 0.05
    assert rejected["clustered"] <= 4
    assert rejected["residual"] >= 6


@settings(max_examples=15, deadline=None)
@given(scale=st.tuples(*[st.floats(-8, 8)] * 3), shift=st.tuples(*[st.floats(-100, 100)] * 3))
def test_units_and_constants_do_not_matter(scale: tuple[float, ...], shift: tuple[float, ...]) -> None:
    """Outcome and threshold variable in other units, constants added, the treatment rescaled; rows shuffled."""
    panel = known_truth_panel(10, 5, control_effects=(0.5,), rng=generator(5)).panel
    panel = panel.assign(q=generator(6).normal(size=50))
    model = MODEL.with_(controls=("control_1",))
    unit = 10 ** np.array(scale)
    moved = panel.assign(
        outcome=(panel["outcome"] + shift[0]) * unit[0],
        treatment=panel["treatment"] * unit[1],
        control_1=(panel["control_1"] + shift[1]) * unit[2],
        q=(panel["q"] + shift[2]) * unit[2],
    ).sample(frac=1, random_state=1)[["q", "control_1", "treatment", "outcome"]]
    one, two = (panel_threshold(data, model, "q", draws=49, rng=generator()) for data in (panel, moved))
    assert two.statistic == pytest.approx(one.statistic, rel=1e-8)
    assert two.p_value == one.p_value
    assert two.threshold == pytest.approx((one.threshold + shift[2]) * unit[2], rel=1e-9, abs=1e-9 * unit[2])
    assert two.fit.p_values[two.low] == pytest.approx(one.fit.p_values[one.low], rel=1e-8)


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


@pytest.mark.parametrize("bootstrap", ["residual", "clustered"])
def test_without_a_threshold_the_test_keeps_its_size(bootstrap: Literal["residual", "clustered"]) -> None:
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


def test_of_very_many_values_quantiles_are_the_candidates(monkeypatch):
    # A threshold at 0 that is plain to see: a search over a hundred quantiles finds it to within their distance.
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([range(60), range(10)], names=["entity", "time"])
    q, x = rng.normal(size=(2, len(index)))
    data = pd.DataFrame({"x": x, "q": q, "y": np.where(q > 0, 3.0, 0.0) * x + rng.normal(size=len(index))}, index=index)
    model = Model("y", "x", effects=("entity", "time"), entity="entity", time="time")
    every = panel_threshold(data, model, "q", draws=19, rng=np.random.default_rng(1))
    monkeypatch.setattr(threshold, "HELD", 1)
    few = panel_threshold(data, model, "q", draws=19, rng=np.random.default_rng(1))
    assert (len(few.profile), len(every.profile)) == (100, 481)
    assert abs(few.threshold - every.threshold) < np.diff(np.sort(few.profile.index)).max()


def moved_by_a_channel(seed: int) -> pd.DataFrame:
    """The treatment moves the channel, and both move the outcome by a straight line: there is no threshold."""
    rng = generator(seed)
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(31)], range(7)], names=["unit", "time"])
    fixed = np.repeat(rng.normal(size=31), 7)
    treatment = fixed + rng.normal(size=len(index))
    channel = 0.6 * treatment + rng.normal(size=len(index))
    outcome = 0.5 * treatment + 0.6 * channel + fixed + rng.normal(size=len(index))
    return pd.DataFrame({"treatment": treatment, "channel": channel, "outcome": outcome}, index)


def test_a_channel_that_moves_the_outcome_is_no_threshold_once_its_level_is_held() -> None:
    """At nominal 5 % of 30 panels at most 5 (chance of more: 0.3 %); without the level about half of them."""
    rejected = {"held": 0, "not held": 0}
    for seed in range(30):
        panel = moved_by_a_channel(seed)
        model = MODEL.with_(effects=("entity", "time"))
        for name, asked in {"held": threshold.hold_own_level(panel, model, "channel"), "not held": model}.items():
            rejected[name] += panel_threshold(panel, asked, "channel", draws=99, rng=generator(seed)).p_value < 0.05
    assert rejected["held"] <= 5
    assert rejected["not held"] >= 10


def test_a_level_is_held_where_the_model_lacks_it_and_the_effects_leave_it() -> None:
    panel = moved_by_a_channel(1).assign(fixed=lambda data: data.groupby(level=0)["channel"].transform("first"))
    assert threshold.hold_own_level(panel, MODEL, "channel").controls == ("channel",)
    assert threshold.hold_own_level(panel, MODEL, "fixed") == MODEL
    for held in (MODEL.with_(controls=("channel",)), MODEL.with_(treatment="channel")):
        assert threshold.hold_own_level(panel, held, "channel") == held
