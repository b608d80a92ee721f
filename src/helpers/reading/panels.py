"""Tables whose columns have their roles, as one panel: figures and groups described, names joined, totals left out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pandas as pd

from helpers.errors import StudyError
from helpers.formats.decoding import few
from helpers.reading.names import (
    find_sums,
    group_codes,
    is_total,
    join_blanks,
    join_spellings,
    near_misses,
    only_in_one,
)
from helpers.reading.numbers import Cells, Notation, read_columns
from helpers.reading.proposal import Known, Measure, Options, Proposal
from helpers.reading.roles import MOST_MEASURES, Keys, counts_rows, is_whole
from helpers.reading.shapes import LONGEST_NAME, Flat
from helpers.reading.times import find_kind, is_time_word
from helpers.reading.units import normalise_name
from helpers.study.periods import show_period

MOST_GROUPS = 10
MOST_SIGNS, LONGEST_SIGN, MOSTLY_DIGITS = 4, 3, 0.8
ANSWERS = tuple(dict(zip(pair, "10", strict=True)) for pair in (("yes", "no"), ("true", "false"), ("是", "否")))
_UNIT = re.compile(r"^(?P<name>.*?)\s*[(（\[](?P<unit>[^()（）\[\]]+)[)）\]]\s*$")
_FUNCTION = re.compile(
    r"(?:.*[^A-Za-z])?(?:log|ln|log10|log2|sqrt|exp|asinh|arcsinh|ihs|lag|lead|diff|delta|d|sum|mean|std)[(（]",
    re.IGNORECASE,
)
_RISKY = re.compile(r"^[=+\-@]|[<>\x00-\x1f]")


def describe_table(flat: Flat, keys: Keys, numeric: set[str], notation: Notation, where: str) -> Proposal:
    """Figures, attributes and what was understood."""
    cells = flat.columns[keys.entity]
    cells = [cell.split(".")[0] for cell in cells] if is_whole(cells) else cells
    entities = [_check_name(name, line, where) for name, line in zip(cells, flat.lines, strict=True)]
    taken = {keys.entity, *keys.time.split(" + ")}
    flat, answered = _read_answers(flat, entities, {*numeric, *taken})
    numeric = {*numeric, *answered}
    groups = _group_codes(flat, numeric - taken, entities)
    names = [name for name in flat.columns if name in numeric and name not in taken and name not in groups]
    names = [name for name in names if not (is_time_word(name) and find_kind(flat.columns[name], name))]
    names = [name for name in names if not counts_rows(flat.columns[name])]
    names = [name for name in names if not _marks_periods(flat.columns[name], keys.times.codes)]
    texts = [name for name in flat.columns if name not in numeric | taken]
    unread = [name for name in texts if _hides_figures(flat.columns[name], entities)]
    names = [name for name in flat.columns if name in {*names, *unread}]
    if len(names) > MOST_MEASURES:
        raise StudyError(where, f"it holds {len(names)} measures", f"keep at most {MOST_MEASURES} of them")
    if not names:
        rule = f"no column holds figures{' that change over time' if groups else ''}"
        raise StudyError(where, rule, "the study needs two measures, numbers in each row")
    places = [f"line {line}, {name}" for line, name in zip(flat.lines, entities, strict=True)]
    read = read_columns({name: Cells(places, flat.columns[name]) for name in names}, notation, where)
    index = pd.MultiIndex.from_arrays([pd.Index(entities, dtype=object), keys.times.codes], names=["entity", "time"])
    figures = pd.DataFrame(read.columns, index=index)
    attributes = _attributes(flat.columns, entities, {*taken, *names})
    measures = _describe_measures(names, flat, read.units)
    ignored = tuple(name for name in flat.columns if name not in {*taken, *names, *map(str, attributes)})
    answers = f"yes and no: read as 1 and 0 in {few(answered)}" if answered else ""
    told = (*flat.told, *filter(None, [keys.times.told, answers]), *read.told)
    return Proposal(keys.entity, keys.time, keys.times.kind, measures, figures, attributes, ignored, (), told)


def _read_answers(flat: Flat, entities: list[str], others: set[str]) -> tuple[Flat, list[str]]:
    """The table with yes and no as 1 and 0 where an entity's answer changes, and the columns that were read so."""
    columns = dict(flat.columns)
    for name, cells in flat.columns.items():
        words = {cell.casefold() for cell in cells if cell}
        codes = next((pair for pair in ANSWERS if words == set(pair)), None)
        if codes and name not in others and (pd.Series(cells).groupby(entities).nunique() > 1).any():
            columns[name] = [codes.get(cell.casefold(), cell) for cell in cells]
    return replace(flat, columns=columns), [name for name in columns if columns[name] is not flat.columns[name]]


