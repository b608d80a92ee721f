"""One small panel, made here, and the shapes in which people have such tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

NAMES = ("Ashford", "Brook", "Carden", "Dale", "Elm", "Ford", "Glen", "Hale")
YEARS = tuple(range(2014, 2022))


def make_panel(names: Sequence[str] = NAMES, times: Sequence[object] = YEARS, seed: int = 4) -> pd.DataFrame:
    """A sound panel: wait falls with booking; columns wait, booking, staff; index place, year."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([names, times], names=["place", "year"])
    place = np.repeat(rng.normal(size=len(names)), len(times))
    booking = 8 + place + rng.normal(size=len(index))
    staff = 50 + 4 * rng.normal(size=len(index))
    wait = 60 - 0.8 * booking + 3 * place + 0.1 * staff + rng.normal(size=len(index))
    return pd.DataFrame({"wait": wait, "booking": booking, "staff": staff}, index=index).round(3)


def write(path: Path, text: str) -> Path:
    """A text file in UTF-8."""
    path.write_text(text, encoding="utf-8")
    return path


def write_rows(path: Path, rows: Sequence[Sequence[object]], mark: str = ",") -> Path:
    """Rows of cells as a text file."""
    return write(path, "\n".join(mark.join(map(str, row)) for row in rows) + "\n")


def least_squares(panel: pd.DataFrame, outcome: str, treatment: str, controls: Sequence[str] = ()) -> float:
    """The two-way estimate by dummies in plain numpy, sharing no code with the project."""
    rows = panel.dropna(subset=[outcome, treatment, *controls])
    dummies = [
        pd.get_dummies(rows.index.get_level_values(level), drop_first=level == 1, dtype=float) for level in (0, 1)
    ]
    x = np.column_stack([rows[[treatment, *controls]].to_numpy(), *(part.to_numpy() for part in dummies)])
    return float(np.linalg.lstsq(x, rows[outcome].to_numpy(), rcond=None)[0][0])
