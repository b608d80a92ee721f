"""Uncertainty and sensitivity of ranks and coefficient.

Sources: `helpers.regression.panel.fit_panel` (held against Stata and fixest in its own tests) for the coefficient of a run, to 1e-10;
facts that follow from the definitions elsewhere.
"""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.errors import StudyError
from helpers.index.choices import IndexChoices
from helpers.index.composite import composite_index
from helpers.multiverse import drawn
from helpers.multiverse.drawn import IndexExperiment, Specification, draw_uncertainty, sobol_sensitivity
from helpers.regression.panel import fit_panel
from index.test_composite import INDICATORS, a_panel

POWER = {"indicators": {name: INDICATORS[name] for name in ("patents", "software", "websites")}}
ORDER = {"indicators": {name: INDICATORS[name] for name in ("emissions", "roads")}}
FEW = IndexChoices(
    zero_rule=(0.0, 0.01),
    scale=("min_max", "percentile"),
    winsorise=(0.0,),
    weights=("entropy", "equal"),
    scope=("pooled",),
    aggregate=("arithmetic", "geometric"),
    leave_one_out=False,
)


def an_experiment(**changes: Any) -> IndexExperiment:
    panel = a_panel(entities=9).assign(wealth=np.random.default_rng(3).normal(size=36))
    choices = IndexChoices(**{**vars(FEW), **changes})
    return IndexExperiment(
        panel, {"power": POWER, "order": ORDER}, Specification("order", "power", ("wealth",)), choices
    )


def test_choices_with_one_option_are_no_inputs() -> None:
    assert an_experiment().inputs == ("zero_rule", "scale", "weights", "aggregate")


def test_leaving_one_out_is_an_input_of_each_index_of_three_indicators_and_more() -> None:
    experiment = an_experiment(leave_one_out=True)
    assert experiment.inputs == ("zero_rule", "scale", "weights", "aggregate", "left_out_power")
    assert experiment.options["left_out_power"] == (None, *POWER["indicators"])


def test_an_index_of_two_indicators_is_built_under_every_choice() -> None:
    experiment = an_experiment(leave_one_out=True)
    runs = experiment.run(np.random.default_rng(1).random((40, len(experiment.inputs))))
    assert np.isfinite(runs.estimates["estimate"]).all()


def test_the_first_options_give_the_primary_specification() -> None:
    experiment = an_experiment()
    runs = experiment.run(np.zeros((1, 4)))
    data = experiment.panel.assign(
        power=composite_index(experiment.panel, POWER).values, order=composite_index(experiment.panel, ORDER).values
    )
    fit = fit_panel(data, "order", ["power", "wealth"], entity_effects=True, time_effects=True)
    assert_allclose(runs.estimates["estimate"], fit.estimates["power"], atol=1e-10)
    assert_allclose(runs.estimates["std_error"], fit.std_errors["power"], atol=1e-10)


def test_a_point_picks_its_options() -> None:
    runs = an_experiment().run(np.array([[0.0, 0.6, 0.49, 0.99]]))
    assert runs.options.iloc[0].tolist() == [0.0, "percentile", "entropy", "geometric"]


def test_ranks_are_those_of_entity_means() -> None:
    experiment = an_experiment()
    means = composite_index(experiment.panel, POWER).values.groupby(level=0).mean()
    ranks = experiment.run(np.zeros((1, 4))).ranks["power"][0]
    assert ranks.tolist() == means.rank(ascending=False).tolist()


def test_the_standardised_coefficient_does_not_depend_on_units() -> None:
    arithmetic = IndexChoices(
        **{**vars(FEW), "aggregate": ("arithmetic",), "scale": ("min_max",), "weights": ("equal",)}
    )
    experiment = an_experiment(**vars(arithmetic))
    runs = experiment.run(np.zeros((1, 1)))
    power = composite_index(experiment.panel, POWER, weights="equal").values
    order = composite_index(experiment.panel, ORDER, weights="equal").values
    data = experiment.panel.assign(power=power / power.std(), order=order / order.std())
    fit = fit_panel(data, "order", ["power", "wealth"], entity_effects=True, time_effects=True)
    assert_allclose(runs.estimates["standardised"], fit.estimates["power"], atol=1e-10)


def test_uncertainty_holds_the_declared_rank_beside_its_interval() -> None:
    found = draw_uncertainty(an_experiment(), 64, np.random.default_rng(4))
    table = found.ranks["power"]
    assert (table["ci_low"] <= table["median"]).all()
    assert (table["median"] <= table["ci_high"]).all()
    assert sorted(table["rank"]) == list(range(1, 10))


def test_uncertainty_shares_are_shares_of_the_runs() -> None:
    experiment = an_experiment()
    own = draw_uncertainty(experiment, 64, np.random.default_rng(4)).estimates.loc["estimate"]
    runs = experiment.run(np.random.default_rng(4).random((64, len(experiment.inputs))))
    same = np.sign(runs.estimates["estimate"]) == np.sign(own["baseline"])
    assert own["share_same_sign"] == pytest.approx(same.mean())
    assert 0 <= own["share_significant"] <= 1


def test_equal_seeds_give_equal_runs() -> None:
    one, two = (draw_uncertainty(an_experiment(), 16, np.random.default_rng(4)) for _ in range(2))
    assert one.estimates.equals(two.estimates)


def test_sensitivity_makes_base_times_inputs_and_two_runs() -> None:
    found = sobol_sensitivity(an_experiment(), 16, np.random.default_rng(4), resamples=20)
    assert {output.n_runs for output in found.outputs.values()} == {16 * 6}
    assert set(found.outputs) == {"estimate", "standardised", "rank_shift_power", "rank_shift_order"}


def test_a_choice_that_cannot_matter_has_total_order_0() -> None:
    experiment = an_experiment(weights=("equal",))
    table = sobol_sensitivity(experiment, 32, np.random.default_rng(4), resamples=20).outputs["estimate"].table
    total = table["total"].to_dict()
    assert total["zero_rule"] == pytest.approx(0, abs=1e-12)
    assert total["aggregate"] > 0.01


def test_a_model_without_an_index_is_refused() -> None:
    with pytest.raises(StudyError, match="neither is one of the indices"):
        IndexExperiment(a_panel(), {"power": POWER}, Specification("roads", "emissions", ()))


def test_a_control_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudyError, match="column wealth: the panel has no such column"):
        IndexExperiment(a_panel(), {"power": POWER}, Specification("roads", "power", ("wealth",)))


def test_runs_in_small_blocks_that_keep_no_step_are_the_same_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(8).random((7, 4))
    whole = an_experiment().run(points)
    monkeypatch.setattr("helpers.multiverse.drawn.BLOCK_FIGURES", 2 * 36)
    monkeypatch.setattr("helpers.index.choices.KEPT_BYTES", 0)
    parts = an_experiment().run(points)
    assert_allclose(parts.estimates, whole.estimates, rtol=1e-12)
    for name in whole.ranks:
        assert parts.ranks[name].tolist() == whole.ranks[name].tolist()


def test_ties_within_rounding_share_the_better_rank() -> None:
    found = drawn._ranks(np.array([[0.3, 0.5 + 1e-16, 0.5, 0.1], [1.0, 1.0, 1.0, 2.0]]))
    assert found.tolist() == [[3, 1, 1, 4], [2, 2, 2, 1]]
