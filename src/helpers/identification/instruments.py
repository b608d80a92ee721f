"""Two-stage least squares on a panel, with the strength of the instruments and an interval that does not rely on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.identification.anderson_rubin import AndersonRubin, in_units, invert_anderson_rubin
from helpers.identification.first_stage import FirstStage, measure_first_stage
from helpers.identification.instrument_setting import Setting, with_instruments, without_controls
from helpers.regression.collinearity import is_definite, solve, span
from helpers.regression.conventions import cluster_terms, count_sizes, raise_negative
from helpers.regression.design import Design, build_design
from helpers.regression.effects import Codes, Floats, group_sums
from helpers.regression.panel import fit_panel, read_clusters
from helpers.results.estimate import Estimate
from helpers.study.model import Model


@dataclass(frozen=True)
class InstrumentedFit:
    """Two-stage least squares.

    Attributes
    ----------
    estimates, std_errors, statistics, p_values, ci_low, ci_high
        Series by regressor, the treatment first; t with `df` degrees of freedom.
    covariance
        Covariance of the estimates.
    df
        Degrees of freedom.
    treatment, instruments, controls
        What was asked for.
    first_stage
        The treatment on the instruments.
    anderson_rubin
        Test and interval that hold however weak the instruments are.
    hansen_j, hansen_p_value
        Test of the instruments against each other; None with a single one, which cannot be tested, and where the
        moments have no positive definite covariance (two-way clusters, or fewer clusters than instruments).
    n_obs, n_entities, n_clusters, convention
        Rows, entities and clusters used; convention of the standard errors.
    """

    estimates: "pd.Series[float]"
    std_errors: "pd.Series[float]"
    statistics: "pd.Series[float]"
    p_values: "pd.Series[float]"
    ci_low: "pd.Series[float]"
    ci_high: "pd.Series[float]"
    covariance: pd.DataFrame
    df: int
    treatment: str
    instruments: tuple[str, ...]
    controls: tuple[str, ...]
    first_stage: FirstStage
    anderson_rubin: AndersonRubin
    hansen_j: float | None
    hansen_p_value: float | None
    n_obs: int
    n_entities: int
    n_clusters: int
    convention: str

    @property
    def effect(self) -> Estimate:
        """The treatment, with the p-value and the set of Anderson and Rubin; a set that is no interval has no ends."""
        found = self.anderson_rubin
        low, high = found.intervals[0] if len(found.intervals) == 1 else (None, None)
        return Estimate(
            estimate=float(self.estimates[self.treatment]),
            std_error=float(self.std_errors[self.treatment]),
            p_value=found.p_value,
            ci_low=low,
            ci_high=high,
            n_obs=self.n_obs,
            n_entities=self.n_entities,
            convention=f"two-stage least squares, {self.convention}; p-value and set by Anderson and Rubin "
            f"({found.shape})",
        )


def fit_instrumented(
    data: pd.DataFrame,
    model: Model,
    instruments: Sequence[str],
    *,
    convention: str = "stata",
    level: float = 0.95,
) -> InstrumentedFit:
    """Fit outcome = treatment + controls + effects + error, the treatment predicted from instruments.

    With W = [treatment, controls] and V = [instruments, controls] after the effects and P the projection on V:
    estimates = (W'PW)^-1 W'P y, covariance by the sandwich of PW and the residuals y - W b.

    Parameters
    ----------
    data
        Panel.
    model
        Outcome, treatment, controls, effects and cluster.
    instruments
        Columns that move the treatment and reach the outcome through it alone.
    convention
        As in `fit_panel`; without a cluster "iid", "hc1" or "hc0".
    level
        Coverage of the intervals.

    Raises
    ------
    StudyError
        No instrument; an instrument that does not vary, repeats a control or is absorbed by the effects, named with
        what absorbs it; what `fit_panel` says about the rest.
    """
    names = list(instruments)
    if not names:
        raise StudyError(f"instruments of {model.treatment}", "there are none", "name at least one column")
    effects: dict[str, Any] = {"entity_effects": model.entity_effects, "time_effects": model.time_effects}
    design = build_design(data, model.outcome, model.regressors, **effects)
    excluded = build_design(data, model.outcome, [*names, *model.controls], **effects)
    setting = _build_setting(read_clusters(data, design, model.cluster), design, excluded, len(names), convention)
    units = np.linalg.norm(design.y_within) / np.linalg.norm(design.x_within, axis=0)
    estimates, covariance = _two_stages(setting)
    beside = [*names, *model.controls]
    first = fit_panel(data, model.treatment, beside, **effects, cluster=model.cluster, convention=convention)
    j, j_p_value = _hansen(setting, estimates)
    found = _anderson_rubin(setting, float(estimates[0]), float(covariance[0, 0]) ** 0.5, level)
    return _collect(
        design, (estimates * units, covariance * np.outer(units, units)), setting, level,
        {
            "treatment": model.treatment, "instruments": tuple(names), "controls": model.controls,
            "first_stage": measure_first_stage(setting, first),
            "anderson_rubin": in_units(found, float(units[0])),
            "hansen_j": j, "hansen_p_value": j_p_value, "convention": convention,
        },
    )  # fmt: skip


def _build_setting(
    clusters: tuple[Codes, ...], design: Design, excluded: Design, n_instruments: int, convention: str
) -> Setting:
    """The columns after the effects, each of length one, so that no inverse depends on a unit."""
    if not clusters and convention == "stata":
        convention = "iid"
    regressors, others = (part.x_within / np.linalg.norm(part.x_within, axis=0) for part in (design, excluded))
    return Setting(
        outcome=design.y_within / np.linalg.norm(design.y_within),
        treatment=regressors[:, 0],
        controls=regressors[:, 1:],
        instruments=others[:, :n_instruments],
        clusters=clusters,
        sizes=count_sizes(design, clusters),
        convention=convention,
    )


def _two_stages(setting: Setting) -> tuple[Floats, Floats]:
    """Estimates (1 + k,) and their covariance."""
    columns = np.column_stack([setting.treatment, setting.controls])
    predicted = columns - span(np.column_stack([setting.instruments, setting.controls])).remove(columns)
    estimates, _ = solve(predicted, setting.outcome)
    covariance = setting.covariance(predicted, setting.outcome - columns @ estimates)
    return estimates, raise_negative(covariance, predicted, setting.sizes.n_slopes)


def _anderson_rubin(setting: Setting, estimate: float, std_error: float, level: float) -> AndersonRubin:
    outcome, treatment, instruments = without_controls(setting)
    gram = instruments.T @ instruments
    both = np.column_stack([outcome, treatment])
    slopes = np.linalg.solve(gram, instruments.T @ both)
    residuals = both - instruments @ slopes
    wider = with_instruments(setting)

    def at(null: float) -> tuple[Floats, Floats]:
        direction = np.array([1.0, -null])
        return slopes @ direction, wider.covariance(instruments, residuals @ direction)

    return invert_anderson_rubin(at, instruments.shape[1], wider.df, estimate, std_error, level)


def _hansen(setting: Setting, estimates: Floats) -> tuple[float | None, float | None]:
    """J of efficient two-step GMM and its p-value from chi2(K - 1)."""
    outcome, treatment, instruments = without_controls(setting)
    extra = instruments.shape[1] - 1
    if extra == 0:
        return None, None
    residuals = outcome - treatment * estimates[0]
    covariance = _moment_covariance(setting, instruments * residuals[:, None], residuals, instruments)
    if not is_definite(covariance):
        return None, None
    weight = np.linalg.inv(covariance)
    cross = instruments.T @ treatment
    second = float(cross @ weight @ (instruments.T @ outcome)) / float(cross @ weight @ cross)
    moments = instruments.T @ (outcome - treatment * second)
    j = float(moments @ weight @ moments)
    return j, float(stats.chi2.sf(j, extra))


def _moment_covariance(setting: Setting, scores: Floats, residuals: Floats, instruments: Floats) -> Floats:
    if not setting.clusters:
        if setting.convention == "iid":
            return np.asarray(instruments.T @ instruments * (residuals @ residuals / len(residuals)))
        return np.asarray(scores.T @ scores)
    sums = [(sign, group_sums(scores, codes)) for sign, codes in cluster_terms(setting.clusters)]
    return np.asarray(sum(sign * (own.T @ own) for sign, own in sums))


def _collect(
    design: Design, solution: tuple[Floats, Floats], setting: Setting, level: float, rest: dict[str, object]
) -> InstrumentedFit:
    names = pd.Index(design.regressors)
    estimates = pd.Series(solution[0], index=names)
    std_errors = pd.Series(np.sqrt(np.diag(solution[1])), index=names)
    half = stats.t.isf((1 - level) / 2, setting.df) * std_errors
    return InstrumentedFit(
        estimates=estimates,
        std_errors=std_errors,
        statistics=estimates / std_errors,
        p_values=pd.Series(2 * stats.t.sf(np.abs(estimates / std_errors), setting.df), index=names),
        ci_low=estimates - half,
        ci_high=estimates + half,
        covariance=pd.DataFrame(solution[1], index=names, columns=names),
        df=setting.df,
        n_obs=design.n_obs,
        n_entities=design.effects.n_entities,
        n_clusters=min(setting.sizes.n_clusters, default=0),
        **rest,  # type: ignore[arg-type]
    )
