"""An assignment: the teacher's numbers, kept as digests, and a student's results compared with them as printed.

A digest says whether a printed number is the right one and does not say which it would have been. Printed digits are
few, so that each digest is made slow to guess; whoever tries all numbers still finds them, and had better do the
exercise.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from helpers.display.prose import format_number
from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.results import Result, Results

SCHEMA = 1
ROUNDS = 50_000
FIELDS = ("estimate", "value", "std_error", "p_value", "n_obs")
Verdict = Literal["right", "another number", "missing"]


@dataclass(frozen=True)
class Grade:
    """A student's results beside the teacher's.

    Attributes
    ----------
    verdicts
        Result and field -> whether it is printed as the teacher's.
    """

    verdicts: dict[str, Verdict]

    @property
    def right(self) -> int:
        """How many are right."""
        return sum(verdict == "right" for verdict in self.verdicts.values())


def write_gold(results: Results, patterns: Sequence[str], path: Path) -> int:
    """Write digests of the printed numbers of the results whose keys match a pattern.

    Parameters
    ----------
    results
        The teacher's.
    patterns
        Keys with ``*``, such as ``baseline.twoway_fe_controls.*``.
    path
        Where the file goes; it may be handed to students.

    Returns
    -------
    int
        How many numbers it holds.

    Raises
    ------
    StudyError
        No result matches, or the file is there and is something else.
    """
    if path.exists():
        _read_gold(path)
    chosen = [key for key in results if any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)]
    if not chosen:
        raise StudyError(", ".join(patterns), "no result has such a key", "look at results.json for the keys")
    salt = secrets.token_hex(16)
    digests = {name: _digest(salt, name, text) for key in chosen for name, text in _printed(results[key])}
    content = {"schema": SCHEMA, "salt": salt, "rounds": ROUNDS, "digests": digests}
    write_text(path, json.dumps(content, indent=1) + "\n")
    return len(digests)


def grade(results: Results, path: Path) -> Grade:
    """Compare results with a file of digests.

    Raises
    ------
    StudyError
        The file is missing or is no such file.
    """
    salt, digests = _read_gold(path)
    verdicts: dict[str, Verdict] = {}
    for name, digest in digests.items():
        key, _, field = name.rpartition(":")
        texts = dict(_printed(results[key])) if key in results else {}
        found = texts.get(name)
        same = found is not None and secrets.compare_digest(_digest(salt, name, found), digest)
        verdicts[f"{key} {field}"] = "right" if same else "another number" if found is not None else "missing"
    return Grade(verdicts)


def _read_gold(path: Path) -> tuple[str, dict[str, str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(content["schema"])
        digests = {str(name): str(digest) for name, digest in content["digests"].items()}
        if content["rounds"] != ROUNDS or not digests or not all(name.isprintable() for name in digests):
            raise ValueError(content["rounds"])
        return str(content["salt"]), digests
    except FileNotFoundError:
        raise StudyError(str(path), "there is no such file", "ask for the file of the assignment") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StudyError(str(path), "it is no file of an assignment", "make it with `study grade --write`") from None


def _printed(result: Result) -> Iterable[tuple[str, str]]:
    """The numbers of a result as they are printed: name with field, and text."""
    for field in FIELDS:
        number = getattr(result, field)
        if number is not None:
            digits = 3 if field == "p_value" else result.digits
            yield f"{result.key}:{field}", format_number(number, digits)


def _digest(salt: str, name: str, text: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", text.encode(), f"{salt}{name}".encode(), ROUNDS).hex()
