"""Moderated mediation: effects at levels and by group are those of plain regressions on products and split columns.

Least squares on the same rows, solved with dummies and lstsq in the test: 1e-8.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.mediation.moderated import fit_grouped, fit_interaction
from helpers.study.model import Model
from outside import outside

MODEL = Model("reply", "dose", ("size",))


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([[f"e{i:02d}" for i in range(24)], range(6)], names=["unit", "year"])
    dose, size = rng.normal(size=144), rng.normal(size=144)
    middle = 0.8 * dose + 0.3 * size + rng.normal(size=144)
    reply = 0.2 * dose + 0.5 * middle + 0.6 * dose * middle + rng.normal(size=144)
    return pd.DataFrame({"dose": dose, "size": size, "middle": middle, "reply": reply}, index=index)


def slopes(panel: pd.DataFrame, left: str, columns: list[pd.Series]) -> np.ndarray:
    entity, time = (pd.get_dummies(panel.index.get_level_values(place), dtype=float) for place in (0, 1))
    design = np.column_stack([*columns, entity, time.iloc[:, 1:]])
    return np.linalg.lstsq(design, panel[left], rcond=None)[0][: len(columns)]


def test_effects_at_a_level_are_those_of_the_product_regression(panel: pd.DataFrame) -> None:
    found = fit_interaction(panel, MODEL, "middle", shares=(0.1, 0.9), draws=99, rng=np.random.default_rng(1))
    dose, middle = panel["dose"] - panel["dose"].mean(), panel["middle"] - panel["middle"].mean()
    a = slopes(panel, "middle", [panel["dose"], panel["size"]])[0]
    c, b, g = slopes(panel, "reply", [panel["dose"], panel["middle"], dose * middle, panel["size"]])[:3]
    ours = [found.interaction.effect.estimate]
    ours += [found.indirect[share].estimate for share in (0.1, 0.9)]
    ours += [found.direct[share].estimate for share in (0.1, 0.9)]
    theirs = [g, *(a * (b + g * dose.quantile(share)) for share in (0.1, 0.9))]
    theirs += [c + g * middle.quantile(share) for share in (0.1, 0.9)]
    outside(fit_interaction, "written out: dummies and lstsq", ours, theirs, rtol=1e-8)


def test_a_planted_interaction_is_clear_and_moves_the_indirect_effect(panel: pd.DataFrame) -> None:
    found = fit_interaction(panel, MODEL, "middle", draws=399, rng=np.random.default_rng(1))
    assert found.interaction.is_clear(0.05)
    assert found.indirect[0.1].estimate < found.indirect[0.5].estimate < found.indirect[0.9].estimate


def test_paths_by_group_are_those_of_split_columns(panel: pd.DataFrame) -> None:
    groups = {f"e{i:02d}": "coast" if i < 12 else "inland" for i in range(24)}
    found = fit_grouped(panel, MODEL, "middle", groups)
    inside = panel.index.get_level_values(0) < "e12"
    split = [panel[name] * part for name in ("dose", "middle") for part in (inside, ~inside)]
    a = slopes(panel, "middle", [*split[:2], panel["size"]])[:2]
    b = slopes(panel, "reply", [*split[2:], *split[:2], panel["size"]])[:2]
    ours = [found.indirect[name].estimate for name in ("coast", "inland")]
    outside(fit_grouped, "written out: dummies and lstsq", ours, a * b, rtol=1e-8)
    gap = found.differences["coast", "inland"]
    assert gap.estimate == pytest.approx(ours[0] - ours[1], rel=1e-9)


def test_an_entity_without_a_group_is_left_out(panel: pd.DataFrame) -> None:
    groups = {f"e{i:02d}": "coast" if i < 10 else "inland" for i in range(20)}
    found = fit_grouped(panel, MODEL, "middle", groups)
    kept = fit_grouped(panel.loc[:"e19"], MODEL, "middle", groups)
    assert found.indirect["coast"].estimate == pytest.approx(kept.indirect["coast"].estimate, rel=1e-12)
    assert found.fits[0].n_entities == 20


def test_a_single_group_and_a_wrong_share_are_refused(panel: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="two entities or more"):
        fit_grouped(panel, MODEL, "middle", {"e00": "coast", "e01": "coast", "e02": "alone"})
    with pytest.raises(StudyError, match="between 0 and 1"):
        fit_interaction(panel, MODEL, "middle", shares=(1.2,), draws=9, rng=np.random.default_rng(1))
