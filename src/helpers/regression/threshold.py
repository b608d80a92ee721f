"""An effect that changes once a variable passes a value: Hansen's (1999) panel threshold model, searched exhaustively.

    Y = b1 D 1(q <= g) + b2 D 1(q > g) + controls + effects + e.
The threshold g is the value of q, among all that leave enough rows on both sides, with the smallest sum of squares
S(g). Test of "no threshold": F = (S0 - S(g)) / s2, S0 the sum of squares without one, s2 = S(g) / (n (T - 1)); g is
not identified under the null, so the p-value is from a bootstrap. Interval of g: all values g' with
(S(g') - S(g)) / s2 <= -2 log(1 - sqrt(level)).

Hansen's bootstrap of F holds for errors that are alike in all entities. Where they are not, it rejects far too often
(measured in benchmarks/size_threshold.py). So the p-value that is read is that of the largest score statistic,
    sup over g of (sum_i s_i(g))^2 / sum_i s_i(g)^2,   s_i(g) the score of entity i,
with the residuals of the model without a threshold and one sign for each entity (wild bootstrap, null imposed).
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from helpers.errors import StudyError, attempt
from helpers.regression.design import Design, build_design, check_panel
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit
from helpers.study.model import Model

# Share of a column's length below which nothing of it is left.
ABSENT = 1e-8
# Numbers held at once in the largest intermediate array.
CHUNK = 4_000_000
# Rows times candidates up to which every value is one, and how many there are at least.
HELD, FEWEST = 4_000_000, 100
# Relative distance within which two statistics are the same number.
TIE = 1e-9

Bootstrap = Literal["clustered", "residual"]


@dataclass(frozen=True)
class PanelThreshold:
    """A panel regression with one threshold, or with a further one.

    Attributes
    ----------
    threshold, ci_low, ci_high
        Estimated threshold and the ends of its interval, in units of the threshold variable.
    statistic
        F of "no threshold" (of "no further threshold").
    p_value
        Its bootstrap p-value, the sample itself counted once.
    low, high
        Regressor names of the treatment below (q <= g) and above the threshold in `fit`.
    n_low, n_high
        Rows at or below the threshold, and above.
    profile
        Indexed by candidate: rss, likelihood_ratio = (S(g) - S(g^)) / s2.
    fit
        The regression at the threshold, clustered by entity under the "stata" convention; its standard errors take the
        threshold as known, which Hansen (1999) shows is right in large samples.
    model, variable
        The regression without this threshold, and the name of the threshold variable.
    level, draws, bootstrap
        Coverage of the interval; bootstrap draws, and how they are made.
    """

    threshold: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    low: str
    high: str
    n_low: int
    n_high: int
    profile: pd.DataFrame = field(repr=False)
    fit: PanelFit = field(repr=False)
    model: Model
    variable: str
    level: float
    draws: int
    bootstrap: str


def hold_own_level(data: pd.DataFrame, model: Model, variable: str) -> Model:
    """The model with the threshold variable among its controls, as debt is among those of Hansen (1999).

    Without its own level a variable that moves the outcome passes for a threshold of the treatment's effect. A model
    that holds it already, or whose effects absorb it, stays as it is.
    """
    if variable in model.columns:
        return model
    own = model.with_(controls=(*model.controls, variable))
    return model if isinstance(attempt(fit, data, own), StudyError) else own


def panel_threshold(
    data: pd.DataFrame,
    model: Model,
    variable: str,
    *,
    trim: float = 0.1,
    draws: int = 999,
    bootstrap: Bootstrap = "clustered",
    rng: np.random.Generator,
    level: float = 0.95,
) -> PanelThreshold:
    """Estimate one threshold and test that there is none.

    Parameters
    ----------
    data
        Balanced panel: rows indexed by (entity, time).
    model
        The regression without a threshold; Hansen (1999) has entity effects alone.
    variable
        Name of the column q; it may be the treatment itself.
    trim
        Smallest share of the rows on either side of a candidate.
    draws
        Bootstrap samples of the test.
    bootstrap
        "clustered": the largest score statistic with one sign for each entity, which keeps its level when entities
        differ; "residual": F with whole residual series of entities drawn with replacement, as Hansen has it.
    rng
        Source of randomness.
    level
        Coverage of the interval of the threshold.

    Raises
    ------
    StudyError
        An unbalanced panel, a share or level that makes no sense, or no candidate with enough rows on both sides.
    """
    _check_options(trim, draws, bootstrap, level)
    q = check_panel(data, [variable])[variable].to_numpy(dtype=float)
    return _estimate(data, model, (variable, q), (trim, draws, bootstrap, level), rng, taken=())


def second_threshold(
    data: pd.DataFrame, first: PanelThreshold, *, trim: float = 0.1, rng: np.random.Generator
) -> PanelThreshold:
    """Estimate a further threshold beside the first and test that there is none (Hansen 1999, section 4).

    The model without it is the regression with the first threshold; every one of the three regimes keeps the smallest
    share of the rows. Draws, bootstrap and level are those of the first.

    Raises
    ------
    StudyError
        No candidate that leaves enough rows in every regime.
    """
    _check_options(trim, first.draws, first.bootstrap, first.level)
    split = _split(data, first.model.treatment, first.variable, first.threshold)
    high = first.high
    model = first.model.with_(treatment=first.low, controls=(high, *first.model.controls), cluster="entity")
    q = check_panel(data, [first.variable])[first.variable].to_numpy(dtype=float)
    options = (trim, first.draws, first.bootstrap, first.level)
    whole = split.assign(**{first.model.treatment: data[first.model.treatment]})
    return _estimate(whole, model, (first.variable, q), options, rng, taken=(first.model.treatment, first.threshold))


def _check_options(trim: float, draws: int, bootstrap: str, level: float) -> None:
    if not 0 < level < 1:
        raise StudyError("interval", f"its level is {level}", "give a share between 0 and 1, such as 0.95")
    if not 0 < trim < 0.5 or draws < 1 or bootstrap not in ("clustered", "residual"):
        raise StudyError(
            "threshold", f"trim {trim}, draws {draws}, bootstrap {bootstrap}", "0 < trim < 0.5, draws >= 1"
        )


def _estimate(
    data: pd.DataFrame,
    model: Model,
    q: tuple[str, Floats],
    options: tuple[float, int, str, float],
    rng: np.random.Generator,
    taken: tuple[str, float] | tuple[()],
) -> PanelThreshold:
    """The threshold that takes most off the sum of squares; `taken`: the whole treatment and the first threshold."""
    (variable, values), (trim, draws, bootstrap, level) = q, options
    design = build_design(
        data, model.outcome, model.regressors, entity_effects=model.entity_effects, time_effects=model.time_effects
    )
    if not design.effects.is_balanced:
        raise StudyError("threshold", "the panel is not balanced", "leave out entities that are not seen at every time")
    treatment, first = taken or (model.treatment, None)
    whole = check_panel(data, [treatment])[treatment].to_numpy(dtype=float)
    candidates, directions = _candidate_directions(design, whole, values, trim, first)
    search = _Search(design, directions)
    gain, rest = search.gains(design.y_within[:, None])
    best = int(np.argmax(gain[:, 0]))
    scale = float((rest[0] - gain[best, 0]) / _freedom(design))
    ratio = (gain[best, 0] - gain[:, 0]) / scale
    inside = candidates[ratio <= -2 * np.log(1 - np.sqrt(level))]
    low, high = (f"{treatment}_{side}" for side in ("low", "high"))
    fitted = _fit_at(data, model, (treatment, variable, float(candidates[best])), first)
    observed, drawn = search.bootstrap(best, draws, bootstrap, rng)
    return PanelThreshold(
        threshold=float(candidates[best]),
        ci_low=float(inside.min()),
        ci_high=float(inside.max()),
        statistic=float(gain[best, 0] / scale),
        p_value=float((1 + np.sum(drawn >= observed * (1 - TIE))) / (1 + draws)),
        low=low,
        high=high,
        n_low=int(np.sum(values <= candidates[best])),
        n_high=int(np.sum(values > candidates[best])),
        profile=pd.DataFrame(
            {"rss": rest[0] - gain[:, 0], "likelihood_ratio": ratio}, index=pd.Index(candidates, name=variable)
        ),
        fit=fitted,
        model=model,
        variable=variable,
        level=level,
        draws=draws,
        bootstrap=bootstrap,
    )


def _fit_at(data: pd.DataFrame, model: Model, at: tuple[str, str, float], first: float | None) -> PanelFit:
    """The regression with one coefficient in each regime."""
    treatment, variable, threshold = at
    if first is None:
        low, high = (f"{treatment}_{side}" for side in ("low", "high"))
        split = _split(data, treatment, variable, threshold)
        return fit(split, model.with_(treatment=low, controls=(high, *model.controls), cluster="entity"))
    ends = sorted((first, threshold))
    regime = np.searchsorted(ends, data[variable].to_numpy(dtype=float), side="left")
    names = [f"{treatment}_{place}" for place in ("low", "middle", "high")]
    split = data.assign(**{name: data[treatment] * (regime == place) for place, name in enumerate(names)})
    return fit(split, model.with_(treatment=names[0], controls=(*names[1:], *model.controls[1:]), cluster="entity"))


def _freedom(design: Design) -> int:
    """The divisor n (T - 1) of Hansen (1999)."""
    return design.effects.n_entities * (design.effects.n_times - 1)


def _candidate_directions(
    design: Design, treatment: Floats, q: Floats, trim: float, first: float | None
) -> tuple[Floats, Floats]:
    """Candidates (c,) and the projected columns D 1(q <= candidate), (n_obs, c), of unit length.

    Where every value with enough rows on both sides would make more than `HELD` numbers, evenly spaced quantiles of
    them are the candidates, as in Hansen (1999, section 3), at least `FEWEST`.
    """
    values, counts = np.unique(q, return_counts=True)
    below = np.cumsum(counts)
    least = trim * len(q)
    enough = (below >= least) & (len(q) - below >= least)
    if first is not None:
        enough &= np.abs(below - np.sum(q <= first)) >= least
    kept, most = values[enough], max(FEWEST, HELD // len(q))
    if len(kept) > most:
        kept = kept[np.linspace(0, len(kept) - 1, most).round().astype(int)]
    directions = design.effects.project(treatment[:, None] * (q[:, None] <= kept))
    basis = _basis(design)
    directions -= basis @ (basis.T @ directions)
    length = np.linalg.norm(directions, axis=0)
    real = length > ABSENT * np.linalg.norm(design.x_within[:, 0])
    if not real.any():
        raise StudyError(
            "threshold", "no value of the threshold variable leaves enough rows on both sides", "use a smaller trim"
        )
    return kept[real], directions[:, real] / length[real]


def _basis(design: Design) -> Floats:
    """Orthonormal basis (n_obs, k) of the regressors, columns scaled to unit length first."""
    return np.asarray(np.linalg.qr(design.x_within / np.linalg.norm(design.x_within, axis=0))[0])


class _Search:
    """What a threshold takes off the sum of squares, for many outcomes and all candidates at once."""

    def __init__(self, design: Design, directions: Floats) -> None:
        self.design = design
        self.directions = directions
        self.basis = _basis(design)

    def left(self, outcomes: Floats) -> Floats:
        """Residuals of projected outcomes (n_obs, B) without a threshold."""
        return np.asarray(outcomes - self.basis @ (self.basis.T @ outcomes))

    def gains(self, outcomes: Floats) -> tuple[Floats, Floats]:
        """Gains (candidates, B) and sums of squares without threshold (B,) of projected outcomes (n_obs, B)."""
        left = self.left(outcomes)
        return (self.directions.T @ left) ** 2, np.sum(left**2, axis=0)

    def bootstrap(self, best: int, draws: int, kind: str, rng: np.random.Generator) -> tuple[float, Floats]:
        """The statistic of the sample, and its draws (draws,) under no threshold."""
        n_entities, n_times = self.design.effects.n_entities, self.design.effects.n_times
        own = self.left(self.design.y_within[:, None])
        statistic = self.scores if kind == "clustered" else self.ratios
        observed = float(statistic(own)[0])
        if kind == "residual":
            direction = self.directions[:, [best]]
            own = own - direction @ (direction.T @ own)
        series = own[:, 0].reshape(n_entities, n_times)
        step = max(1, CHUNK // max(self.directions.shape))
        parts = []
        for start in range(0, draws, step):
            size = min(step, draws - start)
            if kind == "residual":
                drawn = series[rng.integers(0, n_entities, size=(size, n_entities))]
            else:
                drawn = series * rng.choice([-1.0, 1.0], size=(size, n_entities, 1))
            outcomes = self.design.effects.project(drawn.reshape(size, -1).T)
            parts.append(statistic(self.left(outcomes)))
        return observed, np.concatenate(parts)

    def ratios(self, left: Floats) -> Floats:
        """F statistics (B,) of residuals (n_obs, B)."""
        best = np.max((self.directions.T @ left) ** 2, axis=0)
        return np.asarray(best / ((np.sum(left**2, axis=0) - best) / _freedom(self.design)))

    def scores(self, left: Floats) -> Floats:
        """Largest score statistics (B,) of residuals (n_obs, B)."""
        n_times = self.design.effects.n_times
        total = self.directions.T @ left
        squares = np.zeros_like(total)
        for start in range(0, len(left), n_times):
            rows = slice(start, start + n_times)
            squares += (self.directions[rows].T @ left[rows]) ** 2
        return np.asarray(np.max(total**2 / squares, axis=0))


def _split(data: pd.DataFrame, treatment: str, variable: str, threshold: float) -> pd.DataFrame:
    below = (data[variable] <= threshold).astype(float)
    parts = {f"{treatment}_low": data[treatment] * below, f"{treatment}_high": data[treatment] * (1 - below)}
    return data.assign(**parts)
