"""Effects by region: each region's own regression, and tests of the differences.

Stars are never compared across regions: a difference has its own test. The estimate of a difference is exactly that of
the two regions' own regressions; its standard error comes from one stacked regression in which every coefficient and
every time effect is the region's own. With few clusters that test rejects too often, so three others stand beside it:
CR2 with Satterthwaite degrees of freedom, the wild cluster bootstrap, and permutation of entities between the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.heterogeneity.groups import Grouping, Regions, read_grouping, split_name, stack_regions
from helpers.inference.contrast import build_contrast
from helpers.inference.multiplicity import TIE, holm, romano_wolf
from helpers.inference.small_sample import SmallSampleTest, reduced_tests
from helpers.inference.wild.bootstrap import WildBootstrap, wild_cluster_bootstrap
from helpers.inference.wild.changes import find_changes
from helpers.inference.wild.signs import ENUMERATED_CLUSTERS
from helpers.regression.conventions import find_convention
from helpers.regression.design import build_design
from helpers.regression.effects import Floats
from helpers.regression.many import EntityGrams, build_grams, fit_grams
from helpers.regression.panel import PanelFit, fit, fit_panel
from helpers.results.estimate import Estimate, t_estimate
from helpers.study.model import Model

# Draws of the Romano-Wolf adjustment, and signs of clusters held at once.
JOINT_DRAWS, CHUNK = 9_999, 4_000_000
# Share of permutations that may leave a region without an estimate.
FAILING = 0.1
# Divisions worked on at once.
BLOCK = 20_000


@dataclass(frozen=True)
class RegionFit:
    """One region's own regression, or its mean.

    Attributes
    ----------
    region
        Its name.
    effect
        Coefficient of the treatment (the mean), clustered by entity under the "stata" convention.
    wild
        Wild cluster bootstrap of the same coefficient with its interval, exact where the region has 12 entities or
        fewer. None for means.
    fit
        The whole regression.
    """

    region: str
    effect: Estimate
    wild: WildBootstrap | None
    fit: PanelFit = field(repr=False)


@dataclass(frozen=True)
class Permutation:
    """A studentised permutation test of one difference.

    Attributes
    ----------
    p_value
        Share of divisions of the two regions' entities whose |t| reaches that of the sample (itself counted once),
        t = difference over the root of the two regions' squared standard errors.
    plain_p_value
        The same by |difference| alone, which misleads where the two regions differ in variance (Janssen 1997).
    divisions
        Divisions looked at.
    is_exact
        Whether these are all there are.
    """

    p_value: float
    plain_p_value: float
    divisions: int
    is_exact: bool


@dataclass(frozen=True)
class RegionGap:
    """The difference between two regions, first minus second.

    Attributes
    ----------
    first, second
        The regions.
    effect
        From the stacked regression, by the "stata" convention; rows and entities are those of the two regions.
    cr2
        The same difference with the CR2 standard error and Satterthwaite degrees of freedom; None among very
        many entities.
    wild
        Wild cluster bootstrap of the same difference. None where it was not asked for.
    permutation
        Test over divisions of the two regions' entities; None for means.
    p_holm
        The p-value of `effect`, adjusted by Holm over all pairs.
    p_romano_wolf
        Adjusted by Romano and Wolf over all pairs, wild draws under equality of all regions. None for means.
    """

    first: str
    second: str
    effect: Estimate
    cr2: SmallSampleTest | None
    wild: WildBootstrap | None
    permutation: Permutation | None
    p_holm: float
    p_romano_wolf: float | None


def fit_by_region(
    data: pd.DataFrame,
    model: Model,
    regions: Regions,
    *,
    order: Sequence[str] | None = None,
    wild_draws: int = 99_999,
    rng: np.random.Generator | None = None,
) -> dict[str, RegionFit]:
    """Fit one regression per region on the region's own rows.

    Parameters
    ----------
    data
        Panel: rows indexed by (entity, time).
    model
        The regression; standard errors are clustered by entity under the "stata" convention.
    regions, order
        As in `helpers.heterogeneity.groups.read_grouping`.
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
        try:
            found = fit(data[rows == region], model.with_(cluster="entity"))
        except StudyError as error:
            raise StudyError(f"region {region}, {error.where}", error.rule, error.remedy) from None
        wild = wild_cluster_bootstrap(found, model.treatment, draws=wild_draws, rng=rng, interval=True)
        fits[region] = RegionFit(region, found[model.treatment], wild, found)
    return fits


