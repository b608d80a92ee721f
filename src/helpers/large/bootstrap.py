"""The restricted wild cluster bootstrap over the rows of a large panel, clustered by entity, in one pass for all draws.

The statistic of a draw needs of each entity only its score, and what the regressors and the time dummies explain of its
signed residuals. Both are sums over its rows, so that their products with the signs are added up block by block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from helpers.arrays import Floats
from helpers.large.fit import FirstPass, fit_rows, solve_rows
from helpers.large.rows import Block
from helpers.regression.conventions import find_convention
from helpers.results.estimate import Estimate
from helpers.study.model import Model

MOST_SIGNS = 500_000_000
"""Draws by entities at most; so many signs take about a minute."""
FEWEST_DRAWS = 399
AT_ONCE = 20_000_000
TIE = 1e-9


@dataclass
class _Drawn:
    """Sums over entities g of one model, for B draws with signs v; q columns: k regressors, then T time dummies.

    Attributes
    ----------
    signed
        Sum of v u, (B,), u the score of the entity.
    explained
        Sum of v times what the columns explain of the entity's residuals, (B, q).
    crossed
        Sum of v u c, (B, q), c the weights of the estimate times the columns.
    squares, products
        Sum of u^2, and sum of c c', (q, q).
    """

    signed: Floats
    explained: Floats
    crossed: Floats
    squares: float
    products: Floats


def wild_rows(
    path: Path,
    models: Mapping[str, Model],
    term: str,
    times: Sequence[int],
    *,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """Test that a coefficient is zero, in each model with entity effects, by the classical restricted form.

    Rademacher signs by entity, the null imposed, t in every draw with its own clustered variance, as
    `helpers.inference.wild.bootstrap.wild_cluster_bootstrap`. With G entities, no more draws are made than
    ``MOST_SIGNS / G``.

    Parameters
    ----------
    path, models, times
        As in `helpers.large.fit.fit_rows`; `term` is the treatment of each model.
    draws
        Draws asked for.

    Returns
    -------
    dict
        Model -> the estimate with the p-value of the bootstrap; the interval is not inverted.
    """
    chosen = {name: model for name, model in models.items() if model.entity_effects}
    if not chosen:
        return {}
    fits, first = fit_rows(path, chosen, times), solve_rows(path, chosen, times)
    draws = max(min(draws, MOST_SIGNS // first.moments.n_entities), min(draws, FEWEST_DRAWS))
    drawn = _draw(first, chosen, draws, rng)
    found = {}
    for name, model in chosen.items():
        factor = find_convention("stata").factor(fits[name].sizes, first.moments.n_entities)
        statistics = np.abs(_statistics(drawn[name], _middle(first, name, model), factor))
        p_value = float(np.mean(statistics >= np.abs(fits[name].statistics[term]) * (1 - TIE)))
        found[name] = replace(
            fits[name][term], std_error=None, df=None, ci_low=None, ci_high=None, p_value=p_value, draws=draws,
            convention="restricted wild cluster bootstrap, Rademacher, drawn",
        )  # fmt: skip
    return found


def _draw(first: FirstPass, models: Mapping[str, Model], draws: int, rng: np.random.Generator) -> dict[str, _Drawn]:
    """Go through the entities once; each block has its own signs, common to all models."""
    found: dict[str, _Drawn] = {}
    for block, place, figures in first.blocks():
        parts = {name: _parts(first, name, model, block, place, figures) for name, model in models.items()}
        signs = draw_signs(len(block.starts), draws, rng)
        step = max(1, AT_ONCE // len(block.starts))
        for name, (u, explained, c) in parts.items():
            width = explained.shape[1]
            if name not in found:
                found[name] = _Drawn(
                    np.zeros(draws), np.zeros((draws, width)), np.zeros((draws, width)), 0.0, np.zeros((width, width))
                )
            item, together = found[name], np.column_stack([u, explained, u[:, None] * c])
            for start in range(0, draws, step):
                rows = slice(start, start + step)
                sums = signs[:, rows].T.astype(float) @ together
                item.signed[rows] += sums[:, 0]
                item.explained[rows] += sums[:, 1 : 1 + width]
                item.crossed[rows] += sums[:, 1 + width :]
            item.squares += float(u @ u)
            item.products += c.T @ c
    return found


def draw_signs(n_entities: int, draws: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Signs, entities x draws; the same for an entity however the rows are cut into blocks."""
    words = rng.integers(0, 2**64, size=(n_entities, -(-draws // 64)), dtype=np.uint64)
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1)[:, :draws]
    return np.asarray(2 * bits.astype(np.int8) - 1)


def _parts(
    first: FirstPass, name: str, model: Model, block: Block, place: NDArray[np.int64], figures: Floats
) -> tuple[Floats, Floats, Floats]:
    """Of each entity: its score u (g,), what columns explain of its residuals (g, q), and c (g, q)."""
    columns = first.within(name, model, block, place, figures)
    y, x = columns[:, 0], columns[:, 1:]
    residuals = y - x @ _restricted(first, name)
    weights = x @ first.solved[name].bread[:, 0]
    u = block.sums((weights * residuals)[:, None])[:, 0]
    explained, c = block.sums(x * residuals[:, None]), block.sums(x * weights[:, None])
    if not model.time_effects:
        return u, explained, c
    # A time dummy less its mean in the entity: what is left of the entity's figures sums to zero, so it picks one.
    entity = np.repeat(np.arange(len(block.starts)), block.sizes)
    by_time = np.zeros((2, len(block.starts), len(first.times)))
    by_time[0, entity, place], by_time[1, entity, place] = residuals, weights
    return u, np.column_stack([explained, by_time[0]]), np.column_stack([c, by_time[1]])


def _restricted(first: FirstPass, name: str) -> Floats:
    """Estimates under the null, by which the others take up what the treatment leaves."""
    solved = first.solved[name]
    own = solved.bread[:, 0] / solved.bread[0, 0]
    return np.asarray(solved.estimates - own * solved.estimates[0])


def _middle(first: FirstPass, name: str, model: Model) -> Floats:
    """Inverse of the cross products of all columns, (q, q): regressors free of the dummies, and the dummies."""
    bread = first.solved[name].bread
    if not model.time_effects:
        return bread
    k, q = len(bread), len(bread) + len(first.times)
    middle = np.zeros((q, q))
    middle[:k, :k] = bread
    middle[k:, k:] = np.linalg.pinv(first.moments.dummies[True], rcond=1e-12, hermitian=True)
    return middle


def _statistics(drawn: _Drawn, middle: Floats, factor: float) -> Floats:
    """The statistic of every draw, (B,): sum v u over the root of factor x sum over entities of (v u - c' A m)^2."""
    moved = drawn.explained @ middle
    squares = (
        drawn.squares - 2 * np.sum(drawn.crossed * moved, axis=1) + np.sum((moved @ drawn.products) * moved, axis=1)
    )
    return np.asarray(drawn.signed / np.sqrt(factor * squares))
