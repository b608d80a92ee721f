"""Within correlation, squares and loops.

Outside: the correlation in a bootstrap sample is recomputed by stacking the drawn entities as entities of their own and
taking both means out by alternating projections, to 1e-9 (where those stop); slopes at the ends by statsmodels' own test
of a linear combination, to 1e-8.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.coordination import loop, returns
from helpers.errors import StudyError
from helpers.regression.design import build_design
from helpers.regression.many import build_grams
from helpers.regression.panel import fit
from helpers.study.model import Model
from outside import outside

MODEL = Model("y", "d", ("x",))


def make_panel(n: int = 14, times: int = 6, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"u{i:02d}" for i in range(n)], range(2000, 2000 + times)], names=["unit", "time"]
    )
    data = pd.DataFrame(rng.normal(size=(n * times, 3)), index, ["d", "x", "y"])
    data["y"] += 0.4 * data["d"] - 0.2 * data["d"] ** 2 + np.repeat(rng.normal(size=n), times)
    return data


def take_means_out(columns: pd.DataFrame) -> pd.DataFrame:
    dummies = [pd.get_dummies(columns.index.get_level_values(level), dtype=float).to_numpy() for level in (0, 1)]
    both = np.hstack(dummies)
    return columns - both @ np.linalg.lstsq(both, columns, rcond=None)[0]


@pytest.mark.outside
def test_every_draw_is_the_correlation_of_the_stacked_sample():
    data = make_panel().drop(index=[("u02", 2003), ("u05", 2000)])
    design = build_design(data, "y", ["d"], entity_effects=True, time_effects=True)
    grams = build_grams(design)
    counts = np.random.default_rng(1).multinomial(14, np.full(14, 1 / 14), size=5).astype(float)
    ours = returns._correlate(grams.grams, grams.n_dummies, counts)
    theirs = []
    for row in counts:
        copies = [
            data.loc[[entity]].rename(index={entity: f"{entity}_{copy}"}, level=0)
            for entity, count in zip(sorted(data.index.unique(0)), row, strict=True)
            for copy in range(int(count))
        ]
        left = take_means_out(pd.concat(copies)[["d", "y"]])
        theirs.append(np.corrcoef(left.to_numpy().T)[0, 1])
    outside(returns.within_correlation, "written out: stacked copies", ours, np.array(theirs), rtol=1e-9)


def test_weak_is_a_matter_of_the_narrow_interval():
    rng = np.random.default_rng(4)
    index = pd.MultiIndex.from_product([range(80), range(10)], names=["unit", "time"])
    data = pd.DataFrame(rng.normal(size=(800, 2)), index, ["d", "y"])
    found = returns.within_correlation(data, "d", "y", draws=400, rng=rng)
    assert found.is_weak(0.3)
    assert not found.is_weak(0.01)
    assert found.wide.ci_low < found.narrow.ci_low < found.narrow.ci_high < found.wide.ci_high
    data["y"] += data["d"]
    strong = returns.within_correlation(data, "d", "y", draws=400, rng=rng)
    assert not strong.is_weak(0.3)
    assert strong.wide.ci_low > 0.3


def test_one_draw_is_too_few():
    with pytest.raises(StudyError, match="1 draws"):
        returns.within_correlation(make_panel(), "d", "y", draws=1, rng=np.random.default_rng(1))


@pytest.mark.outside
def test_slopes_at_the_ends_are_linear_combinations():
    data = make_panel()
    setting = returns.square_treatment(data, MODEL)
    ends = returns.end_slopes(setting)
    units, times = (data.index.get_level_values(level) for level in (0, 1))
    centred = data["d"] - data["d"].mean()
    columns = pd.DataFrame({"square": centred**2, "d": centred, "x": data["x"]})
    dummies = pd.concat([pd.get_dummies(units), pd.get_dummies(times, prefix="t").iloc[:, 1:]], axis=1).set_axis(
        data.index
    )
    found = sm.OLS(data["y"], pd.concat([columns, dummies], axis=1).astype(float)).fit()
    for place, slope in ((centred.min(), ends.low), (centred.max(), ends.high)):
        weights = np.zeros(len(found.params))
        weights[:2] = [2 * place, 1]
        theirs = found.t_test(weights).effect[0]
        outside(returns.end_slopes, "statsmodels: t_test", slope.estimate, theirs, rtol=1e-8)
    b = found.params.to_dict()
    assert ends.turning_point == pytest.approx(-b["d"] / (2 * b["square"]), rel=1e-8)


def test_a_relation_that_turns_inside_the_data_is_seen_and_one_that_does_not_is_not():
    rng = np.random.default_rng(9)
    data = make_panel(40, 8, 9)
    data["y"] = -(data["d"] ** 2) + 0.3 * rng.normal(size=len(data))
    turns = returns.end_slopes(returns.square_treatment(data, MODEL))
    assert turns.p_value < 0.001
    assert turns.low.estimate > 0 > turns.high.estimate
    data["y"] = np.exp(0.3 * data["d"]) + 0.01 * rng.normal(size=len(data))
    rises = returns.end_slopes(returns.square_treatment(data, MODEL))
    assert rises.p_value > 0.5


def test_the_loop_holds_both_pasts_and_loses_one_time_only():
    data = make_panel()
    ways = loop.cross_lagged(data, MODEL, list(range(2000, 2006)))
    rows, way = ways["outcome"]
    assert len(rows) == 14 * 5
    assert way.regressors == ("d_before", "y_before", "x")
    assert rows["d_before"].to_dict()["u00", 2003] == data["d"].to_dict()["u00", 2002]
    other, back = ways["treatment"]
    assert (back.outcome, back.treatment, back.controls) == ("d", "y_before", ("d_before", "x"))
    assert fit(other, back).n_obs == 70


def test_a_loop_needs_three_times_with_a_past():
    with pytest.raises(StudyError, match="fewer than three"):
        loop.cross_lagged(make_panel(times=3), MODEL, [2000, 2001, 2002])


def test_the_spread_is_that_of_z_scores_in_a_row():
    data = make_panel()
    z = (data - data.mean()) / data.std(ddof=1)
    assert np.allclose(loop.spread_of(data, ["d", "x", "y"]), np.std(z.to_numpy(), axis=1, ddof=1))
    with pytest.raises(StudyError, match="give two or more"):
        loop.spread_of(data, ["d"])
    with pytest.raises(StudyError, match="does not vary"):
        loop.spread_of(data.assign(one=1.0), ["d", "one"])
