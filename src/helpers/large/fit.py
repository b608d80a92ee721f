"""Regressions over the rows of a large panel, read in blocks: the numbers of `fit_panel` from sums over entities.

The first pass adds up cross products, entity effects taken out of every block exactly; time effects, of which there are
few, are dummies that the sums are solved for (Frisch, Waugh and Lovell). The second pass adds up the scores of every
entity, for the clustered covariance, and mends by one step of Newton what rounding left of the estimates. Nothing that
grows with the rows is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.large.rows import BLOCK_ROWS, Block, read_blocks
from helpers.regression.coefficients import Coefficients, infer_by_t
from helpers.regression.conventions import Sizes, find_convention
from helpers.regression.design import CONSTANT
from helpers.study.model import Model

LEAST = 1e-10
"""Share of a column's sum of squares below which what effects and other regressors leave of it is no longer known."""
MOST_CELLS = 20_000_000
"""Entities by times of one block at most."""

Group = tuple[str, int] | None
Reader = Callable[[], Iterator[Block]]


@dataclass(frozen=True, repr=False, kw_only=True)
class RowsFit(Coefficients):
    """A regression over the rows of a file, with what differences between two of them are made of.

    Attributes
    ----------
    sandwich
        Covariance of the estimates without the small-sample factor, regressor x regressor.
    sizes
        The counts that the factor is made of.
    """

    sandwich: pd.DataFrame
    sizes: Sizes


@dataclass
class Moments:
    """Sums over rows of m columns, which come less a shift near their means; T times.

    Attributes
    ----------
    shift, total
        The shift and the sums, (m,).
    squares
        With and without entity effects: cross products, (m, m).
    by_time
        The same: sums by time, (T, m).
    dummies
        The same: cross products of the time dummies, (T, T).
    rows
        Rows of each time, (T,).
    n_entities
        Entities.
    """

    shift: Floats
    total: Floats
    squares: dict[bool, Floats]
    by_time: dict[bool, Floats]
    dummies: dict[bool, Floats]
    rows: Floats
    n_entities: int = 0

    @property
    def n_obs(self) -> int:
        """Rows."""
        return int(self.rows.sum())

    @property
    def n_times(self) -> int:
        """Times of which there are rows."""
        return int(np.count_nonzero(self.rows))

    def spread(self) -> Floats:
        """Sum of squares of each column about its mean, (m,)."""
        return np.asarray(np.diag(self.squares[False]) - self.total**2 / self.n_obs)


@dataclass(frozen=True)
class Solved:
    """A model after the first pass.

    Attributes
    ----------
    places
        Where its columns stand, the outcome first.
    on_time
        What the dummies take of each column, (T, 1 + k).
    bread
        Inverse of the cross products of its regressors after the effects, (k, k).
    estimates
        (k,).
    outcome_within
        Sum of squares of the outcome after the effects.
    """

    places: list[int]
    on_time: Floats
    bread: Floats
    estimates: Floats
    outcome_within: float


@dataclass(frozen=True)
class FirstPass:
    """Models after the first pass, and the rows for a second one."""

    read: Reader
    times: Floats
    moments: Moments
    solved: dict[str, Solved]

    def blocks(self) -> Iterator[tuple[Block, NDArray[np.int64], Floats]]:
        """Each block with the place of each row's time and its figures less their shift."""
        for block in self.read():
            yield block, np.searchsorted(self.times, block.time), block.figures - self.moments.shift

    def within(self, name: str, model: Model, block: Block, place: NDArray[np.int64], figures: Floats) -> Floats:
        """Outcome and regressors of a model after its effects, rows of the block x (1 + k)."""
        item = self.solved[name]
        columns = figures[:, item.places] - item.on_time[place]
        return block.within(columns) if model.entity_effects else columns


@dataclass
class _Scores:
    """Sums of the second pass: of scores, of their outer products by entity, of squared residuals."""

    gradient: Floats
    meat: Floats
    residual: float = 0.0


def fit_rows(
    path: Path, models: Mapping[str, Model], times: Sequence[int], *, group: Group = None
) -> dict[str, RowsFit]:
    """Fit several models over the same rows, in two passes for all of them.

    Parameters
    ----------
    path
        A file of :func:`helpers.large.clean.clean_panel` or :func:`helpers.large.rows.add_indices`.
    models
        Name -> model; errors are clustered by entity, convention "stata" (see `helpers.regression.panel.fit_panel`).
        Rows that lack a figure for one of them are left out of all.
    times
        The times that rows may be of, in order.
    group
        Grouping and place of the group whose entities alone are read.

    Raises
    ------
    StudyError
        Other clusters than the entities, fewer than two entities or times, rows that cannot determine the parameters,
        a regressor that the effects or the other regressors explain.
    """
    first = solve_rows(path, models, times, group=group)
    scores = _score(first, models)
    return {name: _collect(model, first.moments, first.solved[name], scores[name]) for name, model in models.items()}


