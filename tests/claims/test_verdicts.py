"""Verdicts follow the rules of a claims file, and only those; rules are parsed and never run as code.

The provincial rules are compared with the words of the study's definition, case by case; no tolerance is needed.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from helpers.claims import shown
from helpers.claims.file import Claims, load_claims
from helpers.claims.rules import RuleError, evaluate_rule, parse_rule
from helpers.claims.verdicts import (
    Evidence,
    Verdict,
    claim_words,
    expand_words,
    judge_claims,
    record_verdicts,
)
from helpers.errors import StudyError
from helpers.results.results import Results

PROVINCES = Path(__file__).parents[2] / "data" / "provinces"
WORDS = {"primary": "twoway", "treatment": "dose", "row": ("one", "two", "three", "four", "five")}
LABEL = {"en": "text", "zh": "文"}


RULE = {"supported": "one.estimate > 0 and share(rows.p_value < significance) >= most"}


def small(rule: dict[str, str] | None = RULE, **claim: Any) -> Claims:
    content = {
        "source": "EMP",
        "section": LABEL,
        "text": LABEL,
        "test": LABEL,
        "reads": {"one": "group.first.{treatment}", "rows": "group.*.{treatment}"},
        "rule": rule,
        **claim,
    }
    sources = {"EMP": {"title": LABEL, "reference": LABEL, "kind": LABEL}}
    return Claims.model_validate(
        {"significance": 0.05, "thresholds": {"most": 0.8}, "sources": sources, "claims": {"EMP-1": content}}
    )


def two_rows(p_first: float = 0.01, p_second: float = 0.2) -> dict[str, dict[str, float]]:
    return {
        "group.first.dose": {"estimate": 1.0, "p_value": p_first},
        "group.second.dose": {"estimate": 2.0, "p_value": p_second},
        "group.second.dose.wild": {"estimate": 9.0, "p_value": 0.9},
    }


EMPIRICAL = {"EMP-1", "EMP-2", "EMP-3a", "EMP-3b", "EMP-3c", "EMP-4", "EMP-5"}
JOINT = ("median_standardised", "share_significant", "stouffer")


def provincial(changes: dict[str, dict[str, float]] | None = None) -> dict[str, dict[str, float]]:
    """Results under which every claim of the provincial file is supported, with the given changes."""
    good = {"estimate": 1.0, "p_value": 0.01, "ci_low": 0.5, "ci_high": 1.5}
    reads = [key for claim in load_claims(PROVINCES).claims.values() for key in claim.reads.values()]
    results = {key: dict(good) for text in reads for key in expand_words("test", text, WORDS)}
    for estimate, region in ((3.0, "east"), (2.0, "central"), (1.0, "west")):
        results[f"region.{region}.dose"] = {**good, "estimate": estimate}
        results[f"region.{region}.mean.dose"] = {"value": estimate}
    for key, change in (changes or {}).items():
        results[key] = {**results[key], **change}
    return results


def verdict(claim_id: str, changes: dict[str, dict[str, float]] | None = None) -> str:
    return judge_claims(load_claims(PROVINCES), provincial(changes), WORDS)[claim_id].verdict


def test_every_provincial_claim_can_be_supported() -> None:
    verdicts = judge_claims(load_claims(PROVINCES), provincial(), WORDS)
    empirical = {name: item.verdict for name, item in verdicts.items() if name in EMPIRICAL}
    assert empirical == dict.fromkeys(EMPIRICAL, "supported")


def test_the_provincial_file_holds_the_claims_of_the_empirical_text() -> None:
    claims = load_claims(PROVINCES).claims
    assert claims.keys() >= EMPIRICAL


MAIN = "baseline.twoway.dose"
PLAIN = {"estimate": -1.0, "p_value": 0.5}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({MAIN: {"p_value": 0.06}}, "not_supported"),
        ({f"{MAIN}.wild": {"p_value": 0.06}}, "not_supported"),
        ({MAIN: {"p_value": 0.05}}, "not_supported"),
        ({MAIN: {"p_value": 0.5}, "baseline.province_fe_controls.dose": {"p_value": 0.06}}, "not_supported"),
        ({MAIN: PLAIN, "baseline.province_fe_controls.dose": PLAIN}, "not_supported"),
        ({MAIN: {"estimate": -1.0}}, "contradicted"),
        ({MAIN: {"estimate": -1.0}, f"{MAIN}.wild": {"p_value": 0.06}}, "not_supported"),
    ],
)
def test_main_effect(changes: dict[str, dict[str, float]], expected: str) -> None:
    assert verdict("EMP-1", changes) == expected


@pytest.mark.parametrize(
    ("failing", "expected"),
    [(1, "supported"), (2, "partly_supported"), (3, "not_supported"), (5, "not_supported")],
)
def test_robustness_counts_the_declared_rows(failing: int, expected: str) -> None:
    changes = {f"robustness.{row}.dose": {"p_value": 0.3} for row in WORDS["row"][:failing]}
    assert verdict("EMP-2", changes) == expected


@pytest.mark.parametrize("statistic", JOINT)
def test_robustness_needs_every_joint_test(statistic: str) -> None:
    assert verdict("EMP-2", {f"robustness.multiverse.joint.{statistic}": {"p_value": 0.3}}) == "partly_supported"


def test_robustness_needs_a_positive_median_of_all_specifications() -> None:
    assert verdict("EMP-2", {"robustness.multiverse.joint.median_standardised": {"estimate": -1.0}}) == "not_supported"


def test_robustness_with_the_opposite_sign_contradicts() -> None:
    changes = {f"robustness.{row}.dose": {"estimate": -1.0} for row in WORDS["row"][:3]}
    assert verdict("EMP-2", changes) == "contradicted"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"path_b": {"p_value": 0.2}}, "partly_supported"),
        ({"indirect_effect": {"ci_low": -0.1}}, "partly_supported"),
        ({"path_a": {"p_value": 0.2}, "indirect_effect": {"ci_low": -0.1}}, "not_supported"),
        ({"path_a": {"estimate": -1.0}, "path_b": {"estimate": -1.0}}, "not_supported"),
        ({"path_a": {"estimate": -1.0}, "indirect_effect": {"ci_low": -2.0, "ci_high": -1.0}}, "contradicted"),
    ],
)
def test_mediation(changes: dict[str, dict[str, float]], expected: str) -> None:
    full = {f"mediation.digital_population.{part}": change for part, change in changes.items()}
    assert verdict("EMP-3b", full) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"central_minus_west.dose": {"p_value": 0.2}}, "partly_supported"),
        ({"central_minus_west.dose.wild": {"p_value": 0.2}}, "partly_supported"),
        ({"central.dose": {"estimate": 0.0}}, "not_supported"),
        ({"central_minus_west.dose": {"p_value": 0.2}, "east_minus_west.dose.wild": {"p_value": 0.2}}, "not_supported"),
        ({"central_minus_west.dose": {"estimate": -1.0}}, "contradicted"),
    ],
)
def test_ordering_of_the_regions(changes: dict[str, dict[str, float]], expected: str) -> None:
    assert verdict("EMP-4", {f"region.{key}": change for key, change in changes.items()}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"east_minus_west.mean.dose": {"p_value": 0.2}}, "partly_supported"),
        ({"west.mean.dose": {"value": 4.0}}, "not_supported"),
        ({"east_minus_west.mean.dose": {"estimate": -1.0}}, "contradicted"),
    ],
)
def test_levels_by_region(changes: dict[str, dict[str, float]], expected: str) -> None:
    assert verdict("EMP-5", {f"region.{key}": change for key, change in changes.items()}) == expected


def test_contradicted_comes_before_supported() -> None:
    claims = small(
        {"supported": "one.estimate > 0", "contradicted": "one.estimate > 0"}, reads={"one": "group.first.dose"}
    )
    assert judge_claims(claims, two_rows(), WORDS)["EMP-1"].verdict == "contradicted"


def test_a_star_stands_for_one_dotted_part() -> None:
    found = judge_claims(small(), two_rows(), WORDS)["EMP-1"]
    assert [item.key for item in found.evidence if item.name == "rows"] == ["group.first.dose", "group.second.dose"]


def test_evidence_holds_what_the_rule_read() -> None:
    found = judge_claims(small(), two_rows(), WORDS)["EMP-1"]
    assert [(item.key, item.values) for item in found.evidence] == [
        ("group.first.dose", {"estimate": 1.0}),
        ("group.first.dose", {"p_value": 0.01}),
        ("group.second.dose", {"p_value": 0.2}),
    ]


def test_a_share_is_shown_with_its_number() -> None:
    found = judge_claims(small(), two_rows(), WORDS)["EMP-1"]
    assert found.computed == {"share(rows.p_value < significance)": 0.5}
    assert "rows 0.50" in shown.reason(found, small()).en


def test_shares_of_two_signs_are_named_by_their_sign_even_where_they_are_equal() -> None:
    rule = {
        "contradicted": "share(rows.estimate < 0 and rows.p_value < significance) >= most",
        "supported": "share(rows.estimate > 0 and rows.p_value < significance) >= most",
    }
    for change, en, zh in (
        ({}, "rows negative 0.00, positive 0.50", "rows 为负0.00，为正0.50"),
        ({"estimate": -1.0}, "rows negative 0.50, positive 0.00", "rows 为负0.50，为正0.00"),
        ({"p_value": 0.2}, "rows negative 0.00, positive 0.00", "rows 为负0.00，为正0.00"),
    ):
        results = two_rows()
        results["group.first.dose"] |= change
        claims = small(rule, reads={"rows": "group.*.{treatment}"})
        told = shown.reason(judge_claims(claims, results, WORDS)["EMP-1"], claims)
        assert (told.en, told.zh) == (en, zh)


def test_evidence_does_not_depend_on_the_outcome() -> None:
    keys = [
        {item.key for item in judge_claims(load_claims(PROVINCES), provincial(changes), WORDS)["EMP-1"].evidence}
        for changes in ({}, {MAIN: {"estimate": -1.0}})
    ]
    assert keys[0] == keys[1]


def test_recorded_results_can_be_judged() -> None:
    results = Results(study="s", notebook="n")
    results.record("group.first.dose", estimate=1.0, p_value=0.001)
    assert judge_claims(small(), results, WORDS)["EMP-1"].verdict == "supported"


def test_a_claim_without_a_test_carries_its_reason() -> None:
    reason = {"en": "a matter of concepts", "zh": "概念问题"}
    claims = small(test=None, reads={}, rule=None, not_testable=reason)
    verdicts = judge_claims(claims, {}, WORDS)
    assert shown.ledger(verdicts, claims)["reason"].to_dict()["EMP-1"].zh == "概念问题"
    assert shown.rules(verdicts)["test"].to_dict()["EMP-1"].en == "a matter of concepts"


def test_the_ledger_speaks_both_languages() -> None:
    claims = load_claims(PROVINCES)
    assert shown.ledger(judge_claims(claims, provincial(), WORDS), claims)["verdict"].to_dict()["EMP-1"].zh == "支持"


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ({}, ["EMP-1", "group.first.dose"]),
        ({"group.first.dose": {"estimate": 1.0}}, ["EMP-1", "p_value", "group.first.dose"]),
        ({"group.first.dose": {"estimate": "rising", "p_value": 0.1}}, ["EMP-1", "estimate", "group.first.dose"]),
    ],
)
def test_a_missing_result_names_claim_and_key(results: dict[str, Any], told: list[str]) -> None:
    rule = {"supported": "one.estimate > 0 and one.p_value < significance"}
    with pytest.raises(StudyError) as caught:
        judge_claims(small(rule, reads={"one": "group.first.{treatment}"}), results, WORDS)
    assert all(part in str(caught.value) for part in told)


def test_a_pattern_without_results_stops() -> None:
    claims = small({"supported": "any(rows.estimate > 0)"}, reads={"rows": "nothing.*.{treatment}"})
    with pytest.raises(StudyError, match="no result has a key like"):
        judge_claims(claims, two_rows(), WORDS)


def test_an_unknown_placeholder_stops() -> None:
    claims = small({"supported": "one.estimate > 0"}, reads={"one": "group.first.{dose}"})
    with pytest.raises(StudyError, match=r"\{dose\}"):
        judge_claims(claims, two_rows(), WORDS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rule": {"supported": "one.estimate > 0", "maybe": "one.estimate > 0"}}, "extra"),
        ({"surprise": 1}, "extra"),
        ({"rule": None}, "either a rule or the reason"),
        ({"not_testable": LABEL}, "either a rule or the reason"),
        ({"test": None}, "the same test in words"),
        ({"rule": {"supported": "two.estimate > 0"}}, "two is not among reads"),
        ({"rule": {"supported": "one.estimate > 0"}}, "rows, which no condition uses"),
        ({"rule": {"supported": "one.estimate > 0 and any(rows.p_value < often)"}}, "no threshold is called often"),
        ({"source": "XYZ"}, "the source XYZ"),
    ],
)
def test_a_faulty_claim_is_refused_when_it_is_read(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        small(**change)


def test_a_faulty_file_is_told_in_three_parts(tmp_path: Path) -> None:
    (tmp_path / "claims.yml").write_text("significance: 0.05\nsources: {}\nclaims: {}\nsurprise: 1\n", encoding="utf-8")
    with pytest.raises(StudyError, match="surprise: unknown key") as caught:
        load_claims(tmp_path)
    assert "claims.yml" in caught.value.where


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no claims file"):
        load_claims(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "one.estimate.__class__ > 0",
        "one.__class__ > 0",
        "open('x') > 0",
        "[x for x in (1, 2)] > 0",
        "(lambda: 1)() > 0",
        "one['estimate'] > 0",
        "one.estimate == 1",
        "one.estimate ** 2 > 0",
        "'text' < 'word'",
        "share(one.estimate > 0, key=1) > 0",
        "True",
        "one.estimate >",
        "one.estimate > 0; one.estimate",
        "-" * 500 + "1 > 0",
        "not " * 400 + "one.estimate > 0",
        "(" * 500,
        "1 > 0 and " * 400 + "1 > 0",
    ],
)
def test_what_is_not_a_rule_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rule(text)


@pytest.mark.parametrize("text", ["rows.estimate > 0", "1 + 1", "not 3 and 1 > 0", "share(rows.estimate)"])
def test_a_rule_ends_in_one_yes_or_no(text: str) -> None:
    rule = parse_rule(text)
    with pytest.raises(RuleError):
        evaluate_rule(rule, {("rows", "estimate"): np.array([1.0, 2.0])}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 < 2 < 3", True),
        ("3 > 2 > 2", False),
        ("not 1 > 2", True),
        ("1 > 2 or 2 > 1 and 3 > 2", True),
        ("2 * 3 - 1 >= 10 / 2", True),
        ("-1 < 0", True),
        ("count(rows.estimate > 1) >= 2", True),
        ("all(rows.estimate > 1)", False),
        ("any(2 > rows.estimate > 0)", True),
        ("share(not rows.estimate > 1) <= 1 / 3", True),
    ],
)
def test_rules_evaluate_as_they_read(text: str, expected: bool) -> None:
    values = {("rows", "estimate"): np.array([1.0, 2.0, 3.0])}
    assert evaluate_rule(parse_rule(text), values, {}).holds is expected


CLOSE = {"p_value": 0.5}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "supported"),
        ({"infrastructure": CLOSE}, "partly supported; more where the level itself began higher; by the threshold"),
        ({"infrastructure": CLOSE, "level": CLOSE}, "partly supported; by the threshold without year effects"),
        ({"infrastructure": CLOSE, "level": CLOSE, "low": {"estimate": 2.0}}, "not supported"),
        ({"infrastructure": {"estimate": -1.0}}, "contradicted"),
    ],
)
def test_a_partly_supported_claim_names_the_part_that_holds(changes: dict[str, dict[str, float]], words: str) -> None:
    threshold = "heterogeneity.threshold.digital_infrastructure.without_years"
    keys = {name: f"heterogeneity.{name}.dose" for name in ("infrastructure", "level")} | {"low": f"{threshold}.low"}
    planted = {f"{threshold}.low": {"estimate": 0.5}} | {keys[name]: change for name, change in changes.items()}
    found = judge_claims(load_claims(PROVINCES), provincial(planted), WORDS)["EMP-6"].words().en
    assert found.startswith(words)
    assert ("threshold" in found) == ("partly" in words)


SAID = {
    "EMP-8": {
        "gaps.income_gap.digital_infrastructure": "the income gap narrows",
        "gaps.consumption_gap.digital_infrastructure": "the consumption gap narrows",
        "gaps.rural_access.digital_infrastructure.without_years": "rural access rises without year effects",
    },
    "HOL-2b": {
        "returns.square.without_years": "the square is negative without year effects",
        "returns.threshold.dose": "by the threshold",
    },
    "MOD-2": {
        "functions.social_management.dose": "social management responds;",
        "functions.public_service.dose": "public service responds;",
        "functions.environment_protection.dose.without_years": "environment protection responds, without year effects",
    },
    "SOQ-1": {
        "society.gap.dose": "the difference is positive",
        "society.gap.dose.without_years": "all three without year effects",
    },
}
"""Of four claims the numbers that alone make them partly supported, and what is then said."""
FALLING = ("gaps.income_gap", "gaps.consumption_gap", "returns.square.without_years")


@pytest.mark.parametrize(("claim_id", "key"), [(claim, key) for claim, said in SAID.items() for key in said])
def test_of_several_things_the_verdict_names_the_one_that_holds(claim_id: str, key: str) -> None:
    claims = load_claims(PROVINCES)
    read = [text for name in claims.claims[claim_id].reads.values() for text in expand_words(claim_id, name, WORDS)]
    planted = {name: {"p_value": 0.5} for name in read} | {"society.government.dose.without_years": {"p_value": 0.01}}
    planted |= {"society.government.dose.without_years.wild": {"p_value": 0.01}}
    planted["returns.threshold.dose.low"] = {"estimate": 2.0}
    planted |= {name: {"p_value": 0.01} for name in (key, f"{key}.wild") if name in read}
    planted[key] |= {"estimate": -0.25 if key.startswith(FALLING) else 0.25}
    found = judge_claims(claims, provincial(planted), WORDS)[claim_id]
    assert found.verdict == "partly_supported"
    words = {own: f"{text.rstrip(';')}" for own, text in SAID[claim_id].items()}
    assert found.words().en.startswith(f"partly supported; {words.pop(key)}")
    assert not any(f"; {other}" in found.words().en for other in words.values())
    told = shown.reason(found, claims)
    number = "\N{MINUS SIGN}0.250" if key.startswith(FALLING) else "0.250"
    holds, _, fails = told.en.partition("; does not hold: ")
    assert holds.startswith("holds: ")
    assert number in holds
    assert number not in fails
    assert told.zh.startswith("成立：")
    assert "；不成立：" in told.zh


def test_as_many_things_are_named_as_the_rule_joins() -> None:
    two = {**RULE, "partly_supported": "one.estimate > 0 or one.p_value < significance"}
    assert small(two, partly=[LABEL, LABEL]).claims["EMP-1"].ways[1].text == "one.p_value < significance"
    with pytest.raises(ValueError, match="partly names 1 things, and the rule of partly_supported joins 2"):
        small(two, partly=[LABEL])


def test_verdicts_are_recorded_by_claim() -> None:
    results = Results(study="s", notebook="n")
    record_verdicts(results, judge_claims(load_claims(PROVINCES), provincial(), WORDS))
    assert results["claims.emp_3a.verdict"].value == "supported"


def test_the_evidence_of_all_claims_is_one_table() -> None:
    table = shown.evidence(judge_claims(small(), two_rows(), WORDS))
    assert table.index.tolist() == ["EMP-1"] * 3
    assert table[["key", "field", "number"]].to_numpy().tolist()[0] == ["group.first.dose", "estimate", 1.0]


@pytest.mark.parametrize(
    ("p_value", "draws", "told"),
    [
        (0.0, 100_000, "< 0.00001"),  # none of the draws as extreme: a number of four decimals would read 0.0000
        (1e-5, 100_000, "< 0.00001"),
        (3e-5, 100_000, "0.000030 ± 0.000017"),
        (0.002, 500, "< 0.002"),
        (0.0496, 500, "0.0496 ± 0.0097"),
        (0.00001, None, "< 0.0001"),
        (0.0496, None, "0.0496"),
    ],
)
def test_a_p_value_of_the_evidence_is_never_below_what_its_draws_allow(
    p_value: float, draws: int | None, told: str
) -> None:
    claim = small().claims["EMP-1"]
    evidence = (Evidence("effect", "a.b", {"estimate": 0.5, "p_value": p_value}, SimpleNamespace(draws=draws)),)
    table = shown.evidence({"EMP-1": Verdict(claim, "supported", evidence=evidence)})
    assert table["p"].tolist() == ["", told]
    assert table["number"].isna().tolist() == [False, True]


def test_the_study_fills_the_placeholders() -> None:
    if not (PROVINCES / "study.yml").is_file():
        pytest.skip("the study file is not there")
    from helpers.study.study import load_study

    words = claim_words(load_study(PROVINCES))
    assert words["treatment"] == "digital_empowerment"
    assert "equal_weights" in words["row"]


def planted(changes: dict[str, Any]) -> Any:
    return judge_claims(load_claims(PROVINCES), provincial(changes), WORDS)["EMP-1"]


ONE_WAY = "baseline.province_fe_controls.dose"


def test_a_verdict_names_its_condition() -> None:
    only_one_way = planted({MAIN: PLAIN, f"{MAIN}.wild": {"estimate": -1.0, "p_value": 0.6}})
    assert only_one_way.words().en == (
        "not supported; positive only without year effects, where any two series that rise together are related"
    )
    assert planted({MAIN: PLAIN, ONE_WAY: PLAIN}).words().en == "not supported"
    assert planted({}).words().zh == "支持"


def test_the_reason_gives_the_deciding_numbers_in_both_languages() -> None:
    claims = load_claims(PROVINCES)
    told = shown.reason(planted({MAIN: {"estimate": -0.0612, "p_value": 0.43}}), claims)
    assert "−0.061 (p = 0.430, p = 0.010 by the wild bootstrap)" in told.en
    assert "−0.061（p = 0.430，野聚类自助法p = 0.010）" in told.zh


def test_a_reader_of_stars_sees_the_t_test_and_not_the_bootstrap_or_the_family() -> None:
    drawn = {"p_value": 0.2, "statistic": 4.0, "n_clusters": 31, "convention": "restricted wild cluster bootstrap"}
    found = planted({MAIN: {"p_value": 0.001, "statistic": 4.0, "n_clusters": 31}, f"{MAIN}.wild": drawn})
    assert (found.verdict, found.by_stars) == ("not_supported", "supported")
    assert planted({}).by_stars == "supported"
    other = {**drawn, "convention": "Hansen's F by bootstrap"}  # not a t statistic: its own p-value stays
    assert planted({f"{MAIN}.wild": other}).by_stars == "not_supported"


@pytest.mark.parametrize(("p_value", "draws", "near"), [(0.052, 999, True), (0.052, 999_999, False), (0.2, 999, False)])
def test_a_drawn_p_value_near_the_level_is_at_the_border(p_value: float, draws: int, near: bool) -> None:
    found = planted({f"{MAIN}.wild": {"p_value": p_value, "draws": draws}})
    assert (found.at_border == (f"{MAIN}.wild",)) is near
    assert (shown.BORDER.en in shown.reason(found, load_claims(PROVINCES)).en) is near


def test_partly_without_a_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="partly names what"):
        small({**RULE, "partly_supported": "one.estimate > 0"})


def test_contested_claims_stand_side_by_side() -> None:
    label = {"en": "Which?", "zh": "哪个？"}
    content = small().model_dump()
    content["claims"]["EMP-2"] = content["claims"]["EMP-1"]
    claims = Claims.model_validate({**content, "contested": [{"question": label, "claims": ["EMP-1", "EMP-2"]}]})
    table = shown.contested(judge_claims(claims, two_rows(), WORDS), claims)
    assert table["claim"].tolist() == ["EMP-1", "EMP-2"]
    with pytest.raises(ValueError, match="EMP-9, which is no claim"):
        Claims.model_validate({**content, "contested": [{"question": label, "claims": ["EMP-1", "EMP-9"]}]})


def test_verdicts_are_counted_by_text() -> None:
    results = Results(study="s", notebook="n")
    verdicts = judge_claims(small(), two_rows(), WORDS)
    record_verdicts(results, verdicts)
    assert (results["claims.emp.not_supported"].value, results["claims.number"].value) == (1, 1)
    assert shown.counts(verdicts).loc["EMP", "not_supported"] == 1
