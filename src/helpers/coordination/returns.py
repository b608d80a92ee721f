"""What more of the treatment brings: how it goes with the outcome within entities, and whether returns diminish."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.inference.clear import wild_parameter
from helpers.regression.design import build_design
from helpers.regression.many import build_grams
from helpers.regression.panel import PanelFit, fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model

SQUARE = "square"
"""Name of the squared treatment in the regression."""


@dataclass(frozen=True)
class WithinCorrelation:
    """Correlation of two columns once the means of entities and of times are taken out.

    Attributes
    ----------
    wide, narrow
        The correlation with its 95 % and with its 90 % interval (entity bootstrap, percentile).
    between
        Correlation of the entities' means, for comparison.
    """

    wide: Estimate
    narrow: Estimate
    between: float

    def is_weak(self, bound: float) -> bool:
        """Two one-sided tests at 5 %: whether the 90 % interval lies inside (-bound, bound)."""
        assert self.narrow.ci_low is not None
        assert self.narrow.ci_high is not None
        return -bound < self.narrow.ci_low and self.narrow.ci_high < bound


def within_correlation(
    data: pd.DataFrame, first: str, second: str, *, draws: int, rng: np.random.Generator
) -> WithinCorrelation:
    """Correlate two columns after entity and time means, with intervals by drawing entities anew.

    In every draw the means are taken out anew: a copy of an entity has its own mean, times weigh each copy.

    Parameters
    ----------
    data
        Panel.
    first, second
        Names of the columns.
    draws
        Bootstrap samples of entities.
    rng
        Source of the samples.

    Raises
    ------
    StudyError
        As `helpers.regression.design.build_design`, or fewer than two draws.
    """
    if draws < 2:
        raise StudyError("correlation", f"{draws} draws", "ask for at least 2, better 999 or more")
    design = build_design(data, second, [first], entity_effects=True, time_effects=True)
    grams = build_grams(design)
    size = len(grams.grams)
    counts = rng.multinomial(size, np.full(size, 1 / size), size=draws).astype(float)
    drawn = _correlate(grams.grams, grams.n_dummies, np.vstack([np.ones(size), counts]))
    means = data[[first, second]].groupby(level=0).mean()
    wide = Estimate(
        estimate=float(drawn[0]),
        std_error=float(drawn[1:].std(ddof=1)),
        ci_low=float(np.quantile(drawn[1:], 0.025)),
        ci_high=float(np.quantile(drawn[1:], 0.975)),
        n_obs=design.n_obs,
        n_entities=size,
        draws=draws,
        convention="entity bootstrap, percentile interval",
    )
    narrow = replace(
        wide,
        ci_low=float(np.quantile(drawn[1:], 0.05)),
        ci_high=float(np.quantile(drawn[1:], 0.95)),
        convention="entity bootstrap, percentile interval of 90 %",
    )
    return WithinCorrelation(wide, narrow, float(np.corrcoef(means.to_numpy(dtype=float).T)[0, 1]))


def _correlate(grams: np.ndarray, dummies: int, weights: np.ndarray) -> np.ndarray:
    """Correlations (B,) from cross-products of [time dummies, first, second] summed over weighted entities."""
    total = np.einsum("bg,gij->bij", weights, grams)
    times, cross, own = total[:, :dummies, :dummies], total[:, :dummies, dummies:], total[:, dummies:, dummies:]
    left = own - np.swapaxes(cross, 1, 2) @ (np.linalg.pinv(times, rcond=1e-10, hermitian=True) @ cross)
    return np.asarray(left[:, 0, 1] / np.sqrt(left[:, 0, 0] * left[:, 1, 1]))


@dataclass(frozen=True)
class Squared:
    """A regression with the treatment and its square.

    Attributes
    ----------
    data, model
        The panel with the treatment centred at its mean and its square, and outcome ~ square + treatment + controls.
    low, high
        The smallest and the largest treatment, as centred.
    """

    data: pd.DataFrame
    model: Model
    low: float
    high: float


def square_treatment(data: pd.DataFrame, model: Model) -> Squared:
    """Prepare outcome ~ (D - mean) + (D - mean)^2 + controls + effects."""
    rows = data[list(model.columns)].dropna()
    centred = rows[model.treatment] - rows[model.treatment].mean()
    prepared = rows.assign(**{model.treatment: centred, SQUARE: centred**2})
    asked = model.with_(treatment=SQUARE, controls=(model.treatment, *model.controls))
    return Squared(prepared, asked, float(centred.min()), float(centred.max()))


@dataclass(frozen=True)
class EndSlopes:
    """Slopes of the quadratic at both ends of the data.

    Attributes
    ----------
    low, high
        Slope where the treatment is smallest and where it is largest; two-sided p from t(G - 1).
    p_value
        Of Lind and Mehlum (2010): the larger of the two one-sided p-values of "rises at the low end" and "falls at the
        high end" (or the reverse where the square is positive); small where the relation turns inside the data.
    turning_point
        Where the slope is 0, in units of the treatment less its mean.
    """

    low: Estimate
    high: Estimate
    p_value: float
    turning_point: float


def end_slopes(setting: Squared) -> EndSlopes:
    """Slopes b1 + 2 b2 d at the smallest and the largest d, and the test that the relation turns between them.

    Source: Lind and Mehlum (2010), Oxford Bulletin of Economics and Statistics 72(1).
    """
    found = fit(setting.data, setting.model)
    name = setting.model.controls[0]
    low, high = (found.combine({name: 1.0, SQUARE: 2 * place}) for place in (setting.low, setting.high))
    sign = -1.0 if found.estimates[SQUARE] < 0 else 1.0
    assert low.statistic is not None
    assert high.statistic is not None
    one_sided = (stats.t.sf(-sign * low.statistic, found.df), stats.t.sf(sign * high.statistic, found.df))
    turning = -float(found.estimates[name]) / (2 * float(found.estimates[SQUARE]))
    return EndSlopes(low, high, float(max(one_sided)), turning)


def wild_slopes(
    found: PanelFit, setting: Squared, ends: EndSlopes, *, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    """The slopes at both ends, "low" and "high", by the restricted wild bootstrap; `found` fits the setting."""
    name = setting.model.controls[0]
    asked = {"low": (setting.low, ends.low), "high": (setting.high, ends.high)}
    return {
        end: wild_parameter(found, {name: 1.0, SQUARE: 2 * place}, slope, draws=draws, rng=rng)
        for end, (place, slope) in asked.items()
    }
