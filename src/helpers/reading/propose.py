"""What a person's own table may mean: which column names the entities, which the periods, which are measures.

Nothing is decided in silence: what was understood is told, what cannot be decided is asked, and a table that allows no
reading is refused for what it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.reading.decoding import shorten
from helpers.reading.formats import read_tables
from helpers.reading.names import find_sums, is_total, join_spellings, near_misses, only_in_one
from helpers.reading.numbers import MOST_LISTED, Cells, Notation, Undecided, looks_like_figure, read_columns
from helpers.reading.shapes import INDICATOR_WORDS, UNIT_WORDS, VALUE, Flat, flatten
from helpers.reading.times import Times, find_kind, is_time_word, join_parts, parse_heading, read_times
from helpers.reading.units import normalise_name
from helpers.study.periods import Kind, show_period

# Share of the cells of a column that must look like numbers for it to be taken for a measure.
MOSTLY = 0.5
MOST_MEASURES = 400
MOST_GROUPS = 10
LONGEST_NAME = 120
_UNIT = re.compile(r"^(?P<name>.*?)\s*[(（\[](?P<unit>[^()（）\[\]]+)[)）\]]\s*$")
_RISKY = re.compile(r"^[=+\-@]|[<>\x00-\x1f]")
_ENTITY_WORDS = (
    *("地区", "省", "市", "县", "区", "国", "企业", "公司", "股票", "证券", "银行", "学校", "医院", "名称", "单位名"),
    *("name", "country", "region", "province", "city", "county", "firm", "company", "bank", "school", "hospital", "state"),
    *("unit", "entity", "geo", "area", "location", "district", "code", "iso", "id", "stkcd", "symbol", "gvkey", "permno"),
)
_CODE = re.compile(r"code|iso|(^|[_\W])id($|[_\W])|id$|^id|stkcd|symbol|代码|编码|编号|序号|gvkey|permno", re.IGNORECASE)
_FLAG = re.compile(r"flag|footnote|status|note|comment|备注|注释", re.IGNORECASE)
_SAYS_NOTHING = re.compile(r"(data|export|table|sheet|book|panel|工作表|数据|download)?[\W\d_]*", re.IGNORECASE)


@dataclass(frozen=True)
class Options:
    """What the person says about a table; None for what the table shows.

    Attributes
    ----------
    entity, time
        Headings of the columns of entities and periods; ``columns`` for entities that stand side by side.
    missing, decimal
        As in `helpers.reading.numbers.Notation`.
    sheet
        Titles of the worksheets to read, others are left aside.
    units
        A list of units by whose names and codes the entities are known; ``own`` for the names as they stand.
    outcome, treatment, controls
        Headings of the measures of the model.
    claim
        What is claimed: that the treatment ``raises`` or ``lowers`` the outcome, or ``moves`` it either way.
    """

    entity: str | None = None
    time: str | None = None
    missing: tuple[str, ...] | None = None
    decimal: str | None = None
    sheet: tuple[str, ...] | None = None
    units: str | None = None
    outcome: str | None = None
    treatment: str | None = None
    controls: tuple[str, ...] | None = None
    claim: str | None = None


@dataclass(frozen=True)
class Measure:
    """A column of figures.

    Attributes
    ----------
    heading
        As the file writes it.
    label, unit
        What it stands for: its label in the file, else the heading without its unit; and the unit.
    """

    heading: str
    label: str
    unit: str


@dataclass(frozen=True)
class Proposal:
    """How a table is read.

    Attributes
    ----------
    entity, time
        Headings of the columns of entities and periods.
    kind
        What a period is.
    measures
        Columns of figures, in the order of the file.
    figures
        One row per entity and period: float measures, indexed by (entity, number of the period).
    units
        Attributes of each entity (text that is constant within it), indexed by entity.
    ignored
        Headings of columns that are none of these.
    left_out
        Names of totals, which are no entities.
    told
        What was understood, one line each.
    """

    entity: str
    time: str
    kind: Kind
    measures: tuple[Measure, ...]
    figures: pd.DataFrame
    units: pd.DataFrame
    ignored: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    told: tuple[str, ...] = field(default=())

    @property
    def attributes(self) -> tuple[str, ...]:
        """Headings of columns of text that are constant within an entity."""
        return tuple(map(str, self.units))


Known = Callable[[str], bool]


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
    Undecided
        What the person must say.
    """
    options = options or Options()
    flats = _collect(path, options)
    parts = [_read_part(flat, where, options, known) for where, flat in _stack(flats, options)]
    proposal = parts[0] if len(parts) == 1 else _join(parts, [flat.name for _, flat in flats])
    return _without_totals(_one_spelling(proposal), options, known)


