"""Verdicts on the claims of the literature, computed from results by the rules of a study's claims file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from helpers.claims.file import CONDITIONS, Claim, Claims, VerdictName, load_claims
from helpers.claims.rules import RuleError, evaluate_rule
from helpers.errors import StudyError
from helpers.results.results import Results
from helpers.study.study import Label, Study

__all__ = [
    "Claims",
    "Evidence",
    "Verdict",
    "claim_words",
    "evidence_table",
    "expand_words",
    "judge_claims",
    "load_claims",
    "record_verdicts",
    "short_ledger",
    "verdict_table",
]

VERDICT_LABELS: dict[str, Label] = {
    "supported": Label(en="supported", zh="支持"),
    "partly_supported": Label(en="partly supported", zh="部分支持"),
    "not_supported": Label(en="not supported", zh="不支持"),
    "contradicted": Label(en="contradicted", zh="与之相反"),
    "not_testable": Label(en="not testable here", zh="此处无法检验"),
}
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
    """

    name: str
    key: str
    values: dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """A judged claim.

    Attributes
    ----------
    claim_id, claim
        The claim, as the file has it.
    verdict
        ``supported``, ``partly_supported``, ``not_supported``, ``contradicted`` or ``not_testable``.
    conditions
        Condition -> whether it holds.
    computed
        Each count or share of the rule, as written, with its number.
    evidence
        Every result that the rule read.
    """

    claim_id: str
    claim: Claim
    verdict: VerdictName
    conditions: dict[VerdictName, bool] = field(default_factory=dict)
    computed: dict[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    def label(self, language: Literal["en", "zh"] = "en") -> str:
        """The verdict in words."""
        return str(getattr(VERDICT_LABELS[self.verdict], language))

    def evidence_table(self) -> pd.DataFrame:
        """The evidence as rows: name, key, field, number."""
        rows = [(item.name, item.key, name, number) for item in self.evidence for name, number in item.values.items()]
        return pd.DataFrame(rows, columns=["name", "key", "field", "number"])


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


def verdict_table(verdicts: Mapping[str, Verdict], language: Literal["en", "zh"] = "en") -> pd.DataFrame:
    """The ledger: one row per claim with its sentence, source, the test in words, the verdict and what it rests on."""
    rows = []
    for claim_id, verdict in verdicts.items():
        claim = verdict.claim
        why = claim.test if claim.not_testable is None else claim.not_testable
        rows.append(
            {
                "claim": claim_id,
                "source": claim.source,
                "section": getattr(claim.section, language),
                "text": getattr(claim.text, language),
                "test": getattr(why, language),
                "verdict": verdict.label(language),
                "results": len(verdict.evidence),
            }
        )
    return pd.DataFrame(rows).set_index("claim")


def short_ledger(verdicts: Mapping[str, Verdict], language: Literal["en", "zh"] = "en") -> pd.DataFrame:
    """One row per claim: its sentence and its verdict."""
    rows = {
        claim_id: {"text": getattr(verdict.claim.text, language), "verdict": verdict.label(language)}
        for claim_id, verdict in verdicts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("claim")


def evidence_table(verdicts: Mapping[str, Verdict]) -> pd.DataFrame:
    """Every number that a rule read, by claim: the key of the result, the field and the number."""
    return pd.concat({claim_id: verdict.evidence_table() for claim_id, verdict in verdicts.items()}, names=["claim"])[
        ["key", "field", "number"]
    ].droplevel(1)


def record_verdicts(results: Results, verdicts: Mapping[str, Verdict]) -> None:
    """Record every verdict under ``claims.<claim>.verdict``, the claim in lower case with underscores."""
    for claim_id, verdict in verdicts.items():
        results.record(f"claims.{claim_id.lower().replace('-', '_')}.verdict", value=verdict.label())


def _judge(
    claim_id: str,
    claim: Claim,
    constants: Mapping[str, float],
    results: Mapping[str, Any],
    words: Mapping[str, str | Sequence[str]],
) -> Verdict:
    if claim.not_testable is not None:
        return Verdict(claim_id, claim, "not_testable")
    keys = {name: _expand(claim_id, key, results, words) for name, key in claim.reads.items()}
    pairs = list(dict.fromkeys(pair for rule in claim.rules.values() for pair in rule.reads))
    read = {(name, part): [_number(claim_id, key, part, results) for key in keys[name]] for name, part in pairs}
    values = {
        pair: np.array(found) if _is_list(claim.reads[pair[0]], words) else found[0] for pair, found in read.items()
    }
    holds: dict[VerdictName, bool] = {}
    computed: dict[str, float] = {}
    for condition, rule in claim.rules.items():
        try:
            answer = evaluate_rule(rule, values, constants)
        except RuleError as error:
            raise StudyError(f"claim {claim_id}, rule {condition}", str(error), "correct the claims file") from None
        holds[condition] = answer.holds
        computed.update(answer.computed)
    verdict: VerdictName = next((name for name in CONDITIONS if holds.get(name)), "not_supported")
    evidence = tuple(
        Evidence(name, key, {part: read[name, part][place] for owner, part in pairs if owner == name})
        for name in claim.reads
        for place, key in enumerate(keys[name])
    )
    return Verdict(claim_id, claim, verdict, holds, computed, evidence)


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
        patterns = [re.compile(re.escape(item).replace(r"\*", r"[^.]+")) for item in keys]
        keys = sorted(item for item in results if any(pattern.fullmatch(item) for pattern in patterns))
    if not keys:
        raise StudyError(
            f"claim {claim_id}", f"no result has a key like {key}", "record those results, or correct reads"
        )
    return keys


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
        found = record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)
        if isinstance(found, int | float | np.number) and not isinstance(found, bool):
            return float(found)
    raise StudyError(
        f"claim {claim_id}",
        f"reads {part} of the result {key}, which has none",
        f"record {key} with {part}, or correct reads",
    )
