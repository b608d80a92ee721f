"""The tree of an index: dimensions of any depth above the indicators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.errors import StudyError
from helpers.study.index import read_field

# The index itself: the parent of the top dimensions.
ROOT = ""


@dataclass(frozen=True)
class Hierarchy:
    """Who belongs to whom.

    Attributes
    ----------
    children
        Node -> its members in declared order (dimensions first); `ROOT` is the index itself.
    indicators
        The leaves, in declared order.
    hand_set
        Node -> weight declared by hand, None where there is none.
    aggregates
        Dimension -> its own aggregation, where it declares one.
    """

    children: dict[str, tuple[str, ...]]
    indicators: tuple[str, ...]
    hand_set: dict[str, float | None]
    aggregates: dict[str, str]

    def upwards(self, node: str = ROOT) -> Iterator[str]:
        """Every inner node below `node`, then `node`: members always come before the node that holds them."""
        for child in self.children[node]:
            if child in self.children:
                yield from self.upwards(child)
        yield node


def read_hierarchy(spec: Any, levels: str) -> Hierarchy:
    """The tree that an index declares.

    Parameters
    ----------
    spec
        `indicators` (name -> `dimension`, `weight`) and `dimensions` (name -> `parent`, `weight`, `aggregate`).
        Without `dimensions`, those that the indicators name stand directly below the index.
    levels
        "one" puts all indicators directly below the index, "nested" keeps the dimensions.

    Raises
    ------
    StudyError
        An unknown dimension or parent, a cycle, a dimension without members, a name used twice.
    """
    indicators: Mapping[str, Any] = read_field(spec, "indicators") or {}
    dimensions = _declared_dimensions(spec, indicators)
    _check_members(indicators, dimensions)
    for name in dimensions:
        _check_path(name, dimensions)
    hand_set = {name: read_field(item, "weight") for name, item in {**dimensions, **indicators}.items()}
    aggregates = {name: own for name, item in dimensions.items() if (own := read_field(item, "aggregate"))}
    if levels == "one":
        return Hierarchy({ROOT: tuple(indicators)}, tuple(indicators), hand_set, {})
    children: dict[str, list[str]] = {ROOT: [], **{name: [] for name in dimensions}}
    for name, dimension in dimensions.items():
        children[read_field(dimension, "parent") or ROOT].append(name)
    for name, indicator in indicators.items():
        children[read_field(indicator, "dimension") or ROOT].append(name)
    _check_no_empty(children)
    return Hierarchy(
        {node: tuple(members) for node, members in children.items()}, tuple(indicators), hand_set, aggregates
    )


def _declared_dimensions(spec: Any, indicators: Mapping[str, Any]) -> Mapping[str, Any]:
    declared: Mapping[str, Any] | None = read_field(spec, "dimensions")
    if declared is not None:
        return declared
    named = (read_field(indicator, "dimension") for indicator in indicators.values())
    return {name: {} for name in named if name}


def _check_members(indicators: Mapping[str, Any], dimensions: Mapping[str, Any]) -> None:
    for name, indicator in indicators.items():
        dimension = read_field(indicator, "dimension")
        if dimension and dimension not in dimensions:
            raise StudyError(
                f"indicator {name}, dimension {dimension}",
                "the dimension is not declared",
                f"declare it or use one of: {', '.join(dimensions)}",
            )
        if name in dimensions:
            raise StudyError(
                f"indicator {name}", "a dimension has the same name", "give each node of the index a name of its own"
            )


def _check_path(name: str, dimensions: Mapping[str, Any]) -> None:
    path = [name]
    while parent := read_field(dimensions[path[-1]], "parent"):
        if parent not in dimensions:
            raise StudyError(
                f"dimension {path[-1]}, parent {parent}",
                "the parent is not declared",
                f"declare it or use one of: {', '.join(dimensions)}",
            )
        if parent in path:
            raise StudyError(
                f"dimension {name}",
                f"the hierarchy has a cycle: {' -> '.join([*path, parent])}",
                "let one of them have no parent",
            )
        path.append(parent)


def _check_no_empty(children: Mapping[str, list[str]]) -> None:
    for node, members in children.items():
        if not members:
            raise StudyError(
                f"dimension {node}" if node else "the index",
                "it has no members",
                "put an indicator into it or remove it",
            )
