"""A person's own table becomes a study: a folder under ``data`` with a commented study file to edit, or nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.formats.decoding import few
from helpers.own.entities import Entities, choose_lists, join_known, match_entities
from helpers.own.study_text import Roles, claims_text, study_text, time_name
from helpers.own.words import RESERVED, snake
from helpers.reading.manifest import write_manifest
from helpers.reading.numbers import UndecidedError
from helpers.reading.proposal import Measure, Options, Proposal
from helpers.reading.propose import propose
from helpers.study.cost import LARGE
from helpers.study.periods import show_period
from helpers.study.study import load_study

if TYPE_CHECKING:
    from helpers.study.study import Study

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]*[)）\]]\s*$")
MOST_CONTROLS = 3
# Share of gaps from which a measure is proposed after all others.
SPARSE = 0.3
NOT_USED = "no figures, numbers of rows, marks of periods, or text that changes over time"


@dataclass(frozen=True)
class Adopted:
    """A new study.

    Attributes
    ----------
    folder
        Where it was written.
    told
        What was understood and what is still to be done, one line each.
    """

    folder: Path
    told: tuple[str, ...]


Check = Callable[["Study"], str]


def adopt(
    path: Path, root: Path, name: str | None = None, options: Options | None = None, check: Check | None = None
) -> Adopted:
    """Write a new study from a file or a folder of files.

    Parameters
    ----------
    path
        CSV, spreadsheet, Stata, SPSS, R or Parquet.
    root
        The project's root.
    name
        Of the new study; from the file's name when None.
    options
        What the person says about the table.
    check
        What the study must pass before it is put into place, such as ``helpers.runner.check.check_study``; its words
        are told.

    Raises
    ------
    StudyError
        The table cannot be read, the study would not pass the check, or there is a study of that name. Nothing is left.
    """
    options = options or Options()
    if str(path).startswith(("http:", "https:")):
        raise StudyError(str(path), "it is an address, and nothing is fetched", "download the table, and name the file")
    if not path.exists():
        raise StudyError(str(path), "there is no such file or folder", "correct the path")
    folder = _free_folder(root, name or snake(path.stem) or "adopted")
    lists = choose_lists(options.units, root)
    proposal = propose(path, options, lambda word: any(item.knows(word) for item in lists))
    proposal = join_known(proposal, lists, asked=options.units is not None)
    entities = match_entities(proposal, lists, asked=options.units is not None)
    names = _name_measures(proposal.measures, root / "data" / entities.known_from if entities.known_from else None)
    roles = _choose_roles(proposal, names, options, str(path))
    aside = folder.with_name(f".{folder.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        _write_study(aside, folder.name, path, proposal, names, entities, roles, options)
        write_manifest(aside)
        checked = _check(aside, check)
        aside.replace(folder)
    except OSError as error:
        rule = f"the study cannot be written ({error.strerror})"
        raise StudyError(str(folder), rule, "make room, or permit writing there") from None
    except StudyError as error:
        raise _of_the_table(error, aside, path) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    told = (*_tell(proposal, names, entities, roles), *checked)
    return Adopted(folder, told)


def _check(folder: Path, check: Check | None) -> list[str]:
    """Check a new study; a proposed robustness row or grouping that its rows cannot carry is taken out, and told."""
    told: list[str] = []
    while True:
        study = load_study(folder)
        try:
            return [*told, check(study)] if check is not None else told
        except StudyError as error:
            blocks: dict[str, Iterable[str]] = {"robustness": study.robustness, "regions": study.regions}
            refused = [(block, row) for block in blocks for row in blocks[block] if f"{block}.{row}:" in error.where]
            if not refused:
                raise
            block, row = refused[0]
            text = (folder / "study.yml").read_text(encoding="utf-8")
            kept = re.sub(rf"^  {row}:\n(?:    .*\n)+", "", text, count=1, flags=re.MULTILINE)
            write_text(folder / "study.yml", re.sub(r"^regions:\n(?!  )", "regions: {}\n", kept, flags=re.MULTILINE))
            write_manifest(folder)
            told.append(
                f"no robustness row {row}: {error.rule}"
                if block == "robustness"
                else f"no grouping by {row}: {error.rule}"
            )


def copy_study(source: str, name: str, root: Path) -> Path:
    """Copy a study's folder under a new name, its ``name`` replaced.

    Raises
    ------
    StudyError
        There is no such study, or one of the new name, or the name cannot be used.
    """
    load_study(root / "data" / source)
    folder = _free_folder(root, name)
    shutil.copytree(root / "data" / source, folder, ignore=shutil.ignore_patterns(".*"))
    text = (folder / "study.yml").read_text(encoding="utf-8")
    text = re.sub(rf"^name: {source}\b", f"name: {name}", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^  offered: true.*\n", "", text, count=1, flags=re.MULTILINE)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    return folder


def _free_folder(root: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise StudyError(
            f"the name {name}", "a study is named by lower-case letters, digits and _", "name it like_this"
        )
    folder = root / "data" / name
    if folder.exists():
        raise StudyError(str(folder), "there is a study of that name", "choose another name")
    return folder


def _of_the_table(error: StudyError, aside: Path, path: Path) -> StudyError:
    """A message about the files that were about to be written, as one about the table that they come from."""

    def plain(text: str) -> str:
        text = text.replace(f"{aside}/raw/figures.csv", str(path)).replace(f"{aside}/study.yml", f"{path}, as proposed")
        return text.replace(str(aside), str(path))

    remedy = plain(error.remedy)
    # There is no study file yet in which a statistic could be declared genuine.
    remedy = re.sub(r"declare them in the study file: contract: \{genuine: \[(.*?)\]\}", r'say --genuine "\1"', remedy)
    if "--" not in remedy and ("study file" in remedy or "regressor" in f"{error.where} {error.rule}"):
        remedy += "; say with --outcome, --treatment and --controls (none for none) which measures the model is of"
    return StudyError(plain(error.where), f"{plain(error.rule)} (nothing was written)", remedy)


def _name_measures(measures: Sequence[Measure], study: Path | None) -> dict[str, str]:
    """Heading -> name: from the heading; of a Chinese one that of the study with the same units, or else a number."""
    known = _known_statistics(study) if study is not None and (study / "study.yml").is_file() else {}
    names: dict[str, str] = {}
    for number, measure in enumerate(measures, start=1):
        bare = _BRACKETS.sub("", measure.heading)
        found = known.get(_squeeze(measure.label)) if not measure.label.isascii() else None
        name = found or snake(bare) or snake(measure.label) or f"measure_{number}"
        name = f"{name}_figure" if name in RESERVED else name
        names[measure.heading] = f"{name}_{number}" if name in names.values() else name
    return names


def _known_statistics(study: Path) -> dict[str, str]:
    """What a study calls its statistics: label in either language -> name."""
    found: dict[str, str] = {}
    for name, column in load_study(study).columns.items():
        for label in (column.label.zh, column.label.en, (column.indicator or "").split("(")[0]):
            found.setdefault(_squeeze(label), name)
    found.pop("", None)
    return found


def _squeeze(text: str) -> str:
    return "".join(text.split()).casefold()


def _choose_roles(proposal: Proposal, names: dict[str, str], options: Options, where: str) -> Roles:
    """Outcome, treatment and controls: those that the person named, else the measures in order, sparse ones last."""
    changing = proposal.figures.groupby(level=0).nunique().max() > 1
    sparse = proposal.figures.isna().mean() > SPARSE
    usable = [m.heading for m in proposal.measures if changing[m.heading]]
    usable.sort(key=lambda heading: bool(sparse[heading]))
    if proposal.figures.index.unique(0).size < 2:
        raise StudyError(where, "it holds one unit", "a panel study compares several: add the rows of others")
    if len(proposal.measures) < 2:
        rule = f"it has one measure ({proposal.measures[0].label}), a study needs two: one explained, one that explains"
        raise StudyError(where, rule, "add a column, or put a table of another measure beside it into a folder")
    if len(usable) < 2:
        still = [m.heading for m in proposal.measures if m.heading not in usable]
        rule = f"fewer than two measures change over time; within every unit these stay as they are: {few(still)}"
        remedy = "add a column that changes, for a treatment one that is 0 in the periods before it and 1 from then on"
        raise StudyError(where, rule, remedy)
    given = {
        role: _find_measure(getattr(options, role), proposal, names, where, role) for role in ("outcome", "treatment")
    }
    _check_given(given, usable, where)
    free = [heading for heading in usable if heading not in given.values()]
    outcome = given["outcome"] or free.pop(0)
    treatment = given["treatment"] or free.pop(0)
    full = [heading for heading in free if not sparse[heading]]
    controls = full[:MOST_CONTROLS]
    if options.controls is not None:
        asked = tuple(item for item in options.controls if item.casefold() != "none")
        controls = _find_measures(asked, proposal, names, where, "controls")
    genuine = _find_measures(options.genuine, proposal, names, where, "genuine")
    if proposal.figures[outcome].equals(proposal.figures[treatment]):
        rule = f"'{treatment}' has the same figures as '{outcome}' in every row: nothing is to be explained"
        raise StudyError(where, rule, "say another with --treatment, or take one of the two columns out")
    named = [tuple(names[heading] for heading in headings) for headings in (controls, genuine)]
    return Roles(names[outcome], names[treatment], *named)


def _check_given(given: dict[str, str | None], usable: list[str], where: str) -> None:
    """Refuse measures that can have no effect, or none on themselves."""
    if given["outcome"] is not None and given["outcome"] == given["treatment"]:
        rule = f"'{given['outcome']}' is named as outcome and as treatment"
        raise UndecidedError(where, rule, f"measures are: {few(usable)}", "treatment", usable)
    for role, heading in given.items():
        if heading is not None and heading not in usable:
            rule = f"'{heading}' never changes within a unit, whose effects absorb it"
            raise UndecidedError(where, rule, f"measures that do are: {few(usable)}", role, usable)


def _find_measures(asked: Sequence[str], proposal: Proposal, names: dict[str, str], where: str, role: str) -> list[str]:
    """Headings of a list that was cut at its commas; a heading may have commas of its own."""
    known = {_squeeze(text) for item in proposal.measures for text in (item.heading, item.label, names[item.heading])}
    found, place = [], 0
    while place < len(asked):
        ends = range(len(asked), place, -1)
        end = next((end for end in ends if _squeeze(", ".join(asked[place:end])) in known), place + 1)
        found.append(_find_measure(", ".join(asked[place:end]), proposal, names, where, role))
        place = end
    return [heading for heading in found if heading]


def _find_measure(asked: str | None, proposal: Proposal, names: dict[str, str], where: str, role: str) -> str | None:
    if asked is None:
        return None
    for measure in proposal.measures:
        if _squeeze(asked) in {_squeeze(measure.heading), _squeeze(measure.label), names[measure.heading]}:
            return measure.heading
    listed = [measure.heading for measure in proposal.measures]
    rule = _why_no_measure(asked, proposal)
    raise UndecidedError(where, rule, f"measures are: {few(listed)}", role, listed)


def _why_no_measure(asked: str, proposal: Proposal) -> str:
    if _squeeze(asked) in map(_squeeze, proposal.attributes):
        return f"'{asked}' never changes within a unit: it is a group of units, which their effects absorb"
    if _squeeze(asked) in map(_squeeze, proposal.ignored):
        return f"'{asked}' is no measure: {NOT_USED}"
    return f"there is no measure '{asked}'"


def _write_study(
    folder: Path,
    name: str,
    path: Path,
    proposal: Proposal,
    names: dict[str, str],
    entities: Entities,
    roles: Roles,
    options: Options,
) -> None:
    (folder / "raw").mkdir(parents=True)
    _write_figures(folder, proposal, names, entities)
    table = entities.table
    _write_csv(folder / "units.csv", [entities.key, *table.columns], ([key, *row] for key, *row in table.itertuples()))
    note = f"Adopted from {path.name}; not checked."
    book = [[names[item.heading], item.label, item.label, item.unit, "C", note] for item in proposal.measures]
    _write_csv(folder / "codebook.csv", ["statistic", "indicator_zh", "name_en", "unit", "grade", "note"], book)
    (folder / "SOURCES.md").write_text(
        f"# Sources\n\nAdopted from `{path.name}`. Write here who publishes the figures and on what terms.\n",
        encoding="utf-8",
    )
    claim = options.claim or "moves"
    text = study_text(name, proposal, names, entities, roles, _origin(path, proposal, options), claim)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    (folder / "claims.yml").write_text(claims_text(claim), encoding="utf-8")


def _origin(path: Path, proposal: Proposal, options: Options) -> dict[str, object]:
    """Where the figures come from and how the table was read, for the study file."""
    files = [path] if path.is_file() else sorted(item for item in path.iterdir() if item.is_file())
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
    said = {key: getattr(options, key) for key in ("missing", "decimal", "encoding", "sheet", "units")}
    origin: dict[str, object] = {"source": path.name, "sha256": digest}
    origin |= {"entity": proposal.entity, "time": proposal.time}
    origin |= {key: value for key, value in said.items() if value is not None}
    return origin | ({"left_out": proposal.left_out} if proposal.left_out else {})


def _write_figures(folder: Path, proposal: Proposal, names: dict[str, str], entities: Entities) -> None:
    figures = proposal.figures.rename(columns=names)
    width = 4 if proposal.kind == "year" else 0  # a year of long ago stands as a year does
    shown = {time: show_period(int(time), proposal.kind).rjust(width, "0") for time in figures.index.unique(1)}
    rows = [
        [entities.keys[str(entity)], shown[time], *("" if math.isnan(cell) else repr(cell) for cell in cells)]
        for (entity, time), cells in zip(figures.index, figures.to_numpy().tolist(), strict=True)
    ]
    _write_csv(folder / "raw" / "figures.csv", [entities.key, time_name(proposal.kind), *figures.columns], rows)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8")


def _tell(proposal: Proposal, names: dict[str, str], entities: Entities, roles: Roles) -> list[str]:
    times = proposal.figures.index.unique(1)
    first, last = (show_period(int(time), proposal.kind) for time in (min(times), max(times)))
    measures = [
        f"{names[m.heading]} ('{m.heading}')" if names[m.heading] != m.heading else m.heading for m in proposal.measures
    ]
    told = [
        f"entities: column '{proposal.entity}', {proposal.figures.index.unique(0).size} of them",
        *entities.told,
        f"times: column '{proposal.time}', {len(times)} from {first} to {last}",
        f"measures: {few(measures)}",
        *proposal.told,
    ]
    if int(max(times)) - int(min(times)) + 1 > len(times) and proposal.kind != "day":
        told.append(
            "the periods are not all next to each other: a lag in a robustness row is one of the periods there are"
        )
    gaps = int(proposal.figures.isna().sum().sum())
    if gaps:
        told.append(f"gaps: {gaps} empty cells; rows that lack a figure which the model needs are dropped and counted")
    if proposal.ignored:
        told.append(f"not used: {few(list(proposal.ignored))} ({NOT_USED})")
    if len(proposal.figures) >= LARGE:
        told.append(
            f"a large table: {len(proposal.figures):,} rows; `engine: disk` in the study file keeps them on disk, and "
            "docs/large_panels.md says what that leaves out"
        )
    controls = ", ".join(roles.controls) or "none"
    told.append(f"model: {roles.outcome} by {roles.treatment}, controls {controls}")
    return told
