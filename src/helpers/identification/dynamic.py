"""Dynamic panels: difference and system GMM with Windmeijer's correction, Hansen's J and tests for AR(1) and AR(2)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.identification.dynamic_moments import Layout, Moments, build_moments
from helpers.regression.effects import Floats
from helpers.results.estimate import Estimate
from helpers.study.model import Model

DEFAULT = Layout()


@dataclass(frozen=True)
class DynamicFit:
    """A dynamic panel model.

    Attributes
    ----------
    estimates, std_errors, statistics, p_values, ci_low, ci_high
        Series by coefficient (lags of the outcome first, time effects and the intercept last); z from the normal
        distribution, intervals 95 %. Standard errors: two steps by Windmeijer (2005), one step robust.
    covariance
        Covariance of the estimates.
    hansen_j, hansen_df, hansen_p_value
        Hansen's test of the overidentifying restrictions at the estimates of two steps, after one step too (as Stata's
        xtabond2, robust, has it); NaN without any. With many instruments it loses its power: a p-value near 1 is no
        comfort.
    ar1, ar1_p_value, ar2, ar2_p_value
        Arellano and Bond's z for serial correlation in the differenced residuals; AR(1) is expected, AR(2) is not.
    n_obs
        Rows of the differenced equation (difference) or the level equation (system).
    n_entities, n_instruments
        Entities and instruments used.
    steps, system
        Steps taken, and whether level equations are in.
    notes
        What a reader must know, such as more instruments than entities.
    """

    estimates: "pd.Series[float]"
    std_errors: "pd.Series[float]"
    statistics: "pd.Series[float]"
    p_values: "pd.Series[float]"
    ci_low: "pd.Series[float]"
    ci_high: "pd.Series[float]"
    covariance: pd.DataFrame
    hansen_j: float
    hansen_df: int
    hansen_p_value: float
    ar1: float
    ar1_p_value: float
    ar2: float
    ar2_p_value: float
    n_obs: int
    n_entities: int
    n_instruments: int
    steps: int
    system: bool
    notes: tuple[str, ...]

    def __getitem__(self, term: str) -> Estimate:
        """One coefficient with everything that belongs to it."""
        return Estimate(
            estimate=float(self.estimates[term]),
            std_error=float(self.std_errors[term]),
            statistic=float(self.statistics[term]),
            p_value=float(self.p_values[term]),
            ci_low=float(self.ci_low[term]),
            ci_high=float(self.ci_high[term]),
            n_obs=self.n_obs,
            n_entities=self.n_entities,
            convention=f"{'system' if self.system else 'difference'} GMM, {self.steps} step"
            f"{'s, Windmeijer correction' if self.steps == 2 else ', robust'}, normal",
        )


def fit_dynamic(data: pd.DataFrame, model: Model, layout: Layout = DEFAULT, *, steps: int = 2) -> DynamicFit:
    """Fit outcome = lags of the outcome + regressors + effects of entity and time by GMM.

    Difference GMM (Arellano and Bond 1991) takes differences and uses earlier levels as instruments; system GMM
    (Blundell and Bond 1998) adds the level equations with earlier differences. Weights of the first step are those for
    independent errors of one variance, of the second step those of the first step's residuals. Every column is brought
    to length one before any rank is decided or any weight inverted, so that no result depends on a unit; the origin of
    a column whose levels are instruments (the outcome, what is predetermined) does matter. With more instruments than
    entities the second weight is a generalised inverse, which is another one in every scale of the columns: programs
    then print different numbers, of which none is better.

    Parameters
    ----------
    data
        Panel with consecutive times.
    model
        Outcome, regressors and whether there are time effects; effects of entities are always there.
    layout
        Which lags and which columns are instruments.
    steps
        1 or 2.

    Raises
    ------
    StudyError
        Fewer instruments or entities than coefficients, coefficients that the instruments cannot tell apart, and what
        `helpers.identification.dynamic_moments.build_moments` says.

    Notes
    -----
    Roodman (2009), Stata Journal 9(1), for the layout; Windmeijer (2005), Journal of Econometrics 126(1).
    """
    earliest = (layout.outcome_lags[0], layout.predetermined_lags[0])
    if steps not in (1, 2) or layout.lags < 1 or earliest[0] < 2 or earliest[1] < 1:
        raise StudyError(
            f"dynamic model of {model.outcome}",
            f"steps {steps}, lags {layout.lags}, instruments from lag {earliest[0]} and {earliest[1]} on",
            "use 1 or 2 steps, 1 lag or more, instruments of the outcome from lag 2 on",
        )
    moments = build_moments(data, model, layout)
    sums = _Sums.of(moments)
    _check_identified(sums, moments, model.outcome)
    first = _step(
        moments, sums, _inverse(np.einsum("grl,rs,gsm->lm", moments.instruments, moments.weight, moments.instruments))
    )
    last = first
    if steps == 2:
        last = _correct(moments, sums, first, _step(moments, sums, _inverse(first.spread)))
    return _collect(moments, sums, last, steps, layout.system)


@dataclass(frozen=True)
class _Sums:
    """Z'X (L, k) and Z'y (L,)."""

    cross: Floats
    right: Floats

    @classmethod
    def of(cls, moments: Moments) -> "_Sums":
        return cls(
            np.einsum("grl,grk->lk", moments.instruments, moments.regressors),
            np.einsum("grl,gr->l", moments.instruments, moments.outcome),
        )


@dataclass(frozen=True)
class _Step:
    """Estimates (k,), covariance (k, k), weight W (L, L), bread (X'ZWZ'X)^-1, residuals (G, R), spread of moments."""

    estimates: Floats
    covariance: Floats
    weight: Floats
    bread: Floats
    residuals: Floats
    spread: Floats


def _inverse(matrix: Floats) -> Floats:
    """Inverse, or the generalised one where there are more instruments than entities."""
    return np.asarray(np.linalg.pinv(matrix, rcond=1e-12, hermitian=True))


def _step(moments: Moments, sums: _Sums, weight: Floats) -> _Step:
    """Estimates under a weight, with the robust covariance."""
    half = sums.cross.T @ weight
    bread = np.asarray(np.linalg.inv(half @ sums.cross), dtype=np.float64)
    estimates = bread @ (half @ sums.right)
    residuals = np.where(moments.used, moments.outcome - moments.regressors @ estimates, 0.0)
    scores = np.einsum("grl,gr->gl", moments.instruments, residuals)
    spread = scores.T @ scores
    covariance = bread @ half @ spread @ half.T @ bread
    return _Step(estimates, covariance, weight, bread, residuals, spread)


def _correct(moments: Moments, sums: _Sums, first: _Step, second: _Step) -> _Step:
    """Windmeijer's covariance: V2 + D V2 + V2 D' + D V1 D', D the change of the second step with the first."""
    scores = np.einsum("grl,gr->gl", moments.instruments, first.residuals)
    slopes = np.einsum("grl,grk->glk", moments.instruments, moments.regressors)
    half = second.bread @ sums.cross.T @ second.weight
    tail = second.weight @ np.einsum("grl,gr->l", moments.instruments, second.residuals)
    changes = [
        half
        @ (np.einsum("gl,gm->lm", slopes[:, :, j], scores) + np.einsum("gl,gm->lm", scores, slopes[:, :, j]))
        @ tail
        for j in range(slopes.shape[2])
    ]
    change = np.stack(changes, axis=1)
    naive = second.bread
    covariance = naive + change @ naive + naive @ change.T + change @ first.covariance @ change.T
    return _Step(second.estimates, covariance, second.weight, second.bread, second.residuals, second.spread)


