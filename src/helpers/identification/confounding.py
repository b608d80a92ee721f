"""Robustness to an omitted variable in terms of partial R2 (Cinelli and Hazlett 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.regression.collinearity import solve, span
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit


@dataclass(frozen=True)
class RobustnessValue:
    """How strong an omitted variable must be.

    Attributes
    ----------
    value
        Share of the residual variance of both treatment and outcome that it must explain to remove a share `q` of
        the estimate.
    value_alpha
        The same for the estimate no longer to differ from (1 - q) of itself at level `alpha`.
    partial_r2
        Share of the residual variance of the outcome that the treatment explains: what an omitted variable that
        explains all of the outcome must explain of the treatment to remove the estimate.
    statistic, df
        t statistic and degrees of freedom used.
    """

    value: float
    value_alpha: float
    partial_r2: float
    statistic: float
    df: float


def robustness_value(statistic: float, df: float, *, q: float = 1.0, alpha: float = 0.05) -> RobustnessValue:
    """Robustness value of a coefficient from its t statistic.

    RV = (sqrt(f^4 + 4 f^2) - f^2) / 2, f = q |t| / sqrt(df); for RV at level alpha f is less by t* / sqrt(df - 1),
    t* the critical value with df - 1 degrees of freedom.

    Parameters
    ----------
    statistic
        t statistic of the coefficient, conventional errors (N - K degrees of freedom).
    df
        Residual degrees of freedom.
    q
        Share of the estimate to remove; 1 is all of it.
    alpha
        Level of the test.

    Raises
    ------
    StudyError
        q not positive, alpha not in (0, 1], or fewer than two degrees of freedom.

    Notes
    -----
    Cinelli and Hazlett (2020), as R's sensemakr prints it.
    """
    if q <= 0 or not 0 < alpha <= 1 or df <= 1:
        raise StudyError("robustness value", f"q {q}, alpha {alpha}, df {df}", "use q > 0, 0 < alpha <= 1, df > 1")
    f = q * abs(statistic) / np.sqrt(df)
    critical = float(stats.t.isf(alpha / 2, df - 1) / np.sqrt(df - 1))
    at_alpha = _robustness(f - critical) if f > critical else 0.0
    if f > critical > 0 and f > 1 / critical:
        # Beyond this the outcome side is exhausted: all of its residual variance would have to be explained.
        at_alpha = (f**2 - critical**2) / (1 + f**2)
    partial_r2 = statistic**2 / (statistic**2 + df)
    return RobustnessValue(float(_robustness(f)), float(at_alpha), float(partial_r2), statistic, df)


def value_of(fit: PanelFit, term: str, *, alpha: float = 0.05) -> RobustnessValue:
    """The robustness value of one regressor of a fit, from conventional errors as its authors define it."""
    estimates, std_errors, df = conventional(fit)
    return robustness_value(float(estimates[term] / std_errors[term]), df, alpha=alpha)


def _robustness(f: float) -> float:
    return float((np.sqrt(f**4 + 4 * f**2) - f**2) / 2)


def adjust_for_confounder(
    estimate: float, std_error: float, df: float, r2_treatment: ArrayLike, r2_outcome: ArrayLike
) -> tuple[Floats, Floats]:
    """Estimate and standard error once an omitted variable that shrinks the estimate is included.

    bias = std_error sqrt(df) sqrt(r2_outcome r2_treatment / (1 - r2_treatment));
    std_error x sqrt((1 - r2_outcome) / (1 - r2_treatment) x df / (df - 1)).

    Parameters
    ----------
    estimate, std_error, df
        Of the coefficient, conventional errors.
    r2_treatment, r2_outcome
        Shares of the residual variance of treatment and outcome that the omitted variable explains, in [0, 1); any
        shapes that broadcast.
    """
    treatment, outcome = np.asarray(r2_treatment, dtype=float), np.asarray(r2_outcome, dtype=float)
    if (treatment < 0).any() or (treatment >= 1).any() or (outcome < 0).any() or (outcome > 1).any():
        raise StudyError("omitted variable", "a partial R2 is outside [0, 1)", "use shares of variance")
    bias = std_error * np.sqrt(df) * np.sqrt(outcome * treatment / (1 - treatment))
    adjusted = np.sign(estimate) * (np.abs(estimate) - bias)
    return adjusted, std_error * np.sqrt((1 - outcome) / (1 - treatment) * df / (df - 1))


def confounder_bounds(
    fit: PanelFit, treatment: str, benchmarks: Sequence[str], *, times: Sequence[float] = (1.0, 2.0, 3.0)
) -> pd.DataFrame:
    """The estimate if an omitted variable were as strong as an observed control, or some times as strong.

    Parameters
    ----------
    fit
        Any fit; its conventional standard errors are used (residual variance on N - K).
    treatment
        Regressor whose estimate is at stake.
    benchmarks
        Controls to compare with.
    times
        How many times as strong as the control, for treatment and outcome alike.

    Returns
    -------
    pandas.DataFrame
        Indexed by (benchmark, times): `r2_treatment`, `r2_outcome` of the omitted variable, `estimate`, `std_error`,
        `statistic`. Missing where such a variable would have to explain more than everything.

    Raises
    ------
    StudyError
        A name that is not a regressor of the fit.
    """
    estimates, std_errors, df = conventional(fit)
    for name in (treatment, *benchmarks):
        if name not in fit.regressors:
            raise StudyError(f"regressor {name}", "it is not in the fit", f"use one of {list(fit.regressors)}")
    rows = []
    for benchmark in benchmarks:
        with_treatment = _partial_r2_of_columns(fit, treatment, benchmark)
        t_outcome = estimates[benchmark] / std_errors[benchmark]
        with_outcome = t_outcome**2 / (t_outcome**2 + df)
        for strength in times:
            r2 = _bound(with_treatment, with_outcome, strength)
            figures = np.full(2, np.nan)
            if not np.isnan(r2[0]):
                pair = adjust_for_confounder(estimates[treatment], std_errors[treatment], df, *r2)
                figures = np.array([float(value) for value in pair])
            rows.append((benchmark, strength, *r2, *figures, figures[0] / figures[1]))
    columns = ["benchmark", "times", "r2_treatment", "r2_outcome", "estimate", "std_error", "statistic"]
    return pd.DataFrame(rows, columns=columns).set_index(["benchmark", "times"])


def confounder_contour(
    fit: PanelFit, treatment: str, *, largest: float = 0.4, steps: int = 81
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Adjusted estimate and t statistic over a grid of strengths of an omitted variable, for contour plots.

    Parameters
    ----------
    fit, treatment
        As in `confounder_bounds`.
    largest, steps
        Largest partial R2 on both axes, below 1, and points on each axis.

    Returns
    -------
    tuple of pandas.DataFrame
        Estimates, then t statistics: rows are the partial R2 with the outcome, columns that with the treatment.
    """
    estimates, std_errors, df = conventional(fit)
    axis = np.linspace(0.0, largest, steps)
    adjusted, spread = adjust_for_confounder(
        estimates[treatment], std_errors[treatment], df, axis[None, :], axis[:, None]
    )
    rows, columns = pd.Index(axis, name="r2_outcome"), pd.Index(axis, name="r2_treatment")
    statistics = adjusted / spread
    return pd.DataFrame(adjusted, index=rows, columns=columns), pd.DataFrame(statistics, index=rows, columns=columns)


