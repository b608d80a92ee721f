"""The study's words and tables for how much of a coefficient is a matter of choices made in the index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.index.shown import main_index
from helpers.multiverse.drawn import IndexExperiment, IndexSensitivity, IndexUncertainty, Specification
from helpers.results.rounding import tie
from helpers.study.data import Label
from helpers.study.model import build_model

if TYPE_CHECKING:
    from helpers.index.bootstrap import IndexBootstrap
    from helpers.results.results import Result, Results
    from helpers.study.study import Study

WORDS = {
    "zero_rule": Label(en="the zero rule of the entropy", zh="熵值的零值规则"),
    "scale": Label(en="the scale of the scores", zh="标准化方法"),
    "winsorise": Label(en="the winsorising", zh="缩尾处理"),
    "weights": Label(en="the weights", zh="权重"),
    "scope": Label(en="the rows that are scaled together", zh="标准化的范围"),
    "aggregate": Label(en="the aggregation", zh="合成方法"),
}


def build_experiment(panel: pd.DataFrame, study: Study) -> IndexExperiment:
    """The index choices crossed with the primary model, on the rows that have every figure it needs.

    Where the study's treatment is no index, the first declared index stands in its place.
    """
    model = build_model(study).with_(treatment=main_index(study))
    names = [name for name in dict.fromkeys((model.outcome, model.treatment)) if name in study.indices]
    specification = Specification(
        model.outcome, model.treatment, model.controls, model.entity_effects, model.time_effects
    )
    indicators = [indicator for name in names for indicator in study.indices[name].indicators]
    others = [name for name in (model.outcome, *model.controls) if name not in study.indices]
    rows = panel[[*indicators, *others]].dropna()
    return IndexExperiment(rows, {name: study.indices[name] for name in names}, specification)


def choice_words(study: Study, choice: str) -> Label:
    """What a choice is called, in both languages."""
    if choice in WORDS:
        return WORDS[choice]
    index = study.indices[choice.removeprefix("left_out_")].label
    return Label(en=f"the indicator left out of {index.inside()}", zh=f"{index.zh}中剔除的指标")


def record_experiment(results: Results, found: IndexUncertainty, sensitivity: IndexSensitivity) -> None:
    """Record how the coefficient moves over the choices (``index.choices.*``) and every Sobol index of it."""
    for name, row in found.estimates.iterrows():
        results.record(
            f"index.choices.{name}",
            estimate=row["baseline"],
            ci_low=row["ci_low"],
            ci_high=row["ci_high"],
            convention="percentiles over random choices of the index, every option alike",
        )
        results.record(f"index.choices.{name}.same_sign", value=row["share_same_sign"], digits=2)
        results.record(f"index.choices.{name}.significant", value=row["share_significant"], digits=2)
    results.record("index.choices.runs", value=sensitivity.outputs["estimate"].n_runs)
    widest = max(output.widest for output in sensitivity.outputs.values())
    results.record("index.choices.half_width", value=widest, digits=3)
    for choice, row in sensitivity.outputs["standardised"].table.dropna().iterrows():
        for order in ("first", "total"):
            half = row[f"{order}_half_width"]
            results.record(
                f"index.choices.sobol.{choice}.{order}",
                value=row[order],
                ci_low=row[order] - half,
                ci_high=row[order] + half,
            )


@dataclass(frozen=True)
class Leaders:
    """The choice that moves the standardised coefficient most, by its total order.

    Attributes
    ----------
    first
        The choice; empty where none moves it.
    rivals
        Every other choice whose interval reaches that of the first, the largest before the others.
    """

    first: str
    rivals: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Which sentence fits: "none", "clear" or "tied"."""
        return ("tied" if self.rivals else "clear") if self.first else "none"


def leader_words(leaders: Leaders, study: Study, results: Mapping[str, Result]) -> dict[str, Label | Result]:
    """What a sentence on the leaders names: the choices, the share of the first, the widest interval, the runs."""
    words: dict[str, Label | Result] = {
        "half": results["index.choices.half_width"],
        "runs": results["index.choices.runs"],
    }
    if leaders.first:
        rivals = [choice_words(study, choice) for choice in leaders.rivals]
        joined = {"en": ", ".join(label.en for label in rivals), "zh": "、".join(label.zh for label in rivals)}
        words |= {"first": choice_words(study, leaders.first), "rivals": Label(**joined)}
        words["share"] = results[f"index.choices.sobol.{leaders.first}.total"]
    return words


def find_leaders(sensitivity: IndexSensitivity) -> Leaders:
    """The choice that moves the standardised coefficient most, and those that the runs do not tell from it."""
    table = sensitivity.outputs["standardised"].table
    if table["total"].isna().any() or not (table["total"] > 0).any():
        return Leaders("")
    ordered = table.sort_values("total", ascending=False, kind="stable", key=tie)
    top, rest = ordered.iloc[0], ordered.iloc[1:]
    near = rest["total"] + rest["total_half_width"] >= top["total"] - top["total_half_width"]
    return Leaders(str(ordered.index[0]), tuple(map(str, rest.index[near])))


def sobol_table(sensitivity: IndexSensitivity) -> pd.DataFrame:
    """Rows (output, choice): first and total order with the half-widths of their intervals."""
    return pd.concat({name: item.table for name, item in sensitivity.outputs.items()}, names=["output", "choice"])


def sobol_panels(sensitivity: IndexSensitivity, study: Study) -> dict[str, pd.DataFrame]:
    """The tables of the Sobol picture by the label of the output: the standardised coefficient, then the ranks."""
    panels = {"standardised coefficient": sensitivity.outputs["standardised"].table}
    for name, item in sensitivity.outputs.items():
        if name.startswith("rank_shift_"):
            panels[f"ranks of {study.indices[name.removeprefix('rank_shift_')].label.inside()}"] = item.table
    return panels


def rank_table(found: IndexUncertainty, bootstrap: IndexBootstrap, name: str) -> pd.DataFrame:
    """One row per entity, best first: the rank of its mean over time, by choices and by samples of entities.

    The dot and both intervals of the picture are of this one rank.
    """
    table = found.ranks[name].rename(columns={"ci_low": "choices_low", "ci_high": "choices_high"})
    sampled = bootstrap.mean_ranks.reindex(table.index)
    table["bootstrap_low"], table["bootstrap_high"] = sampled["ci_low"], sampled["ci_high"]
    return table.sort_values("rank", kind="stable", key=tie).rename_axis(str(bootstrap.ranks.index.names[0]))


def count_told_apart(ranks: pd.DataFrame) -> tuple[int, int]:
    """Neighbours in a rank table whose sampling intervals do not overlap, and all pairs of neighbours."""
    above, below = ranks.iloc[:-1], ranks.iloc[1:]
    apart = above["bootstrap_high"].to_numpy() < below["bootstrap_low"].to_numpy()
    return int(apart.sum()), len(apart)
