"""Which p-value to trust: size and power of inference methods on panels whose truth is known.

The built-in methods treat all replications at once; each gives the numbers of the function of the same kind in
`helpers.regression.panel`, `helpers.inference.small_sample` and `helpers.inference.wild` (the tests compare them).
With x the treatment after the effects and controls are projected out, the estimate is x'y / x'x, and everything else
follows from the blocks of x, of the projected controls and time effects Z, and of the residual, cluster by cluster.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.regression.effects import Floats
from helpers.simulation.simulate import ErrorDesign, draw_columns

# Relative distance within which two statistics are the same number.
TIE = 1e-9
# Numbers held at once in the largest intermediate array.
CHUNK = 4_000_000


@dataclass(frozen=True)
class PanelBatch:
    """R balanced panels, each with one outcome, one treatment and some controls; two-way effects are meant.

    Attributes
    ----------
    outcome, treatment
        (R, G, T).
    controls
        (R, G, T, c).
    """

    outcome: Floats
    treatment: Floats
    controls: Floats

    def frame(self, replication: int) -> pd.DataFrame:
        """One panel as a DataFrame with columns outcome, treatment, control_1, ..."""
        _, n_entities, n_times = self.outcome.shape
        index = pd.MultiIndex.from_product([range(n_entities), range(n_times)], names=["entity", "time"])
        columns = {"outcome": self.outcome[replication].ravel(), "treatment": self.treatment[replication].ravel()}
        for place in range(self.controls.shape[3]):
            columns[f"control_{place + 1}"] = self.controls[replication, :, :, place].ravel()
        return pd.DataFrame(columns, index=index)


# A method gives the two-sided p-value of "the treatment has no effect" in each replication, (R,).
Method = Callable[[PanelBatch, np.random.Generator], Floats]


@dataclass(frozen=True)
class SizeAndPower:
    """How methods behave on simulated panels.

    Attributes
    ----------
    table
        Indexed by method: size (rejections without an effect), power (with it), and their Monte-Carlo standard errors
        size_std_error, power_std_error.
    bias, bias_std_error
        Mean of the estimates minus the truth, and its Monte-Carlo standard error.
    spread
        Standard deviation of the estimates.
    effect, level
        The effect at which power is taken; the nominal size.
    n_entities, n_times, replications
        The design.
    """

    table: pd.DataFrame
    bias: float
    bias_std_error: float
    spread: float
    effect: float
    level: float
    n_entities: int
    n_times: int
    replications: int


def size_and_power(
    methods: Mapping[str, Method],
    shape: tuple[int, int],
    *,
    effect: float,
    control_effects: Sequence[float] = (),
    errors: ErrorDesign | None = None,
    replications: int = 1000,
    level: float = 0.05,
    rng: np.random.Generator,
) -> SizeAndPower:
    """Count how often each method rejects when there is no effect, and when there is one.

    Both counts use the same errors; two-way effects throughout.

    Parameters
    ----------
    methods
        Name -> method, such as those of `METHODS`.
    shape
        Entities and times of each panel.
    effect
        The effect at which power is taken.
    level
        Nominal size.
    control_effects, errors
        As in `helpers.simulation.simulate.known_truth_panel`.

    Raises
    ------
    StudyError
        Too few replications, a level outside (0, 1), or a method that returns something else than R p-values.
    """
    if replications < 2 or not 0 < level < 1:
        raise StudyError(
            "size and power", f"{replications} replications, level {level}", "ask for 2 or more, 0 < level < 1"
        )
    columns = draw_columns(replications, *shape, control_effects=control_effects, errors=errors, rng=rng)
    without = PanelBatch(columns.rest, columns.treatment, columns.controls)
    with_effect = PanelBatch(columns.rest + effect * columns.treatment, columns.treatment, columns.controls)
    estimates = _Projected.build(with_effect).estimates
    rows = {}
    for name, method in methods.items():
        size, power = (_rejections(name, method(batch, rng), replications, level) for batch in (without, with_effect))
        rows[name] = {
            "size": size,
            "size_std_error": np.sqrt(size * (1 - size) / replications),
            "power": power,
            "power_std_error": np.sqrt(power * (1 - power) / replications),
        }
    spread = float(estimates.std(ddof=1))
    return SizeAndPower(
        table=pd.DataFrame.from_dict(rows, orient="index").rename_axis("method"),
        bias=float(estimates.mean() - effect),
        bias_std_error=spread / np.sqrt(replications),
        spread=spread,
        effect=effect,
        level=level,
        n_entities=shape[0],
        n_times=shape[1],
        replications=replications,
    )


def crv1(batch: PanelBatch, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - one shape for all methods
    """Clustered t test: the "stata" convention, t(G - 1)."""
    parts = _Projected.build(batch)
    scores = np.einsum("rgt,rgt->rg", parts.x, parts.residual)
    std_error = np.sqrt(parts.factor * np.sum(scores**2, axis=1)) / parts.length
    return _p_value(parts.estimates / std_error, parts.n_clusters - 1)


def cr2(batch: PanelBatch, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - one shape for all methods
    """CR2 with Satterthwaite degrees of freedom."""
    parts = _Projected.build(batch)
    z = np.concatenate([parts.z, parts.x[..., None] / np.sqrt(parts.length)[:, None, None, None]], axis=3)
    # z is orthonormal over all rows, so that the hat matrix of clusters g and h is z_g z_h'; the entity's mean is
    # absorbed within the cluster and left alone.
    hat = np.matmul(z, z.transpose(0, 1, 3, 2))
    n_times = hat.shape[-1]
    values, vectors = np.linalg.eigh(np.eye(n_times) - 1 / n_times - hat)
    inverse_root = np.where(values > 1e-8, 1 / np.sqrt(np.where(values > 1e-8, values, 1.0)), 0.0)
    weight = parts.x / parts.length[:, None, None]
    rotated = np.einsum("rgts,rgt->rgs", vectors, weight) * inverse_root
    adjusted = np.einsum("rgts,rgs->rgt", vectors, rotated)
    variance = np.sum(np.einsum("rgt,rgt->rg", adjusted, parts.residual) ** 2, axis=1)
    # Products of (I - H)_.g A_g w_g over all pairs of clusters.
    along = np.einsum("rgtk,rgt->rgk", z, adjusted)
    products = -np.matmul(along, along.transpose(0, 2, 1))
    own = np.einsum("rgt,rgt->rg", adjusted, adjusted - adjusted.mean(axis=2, keepdims=True))
    diagonal = np.arange(products.shape[1])
    products[:, diagonal, diagonal] += own
    df = np.trace(products, axis1=1, axis2=2) ** 2 / np.sum(products**2, axis=(1, 2))
    return _p_value(parts.estimates / np.sqrt(variance), df)


def cr3(batch: PanelBatch, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - one shape for all methods
    """Jackknife over clusters, every refit with its own effects, t(G - 1)."""
    parts = _Projected.build(batch)
    left = _leave_one_out(batch)
    variance = (parts.n_clusters - 1) / parts.n_clusters * np.sum((left - parts.estimates[:, None]) ** 2, axis=1)
    return _p_value(parts.estimates / np.sqrt(variance), parts.n_clusters - 1)


def wild(draws: int = 399) -> Method:
    """Restricted wild cluster bootstrap, Rademacher weights; all 2^G sign vectors when `draws`, or 256, cover them."""

    def method(batch: PanelBatch, rng: np.random.Generator) -> Floats:
        parts = _Projected.build(batch)
        n_clusters = parts.n_clusters
        if 2**n_clusters <= max(draws, 2**8):
            numbers = np.arange(2**n_clusters)
            signs = 1.0 - 2.0 * ((numbers[:, None] >> np.arange(n_clusters)) & 1)
        else:
            signs = rng.choice([-1.0, 1.0], size=(draws, n_clusters))
        moves, changes = _wild_pieces(parts)
        own = np.einsum("rgt,rgt->rg", parts.x, parts.residual)
        statistic = np.abs(parts.estimates * parts.length) / np.sqrt(np.sum(own**2, axis=1))
        p_values = np.empty(len(statistic))
        step = max(1, CHUNK // (len(signs) * n_clusters))
        for start in range(0, len(statistic), step):
            part = slice(start, start + step)
            numerator = np.abs(moves[part] @ signs.T)
            squares = np.sum(np.matmul(changes[part], signs.T) ** 2, axis=1)
            reached = numerator >= statistic[part, None] * np.sqrt(squares) * (1 - TIE)
            p_values[part] = reached.mean(axis=1)
        return p_values

    return method


METHODS: dict[str, Method] = {"clustered t(G-1)": crv1, "CR2": cr2, "CR3 jackknife": cr3, "wild bootstrap": wild()}


@dataclass(frozen=True)
class _Projected:
    """What is left after the effects and controls.

    x, y and residual (R, G, T); z (R, G, T, k), an orthonormal basis of the projected controls and time effects.
    """

    x: Floats
    y: Floats
    residual: Floats
    z: Floats
    length: Floats
    estimates: Floats
    factor: float

    @property
    def n_clusters(self) -> int:
        return int(self.x.shape[1])

    @staticmethod
    def build(batch: PanelBatch) -> "_Projected":
        replications, n_entities, n_times = batch.outcome.shape
        time = np.broadcast_to(_time_basis(n_entities, n_times), (replications, n_entities, n_times, n_times - 1))
        if batch.controls.shape[3]:
            controls = _two_way(batch.controls).reshape(replications, n_entities * n_times, -1)
            basis = np.linalg.qr(controls)[0].reshape(replications, n_entities, n_times, -1)
            z = np.concatenate([time, basis], axis=3)
        else:
            basis, z = np.zeros((replications, n_entities, n_times, 0)), time
        x, y = (_remove(_two_way(column[..., None])[..., 0], basis) for column in (batch.treatment, batch.outcome))
        length = np.einsum("rgt,rgt->r", x, x)
        estimates = np.einsum("rgt,rgt->r", x, y) / length
        residual = y - estimates[:, None, None] * x
        n_obs, slopes = n_entities * n_times, 1 + batch.controls.shape[3]
        factor = n_entities / (n_entities - 1) * (n_obs - 1) / (n_obs - slopes - n_times)
        return _Projected(x, y, residual, z, length, estimates, factor)


def _two_way(columns: Floats) -> Floats:
    """Remove entity and time means from (R, G, T, c)."""
    return np.asarray(
        columns
        - columns.mean(axis=2, keepdims=True)
        - columns.mean(axis=1, keepdims=True)
        + columns.mean(axis=(1, 2), keepdims=True)
    )


def _time_basis(n_entities: int, n_times: int) -> Floats:
    """Orthonormal basis (T, T - 1) of the time effects around the entity means, scaled for G stacked copies."""
    centred = np.eye(n_times) - 1 / n_times
    return np.asarray(np.linalg.svd(centred)[0][:, :-1] / np.sqrt(n_entities))


def _remove(column: Floats, basis: Floats) -> Floats:
    return np.asarray(column - np.einsum("rgtk,rk->rgt", basis, np.einsum("rgtk,rgt->rk", basis, column)))


def _p_value(statistic: Floats, df: Floats | float) -> Floats:
    return np.asarray(2 * stats.t.sf(np.abs(statistic), df))


def _rejections(name: str, p_values: Floats, replications: int, level: float) -> float:
    found = np.asarray(p_values, dtype=float)
    if found.shape != (replications,) or not np.isfinite(found).all():
        raise StudyError(
            f"method {name}", f"it gave {found.shape} p-values, not all finite", "return one per replication"
        )
    return float(np.mean(found < level))


def _wild_pieces(parts: _Projected) -> tuple[Floats, Floats]:
    """What each cluster's sign moves under no effect: the numerator (R, G), and every cluster's score (R, G, G)."""
    null = parts.y
    moves = np.einsum("rgt,rgt->rg", parts.x, null)
    z_x = np.einsum("rgtk,rgt->rgk", parts.z, parts.x)
    z_null = np.einsum("rgtk,rgt->rgk", parts.z, null)
    share = np.einsum("rgt,rgt->rg", parts.x, parts.x) / parts.length[:, None]
    changes = -np.matmul(z_x, z_null.transpose(0, 2, 1)) - share[:, :, None] * moves[:, None, :]
    diagonal = np.arange(changes.shape[1])
    changes[:, diagonal, diagonal] += moves
    return moves, changes


def _leave_one_out(batch: PanelBatch) -> Floats:
    """Estimates (R, G) without each cluster, from the cross-products of the entity-demeaned columns."""
    replications, n_entities, n_times = batch.outcome.shape
    dummies = np.broadcast_to(np.eye(n_times)[:, 1:], (replications, n_entities, n_times, n_times - 1))
    columns = np.concatenate([batch.treatment[..., None], batch.controls, dummies, batch.outcome[..., None]], axis=3)
    columns = columns - columns.mean(axis=2, keepdims=True)
    blocks = np.matmul(columns.transpose(0, 1, 3, 2), columns)
    left = blocks.sum(axis=1, keepdims=True) - blocks
    return np.asarray(np.linalg.solve(left[:, :, :-1, :-1], left[:, :, :-1, -1:])[:, :, 0, 0])
