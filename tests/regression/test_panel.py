"""The panel regression against Stata, R and Python programs.

Tolerances: 5e-9 on figures printed to 8 decimals; 1e-8 relative on Stata's shipped output, which has 10 digits;
1e-10 relative between engines that solve the same equations.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.regression.engines import attempt, count_agreeing, engine_table, of_size_one
from helpers.regression.many import fit_batch, fit_weighted_entities
from helpers.regression.panel import fit_panel
from helpers.study.model import Model
from outside import outside
from reference.panels import gappy_grunfeld, grunfeld, simulated, stata_output

EFFECTS = [{"entity_effects": entity, "time_effects": time} for entity in (False, True) for time in (False, True)]
TWO_WAY: dict[str, Any] = {"entity_effects": True, "time_effects": True}
REGRESSORS = ["value", "capital"]


PROGRAMS = {
    "plm": "R plm",
    "lfe": "R lfe",
    "stata": "Stata",
    "fixest": "R fixest",
    "areg": "R sandwich",
    "conventional": "R fixest",
}


# Grunfeld, inv ~ capital | firm + year: R plm, lfe, fixest, sandwich and Stata print these.
@pytest.mark.parametrize(
    ("cluster", "convention", "std_error"),
    [
        (None, "stata", 0.02597821),
        ("entity", "plm", 0.05693726),
        ("entity", "lfe", 0.06016851),
        ("entity", "stata", 0.06328129),
        ("entity", "fixest", 0.06328129),
        ("entity", "areg", 0.06493478),
        (("entity", "time"), "stata", 0.06041290),
        (("entity", "time"), "conventional", 0.06213837),
    ],
)
def test_grunfeld_standard_errors_are_those_of_the_named_program(cluster, convention, std_error):
    fit = fit_panel(grunfeld(), "inv", ["capital"], cluster=cluster, convention=convention, **TWO_WAY)
    outside(
        fit_panel,
        f"{PROGRAMS[convention]}: Grunfeld, two-way effects",
        [fit.estimates["capital"], fit.std_errors["capital"]],
        [0.41380183, std_error],
        atol=5e-9,
    )


def test_default_p_value_is_that_of_t_with_clusters_less_one():
    fit = fit_panel(grunfeld(), "inv", ["capital"], **TWO_WAY)
    assert fit.df == 9
    assert fit.p_values["capital"] == pytest.approx(1.0e-4, abs=1e-5)


def test_within_covariance_is_that_of_baltagi():
    # Baltagi (2013), section 4.3.1, as printed by R plm's tests: vcov(fe) * 1000.
    fit = fit_panel(grunfeld(), "inv", REGRESSORS, entity_effects=True, cluster=None)
    printed = [[0.14058119769, -0.07746798877], [-0.07746798877, 0.30117876659]]
    source = "Baltagi (2013): section 4.3.1"
    outside(fit_panel, source, fit.covariance.to_numpy() * 1000, printed, rtol=1e-9)
    outside(fit_panel, source, fit.estimates, [0.1101238, 0.3100653], atol=5e-8)


# Stata 13 output that linearmodels ships; the last two panels have gaps.
@pytest.mark.parametrize("sample", ["", "_light", "_heavy"])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("pooled-cluster--", {}),
        ("pooled-conventional--", {"cluster": None}),
        ("pooled-robust--", {"cluster": None, "convention": "hc1"}),
        ("fixed_effect-cluster--", {"entity_effects": True}),
        ("fixed_effect-conventional--", {"entity_effects": True, "cluster": None}),
    ],
)
def test_estimates_and_standard_errors_are_those_of_stata(sample, model, options):
    columns = [name + sample for name in ("y", "x1", "x2", "x3", "x4", "x5")]
    fit = fit_panel(simulated()[columns].dropna(), columns[0], columns[1:], **options)
    stata = stata_output(model + sample).loc[list(fit.regressors)]
    source = "Stata: regress and xtreg, fe, a simulated panel"
    outside(fit_panel, source, fit.estimates, stata["estimate"], rtol=1e-8)
    outside(fit_panel, source, fit.std_errors, stata["std_error"], rtol=1e-8)


def fit_engines(data: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The model by linearmodels and pyfixest, called as their users call them, beside our own."""
    from linearmodels.panel import PanelOLS
    from pyfixest.demeaners import MapDemeaner
    from pyfixest.estimation import feols

    plain = of_size_one(data, model)
    columns = plain[list(model.regressors)].assign(**({} if model.effects else {"const": 1.0}))
    options: dict[str, Any] = {"entity_effects": model.entity_effects, "time_effects": model.time_effects}
    theirs = PanelOLS(plain[model.outcome], columns, **options).fit(cov_type="clustered", cluster_entity=True)
    # Its own tolerance of 1e-6 is too coarse for estimates that shall agree to 1e-10.
    fixest = feols(
        model.formula,
        plain.reset_index(),
        vcov={"CRV1": model.entity},
        fixef_rm="none",
        demeaner=MapDemeaner(fixef_tol=1e-10),
    )
    return engine_table(data, model, {"linearmodels": theirs, "pyfixest": fixest})


