"""Whether several coefficients are equal, and whether they fall in a stated order.

Equality of m coefficients is m - 1 restrictions R b = 0. W = (R b)' (R V R')^-1 (R b), F = W / (m - 1) against
F(m - 1, G - 1), and, since that rejects too often with few clusters, the wild bootstrap of W: residuals of the model in
which the coefficients are one, one Rademacher sign for each cluster, estimates and sandwich taken anew.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.inference.contrast import build_contrast, only_cluster
from helpers.inference.detectable import detectable_gap
from helpers.inference.multiplicity import TIE
from helpers.inference.wild.bootstrap import CACHED, wild_cluster_bootstrap
from helpers.inference.wild.changes import find_changes
from helpers.inference.wild.signs import draw_weights, enumerate_signs
from helpers.regression.conventions import find_convention
from helpers.regression.effects import Floats, group_sums
from helpers.regression.panel import PanelFit

ENUMERATED = 12
"""Clusters up to which all sign vectors are enumerated."""


@dataclass(frozen=True)
class Equality:
    """A joint test that coefficients are equal.

    Attributes
    ----------
    statistic, df, df_rest
        F and its degrees of freedom.
    p_value
        By F.
    wild_p_value
        By the wild bootstrap of the Wald statistic.
    draws
        Random draws of it; None where every sign vector was enumerated.
    n_obs, n_entities
        Rows and entities.
    widest
        The largest standard error of a difference between two of the coefficients.
    """

    statistic: float
    df: int
    df_rest: int
    p_value: float
    wild_p_value: float
    draws: int | None
    n_obs: int
    n_entities: int
    widest: float

    def detectable(self, level: float) -> float:
        """How far apart two of the coefficients must lie for the F test to see it in four of five samples."""
        return detectable_gap(self.widest, self.df, self.df_rest, level=level)


@dataclass(frozen=True)
class Ordering:
    """An intersection-union test that coefficients fall from the first to the last.

    Attributes
    ----------
    holds
        Whether the estimates fall in that order.
    smallest
        The smallest difference of neighbours.
    p_value, wild_p_value
        The largest of the one-sided p-values of the neighbours' differences, by the t test and by the wild bootstrap:
        the order is shown when this is small, with no adjustment (Berger 1982).
    """

    holds: bool
    smallest: float
    p_value: float
    wild_p_value: float


def compare_equal(
    fit: PanelFit, equal: PanelFit, terms: Sequence[str], *, draws: int, rng: np.random.Generator
) -> Equality:
    """Test that several coefficients of a fit are equal.

    Parameters
    ----------
    fit
        The fit in which they are free.
    equal
        The fit on the same rows in which they are one.
    terms
        Two or more regressors of `fit`.
    draws, rng
        Draws of the wild bootstrap and their source; up to 12 clusters all sign vectors are enumerated.

    Raises
    ------
    StudyError
        Fewer than two terms, no or two cluster variables.
    """
    if len(terms) < 2 or draws < 1:
        raise StudyError("joint test", f"{len(terms)} terms, {draws} draws", "give two terms or more, and draws")
    codes = only_cluster(fit, "joint test")
    size = int(codes.max()) + 1
    contrasts = [build_contrast(fit, {one: 1.0, two: -1.0}) for one, two in itertools.pairwise(terms)]
    # Each difference in units of its own size, so that no unit of a column decides a rank.
    lengths = np.array([np.linalg.norm(contrast.weights) for contrast in contrasts])
    weights = np.array([contrast.weights for contrast in contrasts]) / lengths[:, None]
    values = np.array([contrast.estimate for contrast in contrasts]) / lengths
    root = np.sqrt(find_convention("stata").factor(fit.sizes, size))
    scores = group_sums((weights * fit.residuals.loc[fit.design.index].to_numpy()).T, codes)
    observed = float(_wald(values[None], scores.T[None] * root)[0])
    null = equal.residuals.loc[fit.design.index].to_numpy()
    moves = group_sums((weights * null).T, codes).T
    changes = [find_changes(fit, codes, row, null) for row in weights]
    enumerated = size <= ENUMERATED
    blocks = enumerate_signs(size) if enumerated else draw_weights("rademacher", draws, size, rng)
    step = max(1, CACHED // (size * len(changes)))
    wald = np.concatenate(
        [
            _wald(some @ moves.T, np.stack([row.of(some) for row in changes], axis=1) * root)
            for signs in blocks
            for some in (signs[start : start + step] for start in range(0, len(signs), step))
        ]
    )
    own = 0 if enumerated else 1
    return Equality(
        statistic=observed / len(changes),
        df=len(changes),
        df_rest=size - 1,
        p_value=float(stats.f.sf(observed / len(changes), len(changes), size - 1)),
        wild_p_value=float((own + np.sum(wald >= observed * (1 - TIE))) / (own + len(wald))),
        draws=None if enumerated else draws + 1,
        n_obs=fit.n_obs,
        n_entities=fit.n_entities,
        widest=_widest(scores * lengths * root),
    )


def check_order(fit: PanelFit, terms: Sequence[str], *, draws: int, rng: np.random.Generator) -> Ordering:
    """Test that coefficients fall from the first term to the last.

    Parameters
    ----------
    terms
        Two or more regressors, the largest coefficient first.
    draws, rng
        Draws of the wild bootstrap of each difference of neighbours, and their source.

    Raises
    ------
    StudyError
        Fewer than two terms, or as `wild_cluster_bootstrap`.
    """
    if len(terms) < 2:
        raise StudyError("order of coefficients", "there is one coefficient", "give two terms or more")
    gaps, p_values, wild = [], [], []
    for one, two in itertools.pairwise(terms):
        weight = {one: 1.0, two: -1.0}
        found = wild_cluster_bootstrap(fit, weight, draws=draws, rng=rng)
        gaps.append(found.estimate)
        p_values.append(float(stats.t.sf(found.statistic, fit.df)))
        wild.append(found.p_value / 2 if found.estimate > 0 else 1 - found.p_value / 2)
    return Ordering(min(gaps) > 0, float(min(gaps)), max(p_values), float(max(wild)))


def _widest(scores: Floats) -> float:
    """Largest standard error of a difference: scores (G, m) of the differences of neighbours, any other is a sum."""
    ends = np.hstack([np.zeros((len(scores), 1)), np.cumsum(scores, axis=1)])
    pairs = itertools.combinations(range(ends.shape[1]), 2)
    return float(max(np.linalg.norm(ends[:, two] - ends[:, one]) for one, two in pairs))


def _wald(values: Floats, scores: Floats) -> Floats:
    """Wald statistics (B,) of m differences: values (B, m); scores (B, m, G), the small-sample factor in them."""
    sandwich = np.matmul(scores, scores.transpose(0, 2, 1))
    try:
        root = np.linalg.cholesky(sandwich)
    except np.linalg.LinAlgError:  # few clusters leave the sandwich of some draws without full rank
        solved = np.matmul(np.linalg.pinv(sandwich, hermitian=True), values[:, :, None])[:, :, 0]
        return np.asarray(np.sum(values * solved, axis=1))
    return np.asarray(np.sum(np.linalg.solve(root, values[:, :, None])[:, :, 0] ** 2, axis=1))
