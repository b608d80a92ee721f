"""The ledger as tables: verdict, reason, caution, and what a reader of stars would have said, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.claims.file import Claims
from helpers.claims.verdicts import VERDICT_LABELS, Evidence, Verdict
from helpers.display.prose import format_drawn_p_value, format_number, format_p_and_error
from helpers.results.results import Result
from helpers.study.study import Label

NOTHING = Label(en="", zh="")
SMALLEST = 0.0001
HOLDS = Label(en="holds: ", zh="成立：")
FAILS = Label(en="does not hold: ", zh="不成立：")
BESIDE = Label(en="beside it: ", zh="另外：")
SIGNS = {">": Label(en="positive ", zh="为正"), "<": Label(en="negative ", zh="为负"), "": Label(en="", zh="")}
BY_WILD = "_wild"
WITHOUT_TIMES = "_e"
BORDER = Label(
    en="at the border: other draws could turn it",
    zh="处于临界：换一组抽样可能改变结论",
)


def ledger(verdicts: Mapping[str, Verdict], claims: Claims) -> pd.DataFrame:
    """One row per claim: source, its sentence, the verdict with its condition, the reason, and what stars would say."""
    rows = {
        claim_id: {
            "source": verdict.claim.source,
            "text": verdict.claim.text,
            "verdict": verdict.words(),
            "reason": reason(verdict, claims),
            "by_stars": VERDICT_LABELS[verdict.by_stars] if verdict.by_stars else NOTHING,
            "caution": verdict.claim.caution or NOTHING,
        }
        for claim_id, verdict in verdicts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("claim")


def rules(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """One row per claim: where it stands in the text, and the rule in words or the reason why there is none."""
    rows = {
        claim_id: {
            "source": verdict.claim.source,
            "section": verdict.claim.section,
            "test": verdict.claim.not_testable or verdict.claim.test,
            "results": len(verdict.evidence),
        }
        for claim_id, verdict in verdicts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("claim")


def contested(verdicts: Mapping[str, Verdict], claims: Claims) -> pd.DataFrame:
    """The claims that pull against each other, side by side: question, claim, sentence, verdict."""
    rows = [
        {"question": pair.question, "claim": name, "text": verdicts[name].claim.text, "verdict": verdicts[name].words()}
        for pair in claims.contested
        for name in pair.claims
    ]
    return pd.DataFrame(rows, columns=["question", "claim", "text", "verdict"])


def counts(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """One row per source, one column per verdict: how many."""
    found = [(item.claim.source, item.verdict) for item in verdicts.values()]
    pairs = pd.DataFrame(found, columns=["source", "verdict"])
    table = pd.crosstab(pairs["source"], pairs["verdict"]).reindex(columns=list(VERDICT_LABELS), fill_value=0)
    return table.reindex(list(dict.fromkeys(pairs["source"]))).rename_axis(columns=None)


def evidence(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """Every number that a rule read, by claim: the key of the result, the field, and the number or the p-value.

    A p-value is told to four decimals, a drawn one with its Monte-Carlo error and never below what its draws allow:
    none is printed as zero.
    """
    rows = [
        {
            "claim": claim_id,
            "key": item.key,
            "field": name,
            "number": np.nan if name == "p_value" else number,
            "p": _tell_p_value(number, item.record) if name == "p_value" else "",
        }
        for claim_id, verdict in verdicts.items()
        for item in verdict.evidence
        for name, number in item.values.items()
    ]
    return pd.DataFrame(rows, columns=["claim", "key", "field", "number", "p"]).set_index("claim")


def _tell_p_value(p_value: float, record: Any) -> str:
    draws = getattr(record, "draws", None)
    if draws:
        return format_p_and_error(p_value, draws, getattr(record, "p_error", None))
    return f"{p_value:.4f}" if p_value >= SMALLEST else f"< {SMALLEST}"


def reason(verdict: Verdict, claims: Claims) -> Label:
    """The deciding numbers of a verdict in one sentence; where nothing tests it, why not.

    Each thing that the rule reads is named once, with its estimate and its p-values by the t test and by the bootstrap,
    first with time effects, then without. Where a claim is partly supported by one thing or another, what holds comes
    first, then what does not.
    """
    if verdict.claim.not_testable is not None:
        return verdict.claim.not_testable
    parts = [
        Label(en=f"{head.en}{told.en}", zh=f"{head.zh}{told.zh}")
        for head, names in _sides(verdict)
        if (told := _list(verdict, names, claims)) is not None
    ]
    return _join([*parts, BORDER] if verdict.at_border else parts)


def _sides(verdict: Verdict) -> list[tuple[Label, set[str]]]:
    """What the rule reads, by whether it makes the claim partly supported; under no head where it is one thing."""
    every = {item.name for item in verdict.evidence}
    if len(verdict.ways) < 2:
        return [(NOTHING, every)]
    held = {name for way, holds in verdict.ways if holds for name, _ in way.reads}
    rest = {name for way, holds in verdict.ways if not holds for name, _ in way.reads} - held
    return [(HOLDS, held), (FAILS, rest), (BESIDE, every - held - rest)]


def _list(verdict: Verdict, names: set[str], claims: Claims) -> Label | None:
    """The things of some names with their numbers; None where there is none."""
    groups: dict[str, dict[str, Evidence]] = {}
    several: dict[str, list[Evidence]] = {}
    for item in verdict.evidence:
        if item.name not in names:
            continue
        if sum(other.name == item.name for other in verdict.evidence) > 1:
            several.setdefault(item.name, []).append(item)
        else:
            groups.setdefault(_base(item.name), {})[item.name] = item
    parts = [_told(name, group, claims) for name, group in groups.items()]
    parts += [_shares(name, verdict, claims) for name in several if not name.endswith(BY_WILD)]
    return _join(parts) if parts else None


def _join(parts: Iterable[Label]) -> Label:
    told = list(parts)
    return Label(en="; ".join(part.en for part in told), zh="；".join(part.zh for part in told))


def _base(name: str) -> str:
    return re.sub(r"(_e)?(_wild)?$", "", name)


def _told(base: str, group: Mapping[str, Evidence], claims: Claims) -> Label:
    """One thing with its numbers: estimate, p by t and by bootstrap or interval; then the same without time effects."""
    label = claims.words.get(base, Label(en=base.replace("_", " "), zh=base))
    halves = []
    for end, en, zh in (("", "", ""), (WITHOUT_TIMES, "without year effects ", "不含年份固定效应")):
        main = group.get(f"{base}{end}")
        wild = group.get(f"{base}{end}{BY_WILD}")
        if main is None and wild is None:
            continue
        text = _numbers(item for item in (main, wild) if item is not None)
        halves.append(Label(en=f"{en}{text.en}", zh=f"{zh}{text.zh}"))
    en, zh = ", ".join(half.en for half in halves), "，".join(half.zh for half in halves)
    return Label(en=f"{label.en} {en}", zh=f"{label.zh} {zh}")


def _numbers(items: Iterable[Evidence]) -> Label:
    en: list[str] = []
    zh: list[str] = []
    shown = ""
    for item in items:
        record, is_wild = item.record, item.name.endswith(BY_WILD)
        number = _get(record, "estimate", _get(record, "value"))
        shown = shown or format_number(number, 3)
        if "p_value" in item.values:
            p_value = format_drawn_p_value(item.values["p_value"], _get(record, "draws"), _get(record, "p_error"))
            p_value = f"p {p_value}" if p_value.startswith(("<", ">")) else f"p = {p_value}"
            en.append(f"{p_value} by the wild bootstrap" if is_wild else p_value)
            zh.append(f"野聚类自助法{p_value}" if is_wild else p_value)
        elif {"ci_low", "ci_high"} & item.values.keys():
            interval = f"[{_end(_get(record, 'ci_low'))}, {_end(_get(record, 'ci_high'))}]"
            en.append(interval)
            zh.append(interval)
    if not en:
        return Label(en=shown, zh=shown)
    return Label(en=f"{shown} ({', '.join(en)})", zh=f"{shown}（{'，'.join(zh)}）")


def _end(number: float | None) -> str:
    """An end of an interval; one that was not recorded is infinite."""
    return "∞" if number is None else format_number(number, 3)


def _shares(name: str, verdict: Verdict, claims: Claims) -> Label:
    """How large a part of several results meets what the rule counts, the first count of each sign."""
    label = claims.words.get(name, Label(en=name, zh=name))
    told: dict[Label, str] = {}
    for text, number in verdict.computed.items():
        if f"{name}." in text:
            sign = re.search(rf"\b{re.escape(name)}\.estimate ([<>]) 0", text)
            told.setdefault(SIGNS[sign[1] if sign else ""], format_number(float(np.round(number, 3)), 2))
    en = ", ".join(f"{sign.en}{shown}" for sign, shown in told.items())
    return Label(
        en=f"{label.en} {en}", zh=f"{label.zh} {'，'.join(f'{sign.zh}{shown}' for sign, shown in told.items())}"
    )


def _get(record: Any, name: str, other: Any = None) -> Any:
    found = record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)
    return other if found is None else found


def held_effects(results: Mapping[str, Result]) -> pd.DataFrame:
    """One row per effect with a leverage: what three entities hold, the estimate with and without the heaviest.

    Reads ``key.held.three``, ``key`` and ``key.held.without`` (NaN where it could not be fitted).
    """
    ending = ".held.three"
    keys = [key.removesuffix(ending) for key in results if key.endswith(ending)]
    rows = {
        key: {
            "three": results[key + ending].value,
            "estimate": results[key].estimate,
            "without": getattr(results.get(f"{key}.held.without"), "estimate", np.nan),
        }
        for key in keys
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["three", "estimate", "without"], dtype=float)
