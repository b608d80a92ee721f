"""An index derived anew for many samples of entities, from sums that are made once for each entity.

With pooled min-max scores the entropy of an indicator depends on the scale through its lower end `low` alone, because
the width cancels in the shares p = (x - low) / sum (x - low). And `low` is the smallest figure of one of the entities.
So for each indicator and each entity c that may hold it, the sums

    S_cg = sum over the rows of g of (x - low_c),    Q_cg = sum of (x - low_c) ln(x - low_c)

give every sample, in which entity g counts n_g times: entropy = (ln sum n S - sum n Q / sum n S) / ln(rows drawn).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.checks import CONSTANT_TOLERANCE
from helpers.index.composite import composite_index
from helpers.regression.effects import Codes, Floats
from helpers.study.index import Method, read_field

# Numbers held at once in the largest intermediate array.
CHUNK = 4_000_000


@dataclass(frozen=True)
class RederivedIndex:
    """An index in B samples of entities; n rows of the panel.

    Attributes
    ----------
    values
        (B, n): the index of every row by the sample's end points and weights; rows of entities that are not in the
        sample are by the same formula, or 0 where it had to be built row by row.
    weights
        (B, k).
    reasons
        Texts (B,): why a sample has no index, empty where it has; its values are then 0.
    """

    values: Floats
    weights: Floats
    reasons: np.ndarray


def rederive_index(panel: pd.DataFrame, spec: Any, counts: Any) -> RederivedIndex:
    """Build an index for each of B samples of entities.

    The same values as `composite_index` on the rows of a sample, an entity that counts c times being there c times.

    Parameters
    ----------
    panel, spec
        As in `helpers.index.composite.composite_index`.
    counts
        (B, G): how often each sample takes each entity, in sorted order; whole numbers.

    Raises
    ------
    StudyError
        What `composite_index` says about the whole panel; counts of another shape or not whole.
    """
    panel = panel.sort_index()
    entity = np.unique(panel.index.get_level_values(0), return_inverse=True)[1].ravel()
    numbers = np.atleast_2d(np.asarray(counts, dtype=float))
    if numbers.shape[1] != entity.max() + 1 or (numbers < 0).any() or (numbers % 1 != 0).any():
        raise StudyError("samples of entities", "the counts do not fit", "give a whole number for each entity")
    whole = composite_index(panel, spec)
    if not _is_plain(spec, whole.method):
        return _rebuild_each(panel, spec, numbers, entity)
    signed = (panel[list(whole.directions.index)] * whole.directions).to_numpy(dtype=float)
    sums = _EntitySums.of(signed, entity)
    step = max(1, CHUNK // sums.least.size)
    parts = [
        _derive(signed, sums, numbers[start : start + step], whole.method, whole.directions.index)
        for start in range(0, len(numbers), step)
    ]
    return RederivedIndex(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def rederive_columns(
    panel: pd.DataFrame, names: tuple[str, ...], indices: Mapping[str, Any], counts: Floats
) -> tuple[dict[str, Floats], np.ndarray]:
    """Columns in each sample: indices anew, (B, n), other columns as they are, (1, n); and the reasons (B,).

    Parameters
    ----------
    names
        Columns to give.
    indices
        Name -> spec of those that are indices.
    """
    columns: dict[str, Floats] = {}
    reasons = np.full(len(counts), "", dtype=object)
    for name in names:
        if name not in indices:
            columns[name] = panel[name].to_numpy(dtype=float)[None]
            continue
        drawn = rederive_index(panel, indices[name], counts)
        columns[name] = drawn.values
        reasons = np.where(reasons == "", drawn.reasons, reasons)
    return columns, reasons


def _is_plain(spec: Any, method: Method) -> bool:
    """Whether the sums serve: pooled min-max scores, entropy without shift or equal weights, arithmetic, one level."""
    plain = Method(weights=method.weights)
    transformed = any(read_field(item, "transform") for item in read_field(spec, "indicators").values())
    return method == plain and method.weights in ("entropy", "equal") and not transformed


@dataclass(frozen=True)
class _EntitySums:
    """Sums of the module's text; k indicators, G entities.

    least, most (k, G): smallest and largest figure of each entity; order (k, G): entities by their smallest figure;
    sums, logs (k, G, G): S and Q, candidate by entity; rows (G,).
    """

    least: Floats
    most: Floats
    order: Codes
    sums: Floats
    logs: Floats
    rows: Floats

    @classmethod
    def of(cls, signed: Floats, entity: Codes) -> "_EntitySums":
        starts = np.searchsorted(entity, np.arange(int(entity.max()) + 1))
        least, most = (reduce.reduceat(signed, starts, axis=0).T for reduce in (np.minimum, np.maximum))
        # In units of the whole range, so that figures of any size keep their digits.
        width = (signed.max(axis=0) - signed.min(axis=0))[:, None, None]
        above = np.maximum((signed.T[:, None, :] - least[:, :, None]) / width, 0.0)
        logs = above * np.log(np.where(above > 0, above, 1.0))
        sums, log_sums = (np.add.reduceat(cube, starts, axis=2) for cube in (above, logs))
        return cls(least, most, np.argsort(least, axis=1), sums, log_sums, np.bincount(entity).astype(float))


def _derive(
    signed: Floats, sums: _EntitySums, counts: Floats, method: Method, names: pd.Index
) -> tuple[Floats, Floats, np.ndarray]:
    """Values, weights and reasons of some samples."""
    drawn = counts > 0
    holder = _first_drawn(drawn, sums.order)
    low = np.take_along_axis(sums.least, holder.T, axis=1).T
    high = np.stack([np.where(drawn, most, -np.inf).max(axis=1) for most in sums.most], axis=1)
    flat = high - low <= CONSTANT_TOLERANCE * np.maximum(np.abs(low), np.abs(high))
    few = drawn.sum(axis=1) < 2
    bad = flat.any(axis=1) | few
    if method.weights == "equal":
        weights = np.full(low.shape, 1 / low.shape[1])
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            total, logs = (_pick(table, counts, holder) for table in (sums.sums, sums.logs))
            information = 1 - (np.log(total) - logs / total) / np.log(counts @ sums.rows)[:, None]
            weights = information / information.sum(axis=1, keepdims=True)
    width = np.where(flat, 1.0, high - low)
    slopes = np.where(bad[:, None], 0.0, weights / width)
    values = slopes @ signed.T - np.where(bad[:, None], 0.0, slopes * low).sum(axis=1, keepdims=True)
    return values, weights, _reasons(flat, few, names)


def _first_drawn(drawn: np.ndarray, order: Codes) -> Codes:
    """The drawn entity that holds the smallest figure of each indicator, (B, k)."""
    return np.stack([by_size[drawn[:, by_size].argmax(axis=1)] for by_size in order], axis=1)


def _pick(table: Floats, counts: Floats, holder: Codes) -> Floats:
    """Weighted sums over the entities for the candidate that holds the smallest figure, (B, k)."""
    columns = [
        np.take_along_axis(counts @ by_candidate.T, column[:, None], axis=1)[:, 0]
        for by_candidate, column in zip(table, holder.T, strict=True)
    ]
    return np.stack(columns, axis=1)


def _reasons(flat: np.ndarray, few: np.ndarray, names: pd.Index) -> np.ndarray:
    reasons = np.full(len(flat), "", dtype=object)
    for row in np.flatnonzero(flat.any(axis=1)):
        reasons[row] = f"indicator {names[int(flat[row].argmax())]}: it is constant over the entities of the sample"
    reasons[few] = "the sample has one entity only"
    return reasons


def _rebuild_each(panel: pd.DataFrame, spec: Any, counts: Floats, entity: Codes) -> RederivedIndex:
    """Any other method: one whole index for each sample."""
    names = list(read_field(spec, "indicators"))
    values, weights = np.zeros((len(counts), len(panel))), np.full((len(counts), len(names)), np.nan)
    reasons = np.full(len(counts), "", dtype=object)
    for row, count in enumerate(counts):
        copies = np.repeat(np.arange(len(entity)), count[entity].astype(int))
        number = np.concatenate([np.arange(size) for size in count[entity].astype(int)]) if len(copies) else copies
        times = panel.index.get_level_values(1)[copies].to_numpy()
        keys = [entity[copies] * (int(count.max()) + 1) + number, times]
        sample = panel.iloc[copies].set_axis(pd.MultiIndex.from_arrays(keys, names=panel.index.names))
        try:
            built = composite_index(sample.sort_index(), spec)
        except StudyError as error:
            reasons[row] = f"{error.where}: {error.rule}"
            continue
        values[row, copies] = built.values.reindex(sample.index).to_numpy()
        weights[row] = built.weights.to_numpy()
    return RederivedIndex(values, weights, reasons)
