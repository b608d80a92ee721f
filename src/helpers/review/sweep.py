"""A grid of notebook parameters and values of the study file: every point run, shared steps once, one page of results.

A sweep file is YAML: ``study``, ``preset``, ``parameters`` (name -> list of values), ``study_file`` (dotted place in
``study.yml`` -> list of values) and ``show`` (keys of results). A point starts from what the nearest earlier point with
the same study file left, so that only notebooks whose inputs differ run.
"""

from __future__ import annotations

import copy
import csv
import io
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from helpers.errors import StudyError, did_you_mean
from helpers.files import write_text
from helpers.results.results import Results, read_results
from helpers.runner.pipeline import run
from helpers.runner.plan import Request
from helpers.study.data import Strict
from helpers.study.file import read_as, read_yaml
from helpers.study.study import Study, load_study

MOST = 1000
COLUMNS = ("estimate", "std_error", "p_value", "ci_low", "ci_high")


class SweepFile(Strict):
    """What is swept over what.

    Attributes
    ----------
    study, preset
        As in ``study run``.
    parameters
        Notebook parameter -> values.
    study_file
        Place in the study file, its words joined by dots -> values.
    show
        Keys of the results that the page shows; the primary estimate when left out.
    """

    study: str = "provinces"
    preset: str | None = None
    parameters: dict[str, tuple[int | float | str | bool, ...]] = Field(default_factory=dict)
    study_file: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    show: tuple[str, ...] = ()


@dataclass(frozen=True)
class Point:
    """One point of the grid.

    Attributes
    ----------
    number
        Counted from 1.
    places
        Place in the study file -> value.
    settings
        Notebook parameter -> value, as ``--set`` takes it.
    """

    number: int
    places: Mapping[str, Any]
    settings: Mapping[str, str]

    @property
    def label(self) -> str:
        """Its values, in words."""
        return ", ".join(f"{name} = {value}" for name, value in {**self.places, **self.settings}.items())


@dataclass(frozen=True)
class Swept:
    """A point that was run.

    Attributes
    ----------
    point
        The point.
    results
        What it recorded; None when it did not finish.
    ran
        Notebooks that ran for it.
    failure
        Why it did not finish.
    """

    point: Point
    results: Results | None
    ran: tuple[str, ...]
    failure: str = ""


def read_sweep(path: Path) -> SweepFile:
    """Read a sweep file.

    Raises
    ------
    StudyError
        No such file, an unknown key, nothing to sweep, too many points.
    """
    if not path.is_file():
        raise StudyError(str(path), "there is no sweep file here", "name a YAML file with `parameters` or `study_file`")
    sweep = read_as(path, SweepFile, "give `parameters` or `study_file` lists of values")
    number = len(list(list_points(sweep)))
    if not sweep.parameters and not sweep.study_file:
        raise StudyError(str(path), "there is nothing to sweep", "give `parameters` or `study_file` lists of values")
    if not 0 < number <= MOST:
        raise StudyError(str(path), f"the grid has {number} points", f"give every list a value, {MOST} points at most")
    return sweep


def list_points(sweep: SweepFile) -> Iterator[Point]:
    """Every point of the grid; those of one study file stand together."""
    places, settings = sweep.study_file, sweep.parameters
    grid = itertools.product(itertools.product(*places.values()), itertools.product(*settings.values()))
    for number, (above, below) in enumerate(grid, start=1):
        words = [str(value).lower() if isinstance(value, bool) else str(value) for value in below]
        texts = dict(zip(settings, words, strict=True))
        yield Point(number, dict(zip(places, above, strict=True)), texts)


