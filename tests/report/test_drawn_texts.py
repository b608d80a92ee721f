"""Texts of the committed report's pictures as a browser sets them: none lies over another."""

import itertools
import shutil
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PAGE = Path(__file__).resolve().parents[2] / "reports" / "provinces" / "report.html"
TOUCHING = 0.35
"""Share of the lower text's height by which two may reach into each other: lines of one label touch."""
# The corners of each text on the screen, turned as the picture turns it, by picture and language.
BOXES = """() => [...document.querySelectorAll('svg')].map(picture => [
  picture.closest('.cell, section, article')?.id ?? '',
  [...picture.querySelectorAll('text')].filter(text => text.textContent.trim() && text.getClientRects().length).map(text => {
    const {x, y, width, height} = text.getBBox(), turn = text.getScreenCTM();
    const corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
    return [text.textContent.trim(), corners.map(([a, b]) => [turn.a * a + turn.c * b, turn.b * a + turn.d * b]
      .map((place, axis) => place + (axis ? turn.f : turn.e)))];
  })])"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def reach(one, two):
    """Depth (in pixels) to which two rectangles reach into each other, over the directions of their sides."""
    depths = []
    for first, *others in ((one[0], one[1], one[3]), (two[0], two[1], two[3])):
        for other in others:
            across, up = other[0] - first[0], other[1] - first[1]
            length = (across**2 + up**2) ** 0.5 or 1.0
            spans = [[(x * across + y * up) / length for x, y in corners] for corners in (one, two)]
            depths.append(min(map(max, spans)) - max(map(min, spans)))
    return min(depths)


def height(corners):
    sides = [((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5 for a, b in itertools.pairwise(corners)]
    return min(sides)


def overlaps(pictures):
    found = []
    for place, texts in pictures:
        for number, (word, corners) in enumerate(texts):
            for other, others in texts[number + 1 :]:
                if reach(corners, others) > TOUCHING * min(height(corners), height(others)):
                    found.append((place, word, other))
    return found


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.slow("the whole report is laid out in both languages")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_text_of_a_picture_lies_over_another(browser, language):
    sheet = browser.new_page(viewport={"width": 1440, "height": 900})
    sheet.goto(f"{PAGE.as_uri()}#{language}")
    sheet.add_style_tag(content=".chapter{content-visibility:visible!important}")
    pictures = sheet.evaluate(BOXES)
    sheet.close()
    assert sum(len(texts) for _, texts in pictures) > 1_000
    assert overlaps(pictures) == []


def test_texts_that_lie_over_each_other_are_seen():
    def box(x, y, width, tall):
        return [[x, y], [x + width, y], [x + width, y + tall], [x, y + tall]]

    apart = [("p", [["one", box(0, 0, 30, 10)], ["two", box(40, 0, 30, 10)], ["next line", box(0, 9, 30, 10)]])]
    assert overlaps(apart) == []
    assert overlaps([("p", [["one", box(0, 0, 30, 10)], ["two", box(20, 4, 30, 10)]])]) == [("p", "one", "two")]
