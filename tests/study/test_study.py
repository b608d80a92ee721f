"""The study file: what it may hold, what it refuses, and what other modules read off it."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from helpers.errors import StudyError
from helpers.study.file import read_yaml
from helpers.study.study import Column, Regions, Study, Time, find_root, list_studies, load_study
from small_study import CONTENT, WINDOW, label, make_study

ROOT = Path(__file__).resolve().parents[2]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small study's content with one entry set."""
    content = copy.deepcopy(CONTENT)
    *parents, last = path.split("/")
    place = content
    for name in parents:
        place = place[name]
    place[last] = value
    return content


def row(**changes: Any) -> dict[str, Any]:
    return {"row": {"label": label("Row"), "asks": label("Why?"), **changes}}


def indicator(**changes: Any) -> dict[str, Any]:
    return {"formula": "d1", "direction": 1, "dimension": "all", "label": label("d1"), **changes}


@pytest.mark.parametrize("name", ["provinces", "countries"])
def test_the_studies_of_the_project_are_valid(name):
    study = load_study(ROOT / "data" / name)
    assert (study.name, study.folder) == (name, ROOT / "data" / name)


REFUSED = [
    ("surprise", 1, "surprise"),
    ("model/weights", "size", "model.weights"),
    ("seed", -1, "greater than or equal to 0"),
    ("seed", "7", "valid integer"),
    ("seed", True, "valid integer"),
    ("seed", 7.5, "valid integer"),
    ("name", "Small", "String should match pattern"),
    ("title", {"en": "Small"}, "Field required"),
    ("model/significance", 0.7, "less than 0.5"),
    ("model/cluster", "region", "'entity' or 'time'"),
    ("model/controls", "size", "valid tuple"),
    ("model/controls", ["sise"], "model.controls names 'sise', which is declared nowhere; did you mean 'size'?"),
    ("model/outcome", "nothing_like_it", "known are"),
    ("model/treatment", "d1", "model.treatment names 'd1'"),
    ("mediators/channel_c", {"label": label("C")}, "did you mean 'channel_"),
    ("primary", "twoway", "did you mean 'two_way'?"),
    ("ladder/pooled/effects", ["region"], "'entity' or 'time'"),
    ("ladder/pooled/controls", "no", "valid boolean"),
    ("presets/standard", {"draws": 1.5}, "valid integer"),
    (
        "missing",
        [{"column": "d9", "rule": "zero", "reason": label("?")}],
        "names the column 'd9', which is declared nowhere",
    ),
    ("missing", [{"column": "d1", "rule": "guess", "reason": label("?")}], "'interpolate', 'carry'"),
    ("sample", {"require": {"assessed": 1}}, "sample.require names the column 'assessed'"),
    ("time/times", [2001], "at least two periods"),
    ("time/times", [2003, 2001], "rising order"),
    ("time/times", [2001, 2001, 2003], "without repeats"),
    ("time/times", [2001, 2012], "time.times must lie between"),
    ("indices/dose/indicators/d1", indicator(direction=0), "1 or -1"),
    ("indices/dose/indicators/d1", indicator(direction=True), "write 1 where more is better"),
    ("indices/dose/indicators/d1", indicator(dimension="none"), "indicator d1 names the dimension 'none'"),
    ("indices/dose/indicators/size", indicator(), "one word is used for two derived columns: size"),
    ("indices/dose/method", {"zero_rule": 0}, "greater than 0"),
    ("indices/dose/method", {"winsorise": 0.5}, "less than 0.5"),
    ("indices/dose/method", {"weights": "pca", "aggregate": "topsis"}, "its weights may be negative"),
    ("indices/dose/method", {"weights": "entropy_chained", "aggregate": "geometric"}, "a chain adds up changes"),
    ("indices/dose/method", {"score_range": [1, 0.5]}, "needs 0 <= low < high"),
    ("indices/dose/method", {"scale": "goalposts"}, "scale goalposts needs `goalposts: [low, high]` for the indicator"),
    ("indices/dose/method", {"weights": "fixed"}, "weights fixed needs a `weight` of 0 or more for d1"),
    ("indices/dose/indicators/d1", indicator(goalposts=[3, 1]), "need low < high"),
    ("indices/dose/last", 2012, "indices.dose.last: the wave 2012 is not analysed; write one from 2001 to 2009"),
    ("indices/dose/first", 2009, "indices.dose: first and last leave fewer than two periods"),
    ("indices/dose/dimensions", {"all": {"label": label("All"), "parent": "top"}}, "the parent 'top'"),
    ("robustness", row(treatment="doze"), "robustness.row names 'doze'"),
    ("robustness", row(controls=["sise"]), "robustness.row names 'sise'"),
    ("robustness", row(lag_treatment=0), "greater than or equal to 1"),
    ("robustness", row(index={"weights": "guess"}), "index: weights: Input should be 'entropy'"),
    ("robustness", row(index={"weight": "equal"}), "index: weight: unknown key"),
    ("robustness", row(drop_times=[2002]), "robustness.row drops the wave 2002, which is not analysed"),
]


