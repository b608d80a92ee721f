"""Which p-value to trust: size and power of the methods on simulated panels as large as the study's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.inference.simulate import ErrorDesign
from helpers.inference.size_power import METHODS, SizeAndPower, size_and_power

if TYPE_CHECKING:
    from helpers.regression.panel import PanelFit
    from helpers.results.results import Results

# Two worlds: one that textbooks assume, and one like panels of regions: errors that drift and stay, are louder where
# the treatment moves more, and a treatment that moves in a few entities.
WORLDS = {
    "even": ErrorDesign(),
    "uneven": ErrorDesign(serial_correlation=0.5, cluster_shock=1.0, heteroskedasticity=0.3, leverage=1.0),
}
# An estimate is found in four of five samples when it is so many of its standard deviations from zero.
FOUR_OF_FIVE = 2.8
FEWEST = 4  # clusters that every method can be tried with


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
            design: dict[str, Any] = {"n_entities": n_entities, "n_times": n_times, "errors": errors}
            spread = size_and_power({}, effect=0.0, replications=simulations, rng=rng, **design).spread
            found[name, world] = size_and_power(
                METHODS, effect=FOUR_OF_FIVE * spread, replications=simulations, level=level, rng=rng, **design
            )
    return found


def cluster_sizes(fit: PanelFit, regions: pd.Series) -> dict[str, int]:
    """Entities of the primary specification, and of the smallest region where there are several."""
    entities = fit.design.index.unique(0)
    counts = regions.reindex(entities).value_counts()
    sizes = {"all": fit.n_entities}
    if counts.min() < fit.n_entities:
        sizes["smallest_region"] = max(int(counts.min()), FEWEST)
    return sizes


def trust_table(found: Mapping[tuple[str, str], SizeAndPower]) -> pd.DataFrame:
    """Rows (clusters, errors, method): size and power with their simulation errors."""
    tables = {(item.n_entities, world): item.table for (_, world), item in found.items()}
    return pd.concat(tables, names=["n_clusters", "errors"])


def record_trust(results: Results, found: Mapping[tuple[str, str], SizeAndPower]) -> None:
    """Record size and power of every method under ``baseline.trust.<clusters>.<errors>.<method>``."""
    for (name, world), item in found.items():
        for method, row in item.table.iterrows():
            word = str(method).lower().split("(")[0].strip().replace(" ", "_")
            for kind in ("size", "power"):
                results.record(
                    f"baseline.trust.{name}.{world}.{word}.{kind}",
                    value=row[kind],
                    std_error=row[f"{kind}_std_error"],
                    n_obs=item.replications,
                    n_entities=item.n_entities,
                    digits=3,
                    convention=f"rejections at nominal {item.level:.0%} in simulated panels, n counts the panels",
                )


def say_trust(found: Mapping[tuple[str, str], SizeAndPower], results: Results) -> str:
    """The sentence template: which method is nearest to the nominal size in the uneven world, which furthest."""
    lines = []
    for (name, world), item in found.items():
        if world != "uneven":
            continue
        gaps = (item.table["size"] - item.level).abs()
        results.record(f"baseline.trust.{name}.clusters", value=item.n_entities)
        near, far = (str(place) for place in (gaps.idxmin(), gaps.idxmax()))
        lines.append(
            f"With {{baseline.trust.{name}.clusters}} clusters and uneven errors the true rejection rate is nearest to "
            f"the nominal one for {near} ({_place(name, near)}) and furthest for {far} ({_place(name, far)})."
        )
    return " ".join(lines)


def _place(name: str, method: str) -> str:
    word = method.lower().split("(")[0].strip().replace(" ", "_")
    return f"{{baseline.trust.{name}.uneven.{word}.size:.1%}}"
