"""The rules of consistency: for each the places where it applies, whether it holds there, and what is wrong if not."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from helpers.results.numbers import WHOLE, Table, is_number
from helpers.results.results import Result
from helpers.results.rounding import WRITTEN

CLOSE = 1e-6
"""Relative difference up to which two computations of one number agree."""
NOTHING = 1e-9
LEVEL = 0.05
LAST_DF = re.compile(r"\bt\((\d+(?:\.\d+)?)\)$")
DRAWN = re.compile(
    r"draws|bootstrap|permutation|wild|jackknifed|null|Anderson|Romano|percentile|simulated|Holm|Bonferroni|family|adjusted",
    re.IGNORECASE,
)
"""Words of a convention whose p-value or interval does not come from the statistic by a distribution."""
INTERVAL = re.compile(r"^(\w+_)?(ci|bca|ar|wild|null|bootstrap|percentile)_low$")
"""The lower end of an interval; other columns on something low are what they are."""
OTHER_SAMPLE = re.compile(r"\bn counts\b|longer span")
STARRED = re.compile(r"^([-−]?\d+\.\d+)(\*{0,3})$")
BRACKETED = re.compile(r"^\((\d+\.\d+)\)$")
STARS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))


Found = tuple[str, bool, str]
"""Where, whether the rule holds there, and what is wrong if not."""


def check_statistics(results: Mapping[str, Result], _: Mapping[str, Table]) -> Iterator[Found]:
    """A statistic is the estimate divided by its standard error."""
    for result in results.values():
        if result.estimate is not None and result.statistic is not None and result.std_error:
            ratio = result.estimate / result.std_error
            yield _place(result), _close(ratio, result.statistic), f"statistic {result.statistic:.6g}, not {ratio:.6g}"


def check_p_values(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """A p-value follows from the statistic and its distribution."""
    for result in results.values():
        df = _df(result)
        if df is not None and result.statistic is not None and result.p_value is not None:
            yield _compare_p(_place(result), result.p_value, _span_p(str(result.statistic), "t", str(df)))
    for name, table in tables.items():
        if {"statistic", "df", "p_value"} <= set(table.columns):
            for place, row in _rows(name, table):
                span = _span_p(row["statistic"], row.get("distribution", "t"), row["df"])
                if span is not None and is_number(row["p_value"]):
                    yield _compare_p(place, float(row["p_value"]), span)


def _compare_p(place: str, told: float, span: tuple[float, float] | None) -> Found:
    assert span is not None
    low, high = span
    holds = low <= told <= high or _close(told, low) or _close(told, high) or max(told, high) < 1e-12
    return place, holds, f"p {told:.6g}, not {(low + high) / 2:.6g}"


def _span_p(statistic: str, distribution: str, df: str) -> tuple[float, float] | None:
    """Lowest and highest p-value of the numbers that are written as this statistic; None for another distribution.

    With thousands of degrees of freedom the p-value of an F moves a hundred times as much as the statistic.
    """
    degrees = [float(part) for part in df.split(",") if is_number(part.strip())]
    if not is_number(statistic):
        return None
    half = abs(float(statistic)) * 5 * 10.0**-WRITTEN
    ends = [_p_of(float(statistic) + step, distribution, degrees) for step in (-half, half)]
    return None if ends[0] is None or ends[1] is None else (min(ends[0], ends[1]), max(ends[0], ends[1]))


def _p_of(x: float, distribution: str, degrees: list[float]) -> float | None:
    """The p-value of a statistic, two-sided for t and normal; None where the distribution is none of these."""
    from scipy import special

    if distribution == "normal":
        return float(2 * special.ndtr(-abs(x)))
    if distribution == "normal, upper tail":
        return float(special.ndtr(-x))
    if distribution == "t" and len(degrees) == 1:
        return float(2 * special.stdtr(degrees[0], -abs(x)))
    if distribution == "chi2" and len(degrees) == 1:
        return float(special.chdtrc(degrees[0], x))
    if distribution == "F" and len(degrees) == 2:
        return float(special.fdtrc(degrees[0], degrees[1], x))
    return None


def check_intervals(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """An interval holds its estimate, unless it is one of percentiles or of a null; its ends are in order."""
    for result in results.values():
        if result.ci_low is None or result.ci_high is None or not isinstance(result.shown, int | float):
            continue
        if not DRAWN.search(result.convention or "") and result.estimate is not None:
            inside = result.ci_low - NOTHING <= result.shown <= result.ci_high + NOTHING
            yield _place(result), inside, f"{result.shown:.6g} outside [{result.ci_low:.6g}, {result.ci_high:.6g}]"
    for name, table in tables.items():
        stems = [column[:-4] for column in table.columns if INTERVAL.match(column)]
        for place, row in _rows(name, table) if stems else ():
            for low, high in ((row[f"{stem}_low"], row.get(f"{stem}_high", "")) for stem in stems):
                if is_number(low) and is_number(high):
                    yield place, float(low) <= float(high), f"an interval from {low} to {high}"


def check_verdicts_at_zero(results: Mapping[str, Result], _: Mapping[str, Table]) -> Iterator[Found]:
    """An interval leaves out zero exactly when the p-value of the same method is below one in twenty."""
    for result in results.values():
        if result.p_value is None or result.ci_low is None or result.ci_high is None or _df(result) is None:
            continue
        outside = result.ci_low > 0 or result.ci_high < 0
        agree = outside == (result.p_value < LEVEL) or abs(result.p_value - LEVEL) < NOTHING
        yield _place(result), agree, f"p {result.p_value:.6g} with [{result.ci_low:.6g}, {result.ci_high:.6g}]"


def check_words(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """Words of sign and significance follow from the estimate and all p-values of their row, at the study's level.

    The level is recorded as ``FAMILY.significance``; a longer key of that ending is a number of another kind.
    """
    declared = [float(result.shown) for key, result in results.items() if re.fullmatch(r"[^.]+\.significance", key)]
    level = declared[0] if declared else LEVEL
    for name, table in tables.items():
        if not {"estimate", "p_value"} <= set(table.columns):
            continue
        for place, row in _rows(name, table):
            words = [text for text in row.values() if text.endswith(" significant")]
            found = [text for column, text in row.items() if column.endswith("p_value") and is_number(text)]
            if words and is_number(row["estimate"]) and is_number(row["p_value"]):
                sign = "positive" if float(row["estimate"]) > 0 else "negative"
                should = f"{sign}, {'' if max(map(float, found)) < level else 'not '}significant"
                yield place, words == [should], f"'{words[0]}', not '{should}'"


def check_stars(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """Stars follow from the p-value of the recorded result that prints the same estimate and standard error."""
    for name, table in tables.items():
        for above, below in zip(table.rows, table.rows[1:], strict=False):
            for place, text in enumerate(above):
                estimate, spread = STARRED.match(text), BRACKETED.match(below[place]) if place < len(below) else None
                if estimate is None or spread is None or not _tells(estimate[1], spread[1]):
                    continue
                number = estimate[1].replace("−", "-")
                stars = {_stars(result.p_value) for result in results.values() if _prints(result, number, spread[1])}
                if stars:
                    told = f"{text}, where the results say {number}{' or '.join(sorted(stars))}"
                    yield _row_place(name, table, f"{above[0]}, {table.columns[place]}"), estimate[2] in stars, told


def _tells(*texts: str) -> bool:
    """Whether printed numbers have figures enough to be told from others: two each."""
    return all(len(re.sub(r"^[-−0.]+", "", text).replace(".", "")) >= 2 for text in texts)


def _prints(result: Result, estimate: str, std_error: str) -> bool:
    """Whether a result, at the digits of two printed numbers, is these numbers and has a p-value by its statistic."""
    if result.estimate is None or result.std_error is None or result.p_value is None or _df(result) is None:
        return False
    pairs = ((result.estimate, estimate), (result.std_error, std_error))
    return all(f"{number:.{len(text.partition('.')[2])}f}" == text for number, text in pairs)


def _stars(p_value: float | None) -> str:
    assert p_value is not None
    return next((stars for level, stars in STARS if p_value < level), "")


def check_counts(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """Rows are at most entities times periods, those of a regression too, and what was dropped is gone."""
    count = {name: results[f"data.{name}"].value for name in COUNTED if f"data.{name}" in results}
    entities, window, rows = (count.get(name) for name in COUNTED)
    if isinstance(entities, int) and isinstance(window, int) and isinstance(rows, int):
        yield _place(results["data.rows"]), rows <= entities * window, f"{rows} rows of {entities} x {window}"
    periods = max([window if isinstance(window, int) else 0, *map(_count_periods, tables.values())])
    for result in results.values() if periods else ():
        if (
            result.n_obs is not None
            and result.n_entities is not None
            and not OTHER_SAMPLE.search(result.convention or "")
        ):
            told = f"{result.n_obs} rows of {result.n_entities} entities in {periods} periods"
            yield _place(result), result.n_obs <= result.n_entities * periods, told
    for name, table in tables.items():
        if {"rows_left_out", "rows"} <= set(table.columns):
            flow = [(int(row["rows"]), int(row["rows_left_out"]), place) for place, row in _rows(name, table)]
            for (before, _, _), (after, left, place) in pairwise(flow):
                yield place, before - left == after, f"{before} rows without {left} are not {after}"


COUNTED = ("entities", "periods", "rows")


def _count_periods(table: Table) -> int:
    """Periods of a panel, whose first two columns are an entity and a whole number; 0 for another table."""
    pairs = [row[:2] for row in table.rows]
    times = {pair[1] for pair in pairs if len(pair) == 2}
    panel = len(set(pairs)) == len(pairs) > len(times) > 1 and all(WHOLE.match(time) for time in times)
    return len(times) if panel and len({pair[0] for pair in pairs}) > 1 else 0


def check_sums(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """Parts sum to their whole."""
    for key, result in results.items():
        stem, _, last = key.rpartition(".")
        parts = [results.get(f"{stem}.{part}") for part in ("direct_effect", "indirect_effect")]
        if last == "total_effect" and parts[0] and parts[1]:
            yield _sum(_place(result), result.shown, [part.shown for part in parts if part])
    for name, table in tables.items():
        for whole, pieces in _wholes(table.columns).items():
            for place, row in _rows(name, table):
                if all(is_number(row[column]) for column in (whole, *pieces)):
                    yield _sum(place, float(row[whole]), [float(row[column]) for column in pieces])
        if "weight" in table.columns:
            yield from _check_weights(name, table)


def _wholes(columns: tuple[str, ...]) -> dict[str, list[str]]:
    """Column of a total -> columns of its parts: all others of the same stem, or ``figures`` and ``weights``."""
    found = {}
    for column in columns:
        if column.endswith("_total"):
            stem = column.removesuffix("total")
            found[column] = [other for other in columns if other.startswith(stem) and other != column]
    if {"total", "figures", "weights"} <= set(columns):
        found["total"] = ["figures", "weights"]
    return {whole: pieces for whole, pieces in found.items() if len(pieces) > 1}


def _check_weights(name: str, table: Table) -> Iterator[Found]:
    """Weights of one index sum to one."""
    sums: dict[str, float] = defaultdict(float)
    for _, row in _rows(name, table):
        if "index" in row and is_number(row["weight"]):
            sums[row["index"]] += float(row["weight"])
    for index, total in sums.items():
        yield _row_place(name, table, index), abs(total - 1) < CLOSE, f"weights that sum to {total:.9g}"


def _sum(place: str, whole: float | int | str, parts: list[float | int | str] | list[float]) -> Found:
    numbers = [float(part) for part in parts]
    total, largest = math.fsum(numbers), max(map(abs, numbers))  # parts that cancel leave their rounding
    holds = _close(total, float(whole)) or abs(total - float(whole)) <= CLOSE * largest
    return place, holds, f"parts that sum to {total:.9g}, a whole of {float(whole):.9g}"


def check_shares(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """A first-order share of the variance does not exceed the total-order one."""
    for key, result in results.items():
        total = results.get(f"{key.removesuffix('.first')}.total") if key.endswith(".first") else None
        if total is not None:
            yield _share(_place(result), float(result.shown), float(total.shown))
    for name, table in tables.items():
        if {"first", "total"} <= set(table.columns):
            for place, row in _rows(name, table):
                if is_number(row["first"]) and is_number(row["total"]):
                    yield _share(place, float(row["first"]), float(row["total"]))


def _share(place: str, first: float, total: float) -> Found:
    return place, first <= total + NOTHING, f"first-order share {first:.6g}, total {total:.6g}"


def check_evidence(results: Mapping[str, Result], tables: Mapping[str, Table]) -> Iterator[Found]:
    """A number that a table quotes from a result is the result's number."""
    for name, table in tables.items():
        if {"key", "field", "number"} <= set(table.columns):
            for place, row in _rows(name, table):
                result = results.get(row["key"])
                item = getattr(result, "shown" if row["field"] == "number" else row["field"], None)
                if isinstance(item, int | float) and is_number(row["number"]):
                    yield place, _close(float(item), float(row["number"])), f"{row['number']}, not {item!r}"


