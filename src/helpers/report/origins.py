"""What a number is in words, by which method it was made, and against whose numbers that method was checked."""

from __future__ import annotations

import ast
import csv
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.results.results import Result
from helpers.study.data import Label
from helpers.study.file import read_yaml

if TYPE_CHECKING:
    from helpers.study.study import Study

HERE = Path(__file__).parent
METHODS = HERE / "methods.yml"
CHECKED = HERE / "checked.csv"
WRITTEN_OUT = "written out"
FEW = 3
"""Programs that a note names; more are counted, and named where it leads."""
FURTHEST = 4
"""Steps from a cell to the cells whose variables it uses; what is further back is no longer its method."""

CLUSTERED = ", clustered by "
CLAIM = re.compile(r"([a-z]{3})_(\d+[a-z]?)")
"""The key of a claim in the key of a result."""


@dataclass(frozen=True)
class Method:
    """A family of methods, as a popover explains it.

    Attributes
    ----------
    name
        Of the family, lower-case words.
    label, said
        Its name, and what it does in one sentence.
    formula
        In TeX, empty for none.
    conventions
        Regular expression of the conventions of its results, empty for none.
    tables
        Regular expression of the names of its tables, empty for none.
    modules
        Beginnings of the names of its modules, without ``helpers.``.
    checked
        Programs and papers whose numbers its functions met in the tests.
    """

    name: str
    label: Label
    said: Label
    formula: str
    conventions: str
    tables: str
    modules: tuple[str, ...]
    checked: tuple[str, ...]

    @property
    def sources(self) -> Label:
        """What its functions were held against, in a row."""
        return name_sources(self.checked)


@cache
def read_methods() -> tuple[Method, ...]:
    """The families in the order in which they are asked, from two files beside this module."""
    with CHECKED.open(encoding="utf-8", newline="") as file:
        checked = [(row["method"], row["source"]) for row in csv.DictReader(file)]
    families = _file()["families"]
    beginnings = [(name, str(start)) for name, content in families.items() for start in content["modules"]]
    owners = [(_nearest(method, beginnings), source.split(":")[0]) for method, source in checked]
    return tuple(
        _method(name, content, sorted({program for owner, program in owners if owner == name} - {WRITTEN_OUT}))
        for name, content in families.items()
    )


def note_of(method: Method, columns: Iterable[str], head: Label) -> str:
    """The note under a table, in both languages: its method, how to read it, against what the method was held.

    Parameters
    ----------
    method
        Of the table; one without a formula is no method, and has no note.
    columns
        Names of the table's columns in its file.
    head
        What one of its rows is; empty for nothing.
    """
    if not method.formula:
        return ""
    return "".join(_note(method, list(columns), head, language) for language in ("en", "zh"))


def _note(method: Method, columns: Sequence[str], head: Label, language: str) -> str:
    parts = {name: content[language] for name, content in _file()["note"].items()}
    end, blank = (". ", " ") if language == "en" else ("。", "")
    few = getattr(method.sources, language)
    names = parts["many"].format(number=len(method.checked)) if len(method.checked) > FEW else few
    met = parts["met"].format(programs=names) if names else parts["second"]
    told = {
        "method": f"{getattr(method.label, language)}{end}{getattr(method.said, language)}",
        "reading": blank.join([*_rows_are(columns, head, language), *(said[language] for said in _readings(columns))]),
        "reference": f'<button popovertarget="m-{method.name}">{html.escape(met)}</button>',
    }
    shown = blank.join(f"<b>{parts[name]}</b>{blank}{text}" for name, text in told.items() if text)
    return f'<p class="note t" lang="{language}">{shown}</p>'


def _rows_are(columns: Sequence[str], head: Label, language: str) -> list[str]:
    """What a row is, in words; nothing where they are none, or name several ("one row per rows")."""
    several = columns[0].endswith("s") and not columns[0].endswith("ss")
    if not head.en.strip() or several or columns[0] == "term":
        return []
    name = head.inside() if language == "en" else head.zh
    return [_file()["note"]["row"][language].format(head=html.escape(name))]


def _readings(columns: Sequence[str]) -> list[Mapping[str, str]]:
    """What is said of the columns: a rule speaks where each of its expressions fits one of them."""
    return [
        rule["said"]
        for rule in _file()["reading"]
        if all(any(re.fullmatch(expression, column) for column in columns) for expression in rule["columns"])
    ]


def _nearest(module: str, beginnings: Iterable[tuple[str, str]]) -> str:
    """The family whose beginning of a name fits a module most exactly; empty for none."""
    found = [(len(start), family) for family, start in beginnings if start and starts_with(module, [start])]
    return max(found, key=lambda pair: pair[0], default=(0, ""))[1]


@cache
def key_words() -> dict[str, Label]:
    """Words for the parts of keys."""
    return {name: Label(**content) for name, content in _file()["words"].items()}


@cache
def _file() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(METHODS)
    return content


def _method(name: str, content: Mapping[str, Any], checked: Iterable[str]) -> Method:
    return Method(
        name,
        Label(**content["name"]),
        Label(**content["said"]),
        str(content.get("formula", "")),
        str(content.get("conventions", "")),
        str(content.get("tables", "")),
        tuple(map(str, content["modules"])),
        tuple(sorted(checked, key=str.lower)),
    )


def starts_with(module: str, beginnings: Iterable[str]) -> bool:
    """Whether a dotted name is one of these or lies in one of them."""
    return any(not start or module == start or module.startswith(f"{start}.") for start in beginnings)


