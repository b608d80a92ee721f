"""Why an effect may be larger in one place: what an entity began with, and a value that a variable has to pass."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.clear import ClearTest, fit_clear
from helpers.regression.threshold import PanelThreshold, hold_own_level, panel_threshold, second_threshold
from helpers.results.estimate import Estimate
from helpers.study.model import Model

PRODUCT = "treatment_times_start"
"""Name of the column treatment x standardised first value."""
CRITICAL = float(-2 * np.log(1 - np.sqrt(0.95)))
"""Likelihood ratio below which a candidate is in the 95 % interval (Hansen 1999)."""
SIZES = Path(__file__).with_name("threshold_size.csv")


@dataclass(frozen=True)
class ThresholdPair:
    """A threshold and, beside it, a second one; the second is None where no value leaves three regimes enough rows."""

    first: PanelThreshold
    second: PanelThreshold | None


def first_values(values: pd.Series) -> pd.Series:
    """Each entity's value at its first time."""
    ordered = values.sort_index()
    return ordered.set_axis(ordered.index.get_level_values(0)).groupby(level=0).head(1)


def fit_start(data: pd.DataFrame, model: Model, variable: str, *, draws: int, rng: np.random.Generator) -> ClearTest:
    """Let the effect change with an entity's first value of a variable: treatment x z0, z0 standardised over entities.

    Raises
    ------
    StudyError
        The variable has no figure at an entity's first time, or is the same in all of them.
    """
    start = first_values(data[variable])
    values = start.to_numpy(dtype=float)
    if np.isnan(values).any():
        lacking = start.index[int(np.isnan(values).argmax())]
        raise StudyError(f"{variable}, {lacking}", "it has no figure at the first time", "leave out the entity")
    spread = float(values.std(ddof=1))
    if not spread > 1e-12 * float(np.abs(values).max()):
        raise StudyError(f"{variable} at the first time", "it is the same everywhere", "choose another variable")
    z = pd.Series((values - values.mean()) / spread, index=start.index)
    product = data[model.treatment] * z.reindex(data.index.get_level_values(0)).to_numpy()
    both = model.with_(controls=(PRODUCT, *model.controls))
    return fit_clear(data.assign(**{PRODUCT: product}), both, PRODUCT, draws=draws, rng=rng)


def balanced_rows(data: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The rows of the entities that have figures of all columns at every time."""
    whole = data.dropna(subset=columns)
    counts = whole.groupby(level=0).size()
    return whole[whole.index.get_level_values(0).isin(counts.index[counts == data.index.unique(level=1).size])]


def fit_threshold(
    data: pd.DataFrame, model: Model, variable: str, *, draws: int, rng: np.random.Generator
) -> ThresholdPair:
    """One threshold of the treatment's effect in a variable whose own level is held, and the test of a second."""
    rows = balanced_rows(data, [*model.columns, variable])
    first = panel_threshold(rows, hold_own_level(rows, model, variable), variable, draws=draws, rng=rng)
    try:
        second = second_threshold(rows, first, rng=rng)
    except StudyError:
        second = None
    return ThresholdPair(first, second)


def threshold_estimate(found: PanelThreshold) -> Estimate:
    """A threshold as an estimate: its value, likelihood-ratio interval, F and bootstrap p-value."""
    return Estimate(
        estimate=found.threshold,
        statistic=found.statistic,
        p_value=found.p_value,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        n_obs=found.fit.n_obs,
        n_entities=found.fit.n_entities,
        n_clusters=found.fit.n_clusters,
        draws=found.draws + 1,
        convention="Hansen (1999); p: wild bootstrap of the largest clustered score; interval: likelihood ratio",
    )


def read_sizes() -> pd.DataFrame:
    """How often the threshold tests reject when there is no threshold, as ``benchmarks/size_threshold.py`` measured.

    Raises
    ------
    StudyError
        The table is missing.
    """
    if not SIZES.is_file():
        raise StudyError(str(SIZES), "the measured sizes are missing", "run benchmarks/size_threshold.py")
    return pd.read_csv(SIZES)
