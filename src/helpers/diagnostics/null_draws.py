"""The distribution of a specification test where its null is true, at the rows and regressors of the panel at hand.

Tests of the specification keep their level as entities or times grow without end. At 31 x 7 they do not: at a nominal
5 % Hausman's test rejects a true null in 10 %, the modified Wald test in 99 % of samples. So the statistic is compared
with draws from its null instead. Each function here takes outcomes (n, B) and gives B statistics, by the same formula
as the test of the same name; all are the same for any linear combination of regressors added to the outcome, so that a
draw needs errors only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.diagnostics.random_effects import RandomEffectsFit, fit_random_effects
from helpers.errors import StudyError
from helpers.regression.collinearity import Basis, solve, span
from helpers.regression.design import build_design
from helpers.regression.effects import Effects, Floats, group_means, group_sums
from helpers.study.model import Model

# Numbers held at once in the largest intermediate array.
CHUNK = 4_000_000
# Relative distance within which two statistics are the same number.
TIE = 1e-9
# Entities beyond which the distribution that a test has in the limit is near enough.
MANY_ENTITIES = 200

Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class NullSetting:
    """What the tests share.

    Attributes
    ----------
    effects
        Entity and time codes (n,); `time_effects` as in the model.
    given, slopes
        The regressors (n, k) in unit length, and made orthonormal around the intercept and the time dummies.
    pooled, within
        Spans of what is removed without entity effects (intercept, time dummies, regressors), and with them.
    random
        The fit with random entity effects.
    errors
        Residuals (n,) with entity effects, with the variance of the error that they estimate.
    composite
        Residuals (n,) of the random-effects regression: entity effect and error together.
    """

    effects: Effects
    given: Floats
    slopes: Floats
    pooled: Basis
    within: Basis
    random: RandomEffectsFit
    errors: Floats
    composite: Floats

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each entity, (G,)."""
        return np.bincount(self.effects.entity)

    def remove(self, columns: Floats) -> Floats:
        """Residuals of outcomes (n, B) on the regressors, entity effects, and time effects if the model has any."""
        return self.within.remove(self.effects.project(columns))


def prepare(data: pd.DataFrame, model: Model) -> NullSetting:
    """Lay out a model for its tests.

    Parameters
    ----------
    data, model
        Panel and model; entity effects are always among those tested.

    Raises
    ------
    StudyError
        As `helpers.regression.panel.fit_panel`.
    """
    names = list(model.regressors)
    design = build_design(data, model.outcome, names, entity_effects=True, time_effects=model.time_effects)
    effects = design.effects
    dummies = np.eye(effects.n_times)[effects.time][:, 1:] if model.time_effects else np.zeros((design.n_obs, 0))
    fixed = np.column_stack([np.ones(design.n_obs), dummies])
    pooled = span(np.column_stack([fixed, design.x]))
    slopes = pooled.q[:, -len(names) :]
    within = span(effects.project(slopes))
    residual = within.remove(design.y_within)
    random = fit_random_effects(data, model.outcome, names, time_effects=model.time_effects)
    columns = np.column_stack([design.x, dummies, np.ones(design.n_obs)])
    return NullSetting(
        effects=effects,
        given=design.x / np.linalg.norm(design.x, axis=0),
        slopes=slopes,
        pooled=pooled,
        within=within,
        random=random,
        errors=residual * np.sqrt(design.n_obs / (design.n_obs - design.n_parameters)),
        composite=design.y - columns @ random.estimates.to_numpy(),
    )


def draw_p_value(
    setting: NullSetting, statistic: Statistic, sample: float, draws: int, rng: np.random.Generator, *, how: str
) -> tuple[float, int]:
    """Share of draws under the null whose statistic is at least the sample's, the sample counted once; and the draws.

    Parameters
    ----------
    how
        "errors": errors drawn with replacement from the residuals, no entity effects. "random": the same and normal
        entity effects with their estimated variance. "signs": the composite residuals of each entity keep or change
        their sign together (wild bootstrap), which keeps whatever relation they have over time. "centred": as
        "errors", and the statistic is two-sided around its mean under the null.
    """
    found = np.concatenate([statistic(block) for block in _outcomes(setting, draws, rng, how)])
    found = found[np.isfinite(found)]
    if not len(found):
        raise StudyError("specification test", "its statistic is not defined in any draw", "use the robust form")
    if how == "centred":
        middle = float(found.mean())
        found, sample = np.abs(found - middle), abs(sample - middle)
    return float((1 + np.count_nonzero(found >= sample * (1 - TIE))) / (1 + len(found))), len(found)