def _hides_figures(cells: list[str], entities: list[str]) -> bool:
    """Whether a column is one of figures in a notation that is not read, which must be told and not passed over.

    Nearly every cell has a digit, beside the same few signs at most, and the cells differ and change over time.
    """
    filled = [cell for cell in cells if cell]
    digits = [cell for cell in filled if re.search(r"\d", cell)]
    signs = {re.sub(r"[\d.,\s+\-−–]", "", cell) for cell in digits}
    plain = len(signs) <= MOST_SIGNS and all(len(sign) <= LONGEST_SIGN for sign in signs)
    if not plain or len(digits) < MOSTLY_DIGITS * len(filled) or 4 * len(set(digits)) < len(cells):
        return False
    return bool((pd.Series(cells).groupby(entities).nunique() > 1).any())


def _marks_periods(cells: list[str], codes: list[int]) -> bool:
    """Whether a column is 1 in some periods and 0 in the others for every entity: what effects of time stand for."""
    values = {cell.removesuffix(".0") for cell in cells}
    return values == {"0", "1"} and len(set(zip(codes, cells, strict=True))) == len(set(codes))


def _group_codes(flat: Flat, numeric: set[str], entities: list[str]) -> set[str]:
    """Columns of whole numbers that never change within an entity: codes of groups or of entities, and no measures."""
    found = set()
    index = pd.Series(entities)
    for name in numeric:
        cells = flat.columns[name]
        if not is_whole(cells) or len(set(cells)) < 2:
            continue
        by_entity = pd.Series(cells).groupby(index)
        counts = by_entity.first().value_counts()
        grouped = len(counts) <= MOST_GROUPS and counts.min() > 1
        if (grouped or counts.max() == 1) and (by_entity.nunique() == 1).all():
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


def _describe_measures(names: list[str], flat: Flat, units: dict[str, str]) -> tuple[Measure, ...]:
    """Labels and units of the measures; what stands in brackets is a unit unless it tells two of them apart."""
    texts = {name: join_blanks(flat.labels.get(name, name)) for name in names}
    cut = {name: _cut_unit(text) for name, text in texts.items()}
    counts = Counter(label for label, _ in cut.values())
    parts = {name: cut[name] if counts[cut[name][0]] == 1 else (texts[name], "") for name in names}
    return tuple(
        Measure(name, label, flat.units.get(name) or unit or units.get(name, ""))
        for name, (label, unit) in parts.items()
    )


def _cut_unit(text: str) -> tuple[str, str]:
    """A label and the unit in brackets behind it; log(price) is a label, and has none."""
    match = _UNIT.match(text)
    if match is None or not match["name"] or _FUNCTION.match(text):
        return text, ""
    return match["name"], match["unit"]


def _check_name(name: str, line: int, where: str) -> str:
    if not name or _RISKY.search(name) or len(name) > LONGEST_NAME:
        rule = f"'{name[:40]}' is not a name" if name else "the entity's name is empty"
        raise StudyError(f"{where}, line {line}", rule, "write a name of letters, digits, blanks and dots")
    return name


