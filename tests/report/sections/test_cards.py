"""The card of an indicator: what it is, what was done to it, and numbers that its tables hold at their addresses."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from helpers.display.tables import write_table
from helpers.errors import StudyError
from helpers.report.labels import study_labels
from helpers.report.language import Translator, read_catalogue
from helpers.report.popovers import replace_tables
from helpers.report.report import page_environment, write_report
from helpers.report.resolved import check_resolved
from helpers.report.sections.cards import COUNTED, TOLD, data_cards
from helpers.study.study import load_study
from toy_run import NAMES, make_study, write_toy_run

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


@pytest.fixture(scope="module")
def study():
    return load_study(ROOT / "data" / "provinces")


@pytest.fixture(scope="module")
def translator(study):
    return Translator(read_catalogue(), study_labels(study))


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    """A run that holds the two tables alone, every row with its own numbers."""
    folder = tmp_path_factory.mktemp("cards")
    rows = pd.Index([study.label(name) for name in study.formulas], name="row")
    told = pd.DataFrame({name: [place + 1 / 3 for place in range(len(rows))] for name in TOLD}, index=rows)
    counted = pd.DataFrame({name: [place % 2 for place in range(len(rows))] for name in COUNTED}, index=rows)
    write_table(told, folder / "tables" / "descriptive_statistics.csv")
    write_table(counted.assign(grade="B"), folder / "tables" / "origins.csv")
    return folder


@pytest.fixture(scope="module")
def shown(study, folder, translator):
    environment = page_environment(translator)
    cards = environment.get_template("cards.html.j2").render(cards=data_cards(study, folder, translator))
    rules = environment.from_string("{{ brief_rules() }}").render()
    return f"{cards}<style>{rules}</style>"


def test_every_variable_and_indicator_has_one_card_with_its_formula_and_its_statistics(study, folder, translator):
    cards = data_cards(study, folder, translator)
    formulas = {(study.label(name), formula) for name, formula in study.formulas.items()}
    assert {(card.label.en, card.formula.en) for card in cards} == formulas
    assert len(cards) == len(formulas)
    assert all(card.sources and all(source.words and source.grade for source in card.sources) for card in cards)


def test_an_indicator_of_several_indices_is_one_card_with_all_its_places(study, folder, translator):
    places = {(study.label(name), index.label.en) for index in study.indices.values() for name in index.indicators}
    cards = data_cards(study, folder, translator)
    assert {(card.label.en, place.index.en) for card in cards for place in card.places} == places
    assert max(len(card.places) for card in cards) > 1


def test_counts_of_nothing_are_not_told(study, folder, translator):
    first, second = data_cards(study, folder, translator)[:2]
    assert first.counts == ()
    assert [figure.name for figure in second.counts] == list(COUNTED)


def test_a_run_without_the_tables_or_with_those_of_another_study_file_has_no_cards(study, tmp_path, translator):
    assert data_cards(study, tmp_path, translator) == []
    for name, columns in (("descriptive_statistics", TOLD), ("origins", ("grade", *COUNTED))):
        short = pd.DataFrame(1, index=pd.Index(["one"], name="row"), columns=list(columns))
        write_table(short, tmp_path / "tables" / f"{name}.csv")
    assert data_cards(study, tmp_path, translator) == []


def test_every_number_of_a_card_stands_in_its_table_and_a_planted_one_is_named(shown, folder):
    count = len(re.findall("<button", shown))
    assert check_resolved(shown, folder) == count > 100
    with pytest.raises(StudyError, match=r"descriptive_statistics · Urbanisation · mean: the number ' 0.334' is"):
        check_resolved(shown.replace(' · mean"> 0.333<', ' · mean"> 0.334<', 1), folder)


def test_units_and_remarks_are_in_both_languages(shown):
    assert '<span class="t" lang="en">100 million CNY</span><span class="t" lang="zh">亿元</span>' in shown


def test_cards_stand_in_the_place_of_their_table_and_of_no_other():
    one, other = (f'<figure class="table"><a href="tables/{name}.csv">CSV</a></figure>' for name in ("one", "other"))
    assert replace_tables(one + other, {"one": "cards"}) == "cards" + other


@pytest.fixture(scope="module")
def opened(shown, tmp_path_factory):
    """A page that holds the cards, and a browser for it."""
    from playwright.sync_api import sync_playwright

    page = write_report(make_study(), write_toy_run(tmp_path_factory.mktemp("page")), NAMES)
    popovers = "".join(f'<div popover id="t-{name}">table</div>' for name in ("descriptive_statistics", "origins"))
    page.write_text(page.read_text().replace("</main>", f"{shown}</main>{popovers}"), encoding="utf-8")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield page, started
        started.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_axe_finds_no_violation_in_cards(opened, language, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page, browser = opened
    context = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme=scheme, bypass_csp=True)
    sheet = context.new_page()
    sheet.goto(f"{page.as_uri()}#{language}")
    sheet.evaluate("document.querySelectorAll('.card').forEach(part => part.open = true)")
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options = {"runOnly": {"type": "tag", "values": levels}, "resultTypes": ["violations"]}
    found = Axe().run(sheet, context=".cards", options=options).response
    context.close()
    assert len(found["passes"]) > 5
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]] == []
