"""The outcome's own past in the model: by least squares, which is biased on either side, and by GMM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.identification.dynamic import DynamicFit, fit_dynamic
from helpers.identification.dynamic_moments import Layout
from helpers.regression.panel import PanelFit, fit
from helpers.regression.specification import shift_column
from helpers.results.estimate import Estimate
from helpers.study.model import Model

LAG = "outcome_before"


@dataclass(frozen=True)
class Past:
    """The model with the outcome of the period before, by several estimators.

    Attributes
    ----------
    least_squares
        "within" with the model's effects, "pooled" without those of entities: in a short panel the lag is biased
        downwards in the first and upwards in the second, so that its true value lies between (Bond 2002).
    gmm
        "difference", "system" and, with external instruments, "external" (difference) -> fit.
    refused
        Estimator -> why it could not be made.
    treatment
        Name of the treatment.
    """

    least_squares: dict[str, PanelFit]
    gmm: dict[str, DynamicFit]
    refused: dict[str, str]
    treatment: str

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Where the lag's coefficient should lie: between within and pooled; None where one could not be made."""
        if len(self.least_squares) < 2:
            return None
        low, high = sorted(float(found.estimates[LAG]) for found in self.least_squares.values())
        return low, high

    def lag(self, name: str) -> Estimate:
        """The lag of the outcome by one GMM estimator."""
        found = self.gmm[name]
        return found[str(found.estimates.index[0])]

    def verdict(self, name: str, level: float) -> str:
        """The first thing that speaks against a GMM estimator, or "open" where none does.

        "refused": it could not be made; "rejected": Hansen's J or second-order correlation rejects; "outside": the lag
        lies outside the bounds of least squares; "no_ar1": the first-order correlation that differencing makes is not
        seen, so that the data hardly speak; "many": as many instruments as entities, which disarms Hansen's J;
        "untested": one of these could not be looked at, so that "open" would claim too much.
        """
        if name not in self.gmm:
            return "refused"
        found, bounds = self.gmm[name], self.bounds
        if found.hansen_p_value < level or found.ar2_p_value < level:
            return "rejected"
        if bounds and not bounds[0] <= self.lag(name).estimate <= bounds[1]:
            return "outside"
        if found.ar1_p_value >= level:
            return "no_ar1"
        if found.n_instruments >= found.n_entities:
            return "many"
        known = np.isfinite([found.hansen_p_value, found.ar1_p_value, found.ar2_p_value]).all() and bool(bounds)
        return "open" if known else "untested"


def fit_past(data: pd.DataFrame, model: Model, window: Sequence[int], external: pd.DataFrame | None = None) -> Past:
    """Fit a model with the outcome of the period before by least squares and by GMM.

    In GMM the treatment counts as touched by the error of its own time (instrumented from its second lag on), the
    controls as untouched; instruments are collapsed, one for each lag.

    Parameters
    ----------
    data
        Panel.
    model
        The model without the past.
    window
        The times of the study in their order; a period is one step in it.
    external
        Instruments from outside the model, by the panel's rows; they join those of difference GMM.
    """
    least_squares: dict[str, PanelFit] = {}
    gmm: dict[str, DynamicFit] = {}
    refused: dict[str, str] = {}
    columns = data[list(model.columns)]
    lagged = shift_column(columns.assign(**{LAG: columns[model.outcome]}), LAG, 1, window)
    wider = model.with_(controls=(LAG, *model.controls))
    pooled = tuple(kind for kind in model.effects if kind != "entity")
    for name, asked in (("within", wider), ("pooled", wider.with_(effects=pooled))):
        try:
            least_squares[name] = fit(lagged, asked)
        except StudyError as error:
            refused[name] = f"{error.where}: {error.rule}"
    own = Layout(predetermined=(model.treatment,), predetermined_lags=(2, None))
    layouts = {"difference": own, "system": Layout((model.treatment,), predetermined_lags=(2, None), system=True)}
    if external is not None and external.shape[1]:
        columns = columns.join(external)
        layouts["external"] = Layout((model.treatment,), tuple(external.columns), predetermined_lags=(2, None))
    for name, layout in layouts.items():
        try:
            gmm[name] = _fit_gmm(count_periods(columns, window), model, layout)
        except StudyError as error:
            refused[name] = f"{error.where}: {error.rule}"
    return Past(least_squares, gmm, refused, model.treatment)


def _fit_gmm(data: pd.DataFrame, model: Model, layout: Layout) -> DynamicFit:
    with np.errstate(invalid="ignore"):
        found = fit_dynamic(data, model, layout)
    if not np.isfinite(found.std_errors[model.treatment]):
        raise StudyError(
            f"dynamic model of {model.outcome}",
            "its variance is not positive, as happens with more instruments than entities",
            "use fewer instruments",
        )
    return found


def count_periods(data: pd.DataFrame, window: Sequence[int]) -> pd.DataFrame:
    """The panel with periods counted 0, 1, ... in place of times that need not follow each other."""
    entities, times = data.index.get_level_values(0), data.index.get_level_values(1)
    places = pd.Index(list(window)).get_indexer(times)
    return data.set_axis(pd.MultiIndex.from_arrays([entities, places], names=data.index.names))
