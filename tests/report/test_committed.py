"""The committed report as its readers meet it: its weight, and what a Chinese reader sees."""

import re
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[2] / "reports" / "provinces" / "report.html"
MOST_NODES = 60_000
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def page():
    return REPORT.read_text(encoding="utf-8")


def test_the_page_is_light_enough_for_a_browser(page):
    assert len(re.findall(r"<[a-zA-Z]", page)) <= MOST_NODES
    assert len(page.encode()) <= MOST_BYTES
