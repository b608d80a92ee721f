"""Difference and system GMM beside pydynpd 0.2.2, which its authors checked against Stata's xtabond2.

The reference numbers were printed by pydynpd (with NumPy 1.26: it does not run with NumPy 2) for `y L1.y x w | gmm(y, 2:4)
gmm(w, 1:3) iv(x)` on the panel of `make_panel`. Wu, Hua and Xu (2023), Journal of Open Source Software 8(83), 4416.
Tolerance: the digits printed, 1e-7.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.identification.dynamic import fit_dynamic

MODEL: dict[str, Any] = {
    "exogenous": ["x"],
    "predetermined": ["w"],
    "outcome_lags": (2, 4),
    "predetermined_lags": (1, 3),
}


def make_panel(entities: int = 60, times: int = 8, seed: int = 1) -> pd.DataFrame:
    """A panel with y = 0.5 lag of y + 0.4 x + 0.3 w + entity effect + error; the last error moves w."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(size=entities)
    error = rng.normal(size=(entities, times + 20))
    y, w = effect / 0.5, np.zeros(entities)
    columns = np.zeros((3, entities, times))
    for step in range(times + 20):
        x = rng.normal(size=entities) + 0.3 * effect
        earlier = 0.3 * error[:, step - 1] if step else 0.0
        w = 0.5 * w + 0.3 * effect + earlier + rng.normal(size=entities)
        y = 0.5 * y + 0.4 * x + 0.3 * w + effect + error[:, step]
        if step >= 20:
            columns[:, :, step - 20] = y, x, w
    index = pd.MultiIndex.from_product([range(1, entities + 1), range(2000, 2000 + times)], names=["id", "year"])
    return pd.DataFrame(columns.reshape(3, -1).T, index=index, columns=["y", "x", "w"])


def with_gaps(panel: pd.DataFrame) -> pd.DataFrame:
    return panel.drop(panel.index[[3, 50, 51, 100, 207]])


# gaps, system, collapse, time effects: estimates of lag, x, w; their standard errors; Hansen's J, its df; AR(1), AR(2).
REFERENCE = [
    (0, 0, 0, 0, [0.26221654, 0.3153113, 0.33112384], [0.11279337, 0.072829, 0.09625347], 27.9286435, 30, [-3.3617693, -0.1523552]),
    (1, 0, 0, 1, [0.27020905, 0.32206877, 0.34008875], [0.12870243, 0.07902343, 0.09266401], 28.3861079, 30, [-3.1610883, 0.2364374]),
    (0, 0, 1, 1, [0.29551703, 0.35341234, 0.37230667], [0.10059551, 0.0641357, 0.08620789], 1.893969, 4, [-4.0314005, 0.0781318]),
    (1, 1, 1, 1, [0.48654246, 0.49889753, 0.37468165], [0.08086166, 0.06193943, 0.08582336], 8.8963758, 6, [-5.2537172, 0.5998482]),
    (0, 1, 0, 0, [0.57479481, 0.47659916, 0.28251819], [0.07240103, 0.06363935, 0.09865596], 44.934544, 43, [-4.9188858, 0.4181475]),
    (1, 1, 1, 0, [0.49219425, 0.49188543, 0.37035141], [0.07895966, 0.06292824, 0.08732535], 8.4399459, 6, [-5.2829159, 0.4866813]),
]  # fmt: skip


@pytest.mark.parametrize("gaps, system, collapse, times, estimates, std_errors, j, df, ar", REFERENCE)
def test_two_steps_meet_pydynpd(
    gaps: int, system: int, collapse: int, times: int, estimates: list[float], std_errors: list[float], j: float, df: int, ar: list[float]
) -> None:  # fmt: skip
    panel = make_panel()
    fit = fit_dynamic(
        with_gaps(panel) if gaps else panel, "y", **MODEL,
        system=bool(system), collapse=bool(collapse), time_effects=bool(times),
    )  # fmt: skip
    assert list(fit.estimates.index[:3]) == ["lag1_y", "x", "w"]
    assert fit.estimates.iloc[:3].tolist() == pytest.approx(estimates, abs=1e-7)
    assert fit.std_errors.iloc[:3].tolist() == pytest.approx(std_errors, abs=1e-7)
    assert fit.hansen_j == pytest.approx(j, abs=1e-6)
    assert fit.hansen_df == df
    assert [fit.ar1, fit.ar2] == pytest.approx(ar, abs=1e-6)


