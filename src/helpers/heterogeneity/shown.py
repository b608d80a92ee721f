"""The study's regions and other groupings: estimates and differences recorded, and laid out as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError, attempt
from helpers.heterogeneity.designs import DESIGNS, SplitFit, fit_design, fit_split
from helpers.heterogeneity.groups import Grouping, read_grouping, usable_groups
from helpers.heterogeneity.growth import GroupComparison
from helpers.heterogeneity.heterogeneity import RegionFit, RegionGap, fit_by_region
from helpers.heterogeneity.why import ThresholdPair, balanced_rows, first_values, fit_threshold, threshold_estimate
from helpers.inference.clear import WITHOUT_TIMES, ClearTest, record_clear, wild_estimate
from helpers.results.estimate import Estimate

if TYPE_CHECKING:
    from helpers.inference.wild.bootstrap import WildBootstrap
    from helpers.study.model import Model
    from helpers.study.study import Study

Record = Callable[..., Any]
NUMBERS = ("estimate", "std_error", "p_value", "ci_low", "ci_high", "n_obs", "n_entities")
THIRDS = ("lowest", "middle", "highest")


@dataclass(frozen=True)
class ComparedGroups:
    """The groups of one grouping that have a regression of their own.

    Attributes
    ----------
    data
        The panel's rows of their entities.
    regions
        Group of each of their entities.
    order
        The groups, in the order of the study file.
    left_out
        Group that is not compared -> why.
    """

    data: pd.DataFrame
    regions: pd.Series[str]
    order: list[str]
    left_out: dict[str, str]


def compare_groupings(panel: pd.DataFrame, units: pd.DataFrame, study: Study) -> dict[str, ComparedGroups]:
    """Grouping of the study -> its groups that can be compared; the first is the study's regions."""
    found = {}
    for name, grouping in study.regions.items():
        regions = units[grouping.column].map(grouping.group)
        order, left_out = usable_groups(panel, regions, grouping.order, study.model())
        inside = regions[regions.isin(order)]
        data = panel[panel.index.get_level_values(0).isin(inside.index)]
        found[name] = ComparedGroups(data, inside, order, left_out)
    return found


def count_left_out(
    groupings: Mapping[str, ComparedGroups], panel: pd.DataFrame, units: pd.DataFrame, study: Study
) -> pd.DataFrame:
    """One row per group that is not compared: by the study file, or since it has too few entities; with the reason."""
    declared = [
        (name, value or "(empty)", units[grouping.column] == value, reason.en)
        for name, grouping in study.regions.items()
        for value, reason in grouping.left_out.items()
    ]
    found = [
        (name, study.label(group), units[grouping.column].map(grouping.group) == group, reason)
        for name, grouping in study.regions.items()
        for group, reason in groupings[name].left_out.items()
    ]
    entities, rows = panel.index.get_level_values(0), []
    for name, value, held, reason in [*declared, *found]:
        inside = entities.isin(units.index[held])
        counts = {"n_entities": entities[inside].nunique(), "n_obs": int(inside.sum())}
        rows.append({"grouping": name, "value": value, **counts, "reason": reason})
    return pd.DataFrame(rows, columns=["grouping", "value", "n_entities", "n_obs", "reason"]).set_index("grouping")


def fit_groupings(
    groupings: Mapping[str, ComparedGroups], model: Model, *, wild_draws: int, rng: np.random.Generator
) -> dict[str, dict[str, RegionFit]]:
    """Fit the model in each group of every grouping but the first, which the notebook fits itself."""
    return {
        name: fit_by_region(found.data, model, found.regions, order=found.order, wild_draws=wild_draws, rng=rng)
        for name, found in list(groupings.items())[1:]
        if len(found.order) > 1
    }


def fit_grouping_designs(
    groupings: Mapping[str, ComparedGroups], model: Model, *, draws: int, rng: np.random.Generator
) -> dict[str, dict[str, SplitFit]]:
    """Grouping -> design -> common slopes with common and with own periods, for every grouping but the first."""
    fits: dict[str, dict[str, SplitFit]] = {}
    for name, found in list(groupings.items())[1:]:
        if len(found.order) > 1:
            grouping = read_grouping(found.data, found.regions, found.order)
            fits[name] = {
                design: fit_design(found.data, model, grouping, design, draws=draws, rng=rng)
                for design in ("common", "group_times")
            }
    return fits


def record_grouping_designs(record: Record, found: Mapping[str, Mapping[str, SplitFit]], treatment: str) -> None:
    """Record ``heterogeneity.<grouping>.<design>.<group>.<treatment>`` and ``.equality``, each with ``.wild``."""
    for name, fits in found.items():
        named = {f"{name}.{design}": item for design, item in fits.items()}
        record_designs(record, named, treatment, with_order=False)


