"""What tests of a channel could have missed: the smallest effect that they would have seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from helpers.inference.clear import ClearTest, find_nearest
from helpers.inference.detectable import detectable_effect
from helpers.results.estimate import Estimate

if TYPE_CHECKING:
    from helpers.mediation.moderated import Interaction
    from helpers.mediation.shown import Channel
    from helpers.notebook import NotebookRun
    from helpers.results.results import Result


def weaker_path(channel: Channel) -> tuple[str, ClearTest]:
    """The path of a channel that is further from being clear: "path_a" or "path_b", and its test."""
    paths = {"path_a": channel.path_a, "path_b": channel.path_b}
    return max(paths.items(), key=lambda item: item[1].larger_p_value)


def record_missed(record: Callable[..., Any], key: str, effect: Estimate | Result, level: float) -> Any:
    """Record ``<key>.detectable`` of a product of paths: what a test whose interval is as wide would see."""
    wide = Estimate(estimate=0.0, ci_low=effect.ci_low, ci_high=effect.ci_high)
    return record(f"{key}.detectable", value=detectable_effect(wide, level=level))


def nearest_interaction(found: Mapping[str, Interaction], level: float) -> str | None:
    """The mediator whose interaction comes nearest to being clear without being so; None where all are clear."""
    return find_nearest(
        {name: item.interaction for name, item in found.items() if not item.interaction.is_clear(level)}
    )


def name_interaction(run: NotebookRun, found: Mapping[str, Interaction], name: str, level: float) -> dict[str, Any]:
    """What a sentence on the interaction of one mediator names."""
    key = f"mediation.{name}.interaction"
    return {
        "channel": run.label(name),
        "effect": run.results[key],
        "wild": run.results[f"{key}.wild"],
        "smallest": run.record(f"{key}.detectable", value=found[name].interaction.detectable(level)),
    }


def gap_key(pair: tuple[str, str, str]) -> str:
    """Key of the difference of a mediator's indirect effect between two groups."""
    name, first, second = pair
    return f"mediation.{name}.indirect_effect.{first}_minus_{second}"


def name_gap(run: NotebookRun, pair: tuple[str, str, str], level: float) -> dict[str, Any]:
    """What a sentence on the difference of one mediator's indirect effect between two groups names."""
    name, first, second = pair
    key = gap_key(pair)
    gap = run.results[key]
    return {
        "channel": run.label(name),
        "first": run.label(first),
        "second": run.label(second),
        "gap": gap,
        "smallest": record_missed(run.record, key, gap, level),
    }