@pytest.mark.parametrize(("path", "value", "told"), REFUSED)
def test_refused(path, value, told):
    with pytest.raises(ValidationError) as caught:
        Study.model_validate(changed(path, value))
    assert told in str(caught.value)


def test_a_cycle_of_dimensions_is_told_in_its_order():
    circle = {
        name: {"label": label(name), "parent": parent} for name, parent in (("all", "b"), ("b", "c"), ("c", "all"))
    }
    with pytest.raises(ValidationError, match="form a cycle: all -> b -> c -> all"):
        Study.model_validate(changed("indices/dose/dimensions", circle))


@pytest.mark.parametrize("formula", ["d1", " d1 "])
def test_a_mediator_may_not_be_a_component_of_the_treatment(formula):
    with pytest.raises(ValidationError, match="may not be a component of the treatment"):
        Study.model_validate(changed("variables/channel_a", {"formula": formula, "label": label("A")}))


def test_a_mediator_that_is_an_index_is_searched_too():
    ports = {**CONTENT["indices"]["dose"], "indicators": {"cables": indicator(formula="d2")}}
    content = changed("indices/ports", ports)
    content["mediators"] = {"ports": {"label": label("Ports")}}
    with pytest.raises(ValidationError, match="mediator ports is made from 'd2'"):
        Study.model_validate(content)


def test_an_index_is_made_anew_only_where_there_is_one():
    content = changed("robustness", row(index={"weights": "equal"}, treatment="other"))
    content["model"] = {"outcome": "channel_a", "treatment": "size", "controls": []}
    content["mediators"] = {}
    with pytest.raises(ValidationError, match="neither outcome nor treatment is an index"):
        Study.model_validate(content)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"order": ("a",)}, "must name the same regions"),
        ({"order": ("a", "b", "b")}, "must name the same regions, each once"),
        ({"values": {"A": "a"}}, "values must lead to every region"),
        ({"values": {"A": "a", "B": "b", "C": "c"}}, "and to no other"),
        ({"left_out": {"a": label("?")}}, "left_out names 'a', which is also a region"),
    ],
)
def test_groupings_that_contradict_themselves_are_refused(changes, told):
    plain = {"column": "area", "order": ("a", "b"), "labels": {"a": label("A"), "b": label("B")}}
    with pytest.raises(ValidationError, match=told):
        Regions.model_validate({**plain, **changes})


def test_a_group_is_found_by_what_the_column_holds():
    grouping = Regions.model_validate(
        {
            "column": "area",
            "order": ["a"],
            "labels": {"a": label("A")},
            "values": {"Area one": "a"},
            "left_out": {"": label("none given")},
        }
    )
    assert [grouping.group(held) for held in ("Area one", "", "a", "Area two")] == ["a", None, None, None]


def test_a_study_without_groupings_has_one_group():
    study = make_study(regions={})
    assert len(study.grouping.order) == 1


def test_the_first_grouping_is_the_one_that_pictures_use():
    assert make_study().grouping.order == ("coast", "inland", "island")


def test_the_window_and_what_is_read_before_it():
    time = Time.model_validate({"name": "year", "first": 2015, "last": 2018, "read_from": 2013, "label": label("Year")})
    assert time.window == (2015, 2016, 2017, 2018)
    assert time.read == (2013, 2014, 2015, 2016, 2017, 2018)


def test_a_list_of_times_is_the_window():
    assert make_study().time.window == WINDOW


@pytest.mark.parametrize(
    ("span", "covered"),
    [
        ({}, [2014, 2015, 2016, 2017]),
        ({"first": 2015}, [2015, 2016, 2017]),
        ({"last": 2015}, [2014, 2015]),
        ({"times": (2014, 2016)}, [2014, 2016]),
    ],
)
def test_a_statistic_covers_its_span(span, covered):
    column = Column.model_validate({"file": "raw/x.csv", "label": label("X"), **span})
    assert [time for time in range(2014, 2018) if column.covers(time)] == covered


def test_a_study_cannot_be_changed_after_reading():
    with pytest.raises(ValidationError, match="frozen"):
        make_study().seed = 8


def test_formulas_are_those_of_variables_then_indicators():
    assert list(make_study().formulas) == ["size", "other", "channel_a", "channel_b", "d1", "d2", "r1", "r2", "r3"]


def test_every_named_thing_has_its_label():
    study = make_study(robustness=row())
    found = [study.label(name) for name in ("dose", "size", "d1", "all", "coast", "two_way", "row")]
    assert found == ["Dose", "Size", "d1", "All", "Coast", "Two way", "Row"]


def test_a_name_without_label_stands_for_itself():
    assert make_study().label("nothing") == "nothing"


def test_a_mediator_is_called_as_the_mediators_say():
    mediators = {"channel_a": {"label": {"en": "The channel", "zh": "渠道"}}}
    study = make_study(mediators=mediators)
    assert (study.label("channel_a"), study.label("channel_a", "zh")) == ("The channel", "渠道")


def write(folder: Path, text: str) -> Path:
    (folder / "study.yml").write_text(text, encoding="utf-8")
    return folder


