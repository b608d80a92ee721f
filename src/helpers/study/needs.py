"""Which notebooks a study can run: some need blocks of the study file, and are left out where there are none.

A notebook of an ``engine`` has a form of its own for the other one, which runs in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from helpers.study.data import Engine, Strict
from helpers.study.file import read_as

if TYPE_CHECKING:
    import pandas as pd

    from helpers.runner.sources import Source
    from helpers.study.study import Study

NEEDS_FILE = "needs.yml"
Need = Literal[
    "memory",
    "indices",
    "mediators",
    "regions",
    "multiverse",
    "coordination",
    "society",
    "policies",
    "space",
    "map",
    "instruments",
    "outcome_dimensions",
]

_REASONS: dict[Need, str] = {
    "indices": "the study file declares no index",
    "mediators": "the study file declares no mediator",
    "regions": "the study file declares no grouping of the units",
    "multiverse": "the study file declares no multiverse",
    "coordination": "the study file declares no systems that should move together",
    "society": "the study file declares no figures of society",
    "policies": "the study file declares no policy",
    "space": "the study file declares no spatial weights",
    "map": "the study file declares no map",
    "instruments": "the study file declares no instrument",
    "outcome_dimensions": "the outcome is no index of several dimensions",
    "memory": "it works on all rows at once, and the panel is kept on disk (engine: disk)",
}


class Needs(Strict):
    """What one notebook needs, and which tables stand in for its own where it is left out."""

    needs: tuple[Need, ...] = ()
    engine: Engine | None = None
    instead: dict[str, str] = Field(default_factory=dict)


def read_needs(folder: Path) -> dict[str, Needs]:
    """The needs of the notebooks of a folder; none where it has no such file.

    Raises
    ------
    StudyError
        The file breaks a rule.
    """
    path = folder / NEEDS_FILE
    return read_as(path, dict[str, Needs], f"needs are: {', '.join(_REASONS)}") if path.is_file() else {}


def list_lacking(study: Study) -> list[Need]:
    """What a study does not have of what notebooks, or single cells of them, may need."""
    return [need for need in _REASONS if not getattr(study, need)]


def list_left_out(study: Study, folder: Path) -> dict[str, str]:
    """Notebook -> why the study runs without it; not those that have another form for the study's engine."""
    return _left_out(study, read_needs(folder))


def _left_out(study: Study, every: Mapping[str, Needs]) -> dict[str, str]:
    needs = {name: item for name, item in every.items() if item.engine in (None, study.engine)}
    lacking = {name: [need for need in _asked(item, study) if not getattr(study, need)] for name, item in needs.items()}
    return {name: "; ".join(_REASONS[need] for need in missing) for name, missing in lacking.items() if missing}


def _asked(item: Needs, study: Study) -> tuple[Need, ...]:
    """What is asked of a study: on disk the lack of memory alone decides, and in memory it goes without saying."""
    if "memory" in item.needs and not study.memory:
        return ("memory",)
    return tuple(need for need in item.needs if need != "memory")


def find_stand_ins(study: Study, folder: Path) -> dict[str, str]:
    """Table -> the table that is read in its place, since the notebook that writes it is left out."""
    return _stand_ins(study, read_needs(folder))


def _stand_ins(study: Study, needs: Mapping[str, Needs]) -> dict[str, str]:
    return {table: other for name in _left_out(study, needs) for table, other in needs[name].instead.items()}


def keep_notebooks(sources: list[Source], study: Study, folder: Path) -> list[Source]:
    """The notebooks that the study can run, reading what stands in for the tables of the others."""
    needs = read_needs(folder)
    out, stand_ins = _left_out(study, needs), _stand_ins(study, needs)
    others = {name for name, item in needs.items() if item.engine not in (None, study.engine)}
    kept = [
        source for source in sources if source.name not in out and source.name not in others and _belongs(source, study)
    ]
    return [replace(source, reads=tuple(stand_ins.get(table, table) for table in source.reads)) for source in kept]


def _belongs(source: Source, study: Study) -> bool:
    """Whether a notebook is one of this study: a question of one's own names the one study that it asks."""
    only = source.parameters.get("only")
    return only is None or only.default in ("", study.name)


def notebook_table(study: Study, folder: Path) -> pd.DataFrame:
    """One row per notebook that needs a block of the study file, or memory: what it needs, and whether it runs."""
    import pandas as pd

    every, rows = read_needs(folder), {}
    out = _left_out(study, every)
    for name, item in every.items():
        needs = _asked(item, study)
        if needs and item.engine in (None, study.engine):
            rows[name] = {"needs": ", ".join(needs), "runs": name not in out, "reason": out.get(name, "")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("notebook")
