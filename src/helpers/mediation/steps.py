"""The step procedures that the literature prints: three steps, and two steps in the manner of Jiang (2022)."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from helpers.mediation.mediation import check_roles
from helpers.regression.panel import fit
from helpers.study.model import Model

Manner = Literal["two_step", "three_step"]


def step_table(data: pd.DataFrame, model: Model, mediators: Sequence[str], manner: Manner = "two_step") -> pd.DataFrame:
    """Print the regressions of a step procedure, each on the rows in which its columns have figures.

    Two steps (Jiang 2022): the outcome on the treatment, then each mediator on the treatment; that the mediator moves
    the outcome is argued from theory and literature, not regressed. Three steps (Baron and Kenny 1986): also the
    outcome on treatment and mediator.

    Returns
    -------
    DataFrame
        One row per (step, dependent, regressor) with estimate, std_error, p_value, ci_low, ci_high, n_obs.
    """
    check_roles(model, mediators)
    equations = [("1", model, [model.treatment])]
    equations += [("2", model.with_(outcome=name), [model.treatment]) for name in mediators]
    if manner == "three_step":
        equations += [
            ("3", model.with_(controls=(name, *model.controls)), [model.treatment, name]) for name in mediators
        ]
    rows = []
    for step, equation, shown in equations:
        found = fit(data.dropna(subset=list(equation.columns)), equation)
        for name in shown:
            effect = found[name]
            numbers = {key: getattr(effect, key) for key in ("estimate", "std_error", "p_value", "ci_low", "ci_high")}
            place = {"step": step, "dependent": equation.outcome, "regressor": name}
            rows.append({**place, **numbers, "n_obs": effect.n_obs})
    return pd.DataFrame(rows)
