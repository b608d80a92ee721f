"""Robustness: one declared change to the primary specification at a time, refitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.cleaning.sample import mark_dropped
from helpers.errors import StudyError
from helpers.index.build import rebuild_indices
from helpers.index.scaling import winsorise
from helpers.inference.clear import wild_estimate
from helpers.inference.wild.bootstrap import WildBootstrap, wild_cluster_bootstrap
from helpers.inference.wild.two_way import two_way_wild_bootstrap
from helpers.regression.design import build_design
from helpers.regression.effects import Codes
from helpers.regression.leverage import rank_influence
from helpers.regression.many import build_grams, fit_grams
from helpers.regression.panel import PanelFit
from helpers.regression.specification import (
    Specification,
    describe_convention,
    describe_term,
    keep_complete_entities,
    shift_column,
    specify,
)
from helpers.results.estimate import Estimate
from helpers.study.model import Cluster, Model

if TYPE_CHECKING:
    from helpers.study.study import RobustnessRow, Study


# Rows that refits without one entity each go through at most, but for so many refits at least; as one batch they may be
# so many times as many. Numbers in one block of the batch.
MOST_ROWS, FEWEST, AT_ONCE, CHUNK = 50_000_000, 100, 10, 4_000_000


def change(
    specification: Specification, row: RobustnessRow, panel: pd.DataFrame, units: pd.DataFrame, study: Study
) -> Specification:
    """Apply the change that a robustness row declares.

    Indices that a row makes anew are made over all rows of `panel`; a row that leaves out entities or times keeps the
    index as it was built, so that only the sample changes.

    Parameters
    ----------
    specification
        Where the row starts from.
    row
        The declared change.
    panel
        Panel that also holds the indicators.
    units
        One row per entity, indexed by entity.
    """
    specification = _replace_columns(specification, row, panel, study)
    data = specification.data
    if row.winsorise is not None:
        data = winsorise(data, row.winsorise)
    data = data[~mark_dropped(data.index, units, row.drop_where, row.drop_times, "robustness")]
    if row.balanced:
        data = keep_complete_entities(data)
    if row.lag_treatment is not None:
        data = shift_column(data, specification.treatment, row.lag_treatment, study.time.window)
    if row.lead_outcome is not None:
        data = shift_column(data, specification.outcome, -row.lead_outcome, study.time.window)
    if row.weights is not None and row.weights not in data:
        data = data.assign(**{row.weights: panel[row.weights].reindex(data.index)})
    cluster: Cluster = specification.cluster
    if row.cluster is not None:
        cluster = row.cluster[0] if len(row.cluster) == 1 else (row.cluster[0], row.cluster[1])
    return replace(specification.with_(data, cluster=cluster), weights=row.weights)


@dataclass(frozen=True)
class Finding:
    """What one row of the robustness table found.

    Attributes
    ----------
    effect
        The treatment's estimate, by the row's own convention.
    wild
        The same by the restricted wild bootstrap: with the two-way variance where errors share two kinds of clusters.
    remark
        What else a reader must know about the row.
    """

    effect: Estimate
    wild: Estimate
    remark: str = ""

    def verdict(self, significance: float) -> str:
        """Sign and significance in words; significant is what the row's own test and the wild bootstrap both say."""
        assert self.effect.p_value is not None
        assert self.wild.p_value is not None
        sign = "positive" if self.effect.estimate > 0 else "negative"
        told = max(self.effect.p_value, self.wild.p_value) < significance
        return f"{sign}, {'significant' if told else 'not significant'}"


@dataclass(frozen=True)
class LeaveOneOut:
    """Refits without one entity each.

    Attributes
    ----------
    table
        One row per entity left out whose refit can be made: estimate, std_error, p_value, ci_low, ci_high.
    weakest
        The entity without which the p-value is largest.
    fit
        The refit without it.
    """

    table: pd.DataFrame
    weakest: str
    fit: PanelFit


def leave_one_out(data: pd.DataFrame, model: Model, *, weights: str | None = None) -> LeaveOneOut:
    """Refit a model without each entity in turn; `weights` names a column of row weights.

    Where all refits would go through more than `MOST_ROWS` rows, those entities are left out whose rows move the
    estimate most (`helpers.regression.leverage.rank_influence`), at least `FEWEST`.
    """
    columns = dict.fromkeys([*model.columns, *filter(None, [weights])])
    specification = Specification(data[list(columns)], model, weights)
    entities = specification.data.sort_index().index.unique(0)
    table = _refit_at_once(specification, _choose(specification, len(entities), AT_ONCE * MOST_ROWS))
    if table is None:
        chosen = entities[_choose(specification, len(entities), MOST_ROWS)]
        rows = {entity: _describe_without(specification, entity) for entity in chosen}
        table = pd.DataFrame({entity: row for entity, row in rows.items() if row is not None}).T
        if table.empty:
            rule = "no refit without one entity can be made"
            raise StudyError("leave one out", rule, "the treatment must vary in more than one entity")
    weakest = table["p_value"].idxmax()
    fit = _without(specification, weakest).fit()
    names = pd.Index([str(name) for name in table.index], name=specification.data.index.names[0])
    return LeaveOneOut(table.set_axis(names), str(weakest), fit)


