"""The ledger is filtered by text and by verdict, and what is chosen leaves the rows that a recount gives."""

import re
import shutil

import pytest

from helpers.report.sections.ledger import open_ledger

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
ROWS = [
    ("A-1", "A", "supported", "支持"),
    ("A-2", "A", "not supported; only so", "不支持；仅此"),
    ("B-1", "B", "supported", "支持"),
]


def ledger(rows=ROWS):
    heads = "".join(
        f'<th class="t" lang="en">{name}</th><th class="t" lang="zh">x</th>' for name in ("Claim", "Source", "Verdict")
    )
    body = "".join(
        f'<tr><td>{claim}</td><td>{text}</td><td class="t w" lang="en">{en}</td><td class="t w" lang="zh">{zh}</td></tr>'
        for claim, text, en, zh in rows
    )
    link = '<p class="file"><a href="tables/ledger.csv">CSV</a></p>'
    return f'<figure class="table"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{link}</figure>'


def test_each_row_carries_its_text_and_its_verdict():
    piece, (text, verdict) = open_ledger(ledger())
    assert [(option.en, option.zh) for _, option in text.options] == [("A", "A"), ("B", "B")]
    assert [(option.en, option.zh) for _, option in verdict.options] == [
        ("supported", "支持"),
        ("not supported", "不支持"),
    ]
    assert re.findall(r'<tr class="([^"]+)"><td>([^<]+)', piece) == [("l0-0 l1-0", "A-1"), ("l0-0 l1-1", "A-2"), ("l0-1 l1-0", "B-1")]  # fmt: skip
    assert re.sub(' class="l[^"]*"', "", piece) == ledger()


def test_what_is_no_ledger_stays_as_it_is():
    other = ledger().replace("tables/ledger.csv", "tables/other.csv")
    assert open_ledger(other) == (other, ())
    headless = ledger().replace(">Verdict<", ">Else<")
    assert open_ledger(headless) == (headless, ())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_without_scripts_shows_what_was_chosen(tmp_path):
    from playwright.sync_api import sync_playwright

    piece, choices = open_ledger(ledger())
    rules = "".join(choice.rules for choice in choices)
    forms = "".join(
        f'<select><option value="">all</option>{"".join(f"<option value={code}>{code}</option>" for code, _ in choice.options)}</select>'
        for choice in choices
    )
    page = tmp_path / "page.html"
    page.write_text(f'<style>{rules}</style><div class="ledger"><form>{forms}</form>{piece}</div>', encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sheet = browser.new_page(java_script_enabled=False)
        sheet.goto(page.as_uri())
        shown = []
        for text, verdict in ((0, 0), (1, 0), (1, 1), (2, 2)):
            sheet.locator("select").nth(0).select_option(index=text)
            sheet.locator("select").nth(1).select_option(index=verdict)
            shown.append([row.is_visible() for row in sheet.locator("tbody tr").all()])
        browser.close()
    assert shown == [[True] * 3, [True, True, False], [True, False, False], [False] * 3]
