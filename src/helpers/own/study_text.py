"""The files of a new study as text: its commented study file, its claim, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from helpers.own.entities import Entities
from helpers.own.words import is_chinese, label, quote, snake
from helpers.own.words import name as word
from helpers.reading.names import join_blanks
from helpers.reading.proposal import Measure, Proposal
from helpers.study.periods import WORDS, Kind, show_period

# A group of fewer entities has no regression of its own.
SMALLEST_GROUP = 5
MOST_GROUPINGS = 2
TIME_NAMES: dict[Kind, str] = {"fiscal_year": "year", "day": "date"}

CLAIMS = ("raises", "lowers", "moves")
_WORDS = {"raises": ("raises", "提高"), "lowers": ("lowers", "降低"), "moves": ("moves", "影响")}
_SIGNS = {"raises": ">", "lowers": "<"}


@dataclass(frozen=True)
class Roles:
    """Which measures the model is of, and which are as published however they jump, by their names in the study."""

    outcome: str
    treatment: str
    controls: tuple[str, ...]
    genuine: tuple[str, ...] = ()


def time_name(kind: Kind) -> str:
    """What the study calls a period of a kind."""
    return TIME_NAMES.get(kind, kind)


def study_text(
    name: str,
    proposal: Proposal,
    names: dict[str, str],
    entities: Entities,
    roles: Roles,
    adopted: dict[str, object],
    claim: str,
) -> str:
    """The study file."""
    times = sorted({int(time) for time in proposal.figures.index.get_level_values(1)})
    measures = {names[item.heading]: item for item in proposal.measures}
    described = {key: f"unit: {quote(item.unit)}, label: {label(item.label)}" for key, item in measures.items()}
    columns = "\n".join(f"  {word(key)}: {{file: raw/figures.csv, {text}}}" for key, text in described.items())
    variables = "\n".join(f"  {word(key)}: {{formula: {word(key)}, {text}}}" for key, text in described.items())
    english, chinese = _question(measures[roles.outcome], measures[roles.treatment], claim)
    return Template(read_template("adopted_study.yml")).substitute(
        name=name,
        language="zh" if is_chinese([item.label for item in proposal.measures]) else "en",
        title=label(f"{name}: {english}", f"{name}：{chinese}"),
        question_en=quote(english),
        question_zh=quote(chinese),
        adopted="\n".join(f"  {key}: {_yaml(value)}" for key, value in adopted.items()),
        key=word(entities.key),
        aliases=", ".join(map(word, entities.aliases)),
        entity_label=label(join_blanks(proposal.entity)),
        time=_time_text(proposal.kind, times),
        columns=columns,
        variables=variables,
        contract=f"{{genuine: [{', '.join(map(word, roles.genuine))}]}}" if roles.genuine else "{}",
        outcome=word(roles.outcome),
        treatment=word(roles.treatment),
        controls=", ".join(map(word, roles.controls)),
        ladder=read_template("adopted_ladder.yml" if roles.controls else "adopted_ladder_bare.yml").rstrip("\n"),
        regions=_regions_text(entities, _analysed(proposal, names, entities, roles)),
    )


def claims_text(claim: str) -> str:
    """The claims file: one claim in the direction that the person named, or in either, by the labels of the study."""
    english, chinese = _WORDS[claim]
    words = {
        "en": quote(f"{{treatment}} {english} {{outcome}}."),
        "zh": quote(f"{{treatment}}{chinese}{{outcome}}。"),
    }
    template = "adopted_claims.yml" if claim in _SIGNS else "adopted_claims_two_sided.yml"
    sign = _SIGNS.get(claim, "")
    signs = {"sign": sign, "against": {">": "<", "<": ">"}.get(sign, "")}
    told = {
        "sign_en": {">": "positive", "<": "negative"}.get(sign, ""),
        "sign_zh": {">": "正", "<": "负"}.get(sign, ""),
    }
    against = {"against_en": {">": "negative", "<": "positive"}.get(sign, "")}
    against["against_zh"] = {">": "负", "<": "正"}.get(sign, "")
    return Template(read_template(template)).safe_substitute(words | signs | told | against)


def read_template(name: str) -> str:
    """The text of a template."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _question(outcome: Measure, treatment: Measure, claim: str) -> tuple[str, str]:
    verb = {"raises": "raise", "lowers": "lower", "moves": "move"}[claim]
    return (
        f"Does {treatment.label} {verb} {outcome.label}?",
        f"{treatment.label}是否{_WORDS[claim][1]}{outcome.label}？",
    )


