"""Speed and memory of the index beside scikit-criteria and pymcdm, in one run.

Run `python benchmarks/bench_index.py`; `--large` adds 10,000,000 x 20 beside a bare NumPy pass of x ln x (5 GB of
memory). pymcdm sets the entropy of any column that holds a 0 to 0; the figures here are above 0, where all three agree.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pymcdm.weights import entropy_weights as pymcdm_entropy
from skcriteria.preprocessing.weighters import entropy_weights as scikit_entropy

from helpers.index.bootstrap import bootstrap_index
from helpers.index.composite import composite_index, entropy_weights
from helpers.multiverse.drawn import IndexExperiment, Specification, sobol_sensitivity

ENTITIES, TIMES = 31, 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 10,000,000 x 20")
    large = parser.parse_args().large
    for rows, repeats in ((1_000, 200), (1_000_000, 3)):
        compare_entropy(rows, repeats)
    if large:
        compare_with_bare_pass(10_000_000)
    time_provincial_panel()


def compare_entropy(rows: int, repeats: int) -> None:
    matrix = np.random.default_rng(1).random((rows, 20)) + 0.01
    print(f"\nentropy weights, {rows:,} x 20, best of {repeats}")
    expected = entropy_weights(matrix)
    makers = {"helpers": entropy_weights, "scikit-criteria": scikit_entropy, "pymcdm": pymcdm_entropy}
    fastest = dict.fromkeys(makers, float("inf"))
    # Turn by turn, so that what else the machine does falls on all alike.
    for _ in range(repeats):
        for name, make in makers.items():
            start = time.perf_counter()
            weights = make(matrix)
            fastest[name] = min(fastest[name], time.perf_counter() - start)
            assert np.allclose(weights, expected, atol=1e-10)
    for name, seconds in fastest.items():
        report(name, seconds)


def compare_with_bare_pass(rows: int) -> None:
    matrix = np.random.default_rng(1).random((rows, 20)) + 0.01
    print(f"\n{rows:,} x 20, best of 2")
    before = peak()
    ours = best(lambda: entropy_weights(matrix), 2)
    grown = peak() - before
    bare = best(lambda: (matrix * np.log(matrix)).sum(axis=0), 2)
    report("helpers", ours)
    report("bare x ln x", bare)
    print(f"  ratio {ours / bare:.2f}; memory beyond the figures {grown:.0f} MB")


def time_provincial_panel() -> None:
    panel, specs = made_panel()
    print(f"\n{ENTITIES} entities x {TIMES} times, indices of 13 and 14 indicators")
    report("one composite index", best(lambda: composite_index(panel, specs["treatment"]), 5))
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    for spec in specs.values():
        bootstrap_index(panel, spec, 9_999, rng)
    report("9,999 draws of both indices", time.perf_counter() - start)
    experiment = IndexExperiment(panel, specs, Specification("outcome", "treatment", ("c1", "c2", "c3", "c4", "c5")))
    start = time.perf_counter()
    found = sobol_sensitivity(experiment, 4_096, rng)
    seconds = time.perf_counter() - start
    runs = len(found.runs.estimates)
    report(f"Sobol, {runs:,} full runs of both indices and regression", seconds)
    print(f"  {1e3 * seconds / runs:.2f} ms per run; widest half-width {found.outputs['estimate'].widest:.3f}")
    print(f"  peak memory {peak():.0f} MB")


def made_panel() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Skewed figures above 0, and two indices over them."""
    rows = pd.MultiIndex.from_product([range(ENTITIES), range(TIMES)], names=["entity", "time"])
    names = [f"a{number}" for number in range(13)] + [f"b{number}" for number in range(14)]
    rng = np.random.default_rng(1)
    level = np.repeat(rng.normal(size=(ENTITIES, 27)), TIMES, axis=0)
    panel = pd.DataFrame(np.exp(level + 0.2 * rng.normal(size=level.shape)), index=rows, columns=names)
    panel[["c1", "c2", "c3", "c4", "c5"]] = rng.normal(size=(len(rows), 5))
    specs = {
        side: {"indicators": {name: {"direction": 1} for name in names if name[0] == letter}}
        for side, letter in (("treatment", "a"), ("outcome", "b"))
    }
    return panel, specs


def best(run: Callable[[], Any], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def report(name: str, seconds: float) -> None:
    print(f"  {name:<55}{1e3 * seconds:>12.3f} ms")


def peak() -> float:
    """Largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
