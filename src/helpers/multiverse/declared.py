"""The multiverse of a study: indices derived anew under every declared choice, then every specification fitted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.cleaning.sample import mark_dropped
from helpers.errors import StudyError
from helpers.index.choices import SHARED, ChoiceIndex, IndexRun
from helpers.multiverse.fit import Multiverse, fit_plan
from helpers.multiverse.plan import Pairs, Plan, Sample, all_subsets
from helpers.regression.design import check_panel
from helpers.regression.effects import Floats

if TYPE_CHECKING:
    from helpers.study.study import MultiverseChoices, MultiverseIndex, MultiverseSample, Study

# Lowest score under means that a score of 0 would make 0.
FLOOR = 0.01


def study_specifications(panel: pd.DataFrame, study: Study, units: pd.DataFrame | None = None) -> Multiverse:
    """Fit every specification that the study file's block `multiverse` declares.

    Parameters
    ----------
    panel
        Panel with the model's columns and the indicators of its indices.
    study
        The study.
    units
        One row per entity, indexed by entity; needed when a sample is declared by a column of it.

    Returns
    -------
    Multiverse
        Decisions: the choices of the indices, `dropped` indicator, `index_rows`, sample, lag, effects, controls;
        choices with a single option are left out of the table.

    Raises
    ------
    StudyError
        The study declares no multiverse, or names something that is not there.
    """
    return fit_plan(plan_study(panel, study, units), study.specification.significance)


def plan_study(panel: pd.DataFrame, study: Study, units: pd.DataFrame | None = None) -> Plan:
    """The specifications of a study before they are fitted; see `study_specifications`."""
    choices = study.multiverse
    if choices is None:
        raise StudyError(
            f"study {study.name}", "it declares no multiverse", "add a block `multiverse` to its study file"
        )
    panel, model = panel.sort_index(), study.specification
    sets = all_subsets(model.controls, choices.always)
    assert isinstance(panel.index, pd.MultiIndex)
    return Plan(
        index=panel.index,
        controls=check_panel(panel, list(model.controls)).to_numpy() if model.controls else np.empty((len(panel), 0)),
        control_names=model.controls,
        control_sets=tuple(tuple(model.controls.index(name) for name in chosen) for chosen in sets),
        effects=choices.effects,
        lags=choices.lags,
        samples=tuple(_build_samples(panel, study, choices, units)),
        window=study.time.window,
    )


def index_runs(options: MultiverseIndex) -> Iterator[IndexRun]:
    """Every combination of the choices in an index, each once: a shift of scores matters to entropy weights alone."""
    for values in product(*(getattr(options, name) for name in SHARED)):
        run = IndexRun(**dict(zip(SHARED, values, strict=True)))
        if "entropy" in run.weights or run.zero_rule == options.zero_rule[0]:
            yield run


def _build_samples(
    panel: pd.DataFrame, study: Study, choices: MultiverseChoices, units: pd.DataFrame | None
) -> Iterator[Sample]:
    """Every sample, with its indices built over all rows or over its own."""
    whole = np.ones(len(panel), dtype=bool)
    over_all = _build_pairs(panel, whole, study, choices.index)
    for name, declared in choices.samples.items():
        rows = _rows_of(panel, declared, name, units)
        # With nothing left out, or nothing to build, the two ways are one specification, which must not count twice.
        same = rows.all() or not {study.specification.outcome, study.specification.treatment} & set(study.indices)
        for base in choices.index_rows[:1] if same else choices.index_rows:
            pairs = over_all if base == "all" or same else _build_pairs(panel, rows, study, choices.index)
            yield Sample(name, rows, _decide_rows(pairs, base, len(choices.index_rows) > 1))


def _decide_rows(pairs: Pairs, base: str, varies: bool) -> Pairs:
    if not varies:
        return pairs
    return Pairs(
        pairs.outcomes, pairs.treatments, pairs.outcome_of, pairs.treatment_of,
        pairs.decisions.assign(index_rows=base), pairs.reasons,
    )  # fmt: skip


def _build_pairs(panel: pd.DataFrame, rows: np.ndarray, study: Study, options: MultiverseIndex) -> Pairs:
    """Outcome and treatment under every choice; both by the same method, each indicator left out in turn."""
    used, model = panel[rows], study.specification
    outcome, treatment = (_Side(used, study, name) for name in (model.outcome, model.treatment))
    decided: list[dict[str, Any]] = []
    outcome_of, treatment_of, reasons = [], [], []
    # Without an index no choice in it makes a difference, and a specification must not count twice.
    some_index = outcome.index or treatment.index
    for run in index_runs(options) if some_index else islice(index_runs(options), 1):
        for dropped in _dropped(outcome, treatment, options.leave_one_out):
            places = [side.place(run, dropped) for side in (outcome, treatment)]
            outcome_of.append(places[0])
            treatment_of.append(places[1])
            reasons.append(outcome.reasons[places[0]] or treatment.reasons[places[1]])
            decided.append({name: getattr(run, name) for name in SHARED} | {"dropped": dropped or "none"})
    decisions = pd.DataFrame(decided)
    varied = [name for name in decisions if decisions[name].nunique() > 1]
    return Pairs(
        outcomes=_on_all_rows(outcome.columns, rows),
        treatments=_on_all_rows(treatment.columns, rows),
        outcome_of=np.array(outcome_of),
        treatment_of=np.array(treatment_of),
        decisions=decisions[varied].astype(str),
        reasons=np.array(reasons, dtype=object),
    )


class _Side:
    """The outcome or the treatment: an index to be built under each choice, or one column that no choice moves.

    Attributes
    ----------
    columns
        The columns made so far.
    reasons
        For each column why it could not be made, empty where it was.
    """

    def __init__(self, panel: pd.DataFrame, study: Study, name: str) -> None:
        self.index = ChoiceIndex(panel, study.indices[name], FLOOR) if name in study.indices else None
        self.columns: list[Floats] = [] if self.index else [check_panel(panel, [name])[name].to_numpy()]
        self.reasons: list[str] = [] if self.index else [""]
        self.indicators = self.index.may_be_left_out if self.index else ()
        self._places: dict[IndexRun, int] = {}
        self._empty = np.zeros(len(panel))

    def place(self, run: IndexRun, dropped: str | None) -> int:
        """Position of the column under `run`, made when it is asked for first."""
        if self.index is None:
            return 0
        own = IndexRun(
            **{name: getattr(run, name) for name in SHARED}, left_out=dropped if dropped in self.indicators else None
        )
        if own not in self._places:
            self._places[own] = len(self.columns)
            try:
                self.columns.append(self.index.build(own))
                self.reasons.append("")
            except StudyError as error:
                self.columns.append(self._empty)
                self.reasons.append(f"{error.where}: {error.rule}")
        return self._places[own]


def _dropped(outcome: _Side, treatment: _Side, leave_one_out: bool) -> tuple[str | None, ...]:
    return (None, *outcome.indicators, *treatment.indicators) if leave_one_out else (None,)


def _on_all_rows(columns: list[Floats], rows: np.ndarray) -> Floats:
    """Columns (n, A) on the panel's rows, 0 on those outside the sample."""
    matrix = np.zeros((len(rows), len(columns)))
    matrix[rows] = np.column_stack(columns)
    return matrix


def _rows_of(panel: pd.DataFrame, sample: MultiverseSample, name: str, units: pd.DataFrame | None) -> np.ndarray:
    return ~mark_dropped(panel.index, units, sample.drop_where, sample.drop_times, f"multiverse, sample {name}")
