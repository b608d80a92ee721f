"""The specification curve, and the few universes of it that a reader takes along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.multiverse.fit import Multiverse
from helpers.results.rounding import tie


@dataclass(frozen=True)
class SpecificationCurve:
    """Estimates in rising order with the choices behind each.

    Attributes
    ----------
    curve
        One row per point: `position` among all estimates (1 is the smallest), estimate, ci_low, ci_high (95 %, t with
        clusters - 1 degrees of freedom), `significant`.
    choices
        The same rows: the option of each decision.
    n_specifications
        Estimates behind the curve, of which the points are evenly spaced ones.
    """

    curve: pd.DataFrame
    choices: pd.DataFrame
    n_specifications: int


def specification_curve(multiverse: Multiverse, *, points: int = 1000) -> SpecificationCurve:
    """Sort all standardised estimates and keep evenly spaced ones, the ends included.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    points
        How many points to keep; all when there are fewer.

    Raises
    ------
    StudyError
        Fewer than two points.
    """
    if points < 2:
        raise StudyError(f"specification curve, {points} points", "it cannot be drawn", "ask for two or more")
    table = multiverse.estimated
    order = np.argsort(tie(table["standardised"]).to_numpy(), kind="stable")
    kept = np.unique(np.linspace(0, len(order) - 1, min(points, len(order))).round().astype(int))
    rows = table.iloc[order[kept]]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (rows["standardised"] / rows["estimate"]).fillna(1.0)
    half = stats.t.isf(0.025, rows["n_entities"] - 1) * rows["std_error"] * scale
    curve = pd.DataFrame(
        {
            "position": kept + 1,
            "estimate": rows["standardised"],
            "ci_low": rows["standardised"] - half,
            "ci_high": rows["standardised"] + half,
            "significant": rows["p_value"] < multiverse.significance,
        }
    )
    choices = rows[list(multiverse.decisions)]
    return SpecificationCurve(curve.reset_index(drop=True), choices.reset_index(drop=True), len(table))


def thin_out(multiverse: Multiverse, most: int = 2500) -> pd.DataFrame:
    """A stratified sample of the estimated universes, for a reader to explore.

    The rule: universes are put into strata by sample, lag, effects and number of controls; a stratum gets its share of
    `most` rows, rounded down but at least one; of a stratum in the order of the standardised estimate the rows are
    those in the middle of as many parts of equal length. All of them when there are no more than `most`.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    most
        Rows to keep at most, as long as there are no more strata than that.

    Returns
    -------
    pandas.DataFrame
        The decisions, estimate, std_error, p_value, standardised, and `universes`: how many each row stands for.
    """
    table = multiverse.estimated
    columns = [*multiverse.decisions, "estimate", "std_error", "p_value", "standardised"]
    if len(table) <= most:
        return table[columns].assign(universes=1.0).reset_index(drop=True)
    n_controls = np.array([len(chosen) for chosen in multiverse.plan.control_sets])
    strata = [table[name].cat.codes.to_numpy() for name in ("sample", "lag", "effects")]
    strata.append(n_controls[table["controls"].cat.codes.to_numpy()])
    order = np.lexsort((table["standardised"].to_numpy().round(12), *strata[::-1]))
    sizes = pd.DataFrame(np.stack(strata, axis=1)[order]).groupby([0, 1, 2, 3], sort=True).size().to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    kept, stands_for = [], []
    for start, size in zip(starts, sizes, strict=True):
        n = max(1, most * size // len(table))
        kept.append(order[start + ((np.arange(n) + 0.5) * size / n).astype(int)])
        stands_for.append(np.full(n, size / n))
    rows = table[columns].iloc[np.concatenate(kept)]
    return rows.assign(universes=np.concatenate(stands_for)).reset_index(drop=True)


def count_universes(multiverse: Multiverse) -> pd.DataFrame:
    """Over all universes, for each combination of the decisions but controls and dropped indicator: how many of each.

    Columns: the decisions, universes, positive, positive_significant, negative_significant.
    """
    table = multiverse.estimated
    by = [name for name in multiverse.decisions if name not in ("controls", "dropped")]
    significant = table["p_value"] < multiverse.significance
    marks = table[by].assign(
        universes=1,
        positive=table["estimate"] > 0,
        positive_significant=significant & (table["estimate"] > 0),
        negative_significant=significant & (table["estimate"] < 0),
    )
    return marks.groupby(by, observed=True).sum().reset_index()
