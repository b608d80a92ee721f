"""Speed of the bootstrap of channels, the threshold and the permutation of regions, beside refitting with linearmodels.

    python benchmarks/bench_channels.py RUN_FOLDER [--draws 9999] [--permutations 1000000]

RUN_FOLDER holds the panel of a finished run of the default study. Prints seconds of wall clock and of processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from linearmodels import PanelOLS

from helpers import notebook
from helpers.heterogeneity.heterogeneity import compare_regions
from helpers.mediation import shown
from helpers.mediation.mediation import fit_mediation
from helpers.mediation.resampled import draw_samples
from helpers.regression.threshold import panel_threshold


def measure(name: str, work: Callable[[], Any]) -> float:
    """Do some work and print what it took; the processor's seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name}: {wall:.2f} s wall clock, {cpu:.2f} s processor", flush=True)
    return cpu


def main() -> None:
    """Measure all of it in one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=9_999)
    parser.add_argument("--permutations", type=int, default=1_000_000)
    given = parser.parse_args()
    folder = str(given.folder)
    run = notebook.open_run("05_mediation", run_folder=folder, out=folder)
    data, study, model = run.read("panel"), run.study, run.study.model()
    samples = draw_samples(data, model, draws=given.draws, rng=np.random.default_rng(1))

    def channels() -> None:
        for name in study.mediators:
            rows = shown.complete_rows(data, [name])
            indices = {name: study.indices[name]} if name in study.indices else {}
            fit_mediation(rows, model, [name], samples, indices=indices)

    ours = measure(f"{len(study.mediators)} mediators, {given.draws} draws, indices anew", channels)
    mediator = next(iter(study.mediators))

    def theirs() -> None:
        for left, right in (
            (mediator, model.regressors),
            (model.outcome, (mediator, *model.regressors)),
        ):
            PanelOLS(data[left], data[list(right)], entity_effects=True, time_effects=True).fit(
                cov_type="clustered", cluster_entity=True
            )

    rounds = 5
    refit = measure(f"linearmodels, {rounds} refits of two equations", lambda: [theirs() for _ in range(rounds)])
    per_draw = ours / given.draws / len(study.mediators)
    print(f"a draw of one channel takes {refit / rounds / per_draw:.0f} times as long with linearmodels")
    entity = model.with_(effects=("entity",))
    measure(
        "threshold, 999 draws",
        lambda: panel_threshold(data, entity, mediator, draws=999, rng=np.random.default_rng(1)),
    )
    regions = run.regions.dropna()
    measure(
        f"differences of regions, {given.permutations} divisions a pair",
        lambda: compare_regions(
            data, model, regions, order=study.grouping.order, wild_draws=999,
            permutations=given.permutations, rng=np.random.default_rng(1),
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
