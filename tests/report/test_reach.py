"""The page for everybody: axe-core finds no breach of WCAG 2.2 AA, and a keyboard reaches what a mouse reaches."""

import re
import shutil

import pytest

from helpers.report.environment import STYLE
from helpers.report.popovers import open_numbers
from helpers.report.report import write_report
from helpers.results.results import Results
from toy_run import NAMES, make_study, write_toy_run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = write_toy_run(tmp_path_factory.mktemp("reach"))
    return write_report(make_study(), folder, NAMES)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_no_violation(page, browser, language, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)  # axe itself is a script
    sheet = context.new_page()
    sheet.goto(f"{page.as_uri()}#{language}")
    sheet.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    # The planted image of the hostile cell, whose address was taken out, has no words by design.
    sheet.evaluate("document.querySelectorAll('img:not([src])').forEach(part => part.remove())")
    sheet.locator("td button").first.click()
    # Of rules that hold, one place each is told: a list of all of them takes longer to hand over than to find.
    options = {"runOnly": {"type": "tag", "values": LEVELS}, "resultTypes": ["violations"]}
    found = Axe().run(sheet, options=options).response
    context.close()
    assert len(found["passes"]) > 10
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]] == []


def test_the_tab_key_reaches_everything_and_its_place_is_seen(page, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    sheet = context.new_page()
    sheet.goto(page.as_uri())
    reached, unseen = [], []
    for _ in range(200):
        sheet.keyboard.press("Tab")
        name, outline = sheet.evaluate(
            "(e => [e.id || e.getAttribute('popovertarget') || e.getAttribute('href') || e.tagName,"
            " getComputedStyle(e).outlineStyle])(document.activeElement)"
        )
        if name == "BODY":
            break
        reached.append(name)
        if outline == "none":
            unseen.append(name)
    context.close()
    assert unseen == []
    assert {"#main", "lang-en", "origins", "#summary", "k-baseline.pooled.x", "t-wide"} <= set(reached)


def test_without_scripts_keys_change_the_language_open_a_number_and_close_it(page, browser):
    context = browser.new_context(java_script_enabled=False)
    sheet = context.new_page()
    sheet.goto(page.as_uri())
    title = sheet.locator("h1")
    assert title.inner_text() == "Does x raise <y>?"
    sheet.locator("#lang-en").focus()
    sheet.keyboard.press("ArrowRight")
    assert title.inner_text() == "数字赋能"
    sheet.locator(".ladder button.num").first.focus()
    sheet.keyboard.press("Enter")
    popover = sheet.locator("[popover]:popover-open")
    assert popover.count() == 1
    sheet.keyboard.press("Escape")
    assert popover.count() == 0
    context.close()


def test_on_a_phone_the_contents_close_when_a_line_is_followed(page, browser):
    context = browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    sheet = context.new_page()
    sheet.goto(page.as_uri())
    contents = sheet.locator("#contents")
    assert not contents.is_visible()
    sheet.locator("a.menu").click()
    assert contents.is_visible()
    contents.locator('a[href="#03_model"]').click()
    assert not contents.is_visible()
    context.close()


SENTENCES = {
    "en": ("", "word ", "It fell (<0>), by <1>; to <2>. Then (<0>). "),
    "zh": ("字", "效应", "系数为<0>，（<1>）；由<2>。区间（<0>），升至<1>：止"),
}


@pytest.mark.parametrize("language", SENTENCES)
def test_no_sign_is_parted_from_the_number_that_it_touches(language, tmp_path, browser):
    """Sentences of every length, so that a number meets the end of a phone's line at each of its places."""
    filler, longer, sentence = SENTENCES[language]
    results = Results("toy")
    for place in range(3):
        results.record(f"a.n{place}", value=place)
    linked = re.sub("<(.)>", r'<a class="num" data-key="a.n\1" href="#x">0.\1</a>', sentence)
    paragraphs = [f"<p>{longer * (place // 3)}{(filler or 'i') * (place % 3)}{linked}</p>" for place in range(60)]
    path = tmp_path / "page.html"
    body = open_numbers("".join(paragraphs), results)
    assert body.count("<button") == linked.count("<a") * len(paragraphs)
    path.write_text(f'<!DOCTYPE html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE.read_text(encoding="utf-8")}</style><main>{body}</main>', "utf-8")  # fmt: skip
    sheet = browser.new_page(viewport={"width": 390, "height": 800})
    sheet.goto(path.as_uri())
    parted, lines = sheet.evaluate(PARTED)
    sheet.close()
    assert lines > 2 * len(paragraphs)
    assert parted == []


# Each sign beside a figure of the text, and on which line both stand.
PARTED = """() => {
  const parted = [], tops = new Set();
  for (const text of document.querySelectorAll('p')) {
    const letters = [], walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) for (let i = 0; i < walk.currentNode.length; i++) {
      const range = document.createRange();
      range.setStart(walk.currentNode, i); range.setEnd(walk.currentNode, i + 1);
      const box = range.getBoundingClientRect();
      letters.push([walk.currentNode.data[i], box.top + box.height / 2]);
      tops.add(Math.round(box.top));
    }
    letters.slice(1).forEach(([sign, middle], i) => {
      const [before, above] = letters[i];
      const touch = /\\d/.test(before) && /[，。；：）,.;:)]/.test(sign) || /[(（]/.test(before) && /\\d/.test(sign)
        || /[)）]/.test(before) && /[，。；：,.;:]/.test(sign);
      if (touch && middle - above > 8) parted.push(text.textContent.slice(-40) + ' | ' + before + sign);
    });
  }
  return [parted, tops.size];
}"""


def test_paper_cuts_no_table_and_shows_nothing_to_choose(page, browser):
    paper = {"width": 673, "height": 986}  # A4 less its margins, 178 by 261 mm at 96 pixels an inch
    context = browser.new_context(viewport=paper)
    sheet = context.new_page()
    sheet.emulate_media(media="print")
    sheet.goto(page.as_uri())
    wide = sheet.locator(".table").evaluate_all(
        "found => found.map(one => [one.querySelector('table').offsetWidth, one.clientWidth])"
    )
    left = sheet.locator("select, .code, [popover], .switch").evaluate_all(
        "found => found.filter(one => one.checkVisibility()).length"
    )
    context.close()
    assert wide
    assert [table for table, room in wide if table > room + 1] == []
    assert left == 0