def _collect(path: Path, options: Options) -> list[tuple[str, Flat]]:
    """Every table of the file or folder as columns, with its place."""
    inside = path.iterdir() if path.is_dir() else [path]
    files = sorted(item for item in inside if not path.is_dir() or (item.is_file() and item.name[0] not in ".~"))
    if not files:
        raise StudyError(str(path), "the folder holds no file", "put the tables there, one measure or more in each")
    found, aside = [], []
    for file in files:
        if path.is_dir() and file.name.casefold().startswith("metadata_"):
            continue
        tables = [table for table in read_tables(file) if table.rows]
        if options.sheet is not None:
            tables = _chosen(tables, options.sheet, file)
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
            raise StudyError(str(file), "it holds no table", "put one row of figures per entity and period below a header")
    if not found:
        raise aside[0]
    if aside and len(found) > 0:
        where, flat = found[0]
        left = [error.where.split("sheet ")[-1] for error in aside]
        found[0] = (where, replace(flat, told=(*flat.told, f"sheets without figures, left aside: {_few(left)}")))
    return found


def _chosen(tables: list, sheets: tuple[str, ...], file: Path) -> list:
    titles = [table.title for table in tables]
    for sheet in sheets:
        if sheet not in titles:
            listed = _few([title or "the only one" for title in titles])
            raise Undecided(str(file), f"there is no sheet '{sheet}'", f"sheets are: {listed}", "sheet", titles)
    return [table for table in tables if table.title in sheets]


def _stack(flats: list[tuple[str, Flat]], options: Options) -> list[tuple[str, Flat]]:
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
        heading, added = "entity", [[flat.name] * flat.rows for _, flat in flats]
    elif not timed:
        return flats
    columns = {key: [cell for _, flat in flats for cell in flat.columns[key]] for key in first.columns}
    if added is not None:
        columns = {heading: [cell for part in added for cell in part], **columns}
    lines = [line for _, flat in flats for line in flat.lines]
    told = f"layout: {len(flats)} tables with the same headings, one below the other"
    where = flats[0][0].split(", sheet")[0] if ", sheet" in flats[0][0] else str(Path(flats[0][0]).parent)
    return [(where, replace(first, columns=columns, lines=lines, name=Path(where).stem, told=(*first.told, told)))]


def _stack_years(flats: list[tuple[str, Flat]]) -> list[tuple[str, Flat]]:
    """Tables of one period each whose headings differ in part: all of them below each other, gaps where one is absent."""
    times = [_period_in(flat.name) for _, flat in flats]
    untimed = not any(flat.melted or _is_time(flat, Options()) for _, flat in flats)
    if not all(times) or len(set(times)) < len(times) or not untimed:
        return flats
    headings = list(dict.fromkeys(key for _, flat in flats for key in flat.columns))
    wide = [
        (where, replace(flat, columns={key: flat.columns.get(key, [""] * flat.rows) for key in headings}))
        for where, flat in flats
    ]
    return _stack(wide, Options())


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
    time = next((name for name, cells in flat.columns.items() if name == options.time or _is_time_column(name, cells)), "")
    texts = [name for name, cells in flat.columns.items() if name != time and not _is_numeric(cells, Notation())]
    return bool(time) and len(set(flat.columns[time])) == flat.rows and not texts