def _choose(specification: Specification, n_entities: int, rows: int) -> Codes:
    """Positions of the entities that are left out, all or those that move the estimate most."""
    most = max(FEWEST, rows // len(specification.data))
    if n_entities <= most:
        return np.arange(n_entities)
    return rank_influence(specification.fit(), specification.treatment, most)


def _describe_without(specification: Specification, entity: object) -> dict[str, float] | None:
    """The treatment's numbers without an entity; None where nothing of the treatment is left."""
    try:
        return describe_term(_without(specification, entity).fit(), specification.treatment)
    except StudyError:
        return None


def _without(specification: Specification, entity: object) -> Specification:
    entities = specification.data.index.get_level_values(0)
    return specification.with_(specification.data[entities != entity])


def _refit_at_once(specification: Specification, chosen: Codes) -> pd.DataFrame | None:
    """Refits without each of the chosen entities as one batch, clustered by entity; None where it does not serve."""
    if specification.cluster != "entity" or specification.weights is not None:
        return None
    entities = specification.data.sort_index().index.unique(0)
    design = build_design(
        specification.data,
        specification.outcome,
        specification.regressors,
        entity_effects="entity" in specification.effects,
        time_effects="time" in specification.effects,
    )
    grams, everyone = build_grams(design), np.arange(len(entities))
    step = max(1, CHUNK // len(entities))
    blocks = (chosen[start : start + step, None] for start in range(0, len(chosen), step))
    fits = [fit_grams(grams, (block != everyone).astype(float)) for block in blocks]
    if not all(fit.estimable.all() for fit in fits):
        return None
    estimate, std_error, clusters = (
        np.concatenate(parts)
        for parts in zip(*((fit.estimates[:, 0], fit.std_errors[:, 0], fit.n_clusters) for fit in fits), strict=True)
    )
    df = clusters - 1
    half = stats.t.ppf(0.975, df) * std_error
    columns = {
        "estimate": estimate,
        "std_error": std_error,
        "p_value": 2 * stats.t.sf(np.abs(estimate / std_error), df),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }
    return pd.DataFrame(columns, index=entities[chosen])


def check_robustness(
    panel: pd.DataFrame, units: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator
) -> dict[str, Finding]:
    """Fit every declared robustness row.

    Parameters
    ----------
    panel
        Panel with the model's columns and all indicators.
    units
        One row per entity, indexed by entity.
    draws
        Draws of the wild cluster bootstrap where it cannot be enumerated.

    Returns
    -------
    dict
        Row name -> what it found, in the study's order.
    """
    primary = specify(panel, study)
    own = rng.spawn(1)[0]
    found = {}
    for name, row in study.robustness.items():
        fit, remark = _fit_row(row, change(primary, row, panel, units, study))
        if row.inference == "wild_cluster_bootstrap":
            wild = wild_cluster_bootstrap(fit, primary.treatment, draws=draws, rng=rng, interval=True)
            found[name] = _found_wild(fit, wild, primary.treatment)
        else:
            found[name] = _found(fit, primary.treatment, remark, draws=draws, rng=own)
    return found


def _fit_row(row: RobustnessRow, specification: Specification) -> tuple[PanelFit, str]:
    """The fit that a row is about, and what must be known of it."""
    if not row.leave_one_out:
        return specification.fit(), ""
    left_out = leave_one_out(specification.data, specification.model, weights=specification.weights)
    return left_out.fit, f"the refit with the largest p-value: without unit {left_out.weakest}"


def _found(fit: PanelFit, term: str, remark: str, *, draws: int, rng: np.random.Generator) -> Finding:
    effect = replace(fit[term], convention=describe_convention(fit))
    bootstrap = wild_cluster_bootstrap if len(fit.clusters) == 1 else two_way_wild_bootstrap
    wild = wild_estimate(effect, bootstrap(fit, term, draws=draws, rng=rng))
    return Finding(effect, wild, "; ".join(filter(None, (remark, *fit.notes))))


def _found_wild(fit: PanelFit, wild: WildBootstrap, term: str) -> Finding:
    effect = replace(
        fit[term],
        p_value=wild.p_value,
        ci_low=wild.ci_low,
        ci_high=wild.ci_high,
        draws=None if wild.enumerated else wild.n_draws + 1,
        convention="restricted wild cluster bootstrap, Rademacher, interval by inversion",
    )
    weighted = "" if fit.weights is None else f"rows weighted by {fit.weights}"
    return Finding(effect, wild_estimate(fit[term], wild), "; ".join(filter(None, (weighted, *fit.notes))))


def _replace_columns(
    specification: Specification, row: RobustnessRow, panel: pd.DataFrame, study: Study
) -> Specification:
    """Put another treatment, other controls or indices made anew in their place; the treatment keeps its name."""
    treatment = row.treatment or specification.treatment
    controls = specification.controls if row.controls is None else row.controls
    sources = {specification.outcome: specification.outcome, specification.treatment: treatment}
    rebuilt = panel if row.index is None else rebuild_indices(panel, study, sources.values(), row.index)
    replaced = {name: (rebuilt if source in rebuilt else panel)[source] for name, source in sources.items()}
    return specification.with_(panel[list(controls)].assign(**replaced), controls=controls)
