"""The multiverse in a study's words: what is recorded of it, its tables, the names of decisions and options."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.display.tables import write_table
from helpers.files import write_bytes
from helpers.multiverse.curve import count_universes, thin_out
from helpers.multiverse.dashboard import Indicators, Original, code_paths, robustness_indicators
from helpers.multiverse.survival import SHARES
from helpers.results.estimate import Estimate
from helpers.results.rounding import round_frame
from helpers.study.data import Label

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.multiverse.fit import Multiverse
    from helpers.multiverse.joint import JointStatistic, JointTest
    from helpers.multiverse.survival import Standing, Survival
    from helpers.regression.panel import PanelFit
    from helpers.results.results import Result
    from helpers.study.study import Study

Record = Callable[..., "Result"]
KEY = "robustness.multiverse"
JOINT_WORDS = {
    "median": "median estimate",
    "median_standardised": "median standardised estimate",
    "share_significant": "share significant in the dominant direction",
    "stouffer": "Stouffer's Z",
}
SIDES = {"positive": Label(en="positive", zh="为正"), "negative": Label(en="negative", zh="为负")}
READ = ("share_significant", "median_standardised", "stouffer")
"""The statistics that compare across indices of different scales, which a verdict reads."""
NULL = "restricted wild cluster null: one sign for each entity, the same in all specifications"
MOST_OPTIONS = 8
EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 (Stata has no time zones)
"""The date in a file whose bytes may not depend on the day."""
SAME = 1e-6
"""Relative distance within which a universe is the primary specification: tables are written to eight digits."""
DASHBOARD = {
    "agreement": "share of paths with the verdict of the primary specification",
    "relative_size": "mean estimate / primary estimate",
    "relative_statistic": "mean t / primary t",
    "size_variation": "standard deviation of the estimates / primary standard error",
    "statistic_variation": "standard deviation of t",
    "same_sign": "share significant with the primary sign",
    "opposite_sign": "share significant with the other sign",
    "insignificant": "share not significant",
    "median_size": "median / primary estimate less one, of those significant with its sign",
    "size_deviation": "mean distance from that median / primary estimate",
    "p_deviation_insignificant": "mean distance from the primary p of those not significant",
    "p_deviation_significant": "mean distance from the primary p of those significant",
}
SIGNS = dict(zip(DASHBOARD, ("I1", "I2", "I3", "I4", "I5", *["I'1"] * 3, "I'2", "I'3", *["I'4"] * 2), strict=True))


def group_key(group: str) -> str:
    """Where the results of a group of universes are recorded."""
    words = [re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in group.split(", ")]
    return KEY if group == "all" else ".".join([KEY, "effects", *words])


def record_survival(record: Record, multiverse: Multiverse, found: Survival) -> None:
    """Record how many universes there are, the median estimate and the shares in which the claim survives."""
    record(f"{KEY}.specifications", value=found.n_specifications)
    record(f"{KEY}.failures", value=found.n_failures)
    estimates = multiverse.estimated["standardised"]
    record(
        f"{KEY}.median",
        estimate=float(estimates.median()),
        ci_low=float(estimates.quantile(0.025)),
        ci_high=float(estimates.quantile(0.975)),
        convention="median of the standardised estimates; the interval holds nineteen of twenty of them",
    )
    for name in SHARES:
        record(f"{KEY}.share_{name}", value=getattr(found, name), digits=3)


def record_groups(record: Record, groups: pd.DataFrame) -> None:
    """Record, for each group but that of all, its universes, its median and the shares in which the claim survives."""
    for group, row in groups.drop(index="all").iterrows():
        key = group_key(str(group))
        record(f"{key}.specifications", value=int(row["n_specifications"]))
        record(f"{key}.median", value=float(row["median"]))
        for name in SHARES:
            record(f"{key}.share_{name}", value=float(row[name]), digits=3)


def record_standing(record: Record, found: Standing) -> None:
    """Record the primary specification's standardised estimate and the shares of the universes below it."""
    record(f"{KEY}.primary", value=found.standardised)
    record(f"{KEY}.primary.below", value=found.below, digits=3)
    if found.below_own is not None:
        record(f"{KEY}.primary.below_own", value=found.below_own, digits=3)


def record_shares(record: Record, shares: pd.DataFrame) -> None:
    """Record each decision's share of the variance, alone and with its interactions."""
    for name, row in shares.iterrows():
        key = f"{KEY}.variance.{str(name).replace(' ', '_')}"
        record(key, value=float(row["first_order"]), digits=3)
        record(f"{key}.total", value=float(row["total_order"]), digits=3)


def record_joint(record: Record, tests: Mapping[str, JointTest], level: float) -> None:
    """Record every joint statistic of every group, and how many of those of all universes are below the level."""
    for group, test in tests.items():
        for name, statistic in test.statistics.items():
            record(f"{group_key(group)}.joint.{name}", joint_estimate(statistic, test.n_draws))
    test = tests["all"]
    record(f"{KEY}.joint.below", value=sum(test.statistics[name].p_value < level for name in READ))
    # Standard error that so many draws leave in a p-value at the level.
    record(f"{KEY}.joint.error", value=float(np.sqrt(level * (1 - level) / test.n_draws)), digits=3)


