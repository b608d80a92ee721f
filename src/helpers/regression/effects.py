"""The effects of a panel regression: which rows belong together, and how to project them out."""

from dataclasses import dataclass

import numpy as np

from helpers.arrays import Codes as Codes
from helpers.arrays import Floats as Floats


@dataclass(frozen=True)
class Effects:
    """The effects of a model: which are in it, and the group that each row belongs to.

    Attributes
    ----------
    entity, time
        Codes 0, 1, ... of shape (n_obs,).
    entity_effects, time_effects
        Whether the effects are in the model; with neither, an intercept is.
    root
        Roots of the weights of the rows (n_obs,); None where all rows count the same. Columns to be projected have been
        multiplied by them before.
    """

    entity: Codes
    time: Codes
    entity_effects: bool
    time_effects: bool
    root: Floats | None = None

    @property
    def n_entities(self) -> int:
        """Number of entities."""
        return int(self.entity.max()) + 1

    @property
    def n_times(self) -> int:
        """Number of times."""
        return int(self.time.max()) + 1

    @property
    def is_balanced(self) -> bool:
        """Whether every entity is seen at every time."""
        return len(self.entity) == self.n_entities * self.n_times

    def absorbed(self) -> list[Codes]:
        """Codes of the effects that are projected out."""
        kept = [(self.entity, self.entity_effects), (self.time, self.time_effects)]
        return [codes for codes, in_model in kept if in_model]

    def rank(self) -> int:
        """Number of free parameters in the effects, the general mean included (1 when there are no effects)."""
        levels = [int(codes.max()) + 1 for codes in self.absorbed()]
        if len(levels) < 2:
            return levels[0] if levels else 1
        # Two-way effects lose one parameter per connected block of entities and times.
        return sum(levels) - self._n_blocks()

    def _n_blocks(self) -> int:
        if self.is_balanced:
            return 1
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        size = self.n_entities + self.n_times
        links = coo_array((np.ones(len(self.entity)), (self.entity, self.time + self.n_entities)), shape=(size, size))
        return int(connected_components(links, directed=False, return_labels=False))

    def project(self, columns: Floats) -> Floats:
        """Residuals of columns (n_obs, m) on the effects of the model; on nothing when there are none."""
        groups = self.absorbed()
        if not groups:
            return columns.copy()
        if self.root is not None:
            return _project_weighted(_project_weighted(columns, groups, self.root), groups, self.root)
        if len(groups) == 1:
            return np.asarray(columns - group_means(columns, groups[0])[groups[0]])
        if self.is_balanced:
            by_entity, by_time = (group_means(columns, codes)[codes] for codes in groups)
            return np.asarray(columns - by_entity - by_time + columns.mean(axis=0))
        # Once is exact in theory; the second pass removes what rounding left.
        return _project_unbalanced(_project_unbalanced(columns, self.entity, self.time), self.entity, self.time)


def group_sums(columns: Floats, codes: Codes) -> Floats:
    """Sums of columns (n_obs, m) by group, shape (n_groups, m)."""
    size = int(codes.max()) + 1
    sums = [np.bincount(codes, column, minlength=size) for column in columns.T]
    return np.array(sums, dtype=float).T.reshape(size, -1)


def group_means(columns: Floats, codes: Codes) -> Floats:
    """Means of columns (n_obs, m) by group, shape (n_groups, m)."""
    return np.asarray(group_sums(columns, codes) / np.bincount(codes)[:, None])


def _project_weighted(columns: Floats, groups: list[Codes], root: Floats) -> Floats:
    """Residuals on the dummies times the roots of the weights: the larger set's means first, then the smaller set."""
    many, *rest = sorted(groups, key=lambda codes: -int(codes.max()))

    def centre(left: Floats) -> Floats:
        means = group_sums(root[:, None] * left, many) / np.bincount(many, root**2)[:, None]
        return np.asarray(left - root[:, None] * means[many])

    left = centre(columns)
    if rest:
        dummies = centre(root[:, None] * np.eye(int(rest[0].max()) + 1)[rest[0]])
        gram = dummies.T @ dummies
        left = left - dummies @ (np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ (dummies.T @ left))
    return np.asarray(left)


def _project_unbalanced(columns: Floats, entity: Codes, time: Codes) -> Floats:
    """Remove the means of the larger set of groups, then regress on the demeaned dummies of the smaller set."""
    many, few = (entity, time) if entity.max() >= time.max() else (time, entity)
    counts = np.zeros((int(many.max()) + 1, int(few.max()) + 1))
    np.add.at(counts, (many, few), 1.0)
    share = counts / counts.sum(axis=1, keepdims=True)
    gram = np.diag(counts.sum(axis=0)) - counts.T @ share
    demeaned = columns - group_means(columns, many)[many]
    levels = np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ group_sums(demeaned, few)
    return np.asarray(demeaned - levels[few] + (share @ levels)[many])
