"""The study's regions: their estimates and differences recorded, and laid out as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.heterogeneity.region_results import RegionFit, RegionGap
from helpers.regression.ladder import record_wild

if TYPE_CHECKING:
    from helpers.inference.wild import WildBootstrap
    from helpers.results.results import Results
    from helpers.study.study import Study

NUMBERS = ("estimate", "std_error", "p_value", "ci_low", "ci_high", "n_obs", "n_entities")


def record_regions(results: Results, fits: Mapping[str, RegionFit], treatment: str) -> None:
    """Record ``region.<region>.<treatment>`` and, beside it, ``.wild``: the exact or drawn bootstrap p-value."""
    for region, fit in fits.items():
        _record(results, f"region.{region}.{treatment}", fit)


def record_gaps(results: Results, gaps: Mapping[str, RegionGap], treatment: str) -> None:
    """Record ``region.<a>_minus_<b>.<treatment>`` and, beside it, ``.wild``."""
    for pair, gap in gaps.items():
        _record(results, f"region.{pair}.{treatment}", gap)


def record_means(
    results: Results, means: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap], treatment: str
) -> None:
    """Record ``region.<region>.mean.<treatment>`` and ``region.<a>_minus_<b>.mean.<treatment>``."""
    items: dict[str, RegionFit | RegionGap] = {**means, **gaps}
    for name, item in items.items():
        _record(results, f"region.{name}.mean.{treatment}", item)


def _record(results: Results, key: str, item: RegionFit | RegionGap) -> None:
    recorded: dict[str, Any] = item.recorded
    results.record(key, **recorded)
    if item.wild is not None:
        record_wild(results, f"{key}.wild", item.wild, item.n_obs, item.n_entities)


def mean_table(means: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap], study: Study) -> pd.DataFrame:
    """One row per region's mean and per difference between two of them, clustered by entity."""
    rows = {study.label(name): _numbers(item) for name, item in means.items()}
    rows |= {label_pair(gap, study): _numbers(gap) for gap in gaps.values()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("region")


def region_table(fits: Mapping[str, RegionFit], study: Study) -> pd.DataFrame:
    """One row per region: the clustered numbers, and the bootstrap's p-value, interval and smallest p-value."""
    rows = {study.label(name): _numbers(fit) | _wild_numbers(fit.wild) for name, fit in fits.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("region")


def gap_table(gaps: Mapping[str, RegionGap], study: Study) -> pd.DataFrame:
    """One row per pair: the difference and its p-value by every test, adjusted over the pairs in the last columns."""
    rows = {
        label_pair(gap, study): {name: getattr(gap, name) for name in NUMBERS[:5]}
        | {
            "cr2_p_value": gap.cr2.p_value if gap.cr2 else None,
            "wild_p_value": gap.wild.p_value if gap.wild else None,
            "permutation_p_value": gap.permutation_p_value,
            "holm_p_value": gap.p_holm,
            "romano_wolf_p_value": gap.p_romano_wolf,
        }
        for gap in gaps.values()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("difference")


def label_pair(gap: RegionGap, study: Study) -> str:
    """A difference in words."""
    return f"{study.label(gap.first)} minus {study.label(gap.second)}"


def region_estimates(fits: Mapping[str, RegionFit], study: Study) -> pd.DataFrame:
    """Estimate and bootstrap interval of each region, by its label, for a coefficient plot."""
    rows = {
        study.label(name): [fit.estimate, (fit.wild or fit).ci_low, (fit.wild or fit).ci_high]
        for name, fit in fits.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "ci_low", "ci_high"])


def say_ordering(fits: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap], study: Study) -> str:
    """A sentence template: the estimates from the largest to the smallest, and which differences are told from zero."""
    term, level = study.specification.treatment, study.specification.significance
    ordered = sorted(fits.values(), key=lambda fit: -fit.estimate)
    ranking = ", then ".join(f"{study.label(fit.region)} ({{region.{fit.region}.{term}}})" for fit in ordered)
    clear = [
        label_pair(gap, study)
        for gap in gaps.values()
        if gap.p_value < level and gap.wild is not None and gap.wild.p_value < level
    ]
    told = f"clear by both tests: {', '.join(clear)}" if clear else "no difference is clear by both tests"
    return f"From the largest estimate to the smallest: {ranking}. Of the differences, {told}."


def largest_misfit(fits: Mapping[str, RegionFit], gaps: Mapping[str, RegionGap]) -> float:
    """The largest distance between a tested difference and the difference of the two regions' own estimates."""
    return max(abs(gap.estimate - (fits[gap.first].estimate - fits[gap.second].estimate)) for gap in gaps.values())


def _numbers(item: RegionFit | RegionGap) -> dict[str, Any]:
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
