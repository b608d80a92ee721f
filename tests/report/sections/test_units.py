"""The card of a unit: numbers that the tables hold at their addresses, a map that a choice colours without a script."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from helpers.display.tables import write_table
from helpers.errors import StudyError
from helpers.report.labels import study_labels
from helpers.report.language import Translator, read_catalogue
from helpers.report.report import page_environment, write_report
from helpers.report.resolved import check_resolved
from helpers.report.sections.units import LONGEST, SOME, unit_cards
from helpers.study.study import load_study
from toy_run import NAMES, make_study, write_toy_run

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
NAMES_ZH = {"Beijing": "北京"}


@pytest.fixture(scope="module")
def study():
    return load_study(ROOT / "data" / "provinces")


def write_tables(folder, study, units, times):
    """Indices that rise with the unit and fall with time, each dimension with an equal share."""
    index = pd.MultiIndex.from_product([units, times], names=study.index_names)
    points = [unit + 1 - place / 10 for unit in range(len(units)) for place in range(len(times))]
    scores = pd.DataFrame(dict.fromkeys(study.indices, points), index=index)
    parts = {
        f"{name}.{dimension}": scores[name] / len(item.dimensions)
        for name, item in study.indices.items()
        for dimension in item.dimensions
    }
    ranks = scores.groupby(level=1).rank(ascending=False)
    for name, table in (("scores", scores), ("ranks", ranks), ("dimensions", pd.DataFrame(parts))):
        write_table(table, folder / "tables" / f"index_{name}.csv")
    return folder


@pytest.fixture(scope="module")
def units(study):
    return list(pd.read_csv(study.folder / "tiles.csv").iloc[:, 0])


@pytest.fixture(scope="module")
def folder(study, units, tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("units"), study, units, (2015, 2016, 2017))


@pytest.fixture(scope="module")
def shown(study, folder):
    environment = page_environment(Translator(read_catalogue(), study_labels(study)))
    found = unit_cards(study, folder, NAMES_ZH)
    section = str(environment.get_template("units.html.j2").make_module({"units": found}))
    rules = environment.from_string("{{ brief_rules() }}").render()
    return f"{section}<style>{found.rules}{rules}</style>"


def test_every_unit_has_a_card_and_a_tile_of_its_own(study, folder, units):
    found = unit_cards(study, folder, NAMES_ZH)
    assert {card.label.en for card in found.cards} == set(units)
    assert found.number == len(units) == len({card.place for card in found.cards})
    assert min(row for row, _ in (card.place for card in found.cards)) == 1


def test_the_highest_of_the_last_period_comes_first_with_its_values_ranks_and_parts(study, folder, units):
    first = unit_cards(study, folder, NAMES_ZH).cards[0]
    assert first.label.en == units[-1]
    values, ranks = first.rows[:2]
    assert values.label == study.words(study.specification.treatment)
    last = len(units)
    assert [figure.text for figure in values.figures] == [f"{last - place / 10:.3f}" for place in range(3)]
    assert [figure.text for figure in ranks.figures] == ["1", "1", "1"]
    number = len(study.indices[study.specification.treatment].dimensions)
    assert [figure.text for figure in first.parts[0].figures] == [
        f"{last / number:.3f}",
        f"{(last - 0.2) / number:.3f}",
    ]


def test_a_shade_is_the_way_from_the_lowest_figure_to_the_highest(study, folder, units):
    cards = {card.label.en: card.shades.split(";") for card in unit_cards(study, folder, NAMES_ZH).cards}
    assert "--v0-0:100" in cards[units[-1]]
    assert "--v0-2:0" in cards[units[0]]


def test_every_number_of_a_card_stands_in_its_table_and_a_planted_one_is_named(shown, folder, units):
    assert check_resolved(shown, folder) == len(re.findall(r"popovertarget=\"t-index_", shown)) > 500
    cell = f"index_ranks · {units[-1]} · 2015 · digital_empowerment"
    with pytest.raises(StudyError, match=f"{cell}: the number '2'"):
        check_resolved(shown.replace(f'title="{cell}">1<', f'title="{cell}">2<'), folder)


def test_of_many_units_those_at_both_ends_have_cards_and_it_is_said(study, tmp_path):
    alone = study.model_copy(update={"map": None})
    many = [f"U{place:04d}" for place in range(400)]
    found = unit_cards(alone, write_tables(tmp_path, study, many, (2015, 2016)), {})
    names = [card.label.en for card in found.cards]
    half = len(names) // 2
    assert found.number == len(many)
    assert names == [*reversed(many[-half:]), *reversed(many[:half])]
    environment = page_environment(Translator(read_catalogue(), {}))
    section = str(environment.get_template("units.html.j2").make_module({"units": found}))
    assert "Of 400 units, those at both ends" in section
    assert len(re.findall("<[a-z]", section)) < 1.5 * SOME


def test_of_many_periods_as_many_as_fit_are_shown_with_both_ends(study, units, tmp_path):
    times = range(1900, 1960)
    found = unit_cards(study, write_tables(tmp_path, study, units, times), {})
    assert len(found.periods) == LONGEST
    assert (found.periods[0], found.periods[-1]) == ("1900", "1959")


def test_a_run_without_the_tables_or_with_those_of_another_study_file_has_no_cards(study, units, tmp_path):
    assert unit_cards(study, tmp_path, {}) is None
    first = dict(list(study.indices.items())[:1])
    write_tables(tmp_path, study.model_copy(update={"indices": first}), units, (2015,))
    assert unit_cards(study, tmp_path, {}) is None


@pytest.fixture(scope="module")
def page(shown, tmp_path_factory):
    page = write_report(make_study(), write_toy_run(tmp_path_factory.mktemp("page")), NAMES)
    tables = "".join(f'<div popover id="t-index_{name}">table</div>' for name in ("scores", "ranks", "dimensions"))
    page.write_text(page.read_text().replace("</main>", f"{shown}</main>{tables}"), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@needs_browser
def test_without_scripts_a_period_colours_the_map_and_a_tile_opens_its_card(page, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    sheet = context.new_page()
    sheet.goto(page.as_uri())
    tile = sheet.locator(".tile").first
    looks = []
    for period in ("#mp2", "#mp0"):
        sheet.locator(period).check()
        looks.append(tile.screenshot())
    assert looks[0] != looks[1]
    assert not sheet.locator("#u-0").is_visible()
    tile.click()
    assert sheet.locator("#u-0").is_visible()
    context.close()


@needs_browser
@pytest.mark.parametrize("size", [(390, 600), (820, 600), (1440, 900)])
def test_all_of_a_card_can_be_brought_into_sight_wherever_its_tile_stands(page, browser, size):
    sheet = browser.new_page(viewport={"width": size[0], "height": size[1]})
    sheet.goto(page.as_uri())
    hidden = []
    for place in (0, -1):
        tile = sheet.locator(".tile").nth(place)
        for block in ("start", "center", "end"):
            tile.evaluate("(tile, block) => tile.scrollIntoView({block, behavior: 'instant'})", block)
            tile.click()
            card = sheet.locator("[popover]:popover-open")
            last = card.locator("td button").last
            last.evaluate("one => one.scrollIntoView({block: 'nearest', behavior: 'instant'})")
            boxes = [card.bounding_box(), last.bounding_box()]
            inside = [box["y"] >= 0 and box["y"] + box["height"] <= size[1] and box["x"] >= 0 for box in boxes]
            hidden += [] if all(inside) and boxes[0]["height"] > size[1] / 5 else [(place, block, boxes)]
            sheet.keyboard.press("Escape")
    sheet.close()
    assert hidden == []


@needs_browser
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_axe_finds_no_violation_in_the_map_and_a_card(page, browser, language, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme=scheme, bypass_csp=True)
    sheet = context.new_page()
    sheet.goto(f"{page.as_uri()}#{language}")
    sheet.locator(".tile").first.click()
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options = {"runOnly": {"type": "tag", "values": levels}, "resultTypes": ["violations"]}
    found = Axe().run(sheet, context=".units", options=options).response
    context.close()
    assert len(found["passes"]) > 5
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]] == []
