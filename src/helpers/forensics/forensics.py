"""Which convention made published entropy weights or scores: every combination in use, held against what was printed.

An entropy is e = -k sum p ln p with p = x / sum x. Programs and papers differ in the scaling of x, in what is added to
it so that no logarithm of 0 is taken, in the rows that share one total, in k, and in the directions of the indicators.
The right k is 1 / ln(rows that share a total); with a smaller logarithm, as 1 / ln T beside shares over all N x T rows,
an entropy may exceed 1. Then 1 - e is negative, and because all of them are, the weights look sound and are turned
upside down: what says least weighs most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Codes, Floats
from helpers.errors import StudyError
from helpers.results.rounding import tie

SCALINGS = ("min_max", "min_max by period", "none", "share of the maximum")
POOLINGS = ("all rows", "each period, then the mean")
FACTORS = ("1 / ln(rows)", "1 / ln(entities)", "1 / ln(periods)")
SHIFTS = (0.0, 1e-6, 0.0001, 0.001, 0.01, 0.1, 1.0)
MOST_FLIPPED = 10
"""Indicators up to which every combination of directions is tried where none is declared."""


@dataclass(frozen=True)
class Forensics:
    """What fits.

    Attributes
    ----------
    table
        One row per convention, nearest first: scaling, shift, pooling, factor, directions (a sign per indicator), `gap`
        (largest distance from what was published), `fits` (whether to its printed digits), `largest_entropy`.
    alarms
        What a reader must be told, in whole sentences.
    digits
        Decimals of what was published.
    """

    table: pd.DataFrame
    alarms: tuple[str, ...]
    digits: int

    @property
    def fitting(self) -> pd.DataFrame:
        """The conventions that give the published figures to their printed digits."""
        return self.table[self.table["fits"]]


@dataclass(frozen=True)
class Convention:
    """One way to entropy weights."""

    scaling: str
    shift: float
    pooling: str
    factor: str
    signs: tuple[int, ...]


def identify_weights(
    figures: pd.DataFrame, weights: Mapping[str, float], directions: Mapping[str, int] | None = None, digits: int = 4
) -> Forensics:
    """Find the conventions that lead from figures to published weights.

    Parameters
    ----------
    figures
        n entity-times (MultiIndex: entity, time) x k indicators, 0 or more.
    weights
        Indicator -> published weight.
    directions
        Indicator -> +1 or -1; None where the publication does not say: then every combination of up to
        `MOST_FLIPPED` indicators is tried.
    digits
        Decimals of the published weights; a convention fits where none is further off than one unit of the last.

    Raises
    ------
    StudyError
        Figures that are missing, infinite or negative, or names that do not agree.
    """
    names = _check(figures, weights)
    published = np.array([weights[name] for name in names])
    rows = []
    for convention in _conventions(figures, names, directions):
        found, entropies = entropy_convention(figures, convention)
        rows.append(_row(convention, float(np.abs(found - published).max()), float(entropies.max())))
    return _judge(rows, digits)


def identify_scores(
    figures: pd.DataFrame, scores: pd.Series[float], directions: Mapping[str, int] | None = None, digits: int = 4
) -> Forensics:
    """Find the conventions that lead from figures to a published index, in its own unit, as 0 to 1 or as 0 to 100.

    Parameters
    ----------
    figures, directions
        As in `identify_weights`; the index is the weighted sum of the scaled figures.
    scores
        The published index, by the rows of `figures`.
    digits
        Decimals of the published index.

    Raises
    ------
    StudyError
        As in `identify_weights`, or rows without a score.
    """
    names = _check(figures, None)
    published = scores.reindex(figures.index).to_numpy(dtype=float)
    if not np.isfinite(published).all():
        raise StudyError("the published index", "some rows have none", "give one for each row of figures")
    hundred = 100.0 if published.max() > 1.5 else 1.0
    rows = []
    for convention in _conventions(figures, names, directions):
        weights, entropies = entropy_convention(figures, convention)
        index = hundred * (_scale(figures, convention) @ weights)
        rows.append(_row(convention, float(np.abs(index - published).max()), float(entropies.max())))
    return _judge(rows, digits)


def entropy_convention(figures: pd.DataFrame, convention: Convention) -> tuple[Floats, Floats]:
    """Weights (k,) and entropies (k,) under one convention; by period, their mean."""
    scores = _scale(figures, convention) + convention.shift
    entity, time = (figures.index.get_level_values(level) for level in (0, 1))
    counts = {"1 / ln(entities)": entity.nunique(), "1 / ln(periods)": time.nunique()}
    groups = [np.arange(len(scores))] if convention.pooling == "all rows" else list(_rows_of_times(time))
    found = []
    for rows in groups:
        block = scores[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = block / block.sum(axis=0)
            information = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1.0)), 0.0).sum(axis=0)
            entropies = information / np.log(counts.get(convention.factor, len(rows)))
            found.append(((1 - entropies) / (1 - entropies).sum(), entropies))
    weights, entropies = (np.mean(parts, axis=0) for parts in zip(*found, strict=True))
    return weights, entropies


def find_alarms(entropies: Mapping[str, float]) -> tuple[str, ...]:
    """Sentences on published entropies that cannot be: above 1, or below 0."""
    above = [name for name, value in entropies.items() if value > 1]
    below = [name for name, value in entropies.items() if value < 0]
    told = []
    if above:
        told.append(f"{ALARM} Above 1: {', '.join(above)}.")
    if below:
        told.append(f"An entropy below 0 cannot be. Below 0: {', '.join(below)}.")
    return tuple(told)


ALARM = (
    "An entropy above 1 cannot be: k is too large for the rows that share a total (as 1 / ln of the periods is for all "
    "rows), 1 - e is negative, and the weights are turned upside down."
)


def _rows_of_times(time: pd.Index) -> Iterator[Codes]:
    codes = time.factorize()[0]
    return (np.flatnonzero(codes == code) for code in range(codes.max() + 1))


def _scale(figures: pd.DataFrame, convention: Convention) -> Floats:
    matrix, signs = figures.to_numpy(dtype=float), np.array(convention.signs)
    time = figures.index.get_level_values(1)
    if convention.scaling == "none":
        return matrix
    if convention.scaling == "share of the maximum":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(signs > 0, matrix / matrix.max(axis=0), matrix.min(axis=0) / matrix))
    groups = [np.arange(len(matrix))] if convention.scaling == "min_max" else list(_rows_of_times(time))
    scores = np.empty_like(matrix)
    for rows in groups:
        low, high = matrix[rows].min(axis=0), matrix[rows].max(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores[rows] = np.where(signs > 0, matrix[rows] - low, high - matrix[rows]) / (high - low)
    return scores


def _conventions(
    figures: pd.DataFrame, names: Sequence[str], directions: Mapping[str, int] | None
) -> Iterator[Convention]:
    """Every combination that is a convention of its own on these figures."""
    times = figures.index.get_level_values(1).nunique()
    poolings = POOLINGS if times > 1 else POOLINGS[:1]
    scalings = SCALINGS if times > 1 else [scaling for scaling in SCALINGS if "period" not in scaling]
    factors = FACTORS if times > 1 else FACTORS[:1]
    for scaling, shift, pooling, factor in product(scalings, SHIFTS, poolings, factors):
        # Within a period the rows are the entities.
        if pooling != "all rows" and factor == "1 / ln(entities)":
            continue
        for signs in _signs(names, directions, scaling):
            yield Convention(scaling, shift, pooling, factor, signs)


def _signs(names: Sequence[str], directions: Mapping[str, int] | None, scaling: str) -> Iterator[tuple[int, ...]]:
    plain = (1,) * len(names)
    if scaling == "none":
        yield plain
    elif directions is not None:
        yield tuple(int(directions[name]) for name in names)
    elif len(names) > MOST_FLIPPED:
        yield plain
    else:
        yield from product((1, -1), repeat=len(names))


def _row(convention: Convention, gap: float, largest: float) -> dict[str, Any]:
    signs = "".join("+" if sign > 0 else "-" for sign in convention.signs)
    return {
        "scaling": convention.scaling, "shift": convention.shift, "pooling": convention.pooling,
        "factor": convention.factor, "directions": signs, "gap": gap, "largest_entropy": largest,
    }  # fmt: skip


def _judge(rows: list[dict[str, Any]], digits: int) -> Forensics:
    table = pd.DataFrame(rows)
    table = table[np.isfinite(table["gap"])].sort_values("gap", kind="stable", key=tie, ignore_index=True)
    table["fits"] = table["gap"] <= 10.0**-digits + 1e-12
    nearest = table[table["fits"]] if table["fits"].any() else table.head(1)
    turned = bool((nearest["largest_entropy"] > 1 + 1e-9).any())
    alarms = (ALARM,) if turned and table["fits"].any() else ()
    return Forensics(table, alarms, digits)


def _check(figures: pd.DataFrame, weights: Mapping[str, float] | None) -> list[str]:
    names = [str(name) for name in figures.columns]
    if figures.index.nlevels != 2 or len(figures) < 2 or len(names) < 2:
        raise StudyError("figures", "they are no table of two rows and two indicators or more", "give such a table")
    if weights is not None and set(weights) != set(names):
        apart = sorted(set(weights) ^ set(names))
        raise StudyError(f"weight of {apart[0]}", "figures and weights name different indicators", "name the same")
    matrix = figures.to_numpy(dtype=float)
    if not np.isfinite(matrix).all() or (matrix < 0).any():
        bad = names[int(np.argmax(~np.isfinite(matrix).all(axis=0) | (matrix < 0).any(axis=0)))]
        raise StudyError(f"column {bad}", "a figure is missing, infinite or negative", "give figures of 0 or more")
    return names