def _read_part(flat: Flat, where: str, options: Options, known: Known) -> Proposal:
    """Roles of the columns of one table, and its figures."""
    notation = Notation(options.missing, options.decimal, flat.semicolons, flat.typed)
    flat = replace(flat, columns={name: cells for name, cells in flat.columns.items() if any(cells)})
    numeric = {name for name, cells in flat.columns.items() if _is_numeric(cells, notation)}
    for given in (options.entity, options.time):
        if given is not None and given not in flat.columns and given != "columns":
            raise Undecided(where, f"there is no column '{given}'", f"columns are: {_few(list(flat.columns))}", "entity")
    flat, numeric = _across_entities(flat, numeric, options, known, where)
    keys = _find_keys(flat, numeric, options, where)
    if keys.indicators or flat.melted:
        flat, keys = _pivot(flat, keys, where)
        numeric = {name for name in flat.columns if name in keys.measures}
    return _describe(flat, keys, numeric, notation, where)


@dataclass(frozen=True)
class Keys:
    """The columns that tell the rows of a table apart.

    Attributes
    ----------
    entity, time
        Headings.
    times
        The periods, one per row.
    indicators
        Headings of the columns that say what a figure is; empty where every measure has its column.
    measures
        Headings of measures after pivoting.
    """

    entity: str
    time: str
    times: Times
    indicators: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()


def _find_keys(flat: Flat, numeric: set[str], options: Options, where: str) -> Keys:
    """Entity and time such that each pair stands once; else with what says which measure a row is of."""
    places = [f"line {line}" for line in flat.lines]
    times = _find_times(flat, numeric, options, where, places)
    entities = _entity_columns(flat, numeric, {name for name, _ in times}, options)
    best: list[tuple[int, int, str, str, Times]] = []
    for heading, read in times:
        for rank, entity in enumerate(entities):
            cells = flat.columns[entity]
            if entity not in heading.split(" + ") and len(set(zip(cells, read.codes, strict=True))) == flat.rows:
                best.append((len(set(cells)), rank, entity, heading, read))
        if best:
            break
    usable = [item for item in best if item[0] < flat.rows or options.entity]
    if usable and not (flat.melted and _indicator_columns(flat, numeric) and usable[0][0] * len(set(times[0][1].codes)) > flat.rows):
        _, _, entity, heading, read = min(usable, key=lambda item: item[:2])
        if not flat.melted or _is_entity_name(entity, flat):
            return Keys(entity, heading, read)
    long = _find_long(flat, numeric, times, entities, options)
    if long is not None:
        return long
    raise _explain_keys(flat, times, entities, best, options, where, places)


def _find_times(
    flat: Flat, numeric: set[str], options: Options, where: str, places: list[str]
) -> list[tuple[str, Times]]:
    """Columns of periods, those that say so first; a column of years with one of their parts before it alone."""
    if options.time is not None:
        return [(options.time, read_times(flat.columns[options.time], options.time, places, where))]
    found = [name for name, cells in flat.columns.items() if len(set(cells)) > 1 and find_kind(cells, name) is not None]
    found.sort(key=lambda name: not is_time_word(name))
    worded = [name for name in found if is_time_word(name)]
    found = worded or found
    times = []
    for name in found:
        for other, cells in flat.columns.items():
            if other != name and is_time_word(other):
                joined = join_parts(flat.columns[name], cells)
                if joined is not None:
                    times.append((f"{name} + {other}", joined))
    times += [(name, read_times(flat.columns[name], name, places, where)) for name in found]
    if not times:
        raise _no_times(flat, numeric, where)
    # The finest first: a row per quarter has a year too, and the year does not tell the rows apart.
    return sorted(times, key=lambda item: item[1].kind in ("period",))


