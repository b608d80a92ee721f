"""One effect by groups of rows, in several designs: what else but the effect may differ between the groups.

"own": slopes of the controls and time effects are each group's own, as if each had its own regression.
"common": the controls and the time effects are common. "group_times": the controls are common, time effects each
group's own. "without_years": the controls are common, and there are no time effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.heterogeneity.groups import Grouping, split_name, stack_regions
from helpers.heterogeneity.joint import Equality, Ordering, check_order, compare_equal
from helpers.inference.wild.bootstrap import WildBootstrap, wild_cluster_bootstrap
from helpers.regression.panel import PanelFit, fit
from helpers.results.estimate import Estimate
from helpers.study.model import Model

DESIGNS = ("own", "common", "group_times", "without_years")


@dataclass(frozen=True)
class SplitFit:
    """An effect by group.

    Attributes
    ----------
    effects, wild
        Group -> effect by the clustered t test, and its wild bootstrap with interval.
    equality, ordering
        Joint test that the groups' effects are equal; test that they fall in the order of the groups.
    fit
        The regression.
    terms
        Group -> its regressor in `fit`.
    """

    effects: dict[str, Estimate]
    wild: dict[str, WildBootstrap]
    equality: Equality
    ordering: Ordering
    fit: PanelFit = field(repr=False)
    terms: dict[str, str] = field(repr=False)


def fit_design(
    data: pd.DataFrame, model: Model, grouping: Grouping, design: str, *, draws: int, rng: np.random.Generator
) -> SplitFit:
    """Fit a model with the treatment's effect by group of entities, in one design.

    Parameters
    ----------
    data
        Panel of the entities of the groups.
    model
        The regression; clustered by entity.
    grouping
        From `helpers.heterogeneity.groups.read_grouping`.
    design
        One of `DESIGNS`.
    draws, rng
        Draws of the wild bootstraps and their source.

    Raises
    ------
    StudyError
        An unknown design, or a group whose rows cannot determine its effect.
    """
    if design not in DESIGNS:
        raise StudyError(f"design {design}", "it is not known", f"use one of {', '.join(DESIGNS)}")
    split_controls = design == "own"
    own_times = design in ("own", "group_times") and model.time_effects
    columns = list(model.regressors) if split_controls else [model.treatment]
    kept = [model.outcome, model.treatment, *(() if split_controls else model.controls)]
    stacked = stack_regions(data, columns, kept, grouping, own_times)
    names = {region: split_name(model.treatment, region) for region in grouping.order}
    controls = (
        tuple(split_name(column, region) for column in model.controls for region in grouping.order)
        if split_controls
        else model.controls
    )
    effects = ("entity",) if design == "without_years" else model.effects
    base = model.with_(controls=controls, effects=effects, cluster="entity")
    return _fit(stacked, base, names, draws, rng)


def fit_split(
    data: pd.DataFrame, model: Model, labels: pd.Series, order: Sequence[str], *, draws: int, rng: np.random.Generator
) -> SplitFit:
    """Fit a model with the treatment's effect by group of rows, controls and effects common.

    Parameters
    ----------
    labels
        Group of each row, indexed like the data; rows without one, or with one that is not in `order`, are left out.
    order
        The groups, two or more.

    Raises
    ------
    StudyError
        A group without rows, fewer than two groups, or a group whose rows cannot determine its effect.
    """
    empty = [name for name in order if not (labels == name).any()]
    if empty or len(order) < 2:
        told = f"group {empty[0]} has no rows" if empty else "there is one group"
        raise StudyError("groups of rows", told, "give two groups or more that have rows")
    inside = labels.isin(list(order))
    rows, labels = data[inside], labels[inside]
    names = {name: split_name(model.treatment, name) for name in order}
    parts = {names[name]: rows[model.treatment] * (labels == name) for name in order}
    return _fit(rows.assign(**parts), model.with_(cluster="entity"), names, draws, rng)


def _fit(data: pd.DataFrame, model: Model, names: dict[str, str], draws: int, rng: np.random.Generator) -> SplitFit:
    first, *others = names.values()
    found = fit(data, model.with_(treatment=first, controls=(*others, *model.controls)))
    equal = fit(data, model)
    terms = list(names.values())
    return SplitFit(
        effects={region: found[name] for region, name in names.items()},
        wild={
            region: wild_cluster_bootstrap(found, name, draws=draws, rng=rng, interval=True)
            for region, name in names.items()
        },
        equality=compare_equal(found, equal, terms, draws=draws, rng=rng),
        ordering=check_order(found, terms, draws=draws, rng=rng),
        fit=found,
        terms=names,
    )
