"""Periods written as decimal numbers, as plain ones: parts of a year (1995.25), or waves counted from their middle."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from helpers.reading.shapes import Flat
from helpers.reading.times import YEARS, find_kind, is_time_word
from helpers.study.periods import PARTS, Kind, count_period, show_period

# Decimals of a year are rounded, those of a month to two digits or more (0.08).
ROUNDED = 0.05
MOST_WAVES = 100
LAST_CENTURY = range(40, 100)
PART_KINDS: tuple[Kind, ...] = ("half_year", "quarter", "month")

_DECIMAL = re.compile(r"[-+−]?\d+(?:\.\d+)?")

Numbers = dict[str, tuple[int, float]]
"""Cell -> the whole number below it, and its share of one, from 0 to below 1."""


def spell_times(flat: Flat, said: str | None) -> Flat:
    """The table with the decimals of its column of periods as plain periods, and what was understood.

    The column is the one that the person says, or those whose headings say so where none of them holds plain periods.
    The whole column decides what its decimals are: numbers at one distance from whole ones, some of them below zero
    (-2.5, -1.5, 0.5), are waves counted from their middle, and become 1, 2, 3; years whose decimals are halves,
    quarters or twelfths are half-years, quarters or months.
    """
    names = [name for name in flat.columns if name == said or (said is None and is_time_word(name))]
    read = {name: _read_numbers(flat.columns[name]) for name in names}
    if any(find_kind(flat.columns[name], name) and not _has_decimals(read[name]) for name in names):
        return flat
    columns, told = dict(flat.columns), list(flat.told)
    for name, numbers in read.items():
        spelt = _as_parts(numbers) or _as_waves(numbers)
        if spelt:
            columns[name] = [spelt[cell] for cell in flat.columns[name]]
            low, high = min(numbers, key=numbers.__getitem__), max(numbers, key=numbers.__getitem__)
            told.append(f"periods in decimals: {low} to {high} are read as {spelt[low]} to {spelt[high]}")
    return replace(flat, columns=columns, told=tuple(told))


def _read_numbers(cells: list[str]) -> Numbers:
    """The distinct cells as numbers; none where one of them is not."""
    distinct = set(cells)
    if len(distinct) < 2 or not all(map(_DECIMAL.fullmatch, distinct)):
        return {}
    values = {cell: float(cell.replace("−", "-")) for cell in distinct}
    return {cell: (math.floor(value), value - math.floor(value)) for cell, value in values.items()}


def _has_decimals(numbers: Numbers) -> bool:
    return any(share for _, share in numbers.values())


def _as_parts(numbers: Numbers) -> dict[str, str]:
    """Years with decimals as half-years, quarters or months, the coarsest that fits; nothing where they are none."""
    years = {cell: whole + (1900 if whole in LAST_CENTURY else 0) for cell, (whole, _) in numbers.items()}
    shares = {share for _, share in numbers.values()}
    fits = [kind for kind in PART_KINDS if all(_is_multiple(share, PARTS[kind]) for share in shares)]
    if len(shares) < 2 or not fits or any(year not in YEARS for year in years.values()):
        return {}
    kind, parts = fits[0], PARTS[fits[0]]
    counts = {cell: parts * years[cell] + round(share * parts) for cell, (_, share) in numbers.items()}
    return {cell: show_period(count_period(kind, n // parts, n % parts + 1), kind) for cell, n in counts.items()}


def _is_multiple(share: float, parts: int) -> bool:
    return abs(share * parts - round(share * parts)) <= ROUNDED


def _as_waves(numbers: Numbers) -> dict[str, str]:
    """Waves from 1 on; nothing where the numbers are none."""
    wholes, shares = zip(*numbers.values(), strict=True) if numbers else ((0,), (0.0,))
    if max(shares) - min(shares) > 1e-9 or min(wholes) >= 0 or max(wholes) - min(wholes) >= MOST_WAVES:
        return {}
    return {cell: str(whole - min(wholes) + 1) for cell, (whole, _) in numbers.items()}