FIRMS = Model("inv", "value", ("capital",), entity="firm", time="year")


# pyfixest calls pandas in a way that pandas 4 will not know.
FOREIGN = pytest.mark.filterwarnings("ignore:The inplace keyword")


@FOREIGN
@pytest.mark.parametrize("effects", [(), ("entity",), ("time",), ("entity", "time")])
@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_linearmodels_and_pyfixest_agree(panel, effects):
    table = fit_engines(panel(), FIRMS.with_(effects=effects))
    for name in ("linearmodels", "pyfixest"):
        row = table.loc[name]
        outside(
            fit_panel,
            f"{name}: clustered by firm, Grunfeld",
            table.loc["helpers", "estimate"],
            row["estimate"],
            rtol=1e-10,
        )
        outside(fit_panel, f"{name}: clustered by firm, Grunfeld", row["restated"], row["std_error"], rtol=1e-10)


def test_a_program_that_fails_leaves_its_reason():
    reason = attempt(lambda: 1 / 0)
    table = engine_table(grunfeld(), FIRMS, {"pyfixest": reason})
    assert table.loc["pyfixest", "convention"] == "not fitted, because ZeroDivisionError: division by zero"
    assert np.isnan(table["estimate_gap"].to_dict()["pyfixest"])
    assert count_agreeing(table) == (0, 1)
    assert attempt(lambda: 7) == 7


@FOREIGN
def test_figures_of_millions_come_back_in_their_own_units():
    table = fit_engines(grunfeld() * [1e9, 1e-6, 1.0], FIRMS)
    assert table["estimate_gap"].max() < 1e-10


@FOREIGN
def test_linearmodels_standard_error_is_larger_than_statas_with_both_effects():
    table = fit_engines(grunfeld(), FIRMS.with_(treatment="capital", controls=()))
    # It counts the absorbed entity effects, and leaves out G / (G - 1).
    assert table.loc["linearmodels", "factor"] == pytest.approx(200 / 170)
    assert table.loc["pyfixest", "factor"] == pytest.approx(10 / 9 * 199 / 179)


def test_two_way_effects_of_a_panel_with_gaps_are_those_of_dummies():
    panel = gappy_grunfeld()
    fit = fit_panel(panel, "inv", REGRESSORS, **TWO_WAY)
    dummies = [pd.get_dummies(panel.index.get_level_values(level), dtype=float).to_numpy() for level in (0, 1)]
    x = np.column_stack([panel[REGRESSORS].to_numpy(), *dummies])
    estimates, *_ = np.linalg.lstsq(x, panel["inv"].to_numpy())
    outside(fit_panel, "written out: least squares on dummies", fit.estimates, estimates[:2], rtol=1e-10)
    np.testing.assert_allclose(fit.residuals, panel["inv"] - x @ estimates, atol=1e-8)


def test_row_order_does_not_matter():
    shuffled = grunfeld().sample(frac=1, random_state=1)
    first, second = (fit_panel(data, "inv", REGRESSORS, **TWO_WAY) for data in (grunfeld(), shuffled))
    pd.testing.assert_series_equal(first.std_errors, second.std_errors, check_exact=True)
    assert second.residuals.index.equals(shuffled.index)


def test_cluster_can_be_a_column_of_text():
    named = grunfeld().assign(letter=[firm[0] for firm, _ in grunfeld().index])
    fit = fit_panel(named, "inv", REGRESSORS, cluster="letter")
    assert fit.n_clusters == named["letter"].nunique()


def test_single_row_entities_are_said():
    data = pd.concat([grunfeld(), grunfeld().iloc[[0]].rename(index={"General Motors": "Lonely"}, level=0)])
    fit = fit_panel(data, "inv", ["capital"], entity_effects=True)
    assert any("Lonely" in note for note in fit.notes)
    assert any(note == "clusters with a single row: 1 of 11" for note in fit.notes)


@pytest.mark.parametrize(
    ("column", "effects", "words"),
    [
        (lambda data: data.groupby(level=0)["value"].transform("mean"), {"entity_effects": True}, "entity effects"),
        (lambda data: data.groupby(level=1)["value"].transform("mean"), {"time_effects": True}, "time effects"),
        (
            lambda data: (
                data.groupby(level=0)["value"].transform("mean") + data.groupby(level=1)["value"].transform("mean")
            ),
            TWO_WAY,
            "together",
        ),
        (lambda data: 0 * data["value"] + 3, {}, "general mean|intercept"),
        (lambda data: 2 * data["value"] - data["capital"], {}, "collinear with value, capital"),
    ],
)
def test_a_regressor_without_variation_of_its_own_is_named_with_what_absorbs_it(column, effects, words):
    data = gappy_grunfeld().assign(extra=column(gappy_grunfeld()))
    with pytest.raises(StudyError, match=words) as error:
        fit_panel(data, "inv", [*REGRESSORS, "extra"], **effects)
    assert "extra" in error.value.where