def _check_identified(sums: _Sums, moments: Moments, outcome: str) -> None:
    n_instruments, k = sums.cross.shape
    if n_instruments < k:
        raise StudyError(
            f"dynamic model of {outcome}",
            f"{n_instruments} instruments for {k} coefficients",
            "allow more lags as instruments",
        )
    entities = int(moments.used.any(axis=1).sum())
    if entities < k:
        raise StudyError(
            f"dynamic model of {outcome}",
            f"{entities} entities for {k} coefficients",
            "use fewer regressors, or more entities",
        )
    values = np.linalg.svd(sums.cross, compute_uv=False)
    if not moments.regressors.any(axis=(0, 1)).all() or values[-1] <= 1e-10 * values[0]:
        raise StudyError(
            f"dynamic model of {outcome}",
            f"the instruments cannot tell its coefficients apart: {', '.join(moments.names)}",
            "leave out a regressor that the effects absorb or that repeats another",
        )


def _serial_correlation(moments: Moments, sums: _Sums, step: _Step, order: int) -> float:
    """Arellano and Bond's z for correlation of the differenced residuals with those `order` times earlier."""
    n = moments.n_differences
    own = step.residuals[:, :n]
    if order >= n:
        return float("nan")
    earlier = np.zeros_like(own)
    earlier[:, order:] = own[:, :-order]
    earlier *= moments.used[:, :n]
    products = np.einsum("gr,gr->g", earlier, own)
    slopes = np.einsum("gr,grk->k", earlier, moments.regressors[:, :n])
    scores = np.einsum("grl,gr->gl", moments.instruments, step.residuals)
    half = step.bread @ sums.cross.T @ step.weight
    variance = products @ products - 2 * slopes @ half @ (scores.T @ products) + slopes @ step.covariance @ slopes
    return float(products.sum() / np.sqrt(variance)) if variance > 0 else float("nan")


