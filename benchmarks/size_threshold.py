"""How often the test of "no threshold" rejects when there is none, in panels as large as the provincial study.

    python benchmarks/size_threshold.py [--replications 300] [--out src/helpers/heterogeneity/threshold_size.csv]

31 entities, 7 times; even errors, and uneven ones (they drift and stay, are louder where the treatment moves more, a
few entities move most); the threshold variable is the treatment itself, or a column of its own that drifts. Nominal
5 %. Some five minutes on one core. The notebook on regions shows the table; no test and no run makes it anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from helpers.regression.threshold import panel_threshold
from helpers.simulation.simulate import ErrorDesign, known_truth_panel
from helpers.study.model import Model

SEED = 20240909
ENTITIES, TIMES, DRAWS, LEVEL = 31, 7, 199, 0.05
WORLDS = {
    "even": ErrorDesign(),
    "uneven": ErrorDesign(serial_correlation=0.5, cluster_shock=1.0, heteroskedasticity=0.3, leverage=1.0),
}
KINDS: tuple[Literal["clustered", "residual"], ...] = ("clustered", "residual")


def measure(replications: int) -> pd.DataFrame:
    """One row per world, effects, threshold variable and bootstrap: the share of rejections."""
    rows = []
    for world, errors in WORLDS.items():
        for effects in (("entity",), ("entity", "time")):
            model = Model("outcome", "treatment", effects=effects)
            for variable in ("treatment", "other"):
                rejected = {kind: [] for kind in KINDS}
                for place in range(replications):
                    rng = np.random.default_rng([SEED, place, world == "uneven"])
                    panel = known_truth_panel(ENTITIES, TIMES, errors=errors, rng=rng).panel
                    if "time" not in effects:
                        # The panels have time effects, which this model leaves out.
                        panel = panel - panel.groupby(level=1).transform("mean")
                    panel["other"] = (
                        rng.standard_normal((ENTITIES, TIMES)).cumsum(axis=1) + rng.standard_normal((ENTITIES, 1))
                    ).ravel()
                    for kind in KINDS:
                        found = panel_threshold(panel, model, variable, draws=DRAWS, bootstrap=kind, rng=rng)
                        rejected[kind].append(found.p_value <= LEVEL)
                for kind, told in rejected.items():
                    place = {"errors": world, "effects": " + ".join(effects), "variable": variable, "bootstrap": kind}
                    rows.append({**place, "size": np.mean(told), "replications": replications, "seed": SEED})
                    print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure, and write the table."""
    home = Path(__file__).resolve().parents[1] / "src" / "helpers" / "heterogeneity" / "threshold_size.csv"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=300)
    parser.add_argument("--out", type=Path, default=home)
    given = parser.parse_args()
    measure(given.replications).to_csv(given.out, index=False, float_format="%.4f", lineterminator="\n")


if __name__ == "__main__":
    main()
