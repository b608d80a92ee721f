"""Effects and means by group of a panel on disk: those of `helpers.heterogeneity`, by the clustered t test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from helpers.errors import StudyError
from helpers.large.fit import RowsFit, fit_rows
from helpers.large.rows import read_blocks
from helpers.regression.conventions import Sizes, describe, find_convention
from helpers.results.estimate import Estimate, t_estimate
from helpers.study.model import Model


def fit_groups(
    path: Path, model: Model, grouping: str, order: Sequence[str], times: Sequence[int]
) -> tuple[dict[str, RowsFit], dict[str, str]]:
    """The regression of each group on its own rows, and why it is not there where it cannot be fitted."""
    fits, failed = {}, {}
    for place, name in enumerate(order):
        try:
            fits[name] = fit_rows(path, {name: model}, times, group=(grouping, place))[name]
        except StudyError as error:
            failed[name] = f"{error.where}: {error.rule}"
    return fits, failed


def compare_fits(fits: Mapping[str, RowsFit], model: Model) -> dict[str, Estimate]:
    """The difference of each pair, ``<first>_minus_<second>``, each group with slopes and periods of its own.

    The groups share no entity, so that the sandwich of the difference is the sum of the two; factor and t distribution
    are those of the stacked regression of all groups, as in `helpers.heterogeneity.heterogeneity.compare_regions`.
    """
    if len(fits) < 2:
        return {}
    sizes = _stack([fit.sizes for fit in fits.values()], sum(fit.n_times for fit in fits.values()), model)
    factor = find_convention("stata").factor(sizes, sizes.n_clusters[0])
    gaps, term = {}, model.treatment
    for first, second in combinations(fits, 2):
        pair = (fits[first], fits[second])
        variance = sum(float(fit.sandwich[term][term]) for fit in pair)
        estimate = float(pair[0].estimates[term] - pair[1].estimates[term])
        counts = (sum(fit.n_obs for fit in pair), sum(fit.n_entities for fit in pair))
        gaps[f"{first}_minus_{second}"] = _estimate(estimate, factor * variance, sizes.n_clusters[0] - 1, *counts)
    return gaps


def _stack(parts: Sequence[Sizes], n_times: int, model: Model) -> Sizes:
    """The counts of the regression in which slopes, periods and, without effects, intercepts are the groups' own."""
    n_obs, clusters = sum(part.n_obs for part in parts), sum(part.n_clusters[0] for part in parts)
    slopes = sum(part.n_slopes for part in parts) + (0 if model.effects else len(parts) - 1)
    outside = slopes + 1 + (n_times - 1 if model.time_effects else 0)
    return Sizes(n_obs, slopes, sum(part.n_parameters for part in parts), outside, slopes, (clusters,))


def mean_groups(
    path: Path, variable: str, grouping: str, order: Sequence[str]
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """The mean of a column in each group over all rows, and the differences, clustered by entity.

    As `helpers.heterogeneity.heterogeneity.region_means`: one regression on the groups' indicators.
    """
    counted = [_count(path, variable, (grouping, place)) for place in range(len(order))]
    n_obs, clusters = sum(int(item[0]) for item in counted), sum(int(item[1]) for item in counted)
    sizes = Sizes(n_obs, len(order) - 1, len(order), len(order), len(order), (clusters,))
    factor, df = find_convention("stata").factor(sizes, clusters), clusters - 1
    means = {
        name: replace(
            _estimate(mean, factor * variance, df, rows, entities),
            convention=describe("stata", "entity", df),
            n_clusters=clusters,
        )
        for name, (rows, entities, mean, variance) in zip(order, counted, strict=True)
    }
    gaps = {}
    for (first, one), (second, other) in combinations(zip(order, counted, strict=True), 2):
        variance = factor * (one[3] + other[3])
        gaps[f"{first}_minus_{second}"] = _estimate(
            one[2] - other[2], variance, df, one[0] + other[0], one[1] + other[1]
        )
    return means, gaps


def _count(path: Path, variable: str, group: tuple[str, int]) -> tuple[int, int, float, float]:
    """Rows, entities, mean, and its sandwich: the sum over entities of (sum of deviations)^2, over rows^2."""
    n, entities, total, shift = 0, 0, 0.0, 0.0
    for block in read_blocks(path, [variable], group=group):
        shift = float(block.figures.mean()) if not n else shift
        n, entities, total = (
            n + len(block.time),
            entities + len(block.starts),
            total + float((block.figures - shift).sum()),
        )
    if not n:
        raise StudyError(f"group {group[1]} of {group[0]}", f"no row has a figure for {variable}", "leave it out")
    mean, squares = shift + total / n, 0.0
    for block in read_blocks(path, [variable], group=group):
        squares += float((block.sums(block.figures - mean) ** 2).sum())
    return n, entities, mean, squares / n**2


def _estimate(estimate: float, variance: float, df: int, n_obs: int, n_entities: int) -> Estimate:
    counts = {"n_obs": n_obs, "n_entities": n_entities, "n_clusters": n_entities}
    return t_estimate(estimate, float(np.sqrt(variance)), df, **counts, convention="stata")
