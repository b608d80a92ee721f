"""What a person's own table may mean, and what the person says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from helpers.study.periods import Kind


@dataclass(frozen=True)
class Options:
    """What the person says about a table; None for what the table shows.

    Attributes
    ----------
    entity, time
        Headings of the columns of entities and periods; ``columns`` for entities that stand side by side.
    missing, decimal
        As in `helpers.reading.numbers.Notation`.
    encoding
        Codec of the text files, such as ``big5``; found by their bytes when None.
    sheet
        Titles of the worksheets to read, others are left aside.
    units
        A list of units by whose names and codes the entities are known; ``own`` for the names as they stand.
    outcome, treatment, controls
        Headings of the measures of the model.
    genuine
        Headings of measures that are as published, however much they look as if they were in another unit.
    claim
        What is claimed: that the treatment ``raises`` or ``lowers`` the outcome, or ``moves`` it either way.
    """

    entity: str | None = None
    time: str | None = None
    missing: tuple[str, ...] | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: tuple[str, ...] | None = None
    units: str | None = None
    outcome: str | None = None
    treatment: str | None = None
    controls: tuple[str, ...] | None = None
    genuine: tuple[str, ...] = ()
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
"""Whether a name is that of a unit in one of the lists that the project brings."""
