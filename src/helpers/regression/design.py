"""Panel columns -> the checked matrices of a regression, with the effects projected out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.collinearity import SEPARATE, check_rank
from helpers.regression.effects import Codes, Effects, Floats

CONSTANT = "const"


@dataclass(frozen=True)
class Design:
    """A regression before it is fitted: rows sorted by entity and time, columns as given and with effects removed.

    Attributes
    ----------
    index
        The rows, sorted.
    outcome, regressors
        Names; without effects the last regressor is the intercept, `const`.
    effects
        Effects of the model.
    y, x
        Outcome (n_obs,) and regressors (n_obs, k) as given, times the roots of the weights where rows have some.
    y_within, x_within
        The same after the effects are projected out.
    """

    index: pd.MultiIndex
    outcome: str
    regressors: tuple[str, ...]
    effects: Effects
    y: Floats
    x: Floats
    y_within: Floats
    x_within: Floats

    @property
    def n_obs(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def has_constant(self) -> bool:
        """Whether the intercept is a column of its own."""
        return not self.effects.absorbed()

    @property
    def n_slopes(self) -> int:
        """Number of regressors without the intercept."""
        return len(self.regressors) - self.has_constant

    @property
    def n_parameters(self) -> int:
        """Regressors, effects and the general mean together."""
        return self.n_slopes + self.effects.rank()

    def centred(self) -> Floats:
        """The outcome (n_obs,) less its mean, both times the roots of the weights."""
        root = self.effects.root
        if root is None:
            return np.asarray(self.y - self.y.mean())
        return np.asarray(self.y - root * (root @ self.y) / (root @ root))


def build_design(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = False,
    time_effects: bool = False,
    weights: str | None = None,
) -> Design:
    """Check the columns of a panel, then lay them out for a regression; `weights` names a column of row weights.

    Raises
    ------
    StudyError
        The index is not a unique (entity, time) pair; a column is missing, not numeric or not finite; an outcome
        without variation beside the effects; a regressor is collinear with others or absorbed by the effects; too few
        rows for the parameters; a weight that is not above 0.
    """
    names = [regressors] if isinstance(regressors, str) else list(regressors)
    panel = check_panel(data, [outcome, *names])
    index = panel.index
    assert isinstance(index, pd.MultiIndex)
    root = None if weights is None else _weight_roots(data, weights)
    effects = Effects(*_codes_of(index), bool(entity_effects), bool(time_effects), root)
    if not effects.absorbed():
        names = [*names, CONSTANT]
    y = panel[outcome].to_numpy(dtype=float, copy=True)
    slopes = [panel[name].to_numpy(dtype=float) for name in names if name != CONSTANT]
    x = np.column_stack([*slopes, *([np.ones(len(y))] if not effects.absorbed() else [])])
    if root is not None:
        y, x = y * root, x * root[:, None]
    within = effects.project(np.column_stack([y, x]))
    design = Design(index, outcome, tuple(names), effects, y, x, within[:, 0], within[:, 1:])
    _check_outcome(design)
    check_rank(design.regressors, x, design.x_within, effects)
    if design.n_obs <= design.n_parameters:
        raise StudyError(
            f"regression of {outcome}",
            f"{design.n_obs} rows cannot determine {design.n_parameters} parameters (regressors and effects)",
            "use fewer regressors or effects, or more rows",
        )
    return design


def _check_outcome(design: Design) -> None:
    """Stop when the outcome has no variation that regressors could explain."""
    varies = np.ptp(design.y) > 0 if design.has_constant else True
    if not varies or not np.linalg.norm(design.y_within) > SEPARATE * np.linalg.norm(design.y):
        remedy = "choose another outcome, or leave out the effects that absorb it"
        raise StudyError(f"outcome {design.outcome}", "it has no variation of its own beside the effects", remedy)


def _weight_roots(data: pd.DataFrame, name: str) -> Floats:
    """Roots of the weights (n_obs,), which are scaled to a mean of 1, in the order of the sorted rows."""
    weights = check_panel(data, [name])[name]
    if not (weights > 0).all():
        entity, time = weights.index[int(np.argmax(weights.to_numpy() <= 0))]
        raise StudyError(
            f"weights {name}, {entity}, {time}", f"the weight is {weights[entity, time]:g}, not above 0",
            "leave such rows out, or weigh by something that every row has",
        )  # fmt: skip
    return np.asarray(np.sqrt(weights / weights.mean()))


def check_panel(data: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The named columns of a panel as floats, sorted by entity and time.

    Raises
    ------
    StudyError
        Index, names or figures are not those of a panel; the message names column, entity and time.
    """
    if not isinstance(data.index, pd.MultiIndex) or data.index.nlevels != 2:
        raise StudyError("panel", "rows are not indexed by entity and time", "set a two-level index: entity, time")
    twice = data.index[data.index.duplicated()]
    if len(twice):
        raise StudyError(f"panel, row {twice[0]}", "the pair of entity and time occurs twice", "keep one row for each")
    names = list(columns)
    for name in names:
        if name not in data.columns:
            raise StudyError(f"panel, column {name}", "there is no such column", f"use one of {list(data.columns)}")
        if names.count(name) > 1:
            raise StudyError(f"regression, column {name}", "the column is used twice", "name each column once")
        if name == CONSTANT:
            raise StudyError(f"panel, column {name}", "the name is kept for the intercept", "rename the column")
    if data.empty:
        raise StudyError("panel", "there are no rows", "check the sample rule that selects rows")
    panel = data[names].sort_index()
    for name in names:
        _check_finite(panel[name])
    return panel.astype(float)


def _check_finite(column: pd.Series) -> None:
    """Stop at the first figure that is not a finite number."""
    if not pd.api.types.is_numeric_dtype(column):
        raise StudyError(f"panel, column {column.name}", "the column holds text", "convert it to numbers first")
    bad = ~np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))
    if bad.any():
        entity, time = column.index[int(np.argmax(bad))]
        raise StudyError(
            f"panel, column {column.name}, {entity}, {time}",
            f"the figure is missing or infinite ({int(bad.sum())} such rows in this column)",
            "declare a rule for the gap, or leave these rows out before the regression",
        )


def _codes_of(index: pd.MultiIndex) -> tuple[Codes, Codes]:
    """Entity and time codes 0, 1, ... of the rows, in sorted order."""
    entity, time = (pd.factorize(index.get_level_values(level), sort=True)[0] for level in (0, 1))
    return entity, time
