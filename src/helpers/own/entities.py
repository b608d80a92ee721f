"""How the entities of a new study are named: by a list of units that the project offers, or as the table names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from helpers.errors import StudyError
from helpers.formats.decoding import few
from helpers.formats.tables import read_tables
from helpers.own.words import snake
from helpers.reading.names import near_misses
from helpers.reading.numbers import UndecidedError
from helpers.reading.proposal import Proposal
from helpers.reading.units import Spellings, normalise_name, read_units, spellings_in
from helpers.study.data import Entity, Label
from helpers.study.periods import show_period
from helpers.study.study import Study, list_studies, load_study

# A list is that of a table where it knows so many of its names; codes of a few digits are anybody's.
KNOWN_SHARE = 0.8
SHORTEST_CODE = 4
# Codes of two letters are anybody's too (states of the United States, of Brazil): they are those of the list where so
# many stand there and nearly all are known, or where they stand among names that are known.
FEWEST_CODES, CODES_KNOWN = 10, 0.95
_TWO_LETTERS = re.compile("[A-Za-z]{2}")


@dataclass(frozen=True)
class UnitList:
    """A list of units with every way in which tables spell them.

    Attributes
    ----------
    name
        The study or file that it comes from.
    table
        One row per unit: aliases and groups, indexed by key.
    entity
        Its key and aliases.
    groupings
        Columns that group the units.
    spellings
        Any spelling -> key.
    """

    name: str
    table: pd.DataFrame
    entity: Entity
    groupings: tuple[str, ...]
    spellings: Spellings

    def knows(self, name: str) -> bool:
        """Whether a name is that of a unit of the list; a code of few signs is not, since others have it too."""
        short = (name.isdigit() and len(name) < SHORTEST_CODE) or _TWO_LETTERS.fullmatch(name)
        return not short and self.spellings.find(name) is not None

    def known_among(self, names: Sequence[str], asked: bool = False) -> dict[str, str]:
        """The names of a table that are those of units, with their keys; codes of two letters as the others allow."""
        keys = {name: key for name in names if (key := self.spellings.find(name)) and (asked or self.knows(name))}
        codes = [name for name in names if _TWO_LETTERS.fullmatch(name)]
        found = {name: key for name in codes if (key := self.spellings.find(name))}
        alone = len(codes) >= FEWEST_CODES and len(found) >= CODES_KNOWN * len(codes)
        others = len(names) - len(codes)
        beside = others > len(codes) and len(keys) >= KNOWN_SHARE * others
        return keys | found if alone or beside else keys


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
        Name in the table -> key.
    told
        What was understood.
    known_from
        The study or file whose list knows the names; empty where they stand as in the table.
    """

    table: pd.DataFrame
    key: str
    aliases: tuple[str, ...]
    groupings: tuple[str, ...]
    keys: dict[str, str]
    told: tuple[str, ...] = ()
    known_from: str = ""


def offered_lists(root: Path) -> list[UnitList]:
    """The lists of units that the studies of the project offer; a study that is not sound offers none."""
    found = []
    for name in list_studies(root):
        try:
            study = load_study(root / "data" / name)
            if study.entity.offered:
                found.append(_list_of(study))
        except StudyError:
            continue
    return found


def _list_of(study: Study) -> UnitList:
    units = read_units(study.folder / study.entity.units, study.entity)
    groupings = tuple(dict.fromkeys(item.column for item in study.regions.values()))
    return UnitList(study.name, units, study.entity, groupings, Spellings.of(units, study.entity))


def choose_lists(named: str | None, root: Path) -> list[UnitList]:
    """The lists that a table may be matched with: those offered, the one that the person named, or none.

    Raises
    ------
    UndecidedError
        There is no such list and no such file.
    """
    if named == "own":
        return []
    lists = offered_lists(root)
    if named is None:
        return lists
    chosen = [item for item in lists if item.name == named]
    if chosen:
        return chosen
    if Path(named).is_file():
        return [_read_list(Path(named))]
    names = [item.name for item in lists]
    raise UndecidedError(
        f"--units {named}",
        "there is no such list of units, and no such file",
        f"lists are: {few(names)}; own takes the names as they stand; a file has one row per unit, its key first",
        "units",
        [*names, "own"],
    )


