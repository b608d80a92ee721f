"""Spatial lag and Durbin models.

Outside: the transformed likelihood of Lee and Yu (2010) written out with explicit orthonormal matrices for entities and
times and maximised over all parameters at once by a general optimiser, which shares no code with the package: estimates to
1e-4 (the optimiser's precision), standard errors against its numerical Hessian to 6 %, as the observed information is not
the expected one. Effects against moving one entity's regressor and solving the system, 1e-9. Known truth: 60 panels within
four simulation errors; 2,000 panels are stored in benchmarks/spatial_truth.csv with their seed. R: lagsarlm of spatialreg
1.2-6, method = "eigen", on the transformed columns of a panel that was written to a file, weights of F'WF times T - 1;
its search ends at 1e-8 of rho, so 1e-6 relative.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from scipy.linalg import null_space

from helpers.errors import StudyError
from helpers.policy.durbin import fit_spatial
from helpers.policy.shown import spatial_models, spatial_table
from helpers.policy.space import SpatialWeights, standardise_rows
from helpers.regression.panel import fit
from helpers.study.model import Model
from outside import outside

MODEL = Model("y", "x", ("z",))
STORED = Path(__file__).resolve().parents[2] / "benchmarks" / "spatial_truth.csv"


def ring(n: int) -> SpatialWeights:
    names = [f"u{place:02d}" for place in range(n)]
    raw = np.zeros((n, n))
    for place in range(n):
        raw[place, (place + 1) % n] = raw[place, (place - 1) % n] = raw[place, (place + 3) % n] = 1.0
    return standardise_rows(pd.DataFrame(np.maximum(raw, raw.T), names, names))


def make_panel(weights: SpatialWeights, times: int, rng: np.random.Generator, rho: float = 0.3) -> pd.DataFrame:
    names, w = list(weights.matrix.index), weights.matrix.to_numpy()
    n = len(names)
    x, z = rng.normal(size=(2, times, n))
    mean = x + 0.5 * x @ w.T + 0.5 * z + rng.normal(size=n) + rng.normal(size=(times, 1)) + rng.normal(size=(times, n))
    y = mean @ np.linalg.inv(np.eye(n) - rho * w).T
    index = pd.MultiIndex.from_product([names, range(times)], names=["unit", "time"])
    return pd.DataFrame({"y": y.T.ravel(), "x": x.T.ravel(), "z": z.T.ravel()}, index)


def written_out(data: pd.DataFrame, w: np.ndarray, lagged: list[str]) -> tuple[np.ndarray, np.ndarray, float]:
    """Maximise the transformed likelihood over (x, z, lagged ..., rho, ln sigma2); estimates, SEs, log likelihood."""
    wide = {name: data[name].unstack().to_numpy() for name in ("y", "x", "z")}
    n, t = wide["y"].shape
    inner, over = null_space(np.ones((1, n))), null_space(np.ones((1, t)))

    def moved(column: np.ndarray) -> np.ndarray:
        return inner.T @ column @ over

    star = inner.T @ w @ inner
    y, x = moved(wide["y"]), [moved(wide["x"]), moved(wide["z"]), *(moved(w @ wide[name]) for name in lagged)]

    def minus(theta: np.ndarray) -> float:
        *beta, rho, log_sigma2 = theta
        left = y - rho * star @ y - sum(b * column for b, column in zip(beta, x, strict=True))
        determinant = np.linalg.slogdet(np.eye(n - 1) - rho * star)[1]
        size = (n - 1) * (t - 1)
        fit = (left**2).sum() / np.exp(log_sigma2)
        return float(size / 2 * (np.log(2 * np.pi) + log_sigma2) - (t - 1) * determinant + fit / 2)

    start = np.zeros(len(x) + 2)
    found = optimize.minimize(minus, start, method="BFGS", options={"gtol": 1e-7})
    step, k = 1e-4, len(start)
    hessian = np.empty((k, k))
    for i in range(k):
        for j in range(k):
            one, other = step * np.eye(k)[i], step * np.eye(k)[j]
            pieces = (one + other, one - other, -one + other, -one - other)
            a, b, c, d = (minus(found.x + piece) for piece in pieces)
            hessian[i, j] = (a - b - c + d) / (4 * step**2)
    return found.x, np.sqrt(np.diag(np.linalg.inv(hessian))), -float(found.fun)


@pytest.mark.outside
@pytest.mark.parametrize("lagged", [[], ["x"], ["x", "z"]])
def test_the_estimates_are_those_of_the_likelihood_written_out(lagged: list[str]):
    weights = ring(17)
    data = make_panel(weights, 6, np.random.default_rng(3))
    ours = fit_spatial(data, MODEL, weights, durbin=lagged)
    theta, errors, height = written_out(data, weights.matrix.to_numpy(), lagged)
    names = ["x", "z", *(f"neighbours_{name}" for name in lagged)]
    found = [ours.coefficients[name] for name in names] + [ours.rho]
    source = "written out: transformed likelihood, general optimiser"
    outside(fit_spatial, source, [item.estimate for item in found], theta[:-1], atol=1e-4)
    outside(fit_spatial, source, [item.std_error for item in found], errors[:-1], rtol=0.06)
    outside(fit_spatial, source, ours.log_likelihood, height, rtol=1e-7)
    assert ours.sigma2 == pytest.approx(np.exp(theta[-1]), rel=1e-3)


# rho, x, z (and their neighbours'), each with its standard error, then the error variance and the log likelihood.
SPATIALREG = {
    "lag": [0.551318635232823, 0.13449045439665, 0.936133655664167, 0.105240428241029, 0.456865027864592,
            0.117062071309739, 0.972153699042942, -97.5441064502288],
    "durbin": [0.159888564774613, 0.177556515355951, 1.01149736150068, 0.105291932838023, 0.482609705726116,
               0.112620406396188, 0.783581679043376, 0.254556663155665, 0.453216983032036, 0.266643979806506,
               0.837846030866412, -92.5041664947667],
}  # fmt: skip


@pytest.mark.parametrize("kind", SPATIALREG)
def test_estimates_and_standard_errors_are_those_of_spatialreg(kind: str) -> None:
    weights = ring(15)
    data = make_panel(weights, 6, np.random.default_rng(8))
    found = fit_spatial(data, MODEL, weights, durbin=[] if kind == "lag" else None)
    parts = [found.rho, *found.coefficients.values()]
    ours = [number for part in parts for number in (part.estimate, part.std_error)]
    ours += [found.sigma2, found.log_likelihood]
    source = "R spatialreg: lagsarlm, a made panel, transformed"
    outside(fit_spatial, source, ours, SPATIALREG[kind], rtol=1e-6)


def test_a_likelihood_that_is_highest_at_the_end_of_its_range_is_refused() -> None:
    weights = ring(9)
    held = range(3, 60)
    refused = []
    for seed in held:
        data = make_panel(weights, 3, np.random.default_rng(seed), rho=0.97)
        try:
            rho = fit_spatial(data, MODEL, weights, durbin=[]).rho.estimate
        except StudyError as error:
            refused.append(str(error))
        else:
            assert rho < 0.99999
    assert 0 < len(refused) < len(held)
    assert all("the end 1.00 of the range of rho" in text for text in refused)
    fits, why = spatial_models(make_panel(weights, 6, np.random.default_rng(1)), MODEL, {"ring": weights})
    table = spatial_table(fits, "x", {("lag", "far"): "no range"})
    assert not why
    assert table["note"].dropna().to_dict() == {("lag", "far"): "no range"}
    assert table.loc[("lag", "far"), ["rho", "direct"]].isna().all()


@pytest.mark.outside
def test_the_effects_are_what_moving_a_regressor_does():
    weights = ring(15)
    data = make_panel(weights, 6, np.random.default_rng(5))
    found = fit_spatial(data, MODEL, weights)
    w = weights.matrix.to_numpy()
    rho, own, others = found.rho.estimate, *(found.coefficients[name].estimate for name in ("x", "neighbours_x"))
    change = np.empty((15, 15))
    for entity in range(15):
        x = np.eye(15)[entity]
        y = np.zeros(15)
        for _ in range(400):
            y = rho * w @ y + own * x + others * w @ x
        change[:, entity] = y
    direct, total = np.diag(change).mean(), change.sum() / 15
    ours = {kind: found.effects["x", kind].estimate for kind in ("direct", "indirect", "total")}
    theirs = {"direct": direct, "indirect": total - direct, "total": total}
    outside(fit_spatial, "written out: neighbours answer until nothing moves", ours, theirs, rtol=1e-9)


def test_the_standard_error_of_an_effect_is_that_of_its_draws():
    weights = ring(15)
    found = fit_spatial(make_panel(weights, 7, np.random.default_rng(8)), MODEL, weights, durbin=[])
    rho, b = found.rho, found.coefficients["x"]
    # Total effect of the spatial lag model: b / (1 - rho).
    assert found.effects["x", "total"].estimate == pytest.approx(b.estimate / (1 - rho.estimate), rel=1e-9)


def test_without_neighbours_in_the_data_the_coefficients_are_those_of_least_squares():
    weights = ring(31)
    data = make_panel(weights, 7, np.random.default_rng(4), rho=0.0)
    found = fit_spatial(data, MODEL, weights, durbin=[])
    plain = fit(data, MODEL)
    assert abs(found.rho.estimate) < 4 * found.rho.std_error
    assert abs(found.coefficients["z"].estimate - plain.estimates["z"]) < 0.05


def test_known_truth_is_found_without_bias_and_intervals_are_honest():
    weights, rng = ring(31), np.random.default_rng(20240909)
    rows = []
    for _ in range(60):
        item = fit_spatial(make_panel(weights, 7, rng), MODEL, weights, durbin=["x"])
        rows.append([item.rho.estimate, item.rho.ci_low <= 0.3 <= item.rho.ci_high, item.coefficients["x"].estimate])
    rho, held, slope = np.array(rows, dtype=float).T
    assert abs(rho.mean() - 0.3) < 4 * rho.std() / np.sqrt(60)
    assert abs(slope.mean() - 1) < 4 * slope.std() / np.sqrt(60)
    assert abs(held.mean() - 0.95) < 4 * np.sqrt(0.05 * 0.95 / 60)


def test_the_stored_simulation_is_unbiased_with_honest_intervals():
    table = pd.read_csv(STORED, index_col="term")
    error = table["sd"] / np.sqrt(table["panels"])
    # rho and the products of it carry a bias of order 1 / (n T), a tenth of a standard deviation here.
    assert ((table["mean"] - table["truth"]).abs() < 4 * error + 0.1 * table["sd"]).all()
    assert table["coverage"].between(0.93, 0.97).all()


def test_bad_input_is_refused():
    weights = ring(9)
    data = make_panel(weights, 5, np.random.default_rng(1))
    with pytest.raises(StudyError, match="entity and time effects"):
        fit_spatial(data, MODEL.with_(effects=("entity",)), weights)
    with pytest.raises(StudyError, match="not balanced"):
        fit_spatial(data.iloc[1:], MODEL, weights)
    with pytest.raises(StudyError, match="over other entities"):
        fit_spatial(data, MODEL, ring(10))
    with pytest.raises(StudyError, match="not a regressor"):
        fit_spatial(data, MODEL, weights, durbin=["nowhere"])


def test_rho_is_where_the_slope_of_the_likelihood_is_zero_to_the_last_digits():
    weights = ring(12)
    data = make_panel(weights, 6, np.random.default_rng(11))
    fitted = fit_spatial(data, MODEL, weights)
    noisy = fit_spatial(data * (1 + 1e-15 * np.random.default_rng(2).normal(size=data.shape)), MODEL, weights)
    # Rounding of the data is passed on, not multiplied: a search by likelihoods alone moves rho by 1e-8.
    assert abs(noisy.rho.estimate - fitted.rho.estimate) < 1e-12


def test_the_slope_is_that_of_the_likelihood():
    """Against central differences, whose own error is of the order of the step squared."""
    from helpers.policy.durbin import _Stacked

    weights, step = ring(12), 1e-4
    stacked = _Stacked.build(make_panel(weights, 6, np.random.default_rng(5)), MODEL, weights, ("x",))
    for rho in (-0.4, 0.1, 0.7):
        low, middle, high = (stacked.likelihood(rho + move) for move in (-step, 0.0, step))
        slope, bend = stacked.slope(rho)
        assert slope == pytest.approx((high - low) / (2 * step), rel=1e-5)
        assert bend == pytest.approx((high - 2 * middle + low) / step**2, rel=1e-4)
