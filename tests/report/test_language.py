"""The report in two languages: every message has a translation with the same places and figures, and nothing is lost."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.reading.statistics import read_codebook
from helpers.report.bilingual import translate_formulas, translate_html
from helpers.report.console import CATALOGUES, LANGUAGE
from helpers.report.labels import study_labels, unit_names
from helpers.report.language import (
    FORMULA,
    Translator,
    both,
    collect_labels,
    read_catalogue,
    spread,
    territory_names,
)
from helpers.report.messages import notebook_messages, page_messages, places, read_messages, update
from helpers.study.study import load_study

LABELS = {"East": "东部", "West": "西部"}
ROOT = Path(__file__).resolve().parents[2]
DECLARED = page_messages() | read_messages(ROOT / "notebooks").keys()


def figures(text: str) -> list[str]:
    """The figures of a message outside its places and its formulas."""
    bare = re.sub(r"\$[^$]*\$|\{[^}]*\}|`[^`]*`", "", text)
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", bare))


def test_every_message_of_page_and_notebooks_is_translated():
    assert sorted(DECLARED - read_catalogue().keys()) == []


@pytest.mark.parametrize("name", ["page", "notebooks"])
def test_no_translation_is_left_of_what_is_said_no_more(name):
    from babel.messages.pofile import read_po

    with (CATALOGUES / LANGUAGE / "LC_MESSAGES" / f"{name}.po").open("rb") as file:
        assert sorted({str(item.id) for item in read_po(file) if item.id} - DECLARED) == []


def test_a_translation_has_the_places_and_the_figures_of_its_message():
    wrong = [
        message
        for message, found in read_catalogue().items()
        if places(message) != places(found) or (message in DECLARED and figures(message) != figures(found))
    ]
    assert wrong == []


def test_the_words_of_a_formula_stand_in_both_languages_and_its_signs_once():
    translator = Translator({"indirect effect": "间接效应"})
    shown = translate_formulas(
        "<math><mtext>indirect&nbsp;effect</mtext><mi>a</mi><mtext>&nbsp;</mtext></math>", translator
    )
    assert re.findall(r'lang="(\w+)">([^<]*)<', shown) == [("en", "indirect&nbsp;effect"), ("zh", "间接效应")]
    assert shown.endswith("<mi>a</mi><mtext>&nbsp;</mtext></math>")
    assert notebook_messages([("markdown", r"$$a \quad\text{(less is better)}$$")]) == {"(less is better)"}


def test_a_text_stands_in_both_languages_and_a_number_once():
    translator = Translator({"Mean": "均值"})
    shown = translate_html("<p>Mean</p><td>0.25</td>", translator)
    assert shown == f"<p>{both('Mean', '均值')}</p><td>0.25</td>"


def test_a_cell_of_words_is_a_cell_in_each_language_and_one_of_figures_stays_one():
    translator = Translator({"Mean": "均值", "since 2019": "自 2019 年"})
    assert translate_html('<tr><th class="w">Mean</th></tr>', translator) == (
        '<tr><th class="t w" lang="en">Mean</th><th class="t w" lang="zh">均值</th></tr>'
    )
    figures = translate_html('<td class="n">since 2019</td>', translator)
    assert figures == f'<td class="n">{both("since 2019", "自 2019 年")}</td>'
    mixed = translate_html("<td>Mean <b>x</b></td>", translator)
    assert mixed == f"<td>{both('Mean ', '均值 ')}<b>x</b></td>"


def test_a_text_alone_in_its_element_needs_none_within_it():
    assert spread(both("Mean", "均值"), 'a href="#x"') == (
        '<a href="#x" class="t" lang="en">Mean</a><a href="#x" class="t" lang="zh">均值</a>'
    )
    assert spread(both("Mean", "均值") + " (2)", "p") == f"<p>{both('Mean', '均值')} (2)</p>"


def test_text_of_a_picture_stands_in_both_languages():
    translator = Translator({}, {"Trade": "贸易"})
    shown = translate_html(
        '<svg viewBox="0 0 1 1"><g><text x="1">Trade</text><text x="2">0.5</text></g></svg>', translator
    )
    assert '<text x="1" class="t" lang="en">Trade</text><text x="1" class="t" lang="zh">贸易</text>' in shown
    assert shown.count("0.5") == 1
    assert 'viewBox="0 0 1 1"' in shown


def test_a_text_made_from_a_message_is_translated_as_the_message():
    translator = Translator({"Effect of {treatment}": "{treatment}的效应"})
    made = {"Effect of Trade": ("Effect of {treatment}", {"treatment": {"en": "Trade", "zh": "贸易"}})}
    assert "贸易的效应" in translate_html("<figcaption>Effect of Trade</figcaption>", translator, made)


def test_what_has_no_translation_is_remembered_with_its_place():
    translator = Translator({})
    assert translate_html("<p>Mean</p><pre>Mean</pre>", translator, {}, "03_model") == "<p>Mean</p><pre>Mean</pre>"
    assert translator.missing == {"Mean": "03_model"}


def test_what_is_hostile_stays_text_in_both_languages():
    translator = Translator({"{x}": "{x}"}, {"a <b>": "<script>"})
    assert "<script>" not in translate_html("<p>a &lt;b&gt;</p>", translator)


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        ("3 x Trade", "3 倍贸易"),
        ("t(174)", None),
        ("−4.371e−05", None),
        ("p = 0.035", None),
        ("F(2, 30)", None),
        ("AGO", None),
        ("EMP-3a", None),
        ("wgi_ge_est", None),
        ("N/(N - K)", None),
        ("2020", None),
    ],
)
def test_what_was_put_together_is_translated_by_its_parts_and_codes_read_the_same(shown, read):
    translator = Translator({"{times} x {name}": "{times} 倍{name}"}, {"Trade": "贸易", "2020": "二"})
    assert translator.text(shown) == read
    assert translator.missing == {}


def test_a_message_with_places_fits_only_where_every_part_is_known():
    translator = Translator({"{first} minus {second}": "{first}与{second}之差"}, {"East": "东部", "West": "西部"})
    assert translator.text("East minus West") == "东部与西部之差"
    assert translator.text("East minus nowhere") is None
    assert list(translator.missing) == ["East minus nowhere"]


def test_of_two_messages_that_fit_the_one_with_more_words_decides():
    translator = Translator(
        {"without {name}": "剔除{name}", "without {first} and {second}": "{first}、{second}均剔除"}, LABELS
    )
    assert translator.text("without East and West") == "东部、西部均剔除"


def test_a_list_keeps_a_name_whole_that_holds_the_sign_between_names():
    translator = Translator({}, {**LABELS, "Trade, year before": "上年贸易"})
    assert translator.text("East, Trade, year before, West") == "东部，上年贸易，西部"
    assert translator.text("East, West") == "东部、西部"


def test_a_computed_word_in_a_sentence_is_translated_too():
    translator = Translator({"{most} moves it.": "{most}左右结果。"}, LABELS)
    assert translator.message("{most} moves it.", {"most": {"en": "East", "zh": "East"}}) == "东部左右结果。"
    linked = '<a class="num" data-key="a.b" href="#c">{}</a>'
    assert translator.message("{most} moves it.", {"most": "East"}) == "东部左右结果。"
    assert (
        translator.message("{most} moves it.", {"most": linked.format("East")}) == f"{linked.format('东部')}左右结果。"
    )
    assert (
        translator.message("{most} moves it.", {"most": linked.format("0.25")}) == f"{linked.format('0.25')}左右结果。"
    )


def test_lines_of_one_text_in_a_picture_are_one_text_in_the_other_language():
    piece = '<svg><g><text x="1">Digital</text><text x="2">infrastructure</text></g></svg>'
    shown = translate_html(piece, Translator({}, {"Digital infrastructure": "数字基础设施"}))
    assert shown.count('lang="en"') == 2
    assert shown.count("数字基础设施") == 1


def test_lines_that_make_no_text_are_texts_of_their_own():
    shown = translate_html('<svg><g><text x="1">East</text><text x="2">0.1</text></g></svg>', Translator({}, LABELS))
    assert shown.count("东部") == 1
    assert shown.count("0.1") == 1
    assert "东部 0.1" not in shown


def test_countries_have_the_names_of_the_unicode_register():
    assert territory_names(["AGO", "FRA", "Beijing", "QQQ"]) == {"AGO": "安哥拉", "FRA": "法国"}


def test_a_unit_without_a_chinese_name_keeps_its_own_also_inside_a_sentence(tmp_path):
    rows = ["place", "FRA", "Yugoslavia SFR"]
    (tmp_path / "units.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    study: Any = SimpleNamespace(folder=tmp_path, entity=SimpleNamespace(units="units.csv", key="place", aliases=()))
    names = unit_names(study)
    assert names == {"FRA": "法国", "Yugoslavia SFR": "Yugoslavia SFR"}
    translator = Translator(read_catalogue(), names)
    said = translate_html("<td>the refit with the largest p-value: without unit Yugoslavia SFR</td>", translator)
    assert "p值最大的一次重新估计：剔除单位Yugoslavia SFR" in said
    assert translator.missing == {}


@pytest.mark.parametrize("name", ["provinces", "countries"])
def test_every_remark_and_unit_of_a_codebook_has_its_chinese(name):
    study = load_study(ROOT / "data" / name)
    book = read_codebook(study.folder / "codebook.csv", study.columns)
    labels = study_labels(study)
    said = {*book["note"], *book["unit"], *book["name_en"]} - {"", "%"}
    assert sorted(said - labels.keys()) == []
    assert [note for note in {*book["note"]} - {""} if figures(note) != figures(labels[note])] == []


def test_every_word_of_the_committed_tables_reads_in_chinese():
    """The ledger's evidence is carried as messages of its own; a truth value is shown as yes or no.

    The rules are in the words of the claims file, which is refused without its Chinese.
    """
    translator = Translator(read_catalogue(), study_labels(load_study(ROOT / "data" / "provinces")))
    found = (ROOT / "reports" / "provinces" / "tables").glob("*.csv")
    tables = [path for path in found if path.stem not in ("ledger", "rules")]
    assert tables
    for path in tables:
        with path.open(encoding="utf-8-sig", newline="") as file:
            words = {cell for row in list(csv.reader(file))[1:] for cell in row if re.search("[A-Za-z]", cell)}
        for word in words - {"True", "False"}:
            translator.text(word, where=path.stem)
    assert translator.missing == {}


def test_labels_come_from_every_part_of_a_study():
    labels = collect_labels(load_study(ROOT / "data" / "provinces"))
    assert labels["Digital empowerment"] == "数字赋能"
    assert labels["Urbanisation"] == "城镇化率"


def test_messages_of_a_notebook_are_its_blocks_and_its_sentences():
    cells = [
        ("markdown", "## A question?\n\n$$y = x$$\n\nRead it so."),
        (
            "code",
            'run.say("One." if x else "It is {x}.", x=run.record("a.b c", value=1))\nrng = run.rng("no words here")',
        ),
    ]
    assert notebook_messages(cells) == {"## A question?", "Read it so.", "It is {x}."}


def test_a_catalogue_keeps_translations_and_drops_what_is_gone(tmp_path):
    path = tmp_path / "a.po"
    update(path, {"Old": "", "Kept": ""})
    path.write_text(path.read_text().replace('msgid "Kept"\nmsgstr ""', 'msgid "Kept"\nmsgstr "留"'))
    assert update(path, {"Kept": "", "New": "03"}) == 1
    text = path.read_text()
    assert "留" in text
    assert "Old" not in text


@pytest.mark.parametrize("hostile", ["A_" + "BCDE_" * 400 + "!", "PATH_X=LS_COLORS, (a: b; c), " * 300])
def test_a_long_text_that_is_no_message_is_left_as_it_is_without_being_taken_apart(hostile):
    translator = Translator({"{a} of {b} in {c}": "{c}{b}{a}"})
    assert translator.text(hostile) is None
    assert list(translator.missing) == [" ".join(hostile.split())]


@pytest.mark.parametrize(
    ("text", "same"),
    [("0-500 km", False), ("N/(N - K)", True), ("min G/(min G - 1)", True), ("A_it + B", True), ("K kx", False)],
)
def test_a_formula_is_read_as_one_on_every_python(text, same):
    """A distance has a unit to be said; with possessive signs Python 3.11.2 took it for a formula."""
    assert bool(FORMULA.fullmatch(text)) is same
