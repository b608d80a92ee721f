"""Identification in a study's words: tables, and what is recorded of several results at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.identification.confounding import RobustnessValue, confounder_bounds, confounder_contour
from helpers.identification.past import LAG
from helpers.index.build import build_index
from helpers.inference.family import Question
from helpers.study.data import Label

if TYPE_CHECKING:
    from helpers.identification.dynamic import DynamicFit
    from helpers.identification.instruments import InstrumentedFit
    from helpers.identification.oster import OsterResult
    from helpers.identification.past import Past
    from helpers.identification.placebo import Dealt
    from helpers.inference.family import Answer
    from helpers.regression.panel import PanelFit
    from helpers.results.results import Result
    from helpers.study.model import Model
    from helpers.study.study import Study

Record = Callable[..., "Result"]
BEYOND = "no variable is so strong: it would explain more than all that is left"
BIAS = 0.10  # worst-case bias whose critical value is shown
GMM = {
    "difference": Label(en="Difference GMM, two steps", zh="差分GMM（两步）"),
    "system": Label(en="System GMM, two steps", zh="系统GMM（两步）"),
    "external": Label(en="Difference GMM with the declared instruments", zh="差分GMM（含声明的工具变量）"),
}
DYNAMIC_COLUMNS = (
    "estimate", "std_error", "p_value", "outcome_before", "instruments", "hansen_p_value", "ar1_p_value",
    "ar2_p_value", "n_obs", "n_entities", "note",
)  # fmt: skip


def record_oster(record: Record, found: OsterResult) -> None:
    """Record delta, bound and largest R2 under ``robustness.oster.*``, as far as they are finite."""
    for name, value in (("delta", found.delta), ("bound", found.bound), ("r_max", found.r_max)):
        if np.isfinite(value):
            record(f"robustness.oster.{name}", value=value, digits=3)


def record_robustness_value(record: Record, found: RobustnessValue) -> None:
    """Record the robustness values under ``robustness.robustness_value.*``."""
    record("robustness.robustness_value.estimate", value=found.value, digits=3)
    record("robustness.robustness_value.significance", value=found.value_alpha, digits=3)
    record("robustness.robustness_value.partial_r2", value=found.partial_r2, digits=4)


def judge_selection(found: OsterResult, p_value: float, level: float) -> str:
    """Which sentence on Oster's delta is true: "nothing", "undefined", "against" or "with" the controls."""
    if p_value >= level:
        return "nothing"
    if not (np.isfinite(found.delta) and np.isfinite(found.bound)):
        return "undefined"
    return "against" if found.delta < 0 else "with"


def bound_table(fit: PanelFit, term: str, study: Study) -> pd.DataFrame:
    """The estimate if an omitted variable were as strong as each control, or two or three times as strong.

    A remark stands where no variable can be so strong.
    """
    controls = [name for name in fit.regressors if name not in (term, "const")]
    bounds = confounder_bounds(fit, term, controls).rename(index=study.label, level=0)
    beyond = bounds["estimate"].isna()
    return bounds.assign(remark=np.where(beyond, BEYOND, "")) if beyond.any() else bounds


def turning_benchmark(bounds: pd.DataFrame, estimate: float) -> tuple[str, float, float] | None:
    """The weakest variable that turns an estimate's sign: its benchmark, how many times as strong, what is left.

    Of several as weak the one that goes furthest; None where none does.
    """
    turned = bounds.loc[bounds["estimate"] * estimate < 0, "estimate"]
    if turned.empty:
        return None
    weakest = float(turned.index.get_level_values(1).min())
    beside = turned[turned.index.get_level_values(1) == weakest].droplevel(1)
    furthest = str(beside.abs().idxmax())
    return furthest, weakest, float(beside.astype(float)[furthest])


def contour_of(fit: PanelFit, term: str, bounds: pd.DataFrame) -> pd.DataFrame:
    """The estimates of the contour plot, over a square that holds the controls as benchmarks."""
    reach = float(np.nanmax([0.15, *bounds["r2_treatment"].dropna(), *bounds["r2_outcome"].dropna()]))
    return confounder_contour(fit, term, largest=min(0.95, 1.1 * reach))[0]


def argument_table(study: Study) -> pd.DataFrame:
    """One row per instrument: the argument for it and its weakness, in the study's words."""
    rows = {
        item.label.en: {"argument": item.argument.en, "weakness": item.weakness.en}
        for item in study.instruments.values()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["argument", "weakness"]).rename_axis("instrument")


