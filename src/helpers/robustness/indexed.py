"""One regression whose indices are derived anew in each of many samples of the entities.

`fit` serves any set of samples: those of a bootstrap, which carry the uncertainty of an index into the coefficient
(below), and those that leave a few entities out (`helpers.robustness.fragility`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.composite import composite_index
from helpers.index.redraw import IndexRedraw, redraw_columns
from helpers.inference.resampling import BootstrapSummary, draw_entity_weights, summarise_draws
from helpers.regression import panel as regression
from helpers.regression.design import check_panel
from helpers.regression.many import WeightedFits, fit_batch, fit_weighted_entities
from helpers.regression.panel import PanelFit
from helpers.study.model import Model

# Samples fitted at a time, and numbers held at once in their largest array: rows x regressors of so many samples.
BLOCK, CHUNK = 1024, 16_000_000


class Samples(Protocol):
    """Samples of the entities: a matrix (B, G) of counts, or what gives its rows when asked."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Floats: ...


@dataclass(frozen=True)
class SampleFits:
    """The regression in B samples.

    Attributes
    ----------
    estimates, std_errors, p_values
        Of the treatment (B,): clustered by entity, convention "stata", p by t with clusters - 1 degrees of freedom; NaN
        where there is a reason.
    n_obs
        Rows (B,); a copy of an entity brings its own.
    reasons
        Texts (B,): why a sample has no estimate, empty where it has.
    """

    estimates: Floats
    std_errors: Floats
    p_values: Floats
    n_obs: Floats
    reasons: np.ndarray

    @property
    def good(self) -> np.ndarray:
        """Which samples have an estimate."""
        return np.asarray(self.reasons == "")


def fit(
    data: pd.DataFrame, model: Model, indices: Mapping[str, Any], samples: Samples, *, rederive: bool = True
) -> SampleFits:
    """Fit a model in samples of the entities, its indices derived anew in each.

    Parameters
    ----------
    data
        Panel with the columns of the model that are no indices and the indicators of those that are.
    model
        Outcome and treatment may be indices; standard errors are clustered by entity.
    indices
        Name -> spec (see `helpers.index.composite.composite_index`); those that are not in the model are passed over.
    samples
        (B, G) counts of the entities, in sorted order: 0 for one that is left out, 2 for one that is there twice.
    rederive
        Whether the indices are built over the rows of each sample, scales and weights included, or once over all.

    Raises
    ------
    StudyError
        What `composite_index` or `fit_panel` says about the whole panel.
    """
    data = data.sort_index()
    specs = indices_of(model, indices)
    if not rederive:
        built = {name: composite_index(data, spec).values for name, spec in specs.items()}
        data, specs = data.drop(columns=[name for name in built if name in data]).assign(**built), {}
    redraws = {name: IndexRedraw(data, spec) for name, spec in specs.items()}
    step = max(1, min(BLOCK, CHUNK // (len(data) * len(model.columns))))
    fits, reasons = zip(
        *(_fit_block(data, model, redraws, samples[start : start + step]) for start in range(0, len(samples), step)),
        strict=True,
    )
    return _treatment_of(fits, np.concatenate(reasons))


def fit_whole(data: pd.DataFrame, model: Model, indices: Mapping[str, Any]) -> PanelFit:
    """The model on all rows, its indices built over them, clustered by entity."""
    built = {name: composite_index(data, spec).values for name, spec in indices_of(model, indices).items()}
    kept = data[[name for name in model.columns if name not in built]]
    return regression.fit(kept.assign(**built), model.with_(cluster="entity"))


def indices_of(model: Model, indices: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the indices that are the model's outcome or treatment."""
    return {name: indices[name] for name in (model.outcome, model.treatment) if name in indices}


def _fit_block(
    data: pd.DataFrame, model: Model, redraws: Mapping[str, IndexRedraw], counts: Floats
) -> tuple[WeightedFits, np.ndarray]:
    effects = {"entity_effects": model.entity_effects, "time_effects": model.time_effects}
    if not redraws:
        plain = fit_weighted_entities(data, model.outcome, model.regressors, counts, **effects)
        return plain, np.full(len(counts), "", dtype=object)
    columns, reasons = redraw_columns(data, (model.outcome, model.treatment), redraws, counts)
    # A row of an entity outside the sample counts 0 times, whatever its value is.
    outcome, treatment = (np.nan_to_num(columns[name]) for name in (model.outcome, model.treatment))
    x = np.empty((len(treatment), len(data), len(model.regressors)))
    x[:, :, 0] = treatment
    if model.controls:
        x[:, :, 1:] = check_panel(data, list(model.controls)).to_numpy()
    entity, time = (data.index.get_level_values(level) for level in (0, 1))
    return fit_batch(outcome, x, entity, time, weights=counts, **effects), reasons


def _treatment_of(fits: tuple[WeightedFits, ...], reasons: np.ndarray) -> SampleFits:
    """The numbers of the first regressor."""
    estimates, std_errors, estimable, n_obs, clusters = (
        np.concatenate(parts)
        for parts in zip(
            *((f.estimates[:, 0], f.std_errors[:, 0], f.estimable, f.n_obs, f.n_clusters) for f in fits), strict=True
        )
    )
    reasons = np.where((reasons == "") & ~estimable, NOTHING_LEFT, reasons)
    estimates, std_errors = (np.where(reasons == "", numbers, np.nan) for numbers in (estimates, std_errors))
    # A sample that is fitted without a residual has a standard error of 0, and its p-value is 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = 2 * stats.t.sf(np.abs(estimates / std_errors), clusters - 1)
    return SampleFits(estimates, std_errors, p_values, n_obs, reasons)


NOTHING_LEFT = "the treatment or a control has nothing of its own left"


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
    fixed_draws, rederived_draws
        Estimates (n_draws,); NaN where a draw failed.
    """

    estimate: float
    fit: PanelFit
    fixed: BootstrapSummary
    rederived: BootstrapSummary
    n_draws: int
    n_failed: int
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
    data: pd.DataFrame,
    model: Model,
    indices: Mapping[str, Any],
    *,
    draws: int = 1999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> IndexRegression:
    """Bootstrap a regression over entities, with outcome and treatment built anew in every sample.

    Each sample takes as many entities as there are, with replacement, builds the indices over its rows (scales and
    weights) and fits the regression on them. An entity that is drawn twice counts as two.

    Parameters
    ----------
    data, model, indices
        As in `fit`.
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
    if not indices_of(model, indices):
        raise StudyError(
            f"{model.outcome}, {model.treatment}", "neither is an index", "use the bootstrap of the regression alone"
        )
    data = data.sort_index()
    whole = fit_whole(data, model, indices)
    estimate = float(whole.estimates[model.treatment])
    drawn = draw_entity_weights(data, "entity", draws, rng)
    samples = (drawn.weights, drawn.left_out)
    fixed, anew = (
        [fit(data, model, indices, counts, rederive=rederive) for counts in samples] for rederive in (False, True)
    )
    good = fixed[0].good & anew[0].good
    as_given, rederived = (
        summarise_draws(estimate, sample.estimates[good], without.estimates[without.good], level, share=drawn.share)
        for sample, without in (fixed, anew)
    )
    failed = int((~good).sum())
    return IndexRegression(estimate, whole, as_given, rederived, draws, failed, fixed[0].estimates, anew[0].estimates)
