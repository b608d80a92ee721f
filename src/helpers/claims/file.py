"""The claims file: claims of the literature as data, each with a sentence, a source and a rule over results.

A claim names the results that it reads and up to three conditions (`helpers.claims.rules` is their language). They are
tried in a fixed order, contradicted, supported, partly supported; where none holds the claim is not supported. A claim
that nothing here can test carries the reason instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from helpers.claims.rules import Rule, RuleError, parse_rule, split_rule
from helpers.errors import StudyError
from helpers.study.data import Label, Name, Strict
from helpers.study.file import read_as
from helpers.study.study import load_study

ClaimId = Annotated[str, Field(pattern=r"^[A-Z]{2,5}-[0-9]{1,2}[a-z]?$")]
SourceKey = Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
VerdictName = Literal["supported", "partly_supported", "not_supported", "contradicted", "not_testable"]

# What a sentence may leave to the study file to name.
ROLES = ("treatment", "outcome")

# The order in which the conditions are tried.
CONDITIONS: tuple[VerdictName, ...] = ("contradicted", "supported", "partly_supported")


class Source(Strict):
    """A text whose claims are judged: title, where it appeared, and what kind of text it is."""

    title: Label
    reference: Label
    kind: Label


class Conditions(Strict):
    """The rule of a claim: one condition per verdict; `supported` is always there."""

    contradicted: str | None = None
    supported: str
    partly_supported: str | None = None


class Qualification(Strict):
    """What is added to a verdict where a further condition holds, for instance that a sign shows only in one model."""

    when: str
    words: Label


class Contest(Strict):
    """Claims that pull against each other, to be read side by side."""

    question: Label
    claims: tuple[ClaimId, ...] = Field(min_length=2)


class Claim(Strict):
    """One claim: its sentence, where it stands, and either a rule over named results or the reason why there is none.

    Attributes
    ----------
    reads
        Name used in the rule -> result key. A key may hold placeholders such as ``{treatment}`` and, for a name that
        stands for several results, ``*`` for one dotted part or a placeholder that lists several words.
    test
        The rule in words.
    partly
        What a partly supported verdict rests on, in words: a verdict names its condition. Of a rule that is one thing
        or another, a list names each, and the verdict those that hold.
    qualified
        Words that are added to the verdict where their own condition holds; the first that does. They stand in the
        place of `partly`, which may name what either of several parts of the rule rests on.
    """

    source: SourceKey
    section: Label
    text: Label
    test: Label | None = None
    reads: dict[Name, str] = Field(default_factory=dict)
    rule: Conditions | None = None
    partly: Label | tuple[Label, ...] | None = None
    qualified: tuple[Qualification, ...] = ()
    not_testable: Label | None = None
    caution: Label | None = None
    _rules: dict[VerdictName, Rule] = PrivateAttr(default_factory=dict)
    _additions: tuple[tuple[Rule, Label], ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _check_either(self) -> Self:
        if (self.rule is None) == (self.not_testable is None):
            raise ValueError("a claim has either a rule or the reason why it is not testable, not both and not neither")
        if self.rule is not None and (self.test is None or not self.reads):
            raise ValueError("a rule needs the names that it reads and the same test in words")
        if self.rule is not None and (self.rule.partly_supported is None) != (self.partly is None):
            raise ValueError("partly names what a partly supported verdict rests on: give both or neither")
        return self

    @model_validator(mode="after")
    def _parse(self) -> Self:
        for condition in CONDITIONS:
            text = getattr(self.rule, condition, None)
            if text is not None:
                self._rules[condition] = self._read_rule(condition, text)
        self._additions = tuple((self._read_rule("qualified", item.when), item.words) for item in self.qualified)
        unused = self.reads.keys() - {name for rule in self.all_rules for name, _ in rule.reads}
        if unused:
            raise ValueError(f"reads names {', '.join(sorted(unused))}, which no condition uses")
        return self

    @model_validator(mode="after")
    def _check_ways(self) -> Self:
        named, ways = self.partly if isinstance(self.partly, tuple) else (), self.ways
        if named and len(named) != len(ways):
            told = f"partly names {len(named)} things, and the rule of partly_supported joins {len(ways)} by or"
            raise ValueError(told)
        return self

    def _read_rule(self, condition: str, text: str) -> Rule:
        try:
            rule = parse_rule(text)
        except RuleError as error:
            raise ValueError(f"rule {condition}: {error}") from None
        unknown = sorted({name for name, _ in rule.reads} - self.reads.keys())
        if unknown:
            raise ValueError(f"rule {condition}: {', '.join(unknown)} is not among reads")
        return rule

    @property
    def ways(self) -> tuple[Rule, ...]:
        """What makes the claim partly supported: each of the conditions that its rule joins by or."""
        return split_rule(self._rules["partly_supported"]) if "partly_supported" in self._rules else ()

    @property
    def additions(self) -> tuple[tuple[Rule, Label], ...]:
        """The parsed conditions of what is added to the verdict, each with its words."""
        return self._additions

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Every parsed condition, those of the additions last."""
        return (*self._rules.values(), *(rule for rule, _ in self._additions))

    @property
    def rules(self) -> dict[VerdictName, Rule]:
        """The parsed conditions, in the order in which they are tried."""
        return self._rules


