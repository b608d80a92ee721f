"""The standard-error passport: one coefficient under every named convention."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.inference.contrast import only_cluster
from helpers.inference.dependence import conley_meat, driscoll_kraay_meat, newey_west_meat, read_places
from helpers.inference.small_sample import cr2, cr3
from helpers.regression.collinearity import solve
from helpers.regression.conventions import CONVENTIONS, ROUNDING, Sizes, cluster_covariance, count_sizes, is_rounding
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit


@dataclass(frozen=True)
class _Entry:
    """One line: who prints it, its factor on the raw sandwich, that sandwich's variance, degrees of freedom."""

    name: str
    assumes: str
    software: str
    formula: str
    factor: float
    variance: float
    df: float


@dataclass(frozen=True)
class _Sample:
    """What the lines share: the fit, the coefficient's weights (n_obs,), and their products with the residuals."""

    fit: PanelFit
    weights: Floats
    scores: Floats


def standard_error_passport(
    fit: PanelFit,
    parameter: str,
    *,
    lag: int | None = None,
    coordinates: pd.DataFrame | None = None,
    cutoff_km: float | None = None,
    kernel: Literal["uniform", "bartlett"] = "uniform",
) -> pd.DataFrame:
    """The standard error of one coefficient under every named convention, with the program that prints it.

    Parameters
    ----------
    fit
        A fit with one cluster variable.
    parameter
        The regressor.
    lag
        Lags of Driscoll-Kraay and Newey-West; None is the largest integer not above T^(1/4), plm's default.
    coordinates, cutoff_km, kernel
        `latitude` and `longitude` in degrees by entity, to add Conley's standard error: entities within `cutoff_km`
        depend on each other, with weight 1 ("uniform") or falling to 0 at the cutoff ("bartlett").

    Returns
    -------
    pandas.DataFrame
        Indexed by convention: `assumes` (which errors may be related), `software`, `formula` (of the factor),
        `factor` (on the raw sandwich), `std_error`, `statistic`, `df`, `p_value`. N rows, k regressors, K regressors
        and effects, G clusters, T times. A convention that the sample does not allow has missing figures and
        says so under `formula`.

    Raises
    ------
    StudyError
        The regressor is not in the fit, the fit has no or two cluster variables, or bad coordinates.
    """
    only_cluster(fit, "standard-error passport")
    if parameter not in fit.regressors:
        raise StudyError(f"regressor {parameter}", "it is not in the fit", f"use one of {list(fit.regressors)}")
    weights = solve(fit.design.x_within, fit.design.y_within)[1][:, fit.regressors.index(parameter)]
    residuals = fit.residuals.loc[fit.design.index].to_numpy()
    sample = _Sample(fit, weights, (weights * residuals)[:, None])
    lags = int(fit.n_times**0.25 + 1e-9) if lag is None else lag
    entries = [*_independent(sample, residuals), *_clustered(sample), *_two_way(sample), *_over_time(sample, lags)]
    entries += _few_clusters(sample, parameter)
    if coordinates is not None:
        entries.append(_conley(sample, coordinates, cutoff_km, kernel))
    entries = [_told(entry, sample.scores) for entry in entries]
    table = pd.DataFrame([vars(entry) for entry in entries]).set_index("name")
    table["std_error"] = np.sqrt(table["factor"] * table.pop("variance"))
    table["statistic"] = fit.estimates[parameter] / table["std_error"]
    table["p_value"] = 2 * stats.t.sf(table["statistic"].abs(), table["df"])
    return table[["assumes", "software", "formula", "factor", "std_error", "statistic", "df", "p_value"]]


def _told(entry: _Entry, scores: Floats) -> _Entry:
    """A line, without figures where its variance is rounding."""
    if not is_rounding(np.array([entry.variance]), scores).item():
        return entry
    reason = "not defined here: the errors that may be related cancel under these effects"
    if entry.variance < -ROUNDING * np.sum(scores**2):
        reason = "not defined here: the variance is negative"
    return replace(entry, formula=reason, factor=np.nan, variance=np.nan, df=np.nan)


def _independent(sample: _Sample, residuals: Floats) -> Iterator[_Entry]:
    """Errors unrelated to each other."""
    sizes = sample.fit.sizes
    df = sizes.n_obs - sizes.n_parameters
    own = float((sample.weights @ sample.weights) * (residuals @ residuals) / sizes.n_obs)
    factor = sizes.n_obs / df
    yield _Entry("iid", "nothing related, one variance", "every program's default", "N/(N - K)", factor, own, df)
    white = (sample.scores.T @ sample.scores).item()
    software = "Stata areg, vce(robust); R fixest vcov = 'hetero'; lm + HC1"
    yield _Entry("hc1", "nothing related, any variance", software, "N/(N - K)", factor, white, df)


def _clustered(sample: _Sample) -> Iterator[_Entry]:
    """Errors related within the clusters of the fit, then within times."""
    fit = sample.fit
    raw = _raw(sample, "plm", fit.sizes)
    label = fit.cluster if isinstance(fit.cluster, str) else "cluster"
    for name in ("stata", "plm", "lfe", "areg", "linearmodels", "linearmodels_group"):
        rule = CONVENTIONS[name]
        factor = rule.factor(fit.sizes, fit.n_clusters)
        yield _Entry(name, f"within {label}", rule.software, rule.formula, factor, raw, rule.df(fit.sizes))
    effects = fit.design.effects
    sizes = count_sizes(fit.design, (effects.time,))
    rule = CONVENTIONS["stata"]
    meat = driscoll_kraay_meat(sample.scores, effects.time, 0)
    factor = rule.factor(sizes, effects.n_times)
    yield _Entry("time_stata", "within time", rule.software, rule.formula, factor, meat.item(), rule.df(sizes))


