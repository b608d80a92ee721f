"""An indirect effect that is not the same everywhere: it changes with the treatment's level, or between groups.

With an interaction of treatment and mediator, Y = c' D + b M + g D M + controls + effects, the indirect effect of one
unit of D at level d is a (b + g d), the direct effect at mediator m is c' + g m (Imai, Keele and Tingley 2010). With
groups, paths a and b are each group's own; controls and effects are common.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import StudyError
from helpers.inference.clear import ClearTest, fit_clear
from helpers.inference.small_sample import reduced_tests
from helpers.mediation.mediation import check_roles
from helpers.mediation.product import PathEstimate, ProductTest, compare_products, fit_product, read_path
from helpers.regression.panel import PanelFit, fit
from helpers.study.model import Model

PRODUCT = "treatment_times_mediator"
"""Name of the column treatment x mediator, both less their means."""


@dataclass(frozen=True)
class Interaction:
    """Treatment-mediator interaction.

    Attributes
    ----------
    mediator
        Its name.
    interaction
        The coefficient of treatment x mediator, by the t test and the wild bootstrap.
    indirect, direct
        Level, or mediator value, -> effect there.
    """

    mediator: str
    interaction: ClearTest
    indirect: dict[float, ProductTest]
    direct: dict[float, ProductTest]


@dataclass(frozen=True)
class GroupedMediation:
    """An indirect effect by group.

    Attributes
    ----------
    path_a, path_b
        Group -> path, CR2.
    indirect
        Group -> indirect effect.
    differences
        (first, second) -> difference of their indirect effects.
    """

    path_a: dict[str, PathEstimate]
    path_b: dict[str, PathEstimate]
    indirect: dict[str, ProductTest]
    differences: dict[tuple[str, str], ProductTest]
    fits: tuple[PanelFit, PanelFit] = field(repr=False)


def fit_interaction(
    data: pd.DataFrame,
    model: Model,
    mediator: str,
    *,
    shares: tuple[float, ...] = (0.1, 0.5, 0.9),
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interaction:
    """Let the mediator's effect on the outcome change with the treatment.

    Parameters
    ----------
    shares
        Quantiles of the treatment (for indirect effects) and of the mediator (for direct effects).
    draws, rng
        Draws of the wild bootstrap of the interaction, and their source.

    Raises
    ------
    StudyError
        As `fit_panel`; a share outside [0, 1].
    """
    check_roles(model, [mediator])
    if not all(0 <= share <= 1 for share in shares):
        raise StudyError("interaction", f"shares {shares}", "give shares between 0 and 1")
    centre = data[[model.treatment, mediator]].mean()
    moved = data[[model.treatment, mediator]] - centre
    both = data.assign(**{PRODUCT: moved[model.treatment] * moved[mediator]})
    first = fit(data, model.with_(outcome=mediator))
    outcome = model.with_(controls=(mediator, PRODUCT, *model.controls))
    found = fit_clear(both, outcome, PRODUCT, draws=draws, rng=rng)
    path_a = read_path(first, model.treatment)
    indirect, direct = {}, {}
    for share in shares:
        dose, middle = (float(moved[name].quantile(share)) for name in (model.treatment, mediator))
        path_b = read_path(found.fit, {mediator: 1.0, PRODUCT: dose})
        indirect[share] = fit_product([path_a, path_b], level)
        test = reduced_tests(found.fit, [{model.treatment: 1.0, PRODUCT: middle}])[0]
        direct[share] = ProductTest(test.estimate, test.p_value, test.ci_low, test.ci_high)
    return Interaction(mediator, found, indirect, direct)


def fit_grouped(
    data: pd.DataFrame, model: Model, mediator: str, groups: Mapping[str, str], *, level: float = 0.95
) -> GroupedMediation:
    """Let paths a and b be each group's own, under common controls and effects.

    Parameters
    ----------
    groups
        Entity -> group; entities that it lacks are left out.

    Raises
    ------
    StudyError
        Fewer than two groups with two entities or more, or a path that a group cannot determine.
    """
    check_roles(model, [mediator])
    of_rows = data.index.get_level_values(0).map(dict(groups))
    data, of_rows = data[of_rows.notna()], of_rows[of_rows.notna()]
    sizes = data.index.to_frame(index=False).iloc[:, 0].groupby(np.asarray(of_rows)).nunique()
    order = [group for group in dict.fromkeys(groups.values()) if sizes.get(group, 0) > 1]
    if len(order) < 2:
        raise StudyError("mediation by group", f"{len(order)} groups have two entities or more", "give two such groups")
    rows = np.isin(of_rows, order)
    data, of_rows = data[rows], of_rows[rows]
    parts = {
        f"{name}_{group}": data[name] * (of_rows == group) for name in (model.treatment, mediator) for group in order
    }
    split = data.assign(**parts)
    dose, middle = ([f"{name}_{group}" for group in order] for name in (model.treatment, mediator))
    first = fit(split, model.with_(outcome=mediator, treatment=dose[0], controls=(*dose[1:], *model.controls)))
    second = fit(split, model.with_(treatment=middle[0], controls=(*middle[1:], *dose, *model.controls)))
    path_a = {group: read_path(first, name) for group, name in zip(order, dose, strict=True)}
    path_b = {group: read_path(second, name) for group, name in zip(order, middle, strict=True)}
    pairs = [(one, two) for place, one in enumerate(order) for two in order[place + 1 :]]
    return GroupedMediation(
        path_a,
        path_b,
        {group: fit_product([path_a[group], path_b[group]], level) for group in order},
        {
            (one, two): compare_products([path_a[one], path_b[one]], [path_a[two], path_b[two]], level)
            for one, two in pairs
        },
        (first, second),
    )
