"""A person's own table becomes a study: a folder under ``data`` with a commented study file to edit."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pandas as pd

from helpers.errors import StudyError
from helpers.reading.manifest import write_manifest
from helpers.reading.propose import Measure, Proposal, propose
from helpers.reading.units import Spellings, read_units
from helpers.study.study import list_studies, load_study

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
MOST_CONTROLS = 3
# A group of fewer entities has no regression of its own.
SMALLEST_GROUP = 5


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


@dataclass(frozen=True)
class Entities:
    """How the new study names its entities.

    Attributes
    ----------
    table
        The units file, its index the key.
    key
        Name of the key column.
    aliases, groupings
        Columns with other names of an entity, and columns that group entities.
    keys
        Spelling in the person's table -> key.
    known_from
        The study whose units file knows all of them, if one does.
    """

    table: pd.DataFrame
    key: str
    aliases: tuple[str, ...]
    groupings: tuple[str, ...]
    keys: dict[str, str]
    known_from: str | None


def adopt(path: Path, root: Path, name: str | None = None) -> Adopted:
    """Write a new study from a file or a folder of files.

    Parameters
    ----------
    path
        CSV, spreadsheet, Stata or Parquet; one row per entity and year, or entities down and years across.
    root
        The project's root.
    name
        Of the new study; from the file's name when None.

    Raises
    ------
    StudyError
        The table cannot be read, or there is a study of that name.
    """
    proposal = propose(path)
    if len(proposal.measures) < 2:
        raise StudyError(str(path), "it has one measure, a study needs two", "add a column, or a second file")
    folder = _free_folder(root, name or _snake(path.stem) or "adopted")
    names = _name_measures(proposal.measures, root)
    entities = _match_entities(proposal, root)
    aside = folder.with_name(f".{folder.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        _write_data(aside, proposal, names, entities, path.name)
        (aside / "study.yml").write_text(_study_text(folder.name, proposal, names, entities), encoding="utf-8")
        (aside / "claims.yml").write_text(_template("adopted_claims.yml"), encoding="utf-8")
        load_study(aside)
        write_manifest(aside)
        aside.replace(folder)
    except OSError as error:
        rule = f"the study cannot be written ({error.strerror})"
        raise StudyError(str(folder), rule, "make room, or permit writing there") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Adopted(folder, tuple(_tell(proposal, names, entities)))


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
    (folder / "study.yml").write_text(text, encoding="utf-8")
    return folder


def _free_folder(root: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise StudyError(f"--name {name}", "a study is named by lower-case letters, digits and _", "name it like_this")
    folder = root / "data" / name
    if folder.exists():
        raise StudyError(str(folder), "there is a study of that name", "choose another with --name")
    return folder


def _snake(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    word = re.sub(r"[^a-z0-9]+", "_", plain.casefold()).strip("_")[:50]
    return word if word[:1].isalpha() else ""


def _name_measures(measures: Sequence[Measure], root: Path) -> dict[str, str]:
    """Heading -> name: that of a study which has a statistic so called, else from the heading, else a number."""
    known = _known_statistics(root)
    names: dict[str, str] = {}
    for number, measure in enumerate(measures, start=1):
        name = known.get(_squeeze(measure.label)) or _snake(measure.label) or f"measure_{number}"
        while name in names.values() or name in {"entity", "year"}:
            name = f"{name}_{number}"
        names[measure.heading] = name
    return names


def _known_statistics(root: Path) -> dict[str, str]:
    """What the studies of the project call their statistics: label in either language -> name."""
    found: dict[str, str] = {}
    for study in list_studies(root):
        for name, column in load_study(root / "data" / study).columns.items():
            for label in (column.label.zh, column.label.en, (column.indicator or "").split("(")[0]):
                found.setdefault(_squeeze(label), name)
    found.pop("", None)
    return found


def _squeeze(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _match_entities(proposal: Proposal, root: Path) -> Entities:
    """The units file of a study that knows every entity, else one from the table itself."""
    written = [str(entity) for entity in proposal.figures.index.unique(0)]
    for name in list_studies(root):
        study = load_study(root / "data" / name)
        units = read_units(study.folder / study.entity.units, study.entity)
        spellings = Spellings.of(units, study.entity)
        keys = {text: key for text in written if (key := spellings.find(text)) is not None}
        if len(keys) == len(written) and len(set(keys.values())) == len(written):
            table = units.loc[[key for key in units.index if key in set(keys.values())]]
            groupings = tuple(dict.fromkeys(item.column for item in study.regions.values()))
            return Entities(table, study.entity.key, study.entity.aliases, groupings, keys, name)
    heads = {head: _snake(head) or f"attribute_{number}" for number, head in enumerate(proposal.attributes, start=1)}
    heads = {head: f"{word}_attribute" if word in {"entity", "year"} else word for head, word in heads.items()}
    table = proposal.units.rename(columns=heads).rename_axis("entity")
    columns = [str(name) for name in table]
    aliases = tuple(name for name in columns if table[name].is_unique and (table[name] != "").all())
    groupings = tuple(name for name in columns if name not in aliases)
    return Entities(table, "entity", aliases, groupings, {text: text for text in written}, None)


def _write_data(folder: Path, proposal: Proposal, names: dict[str, str], entities: Entities, source: str) -> None:
    (folder / "raw").mkdir(parents=True)
    figures = proposal.figures.rename(columns=names)
    rows = [
        [entities.keys[str(entity)], time, *("" if pd.isna(cell) else repr(float(cell)) for cell in cells)]
        for (entity, time), cells in zip(figures.index, figures.to_numpy().tolist(), strict=True)
    ]
    _write_csv(folder / "raw" / "figures.csv", [entities.key, "year", *figures.columns], rows)
    table = entities.table
    _write_csv(folder / "units.csv", [entities.key, *table.columns], ([key, *row] for key, *row in table.itertuples()))
    note = f"Adopted from {source}; not checked."
    book = [[names[item.heading], item.label, item.label, item.unit, "C", note] for item in proposal.measures]
    _write_csv(folder / "codebook.csv", ["statistic", "indicator_zh", "name_en", "unit", "grade", "note"], book)
    (folder / "SOURCES.md").write_text(
        f"# Sources\n\nAdopted from `{source}`. Write here who publishes the figures and on what terms.\n",
        encoding="utf-8",
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8")


def _quote(text: str) -> str:
    """A text in quotes; JSON is YAML, so that nothing in a heading can be taken for syntax."""
    return json.dumps(text, ensure_ascii=False)


def _label(text: str) -> str:
    """A label in both languages."""
    return f"{{en: {_quote(text)}, zh: {_quote(text)}}}"


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _usable(proposal: Proposal) -> list[Measure]:
    """Measures that change within entities, those with the fewest gaps first; the file's order among equals."""
    changing = proposal.figures.groupby(level=0).nunique().max() > 1
    gaps = proposal.figures.isna().sum()
    return sorted((m for m in proposal.measures if changing[m.heading]), key=lambda m: int(gaps[m.heading]))


