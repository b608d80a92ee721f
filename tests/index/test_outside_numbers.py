"""Numbers of the index package from other programs, papers and computations written out here.

Printed numbers are held to half a unit of their last digit; what is written out, and what scikit-criteria computes in
double precision, to 1e-9 (the same sums in another order). The p-value of a local Moran is drawn: three standard errors of
a share of the draws.
"""

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skcriteria import mkdm
from skcriteria.agg.topsis import TOPSIS
from skcriteria.preprocessing.weighters import critic_weights as scikit_critic

from helpers.disparity.spatial import local_moran
from helpers.index.accounting import obstacle_degrees
from helpers.index.bootstrap import bootstrap_index
from helpers.index.choices import ChoiceIndex, IndexChoices, IndexRun
from helpers.index.composite import composite_index
from helpers.index.weights import critic_weights, entropy_weights
from helpers.multiverse.drawn import IndexExperiment, Specification
from helpers.robustness.indexed import bootstrap_index_regression
from helpers.study.model import Model
from index.test_composite import INDICATORS, a_panel, a_spec
from outside import outside
from reference.tables import DIAKOULAKI

pytestmark = pytest.mark.outside

TUS_ADALI = [
    [5000, 3, 3, 4, 3, 2], [680, 5, 3, 2, 2, 1], [2000, 3, 2, 3, 4, 3], [600, 4, 3, 1, 2, 2], [800, 2, 4, 3, 3, 4],
]  # fmt: skip


def test_entropy_weights_of_a_table_of_two_rows() -> None:
    outside(
        entropy_weights,
        "scikit-criteria: EntropyWeighter",
        entropy_weights([[1, 2], [4, 16]]),
        [0.358889, 0.641111],
        atol=5e-7,
    )


def test_critic_weights_of_diakoulaki_and_of_tus() -> None:
    paper = "Diakoulaki, Mavrotas and Papayannakis (1995): table of the eight firms, Pearson and Spearman"
    ours = [*critic_weights(DIAKOULAKI), *critic_weights(DIAKOULAKI, correlation="spearman")]
    theirs = [0.20222554, 0.48090173, 0.31687273, 0.21454645, 0.4898563, 0.29559726]
    outside(critic_weights, paper, ours, theirs, atol=5e-9)
    outside(
        critic_weights,
        "Tus and Adali (2019): software selection",
        critic_weights(TUS_ADALI, [1, 1, 1, 1, 1, 1]),
        [0.157, 0.249, 0.168, 0.121, 0.154, 0.151],
        atol=5e-4,
    )


