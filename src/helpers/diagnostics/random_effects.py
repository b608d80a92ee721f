"""Random effects by Swamy and Arora, and the tests of fixed against random effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.diagnostics.effects_tests import Diagnostic
from helpers.errors import StudyError
from helpers.regression.collinearity import SEPARATE, Basis, is_definite, quadratic_form, solve, span
from helpers.regression.design import CONSTANT, Design, build_design
from helpers.regression.effects import Codes, Effects, Floats, group_means, group_sums
from helpers.regression.panel import fit_panel
from helpers.results.estimate import Estimate

Variance = Literal["baltagi_chang", "harmonic_mean"]


@dataclass(frozen=True)
class RandomEffectsFit:
    """A regression with random entity effects.

    Attributes
    ----------
    estimates
        Series indexed by regressor, `const` last.
    covariance
        Covariance of the estimates.
    variance_idiosyncratic, variance_entity, variance_time
        Estimated variances of the error, of the entity effect and of the time effect (0 where there is none).
    theta
        Share of the entity mean that is subtracted, by entity: 1 - sqrt(s2_e / (s2_e + T_i s2_u)).
    n_obs, n_entities
        Rows and entities used.
    convention
        What the standard errors rest on, in words.
    """

    estimates: pd.Series
    covariance: pd.DataFrame
    variance_idiosyncratic: float
    variance_entity: float
    theta: pd.Series
    n_obs: int
    n_entities: int
    convention: str
    variance_time: float = 0.0

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors, indexed like the estimates."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.estimates.index)

    def __getitem__(self, term: str) -> Estimate:
        """One regressor's estimate; z statistic, two-sided normal p-value and 95 % interval."""
        estimate, std_error = float(self.estimates[term]), float(self.std_errors[term])
        half = float(stats.norm.ppf(0.975)) * std_error
        return Estimate(
            estimate=estimate,
            std_error=std_error,
            statistic=estimate / std_error,
            p_value=float(2 * stats.norm.sf(abs(estimate / std_error))),
            ci_low=estimate - half,
            ci_high=estimate + half,
            n_obs=self.n_obs,
            n_entities=self.n_entities,
            convention=self.convention,
        )


def fit_random_effects(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    time_effects: bool = False,
    cluster: bool = False,
    variance: Variance = "baltagi_chang",
) -> RandomEffectsFit:
    """Fit random entity effects by feasible least squares, with the variances of Swamy and Arora (1972).

    s2_e = RSS within / (N - G - K_w). Balanced: s2_u = RSS between / (G - K_b) - s2_e / T. Unbalanced: as `variance`
    says; both forms are the same when the panel is balanced. A negative s2_u is set to 0.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`; regressors that are constant within entities are allowed.
    time_effects
        Adds a dummy for each time but the first to the regressors.
    cluster
        False: conventional covariance, residual variance on N - K, as plm prints it.
        True: clustered by entity, G/(G-1) x (N-1)/(N-K), as Stata xtreg, re vce(cluster) prints it.
    variance
        s2_u of an unbalanced panel: "baltagi_chang" (1994; R plm) or "harmonic_mean" (Stata xtreg, re: the balanced
        form on entity means with T the harmonic mean of the rows of an entity).

    Raises
    ------
    StudyError
        As `fit_panel`.
    """
    design = build_design(data, outcome, regressors)
    x, names = _with_time(design, time_effects)
    means = np.append(x[:, :-1].mean(axis=0), 0.0)
    y, x = design.y - design.y.mean(), x - means
    variance_error, variance_entity = _variances(y, x, design.effects, variance)
    sizes = np.bincount(design.effects.entity)
    theta = 1 - np.sqrt(variance_error / (variance_error + sizes * variance_entity))
    columns = np.column_stack([y, x])
    columns -= theta[design.effects.entity, None] * group_means(columns, design.effects.entity)[design.effects.entity]
    estimates, covariance = _least_squares(columns[:, 0], columns[:, 1:], design.effects.entity if cluster else None)
    # The intercept takes the means up again; without them nothing cancels where columns are long.
    back = np.eye(len(names))
    back[-1] -= means
    estimates, covariance = back @ estimates, back @ covariance @ back.T
    estimates[-1] += design.y.mean()
    index = pd.Index(names)
    clustered = "clustered by entity, G/(G-1) x (N-1)/(N-K) (Stata xtreg, re)" if cluster else "conventional (R plm)"
    return RandomEffectsFit(
        estimates=pd.Series(estimates, index=index),
        covariance=pd.DataFrame(covariance, index=index, columns=index),
        variance_idiosyncratic=variance_error,
        variance_entity=variance_entity,
        theta=pd.Series(theta, index=design.index.unique(0), name="theta"),
        n_obs=design.n_obs,
        n_entities=len(sizes),
        convention=f"random effects (Swamy-Arora), {clustered}, normal",
    )