def solve_rows(path: Path, models: Mapping[str, Model], times: Sequence[int], *, group: Group = None) -> FirstPass:
    """The first pass of `fit_rows`, with the same parameters."""
    for model in models.values():
        check_cluster(model)
    columns = list(dict.fromkeys(name for model in models.values() for name in model.columns))
    size = min(BLOCK_ROWS, max(1, MOST_CELLS // len(times)))

    def read() -> Iterator[Block]:
        return read_blocks(path, columns, group=group, size=size)

    moments = _add_up(read, len(columns), np.asarray(times))
    _check_enough(moments, columns)
    solved = {name: _solve(model, columns, moments) for name, model in models.items()}
    return FirstPass(read, np.asarray(times), moments, solved)


def check_cluster(model: Model) -> None:
    """Stop where errors are clustered by anything but the entities.

    Raises
    ------
    StudyError
        Naming the cluster.
    """
    if model.cluster not in ("entity", model.entity):
        raise StudyError(
            f"model on disk, cluster {model.cluster}",
            "on disk, scores are added up by entity alone",
            "write cluster: entity, or engine: memory",
        )


def _add_up(read: Reader, width: int, times: Floats) -> Moments:
    """The first pass."""
    kinds, n_times = (True, False), len(times)
    found = Moments(
        np.zeros(width),
        np.zeros(width),
        {kind: np.zeros((width, width)) for kind in kinds},
        {kind: np.zeros((n_times, width)) for kind in kinds},
        {kind: np.zeros((n_times, n_times)) for kind in kinds},
        np.zeros(n_times),
    )
    for block in read():
        if not found.n_entities:
            found.shift = block.figures.mean(axis=0)
        place, figures = np.searchsorted(times, block.time), block.figures - found.shift
        for kind, columns in ((True, block.within(figures)), (False, figures)):
            found.squares[kind] += columns.T @ columns
            for at in range(width):
                found.by_time[kind][:, at] += np.bincount(place, columns[:, at], n_times)
        there, sizes = np.zeros((len(block.starts), n_times)), block.sizes
        there[np.repeat(np.arange(len(sizes)), sizes), place] = 1.0
        found.rows += there.sum(axis=0)
        found.total += figures.sum(axis=0)
        found.dummies[True] -= there.T @ (there / sizes[:, None])
        found.n_entities += len(sizes)
    for kind in kinds:
        found.dummies[kind] += np.diag(found.rows)
    return found


def _check_enough(moments: Moments, columns: list[str]) -> None:
    if moments.n_entities < 2 or moments.n_times < 2:
        raise StudyError(
            f"rows with a figure for {', '.join(columns)}",
            f"they are of {moments.n_entities} entities and {moments.n_times} times, and two of each are needed",
            "look at the missing figures",
        )


def _solve(model: Model, columns: list[str], moments: Moments) -> Solved:
    """What the dummies take, and the estimates."""
    places = [columns.index(name) for name in model.columns]
    kind = model.entity_effects
    squares = moments.squares[kind][np.ix_(places, places)]
    on_time = np.zeros((len(moments.rows), len(places)))
    if model.time_effects:
        by_time = moments.by_time[kind][:, places]
        on_time = np.asarray(np.linalg.lstsq(moments.dummies[kind], by_time, rcond=1e-12)[0], dtype=float)
        squares = squares - by_time.T @ on_time
    elif not kind:
        # An intercept takes the mean.
        mean = moments.total[places] / moments.n_obs
        on_time = on_time + mean
        squares = squares - moments.n_obs * np.outer(mean, mean)
    bread = _invert(model, squares[1:, 1:], moments.spread()[places[1:]])
    _check_parameters(model, moments)
    return Solved(places, on_time, bread, bread @ squares[1:, 0], float(squares[0, 0]))


def _invert(model: Model, squares: Floats, spread: Floats) -> Floats:
    """The inverse of cross products, scaled to a unit diagonal before it is taken."""
    left = np.diag(squares)
    for name, now, before in zip(model.regressors, left, spread, strict=True):
        if not now > LEAST * before:
            raise StudyError(
                f"regressor {name}", "the effects explain it wholly, as far as sums over rows can tell", "leave it out"
            )
    scale = 1 / np.sqrt(left)
    unit = squares * np.outer(scale, scale)
    for at, name in enumerate(model.regressors[1:], start=1):
        rest = 1 - unit[at, :at] @ np.linalg.lstsq(unit[:at, :at], unit[:at, at], rcond=None)[0]
        if not rest > LEAST:
            raise StudyError(
                f"regressor {name}", "it is a combination of those before it and the effects", "leave one of them out"
            )
    return np.asarray(np.linalg.inv(unit) * np.outer(scale, scale))


def _check_parameters(model: Model, moments: Moments) -> None:
    sizes = _sizes(model, moments)
    if sizes.n_obs <= sizes.n_parameters:
        raise StudyError(
            f"regression of {model.outcome}",
            f"{sizes.n_obs} rows cannot determine {sizes.n_parameters} parameters (regressors and effects)",
            "use fewer regressors or effects, or more rows",
        )


def _sizes(model: Model, moments: Moments) -> Sizes:
    """The counts of `count_sizes`, the entity effects being those of the clusters."""
    slopes, free = len(model.regressors), (moments.n_times - 1) * model.time_effects
    own = (moments.n_entities - 1) * model.entity_effects
    return Sizes(
        n_obs=moments.n_obs,
        n_slopes=slopes,
        n_parameters=slopes + 1 + free + own,
        n_outside=slopes + 1 + free,
        n_single=slopes if own and not free else slopes + 1 + free + own,
        n_clusters=(moments.n_entities,),
    )


def _score(first: FirstPass, models: Mapping[str, Model]) -> dict[str, _Scores]:
    """The second pass, for all models; without effects the last score is that of the intercept."""
    found = {}
    for name, model in models.items():
        width = len(model.regressors) + (not model.effects)
        found[name] = _Scores(np.zeros(width), np.zeros((width, width)))
    for block, place, figures in first.blocks():
        for name, model in models.items():
            columns = first.within(name, model, block, place, figures)
            residuals = columns[:, 0] - columns[:, 1:] @ first.solved[name].estimates
            parts = columns[:, 1:] * residuals[:, None]
            scores = block.sums(parts if model.effects else np.column_stack([parts, residuals]))
            found[name].gradient += scores.sum(axis=0)
            found[name].meat += scores.T @ scores
            found[name].residual += float(residuals @ residuals)
    return found


def _collect(model: Model, moments: Moments, solved: Solved, scores: _Scores) -> RowsFit:
    """Name the numbers of a fit."""
    slopes = len(model.regressors)
    step = solved.bread @ scores.gradient[:slopes]
    estimates, bread = solved.estimates + step, solved.bread
    names = list(model.regressors)
    if not model.effects:
        estimates, bread = _with_intercept(estimates, bread, solved, moments)
        names = [*names, CONSTANT]
    sizes = _sizes(model, moments)
    raw = bread @ scores.meat @ bread.T
    covariance = find_convention("stata").factor(sizes, moments.n_entities) * raw
    residual = scores.residual - float(scores.gradient[:slopes] @ step)
    return RowsFit(
        **infer_by_t(estimates, covariance, moments.n_entities - 1, names),
        n_obs=moments.n_obs,
        n_entities=moments.n_entities,
        n_times=moments.n_times,
        n_clusters=moments.n_entities,
        r_squared=1 - residual / float(moments.spread()[solved.places[0]]),
        r_squared_within=1 - residual / solved.outcome_within,
        convention="stata",
        outcome=model.outcome,
        regressors=tuple(names),
        entity_effects=model.entity_effects,
        time_effects=model.time_effects,
        cluster=model.cluster,
        notes=(),
        sandwich=pd.DataFrame(raw, index=names, columns=names),
        sizes=sizes,
    )


def _with_intercept(estimates: Floats, bread: Floats, solved: Solved, moments: Moments) -> tuple[Floats, Floats]:
    """Estimates and bread with the intercept of columns as they come, from those of columns less their means.

    The mean of the outcome is the intercept there, and its score is unrelated to the others; here it is that mean less
    the regressors' means times their estimates.
    """
    mean = moments.shift[solved.places] + solved.on_time[0]
    move = np.eye(len(estimates) + 1)
    move[-1, :-1] = -mean[1:]
    wide = np.zeros_like(move)
    wide[:-1, :-1], wide[-1, -1] = bread, 1 / moments.n_obs
    return np.asarray(move @ np.append(estimates, mean[0])), np.asarray(move @ wide)
