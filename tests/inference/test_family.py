"""Several outcomes of one treatment, beside pyfixest's Romano-Wolf step-down.

Two bootstraps of 9,999 draws each: three standard errors of a p-value are 0.015, of their difference 0.02. The p-values
of Westfall and Young are those of pyfixest 0.60.0 with wildboottest 0.3.2, wyoung(fits, "value", reps=9999), which goes
through all 1,024 patterns of signs of ten firms; beside 50,000 draws: four standard errors of 218/1,024 are 0.0073.
"""

import numpy as np
import pandas as pd
import pytest

from helpers.inference.detectable import detectable_effect
from helpers.inference.family import Answer, Question, fit_family
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.panel import fit_panel
from helpers.study.model import Model
from outside import outside
from reference.panels import gappy_grunfeld


def make_panel(entities: int = 16, times: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(entities)], range(times)], names=["entity", "time"])
    panel = pd.DataFrame(rng.normal(size=(len(index), 5)), index=index, columns=["first", "second", "third", "x", "a"])
    panel["second"] += 0.3 * panel["x"] + 0.6 * panel["first"]
    panel["third"] += 0.2 * panel["x"] + 0.4 * panel["second"]
    return panel


OUTCOMES = ["first", "second", "third"]


def ask(
    panel: pd.DataFrame, outcomes: list[str], draws: int = 9_999, controls: tuple[str, ...] = ("a",)
) -> dict[str, Answer]:
    """The same regression for each outcome."""
    questions = {name: Question(panel, Model(name, "x", controls), "x") for name in outcomes}
    return fit_family(questions, draws=draws, rng=np.random.default_rng(1))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:The inplace keyword in DataFrame", "ignore::UserWarning")
def test_pyfixest_adjusts_alike() -> None:
    import pyfixest

    panel = make_panel()
    flat = panel.reset_index()
    flat["entity"] = flat["entity"].str[1:].astype(int)
    fits = [pyfixest.feols(f"{name} ~ x + a + C(entity) + C(time)", flat, vcov={"CRV1": "entity"}) for name in OUTCOMES]
    other = pyfixest.rwolf(fits, "x", reps=9999, seed=1).loc["RW Pr(>|t|)"].to_numpy(dtype=float)
    found = [answer.adjusted.p_value for answer in ask(panel, OUTCOMES).values()]
    outside(fit_family, "pyfixest: rwolf, three outcomes", found, other, atol=0.02)


def test_all_patterns_of_ten_firms_give_the_p_values_of_westfall_and_young() -> None:
    data = gappy_grunfeld()
    data = data.assign(size=np.log(data["value"]), ratio=data["inv"] / data["capital"])
    controls: dict[str, tuple[str, ...]] = {"inv": ("capital",), "capital": (), "ratio": (), "size": ()}
    questions = {
        name: Question(data, Model(name, "value", given, ("entity",)), "value") for name, given in controls.items()
    }
    found = fit_family(questions, draws=50_000, rng=np.random.default_rng(1))
    ours = [answer.adjusted.p_value for answer in found.values()]
    numbers = [0.001953125, 0.001953125, 0.212890625, 0.212890625]
    outside(fit_family, "pyfixest: wyoung, all patterns of signs, Grunfeld with gaps", ours, numbers, atol=0.0073)
    ours = [answer.effect.statistic for answer in found.values()]
    numbers = [7.888762, 7.039010, -2.976284, 2.426780]
    outside(fit_family, "pyfixest: feols, CRV1, Grunfeld with gaps", ours, numbers, atol=1e-6)


def test_each_outcome_has_the_p_value_of_its_own_wild_bootstrap() -> None:
    panel = make_panel(10)
    for name, answer in ask(panel, OUTCOMES, draws=20_000).items():
        fit = fit_panel(panel, name, ["x", "a"], entity_effects=True, time_effects=True)
        assert answer.effect.estimate == pytest.approx(fit.estimates["x"], rel=1e-10)
        assert answer.wild.p_value == pytest.approx(wild_cluster_bootstrap(fit, "x").p_value, abs=0.012)


def test_adjusted_p_values_are_no_smaller_than_their_own() -> None:
    for answer in ask(make_panel(), OUTCOMES, controls=()).values():
        assert answer.adjusted.p_value >= answer.wild.p_value
        assert answer.holm >= answer.effect.p_value


def test_an_outcome_twice_costs_nothing() -> None:
    panel = make_panel()
    once = ask(panel, ["second", "third"])
    twice = ask(panel.assign(copy=panel["second"]), ["second", "third", "copy"])
    assert twice["second"].adjusted.p_value == pytest.approx(once["second"].adjusted.p_value)
    assert twice["second"].holm == pytest.approx(once["second"].holm * 3 / 2)


def test_the_critical_value_is_where_the_adjusted_p_value_is_the_level() -> None:
    """Beyond it the largest statistic of a family is clear, below it not; a family asks for more than one member."""
    panel = make_panel(10)
    found = ask(panel, OUTCOMES)
    largest = max(found.values(), key=lambda answer: abs(answer.effect.statistic or 0.0))
    assert largest.adjusted.p_value is not None
    assert (abs(largest.effect.statistic or 0.0) > largest.critical) == (largest.adjusted.p_value < 0.05)
    assert len({answer.critical for answer in found.values()}) == 1
    assert ask(panel, OUTCOMES[:1])["first"].critical < largest.critical


def test_what_a_family_would_have_seen_is_told_in_standard_deviations() -> None:
    panel = make_panel(10)
    answer = ask(panel, OUTCOMES)["second"]
    spread = panel["x"].std() / panel["second"].std()
    assert answer.scale == pytest.approx(spread, rel=1e-12)
    assert answer.detectable(0.05) == pytest.approx(
        detectable_effect(answer.effect, beyond=answer.critical) * spread, rel=1e-12
    )
    assert answer.detectable(0.05) > detectable_effect(answer.effect) * spread


def test_effects_as_large_as_the_detectable_one_are_seen_by_the_family_in_four_of_five_samples() -> None:
    rng = np.random.default_rng(5)
    index = pd.MultiIndex.from_product([range(30), range(6)], names=["entity", "time"])
    seen, sizes = [], []
    for _ in range(60):
        panel = pd.DataFrame(rng.normal(size=(180, 4)), index, ["x", *OUTCOMES])
        sizes.append(ask(panel, OUTCOMES, 399, ())["first"].detectable(0.05))
        panel["first"] += float(np.mean(sizes)) * panel["x"]
        adjusted = ask(panel, OUTCOMES, 399, ())["first"].adjusted.p_value
        seen.append(adjusted is not None and adjusted < 0.05)
    # A share of 60 samples has a standard error of 5 points; twelve points are more than two of them.
    assert np.mean(seen) == pytest.approx(0.8, abs=0.12)
