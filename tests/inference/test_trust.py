"""Size and power as the baseline notebook shows them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.display.prose import write_sentence
from helpers.inference.trust import cluster_sizes, draw_trust, record_trust, say_trust, trust_table
from helpers.regression.specification import specify
from helpers.results.results import Results
from toy_study import make_panel, make_study


@pytest.fixture(scope="module")
def found() -> Any:
    return draw_trust({"all": 12, "smallest_region": 5}, 5, simulations=60, level=0.05, rng=np.random.default_rng(4))


def test_sizes_are_those_of_the_sample_and_of_its_smallest_region() -> None:
    panel = make_panel(np.random.default_rng(1))
    regions = pd.Series(["a"] * 9 + ["b"] * 5, index=panel.index.unique(0))
    assert cluster_sizes(specify(panel, make_study()).fit(), regions) == {"all": 14, "smallest_region": 5}


def test_one_region_is_not_simulated_twice() -> None:
    panel = make_panel(np.random.default_rng(1))
    regions = pd.Series("a", index=panel.index.unique(0))
    assert cluster_sizes(specify(panel, make_study()).fit(), regions) == {"all": 14}


def test_every_world_is_tried_at_every_size(found: Any) -> None:
    tried = list(dict.fromkeys(key[:2] for key in trust_table(found).index))
    assert tried == [(12, "even"), (12, "uneven"), (5, "even"), (5, "uneven")]


def test_the_sentence_prints_recorded_sizes(found: Any) -> None:
    results = Results(study="toy", notebook="03_baseline_regression")
    record_trust(results, found)
    told = repr(write_sentence(say_trust(found, results), results, {}))
    assert told.startswith("With 12 clusters and uneven errors")
    assert results["baseline.trust.all.even.cr2.size"].n_obs == 60


def test_power_is_near_four_of_five_where_the_assumptions_hold(found: Any) -> None:
    """2.8 standard deviations from zero against 1.96: 80 %; 60 panels tell it to about 0.2."""
    assert 0.55 < found["all", "even"].table["power"].mean() < 0.95
