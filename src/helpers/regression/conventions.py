"""The named small-sample conventions of clustered standard errors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.errors import StudyError
from helpers.regression.design import Design
from helpers.regression.effects import Codes, Floats, group_sums

# A variance below this share of the one of unrelated errors is made of rounding alone.
ROUNDING = 1e-20


@dataclass(frozen=True)
class Sizes:
    """The counts that small-sample factors are made of.

    Attributes
    ----------
    n_obs
        Rows, N.
    n_slopes
        Regressors without the intercept, k.
    n_parameters
        Regressors, effects and the general mean, K.
    n_outside
        K without the effects that are nested in a cluster: k + 1 + sum of (levels - 1) of the other effects.
    n_single
        K, but k alone when a single kind of effect is absorbed that is nested in a cluster.
    n_clusters
        Clusters G of each cluster variable; empty without clusters.
    """

    n_obs: int
    n_slopes: int
    n_parameters: int
    n_outside: int
    n_single: int
    n_clusters: tuple[int, ...]


@dataclass(frozen=True)
class Convention:
    """How one program turns the raw cluster sandwich into a covariance.

    Attributes
    ----------
    name
        Name used in this project.
    software
        Programs that print it.
    formula
        The factor in words; N, k, K and G as in `Sizes`.
    factor
        (sizes, clusters G of the term) -> the factor on the raw sandwich of that term.
    df
        sizes -> degrees of freedom of the t distribution.
    """

    name: str
    software: str
    formula: str
    factor: Callable[[Sizes, int], float]
    df: Callable[[Sizes], int]


def _clusters_less_one(sizes: Sizes) -> int:
    return min(sizes.n_clusters) - 1


def _rows_less_parameters(sizes: Sizes) -> int:
    return sizes.n_obs - sizes.n_parameters


def _smallest(sizes: Sizes) -> float:
    """G/(G-1) with the smallest number of clusters, the same for each term of a two-way sandwich."""
    fewest = min(sizes.n_clusters)
    return fewest / (fewest - 1)


def _rows(sizes: Sizes, parameters: int) -> float:
    return (sizes.n_obs - 1) / (sizes.n_obs - parameters)


_CONVENTIONS = [
    Convention(
        "stata",
        "Stata xtreg, fe vce(cluster); reghdfe; R fixest; pyfixest",
        "min G/(min G - 1) x (N - 1)/(N - K without cluster-nested effects)",
        lambda sizes, _: _smallest(sizes) * _rows(sizes, sizes.n_outside),
        _clusters_less_one,
    ),
    Convention(
        "plm",
        "R plm, vcovHC(type = 'HC0', cluster = 'group')",
        "1",
        lambda *_: 1.0,
        _rows_less_parameters,
    ),
    Convention(
        "lfe",
        "R lfe, felm",
        "G/(G - 1) x (N - 1)/(N - k - 1)",
        lambda sizes, _: _smallest(sizes) * _rows(sizes, sizes.n_slopes + 1),
        _clusters_less_one,
    ),
    Convention(
        "areg",
        "Stata areg, vce(cluster); R lm + sandwich vcovCL(type = 'HC1'); statsmodels OLS with dummies",
        "G/(G - 1) x (N - 1)/(N - K)",
        lambda sizes, _: _smallest(sizes) * _rows(sizes, sizes.n_parameters),
        _clusters_less_one,
    ),
    Convention(
        "linearmodels",
        "linearmodels PanelOLS, cov_type='clustered', its defaults",
        "N/(N - K); nested effects leave K only when one kind of effect is absorbed",
        lambda sizes, _: sizes.n_obs / (sizes.n_obs - sizes.n_single),
        _rows_less_parameters,
    ),
    Convention(
        "linearmodels_group",
        "linearmodels PanelOLS, cov_type='clustered', group_debias=True",
        "G/(G - 1) x (N - 1)/(N - K), K as under linearmodels",
        lambda sizes, groups: groups / (groups - 1) * _rows(sizes, sizes.n_single),
        _rows_less_parameters,
    ),
    Convention(
        "conventional",
        "Cameron, Gelbach and Miller (2011): G/(G - 1) of its own for each term",
        "G/(G - 1) of each term x (N - 1)/(N - K without cluster-nested effects)",
        lambda sizes, groups: groups / (groups - 1) * _rows(sizes, sizes.n_outside),
        _clusters_less_one,
    ),
]

CONVENTIONS = {convention.name: convention for convention in _CONVENTIONS}
ALIASES = {
    "fixest": "stata",
    "xtreg": "stata",
    "reghdfe": "stata",
    "pyfixest": "stata",
    "lm_hc1": "areg",
    "cr1s": "stata",
}


def find_convention(name: str) -> Convention:
    """The convention of a name or alias.

    Raises
    ------
    StudyError
        There is no such convention.
    """
    key = ALIASES.get(name, name)
    if key not in CONVENTIONS:
        known = sorted([*CONVENTIONS, *ALIASES])
        raise StudyError(f"convention {name}", "there is no such convention", f"use one of {known}")
    return CONVENTIONS[key]


WORDS = {
    "stata": "as Stata's xtreg and reghdfe and R's fixest: G/(G-1) x (N-1)/(N-K)",
    "plm": "as R's plm: factor 1",
    "lfe": "as R's lfe",
    "areg": "as Stata's areg and R's sandwich",
    "linearmodels": "as linearmodels",
    "linearmodels_group": "as linearmodels with group_debias",
    "conventional": "with G/(G-1) of its own for each cluster variable",
    "hc1": "robust to unequal variances (HC1)",
    "hc0": "robust to unequal variances (HC0)",
    "iid": "errors unrelated, one variance",
}


def describe(name: str, by: str, df: float) -> str:
    """A convention in words: what the errors are clustered by, whose factor, and the t distribution's df."""
    clustered = f"clustered by {by}, " if by else ""
    words = WORDS[ALIASES.get(name, name)] if by or name in ("hc0", "hc1") else WORDS["iid"]
    return f"{clustered}{words}, t({df:g})"


