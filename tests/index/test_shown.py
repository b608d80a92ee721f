"""What the page reads of the indices: ranks and contributions by entity and time, worked by hand."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from helpers.index.composite import composite_index
from helpers.index.shown import contribution_panel, rank_panel
from index.test_composite import a_panel, a_spec


def test_ranks_are_made_in_each_period_one_the_highest_and_what_is_missing_has_none():
    rows = pd.MultiIndex.from_product([["a", "b", "c"], [2015, 2016]], names=["place", "year"])
    scores = pd.DataFrame({"index": [0.3, 0.1, 0.5, np.nan, 0.5, 0.2]}, index=rows)
    ranks = rank_panel(scores)["index"].unstack()
    assert ranks[2015].to_list() == [3, 1, 1]  # two that are alike share the better rank
    assert ranks[2016].fillna(0).to_list() == [2, 0, 1]


def test_contributions_of_the_dimensions_of_every_index_add_up_to_it():
    index = composite_index(a_panel(), a_spec())
    parts = contribution_panel({"one": index, "two": index})
    assert {str(name).split(".")[0] for name in parts} == {"one", "two"}
    assert_allclose(parts.filter(regex=r"^one\.").sum(axis=1), index.values, atol=1e-12)
    assert parts.index.equals(index.values.sort_index().index)
