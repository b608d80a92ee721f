"""Tables as files for a manuscript."""

import io
from pathlib import Path

import docx
import pandas as pd
import pytest

from helpers.display.journal import html_page, latex_table, word_file, write_journal

CAPTION, NOTE = "Effect of R&D, in %", "*** p < 0.01. Factor G/(G-1)."


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"Pooled": ["0.654***", "(0.166)"], "Two-way & more": ["-0.061", "(0.076)"]}, index=pd.Index(["R_and_D", ""])
    )


def test_latex_escapes_what_latex_reads(table: pd.DataFrame) -> None:
    text = latex_table(table, CAPTION, NOTE, "ladder")
    assert "Two-way \\& more" in text
    assert "R\\_and\\_D" in text


def test_latex_has_a_caption_with_a_number_and_a_label_after_it(table: pd.DataFrame) -> None:
    text = latex_table(table, CAPTION, NOTE, "ladder")
    assert text.index("\\caption{Effect of R\\&D, in \\%}") < text.index("\\label{tab:ladder}")


def test_latex_sets_three_lines_and_true_minus_signs(table: pd.DataFrame) -> None:
    text = latex_table(table, CAPTION, NOTE, "ladder")
    assert [text.count(rule) for rule in ("\\toprule", "\\midrule", "\\bottomrule")] == [1, 1, 1]
    assert "$-$0.061" in text


def test_word_holds_every_cell_caption_and_note(table: pd.DataFrame) -> None:
    document = docx.Document(io.BytesIO(word_file(table, CAPTION, NOTE)))
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert cells == [["", "Pooled", "Two-way & more"], ["R_and_D", "0.654***", "-0.061"], ["", "(0.166)", "(0.076)"]]
    assert [paragraph.text for paragraph in document.paragraphs] == [CAPTION, NOTE]


def test_word_names_no_author(table: pd.DataFrame) -> None:
    properties = docx.Document(io.BytesIO(word_file(table, CAPTION, NOTE))).core_properties
    assert (properties.author, properties.comments) == ("", "")


def test_html_is_a_page_of_its_own(table: pd.DataFrame) -> None:
    page = html_page(table, CAPTION, NOTE)
    assert "<title>Effect of R&amp;D, in %</title>" in page
    assert "http" not in page


def test_files_are_the_same_bytes_every_time(table: pd.DataFrame, tmp_path: Path) -> None:
    for run in ("first", "second"):
        write_journal(table, tmp_path / run, "ladder", caption=CAPTION, note=NOTE)
    for end in ("tex", "docx", "html"):
        assert (tmp_path / f"first/ladder.{end}").read_bytes() == (tmp_path / f"second/ladder.{end}").read_bytes()


def test_the_sentence_links_the_files(table: pd.DataFrame, tmp_path: Path) -> None:
    told = write_journal(table, tmp_path, "ladder", caption=CAPTION, note=NOTE)
    assert "[Word](tables/ladder.docx)" in told