def _collect(moments: Moments, sums: _Sums, step: _Step, steps: int, system: bool) -> DynamicFit:
    names = pd.Index(moments.names)
    covariance = moments.to_units @ step.covariance @ moments.to_units.T
    estimates = pd.Series(moments.to_units @ step.estimates, index=names)
    std_errors = pd.Series(np.sqrt(np.diag(covariance)), index=names)
    statistics = estimates / std_errors
    half = stats.norm.isf(0.025) * std_errors
    j, df = _hansen(moments, sums, step, steps)
    ar = {order: _serial_correlation(moments, sums, step, order) for order in (1, 2)}
    levels = moments.used[:, moments.n_differences :] if system else moments.used[:, : moments.n_differences]
    n_entities, n_instruments = int(moments.used.any(axis=1).sum()), moments.instruments.shape[2]
    notes = (
        (f"{n_instruments} instruments for {n_entities} entities: Hansen's test says little",)
        if n_instruments > n_entities
        else ()
    )
    return DynamicFit(
        estimates=estimates,
        std_errors=std_errors,
        statistics=statistics,
        p_values=pd.Series(2 * stats.norm.sf(np.abs(statistics)), index=names),
        ci_low=estimates - half,
        ci_high=estimates + half,
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        hansen_j=j,
        hansen_df=df,
        hansen_p_value=float(stats.chi2.sf(j, df)) if df else float("nan"),
        ar1=ar[1],
        ar1_p_value=float(2 * stats.norm.sf(abs(ar[1]))),
        ar2=ar[2],
        ar2_p_value=float(2 * stats.norm.sf(abs(ar[2]))),
        n_obs=int(levels.sum()),
        n_entities=n_entities,
        n_instruments=n_instruments,
        steps=steps,
        system=system,
        notes=notes,
    )


def _hansen(moments: Moments, sums: _Sums, step: _Step, steps: int) -> tuple[float, int]:
    """J at the efficient weight and its degrees of freedom."""
    df = sums.cross.shape[0] - sums.cross.shape[1]
    if df == 0:
        return float("nan"), 0
    if steps == 1:
        step = _step(moments, sums, _inverse(step.spread))
    scores = np.einsum("grl,gr->l", moments.instruments, step.residuals)
    return float(scores @ step.weight @ scores), df
