"""Two runs side by side, number by number: reproduced, differs, or cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from helpers.results.numbers import (
    RULES,
    WORDS,
    Number,
    Run,
    Table,
    find_keys,
    is_number,
    list_cells,
    list_results,
    number_rows,
)

REPRODUCED, DIFFERS, CANNOT_SAY = "reproduced", "differs", "cannot say"
LEVELS = (0.01, 0.05, 0.10)
SIGNIFICANT = 6
P_DIGITS = 3
NOTHING = 1e-12
"""Two numbers nearer to zero than this are both zero: the rest is rounding of sums of numbers around one."""
UNNAMED = "no named notebook"
BESIDE = 3
"""Words that are shown before and after what differs in two texts."""
TIE = 0.01
"""Units of the last printed digit: nearer than this, two numbers are the same although a tie is rounded two ways."""


@dataclass(frozen=True)
class Judged:
    """One number of the reference, of the new run, or of both.

    Attributes
    ----------
    old, new
        In the reference and in the new run; None where it is missing.
    answer
        `REPRODUCED`, `DIFFERS` or `CANNOT_SAY`.
    reason
        Why it is not reproduced; empty if it is.
    relative
        ``|new - old| / max(|old|, |new|)``, None where one is no number.
    units
        Difference in units of the last printed digit (of the sixth significant one in a table).
    std_errors
        Difference in the reference's standard errors.
    """

    old: Number | None
    new: Number | None
    answer: str
    reason: str = ""
    relative: float | None = None
    units: float | None = None
    std_errors: float | None = None

    @property
    def number(self) -> Number:
        """The reference's number, or else the new one: its name, kind and place."""
        number = self.old or self.new
        assert number is not None
        return number

    @property
    def is_word(self) -> bool:
        """Whether it is a verdict or an order and no number."""
        return self.number.kind in WORDS

    @property
    def flips(self) -> bool:
        """Whether a reader would read another finding: another verdict or sign, a p-value across a level."""
        if self.answer != DIFFERS:
            return False
        return self.number.kind == "verdict" or self.reason.startswith(("it crosses", "its sign"))


@dataclass(frozen=True)
class Comparison:
    """Every number of two runs, judged."""

    judged: tuple[Judged, ...]

    @cached_property
    def numbers(self) -> Counter[str]:
        """Answer -> how many numbers."""
        return Counter(item.answer for item in self.judged if not item.is_word)

    @cached_property
    def words(self) -> Counter[str]:
        """Answer -> how many verdicts and orders of rows."""
        return Counter(item.answer for item in self.judged if item.is_word)

    @cached_property
    def kinds(self) -> dict[str, Counter[str]]:
        """Kind -> answer -> how many, in the order of the rules."""
        found: dict[str, Counter[str]] = {}
        for item in self.judged:
            found.setdefault(item.number.kind, Counter())[item.answer] += 1
        return {kind: found[kind] for kind in RULES if kind in found}

    @property
    def complete(self) -> bool:
        """Whether every number, verdict and order came out again, and there was at least one."""
        return bool(self.judged) and not self.left

    @cached_property
    def left(self) -> tuple[Judged, ...]:
        """What was not reproduced: what flips first, then what else differs, then what cannot be said."""
        left = [item for item in self.judged if item.answer != REPRODUCED]
        return tuple(sorted(left, key=lambda item: (item.answer != DIFFERS, not item.flips)))

    @cached_property
    def where(self) -> dict[str, int]:
        """Notebook -> how many of its numbers were not reproduced, in the order of the notebooks."""
        found = Counter((item.new or item.number).notebook or item.number.notebook or UNNAMED for item in self.left)
        return dict(sorted(found.items()))

    @cached_property
    def furthest(self) -> Judged | None:
        """The largest relative difference, reproduced or not; None when no two numbers differ at all."""
        moved = [item for item in self.judged if item.relative]
        return max(moved, key=lambda item: item.relative or 0.0, default=None)


def compare_runs(old: Run, new: Run) -> Comparison:
    """Compare every number of two runs.

    Parameters
    ----------
    old
        The reference.
    new
        The run that is judged by it.
    """
    tables = sorted(old.tables.keys() | new.tables.keys())
    cells = [item for name in tables for item in _compare_tables(name, old.tables.get(name), new.tables.get(name))]
    return Comparison((*_compare(list_results(old.results), list_results(new.results)), *cells))


def _compare(old: Iterable[Number], new: Iterable[Number]) -> Iterator[Judged]:
    first = {(number.row, number.field): number for number in old}
    second = {(number.row, number.field): number for number in new}
    for key in dict.fromkeys([*first, *second]):
        yield judge(first.get(key), second.get(key))


def _compare_tables(name: str, old: Table | None, new: Table | None) -> Iterator[Judged]:
    empty = Table((), ())
    keys = find_keys(old or empty, new or empty) if old and new else ()
    if old and new and keys is None:
        numbered = number_rows(old, new)
        if numbered is None:
            yield from _unmatched(name, old, new)
            return
        old, new, keys = numbered
    places: Mapping[str, Table] = {"old": old or empty, "new": new or empty}
    assert keys is not None
    if not (old and new):
        keys = find_keys(places["old"], places["old"]) or () if old else find_keys(places["new"], places["new"]) or ()
    first, second = (list_cells(name, table, keys) for table in places.values())
    if places["old"].columns == places["new"].columns and places["old"].rows == places["new"].rows:
        yield from (Judged(number, number, REPRODUCED, "", 0.0) for number in second)
    else:
        yield from _compare(first, second)
    if old and new:
        yield from _bare_rows(name, old, new, keys)
    if old and new and len(old.rows) > 1:
        yield _compare_order(name, old, new, keys)


