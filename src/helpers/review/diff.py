"""Two runs, two revisions or two sets of parameters on one page: what differs, by how much, and why."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.comparison import Comparison, Judged, compare_runs
from helpers.results.numbers import Run, read_run
from helpers.results.places import find_places
from helpers.review.causes import Cause, Inputs, find_causes, first_notebook, read_tree
from helpers.review.git import find_revision, lay_out, list_files
from helpers.review.page import render_difference
from helpers.review.scratch import copy_project, run_project, scratch_folder
from helpers.review.verify import change_of, compare_pictures, describe_judged, headline, place_of
from helpers.runner.record import read_entry

LINES = 15


@dataclass(frozen=True)
class Side:
    """One side of a difference.

    Attributes
    ----------
    label
        What a person called it.
    folder
        Its run folder.
    inputs
        What it was made from.
    """

    label: str
    folder: Path
    inputs: Inputs


@dataclass(frozen=True)
class Difference:
    """Two sides, compared.

    Attributes
    ----------
    labels
        What the sides are called.
    comparison
        Every number, the second side judged by the first.
    flips
        Verdicts, and p-values across a level.
    causes
        Why they differ, the most telling first.
    pictures
        Those that are not the same bytes.
    """

    labels: tuple[str, str]
    comparison: Comparison
    flips: tuple[Judged, ...]
    causes: tuple[Cause, ...]
    pictures: dict[str, tuple[bytes, bytes]]


def diff(root: Path, study: str, first: str, second: str, options: Sequence[str] = ()) -> Difference:
    """Compare two sides of a study.

    Parameters
    ----------
    root
        The project's root.
    study
        The study's name.
    first, second
        A run folder, a git revision, ``.`` for the project as it stands, or parameters (``name=value,preset=NAME``).
    options
        Options of ``study run`` for every run that is needed.

    Raises
    ------
    StudyError
        A side that is none of these, or a run that did not finish.
    """
    with scratch_folder(root.name) as work:
        one = make_side(root, study, first, work / "1", options)
        two = make_side(root, study, second, work / "2", options)
        places = find_places(one.folder) | find_places(two.folder)
        runs = read_run(one.folder, places), read_run(two.folder, places)
        comparison = compare_runs(*runs)
        left = comparison.left
        notebook = first_notebook(left)
        causes = find_causes(one.inputs, two.inputs, runs, notebook, work / "3", _rerun(study)) if left else ()
        pictures = compare_pictures(one.folder, two.folder)
    return Difference((first, second), comparison, tuple(item for item in left if item.flips), causes, pictures)


def make_side(root: Path, study: str, text: str, work: Path, options: Sequence[str]) -> Side:
    """Find or make what a person named: numbers, and the files that they were made from."""
    if text != "." and (Path(text) / "results.json").is_file():
        return _folder_side(Path(text).resolve(), study, text, options)
    settings = _settings(text)
    if text == "." or settings:
        copy_project(root, work)
        chosen = (*options, *settings)
    else:
        revision = find_revision(root, text)
        work.mkdir(parents=True)
        lay_out(root, revision, work)
        chosen = tuple(options)
        if f"reports/{study}/results.json" in list_files(root, revision, f"reports/{study}"):
            return Side(text, work / "reports" / study, Inputs(work, chosen, read_tree(work, study), {}))
    finished = run_project(work, study, study, chosen)
    if finished.code:
        rule = f"its run did not finish (exit code {finished.code}), so there is nothing to compare"
        raise StudyError(text, rule, "see the message above; name a side whose numbers are there")
    return Side(text, finished.folder, Inputs(work, chosen, read_tree(work, study), {}))


def _folder_side(folder: Path, study: str, text: str, options: Sequence[str]) -> Side:
    """A run folder; its project is at hand where the folder stands in one, else its record says what went in."""
    root = folder.parent.parent
    record = {
        label: value
        for path in sorted((folder / "run" / "record").glob("*.json"))
        for label, value in read_entry(folder, path.stem).inputs.items()
    }
    recorded = {label: value for label, value in record.items() if label.startswith(("src/", "notebooks/", "data/"))}
    recorded |= {label: value for label, value in record.items() if label == "requirements.lock"}
    installed = {
        label.removeprefix("package "): value for label, value in record.items() if label.startswith("package ")
    }
    installed |= {"Python": record["Python"]} if "Python" in record else {}
    settings = sorted((label.split()[1], value) for label, value in record.items() if label.startswith("parameter "))
    chosen = tuple(part for name, value in settings for part in ("--set", f"{name}={json.loads(value)}"))
    tree = root if (root / "src" / "helpers").is_dir() and folder == root / "reports" / study else None
    files = read_tree(root, study) if tree else recorded
    return Side(text, folder, Inputs(tree, chosen or tuple(options), files, installed))


def _settings(text: str) -> tuple[str, ...]:
    """``name=value,preset=NAME`` as options of ``study run``; nothing when the text is not of this form."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(equals and name.isidentifier() for name, equals, _ in pairs):
        return ()
    return tuple(
        part
        for name, _, value in pairs
        for part in (("--preset", value) if name == "preset" else ("--set", f"{name}={value}"))
    )


def _rerun(study: str) -> Any:
    """A function that runs a chain of a project: up to a notebook, or all of it when none is named."""

    def rerun(tree: Path, options: Sequence[str], notebook: str) -> Run | str:
        only = ("--only", notebook) if notebook else ()
        with contextlib.suppress(FileNotFoundError):
            (tree / "reports" / study / "results.json").unlink()
        finished = run_project(tree, study, study, (*options, *only), quiet=True)
        told = f"swapped alone, the run does not finish (exit code {finished.code})" if finished.code else ""
        return told or read_partial(finished.folder)

    return rerun


def read_partial(folder: Path) -> Run:
    """What a run up to one notebook left: the notebooks' own results, and the tables."""
    from helpers.results.numbers import read_tables
    from helpers.results.results import join_results

    return Run(join_results(folder), read_tables(folder, find_places(folder)))


def write_difference(difference: Difference, folder: Path, language: str) -> list[Path]:
    """Write ``diff.json`` and ``diff.html``, which begins in a language, into a folder."""
    record = {
        "sides": difference.labels,
        "causes": [str(cause) for cause in difference.causes],
        "numbers": dict(difference.comparison.numbers),
        "flips": [describe_judged(item) for item in difference.flips],
        "differ": [describe_judged(item) for item in difference.comparison.left],
        "pictures": sorted(difference.pictures),
    }
    paths = [folder / "diff.json", folder / "diff.html"]
    write_text(paths[0], json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    write_text(paths[1], render_difference(difference, language))
    return paths


def tell_difference(difference: Difference) -> Iterator[str]:
    """The screen: how many numbers are the same, why the others are not, and the first of them."""
    comparison = difference.comparison
    yield f"{' against '.join(difference.labels)}: {headline(comparison)}"
    for place, cause in enumerate(difference.causes, start=1):
        told = f"cause {place}: {cause.factor}: {cause.detail}"
        yield f"{told} ({cause.reason})" if cause.reason else told
    for item in comparison.left[:LINES]:
        yield f"{item.answer}: {item.number.name}{place_of(item)}: {change_of(item)}"
    if len(comparison.left) > LINES:
        yield f"... and {len(comparison.left) - LINES:,} more"
