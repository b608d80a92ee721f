"""The frameworks of the texts: every row is measured by results that exist, or says why nothing measures it."""

from pathlib import Path

import pytest
import yaml

from helpers.claims.frameworks import check_measured, load_frameworks, measured_keys
from helpers.errors import StudyError

DATA = Path(__file__).resolve().parents[2] / "data"
LABEL = {"en": "One", "zh": "一"}
ROW = {"cells": {"part": LABEL}, "measured_by": ["a.{treatment}"]}


def write(folder: Path, **changes: object) -> Path:
    block = {"source": "EMP", "title": LABEL, "columns": {"part": LABEL}, "rows": [ROW]} | changes
    (folder / "frameworks.yml").write_text(yaml.safe_dump({"table": block}, allow_unicode=True), encoding="utf-8")
    return folder


def test_a_row_names_its_results_in_the_words_of_the_study(tmp_path):
    framework = load_frameworks(write(tmp_path))["table"]
    assert measured_keys(framework.rows[0], {"treatment": "dose"}) == ["a.dose"]
    assert check_measured({"table": framework}, {"a.dose": 1}, {"treatment": "dose"}) == 1


def test_a_row_that_points_to_no_result_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"table, row 1: points to the result a\.dose"):
        check_measured(load_frameworks(write(tmp_path)), {}, {"treatment": "dose"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rows": [{"cells": {"part": LABEL}}]}, "says why nothing does"),
        ({"rows": [{**ROW, "cells": {"other": LABEL}}]}, "row 1 has the cells other"),
        ({"rows": []}, "rows"),
        ({"colour": 1}, "unknown key"),
    ],
)
def test_a_broken_framework_is_told_with_its_place(tmp_path, changes, told):
    with pytest.raises(StudyError, match=told):
        load_frameworks(write(tmp_path, **changes))


def test_a_study_without_the_file_has_none(tmp_path):
    assert load_frameworks(tmp_path) == {}


@pytest.mark.parametrize("study", ["provinces", "countries"])
def test_both_studies_show_every_table_of_the_texts(study):
    frameworks = load_frameworks(DATA / study)
    assert {framework.source for framework in frameworks.values()} == {"EMP", "MOD", "HOL", "SOQ", "DAT"}
    assert [row.cells["dimension"].zh for row in frameworks["hol_dimensions"].rows] == [
        "理念",
        "结构",
        "制度",
        "机制",
        "技术",
    ]
    assert len(frameworks["dat_paradigms"].columns) == 5
