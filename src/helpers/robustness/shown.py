"""Robustness in a study's words: which models and rows, what is recorded of several results at once, and the tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.display.tables import write_table
from helpers.errors import StudyError
from helpers.inference.detectable import detectable_effect
from helpers.results.estimate import Estimate, drawn_error
from helpers.results.rounding import tie
from helpers.robustness.fragility import FragilityMap, map_fragility
from helpers.robustness.indexed import IndexRegression, bootstrap_index_regression
from helpers.study.model import Model, build_model

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.regression.panel import PanelFit
    from helpers.results.results import Result
    from helpers.robustness.changes import Finding, LeaveOneOut
    from helpers.robustness.imputed import ImputedFit
    from helpers.study.data import Label
    from helpers.study.study import Study

Record = Callable[..., "Result"]
SHOWN = 12


def record_checks(record: Record, checks: Mapping[str, Finding], treatment: str, level: float) -> None:
    """Record every row under ``robustness.<row>.<treatment>`` and ``.wild``, and how many are significant by both."""
    for name, check in checks.items():
        record(f"robustness.{name}.{treatment}", check.effect)
        record(f"robustness.{name}.{treatment}.wild", check.wild)
    found = [check.verdict(level) for check in checks.values()]
    record("robustness.rows", value=len(checks))
    record("robustness.positive_significant", value=found.count("positive, significant"))
    record("robustness.negative_significant", value=found.count("negative, significant"))
    record("robustness.significance", value=level, digits=2)


def robustness_table(checks: Mapping[str, Finding], study: Study) -> pd.DataFrame:
    """One row per check: what it asks, what it finds in words, the numbers, and the smallest effect it could see."""
    level = study.specification.significance
    rows = {
        study.label(name): {
            "asks": study.robustness[name].asks.en,
            "finds": check.verdict(level),
            "estimate": check.effect.estimate,
            "std_error": check.effect.std_error,
            "p_value": check.effect.p_value,
            "wild_p_value": check.wild.p_value,
            "detectable": detectable_effect(check.effect, level=level),
            "n_obs": check.effect.n_obs,
            "n_entities": check.effect.n_entities,
            "convention": check.effect.convention,
            "remark": check.remark,
        }
        for name, check in checks.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("change")


def row_estimates(checks: Mapping[str, Finding], study: Study) -> pd.DataFrame:
    """Estimate and interval of every row, by its label, for a coefficient plot."""
    effects = {study.label(name): check.effect for name, check in checks.items()}
    rows = {name: [effect.estimate, effect.ci_low, effect.ci_high] for name, effect in effects.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])


def record_imputed(record: Record, found: ImputedFit, treatment: str) -> dict[str, Result]:
    """Record the pooled treatment under ``robustness.multiple_imputation.<treatment>`` and what was drawn; its word."""
    key, one = "robustness.multiple_imputation", found.pooled[treatment]
    pooled = record(f"{key}.{treatment}", found.effect(treatment))
    record(f"{key}.panels", value=one.n_imputations)
    record(f"{key}.cells", value=int(found.imputed["cells"].sum()))
    record(f"{key}.rows_added", value=found.n_obs - found.n_complete)
    record(f"{key}.rows_left_out", value=found.n_left_out)
    record(f"{key}.missing_information", value=one.missing_information)
    return {"pooled": pooled}


def record_range(record: Record, left_out: LeaveOneOut) -> tuple[str, str]:
    """Record the smallest and the largest estimate without one entity; the two entities."""
    places = str(left_out.table["estimate"].idxmin()), str(left_out.table["estimate"].idxmax())
    for word, place in zip(("smallest", "largest"), places, strict=True):
        estimate, p_value, low, high = (
            float(left_out.table[name][place]) for name in ("estimate", "p_value", "ci_low", "ci_high")
        )
        found = Estimate(estimate=estimate, p_value=p_value, ci_low=low, ci_high=high)
        record(f"robustness.leave_one_out.{word}", found)
    return places


def index_model(study: Study) -> Model:
    """The model in which an index stands.

    The primary one; where neither its outcome nor its treatment is an index, that of the first robustness row whose
    treatment is one.

    Raises
    ------
    StudyError
        No declared regression holds an index.
    """
    model = build_model(study)
    if {model.outcome, model.treatment} & study.indices.keys():
        return model
    for row in study.robustness.values():
        if row.treatment in study.indices:
            controls = model.controls if row.controls is None else row.controls
            return model.with_(treatment=row.treatment, controls=controls)
    raise StudyError("index in a regression", "no declared regression holds an index", "declare a row with one")


def bootstrap_indices(panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator) -> IndexRegression:
    """Bootstrap the coefficient with the indices derived anew in every sample.

    Raises
    ------
    StudyError
        No declared regression holds an index, or what `bootstrap_index_regression` says.
    """
    model = index_model(study)
    return bootstrap_index_regression(complete_rows(panel, study, model), model, study.indices, draws=draws, rng=rng)


def complete_rows(panel: pd.DataFrame, study: Study, model: Model) -> pd.DataFrame:
    """The rows with every figure that a model and its indices need."""
    indicators = [name for index in model.columns if index in study.indices for name in study.indices[index].indicators]
    return panel.dropna(subset=[*model.columns, *indicators])


def record_index_bootstrap(record: Record, found: IndexRegression, study: Study) -> dict[str, Result | Label]:
    """Record the coefficient with the intervals of the bootstrap; the words of the sentence on it.

    Under ``robustness.index_bootstrap.<treatment>``: the bootstrap with the indices derived anew, ``.indices_given``,
    ``.ratio`` of their standard errors, ``.ratio_usual`` to the clustered one, and ``.failed`` draws.
    """
    treatment, fit = found.fit.regressors[0], found.fit
    key = f"robustness.index_bootstrap.{treatment}"
    words: dict[str, Result | Label] = {"instead": study.words(treatment)}
    for word, name, summary in (("anew", "", found.rederived), ("given", ".indices_given", found.fixed)):
        words[word] = record(
            f"{key}{name}",
            estimate=found.estimate,
            std_error=summary.std_error,
            p_value=summary.p_value,
            ci_low=summary.percentile_low,
            ci_high=summary.percentile_high,
            n_obs=fit.n_obs,
            n_entities=fit.n_entities,
            draws=found.n_draws + 1,
            p_error=drawn_error(summary.p_value, found.n_draws, twice=True),
            convention=f"entity bootstrap, {found.n_draws} draws, indices {'as given' if name else 'derived anew'}, "
            "percentile interval",
        )
    usual = found.rederived.std_error / float(fit.std_errors[treatment])
    return words | {
        "ratio": record(f"{key}.ratio", value=found.ratio, digits=2),
        "usual": record(f"{key}.ratio_usual", value=usual, digits=2),
        "failed": record(f"{key}.failed", value=found.n_failed),
    }


def fit_fragility(panel: pd.DataFrame, study: Study, *, most: int) -> FragilityMap:
    """Refit the primary specification without every set of up to `most` entities, its indices derived anew."""
    model = build_model(study)
    rows = complete_rows(panel, study, model)
    return map_fragility(rows, model, study.indices, most=most, significance=study.specification.significance)


def record_fragility(record: Record, found: FragilityMap) -> None:
    """Record the refits, the smallest sets that turn the sign or the verdict, and the fit without them."""
    record("robustness.fragility.refits", value=len(found.table))
    record("robustness.fragility.failed", value=found.n_failed)
    record("robustness.fragility.most", value=int(found.table["size"].max()))
    for name in ("sign", "verdict"):
        record(f"robustness.fragility.share_flips_{name}", value=float(found.table[f"flips_{name}"].mean()), digits=3)
        smallest = getattr(found, f"smallest_{name}")
        if smallest is None:
            continue
        row = found.table.iloc[found.sets.index(smallest)]
        record(f"robustness.fragility.smallest_set_{name}", value=" + ".join(smallest))
        record(
            f"robustness.fragility.smallest_set_{name}.refit",
            estimate=float(row["estimate"]),
            std_error=float(row["std_error"]),
            p_value=float(row["p_value"]),
            n_obs=int(row["n_obs"]),
            convention="stata, clustered by entity, indices in the model derived anew without the set",
        )
        record(f"robustness.fragility.smallest_set_{name}.size", value=len(smallest))


def flipping_table(found: FragilityMap) -> pd.DataFrame:
    """The sets that turn the sign or change the verdict, smallest first, at most `SHOWN` of them.

    A set is left out where a part of it does the same: more units beside those that change the answer tell nothing.
    """
    flips = found.table[_flips_by_itself(found, "sign") | _flips_by_itself(found, "verdict")]
    columns = ["left_out", "size", "estimate", "std_error", "p_value", "flips_sign", "flips_verdict"]
    ordered = flips.sort_values(
        ["size", "flips_verdict", "p_value"], ascending=[True, False, True], kind="stable", key=tie
    )
    return ordered[columns].head(SHOWN).set_index("left_out")


def _flips_by_itself(found: FragilityMap, name: str) -> pd.Series:
    """Of each set, whether it flips the sign or the verdict, and no smaller set within it does."""
    flips = found.table[f"flips_{name}"]
    flipping = {frozenset(found.sets[place]) for place in np.flatnonzero(flips)}
    smaller = [
        any(frozenset(part) in flipping for size in range(1, len(left)) for part in itertools.combinations(left, size))
        for left in found.sets
    ]
    return flips & ~np.array(smaller)


def write_refits(found: FragilityMap, folder: Path) -> None:
    """Write every refit to ``fragility.csv``."""
    write_table(found.table.set_index("left_out"), folder / "fragility.csv")


def refit_gap(found: FragilityMap, fit: PanelFit) -> float:
    """Distance between the map's estimate with all entities and that of a fit's first regressor, relative to it."""
    return abs(found.estimate / float(fit.estimates.iloc[0]) - 1)