def _no_times(flat: Flat, numeric: set[str], where: str) -> StudyError:
    texts = [name for name in flat.columns if name not in numeric]
    if texts and any(len(set(flat.columns[name])) == flat.rows for name in texts):
        return StudyError(
            where,
            f"every row is another {texts[0]}, and nothing says which period the figures are of: one period alone is no "
            "panel",
            "add a column with the period, or put the tables of several periods into a folder, with the year in the name "
            "of each file",
        )
    return Undecided(
        where,
        "no column holds periods (2021, 2021Q1, 2021-01, 2020/21, 2021-12-31 or numbered waves)",
        f"say with --time which column does, or add one; columns are: {_few(list(flat.columns))}",
        "time",
        list(flat.columns),
    )


def _entity_columns(flat: Flat, numeric: set[str], times: set[str], options: Options) -> list[str]:
    """Columns that may name entities: texts, then codes, then whole numbers that repeat."""
    if options.entity is not None and options.entity != "columns":
        return [options.entity]
    taken = {part for time in times for part in (time, *time.split(" + "))}
    names = [name for name in flat.columns if name not in taken]
    texts = [name for name in names if name not in numeric and _filled(flat.columns[name]) and not _FLAG.search(name)]
    texts.sort(key=lambda name: (bool(_CODE.search(name)),))
    whole = [name for name in names if name in numeric and all(cell.isdigit() for cell in flat.columns[name])]
    codes = [name for name in whole if any(word in name.casefold() for word in _ENTITY_WORDS)]
    rest = [name for name in whole if name not in codes and len(set(flat.columns[name])) * 2 <= flat.rows]
    return texts + codes + rest


def _filled(cells: Sequence[str]) -> bool:
    return sum(map(bool, cells)) >= 0.9 * len(cells)


def _is_entity_name(heading: str, flat: Flat) -> bool:
    return heading not in _indicator_columns(flat, set())


def _indicator_columns(flat: Flat, numeric: set[str]) -> list[str]:
    """Columns whose heading says that they name measures, those with names before those with codes."""
    words = {name: re.sub(r"[\s_]+", "", name.casefold()) for name in flat.columns if name not in numeric}
    found = [name for word in INDICATOR_WORDS for name, plain in words.items() if plain == word]
    found += [name for word in INDICATOR_WORDS for name, plain in words.items() if word in plain and name not in found]
    return list(dict.fromkeys(name for name in found if len(set(flat.columns[name])) > 0 and not _FLAG.search(name)))


def _find_long(
    flat: Flat, numeric: set[str], times: list[tuple[str, Times]], entities: list[str], options: Options
) -> Keys | None:
    """Keys of a table with one figure in a row: entity, period and what says which measure it is."""
    named = _indicator_columns(flat, numeric)
    values = [name for name in numeric if name in (VALUE, "Value", "VALUE", "OBS_VALUE", "obs_value", "数值", "值", "取值")]
    if not values and len([name for name in numeric if name not in entities]) != 1:
        return None
    texts = [name for name in flat.columns if name not in numeric and not _FLAG.search(name)]
    heading, read = times[0]
    taken = set(heading.split(" + "))
    by_word = [n for n in entities if n not in named and any(word in n.casefold() for word in _ENTITY_WORDS)]
    candidates = [options.entity] if options.entity else [*by_word, *(n for n in entities if n not in named)]
    for entity in dict.fromkeys(candidates):
        others = [n for n in [*named, *texts] if n not in (entity, *taken)]
        chosen: list[str] = []
        keys = list(zip(flat.columns[entity], read.codes, strict=True))
        for name in dict.fromkeys(others):
            if len(set(keys)) == flat.rows:
                break
            finer = [(*key, cell) for key, cell in zip(keys, flat.columns[name], strict=True)]
            if len(set(finer)) > len(set(keys)) and len(set(flat.columns[name])) <= MOST_MEASURES:
                keys, chosen = finer, [*chosen, name]
        if chosen and len(set(keys)) == flat.rows:
            return Keys(entity, heading, read, tuple(chosen))
        if flat.melted and len(set(keys)) == flat.rows:
            return Keys(entity, heading, read)
    return None


