"""Two-stage least squares on a panel, with the strength of the instruments and an interval that does not rely on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.identification.anderson_rubin import AndersonRubin, invert_anderson_rubin
from helpers.identification.first_stage import FirstStage, measure_first_stage
from helpers.identification.instrument_setting import Setting, with_instruments, without_controls
from helpers.regression.conventions import count_sizes
from helpers.regression.design import Design, build_design
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit_panel, read_clusters
from helpers.study.model import Cluster


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
    reduced_form
        The outcome on the instruments.
    anderson_rubin
        Test and interval that hold however weak the instruments are.
    hansen_j, hansen_p_value
        Test of the instruments against each other; None with a single one, which cannot be tested.
    ordinary
        The regression without instruments.
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
    reduced_form: PanelFit
    anderson_rubin: AndersonRubin
    hansen_j: float | None
    hansen_p_value: float | None
    ordinary: PanelFit
    n_obs: int
    n_entities: int
    n_clusters: int
    convention: str


def fit_instrumented(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    instruments: Sequence[str],
    controls: Sequence[str] = (),
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    cluster: Cluster = "entity",
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
    outcome, treatment, controls, entity_effects, time_effects, cluster, convention
        As in `fit_panel`; with cluster None the convention is "iid", "hc1" or "hc0".
    instruments
        Columns that move the treatment and reach the outcome through it alone.
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
        raise StudyError(f"instruments of {treatment}", "there are none", "name at least one column")
    effects = {"entity_effects": entity_effects, "time_effects": time_effects}
    design = build_design(data, outcome, [treatment, *controls], **effects)
    excluded = build_design(data, outcome, [*names, *controls], **effects)
    setting = _build_setting(data, design, excluded, len(names), cluster, convention)
    estimates, covariance = _two_stages(setting)
    fits = {
        role: fit_panel(data, left, right, **effects, cluster=cluster, convention=convention)
        for role, left, right in (
            ("first", treatment, [*names, *controls]),
            ("reduced", outcome, [*names, *controls]),
            ("ordinary", outcome, [treatment, *controls]),
        )
    }
    j, j_p_value = _hansen(setting, estimates)
    return _collect(
        design, (estimates, covariance), setting, level,
        {
            "treatment": treatment, "instruments": tuple(names), "controls": tuple(controls),
            "first_stage": measure_first_stage(setting, fits["first"]), "reduced_form": fits["reduced"],
            "anderson_rubin": _anderson_rubin(setting, float(estimates[0]), float(covariance[0, 0]) ** 0.5, level),
            "hansen_j": j, "hansen_p_value": j_p_value, "ordinary": fits["ordinary"], "convention": convention,
        },
    )  # fmt: skip


def _build_setting(
    data: pd.DataFrame, design: Design, excluded: Design, n_instruments: int, cluster: Cluster, convention: str
) -> Setting:
    clusters = read_clusters(data, design, cluster)
    if not clusters and convention == "stata":
        convention = "iid"
    return Setting(
        outcome=design.y_within,
        treatment=design.x_within[:, 0],
        controls=design.x_within[:, 1:],
        instruments=excluded.x_within[:, :n_instruments],
        clusters=clusters,
        sizes=count_sizes(design, clusters),
        convention=convention,
    )


def _two_stages(setting: Setting) -> tuple[Floats, Floats]:
    """Estimates (1 + k,) and their covariance."""
    columns = np.column_stack([setting.treatment, setting.controls])
    basis = np.linalg.qr(np.column_stack([setting.instruments, setting.controls]))[0]
    predicted = basis @ (basis.T @ columns)
    estimates = np.asarray(np.linalg.solve(predicted.T @ predicted, predicted.T @ setting.outcome), dtype=np.float64)
    return estimates, setting.covariance(predicted, setting.outcome - columns @ estimates)


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
    weight = np.linalg.inv(_moment_covariance(setting, instruments * residuals[:, None], residuals, instruments))
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
    sums = np.zeros((int(setting.clusters[0].max()) + 1, scores.shape[1]))
    np.add.at(sums, setting.clusters[0], scores)
    return np.asarray(sums.T @ sums)


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