@pytest.mark.parametrize("figure", [np.nan, np.inf, -np.inf])
def test_a_missing_or_infinite_figure_is_named_by_column_entity_and_time(figure):
    data = grunfeld().copy()
    data.loc[("Chrysler", 1940), "value"] = figure
    with pytest.raises(StudyError, match="value, Chrysler, 1940"):
        fit_panel(data, "inv", REGRESSORS)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda data: data, {"regressors": ["nothing"]}, "no such column"),
        (lambda data: data.assign(value="high"), {}, "holds text"),
        (lambda data: pd.concat([data, data.iloc[:1]]), {}, "occurs twice"),
        (lambda data: data.reset_index(), {}, "not indexed by entity and time"),
        (lambda data: data.iloc[:0], {}, "no rows"),
        (lambda data: data.iloc[:3], {}, "cannot determine"),
        (lambda data: data.iloc[:20], {}, "only one cluster"),
        (lambda data: data, {"cluster": "nothing"}, "no such column"),
        (lambda data: data, {"convention": "mine"}, "no such convention"),
        (lambda data: data, {"regressors": ["value", "value"]}, "used twice"),
    ],
)
def test_bad_input_is_told(change, options, words):
    with pytest.raises(StudyError, match=words):
        fit_panel(change(grunfeld()), "inv", **{"regressors": REGRESSORS, **options})


def test_input_is_not_changed():
    before = gappy_grunfeld().copy()
    fit_panel(gappy_grunfeld(), "inv", REGRESSORS, **TWO_WAY)
    pd.testing.assert_frame_equal(before, gappy_grunfeld())


def copies(panel: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """The panel in which entity g stands counts[g] times under new names."""
    parts = [
        rows.rename(index={name: f"{name} {copy}"}, level=0)
        for (name, rows), count in zip(panel.groupby(level=0), counts, strict=True)
        for copy in range(count)
    ]
    return pd.concat(parts)


@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_weighted_entities_are_the_same_as_stacked_copies(panel, effects):
    counts = np.random.default_rng(3).multinomial(10, np.full(10, 0.1), size=6)
    batch = fit_weighted_entities(panel(), "inv", REGRESSORS, counts, **effects)
    for row, weights in enumerate(counts):
        fit = fit_panel(copies(panel(), weights), "inv", REGRESSORS, **effects)
        np.testing.assert_allclose(batch.estimates[row], fit.estimates, rtol=1e-9)
        np.testing.assert_allclose(batch.std_errors[row], fit.std_errors, rtol=1e-9)


@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("panel", [grunfeld, gappy_grunfeld])
def test_a_batch_of_different_columns_is_the_same_as_single_fits(panel, effects):
    rng = np.random.default_rng(4)
    data = panel()
    order = rng.permutation(len(data))
    y = data["inv"].to_numpy() + rng.normal(size=(3, len(data)))
    x = data[REGRESSORS].to_numpy() + rng.normal(size=(3, len(data), 2))
    counts = rng.multinomial(10, np.full(10, 0.1), size=3)
    labels = [data.index.get_level_values(level)[order] for level in (0, 1)]
    batch = fit_batch(y[:, order], x[:, order], *labels, weights=counts, **effects)
    for row, weights in enumerate(counts):
        single = data.assign(inv=y[row], value=x[row, :, 0], capital=x[row, :, 1])
        fit = fit_panel(copies(single, weights), "inv", REGRESSORS, **effects)
        np.testing.assert_allclose(batch.estimates[row], fit.estimates, rtol=1e-9)
        np.testing.assert_allclose(batch.std_errors[row], fit.std_errors, rtol=1e-9)


def test_a_sample_that_cannot_be_estimated_is_counted():
    data = grunfeld().assign(only=np.where(grunfeld().index.get_level_values(0) == "IBM", grunfeld()["value"], 0.0))
    counts = np.ones((2, 10))
    counts[1, sorted(set(data.index.get_level_values(0))).index("IBM")] = 0
    batch = fit_weighted_entities(data, "inv", ["only"], counts)
    assert batch.estimable.tolist() == [True, False]
    assert np.isnan(batch.estimates[1]).all()


@pytest.mark.parametrize("weights", [np.ones((1, 9)), -np.ones((1, 10)), np.full((1, 10), np.nan)])
def test_weights_of_another_shape_or_sign_are_refused(weights):
    with pytest.raises(StudyError, match="weights"):
        fit_weighted_entities(grunfeld(), "inv", REGRESSORS, weights)


def test_an_outcome_that_the_effects_absorb_is_refused():
    index = pd.MultiIndex.from_product([["a", "b", "c"], [1, 2, 3]], names=["unit", "time"])
    data = pd.DataFrame({"y": np.add.outer([1.0, 2.0, 4.0], [0.0, 1.0, 5.0]).ravel()}, index=index)
    data["x"] = np.random.default_rng(1).normal(size=9)
    with pytest.raises(StudyError, match="outcome y: it has no variation of its own"):
        fit_panel(data, "y", ["x"], entity_effects=True, time_effects=True)
