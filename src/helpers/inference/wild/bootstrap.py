"""The wild cluster bootstrap, exact where the clusters are few.

A draw gives each cluster g a weight v_g. With u the residuals of the model with (restricted) or without
(unrestricted) the null imposed, numerator and variance of the bootstrap t are

    numerator = sum_g v_g s_g,    variance = factor x sum_h (sum_g C_hg v_g)^2,

s_g = w_g'u_g with w the weights of the estimate, and C a G x G matrix that is made once: for the sandwich (CV1) the
scores of cluster h when only the residuals of cluster g are kept, for the jackknife (CV3) the change of the estimate
without cluster h. B draws are then one product of a B x G by a G x G matrix.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from helpers.errors import StudyError
from helpers.inference.contrast import (
    Contrast,
    Parameter,
    build_contrast,
    check_size,
    leave_out_weights,
    only_cluster,
    own_blocks,
    power_of_block,
)
from helpers.inference.wild.changes import Changes, Dense, find_changes
from helpers.inference.wild.signs import DISTRIBUTIONS, ENUMERATED_CLUSTERS, draw_weights, enumerate_signs
from helpers.regression.conventions import find_convention
from helpers.regression.effects import Codes, Floats, group_sums
from helpers.regression.panel import PanelFit

# Numbers of a block of draws that are multiplied while the processor holds them.
CACHED = 250_000
# Relative distance within which two statistics are the same number.
TIE = 1e-9
# Widths of search, in standard errors, beyond which an interval counts as unbounded.
WIDEST = 2.0**16
# Precision of the ends of an interval, in standard errors; and the width at which draws that stay on their side are
# counted once for all narrower ones.
PRECISION, NARROW = 1e-9, 0.02


@dataclass(frozen=True)
class WildForm:
    """One of the forms of the wild cluster bootstrap.

    Attributes
    ----------
    weights
        "rademacher", "webb", "mammen" or "normal".
    restricted
        Impose the null on the residuals (WCR) or not (WCU).
    variant
        First digit 3: residuals transformed as by the jackknife; second digit 3: t from the jackknife variance
        (MacKinnon, Nielsen and Webb 2023). "11" is the classical form.
    """

    weights: str = "rademacher"
    restricted: bool = True
    variant: str = "11"


CLASSICAL = WildForm()


@dataclass(frozen=True)
class WildBootstrap:
    """A wild cluster bootstrap test of one linear combination.

    Attributes
    ----------
    estimate, statistic
        Estimate, and t = (estimate - null) / std_error.
    p_value
        Share of draws with |t*| >= |t|; the sample itself is among those that are enumerated.
    p_value_strict
        The same without ties.
    smallest_p_value
        No p-value with ties can be below this: 2 / 2^G when enumerated, else 1 / draws.
    n_draws, n_clusters
        Draws made, and clusters G.
    enumerated
        Whether all 2^G sign vectors were used, so that the p-value has no simulation error.
    weights, restricted, variant
        Distribution of the weights; whether the null is imposed; "11", "13", "31" or "33".
    ci_low, ci_high
        Interval by inversion of the test (infinite where the test never rejects); None when not asked for.
    """

    estimate: float
    statistic: float
    p_value: float
    p_value_strict: float
    smallest_p_value: float
    n_draws: int
    n_clusters: int
    enumerated: bool
    weights: str
    restricted: bool
    variant: str
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True)
class _Pieces:
    """What the draws multiply: for the residuals, and for their change per unit of the null.

    scores (2, G); two matrices of changes; factor on the squared changes; the sample's own standard error.
    """

    scores: Floats
    changes: tuple[Changes, ...]
    factor: float
    std_error: float


def wild_cluster_bootstrap(
    fit: PanelFit,
    parameter: Parameter,
    *,
    null: float = 0.0,
    draws: int = 99_999,
    rng: np.random.Generator | None = None,
    form: WildForm = CLASSICAL,
    interval: bool = False,
    level: float = 0.95,
) -> WildBootstrap:
    """Test a coefficient, or a linear combination of coefficients, by the wild cluster bootstrap.

    Parameters
    ----------
    fit
        A fit with one cluster variable.
    parameter
        A regressor, or weights of regressors such as {"x_east": 1, "x_west": -1}.
    null
        Value of the combination under the null.
    draws
        Draws, unless the sign vectors are enumerated: up to 12 clusters, or no more than `draws` of them.
    rng
        Source of the draws; not used when enumerated.
    form
        Distribution of the weights, whether the null is imposed, and which residuals and variance.
    interval, level
        Also invert the test for a confidence interval at this level.

    Raises
    ------
    StudyError
        An unknown option; no or two cluster variables; no source of draws where one is needed.

    Notes
    -----
    Cameron, Gelbach and Miller (2008); Roodman, Nielsen, MacKinnon and Webb (2019).
    """
    _check_options(form, draws, level)
    contrast, codes = build_contrast(fit, parameter), only_cluster(fit, "wild cluster bootstrap")
    pieces = _build_pieces(fit, contrast, codes, form.restricted, form.variant)
    n_clusters = int(codes.max()) + 1
    enumerated = form.weights == "rademacher" and 2**n_clusters <= max(2**ENUMERATED_CLUSTERS, draws)
    if enumerated:
        n_draws, blocks = 2**n_clusters, enumerate_signs(n_clusters)
    elif rng is None:
        raise StudyError("wild cluster bootstrap", "the draws have no source", "pass rng, a numpy Generator")
    else:
        n_draws, blocks = draws, draw_weights(form.weights, draws, n_clusters, rng)
    moments = _draw_moments(pieces, blocks, contrast.estimate - null if form.restricted else None, interval)
    strict, tied = _shares(moments, pieces, contrast.estimate - null)
    low, high = _invert(moments, pieces, contrast.estimate, 1 - level) if interval else (None, None)
    return WildBootstrap(
        estimate=contrast.estimate,
        statistic=(contrast.estimate - null) / pieces.std_error,
        p_value=tied,
        p_value_strict=strict,
        smallest_p_value=2 / n_draws if enumerated else 1 / n_draws,
        n_draws=n_draws,
        n_clusters=n_clusters,
        enumerated=enumerated,
        weights=form.weights,
        restricted=form.restricted,
        variant=form.variant,
        ci_low=low,
        ci_high=high,
    )


def _check_options(form: WildForm, draws: int, level: float) -> None:
    """Stop at an option that is not known."""
    known = {"weights": (form.weights, DISTRIBUTIONS), "variant": (form.variant, ("11", "13", "31", "33"))}
    for option, (value, values) in known.items():
        if value not in values:
            raise StudyError(f"wild cluster bootstrap, {option} {value}", "it is not known", f"use one of {values}")
    if draws < 1 or not 0 < level < 1:
        raise StudyError("wild cluster bootstrap", f"draws {draws}, level {level}", "draws >= 1 and 0 < level < 1")


def _build_pieces(fit: PanelFit, contrast: Contrast, codes: Codes, restricted: bool, variant: str) -> _Pieces:
    """Scores and changes of the residuals, and of their change per unit that the null is below the estimate."""
    n_clusters = int(codes.max()) + 1
    w = contrast.weights
    if "3" in variant:
        check_size(fit, codes, f"jackknifed bootstrap (variant {variant})")
    residuals = np.stack([fit.residuals.loc[fit.design.index].to_numpy(), w / (w @ w)])
    if variant[0] == "3":
        residuals = _transform(fit, contrast, codes, residuals, restricted)
    scores = np.array([np.bincount(codes, w * row, minlength=n_clusters) for row in residuals], dtype=float)
    if variant[1] == "3":
        leave_out = leave_out_weights(fit, contrast, codes)
        changes = np.stack([group_sums((leave_out * row).T, codes).T for row in residuals]) - scores[:, None, :]
        factor = (n_clusters - 1) / n_clusters
        own = leave_out @ fit.design.y_within - contrast.estimate
        dense = tuple(Dense(matrix) for matrix in changes)
        return _Pieces(scores, dense, factor, float(np.sqrt(factor * (own @ own))))
    kept = tuple(find_changes(fit, codes, w, row) for row in residuals)
    factor = find_convention("stata").factor(fit.sizes, n_clusters)
    own = group_sums((w * fit.residuals.loc[fit.design.index].to_numpy())[:, None], codes)[:, 0]
    return _Pieces(scores, kept, factor, float(np.sqrt(factor * (own @ own))))


def _transform(fit: PanelFit, contrast: Contrast, codes: Codes, residuals: Floats, restricted: bool) -> Floats:
    """Residuals as the jackknife has them: (I - H_gg)^-1 u_g, times sqrt((G-1)/G).

    H is the hat matrix of the model whose residuals are drawn. The inverse is a generalised one, since the effects
    within a cluster leave it singular.
    """
    w, n_clusters = contrast.weights, int(codes.max()) + 1
    transformed = np.empty_like(residuals)
    for own, block in own_blocks(fit.design, codes):
        left = block + np.outer(w[own], w[own]) / (w @ w) if restricted else block
        transformed[:, own] = residuals[:, own] @ power_of_block(left, -1.0)
    return np.asarray(np.sqrt((n_clusters - 1) / n_clusters) * transformed)


def _draw_moments(pieces: _Pieces, blocks: Iterator[Floats], shift: float | None, both: bool) -> Floats:
    """What each draw needs to know of itself, (5, B): numerator n0 + d n1 and variance q0 + 2 d q1 + d^2 q2.

    d is the distance of the estimate from the null. With `both` it stays free, for intervals; else the residuals are
    moved to the null by `shift` first (None: not at all) and the rows are n0 and q0 alone.
    """
    scores, changes = pieces.scores, pieces.changes
    if not both or shift is None:
        scores = scores[:1] + (shift or 0.0) * scores[1:]
        changes = (changes[0].plus(changes[1], shift or 0.0),)
    pairs = [(i, j) for i in range(len(changes)) for j in range(i, len(changes))]
    step = max(1, CACHED // scores.shape[1])
    parts = []
    for block in blocks:
        for start in range(0, len(block), step):
            some = block[start : start + step]
            moved = [change.of(some) for change in changes]
            squares = [np.einsum("bg,bg->b", moved[i], moved[j]) for i, j in pairs]
            parts.append(np.concatenate([scores @ some.T, np.stack(squares)]))
    return np.concatenate(parts, axis=1)


def _shares(moments: Floats, pieces: _Pieces, distance: float) -> tuple[float, float]:
    """Share of draws with |t*| above |t|, strictly and with ties, for a null `distance` below the estimate."""
    left, right = _sides(moments, pieces, distance)
    return _count(left, right * (1 + 2 * TIE), strict=True) / len(left), _count(left, right * (1 - 2 * TIE)) / len(left)


def _sides(moments: Floats, pieces: _Pieces, distance: float) -> tuple[Floats, Floats]:
    """What |t*| >= |t| compares once the fractions are gone, (B,) each."""
    if len(moments) == 2:
        numerator, squares = moments
    else:
        numerator = moments[0] + distance * moments[1]
        squares = moments[2] + distance * (2 * moments[3] + distance * moments[4])
    return numerator**2 * (pieces.std_error**2 / pieces.factor), squares * distance**2


def _count(left: Floats, right: Floats, strict: bool = False) -> int:
    return int(np.count_nonzero(left > right if strict else left >= right))


def _invert(moments: Floats, pieces: _Pieces, estimate: float, alpha: float) -> tuple[float, float]:
    """The nearest values on both sides of the estimate that the test rejects."""
    n_draws, size = moments.shape[1], pieces.std_error

    def is_kept(distance: float, sure: int = 0, rest: Floats = moments) -> bool:
        left, right = _sides(rest, pieces, distance)
        return bool((sure + _count(left, right * (1 - 2 * TIE))) / n_draws > alpha)

    ends = []
    for side in (1.0, -1.0):
        inside, outside = 0.0, side * size
        while is_kept(outside) and abs(outside) < WIDEST * size:
            inside, outside = outside, 1.25 * outside
        if abs(outside) >= WIDEST * size:
            ends.append(-side * np.inf)
            continue
        inside, outside = _halve(is_kept, inside, outside, NARROW * size)
        settled = partial(is_kept, **_settle(moments, pieces, inside, outside))
        ends.append(estimate - _halve(settled, inside, outside, PRECISION * size)[1])
    return float(ends[0]), float(ends[1])


def _halve(is_kept: Callable[[float], bool], inside: float, outside: float, width: float) -> tuple[float, float]:
    """Two distances no further apart than `width`, the first kept by the test, the second rejected."""
    while abs(outside - inside) > width:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if is_kept(middle) else (inside, middle)
    return inside, outside


def _settle(moments: Floats, pieces: _Pieces, inside: float, outside: float) -> dict[str, Any]:
    """Between two distances: how many draws surely reach |t|, and the moments of the `rest`, which may turn.

    left - right of `_sides` is a polynomial in the distance, so that it changes by no more than the largest slope that
    its coefficients allow times the width.
    """
    zero = np.zeros(moments.shape[1])
    n0, n1, q0, q1, q2 = np.abs(moments if len(moments) == 5 else [moments[0], zero, moments[1], zero, zero])
    far = max(abs(inside), abs(outside))
    slope = 2 * pieces.std_error**2 / pieces.factor * n1 * (n0 + far * n1)
    slope += far * (2 * q0 + far * (6 * q1 + 4 * far * q2))
    left, right = _sides(moments, pieces, outside)
    margin = slope * abs(outside - inside) * (1 + 4 * TIE) + 4 * TIE * (left + right)
    return {"sure": _count(left, right + margin, strict=True), "rest": moments[:, np.abs(left - right) <= margin]}
