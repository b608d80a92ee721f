"""Which columns of a table name entities, periods and measures; a table with one figure in a row becomes a wide one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from helpers.errors import StudyError
from helpers.formats.decoding import few, shorten
from helpers.reading.numbers import Notation, UndecidedError, looks_like_figure
from helpers.reading.proposal import Known, Options
from helpers.reading.shapes import INDICATOR_WORDS, UNIT_WORDS, VALUE, Flat
from helpers.reading.times import Times, find_kind, is_time_word, join_parts, read_times
from helpers.study.periods import show_period

MOSTLY = 0.5
MOST_MEASURES = 400
_ENTITY_WORDS = (
    *("地区", "省", "市", "县", "区", "国", "企业", "公司", "股票", "证券", "银行", "学校", "医院", "名称", "单位名"),
    *(
        "name",
        "country",
        "region",
        "province",
        "city",
        "county",
        "firm",
        "company",
        "bank",
        "school",
        "hospital",
        "state",
    ),
    *(
        "unit",
        "entity",
        "geo",
        "area",
        "location",
        "district",
        "code",
        "iso",
        "id",
        "stkcd",
        "symbol",
        "gvkey",
        "permno",
    ),
)
_CODE = re.compile(
    r"code|iso|(^|[_\W])id($|[_\W])|id$|^id|stkcd|symbol|代码|编码|编号|序号|gvkey|permno", re.IGNORECASE
)
_ROW_NUMBER = re.compile(r"(row[\s._]*names?|unnamed: 0|x|index|\.\.\.1)?", re.IGNORECASE)
_FLAG = re.compile(r"flag|footnote|status|note|comment|备注|注释", re.IGNORECASE)


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


def find_keys(flat: Flat, numeric: set[str], options: Options, where: str) -> Keys:
    """Entity and time such that each pair stands once; else with what says which measure a row is of."""
    places = [f"line {line}" for line in flat.lines]
    times = _find_times(flat, numeric, options, where, places)
    entities = _entity_columns(flat, numeric, {name for name, _ in times}, options)
    best: list[tuple[int, int, str, str, Times]] = []
    for heading, read in times:
        # Beside a period that stands once every column tells the rows apart, and none thereby names entities.
        alone = not (options.entity or flat.melted or _repeats(read.codes))
        for rank, entity in enumerate(entities):
            cells = flat.columns[entity]
            if alone and len(set(cells)) > 1:
                continue
            if entity not in heading.split(" + ") and len(set(zip(cells, read.codes, strict=True))) == flat.rows:
                best.append((len(set(cells)), rank, entity, heading, read))
        if best:
            break
    usable = [item for item in best if item[0] < flat.rows or options.entity]
    if usable and not (
        flat.melted and _indicator_columns(flat, numeric) and usable[0][0] * len(set(times[0][1].codes)) > flat.rows
    ):
        _, _, entity, heading, read = min(usable, key=lambda item: item[:2])
        if not flat.melted or _is_entity_name(entity, flat):
            return Keys(entity, heading, read)
    long = _find_long(flat, numeric, times, entities, options)
    if long is not None:
        return long
    raise _explain_keys(flat, times, entities, best, where, places)


def _find_times(
    flat: Flat, numeric: set[str], options: Options, where: str, places: list[str]
) -> list[tuple[str, Times]]:
    """Columns of periods, those that say so first; a column of years with one of their parts before it alone."""
    if options.time is not None:
        return [(options.time, read_times(flat.columns[options.time], options.time, places, where, said=True))]
    found = [name for name, cells in flat.columns.items() if len(set(cells)) > 1 and find_kind(cells, name) is not None]
    found.sort(key=lambda name: not is_time_word(name))
    worded = [name for name in found if is_time_word(name)]
    found = worded or found
    times = [
        (f"{name} + {other}", joined)
        for name in found
        for other, cells in flat.columns.items()
        if other != name and is_time_word(other) and (joined := join_parts(flat.columns[name], cells)) is not None
    ]
    unread: list[StudyError] = []
    for name in found:
        try:
            times.append((name, read_times(flat.columns[name], name, places, where)))
        except StudyError as error:  # a year of birth with gaps, beside the year of the row
            unread.append(error)
    if not times or (unread and not any(_repeats(read.codes) for _, read in times)):
        raise unread[0] if unread else _no_times(flat, numeric, where)
    # The finest first: a row per quarter has a year too, and the year does not tell the rows apart.
    return sorted(times, key=lambda item: item[1].kind in ("period",))


def _repeats(codes: Sequence[int]) -> bool:
    """Whether periods are those of a panel: each in several rows, so that it tells no rows apart by itself."""
    return len(set(codes)) < len(codes)


def _no_times(flat: Flat, numeric: set[str], where: str) -> StudyError:
    texts = [name for name in flat.columns if name not in numeric]
    if texts and any(len(set(flat.columns[name])) == flat.rows for name in texts):
        return StudyError(
            where,
            f"every row is another {texts[0]}, and nothing says which period the figures are of: one "
            "period alone is no panel",
            "add a column with the period, or put the tables of several periods into a folder, with the year in "
            "the name of each file",
        )
    return UndecidedError(
        where,
        "no column holds periods (2021, 2021Q1, 2021-01, 2020/21, 2021-12-31 or numbered waves)",
        f"say with --time which column does, or add one; columns are: {few(list(flat.columns))}",
        "time",
        list(flat.columns),
    )


def _entity_columns(flat: Flat, numeric: set[str], times: set[str], options: Options) -> list[str]:
    """Columns that may name entities: texts, then codes, then whole numbers that repeat."""
    if options.entity is not None and options.entity != "columns":
        return [options.entity]
    taken = {part for time in times for part in (time, *time.split(" + "))}
    names = [name for name in flat.columns if name not in taken]
    names = [name for name in names if not _numbers_rows(name, flat)]
    texts = [name for name in names if name not in numeric and _filled(flat.columns[name]) and not _FLAG.search(name)]
    texts.sort(key=lambda name: (bool(_CODE.search(name)),))
    whole = [name for name in names if name in numeric and is_whole(flat.columns[name])]
    whole = [name for name in whole if len(set(flat.columns[name])) > 2]  # 0 and 1 name no entities
    codes = [name for name in whole if any(word in name.casefold() for word in _ENTITY_WORDS)]
    rest = [name for name in whole if name not in codes and len(set(flat.columns[name])) * 2 <= flat.rows]
    return texts + codes + rest


def counts_rows(cells: list[str]) -> bool:
    """Whether a column numbers the rows of the file, as R and pandas write it in front: no measure."""
    return len(cells) > 2 and cells[0] in ("0", "1") and cells == [str(int(cells[0]) + n) for n in range(len(cells))]


def _numbers_rows(name: str, flat: Flat) -> bool:
    """Whether a column is the one that a program wrote in front of the rows, which names nothing."""
    return bool(_ROW_NUMBER.fullmatch(name)) and counts_rows(flat.columns[name])


def is_whole(cells: Sequence[str]) -> bool:
    """Whether every cell is a whole number without a sign, perhaps written as 410032.0."""
    return all(cell.removesuffix(".0").isdigit() for cell in cells)


def _filled(cells: Sequence[str]) -> bool:
    return sum(map(bool, cells)) >= 0.9 * len(cells)


def _is_entity_name(heading: str, flat: Flat) -> bool:
    return heading not in _indicator_columns(flat, set())


def _indicator_columns(flat: Flat, numeric: set[str]) -> list[str]:
    """Columns whose heading says that they name measures, those with names before those with codes."""
    words = {name: re.sub(r"[\s_]+", "", name.casefold()) for name in flat.columns if name not in numeric}
    said = sorted(words, key=lambda name: not any(" " in cell for cell in set(flat.columns[name])))
    found = [name for word in INDICATOR_WORDS for name in said if words[name] == word]
    found += [name for word in INDICATOR_WORDS for name, plain in words.items() if word in plain and name not in found]
    return list(dict.fromkeys(name for name in found if len(set(flat.columns[name])) > 0 and not _FLAG.search(name)))


def _find_long(
    flat: Flat, numeric: set[str], times: list[tuple[str, Times]], entities: list[str], options: Options
) -> Keys | None:
    """Keys of a table with one figure in a row: entity, period and what says which measure it is."""
    named = _indicator_columns(flat, numeric)
    values = [
        name for name in numeric if name in (VALUE, "Value", "VALUE", "OBS_VALUE", "obs_value", "数值", "值", "取值")
    ]
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
        keys: list[tuple[object, ...]] = list(zip(flat.columns[entity], read.codes, strict=True))
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


def pivot(flat: Flat, keys: Keys, where: str) -> tuple[Flat, Keys]:
    """One row per entity and period, one column per measure."""
    names = {"Value", "VALUE", "OBS_VALUE", "obs_value", "数值", "值", "取值"}
    taken = {keys.entity, *keys.time.split(" + "), *keys.indicators}
    value = VALUE if flat.melted else next((n for n in flat.columns if n in names), "")
    value = value or next(n for n, cells in flat.columns.items() if n not in taken and is_numeric(cells, Notation()))
    if keys.indicators:
        words = [
            ", ".join(part for part in row if part)
            for row in zip(*(flat.columns[n] for n in keys.indicators), strict=True)
        ]
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
    told = (
        ()
        if len(measures) == 1
        else (f"layout: {len(measures)} measures below each other, in {few(list(keys.indicators))}",)
    )
    pivoted = replace(
        flat, columns=columns, lines=[flat.lines[n] for n in kept], units=units, melted=False, told=(*flat.told, *told)
    )
    times = keys.times._replace(codes=[keys.times.codes[n] for n in kept])
    return pivoted, replace(keys, times=times, measures=tuple(measures))


def _name_measure(flat: Flat) -> str:
    """What the only measure of a table is called: by its indicator line or column, its sheet or its file."""
    stated = next(
        (text for word, text in flat.stated.items() if word.casefold() in ("指标", "indicator", "series")), None
    )
    named = [flat.columns[name][0] for name in _indicator_columns(flat, set()) if len(set(flat.columns[name])) == 1]
    return stated or next(filter(None, named), flat.name)


def turn_entities(flat: Flat, numeric: set[str], options: Options, known: Known) -> tuple[Flat, set[str]]:
    """Entities side by side, periods down: turned into one row per entity and period."""
    times = [name for name, cells in flat.columns.items() if is_time_word(name) and find_kind(cells, name)]
    times = [options.time] if options.time else times or [n for n, c in flat.columns.items() if find_kind(c, n)][:1]
    others = [name for name in flat.columns if name not in times and not _numbers_rows(name, flat)]
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
    where: str,
    places: list[str],
) -> StudyError:
    repeated = [item for item in times if _repeats(item[1].codes)]
    named = bool(entities) and not is_numeric(flat.columns[entities[0]], Notation())
    heading, read = repeated[0] if repeated and named else times[-1]
    if not entities or not _repeats(read.codes):
        if not _repeats(read.codes):
            rule = f"every row is another {heading}: its columns are measures of one entity, or one measure of several"
            remedy = (
                "a study needs several entities and two measures of them; where the columns are entities, put a table "
                "of another measure beside this one into a folder, and say --entity columns of the folder"
            )
            return UndecidedError(where, rule, remedy, "entity", ["columns"])
        remedy = f"say with --entity which column does, or add one; columns are: {few(list(flat.columns))}"
        return UndecidedError(where, "no column names the entities", remedy, "entity", list(flat.columns))
    if best and flat.melted and best[0][2] in _indicator_columns(flat, set()):
        rule = f"its rows are indicators ({few(flat.columns[best[0][2]][:: len(set(read.codes))])}) of one unit"
        remedy = "a study needs several units: name the unit in a column, and put the rows of the others below"
        return StudyError(where, rule, remedy)
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
    return UndecidedError(
        where,
        f"{rule}; the two rows differ in {few(differ)}",
        "say with --entity and --time which columns tell the rows apart; several columns may name an entity together: "
        f'--entity "{entity} + {_second_name(flat, entity, differ, read.codes)}"',
        "entity",
        list(flat.columns),
    )


def _second_name(flat: Flat, entity: str, differ: list[str], codes: list[int]) -> str:
    """The column that names the entities together with another: of those that tell all rows apart the least varied."""
    texts = [name for name in differ if not is_numeric(flat.columns[name], Notation()) and not _FLAG.search(name)]
    texts.sort(key=lambda name: len(set(flat.columns[name])))
    keys = {name: set(zip(flat.columns[entity], flat.columns[name], codes, strict=True)) for name in texts}
    return next((name for name in texts if len(keys[name]) == flat.rows), next(iter(texts), "OTHER COLUMN"))


def is_numeric(cells: Sequence[str], notation: Notation) -> bool:
    """Whether most cells of a column look like figures."""
    filled = [cell for cell in cells if cell and not notation.is_missing(cell)]
    return bool(filled) and sum(looks_like_figure(cell) for cell in filled) >= MOSTLY * len(filled)
