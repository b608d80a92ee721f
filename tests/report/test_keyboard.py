"""The committed report walked with the keys alone and without scripts: nothing is out of reach, nothing holds the focus."""

import shutil
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PAGE = Path(__file__).resolve().parents[2] / "reports" / "provinces" / "report.html"
STOP = "e => [e.tagName, e.id || e.getAttribute('popovertarget') || e.getAttribute('href') || e.type || '']"
SHOWN = "found => found.filter(one => getComputedStyle(one).display !== 'none').length"
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.slow("some two hundred keys in the whole report"),
]


@pytest.fixture(scope="module")
def sheet():
    """The report, opened once: each test leaves it as it found it, but for the last, which follows a link."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
        opened = context.new_page()
        opened.goto(PAGE.as_uri())
        yield opened
        browser.close()


def walk(sheet, key, times):
    stops = []
    for _ in range(times):
        sheet.keyboard.press(key)
        stops.append(tuple(sheet.evaluate(f"({STOP})(document.activeElement)")))  # a locator searches the whole page
        assert stops[-1][0] != "BODY", "the focus is nowhere"
    return stops


def test_the_tab_key_walks_the_first_page_in_the_order_of_the_text_and_back(sheet):
    places = sheet.locator("a[href], button, select, input, summary, [tabindex='0']").evaluate_all(
        "found => found.filter(one => one.checkVisibility() && !one.closest('[popover]')).map(one =>"
        " [one.tagName, one.id || one.getAttribute('popovertarget') || one.getAttribute('href') || one.type || '',"
        " one.type === 'radio' && !one.checked])"
    )
    reached = [tuple(place[:2]) for place in places if not place[2]]  # of radio buttons the chosen one is a stop
    end = next(place for place, (_, name) in enumerate(reached) if name == "reset") + 3
    assert walk(sheet, "Tab", end) == reached[:end]
    assert walk(sheet, "Shift+Tab", 12) == reached[end - 13 : end - 1][::-1]


def test_the_arrow_keys_change_the_language(sheet):
    sheet.locator("#lang-en").check()
    heading = sheet.locator("h1")
    english = heading.inner_text()
    sheet.locator("#lang-en").focus()
    sheet.keyboard.press("ArrowDown")
    assert sheet.locator("#lang-zh").is_checked()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in heading.inner_text())
    sheet.keyboard.press("ArrowUp")
    assert heading.inner_text() == english


def test_the_arrow_keys_filter_the_ledger_and_one_key_shows_all_again(sheet):
    ledger = sheet.locator(".ledger")
    rows = ledger.locator("tbody tr")
    verdict = ledger.locator("select").nth(1)
    verdict.focus()
    sheet.keyboard.press("ArrowDown")
    chosen = verdict.evaluate("field => field.value")
    told = ledger.locator(f"tbody tr.{chosen}").count()
    assert 0 < told < rows.count()
    assert rows.evaluate_all(SHOWN) == told
    sheet.keyboard.press("Tab")
    sheet.keyboard.press("Enter")
    assert rows.evaluate_all(SHOWN) == rows.count()


def test_the_arrow_keys_choose_in_the_explorer_and_one_key_shows_all_again(sheet):
    explorer = sheet.locator("#explorer")
    dots = explorer.locator(".u")
    field = explorer.locator("select").first
    field.focus()
    sheet.keyboard.press("ArrowDown")
    chosen = field.evaluate("one => one.value")
    told = explorer.locator(f".u.{chosen}").count()
    assert 0 < told < dots.count()
    assert dots.evaluate_all(SHOWN) == told
    explorer.locator("[type=reset]").focus()
    sheet.keyboard.press("Enter")
    assert dots.evaluate_all(SHOWN) == dots.count()


@pytest.mark.parametrize("place", [".ladder button.num", "#units .tile", ".table td button"])
def test_a_popover_is_walked_left_and_closed_and_the_focus_is_back_on_its_button(sheet, place):
    button = sheet.locator(place).first
    button.focus()
    here = tuple(button.evaluate(STOP))
    popover = sheet.locator(f"#{here[1]}".replace(".", r"\."))
    inside = popover.locator("a[href], button").evaluate_all(f"found => found.map({STOP})")
    sheet.keyboard.press("Enter")
    assert popover.is_visible()
    assert walk(sheet, "Tab", len(inside)) == [tuple(stop) for stop in inside]
    sheet.keyboard.press("Escape")
    assert not popover.is_visible()
    assert button.evaluate("one => one === document.activeElement")
    sheet.keyboard.press("Enter")
    outside = walk(sheet, "Tab", len(inside) + 1)[-1]  # no trap: after its last link the text goes on
    assert outside not in [tuple(stop) for stop in inside]
    sheet.keyboard.press("Escape")
    assert not popover.is_visible()


def test_from_a_number_two_keys_lead_to_its_code(sheet):
    sheet.locator(".headline button.num").first.focus()
    sheet.keyboard.press("Enter")
    link = sheet.locator("[popover]:popover-open a[href$='-code']").first
    target = link.get_attribute("href")
    link.focus()
    sheet.keyboard.press("Enter")
    assert sheet.url.endswith(target)
    assert sheet.locator(f"[id='{target[1:]}']").is_visible()  # the fold that holds it is open