def written_entropy(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low ends, widths and entropy weights of the columns."""
    low, width = rows.min(axis=0), np.ptp(rows, axis=0)
    shares = (rows - low) / (rows - low).sum(axis=0)
    entropy = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), 0).sum(axis=0) / np.log(len(rows))
    return low, width, (1 - entropy) / (1 - entropy).sum()


def signed_cube(panel: pd.DataFrame, names: list[str]) -> np.ndarray:
    signs = [INDICATORS[name]["direction"] for name in names]
    entities = panel.index.get_level_values(0).nunique()
    return panel[names].to_numpy().reshape(entities, -1, len(names)) * np.array(signs)


def test_index_bootstrap() -> None:
    panel, names = a_panel(), list(INDICATORS)
    cube = signed_cube(panel, names)
    weights, values = [], []
    for count in np.random.default_rng(7).multinomial(6, np.full(6, 1 / 6), size=150):
        low, width, own = written_entropy(np.concatenate([cube[entity] for entity in np.repeat(np.arange(6), count)]))
        weights.append(own)
        values.append(((cube - low) / width @ own).ravel())
    found = bootstrap_index(panel, a_spec(), 150, np.random.default_rng(7))
    ours = [found.weights["std_error"], found.weights["ci_low"], found.weights["ci_high"]]
    theirs = [np.std(weights, axis=0, ddof=1), *np.quantile(weights, [0.025, 0.975], axis=0)]
    outside(bootstrap_index, "written out: resampled weights", np.concatenate(ours), np.concatenate(theirs), rtol=1e-9)
    ours = [found.values["std_error"], found.values["ci_high"]]
    theirs = [np.std(values, axis=0, ddof=1), np.quantile(values, 0.975, axis=0)]
    outside(bootstrap_index, "written out: resampled values", np.concatenate(ours), np.concatenate(theirs), rtol=1e-9)


def two_way(matrix: np.ndarray) -> np.ndarray:
    """An entities x times matrix less its means by entity and by time."""
    return matrix - matrix.mean(axis=0) - matrix.mean(axis=1, keepdims=True) + matrix.mean()


def test_index_regression() -> None:
    panel = a_panel(entities=9)
    power, order = ["patents", "software", "websites"], ["emissions", "roads"]
    specs = {
        name: {"indicators": {item: INDICATORS[item] for item in items}}
        for name, items in (("power", power), ("order", order))
    }
    draws = []
    for count in np.random.default_rng(8).multinomial(9, np.full(9, 1 / 9), size=120):
        columns = []
        for names in (order, power):
            cube = signed_cube(panel, names)[np.repeat(np.arange(9), count)]
            low, width, weights = written_entropy(cube.reshape(-1, len(names)))
            columns.append(two_way((cube - low) / width @ weights))
        draws.append((columns[0] * columns[1]).sum() / (columns[1] ** 2).sum())
    found = bootstrap_index_regression(panel, Model("order", "power"), specs, draws=120, rng=np.random.default_rng(8))
    ours = [found.rederived.std_error, found.rederived.percentile_low, found.rederived.percentile_high]
    theirs = [np.std(draws, ddof=1), *np.quantile(draws, [0.025, 0.975])]
    outside(bootstrap_index_regression, "written out: index and two-way slope in each sample", ours, theirs, rtol=1e-9)


def test_chained_weights() -> None:
    panel, names = a_panel(), list(INDICATORS)
    cube = signed_cube(panel, names)
    low, width, _ = written_entropy(cube.reshape(-1, 5))
    scores = (cube - low) / width
    weights = []
    for year in range(4):
        shares = scores[:, year] / scores[:, year].sum(axis=0)
        entropy = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), 0).sum(axis=0) / np.log(6)
        weights.append((1 - entropy) / (1 - entropy).sum())
    values = [scores[:, 0] @ weights[0]]
    for year in range(1, 4):
        values.append(values[-1] + (scores[:, year] - scores[:, year - 1]) @ (weights[year - 1] + weights[year]) / 2)
    found = composite_index(panel, a_spec(), weights="entropy_chained").values
    outside(
        "index, weights entropy_chained",
        "written out: yearly entropies linked by their means",
        found,
        np.array(values).T.ravel(),
        rtol=1e-9,
    )


def test_local_moran_p_values() -> None:
    names = list("abcdef")
    ring = pd.DataFrame(np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), -1, axis=1), index=names, columns=names)
    values = np.array([9.0, 7.5, 6, 1, 2.2, 3])
    exact = []
    for one in range(6):
        z = values - values.mean()
        others = np.delete(np.arange(6), one)
        neighbours = [np.flatnonzero(others == (one + step) % 6)[0] for step in (-1, 1)]
        every = np.array([z[one] * z[list(order)][neighbours].mean() for order in permutations(others)])
        own = z[one] * z[[(one - 1) % 6, (one + 1) % 6]].mean()
        # Both ends count, as far from the mean of all permutations as the figure itself.
        exact.append((np.abs(every - every.mean()) >= abs(own - every.mean()) - 1e-9).mean())
    draws = 19_999
    found = local_moran(pd.Series(values, index=names), ring, np.random.default_rng(1), draws)
    outside(
        local_moran, "written out: all conditional permutations", found["p_value"], exact, atol=3 * 0.5 / np.sqrt(draws)
    )


def test_choices_of_the_index() -> None:
    panel = a_panel()
    run = IndexRun(zero_rule=0.0, scale="min_max", winsorise=0.0, weights="critic", scope="pooled", aggregate="topsis")
    found = ChoiceIndex(panel, a_spec(), 0.01).build(run)
    low, width, _ = written_entropy(signed_cube(panel, list(INDICATORS)).reshape(-1, 5))
    scores = (signed_cube(panel, list(INDICATORS)).reshape(-1, 5) - low) / width
    problem = mkdm(scores, [1] * 5, weights=scikit_critic(scores, [1] * 5))
    outside(
        "index choices: critic and topsis",
        "scikit-criteria: CRITIC and TOPSIS",
        found,
        TOPSIS().evaluate(problem).e_.similarity,
        rtol=1e-9,
    )


def test_uncertainty_over_choices() -> None:
    panel = a_panel(entities=9)
    power, order = ["patents", "software", "websites"], ["emissions", "roads"]
    specs = {
        name: {"indicators": {item: INDICATORS[item] for item in items}}
        for name, items in (("power", power), ("order", order))
    }
    few: dict[str, Any] = {
        "zero_rule": (0.0,),
        "scale": ("min_max",),
        "winsorise": (0.0,),
        "scope": ("pooled",),
        "leave_one_out": False,
    }
    choices = IndexChoices(weights=("equal",), aggregate=("arithmetic", "geometric", "harmonic"), **few)
    runs = IndexExperiment(panel, specs, Specification("order", "power", ()), choices).run(
        np.array([[0.1], [0.5], [0.9]])
    )
    theirs = []
    means = (lambda s: s.mean(axis=2), lambda s: np.exp(np.log(s).mean(axis=2)), lambda s: 1 / (1 / s).mean(axis=2))
    for number, mean in enumerate(means):
        built = []
        for names in (order, power):
            cube = signed_cube(panel, names)
            low, width, _ = written_entropy(cube.reshape(-1, len(names)))
            score = (cube - low) / width
            built.append(mean(score if number == 0 else 0.01 + 0.99 * score))
        y, x = (two_way(column) for column in built)
        theirs.append((x * y).sum() / (x**2).sum())
    outside(
        "index uncertainty: runs",
        "written out: three means and a two-way slope",
        runs.estimates["estimate"],
        theirs,
        rtol=1e-9,
    )


def test_obstacle_degrees() -> None:
    panel = a_panel()
    cube = signed_cube(panel, list(INDICATORS)).reshape(-1, 5)
    low, width, weights = written_entropy(cube)
    lacking = weights * (1 - (cube - low) / width)
    ours = obstacle_degrees(composite_index(panel, a_spec())).to_numpy().ravel()
    outside(
        obstacle_degrees,
        "written out: weight times gap, as shares",
        ours,
        (lacking / lacking.sum(axis=1, keepdims=True)).ravel(),
        rtol=1e-9,
    )
