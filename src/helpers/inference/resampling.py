"""The bootstrap over clusters: weights of the entities in each sample, intervals and p-values from the draws."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.regression.effects import Codes, Floats
from helpers.study.model import Cluster

# Clusters that are left out in turn; of more of them so many are drawn, since each costs a fit of all rows.
MOST_LEFT_OUT = 500


class DrawnWeights(NamedTuple):
    """Weights of the entities, in sorted order, in the samples of a bootstrap over clusters.

    Attributes
    ----------
    weights
        (draws, G) counts.
    left_out
        (L, G) zeros and ones: the entities without one cluster at a time.
    share
        L over the number of clusters: 1 unless there are more than `MOST_LEFT_OUT` of them.
    """

    weights: Floats
    left_out: Floats
    share: float


@dataclass(frozen=True)
class BootstrapSummary:
    """What bootstrap draws say about one estimate.

    Attributes
    ----------
    std_error
        Standard deviation of the draws.
    percentile_low, percentile_high
        Percentile interval.
    bca_low, bca_high
        Bias-corrected and accelerated interval.
    p_value
        Two-sided, by inverting the percentile interval: 2 min(share at or below 0, share at or above 0), the estimate
        itself counted once so that it is never 0, at most 1.
    acceleration
        a of the BCa interval.
    """

    std_error: float
    percentile_low: float
    percentile_high: float
    bca_low: float
    bca_high: float
    p_value: float
    acceleration: float


def draw_entity_weights(data: pd.DataFrame, cluster: Cluster, draws: int, rng: np.random.Generator) -> DrawnWeights:
    """Weights of the entities in bootstrap samples of clusters, and with each cluster left out.

    Raises
    ------
    StudyError
        Fewer than two draws, or clusters that are not groups of entities.
    """
    if draws < 2:
        raise StudyError("bootstrap", f"{draws} draws are too few", "ask for at least 2, better 999 or more")
    entities = pd.factorize(data.index.get_level_values(0), sort=True)[0]
    if cluster in (None, "entity", data.index.names[0]):
        group = np.arange(entities.max() + 1)
    else:
        group = _group_of_entities(data, entities, cluster)
    size = int(group.max()) + 1
    counts = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    alone = np.arange(size) if size <= MOST_LEFT_OUT else np.sort(rng.choice(size, MOST_LEFT_OUT, replace=False))
    return DrawnWeights(counts[:, group].astype(float), (alone[:, None] != group).astype(float), len(alone) / size)


def _group_of_entities(data: pd.DataFrame, entities: Codes, cluster: Cluster) -> Codes:
    if isinstance(cluster, str) and cluster in data.columns:
        codes = pd.factorize(data[cluster], sort=True)[0]
        pairs = np.unique(np.column_stack([entities, codes]), axis=0)
        if len(pairs) == entities.max() + 1:
            return np.asarray(pairs[:, 1])
    raise StudyError(
        f"cluster {cluster}",
        "the bootstrap draws entities or groups of entities",
        "cluster by entity, or by a column that is constant within each entity",
    )


def summarise_draws(
    estimate: float, draws: ArrayLike, left_out: ArrayLike, level: float = 0.95, *, share: float = 1.0
) -> BootstrapSummary:
    """Summarise bootstrap draws of one estimate.

    Percentile interval: the (1 - level)/2 and (1 + level)/2 quantiles of the draws. BCa (Efron 1987): the quantiles at
    Phi(z0 + (z0 + z)/(1 - a (z0 + z))), with z0 = Phi^-1(share of draws below the estimate) and
    a = sum d^3 / (6 (sum d^2)^1.5), d = mean of the left-out estimates minus each; where only a share of the resampled
    units was left out, the sums are those of the share divided by it.

    Parameters
    ----------
    draws
        (B,) estimates in the bootstrap samples.
    left_out
        (G,) estimates with one resampled unit left out at a time.
    level
        Coverage of the intervals, between 0 and 1.
    share
        Of the resampled units, those that were left out.

    Raises
    ------
    StudyError
        Fewer than two draws, draws that are not finite, or a level outside (0, 1).
    """
    sample = np.asarray(draws, dtype=float)
    if sample.ndim != 1 or len(sample) < 2 or not np.isfinite(sample).all():
        raise StudyError("bootstrap", "at least two finite draws are needed", "ask for more draws")
    check_level(level)
    tail = (1 - level) / 2
    low, high = np.quantile(sample, [tail, 1 - tail])
    bias, acceleration = _bias_correction(estimate, sample), _acceleration(np.asarray(left_out, dtype=float), share)
    bca_low, bca_high = np.quantile(
        sample, [_bca_share(tail, bias, acceleration), _bca_share(1 - tail, bias, acceleration)]
    )
    return BootstrapSummary(
        std_error=float(sample.std(ddof=1)),
        percentile_low=float(low),
        percentile_high=float(high),
        bca_low=float(bca_low),
        bca_high=float(bca_high),
        p_value=_p_value(sample),
        acceleration=acceleration,
    )


def check_level(level: float) -> None:
    """Refuse a coverage that is not between 0 and 1."""
    if not 0 < level < 1:
        raise StudyError("interval", f"its level is {level}", "give a share between 0 and 1, such as 0.95")


def _p_value(sample: Floats) -> float:
    below, above = np.sum(sample <= 0), np.sum(sample >= 0)
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(sample) + 1)))


def _bias_correction(estimate: float, sample: Floats) -> float:
    share = np.mean(sample < estimate) + 0.5 * np.mean(sample == estimate)
    # All draws on one side would give an infinite correction; half a draw keeps it finite.
    edge = 0.5 / len(sample)
    return float(stats.norm.ppf(np.clip(share, edge, 1 - edge)))


def _acceleration(left_out: Floats, share: float) -> float:
    distance = left_out.mean() - left_out
    spread = float(np.sum(distance**2))
    return float(np.sqrt(share) * np.sum(distance**3) / (6 * spread**1.5)) if spread > 0 else 0.0


def _bca_share(share: float, bias: float, acceleration: float) -> float:
    shifted = bias + stats.norm.ppf(share)
    return float(stats.norm.cdf(bias + shifted / (1 - acceleration * shifted)))
