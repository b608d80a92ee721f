"""The committed report as its readers meet it: its weight, and what a Chinese reader sees."""

import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.report.origins import key_label, spell_key
from helpers.report.sanitise import words_of
from helpers.results.results import read_results
from helpers.study.study import load_study

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "reports" / "provinces"
MOST_NODES = 60_000
MOST_BYTES = 8_000_000
VOID = {"area", "br", "col", "hr", "img", "input", "meta", "wbr"}
NOT_READ = {"code", "pre", "script", "style", "math", "kbd"}
WORD = r"[A-Za-z][A-Za-z'’\-]*"
RESULT = re.compile(r'<button class="num" popovertarget="([^"]+)">(.*?)</button>')
SENTENCE = re.compile(rf"{WORD}(?:[ ,;:/]+{WORD}){{2,}}")
# What reads the same in both languages: programs, methods, authors, and the ways that authors are joined.
NAMES = words_of(
    "Stata EViews R SPSS xtreg fe re vce car plm fixest lfe sandwich sensemakr statsmodels linearmodels pydynpd",
    "pyfixest wildboottest ivmodel mediation scipy scikit-criteria entropy equal pca scikit-learn esda spreg",
    "Wang et al and Lind Mehlum Belsley Kuh Welsch Imbens Kolesar Preacher Hayes Montiel Olea Pflueger",
    "Wooldridge Diakoulaki Mavrotas Papayannakis Tus Adali Institute for Replication",
)
# Words of keys that name programs, methods or standard errors, and the short names of the texts.
CODES = words_of(
    "CR HTZ AR AREG HC IID LFE PLM STATA CONLEY LINEARMODELS EMP HOL MOD SOQ DAT FIXEST KRAAY DRISCOLL NEWEY WEST",
    "STOUFFER HANSEN HONDA OSTER MUNDLAK BREUSCH PAGAN HAUSMAN PESARAN CD WOOLDRIDGE HOLM WEBB SOBOL ROMANO WOLF WALD GMM",
)


class _Read(HTMLParser):
    """The texts that a reader of Chinese sees, each with the element that it stands in."""

    def __init__(self, page):
        super().__init__()
        self.open, self.texts, self.drawn = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            other = tag != "html" and dict(attrs).get("lang") == "en"
            self.open.append((tag, other or tag in NOT_READ or bool(self.open and self.open[-1][1])))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        both = self.open and self.open[-1][0] == "option" and re.search(" / .*[\u4e00-\u9fff]", data)  # holds no markup
        if data.strip() and not both and not (self.open and self.open[-1][1]):
            (self.drawn if self.open and self.open[-1][0] == "text" else self.texts).append(" ".join(data.split()))


@pytest.fixture(scope="module")
def page():
    return (FOLDER / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chinese(page):
    return _Read(page)


def test_the_page_is_light_enough_for_a_browser(page):
    assert len(re.findall(r"<[a-zA-Z]", page)) <= MOST_NODES
    assert len(page.encode()) <= MOST_BYTES


def test_no_english_sentence_stands_in_the_chinese_view(chinese):
    study = load_study(ROOT / "data" / "provinces")
    said = [sentence[0] for text in [*chinese.texts, *chinese.drawn] for sentence in SENTENCE.finditer(text)]
    left = [sentence for sentence in said if not set(re.findall(WORD, sentence)) <= NAMES]
    assert len(chinese.texts) > 10_000
    assert [sentence for sentence in left if sentence not in study.title.en] == []


def test_both_languages_tell_the_same_results(page):
    """Each sentence beside its translation: what opens in one opens in the other, and reads alike."""
    pairs = re.findall(r'<p class="t" lang="en">(.*?)</p>\s*<p class="t" lang="zh">(.*?)</p>', page, re.DOTALL)
    named = re.compile(
        "^(?!p )[A-Za-z]|[\u4e00-\u9fff]"
    )  # a result that is a name reads in the language of its sentence
    told = [
        [sorted((key, _bare(shown, named)) for key, shown in RESULT.findall(text)) for text in texts] for texts in pairs
    ]
    assert sum(len(english) for english, _ in told) > 300
    assert [results for results in told if results[0] != results[1]] == []


def _bare(shown, named):
    """What a result reads without the signs of its sentence; nothing where it is a name."""
    text = re.sub(r"^[“（(\[]+|[”，。、；：）！？％%,.;:)\]]+$", "", shown)
    return "" if named.search(text) else text


def test_every_letter_of_a_picture_is_in_the_fonts_of_a_chinese_machine(chinese):
    assert len(chinese.drawn) > 1_000
    letters = {letter for text in chinese.drawn for letter in text}
    assert not letters & set("\ufffd\u25a1\u25af")
    for letter in letters:
        if letter >= "\u2e80":
            letter.encode("gb18030").decode("gbk")


def test_every_key_of_a_result_is_spelt_in_chinese():
    study = load_study(ROOT / "data" / "provinces")
    spell = partial(key_label, study)
    spelt = [spell_key(result, spell).zh for result in read_results(FOLDER / "results.json").values()]
    words = {part for text in spelt for part in text.split(" · ")}
    told = {part for part in words if not re.search("[\u4e00-\u9fff]", part)}
    left = {part for part in told if not set(re.findall("[A-Z]{2,}", part.upper())) <= CODES}
    assert left == set()
