"""The specification explorer: what a choice leaves is what a recount of the table gives, in the page and in a browser."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.report.sections.explorer import read_explorer

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
STYLE = ".explorer{counter-reset:all}.u{counter-increment:all}"


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    names = {"weights": ["equal", "pca"], "effects": ["entity", "entity + time"], "lag": ["0", "1"]}
    rows = pd.MultiIndex.from_product(list(names.values()), names=list(names)).repeat(9).to_frame(index=False)
    rows = rows.assign(estimate=rng.normal(size=len(rows)), p_value=rng.uniform(size=len(rows)) ** 3, universes=10.0)
    (tmp_path / "tables").mkdir()
    rows.rename_axis("row").to_csv(tmp_path / "tables" / "multiverse_explorer.csv")
    return rows


def classes(dots: str) -> list[set[str]]:
    return [set(found.split()) for found in re.findall(r'<i class="([^"]+)"', dots)]


def test_a_choice_leaves_the_universes_that_a_recount_gives(table, tmp_path):
    explorer = read_explorer(tmp_path, 0.05, {})
    drawn = classes(explorer.dots)
    assert len(drawn) == explorer.shown == len(table) == 72
    for decision in explorer.decisions:
        for code, option in decision.options:
            left = table[table[decision.name] == option]
            kept = [found for found in drawn if code in found]
            assert len(kept) == len(left)
            assert sum("up" in found for found in kept) == (left["estimate"] > 0).sum()
            assert sum("sp" in found for found in kept) == ((left["estimate"] > 0) & (left["p_value"] < 0.05)).sum()
            assert sum("sn" in found for found in kept) == ((left["estimate"] < 0) & (left["p_value"] < 0.05)).sum()


def test_the_whole_stands_beside_and_the_primary_is_ringed(table, tmp_path):
    explorer = read_explorer(tmp_path, 0.05, {"effects": "entity + time", "lag": "0"})
    assert explorer.stand_for == 720
    own = (table["effects"] == "entity + time") & (table["lag"] == "0")
    assert sum("own" in found for found in classes(explorer.dots)) == own.sum()


def test_a_run_without_the_table_has_no_explorer(tmp_path):
    assert read_explorer(tmp_path, 0.05, {}) is None


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_without_scripts_hides_what_was_not_chosen(table, tmp_path):
    from playwright.sync_api import sync_playwright

    explorer = read_explorer(tmp_path, 0.05, {})
    choices = "".join(
        f"<select><option value=''>all</option>{''.join(f'<option value={code}>{code}</option>' for code, _ in d.options)}</select>"
        for d in explorer.decisions
    )
    page = tmp_path / "page.html"
    page.write_text(f"<style>{STYLE}{explorer.rules}</style><div class=explorer>{choices}{explorer.dots}</div>")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sheet = browser.new_page(java_script_enabled=False)
        sheet.goto(page.as_uri())
        sheet.locator("select").nth(1).select_option(index=1)
        shown = [dot.bounding_box() is not None for dot in sheet.locator("i.u").all()]
        browser.close()
    assert sum(shown) == (table[explorer.decisions[1].name] == explorer.decisions[1].options[0][1]).sum()
