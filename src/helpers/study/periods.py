"""The periods of a panel, as whole numbers that count them and as people write them.

A period is kept as a whole number in which neighbours differ by 1, so that a lag is a lag by the calendar: the year
itself, 4 y + q - 1 for a quarter, 12 y + m - 1 for a month, the day's number for a date. It is printed as it was
written: 2019Q1, 2019-01, 2015/16.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

Kind = Literal["year", "fiscal_year", "half_year", "quarter", "month", "day", "period"]

_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("quarter", re.compile(r"(\d{4})Q([1-4])")),
    ("half_year", re.compile(r"(\d{4})H([12])")),
    ("fiscal_year", re.compile(r"(\d{4})/(\d{2})")),
    ("day", re.compile(r"(\d{4})-(\d{2})-(\d{2})")),
    ("month", re.compile(r"(\d{4})-(0[1-9]|1[0-2])")),
    ("year", re.compile(r"(\d{1,7})")),
)
PARTS: dict[Kind, int] = {"half_year": 2, "quarter": 4, "month": 12}
"""Periods of a year, for the kinds that divide it."""

WORDS: dict[Kind, tuple[str, str]] = {
    "year": ("Year", "年份"),
    "fiscal_year": ("Year", "年度"),
    "half_year": ("Half-year", "半年"),
    "quarter": ("Quarter", "季度"),
    "month": ("Month", "月份"),
    "day": ("Date", "日期"),
    "period": ("Period", "时期"),
}
"""What a period of each kind is called in the two languages."""


def count_period(kind: Kind, year: int, part: int = 1) -> int:
    """The number of a year, or of its part (from 1)."""
    return year * PARTS[kind] + part - 1 if kind in PARTS else year


def show_period(code: int, kind: Kind) -> str:
    """A period as it is printed: 2019Q1, 2019H1, 2019-01, 2015/16, 2014-12-31, 2015."""
    if kind == "fiscal_year":
        return f"{code}/{(code + 1) % 100:02d}"
    if kind == "day":
        return date.fromordinal(code).isoformat()
    if kind not in PARTS:
        return str(code)
    year, part = divmod(code, PARTS[kind])
    return f"{year}-{part + 1:02d}" if kind == "month" else f"{year}{'H' if kind == 'half_year' else 'Q'}{part + 1}"


def read_period(text: str, kind: Kind) -> int | None:
    """The number of a period that is written as :func:`show_period` writes it; None for anything else."""
    wanted = "year" if kind == "period" else kind
    pattern = next(pattern for name, pattern in _FORMS if name == wanted)
    match = pattern.fullmatch(text)
    if match is None:
        return None
    if kind == "day":
        try:
            return date.fromisoformat(text).toordinal()
        except ValueError:
            return None
    year, *rest = map(int, match.groups())
    if kind == "fiscal_year":
        return year if rest[0] == (year + 1) % 100 else None
    return count_period(kind, year, *rest)


def _count(content: Any) -> Any:
    """What a study file may hold where a period is meant: a number, or a period as it is printed."""
    if isinstance(content, date):
        return content.toordinal()
    if isinstance(content, str):
        found = (read_period(content, kind) for kind, _ in _FORMS if kind != "year")
        return next((code for code in found if code is not None), content)
    return content


Period = Annotated[
    int,
    BeforeValidator(_count),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "2015, 2019Q1, 2019-01"}),
]
"""A period in a study file: ``2015``, ``2019Q1``, ``2019H1``, ``2019-01``, ``2015/16`` or ``2014-12-31``."""
