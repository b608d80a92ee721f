"""A number that is neither recorded nor in a recorded table stops the report, wherever it is planted."""

import re
import shutil

import pytest

from helpers.errors import StudyError
from helpers.report.report import write_report
from helpers.report.resolved import check_resolved, is_printed
from toy_run import NAMES, make_study, write_toy_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = write_toy_run(tmp_path_factory.mktemp("report"))
    page = write_report(make_study(), folder, NAMES).read_text(encoding="utf-8")
    return folder, page


def test_every_number_of_a_sound_report_has_an_origin(run):
    folder, page = run
    assert check_resolved(page, folder) == 21  # one in a sentence, twenty in a table


@pytest.mark.parametrize(
    ("honest", "planted", "number"),
    [
        ("</button> rows.", "</button> rows of 17.", "17"),
        ('<button class="num" popovertarget="k-data.rows">4</button> rows.', "4 rows.", "4"),
        (">0.333</button>", ">0.334</button>", "0.334"),
        ("tables/wide.csv", "tables/gone.csv", "0.333"),
    ],
)
def test_a_planted_number_is_named_with_its_cell(run, honest, planted, number):
    folder, page = run
    assert honest in page
    with pytest.raises(StudyError, match=rf"0[13]_\w+-cell-\d\d: the number '{number}' is neither"):
        check_resolved(page.replace(honest, planted), folder)


def test_the_name_of_an_interval_and_labels_are_no_numbers(run):
    folder, page = run
    said = page.replace(
        "</button> rows.", "</button> rows, with a 95 % interval, by Top 10, with CR2 and R2, without 410032."
    )
    assert check_resolved(said, folder, ["by Top 10", "410032"]) == check_resolved(page, folder)


def test_a_cell_in_two_languages_is_compared_in_that_of_its_table(run):
    folder, page = run
    both = '><span class="t" lang="en">{}</span><span class="t" lang="zh">12</span></button>'
    assert check_resolved(page.replace(">0.333</button>", both.format("0.333")), folder) == check_resolved(page, folder)
    with pytest.raises(StudyError, match=r"the number '0\.334' is neither"):
        check_resolved(page.replace(">0.333</button>", both.format("0.334")), folder)


def test_a_unit_that_is_called_by_a_number_hides_no_figure(run):
    folder, page = run
    with pytest.raises(StudyError, match=r"the number '17\.5' is neither"):
        check_resolved(page.replace("</button> rows.", "</button> rows of 17.5."), folder, ["5", "17"])


@pytest.mark.parametrize(("last", "sound"), [("0.25", True), ("0.26", False)])
def test_the_last_rows_of_a_long_table_are_those_of_the_end_of_its_file(run, tmp_path, last, sound):
    folder = shutil.copytree(run[0], tmp_path / "run")
    (row,) = re.findall(r'<tr><td class="s">&lt;b&gt;</td>.*?</tr>', run[1])
    page = run[1].replace(row, row + row.replace("0.333", "0.250"))
    head, first = (folder / "tables" / "wide.csv").read_text(encoding="utf-8").splitlines()
    between = [first.replace("0.33333333", "0.9")] * 3
    text = "\n".join([head, first, *between, first.replace("0.33333333", last)])
    (folder / "tables" / "wide.csv").write_text(text, encoding="utf-8")
    if sound:
        assert check_resolved(page, folder) == check_resolved(run[1], run[0]) + 20
    else:
        with pytest.raises(StudyError, match=r"the number '0\.250' is neither"):
            check_resolved(page, folder)


@pytest.mark.parametrize(
    ("text", "held", "same"),
    [
        ("0.333", "0.33333333", True),
        ("0.334", "0.33333333", False),
        ("\N{MINUS SIGN}0.061", "-0.061194671", True),
        ("0.061", "-0.061194671", False),
        ("< 0.001", "0.00042", True),
        ("< 0.001", "0.0042", False),
        ("< 0.001", "0.001001001", True),
        ("< 0.00001", "0.0000100001", True),
        ("< 0.00001", "0.00002", False),
        ("> 0.05", "0.0526", True),
        ("> 0.05", "0.049", False),
        ("12,345", "12345", True),
        ("0.290***", "0.290***", True),
        ("(0.083)", "(0.083)", True),
        ("(0.083)", "(0.084)", False),
        ("33.3 %", "0.3333", True),
        ("4", "", False),
        ("1.471e\N{MINUS SIGN}07", "1.470588e-07", True),
        ("1.472e\N{MINUS SIGN}07", "1.470588e-07", False),
        ("1.471e\N{MINUS SIGN}06", "1.470588e-07", False),
    ],
)
def test_a_printed_number_is_the_held_one_at_its_digits(text, held, same):
    assert is_printed(text, held) is same
