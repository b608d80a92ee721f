"""An index derived anew in samples of entities: scales and weights come from the sample, every row gets its value.

Every method is served. For pooled min-max scores with entropy (0 ln 0 = 0) or equal weights, the arithmetic mean and
one level there is a short way, exact and many times as fast. With such scores the entropy of an indicator depends on
the scale through its lower end `low` alone, because the width cancels in the shares p = (x - low) / sum (x - low); and
`low` is the smallest figure of one of the entities, in most samples one of a few. So for each indicator and each
entity c that holds the lower end of some sample, the sums

    S_cg = sum over the rows of g of (x - low_c),    Q_cg = sum of (x - low_c) ln(x - low_c)

give every sample in which entity g counts n_g times: entropy = (ln sum n S - sum n Q / sum n S) / ln(rows drawn).
Any other method is derived sample by sample (see `helpers.index.recipe`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Codes, Floats
from helpers.errors import StudyError
from helpers.index.checks import CONSTANT_TOLERANCE
from helpers.index.composite import composite_index
from helpers.index.recipe import Recipe, read_recipe
from helpers.study.index import Method, read_field


@dataclass(frozen=True)
class Redrawn:
    """An index in B samples of entities, in the rows that were asked for.

    Attributes
    ----------
    values
        (B, m): each row by the sample's scales and weights, whether its entity is in the sample or not; NaN where the
        method gives a row outside the sample no value, and where the sample has no index.
    weights
        (B, k); NaN where the sample has no index.
    reasons
        Texts (B,): why a sample has no index, empty where it has.
    """

    values: Floats
    weights: Floats
    reasons: np.ndarray


class IndexRedraw:
    """An index, ready to be derived anew in any sample of the entities.

    Parameters
    ----------
    panel, spec
        As in `helpers.index.composite.composite_index`.

    Attributes
    ----------
    rows
        The panel's rows, sorted, in whose order values are given.
    names
        The indicators.
    is_short
        Whether the short way serves.

    Raises
    ------
    StudyError
        What `composite_index` says about the whole panel.
    """

    def __init__(self, panel: pd.DataFrame, spec: Any) -> None:
        panel = panel.sort_index()
        whole = composite_index(panel, spec)
        self.rows = panel.index
        self.names = tuple(str(name) for name in whole.directions.index)
        self.is_short = _is_short(spec, whole.method)
        self._entity = np.unique(panel.index.get_level_values(0), return_inverse=True)[1].ravel()
        self._recipe: Recipe | None = None if self.is_short else read_recipe(panel, spec, whole.method)
        signed = (panel[list(whole.directions.index)] * whole.directions).to_numpy(dtype=float)
        self._sums = _EntitySums(signed, self._entity, whole.method.weights) if self.is_short else None

    @property
    def n_entities(self) -> int:
        """Number of entities."""
        return int(self._entity.max()) + 1

    def draw(self, counts: Any, rows: slice | Codes = slice(None)) -> Redrawn:
        """Derive the index in B samples.

        Parameters
        ----------
        counts
            (B, G): how often each sample takes each entity, in sorted order; whole numbers. An entity that counts c
            times is there c times.
        rows
            Positions of the rows whose values are wanted.

        Raises
        ------
        StudyError
            Counts of another shape, or not whole.
        """
        numbers = np.atleast_2d(np.asarray(counts, dtype=float))
        if numbers.shape[1] != self.n_entities or (numbers < 0).any() or (numbers % 1 != 0).any():
            raise StudyError("samples of entities", "the counts do not fit", "give a whole number for each entity")
        if self._sums is not None:
            return self._sums.draw(numbers, rows, self.names)
        parts = [self._draw_one(count, rows) for count in numbers]
        values, weights, reasons = zip(*parts, strict=True)
        return Redrawn(np.array(values), np.array(weights), np.array(reasons, dtype=object))

    def _draw_one(self, count: Floats, rows: slice | Codes) -> tuple[Floats, Floats, str]:
        assert self._recipe is not None
        copies = np.repeat(np.arange(len(self._entity)), count[self._entity].astype(int))
        reason = FEW if (count > 0).sum() < 2 else ""
        if not reason:
            try:
                values, weights = self._recipe.derive(copies)
                return values[rows], weights, ""
            except StudyError as error:
                reason = f"{error.where}: {error.rule}"
        empty = np.full(len(self._entity), np.nan)
        return empty[rows], np.full(len(self.names), np.nan), reason


FEW = "the sample has one entity only"


def redraw_columns(
    panel: pd.DataFrame, names: Sequence[str], redraws: Mapping[str, IndexRedraw], counts: Floats
) -> tuple[dict[str, Floats], np.ndarray]:
    """Columns in each sample: indices anew, (B, n), other columns as they are, (1, n); and the reasons (B,).

    Parameters
    ----------
    panel
        The sorted panel.
    names
        Columns to give.
    redraws
        Name -> redraw of those that are indices.
    counts
        As in `IndexRedraw.draw`.
    """
    columns: dict[str, Floats] = {}
    reasons = np.full(len(counts), "", dtype=object)
    for name in names:
        if name not in redraws:
            columns[name] = panel[name].to_numpy(dtype=float)[None]
            continue
        drawn = redraws[name].draw(counts)
        columns[name] = drawn.values
        reasons = np.where(reasons == "", drawn.reasons, reasons)
    return columns, reasons


def _is_short(spec: Any, method: Method) -> bool:
    """Whether the short way serves: pooled min-max scores, entropy without shift or equal weights, and so on."""
    plain = Method(weights=method.weights)
    transformed = any(read_field(item, "transform") for item in read_field(spec, "indicators").values())
    return method == plain and method.weights in ("entropy", "equal") and not transformed


class _EntitySums:
    """Sums of the module's text, made for an entity when a sample first needs them; k indicators, G entities.

    least, most (k, G): smallest and largest figure of each entity; order (k, G): entities by their smallest figure;
    rows (G,).
    """

    def __init__(self, signed: Floats, entity: Codes, weights: str) -> None:
        self.signed = signed
        self.weights = weights
        self.starts = np.searchsorted(entity, np.arange(int(entity.max()) + 1))
        self.least, self.most = (reduce.reduceat(signed, self.starts, axis=0).T for reduce in (np.minimum, np.maximum))
        self.order = np.argsort(self.least, axis=1, kind="stable")
        self.rows = np.bincount(entity).astype(float)
        # In units of the whole range, so that figures of any size keep their digits.
        self.width = signed.max(axis=0) - signed.min(axis=0)
        self._made: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    def draw(self, counts: Floats, rows: slice | Codes, names: tuple[str, ...]) -> Redrawn:
        """Values, weights and reasons of some samples."""
        drawn = counts > 0
        holder = np.stack([by_size[drawn[:, by_size].argmax(axis=1)] for by_size in self.order], axis=1)
        low = np.take_along_axis(self.least, holder.T, axis=1).T
        high = np.stack([np.where(drawn, most, -np.inf).max(axis=1) for most in self.most], axis=1)
        flat = high - low <= CONSTANT_TOLERANCE * np.maximum(np.abs(low), np.abs(high))
        few = drawn.sum(axis=1) < 2
        bad = (flat.any(axis=1) | few)[:, None]
        weights = np.full(low.shape, 1 / low.shape[1]) if self.weights == "equal" else self._weigh(counts, holder)
        slopes = np.where(bad, np.nan, weights / np.where(flat, 1.0, high - low))
        values = slopes @ self.signed[rows].T - (slopes * low).sum(axis=1, keepdims=True)
        return Redrawn(values, np.where(bad, np.nan, weights), _reasons(flat, few, names))

    def _weigh(self, counts: Floats, holder: Codes) -> Floats:
        """Entropy weights (B, k)."""
        total, logs = np.empty(holder.shape), np.empty(holder.shape)
        for column, entities in enumerate(holder.T):
            for entity in np.unique(entities):
                samples = np.flatnonzero(entities == entity)
                sums, log_sums = self._sums_of(column, int(entity))
                total[samples, column] = counts[samples] @ sums
                logs[samples, column] = counts[samples] @ log_sums
        with np.errstate(divide="ignore", invalid="ignore"):
            information = 1 - (np.log(total) - logs / total) / np.log(counts @ self.rows)[:, None]
            return np.asarray(information / information.sum(axis=1, keepdims=True))

    def _sums_of(self, column: int, entity: int) -> tuple[Floats, Floats]:
        """S and Q of one indicator for the lower end that one entity holds, each by entity (G,)."""
        if (column, entity) not in self._made:
            low = self.least[column, entity]
            above = np.maximum((self.signed[:, column] - low) / self.width[column], 0.0)
            logs = above * np.log(np.where(above > 0, above, 1.0))
            self._made[column, entity] = (np.add.reduceat(above, self.starts), np.add.reduceat(logs, self.starts))
        return self._made[column, entity]


def _reasons(flat: np.ndarray, few: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    reasons = np.full(len(flat), "", dtype=object)
    for row in np.flatnonzero(flat.any(axis=1)):
        reasons[row] = f"indicator {names[int(flat[row].argmax())]}: it is constant over the entities of the sample"
    reasons[few] = FEW
    return reasons