def change_place(content: Mapping[str, Any], place: str, value: Any, where: str) -> dict[str, Any]:
    """A study file's content with another value at one place.

    Raises
    ------
    StudyError
        The study file has no such place.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(content))
    here: Any = changed
    above: Any = None
    for word in place.split("."):
        if not isinstance(here, dict) or word not in here:
            hint = did_you_mean(word, list(here)) if isinstance(here, dict) else ""
            raise StudyError(
                where, f"the study file has no place '{place}'", hint + "join its keys by dots, from the top"
            )
        above, here = here, here[word]
    above[place.rpartition(".")[2]] = value
    return changed


def sweep_study(request: Request, sweep: SweepFile, folder: Path, tell: Callable[[str], object]) -> list[Swept]:
    """Run every point.

    Parameters
    ----------
    request
        A run of the study, as it would be without the sweep.
    sweep
        The grid.
    folder
        Where the points' run folders and study files are kept.
    tell
        Called with a line after each point.
    """
    content = read_yaml(request.study_folder / "study.yml")
    done: list[Swept] = []
    for point in list_points(sweep):
        study = _study_of(point, content, request, folder)
        home = folder / "points" / f"{point.number:03d}"
        nearest = _nearest(point, [swept.point for swept in done if swept.results is not None])
        _start_from(folder / "points" / f"{nearest.number:03d}" if nearest else _own(request, point), home)
        word = request.study if not point.places else study.as_posix()
        outcome = run(replace(request, study=word, study_folder=study, folder=home, settings=dict(point.settings)))
        failure = "; ".join(str(error).splitlines()[0] for error in outcome.errors)
        results = None if failure else read_results(home / "results.json")
        done.append(Swept(point, results, tuple(outcome.ran), failure))
        tell(f"{point.number}: {point.label}: {failure or f'{len(outcome.ran)} tasks ran'}")
    return done


def _study_of(point: Point, content: Mapping[str, Any], request: Request, folder: Path) -> Path:
    """The study's folder for a point: a copy with another study file where the point asks for one."""
    if not point.places:
        return request.study_folder
    changed = dict(content)
    for place, value in point.places.items():
        changed = change_place(changed, place, value, "the sweep file")
    words = "_".join(str(place) for place in point.places.values())
    safe = "".join(letter if letter.isalnum() else "-" for letter in words)
    target = folder / "studies" / safe / request.study_folder.name
    if not target.is_dir():
        shutil.copytree(request.study_folder, target)
        write_text(target / "study.yml", yaml.safe_dump(changed, sort_keys=False, allow_unicode=True))
        load_study(target)
    return target


def _own(request: Request, point: Point) -> Path | None:
    """The study's own run folder, which a point with the study's own file may start from."""
    return request.folder if not point.places and (request.folder / "run" / "record").is_dir() else None


def _nearest(point: Point, others: Sequence[Point]) -> Point | None:
    """The earlier point with the same study file that differs in the fewest parameters."""
    same = [other for other in others if other.places == point.places]
    gaps = {other.number: sum(other.settings[name] != text for name, text in point.settings.items()) for other in same}
    return min(same, key=lambda other: (gaps[other.number], other.number), default=None)


def _start_from(source: Path | None, target: Path) -> None:
    """Lay an earlier run's files out under another name; the runner renames what it writes, so links are safe."""
    if source is None or target.exists():
        return
    own = shutil.ignore_patterns("lock", "staging", "sweep", "verify", "var")
    shutil.copytree(source, target, copy_function=os.link, ignore=own)


def shown_keys(sweep: SweepFile, study: Study) -> tuple[str, ...]:
    """Keys of the results that the page shows."""
    return sweep.show or (f"baseline.{study.primary}.{study.specification.treatment}",)


def make_rows(done: Sequence[Swept], keys: Sequence[str]) -> list[dict[str, str]]:
    """One row per point and shown result: its values, the numbers at their digits, what ran."""
    rows = []
    for swept in done:
        for key in keys:
            result = swept.results.get(key) if swept.results else None
            numbers = {name: _text(result, name) for name in COLUMNS}
            told = swept.failure or ("" if result else "no such result")
            values = {name: str(value) for name, value in {**swept.point.places, **swept.point.settings}.items()}
            first = {"point": str(swept.point.number), **values, "result": key}
            rows.append({**first, **numbers, "ran": str(len(swept.ran)), "remark": told})
    return rows


def _text(result: Any, name: str) -> str:
    if result is None:
        return ""
    item = result.shown if name == "estimate" else getattr(result, name)
    if item is None or isinstance(item, str):
        return item or ""
    return f"{item:.{3 if name == 'p_value' else result.digits}f}"


def write_sweep(done: Sequence[Swept], keys: Sequence[str], study: str, folder: Path, language: str) -> list[Path]:
    """Write ``sweep.csv`` and ``sweep.html``, which begins in a language, into a folder."""
    from helpers.review.page import render_sweep

    rows = make_rows(done, keys)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    page = render_sweep(study, rows, language)
    return [write_text(folder / "sweep.csv", text.getvalue()), write_text(folder / "sweep.html", page)]