def _time_text(kind: Kind, times: Sequence[int]) -> str:
    english, chinese = WORDS[kind]
    shown = [show_period(time, kind) for time in times]
    written = shown if kind in ("year", "period") else [quote(text) for text in shown]
    lines = [f"  name: {time_name(kind)}"]
    lines += [] if kind == "year" else [f"  kind: {kind}"]
    lines += [f"  first: {written[0]}", f"  last: {written[-1]}"]
    if len(times) < times[-1] - times[0] + 1:
        lines.append(f"  times: [{', '.join(written)}] # the periods that the table has")
    return "\n".join([*lines, f"  label: {label(english, chinese)}"])


def _yaml(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(quote(str(item)) for item in value)}]"
    return quote(str(value))


def _analysed(proposal: Proposal, names: dict[str, str], entities: Entities, roles: Roles) -> set[str]:
    """Keys of the entities with a row that the model can use: a group is counted by these."""
    used = {roles.outcome, roles.treatment, *roles.controls}
    whole = proposal.figures[[heading for heading, name in names.items() if name in used]].dropna()
    return {entities.keys[str(entity)] for entity in whole.index.unique(0)}


def _regions_text(entities: Entities, analysed: set[str]) -> str:
    blocks: list[str] = []
    taken: set[str] = set()
    for column in entities.groupings:
        found = entities.table[column]
        counts = found[found.index.isin(analysed)].value_counts().reindex(found.unique(), fill_value=0)
        groups = _in_order(str(value) for value in counts.index if value and counts[value] >= SMALLEST_GROUP)
        if len(groups) < 2:
            continue
        words = _group_words(column, groups, taken)
        taken |= set(words.values())
        others = [str(value) for value in counts.index if value not in groups]
        values = "\n".join(f"      {quote(value)}: {word}" for value, word in words.items())
        labels = "\n".join(f"      {word}: {_group_label(column, value)}" for value, word in words.items())
        reasons = {value: "too few members" if value else "in no group" for value in others}
        left = "\n".join(f"      {quote(value)}: {label(reason)}" for value, reason in reasons.items())
        left_out = f"    left_out:\n{left}\n" if others else ""
        blocks.append(
            f"  {word(column)}:\n    column: {word(column)}\n    order: [{', '.join(words.values())}]\n"
            f"    values:\n{values}\n{left_out}    labels:\n{labels}"
        )
    return "regions:\n" + "\n".join(blocks[:MOST_GROUPINGS]) if blocks else "regions: {}"


def _in_order(values: Iterable[str]) -> list[str]:
    """Groups by name, numbers by size; of a yes-no column those that have the property come first."""
    groups = sorted(values, key=lambda value: (0, int(value), "") if value.isdecimal() else (1, 0, value))
    return groups[::-1] if groups == ["0", "1"] else groups


def _group_label(column: str, value: str) -> str:
    """A group in words: a bare number says nothing without its column."""
    return label(value if any(sign.isalpha() for sign in value) else f"{join_blanks(column)} = {value}")


def _group_words(column: str, groups: Sequence[str], taken: set[str]) -> dict[str, str]:
    """A term for each group, its own among the groups of all groupings."""
    terms: dict[str, str] = {}
    for number, value in enumerate(groups, start=1):
        term = snake(value) or f"group_{number}"
        if term in taken or term in terms.values() or term in {"yes", "no", "on", "off", "true", "false", "null"}:
            term = f"{column}_{term}"
        if term in taken or term in terms.values():
            term = f"{column}_{number}"
        terms[value] = term
    return terms