def _pivot(flat: Flat, keys: Keys, where: str) -> tuple[Flat, Keys]:
    """One row per entity and period, one column per measure."""
    names = {"Value", "VALUE", "OBS_VALUE", "obs_value", "数值", "值", "取值"}
    taken = {keys.entity, *keys.time.split(" + "), *keys.indicators}
    value = VALUE if flat.melted else next((n for n in flat.columns if n in names), "")
    value = value or next(n for n, cells in flat.columns.items() if n not in taken and _is_numeric(cells, Notation()))
    if keys.indicators:
        words = [", ".join(part for part in row if part) for row in zip(*(flat.columns[n] for n in keys.indicators), strict=True)]
    else:
        words = [_name_measure(flat)] * flat.rows
    measures = list(dict.fromkeys(words))
    if len(measures) > MOST_MEASURES:
        raise StudyError(where, f"it holds {len(measures)} measures", f"keep at most {MOST_MEASURES} of them")
    rows: dict[tuple[str, int], int] = {}
    cells: dict[str, dict[int, str]] = {name: {} for name in measures}
    for place, key in enumerate(zip(flat.columns[keys.entity], keys.times.codes, strict=True)):
        cells[words[place]][rows.setdefault(key, place)] = flat.columns[value][place]
    kept = sorted(rows.values())
    unit = next((n for n in flat.columns if re.sub(r"\W", "", n.casefold()) in UNIT_WORDS and n not in taken), None)
    units = {words[n]: flat.columns[unit][n] for n in range(flat.rows)} if unit else {}
    # What differs between the measures of one entity and period describes the measure, not the entity.
    groups = pd.Series(list(zip(flat.columns[keys.entity], strict=True)))
    others = [
        name
        for name, column in flat.columns.items()
        if name not in {*taken, value, unit} and (pd.Series(column).groupby(groups).nunique() <= 1).all()
    ]
    columns = {name: [flat.columns[name][n] for n in kept] for name in [keys.entity, *others]}
    columns |= {name: [cells[name].get(n, "") for n in kept] for name in measures}
    told = () if len(measures) == 1 else (f"layout: {len(measures)} measures below each other, in {_few(list(keys.indicators))}",)
    pivoted = replace(
        flat, columns=columns, lines=[flat.lines[n] for n in kept], units=units, melted=False, told=(*flat.told, *told)
    )
    times = keys.times._replace(codes=[keys.times.codes[n] for n in kept])
    return pivoted, replace(keys, times=times, measures=tuple(measures))


def _name_measure(flat: Flat) -> str:
    """What the only measure of a table is called: by its indicator line, its sheet or its file."""
    stated = next((text for word, text in flat.stated.items() if word.casefold() in ("指标", "indicator", "series")), None)
    return stated or flat.name


def _across_entities(
    flat: Flat, numeric: set[str], options: Options, known: Known, where: str
) -> tuple[Flat, set[str]]:
    """Entities side by side, periods down: turned into one row per entity and period."""
    times = [name for name, cells in flat.columns.items() if is_time_word(name) and find_kind(cells, name)]
    times = [options.time] if options.time else times or [n for n, c in flat.columns.items() if find_kind(c, n)][:1]
    others = [name for name in flat.columns if name not in times]
    if flat.melted or len(times) != 1 or len(set(flat.columns[times[0]])) < flat.rows:
        return flat, numeric
    names = [name for name in others if name in numeric]
    asked = options.entity == "columns"
    if not asked and (len(names) < 2 or sum(map(known, names)) * 2 < len(names) or len(names) < len(others)):
        return flat, numeric
    time = flat.columns[times[0]]
    columns = {
        "entity": [name for name in names for _ in time],
        times[0]: time * len(names),
        VALUE: [cell for name in names for cell in flat.columns[name]],
    }
    told = (*flat.told, f"layout: {len(names)} entities side by side")
    return replace(flat, columns=columns, lines=flat.lines * len(names), melted=True, told=told), {VALUE}


