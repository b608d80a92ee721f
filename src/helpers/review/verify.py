"""A study run again from raw data, and every number compared with the reference that the repository holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.comparison import CANNOT_SAY, DIFFERS, REPRODUCED, Comparison, Judged, compare_runs
from helpers.results.numbers import RULES, read_run
from helpers.results.panel_of_checks import digest_run
from helpers.results.places import find_places
from helpers.review.git import describe_commit
from helpers.review.machine import describe_machine, digest_files, today
from helpers.review.reference import open_reference
from helpers.review.scratch import Finished, copy_project, run_project, scratch_folder
from helpers.runner.record import read_entry

if TYPE_CHECKING:
    from helpers.study.study import Study

FILE = "verify.json"
PAGE = "verify.html"
LONG = 160
"""Letters of one change that the terminal shows."""
LINES = 12
"""How many numbers that were not reproduced the terminal shows."""


@dataclass(frozen=True)
class Verified:
    """What a verification came to.

    Attributes
    ----------
    study
        The study's name.
    reference
        Which numbers it was compared with, in words.
    reference_digest
        SHA-256 over exactly these results and tables.
    comparison
        Every number, judged.
    finished
        The run.
    seconds
        Notebook -> seconds.
    pictures
        Pictures that are not the same bytes, old and new; an empty one where it is missing.
    inputs
        What the run was made from: commit, checksums of code, data and lock, options.
    places
        Picture -> notebook and cell that drew it, of all pictures of the run.
    """

    study: str
    reference: str
    reference_digest: str
    comparison: Comparison
    finished: Finished
    seconds: Mapping[str, float]
    pictures: Mapping[str, tuple[bytes, bytes]]
    inputs: Mapping[str, str]
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class RunFailedError(Exception):
    """The run in the copy did not come to its end; what went wrong is told by the run itself.

    Parameters
    ----------
    code
        Its exit code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"The verifying run did not finish (exit code {code}); nothing was compared or written.")
        self.code = code


def verify(root: Path, study: Study, word: str, options: Sequence[str] = (), against: str | None = None) -> Verified:
    """Run a study in a copy and compare it with its reference.

    Parameters
    ----------
    root
        The project's root.
    study
        The study.
    word
        What the command line calls it.
    options
        Options of ``study run`` that the run is given.
    against
        A folder or a git revision in place of the committed reference.

    Raises
    ------
    StudyError
        No reference that can be compared with (see `helpers.review.reference.open_reference`), no room for the copy.
    RunFailedError
        The run did not finish.
    """
    with open_reference(root, study.name, against) as reference, scratch_folder(root.name) as copy:
        copy_project(root, copy)
        finished = run_project(copy, word, study.name, options)
        if finished.code:
            raise RunFailedError(finished.code)
        places = find_places(finished.folder)
        old, new = read_run(reference.folder, places), read_run(finished.folder, places)
        return Verified(
            study=study.name,
            reference=reference.label,
            reference_digest=digest_run(reference.folder),
            comparison=compare_runs(old, new),
            finished=finished,
            seconds=read_seconds(finished.folder),
            pictures=compare_pictures(reference.folder, finished.folder),
            inputs=describe_inputs(root, study, options),
            places={path.stem: places[path.stem] for path in sorted((finished.folder / "figures").glob("*.svg"))},
        )


def read_seconds(folder: Path) -> dict[str, float]:
    """Notebook -> seconds of its last run, from a run folder's record."""
    names = sorted(path.stem for path in (folder / "run" / "record").glob("*.json"))
    return {name: round(read_entry(folder, name).seconds, 1) for name in names}


