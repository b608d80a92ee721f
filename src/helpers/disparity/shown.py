"""What notebooks say on how scores are spread: convergence, gaps between regions, moves, neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.disparity.dynamics import beta_convergence, markov_transitions, sigma_convergence
from helpers.disparity.inequality import dagum_split, split_by_time, theil_split
from helpers.disparity.spatial import local_moran, moran_by_time, read_contiguity
from helpers.errors import StudyError
from helpers.index.shown import table_or_reason
from helpers.reading.units import read_units
from helpers.results.estimate import Estimate
from helpers.results.rounding import tie

if TYPE_CHECKING:
    from helpers.index.composite import CompositeIndex
    from helpers.study.study import Study


# Decimals to which a standard deviation is told.
PRINTED = 3


@dataclass(frozen=True)
class Spread:
    """Whether the entities of one column come together.

    Attributes
    ----------
    sigma
        Trend of the logarithm of sd / mean over time; None where there is none, with the reason.
    sd_first, sd_last
        Standard deviation between entities at the first and the last time.
    reason
        Why there is no trend, empty where there is one.
    """

    sigma: Estimate | None
    sd_first: float
    sd_last: float
    reason: str = ""

    def kind(self, level: float) -> str:
        """What the trend (clear at this level) and the standard deviations say together.

        "nearer" or "further" where both agree, "nearer but wider", "further but narrower"; "nearer_as_wide" or
        "further_as_wide" where the standard deviation is the same as far as it is printed; "unclear" where the trend is
        not clear, "unknown" where there is none.
        """
        if self.sigma is None:
            return "unknown"
        if self.sigma.p_value is None or not self.sigma.p_value < level:
            return "unclear"
        moved = round(self.sd_last, PRINTED) - round(self.sd_first, PRINTED)
        if self.sigma.estimate < 0:
            return "nearer but wider" if moved > 0 else "nearer" if moved < 0 else "nearer_as_wide"
        return "further" if moved > 0 else "further but narrower" if moved < 0 else "further_as_wide"


def read_divergence(gini: Estimate, points: Estimate, wild: Estimate, level: float) -> str:
    """What the Gini's change and the gain of the upper on the lower group say: "apart", "together" or "unclear" each.

    The Gini speaks where its interval leaves out zero, the gain in points where t test and wild bootstrap both reject.
    """
    low, high = float(gini.ci_low or 0.0), float(gini.ci_high or 0.0)
    relative = "apart" if low > 0 else "together" if high < 0 else "unclear"
    told = all(found.p_value is not None and found.p_value < level for found in (points, wild))
    absolute = "unclear" if not told else "apart" if points.estimate > 0 else "together"
    return f"{relative}_{absolute}"


def measure_spread(values: pd.Series) -> Spread:
    """The spread of a column between the entities that are there at every time."""
    wide = values.unstack(level=1).dropna()
    deviations = wide.std(ddof=1)
    first, last = float(deviations.iloc[0]), float(deviations.iloc[-1])
    try:
        found = sigma_convergence(_stack(wide))
    except StudyError as error:
        return Spread(None, first, last, f"{error.where}: {error.rule}")
    sigma = Estimate(
        estimate=found.slope,
        std_error=found.std_error,
        df=wide.shape[1] - 2,
        p_value=found.p_value,
        n_obs=wide.size,
        n_entities=len(wide),
        convention="least squares of ln(sd / mean) on time",
    )
    return Spread(sigma, first, last)


def _stack(wide: pd.DataFrame) -> pd.Series:
    """Entities x times as a column by entity and time."""
    rows = pd.MultiIndex.from_product([wide.index, wide.columns])
    return pd.Series(wide.to_numpy(dtype=float).ravel(), index=rows, name="value")


def gap_table(values: pd.Series, regions: pd.Series) -> pd.DataFrame:
    """By time: Theil's T and the Gini coefficient, each with its exact regional parts."""

    def make() -> pd.DataFrame:
        kept = values[values.index.get_level_values(0).isin(regions.dropna().index)]
        theil = split_by_time(kept, regions, theil_split).add_prefix("theil_")
        return theil.join(split_by_time(kept, regions, dagum_split).add_prefix("gini_"))

    return table_or_reason(make)


def convergence_table(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """One row per column: sd at both ends, sigma (trend of log sd / mean) and absolute beta convergence."""
    rows = {}
    for label, values in columns.items():
        spread = measure_spread(values)
        rows[label] = {"sd_first": spread.sd_first, "sd_last": spread.sd_last}
        if spread.sigma is not None:
            p_value = spread.sigma.p_value
            rows[label] |= {
                "sigma_trend": spread.sigma.estimate,
                "sigma_p_value": np.nan if p_value is None else p_value,
            }
        wide = values.unstack(level=1).dropna()
        if (wide.iloc[:, [0, -1]] > 0).all(axis=None):
            beta = beta_convergence(_stack(wide))
            rows[label] |= {"beta": beta.estimate, "beta_p_value": beta.p_value, "half_life": beta.half_life}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("column")


def transition_table(values: pd.Series) -> pd.DataFrame:
    """Shares of the moves from each class (rows, from the lowest) to each class, one period to the next."""
    return table_or_reason(lambda: markov_transitions(values, 4).matrix)


def neighbour_tables(
    values: pd.Series, study: Study, rng: np.random.Generator, permutations: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Global Moran's I by time, and local Moran's I at the last time; both empty where the study has no map."""
    if study.map is None:
        empty = pd.DataFrame({"estimate": [], "p_value": []})
        return empty.rename_axis(str(values.index.names[1])), empty.rename_axis(str(values.index.names[0]))
    known = read_units(study.folder / study.entity.units, study.entity).index
    contiguity = read_contiguity(study.folder / study.map.contiguity, list(values.index.unique(0)), known)
    last = values.xs(values.index.get_level_values(1).max(), level=1)
    everywhere = moran_by_time(values, contiguity, rng, permutations)
    local = local_moran(last, contiguity, rng, permutations).rename_axis(str(values.index.names[0]))
    return everywhere, local.sort_values("p_value", kind="stable", key=tie)


def convergence_columns(index: CompositeIndex, values: pd.DataFrame, study: Study) -> dict[str, pd.Series]:
    """By label: every index, and every dimension of one of them."""
    columns = {study.label(str(name)): values[name].dropna() for name in values}
    return columns | {study.label(str(name)): index.dimension_scores[name] for name in index.dimension_scores}
