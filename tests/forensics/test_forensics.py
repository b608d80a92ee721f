"""Which convention made published weights.

The weights to be found again are made here in NumPy, by code that shares nothing with the module. The printed example of
weights turned upside down (0.085 / 0.186 / 0.729 become 0.399 / 0.373 / 0.228) is of two public programs that pool the
shares over all rows and divide by ln T. Tolerance: the printed digits.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cli import main
from helpers.errors import StudyError
from helpers.forensics.forensics import find_alarms, identify_scores, identify_weights

ENTITIES, TIMES = 12, 5


def a_table(seed: int = 3) -> pd.DataFrame:
    rows = pd.MultiIndex.from_product([[f"p{number}" for number in range(ENTITIES)], range(2015, 2020)])
    figures = np.exp(np.random.default_rng(seed).normal(size=(len(rows), 3)) * [0.5, 1.0, 1.5])
    return pd.DataFrame(figures.round(4), index=rows, columns=["a", "b", "c"])


def weigh(scores: np.ndarray, k: float, shift: float = 0.0) -> np.ndarray:
    """Weights with shares over all rows, to four decimals."""
    shares = (scores + shift) / (scores + shift).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -k * np.nansum(shares * np.log(shares), axis=0)
    return ((1 - entropy) / (1 - entropy).sum()).round(4)


def scaled(table: pd.DataFrame, flipped: int | None = None) -> np.ndarray:
    matrix = table.to_numpy()
    scores = (matrix - matrix.min(axis=0)) / (matrix.max(axis=0) - matrix.min(axis=0))
    if flipped is not None:
        scores[:, flipped] = 1 - scores[:, flipped]
    return scores


@pytest.mark.parametrize(
    ("k", "factor"),
    [
        (1 / np.log(ENTITIES * TIMES), "1 / ln(rows)"),
        (1 / np.log(ENTITIES), "1 / ln(entities)"),
        (1 / np.log(TIMES), "1 / ln(periods)"),
    ],
)
@pytest.mark.parametrize("shift", [0.0, 0.01])
def test_factor_and_shift_are_found_again(k: float, factor: str, shift: float) -> None:
    table = a_table()
    weights = dict(zip("abc", weigh(scaled(table), k, shift), strict=True))
    fitting = identify_weights(table, weights, {"a": 1, "b": 1, "c": 1}).fitting
    assert set(zip(fitting["factor"], fitting["scaling"], fitting["pooling"], strict=True)) == {
        (factor, "min_max", "all rows")
    }
    # A millionth that is added to every score cannot be told from nothing at four decimals.
    assert shift in set(fitting["shift"]) <= {shift, 1e-6}


def test_directions_are_found_where_they_are_not_told() -> None:
    table = a_table()
    weights = dict(zip("abc", weigh(scaled(table, flipped=1), 1 / np.log(60)), strict=True))
    assert identify_weights(table, weights).fitting["directions"].unique().tolist() == ["+-+"]


def test_figures_that_were_not_scaled_are_told_from_scaled_ones() -> None:
    table = a_table()
    weights = dict(zip("abc", weigh(table.to_numpy(), 1 / np.log(60)), strict=True))
    # Dividing a column by its maximum leaves its shares as they are.
    fitting = identify_weights(table, weights, {"a": 1, "b": 1, "c": 1}).fitting
    assert set(fitting["scaling"]) == {"none", "share of the maximum"}


def test_an_entropy_above_1_is_an_alarm() -> None:
    table = a_table()
    ones = {"a": 1, "b": 1, "c": 1}
    turned = identify_weights(table, dict(zip("abc", weigh(scaled(table), 1 / np.log(TIMES)), strict=True)), ones)
    assert "turned upside down" in turned.alarms[0]
    right = identify_weights(table, dict(zip("abc", weigh(scaled(table), 1 / np.log(60)), strict=True)), ones)
    assert right.alarms == ()
    assert "Above 1: b." in find_alarms({"a": 0.98, "b": 1.4})[0]
    assert find_alarms({"a": 0.98}) == ()


def test_too_small_a_logarithm_turns_weights_as_two_public_programs_do() -> None:
    # With e = E / ln(rows) right and e r wrong, r = ln(rows) / ln T, the wrong weight is (1 - q w) / (k - q) for one q.
    right, wrong = np.array([0.085, 0.186, 0.729]), np.array([0.399, 0.373, 0.228])
    q = (3 * wrong[0] - 1) / (wrong[0] - right[0])
    np.testing.assert_allclose((1 - q * right) / (3 - q), wrong, atol=1.1e-3)
    table = a_table()
    ours, theirs = (weigh(scaled(table), 1 / np.log(n)) for n in (ENTITIES * TIMES, TIMES))
    q = (3 * theirs[0] - 1) / (theirs[0] - ours[0])
    np.testing.assert_allclose((1 - q * ours) / (3 - q), theirs, atol=1e-3)
    assert list(np.argsort(ours)) == list(np.argsort(-theirs))


def test_a_published_index_leads_to_its_convention() -> None:
    table = a_table()
    scores = scaled(table)
    shares = scores / scores.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(shares * np.log(shares), axis=0) / np.log(60)
    index = pd.Series((100 * scores @ ((1 - entropy) / (1 - entropy).sum())).round(2), index=table.index)
    best = identify_scores(table, index, {"a": 1, "b": 1, "c": 1}, digits=2).table.iloc[0]
    assert (best["factor"], best["shift"], best["scaling"]) == ("1 / ln(rows)", 0.0, "min_max")
    assert best["fits"]


def test_weights_that_no_convention_gives_fit_none() -> None:
    assert identify_weights(a_table(), {"a": 0.9, "b": 0.05, "c": 0.05}, {"a": 1, "b": 1, "c": 1}).fitting.empty


@pytest.mark.parametrize(
    ("figures", "weights", "told"),
    [
        (a_table(), {"a": 0.5, "b": 0.5}, "weight of c"),
        (
            a_table().assign(b=-1.0),
            {"a": 0.3, "b": 0.3, "c": 0.4},
            "column b: a figure is missing, infinite or negative",
        ),
        (a_table()[["a"]], {"a": 1.0}, "two indicators or more"),
    ],
)
def test_bad_input_is_named(figures: pd.DataFrame, weights: dict[str, float], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        identify_weights(figures, weights)


def test_the_command_reads_figures_and_weights_from_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = a_table()
    weights = weigh(scaled(table), 1 / np.log(TIMES))
    text = table.rename_axis(["unit", "year"]).to_csv()
    text += f"weight,,{','.join(f'{weight:.4f}' for weight in weights)}\ndirection,,1,1,1\nentropy,,1.2,2.1,1.9\n"
    path = tmp_path / "published.csv"
    path.write_text(text, encoding="utf-8")
    assert main(["forensics", str(path)]) == 0
    told = capsys.readouterr().out
    assert "Alarm: An entropy above 1 cannot be" in told
    assert "1 / ln(periods)" in told.splitlines()[-1]


def test_a_cell_that_is_no_number_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "published.csv"
    path.write_text("unit,year,a,b\np,2015,1,x\n", encoding="utf-8")
    assert main(["forensics", str(path)]) == 2
    assert "row p, column b: 'x' is no number" in capsys.readouterr().err
