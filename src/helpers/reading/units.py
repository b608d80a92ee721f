"""The entities of a study and every way in which files spell them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import pandas as pd

from helpers.errors import StudyError, did_you_mean
from helpers.formats.decoding import shorten
from helpers.formats.tables import read_tables
from helpers.study.study import Entity

_SUFFIX = re.compile(
    r"(特别行政区|(壮族|回族|维吾尔)?自治区|省|市|province|municipality|((zhuang|hui|uy?gh?ur)?autonomous)?region)$"
)
_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ`´"), "'")
MOST_UNITS = 50_000
_SEPARATOR = re.compile(r"[\s/、,，;；&+|]+|(?<=[省市区])(?=\S)")


@dataclass(frozen=True)
class Spellings:
    """From any spelling of an entity to its key.

    Attributes
    ----------
    columns
        The key column of the units file, then its alias columns.
    keys
        Every normalised spelling with its key.
    shown
        Every spelling as written, for suggestions.
    entities
        The keys, in the order of the units file.
    """

    columns: tuple[str, ...]
    keys: dict[str, str]
    shown: tuple[str, ...]
    entities: tuple[str, ...]

    @classmethod
    def of(cls, units: pd.DataFrame, entity: Entity) -> Self:
        """Collect the spellings of a units table.

        Raises
        ------
        StudyError
            When an alias column is missing, or one spelling stands for two entities.
        """
        keys: dict[str, str] = {}
        shown: list[str] = []
        short: dict[str, set[str]] = {}
        for column in dict.fromkeys((entity.key, *entity.aliases)):
            if column != entity.key and column not in units.columns:
                raise _no_column(entity.units, column, [entity.key, *units.columns])
            texts = units.index if column == entity.key else units[column]
            several = spellings_in if column != entity.key else lambda text: [text]
            for key, text in (
                (key, text) for key, cell in zip(units.index, texts, strict=True) for text in several(cell)
            ):
                word = normalise_name(text)
                if word and keys.setdefault(word, key) != key:
                    rule = f"'{text}' stands for {keys[word]} as well as for {key}"
                    raise StudyError(entity.units, rule, "give every entity its own names and codes")
                short.setdefault(_SUFFIX.sub("", word), set()).add(key)
                shown.append(text)
        for word, of in short.items():
            other = next((key for key in sorted(of) if keys.get(word, key) != key), None)
            if other is not None:
                first, second = sorted((keys[word], other), key=list(units.index).index)
                rule = f"'{word}' stands for {first} as well as for {second}"
                raise StudyError(entity.units, rule, "give every entity its own names and codes")
        # So is one without its accents and apostrophes (Cote d'Ivoire).
        plain: dict[str, set[str]] = {}
        for word, key in keys.items():
            plain.setdefault(_without_accents(word), set()).add(key)
        short |= {word: of for word, of in plain.items() if word not in short}
        # A name without its suffix is a spelling where it is that of one entity (Jilin city, Jilin province).
        keys |= {word: next(iter(of)) for word, of in short.items() if word and len(of) == 1 and word not in keys}
        return cls((entity.key, *entity.aliases), keys, tuple(shown), tuple(units.index))

    def find(self, text: str) -> str | None:
        """The key of a spelling, or None."""
        word = normalise_name(text)
        return (
            self.keys.get(word) or self.keys.get(_SUFFIX.sub("", word)) or self.keys.get(_without_accents(word)) or None
        )

    def key_of(self, text: str, where: str) -> str:
        """The key of a spelling.

        Raises
        ------
        StudyError
            When the spelling belongs to no entity; the message names the nearest one.
        """
        key = self.find(text)
        if key is None:
            both = [part for part in _SEPARATOR.split(text) if part and self.find(part)]
            if len(both) > 1:
                rule = f"'{shorten(text)}' names {len(both)} entities in one row ({', '.join(both)})"
                raise StudyError(where, rule, "give each of them a row of its own")
            remedy = f"{did_you_mean(text.strip(), self.shown, 0.5)}correct the name, or add it to the units file"
            raise StudyError(where, f"'{shorten(text)}' is not an entity of the study", remedy)
        return key


def spellings_in(cell: str) -> list[str]:
    """The spellings in a cell of names: one, or several with " | " between them."""
    return [part.strip() for part in cell.split(" | ")]


@lru_cache(maxsize=65536)
def normalise_name(text: str) -> str:
    """A spelling without differences that carry no meaning: width, case, blanks, invisible marks, a code's zeros."""
    plain = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    word = "".join(letter for letter in plain if not letter.isspace() and unicodedata.category(letter) != "Cf")
    return word[:6] if len(word) == 12 and word.isdigit() and word.endswith("000000") else word


def _without_accents(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in letters if not unicodedata.combining(letter) and letter != "'")


def read_units(path: Path, entity: Entity) -> pd.DataFrame:
    """Read a units file: one row per entity, as CSV or in any other format of :mod:`helpers.formats.tables`.

    Returns
    -------
    DataFrame
        Text, indexed by the key column of ``entity``, in file order; names, codes and groupings as columns.

    Raises
    ------
    StudyError
        When the file or a column is missing, a key is empty or stands twice, or one spelling means two entities.
    """
    tables = read_tables(path)
    rows = tables[0].rows if tables else ()
    header = rows[0].cells if rows else ()
    twice = [name for name in header if name and header.count(name) > 1]
    if entity.key not in header or twice:
        raise _no_column(str(path), (*twice, entity.key)[0], header)
    at = header.index(entity.key)
    if len(rows) - 1 > MOST_UNITS:
        rule = f"it lists {len(rows) - 1:,} entities, more than {MOST_UNITS:,}"
        raise StudyError(str(path), rule, "use docs/large_panels.md for panels of that size, or group the entities")
    seen: set[str] = set()
    for row in rows[1:]:
        where = f"{path}, line {row.line}"
        if len(row.cells) != len(header):
            raise StudyError(where, f"{len(row.cells)} cells under {len(header)} headings", "correct the row")
        if not row.cells[at] or row.cells[at] in seen:
            raise StudyError(where, f"the key '{row.cells[at]}' is empty or stands twice", "keep one row per entity")
        seen.add(row.cells[at])
    table = [row.cells for row in rows[1:]]
    units = pd.DataFrame(table, columns=list(header), dtype=str).set_index(entity.key)
    Spellings.of(units, entity)
    return units


def _no_column(where: str, column: str, header: Sequence[str]) -> StudyError:
    shown = ", ".join(header) or "empty"
    return StudyError(where, f"the column '{column}' must stand in the header once", f"the header is: {shown}")
