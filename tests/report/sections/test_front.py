"""The answer on the first page: planted results on both sides of each of its conditions."""

import pytest

from helpers.report.sections.front import QUALITY_KEYS, answer, quality
from helpers.results.results import Results
from toy_run import make_study

KEY = "baseline.{}.x"


def planted(t: float, wild: float, pooled: float = 0.5, estimate: float = 1.0, **more: float) -> list[str]:
    results = Results(study="toy", notebook="03")
    results.record(
        KEY.format("twoway_controls"), estimate=estimate, p_value=t, ci_low=estimate - 2, ci_high=estimate + 2
    )
    results.record(KEY.format("twoway_controls") + ".wild", estimate=estimate, p_value=wild)
    study = make_study()
    study.ladder["pooled"].effects = () if more.get("no_effects") else ("entity",)
    results.record(KEY.format("pooled"), estimate=more.get("other", 1.0), p_value=pooled)
    if "other_wild" in more:
        results.record(KEY.format("pooled") + ".wild", estimate=more.get("other", 1.0), p_value=more["other_wild"])
    if "timed" in more:
        study.ladder["twoway"] = study.ladder["twoway_controls"]
        results.record(KEY.format("twoway"), estimate=1.0, p_value=more["timed"])
    return [repr(sentence) for sentence in answer(study, results)]


@pytest.mark.parametrize(
    ("t", "wild", "estimate", "told"),
    [
        (0.4, 0.4, 1.0, "cannot be told from zero"),
        (0.01, 0.01, 1.0, "is positive and clear by both tests"),
        (0.01, 0.01, -1.0, "is negative and clear by both tests"),
        (0.01, 0.2, 1.0, "the two tests of the effect"),
        (0.2, 0.01, 1.0, "the two tests of the effect"),
    ],
)
def test_the_first_sentence_follows_both_tests(t, wild, estimate, told):
    assert told in planted(t, wild, estimate=estimate)[0]


def test_an_effect_that_shows_only_without_times_is_said_so_and_no_other():
    assert "only where nothing holds the periods constant" in planted(0.4, 0.4, pooled=0.01)[1]
    assert "only where nothing holds the periods constant" in planted(0.4, 0.01, pooled=0.01)[1]
    assert "by the t test" not in planted(0.4, 0.4, pooled=0.01)[1]
    said = planted(0.4, 0.4, pooled=0.01, other_wild=0.127)[1]
    assert "p = 0.127 by the wild cluster bootstrap): by the t test the effect shows only where" in said
    assert "in no column has it p below the level" in planted(0.4, 0.4, pooled=0.2)[1]
    assert "in no column has it p below the level" in planted(0.4, 0.4, pooled=0.2, other=-1.0)[1]
    # between entities there need be no trend: rows without effects give no such reason
    assert "but not in every column" in planted(0.4, 0.4, pooled=0.01, no_effects=1)[1]
    assert "only where nothing holds the periods constant" in planted(0.4, 0.4, pooled=0.01, timed=0.05)[1]
    assert "but not in every column" in planted(0.4, 0.4, pooled=0.01, timed=0.04)[1]
    assert "in every column of the ladder" in planted(0.01, 0.01, pooled=0.01)[1]
    assert "in every column of the ladder" in planted(0.01, 0.2, pooled=0.01)[1]
    assert "but not in every column" in planted(0.01, 0.01, pooled=0.2)[1]
    assert "its sign depends on what is held constant" in planted(0.01, 0.01, pooled=0.01, other=-1.0)[1]


def test_the_interval_is_that_of_the_recommended_method_where_it_is_bounded():
    results = Results(study="toy", notebook="03")
    key = KEY.format("twoway_controls")
    results.record(key, estimate=1.0, p_value=0.4, ci_low=-1.0, ci_high=3.0)
    results.record(f"{key}.wild", estimate=1.0, p_value=0.4)
    assert "[\u22121.0000, 3.0000] by the clustered t test;" in repr(answer(make_study(), results)[0])
    results.record("baseline.headline", estimate=1.0, ci_low=-2.0, ci_high=4.0)
    results.record("baseline.headline.method", value="cr2")
    assert "[\u22122.0000, 4.0000] by CR2 with Satterthwaite degrees of freedom;" in repr(
        answer(make_study(), results)[0]
    )


def test_how_sure_is_said_where_it_was_measured():
    results = Results(study="toy", notebook="03")
    key = KEY.format("twoway_controls")
    results.record(key, estimate=1.0, p_value=0.4, ci_low=-1.0, ci_high=3.0)
    results.record(f"{key}.wild", estimate=1.0, p_value=0.4)
    assert len(answer(make_study(), results)) == 2
    results.record("baseline.leverage.heaviest", value=0.49)
    results.record("baseline.leverage.without_heaviest", estimate=0.1, p_value=0.5)
    results.record("baseline.detectable", value=0.43)
    assert "one unit holds 49%" in repr(answer(make_study(), results)[2])


@pytest.mark.parametrize(
    ("p_value", "lead", "told"), [(0.01, 0.04, True), (0.01, 0.05, False), (0.2, 0.04, False), (0.01, None, False)]
)
def test_a_clear_effect_is_told_beside_a_future_that_differs_from_zero_too(p_value, lead, told):
    results = Results(study="toy", notebook="03")
    key = KEY.format("twoway_controls")
    results.record(key, estimate=1.0, p_value=p_value, ci_low=-1.0, ci_high=3.0)
    results.record(f"{key}.wild", estimate=1.0, p_value=p_value)
    if lead is not None:
        results.record("robustness.placebo.lead", estimate=0.5, p_value=lead)
    said = [repr(sentence) for sentence in answer(make_study(), results)]
    assert any("differs from zero as well, 0.5000 (p = 0.040" in sentence for sentence in said) == told


def test_a_study_without_a_primary_estimate_has_no_answer():
    assert answer(make_study(), Results()) == []


def test_the_line_on_the_data_tells_each_count_and_is_left_out_where_one_is_missing():
    results = Results(study="toy", notebook="01")
    for number, key in enumerate(QUALITY_KEYS.values(), start=11):
        assert quality(results) == []
        results.record(f"data.{key}", value=number)
    (line,) = map(repr, quality(results))
    assert "11 statistics were read, and 12 rows of 13 units over 14 periods" in line
    assert "missing figures filled: 15, rows dropped: 16" in line
    assert line.endswith("warnings of the checks of the raw figures: 17.")
