"""The dimensions of the study's indices as columns of the panel, each an index of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import StudyError
from helpers.index.build import build_index

if TYPE_CHECKING:
    from helpers.study.study import Study


def add_dimensions(panel: pd.DataFrame, study: Study, names: Iterable[str]) -> pd.DataFrame:
    """The panel with the named columns, those that are dimensions of an index built over the index's own rows.

    A dimension's score is the index of its indicators alone: their weights in the whole index, scaled to sum to one.

    Parameters
    ----------
    panel
        Panel with the indicators and the columns of the study.
    study
        Says which index a dimension belongs to.
    names
        Dimensions, or columns that the panel has already.

    Raises
    ------
    StudyError
        A name that is neither a column nor a dimension, or a dimension of two indices.
    """
    wanted = [name for name in dict.fromkeys(names) if name not in panel.columns]
    owners = {name: [key for key, index in study.indices.items() if name in index.dimensions] for name in wanted}
    for name, found in owners.items():
        if len(found) != 1:
            rule = f"it is a dimension of {' and '.join(found)}" if found else "it is neither a column nor a dimension"
            raise StudyError(f"column {name}", rule, "correct the name in the study file")
    scores = {
        key: build_index(panel, study.indices[key]).dimension_scores
        for key in dict.fromkeys(found[0] for found in owners.values())
    }
    return panel.assign(**{name: scores[found[0]][name].reindex(panel.index) for name, found in owners.items()})


def name_dimensions(study: Study, declared: str | tuple[str, ...]) -> tuple[str, ...]:
    """The dimensions of an index, in the order of the study file; columns that are named instead, as they are."""
    return tuple(study.indices[declared].dimensions) if isinstance(declared, str) else declared


def add_features(
    panel: pd.DataFrame, study: Study, declared: str | dict[str, tuple[str, ...]]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The panel with the features of a study, and their names.

    Features are the dimensions of an index or, by name, the mean z-score of some columns; the feature of a single
    column is that column, as it is. A column is standardised over every row of the panel that has a figure, so that
    its unit does not depend on what else stands in a regression.
    """
    if isinstance(declared, str):
        names = name_dimensions(study, declared)
        return add_dimensions(panel, study, names), names
    made = {}
    for name, columns in declared.items():
        rows = panel[list(columns)]
        scores = (rows - rows.mean()) / rows.std(ddof=1)
        made[name] = rows[columns[0]] if len(columns) == 1 else scores.mean(axis=1, skipna=False)
    return panel.assign(**made), tuple(declared)
