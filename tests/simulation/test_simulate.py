"""Simulated panels hold the truth that they state, and the batched methods give the numbers of the real functions.

Against `fit_panel`, `cr2`, `cr3` and `wild_cluster_bootstrap`, which meet published numbers in their own tests, to 1e-10.
Rates and recovered parameters within four Monte-Carlo or standard errors, seeds fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

from helpers.errors import StudyError
from helpers.heterogeneity.heterogeneity import fit_by_region
from helpers.inference.small_sample import cr2, cr3
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.mediation.mediation import fit_mediation
from helpers.mediation.resampled import draw_samples
from helpers.regression.panel import PanelFit, fit_panel
from helpers.simulation.simulate import ErrorDesign, draw_columns, known_truth_panel
from helpers.simulation.size_power import METHODS, PanelBatch, size_and_power, wild
from helpers.study.model import Model

HARD = ErrorDesign(serial_correlation=0.6, cluster_shock=0.5, heteroskedasticity=0.3, leverage=1.0)


def generator(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def batch() -> PanelBatch:
    columns = draw_columns(3, 9, 6, control_effects=[0.3, 0.5], errors=HARD, rng=generator())
    return PanelBatch(columns.rest, columns.treatment, columns.controls)


@pytest.fixture(scope="module")
def fits(batch: PanelBatch) -> list[PanelFit]:
    return [
        fit_panel(
            batch.frame(place),
            "outcome",
            ["treatment", "control_1", "control_2"],
            entity_effects=True,
            time_effects=True,
        )
        for place in range(3)
    ]


def test_clustered_p_values_are_those_of_the_panel_regression(batch: PanelBatch, fits: list[PanelFit]) -> None:
    expected = [fit.p_values["treatment"] for fit in fits]
    assert METHODS["clustered t(G-1)"](batch, generator()) == pytest.approx(expected, rel=1e-10)


def test_cr2_p_values_are_those_of_the_function(batch: PanelBatch, fits: list[PanelFit]) -> None:
    expected = [cr2(fit, "treatment").p_value for fit in fits]
    assert METHODS["CR2"](batch, generator()) == pytest.approx(expected, rel=1e-10)


def test_cr3_p_values_are_those_of_the_function(batch: PanelBatch, fits: list[PanelFit]) -> None:
    expected = [cr3(fit, "treatment").p_value for fit in fits]
    assert METHODS["CR3 jackknife"](batch, generator()) == pytest.approx(expected, rel=1e-10)


def test_enumerated_bootstrap_p_values_are_those_of_the_function(batch: PanelBatch, fits: list[PanelFit]) -> None:
    expected = [wild_cluster_bootstrap(fit, "treatment").p_value for fit in fits]
    assert wild(2**9)(batch, generator()).tolist() == expected


def test_a_method_without_controls_agrees_too() -> None:
    columns = draw_columns(2, 8, 4, rng=generator())
    plain = PanelBatch(columns.rest, columns.treatment, columns.controls)
    fit = fit_panel(plain.frame(1), "outcome", ["treatment"], entity_effects=True, time_effects=True)
    found = [METHODS[name](plain, generator())[1] for name in ("clustered t(G-1)", "CR2", "CR3 jackknife")]
    expected = [fit.p_values["treatment"], cr2(fit, "treatment").p_value, cr3(fit, "treatment").p_value]
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_panel_holds_its_truth() -> None:
    truth = known_truth_panel(400, 10, treatment_effect=0.7, control_effects=[0.4, -0.2], rng=generator())
    fit = fit_panel(
        truth.panel, "outcome", ["treatment", "control_1", "control_2"], entity_effects=True, time_effects=True
    )
    true = [truth.total_effect, *truth.control_effects.values()]
    assert np.abs((fit.estimates - true) / fit.std_errors).max() < 4


def test_mediators_hold_their_paths() -> None:
    truth = known_truth_panel(
        300, 8, treatment_effect=0.2, mediators={"first": (0.5, 0.8), "second": (-0.3, 0.4)}, rng=generator()
    )
    assert truth.total_effect == pytest.approx(0.2 + 0.5 * 0.8 - 0.3 * 0.4)
    model = Model("outcome", "treatment")
    samples = draw_samples(truth.panel, model, draws=19, rng=generator())
    together = fit_mediation(truth.panel, model, ["first", "second"], samples)
    for name in ("first", "second"):
        path_a, path_b = together.path_a[name], together.path_b[name]
        assert abs(path_a.estimate - truth.path_a[name]) < 4 * path_a.std_error
        assert abs(path_b.estimate - truth.path_b[name]) < 4 * path_b.std_error


def test_regions_hold_their_gaps() -> None:
    truth = known_truth_panel(150, 8, treatment_effect=0.2, region_gaps={"north": 0.5, "south": 0.0}, rng=generator())
    found = fit_by_region(truth.panel, Model("outcome", "treatment"), truth.region, rng=generator(), wild_draws=9)
    assert truth.region_effects == {"north": 0.7, "south": 0.2}
    for region, fit in found.items():
        assert abs(fit.effect.estimate - truth.region_effects[region]) < 4 * fit.effect.std_error


def test_errors_are_as_correlated_as_stated() -> None:
    columns = draw_columns(1, 20000, 4, errors=ErrorDesign(serial_correlation=0.6), rng=generator())
    noise = columns.rest[0] - columns.rest[0].mean(axis=0)
    # Entity effects have variance one, the error too: neighbours correlate (1 + 0.6) / 2.
    assert np.corrcoef(noise[:, 0], noise[:, 1])[0, 1] == pytest.approx(0.8, abs=0.02)


@pytest.fixture(scope="module")
def few():
    return size_and_power(
        METHODS,
        (8, 7),
        effect=0.4,
        control_effects=[0.2],
        errors=HARD,
        replications=1000,
        rng=generator(),
    )


def test_the_estimate_is_unbiased(few) -> None:
    assert abs(few.bias) < 4 * few.bias_std_error


def test_independent_errors_keep_the_nominal_size() -> None:
    found = size_and_power(METHODS, (31, 7), effect=0.0, replications=1000, rng=generator()).table
    assert (np.abs(found.loc[["CR2", "wild bootstrap"], "size"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1000)).all()


def test_with_few_hard_clusters_the_conventional_test_rejects_too_often(few) -> None:
    assert few.table.loc["clustered t(G-1)", "size"] > 0.05 + 4 * few.table.loc["clustered t(G-1)", "size_std_error"]
    assert few.table["size"].idxmin() == "CR3 jackknife"


def test_power_is_above_size(few) -> None:
    assert (few.table["power"] > few.table["size"]).all()


def test_the_same_generator_gives_the_same_panel() -> None:
    first, second = (known_truth_panel(5, 4, rng=generator()).panel for _ in range(2))
    assert first.equals(second)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n_entities": 1}, "at least two"),
        ({"errors": ErrorDesign(serial_correlation=1.0)}, "between -1 and 1"),
        ({"errors": ErrorDesign(noise=-1.0)}, "negative"),
        ({"region_gaps": {str(place): 0.0 for place in range(9)}}, "fewer regions"),
    ],
)
def test_impossible_designs_are_told(change: dict, told: str) -> None:
    with pytest.raises(StudyError, match=told):
        known_truth_panel(**{"n_entities": 4, "n_times": 3, "rng": generator(), **change})


def test_a_method_that_gives_no_p_values_is_told() -> None:
    with pytest.raises(StudyError, match="method broken"):
        size_and_power(
            {"broken": lambda batch, rng: np.full(len(batch.outcome), np.nan)},  # noqa: ARG005
            shape=(4, 3), effect=0.1, replications=5, rng=generator(),
        )  # fmt: skip
