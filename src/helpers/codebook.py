"""The codebook: unit and grade of every statistic, and which indicators rest on a doubtful one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import StudyError
from helpers.formula import parse_formula

if TYPE_CHECKING:
    from helpers.study import Study

NEEDED = ("statistic", "name_en", "unit", "grade", "note")


def read_codebook(path: Path, statistics: Iterable[str]) -> pd.DataFrame:
    """One row per statistic of the study, in the study's order, indexed by statistic.

    Raises
    ------
    StudyError
        When the file or one of its columns is missing, or a statistic of the study has no row or two.
    """
    if not path.is_file():
        raise StudyError(str(path), "the codebook is missing", f"write it with the columns {', '.join(NEEDED)}")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    absent = [column for column in NEEDED if column not in table.columns]
    if absent:
        raise StudyError(f"{path}, column {absent[0]}", "the codebook has no such column", "add it")
    counts = table["statistic"].value_counts()
    for name in statistics:
        if counts.get(name, 0) != 1:
            raise StudyError(
                f"{path}, statistic {name}", f"it has {counts.get(name, 0)} rows, not one", "give it one row"
            )
    return table.set_index("statistic").loc[list(statistics)]


def doubtful_indicators(codebook: pd.DataFrame, study: Study, grade: str) -> pd.DataFrame:
    """The indicators and variables whose formula reads a statistic of a grade, with what the codebook says of it."""
    rows = [
        {"indicator": study.label(name), "statistic": column, "why": codebook.loc[column, "note"]}
        for name, formula in study.formulas.items()
        for column in sorted(parse_formula(formula).columns)
        if codebook.loc[column, "grade"] == grade
    ]
    return pd.DataFrame(rows, columns=["indicator", "statistic", "why"]).set_index("indicator")