def _explain_keys(
    flat: Flat,
    times: list[tuple[str, Times]],
    entities: list[str],
    best: list[tuple[int, int, str, str, Times]],
    options: Options,
    where: str,
    places: list[str],
) -> StudyError:
    heading, read = times[0]
    if not entities:
        if len(set(read.codes)) == flat.rows:
            rule = f"every row is another {heading}: its columns are measures of one entity, or one measure of several"
            remedy = "a study needs several entities; where the columns are entities, say --entity columns"
            return Undecided(where, rule, remedy, "entity", ["columns"])
        remedy = f"say with --entity which column does, or add one; columns are: {_few(list(flat.columns))}"
        return Undecided(where, "no column names the entities", remedy, "entity", list(flat.columns))
    if best:
        rule = f"every {best[0][2]} stands in one row: one period each is no panel"
        return StudyError(where, rule, "add the rows of other periods, or say with --entity which column repeats")
    entity = entities[0]
    seen: dict[tuple[str, int], int] = {}
    for number, key in enumerate(zip(flat.columns[entity], read.codes, strict=True)):
        if key in seen:
            break
        seen[key] = number
    first, second = seen[key], number
    differ = [name for name, cells in flat.columns.items() if cells[first] != cells[second]]
    rule = f"{shorten(key[0])}, {show_period(key[1], read.kind)} stands twice ({places[first]} and {places[second]})"
    if not differ:
        return StudyError(f"{where}, {places[second]}", f"{rule}, the same row again", "take one of the two rows out")
    return Undecided(
        where,
        f"{rule}; the two rows differ in {_few(differ)}",
        "say with --entity and --time which columns tell the rows apart; where the rows are parts of one entity, the "
        "column that names the part belongs to its name",
        "entity",
        list(flat.columns),
    )


def _describe(flat: Flat, keys: Keys, numeric: set[str], notation: Notation, where: str) -> Proposal:
    """Figures, attributes and what was understood."""
    entities = [_check_name(name, line, where) for name, line in zip(flat.columns[keys.entity], flat.lines, strict=True)]
    taken = {keys.entity, *keys.time.split(" + ")}
    groups = _group_codes(flat, numeric - taken, entities)
    names = [name for name in flat.columns if name in numeric and name not in taken and name not in groups]
    names = [name for name in names if not (is_time_word(name) and find_kind(flat.columns[name], name))]
    if not names:
        raise StudyError(where, "no column holds figures", "the study needs two measures, numbers in each row")
    places = [f"line {line}, {name}" for line, name in zip(flat.lines, entities, strict=True)]
    read = read_columns({name: Cells(places, flat.columns[name]) for name in names}, notation, where)
    index = pd.MultiIndex.from_arrays([pd.Index(entities, dtype=object), keys.times.codes], names=["entity", "time"])
    figures = pd.DataFrame(read.columns, index=index)
    attributes = _attributes(flat.columns, entities, {*taken, *names})
    measures = tuple(_measure(name, flat, read.units) for name in names)
    ignored = tuple(name for name in flat.columns if name not in {*taken, *names, *map(str, attributes)})
    told = (*flat.told, *filter(None, [keys.times.told]), *read.told)
    return Proposal(keys.entity, keys.time, keys.times.kind, measures, figures, attributes, ignored, (), told)


def _group_codes(flat: Flat, numeric: set[str], entities: list[str]) -> set[str]:
    """Columns of a few whole numbers that never change within an entity: codes of groups, and no measures."""
    found = set()
    index = pd.Series(entities)
    for name in numeric:
        cells = flat.columns[name]
        values = set(cells)
        if 2 <= len(values) <= MOST_GROUPS and all(cell.isdigit() for cell in values):
            by_entity = pd.Series(cells).groupby(index)
            if (by_entity.nunique() == 1).all() and by_entity.first().value_counts().min() > 1:
                found.add(name)
    return found


