"""The report in two languages: every message has a translation with the same places and figures, and nothing is lost."""

import re
from pathlib import Path

import pytest

from helpers.report.bilingual import translate_html
from helpers.report.language import CATALOGUES, LANGUAGE, Translator, both, collect_labels, read_catalogue
from helpers.report.messages import notebook_messages, page_messages, places, read_messages, update
from helpers.study.study import load_study

ROOT = Path(__file__).resolve().parents[2]
DECLARED = page_messages() | read_messages(ROOT / "notebooks").keys()


def figures(text: str) -> list[str]:
    """The figures of a message outside its places and its formulas."""
    bare = re.sub(r"\$[^$]*\$|\{[^}]*\}|`[^`]*`", "", text)
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", bare))


@pytest.mark.parametrize("name", ["page"])
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


def test_a_text_stands_in_both_languages_and_a_number_once():
    translator = Translator({"Mean": "均值"})
    shown = translate_html("<th>Mean</th><td>0.25</td>", translator)
    assert shown == f"<th>{both('Mean', '均值')}</th><td>0.25</td>"


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
