"""Interactions, marginal effects and the other forms of the question.

Outside: statsmodels on dummies gives the interaction and, through its own linear combination of coefficients with a
clustered covariance, the marginal effects; equal to 1e-8, the precision of its pseudo-inverse.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.coordination import moderation
from helpers.errors import StudyError
from helpers.regression.leverage import find_leverage
from helpers.regression.panel import fit
from helpers.study.model import Model
from outside import outside

MODEL = Model("y", "d", ("x",))


def make_panel(n: int = 16, times: int = 6, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(n)], range(times)], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(n * times, 5)), index, ["t", "o", "x", "e", "y"])
    data["fixed"] = np.repeat(rng.normal(size=n), times)
    data["y"] += 0.5 * data["t"] - 0.4 * (data["t"] - data["t"].mean()) * (data["o"] - data["o"].mean())
    return data


def by_statsmodels(data: pd.DataFrame) -> Any:
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    t, o = data["t"] - data["t"].mean(), data["o"] - data["o"].mean()
    columns = pd.DataFrame({"to": t * o, "t": t, "o": o, "e": data["e"], "x": data["x"]})
    dummies = pd.concat([pd.get_dummies(units), pd.get_dummies(times, prefix="t").iloc[:, 1:]], axis=1).set_axis(
        data.index
    )
    return sm.OLS(data["y"], pd.concat([columns, dummies], axis=1).astype(float)).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(units)[0], "use_correction": False}
    )


@pytest.mark.outside
def test_the_interaction_and_its_marginal_effects_are_those_of_dummies():
    data = make_panel()
    setting = moderation.moderate(data, MODEL, "t", "o", ["e"])
    ours = fit(setting.data, setting.model)
    theirs = by_statsmodels(data)
    source = "statsmodels: OLS on dummies"
    outside(moderation.moderate, source, ours.estimates["interaction"], theirs.params["to"], rtol=1e-8)
    points = [-1.0, 0.0, 2.0]
    table = moderation.marginal_effects(ours, setting, points)
    expected = [theirs.params["t"] + m * theirs.params["to"] for m in points]
    outside(moderation.marginal_effects, source, table["estimate"].to_numpy(), np.array(expected), rtol=1e-8)
    names = ["t", "to"]
    covariance = theirs.cov_params().loc[names, names].to_numpy()
    raw = [np.sqrt(np.array([1, m]) @ covariance @ np.array([1, m])) for m in points]
    # The clustered sandwich without any factor, against ours up to the one common factor.
    ratio = table["std_error"].to_numpy() / np.array(raw)
    outside(moderation.marginal_effects, source, ratio, np.full(3, ratio[0]), rtol=1e-8)


def test_both_columns_are_centred_and_the_moderator_stands_beside():
    data = make_panel()
    setting = moderation.moderate(data, MODEL, "t", "o", ["e"])
    assert setting.model.regressors == ("interaction", "t", "o", "e", "x")
    assert abs(setting.data[["t", "o"]].mean()).max() < 1e-12
    assert np.allclose(setting.data["interaction"], setting.data["t"] * setting.data["o"])


def test_a_moderator_that_never_changes_is_standardised_and_absorbed():
    data = make_panel()
    setting = moderation.moderate(data, MODEL, "t", "fixed")
    assert setting.model.regressors == ("interaction", "t", "x")
    levels = setting.values.groupby(level=0).first()
    assert (levels.mean(), levels.std(ddof=1)) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert "within" not in moderation.put_otherwise(setting, "u00")


def test_a_control_that_is_one_of_the_two_is_not_used_twice():
    setting = moderation.moderate(make_panel(), Model("y", "d", ("x", "o")), "t", "o")
    assert setting.model.regressors == ("interaction", "t", "o", "x")


def test_a_moderator_that_does_not_vary_or_does_not_exist_is_refused():
    data = make_panel().assign(one=1.0)
    with pytest.raises(StudyError, match="no column nowhere"):
        moderation.moderate(data, MODEL, "t", "nowhere")
    with pytest.raises(StudyError, match="same in every row"):
        moderation.moderate(data, MODEL, "t", "one")


def test_other_forms_find_the_sign_that_was_planted():
    setting = moderation.moderate(make_panel(60, 8), MODEL, "t", "o")
    forms = moderation.put_otherwise(setting, "u03")
    assert list(forms) == ["without_controls", "groups", "within", "first_level", "without_heaviest"]
    signs = {name: fit(data, model).estimates[term] for name, (data, model, term) in forms.items()}
    assert all(signs[name] < 0 for name in ("without_controls", "groups", "within", "without_heaviest"))
    rows, _, _ = forms["without_heaviest"]
    assert "u03" not in rows.index.unique(0)


def test_groups_compare_the_upper_third_with_the_lower():
    data = make_panel(40, 6)
    setting = moderation.moderate(data, MODEL, "t", "o")
    rows, model, term = moderation.put_otherwise(setting, "u00", 3)["groups"]
    cuts = np.quantile(setting.values, [1 / 3, 2 / 3])
    upper = rows[term] != 0
    assert setting.values[upper].min() > cuts[1]
    assert term == "t_group_3"
    assert model.regressors[0] == term


@pytest.mark.outside
def test_leverage_is_the_share_of_the_partialled_column():
    data = make_panel()
    setting = moderation.moderate(data, MODEL, "t", "o")
    shares = find_leverage(fit(setting.data, setting.model), "interaction").shares
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    others = pd.concat(
        [
            setting.data[["t", "o", "x"]],
            pd.get_dummies(units).set_axis(data.index),
            pd.get_dummies(times, prefix="t").iloc[:, 1:].set_axis(data.index),
        ],
        axis=1,
    ).astype(float)
    left = setting.data["interaction"] - others @ np.linalg.lstsq(others, setting.data["interaction"], rcond=None)[0]
    expected = (left**2).groupby(level=0).sum() / (left**2).sum()
    outside(find_leverage, "written out: by dummies", shares, expected.reindex(shares.index), rtol=1e-8)
    assert shares.is_monotonic_decreasing
