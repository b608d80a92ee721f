"""What notebook 04 shows against chance and omitted variables: Oster, robustness value, placebos, outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.identification.confounding import (
    RobustnessValue,
    confounder_bounds,
    confounder_contour,
    conventional,
    robustness_value,
)
from helpers.identification.oster import OsterResult, oster_delta
from helpers.identification.outcome_family import OutcomeFamily, fit_outcomes
from helpers.identification.pictures import draw_null
from helpers.identification.placebo import Placebo, permute_treatment
from helpers.index.build import build_index
from helpers.regression.panel import PanelFit, fit_panel
from helpers.regression.specification import Specification, keep_complete_entities, shift_column, specify

if TYPE_CHECKING:
    from helpers.display.figures import FigureView
    from helpers.display.prose import Sentence
    from helpers.display.tables import TableView
    from helpers.notebook import NotebookRun
    from helpers.results.results import Results
    from helpers.study.study import Study


def find_oster(panel: pd.DataFrame, study: Study) -> OsterResult | None:
    """Oster's delta and bound for the primary specification; None where it has no controls."""
    step = specify(panel, study)
    if not step.controls:
        return None
    return oster_delta(
        step.data,
        step.outcome,
        step.treatment,
        step.controls,
        entity_effects="entity" in step.effects,
        time_effects="time" in step.effects,
    )


def record_oster(results: Results, found: OsterResult | None) -> None:
    """Record delta, bound and largest R2 under ``robustness.oster.*``, as far as they are finite."""
    if found is None:
        return
    for name, value in (("delta", found.delta), ("bound", found.bound), ("r_max", found.r_max)):
        if np.isfinite(value):
            results.record(f"robustness.oster.{name}", value=value, digits=3)


def say_oster(found: OsterResult | None) -> str:
    """The sentence template on Oster's delta and bound."""
    if found is None:
        return "Oster's delta compares with the controls, and the primary specification has none."
    if not np.isfinite(found.delta):
        return "Oster's delta has no finite value here."
    opposite = " The sign says that the omitted variable would have to work against the controls." * (found.delta < 0)
    bound = " If it were exactly as strong, the effect would be {robustness.oster.bound}." * bool(
        np.isfinite(found.bound)
    )
    return (
        "To bring the effect to zero, selection on what is omitted would have to be {robustness.oster.delta} times as "
        "strong as that on the controls (largest within R-squared {robustness.oster.r_max})."
        f"{opposite}{bound}"
    )


def find_robustness_value(fit: PanelFit, term: str, level: float) -> RobustnessValue:
    """Cinelli and Hazlett's robustness value, from conventional errors as they define it."""
    estimates, std_errors, df = conventional(fit)
    return robustness_value(float(estimates[term] / std_errors[term]), df, alpha=level)


def record_robustness_value(results: Results, found: RobustnessValue) -> str:
    """Record the robustness values; the sentence template on them."""
    results.record("robustness.robustness_value.estimate", value=found.value, digits=3)
    results.record("robustness.robustness_value.significance", value=found.value_alpha, digits=3)
    results.record("robustness.robustness_value.partial_r2", value=found.partial_r2, digits=4)
    further = ", and {robustness.robustness_value.significance:.1%} to make it insignificant by conventional errors"
    if found.value_alpha == 0:
        further = "; by conventional errors it is not significant as it stands"
    return (
        "An omitted variable must explain {robustness.robustness_value.estimate:.1%} of what is left of both treatment "
        f"and outcome to bring the estimate to zero{further}. The treatment itself explains "
        "{robustness.robustness_value.partial_r2:.2%} of what is left of the outcome."
    )


def bound_table(fit: PanelFit, term: str, study: Study) -> pd.DataFrame:
    """The estimate if an omitted variable were as strong as each control, or two or three times as strong."""
    controls = [name for name in fit.regressors if name not in (term, "const")]
    return confounder_bounds(fit, term, controls).rename(index=study.label, level=0)


def contour_of(fit: PanelFit, term: str, bounds: pd.DataFrame) -> pd.DataFrame:
    """The estimates of the contour plot, over a square that holds the controls as benchmarks."""
    reach = float(np.nanmax([0.15, *bounds["r2_treatment"].dropna(), *bounds["r2_outcome"].dropna()]))
    return confounder_contour(fit, term, largest=min(0.95, 1.1 * reach))[0]


def deal_treatment(panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator) -> Placebo | None:
    """Permutation placebo of the primary specification, on the entities that have every period.

    None where fewer than three entities have them all.
    """
    step = specify(panel, study)
    complete = step.with_(keep_complete_entities(step.data))
    if complete.data.index.unique(0).size < FEWEST:
        return None
    return permute_treatment(complete.fit(), step.treatment, draws=draws, rng=rng)


FEWEST = 3  # entities of a permutation


