"""Which decision moves the estimate: shares of the variance over all universes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.multiverse.fit import Multiverse
from helpers.regression.effects import Codes, Floats
from helpers.results.rounding import tie

NESTED = {"zero_rule": "weights", "index_rows": "sample"}
"""Decisions that only some options of another leave open: a shift of scores is for entropy weights, rows over which an
index is built for samples that leave some out."""
# Combinations up to which group means are taken over a dense table.
DENSE = 20_000_000


def variance_shares(multiverse: Multiverse) -> pd.DataFrame:
    """How much of the variance of the standardised estimates each decision makes.

    `first_order` = variance of the means by option / variance (eta squared of a one-way analysis of variance);
    `total_order` = mean variance left when all other decisions are fixed / variance: the decision with its part in all
    interactions. When every option is crossed with every other, first orders sum to at most 1 and total orders to at
    least 1. Each control is also a decision of its own: in or out.

    A nested decision (`NESTED`) is measured inside its parent: its first order is the mean, over the parent's options,
    of the variance of the means by its own; the total order of the parent is that of the two together. So no first
    order is above its total order; where universes that could not be estimated leave holes, the total order is at least
    the first.

    Parameters
    ----------
    multiverse
        A fitted multiverse.

    Returns
    -------
    pandas.DataFrame
        By decision: options, first_order, total_order; the largest first order at the top.
    """
    table = multiverse.estimated
    numbers = table["standardised"].to_numpy(dtype=float)
    variance = numbers.var()
    codes = {name: table[name].cat.codes.to_numpy().astype(np.intp) for name in multiverse.decisions}
    inside = {child: parent for child, parent in NESTED.items() if _is_nested(codes, child, parent)}
    controls = _control_codes(multiverse, codes["controls"])
    others_apart = {name: code for name, code in codes.items() if name != "controls"} | controls
    rows = {}
    for name, code in (codes | controls).items():
        pool = others_apart if name in controls else codes
        joined = {name, *(child for child, parent in inside.items() if parent == name)}
        rest = [other for key, other in pool.items() if key not in joined]
        first = _variance_of_means(numbers, [code])
        if name in inside:
            parent = codes[inside[name]]
            first = _variance_of_means(numbers, [parent, code]) - _variance_of_means(numbers, [parent])
        total = variance - _variance_of_means(numbers, rest)
        rows[name] = (len(np.unique(code)), first / variance, max(first, total) / variance)
    shares = pd.DataFrame.from_dict(rows, orient="index", columns=["options", "first_order", "total_order"])
    shares = shares[shares["options"] > 1].rename_axis("decision")
    return shares.sort_values("first_order", ascending=False, kind="stable", key=tie)


def _is_nested(codes: Mapping[str, Codes], child: str, parent: str) -> bool:
    """Whether both are decided and not every pair of their options occurs."""
    if child not in codes or parent not in codes:
        return False
    pair = np.unique(codes[parent] * (int(codes[child].max()) + 1) + codes[child])
    return len(pair) < len(np.unique(codes[child])) * len(np.unique(codes[parent]))


def _control_codes(multiverse: Multiverse, sets: Codes) -> dict[str, Codes]:
    """For each control whether it is in the specification."""
    plan = multiverse.plan
    inside = np.array(
        [[j in chosen for j in range(len(plan.control_names))] for chosen in plan.control_sets], dtype=np.intp
    )
    return {f"control {name}": inside[sets, j] for j, name in enumerate(plan.control_names)}


def _variance_of_means(numbers: Floats, codes: list[Codes]) -> float:
    """Variance, over the rows, of the mean of each row's group; a group is a combination of codes."""
    combined, size = np.zeros(len(numbers), dtype=np.intp), 1
    for code in codes:
        width = int(code.max()) + 1
        combined, size = combined * width + code, size * width
        if size > DENSE:
            combined = np.unique(combined, return_inverse=True)[1].ravel()
            size = int(combined.max()) + 1
    counts = np.bincount(combined, minlength=size)
    sums = np.bincount(combined, numbers, minlength=size)
    return float(np.average((sums / np.maximum(counts, 1)) ** 2, weights=counts) - numbers.mean() ** 2)
