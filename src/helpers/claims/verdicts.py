"""Verdicts on the claims of the literature, computed from results by the rules of a study's claims file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np

from helpers import distributions as stats
from helpers.claims.file import CONDITIONS, Claim, Claims, VerdictName
from helpers.claims.rules import Rule, RuleError, evaluate_rule
from helpers.errors import StudyError
from helpers.results.results import Results
from helpers.study.study import Label, Study

VERDICT_LABELS: dict[str, Label] = {
    "supported": Label(en="supported", zh="支持"),
    "partly_supported": Label(en="partly supported", zh="部分支持"),
    "not_supported": Label(en="not supported", zh="不支持"),
    "contradicted": Label(en="contradicted", zh="与之相反"),
    "not_testable": Label(en="not testable here", zh="此处无法检验"),
}
# Conventions whose p-value is not that of the t statistic beside it.
DRAWN = ("restricted wild cluster bootstrap", "Romano-Wolf")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Evidence:
    """One result that a rule read.

    Attributes
    ----------
    name
        The name in the rule.
    key
        Key of the result.
    values
        Field -> number, for the fields that the rule read.
    record
        The whole result.
    """

    name: str
    key: str
    values: dict[str, float]
    record: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Verdict:
    """A judged claim.

    Attributes
    ----------
    claim
        As the file has it.
    verdict
        ``supported``, ``partly_supported``, ``not_supported``, ``contradicted`` or ``not_testable``.
    computed
        Each count or share of the rule, as written, with its number.
    evidence
        Every result that the rule read.
    added
        What is added to the verdict, since a further condition holds.
    by_stars
        The verdict that one would give who reads estimates and t tests only, not the bootstrap or the family.
    at_border
        Keys of results whose drawn p-value lies so near the level that other draws could put it on the other side.
    ways
        Of a partly supported claim each of the conditions that its rule joins by "or", and whether it holds.
    """

    claim: Claim
    verdict: VerdictName
    computed: dict[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    added: Label | None = None
    by_stars: VerdictName | None = None
    at_border: tuple[str, ...] = ()
    ways: tuple[tuple[Rule, bool], ...] = ()

    def words(self) -> Label:
        """The verdict with its condition, in both languages: what is added says it more exactly than `partly` does."""
        told, more = VERDICT_LABELS[self.verdict], [self.added] if self.added else self._partly()
        return Label(
            en="; ".join([told.en, *(part.en for part in more)]), zh="；".join([told.zh, *(part.zh for part in more)])
        )

    def _partly(self) -> list[Label]:
        """What a partly supported verdict rests on: of several things those that hold."""
        named = self.claim.partly
        if named is None or self.verdict != "partly_supported":
            return []
        if not isinstance(named, tuple):
            return [named]
        return [label for label, (_, holds) in zip(named, self.ways, strict=True) if holds]

    def label(self, language: Literal["en", "zh"] = "en") -> str:
        """The verdict in words."""
        return str(getattr(VERDICT_LABELS[self.verdict], language))


def claim_words(study: Study) -> dict[str, str | tuple[str, ...]]:
    """The words that a study puts in the place of a claims file's placeholders.

    ``outcome``, ``treatment`` and ``primary`` are one word each; ``column`` (of the ladder), ``row`` (of the robustness
    table) and ``mediator`` list several.
    """
    return {
        "outcome": study.specification.outcome,
        "treatment": study.specification.treatment,
        "primary": study.primary,
        "column": tuple(study.ladder),
        "row": tuple(study.robustness),
        "mediator": tuple(study.mediators),
    }


def judge_claims(
    claims: Claims, results: Mapping[str, Any], words: Mapping[str, str | Sequence[str]] | None = None
) -> dict[str, Verdict]:
    """Give each claim its verdict.

    Parameters
    ----------
    results
        Result key -> record with the fields estimate, value, std_error, p_value, ... (attributes or mapping keys).
    words
        Placeholder -> word or words, as `claim_words` gives them.

    Returns
    -------
    dict
        Claim id -> verdict, in the order of the file.

    Raises
    ------
    StudyError
        A key or field that a rule reads is not among the results; the message names claim and key.
    """
    return {
        claim_id: _judge(claim_id, claim, claims.constants, results, words or {})
        for claim_id, claim in claims.claims.items()
    }


def verdict_key(claim_id: str) -> str:
    """The key under which a verdict is recorded: the claim in lower case with underscores."""
    return f"claims.{claim_id.lower().replace('-', '_')}.verdict"


def record_verdicts(results: Results, verdicts: Mapping[str, Verdict]) -> None:
    """Record every verdict under ``claims.<claim>.verdict``, and how many of each source have which."""
    for claim_id, verdict in verdicts.items():
        results.record(verdict_key(claim_id), value=verdict.label())
    counted = Counter((verdict.claim.source, verdict.verdict) for verdict in verdicts.values())
    for (source, name), number in sorted(counted.items()):
        results.record(f"claims.{source.lower()}.{name}", value=number)
    results.record("claims.number", value=len(verdicts))


def _judge(
    claim_id: str,
    claim: Claim,
    constants: Mapping[str, float],
    results: Mapping[str, Any],
    words: Mapping[str, str | Sequence[str]],
) -> Verdict:
    if claim.not_testable is not None:
        return Verdict(claim, "not_testable")
    keys = {name: _expand(claim_id, key, results, words) for name, key in claim.reads.items()}
    pairs = list(dict.fromkeys(pair for rule in claim.all_rules for pair in rule.reads))
    read = {(name, part): [_number(claim_id, key, part, results) for key in keys[name]] for name, part in pairs}
    lists = {name: _is_list(key, words) for name, key in claim.reads.items()}
    values = {pair: np.array(found) if lists[pair[0]] else found[0] for pair, found in read.items()}
    stars = {
        (name, part): [_stars(results[key], number) for key, number in zip(keys[name], found, strict=True)]
        if part == "p_value"
        else found
        for (name, part), found in read.items()
    }
    seen = {pair: np.array(found) if lists[pair[0]] else found[0] for pair, found in stars.items()}
    holds, computed = _evaluate(claim_id, claim, values, constants)
    added = next((told for rule, told in claim.additions if evaluate_rule(rule, values, constants).holds), None)
    evidence = tuple(
        Evidence(name, key, {part: read[name, part][place] for owner, part in pairs if owner == name}, results[key])
        for name in claim.reads
        for place, key in enumerate(keys[name])
    )
    level = constants["significance"]
    border = tuple(item.key for item in evidence if "p_value" in item.values and _is_at_border(item.record, level))
    by_stars = _first(_evaluate(claim_id, claim, seen, constants)[0])
    verdict = _first(holds)
    ways = claim.ways if verdict == "partly_supported" else ()
    told = tuple((way, evaluate_rule(way, values, constants).holds) for way in ways)
    return Verdict(claim, verdict, computed, evidence, added, by_stars, border, told)


def _evaluate(
    claim_id: str, claim: Claim, values: Mapping[Any, Any], constants: Mapping[str, float]
) -> tuple[dict[VerdictName, bool], dict[str, float]]:
    """Which conditions hold, and every count and share that they took."""
    holds: dict[VerdictName, bool] = {}
    computed: dict[str, float] = {}
    for condition, rule in claim.rules.items():
        try:
            answer = evaluate_rule(rule, values, constants)
        except RuleError as error:
            raise StudyError(f"claim {claim_id}, rule {condition}", str(error), "correct the claims file") from None
        holds[condition] = answer.holds
        computed.update(answer.computed)
    return holds, computed


def _first(holds: Mapping[VerdictName, bool]) -> VerdictName:
    return next((name for name in CONDITIONS if holds.get(name)), "not_supported")


def _stars(record: Any, p_value: float) -> float:
    """The p-value that a table with stars shows: of the t statistic, where the record's is drawn."""
    statistic, clusters = _field(record, "statistic"), _field(record, "n_clusters")
    drawn = str(_field(record, "convention") or "").startswith(DRAWN)
    if not drawn or statistic is None or not clusters:
        return p_value
    return float(2 * stats.t.sf(abs(statistic), clusters - 1))


