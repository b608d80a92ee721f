"""Convergence of each entity to its own path, as a panel regression."""

from collections.abc import Sequence

import pandas as pd

from helpers.regression.panel import PanelFit, fit_panel


def conditional_convergence(
    panel: pd.DataFrame, column: str, controls: Sequence[str] = (), *, cluster: str = "entity"
) -> PanelFit:
    """Convergence of each entity to its own path: change on lagged level, with entity and time effects.

    y_it - y_i,t-1 = b y_i,t-1 + controls + entity effect + time effect. The slope `lagged_level` is negative where
    entities converge; with few times it is biased downwards (Nickell), so read it beside `beta_convergence`.

    Parameters
    ----------
    panel
        By entity and time (in equal steps), with `column` and `controls`.
    column
        What converges.
    controls
        Columns beside it.
    cluster
        As in `helpers.regression.panel.fit_panel`.
    """
    lagged = panel[column].groupby(level=0).shift()
    data = panel[list(controls)].assign(change=panel[column] - lagged, lagged_level=lagged).dropna()
    return fit_panel(
        data, "change", ["lagged_level", *controls], entity_effects=True, time_effects=True, cluster=cluster
    )
