"""How often the intervals of an indirect effect hold the truth: a table that a benchmark has measured once."""

from pathlib import Path

import pandas as pd

from helpers.errors import StudyError

FILE = Path(__file__).with_name("coverage.csv")


def read_coverage() -> pd.DataFrame:
    """The measured coverage of 95 % intervals: errors, path_a, path_b, method, coverage, replications, seed.

    Made by ``benchmarks/coverage_mediation.py``; 31 entities, 7 times, two-way effects.

    Raises
    ------
    StudyError
        The table is missing.
    """
    if not FILE.is_file():
        raise StudyError(str(FILE), "the measured coverage is missing", "run benchmarks/coverage_mediation.py")
    return pd.read_csv(FILE)


def coverage_table(coverage: pd.DataFrame) -> pd.DataFrame:
    """One row per method: the lowest, mean and highest coverage over the paths, in each world.

    Paths that are both zero are left out: there every interval is wide beside the product, which is then all but zero.
    """
    real = coverage[(coverage["path_a"] != 0) | (coverage["path_b"] != 0)]
    grouped = real.groupby(["method", "errors"], sort=False)["coverage"]
    return grouped.agg(["min", "mean", "max"]).unstack("errors").swaplevel(axis=1).sort_index(axis=1)


def coverage_range(coverage: pd.DataFrame, method: str) -> tuple[float, float]:
    """The lowest and the highest coverage of a method over all worlds and paths but those that are both zero."""
    real = coverage[(coverage["path_a"] != 0) | (coverage["path_b"] != 0)]
    found = real.loc[real["method"] == method, "coverage"]
    if found.empty:
        raise StudyError(f"coverage of {method}", "it was not measured", f"known are {sorted(set(real['method']))}")
    return float(found.min()), float(found.max())
