"""What notebook 04 shows of the index as an estimate and of the few entities that carry a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.tables import write_table
from helpers.regression.specification import specify
from helpers.results.rounding import tie
from helpers.robustness.fragility import FragilityMap, map_fragility
from helpers.robustness.indexed import IndexRegression, bootstrap_index_regression
from helpers.robustness.pictures import draw_densities
from helpers.study.model import Model, build_model

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.display.figures import FigureView
    from helpers.display.prose import Sentence
    from helpers.display.tables import TableView
    from helpers.notebook import NotebookRun
    from helpers.results.results import Results
    from helpers.study.study import Study


def index_model(study: Study) -> Model | None:
    """The model in which an index stands.

    The primary one; where neither its outcome nor its treatment is an index, that of the first robustness row whose
    treatment is one; None where there is none.
    """
    model = build_model(study)
    if {model.outcome, model.treatment} & study.indices.keys():
        return model
    for row in study.robustness.values():
        if row.treatment in study.indices:
            controls = model.controls if row.controls is None else row.controls
            return model.with_(treatment=row.treatment, controls=controls)
    return None


def bootstrap_indices(
    panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator
) -> IndexRegression | None:
    """Bootstrap the coefficient with the indices derived anew in every sample; None where no model has an index."""
    model = index_model(study)
    if model is None:
        return None
    return bootstrap_index_regression(complete_rows(panel, study, model), model, study.indices, draws=draws, rng=rng)


def complete_rows(panel: pd.DataFrame, study: Study, model: Model) -> pd.DataFrame:
    """The rows with every figure that a model and its indices need."""
    indicators = [name for index in model.columns if index in study.indices for name in study.indices[index].indicators]
    return panel.dropna(subset=[*model.columns, *indicators])


def record_index_bootstrap(results: Results, found: IndexRegression | None) -> None:
    """Record the coefficient with the intervals of the bootstrap under ``robustness.index_bootstrap.<treatment>``."""
    if found is None:
        return
    treatment, fit = found.fit.regressors[0], found.fit
    for name, summary in (("", found.rederived), (".indices_given", found.fixed)):
        results.record(
            f"robustness.index_bootstrap.{treatment}{name}",
            estimate=found.estimate,
            std_error=summary.std_error,
            p_value=summary.p_value,
            ci_low=summary.percentile_low,
            ci_high=summary.percentile_high,
            n_obs=fit.n_obs,
            n_entities=fit.n_entities,
            convention=f"entity bootstrap, {found.n_draws} draws, indices {'as given' if name else 'derived anew'}, "
            "percentile interval",
        )
    results.record(f"robustness.index_bootstrap.{treatment}.ratio", value=found.ratio, digits=2)
    results.record(f"robustness.index_bootstrap.{treatment}.failed", value=found.n_failed)


def say_index_bootstrap(found: IndexRegression | None, study: Study) -> str:
    """The sentence template on what the index adds to the uncertainty."""
    if found is None:
        return "No index stands in a declared regression, so that there is no uncertainty of an index to carry over."
    treatment = found.fit.regressors[0]
    key = f"robustness.index_bootstrap.{treatment}"
    own = treatment == study.specification.treatment
    which = "" if own else f" ({study.label(treatment)} in the treatment's place)"
    return (
        f"With the indices derived anew in each sample{which} the estimate {{{key}}} has the interval {{{key}:ci}} and "
        f"the standard error {{{key}:std_error}}: {{{key}.ratio}} times the one that takes the indices as given. Draws "
        f"without an estimate: {{{key}.failed}}."
    )


def fit_fragility(panel: pd.DataFrame, study: Study, *, most: int) -> FragilityMap:
    """Refit the primary specification without every set of up to `most` entities, its indices derived anew."""
    model = build_model(study)
    rows = complete_rows(panel, study, model)
    return map_fragility(rows, model, study.indices, most=most, significance=study.specification.significance)


def record_fragility(results: Results, found: FragilityMap) -> None:
    """Record the refits, the smallest sets that turn the sign or the verdict, and the fit without them."""
    results.record("robustness.fragility.refits", value=len(found.table))
    results.record("robustness.fragility.failed", value=found.n_failed)
    results.record("robustness.fragility.most", value=int(found.table["size"].max()))
    for name in ("sign", "verdict"):
        results.record(
            f"robustness.fragility.share_flips_{name}", value=float(found.table[f"flips_{name}"].mean()), digits=3
        )
        smallest = getattr(found, f"smallest_{name}")
        if smallest is None:
            continue
        row = found.table.iloc[found.sets.index(smallest)]
        results.record(f"robustness.fragility.smallest_set_{name}", value=" + ".join(smallest))
        results.record(
            f"robustness.fragility.smallest_set_{name}.refit",
            estimate=float(row["estimate"]),
            std_error=float(row["std_error"]),
            p_value=float(row["p_value"]),
            n_obs=int(row["n_obs"]),
            convention="stata, clustered by entity, indices in the model derived anew without the set",
        )
        results.record(f"robustness.fragility.smallest_set_{name}.size", value=len(smallest))


def say_fragility(found: FragilityMap) -> str:
    """The sentence template on the smallest sets."""
    lines = [
        "{robustness.fragility.refits} refits leave out every set of up to {robustness.fragility.most} units; indices "
        "in the model are derived anew each time."
    ]
    for name, words in (("sign", "turns the sign"), ("verdict", "changes the verdict")):
        key = f"robustness.fragility.smallest_set_{name}"
        if getattr(found, f"smallest_{name}") is None:
            lines.append(f"No such set {words}.")
        else:
            lines.append(
                f"The smallest set that {words} has the size {{{key}.size}}: {{{key}}} (without it {{{key}.refit}}, "
                f"p = {{{key}.refit:p_value}})."
            )
    return " ".join(lines)


def flipping_table(found: FragilityMap) -> pd.DataFrame:
    """The sets that turn the sign or change the verdict, smallest first, at most `SHOWN` of them."""
    flips = found.table[found.table["flips_sign"] | found.table["flips_verdict"]]
    columns = ["left_out", "size", "estimate", "std_error", "p_value", "flips_sign", "flips_verdict"]
    ordered = flips.sort_values(
        ["size", "flips_verdict", "p_value"], ascending=[True, False, True], kind="stable", key=tie
    )
    return ordered[columns].head(SHOWN).set_index("left_out")


SHOWN = 20


def keep_refits(found: FragilityMap, folder: Path) -> str:
    """Write every refit to ``fragility.csv``; the sentence template that links the file."""
    write_table(found.table.set_index("left_out"), folder / "fragility.csv")
    return "Every refit: [tables/fragility.csv](tables/fragility.csv), {robustness.fragility.refits} rows."


def show_index_table(run: NotebookRun, found: IndexRegression | None) -> TableView | Sentence:
    """The intervals of the coefficient with the indices as given and derived anew."""
    if found is None:
        return run.say(NO_INDEX)
    return run.table(
        found.table.rename_axis("interval"), "index_bootstrap", caption="One estimate, five intervals", digits=4
    )


def show_index_draws(run: NotebookRun, found: IndexRegression | None) -> FigureView | Sentence:
    """The two bootstrap distributions."""
    if found is None:
        return run.say(NO_INDEX)
    draws = {"indices as given": found.fixed_draws, "indices derived anew": found.rederived_draws}
    return run.figure(
        draw_densities(draws, found.estimate, label=f"effect of {run.study.label(found.fit.regressors[0]).lower()}"),
        "index_bootstrap",
        caption="The estimate in samples of units, with the indices as given and derived anew; dashed: the estimate",
        alt="Two outlines of distributions around the estimate, and a line at zero.",
    )


NO_INDEX = "Not shown: no index stands in a declared regression."


def refit_gap(found: FragilityMap, panel: pd.DataFrame, study: Study) -> float:
    """Distance between the map's estimate with all entities and the primary specification's, relative to the latter."""
    full = float(specify(panel, study).fit().estimates[study.specification.treatment])
    return abs(found.estimate / full - 1)
