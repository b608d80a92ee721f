"""One coefficient by every method made for few clusters, and the one that a simulation recommends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.clear import wild_estimate
from helpers.inference.passport import standard_error_passport
from helpers.inference.small_sample import JointTest, SmallSampleTest, cr2, cr3, htz_wald
from helpers.inference.wild.bootstrap import WildBootstrap, WildForm, wild_cluster_bootstrap
from helpers.inference.wild.two_way import two_way_wild_bootstrap
from helpers.regression.design import CONSTANT
from helpers.regression.panel import PanelFit, fit_panel
from helpers.results.estimate import Estimate
from helpers.study.data import Label

# The columns of a units file that Conley's standard error needs.
COORDINATES = ("latitude", "longitude")


# What sentences call the methods that a simulation can recommend.
SPOKEN = {
    "clustered_t": Label(en="the clustered t test", zh="聚类稳健t检验"),
    "cr2": Label(en="CR2 with Satterthwaite degrees of freedom", zh="CR2（Satterthwaite自由度）"),
    "cr3": Label(en="the jackknife over clusters (CR3)", zh="聚类刀切法（CR3）"),
    "wild": Label(en="the restricted wild cluster bootstrap", zh="约束野聚类自助法"),
}


@dataclass(frozen=True)
class Method:
    """What one method says.

    Attributes
    ----------
    name
        The method in words.
    found
        The coefficient by it; None where the sample does not allow it.
    p_value_strict
        Its p-value with ties left out; None where nothing is drawn.
    note
        Whether sign patterns were enumerated or drawn, or why it was not made.
    """

    name: str
    found: Estimate | None
    p_value_strict: float | None = None
    note: str = ""


def has_coordinates(units: pd.DataFrame) -> bool:
    """Whether the units file has what Conley's standard error needs."""
    return set(COORDINATES) <= set(units.columns)


def passport_table(fit: PanelFit, term: str, units: pd.DataFrame, *, cutoff_km: int) -> pd.DataFrame:
    """The passport of a coefficient; Conley's standard error where the units file holds coordinates.

    Parameters
    ----------
    fit
        The primary specification, one cluster variable.
    term
        The treatment.
    units
        One row per entity, indexed by entity.
    cutoff_km
        Kilometres within which entities depend on each other.
    """
    if not has_coordinates(units):
        return standard_error_passport(fit, term)
    places = units[list(COORDINATES)].apply(pd.to_numeric)
    return standard_error_passport(fit, term, coordinates=places, cutoff_km=cutoff_km, kernel="bartlett")


def passport_estimates(table: pd.DataFrame, effect: Estimate) -> dict[str, Estimate]:
    """The estimate under every convention that the rows allow."""
    return {
        str(name): replace(
            effect,
            std_error=float(row["std_error"]),
            statistic=float(row["statistic"]),
            df=None,
            p_value=float(row["p_value"]),
            ci_low=None,
            ci_high=None,
            convention=f"{row['software']}: factor {row['formula']}, t({row['df']:.4g})",
        )
        for name, row in table.iterrows()
        if np.isfinite(row["std_error"])
    }


def few_cluster_tests(
    fit: PanelFit, term: str, wild: WildBootstrap, *, draws: int, rng: np.random.Generator
) -> dict[str, Method]:
    """The coefficient by every method for few clusters, under the short names that keys and tables share.

    Parameters
    ----------
    fit, term
        The primary specification and its treatment.
    wild
        The restricted bootstrap with Rademacher weights, already made.
    draws, rng
        Of the other bootstraps.
    """
    effect = fit[term]
    made = {
        "clustered_t": Method("clustered t (Stata's convention)", effect),
        "cr2": _small_sample("CR2, Satterthwaite degrees of freedom", cr2, fit, term),
        "cr3": _small_sample("CR3, jackknife over clusters", cr3, fit, term),
        "wild": _wild("wild, restricted, Rademacher", effect, wild),
    }
    others: dict[str, tuple[str, WildForm]] = {
        "wild_webb": ("wild, restricted, Webb", WildForm("webb")),
        "wild_unrestricted": ("wild, unrestricted, Rademacher", WildForm(restricted=False)),
        "wild_jackknife": ("wild, restricted, jackknifed scores", WildForm(variant="31")),
    }
    for name, (words, form) in others.items():
        try:
            made[name] = _wild(words, effect, wild_cluster_bootstrap(fit, term, draws=draws, rng=rng, form=form))
        except StudyError as error:
            made[name] = Method(words, None, note=f"not made: {error.where}: {error.rule}")
    both = replace_clusters(fit)
    try:
        found = two_way_wild_bootstrap(both, term, draws=draws, rng=rng)
        made["wild_two_way"] = _wild("wild, restricted, related within time too", both[term], found)
    except StudyError as error:
        made["wild_two_way"] = Method("wild, restricted, related within time too", None, note=f"not made: {error.rule}")
    return made


def replace_clusters(fit: PanelFit) -> PanelFit:
    """The same regression with errors that may be related within entities and within times."""
    design = fit.design
    columns = np.column_stack([design.y, design.x])
    data = pd.DataFrame(columns, index=design.index, columns=[design.outcome, *design.regressors])
    return fit_panel(
        data,
        design.outcome,
        [name for name in design.regressors if name != CONSTANT],
        entity_effects=fit.entity_effects,
        time_effects=fit.time_effects,
        cluster=("entity", "time"),
    )


def joint_controls(fit: PanelFit, controls: Sequence[str]) -> JointTest | None:
    """The controls of a model tested together (HTZ); None where there are none, or more than the clusters carry."""
    try:
        return htz_wald(fit, controls) if controls else None
    except StudyError:
        return None


def few_cluster_table(methods: Mapping[str, Method]) -> pd.DataFrame:
    """One row per method: its words, standard error, df, draws, p-values with and without ties, interval, note."""
    rows = {}
    for name, method in methods.items():
        numbers = ("std_error", "df", "draws", "p_value", "ci_low", "ci_high")
        row = {number: getattr(method.found, number, None) for number in numbers}
        rows[name] = {"method": method.name} | row | {"p_value_strict": method.p_value_strict, "note": method.note}
    columns = ["method", "std_error", "df", "draws", "p_value", "p_value_strict", "ci_low", "ci_high", "note"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("test")
    return table.astype({name: float for name in columns if name not in ("method", "note")})


def ends(found: Mapping[str, Estimate], field: str = "p_value") -> tuple[str, str]:
    """Names of the smallest and the largest of some estimates by one of their numbers."""
    ordered = sorted(found, key=lambda name: float(getattr(found[name], field)))
    return ordered[0], ordered[-1]


def _small_sample(words: str, test: Any, fit: PanelFit, term: str) -> Method:
    try:
        found: SmallSampleTest = test(fit, term)
    except StudyError as error:
        return Method(words, None, note=f"not made: {error.where}: {error.rule}")
    names = ("std_error", "statistic", "df", "p_value", "ci_low", "ci_high")
    numbers: dict[str, Any] = {name: getattr(found, name) for name in names}
    return Method(words, replace(fit[term], **numbers, convention=words))


def _wild(words: str, effect: Estimate, wild: WildBootstrap) -> Method:
    note = "every sign pattern" if wild.enumerated else "drawn"
    return Method(words, replace(wild_estimate(effect, wild), convention=words), wild.p_value_strict, note)
