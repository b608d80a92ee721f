"""How often sound panels are refused: tables of N = 10 to 60 units that are right, through `adopt` and its check.

    python benchmarks/sound_panels.py [NUMBER]

Every panel is another draw: 10 to 60 units, 5 to 15 years, 3 to 12 measures, some in levels and some as shares, counts
or growing series, with gaps in one of three and an order of rows that means nothing. A refusal is a false alarm.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.own.adopt import adopt
from helpers.runner.check import check_study


def draw_panel(rng: np.random.Generator) -> pd.DataFrame:
    """One sound panel: unit effects, common growth, persistence and noise of its own for every measure."""
    units, times, measures = rng.integers(10, 61), rng.integers(5, 16), rng.integers(3, 13)
    names = rng.permutation([f"unit {number:02d}" for number in range(units)])
    index = pd.MultiIndex.from_product([names, range(2005, 2005 + times)], names=["unit", "year"])
    columns = {}
    for place in range(measures):
        own = rng.normal(size=units) * rng.uniform(0.2, 2)
        growth = np.cumsum(rng.normal(rng.uniform(-0.05, 0.3), 0.1, size=times))
        noise = rng.normal(size=(units, times)) * rng.uniform(0.05, 1)
        for time_ in range(1, times):
            noise[:, time_] += rng.uniform(0, 0.9) * noise[:, time_ - 1]
        latent = own[:, None] + growth + noise
        kinds = (latent, np.exp(latent), 100 / (1 + np.exp(-latent)), rng.poisson(np.exp(np.clip(latent, -3, 6))))
        columns[f"m{place}"] = kinds[place % 4].ravel()
    panel = pd.DataFrame(columns, index=index)
    if rng.uniform() < 1 / 3:
        panel = panel.mask(rng.uniform(size=panel.shape) < 0.03)
    return panel


def main(number: int) -> None:
    """Adopt so many panels and tell which were refused, and why."""
    refused = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "pyproject.toml").touch()
        (root / "data").mkdir()
        for place in range(number):
            table = root / "panel.csv"
            draw_panel(np.random.default_rng(place)).to_csv(table)
            try:
                adopt(table, root, f"p{place}", None, check_study)
            except StudyError as error:
                refused.append(f"{place}: {error.where}: {error.rule}")
    print("\n".join(refused))
    print(f"{len(refused)} of {number} sound panels refused, {(time.perf_counter() - begun) / number:.2f} s each")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
