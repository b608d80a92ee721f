"""Panels whose truth is known, to see which method can be trusted.

Outcome of entity i at time t:
    Y = (direct + gap of i's region) D + sum_j b_j M_j + sum_k c_k X_k + effects + e,
    M_j = a_j D + sum_k X_k + effects + u_j,
with entity and time effects in everything. The error e is what makes clustered inference hard: it is serially
correlated within the entity, carries a shock of the whole cluster that drifts over time, and may be louder where the
treatment moves more; a few entities may carry most of the treatment's variation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.effects import Floats


@dataclass(frozen=True)
class ErrorDesign:
    """How the error of the outcome behaves.

    Attributes
    ----------
    noise
        Standard deviation of the error before the following are added.
    serial_correlation
        Correlation of neighbouring times within an entity, in (-1, 1); the treatment's own is the same.
    cluster_shock
        Standard deviation of each entity's own linear drift over the whole span.
    heteroskedasticity
        h: the error is multiplied by exp(h x), x the standardised distance of the treatment from its mean.
    leverage
        Standard deviation of the logarithm of the entities' treatment variation: 0 all alike, 1 a few dominate.
    mediators
        Whether the mediators' errors behave so too; else they are independent with variance one.
    """

    noise: float = 1.0
    serial_correlation: float = 0.0
    cluster_shock: float = 0.0
    heteroskedasticity: float = 0.0
    leverage: float = 0.0
    mediators: bool = False


@dataclass(frozen=True)
class SimulatedColumns:
    """Columns of R simulated balanced panels.

    Attributes
    ----------
    treatment
        (R, G, T).
    mediators
        (R, G, T, m).
    controls
        (R, G, T, c).
    rest
        (R, G, T): the outcome without the part that the treatment brings directly.
    """

    treatment: Floats
    mediators: Floats
    controls: Floats
    rest: Floats


@dataclass(frozen=True)
class KnownTruth:
    """A simulated panel with the values that made it.

    Attributes
    ----------
    panel
        Rows (entity, time); columns outcome, treatment, the mediators and control_1, control_2, ...
    direct_effect
        Effect of the treatment beside the mediators, without the regions' gaps.
    path_a, path_b, indirect_effects
        Mediator -> true value.
    total_effect
        Direct effect plus the indirect effects.
    control_effects
        Control -> true value.
    region
        Region of each entity; empty when there are no regions.
    region_effects
        Region -> true total effect in that region.
    """

    panel: pd.DataFrame
    direct_effect: float
    path_a: dict[str, float]
    path_b: dict[str, float]
    indirect_effects: dict[str, float]
    total_effect: float
    control_effects: dict[str, float]
    region: pd.Series = field(repr=False)
    region_effects: dict[str, float]


def known_truth_panel(
    n_entities: int,
    n_times: int,
    *,
    treatment_effect: float = 0.5,
    mediators: Mapping[str, tuple[float, float]] | None = None,
    region_gaps: Mapping[str, float] | None = None,
    control_effects: Sequence[float] = (),
    errors: ErrorDesign | None = None,
    rng: np.random.Generator,
) -> KnownTruth:
    """Draw one balanced panel.

    Parameters
    ----------
    n_entities, n_times
        G and T.
    treatment_effect
        Effect of the treatment beside the mediators; without mediators, its whole effect.
    mediators
        Name -> (path a, path b).
    region_gaps
        Region -> what it adds to the direct effect; entities are spread evenly over the regions, in blocks.
    control_effects
        Effect of each control.
    errors
        Behaviour of the error; independent with variance one when left out.
    rng
        Source of randomness.

    Raises
    ------
    StudyError
        Fewer than two entities or times, more regions than entities, or an error design that is not possible.
    """
    paths, gaps = dict(mediators or {}), dict(region_gaps or {})
    columns = draw_columns(
        1, n_entities, n_times, mediators=paths, control_effects=control_effects, errors=errors, rng=rng
    )
    names = [f"entity_{place:03d}" for place in range(1, n_entities + 1)]
    region = _spread(gaps, names)
    gap = region.map(gaps).to_numpy(dtype=float) if gaps else np.zeros(n_entities)
    outcome = columns.rest[0] + (treatment_effect + gap)[:, None] * columns.treatment[0]
    index = pd.MultiIndex.from_product([names, range(1, n_times + 1)], names=["entity", "time"])
    panel = pd.DataFrame({"outcome": outcome.ravel(), "treatment": columns.treatment[0].ravel()}, index=index)
    panel = panel.assign(**{name: columns.mediators[0, :, :, place].ravel() for place, name in enumerate(paths)})
    controls = [f"control_{place}" for place in range(1, len(control_effects) + 1)]
    panel = panel.assign(**{name: columns.controls[0, :, :, place].ravel() for place, name in enumerate(controls)})
    indirect = {name: a * b for name, (a, b) in paths.items()}
    total = treatment_effect + sum(indirect.values())
    return KnownTruth(
        panel=panel,
        direct_effect=treatment_effect,
        path_a={name: a for name, (a, _) in paths.items()},
        path_b={name: b for name, (_, b) in paths.items()},
        indirect_effects=indirect,
        total_effect=total,
        control_effects=dict(zip(controls, map(float, control_effects), strict=True)),
        region=region,
        region_effects={name: total + value for name, value in gaps.items()},
    )


def draw_columns(
    replications: int,
    n_entities: int,
    n_times: int,
    *,
    mediators: Mapping[str, tuple[float, float]] | None = None,
    control_effects: Sequence[float] = (),
    errors: ErrorDesign | None = None,
    rng: np.random.Generator,
) -> SimulatedColumns:
    """Draw the columns of many balanced panels at once; parameters and errors as in `known_truth_panel`."""
    design = errors or ErrorDesign()
    _check_design(n_entities, n_times, design)
    shape = (replications, n_entities, n_times)
    volatility = np.exp(design.leverage * rng.standard_normal((replications, n_entities, 1)))
    moves = volatility * _autoregressive(rng, shape, design.serial_correlation)
    treatment = moves + _effects(rng, shape)
    drawn = [rng.standard_normal(shape) + _effects(rng, shape) + 0.3 * moves for _ in control_effects]
    controls = np.stack(drawn, axis=-1) if drawn else np.zeros((*shape, 0))
    paths = list((mediators or {}).values())
    middle = [
        a * treatment
        + controls.sum(axis=-1)
        + _effects(rng, shape)
        + (_draw_errors(rng, shape, moves, design) if design.mediators else rng.standard_normal(shape))
        for a, _ in paths
    ]
    rest = controls @ np.asarray(control_effects, dtype=float)
    for (_, b), column in zip(paths, middle, strict=True):
        rest = rest + b * column
    rest = rest + _effects(rng, shape) + _draw_errors(rng, shape, moves, design)
    stacked = np.stack(middle, axis=-1) if middle else np.zeros((*shape, 0))
    return SimulatedColumns(treatment, stacked, controls, rest)


def _check_design(n_entities: int, n_times: int, design: ErrorDesign) -> None:
    if n_entities < 2 or n_times < 2:
        raise StudyError("simulated panel", f"{n_entities} entities, {n_times} times", "ask for at least two of each")
    if not -1 < design.serial_correlation < 1:
        raise StudyError(
            "simulated panel", f"serial correlation {design.serial_correlation}", "give one between -1 and 1"
        )
    if min(design.noise, design.cluster_shock, design.leverage) < 0:
        raise StudyError("simulated panel", "a standard deviation is negative", "give 0 or more")


def _effects(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    replications, n_entities, n_times = shape
    return np.asarray(
        rng.standard_normal((replications, n_entities, 1)) + rng.standard_normal((replications, 1, n_times))
    )


def _autoregressive(rng: np.random.Generator, shape: tuple[int, int, int], correlation: float) -> Floats:
    """Stationary first-order series with variance one along the last axis."""
    series = rng.standard_normal(shape)
    scale = np.sqrt(1 - correlation**2)
    for time in range(1, shape[2]):
        series[:, :, time] = correlation * series[:, :, time - 1] + scale * series[:, :, time]
    return series


def _draw_errors(rng: np.random.Generator, shape: tuple[int, int, int], moves: Floats, design: ErrorDesign) -> Floats:
    error = design.noise * _autoregressive(rng, shape, design.serial_correlation)
    if design.cluster_shock > 0:
        span = np.linspace(-1, 1, shape[2])
        error = error + design.cluster_shock * rng.standard_normal((*shape[:2], 1)) * span
    if design.heteroskedasticity != 0:
        distance = np.abs(moves) / moves.std(axis=(1, 2), keepdims=True)
        # Beyond four standard deviations the exponential would let one cell be the whole sample.
        error = error * np.exp(design.heteroskedasticity * np.minimum(distance, 4.0))
    return np.asarray(error)


def _spread(gaps: Mapping[str, float], names: list[str]) -> pd.Series:
    """Region of each entity: blocks of nearly equal size, in the order of the regions."""
    if not gaps:
        return pd.Series(dtype=object)
    if len(gaps) > len(names):
        raise StudyError("simulated panel", f"{len(gaps)} regions for {len(names)} entities", "ask for fewer regions")
    blocks = np.array_split(names, len(gaps))
    return pd.Series({name: region for region, block in zip(gaps, blocks, strict=True) for name in block})
