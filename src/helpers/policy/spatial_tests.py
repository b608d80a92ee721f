"""Whether the residuals of a panel regression are alike among neighbours: Moran's I and Lagrange multiplier tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.policy.space import SpatialWeights
from helpers.regression.panel import PanelFit

# Numbers in a block of permutations.
CHUNK = 500_000


@dataclass(frozen=True)
class ResidualPattern:
    """Tests of the residuals of one regression.

    Attributes
    ----------
    moran, expected, moran_p_value
        Moran's I over all times, sum_t e_t'W e_t / sum_t e_t'e_t; its mean over permutations, and the two-sided share
        of permutations of whole residual series among the entities that are as far from it, the sample counted once.
    draws
        Permutations, the sample counted in.
    tests
        Rows lag, error, robust_lag, robust_error: statistic and p_value from chi2(1) (Anselin, Bera, Florax and Yoon
        1996, in the panel form of Anselin, Le Gallo and Jayet 2008), for errors independent over time. The scores are
        those of the transformed likelihood (Lee and Yu 2010), whose weights have the trace -1: R's lm.LMtests on the
        transformed columns takes it for 0, and only its robust test of a lag is then the same number. NaN where the
        regression has not both effects, which the transformation takes out.
    """

    moran: float
    expected: float
    moran_p_value: float
    draws: int
    tests: pd.DataFrame


def examine_residuals(
    fit: PanelFit, weights: SpatialWeights, *, draws: int, rng: np.random.Generator
) -> ResidualPattern:
    """Test the residuals of a regression for a spatial pattern.

    Parameters
    ----------
    fit
        A regression on a balanced panel.
    weights
        Row-standardised weights over its entities.
    draws
        Permutations of the entities.
    rng
        Source of the permutations.

    Raises
    ------
    StudyError
        An unbalanced panel, or weights over other entities.
    """
    design = fit.design
    n, t = design.effects.n_entities, design.effects.n_times
    if not design.effects.is_balanced or list(design.index.unique(0).sort_values()) != list(weights.matrix.index):
        raise StudyError("residuals", "panel and weights do not fit together", "use a balanced panel and its entities")
    w = weights.matrix.to_numpy(dtype=float)
    residuals = fit.residuals.loc[design.index].to_numpy().reshape(n, t)
    total = float((residuals**2).sum())
    observed = float((residuals * (w @ residuals)).sum()) / total
    step = max(1, CHUNK // residuals.size)
    drawn = np.concatenate(
        [_cross(w, residuals, min(step, draws - start), rng) / total for start in range(0, draws, step)]
    )
    centre = float(drawn.mean())
    reached = int(np.sum(np.abs(drawn - centre) >= abs(observed - centre) - 1e-12))
    return ResidualPattern(observed, centre, (1 + reached) / (1 + draws), draws + 1, _multipliers(fit, w))


def _cross(w: Floats, residuals: Floats, count: int, rng: np.random.Generator) -> Floats:
    """sum_t e_t'W e_t, (count,), with the residual series (n, t) dealt out anew among the entities."""
    orders = rng.permuted(np.tile(np.arange(len(w)), (count, 1)), axis=1)
    dealt = residuals[orders].transpose(1, 0, 2)
    near = (w @ dealt.reshape(len(w), -1)).reshape(dealt.shape)
    return np.asarray(np.einsum("nbt,nbt->b", dealt, near))


def _multipliers(fit: PanelFit, w: np.ndarray) -> pd.DataFrame:
    """The four tests on the transformed scale, with (n - 1)(T - 1) observations."""
    design = fit.design
    names = pd.Index(("lag", "error", "robust_lag", "robust_error"), name="test")
    if not (design.effects.entity_effects and design.effects.time_effects):
        return pd.DataFrame(np.nan, names, ["statistic", "p_value"])
    n, t = design.effects.n_entities, design.effects.n_times
    centring = np.eye(n) - 1 / n
    inner = centring @ w @ centring
    e = fit.residuals.loc[design.index].to_numpy().reshape(n, t)
    y = design.y_within.reshape(n, t)
    sigma2 = float((e * e).sum()) / ((n - 1) * (t - 1))
    trace = (t - 1) * float(np.trace(inner.T @ inner) + np.trace(inner @ inner))
    fitted = (inner @ (y - e)).reshape(-1)
    basis = np.linalg.qr(design.x_within)[0]
    left = fitted - basis @ (basis.T @ fitted)
    # The scores: what the effects took out leaves W a trace, which is the score's mean and part of its variance.
    own = (t - 1) * float(np.trace(inner))
    trace -= 2 * own**2 / ((n - 1) * (t - 1))
    by_error = float((e * (inner @ e)).sum()) / sigma2 - own
    by_lag = float((e * (inner @ y)).sum()) / sigma2 - own
    spread = float(left @ left) / sigma2 + trace
    statistics = np.array(
        [
            by_lag**2 / spread,
            by_error**2 / trace,
            (by_lag - by_error) ** 2 / (spread - trace),
            (by_error - trace / spread * by_lag) ** 2 / (trace * (1 - trace / spread)),
        ]
    )
    return pd.DataFrame({"statistic": statistics, "p_value": stats.chi2.sf(statistics, 1)}, names)
