"""A study of a few lines and a panel for it, for the modules that notebooks 03 and 04 show their numbers with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

LABELS = {"dose": "The dose", "weight": "The weight", "rain": "The rain", "full": "Full model"}


def make_study(**changes: Any) -> Any:
    """Outcome ~ dose + weight + rain with effects of place and year, no index; `changes` replace parts."""
    study = SimpleNamespace(
        name="toy",
        seed=1,
        question=SimpleNamespace(en="Does the dose work?"),
        entity=SimpleNamespace(name="place", label=SimpleNamespace(en="Place")),
        time=SimpleNamespace(name="year", window=tuple(range(2001, 2009)), label=SimpleNamespace(en="Year")),
        specification=SimpleNamespace(
            outcome="outcome", treatment="dose", controls=("weight", "rain"), cluster="entity", significance=0.05
        ),
        ladder={"full": SimpleNamespace(controls=True, effects=("entity", "time"))},
        primary="full",
        robustness={},
        indices={},
        indicators={},
        instruments={},
        multiverse=None,
        label=lambda name: LABELS.get(name, name),
    )
    for name, value in changes.items():
        setattr(study, name, value)
    return study


def make_panel(
    rng: np.random.Generator, n_entities: int = 14, n_times: int = 8, effect: float = 1.0, drop: int = 0
) -> pd.DataFrame:
    """A panel with a true effect of the dose; `drop` rows, spread over the panel, are taken out."""
    index = pd.MultiIndex.from_product(
        [[f"p{place:02d}" for place in range(n_entities)], range(2001, 2001 + n_times)], names=["place", "year"]
    )
    fixed = np.repeat(rng.normal(size=n_entities), n_times)
    columns = {name: rng.normal(size=len(index)) + fixed for name in ("dose", "weight", "rain")}
    outcome = effect * columns["dose"] + 0.5 * columns["weight"] + fixed + 0.5 * rng.normal(size=len(index))
    panel = pd.DataFrame({"outcome": outcome, **columns}, index=index)
    return panel.drop(panel.index[:: len(panel) // drop][:drop]) if drop else panel