def grouping_table(fits: Mapping[str, Mapping[str, RegionFit]], study: Study) -> pd.DataFrame:
    """One row per grouping and group: the clustered numbers and the bootstrap's."""
    return pd.concat({name: region_table(groups, study) for name, groups in fits.items()}, names=["grouping"])


def fit_thresholds(
    data: pd.DataFrame, model: Model, variable: str | None, *, draws: int, rng: np.random.Generator
) -> dict[str, ThresholdPair]:
    """The threshold of the effect in a variable, with time effects and without; empty where it has too few figures."""
    if variable is None or len(balanced_rows(data, [*model.columns, variable])) < len(data) / 2:
        return {}
    asked = {"with_years": model, WITHOUT_TIMES: model.with_(effects=("entity",))}
    return {name: fit_threshold(data, each, variable, draws=draws, rng=rng) for name, each in asked.items()}


def fit_without(
    data: pd.DataFrame, model: Model, grouping: Grouping, entity: str, *, draws: int, rng: np.random.Generator
) -> dict[str, SplitFit]:
    """Every design but the groups' own slopes, without one entity; empty where that leaves a group with one."""
    kept = data.drop(index=entity, level=0)
    region = grouping.region.drop(entity)
    if region.value_counts().min() < 2:
        return {}
    left = replace(grouping, region=region)
    return {name: fit_design(kept, model, left, name, draws=draws, rng=rng) for name in DESIGNS[1:]}


