"""Speed of what the notebooks on the further texts do most, beside one regression at a time, in the same run.

    python benchmarks/bench_texts.py [draws]

31 entities, 7 times. Randomisation of a policy over `draws` assignments against refitting each assignment with our own
engine and with linearmodels (timed on 20 assignments and scaled); a spatial Durbin model; a family of five outcomes.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from linearmodels import PanelOLS
from spatial_truth import MODEL, draw_panel, ring_weights

from helpers.inference.family import Question, fit_clear_family
from helpers.policy.difference import difference_model, randomise
from helpers.policy.durbin import fit_spatial
from helpers.regression.panel import fit

FEW = 20


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 4999
    rng, weights = np.random.default_rng(1), ring_weights(31)
    data = draw_panel(weights, 7, rng)
    starts = pd.Series(np.where(np.arange(31) < 8, 4.0, np.nan), data.index.unique(0))
    begun = starts.reindex(data.index.get_level_values(0)).to_numpy()
    under = (data.index.get_level_values(1).to_numpy() >= np.where(np.isnan(begun), np.inf, begun)).astype(float)
    marked = data.assign(policy_start=begun, under_policy=under)
    model = difference_model(MODEL, "y", controls=True)
    at_once = clock(lambda: randomise(marked, model, draws=draws, rng=rng))
    ours = clock(lambda: [fit(marked, model) for _ in range(FEW)]) / FEW * draws
    peer = PanelOLS(marked["y"], marked[["under_policy", "z"]], entity_effects=True, time_effects=True)
    theirs = clock(lambda: [peer.fit(cov_type="clustered", cluster_entity=True) for _ in range(FEW)]) / FEW * draws
    outcomes = {f"y{place}": rng.normal(size=len(data)) for place in range(5)}
    wide = data.assign(**outcomes)
    questions = {name: Question(wide, MODEL.with_(outcome=name), "x") for name in outcomes}
    rows = {
        f"randomisation, {draws} assignments": at_once,
        "  one regression at a time, our own": ours,
        "  one regression at a time, linearmodels": theirs,
        "spatial Durbin model with effects": clock(lambda: fit_spatial(data, MODEL, weights)),
        "family of five, 99,999 draws, with and without times": clock(
            lambda: fit_clear_family(questions, draws=99_999, rng=rng)
        ),
    }
    for name, seconds in rows.items():
        print(f"{name:55s} {seconds:10.3f} s")
    print(f"{'times faster than linearmodels':55s} {theirs / at_once:10.0f}")


if __name__ == "__main__":
    main()
