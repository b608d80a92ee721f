"""What hangs on one part of the project: what would be run anew, which numbers, claims and sentences."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.claims.file import load_claims
from helpers.claims.verdicts import claim_words, expand_words
from helpers.errors import StudyError, did_you_mean
from helpers.results.panel_of_checks import find_notebooks
from helpers.results.results import Result
from helpers.review.chain import find_columns, find_slices, find_terms, read_recorded
from helpers.review.slices import find_cells
from helpers.runner.modules import Package
from helpers.runner.plan import Request, plan
from helpers.runner.sources import Source, read_sources
from helpers.runner.twins import cell_id

if TYPE_CHECKING:
    from helpers.study.study import Study

SENTENCE = re.compile(r"<(p|li|dd)\b[^>]*>(.*?)</\1>", re.DOTALL)
KEY = re.compile(r'class="num" popovertarget="k-([^"]+)"')
TAG = re.compile(r"<[^>]+>")
CODE = ("parameter", "helper module")


@dataclass(frozen=True)
class Impact:
    """What hangs on a part.

    Attributes
    ----------
    kind
        Raw file, statistic, derived column, index, parameter or helper module.
    name
        Its name.
    tasks
        Notebooks that would be run anew, and the report.
    keys
        Numbers that hang on it.
    claims
        Claims whose rules read one of these numbers.
    sentences
        Sentences of the report that print one of them.
    lost
        Recorded numbers whose cell is no longer there, since a notebook was edited after the run; they are not judged.
    """

    kind: str
    name: str
    tasks: tuple[str, ...]
    keys: tuple[str, ...]
    claims: tuple[str, ...]
    sentences: tuple[str, ...]
    lost: int


@dataclass(frozen=True)
class Part:
    """A part that was found by its name.

    Attributes
    ----------
    kind, name
        As in `Impact`.
    columns
        Statistics that it is or that stand in it; for data.
    """

    kind: str
    name: str
    columns: tuple[str, ...] = ()


def find_impact(request: Request, study: Study, name: str) -> Impact:
    """Find what hangs on a raw file, a statistic, an indicator, a parameter or a helper module.

    The notebooks are those that the run folder of the request was made from, by its record.

    Raises
    ------
    StudyError
        There is nothing of this name; the study has not been run.
    """
    request = replace(request, notebooks=find_notebooks(request.folder, request.root))
    sources = read_sources(request.notebook_folder)
    results = read_recorded(request.folder, study)
    part = find_part(request.root, study, sources, name)
    cells = {(source.name, cell_id(place)) for source in sources for place in range(len(source.cells))}
    there = [result for result in results.values() if (result.notebook, result.cell) in cells]
    keys = tuple(_hanging(request.root, study, sources, part, there))
    return Impact(
        kind=part.kind,
        name=part.name,
        tasks=_tasks(request, sources, part),
        keys=keys,
        claims=tuple(_claims(study, set(keys))),
        sentences=tuple(_sentences(request.folder / "report.html", set(keys))),
        lost=len(results) - len(there),
    )


def find_part(root: Path, study: Study, sources: Sequence[Source], name: str) -> Part:
    """Say what a name is.

    Raises
    ------
    StudyError
        Nothing is called so; the message names what is nearest.
    """
    raw = {column.file for column in study.columns.values()}
    files = {word: path for path in raw for word in (path, Path(path).name, f"data/{study.name}/{path}")}
    parameters = {parameter for source in sources for parameter in source.parameters}
    modules = {_dotted(root, path): path for path in (root / "src" / "helpers").rglob("*.py")}
    words = {word.removeprefix("helpers.").replace(".", "/"): word for word in modules}
    if name in files:
        path = files[name]
        columns = tuple(column for column, item in study.columns.items() if item.file == path)
        return Part("raw file", path, columns)
    if name in study.columns:
        return Part("statistic", name, (name,))
    if name in study.indices:
        return Part("index", name, tuple(find_columns(study, study.indices[name].indicators)))
    if name in study.formulas:
        return Part("derived column", name)
    if name in parameters:
        return Part("parameter", name)
    for word in (name, words.get(name, ""), _dotted(root, root / name) if name.endswith(".py") else ""):
        if word in modules:
            return Part("helper module", word)
    known = [*files, *study.columns, *study.formulas, *study.indices, *parameters, *modules]
    remedy = did_you_mean(name, known) + "name a raw file, a statistic, an indicator, a parameter or a helper module"
    raise StudyError(name, "nothing of the project is called so", remedy)


def _dotted(root: Path, path: Path) -> str:
    source = root / "src"
    return ".".join(path.relative_to(source).with_suffix("").parts) if path.is_relative_to(source) else ""


def _hanging(
    root: Path, study: Study, sources: Sequence[Source], part: Part, results: Iterable[Result]
) -> Iterator[str]:
    """Keys of the results that hang on a part."""
    hangs = _by_code(root, sources, part) if part.kind in CODE else _by_data(study, part)
    return (result.key for result in results if hangs(result))


def _by_data(study: Study, part: Part) -> Callable[[Result], bool]:
    """Whether a result is made from a raw file, a statistic, a derived column or an index."""
    columns = cache(lambda terms: frozenset(find_columns(study, terms)))
    members = set(study.indices[part.name].indicators) if part.kind == "index" else {part.name}

    def hangs(result: Result) -> bool:
        terms = find_terms(study, result.key)
        if part.kind in ("index", "derived column"):
            return bool(members & terms.keys())
        return bool(set(part.columns) & columns(tuple(terms)))

    return hangs


def _by_code(root: Path, sources: Sequence[Source], part: Part) -> Callable[[Result], bool]:
    """Whether the cells behind a result use a parameter, or a name that leads to a helper module."""
    slices = cache(lambda notebook, cell: find_slices(sources, notebook, cell))
    named = {source.name: set(find_cells(source, part.name)) for source in sources}
    package = Package(root / "src" / "helpers")

    @cache
    def reached(name: str) -> frozenset[str]:
        """Modules that an imported name leads to; it may be a module or stand in one."""
        files = package.find_modules([name, name.rpartition(".")[0]])
        return frozenset(_dotted(root, path) for path in files)

    def hangs(result: Result) -> bool:
        pieces = slices(result.notebook, result.cell or "")
        if part.kind == "parameter":
            return any(named[piece.notebook] & set(piece.cells) for piece in pieces)
        return any(part.name in reached(module) for piece in pieces for module in piece.modules)

    return hangs


def _tasks(request: Request, sources: Sequence[Source], part: Part) -> tuple[str, ...]:
    """Tasks whose inputs hold the part, and those that read what they leave."""
    declaring = {source.name for source in sources if part.name in source.parameters}
    file = f"src/{part.name.replace('.', '/')}.py"
    found: list[str] = []
    for job in plan(request):
        own = {"parameter": job.name in declaring, "helper module": file in job.files}.get(part.kind, True)
        if own or set(job.upstream) & set(found):
            found.append(job.name)
    return tuple(found)


def _claims(study: Study, keys: set[str]) -> Iterator[str]:
    words: Mapping[str, str | tuple[str, ...]] = claim_words(study)
    for name, claim in load_claims(study.folder).claims.items():
        patterns = [item for text in claim.reads.values() for item in expand_words(name, text, words)]
        shapes = [re.compile(re.escape(item).replace(r"\*", r"[^.]+")) for item in patterns]
        if any(shape.fullmatch(key) for shape in shapes for key in keys):
            yield f"{name}: {claim.text.en}"


def _sentences(report: Path, keys: set[str]) -> Iterator[str]:
    """Texts of the report that print one of the numbers, without tables."""
    if not report.is_file():
        return
    seen: set[str] = set()
    for _, text in SENTENCE.findall(report.read_text(encoding="utf-8")):
        words = " ".join(html.unescape(TAG.sub("", text)).split())
        if set(KEY.findall(text)) & keys and len(words.split()) > 3 and words not in seen:
            seen.add(words)
            yield words


def tell_impact(impact: Impact) -> Iterator[str]:
    """What hangs on the part, in words."""
    yield f"{impact.kind} {impact.name}"
    yield f"  would be run anew: {', '.join(impact.tasks) or 'nothing'}"
    yield f"  {len(impact.keys)} numbers hang on it"
    yield from (f"    {key}" for key in impact.keys)
    if impact.lost:
        yield f"  {impact.lost} more were made by cells that are no longer there: run the study, then ask again"
    yield f"  {len(impact.claims)} claims read them"
    yield from (f"    {claim}" for claim in impact.claims)
    yield f"  {len(impact.sentences)} sentences of the report print them"
    yield from (f"    {sentence}" for sentence in impact.sentences)
