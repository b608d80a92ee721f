"""Which standard error, which p-value: what notebook 03 shows of the inference on the primary coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.door import WildBootstrap, cr2, cr3, standard_error_passport, wild_cluster_bootstrap

if TYPE_CHECKING:
    from helpers.inference.door import SmallSampleTest
    from helpers.regression.panel import PanelFit
    from helpers.results.results import Results

# The columns of a units file that Conley's standard error needs.
COORDINATES = ("latitude", "longitude")


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
    if not set(COORDINATES) <= set(units.columns):
        return standard_error_passport(fit, term)
    places = units[list(COORDINATES)].apply(pd.to_numeric)
    return standard_error_passport(fit, term, coordinates=places, cutoff_km=cutoff_km, kernel="bartlett")


def record_passport(results: Results, table: pd.DataFrame, fit: PanelFit, term: str) -> None:
    """Record every convention that the rows allow under ``baseline.passport.<convention>``."""
    for name, row in table.iterrows():
        if np.isfinite(row["std_error"]):
            results.record(
                f"baseline.passport.{name}",
                estimate=fit.estimates[term],
                std_error=row["std_error"],
                statistic=row["statistic"],
                p_value=row["p_value"],
                n_obs=fit.n_obs,
                n_entities=fit.n_entities,
                convention=f"{row['software']}: factor {row['formula']}, t({row['df']:.4g})",
            )


def say_passport(results: Results, table: pd.DataFrame, level: float) -> str:
    """Record the span of the passport; the sentence template that says it."""
    known = table.dropna(subset=["std_error"])
    smallest, largest = str(known["std_error"].idxmin()), str(known["std_error"].idxmax())
    low, high = smallest.replace("_", " "), largest.replace("_", " ")
    results.record("baseline.passport.count", value=len(known))
    results.record("baseline.passport.count.significant", value=int((known["p_value"] < level).sum()))
    return (
        "Of {baseline.passport.count} conventions, {baseline.passport.count.significant} call the estimate "
        f"significant. The standard error lies between {{baseline.passport.{smallest}:std_error}} ({low}, "
        f"p = {{baseline.passport.{smallest}:p_value}}) and {{baseline.passport.{largest}:std_error}} "
        f"({high}, p = {{baseline.passport.{largest}:p_value}})."
    )


def say_conley(table: pd.DataFrame) -> str:
    """Whether Conley's standard error is in the passport, and if not what it would need."""
    if "conley" in table.index:
        assumes = table["assumes"].to_dict()
        return f"Conley's standard error, for errors related among neighbours: {assumes['conley']}."
    return (
        "Conley's standard error is not shown: the units file has no columns "
        f"{' and '.join(f'`{name}`' for name in COORDINATES)} (degrees), which it needs."
    )


def few_cluster_tests(
    fit: PanelFit, term: str, wild: WildBootstrap, *, draws: int, rng: np.random.Generator
) -> pd.DataFrame:
    """The p-value and the interval of the coefficient by every method for few clusters.

    Parameters
    ----------
    fit, term
        The primary specification and its treatment.
    wild
        The restricted bootstrap with Rademacher weights, already made.
    draws, rng
        Of the other bootstraps.

    Returns
    -------
    pandas.DataFrame
        Indexed by the method's short name: method, std_error, df, draws, p_value, p_value_strict (ties left out),
        ci_low, ci_high, note.
    """
    rows: dict[str, dict[str, Any]] = {
        "clustered_t": {
            "method": "clustered t (Stata's convention)",
            "std_error": fit.std_errors[term],
            "df": fit.df,
            "p_value": fit.p_values[term],
            "ci_low": fit.ci_low[term],
            "ci_high": fit.ci_high[term],
            "note": "",
        }
    }
    for name, test, words in (
        ("cr2", cr2, "CR2, Satterthwaite degrees of freedom"),
        ("cr3", cr3, "CR3, jackknife over clusters"),
    ):
        try:
            rows[name] = {"method": words} | _small_sample(test(fit, term))
        except StudyError as error:
            rows[name] = {"method": words, "note": f"not made: {error.where}: {error.rule}"}
    rows["wild"] = {"method": "wild, restricted, Rademacher"} | _wild(wild)
    others: dict[str, tuple[str, dict[str, Any]]] = {
        "wild_webb": ("wild, restricted, Webb", {"weights": "webb"}),
        "wild_unrestricted": ("wild, unrestricted, Rademacher", {"restricted": False}),
        "wild_jackknife": ("wild, restricted, jackknifed scores", {"variant": "31"}),
    }
    for name, (words, options) in others.items():
        try:
            found = wild_cluster_bootstrap(fit, term, draws=draws, rng=rng, **options)
            rows[name] = {"method": words} | _wild(found)
        except StudyError as error:
            rows[name] = {"method": words, "note": f"not made: {error.where}: {error.rule}"}
    columns = ["method", "std_error", "df", "draws", "p_value", "p_value_strict", "ci_low", "ci_high", "note"]
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns).rename_axis("test")


def _small_sample(test: SmallSampleTest) -> dict[str, float | str]:
    return {name: getattr(test, name) for name in ("std_error", "df", "p_value", "ci_low", "ci_high")} | {"note": ""}


def _wild(found: WildBootstrap) -> dict[str, float | str | None]:
    return {
        "draws": found.n_draws,
        "p_value": found.p_value_ties,
        "p_value_strict": found.p_value_strict,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "note": "every sign pattern" if found.enumerated else "drawn",
    }


def record_few_clusters(results: Results, tests: pd.DataFrame, fit: PanelFit, term: str) -> None:
    """Record every test that could be made under ``baseline.inference.<test>``."""
    for name, row in tests.dropna(subset=["p_value"]).iterrows():
        numbers: Any = row[["std_error", "ci_low", "ci_high"]].astype(float).dropna().to_dict()
        results.record(
            f"baseline.inference.{name}",
            estimate=fit.estimates[term],
            p_value=row["p_value"],
            n_obs=fit.n_obs,
            n_entities=fit.n_entities,
            convention=row["method"],
            **numbers,
        )


def say_few_clusters(tests: pd.DataFrame, level: float) -> str:
    """The sentence template: the smallest and the largest p-value over the methods, and whether the verdict moves."""
    known = tests["p_value"].dropna()
    low, high = str(known.idxmin()), str(known.idxmax())
    verdicts = {bool(value < level) for value in known}
    same = "all methods come to the same verdict" if len(verdicts) == 1 else "the methods differ in their verdict"
    words = tests["method"]
    return (
        f"From {{baseline.inference.{low}:p_value}} ({words[low]}) to {{baseline.inference.{high}:p_value}} "
        f"({words[high]}): {same}."
    )
