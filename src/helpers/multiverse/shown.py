"""What notebook 04 shows of the multiverse: how often the claim survives, what moves it, what all say together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.multiverse.curve import (
    Survival,
    claim_survival,
    draw_specification_curve,
    specification_curve,
    variance_shares,
)
from helpers.multiverse.declared import study_specifications
from helpers.multiverse.joint import JointTest, joint_test
from helpers.robustness.pictures import draw_nulls, draw_shares

if TYPE_CHECKING:
    from helpers.display.figures import FigureView
    from helpers.display.prose import Sentence
    from helpers.display.tables import TableView
    from helpers.multiverse.fit import Multiverse
    from helpers.notebook import NotebookRun
    from helpers.results.results import Results
    from helpers.study.study import Study

JOINT_WORDS = {
    "median": "median estimate",
    "median_standardised": "median standardised estimate",
    "share_significant": "share significant in the dominant direction",
    "stouffer": "Stouffer's Z",
}
NULL = "restricted wild cluster null: one sign for each entity, the same in all specifications"


def fit_multiverse(panel: pd.DataFrame, study: Study, units: pd.DataFrame) -> Multiverse | None:
    """Every declared specification; None where the study declares none."""
    return None if study.multiverse is None else study_specifications(panel, study, units)


def record_multiverse(results: Results, multiverse: Multiverse | None) -> Survival | None:
    """Record how many universes there are and the shares in which the claim survives."""
    if multiverse is None:
        return None
    found = claim_survival(multiverse)
    results.record("robustness.multiverse.specifications", value=found.n_specifications)
    results.record("robustness.multiverse.failures", value=found.n_failures)
    estimates = multiverse.estimated["standardised"]
    results.record(
        "robustness.multiverse.median",
        estimate=float(estimates.median()),
        ci_low=float(estimates.quantile(0.025)),
        ci_high=float(estimates.quantile(0.975)),
        convention="median of the standardised estimates; the interval holds nineteen of twenty of them",
    )
    for name in ("positive", "negative", "positive_significant", "negative_significant"):
        results.record(f"robustness.multiverse.share_{name}", value=getattr(found, name), digits=3)
    return found


def say_multiverse(multiverse: Multiverse | None) -> str:
    """The sentence template on the universes."""
    if multiverse is None:
        return "The study file declares no multiverse (block `multiverse`), so that no universe is counted."
    failed = "{robustness.multiverse.failures} more could not be estimated and are listed below. "
    return (
        "{robustness.multiverse.specifications} specifications were estimated. "
        + (failed if multiverse.n_specifications > len(multiverse.estimated) else "")
        + "The claim that the effect is positive and significant survives in "
        "{robustness.multiverse.share_positive_significant:.1%} of them; it is negative and significant in "
        "{robustness.multiverse.share_negative_significant:.1%}, and positive, significant or not, in "
        "{robustness.multiverse.share_positive:.1%}. The median standardised estimate is "
        "{robustness.multiverse.median}, and nineteen of twenty lie between {robustness.multiverse.median:ci_low} and "
        "{robustness.multiverse.median:ci_high}."
    )


def failure_table(multiverse: Multiverse) -> pd.DataFrame:
    """Why specifications could not be estimated, and how many for each reason."""
    return multiverse.failure_counts.rename_axis("reason").rename("specifications").to_frame()


def survival_table(survival: Survival, study: Study) -> pd.DataFrame:
    """Per decision with few options, and option: specifications, median, shares."""
    table = survival.by_option
    counts = table.index.get_level_values(0).value_counts()
    few = [str(name) for name in table.index.unique(0) if counts[name] <= MOST_OPTIONS]
    return label_levels(table.loc[few], study)


MOST_OPTIONS = 8


def label_levels(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A table whose rows are decisions and options, in words."""
    return table.rename(index=lambda name: option_words(str(name), study))


def option_words(name: str, study: Study) -> str:
    """An option or decision in words: samples, controls and indicators by their label, methods by their own name."""
    samples = study.multiverse.samples if study.multiverse else {}
    if name in samples:
        return samples[name].label.en
    named = {*study.specification.controls, *study.indicators}
    return " + ".join(study.label(part) if part in named else part.replace("_", " ") for part in name.split(" + "))


def find_shares(multiverse: Multiverse | None) -> pd.DataFrame | None:
    """Share of the variance of the standardised estimates by decision."""
    return None if multiverse is None else variance_shares(multiverse)


def decision_words(name: str, study: Study) -> str:
    """A decision in words: single controls by their label."""
    kind, _, control = name.partition(" ")
    if kind == "control" and control:
        return f"control: {study.label(control)}"
    return option_words(name, study)


def record_shares(results: Results, shares: pd.DataFrame | None) -> str:
    """Record the shares of the variance by decision; the sentence template that names the largest."""
    if shares is None:
        return NONE
    for name, row in shares.iterrows():
        key = str(name).replace(" ", "_")
        results.record(f"robustness.multiverse.variance.{key}", value=row["first_order"], digits=3)
        results.record(f"robustness.multiverse.variance.{key}.total", value=row["total_order"], digits=3)
    largest = str(shares["first_order"].idxmax()).replace(" ", "_")
    return (
        f"The decision that moves the estimate most is {largest.replace('_', ' ')}: alone it makes "
        f"{{robustness.multiverse.variance.{largest}:.1%}} of the variance over all universes, with its interactions "
        f"{{robustness.multiverse.variance.{largest}.total:.1%}}."
    )


