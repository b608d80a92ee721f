"""The tree of an index: facts that follow from its definition."""

from typing import Any

import pytest

from helpers.errors import StudyError
from helpers.index.hierarchy import ROOT, read_hierarchy

INDICATORS = {"patents": {"dimension": "technology"}, "roads": {"dimension": "environment"}}


def test_one_level_puts_all_indicators_below_the_index() -> None:
    assert read_hierarchy({"indicators": INDICATORS}, "one").children == {ROOT: ("patents", "roads")}


def test_dimensions_that_are_not_declared_stand_below_the_index() -> None:
    tree = read_hierarchy({"indicators": INDICATORS}, "nested")
    assert tree.children[ROOT] == ("technology", "environment")


def test_members_come_before_the_node_that_holds_them() -> None:
    dimensions = {"technology": {"parent": "capacity"}, "capacity": {}, "environment": {}}
    walk = list(read_hierarchy({"indicators": INDICATORS, "dimensions": dimensions}, "nested").upwards())
    assert walk == ["technology", "capacity", "environment", ROOT]


@pytest.mark.parametrize(
    ("dimensions", "told"),
    [
        ({"technology": {}}, "indicator roads, dimension environment: the dimension is not declared"),
        ({"technology": {"parent": "sky"}, "environment": {}}, "dimension technology, parent sky"),
        (
            {"technology": {"parent": "environment"}, "environment": {"parent": "technology"}},
            "cycle: technology -> environment -> technology",
        ),
        ({"technology": {"parent": "technology"}, "environment": {}}, "cycle: technology -> technology"),
        ({"technology": {}, "environment": {}, "sea": {}}, "dimension sea: it has no members"),
        ({"technology": {}, "environment": {}, "roads": {}}, "indicator roads: a dimension has the same name"),
    ],
)
def test_a_tree_that_is_none_is_refused(dimensions: dict[str, Any], told: str) -> None:
    with pytest.raises(StudyError) as error:
        read_hierarchy({"indicators": INDICATORS, "dimensions": dimensions}, "nested")
    assert told in str(error.value)


def test_a_cycle_is_refused_with_one_level_too() -> None:
    dimensions = {"technology": {"parent": "environment"}, "environment": {"parent": "technology"}}
    with pytest.raises(StudyError, match="cycle"):
        read_hierarchy({"indicators": INDICATORS, "dimensions": dimensions}, "one")
