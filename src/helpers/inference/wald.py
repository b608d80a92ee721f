"""Several coefficients tested at once: whether all are zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.inference.contrast import cluster_blocks, only_cluster, spread_residuals
from helpers.regression.conventions import find_convention
from helpers.regression.effects import group_sums
from helpers.regression.panel import PanelFit
from helpers.results.estimate import Estimate


@dataclass(frozen=True)
class WaldTest:
    """A joint test.

    Attributes
    ----------
    statistic
        F = W / q, W = b' V^-1 b with the clustered covariance V of the q coefficients.
    df, df_denominator
        q, and G - 1.
    p_value
        From F(q, G - 1).
    wild_p_value
        By the restricted wild cluster bootstrap: the share of draws (the sample counted once) whose W reaches the
        sample's, all q coefficients zero under the null. The F reference rejects too often with few clusters.
    draws
        Draws, the sample itself counted in.
    terms
        The coefficients.
    """

    statistic: float
    df: int
    df_denominator: int
    p_value: float
    wild_p_value: float
    draws: int
    terms: tuple[str, ...]

    def estimate(self, fit: PanelFit) -> Estimate:
        """The test as an estimate whose number is its statistic F."""
        return Estimate(
            estimate=self.statistic,
            statistic=self.statistic,
            p_value=self.p_value,
            n_obs=fit.n_obs,
            n_entities=fit.n_entities,
            n_clusters=fit.n_clusters,
            convention=f"joint Wald, F({self.df}, {self.df_denominator}), {fit.convention}",
        )

    def wild(self, fit: PanelFit) -> Estimate:
        """The same with the p-value of the wild bootstrap."""
        convention = "joint Wald, restricted wild cluster bootstrap, Rademacher"
        return replace(self.estimate(fit), p_value=self.wild_p_value, draws=self.draws, convention=convention)


def joint_wald(fit: PanelFit, terms: Sequence[str], *, draws: int, rng: np.random.Generator) -> WaldTest:
    """Test that several coefficients of a fit are all zero.

    Parameters
    ----------
    fit
        A regression with one cluster variable.
    terms
        Its regressors that are tested.
    draws
        Draws of the wild bootstrap.
    rng
        Source of the draws.

    Raises
    ------
    StudyError
        A term that the fit does not have, none at all, or as many as there are clusters.
    """
    codes = only_cluster(fit, "joint test")
    places = [fit.regressors.index(term) if term in fit.regressors else -1 for term in terms]
    n_clusters = int(codes.max()) + 1
    if not places or min(places) < 0 or len(places) >= n_clusters:
        raise StudyError(
            f"joint test of {', '.join(terms) or 'nothing'}",
            f"the regression has the terms {', '.join(fit.regressors)} and {n_clusters} clusters",
            "name some of its terms, fewer than there are clusters",
        )
    estimates = fit.estimates.to_numpy()[places]
    wald = float(estimates @ np.linalg.solve(fit.covariance.to_numpy()[np.ix_(places, places)], estimates))
    q = len(places)
    drawn = _draw(fit, places, codes, rng.random((draws, n_clusters)) < 0.5)
    reached = int(np.sum(drawn >= wald * (1 - 1e-9)))
    return WaldTest(
        statistic=wald / q,
        df=q,
        df_denominator=n_clusters - 1,
        p_value=float(stats.f.sf(wald / q, q, n_clusters - 1)),
        wild_p_value=(1 + reached) / (1 + draws),
        draws=draws + 1,
        terms=tuple(terms),
    )


def _draw(fit: PanelFit, places: list[int], codes: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """W of each draw, (B,): residuals of the model without the terms, one sign per cluster."""
    design = fit.design
    x = design.x_within / np.linalg.norm(design.x_within, axis=0)
    others = np.delete(x, places, axis=1)
    basis = np.linalg.qr(others)[0] if others.shape[1] else np.zeros((len(x), 0))
    own = x[:, places] - basis @ (basis.T @ x[:, places])
    residual = design.y_within - basis @ (basis.T @ design.y_within)
    n_clusters = negative.shape[1]
    whole = np.linalg.qr(x)[0]
    scores = np.stack([np.bincount(codes, column * residual, minlength=n_clusters) for column in own.T], axis=1)
    parts = []
    for clusters in cluster_blocks(len(residual), n_clusters):
        left = design.effects.project(spread_residuals(residual, codes, clusters))
        left -= whole @ (whole.T @ left)
        parts.append(np.stack([group_sums(column[:, None] * left, codes) for column in own.T]))
    moved = np.concatenate(parts, axis=2)  # q, cluster whose score it is, cluster whose sign moves it
    signs = np.where(negative, -1.0, 1.0)
    numerator = signs @ scores
    changes = np.einsum("qhg,bg->bhq", moved, signs)
    middle = np.einsum("bhp,bhq->bpq", changes, changes)
    factor = find_convention(fit.convention).factor(fit.sizes, n_clusters)
    solved = np.linalg.solve(middle, numerator[:, :, None])[:, :, 0]
    return np.asarray((numerator * solved).sum(axis=1) / factor)