def joint_estimate(statistic: JointStatistic, n_draws: int) -> Estimate:
    """One joint statistic; the interval is that of the null."""
    return Estimate(
        estimate=statistic.observed,
        p_value=statistic.p_value,
        ci_low=statistic.null_low,
        ci_high=statistic.null_high,
        draws=n_draws + 1,
        convention=f"{NULL}; {n_draws} draws; the interval is that of the null",
    )


def write_explorer(multiverse: Multiverse, folder: Path) -> int:
    """Write the thinned universes and the counts over all; the number of universes written."""
    explored = thin_out(multiverse)
    write_table(explored.rename_axis("row"), folder / "multiverse_explorer.csv")
    write_table(count_universes(multiverse).rename_axis("row"), folder / "multiverse_counts.csv")
    return len(explored)


def primary_original(primary: PanelFit, standing: Standing, treatment: str) -> Original:
    """The primary specification as the original estimate: standardised, so that indices of any scale compare."""
    factor = standing.standardised / float(primary.estimates[treatment])
    error, p_value = float(primary.std_errors[treatment]), float(primary.p_values[treatment])
    return Original(standing.standardised, abs(factor) * error, p_value)


def compare_universes(multiverse: Multiverse, original: Original) -> Indicators:
    """The indicators of all estimated universes, standardised, beside the original."""
    table = multiverse.estimated
    sizes, statistics, p_values = table[["standardised", "statistic", "p_value"]].to_numpy(dtype=float).T
    return robustness_indicators(sizes, statistics, p_values, original, multiverse.significance)


def record_indicators(record: Record, found: Indicators) -> None:
    """Record each indicator that applies."""
    for name in DASHBOARD:
        value = getattr(found, name)
        if value is not None:
            record(f"{KEY}.dashboard.{name}", value=value, digits=3)


def dashboard_table(found: Indicators) -> pd.DataFrame:
    """One row per indicator: its sign in the documentation, its value, and whether it applies."""
    values = {words: getattr(found, name) for name, words in DASHBOARD.items()}
    rows = {
        words: {"sign": SIGNS[name], "value": values[words], "applies": "yes" if values[words] is not None else "no"}
        for name, words in DASHBOARD.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"value": float}).rename_axis("indicator_of_paths")


def write_paths(multiverse: Multiverse, original: Original, effects: str, path: Path) -> int:
    """Write the sample of the universes as the Stata file that ``repframe`` reads; the number of paths.

    Parameters
    ----------
    multiverse
        A fitted multiverse.
    original
        The primary specification, standardised.
    effects
        Its effects, as the multiverse names them.
    path
        The ``.dta`` file.
    """
    sample, table = thin_out(multiverse), multiverse.estimated
    factor = (sample["standardised"] / sample["estimate"]).abs()
    sample = sample.assign(estimate=sample["standardised"], std_error=sample["std_error"] * factor)
    same = np.isclose(table["standardised"], original.estimate, rtol=SAME, atol=0)
    same &= np.isclose(table["p_value"], original.p_value, rtol=SAME, atol=0) & (table["effects"] == effects).to_numpy()
    names = list(multiverse.decisions)
    chosen = table.loc[same, names].iloc[0] if same.any() else pd.Series("as in the primary specification", names)
    paths = sample.drop(columns="standardised")
    paths = paths[~(paths[names].astype(str) == chosen.astype(str)).all(axis=1)]
    coded = code_paths(paths, multiverse.decisions, original, chosen)
    buffer = io.BytesIO()
    round_frame(coded).to_stata(
        buffer, write_index=False, version=118, time_stamp=EPOCH, value_labels={"result": {1: "effect"}}
    )
    write_bytes(path, buffer.getvalue())
    return len(paths)


def failure_table(multiverse: Multiverse) -> pd.DataFrame:
    """Why specifications could not be estimated, and how many for each reason."""
    return multiverse.failure_counts.rename_axis("reason").rename("specifications").to_frame()


def survival_table(survival: Survival, study: Study) -> pd.DataFrame:
    """Per decision with few options, and option: specifications, median, shares."""
    table = survival.by_option
    counts = table.index.get_level_values(0).value_counts()
    few = [str(name) for name in table.index.unique(0) if counts[name] <= MOST_OPTIONS]
    return table.loc[few].rename(index=lambda name: option_words(str(name), study))


def group_table(groups: pd.DataFrame, tests: Mapping[str, JointTest], study: Study) -> pd.DataFrame:
    """Per group of universes: how many, median, shares, p-values of the joint statistics that a verdict reads."""
    table = groups.astype({"n_specifications": int}).copy()
    for name in READ:
        table[f"{name}_p_value"] = [tests[str(group)].statistics[name].p_value for group in table.index]
    names = [group_words(str(group), study).en for group in table.index]
    return table.set_axis(pd.Index(names, name="universes"))


