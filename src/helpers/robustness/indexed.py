"""The uncertainty of an index carried into the coefficient: a bootstrap in which both indices are derived anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.index.redraw import rederive_columns
from helpers.inference.resampling import BootstrapSummary, draw_entity_weights, summarise_draws
from helpers.regression.batches import fit_batch
from helpers.regression.design import check_panel
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit_panel

# Draws made at a time, so that no large matrix is held.
BLOCK = 1024


@dataclass(frozen=True)
class IndexRegression:
    """One coefficient with intervals that do and do not count the index as an estimate.

    Attributes
    ----------
    estimate
        The coefficient, indices built over all rows.
    fit
        The conventional regression, indices taken as given.
    fixed
        Bootstrap over entities with the indices taken as given.
    rederived
        Bootstrap over the same samples with the indices derived anew in each.
    n_draws, n_failed
        Draws asked for, and those that gave no estimate, which the summaries leave out.
    level
        Coverage of the intervals.
    fixed_draws, rederived_draws
        Estimates (n_draws,); NaN where a draw failed.
    """

    estimate: float
    fit: PanelFit
    fixed: BootstrapSummary
    rederived: BootstrapSummary
    n_draws: int
    n_failed: int
    level: float
    fixed_draws: Floats = field(repr=False)
    rederived_draws: Floats = field(repr=False)

    @property
    def ratio(self) -> float:
        """Standard error with the indices derived anew over the one with them as given."""
        return self.rederived.std_error / self.fixed.std_error

    @property
    def table(self) -> pd.DataFrame:
        """One row per interval: std_error, ci_low, ci_high."""
        term = self.fit.regressors[0]
        rows = {"conventional": (self.fit.std_errors[term], self.fit.ci_low[term], self.fit.ci_high[term])}
        for name, summary in (("indices as given", self.fixed), ("indices derived anew", self.rederived)):
            rows[f"bootstrap, {name}, percentile"] = (
                summary.std_error,
                summary.percentile_low,
                summary.percentile_high,
            )
            rows[f"bootstrap, {name}, BCa"] = (summary.std_error, summary.bca_low, summary.bca_high)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["std_error", "ci_low", "ci_high"])


def bootstrap_index_regression(
    panel: pd.DataFrame,
    outcome: str,
    treatment: str,
    controls: Sequence[str],
    indices: Mapping[str, Any],
    *,
    entity_effects: bool = True,
    time_effects: bool = True,
    draws: int = 1999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> IndexRegression:
    """Bootstrap a regression over entities, with outcome and treatment built anew in every sample.

    Each sample takes as many entities as there are, with replacement, builds the indices over its rows (scales and
    weights) and fits the regression on them. An entity that is drawn twice counts as two.

    Parameters
    ----------
    panel
        Panel with the indicators, the controls and whatever of outcome and treatment is no index.
    outcome, treatment, controls
        Names of columns or, the first two, of indices.
    indices
        Name -> spec, as in `helpers.index.composite.composite_index`.
    entity_effects, time_effects
        As in `fit_panel`.
    draws
        Number of samples.
    rng
        Source of the samples.
    level
        Coverage of the intervals.

    Raises
    ------
    StudyError
        Neither outcome nor treatment is an index; too few draws that give an estimate.
    """
    panel = panel.sort_index()
    specs = {name: indices[name] for name in (outcome, treatment) if name in indices}
    if not specs:
        raise StudyError(f"{outcome}, {treatment}", "neither is an index", "use the bootstrap of the regression alone")
    model = _Regression(panel, outcome, treatment, tuple(controls), specs, entity_effects, time_effects)
    weights, left_out = draw_entity_weights(panel, "entity", draws, rng)
    whole = np.ones((1, weights.shape[1]))
    given, _ = rederive_columns(panel, (outcome, treatment), specs, whole)
    data = panel[list(controls)].assign(**{name: values[0] for name, values in given.items()})
    effects = {"entity_effects": entity_effects, "time_effects": time_effects}
    fit = fit_panel(data, outcome, [treatment, *controls], cluster="entity", convention="stata", **effects)
    estimate = float(fit.estimates[treatment])
    drawn = {
        fixed: (model.draw(weights, given if fixed else None), model.draw(left_out, given if fixed else None))
        for fixed in (True, False)
    }
    good = np.isfinite(drawn[True][0]) & np.isfinite(drawn[False][0])
    fixed, rederived = (
        summarise_draws(estimate, sample[good], without[np.isfinite(without)], level)
        for sample, without in (drawn[True], drawn[False])
    )
    return IndexRegression(
        estimate, fit, fixed, rederived, draws, int((~good).sum()), level, drawn[True][0], drawn[False][0]
    )


@dataclass(frozen=True)
class _Regression:
    """What is fitted in each sample."""

    panel: pd.DataFrame
    outcome: str
    treatment: str
    controls: tuple[str, ...]
    specs: Mapping[str, Any]
    entity_effects: bool
    time_effects: bool

    def draw(self, weights: Floats, given: dict[str, Floats] | None) -> Floats:
        """Estimates (B,) in samples of entities, with the columns as given or derived anew; NaN where there is none."""
        parts = [self._draw(weights[start : start + BLOCK], given) for start in range(0, len(weights), BLOCK)]
        return np.concatenate(parts)

    def _draw(self, weights: Floats, given: dict[str, Floats] | None) -> Floats:
        names, reasons = (self.outcome, self.treatment), np.full(len(weights), "", dtype=object)
        if given is None:
            given, reasons = rederive_columns(self.panel, names, self.specs, weights)
        controls = (
            check_panel(self.panel, list(self.controls)).to_numpy() if self.controls else np.empty((len(self.panel), 0))
        )
        x = np.empty((len(given[self.treatment]), len(self.panel), 1 + controls.shape[1]))
        x[:, :, 0], x[:, :, 1:] = given[self.treatment], controls
        entity, time = (self.panel.index.get_level_values(level) for level in (0, 1))
        fits = fit_batch(
            given[self.outcome], x, entity, time, weights=weights,
            entity_effects=self.entity_effects, time_effects=self.time_effects,
        )  # fmt: skip
        return np.where(fits.estimable & (reasons == ""), fits.estimates[:, 0], np.nan)
