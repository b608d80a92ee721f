"""Selection on what is not observed, in proportion to selection on what is (Oster 2019)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.collinearity import least_squares
from helpers.regression.design import CONSTANT, build_design
from helpers.regression.effects import Floats
from helpers.study.model import Model


@dataclass(frozen=True)
class OsterResult:
    """Oster's two answers and the regressions behind them.

    Attributes
    ----------
    delta
        How many times stronger than selection on the controls selection on the omitted variable must be for the
        effect to equal the one that was asked.
    bound
        The effect when selection on the omitted variable is as strong as that on the controls, or the multiple of it
        that was asked; NaN when no real solution exists.
    r_max
        R2 with the omitted variable included, as assumed.
    estimate_short, estimate_full
        Estimate without and with the controls.
    r_squared_short, r_squared_full
        R2 of the two regressions.
    """

    delta: float
    bound: float
    r_max: float
    estimate_short: float
    estimate_full: float
    r_squared_short: float
    r_squared_full: float


@dataclass(frozen=True)
class _Moments:
    """Short and full regressions; variances of outcome, treatment, and treatment given the controls."""

    estimate_short: float
    estimate_full: float
    r_short: float
    r_full: float
    variance_outcome: float
    variance_treatment: float
    variance_left: float


def oster_delta(
    data: pd.DataFrame,
    model: Model,
    *,
    always: Sequence[str] = (),
    r_max: float | None = None,
    beta: float = 0.0,
    delta: float = 1.0,
    r_squared: Literal["within", "overall", "psacalc"] = "within",
) -> OsterResult:
    """Relative selection that would explain the effect away, and the effect under a given relative selection.

    Exact solutions of Oster (2019, propositions 1-3), as Stata's psacalc after regress: delta is a ratio of polynomials
    in the estimates, R2 and variances; the bound solves a quadratic (delta = 1) or a cubic. Of several real solutions
    the one nearest the full estimate is taken among those that move it further in the direction in which the controls
    move it.

    R2 enters in products with the variance of the outcome: what a regression explains. Both are of the outcome after
    the effects here, or both of the whole outcome. Stata's psacalc after xtreg, fe takes R2 after the effects times the
    variance of the whole outcome, which no regression explains, and prints another number; "psacalc" gives that one.

    Parameters
    ----------
    data
        Panel.
    model
        Its controls are the observed variables whose selection is the yardstick; its effects are in both regressions
        and take no part in the comparison.
    always
        Further columns in both regressions, which take no part in the comparison either (psacalc's mcontrol).
    r_max
        R2 with the omitted variable; None is 1.3 times the R2 of the full regression, at most 1.
    beta
        Effect that `delta` of the result shall lead to.
    delta
        Relative selection that the bound assumes.
    r_squared
        Whether R2 and the variance are those after the effects ("within") or of the whole outcome ("overall"), or R2
        after the effects and the variance of the whole outcome ("psacalc"); without effects the same.

    Raises
    ------
    StudyError
        As `fit_panel`; no controls; or `r_max` outside (R2 of the full regression, 1].
    """
    if not model.controls:
        raise StudyError("Oster's delta", "there are no controls to compare with", "name at least one control")
    regressors = [model.treatment, *always, *model.controls]
    effects: dict[str, Any] = {"entity_effects": model.entity_effects, "time_effects": model.time_effects}
    design = build_design(data, model.outcome, regressors, **effects)
    # In units of the lengths of outcome and treatment, so that no polynomial mixes large and small numbers.
    lengths = np.linalg.norm(design.y_within), np.linalg.norm(design.x_within[:, 0])
    unit = float(lengths[0] / lengths[1])
    x = design.x_within / np.r_[lengths[1], np.ones(design.x_within.shape[1] - 1)]
    moments = _moments(
        design.y_within / lengths[0], x, design.y / lengths[0], design.regressors, len(always), r_squared
    )
    limit = min(1.0, 1.3 * moments.r_full) if r_max is None else r_max
    if not moments.r_full <= limit <= 1:
        raise StudyError(
            "Oster's delta, r_max", f"{limit} is not between {moments.r_full:.4f} and 1", "choose one that is"
        )
    return OsterResult(
        delta=_delta(moments, limit, beta / unit),
        bound=_bound(moments, limit, delta) * unit,
        r_max=limit,
        estimate_short=moments.estimate_short * unit,
        estimate_full=moments.estimate_full * unit,
        r_squared_short=moments.r_short,
        r_squared_full=moments.r_full,
    )


def _moments(y: Floats, x: Floats, y_given: Floats, names: tuple[str, ...], n_always: int, r_squared: str) -> _Moments:
    """Moments of the projected columns; the treatment is the first, then those that are always there."""
    short = np.array([j for j, name in enumerate(names) if j <= n_always or name == CONSTANT])
    base = short[1:]
    whole = y_given - y_given.mean()
    left = whole if names[-1] == CONSTANT else y
    of_r_squared, of_variance = {"within": (left, left), "overall": (whole, whole), "psacalc": (left, whole)}[r_squared]
    total = float(of_r_squared @ of_r_squared)
    others = np.arange(1, x.shape[1])
    (slope_short, rss_short), (slope_full, rss_full) = _regress(y, x[:, short]), _regress(y, x)
    return _Moments(
        estimate_short=slope_short,
        estimate_full=slope_full,
        r_short=1 - rss_short / total,
        r_full=1 - rss_full / total,
        variance_outcome=float(of_variance @ of_variance) / len(y),
        variance_treatment=_residual_variance(x[:, 0], x[:, base]),
        variance_left=_residual_variance(x[:, 0], x[:, others]),
    )


def _regress(y: Floats, x: Floats) -> tuple[float, float]:
    """Slope of the first column, and the residual sum of squares."""
    estimates = least_squares(x, y)
    return float(estimates[0]), float(np.sum((y - x @ estimates) ** 2))


def _residual_variance(column: Floats, x: Floats) -> float:
    if x.shape[1] == 0:
        return float(column @ column) / len(column)
    estimates = least_squares(x, column)
    return float(np.sum((column - x @ estimates) ** 2)) / len(column)


def _delta(m: _Moments, r_max: float, beta: float) -> float:
    """Relative selection for an effect of `beta` (Oster 2019, proposition 3)."""
    gap, move = m.estimate_full - beta, m.estimate_short - m.estimate_full
    gained = (m.r_full - m.r_short) * m.variance_outcome
    missing = (r_max - m.r_full) * m.variance_outcome
    joint = m.variance_left * move * m.variance_treatment
    spread = m.variance_left * (m.variance_treatment - m.variance_left)
    above = gap * gained * m.variance_left + gap * joint * move + 2 * gap**2 * joint + gap**3 * spread
    below = missing * move * m.variance_treatment + gap * missing * (m.variance_treatment - m.variance_left)
    below += gap**2 * joint + gap**3 * spread
    return float(above / below) if below != 0 else float(np.copysign(np.inf, above))


def _bound(m: _Moments, r_max: float, delta: float) -> float:
    """Effect under relative selection `delta` (Oster 2019, propositions 1 and 2)."""
    move = m.estimate_short - m.estimate_full
    gained = (m.r_full - m.r_short) * m.variance_outcome
    missing = (r_max - m.r_full) * m.variance_outcome
    joint = m.variance_left * move * m.variance_treatment
    spread = m.variance_left * (m.variance_treatment - m.variance_left)
    linear = delta * missing * (m.variance_treatment - m.variance_left) - gained * m.variance_left - joint * move
    coefficients = [(delta - 1) * spread, (delta - 2) * joint, linear, delta * missing * move * m.variance_treatment]
    roots = np.roots(np.trim_zeros(coefficients, "f"))
    biases = roots.real[np.abs(roots.imag) <= 1e-9 * np.maximum(np.abs(roots), 1e-300)]
    # Where this vanishes above and below the line of delta are both zero, so the root says nothing of delta.
    shared = move * m.variance_treatment + biases * (m.variance_treatment - m.variance_left)
    biases = biases[np.abs(shared) > 1e-6 * abs(move * m.variance_treatment)]
    candidates = sorted((float(m.estimate_full - bias) for bias in biases), key=lambda b: abs(b - m.estimate_full))
    onward = [b for b in candidates if np.sign(b - m.estimate_full) == -np.sign(move)]
    return (onward or candidates or [float("nan")])[0]
