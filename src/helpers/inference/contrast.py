"""One linear combination of coefficients, as a weighted sum of the outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.collinearity import solve, span
from helpers.regression.design import Design
from helpers.regression.effects import Codes, Effects, Floats
from helpers.regression.panel import PanelFit

Parameter = str | Mapping[str, float]

# Share of the largest singular value below which a direction counts as absent.
RANK = 1e-9
# Eigenvalues of I - H_gg, which lie between 0 and 1, below this are those of effects within the cluster.
ABSORBED = 1e-8
# Numbers in the largest matrix of rows by clusters that is made.
MOST_NUMBERS = 10_000_000
# The same where one is made for each coefficient, and up to four copies of each are held at once.
MOST_HELD = 12_500_000


@dataclass(frozen=True)
class Contrast:
    """A linear combination r'b of the coefficients of a fit.

    Attributes
    ----------
    name
        The combination in words, such as "x" or "1 x_east - 1 x_west".
    restriction
        r, shape (k,).
    estimate
        r'b.
    weights
        X (X'X)^-1 r on projected columns, shape (n_obs,): their product with the outcome is the estimate.
    """

    name: str
    restriction: Floats
    estimate: float
    weights: Floats


def build_contrast(fit: PanelFit, parameter: Parameter) -> Contrast:
    """The combination that `parameter` names: a regressor, or a weight for each of some regressors.

    Raises
    ------
    StudyError
        A regressor that is not in the fit, or weights that are all zero.
    """
    weights = {parameter: 1.0} if isinstance(parameter, str) else dict(parameter)
    for name in weights:
        if name not in fit.regressors:
            raise StudyError(f"regressor {name}", "it is not in the fit", f"use one of {list(fit.regressors)}")
    restriction = np.array([float(weights.get(name, 0.0)) for name in fit.regressors])
    if not np.any(restriction):
        raise StudyError("contrast", "all weights are zero", "give at least one regressor a weight")
    _, weights_of_all = solve(fit.design.x_within, fit.design.y_within)
    name = parameter if isinstance(parameter, str) else " ".join(f"{value:+g} {key}" for key, value in weights.items())
    return Contrast(
        name=name,
        restriction=restriction,
        estimate=float(restriction @ fit.estimates.to_numpy()),
        weights=weights_of_all @ restriction,
    )


def only_cluster(fit: PanelFit, what: str) -> Codes:
    """Codes of the one cluster variable of a fit.

    Raises
    ------
    StudyError
        The fit has no cluster variable, or two.
    """
    if len(fit.clusters) != 1:
        raise StudyError(
            f"{what}, cluster {fit.cluster}", "it needs exactly one cluster variable", "fit with one cluster variable"
        )
    return fit.clusters[0]


def check_size(fit: PanelFit, codes: Codes, method: str, coefficients: int = 1) -> None:
    """Stop where rows times clusters would take too much memory and time: among so many nothing is left to correct.

    Raises
    ------
    StudyError
        The matrices of rows by clusters, one for each coefficient, hold more than `MOST_HELD` numbers.
    """
    n_clusters, rows = int(codes.max()) + 1, fit.design.n_obs
    if rows * n_clusters * coefficients > MOST_HELD:
        many = f"{coefficients} matrices" if coefficients > 1 else "a matrix"
        rule = f"{many} of {rows:,} rows by {n_clusters:,} clusters: more than {MOST_HELD:,} numbers"
        raise StudyError(method, rule, "read the clustered t: with so many clusters it needs no correction")


def annihilate(design: Design, columns: Floats) -> Floats:
    """Residuals of columns (n_obs, m) on the effects and the regressors."""
    left = design.effects.project(columns)
    return span(design.x_within).remove(left)


def cluster_blocks(n_rows: int, n_clusters: int) -> Iterator[Codes]:
    """Clusters in their order, so many at a time that rows by clusters fit; all at once where they can."""
    step = max(1, MOST_NUMBERS // n_rows)
    for start in range(0, n_clusters, step):
        yield np.arange(start, min(start + step, n_clusters))


def spread_residuals(residual: Floats, codes: Codes, clusters: Codes) -> Floats:
    """Columns (n_obs, m) that hold the residuals of one cluster each, and zeros elsewhere."""
    return np.where(codes[:, None] == clusters, residual[:, None], 0.0)


def own_blocks(design: Design, codes: Codes, deviations: Floats | None = None) -> Iterator[tuple[Codes, Floats]]:
    """Rows of each cluster and its block (I - H)_gg of the matrix that leaves residuals; see `annihilate`.

    With standard deviations (n_obs,) of the errors, the block of the variance of the residuals.
    """
    q = span(design.x_within).q
    for group in range(int(codes.max()) + 1):
        own = np.flatnonzero(codes == group)
        unit = np.zeros((design.n_obs, len(own)))
        unit[own, np.arange(len(own))] = 1.0
        if deviations is None:
            block = design.effects.project(unit)[own] - q[own] @ q[own].T
        else:
            left = deviations[:, None] * annihilate(design, unit)
            block = left.T @ left
        yield own, (block + block.T) / 2


def power_of_block(block: Floats, power: float) -> Floats:
    """A power of a block of I - H, 0 in the directions that effects within the cluster take out whole.

    What counts as taken out is absolute: the block of a cluster of one row is nothing but rounding, and relative to
    itself no rounding is small.
    """
    values, vectors = np.linalg.eigh(block)
    real = values > ABSORBED
    return np.asarray(vectors[:, real] * values[real] ** power @ vectors[:, real].T)


def cluster_labels(fit: PanelFit, codes: Codes) -> pd.Index:
    """A name for each cluster: the entity or time when it is one, else its number."""
    effects = fit.design.effects
    index = fit.design.index
    for level, own in ((0, effects.entity), (1, effects.time)):
        if np.array_equal(own, codes):
            return index.levels[level][np.unique(index.codes[level])]
    return pd.RangeIndex(int(codes.max()) + 1)


def leave_out_weights(fit: PanelFit, contrast: Contrast, codes: Codes) -> Floats:
    """Weights (G, n_obs) whose product with the outcome is the estimate without cluster g; 0 on its own rows.

    The outcome less its effects gives the same, without the digits that its level costs.

    Raises
    ------
    StudyError
        Without some cluster the combination is not determined.
    """
    design = fit.design
    weights = np.zeros((int(codes.max()) + 1, design.n_obs))
    for group in range(len(weights)):
        kept = codes != group
        effects = Effects(
            np.unique(design.effects.entity[kept], return_inverse=True)[1].ravel(),
            np.unique(design.effects.time[kept], return_inverse=True)[1].ravel(),
            design.effects.entity_effects,
            design.effects.time_effects,
            None if design.effects.root is None else design.effects.root[kept],
        )
        x = effects.project(design.x_within[kept])
        # Scaling by the full sample's lengths keeps columns that vanish recognisable.
        length = np.linalg.norm(design.x_within, axis=0)
        u, values, vt = np.linalg.svd(x / length, full_matrices=False)
        real = values > RANK * values[0]
        target = contrast.restriction / length
        if np.linalg.norm(target - vt[real].T @ (vt[real] @ target)) > 1e-6 * np.linalg.norm(target):
            label = cluster_labels(fit, codes)[group]
            raise StudyError(
                f"{contrast.name} without cluster {label}",
                "it cannot be estimated: this cluster alone carries it",
                "use a method that does not leave clusters out",
            )
        weights[group, kept] = u[:, real] @ ((vt[real] @ target) / values[real])
    return weights
