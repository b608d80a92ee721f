"""How often the intervals of an indirect effect hold the truth: a table that a benchmark has measured once."""

from pathlib import Path

import pandas as pd

from helpers.errors import StudyError

FILE = Path(__file__).with_name("coverage.csv")
RECOMMENDED = "product, CR2, Satterthwaite"
"""The interval that the study reads."""
USUAL = "percentile"


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
    """One row per world and method: the lowest, mean and highest coverage over the paths.

    Paths that are both zero are left out: there every interval is wide beside the product, which is then all but zero.
    """
    real = coverage[(coverage["path_a"] != 0) | (coverage["path_b"] != 0)]
    shares = real.groupby(["errors", "method"], sort=False)["coverage"]
    parts = {"lowest": shares.min(), "mean": shares.mean(), "highest": shares.max()}
    return pd.DataFrame(parts)


def coverage_range(coverage: pd.DataFrame, method: str) -> tuple[float, float]:
    """The lowest and the highest coverage of a method over all worlds and paths but those that are both zero."""
    real = coverage[(coverage["path_a"] != 0) | (coverage["path_b"] != 0)]
    found = real.loc[real["method"] == method, "coverage"]
    if found.empty:
        raise StudyError(f"coverage of {method}", "it was not measured", f"known are {sorted(set(real['method']))}")
    return float(found.min()), float(found.max())