def record_placebo(results: Results, found: Placebo | None, panel: pd.DataFrame, study: Study) -> str:
    """Record the permutation p-value; the sentence template on it."""
    if found is None:
        return "No permutation was made: too few units have a row in every period."
    step = specify(panel, study)
    kept = keep_complete_entities(step.data)
    entities = kept.index.unique(0).size
    results.record(
        "robustness.placebo.permutation",
        estimate=found.estimate,
        statistic=found.statistic,
        p_value=found.p_value,
        n_obs=len(kept),
        n_entities=entities,
        convention=f"treatment histories dealt out to other entities, {found.n_draws} permutations, by |t|",
    )
    results.record("robustness.placebo.draws", value=found.n_draws)
    part = (
        ""
        if len(kept) == len(step.data)
        else " (made on the {robustness.placebo.permutation:n_entities} complete units)"
    )
    return (
        "Dealt out to other units at random {robustness.placebo.draws} times, the treatment histories give a statistic "
        f"as far from zero as the true one with probability {{robustness.placebo.permutation:p_value}}{part}."
    )


def show_placebo(run: NotebookRun, found: Placebo | None, *, label: str) -> FigureView | Sentence:
    """The estimates under permutation, and the true one."""
    if found is None:
        return run.say("Not shown: no permutation was made.")
    return run.figure(
        draw_null(found.estimates, found.estimate, label=label),
        "placebo",
        caption="The estimate when histories of the treatment are dealt out to other units; in colour: the true one",
        alt="A histogram of placebo estimates with a line at the true estimate.",
    )


def show_dimensions(run: NotebookRun, found: OutcomeFamily | None) -> TableView | Sentence:
    """The effect on each dimension of the outcome with its p-values."""
    if found is None:
        return run.say("Not shown: the outcome has no dimensions.")
    columns = {"p_wild": "wild_p_value", "p_holm": "holm_p_value", "p_romano_wolf": "romano_wolf_p_value"}
    return run.table(
        found.table.rename(columns=columns).rename_axis("dimension"),
        "outcome_dimensions",
        caption="The effect on each dimension of the outcome, each an index of its own",
        note="Standard errors clustered by entity. The wild and the Romano-Wolf p-value come from the same draws.",
    )


def fit_lead(panel: pd.DataFrame, study: Study) -> PanelFit | str:
    """The primary specification with the treatment of the next period beside the present one, called ``lead``.

    A text says why it could not be made.
    """
    step = specify(panel, study)
    data = shift_column(step.data.assign(lead=step.data[step.treatment]), "lead", -1, study.time.window)
    try:
        return _refit(step, data, (step.treatment, "lead", *step.controls))
    except StudyError as error:
        return f"The lead of the treatment cannot be tried: {error.where}: {error.rule}."


def _refit(step: Specification, data: pd.DataFrame, regressors: tuple[str, ...]) -> PanelFit:
    return fit_panel(
        data,
        step.outcome,
        regressors,
        entity_effects="entity" in step.effects,
        time_effects="time" in step.effects,
        cluster=step.cluster,
    )


def record_lead(results: Results, fit: PanelFit | str, level: float) -> str:
    """Record the lead under ``robustness.placebo.lead``; the sentence template on it."""
    if isinstance(fit, str):
        return fit
    results.record("robustness.placebo.lead", fit["lead"])
    told = "which speaks against a causal reading" if fit.p_values["lead"] < level else "as it should be"
    clear = "differs from zero" if fit.p_values["lead"] < level else "cannot be told from zero"
    return (
        "The treatment of the next period, put beside the present one, has the estimate {robustness.placebo.lead} "
        f"(p = {{robustness.placebo.lead:p_value}}): it {clear}, {told}."
    )


def fit_dimensions(panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator) -> OutcomeFamily | None:
    """The treatment's effect on each dimension of the outcome; None where the outcome is no index of several."""
    step = specify(panel, study)
    if step.outcome not in study.indices or len(study.indices[step.outcome].dimensions) < 2:
        return None
    scores = build_index(panel, study.indices[step.outcome]).dimension_scores
    data = step.data[list(step.regressors)].join(scores).dropna()
    return fit_outcomes(
        data,
        list(scores.columns),
        step.treatment,
        step.controls,
        entity_effects="entity" in step.effects,
        time_effects="time" in step.effects,
        draws=draws,
        rng=rng,
    )


def record_dimensions(results: Results, found: OutcomeFamily | None, level: float) -> str:
    """Record every dimension with its adjusted p-value under ``robustness.dimension.<name>``; the sentence template."""
    if found is None:
        return "The outcome is no index of several dimensions, so that there is no family of outcomes to adjust for."
    for name, row in found.table.iterrows():
        results.record(
            f"robustness.dimension.{name}",
            estimate=row["estimate"],
            std_error=row["std_error"],
            statistic=row["statistic"],
            p_value=row["p_romano_wolf"],
            n_obs=int(row["n_obs"]),
            convention=f"p-value by Romano and Wolf over the dimensions, {found.n_draws} wild cluster draws",
        )
    clear = int((found.table["p_romano_wolf"] < level).sum())
    results.record("robustness.dimension.count.significant", value=clear)
    results.record("robustness.dimension.count.all", value=len(found.table))
    return (
        "Of {robustness.dimension.count.all} dimensions of the outcome, {robustness.dimension.count.significant} "
        "respond once it is counted that all are looked at."
    )