def _study_text(name: str, proposal: Proposal, names: dict[str, str], entities: Entities) -> str:
    usable = [names[measure.heading] for measure in _usable(proposal)]
    if len(usable) < 2:
        raise StudyError(name, "fewer than two measures change over time", "a panel study needs two that do")
    outcome, treatment, *rest = usable
    controls = rest[:MOST_CONTROLS]
    times = sorted({int(time) for time in proposal.figures.index.get_level_values(1)})
    described = {names[m.heading]: f"unit: {_quote(m.unit)}, label: {_label(m.label)}" for m in proposal.measures}
    columns = "\n".join(f"  {key}: {{file: raw/figures.csv, {text}}}" for key, text in described.items())
    variables = "\n".join(f"  {key}: {{formula: {key}, {text}}}" for key, text in described.items())
    return Template(_template("adopted_study.yml")).substitute(
        name=name,
        key=entities.key,
        aliases=", ".join(entities.aliases),
        entity_label=_label(proposal.entity),
        first=times[0],
        last=times[-1],
        times=", ".join(map(str, times)),
        columns=columns,
        variables=variables,
        outcome=outcome,
        treatment=treatment,
        controls=", ".join(controls),
        regions=_regions_text(entities),
    )


def _regions_text(entities: Entities) -> str:
    blocks = []
    for column in entities.groupings:
        counts = entities.table[column].value_counts()
        groups = [str(value) for value in counts.index if value and counts[value] >= SMALLEST_GROUP]
        words = {value: _snake(value) or f"group_{number}" for number, value in enumerate(sorted(groups), start=1)}
        if len(groups) < 2 or len(set(words.values())) < len(words):
            continue
        others = [str(value) for value in counts.index if value not in groups]
        values = "\n".join(f"      {_quote(value)}: {word}" for value, word in words.items())
        labels = "\n".join(f"      {word}: {_label(value)}" for value, word in words.items())
        left = "\n".join(f"      {_quote(value)}: {_label('too few members')}" for value in others)
        left_out = f"    left_out:\n{left}\n" if others else ""
        blocks.append(
            f"  {column}:\n    column: {column}\n    order: [{', '.join(words.values())}]\n    values:\n{values}\n"
            f"{left_out}    labels:\n{labels}"
        )
    return "regions:\n" + "\n".join(blocks[:2]) if blocks else "regions: {}"


def _tell(proposal: Proposal, names: dict[str, str], entities: Entities) -> list[str]:
    times = proposal.figures.index.unique(1)
    told = [
        f"entities: column '{proposal.entity}', {len(entities.table)} of them"
        + (f", known from the study {entities.known_from}" if entities.known_from else ""),
        f"times: column '{proposal.time}', {len(times)} from {min(times)} to {max(times)}",
        "measures: " + ", ".join(f"{names[m.heading]} ('{m.heading}')" for m in proposal.measures),
    ]
    gaps = int(proposal.figures.isna().sum().sum())
    if gaps:
        told.append(f"gaps: {gaps} empty cells; rows that lack a figure which the model needs are dropped and counted")
    if proposal.ignored:
        told.append(f"not used: {', '.join(proposal.ignored)} (text that changes over time)")
    return told
