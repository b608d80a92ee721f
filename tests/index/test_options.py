"""Options of scores and weights beside R: an inverse column, tied counts, zeros, units from 1e-4 to 1e3, each time alone.

The reference numbers are those of R 4.2.2 (base and stats) on the panel of ``a_table`` (9 entities, 4 times), X its columns,
b the one of which less is better, M = (x - min)/(max - min) of each column, 1 - M for b:

    scale(X); rank of each column, of -b; quantile(x, c(0.05, 0.95), type = 7); prcomp(X, scale. = TRUE)
    apply(M, 2, sd) * colSums(1 - cor(M, method)) over its sum; sd/mean over its sum
    e = -colSums(P * log(P))/log(n), P = (M + shift)/sum, 0 log 0 = 0; (1 - e)/sum(1 - e), of all rows or of one time

Tolerance: 1e-11 relative; fourteen digits were printed, and an entropy near 1 loses two when it is taken from 1.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.index.composite import composite_index
from helpers.index.scaling import min_max_scale, scale_scores, winsorise
from helpers.index.weights import critic_weights, entropy_weights, pca_weights, variation_weights
from outside import outside

DIRECTIONS = [1, -1, 1, 1]
ROWS = [0, 6, 19]


def a_table() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    index = pd.MultiIndex.from_product([[f"u{n}" for n in range(9)], range(2001, 2005)], names=["entity", "time"])
    factor = rng.normal(size=len(index))
    return pd.DataFrame(
        {
            "a": np.exp(0.8 * factor + rng.normal(size=len(index))).round(1) * 100,
            "b": (50 - 6 * factor + 4 * rng.normal(size=len(index))).round(0),
            "c": rng.integers(0, 5, len(index)).astype(float),
            "e": np.maximum(0, rng.normal(1, 1, len(index))).round(2) * 1e-4,
        },
        index=index,
    )


def test_scores_of_three_rows_are_those_of_r() -> None:
    table = a_table()
    z_scores = scale_scores(table, DIRECTIONS, "z_score").to_numpy() * DIRECTIONS
    ours = z_scores[ROWS].ravel("F")
    printed = [
        -0.24605092098092,
        -0.65891602567773,
        -0.39618368632522,
        1.4192001085587,
        0.27820548033781,
        -0.73601196696965,
        -1.3250676630929,
        0.84322487651366,
        0.84322487651366,
        0.30560084144169,
        -1.104565753177,
        0.11913253140947,
    ]
    outside(scale_scores, "R: scale", ours, printed, rtol=1e-11)
    ours = scale_scores(table, DIRECTIONS, "rank").to_numpy()[ROWS].ravel("F")
    printed = [19.5, 3.0, 14.5, 4.5, 14.0, 29.0, 5.0, 27.5, 27.5, 25.0, 9.0, 19.0]
    outside(scale_scores, "R: rank", ours, printed, rtol=1e-11)
    drawn_in = winsorise(table, 0.05)
    ours = np.array([drawn_in.min(), drawn_in.max()]).T.ravel()
    outside(
        winsorise,
        "R: quantile(type = 7)",
        ours,
        [10.0, 432.5, 38.25, 65.25, 0.0, 4.0, 0.0, 0.00025925],
        rtol=1e-11,
        atol=1e-15,
    )


def test_weights_of_a_table_with_ties_and_zeros_are_those_of_r() -> None:
    table = a_table()
    scores = min_max_scale(table, DIRECTIONS)
    spearman = critic_weights(table, DIRECTIONS, "spearman")
    printed = [0.14487649168174, 0.17953013568223, 0.37865401415843, 0.2969393584776]
    outside(critic_weights, "R: sd and cor(method = 'spearman')", spearman, printed, rtol=1e-11)
    printed = [0.16232641907089, 0.19304677143046, 0.34563242027088, 0.29899438922777]
    outside(critic_weights, "R: sd and cor", critic_weights(scores), printed, rtol=1e-11)
    printed = [0.41882449710232, 0.11986845100626, 0.22013214962341, 0.24117490226802]
    outside(variation_weights, "R: sd and mean", variation_weights(scores), printed, rtol=1e-11)
    printed = [0.40573408190162, 0.068232916507836, 0.25513425663981, 0.27089874495073]
    outside(entropy_weights, "R: sums of p log p", entropy_weights(scores), printed, rtol=1e-11)
    printed = [0.38676129410354, 0.072866497767924, 0.26409248511809, 0.27627972301044]
    outside(entropy_weights, "R: sums of p log p", entropy_weights(scores, 0.01), printed, rtol=1e-11)


def test_the_first_component_is_that_of_prcomp() -> None:
    # Its sign is free; here the loadings sum to more than 0. On columns of standard deviation one the index is its score.
    table = a_table()
    standard = (table - table.mean()) / table.std()
    printed = -np.array([-0.53015061583461, 0.60991895714923, -0.57770607596933, 0.11486896895286])
    weights = pca_weights(standard)
    outside(pca_weights, "R: prcomp(scale. = TRUE)", weights, printed / np.abs(printed).sum(), rtol=1e-11)
    ours = (standard @ weights).to_numpy()[ROWS] * np.abs(printed).sum()
    scores = -np.array([1.7966447910897, -0.095008930541327, -0.71232212957322])
    outside(pca_weights, "R: prcomp(scale. = TRUE)", ours, scores, rtol=1e-11)


@pytest.mark.parametrize(
    ("time", "printed"),
    [
        (2001, [0.11687349335877, 0.14804681616845, 0.5117651088099, 0.22331458166287]),
        (2002, [0.48067361179066, 0.062011842875313, 0.21460511530223, 0.24270943003179]),
        (2003, [0.3778595682206, 0.00883409280557, 0.045983915984168, 0.56732242298966]),
        (2004, [0.26488305992771, 0.049967731023118, 0.51060115815179, 0.17454805089738]),
    ],
)
def test_weights_of_each_time_are_those_of_its_rows(time: int, printed: list[float]) -> None:
    names = a_table().columns
    spec = {"indicators": {name: {"direction": sign} for name, sign in zip(names, DIRECTIONS, strict=True)}}
    found = composite_index(a_table(), spec, weights="entropy_yearly")
    outside(composite_index, "R: sums of p log p, one time", found.weights_by_time.loc[time], printed, rtol=1e-11)