def compare_regions(
    data: pd.DataFrame,
    model: Model,
    regions: Regions,
    *,
    order: Sequence[str] | None = None,
    wild_draws: int = 99_999,
    permutations: int = 9_999,
    rng: np.random.Generator,
) -> dict[str, RegionGap]:
    """Test the differences between the regions' coefficients, pair by pair.

    Parameters
    ----------
    permutations
        Random divisions of each pair's entities; all of them where there are no more. The others as in `fit_by_region`.

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
    treatment, columns = model.treatment, list(model.regressors)
    stacked = stack_regions(data, columns, [model.outcome, treatment], grouping, model.time_effects)
    split = [split_name(column, region) for column in columns for region in grouping.order]
    fixed = [] if model.effects else [f"region_{region}" for region in grouping.order[1:]]
    free, rest = split[: len(grouping.order)], (*split[len(grouping.order) :], *fixed)
    one = model.with_(controls=rest, cluster="entity")
    equal = fit(stacked, one)
    whole = fit(stacked, one.with_(treatment=free[0], controls=(*free[1:], *rest)))
    weights = {
        pair: {split_name(treatment, pair[0]): 1.0, split_name(treatment, pair[1]): -1.0} for pair in grouping.pairs
    }
    joint = _adjust_jointly(whole, equal.residuals, list(weights.values()), rng)
    permuted = [_permute(data, model, grouping, pair, permutations, rng) for pair in grouping.pairs]
    return _collect_gaps(data, grouping, whole, weights, (permuted, joint), wild_draws, rng)


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
        found = fit_panel(stacked, variable, others)
        rows = int(stacked[f"region_{region}"].sum())
        means[region] = RegionFit(
            region, replace(found["const"], n_obs=rows, n_entities=int(sizes[region])), None, found
        )
    last = grouping.order[-1]
    weights = {(a, b): {f"region_{a}": 1.0} | ({f"region_{b}": -1.0} if b != last else {}) for a, b in grouping.pairs}
    return means, _collect_gaps(data, grouping, means[last].fit, weights, None, wild_draws, rng)


def _collect_gaps(
    data: pd.DataFrame,
    grouping: Grouping,
    whole: PanelFit,
    weights: dict[tuple[str, str], dict[str, float]],
    drawn: tuple[list[Permutation], Floats] | None,
    wild_draws: int,
    rng: np.random.Generator | None,
) -> dict[str, RegionGap]:
    """All tests of all pairs, with the adjustments over the pairs."""
    rows = grouping.rows(data)
    with_wild = rng is not None or whole.n_clusters <= ENUMERATED_CLUSTERS
    wilds = [
        wild_cluster_bootstrap(whole, weight, draws=wild_draws, rng=rng) for weight in weights.values() if with_wild
    ]
    tests = reduced_tests(whole, weights.values())
    effects = [
        _effect(whole, weight, rows.isin(pair), test.estimate)
        for (pair, weight), test in zip(weights.items(), tests, strict=True)
    ]
    p_holm = holm(np.array([effect.p_value for effect in effects], dtype=float))
    return {
        f"{first}_minus_{second}": RegionGap(
            first=first,
            second=second,
            effect=effects[place],
            cr2=tests[place] if tests[place].method == "CR2" else None,
            wild=wilds[place] if with_wild else None,
            permutation=None if drawn is None else drawn[0][place],
            p_holm=float(p_holm[place]),
            p_romano_wolf=None if drawn is None else float(drawn[1][place]),
        )
        for place, (first, second) in enumerate(weights)
    }


def _effect(whole: PanelFit, weight: dict[str, float], inside: pd.Series, estimate: float) -> Estimate:
    """A difference by the clustered t test; `inside`: the rows of its two regions."""
    entities = int(inside[inside].index.get_level_values(0).nunique())
    return t_estimate(
        estimate,
        _std_error(whole, weight),
        whole.df,
        n_obs=int(inside.sum()),
        n_entities=entities,
        n_clusters=entities,
        convention=whole.convention,
    )


def _std_error(whole: PanelFit, weight: dict[str, float]) -> float:
    restriction = np.array([weight.get(name, 0.0) for name in whole.regressors])
    return float(np.sqrt(restriction @ whole.covariance.to_numpy() @ restriction))


def _adjust_jointly(
    whole: PanelFit, residuals: pd.Series, weights: list[dict[str, float]], rng: np.random.Generator
) -> Floats:
    """Romano-Wolf p-values of several contrasts, from wild draws of residuals under which all of them are zero."""
    codes = whole.clusters[0]
    n_clusters = int(codes.max()) + 1
    own = residuals.loc[whole.design.index].to_numpy()
    factor = find_convention("stata").factor(whole.sizes, n_clusters)
    contrasts = [build_contrast(whole, weight) for weight in weights]
    moves = [np.bincount(codes, contrast.weights * own, minlength=n_clusters) for contrast in contrasts]
    changes = [find_changes(whole, codes, contrast.weights, own) for contrast in contrasts]
    draws, step = [], max(1, CHUNK // n_clusters)
    for start in range(0, JOINT_DRAWS, step):
        signs = rng.choice([-1.0, 1.0], size=(min(step, JOINT_DRAWS - start), n_clusters))
        drawn = [
            signs @ move / np.sqrt(factor * np.sum(change.of(signs) ** 2, axis=1))
            for move, change in zip(moves, changes, strict=True)
        ]
        draws.append(np.column_stack(drawn))
    statistics = [
        contrast.estimate / _std_error(whole, weight) for contrast, weight in zip(contrasts, weights, strict=True)
    ]
    return romano_wolf(statistics, np.concatenate(draws))


def _permute(
    data: pd.DataFrame,
    model: Model,
    grouping: Grouping,
    pair: tuple[str, str],
    permutations: int,
    rng: np.random.Generator,
) -> Permutation:
    """The studentised difference over divisions of two regions' entities: all, or as many random ones as are asked."""
    pool = grouping.region[grouping.region.isin(pair)].sort_index()
    inside = data[data.index.get_level_values(0).isin(pool.index)]
    grams = build_grams(
        build_design(
            inside,
            model.outcome,
            model.regressors,
            entity_effects=model.entity_effects,
            time_effects=model.time_effects,
        )
    )
    own = np.flatnonzero(pool == pair[0])
    size = len(own)
    is_exact = comb(len(pool), size) <= permutations + 1
    count = comb(len(pool), size) if is_exact else permutations
    observed, observed_plain = (numbers[0] for numbers in _statistics(grams, own[None]))
    reached = plain = kept = 0
    every = combinations(range(len(pool)), size) if is_exact else None
    for start in range(0, count, BLOCK):
        number = min(BLOCK, count - start)
        if every is None:
            chosen = np.argpartition(rng.random((number, len(pool))), size - 1, axis=1)[:, :size]
        else:
            chosen = np.array([next(every) for _ in range(number)])
        drawn, gaps = _statistics(grams, chosen)
        whole = np.isfinite(drawn)
        kept += int(whole.sum())
        reached += int(np.sum(drawn[whole] >= observed * (1 - TIE)))
        plain += int(np.sum(gaps[whole] >= observed_plain * (1 - TIE)))
    if not np.isfinite(observed) or count - kept > FAILING * count:
        raise StudyError(
            f"permutation of {pair[0]} and {pair[1]}",
            f"{count - kept} of {count} divisions cannot determine the estimates",
            "use fewer controls, or larger regions",
        )
    # The sample itself is one of all divisions; of random ones it is counted once.
    once = 0 if is_exact else 1
    return Permutation((once + reached) / (once + kept), (once + plain) / (once + kept), count, is_exact)


def _statistics(grams: EntityGrams, chosen: np.ndarray) -> tuple[Floats, Floats]:
    """|t| and |difference| (B,) of the chosen entities (B, size) against the others."""
    first = np.zeros((len(chosen), len(grams.grams)))
    np.put_along_axis(first, chosen, 1.0, axis=1)
    fits = fit_grams(grams, np.vstack([first, 1.0 - first]))
    estimates = fits.estimates[:, 0].reshape(2, -1)
    variances = fits.std_errors[:, 0].reshape(2, -1) ** 2
    gap = np.abs(estimates[0] - estimates[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return gap / np.sqrt(variances.sum(axis=0)), gap
