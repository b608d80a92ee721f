"""Facts about tables. Floats are compared exactly: a table that is written and read keeps every bit."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.display.tables import check_name, drawn_p_values, read_table, show_table, write_table
from helpers.errors import StudyError
from helpers.results.results import Results


def test_floats_come_back_to_the_digits_that_are_written(tmp_path):
    numbers = np.random.default_rng(7).normal(size=1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    frame = pd.DataFrame({"x": numbers})
    back = read_table(write_table(frame, tmp_path / "t.csv", digits=9))["x"]
    assert back.tolist() == [float(f"{number:.8e}") for number in numbers]


def test_a_panel_comes_back_with_its_index(tmp_path):
    index = pd.MultiIndex.from_product([["北京", "Anhui"], [2015, 2016]], names=["place", "year"])
    panel = pd.DataFrame({"x": [1.5, np.nan, 0.1, 2.0]}, index=index).sort_index()
    pd.testing.assert_frame_equal(read_table(write_table(panel, tmp_path / "p.csv"), ("place", "year")), panel)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"x": [0.1 + 0.2]}, index=["省份"])
    assert write_table(frame, tmp_path / "1.csv").read_bytes() == write_table(frame, tmp_path / "2.csv").read_bytes()


def test_a_table_is_utf8_with_plain_line_ends(tmp_path):
    content = write_table(pd.DataFrame({"name": ["省份"]}), tmp_path / "t.csv").read_bytes()
    assert content == "name\n省份\n".encode()


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("share_of_total", "Share of total"),
        ("order_wild_p_value", "p, order wild"),
        ("ar1_p_value", "p, AR(1)"),
        ("size_std_error", "Std. error, size"),
        ("p_value", "p"),
        ("wild_p_value", "p, wild"),
        ("Loans p_value", "Loans p_value"),
    ],
)
def test_a_head_begins_with_what_the_column_holds(name: str, head: str) -> None:
    shown = show_table(pd.DataFrame({name: [0.5]}), caption="A table").html
    assert f">{head}</th>" in shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'x"])
def test_no_text_of_a_file_is_a_spreadsheet_formula(tmp_path, text):
    frame = pd.DataFrame({text: [text]}, index=pd.Index([text], name="name"))
    with write_table(frame, tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.lstrip()[0] in "=+-@"]


def test_a_negative_number_stays_a_number(tmp_path):
    assert write_table(pd.DataFrame({"x": [-1.5]}), tmp_path / "t.csv").read_text() == "x\n-1.5\n"


@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1), min_size=1))
def test_every_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    frame = pd.DataFrame({"text": [*texts, "not a number"]})
    assert read_table(write_table(frame, path))["text"].tolist() == frame["text"].tolist()


def test_the_text_na_is_not_a_gap(tmp_path):
    frame = pd.DataFrame({"text": ["NA", "null", "nan"]})
    assert read_table(write_table(frame, tmp_path / "t.csv"))["text"].tolist() == ["NA", "null", "nan"]


def test_writing_changes_nothing_of_the_input(tmp_path):
    frame = pd.DataFrame({"=x": ["=1"]}, index=pd.Index(["a"], name="row"))
    before = frame.copy(deep=True)
    write_table(frame, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(frame, before)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"panel\.csv: the table is missing"):
        read_table(tmp_path / "panel.csv")


def test_what_is_shown_is_escaped():
    frame = pd.DataFrame({"<b>": ["<script>alert(1)</script>"]}, index=pd.Index(["&"], name="row"))
    view = show_table(frame, caption="<i>", note="<u>", labels={"&": "<s>"})
    for tag in ("<b>", "<script>", "<i>", "<u>", "<s>"):
        assert tag not in view.html


def test_numbers_are_rounded_for_show_only():
    frame = pd.DataFrame({"x": [1 / 3], "y": [2 / 3], "n_obs": [217], "p_value": [1e-9]})
    view = show_table(frame, caption="c", digits={"x": 2})
    cells = [part.split("<")[0] for part in view.html.split('<td class="n">')[1:]]
    assert cells == ["0.33", "0.667", "217", "&lt; 0.001"]


def test_a_drawn_p_value_is_printed_in_a_table_as_in_a_sentence():
    results = Results()
    results.record("a.wild", estimate=1.0, p_value=0.58465585, draws=99_999)
    results.record("a.t", estimate=1.0, p_value=0.42974851)
    frame = pd.DataFrame({"p_value": [0.42974851], "wild_p_value": [0.584655846], "share": [0.58465585]})
    text = repr(show_table(frame, caption="c", drawn=drawn_p_values(results.values())))
    assert text.splitlines()[-1].split() == ["0.430", "0.58", "0.585"]


def test_a_gap_is_shown_empty():
    assert '<td class="n"></td>' in show_table(pd.DataFrame({"x": [np.nan]}), caption="c").html


def test_a_table_in_long_form_has_its_keys_first():
    frame = pd.DataFrame({"x": [1.0]}, index=pd.MultiIndex.from_tuples([("a", 2015)], names=["place", "year"]))
    html = show_table(frame, caption="c", labels={"place": "Ort", "a": "A"}).html
    assert html.index("Ort") < html.index("Year") < html.index(">A<") < html.index("2015")


def test_a_table_says_where_its_file_is():
    assert (
        '<a class="csv" href="tables/t.csv">'
        in show_table(pd.DataFrame({"x": [1]}), caption="c", link="tables/t.csv").html
    )


def test_the_plain_form_holds_caption_numbers_and_note():
    text = repr(show_table(pd.DataFrame({"x": [0.5]}), caption="Caption", note="Note"))
    assert text.splitlines()[0] == "Caption"
    assert "0.500" in text
    assert text.endswith("Note")


@pytest.mark.parametrize("name", ["../x", "X", "", "a b", "a/b", "1a", "a.csv"])
def test_a_file_name_is_lower_case_words(name):
    with pytest.raises(StudyError, match="lower-case"):
        check_name(name)


def test_numbers_that_are_texts_are_set_as_numbers():
    html = show_table(pd.DataFrame({"x": ["-0.012***", "(0.030)", "yes"]}), caption="c").html
    assert '<td class="n">−0.012***</td><' in html


def test_a_row_that_is_called_by_a_number_has_a_name_and_no_figure():
    frame = pd.DataFrame({"estimate": ["0.50"]}, index=pd.Index(["000051"], name="firm"))
    shown = show_table(frame, caption="Firms").html
    assert '<td class="s">000051</td>' in shown
    assert '<td class="n">0.50</td>' in shown


def test_a_date_or_a_name_is_no_number():
    assert ">2015-01-02<" in show_table(pd.DataFrame({"x": ["2015-01-02"]}), caption="c").html
