"""Tables that set several mediators side by side, and the step tables that the literature prints."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from helpers.inference.multiplicity import holm
from helpers.mediation.mediation import joint_mediation_effects
from helpers.mediation.mediation_effects import Effect
from helpers.regression.panel import fit_panel
from helpers.study.model import Cluster

COLUMNS = [
    "path_a", "path_a_p_value", "path_b", "path_b_p_value", "indirect_effect", "std_error", "ci_low", "ci_high",
    "bca_low", "bca_high", "p_value", "p_holm", "direct_effect", "total_effect",
]  # fmt: skip


def mediation_table(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediators: Sequence[str],
    controls: Sequence[str] = (),
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    cluster: Cluster = "entity",
    draws: int = 1999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> pd.DataFrame:
    """Set each mediator alone beside all of them in one equation.

    Parameters
    ----------
    mediators
        Names of columns; the others as in `helpers.mediation.mediation.mediation_effects`.

    Returns
    -------
    DataFrame
        Rows (model, mediator), model "alone" or "together"; together also the sum over mediators, named "sum". Columns
        path_a, path_a_p_value, path_b, path_b_p_value, indirect_effect, std_error, ci_low, ci_high (percentile),
        bca_low, bca_high, p_value, p_holm (Holm over the mediators of the model), direct_effect, total_effect.
    """
    groups = [("alone", [mediator]) for mediator in mediators]
    if len(mediators) > 1:
        groups.append(("together", list(mediators)))
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for model, names in groups:
        found = joint_mediation_effects(
            data, outcome, treatment, names, controls, entity_effects=entity_effects, time_effects=time_effects,
            cluster=cluster, draws=draws, rng=rng, level=level,
        )  # fmt: skip
        whole = {"direct_effect": found.direct_effect.estimate, "total_effect": found.total_effect.estimate}
        for name in names:
            row = _path("path_a", found.path_a[name]) | _path("path_b", found.path_b[name])
            rows[model, name] = row | _indirect(found.indirect_effect[name]) | whole
        if model == "together":
            rows[model, "sum"] = _indirect(found.indirect_effect_sum) | whole
    table = pd.DataFrame(list(rows.values()), index=pd.MultiIndex.from_tuples(rows, names=["model", "mediator"]))
    table["p_holm"] = _adjust(table["p_value"])
    return table[COLUMNS]


def step_table(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediators: Sequence[str],
    controls: Sequence[str] = (),
    *,
    manner: Literal["two_step", "three_step"] = "two_step",
    entity_effects: bool = True,
    time_effects: bool = True,
    cluster: Cluster = "entity",
) -> pd.DataFrame:
    """Print the regressions of the step procedures.

    Two steps (Jiang 2022): the outcome on the treatment, then each mediator on the treatment; that the mediator moves
    the outcome is argued from theory and literature, not regressed. Three steps (Baron and Kenny 1986): also the
    outcome on treatment and mediator.

    Returns
    -------
    DataFrame
        One row per (step, dependent, regressor) with estimate, std_error, p_value, ci_low, ci_high, n_obs.
    """
    equations = [("1", outcome, [treatment])] + [("2", mediator, [treatment]) for mediator in mediators]
    if manner == "three_step":
        equations += [("3", outcome, [treatment, mediator]) for mediator in mediators]
    rows = []
    for step, dependent, shown in equations:
        fit = fit_panel(
            data, dependent, [*shown, *controls],
            entity_effects=entity_effects, time_effects=time_effects, cluster=cluster,
        )  # fmt: skip
        rows += [
            {
                "step": step,
                "dependent": dependent,
                "regressor": name,
                "estimate": fit.estimates[name],
                "std_error": fit.std_errors[name],
                "p_value": fit.p_values[name],
                "ci_low": fit.ci_low[name],
                "ci_high": fit.ci_high[name],
                "n_obs": fit.n_obs,
            }
            for name in shown
        ]
    return pd.DataFrame(rows)


def _path(name: str, effect: Effect) -> dict[str, float]:
    return {name: effect.estimate, f"{name}_p_value": effect.p_value}


def _indirect(effect: Effect) -> dict[str, float]:
    return {
        "indirect_effect": effect.estimate,
        "std_error": effect.std_error,
        "ci_low": effect.ci_low,
        "ci_high": effect.ci_high,
        "bca_low": effect.bootstrap.bca_low,
        "bca_high": effect.bootstrap.bca_high,
        "p_value": effect.p_value,
    }


def _adjust(p_values: pd.Series) -> pd.Series:
    """Holm within each model, over the mediators; the sum over mediators is not one of the tests."""
    single = p_values[p_values.index.get_level_values("mediator") != "sum"]
    adjusted = single.groupby(level="model", group_keys=False).apply(
        lambda group: pd.Series(holm(group), index=group.index)
    )
    return adjusted.reindex(p_values.index)
