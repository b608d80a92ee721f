"""Mediators of a study: each alone on the primary specification, with the paths of plain least squares (1e-9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.index import build as construction
from helpers.mediation import shown as mediators
from helpers.results.results import Results
from small_study import CONTENT, fit_dummies, label, make_indicators, make_study

TIGHT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
STUDY = make_study()
TWO_WAY = ("entity", "time")


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    indices = construction.build_indices(make_indicators(), STUDY)
    whole = construction.model_panel(make_indicators(), construction.index_values(indices))
    whole.loc[("p02", 2004), "channel_b"] = np.nan
    return whole


@pytest.fixture(scope="module")
def fits(panel):
    return mediators.fit_mediators(panel, STUDY, draws=199, rng=np.random.default_rng(4))


def test_paths_are_those_of_least_squares(panel, fits):
    path_a = fit_dummies(panel, "channel_a", ["dose", "size"], TWO_WAY)
    path_b = fit_dummies(panel, "reply", ["channel_a", "dose", "size"], TWO_WAY)
    found = fits["channel_a"]
    assert found.path_a.estimate == pytest.approx(path_a["estimate"], **TIGHT)
    assert found.path_b.estimate == pytest.approx(path_b["estimate"], **TIGHT)
    assert found.path_a.std_error == pytest.approx(path_a["std_error"], **TIGHT)
    assert found.indirect_effect.estimate == pytest.approx(path_a["estimate"] * path_b["estimate"], **TIGHT)


def test_the_total_effect_is_the_primary_specification(panel, fits):
    total = fit_dummies(panel, "reply", ["dose", "size"], TWO_WAY)
    assert fits["channel_a"].total_effect.estimate == pytest.approx(total["estimate"], **TIGHT)


def test_a_mediator_uses_the_rows_in_which_it_has_a_figure(panel, fits):
    rows = panel.dropna(subset=["channel_b"])
    direct = fit_dummies(rows, "reply", ["dose", "channel_b", "size"], TWO_WAY)
    assert fits["channel_b"].direct_effect.estimate == pytest.approx(direct["estimate"], **TIGHT)
    assert (fits["channel_a"].total_effect.n_obs, fits["channel_b"].total_effect.n_obs) == (60, 59)


def test_the_effects_add_up_and_a_misfit_is_measured(fits):
    assert mediators.largest_gap(fits) < 1e-12
    found = fits["channel_a"]
    moved = replace(found, total_effect=replace(found.total_effect, estimate=found.total_effect.estimate - 0.25))
    assert mediators.largest_gap({**fits, "channel_a": moved}) == pytest.approx(0.25)


def test_rows_with_a_figure_are_counted(panel):
    table = mediators.count_rows(panel, STUDY)
    assert table["n_obs"].to_list() == [60, 59, 59]
    assert table.loc["Channel B", "rows_without"] == 1
    assert len(mediators.complete_rows(panel, ["channel_a", "channel_b"])) == 59


def test_the_five_effects_are_recorded_by_mediator(fits):
    results = Results(study="small", notebook="05_mediation")
    mediators.record_mediators(results, fits)
    assert len(results) == 10
    found = results["mediation.channel_a.indirect_effect"]
    assert (found.estimate, found.ci_low) == (
        fits["channel_a"].indirect_effect.estimate,
        fits["channel_a"].indirect_effect.ci_low,
    )


def test_the_table_has_a_row_per_mediator_and_effect(fits):
    table = mediators.effect_table(fits, STUDY)
    assert table.index.names == ["mediator", "effect"]
    assert table.loc[("Channel B", "direct"), "estimate"] == fits["channel_b"].direct_effect.estimate
    assert table.loc[("Channel A", "indirect"), "bca_low"] == fits["channel_a"].indirect_effect.bootstrap.bca_low


def test_paths_are_left_out_of_the_picture(fits):
    shown = mediators.without_paths(mediators.effect_table(fits, STUDY))
    assert shown.loc["Channel A"].index.to_list() == ["indirect", "direct", "total"]


def test_only_a_mediator_with_a_caution_is_cautioned():
    assert mediators.cautions_of(STUDY) == "**Channel B.** A proxy."


def test_a_variable_s_caution_goes_with_it_as_a_mediator():
    channel = {"formula": "channel_a", "label": label("A"), "caution": label("Beware.")}
    study = make_study(variables={**CONTENT["variables"], "channel_a": channel})
    assert mediators.cautions_of(study) == "**Channel A.** Beware.\n\n**Channel B.** A proxy."


@pytest.mark.parametrize(
    ("low", "high", "told"), [(0.1, 0.4, "leaves out zero"), (-0.4, -0.1, "leaves out zero"), (-0.1, 0.4, "holds zero")]
)
def test_the_sentence_says_on_which_side_of_zero_the_interval_lies(fits, low, high, told):
    found = fits["channel_a"]
    moved = replace(found, indirect_effect=replace(found.indirect_effect, ci_low=low, ci_high=high))
    sentence = mediators.say_channels({"channel_a": moved}, STUDY)
    assert sentence.startswith("- Channel A: indirect effect {mediation.channel_a.indirect_effect}")
    assert sentence.endswith(f"which {told}.")


def test_the_same_random_numbers_give_the_same_intervals(panel, fits):
    again = mediators.fit_mediators(panel, STUDY, draws=199, rng=np.random.default_rng(4))
    assert again["channel_a"].indirect_effect.ci_low == fits["channel_a"].indirect_effect.ci_low
