"""Facts about a label inside a sentence: common words begin small, names and abbreviations stay as they are written."""

from __future__ import annotations

import pytest

from helpers.study.data import Label


@pytest.mark.parametrize(
    ("label", "inside"),
    [
        ("R&D spending", "R&D spending"),
        ("GDP per head", "GDP per head"),
        ("G20 member", "G20 member"),
        ("Gross Domestic Product", "Gross Domestic Product"),
        ("Digital infrastructure", "digital infrastructure"),
        ("Patents in China", "patents in China"),
        ("A share of all", "a share of all"),
        ("X and Y", "X and Y"),
        ("share", "share"),
    ],
)
def test_capitals_that_mean_something_stay(label: str, inside: str) -> None:
    assert Label(en=label, zh=label).inside() == inside
