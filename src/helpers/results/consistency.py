"""Facts that must hold between the numbers of one run, whatever the data say; checked over all results and tables.

Each rule looks at numbers that were recorded or tabulated apart and says which of them contradict each other. A rule
applies where the numbers that it needs stand side by side and were made by the same method.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.files import write_text
from helpers.results.consistency_rules import RULES
from helpers.results.numbers import read_tables
from helpers.results.places import find_places
from helpers.results.results import Results


@dataclass(frozen=True)
class Breach:
    """Numbers that contradict each other.

    Attributes
    ----------
    rule
        Name of the rule.
    place
        The result or the row of the table, and the cell that made it.
    detail
        Which numbers, and what they should be.
    """

    rule: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.detail} (rule: {self.rule})"


@dataclass(frozen=True)
class Consistency:
    """What the gate found.

    Attributes
    ----------
    facts
        Rule -> in how many places it was checked.
    breaches
        Where it does not hold.
    """

    facts: Mapping[str, int]
    breaches: tuple[Breach, ...]


class InconsistentError(Exception):
    """Numbers of a run that contradict each other: a fault of the code, not of the input.

    Parameters
    ----------
    breaches
        All of them; the message names the first ones.
    """

    def __init__(self, breaches: tuple[Breach, ...]) -> None:
        lines = [str(breach) for breach in breaches[:10]]
        more = [f"... and {len(breaches) - len(lines)} more"] if len(breaches) > len(lines) else []
        super().__init__("\n".join(["the run's numbers contradict each other", *lines, *more]))
        self.breaches = breaches


def keep_consistent(results: Results, folder: Path) -> Path:
    """Let a run pass whose numbers do not contradict each other; write ``run/consistency.json``.

    Raises
    ------
    InconsistentError
        A rule does not hold somewhere.
    """
    found = check_consistency(results, folder)
    if found.breaches:
        raise InconsistentError(found.breaches)
    content = {"facts": dict(found.facts)}
    return write_text(folder / "run" / "consistency.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def check_consistency(results: Results, folder: Path) -> Consistency:
    """Check every rule over the results of a run and the tables in its folder.

    Parameters
    ----------
    results
        All results of the run.
    folder
        The run folder; executed notebooks and the run's record in it say which cell made a table. A table that no
        notebook of the run wrote, such as one of a notebook that is gone, is no part of it.
    """
    places = find_places(folder)
    tables = {name: table for name, table in read_tables(folder, places).items() if name in places or not places}
    facts: dict[str, int] = {}
    breaches: list[Breach] = []
    for rule, check in RULES.items():
        found = list(check(results, tables))
        facts[rule] = len(found)
        breaches += [Breach(rule, place, detail) for place, holds, detail in found if not holds]
    return Consistency(facts, tuple(breaches))