def _unmatched(name: str, old: Table, new: Table) -> Iterator[Judged]:
    """A table whose rows have no names at all: the same row in the same place, or nothing can be said."""
    same = old.columns == new.columns and old.rows == new.rows
    for place, row in enumerate(old.rows):
        for number in list_cells(name, Table(old.columns, (row,), old.notebook, old.cell), ()):
            here = Number(name, f"row {place + 1}", number.field, number.text, number.kind, None, None, old.notebook)
            yield (
                Judged(here, here, REPRODUCED, "", 0.0)
                if same
                else Judged(here, None, CANNOT_SAY, "the rows of the table cannot be told apart")
            )


def _bare_rows(name: str, old: Table, new: Table, keys: tuple[int, ...]) -> Iterator[Judged]:
    """Rows of one table only that are nothing but their own name, so that no cell of theirs is compared."""
    sides = [{tuple(row[place] for place in keys): row for row in table.rows} for table in (old, new)]
    for here, there, side in ((sides[0], sides[1], "the new run"), (sides[1], sides[0], "the reference")):
        for key in sorted(here.keys() - there.keys()):
            if not any(text for place, text in enumerate(here[key]) if place not in keys):
                number = Number(name, ", ".join(key), "row", "", "order of rows", None, None, new.notebook, new.cell)
                yield Judged(number, number, CANNOT_SAY, f"the row is missing in {side}")


def _compare_order(name: str, old: Table, new: Table, keys: tuple[int, ...]) -> Judged:
    """Whether the rows that both tables have stand in the same order."""
    first, second = ([tuple(row[place] for place in keys) for row in table.rows] for table in (old, new))
    shared = set(first) & set(second)
    here = [[row for row in rows if row in shared] for rows in (first, second)]
    number = Number(name, "rows", "order", "", "order of rows", None, None, new.notebook, new.cell)
    if here[0] == here[1]:
        return Judged(number, number, REPRODUCED)
    moved = next((a, b) for a, b in zip(*here, strict=True) if a != b)
    reason = f"the order changes: {', '.join(moved[1])} stands where {', '.join(moved[0])} stood"
    return Judged(number, number, DIFFERS, reason)


def judge(old: Number | None, new: Number | None) -> Judged:
    """Judge one number by the rule of its kind (see `helpers.results.numbers.RULES`)."""
    if old is None or new is None:
        side = "the reference" if old is None else "the new run"
        return Judged(old, new, CANNOT_SAY, f"it is missing in {side}")
    if old.kind in ("verdict", "printed figure") or new.kind in ("verdict", "printed figure"):
        return _judge_words(old, new)
    a, b = float(old.text), float(new.text)
    relative = abs(b - a) / max(abs(a), abs(b)) if max(abs(a), abs(b)) > NOTHING else 0.0
    unit = _unit(old, max(abs(a), abs(b)))
    reason = _reason(old, new, a, b, unit)
    answer = DIFFERS if reason else REPRODUCED
    return Judged(old, new, answer, reason, relative, abs(b - a) / unit, _in_std_errors(old, abs(b - a)))


def _judge_words(old: Number, new: Number) -> Judged:
    if is_number(old.text) != is_number(new.text) and "verdict" in (old.kind, new.kind):
        return Judged(old, new, CANNOT_SAY, "it is a number on one side only")
    if old.text == new.text:
        return Judged(old, new, REPRODUCED)
    before, after = shorten_change(old.text, new.text)
    return Judged(old, new, DIFFERS, f"'{before}' became '{after}'")


def shorten_change(old: str, new: str) -> tuple[str, str]:
    """Two texts from a few words before the first that differs to a few words after the last."""
    one, two = old.split(" "), new.split(" ")
    shorter = min(len(one), len(two))
    start = next((place for place in range(shorter) if one[place] != two[place]), shorter)
    end = next((place for place in range(shorter - start) if one[-1 - place] != two[-1 - place]), shorter - start)
    head, tail = max(0, start - BESIDE), max(0, end - BESIDE)
    pieces = [" ".join(words[head : len(words) - tail]) for words in (one, two)]
    before, after = (f"{'... ' * (head > 0)}{piece}{' ...' * (tail > 0)}" for piece in pieces)
    return before, after


def _reason(old: Number, new: Number, a: float, b: float, unit: float) -> str:
    """Why two numbers are not the same by the rule of their kind; empty if they are."""
    if a == b:
        return ""
    if old.kind in ("count", "rank") and new.kind in ("count", "rank"):
        return "it is another whole number"
    if max(abs(a), abs(b)) < NOTHING:
        return ""
    if old.kind.startswith("p-value"):
        for low, high in pairwise((-1.0, *LEVELS, 2.0)):
            if (low <= a < high) != (low <= b < high):
                return f"it crosses {high:g}"
    elif a * b < 0 and old.kind != "spread":
        return "its sign changes"
    return "" if _same_text(a, b, unit) else "it differs at the digits that are printed"


def _same_text(a: float, b: float, unit: float) -> bool:
    return round(a / unit) == round(b / unit) or abs(a - b) < TIE * unit


def _unit(number: Number, size: float) -> float:
    """One unit of the last digit that counts."""
    if number.kind in ("count", "rank"):
        return 1.0
    if number.digits is None:
        return float(10.0 ** (int(f"{size:e}".partition("e")[2]) + 1 - SIGNIFICANT)) if size else NOTHING
    return float(10.0 ** -(P_DIGITS if number.kind == "p-value" else number.digits))


def _in_std_errors(old: Number, gap: float) -> float | None:
    if old.kind not in ("estimate", "figure in a table") or not old.std_error or old.field == "std_error":
        return None
    return gap / old.std_error if old.field in ("estimate", "value", "indirect_effect") else None
