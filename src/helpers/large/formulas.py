"""The study file's formulas as queries: each call becomes a column of a query over the one before it.

The tree is that of :mod:`helpers.study.formula`, so that one parser decides what a formula may hold. The text of a
query is made of this module's own names (``v0``, ``c0``) and of numbers alone; no word of a formula gets into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from helpers.errors import StudyError
from helpers.large.panel import LargePanel
from helpers.study.formula import Call, Formula, Name, Node, Number, Operation, check_columns

_OWN = "PARTITION BY entity ORDER BY time"
_REMEDY = "correct the figure in the raw file, or the formula"


@dataclass
class _Query:
    """Layers of columns over the rows of a panel, and what must not be true of any row, in order of evaluation."""

    measures: Mapping[str, str]
    times: tuple[int, ...]
    sample: str
    layers: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    where: str = ""

    def add(self, expression: str) -> str:
        """A further column; its name."""
        name = f"c{len(self.layers)}"
        self.layers.append((name, expression))
        return name

    def forbid(self, condition: str, rule: str) -> None:
        """A row of which the condition is true stops the run."""
        self.faults.append((condition, self.where, rule))

    def text(self) -> str:
        """The query of all columns; one layer in another, since a window may not stand in a window."""
        places = ", ".join(f"({time}, {place})" for place, time in enumerate(self.times, start=1))
        text = f"SELECT * FROM panel JOIN (VALUES {places}) AS times(time, place) USING (time)"  # noqa: S608 - own names and numbers
        for name, expression in self.layers:
            text = f"SELECT *, CAST({expression} AS DOUBLE) AS {name} FROM ({text})"  # noqa: S608 - as above
        return text


def add_formulas(panel: LargePanel, formulas: Mapping[str, Formula], *, sample: str | None = None) -> LargePanel:
    """Work formulas out for every row of a panel on disk; the results are further measures of it.

    The numbers are those of :func:`helpers.study.formula_values.evaluate`, and so are the rules that stop.

    Parameters
    ----------
    panel
        From :func:`helpers.large.panel.read_large_panel`, its keys checked.
    formulas
        Name of the new measure -> formula over the measures of the panel.
    sample
        A measure that is 1 in the rows over which ``standardise`` takes mean and standard deviation; all by default.

    Returns
    -------
    LargePanel
        The panel with the new measures behind its own.

    Raises
    ------
    StudyError
        A measure that is not there or has the name already, and at the first entity and time where figures that are
        there give no finite number. The panel is then as it was.
    """
    taken = [name for name in formulas if name in panel.columns]
    if taken:
        raise StudyError(f"formula of {taken[0]}", "the panel has a measure of this name", "give it another name")
    measures = {name: f"v{at}" for at, name in enumerate(panel.columns)}
    times = panel.connection.execute("SELECT DISTINCT time FROM panel ORDER BY time").fetchall()
    query = _Query(measures, tuple(int(time) for (time,) in times), "TRUE")
    if sample is not None:
        panel.column(sample)
        query.sample = f"coalesce({measures[sample]} = 1, FALSE)"
    found = {}
    for name, formula in formulas.items():
        check_columns(formula, panel.columns)
        query.where = formula.where
        found[name] = _compile(formula.root, query)
    _keep(panel, query, list(found.values()))
    return replace(panel, columns=(*panel.columns, *found))


def _keep(panel: LargePanel, query: _Query, found: list[str]) -> None:
    """Make the columns, look for rows that stop, and put the table in the place of the panel's."""
    database, first = panel.connection, len(panel.columns)
    own = ", ".join(["entity", "time", *query.measures.values()])
    new = ", ".join(f"{column} AS v{first + at}" for at, column in enumerate(found))
    marks = "".join(f" WHEN {condition} THEN {at}" for at, (condition, _, _) in enumerate(query.faults))
    fault = f"CASE{marks} END" if marks else "NULL"
    database.execute(f"CREATE OR REPLACE TABLE derived AS SELECT {own}, {new}, {fault} AS fault FROM ({query.text()})")  # noqa: S608 - own names and numbers
    try:
        _stop_at_fault(panel, query)
    except StudyError:
        database.execute("DROP TABLE derived")
        raise
    database.execute("DROP TABLE panel")
    database.execute("ALTER TABLE derived DROP COLUMN fault")
    database.execute("ALTER TABLE derived RENAME TO panel")


def _stop_at_fault(panel: LargePanel, query: _Query) -> None:
    row = panel.connection.execute(
        "SELECT fault, count(*), min((entity, time)) FROM derived WHERE fault IS NOT NULL "
        "GROUP BY fault ORDER BY fault LIMIT 1"
    ).fetchone()
    if row is not None:
        fault, count, (entity, time) = row
        _, where, rule = query.faults[fault]
        more = f" (and {count - 1} more rows)" if count > 1 else ""
        raise StudyError(f"{where}, {panel.entity} {entity}, {panel.time} {time}{more}", rule, _REMEDY)


