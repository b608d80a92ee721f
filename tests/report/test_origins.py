"""What a number says of itself: its words, its method, whose numbers the method met; and every one of them in a browser."""

import csv
import re
import shutil
from pathlib import Path

import pytest

from helpers.report.chapters import write_markdown
from helpers.report.labels import key_labels
from helpers.report.origins import (
    CHECKED,
    method_of,
    name_sources,
    note_of,
    reached_modules,
    read_methods,
    spell_formula,
    spell_key,
)
from helpers.report.popovers import head_of_rows, open_tables, read_heads
from helpers.report.report import write_report
from helpers.results.results import Result
from helpers.study.data import Label
from helpers.study.study import load_study
from outside import PAGE, named_methods
from toy_run import NAMES, make_study, write_toy_run

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)

CLUSTERED = "clustered by entity, as Stata's xtreg and reghdfe and R's fixest: G/(G-1) x (N-1)/(N-K), t(30)"


def test_every_formula_can_be_set():
    formulas = [family.formula for family in read_methods() if family.formula]
    assert len(formulas) > 20
    assert all("<math" in write_markdown(f"$${formula}$$") for formula in formulas)


@pytest.mark.parametrize(
    ("convention", "family"),
    [
        (CLUSTERED, "two_way"),
        ("restricted wild cluster bootstrap, Rademacher, drawn", "wild_bootstrap"),
        ("Romano-Wolf over the family, restricted wild bootstrap", "romano_wolf"),
        ("wild bootstrap of the Wald statistic", "wald"),
        ("product of the paths, CR2 and Satterthwaite's df", "indirect_effect"),
        ("CR2, Satterthwaite degrees of freedom", "small_sample"),
        ("entity bootstrap, percentile interval", "entity_bootstrap"),
    ],
)
def test_a_convention_says_the_method(convention, family):
    assert method_of(convention, ["claims.rules"]).name == family


def test_without_a_convention_the_nearest_method_of_the_cell_is_said():
    assert method_of(None, ["display.journal", "regression.threshold", "inference.wild"]).name == "threshold"
    assert method_of(None, ["regression.ladder"]).name == "two_way"
    assert method_of(None, ["cleaning.gaps"]).name == method_of(None, []).name == "data"


def test_a_table_says_its_method_before_its_cell_does():
    assert method_of(None, ["regression.ladder"], "vif").name == "collinearity"
    assert method_of(None, ["regression.ladder"], "baseline_ladder").name == "two_way"
    assert method_of(None, ["regression.threshold"], "no_such_table").name == "threshold"


@pytest.mark.parametrize(
    ("table", "family"),
    [
        ("leave_one_out", "two_way"),  # the index as it was built
        ("fragility_by_unit", "leave_out"),  # derived anew
        ("region_means", "two_way"),  # rows, clustered
        ("region_growth", "means"),  # units, Welch
        ("features", "two_way"),  # several regressors in one regression
        ("factors", "society"),  # one regression for each outcome
        ("specification_tests", "specification"),
        ("region_equality", "wald"),
        ("multiverse_survival", "multiverse"),  # counted
        ("dashboard", "multiverse"),
        ("multiverse_joint", "multiverse_null"),  # held against a null
    ],
)
def test_a_table_is_told_the_method_that_made_it(table, family):
    assert method_of(None, [], table).name == family


@pytest.mark.parametrize("test", ["Pesaran CD test", "Honda test (entity)", "modified Wald test", "Hausman test"])
def test_a_test_by_draws_from_its_null_is_no_permutation_and_no_wald_test(test):
    assert method_of(f"{test}, p-value by draws from its null", ["inference.wald"]).name == "specification"


def html_table(heads, *rows):
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "x", "1"), ("b", "x", "1")], "Index"),
        ([("a", "x", "1"), ("a", "y", "1")], "Index and indicator"),
        ([("a", "x", "1"), ("a", "x", "2"), ("b", "x", "1")], "Index, indicator and size"),
        ([("a", "x", "1"), ("a", "x", "1")], ""),  # the first columns do not tell rows apart: nothing is said
    ],
)
def test_a_row_is_named_by_the_columns_that_tell_rows_apart(rows, said):
    assert head_of_rows(html_table(("Index", "Indicator", "Size"), *rows)).en == said
    assert head_of_rows(html_table(("", "Indicator", "Size"), *rows)).en == ""


