"""Rows of a picture lead to the rows of the table that they show."""

import re
import shutil

import pytest

from helpers.report.picture import link_rows
from helpers.report.popovers import name_rows, row_names

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def table(*names):
    rows = "".join(f'<tr><td>{name}</td><td class="n"><button>1</button></td></tr>' for name in names)
    head = "<tr><th>Row</th><th>Estimate</th></tr>"
    return f'<figure class="table"><table>{head}{rows}</table><a href="tables/found.csv">CSV</a></figure>'


def picture(*names):
    style = "font-size: 10.5px; text-anchor: end; fill: #222222"
    words = "".join(
        f'<text style="{style}" x="90" y="{20 + 30 * place}" class="t" lang="en">{name}</text>'
        f'<text style="{style}" x="90" y="{20 + 30 * place}" class="t" lang="zh">名</text>'
        for place, name in enumerate(names)
    )
    return f'<svg role="img" aria-label="Estimates" viewBox="0 0 200 100">{words}</svg>'


def targets(piece):
    return re.findall(r'<a href="#([^"]+)">', piece)


def test_every_row_of_a_picture_leads_to_the_row_of_its_name():
    shown = link_rows(picture("B", "A &amp; C"), row_names(table("A &amp; C", "B")))
    assert targets(shown) == ["r-found-1", "r-found-0"]
    named = name_rows(table("A &amp; C", "B"), set(targets(shown)))
    assert re.findall(r'<tr id="([^"]+)"><td>([^<]+)</td>', named) == [("r-found-0", "A &amp; C"), ("r-found-1", "B")]


def test_the_area_of_a_link_is_its_whole_row_and_the_picture_is_no_longer_one_image():
    shown = link_rows(picture("A", "B"), row_names(table("A", "B")))
    assert '<rect x="0" y="0.4" width="100%" height="30.0"' in shown
    assert '<svg role="group"' in shown


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        (("A", "B"), ("C", "D")),  # another table
        (("A", "B", "X", "Y"), ("A", "B")),  # too few of the names
        (("A", "A"), ("A", "B")),  # several panels: which of them the row is cannot be told
        (("A", "B"), ("A", "A", "B", "B")),  # several rows of a name
    ],
)
def test_a_picture_of_other_rows_stays_an_image(drawn, told):
    assert link_rows(picture(*drawn), row_names(table(*told))) == picture(*drawn)


def test_of_two_tables_with_the_names_the_nearest_is_taken():
    far, near = ({"A": f"r-{name}-0", "B": f"r-{name}-1"} for name in ("far", "near"))
    assert targets(link_rows(picture("A", "B"), {"far": far, "near": near})) == ["r-near-0", "r-near-1"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_touch_on_a_mark_leads_to_its_row_and_axe_finds_no_violation(tmp_path):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    from helpers.report.report import TEMPLATES

    shown = link_rows(picture("A", "B"), row_names(table("A", "B")))
    mark = '<circle cx="150" cy="45.4" r="5"></circle></svg>'
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    body = (
        f'<figure class="picture">{shown.replace("</svg>", mark)}</figure>{name_rows(table("A", "B"), {"r-found-1"})}'
    )
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style>{body}", encoding="utf-8")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sheet = started.new_context(bypass_csp=True).new_page()
        sheet.goto(page.as_uri())
        found = Axe().run(sheet, context=".picture", options={"runOnly": ["wcag2a", "wcag2aa", "wcag22aa"]}).response
        assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]] == []
        box = sheet.locator("circle").bounding_box()
        sheet.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        sheet.wait_for_url("**#r-found-1", timeout=5_000)
        started.close()
