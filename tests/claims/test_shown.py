"""Tables of the synthesis over planted results: exact."""

import numpy as np

from helpers.claims.shown import held_effects
from helpers.results.results import Results


def test_effects_with_a_leverage_are_read_with_what_is_left_without_the_heaviest() -> None:
    results = Results(study="small", notebook="05_mediation")
    for key, three, estimate, without in (("a.d", 0.6, 0.2, -0.1), ("b.d", 0.4, 0.2, None)):
        results.record(key, estimate=estimate, p_value=0.1, n_obs=20, n_entities=4, convention="stata")
        results.record(f"{key}.held.three", value=three)
        if without is not None:
            results.record(f"{key}.held.without", estimate=without, n_obs=15, n_entities=3, convention="stata")
    results.record("c.d", estimate=0.3, n_obs=20, n_entities=4, convention="stata")
    found = held_effects(results)
    np.testing.assert_array_equal(found.to_numpy(), [[0.6, 0.2, -0.1], [0.4, 0.2, np.nan]])
    assert list(found.index) == ["a.d", "b.d"]
    assert held_effects({}).empty
