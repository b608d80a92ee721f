"""Tables of the choices in an index: ranks and both of their intervals are of the mean over time; worked by hand."""

from types import SimpleNamespace

import pandas as pd

from helpers.multiverse.index_choices import count_told_apart, rank_table


def test_dot_and_intervals_of_a_rank_are_of_the_same_rank() -> None:
    entities = pd.Index(["a", "b"], name="province")
    by_choices = pd.DataFrame({"rank": [2.0, 1.0], "median": 1.5, "ci_low": 1.0, "ci_high": 2.0}, index=entities)
    of_means = pd.DataFrame({"estimate": [2.0, 1.0], "ci_low": [2.0, 1.0], "ci_high": [2.0, 1.0]}, index=entities)
    rows = pd.MultiIndex.from_product([entities, [2015]], names=["province", "year"])
    bootstrap = SimpleNamespace(mean_ranks=of_means, ranks=pd.DataFrame(index=rows))
    table = rank_table(SimpleNamespace(ranks={"dose": by_choices}), bootstrap, "dose")  # type: ignore[arg-type]
    assert list(table.index) == ["b", "a"]
    assert (table["rank"] == table["bootstrap_low"]).all()


def test_pairs_are_told_apart_where_their_intervals_do_not_overlap() -> None:
    ranks = pd.DataFrame({"bootstrap_low": [1, 2, 3], "bootstrap_high": [1, 3, 3]})
    assert count_told_apart(ranks) == (1, 2)
