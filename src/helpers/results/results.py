"""The one door out of a notebook for numbers: record a result once, print it everywhere.

A results file is JSON, ``{"study", "schema": 1, "results": [...], "seals"}``, sorted by key, floats to eight
significant digits (see :mod:`helpers.results.rounding`). A field that a result does not have is left out, never null.
``seals`` has a short checksum of each result, in order, so that one that was edited by hand can be named.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.estimate import Estimate
from helpers.results.rounding import round_number

SCHEMA = 1
KEY = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)+$")
NUMBERS = ("estimate", "value", "std_error", "statistic", "df", "p_value", "ci_low", "ci_high", "p_error")
COUNTS = ("n_obs", "n_entities", "n_clusters", "draws")
ESTIMATE_FIELDS = tuple(field.name for field in fields(Estimate))
RECORDED = {*NUMBERS, *COUNTS, "convention"}


@dataclass(frozen=True)
class Result:
    """One recorded number with what a reader needs to judge it.

    Attributes
    ----------
    key
        Dotted lower-case words, for example ``baseline.pooled.treatment``.
    estimate, value
        Exactly one of the two: an estimate of a model, or any other number (or a computed word).
    std_error, statistic, df, p_value, ci_low, ci_high
        Of the estimate, by the convention that is named.
    n_obs, n_entities, n_clusters
        Rows, entities and clusters behind the number.
    draws
        Number of random draws behind the p-value: it cannot be below 1 / draws.
    p_error
        Monte-Carlo standard error of a drawn p-value that is not a plain share of the draws (`Estimate`).
    convention
        Name of the standard-error convention.
    digits
        Decimals with which the number is printed.
    unit
        Unit of the number, empty for none.
    notebook, cell
        Where it was made.
    """

    key: str
    estimate: float | None = None
    value: float | int | str | None = None
    std_error: float | None = None
    statistic: float | None = None
    df: float | None = None
    p_value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n_obs: int | None = None
    n_entities: int | None = None
    n_clusters: int | None = None
    draws: int | None = None
    p_error: float | None = None
    convention: str | None = None
    digits: int = 4
    unit: str | None = None
    notebook: str | None = None
    cell: str | None = None

    @property
    def shown(self) -> float | int | str:
        """The number itself: the estimate, or else the value."""
        shown = self.value if self.estimate is None else self.estimate
        assert shown is not None
        return shown


def _no_cell() -> tuple[str | None, int]:
    return None, 0


class Results(Mapping[str, Result]):
    """The results of one notebook, or of a whole run, by key.

    Parameters
    ----------
    study
        Name of the study.
    notebook
        Name of the notebook that records.
    where
        Called at each record; gives the id of the running cell and its execution count. A key may be recorded anew
        only by the same cell run again (a reader who re-runs a cell in JupyterLab).
    """

    def __init__(
        self, study: str = "", notebook: str | None = None, where: Callable[[], tuple[str | None, int]] = _no_cell
    ) -> None:
        self.study = study
        self.notebook = notebook
        self._where = where
        self._results: dict[str, Result] = {}
        self._made: dict[str, tuple[str | None, int]] = {}

    def __getitem__(self, key: str) -> Result:
        return self._results[key]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._results))

    def __len__(self) -> int:
        return len(self._results)

    def record(
        self,
        key: str,
        found: Estimate | None = None,
        *,
        digits: int = 4,
        unit: str | None = None,
        **numbers: Any,
    ) -> Result:
        """Record one result.

        Parameters
        ----------
        key
            Dotted lower-case words.
        found
            An estimate with everything that belongs to it; an infinite end of its interval is left out.
        digits
            Decimals with which the number is printed.
        unit
            Unit of the number.
        **numbers
            Fields of `Result` by name, in place of an estimate or beside it: ``value`` or ``estimate``, ``std_error``,
            ``statistic``, ``df``, ``p_value``, ``ci_low``, ``ci_high``, ``n_obs``, ``n_entities``, ``n_clusters``,
            ``draws``, ``p_error``, ``convention``.

        Raises
        ------
        StudyError
            Key not dotted lower-case words or already taken; not exactly one of estimate and value; a number that is
            not finite; a p-value outside [0, 1]; a negative standard error; an interval upside down.
        TypeError
            A field that a result does not have.
        """
        made = self._where()
        cell = made[0]
        before = self._made.get(key)
        if key in self._results and (before == made or cell is None or before is None or before[0] != cell):
            raise _refusal(key, "a result with this key is already recorded", "give each result its own key")
        given = (_finite_ends(found) if found is not None else {}) | numbers
        unknown = sorted(given.keys() - RECORDED)
        if unknown:
            raise TypeError(f"record() got fields that a result does not have: {', '.join(unknown)}")
        read = {name: _number(key, name, given.get(name)) for name in NUMBERS if name != "value"}
        read |= {name: _count(key, name, given.get(name)) for name in COUNTS}
        value = given.get("value")
        result = Result(
            key=key,
            value=value if isinstance(value, str) else _number(key, "value", value, whole=True),
            convention=given.get("convention"),
            digits=digits,
            unit=unit or None,
            notebook=self.notebook,
            cell=cell,
            **read,
        )
        _check(result)
        self._results[key] = result
        self._made[key] = made
        return result

    def frame(self) -> pd.DataFrame:
        """All results as a table, one row per key, one column per field of `Result`."""
        names = [field.name for field in fields(Result)]
        return pd.DataFrame([asdict(self[key]) for key in self], columns=names)

    def write(self, path: Path) -> Path:
        """Write the results file aside, then rename: a reader never sees half a file."""
        rows = [{name: item for name, item in asdict(self[key]).items() if item is not None} for key in self]
        seals = " ".join(_seal(row) for row in rows)
        content = {"study": self.study, "schema": SCHEMA, "results": rows, "seals": seals}
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        return write_text(path, text)

    def add(self, result: Result) -> None:
        """Take over a result that was recorded elsewhere; its key must be new."""
        if result.key in self._results:
            first = self._results[result.key].notebook
            raise _refusal(
                result.key,
                f"recorded by two notebooks, {first} and {result.notebook}",
                "give one of the two results another key",
            )
        self._results[result.key] = result


def read_results(path: Path) -> Results:
    """Read a results file.

    Raises
    ------
    StudyError
        File missing, not JSON, of another schema, or with a result that does not fit it.
    """
    remedy = "run the study again: it writes the file anew"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(str(path), "the results file is missing", remedy) from None
    except ValueError as error:
        raise StudyError(str(path), f"not a results file ({error})", remedy) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise StudyError(str(path), f"a results file of schema {SCHEMA} is expected", remedy)
    results = Results(study=str(content.get("study", "")))
    for row in content["results"]:
        try:
            result = Result(**row)
            _check(result)
        except (TypeError, StudyError) as error:
            raise StudyError(str(path), f"a result does not fit the schema ({error})", remedy) from None
        results.add(result)
    return results


def find_edits(path: Path) -> list[str]:
    """Keys of the results in a file that are not as they were written, by their seals; none for a file without seals.

    Raises
    ------
    StudyError
        The file is no results file.
    """
    read_results(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    rows, seals = content["results"], str(content.get("seals", "")).split()
    if not seals:
        return []
    if len(rows) != len(seals):
        return [f"{len(rows)} results stand where {len(seals)} were written"]
    return [row["key"] for row, seal in zip(rows, seals, strict=True) if _seal(row) != seal]


def _seal(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:8]


def join_results(folder: Path, notebooks: Sequence[str] | None = None) -> Results:
    """Join what the notebooks of a run recorded.

    Parameters
    ----------
    folder
        Run folder; the parts are ``run/results/<notebook>.json`` in it.
    notebooks
        Names of the notebooks whose parts belong to the run; all parts that are there when left out.

    Raises
    ------
    StudyError
        A part is missing, belongs to another study, or repeats a key of another part.
    """
    parts = folder / "run" / "results"
    names = sorted(path.stem for path in parts.glob("*.json")) if notebooks is None else sorted(notebooks)
    if not names:
        raise StudyError(str(parts), "no notebook has left results", "run the study first")
    merged = Results()
    for name in names:
        part = read_results(parts / f"{name}.json")
        merged.study = merged.study or part.study
        if part.study != merged.study:
            raise StudyError(
                str(parts / f"{name}.json"), f"belongs to the study {part.study!r}", f"expected {merged.study!r}"
            )
        for result in part.values():
            merged.add(result)
    return merged


def _finite_ends(found: Estimate) -> dict[str, Any]:
    """The fields of an estimate; an end of an interval at infinity is no number and is left out."""
    given = {name: getattr(found, name) for name in ESTIMATE_FIELDS}
    for end in ("ci_low", "ci_high"):
        if given[end] is not None and not math.isfinite(given[end]):
            given[end] = None
    return given


def is_number(item: Any) -> bool:
    """Whether a field of a result is a number."""
    return isinstance(item, int | float) and not isinstance(item, bool)


def _number(key: str, name: str, item: Any, *, whole: bool = False) -> Any:
    """A plain Python float (or int, where whole numbers stay whole) from any real scalar."""
    if item is None:
        return None
    if isinstance(item, bool | np.bool_) or not isinstance(item, int | float | np.integer | np.floating):
        raise _refusal(key, f"{name} is not a number: {item!r}", "record a plain number")
    return int(item) if whole and isinstance(item, int | np.integer) else round_number(float(item))


def _count(key: str, name: str, item: Any) -> int | None:
    number = _number(key, name, item, whole=True)
    if number is None:
        return None
    if not math.isfinite(number) or number < 0 or number != int(number):
        raise _refusal(key, f"{name} is not a count: {item!r}", "record a whole number, 0 or more")
    return int(number)


def _check(result: Result) -> None:
    key = result.key
    if not isinstance(key, str) or not KEY.match(key):
        raise _refusal(str(key), "a key is dotted lower-case words", "write it like group.row.variable")
    if (result.estimate is None) == (result.value is None):
        raise _refusal(key, "a result has either an estimate or a value", "give exactly one of the two")
    for name in NUMBERS:
        item = getattr(result, name)
        if is_number(item) and not math.isfinite(item):
            raise _refusal(key, f"{name} is not finite ({item})", "find the gap or the division by zero behind it")
    if result.p_value is not None and not 0 <= result.p_value <= 1:
        raise _refusal(key, f"p_value is {result.p_value}", "a p-value lies between 0 and 1")
    if result.std_error is not None and result.std_error < 0:
        raise _refusal(key, f"std_error is {result.std_error}", "a standard error is 0 or more")
    if result.ci_low is not None and result.ci_high is not None and result.ci_low > result.ci_high:
        raise _refusal(key, "the interval is upside down", "ci_low is the smaller end")
    if isinstance(result.digits, bool) or not isinstance(result.digits, int) or not 0 <= result.digits <= 15:
        raise _refusal(key, f"digits is {result.digits!r}", "give a whole number of decimals, 0 to 15")


def _refusal(key: str, rule: str, remedy: str) -> StudyError:
    return StudyError(f"result {key}", rule, remedy)