def record_instruments(record: Record, fits: Mapping[str, InstrumentedFit], level: float) -> None:
    """Record every regression under ``robustness.instrument.<name>``, p-value and interval by Anderson and Rubin.

    An end of the interval that is infinite, and the ends of a set that is no interval, are left out.
    """
    for name, fit in fits.items():
        key = f"robustness.instrument.{name}"
        record(key, fit.effect)
        record(f"{key}.f_effective", value=fit.first_stage.f_effective, digits=2)
        record(f"{key}.critical", value=fit.first_stage.critical_values[BIAS], digits=2)
    record("robustness.instrument.count", value=len(fits))
    record("robustness.instrument.strong", value=sum(map(is_strong, fits.values())))
    record("robustness.instrument.rejecting", value=sum(_rejecting(fits, level)))


def is_strong(fit: InstrumentedFit) -> bool:
    """Whether the effective F exceeds the critical value for a worst-case bias of a tenth."""
    return bool(fit.first_stage.f_effective >= fit.first_stage.critical_values[BIAS])


def judge_instruments(fits: Mapping[str, InstrumentedFit], level: float) -> str:
    """Which sentence is true: "weak" without a strong set; else "clear" if a strong one rejects, or "open"."""
    strong = _rejecting(fits, level)
    return "weak" if not strong else "clear" if any(strong) else "open"


def _rejecting(fits: Mapping[str, InstrumentedFit], level: float) -> list[bool]:
    """For each strong set whether the Anderson-Rubin test rejects that there is no effect."""
    return [bool(fit.anderson_rubin.p_value < level) for fit in fits.values() if is_strong(fit)]


