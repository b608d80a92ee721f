"""The wild bootstrap of a regression whose errors may be related within two kinds of clusters."""

from collections.abc import Callable

import numpy as np

from helpers.errors import StudyError
from helpers.inference.contrast import (
    MOST_NUMBERS,
    Parameter,
    annihilate,
    build_contrast,
)
from helpers.inference.wild.bootstrap import TIE, WildBootstrap
from helpers.inference.wild.signs import CHUNK, ENUMERATED_CLUSTERS, draw_weights, enumerate_signs
from helpers.regression.conventions import cluster_terms, find_convention
from helpers.regression.effects import Codes, Floats, group_sums
from helpers.regression.panel import PanelFit


def _changes_of_scores(
    fit: PanelFit, w: Floats, codes: Codes, restricted: Floats, kinds: list[Codes]
) -> Callable[[Floats], list[Floats]]:
    """For signs (B, G): the sum of squares of the scores of every kind of groups in each draw, (B,) each.

    With few clusters each cluster's part in the scores is made once; where rows times clusters would not fit into
    memory, the signed residuals of some draws at a time are taken through the regression.
    """
    n_clusters = int(codes.max()) + 1
    if len(w) * n_clusters <= MOST_NUMBERS:
        moved = w[:, None] * annihilate(fit.design, np.eye(n_clusters)[codes] * restricted[:, None])
        parts = [group_sums(moved, groups).T for groups in kinds]
        return lambda signs: [np.sum((signs @ part) ** 2, axis=1) for part in parts]
    step = max(1, CHUNK // len(w))

    def squares(signs: Floats) -> list[Floats]:
        found = []
        for start in range(0, len(signs), step):
            signed = signs[start : start + step].T[codes] * restricted[:, None]
            moved = w[:, None] * annihilate(fit.design, signed)
            found.append([np.sum(group_sums(moved, groups) ** 2, axis=0) for groups in kinds])
        return [np.concatenate(kind) for kind in zip(*found, strict=True)]

    return squares


def _variance_terms(fit: PanelFit, scores: Floats) -> tuple[list[tuple[float, Codes]], float]:
    """Factor and groups of each term of the two-way variance, and the variance of the sample itself.

    Raises
    ------
    StudyError
        The variance is not positive.
    """
    rule, terms, variance = find_convention("stata"), [], 0.0
    for sign, groups in cluster_terms(fit.clusters):
        factor = sign * rule.factor(fit.sizes, int(groups.max()) + 1)
        terms.append((factor, groups))
        variance += factor * float(np.sum(np.bincount(groups, scores) ** 2))
    if variance <= 0:
        raise StudyError("two-way wild bootstrap", "the two-way variance is not positive", "cluster by one variable")
    return terms, variance


def two_way_wild_bootstrap(
    fit: PanelFit, parameter: Parameter, *, draws: int = 99_999, rng: np.random.Generator
) -> WildBootstrap:
    """Test a coefficient whose errors may be related within two kinds of clusters, by a restricted wild bootstrap.

    Rademacher signs by the kind of which there are more clusters, t with the two-way variance in every draw (MacKinnon,
    Nielsen and Webb 2021). A draw whose two-way variance is not positive counts as one that reaches |t|.

    Parameters
    ----------
    fit
        A fit with two cluster variables.
    parameter
        As in `wild_cluster_bootstrap`.
    draws, rng
        Number of draws, unless all sign vectors of few clusters are enumerated, and their source.

    Raises
    ------
    StudyError
        The fit has not two cluster variables.
    """
    if len(fit.clusters) != 2:
        raise StudyError(
            f"two-way wild bootstrap, cluster {fit.cluster}", "it needs two cluster variables", "fit with two"
        )
    contrast = build_contrast(fit, parameter)
    w, codes = contrast.weights, max(fit.clusters, key=lambda found: int(found.max()))
    distance, n_clusters = contrast.estimate, int(codes.max()) + 1
    own = fit.residuals.loc[fit.design.index].to_numpy()
    restricted = own + distance * w / (w @ w)
    terms, variance = _variance_terms(fit, w * own)
    scores = np.bincount(codes, w * restricted, minlength=n_clusters)
    enumerated = 2**n_clusters <= max(2**ENUMERATED_CLUSTERS, draws)
    blocks = enumerate_signs(n_clusters) if enumerated else draw_weights("rademacher", draws, n_clusters, rng)
    change = _changes_of_scores(fit, w, codes, restricted, [groups for _, groups in terms])
    strict = tied = made = 0
    for signs in blocks:
        drawn = sum(factor * squares for (factor, _), squares in zip(terms, change(signs), strict=True))
        left, right = (signs @ scores) ** 2 * variance, np.asarray(drawn).clip(min=0) * distance**2
        strict += int(np.count_nonzero(left > right * (1 + 2 * TIE)))
        tied += int(np.count_nonzero(left >= right * (1 - 2 * TIE)))
        made += len(signs)
    return WildBootstrap(
        estimate=contrast.estimate,
        statistic=distance / float(np.sqrt(variance)),
        p_value=tied / made,
        p_value_strict=strict / made,
        smallest_p_value=2 / made if enumerated else 1 / made,
        n_draws=made,
        n_clusters=n_clusters,
        enumerated=enumerated,
        weights="rademacher",
        restricted=True,
        variant="two-way",
    )
