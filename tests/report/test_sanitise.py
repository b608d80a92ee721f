"""Facts about HTML that is made harmless."""

import pytest

from helpers.report.sanitise import clean_html


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<p style='background:url(https://a.example)' id=main>a</p>", "<p>a</p>"),
        ("a<script>x()</script>b", "ab"),
        ("a<style>x{}</style>b", "ab"),
        ("<iframe src='https://a.example'></iframe>b", "b"),
        ("<object><embed src=x></object>b", "b"),
        ("<a href='javascript:x()'>a</a>", "<a>a</a>"),
        ("<a href=' java\nscript:x()'>a</a>", "<a>a</a>"),
        ("<a href='data:text/html,x'>a</a>", "<a>a</a>"),
        ("<a href='http://a.example/'>a</a>", "<a>a</a>"),
        ("<a href='../../etc/passwd'>a</a>", "<a>a</a>"),
        ("<img src='https://a.example/p.png' alt=a>", '<img alt="a">'),
        ("<img src='data:text/html;base64,AA=='>", "<img>"),
        ("<svg onload=x()><circle/></svg>", ""),
        ("<form action=x><input name=a>b</form>", "b"),
        ("<meta http-equiv=refresh content=0><link rel=stylesheet href=x><base href=x>", ""),
        ("<math><mi onclick=x href='javascript:x()'>y</mi></math>", "<math><mi>y</mi></math>"),
        ("<!-- a --><?b?><!DOCTYPE c>", ""),
    ],
)
def test_what_could_run_or_load_is_taken_out(text, clean):
    assert clean_html(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        '<a class="num" data-key="a.b" href="#01_data-cell-02">0.5</a>',
        '<a class="csv" href="tables/small.csv">CSV</a>',
        '<a href="https://doi.org/10.1000/x?a=b">source</a>',
        '<img src="data:image/svg+xml;base64,PHN2Zy8+" alt="A line">',
        '<table><thead><tr><th scope="col" class="n">a</th></tr></thead></table>',
        '<math display="block"><mfrac><mn>1</mn><mi>n</mi></mfrac></math>',
        "a &lt; b &amp; c",
    ],
)
def test_what_the_project_writes_stays(text):
    assert clean_html(text) == text


def test_what_is_left_open_is_closed_as_a_browser_closes_it():
    assert clean_html("<div><b>a</div>b</section>") == "<div><b>a</b></div><b>b</b>"


def test_cleaning_twice_changes_nothing():
    once = clean_html("<scr<script>ipt>x()</script><b>a < b</b>&lt;script&gt;")
    assert clean_html(once) == once
    assert "<script" not in once


def test_a_piece_that_never_closes_its_script_shows_nothing_of_it():
    assert clean_html("a<script>x()") == "a"
