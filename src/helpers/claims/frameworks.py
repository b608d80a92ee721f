"""What the texts lay out in tables and figures, in their own words, each row with the results that measure it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pandas as pd
from pydantic import Field, model_validator

from helpers.claims.file import SourceKey
from helpers.claims.verdicts import expand_words
from helpers.errors import StudyError
from helpers.study.data import Label, Name, Strict
from helpers.study.file import read_as

FILE = "frameworks.yml"


class FrameworkRow(Strict):
    """One row: its cells, the results that measure it, and what of it nothing here measures."""

    cells: dict[Name, Label]
    measured_by: tuple[str, ...] = ()
    not_measured: Label | None = None

    @model_validator(mode="after")
    def _check_either(self) -> Self:
        if not self.measured_by and self.not_measured is None:
            raise ValueError("a row names the results that measure it (measured_by) or says why nothing does")
        return self


class Framework(Strict):
    """One table or figure of a text: title, columns, rows."""

    source: SourceKey
    title: Label
    columns: dict[Name, Label]
    rows: tuple[FrameworkRow, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_cells(self) -> Self:
        for place, row in enumerate(self.rows, start=1):
            if tuple(row.cells) != tuple(self.columns):
                told = f"row {place} has the cells {', '.join(row.cells)}"
                raise ValueError(f"{told}; the columns are {', '.join(self.columns)}")
        return self


def load_frameworks(folder: Path) -> dict[str, Framework]:
    """The frameworks of a study's folder; none where it has no such file.

    Raises
    ------
    StudyError
        The file is not YAML or breaks a rule.
    """
    path = folder / FILE
    return read_as(path, dict[Name, Framework], "correct the frameworks file") if path.is_file() else {}


def framework_table(framework: Framework, words: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a framework, each with the keys of what measures it."""
    return pd.DataFrame(
        [
            {
                **row.cells,
                "measured_by": ", ".join(measured_keys(row, words)),
                "not_measured": row.not_measured or "",
            }
            for row in framework.rows
        ]
    )


def measured_keys(row: FrameworkRow, words: Mapping[str, Any]) -> list[str]:
    """The keys of the results that measure a row, with the study's words in the place of its placeholders."""
    return [key for entry in row.measured_by for key in expand_words(f"{FILE}, {entry}", entry, words)]


def check_measured(frameworks: Mapping[str, Framework], results: Mapping[str, Any], words: Mapping[str, Any]) -> int:
    """Make sure that every result which a framework names is there; the number of rows that results measure.

    Raises
    ------
    StudyError
        A row points to a result that does not exist.
    """
    measured = 0
    for name, framework in frameworks.items():
        for place, row in enumerate(framework.rows, start=1):
            keys = measured_keys(row, words)
            measured += bool(keys)
            for key in [item for item in keys if item not in results]:
                raise StudyError(
                    f"{FILE}, {name}, row {place}",
                    f"points to the result {key}, which is not there",
                    "correct measured_by, or say under not_measured why nothing measures it",
                )
    return measured


def coverage(frameworks: Mapping[str, Framework]) -> pd.DataFrame:
    """One row per framework: source, title, and how many of its rows results measure, in part or not at all."""
    rows = {
        name: {
            "source": framework.source,
            "title": framework.title,
            "measured": sum(bool(row.measured_by) and row.not_measured is None for row in framework.rows),
            "in_part": sum(bool(row.measured_by) and row.not_measured is not None for row in framework.rows),
            "not_measured": sum(not row.measured_by for row in framework.rows),
        }
        for name, framework in frameworks.items()
    }
    columns = ["source", "title", "measured", "in_part", "not_measured"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("framework")
