"""Indicators of the Institute for Replication: how a multiverse of analysis paths stands to one original estimate.

Source: documentation of the Stata package ``repframe``, version 1.6 (G. Bensch), section "The Reproducibility and
Replicability Indicators": the five indicators of its table (I1 to I5) and the first four of its Robustness Dashboard
(I'1 to I'4), for one result and one level of significance. Left out: I'5, whose formula and worked example there take
different denominators; I'6, which needs two levels; I'7, which pools results; I'8 and I'9, which are optional.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.effects import Floats


@dataclass(frozen=True)
class Original:
    """The estimate to which the paths are compared: estimate, its standard error, two-sided p-value."""

    estimate: float
    std_error: float
    p_value: float


@dataclass(frozen=True)
class Indicators:
    """The indicators of one result; None where one does not apply, as most do not to an insignificant original.

    Attributes
    ----------
    agreement
        I1: share of the paths with the original's verdict; for a significant original also with its sign.
    relative_size
        I2: mean estimate / original estimate.
    relative_statistic
        I3: mean t / original t.
    size_variation
        I4: standard deviation of the estimates / standard error of the original.
    statistic_variation
        I5: standard deviation of the t.
    same_sign, opposite_sign, insignificant
        I'1: shares of significant paths with the original's sign (an estimate of 0 counts as such) and with the
        other, and of insignificant paths.
    median_size
        I'2: median / original - 1, over significant paths with the original's sign.
    size_deviation
        I'3: mean distance from that median / original, over the same paths.
    p_deviation_insignificant, p_deviation_significant
        I'4: mean distance of the p-values from the original's, over insignificant and over significant paths.
    original_significant
        Whether p <= level holds for the original.
    """

    agreement: float
    relative_size: float | None
    relative_statistic: float | None
    size_variation: float
    statistic_variation: float
    same_sign: float
    opposite_sign: float
    insignificant: float
    median_size: float | None
    size_deviation: float | None
    p_deviation_insignificant: float | None
    p_deviation_significant: float | None
    original_significant: bool


def robustness_indicators(
    estimates: Floats, statistics: Floats, p_values: Floats, original: Original, level: float = 0.05
) -> Indicators:
    """The indicators of the paths, all of which count alike.

    Parameters
    ----------
    estimates, statistics, p_values
        Arrays (n,) of the paths: estimates in the unit of the original, t, two-sided p-values.
    original
        The estimate to which they are compared.
    level
        Of significance, for the paths and the original.

    Raises
    ------
    StudyError
        Fewer than two paths, a number that is not finite, an original of 0 or without a standard error.
    """
    _check(estimates, statistics, p_values, original)
    clear, same = p_values <= level, estimates * original.estimate >= 0
    significant = original.p_value <= level
    like = estimates[clear & same]
    middle = float(np.median(like)) if significant and len(like) else None
    size = original.estimate
    far = np.abs(p_values - original.p_value)
    return Indicators(
        agreement=float(np.mean(clear & same if significant else ~clear)),
        relative_size=float(estimates.mean() / size) if significant else None,
        relative_statistic=float(statistics.mean() / (size / original.std_error)) if significant else None,
        size_variation=float(estimates.std(ddof=1) / original.std_error),
        statistic_variation=float(statistics.std(ddof=1)),
        same_sign=float(np.mean(clear & same)),
        opposite_sign=float(np.mean(clear & ~same)),
        insignificant=float(np.mean(~clear)),
        median_size=None if middle is None else middle / size - 1,
        size_deviation=None if middle is None else float(np.abs(like - middle).mean() / size),
        p_deviation_insignificant=float(far[~clear].mean()) if (~clear).any() else None,
        p_deviation_significant=float(far[clear].mean()) if clear.any() and not significant else None,
        original_significant=significant,
    )


def _check(estimates: Floats, statistics: Floats, p_values: Floats, original: Original) -> None:
    numbers = (estimates, statistics, p_values, [original.estimate, original.std_error, original.p_value])
    if len(estimates) < 2:
        raise StudyError("robustness indicators", "fewer than two paths", "declare more options")
    if not all(np.isfinite(item).all() for item in numbers):
        raise StudyError("robustness indicators", "a number is not finite", "leave paths out that were not estimated")
    if original.estimate == 0 or original.std_error <= 0:
        raise StudyError("robustness indicators", "the original is 0 or has no standard error", "name another original")


def code_paths(paths: pd.DataFrame, decisions: tuple[str, ...], original: Original, chosen: pd.Series) -> pd.DataFrame:
    """The paths in the layout that ``repframe`` reads: one row per path, the original first.

    Parameters
    ----------
    paths
        estimate, std_error, p_value, and the decisions; what else it holds is kept.
    decisions
        Names of the decisions.
    original
        The original estimate.
    chosen
        By decision, the option of the original; where it is none of the options of the paths, a text that says so.

    Returns
    -------
    pandas.DataFrame
        result (1), origpath (1 for the original, else 0), b, se, p, and each decision as a category whose first
        option, coded 0, is that of the original.
    """
    first = pd.DataFrame(
        [{"estimate": original.estimate, "std_error": original.std_error, "p_value": original.p_value}]
    )
    joined = pd.concat([first, paths.drop(columns=list(decisions))], ignore_index=True)
    coded = joined.rename(columns={"estimate": "b", "std_error": "se", "p_value": "p"})
    coded.insert(0, "result", 1)
    coded.insert(1, "origpath", [1, *[0] * len(paths)])
    for name in decisions:
        options = [str(chosen[name]), *(str(option) for option in paths[name])]
        coded[name.replace(" ", "_")] = pd.Categorical(options, list(dict.fromkeys(options)))
    return coded