def fit_rows(
    data: pd.DataFrame, model: Model, since: int, *, draws: int, rng: np.random.Generator
) -> dict[str, SplitFit]:
    """The effect by thirds of the treatment's first value, before and since a time, and time by time.

    A split whose parts the rows cannot tell apart is left out, and so are the thirds where more than a third of the
    entities share one first value.
    """
    times = pd.Series(data.index.get_level_values(1), index=data.index)
    start = first_values(data[model.treatment])
    # Ranks, so that no tie and no last digit of a bound decides where an entity belongs.
    place = np.argsort(np.argsort(start.to_numpy(dtype=float), kind="stable"), kind="stable")
    third = pd.Series([THIRDS[3 * rank // len(start)] for rank in place], index=start.index)
    thirds = pd.Series(third.reindex(data.index.get_level_values(0)).to_numpy(), data.index)
    apart = int(start.value_counts().max()) <= len(start) // len(THIRDS)
    labels = {
        **({"first_third": (thirds, list(THIRDS))} if apart else {}),
        "since": (times.ge(since).map({True: "since", False: "before"}), ["before", "since"]),
        "time": (times.astype(str), [str(time) for time in sorted(times.unique())]),
    }
    splits = {
        name: attempt(fit_split, data, model, groups, order, draws=draws, rng=rng)
        for name, (groups, order) in labels.items()
        if groups.nunique() > 1
    }
    return {name: found for name, found in splits.items() if not isinstance(found, StudyError)}


def record_regions(record: Record, fits: Mapping[str, RegionFit], treatment: str) -> None:
    """Record ``region.<region>.<treatment>`` and, beside it, ``.wild``: the exact or drawn bootstrap p-value."""
    for region, found in fits.items():
        _record(record, f"region.{region}.{treatment}", found.effect, found.wild)


def record_gaps(record: Record, gaps: Mapping[str, RegionGap], treatment: str) -> None:
    """Record ``region.<a>_minus_<b>.<treatment>`` with ``.wild``, ``.permutation`` and ``.romano_wolf``."""
    for pair, gap in gaps.items():
        key = f"region.{pair}.{treatment}"
        _record(record, key, gap.effect, gap.wild)
        if gap.permutation is not None:
            divisions = None if gap.permutation.is_exact else gap.permutation.divisions
            dealt = replace(gap.effect, p_value=gap.permutation.p_value, draws=divisions)
            _record_p(record, f"{key}.permutation", dealt, "studentised permutation")
        if gap.p_romano_wolf is not None:
            counted = replace(
                gap.effect,
                p_value=gap.p_romano_wolf,
                draws=wild_estimate(gap.effect, gap.wild).draws if gap.wild else None,
            )
            _record_p(record, f"{key}.romano_wolf", counted, "Romano-Wolf over the pairs, wild")


def record_means(record: Record, means: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap], treatment: str) -> None:
    """Record ``region.<region>.mean.<treatment>`` and ``region.<a>_minus_<b>.mean.<treatment>``."""
    items: dict[str, RegionFit | RegionGap] = {**means, **gaps}
    for name, item in items.items():
        _record(record, f"region.{name}.mean.{treatment}", item.effect, item.wild)


def record_growth(record: Record, found: Mapping[str, GroupComparison], treatment: str) -> None:
    """Record ``region.<group or pair>.{first,growth,points}.<treatment>``, of pairs with ``.wild`` beside."""
    for measure, comparison in found.items():
        for name, effect in {**comparison.means, **comparison.gaps}.items():
            record(f"region.{name}.{measure}.{treatment}", effect)
        for name, effect in comparison.wild.items():
            record(f"region.{name}.{measure}.{treatment}.wild", effect)


def record_designs(
    record: Record, found: Mapping[str, SplitFit], treatment: str, ending: str = "", *, with_order: bool = True
) -> None:
    """Record the effects, their joint test and their ordering in every design.

    ``heterogeneity.<design>.<group>.<treatment>`` with ``.wild``; ``heterogeneity.<design>.equality`` with ``.wild``;
    ``heterogeneity.<design>.ordering`` with ``.wild``; each with an ending.
    """
    for design, item in found.items():
        for group, effect in item.effects.items():
            _record(record, f"heterogeneity.{design}.{group}.{treatment}{ending}", effect, item.wild[group])
        counts = {"n_obs": item.equality.n_obs, "n_entities": item.equality.n_entities}
        key = f"heterogeneity.{design}.equality{ending}"
        told = f"F({item.equality.df}, {item.equality.df_rest}), clustered"
        record(key, value=item.equality.statistic, p_value=item.equality.p_value, convention=told, **counts)
        drawn = {} if item.equality.draws is None else {"draws": item.equality.draws}
        wild = {"p_value": item.equality.wild_p_value, "convention": "wild bootstrap of the Wald statistic", **drawn}
        record(f"{key}.wild", value=item.equality.statistic, **wild, **counts)
        if not with_order:
            continue
        key = f"heterogeneity.{design}.ordering{ending}"
        told = "smallest difference of neighbours; intersection-union, one-sided"
        record(key, value=item.ordering.smallest, p_value=item.ordering.p_value, convention=f"{told} t", **counts)
        wild = {"p_value": item.ordering.wild_p_value, "convention": f"{told} wild bootstrap", **drawn}
        record(f"{key}.wild", value=item.ordering.smallest, **wild, **counts)


def record_rows(record: Record, found: Mapping[str, SplitFit], treatment: str) -> None:
    """Record ``heterogeneity.<grouping of rows>.<group>.<treatment>`` with ``.wild``, and their joint tests."""
    record_designs(record, found, treatment, with_order=False)


def record_starts(record: Record, found: Mapping[str, ClearTest], treatment: str) -> None:
    """Record ``heterogeneity.<name>.<treatment>`` with ``.wild``, ``.without_years`` and ``.without_years.wild``."""
    for name, test in found.items():
        record_clear(record, f"heterogeneity.{name}.{treatment}", test)


def record_heaviest(record: Record, shares: pd.Series) -> None:
    """Record the share of the identifying variation that the heaviest entity holds, and the three heaviest."""
    record("heterogeneity.heaviest.share", value=float(shares.iloc[0]))
    record("heterogeneity.heaviest.three", value=float(shares.sum()))


def record_thresholds(record: Record, found: Mapping[str, ThresholdPair], variable: str | None) -> None:
    """Record ``heterogeneity.threshold.<variable>`` and the same with ``.without_years``."""
    for design, pair in found.items():
        ending = "" if design == "with_years" else f".{design}"
        record_threshold(record, f"heterogeneity.threshold.{variable}{ending}", pair, threshold_estimate)


def record_threshold(record: Record, key: str, found: ThresholdPair, estimate: Callable[..., Estimate]) -> Any:
    """Record ``<key>`` with ``.low``, ``.high`` and, where there is one, ``.second``; the first."""
    first = record(key, estimate(found.first))
    record(f"{key}.low", found.first.fit[found.first.low])
    record(f"{key}.high", found.first.fit[found.first.high])
    if found.second is not None:
        record(f"{key}.second", estimate(found.second))
    return first


def mean_table(means: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap], study: Study) -> pd.DataFrame:
    """One row per region's mean and per difference between two of them, clustered by entity."""
    rows = {study.label(name): _numbers(item.effect) for name, item in means.items()}
    rows |= {
        label_pair(gap.first, gap.second, study): _numbers(gap.effect)
        | {"wild_p_value": None if gap.wild is None else gap.wild.p_value}
        for gap in gaps.values()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("region")


def growth_table(found: Mapping[str, GroupComparison], study: Study) -> pd.DataFrame:
    """One row per measure and group or pair."""
    rows = {}
    for measure, comparison in found.items():
        for name, effect in {**comparison.means, **comparison.gaps}.items():
            first, _, second = name.partition("_minus_")
            words = label_pair(first, second, study) if second else study.label(first)
            wild = comparison.wild.get(name)
            rows[measure, words] = _numbers(effect) | {"wild_p_value": None if wild is None else wild.p_value}
    index = pd.MultiIndex.from_tuples(rows, names=["measure", "region"])
    return pd.DataFrame(list(rows.values()), index=index)


def region_table(fits: Mapping[str, RegionFit], study: Study) -> pd.DataFrame:
    """One row per region: the clustered numbers, and the bootstrap's p-value, interval and smallest p-value."""
    rows = {study.label(name): _numbers(found.effect) | _wild_numbers(found.wild) for name, found in fits.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("region")


def gap_table(gaps: Mapping[str, RegionGap], study: Study) -> pd.DataFrame:
    """One row per pair: the difference and its p-value by every test, adjusted over the pairs in the last columns."""
    rows = {
        label_pair(gap.first, gap.second, study): {name: getattr(gap.effect, name) for name in NUMBERS[:5]}
        | {
            "cr2_p_value": gap.cr2.p_value if gap.cr2 else None,
            "wild_p_value": gap.wild.p_value if gap.wild else None,
            "permutation_p_value": gap.permutation.p_value if gap.permutation else None,
            "plain_permutation_p_value": gap.permutation.plain_p_value if gap.permutation else None,
            "divisions": gap.permutation.divisions if gap.permutation else None,
            "holm_p_value": gap.p_holm,
            "romano_wolf_p_value": gap.p_romano_wolf,
        }
        for gap in gaps.values()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("difference")


def label_pair(first: str, second: str, study: Study) -> str:
    """A difference in words."""
    return f"{study.label(first)} minus {study.label(second)}"


def design_table(found: Mapping[str, SplitFit], study: Study, words: Mapping[str, str]) -> pd.DataFrame:
    """One row per design and group: estimate, t and wild p-values, the bootstrap's interval."""
    rows = {
        (words.get(design, design), study.label(group)): {
            **{name: getattr(effect, name) for name in NUMBERS[:3]},
            "wild_p_value": item.wild[group].p_value,
            "wild_low": item.wild[group].ci_low,
            "wild_high": item.wild[group].ci_high,
        }
        for design, item in found.items()
        for group, effect in item.effects.items()
    }
    index = pd.MultiIndex.from_tuples(rows, names=["design", "group"])
    return pd.DataFrame(list(rows.values()), index=index)


def joint_table(
    found: Mapping[str, SplitFit], words: Mapping[str, str], level: float, *, with_order: bool = True
) -> pd.DataFrame:
    """One row per design: the joint test of equality and, where the groups have one, the test of the order."""
    rows = {
        words.get(design, design): {
            "statistic": item.equality.statistic,
            "df": f"{item.equality.df}, {item.equality.df_rest}",
            "distribution": "F",
            "p_value": item.equality.p_value,
            "wild_p_value": item.equality.wild_p_value,
            "detectable": item.equality.detectable(level),
        }
        | (
            {
                "smallest_step": item.ordering.smallest,
                "order_p_value": item.ordering.p_value,
                "order_wild_p_value": item.ordering.wild_p_value,
            }
            if with_order
            else {}
        )
        for design, item in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("design")


def grouping_joint_table(
    found: Mapping[str, Mapping[str, SplitFit]], words: Mapping[str, str], level: float
) -> pd.DataFrame:
    """One row per grouping and design: the joint test of equality."""
    tables = {name: joint_table(fits, words, level, with_order=False) for name, fits in found.items()}
    return pd.concat(tables, names=["grouping"])


@dataclass(frozen=True)
class Told:
    """Which designs tell effects apart by the wild bootstrap of their joint test.

    Attributes
    ----------
    apart
        The designs that do.
    left
        Those that do not, the one that could see the smallest distance first.
    """

    apart: list[str]
    left: list[str]

    @property
    def kind(self) -> str:
        """What a sentence says: "all", "some" or "none", the last two with "_one" behind where one design does not."""
        kind = "all" if not self.left else "some" if self.apart else "none"
        return f"{kind}_one" if len(self.left) == 1 else kind


def read_equality(found: Mapping[str, SplitFit], level: float) -> Told:
    """Which designs tell the effects of their groups apart, by the wild bootstrap of the joint test."""
    apart = [name for name, item in found.items() if item.equality.wild_p_value < level]
    left = [name for name in found if name not in apart]
    return Told(apart, sorted(left, key=lambda name: found[name].equality.detectable(level)))


def say_equality(
    record: Record, found: Mapping[str, SplitFit], words: Mapping[str, str], level: float
) -> tuple[str, dict[str, Any]]:
    """The kind of answer, and what its sentence names.

    Recorded is ``heterogeneity.<design>.equality.detectable``: how far apart two effects must lie for F to see it.
    """
    told = read_equality(found, level)
    seen = {
        name: record(f"heterogeneity.{name}.equality.detectable", value=item.equality.detectable(level))
        for name, item in found.items()
    }
    which = "; ".join(words[name] for name in told.apart)
    named: dict[str, Any] = {"which": which} if told.apart else {}
    if told.left:
        first, last = told.left[0], told.left[-1]
        named |= {"least": seen[first], "most": seen[last], "narrow": words[first], "wide": words[last]}
    return told.kind, named


def design_rows(found: SplitFit, study: Study) -> pd.DataFrame:
    """Estimate and bootstrap interval of each group, by its label; a side without an end is cut at the t interval's."""
    rows = {}
    for group, effect in found.effects.items():
        ends = [found.wild[group].ci_low, found.wild[group].ci_high]
        plain = [effect.ci_low, effect.ci_high]
        cut = [end if end is not None and np.isfinite(end) else other for end, other in zip(ends, plain, strict=True)]
        rows[study.label(group)] = [effect.estimate, *cut]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])


def start_table(found: Mapping[str, ClearTest]) -> pd.DataFrame:
    """One row per variable and design: the interaction with its first value."""
    rows = {}
    for name, test in found.items():
        rows[name, "with time effects"] = _numbers(test.effect) | {"wild_p_value": test.wild.p_value}
        if test.without_times is not None and test.without_times_wild is not None:
            without = _numbers(test.without_times) | {"wild_p_value": test.without_times_wild.p_value}
            rows[name, "without time effects"] = without
    index = pd.MultiIndex.from_tuples(rows, names=["variable", "design"])
    return pd.DataFrame(list(rows.values()), index=index)


def threshold_table(found: Mapping[str, ThresholdPair]) -> pd.DataFrame:
    """One row per design and number of thresholds."""
    rows = {}
    for design, pair in found.items():
        for number, item in enumerate((pair.first, pair.second), start=1):
            if item is None:
                continue
            slopes = {
                f"effect_{name.rsplit('_', 1)[-1]}": item.fit.estimates[name]
                for name in item.fit.regressors
                if name.startswith(item.low.removesuffix("low"))
            }
            rows[design, number] = {
                "threshold": item.threshold,
                "threshold_low": item.ci_low,
                "threshold_high": item.ci_high,
                "F": item.statistic,
                "bootstrap_p_value": item.p_value,
                "rows_below": item.n_low,
                "rows_above": item.n_high,
                **slopes,
            }
    index = pd.MultiIndex.from_tuples(rows, names=["design", "thresholds"])
    return pd.DataFrame(list(rows.values()), index=index)


def largest_misfit(fits: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap]) -> float:
    """The largest distance between a tested difference and the difference of the two regions' own estimates."""
    return max(
        abs(gap.effect.estimate - (fits[gap.first].effect.estimate - fits[gap.second].effect.estimate))
        for gap in gaps.values()
    )


def is_told(gap: RegionGap, level: float) -> bool:
    """Whether a difference is told from zero by the t test, by the wild bootstrap and after Romano and Wolf."""
    p_values = [gap.effect.p_value, gap.wild.p_value if gap.wild else None, gap.p_romano_wolf]
    return all(p_value is not None and p_value < level for p_value in p_values)


def _record(record: Record, key: str, effect: Estimate, wild: WildBootstrap | None) -> None:
    record(key, effect)
    if wild is not None:
        record(f"{key}.wild", wild_estimate(effect, wild))


def _record_p(record: Record, key: str, found: Estimate, convention: str) -> None:
    counts = {"n_obs": found.n_obs, "n_entities": found.n_entities}
    drawn = {} if found.draws is None else {"draws": found.draws}
    record(key, estimate=found.estimate, p_value=found.p_value, convention=convention, **counts, **drawn)


def _numbers(item: Estimate) -> dict[str, Any]:
    return {name: getattr(item, name) for name in NUMBERS}


def _wild_numbers(wild: WildBootstrap | None) -> dict[str, Any]:
    if wild is None:
        return {}
    return {
        "wild_p_value": wild.p_value,
        "wild_low": wild.ci_low,
        "wild_high": wild.ci_high,
        "smallest_p_value": wild.smallest_p_value,
    }
