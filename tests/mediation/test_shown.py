"""Channels of a study: recorded, laid out, and said; their numbers are those of plain least squares (1e-9)."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cells import PlantedRun, run_cell
from helpers.errors import StudyError
from helpers.index import build as construction
from helpers.inference import clear
from helpers.inference.clear import ClearTest, record_clear
from helpers.mediation import coverage, leverage, missed, pictures, shown, sub_effects
from helpers.mediation.probit import ProbitMediation
from helpers.mediation.resampled import Samples, draw_samples
from helpers.results.estimate import Estimate
from helpers.results.results import Results
from outside import outside
from small_study import CONTENT, fit_dummies, label, make_indicators, make_study

TIGHT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
NOTEBOOK = "05_mediation"
TWO_WAY = ("entity", "time")
MEDIATORS = {
    "channel_a": {
        "label": label("Channel A"),
        "alternative": "other",
        "sub_effects": {
            "both": {"label": label("Both"), "key": "gaps", "outcomes": ["r1", "other"]},
            "one": {"label": label("One"), "key": "gaps", "outcomes": ["r2"]},
        },
    },
    "channel_b": {"label": label("Channel B"), "caution": label("A proxy.")},
}
STUDY = make_study(mediators=MEDIATORS)


def generator() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    indices = construction.build_indices(make_indicators(), STUDY)
    whole = construction.model_panel(make_indicators(), construction.index_values(indices))
    whole.loc[("p02", 2004), "channel_b"] = np.nan
    return whole


@pytest.fixture(scope="module")
def samples(panel) -> Samples:
    return draw_samples(panel, STUDY.model(), draws=199, rng=generator())


@pytest.fixture(scope="module")
def channels(panel, samples) -> dict[str, shown.Channel]:
    return shown.fit_channels(panel, STUDY, samples, wild_draws=199, rng=generator())


def test_paths_are_those_of_least_squares(panel, channels):
    a = fit_dummies(panel, "channel_a", ["dose", "size"], TWO_WAY)
    b = fit_dummies(panel, "reply", ["channel_a", "dose", "size"], TWO_WAY)
    total = fit_dummies(panel, "reply", ["dose", "size"], TWO_WAY)
    found = channels["channel_a"].alone
    ours = [found.path_a["channel_a"].estimate, found.path_b["channel_a"].estimate, found.total.estimate]
    ours += [found.indirect["channel_a"].estimate, found.path_a["channel_a"].std_error]
    theirs = [a["estimate"], b["estimate"], total["estimate"], a["estimate"] * b["estimate"], a["std_error"]]
    outside(shown.fit_channels, "statsmodels: OLS with dummies", ours, theirs, rtol=1e-9)


def test_a_mediator_uses_the_rows_in_which_it_has_a_figure(panel, channels):
    rows = panel.dropna(subset=["channel_b"])
    direct = fit_dummies(rows, "reply", ["dose", "channel_b", "size"], TWO_WAY)
    assert channels["channel_b"].alone.direct.estimate == pytest.approx(direct["estimate"], **TIGHT)
    assert [channels[name].alone.total.n_obs for name in ("channel_a", "channel_b")] == [60, 59]


def yes_or_no(panel: pd.DataFrame) -> pd.DataFrame:
    names = ["dose", "reply"]
    return panel.assign(**{name: (panel[name] > panel[name].median()).astype(float) for name in names})


def test_effects_of_yes_or_no_are_told_in_probabilities(panel):
    found = shown.fit_probabilities(yes_or_no(panel), STUDY, draws=199, rng=generator())
    assert list(found) == ["channel_a", "channel_b"]
    table = shown.probability_table(found, STUDY).xs("Channel B")
    fit = found["channel_b"]
    assert isinstance(fit, ProbitMediation)
    total = fit.total_effect
    assert table.loc["total", "estimate"] == total.estimate
    assert total.n_obs == 59
    results = Results(study="small", notebook="planted")
    shown.record_probabilities(results.record, found)
    assert results["mediation.channel_b.probability.total_effect"].estimate == pytest.approx(total.estimate)


def test_a_probit_that_the_data_separate_tells_why(panel):
    separated = yes_or_no(panel).assign(reply=lambda data: data["dose"])
    found = shown.fit_probabilities(separated, STUDY, draws=9, rng=generator())
    table = shown.probability_table(found, STUDY)
    assert table["remark"].str.contains("separate").all()
    shown.record_probabilities(None, found)


def test_effects_of_figures_are_not_told_in_probabilities(panel):
    names = {"data": panel, "choices": STUDY, "shown": shown, "bootstrap_draws": 9}
    run = PlantedRun(rng=lambda _: generator())
    assert "not both yes or no" in run_cell(NOTEBOOK, "likely = ", run=run, **names)


def test_without_time_effects_stands_beside(panel, channels):
    without = fit_dummies(panel, "channel_a", ["dose", "size"], ("entity",))
    found = channels["channel_a"]
    assert found.without_times.path_a["channel_a"].estimate == pytest.approx(without["estimate"], **TIGHT)
    assert found.path_a.without_times.estimate == pytest.approx(without["estimate"], **TIGHT)
    assert shown.largest_gap(channels) < 1e-10


def test_rows_with_a_figure_are_counted(panel):
    table = shown.count_rows(panel, STUDY)
    assert table.loc[["Channel A", "Channel B", "all of them", "Other"], "n_obs"].to_list() == [60, 59, 59, 60]
    assert table.loc["Channel B", "rows_without"] == 1


def test_every_effect_is_recorded_by_mediator(channels):
    results = Results(study="small", notebook=NOTEBOOK)
    shown.record_channels(results.record, channels)
    keys = set(results)
    for path in shown.PATHS:
        assert f"mediation.channel_a.{path}" in keys
        assert f"mediation.channel_a.{path}.without_years" in keys
    assert {"mediation.channel_a.path_a.wild", "mediation.channel_a.path_b.without_years.wild"} <= keys
    recorded, found = results["mediation.channel_a.indirect_effect"], channels["channel_a"].indirect
    numbers = [found.estimate, found.ci_low, found.std_error]
    assert [recorded.estimate, recorded.ci_low, recorded.std_error] == pytest.approx(numbers, rel=1e-7)
    drawn = results["mediation.channel_a.indirect_effect.bootstrap"]
    assert drawn.std_error == recorded.std_error
    assert drawn.draws == 199


def test_the_tables_quote_one_quantity_once(channels, panel, samples):
    intervals = shown.interval_table(channels, STUDY).loc[[("Channel A", "with time effects")]]
    effects = shown.effect_table({name: channel.alone for name, channel in channels.items()}, STUDY)
    together = shown.together_table(channels, shown.fit_together(panel, STUDY, samples), STUDY)
    ends = effects.loc[[("Channel A", "indirect")]][["ci_low", "ci_high"]].to_numpy()
    assert (intervals[["ci_low", "ci_high"]].to_numpy() == ends).all()
    alone = together.loc[[("alone", "Channel A")]][["indirect_ci_low", "indirect_ci_high"]]
    assert (alone.to_numpy() == ends).all()


def test_a_chain_needs_two_mediators_and_has_its_keys(panel, samples):
    chains = shown.fit_chains(panel, STUDY, samples)
    results = Results(study="small", notebook=NOTEBOOK)
    link = shown.test_link(panel, STUDY, draws=99, rng=np.random.default_rng(3))
    shown.record_chains(results.record, chains, link)
    assert link is not None
    assert results["mediation.chain.link.wild"].estimate == pytest.approx(chains[""].link.estimate, rel=1e-7)
    assert results["mediation.chain.link.without_years.wild"].p_value is not None
    assert {"mediation.chain.indirect_effect", "mediation.chain.link"} <= set(results)
    assert "mediation.chain.indirect_effect.without_years" in set(results)
    alone = make_study(mediators={"channel_a": MEDIATORS["channel_a"]})
    assert shown.fit_chains(panel, alone, samples) == {}
    assert shown.test_link(panel, alone, draws=9, rng=np.random.default_rng(3)) is None


def test_only_a_mediator_with_a_caution_is_cautioned():
    assert {name: text.en for name, text in shown.cautions_of(STUDY).items()} == {"channel_b": "A proxy."}


def test_a_variable_s_caution_goes_with_it_as_a_mediator():
    channel = {"formula": "channel_a", "label": label("A"), "caution": label("Beware.")}
    study = make_study(variables={**CONTENT["variables"], "channel_a": channel})
    assert [text.en for text in shown.cautions_of(study).values()] == ["Beware.", "A proxy."]


def test_an_arrow_is_solid_where_both_tests_are_clear(channels):
    arrows = shown.mechanism_arrows(channels, 0.05)
    for name, channel in channels.items():
        assert [arrow.is_clear for arrow in arrows.channels[name]] == [
            channel.path_a.is_clear(0.05),
            channel.path_b.is_clear(0.05),
        ]
    solid, dashed = pictures.Arrow(1.234, True), pictures.Arrow(-5.678, False)
    figure = pictures.draw_mechanism({"Ports": (solid, dashed)}, dashed, treatment="Dose", outcome="Reply")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"Ports", "Dose", "Reply", "1.234", "−5.678"} <= set(texts)
    patches = [getattr(text, "arrow_patch", None) for text in figure.axes[0].texts]
    styles = [patch.get_linestyle() for patch in patches if patch]
    assert styles == ["-", "--", "--"]


def test_every_mediator_has_a_panel_with_its_effects():
    index = pd.MultiIndex.from_product([["Ports", "Users"], ["indirect", "direct"]], names=["mediator", "effect"])
    effects = pd.DataFrame({"estimate": [1.0, 2.0, 3.0, 4.0], "ci_low": 0.0, "ci_high": 5.0}, index=index)
    axes = pictures.draw_paths(effects, label="effect").axes
    assert [part.get_title(loc="left") for part in axes] == ["Ports", "Users"]


def test_sub_effects_are_families_or_single_tests(panel):
    found = sub_effects.fit_sub_effects(panel, STUDY, draws=199, rng=generator())
    results = Results(study="small", notebook=NOTEBOOK)
    sub_effects.record_sub_effects(results.record, found)
    expected = fit_dummies(panel, "r1", ["channel_a", "size"], TWO_WAY)
    assert results["gaps.r1.channel_a"].estimate == pytest.approx(expected["estimate"], rel=1e-7)
    family = found["channel_a.both"]
    assert results["gaps.r1.channel_a"].p_value == pytest.approx(family.answers["r1"].adjusted.p_value, rel=1e-7)
    assert {"gaps.other.channel_a.without_years", "gaps.r2.channel_a.without_years.wild"} <= set(results)
    assert len(sub_effects.sub_effect_table(found, STUDY)) == 3


def test_a_dimension_of_an_index_can_be_an_outcome(panel):
    data = sub_effects.add_dimensions(panel, STUDY, ("all",))
    assert data["all"].notna().all()


def jumps(**row: Any) -> pd.DataFrame:
    rows = [
        {"column": "channel_a", "entity": "p03", "time": 2004, "score": 9.0},
        {"column": "channel_a", "entity": "p01", "time": 1990, "score": 99.0},
        {"column": "size", "entity": "p05", "time": 2003, "score": 50.0},
    ]
    return pd.DataFrame([*rows, *([row] if row else [])])


def test_the_jump_is_the_largest_of_the_mediator_s_statistics_in_analysed_times(panel, samples):
    found = leverage.fit_leverage(panel, STUDY, "channel_a", jumps(), samples)
    assert (found.entity, found.time, found.statistic, found.indicator) == ("p03", 2004, "channel_a", None)
    kept = panel.drop(index="p03", level=0)
    expected = fit_dummies(kept, "reply", ["channel_a", "dose", "size"], TWO_WAY)
    without = found.fits["without_jump"].path_b["channel_a"].estimate
    assert without == pytest.approx(expected["estimate"], **TIGHT)
    assert leverage.find_jump(jumps(), STUDY, "channel_b") is None
    assert leverage.largest_jump({"channel_a": found}) == "channel_a"


def test_the_heaviest_indicator_of_an_index_is_left_out(samples):
    model = {"outcome": "dose", "treatment": "other", "controls": ["size"]}
    study = make_study(mediators={"reply": {"label": label("Reply")}}, model=model)
    indices = construction.build_indices(make_indicators(), study)
    whole = construction.model_panel(make_indicators(), construction.index_values(indices))
    found = leverage.fit_leverage(whole, study, "reply", jumps(), samples)
    heavy = indices["reply"].weights.idxmax()
    assert found.indicator == heavy
    kept = study.indices["reply"].indicators
    light = study.indices["reply"].model_copy(update={"indicators": {n: i for n, i in kept.items() if n != heavy}})
    rebuilt = whole.assign(reply=construction.build_index(whole, light).values)
    expected = fit_dummies(rebuilt, "reply", ["other", "size"], TWO_WAY)
    assert found.fits["without_heaviest"].path_a["reply"].estimate == pytest.approx(expected["estimate"], rel=1e-8)


def test_coverage_is_that_of_the_file_and_the_method_read_here_keeps_it():
    table = coverage.read_coverage()
    assert set(table["errors"]) == {"even", "uneven"}
    low, high = coverage.coverage_range(table, coverage.RECOMMENDED)
    assert low <= high <= 1
    with pytest.raises(StudyError, match="not measured"):
        coverage.coverage_range(table, "guessing")
    shares = coverage.coverage_table(table)
    assert (shares["lowest"] <= shares["highest"]).all()


def planted(**results: Estimate) -> PlantedRun:
    run = PlantedRun()
    for key, found in results.items():
        run.record(key.replace("__", "."), found)
    run.record("mediation.count.channels", value=2)
    return run


def effect(estimate: float, low: float, high: float, p_value: float = 0.2) -> Estimate:
    return Estimate(estimate=estimate, std_error=0.1, ci_low=low, ci_high=high, p_value=p_value)


@pytest.mark.parametrize(
    ("names", "low", "told"),
    [
        (("first", "second"), 0.1, "Of 2 channels the clearest is first: indirect effect 0.2000"),
        (("first", "second"), -0.1, "Of 2 channels none has an indirect effect whose interval"),
        (
            ("first",),
            0.1,
            "The one channel, first, has the indirect effect 0.2000, interval [0.1000, 0.4000], which leaves",
        ),
        (("first",), -0.1, "which holds zero (p = 0.010). One of"),
    ],
)
def test_the_sentence_on_indirect_effects(names, low, told):
    planted_effects = {"first": effect(0.2, low, 0.4, 0.01), "second": effect(0.1, -0.2, 0.3, 0.5)}
    found = planted_effects["first"]
    channels = {
        name: SimpleNamespace(indirect=item, is_clear=lambda item=item: shown.leaves_out_zero(item))
        for name, item in planted_effects.items()
        if name in names
    }
    run = planted(mediation__first__indirect_effect=found)
    given = {"run": run, "channels": channels, "level": 0.05, "missed": missed}
    said = run_cell(NOTEBOOK, "best = min", "the clearest is", "messages[several", **given)
    assert told in said
    # Holm: the smallest of two p-values of 0.01 counts twice.
    assert ("p = 0.020 once the channels are counted" in said) == (len(names) > 1)
    # From -0.1 to 0.4: half of 0.5, times (1.960 + 0.842) / 1.960.
    assert ("One of 0.3574 or more would have been seen" in said) == (low < 0)


@pytest.mark.parametrize(("clear", "told"), [((True, True), "1 of 2"), ((True, False), "0 of 2")])
def test_the_sentence_on_both_paths(clear, told):
    pair: Any = tuple(pictures.Arrow(1.0, one) for one in clear)
    arrows = shown.Mechanism({"first": pair, "second": (pair[0], pictures.Arrow(0.1, False))}, pair[0])
    run = PlantedRun()
    said = run_cell(
        NOTEBOOK, "both = sum", "Channels with both paths", run=run, arrows=arrows, channels={"first": 1, "second": 2}
    )
    assert said == f"Channels with both paths clear by the t test and by the wild bootstrap: {told}."


def path(p_value: float, wild: float, high: float = 0.5) -> ClearTest:
    """A path by the t test, and by a wild bootstrap with this p-value and upper end."""
    found = effect(0.2, -0.1, 0.5, p_value)
    fit: Any = SimpleNamespace()
    return ClearTest(fit, found, replace(found, std_error=None, p_value=wild, ci_high=high))


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        # What counts is the larger p-value of the weaker path: 0.3 of the first, 0.2 of the second.
        (((path(0.01, 0.02), path(0.01, 0.3)), (path(0.2, 0.01), path(0.04, 0.04))), "second; its path further from clear is path a"),
        (((path(0.01, 0.02), path(0.01, 0.1)), (path(0.2, 0.01), path(0.04, 0.04))), "first; its path further from clear is path b"),
        (((path(0.01, 0.1, np.inf), path(0.01, 0.02)),) * 2, "of its path further from clear: 0.2000 (p = 0.010; wild "
         "bootstrap p = 0.100). The bootstrap's interval has no end"),
        (((path(0.01, 0.02), path(0.01, 0.1, np.inf)),) * 2, "of its path further from clear: 0.2000 (p = 0.010; wild "
         "bootstrap p = 0.100). The bootstrap's interval has no end"),
    ],
)  # fmt: skip
def test_the_channel_that_comes_nearest_is_told_with_what_it_could_have_missed(paths, told):
    channels = {
        name: SimpleNamespace(path_a=one, path_b=two)
        for name, (one, two) in zip(("first", "second"), paths, strict=True)
    }
    run = PlantedRun()
    for name, channel in channels.items():
        for part in ("path_a", "path_b"):
            record_clear(run.record, f"mediation.{name}.{part}", getattr(channel, part))
    given = {"run": run, "channels": channels, "level": 0.05, "clear": clear, "missed": missed}
    said = run_cell(NOTEBOOK, "missed.weaker_path", both=0, **given)
    assert told in said
    # From -0.1 to 0.5: half of 0.6, times (1.960 + 0.842) / 1.960; the t test with its 0.1 sees a smaller one.
    assert ("One of 0.4288 or more would have been seen" in said) == ("no end" not in said)


def test_with_both_paths_clear_no_channel_comes_nearest():
    channels = {"first": SimpleNamespace(path_a=path(0.01, 0.02), path_b=path(0.01, 0.02))}
    names = {"clear": clear, "missed": missed, "level": 0.05}
    assert run_cell(NOTEBOOK, "missed.weaker_path", both=1, channels=channels, **names) == "None"


@pytest.mark.parametrize(
    ("low", "told"), [(0.1, "which leaves out zero; the link"), (-0.1, "which holds zero: one of")]
)
def test_the_sentence_on_the_chain(low, told):
    along = effect(0.2, low, 0.4)
    chain = SimpleNamespace(first="first", second="second", indirect_effect=along)
    link = effect(0.3, 0.1, 0.5)
    run = planted(
        mediation__chain__indirect_effect=along, mediation__chain__link=link, mediation__chain__link__wild=link
    )
    names = {"shown": shown, "missed": missed, "level": 0.05}
    said = run_cell(NOTEBOOK, "Along the chain", run=run, chains={"": chain}, **names)
    assert told in said
    assert ("one of 0.3574 or more would have been seen" in said) == (low < 0)
    assert "0.3000 (p = 0.200; wild bootstrap p = 0.200)" in said
    assert "there is no chain" in run_cell(NOTEBOOK, "Along the chain", run=run, chains={}, **names)


@pytest.mark.parametrize(
    ("without", "told"),
    [
        (0.05, "the estimate of path b of first hangs on north"),
        (-0.4, "the estimate of path b of first hangs on north"),
        (0.45, "north holds path b of first nearer to zero"),
        (0.27, "stays within its standard error"),
        (0.35, "stays within its standard error"),
    ],
)
def test_the_sentence_on_the_jump(without, told):
    fits: dict[str, Any] = {
        "": SimpleNamespace(path_b={"first": effect(0.3, 0.1, 0.5)}),
        "without_jump": SimpleNamespace(path_b={"first": effect(without, 0, 0.5)}),
    }
    found = leverage.Leverage("first", "north", 2016, 9.0, "ports", None, fits)
    run = planted(
        mediation__first__path_b=fits[""].path_b["first"],
        mediation__first__path_b__without_jump=fits["without_jump"].path_b["first"],
    )
    said = run_cell(NOTEBOOK, "jumping = ", run=run, without={"first": found}, leverage=leverage)
    assert told in said
    assert "ports of north in 2016" in said
    calm = replace(found, entity=None, time=None)
    assert "No figure" in run_cell(NOTEBOOK, "jumping = ", run=run, without={"first": calm}, leverage=leverage)


@pytest.mark.parametrize(
    ("clear", "told"),
    [
        ((), "so that there is none for a common cause to explain away. One may hide an effect as well"),
        (("first", "second"), "Of 2 channels whose interval leaves out zero, second is explained away most easily"),
        (("first",), "The one channel whose interval leaves out zero, first, is explained away by a correlation of"),
    ],
)
def test_only_a_clear_channel_can_be_explained_away(clear, told, monkeypatch):
    curves = {"first": SimpleNamespace(rho_at_zero=-0.3), "second": SimpleNamespace(rho_at_zero=0.1)}
    channels = {name: SimpleNamespace(is_clear=lambda name=name: name in clear) for name in curves}
    run = planted(mediation__first__rho=effect(-0.3, -0.4, -0.2), mediation__second__rho=effect(0.1, 0.0, 0.2))
    monkeypatch.setattr(shown, "record_rho", lambda *_: None)
    assert told in run_cell(
        NOTEBOOK, "weakest = min", "explained away most", run=run, curves=curves, channels=channels, shown=shown
    )


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ((path(0.01, 0.02), path(0.04, 0.01)), "wild bootstrap: 2 of 2."),
        ((path(0.01, 0.02), path(0.1, 0.3)), "wild bootstrap: 1 of 2. The nearest of the others is that of second"),
        ((path(0.01, 0.2), path(0.1, 0.3)), "wild bootstrap: 0 of 2. The nearest of the others is that of first, 0.2000 "
         "(p = 0.010; wild bootstrap p = 0.200): one of 0.4288 or more would have been seen"),
        ((path(0.01, 0.2, np.inf), path(0.1, 0.3)), "none, however large, would surely have been seen"),
    ],
)  # fmt: skip
def test_the_sentence_on_interactions(tests, told):
    run = planted()
    interactions = {
        name: SimpleNamespace(interaction=item) for name, item in zip(("first", "second"), tests, strict=True)
    }
    for name, item in interactions.items():
        record_clear(run.record, f"mediation.{name}.interaction", item.interaction)
    names = {"run": run, "interactions": interactions, "level": 0.05, "missed": missed}
    assert told in run_cell(NOTEBOOK, "turning = ", "Interactions of treatment", **names)


@pytest.mark.parametrize(
    ("lows", "told"),
    [
        ((0.1, 0.1), "leaves out zero: 2 of 2; one in twenty would by chance."),
        ((0.1, -0.1), "leaves out zero: 1 of 2; one in twenty would by chance. The nearest of the others is that of first between a and c, 0.2000, "
         "interval [−0.1000, 0.4000]: one of 0.3574 or more would have been seen"),
        ((-0.1, -0.1), "leaves out zero: 0 of 2; one in twenty would by chance. The nearest of the others is that of first between a and b"),
    ],
)  # fmt: skip
def test_the_sentence_on_differences_between_groups(lows, told):
    gaps = {
        ("a", other): effect(0.2, low, 0.4, p_value) for other, low, p_value in zip("bc", lows, (0.3, 0.6), strict=True)
    }
    run = PlantedRun()
    for pair, gap in gaps.items():
        run.record(missed.gap_key(("first", *pair)), gap)
    names = {"run": run, "shown": shown, "missed": missed, "level": 0.05}
    moderations = {"first": SimpleNamespace(differences=gaps)}
    assert told in run_cell(
        NOTEBOOK, "unclear = [", "Differences between groups whose", moderations=moderations, **names
    )
    assert run_cell(NOTEBOOK, "unclear = [", "Differences between groups whose", moderations={}, **names) == "None"
