"""The outcome's own past, beside statsmodels with dummies written out.

Tolerance 1e-8 for two ways of solving the same least squares.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers.identification.past import LAG, Past, fit_past
from helpers.study.model import Model
from outside import outside
from toy_study import make_panel

MODEL = Model("outcome", "dose", ("weight", "rain"))
WINDOW = tuple(range(2001, 2009))


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return make_panel(np.random.default_rng(8), n_entities=60)


@pytest.fixture(scope="module")
def past(panel: pd.DataFrame) -> Past:
    external = pd.DataFrame({"z": panel["dose"] + np.random.default_rng(2).normal(size=len(panel))})
    return fit_past(panel, MODEL, WINDOW, external)


def test_least_squares_bound_the_lag(panel: pd.DataFrame, past: Past) -> None:
    rows = panel.assign(before=panel["outcome"].groupby(level=0).shift(1)).dropna().reset_index()
    formula = "outcome ~ dose + before + weight + rain + C(year)"
    printed = [smf.ols(text, rows).fit().params["before"] for text in (formula + " + C(place)", formula)]
    ours = [past.least_squares[name].estimates[LAG] for name in ("within", "pooled")]
    outside(fit_past, "statsmodels: ols with dummies", ours, printed, rtol=1e-8)
    assert past.bounds == tuple(sorted(ours))


def test_gmm_finds_the_true_effect(past: Past) -> None:
    for name in ("difference", "system", "external"):
        effect = past.gmm[name]["dose"]
        assert effect.ci_low < 1.0 < effect.ci_high


def test_external_instruments_add_their_own_moments(past: Past) -> None:
    assert past.gmm["external"].n_instruments == past.gmm["difference"].n_instruments + 1


def test_what_cannot_be_made_is_kept_with_its_reason() -> None:
    short = make_panel(np.random.default_rng(1), n_times=2)
    past = fit_past(short, MODEL, (2001, 2002))
    assert past.gmm == {}
    assert past.verdict("system", 0.05) == "refused"
    assert {"difference", "system"} <= past.refused.keys()


@pytest.mark.parametrize(
    "changes, lag, verdict",
    [
        ({}, 0.5, "open"),
        ({"hansen_p_value": 0.01}, 0.5, "rejected"),
        ({"ar2_p_value": 0.01}, 0.5, "rejected"),
        ({}, 0.31, "open"),
        ({}, 0.29, "outside"),
        ({}, 0.91, "outside"),
        ({"ar1_p_value": 0.2}, 0.5, "no_ar1"),
        ({"n_instruments": 60}, 0.5, "many"),
        ({"hansen_p_value": float("nan")}, 0.5, "untested"),  # as many instruments as coefficients
        ({"ar2_p_value": float("nan")}, 0.5, "untested"),  # too few periods
        ({"ar1_p_value": float("nan")}, 0.5, "untested"),
        ({"hansen_p_value": float("nan"), "ar2_p_value": 0.01}, 0.5, "rejected"),
    ],
)
def test_the_first_thing_against_an_estimator_is_told(
    past: Past, changes: dict[str, Any], lag: float, verdict: str
) -> None:
    found = past.gmm["difference"]
    estimates = found.estimates.copy()
    estimates.iloc[0] = lag
    sound = {"hansen_p_value": 0.4, "ar1_p_value": 0.001, "ar2_p_value": 0.5}
    planted = replace(found, estimates=estimates, **(sound | changes))
    ends = {}
    for name, value in (("within", 0.3), ("pooled", 0.9)):
        own = past.least_squares[name]
        ends[name] = replace(own, estimates=own.estimates.where(own.estimates.index != LAG, value))
    assert Past(ends, {"difference": planted}, {}, "dose").verdict("difference", 0.05) == verdict
    if verdict == "open":
        assert Past({}, {"difference": planted}, {}, "dose").verdict("difference", 0.05) == "untested"
