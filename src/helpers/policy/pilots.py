"""A declared policy as columns of a panel, over the longest span for which outcome and treatment can be built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.cleaning.gaps import derive
from helpers.errors import StudyError, did_you_mean
from helpers.index.build import build_index

if TYPE_CHECKING:
    from helpers.study.study import Study
    from helpers.study.texts import Policy

UNDER, START = "under_policy", "policy_start"
"""Columns: 1 from the first whole time under the policy on; and that time, missing for entities that never get it."""


def build_long_panel(statistics: pd.DataFrame, study: Study, name: str) -> pd.DataFrame:
    """An index or variable built over every time in which it is complete, with the controls of those times.

    An index is built over all rows of those times, so that its scale and weights are those of the longer span.

    Parameters
    ----------
    statistics
        The raw statistics with every time that was read, gaps treated.
    study
        Declares the column and the controls.
    name
        An index or a variable.

    Returns
    -------
    pandas.DataFrame
        Rows from the first time on from which every entity has every figure; columns `name` and the controls.

    Raises
    ------
    StudyError
        No such span of three or more times.
    """
    index = study.indices.get(name)
    formulas = {key: item.formula for key, item in index.indicators.items()} if index else {name: study.formulas[name]}
    controls = {key: study.formulas[key] for key in study.specification.controls}
    derived = derive(statistics, formulas | controls)
    last = derived.index.get_level_values(1) <= study.time.last
    whole = derived[last].notna().all(axis=1).groupby(level=1).all()
    start = whole.index[~whole].max() if (~whole).any() else None
    times = [time for time in whole.index if start is None or time > start]
    if len(times) < 3:
        raise StudyError(
            f"long panel of {name}", "fewer than three times are complete", "read more times, or fill gaps"
        )
    kept = derived[derived.index.get_level_values(1).isin(times)]
    values = build_index(kept, index).values if index else kept[name]
    return kept[list(controls)].assign(**{name: values})


def mark_policy(panel: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """The panel with the columns `under_policy` and `policy_start`.

    Raises
    ------
    StudyError
        An entity that the panel does not have, a policy that reaches everyone or no one, or a start without a time
        before it in the panel.
    """
    starts, entities, times = policy.starts(), panel.index.unique(0), panel.index.unique(1)
    for name in starts:
        if name not in entities:
            raise StudyError(
                f"policy, entity {name}",
                "there is no such entity",
                did_you_mean(name, map(str, entities)) or "correct it",
            )
    if len(starts) == len(entities):
        raise StudyError("policy", "it reaches every entity, so that nobody shows what would have been", "leave it out")
    for start in set(starts.values()):
        if not times.min() < start <= times.max():
            raise StudyError(
                f"policy, start {start}", f"the panel runs from {times.min()} to {times.max()}", "read earlier times"
            )
    begun = pd.Series(panel.index.get_level_values(0).map(starts), index=panel.index, dtype=float)
    now = panel.index.get_level_values(1).to_numpy(dtype=float)
    under = pd.Series(now >= begun.fillna(float("inf")).to_numpy(), index=panel.index).astype(float)
    return panel.assign(**{START: begun, UNDER: under})
