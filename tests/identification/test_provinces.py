"""The provincial study with an income in yuan as a control, where a pseudo-inverse once cut off what was a small unit.

Reference: R plm, pgmm in two steps with collapsed instruments, on the same panel; tolerance: half a unit of the last
digit that was kept.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cleaning import gaps, sample
from helpers.diagnostics.random_effects import fit_random_effects, hausman
from helpers.diagnostics.residual_tests import wooldridge_serial_correlation
from helpers.errors import StudyError
from helpers.identification.dynamic import fit_dynamic
from helpers.identification.past import fit_past
from helpers.index import build
from helpers.reading import statistics as reading
from helpers.reading.units import read_units
from helpers.regression.panel import fit_panel
from helpers.study.study import Study, load_study
from outside import outside

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(ROOT / "data" / "provinces")


@pytest.fixture(scope="module")
def panel(study: Study) -> pd.DataFrame:
    """The study's panel from its raw files, with income per person in yuan."""
    units = read_units(study.folder / study.entity.units, study.entity)
    raw = reading.read_raw(study.folder, study.columns, units, study.entity, study.time)
    found = gaps.check_coverage(raw, study.columns, study.time)
    statistics, _ = gaps.apply_missing_rules(raw, study.missing, found, study.sample.missing)
    marked = sample.mark_sample(statistics, study)
    rows = sample.select_sample(gaps.derive(statistics, study.formulas, marked), marked, study).panel
    panel = build.model_panel(rows, build.index_values(build.build_indices(rows, study)))
    return panel.join(statistics["disposable_income_pc"])


@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e6])
def test_gmm_is_that_of_plm_in_every_unit_of_income(study: Study, panel: pd.DataFrame, unit: float) -> None:
    model = study.model()
    controls = tuple(name for name in model.controls if name != "urbanisation")
    model = model.with_(controls=("disposable_income_pc", *controls))
    data = panel.assign(disposable_income_pc=unit * panel["disposable_income_pc"])
    past = fit_past(data, model, study.time.window)
    difference, system = past.gmm["difference"], past.gmm["system"]
    source = "R plm: pgmm, two steps, collapsed, provinces with income as a control"
    ours = [
        difference[model.treatment].estimate,
        difference[model.treatment].std_error,
        past.lag("difference").estimate,
    ]
    outside(fit_dynamic, source, ours, [-0.0590, 0.1418, -0.0064], atol=6e-5)
    outside(fit_dynamic, source, difference.hansen_j, 14.33, atol=6e-3)
    ours = [system[model.treatment].estimate, system[model.treatment].std_error]
    outside(fit_dynamic, source, ours, [-0.0222, 0.0686], atol=6e-5)


@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e6])
def test_random_effects_are_those_of_plm_in_every_unit_of_income(
    study: Study, panel: pd.DataFrame, unit: float
) -> None:
    model = study.model()
    regressors = [model.treatment, "disposable_income_pc", *(name for name in model.controls if name != "urbanisation")]
    data = panel.assign(disposable_income_pc=unit * panel["disposable_income_pc"])
    random = fit_random_effects(data, model.outcome, regressors)
    within = fit_panel(data, model.outcome, regressors, entity_effects=True, cluster=None)
    source = "R plm: plm and phtest, provinces with income as a control"
    timed = fit_random_effects(data, model.outcome, regressors, time_effects=True)
    outside(fit_random_effects, source, timed.estimates[model.treatment], 0.0363, atol=6e-5)
    outside(fit_random_effects, source, timed.variance_entity, 0.000537, atol=6e-7)
    gap = (within.estimates - random.estimates)[regressors].to_numpy()
    spread = (within.covariance - random.covariance).loc[regressors, regressors].to_numpy()
    units = np.sqrt(np.diag(within.covariance.loc[regressors, regressors]))
    statistic = (gap / units) @ np.linalg.solve(spread / np.outer(units, units), gap / units)
    outside(fit_random_effects, source, statistic, 47.8, atol=0.06)
    # The difference of the covariances is not positive definite: the number has no distribution and is not printed.
    with pytest.raises(StudyError, match="not positive definite"):
        hausman(data, model.outcome, regressors)


def test_tests_of_the_primary_specification_are_those_of_r(study: Study, panel: pd.DataFrame) -> None:
    model = study.model()
    asked = (panel, model.outcome, list(model.regressors))
    plain, robust = (hausman(*asked, time_effects=True, robust=robust) for robust in (False, True))
    source = "R plm: phtest, provinces, the primary specification with its year effects"
    outside(hausman, source, plain.statistic, 26.8146, atol=6e-5)
    outside(hausman, source, robust.statistic, 25.0, atol=0.06)
    serial = wooldridge_serial_correlation(*asked, time_effects=True)
    outside(
        wooldridge_serial_correlation, "R: first differences, clustered, provinces", serial.statistic, 5.599, atol=6e-4
    )
