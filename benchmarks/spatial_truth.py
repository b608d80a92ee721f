"""Spatial Durbin models on panels whose truth is known: bias, and how often the 95 % intervals hold the truth.

    python benchmarks/spatial_truth.py [panels] [seed]

Prints one row per coefficient and effect, and writes ``benchmarks/spatial_truth.csv``. 31 entities, 7 times, both
effects, neighbours on a ring with one chord each, rho 0.3, own slope 1, neighbours' slope 0.5.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.policy.durbin import fit_spatial
from helpers.policy.space import SpatialWeights, standardise_rows
from helpers.study.model import Model

RHO, OWN, OTHERS = 0.3, 1.0, 0.5
MODEL = Model("y", "x", ("z",))


def ring_weights(n: int) -> SpatialWeights:
    names = [f"u{place:02d}" for place in range(n)]
    raw = np.zeros((n, n))
    for place in range(n):
        for step in (-1, 1, 3):
            raw[place, (place + step) % n] = 1.0
    raw = np.maximum(raw, raw.T)
    return standardise_rows(pd.DataFrame(raw, names, names))


def draw_panel(weights: SpatialWeights, times: int, rng: np.random.Generator) -> pd.DataFrame:
    names, w = list(weights.matrix.index), weights.matrix.to_numpy()
    n = len(names)
    x, z = rng.normal(size=(2, times, n))
    level, year = rng.normal(size=n), rng.normal(size=(times, 1))
    mean = OWN * x + OTHERS * x @ w.T + 0.5 * z + level + year + rng.normal(size=(times, n))
    y = mean @ np.linalg.inv(np.eye(n) - RHO * w).T
    index = pd.MultiIndex.from_product([names, range(times)], names=["unit", "time"])
    return pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel(), "z": z.T.ravel()}, index)


def true_effects(weights: SpatialWeights) -> dict[str, float]:
    w = weights.matrix.to_numpy()
    n = len(w)
    matrix = np.linalg.inv(np.eye(n) - RHO * w) @ (OWN * np.eye(n) + OTHERS * w)
    direct, total = np.trace(matrix) / n, matrix.sum() / n
    return {"direct": direct, "indirect": total - direct, "total": total}


def measure(panels: int, seed: int, n: int = 31, times: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    weights = ring_weights(n)
    truth = {"rho": RHO, "x": OWN, "neighbours_x": OTHERS, **true_effects(weights)}
    rows: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in truth}
    for _ in range(panels):
        fit = fit_spatial(draw_panel(weights, times, rng), MODEL, weights, durbin=["x"])
        found = {"rho": fit.rho, **{name: fit.coefficients[name] for name in ("x", "neighbours_x")}}
        found |= {kind: fit.effects["x", kind] for kind in ("direct", "indirect", "total")}
        for name, item in found.items():
            rows[name].append((item.estimate, item.std_error, item.ci_low <= truth[name] <= item.ci_high))
    table = {
        name: {
            "truth": truth[name],
            "mean": np.mean([row[0] for row in found]),
            "sd": np.std([row[0] for row in found], ddof=1),
            "mean_std_error": np.mean([row[1] for row in found]),
            "coverage": np.mean([row[2] for row in found]),
        }
        for name, found in rows.items()
    }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("term")


def main() -> None:
    panels, seed = (int(text) for text in (sys.argv[1:] + ["2000", "20240909"][len(sys.argv) - 1 :]))
    table = measure(panels, seed)
    table.assign(panels=panels, seed=seed).round(4).to_csv(Path(__file__).with_suffix(".csv"))
    print(table.round(4).to_string())


if __name__ == "__main__":
    main()