def _read_list(path: Path) -> UnitList:
    """A person's own list: the key first, then columns of other names (each once) and of groups."""
    rows = read_tables(path)[0].rows
    header = rows[0].cells
    heads = [snake(cell) or f"column_{place}" for place, cell in enumerate(header)]
    cells = [(*row.cells, *[""] * len(heads))[: len(heads)] for row in rows[1:]]
    table = pd.DataFrame(cells, columns=heads, dtype=str)
    if table[heads[0]].duplicated().any():
        twice = table.loc[table[heads[0]].duplicated(), heads[0]].iloc[0]
        raise StudyError(str(path), f"the unit '{twice}' stands twice", "keep one row per unit, its key first")
    table = table.set_index(heads[0])
    aliases = tuple(name for name in table if table[name].is_unique and (table[name] != "").all())
    groupings = tuple(str(name) for name in table if name not in aliases)
    entity = Entity(name="entity", key=heads[0], aliases=tuple(map(str, aliases)), label=Label(en="Unit", zh="个体"))
    return UnitList(str(path), table, entity, groupings, Spellings.of(table, entity))


def match_entities(proposal: Proposal, lists: Sequence[UnitList], asked: bool = False) -> Entities:
    """Name the entities by the list that knows most of them; as the table does where no list knows enough.

    Parameters
    ----------
    proposal
        The table.
    lists
        From :func:`choose_lists`.
    asked
        Whether the person named the list, so that codes of a few digits and a small share of names count too.
    """
    names = [str(name) for name in proposal.figures.index.unique(0)]
    best, keys = _choose_list(names, lists, asked)
    return _own_entities(proposal, names) if best is None else _listed_entities(best, proposal, names, keys)


def _choose_list(
    names: list[str], lists: Sequence[UnitList], asked: bool
) -> tuple[UnitList, dict[str, str]] | tuple[None, dict[str, str]]:
    """The list that knows most of the names, with their keys; None where none knows enough."""
    known = {item.name: item.known_among(names, asked) for item in lists}
    best = max(lists, key=lambda item: len(known[item.name]), default=None)
    if best is None or len(known[best.name]) < (1 if asked else KNOWN_SHARE * len(names)):
        return None, {}
    return best, known[best.name]


def join_known(proposal: Proposal, lists: Sequence[UnitList], asked: bool = False) -> Proposal:
    """The rows of names that a list knows as one unit (Turkey, Türkiye) under one of them.

    Raises
    ------
    StudyError
        Two of them have different figures for one period.
    """
    best, keys = _choose_list([str(name) for name in proposal.figures.index.unique(0)], lists, asked)
    groups: dict[str, list[str]] = {}
    for name, key in keys.items():
        groups.setdefault(key, []).append(name)
    several = [group for group in groups.values() if len(group) > 1]
    if best is None or not several:
        return proposal
    figures, units = proposal.figures, proposal.units
    for first, *others in several:
        for other in others:
            rows = [figures.xs(name, level=0, drop_level=True) for name in (first, other)]
            joined = _join_rows(pd.DataFrame(rows[0]), pd.DataFrame(rows[1]), (first, other), proposal, best.name)
            rest = figures.drop(index=[first, other], level=0)
            figures = pd.concat([rest, pd.concat({first: joined}, names=figures.index.names)]).sort_index()
    kept = units.loc[[name for name in units.index if name in set(figures.index.unique(0))]]
    told = f"names of one unit by the list {best.name} are one: {few([' = '.join(group) for group in several])}"
    return replace(proposal, figures=figures, units=kept, told=(*proposal.told, told))


