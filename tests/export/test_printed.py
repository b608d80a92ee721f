"""Quoted numbers are those of the report, in a form that each kind of manuscript can print."""

import json

import pytest

from helpers.cli import main
from helpers.errors import StudyError
from helpers.export.macros import macro_name, write_macros
from helpers.export.printed import cite_results, print_result
from helpers.results.results import Result, Results
from helpers.study.arguments import BAD_INPUT, DONE


def results(*keys: str) -> Results:
    made = Results("toy", "03_model")
    for key in keys:
        made.record(key, estimate=-0.0612, p_value=0.031, ci_low=-0.1, ci_high=0.02, digits=3, convention="clustered")
    return made


def test_a_number_is_printed_with_interval_and_p():
    printed = print_result(results("a.b")["a.b"])
    assert printed.plain == "−0.061 [−0.100, 0.020], p = 0.031"
    assert printed.latex == r"\ensuremath{-0.061} \ensuremath{[-0.100, 0.020]}, \ensuremath{p = 0.031}"
    assert printed.markdown == r"−0.061 \[−0.100, 0.020\], *p* = 0.031"


@pytest.mark.parametrize(
    "result, plain, latex",
    [
        (Result("a.b", value=172032), "172,032", r"\ensuremath{172{,}032}"),
        (Result("a.b", value=800, unit="km"), "800 km", r"\ensuremath{800}~km"),
        (Result("a.b", value="50 % of a_b"), "50 % of a_b", r"50 \% of a\_b"),
        (Result("a.b", estimate=1.0, ci_low=0.5, digits=1), "1.0 [0.5, ∞)", r"\ensuremath{1.0} \ensuremath{[0.5, \infty)}"),
        (Result("a.b", estimate=1.0, ci_high=2.0, digits=1), "1.0 (−∞, 2.0]", r"\ensuremath{1.0} \ensuremath{(-\infty, 2.0]}"),
        (Result("a.b", estimate=1.0, p_value=0.0, digits=0), "1, p < 0.001", r"\ensuremath{1}, \ensuremath{p < 0.001}"),
        (Result("a.b", estimate=1.0, p_value=0.01, draws=100, digits=0), "1, p < 0.01", r"\ensuremath{1}, \ensuremath{p < 0.01}"),
    ],
)  # fmt: skip
def test_every_kind_of_result_is_printed(result, plain, latex):
    printed = print_result(result)
    assert (printed.plain, printed.latex) == (plain, latex)


def test_an_unknown_key_is_refused_with_the_nearest_and_nothing_is_told():
    with pytest.raises(StudyError, match=r"did you mean 'model\.effect'\?"):
        cite_results(results("model.effect"), ["model.effect", "model.efect"])


@pytest.mark.parametrize("key, code", [("model.effect", DONE), ("model.efect", BAD_INPUT)])
def test_the_command_tells_where_a_number_was_made(key, code, tmp_path, capsys):
    results("model.effect").write(tmp_path / "results.json")
    assert main(["cite", key, "--run", str(tmp_path)]) == code
    told = capsys.readouterr()
    assert ("made in    03_model" in told.out) == (code == DONE)
    assert ("did you mean" in told.err) == (code == BAD_INPUT)


def test_macros_have_letters_only_and_numbers_that_both_modes_print():
    assert macro_name("claims.emp_3a", "P") == "StudyClaimsEmpThreeaP"
    text = write_macros(results("claims.emp_3a"))
    assert r"\newcommand{\StudyClaimsEmpThreeaNumber}{\ensuremath{-0.061}}" in text
    assert r"\newcommand{\StudyClaimsEmpThreeaP}{\ensuremath{p = 0.031}}" in text


def test_two_keys_with_one_macro_are_refused_by_name():
    with pytest.raises(StudyError, match=r"StudyABCNumber is also that of 'a\.b\.c'"):
        write_macros(results("a.b.c", "a.b_c"))


def test_what_stands_in_the_results_file_is_what_is_quoted(tmp_path):
    path = results("a.b").write(tmp_path / "results.json")
    row = json.loads(path.read_text())["results"][0]
    assert f"{row['estimate']:.3f}".replace("-", "−") in cite_results(results("a.b"), ["a.b"])[0]
