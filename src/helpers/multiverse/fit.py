"""The multiverse: every declared way to run one analysis, fitted at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.multiverse.cells import CellFits, fit_set
from helpers.multiverse.plan import Pairs, Place, Plan, Sample, all_subsets, check_plan, cross_pairs, walk_cells
from helpers.regression.design import check_panel
from helpers.regression.effects import Codes, Floats

__all__ = ["Multiverse", "Pairs", "Plan", "Sample", "all_subsets", "fit_plan", "run_specifications"]

Choices = str | Sequence[str] | Mapping[str, Any]


@dataclass(frozen=True)
class Multiverse:
    """Every declared specification, fitted.

    Attributes
    ----------
    table
        One row per specification: the decisions (categories), estimate, std_error (clustered by entity, convention
        "stata"), statistic, p_value (two-sided, t with clusters - 1 degrees of freedom), standardised (estimate x sd of
        the treatment / sd of the outcome over the rows used), n_obs, n_entities, and `reason`: why it could not be
        estimated, empty where it was.
    decisions
        Names of the decision columns.
    significance
        Level of the verdicts.
    plan
        What was asked for.
    """

    table: pd.DataFrame
    decisions: tuple[str, ...]
    significance: float
    plan: Plan = field(repr=False)

    @property
    def n_specifications(self) -> int:
        """All specifications, those that could not be estimated included."""
        return len(self.table)

    @property
    def estimated(self) -> pd.DataFrame:
        """The rows that were estimated."""
        return self.table[self.table["estimate"].notna()]

    @property
    def failures(self) -> pd.DataFrame:
        """Decisions and reason of each specification that could not be estimated."""
        return self.table.loc[self.table["estimate"].isna(), [*self.decisions, "reason"]]

    @property
    def failure_counts(self) -> "pd.Series[int]":
        """Reason -> number of specifications that it stopped."""
        return self.failures["reason"].astype(str).value_counts()


def run_specifications(
    panel: pd.DataFrame,
    outcome_choices: Choices,
    treatment_choices: Choices,
    control_sets: Sequence[Sequence[str]] = ((),),
    effects: Sequence[Sequence[str]] = (("entity", "time"),),
    samples: Mapping[str, Any] | None = None,
    *,
    lags: Sequence[int] = (0,),
    significance: float = 0.05,
) -> Multiverse:
    """Fit every combination of outcome, treatment, controls, effects, sample and lag.

    The same numbers as a loop over `fit_panel`, from batched normal equations.

    Parameters
    ----------
    panel
        Rows indexed by (entity, time).
    outcome_choices, treatment_choices
        A column, several columns, or a mapping from a name to a column or to a Series by the panel's rows.
    control_sets
        Sets of columns; `all_subsets` gives every subset.
    effects
        Sets of "entity" and "time"; () is the pooled regression with an intercept.
    samples
        Name -> booleans by the panel's rows; None uses all rows.
    lags
        By how many of the panel's times the treatment is lagged within a sample; rows without an earlier value are
        left out.
    significance
        Level of the verdicts.

    Returns
    -------
    Multiverse
        One row per specification; those that cannot be estimated are in it, with the reason.

    Raises
    ------
    StudyError
        No panel, a column that is missing or not finite, an unknown effect, a negative lag, a sample of other rows.
    """
    names = list(dict.fromkeys(name for chosen in control_sets for name in chosen))
    panel = panel.sort_index()
    outcomes, treatments = (_read_choices(panel, choices) for choices in (outcome_choices, treatment_choices))
    controls = check_panel(panel, names).to_numpy() if names else np.empty((len(panel), 0))
    pairs = cross_pairs(outcomes, treatments)
    rows = {"all": np.ones(len(panel), dtype=bool)} if samples is None else _read_samples(panel, samples)
    assert isinstance(panel.index, pd.MultiIndex)
    plan = Plan(
        index=panel.index,
        controls=controls,
        control_names=tuple(names),
        control_sets=tuple(tuple(names.index(name) for name in chosen) for chosen in control_sets),
        effects=tuple(tuple(kinds) for kinds in effects),
        lags=tuple(lags),
        samples=tuple(Sample(name, mask, pairs) for name, mask in rows.items()),
    )
    return fit_plan(plan, significance)


def fit_plan(plan: Plan, significance: float = 0.05) -> Multiverse:
    """Fit every specification of a plan; see `run_specifications`."""
    check_plan(plan)
    blocks = [_fit_place(plan, place) for place in walk_cells(plan)]
    numbers = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    codes, words = pd.factorize(numbers.pop("reason"))
    decisions = _decision_columns(plan)
    table = decisions.assign(**numbers, reason=_categories(codes, list(words)))
    return Multiverse(table, tuple(map(str, decisions.columns)), significance, plan)


def _fit_place(plan: Plan, place: Place) -> dict[str, np.ndarray]:
    """The numbers of every set of controls in one cell, below one another."""
    pairs, cell = place.sample.pairs, place.cell
    if cell is None:
        size = len(pairs.reasons) * len(plan.control_sets)
        return _numbers(
            np.full(size, np.nan),
            np.full(size, np.nan),
            np.full(size, 1.0),
            np.full(size, "no rows", dtype=object),
            0,
            0,
        )
    kept = np.flatnonzero(pairs.reasons == "")
    fits = [_spread(fit_set(cell, chosen, kept), kept, pairs.reasons) for chosen in plan.control_sets]
    estimates, std_errors, reasons = (np.concatenate(parts) for parts in zip(*fits, strict=True))
    spread_y, spread_d = (columns.std(axis=0) for columns in (cell.columns.outcomes, cell.columns.treatments))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = spread_d[cell.columns.treatment_of] / spread_y[cell.columns.outcome_of]
    return _numbers(
        estimates, std_errors, np.tile(ratio, len(plan.control_sets)), reasons, cell.n_obs, cell.effects.n_entities
    )


def _spread(fits: CellFits, kept: Codes, reasons: np.ndarray) -> tuple[Floats, Floats, np.ndarray]:
    """Fits of the kept pairs put back among all pairs."""
    estimates, std_errors = (np.full(len(reasons), np.nan) for _ in range(2))
    estimates[kept], std_errors[kept] = fits.estimates, fits.std_errors
    told = reasons.copy()
    told[kept] = fits.reasons
    return estimates, std_errors, told


def _numbers(
    estimates: Floats, std_errors: Floats, ratio: Floats, reasons: np.ndarray, n_obs: int, n_entities: int
) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = estimates / std_errors
    return {
        "estimate": estimates,
        "std_error": std_errors,
        "statistic": statistics,
        "p_value": 2 * stats.t.sf(np.abs(statistics), max(n_entities - 1, 1)),
        "standardised": estimates * ratio,
        "n_obs": np.full(len(estimates), n_obs),
        "n_entities": np.full(len(estimates), n_entities),
        "reason": reasons,
    }


def _decision_columns(plan: Plan) -> pd.DataFrame:
    """Decision columns of all specifications, in the order of `walk_cells`, then control sets, then pairs."""
    sizes = [len(sample.pairs.outcome_of) for sample in plan.samples]
    inner = (len(plan.lags), len(plan.effects), len(plan.control_sets))
    repeats = int(np.prod(inner))
    columns: dict[str, tuple[np.ndarray, Sequence[str]]] = {}
    for name in plan.samples[0].pairs.decisions:
        parts = [sample.pairs.decisions[name].astype(str).to_numpy(dtype=object) for sample in plan.samples]
        codes, words = pd.factorize(np.concatenate(parts))
        split = np.split(codes, np.cumsum(sizes)[:-1])
        columns[str(name)] = (np.concatenate([np.tile(part, repeats) for part in split]), list(words))
    outer = {
        "lag": [str(lag) for lag in plan.lags],
        "effects": [" + ".join(kinds) or "none" for kinds in plan.effects],
        "controls": [" + ".join(plan.control_names[j] for j in chosen) or "none" for chosen in plan.control_sets],
    }
    # Two samples may share a name when their indices are built over different rows.
    codes, words = pd.factorize(np.array([sample.name for sample in plan.samples], dtype=object))
    columns["sample"] = (np.repeat(codes, np.array(sizes) * repeats), list(words))
    for (name, options), codes in zip(outer.items(), np.indices(inner).reshape(3, -1), strict=True):
        columns[name] = (np.concatenate([np.repeat(codes, size) for size in sizes]), options)
    return pd.DataFrame({name: _categories(codes, words) for name, (codes, words) in columns.items()})


def _categories(codes: np.ndarray, words: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(words), dtype=object))


def _read_choices(panel: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """Columns by name, checked, sorted like the panel."""
    if isinstance(choices, str):
        return check_panel(panel, [choices])
    if not isinstance(choices, Mapping):
        return check_panel(panel, list(choices))
    columns = {
        name: panel[value] if isinstance(value, str) and value in panel else value for name, value in choices.items()
    }
    for name, value in columns.items():
        if isinstance(value, str):
            raise StudyError(f"panel, column {value}", "there is no such column", f"correct what {name} stands for")
    frame = pd.DataFrame(columns).reindex(panel.index)
    return check_panel(frame, list(frame.columns))


def _read_samples(panel: pd.DataFrame, samples: Mapping[str, Any]) -> dict[str, np.ndarray]:
    masks = {}
    for name, mask in samples.items():
        rows = mask.reindex(panel.index).fillna(False) if isinstance(mask, pd.Series) else mask
        masks[name] = np.asarray(rows, dtype=bool)
        if masks[name].shape != (len(panel),):
            raise StudyError(
                f"sample {name}", "it is not a truth value for each row", "give a Series by the panel's rows"
            )
    return masks
