"""Neighbours of the primary specification.

Numbers from outside: Baltagi's Grunfeld estimates as R plm prints them, and least squares of numpy and
statsmodels with every dummy written out. Tolerances: printed digits for the first, 1e-8 for the second (two different
ways of solving).
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from helpers.diagnostics.neighbours import (
    Neighbour,
    add_means,
    count_significant,
    fit_neighbours,
    mundlak_gap,
    neighbour_table,
)
from helpers.diagnostics.random_effects import fit_random_effects
from helpers.regression.panel import fit
from helpers.regression.specification import Specification
from helpers.results.estimate import Estimate
from helpers.study.model import Model
from outside import outside
from toy_study import make_panel


def grunfeld() -> pd.DataFrame:
    rows = sm.datasets.grunfeld.load_pandas().data
    rows = rows[rows["firm"] != "American Steel"].astype({"year": int})
    return rows.set_index(["firm", "year"])[["invest", "value", "capital"]].sort_index()


FIRMS = Model("invest", "value", ("capital",), ("entity",))
TOY = Model("outcome", "dose", ("weight", "rain"), entity="place", time="year")


def neighbours_of(panel: pd.DataFrame, model: Model = TOY, regions: pd.Series | None = None) -> dict[str, Neighbour]:
    """Neighbours with the panel's own times as window."""
    window = sorted(panel.index.unique(1))
    return fit_neighbours(panel, model, window=window, regions=split(panel) if regions is None else regions)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def split(panel: pd.DataFrame) -> pd.Series:
    places = panel.index.unique(0)
    return pd.Series(["north" if number % 2 else "south" for number in range(len(places))], index=places)


def test_random_effects_are_those_of_plm_on_grunfeld() -> None:
    found = neighbours_of(grunfeld(), FIRMS)["random_effects"].found
    assert found is not None
    outside(fit_random_effects, "R plm: model = 'random', Grunfeld", found.estimate, 0.109781, atol=5e-7)


def test_mundlak_is_the_fixed_effect_of_grunfeld() -> None:
    found = neighbours_of(grunfeld(), FIRMS)["mundlak"].found
    assert found is not None
    outside(fit_random_effects, "R plm: model = 'within', Grunfeld", found.estimate, 0.1101238, atol=5e-8)


@pytest.mark.parametrize("drop", [0, 9])
def test_mundlak_gives_the_two_way_estimate_balanced_or_not(rng: np.random.Generator, drop: int) -> None:
    panel = make_panel(rng, drop=drop)
    assert mundlak_gap(neighbours_of(panel), panel, TOY) < 1e-8


def test_means_that_others_span_are_left_out(rng: np.random.Generator) -> None:
    columns = add_means(Specification(make_panel(rng), TOY)).columns
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
    found = neighbours_of(panel)[name].found
    assert found is not None
    rows = panel.reset_index().assign(t=lambda frame: frame["year"] - 2001.0)
    rows["region"] = rows["place"].map(split(panel))
    written = smf.ols(f"outcome ~ {formula}", rows)
    solution = np.linalg.lstsq(written.exog, written.endog)[0]
    assert found.estimate == pytest.approx(solution[written.exog_names.index("dose")], abs=1e-8)


def test_first_differences_are_differences_by_calendar_time(rng: np.random.Generator) -> None:
    panel = make_panel(rng, drop=9)
    found = neighbours_of(panel)["first_differences"].found
    wide = panel.reindex(pd.MultiIndex.from_product([panel.index.unique(0), panel.index.unique(1).sort_values()]))
    rows = wide.groupby(level=0).diff().dropna().reset_index()
    assert found is not None
    assert found.n_obs == len(rows)
    assert found.estimate == pytest.approx(
        smf.ols("outcome ~ dose + weight + rain + C(year)", rows).fit().params["dose"]
    )


def test_a_neighbour_that_cannot_be_fitted_gives_its_reason(rng: np.random.Generator) -> None:
    panel = make_panel(rng)
    used = pd.Series("all", index=panel.index.unique(0))
    neighbour = neighbours_of(panel, regions=pd.concat([used, pd.Series({"unused": "other"})]))["region_by_time"]
    assert neighbour.found is None
    assert "no two regions" in neighbour.remark


def test_without_two_regions_there_is_no_neighbour_of_regions(rng: np.random.Generator) -> None:
    panel = make_panel(rng)
    assert "region_by_time" in neighbours_of(panel)
    one_region = pd.Series("all", index=panel.index.unique(0))
    assert "region_by_time" not in neighbours_of(panel, regions=one_region)


def test_significant_neighbours_are_counted_by_their_sign() -> None:
    planted = [(1.0, 0.01), (-1.0, 0.01), (-1.0, 0.04), (1.0, 0.06), (1.0, 0.05)]
    found = {str(n): Estimate(estimate=sign, p_value=p) for n, (sign, p) in enumerate(planted)}
    assert count_significant(found, 0.05) == (1, 2)


def test_the_table_begins_with_the_primary_specification(rng: np.random.Generator) -> None:
    panel = make_panel(rng)
    table = neighbour_table(neighbours_of(panel), fit(panel, TOY)["dose"], "Full model", "Does it work?")
    assert table.index[0] == "Full model"
    assert table["asks"].iloc[0] == "Does it work?"
    assert len(table) == 7
