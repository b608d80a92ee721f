"""A file or folder of a person's own as one panel: its tables found, stacked, read for their roles, and joined.

Nothing is decided in silence: what was understood is told, what cannot be decided is asked, and a table that allows no
reading is refused for what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from helpers.errors import StudyError
from helpers.formats.decoding import Table, few
from helpers.formats.tables import read_tables
from helpers.reading.decimal_times import spell_times
from helpers.reading.numbers import Notation, UndecidedError
from helpers.reading.panels import describe_table, join_names, join_proposals, leave_out_totals
from helpers.reading.proposal import Known, Options, Proposal
from helpers.reading.roles import find_keys, is_numeric, pivot, turn_entities
from helpers.reading.shapes import Flat, flatten
from helpers.reading.times import find_kind, is_time_word, parse_heading

PAPERS = {".doc", ".docx", ".pdf", ".md", ".html", ".htm", ".png", ".jpg", ".jpeg", ".pptx", ".rtf"}
"""Endings of files that lie beside tables and are none."""


def propose(path: Path, options: Options | None = None, known: Known = lambda _: False) -> Proposal:
    """Read a file, or every file of a folder, and propose how.

    Parameters
    ----------
    path
        The file or folder.
    options
        What the person says.
    known
        Whether a name is that of a unit in one of the lists that the project brings; such a name is no total.

    Raises
    ------
    StudyError
        A table that cannot be read; the message says what it is and what to do.
    UndecidedError
        What the person must say.
    """
    options = options or Options()
    tables = _collect(path, options)
    try:
        return _read_tables(tables, options, known)
    except StudyError as error:
        sheets = [flat.name for _, flat in tables]
        if path.is_dir() or len(sheets) < 2 or options.sheet is not None or "--sheet" in error.remedy:
            raise
        remedy = f"say with --sheet which of them to read, where not all are of the study: {few(sheets)}"
        raise UndecidedError(error.where, error.rule, f"{remedy}; or {error.remedy}", "sheet", sheets) from None


def _read_tables(tables: list[tuple[str, Flat]], options: Options, known: Known) -> Proposal:
    """Tables stacked, read for their roles, and joined."""
    flats = _stack(tables, options, known)
    parts = [_read_part(flat, where, options, known) for where, flat in flats]
    proposal = parts[0] if len(parts) == 1 else join_proposals(parts, [flat.name for _, flat in flats])
    return leave_out_totals(join_names(proposal), options, known)


def _read_part(flat: Flat, where: str, options: Options, known: Known) -> Proposal:
    """Roles of the columns of one table, and its figures."""
    notation = Notation(options.missing, options.decimal, flat.semicolons, flat.typed)
    flat = replace(flat, columns={name: cells for name, cells in flat.columns.items() if any(cells)})
    numeric = {name for name, cells in flat.columns.items() if is_numeric(cells, notation)}
    flat, options = _join_keys(spell_times(flat, options.time), options)
    for given in (options.entity, options.time):
        if given is not None and given not in flat.columns and given != "columns":
            raise UndecidedError(
                where, f"there is no column '{given}'", f"columns are: {few(list(flat.columns))}", "entity"
            )
    flat, numeric = turn_entities(flat, numeric, options, known)
    keys = find_keys(flat, numeric, options, where)
    if keys.indicators or flat.melted:
        flat, keys = pivot(flat, keys, where)
        numeric = {name for name in flat.columns if name in keys.measures}
    return describe_table(flat, keys, numeric, notation, where)


def _join_keys(flat: Flat, options: Options) -> tuple[Flat, Options]:
    """An entity that several columns name together (``exporter + importer``) as one column."""
    parts = [part.strip() for part in (options.entity or "").split("+")]
    if len(parts) < 2 or options.entity in flat.columns or any(part not in flat.columns for part in parts):
        return flat, options
    name = " + ".join(parts)
    joined = [" - ".join(cells) for cells in zip(*(flat.columns[part] for part in parts), strict=True)]
    kept = {heading: cells for heading, cells in flat.columns.items() if heading not in parts}
    return replace(flat, columns={name: joined, **kept}), replace(options, entity=name)


def _collect(path: Path, options: Options) -> list[tuple[str, Flat]]:
    """Every table of the file or folder as columns, with its place."""
    inside = path.iterdir() if path.is_dir() else [path]
    files = sorted(item for item in inside if not path.is_dir() or (item.is_file() and item.name[0] not in ".~"))
    if not files:
        raise StudyError(str(path), "the folder holds no file", "put the tables there, one measure or more in each")
    found, aside = [], []
    for file in _without_papers(files) if path.is_dir() else files:
        tables = [table for table in read_tables(file, options.encoding, options.sheet) if table.rows]
        if options.sheet is not None:
            tables = _chosen(tables, options.sheet, file, options.encoding)
        for table in tables:
            where = f"{file}, sheet '{table.title}'" if len(tables) > 1 else str(file)
            name = table.title if len(tables) > 1 else file.stem
            try:
                found.append((where, flatten(table, where, name)))
            except StudyError as error:
                if len(tables) == 1:
                    raise
                aside.append(error)
        if not tables:
            raise StudyError(
                str(file), "it holds no table", "put one row of figures per entity and period below a header"
            )
    if not found:
        raise aside[0]
    if aside:
        where, flat = found[0]
        left = [error.where.split("sheet ")[-1] for error in aside]
        found[0] = (where, replace(flat, told=(*flat.told, f"sheets without figures, left aside: {few(left)}")))
    return found


def _without_papers(files: list[Path]) -> list[Path]:
    """The files of a folder without those that describe the others: metadata, letters, pictures."""
    kept = [
        file
        for file in files
        if file.suffix.casefold() not in PAPERS and not file.name.casefold().startswith(("metadata_", "readme"))
    ]
    return kept or files


def _chosen(tables: list[Table], sheets: tuple[str, ...], file: Path, encoding: str | None) -> list[Table]:
    found = {table.title for table in tables}
    for sheet in sheets:
        if sheet not in found:
            titles = [table.title for table in read_tables(file, encoding) if table.rows]
            listed = few([title or "the only one" for title in titles])
            raise UndecidedError(str(file), f"there is no sheet '{sheet}'", f"sheets are: {listed}", "sheet", titles)
    return [table for table in tables if table.title in sheets]


def _stack(flats: list[tuple[str, Flat]], options: Options, known: Known) -> list[tuple[str, Flat]]:
    """Tables below each other, those of each measure by themselves where every one is of a measure and a period."""
    if len(flats) < 2:
        return flats
    flats = [(where, _without_period(flat)) for where, flat in flats]
    groups: dict[str, list[tuple[str, Flat]]] = {}
    for where, flat in flats:
        groups.setdefault(_bare(flat.name, _period_in(flat.name) or ""), []).append((where, flat))
    if not 1 < len(groups) < len(flats) or any(not _is_of_period(flat) for _, flat in flats):
        return _stack_alike(flats, options, known)
    stacked = [(name, _stack_alike(group, options, known)) for name, group in groups.items()]
    return [(f"{where}, {name}", replace(flat, name=name)) for name, group in stacked for where, flat in group]


def _is_of_period(flat: Flat) -> bool:
    """Whether a table is of the one period that its name holds."""
    return _period_in(flat.name) is not None and not flat.melted and not _is_time(flat, Options())


def _without_period(flat: Flat) -> Flat:
    """The table with headings that leave out the period which its name has already."""
    if not _is_of_period(flat):
        return flat
    period = _period_in(flat.name) or ""
    bare = {heading: _bare(heading, period) or heading for heading in flat.columns}
    if len(set(bare.values())) < len(bare):
        return flat
    columns = {bare[heading]: cells for heading, cells in flat.columns.items()}
    labels, units = ({bare[key]: text for key, text in texts.items()} for texts in (flat.labels, flat.units))
    return replace(flat, columns=columns, labels=labels, units=units)


def _bare(text: str, period: str) -> str:
    """A name without the period in it."""
    found = re.sub(rf"[\s_.-]*(?<!\d){re.escape(period)}(?!\d)年?", "", text) if period else text
    return found.strip(" _.-")


def _stack_alike(flats: list[tuple[str, Flat]], options: Options, known: Known) -> list[tuple[str, Flat]]:
    """Tables with the same headings below each other: one per period or per entity by their names, or pieces of one."""
    if len(flats) < 2:
        return flats
    first = flats[0][1]
    same = all(set(flat.columns) == set(first.columns) and not flat.melted for _, flat in flats)
    if not same:
        return _stack_years(flats)
    names = [flat.name for _, flat in flats]
    times = [_period_in(name) for name in names]
    timed = options.time in first.columns or any(_is_time(flat, options) for _, flat in flats)
    added: list[list[str]] | None = None
    if not timed and all(times) and len(set(times)) == len(times):
        heading, added = "year", [[str(time)] * flat.rows for time, (_, flat) in zip(times, flats, strict=True)]
    elif timed and all(_is_single(flat, options) for _, flat in flats):
        if options.entity == "columns" or 2 * sum(map(known, first.columns)) > len(first.columns):
            return flats
        heading, added = "entity", [[flat.name] * flat.rows for _, flat in flats]
    elif not timed:
        return flats
    columns = {key: [cell for _, flat in flats for cell in flat.columns[key]] for key in first.columns}
    if added is not None:
        columns = {heading: [cell for part in added for cell in part], **columns}
    lines = [line for _, flat in flats for line in flat.lines]
    told = f"layout: {len(flats)} tables with the same headings, one below the other"
    if added is not None and heading == "entity":
        told = f"layout: {len(flats)} tables of one entity each (where the columns are the entities: --entity columns)"
    where = flats[0][0].split(", sheet")[0] if ", sheet" in flats[0][0] else str(Path(flats[0][0]).parent)
    return [(where, replace(first, columns=columns, lines=lines, name=Path(where).stem, told=(*first.told, told)))]


def _stack_years(flats: list[tuple[str, Flat]]) -> list[tuple[str, Flat]]:
    """Tables of one period each whose headings differ in part, one below the other, with gaps where one is absent."""
    times = [_period_in(flat.name) for _, flat in flats]
    untimed = not any(flat.melted or _is_time(flat, Options()) for _, flat in flats)
    if not all(times) or len(set(times)) < len(times) or not untimed:
        return flats
    headings = list(dict.fromkeys(key for _, flat in flats for key in flat.columns))
    wide = [
        (where, replace(flat, columns={key: flat.columns.get(key, [""] * flat.rows) for key in headings}))
        for where, flat in flats
    ]
    return _stack_alike(wide, Options(), lambda _: False)


def _period_in(name: str) -> str | None:
    """The one period that the name of a sheet or file holds."""
    if parse_heading(name):
        return name
    found = re.findall(r"(?<!\d)((?:19|20)\d{2}(?:[-_ ]?[Qq][1-4])?)(?!\d)", name)
    return found[0] if len(found) == 1 else None


def _is_time(flat: Flat, options: Options) -> bool:
    return any(name == options.time or _is_time_column(name, cells) for name, cells in flat.columns.items())


def _is_time_column(name: str, cells: Sequence[str]) -> bool:
    return len(set(cells)) > 1 and find_kind(cells, name) is not None and (is_time_word(name) or not name)


def _is_single(flat: Flat, options: Options) -> bool:
    """Whether a table holds one entity: each period stands in it once, and nothing names entities."""
    time = next(
        (name for name, cells in flat.columns.items() if name == options.time or _is_time_column(name, cells)), ""
    )
    texts = [name for name, cells in flat.columns.items() if name != time and not is_numeric(cells, Notation())]
    return bool(time) and len(set(flat.columns[time])) == flat.rows and not texts