def is_nested(inner: Codes, outer: Codes) -> bool:
    """Whether every group of `inner` lies within one group of `outer`."""
    pairs = np.unique(np.column_stack([inner, outer]), axis=0)
    return len(pairs) == len(np.unique(inner))


def count_sizes(design: Design, clusters: tuple[Codes, ...]) -> Sizes:
    """Count what the factors are made of.

    Parameters
    ----------
    design
        The regression.
    clusters
        Codes (n_obs,) of each cluster variable.
    """
    effects = design.effects.absorbed()
    free = [int(effect.max()) for effect in effects if not any(is_nested(effect, cluster) for cluster in clusters)]
    single = len(effects) == 1 and not free
    return Sizes(
        n_obs=design.n_obs,
        n_slopes=design.n_slopes,
        n_parameters=design.n_parameters,
        n_outside=min(design.n_slopes + 1 + sum(free), design.n_parameters),
        n_single=design.n_slopes if single else design.n_parameters,
        n_clusters=tuple(int(cluster.max()) + 1 for cluster in clusters),
    )


def cluster_terms(clusters: tuple[Codes, ...]) -> list[tuple[float, Codes]]:
    """Signed terms of a one- or two-way cluster sandwich: +first, +second, -(first and second)."""
    if len(clusters) == 1:
        return [(1.0, clusters[0])]
    both = np.unique(np.column_stack(clusters), axis=0, return_inverse=True)[1].ravel()
    return [(1.0, clusters[0]), (1.0, clusters[1]), (-1.0, both)]


def cluster_covariance(scores: Floats, clusters: tuple[Codes, ...], sizes: Sizes, convention: Convention) -> Floats:
    """Covariance (k, k) = sum over terms of factor x (sum over clusters of s_g s_g').

    Parameters
    ----------
    scores
        (X'X)^-1 x_it e_it of each row, (n_obs, k): the weights of the estimates times the residuals.
    clusters, sizes, convention
        One or two cluster variables, the counts, and whose factor to use.
    """
    covariance = np.zeros((scores.shape[1], scores.shape[1]))
    for sign, codes in cluster_terms(clusters):
        sums = group_sums(scores, codes)
        covariance += sign * convention.factor(sizes, len(sums)) * (sums.T @ sums)
    return covariance


def is_rounding(variances: Floats, scores: Floats) -> Floats:
    """Whether variances (k,) are zero but for rounding, beside those of unrelated errors; gives (k,) of truth.

    The scores of each cluster then sum to zero whatever the errors are, as those of two periods do under entity effects
    or those of two rows of an entity that its effect and a trend absorb: the sandwich has no information.

    Parameters
    ----------
    variances
        Raw variances of the coefficients from a cluster sandwich, (k,).
    scores
        The weights of the estimates times the residuals, (n_obs, k).
    """
    return np.asarray(variances < ROUNDING * np.sum(scores**2, axis=0))


def raise_negative(covariance: Floats, columns: Floats, n_slopes: int) -> Floats:
    """Raise negative eigenvalues, which a two-way sandwich can have, to zero (Cameron, Gelbach and Miller 2011).

    They are those of the coefficients on orthonormal columns with the same span. In the columns themselves the repaired
    numbers would change with a unit or an origin, and so would, by the intercept's variance, whether to repair.

    Parameters
    ----------
    covariance
        (k, k); what has positive variances stays as it is.
    columns
        The regressors (n_obs, k), an intercept last.
    n_slopes
        How many of them are not the intercept: where their variances are positive, their block stays as it is.
    """
    variances = np.diag(covariance)
    if np.all(variances > 0):
        return covariance
    length = np.linalg.norm(columns, axis=0)
    root = np.linalg.qr(columns / length, mode="r") * length
    values, vectors = np.linalg.eigh(root @ (covariance + covariance.T) @ root.T / 2)
    half = np.linalg.solve(root, vectors * np.sqrt(np.maximum(values, 0.0)))
    repaired = np.asarray(half @ half.T)
    if np.all(variances[:n_slopes] > 0):
        repaired[:n_slopes, :n_slopes] = covariance[:n_slopes, :n_slopes]
    return repaired
