"""Linear regression on a panel: pooled, with entity, time or two-way effects, clustered standard errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.coefficients import Coefficients, infer_by_t
from helpers.regression.collinearity import solve
from helpers.regression.conventions import (
    Sizes,
    cluster_covariance,
    count_sizes,
    find_convention,
    is_rounding,
    raise_negative,
)
from helpers.regression.design import Design, build_design
from helpers.regression.effects import Codes, Floats
from helpers.study.model import Cluster, Model

# A note names the entities of which it speaks where they are so few.
MOST_NAMED = 3


@dataclass(frozen=True, repr=False, kw_only=True)
class PanelFit(Coefficients):
    """A fitted panel regression, with the matrices behind it.

    Attributes
    ----------
    residuals
        Residuals, indexed like the data; times the root of its weight in a weighted regression.
    design
        The matrices behind the fit, for tests that need them.
    clusters
        Codes (n_obs,) of each cluster variable, in the row order of `design`.
    sizes
        The counts that small-sample factors are made of.
    """

    residuals: pd.Series
    design: Design = field(repr=False)
    clusters: tuple[Codes, ...] = field(repr=False)
    sizes: Sizes = field(repr=False)


def fit(data: pd.DataFrame, model: Model, *, convention: str = "stata", weights: str | None = None) -> PanelFit:
    """Fit a model on a panel by least squares (see `fit_panel`, which takes the same by names)."""
    return fit_panel(
        data,
        model.outcome,
        model.regressors,
        entity_effects=model.entity_effects,
        time_effects=model.time_effects,
        cluster=model.cluster,
        convention=convention,
        weights=weights,
    )


def fit_panel(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = False,
    time_effects: bool = False,
    cluster: Cluster = "entity",
    convention: str = "stata",
    weights: str | None = None,
) -> PanelFit:
    """Fit outcome = regressors + effects + error by least squares.

    The effects are projected out exactly, balanced or not; without effects an intercept `const` is added.
    Covariance = factor x (sum over clusters of s_g s_g'), s_g = (X'X)^-1 X_g'e_g on projected columns.

    Parameters
    ----------
    data
        Panel: rows indexed by (entity, time), numeric columns.
    outcome, regressors
        Names of columns.
    entity_effects, time_effects
        Effects to absorb.
    cluster
        "entity", "time", ("entity", "time"), the name of a column or index level, a pair of such names,
        or None: then errors are taken as independent, with convention "hc1" or "hc0" as robust to their variances.
    convention
        "stata" (= Stata xtreg, reghdfe, fixest; the default): G/(G-1) x (N-1)/(N-K), K without cluster-nested
        effects, p-values from t(G-1). Others are listed in `helpers.regression.conventions`.
    weights
        Name of a column of weights above 0 (Stata's aweights): the sum of weight x error^2 is smallest, which is least
        squares of all columns and dummies times the root of the weight. Their unit does not matter.

    Returns
    -------
    PanelFit
        Estimates with standard errors, and what was used.

    Raises
    ------
    StudyError
        Bad figures, an outcome or regressors without variation of their own, fewer than two clusters, clusters whose
        errors cancel under the effects, an unknown convention.
    """
    design = build_design(
        data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects, weights=weights
    )
    clusters = read_clusters(data, design, cluster)
    sizes = count_sizes(design, clusters)
    # An intercept takes up the outcome's level, which would cost the digits that it is larger than what is explained.
    outcomes = design.centred() if design.has_constant else design.y_within
    estimates, shares = solve(design.x_within, outcomes)
    residuals = outcomes - design.x_within @ estimates
    estimates += shares.T @ (design.y_within - outcomes)
    covariance, df = _covariance(residuals, shares, clusters, sizes, convention)
    covariance, repaired = _repair(covariance, design)
    found = _collect(
        design, data, (estimates, covariance, residuals, df), clusters, sizes, convention, cluster,
        (*_singletons(design, clusters), *repaired),
    )  # fmt: skip
    return found if weights is None else replace(found, weights=weights)


def read_clusters(data: pd.DataFrame, design: Design, cluster: Cluster) -> tuple[Codes, ...]:
    """Codes 0, 1, ... (n_obs,) of each cluster variable, in the row order of the design.

    Raises
    ------
    StudyError
        An unknown name, a missing cluster, or fewer than two clusters.
    """
    if cluster is None:
        return ()
    names = [cluster] if isinstance(cluster, str) else list(cluster)
    if not 1 <= len(names) <= 2:
        raise StudyError(f"cluster {cluster}", "one or two cluster variables are allowed", "name one or two")
    codes = tuple(_cluster_codes(data, design, name) for name in names)
    for name, code in zip(names, codes, strict=True):
        if code.min() < 0:
            raise StudyError(f"cluster {name}", "some rows have no cluster", "fill the column or leave the rows out")
        if code.max() < 1:
            raise StudyError(f"cluster {name}", "there is only one cluster", "cluster by something finer")
    return codes


def _cluster_codes(data: pd.DataFrame, design: Design, name: str) -> Codes:
    if name in data.columns:
        return pd.factorize(data[name].loc[design.index], sort=True)[0]
    if name in ("entity", data.index.names[0]):
        return design.effects.entity
    if name in ("time", data.index.names[1]):
        return design.effects.time
    raise StudyError(f"cluster {name}", "there is no such column", f"use entity, time or one of {list(data.columns)}")


def _covariance(
    residuals: Floats, weights: Floats, clusters: tuple[Codes, ...], sizes: Sizes, convention: str
) -> tuple[Floats, int]:
    """Covariance (k, k) of the estimates with its degrees of freedom."""
    scores = weights * residuals[:, None]
    if clusters:
        rule = find_convention(convention)
        covariance = cluster_covariance(scores, clusters, sizes, rule)
        if len(clusters) == 1 and np.any(is_rounding(np.diag(covariance), scores)):
            raise StudyError(
                f"{sizes.n_clusters[0]} clusters",
                "with these effects the errors of each cluster cancel, so that a variance is zero whatever they are",
                "cluster by entity, or leave out the effects",
            )
        return covariance, rule.df(sizes)
    df = sizes.n_obs - sizes.n_parameters
    if convention in ("hc0", "hc1"):
        factor = sizes.n_obs / df if convention == "hc1" else 1.0
        return np.asarray(factor * (scores.T @ scores)), df
    if convention != "iid":
        find_convention(convention)
    return np.asarray((weights.T @ weights) * (residuals @ residuals / df)), df


def _repair(covariance: Floats, design: Design) -> tuple[Floats, tuple[str, ...]]:
    """The covariance without negative variances, with a note where it had some."""
    if np.all(np.diag(covariance) > 0):
        return covariance, ()
    note = "the two-way covariance had a negative variance; negative eigenvalues were set to zero"
    return raise_negative(covariance, design.x_within, design.n_slopes), (note,)


def _singletons(design: Design, clusters: tuple[Codes, ...]) -> tuple[str, ...]:
    """Notes on clusters and entities with one row, which carry no information on variation within them."""
    notes = []
    for codes in clusters:
        alone = int((np.bincount(codes) == 1).sum())
        if alone:
            notes.append(f"clusters with a single row: {alone} of {int(codes.max()) + 1}")
    if design.effects.entity_effects:
        single = np.flatnonzero(np.bincount(design.effects.entity) == 1)
        names = [str(design.index[int(np.argmax(design.effects.entity == code))][0]) for code in single]
        if names:
            units = int(design.effects.entity.max()) + 1
            notes.append(f"{len(design.y) - len(names)} rows of {units - len(names)} entities identify the effect")
            if len(names) <= MOST_NAMED:
                notes.append(f"seen once, so absorbed by the entity effects: {', '.join(names)}")
    return tuple(notes)


def _collect(
    design: Design,
    data: pd.DataFrame,
    solution: tuple[Floats, Floats, Floats, int],
    clusters: tuple[Codes, ...],
    sizes: Sizes,
    convention: str,
    cluster: Cluster,
    notes: tuple[str, ...],
) -> PanelFit:
    """Name the numbers of a fit."""
    values, covariance, residuals, df = solution
    rss = float(residuals @ residuals)
    total = float(np.sum(design.centred() ** 2))
    within = design.y_within if design.effects.absorbed() else design.centred()
    return PanelFit(
        **infer_by_t(values, covariance, df, design.regressors),
        n_obs=design.n_obs,
        n_entities=design.effects.n_entities,
        n_times=design.effects.n_times,
        n_clusters=min(sizes.n_clusters, default=0),
        r_squared=1 - rss / total,
        r_squared_within=1 - rss / float(within @ within),
        convention=convention,
        residuals=pd.Series(residuals, index=design.index, name="residual").reindex(data.index),
        outcome=design.outcome,
        regressors=design.regressors,
        entity_effects=design.effects.entity_effects,
        time_effects=design.effects.time_effects,
        cluster=cluster,
        notes=notes,
        design=design,
        clusters=clusters,
        sizes=sizes,
    )
