"""Effects under the tests that a verdict reads, as tables and as the condition that chooses a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import pandas as pd

from helpers.inference.clear import ClearTest
from helpers.inference.family import Answer, ClearFamily
from helpers.results.estimate import Estimate

if TYPE_CHECKING:
    from helpers.results.results import Result

Reading = Literal["above", "below", "above_without_times", "below_without_times", "unclear", "unseen"]


def read_effect(found: ClearTest, level: float) -> Reading:
    """Where an effect clearly lies: above or below zero with the model's effects, or only without time effects.

    "Clearly" is by the t test and by the wild bootstrap at the same level; "unseen": it is not clear, and the
    bootstrap's interval has no end, so that no effect, however large, would surely have been seen.
    """
    if found.is_clear(level):
        return "above" if found.effect.estimate > 0 else "below"
    if found.without_times is not None and found.is_clear_without_times(level):
        return "above_without_times" if found.without_times.estimate > 0 else "below_without_times"
    return "unclear" if found.is_bounded else "unseen"


def read_family(found: ClearFamily, level: float) -> dict[str, str]:
    """Member -> "above", "below" or "unclear", by the Romano-Wolf p-value over the family."""
    return {name: _read(answer.adjusted, level) for name, answer in found.answers.items()}


def record_detectable(
    record: Callable[..., Result], key: str, answers: Iterable[Answer], level: float
) -> dict[str, Result]:
    """Record the smallest effect that would have been seen on any member, under ``key.detectable``.

    And under ``key.detectable.most`` that on the member measured worst; both as in `Answer.detectable`. Nothing of an
    empty family.
    """
    sizes = [answer.detectable(level) for answer in answers]
    if not sizes:
        return {}
    return {
        "least": record(f"{key}.detectable", value=min(sizes), digits=2),
        "most": record(f"{key}.detectable.most", value=max(sizes), digits=2),
    }


def _read(effect: Estimate, level: float) -> str:
    if effect.p_value is None or not effect.p_value < level:
        return "unclear"
    return "above" if effect.estimate > 0 else "below"


def clear_table(tests: Mapping[str, ClearTest]) -> pd.DataFrame:
    """One row per test: estimate, std_error, interval, p by t and by wild bootstrap; the same without time effects.

    And the heaviest entity, what the three heaviest hold of the effect, and the effect without the heaviest.
    """
    rows = {}
    for name, found in tests.items():
        effect, without, held = found.effect, found.without_times, found.held
        alone = held.without_heaviest if held is not None else None
        rows[name] = {
            "estimate": effect.estimate,
            "std_error": effect.std_error,
            "ci_low": effect.ci_low,
            "ci_high": effect.ci_high,
            "p_value": effect.p_value,
            "wild_p_value": found.wild.p_value,
            "without_times": None if without is None else without.estimate,
            "without_times_p_value": None if without is None else without.p_value,
            "without_times_wild_p_value": None
            if found.without_times_wild is None
            else found.without_times_wild.p_value,
            "n_obs": effect.n_obs,
            "heaviest": "" if held is None else held.heaviest,
            "three_heaviest_hold": None if held is None else held.top(3),
            "without_heaviest": None if alone is None else alone.estimate,
            "without_heaviest_p_value": None if alone is None else alone.p_value,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("effect")


def family_table(
    families: Mapping[str, ClearFamily], names: tuple[str, str] = ("regressor", "outcome")
) -> pd.DataFrame:
    """One row per family and member: estimate, std_error, p by t, wild, Romano-Wolf; the same without times.

    Parameters
    ----------
    families
        By what its members share.
    names
        What the members share, and in what they differ.
    """
    rows = {}
    for family, found in families.items():
        for name, answer in found.answers.items():
            without = found.without_times[name]
            rows[family, name] = {
                "estimate": answer.effect.estimate,
                "std_error": answer.effect.std_error,
                "p_value": answer.effect.p_value,
                "wild_p_value": answer.wild.p_value,
                "romano_wolf_p_value": answer.adjusted.p_value,
                "without_times": without.effect.estimate,
                "without_times_romano_wolf_p_value": without.adjusted.p_value,
                "n_obs": answer.effect.n_obs,
            }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(rows), names=list(names))
    return table


def estimate_rows(effects: Mapping[str, Estimate]) -> pd.DataFrame:
    """Rows for a picture of estimates with intervals: estimate, ci_low, ci_high by name."""
    rows = {name: [effect.estimate, effect.ci_low, effect.ci_high] for name, effect in effects.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"]).astype(float)