def join_proposals(parts: list[Proposal], names: list[str]) -> Proposal:
    """Measures of several tables side by side."""
    kinds = Counter(part.kind for part in parts)
    if len(kinds) > 1:
        listed = "; ".join(f"{name}: {part.kind.replace('_', ' ')}s" for name, part in zip(names, parts, strict=True))
        raise StudyError(names[0], f"their periods differ in kind ({listed})", "bring them to one kind of period")
    owners = Counter(measure.heading for part in parts for measure in part.measures)
    renamed = []
    for name, part in zip(names, parts, strict=True):
        new = {m.heading: f"{m.heading} ({name})" if owners[m.heading] > 1 else m.heading for m in part.measures}
        measures = tuple(
            replace(m, heading=new[m.heading], label=m.label if owners[m.heading] == 1 else f"{m.label} ({name})")
            for m in part.measures
        )
        renamed.append(replace(part, figures=part.figures.rename(columns=new), measures=measures))
    spellings = [name for part in renamed for name in dict.fromkeys(part.figures.index.get_level_values(0))]
    chosen, joined = join_spellings(spellings, [None] * len(spellings))
    chosen = {
        name: min((n for n in spellings if normalise_name(n) == normalise_name(name)), key=spellings.index)
        for name in chosen
    }
    parts = [_rename(part, chosen) for part in renamed]
    figures = pd.concat([part.figures for part in parts], axis=1).sort_index()
    units = pd.concat([part.units for part in parts], axis=1)
    units = units.loc[:, ~units.columns.duplicated()].reindex(figures.index.unique(0)).fillna("")
    told = [line for part in parts for line in part.told]
    told += [f"spellings of one name: {few([' = '.join(group) for group in joined])}"] if joined else []
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
    listed = "; ".join(f"{part}: {few(single)}" for part, single in alone.items())
    told = [f"{count} of {len(every)} names stand in one table only: {listed}"]
    pairs = {
        frozenset(pair): " / ".join(pair)
        for part, single in alone.items()
        for pair in near_misses(single, sorted(every - names[part])).items()
    }
    return (
        [*told, f"perhaps one and the same: {few(list(pairs.values()))}; write them alike in both tables"]
        if pairs
        else told
    )


def _rename(part: Proposal, chosen: dict[str, str]) -> Proposal:
    names = part.figures.index.get_level_values(0)
    index = pd.MultiIndex.from_arrays(
        [pd.Index([chosen.get(n, n) for n in names], dtype=object), part.figures.index.get_level_values(1)],
        names=["entity", "time"],
    )
    units = part.units.rename(index=chosen)
    return replace(part, figures=part.figures.set_axis(index), units=units[~units.index.duplicated()])


def join_names(proposal: Proposal) -> Proposal:
    """Spellings that differ in form alone become one name; a row that then stands twice is refused."""
    names = list(proposal.figures.index.get_level_values(0))
    times = list(proposal.figures.index.get_level_values(1))
    chosen, joined = join_spellings(names, times)
    told = proposal.told
    if joined:
        shown = [" = ".join(f"'{name}'" for name in group) for group in joined]
        told = (*told, f"names that differ in form alone are one: {few(shown)}")
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
    constant = [name for name in map(str, units) if (grouped[name].nunique() <= 1).all()]
    return (
        grouped[constant].first()
        if constant
        else pd.DataFrame(index=units.index.map(lambda n: chosen.get(n, n)).unique())
    )


def leave_out_totals(proposal: Proposal, options: Options, known: Known) -> Proposal:
    """Leave out the rows of totals, which are no entities."""
    if options.units == "own":
        return proposal
    names = [str(name) for name in proposal.figures.index.unique(0)]
    groups = set(group_codes(names))
    named = [name for name in names if (is_total(name) or name in groups) and not known(name)]
    if 2 * len(named) > len(names):
        named = []  # a panel of country groups is one of units
    kept = proposal.figures[~proposal.figures.index.get_level_values(0).isin(named)]
    summed = [name for name in find_sums(kept) if not known(name)]
    left = [*named, *(summed if len(summed) == 1 else [])]
    if not left or len(names) - len(left) < 2:
        return proposal
    figures = proposal.figures[~proposal.figures.index.get_level_values(0).isin(left)]
    why = f"left out, since they are totals or means and no units: {few(left)} (--units own keeps every row)"
    units = proposal.units.reindex(figures.index.unique(0))
    return replace(proposal, figures=figures, units=units, left_out=tuple(left), told=(*proposal.told, why))
