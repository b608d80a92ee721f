"""The blocks of the study file that put further texts to the test."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.errors import StudyError
from helpers.study.needs import list_left_out
from helpers.study.study import load_study
from helpers.study.texts import Coordination, Family, Policy, Space, Weights

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"en": "w", "zh": "w"}


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "data" / "provinces" / "study.yml").read_text(encoding="utf-8"))


def write(folder: Path, content: dict[str, Any], **blocks: Any) -> Path:
    changed = {**content, **blocks}
    kept = {key: value for key, value in changed.items() if value is not None}
    folder = folder / str(content["name"])
    folder.mkdir()
    (folder / "study.yml").write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")
    return folder


def test_both_studies_declare_what_is_asked_of_them():
    provinces, countries = (load_study(ROOT / "data" / name) for name in ("provinces", "countries"))
    assert list(list_left_out(provinces, ROOT / "notebooks")) == []
    assert list(list_left_out(countries, ROOT / "notebooks")) == ["11_policy_and_space"]


def test_a_study_without_a_block_runs_without_its_notebook(tmp_path: Path, content: dict[str, Any]):
    study = load_study(write(tmp_path, content, coordination=None, society=None, policies=None, space=None))
    out = list_left_out(study, ROOT / "notebooks")
    assert set(out) == {"09_coordination", "10_social_quality", "11_policy_and_space"}
    assert "declares no policy" in out["11_policy_and_space"]


@pytest.mark.parametrize(
    "block, path",
    [
        ("coordination", ["systems"]),
        ("coordination", ["functions"]),
        ("society", ["services"]),
        ("society", ["contrast", "service_gap", "plus"]),
        ("society", ["families", "shift", "outcomes"]),
        ("space", ["weights", "economic", "column"]),
    ],
)
def test_a_name_that_is_declared_nowhere_is_refused(
    tmp_path: Path, content: dict[str, Any], block: str, path: list[str]
):
    changed = yaml.safe_load(yaml.safe_dump(content[block]))
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = ["tecnology", "organisation"] if isinstance(place[path[-1]], list) else "tecnology"
    with pytest.raises(StudyError, match="'tecnology', which is declared nowhere"):
        load_study(write(tmp_path, content, **{block: changed}))


def test_a_grouping_between_which_inequality_is_divided_is_declared(tmp_path: Path, content: dict[str, Any]):
    changed = {**content["coordination"], "divided": "coast"}
    with pytest.raises(StudyError, match=r"coordination.divided names 'coast'"):
        load_study(write(tmp_path, content, coordination=changed))


def test_families_are_found_by_what_their_results_begin_with():
    study = load_study(ROOT / "data" / "provinces")
    assert study.society is not None
    assert list(study.society.of("gaps")) == ["gaps"]
    assert study.society.of("nothing") == {}
    assert Family(outcomes=("a",), key="society.factor").key == "society.factor"


def test_systems_are_two_or_more():
    moderation = {"m": {"label": WORDS, "of": "a", "by": "b"}}
    with pytest.raises(ValueError, match="at least 2"):
        Coordination.model_validate({"systems": ["a"], "moderation": moderation, "functions": "i", "features": "i"})


@pytest.mark.parametrize(
    "wrong, rule",
    [
        ({"kind": "nearest"}, "count"),
        ({"kind": "contiguity", "count": 3}, "count"),
        ({"kind": "economic"}, "column"),
        ({"kind": "inverse_distance", "column": "income"}, "column"),
    ],
)
def test_weights_have_what_their_kind_needs_and_nothing_else(wrong: dict[str, Any], rule: str):
    with pytest.raises(ValueError, match=rule):
        Weights.model_validate({"label": WORDS, **wrong})


def test_rings_rise():
    weights = {"w": {"label": WORDS, "kind": "inverse_distance"}}
    with pytest.raises(ValueError, match="must rise"):
        Space.model_validate({"weights": weights, "rings_km": [500, 400]})


def test_a_policy_says_where_each_entity_starts():
    cohorts = [{"start": 2016, "entities": ["a"]}, {"start": 2017, "entities": ["b", "c"]}]
    policy = Policy.model_validate({"label": WORDS, "source": WORDS, "caution": WORDS, "cohorts": cohorts})
    assert policy.starts() == {"a": 2016, "b": 2017, "c": 2017}