def method_of(convention: str | None, modules: Iterable[str], table: str = "") -> Method:
    """The family of a number: by its convention or its table, else by what its cell reaches first, most exact first.

    Parameters
    ----------
    convention
        Of the result, None for a number of a table.
    modules
        Modules that the number's cell reaches, nearest first, without ``helpers.``.
    table
        Name of the number's table.
    """
    families = read_methods()
    for family in families:
        if table and family.tables and re.fullmatch(family.tables, table):
            return family
        if convention and family.conventions and re.search(family.conventions, convention):
            return family
    beginnings = [(family.name, start) for family in families for start in family.modules]
    names = (_nearest(module, beginnings) for module in modules)
    name = next(filter(None, names), families[-1].name)
    return next(family for family in families if family.name == name)


def reached_modules(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Cell -> modules of helpers whose functions it calls, nearest first, through the variables of earlier cells too.

    Parameters
    ----------
    sources
        Code of a notebook's cells by id, in order.
    """
    imported: dict[str, str] = {}
    makers: dict[str, str] = {}
    used: dict[str, list[str]] = {}
    behind: dict[str, list[str]] = {}
    for cell, source in sources.items():
        try:
            tree = ast.parse(source)
        except SyntaxError:
            used[cell], behind[cell] = [], []
            continue
        imported |= dict(_imports(tree))
        read, written = _names(tree)
        used[cell] = [imported[name] for name in read if name in imported]
        behind[cell] = list(dict.fromkeys(makers[name] for name in read if name in makers))
        makers |= dict.fromkeys(written, cell)
    return {cell: list(_walk(cell, used, behind)) for cell in sources}


def _walk(cell: str, used: Mapping[str, list[str]], behind: Mapping[str, list[str]]) -> Iterator[str]:
    waiting, seen = [cell], {cell}
    for _ in range(FURTHEST):
        yield from (module for now in waiting for module in used[now])
        waiting = [before for now in waiting for before in behind[now] if before not in seen]
        seen.update(waiting)


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers"):
            folder = (node.module or "").removeprefix("helpers").lstrip(".")
            for name in node.names:
                yield name.asname or name.name, f"{folder}.{name.name}".lstrip(".")


def _names(tree: ast.AST) -> tuple[list[str], list[str]]:
    """Names that are read and names that are given a value."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = [node.id for node in found if isinstance(node.ctx, ast.Load)]
    return list(dict.fromkeys(read)), [node.id for node in found if isinstance(node.ctx, ast.Store)]


def spell_key(result: Result, label: Callable[[str], Label | None]) -> Label:
    """What a result is in words: the parts of its key by the study's labels, by ``methods.yml``, else as they stand.

    Parameters
    ----------
    result
        A recorded result.
    label
        The study's label of a name, None where it has none.
    """
    parts = [spell_part(part, label) for part in result.key.split(".")]
    return Label(en=" · ".join(part.en for part in parts), zh=" · ".join(part.zh for part in parts))


def spell_formula(code: str, label: Callable[[str], Label | None]) -> Label:
    """A formula over names of the study file: as it stands there, and with the words of its names in Chinese.

    Parameters
    ----------
    code
        ``a / b``, or a model, ``y ~ x | entity, clustered by entity``.
    label
        The study's label of a name, None where it has none.
    """

    def word(name: re.Match[str]) -> str:
        known = label(name[0]) or key_words().get(name[0])
        return name[0] if known is None else known.zh

    body, clustered, clusters = re.sub(r"\band\b", "与", code).partition(CLUSTERED)
    end = f"，按{clusters.replace(' 与 ', '与')}聚类" if clustered else ""
    return Label(en=code, zh=re.sub(r"[A-Za-z_]\w*", word, f"{body}{end}", flags=re.ASCII))


SEVERAL = re.compile(r"^([^,]+), .+ and .+ \(")
"""Three authors or more, of whom Chinese names the first."""


def name_sources(checked: Iterable[str]) -> Label:
    """Programs and papers in a row, joined as each language joins them."""
    names = list(checked)
    told = (re.sub(r" \((\d{4})\)", r"（\1）", SEVERAL.sub(r"\1等 (", name)) for name in names)
    zh = "、".join(name.replace(" and ", "和").replace(" et al.", "等").replace(", ", "、") for name in told)
    return Label(en="; ".join(names), zh=zh)


def key_label(study: Study, part: str) -> Label | None:
    """The study's label of a part of a key, None where it has none."""
    if part in study.ladder:
        return study.ladder[part].label
    words = study.words(part)
    return None if words.en == part else words


def spell_part(part: str, label: Callable[[str], Label | None]) -> Label:
    """One part of a key: known as a whole, or made of two names, or of a word and a name."""
    known = label(part) or key_words().get(part)
    if known is not None:
        return known
    for between, joined in (("minus", "{}与{}之差"), ("with", "{}与{}")):
        first, found, second = part.partition(f"_{between}_")
        if found:
            one, other = spell_part(first, label), spell_part(second, label)
            return Label(en=f"{one.en} {between} {other.en}", zh=joined.format(one.zh, other.zh))
    for word in ("control", "left_out", "rank_shift"):
        if part.startswith(f"{word}_"):
            start, name = key_words()[word], spell_part(part.removeprefix(f"{word}_"), label)
            return Label(en=f"{start.en}: {name.en}", zh=f"{start.zh}：{name.zh}")
    claim = CLAIM.fullmatch(part)
    text = f"{claim[1].upper()}-{claim[2]}" if claim else part.replace("_", " ")
    return Label(en=text, zh=text)
