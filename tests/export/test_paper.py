"""What a browser prints, the slides that it prints, and what is said where there is none."""

import re
import shutil
from argparse import Namespace
from types import SimpleNamespace

import pytest

from helpers.errors import StudyError
from helpers.export import browser as browsers
from helpers.export import commands
from helpers.export.browser import NAMES, find_browser
from helpers.export.paper import printed_files
from helpers.export.slides import CLAIMS, write_slides
from helpers.report.report import write_report
from toy_run import NAMES as NOTEBOOKS
from toy_run import make_study, write_toy_run

CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt" viewBox="0 0 72 36">'
    '<rect width="72" height="36"/></svg>'
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = write_toy_run(tmp_path_factory.mktemp("paper"))
    write_report(make_study(), folder, NOTEBOOKS)
    (folder / "figures").mkdir(exist_ok=True)
    for path in (folder / "figures").glob("*.svg"):
        path.unlink()
    (folder / "figures" / "one.svg").write_text(SVG)
    return folder


def slides(page):
    return re.findall(r'<section class="slide">\n(.*?)\n</section>', write_slides(page), re.DOTALL)


def test_the_deck_holds_question_ladder_and_every_picture_and_nothing_that_runs(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    deck = write_slides(page)
    shown = slides(page)
    assert "Does x raise &lt;y&gt;?" in shown[0]
    assert any('class="ladder"' in slide for slide in shown)
    pictures = re.findall(r'<figure class="picture">', page[page.index("<article") :])
    assert sum(slide.count('<figure class="picture">') for slide in shown) == len(pictures) > 0
    assert not re.search(r"<script|<button|<a\b|popovertarget|\son\w+=", deck[deck.index("<body>") :])


def test_the_ledger_is_dealt_over_slides_and_no_claim_is_lost():
    rows = "".join(f'<tr><td class="s">C-{number}</td></tr>' for number in range(2 * CLAIMS + 1))
    table = f"<table><thead><tr><th>Claim</th></tr></thead><tbody>{rows}</tbody></table>"
    link = '<p class="file"><a href="tables/ledger.csv">CSV</a></p>'
    figure = f'<figure class="table"><figcaption>Ledger</figcaption>{table}{link}</figure>'
    dealt = [re.findall(r"C-\d+", slide) for slide in slides(figure)[1:]]
    assert [len(claims) for claims in dealt] == [CLAIMS, CLAIMS, 1]
    assert len({claim for claims in dealt for claim in claims}) == 2 * CLAIMS + 1


def test_a_picture_has_the_sentence_that_reads_it_and_a_wide_table_has_no_slide():
    def cell(text):
        return f'<section id="a" class="cell">\n{text}<details class="code">'

    said = '<p class="t" lang="en">It rises.</p><p class="t" lang="zh">上升。</p>'
    heads = "".join(f"<th>{number}</th>" for number in range(30))
    wide = f'<figure class="table"><table><tr>{heads}</tr><tr><td>1</td></tr></table></figure>'
    page = (
        '<article id="a" class="chapter"><section id="b" class="text">\n<h2>One</h2></section>'
        '<section id="c" class="text">\n<h3>What?</h3></section>'
        + cell(wide)
        + cell('<figure class="picture">drawn</figure>')
        + cell(said)
    )
    assert slides(page)[1:] == [
        '<p class="from">One</p><h2>What?</h2><figure class="picture">drawn</figure>'
        + f'<div class="said">{said}</div>'
    ]


def test_without_a_browser_the_rest_is_written_and_the_way_out_is_told(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(StudyError, match="install Chromium") as told:
        find_browser()
    assert NAMES[0] in told.value.rule
    study = SimpleNamespace(name="toy", folder=tmp_path)
    monkeypatch.setattr(commands, "_find", lambda _: (study, run))
    assert commands._export(Namespace(folder=tmp_path / "new")) == 0
    names = {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert {"results.md", "slides.html", "one.svg"} <= names
    assert not {name for name in names if name.endswith((".pdf", ".png"))}
    assert "What to do: install Chromium" in capsys.readouterr().err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_prints_report_slides_and_pictures_in_both_languages(run):
    import io

    from PIL import Image

    made = dict(printed_files(find_browser(), run))
    assert set(made) == {
        *(f"{name}.{language}.pdf" for name in ("report", "slides") for language in ("en", "zh")),
        "figures/one.pdf",
        "figures/one.png",
    }
    assert all(content.startswith(b"%PDF") for name, content in made.items() if name.endswith(".pdf"))
    assert made["report.en.pdf"] != made["report.zh.pdf"]
    assert b"(D:19800101000000" in made["report.en.pdf"]
    deck = len(slides((run / "report.html").read_text(encoding="utf-8")))
    assert len(re.findall(rb"/Type /Page\b", made["slides.en.pdf"])) == deck
    picture = Image.open(io.BytesIO(made["figures/one.png"]))
    assert picture.size == (192, 96)  # 72 by 36 points are 96 by 48 pixels, drawn at twice that
    assert picture.convert("L").getextrema() == (0, 0)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_that_ends_is_told(tmp_path):
    with pytest.raises(StudyError, match="the browser gave no answer"), browsers.open_browser(tmp_path / "none") as it:
        it.show("about:blank")
