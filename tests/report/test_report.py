"""Facts about the report: a toy run of two notebooks, and a browser where there is one."""

import ast
import base64
import hashlib
import html
import itertools
import json
import re
import shutil
import socket
import subprocess
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import nbformat
import pandas as pd
import pytest

from helpers.display.tables import show_table
from helpers.errors import StudyError
from helpers.report.chapters import read_chapter, write_markdown
from helpers.report.language import Translator
from helpers.report.report import check_links, write_report
from helpers.report.sections.ladder import ladder_axis
from helpers.results.results import Result
from helpers.runner.twins import read_percent
from helpers.study.model import Model
from helpers.study.needs import Need
from toy_run import NAMES, make_study, write_toy_run

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_toy_run(tmp_path_factory.mktemp("report"))
    write_report(make_study(), folder, NAMES, left_out={"07_texts": "no <texts> are declared"})
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


class _Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def elements(page):
    return _Elements(page).found


def test_nothing_is_loaded_from_outside(page, elements):
    loading = [attrs["src"] for _, attrs in elements if "src" in attrs]
    assert all(source.startswith("data:image/") for source in loading)
    assert not {tag for tag, _ in elements} & {"link", "iframe", "object", "embed", "base"}
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "@import" not in page


def test_the_page_forbids_itself_the_network(elements):
    policy = next(attrs["content"] for tag, attrs in elements if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert "img-src data:; base-uri 'none'; form-action 'none'" in policy


def test_the_one_script_is_the_one_that_the_page_allows(page):
    (script,) = re.findall(r"<script>(.*?)</script>", page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_a_second_report_has_the_same_bytes(folder, page):
    write_report(make_study(), folder, NAMES, left_out={"07_texts": "no <texts> are declared"})
    assert (folder / "report.html").read_text(encoding="utf-8") == page


def test_every_link_inside_leads_somewhere(elements):
    ids = [attrs["id"] for _, attrs in elements if "id" in attrs]
    links = [attrs["href"][1:] for tag, attrs in elements if tag == "a" and attrs.get("href", "").startswith("#")]
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)


def test_every_linked_file_is_there(folder, elements):
    links = {attrs["href"] for tag, attrs in elements if tag == "a" and not attrs.get("href", "#").startswith("#")}
    assert links == {"tables/wide.csv", "results.json"}
    assert all((folder / link).is_file() for link in links)


def test_a_number_opens_what_it_is_and_leads_to_the_cell_that_made_it(page):
    assert '<button class="num" popovertarget="k-data.rows">4</button> rows.' in page
    popover = page[page.index('<div popover id="k-data.rows"') :]
    assert ' href="#01_data-cell-05-code">' in popover[: popover.index("</div>")]


def test_every_number_that_opens_has_something_to_open(elements):
    targets = {attrs["popovertarget"] for tag, attrs in elements if tag == "button"}
    popovers = {attrs["id"] for tag, attrs in elements if "popover" in attrs}
    assert targets
    assert targets <= popovers


def test_a_number_of_a_table_has_an_address(elements):
    titles = {attrs["title"] for tag, attrs in elements if tag == "button" and "title" in attrs}
    assert titles
    english = {title.partition(" / ")[0] for title in titles}
    assert all(title.startswith("wide · ") and title.count(" · ") == 2 for title in english)


def test_what_stands_a_thousand_times_costs_few_elements(page):
    """The popover of a result: itself, a line of its test, three ways on, and two words of the line."""
    popovers = re.findall(r'<div popover id="k-.*?</div>', page, re.DOTALL)
    assert popovers
    assert max(len(re.findall(r"<[a-z]", popover)) for popover in popovers) <= 7


def test_the_ladder_marks_the_primary_column_alone(page):
    shown = re.sub(r'<span class="t" lang="zh">.*?</span>|<span class="t" lang="en">', "", page)
    rows = re.findall(r"<tr( class=\"primary\")?>\n<th scope=\"row\">(\w+)", shown)
    assert rows == [("", "Pooled"), (' class="primary"', "Twoway_Controls")]


def test_a_certain_estimate_is_a_filled_dot(page):
    assert re.findall(r'<circle class="(\w+)"', page) == ["certain", "open"]


def test_a_mark_of_the_ladder_opens_the_number_that_it_shows(page):
    rows = re.findall(
        r"<tr[^>]*>\n(<th scope=\"row\".*?)</tr>", page[page.index('<table class="ladder">') :], re.DOTALL
    )
    opened = [re.findall(r'popovertarget="([^"]+)"', row) for row in rows]
    assert [sorted(set(keys)) for keys in opened] == [["k-baseline.pooled.x"], ["k-baseline.twoway_controls.x"]]
    assert all(re.search(r'<button popovertarget="[^"]+"><svg', row) for row in rows)


def test_front_page_shows_what_is_tagged_for_it(page):
    front = page[: page.index('<article id="01_data"')]
    assert "A line</figcaption>" in front
    assert "The last word." in front
    assert "A wide table" not in front


def test_the_front_page_says_what_each_chapter_asks_and_what_is_left_out(page):
    front = page[: page.index('<article id="01_data"')]
    assert "Which figures are <strong>there</strong>?" in front
    assert ">Left out</span>" in front
    assert "no &lt;texts&gt; are declared" in front
    assert "The figures are few." in front


def test_what_a_notebook_shows_cannot_run(page):
    for part in ("document.title", "onerror", "onload", "javascript:", "evil.example", "display:none}"):
        assert part not in page
    assert "<p>kept</p>" in page


def test_labels_of_the_study_are_escaped(page):
    assert "<title>Does x raise &lt;y&gt;? · 数字赋能</title>" in page


def test_code_is_folded_and_hidden_cells_are_left_out(page):
    chapters = page[page.index('<article id="01_data"') :]
    assert chapters.count('<pre tabindex="0"><code>') == len(
        re.findall(r'<details class="code"><summary><span class="t" lang="en">Code', chapters)
    )
    assert "secret" not in page


def test_what_a_test_compares_is_no_text_for_a_reader(page):
    assert "print" in page[page.index('<article id="01_data"') :]
    assert "rows&#x27;: 4" not in page


def test_no_cell_of_a_notebook_ends_in_a_record_that_it_shows_as_code():
    """What a cell's last line gives is shown, and a recorded result shows itself as Python writes it."""
    ends: dict[tuple[str, str], list[ast.stmt]] = {}
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb")):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        ends |= {(path.stem, cell.id): ast.parse(cell.source).body[-1:] for cell in cells}
    last = {place: body[0].value for place, body in ends.items() if body and isinstance(body[0], ast.Expr)}
    called = {place: ast.unparse(call.func) for place, call in last.items() if isinstance(call, ast.Call)}
    assert len(called) > 100
    assert [place for place, name in called.items() if name in ("run.record", "clear.record_clear")] == []


def test_sections_that_only_load_or_save_are_one_folded_line(page):
    load = '<span class="t" lang="en">Load</span><span class="t" lang="zh">载入</span>'
    assert f'<details class="code" id="01_data-cell-02"><summary>{load}</summary>' in page
    assert '<a href="#01_data-cell-02">' not in page
    assert '<a href="#01_data-cell-04">What is there?</a>' in page


def test_a_section_of_tables_without_rows_is_not_shown(tmp_path):
    """What a study does not have has no heading either; one row brings the section back."""

    def titles(frame):
        view = show_table(frame, caption="Rows")
        output = nbformat.v4.new_output("display_data", {"text/html": view.html, "text/plain": view.text})
        cells = [
            nbformat.v4.new_markdown_cell("# 1 First\n\nWhat is there?"),
            nbformat.v4.new_markdown_cell("## Which rows?\n\nThese."),
            nbformat.v4.new_code_cell("run.table(frame)", outputs=[output]),
        ]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_first.ipynb")
        return [section.title for section in read_chapter(tmp_path / "01_first.ipynb", Translator({})).sections]

    frame = pd.DataFrame({"estimate": [0.5]})
    assert any("Which rows?" in title for title in titles(frame))
    assert not any("Which rows?" in title for title in titles(frame.iloc[:0]))


def test_a_table_without_rows_beside_others_is_a_word(tmp_path):
    frame = pd.DataFrame({"estimate": [0.5]})
    outputs = [
        nbformat.v4.new_output("display_data", {"text/html": view.html, "text/plain": view.text})
        for view in (show_table(frame, caption="Some"), show_table(frame.iloc[:0], caption="Others"))
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# 1 First"),
        *(nbformat.v4.new_code_cell("run.table(frame)", outputs=[output]) for output in outputs),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_first.ipynb")
    shown = [cell.outputs for cell in read_chapter(tmp_path / "01_first.ipynb", Translator({})).cells if cell.outputs]
    assert "0.500" in shown[0][0]
    assert '<p class="none">None.</p>' not in shown[0][0]
    assert "Others" in shown[1][0]
    assert '<p class="none">None.</p>' in shown[1][0]
    assert "<table" not in shown[1][0]


def test_cells_about_what_a_study_does_not_have_are_left_out_of_the_report(tmp_path):
    tagged = nbformat.v4.new_markdown_cell(
        "## How sure is the index?\n\nIt is drawn.", metadata={"tags": ["needs-indices"]}
    )
    cells = [nbformat.v4.new_markdown_cell("# 1 First\n\nWhat is there?"), tagged]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_first.ipynb")
    kept = {
        lacking: [
            section.title for section in read_chapter(tmp_path / "01_first.ipynb", Translator({}), lacking).sections
        ]
        for lacking in ((), ("regions",), ("indices",))
    }
    assert kept[()] == kept["regions",] == ["", "How sure is the index?"]
    assert kept["indices",] == [""]


@pytest.mark.parametrize("answered", [True, False])
def test_a_text_that_leads_to_nothing_is_left_out_of_the_report(tmp_path, answered):
    shown = [nbformat.v4.new_output("display_data", {"text/markdown": "It moves."})] if answered else []
    cells = [
        nbformat.v4.new_markdown_cell("# 1 First\n\nWhat is there?"),
        nbformat.v4.new_markdown_cell("## Whose movement is it?\n\nA share."),
        nbformat.v4.new_markdown_cell("Unit by unit:", metadata={"tags": ["asks"]}),
        nbformat.v4.new_code_cell("run.say(told)", outputs=shown),
        nbformat.v4.new_markdown_cell("The code speaks:"),
        nbformat.v4.new_code_cell("fit = 1"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_first.ipynb")
    texts = "".join(cell.text for cell in read_chapter(tmp_path / "01_first.ipynb", Translator({})).cells)
    assert ("Unit by unit:" in texts) == answered
    assert "The code speaks:" in texts


def test_a_label_in_a_formula_is_shown_as_it_is_written():
    label = "l_police, 100% R&D #1"
    shown = write_markdown(Model("y", "x", ()).latex({"y": label, "x": "x"}))
    assert html.unescape(re.sub("<[^>]+>", "", shown)).replace("\N{NO-BREAK SPACE}", " ").strip().startswith(label)
    assert "\\" not in shown


@pytest.mark.parametrize("tags", [["needs-indices"], []])
def test_a_number_of_a_cell_that_is_left_out_is_not_listed(tmp_path, tags):
    folder = write_toy_run(tmp_path)
    path = folder / "notebooks" / "01_data.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("run.record(...)", id="cell-99", metadata={"tags": tags}))
    nbformat.write(notebook, path)
    held = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    held["results"].append(
        {"key": "data.dimensions", "value": 0, "digits": 0, "notebook": "01_data", "cell": "cell-99"}
    )
    (folder / "results.json").write_text(json.dumps(held), encoding="utf-8")
    page = write_report(make_study(), folder, NAMES).read_text(encoding="utf-8")
    assert ("data.dimensions" in page) is (tags == [])
    assert "data.rows" in page


def test_every_need_of_a_cell_is_a_block_of_the_study_file():
    found = set()
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        for cell in read_percent(path.read_text(encoding="utf-8"), path.name):
            found |= {tag.removeprefix("needs-") for tag in cell.tags if tag.startswith("needs-")}
    assert found
    assert found <= set(get_args(Need))


def test_streams_are_joined_and_lose_the_folders_of_the_machine(page):
    assert '<pre class="stream" tabindex="0">one line</pre>' in page
    assert "module.py:3: Warning" in page
    assert "/home/someone" not in page[page.index("<article") :]


def test_formulas_are_mathml(page):
    assert '<math tabindex="0" display="block">' in page
    assert "$$" not in page


def test_a_formula_that_cannot_be_set_is_named():
    with pytest.raises(StudyError, match="cannot be set"):
        write_markdown("$x_1_2$")


def test_headings_go_down_one_level():
    assert write_markdown("# a") == "<h2>a</h2>\n"


def test_there_is_one_first_heading_and_no_level_is_skipped(elements):
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_picture_has_a_description(elements):
    assert all(attrs.get("alt") for tag, attrs in elements if tag == "img" and "src" in attrs)


def test_a_missing_notebook_is_named(folder):
    with pytest.raises(StudyError, match=r"05_gone\.ipynb"):
        write_report(make_study(), folder, [*NAMES, "05_gone"])


def test_a_damaged_notebook_is_named(tmp_path):
    (tmp_path / "01_data.ipynb").write_text("{")
    with pytest.raises(StudyError, match=r"01_data\.ipynb: not a notebook"):
        read_chapter(tmp_path / "01_data.ipynb", Translator({}))


def test_a_failed_report_leaves_the_earlier_one(folder, page):
    with pytest.raises(StudyError):
        write_report(make_study(), folder, ["05_gone"])
    assert (folder / "report.html").read_text(encoding="utf-8") == page


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    with pytest.raises(StudyError, match="#01_data-cell-99"):
        check_links('<a href="#01_data-cell-99">1</a>', tmp_path / "report.html")


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.7), (-0.002, 0.001), (-900, -100), (0, 0), (1e-9, 2e-9)])
def test_the_axis_holds_zero_and_every_interval(low, high):
    axis = ladder_axis([Result("a.b", estimate=low, ci_low=low, ci_high=high)])
    assert all(0 <= axis.place(number) <= 100 for number in (0, low, high))
    assert 2 <= len(axis.ticks) <= 9
    assert len({text for text, _ in axis.ticks}) == len(axis.ticks)


def test_a_run_without_the_ladder_still_has_a_report(tmp_path):
    folder = write_toy_run(tmp_path)
    study = make_study()
    study.specification.treatment = "z"
    assert "answer-title" not in write_report(study, folder, NAMES).read_text(encoding="utf-8")


class _Proxy(threading.Thread):
    """Notes which hosts the browser asks for, and answers nothing."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"
        self.asked = ""

    def run(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.asked += connection.recv(2000).decode("latin-1").split("\n")[0]


def browse(path, profile, *options, proxy=None):
    assert CHROMIUM is not None
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
    if proxy is not None:
        quiet += [f"--proxy-server=http://{proxy.address}", "--proxy-bypass-list=<-loopback>"]
    command = [CHROMIUM, *quiet, *options, path.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@needs_browser
def test_no_request_leaves_the_page(folder, tmp_path):
    proxy = _Proxy()
    proxy.start()
    control = tmp_path / "control.html"
    control.write_text('<img src="http://control.example/p.png">')
    browse(control, tmp_path / "profile", "--dump-dom", proxy=proxy)
    assert "control.example" in proxy.asked
    proxy.asked = ""
    dom = browse(folder / "report.html", tmp_path / "profile", "--dump-dom", proxy=proxy)
    proxy.server.close()
    assert "all-results" in dom
    assert ".example" not in proxy.asked  # the browser's own calls to its maker are not the page's


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_does_not_scroll_sideways(page, tmp_path, width):
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe width="{width}" height="800" srcdoc="{html.escape(page)}" onload="document.title ='
        " this.contentDocument.documentElement.scrollWidth + ' of ' +"
        ' this.contentDocument.documentElement.clientWidth"></iframe>',
        encoding="utf-8",
    )
    dom = browse(frame, tmp_path / "profile", "--dump-dom", f"--window-size={width + 100},900")
    found = re.search(r"<title>(\d+) of (\d+)</title>", dom)
    assert found is not None
    widest, seen = map(int, found.groups())
    assert 0 < widest <= seen <= width