def _attributes(columns: dict[str, list[str]], entities: list[str], taken: set[str]) -> pd.DataFrame:
    """Columns of text that do not change within an entity."""
    others = [name for name in columns if name not in taken]
    index = pd.Index(entities, name="entity", dtype=object)
    frame = pd.DataFrame({name: columns[name] for name in others}, index=index)
    grouped = frame.groupby(level=0)
    constant = [name for name in others if (grouped[name].nunique() <= 1).all()]
    return grouped[constant].first() if constant else pd.DataFrame(index=index.unique().sort_values())


def _measure(heading: str, flat: Flat, units: dict[str, str]) -> Measure:
    text = flat.labels.get(heading, heading)
    match = _UNIT.match(text)
    label, unit = (match["name"], match["unit"]) if match and match["name"] else (text, "")
    return Measure(heading, label, flat.units.get(heading) or unit or units.get(heading, ""))


def _join(parts: list[Proposal], names: list[str]) -> Proposal:
    """Measures of several tables side by side."""
    kinds = Counter(part.kind for part in parts)
    if len(kinds) > 1:
        told = "; ".join(f"{name}: {part.kind.replace('_', ' ')}s" for name, part in zip(names, parts, strict=True))
        raise StudyError(names[0], f"the tables are of different periods ({told})", "bring them to one kind of period")
    owners = Counter(measure.heading for part in parts for measure in part.measures)
    renamed = []
    for name, part in zip(names, parts, strict=True):
        new = {m.heading: f"{m.heading} ({name})" if owners[m.heading] > 1 else m.heading for m in part.measures}
        measures = tuple(replace(m, heading=new[m.heading], label=m.label if owners[m.heading] == 1 else f"{m.label} ({name})") for m in part.measures)
        renamed.append(replace(part, figures=part.figures.rename(columns=new), measures=measures))
    spellings = [name for part in renamed for name in dict.fromkeys(part.figures.index.get_level_values(0))]
    chosen, joined = join_spellings(spellings, [None] * len(spellings))
    chosen = {name: min((n for n in spellings if normalise_name(n) == normalise_name(name)), key=spellings.index) for name in chosen}
    parts = [_rename(part, chosen) for part in renamed]
    figures = pd.concat([part.figures for part in parts], axis=1).sort_index()
    units = pd.concat([part.units for part in parts], axis=1)
    units = units.loc[:, ~units.columns.duplicated()].reindex(figures.index.unique(0)).fillna("")
    told = [line for part in parts for line in part.told]
    told += [f"spellings of one name: {_few([' = '.join(group) for group in joined])}"] if joined else []
    told += _tell_alone({name: set(part.figures.index.unique(0)) for name, part in zip(names, parts, strict=True)})
    first = parts[0]
    return Proposal(
        first.entity,
        first.time,
        first.kind,
        tuple(measure for part in parts for measure in part.measures),
        figures,
        units,
        tuple(name for part in parts for name in part.ignored),
        (),
        tuple(dict.fromkeys(told)),
    )


def _tell_alone(names: dict[str, set[str]]) -> list[str]:
    """The names that stand in one table only, and those among them that may be one."""
    alone = only_in_one(names)
    if not alone:
        return []
    every = {name for part in names.values() for name in part}
    count = sum(map(len, alone.values()))
    told = [f"{count} of {len(every)} names stand in one table only: " + "; ".join(f"{part}: {_few(few)}" for part, few in alone.items())]
    pairs = []
    parts = list(alone.items())
    for place, (_, first) in enumerate(parts):
        for _, second in parts[place + 1 :]:
            pairs += [f"{one} / {other}" for one, other in near_misses(first, second).items()]
    return [*told, f"perhaps one and the same: {_few(pairs)}; write them alike in both tables"] if pairs else told


