"""Drifting apart as estimates.

Outside: scipy's Welch test and least squares; the Gini of a bootstrap sample recomputed on the stacked copies by the plain
double sum. Same formulas in double precision, 1e-9.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.disparity import divergence
from helpers.errors import StudyError
from outside import outside


def make_values(n: int = 31, times: int = 7, seed: int = 6) -> pd.Series:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"u{i:02d}" for i in range(n)], range(2015, 2015 + times)], names=["unit", "time"]
    )
    return pd.Series(np.exp(rng.normal(0, 0.4, n * times)), index, name="index")


@pytest.mark.outside
def test_the_gini_of_a_drawn_sample_is_that_of_its_copies():
    figures = make_values().xs(2021, level=1).to_numpy()
    counts = np.random.default_rng(2).multinomial(31, np.full(31, 1 / 31), size=6).astype(float)
    ours = divergence._weighted_gini(figures, counts)
    theirs = []
    for row in counts:
        copies = np.repeat(figures, row.astype(int))
        theirs.append(np.abs(copies[:, None] - copies).mean() / (2 * copies.mean()))
    outside(divergence.gini_change, "written out: stacked copies", ours, np.array(theirs), rtol=1e-9)


def test_a_change_of_the_gini_has_an_interval_around_it():
    values = make_values()
    wide = values.unstack()
    wide[2021] = wide[2015] ** 2
    grown = divergence.gini_change(pd.Series(wide.stack()), draws=999, rng=np.random.default_rng(1))
    assert 0 < grown.ci_low < grown.estimate < grown.ci_high
    assert grown.p_value < 0.01
    with pytest.raises(StudyError, match="1 draws"):
        divergence.gini_change(values, draws=1, rng=np.random.default_rng(1))


@pytest.mark.outside
def test_the_gap_between_upper_and_lower_third_is_welchs():
    values = make_values()
    found = divergence.upper_lower_gap(values)
    wide = values.unstack()
    third = pd.qcut(wide[2015], 3, labels=[1, 2, 3])
    change = wide[2021] - wide[2015]
    theirs = stats.ttest_ind(change[third == 3], change[third == 1], equal_var=False)
    ours = [found.statistic, found.p_value, found.df, found.ci_low]
    expected = [theirs.statistic, theirs.pvalue, theirs.df, theirs.confidence_interval().low]
    outside(divergence.upper_lower_gap, "scipy: ttest_ind, equal_var=False", ours, expected, rtol=1e-9)


@pytest.mark.outside
def test_sigma_is_the_trend_of_the_log_coefficient_of_variation():
    values = make_values()
    found = divergence.sigma_trend(values)
    by_time = values.groupby(level=1)
    theirs = stats.linregress(range(7), np.log(by_time.std() / by_time.mean()))
    ours = [found.estimate, found.std_error, found.p_value]
    outside(divergence.sigma_trend, "scipy: linregress", ours, [theirs.slope, theirs.stderr, theirs.pvalue], rtol=1e-9)


def test_groups_of_two_are_the_least():
    with pytest.raises(StudyError, match="use fewer groups"):
        divergence.upper_lower_gap(make_values(5), 5)
