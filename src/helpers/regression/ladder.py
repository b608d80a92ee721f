"""The baseline ladder: the same regression with more and more held constant, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.regression.coefficients import Coefficients
from helpers.results.estimate import estimate_frame
from helpers.results.rounding import fix_number

if TYPE_CHECKING:
    from helpers.study.study import Study

DIGITS = 3
STARS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))


def ladder_estimates(fits: Mapping[str, Coefficients], term: str, label: Callable[[str], str]) -> pd.DataFrame:
    """One row per column of the ladder: the estimate of a regressor with everything that belongs to it."""
    return estimate_frame({label(name): fit[term] for name, fit in fits.items()}).rename_axis("column")


def ladder_table(fits: Mapping[str, Coefficients], study: Study) -> pd.DataFrame:
    """The ladder in the journal's form: estimates with stars, standard errors in brackets below, then the facts.

    Stars: *** p < 0.01, ** p < 0.05, * p < 0.1, from the p-values of the fits.
    """
    terms = [study.specification.treatment, *study.specification.controls]
    lines: dict[str, list[str]] = {}
    for term in terms:
        lines[study.label(term)] = [_estimate(fit, term) for fit in fits.values()]
        lines[f"({study.label(term)}: standard error)"] = [_std_error(fit, term) for fit in fits.values()]
    lines |= _facts(fits, study)
    columns = [study.label(name) for name in fits]
    return pd.DataFrame.from_dict(lines, orient="index", columns=columns).rename_axis("term")


def journal_ladder(fits: Mapping[str, Coefficients], study: Study) -> pd.DataFrame:
    """The same with blank names beside the standard errors, as manuscripts have it."""
    return ladder_table(fits, study).rename(index=lambda name: "" if str(name).startswith("(") else name)


def stars(p_value: float) -> str:
    """The stars of a p-value."""
    return next((mark for level, mark in STARS if p_value < level), "")


def _estimate(fit: Coefficients, term: str) -> str:
    return fix_number(fit.estimates[term], DIGITS) + stars(fit.p_values[term]) if term in fit.estimates.index else ""


def _std_error(fit: Coefficients, term: str) -> str:
    return f"({fix_number(fit.std_errors[term], DIGITS)})" if term in fit.estimates.index else ""


def _facts(fits: Mapping[str, Coefficients], study: Study) -> dict[str, list[str]]:
    yes = {True: "yes", False: "no"}
    entity, time = study.entity.label.en, study.time.label.en
    return {
        f"{entity} effects": [yes[fit.entity_effects] for fit in fits.values()],
        f"{time} effects": [yes[fit.time_effects] for fit in fits.values()],
        "Observations": [str(fit.n_obs) for fit in fits.values()],
        f"{entity} clusters (G)": [str(fit.n_clusters) for fit in fits.values()],
        "Degrees of freedom": [str(fit.df) for fit in fits.values()],
        "R-squared": [f"{fit.r_squared:.3f}" for fit in fits.values()],
        "R-squared, within": [f"{fit.r_squared_within:.3f}" if _absorbs(fit) else "" for fit in fits.values()],
    }


def _absorbs(fit: Coefficients) -> bool:
    return fit.entity_effects or fit.time_effects