def test_a_key_that_stands_twice_is_told_with_its_line(tmp_path):
    with pytest.raises(StudyError, match=r"study.yml, line 3, column 1: .*the key 'name' stands twice"):
        load_study(write(tmp_path, "name: a\nseed: 1\nname: b\n"))


def test_a_key_that_stands_twice_inside_a_list_is_told_too(tmp_path):
    with pytest.raises(StudyError, match=r"line 3, column 5: .*the key 'a' stands twice"):
        read_yaml(write(tmp_path, "list:\n  - a: 1\n    a: 2\n") / "study.yml")


def test_the_same_key_in_two_places_is_none(tmp_path):
    assert read_yaml(write(tmp_path, "a: {x: 1}\nb: {x: 2}\n") / "study.yml") == {"a": {"x": 1}, "b": {"x": 2}}


def test_who_reads_a_file_again_gets_an_object_of_its_own_and_what_the_file_then_says(tmp_path):
    path = write(tmp_path, "a: [1, {x: 2}]\n") / "study.yml"
    first = read_yaml(path)
    first["a"][1]["x"] = first["b"] = 3
    assert read_yaml(path) == {"a": [1, {"x": 2}]}
    path.write_text("a: [1, {x: 4}]\n", encoding="utf-8")
    assert read_yaml(path) == {"a": [1, {"x": 4}]}


def test_yaml_cannot_make_objects(tmp_path):
    with pytest.raises(StudyError, match="not valid YAML"):
        load_study(write(tmp_path, "name: !!python/object/apply:os.getcwd []\n"))


def test_a_file_in_another_encoding_is_told(tmp_path):
    (tmp_path / "study.yml").write_bytes("title: 数字赋能\n".encode("gb18030"))
    with pytest.raises(StudyError, match="not UTF-8"):
        load_study(tmp_path)


def test_the_first_five_broken_rules_are_told_and_the_rest_counted(tmp_path):
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, "\n".join(f"{name}: 1" for name in "abc")))
    missing = sum(field.is_required() for field in Study.model_fields.values())
    assert caught.value.rule.count("; ") == 5
    assert caught.value.rule.endswith(f"and {missing + 3 - 5} more")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b\n", "5"])
def test_a_file_that_is_no_mapping_is_told(tmp_path, text):
    with pytest.raises(StudyError, match="the file as a whole: "):
        load_study(write(tmp_path, text))


def test_a_missing_study_names_those_that_exist(tmp_path):
    (tmp_path / "one").mkdir()
    write(tmp_path / "one", "name: one\n")
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / "two")
    assert caught.value.remedy.endswith("the studies that exist: one")


def test_studies_are_listed_by_folder(tmp_path):
    for name in ("b", "a"):
        (tmp_path / "data" / name).mkdir(parents=True)
        write(tmp_path / "data" / name, "")
    (tmp_path / "data" / "c").mkdir()
    assert list_studies(tmp_path) == ["a", "b"]


def test_the_root_is_found_from_inside(tmp_path):
    (tmp_path / "data" / "x" / "raw").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    assert find_root(tmp_path / "data" / "x" / "raw") == tmp_path


def test_a_folder_outside_every_project_is_told(tmp_path):
    with pytest.raises(StudyError, match="no project here"):
        find_root(tmp_path)


def test_references_that_unpack_without_end_are_refused(tmp_path):
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    levels += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    path = tmp_path / "study.yml"
    path.write_text("\n".join(levels), encoding="utf-8")
    with pytest.raises(StudyError, match="unpack into more than"):
        read_yaml(path)


def test_a_list_that_holds_itself_is_refused(tmp_path):
    path = tmp_path / "study.yml"
    path.write_text("a: &a [*a]", encoding="utf-8")
    with pytest.raises(StudyError, match="unpack into more than"):
        read_yaml(path)


def test_brackets_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "study.yml").write_text("name: " + "[" * 3000 + "]" * 3000 + "\n", encoding="utf-8")
    with pytest.raises(StudyError, match="nested too deeply"):
        load_study(tmp_path)


@pytest.mark.parametrize(
    "file",
    ["study.yml", "claims.yml", "codebook.csv", "frameworks.yml", "references.bib", "SOURCES.md", "raw/new.csv", "raw"],
)
def test_a_link_that_leads_out_of_a_study_is_refused_before_anything_is_read(tmp_path, file):
    """What it leads to is no YAML and holds a word that no message may repeat."""
    folder = tmp_path / "countries"
    shutil.copytree(ROOT / "data" / "countries", folder)
    elsewhere = tmp_path / "outside"
    elsewhere.mkdir() if file == "raw" else elsewhere.write_text("secretword: [")
    place = folder / file
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    place.symlink_to(elsewhere)
    with pytest.raises(StudyError, match="outside the study folder") as told:
        load_study(folder)
    assert "secretword" not in str(told.value)


def test_a_link_within_a_study_is_followed(tmp_path):
    folder = tmp_path / "countries"
    shutil.copytree(ROOT / "data" / "countries", folder)
    (folder / "again.yml").symlink_to(folder / "study.yml")
    assert load_study(folder).name == "countries"