def fit_two_way_random(data: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> RandomEffectsFit:
    """Fit random entity and time effects on a balanced panel, with the variances of Swamy and Arora (1972).

    s2_e from the two-way within regression, N (T s2_u + s2_e) and T (G s2_l + s2_e) from the between regressions of
    entity and of time means; a negative s2_u or s2_l is set to 0. Every column is taken less theta_1 times its entity
    mean and theta_2 times its time mean, plus theta_3 times its mean (Baltagi 2013, section 3.3). The theta of the fit
    is that of the entities.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`.

    Raises
    ------
    StudyError
        As `fit_panel`; or a panel with gaps, or too few entities or times for the between regressions.
    """
    design = build_design(data, outcome, regressors)
    effects = design.effects
    n_entities, n_times = effects.n_entities, effects.n_times
    if not effects.is_balanced:
        raise StudyError("two-way random effects", "the panel has gaps", "use random entity effects and time dummies")
    means = np.append(design.x[:, :-1].mean(axis=0), 0.0)
    columns = np.column_stack([design.y - design.y.mean(), design.x - means])
    error = _mean_square(
        Effects(effects.entity, effects.time, True, True).project(columns[:, :-1]), n_entities + n_times - 1
    )
    by_entity, by_time = (group_means(columns, codes) for codes in (effects.entity, effects.time))
    entity = max((n_times * _mean_square(by_entity) - error) / n_times, 0.0)
    if n_times <= (rank := span(by_time[:, 1:]).rank):
        rule = f"{n_times} periods cannot tell the spread between periods from {rank} coefficients"
        raise StudyError("two-way random effects", rule, "use fewer regressors, or more periods")
    time = max((n_entities * _mean_square(by_time) - error) / n_entities, 0.0)
    total = n_times * entity + n_entities * time + error
    first, second = (
        1 - np.sqrt(error / (error + rows * part)) for rows, part in ((n_times, entity), (n_entities, time))
    )
    third = first + second + np.sqrt(error / total) - 1
    moved = columns - first * by_entity[effects.entity] - second * by_time[effects.time] + third * columns.mean(axis=0)
    estimates, covariance = _least_squares(moved[:, 0], moved[:, 1:], None)
    back = np.eye(len(means))
    back[-1] -= means
    estimates, covariance = back @ estimates, back @ covariance @ back.T
    estimates[-1] += design.y.mean()
    index = pd.Index(design.regressors)
    return RandomEffectsFit(
        estimates=pd.Series(estimates, index=index),
        covariance=pd.DataFrame(covariance, index=index, columns=index),
        variance_idiosyncratic=error,
        variance_entity=entity,
        theta=pd.Series(first, index=design.index.unique(0), name="theta"),
        n_obs=design.n_obs,
        n_entities=n_entities,
        convention="random entity and time effects (Swamy-Arora), conventional (R plm), normal",
        variance_time=time,
    )


def _mean_square(columns: Floats, absorbed: int = 0) -> float:
    """Residual mean square of the first of some columns on the others; `absorbed` parameters were removed before."""
    basis = span(columns[:, 1:])
    free = len(columns) - absorbed - basis.rank
    if free < 1:
        raise _too_few(len(columns), basis.rank)
    return float(np.sum(basis.remove(columns[:, 0]) ** 2)) / free


def _with_time(design: Design, time_effects: bool) -> tuple[Floats, list[str]]:
    """Regressors with time dummies put before the intercept."""
    if not time_effects:
        return design.x, list(design.regressors)
    dummies = np.eye(design.effects.n_times)[design.effects.time][:, 1:]
    times = design.index.get_level_values(1).unique().sort_values()[1:]
    names = [*design.regressors[:-1], *(f"{design.index.names[1]} {time}" for time in times), CONSTANT]
    return np.column_stack([design.x[:, :-1], dummies, design.x[:, -1]]), names


def _variances(y: Floats, x: Floats, effects: Effects, variance: Variance) -> tuple[float, float]:
    """Variance of the error and of the entity effect."""
    columns = np.column_stack([y, x])
    within = Effects(effects.entity, effects.time, True, False).project(columns)
    # What the entity effects absorb is rounding: a share of the column as it came.
    within[:, np.linalg.norm(within, axis=0) <= SEPARATE * np.linalg.norm(columns, axis=0)] = 0.0
    rss_within, basis = _residual_sum(within[:, 0], within[:, 1:])
    sizes = np.bincount(effects.entity)
    if len(y) - len(sizes) <= basis.rank:
        rule = f"{len(y)} rows of {len(sizes)} entities leave nothing to tell the spread within entities"
        raise StudyError("random effects", rule, "use fewer regressors, or more times")
    variance_error = rss_within / (len(y) - len(sizes) - basis.rank)
    # The intercept goes first, so that a regressor is judged by what it adds to it.
    means = group_means(np.column_stack([y, x[:, -1:], x[:, :-1]]), effects.entity)
    if variance == "harmonic_mean":
        rss_between, basis = _residual_sum(means[:, 0], means[:, 1:])
        if len(sizes) <= basis.rank:
            raise _too_few(len(sizes), basis.rank)
        variance_entity = rss_between / (len(sizes) - basis.rank) - variance_error * float(np.mean(1 / sizes))
        return float(variance_error), max(variance_entity, 0.0)
    if variance != "baltagi_chang":
        raise StudyError(f"random effects, variance {variance}", "it is not known", f"use one of {get_args(Variance)}")
    root = np.sqrt(sizes)[:, None]
    rss_between, basis = _residual_sum((root * means)[:, 0], (root * means)[:, 1:])
    # trace((M'NM)^+ M'N^2 M) of the means M, N the rows of each entity, on an orthonormal basis of sqrt(N) M.
    trace = float(np.sum(sizes[:, None] * basis.q**2))
    if len(sizes) <= basis.rank:
        raise _too_few(len(sizes), basis.rank)
    variance_entity = (rss_between - (len(sizes) - basis.rank) * variance_error) / (len(y) - trace)
    return float(variance_error), max(float(variance_entity), 0.0)


def _too_few(count: int, rank: int) -> StudyError:
    rule = f"{count} entities cannot tell the spread between entities from {rank} coefficients"
    return StudyError("random effects", rule, "use fewer regressors, or more entities")


def _residual_sum(y: Floats, x: Floats) -> tuple[float, Basis]:
    """Residual sum of squares of a regression whose columns may be dependent, and their span."""
    basis = span(x)
    return float(np.sum(basis.remove(y) ** 2)), basis


def _least_squares(y: Floats, x: Floats, cluster: Codes | None) -> tuple[Floats, Floats]:
    """Estimates and their covariance, conventional or clustered."""
    estimates, weights = solve(x, y)
    residuals = y - x @ estimates
    n, k = x.shape
    if cluster is None:
        return estimates, (weights.T @ weights) * (residuals @ residuals) / (n - k)
    scores = group_sums(weights * residuals[:, None], cluster)
    groups = len(scores)
    return estimates, groups / (groups - 1) * (n - 1) / (n - k) * (scores.T @ scores)


def hausman(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    time_effects: bool = False,
    robust: bool = False,
    variance: Variance = "baltagi_chang",
) -> Diagnostic:
    """Test random against fixed entity effects.

    Plain: q'(V_fixed - V_random)^-1 q on chi2(k), q the difference of the two estimates of the regressors
    (Hausman 1978). Robust: the random-effects regression with the entity-demeaned regressors added (Mundlak 1978;
    Wooldridge 2010, section 10.7.3), and a Wald test, clustered by entity, that they add nothing.

    Parameters
    ----------
    data, outcome, regressors
        As in `fit_panel`; regressors must vary within entities.
    time_effects
        Time dummies in both regressions; they are not among the coefficients compared.
    robust
        Use the robust form; its covariance is the raw sandwich (factor 1). On a balanced panel the number is that of
        plm's `phtest(method = "aux", vcov = vcovHC)`; with gaps plm keeps an intercept of ones beside columns of which
        each entity has lost another share of its mean, where here the intercept loses the same share.
    variance
        As in `fit_random_effects`.

    Raises
    ------
    StudyError
        As `fit_panel`.
    """
    null = "entity effects are unrelated to the regressors (random effects are consistent)"
    if robust:
        return _mundlak(data, outcome, list(regressors), time_effects, variance, null)
    fixed = fit_panel(data, outcome, regressors, entity_effects=True, time_effects=time_effects, cluster=None)
    random = fit_random_effects(data, outcome, regressors, time_effects=time_effects, variance=variance)
    names = list(fixed.regressors)
    gap = (fixed.estimates - random.estimates[names]).to_numpy()
    spread = (fixed.covariance - random.covariance.loc[names, names]).to_numpy()
    if not is_definite(spread):
        rule = "the difference of the two covariances is not positive definite, so the statistic has no distribution"
        raise StudyError("Hausman test", rule, "read the robust form")
    statistic = quadratic_form(gap, spread)
    return Diagnostic(
        name="Hausman test",
        statistic=statistic,
        df=(float(len(gap)),),
        p_value=float(stats.chi2.sf(statistic, len(gap))),
        distribution="chi2",
        null=null,
    )


def _mundlak(
    data: pd.DataFrame,
    outcome: str,
    regressors: list[str],
    time_effects: bool,
    variance: Variance,
    null: str,
) -> Diagnostic:
    """Wald test on the entity-demeaned regressors in the random-effects regression."""
    fixed = fit_panel(data, outcome, regressors, entity_effects=True, time_effects=time_effects)
    random = fit_random_effects(data, outcome, regressors, time_effects=time_effects, variance=variance)
    design = build_design(data, outcome, regressors)
    x, _ = _with_time(design, time_effects)
    entity = design.effects.entity
    columns = np.column_stack([design.y, x[:, :-1]])
    columns = np.column_stack([columns - columns.mean(axis=0), x[:, -1]])
    means = group_means(columns, entity)[entity]
    columns = columns - random.theta.to_numpy()[entity, None] * means
    added = design.x[:, :-1] - group_means(design.x[:, :-1], entity)[entity]
    full = np.column_stack([added, columns[:, 1:]])
    k = len(fixed.regressors)
    estimates, weights = solve(full, columns[:, 0])
    scores = group_sums(weights[:, :k] * (columns[:, 0] - full @ estimates)[:, None], entity)
    statistic = quadratic_form(estimates[:k], scores.T @ scores)
    return Diagnostic(
        name="robust Hausman (Mundlak) test",
        statistic=statistic,
        df=(float(k),),
        p_value=float(stats.chi2.sf(statistic, k)),
        distribution="chi2",
        null=null,
        note="clustered by entity, factor 1",
    )
