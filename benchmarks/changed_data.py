"""Do verdicts follow the figures? Changes planted in the statistics, judged by the project and by an oracle of its own.

    python benchmarks/changed_data.py [--per-kind 15] [--seeds 20] [--seed 1]

Prints, by kind of change, how many verdicts must move by the oracle and how many of them the project finds, then how
many verdicts move when nothing but the seed of the draws changes. The oracle (tests/data_oracle.py) imports
nothing of the project. Measured: 60 changes (seeds 11 to 14, three of a kind), 142 of 142 verdicts found and none moved
alone; 20 other seeds of the draws move none.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import changed_data
import data_oracle
import data_pipeline


def follow(per_kind: int, seed: int) -> None:
    """Plant changes and count what must move, what is found and what moves without need."""
    figures, regions = data_pipeline.statistics(), data_pipeline.regions()
    borders = pd.read_csv(data_pipeline.FOLDER / "contiguity.csv")[["province_en", "neighbour_en"]]
    standing = data_oracle.judge(figures, regions, borders)
    changes, must, found, wrong = Counter(), Counter(), Counter(), Counter()
    for change in changed_data.planted(figures, per_kind, seed):
        asked = data_oracle.judge(change.figures, regions, borders, change.cluster)
        told = data_pipeline.judge(change.figures, change.cluster)
        changes[change.kind] += 1
        for name in data_pipeline.JUDGED:
            moved = asked[name] != standing[name]
            must[change.kind] += moved
            found[change.kind] += moved and told[name] == asked[name]
            wrong[change.kind] += not moved and told[name] != standing[name]
            if told[name] != asked[name]:
                print(f"{change.kind}, {name}: {told[name]}, by the oracle {asked[name]}", flush=True)
    for kind, count in changes.items():
        print(
            f"{kind}: {count} changes, {must[kind]} verdicts must move, {found[kind]} found, {wrong[kind]} moved alone"
        )
    total = sum(must.values())
    print(f"{sum(changes.values())} changes: {sum(found.values())} of {total} found", flush=True)


def draw_again(seeds: int, draws: int) -> None:
    """The same figures with other draws."""
    figures = data_pipeline.statistics()
    first = data_pipeline.judge(figures, draws=draws, seed=0)
    moved = Counter()
    for seed in range(1, seeds + 1):
        told = data_pipeline.judge(figures, draws=draws, seed=seed)
        moved.update(name for name in first if told[name] != first[name])
    print(f"{seeds} other seeds: {dict(moved) or 'no verdict moves'}", flush=True)


def main() -> None:
    """Both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-kind", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--draws", type=int, default=9_999)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.per_kind:
        follow(options.per_kind, options.seed)
    if options.seeds:
        draw_again(options.seeds, options.draws)


if __name__ == "__main__":
    main()
