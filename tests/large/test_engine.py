"""A study on disk gives the results of the same study in memory: rows, description, indices, regressions, groups.

Tolerance: 1e-8 relative, what the engine promises; sums run in another order, and cross products are solved where the
modules in memory take a QR, so that twice as many digits of nearly collinear columns are lost. The coefficients also
meet statsmodels with a dummy for every entity and time, to 1e-8: its own least squares over 76 columns. The bootstrap
meets refits of signed residuals written out here, to 1e-8.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers.cleaning.gaps import describe
from helpers.errors import StudyError
from helpers.heterogeneity import heterogeneity
from helpers.index import build
from helpers.large import bootstrap
from helpers.large.clean import Cleaned, clean_panel
from helpers.large.describe import correlate_rows, count_rows, describe_rows, is_complete, means_by_group, means_by_time
from helpers.large.engine import check_headings
from helpers.large.fit import RowsFit, fit_rows
from helpers.large.groups import compare_fits, fit_groups, mean_groups
from helpers.large.rows import add_indices, read_blocks
from helpers.large.shown import build_large_indices
from helpers.regression.panel import fit
from helpers.runner.check import check_data, check_study
from helpers.study.study import Study, load_study
from large_study import GROUPS, make_rows, write_study
from outside import outside

FIELDS = ("estimates", "std_errors", "statistics", "p_values", "ci_low", "ci_high")
COUNTS = ("n_obs", "n_entities", "n_times", "n_clusters", "df")


class Both(NamedTuple):
    """The same study on disk and in memory."""

    disk: Study
    memory: Study
    cleaned: Cleaned
    rows: Path
    indicators: Path
    panel: pd.DataFrame
    derived: pd.DataFrame
    units: pd.DataFrame


@pytest.fixture(scope="module", params=["csv", "parquet"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("both")
    disk = load_study(write_study(folder / "on_disk", "disk", request.param))
    memory = load_study(write_study(folder / "in_memory", "memory"))
    indicators, rows = folder / "indicators.parquet", folder / "panel.parquet"
    cleaned = clean_panel(disk, indicators)
    add_indices(indicators, rows, build_large_indices(indicators, disk))
    checked = check_data(memory)
    values = build.index_values(build.build_indices(checked.panel, memory))
    panel = build.model_panel(checked.panel, values)
    return Both(disk, memory, cleaned, rows, indicators, panel, checked.panel, checked.units)


def same(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)


def test_the_same_rows_are_analysed(both: Both) -> None:
    entities, periods = (both.panel.index.unique(level).size for level in (0, 1))
    assert (both.cleaned.n_rows, both.cleaned.n_entities, both.cleaned.n_times) == (len(both.panel), entities, periods)
    whole = both.panel.index.get_level_values(0).nunique() * len(both.memory.time.window)
    assert both.cleaned.n_dropped == whole - len(both.panel) > 0
    assert count_rows(both.rows) == len(both.panel)
    held = pd.read_parquet(both.rows, columns=["_entity", "_time"])
    assert list(held.itertuples(index=False, name=None)) == both.panel.index.to_list()


def test_the_description_is_the_same(both: Both) -> None:
    expected = describe(both.derived)
    found = describe_rows(both.indicators, list(both.disk.formulas))
    assert list(found.columns) == list(expected.columns)
    same(found, expected)


def test_correlations_and_means_are_the_same(both: Both) -> None:
    names = list(both.memory.model().columns)
    same(correlate_rows(both.rows, names), both.panel[names].corr())
    same(means_by_time(both.rows, names), both.panel[names].groupby(level=1).mean())
    expected = build.region_means(both.panel["digital"], both.units["region"])[list(GROUPS)]
    same(means_by_group(both.rows, "digital", "region", GROUPS), expected)


def test_indices_are_the_same(both: Both) -> None:
    same(pd.read_parquet(both.rows)["digital"], both.panel["digital"])


@pytest.mark.parametrize("column", ["pooled", "one_way", "period", "two_way"])
def test_every_column_of_the_ladder_is_the_same(both: Both, column: str) -> None:
    found = fit_rows(both.rows, both.disk.ladder_models(), both.disk.time.window)[column]
    expected = fit(both.panel, both.memory.model(column))
    for name in FIELDS:
        same(getattr(found, name)[list(expected.regressors)], getattr(expected, name))
    same(found.covariance, expected.covariance)
    same([found.r_squared, found.r_squared_within], [expected.r_squared, expected.r_squared_within])
    assert [getattr(found, name) for name in COUNTS] == [getattr(expected, name) for name in COUNTS]
    assert found.convention_words == expected.convention_words


@pytest.mark.outside
def test_estimates_are_those_of_dummies(both: Both) -> None:
    found = fit_rows(both.rows, {"two_way": both.disk.model()}, both.disk.time.window)["two_way"]
    data = both.panel.reset_index()
    dummies = smf.ols("output ~ digital + size + before + C(firm) + C(year)", data).fit()
    names = ["digital", "size", "before"]
    outside(fit_rows, "statsmodels: OLS with dummies", found.estimates[names], dummies.params[names], rtol=1e-8)


def test_effects_by_group_and_their_differences_are_the_same(both: Both) -> None:
    model, window, regions = both.memory.model(), both.disk.time.window, both.units["region"]
    found, failed = fit_groups(both.rows, both.disk.model(), "region", GROUPS, window)
    drawn: dict[str, Any] = {"order": GROUPS, "wild_draws": 9, "rng": np.random.default_rng(1)}
    expected = heterogeneity.fit_by_region(both.panel, model, regions, **drawn)
    assert not failed
    gaps = heterogeneity.compare_regions(both.panel, model, regions, permutations=9, **drawn)
    means, mean_gaps = heterogeneity.region_means(both.panel, "digital", regions, **drawn)
    own_means, own_mean_gaps = mean_groups(both.rows, "digital", "region", GROUPS)
    pairs = [(found[name]["digital"], expected[name].effect) for name in GROUPS]
    pairs += [(effect, gaps[name].effect) for name, effect in compare_fits(found, model).items()]
    pairs += [(effect, means[name].effect) for name, effect in own_means.items()]
    pairs += [(effect, mean_gaps[name].effect) for name, effect in own_mean_gaps.items()]
    for ours, theirs in pairs:
        for field in (
            "estimate",
            "std_error",
            "statistic",
            "df",
            "p_value",
            "ci_low",
            "ci_high",
            "n_obs",
            "n_entities",
        ):
            same(getattr(ours, field), getattr(theirs, field))


def test_small_blocks_give_the_same(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_rows(both.rows, both.disk.ladder_models(), both.disk.time.window)
    monkeypatch.setattr("helpers.large.fit.BLOCK_ROWS", 17)
    parts = fit_rows(both.rows, both.disk.ladder_models(), both.disk.time.window)
    for name in whole:
        same(parts[name].estimates, whole[name].estimates)
        same(parts[name].std_errors, whole[name].std_errors)
    sizes = [block.sizes.sum() for block in read_blocks(both.rows, ["size"], size=17)]
    assert len(sizes) > 10
    assert sum(sizes) == len(both.panel)


@pytest.mark.outside
@pytest.mark.parametrize("column", ["one_way", "two_way"])
def test_the_bootstrap_is_that_of_refits(both: Both, column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draws, held = 40, {}

    def keep(drawn: Any, middle: Any, factor: float, real: Callable[..., Any] = bootstrap._statistics) -> Any:
        held["statistics"] = real(drawn, middle, factor)
        return held["statistics"]

    monkeypatch.setattr(bootstrap, "_statistics", keep)
    model = both.disk.model(column)
    rng = np.random.default_rng(8)
    bootstrap.wild_rows(both.rows, {column: model}, "digital", both.disk.time.window, draws=draws, rng=rng)
    codes = pd.factorize(both.panel.index.get_level_values(0))[0]
    signs = bootstrap.draw_signs(int(codes.max()) + 1, draws, np.random.default_rng(8)).T
    null = fit(both.panel, both.memory.model(column).with_(treatment="size", controls=("before",)))
    fitted = both.panel["output"] - null.residuals
    expected = []
    for row in signs:
        drawn = both.panel.assign(output=fitted + row[codes] * null.residuals)
        expected.append(fit(drawn, both.memory.model(column)).statistics["digital"])
    outside(bootstrap.wild_rows, "written out: a refit of every draw", held["statistics"], expected, rtol=1e-8)


def test_signs_do_not_depend_on_the_blocks() -> None:
    rng = np.random.default_rng(3)
    parts = [bootstrap.draw_signs(size, 70, rng) for size in (4, 1, 5)]
    whole = bootstrap.draw_signs(10, 70, np.random.default_rng(3))
    np.testing.assert_array_equal(np.vstack(parts), whole)
    assert set(np.unique(whole)) == {-1, 1}


def test_a_model_without_entity_effects_is_not_drawn(both: Both) -> None:
    models = {"period": both.disk.model("period")}
    assert (
        bootstrap.wild_rows(both.rows, models, "digital", both.disk.time.window, draws=9, rng=np.random.default_rng(1))
        == {}
    )


def test_the_model_has_every_figure(both: Both) -> None:
    assert is_complete(both.rows, list(both.disk.model().columns))
    assert not is_complete(both.rows, ["age"]) or both.derived["age"].notna().all()


def write(tmp_path: Path, *, engine: str = "disk", **changes: Any) -> Study:
    return load_study(write_study(tmp_path / "firms", engine, **changes))


def column(**changes: Any) -> dict[str, Any]:
    label = {"en": "a", "zh": "a"}
    return {"file": "raw/firms.csv", "label": label, **changes}


MEASURES = {name: column() for name in ("patents", "websites", "debt", "sales", "staff", "age", "price")}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two files": (
        {"columns": MEASURES | {"age": column(file="raw/age.csv")}}, "statistics come from 2 files: raw/age.csv, raw/firms.csv"
    ),
    "a study in memory": ({"engine": "memory"}, "the study works in memory"),
    "workbook": ({"columns": {name: column(file="raw/firms.xlsx") for name in MEASURES}}, "one table with a row per"),
    "no file": ({"columns": {name: column(file="raw/other.csv") for name in MEASURES}}, "there is no such file"),
    "rule for gaps": (
        {"missing": [{"column": "staff", "rule": "zero", "reason": {"en": "a", "zh": "a"}}]}, "on disk no cell is filled"
    ),
    "cluster": (
        {"model": {"outcome": "output", "treatment": "digital", "controls": ["size"], "cluster": "time"}},
        "scores are added up by entity alone",
    ),
    "no such column": ({"columns": MEASURES | {"q": column()}}, "column q: the file has no such column"),
    "range": ({"columns": MEASURES | {"price": column(maximum=99)}}, "column price, firm .* is above the maximum 99"),
    "gaps": ({"sample": {"missing": "stop"}}, "rows of 60 entities are not there"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_engine_cannot_do_is_told(name: str, tmp_path: Path) -> None:
    changes, told = REFUSED[name]
    study = write(tmp_path, **changes)
    with pytest.raises(StudyError, match=told):
        clean_panel(study, tmp_path / "out" / "rows.parquet")
    assert not list((tmp_path / "out").glob("*"))


def test_an_index_that_needs_all_rows_is_told(tmp_path: Path) -> None:
    study = write(tmp_path)
    critic = study.indices["digital"].model_copy(
        update={"method": study.indices["digital"].method.model_copy(update={"weights": "critic"})}
    )
    study = study.model_copy(update={"indices": {"digital": critic}})
    with pytest.raises(StudyError, match=r"(?s)critic needs every row at once.*engine: memory"):
        check_headings(study)


UNITS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "an entity that is not known": (lambda units: units.iloc[1:], "the units file does not know 0000"),
    "an entity without a row": (
        lambda units: pd.concat([units, pd.DataFrame({"firm": ["z"], "region": ["coast"]})]), "there is no row for z"
    ),
    "an entity twice": (lambda units: pd.concat([units, units.iloc[:1]]), "0000: it stands twice"),
    "a region that is not declared": (
        lambda units: units.assign(region=["moon", *units["region"][1:]]), "0000: its region is 'moon'"
    ),
    "a region without members": (lambda units: units.replace({"region": {"island": "coast"}}), "'island' has no members"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_units_that_do_not_fit_the_file_are_told(name: str, tmp_path: Path) -> None:
    change, told = UNITS[name]
    study = write(tmp_path)
    path = study.folder / "units.csv"
    change(pd.read_csv(path, dtype=str)).to_csv(path, index=False)
    with pytest.raises(StudyError, match=told):
        clean_panel(study, tmp_path / "out" / "rows.parquet")


def test_a_row_that_stands_twice_is_told(tmp_path: Path) -> None:
    study = write(tmp_path)
    rows = make_rows()
    pd.concat([rows, rows.iloc[[9]]]).to_csv(study.folder / "raw" / "firms.csv", index=False)
    with pytest.raises(StudyError, match="the row is there 2 times"):
        clean_panel(study, tmp_path / "out" / "rows.parquet")


@pytest.mark.parametrize(
    ("controls", "told"),
    [
        (("fixed",), "regressor fixed: the effects explain it"),
        (("size", "twice"), "regressor twice: it is a combination"),
    ],
)
def test_a_regressor_that_says_nothing_of_its_own_is_told(
    controls: tuple[str, ...], told: str, both: Both, tmp_path: Path
) -> None:
    rows = pd.read_parquet(both.rows)
    path = tmp_path / "rows.parquet"
    rows.assign(fixed=rows["_code"] * 1.0, twice=2 * rows["size"] + 1).to_parquet(path)
    with pytest.raises(StudyError, match=told):
        fit_rows(path, {"a": both.disk.model().with_(controls=controls)}, both.disk.time.window)


def test_a_group_that_cannot_be_fitted_is_told_and_the_others_stay(both: Both, tmp_path: Path) -> None:
    rows = pd.read_parquet(both.rows)
    path = tmp_path / "rows.parquet"
    rows[(rows["_group_region"] != 1) | (rows["_code"] < 2)].to_parquet(path)
    fits, failed = fit_groups(path, both.disk.model(), "region", GROUPS, both.disk.time.window)
    assert (list(fits), list(failed)) == (["coast", "island"], ["inland"])
    assert all(isinstance(item, RowsFit) for item in fits.values())


def test_the_check_before_a_run_reads_no_row(tmp_path: Path) -> None:
    assert "firms.csv has the 7 columns" in check_study(write(tmp_path))
