"""A model prints as the formula that it is, and estimates come out of its fit by name."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.regression import panel
from helpers.study.model import Model, build_model
from small_study import make_study

FIRMS = Model("output", "capital", ("labour",), ("entity", "time"), entity="firm", time="year")


def test_it_prints_as_a_formula():
    assert str(FIRMS) == "output ~ capital + labour | firm + year, clustered by firm"
    assert str(FIRMS.with_(effects=(), cluster=None)) == "output ~ capital + labour"
    assert str(FIRMS.with_(controls=(), effects=("entity",), cluster=("entity", "time"))) == (
        "output ~ capital | firm, clustered by firm and year"
    )


def test_it_prints_as_latex_with_labels_that_cannot_break_it():
    text = FIRMS.latex({"capital": "Capital {of GDP}, 100 %", "output": "Output_1"})
    assert r"\text{Capital (of GDP), 100 \%}_{it}" in text
    assert r"$$\text{Output\_1}_{it} = " in text
    assert r"\alpha_i + \lambda_t + \varepsilon_{it}$$" in text


def test_a_column_of_the_ladder_is_a_model():
    study = make_study()
    assert str(study.model()) == "reply ~ dose + size | place + wave, clustered by place"
    assert str(build_model(study, "pooled")) == "reply ~ dose, clustered by place"
    assert list(study.ladder_models()) == ["pooled", "one_way", "two_way"]


def test_a_fit_gives_each_estimate_by_its_name_and_names_those_it_has():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(8), range(5)], names=["firm", "year"])
    data = pd.DataFrame(rng.normal(size=(40, 3)), index=index, columns=["output", "capital", "labour"])
    fit = panel.fit(data, FIRMS)
    found = fit["capital"]
    assert (found.estimate, found.p_value, found.df) == (fit.estimates["capital"], fit.p_values["capital"], 7)
    assert (found.n_obs, found.n_entities, found.n_clusters) == (40, 8, 8)
    assert list(fit.table().index) == ["capital", "labour"]
    with pytest.raises(StudyError, match="no term 'land'"):
        fit["land"]


def test_an_equation_with_long_labels_stands_on_lines_and_says_the_same():
    firms = FIRMS.with_(controls=("labour", "energy"))
    short = firms.latex()
    long = firms.latex({name: f"{name} of firms that are old" for name in firms.columns})
    assert "array" not in short
    assert long.startswith(r"$$\begin{array}{l}\text{output of firms")
    assert long.count(r" \\ \quad + ") >= 2
    one_line = re.sub(r"\\begin\{array\}\{l\}|\\end\{array\}|\\quad|\\\\| of firms that are old", "", long)
    assert " ".join(one_line.split()) == short