def _raw(sample: _Sample, name: str, sizes: Sizes) -> float:
    """Variance of the coefficient from the clusters of the fit under a convention."""
    fit = sample.fit
    covariance = cluster_covariance(sample.scores, fit.clusters, sizes, CONVENTIONS[name])
    return float(covariance.item())


def _two_way(sample: _Sample) -> Iterator[_Entry]:
    """Errors related within the clusters of the fit and within times."""
    fit = sample.fit
    clusters = (fit.clusters[0], fit.design.effects.time)
    sizes = count_sizes(fit.design, clusters)
    assumes = f"within {fit.cluster} and within time"
    raw_terms = cluster_covariance(sample.scores, clusters, sizes, CONVENTIONS["plm"])
    raw = float(raw_terms.item())
    software = {
        "stata": "Stata reghdfe, two cluster variables; R fixest; pyfixest",
        "conventional": CONVENTIONS["conventional"].software,
        "plm": "R plm, vcovDC(type = 'HC0')",
    }
    for name, printed_by in software.items():
        rule = CONVENTIONS[name]
        covariance = cluster_covariance(sample.scores, clusters, sizes, rule)
        factor = float(covariance.item()) / raw if raw else np.nan
        yield _Entry(f"two_way_{name}", assumes, printed_by, rule.formula, factor, raw, rule.df(sizes))


def _over_time(sample: _Sample, lag: int) -> Iterator[_Entry]:
    """Errors related over time, with all entities at once or each by itself."""
    effects, sizes = sample.fit.design.effects, sample.fit.sizes
    across = driscoll_kraay_meat(sample.scores, effects.time, lag).item()
    assumes = f"within time, and up to lag {lag}"
    df = sizes.n_obs - sizes.n_parameters
    yield _Entry("driscoll_kraay_plm", assumes, f"R plm, vcovSCC(maxlag = {lag})", "1", 1.0, across, df)
    by_time = count_sizes(sample.fit.design, (effects.time,))
    rule = CONVENTIONS["stata"]
    factor = rule.factor(by_time, effects.n_times)
    formula = "T/(T - 1) x (N - 1)/(N - K without time effects)"
    software = f"R fixest, vcov = DK({lag}); pyfixest"
    yield _Entry("driscoll_kraay_fixest", assumes, software, formula, factor, across, rule.df(by_time))
    within = newey_west_meat(sample.scores, effects.entity, effects.time, lag).item()
    software = f"R plm, vcovNW(maxlag = {lag})"
    yield _Entry("newey_west_plm", f"within entity, up to lag {lag}", software, "1", 1.0, within, df)


def _few_clusters(sample: _Sample, parameter: str) -> Iterator[_Entry]:
    """Standard errors made for few clusters."""
    fit = sample.fit
    assumes = f"within {fit.cluster}, few clusters"
    software = "R clubSandwich, vcovCR(type = 'CR2') with Satterthwaite df"
    try:
        reduced = cr2(fit, parameter)
    except StudyError as reason:
        yield _Entry("cr2", assumes, software, f"not fitted, because {reason.rule}", *[np.nan] * 3)
        yield _Entry("cr3", assumes, software, f"not fitted, because {reason.rule}", *[np.nan] * 3)
        return
    formula = "(I - H_gg)^(-1/2) on the residuals of each cluster"
    yield _Entry("cr2", assumes, software, formula, 1.0, reduced.std_error**2, reduced.df)
    software = "Stata vce(jackknife, mse); R summclust CV3"
    factor = (fit.n_clusters - 1) / fit.n_clusters
    try:
        jackknife = cr3(fit, parameter)
    except StudyError as reason:
        yield _Entry("cr3", assumes, software, f"not defined here: {reason.where}: {reason.rule}", *[np.nan] * 3)
        return
    formula = "(G - 1)/G on the changes of the estimate without each cluster"
    yield _Entry("cr3", assumes, software, formula, factor, jackknife.std_error**2 / factor, jackknife.df)


def _conley(
    sample: _Sample, coordinates: pd.DataFrame, cutoff_km: float | None, kernel: Literal["uniform", "bartlett"]
) -> _Entry:
    """Errors related among entities that are near each other."""
    if cutoff_km is None or not cutoff_km > 0:
        raise StudyError("Conley, cutoff_km", f"it is {cutoff_km}", "give the kilometres of dependence")
    design, sizes = sample.fit.design, sample.fit.sizes
    entities = design.index.levels[0][np.unique(design.index.codes[0])]
    places = read_places(coordinates, entities)
    variance = conley_meat(sample.scores, design.effects.entity, places, cutoff_km, kernel).item()
    assumes = f"among entities within {cutoff_km:g} km, {kernel} kernel, all times"
    return _Entry("conley", assumes, "Conley (1999)", "1", 1.0, variance, sizes.n_obs - sizes.n_parameters)
