"""The specifications of a multiverse before they are fitted: samples, pairs of columns, controls, effects and lags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.multiverse.cells import Cell, Columns, build_cell
from helpers.regression.effects import Codes, Floats


@dataclass(frozen=True)
class Pairs:
    """Outcome and treatment columns, and which meets which; n panel rows, V pairs.

    Attributes
    ----------
    outcomes, treatments
        Arrays (n, A) and (n, B).
    outcome_of, treatment_of
        Codes (V,).
    decisions
        V rows: what was decided to get the pair, a column for each decision.
    reasons
        Texts (V,): why a pair has no columns, empty where it has.
    """

    outcomes: Floats
    treatments: Floats
    outcome_of: Codes
    treatment_of: Codes
    decisions: pd.DataFrame
    reasons: np.ndarray


@dataclass(frozen=True)
class Sample:
    """Rows that are used together.

    Attributes
    ----------
    name
        Name of the sample.
    rows
        Booleans (n,).
    pairs
        The columns that are tried on these rows.
    """

    name: str
    rows: np.ndarray
    pairs: Pairs


@dataclass(frozen=True)
class Plan:
    """All specifications before they are fitted.

    Attributes
    ----------
    index
        Rows of the panel, sorted.
    controls
        Array (n, K).
    control_names
        K names.
    control_sets
        Positions of the controls in each set.
    effects
        The sets of effects, each of "entity" and "time".
    lags
        By how many times of the window the treatment is lagged.
    samples
        The samples.
    window
        The times in their order, which need not follow each other by one; those of the index when empty.
    """

    index: pd.MultiIndex
    controls: Floats
    control_names: tuple[str, ...]
    control_sets: tuple[tuple[int, ...], ...]
    effects: tuple[tuple[str, ...], ...]
    lags: tuple[int, ...]
    samples: tuple[Sample, ...]
    window: tuple[int, ...] = ()

    @property
    def n_specifications(self) -> int:
        """Number of specifications."""
        pairs = sum(len(sample.pairs.outcome_of) for sample in self.samples)
        return pairs * len(self.control_sets) * len(self.effects) * len(self.lags)


def check_plan(plan: Plan) -> None:
    """Stop at an unknown effect, a negative lag or an empty plan."""
    unknown = {kind for kinds in plan.effects for kind in kinds} - {"entity", "time"}
    if unknown:
        raise StudyError(f"effects {sorted(unknown)}", "they are not known", "use entity and time")
    if any(lag < 0 for lag in plan.lags):
        raise StudyError(f"lags {list(plan.lags)}", "a lag is 0 or more", "use a lead of the outcome instead")
    if not plan.n_specifications:
        raise StudyError("multiverse", "there is nothing to fit", "declare at least one option of each decision")


def all_subsets(names: Sequence[str], always: Sequence[str] = ()) -> tuple[tuple[str, ...], ...]:
    """Every subset of `names`, from the empty one up, each with the names of `always` in front."""
    rest = [name for name in names if name not in always]
    sets = (chosen for size in range(len(rest) + 1) for chosen in combinations(rest, size))
    return tuple((*always, *chosen) for chosen in sets)


def cross_pairs(outcomes: pd.DataFrame, treatments: pd.DataFrame) -> Pairs:
    """Every outcome with every treatment; the decisions are their names."""
    outcome_of, treatment_of = (
        codes.ravel() for codes in np.indices((outcomes.shape[1], treatments.shape[1]), dtype=np.intp)
    )
    decisions = pd.DataFrame(
        {"outcome": outcomes.columns[outcome_of].astype(str), "treatment": treatments.columns[treatment_of].astype(str)}
    )
    return Pairs(
        outcomes.to_numpy(dtype=float), treatments.to_numpy(dtype=float), outcome_of, treatment_of, decisions,
        np.full(len(decisions), "", dtype=object),
    )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where some specifications stand: a sample, a lag and a set of effects.

    Attributes
    ----------
    sample, lag, kinds
        The sample, by how many times the treatment is lagged, and the effects.
    rows
        Positions of the panel's rows that are used.
    cell
        The columns there; None when there are no rows.
    """

    sample: Sample
    lag: int
    kinds: tuple[str, ...]
    rows: Codes
    cell: Cell | None


def walk_cells(plan: Plan) -> Iterator[Place]:
    """Every place of a plan, in the order of the table of a multiverse."""
    entity, time = (plan.index.get_level_values(level) for level in (0, 1))
    window = pd.Index(plan.window or sorted(time.unique()))
    places = pd.MultiIndex.from_arrays([entity, window.get_indexer(time)])
    for sample in plan.samples:
        for lag in plan.lags:
            earlier = np.arange(len(time))
            if lag:
                before = places.get_level_values(1) - lag
                earlier = places.get_indexer(pd.MultiIndex.from_arrays([entity, before]))
            rows = np.flatnonzero(sample.rows & (earlier >= 0) & sample.rows[earlier])
            for kinds in plan.effects:
                yield Place(sample, lag, kinds, rows, _cell_of(plan, sample, rows, earlier[rows], kinds))


def _cell_of(plan: Plan, sample: Sample, rows: Codes, earlier: Codes, kinds: tuple[str, ...]) -> Cell | None:
    if len(rows) == 0:
        return None
    pairs = sample.pairs
    columns = Columns(
        outcomes=pairs.outcomes[rows],
        treatments=pairs.treatments[earlier],
        controls=plan.controls[rows],
        control_names=plan.control_names,
        outcome_of=pairs.outcome_of,
        treatment_of=pairs.treatment_of,
    )
    entity, time = (pd.factorize(plan.index[rows].get_level_values(level), sort=True)[0] for level in (0, 1))
    return build_cell(entity, time, kinds, columns)
