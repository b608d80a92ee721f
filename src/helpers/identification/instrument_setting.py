"""The columns of a regression with instruments, after the effects, and how covariances are taken on them."""

from dataclasses import dataclass, replace

import numpy as np

from helpers.regression.conventions import Sizes, cluster_covariance, find_convention
from helpers.regression.effects import Codes, Floats


@dataclass(frozen=True)
class Setting:
    """Columns after the effects and how their covariance is taken; N rows.

    outcome, treatment (N,); controls (N, k); instruments (N, K); clusters, sizes, convention.
    """

    outcome: Floats
    treatment: Floats
    controls: Floats
    instruments: Floats
    clusters: tuple[Codes, ...]
    sizes: Sizes
    convention: str

    def meat(self, scores: Floats, bread: Floats) -> Floats:
        """Sandwich of scores (N, m) with a bread (m, m)."""
        if self.clusters:
            return cluster_covariance(scores @ bread, self.clusters, self.sizes, find_convention(self.convention))
        factor = self.sizes.n_obs / (self.sizes.n_obs - self.sizes.n_parameters) if self.convention == "hc1" else 1.0
        return np.asarray(factor * (bread @ (scores.T @ scores) @ bread))

    def covariance(self, columns: Floats, residuals: Floats) -> Floats:
        """Covariance of the coefficients on columns (N, m)."""
        bread = np.asarray(np.linalg.inv(columns.T @ columns), dtype=np.float64)
        if not self.clusters and self.convention == "iid":
            return np.asarray(bread * (residuals @ residuals) / (self.sizes.n_obs - self.sizes.n_parameters))
        return self.meat(columns * residuals[:, None], bread)

    @property
    def df(self) -> int:
        """Degrees of freedom of the t distribution."""
        if self.clusters:
            return find_convention(self.convention).df(self.sizes)
        return self.sizes.n_obs - self.sizes.n_parameters


def without_controls(setting: Setting) -> tuple[Floats, Floats, Floats]:
    """Outcome (N,), treatment (N,) and instruments (N, K) after the controls are removed too."""
    basis = np.linalg.qr(setting.controls)[0] if setting.controls.shape[1] else np.empty((len(setting.outcome), 0))
    stacked = np.column_stack([setting.outcome, setting.treatment, setting.instruments])
    left = stacked - basis @ (basis.T @ stacked)
    return left[:, 0], left[:, 1], left[:, 2:]


def with_instruments(setting: Setting) -> Setting:
    """The setting of a regression on K instruments in place of one treatment, for its small-sample factor."""
    extra = setting.instruments.shape[1] - 1
    sizes = setting.sizes
    wider = replace(
        sizes,
        n_slopes=sizes.n_slopes + extra,
        n_parameters=sizes.n_parameters + extra,
        n_outside=sizes.n_outside + extra,
        n_single=sizes.n_single + extra,
    )
    return replace(setting, sizes=wider)
