"""Standard errors made for few clusters: CR2 with Satterthwaite degrees of freedom, and the jackknife CR3."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.inference.contrast import (
    Contrast,
    Parameter,
    annihilate,
    build_contrast,
    check_size,
    leave_out_weights,
    only_cluster,
    own_blocks,
    power_of_block,
)
from helpers.regression.collinearity import quadratic_form
from helpers.regression.effects import Codes, Floats
from helpers.regression.panel import PanelFit

Working = Literal["equal", "weights"]
"""Variances that CR2 takes for those of the errors: one for all, or those whose inverse the weights of the rows are."""


@dataclass(frozen=True)
class SmallSampleTest:
    """A linear combination with a standard error made for few clusters.

    Attributes
    ----------
    estimate, std_error, statistic
        Estimate, its standard error, and t = (estimate - null) / std_error.
    df
        Degrees of freedom of the t distribution.
    p_value
        Two-sided.
    ci_low, ci_high
        95 % interval.
    method
        "CR2", "CR3", or "clustered" (see `reduced_tests`).
    n_clusters
        Number of clusters.
    """

    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    ci_low: float
    ci_high: float
    method: str
    n_clusters: int


@dataclass(frozen=True)
class JointTest:
    """Several coefficients tested together.

    Attributes
    ----------
    statistic, df, p_value
        F, its degrees of freedom (numerator first) and its upper tail.
    n_clusters
        Number of clusters.
    """

    statistic: float
    df: tuple[float, float]
    p_value: float
    n_clusters: int


def cr2(fit: PanelFit, parameter: Parameter, *, null: float = 0.0, working: Working = "equal") -> SmallSampleTest:
    """Bias-reduced standard error with Satterthwaite degrees of freedom.

    V = sum over clusters of (w_g' A_g e_g)^2, A_g = (I - H_gg)^(-1/2), H the hat matrix of regressors and effects.
    With p_g = (I - H)_.g A_g w_g, df = (sum p_g'p_g)^2 / sum over g, h of (p_g'p_h)^2: the variance is unbiased, and
    its first two moments are those of chi2(df), when errors are independent with one variance. Where rows have weights,
    A_g = D_g (D_g V_g D_g)^(-1/2) D_g, D the working standard deviations and V_g the variance of the residuals under
    them.

    Parameters
    ----------
    fit
        A fit with one cluster variable.
    parameter
        A regressor, or weights of regressors such as {"x_east": 1, "x_west": -1}.
    null
        Value of the combination under the null.
    working
        Variances of the errors for which it is unbiased: "equal", or inverse to the "weights" of the rows; nearly so
        where weighted rows have effects within clusters. The same without weights.

    Raises
    ------
    StudyError
        As `build_contrast`; or the fit has no or two cluster variables.

    Notes
    -----
    Bell and McCaffrey (2002); the generalised inverse root for effects is that of Pustejovsky and Tipton (2018), and
    the numbers are those of R's clubSandwich, vcovCR(type = "CR2") with test = "Satterthwaite", and inverse_var = TRUE
    for weights as inverse variances.
    """
    return cr2_tests(fit, [parameter], null=null, working=working)[0]


def cr2_tests(
    fit: PanelFit, parameters: Iterable[Parameter], *, null: float = 0.0, working: Working = "equal"
) -> list[SmallSampleTest]:
    """As `cr2` for several parameters; what they share is worked out once."""
    codes = only_cluster(fit, "CR2")
    check_size(fit, codes, "CR2")
    deviations = _error_deviations(fit, working)
    roots = _roots(fit, codes, deviations)
    tests = []
    for parameter in parameters:
        contrast = build_contrast(fit, parameter)
        influence = _influence(fit, contrast, roots)
        spread = deviations[:, None] * influence
        products = spread.T @ spread
        df = float(np.trace(products) ** 2 / np.sum(products**2))
        variance = float(np.sum((influence.T @ fit.design.y_within) ** 2))
        tests.append(_collect(contrast, np.sqrt(variance), df, null, "CR2", len(roots)))
    return tests


def reduced_tests(fit: PanelFit, parameters: Iterable[Parameter]) -> list[SmallSampleTest]:
    """CR2 tests; the clustered t (method "clustered") among clusters so many that CR2 would correct nothing.

    Raises
    ------
    StudyError
        As `cr2`, except for too many clusters.
    """
    asked, codes = list(parameters), only_cluster(fit, "CR2")
    try:
        check_size(fit, codes, "CR2")
    except StudyError:
        contrasts = [build_contrast(fit, parameter) for parameter in asked]
        covariance = fit.covariance.to_numpy()
        return [
            _collect(
                contrast,
                float(np.sqrt(contrast.restriction @ covariance @ contrast.restriction)),
                fit.df,
                0.0,
                "clustered",
                fit.n_clusters,
            )
            for contrast in contrasts
        ]
    return cr2_tests(fit, asked)


def htz_wald(fit: PanelFit, parameters: Sequence[Parameter], *, working: Working = "equal") -> JointTest:
    """Test that several coefficients are zero, with the CR2 covariance and Hotelling's T2 (HTZ).

    Q = b' V^-1 b; with p_gs the influence of cluster g on coefficient s, both scaled by Omega^(-1/2), Omega the
    expectation of V, and P_gh = (p_gs' p_ht): eta = q (q + 1) / sum over g, h of (tr(P_gh)^2 + tr(P_gh P_gh)), and
    (eta - q + 1) / (eta q) Q is compared with F(q, eta - q + 1). For one coefficient it is the square of `cr2`.

    Parameters
    ----------
    fit
        A fit with one cluster variable.
    parameters
        q regressors, or weights of regressors.
    working
        As in `cr2`.

    Raises
    ------
    StudyError
        As `cr2`; or the clusters are too few for so many coefficients.

    Notes
    -----
    Pustejovsky and Tipton (2018), section 3.2; R clubSandwich, Wald_test(test = "HTZ").
    """
    codes = only_cluster(fit, "HTZ test")
    check_size(fit, codes, "HTZ test", len(parameters))
    deviations = _error_deviations(fit, working)
    roots = _roots(fit, codes, deviations)
    contrasts = [build_contrast(fit, parameter) for parameter in parameters]
    influence = np.stack([_influence(fit, contrast, roots) for contrast in contrasts])
    scores = np.einsum("sng,n->sg", influence, fit.design.y_within)
    spread = deviations[:, None] * influence
    expected = np.einsum("sng,tng->st", spread, spread)
    # Any root of Omega does: another turns P_gh only.
    scale = np.linalg.inv(np.linalg.cholesky(expected))
    scaled = np.einsum("rs,sng->rng", scale, spread)
    products = np.einsum("sng,tnh->ghst", scaled, scaled, optimize=True)
    traces = np.einsum("ghss->gh", products)
    q = len(contrasts)
    eta = q * (q + 1) / float(np.sum(traces**2) + np.einsum("ghst,ghts->", products, products))
    if eta - q + 1 <= 0:
        raise StudyError("HTZ test", f"{len(roots)} clusters are too few for {q} coefficients", "test fewer")
    wald = quadratic_form(np.array([contrast.estimate for contrast in contrasts]), scores @ scores.T)
    statistic = (eta - q + 1) / (eta * q) * wald
    return JointTest(
        statistic,
        (float(q), eta - q + 1),
        float(stats.f.sf(statistic, q, eta - q + 1)),
        len(roots),
    )


def _error_deviations(fit: PanelFit, working: Working) -> Floats:
    """Working standard deviations (n_obs,) of the errors times the roots of the weights, as the columns are.

    Raises
    ------
    StudyError
        No such working variances.
    """
    if working not in get_args(Working):
        raise StudyError(f"CR2, working {working}", "no such working variances", f"use one of {get_args(Working)}")
    root = fit.design.effects.root
    return np.ones(fit.design.n_obs) if root is None or working == "weights" else root


def _roots(fit: PanelFit, codes: Codes, deviations: Floats) -> list[tuple[Codes, Floats]]:
    """Rows of each cluster and its A_g, for residuals that are times the roots r of the weights.

    These are r_g^-1 A_g r_g with A_g as in `cr2`, D_g the deviations over r_g and V_g the block over r_g on both sides.
    """
    root = fit.design.effects.root
    if root is None:
        return [(own, power_of_block(block, -0.5)) for own, block in own_blocks(fit.design, codes)]
    roots = []
    for own, block in own_blocks(fit.design, codes, deviations):
        inner = deviations[own] / root[own] ** 2
        roots.append((own, inner[:, None] * power_of_block(inner[:, None] * block * inner, -0.5) * deviations[own]))
    return roots


def _influence(fit: PanelFit, contrast: Contrast, roots: list[tuple[Codes, Floats]]) -> Floats:
    """Columns p_g = (I - H)_.g A_g w_g, shape (n_obs, G)."""
    adjusted = np.zeros((fit.design.n_obs, len(roots)))
    for group, (own, root) in enumerate(roots):
        adjusted[own, group] = root @ contrast.weights[own]
    return annihilate(fit.design, adjusted)


def cr3(fit: PanelFit, parameter: Parameter, *, null: float = 0.0) -> SmallSampleTest:
    """Jackknife standard error over clusters: V = (G - 1)/G sum (estimate without g - estimate)^2, t(G - 1).

    Every fit without a cluster is made anew, effects included.

    Parameters
    ----------
    fit, parameter, null
        As in `cr2`.

    Raises
    ------
    StudyError
        As `cr2`; or the combination cannot be estimated without some cluster.

    Notes
    -----
    MacKinnon, Nielsen and Webb (2023), CV3; Stata's vce(jackknife, mse).
    """
    contrast, codes = build_contrast(fit, parameter), only_cluster(fit, "CR3")
    check_size(fit, codes, "CR3")
    changes = leave_out_weights(fit, contrast, codes) @ fit.design.y_within - contrast.estimate
    n_clusters = len(changes)
    std_error = np.sqrt((n_clusters - 1) / n_clusters * np.sum(changes**2))
    return _collect(contrast, std_error, n_clusters - 1, null, "CR3", n_clusters)


def _collect(
    contrast: Contrast, std_error: float, df: float, null: float, method: str, n_clusters: int
) -> SmallSampleTest:
    """Test and interval from t(df)."""
    statistic = (contrast.estimate - null) / float(std_error)
    half = float(stats.t.ppf(0.975, df) * std_error)
    return SmallSampleTest(
        estimate=contrast.estimate,
        std_error=float(std_error),
        statistic=statistic,
        df=float(df),
        p_value=float(2 * stats.t.sf(abs(statistic), df)),
        ci_low=contrast.estimate - half,
        ci_high=contrast.estimate + half,
        method=method,
        n_clusters=n_clusters,
    )
