"""Dimensions and features as columns of the panel.

Outside: the score of a dimension written out from min-max scores and the entropy weights of the whole index, 1e-12.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.index.dimensions import add_dimensions, add_features, name_dimensions
from helpers.study.study import Index
from outside import outside

WORDS = {"en": "w", "zh": "w"}


def make_panel() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([range(8), range(4)], names=["unit", "time"])
    return pd.DataFrame(rng.uniform(1, 9, size=(32, 4)), index, ["a", "b", "c", "other"])


def make_study() -> Any:
    indicators = {
        name: {"formula": name, "direction": 1, "dimension": dimension, "label": WORDS}
        for name, dimension in (("a", "first"), ("b", "first"), ("c", "second"))
    }
    dimensions = {name: {"label": WORDS} for name in ("first", "second")}
    index = Index.model_validate({"label": WORDS, "dimensions": dimensions, "indicators": indicators})
    return SimpleNamespace(indices={"made": index})


@pytest.mark.outside
def test_a_dimension_is_its_indicators_with_their_weights_scaled_to_one():
    panel = make_panel()
    ours = add_dimensions(panel, make_study(), ["first", "other"])
    scores = (panel[["a", "b", "c"]] - panel[["a", "b", "c"]].min()) / (
        panel[["a", "b", "c"]].max() - panel[["a", "b", "c"]].min()
    )
    shares = scores / scores.sum()
    entropy = -(shares * np.log(shares.where(shares > 0, 1))).sum() / np.log(32)
    weights = (1 - entropy) / (1 - entropy).sum()
    first = (scores["a"] * weights["a"] + scores["b"] * weights["b"]) / (weights["a"] + weights["b"])
    outside(add_dimensions, "written out: entropy weights", ours["first"].to_numpy(), first.to_numpy(), rtol=1e-12)
    assert list(ours.columns) == [*panel.columns, "first"]


def test_a_name_that_is_no_dimension_is_refused():
    with pytest.raises(StudyError, match="neither a column nor a dimension"):
        add_dimensions(make_panel(), make_study(), ["third"])


def test_features_are_dimensions_or_means_of_z_scores():
    panel, study = make_panel(), make_study()
    data, names = add_features(panel, study, "made")
    assert names == ("first", "second") == name_dimensions(study, "made")
    data, names = add_features(panel, study, {"pair": ("a", "b"), "alone": ("c",)})
    z = (panel - panel.mean()) / panel.std()
    assert np.allclose(data["pair"], (z["a"] + z["b"]) / 2)
    assert data["alone"].equals(panel["c"].rename("alone"))
    assert name_dimensions(study, ("a", "b")) == ("a", "b")
