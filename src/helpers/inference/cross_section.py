"""The wild bootstrap beside a test over single figures: a line, a difference of two groups, a mean.

Every figure is a cluster of its own. The t statistic in a draw has the variance that lets every figure spread as it
does (HC1), so that two groups need no common variance. A trend over seven times has 2^7 sign vectors: all are
enumerated, and no p-value can be below 2 / 128.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.disparity.divergence import upper_lower_changes
from helpers.disparity.dynamics import sigma_convergence, start_and_growth
from helpers.inference.clear import wild_parameter
from helpers.regression.panel import fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model


def wild_line(
    figures: Floats, regressor: Floats, effect: Estimate, *, draws: int, rng: np.random.Generator
) -> Estimate:
    """The slope of a line through single figures, by the restricted wild bootstrap.

    Parameters
    ----------
    figures, regressor
        Shape (n,).
    effect
        The slope by the test that stands beside.
    draws, rng
        As in `helpers.inference.wild.bootstrap.wild_cluster_bootstrap`.

    Raises
    ------
    StudyError
        Fewer figures than a line needs, or a regressor that does not vary.
    """
    index = pd.MultiIndex.from_product([range(len(figures)), [0]], names=["figure", "time"])
    data = pd.DataFrame({"figures": figures, "regressor": regressor}, index, dtype=float)
    return _test(data, Model("figures", "regressor", effects=()), effect, draws, rng)


def wild_gap(upper: Floats, lower: Floats, effect: Estimate, *, draws: int, rng: np.random.Generator) -> Estimate:
    """The mean of the one group less that of the other, by the restricted wild bootstrap; see `wild_line`."""
    belongs = np.repeat([1.0, 0.0], [len(upper), len(lower)])
    return wild_line(np.concatenate([upper, lower]), belongs, effect, draws=draws, rng=rng)


def wild_mean(figures: Floats, effect: Estimate, *, draws: int, rng: np.random.Generator) -> Estimate:
    """The mean of figures that are differences within pairs, by the restricted wild bootstrap; see `wild_line`.

    A pair is an entity seen twice: 0, and the difference. With entity effects the slope of "second" is the mean.
    """
    index = pd.MultiIndex.from_product([range(len(figures)), [0, 1]], names=["figure", "time"])
    second = index.get_level_values(1).to_numpy(dtype=float)
    data = pd.DataFrame({"figures": np.repeat(figures, 2) * second, "second": second}, index)
    return _test(data, Model("figures", "second", effects=("entity",)), effect, draws, rng)


def wild_sigma(values: pd.Series, effect: Estimate, *, draws: int, rng: np.random.Generator) -> Estimate:
    """The trend of the logarithm of sd / mean of a column by entity and time; every time is a figure."""
    spread = sigma_convergence(values).by_time["coefficient_of_variation"]
    times = spread.index.to_numpy(dtype=float)
    return wild_line(np.log(spread.to_numpy(dtype=float)), times, effect, draws=draws, rng=rng)


def wild_beta(values: pd.Series, effect: Estimate, *, draws: int, rng: np.random.Generator) -> Estimate:
    """Mean yearly log growth on the initial log of a column by entity and time; every entity is a figure."""
    start, growth, _ = start_and_growth(values)
    return wild_line(growth, start, effect, draws=draws, rng=rng)


def wild_upper_lower(
    values: pd.Series, groups: int, effect: Estimate, *, draws: int, rng: np.random.Generator
) -> Estimate:
    """How much more the upper group gained than the lower, first to last time; every entity is a figure."""
    return wild_gap(*upper_lower_changes(values, groups), effect, draws=draws, rng=rng)


def _test(data: pd.DataFrame, model: Model, effect: Estimate, draws: int, rng: np.random.Generator) -> Estimate:
    found = fit(data, model)
    counted = replace(effect, n_clusters=found.n_clusters)
    return wild_parameter(found, model.treatment, counted, draws=draws, rng=rng)