class Claims(Strict):
    """A study's claims file.

    Attributes
    ----------
    significance
        The level to which rules refer by the name ``significance``.
    thresholds
        Further declared numbers to which rules refer by name.
    words
        What a name in reads means, for the sentence that gives the reason of a verdict.
    contested
        Claims that pull against each other.
    """

    significance: float = Field(gt=0, lt=0.5)
    thresholds: dict[Name, float] = Field(default_factory=dict)
    words: dict[Name, Label] = Field(default_factory=dict)
    sources: dict[SourceKey, Source]
    claims: dict[ClaimId, Claim]
    contested: tuple[Contest, ...] = ()

    @property
    def constants(self) -> dict[str, float]:
        """Every declared number by its name."""
        return {"significance": self.significance, **self.thresholds}

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for claim_id, claim in self.claims.items():
            if claim.source not in self.sources:
                raise ValueError(f"{claim_id} names the source {claim.source}, which is not declared")
            for rule in claim.all_rules:
                unknown = sorted(set(rule.constants) - self.constants.keys())
                if unknown:
                    raise ValueError(f"{claim_id}, rule {rule.text}: no threshold is called {', '.join(unknown)}")
        for contest in self.contested:
            missing = sorted(set(contest.claims) - self.claims.keys())
            if missing:
                raise ValueError(f"contested names {', '.join(missing)}, which is no claim of this file")
        return self


def load_claims(path: Path) -> Claims:
    """Read and validate a claims file; a folder stands for the ``claims.yml`` in it.

    A sentence may say ``{treatment}`` and ``{outcome}``: they are what the study file beside it calls these.

    Raises
    ------
    StudyError
        The file is missing, is not YAML, or breaks a rule of `Claims`.
    """
    path = path / "claims.yml" if path.is_dir() else path
    if not path.is_file():
        raise StudyError(
            str(path), "there is no claims file here", "write one; data/provinces/claims.yml is an example"
        )
    claims = read_as(path, Claims, "correct the claims file; helpers.claims.verdicts lists what it may hold")
    return _with_labels(claims, path.parent) if any(map(_names_roles, claims.claims.values())) else claims


def _names_roles(claim: Claim) -> bool:
    return any(f"{{{role}}}" in claim.text.en + claim.text.zh for role in ROLES)


def _with_labels(claims: Claims, folder: Path) -> Claims:
    """Claims whose sentences call treatment and outcome by the labels of the study."""
    study = load_study(folder)
    words = {role: study.words(getattr(study.specification, role)) for role in ROLES}
    said = {
        name: claim.model_copy(
            update={
                "text": Label(
                    en=_fill(claim.text.en, {role: word.en for role, word in words.items()}),
                    zh=_fill(claim.text.zh, {role: word.zh for role, word in words.items()}),
                )
            }
        )
        for name, claim in claims.claims.items()
    }
    return claims.model_copy(update={"claims": said})


def _fill(text: str, words: dict[str, str]) -> str:
    for role, word in words.items():
        text = text.replace(f"{{{role}}}", word)
    return text
