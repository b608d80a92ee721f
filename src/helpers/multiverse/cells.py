"""One cell of a multiverse: a sample, a lag and a set of effects, in which outcome, treatment and controls vary.

Within a cell the effects are projected out once. By the theorem of Frisch, Waugh and Lovell, with d and y the
treatment and the outcome after effects and controls are removed and P_g = sum over the rows of entity g of d y,
R_g = sum of d^2,

    estimate = sum_g P_g / sum_g R_g,    score of entity g = P_g - estimate x R_g,

so that a set of controls costs one small projection, and a pair of columns one product of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.errors import StudyError
from helpers.regression.collinearity import ABSORBED, COLLINEAR, check_rank
from helpers.regression.effects import Codes, Effects, Floats

# Numbers held at once in the largest intermediate array.
CHUNK = 2_000_000


@dataclass(frozen=True)
class Columns:
    """The columns that a cell chooses from, by its N rows, sorted by entity and time.

    Attributes
    ----------
    outcomes, treatments, controls
        Arrays (N, A), (N, B) and (N, K), as given.
    control_names
        K names.
    outcome_of, treatment_of
        Codes (V,): which outcome meets which treatment.
    """

    outcomes: Floats
    treatments: Floats
    controls: Floats
    control_names: tuple[str, ...]
    outcome_of: Codes
    treatment_of: Codes


@dataclass(frozen=True)
class Cell:
    """Columns of a cell with the effects removed.

    Attributes
    ----------
    effects
        Effects of the model, with the entity and time of each row.
    columns
        The columns as given.
    outcomes, treatments, controls
        The same columns after the effects are projected out; without effects, after their mean is.
    starts
        First row of each entity.
    """

    effects: Effects
    columns: Columns
    outcomes: Floats
    treatments: Floats
    controls: Floats
    starts: Codes

    @property
    def n_obs(self) -> int:
        """Rows."""
        return len(self.outcomes)


@dataclass(frozen=True)
class CellFits:
    """The V regressions of one cell with one set of controls.

    Attributes
    ----------
    estimates, std_errors
        Arrays (V,), NaN where there is a reason.
    reasons
        Texts (V,), empty where the specification was estimated.
    products
        P of the module's text, (G, V).
    squares
        R of the module's text, (G, B), by treatment.
    outcomes, treatments
        Arrays (N, A) and (N, B) after effects and controls are removed.
    basis
        Orthonormal columns (N, q) that span the controls.
    """

    estimates: Floats
    std_errors: Floats
    reasons: np.ndarray
    products: Floats
    squares: Floats
    outcomes: Floats
    treatments: Floats
    basis: Floats


def build_cell(entity: Codes, time: Codes, kinds: Sequence[str], columns: Columns) -> Cell:
    """Project the effects out of all columns.

    Parameters
    ----------
    entity, time
        Codes 0, 1, ... (N,), sorted by entity, then time.
    kinds
        The effects: "entity", "time", both or neither.
    """
    effects = Effects(entity, time, "entity" in kinds, "time" in kinds)

    def project(matrix: Floats) -> Floats:
        # Without effects the intercept is what every column loses.
        return effects.project(matrix) if effects.absorbed() else matrix - matrix.mean(axis=0)

    return Cell(
        effects=effects,
        columns=columns,
        outcomes=project(columns.outcomes),
        treatments=project(columns.treatments),
        controls=project(columns.controls),
        starts=np.searchsorted(entity, np.arange(effects.n_entities)),
    )


def fit_set(cell: Cell, chosen: Sequence[int], kept: Codes | None = None) -> CellFits:
    """Fit every pair of columns with one set of controls.

    Standard errors are clustered by entity under the convention "stata".

    Parameters
    ----------
    chosen
        Positions of the controls.
    kept
        Positions of the pairs to fit; all by default.
    """
    outcome_of, treatment_of = cell.columns.outcome_of, cell.columns.treatment_of
    if kept is not None:
        outcome_of, treatment_of = outcome_of[kept], treatment_of[kept]
    reason = _reason_of_set(cell, chosen)
    if reason:
        return _no_fits(cell, len(outcome_of), reason)
    basis = control_basis(cell, chosen)
    outcomes, treatments = (remove(basis, matrix) for matrix in (cell.outcomes, cell.treatments))
    squares = np.add.reduceat(treatments**2, cell.starts, axis=0)
    by_treatment = _reasons_of_treatments(cell, squares.sum(axis=0), chosen)
    products = _pair_products(outcomes, treatments, outcome_of, treatment_of, cell.starts)
    own, reasons = squares[:, treatment_of], by_treatment[treatment_of]
    total = own.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimates = products.sum(axis=0) / total
        variance = small_sample_factor(cell, len(chosen)) * ((products - estimates * own) ** 2).sum(axis=0) / total**2
    failed = reasons != ""
    return CellFits(
        np.where(failed, np.nan, estimates),
        np.where(failed, np.nan, np.sqrt(variance)),
        reasons,
        products,
        squares,
        outcomes,
        treatments,
        basis,
    )


def control_basis(cell: Cell, chosen: Sequence[int]) -> Floats:
    """Orthonormal columns (N, q) that span the chosen controls after the effects."""
    return np.asarray(np.linalg.qr(cell.controls[:, list(chosen)])[0])


def remove(basis: Floats, matrix: Floats) -> Floats:
    """Residuals of columns on an orthonormal basis."""
    return np.asarray(matrix - basis @ (basis.T @ matrix))


def small_sample_factor(cell: Cell, n_controls: int) -> float:
    """G/(G-1) x (N-1)/(N-K), K = treatment, controls, and times (with time effects) or the intercept."""
    n_entities = cell.effects.n_entities
    k = 1 + n_controls + (cell.effects.n_times if cell.effects.time_effects else 1)
    return n_entities / (n_entities - 1) * (cell.n_obs - 1) / (cell.n_obs - k)


def _pair_products(
    outcomes: Floats, treatments: Floats, outcome_of: Codes, treatment_of: Codes, starts: Codes
) -> Floats:
    """Sums by entity of outcome times treatment, (G, V), some pairs at a time."""
    step = max(1, CHUNK // len(outcomes))
    sums = np.empty((len(starts), len(outcome_of)))
    for start in range(0, len(outcome_of), step):
        some = slice(start, start + step)
        pairs = outcomes[:, outcome_of[some]] * treatments[:, treatment_of[some]]
        sums[:, some] = np.add.reduceat(pairs, starts, axis=0)
    return sums


def _reason_of_set(cell: Cell, chosen: Sequence[int]) -> str:
    """Why nothing can be estimated with these controls, or nothing."""
    if cell.effects.n_entities < 2:
        return "one entity only: there are no clusters"
    parameters = 1 + len(chosen) + cell.effects.rank()
    if cell.n_obs <= parameters:
        return f"{cell.n_obs} rows cannot determine {parameters} parameters"
    if not chosen:
        return ""
    names = [cell.columns.control_names[j] for j in chosen]
    try:
        check_rank(names, cell.columns.controls[:, list(chosen)], cell.controls[:, list(chosen)], cell.effects)
    except StudyError as error:
        return f"{error.where}: {error.rule}"
    return ""


def _reasons_of_treatments(cell: Cell, left: Floats, chosen: Sequence[int]) -> np.ndarray:
    """Why a treatment has no effect to be estimated, (B,); `left` is its sum of squares after the controls."""
    given = np.linalg.norm(cell.columns.treatments, axis=0)
    within = np.linalg.norm(cell.treatments, axis=0)
    absorbed = within <= ABSORBED * given
    collinear = np.sqrt(left) <= COLLINEAR * within
    controls = ", ".join(cell.columns.control_names[j] for j in chosen)
    reasons = np.where(collinear, f"the treatment is collinear with {controls}", "").astype(object)
    reasons[absorbed] = "the treatment has no variation of its own: the effects absorb it"
    return reasons


def _no_fits(cell: Cell, n_pairs: int, reason: str) -> CellFits:
    return CellFits(
        estimates=np.full(n_pairs, np.nan),
        std_errors=np.full(n_pairs, np.nan),
        reasons=np.full(n_pairs, reason, dtype=object),
        products=np.full((len(cell.starts), n_pairs), np.nan),
        squares=np.full((len(cell.starts), cell.treatments.shape[1]), np.nan),
        outcomes=cell.outcomes,
        treatments=cell.treatments,
        basis=np.empty((cell.n_obs, 0)),
    )
