"""The answer on the first page: what the primary specification says, how sure, and what the ladder does to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from helpers.display.prose import Named, Sentence, write_sentence
from helpers.results.results import Result
from helpers.simulation.few_clusters import SPOKEN

if TYPE_CHECKING:
    from helpers.study.study import Study

NOTHING = (
    "In the primary specification the effect of {treatment} on {outcome} cannot be told from zero: {effect} "
    "(95 % interval {interval:ci} by {method}; {wild:p} by the wild cluster bootstrap, {effect:p} by the cluster-"
    "robust t test)."
)
POSITIVE = (
    "In the primary specification the effect of {treatment} on {outcome} is positive and clear by both tests: {effect} "
    "(95 % interval {interval:ci} by {method}; {wild:p} by the wild cluster bootstrap, {effect:p} by the cluster-"
    "robust t test)."
)
NEGATIVE = (
    "In the primary specification the effect of {treatment} on {outcome} is negative and clear by both tests: {effect} "
    "(95 % interval {interval:ci} by {method}; {wild:p} by the wild cluster bootstrap, {effect:p} by the cluster-"
    "robust t test)."
)
DIVIDED = (
    "In the primary specification the two tests of the effect of {treatment} on {outcome} disagree: {effect} "
    "(95 % interval {interval:ci} by {method}; {wild:p} by the wild cluster bootstrap, {effect:p} by the cluster-"
    "robust t test)."
)
ONLY_WITHOUT = (
    "In the column “{column}” it is {other} ({other:p} by the cluster-robust t test): the effect shows only where "
    "nothing holds the periods constant, and there any two series with a trend are related, whatever the reason."
)
ONLY_WITHOUT_BOTH = (
    "In the column “{column}” it is {other} ({other:p} by the cluster-robust t test, {other_wild:p} by the wild "
    "cluster bootstrap): by the t test the effect shows only where nothing holds the periods constant, and there any "
    "two series with a trend are related, whatever the reason."
)
EVERYWHERE = "It has this sign, with p below the level by the cluster-robust t test, in every column of the ladder."
SURE = (
    "How sure: one unit holds {heaviest:.0%} of the variation that identifies the estimate, and without it the "
    "estimate is {without} ({without:p} by the clustered t test); an effect smaller than {detectable} would have been "
    "missed in at least one of five such samples."
)
FUTURE = (
    "Against a causal reading: the treatment of the next period, put beside the present one, has an estimate that "
    "differs from zero as well, {lead} ({lead:p} by the clustered t test)."
)
TURNS = "Along the ladder the estimate runs from {lowest} to {highest}: its sign depends on what is held constant."
PARTLY = (
    "Along the ladder the estimate keeps its sign, from {lowest} to {highest}, but not in every column has it p below "
    "the level by the cluster-robust t test: whether it is clear depends on what is held constant."
)
NOWHERE = (
    "Along the ladder the estimate runs from {lowest} to {highest}; in no column has it p below the level by the "
    "cluster-robust t test."
)

QUALITY = (
    "{statistics} statistics were read, and {rows} rows of {entities} units over {periods} periods are analysed; "
    "missing figures filled: {filled}, rows dropped: {dropped}, warnings of the checks of the raw figures: {warnings}."
)

SURE_KEYS = {
    "heaviest": "leverage.heaviest",
    "without": "leverage.without_heaviest",
    "detectable": "detectable",
}

QUALITY_KEYS = {
    "statistics": "statistics",
    "rows": "rows",
    "entities": "entities",
    "periods": "periods",
    "filled": "cells_filled",
    "dropped": "rows_dropped",
    "warnings": "warnings",
}


def answer(study: Study, results: Mapping[str, Result]) -> list[Sentence]:
    """The answer in two to four sentences; none where the study recorded no primary estimate.

    Parameters
    ----------
    study
        The study.
    results
        Recorded results; read are those of the ladder, the wild bootstrap of its primary column, what its units hold
        and, where the effect is clear, the treatment of the next period.
    """
    ladder = {column: results.get(_key(study, column)) for column in study.ladder}
    found = {column: result for column, result in ladder.items() if result is not None and result.p_value is not None}
    effect, wild = found.get(study.primary), results.get(f"{_key(study, study.primary)}.wild")
    if effect is None or wild is None or wild.p_value is None or effect.estimate is None:
        return []
    level = study.specification.significance
    words: dict[str, Named] = {
        "treatment": study.words(study.specification.treatment),
        "outcome": study.words(study.specification.outcome),
        "effect": effect,
        "wild": wild,
        **_interval(results, effect, wild),
    }
    clear = [p_value < level for p_value in (effect.p_value, wild.p_value) if p_value is not None]
    if len(set(clear)) > 1:
        first = DIVIDED
    elif not any(clear):
        first = NOTHING
    else:
        first = POSITIVE if effect.estimate > 0 else NEGATIVE
    said = [write_sentence(first, results, words), _ladder_sentence(study, found, results, all(clear))]
    lead = results.get("robustness.placebo.lead")
    if all(clear) and lead is not None and _is_below(lead, level):
        said.append(write_sentence(FUTURE, results, {"lead": lead}))
    sure = {name: results.get(f"baseline.{key}") for name, key in SURE_KEYS.items()}
    known = {name: result for name, result in sure.items() if result is not None}
    return [*said, write_sentence(SURE, results, known)] if len(known) == len(sure) else said


def quality(results: Mapping[str, Result]) -> list[Sentence]:
    """One line on the data: what was read, filled, dropped and warned of; none where a part was not recorded."""
    found = {name: results.get(f"data.{key}") for name, key in QUALITY_KEYS.items()}
    known: dict[str, Named] = {name: result for name, result in found.items() if result is not None}
    return [write_sentence(QUALITY, results, known)] if len(known) == len(found) else []


def _interval(results: Mapping[str, Result], effect: Result, wild: Result) -> dict[str, Named]:
    """The interval that is told, and its method: that of the headline, where it is bounded."""
    used = results.get("baseline.headline.method")
    order = {str(used.value): results.get("baseline.headline")} if used is not None else {}
    method, told = next(
        (name, item)
        for name, item in (*order.items(), ("wild", wild), ("clustered_t", effect))
        if item is not None and (item is effect or None not in (item.ci_low, item.ci_high))
    )
    return {"interval": told, "method": SPOKEN[method]}


def _ladder_sentence(study: Study, found: Mapping[str, Result], results: Mapping[str, Result], clear: bool) -> Sentence:
    level = study.specification.significance
    estimates = {column: result for column, result in found.items() if result.estimate is not None}
    without = [
        (column, result)
        for column, result in estimates.items()
        if set(study.ladder[column].effects) == {"entity"} and _is_below(result, level)
    ]
    timed = [result for column, result in estimates.items() if "time" in study.ladder[column].effects]
    if not clear and without and timed and not any(_is_below(result, level) for result in timed):
        column, result = without[-1]
        words: dict[str, Named] = {"column": study.ladder[column].label, "other": result}
        wild = results.get(f"{_key(study, column)}.wild")
        if wild is None or wild.p_value is None:
            return write_sentence(ONLY_WITHOUT, results, words)
        return write_sentence(ONLY_WITHOUT_BOTH, results, {**words, "other_wild": wild})
    below = [_is_below(result, level) for result in estimates.values()]
    if all(below) and _one_sign(estimates.values()):
        return write_sentence(EVERYWHERE, results, {})
    ordered = sorted(estimates.values(), key=lambda result: float(result.estimate or 0.0))
    message = NOWHERE if not any(below) else PARTLY if _one_sign(estimates.values()) else TURNS
    return write_sentence(message, results, {"lowest": ordered[0], "highest": ordered[-1]})


def _one_sign(results: Iterable[Result]) -> bool:
    return len({float(result.estimate or 0.0) > 0 for result in results}) == 1


def _is_below(result: Result, level: float) -> bool:
    return result.p_value is not None and result.p_value < level


def _key(study: Study, column: str) -> str:
    return f"baseline.{column}.{study.specification.treatment}"
