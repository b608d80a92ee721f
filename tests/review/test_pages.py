"""The pages of a comparison and of a sweep in both languages: nothing English is left in Chinese, no number moves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.report.environment import spoken
from helpers.results.comparison import compare_runs
from helpers.results.numbers import Run, Table
from helpers.results.results import Result, Results
from helpers.review.causes import Cause
from helpers.review.diff import Difference
from helpers.review.page import render_difference, render_sweep, render_verified
from helpers.review.scratch import Finished
from helpers.review.verify import Verified, headline

# What reads the same in both languages: code, quoted records, names of files and options, the machine.
KEPT = re.compile(r"<code>.*?</code>")
CODE = re.compile(r"&#x27;.*?&#x27;|[\w./-]*[./_\d][\w./-]*|--\w+ ?\w*|SHA-256|MiB|GiB")
NAMES = {"planted", "HEAD", "draws", "numpy"}


def run(estimate: float, p_value: float, rows: tuple[tuple[str, ...], ...], verdict: str, *more: str) -> Run:
    results = Results(study="planted")
    size = Result(
        "baseline.size", estimate=estimate, std_error=0.1, p_value=p_value, ci_low=estimate - 0.2,
        ci_high=estimate + 0.2, n_obs=31, digits=3, notebook="03_baseline", cell="cell-04",
    )  # fmt: skip
    results.add(size)
    results.add(Result("claims.EMP-1", value=verdict, notebook="12_synthesis", cell="cell-02"))
    for key in more:
        results.add(Result(key, value=7, notebook="04_robustness", cell="cell-09"))
    return Run(results, {"sizes": Table(("place", "size"), rows, "01_first", "cell-02")})


OLD = run(0.3, 0.04, (("a", "1.5"), ("b", "2.5"), ("c", "3.5")), "supported", "robustness.gone")
NEW = run(-0.3, 0.06, (("b", "2.5"), ("a", "1.75"), ("c", "3.5")), "not supported", "robustness.new")
DIFFERENT = compare_runs(OLD, NEW)
SAME = compare_runs(OLD, OLD)
CAUSES = (
    Cause("code", "src/helpers/shared.py and 3 more", 1.0),
    Cause("data", "data/planted/raw/a.csv", None, "not swapped: its files are not at hand"),
    Cause("study file", "data/planted/study.yml", 0.25),
    Cause("parameter", "the defaults against --set draws=2", 0.5),
    Cause("lock", "numpy 2.1 against 2.3", None, "not swapped: that needs another environment"),
    Cause("machine", "nothing else explains it; run again here, the first side gives the other numbers for 30%", 0.3),
    Cause("code", "src/helpers/b.py", None, "swapped alone, the run does not finish (exit code 1)"),
)
SWEPT = [
    {"point": "1", "draws": "3", "result": "baseline.size", "estimate": "0.300", "std_error": "0.100",
     "p_value": "0.040", "ci_low": "0.100", "ci_high": "0.500", "ran": "2", "remark": ""},
    {"point": "2", "draws": "4", "result": "baseline.none", "estimate": "", "std_error": "", "p_value": "",
     "ci_low": "", "ci_high": "", "ran": "0", "remark": "no such result"},
]  # fmt: skip


def verified(comparison, reference):
    inputs = {"commit": "1" * 40, "code": "2" * 64, "data": "5" * 64, "lock": "3" * 64, "options": "--preset quick"}
    finished = Finished(Path("copy"), 0, 41.5, 2**29)
    pictures = {"curve": (b"<svg/>", b"")} if comparison.left else {}
    return Verified("planted", reference, "4" * 64, comparison, finished, {"03_baseline": 5.0}, pictures, inputs)


def page(name: str, language: str) -> str:
    if name == "diff":
        flips = tuple(item for item in DIFFERENT.left if item.flips)
        return render_difference(
            Difference(("HEAD", "."), DIFFERENT, flips, CAUSES, {"curve": (b"", b"<svg/>")}), language
        )
    if name == "sweep":
        return render_sweep("planted", SWEPT, language)
    comparison = SAME if name == "complete" else DIFFERENT
    return render_verified(verified(comparison, f"reports/planted of commit {'a1' * 6}"), language)


PAGES = ("complete", "verify", "diff", "sweep")


def shown(text: str, language: str) -> str:
    """What a page shows in one language, without the switch."""
    other = {"en": "zh", "zh": "en"}[language]
    body = text[text.index("<main") :]
    body = re.sub(rf'<(\w+) class="t[^"]*" lang="{other}">.*?</\1>', "", body)
    return re.sub(r"<[^>]+>", " ", body)


@pytest.mark.parametrize("name", PAGES)
def test_the_chinese_view_holds_no_english_word(name):
    text = shown(KEPT.sub("", page(name, "zh")), "zh").partition("操作系统")[0]  # names of machine and packages follow
    left = re.findall(r"[A-Za-z][A-Za-z-]+", CODE.sub("", text))
    assert set(left) <= NAMES


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_show_the_same_numbers(name):
    text = page(name, "en")
    numbers = {language: re.findall(r"\d[\d.,e+-]*\d|\d", shown(text, language)) for language in ("en", "zh")}
    assert numbers["en"]
    assert sorted(numbers["en"]) == sorted(numbers["zh"])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_begins_in_the_language_that_is_asked_for_and_holds_both(name):
    first = {language: page(name, language) for language in ("en", "zh")}
    for language, text in first.items():
        assert re.findall(r'id="lang-(\w+)" checked', text) == [language]
        assert f'<html lang="{language}">' in text
        assert "<script" not in text
    assert first["en"].partition("<main")[2] == first["zh"].partition("<main")[2]


def test_a_hostile_name_is_text_in_both_languages():
    text = render_difference(Difference(("<script>", "'\"><b>"), DIFFERENT, (), (), {}), "zh")
    assert "<script>" not in text
    assert "<b>" not in text


def test_the_counts_of_a_headline_stand_in_their_places():
    """A planted difference: every field of one estimate, a verdict and the order of a table; two results are missing."""
    told = spoken(headline(DIFFERENT))
    assert told.en == "4 of 11 numbers reproduced, 0 of 2 verdicts and orders of rows; 7 differ; of 2 it cannot be said"
    assert told.zh == "11个数值中有4个重现，2个判断和行次序中有0个重现；7个不同；有2个无法判断"
