"""What a multiverse says: the specification curve, which decision moves the estimate, how often a claim survives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.multiverse.fit import Multiverse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from helpers.regression.effects import Codes, Floats


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
    value
        "estimate" or "standardised".
    """

    curve: pd.DataFrame
    choices: pd.DataFrame
    n_specifications: int
    value: str


def specification_curve(
    multiverse: Multiverse, *, points: int = 1000, value: str = "standardised"
) -> SpecificationCurve:
    """Sort all estimates and keep evenly spaced ones, the ends included.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    points
        How many points to keep; all when there are fewer.
    value
        "standardised", which compares across indices of different scales, or "estimate".

    Raises
    ------
    StudyError
        Another value, or fewer than two points.
    """
    if value not in ("estimate", "standardised") or points < 2:
        raise StudyError(
            f"specification curve, {value}, {points} points", "it cannot be drawn", "use estimate or standardised"
        )
    table = multiverse.estimated
    order = np.argsort(table[value].to_numpy(), kind="stable")
    kept = np.unique(np.linspace(0, len(order) - 1, min(points, len(order))).round().astype(int))
    rows = table.iloc[order[kept]]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (rows[value] / rows["estimate"]).fillna(1.0)
    half = stats.t.isf(0.025, rows["n_entities"] - 1) * rows["std_error"] * scale
    curve = pd.DataFrame(
        {
            "position": kept + 1,
            "estimate": rows[value],
            "ci_low": rows[value] - half,
            "ci_high": rows[value] + half,
            "significant": rows["p_value"] < multiverse.significance,
        }
    )
    choices = rows[list(multiverse.decisions)]
    return SpecificationCurve(curve.reset_index(drop=True), choices.reset_index(drop=True), len(table), value)


def variance_shares(multiverse: Multiverse, *, value: str = "standardised") -> pd.DataFrame:
    """How much of the variance of the estimates each decision makes.

    `first_order` = variance of the means by option / variance (eta squared of a one-way analysis of variance);
    `total_order` = mean variance left when all other decisions are fixed / variance: the decision with its part in all
    interactions. When every option is crossed with every other, first orders sum to at most 1 and total orders to at
    least 1. Each control is also a decision of its own: in or out.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    value
        Column of its table: "standardised", "estimate" or "statistic".

    Returns
    -------
    pandas.DataFrame
        By decision: options, first_order, total_order; the largest first order at the top.
    """
    table = multiverse.estimated
    numbers = table[value].to_numpy(dtype=float)
    variance = numbers.var()
    codes = {name: table[name].cat.codes.to_numpy().astype(np.intp) for name in multiverse.decisions}
    controls = _control_codes(multiverse, codes["controls"])
    others_apart = {name: code for name, code in codes.items() if name != "controls"} | controls
    rows = {}
    for name, code in (codes | controls).items():
        pool = others_apart if name in controls else codes
        rest = _combine([other for key, other in pool.items() if key != name])
        first = _group_means(numbers, code).var() / variance
        rows[name] = (len(np.unique(code)), first, 1 - _group_means(numbers, rest).var() / variance)
    shares = pd.DataFrame.from_dict(rows, orient="index", columns=["options", "first_order", "total_order"])
    return shares[shares["options"] > 1].rename_axis("decision").sort_values("first_order", ascending=False)


def _control_codes(multiverse: Multiverse, sets: Codes) -> dict[str, Codes]:
    """For each control whether it is in the specification."""
    plan = multiverse.plan
    inside = np.array(
        [[j in chosen for j in range(len(plan.control_names))] for chosen in plan.control_sets], dtype=np.intp
    )
    return {f"control {name}": inside[sets, j] for j, name in enumerate(plan.control_names)}


def _combine(codes: list[Codes]) -> Codes:
    """One code for each combination of several codes."""
    combined = np.zeros(len(codes[0]), dtype=np.intp) if codes else np.zeros(1, dtype=np.intp)
    for code in codes:
        combined = np.unique(combined * (int(code.max()) + 1) + code, return_inverse=True)[1].ravel()
    return combined


