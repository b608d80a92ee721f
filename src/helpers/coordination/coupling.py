"""How well systems move together: coupling degree, mean, and coupling coordination degree, with the modified form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError

CLASSES = (
    "extreme disorder",
    "severe disorder",
    "moderate disorder",
    "mild disorder",
    "near disorder",
    "bare coordination",
    "primary coordination",
    "intermediate coordination",
    "good coordination",
    "excellent coordination",
)
"""From the lowest; class k holds degrees above k / 10 up to (k + 1) / 10, a degree of 0 belongs to the lowest."""


@dataclass(frozen=True)
class Coupling:
    """Coordination of n systems, one row per entity and time.

    Attributes
    ----------
    table
        coupling (C), mean (T), degree (D), modified (the modified C), grade (1 lowest to 10, see `CLASSES`).
    systems
        The systems' columns.
    zeros
        Rows in which a system's score is 0, so that C and D are 0 whatever the other systems are.
    """

    table: pd.DataFrame
    systems: tuple[str, ...]
    zeros: tuple[tuple[object, object], ...]


def couple_systems(scores: pd.DataFrame) -> Coupling:
    """Coupling coordination of the columns of a table.

    With U_1 ... U_n in [0, 1]:  C = n (U_1 ... U_n)^(1/n) / (U_1 + ... + U_n),  T = (U_1 + ... + U_n) / n,
    D = sqrt(C T). C is the geometric over the arithmetic mean, in [0, 1], 1 where all systems are equal; D is the
    square root of the geometric mean. Modified, which counts distances themselves:
    C* = sqrt{[1 - sum_{i>j} |U_i - U_j| / (n (n - 1) / 2)] [prod_i U_i / max U]^(1/(n-1))}.

    Parameters
    ----------
    scores
        Rows by (entity, time), one column per system, each figure in [0, 1].

    Raises
    ------
    StudyError
        Fewer than two systems, a figure that is missing or outside [0, 1], or a row in which every system is 0.

    Source: Wang, Kong, Ren, Zhi and Dai (2021), Journal of Natural Resources 36(3), 793-810.
    """
    u = scores.to_numpy(dtype=float)
    _check(scores, u)
    n = u.shape[1]
    mean = u.mean(axis=1)
    coupling = np.prod(u, axis=1) ** (1 / n) / mean
    highest = u.max(axis=1)
    pairs = [np.abs(u[:, i] - u[:, j]) for i in range(n) for j in range(i)]
    # The largest system is divided by itself once: what is left are n - 1 ratios.
    ratios = np.prod(u / highest[:, None], axis=1)
    modified = np.sqrt((1 - np.sum(pairs, axis=0) / (n * (n - 1) / 2)) * ratios ** (1 / (n - 1)))
    degree = np.sqrt(coupling * mean)
    table = pd.DataFrame(
        {
            "coupling": np.minimum(coupling, 1.0),
            "mean": mean,
            "degree": degree,
            "modified": modified,
            "grade": grade(degree),
        },
        index=scores.index,
    )
    zeros = scores.index[(u == 0).any(axis=1)]
    return Coupling(table, tuple(map(str, scores.columns)), tuple(zeros))


def grade(degree: np.ndarray) -> np.ndarray:
    """Class 1 (lowest) to 10 of each degree, cut at 0.1, 0.2, ... 0.9; a degree on a cut belongs to the lower class."""
    cuts = np.arange(1, 10) / 10
    return np.asarray(np.searchsorted(cuts, np.asarray(degree) - 1e-12, side="left") + 1)


def describe_coupling(found: Coupling, regions: pd.Series) -> pd.DataFrame:
    """Means of the three measures: one row for the first time, the last time, and each region over all times."""
    table = found.table[["coupling", "mean", "degree", "modified"]]
    times = table.index.get_level_values(1)
    rows = {"first": table[times == times.min()].mean(), "last": table[times == times.max()].mean()}
    place = table.index.get_level_values(0).map(regions.to_dict())
    rows |= {str(region): block.mean() for region, block in table.groupby(place) if region}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rows")


def count_grades(found: Coupling) -> pd.DataFrame:
    """How many entities are in each class at each time: classes that occur x times."""
    grades = found.table["grade"]
    counts = grades.groupby(level=1).value_counts().unstack(level=0, fill_value=0).sort_index()
    counts.index = pd.Index([CLASSES[int(place) - 1] for place in counts.index], name="class")
    return counts


def _check(scores: pd.DataFrame, u: np.ndarray) -> None:
    if u.shape[1] < 2:
        raise StudyError("coupling", f"{u.shape[1]} system", "give two systems or more")
    wrong = ~((u >= 0) & (u <= 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise StudyError(
            f"coupling, {scores.columns[column]}, {scores.index[row]}",
            f"{u[row, column]:g} is missing or outside 0 to 1",
            "scale each system to scores between 0 and 1",
        )
    nothing = (u == 0).all(axis=1)
    if nothing.any():
        raise StudyError(
            f"coupling, {scores.index[nothing][0]}", "every system is 0", "leave the row out, or scale the systems anew"
        )


def measures_by_region(found: Coupling, regions: pd.Series) -> pd.DataFrame:
    """Rows (time, region): mean coupling, mean and degree over the entities of a region."""
    table = found.table[["coupling", "mean", "degree"]]
    place = pd.Series(table.index.get_level_values(0).map(regions.to_dict()), index=table.index, name="region")
    times = table.index.get_level_values(1)
    return table.groupby([times, place.to_numpy()]).mean()
