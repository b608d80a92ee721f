"""Facts about pictures and the font that draws their labels."""

import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.display import figures
from helpers.errors import StudyError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _close():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def draw(title):
    figure, axes = figures.new_figure()
    axes.plot([0, 1], [0, 1], label="line")
    axes.fill_between([0, 1], 0, 1, hatch="/")
    axes.set_title(title)
    return figure


def test_the_same_picture_gives_the_same_bytes():
    assert figures.draw_svg(draw("Title"), "name") == figures.draw_svg(draw("Title"), "name")


def test_a_picture_carries_no_date():
    assert b"<dc:date>" not in figures.draw_svg(draw("Title"), "name")


def test_text_stays_text_which_a_page_can_print_in_another_language():
    assert b">Title</text>" in figures.draw_svg(draw("Title"), "name")


def test_chinese_is_drawn_by_the_font_of_the_project(monkeypatch):
    monkeypatch.setattr(figures, "SYSTEM_FONTS", ())
    figures.font_families.cache_clear()
    try:
        svg = figures.draw_svg(draw("治理效能 亳州"), "name").decode("utf-8")
        assert "Study Sans SC" in svg
        assert ">治理效能 亳州</text>" in svg
    finally:
        figures.font_families.cache_clear()


def test_a_character_without_a_glyph_stops_with_its_name(monkeypatch):
    monkeypatch.setattr(figures, "SYSTEM_FONTS", ())
    figures.font_families.cache_clear()
    try:
        with pytest.raises(StudyError, match="YI SYLLABLE IT"):
            figures.draw_svg(draw("\ua000"), "name")
    finally:
        figures.font_families.cache_clear()


def test_a_font_of_the_machine_changes_no_byte_of_what_the_own_font_draws(monkeypatch):
    """A font of the system is the last to be asked and is not named, whatever the machine has."""
    from matplotlib import font_manager

    plain = figures.draw_svg(draw("Effect −0.5, 治理效能 亳州"), "name")
    other = font_manager.findfont("DejaVu Serif")
    entries = font_manager.fontManager.ttflist
    here = [*entries, font_manager.FontEntry(fname=other, name="Noto Sans CJK SC")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", here)
    figures.font_families.cache_clear()
    try:
        assert "Noto Sans CJK SC" in figures.font_families()
        with_it = figures.draw_svg(draw("Effect −0.5, 治理效能 亳州"), "name")
    finally:
        figures.font_families.cache_clear()
    assert with_it == plain
    assert set(re.findall(rb"font-family: ([^;\"]*)", plain)) == {b"'Study Sans SC', 'DejaVu Sans', sans-serif"}


def test_the_own_font_bears_the_name_that_pictures_give_it():
    from matplotlib import font_manager

    assert font_manager.FontProperties(fname=figures.FONT).get_name() == figures.OWN_FAMILIES[0]


def characters_of_the_font():
    from fontTools.ttLib import TTFont

    return {chr(code) for code in TTFont(figures.FONT).getBestCmap()}


def test_the_font_holds_all_characters_of_gb_2312():
    rows = [bytes([row, column]) for row in range(0xB0, 0xF8) for column in range(0xA1, 0xFF)]
    hanzi = {code.decode("gb2312") for code in rows if code[0] != 0xD7 or code[1] <= 0xF9}
    assert len(hanzi) == 6763  # the count of the standard
    assert hanzi <= characters_of_the_font()


def test_the_font_holds_every_chinese_character_of_the_studies():
    files = [path for name in ("study.yml", "claims.yml", "units.csv") for path in ROOT.glob(f"data/*/{name}")]
    used = {
        character
        for path in files
        for character in path.read_text(encoding="utf-8")
        if "\u3400" <= character <= "\u9fff"
    }
    assert used - characters_of_the_font() == set()


def test_the_licence_stands_beside_the_font():
    assert "SIL OPEN FONT LICENSE Version 1.1" in (figures.FONT.parent / "OFL.txt").read_text(encoding="utf-8")


def test_a_picture_needs_a_description():
    with pytest.raises(StudyError, match="no description"):
        figures.show_svg(b"<svg/>", caption="Caption", alt=" ")


def test_caption_and_description_are_escaped():
    html = figures.show_svg(b"<svg/>", caption="<b>", alt='"><script>').html
    assert "<b>" not in html
    assert "<script>" not in html


def test_a_region_keeps_its_colour_by_its_place():
    assert list(figures.region_colours(["a", "b"]).values()) == list(figures.PALETTE[:2])
    assert figures.region_colours(["a", "b", "c"])["b"] == figures.region_colours(["a", "b"])["b"]


def _luminance(colour):
    """Relative luminance, WCAG 2.1."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", [figures.INK, figures.QUIET])
def test_text_has_the_contrast_of_wcag_aa(colour):
    assert 1.05 / (_luminance(colour) + 0.05) >= 4.5


def test_estimates_are_drawn_top_down_with_zero():
    rows = pd.DataFrame({"estimate": [1.0, 2.0], "ci_low": [0.5, 1.0], "ci_high": [1.5, 3.0]}, index=["a", "b"])
    _, axes = figures.new_figure()
    figures.draw_estimates(axes, rows, marked="b")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert any(list(line.get_xdata()) == [0, 0] for line in axes.lines)


def test_ids_in_a_picture_do_not_depend_on_other_pictures():
    first = figures.draw_svg(draw("One"), "name")
    figures.draw_svg(draw("Two"), "other")
    assert re.findall(rb'id="([^"]+)"', figures.draw_svg(draw("One"), "name")) == re.findall(rb'id="([^"]+)"', first)
