"""What a study may ask for whose panel is kept on disk (``engine: disk``), and the one file that it is read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import StudyError
from helpers.formats.decoding import few
from helpers.large.fit import check_cluster
from helpers.large.index import check_method
from helpers.large.panel import open_table

if TYPE_CHECKING:
    from helpers.study.study import Study

ENDINGS = (".csv", ".parquet")
COUNTED = ("year", "period")
"""Kinds of periods that a file writes as whole numbers."""
BACK = "or write engine: memory"


def check_engine(study: Study) -> Path:
    """The one file of a study that is kept on disk.

    Raises
    ------
    StudyError
        What the engine ``disk`` cannot do, each with the way round.
    """
    where = f"{study.folder / 'study.yml'}, engine: disk"
    path = _find_file(study, where)
    broken = [
        (
            study.time.kind not in COUNTED,
            f"time.kind {study.time.kind}",
            "a period is a whole number",
            "use kind: period",
        ),
        (bool(study.missing), "missing", "no cell is filled", "fill it in the file"),
        (bool(study.contract.identities), "contract.identities", "they are not looked at", "take them out"),
    ]
    broken += [
        (
            column.indicator is not None,
            f"columns.{name}.indicator",
            "the file names its columns",
            "write column: instead",
        )
        for name, column in study.columns.items()
    ]
    broken += [
        (
            (index.first, index.last) != (None, None),
            f"indices.{name}",
            "an index is of the whole window",
            "take first and last out",
        )
        for name, index in study.indices.items()
    ]
    for is_so, place, rule, remedy in broken:
        if is_so:
            raise StudyError(f"{where}, {place}", f"on disk {rule}", f"{remedy}, {BACK}")
    for index in study.indices.values():
        check_method(index)
    check_cluster(study.model())
    return path


def _find_file(study: Study, where: str) -> Path:
    if study.memory:
        rule = "the study works in memory, and this form of the notebook is for a panel on disk"
        raise StudyError(where.replace("disk", "memory"), rule, "open the notebook of the same number without on_disk")
    files = sorted({column.file for column in study.columns.values()})
    path = study.folder / (files or [""])[0]
    if len(files) != 1 or "*" in path.name or path.suffix not in ENDINGS:
        remedy = f"put them into one table with a row per entity and period ({' or '.join(ENDINGS)}), {BACK}"
        raise StudyError(f"{where}, columns", f"its statistics come from {len(files)} files: {few(files)}", remedy)
    if not path.is_file():
        raise StudyError(str(path), "there is no such file", "put it there, or correct its name under columns")
    return path


def read_keys(study: Study, there: list[str]) -> tuple[str, str]:
    """The columns of the file that hold entity and time."""
    return study.entity.name if study.entity.name in there else study.entity.key, study.time.name


def headings(study: Study) -> dict[str, str]:
    """Statistic -> the column of the file."""
    return {name: column.column or name for name, column in study.columns.items()}


def read_headings(path: Path) -> list[str]:
    """The columns of the file.

    Raises
    ------
    StudyError
        It cannot be read.
    """
    import duckdb

    with duckdb.connect() as connection:
        return list(open_table(connection, path).columns)


def check_headings(study: Study) -> str:
    """What can be said of the study's file without reading its rows; in words.

    Raises
    ------
    StudyError
        As :func:`check_engine`; or the file lacks a column.
    """
    path = check_engine(study)
    there = read_headings(path)
    for name in (*read_keys(study, there), *headings(study).values()):
        if name not in there:
            raise StudyError(f"{path}, column {name}", "the file has no such column", f"it has: {', '.join(there)}")
    return f"engine disk: {path.name} has the {len(study.columns)} columns that are asked for"