def _outcomes(setting: NullSetting, draws: int, rng: np.random.Generator, how: str) -> Iterator[Floats]:
    """Outcomes (n, B) under the null, in blocks."""
    n_obs, entity, n_entities = len(setting.errors), setting.effects.entity, setting.effects.n_entities
    step = max(1, CHUNK // (n_obs * 4 + n_entities**2))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        if how == "signs":
            signs = 1.0 - 2.0 * rng.integers(0, 2, (n_entities, size))
            yield setting.composite[:, None] * signs[entity]
            continue
        drawn = setting.errors[rng.integers(0, n_obs, (n_obs, size))]
        if how == "random":
            effect = np.sqrt(setting.random.variance_entity) * rng.standard_normal((n_entities, size))
            drawn = drawn + effect[entity]
        yield drawn


def hausman_statistics(setting: NullSetting) -> Statistic:
    """Hausman's statistic with conventional covariances; NaN where the difference of variances is not definite."""
    effects, sizes = setting.effects, setting.sizes
    k = setting.slopes.shape[1]
    # Time dummies and intercept first, regressors last, all orthonormal.
    columns = setting.pooled.q
    means = group_means(columns, effects.entity)
    by_entity = Effects(effects.entity, effects.time, True, False)
    demeaned = by_entity.project(columns)
    spread = demeaned.T @ demeaned
    # The columns have length 1: where a mean takes all of one, or none, what is left or found is rounding.
    ones = np.ones(columns.shape[1])
    within_rank = span(demeaned[:, 1:], ones[1:]).rank
    between = span(np.sqrt(sizes)[:, None] * means, ones)
    trace = float(np.sum(sizes[:, None] * between.q**2))
    _, weights = solve(setting.effects.project(setting.slopes), setting.errors)
    bread = weights.T @ weights
    n_obs, n_entities = len(columns), len(sizes)
    groups = np.unique(sizes)

    def statistic(outcomes: Floats) -> Floats:
        fixed, rest = weights.T @ outcomes, setting.remove(outcomes)
        error = np.sum(rest**2, axis=0) / (n_obs - n_entities - within_rank)
        own = group_means(outcomes, effects.entity)
        left = np.sum(between.remove(np.sqrt(sizes)[:, None] * own) ** 2, axis=0)
        entity = ((left - (n_entities - between.rank) * error) / (n_obs - trace)).clip(min=0)
        centred = by_entity.project(outcomes)
        gram, right = spread[None].repeat(len(error), axis=0), (demeaned.T @ centred).T
        square = np.sum(centred**2, axis=0)
        for size in groups:
            some = sizes == size
            kept = error / (error + size * entity)  # (1 - theta)^2
            gram = gram + kept[:, None, None] * size * (means[some].T @ means[some])
            right = right + kept[:, None] * size * (means[some].T @ own[some]).T
            square = square + kept * size * np.sum(own[some] ** 2, axis=0)
        inverse = np.linalg.inv(gram)
        random = np.matmul(inverse, right[:, :, None])[:, :, 0]
        variance = (square - np.sum(right * random, axis=1)) / (n_obs - columns.shape[1])
        gap = fixed.T - random[:, -k:]
        difference = error[:, None, None] * bread - variance[:, None, None] * inverse[:, -k:, -k:]
        definite = np.linalg.eigvalsh(difference)[:, 0] > 0
        difference[~definite] = np.eye(k)
        found = np.sum(gap * np.linalg.solve(difference, gap[:, :, None])[:, :, 0], axis=1)
        return np.where(definite, found, np.nan)

    return statistic


def robust_hausman_statistics(setting: NullSetting) -> Statistic:
    """The Wald statistic of Mundlak's form, clustered by entity; theta is that of the sample."""
    effects = setting.effects
    theta = setting.random.theta.to_numpy()[effects.entity, None]

    def part(columns: Floats) -> Floats:
        return np.asarray(columns - theta * group_means(columns, effects.entity)[effects.entity])

    added = setting.given - group_means(setting.given, effects.entity)[effects.entity]
    full = np.column_stack([part(setting.pooled.q), added])
    k = added.shape[1]
    _, weights = solve(full, full[:, 0])
    basis, weights = span(full), weights[:, -k:]

    def statistic(outcomes: Floats) -> Floats:
        columns = part(outcomes)
        estimates, residuals = (weights.T @ columns).T, basis.remove(columns)
        scores = np.stack([group_sums(weights[:, [j]] * residuals, effects.entity) for j in range(k)])
        covariance = np.einsum("jgb,lgb->bjl", scores, scores)
        return np.asarray(np.sum(estimates * np.linalg.solve(covariance, estimates[:, :, None])[:, :, 0], axis=1))

    return statistic


def honda_statistics(setting: NullSetting) -> Statistic:
    """The signed root of the Lagrange multiplier of the variance of the entity effects."""
    entity, n_obs = setting.effects.entity, len(setting.errors)
    scale = n_obs / np.sqrt(2 * float((setting.sizes**2).sum() - n_obs))

    def statistic(outcomes: Floats) -> Floats:
        residuals = setting.pooled.remove(outcomes)
        sums = np.sum(group_sums(residuals, entity) ** 2, axis=0)
        return np.asarray(scale * (sums / np.sum(residuals**2, axis=0) - 1))

    return statistic


def breusch_pagan_statistics(setting: NullSetting) -> Statistic:
    """The Lagrange multiplier itself, which does not see the sign."""
    signed = honda_statistics(setting)
    return lambda outcomes: signed(outcomes) ** 2


def wooldridge_statistics(setting: NullSetting) -> Statistic:
    """Wooldridge's F on residuals of first differences."""
    from helpers.diagnostics.residual_tests import previous_row

    effects = setting.effects
    previous = previous_row(effects)
    has = previous >= 0
    time = np.unique(effects.time[has], return_inverse=True)[1].ravel()

    def change(columns: Floats) -> Floats:
        moved = columns[has] - columns[previous[has]]
        return np.asarray(moved - group_means(moved, time)[time] if effects.time_effects else moved)

    basis = span(change(setting.slopes))
    row = np.full(len(has), -1)
    row[has] = np.arange(has.sum())
    before = np.where(previous[has] >= 0, row[previous[has]], -1)
    pair = before >= 0
    entity = np.unique(effects.entity[has][pair], return_inverse=True)[1].ravel()

    def statistic(outcomes: Floats) -> Floats:
        residuals = basis.remove(change(outcomes))
        now, lagged = residuals[pair], residuals[before[pair]]
        length = np.sum(lagged**2, axis=0)
        slope = np.sum(lagged * now, axis=0) / length
        scores = group_sums(lagged * (now - slope * lagged), entity) / length
        groups = len(scores)
        return np.asarray((slope + 0.5) ** 2 / (groups / (groups - 1) * np.sum(scores**2, axis=0)))

    return statistic


def modified_wald_statistics(setting: NullSetting) -> Statistic:
    """The modified Wald statistic for a variance of its own in each entity."""
    entity, sizes = setting.effects.entity, setting.sizes[:, None]

    def statistic(outcomes: Floats) -> Floats:
        squared = setting.remove(outcomes) ** 2
        own = group_means(squared, entity)
        spread = group_sums((squared - own[entity]) ** 2, entity) / sizes / (sizes - 1)
        return np.asarray(np.sum((own - squared.mean(axis=0)) ** 2 / spread, axis=0))

    return statistic


def cd_statistics(setting: NullSetting) -> Statistic:
    """Pesaran's CD on residuals with the effects of the setting; pairs with two or more common times."""
    effects = setting.effects
    seen = _grid(np.ones((len(effects.entity), 1)), effects)[0]
    common = seen @ seen.T
    used = np.triu(common >= 2, k=1)

    def statistic(outcomes: Floats) -> Floats:
        grid = _grid(setting.remove(outcomes), effects)
        n = np.where(common > 0, common, 1.0)
        sums = np.matmul(grid, seen.T)
        squares = np.matmul(grid**2, seen.T) - sums**2 / n
        products = np.matmul(grid, grid.transpose(0, 2, 1)) - sums * sums.transpose(0, 2, 1) / n
        with np.errstate(invalid="ignore", divide="ignore"):
            rho = products / np.sqrt(squares * squares.transpose(0, 2, 1))
        return np.asarray(np.sum((np.sqrt(common) * rho)[:, used], axis=1) / np.sqrt(used.sum()))

    return statistic


def _grid(columns: Floats, effects: Effects) -> Floats:
    """Columns (n, B) as (B, G, T), zero where an entity is not seen."""
    grid = np.zeros((columns.shape[1], effects.n_entities, effects.n_times))
    grid[:, effects.entity, effects.time] = columns.T
    return grid