def test_a_note_has_three_parts_in_each_language_and_a_count_of_many_programs():
    note = note_of(method_of(None, [], "coefficients"), ["term", "estimate", "ci_low"], Label(en="Term", zh="项"))
    english, chinese = note.split("</p>")[:2]
    assert re.findall("<b>(.*?)</b>", english) == ["Method.", "How to read.", "Reference."]
    assert re.findall("<b>(.*?)</b>", chinese) == ["方法：", "读法：", "对照："]
    assert "one unit of the row's variable" in english
    assert "An interval that holds zero" in english
    assert f"numbers of {len(method_of(None, [], 'coefficients').checked)} programs" in english
    assert 'popovertarget="m-two_way"' in english


def test_a_note_speaks_of_the_columns_that_are_there_and_names_what_a_row_is():
    note = note_of(method_of(None, [], "ranking_x"), ["province", "ci_low"], Label(en="Province", zh="省份"))
    assert "One row per province." in note
    assert "各行按“省份”列示。" in note
    assert "holds zero" not in note  # an interval of what is no effect
    assert "one row" not in note_of(method_of(None, [], "regions"), ["regions"], Label(en="Regions", zh="地区")).lower()


def test_what_is_read_or_counted_has_no_note():
    assert note_of(method_of(None, [], "policies"), ["policy"], Label(en="Policy", zh="政策")) == ""