def test_a_just_identified_model_is_two_stage_least_squares_of_differences() -> None:
    # Anderson and Hsiao (1982): the change of y on its lagged change, instrumented by the level two times earlier.
    from linearmodels.iv import IV2SLS

    panel = make_panel()
    fit = fit_dynamic(panel, "y", ["x"], outcome_lags=(2, 2), time_effects=False, steps=1)
    by_entity = panel.groupby(level=0)
    change = by_entity.diff()
    data = pd.DataFrame({"dy": change["y"], "dx": change["x"], "lag": change.groupby(level=0)["y"].shift()})
    data["level"] = by_entity["y"].shift(2)
    data = data.dropna()
    other = IV2SLS(data["dy"], data[["dx"]], data["lag"], data["level"]).fit(
        cov_type="clustered", clusters=pd.factorize(data.index.get_level_values(0))[0]
    )
    assert fit.estimates["lag1_y"] == pytest.approx(other.params["lag"], rel=1e-8)
    assert fit.std_errors["lag1_y"] == pytest.approx(other.std_errors["lag"], rel=1e-6)
    assert np.isnan(fit.hansen_j)


@pytest.mark.parametrize("system", [False, True])
def test_the_estimates_centre_on_the_truth(system: bool) -> None:
    # x moves with the entity's effect, so the system estimator may use its differences only.
    model = MODEL | {"exogenous": [], "predetermined": ["x", "w"]} if system else MODEL
    found = [fit_dynamic(make_panel(150, 7, seed), "y", **model, system=system).estimates for seed in range(40)]
    mean = pd.DataFrame(found).mean()[["lag1_y", "x", "w"]]
    # Over 40 samples the mean has a standard error of about 0.015; small-sample bias of GMM adds some hundredths.
    assert mean.tolist() == pytest.approx([0.5, 0.4, 0.3], abs=0.06)


def test_standard_errors_are_as_large_as_the_spread_of_the_estimates() -> None:
    fits = [fit_dynamic(make_panel(80, 7, seed), "y", **MODEL) for seed in range(120)]
    spread = np.std([fit.estimates["x"] for fit in fits], ddof=1)
    assert np.mean([fit.std_errors["x"] for fit in fits]) == pytest.approx(spread, rel=0.2)


def test_first_order_correlation_is_found_and_second_order_is_not() -> None:
    fit = fit_dynamic(make_panel(300, 8), "y", **MODEL)
    assert fit.ar1_p_value < 1e-6
    assert fit.ar2_p_value > 0.05


def test_more_instruments_than_entities_are_said() -> None:
    fit = fit_dynamic(make_panel(20, 8), "y", **MODEL, collapse=False)
    assert fit.n_instruments > 20
    assert "20 entities" in fit.notes[0]


def test_a_regressor_that_does_not_move_is_named() -> None:
    panel = make_panel()
    panel["fixed"] = panel.groupby(level=0)["x"].transform("first")
    with pytest.raises(StudyError, match="fixed"):
        fit_dynamic(panel, "y", ["fixed"])


@pytest.mark.parametrize(
    "change, word",
    [({"steps": 3}, "steps 3"), ({"outcome_lags": (1, 2)}, "from lag 1"), ({"exogenous": ["nothing"]}, "nothing"), ({"lags": 7}, "fewer lags")],
)  # fmt: skip
def test_bad_requests_are_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(StudyError, match=word):
        fit_dynamic(make_panel(), "y", **(MODEL | change))


def test_times_with_holes_are_refused() -> None:
    panel = make_panel()
    with pytest.raises(StudyError, match="not consecutive"):
        fit_dynamic(panel.drop(2003, level=1), "y")
