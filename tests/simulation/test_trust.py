"""Size and power as the baseline notebook shows them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.regression.specification import specify
from helpers.results.results import Results
from helpers.simulation.size_power import METHODS, SizeAndPower
from helpers.simulation.trust import cluster_sizes, draw_trust, recommend, record_trust, trust_table
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


def test_sizes_are_recorded_with_their_number_of_panels(found: Any) -> None:
    results = Results(study="toy", notebook="03_baseline_regression")
    record_trust(results.record, found)
    assert results["baseline.trust.all.even.cr2.size"].n_obs == 60


def planted(sizes: list[float], powers: list[float], replications: int = 400) -> SizeAndPower:
    """Sizes and powers of the methods in the order of `METHODS`: clustered t, CR2, CR3, wild."""
    size, power = np.array(sizes), np.array(powers)
    errors = [np.sqrt(share * (1 - share) / replications) for share in (size, power)]
    columns = {"size": size, "size_std_error": errors[0], "power": power, "power_std_error": errors[1]}
    table = pd.DataFrame(columns, index=list(METHODS))
    return SizeAndPower(table, 0.0, 0.0, 1.0, 1.0, 0.05, 31, 7, replications)


@pytest.mark.parametrize(
    ("sizes", "powers", "method", "keeps"),
    [
        ([0.20, 0.047, 0.073, 0.050], [0.9, 0.67, 0.75, 0.69], "wild", True),  # equal in power: the preferred
        ([0.20, 0.047, 0.073, 0.050], [0.9, 0.80, 0.75, 0.60], "cr2", True),  # clearly more powerful
        ([0.05, 0.20, 0.20, 0.20], [0.5, 0.9, 0.9, 0.9], "clustered_t", True),  # the only honest one
        ([0.20, 0.01, 0.08, 0.09], [0.9, 0.6, 0.7, 0.7], "cr2", False),  # none; the nearest from below
        ([0.30, 0.12, 0.08, 0.09], [0.9, 0.6, 0.7, 0.7], "cr3", False),  # none, all above; the nearest
    ],
)
def test_the_recommended_method_keeps_its_size_and_then_has_power(
    sizes: list[float], powers: list[float], method: str, keeps: bool
) -> None:
    best = recommend(planted(sizes, powers))
    assert (best.method, best.keeps) == (method, keeps)


def test_power_is_near_four_of_five_where_the_assumptions_hold(found: Any) -> None:
    """2.8 standard deviations from zero against 1.96: 80 %; 60 panels tell it to about 0.2."""
    assert 0.55 < found["all", "even"].table["power"].mean() < 0.95
