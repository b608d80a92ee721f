"""An effect that depends on another variable: the interaction, its marginal effects, other forms of the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.regression.panel import PanelFit
from helpers.results.estimate import Estimate
from helpers.study.model import Model

PRODUCT = "interaction"
"""Name of the product in the regressions."""


@dataclass(frozen=True)
class Moderated:
    """A model with an interaction, and the panel with the columns that it needs.

    Attributes
    ----------
    data
        The panel with the two columns centred at their means and their product `interaction`.
    model
        outcome ~ interaction + first + second + beside + controls | effects. A second column that does not change over
        time is absorbed by the entity effects and left out.
    of, by
        The column whose effect is asked about, and the one that it may depend on.
    values
        The moderator as it is in the product, one figure per row.
    """

    data: pd.DataFrame
    model: Model
    of: str
    by: str
    values: pd.Series


def moderate(data: pd.DataFrame, model: Model, of: str, by: str, beside: Sequence[str] = ()) -> Moderated:
    """Prepare outcome ~ of + by + of x by + beside + controls + effects.

    `of` and `by` are centred at their means over the rows, so that the estimate of each is its effect where the other
    is at its mean. A moderator that does not change within entities is standardised over the entities.

    Parameters
    ----------
    data
        Panel with every column.
    model
        Gives outcome, controls, effects and cluster.
    of, by
        The two columns.
    beside
        Columns that stand beside them.

    Raises
    ------
    StudyError
        A column that is not there, or one that does not vary.
    """
    missing = [name for name in (of, by, *beside) if name not in data.columns]
    if missing:
        raise StudyError(f"interaction of {of} and {by}", f"there is no column {missing[0]}", "correct the study file")
    needed = [model.outcome, of, by, *beside, *(name for name in model.controls if name not in (of, by, *beside))]
    rows = data[needed].dropna()
    moved = rows[of] - rows[of].mean()
    moderator, fixed = _centre(rows[by])
    if not float(np.abs(moderator).max()) > 0:
        raise StudyError(f"moderator {by}", "it is the same in every row", "choose another moderator")
    prepared = rows.assign(**{of: moved, PRODUCT: moved * moderator})
    if not fixed:
        prepared = prepared.assign(**{by: moderator})
    others = (of, *(() if fixed else (by,)), *beside)
    controls = [name for name in model.controls if name not in (of, by, *beside)]
    return Moderated(
        prepared, model.with_(treatment=PRODUCT, controls=(*others, *controls)), of, by, moderator.rename(by)
    )


def _centre(column: pd.Series) -> tuple[pd.Series, bool]:
    """Centred at its mean over the rows; standardised over entities when it never changes within them."""
    entities = column.groupby(level=0)
    fixed = bool((entities.max() - entities.min()).max() <= 1e-12 * max(1.0, float(column.abs().max())))
    if not fixed:
        return column - column.mean(), False
    levels = entities.first()
    return (column - levels.mean()) / levels.std(ddof=1), True


def marginal_effects(found: PanelFit, setting: Moderated, points: Sequence[float]) -> pd.DataFrame:
    """Effect of `of` at given values of the moderator (as centred): b1 + b3 m, with its interval from t(G - 1).

    Returns
    -------
    pandas.DataFrame
        One row per point: estimate, std_error, p_value, ci_low, ci_high.
    """
    names = [setting.of, PRODUCT]
    b = found.estimates[names].to_numpy()
    covariance = found.covariance.loc[names, names].to_numpy()
    weights = np.column_stack([np.ones(len(points)), np.asarray(points, dtype=float)])
    estimate = weights @ b
    error = np.sqrt(np.einsum("ij,jk,ik->i", weights, covariance, weights))
    half = stats.t.ppf(0.975, found.df) * error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": error,
            "p_value": 2 * stats.t.sf(np.abs(estimate / error), found.df),
            "ci_low": estimate - half,
            "ci_high": estimate + half,
        },
        index=pd.Index(points, name="moderator"),
    )


def marginal_at_percentiles(found: PanelFit, setting: Moderated) -> dict[str, Estimate]:
    """Marginal effects where the moderator is at its 10th, 50th and 90th percentile over the rows, by "p10" ..."""
    shares = (10, 50, 90)
    points = np.percentile(setting.values.to_numpy(dtype=float), shares)
    table = marginal_effects(found, setting, points)
    table["statistic"] = table["estimate"] / table["std_error"]
    return {
        f"p{share}": replace(
            found[setting.of],
            estimate=float(row["estimate"]),
            std_error=float(row["std_error"]),
            statistic=float(row["statistic"]),
            p_value=float(row["p_value"]),
            ci_low=float(row["ci_low"]),
            ci_high=float(row["ci_high"]),
        )
        for share, (_, row) in zip(shares, table.iterrows(), strict=True)
    }


def marginal_curve(found: PanelFit, setting: Moderated) -> pd.DataFrame:
    """Marginal effects on a grid from the lowest to the highest moderator."""
    values = setting.values
    return marginal_effects(found, setting, [float(x) for x in np.linspace(values.min(), values.max(), 60)])


def put_otherwise(setting: Moderated, heaviest: object, groups: int = 3) -> dict[str, tuple[pd.DataFrame, Model, str]]:
    """The same question in other forms, each with its panel, its model and the term that answers it.

    without_controls: effects alone beside the two columns. groups: the effect in the upper less that in the lower
    group of the moderator's pooled distribution, which needs no straight line. within: the product of deviations from
    the entities' own means, so that no entity's level can make it. first_level: the moderator as it was at the first
    time, which later years cannot move. without_heaviest: without the entity that holds most of the variation.
    """
    data, model, of, by = setting.data, setting.model, setting.of, setting.by
    entities = data[[of]].groupby(level=0)
    own = data[of] - entities[of].transform("mean")
    moderator = setting.values
    within = own * (moderator - moderator.groupby(level=0).transform("mean"))
    first = moderator.groupby(level=0).first()
    start = pd.Series(first.reindex(data.index.get_level_values(0)).to_numpy(), index=data.index)
    kept = tuple(name for name in model.controls if name in (of, by))
    forms = {
        "without_controls": (data, model.with_(controls=kept), PRODUCT),
        "groups": _grouped(setting, groups),
        "within": (data.assign(**{PRODUCT: within}), model, PRODUCT),
        "first_level": (data.assign(**{PRODUCT: data[of] * (start - first.mean())}), model, PRODUCT),
        "without_heaviest": (data.drop(index=heaviest, level=0), model, PRODUCT),
    }
    if float(np.abs(within).max()) <= 1e-12:
        forms.pop("within")
        forms.pop("first_level")
    return forms


def _grouped(setting: Moderated, groups: int) -> tuple[pd.DataFrame, Model, str]:
    """Effects of `of` in each group of the moderator, the lowest as the base: the last term is the difference."""
    data, model, of = setting.data, setting.model, setting.of
    cuts = np.quantile(setting.values.to_numpy(dtype=float), np.arange(1, groups) / groups)
    place = np.searchsorted(cuts, setting.values.to_numpy(dtype=float))
    names = [f"{of}_group_{group + 1}" for group in range(1, groups)]
    levels = [f"group_{group + 1}" for group in range(1, groups)]
    columns = {name: data[of] * (place == group) for group, name in enumerate(names, start=1)}
    columns |= {name: pd.Series(place == group, index=data.index).astype(float) for group, name in enumerate(levels, 1)}
    varying = [name for name in levels if (columns[name].groupby(level=0).nunique() > 1).any()]
    others = [name for name in model.controls if name != setting.by]
    new = model.with_(treatment=names[-1], controls=(*names[:-1], *others, *varying))
    return data.assign(**columns), new, names[-1]