def conventional(fit: PanelFit) -> tuple[dict[str, float], dict[str, float], int]:
    """Estimates, standard errors for independent errors of one variance, and N - K."""
    df = fit.n_obs - fit.sizes.n_parameters
    residual_variance = float((fit.residuals**2).sum()) / df
    _, weights = solve(fit.design.x_within, fit.design.y_within)
    std_errors = np.sqrt(residual_variance * (weights**2).sum(axis=0))
    names = fit.regressors
    return dict(zip(names, fit.estimates, strict=True)), dict(zip(names, std_errors, strict=True)), df


def _partial_r2_of_columns(fit: PanelFit, treatment: str, benchmark: str) -> float:
    """Share of the treatment's residual variance that a control explains, given the other controls and effects."""
    x = fit.design.x_within / np.linalg.norm(fit.design.x_within, axis=0)
    first, second = fit.regressors.index(treatment), fit.regressors.index(benchmark)
    others = np.delete(x, [first, second], axis=1)
    pair = span(others).remove(x[:, [first, second]])
    return float((pair[:, 0] @ pair[:, 1]) ** 2 / (pair[:, 0] @ pair[:, 0]) / (pair[:, 1] @ pair[:, 1]))


def _bound(with_treatment: float, with_outcome: float, times: float) -> tuple[float, float]:
    """Partial R2 with treatment and outcome of a variable `times` as strong as a control (NaN beyond everything)."""
    r2_treatment = times * with_treatment / (1 - with_treatment)
    if r2_treatment >= 1 or times * with_treatment >= 1:
        return float("nan"), float("nan")
    shared = times * with_treatment**2 / ((1 - times * with_treatment) * (1 - with_treatment))
    if shared >= 1:
        return float("nan"), float("nan")
    root = (np.sqrt(times) + np.sqrt(shared)) / np.sqrt(1 - shared)
    r2_outcome = float(root**2 * with_outcome / (1 - with_outcome))
    return (r2_treatment, r2_outcome) if r2_outcome < 1 else (float("nan"), float("nan"))
