"""A coefficient whose indices are derived anew in every sample of entities.

Tolerance 1e-9 (relative): index and regression by the public functions on the stacked rows of each sample.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.regression.many import fit_weighted_entities
from helpers.regression.panel import fit_panel
from helpers.robustness import indexed
from helpers.robustness.changes import leave_one_out
from helpers.robustness.fragility import map_fragility
from helpers.robustness.indexed import bootstrap_index_regression
from helpers.study.model import Model


def make_panel(entities: int = 12, times: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(entities)], range(times)], names=["entity", "time"])
    return pd.DataFrame(rng.gamma(1.5, size=(len(index), 7)), index=index, columns=["p", "q", "r", "s", "t", "u", "a"])


def spec(names: str, **method: Any) -> Any:
    items = {name: {"direction": 1, "dimension": "d"} for name in names}
    return SimpleNamespace(indicators=items, dimensions={"d": {}}, method=method or None)


SPECS = {"good": spec("pqr"), "digital": spec("stu")}
BOTH = Model("good", "digital")


@pytest.mark.parametrize("method", [{}, {"weights": "critic"}, {"zero_rule": 0.01}, {"scale": "percentile"}])
def test_every_draw_is_index_then_regression_on_the_stacked_rows(method: dict[str, Any]) -> None:
    panel, specs = make_panel(), {"good": spec("pqr", **method), "digital": spec("stu", **method)}
    found = bootstrap_index_regression(panel, BOTH.with_(controls=("a",)), specs, draws=4, rng=np.random.default_rng(3))
    counts = np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12), size=4)
    for draw, count in zip(found.rederived_draws, counts, strict=True):
        copies = [
            panel.loc[[f"e{g:02d}"]].rename(index={f"e{g:02d}": f"e{g:02d}_{copy}"}, level=0)
            for g in range(12)
            for copy in range(count[g])
        ]
        stacked = pd.concat(copies).sort_index()
        data = stacked.assign(**{name: composite_index(stacked, item).values for name, item in specs.items()})
        fit = fit_panel(data, "good", ["digital", "a"], entity_effects=True, time_effects=True)
        assert draw == pytest.approx(fit.estimates["digital"], rel=1e-9)


def test_indices_as_given_are_the_plain_bootstrap_of_the_regression() -> None:
    panel = make_panel()
    found = bootstrap_index_regression(
        panel, BOTH.with_(controls=("a",)), SPECS, draws=50, rng=np.random.default_rng(3)
    )
    counts = np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12), size=50)
    data = panel.assign(**{name: composite_index(panel, item).values for name, item in SPECS.items()})
    plain = fit_weighted_entities(data, "good", ["digital", "a"], counts)
    assert found.fixed_draws == pytest.approx(plain.estimates[:, 0], rel=1e-9)
    assert found.fixed.percentile_low == pytest.approx(np.quantile(plain.estimates[:, 0], 0.025), rel=1e-9)
    assert found.fit.estimates["digital"] == found.estimate


def test_bca_interval_is_scipys() -> None:
    # scipy resamples by itself, on an index written out here; 4,000 draws on both sides agree to some hundredths.
    from scipy import stats

    panel = make_panel()
    found = bootstrap_index_regression(
        panel, BOTH.with_(treatment="a"), SPECS, draws=4000, rng=np.random.default_rng(3)
    )
    cube = panel[["p", "q", "r", "a"]].to_numpy().reshape(12, 4, 4)

    def refit(drawn: Any) -> float:
        rows = cube[np.asarray(drawn, dtype=int)]
        low, high = rows[:, :, :3].min(axis=(0, 1)), rows[:, :, :3].max(axis=(0, 1))
        scores = (rows[:, :, :3] - low) / (high - low)
        share = scores / scores.sum(axis=(0, 1))
        information = 1 + (share * np.log(np.where(share > 0, share, 1))).sum(axis=(0, 1)) / np.log(4 * len(rows))
        columns = (scores @ (information / information.sum()), rows[:, :, 3])
        y, x = (matrix - matrix.mean(0) - matrix.mean(1, keepdims=True) + matrix.mean() for matrix in columns)
        return float((x * y).sum() / (x**2).sum())

    other = stats.bootstrap(
        (np.arange(12),), refit, n_resamples=4000, method="BCa", vectorized=False, rng=np.random.default_rng(5)
    )
    width = other.confidence_interval.high - other.confidence_interval.low
    assert found.rederived.bca_low == pytest.approx(other.confidence_interval.low, abs=0.08 * width)
    assert found.rederived.bca_high == pytest.approx(other.confidence_interval.high, abs=0.08 * width)
    assert found.rederived.std_error == pytest.approx(other.standard_error, rel=0.05)


def test_draws_without_an_index_are_counted() -> None:
    panel = make_panel(5)
    panel["s"] = (panel.index.get_level_values(0) == "e02").astype(float)
    found = bootstrap_index_regression(panel, BOTH, SPECS, draws=200, rng=np.random.default_rng(3))
    # Entity e02 is missing from a sample with probability (4/5)^5 = 0.33.
    assert 40 < found.n_failed < 95
    assert np.isnan(found.rederived_draws).sum() >= 40


def test_the_table_puts_the_intervals_side_by_side() -> None:
    found = bootstrap_index_regression(make_panel(), BOTH, SPECS, draws=99, rng=np.random.default_rng(3))
    assert list(found.table.columns) == ["std_error", "ci_low", "ci_high"]
    assert len(found.table) == 5
    assert (found.table["ci_low"] < found.table["ci_high"]).all()


def test_samples_are_fitted_in_blocks_of_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, counts = make_panel(), np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12), size=40).astype(float)
    whole = indexed.fit(panel, BOTH, SPECS, counts)
    monkeypatch.setattr(indexed, "CHUNK", 100)
    asked = []

    class Asked:
        def __len__(self) -> int:
            return len(counts)

        def __getitem__(self, rows: slice) -> Any:
            asked.append(len(counts[rows]))
            return np.asarray(counts[rows])

    np.testing.assert_allclose(indexed.fit(panel, BOTH, SPECS, Asked()).estimates, whole.estimates, rtol=1e-12)
    assert max(asked) == 1


def test_a_regression_without_an_index_is_refused() -> None:
    with pytest.raises(StudyError, match="neither is an index"):
        bootstrap_index_regression(make_panel(), Model("p", "a"), SPECS, draws=99, rng=np.random.default_rng(3))


@settings(max_examples=8, deadline=None)
@given(powers=st.tuples(*[st.integers(-8, 8)] * 7), shift=st.floats(-100, 100), seed=st.integers(0, 99))
def test_nothing_depends_on_units_origin_order_or_names(powers: tuple[int, ...], shift: float, seed: int) -> None:
    panel, model = make_panel(), BOTH.with_(controls=("a",))
    other = (panel + shift).mul([10.0**power for power in powers]).rename(index=lambda name: f"x{name}", level=0)
    samples = np.ones((12, 12)) - np.eye(12)
    found = indexed.fit(panel, model, SPECS, samples)
    again = indexed.fit(other.sample(frac=1, random_state=seed), model, SPECS, samples)
    # Min-max scores take units and origins off the indicators, and effects take them off the control.
    np.testing.assert_allclose(again.estimates, found.estimates, rtol=1e-8)
    np.testing.assert_allclose(again.std_errors, found.std_errors, rtol=1e-8)
    plain = Model("p", "s", ("a",))
    ratio = 10.0 ** (powers[0] - powers[3])
    maps = [map_fragility(part, plain, most=1) for part in (panel, other)]
    np.testing.assert_allclose(maps[1].table["estimate"], maps[0].table["estimate"] * ratio, rtol=1e-8)
    np.testing.assert_allclose(maps[1].table["p_value"], maps[0].table["p_value"], rtol=1e-8, atol=1e-12)
    tables = [leave_one_out(part, plain).table for part in (panel, other)]
    np.testing.assert_allclose(tables[1]["p_value"], tables[0]["p_value"], rtol=1e-8, atol=1e-12)
