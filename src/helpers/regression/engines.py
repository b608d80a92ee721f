"""The same regression by linearmodels and pyfixest, beside our own."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.regression.design import Design
from helpers.regression.effects import Floats
from helpers.regression.panel import PanelFit, fit_panel


@dataclass(frozen=True)
class EngineFit:
    """What another program says of a regression.

    Attributes
    ----------
    engine
        The program.
    convention
        The convention of `helpers.regression.conventions` that its standard errors follow.
    estimates, std_errors
        Series indexed by regressor, without the intercept.
    df
        Degrees of freedom that it uses for p-values.
    """

    engine: str
    convention: str
    estimates: pd.Series
    std_errors: pd.Series
    df: int


def linearmodels_fit(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = False,
    time_effects: bool = False,
) -> EngineFit:
    """Fit by linearmodels' PanelOLS, clustered by entity, its own defaults; arguments as in `fit_panel`."""
    from linearmodels.panel import PanelOLS

    own = fit_panel(data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects)
    frame = _frame(own.design).set_index(["entity", "time"])
    names = [f"x{j}" for j in range(own.design.n_slopes)]
    columns = frame[names].assign(**({"const": 1.0} if own.design.has_constant else {}))
    model = PanelOLS(frame["y"], columns, entity_effects=entity_effects, time_effects=time_effects)
    result = model.fit(cov_type="clustered", cluster_entity=True)
    return EngineFit(
        engine="linearmodels",
        convention="linearmodels",
        estimates=_named(result.params, names, own),
        std_errors=_named(result.std_errors, names, own),
        df=int(result.df_resid),
    )


def pyfixest_fit(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = False,
    time_effects: bool = False,
) -> EngineFit:
    """Fit by pyfixest's feols, clustered by entity; arguments as in `fit_panel`."""
    own = fit_panel(data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects)
    names = [f"x{j}" for j in range(own.design.n_slopes)]
    absorbed = [name for name, wanted in (("entity", entity_effects), ("time", time_effects)) if wanted]
    formula = f"y ~ {' + '.join(names)}" + (f" | {' + '.join(absorbed)}" if absorbed else "")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        from pyfixest.demeaners import MapDemeaner
        from pyfixest.estimation import feols

        # Its own tolerance of 1e-6 is too coarse for estimates that shall agree to 1e-10.
        demeaner = MapDemeaner(fixef_tol=1e-10)
        result = feols(formula, _frame(own.design), vcov={"CRV1": "entity"}, fixef_rm="none", demeaner=demeaner)
    _pass_on(said)
    return EngineFit(
        engine="pyfixest",
        convention="stata",
        estimates=_named(result.coef(), names, own),
        std_errors=_named(result.se(), names, own),
        df=own.n_clusters - 1,
    )


def _pass_on(said: list[warnings.WarningMessage]) -> None:
    """Repeat what a package warned of, but for what concerns its own authors only."""
    for message in said:
        if not issubclass(message.category, DeprecationWarning):
            warnings.warn_explicit(message.message, message.category, message.filename, message.lineno)


def compare_engines(
    data: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    entity_effects: bool = False,
    time_effects: bool = False,
) -> pd.DataFrame:
    """The same regression by our own code, linearmodels and pyfixest, clustered by entity.

    Parameters
    ----------
    data, outcome, regressors, entity_effects, time_effects
        As in `fit_panel`.

    Returns
    -------
    pandas.DataFrame
        Indexed by (engine, regressor): `estimate`, `std_error`, `convention`, `factor` (what that convention puts on
        the raw sandwich), `restated` (our standard error under that convention), `estimate_gap` and `std_error_gap`
        (relative differences from ours). linearmodels counts absorbed entity effects when both kinds are absorbed,
        so its standard error is then larger than Stata's.
    """
    options = {"entity_effects": entity_effects, "time_effects": time_effects}
    ours = fit_panel(data, outcome, regressors, entity_effects=entity_effects, time_effects=time_effects)
    names = list(regressors)
    own = EngineFit("helpers", "stata", ours.estimates[names], ours.std_errors[names], ours.df)
    parts = []
    parts.append(_beside_ours(own, data, ours, names))
    for name, fit in FOREIGN.items():
        try:
            parts.append(_beside_ours(fit(data, outcome, names, **options), data, ours, names))
        except Exception as error:  # noqa: BLE001 - a check by another program stops no run, whatever that program raises
            parts.append(_not_fitted(name, error, names))
    return pd.concat(parts)


def _not_fitted(engine: str, error: Exception, names: list[str]) -> pd.DataFrame:
    """Rows of an engine that gave no result: no numbers, and why."""
    columns = ["estimate", "std_error", "convention", "factor", "restated", "estimate_gap", "std_error_gap"]
    index = pd.MultiIndex.from_product([[engine], names], names=["engine", "regressor"])
    empty = pd.DataFrame(np.nan, index=index, columns=columns)
    return empty.assign(convention=f"not fitted, because {type(error).__name__}: {' '.join(str(error).split())}")


FOREIGN = {"linearmodels": linearmodels_fit, "pyfixest": pyfixest_fit}
"""The programs beside our own."""


def _beside_ours(engine: EngineFit, data: pd.DataFrame, ours: PanelFit, names: list[str]) -> pd.DataFrame:
    """Rows of one engine."""
    raw, restated = (
        fit_panel(
            data,
            ours.outcome,
            names,
            entity_effects=ours.entity_effects,
            time_effects=ours.time_effects,
            convention=convention,
        )
        for convention in ("plm", engine.convention)
    )
    table = pd.DataFrame({"estimate": engine.estimates, "std_error": engine.std_errors})
    table["convention"] = engine.convention
    table["factor"] = (restated.std_errors[names] / raw.std_errors[names]) ** 2
    table["restated"] = restated.std_errors[names]
    table["estimate_gap"] = (engine.estimates / ours.estimates[names] - 1).abs()
    table["std_error_gap"] = (engine.std_errors / restated.std_errors[names] - 1).abs()
    table.index = pd.MultiIndex.from_product([[engine.engine], names], names=["engine", "regressor"])
    return table


def _frame(design: Design) -> pd.DataFrame:
    """The design under plain names, which no formula language can misread, every column of the size of one.

    Iterations that stop at a tolerance do not get there with figures of millions.
    """
    columns = {f"x{j}": design.x[:, j] / _size(design.x[:, j]) for j in range(design.n_slopes)}
    y = design.y / _size(design.y)
    return pd.DataFrame({"y": y, **columns, "entity": design.effects.entity, "time": design.effects.time})


def _size(column: Floats) -> float:
    """The largest figure of a column as a power of two, by which a division is exact."""
    largest = float(np.abs(column).max())
    return 2.0 ** round(np.log2(largest)) if largest > 0 else 1.0


def _named(figures: pd.Series, plain: list[str], own: PanelFit) -> pd.Series:
    """Figures under the regressors' own names and in their own units."""
    design = own.design
    units = _size(design.y) / np.array([_size(design.x[:, j]) for j in range(len(plain))])
    return pd.Series(np.asarray(figures[plain], dtype=float) * units, index=pd.Index(own.regressors[: len(plain)]))
