"""An effect that changes once a variable passes a value: Hansen's (1999) panel threshold model, searched exhaustively.

    Y = b1 D 1(q <= g) + b2 D 1(q > g) + controls + effects + e.
The threshold g is the value of q, among all that leave enough rows on both sides, with the smallest sum of squares
S(g). Test of "no threshold": F = (S0 - S(g)) / s2, S0 the sum of squares without one, s2 = S(g) / (n (T - 1)); g is
not identified under the null, so the p-value is from a bootstrap. Interval of g: all values g' with
(S(g') - S(g)) / s2 <= -2 log(1 - sqrt(level)).
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.regression.design import Design, build_design, check_panel
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit
from helpers.study.model import Model

# Share of a column's length below which nothing of it is left.
ABSENT = 1e-8


@dataclass(frozen=True)
class PanelThreshold:
    """A panel regression with one threshold.

    Attributes
    ----------
    threshold, ci_low, ci_high
        Estimated threshold and the ends of its interval, in units of the threshold variable.
    statistic, p_value
        F of "no threshold" and its bootstrap p-value, the sample itself counted once.
    critical_values
        10 %, 5 % and 1 % critical values of F from the bootstrap.
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
        The regression without a threshold, and the name of the threshold variable.
    level, draws, bootstrap
        Coverage of the interval; bootstrap draws, and how they are made.
    """

    threshold: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    critical_values: dict[str, float]
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


def panel_threshold(
    data: pd.DataFrame,
    model: Model,
    variable: str,
    *,
    trim: float = 0.1,
    draws: int = 999,
    bootstrap: Literal["residual", "wild"] = "residual",
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
        "residual": whole residual series of entities drawn with replacement, as Hansen has it; "wild": each entity's
        series with a random sign, which allows entities to differ in variance.
    rng
        Source of randomness.
    level
        Coverage of the interval of the threshold.

    Raises
    ------
    StudyError
        An unbalanced panel, a share or level that makes no sense, or no candidate with enough rows on both sides.
    """
    if not 0 < level < 1:
        raise StudyError("interval", f"its level is {level}", "give a share between 0 and 1, such as 0.95")
    if not 0 < trim < 0.5 or draws < 1 or bootstrap not in ("residual", "wild"):
        raise StudyError(
            "threshold", f"trim {trim}, draws {draws}, bootstrap {bootstrap}", "0 < trim < 0.5, draws >= 1"
        )
    design = build_design(
        data, model.outcome, model.regressors, entity_effects=model.entity_effects, time_effects=model.time_effects
    )
    if not design.effects.is_balanced:
        raise StudyError("threshold", "the panel is not balanced", "leave out entities that are not seen at every time")
    q = check_panel(data, [variable])[variable].to_numpy(dtype=float)
    candidates, directions = _candidate_directions(design, q, trim)
    moments = _Moments(design, directions)
    gain, rest = moments.gains(design.y_within[:, None])
    best = int(np.argmax(gain[:, 0]))
    scale = (rest[0] - gain[best, 0]) / _freedom(design)
    ratio = (gain[best, 0] - gain[:, 0]) / scale
    inside = candidates[ratio <= -2 * np.log(1 - np.sqrt(level))]
    low, high = (f"{model.treatment}_{side}" for side in ("low", "high"))
    split = _split(data, model.treatment, variable, candidates[best])
    fitted = fit(split, model.with_(treatment=low, controls=(high, *model.controls), cluster="entity"))
    drawn = _bootstrap(moments, fitted, design, draws, bootstrap, rng)
    statistic = float(gain[best, 0] / scale)
    return PanelThreshold(
        threshold=float(candidates[best]),
        ci_low=float(inside.min()),
        ci_high=float(inside.max()),
        statistic=statistic,
        p_value=float((1 + np.sum(drawn >= statistic)) / (1 + draws)),
        critical_values={
            name: float(np.quantile(drawn, share)) for name, share in (("10%", 0.9), ("5%", 0.95), ("1%", 0.99))
        },
        low=low,
        high=high,
        n_low=int(np.sum(q <= candidates[best])),
        n_high=int(np.sum(q > candidates[best])),
        profile=pd.DataFrame(
            {"rss": rest[0] - gain[:, 0], "likelihood_ratio": ratio},
            index=pd.Index(candidates, name=variable),
        ),
        fit=fitted,
        model=model,
        variable=variable,
        level=level,
        draws=draws,
        bootstrap=bootstrap,
    )


def _freedom(design: Design) -> int:
    """The divisor n (T - 1) of Hansen (1999)."""
    return design.effects.n_entities * (design.effects.n_times - 1)


def _candidate_directions(design: Design, q: Floats, trim: float) -> tuple[Floats, Floats]:
    """Candidates (c,) and the projected columns D 1(q <= candidate), (n_obs, c)."""
    values, counts = np.unique(q, return_counts=True)
    below = np.cumsum(counts)
    kept = values[(below >= trim * len(q)) & (len(q) - below >= trim * len(q))]
    treatment = design.x[:, 0]
    directions = design.effects.project(treatment[:, None] * (q[:, None] <= kept))
    q_basis, _ = np.linalg.qr(design.x_within)
    directions -= q_basis @ (q_basis.T @ directions)
    length = np.linalg.norm(directions, axis=0)
    real = length > ABSENT * np.linalg.norm(design.x_within[:, 0])
    if not real.any():
        raise StudyError(
            "threshold", "no value of the threshold variable leaves enough rows on both sides", "use a smaller trim"
        )
    return kept[real], directions[:, real] / length[real]


class _Moments:
    """What a threshold takes off the sum of squares, for many outcomes and all candidates at once."""

    def __init__(self, design: Design, directions: Floats) -> None:
        self.design = design
        self.directions = directions
        self.basis, _ = np.linalg.qr(design.x_within)

    def gains(self, outcomes: Floats) -> tuple[Floats, Floats]:
        """Gains (candidates, B) and sums of squares without threshold (B,) of projected outcomes (n_obs, B)."""
        left = outcomes - self.basis @ (self.basis.T @ outcomes)
        return (self.directions.T @ left) ** 2, np.sum(left**2, axis=0)


def _split(data: pd.DataFrame, treatment: str, variable: str, threshold: float) -> pd.DataFrame:
    below = (data[variable] <= threshold).astype(float)
    parts = {f"{treatment}_low": data[treatment] * below, f"{treatment}_high": data[treatment] * (1 - below)}
    return data.assign(**parts)


def _bootstrap(
    moments: _Moments, fitted: PanelFit, design: Design, draws: int, kind: str, rng: np.random.Generator
) -> Floats:
    """F statistics (draws,) of outcomes without a threshold, errors from the residuals of the threshold model."""
    n_entities, n_times = design.effects.n_entities, design.effects.n_times
    series = fitted.residuals.loc[design.index].to_numpy().reshape(n_entities, n_times)
    if kind == "residual":
        drawn = series[rng.integers(0, n_entities, size=(draws, n_entities))]
    else:
        drawn = series * rng.choice([-1.0, 1.0], size=(draws, n_entities, 1))
    outcomes = design.effects.project(drawn.reshape(draws, -1).T)
    gain, rest = moments.gains(outcomes)
    best = gain.max(axis=0)
    return np.asarray(best / ((rest - best) / _freedom(design)))
