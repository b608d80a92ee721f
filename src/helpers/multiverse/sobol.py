"""Sobol indices: how much of an output's variance each input makes.

First order S_j = Var(E(y | x_j)) / Var(y); total order T_j = E(Var(y | all but x_j)) / Var(y). Inputs are independent
and uniform on [0, 1). Sources: Sobol' (2001); Saltelli et al. (2010), Computer Physics Communications 181(2); SALib.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers.arrays import Floats
from helpers.errors import StudyError


@dataclass(frozen=True)
class SobolIndices:
    """Sobol indices of one output.

    Attributes
    ----------
    table
        Per input: first, first_half_width, total, total_half_width (half of the bootstrap interval); empty cells where
        the output does not vary. A share of a variance is 0 or more and its first order at most its total: estimates
        that cross, which a finite sample may give, are both set to their mean (the nearest that can be).
    n_base, n_runs
        Points of the base sample, and runs made from them: n_base x (inputs + 2).
    """

    table: pd.DataFrame
    n_base: int
    n_runs: int

    @property
    def widest(self) -> float:
        """The largest half-width in the table."""
        return float(self.table[["first_half_width", "total_half_width"]].to_numpy().max())


def sobol_sample(inputs: Sequence[str], n_base: int, rng: np.random.Generator) -> Floats:
    """Saltelli's sample for first and total order, n_base x (inputs + 2) rows of points in [0, 1).

    Parameters
    ----------
    inputs
        Names of the inputs, one column each.
    n_base
        Points of the scrambled Sobol' sequence, a power of 2.
    rng
        Source of the scrambling.

    Raises
    ------
    StudyError
        Fewer than two inputs, or an n_base that is not a power of 2 of 2 or more.
    """
    if len(inputs) < 2:
        raise StudyError(f"{len(inputs)} inputs", "a sensitivity analysis compares inputs", "give two or more")
    if n_base < 2 or n_base & (n_base - 1):
        raise StudyError(f"base sample of {n_base}", "it is not a power of 2", "use for example 512 or 4096")
    # SALib loads half of the scientific stack; only this analysis should pay for it.
    from SALib.sample import sobol

    return np.asarray(sobol.sample(_problem(inputs), n_base, calc_second_order=False, seed=rng))


def sobol_indices(
    inputs: Sequence[str],
    output: ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = 200,
    level: float = 0.95,
) -> SobolIndices:
    """First and total order of one output over `sobol_sample`.

    Parameters
    ----------
    inputs
        Names in the order of the sample's columns, D of them.
    output
        One value per row of the sample, shape (n_base x (D + 2),).
    rng
        Source of the bootstrap of the half-widths.
    resamples
        Bootstrap samples behind each half-width.
    level
        Level of the intervals.

    Raises
    ------
    StudyError
        An output of another length, or one with a missing or infinite value.
    """
    values = np.asarray(output, dtype=float)
    if values.ndim != 1 or len(values) == 0 or len(values) % (len(inputs) + 2):
        raise StudyError(
            f"output of shape {values.shape}",
            f"{len(inputs)} inputs need a multiple of {len(inputs) + 2} runs",
            "run every row of sobol_sample, in its order",
        )
    if not np.isfinite(values).all():
        raise StudyError(
            f"run {int(np.argmax(~np.isfinite(values)))}", "its output is not a number", "mend or drop the option"
        )
    n_base = len(values) // (len(inputs) + 2)
    columns = {"first": "S1", "first_half_width": "S1_conf", "total": "ST", "total_half_width": "ST_conf"}
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        table = pd.DataFrame(np.nan, index=pd.Index(inputs, name="input"), columns=list(columns))
        return SobolIndices(table, n_base, len(values))
    from SALib.analyze import sobol

    found: dict[str, Any] = sobol.analyze(
        _problem(inputs), values, calc_second_order=False, num_resamples=resamples, conf_level=level, seed=rng
    )
    table = pd.DataFrame({name: found[key] for name, key in columns.items()}, index=pd.Index(inputs, name="input"))
    return SobolIndices(_keep_possible(table), n_base, len(values))


def _keep_possible(table: pd.DataFrame) -> pd.DataFrame:
    """Estimates brought to the nearest that can be: 0 <= first <= total, both their mean where they cross."""
    crossed = table["first"] > table["total"]
    middle = (table["first"] + table["total"]) / 2
    changed = {name: table[name].where(~crossed, middle).clip(lower=0.0) for name in ("first", "total")}
    return table.assign(**changed)


def _problem(inputs: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(inputs), "names": list(inputs), "bounds": [[0.0, 1.0]] * len(inputs)}
