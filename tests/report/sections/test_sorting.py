"""A long table is put in the order of a column by style alone; the orders are those of Python's own sort."""

import shutil

import numpy as np
import pandas as pd
import pytest

from helpers.display.tables import show_table
from helpers.report.popovers import open_tables
from helpers.report.report import TEMPLATES
from helpers.report.sections.sorting import LONG, order_rules, places_of, sort_tables

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
ROWS = 24


def frame(rows=ROWS):
    """Figures with ties, signs, blanks and p-values below their bound."""
    rng = np.random.default_rng(5)
    found = pd.DataFrame(
        {
            "unit": [f"u{place}" for place in range(rows)],
            "score": rng.normal(0, 100, rows).round(1),
            "group": rng.integers(0, 4, rows),
            "p_value": rng.choice([0.0002, 0.001, 0.03, 0.4, 0.96], rows),
        }
    )
    return found.mask(rng.random(found.shape) < 0.15).assign(unit=found["unit"])


def field(choices):
    options = "".join(f'<option value="{way}{place}">{head.en}</option>' for place, head in choices for way in "od")
    return f'<select class="order" aria-label="Order"><option value="">File</option>{options}</select>'


def sortable(table):
    shown = show_table(table, caption="Units", link="tables/units.csv")._repr_html_().partition("</style>")[2]
    return sort_tables(open_tables(shown, "cell")[0], field)


def test_figures_are_ranked_with_ties_alike_and_blanks_without_a_place():
    assert places_of(["0.5", "−1,234", "", "0.5", "2e-05", "12 %"]) == [2, 0, None, 2, 1, 3]
    assert places_of(["0.001", "< 0.001", "0.04", "<0.001"]) == [1, 0, 2, 0]


def test_a_column_with_a_word_or_a_pair_has_no_order():
    assert places_of(["0.5", "none"]) == [None, None]
    assert places_of(["0.29***", "(0.03)"]) == [None, None]


def test_a_short_table_and_one_of_words_stay_as_they_are():
    for table in (frame(LONG - 1), frame()[["unit"]], frame().assign(score=1.0, group=1, p_value=1.0)):
        assert "<select" not in sortable(table)
        assert " role=" not in sortable(table).partition("<table")[2]
    assert "<select" in sortable(frame(LONG))


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    page = tmp_path_factory.mktemp("sorting") / "page.html"
    style = f"{(TEMPLATES / 'report.css').read_text(encoding='utf-8')}\n@media screen {{ {order_rules()} }}"
    page.write_text(f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><style>{style}</style>{sortable(frame())}', "utf-8")  # fmt: skip
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(java_script_enabled=False)
        opened.goto(page.as_uri())
        yield opened
        browser.close()


def units_from_above(sheet):
    rows = [
        (row.bounding_box()["y"], row.locator("td").first.text_content()) for row in sheet.locator("tbody tr").all()
    ]
    return [name for _, name in sorted(rows)]


@pytest.mark.parametrize("column", ["score", "group", "p_value"])
@pytest.mark.parametrize("way", ["lowest", "highest"])
def test_the_rows_stand_as_python_sorts_them_and_the_keyboard_follows(sheet, column, way):
    table = frame()
    kept = table[table[column].notna()].to_dict("records")
    told = sorted(kept, key=lambda row: row[column] if way == "lowest" else -row[column])
    expected = [row["unit"] for row in told] + list(table.loc[table[column].isna(), "unit"])
    field = sheet.locator("select")
    field.select_option(value=f"{'o' if way == 'lowest' else 'd'}{list(table).index(column)}")
    assert units_from_above(sheet) == expected
    field.focus()
    reached = []
    for _ in range(1 + int(table.iloc[:, 1:].notna().sum().sum())):  # the box that scrolls, then the numbers
        sheet.keyboard.press("Tab")
        title = sheet.locator(":focus").get_attribute("title")
        reached += [title.split(" · ")[1]] if title else []
    assert list(dict.fromkeys(reached)) == [name for name in expected if name in reached]
    assert len(set(reached)) > ROWS / 2


def test_columns_stay_in_line_and_the_table_is_one_to_a_reader_of_the_screen(sheet):
    def told():
        session = sheet.context.new_cdp_session(sheet)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
        return {role: roles.count(role) for role in ("table", "row", "columnheader", "cell")}

    sheet.locator("select").select_option("")
    plain = told()
    sheet.locator("select").select_option("o1")
    assert told() == plain == {"table": 1, "row": ROWS + 1, "columnheader": 4, "cell": 4 * ROWS}
    for column in range(4):
        cells = sheet.locator(f"tr > :nth-child({column + 1})").all()
        boxes = [cell.bounding_box() for cell in cells]
        assert len({(round(box["x"]), round(box["width"])) for box in boxes}) == 1


def test_paper_shows_the_order_of_the_file_and_nothing_to_choose(sheet):
    sheet.locator("select").select_option("d1")
    sheet.emulate_media(media="print")
    assert units_from_above(sheet) == list(frame()["unit"])
    assert not sheet.locator("select").is_visible()
    sheet.emulate_media(media="screen")