def test_jointly(
    results: Results, multiverse: Multiverse | None, *, draws: int, rng: np.random.Generator
) -> JointTest | None:
    """Test all specifications together and record every statistic under ``robustness.multiverse.joint.<statistic>``."""
    if multiverse is None:
        return None
    test = joint_test(multiverse, draws=draws, rng=rng)
    for name, statistic in test.statistics.items():
        results.record(
            f"robustness.multiverse.joint.{name}",
            estimate=statistic.observed,
            p_value=statistic.p_value,
            ci_low=statistic.null_low,
            ci_high=statistic.null_high,
            convention=f"{NULL}; {test.n_draws} draws; the interval is that of the null",
        )
    return test


def joint_table(test: JointTest) -> pd.DataFrame:
    """One row per joint statistic: observed, its p-value, and where it lies when the treatment does nothing."""
    rows = {
        JOINT_WORDS[name]: {
            "value": item.observed,
            "null_low": item.null_low,
            "null_high": item.null_high,
            "p_value": item.p_value,
        }
        for name, item in test.statistics.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic_of_all")


def joint_nulls(test: JointTest) -> dict[str, tuple[np.ndarray, float]]:
    """Name -> null distribution and observed value, for the picture."""
    return {JOINT_WORDS[name]: (item.null, item.observed) for name, item in test.statistics.items() if name != "median"}


def say_joint(test: JointTest | None, level: float) -> str:
    """The sentence template: what the specifications say together."""
    if test is None:
        return "Without a multiverse there is nothing to test jointly."
    direction = "positive" if test.dominant > 0 else "negative"
    below = [words for name, words in JOINT_WORDS.items() if test.statistics[name].p_value < level]
    verdict = f"below the level: {', '.join(below)}" if below else "no joint statistic is below the level"
    key = "robustness.multiverse.joint"
    told = [f"{{{key}.{name}:p_value}}" for name in ("share_significant", "median_standardised", "stouffer")]
    return (
        f"Most estimates are {direction}. If the treatment did nothing, as many significant ones in one direction "
        f"would be seen with probability {told[0]}, a median as far from zero with {told[1]} and a Stouffer sum as far "
        f"from zero with {told[2]}; {verdict}."
    )


def show_curve(run: NotebookRun, multiverse: Multiverse | None) -> FigureView | Sentence:
    """The specification curve above its choices."""
    if multiverse is None:
        return run.say(NONE)
    curve = specification_curve(multiverse)
    return run.figure(
        draw_specification_curve(curve, labels=curve_labels(multiverse, run.study)),
        "specification_curve",
        caption="Estimates of all universes in rising order, and the choices behind them",
        alt="A rising curve of estimates with intervals above rows of marks, one row per option.",
    )


def show_survival(run: NotebookRun, survival: Survival | None) -> TableView | Sentence:
    """The shares in which the claim survives, by option."""
    if survival is None:
        return run.say(NONE)
    table = survival_table(survival, run.study)
    return run.table(table, "multiverse_survival", caption="The share of universes in which the claim survives")


def show_failures(run: NotebookRun, multiverse: Multiverse | None) -> TableView | Sentence:
    """Universes that could not be estimated, counted by their reason."""
    if multiverse is None:
        return run.say(NONE)
    if multiverse.failures.empty:
        return run.say("Every declared specification could be estimated.")
    return run.table(failure_table(multiverse), "multiverse_failures", caption="What could not be estimated, and why")


def show_shares(run: NotebookRun, shares: pd.DataFrame | None) -> FigureView | Sentence:
    """The share of the variance that each decision makes."""
    if shares is None:
        return run.say(NONE)
    return run.figure(
        draw_shares(shares.rename(index=lambda name: decision_words(str(name), run.study))),
        "multiverse_variance",
        caption="Share of the variance of the estimates by decision",
        alt="Two bars per decision: alone, and with its interactions.",
    )


def show_joint(run: NotebookRun, test: JointTest | None) -> TableView | Sentence:
    """The joint statistics with their p-values."""
    if test is None:
        return run.say(NONE)
    return run.table(joint_table(test), "multiverse_joint", caption="All universes together", note=f"Null: {NULL}.")


def show_nulls(run: NotebookRun, test: JointTest | None) -> FigureView | Sentence:
    """The joint statistics under the null hypothesis, and the observed ones."""
    if test is None:
        return run.say(NONE)
    return run.figure(
        draw_nulls(joint_nulls(test)),
        "multiverse_joint",
        caption="The joint statistics when the treatment does nothing; in colour: the observed ones",
        alt="Three histograms with a line at the observed value.",
    )


NONE = "Not shown: the study declares no multiverse."


def curve_labels(multiverse: Multiverse, study: Study) -> Mapping[str, str]:
    """Words for the decisions and options of the picture."""
    words = {str(name) for name in multiverse.decisions}
    for name in multiverse.decisions:
        words |= {str(option) for option in multiverse.table[name].cat.categories}
    return {word: option_words(word, study) for word in words}