def _group_means(numbers: Floats, code: Codes) -> Floats:
    """Mean of each row's group, (n,)."""
    if len(code) != len(numbers):
        return np.full(len(numbers), numbers.mean())
    sums, counts = np.bincount(code, numbers), np.bincount(code)
    return np.asarray((sums / np.maximum(counts, 1))[code])


@dataclass(frozen=True)
class Survival:
    """In which share of the universes a claim holds.

    Attributes
    ----------
    positive, negative
        Share of the estimates above and below 0.
    positive_significant, negative_significant
        Share above 0, and below 0, with a p-value below the level of the multiverse.
    by_option
        One row per decision and option: n_specifications, median (standardised), and the four shares.
    n_specifications, n_failures
        Specifications that were estimated, and those that could not be.
    """

    positive: float
    negative: float
    positive_significant: float
    negative_significant: float
    by_option: pd.DataFrame
    n_specifications: int
    n_failures: int


def claim_survival(multiverse: Multiverse) -> Survival:
    """Count the universes in which the effect is positive, negative, and significantly so."""
    table = multiverse.estimated
    estimates, significant = table["estimate"], table["p_value"] < multiverse.significance
    marks = pd.DataFrame(
        {
            "positive": estimates > 0,
            "negative": estimates < 0,
            "positive_significant": significant & (estimates > 0),
            "negative_significant": significant & (estimates < 0),
        }
    )
    parts = {}
    for name in multiverse.decisions:
        groups = table[name]
        part = marks.groupby(groups, observed=True).mean()
        part.insert(0, "n_specifications", groups.value_counts().reindex(part.index))
        part.insert(1, "median", table["standardised"].groupby(groups, observed=True).median())
        parts[name] = part
    return Survival(
        **{str(name): float(share) for name, share in marks.mean().items()},
        by_option=pd.concat(parts, names=["decision", "option"]),
        n_specifications=len(table),
        n_failures=multiverse.n_specifications - len(table),
    )


def draw_specification_curve(
    curve: SpecificationCurve, *, labels: Mapping[str, str] | None = None, most_options: int = 8
) -> Figure:
    """The estimates in rising order above a band of marks: where each option of each decision stands among them.

    Parameters
    ----------
    curve
        The curve.
    labels
        Name of a decision or option -> what to write.
    most_options
        Decisions with more options than this, such as sets of controls, are left out of the band.
    """
    from helpers.display.figures import INK, PALETTE, QUIET, new_figure

    named = labels or {}
    shown = [name for name in curve.choices if 1 < curve.choices[name].nunique() <= most_options]
    rows = [(name, option) for name in shown for option in curve.choices[name].cat.categories]
    figure, (above, below) = new_figure(
        2, height=3.0 + 0.16 * len(rows), sharex=True, gridspec_kw={"height_ratios": [3.0, 0.16 * max(len(rows), 1)]}
    )
    data, place = curve.curve, curve.curve["position"] / curve.n_specifications
    above.vlines(place, data["ci_low"], data["ci_high"], color=QUIET, linewidth=0.4)
    for flag, colour, text in ((False, INK, "not significant"), (True, PALETTE[1], "significant")):
        here = data["significant"] == flag
        above.plot(place[here], data["estimate"][here], ".", color=colour, markersize=3, label=text)
    above.axhline(0, color=INK, linewidth=0.8)
    above.set_ylabel(curve.value.replace("standardised", "standardised estimate"))
    above.legend(fontsize=8, loc="upper left")
    for row, (name, option) in enumerate(rows):
        here = curve.choices[name] == option
        below.plot(place[here], np.full(int(here.sum()), row), "|", color=INK, markersize=4, markeredgewidth=0.4)
    below.set_yticks(
        range(len(rows)),
        [f"{named.get(str(name), name)}: {named.get(str(option), option)}" for name, option in rows],
        fontsize=7,
    )
    below.invert_yaxis()
    below.grid(False)
    below.set_xlabel("share of the specifications with a smaller estimate")
    return figure