Check = Callable[[Mapping[str, Result], Mapping[str, Table]], Iterator[Found]]

RULES: dict[str, Check] = {
    "a statistic is the estimate over its standard error": check_statistics,
    "p follows from the statistic and its distribution": check_p_values,
    "an interval holds its estimate": check_intervals,
    "interval and p agree about zero": check_verdicts_at_zero,
    "words of significance follow from p": check_words,
    "stars follow from p": check_stars,
    "rows are entities times periods without the dropped": check_counts,
    "parts sum to their whole": check_sums,
    "a first-order share does not exceed the total": check_shares,
    "a quoted number is the recorded one": check_evidence,
}


def _df(result: Result) -> float | None:
    """Degrees of freedom of the t distribution that p-value and interval rest on; None where they rest on draws."""
    convention = result.convention or ""
    if result.draws is not None or DRAWN.search(convention) or result.statistic is None:
        return None
    if result.df is not None:
        return result.df
    told = LAST_DF.search(convention)
    return float(told[1]) if told and "." not in told[1] else None  # a printed fraction is rounded


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(abs(a), abs(b)) + 1e-12


def _rows(name: str, table: Table) -> Iterator[tuple[str, dict[str, str]]]:
    for number, row in enumerate(table.rows, start=1):
        label = next((text for text in row if text and not is_number(text)), f"row {number}")
        yield _row_place(name, table, label), dict(zip(table.columns, row, strict=False))


def _row_place(name: str, table: Table, label: str) -> str:
    return f"{table.notebook or 'a notebook'} {table.cell or ''}".strip() + f", table {name}, {label}"


def _place(result: Result) -> str:
    return f"{result.notebook or 'a notebook'} {result.cell or ''}".strip() + f", result {result.key}"
