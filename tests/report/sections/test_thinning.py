"""A picture with fewer elements is the same picture: marks, lines and words stand where they stood."""

import base64
import re
import shutil

import numpy as np
import pytest

from helpers.display.figures import draw_svg, new_figure
from helpers.report.picture import open_pictures
from helpers.report.sections.thinning import thin_picture

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
# Of 255: what anti-aliasing may shift where two strokes meet, far below a mark that is missing.
SHADE = 40


def drawn() -> str:
    rng = np.random.default_rng(3)
    figure, axes = new_figure(1, 2)
    for panel in axes:
        panel.scatter(rng.normal(size=200), rng.normal(size=200), s=9, alpha=0.5)
        for place in range(20):
            panel.plot([place / 10 - 1, place / 10 - 0.8], [place / 10 - 1] * 2, color="#222222")
        panel.plot(np.linspace(-1, 1, 30), np.linspace(1, -1, 30), "^")
        panel.text(0, 0, "words")
        panel.bar(np.arange(-2.0, 2.0, 0.2), 0.5 + rng.random(20), width=0.15, color="#d55e00", alpha=0.9)
        panel.bar([-2.0, 1.0], [-1.0, -2.0], width=0.8, color="#56b4e9", edgecolor="#ffffff")
    return draw_svg(figure, "drawn").decode()


def without_type(svg: str) -> str:
    return re.sub(r"<\?xml[^>]*\?>|<!DOCTYPE[^>]*>", "", svg)


def test_every_mark_and_word_is_kept_in_a_fifth_of_the_elements():
    before, after = drawn(), thin_picture(without_type(drawn()))
    marks = len(re.findall(r"<use ", before))
    places = sum(len(points.split()) for points in re.findall(r'points="([^"]*)"', after))
    alone = len(re.findall(r"<use ", after)) - len(re.findall(r"<marker ", after))
    assert places + alone == marks > 400
    assert re.findall(r">([^<>]+)</text>", after) == re.findall(r">([^<>]+)</text>", before)
    assert len(re.findall(r"<\w", after)) < len(re.findall(r"<\w", before)) / 5


def thinned(*paths: tuple[str, str]) -> list[str]:
    """The shapes of a picture of some paths."""
    drawn = "".join(f'<path d="{shape}" style="{style}"/>' for shape, style in paths)
    return re.findall(r' d="([^"]*)"', thin_picture(f'<svg xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'))


def tile(x: int, y: int, side: int = 2) -> str:
    return f"M {x} {y} L {x + side} {y} L {x + side} {y + side} L {x} {y + side} z"


def test_what_shines_through_or_bends_is_not_joined():
    line = ("M 0 0 L 1 1", "fill: none; stroke-opacity: 0.5")
    bent = ("M 0 0 C 1 1 2 2 3 0 z", "fill: #000000")
    assert len(thinned(line, line, bent, bent)) == 4


def test_tiles_side_by_side_are_one_path_by_colour_and_those_that_meet_are_not():
    red, blue = "fill: #d55e00; opacity: 0.9", "fill: #0072b2"
    grid = [(tile(2 * place, 0), (red, blue)[place % 2]) for place in range(6)]
    assert thinned(*grid) == [" ".join(tile(2 * place, 0) for place in places) for places in ((0, 2, 4), (1, 3, 5))]
    assert thinned((tile(0, 0), red), (tile(1, 1), red)) == [tile(0, 0), tile(1, 1)]
    covered = [(tile(0, 0), red), (tile(4, 0, 3), blue), (tile(5, 0), red)]
    assert thinned(*covered) == [tile(0, 0), tile(4, 0, 3), tile(5, 0)]


def test_what_is_not_well_formed_stays_as_it_is():
    assert thin_picture("<svg><g></svg>") == "<svg><g></svg>"


def test_entities_of_a_document_type_are_not_expanded():
    hostile = '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>'
    data = base64.b64encode(hostile.encode()).decode()
    shown = open_pictures(f'<img src="data:image/svg+xml;base64,{data}" alt="x">', "x")
    assert "aaaa" not in shown


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_draws_the_same(tmp_path):
    import io

    from PIL import Image
    from playwright.sync_api import sync_playwright

    shots = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sheet = browser.new_page(viewport={"width": 700, "height": 500}, java_script_enabled=False)
        for svg in (without_type(drawn()), thin_picture(without_type(drawn()))):
            (tmp_path / "page.html").write_text(f"<style>*{{stroke-linejoin:round}}</style>{svg}", encoding="utf-8")
            sheet.goto((tmp_path / "page.html").as_uri())
            shots.append(np.asarray(Image.open(io.BytesIO(sheet.screenshot())).convert("RGB")).astype(int))
        browser.close()
    assert (np.abs(shots[0] - shots[1]).max(axis=2) > SHADE).sum() == 0
    assert (shots[0].min(axis=2) < 200).sum() > 2000