def _is_at_border(record: Any, level: float) -> bool:
    """Whether a p-value from random draws is within three Monte-Carlo errors of the level."""
    p_value, draws = _field(record, "p_value"), _field(record, "draws")
    if p_value is None or not draws:
        return False
    return bool(abs(p_value - level) < 3 * np.sqrt(level * (1 - level) / draws))


def _field(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)


def _is_list(key: str, words: Mapping[str, str | Sequence[str]]) -> bool:
    return "*" in key or any(not isinstance(words[name], str) for name in _PLACEHOLDER.findall(key))


def expand_words(where: str, key: str, words: Mapping[str, str | Sequence[str]]) -> list[str]:
    """The keys that an entry of reads stands for, with the study's words in the place of its placeholders.

    Raises
    ------
    StudyError
        The entry holds a placeholder that is not among the words.
    """
    keys = [key]
    for name in dict.fromkeys(_PLACEHOLDER.findall(key)):
        if name not in words:
            known = ", ".join(words) or "none"
            raise StudyError(where, f"{{{name}}} in {key} is not known", f"use one of: {known}")
        filling = words[name]
        choices = [filling] if isinstance(filling, str) else list(filling)
        keys = [item.replace(f"{{{name}}}", choice) for item in keys for choice in choices]
    return keys


def _expand(claim_id: str, key: str, results: Mapping[str, Any], words: Mapping[str, str | Sequence[str]]) -> list[str]:
    """The result keys behind one entry of reads."""
    keys = expand_words(f"claim {claim_id}", key, words)
    if "*" in key:
        keys = sorted(item for item in results if any(_matches(pattern, item) for pattern in keys))
    if not keys:
        raise StudyError(
            f"claim {claim_id}", f"no result has a key like {key}", "record those results, or correct reads"
        )
    return keys


def _matches(pattern: str, key: str) -> bool:
    """Whether a key is one of those that a pattern stands for; ``*`` is one letter or more between two dots."""
    parts, words = pattern.split("."), key.split(".")
    if len(parts) != len(words):
        return False
    return all(fnmatchcase(word, re.sub(r"\*+", "?*", part)) for part, word in zip(parts, words, strict=True))


def _number(claim_id: str, key: str, part: str, results: Mapping[str, Any]) -> float:
    if key not in results:
        raise StudyError(
            f"claim {claim_id}",
            f"reads the result {key}, which is not there",
            "record it in its notebook, or correct reads",
        )
    record = results[key]
    names = ("estimate", "value") if part == "number" else (part,)
    for name in names:
        found = _field(record, name)
        if isinstance(found, int | float | np.number) and not isinstance(found, bool):
            return float(found)
    raise StudyError(
        f"claim {claim_id}",
        f"reads {part} of the result {key}, which has none",
        f"record {key} with {part}, or correct reads",
    )
