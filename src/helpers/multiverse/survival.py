"""In how many universes a claim survives: in all, by each option, and by effects and controls; where one fit stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.multiverse.fit import Multiverse
from helpers.regression.panel import PanelFit

SHARES = ("positive", "negative", "positive_significant", "negative_significant")
# Relative distance within which two estimates are the same number.
TIE = 1e-9
# Share of the universes at either end of the curve that counts as an end.
EDGE = 0.1


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
    marks = _marks(multiverse)
    parts = {name: _by_group(table, marks, table[name]) for name in multiverse.decisions}
    return Survival(
        **{str(name): float(share) for name, share in marks.mean().items()},
        by_option=pd.concat(parts, names=["decision", "option"]),
        n_specifications=len(table),
        n_failures=multiverse.n_specifications - len(table),
    )


def group_universes(multiverse: Multiverse) -> dict[str, np.ndarray]:
    """The universes by what is most argued over: name -> booleans by the rows of the table.

    "all"; each set of effects, by its option; and each with all controls, "<option>, all controls". What would be the
    same as a group before it, or empty of estimates, is left out.
    """
    table = multiverse.table
    estimated = table["estimate"].notna().to_numpy()
    full = (table["controls"] == " + ".join(multiverse.plan.control_names)).to_numpy()
    groups = {"all": np.ones(len(table), dtype=bool)}
    for option in table["effects"].cat.categories:
        own = (table["effects"] == option).to_numpy()
        for name, rows in ((option, own), (f"{option}, all controls", own & full)):
            new = not any(np.array_equal(rows & estimated, other & estimated) for other in groups.values())
            if new and (rows & estimated).any():
                groups[name] = rows
    return groups


def survival_by_group(multiverse: Multiverse, groups: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """By group: n_specifications, median (standardised), and the four shares of `Survival`."""
    estimated = multiverse.table["estimate"].notna().to_numpy()
    table, marks = multiverse.estimated, _marks(multiverse)
    rows = {
        name: _by_group(table[own[estimated]], marks[own[estimated]], np.full(int(own[estimated].sum()), name)).iloc[0]
        for name, own in groups.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")


def _marks(multiverse: Multiverse) -> pd.DataFrame:
    """By universe, whether each of the four claims holds."""
    table = multiverse.estimated
    significant = table["p_value"] < multiverse.significance
    above, below = table["estimate"] > 0, table["estimate"] < 0
    return pd.DataFrame(dict(zip(SHARES, (above, below, significant & above, significant & below), strict=True)))


def _by_group(table: pd.DataFrame, marks: pd.DataFrame, groups: pd.Series | np.ndarray) -> pd.DataFrame:
    part = marks.groupby(groups, observed=True).mean()
    medians = table["standardised"].groupby(groups, observed=True)
    part.insert(0, "n_specifications", medians.size())
    part.insert(1, "median", medians.median())
    return part


@dataclass(frozen=True)
class Standing:
    """Where one regression stands among the universes.

    Attributes
    ----------
    standardised
        Its estimate x sd of the treatment / sd of the outcome.
    below
        Share of all universes with a smaller standardised estimate.
    below_own
        The same among the universes with its own effects; None where there is none of them.
    """

    standardised: float
    below: float
    below_own: float | None

    @property
    def place(self) -> str:
        """In which tenth it stands among those of its effects: "low", "middle", "high"; "alone" without any."""
        if self.below_own is None:
            return "alone"
        return "low" if self.below_own < EDGE else "high" if self.below_own > 1 - EDGE else "middle"


def find_standing(multiverse: Multiverse, fit: PanelFit, treatment: str) -> Standing:
    """Where a regression stands among the universes of its own effects, and among all."""
    design = fit.design
    column = design.x[:, fit.regressors.index(treatment)]
    value = float(fit.estimates[treatment] * column.std() / design.y.std())
    table = multiverse.estimated
    smaller = table["standardised"] < value - TIE * abs(value)
    own = table["effects"].astype(str) == effects_option(fit)
    return Standing(value, float(smaller.mean()), float(smaller[own].mean()) if own.any() else None)


def effects_option(fit: PanelFit) -> str:
    """The effects of a regression, as a multiverse names them."""
    kinds = [kind for kind, kept in (("entity", fit.entity_effects), ("time", fit.time_effects)) if kept]
    return " + ".join(kinds) or "none"