def sides_table(tests: Mapping[str, JointTest], study: Study) -> pd.DataFrame:
    """Per group of universes: p-values of the joint statistics that a verdict reads, on the observed side alone."""
    rows = {
        group_words(group, study).en: {
            f"{name}_p_value": test.statistics[name].p_value_one_sided for name in ("median", *READ)
        }
        for group, test in tests.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("universes")


def joint_table(test: JointTest) -> pd.DataFrame:
    """One row per joint statistic: observed, its p-value, and where it lies when the treatment does nothing."""
    rows = {
        JOINT_WORDS[name]: {
            "value": item.observed,
            "null_low": item.null_low,
            "null_high": item.null_high,
            "p_value": item.p_value,
            "one_sided_p_value": item.p_value_one_sided,
        }
        for name, item in test.statistics.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic_of_all")


def joint_nulls(test: JointTest) -> dict[str, tuple[np.ndarray, float]]:
    """Name -> null distribution and observed value, for the picture."""
    return {JOINT_WORDS[name]: (item.null, item.observed) for name, item in test.statistics.items() if name in READ}


def significant_side(groups: pd.DataFrame) -> str:
    """The side of zero on which more universes are significant; positive where as many, "" where none is."""
    shares = {side: float(groups[f"{side}_significant"].astype(float)["all"]) for side in SIDES}
    return max(shares, key=shares.__getitem__) if any(shares.values()) else ""


def effects_apart(groups: pd.DataFrame, side: str) -> tuple[str, str] | None:
    """The sets of effects with which most and fewest universes are significant on a side; None where there is one set.

    Of sets with as many, the first and the last: two sets in every case.
    """
    sets = [str(group) for group in groups.index if group != "all" and ", " not in str(group)]
    if len(sets) < 2:
        return None
    shares = groups.loc[sets, f"{side or 'positive'}_significant"]
    return str(shares.idxmax()), str(shares[::-1].idxmin())


def hangs_on_effects(groups: pd.DataFrame, apart: tuple[str, str], side: str) -> bool:
    """Whether universes are significant on a side, and with one set of effects at least twice as often as another."""
    most, least = groups[f"{side}_significant"].astype(float).loc[list(apart)]
    return most > 0 and most >= 2 * least


def effects_words_of(
    apart: tuple[str, str] | None, side: str, study: Study, results: Mapping[str, Result]
) -> dict[str, Result | Label]:
    """The words of the sentence on the effects: the two sets and the share significant on the side with each."""
    if apart is None or not side:
        return {}
    most, least = (results[f"{group_key(name)}.share_{side}_significant"] for name in apart)
    with_most, with_least = (effects_words(name, study) for name in apart)
    return {"side": SIDES[side], "most": most, "least": least, "with_most": with_most, "with_least": with_least}


def joint_verdict(test: JointTest, level: float) -> str:
    """How many of the statistics that a verdict reads are below the level: "all", "some" or "none"."""
    below = sum(test.statistics[name].p_value < level for name in READ)
    return "all" if below == len(READ) else "some" if below else "none"


def largest_decisions(shares: pd.DataFrame) -> tuple[str, str]:
    """The decisions with the largest share alone, and with its interactions; single controls do not compete."""
    whole = shares[~shares.index.str.startswith("control ")]
    return str(whole["first_order"].idxmax()), str(whole["total_order"].idxmax())


def group_words(group: str, study: Study) -> Label:
    """A group of universes in words."""
    option, _, rest = group.partition(", ")
    if group == "all":
        return Label(en="all universes", zh="全部设定")
    effects = effects_words(option, study)
    return Label(en=f"{effects.en}, {rest}", zh=f"{effects.zh}，全部控制变量") if rest else effects


def effects_words(option: str, study: Study) -> Label:
    """A set of effects in words."""
    if option == "none":
        return Label(en="no effects", zh="无固定效应")
    parts = {"entity": study.entity.label, "time": study.time.label}
    names = [parts[kind] for kind in option.split(" + ")]
    return Label(
        en=f"{' and '.join(name.inside() for name in names)} effects",
        zh=f"{'和'.join(name.zh for name in names)}固定效应",
    )


def option_words(name: str, study: Study) -> str:
    """An option or decision in words: samples, controls and indicators by their label, methods by their own name."""
    samples = study.multiverse.samples if study.multiverse else {}
    if name in samples:
        return samples[name].label.en
    named = {*study.specification.controls, *study.indicators}
    return " + ".join(study.label(part) if part in named else part.replace("_", " ") for part in name.split(" + "))


def decision_words(name: str, study: Study) -> str:
    """A decision in words: single controls by their label."""
    kind, _, control = name.partition(" ")
    if kind == "control" and control:
        return f"control: {study.label(control)}"
    return option_words(name, study)


def curve_labels(multiverse: Multiverse, study: Study) -> dict[str, Any]:
    """Words for the decisions and options of the picture."""
    words = {str(name) for name in multiverse.decisions}
    for name in multiverse.decisions:
        words |= {str(option) for option in multiverse.table[name].cat.categories}
    return {word: option_words(word, study) for word in words}
