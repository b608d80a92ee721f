"""Which p-value to trust: size and power of the methods on simulated panels as large as the study's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.simulation.simulate import ErrorDesign
from helpers.simulation.size_power import METHODS, SizeAndPower, size_and_power

if TYPE_CHECKING:
    from helpers.regression.panel import PanelFit

# Two worlds: one that textbooks assume, and one like panels of regions: errors that drift and stay, are louder where
# the treatment moves more, and a treatment that moves in a few entities.
WORLDS = {
    "even": ErrorDesign(),
    "uneven": ErrorDesign(serial_correlation=0.5, cluster_shock=1.0, heteroskedasticity=0.3, leverage=1.0),
}
# An estimate is found in four of five samples when it is so many of its standard deviations from zero.
FOUR_OF_FIVE = 2.8
FEWEST = 4  # clusters that every method can be tried with
# Clusters of a simulated panel at most: what is held grows with their square, and with more the methods differ less.
MOST = 500


def draw_trust(
    sizes: Mapping[str, int], n_times: int, *, simulations: int, level: float, rng: np.random.Generator
) -> dict[tuple[str, str], SizeAndPower]:
    """Simulate every world at every number of clusters.

    Power is taken at the effect that a test which knew the variance would find in about four of five samples.

    Parameters
    ----------
    sizes
        Name -> number of entities.
    n_times
        Periods.
    simulations
        Panels of each kind.
    """
    found = {}
    for name, n_entities in sizes.items():
        for world, errors in WORLDS.items():
            simulate = partial(
                size_and_power, shape=(n_entities, n_times), errors=errors, replications=simulations, rng=rng
            )
            spread = simulate({}, effect=0.0).spread
            found[name, world] = simulate(METHODS, effect=FOUR_OF_FIVE * spread, level=level)
    return found


def cluster_sizes(fit: PanelFit, regions: pd.Series) -> dict[str, int]:
    """Entities of the primary specification, and of the smallest region where there are several; `MOST` at most."""
    entities = fit.design.index.unique(0)
    counts = regions.reindex(entities).value_counts()
    sizes = {"all": fit.n_entities}
    if counts.min() < fit.n_entities:
        sizes["smallest_region"] = max(int(counts.min()), FEWEST)
    return {name: min(size, MOST) for name, size in sizes.items()}


def trust_table(found: Mapping[tuple[str, str], SizeAndPower]) -> pd.DataFrame:
    """Rows (clusters, errors, method): size and power with their simulation errors."""
    tables = {(item.n_entities, world): item.table for (_, world), item in found.items()}
    return pd.concat(tables, names=["n_clusters", "errors"])


# The methods that are tried on simulated panels, by the short names of `helpers.simulation.few_clusters`.
PREFERRED = ["wild bootstrap", "CR2", "CR3 jackknife", "clustered t(G-1)"]
SHORT = {"clustered t(G-1)": "clustered_t", "CR2": "cr2", "CR3 jackknife": "cr3", "wild bootstrap": "wild"}


@dataclass(frozen=True)
class Recommendation:
    """The method that a simulation recommends.

    Attributes
    ----------
    method
        Its short name, as in `helpers.simulation.few_clusters.few_cluster_tests`.
    words
        Its name in words.
    keeps
        Whether its true size is within one simulation error of the nominal one; if not, it is only the nearest.
    size, power
        How often it rejects a true null, and its power.
    """

    method: str
    words: str
    keeps: bool
    size: float
    power: float


def recommend(found: SizeAndPower) -> Recommendation:
    """The method to read: the most powerful of those whose true size is within one simulation error of the nominal one.

    Methods whose power is within one simulation error of the best count as equal; of equals the first in the order of
    `PREFERRED` is taken, so that the choice does not hang on a draw. Where no method keeps its size, the nearest from
    below is taken, since a test that rejects too seldom misleads less; where all reject too often, the nearest.
    """
    table, level = found.table.loc[PREFERRED], found.level
    error = table["size_std_error"].clip(lower=np.sqrt(level * (1 - level) / found.replications))
    honest = table[(table["size"] - level).abs() <= error]
    below = table[table["size"] <= level]
    if len(honest):
        best = honest.nlargest(1, "power").iloc[0]
        chosen = str(honest.index[honest["power"] >= best["power"] - best["power_std_error"]][0])
    else:
        group = below if len(below) else table
        chosen = str((group["size"] - level).abs().idxmin())
    numbers = {name: float(table[name].to_dict()[chosen]) for name in ("size", "power")}
    return Recommendation(method=SHORT[chosen], words=chosen, keeps=len(honest) > 0, **numbers)


def record_trust(record: Callable[..., Any], found: Mapping[tuple[str, str], SizeAndPower]) -> None:
    """Record size and power of every method under ``baseline.trust.<clusters>.<errors>.<method>``, and the clusters."""
    for name, n_entities in {name: item.n_entities for (name, _), item in found.items()}.items():
        record(f"baseline.trust.{name}.clusters", value=n_entities)
    for (name, world), item in found.items():
        for method, row in item.table.iterrows():
            for kind in ("size", "power"):
                record(
                    f"baseline.trust.{name}.{world}.{key_word(str(method))}.{kind}",
                    value=row[kind],
                    std_error=row[f"{kind}_std_error"],
                    n_obs=item.replications,
                    n_entities=item.n_entities,
                    digits=3,
                    convention=f"rejections at nominal {item.level:.0%} in simulated panels, n counts the panels",
                )


def key_word(method: str) -> str:
    """A method's name as a word of a key."""
    return method.lower().split("(")[0].strip().replace(" ", "_")
