"""What other programs say of a regression, beside our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.regression.panel import fit
from helpers.results.estimate import Estimate
from helpers.results.rounding import NOTHING
from helpers.study.model import Model

# Whose convention a program's standard errors follow.
CONVENTIONS = {"helpers": "stata", "linearmodels": "linearmodels", "pyfixest": "stata"}
# Decimals of a relative gap; those beyond are its rounding.
DECIMALS = 12
# Relative gap up to which two programs that solve the same equations give the same number.
EQUAL = 1e-8


def attempt(fit_theirs: Callable[[], Any]) -> Any:
    """What another program returns, or why it returns nothing: a check by it stops no run, whatever it raises."""
    try:
        return fit_theirs()
    except Exception as error:  # noqa: BLE001 - see above
        return f"not fitted, because {type(error).__name__}: {' '.join(str(error).split())}"


def of_size_one(data: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The model's columns, each divided by the power of two next to its largest figure, which is exact.

    Iterations that stop at a tolerance do not get there with figures of millions.
    """
    return pd.DataFrame({name: data[name] / _size(data[name]) for name in model.columns})


def engine_table(data: pd.DataFrame, model: Model, engines: Mapping[str, Any]) -> pd.DataFrame:
    """The treatment by our own code and by other programs, clustered by entity.

    Parameters
    ----------
    data, model
        The regression.
    engines
        Program -> what it returned on `of_size_one`: "linearmodels" a result of PanelOLS, "pyfixest" one of feols, or
        the reason why it returned nothing (see `attempt`).

    Returns
    -------
    pandas.DataFrame
        Indexed by engine: `estimate`, `std_error`, `convention`, `factor` (what that convention puts on the raw
        sandwich), `restated` (our standard error under that convention), `estimate_gap` and `std_error_gap` (relative
        differences from ours). linearmodels counts absorbed entity effects when both kinds are absorbed, so its
        standard error is then larger than Stata's.
    """
    term, raw = model.treatment, fit(data, model, convention="plm")
    own = fit(data, model)[term]
    units = _size(data[model.outcome]) / _size(data[term])
    rows: dict[str, dict[str, Any]] = {}
    for name, result in {"helpers": own, **engines}.items():
        if isinstance(result, str):
            rows[name] = {"convention": result}
            continue
        estimate, std_error = _read(result, term, units)
        restated = float(fit(data, model, convention=CONVENTIONS[name]).std_errors[term])
        rows[name] = {
            "estimate": estimate,
            "std_error": std_error,
            "convention": CONVENTIONS[name],
            "factor": (restated / float(raw.std_errors[term])) ** 2,
            "restated": restated,
            "estimate_gap": _gap(estimate, own.estimate),
            "std_error_gap": _gap(std_error, restated),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("engine")


def count_agreeing(table: pd.DataFrame) -> tuple[int, int]:
    """Of an `engine_table`: programs with our estimate, and under their own convention our standard error; not fitted.

    Equal is what differs by no more than `EQUAL` of its size.
    """
    gaps = table.reindex(columns=["estimate_gap", "std_error_gap"]).drop(index="helpers")
    return int((gaps < EQUAL).all(axis=1).sum()), int(gaps["estimate_gap"].isna().sum())


def _gap(number: float, other: float) -> float:
    """Relative difference of two numbers; 0 where it is no more than their rounding."""
    gap = abs(number / other - 1)
    return round(gap, DECIMALS) if gap > NOTHING else 0.0


def _read(result: Any, term: str, units: float) -> tuple[float, float]:
    """Estimate and standard error of one regressor: our own, or a result of linearmodels or pyfixest in our units."""
    if isinstance(result, Estimate):
        return result.estimate, float(result.std_error or np.nan)
    if hasattr(result, "std_errors"):
        return units * float(result.params[term]), units * float(result.std_errors[term])
    return units * float(result.coef()[term]), units * float(result.se()[term])


def _size(column: pd.Series) -> float:
    """The largest figure of a column as a power of two."""
    largest = float(column.abs().max())
    return 2.0 ** round(np.log2(largest)) if largest > 0 else 1.0
