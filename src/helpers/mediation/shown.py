"""The study's channels: each declared mediator fitted alone on the primary specification, recorded and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.mediation.mediation import mediation_effects
from helpers.mediation.mediation_effects import MediationEffects

if TYPE_CHECKING:
    from helpers.results.results import Results
    from helpers.study.study import Label, Study

PATHS = ("path_a", "path_b", "indirect_effect", "direct_effect", "total_effect")
WORDS = {
    "path_a": "path a: treatment to mediator",
    "path_b": "path b: mediator to outcome",
    "indirect_effect": "indirect",
    "direct_effect": "direct",
    "total_effect": "total",
}


def fit_mediators(
    panel: pd.DataFrame, study: Study, *, draws: int, rng: np.random.Generator
) -> dict[str, MediationEffects]:
    """Fit every declared mediator alone, with the controls and effects of the primary specification.

    Each uses the rows in which its mediator has a figure.
    """
    model, primary = study.specification, study.ladder[study.primary]
    return {
        mediator: mediation_effects(
            panel.dropna(subset=[mediator]),
            model.outcome,
            model.treatment,
            mediator,
            model.controls if primary.controls else (),
            entity_effects="entity" in primary.effects,
            time_effects="time" in primary.effects,
            cluster=model.cluster,
            draws=draws,
            rng=rng,
        )
        for mediator in study.mediators
    }


def count_rows(panel: pd.DataFrame, study: Study) -> pd.DataFrame:
    """One row per mediator, and one for all together: rows and entities with a figure, rows without."""
    mediators = list(study.mediators)
    asked = {study.label(name): [name] for name in mediators} | {"all of them": mediators}
    rows = {}
    for label, names in asked.items():
        there = complete_rows(panel, names)
        entities = there.index.get_level_values(0).nunique()
        rows[label] = {"n_obs": len(there), "n_entities": entities, "rows_without": len(panel) - len(there)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("mediator")


def complete_rows(panel: pd.DataFrame, mediators: Iterable[str]) -> pd.DataFrame:
    """The rows in which every one of the mediators has a figure."""
    return panel.dropna(subset=list(mediators))


def record_mediators(results: Results, fits: Mapping[str, MediationEffects]) -> None:
    """Record the five effects of every mediator under ``mediation.<mediator>.<effect>``."""
    for mediator, fit in fits.items():
        for path in PATHS:
            results.record(f"mediation.{mediator}.{path}", **getattr(fit, path).recorded)


def effect_table(fits: Mapping[str, MediationEffects], study: Study) -> pd.DataFrame:
    """One row per mediator and effect: estimate, standard error, p-value, interval, and the bootstrap's BCa one."""
    rows = {(study.label(name), WORDS[path]): getattr(fit, path) for name, fit in fits.items() for path in PATHS}
    columns = ("estimate", "std_error", "p_value", "ci_low", "ci_high")
    return pd.DataFrame(
        [
            [*(getattr(effect, column) for column in columns), effect.bootstrap.bca_low, effect.bootstrap.bca_high]
            for effect in rows.values()
        ],
        index=pd.MultiIndex.from_tuples(rows, names=["mediator", "effect"]),
        columns=[*columns, "bca_low", "bca_high"],
    )


def without_paths(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the effect table that are in units of the outcome per unit of the treatment."""
    return table[table.index.get_level_values("effect").isin(["indirect", "direct", "total"])]


def cautions_of(study: Study) -> str:
    """What must be said beside every mediator that is not a direct measure, one line each.

    A mediator without a caution of its own has that of the variable that it names.
    """
    said = {name: item.caution or _caution_of_variable(name, study) for name, item in study.mediators.items()}
    return "\n\n".join(f"**{study.label(name)}.** {caution.en}" for name, caution in said.items() if caution)


def _caution_of_variable(name: str, study: Study) -> Label | None:
    return study.variables[name].caution if name in study.variables else None


def say_channels(fits: Mapping[str, MediationEffects], study: Study) -> str:
    """A sentence template per mediator: the indirect effect and whether its interval leaves out zero."""
    lines = []
    for mediator, fit in fits.items():
        effect = fit.indirect_effect
        clear = "leaves out zero" if effect.ci_low > 0 or effect.ci_high < 0 else "holds zero"
        key = f"mediation.{mediator}.indirect_effect"
        lines.append(f"- {study.label(mediator)}: indirect effect {{{key}}}, interval {{{key}:ci}}, which {clear}.")
    return "\n".join(lines)


def largest_gap(fits: Mapping[str, MediationEffects]) -> float:
    """The largest difference between a total effect and the sum of its indirect and direct effect."""
    return max(
        abs(fit.total_effect.estimate - fit.direct_effect.estimate - fit.indirect_effect.estimate)
        for fit in fits.values()
    )
