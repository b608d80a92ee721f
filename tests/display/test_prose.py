"""Facts about sentences whose numbers come from results."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.display.prose import (
    PART,
    Sentence,
    fill_message,
    format_drawn_p_value,
    format_number,
    format_p_and_error,
    format_p_value,
    write_sentence,
)
from helpers.errors import StudyError
from helpers.results.estimate import drawn_error
from helpers.results.results import Results


@pytest.fixture
def results():
    results = Results(notebook="03_model", where=lambda: ("cell-07", 3))
    results.record("a.b", estimate=-0.12345, p_value=0.0312, ci_low=-0.2, ci_high=0.05, n_obs=217, digits=3)
    results.record("a.share", value=0.256)
    results.record("a.leader", value="<i>B*ei*</i>")
    return results


def say(template, results, **words):
    return write_sentence(template, results, words)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("{a.b}", "−0.123"),
        ("{a.b:p_value}", "0.031"),
        ("{a.b:p_value:.2f}", "0.03"),
        ("{a.b:ci}", "[−0.200, 0.050]"),
        ("{a.b:n_obs}", "217"),
        ("{a.share:.0%}", "26%"),
    ],
)
def test_a_place_prints_its_result(results, place, text):
    assert repr(say(f"It is {place}.", results)) == f"It is {text}."


def test_a_number_leads_to_its_cell(results):
    assert say("{a.share}", results).text == ('<a class="num" data-key="a.share" href="#03_model-cell-07">0.2560</a>')


def test_a_number_without_a_cell_leads_to_its_notebook():
    results = Results(notebook="03_model")
    results.record("a.b", value=1)
    assert 'href="#03_model"' in say("{a.b}", results).text


@pytest.mark.parametrize("place", ["{a.c}", "{b}", "{a.b:std_error}", "{a.b:colour}", "{}"])
def test_what_was_not_recorded_is_refused(results, place):
    with pytest.raises(StudyError):
        say(f"It is {place}.", results)


@pytest.mark.parametrize("word", [0.12, 3, "3", "about 0.5", "$x$ 2"])
def test_a_word_may_not_be_a_number(results, word):
    with pytest.raises(StudyError, match="is or holds a number"):
        say("{word}", results, word=word)


def test_a_formula_may_hold_figures(results):
    assert say("{model}", results, model=r"$\beta_1 = 0$").text == r"$\beta_1 = 0$"


def test_braces_of_a_formula_are_left_alone(results):
    assert say(r"$y_{it}$ and $$x_{a.b}$$", results).text == r"$y_{it}$ and $$x_{a.b}$$"


def test_a_doubled_brace_is_a_brace(results):
    assert say("{{a.b}}", results).text == "{a.b}"


def test_a_single_brace_is_refused(results):
    with pytest.raises(StudyError, match="brace"):
        say("a } b", results)


def test_a_recorded_text_cannot_become_markup(results):
    text = say("{a.leader}", results).text
    assert "<i>" not in text
    assert "*" not in text
    assert repr(say("{a.leader}", results)) == "<i>B*ei*</i>"


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [
        (-0.5, 2, "−0.50"),
        (-0.000123456, 2, "−0.0001235"),
        (1.4e-6, 4, "1.4e−06"),
        (-1e-17, 2, "0.00"),
        (-0.0, 2, "0.00"),
        (0.0, 1, "0.0"),
        (0.00062, 3, "0.00062"),
        (-0.0062, 3, "−0.0062"),
        (0.00100003, 3, "0.0010"),
        (0.006, 3, "0.006"),
        (0.05, 2, "0.05"),
        (0.6, 0, "1"),
        (29601212.325, 3, "29601212"),
        (8237192.27, 3, "8237192.3"),
        (float("inf"), 3, "inf"),
        (7, 3, "7"),
        (-7, 3, "−7"),
        (12345, 0, "12,345"),
        ("so", 2, "so"),
    ],
)
def test_a_number_is_printed_at_its_digits(number, digits, text):
    assert format_number(number, digits) == text


@pytest.mark.parametrize(
    ("p_value", "text"), [(0.0004, "< 0.001"), (0.0, "< 0.001"), (0.001, "0.001"), (0.0014, "0.001"), (1.0, "1.000")]
)
def test_a_small_p_value_is_printed_as_a_bound(p_value, text):
    assert format_p_value(p_value) == text


def test_a_result_and_a_label_are_named_by_the_sentence_and_kept_for_the_other_language():
    results = Results(study="toy", notebook="03_model")
    effect = results.record("baseline.a.x", estimate=0.25, p_value=0.0004, digits=2)
    sentence = write_sentence(
        "The effect of {treatment} is {effect} ({effect:p}).",
        results,
        {"effect": effect, "treatment": SimpleNamespace(en="Trade {of GDP}", zh="贸易")},
    )
    assert repr(sentence) == "The effect of Trade {of GDP} is 0.25 (p < 0.001)."
    again = fill_message("{treatment}的效应为{effect}。", sentence.values, "zh")
    assert repr(Sentence(again)) == "贸易的效应为0.25。"


@pytest.mark.parametrize(
    ("p_value", "draws", "shown"),
    [
        (1 / 1000, 1000, "< 0.001"),
        (1 / 300, 300, "< 0.003"),
        (0.02, 300, "< 0.05"),
        (1e-6, 99999, "< 0.00001"),
        (0.2, None, "0.200"),
        # The error of a drawn p-value, sqrt(p (1 - p) / draws), is 0.00025 and 0.00030 here.
        (0.0061, 100_000, "0.006"),
        (0.0091, 100_000, "0.01"),
        (0.585, 100_000, "0.58"),
        (0.02, 5_000, "0.02"),
        # Error 0.0036 and 0.022: one decimal.
        (0.27, 10_000, "0.3"),
        (0.53, 500, "0.5"),
        (0.18, 500, "0.2"),
        # The decimals would print the level itself, from which the draws (error 0.0007) tell these apart.
        (0.046, 100_000, "< 0.05"),
        (0.0526, 100_000, "> 0.05"),
        (0.0515, 100_000, "0.05"),
        (0.1025, 100_000, "0.10"),
        (0.104, 100_000, "> 0.1"),
        (0.013, 100_000, "0.01"),
        (0.0085, 100_000, "< 0.01"),
        # Nothing but zeros: the level below which the p-value lies by three errors.
        (0.021, 500, "< 0.05"),
        (0.036, 500, "< 0.1"),
        (0.049, 100, "0.05"),
        (0.046, 999, "< 0.1"),
        (0.004, 1999, "< 0.01"),
        (0.0002, 99_999, "< 0.001"),
    ],
)
def test_a_p_value_from_draws_is_not_printed_below_its_floor(p_value, draws, shown):
    assert format_drawn_p_value(p_value, draws) == shown


@pytest.mark.parametrize("draws", [499, 9_999, 99_999])
def test_two_runs_mostly_print_the_same_p_value(draws: int) -> None:
    # Two drawn p-values are 2 / sqrt(pi) errors apart on average, and so many units of the last decimal apart is the
    # share of runs between which an edge lies.
    rng, alike = np.random.default_rng(8), []
    for p_value in np.linspace(0.003, 0.997, 200):
        texts = [format_drawn_p_value(hits / draws, draws) for hits in rng.binomial(draws, p_value, 60)]
        alike.append(sum((texts.count(text) / 60) ** 2 for text in set(texts)))
    assert np.mean(alike) > 1 - 2 / np.sqrt(np.pi) / PART


def test_the_error_of_a_p_value_that_is_twice_a_share_is_that_of_its_draws() -> None:
    shares = np.random.default_rng(9).binomial(1_999, 0.33, 4_000) / 1_999
    told = drawn_error(0.66, 1_999, twice=True)
    assert told == pytest.approx(np.std(2 * shares), rel=0.05)
    assert format_drawn_p_value(0.046, 1_999) == "< 0.1"
    assert format_p_and_error(0.66, 1_999, told) == "0.6600 ± 0.0210"
    assert format_p_and_error(1 / 1_999, 1_999) == "< 0.0005"
    assert format_p_and_error(0.2, None) == "0.200"


HOSTILE = (
    "GDP per head (US$)",
    "{of GDP}",
    "{baseline.a.x}",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</a><svg onload=alert(1)>",
    "[click](javascript:alert(1))",
    "a * b_c_d `e` # f | g",
    "US$ 1 to US$ 2",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_a_label_is_a_word_whatever_it_holds(words):
    from helpers.study.data import Label

    said = write_sentence("The effect of {of} is {word}.", {}, {"of": Label(en=words, zh=words), "word": "large"})
    assert repr(said) == f"The effect of {words} is large."
    assert not re.search(r"<[a-z/]|\]\(", said.text)


@pytest.mark.parametrize("words", [text for text in HOSTILE if not re.search(r"\d", text)])
def test_a_computed_word_holds_no_code(words):
    said = write_sentence("The effects of {of}.", {}, {"of": f"{words}, and others"})
    assert repr(said) == f"The effects of {words}, and others."
    assert not re.search(r"<[a-z/!?]|\]\(", said.text)


def test_a_computed_word_keeps_its_links_and_its_emphasis():
    word = '**all** of [the table](tables/a.csv), <a class="num" data-key="a.b" href="#n-x">few</a>'
    assert write_sentence("{word}", {}, {"word": word}).text == word
