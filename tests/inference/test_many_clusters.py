"""Facts about inference with many clusters: less memory, the same numbers, and a reason where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.errors import StudyError
from helpers.inference import contrast, small_sample
from helpers.inference.wild import changes
from helpers.inference.wild.bootstrap import WildForm, wild_cluster_bootstrap
from helpers.regression.panel import fit_panel
from own_tables import make_panel


def test_among_many_clusters_the_narrow_bootstrap_is_the_dense_one_and_small_sample_forms_say_why_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The two ways make the same draws, so that p and interval agree to the precision of the search, 1e-8."""
    panel = make_panel([f"u{n:02d}" for n in range(25)]).drop(index=[("u03", 2015), ("u11", 2020)])
    fit = fit_panel(panel, "wait", ["booking", "staff"], entity_effects=True, time_effects=True, cluster="entity")
    found = []
    for many in (200, 5):
        monkeypatch.setattr(changes, "MANY_CLUSTERS", many)
        rng = np.random.default_rng(3)
        found.append(wild_cluster_bootstrap(fit, "booking", draws=499, rng=rng, interval=True))
    dense, narrow = found
    assert dense.p_value == narrow.p_value
    assert (dense.ci_low, dense.ci_high) == pytest.approx((narrow.ci_low, narrow.ci_high), abs=1e-8)
    monkeypatch.setattr(contrast, "MOST_HELD", 100)
    for test in (small_sample.cr2, small_sample.cr3):
        with pytest.raises(StudyError, match="rows by 25 clusters"):
            test(fit, "booking")
    with pytest.raises(StudyError, match=r"jackknifed bootstrap .* rows by 25 clusters"):
        wild_cluster_bootstrap(fit, "booking", draws=9, form=WildForm(variant="31"), rng=np.random.default_rng(3))
    with pytest.raises(StudyError, match=r"2 matrices of .* rows by 25 clusters"):
        small_sample.htz_wald(fit, ["booking", "staff"])