@pytest.mark.parametrize("number", ["03", "04", "05", "06", "09", "10", "11"])
def test_every_table_of_a_method_has_all_three_parts(number):
    """Tables that the committed run wrote; those that are read or counted are named as such."""
    (path,) = (path for path in (ROOT / "notebooks").glob(f"{number}_*.py") if not path.stem.endswith("_on_disk"))
    cells = dict(enumerate(re.split(r"^# %%.*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)))
    reached = reached_modules({str(place): cell for place, cell in cells.items()})
    named = {
        name: reached[str(place)]
        for place, cell in cells.items()
        for name in re.findall(r'(?:run\.table|run\.coefficients)\([^"]*?"([a-z0-9_]+)"', cell)
    }
    tables = {name: ROOT / "reports" / "provinces" / "tables" / f"{name}.csv" for name in named}
    shown = {name: (method_of(None, named[name], name), path) for name, path in tables.items() if path.is_file()}
    silent = {name for name, (method, _) in shown.items() if not method.formula}
    declared = next(family.tables for family in read_methods() if family.name == "data")
    assert [name for name in silent if not re.fullmatch(declared, name)] == []
    assert len(shown) > len(silent) + 3
    for name in shown.keys() - silent:
        method, path = shown[name]
        note = note_of(method, read_heads(path), Label(en="Row", zh="行"))
        assert (name, note.count("<b>")) == (name, 6)


def test_a_cell_reaches_what_it_calls_before_what_made_its_variables():
    cells = {
        "a": "from helpers.regression import panel\nfrom helpers.inference import wild as boot",
        "b": "fit = panel.fit(data)",
        "c": "exact = boot.bootstrap(fit)",
        "d": "panel",
        "e": "print(1",
    }
    reached = reached_modules(cells)
    assert reached["c"] == ["inference.wild", "regression.panel"]
    assert reached["b"] == ["regression.panel"]
    assert reached["e"] == []


def test_a_key_is_spelt_by_the_study_then_by_the_page_then_as_it_stands():
    names = {"x": Label(en="The treatment", zh="数字赋能")}
    spelt = spell_key(Result("baseline.x.odd_part", value=1), names.get)
    assert spelt == Label(en="baseline · The treatment · odd part", zh="基准回归 · 数字赋能 · odd part")


def test_a_part_of_two_names_is_spelt_by_both_and_a_claim_as_the_ledger_has_it():
    names = {
        "east": Label(en="East", zh="东部"),
        "west": Label(en="West", zh="西部"),
        "size": Label(en="Size", zh="规模"),
    }
    keys = ("region.east_minus_west.mean", "multiverse.control_size", "claims.emp_3a")
    spelt = [spell_key(Result(key, value=1), names.get) for key in keys]
    assert [words.zh for words in spelt] == [
        "地区 · 东部与西部之差 · 均值",
        "多元宇宙分析 · 控制变量：规模",
        "论断 · EMP-3a",
    ]
    assert spelt[0].en == "region · East minus West · mean"


def test_the_methods_that_met_outside_numbers_are_those_of_the_parity_page():
    with CHECKED.open(encoding="utf-8", newline="") as file:
        held = {(row["method"].rpartition(".")[2], row["source"]) for row in csv.DictReader(file)}
    assert held == {(method.rpartition(".")[2], source) for method, source in named_methods(PAGE)}
    assert "wildboottest" in method_of("restricted wild cluster bootstrap", []).checked


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_toy_run(tmp_path_factory.mktemp("report"))
    write_report(make_study(), folder, NAMES)
    return folder


EVERY = """() => {
  const bad = [];
  const numbers = document.querySelectorAll('main button[popovertarget]');
  for (const number of numbers) {
    const told = document.getElementById(number.getAttribute('popovertarget'));
    number.click();
    const method = told && told.querySelector('button[popovertarget^="m-"]');
    const cell = told && told.querySelector('a[href^="#"]');
    const found = [told && told.matches(':popover-open'), method && cell,
      method && document.getElementById(method.getAttribute('popovertarget')),
      cell && document.getElementById(decodeURIComponent(cell.hash.slice(1)))];
    if (!found.every(Boolean)) bad.push(number.outerHTML);
    if (told && told.matches(':popover-open')) told.hidePopover();
  }
  return [numbers.length, bad];
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_every_number_opens_its_method_and_leads_to_its_code_and_back(folder):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sheet = browser.new_page()
        sheet.goto((folder / "report.html").as_uri())
        count, bad = sheet.evaluate(EVERY)
        sheet.locator("main button.num").first.click()
        sheet.locator(".pop:popover-open a[href$='-code']").click()
        code = sheet.locator("pre:target")
        shown = code.is_visible()
        sheet.locator(".back").click()
        sheet.wait_for_function("location.hash === ''")
        left = sheet.locator(".back").is_visible()
        browser.close()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert bad == []
    assert count == len(re.findall(r"<button[^>]* popovertarget=\"[kt]-", page))
    assert shown
    assert not left


def test_a_model_is_spelt_by_the_words_of_its_names_and_a_formula_by_those_of_its_columns():
    names = {"y": Label(en="Output", zh="产出"), "d": Label(en="Dose", zh="剂量"), "firm": Label(en="Firm", zh="企业")}
    model = spell_formula("y ~ d + other | firm, clustered by firm and d", names.get)
    assert model.en == "y ~ d + other | firm, clustered by firm and d"
    assert model.zh == "产出 ~ 剂量 + other | 企业，按企业与剂量聚类"
    assert spell_formula("log(y) / 2", names.get).zh == "对数(产出) / 2"


def test_sources_are_joined_as_each_language_joins_them():
    found = name_sources(
        ["Lind and Mehlum (2010)", "Diakoulaki, Mavrotas and Papayannakis (1995)", "Wang et al. (2021)", "R car"]
    )
    assert found.en == "Lind and Mehlum (2010); Diakoulaki, Mavrotas and Papayannakis (1995); Wang et al. (2021); R car"
    assert found.zh == "Lind和Mehlum（2010）、Diakoulaki等（1995）、Wang等（2021）、R car"


def test_a_table_that_names_results_is_read_in_words():
    study = load_study(ROOT / "data" / "provinces")
    keys = ("baseline.inference.wild_webb", "index.choices.sobol.left_out_digital_empowerment")
    named = key_labels(study, {key: Result(key, value=0.1, notebook="03", cell="cell-01") for key in keys})
    assert named["baseline.inference.wild_webb"] == "基准回归 · 统计推断 · 野聚类自助法（Webb权重）"
    assert named["wild_webb"] == "野聚类自助法（Webb权重）"
    assert named["rank_shift_digital_empowerment"] == "排名变动：数字赋能"


def test_an_address_stands_in_both_languages_where_it_reads_differently():
    """Row and column in each language, the table's name once; where both read the same, the address stands once."""
    table = (
        '<figure class="table"><table><tr><th class="t w" lang="en">Region</th><th class="t w" lang="zh">地区</th>'
        '<th class="n"><span class="t" lang="en">Share</span><span class="t" lang="zh">份额</span></th>'
        '<th class="n">2019</th></tr><tr><td class="t" lang="en">East</td><td class="t" lang="zh">东部</td>'
        '<td class="n">0.5</td><td class="n">0.6</td></tr><tr><td>AGO</td><td class="n">0.7</td><td class="n">0.8</td>'
        '</tr></table><a href="tables/shares.csv">CSV</a></figure>'
    )
    shown, _ = open_tables(table, "03-cell-1")
    assert re.findall('title="([^"]*)"', shown) == [
        "shares · East · Share / 东部 · 份额",
        "shares · East · 2019 / 东部 · 2019",
        "shares · AGO · Share / AGO · 份额",
        "shares · AGO · 2019",
    ]
