"""Neighbours of the primary specification.

Numbers from outside: Baltagi's Grunfeld estimates as R plm prints them, and least squares of numpy and
statsmodels with every dummy written out. Tolerances: printed digits for the first, 1e-8 for the second (two different
ways of solving).
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from helpers.display.prose import write_sentence
from helpers.regression.neighbours import (
    add_means,
    fit_neighbours,
    mundlak_gap,
    neighbour_table,
    record_neighbours,
    say_neighbours,
)
from helpers.regression.specification import specify
from helpers.results.results import Results
from toy_study import make_panel, make_study


def grunfeld() -> pd.DataFrame:
    rows = sm.datasets.grunfeld.load_pandas().data
    rows = rows[rows["firm"] != "American Steel"].astype({"year": int})
    return rows.set_index(["firm", "year"])[["invest", "value", "capital"]].sort_index()


def firm_study() -> Any:
    study = make_study(ladder={"full": SimpleNamespace(controls=True, effects=("entity",))})
    study.specification.outcome, study.specification.treatment, study.specification.controls = (
        "invest",
        "value",
        ("capital",),
    )
    study.time.window = tuple(range(1935, 1955))
    return study


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def split(panel: pd.DataFrame) -> pd.Series:
    places = panel.index.unique(0)
    return pd.Series(["north" if number % 2 else "south" for number in range(len(places))], index=places)


def test_random_effects_are_those_of_plm_on_grunfeld() -> None:
    found = fit_neighbours(grunfeld(), firm_study(), pd.Series(dtype=str))["random_effects"].found
    assert found is not None
    assert found.estimate == pytest.approx(0.109781, abs=5e-7)


def test_mundlak_is_the_fixed_effect_of_grunfeld() -> None:
    found = fit_neighbours(grunfeld(), firm_study(), pd.Series(dtype=str))["mundlak"].found
    assert found is not None
    assert found.estimate == pytest.approx(0.1101238, abs=5e-8)


@pytest.mark.parametrize("drop", [0, 9])
def test_mundlak_gives_the_two_way_estimate_balanced_or_not(rng: np.random.Generator, drop: int) -> None:
    panel, study = make_panel(rng, drop=drop), make_study()
    assert mundlak_gap(fit_neighbours(panel, study, split(panel)), panel, study) < 1e-8


def test_means_that_others_span_are_left_out(rng: np.random.Generator) -> None:
    columns = add_means(specify(make_panel(rng), make_study())).columns
    assert [name for name in columns if name.endswith("(mean)")] == ["dose (mean)", "weight (mean)", "rain (mean)"]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("region_by_time", "dose + weight + rain + C(place) + C(year) : C(region)"),
        ("entity_trends", "dose + weight + rain + C(place) + C(year) + C(place) : t"),
    ],
)
def test_further_effects_are_dummies_written_out(rng: np.random.Generator, name: str, formula: str) -> None:
    panel = make_panel(rng, drop=9)
    found = fit_neighbours(panel, make_study(), split(panel))[name].found
    assert found is not None
    rows = panel.reset_index().assign(t=lambda frame: frame["year"] - 2001.0)
    rows["region"] = rows["place"].map(split(panel))
    written = smf.ols(f"outcome ~ {formula}", rows)
    solution = np.linalg.lstsq(written.exog, written.endog)[0]
    assert found.estimate == pytest.approx(solution[written.exog_names.index("dose")], abs=1e-8)


def test_first_differences_are_differences_by_calendar_time(rng: np.random.Generator) -> None:
    panel = make_panel(rng, drop=9)
    found = fit_neighbours(panel, make_study(), split(panel))["first_differences"].found
    wide = panel.reindex(pd.MultiIndex.from_product([panel.index.unique(0), panel.index.unique(1).sort_values()]))
    rows = wide.groupby(level=0).diff().dropna().reset_index()
    assert found is not None
    assert found.n_obs == len(rows)
    assert found.estimate == pytest.approx(
        smf.ols("outcome ~ dose + weight + rain + C(year)", rows).fit().params["dose"]
    )


def test_a_neighbour_that_cannot_be_fitted_gives_its_reason(rng: np.random.Generator) -> None:
    panel = make_panel(rng)
    one_region = pd.Series("all", index=panel.index.unique(0))
    neighbour = fit_neighbours(panel, make_study(), one_region)["region_by_time"]
    assert neighbour.found is None
    assert "no two regions" in neighbour.reason


def test_the_sentence_counts_what_was_recorded(rng: np.random.Generator) -> None:
    panel, study, results = make_panel(rng), make_study(), Results(study="toy", notebook="03_baseline_regression")
    found = fit_neighbours(panel, study, split(panel))
    record_neighbours(results, found)
    told = repr(write_sentence(say_neighbours(results, found, 0.05), results, {}))
    assert told == "Of 5 neighbours, 5 are positive and significant, 0 negative and significant."


def test_the_table_begins_with_the_primary_specification(rng: np.random.Generator) -> None:
    panel, study = make_panel(rng), make_study()
    table = neighbour_table(fit_neighbours(panel, study, split(panel)), specify(panel, study).fit(), study)
    assert table.index[0] == "Full model"
    assert len(table) == 6
