"""Where studies lie and how their files are read: YAML without repeated keys, and broken rules in plain words."""

from __future__ import annotations

import pickle
from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from helpers.errors import StudyError

Kind = TypeVar("Kind")

DEEPEST = 100
MOST_ITEMS = 100_000
"""More than any study file holds, with every reference written out."""
MOST_BYTES = 5_000_000


def find_root(start: Path | None = None) -> Path:
    """The project's root: the nearest folder upwards that holds ``pyproject.toml`` and ``data``.

    Raises
    ------
    StudyError
        When no folder above ``start`` (the current folder by default) is a project.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "data").is_dir():
            return folder
    raise StudyError(
        str(start), "no project here: no pyproject.toml beside a data folder", "change into the project's folder"
    )


def list_studies(root: Path) -> list[str]:
    """The names of the studies in ``root/data``, sorted."""
    return sorted(path.parent.name for path in (root / "data").glob("*/study.yml"))


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser in C is ten times as fast


class _UniqueKeyLoader(_SafeLoader):
    """YAML's safe loader, with a repeated key as an error (YAML readers keep the last one in silence)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for name, _ in node.value:
            key = self.construct_object(name, deep=True)
            if isinstance(key, Hashable):  # what is not is refused below
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key}' stands twice", name.start_mark
                    )
                seen.add(key)
        content: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return content


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, with repeated keys refused, and references that unpack into more than a study holds.

    Raises
    ------
    StudyError
        When the file is not UTF-8, not YAML, or unpacks without end; the message names line and column where it can.
    """
    try:
        content, items = pickle.loads(_parse(_read_text(path)))  # noqa: S301 - made by _parse in this process
    except UnicodeDecodeError:
        raise StudyError(str(path), "the file is not UTF-8 text", "save it as UTF-8") from None
    except RecursionError:
        raise StudyError(str(path), "its brackets are nested too deeply", "write it as the other studies are") from None
    except OverflowError:
        rule = f"it holds more than {MOST_ITEMS:,} items"
        raise StudyError(str(path), rule, "write it as the other studies are; figures belong under raw/") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "the text cannot be read as YAML"
        raise StudyError(place, f"not valid YAML: {problem}", "correct that line; indent with spaces only") from None
    if items > MOST_ITEMS:
        raise StudyError(
            str(path),
            f"its references (&name, *name) unpack into more than {MOST_ITEMS:,} items",
            "write the parts out, or refer to them less often",
        )
    return content


def read_as(path: Path, kind: type[Kind], remedy: str) -> Kind:
    """A YAML file as what it declares: a model, or a mapping of names to models.

    Raises
    ------
    StudyError
        The file is not YAML, or breaks rules of its kind; the message names the first five of them.
    """
    try:
        return TypeAdapter(kind).validate_python(read_yaml(path))
    except ValidationError as error:
        raise StudyError(str(path), list_problems(error), remedy) from None


def _read_text(path: Path) -> str:
    """The text of a file that is not too large for what comes after."""
    if path.stat().st_size > MOST_BYTES:
        rule = f"the file is larger than {MOST_BYTES // 1_000_000} MB"
        raise StudyError(str(path), rule, "write it as the other studies are; figures belong under raw/")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=16)
def _parse(text: str) -> bytes:
    """Pickled content of a text and its number of items, kept: adopting a table reads the same study files six times.

    Pickled, so that each reader is given an object of its own.

    Raises
    ------
    RecursionError, OverflowError
        It is nested too deeply, or holds too much, for what comes after.
    """
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_SafeLoader)):  # one by one: nothing is built yet
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise RecursionError
        if number > 3 * MOST_ITEMS:
            raise OverflowError
    content = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    return pickle.dumps((content, _count_items(content, {})))


def _count_items(content: Any, known: dict[int, float], depth: int = 0) -> float:
    """How many items there are with every reference written out; one that holds itself counts as without end."""
    if depth > DEEPEST:
        raise RecursionError
    if not isinstance(content, dict | list):
        return 1
    if id(content) not in known:
        known[id(content)] = float("inf")
        parts = content.values() if isinstance(content, dict) else content
        known[id(content)] = 1 + sum(_count_items(part, known, depth + 1) for part in parts)
    return known[id(content)]


def list_problems(error: ValidationError) -> str:
    """Place and problem of the first five broken rules, and how many more there are."""
    lines = []
    for item in error.errors()[:5]:
        place = ".".join(str(part) for part in item["loc"] if part != "[key]") or "the file as a whole"
        text = "unknown key" if item["type"] == "extra_forbidden" else item["msg"].removeprefix("Value error, ")
        lines.append(f"{place}: {text}")
    more = len(error.errors()) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")
