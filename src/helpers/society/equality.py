"""Whether the treatment speeds convergence: growth of a column on its own level, the treatment, and their product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.specification import shift_columns
from helpers.study.model import Model

GROWTH, LEVEL, SPEED = "growth_of_column", "level_before", "speed"
"""Names of the outcome, of the lagged level and of the product in the regressions."""


def speed_panel(data: pd.DataFrame, column: str, model: Model, window: Sequence[int]) -> pd.DataFrame:
    """The columns of the speed regression, one row per entity and time that has a time before.

    growth_it = (ln y_it - ln y_i,t-1) / (years between);  level = ln y_i,t-1, centred;  treatment and controls of
    t - 1, the treatment as a z-score; speed = level x treatment. All centring and scaling is over these rows.

    Parameters
    ----------
    data
        Panel.
    column
        What should become equal, above 0.
    model
        Names the treatment and the controls.
    window
        The times of the study in order.

    Raises
    ------
    StudyError
        A figure of 0 or less, or too few times.
    """
    names = list(dict.fromkeys([column, model.treatment, *model.controls]))
    rows = data[names].dropna()
    if not (rows[column] > 0).all():
        where = rows.index[~(rows[column] > 0)][0]
        raise StudyError(
            f"column {column}, {where[0]}, {where[1]}", "it is not above 0 and has no logarithm", "use another column"
        )
    time = pd.Series(rows.index.get_level_values(1).astype(float), index=rows.index)
    now = rows.assign(**{LEVEL: np.log(rows[column]), "_time": time})
    lagged = shift_columns(now, [LEVEL, "_time", model.treatment, *model.controls], 1, list(window))
    current = np.log(rows.loc[lagged.index, column])
    growth = (current - lagged[LEVEL]) / (time.loc[lagged.index] - lagged["_time"])
    level = lagged[LEVEL] - lagged[LEVEL].mean()
    treatment = lagged[model.treatment]
    scaled = (treatment - treatment.mean()) / treatment.std(ddof=1)
    made = {GROWTH: growth, LEVEL: level, model.treatment: scaled, SPEED: level * scaled}
    return lagged[list(model.controls)].assign(**made)


def speed_models(model: Model) -> dict[str, Model]:
    """Three readings of convergence, the first of which decides: all entities to one level.

    absolute: time effects only, so that entities are held against each other. conditional: lagged controls beside.
    own_path: entity effects too, so that each entity is held against its own mean, a return to one's own path that says
    nothing about equality.
    """
    absolute = model.with_(outcome=GROWTH, treatment=SPEED, controls=(LEVEL, model.treatment), effects=("time",))
    conditional = absolute.with_(controls=(LEVEL, model.treatment, *model.controls))
    return {
        "absolute": absolute,
        "conditional": conditional,
        "own_path": conditional.with_(effects=("entity", "time")),
    }
