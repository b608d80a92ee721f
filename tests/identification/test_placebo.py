"""The permutation placebo against permutations that are fitted one by one.

Tolerance: counts are exact; 1e-9 relative on estimates reached another way.
"""

from itertools import permutations

import numpy as np
import pytest

from helpers.errors import StudyError
from helpers.identification.placebo import permute_treatment
from helpers.regression.panel import PanelFit, fit_panel
from reference.panels import firm_rows, gappy_grunfeld, grunfeld


def fit(data) -> PanelFit:
    return fit_panel(data, "inv", ["value", "capital"], entity_effects=True, time_effects=True, cluster=None)


def test_all_permutations_are_those_fitted_one_by_one():
    data = firm_rows(4).sort_index()
    histories = data["value"].to_numpy().reshape(4, -1)
    fits = [fit(data.assign(value=histories[list(order)].ravel())) for order in permutations(range(4))]
    test = permute_treatment(fit(data), "value", draws=24)
    assert test.enumerated
    np.testing.assert_allclose(test.estimates, [each.estimates["value"] for each in fits], rtol=1e-9)
    statistics = np.array([abs(each.statistics["value"]) for each in fits])
    assert test.p_value == np.mean(statistics >= statistics[0] * (1 - 1e-9))


def test_the_sample_is_one_of_the_permutations():
    own = fit(grunfeld())
    test = permute_treatment(own, "value", draws=99, rng=np.random.default_rng(1))
    assert test.estimate == pytest.approx(own.estimates["value"], rel=1e-10)
    assert test.statistic == pytest.approx(own.statistics["value"], rel=1e-10)
    assert test.p_value == 1 / 100


@pytest.mark.parametrize(
    ("panel", "treatment", "words"),
    [(gappy_grunfeld, "value", "balanced"), (grunfeld, "nothing", "not in the fit"), (grunfeld, "value", "no source")],
)
def test_what_the_placebo_cannot_do_is_told(panel, treatment, words):
    with pytest.raises(StudyError, match=words):
        permute_treatment(fit(panel()), treatment)
