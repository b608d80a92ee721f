"""Changes planted in the statistics themselves, by kind: what the verdicts must follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

DOSE = (
    "industrial_rd_expenditure", "industrial_rd_personnel_fte", "invention_patents_granted", "tech_market_turnover",
    "software_revenue", "websites_per_100_enterprises", "ecommerce_enterprise_share", "ecommerce_sales",
    "computers_per_100_employees", "mobile_phone_penetration", "broadband_subscribers", "domain_names", "web_pages",
)  # fmt: skip
REPLY = (
    "disposable_income_pc", "enterprise_legal_persons", "registered_unemployment_rate", "urban_rural_income_ratio",
    "beds_per_10k", "library_holdings_pc", "road_area_pc", "public_transit_per_10k", "so2_emissions",
    "sewage_treatment_rate", "exp_environment",
)  # fmt: skip
SINGLE = ("gdp_index", "rural_min_living_recipients")
SETS = (DOSE, REPLY, *((name,) for name in SINGLE), *((name,) for name in DOSE[3:8]), *((name,) for name in REPLY[3:6]))
HEAVY = ("Beijing", "Shanghai", "Tianjin", "Hubei", "Jiangsu", "Tibet", "Qinghai", "Guizhou", "Shaanxi", "Chongqing")


@dataclass(frozen=True)
class Change:
    """One planted change.

    Attributes
    ----------
    kind
        Which kind it is of.
    figures
        The statistics after it.
    cluster
        What errors are clustered by.
    """

    kind: str
    figures: pd.DataFrame
    cluster: str = "entity"


def flip_sign(figures: pd.DataFrame, rng: np.random.Generator) -> Change:
    """High figures become low ones: the mirror between the smallest and the largest of a series."""
    names = list(SETS[int(rng.integers(len(SETS)))])
    part = figures[names]
    return Change(
        "flip_sign", figures.assign(**{name: part[name].max() + part[name].min() - part[name] for name in names})
    )


def drop_province(figures: pd.DataFrame, rng: np.random.Generator) -> Change:
    """Without one to four provinces, some of them heavy."""
    gone = rng.choice(HEAVY, size=int(rng.integers(1, 5)), replace=False)
    return Change("drop_province", figures.drop(index=list(gone), level=0))


def other_clustering(figures: pd.DataFrame, rng: np.random.Generator) -> Change:
    """Errors that share a year instead of a province, over a sample that is at times smaller."""
    kept = figures if rng.random() < 0.3 else drop_province(figures, rng).figures
    return Change("other_clustering", kept, "time")


def swap_year(figures: pd.DataFrame, rng: np.random.Generator) -> Change:
    """The figures of two years of some series exchanged."""
    one, other = rng.choice(np.arange(2015, 2022), size=2, replace=False)
    names = list(SETS[int(rng.integers(4))])
    years = figures.index.get_level_values(1)
    changed = figures.copy()
    for name in names:
        changed.loc[years == one, name] = figures.loc[years == other, name].to_numpy()
        changed.loc[years == other, name] = figures.loc[years == one, name].to_numpy()
    return Change("swap_year", changed)


def exchange_labels(figures: pd.DataFrame, rng: np.random.Generator) -> Change:
    """The names of provinces dealt out anew among some of them, for some series."""
    names = list(SETS[int(rng.integers(4))])
    places = list(figures.index.unique(0))
    some = rng.choice(len(places), size=int(rng.integers(2, 16)), replace=False)
    wide = {name: figures[name].unstack() for name in names}
    changed = figures.copy()
    for name, table in wide.items():
        order = np.arange(len(places))
        order[np.sort(some)] = some
        moved = pd.DataFrame(table.to_numpy()[order], table.index, table.columns)
        changed[name] = moved.stack().reindex(figures.index)
    return Change("exchange_labels", changed)


KINDS: tuple[Callable[[pd.DataFrame, np.random.Generator], Change], ...] = (
    flip_sign,
    drop_province,
    other_clustering,
    swap_year,
    exchange_labels,
)


def planted(figures: pd.DataFrame, per_kind: int, seed: int) -> Iterator[Change]:
    """So many changes of every kind."""
    rng = np.random.default_rng(seed)
    for kind in KINDS:
        for _ in range(per_kind):
            yield kind(figures, rng)