def instrument_table(fits: Mapping[str, InstrumentedFit]) -> pd.DataFrame:
    """One row per set of instruments: the estimate, the Anderson-Rubin set, and how strong the instruments are."""
    rows = {"all together" if name == "all" else name: _instrument_row(fit) for name, fit in fits.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("instrument")


def _instrument_row(fit: InstrumentedFit) -> dict[str, object]:
    term, found = fit.treatment, fit.anderson_rubin
    ends = np.array([found.intervals[0][0], found.intervals[-1][1]] if found.intervals else [np.nan, np.nan])
    low, high = np.where(np.isfinite(ends), ends, np.nan).tolist()
    return {
        "estimate": fit.estimates[term],
        "std_error": fit.std_errors[term],
        "p_value": fit.p_values[term],
        "ar_low": low,
        "ar_high": high,
        "ar_shape": found.shape,
        "anderson_rubin_p_value": found.p_value,
        "f_effective": fit.first_stage.f_effective,
        "critical_value": fit.first_stage.critical_values[BIAS],
        "hansen_p_value": np.nan if fit.hansen_p_value is None else fit.hansen_p_value,
        "n_obs": fit.n_obs,
    }


def record_past(record: Record, past: Past) -> None:
    """Record the treatment under ``robustness.dynamic.<estimator>``, with its lag and its tests beside it."""
    for name, fit in past.least_squares.items():
        record(f"robustness.dynamic.{name}", fit[past.treatment])
        record(f"robustness.dynamic.{name}.lag", fit[LAG])
    for name, found in past.gmm.items():
        key = f"robustness.dynamic.{name}"
        convention = f"{GMM[name].en}, collapsed instruments, Windmeijer's correction, normal"
        record(key, replace(found[past.treatment], convention=convention))
        record(f"{key}.lag", replace(past.lag(name), convention=convention))
        tests = {"hansen": (found.hansen_j, found.hansen_p_value), "ar1": (found.ar1, found.ar1_p_value)}
        for test, (statistic, p_value) in (tests | {"ar2": (found.ar2, found.ar2_p_value)}).items():
            if np.isfinite(p_value):
                record(f"{key}.{test}", value=float(statistic), p_value=float(p_value), digits=3)


def gmm_words(name: str, results: Mapping[str, Result]) -> dict[str, Result | Label]:
    """What the sentences on one GMM estimator may name, as far as it was recorded."""
    key = f"robustness.dynamic.{name}"
    places = {"effect": key, "within": "robustness.dynamic.within.lag", "pooled": "robustness.dynamic.pooled.lag"}
    places |= {part: f"{key}.{part}" for part in ("lag", "hansen", "ar1", "ar2")}
    return {"name": GMM[name]} | {word: results[place] for word, place in places.items() if place in results}


def record_placebo(record: Record, dealt: Dealt) -> None:
    """Record the permutation test and its measured size under ``robustness.placebo.*``."""
    effect = replace(dealt.test.effect, n_obs=dealt.fit.n_obs, n_entities=dealt.fit.n_entities)
    record("robustness.placebo.permutation", effect)
    record("robustness.placebo.draws", value=dealt.test.n_draws)
    record("robustness.placebo.size.statistic", value=dealt.size.by_statistic, digits=3)
    record("robustness.placebo.size.estimate", value=dealt.size.by_estimate, digits=3)
    record("robustness.placebo.size.simulations", value=dealt.size.n_simulations)


def past_table(past: Past, primary: str) -> pd.DataFrame:
    """One row per estimator: treatment, lag of the outcome, instruments, and the tests that speak for or against it."""
    names = {"within": f"{primary}, least squares", "pooled": "without unit effects, least squares"}
    notes = {
        "within": "the lag is biased downwards: it is related to the demeaned error when periods are few",
        "pooled": "the lag is biased upwards: it carries what is fixed about a unit",
    }
    rows = {names[name]: _lagged_row(fit, past.treatment, notes[name]) for name, fit in past.least_squares.items()}
    rows |= {GMM[name].en: _gmm_row(fit, past.treatment) for name, fit in past.gmm.items()}
    rows |= {
        names[name] if name in names else GMM[name].en: {"note": f"not fitted: {why}"}
        for name, why in past.refused.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(DYNAMIC_COLUMNS))
    return table.rename_axis("estimator").astype(dict.fromkeys(("instruments", "n_obs", "n_entities"), "Int64"))


def _lagged_row(fit: PanelFit, term: str, note: str) -> dict[str, object]:
    return {
        "estimate": fit.estimates[term],
        "std_error": fit.std_errors[term],
        "p_value": fit.p_values[term],
        "outcome_before": fit.estimates[LAG],
        "n_obs": fit.n_obs,
        "n_entities": fit.n_entities,
        "note": note,
    }


def _gmm_row(fit: DynamicFit, term: str) -> dict[str, object]:
    return {
        "estimate": fit.estimates[term],
        "std_error": fit.std_errors[term],
        "p_value": fit.p_values[term],
        "outcome_before": fit.estimates.iloc[0],
        "instruments": fit.n_instruments,
        "hansen_p_value": fit.hansen_p_value,
        "ar1_p_value": fit.ar1_p_value,
        "ar2_p_value": fit.ar2_p_value,
        "n_obs": fit.n_obs,
        "n_entities": fit.n_entities,
        "note": "; ".join(fit.notes),
    }


def ask_dimensions(panel: pd.DataFrame, study: Study, model: Model) -> dict[str, Question]:
    """The model with each dimension of its outcome in the outcome's place; none where it is no index of several."""
    index = study.indices.get(model.outcome)
    if index is None or len(index.dimensions) < 2:
        return {}
    scores = build_index(panel, index).dimension_scores
    data = panel[list(model.regressors)].join(scores).dropna()
    return {str(name): Question(data, model.with_(outcome=str(name)), model.treatment) for name in scores}


def record_dimensions(record: Record, answers: Mapping[str, Answer], draws: int, level: float) -> None:
    """Record every dimension under ``robustness.dimension.<name>``, and how many respond by which method."""
    for name, answer in answers.items():
        record(
            f"robustness.dimension.{name}",
            replace(
                answer.effect,
                p_value=answer.adjusted.p_value,
                df=None,
                ci_low=None,
                ci_high=None,
                n_entities=None,
                n_clusters=None,
                draws=answer.adjusted.draws,
                convention=f"p-value by Romano and Wolf over the dimensions, {draws} wild cluster draws",
            ),
        )
    ways: dict[str, list[float | None]] = {
        "significant": [answer.adjusted.p_value for answer in answers.values()],
        "holm": [answer.holm for answer in answers.values()],
        "alone": [answer.effect.p_value for answer in answers.values()],
        "alone_wild": [answer.wild.p_value for answer in answers.values()],
    }
    for name, p_values in ways.items():
        record(f"robustness.dimension.count.{name}", value=sum(p is not None and p < level for p in p_values))
    record("robustness.dimension.count.all", value=len(answers))


def sort_dimensions(answers: Mapping[str, Answer], study: Study, level: float) -> tuple[Label | None, Label | None]:
    """The dimensions that respond by the t test, each alone, as words: those with a rise, those with a fall."""
    effects = {name: answer.effect for name, answer in answers.items()}
    alone = {name: effect for name, effect in effects.items() if effect.p_value is not None and effect.p_value < level}
    found = []
    for sign in (1, -1):
        names = [name for name, effect in alone.items() if sign * effect.estimate > 0]
        labels = [Label(en=study.label(name), zh=study.label(name, "zh")) for name in names]
        words = Label(en=", ".join(w.inside() for w in labels), zh="、".join(w.zh for w in labels)) if labels else None
        found.append(words)
    return found[0], found[1]


def dimension_table(answers: Mapping[str, Answer]) -> pd.DataFrame:
    """One row per dimension: the effect and its p-values, alone and adjusted for looking at all."""
    rows = {}
    for name, answer in answers.items():
        effect = answer.effect
        rows[name] = {
            "estimate": effect.estimate,
            "std_error": effect.std_error,
            "statistic": effect.statistic,
            "p_value": effect.p_value,
            "wild_p_value": answer.wild.p_value,
            "holm_p_value": answer.holm,
            "romano_wolf_p_value": answer.adjusted.p_value,
            "standardised": effect.estimate * answer.scale,
            "n_obs": effect.n_obs,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("dimension")
