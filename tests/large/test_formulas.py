"""Formulas as queries: the numbers and the refusals of the evaluation in memory.

Tolerance: 1e-10 relative to the largest figure of a column (products and sums in another order). The evaluation in
memory shares the parser with the queries and no arithmetic; hand-worked numbers stand in `tests/cleaning/test_formula.py`.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import StudyError
from helpers.large.formulas import add_formulas
from helpers.large.panel import LargePanel, read_large_panel
from helpers.study.formula import parse_formula
from helpers.study.formula_values import evaluate

COLUMNS = ("x", "y", "p")
ONE = ("lag({})", "lag({}, 2)", "diff({})", "log({})", "cumprod({})", "interpolate({})", "at({}, 2003)", "-{}")
ONE_MORE = ("standardise({})", "deflate({}, p, 2003)", "({} / 3)")
TWO = ("({} + {})", "({} - {})", "({} * {})", "({} / {})")


def nest(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.tuples(st.sampled_from(ONE + ONE_MORE), inner).map(lambda made: made[0].format(made[1]))
    two = st.tuples(st.sampled_from(TWO), inner, inner).map(lambda made: made[0].format(*made[1:]))
    return one | two


FORMULAS = st.recursive(st.sampled_from([*COLUMNS, "2", ".5"]), nest, max_leaves=5)
# Eighths: sums of a few are exact, so that equal figures have the spread zero either way.
FIGURES = st.integers(-16, 64).map(lambda n: n / 8) | st.just(float("nan"))
PRICES = st.integers(90, 110).map(float) | st.just(float("nan"))


@st.composite
def panels(draw: st.DrawFn) -> pd.DataFrame:
    """Three units and five years, some rows absent, some figures missing; every year stays in the panel."""
    index = pd.MultiIndex.from_product([["A", "B", "C"], range(2001, 2006)], names=["firm", "year"])
    there = [True] * 5 + [draw(st.booleans()) for _ in range(10)]
    figures = {name: [draw(PRICES if name == "p" else FIGURES) for _ in index] for name in COLUMNS}
    figures["s"] = [float(draw(st.booleans())) for _ in index]
    return pd.DataFrame(figures, index=index)[there]


def on_disk(texts: Sequence[str], panel: pd.DataFrame, sample: str | None = None) -> list[np.ndarray | str]:
    """The values of each formula over the same panel, or why there are none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        panel.reset_index().to_parquet(folder / "panel.parquet")
        with read_large_panel(folder / "panel.parquet", folder / "run", entity="firm", time="year") as large:
            return [attempt(lambda text=text: work_out(large, text, sample)) for text in texts]  # type: ignore[misc]


def work_out(large: LargePanel, text: str, sample: str | None) -> np.ndarray:
    made = add_formulas(large, {"made": parse_formula(text)}, sample=sample)
    found = made.table().order("entity, time").df()[f"v{len(large.columns)}"].to_numpy(dtype=float)
    large.connection.execute(f"ALTER TABLE panel DROP COLUMN v{len(large.columns)}")
    return found


def attempt(work: Callable[[], np.ndarray | pd.Series]) -> np.ndarray | str:
    try:
        return np.asarray(work(), dtype=float)
    except StudyError as error:
        return str(error)


@settings(max_examples=25, deadline=None)
@given(st.lists(FORMULAS, min_size=4, max_size=4), panels(), st.booleans())
def test_any_formula_gives_what_it_gives_in_memory(texts: list[str], panel: pd.DataFrame, sampled: bool) -> None:
    rows = panel["s"] == 1 if sampled else None
    for text, found in zip(texts, on_disk(texts, panel, "s" if sampled else None), strict=True):
        expected = attempt(lambda text=text: evaluate(parse_formula(text), panel, rows))  # type: ignore[misc]
        if isinstance(expected, str) or isinstance(found, str):
            assert found == expected
        else:
            scale = max(1.0, float(np.nanmax(np.abs(expected), initial=0)))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * scale)


def plain() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["A", "B"], [2015, 2016, 2017]], names=["firm", "year"])
    return pd.DataFrame({"x": [1.0, 2, 4, 10, 30, 60], "y": [2.0, 2, 2, 5, 5, 5]}, index=index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lag(x + y, 2)", [np.nan, np.nan, 3, np.nan, np.nan, 15]),
        ("diff(lag(x))", [np.nan, np.nan, 1, np.nan, np.nan, 20]),
        ("cumprod(y)", [2, 4, 8, 5, 25, 125]),
        ("at(x, 2016) / 2", [1, 1, 1, 15, 15, 15]),
    ],
)
def test_numbers_worked_out_by_hand(text: str, expected: list[float]) -> None:
    np.testing.assert_allclose(np.asarray(on_disk([text], plain())[0], dtype=float), np.asarray(expected), rtol=1e-12)


def test_a_lag_reaches_over_no_gap() -> None:
    np.testing.assert_equal(on_disk(["lag(x)"], plain().drop(("A", 2016)))[0], [np.nan, np.nan, np.nan, 10, 30])


@pytest.mark.parametrize(
    "text",
    ["log(x - 10)", "x / (y - 5)", "cumprod(" + "1e15 * " * 14 + "x)"],
)
def test_a_refusal_is_that_of_memory_and_leaves_the_panel(text: str, tmp_path: Path) -> None:
    plain().reset_index().to_parquet(tmp_path / "panel.parquet")
    with read_large_panel(tmp_path / "panel.parquet", tmp_path / "run", entity="firm", time="year") as large:
        with pytest.raises(StudyError) as told:
            add_formulas(large, {"made": parse_formula(text, "study.yml, made")})
        assert large.table().columns == ["entity", "time", "v0", "v1"]
    with pytest.raises(StudyError) as expected:
        evaluate(parse_formula(text, "study.yml, made"), plain())
    assert str(told.value) == str(expected.value)


def test_a_measure_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    plain().reset_index().to_parquet(tmp_path / "panel.parquet")
    with (
        read_large_panel(tmp_path / "panel.parquet", tmp_path / "run", entity="firm", time="year") as large,
        pytest.raises(StudyError, match="of this name"),
    ):
        add_formulas(large, {"x": parse_formula("y")})
