"""How the scores of all clusters change with the sign of each, as one matrix or, of many clusters, three narrow ones.

With many clusters, and entity effects that lie inside them, C = diag(d) - A B' with A and B as wide as the other
effects and regressors together, so that thousands of clusters need no G x G matrix.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from helpers.inference.contrast import (
    annihilate,
)
from helpers.regression.collinearity import span
from helpers.regression.effects import Codes, Floats, group_means, group_sums
from helpers.regression.panel import PanelFit

# Numbers held at once where the scores of many clusters are changed one by one.
HELD = 4_000_000
# From so many clusters the G x G matrix is kept as a diagonal and a product of two narrow matrices.
MANY_CLUSTERS = 200


class Changes(Protocol):
    """A G x G matrix that draws (B, G) are multiplied by."""

    def of(self, draws: Floats) -> Floats:
        """The product, (B, G)."""

    def plus(self, other: Any, times: float) -> "Changes":
        """The sum of this matrix and `times` another of the same regression."""


@dataclass(frozen=True)
class Dense:
    """The matrix itself."""

    matrix: Floats

    def of(self, draws: Floats) -> Floats:
        """The product, (B, G)."""
        return np.asarray(draws @ self.matrix.T)

    def plus(self, other: "Dense", times: float) -> "Dense":
        """The sum of this matrix and `times` another."""
        return Dense(self.matrix + times * other.matrix)


@dataclass(frozen=True)
class Narrow:
    """The matrix diag(diagonal) - left right', of which the narrow parts (G, m) are kept; left is the regression's."""

    diagonal: Floats
    left: Floats
    right: Floats

    def of(self, draws: Floats) -> Floats:
        """The product, (B, G), without the matrix."""
        return np.asarray(draws * self.diagonal - (draws @ self.right) @ self.left.T)

    def plus(self, other: "Narrow", times: float) -> "Narrow":
        """The sum of this matrix and `times` another of the same regression."""
        return Narrow(self.diagonal + times * other.diagonal, self.left, self.right + times * other.right)


def find_changes(fit: PanelFit, codes: Codes, w: Floats, residuals: Floats) -> Changes:
    """How the sums of w times the residuals change, cluster by cluster, with the sign of each cluster's residuals.

    Parameters
    ----------
    fit
        The regression that the signed residuals are taken through.
    codes
        Cluster of each row.
    w, residuals
        One number for each row.
    """
    narrow = int(codes.max()) + 1 > MANY_CLUSTERS and _holds_entities(fit, codes)
    return (_narrow_changes if narrow else _dense_changes)(fit, codes, w, residuals)


def _holds_entities(fit: PanelFit, codes: Codes) -> bool:
    """Whether no entity effect reaches over two clusters; not asked where rows have weights."""
    effects = fit.design.effects
    if effects.root is not None:
        return False
    if not effects.entity_effects:
        return True
    first = np.zeros(effects.n_entities, dtype=codes.dtype)
    first[effects.entity] = codes
    return bool((first[effects.entity] == codes).all())


def _narrow_changes(fit: PanelFit, codes: Codes, w: Floats, residuals: Floats) -> Changes:
    """How the scores of all clusters change with the sign of each, as a diagonal and two narrow matrices."""
    effects = fit.design.effects
    columns = [fit.design.x]
    if effects.time_effects:
        columns.insert(0, np.eye(effects.n_times)[effects.time])
    parts = np.column_stack([*columns, residuals])
    if effects.entity_effects:
        parts = parts - group_means(parts, effects.entity)[effects.entity]
    basis, own = span(parts[:, :-1]).q, parts[:, -1:]
    left, right = group_sums(w[:, None] * basis, codes), group_sums(basis * own, codes)
    return Narrow(group_sums(w[:, None] * own, codes)[:, 0], left, right)


def _dense_changes(fit: PanelFit, codes: Codes, w: Floats, residuals: Floats) -> Changes:
    """The same as one matrix (G, G), a few clusters at a time."""
    n_clusters = int(codes.max()) + 1
    changes = np.empty((n_clusters, n_clusters))
    step = max(1, HELD // len(codes))
    for start in range(0, n_clusters, step):
        chosen = np.arange(start, min(start + step, n_clusters))
        drawn = np.where(codes[:, None] == chosen, residuals[:, None], 0.0)
        changes[:, chosen] = group_sums(w[:, None] * annihilate(fit.design, drawn), codes)
    return Dense(changes)