def _compile(node: Node, query: _Query) -> str:
    """The column that holds a node's value."""
    match node:
        case Number(number):
            return f"CAST({number!r} AS DOUBLE)"
        case Name(name):
            column = query.measures[name]
        case Operation(operator, left, right):
            column = _operate(operator, _compile(left, query), _compile(right, query), query)
        case Call(function, arguments, whole):
            column = _call(function, [_compile(item, query) for item in arguments], whole, query)
    query.forbid(f"isinf({column})", "the result is too large for a number")
    return column


def _operate(operator: str, a: str, b: str, query: _Query) -> str:
    if operator != "/":
        return query.add(f"{a} {operator} {b}")
    query.forbid(f"({b} = 0 AND {a} IS NOT NULL)", "a division by zero")
    return query.add(f"CASE WHEN {b} <> 0 THEN {a} / {b} END")


def _call(function: str, columns: list[str], whole: int, query: _Query) -> str:
    x = columns[0]
    match function:
        case "log":
            query.forbid(f"{x} <= 0", "a logarithm of a number that is not positive")
            return query.add(f"CASE WHEN {x} > 0 THEN ln({x}) END")
        case "lag":
            return query.add(_lag(x, whole))
        case "diff":
            return query.add(f"{x} - {_lag(x, 1)}")
        case "at":
            _check_time(whole, query)
            return query.add(f"max(CASE WHEN time = {whole} THEN {x} END) OVER (PARTITION BY entity)")
        case "cumprod":
            return query.add(f"CASE WHEN count({x}) OVER ({_OWN}) = place THEN product({x}) OVER ({_OWN}) END")
        case "deflate":
            return _deflate(x, columns[1], whole, query)
        case "interpolate":
            return _interpolate(x, query)
        case _:
            return _standardise(x, query)


def _lag(x: str, periods: int) -> str:
    """By calendar time: the one row that lies so many periods back, none where it is not there."""
    return f"max({x}) OVER ({_OWN} RANGE BETWEEN {periods} PRECEDING AND {periods} PRECEDING)"


def _check_time(time: int, query: _Query) -> None:
    if time not in query.times:
        rule = f"at asks for the time {time}, and the panel holds {query.times[0]} to {query.times[-1]}"
        raise StudyError(query.where, rule, "name a time that is read (time.read_from), or correct the formula")


def _deflate(x: str, price: str, base: int, query: _Query) -> str:
    """Divided by the chain of the price index, which is unbroken where it has as many figures as periods."""
    first, last = query.times[0], query.times[-1]
    rule = (
        f"the base {base} of deflate is not among the times {first} to {last}"
        if base not in query.times
        else "deflate needs consecutive times, and the panel leaves some out"
        if last - first + 1 != len(query.times)
        else ""
    )
    if rule:
        raise StudyError(query.where, rule, "choose a base within the panel, and read every period")
    query.forbid(f"{price} <= 0", "a price index that is not positive")
    factor = query.add(f"{price} / 100")
    after, before = (f"CASE WHEN time {sign} {base} THEN {factor} END" for sign in (">", "<="))
    later = "PARTITION BY entity ORDER BY time DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    chain = query.add(
        f"CASE WHEN time = {base} THEN 1 "
        f"WHEN time > {base} AND count({after}) OVER ({_OWN}) = time - {base} THEN product({after}) OVER ({_OWN}) "
        f"WHEN time < {base} AND count({before}) OVER ({later}) = {base} - time "
        f"THEN 1 / product({before}) OVER ({later}) END"
    )
    return query.add(f"{x} / {chain}")


def _interpolate(x: str, query: _Query) -> str:
    when = query.add(f"CASE WHEN {x} IS NOT NULL THEN time END")
    sides = {"last_value": f"({_OWN})", "first_value": f"({_OWN} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"}
    (left, t0), (right, t1) = (
        [query.add(f"{function}({item} IGNORE NULLS) OVER {rows}") for item in (x, when)]
        for function, rows in sides.items()
    )
    return query.add(f"coalesce({x}, {left} + ({right} - {left}) / ({t1} - {t0}) * (time - {t0}))")


def _standardise(x: str, query: _Query) -> str:
    counted = query.add(f"CASE WHEN {query.sample} THEN {x} END")
    spread = query.add(f"stddev_samp({counted}) OVER (PARTITION BY time)")
    query.forbid(f"({counted} IS NOT NULL AND coalesce({spread}, 0) = 0)", "figures of one time that do not differ")
    return query.add(
        f"CASE WHEN {spread} > 0 THEN ({counted} - avg({counted}) OVER (PARTITION BY time)) / {spread} END"
    )
