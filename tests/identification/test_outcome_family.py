"""Several outcomes of one treatment, beside pyfixest's Romano-Wolf step-down.

Two bootstraps of 9,999 draws each: three standard errors of a p-value are 0.015, of their difference 0.02.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.identification.outcome_family import fit_outcomes
from helpers.inference.wild import wild_cluster_bootstrap
from helpers.regression.panel import fit_panel


def make_panel(entities: int = 16, times: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(entities)], range(times)], names=["entity", "time"])
    panel = pd.DataFrame(rng.normal(size=(len(index), 5)), index=index, columns=["first", "second", "third", "x", "a"])
    panel["second"] += 0.3 * panel["x"] + 0.6 * panel["first"]
    panel["third"] += 0.2 * panel["x"] + 0.4 * panel["second"]
    return panel


OUTCOMES = ["first", "second", "third"]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:The inplace keyword in DataFrame", "ignore::UserWarning")
def test_pyfixest_adjusts_alike() -> None:
    import pyfixest

    panel = make_panel()
    flat = panel.reset_index()
    flat["entity"] = flat["entity"].str[1:].astype(int)
    fits = [pyfixest.feols(f"{name} ~ x + a + C(entity) + C(time)", flat, vcov={"CRV1": "entity"}) for name in OUTCOMES]
    other = pyfixest.rwolf(fits, "x", reps=9999, seed=1).loc["RW Pr(>|t|)"].to_numpy(dtype=float)
    found = fit_outcomes(panel, OUTCOMES, "x", ["a"], rng=np.random.default_rng(1))
    assert found.table["p_romano_wolf"].to_numpy() == pytest.approx(other, abs=0.02)


def test_each_outcome_has_the_p_value_of_its_own_wild_bootstrap() -> None:
    panel = make_panel(10)
    found = fit_outcomes(panel, OUTCOMES, "x", ["a"], draws=20_000, rng=np.random.default_rng(1)).table
    for name in OUTCOMES:
        fit = fit_panel(panel, name, ["x", "a"], entity_effects=True, time_effects=True)
        assert found.loc[name, "estimate"] == pytest.approx(fit.estimates["x"], rel=1e-10)
        assert found.loc[name, "p_value"] == pytest.approx(fit.p_values["x"], rel=1e-9)
        assert found.loc[name, "p_wild"] == pytest.approx(wild_cluster_bootstrap(fit, "x").p_value, abs=0.012)


def test_adjusted_p_values_are_no_smaller_than_their_own() -> None:
    table = fit_outcomes(make_panel(), OUTCOMES, "x", rng=np.random.default_rng(1)).table
    assert (table["p_romano_wolf"] >= table["p_wild"]).all()
    assert (table["p_holm"] >= table["p_value"]).all()


def test_an_outcome_twice_costs_nothing() -> None:
    panel = make_panel()
    once = fit_outcomes(panel, ["second", "third"], "x", rng=np.random.default_rng(1)).table
    copied = panel.assign(copy=panel["second"])
    twice = fit_outcomes(copied, ["second", "third", "copy"], "x", rng=np.random.default_rng(1)).table
    assert twice.loc["second", "p_romano_wolf"] == pytest.approx(once.loc["second", "p_romano_wolf"])
    assert twice["p_holm"]["second"] == pytest.approx(once["p_holm"]["second"] * 3 / 2)


def test_an_outcome_that_cannot_be_estimated_is_named() -> None:
    panel = make_panel()
    panel["x"] = panel.groupby(level=0)["x"].transform("first")
    with pytest.raises(StudyError, match="outcome first"):
        fit_outcomes(panel, OUTCOMES, "x", rng=np.random.default_rng(1))


def test_one_outcome_is_no_family() -> None:
    with pytest.raises(StudyError, match="family"):
        fit_outcomes(make_panel(), ["first"], "x", rng=np.random.default_rng(1))
