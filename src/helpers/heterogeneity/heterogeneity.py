"""Effects by region: each region's own regression, and tests of the differences.

Stars are never compared across regions: a difference has its own test. The estimate of a difference is exactly that of
the two regions' own regressions; its standard error comes from one stacked regression in which every coefficient and
every time effect is the region's own. With few clusters that test rejects too often, so three others stand beside it:
CR2 with Satterthwaite degrees of freedom, the wild cluster bootstrap, and permutation of entities between the two.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.heterogeneity.groups import Grouping, Regions, read_grouping, split_name, stack_regions
from helpers.heterogeneity.region_results import RegionFit, RegionGap
from helpers.inference.contrast import annihilate, build_contrast
from helpers.inference.multiplicity import TIE, holm, romano_wolf
from helpers.inference.small_sample import cr2_tests
from helpers.inference.wild import ENUMERATED_CLUSTERS, wild_cluster_bootstrap
from helpers.regression.conventions import find_convention
from helpers.regression.effects import Floats, group_sums
from helpers.regression.many import fit_weighted_entities
from helpers.regression.panel import PanelFit, fit_panel

# Draws of the Romano-Wolf adjustment.
JOINT_DRAWS = 9_999
# Share of permutations that may leave a region without an estimate.
FAILING = 0.1


def fit_by_region(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    controls: Sequence[str],
    regions: Regions,
    *,
    order: Sequence[str] | None = None,
    entity_effects: bool = True,
    time_effects: bool = True,
    wild_draws: int = 99_999,
    rng: np.random.Generator | None = None,
) -> dict[str, RegionFit]:
    """Fit one regression per region on the region's own rows.

    Parameters
    ----------
    data
        Panel: rows indexed by (entity, time).
    outcome, treatment, controls
        Names of numeric columns.
    regions, order
        As in `helpers.heterogeneity.groups.read_grouping`.
    entity_effects, time_effects
        Effects in each regression; standard errors are clustered by entity under the "stata" convention.
    wild_draws, rng
        Draws of the wild cluster bootstrap and their source, for regions whose 2^G sign vectors are not enumerated.

    Returns
    -------
    dict
        Region -> fit, in the order of the regions.

    Raises
    ------
    StudyError
        Regions that do not fit the panel, or a region whose rows cannot determine the regression.
    """
    grouping = read_grouping(data, regions, order)
    rows = grouping.rows(data)
    fits = {}
    for region in grouping.order:
        fit = fit_panel(
            data[rows == region], outcome, [treatment, *controls],
            entity_effects=entity_effects, time_effects=time_effects,
        )  # fmt: skip
        wild = wild_cluster_bootstrap(fit, treatment, draws=wild_draws, rng=rng, interval=True)
        fits[region] = RegionFit(
            region=region, **_numbers(fit, treatment), n_entities=fit.n_entities, wild=wild, fit=fit
        )
    return fits


def compare_regions(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    controls: Sequence[str],
    regions: Regions,
    *,
    order: Sequence[str] | None = None,
    entity_effects: bool = True,
    time_effects: bool = True,
    wild_draws: int = 99_999,
    permutations: int = 9_999,
    rng: np.random.Generator,
) -> dict[str, RegionGap]:
    """Test the differences between the regions' coefficients, pair by pair.

    Parameters
    ----------
    permutations
        Random divisions of each pair's entities. The others as in `fit_by_region`.

    Returns
    -------
    dict
        "<first>_minus_<second>" -> difference.

    Raises
    ------
    StudyError
        As `fit_by_region`; or too many divisions leave a region without an estimate.
    """
    grouping = read_grouping(data, regions, order)
    columns = [treatment, *controls]
    stacked = stack_regions(data, columns, [outcome, treatment], grouping, time_effects)
    split = [split_name(column, region) for column in columns for region in grouping.order]
    fixed = [] if entity_effects or time_effects else [f"region_{region}" for region in grouping.order[1:]]
    fit = fit_panel(stacked, outcome, split + fixed, entity_effects=entity_effects, time_effects=time_effects)
    equal = fit_panel(
        stacked, outcome, [treatment, *split[len(grouping.order) :], *fixed],
        entity_effects=entity_effects, time_effects=time_effects,
    )  # fmt: skip
    weights = {
        pair: {split_name(treatment, pair[0]): 1.0, split_name(treatment, pair[1]): -1.0} for pair in grouping.pairs
    }
    joint = _adjust_jointly(fit, equal.residuals, list(weights.values()), rng)
    permuted = [
        _permute(data, outcome, columns, grouping, pair, entity_effects, time_effects, permutations, rng)
        for pair in grouping.pairs
    ]
    return _collect_gaps(data, grouping, fit, weights, permuted, permutations, joint, wild_draws, rng)


def region_means(
    data: pd.DataFrame,
    variable: str,
    regions: Regions,
    *,
    order: Sequence[str] | None = None,
    wild_draws: int = 99_999,
    rng: np.random.Generator | None = None,
) -> tuple[dict[str, RegionFit], dict[str, RegionGap]]:
    """Compare a variable's means by region, over all rows, clustered by entity.

    One regression of the variable on the regions' indicators: the coefficients are the means, their differences the
    gaps. Means carry no bootstrap; gaps do when `rng` is given or the sign vectors can be enumerated.

    Parameters
    ----------
    variable
        Name of a numeric column. The others as in `fit_by_region`.

    Returns
    -------
    tuple
        Region -> mean, and "<first>_minus_<second>" -> difference.
    """
    grouping = read_grouping(data, regions, order)
    stacked = stack_regions(data, [], [variable], grouping, time_effects=False)
    sizes = grouping.region.value_counts()
    means: dict[str, RegionFit] = {}
    for region in grouping.order:
        others = [f"region_{other}" for other in grouping.order if other != region]
        fit = fit_panel(stacked, variable, others)
        own = _numbers(fit, "const") | {"n_obs": int(stacked[f"region_{region}"].sum())}
        means[region] = RegionFit(region=region, **own, n_entities=int(sizes[region]), wild=None, fit=fit)
    last = grouping.order[-1]
    weights = {(a, b): {f"region_{a}": 1.0} | ({f"region_{b}": -1.0} if b != last else {}) for a, b in grouping.pairs}
    return means, _collect_gaps(data, grouping, means[last].fit, weights, None, 0, None, wild_draws, rng)


def _numbers(fit: PanelFit, name: str) -> dict[str, Any]:
    parts = ("estimates", "std_errors", "statistics", "p_values", "ci_low", "ci_high")
    names = ("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high")
    numbers = {name_: float(getattr(fit, part)[name]) for name_, part in zip(names, parts, strict=True)}
    return {**numbers, "n_obs": fit.n_obs, "convention": fit.convention}


def _collect_gaps(
    data: pd.DataFrame,
    grouping: Grouping,
    fit: PanelFit,
    weights: dict[tuple[str, str], dict[str, float]],
    permuted: list[float] | None,
    permutations: int,
    joint: Floats | None,
    wild_draws: int,
    rng: np.random.Generator | None,
) -> dict[str, RegionGap]:
    """All tests of all pairs, with the adjustments over the pairs."""
    rows = grouping.rows(data)
    drawn = rng is not None or fit.n_clusters <= ENUMERATED_CLUSTERS
    wilds = [wild_cluster_bootstrap(fit, weight, draws=wild_draws, rng=rng) for weight in weights.values() if drawn]
    tests = cr2_tests(fit, weights.values())
    estimates = np.array([test.estimate for test in tests])
    std_errors = np.array([_std_error(fit, weight) for weight in weights.values()])
    p_values = 2 * stats.t.sf(np.abs(estimates / std_errors), fit.df)
    half = stats.t.ppf(0.975, fit.df) * std_errors
    p_holm = holm(p_values)
    p_holm_wild = holm([wild.p_value for wild in wilds])
    gaps = {}
    for place, (first, second) in enumerate(weights):
        inside = rows.isin([first, second])
        gaps[f"{first}_minus_{second}"] = RegionGap(
            first=first,
            second=second,
            estimate=float(estimates[place]),
            std_error=float(std_errors[place]),
            statistic=float(estimates[place] / std_errors[place]),
            p_value=float(p_values[place]),
            ci_low=float(estimates[place] - half[place]),
            ci_high=float(estimates[place] + half[place]),
            n_obs=int(inside.sum()),
            n_entities=int(grouping.region.isin([first, second]).sum()),
            convention=fit.convention,
            cr2=tests[place],
            wild=wilds[place] if drawn else None,
            permutation_p_value=None if permuted is None else permuted[place],
            permutations=permutations,
            p_holm=float(p_holm[place]),
            p_holm_wild=float(p_holm_wild[place]) if drawn else None,
            p_romano_wolf=None if joint is None else float(joint[place]),
        )
    return gaps


def _std_error(fit: PanelFit, weight: dict[str, float]) -> float:
    restriction = np.array([weight.get(name, 0.0) for name in fit.regressors])
    return float(np.sqrt(restriction @ fit.covariance.to_numpy() @ restriction))


def _adjust_jointly(
    fit: PanelFit, residuals: pd.Series, weights: list[dict[str, float]], rng: np.random.Generator
) -> Floats:
    """Romano-Wolf p-values of several contrasts, from wild draws of residuals under which all of them are zero."""
    codes = fit.clusters[0]
    n_clusters = int(codes.max()) + 1
    signs = rng.choice([-1.0, 1.0], size=(JOINT_DRAWS, n_clusters))
    own = residuals.loc[fit.design.index].to_numpy()
    blocks = annihilate(fit.design, np.eye(n_clusters)[codes] * own[:, None])
    factor = find_convention("stata").factor(fit.sizes, n_clusters)
    statistics, draws = [], []
    for weight in weights:
        contrast = build_contrast(fit, weight)
        moves = np.bincount(codes, contrast.weights * own, minlength=n_clusters)
        changes = group_sums(contrast.weights[:, None] * blocks, codes)
        draws.append(signs @ moves / np.sqrt(factor * np.sum((signs @ changes.T) ** 2, axis=1)))
        statistics.append(contrast.estimate / _std_error(fit, weight))
    return romano_wolf(statistics, np.column_stack(draws))


def _permute(
    data: pd.DataFrame,
    outcome: str,
    columns: list[str],
    grouping: Grouping,
    pair: tuple[str, str],
    entity_effects: bool,
    time_effects: bool,
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """p-value of the studentised difference over random divisions of two regions' entities."""
    places = [np.flatnonzero(grouping.members(region)) for region in pair]
    pool = np.concatenate(places)
    first = np.zeros((permutations + 1, len(grouping.region)))
    shuffled = np.vstack([pool, rng.permuted(np.tile(pool, (permutations, 1)), axis=1)])
    np.put_along_axis(first, shuffled[:, : len(places[0])], 1.0, axis=1)
    both = np.zeros(len(grouping.region))
    both[pool] = 1.0
    fits = fit_weighted_entities(
        data, outcome, columns, np.vstack([first, both - first]),
        entity_effects=entity_effects, time_effects=time_effects,
    )  # fmt: skip
    estimates = fits.estimates[:, 0].reshape(2, -1)
    variances = fits.std_errors[:, 0].reshape(2, -1) ** 2
    statistics = np.abs(estimates[0] - estimates[1]) / np.sqrt(variances.sum(axis=0))
    failed = ~np.isfinite(statistics)
    if failed[0] or failed.sum() > FAILING * permutations:
        raise StudyError(
            f"permutation of {pair[0]} and {pair[1]}",
            f"{int(failed.sum())} of {permutations} divisions cannot determine the estimates",
            "use fewer controls, or larger regions",
        )
    drawn = statistics[1:][~failed[1:]]
    return float((1 + np.sum(drawn >= statistics[0] * (1 - TIE))) / (1 + len(drawn)))