def _rename(part: Proposal, chosen: dict[str, str]) -> Proposal:
    names = part.figures.index.get_level_values(0)
    index = pd.MultiIndex.from_arrays(
        [pd.Index([chosen.get(n, n) for n in names], dtype=object), part.figures.index.get_level_values(1)],
        names=["entity", "time"],
    )
    units = part.units.rename(index=chosen)
    return replace(part, figures=part.figures.set_axis(index), units=units[~units.index.duplicated()])


def _one_spelling(proposal: Proposal) -> Proposal:
    """Spellings that differ in form alone become one name; a row that then stands twice is refused."""
    names = list(proposal.figures.index.get_level_values(0))
    times = list(proposal.figures.index.get_level_values(1))
    chosen, joined = join_spellings(names, times)
    told = proposal.told
    if joined:
        shown = [" = ".join(f"'{name}'" for name in group) for group in joined]
        told = (*told, f"names that differ in form alone are one: {_few(shown)}")
    if any(name != word for name, word in chosen.items()):
        units = _merge_attributes(proposal.units, chosen)
        proposal = _rename(replace(proposal, units=proposal.units.iloc[:, :0]), chosen)
        proposal = replace(proposal, units=units.reindex(proposal.figures.index.unique(0)).fillna(""))
    twice = proposal.figures.index[proposal.figures.index.duplicated()]
    if len(twice):
        entity, time = twice[0]
        rule = f"{entity}, {show_period(time, proposal.kind)} stands twice under spellings that differ in form alone"
        raise StudyError(f"column {proposal.entity}", rule, "write the names apart, or take one of the rows out")
    return replace(proposal, figures=proposal.figures.sort_index(), told=told)


def _merge_attributes(units: pd.DataFrame, chosen: dict[str, str]) -> pd.DataFrame:
    """Attributes by the new names; those that the spellings disagree on are dropped."""
    grouped = units.groupby(lambda name: chosen.get(name, name))
    constant = [name for name in units if (grouped[name].nunique() <= 1).all()]
    return grouped[constant].first() if constant else pd.DataFrame(index=units.index.map(lambda n: chosen.get(n, n)).unique())


def _without_totals(proposal: Proposal, options: Options, known: Known) -> Proposal:
    """Leave out the rows of totals, which are no entities."""
    if options.units == "own":
        return proposal
    names = [str(name) for name in proposal.figures.index.unique(0)]
    named = [name for name in names if is_total(name) and not known(name)]
    if 2 * len(named) > len(names):
        named = []  # a panel of country groups is one of units
    kept = proposal.figures[~proposal.figures.index.get_level_values(0).isin(named)]
    summed = [name for name in find_sums(kept) if not known(name)]
    left = [*named, *(summed if len(summed) == 1 else [])]
    if not left or len(names) - len(left) < 2:
        return proposal
    figures = proposal.figures[~proposal.figures.index.get_level_values(0).isin(left)]
    why = f"left out, since they are totals or means and no units: {_few(left)} (--units own keeps every row)"
    units = proposal.units.reindex(figures.index.unique(0))
    return replace(proposal, figures=figures, units=units, left_out=tuple(left), told=(*proposal.told, why))


def _is_numeric(cells: Sequence[str], notation: Notation) -> bool:
    filled = [cell for cell in cells if cell and not notation.is_missing(cell)]
    return bool(filled) and sum(looks_like_figure(cell, notation) for cell in filled) >= MOSTLY * len(filled)


def _check_name(name: str, line: int, where: str) -> str:
    if not name or _RISKY.search(name) or len(name) > LONGEST_NAME:
        rule = f"'{name[:40]}' is not a name" if name else "the entity's name is empty"
        raise StudyError(f"{where}, line {line}", rule, "write a name of letters, digits, blanks and dots")
    return name


def _few(items: Sequence[str]) -> str:
    """At most ten of a thing."""
    more = f" and {len(items) - MOST_LISTED} more" if len(items) > MOST_LISTED else ""
    return ", ".join(map(str, items[:MOST_LISTED])) + more