def compare_pictures(old: Path, new: Path) -> dict[str, tuple[bytes, bytes]]:
    """Name -> both pictures, of those that are not the same bytes."""
    names = {path.name for folder in (old, new) for path in (folder / "figures").glob("*.svg")}
    pairs = {
        Path(name).stem: (_bytes(old / "figures" / name), _bytes(new / "figures" / name)) for name in sorted(names)
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def describe_inputs(root: Path, study: Study, options: Sequence[str]) -> dict[str, str]:
    """What a run is made from, by content."""
    return {
        "commit": describe_commit(root),
        "code": digest_files(root, "src", "notebooks"),
        "data": digest_files(root, study.folder.relative_to(root).as_posix()),
        "lock": digest_files(root, "requirements.lock"),
        "options": " ".join(options),
    }


def write_verified(verified: Verified, folder: Path, language: str) -> list[Path]:
    """Write ``verify.json`` and ``verify.html``, which begins in a language, into a folder."""
    from helpers.review.page import render_verified

    paths = [folder / FILE, folder / PAGE]
    write_text(paths[0], json.dumps(make_record(verified), ensure_ascii=False, indent=1) + "\n")
    write_text(paths[1], render_verified(verified, language))
    return paths


def make_record(verified: Verified) -> dict[str, Any]:
    """What ``verify.json`` holds."""
    comparison = verified.comparison
    furthest = comparison.furthest
    return {
        "study": verified.study,
        "schema": 1,
        "date": today(),
        "reference": verified.reference,
        "reference_sha256": verified.reference_digest,
        "complete": comparison.complete,
        "numbers": {answer: comparison.numbers[answer] for answer in (REPRODUCED, DIFFERS, CANNOT_SAY)},
        "verdicts_and_orders": {answer: comparison.words[answer] for answer in (REPRODUCED, DIFFERS, CANNOT_SAY)},
        "kinds": [{"kind": kind, "rule": RULES[kind], **counts} for kind, counts in comparison.kinds.items()],
        "largest_relative_difference": describe_judged(furthest) if furthest else None,
        "not_reproduced": [describe_judged(item) for item in comparison.left],
        "tables": count_items(comparison, "table"),
        "results": count_items(comparison, "results"),
        "figures": {
            name: {"notebook": notebook, "cell": cell, "same": name not in verified.pictures}
            for name, (notebook, cell) in verified.places.items()
        },
        "pictures_that_differ": sorted(verified.pictures),
        "inputs": dict(verified.inputs),
        "machine": describe_machine(),
        "seconds": {"run": round(verified.finished.seconds, 1), **verified.seconds},
        "memory_bytes": verified.finished.memory,
    }


def count_items(comparison: Comparison, kind: str) -> dict[str, dict[str, Any]]:
    """Table, or notebook for results in the text, -> where it was made and how many of its numbers were reproduced."""
    counts: dict[str, Counter[str]] = {}
    places: dict[str, tuple[str, str]] = {}
    for item in comparison.judged:
        number = item.new or item.number
        if item.is_word or (number.source == "results") != (kind == "results"):
            continue
        name = (number.notebook or "") if kind == "results" else number.source
        counts.setdefault(name, Counter())[item.answer] += 1
        places.setdefault(name, (number.notebook or "", "" if kind == "results" else number.cell or ""))
    return {
        name: {
            "notebook": places[name][0],
            "cell": places[name][1],
            "reproduced": found[REPRODUCED],
            "of": found.total(),
        }
        for name, found in sorted(counts.items())
    }


def describe_judged(item: Judged) -> dict[str, Any]:
    """One judged number as plain fields."""
    number = item.number
    fields = {
        "answer": item.answer,
        "source": number.source,
        "row": number.row,
        "field": number.field,
        "kind": number.kind,
        "old": item.old.text if item.old else None,
        "new": item.new.text if item.new else None,
        "reason": item.reason,
        "relative": item.relative,
        "units_of_last_digit": item.units,
        "std_errors": item.std_errors,
        "notebook": number.notebook or (item.new.notebook if item.new else None),
        "cell": number.cell or (item.new.cell if item.new else None),
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def tell(verified: Verified) -> Iterator[str]:
    """The screen: how many of how many, by which rule, and what is left."""
    comparison = verified.comparison
    yield f"{verified.study}: {headline(comparison)}"
    yield f"reference: {verified.reference}"
    for kind, counts in comparison.kinds.items():
        yield f"  {kind:<19} {counts[REPRODUCED]:>7,} of {counts.total():>7,}   {RULES[kind]}"
    furthest = comparison.furthest
    if furthest is None:
        yield "no number differs by a single bit"
    else:
        yield f"largest relative difference: {furthest.relative:.1e}, {furthest.number.name}{place_of(furthest)}"
    if comparison.left:
        yield f"not reproduced: {', '.join(f'{count:,} in {name}' for name, count in comparison.where.items())}"
    for item in comparison.left[:LINES]:
        yield f"{item.answer}: {item.number.name}{place_of(item)}: {change_of(item)}"
    if len(comparison.left) > LINES:
        yield f"... and {len(comparison.left) - LINES:,} more in {FILE}"
    if verified.pictures:
        yield f"pictures that are not the same bytes: {', '.join(verified.pictures)}"
    yield f"run {verified.finished.seconds:.1f} s"


def headline(comparison: Comparison) -> str:
    """N of N, and what is missing from N."""
    numbers, words = comparison.numbers, comparison.words
    counts = (numbers[REPRODUCED], numbers.total(), words[REPRODUCED], words.total())
    good, every, kept, both = (f"{count:,}" for count in counts)
    text = f"{good} of {every} numbers reproduced, {kept} of {both} verdicts and orders of rows"
    differs, unsaid = (numbers[answer] + words[answer] for answer in (DIFFERS, CANNOT_SAY))
    if differs:
        text += f"; {differs:,} differ"
    elif unsaid:
        text += "; nothing differs"
    return text + (f"; of {unsaid:,} it cannot be said" if unsaid else "")


def place_of(item: Judged) -> str:
    """Notebook and cell in brackets, as far as they are known."""
    number = item.new or item.number
    notebook, cell = number.notebook or item.number.notebook, number.cell or item.number.cell
    return f" ({notebook}{' ' + cell if cell else ''})" if notebook else ""


def change_of(item: Judged) -> str:
    """Old and new value with the distance between them, and why it counts."""
    text = item.reason
    if item.units is not None:
        old, new = (number.text if number else "nothing" for number in (item.old, item.new))
        change, units = f"{old} -> {new}", f"{item.units:.3g}"
        text = f"{change} ({units} units of the last digit): {item.reason}"
        if item.std_errors is not None:
            text = f"{change} ({units} units of the last digit, {item.std_errors:.2g} std. errors): {item.reason}"
    return text if len(text) <= LONG else f"{text[:LONG]}..."


def check_study_folder(root: Path, study: Study) -> None:
    """Refuse a study outside the project, which a copy of the project does not hold.

    Raises
    ------
    StudyError
        The study's folder lies elsewhere.
    """
    if not study.folder.resolve().is_relative_to(root.resolve()):
        raise StudyError(
            str(study.folder), "lies outside the project, so a copy would not hold it", "move it into data/"
        )