def _join_rows(
    one: pd.DataFrame, other: pd.DataFrame, names: tuple[str, str], proposal: Proposal, known: str
) -> pd.DataFrame:
    left, right = one.align(other)
    clash = (left.notna() & right.notna() & (left != right)).to_numpy()
    if clash.any():
        row, column = (int(place[0]) for place in clash.nonzero())
        when = show_period(int(left.index[row]), proposal.kind)
        rule = f"{names[0]} and {names[1]} are one unit by the list {known}, and have two figures for {when}"
        remedy = "take the rows of one of them out; if they are two units, say --units own"
        raise StudyError(f"column {left.columns[column]}", rule, remedy)
    return left.combine_first(right)[list(one.columns)]


def _listed_entities(best: UnitList, proposal: Proposal, names: list[str], keys: dict[str, str]) -> Entities:
    """The list's names; groups are those of the table, then those of the list."""
    others = [name for name in names if name not in keys]
    found = set(keys.values())
    table = best.table.loc[[key for key in best.table.index if key in found]]
    table = pd.concat([table, pd.DataFrame("", index=others, columns=table.columns)]).rename_axis(best.entity.key)
    told = [
        f"{len(keys)} of {len(names)} names known from the list {best.name}: they take its codes, and its groups where "
        "these have members enough"
    ]
    told[0] = told[0].replace("from the list", "from the study") if "/" not in best.name else told[0]
    if others:
        absent = [key for key in best.table.index if key not in found]
        cells = [cell for key in absent for cell in (key, *best.table.loc[key, list(best.entity.aliases)])]
        near = near_misses(others, [word for cell in cells for word in spellings_in(cell) if word])
        shown = [f"'{name}'" + (f" (perhaps {near[name]})" if name in near else "") for name in others]
        told.append(f"not in the list {best.name}, kept without a group: {few(shown)}")
    aliases = best.entity.aliases
    keys |= {name: name for name in others}
    own = _own_groups(proposal, {best.entity.key, "year", *map(str, table.columns)})
    own = own.set_axis([keys[str(name)] for name in own.index])
    own = own[~own.index.duplicated()].reindex(table.index).fillna("")
    groupings = (*map(str, own.columns), *best.groupings)
    return Entities(table.join(own), best.entity.key, aliases, groupings, keys, tuple(told), best.name)


def _own_groups(proposal: Proposal, taken: set[str]) -> pd.DataFrame:
    """What the table itself says of its units and several of them share, under names of its own."""
    heads = _name_attributes(proposal.attributes, taken)
    table = proposal.units.rename(columns=heads).fillna("")
    return table[[name for name in table if 1 < table[name].nunique() < len(table)]]


def _own_entities(proposal: Proposal, names: list[str]) -> Entities:
    """The table's own names; what is constant within an entity becomes another name of it, or a group."""
    heads = _name_attributes(proposal.attributes, {"entity", "year"})
    table = proposal.units.rename(columns=heads).rename_axis("entity").fillna("")
    columns = [str(name) for name in table]
    distinct = {name: table[name].map(normalise_name) for name in columns}
    aliases = [name for name in columns if distinct[name].is_unique and (table[name] != "").all()]
    table, aliases = _check_aliases(table, aliases)
    groupings = tuple(str(name) for name in table if name not in aliases)
    return Entities(table, "entity", tuple(aliases), groupings, {name: name for name in names})


def _name_attributes(attributes: Sequence[str], taken: set[str]) -> dict[str, str]:
    """Heading -> name of a column of the units file, none of them taken."""
    heads: dict[str, str] = {}
    for number, head in enumerate(attributes, start=1):
        word = snake(head) or f"attribute_{number}"
        while word in {*taken, *heads.values()}:
            word += "_attribute"
        heads[head] = word
    return heads


def _check_aliases(table: pd.DataFrame, aliases: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Without the columns whose spellings clash with the name of another entity."""
    kept: list[str] = []
    for name in aliases:
        entity = Entity(name="entity", key="entity", aliases=(*kept, name), label=Label(en="Unit", zh="个体"))
        try:
            Spellings.of(table, entity)
            kept.append(name)
        except StudyError:
            table = table.drop(columns=name)
    return table, kept
