"""Whether neighbours are alike: Moran's I over a contiguity matrix from a file of the study's folder.

The statistics are those of esda, which the tests hold them against. They are written out here because esda's
permutations draw from NumPy's global generator, which a study's seed does not govern, and because its import loads a
geographic stack that takes longer than the analysis.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.errors import StudyError

# Numbers in a block of permutations.
CHUNK = 4_000_000


@dataclass(frozen=True)
class MoranTest:
    """Global Moran's I.

    Attributes
    ----------
    estimate
        I; above `expected` where neighbours are alike.
    expected
        -1 / (n - 1), its mean without spatial pattern.
    p_value
        Two-sided: share of permutations at least as far from `expected`, the observed one counted in.
    """

    estimate: float
    expected: float
    p_value: float


def read_contiguity(path: Path, entities: Sequence[Any], known: Collection[Any] = ()) -> pd.DataFrame:
    """Read who borders on whom.

    Parameters
    ----------
    path
        CSV whose first two columns name a pair of neighbours; each pair stands once, further columns are remarks.
    entities
        The entities wanted, in their order.
    known
        Further entities of the study, which a sample leaves out: pairs with them are passed over.

    Returns
    -------
    pandas.DataFrame
        Entities x entities, symmetric, 1 for neighbours, 0 elsewhere and on the diagonal.

    Raises
    ------
    StudyError
        A missing file, an unknown entity, an entity beside itself, a pair that stands twice, or an entity without
        neighbour.
    """
    if not path.is_file():
        raise StudyError(str(path), "the file is not there", "write the pairs of neighbours or leave the analysis out")
    pairs = pd.read_csv(path, dtype=str, encoding="utf-8").iloc[:, :2]
    names = list(dict.fromkeys([*entities, *known]))
    table = pd.DataFrame(0.0, index=names, columns=names)
    for row, (one, other) in enumerate(pairs.itertuples(index=False), start=2):
        for name in (one, other):
            if name not in table.index:
                raise StudyError(f"{path.name}, line {row}, {name}", "there is no such entity", "correct the name")
        if one == other or table.loc[one, other]:
            raise StudyError(
                f"{path.name}, line {row}, {one} and {other}",
                "a pair joins two entities and stands once",
                "remove the line",
            )
        table.loc[one, other] = table.loc[other, one] = 1.0
    table = table.loc[list(entities), list(entities)]
    alone = table.index[table.sum(axis=1) == 0]
    if len(alone):
        raise StudyError(
            f"{path.name}, {', '.join(map(str, alone))}",
            "it has no neighbour",
            "join it to its nearest entity by convention and say so in the file",
        )
    return table


def moran_test(
    values: "pd.Series[float]", contiguity: pd.DataFrame, rng: np.random.Generator, permutations: int = 9999
) -> MoranTest:
    """Global Moran's I with row-standardised weights.

    I = sum_i z_i sum_j w_ij z_j / sum_i z_i^2, z the deviations from the mean, each row of w summing to 1.

    Parameters
    ----------
    values
        One figure per entity.
    contiguity
        As `read_contiguity` returns it.
    rng
        Source of the permutations.
    permutations
        Their number.

    Raises
    ------
    StudyError
        An entity without a figure, or figures that are all alike.

    Source: Moran (1950), Biometrika 37; Cliff and Ord (1981), Spatial Processes.
    """
    weights, deviations = _prepare(values, contiguity)
    estimate = float(_moran(deviations[None, :], weights)[0])
    expected = -1 / (len(deviations) - 1)
    far = sum(
        int((np.abs(_moran(block, weights) - expected) >= abs(estimate - expected) - 1e-12).sum())
        for block in _shuffle(deviations, permutations, rng)
    )
    return MoranTest(estimate, expected, (far + 1) / (permutations + 1))


def local_moran(
    values: "pd.Series[float]", contiguity: pd.DataFrame, rng: np.random.Generator, permutations: int = 9999
) -> pd.DataFrame:
    """Local Moran's I of each entity.

    I_i = (n - 1) z_i sum_j w_ij z_j / sum_i z_i^2, as esda scales it. p is two-sided by conditional permutation: entity
    i keeps its figure and the others are shuffled.

    Parameters and errors are those of `moran_test`.

    Returns
    -------
    pandas.DataFrame
        Per entity: estimate, p_value, and quadrant: "high-high", "low-low", "low-high" (low among high), "high-low".

    Source: Anselin (1995), Geographical Analysis 27(2).
    """
    weights, deviations = _prepare(values, contiguity)
    n = len(deviations)
    lag = weights @ deviations
    scale = (n - 1) / (deviations @ deviations)
    p_values = np.empty(n)
    for entity in range(n):
        others = np.delete(deviations, entity)
        own = np.delete(weights[entity], entity)
        draws = np.concatenate([block @ own for block in _shuffle(others, permutations, rng)])
        far = np.abs(draws - draws.mean()) >= abs(lag[entity] - draws.mean()) - 1e-12
        p_values[entity] = (far.sum() + 1) / (permutations + 1)
    quadrant = [
        f"{'high' if own > 0 else 'low'}-{'high' if near > 0 else 'low'}"
        for own, near in zip(deviations, lag, strict=True)
    ]
    return pd.DataFrame(
        {"estimate": scale * deviations * lag, "p_value": p_values, "quadrant": quadrant}, index=contiguity.index
    )


def moran_by_time(
    values: "pd.Series[float]", contiguity: pd.DataFrame, rng: np.random.Generator, permutations: int = 9999
) -> pd.DataFrame:
    """`moran_test` at each time, T rows: estimate, expected, p_value."""
    rows = {}
    for time, block in values.groupby(level=1):
        found = moran_test(block.droplevel(1), contiguity, rng, permutations)
        rows[time] = {"estimate": found.estimate, "expected": found.expected, "p_value": found.p_value}
    table = pd.DataFrame(rows).T
    table.index.name = values.index.names[1]
    return table


def _shuffle(figures: Floats, permutations: int, rng: np.random.Generator) -> Iterator[Floats]:
    """The figures in other orders, (B, n) some at a time."""
    step = max(1, CHUNK // len(figures))
    for start in range(0, permutations, step):
        yield rng.permuted(np.tile(figures, (min(step, permutations - start), 1)), axis=1)


def _moran(deviations: Floats, weights: Floats) -> Floats:
    """I of each row of `deviations`."""
    return np.asarray(((deviations @ weights.T) * deviations).sum(axis=1) / (deviations**2).sum(axis=1))


def _prepare(values: "pd.Series[float]", contiguity: pd.DataFrame) -> tuple[Floats, Floats]:
    """Row-standardised weights, and deviations from the mean in their order."""
    for entity in contiguity.index:
        if entity not in values.index or not np.isfinite(values[entity]):
            raise StudyError(f"entity {entity}", "it has no figure", "leave out the time or fill the gap first")
    figures = values.loc[contiguity.index].to_numpy(dtype=float)
    deviations = figures - figures.mean()
    if not deviations @ deviations > 1e-24 * max(1.0, float(figures @ figures)):
        raise StudyError("the column", "all entities have the same figure", "choose another column")
    matrix = contiguity.to_numpy(dtype=float)
    return matrix / matrix.sum(axis=1, keepdims=True), deviations
